//! What clinicians know, as data: parses and checks `knowledge/`, which is embedded whole.
//!
//! Every item carries the same [`Header`]. Unknown keys are errors, every number has a UCUM unit or is a bare
//! count, limits nest, every source exists, every worked example holds. Adding a file registers it; adding a kind
//! is one file here that implements [`Body`] and one line in [`Knowledge`].

pub mod adverse_events;
pub mod advice;
pub mod asked;
pub mod benchmarks;
pub mod booking;
pub mod cap;
pub mod care;
pub mod claim;
pub mod consent;
pub mod dilution;
pub mod discharge;
pub mod drug;
pub mod eligibility;
mod embed;
pub mod expect;
pub mod gates;
pub mod giving_set;
pub mod interactions;
mod item;
pub mod limits;
pub mod long_term;
pub mod measure;
pub mod observations;
pub mod pd_models;
pub mod pk_models;
pub mod plausibility;
pub mod profiles;
mod proof;
pub mod pump_library;
pub mod regimen;
pub mod resistance;
pub mod scales;
pub mod session_rules;
pub mod sources;
pub mod spacing;
pub mod weight;
pub mod workup;

pub use item::{Body, Item, Shelf};

use crate::id::{RuleId, SourceId};
use serde::{Deserialize, Serialize};
use sources::Sources;
use std::collections::BTreeMap;

/// How sure the evidence is.
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

impl Evidence {
    /// In a word, as the file has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sourced => "sourced",
            Self::General => "general",
            Self::Proposed => "proposed",
            Self::Uncertain => "uncertain",
        }
    }
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
    /// Parts of a sourced item that no source fixes, by their path in it, each in words: the clinic must sign them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, String>,
    /// Reason or caveat for a person.
    #[serde(default)]
    pub note: String,
}

impl Header {
    /// Whether a screen that shows it has to say "clinic default, not signed".
    pub fn is_unsigned_default(&self) -> bool {
        self.status == Status::Unsigned && self.evidence != Evidence::Sourced
    }

    /// What a screen that shows the item has to say of it: that it is a clinic default, or what of it is one. Empty where
    /// sources fix all of it or the clinic has signed it.
    pub fn unsigned(&self) -> String {
        const WORDS: &str = "clinic default, not signed";
        let parts: Vec<&str> = self.defaults.values().map(String::as_str).collect();
        match self.status {
            Status::Unsigned if self.is_unsigned_default() => WORDS.to_owned(),
            Status::Unsigned if !parts.is_empty() => format!("{WORDS}: {}", parts.join("; ")),
            Status::Unsigned | Status::Signed => String::new(),
        }
    }

    /// The same behind other words; nothing where there is nothing to say.
    pub fn unsigned_after(&self, between: &str) -> String {
        Some(self.unsigned())
            .filter(|words| !words.is_empty())
            .map_or_else(String::new, |words| format!("{between}{words}"))
    }
}

fn default_profile() -> String {
    "default-v1".to_owned()
}

/// One file as read: path below `knowledge/` with `/`, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// For example `regimens/mdd_si.toml`.
    pub path: String,
    /// Its text; empty when it is not UTF-8.
    pub text: String,
}

impl File {
    fn folder(&self) -> Option<&str> {
        self.path.rsplit_once('/').map(|(folder, _)| folder)
    }
    fn stem(&self) -> Option<&str> {
        self.path.rsplit('/').next()?.strip_suffix(".toml")
    }
    /// `.DS_Store` and the like, which carry no knowledge.
    fn is_hidden(&self) -> bool {
        self.path.rsplit('/').next().is_some_and(|name| name.starts_with('.'))
    }
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path below `knowledge/`.
    pub path: String,
    /// For a person.
    pub reason: String,
}

/// Knowledge that cannot be used: everything that is wrong with it, at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the knowledge cannot be used:{}", .problems.iter().map(|p| format!("\n  {}: {}", p.path, p.reason)).collect::<String>())]
pub struct KnowledgeError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One line of the list of all items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemSummary {
    /// Folder, for example `regimens`.
    pub kind: &'static str,
    /// Id, title, version, evidence, sources.
    pub header: Header,
    /// Path below `knowledge/`.
    pub path: String,
}

