//! Numbers with a unit as they stand in a knowledge file, and limits that nest.
//!
//! A number is written as text, `"0.5 mg/kg"`, so that it stays exact and its unit is read with it.

use crate::dose::parse::{self, NotANumber};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

/// UCUM codes that knowledge files may use; another code is refused, never guessed.
const UNITS: &[&str] = &[
    "1",
    "%",
    "mg",
    "ug",
    "ng/mL",
    "mg/kg",
    "mg/kg/h",
    "mg/h",
    "ug/kg/min",
    "mg/mL",
    "mL",
    "mL/h",
    "L",
    "L/min",
    "mL/min",
    "s",
    "min",
    "h",
    "d",
    "wk",
    "mo",
    "a",
    "kg",
    "g",
    "[lb_av]",
    "kg/m2",
    "cm",
    "[in_i]",
    "mm[Hg]",
    "{beat}/min",
    "{breath}/min",
    "/min",
    "Cel",
    "[gtt]/mL",
    "[gtt]/min",
    "mg/dL",
    "mmol/L",
    "m[IU]/L",
    "ms",
    "{score}",
    "{x_ULN}",
];

/// Whether a text is a UCUM code that knowledge files may use.
pub fn is_unit(code: &str) -> bool {
    UNITS.contains(&code)
}

/// A UCUM code as people at a chair read it.
pub fn in_words(code: &str) -> &str {
    match code {
        "mm[Hg]" => "mmHg",
        "{beat}/min" | "{breath}/min" | "{beats}/min" | "{breaths}/min" => "/min",
        "Cel" => "°C",
        "mo" => "months",
        "[G]" | "{gauge}" => "G",
        "{score}" => "points",
        "{x_ULN}" => "× upper limit",
        "m[IU]/L" => "mIU/L",
        other => other,
    }
}

/// Splits `"0.5 mg/kg"` and checks number and unit.
fn read(text: &str) -> Result<(Decimal, &str), String> {
    let (amount, unit) = text.split_once(' ').ok_or_else(|| {
        format!("`{text}` has no unit: write a number, one space and a UCUM unit, \"0.5 mg/kg\"")
    })?;
    let value = parse::number(amount).map_err(|why| format!("`{text}`: {why}"))?;
    if !is_unit(unit) {
        return Err(format!("`{text}`: `{unit}` is not a UCUM unit that is known here"));
    }
    Ok((value, unit))
}

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident, $unit:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Decimal);

        impl $name {
            /// UCUM code.
            pub const UNIT: &'static str = $unit;
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                match read(&text).map_err(de::Error::custom)? {
                    (value, $unit) => Ok(Self(value)),
                    (_, unit) => Err(de::Error::custom(format!(
                        "`{text}` is in {unit}, it has to be in {}", $unit
                    ))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} {}", crate::quantity::plain(self.0), $unit)
            }
        }
    )*};
}

measures! {
    /// Drug mass.
    Mg, "mg";
    /// Drug mass by body weight.
    MgPerKg, "mg/kg";
    /// Drug mass an hour by body weight.
    MgPerKgPerHour, "mg/kg/h";
    /// Drug mass an hour.
    MgPerHour, "mg/h";
    /// Strength.
    MgPerMl, "mg/mL";
    /// Volume.
    Ml, "mL";
    /// Flow.
    MlPerHour, "mL/h";
    /// Minutes.
    Minutes, "min";
    /// Hours.
    Hours, "h";
    /// Days.
    Days, "d";
    /// Body weight.
    Kg, "kg";
    /// Body height.
    Cm, "cm";
    /// Body mass index.
    KgPerM2, "kg/m2";
    /// Drops in a millilitre.
    DropsPerMl, "[gtt]/mL";
    /// Drops a minute.
    DropsPerMinute, "[gtt]/min";
    /// Hundredths.
    Percent, "%";
}

