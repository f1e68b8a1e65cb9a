//! Equations without a closed form for many people in lock step. What drives them is known exactly at every stage of
//! every step: the effect site from its closed form, or the rate of the pump.

use super::kernel;
use super::plan::Plan;
use super::{Cohort, Columns, Levels, Loaded, PEOPLE_MAX, People};
use crate::lanes::{self, Lanes, Mask};
use crate::ode::Tolerance;
use crate::person::check_times;
use crate::refused::{Accepted, Refused};
use crate::schedule::Schedule;
use crate::units::Minutes;
use pulp::Simd;
use std::ops::{Add, Div, Mul, Neg, Range, Sub};

/// A number of each of several people. Write equations for any `Real`, and mark their functions `#[inline(always)]`:
/// what is not inlined loses the wide registers.
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// This number for everybody.
    #[must_use]
    fn lift(self, x: f64) -> Self;
    /// `self·by + plus`, rounded once.
    #[must_use]
    fn times_plus(self, by: Self, plus: Self) -> Self;
    /// Exponential.
    #[must_use]
    fn exp(self) -> Self;
    /// Square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// Any other function, one person after the other.
    #[must_use]
    fn each(self, of: impl Fn(f64) -> f64) -> Self;
}

impl<S: Simd> Real for Lanes<S> {
    #[inline(always)]
    fn lift(self, x: f64) -> Self {
        Lanes::lift(self, x)
    }
    #[inline(always)]
    fn times_plus(self, by: Self, plus: Self) -> Self {
        Lanes::times_plus(self, by, plus)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        Lanes::exp(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Lanes::sqrt(self)
    }
    #[inline(always)]
    fn each(mut self, of: impl Fn(f64) -> f64) -> Self {
        for x in self.numbers_mut() {
            *x = of(*x);
        }
        self
    }
}

/// `N` states of a person who has `P` numbers, under an input.
pub trait Equations<const N: usize, const P: usize>: Sync {
    /// The states before anything is given.
    fn start<R: Real>(&self, person: &[R; P]) -> [R; N];
    /// Their slopes, per minute. The input is the level of the effect site in ng/mL for [`Cohort::respond`], the rate
    /// of all pumps in mg/min for [`solve_many`].
    fn slopes<R: Real>(&self, input: R, state: &[R; N], person: &[R; P]) -> [R; N];
}

/// How long a step may be, and which error it may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// The longest; halved for whom it is too long.
    pub step: Minutes,
    /// Of two steps by the method of Runge and Kutta; what is handed on is an order better (Richardson 1911).
    pub tolerance: Tolerance,
}

const STEP: Accepted = Accepted { what: "step", low: 1e-6, high: 1e6, unit: "min" };
/// Halvings of the step before a person counts as refused.
const HALVINGS: u32 = 10;
/// Pairs of steps in one course, at most.
const PAIRS_MAX: f64 = 1e6;

