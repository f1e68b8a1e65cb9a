//! What became of the patients of a clinic by one scale: each against their own score before their last series.

use super::{
    Answered, Followed, Infusion, Share, Survival, answered, around, held, last_series, share, survival,
};
use crate::knowledge::Item;
use crate::knowledge::scales::{Condition, Scale};
use crate::scale::{Outcome, due, outcome};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// Hours of a day, for the end of the window.
const HOURS_PER_DAY: i64 = 24;

/// Who is counted, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Scale.
    pub item: &'a Item<Scale>,
    /// Whose rule of a response holds; without one the general rule of the scale.
    pub condition: Option<Condition>,
    /// Counted are those whose last series began from this moment,
    pub from: Timestamp,
    /// to before this one.
    pub before: Timestamp,
    /// Days after the first infusion whose last score counts.
    pub within_d: u32,
    /// Now.
    pub now: Timestamp,
}

/// What is known of one patient, each in order of time. A total that could not be made is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Infusions.
    pub infusions: Vec<Infusion>,
    /// Scores of the scale.
    pub scores: Vec<(Timestamp, Option<Decimal>)>,
}

/// How far one patient came in the days that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// The days are not over.
    TooEarly,
    /// No score before the series, or none in the days after it: it is not known, and no failure.
    NotKnown,
    /// The last score of these days against the baseline.
    Known(Box<Outcome>),
}

/// What became of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Became {
    /// In the days that count.
    pub reached: Reached,
    /// The last score of all, however late.
    pub last: Option<Outcome>,
    /// From the first response to its loss, or to the last score.
    pub followed: Option<Followed>,
    /// How much of what was due was answered.
    pub answered: Answered,
}

impl Became {
    /// By the last score of all, worse than before the series by more than chance.
    pub fn is_worse(&self) -> bool {
        self.last.as_ref().is_some_and(|last| worsened(last) == Some(true))
    }

    fn known(&self, says: fn(&Outcome) -> Option<bool>) -> Option<bool> {
        match &self.reached {
            Reached::Known(outcome) => says(outcome),
            Reached::TooEarly | Reached::NotKnown => None,
        }
    }
}

fn worsened(outcome: &Outcome) -> Option<bool> {
    outcome.reliable.map(|reliable| reliable && outcome.worse)
}

/// Follows one patient; `None` for one who had no infusion, or whose last series began at another time. A total that
/// the scale cannot have is as if it were not there.
pub fn became(question: &Question, known: &Known) -> Option<Became> {
    let series = last_series(&known.infusions);
    let begun = series.first()?.at;
    if begun < question.from || begun >= question.before {
        return None;
    }
    let given: Vec<Timestamp> = known.scores.iter().map(|(at, _)| *at).collect();
    let conditions: Vec<Condition> = question.condition.into_iter().collect();
    let due = due(&question.item.body, series, &given, &conditions, question.now);
    let totals: Vec<(Timestamp, Decimal)> =
        known.scores.iter().filter_map(|(at, total)| Some((*at, (*total)?))).collect();
    let (baseline, later) = around(&totals, begun);
    let held =
        baseline.and_then(|(_, baseline)| held(question.item, question.condition, baseline, later).ok());
    Some(Became {
        reached: reached(question, begun, baseline.map(|(_, total)| total), later),
        followed: held.as_ref().and_then(|held| held.followed),
        last: held.and_then(|held| held.last),
        answered: answered(&due),
    })
}

fn reached(
    question: &Question,
    begun: Timestamp,
    baseline: Option<Decimal>,
    later: &[(Timestamp, Decimal)],
) -> Reached {
    let days = SignedDuration::from_hours(HOURS_PER_DAY.saturating_mul(i64::from(question.within_d)));
    let ends = begun.checked_add(days).unwrap_or(Timestamp::MAX);
    if question.now < ends {
        return Reached::TooEarly;
    }
    let last = later.iter().take_while(|(at, _)| *at <= ends).last();
    let compared = baseline
        .zip(last)
        .and_then(|(baseline, (_, last))| outcome(question.item, baseline, *last, question.condition).ok());
    compared.map_or(Reached::NotKnown, |outcome| Reached::Known(Box::new(outcome)))
}

/// All patients of a clinic, counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// Patients with a series that began in time.
    pub treated: usize,
    /// Of them those whose days are not over: they are in no share.
    pub too_early: usize,
    /// Of them those of whom it is not known.
    pub not_known: usize,
    /// Responded, by the last score of the days that count.
    pub response: Option<Share>,
    /// In remission by it.
    pub remission: Option<Share>,
    /// Worse by more than chance by it.
    pub worse: Option<Share>,
    /// How long a response held, of everybody who ever had one.
    pub holding: Option<Survival>,
    /// How much of what was due was answered.
    pub answered: Answered,
}

