//! How a response wore off before: after which infusion, until when it was seen to hold, and when it was seen lost.

use super::series::Dated;
use super::{Infusion, around};
use crate::knowledge::Item;
use crate::knowledge::scales::{Condition, Scale};
use crate::scale::{Unscorable, responded};
use jiff::Timestamp;

/// One loss of a response. Nobody scored in between, so when it came is known no better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The last infusion before it.
    pub infusion: Timestamp,
    /// Last score after that infusion that was a response.
    pub held: Timestamp,
    /// First score that was none.
    pub lost: Timestamp,
}

/// Every loss of a response in every series, oldest first, each series against its own score before infusion 1. A
/// response that no score showed after the last infusion tells nothing of how long that one lasts.
///
/// # Errors
/// A total that the scale cannot have.
pub fn losses(
    item: &Item<Scale>,
    condition: Option<Condition>,
    infusions: &[Infusion],
    scores: &[Dated],
) -> Result<Vec<Loss>, Unscorable> {
    let mut losses = Vec::new();
    for series in infusions.chunk_by(|_, next| next.number != 1) {
        let Some(first) = series.first() else { continue };
        let next = infusions.iter().find(|one| one.number == 1 && one.at > first.at).map(|one| one.at);
        let (Some((_, baseline)), later) = around(scores, first.at) else { continue };
        let mut held: Option<Timestamp> = None;
        for (at, total) in later.iter().take_while(|(at, _)| next.is_none_or(|next| *at <= next)) {
            match (responded(item, baseline, *total, condition)?, held) {
                (Some(true), _) => held = Some(*at),
                (Some(false), Some(last)) => {
                    let infusion = series.iter().rev().map(|one| one.at).find(|given| given < at);
                    losses.extend(infusion.filter(|given| *given < last).map(|infusion| Loss {
                        infusion,
                        held: last,
                        lost: *at,
                    }));
                    held = None;
                }
                _ => {}
            }
        }
    }
    Ok(losses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;
    use rust_decimal::Decimal;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(86_400 * day).expect("in range")
    }

    fn lost(infusions: &[(i64, u32)], scores: &[(i64, i64)]) -> Vec<(i64, i64, i64)> {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let infusions: Vec<_> =
            infusions.iter().map(|(at, number)| Infusion { at: day(*at), number: *number, of: 6 }).collect();
        let scores: Vec<_> = scores.iter().map(|(at, total)| (day(*at), Decimal::from(*total))).collect();
        let all =
            losses(knowledge.scale("phq9").expect("shipped"), None, &infusions, &scores).expect("totals");
        let days = |at: Timestamp| at.as_second() / 86_400;
        all.into_iter().map(|one| (days(one.infusion), days(one.held), days(one.lost))).collect()
    }

    #[test]
    fn each_loss_is_told_with_the_infusion_before_it() {
        let series = [(0, 1), (3, 2), (40, 3)];
        let scores = [(0, 20), (5, 8), (12, 9), (20, 14), (38, 15), (43, 7), (60, 13)];
        assert_eq!(lost(&series, &scores), [(3, 12, 20), (40, 43, 60)]);
    }

    #[test]
    fn a_new_series_counts_from_its_own_score_and_a_response_that_nobody_saw_is_none() {
        let two = [(0, 1), (100, 1)];
        assert_eq!(
            lost(&two, &[(0, 20), (10, 8), (99, 24), (110, 12), (120, 13)]),
            [(0, 10, 99), (100, 110, 120)]
        );
        assert_eq!(lost(&[(0, 1)], &[(0, 20), (10, 14), (20, 15)]), []);
        assert_eq!(lost(&[(0, 1), (15, 2)], &[(0, 20), (10, 8), (20, 15)]), [], "not seen after infusion 2");
        assert_eq!(lost(&[(0, 1)], &[(10, 8), (20, 15)]), [], "nothing to compare with");
    }
}
