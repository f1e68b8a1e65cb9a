//! Caps: how much, how fast and how short an infusion may be.

use super::measure::{Limit, MgPerKg, Place};
use super::regimen::CareArea;
use super::{Body, Item, Knowledge};
use crate::dose::parse;
use serde::{Deserialize, Serialize};

/// What a cap looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Dose of the session by dose weight.
    DosePerKg,
    /// Dose of the session.
    DoseTotal,
    /// Fastest segment by dose weight.
    RatePerKg,
    /// Fastest segment.
    RateTotal,
    /// Length of the infusion.
    Length,
    /// Dose by weight over what the regimen says: a tenfold slip shows here.
    TimesRegimen,
    /// Length over what the regimen says: a tenfold slip of the minutes shows here.
    TimesLength,
    /// Dose over the last dose of this patient.
    TimesLastDose,
    /// Rate that a running infusion is set to, over the slowest that its order has.
    TimesOrderedRate,
}

impl Quantity {
    /// UCUM code of its limit.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::DosePerKg => "mg/kg",
            Self::DoseTotal => "mg",
            Self::RatePerKg => "mg/kg/h",
            Self::RateTotal => "mg/h",
            Self::Length => "min",
            Self::TimesRegimen | Self::TimesLength | Self::TimesLastDose | Self::TimesOrderedRate => "1",
        }
    }
    /// For a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::DosePerKg => "dose by weight",
            Self::DoseTotal => "total dose",
            Self::RatePerKg => "rate by weight",
            Self::RateTotal => "rate",
            Self::Length => "length",
            Self::TimesRegimen => "dose as a multiple of the regimen's",
            Self::TimesLength => "length as a multiple of the regimen's",
            Self::TimesLastDose => "dose as a multiple of the last one",
            Self::TimesOrderedRate => "rate as a multiple of the ordered one",
        }
    }
}

/// One cap.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// What it looks at.
    pub quantity: Quantity,
    /// Where it holds.
    pub care_areas: Vec<CareArea>,
    /// Soft and hard limit.
    pub limit: Limit,
    /// The cap holds only from this dose by weight upwards.
    pub from_dose: Option<MgPerKg>,
}

/// A value and where it has to lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// A plain decimal in the limit's unit.
    pub value: String,
    /// `recommended`, `reason` or `refused`.
    pub expect: Expected,
}

/// What an example expects of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Inside the recommended range.
    Recommended,
    /// Asks for a reason.
    Reason,
    /// Refused.
    Refused,
}

impl From<Place> for Expected {
    fn from(place: Place) -> Self {
        match place {
            Place::Recommended => Self::Recommended,
            Place::OutsideRecommended => Self::Reason,
            Place::OutsideAbsolute => Self::Refused,
        }
    }
}

impl Body for Cap {
    const FOLDER: &'static str = "caps";
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let cap = &item.body;
        if cap.limit.unit != cap.quantity.unit() {
            return Err(format!(
                "the limit is in {}, it has to be in {}",
                cap.limit.unit,
                cap.quantity.unit()
            ));
        }
        if cap.care_areas.is_empty() {
            return Err("`care_areas` is empty".to_owned());
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let value = parse::number(&example.value).map_err(|why| format!("`{}`: {why}", example.value))?;
        let found = Expected::from(item.body.limit.place(value));
        if found == example.expect {
            Ok(())
        } else {
            Err(format!("{} is {found:?}, expected {:?}", example.value, example.expect))
        }
    }
}
