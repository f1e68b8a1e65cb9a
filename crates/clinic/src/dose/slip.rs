//! Slips of hand and eye, named: a lost decimal point, one strength taken for another.

use rust_decimal::Decimal;

/// How far a ratio may lie from a round one and still be called that, one part in so many.
const CLOSE: i128 = 100;

/// What is likely when two numbers that should agree stand in a round ratio; `None` when nothing suggests itself.
/// Any unit, the same for both.
pub fn ratio_hint(entered: i64, expected: i64) -> Option<&'static str> {
    if entered <= 0 || expected <= 0 {
        return None;
    }
    let (large, small, more) = if entered >= expected {
        (i128::from(entered), i128::from(expected), true)
    } else {
        (i128::from(expected), i128::from(entered), false)
    };
    let times = |n: i128| (large - n * small).abs() * CLOSE <= n * small;
    if times(10) {
        Some(if more {
            "Ten times the expected: a decimal point may be lost, or two strengths swapped."
        } else {
            "A tenth of the expected: a decimal point may be added, or two strengths swapped."
        })
    } else if times(100) {
        Some("A hundredfold difference: two decimal places may be lost.")
    } else if times(2) || times(5) {
        Some("Two strengths may be swapped: read the label of the vial and of the syringe again.")
    } else {
        None
    }
}

/// Which listed strength `value` is ten times or a tenth of.
pub(super) fn tenfold_of(
    value: Decimal,
    listed: impl Iterator<Item = Decimal>,
) -> Option<(Decimal, &'static str)> {
    listed.into_iter().find_map(|one| {
        if one.checked_mul(Decimal::TEN) == Some(value) {
            Some((one, "ten times"))
        } else if value.checked_mul(Decimal::TEN) == Some(one) {
            Some((one, "a tenth of"))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_ratio_has_a_likely_cause() {
        assert!(ratio_hint(308, 31).is_some_and(|hint| hint.starts_with("Ten times")));
        assert!(ratio_hint(3, 30).is_some_and(|hint| hint.starts_with("A tenth")));
        assert!(ratio_hint(100, 50).is_some_and(|hint| hint.contains("swapped")));
        assert!(ratio_hint(50, 10).is_some_and(|hint| hint.contains("swapped")));
        assert!(ratio_hint(1, 100).is_some_and(|hint| hint.contains("hundredfold")));
        assert_eq!(ratio_hint(31, 30), None);
        assert_eq!(ratio_hint(0, 30), None);
        assert_eq!(ratio_hint(i64::MAX, 1), None);
    }
}
