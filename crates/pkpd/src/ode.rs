//! Ordinary differential equations that have no closed form: turnover, tolerance, saturable elimination.
//!
//! States carry whatever unit their equations give them, so they are plain numbers here; time is in minutes. The
//! solver steps exactly onto every output time and every break, so nothing is interpolated and no step crosses a
//! change of rate.

use crate::lu::Lu;
use crate::refused::{Refused, TIME};
use crate::units::Minutes;
use thiserror::Error;

/// Slopes of all states at a time: `(t, x, slopes)`, t in minutes.
pub type Slopes<'a> = dyn Fn(f64, &[f64], &mut [f64]) + 'a;

/// What is solved.
#[derive(Clone, Copy)]
pub struct Problem<'a> {
    /// The equations.
    pub slopes: &'a Slopes<'a>,
    /// Where the solution starts.
    pub start: Minutes,
    /// The states there.
    pub state: &'a [f64],
    /// Moments at which the equations change, in any order.
    pub breaks: &'a [Minutes],
}

/// How it is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Dormand and Prince 5(4): quick where all rates are alike.
    Explicit,
    /// Extrapolated linearly implicit Euler (Deuflhard 1985, SIAM Rev 27:505): for rates that differ by orders of
    /// magnitude. The equations must not depend on time between two breaks.
    Stiff,
}

/// How far the error of one step may go: `relative·|x| + absolute`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Of the state.
    pub relative: f64,
    /// Where a state is near 0.
    pub absolute: f64,
}

/// No solution.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NoSolution {
    /// The question is not one.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// So many steps did not reach the end.
    #[error("{steps} steps reached only {at} min")]
    TooManySteps {
        /// Steps taken.
        steps: usize,
        /// How far they came, min.
        at: f64,
    },
    /// Slopes that are no numbers, or a step too small to count, as where a solution runs to infinity.
    #[error("the equations have no solution beyond {at} min")]
    Blown {
        /// Where, min.
        at: f64,
    },
}

const STEPS_MAX: usize = 1_000_000;

/// States at each time; the times rise and none lies before the start.
///
/// # Errors
/// See [`NoSolution`].
pub fn solve(
    problem: &Problem,
    times: &[Minutes],
    method: Method,
    tolerance: Tolerance,
) -> Result<Vec<Vec<f64>>, NoSolution> {
    let mut at = TIME.check(problem.start.0)?;
    let mut breaks = problem.breaks.iter().map(|b| TIME.check(b.0)).collect::<Result<Vec<_>, _>>()?;
    breaks.sort_by(f64::total_cmp);
    for limit in [tolerance.relative, tolerance.absolute] {
        crate::refused::Accepted { what: "tolerance", low: 1e-16, high: 0.1, unit: "1" }.check(limit)?;
    }
    let mut stepper =
        Stepper { slopes: problem.slopes, tolerance, method, next: None, steps: 0, ceiling: at };
    let mut state = problem.state.to_vec();
    let mut found = Vec::with_capacity(times.len());
    let start = at;
    let mut ahead = breaks.into_iter().filter(|b| *b > start).peekable();
    for time in times {
        let time = TIME.check(time.0)?;
        if time < at {
            return Err(Refused::TimesFall { before: at, after: time }.into());
        }
        while let Some(stop) = ahead.next_if(|b| *b <= time) {
            stepper.go(&mut at, &mut state, stop)?;
            stepper.next = None;
        }
        stepper.go(&mut at, &mut state, time)?;
        found.push(state.clone());
    }
    Ok(found)
}

struct Stepper<'a> {
    slopes: &'a Slopes<'a>,
    tolerance: Tolerance,
    method: Method,
    /// Length to try next.
    next: Option<f64>,
    steps: usize,
    /// Last moment before the next stop: slopes are never asked for at a break by a step that ends there.
    ceiling: f64,
}

/// One step tried: the new state, its error in units of the tolerance, and the order of the method.
struct Tried {
    state: Vec<f64>,
    error: f64,
    order: f64,
}

