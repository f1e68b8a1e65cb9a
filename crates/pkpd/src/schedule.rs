//! What is given, and when: boluses and infusions, in any order, overlapping or not.

use crate::refused::{AMOUNT, RATE, Refused, TIME};
use crate::units::{Mg, MgPerMin, Minutes};

/// Doses in one schedule, at most: a year of infusions with a rate change a minute fits.
pub const DOSES_MAX: usize = 100_000;

/// One dose into the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dose {
    /// All at once. A concentration asked for at this very time is the one after it.
    Bolus {
        /// When.
        at: Minutes,
        /// How much.
        amount: Mg,
    },
    /// At a steady rate.
    Infusion {
        /// First moment.
        start: Minutes,
        /// Last moment, after the start.
        end: Minutes,
        /// How fast.
        rate: MgPerMin,
    },
}

impl Dose {
    /// An amount given evenly over a length of time; over 0 min it is a bolus.
    #[must_use]
    pub fn over(amount: Mg, length: Minutes, start: Minutes) -> Self {
        if length.0 == 0.0 {
            Self::Bolus { at: start, amount }
        } else {
            Self::Infusion { start, end: Minutes(start.0 + length.0), rate: amount.over(length) }
        }
    }

    /// How much it gives in all.
    #[must_use]
    pub fn amount(&self) -> Mg {
        match *self {
            Self::Bolus { amount, .. } => amount,
            Self::Infusion { start, end, rate } => Mg(rate.0 * (end.0 - start.0)),
        }
    }

    /// Its first moment.
    #[must_use]
    pub fn start(&self) -> Minutes {
        match *self {
            Self::Bolus { at, .. } => at,
            Self::Infusion { start, .. } => start,
        }
    }

    /// Its last moment.
    #[must_use]
    pub fn end(&self) -> Minutes {
        match *self {
            Self::Bolus { at, .. } => at,
            Self::Infusion { end, .. } => end,
        }
    }

    fn checked(self) -> Result<Self, Refused> {
        TIME.check(self.start().0)?;
        TIME.check(self.end().0)?;
        match self {
            Self::Bolus { amount, .. } => AMOUNT.check(amount.0)?,
            Self::Infusion { start, end, .. } if end <= start => {
                return Err(Refused::EndsBeforeStart { start: start.0, end: end.0 });
            }
            Self::Infusion { rate, .. } => RATE.check(rate.0)?,
        };
        Ok(self)
    }
}

/// Doses, checked, and cut into stretches of constant rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    doses: Vec<Dose>,
    steps: Vec<Step>,
}

/// From `at` on: first the bolus, then the rate until the next step. The last rate is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) at: f64,
    pub(crate) bolus: f64,
    pub(crate) rate: f64,
}

impl Schedule {
    /// # Errors
    /// A time, amount or rate that is negative, too large or not a number; an infusion that ends before it starts;
    /// more than [`DOSES_MAX`].
    pub fn new(doses: impl IntoIterator<Item = Dose>) -> Result<Self, Refused> {
        let doses = doses.into_iter().map(Dose::checked).collect::<Result<Vec<_>, _>>()?;
        if doses.len() > DOSES_MAX {
            return Err(Refused::TooMany { what: "doses", count: doses.len(), most: DOSES_MAX });
        }
        let steps = steps(&doses);
        Ok(Self { doses, steps })
    }

    /// The doses as given.
    #[must_use]
    pub fn doses(&self) -> &[Dose] {
        &self.doses
    }

    /// All that is given.
    #[must_use]
    pub fn amount(&self) -> Mg {
        Mg(self.doses.iter().map(|d| d.amount().0).sum())
    }

    /// First moment; `None` without doses.
    #[must_use]
    pub fn start(&self) -> Option<Minutes> {
        self.steps.first().map(|s| Minutes(s.at))
    }

    /// Last moment; `None` without doses.
    #[must_use]
    pub fn end(&self) -> Option<Minutes> {
        self.steps.last().map(|s| Minutes(s.at))
    }

    /// The same doses, each times a ratio, as for the half of a racemate.
    ///
    /// # Errors
    /// A ratio that makes a dose negative, too large or not a number.
    pub fn scaled(&self, ratio: crate::units::Ratio) -> Result<Self, Refused> {
        Self::new(self.doses.iter().map(|d| match *d {
            Dose::Bolus { at, amount } => Dose::Bolus { at, amount: Mg(amount.0 * ratio.0) },
            Dose::Infusion { start, end, rate } => {
                Dose::Infusion { start, end, rate: MgPerMin(rate.0 * ratio.0) }
            }
        }))
    }

