//! A course in stretches, the same for everybody in lock step. None crosses a dose event or a time that is looked at.

use super::Levels;
use crate::lanes::{Lanes, Mask};
use crate::ode::Tolerance;
use crate::refused::{Accepted, Refused};
use crate::schedule::Schedule;
use crate::units::Minutes;
use pulp::Simd;
use std::ops::Range;

/// How long a step may be, and which error it may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// The longest; halved for whom it is too long, and where a dose begins or ends.
    pub step: Minutes,
    /// Of one step, or of two where steps go in pairs. The relative one is 1e-15 to 1.
    pub tolerance: Tolerance,
}

const STEP: Accepted = Accepted { what: "step", low: 1e-6, high: 1e6, unit: "min" };
const RELATIVE: Accepted = Accepted { what: "relative tolerance", low: 1e-15, high: 1.0, unit: "1" };
/// Halvings of the step before a person counts as refused.
const HALVINGS: u32 = 10;
/// Stretches of one course, at most.
const STRETCHES_MAX: f64 = 1e6;

#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Which times are looked at before the first stretch.
    pub(super) first: Range<usize>,
    pub(super) stretches: Vec<Stretch>,
    /// The first moment, and of each stretch those at which its method wants the input.
    pub(super) moments: Vec<Minutes>,
}

#[derive(Debug)]
pub(super) struct Stretch {
    /// min
    pub(super) length: f64,
    /// mg/min
    pub(super) rate: f64,
    /// mg, at its start.
    pub(super) bolus: f64,
    /// Which times are looked at afterwards.
    pub(super) looks: Range<usize>,
}

impl Grid {
    /// Grids of ever shorter stretches, of `steps` steps each. `nodes` are the parts of a stretch after which its method
    /// wants the input, the whole one last.
    ///
    /// # Errors
    /// A step or a tolerance that is none, a schedule that is more than doses into a vein, too many stretches.
    pub(super) fn ever_finer(
        schedule: &Schedule,
        times: &[Minutes],
        control: Control,
        steps: f64,
        nodes: &[f64],
    ) -> Result<impl Iterator<Item = Result<Self, Refused>>, Refused> {
        let longest = steps * STEP.check(control.step.0)?;
        RELATIVE.check(control.tolerance.relative)?;
        if !schedule.is_plain() {
            let what =
                "equations in lock step under a steady state, a reset or doses by other ways than a vein";
            return Err(Refused::Impossible(what.to_owned()));
        }
        let finer = move |halving| Self::new(schedule, times, longest * 0.5_f64.powi(halving), nodes);
        Ok((0..=HALVINGS as i32).map(finer))
    }

    fn new(schedule: &Schedule, times: &[Minutes], longest: f64, nodes: &[f64]) -> Result<Self, Refused> {
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
        let mut made = Self { first: looks(start), stretches: Vec::new(), moments: vec![Minutes(start)] };
        let mut ahead = schedule.steps().iter().peekable();
        let mut rate = 0.0;
        for (from, to) in moments.iter().zip(moments.iter().skip(1)) {
            let (mut bolus, mut longest) = (0.0, longest);
            while let Some(event) = ahead.next_if(|s| s.at <= *from) {
                (bolus, rate) = (bolus + event.bolus, event.rate);
                // Levels bend most right after a change.
                longest = longest.min((to - from) / 2.0);
            }
            let count = ((to - from) / longest).ceil();
            let accepted = Accepted { what: "steps", low: 1.0, high: STRETCHES_MAX, unit: "1" };
            accepted.check(made.stretches.len() as f64 + count)?;
            let length = (to - from) / count;
            for stretch in 1..=count as usize {
                let end = stretch as f64 == count;
                let looks = if end { looks(*to) } else { 0..0 };
                made.stretches.push(Stretch { length, rate, bolus, looks });
                bolus = 0.0;
                let begin = length.mul_add((stretch - 1) as f64, *from);
                made.moments.extend(nodes.iter().map(|node| Minutes(length.mul_add(*node, begin))));
                if let (true, Some(moment)) = (end, made.moments.last_mut()) {
                    *moment = Minutes(*to);
                }
            }
        }
        Ok(made)
    }
}

/// # Errors
/// Rows that are not whole.
pub(super) fn rows<const P: usize>(persons: &[f64], count: usize) -> Result<(), Refused> {
    if persons.len() == count * P {
        Ok(())
    } else {
        Err(Refused::Missing("a row of numbers for each person"))
    }
}

/// The rows of the people in the lanes, number by number.
#[inline(always)]
pub(super) fn persons<S: Simd, const P: usize>(
    simd: S,
    rows: &[f64],
    who: impl Fn(usize) -> usize,
) -> [Lanes<S>; P] {
    let mut person = [Lanes::same(simd, 0.0); P];
    for (place, number) in person.iter_mut().enumerate() {
        *number = Lanes::of(simd, |lane| match rows.get(who(lane) * P + place) {
            Some(x) => *x,
            None => 0.0,
        });
    }
    person
}

/// Who stands in a lane; the last one stands in where there are no more.
#[inline(always)]
pub(super) fn nth(who: &[usize], lane: usize) -> usize {
    match who.get(lane).or(who.last()) {
        Some(person) => *person,
        None => 0,
    }
}

/// Of these people, those for whom the attempt failed.
#[inline(always)]
pub(super) fn failed<S: Simd>(good: Mask<S>, who: &[usize], into: &mut Vec<usize>) {
    let good = good.bits();
    for (lane, person) in who.iter().enumerate() {
        if good >> lane & 1 == 0 {
            into.push(*person);
        }
    }
}

impl Levels {
    /// Writes the states of a register's people at some times.
    #[inline(always)]
    pub(super) fn write<S: Simd, const N: usize>(
        &mut self,
        state: &[Lanes<S>; N],
        looks: Range<usize>,
        who: &[usize],
    ) {
        for time in looks {
            for (output, x) in state.iter().enumerate() {
                let row = (output * self.times + time) * self.stride;
                for (number, person) in x.numbers().iter().zip(who) {
                    if let Some(slot) = self.values.get_mut(row + person) {
                        *slot = *number;
                    }
                }
            }
        }
    }

    /// Nothing is said of those for whom no step was short enough.
    pub(super) fn refuse(&mut self, people: Vec<usize>) {
        for row in self.values.chunks_exact_mut(self.stride.max(1)) {
            for person in &people {
                row.iter_mut().skip(*person).take(1).for_each(|x| *x = 0.0);
            }
        }
        self.refused = people;
    }
}
