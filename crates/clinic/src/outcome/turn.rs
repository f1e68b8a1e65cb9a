//! What a new score turns: a response that is lost, or a patient who is worse than before the series.

use crate::knowledge::Item;
use crate::knowledge::scales::{Condition, Scale};
use crate::quantity::plain;
use crate::scale::{Unscorable, outcome};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What somebody has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The score before was a response, this one is none.
    ResponseLost,
    /// Worse than before the series by more than chance, which the score before was not.
    Worse,
}

impl Turn {
    /// As a clinician reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ResponseLost => "the response is lost",
            Self::Worse => "worse than before the series",
        }
    }
}

/// What the last score turns against the one before it, by the rules of the condition, and how it reads. A score that
/// stays as bad as it was turns nothing: somebody was told.
///
/// # Errors
/// A total that the scale cannot have.
pub fn turned(
    item: &Item<Scale>,
    condition: Option<Condition>,
    baseline: Decimal,
    scores: &[(Timestamp, Decimal)],
) -> Result<Option<(Turn, String)>, Unscorable> {
    let Some(((_, now), earlier)) = scores.split_last() else { return Ok(None) };
    let before = earlier.last().map(|(_, total)| *total);
    let is = outcome(item, baseline, *now, condition)?;
    let was = before.map(|total| outcome(item, baseline, total, condition)).transpose()?;
    let responded = was.as_ref().is_some_and(|was| was.response == Some(true));
    let worse = |one: &crate::scale::Outcome| one.worse && one.reliable == Some(true);
    let turn = if worse(&is) && !was.as_ref().is_some_and(worse) {
        Turn::Worse
    } else if responded && is.response == Some(false) {
        Turn::ResponseLost
    } else {
        return Ok(None);
    };
    let last = before.map(|total| format!("{} the time before, ", plain(total))).unwrap_or_default();
    Ok(Some((turn, format!("{} before the series, {last}{} now", plain(baseline), plain(*now)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::shipped().expect("knowledge"));

    fn told(scores: &[i64]) -> Option<(Turn, String)> {
        let at =
            |day: usize| Timestamp::from_second(86_400 * i64::try_from(day).expect("few")).expect("in range");
        let scores: Vec<_> =
            scores.iter().enumerate().map(|(day, total)| (at(day), Decimal::from(*total))).collect();
        turned(KNOWLEDGE.scale("phq9").expect("shipped"), None, 20.into(), &scores)
            .expect("totals of a PHQ-9")
    }

    #[test]
    fn a_response_that_is_lost_and_a_worsening_are_told_once() {
        let lost = Some((Turn::ResponseLost, "20 before the series, 8 the time before, 13 now".to_owned()));
        assert_eq!(told(&[14, 8, 13]), lost);
        for quiet in [&[][..], &[14], &[14, 8], &[14, 8, 10], &[8, 13, 14], &[22], &[26, 27]] {
            assert_eq!(told(quiet), None, "{quiet:?}");
        }
        let worse = Some((Turn::Worse, "20 before the series, 26 now".to_owned()));
        assert_eq!(told(&[26]), worse);
        assert_eq!(told(&[8, 27]).map(|(turn, _)| turn), Some(Turn::Worse), "the worse of the two is told");
    }

    proptest! {
        /// Whoever loses a response is told of at some score on the way, wherever the scores go.
        #[test]
        fn no_response_is_lost_in_silence(scores in prop::collection::vec(0..=27_i64, 1..12)) {
            let response = |total: &i64| *total <= 10;
            let lost = scores.windows(2).any(|pair| response(&pair[0]) && !response(&pair[1]));
            let told = (1..=scores.len()).filter_map(|n| told(&scores[..n])).count();
            prop_assert!(!lost || told > 0, "{scores:?}");
        }
    }
}
