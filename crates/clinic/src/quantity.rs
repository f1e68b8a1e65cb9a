//! Amounts, volumes, rates and weights as exact integers, and the only place where a dose is rounded or printed.
//!
//! A wrong unit does not compile; nothing here is a binary float. Text follows the medication-safety rules of
//! ISMP: no trailing zero, always a leading zero, a space before the unit, `mcg` for micrograms, commas from 1,000.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident, $per_unit:literal, $unit:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);
            /// The unit in which a person reads it.
            pub const UNIT: &'static str = $unit;

            /// From the unit a person reads, half-up to the smallest step this type holds.
            /// `None` when the number is too large to hold.
            pub fn from_decimal(value: Decimal) -> Option<Self> {
                use rust_decimal::prelude::ToPrimitive;
                round_half_up(value.checked_mul(Decimal::from($per_unit as i64))?, 0).to_i64().map(Self)
            }
            /// In the unit a person reads, exact.
            pub fn decimal(self) -> Decimal {
                (Decimal::from(self.0) / Decimal::from($per_unit as i64)).normalize()
            }
            /// Sum; saturates instead of wrapping, which no real amount reaches.
            #[must_use]
            pub fn plus(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
            /// Difference, negative when `other` is larger.
            #[must_use]
            pub fn minus(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", plain(self.decimal()), $unit)
            }
        }
    )*};
}

quantities! {
    /// Drug mass, counted in micrograms of base, shown in mg.
    Micrograms, 1000, "mg";
    /// Volume, counted in microlitres, shown in mL.
    Microlitres, 1000, "mL";
    /// Flow, counted in microlitres an hour, shown in mL/h.
    Rate, 1000, "mL/h";
    /// Strength, counted in micrograms a millilitre, shown in mg/mL.
    Concentration, 1000, "mg/mL";
    /// Body weight, counted in grams, shown in kg.
    Weight, 1000, "kg";
    /// Body height, counted in millimetres, shown in cm.
    Height, 10, "cm";
}

/// A measured vital sign in tenths of its unit: 36.6 °C is `Tenths(366)`, 97 % is `Tenths(970)`.
/// An integer, so that it has an order and no NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenths(pub i32);

impl Tenths {
    /// A whole number of the unit.
    pub const fn whole(value: i32) -> Self {
        Self(value.saturating_mul(10))
    }
    /// Exact value.
    pub fn decimal(self) -> Decimal {
        Decimal::new(i64::from(self.0), 1).normalize()
    }
    /// From a decimal, half-up to a tenth; `None` when out of range.
    pub fn from_decimal(value: Decimal) -> Option<Self> {
        use rust_decimal::prelude::ToPrimitive;
        round_half_up(value.checked_mul(Decimal::TEN)?, 0).to_i32().map(Self)
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(self.decimal()))
    }
}

/// Rounds half away from zero, as a pump does with its rate. `places` counts decimals.
pub fn round_half_up(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// A number as a nurse may read it: no trailing zero, leading zero, commas from 1,000.
pub fn plain(value: Decimal) -> String {
    let text = value.normalize().to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(c);
    }
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// What a volume of a strength contains: exact to a microgram, half-up.
pub fn mass_in(volume: Microlitres, strength: Concentration) -> Micrograms {
    // µL · µg/mL = µg/1000
    Micrograms(div_half_up(i128::from(volume.0) * i128::from(strength.0), 1000))
}

/// The volume that holds a mass at a strength, half-up to a microlitre. `None` for a strength of zero.
pub fn volume_of(mass: Micrograms, strength: Concentration) -> Option<Microlitres> {
    (strength.0 > 0).then(|| Microlitres(div_half_up(i128::from(mass.0) * 1000, i128::from(strength.0))))
}

/// What flows at a rate in a time given in milliseconds, half-up to a microlitre.
pub fn flowed(rate: Rate, elapsed_ms: i64) -> Microlitres {
    Microlitres(div_half_up(i128::from(rate.0) * i128::from(elapsed_ms), 3_600_000))
}

fn div_half_up(numerator: i128, denominator: i128) -> i64 {
    let half = denominator / 2;
    let rounded =
        if numerator >= 0 { (numerator + half) / denominator } else { (numerator - half) / denominator };
    i64::try_from(rounded).unwrap_or(if rounded > 0 { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_as_a_nurse_expects() {
        let shown = |text: &str| plain(text.parse().expect("a decimal"));
        assert_eq!(shown("0.50"), "0.5");
        assert_eq!(shown("5.0"), "5");
        assert_eq!(shown("1234.50"), "1,234.5");
        assert_eq!(shown("-1000"), "-1,000");
        assert_eq!(Rate(30_800).to_string(), "30.8 mL/h");
        assert_eq!(Micrograms(36_950).to_string(), "36.95 mg");
    }

    #[test]
    fn rounding_goes_half_up() {
        assert_eq!(round_half_up(Decimal::new(3075, 2), 1), Decimal::new(308, 1));
        assert_eq!(mass_in(Microlitres(20_500), Concentration(2000)), Micrograms(41_000));
        assert_eq!(flowed(Rate(52_500), 40 * 60_000), Microlitres(35_000));
    }

    proptest! {
        #[test]
        fn a_mass_survives_the_way_through_its_volume(mass in 1_i64..1_000_000, strength in prop::sample::select(vec![1000_i64, 2000, 5000])) {
            let volume = volume_of(Micrograms(mass), Concentration(strength)).expect("strength is above zero");
            let back = mass_in(volume, Concentration(strength));
            prop_assert!((back.0 - mass).abs() <= strength / 1000);
        }
        #[test]
        fn decimal_and_back_is_the_same(ug in -10_000_000_i64..10_000_000) {
            prop_assert_eq!(Micrograms::from_decimal(Micrograms(ug).decimal()), Some(Micrograms(ug)));
        }
    }
}
