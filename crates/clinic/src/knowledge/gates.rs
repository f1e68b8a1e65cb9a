//! `knowledge/gates/`: the questions asked on the day, and the bands of the vital signs before the start.

use super::{Body, Item, Knowledge};
use crate::gate::{Override, Verdict};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer on a form: yes or no, or a number in the unit of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// Yes or no.
    Yes(bool),
    /// A number.
    Number(Decimal),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yes(true) => f.write_str("yes"),
            Self::Yes(false) => f.write_str("no"),
            Self::Number(number) => f.write_str(&crate::quantity::plain(*number)),
        }
    }
}

/// Answers by the name of the fact. What is not in it is missing.
pub type Answers = BTreeMap<String, Answer>;

/// Before which phase a gate must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Before the drug is drawn.
    Preparation,
    /// Before the infusion starts.
    Start,
}

/// One question of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Name of the answer.
    pub fact: String,
    /// For a person.
    pub ask: String,
    /// The answer that passes.
    pub is: Option<bool>,
    /// Lowest number that passes.
    pub at_least: Option<Decimal>,
    /// Highest number that passes.
    pub at_most: Option<Decimal>,
    /// UCUM unit of the number.
    pub unit: Option<String>,
    /// Outside of these nobody measured or counted it: a slip of the hand.
    pub plausible: Option<[Decimal; 2]>,
    /// It has no fraction.
    #[serde(default)]
    pub whole: bool,
    /// What another answer means. `pass` where the answer only opens other questions.
    pub fail: Verdict,
    /// Asked only where this fact is yes.
    pub when: Option<String>,
}

impl Check {
    /// What would be accepted, where the number cannot be meant.
    pub fn implausible(&self, number: Decimal) -> Option<String> {
        let broken = self.whole && !number.fract().is_zero();
        let [low, high] = self.plausible.filter(|[low, high]| broken || number < *low || number > *high)?;
        let kind = if self.whole { "a whole number from " } else { "" };
        Some(format!("{kind}{} to {}", crate::quantity::plain(low), crate::quantity::plain(high)))
    }
}

/// A gate made of questions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Before which phase.
    pub before: Before,
    /// Who may decide against it.
    pub overridable_by: Override,
    /// Questions, in the order asked.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

/// Side of a band; an absent bound is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Lowest value inside.
    pub from: Option<Decimal>,
    /// Highest value inside.
    #[serde(alias = "at_most")]
    pub to: Option<Decimal>,
    /// Values inside are below it.
    pub below: Option<Decimal>,
}

impl Bounds {
    /// Whether the value lies inside.
    pub fn hold(&self, value: Decimal) -> bool {
        self.from.is_none_or(|from| value >= from)
            && self.to.is_none_or(|to| value <= to)
            && self.below.is_none_or(|below| value < below)
    }
}

/// One band of the blood pressure before the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// `green`, `amber`, …
    pub name: String,
    /// Of the systolic mean.
    #[serde(default)]
    pub systolic: Bounds,
    /// Of the diastolic mean.
    #[serde(default)]
    pub diastolic: Bounds,
    /// What it means.
    pub verdict: Verdict,
    /// Who may decide against it.
    pub overridable_by: Override,
    /// What to do.
    #[serde(rename = "do")]
    pub to_do: String,
    /// Minutes after which a new measurement counts; a sooner one does not end the band.
    pub again_after_min: Option<u32>,
}

/// Bands of the blood pressure, mildest first; the last is open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BpBands {
    /// UCUM unit.
    pub unit: String,
    /// How many readings the mean is taken of.
    pub readings: usize,
    /// Each of them means the last band, whatever the numbers.
    pub emergency_symptoms: Vec<String>,
    /// What to do then.
    pub emergency_do: String,
    /// Mildest first.
    #[serde(rename = "band")]
    pub bands: Vec<Band>,
}

/// One vital sign before the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitalBand {
    /// Name of the answer.
    pub fact: String,
    /// For a person.
    pub ask: String,
    /// UCUM unit.
    pub unit: String,
    /// Asked only where this fact is yes.
    pub when: Option<String>,
    /// Passes.
    pub green: Bounds,
    /// Warns.
    pub amber: Option<Bounds>,
    /// What to do in amber.
    #[serde(default)]
    pub amber_do: String,
    /// What to do outside, where it holds.
    pub red_do: String,
}

/// Vital signs other than blood pressure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitalsBands {
    /// By sign.
    #[serde(rename = "sign")]
    pub signs: Vec<VitalBand>,
}

/// One file of `knowledge/gates/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gate {
    /// Questions with answers.
    Questions(Questions),
    /// Blood pressure.
    BpBands(BpBands),
    /// Other vital signs.
    VitalsBands(VitalsBands),
}

impl Body for Gate {
    const FOLDER: &'static str = "gates";
    type Example = toml::Table;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Questions(gate) => check_questions(gate),
            Self::BpBands(bands) => match bands.bands.last() {
                Some(last) if bands.readings > 0 && last.systolic == Bounds::default() => Ok(()),
                _ => Err("needs readings, and a last band that is open".to_owned()),
            },
            Self::VitalsBands(bands) if bands.signs.is_empty() => Err("needs a sign".to_owned()),
            Self::VitalsBands(_) => Ok(()),
        }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, _all: &Knowledge) -> Result<(), String> {
        super::proof::gate(item, example)
    }
}

fn check_questions(gate: &Questions) -> Result<(), String> {
    if gate.checks.is_empty() {
        return Err("needs a question".to_owned());
    }
    for check in &gate.checks {
        let numbers = check.at_least.is_some() || check.at_most.is_some();
        if check.is.is_some() == numbers || check.unit.is_some() != numbers {
            return Err(format!("`{}` asks for yes or no, or for a number with a unit", check.fact));
        }
        if check.plausible.is_none() && check.whole || check.plausible.is_some() && !numbers {
            return Err(format!("`{}` needs a number and both bounds of what is plausible", check.fact));
        }
        let known = |when: &String| gate.checks.iter().any(|other| &other.fact == when && other.is.is_some());
        if check.when.as_ref().is_some_and(|when| !known(when)) {
            return Err(format!("`{}` depends on a fact that the gate does not ask", check.fact));
        }
    }
    Ok(())
}
