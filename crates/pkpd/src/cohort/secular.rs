//! Rates and weights of many centres at once: the solver of [`crate::mammillary`], in lanes. Who has a store without
//! exchange, or stores that empty at equal rates, is left to that one.

use crate::lanes::{self, Lanes, Mask};
use pulp::Simd;

/// A store beside the centre: its three rate constants, /min.
#[derive(Clone, Copy)]
pub(super) struct Store<S: Simd> {
    pub(super) out: Lanes<S>,
    pub(super) back: Lanes<S>,
    pub(super) lost: Lanes<S>,
}

/// The centre's answer to a unit bolus, `Σ weight·exp(-rate·t)`.
pub(super) struct Modes<S: Simd, const M: usize> {
    pub(super) rates: [Lanes<S>; M],
    pub(super) weights: [Lanes<S>; M],
    /// Whose roots were found.
    pub(super) found: Mask<S>,
}

/// Where the secular function is infinite.
#[derive(Clone, Copy)]
struct Pole<S: Simd> {
    at: Lanes<S>,
    pull: Lanes<S>,
    lost: Lanes<S>,
    strength: Lanes<S>,
}

/// A pole seen from the anchor of a root.
#[derive(Clone, Copy)]
struct Seen<S: Simd> {
    /// Pole less anchor.
    gap: Lanes<S>,
    /// Anchor less what the store loses itself.
    above: Lanes<S>,
    pull: Lanes<S>,
    strength: Lanes<S>,
}

/// A root at `anchor + sign·distance`, the distance up to `reach`.
struct Bracket<S: Simd> {
    anchor: Lanes<S>,
    sign: Lanes<S>,
    reach: Lanes<S>,
    pull: Lanes<S>,
    strength: Lanes<S>,
}

/// Constants below this count as 0, as they do for one person.
const NEGLIGIBLE: f64 = 1e-100;
/// Steps shrink quadratically: one as short as this leaves nothing to the next.
const CLOSE: f64 = 1e-10;
const SLACK: f64 = 1e-12;
const STEPS_MAX: usize = 80;
const HALLEY_STEPS: usize = 4;

impl<S: Simd> Pole<S> {
    #[inline(always)]
    fn of(store: &Store<S>) -> Self {
        let Store { out, back, lost } = *store;
        Self { at: back + lost, pull: out, lost, strength: out * back }
    }

    /// No pole at all: far away and without strength.
    #[inline(always)]
    fn none(like: Lanes<S>) -> Self {
        let zero = like.lift(0.0);
        Self { at: like.lift(1e300), pull: zero, lost: zero, strength: zero }
    }

    #[inline(always)]
    fn pick(yes: Mask<S>, a: &Self, b: &Self) -> Self {
        Self {
            at: yes.pick(a.at, b.at),
            pull: yes.pick(a.pull, b.pull),
            lost: yes.pick(a.lost, b.lost),
            strength: yes.pick(a.strength, b.strength),
        }
    }

    #[inline(always)]
    fn seen(&self, anchor: Lanes<S>) -> Seen<S> {
        let Self { at, pull, lost, strength } = *self;
        Seen { gap: at - anchor, above: anchor - lost, pull, strength }
    }
}

/// `λ - k10 + Σ k1i·(λ - lost)/(ki - λ)` and its slope, λ given as an offset from an anchor; `from` is the anchor less
/// k10.
#[inline(always)]
fn secular<S: Simd, const M: usize>(
    from: Lanes<S>,
    offset: Lanes<S>,
    seen: &[Seen<S>; M],
) -> (Lanes<S>, Lanes<S>) {
    let mut value = from + offset;
    let mut slope = offset.lift(1.0);
    for pole in seen {
        let near = offset.lift(1.0) / (pole.gap - offset);
        value = (pole.pull * (pole.above + offset)).times_plus(near, value);
        slope = (pole.strength * near).times_plus(near, slope);
    }
    (value, slope)
}

