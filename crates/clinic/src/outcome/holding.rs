//! One patient's scores of a series: when a response came, whether it held, and what was not answered.

use super::Followed;
use crate::knowledge::Item;
use crate::knowledge::scales::{Condition, Scale};
use crate::scale::{Due, DueState, Outcome, Unscorable, outcome, responded};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// Hours of a day, for counting days between two scores.
const HOURS_PER_DAY: i64 = 24;

/// What became of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// First score that is a response.
    pub responded_at: Option<Timestamp>,
    /// First score after it that is none any more.
    pub lost_at: Option<Timestamp>,
    /// From the response to its loss, or to the last score.
    pub followed: Option<Followed>,
    /// The last score against the baseline.
    pub last: Option<Outcome>,
}

/// Follows the scores of one patient, in order of time, against the one before infusion 1 of the series.
///
/// # Errors
/// A total that the scale cannot have.
pub fn held(
    item: &Item<Scale>,
    condition: Option<Condition>,
    baseline: Decimal,
    scores: &[(Timestamp, Decimal)],
) -> Result<Held, Unscorable> {
    let mut held = Held { responded_at: None, lost_at: None, followed: None, last: None };
    for (at, total) in scores {
        match (responded(item, baseline, *total, condition)?, held.responded_at, held.lost_at) {
            (Some(true), None, _) => held.responded_at = Some(*at),
            (Some(false), Some(_), None) => held.lost_at = Some(*at),
            _ => {}
        }
    }
    held.last = scores.last().map(|(_, total)| outcome(item, baseline, *total, condition)).transpose()?;
    let until = held.lost_at.or(scores.last().map(|(at, _)| *at));
    held.followed = held.responded_at.zip(until).map(|(from, until)| {
        let days = until.duration_since(from).as_hours() / HOURS_PER_DAY;
        Followed { days: u32::try_from(days).unwrap_or(0), ended: held.lost_at.is_some() }
    });
    Ok(held)
}

/// How much of what was due was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    /// Answered in time.
    pub answered: u32,
    /// Closed without an answer.
    pub missed: u32,
}

/// Counts what is over; what is open or still to come is neither.
pub fn answered(due: &[Due]) -> Answered {
    let mut count = Answered::default();
    for one in due {
        match one.state {
            DueState::Answered(_) => count.answered += 1,
            DueState::Missed => count.missed += 1,
            DueState::Open | DueState::Coming => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;
    use crate::outcome::{Infusion, share, survival};
    use crate::scale::due;
    use jiff::SignedDuration;

    fn day(days: i64) -> Timestamp {
        "2027-01-04T15:00:00Z"
            .parse::<Timestamp>()
            .expect("a time")
            .checked_add(SignedDuration::from_hours(24 * days))
            .expect("in range")
    }

    fn followed(scores: &[(i64, i64)]) -> Held {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let scores: Vec<_> = scores.iter().map(|(at, total)| (day(*at), Decimal::from(*total))).collect();
        held(knowledge.scale("phq9").expect("shipped"), None, 20.into(), &scores).expect("totals of a PHQ-9")
    }

    #[test]
    fn a_response_is_followed_until_it_is_lost() {
        let lost = followed(&[(3, 14), (10, 10), (20, 8), (41, 11), (50, 9)]);
        assert_eq!((lost.responded_at, lost.lost_at), (Some(day(10)), Some(day(41))));
        assert_eq!(lost.followed, Some(Followed { days: 31, ended: true }));
        let holds = followed(&[(3, 14), (10, 10), (38, 7)]);
        assert_eq!(holds.followed, Some(Followed { days: 28, ended: false }));
        assert_eq!(holds.last.map(|last| last.response), Some(Some(true)));
        let never = followed(&[(3, 14), (10, 11)]);
        assert_eq!((never.responded_at, never.followed), (None, None));
        assert_eq!(followed(&[]).last, None);
    }

    #[test]
    fn a_clinic_counts_who_responded_and_how_long_it_held() {
        let patients = [
            followed(&[(10, 10), (41, 11)]),
            followed(&[(10, 9), (38, 7)]),
            followed(&[(10, 15)]),
            followed(&[]),
        ];
        let responded = share(patients.iter().map(|p| p.last.as_ref().map(|_| p.responded_at.is_some())));
        let responded = responded.expect("three are known");
        assert_eq!((responded.events, responded.of, responded.missing), (2, 3, 1));
        let curve = survival(&patients.iter().filter_map(|p| p.followed).collect::<Vec<_>>()).expect("two");
        assert_eq!((curve.patients, curve.at(30), curve.at(31)), (2, Some(1.0), Some(0.0)));
    }

    #[test]
    fn what_is_open_is_not_missing() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let phq = &knowledge.scale("phq9").expect("shipped").body;
        let series = [(0, 1), (3, 2), (7, 3)].map(|(at, number)| Infusion { at: day(at), number, of: 3 });
        let all = due(phq, &series, &[day(3)], &[], day(7));
        assert_eq!(answered(&all), Answered { answered: 1, missed: 1 });
    }
}
