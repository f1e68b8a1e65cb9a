//! What clinicians know, as data: parses and checks `knowledge/`, which is embedded whole.
//!
//! Every item carries the same [`Header`]. Unknown keys are errors, every number has a UCUM unit or is a bare
//! count, limits nest, every source exists. Adding a file registers it.

use crate::id::SourceId;
use serde::{Deserialize, Serialize};

/// How sure the evidence is, as marked in the clinical brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Seen in a public document.
    Sourced,
    /// From a named paper, guideline or label whose full text was not open; a clinician checks it.
    General,
    /// Practice default that no guideline fixes; the clinic must sign it.
    Proposed,
    /// Not confirmed; not to be relied on.
    Uncertain,
}

/// Whether the clinic's medical director has signed the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Shipped default, not signed by this clinic. Every screen that shows it says so.
    Unsigned,
    /// Signed by the clinic.
    Signed,
}

/// What every knowledge item carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Stable; used in events and URLs.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Counts up when the content changes.
    pub version: u32,
    /// Profile it belongs to.
    #[serde(default = "default_profile")]
    pub profile: String,
    /// How sure.
    pub evidence: Evidence,
    /// Signed or not.
    pub status: Status,
    /// Ids in `knowledge/sources.toml`.
    pub sources: Vec<SourceId>,
    /// Reason or caveat for a person.
    #[serde(default)]
    pub note: String,
}

fn default_profile() -> String {
    "default-v1".to_owned()
}