impl Stepper<'_> {
    fn slopes(&self, t: f64, x: &[f64]) -> Vec<f64> {
        let mut slopes = vec![0.0; x.len()];
        (self.slopes)(t.min(self.ceiling), x, &mut slopes);
        slopes
    }

    fn go(&mut self, at: &mut f64, state: &mut Vec<f64>, until: f64) -> Result<(), NoSolution> {
        self.ceiling = until.next_down();
        while *at < until {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(NoSolution::TooManySteps { steps: STEPS_MAX, at: *at });
            }
            let left = until - *at;
            let wanted = self.next.unwrap_or_else(|| self.first(*at, state)).min(left);
            if wanted <= f64::EPSILON * at.abs() && wanted < left {
                return Err(NoSolution::Blown { at: *at });
            }
            let tried = match self.method {
                Method::Explicit => self.explicit(*at, state, wanted),
                Method::Stiff => self.stiff(*at, state, wanted),
            };
            let grown = 0.9 * tried.error.max(1e-10).powf(-1.0 / tried.order);
            if tried.error <= 1.0 {
                *at = if wanted == left { until } else { *at + wanted };
                *state = tried.state;
                let next = wanted * grown.clamp(0.2, 5.0);
                // A step cut short by a stop says little about the next one.
                self.next = Some(self.next.filter(|_| wanted == left).map_or(next, |n| n.max(next)));
            } else {
                // NaN and infinity land here too.
                let shrunk = if tried.error.is_finite() { grown.clamp(0.1, 0.9) } else { 0.1 };
                self.next = Some(wanted * shrunk);
                if wanted * shrunk < 1e-300 {
                    return Err(NoSolution::Blown { at: *at });
                }
            }
        }
        Ok(())
    }

    fn scale(&self, a: f64, b: f64) -> f64 {
        self.tolerance.absolute + self.tolerance.relative * a.abs().max(b.abs())
    }

    /// Largest error of a state in units of its tolerance; infinite where it is no number.
    fn size(&self, error: impl Iterator<Item = f64>, from: &[f64], to: &[f64]) -> f64 {
        let each = error.zip(from.iter().zip(to)).map(|(e, (a, b))| (e / self.scale(*a, *b)).abs());
        each.fold(0.0, |worst, e| if e.is_finite() { worst.max(e) } else { f64::INFINITY })
    }

    /// A first step on which the states move by about the hundredth part of themselves.
    fn first(&self, at: f64, state: &[f64]) -> f64 {
        let slopes = self.slopes(at, state);
        let slope = self.size(slopes.into_iter(), state, state);
        let size = self.size(state.iter().copied(), state, state);
        if slope > 1e-5 && size > 1e-5 && slope.is_finite() { 0.01 * size / slope } else { 1e-6 }
    }

    fn explicit(&self, at: f64, state: &[f64], h: f64) -> Tried {
        let mut stages: Vec<Vec<f64>> = Vec::with_capacity(7);
        let mut moved = state.to_vec();
        for (time, weights) in NODES.iter().zip(WEIGHTS) {
            moved = combined(state, &stages, weights, h);
            stages.push(self.slopes(at + time * h, &moved));
        }
        // The seventh stage lies at the end of the step: its state is the result.
        let error = combined(&vec![0.0; state.len()], &stages, &ERROR, h);
        Tried { error: self.size(error.into_iter(), state, &moved), state: moved, order: 5.0 }
    }

    /// Columns of 1, 2, 3, … small implicit Euler steps, extrapolated to infinitely many.
    fn stiff(&self, at: f64, state: &[f64], h: f64) -> Tried {
        const COLUMNS: usize = 8;
        let failed = Tried { state: state.to_vec(), error: f64::INFINITY, order: 1.0 };
        let jacobian = self.jacobian(at, state);
        // The last row of the extrapolation table; its last entry is the best.
        let mut table: Vec<Vec<f64>> = Vec::with_capacity(COLUMNS);
        for steps in 1..=COLUMNS {
            let Some(euler) = self.euler(at, state, h / steps as f64, steps, &jacobian) else {
                return failed;
            };
            let mut row = vec![euler];
            for (k, before) in table.iter().enumerate() {
                let ratio = steps as f64 / (steps - k - 1) as f64;
                let last = row.last().map(Vec::as_slice).unwrap_or_default();
                row.push(last.iter().zip(before).map(|(a, b)| a + (a - b) / (ratio - 1.0)).collect());
            }
            table = row;
        }
        let mut best = table.into_iter().rev();
        let (Some(best), Some(second)) = (best.next(), best.next()) else { return failed };
        let error = best.iter().zip(&second).map(|(a, b)| a - b).collect::<Vec<_>>();
        Tried { error: self.size(error.into_iter(), state, &best), state: best, order: COLUMNS as f64 }
    }

    /// `(I - h·J)·Δ = h·f`, so many times; `None` where that has no solution.
    fn euler(&self, at: f64, state: &[f64], h: f64, steps: usize, jacobian: &[Vec<f64>]) -> Option<Vec<f64>> {
        let identity = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
        let rows = jacobian.iter().enumerate();
        let matrix =
            rows.map(|(i, row)| row.iter().enumerate().map(|(j, x)| identity(i, j) - h * x).collect());
        let lu = Lu::of(matrix.collect())?;
        let mut x = state.to_vec();
        for step in 0..steps {
            let slopes = self.slopes(at + h * step as f64, &x);
            let change = lu.solve(&slopes.iter().map(|s| s * h).collect::<Vec<_>>());
            x.iter_mut().zip(change).for_each(|(x, d)| *x += d);
        }
        Some(x)
    }

    /// By differences.
    fn jacobian(&self, at: f64, state: &[f64]) -> Vec<Vec<f64>> {
        let base = self.slopes(at, state);
        let mut rows = vec![vec![0.0; state.len()]; state.len()];
        for j in 0..state.len() {
            let mut moved = state.to_vec();
            let mut step = 0.0;
            if let Some(x) = moved.get_mut(j) {
                step = f64::EPSILON.sqrt() * x.abs().max(self.tolerance.absolute.sqrt() * 1e-3).max(1e-12);
                *x += step;
            }
            for (row, (a, b)) in rows.iter_mut().zip(self.slopes(at, &moved).iter().zip(&base)) {
                if let Some(cell) = row.get_mut(j) {
                    *cell = (a - b) / step;
                }
            }
        }
        rows
    }
}

