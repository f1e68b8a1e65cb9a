//! One person under one model: parameters for a body, and concentrations under a schedule.

use crate::linear::{self, Linear, Matrix};
use crate::mammillary::{Mammillary, Peripheral};
use crate::model::{Entrance, Entry, Model, Move, Parameter, Role, Route, Value};
use crate::refused::{Accepted, CONSTANT, Refused, TIME, VOLUME, WEIGHT};
use crate::response::Response;
use crate::schedule::Schedule;
use crate::units::{Kg, Litres, Minutes, NG_PER_ML_IN_MG_PER_L, NgPerMl, PerMin, Ratio, Years};

/// What a model may ask about a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// Total body weight.
    pub weight: Kg,
    /// `None` when not known; a model that changes with age then refuses.
    pub age: Option<Years>,
}

/// A model with the numbers of one body.
#[derive(Debug, Clone)]
pub struct Individual<'m> {
    model: &'m Model,
    /// One for each parameter.
    values: Vec<f64>,
    parent: Mammillary,
}

/// Concentrations at the times asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// As asked for.
    pub times: Vec<Minutes>,
    /// Parent, in plasma drawn at the model's site.
    pub plasma: Vec<NgPerMl>,
    /// At the effect site; `None` when no ke0 was given.
    pub effect: Option<Vec<NgPerMl>>,
    /// Name and concentrations of each metabolite.
    pub metabolites: Vec<(String, Vec<NgPerMl>)>,
}

/// Times in one question, at most.
pub const TIMES_MAX: usize = 1_000_000;

pub(crate) const KE0: Accepted = Accepted { what: "ke0", low: 1e-9, high: 1e6, unit: "/min" };

impl Model {
    /// The typical person of this body.
    ///
    /// # Errors
    /// A weight or age that is missing or not accepted; see [`Model::individual`].
    pub fn typical(&self, body: Body) -> Result<Individual<'_>, Refused> {
        self.individual(body, &[])
    }

    /// A person whose parameters are `typical · exp(eta)`; one eta for each parameter in order, missing ones 0.
    ///
    /// # Errors
    /// A weight that is not positive, an age that the model needs and does not get, more etas than parameters, and a
    /// parameter that leaves the range of numbers.
    pub fn individual(&self, body: Body, eta: &[Ratio]) -> Result<Individual<'_>, Refused> {
        let parameters = &self.spec().parameters;
        if eta.len() > parameters.len() {
            return Err(Refused::TooMany { what: "etas", count: eta.len(), most: parameters.len() });
        }
        let mut values = self.values(body)?;
        let deviations = eta.iter().map(|e| e.0).chain(std::iter::repeat(0.0));
        for ((value, parameter), eta) in values.iter_mut().zip(parameters).zip(deviations) {
            *value *= eta.exp();
            match parameter.typical {
                Value::Volume(_) => VOLUME.check(*value),
                Value::Clearance(_) => CLEARANCE.check(*value),
                Value::Constant(_) => CONSTANT.check(*value),
                Value::Time(_) => DELAY.check(*value),
            }?;
        }
        let parent = Shape { model: self, values: &values }.parent()?;
        Ok(Individual { model: self, values, parent })
    }

    /// The typical value of each parameter for a body.
    pub(crate) fn values(&self, body: Body) -> Result<Vec<f64>, Refused> {
        let weight = WEIGHT.check(body.weight.0)?;
        let value = |p: &Parameter| {
            let mut value = p.typical.number();
            if let Some(slope) = p.age {
                let age = body.age.ok_or(Refused::Missing("age"))?;
                AGE.check(age.0)?;
                value += slope.per_year.number() * (age.0 - slope.above.0).max(0.0);
                if value < 0.0 {
                    // So far beyond the ages of its people the slope crosses 0.
                    let valid = &self.spec().validity.age;
                    return Err(Refused::OutOfRange {
                        what: "age",
                        value: age.0,
                        low: valid.start().0,
                        high: valid.end().0,
                        unit: AGE.unit,
                    });
                }
            }
            if let Some(scale) = p.weight {
                value *= (weight / scale.reference.0).powf(scale.exponent.0);
            }
            Ok(value)
        };
        self.spec().parameters.iter().map(value).collect()
    }
}

