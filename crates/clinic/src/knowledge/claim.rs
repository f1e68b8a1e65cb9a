//! One sentence that a patient reads, with how strong the evidence for it is and where it comes from.

use super::Knowledge;
use super::consent::Consent;
use super::regimen::Grade;
use super::sources::Design;
use crate::id::SourceId;
use serde::Deserialize;

/// How strong the evidence for a claim is: the grades of a regimen, and what is no result of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Strength {
    /// Several good trials or a review of them.
    A,
    /// One good trial, or several small ones that agree.
    B,
    /// Small trials, or trials that disagree.
    C,
    /// Studies that compare with nothing, records, surveys, cases.
    D,
    /// Trials found no benefit.
    N,
    /// From the official label of a drug.
    #[serde(rename = "label")]
    Label,
    /// Told by others; the document itself was not seen.
    #[serde(rename = "reported")]
    Reported,
    /// How this clinic works; no study is claimed.
    #[serde(rename = "clinic")]
    Clinic,
}

impl Strength {
    /// As a patient reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::A => "Evidence A: several good trials agree",
            Self::B => "Evidence B: one good trial, or small ones that agree",
            Self::C => "Evidence C: small trials, or trials that disagree",
            Self::D => "Evidence D: studies without a comparison",
            Self::N => "Evidence N: trials found no benefit",
            Self::Label => "From the official label",
            Self::Reported => "Second hand: reported by others",
            Self::Clinic => "How this clinic works, not a result of a study",
        }
    }

    /// Whether documents of such kinds can show it. A claim is never stronger than its sources.
    fn is_backed_by(self, designs: &[Option<Design>]) -> bool {
        let any = |kinds: &[Design]| designs.iter().flatten().any(|design| kinds.contains(design));
        let trials = designs.iter().filter(|design| **design == Some(Design::Trial)).count();
        match self {
            Self::A => any(&[Design::Review]) || trials > 1,
            Self::B | Self::C | Self::N => any(&[Design::Review, Design::Trial]),
            Self::D => any(&[Design::Review, Design::Trial, Design::Open]),
            Self::Label => any(&[Design::Label]),
            Self::Reported => designs.iter().any(Option::is_some),
            Self::Clinic => true,
        }
    }

    /// The grade, where it is one that can be held against that of a regimen.
    pub(super) const fn grade(self) -> Option<Grade> {
        match self {
            Self::A => Some(Grade::A),
            Self::B => Some(Grade::B),
            Self::C => Some(Grade::C),
            Self::D => Some(Grade::D),
            Self::N | Self::Label | Self::Reported | Self::Clinic => None,
        }
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In plain words.
    pub says: String,
    /// How strong the evidence is.
    pub strength: Strength,
    /// Where it comes from.
    pub sources: Vec<SourceId>,
}

impl Claim {
    /// How strong it is, and the short names of its sources, in a line. What a clinic says of itself has no document.
    pub fn evidence(&self, all: &Knowledge) -> String {
        let documents = self.sources.iter().filter_map(|id| all.sources.get(id));
        let documents =
            documents.filter(|source| source.design.is_some()).map(|source| source.title.as_str());
        let documents = documents.collect::<Vec<_>>().join("; ");
        let words = self.strength.words();
        if documents.is_empty() { words.to_owned() } else { format!("{words}. Source: {documents}") }
    }

    fn check(&self, all: &Knowledge) -> Result<(), String> {
        let says = &self.says;
        if self.sources.is_empty() {
            return Err(format!("“{says}” has no source"));
        }
        if let Some(unknown) = self.sources.iter().find(|id| all.sources.get(id).is_none()) {
            return Err(format!("“{says}” cites `{unknown}`, which is not in sources.toml"));
        }
        let design = |id| all.sources.get(id).and_then(|source| source.design);
        let designs: Vec<Option<Design>> = self.sources.iter().map(design).collect();
        if self.strength.is_backed_by(&designs) {
            Ok(())
        } else {
            Err(format!("“{says}” is stronger than its sources: {}", self.strength.words()))
        }
    }
}

/// What stands together under one heading.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// In the order read.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// Whether each claim has its source, is no stronger than it, and uses no word that nobody may use to a patient.
pub(super) fn check(sections: &[Section], all: &Knowledge) -> Result<(), String> {
    if sections.is_empty() || sections.iter().any(|section| section.claims.is_empty()) {
        return Err("needs a section, and a claim in each".to_owned());
    }
    let claims = || sections.iter().flat_map(|section| &section.claims);
    claims().try_for_each(|claim| claim.check(all))?;
    sections.iter().try_for_each(|section| unspoken(&section.title, all))?;
    claims().try_for_each(|claim| unspoken(&claim.says, all))
}

/// Refuses wording that promises more than anybody knows.
pub(super) fn unspoken(text: &str, all: &Knowledge) -> Result<(), String> {
    let lower = text.to_lowercase();
    let rules = all.consent.iter().filter_map(|item| match &item.body {
        Consent::Wording(wording) => Some(wording),
        _ => None,
    });
    let mut never = rules.flat_map(|wording| &wording.never);
    match never.find(|words| lower.contains(words.as_str())) {
        Some(words) => Err(format!("“{text}” says “{words}”, which promises more than anybody knows")),
        None => Ok(()),
    }
}
