//! Equations without a closed form for many people in lock step, under the rates of the pumps.

use super::grid::{Control, Grid, failed, nth, persons, rows};
use super::{Levels, PEOPLE_MAX};
use crate::lanes::{self, Lanes, Mask};
use crate::ode::Tolerance;
use crate::person::check_times;
use crate::refused::Refused;
use crate::schedule::Schedule;
use crate::units::Minutes;
use pulp::Simd;
use std::ops::{Add, Div, Mul, Neg, Sub};

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

/// `N` states of a person who has `P` numbers, under the pumps.
pub trait Equations<const N: usize, const P: usize>: Sync {
    /// The states before anything is given.
    fn start<R: Real>(&self, person: &[R; P]) -> [R; N];
    /// Their slopes, per minute, at the rate of all pumps in mg/min.
    fn slopes<R: Real>(&self, rate: R, state: &[R; N], person: &[R; P]) -> [R; N];
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
    for grid in Grid::ever_finer(schedule, times, control, 2.0, &[1.0])? {
        let run = Run { equations, persons, tolerance: control.tolerance, grid: &grid? };
        lanes::widest(Solve { run, waiting: &mut waiting, into });
        if waiting.is_empty() {
            break;
        }
    }
    into.refuse(waiting);
    Ok(())
}

/// One attempt at the courses of people, at one length of the steps.
struct Run<'a, E, const N: usize, const P: usize> {
    equations: &'a E,
    persons: &'a [f64],
    tolerance: Tolerance,
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
        let person = persons(simd, self.persons, who);
        let state = self.equations.start(&person);
        Walk { person, state, good: zero.at_most(zero) }
    }

    /// Two steps, one of twice the length, and the better result that both together tell (Richardson 1911).
    #[inline(always)]
    fn pair<S: Simd>(&self, walk: &mut Walk<S, N, P>, rate: Lanes<S>, step: f64) {
        let person = &walk.person;
        let slope = self.equations.slopes(rate, &walk.state, person);
        let half = self.step(&walk.state, &slope, rate, step, person);
        let middle = self.equations.slopes(rate, &half, person);
        let fine = self.step(&half, &middle, rate, step, person);
        let coarse = self.step(&walk.state, &slope, rate, 2.0 * step, person);
        let Tolerance { relative, absolute } = self.tolerance;
        for ((state, fine), coarse) in walk.state.iter_mut().zip(fine).zip(coarse) {
            let error = (fine - coarse) * fine.lift(1.0 / 15.0);
            let accepted = fine.abs().times_plus(fine.lift(relative), fine.lift(absolute));
            walk.good = walk.good & error.abs().at_most(accepted);
            *state = fine + error;
        }
    }

    /// A classical step of the fourth order.
    #[inline(always)]
    fn step<S: Simd>(
        &self,
        from: &[Lanes<S>; N],
        slope: &[Lanes<S>; N],
        rate: Lanes<S>,
        length: f64,
        person: &[Lanes<S>; P],
    ) -> [Lanes<S>; N] {
        let second = self.equations.slopes(rate, &along(from, slope, 0.5 * length), person);
        let third = self.equations.slopes(rate, &along(from, &second, 0.5 * length), person);
        let fourth = self.equations.slopes(rate, &along(from, &third, length), person);
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
            into.write(&walk.state, run.grid.first.clone(), who);
            for pair in &run.grid.stretches {
                if let Some(first) = walk.state.first_mut() {
                    *first = *first + zero.lift(pair.bolus);
                }
                run.pair(&mut walk, zero.lift(pair.rate), 0.5 * pair.length);
                if !pair.looks.is_empty() {
                    into.write(&walk.state, pair.looks.clone(), who);
                    if !walk.good.any() {
                        break;
                    }
                }
            }
            failed(walk.good, who, &mut again);
        }
        *waiting = again;
    }
}