const AGE: Accepted = Accepted { what: "age", low: 0.0, high: 150.0, unit: "a" };
pub(crate) const CLEARANCE: Accepted = Accepted { what: "clearance", low: 0.0, high: 1e9, unit: "L/min" };
pub(crate) const DELAY: Accepted = Accepted { what: "delay", low: 1e-6, high: 1e9, unit: "min" };

impl<'m> Individual<'m> {
    /// Whose model it is.
    #[must_use]
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// The parent drug's centre and stores.
    #[must_use]
    pub fn parent(&self) -> &Mammillary {
        &self.parent
    }

    /// A parameter of this person, in the unit of its kind.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Value> {
        let found = self.model.spec().parameters.iter().zip(&self.values).find(|(p, _)| p.name == name);
        found.map(|(p, &value)| match p.typical {
            Value::Volume(_) => Value::Volume(Litres(value)),
            Value::Clearance(_) => Value::Clearance(crate::units::LPerMin(value)),
            Value::Constant(_) => Value::Constant(PerMin(value)),
            Value::Time(_) => Value::Time(Minutes(value)),
        })
    }

    /// Concentrations of the parent, of its effect site when `ke0` is given, and of every metabolite.
    /// `schedule` is in mg of what the model describes. At the time of a bolus the value is the one after it.
    ///
    /// ```
    /// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
    /// # use example::model;
    /// # use pkpd::*;
    /// let model = model()?;
    /// let person = model.typical(Body { weight: Kg(70.0), age: Some(Years(40.0)) })?;
    /// let given = Schedule::new([Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0))])?;
    /// let ke0 = PerMin::from_half_life(Minutes(8.3));
    /// let course = person.course(&given, Some(ke0), &[Minutes(0.0), Minutes(40.0), Minutes(1e5)])?;
    ///
    /// assert_eq!(course.plasma[0], NgPerMl(0.0));
    /// // The effect site lags behind, and in the end all is eliminated.
    /// let effect = course.effect.unwrap_or_default();
    /// assert!(0.0 < effect[1].0 && effect[1] < course.plasma[1]);
    /// assert!(course.plasma[2].0 < 1e-9);
    /// # Ok::<(), Refused>(())
    /// ```
    ///
    /// # Errors
    /// Times that fall or are not numbers, more than [`TIMES_MAX`], a ke0 outside 1e-9 to 1e6 /min; a route that the
    /// model does not have, a steady state of what is never eliminated.
    pub fn course(
        &self,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Course, Refused> {
        let mut course = self.of_centre(schedule, ke0, times)?;
        if self.shape().metabolites().next().is_some() {
            let stages = [(f64::NEG_INFINITY, self.system(None))];
            let states = linear::follow(&stages, schedule, times.iter().map(|t| t.0))?;
            course.metabolites = self.shape().metabolite_levels(&states);
        }
        course.add(&by_other_ways(&[(Minutes(f64::NEG_INFINITY), self)], schedule, ke0, times)?);
        Ok(course)
    }

    /// The same without the metabolites, which takes a hundredth of the time.
    ///
    /// # Errors
    /// As [`Individual::course`].
    pub fn parent_course(
        &self,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Course, Refused> {
        let mut course = self.of_centre(schedule, ke0, times)?;
        course.add(&by_other_ways(&[(Minutes(f64::NEG_INFINITY), self)], schedule, ke0, times)?);
        course.metabolites.clear();
        Ok(course)
    }

    /// Parent and effect site by what goes into the centre: the closed form.
    fn of_centre(
        &self,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Course, Refused> {
        check_times(times)?;
        let rate = ke0.map(|k| KE0.check(k.0)).transpose()?;
        let response = Response::new(&self.parent, rate.unwrap_or(0.0));
        response.check(schedule)?;
        let levels = response.follow(schedule, times.iter().map(|t| t.0));
        let plasma = levels.iter().map(|l| NgPerMl(l.plasma * NG_PER_ML_IN_MG_PER_L)).collect();
        let effect = rate.map(|_| levels.iter().map(|l| NgPerMl(l.effect * NG_PER_ML_IN_MG_PER_L)).collect());
        Ok(Course { times: times.to_vec(), plasma, effect, metabolites: Vec::new() })
    }

    fn shape(&self) -> Shape<'_> {
        Shape { model: self.model, values: &self.values }
    }

    /// Every compartment and delay stage as one linear system; the effect site last, when asked for, in mg/L.
    pub(crate) fn system(&self, ke0: Option<PerMin>) -> Linear {
        Linear::new(&self.shape().matrix(ke0), 0)
    }
}

/// One person whose numbers change: the first of them hold from ever, each next from its time on. What is in the body
/// stays; only volumes and rates change.
///
/// # Errors
/// As [`Individual::course`]; no numbers, numbers of another model, or times of change that do not rise.
pub fn changing_course(
    stages: &[(Minutes, &Individual)],
    schedule: &Schedule,
    ke0: Option<PerMin>,
    times: &[Minutes],
) -> Result<Course, Refused> {
    check_times(times)?;
    ke0.map(|k| KE0.check(k.0)).transpose()?;
    let Some(((_, first), later)) = stages.split_first() else {
        return Err(Refused::Missing("the numbers of a person"));
    };
    check_times(&later.iter().map(|(at, _)| *at).collect::<Vec<_>>())?;
    if later.iter().any(|(_, person)| person.model != first.model) {
        return Err(Refused::Impossible("a person cannot change from one model to another".to_owned()));
    }
    let systems: Vec<_> = stages.iter().map(|(at, person)| (at.0, person.system(ke0))).collect();
    let states = linear::follow(&systems, schedule, times.iter().map(|t| t.0))?;
    let mut course = levels_of(stages, ke0, times, &states);
    course.add(&by_other_ways(stages, schedule, ke0, times)?);
    Ok(course)
}

/// What all doses by other ways than into the centre add: each entry of a route is a chain of its own before the body.
fn by_other_ways(
    stages: &[(Minutes, &Individual)],
    schedule: &Schedule,
    ke0: Option<PerMin>,
    times: &[Minutes],
) -> Result<Course, Refused> {
    let mut routes: Vec<&str> = schedule.by_other_ways().iter().filter_map(|g| g.route.as_deref()).collect();
    routes.sort_unstable();
    routes.dedup();
    let mut sum = Course { times: times.to_vec(), plasma: Vec::new(), effect: None, metabolites: Vec::new() };
    let Some((_, anyone)) = stages.first() else { return Ok(sum) };
    for route in routes {
        for entry in &anyone.model.route(route)?.entries {
            let mut systems = Vec::with_capacity(stages.len());
            for (at, person) in stages {
                let (matrix, entrance) = person.shape().entered(ke0, entry)?;
                systems.push((at.0, Linear::new(&matrix, entrance)));
            }
            let arriving = schedule.arriving_by(route, [entry.share.0, entry.lag.0, entry.over.0])?;
            let states = linear::follow(&systems, &arriving, times.iter().map(|t| t.0))?;
            sum.add(&levels_of(stages, ke0, times, &states));
        }
    }
    Ok(sum)
}

/// Levels from whole states, each by the numbers that hold at its time.
fn levels_of(
    stages: &[(Minutes, &Individual)],
    ke0: Option<PerMin>,
    times: &[Minutes],
    states: &[Vec<f64>],
) -> Course {
    let mut course =
        Course { times: times.to_vec(), plasma: Vec::new(), effect: None, metabolites: Vec::new() };
    for (time, state) in times.iter().zip(states) {
        let past = stages.iter().skip(1).take_while(|(at, _)| at <= time).count();
        let Some((_, person)) = stages.get(past) else { continue };
        let shape = person.shape();
        let (place, volume) = (shape.order(), shape.volume(0).unwrap_or(1.0));
        let amount = |place: usize| state.get(place).copied().unwrap_or_default();
        course.plasma.push(NgPerMl(amount(0) / volume * NG_PER_ML_IN_MG_PER_L));
        if ke0.is_some() {
            let effect = NgPerMl(amount(place) * NG_PER_ML_IN_MG_PER_L);
            course.effect.get_or_insert_default().push(effect);
        }
        let levels = shape.metabolite_levels(std::slice::from_ref(state));
        if course.metabolites.is_empty() {
            course.metabolites = levels;
        } else {
            course.metabolites.iter_mut().zip(levels).for_each(|((_, all), (_, one))| all.extend(one));
        }
    }
    course
}

impl Model {
    /// A way in.
    ///
    /// # Errors
    /// No such way, with the names of those that there are.
    pub fn route(&self, name: &str) -> Result<&Route, Refused> {
        let routes = &self.spec().routes;
        routes.iter().find(|route| route.name == name).ok_or_else(|| {
            let known: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
            let known = if known.is_empty() { "none but the vein".to_owned() } else { known.join(", ") };
            let id = self.id();
            Refused::Impossible(format!("{id} has no source for the route {name}; it has {known}"))
        })
    }
}

impl Course {
    /// Plasma, each metabolite, then the effect site where there is one: numbers in ng/mL.
    pub(crate) fn outputs(self) -> Vec<Vec<f64>> {
        let plasma = std::iter::once(self.plasma);
        let levels = plasma.chain(self.metabolites.into_iter().map(|(_, m)| m)).chain(self.effect);
        levels.map(|output| output.into_iter().map(|level| level.0).collect()).collect()
    }

    /// Adds levels at the same times; what one of them does not have counts as 0.
    fn add(&mut self, other: &Self) {
        let add = |mine: &mut Vec<NgPerMl>, theirs: &[NgPerMl]| {
            mine.resize(mine.len().max(theirs.len()), NgPerMl(0.0));
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.0 += theirs.0);
        };
        add(&mut self.plasma, &other.plasma);
        if let Some(theirs) = &other.effect {
            add(self.effect.get_or_insert_default(), theirs);
        }
        for (name, theirs) in &other.metabolites {
            match self.metabolites.iter_mut().find(|(its, _)| its == name) {
                Some((_, mine)) => add(mine, theirs),
                None => self.metabolites.push((name.clone(), theirs.clone())),
            }
        }
    }
}