/// Adds up.
pub fn counted(patients: &[Became]) -> Counted {
    let over = || patients.iter().filter(|one| one.reached != Reached::TooEarly);
    let not_known = patients.iter().filter(|one| one.reached == Reached::NotKnown).count();
    let followed: Vec<Followed> = patients.iter().filter_map(|one| one.followed).collect();
    Counted {
        treated: patients.len(),
        too_early: patients.len() - over().count(),
        not_known,
        response: share(over().map(|one| one.known(|outcome| outcome.response))),
        remission: share(over().map(|one| one.known(|outcome| outcome.remission))),
        worse: share(over().map(|one| one.known(worsened))),
        holding: survival(&followed),
        answered: patients.iter().fold(Answered::default(), |sum, one| Answered {
            answered: sum.answered + one.answered.answered,
            missed: sum.missed + one.answered.missed,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static KNOWLEDGE: LazyLock<Knowledge> =
        LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

    fn day(days: i64) -> Timestamp {
        let first: Timestamp = "2026-01-05T15:00:00Z".parse().expect("a time");
        first.checked_add(SignedDuration::from_hours(24 * days)).expect("in range")
    }

    fn question(now: i64) -> Question<'static> {
        let item = KNOWLEDGE.scale("phq9").expect("shipped");
        let condition = Some(Condition::Mdd);
        Question { item, condition, from: day(-400), before: day(400), within_d: 42, now: day(now) }
    }

    fn patient(scores: &[(i64, i64)]) -> Known {
        let infusions = [(0, 1), (3, 2), (7, 3)].map(|(at, number)| Infusion { at: day(at), number, of: 3 });
        let scores = scores.iter().map(|(at, total)| (day(*at), Some(Decimal::from(*total)))).collect();
        Known { infusions: infusions.into(), scores }
    }

    #[test]
    fn the_last_score_of_the_days_that_count_decides_and_a_later_one_tells_who_is_worse_now() {
        let fell_ill = became(&question(200), &patient(&[(-1, 18), (20, 8), (41, 9), (100, 24)]));
        let fell_ill = fell_ill.expect("treated");
        assert_eq!(fell_ill.known(|outcome| outcome.response), Some(true));
        assert!(fell_ill.is_worse() && fell_ill.known(worsened) == Some(false));
        assert_eq!(fell_ill.followed, Some(Followed { days: 80, ended: true }));
        let crept = became(&question(200), &patient(&[(-1, 18), (41, 21)])).expect("treated");
        assert!(!crept.is_worse(), "3 points may be chance");
    }

    #[test]
    fn who_cannot_be_judged_is_no_failure() {
        let no_baseline = became(&question(200), &patient(&[(20, 8)])).expect("treated");
        let no_later = became(&question(200), &patient(&[(-1, 18), (60, 8)])).expect("treated");
        let early = became(&question(30), &patient(&[(-1, 18), (20, 8)])).expect("treated");
        assert_eq!([&no_baseline.reached, &no_later.reached], [&Reached::NotKnown, &Reached::NotKnown]);
        assert_eq!(early.reached, Reached::TooEarly);
        let good = became(&question(200), &patient(&[(-1, 18), (20, 4)])).expect("treated");
        let all = counted(&[no_baseline, no_later, early, good]);
        let response = all.response.expect("one is known");
        assert_eq!((all.treated, all.too_early), (4, 1));
        assert_eq!((response.events, response.of, response.missing), (1, 1, 2));
        assert_eq!(all.holding.map(|curve| curve.patients), Some(3), "responses are followed however early");
    }

    #[test]
    fn only_a_series_that_began_in_time_counts() {
        let known = patient(&[(-1, 18), (20, 8)]);
        let asked = Question { from: day(1), ..question(200) };
        assert_eq!(became(&asked, &known), None);
        assert_eq!(became(&Question { before: day(0), ..question(200) }, &known), None);
        assert!(became(&Question { from: day(0), before: day(1), ..question(200) }, &known).is_some());
        assert_eq!(became(&question(200), &Known { infusions: Vec::new(), ..known }), None);
    }

    proptest! {
        /// Every patient is in exactly one place: known, not known, too early.
        #[test]
        fn nobody_is_counted_twice_or_lost(
            patients in prop::collection::vec(prop::collection::vec((-5_i64..120, 0_i64..=27), 0..6), 0..30),
            now in 0_i64..150,
        ) {
            let patients: Vec<Became> = patients
                .into_iter()
                .map(|mut scores| {
                    scores.sort_unstable();
                    became(&question(now), &patient(&scores)).expect("treated")
                })
                .collect();
            let all = counted(&patients);
            // The PHQ-9 says of every score whether it is a remission.
            let known = all.remission.map_or(0, |share| share.of as usize);
            prop_assert_eq!(known + all.not_known + all.too_early, patients.len());
            if let Some(share) = all.remission {
                prop_assert_eq!(share.missing as usize, all.not_known);
            }
        }
    }
}