/// Rates in rising order, and their weights, for one centre with `M - 1` stores in each lane.
#[inline(always)]
pub(super) fn modes<S: Simd, const M: usize>(leak: Lanes<S>, stores: &[Store<S>; M]) -> Modes<S, M> {
    let zero = leak.lift(0.0);
    let mut found = zero.at_most(zero);
    let mut poles = [Pole::none(leak); M];
    for (pole, store) in poles.iter_mut().zip(stores).take(M - 1) {
        *pole = Pole::of(store);
        let least = leak.lift(NEGLIGIBLE);
        found = found & least.at_most(store.out) & least.at_most(store.back);
    }
    sort(&mut poles);
    let mut low = Pole { at: zero, ..Pole::none(leak) };
    for (place, pole) in poles.iter().enumerate().take(M - 1) {
        if place > 0 {
            found = found & low.at.below(pole.at);
        }
        low = *pole;
    }
    let mut modes = Modes { rates: [zero; M], weights: [zero; M], found };
    let guesses = guesses(leak, &poles);
    low = Pole { at: zero, ..Pole::none(leak) };
    for (place, guess) in guesses.iter().enumerate() {
        // The last of the poles is none.
        let Some(&high) = poles.get(place) else { break };
        let Root { rate, weight, close } = root(leak, place, low, high, &poles, *guess);
        if let (Some(r), Some(w)) = (modes.rates.get_mut(place), modes.weights.get_mut(place)) {
            (*r, *w) = (rate, weight);
        }
        modes.found = modes.found & close;
        low = high;
    }
    modes
}

/// The roots in rising order to some digits, or to none where they are hard: the characteristic polynomial.
#[inline(always)]
fn guesses<S: Simd, const M: usize>(leak: Lanes<S>, poles: &[Pole<S>; M]) -> [Lanes<S>; M] {
    let mut found = [leak; M];
    match (found.as_mut_slice(), poles.as_slice()) {
        ([small, large], [a, _]) => {
            (*small, *large) = pair(leak + a.pull + a.at, leak * a.at + a.pull * a.lost);
        }
        ([small, middle, large], [a, b, _]) => {
            // x³ - c2·x² + c1·x - c0, its largest root from above by steps of Halley.
            let c2 = leak + a.pull + b.pull + a.at + b.at;
            let c1 = leak * (a.at + b.at) + a.at * b.at + a.pull * (b.at + a.lost) + b.pull * (a.at + b.lost);
            let c0 = leak * a.at * b.at + a.pull * a.lost * b.at + b.pull * b.lost * a.at;
            let mut x = c2;
            for _ in 0..HALLEY_STEPS {
                let value = ((x - c2) * x + c1) * x - c0;
                let bend = leak.lift(3.0) * x - c2;
                let slope = (bend - c2) * x + c1;
                x = x - value * slope / (slope * slope - value * bend);
            }
            *large = x;
            (*small, *middle) = pair(c2 - x, c0 / x);
        }
        _ => {}
    }
    found
}

/// The smaller and the larger root of x² - sum·x + product.
#[inline(always)]
fn pair<S: Simd>(sum: Lanes<S>, product: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
    let square = sum * sum - sum.lift(4.0) * product;
    let large = sum.lift(0.5) * (sum + square.max(sum.lift(0.0)).sqrt());
    (product / large, large)
}

/// Rising; the last place stays empty.
#[inline(always)]
fn sort<S: Simd, const M: usize>(poles: &mut [Pole<S>; M]) {
    if let [a, b, _] = poles.as_mut_slice() {
        let swapped = b.at.below(a.at);
        (*a, *b) = (Pole::pick(swapped, b, a), Pole::pick(swapped, a, b));
    }
}

/// The poles as they are seen from an anchor; those that are not kept, as none.
#[inline(always)]
fn seen<S: Simd, const M: usize>(
    poles: &[Pole<S>; M],
    anchor: Lanes<S>,
    keep: impl Fn(usize) -> bool,
) -> [Seen<S>; M] {
    let mut all = lanes::map(poles, Pole::none(anchor).seen(anchor), |pole| pole.seen(anchor));
    for (at, one) in all.iter_mut().enumerate() {
        if !keep(at) {
            *one = Pole::none(anchor).seen(anchor);
        }
    }
    all
}

