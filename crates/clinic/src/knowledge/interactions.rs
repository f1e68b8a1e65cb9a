//! `knowledge/interactions/`: what a medicine on the list means for the infusion.

use super::{Body, Item, Knowledge};
use crate::gate::Verdict;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One medicine that the patient takes. What nobody asked is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medicine {
    /// Ingredient, generic name.
    pub ingredient: String,
    /// ATC code.
    #[serde(default)]
    pub atc: Option<String>,
    /// Dose a day, mg.
    #[serde(default)]
    pub daily_mg: Option<Decimal>,
    /// Hours since the last dose.
    #[serde(default)]
    pub hours_since_last: Option<Decimal>,
    /// Corrected QT time, ms, where the rule asks for it.
    #[serde(default)]
    pub qtc_ms: Option<Decimal>,
}

/// What a class of medicines means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InteractionRule {
    /// Generic names, lower case.
    pub ingredients: Vec<String>,
    /// Prefixes of ATC codes.
    #[serde(default)]
    pub atc: Vec<String>,
    /// What happens together with ketamine.
    pub effect: String,
    /// What to do.
    pub to_do: String,
    /// What it means when nothing below softens or hardens it.
    pub verdict: Verdict,
    /// A hold is done when the last dose is this many hours ago; it then warns.
    pub hold_h: Option<Decimal>,
    /// The same for single ingredients.
    #[serde(default)]
    pub hold_h_by: BTreeMap<String, Decimal>,
    /// Holds above this daily dose in mg of diazepam.
    pub diazepam_equivalent_hold_above_mg: Option<Decimal>,
    /// The verdict holds only for this many hours after the last dose,
    pub within_h: Option<Decimal>,
    /// and this one later.
    pub later: Option<Verdict>,
    /// Warns from this QTc, ms.
    pub qtc_warn_from_ms: Option<Decimal>,
    /// Holds from this QTc, ms.
    pub qtc_hold_from_ms: Option<Decimal>,
    /// Blood pressure at least this often, minutes.
    pub nibp_every_min: Option<i64>,
    /// Carbon dioxide is watched.
    #[serde(default)]
    pub watch_etco2: bool,
}

impl InteractionRule {
    /// Whether the rule speaks of this medicine.
    pub fn speaks_of(&self, medicine: &Medicine) -> bool {
        let atc = medicine.atc.as_deref().map(|code| code.trim().to_uppercase());
        self.ingredients.iter().any(|ingredient| words(&medicine.ingredient).contains(&words(ingredient)))
            || atc.is_some_and(|code| self.atc.iter().any(|prefix| code.starts_with(prefix.as_str())))
    }
}

/// What the rules know of a medicine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Familiar<'a> {
    /// A rule speaks of it.
    Judged,
    /// No rule does, but one does of this ingredient, one slip of the hand away: a slip would make a medicine that
    /// stops one that nobody knows.
    Near(&'a str),
    /// No rule speaks of it.
    Unknown,
}

impl Knowledge {
    /// What the rules of interaction know of a medicine.
    pub fn familiar(&self, medicine: &Medicine) -> Familiar<'_> {
        let rules = || {
            self.interactions.iter().filter_map(|item| match &item.body {
                Interaction::Rule(rule) => Some(rule),
                Interaction::Equivalents(_) => None,
            })
        };
        if rules().any(|rule| rule.speaks_of(medicine)) {
            return Familiar::Judged;
        }
        let name = medicine.ingredient.to_lowercase();
        let typed = || name.split_whitespace().filter(|word| word.chars().count() >= SLIP_LETTERS_MIN);
        let is_near = |known: &&String| typed().any(|word| strsim::damerau_levenshtein(word, known) == 1);
        let near = rules().flat_map(|rule| &rule.ingredients).find(is_near);
        near.map_or(Familiar::Unknown, |known| Familiar::Near(known))
    }
}

/// Shorter names are too near to each other.
const SLIP_LETTERS_MIN: usize = 6;

/// Lower-case words between blanks, so that a salt, a strength or a second ingredient hides nothing.
fn words(text: &str) -> String {
    let apart = |c: char| c.is_whitespace() || "/-+,;()".contains(c);
    let mut words = String::from(" ");
    for word in text.to_lowercase().split(apart).filter(|word| !word.is_empty()) {
        words.push_str(word);
        words.push(' ');
    }
    words
}

/// One published table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquivalentTable {
    /// Its name on a screen.
    pub name: String,
    /// Milligrams of diazepam for one milligram.
    pub factors: BTreeMap<String, Decimal>,
}

/// Tables of diazepam equivalents; the first decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivalents {
    /// At least one.
    #[serde(rename = "table")]
    pub tables: Vec<EquivalentTable>,
}

/// One file of `knowledge/interactions/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Interaction {
    /// A class of medicines. Boxed because it is much larger than a table.
    Rule(Box<InteractionRule>),
    /// Diazepam equivalents.
    Equivalents(Equivalents),
}

impl Body for Interaction {
    const FOLDER: &'static str = "interactions";
    type Example = toml::Table;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Rule(rule) => {
                if rule.ingredients.is_empty() && rule.atc.is_empty() {
                    return Err("speaks of no medicine".to_owned());
                }
                match rule.ingredients.iter().find(|name| **name != name.to_lowercase()) {
                    Some(name) => Err(format!("`{name}` is not in lower case")),
                    None if rule.within_h.is_some() != rule.later.is_some() => {
                        Err("`within_h` and `later` belong together".to_owned())
                    }
                    None => Ok(()),
                }
            }
            Self::Equivalents(tables) if tables.tables.is_empty() => Err("has no table".to_owned()),
            Self::Equivalents(_) => Ok(()),
        }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, all: &Knowledge) -> Result<(), String> {
        super::proof::interaction(item, example, all)
    }
}
