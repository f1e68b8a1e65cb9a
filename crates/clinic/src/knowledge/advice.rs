//! `knowledge/advice/`: proposals for the course. A person decides.

use super::measure::MgPerKg;
use super::{Body, Item, Knowledge};
use rust_decimal::Decimal;
use serde::Deserialize;

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

/// Dose from one psychiatric infusion to the next.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Titration {
    /// Usual first dose,
    pub start: MgPerKg,
    /// and where something speaks for less.
    pub start_lower: MgPerKg,
    /// Age that speaks for less.
    pub age_from: u32,
    /// A raise is so much,
    pub raise_by: MgPerKg,
    /// and so much of the dose at most, %.
    pub raise_most_percent: Decimal,
    /// Only for less improvement than this, %,
    pub little_improvement_below_percent: Decimal,
    /// after so many infusions at the dose,
    pub infusions_at_dose: u32,
    /// and never sedated below this,
    pub moaas_from: Decimal,
    /// nor above these pressures, mm[Hg].
    pub systolic_to: Decimal,
    /// mm[Hg].
    pub diastolic_to: Decimal,
    /// A dose that was poorly tolerated is lowered by so much, least and most, %.
    pub lower_percent: [Decimal; 2],
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
    /// Infusions on the first rung before the ladder is climbed.
    pub first_rung_infusions: u32,
    /// A relapse is a score from this,
    pub relapse_from: Decimal,
    /// and of so much of the baseline, %,
    pub relapse_baseline_percent: Decimal,
    /// for so many weeks.
    pub relapse_wk: u32,
    /// Infusions of a new induction, least and most.
    pub reinduction: [u32; 2],
    /// New inductions in twelve months before a psychiatrist looks again.
    pub reinductions_a_year: u32,
    /// Weeks on the first rung after which stopping is discussed.
    pub stuck_after_wk: u32,
    /// Infusions without response after which stopping is discussed.
    pub no_response_infusions: u32,
    /// What is considered then, for a person.
    pub instead: String,
}

/// One file of `knowledge/advice/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Advice {
    /// Little improvement.
    Futility(Futility),
    /// Dose of the next infusion.
    Titration(Titration),
    /// Maintenance interval.
    Maintenance(Maintenance),
}

impl Body for Advice {
    const FOLDER: &'static str = "advice";
    type Example = toml::Table;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let sound = match &item.body {
            Self::Futility(f) => f.review_from_infusion <= f.stop_discussion_from_infusion,
            Self::Titration(t) => {
                let [least, most] = t.lower_percent;
                t.start_lower <= t.start && least <= most && most < Decimal::ONE_HUNDRED
            }
            Self::Maintenance(m) => {
                m.reinduction.is_sorted()
                    && !m.rungs_d.is_empty()
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
