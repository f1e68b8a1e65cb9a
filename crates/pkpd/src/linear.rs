//! Any linear system of compartments by the matrix exponential: chains, delays, metabolites, equal rates, no
//! elimination. Slower than the closed form, and its second opinion.
#![expect(
    clippy::indexing_slicing,
    reason = "every index runs below the order of the matrix, which is fixed when it is made"
)]

use crate::refused::Refused;
use crate::schedule::{Dose, Row, Schedule};
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

/// `dx/dt = A·x + rate·e`: doses go into one state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    /// `[[A, e], [0, 0]]`, so that one exponential carries state and steady input together.
    augmented: Matrix,
    entrance: usize,
}

/// Distinct step lengths whose exponential is kept.
const KEPT_MAX: usize = 512;
/// A row's sum is doubled until what a doubling adds no longer counts; 2^100 doses are more than a number can tell.
const DOUBLINGS_MAX: usize = 100;

impl Linear {
    pub(crate) fn new(a: &Matrix, entrance: usize) -> Self {
        let n = a.order();
        let mut augmented = Matrix::zero(n + 1);
        for i in 0..n {
            for (j, &value) in a.row(i).iter().enumerate() {
                augmented.add_to(i, j, value);
            }
        }
        augmented.add_to(entrance, n, 1.0);
        Self { augmented, entrance }
    }

    fn order(&self) -> usize {
        self.augmented.order - 1
    }

    fn advanced(&self, state: &[f64], rate: f64, span: f64, kept: &mut Kept) -> Vec<f64> {
        let mut with_rate = state.to_vec();
        with_rate.push(rate);
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
    }

    /// What a row has left at its moment: those that still run one by one, and of those that have ended
    /// `x + E·x + E²·x + …` by doubling, in which nothing cancels.
    fn settled(&self, row: &Row, kept: &mut Kept) -> Result<Vec<f64>, Refused> {
        let mut after = |place: usize| {
            let (time, empty) = (row.age + row.every * place as f64, vec![0.0; self.order()]);
            match row.dose {
                Dose::Bolus { amount, .. } => {
                    let mut given = empty;
                    given[self.entrance] = amount.0;
                    self.advanced(&given, 0.0, time, kept)
                }
                Dose::Infusion { start, end, rate } => {
                    let length = end.0 - start.0;
                    let filled = self.advanced(&empty, rate.0, time.min(length), kept);
                    if time > length { self.advanced(&filled, 0.0, time - length, kept) } else { filled }
                }
            }
        };
        let running = row.running();
        let mut sum: Vec<f64> = after(running);
        let still: Vec<Vec<f64>> = (0..running).map(after).collect();
        let mut of_every = self.augmented.exponential(row.every);
        for _ in 0..DOUBLINGS_MAX {
            let mut later = sum.clone();
            later.push(0.0);
            let later = of_every.apply(&later);
            let is_last = later.iter().zip(&sum).all(|(later, now)| later.abs() <= 1e-18 * now.abs());
            sum.iter_mut().zip(later).for_each(|(sum, later)| *sum += later);
            if is_last {
                still.iter().for_each(|one| sum.iter_mut().zip(one).for_each(|(sum, x)| *sum += x));
                return Ok(sum);
            }
            of_every = of_every.times(&of_every);
        }
        Err(Refused::never_steady())
    }
}

type Kept = HashMap<u64, Matrix>;

/// The whole state at each time, in mg; the times rise. The system changes with each stage, from its time on; the first
/// holds from ever. What is held stays where it is: amounts do not change at once, levels may.
///
/// # Errors
/// A steady state of what is never eliminated.
pub(crate) fn follow(
    stages: &[(f64, Linear)],
    schedule: &Schedule,
    times: impl IntoIterator<Item = f64>,
) -> Result<Vec<Vec<f64>>, Refused> {
    let Some((first, later)) = stages.split_first() else { return Ok(Vec::new()) };
    let mut walk = Walk {
        system: &first.1,
        stages: later.iter().peekable(),
        kept: Kept::new(),
        state: vec![0.0; first.1.order()],
        now: None,
    };
    let mut ahead = schedule.steps().iter().peekable();
    let mut found = Vec::new();
    for time in times {
        while let Some(step) = ahead.next_if(|s| s.at <= time) {
            walk.state = walk.go(step.at);
            if step.is_break {
                let (is_empty, rows) = schedule.breaks(step.at);
                if is_empty {
                    walk.state.fill(0.0);
                }
                for row in rows {
                    let left = walk.system.settled(row, &mut walk.kept)?;
                    walk.state.iter_mut().zip(left).for_each(|(mine, theirs)| *mine += theirs);
                }
            }
            walk.state[walk.system.entrance] += step.bolus;
            walk.now = Some((step.at, step.rate));
        }
        found.push(walk.go(time));
    }
    Ok(found)
}

struct Walk<'a> {
    system: &'a Linear,
    stages: std::iter::Peekable<std::slice::Iter<'a, (f64, Linear)>>,
    kept: Kept,
    state: Vec<f64>,
    /// Last event, and the rate since.
    now: Option<(f64, f64)>,
}

impl Walk<'_> {
    /// The state at a time; what lies before the last change of stage is left behind.
    fn go(&mut self, time: f64) -> Vec<f64> {
        while let Some((at, next)) = self.stages.next_if(|(at, _)| *at <= time) {
            self.state = self.moved(*at);
            self.now = self.now.map(|(_, rate)| (*at, rate));
            self.system = next;
            self.kept.clear();
        }
        self.moved(time)
    }

    fn moved(&mut self, time: f64) -> Vec<f64> {
        match self.now {
            None => self.state.clone(),
            Some((at, rate)) => self.system.advanced(&self.state, rate, time - at, &mut self.kept),
        }
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
