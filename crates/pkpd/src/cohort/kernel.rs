//! A register of people through a plan: each mode of the centre is multiplied by what is left of it, and what follows
//! the centre (effect site, metabolites) is fed by positive terms only, so that nothing cancels however near the rates
//! are to each other.

use super::plan::{Move, Plan, Span};
use super::secular::{self, Store};
use crate::lanes::{self, Fall, Lanes, Mask};
use pulp::Simd;

/// One person's numbers in each lane: a centre with `M - 1` stores, and `D` followers.
pub(super) struct People<S: Simd, const M: usize, const D: usize> {
    pub(super) leak: Lanes<S>,
    pub(super) stores: [Store<S>; M],
    /// ng/mL in the centre for each mg given by the plan.
    pub(super) per_mg: Lanes<S>,
    pub(super) followers: [Follower<S>; D],
}

/// A place that the centre feeds and that empties by itself.
#[derive(Clone, Copy)]
pub(super) struct Follower<S: Simd> {
    /// /min; its level rises by this for each unit of level in the centre.
    pub(super) fed: Lanes<S>,
    /// /min
    pub(super) lost: Lanes<S>,
}

/// The centre mode by mode and its followers, in ng/mL.
#[derive(Clone, Copy)]
struct Held<S: Simd, const M: usize, const D: usize> {
    modes: [Lanes<S>; M],
    followers: [Lanes<S>; D],
}

/// What a length of time does.
#[derive(Clone, Copy)]
pub(super) struct Step<S: Simd, const M: usize, const D: usize> {
    /// Share of each mode that is left.
    left: [Lanes<S>; M],
    /// What a unit rate adds to it.
    gained: [Lanes<S>; M],
    /// The same of the followers, and what each mode passes on to them.
    kept: [Lanes<S>; D],
    passed: [[Lanes<S>; M]; D],
    flowed: [Lanes<S>; D],
}

/// Who is told of the levels, in ng/mL, at each time of the plan.
pub(super) trait Looks<S: Simd, const D: usize> {
    /// Mark it `#[inline(always)]`, so that the registers stay wide.
    fn look(&mut self, time: usize, plasma: Lanes<S>, followers: &[Lanes<S>; D]);
}

/// Follows people through the plan and hands over the levels at each look, the centre first. Says whose numbers hold.
/// `steps` is memory to work in.
#[inline(always)]
pub(super) fn follow<S: Simd, const M: usize, const D: usize>(
    people: &People<S, M, D>,
    plan: &Plan,
    steps: &mut Vec<Step<S, M, D>>,
    looks: &mut impl Looks<S, D>,
) -> Mask<S> {
    let modes = secular::modes(people.leak, &people.stores);
    let zero = people.leak.lift(0.0);
    let weights = lanes::map(&modes.weights, zero, |w| w * people.per_mg);
    let body = Body { zero, rates: modes.rates, weights, followers: people.followers };
    steps.clear();
    for span in &plan.spans {
        steps.push(body.step(*span));
    }
    let mut held = Held { modes: [zero; M], followers: [zero; D] };
    let mut at_event = held;
    let mut time = 0;
    for next in &plan.moves {
        match *next {
            Move::Event { bolus } => {
                for (mode, weight) in held.modes.iter_mut().zip(weights) {
                    *mode = weight.times_plus(zero.lift(bolus), *mode);
                }
                at_event = held;
            }
            Move::Go { span, rate } => {
                if let Some(step) = steps.get(span) {
                    held = held.after(step, rate);
                }
            }
            Move::Jump { span, rate } => {
                held = at_event.after(&body.step(Span { length: span, flows: rate > 0.0 }), rate);
            }
            Move::Look => {
                let mut plasma = zero;
                for mode in held.modes {
                    plasma = plasma + mode;
                }
                looks.look(time, plasma, &held.followers);
                time += 1;
            }
        }
    }
    modes.found
}

impl<S: Simd, const M: usize, const D: usize> Held<S, M, D> {
    #[inline(always)]
    fn after(&self, step: &Step<S, M, D>, rate: f64) -> Self {
        let mut next = *self;
        for ((level, kept), passed) in next.followers.iter_mut().zip(step.kept).zip(&step.passed) {
            *level = *level * kept;
            for (mode, by) in self.modes.iter().zip(passed) {
                *level = mode.times_plus(*by, *level);
            }
        }
        for (mode, left) in next.modes.iter_mut().zip(step.left) {
            *mode = *mode * left;
        }
        if rate > 0.0 {
            for (mode, gained) in next.modes.iter_mut().zip(step.gained) {
                *mode = gained.times_plus(gained.lift(rate), *mode);
            }
            for (level, flowed) in next.followers.iter_mut().zip(step.flowed) {
                *level = flowed.times_plus(flowed.lift(rate), *level);
            }
        }
        next
    }
}

