//! The same question about many people at once: who they are comes in columns, their levels go out in rows, and the
//! people stand side by side in the registers of the machine.

mod cascade;
mod grid;
mod kernel;
mod lockstep;
mod plan;
mod secular;
mod structure;
#[cfg(test)]
mod tests;

use crate::lanes::{self, Lanes};
use crate::model::{Model, Value};
use crate::person::{Body, CLEARANCE, DELAY, Individual, KE0, check_times};
use crate::refused::{Accepted, CONSTANT, Refused, VOLUME};
use crate::schedule::Schedule;
use crate::units::{Minutes, PerMin, Ratio};
pub use cascade::Cascade;
pub use grid::Control;
pub use lockstep::{Equations, Real, solve_many};

use kernel::Follower;
use plan::Plan;
use pulp::Simd;
use secular::Store;
use structure::{Constant, PER_MG_L, Structure};

/// People who are simulated together, at most: their rows of a usual question fit a second-level cache.
pub const PEOPLE_MAX: usize = 512;

/// A model, what is given and when one looks, made ready for any number of people.
#[derive(Debug, Clone)]
pub struct Cohort<'m> {
    model: &'m Model,
    structure: Option<Structure>,
    metabolites: usize,
    schedule: Schedule,
    ke0: Option<PerMin>,
    times: Vec<Minutes>,
    plan: Plan,
}

/// What differs between people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varying<'a> {
    /// A parameter of the model, by name.
    Parameter(&'a str),
    /// The rate constant of the effect site.
    Ke0,
}

/// Up to [`PEOPLE_MAX`] people.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    /// One for all, or one for each.
    pub bodies: &'a [Body],
    /// What deviates from the typical value of a body.
    pub varying: &'a [Varying<'a>],
    /// Deviations, `value = typical · exp(deviation)`: a row for each person, a column for each that varies.
    pub deviations: &'a [f64],
    /// What each person gets for one unit of the schedule, as weights where that is for 1 kg; empty where all get the
    /// schedule itself.
    pub doses: &'a [f64],
}

/// Levels in ng/mL, output by output and time by time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Levels {
    people: usize,
    times: usize,
    stride: usize,
    values: Vec<f64>,
    refused: Vec<usize>,
}

impl Levels {
    /// One level for each person, of an output at a time, both counted from 0; empty beyond the last.
    #[must_use]
    pub fn at(&self, output: usize, time: usize) -> &[f64] {
        let start = (output * self.times + time) * self.stride;
        let inside = time < self.times;
        self.values.get(start..start + self.people).filter(|_| inside).unwrap_or_default()
    }

    /// How many people.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people
    }

    /// Places of those for whom there is no number, because their body was refused or a parameter left the range of
    /// numbers; their levels are 0.
    #[must_use]
    pub fn refused(&self) -> &[usize] {
        &self.refused
    }

    /// The levels of one person, output by output; none where the person has no number.
    fn put(&mut self, person: usize, found: Option<&Vec<Vec<f64>>>) {
        if found.is_none() {
            self.refused.push(person);
        }
        let (stride, times) = (self.stride, self.times.max(1));
        for (row, slot) in self.values.chunks_exact_mut(stride).enumerate() {
            let level = found.and_then(|f| f.get(row / times)?.get(row % times)).copied();
            slot.iter_mut().skip(person).take(1).for_each(|x| *x = level.unwrap_or_default());
        }
    }

    /// Levels that are found one person at a time.
    pub(crate) fn one_by_one(
        &mut self,
        [people, outputs, times]: [usize; 3],
        one: impl Fn(usize) -> Result<Vec<Vec<f64>>, Refused>,
    ) {
        self.prepare(people, outputs, times);
        for person in 0..people {
            self.put(person, one(person).ok().as_ref());
        }
    }

    fn prepare(&mut self, people: usize, outputs: usize, times: usize) {
        // A whole power of two would put the rows of all times into one set of the cache.
        let stride = people.next_multiple_of(8) + 8;
        (self.people, self.times, self.stride) = (people, times, stride);
        self.values.resize(outputs * times * stride, 0.0);
        self.refused.clear();
    }
}

impl<'m> Cohort<'m> {
    /// # Errors
    /// Times that fall or are not numbers, a ke0 outside 1e-9 to 1e6 /min.
    pub fn new(
        model: &'m Model,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Self, Refused> {
        let metabolites = model.spec().compartments.iter().skip(1).filter(|c| c.analyte.is_some());
        let metabolites = metabolites.count();
        Self { metabolites, ..Self::of_parent(model, schedule, ke0, times)? }.made()
    }