fn combined(state: &[f64], stages: &[Vec<f64>], weights: &[f64], h: f64) -> Vec<f64> {
    let mut moved = state.to_vec();
    for (stage, weight) in stages.iter().zip(weights) {
        moved.iter_mut().zip(stage).for_each(|(x, k)| *x += h * weight * k);
    }
    moved
}

const NODES: [f64; 7] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
const WEIGHTS: [&[f64]; 7] = [
    &[],
    &[0.2],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// Fifth order less fourth.
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FINE: Tolerance = Tolerance { relative: 1e-11, absolute: 1e-13 };
    const BOTH: [Method; 2] = [Method::Explicit, Method::Stiff];

    fn last(slopes: &Slopes, state: &[f64], breaks: &[Minutes], at: f64, method: Method) -> Vec<f64> {
        let problem = Problem { slopes, start: Minutes(0.0), state, breaks };
        let found = solve(&problem, &[Minutes(at)], method, FINE).expect("a solution");
        found.into_iter().next_back().expect("one time")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// The implicit solution of Michaelis and Menten: C + Km·ln C falls with the slope Vmax.
        #[test]
        fn saturable_elimination_keeps_its_law(vmax in 0.1..5.0_f64, km in 0.1..20.0_f64, c in 1.0..50.0_f64, t in 0.1..5.0_f64) {
            let slopes = |_: f64, x: &[f64], d: &mut [f64]| d[0] = -vmax * x[0] / (km + x[0]);
            for method in BOTH {
                let end = last(&slopes, &[c], &[], t, method)[0];
                // Farther down the logarithm asks for digits that the absolute tolerance does not promise.
                prop_assume!(end > 1e-3);
                let law = (c - end) + km * (c / end).ln();
                prop_assert!((law / (vmax * t) - 1.0).abs() < 1e-8, "{method:?}: {law} and {}", vmax * t);
            }
        }

        /// An infusion that stops at a break, against the closed form.
        #[test]
        fn a_break_is_not_stepped_across(k in 0.01..3.0_f64, stop in 1.0..30.0_f64) {
            let far_side = std::cell::Cell::new(false);
            let slopes = |t: f64, x: &[f64], d: &mut [f64]| {
                // Once the far side was seen, the near side is over: no step looked ahead.
                assert!(t >= stop || !far_side.get());
                far_side.set(t >= stop);
                d[0] = if t < stop { 1.0 } else { 0.0 } - k * x[0];
            };
            let expected = -(-k * stop).exp_m1() / k * (-k * 5.0).exp();
            let found = last(&slopes, &[0.0], &[Minutes(stop)], stop + 5.0, Method::Explicit)[0];
            prop_assert!((found - expected).abs() < 1e-9 * expected + 1e-12, "{found} and {expected}");
        }
    }

    /// Robertson's reactions, rates 0.04 to 3e7; reference by Radau IIA at 1e-13 (SciPy).
    #[test]
    fn a_stiff_system_is_solved_in_few_steps() {
        let count = std::cell::Cell::new(0);
        let slopes = |_: f64, x: &[f64], d: &mut [f64]| {
            count.set(count.get() + 1);
            d[0] = -0.04 * x[0] + 1e4 * x[1] * x[2];
            d[2] = 3e7 * x[1] * x[1];
            d[1] = -d[0] - d[2];
        };
        let found = last(&slopes, &[1.0, 0.0, 0.0], &[], 40.0, Method::Stiff);
        for (x, expected) in found.iter().zip(ROBERTSON) {
            assert!((x / expected - 1.0).abs() < 1e-8, "{x} and {expected}");
        }
        assert!(count.get() < 20_000, "{} slopes", count.get());
    }

    const ROBERTSON: [f64; 3] = [0.715827068719, 9.18553476456e-06, 0.284163745746];

    #[test]
    fn what_has_no_solution_says_where() {
        let slopes = |_: f64, x: &[f64], d: &mut [f64]| d[0] = x[0] * x[0];
        let problem = Problem { slopes: &slopes, start: Minutes(0.0), state: &[1.0], breaks: &[] };
        for method in BOTH {
            let told = solve(&problem, &[Minutes(2.0)], method, FINE).expect_err("infinite at 1 min");
            let (NoSolution::Blown { at } | NoSolution::TooManySteps { at, .. }) = told else {
                panic!("{told}")
            };
            assert!((at - 1.0).abs() < 1e-3, "{method:?}: {at}");
        }
        let nan = |_: f64, _: &[f64], d: &mut [f64]| d[0] = f64::NAN;
        let problem = Problem { slopes: &nan, start: Minutes(0.0), state: &[1.0], breaks: &[] };
        assert!(solve(&problem, &[Minutes(2.0)], Method::Explicit, FINE).is_err());
        let fall = solve(&problem, &[Minutes(-1.0)], Method::Explicit, FINE).expect_err("before the start");
        assert!(matches!(fall, NoSolution::Refused(_)));
    }
}