pub(crate) fn check_times(times: &[Minutes]) -> Result<(), Refused> {
    if times.len() > TIMES_MAX {
        return Err(Refused::TooMany { what: "times", count: times.len(), most: TIMES_MAX });
    }
    let mut before = f64::NEG_INFINITY;
    for t in times {
        let after = TIME.check(t.0)?;
        if after < before {
            return Err(Refused::TimesFall { before, after });
        }
        before = after;
    }
    Ok(())
}

/// A model's structure with one person's numbers.
#[derive(Clone, Copy)]
struct Shape<'a> {
    model: &'a Model,
    values: &'a [f64],
}

impl<'a> Shape<'a> {
    fn value(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or_default()
    }

    fn volume(&self, place: usize) -> Option<f64> {
        self.model.places.get(place).and_then(|p| p.volume).map(|index| self.value(index))
    }

    /// Rate constant of a flow, /min.
    fn constant(&self, flow: &Move) -> f64 {
        let is_clearance = self
            .model
            .spec()
            .parameters
            .get(flow.by)
            .is_some_and(|p| matches!(p.typical, Value::Clearance(_)));
        let value = self.value(flow.by);
        if is_clearance { value / self.volume(flow.from).unwrap_or(1.0) } else { value }
    }

    fn between(&self, chosen: impl Fn(&Move) -> bool) -> PerMin {
        PerMin(self.model.moves.iter().filter(|m| chosen(m)).map(|m| self.constant(m)).sum())
    }

