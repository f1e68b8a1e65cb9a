//! How long something held, when many were not followed to the end (Kaplan and Meier).

use super::Z_95;

/// One patient: from the response to its loss, or to the last day on which it was known to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Followed {
    /// How long.
    pub days: u32,
    /// Whether it ended then; else nobody knows how long it went on.
    pub ended: bool,
}

/// The curve falls here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Day.
    pub days: u32,
    /// Followed until then, and it still held.
    pub at_risk: u32,
    /// For how many it ended on that day.
    pub events: u32,
    /// Share for whom it holds after that day.
    pub holds: f64,
    /// Interval of 95 %, log-minus-log of Greenwood's variance, which never leaves 0 to 1. None where the share is 0.
    pub interval: Option<[f64; 2]>,
}

/// A curve of those for whom it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Survival {
    /// Patients.
    pub patients: u32,
    /// Followed without its ending.
    pub censored: u32,
    /// Falls, in order of days. Before the first of them it holds for all.
    pub steps: Vec<Step>,
    /// Last day on which anybody was followed; nothing is said beyond it.
    pub followed_to: u32,
    /// Days for which each was followed, ascending.
    days: Vec<u32>,
}

/// The curve; `None` without patients. Who is last seen on the day of a fall was still at risk on it.
pub fn survival(patients: &[Followed]) -> Option<Survival> {
    let mut sorted = patients.to_vec();
    sorted.sort_unstable();
    let followed_to = sorted.last()?.days;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut steps: Vec<Step> = Vec::new();
    let (mut holds, mut greenwood) = (1.0, 0.0);
    let mut days: Vec<u32> = sorted.iter().filter(|one| one.ended).map(|one| one.days).collect();
    days.dedup();
    for day in days {
        let at_risk = count(sorted.iter().filter(|one| one.days >= day).count());
        let events = count(sorted.iter().filter(|one| one.ended && one.days == day).count());
        let (n, d) = (f64::from(at_risk), f64::from(events));
        holds *= 1.0 - d / n;
        greenwood += d / (n * (n - d));
        steps.push(Step { days: day, at_risk, events, holds, interval: interval(holds, greenwood) });
    }
    let censored = count(sorted.iter().filter(|one| !one.ended).count());
    let days = sorted.iter().map(|one| one.days).collect();
    Some(Survival { patients: count(sorted.len()), censored, steps, followed_to, days })
}

/// Of the share that holds, from the sum in Greenwood's variance.
fn interval(holds: f64, greenwood: f64) -> Option<[f64; 2]> {
    if holds <= 0.0 || !greenwood.is_finite() {
        return None;
    }
    let spread = (Z_95 * greenwood.sqrt() / holds.ln().abs()).exp();
    Some([holds.powf(spread), holds.powf(1.0 / spread)])
}

impl Survival {
    /// Share for whom it holds on a day; `None` beyond the last day of anybody.
    pub fn at(&self, days: u32) -> Option<f64> {
        (days <= self.followed_to).then(|| self.fell(days).map_or(1.0, |step| step.holds))
    }
    /// The last fall up to a day; `None` before the first.
    pub fn fell(&self, days: u32) -> Option<&Step> {
        self.steps.iter().take_while(|step| step.days <= days).last()
    }
    /// For how many it held up to a day on which they were still followed.
    pub fn at_risk(&self, days: u32) -> u32 {
        let left = self.days.partition_point(|day| *day < days);
        u32::try_from(self.days.len().saturating_sub(left)).unwrap_or(u32::MAX)
    }
    /// First day after which it holds for half or fewer; `None` where that was not reached.
    pub fn median(&self) -> Option<u32> {
        self.steps.iter().find(|step| step.holds <= 0.5).map(|step| step.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn followed(ended: &[u32], censored: &[u32]) -> Vec<Followed> {
        let ended = ended.iter().map(|days| Followed { days: *days, ended: true });
        ended.chain(censored.iter().map(|days| Followed { days: *days, ended: false })).collect()
    }

    /// Freireich and others 1963, the treated arm, as every textbook works it.
    #[test]
    fn the_curve_of_a_textbook() {
        let patients =
            followed(&[6, 6, 6, 7, 10, 13, 16, 22, 23], &[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]);
        let curve = survival(&patients).expect("patients");
        let printed = [
            (6, 21, 0.8571),
            (7, 17, 0.8067),
            (10, 15, 0.7529),
            (13, 12, 0.6902),
            (16, 11, 0.6275),
            (22, 7, 0.5378),
            (23, 6, 0.4482),
        ];
        assert_eq!(curve.steps.len(), printed.len());
        for (step, (days, at_risk, holds)) in curve.steps.iter().zip(printed) {
            assert_eq!((step.days, step.at_risk), (days, at_risk));
            assert!((step.holds - holds).abs() < 5e-5, "{step:?}");
        }
        assert_eq!(
            (curve.median(), curve.patients, curve.censored, curve.followed_to),
            (Some(23), 21, 12, 35)
        );
        let [low, high] = curve.steps[0].interval.expect("it holds for some");
        assert!((low - 0.6197).abs() < 5e-5 && (high - 0.9516).abs() < 5e-5, "{low} {high}");
        assert_eq!((curve.at(5), curve.at(36)), (Some(1.0), None));
        assert_eq!(curve.at(8), curve.at(7));
        assert_eq!([0, 6, 7, 23, 36].map(|day| curve.at_risk(day)), [21, 21, 17, 6, 0]);
    }

    #[test]
    fn half_may_not_be_reached_and_nobody_is_no_curve() {
        let curve = survival(&followed(&[10], &[20, 30])).expect("patients");
        assert_eq!(curve.median(), None);
        assert_eq!(survival(&[]), None);
        let all = survival(&followed(&[5, 5], &[])).expect("patients");
        assert_eq!((all.steps[0].holds, all.steps[0].interval), (0.0, None));
    }

    proptest! {
        #[test]
        fn a_curve_only_falls_and_stands_in_its_interval(
            patients in prop::collection::vec((0_u32..400, any::<bool>()), 1..60),
        ) {
            let patients: Vec<_> = patients.into_iter().map(|(days, ended)| Followed { days, ended }).collect();
            let curve = survival(&patients).expect("patients");
            let mut before = 1.0;
            for step in &curve.steps {
                prop_assert!(step.holds < before && step.holds >= 0.0);
                if let Some([low, high]) = step.interval {
                    prop_assert!(0.0 <= low && low <= step.holds && step.holds <= high && high <= 1.0);
                }
                before = step.holds;
            }
        }

        #[test]
        fn followed_to_the_end_it_is_a_plain_share(days in prop::collection::vec(1_u32..100, 1..60), at in 0_u32..100) {
            let curve = survival(&followed(&days, &[])).expect("patients");
            prop_assume!(at <= curve.followed_to);
            let still = days.iter().filter(|end| **end > at).count();
            let plain = still as f64 / days.len() as f64;
            prop_assert!((curve.at(at).expect("followed") - plain).abs() < 1e-9);
        }
    }
}
