//! What happened to the consents of a patient, and how it adds up.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::{Cover, Drawing, Edition, SignedText};
use crate::id::{ConsentId, StaffId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the documents reach the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By a link.
    Phone,
    /// On a tablet that staff handed over.
    Tablet,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Documents were put before the patient.
    ConsentAsked { consent: ConsentId, documents: Vec<Edition>, cover: Cover, how: How, expires: Timestamp },
    /// The patient agrees to a document and answered what it asks; `again` is what had to be explained once more.
    UnderstandingShown {
        consent: ConsentId,
        document: String,
        answers: BTreeMap<String, u32>,
        again: Vec<String>,
    },
    /// The patient does not agree to a document.
    ConsentRefused { consent: ConsentId, document: String, words: String },
    /// The patient signed what they agreed to, by typing their name.
    ConsentSigned { consent: ConsentId, cover: Cover, name: String, texts: Vec<SignedText> },
    /// The patient signed what they agreed to, by drawing.
    ConsentDrawn { consent: ConsentId, cover: Cover, drawing: Drawing, texts: Vec<SignedText> },
    /// The patient took agreement back.
    ConsentWithdrawn { documents: Vec<String>, words: String },
}

/// What a patient said of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Agrees; understood it.
    Agreed,
    /// Wants to agree; these questions are explained again.
    Again(Vec<String>),
    /// Does not agree.
    Refused,
}

/// Documents put before a patient once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// In the order read.
    pub documents: Vec<Edition>,
    /// What is agreed to.
    pub cover: Cover,
    /// How they reach the patient.
    pub how: How,
    /// Who put them there.
    pub by: StaffId,
    /// When.
    pub made: Timestamp,
    /// Until when it takes answers.
    pub expires: Timestamp,
    /// What was said of each, so far.
    pub decided: BTreeMap<String, Decision>,
    /// How often something was said.
    pub tries: usize,
    /// When the patient signed.
    pub signed: Option<Timestamp>,
}

impl Asking {
    /// Nothing is left to say: it was signed, or everything was refused.
    pub fn is_over(&self) -> bool {
        let refused = |one: &Edition| self.decided.get(&one.document) == Some(&Decision::Refused);
        self.signed.is_some() || self.documents.iter().all(refused)
    }
    /// The first document that waits for an answer, by its place from 0.
    pub fn next(&self) -> Option<usize> {
        let waits = |one: &Edition| {
            !matches!(self.decided.get(&one.document), Some(Decision::Agreed | Decision::Refused))
        };
        self.documents.iter().position(waits)
    }
    /// What the patient agrees to.
    pub fn agreed(&self) -> impl Iterator<Item = &Edition> {
        self.documents.iter().filter(|one| self.decided.get(&one.document) == Some(&Decision::Agreed))
    }
}

/// One document, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Through which asking.
    pub consent: ConsentId,
    /// What.
    pub text: SignedText,
    /// For which doses and route.
    pub cover: Cover,
    /// What the patient signed with.
    pub mark: Mark,
    /// When.
    pub at: Timestamp,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// The name, as typed.
    Name(String),
    /// As drawn.
    Drawing(Drawing),
}

/// All of a patient's. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consents {
    /// Number of events taken in.
    pub version: i64,
    /// By id.
    pub askings: BTreeMap<ConsentId, Asking>,
    /// Everything that was ever signed, early to late.
    pub signed: Vec<Signed>,
    /// Documents refused since they were signed, if they were: when, and the patient's words.
    pub refused: BTreeMap<String, (Timestamp, String)>,
    /// Documents taken back since they were signed: when, and the patient's words.
    pub withdrawn: BTreeMap<String, (Timestamp, String)>,
}

impl Consents {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, by: &StaffId, now: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::ConsentAsked { consent, documents, cover, how, expires } => {
                let asking = Asking {
                    documents: documents.clone(),
                    cover: cover.clone(),
                    how: *how,
                    by: by.clone(),
                    made: now,
                    expires: *expires,
                    decided: BTreeMap::new(),
                    tries: 0,
                    signed: None,
                };
                self.askings.insert(consent.clone(), asking);
            }
            Event::UnderstandingShown { consent, document, again, .. } => {
                let said = if again.is_empty() { Decision::Agreed } else { Decision::Again(again.clone()) };
                self.says(consent, document, said);
            }
            Event::ConsentRefused { consent, document, words } => {
                self.says(consent, document, Decision::Refused);
                self.refused.insert(document.clone(), (now, words.clone()));
            }
            Event::ConsentSigned { consent, cover, name, texts } => {
                self.signs((consent, cover), &Mark::Name(name.clone()), texts, now);
            }
            Event::ConsentDrawn { consent, cover, drawing, texts } => {
                self.signs((consent, cover), &Mark::Drawing(drawing.clone()), texts, now);
            }
            Event::ConsentWithdrawn { documents, words } => {
                for document in documents {
                    self.withdrawn.insert(document.clone(), (now, words.clone()));
                }
            }
        }
        self
    }

    fn signs(
        &mut self,
        (consent, cover): (&ConsentId, &Cover),
        mark: &Mark,
        texts: &[SignedText],
        now: Timestamp,
    ) {
        if let Some(asking) = self.askings.get_mut(consent) {
            asking.signed = Some(now);
        }
        for text in texts {
            self.refused.remove(&text.edition.document);
            self.withdrawn.remove(&text.edition.document);
            self.signed.push(Signed {
                consent: consent.clone(),
                text: text.clone(),
                cover: cover.clone(),
                mark: mark.clone(),
                at: now,
            });
        }
    }

    fn says(&mut self, consent: &ConsentId, document: &str, said: Decision) {
        if let Some(asking) = self.askings.get_mut(consent) {
            asking.tries += 1;
            asking.decided.insert(document.to_owned(), said);
        }
    }

    /// The last signature under a document.
    pub fn last(&self, document: &str) -> Option<&Signed> {
        self.signed.iter().rev().find(|signed| signed.text.edition.document == document)
    }
}
