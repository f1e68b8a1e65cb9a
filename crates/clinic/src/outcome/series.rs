//! A series of infusions and the scores around it.

use jiff::Timestamp;
use rust_decimal::Decimal;

/// One infusion: its start, and its number of how many that were planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infusion {
    /// Start.
    pub at: Timestamp,
    /// 1 begins a series.
    pub number: u32,
    /// Planned number; a booster is the last by plan.
    pub of: u32,
}

/// A score and when it was answered.
pub type Dated = (Timestamp, Decimal);

/// The last series, in order of time: from the last infusion that is the first of one. All of them where none is.
pub fn last_series(infusions: &[Infusion]) -> &[Infusion] {
    let first = infusions.iter().rposition(|infusion| infusion.number == 1).unwrap_or(0);
    infusions.get(first..).unwrap_or(&[])
}

/// The last score up to the first infusion of a series, and all scores after that infusion. Without a score before
/// there is no baseline, and none is made of a later one.
pub fn around(scores: &[Dated], first: Timestamp) -> (Option<Dated>, &[Dated]) {
    let before = scores.partition_point(|(at, _)| *at <= first);
    let (earlier, later) = scores.split_at(before);
    (earlier.last().copied(), later)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(86_400 * day).expect("in range")
    }

    #[test]
    fn a_series_begins_anew_with_its_first_infusion() {
        let infusions =
            [(0, 1), (3, 2), (200, 1), (203, 2)].map(|(day, number)| Infusion { at: at(day), number, of: 2 });
        assert_eq!(last_series(&infusions), &infusions[2..]);
        assert_eq!(last_series(&infusions[1..2]), &infusions[1..2], "the first was elsewhere");
        assert_eq!(last_series(&[]), &[]);
    }

    #[test]
    fn the_baseline_is_the_last_score_before_and_never_a_later_one() {
        let scores =
            [(0, 20), (9, 18), (10, 17), (12, 9)].map(|(day, total)| (at(day), Decimal::from(total)));
        let (baseline, later) = around(&scores, at(10));
        assert_eq!(
            (baseline, later),
            (Some(scores[2]), &scores[3..]),
            "a score at the start counts as before"
        );
        assert_eq!(around(&scores, at(-1)), (None, &scores[..]));
    }
}
