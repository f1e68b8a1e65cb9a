//! One person under one model: parameters for a body, and concentrations under a schedule.

use crate::linear::{Linear, Matrix};
use crate::mammillary::{Mammillary, Peripheral};
use crate::model::{Model, Move, Parameter, Role, Value};
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
    /// # Errors
    /// Times that fall or are not numbers, more than [`TIMES_MAX`], a ke0 outside 1e-9 to 1e6 /min.
    pub fn course(
        &self,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Course, Refused> {
        let mut course = self.parent_course(schedule, ke0, times)?;
        let outputs: Vec<_> = self.shape().metabolites().collect();
        if !outputs.is_empty() {
            let states = self.system(None).follow(schedule, times.iter().map(|t| t.0));
            for (place, name, per_mg) in outputs {
                let found =
                    states.iter().map(|x| NgPerMl(x.get(place).copied().unwrap_or_default() * per_mg));
                course.metabolites.push((name.to_owned(), found.collect()));
            }
        }
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
        check_times(times)?;
        let rate = ke0.map(|k| KE0.check(k.0)).transpose()?;
        let levels =
            Response::new(&self.parent, rate.unwrap_or(0.0)).follow(schedule, times.iter().map(|t| t.0));
        let plasma = levels.iter().map(|l| NgPerMl(l.plasma * NG_PER_ML_IN_MG_PER_L)).collect();
        let effect = rate.map(|_| levels.iter().map(|l| NgPerMl(l.effect * NG_PER_ML_IN_MG_PER_L)).collect());
        Ok(Course { times: times.to_vec(), plasma, effect, metabolites: Vec::new() })
    }

    fn shape(&self) -> Shape<'_> {
        Shape { model: self.model, values: &self.values }
    }

    /// Every compartment and delay stage as one linear system; the effect site last, when asked for, in mg/L.
    pub(crate) fn system(&self, ke0: Option<PerMin>) -> Linear {
        Linear::new(&self.shape().matrix(ke0))
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

    fn matrix(&self, ke0: Option<PerMin>) -> Matrix {
        let compartments = self.model.places.len();
        let stages: usize =
            self.model.moves.iter().filter_map(|m| m.delay).map(|(n, _)| usize::from(n)).sum();
        let order = compartments + stages + usize::from(ke0.is_some());
        let mut a = Matrix::zero(order);
        let mut next_stage = compartments;
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
            a.add_to(order - 1, order - 1, -ke0.0);
            a.add_to(order - 1, 0, ke0.0 / volume);
        }
        a
    }
}