    fn parent(&self) -> Result<Mammillary, Refused> {
        let is_store = |i: usize| self.model.places.get(i).is_some_and(|p| p.role == Role::Store);
        let straight = |m: &Move| m.delay.is_none() && m.share == 1.0;
        let stores: Vec<Peripheral> = (0..self.model.places.len())
            .filter(|&i| is_store(i))
            .map(|i| Peripheral {
                out: self.between(|m| m.from == 0 && m.to == Some(i) && straight(m)),
                back: self.between(|m| m.from == i && m.to == Some(0) && straight(m)),
                lost: self.between(|m| m.from == i && m.to != Some(0)),
            })
            .collect();
        let leak = self.between(|m| m.from == 0 && !m.to.is_some_and(is_store));
        Mammillary::new(Litres(self.volume(0).unwrap_or_default()), leak, &stores)
    }

    /// Place, name and ng/mL for each mg of what is measured downstream.
    fn metabolites(self) -> impl Iterator<Item = (usize, &'a str, f64)> {
        let places = self.model.spec().compartments.iter().enumerate().skip(1);
        places.filter_map(move |(i, c)| {
            let analyte = c.analyte.as_ref()?;
            Some((i, analyte.name.as_str(), NG_PER_ML_IN_MG_PER_L * analyte.mass_ratio.0 / self.volume(i)?))
        })
    }

