//! Any linear system of compartments by the matrix exponential: chains, delays, metabolites, equal rates, no
//! elimination. Slower than the closed form, and its second opinion.
#![expect(
    clippy::indexing_slicing,
    reason = "every index runs below the order of the matrix, which is fixed when it is made"
)]

use crate::schedule::{Schedule, Step};
use std::collections::HashMap;

/// Square, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    order: usize,
    cells: Vec<f64>,
}

impl Matrix {
    pub(crate) fn zero(order: usize) -> Self {
        Self { order, cells: vec![0.0; order * order] }
    }

    fn scaled_identity(order: usize, by: f64) -> Self {
        let mut m = Self::zero(order);
        for i in 0..order {
            m.cells[i * order + i] = by;
        }
        m
    }

    pub(crate) fn order(&self) -> usize {
        self.order
    }

    pub(crate) fn add_to(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.order + column] += value;
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.cells[i * self.order..(i + 1) * self.order]
    }

    /// `self·by + other`, cell by cell.
    fn plus(&self, by: f64, other: &Self) -> Self {
        let cells = self.cells.iter().zip(&other.cells).map(|(a, b)| a * by + b).collect();
        Self { order: self.order, cells }
    }

    fn times(&self, other: &Self) -> Self {
        let n = self.order;
        let mut product = Self::zero(n);
        for (into, left) in product.cells.chunks_exact_mut(n).zip(self.cells.chunks_exact(n)) {
            for (&factor, right) in left.iter().zip(other.cells.chunks_exact(n)) {
                for (cell, value) in into.iter_mut().zip(right) {
                    *cell += factor * value;
                }
            }
        }
        product
    }

    fn norm(&self) -> f64 {
        (0..self.order)
            .map(|j| self.cells.iter().skip(j).step_by(self.order).map(|x| x.abs()).sum::<f64>())
            .fold(0.0, f64::max)
    }

    /// `self⁻¹·right` by elimination with partial pivoting.
    fn solve(mut self, mut right: Self) -> Self {
        let n = self.order;
        for k in 0..n {
            let pivot =
                (k..n).max_by(|&a, &b| self.cells[a * n + k].abs().total_cmp(&self.cells[b * n + k].abs()));
            let pivot = pivot.unwrap_or(k);
            for j in 0..n {
                self.cells.swap(k * n + j, pivot * n + j);
                right.cells.swap(k * n + j, pivot * n + j);
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = self.cells[i * n + k] / self.cells[k * n + k];
                if factor != 0.0 {
                    for j in 0..n {
                        self.cells[i * n + j] -= factor * self.cells[k * n + j];
                        right.cells[i * n + j] -= factor * right.cells[k * n + j];
                    }
                }
            }
        }
        for i in 0..n {
            let diagonal = self.cells[i * n + i];
            right.cells[i * n..(i + 1) * n].iter_mut().for_each(|x| *x /= diagonal);
        }
        right
    }

    /// `exp(self·t)` by scaling, the diagonal Padé approximant of degree 13, and squaring (Higham 2005, SIAM J Matrix
    /// Anal Appl 26:1179).
    pub(crate) fn exponential(&self, t: f64) -> Self {
        const B: [f64; 14] = [
            64_764_752_532_480_000.0,
            32_382_376_266_240_000.0,
            7_771_770_303_897_600.0,
            1_187_353_796_428_800.0,
            129_060_195_264_000.0,
            10_559_470_521_600.0,
            670_442_572_800.0,
            33_522_128_640.0,
            1_323_241_920.0,
            40_840_800.0,
            960_960.0,
            16_380.0,
            182.0,
            1.0,
        ];
        /// Norm up to which the approximant is exact to rounding.
        const THETA: f64 = 5.371_920_351_148_152;
        let n = self.order;
        let squarings = (self.norm() * t / THETA).log2().ceil().clamp(0.0, 1000.0) as i32;
        let a1 =
            Self { order: n, cells: self.cells.iter().map(|x| x * (t * 2f64.powi(-squarings))).collect() };
        let a2 = a1.times(&a1);
        let a4 = a2.times(&a2);
        let a6 = a4.times(&a2);
        let poly = |b6: f64, b4: f64, b2: f64, rest: &Self| a6.plus(b6, &a4.plus(b4, &a2.plus(b2, rest)));
        let zero = Self::zero(n);
        let odd = a6.times(&poly(B[13], B[11], B[9], &zero));
        let odd = a1.times(&poly(B[7], B[5], B[3], &Self::scaled_identity(n, B[1])).plus(1.0, &odd));
        let even = a6.times(&poly(B[12], B[10], B[8], &zero));
        let even = poly(B[6], B[4], B[2], &Self::scaled_identity(n, B[0])).plus(1.0, &even);
        let mut result = odd.plus(-1.0, &even).solve(odd.plus(1.0, &even));
        for _ in 0..squarings {
            result = result.times(&result);
        }
        result
    }

    fn apply(&self, to: &[f64]) -> Vec<f64> {
        (0..self.order).map(|i| self.row(i).iter().zip(to).map(|(a, x)| a * x).sum()).collect()
    }
}