    /// The same without the metabolites.
    ///
    /// # Errors
    /// As [`Cohort::new`].
    pub fn of_parent(
        model: &'m Model,
        schedule: &Schedule,
        ke0: Option<PerMin>,
        times: &[Minutes],
    ) -> Result<Self, Refused> {
        check_times(times)?;
        ke0.map(|k| KE0.check(k.0)).transpose()?;
        let (schedule, times, plan) = (schedule.clone(), times.to_vec(), Plan::new(schedule, times));
        Self { model, structure: None, metabolites: 0, schedule, ke0, times, plan }.made()
    }

    fn made(self) -> Result<Self, Refused> {
        // What breaks with the past, or comes in by other ways, is reckoned person by person.
        let structure = self.schedule.is_plain().then(|| Structure::of(self.model, self.metabolites > 0));
        Ok(Self { structure: structure.flatten(), ..self })
    }

    /// How many outputs: plasma, then each metabolite in the order of the model, then the effect site if there is one.
    #[must_use]
    pub fn outputs(&self) -> usize {
        1 + self.metabolites + usize::from(self.ke0.is_some())
    }

    /// What is given to everyone, for one unit of their doses.
    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(crate) fn ke0(&self) -> Option<PerMin> {
        self.ke0
    }

    /// How many metabolites are among the outputs.
    pub(crate) fn metabolites(&self) -> usize {
        self.metabolites
    }

    /// When one looks.
    #[must_use]
    pub fn times(&self) -> &[Minutes] {
        &self.times
    }

    /// Levels of these people. What they were before is overwritten, so that its memory serves again.
    ///
    /// # Errors
    /// A name that is no parameter, one body for all that the model refuses, columns of another length than the
    /// people, more than [`PEOPLE_MAX`].
    pub fn levels(&self, people: &People, into: &mut Levels) -> Result<(), Refused> {
        let columns = Columns::new(self, people)?;
        into.prepare(columns.count, self.outputs(), self.times.len());
        let mut careful = Vec::new();
        let stores = self.structure.as_ref().map(|s| s.stores.len());
        let followers = self.outputs() - 1;
        macro_rules! lanes {
            ($($stores:literal, $followers:literal;)*) => {
                match (stores, followers) {
                    $((Some($stores), $followers) => {
                        let work: Work<'_, { $stores + 1 }, $followers> =
                            Work { columns: &columns, into, careful: &mut careful };
                        lanes::widest(work);
                    })*
                    _ => careful.extend(0..columns.count),
                }
            };
        }
        lanes! { 0, 0; 0, 1; 0, 2; 1, 0; 1, 1; 1, 2; 2, 0; 2, 1; 2, 2; }
        for person in careful {
            columns.carefully(person, into);
        }
        Ok(())
    }
}

/// The numbers of people, by parameter.
#[derive(Clone)]
struct Columns<'a> {
    cohort: &'a Cohort<'a>,
    people: &'a People<'a>,
    count: usize,
    /// Typical values: one row for all, or one for each, empty for a body that is refused.
    typical: Vec<Vec<f64>>,
    /// The column of each parameter, and of ke0.
    places: Vec<Option<usize>>,
    ke0: Option<usize>,
}

impl<'a> Columns<'a> {
    fn new(cohort: &'a Cohort<'a>, people: &'a People<'a>) -> Result<Self, Refused> {
        let parameters = &cohort.model.spec().parameters;
        let mut places = vec![None; parameters.len()];
        let mut ke0 = None;
        for (column, varying) in people.varying.iter().enumerate() {
            let place = match varying {
                Varying::Ke0 => Some(&mut ke0),
                Varying::Parameter(name) => {
                    parameters.iter().position(|p| p.name == *name).and_then(|index| places.get_mut(index))
                }
            };
            *place.ok_or(Refused::Missing("the parameter that varies"))? = Some(column);
        }
        let width = people.varying.len();
        let rows = people.deviations.len().checked_div(width).unwrap_or_default();
        let count = rows.max(people.bodies.len());
        if count > PEOPLE_MAX {
            return Err(Refused::TooMany { what: "people at once", count, most: PEOPLE_MAX });
        }
        let whole = people.deviations.len() == count * width
            && (people.bodies.len() == 1 || people.bodies.len() == count)
            && (people.doses.is_empty() || people.doses.len() == count);
        if !whole {
            return Err(Refused::Missing("a number for each person in each column"));
        }
        let typical = match people.bodies {
            [one] => vec![cohort.model.values(*one)?],
            each => each.iter().map(|body| cohort.model.values(*body).unwrap_or_default()).collect(),
        };
        Ok(Self { cohort, people, count, typical, places, ke0 })
    }