    /// What of it is given up to and with a moment: what runs then is cut off there.
    #[must_use]
    pub fn until(&self, moment: Minutes) -> Self {
        let doses: Vec<Dose> = self
            .doses
            .iter()
            .filter_map(|dose| match *dose {
                Dose::Bolus { at, .. } => (at <= moment).then_some(*dose),
                Dose::Infusion { start, end, rate } => (start < moment).then_some(Dose::Infusion {
                    start,
                    end: Minutes(end.0.min(moment.0)),
                    rate,
                }),
            })
            .collect();
        Self { steps: steps(&doses), doses }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

fn steps(doses: &[Dose]) -> Vec<Step> {
    let mut times: Vec<f64> = doses.iter().flat_map(|d| [d.start().0, d.end().0]).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut waiting: Vec<&Dose> = doses.iter().collect();
    waiting.sort_by(|a, b| b.start().0.total_cmp(&a.start().0));
    let mut running: Vec<&Dose> = Vec::new();
    times
        .into_iter()
        .map(|at| {
            let mut bolus = 0.0;
            running.retain(|d| d.end().0 > at);
            while let Some(next) = waiting.pop_if(|d| d.start().0 <= at) {
                match next {
                    Dose::Bolus { amount, .. } => bolus += amount.0,
                    Dose::Infusion { .. } => running.push(next),
                }
            }
            // Summed anew each time, so that no rounding is left running when all pumps stand still.
            let rate =
                running.iter().map(|d| if let Dose::Infusion { rate, .. } = d { rate.0 } else { 0.0 }).sum();
            Step { at, bolus, rate }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infusion(start: f64, end: f64, rate: f64) -> Dose {
        Dose::Infusion { start: Minutes(start), end: Minutes(end), rate: MgPerMin(rate) }
    }

    #[test]
    fn overlapping_doses_become_stretches_of_one_rate() {
        let bolus = Dose::Bolus { at: Minutes(20.0), amount: Mg(3.0) };
        let schedule =
            Schedule::new([infusion(10.0, 30.0, 0.2), bolus, infusion(0.0, 20.0, 0.1)]).expect("valid");
        let found: Vec<_> = schedule.steps().iter().map(|s| (s.at, s.bolus, s.rate)).collect();
        assert_eq!(found, [(0.0, 0.0, 0.1), (10.0, 0.0, 0.1 + 0.2), (20.0, 3.0, 0.2), (30.0, 0.0, 0.0)]);
        assert_eq!(schedule.amount(), Mg(9.0));
    }

    #[test]
    fn until_a_moment_only_what_was_given_by_then() {
        let bolus = |at| Dose::Bolus { at: Minutes(at), amount: Mg(3.0) };
        let schedule =
            Schedule::new([infusion(0.0, 20.0, 0.5), infusion(10.0, 30.0, 1.0), bolus(10.0), bolus(11.0)])
                .expect("valid");
        let expected = Schedule::new([infusion(0.0, 10.0, 0.5), bolus(10.0)]).expect("valid");
        assert_eq!(schedule.until(Minutes(10.0)), expected);
        assert_eq!(schedule.until(Minutes(99.0)), schedule);
        assert_eq!(schedule.until(Minutes(-1.0)), Schedule::default());
    }

    #[test]
    fn impossible_doses_are_refused_with_their_numbers() {
        let refused = |dose| Schedule::new([dose]).expect_err("impossible").to_string();
        assert_eq!(
            refused(infusion(5.0, 5.0, 1.0)),
            "the infusion from 5 min ends at 5 min; the end must come after the start"
        );
        assert_eq!(
            refused(infusion(0.0, 5.0, -1.0)),
            "infusion rate is -1 mg/min; accepted is 0 to 1000000000 mg/min"
        );
        assert!(refused(infusion(f64::NAN, 5.0, 1.0)).starts_with("time is NaN min"));
        assert!(refused(Dose::over(Mg(1.0), Minutes(f64::NAN), Minutes(0.0))).starts_with("time is NaN min"));
        assert!(
            refused(Dose::Bolus { at: Minutes(0.0), amount: Mg(f64::INFINITY) })
                .starts_with("dose is inf mg")
        );
    }
}
