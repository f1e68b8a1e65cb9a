//! How a dose is given, against what a model was made for: too fast, too early after a bolus, too much by one way in.
//! A run that has not ended says nothing of its length, so that this judges what is planned or was given in all.

use crate::forecast::Reason;
use crate::model::Model;
use crate::schedule::{Dose, Schedule};
use crate::units::Minutes;

/// Share of a run that its short peaks may give: less than any assay tells. A pump rounds its rates by less.
const PEAKS: f64 = 0.01;

impl Model {
    /// Why the model has nothing to say, at any of these times, about how something is given. Empty inside its domain.
    #[must_use]
    pub fn objections_to_giving(&self, given: &Schedule, times: &[Minutes]) -> Vec<Reason> {
        let valid = &self.spec().validity;
        let too_fast = shorter(given, valid.infusion_min.0)
            .map(|length| Reason::Fast { length: Minutes(length), shortest: valid.infusion_min });
        let is_early = times.iter().any(|time| self.is_after_bolus(given, *time));
        let too_early = is_early.then_some(Reason::AfterBolus { length: valid.after_bolus });
        let too_much = given.by_other_ways().iter().filter_map(|one| {
            let name = one.route.as_deref()?;
            let most = self.spec().routes.iter().find(|route| route.name == name)?.dose_max?;
            let dose = one.dose.amount();
            (dose.0 > most.0 * (1.0 + 5e-7)).then(|| Reason::OneDose { route: name.to_owned(), dose, most })
        });
        too_fast.into_iter().chain(too_early).chain(too_much.take(1)).collect()
    }

    /// Whether a bolus is so fresh at a time that the model was not made for it.
    #[must_use]
    pub fn is_after_bolus(&self, given: &Schedule, time: Minutes) -> bool {
        let length = self.spec().validity.after_bolus.0;
        let is_fresh = |at: f64| at <= time.0 && time.0 < at + length;
        given.doses().iter().any(|dose| matches!(dose, Dose::Bolus { at, .. } if is_fresh(at.0)))
    }
}

/// Length of the peak that gives most of those shorter than `least`, where they give more than [`PEAKS`] of their run.
///
/// Rates add up, so a run of any rates is a pile of infusions: at each height one for every stretch that rises above it.
fn shorter(given: &Schedule, least: f64) -> Option<f64> {
    let mut pile: Vec<(f64, f64)> = Vec::new();
    let (mut of_run, mut of_peaks, mut worst) = (0.0, 0.0, (0.0, 0.0));
    for step in given.steps() {
        let mut begin = step.at;
        while let Some((start, height)) = pile.pop_if(|top| top.1 > step.rate) {
            let under = pile.last().map_or(0.0, |below| below.1).max(step.rate);
            let (length, amount) = (step.at - start, (height - under) * (step.at - start));
            of_run += amount;
            if length < least * (1.0 - 1e-9) {
                of_peaks += amount;
                worst = if amount > worst.1 { (length, amount) } else { worst };
            }
            begin = start;
        }
        if step.rate > pile.last().map_or(0.0, |top| top.1) {
            pile.push((begin, step.rate));
        }
        if pile.is_empty() {
            if of_peaks > PEAKS * of_run {
                return Some(worst.0);
            }
            (of_run, of_peaks, worst) = (0.0, 0.0, (0.0, 0.0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MgPerMin;
    use proptest::prelude::*;

    fn schedule(doses: &[(f64, f64, f64)]) -> Schedule {
        let each = doses.iter().map(|&(start, length, rate)| Dose::Infusion {
            start: Minutes(start),
            end: Minutes(start + length),
            rate: MgPerMin(rate),
        });
        Schedule::new(each).expect("doses")
    }

    #[test]
    fn a_peak_is_as_short_as_it_stands_above_what_runs_beside_it() {
        let shortest = |doses: &[(f64, f64, f64)]| shorter(&schedule(doses), 10.0);
        assert_eq!(shortest(&[(0.0, 40.0, 1.0)]), None);
        assert_eq!(shortest(&[(0.0, 5.0, 1.0)]), Some(5.0));
        // One run in pieces is one run, a fast beginning is a short infusion on top of a long one.
        assert_eq!(shortest(&[(0.0, 5.0, 1.0), (5.0, 5.0, 1.0)]), None);
        assert_eq!(shortest(&[(0.0, 1.0, 24.0), (1.0, 39.0, 0.4)]), Some(1.0));
        assert_eq!(shortest(&[(0.0, 12.0, 2.0), (12.0, 28.0, 0.4)]), None);
        // Steps of the pump's rounding are no peaks, and a long course does not hide a short infusion.
        assert_eq!(shortest(&[(0.0, 40.0, 1.0), (20.0, 1.0, 0.01)]), None);
        assert_eq!(shortest(&[(0.0, 900.0, 1.0), (2000.0, 2.0, 1.0)]), Some(2.0));
    }

    proptest! {
        /// Whatever is put together of infusions that are long enough is long enough, however many overlap.
        #[test]
        fn long_infusions_make_no_peak(
            doses in prop::collection::vec((0.0..300.0_f64, 10.0..90.0_f64, 0.1..5.0_f64), 1..3),
        ) {
            // Two that overlap by less than that do make a peak, of what they give together.
            let overlaps = doses.iter().enumerate().any(|(i, a)| doses[i + 1..].iter().any(|b| {
                let both = (a.0 + a.1).min(b.0 + b.1) - a.0.max(b.0);
                both > 0.0 && both < 10.0
            }));
            prop_assume!(!overlaps);
            prop_assert_eq!(shorter(&schedule(&doses), 10.0), None);
        }

        /// Every infusion below the shortest is found, wherever it stands.
        #[test]
        fn a_short_infusion_is_found(start in 0.0..300.0_f64, length in 0.1..9.9_f64, rate in 0.1..5.0_f64) {
            let found = shorter(&schedule(&[(start, length, rate)]), 10.0);
            prop_assert!(found.is_some_and(|found| (found - length).abs() < 1e-9));
        }
    }
}