struct Body<S: Simd, const M: usize, const D: usize> {
    zero: Lanes<S>,
    rates: [Lanes<S>; M],
    /// In ng/mL for each mg.
    weights: [Lanes<S>; M],
    followers: [Follower<S>; D],
}

impl<S: Simd, const M: usize, const D: usize> Body<S, M, D> {
    #[inline(always)]
    fn step(&self, span: Span) -> Step<S, M, D> {
        let zero = self.zero;
        let blank = Fallen { rate: zero, left: zero, once: zero };
        let mut falls = [blank; M];
        let (mut left, mut gained) = ([zero; M], self.weights);
        for (((fall, rate), left), gain) in falls.iter_mut().zip(self.rates).zip(&mut left).zip(&mut gained) {
            *fall = Fallen::over(rate, span.length);
            (*left, *gain) = (fall.left, *gain * fall.once);
        }
        let mut step = Step { left, gained, kept: [zero; D], passed: [[zero; M]; D], flowed: [zero; D] };
        let each = step.kept.iter_mut().zip(&mut step.passed).zip(&mut step.flowed);
        for (((kept, passed), flowed), follower) in each.zip(&self.followers) {
            let own = Fallen::over(follower.lost, span.length);
            *kept = own.left;
            for ((passed, fall), weight) in passed.iter_mut().zip(&falls).zip(self.weights) {
                let through = own.through(fall, span.length);
                *passed = follower.fed * through;
                if span.flows {
                    let flow = own.through_flow(fall, through, span.length);
                    *flowed = (weight * follower.fed).times_plus(flow, *flowed);
                }
            }
        }
        step
    }
}

/// A rate over a length of time, as [`crate::phi`] has it for one person.
#[derive(Clone, Copy)]
struct Fallen<S: Simd> {
    rate: Lanes<S>,
    left: Lanes<S>,
    /// `∫ exp(-rate·s) ds` over the length.
    once: Lanes<S>,
}

impl<S: Simd> Fallen<S> {
    #[inline(always)]
    fn over(rate: Lanes<S>, length: f64) -> Self {
        let x = rate * rate.lift(length);
        let Fall { left, lost } = x.fall();
        // Below this, 1 - x/2 is exact to the last bit, and a denormal rate cannot spoil the quotient.
        let small = x.below(x.lift(1e-8));
        let quotient = lost / small.pick(x.lift(1.0), x);
        let once = small.pick((-x).times_plus(x.lift(0.5), x.lift(1.0)), quotient);
        Self { rate, left, once: once * x.lift(length) }
    }

    /// What a unit that leaves at the other rate makes in a place that empties at this one.
    #[inline(always)]
    fn through(&self, other: &Self, length: f64) -> Lanes<S> {
        let slow = other.rate.below(self.rate).pick(other.left, self.left);
        slow * Self::over((self.rate - other.rate).abs(), length).once
    }

    /// The same for a unit rate that keeps flowing.
    #[inline(always)]
    fn through_flow(&self, other: &Self, through: Lanes<S>, length: f64) -> Lanes<S> {
        let first = other.rate.below(self.rate);
        let slow_once = first.pick(other.once, self.once);
        let [x, y] = [other.rate.min(self.rate), other.rate.max(self.rate)];
        let span = x.lift(length);
        let large = (slow_once - through) / y.max(x.lift(1e-300));
        let far = x.lift(0.5).below(y * span);
        if far.all() {
            return large;
        }
        far.pick(large, series(x * span, y * span) * span * span)
    }
}

/// `Σ (-1)ⁿ hₙ(x, y)/(n+2)!` with hₙ the complete homogeneous polynomial; terms fall below 2⁻⁵³ for x, y <= 0.5.
#[inline(always)]
fn series<S: Simd>(x: Lanes<S>, y: Lanes<S>) -> Lanes<S> {
    const TERMS: u32 = 16;
    let (mut power, mut h, mut scale) = (x.lift(1.0), x.lift(1.0), 0.5);
    let mut sum = x.lift(0.0);
    for n in 0..TERMS {
        sum = h.times_plus(x.lift(scale), sum);
        power = power * x;
        h = y.times_plus(h, power);
        scale = -scale / f64::from(n + 3);
    }
    sum
}
