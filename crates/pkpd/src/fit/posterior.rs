//! All that is known of a person, not only the most likely: draws around the optimum, each with the weight that makes
//! up for where it was drawn (importance sampling, Geweke 1989). The same numbers for the same seed.

use super::{FitQuestion, Likelihood};
use crate::chance::{Chance, Purpose};
use crate::person::check_times;
use crate::refused::{Accepted, Refused};
use crate::spread::cholesky;
use crate::units::{Minutes, NgPerMl, Ratio};

/// What is known of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// How many were drawn.
    pub draws: usize,
    /// How many equally weighted draws they are worth. Far fewer than drawn says that the posterior has another shape
    /// than the one around its optimum.
    pub effective: f64,
    /// Of each parameter with spread, by name.
    pub etas: Vec<(String, Known)>,
    /// Plasma at the times that were asked for, without measurement error: 5th, 50th and 95th percentile.
    pub plasma: Vec<[NgPerMl; 3]>,
}

/// A deviation as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Mean.
    pub mean: Ratio,
    /// Standard deviation.
    pub sd: Ratio,
    /// 5th, 50th and 95th percentile.
    pub percentiles: [Ratio; 3],
}

/// Draws in one question, at most.
pub const DRAWS_MAX: usize = 100_000;
/// Freedom of the t distribution that is drawn from: its tails are heavier than any posterior's under a normal prior.
const FREEDOM: f64 = 4.0;
const SHARES: [f64; 3] = [0.05, 0.5, 0.95];

/// Draws from what is known of a person, and how the level goes by it.
///
/// # Errors
/// As [`super::fit`]; fewer than 100 draws or more than [`DRAWS_MAX`], times that fall; a posterior in which no draw has
/// a number.
pub fn posterior(
    question: &FitQuestion,
    draws: usize,
    seed: u64,
    times: &[Minutes],
) -> Result<Posterior, Refused> {
    let accepted = Accepted { what: "draws", low: 100.0, high: DRAWS_MAX as f64, unit: "1" };
    accepted.check(draws as f64)?;
    check_times(times)?;
    let likelihood = Likelihood::new(question)?;
    let mode = likelihood.lowest()?;
    let shapeless = || Refused::Impossible("the posterior has no shape to draw from".to_owned());
    let factor = cholesky(&mode.covariance).ok_or_else(shapeless)?;
    let sampler = Sampler { chance: Chance::new(seed), centre: &mode.at, factor: &factor };
    let mut sample: Vec<(f64, Vec<f64>)> = Vec::with_capacity(draws);
    for draw in 0..draws as u64 {
        let (z, log_density) = sampler.draw(draw);
        let log_weight = -0.5 * likelihood.objective(&z) - log_density;
        if log_weight.is_finite() {
            sample.push((log_weight, z));
        }
    }
    let top = sample.iter().map(|(log, _)| *log).fold(f64::NEG_INFINITY, f64::max);
    sample.iter_mut().for_each(|(weight, _)| *weight = (*weight - top).exp());
    let sum: f64 = sample.iter().map(|(weight, _)| weight).sum();
    if sum.is_nan() || sum <= 0.0 {
        return Err(shapeless());
    }
    let squares: f64 = sample.iter().map(|(weight, _)| weight * weight).sum();
    let mut levels: Vec<Vec<(f64, f64)>> = vec![Vec::with_capacity(sample.len()); times.len()];
    for (weight, z) in &sample {
        if let Some(course) = likelihood.course(z, times, true) {
            levels.iter_mut().zip(course.plasma).for_each(|(of, level)| of.push((*weight, level.0)));
        }
    }
    Ok(Posterior {
        draws,
        effective: sum * sum / squares,
        etas: likelihood.known(&sample),
        plasma: levels.into_iter().map(|of| percentiles(of).map(NgPerMl)).collect(),
    })
}

struct Sampler<'a> {
    chance: Chance,
    centre: &'a [f64],
    factor: &'a [Vec<f64>],
}

impl Sampler<'_> {
    /// A place and the logarithm of the density with which it is drawn, without constants.
    fn draw(&self, number: u64) -> (Vec<f64>, f64) {
        let n = self.centre.len() as u32;
        let normals: Vec<f64> =
            (0..n).map(|place| self.chance.normal(number, Purpose::Posterior, place)).collect();
        // Chi-squared with 4 degrees of freedom, by its inverse.
        let even = |place| self.chance.even(number, Purpose::Posterior, place);
        let scale = (FREEDOM / (-2.0 * (even(n) * even(n + 1)).ln())).sqrt();
        let square: f64 = normals.iter().map(|z| (z * scale).powi(2)).sum();
        let move_by =
            self.factor.iter().map(|row| row.iter().zip(&normals).map(|(l, z)| l * z * scale).sum::<f64>());
        let place = self.centre.iter().zip(move_by).map(|(at, by)| at + by).collect();
        (place, -0.5 * (FREEDOM + f64::from(n)) * (square / FREEDOM).ln_1p())
    }
}

impl Likelihood<'_> {
    /// Mean, spread and percentiles of each parameter with spread.
    fn known(&self, sample: &[(f64, Vec<f64>)]) -> Vec<(String, Known)> {
        let parameters = &self.question.model.spec().parameters;
        let sum: f64 = sample.iter().map(|(weight, _)| weight).sum();
        let of = |(index, row): &(usize, Vec<f64>)| {
            let eta = |z: &[f64]| row.iter().zip(z).map(|(l, z)| l * z).sum::<f64>();
            let weighted: Vec<(f64, f64)> = sample.iter().map(|(weight, z)| (*weight, eta(z))).collect();
            let mean = weighted.iter().map(|(weight, x)| weight * x).sum::<f64>() / sum;
            let variance = weighted.iter().map(|(weight, x)| weight * (x - mean).powi(2)).sum::<f64>() / sum;
            let percentiles = percentiles(weighted).map(Ratio);
            let known = Known { mean: Ratio(mean), sd: Ratio(variance.sqrt()), percentiles };
            parameters.get(*index).map(|parameter| (parameter.name.clone(), known))
        };
        self.spread.rows.iter().filter_map(of).collect()
    }
}

/// The least values that at least these shares of the weight do not pass.
fn percentiles(mut weighted: Vec<(f64, f64)>) -> [f64; 3] {
    weighted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let sum: f64 = weighted.iter().map(|(weight, _)| weight).sum();
    SHARES.map(|share| {
        let mut passed = 0.0;
        let found = weighted.iter().find(|(weight, _)| {
            passed += weight;
            passed >= share * sum
        });
        found.or(weighted.last()).map_or(0.0, |(_, value)| *value)
    })
}