    fn typical(&self, person: usize, parameter: usize) -> f64 {
        let row = self.typical.get(person).or(self.typical.first());
        row.and_then(|row| row.get(parameter)).copied().unwrap_or(f64::NAN)
    }

    fn deviation(&self, person: usize, column: usize) -> f64 {
        let place = person * self.people.varying.len() + column;
        self.people.deviations.get(place).copied().unwrap_or_default()
    }

    fn dose(&self, person: usize) -> f64 {
        self.people.doses.get(person).copied().unwrap_or(1.0)
    }

    /// One person by the methods for one: slower, and right where the lanes are not.
    fn carefully(&self, person: usize, into: &mut Levels) {
        into.put(person, self.one(person).ok().as_ref());
    }

    fn one(&self, person: usize) -> Result<Vec<Vec<f64>>, Refused> {
        let Cohort { model, schedule, ke0, times, .. } = self.cohort;
        let body = self.people.bodies.get(person).or(self.people.bodies.first());
        let body = body.ok_or(Refused::Missing("a body"))?;
        let eta = |column: &Option<usize>| Ratio(column.map_or(0.0, |c| self.deviation(person, c)));
        let etas: Vec<_> = self.places.iter().map(eta).collect();
        let who: Individual = model.individual(*body, &etas)?;
        let ke0 = ke0.map(|k| PerMin(k.0 * eta(&self.ke0).0.exp()));
        let own = schedule.scaled(Ratio(self.dose(person)))?;
        let course = if self.cohort.metabolites > 0 {
            who.course(&own, ke0, times)?
        } else {
            who.parent_course(&own, ke0, times)?
        };
        Ok(course.outputs())
    }
}

/// People by registers, for a centre with `M - 1` stores and `D` followers.
struct Work<'a, const M: usize, const D: usize> {
    columns: &'a Columns<'a>,
    into: &'a mut Levels,
    careful: &'a mut Vec<usize>,
}

impl<const M: usize, const D: usize> pulp::WithSimd for Work<'_, M, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Work { columns, into, careful } = self;
        let Some(structure) = &columns.cohort.structure else { return };
        let mut loaded = Loaded::new(simd, columns);
        let mut steps = Vec::with_capacity(columns.cohort.plan.spans.len());
        for start in (0..columns.count).step_by(Lanes::<S>::WIDTH) {
            loaded.load(|lane| (start + lane).min(columns.count - 1));
            let people = loaded.people::<M, D>(structure);
            let mut rows = Rows { into: &mut *into, start };
            let found = kernel::follow(&people, &columns.cohort.plan, &mut steps, &mut rows);
            let good = found & loaded.inside;
            if !good.all() {
                let bad = (0..Lanes::<S>::WIDTH).filter(|lane| good.bits() >> lane & 1 == 0);
                careful.extend(bad.map(|lane| start + lane).filter(|&person| person < columns.count));
            }
        }
    }
}

/// The levels of a register's people, the first of whom stands at `start`.
struct Rows<'a> {
    into: &'a mut Levels,
    start: usize,
}

impl<S: Simd, const D: usize> kernel::Looks<S, D> for Rows<'_> {
    #[inline(always)]
    fn look(&mut self, time: usize, plasma: Lanes<S>, followers: &[Lanes<S>; D]) {
        let mut row = time * self.into.stride + self.start;
        if let Some(place) = self.into.values.get_mut(row..) {
            plasma.store(place);
        }
        for level in followers {
            row += self.into.times * self.into.stride;
            if let Some(place) = self.into.values.get_mut(row..) {
                level.store(place);
            }
        }
    }
}

/// Numbers in the widest register there is.
const LANES_MAX: usize = 8;

/// The parameters of as many people as a register holds.
struct Loaded<'a, S: Simd> {
    columns: &'a Columns<'a>,
    simd: S,
    who: [usize; LANES_MAX],
    zero: Lanes<S>,
    values: Vec<Lanes<S>>,
    /// Whose numbers are in range.
    inside: lanes::Mask<S>,
}

impl<'a, S: Simd> Loaded<'a, S> {
    #[inline(always)]
    fn new(simd: S, columns: &'a Columns<'a>) -> Self {
        let zero = Lanes::same(simd, 0.0);
        let values = Vec::with_capacity(columns.places.len());
        Self { columns, simd, who: [0; LANES_MAX], zero, values, inside: zero.at_most(zero) }
    }