/// `dx/dt = A·x + rate·e₀`: doses go into state 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    /// `[[A, e₀], [0, 0]]`, so that one exponential carries state and steady input together.
    augmented: Matrix,
}

/// Distinct step lengths whose exponential is kept.
const KEPT_MAX: usize = 512;

impl Linear {
    pub(crate) fn new(a: &Matrix) -> Self {
        let n = a.order();
        let mut augmented = Matrix::zero(n + 1);
        for i in 0..n {
            for (j, &value) in a.row(i).iter().enumerate() {
                augmented.add_to(i, j, value);
            }
        }
        augmented.add_to(0, n, 1.0);
        Self { augmented }
    }

    /// The whole state at each time, in mg; the times rise.
    pub(crate) fn follow(&self, schedule: &Schedule, times: impl IntoIterator<Item = f64>) -> Vec<Vec<f64>> {
        let mut kept: HashMap<u64, Matrix> = HashMap::new();
        let mut moved = |state: &[f64], now: &Step, to: f64| {
            let span = to - now.at;
            let mut with_rate = state.to_vec();
            with_rate.push(now.rate);
            let mut next = match kept.get(&span.to_bits()) {
                Some(known) => known.apply(&with_rate),
                None => {
                    let new = self.augmented.exponential(span);
                    let next = new.apply(&with_rate);
                    if kept.len() < KEPT_MAX {
                        kept.insert(span.to_bits(), new);
                    }
                    next
                }
            };
            next.pop();
            next
        };
        let mut ahead = schedule.steps().iter().peekable();
        let mut state = vec![0.0; self.augmented.order - 1];
        let mut now: Option<Step> = None;
        let mut found = Vec::new();
        for time in times {
            while let Some(step) = ahead.next_if(|s| s.at <= time) {
                if let Some(before) = &now {
                    state = moved(&state, before, step.at);
                }
                state[0] += step.bolus;
                now = Some(*step);
            }
            found.push(now.as_ref().map_or_else(|| state.clone(), |step| moved(&state, step, time)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f64]]) -> Matrix {
        Matrix { order: rows.len(), cells: rows.concat() }
    }

    #[test]
    fn known_exponentials() {
        // Nilpotent: the series ends, and no eigenvector method would do.
        let jordan = matrix(&[&[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0], &[0.0, 0.0, 0.0]]);
        let found = jordan.exponential(4.0);
        for (x, y) in found.cells.iter().zip([1.0, 4.0, 8.0, 0.0, 1.0, 4.0, 0.0, 0.0, 1.0]) {
            assert!((x - y).abs() < 1e-14, "{x} and {y}");
        }
        // A rotation by one radian, scaled far beyond the norm of one approximant.
        let turn = matrix(&[&[0.0, -1.0], &[1.0, 0.0]]).exponential(100.0);
        assert!((turn.cells[0] - 100f64.cos()).abs() < 1e-12);
        assert!((turn.cells[2] - 100f64.sin()).abs() < 1e-12);
        assert_eq!(Matrix::zero(2).exponential(5.0), Matrix::scaled_identity(2, 1.0));
    }

    #[test]
    fn elimination_exchanges_rows() {
        let a = matrix(&[&[0.0, 2.0], &[4.0, 0.0]]);
        assert_eq!(a.solve(matrix(&[&[2.0, 0.0], &[0.0, 4.0]])), matrix(&[&[0.0, 1.0], &[1.0, 0.0]]));
    }
}