struct Root<S: Simd> {
    rate: Lanes<S>,
    weight: Lanes<S>,
    close: Mask<S>,
}

/// The one root between two neighbouring ends: 0 or a pole below, a pole or nothing above.
#[inline(always)]
fn root<S: Simd, const M: usize>(
    leak: Lanes<S>,
    place: usize,
    low: Pole<S>,
    high: Pole<S>,
    poles: &[Pole<S>; M],
    guess: Lanes<S>,
) -> Root<S> {
    let zero = leak.lift(0.0);
    let one = leak.lift(1.0);
    if M == 1 {
        return Root { rate: leak, weight: one, close: zero.at_most(one) };
    }
    let bracket = if place == M - 1 {
        let mut pulls = leak;
        for pole in poles.iter().take(M - 1) {
            pulls = pulls + pole.pull;
        }
        Bracket { anchor: low.at, sign: one, reach: pulls + pulls, pull: low.pull, strength: low.strength }
    } else {
        let half = leak.lift(0.5) * (high.at - low.at);
        let (middle, _) = secular(low.at - leak, half, &seen(poles, low.at, |_| true));
        let up = zero.below(middle);
        let own = Pole::pick(up, &low, &high);
        let sign = up.pick(one, -one);
        // Below the first pole lies 0, which is none.
        let Pole { at: anchor, pull, strength, .. } = own;
        Bracket { anchor, sign, reach: half, pull, strength }
    };
    let Bracket { anchor, .. } = bracket;
    // Those that are not at either end, and of the ends the one that is no anchor.
    let mut others = seen(poles, anchor, |at| at != place && at + 1 != place);
    if let (true, Some(end)) = (place < M - 1, others.get_mut(place)) {
        let up = zero.below(bracket.sign);
        let no_low = if place == 0 { Pole::none(leak) } else { low };
        *end = Pole::pick(up, &high, &no_low).seen(anchor);
    }
    let (distance, close) = solve(leak, &bracket, &others, bracket.sign * (guess - anchor));
    let offset = bracket.sign * distance;
    let mut sum = one;
    for pole in poles.iter().take(M - 1) {
        let near = one / ((pole.at - anchor) - offset);
        sum = (pole.strength * near).times_plus(near, sum);
    }
    Root { rate: anchor + offset, weight: one / sum, close }
}

/// As for one person: the anchor's pole kept exact, the rest as a line, bisection where a step leaves the bracket. A
/// lane that is close stands still, so that nobody's result depends on the neighbours.
#[inline(always)]
fn solve<S: Simd, const M: usize>(
    leak: Lanes<S>,
    bracket: &Bracket<S>,
    others: &[Seen<S>; M],
    guess: Lanes<S>,
) -> (Lanes<S>, Mask<S>) {
    let Bracket { anchor, sign, reach, pull, strength } = *bracket;
    let (zero, half, two) = (leak.lift(0.0), leak.lift(0.5), leak.lift(2.0));
    let (mut low, mut high) = (zero, reach);
    let mut distance = (zero.below(guess) & guess.below(reach)).pick(guess, half * reach);
    let mut close = reach.below(reach);
    let from = anchor - leak;
    for _ in 0..STEPS_MAX {
        let (rest, slope) = secular(from, sign * distance, others);
        let rest = sign * (rest - pull);
        let above = strength.below(distance * rest);
        high = above.pick(distance, high);
        low = above.pick(low, distance);
        let line = (-slope).times_plus(distance, rest);
        let wide = line.times_plus(line, leak.lift(4.0) * slope * strength).sqrt();
        let falls = zero.below(line);
        let guess = falls.pick(two * strength, wide - line) / falls.pick(line + wide, two * slope);
        // A root at an edge of what is known is not left for a rounding.
        let (over, under) = (guess * leak.lift(1.0 + SLACK), guess * leak.lift(1.0 - SLACK));
        let inside = low.at_most(over) & under.at_most(high);
        let next = inside.pick(guess, half * (low + high));
        let done = (next - distance).abs().at_most(leak.lift(CLOSE) * distance);
        distance = close.pick(distance, next);
        close = close | done;
        if close.all() {
            break;
        }
    }
    (distance, close)
}
