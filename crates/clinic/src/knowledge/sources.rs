//! `knowledge/sources.toml`: every citation once, by id.

use crate::id::SourceId;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Citations by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<SourceId, Source>);

/// What kind of document it is: how much it can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// The official label of a drug.
    Label,
    /// A review or guideline that weighs trials.
    Review,
    /// A randomised trial.
    Trial,
    /// Without a comparison by chance: open studies, records, surveys, cases.
    Open,
    /// Somebody else's account of it.
    Secondary,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Author, year and title as one finds it.
    pub title: String,
    /// Year, when one document with one year stands behind the id.
    pub year: Option<u16>,
    /// Addresses, or words when there is none on the web.
    #[serde(default, rename = "where")]
    pub addresses: Vec<String>,
    /// What kind of document it is; said where a claim to patients rests on it.
    pub design: Option<Design>,
    /// What of it was seen, or another caveat.
    #[serde(default)]
    pub note: String,
}

impl Sources {
    /// Reads the file.
    ///
    /// # Errors
    /// The reason for a person: broken TOML, an unknown key or an empty title.
    pub fn read(text: &str) -> Result<Self, String> {
        let sources: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        match sources.0.iter().find(|(_, source)| source.title.trim().is_empty()) {
            Some((id, _)) => Err(format!("source `{id}` has no title")),
            None => Ok(sources),
        }
    }
    /// The document behind an id.
    pub fn get(&self, id: &SourceId) -> Option<&Source> {
        self.0.get(id)
    }
    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceId, &Source)> {
        self.0.iter()
    }
}
