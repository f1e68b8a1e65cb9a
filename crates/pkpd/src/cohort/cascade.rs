//! States in a row on top of the closed form: each is filled by the effect site and by the states before it, and empties
//! at a rate of its own. So each is an integral with an exact exponential in it, and nothing has to be stepped through.

use super::grid::{Control, Grid, failed, nth, persons, rows};
use super::kernel;
use super::plan::Plan;
use super::{Cohort, Columns, Levels, Loaded, People, Real};
use crate::lanes::{self, Lanes, Mask};
use crate::ode::Tolerance;
use crate::refused::Refused;
use pulp::Simd;

/// `N` states of a person who has `P` numbers.
pub trait Cascade<const N: usize, const P: usize>: Sync {
    /// The states before anything is given.
    fn start<R: Real>(&self, person: &[R; P]) -> [R; N];
    /// How fast each empties, /min.
    fn rates<R: Real>(&self, person: &[R; P]) -> [R; N];
    /// What fills the state that comes after those `before`, per minute, at a level of the effect site in ng/mL.
    fn fill<R: Real>(&self, level: R, before: &[R], person: &[R; P]) -> R;
}

impl Cohort<'_> {
    /// States that follow the effect site, output by output: what grows used to it, what turns over under it. `persons`
    /// is a row of `P` numbers for each person. States that act back on those before them are for
    /// [`crate::solve_many`].
    ///
    /// # Errors
    /// As [`Cohort::levels`]; a cohort without an effect site or with metabolites, a step or tolerance that is none.
    pub fn respond<C: Cascade<N, P>, const N: usize, const P: usize>(
        &self,
        people: &People,
        cascade: &C,
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
        let rule = Rule::new();
        let grids = || Grid::ever_finer(&self.schedule, &self.times, control, 1.0, &rule.nodes);
        let mut waiting: Vec<usize> = (0..columns.count).collect();
        for grid in grids()? {
            let grid = grid?;
            let plan = Plan::new(&self.schedule, &grid.moments);
            let run = Run { cascade, persons, tolerance: control.tolerance, rule: &rule, grid: &grid };
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
            for grid in grids()? {
                let grid = grid?;
                let fine = Cohort { times: grid.moments.clone(), ..self.clone() };
                let Ok(found) = (Columns { cohort: &fine, ..columns.clone() }).one(person) else { break };
                let run = Run { cascade, persons, tolerance: control.tolerance, rule: &rule, grid: &grid };
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

/// Points of a stretch, its ends among them.
const POINTS: usize = 6;
/// Legendre's polynomials up to one beyond what the points can tell apart.
const ORDERS: usize = POINTS + 1;

/// Lobatto's rule on a stretch of length 1: exact to the ninth power at its end, and to the fifth at each point.
#[derive(Debug)]
struct Rule {
    /// The points after the first.
    nodes: [f64; POINTS - 1],
    /// The integral up to each of those, of a function known at all points.
    sums: [[f64; POINTS]; POINTS - 1],
    /// Its coefficients by the polynomials of order 2 to 5, which tell how fast they fall.
    waves: [[f64; POINTS]; 4],
}

impl Rule {
    fn new() -> Self {
        // Roots of the derivative of the fifth polynomial.
        let root = |sign: f64| (sign.mul_add(2.0 * 7.0_f64.sqrt() / 21.0, 1.0 / 3.0)).sqrt();
        let (inner, outer) = (root(-1.0), root(1.0));
        let points = [-1.0, -outer, -inner, inner, outer, 1.0].map(legendre);
        let last = (POINTS - 1) as f64;
        let mut rule = Self { nodes: [0.0; 5], sums: [[0.0; 6]; 5], waves: [[0.0; 6]; 4] };
        for (place, at) in points.iter().enumerate() {
            let [.., fifth, _] = at;
            let weight = 2.0 / (last * (last + 1.0) * fifth * fifth);
            // The coefficient of each polynomial for a function that is 1 here and 0 at the other points.
            let mut share = *at;
            for (order, x) in share.iter_mut().enumerate() {
                let square = if order + 1 == POINTS { 2.0 / last } else { 2.0 / (2.0 * order as f64 + 1.0) };
                *x *= weight / square;
            }
            for (wave, share) in rule.waves.iter_mut().zip(share.iter().skip(2)) {
                wave.iter_mut().skip(place).take(1).for_each(|x| *x = *share);
            }
            for ((sum, node), to) in rule.sums.iter_mut().zip(&mut rule.nodes).zip(points.iter().skip(1)) {
                let [_, x, ..] = to;
                *node = 0.5 * (x + 1.0);
                sum.iter_mut().skip(place).take(1).for_each(|slot| *slot = integral(&share, to));
            }
        }
        rule
    }
}

/// Legendre's polynomials at a place from -1 to 1.
fn legendre(x: f64) -> [f64; ORDERS] {
    let mut all = [1.0; ORDERS];
    let (mut before, mut last) = (1.0, x);
    for (order, slot) in all.iter_mut().enumerate().skip(1) {
        *slot = last;
        let n = order as f64;
        (before, last) = (last, ((2.0 * n + 1.0) * x * last - n * before) / (n + 1.0));
    }
    all
}

/// Of a sum of polynomials from the beginning of a stretch to the place where they have these values: the integral of
/// the n-th is the difference of its neighbours by 2n + 1.
fn integral(shares: &[f64; ORDERS], at: &[f64; ORDERS]) -> f64 {
    let [first, x, ..] = at;
    let mut sum = shares.first().map_or(0.0, |share| share * (x + first));
    for (order, (share, around)) in shares.iter().skip(1).zip(at.windows(3)).enumerate() {
        if let [before, _, after] = around {
            sum += share * (after - before) / (2.0 * order as f64 + 3.0);
        }
    }
    // From -1 to 1 is twice the length.
    0.5 * sum
}

/// One attempt at the courses of people, on one grid.
struct Run<'a, C, const N: usize, const P: usize> {
    cascade: &'a C,
    persons: &'a [f64],
    tolerance: Tolerance,
    rule: &'a Rule,
    grid: &'a Grid,
}

/// The people of a register on their way.
struct Walk<S: Simd, const N: usize, const P: usize> {
    person: [Lanes<S>; P],
    rates: [Lanes<S>; N],
    state: [Lanes<S>; N],
    good: Mask<S>,
    /// What a stretch of this length, in min, does to each state.
    length: f64,
    emptied: [Emptied<S>; N],
}

/// What emptying does over a stretch.
#[derive(Clone, Copy)]
struct Emptied<S: Simd> {
    /// Share that is left at each point after the first.
    left: [Lanes<S>; POINTS - 1],
    /// What would have to be there at the start for a unit rate at each point.
    back: [Lanes<S>; POINTS],
}

impl<S: Simd> Emptied<S> {
    #[inline(always)]
    fn over(rate: Lanes<S>, length: f64, rule: &Rule) -> Self {
        let one = rate.lift(length);
        let mut emptied = Self { left: [one; POINTS - 1], back: [one; POINTS] };
        let later = emptied.left.iter_mut().zip(emptied.back.iter_mut().skip(1));
        for ((left, back), node) in later.zip(&rule.nodes) {
            *left = (rate * rate.lift(-length * node)).exp();
            *back = one / *left;
        }
        emptied
    }
}

impl<C: Cascade<N, P>, const N: usize, const P: usize> Run<'_, C, N, P> {
    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, who: impl Fn(usize) -> usize) -> Walk<S, N, P> {
        let zero = Lanes::same(simd, 0.0);
        let person = persons(simd, self.persons, who);
        let (rates, state) = (self.cascade.rates(&person), self.cascade.start(&person));
        let emptied = [Emptied { left: [zero; POINTS - 1], back: [zero; POINTS] }; N];
        Walk { person, rates, state, good: zero.at_most(zero), length: 0.0, emptied }
    }

    /// One person, driven by a level at each moment; `false` where the stretches are too long.
    fn alone(&self, person: usize, levels: &[f64], into: &mut Levels) -> bool {
        let mut walk: Walk<pulp::Scalar, N, P> = self.start(pulp::Scalar, |_| person);
        into.write(&walk.state, self.grid.first.clone(), &[person]);
        for (stretch, levels) in self.grid.stretches.iter().zip(levels.windows(POINTS).step_by(POINTS - 1)) {
            let mut drive = [Lanes::same(pulp::Scalar, 0.0); POINTS];
            for (slot, level) in drive.iter_mut().zip(levels) {
                *slot = Lanes::same(pulp::Scalar, *level);
            }
            self.go(&mut walk, &drive, stretch.length);
            into.write(&walk.state, stretch.looks.clone(), &[person]);
        }
        walk.good.all()
    }

    /// On through a stretch, state by state, under the levels at its points.
    #[inline(always)]
    fn go<S: Simd>(&self, walk: &mut Walk<S, N, P>, drive: &[Lanes<S>; POINTS], length: f64) {
        let [now, ..] = *drive;
        if walk.length != length {
            walk.length = length;
            for (emptied, rate) in walk.emptied.iter_mut().zip(&walk.rates) {
                *emptied = Emptied::over(*rate, length, self.rule);
            }
        }
        let mut course = [[now; N]; POINTS];
        for (place, (state, emptied)) in walk.state.iter_mut().zip(&walk.emptied).enumerate() {
            let mut filled = *drive;
            for (((slot, level), before), back) in
                filled.iter_mut().zip(drive).zip(&course).zip(&emptied.back)
            {
                let before = before.get(..place).unwrap_or_default();
                *slot = self.cascade.fill(*level, before, &walk.person) * *back;
            }
            let [first, later @ ..] = &mut course;
            first.iter_mut().skip(place).take(1).for_each(|slot| *slot = *state);
            let from = *state;
            for ((states, sums), left) in later.iter_mut().zip(&self.rule.sums).zip(&emptied.left) {
                *state = *left * dot(sums, &filled, from);
                states.iter_mut().skip(place).take(1).for_each(|slot| *slot = *state);
            }
            walk.good = walk.good & self.close(&filled, *state, emptied);
        }
    }

    /// Whether the coefficients of what fills a state fall so fast that those which the points cannot tell are small:
    /// by as much again from order 5 to 9 as twice from 3 to 5.
    #[inline(always)]
    fn close<S: Simd>(&self, filled: &[Lanes<S>; POINTS], state: Lanes<S>, emptied: &Emptied<S>) -> Mask<S> {
        let Tolerance { relative, absolute } = self.tolerance;
        let accepted = state.abs().times_plus(state.lift(relative), state.lift(absolute));
        let [.., left] = emptied.left;
        let zero = state.lift(0.0);
        let waves = lanes::map(&self.rule.waves, zero, |wave| (left * dot(&wave, filled, zero)).abs());
        let [second, third, fourth, fifth] = waves;
        let (high, low) = (fourth.max(fifth), second.max(third));
        high.at_most(accepted) | (high * high * high).below(accepted * low * low)
    }
}

