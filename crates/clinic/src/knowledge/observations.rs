//! `knowledge/observations/`: what is looked at, and how often.

use super::{Body, Item, Knowledge};
use serde::{Deserialize, Serialize};

/// What is observed at the chair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Blood pressure by cuff.
    Nibp,
    /// Oxygen saturation.
    Spo2,
    /// Heart or pulse rate.
    HeartRate,
    /// Breaths a minute.
    RespiratoryRate,
    /// End-tidal carbon dioxide.
    Etco2,
    /// MOAA/S or RASS.
    Sedation,
    /// Distress 0 to 10.
    Distress,
    /// CADSS-6 or the clinic's own question.
    Dissociation,
    /// Nausea 0 to 3.
    Nausea,
    /// Pain 0 to 10.
    Pain,
    /// The IV site.
    IvSite,
    /// Rate, volume left and infused, as the pump shows them.
    Pump,
}

/// One observation of a schedule; intervals in minutes. Without an interval it is not due in that phase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What is observed.
    pub what: Observed,
    /// For a person.
    pub title: String,
    /// How many times before the start.
    #[serde(default)]
    pub baseline: u32,
    /// During the infusion and its pauses.
    pub infusion_min: Option<i64>,
    /// The same while something calls for more.
    pub fast_min: Option<i64>,
    /// In recovery.
    pub recovery_min: Option<i64>,
    /// Once when the infusion ends.
    #[serde(default)]
    pub at_end: bool,
    /// Only where a device is expected to send it.
    #[serde(default)]
    pub only_if_expected: bool,
}

/// Phase of the session as far as observing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the start: shown, not yet watched for silence.
    #[default]
    Preparing,
    /// The drug runs.
    Infusing,
    /// The drug is held.
    Paused,
    /// After the end, until discharge.
    Recovering,
    /// Nobody in the chair.
    Closed,
}

impl Row {
    /// Interval in a phase, seconds; `None` where it is not due.
    pub fn every_s(&self, phase: Phase, fast: bool) -> Option<i64> {
        let minutes = match phase {
            Phase::Infusing | Phase::Paused if fast => self.fast_min.or(self.infusion_min),
            Phase::Infusing | Phase::Paused => self.infusion_min,
            Phase::Recovering => self.recovery_min,
            Phase::Preparing | Phase::Closed => None,
        };
        minutes.map(|m| m.saturating_mul(60))
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// By observation.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// How often something is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueCase {
    what: Observed,
    phase: Phase,
    #[serde(default)]
    fast: bool,
    every_min: i64,
}

impl Body for Schedule {
    const FOLDER: &'static str = "observations";
    type Example = DueCase;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let rows = &item.body.rows;
        if let Some(bad) = rows.iter().find(|r| {
            [r.infusion_min, r.fast_min, r.recovery_min].into_iter().flatten().any(|minutes| minutes <= 0)
        }) {
            return Err(format!("the interval of {} is not above zero", bad.title));
        }
        let twice =
            rows.iter().enumerate().find(|(i, r)| rows.iter().take(*i).any(|other| other.what == r.what));
        twice.map_or(Ok(()), |(_, row)| Err(format!("{} stands there twice", row.title)))
    }

    fn prove(item: &Item<Self>, case: &DueCase, _all: &Knowledge) -> Result<(), String> {
        let row = item.body.rows.iter().find(|row| row.what == case.what).ok_or("no such observation")?;
        match row.every_s(case.phase, case.fast) {
            Some(seconds) if seconds == case.every_min * 60 => Ok(()),
            other => Err(format!("comes out as {other:?} s")),
        }
    }
}
