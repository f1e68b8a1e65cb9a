//! Which weight a dose is counted by, and which weights look like a slip.

use super::measure::{Cm, Kg, KgPerM2, Limit, Percent};
use super::{Body, Item, Knowledge};
use crate::quantity::plain;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which weight a dose is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Descriptor {
    /// Actual body weight, on today's scale.
    Abw,
    /// Ideal body weight by height and sex.
    Ibw,
    /// Adjusted: ideal and a part of what lies above it.
    Adjbw,
}

impl Descriptor {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Abw, Self::Ibw, Self::Adjbw];

    /// As forms and commands say it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Abw => "abw",
            Self::Ibw => "ibw",
            Self::Adjbw => "adjbw",
        }
    }

    /// The one that is said so; `None` for any other word.
    pub fn said(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.id() == id)
    }

    /// For a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Abw => "actual body weight",
            Self::Ibw => "ideal body weight",
            Self::Adjbw => "adjusted body weight",
        }
    }
}

/// Sex for the ideal body weight formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    #[serde(alias = "female")]
    F,
    /// Male.
    #[serde(alias = "male")]
    M,
}

/// Ideal weight at a base height and for each inch above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ideal {
    /// At the base height.
    pub base: Kg,
    /// For each inch above it.
    pub per_inch: Kg,
}

/// The rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoseWeight {
    /// From this body mass index on, another weight than the actual one counts.
    pub large_from: KgPerM2,
    /// The weight that counts below it.
    pub usual: Descriptor,
    /// The weight that counts from there on.
    pub large: Descriptor,
    /// Height at which the ideal weight starts to count inches, in inches.
    pub base_inches: u32,
    /// Men.
    pub ideal_m: Ideal,
    /// Women.
    pub ideal_f: Ideal,
    /// Part of the weight above the ideal one that the adjusted weight adds, in percent.
    pub adjusted_part: Percent,
    /// Soft and hard limit of the actual weight.
    pub weight: Limit,
    /// Soft and hard limit of the height.
    pub height: Limit,
    /// Soft and hard limit of the body mass index.
    pub bmi: Limit,
    /// The same for a weight that has no earlier one to be compared with.
    pub first_bmi: Limit,
    /// Relative change since the last weight from which a person confirms.
    pub change_asks_from: Percent,
    /// Relative change above which the dose is counted anew, which the card says.
    pub change_tells_above: Percent,
    /// Today's weight over the last one: ratios that mean pounds were taken for kilograms, or the other way round.
    pub pounds_ratios: [[Ratio; 2]; 2],
    /// Days after which the last weight is too old to be used without weighing.
    pub last_weight_days: u32,
}

impl DoseWeight {
    /// How a person works a dose weight out by hand.
    pub fn by_hand(&self, which: Descriptor, sex: Sex) -> String {
        let Ideal { base, per_inch } = match sex {
            Sex::F => self.ideal_f,
            Sex::M => self.ideal_m,
        };
        let inches = self.base_inches;
        let ideal = format!("{base} at {inches} in, and {per_inch} for each inch above (2.54 cm)");
        match which {
            Descriptor::Abw => "As weighed today.".to_owned(),
            Descriptor::Ibw => format!("Ideal: {ideal}."),
            Descriptor::Adjbw => {
                format!(
                    "Ideal: {ideal}; then {} % of what the scale shows above it.",
                    plain(self.adjusted_part.0)
                )
            }
        }
    }
}

/// A bare ratio, written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Ratio(pub Decimal);

impl TryFrom<String> for Ratio {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        crate::dose::parse::number(&text).map(Self).map_err(|why| format!("`{text}`: {why}"))
    }
}

/// A person, and the weights that follow, to 0.1 kg.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Sex.
    pub sex: Sex,
    /// Height.
    pub height: Cm,
    /// Actual weight.
    pub weight: Kg,
    /// Body mass index to 0.1.
    pub bmi: Option<KgPerM2>,
    /// Ideal weight.
    pub ibw: Kg,
    /// Adjusted weight.
    pub adjbw: Option<Kg>,
    /// Which one counts.
    pub used: Descriptor,
}

impl Body for DoseWeight {
    const FOLDER: &'static str = "weight";
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let rule = &item.body;
        if rule.weight.unit != Kg::UNIT
            || [&rule.bmi, &rule.first_bmi].iter().any(|limit| limit.unit != KgPerM2::UNIT)
            || rule.height.unit != Cm::UNIT
        {
            return Err(
                "`weight` is limited in kg, `height` in cm, `bmi` and `first_bmi` in kg/m2".to_owned()
            );
        }
        if rule.pounds_ratios.iter().any(|[low, high]| low > high) {
            return Err("`pounds_ratios` run from low to high".to_owned());
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        use crate::dose::weight::Weights;
        let weights = Weights::of(&item.body, example.weight.0, Some(example.height.0), Some(example.sex))
            .ok_or("out of range")?;
        let found = (weights.ibw_kg, weights.bmi, weights.adjbw_kg, weights.usual);
        let wanted = (
            Some(example.ibw.0),
            example.bmi.map_or(weights.bmi, |bmi| Some(bmi.0)),
            example.adjbw.map_or(weights.adjbw_kg, |adjbw| Some(adjbw.0)),
            Some(example.used),
        );
        if found == wanted { Ok(()) } else { Err(format!("found {found:?}, expected {wanted:?}")) }
    }
}