/// `plus + Σ of·by`.
#[inline(always)]
fn dot<S: Simd>(by: &[f64; POINTS], of: &[Lanes<S>; POINTS], plus: Lanes<S>) -> Lanes<S> {
    let mut sum = plus;
    for (by, of) in by.iter().zip(of) {
        sum = of.times_plus(of.lift(*by), sum);
    }
    sum
}

struct Respond<'a, C, const M: usize, const N: usize, const P: usize> {
    run: Run<'a, C, N, P>,
    columns: &'a Columns<'a>,
    plan: &'a Plan,
    waiting: &'a mut Vec<usize>,
    into: &'a mut Levels,
}

impl<C: Cascade<N, P>, const M: usize, const N: usize, const P: usize> pulp::WithSimd
    for Respond<'_, C, M, N, P>
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
            let drive = [loaded.zero; POINTS];
            let stretches = run.grid.stretches.iter();
            let mut driven = Driven { run: &run, walk, drive, point: 0, stretches, who, into: &mut *into };
            let found = kernel::follow(&people, plan, &mut steps, &mut driven);
            let walk = driven.walk;
            failed(walk.good & found & loaded.inside, who, &mut again);
        }
        *waiting = again;
    }
}

/// A register's people, driven by their effect sites.
struct Driven<'a, S: Simd, C, const N: usize, const P: usize> {
    run: &'a Run<'a, C, N, P>,
    walk: Walk<S, N, P>,
    /// Levels at the points of a stretch.
    drive: [Lanes<S>; POINTS],
    point: usize,
    stretches: std::slice::Iter<'a, super::grid::Stretch>,
    who: &'a [usize],
    into: &'a mut Levels,
}

