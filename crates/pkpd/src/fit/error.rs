//! What a measurement adds to the truth: how likely it is, how far it lies from the fit, and when it cannot be.

use super::{Errors, Reported};
use crate::model::Residual;
use crate::refused::Refused;
use crate::units::{Minutes, NgPerMl, Ratio};

/// A measurement beside what the fitted person has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Explained {
    /// Of the fitted person.
    pub level: NgPerMl,
    /// By how many standard deviations of the model's error the measurement lies above it (the individual weighted
    /// residual, IWRES); of one below its limit of quantification how far that limit lies below the level, else 0.
    pub deviation: Ratio,
}

/// Refuses a level that cannot be where the typical person has the predicted one. Before the first dose that is 0: with
/// an error in proportion to it no parameters explain more, and one such row would outweigh all others. A level of 0
/// after it is no measurement.
pub(super) fn possible(
    place: usize,
    (analyte, at, level): (&str, Minutes, NgPerMl),
    residual: Residual,
    predicted: f64,
) -> Result<(), Refused> {
    let of_its_own = matches!(residual, Residual::Normal { additive, .. } if additive.0 > 0.0);
    let is_log = matches!(residual, Residual::LogNormal { .. });
    let (analyte, at) = (analyte.to_owned(), at.0);
    match level.0 > 0.0 {
        false if predicted > 0.0 || is_log => Err(Refused::BareZero { place, analyte, at }),
        true if !of_its_own && predicted <= 0.0 => {
            Err(Refused::NoDrug { place, analyte, level: level.0, at })
        }
        _ => Ok(()),
    }
}

/// A measurement on the scale of its error: what is predicted, and the variance. On the logarithm where the error is
/// log-normal.
struct Scaled {
    predicted: f64,
    variance: f64,
    is_log: bool,
}

impl Scaled {
    fn of(residual: Residual, f: f64) -> Self {
        let (predicted, variance, is_log) = match residual {
            Residual::Normal { proportional, additive } => {
                (f, (proportional.0 * f).powi(2) + additive.0 * additive.0, false)
            }
            Residual::LogNormal { sd } => (f.max(f64::MIN_POSITIVE).ln(), sd.0 * sd.0, true),
        };
        Self { predicted, variance: variance.max(f64::MIN_POSITIVE), is_log }
    }

    /// In standard deviations.
    fn deviation(&self, level: NgPerMl) -> f64 {
        (self.scale(level) - self.predicted) / self.variance.sqrt()
    }

    fn scale(&self, level: NgPerMl) -> f64 {
        if self.is_log { level.0.ln() } else { level.0 }
    }
}

pub(super) fn explained(reported: Reported, residual: Residual, f: f64) -> Explained {
    let scaled = Scaled::of(residual, f);
    let deviation = match reported {
        // Before the first dose a level of 0 is just what there is.
        Reported::Level(level) if level.0 == f => 0.0,
        Reported::Level(level) => scaled.deviation(level),
        Reported::Below(limit) => scaled.deviation(limit).min(0.0),
    };
    Explained { level: NgPerMl(f), deviation: Ratio(deviation) }
}

/// -2 log likelihood of one measurement, without constants.
pub(super) fn deviance(reported: Reported, residual: Residual, f: f64, errors: Errors) -> f64 {
    let scaled = Scaled::of(residual, f);
    match reported {
        Reported::Level(level) => {
            let square = (scaled.scale(level) - scaled.predicted).powi(2) / scaled.variance;
            scaled.variance.ln()
                + match errors {
                    Errors::Normal => square,
                    Errors::Robust => (FREEDOM + 1.0) * (square / FREEDOM).ln_1p(),
                }
        }
        Reported::Below(limit) => -2.0 * log_normal_below(scaled.deviation(limit)),
    }
}

const FREEDOM: f64 = 4.0;

/// Logarithm of the standard normal distribution function, to 1e-10 and better, without underflow far below.
pub(super) fn log_normal_below(x: f64) -> f64 {
    // Series near the middle, continued fraction in the tail (Abramowitz and Stegun 26.2.11 and 26.2.14).
    let density = -0.5 * x * x - 0.918_938_533_204_672_8;
    if x.abs() < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return (0.5 + sum * density.exp()).ln();
    }
    let far = x.abs();
    let fraction = (1..=80).rev().fold(far, |below, n| far + f64::from(n) / below);
    let tail = density - fraction.ln();
    if x < 0.0 { tail } else { (-tail.exp()).ln_1p() }
}
