//! Products: the vials that a clinic buys, by strength.

use super::measure::{Mg, MgPerMl, Ml};
use super::regimen::Substance;
use super::{Body, Item, Knowledge};
use serde::Deserialize;

/// One strength of one drug, in one size of vial.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drug {
    /// Which drug; strength and amount are always of the base.
    pub substance: Substance,
    /// Strength of the base.
    pub strength: MgPerMl,
    /// Volume in the vial, without overfill.
    pub vial: Ml,
    /// Base in the vial.
    pub content: Mg,
    /// Product codes (labeler-product) seen with this strength; not a complete list.
    pub ndc: Vec<String>,
    /// RxNorm concept of the strength, with `rxcui_verified`.
    pub rxcui: String,
    /// Whether a person looked the concept up in RxNorm.
    pub rxcui_verified: bool,
    /// RxNorm concept of the ingredient.
    pub ingredient_rxcui: String,
    /// UNII of the salt in the vial.
    pub unii: String,
    /// Controlled-substance schedule in the United States.
    pub schedule: String,
    /// The label demands dilution before intravenous use.
    pub must_be_diluted: bool,
    /// Must not meet these in one syringe or line.
    pub incompatible: Vec<String>,
}

/// A vial's content from its strength.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Drawn from the vial.
    pub drawn: Ml,
    /// Base in it.
    pub holds: Mg,
}

impl Body for Drug {
    const FOLDER: &'static str = "drugs";
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let drug = &item.body;
        let content = drug.strength.0 * drug.vial.0;
        if content != drug.content.0 {
            return Err(format!(
                "{} of {} hold {content} mg, not {}",
                drug.vial, drug.strength, drug.content
            ));
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let holds = item.body.strength.0 * example.drawn.0;
        if holds == example.holds.0 { Ok(()) } else { Err(format!("{} hold {holds} mg", example.drawn)) }
    }
}