    /// Levels of each metabolite from whole states.
    fn metabolite_levels(self, states: &[Vec<f64>]) -> Vec<(String, Vec<NgPerMl>)> {
        let levels = |place: usize, per_mg: f64| {
            states.iter().map(move |x| NgPerMl(x.get(place).copied().unwrap_or_default() * per_mg)).collect()
        };
        self.metabolites().map(|(place, name, per_mg)| (name.to_owned(), levels(place, per_mg))).collect()
    }

    /// Places and stages of delay; the effect site, where there is one, comes next.
    fn order(&self) -> usize {
        let stages = self.model.moves.iter().filter_map(|m| m.delay).map(|(n, _)| usize::from(n));
        self.model.places.len() + stages.sum::<usize>()
    }

    /// The system with the stages of an entry before it, and the state into which that entry's doses go.
    fn entered(&self, ke0: Option<PerMin>, entry: &Entry) -> Result<(Matrix, usize), Refused> {
        let spec = self.model.spec();
        let found = match &entry.into {
            Entrance::Compartment(name) => spec.compartments.iter().position(|c| c.name == *name),
            Entrance::Delay(mean) => {
                let is_it = |m: &&Move| {
                    let its = m.delay.and_then(|(_, mean)| spec.parameters.get(mean));
                    its.is_some_and(|parameter| parameter.name == *mean)
                };
                let before = self.model.moves.iter().take_while(|m| !is_it(m)).filter_map(|m| m.delay);
                let stages: usize = before.map(|(n, _)| usize::from(n)).sum();
                self.model.moves.iter().find(is_it).map(|_| self.model.places.len() + stages)
            }
        };
        let target = found.ok_or(Refused::Missing("the place where a route leads"))?;
        let body = self.order() + usize::from(ke0.is_some());
        let mut a = self.matrix_of(body + entry.stages.len(), ke0);
        let states: Vec<usize> = (body..body + entry.stages.len()).chain([target]).collect();
        for ((from, to), rate) in states.iter().zip(states.iter().skip(1)).zip(&entry.stages) {
            a.add_to(*from, *from, -rate.0);
            a.add_to(*to, *from, rate.0);
        }
        Ok((a, states.first().copied().unwrap_or(target)))
    }

    fn matrix(&self, ke0: Option<PerMin>) -> Matrix {
        self.matrix_of(self.order() + usize::from(ke0.is_some()), ke0)
    }

    /// The body in the first places of a system of so many.
    fn matrix_of(&self, order: usize, ke0: Option<PerMin>) -> Matrix {
        let effect = self.order();
        let mut a = Matrix::zero(order);
        let mut next_stage = self.model.places.len();
        for flow in &self.model.moves {
            let mut from = flow.from;
            let mut rate = self.constant(flow);
            if let Some((count, mean)) = flow.delay {
                let stage_rate = f64::from(count) / self.value(mean);
                for _ in 0..count {
                    a.add_to(from, from, -rate);
                    a.add_to(next_stage, from, rate);
                    (from, rate) = (next_stage, stage_rate);
                    next_stage += 1;
                }
            }
            a.add_to(from, from, -rate);
            if let Some(to) = flow.to {
                a.add_to(to, from, rate * flow.share);
            }
        }
        if let (Some(ke0), Some(volume)) = (ke0, self.volume(0)) {
            a.add_to(effect, effect, -ke0.0);
            a.add_to(effect, 0, ke0.0 / volume);
        }
        a
    }
}
