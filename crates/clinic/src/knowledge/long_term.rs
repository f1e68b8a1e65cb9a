//! `knowledge/long_term/`: what many infusions ask to be watched: checks that fall due, exposure, misuse, tolerance.

use super::measure::{Mg, MgPerKg};
use super::{Body, Item, Knowledge};
use crate::course::Judged;
use crate::course::exposure::{self, Exposure, Known};
use crate::gate::Verdict;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// After so many months or infusions, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Since the check was made.
    pub months: Option<u32>,
    /// Since the check was made.
    pub infusions: Option<u32>,
}

/// A series of pain infusions after which a check is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PainSeries {
    /// On so many days or more,
    pub days_from: u32,
    /// or with any infusion above this.
    pub infusion_above: Mg,
    /// So many days without an infusion end a series.
    pub over_after_d: u32,
}

/// A check that falls due by exposure and by time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What is done.
    pub what: String,
    /// Before the first infusion too.
    pub baseline: bool,
    /// Findings of the consultation that together are the first one, where the screening counted each.
    #[serde(default)]
    pub baseline_by: Vec<String>,
    /// Not before so many months from the first infusion, unless the patient complains.
    #[serde(default)]
    pub from_months: u32,
    /// It may be made.
    pub due_after: After,
    /// No infusion beyond this is booked without it.
    pub overdue_after: After,
    /// After a series of pain infusions.
    pub pain_series: Option<PainSeries>,
    /// What is done with its result, for a person.
    pub then: String,
    /// Answers of the patient that ask for it again.
    #[serde(default)]
    pub complaint_by: Vec<Answer>,
}

/// A flag of a scale.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its id.
    pub scale: String,
    /// Id of the flag.
    pub flag: String,
}

/// When the exposure of a patient is looked at by a prescriber.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// From this week of the course on
    pub weekly_until_wk: u32,
    /// more infusions than this in seven days.
    pub a_week_most: u32,
    /// More infusions than this in twelve months.
    pub a_year_most: u32,
    /// A dose above this.
    pub dose_most: MgPerKg,
    /// More than this in twelve months.
    pub a_year_mg_most: Mg,
    /// So many intervals in a row, each shorter than the one before.
    pub shortened: usize,
    /// Treated longer than this without a longer interval tried.
    pub spacing_tried_within_mo: u32,
}

/// One sign of misuse or of drug that goes astray.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Name of the answer.
    pub id: String,
    /// For a person.
    pub ask: String,
}

/// Signs of misuse, each counting one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// A review is due from this many.
    pub review_from: usize,
    /// What is asked.
    #[serde(rename = "signal")]
    pub signals: Vec<Signal>,
}

/// When the effect on mood wears off sooner than it did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// So many intervals in a row,
    pub intervals: usize,
    /// each shorter than the one before by this share, %, at the same dose or a higher one.
    pub shorter_percent: Decimal,
}

/// A blood pressure before infusions that rises over months.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// By so much, mm[Hg],
    pub rise_from: Decimal,
    /// from the first to the last of so many months.
    pub within_months: u32,
    /// What is done, for a person.
    pub then: String,
}

/// One file of `knowledge/long_term/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LongTerm {
    /// A check.
    Check(Check),
    /// Exposure.
    Review(Review),
    /// Blood pressure over months.
    Drift(Drift),
    /// Misuse.
    Signals(Signals),
    /// Tolerance.
    Tolerance(Tolerance),
}

