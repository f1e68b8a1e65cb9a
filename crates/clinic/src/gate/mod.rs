//! Gates: pure questions that must be answered before a phase may begin.
//!
//! Every question returns an [`Assessment`]: the worst of its findings. An input that nobody gave is never a
//! pass, it is a `Hold` that names the input. Numbers come from `knowledge/`, never from here.

mod advice;
mod day_of;
mod discharge;
mod medicines;
mod rescue;

pub use advice::{Advised, FutilityAdvice, MaintenanceVisit, NextInterval, Proposal, futility, maintenance};
pub use day_of::{
    BpBand, DayOfInputs, GateResult, LastInfusion, MeasuredBefore, Pressure, baseline, bp_band, day_of,
    hours_between, longest_wait, questions, spacing, spacing_verdict, vitals,
};
pub(crate) use day_of::{LAST, judge_pressure, judge_spacing, judge_vitals, measures_again};
pub use discharge::{
    DischargeAssessment, DischargeInputs, Found, LastVitals, Rescue, ScoreResult, Vitals, discharge,
    earliest_discharge, padss, padss_vital_signs,
};
pub use medicines::{MEDICINES_GATE, MedicineAssessment, diazepam_equivalent, medicines, unjudged};
pub use rescue::{NotAllowed, standing_order};

use crate::id::{RuleId, SourceId};
use crate::knowledge::Header;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a rule judges. Ordered: the worst one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing to do.
    #[default]
    Pass,
    /// Worth knowing.
    Info,
    /// A person must see and acknowledge it.
    Warn,
    /// Waits until a prescriber decides or an input arrives.
    Hold,
    /// No infusion.
    Stop,
}

/// Who may decide against a finding. The decision is an event with a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// Needs nobody: acknowledging is enough.
    #[default]
    None,
    /// A prescriber, with a reason.
    Prescriber,
    /// The medical director, with a reason.
    Director,
    /// Nobody.
    Never,
}

/// What one rule says about the inputs it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule, for example `c11` or `d03`.
    pub rule: RuleId,
    /// Version of the rule, so that an old session replays under the rules of its day.
    pub version: u32,
    /// Its judgement.
    pub verdict: Verdict,
    /// For a person, with the numbers.
    pub reason: String,
    /// What it looked at, by name, as text.
    pub inputs: BTreeMap<String, String>,
    /// Where the rule comes from.
    pub sources: Vec<SourceId>,
    /// Who may decide against it.
    pub overridable_by: Override,
}

impl Finding {
    /// What the rule behind `header` says. A hold or a stop may be decided by a prescriber unless
    /// [`Finding::only_by`] says otherwise.
    pub fn new(header: &Header, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            rule: RuleId::new(&header.id),
            version: header.version,
            verdict,
            reason: reason.into(),
            inputs: BTreeMap::new(),
            sources: header.sources.clone(),
            overridable_by: if verdict >= Verdict::Hold { Override::Prescriber } else { Override::None },
        }
    }
    /// An input that nobody gave.
    pub(crate) fn missing(header: &Header, what: &str) -> Self {
        Self::new(header, Verdict::Hold, format!("missing: {what}")).with(what, "missing")
    }
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.inputs.insert(name.to_owned(), value.to_string());
        self
    }
    pub(crate) fn only_by(mut self, who: Override) -> Self {
        if self.verdict >= Verdict::Hold {
            self.overridable_by = who;
        }
        self
    }
}

/// All findings of one question.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Assessment {
    /// In the order in which the rules were asked.
    pub findings: Vec<Finding>,
}

impl Assessment {
    /// The worst finding; `Pass` when there is none.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|f| f.verdict).max().unwrap_or_default()
    }
    /// Adds the findings of another question.
    pub fn take_in(&mut self, other: Self) {
        self.findings.extend(other.findings);
    }
    /// The findings that keep the phase from beginning.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.verdict >= Verdict::Hold)
    }
}

impl From<Vec<Finding>> for Assessment {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings }
    }
}

/// What is said when the rule that should judge is not in the knowledge: a hold, never a pass.
pub(crate) fn no_rule(id: &str) -> Finding {
    Finding {
        rule: RuleId::new(id),
        version: 0,
        verdict: Verdict::Hold,
        reason: format!("missing: rule {id} is not in the knowledge"),
        inputs: BTreeMap::new(),
        sources: Vec::new(),
        overridable_by: Override::Never,
    }
}

#[cfg(test)]
mod tests;