impl Cohort<'_> {
    /// States that follow the effect site and do not act back on it: output by output, as many as the equations have.
    /// `persons` is a row of `P` numbers for each person.
    ///
    /// # Errors
    /// As [`Cohort::levels`]; a cohort without an effect site or with metabolites, a step that is none.
    pub fn respond<E: Equations<N, P>, const N: usize, const P: usize>(
        &self,
        people: &People,
        equations: &E,
        persons: &[f64],
        control: Control,
        into: &mut Levels,
    ) -> Result<(), Refused> {
        if self.ke0.is_none() || self.metabolites > 0 {
            return Err(Refused::Missing("a cohort of the parent with an effect site"));
        }
        let columns = Columns::new(self, people)?;
        rows::<P>(persons, columns.count)?;
        into.prepare(columns.count, N, self.times.len());
        let mut waiting: Vec<usize> = (0..columns.count).collect();
        for halving in 0..=HALVINGS {
            let grid = Grid::new(&self.schedule, &self.times, control, halving)?;
            let plan = Plan::new(&self.schedule, &grid.quarters);
            let run = Run { equations, persons, control, grid: &grid };
            macro_rules! lanes {
                ($($stores:literal)*) => {
                    match self.structure.as_ref().map(|s| s.stores.len()) {
                        $(Some($stores) => lanes::widest(Respond::<_, { $stores + 1 }, N, P> {
                            run, columns: &columns, plan: &plan, waiting: &mut waiting, into,
                        }),)*
                        _ => return Err(Refused::Missing("a centre with at most two stores")),
                    }
                };
            }
            lanes! { 0 1 2 }
            if waiting.is_empty() {
                break;
            }
        }
        // Who does not fit the lanes is followed by the methods for one.
        let mut refused = Vec::new();
        for person in waiting {
            let mut done = false;
            for halving in 0..=HALVINGS {
                let grid = Grid::new(&self.schedule, &self.times, control, halving)?;
                let run = Run { equations, persons, control, grid: &grid };
                let fine = Cohort { times: grid.quarters.clone(), ..self.clone() };
                let Ok(found) = (Columns { cohort: &fine, ..columns.clone() }).one(person) else { break };
                done = run.alone(person, found.get(1).map_or(&[], Vec::as_slice), into);
                if done {
                    break;
                }
            }
            if !done {
                refused.push(person);
            }
        }
        into.refuse(refused);
        Ok(())
    }
}

/// States of many people whose equations hold everything, pharmacokinetics too. A bolus, in mg, goes into the first.
///
/// Steps are explicit and of one length for a register of people. Stiff equations are not solved here: what makes them
/// quick, a step and a factored matrix of each person's own, is what people in lock step cannot have. Solve those person
/// by person with [`crate::ode::solve`].
///
/// # Errors
/// Times that fall, rows that are not whole, more than [`PEOPLE_MAX`] people, a step that is none.
pub fn solve_many<E: Equations<N, P>, const N: usize, const P: usize>(
    equations: &E,
    persons: &[f64],
    schedule: &Schedule,
    times: &[Minutes],
    control: Control,
    into: &mut Levels,
) -> Result<(), Refused> {
    check_times(times)?;
    let count = persons.len() / P.max(1);
    rows::<P>(persons, count)?;
    if count > PEOPLE_MAX {
        return Err(Refused::TooMany { what: "people at once", count, most: PEOPLE_MAX });
    }
    into.prepare(count, N, times.len());
    let mut waiting: Vec<usize> = (0..count).collect();
    for halving in 0..=HALVINGS {
        let grid = Grid::new(schedule, times, control, halving)?;
        let run = Run { equations, persons, control, grid: &grid };
        lanes::widest(Solve { run, waiting: &mut waiting, into });
        if waiting.is_empty() {
            break;
        }
    }
    into.refuse(waiting);
    Ok(())
}

fn rows<const P: usize>(persons: &[f64], count: usize) -> Result<(), Refused> {
    if persons.len() == count * P {
        Ok(())
    } else {
        Err(Refused::Missing("a row of numbers for each person"))
    }
}

impl Levels {
    /// Nothing is said of those for whom no step was short enough.
    fn refuse(&mut self, people: Vec<usize>) {
        for row in self.values.chunks_exact_mut(self.stride.max(1)) {
            for person in &people {
                row.iter_mut().skip(*person).take(1).for_each(|x| *x = 0.0);
            }
        }
        self.refused = people;
    }
}

/// The course in pairs of steps. No step crosses a dose event or a time that is looked at.
#[derive(Debug, Default)]
struct Grid {
    /// Which times are looked at before the first step.
    first: Range<usize>,
    pairs: Vec<Pair>,
    /// The first moment, and four for each pair: the stages of its steps.
    quarters: Vec<Minutes>,
}

#[derive(Debug)]
struct Pair {
    /// Length of each of the two steps, min.
    step: f64,
    /// mg/min
    rate: f64,
    /// mg, before the first of them.
    bolus: f64,
    /// Which times are looked at afterwards.
    looks: Range<usize>,
}

