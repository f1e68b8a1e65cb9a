//! A share of patients with its interval.

use super::Z_95;

/// How many of those of whom it is known, with an interval of 95 % (Wilson), which never leaves 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Of whom it holds.
    pub events: u32,
    /// Of whom it is known.
    pub of: u32,
    /// Of whom it is not known. They are not counted as failures, nor left unsaid.
    pub missing: u32,
    /// From 0 to 1.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The share of those of whom it holds; `None` when it is known of nobody. A patient of whom it is not known is `None`.
pub fn share(patients: impl IntoIterator<Item = Option<bool>>) -> Option<Share> {
    let (mut events, mut of, mut missing) = (0, 0, 0);
    for patient in patients {
        match patient {
            Some(holds) => {
                of += 1;
                events += u32::from(holds);
            }
            None => missing += 1,
        }
    }
    Share::of(events, of).map(|share| Share { missing, ..share })
}

impl Share {
    /// From two counts; `None` for nobody, or for more events than patients.
    pub fn of(events: u32, of: u32) -> Option<Self> {
        if of == 0 || events > of {
            return None;
        }
        let (n, p) = (f64::from(of), f64::from(events) / f64::from(of));
        let z2 = Z_95 * Z_95;
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z_95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
        // At 0 and at 1 the end of the interval is the share itself; rounding would put it a hair beside it.
        let low = if events == 0 { 0.0 } else { centre - half };
        let high = if events == of { 1.0 } else { centre + half };
        Some(Self { events, of, missing: 0, share: p, low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn worked_by_hand() {
        // 8 of 10: centre (0.8 + 0.192073) / 1.384146, half 1.959964 · √0.0256037 / 1.384146.
        let eight = Share::of(8, 10).expect("ten patients");
        assert!((eight.low - 0.490_16).abs() < 1e-5 && (eight.high - 0.943_32).abs() < 1e-5, "{eight:?}");
        // 0 of 10: 3.841459 / 13.841459.
        let none = Share::of(0, 10).expect("ten patients");
        assert!(none.low == 0.0 && (none.high - 0.277_533).abs() < 1e-6, "{none:?}");
        assert_eq!((Share::of(0, 0), Share::of(2, 1)), (None, None));
    }

    #[test]
    fn who_is_missing_is_counted_apart() {
        let came = share([Some(true), None, Some(false), None, None]).expect("two are known");
        assert_eq!((came.events, came.of, came.missing, came.share), (1, 2, 3, 0.5));
        assert_eq!(share([None, None]), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_narrows_with_more_patients(of in 1_u32..500, part in 0_u32..500, more in 2_u32..9) {
            let events = part % (of + 1);
            let one = Share::of(events, of).expect("some patients");
            prop_assert!(0.0 <= one.low && one.low <= one.share && one.share <= one.high && one.high <= 1.0);
            let many = Share::of(events * more, of * more).expect("more patients");
            prop_assert!(many.high - many.low < one.high - one.low);
        }

        #[test]
        fn counting_the_others_mirrors_the_interval(of in 1_u32..500, part in 0_u32..500) {
            let events = part % (of + 1);
            let (one, other) = (Share::of(events, of).expect("some"), Share::of(of - events, of).expect("some"));
            prop_assert!((one.low - (1.0 - other.high)).abs() < 1e-12);
        }
    }
}