/// From low to high, both ends inside; an open end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// Smallest value inside.
    pub low: Option<Decimal>,
    /// Largest value inside.
    pub high: Option<Decimal>,
}

impl Range {
    /// Whether the value lies inside; the ends do.
    pub fn holds(&self, value: Decimal) -> bool {
        self.low.is_none_or(|low| low <= value) && self.high.is_none_or(|high| value <= high)
    }
    fn lies_within(&self, outer: &Self) -> bool {
        let low = match (self.low, outer.low) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(inner), Some(outer)) => outer <= inner,
        };
        let high = match (self.high, outer.high) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(inner), Some(outer)) => inner <= outer,
        };
        low && high
    }
    fn is_ordered(&self) -> bool {
        self.low.zip(self.high).is_none_or(|(low, high)| low <= high)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::quantity::plain;
        match (self.low, self.high) {
            (Some(low), Some(high)) => write!(f, "{} to {}", plain(low), plain(high)),
            (Some(low), None) => write!(f, "{} or more", plain(low)),
            (None, Some(high)) => write!(f, "{} or less", plain(high)),
            (None, None) => f.write_str("any"),
        }
    }
}

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// As usual.
    Recommended,
    /// Unusual: a person gives a reason.
    OutsideRecommended,
    /// Refused, whoever asks.
    OutsideAbsolute,
}

/// A soft limit inside a hard one. It never changes a value, it only says where the value lies.
///
/// In a file: `{ unit = "mg/kg", recommended = ["0.1", "1"], absolute = [0, "1.5"] }`; `"open"` is no limit on that
/// side.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawLimit")]
pub struct Limit {
    /// UCUM code of all four numbers.
    pub unit: String,
    /// Outside of it a person gives a reason.
    pub recommended: Range,
    /// Outside of it the product refuses.
    pub absolute: Range,
}

impl Limit {
    /// Where the value lies.
    pub fn place(&self, value: Decimal) -> Place {
        if !self.absolute.holds(value) {
            Place::OutsideAbsolute
        } else if !self.recommended.holds(value) {
            Place::OutsideRecommended
        } else {
            Place::Recommended
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    unit: String,
    recommended: [RawBound; 2],
    absolute: [RawBound; 2],
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a whole number, a decimal as text such as \"0.5\", or \"open\"")]
enum RawBound {
    Whole(i64),
    Text(String),
}

impl RawBound {
    fn read(&self) -> Result<Option<Decimal>, String> {
        match self {
            Self::Whole(number) => Ok(Some(Decimal::from(*number))),
            Self::Text(text) if text == "open" => Ok(None),
            Self::Text(text) => {
                let (negative, digits) = match text.strip_prefix('-') {
                    Some(digits) => (true, digits),
                    None => (false, text.as_str()),
                };
                let value = parse::number(digits).map_err(|why: NotANumber| format!("`{text}`: {why}"))?;
                Ok(Some(if negative { -value } else { value }))
            }
        }
    }
}

impl TryFrom<RawLimit> for Limit {
    type Error = String;

    fn try_from(raw: RawLimit) -> Result<Self, String> {
        let range = |[low, high]: &[RawBound; 2]| -> Result<Range, String> {
            Ok(Range { low: low.read()?, high: high.read()? })
        };
        let limit =
            Self { recommended: range(&raw.recommended)?, absolute: range(&raw.absolute)?, unit: raw.unit };
        if !is_unit(&limit.unit) {
            return Err(format!("`{}` is not a UCUM unit that is known here", limit.unit));
        }
        if !limit.recommended.is_ordered() || !limit.absolute.is_ordered() {
            return Err(format!("a limit runs from low to high: {} / {}", limit.recommended, limit.absolute));
        }
        if !limit.recommended.lies_within(&limit.absolute) {
            return Err(format!(
                "the recommended range ({}) has to lie within the absolute one ({})",
                limit.recommended, limit.absolute
            ));
        }
        Ok(limit)
    }
}