    /// The parameters of these people.
    #[inline(always)]
    fn load(&mut self, who: impl Fn(usize) -> usize) {
        let Self { columns, zero, .. } = *self;
        self.inside = zero.at_most(zero);
        for (lane, person) in self.who.iter_mut().enumerate() {
            *person = who(lane);
        }
        self.values.clear();
        let parameters = &columns.cohort.model.spec().parameters;
        for (index, (parameter, place)) in parameters.iter().zip(&columns.places).enumerate() {
            let typical = if columns.typical.len() == 1 {
                zero.lift(columns.typical(0, index))
            } else {
                self.each(|person| columns.typical(person, index))
            };
            let range = match parameter.typical {
                Value::Volume(_) => VOLUME,
                Value::Clearance(_) => CLEARANCE,
                Value::Constant(_) => CONSTANT,
                Value::Time(_) => DELAY,
            };
            let value = self.deviated(typical, *place, range);
            self.values.push(value);
        }
    }

    /// A number of each person.
    #[inline(always)]
    fn each(&self, number: impl Fn(usize) -> f64) -> Lanes<S> {
        Lanes::of(self.simd, |lane| match self.who.get(lane) {
            Some(person) => number(*person),
            None => f64::NAN,
        })
    }

    #[inline(always)]
    fn deviated(&mut self, typical: Lanes<S>, column: Option<usize>, range: Accepted) -> Lanes<S> {
        let mut value = typical;
        if let Some(column) = column {
            value = typical * self.each(|person| self.columns.deviation(person, column)).exp();
        }
        self.within(value, range)
    }

    #[inline(always)]
    fn within(&mut self, value: Lanes<S>, range: Accepted) -> Lanes<S> {
        let inside = value.lift(range.low).at_most(value) & value.at_most(value.lift(range.high));
        self.inside = self.inside & inside;
        value
    }

    #[inline(always)]
    fn value(&self, index: usize) -> Lanes<S> {
        match self.values.get(index) {
            Some(value) => *value,
            None => self.zero,
        }
    }

    /// Rate constant of some flows together; `shares` of them arrive.
    #[inline(always)]
    fn sum(&self, of: &[Constant], shares: bool) -> Lanes<S> {
        let mut sum = self.zero;
        for constant in of {
            let mut rate = self.value(constant.by);
            if let Some(volume) = constant.volume {
                rate = rate / self.value(volume);
            }
            sum = sum + if shares { rate * rate.lift(constant.share) } else { rate };
        }
        sum
    }

    #[inline(always)]
    fn constant(&mut self, of: &[Constant]) -> Lanes<S> {
        let sum = self.sum(of, false);
        self.within(sum, CONSTANT)
    }

    #[inline(always)]
    fn people<const M: usize, const D: usize>(&mut self, structure: &Structure) -> kernel::People<S, M, D> {
        let zero = self.zero;
        let mut stores = [Store { out: zero, back: zero, lost: zero }; M];
        for (store, exchange) in stores.iter_mut().zip(&structure.stores) {
            *store = Store {
                out: self.constant(&exchange.out),
                back: self.constant(&exchange.back),
                lost: self.constant(&exchange.lost),
            };
        }
        let volume = self.value(structure.volume);
        let doses = if self.columns.people.doses.is_empty() {
            zero.lift(PER_MG_L)
        } else {
            self.each(|person| PER_MG_L * self.columns.dose(person))
        };
        let mut followers = [Follower { fed: zero, lost: zero }; D];
        let (metabolites, effect) = followers.split_at_mut(structure.metabolites.len().min(D));
        for (follower, metabolite) in metabolites.iter_mut().zip(&structure.metabolites) {
            let own = self.value(metabolite.volume);
            let fed = self.sum(&metabolite.fed, true) * volume / own;
            let lost = self.constant(&metabolite.lost);
            *follower = Follower { fed: fed * zero.lift(metabolite.mass_ratio), lost };
        }
        if let (Some(follower), Some(ke0)) = (effect.first_mut(), self.columns.cohort.ke0) {
            let rate = self.deviated(zero.lift(ke0.0), self.columns.ke0, KE0);
            *follower = Follower { fed: rate, lost: rate };
        }
        let leak = self.constant(&structure.leak);
        kernel::People { leak, stores, per_mg: doses / volume, followers }
    }
}