impl Grid {
    fn new(schedule: &Schedule, times: &[Minutes], control: Control, halving: u32) -> Result<Self, Refused> {
        let longest = STEP.check(control.step.0)? * 0.5_f64.powi(halving as i32);
        if !schedule.is_plain() {
            let what =
                "equations in lock step under a steady state, a reset or doses by other ways than a vein";
            return Err(Refused::Impossible(what.to_owned()));
        }
        let Some(last) = times.last() else { return Ok(Self::default()) };
        let events = schedule.steps().iter().map(|s| s.at).filter(|at| *at <= last.0);
        let mut moments: Vec<f64> = events.chain(times.iter().map(|t| t.0)).collect();
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        let looks = |at: f64| {
            let before = times.partition_point(|t| t.0 < at);
            before..times.partition_point(|t| t.0 <= at)
        };
        let start = moments.first().copied().unwrap_or_default();
        let quarters = vec![Minutes(start)];
        let mut made = Self { first: looks(start), pairs: Vec::new(), quarters };
        let mut ahead = schedule.steps().iter().peekable();
        let mut rate = 0.0;
        for (from, to) in moments.iter().zip(moments.iter().skip(1)) {
            let mut bolus = 0.0;
            while let Some(event) = ahead.next_if(|s| s.at <= *from) {
                (bolus, rate) = (bolus + event.bolus, event.rate);
            }
            let count = ((to - from) / (2.0 * longest)).ceil();
            let pairs = Accepted { what: "pairs of steps", low: 1.0, high: PAIRS_MAX, unit: "1" };
            pairs.check(made.pairs.len() as f64 + count)?;
            let quarter = (to - from) / (4.0 * count);
            for pair in 1..=count as usize {
                let end = pair as f64 == count;
                let looks = if end { looks(*to) } else { 0..0 };
                made.pairs.push(Pair { step: 2.0 * quarter, rate, bolus, looks });
                bolus = 0.0;
                made.quarters.extend((4 * pair - 3..4 * pair).map(|k| Minutes(from + k as f64 * quarter)));
                made.quarters.push(Minutes(if end { *to } else { from + 4.0 * pair as f64 * quarter }));
            }
        }
        Ok(made)
    }
}

/// One attempt at the courses of people, at one length of the steps.
struct Run<'a, E, const N: usize, const P: usize> {
    equations: &'a E,
    persons: &'a [f64],
    control: Control,
    grid: &'a Grid,
}

/// The people of a register on their way.
struct Walk<S: Simd, const N: usize, const P: usize> {
    person: [Lanes<S>; P],
    state: [Lanes<S>; N],
    good: Mask<S>,
}

