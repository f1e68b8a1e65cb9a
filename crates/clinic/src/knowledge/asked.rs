//! `knowledge/asked/`: everything that a consultation can be asked, by name, with its limits, and the codes by which
//! medicines are known.

use super::{Body, Item, Knowledge};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One thing that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// For a person.
    pub ask: String,
    /// UCUM unit of a number.
    #[serde(default)]
    pub unit: Option<String>,
    /// Lowest number that can be.
    #[serde(default)]
    pub least: Option<Decimal>,
    /// Highest number that can be.
    #[serde(default)]
    pub most: Option<Decimal>,
    /// When a number beside the upper limit of the laboratory may be a multiple of that limit already.
    #[serde(default)]
    pub taken_for_multiple: Option<Multiple>,
    /// Words that it can be instead of a number.
    #[serde(default)]
    pub levels: Vec<String>,
    /// Levels at which a clinician is called at once.
    #[serde(default)]
    pub calls: Vec<String>,
    /// Asked only where this fact is yes.
    #[serde(default)]
    pub only_if: Option<String>,
    /// Asked only where a diagnosis begins with one of these.
    #[serde(default)]
    pub only_with: Vec<String>,
}

/// A number that is small beside its limit and lies where multiples lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiple {
    /// Below this share of the limit,
    pub below_share: Decimal,
    /// from this
    pub from: Decimal,
    /// to this.
    pub most: Decimal,
}

/// All of one kind, by name.
pub type AskedBy = BTreeMap<String, Asked>;

/// What a consultation can be asked beside its fixed fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Numbers of the fixed fields, by path.
    #[serde(default)]
    pub fixed: AskedBy,
    /// Yes, no, unknown.
    #[serde(default)]
    pub answers: AskedBy,
    /// Numbers, or positive and negative.
    #[serde(default)]
    pub labs: AskedBy,
    /// Totals or levels of scales.
    #[serde(default)]
    pub scales: AskedBy,
    /// What was done, on a day.
    #[serde(default)]
    pub workup: AskedBy,
}

/// One file of `knowledge/asked/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Vocabulary {
    /// What can be asked. Boxed because it is much larger than the codes.
    Questions(Box<Questions>),
    /// Ingredients by their RxNorm code.
    RxNorm {
        /// Name by code, lower case.
        ingredients: BTreeMap<String, String>,
    },
}

impl Questions {
    /// The four lists, with the name under which a consultation has them.
    pub fn lists(&self) -> [(&'static str, &AskedBy); 4] {
        [("answers", &self.answers), ("labs", &self.labs), ("scales", &self.scales), ("workup", &self.workup)]
    }
    /// What is asked under a path such as `labs.alt`.
    pub fn get(&self, fact: &str) -> Option<&Asked> {
        let (list, name) = fact.split_once('.')?;
        if let Some(fixed) = self.fixed.get(fact) {
            return Some(fixed);
        }
        self.lists().into_iter().find(|(known, _)| *known == list)?.1.get(name)
    }
}

impl Asked {
    /// Whether a number that stands beside the upper limit of the laboratory may be times that limit already.
    pub fn may_be_multiple(&self, value: Decimal, limit: Decimal) -> bool {
        self.taken_for_multiple.is_some_and(|slip| {
            let small = limit.checked_mul(slip.below_share).is_some_and(|share| value < share);
            small && slip.from <= value && value <= slip.most
        })
    }

    /// What is accepted, for a person; `None` when the number is.
    pub fn refuses(&self, number: Decimal) -> Option<String> {
        let range = super::measure::Range { low: self.least, high: self.most };
        (!range.holds(number)).then(|| range.to_string())
    }
}

impl Knowledge {
    /// What a consultation can be asked.
    pub fn questions(&self) -> Option<&Questions> {
        self.asked.iter().find_map(|item| match &item.body {
            Vocabulary::Questions(questions) => Some(questions.as_ref()),
            Vocabulary::RxNorm { .. } => None,
        })
    }
    /// Whether it is an ingredient of RxNorm that is known here.
    pub fn is_ingredient(&self, name: &str) -> bool {
        self.asked.iter().any(|item| match &item.body {
            Vocabulary::RxNorm { ingredients } => {
                ingredients.values().any(|one| one.eq_ignore_ascii_case(name))
            }
            Vocabulary::Questions(_) => false,
        })
    }

    /// The ingredient of that RxNorm code.
    pub fn ingredient(&self, rxcui: &str) -> Option<&str> {
        self.asked.iter().find_map(|item| match &item.body {
            Vocabulary::RxNorm { ingredients } => ingredients.get(rxcui).map(String::as_str),
            Vocabulary::Questions(_) => None,
        })
    }
}

/// A value and whether it is accepted, or a code and its ingredient.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Example {
    /// A number.
    Number {
        /// Path.
        fact: String,
        /// As given.
        number: Decimal,
        /// Whether it can be.
        accepted: bool,
    },
    /// A code.
    Code {
        /// RxNorm.
        rxcui: String,
        /// Its ingredient.
        ingredient: String,
    },
}

impl Body for Vocabulary {
    const FOLDER: &'static str = "asked";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let Self::Questions(questions) = &item.body else { return Ok(()) };
        for (list, asked) in questions.lists() {
            for (name, one) in asked {
                if one.unit.as_deref().is_some_and(|unit| !super::measure::is_unit(unit)) {
                    return Err(format!("the unit of `{list}.{name}` is not a UCUM unit that is known here"));
                }
                let total =
                    all.scales.get(name).filter(|_| list == "scales").and_then(|scale| scale.body.total);
                if let Some([least, most]) = total
                    && (one.least, one.most) != (Some(least), Some(most))
                {
                    return Err(format!(
                        "`{list}.{name}` runs from {least} to {most}, as the scale itself says"
                    ));
                }
                if let Some(no) =
                    one.calls.iter().find(|level| list != "scales" || !one.levels.contains(level))
                {
                    return Err(format!("`{list}.{name}` calls at `{no}`, which is no level of a scale"));
                }
                if let Some(gate) = &one.only_if {
                    super::eligibility::check_fact(gate, all)?;
                }
            }
        }
        Ok(())
    }

    fn prove(_item: &Item<Self>, example: &Example, all: &Knowledge) -> Result<(), String> {
        let holds = match example {
            Example::Number { fact, number, accepted } => {
                let asked = all.questions().and_then(|questions| questions.get(fact));
                asked.ok_or(format!("nothing asks for `{fact}`"))?.refuses(*number).is_none() == *accepted
            }
            Example::Code { rxcui, ingredient } => all.ingredient(rxcui) == Some(ingredient.as_str()),
        };
        if holds { Ok(()) } else { Err(format!("came out otherwise: {example:?}")) }
    }
}
