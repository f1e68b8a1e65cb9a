//! Drug added to a bag: the bag's own volume changes the strength, unless as much is taken out first.

use crate::quantity::round_half_up;
use rust_decimal::Decimal;
use serde::Serialize;

/// A bag with its drug, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bag {
    /// Stock drawn into it, to 0.01 mL.
    pub drug_ml: Decimal,
    /// Volume when nothing was taken out, to 0.01 mL.
    pub volume_without_withdrawal_ml: Decimal,
    /// Volume when the drug's volume was taken out first.
    pub volume_with_withdrawal_ml: Decimal,
    /// Strength when nothing was taken out, to 0.0001 mg/mL.
    pub without_withdrawal_mg_per_ml: Decimal,
    /// Strength when the drug's volume was taken out first, to 0.0001 mg/mL.
    pub with_withdrawal_mg_per_ml: Decimal,
    /// How much weaker the first is than the second, to 0.1 %.
    pub weaker_percent: Decimal,
    #[serde(skip)]
    exact_volume_ml: Decimal,
}

impl Bag {
    /// Rates that empty the bag in so many minutes, without and with withdrawal, to 0.1 mL/h.
    pub fn rates_ml_per_h(&self, minutes: Decimal) -> Option<(Decimal, Decimal)> {
        let rate = |volume: Decimal| {
            Some(round_half_up(volume.checked_mul(Decimal::from(60))?.checked_div(minutes)?, 1).normalize())
        };
        Some((rate(self.exact_volume_ml)?, rate(self.volume_with_withdrawal_ml)?))
    }
}

/// Mixes `drug_mg` drawn from a stock into a bag of `bag_ml`. `None` when a strength or volume is zero, or when the
/// drug alone fills the bag.
pub fn mix(drug_mg: Decimal, stock_mg_per_ml: Decimal, bag_ml: Decimal) -> Option<Bag> {
    let drug_ml = drug_mg.checked_div(stock_mg_per_ml)?;
    if drug_mg <= Decimal::ZERO || drug_ml >= bag_ml {
        return None;
    }
    let full = bag_ml.checked_add(drug_ml)?;
    let without = drug_mg.checked_div(full)?;
    let with = drug_mg.checked_div(bag_ml)?;
    let weaker = Decimal::ONE.checked_sub(without.checked_div(with)?)?.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(Bag {
        drug_ml: round_half_up(drug_ml, 2).normalize(),
        volume_without_withdrawal_ml: round_half_up(full, 2).normalize(),
        volume_with_withdrawal_ml: bag_ml.normalize(),
        without_withdrawal_mg_per_ml: round_half_up(without, 4).normalize(),
        with_withdrawal_mg_per_ml: round_half_up(with, 4).normalize(),
        weaker_percent: round_half_up(weaker, 1).normalize(),
        exact_volume_ml: full,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn the_bag_weakens_unless_as_much_is_taken_out() {
        let bag = mix(dec("35"), dec("50"), dec("100")).expect("mixes");
        assert_eq!(bag.drug_ml, dec("0.7"));
        assert_eq!(bag.volume_without_withdrawal_ml, dec("100.7"));
        assert_eq!(bag.without_withdrawal_mg_per_ml, dec("0.3476"));
        assert_eq!(bag.rates_ml_per_h(dec("40")), Some((dec("151.1"), dec("150"))));
        let small = mix(dec("35"), dec("50"), dec("50")).expect("mixes");
        assert_eq!(small.volume_without_withdrawal_ml, dec("50.7"));
        assert_eq!(small.rates_ml_per_h(dec("40")).map(|rates| rates.0), Some(dec("76.1")));
    }

    #[test]
    fn the_label_bags_come_out_as_published() {
        for (stock, bag, expected, weaker) in [
            ("50", "500", "0.9804", "2"),
            ("50", "250", "1.9231", "3.8"),
            ("100", "500", "0.9901", "1"),
            ("100", "250", "1.9608", "2"),
        ] {
            let mixed = mix(dec("500"), dec(stock), dec(bag)).expect("mixes");
            assert_eq!(mixed.without_withdrawal_mg_per_ml, dec(expected), "{stock} into {bag}");
            assert_eq!(mixed.weaker_percent, dec(weaker), "{stock} into {bag}");
        }
    }

    #[test]
    fn nothing_cannot_be_mixed() {
        assert_eq!(mix(dec("0"), dec("50"), dec("100")), None);
        assert_eq!(mix(dec("35"), dec("0"), dec("100")), None);
        assert_eq!(mix(dec("500"), dec("50"), dec("10")), None);
    }
}