impl<S: Simd, C: Cascade<N, P>, const N: usize, const P: usize> kernel::Looks<S, 1>
    for Driven<'_, S, C, N, P>
{
    #[inline(always)]
    fn look(&mut self, time: usize, _: Lanes<S>, [effect]: &[Lanes<S>; 1]) {
        if time == 0 {
            self.into.write(&self.walk.state, self.run.grid.first.clone(), self.who);
        }
        if let Some(slot) = self.drive.get_mut(self.point) {
            *slot = *effect;
        }
        self.point += 1;
        if self.point < POINTS {
            return;
        }
        // The end of this stretch is the beginning of the next.
        self.point = 1;
        if let Some(stretch) = self.stretches.next() {
            self.run.go(&mut self.walk, &self.drive, stretch.length);
            self.into.write(&self.walk.state, stretch.looks.clone(), self.who);
        }
        if let Some(first) = self.drive.first_mut() {
            *first = *effect;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_what_it_says() {
        let rule = Rule::new();
        let points: Vec<f64> = std::iter::once(0.0).chain(rule.nodes).collect();
        for power in 0..=9 {
            let sum =
                |by: &[f64; POINTS]| by.iter().zip(&points).map(|(b, x)| b * x.powi(power)).sum::<f64>();
            for (node, sums) in
                rule.nodes.iter().zip(&rule.sums).filter(|(node, _)| power <= 5 || **node == 1.0)
            {
                let exact = node.powi(power + 1) / f64::from(power + 1);
                assert!((sum(sums) - exact).abs() < 1e-15, "{power} up to {node}");
            }
        }
        for (place, wave) in rule.waves.iter().enumerate() {
            for order in 0..POINTS {
                let sum: f64 =
                    wave.iter().zip(&points).map(|(w, x)| w * legendre(2.0 * x - 1.0)[order]).sum();
                let own = if order == place + 2 { 1.0 } else { 0.0 };
                assert!((sum - own).abs() < 1e-14, "{order} in {place}");
            }
        }
    }
}
