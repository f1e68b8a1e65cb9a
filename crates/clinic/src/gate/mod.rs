//! Gates: pure questions that must be answered before a phase may begin.
//!
//! Every question returns an [`Assessment`]: the worst of its findings. An input that nobody gave is never a
//! pass, it is a `Hold` that names the input. Numbers come from `knowledge/`, never from here.

use crate::id::{RuleId, SourceId};
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

/// All findings of one question.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Assessment {
    /// In the order in which the rules were asked. A rule that passes may leave none.
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
