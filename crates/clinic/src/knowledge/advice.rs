//! `knowledge/advice/`: findings of the work-up and proposals for the course. A person decides.

use super::{Body, Item, Knowledge};
use crate::gate::Verdict;
use rust_decimal::Decimal;
use serde::Deserialize;

/// Scores of mania.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mania {
    /// YMRS above this stops.
    pub ymrs_stop_above: Decimal,
    /// ASRM from this holds until a clinician decides.
    pub asrm_hold_from: Decimal,
}

/// Liver enzymes in multiples of the upper limit of normal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liver {
    /// Warns from.
    pub warn_from_uln: Decimal,
    /// Holds from.
    pub hold_from_uln: Decimal,
    /// What the hold becomes for a new pain series.
    pub new_pain_series: Verdict,
}

/// Little improvement in a series.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Futility {
    /// A review is asked from this infusion on.
    pub review_from_infusion: u32,
    /// Stopping is discussed from this one on.
    pub stop_discussion_from_infusion: u32,
    /// Where improvement since the baseline is below this, %.
    pub improvement_below_percent: Decimal,
}

/// Interval between maintenance infusions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Intervals, days, short to long.
    pub rungs_d: Vec<u32>,
    /// A visit is stable when the score rose by less than this,
    pub stable_below: Decimal,
    /// and the interval shortens when it rose by this or more.
    pub step_back_from: Decimal,
    /// Stable visits in a row that lengthen it.
    pub stable_visits: u32,
    /// C-SSRS level that shortens it.
    pub cssrs_step_back_from: u32,
}

/// One file of `knowledge/advice/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Advice {
    /// Scores of mania.
    Mania(Mania),
    /// Liver enzymes.
    Liver(Liver),
    /// Little improvement.
    Futility(Futility),
    /// Maintenance interval.
    Maintenance(Maintenance),
}

impl Body for Advice {
    const FOLDER: &'static str = "advice";
    type Example = toml::Table;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let sound = match &item.body {
            Self::Mania(_) => true,
            Self::Liver(liver) => liver.warn_from_uln <= liver.hold_from_uln,
            Self::Futility(f) => f.review_from_infusion <= f.stop_discussion_from_infusion,
            Self::Maintenance(m) => {
                !m.rungs_d.is_empty()
                    && m.rungs_d.is_sorted_by(|a, b| a < b)
                    && m.stable_below <= m.step_back_from
            }
        };
        if sound { Ok(()) } else { Err("its steps do not climb".to_owned()) }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, all: &Knowledge) -> Result<(), String> {
        super::proof::advice(item, example, all)
    }
}
