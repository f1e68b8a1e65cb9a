//! A minimum of a smooth function of a few variables, with the curvature there: Newton steps, damped where the
//! function does not fall, by differences of the fourth order.

use crate::spread::cholesky;

/// Where the search ended.
#[derive(Debug, Clone)]
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    pub(crate) value: f64,
    /// Twice the inverse of the second derivatives: the covariance when the function is -2 log density.
    pub(crate) covariance: Vec<Vec<f64>>,
    pub(crate) converged: bool,
    /// The second derivatives were not positive definite and were damped before they were inverted.
    pub(crate) damped: bool,
}

/// Distance of the points that derivatives are taken from, in standard deviations of the prior.
const H: f64 = 2e-3;
const STEPS_MAX: usize = 60;
/// A longer step than this is shortened to it: farther out the quadratic means little.
const STEP_MAX: f64 = 1.5;
const CLOSE: f64 = 1e-7;

pub(crate) fn minimise(f: &impl Fn(&[f64]) -> f64, start: Vec<f64>) -> Minimum {
    let mut at = start;
    let mut value = f(&at);
    let mut damping = 0.0;
    let mut converged = at.is_empty();
    for _ in 0..STEPS_MAX {
        let slope = gradient(f, &at);
        let curved = hessian(f, &at, value);
        let Some(step) = newton_step(&slope, &curved, &mut damping) else { break };
        let longest = step.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        let scale = if longest > STEP_MAX { STEP_MAX / longest } else { 1.0 };
        let next: Vec<f64> = at.iter().zip(&step).map(|(x, s)| x - s * scale).collect();
        let found = f(&next);
        let close = longest < CLOSE;
        if found <= value {
            (at, value) = (next, found);
            damping *= 0.1;
        } else if !close {
            damping = (damping * 10.0).max(1e-2);
        }
        if close {
            converged = true;
            break;
        }
    }
    let mut damping = 0.0;
    let curved = hessian(f, &at, value);
    let covariance = inverse_of_half(&curved, &mut damping);
    Minimum { at, value, covariance, converged, damped: damping > 0.0 }
}

/// Solves `(H + damping)·step = slope`, raising the damping until the matrix is positive definite.
fn newton_step(slope: &[f64], curved: &[Vec<f64>], damping: &mut f64) -> Option<Vec<f64>> {
    let factor = factor_of(curved, damping)?;
    Some(solve(&factor, slope))
}

fn factor_of(curved: &[Vec<f64>], damping: &mut f64) -> Option<Vec<Vec<f64>>> {
    const TRIES: usize = 40;
    for _ in 0..TRIES {
        let mut raised = curved.to_vec();
        for (i, row) in raised.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(i) {
                *cell += *damping;
            }
        }
        if let Some(factor) = cholesky(&raised) {
            return Some(factor);
        }
        *damping = (*damping * 10.0).max(1e-3);
    }
    None
}

/// `(L·Lᵀ)⁻¹·right`
fn solve(factor: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut forward: Vec<f64> = Vec::with_capacity(right.len());
    for (row, r) in factor.iter().zip(right) {
        let known: f64 = row.iter().zip(&forward).map(|(l, x)| l * x).sum();
        forward.push((r - known) / row.last().copied().unwrap_or(1.0));
    }
    let mut back = vec![0.0; right.len()];
    for i in (0..right.len()).rev() {
        let column = |j: usize| factor.get(j).and_then(|row| row.get(i)).copied().unwrap_or_default();
        let known: f64 = back.iter().enumerate().skip(i + 1).map(|(j, x)| column(j) * x).sum();
        if let (Some(slot), Some(value)) = (back.get_mut(i), forward.get(i)) {
            *slot = (value - known) / column(i);
        }
    }
    back
}

/// `2·H⁻¹`; damped when it must be, empty when nothing helps.
fn inverse_of_half(curved: &[Vec<f64>], damping: &mut f64) -> Vec<Vec<f64>> {
    let Some(factor) = factor_of(curved, damping) else { return Vec::new() };
    let unit = |i: usize| (0..curved.len()).map(move |j| if i == j { 2.0 } else { 0.0 }).collect::<Vec<_>>();
    (0..curved.len()).map(|i| solve(&factor, &unit(i))).collect()
}

fn moved(at: &[f64], by: &[(usize, f64)]) -> Vec<f64> {
    let mut to = at.to_vec();
    for (i, d) in by {
        if let Some(x) = to.get_mut(*i) {
            *x += d;
        }
    }
    to
}

fn gradient(f: &impl Fn(&[f64]) -> f64, at: &[f64]) -> Vec<f64> {
    (0..at.len())
        .map(|i| {
            let side = |d: f64| f(&moved(at, &[(i, d)])) - f(&moved(at, &[(i, -d)]));
            (8.0 * side(H) - side(2.0 * H)) / (12.0 * H)
        })
        .collect()
}

fn hessian(f: &impl Fn(&[f64]) -> f64, at: &[f64], value: f64) -> Vec<Vec<f64>> {
    let n = at.len();
    let mut cells = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let cell = if i == j {
                let pair = |d: f64| f(&moved(at, &[(i, d)])) + f(&moved(at, &[(i, -d)])) - 2.0 * value;
                (16.0 * pair(H) - pair(2.0 * H)) / (12.0 * H * H)
            } else {
                let cross = |d: f64| {
                    f(&moved(at, &[(i, d), (j, d)])) + f(&moved(at, &[(i, -d), (j, -d)]))
                        - f(&moved(at, &[(i, d), (j, -d)]))
                        - f(&moved(at, &[(i, -d), (j, d)]))
                };
                (16.0 * cross(H) - cross(2.0 * H)) / (48.0 * H * H)
            };
            for (row, column) in [(i, j), (j, i)] {
                if let Some(slot) = cells.get_mut(row).and_then(|r| r.get_mut(column)) {
                    *slot = cell;
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        // Rosenbrock's function, minimum 0 at (1, 1), second derivatives [[802, -400], [-400, 200]] there.
        let f = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let found = minimise(&f, vec![-1.2, 1.0]);
        assert!(found.converged && !found.damped);
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-8), "{:?}", found.at);
        for (row, expected) in found.covariance.iter().zip([[1.0, 2.0], [2.0, 4.01]]) {
            for (x, e) in row.iter().zip(expected) {
                assert!((x - e).abs() < 1e-6, "{x} and {e}");
            }
        }
    }

    #[test]
    fn a_saddle_is_left_and_a_wall_is_respected() {
        let saddle = |x: &[f64]| (x[0] * x[0] - 1.0).powi(2) + x[1] * x[1];
        let found = minimise(&saddle, vec![0.01, 0.3]);
        assert!((found.at[0].abs() - 1.0).abs() < 1e-7 && found.at[1].abs() < 1e-7);
        let wall = |x: &[f64]| if x[0] > 2.0 { f64::INFINITY } else { x[0] - x[0].ln() };
        assert!((minimise(&wall, vec![1.9]).at[0] - 1.0).abs() < 1e-7);
    }
}