macro_rules! shelves {
    ($($(#[$doc:meta])* $shelf:ident: $body:ty),* $(,)?) => {
        /// Everything that was read, checked. Immutable; a decision names the id and version that it used.
        #[derive(Debug, Clone, Default)]
        pub struct Knowledge {
            /// Citations.
            pub sources: Sources,
            $($(#[$doc])* pub $shelf: Shelf<$body>,)*
            texts: BTreeMap<String, File>,
        }

        impl Knowledge {
            const FOLDERS: &'static [&'static str] = &[$(<$body as Body>::FOLDER),*];

            fn read_shelves(&mut self, files: &[File], problems: &mut Vec<Problem>) {
                $(self.$shelf = Shelf::read(files, problems);)*
            }
            fn check_shelves(&self, problems: &mut Vec<Problem>) {
                $(self.$shelf.check(self, problems);)*
            }
            fn summaries(&self) -> Vec<(&'static str, &Header)> {
                let mut all = Vec::new();
                $(all.extend(self.$shelf.iter().map(|item| (<$body as Body>::FOLDER, &item.header)));)*
                all
            }
        }
    };
}

shelves! {
    /// What is ordered.
    regimens: regimen::Regimen,
    /// How much, how fast, how short.
    caps: cap::Cap,
    /// Vials.
    drugs: drug::Drug,
    /// Syringes and bags.
    dilutions: dilution::Dilution,
    /// Drops a millilitre.
    giving_sets: giving_set::GivingSet,
    /// What the body does with a dose.
    pk_models: pk_models::PkModel,
    /// What a level does.
    pd_models: pd_models::PdModel,
    /// What was measured, to judge those by.
    pk_observations: pk_models::observations::PkObservations,
    /// What the pump's library allows.
    pump_library: pump_library::PumpEntry,
    /// Which weight counts.
    weight: weight::DoseWeight,
    /// What is asked on the day.
    gates: gates::Gate,
    /// When a number, a symptom, a device or silence asks for a person.
    limits: limits::Limits,
    /// What is looked at, and how often.
    observations: observations::Schedule,
    /// What to do when it goes wrong.
    adverse_events: adverse_events::AdverseEvent,
    /// When a patient may go home.
    discharge: discharge::Discharge,
    /// What the medicine list means.
    interactions: interactions::Interaction,
    /// Time between infusions.
    spacing: spacing::Spacing,
    /// Visits in the clinic's calendar.
    booking: booking::Booking,
    /// Work-up and course.
    advice: advice::Advice,
    /// What many infusions ask to be watched.
    long_term: long_term::LongTerm,
    /// Who may be treated.
    eligibility: eligibility::Eligibility,
    /// What has to be known before a course.
    workup: workup::WorkUp,
    /// When a depression is resistant.
    resistance: resistance::Resistance,
    /// What a clinic or a programme asks differently.
    profiles: profiles::Profile,
    /// What a consultation can be asked.
    asked: asked::Vocabulary,
    /// How a session is run.
    session: session_rules::SessionRules,
    /// What is asked, and what a score means.
    scales: scales::Scale,
    /// What others published, to stand beside a clinic's own numbers.
    benchmarks: benchmarks::Benchmark,
    /// What is asked before the first visit, who is told, and how soon.
    care: care::Care,
    /// What a patient reads before agreeing, and what an agreement covers.
    consent: consent::Consent,
    /// What a patient may expect.
    expect: expect::Expect,
}

impl Knowledge {
    /// What is shipped with the program.
    ///
    /// # Errors
    /// Every problem of every file; a build whose tests passed has none.
    pub fn shipped() -> Result<Self, KnowledgeError> {
        Self::read(&embed::shipped())
    }

    /// What is shipped, with one file more or in the place of its own.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn shipped_with(file: File) -> Result<Self, KnowledgeError> {
        let mut files = embed::shipped();
        files.retain(|shipped| shipped.path != file.path);
        files.push(file);
        Self::read(&files)
    }

    /// Reads and checks a whole folder.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn read(files: &[File]) -> Result<Self, KnowledgeError> {
        let mut problems = Vec::new();
        let mut knowledge = Self::default();
        for file in files.iter().filter(|file| !file.is_hidden()) {
            knowledge.shelve_text(file, &mut problems);
        }
        knowledge.read_shelves(files, &mut problems);
        // Links between broken files would only repeat what is already said.
        if problems.is_empty() {
            knowledge.check_shelves(&mut problems);
        }
        if problems.is_empty() { Ok(knowledge) } else { Err(KnowledgeError { problems }) }
    }

    fn shelve_text(&mut self, file: &File, problems: &mut Vec<Problem>) {
        let mut complain = |reason: String| problems.push(Problem { path: file.path.clone(), reason });
        if file.path == "sources.toml" {
            match Sources::read(&file.text) {
                Ok(sources) => self.sources = sources,
                Err(reason) => complain(reason),
            }
            return;
        }
        let Some(id) = file.stem() else { return complain("is not a .toml file".to_owned()) };
        match file.folder() {
            Some(folder) if Self::FOLDERS.contains(&folder) => {}
            Some(folder) => return complain(format!("nothing reads the folder `{folder}`")),
            None => return complain("belongs into the folder of its kind".to_owned()),
        }
        if let Some(other) = self.texts.insert(id.to_owned(), file.clone()) {
            complain(format!("the id `{id}` is already taken by {}", other.path));
        }
    }

    /// Every item, by kind and id.
    pub fn items(&self) -> Vec<ItemSummary> {
        self.summaries()
            .into_iter()
            .map(|(kind, header)| ItemSummary {
                kind,
                header: header.clone(),
                path: format!("{kind}/{}.toml", header.id),
            })
            .collect()
    }

    /// The header of the item of that id, whatever its kind.
    pub fn header(&self, id: &str) -> Option<&Header> {
        self.summaries().into_iter().map(|(_, header)| header).find(|header| header.id == id)
    }

    /// An item as a person calls it; its id in words where nothing of that id is there any more.
    pub fn title(&self, id: &str) -> String {
        self.header(id).map_or_else(|| id.replace('_', " "), |header| header.title.clone())
    }

    /// Whether there is a regimen of that id.
    pub fn has_regimen(&self, id: &RuleId) -> bool {
        self.regimens.get(id.as_str()).is_some()
    }

    /// The item's own text, as it stands in its file.
    pub fn show(&self, id: &str) -> Option<&str> {
        self.texts.get(id).map(|file| file.text.as_str())
    }
}

#[cfg(test)]
mod tests;
