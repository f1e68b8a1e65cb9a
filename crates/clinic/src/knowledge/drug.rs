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
    /// What a label of this drug says, in small letters.
    pub named: Vec<String>,
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

impl Drug {
    /// Whether a product code, with or without hyphens, is of this product.
    pub fn bears(&self, ndc: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        self.ndc.iter().any(|known| {
            if ndc.contains('-') {
                ndc.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            } else {
                digits(ndc).starts_with(&digits(known))
            }
        })
    }

    /// Whether a label that reads so is of this drug.
    pub fn is_named(&self, label: &str) -> bool {
        let words: Vec<_> = label.split_whitespace().map(str::to_lowercase).collect();
        self.named.contains(&words.join(" "))
    }
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
