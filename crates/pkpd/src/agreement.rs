//! How well predictions agree with what was measured (Varvel 1992).

use crate::units::{NgPerMl, Ratio};

/// Error of a model against measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Median of `(measured - predicted) / predicted`: bias, as a ratio; positive where the model is too low.
    pub mdpe: Ratio,
    /// Median of its absolute value: inaccuracy.
    pub mdape: Ratio,
    /// Geometric mean of `predicted / measured`.
    pub gmr: Ratio,
    /// Pairs that count.
    pub pairs: usize,
}

impl Agreement {
    /// From pairs of measured and predicted levels. Pairs in which either is not above 0 have no ratio and do not
    /// count; `None` when none is left.
    ///
    /// ```
    /// # mod example { use pkpd::*; include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/model.rs")); }
    /// # use example::model;
    /// # use pkpd::*;
    /// // Measured and predicted, ng/mL: 10 % too low, 20 % too high, and 50 % too low.
    /// let pairs = [(110.0, 100.0), (80.0, 100.0), (150.0, 100.0)].map(|(m, p)| (NgPerMl(m), NgPerMl(p)));
    /// let found = Agreement::of(pairs).ok_or(Refused::Missing("pairs"))?;
    /// assert!((found.mdpe.0 - 0.1).abs() < 1e-12 && (found.mdape.0 - 0.2).abs() < 1e-12);
    /// # Ok::<(), Refused>(())
    /// ```
    pub fn of(pairs: impl IntoIterator<Item = (NgPerMl, NgPerMl)>) -> Option<Self> {
        let above = |x: f64| x.is_finite() && x > 0.0;
        let kept: Vec<(f64, f64)> =
            pairs.into_iter().map(|(m, p)| (m.0, p.0)).filter(|&(m, p)| above(m) && above(p)).collect();
        let errors: Vec<f64> =
            kept.iter().map(|(measured, predicted)| (measured - predicted) / predicted).collect();
        let logs: f64 = kept.iter().map(|(measured, predicted)| (predicted / measured).ln()).sum();
        Some(Self {
            mdpe: Ratio(median(errors.clone())?),
            mdape: Ratio(median(errors.iter().map(|e| e.abs()).collect())?),
            gmr: Ratio((logs / kept.len() as f64).exp()),
            pairs: kept.len(),
        })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(0.5 * (lower + upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_geometric_mean() {
        let pairs = [(110.0, 100.0), (80.0, 100.0), (150.0, 100.0), (100.0, 0.0), (0.0, 50.0)];
        let found = Agreement::of(pairs.map(|(m, p)| (NgPerMl(m), NgPerMl(p)))).expect("three pairs");
        assert_eq!(found.pairs, 3);
        assert!((found.mdpe.0 - 0.1).abs() < 1e-15);
        assert!((found.mdape.0 - 0.2).abs() < 1e-15);
        assert!((found.gmr.0 - (1.0 / (1.1 * 0.8 * 1.5_f64)).cbrt()).abs() < 1e-15);
        let two = Agreement::of([(NgPerMl(1.0), NgPerMl(1.0)), (NgPerMl(3.0), NgPerMl(1.0))]).expect("two");
        assert_eq!(two.mdpe, Ratio(1.0));
        assert_eq!(Agreement::of([]), None);
    }
}
