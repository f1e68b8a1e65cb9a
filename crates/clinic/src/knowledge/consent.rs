//! `knowledge/consent/`: what a patient reads before agreeing, how it is seen that they understood, and what an
//! agreement covers.

use super::claim::{self, Section};
use super::measure::MgPerKg;
use super::{Body, Item, Knowledge};
use crate::consent::{self, Cover};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One question that shows whether a document was understood.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Name of the answer.
    pub id: String,
    /// As asked.
    pub ask: String,
    /// To choose from.
    pub answers: Vec<String>,
    /// Which of them is right, counted from 1.
    pub right: u32,
    /// What is explained once more after another answer.
    pub again: String,
}

/// One document, as read and signed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// No infusion without it; else the patient chooses.
    pub needed: bool,
    /// Place among the documents.
    pub place: u32,
    /// What it is about, in a sentence.
    pub lead: String,
    /// What is agreed to by signing.
    pub agree: String,
    /// What is to be known.
    #[serde(rename = "section")]
    pub sections: Vec<Section>,
    /// What is asked before one can agree.
    #[serde(default, rename = "question")]
    pub questions: Vec<Question>,
}

impl Document {
    /// Questions that were not answered right, to be explained again.
    pub fn again<'a>(&'a self, answers: &'a BTreeMap<String, u32>) -> impl Iterator<Item = &'a Question> {
        self.questions.iter().filter(|question| answers.get(&question.id) != Some(&question.right))
    }
}

/// Doses that one agreement covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its id.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Highest dose of one infusion inside; the last band is open.
    pub to: Option<MgPerKg>,
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its id.
    pub id: String,
    /// For a person.
    pub title: String,
}

/// What an agreement covers: one band and those below it, by one route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// Low to high.
    #[serde(rename = "band")]
    pub bands: Vec<Band>,
    /// The first is the clinic's own.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
}

impl Covers {
    /// Whether an agreement reaches a dose of one infusion.
    pub fn reach(&self, cover: &Cover, dose: MgPerKg) -> bool {
        let band = self.bands.iter().find(|band| band.id == cover.band);
        band.is_some_and(|band| band.to.is_none_or(|to| dose <= to))
    }
    /// A band and a route in words.
    pub fn words(&self, cover: &Cover) -> String {
        let band = self.bands.iter().find(|band| band.id == cover.band);
        let route = self.routes.iter().find(|route| route.id == cover.route);
        let band = band.map_or(cover.band.as_str(), |band| &band.title);
        format!("{band}, {}", route.map_or(cover.route.as_str(), |route| &route.title))
    }

    fn check(&self) -> Result<(), String> {
        let tos: Vec<_> = self.bands.iter().map(|band| band.to).collect();
        let climbs = tos.windows(2).all(|two| match two {
            [Some(low), Some(high)] => low < high,
            [Some(_), None] => true,
            _ => false,
        });
        let ids: BTreeSet<_> = self.bands.iter().map(|band| &band.id).collect();
        if ids.len() == self.bands.len() && climbs && tos.last() == Some(&None) && !self.routes.is_empty() {
            Ok(())
        } else {
            Err("needs a route, and bands that climb, the last one open".to_owned())
        }
    }
}

/// What nobody says to a patient.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Each in small letters.
    pub never: Vec<String>,
}

/// One file of `knowledge/consent/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Consent {
    /// A document.
    Document(Document),
    /// What an agreement covers.
    Covers(Covers),
    /// What is never said.
    Wording(Wording),
}

impl Body for Consent {
    const FOLDER: &'static str = "consent";
    type Example = toml::Table;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Document(document) => {
                claim::check(&document.sections, all)?;
                [&document.lead, &document.agree]
                    .into_iter()
                    .try_for_each(|text| claim::unspoken(text, all))?;
                document.questions.iter().try_for_each(check_question)
            }
            Self::Covers(covers) => covers.check(),
            Self::Wording(wording) if wording.never.iter().any(|words| *words != words.to_lowercase()) => {
                Err("what is never said stands in small letters".to_owned())
            }
            Self::Wording(_) => Ok(()),
        }
    }

    fn prove(item: &Item<Self>, example: &toml::Table, all: &Knowledge) -> Result<(), String> {
        match &item.body {
            Self::Document(document) => {
                let case: Understood = read(example)?;
                let again: Vec<&str> =
                    document.again(&case.answers).map(|question| question.id.as_str()).collect();
                if again == case.again { Ok(()) } else { Err(format!("explained again: {again:?}")) }
            }
            Self::Covers(covers) => {
                let case: Reached = read(example)?;
                let route = covers.routes.first().map(|route| route.id.clone()).unwrap_or_default();
                let reached = covers.reach(&Cover { band: case.band, route }, case.dose);
                if reached == case.covered { Ok(()) } else { Err(format!("covered: {reached}")) }
            }
            Self::Wording(_) => {
                let case: Said = read(example)?;
                let refused = claim::unspoken(&case.says, all).is_err();
                if refused == case.refused { Ok(()) } else { Err(format!("refused: {refused}")) }
            }
        }
    }
}

fn check_question(question: &Question) -> Result<(), String> {
    let answers = question.answers.len();
    if answers >= 2 && (1..=answers).contains(&(question.right as usize)) && !question.again.is_empty() {
        Ok(())
    } else {
        Err(format!("`{}` needs two answers, one of them right, and what is explained again", question.id))
    }
}

fn read<T: serde::de::DeserializeOwned>(example: &toml::Table) -> Result<T, String> {
    T::deserialize(example.clone()).map_err(|e| e.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Understood {
    answers: BTreeMap<String, u32>,
    again: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {
    band: String,
    dose: MgPerKg,
    covered: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    says: String,
    refused: bool,
}

impl Knowledge {
    /// Every document, in the order in which they are read.
    pub fn documents(&self) -> Vec<(&Item<Consent>, &Document)> {
        let mut all: Vec<_> = self
            .consent
            .iter()
            .filter_map(|item| match &item.body {
                Consent::Document(document) => Some((item, document)),
                _ => None,
            })
            .collect();
        all.sort_by_key(|(_, document)| document.place);
        all
    }

    /// A document by its id.
    pub fn document(&self, id: &str) -> Option<(&Item<Consent>, &Document)> {
        self.documents().into_iter().find(|(item, _)| item.header.id == id)
    }

    /// What an agreement covers.
    pub fn covers(&self) -> Option<&Covers> {
        self.consent.iter().find_map(|item| match &item.body {
            Consent::Covers(covers) => Some(covers),
            _ => None,
        })
    }

    /// The text of a document, as it is shown and signed.
    pub fn consent_text(&self, id: &str) -> Option<String> {
        self.document(id).map(|(item, document)| consent::text(&item.header, document, self))
    }
}