impl<E: Equations<N, P>, const N: usize, const P: usize> Run<'_, E, N, P> {
    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, who: impl Fn(usize) -> usize) -> Walk<S, N, P> {
        let zero = Lanes::same(simd, 0.0);
        let mut person = [zero; P];
        for (place, number) in person.iter_mut().enumerate() {
            *number = Lanes::of(simd, |lane| match self.persons.get(who(lane) * P + place) {
                Some(x) => *x,
                None => 0.0,
            });
        }
        let state = self.equations.start(&person);
        Walk { person, state, good: zero.at_most(zero) }
    }

    /// One person, driven by an input at each stage; `false` where the steps are too long.
    fn alone(&self, person: usize, inputs: &[f64], into: &mut Levels) -> bool {
        let mut walk: Walk<pulp::Scalar, N, P> = self.start(pulp::Scalar, |_| person);
        write(into, &walk.state, self.grid.first.clone(), &[person]);
        for (pair, stages) in self.grid.pairs.iter().zip(inputs.windows(5).step_by(4)) {
            let mut input = [Lanes::same(pulp::Scalar, 0.0); 5];
            for (slot, level) in input.iter_mut().zip(stages) {
                *slot = Lanes::same(pulp::Scalar, *level);
            }
            self.pair(&mut walk, &input, pair.step);
            write(into, &walk.state, pair.looks.clone(), &[person]);
        }
        walk.good.all()
    }

    /// Two steps, one of twice the length, and the better result that both together tell.
    #[inline(always)]
    fn pair<S: Simd>(&self, walk: &mut Walk<S, N, P>, input: &[Lanes<S>; 5], step: f64) {
        let [u0, u1, u2, u3, u4] = *input;
        let person = &walk.person;
        let slope = self.equations.slopes(u0, &walk.state, person);
        let half = self.step(&walk.state, &slope, [u1, u2], step, person);
        let middle = self.equations.slopes(u2, &half, person);
        let fine = self.step(&half, &middle, [u3, u4], step, person);
        let coarse = self.step(&walk.state, &slope, [u2, u4], 2.0 * step, person);
        let Tolerance { relative, absolute } = self.control.tolerance;
        for ((state, fine), coarse) in walk.state.iter_mut().zip(fine).zip(coarse) {
            let error = (fine - coarse) * fine.lift(1.0 / 15.0);
            let accepted = fine.abs().times_plus(fine.lift(relative), fine.lift(absolute));
            walk.good = walk.good & error.abs().at_most(accepted);
            *state = fine + error;
        }
    }

    /// A classical step of the fourth order; the inputs are those in its middle and at its end.
    #[inline(always)]
    fn step<S: Simd>(
        &self,
        from: &[Lanes<S>; N],
        slope: &[Lanes<S>; N],
        [middle, end]: [Lanes<S>; 2],
        length: f64,
        person: &[Lanes<S>; P],
    ) -> [Lanes<S>; N] {
        let second = self.equations.slopes(middle, &along(from, slope, 0.5 * length), person);
        let third = self.equations.slopes(middle, &along(from, &second, 0.5 * length), person);
        let fourth = self.equations.slopes(end, &along(from, &third, length), person);
        let mut to = *from;
        for (place, x) in to.iter_mut().enumerate() {
            if let (Some(a), Some(b), Some(c), Some(d)) =
                (slope.get(place), second.get(place), third.get(place), fourth.get(place))
            {
                let sum = x.lift(2.0).times_plus(*b + *c, *a + *d);
                *x = sum.times_plus(x.lift(length / 6.0), *x);
            }
        }
        to
    }
}

#[inline(always)]
fn along<S: Simd, const N: usize>(from: &[Lanes<S>; N], slope: &[Lanes<S>; N], by: f64) -> [Lanes<S>; N] {
    let mut to = *from;
    for (x, slope) in to.iter_mut().zip(slope) {
        *x = slope.times_plus(x.lift(by), *x);
    }
    to
}

/// Writes the states of a register's people at some times.
#[inline(always)]
fn write<S: Simd, const N: usize>(
    into: &mut Levels,
    state: &[Lanes<S>; N],
    looks: Range<usize>,
    who: &[usize],
) {
    for time in looks {
        for (output, x) in state.iter().enumerate() {
            let row = (output * into.times + time) * into.stride;
            for (number, person) in x.numbers().iter().zip(who) {
                if let Some(slot) = into.values.get_mut(row + person) {
                    *slot = *number;
                }
            }
        }
    }
}

/// Of these people, those for whom the attempt failed.
#[inline(always)]
fn failed<S: Simd>(good: Mask<S>, zero: Lanes<S>, who: &[usize], into: &mut Vec<usize>) {
    let marks = good.pick(zero, zero.lift(1.0));
    for (mark, person) in marks.numbers().iter().zip(who) {
        if *mark != 0.0 {
            into.push(*person);
        }
    }
}

struct Solve<'a, E, const N: usize, const P: usize> {
    run: Run<'a, E, N, P>,
    waiting: &'a mut Vec<usize>,
    into: &'a mut Levels,
}

