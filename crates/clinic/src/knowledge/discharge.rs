//! `knowledge/discharge/`: when a patient may go home.

use super::{Body, Item, Knowledge};
use rust_decimal::Decimal;
use serde::Deserialize;

/// An item of the score; its answers stand for 0, 1, 2.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreItem {
    /// Stable.
    pub id: String,
    /// For a person.
    pub title: String,
    /// From 0 up.
    pub answers: Vec<String>,
}

/// The post-anaesthetic discharge score.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Total that passes.
    pub pass_at: u32,
    /// Total that passes without the last item.
    pub pass_at_without_intake: u32,
    /// Vital signs score 2 within this distance from before, %.
    pub vital_signs_two_within_percent: Decimal,
    /// And 1 within this.
    pub vital_signs_one_within_percent: Decimal,
    /// Items.
    #[serde(rename = "item")]
    pub items: Vec<ScoreItem>,
}

/// A statement that must be answered with yes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MustBeYes {
    /// Name of the answer.
    pub fact: String,
    /// For a person.
    pub ask: String,
}

/// Times and criteria.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// The first infusions wait the long way.
    pub careful_infusions: u32,
    /// Minutes from the start, then.
    pub careful_start_plus_min: i64,
    /// Minutes from the end, always.
    pub end_plus_min: i64,
    /// Minutes from the last rescue drug, by any route.
    pub after_rescue_drug_min: i64,
    /// What was found or scored goes home at most this old, minutes.
    pub found_within_min: i64,
    /// Blood pressure within this of the baseline, %,
    pub pressure_within_percent: Decimal,
    /// and below, mm[Hg].
    pub systolic_below: Decimal,
    /// mm[Hg].
    pub diastolic_below: Decimal,
    /// Beats a minute.
    pub heart_rate: [Decimal; 2],
    /// Saturation at least this or the baseline, %.
    pub spo2_from: Decimal,
    /// Sedation score.
    pub moaas: Decimal,
    /// Nausea 0 to 3 at most.
    pub nausea_to: Decimal,
    /// Statements.
    #[serde(rename = "yes")]
    pub yes: Vec<MustBeYes>,
}

/// One file of `knowledge/discharge/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Discharge {
    /// A score.
    Score(Score),
    /// Times and criteria.
    Criteria(Box<Criteria>),
}

impl Body for Discharge {
    const FOLDER: &'static str = "discharge";
    type Example = toml::Table;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let sound = match &item.body {
            Self::Score(score) => {
                !score.items.is_empty()
                    && score.items.iter().all(|item| item.answers.len() == 3)
                    && score.pass_at as usize <= 2 * score.items.len()
                    && score.vital_signs_two_within_percent <= score.vital_signs_one_within_percent
            }
            Self::Criteria(criteria) => {
                let [low, high] = criteria.heart_rate;
                low <= high
                    && criteria.end_plus_min > 0
                    && criteria.found_within_min > 0
                    && !criteria.yes.is_empty()
            }
        };
        if sound { Ok(()) } else { Err("its numbers do not nest".to_owned()) }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, _all: &Knowledge) -> Result<(), String> {
        super::proof::discharge(item, example)
    }
}