impl Body for LongTerm {
    const FOLDER: &'static str = "long_term";
    type Example = toml::Table;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        if let Self::Check(check) = &item.body {
            let is_raised = |by: &Answer| {
                all.scale(&by.scale).is_some_and(|scale| scale.body.flags.iter().any(|one| one.id == by.flag))
            };
            if let Some(by) = check.complaint_by.iter().find(|by| !is_raised(by)) {
                return Err(format!("no scale {} has the flag {}", by.scale, by.flag));
            }
            let counts = |fact: &&String| all.workup.iter().any(|item| item.body.asks_for(fact));
            if let Some(fact) = check.baseline_by.iter().find(|fact| !counts(fact)) {
                return Err(format!("no work-up says for how long {fact} counts"));
            }
        }
        let sound = match &item.body {
            Self::Check(check) => check.due_after.comes_before(check.overdue_after),
            Self::Review(review) => review.shortened > 0,
            Self::Drift(drift) => drift.within_months > 0,
            Self::Signals(signals) => (1..=signals.signals.len()).contains(&signals.review_from),
            Self::Tolerance(tolerance) => tolerance.intervals > 0,
        };
        if sound { Ok(()) } else { Err("its numbers do not nest".to_owned()) }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, _all: &Knowledge) -> Result<(), String> {
        let header = &item.header;
        let (came, wanted) = match &item.body {
            Self::Check(check) => {
                let case: CheckCase = read(example)?;
                let (last_done, judged, complaint) = (case.last_done, case.judged, case.complaint);
                let known = Known { last_done, judged, complaint, ..Known::default() };
                let came = exposure::judge_check(header, check, &case.given(), case.on, &known);
                (came.verdict(), case.verdict)
            }
            Self::Review(review) => {
                let case: ReviewCase = read(example)?;
                let came = exposure::judge_exposure(header, review, &case.infusions(), case.on);
                (came.verdict(), case.verdict)
            }
            Self::Drift(drift) => {
                let case: DriftCase = read(example)?;
                (exposure::judge_drift(header, drift, &case.systolic, case.on).verdict(), case.verdict)
            }
            Self::Signals(signals) => {
                let case: SignalCase = read(example)?;
                (exposure::judge_signals(header, signals, &case.seen).verdict(), case.verdict)
            }
            Self::Tolerance(tolerance) => {
                let case: ReviewCase = read(example)?;
                (exposure::judge_tolerance(header, tolerance, &case.infusions()).verdict(), case.verdict)
            }
        };
        if came == wanted { Ok(()) } else { Err(format!("expected {wanted:?}, came {came:?}")) }
    }
}

impl After {
    fn comes_before(self, other: Self) -> bool {
        let nests = |due: Option<u32>, over: Option<u32>| match (due, over) {
            (Some(due), Some(over)) => due <= over,
            (due, over) => due.is_none() && over.is_none(),
        };
        (self.months.is_some() || self.infusions.is_some())
            && nests(self.months, other.months)
            && nests(self.infusions, other.infusions)
    }
}

fn read<T: DeserializeOwned>(example: &toml::Table) -> Result<T, String> {
    T::deserialize(example.clone()).map_err(|e| e.to_string())
}

/// What was given, and the day of the infusion that is to be booked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckCase {
    on: Date,
    last_done: Option<Date>,
    #[serde(default)]
    judged: Judged,
    #[serde(default)]
    complaint: bool,
    infusions: Vec<Date>,
    mg: Option<Mg>,
    #[serde(default)]
    pain: bool,
    verdict: Verdict,
}

impl CheckCase {
    fn given(&self) -> Vec<Exposure> {
        let one = |on: &Date| Exposure { mg: self.mg, pain: self.pain, ..Exposure::on(*on) };
        self.infusions.iter().map(one).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewCase {
    on: Date,
    /// Days between one infusion and the next, the last one on `on`.
    intervals_d: Vec<i64>,
    mg: Mg,
    mg_per_kg: MgPerKg,
    verdict: Verdict,
}

impl ReviewCase {
    fn infusions(&self) -> Vec<Exposure> {
        let mut on = self.on;
        let mut infusions = vec![on];
        for days in self.intervals_d.iter().rev() {
            on = on.saturating_sub(jiff::SignedDuration::from_hours(24 * days));
            infusions.push(on);
        }
        let one = |on| Exposure { mg: Some(self.mg), mg_per_kg: Some(self.mg_per_kg), ..Exposure::on(on) };
        infusions.into_iter().rev().map(one).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DriftCase {
    on: Date,
    systolic: exposure::Pressures,
    verdict: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalCase {
    seen: BTreeMap<String, bool>,
    verdict: Verdict,
}