impl<E: Equations<N, P>, const N: usize, const P: usize> pulp::WithSimd for Solve<'_, E, N, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { run, waiting, into } = self;
        let zero = Lanes::same(simd, 0.0);
        let mut again = Vec::new();
        for who in waiting.chunks(Lanes::<S>::WIDTH) {
            let mut walk: Walk<S, N, P> = run.start(simd, |lane| nth(who, lane));
            write(into, &walk.state, run.grid.first.clone(), who);
            for pair in &run.grid.pairs {
                if let Some(first) = walk.state.first_mut() {
                    *first = *first + zero.lift(pair.bolus);
                }
                run.pair(&mut walk, &[zero.lift(pair.rate); 5], pair.step);
                if !pair.looks.is_empty() {
                    write(into, &walk.state, pair.looks.clone(), who);
                    if !walk.good.any() {
                        break;
                    }
                }
            }
            failed(walk.good, zero, who, &mut again);
        }
        *waiting = again;
    }
}

/// Who stands in a lane; the last one stands in where there are no more.
#[inline(always)]
fn nth(who: &[usize], lane: usize) -> usize {
    match who.get(lane).or(who.last()) {
        Some(person) => *person,
        None => 0,
    }
}

struct Respond<'a, E, const M: usize, const N: usize, const P: usize> {
    run: Run<'a, E, N, P>,
    columns: &'a Columns<'a>,
    plan: &'a Plan,
    waiting: &'a mut Vec<usize>,
    into: &'a mut Levels,
}

impl<E: Equations<N, P>, const M: usize, const N: usize, const P: usize> pulp::WithSimd
    for Respond<'_, E, M, N, P>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { run, columns, plan, waiting, into } = self;
        let Some(structure) = &columns.cohort.structure else { return };
        let mut loaded = Loaded::new(simd, columns);
        let mut steps = Vec::with_capacity(plan.spans.len());
        let mut again = Vec::new();
        for who in waiting.chunks(Lanes::<S>::WIDTH) {
            loaded.load(|lane| nth(who, lane));
            let people = loaded.people::<M, 1>(structure);
            let walk: Walk<S, N, P> = run.start(simd, |lane| nth(who, lane));
            let input = [loaded.zero; 5];
            let pairs = run.grid.pairs.iter();
            let mut driven = Driven { run: &run, walk, input, stage: 0, pairs, who, into: &mut *into };
            let found = kernel::follow(&people, plan, &mut steps, &mut driven);
            let walk = driven.walk;
            failed(walk.good & found & loaded.inside, loaded.zero, who, &mut again);
        }
        *waiting = again;
    }
}

/// A register's people, driven by their effect sites.
struct Driven<'a, S: Simd, E, const N: usize, const P: usize> {
    run: &'a Run<'a, E, N, P>,
    walk: Walk<S, N, P>,
    /// Levels at the stages of a pair of steps.
    input: [Lanes<S>; 5],
    stage: usize,
    pairs: std::slice::Iter<'a, Pair>,
    who: &'a [usize],
    into: &'a mut Levels,
}

impl<S: Simd, E: Equations<N, P>, const N: usize, const P: usize> kernel::Looks<S, 1>
    for Driven<'_, S, E, N, P>
{
    #[inline(always)]
    fn look(&mut self, time: usize, _: Lanes<S>, [effect]: &[Lanes<S>; 1]) {
        if time == 0 {
            write(self.into, &self.walk.state, self.run.grid.first.clone(), self.who);
        }
        if let Some(slot) = self.input.get_mut(self.stage) {
            *slot = *effect;
        }
        self.stage += 1;
        if self.stage < self.input.len() {
            return;
        }
        // The end of these steps is the beginning of the next.
        self.stage = 1;
        if let Some(pair) = self.pairs.next() {
            self.run.pair(&mut self.walk, &self.input, pair.step);
            write(self.into, &self.walk.state, pair.looks.clone(), self.who);
        }
        if let Some(first) = self.input.first_mut() {
            *first = *effect;
        }
    }
}
