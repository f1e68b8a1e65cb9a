//! What a patient and staff may do with a consent, and why not.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::drawing::{Drawing, HEIGHT, WIDTH};
use super::state::{Asking, Consents, Decision, Event, How};
use super::{Cover, Edition, SignedText};
use crate::id::ConsentId;
use crate::knowledge::Knowledge;
use crate::patient::Patient;
use crate::staff::{Actor, Role};
use crate::text::{is_reason, unfit, unfit_in_line};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Longest words of a refusal or withdrawal, and longest typed name.
const WORDS_LONGEST: usize = 500;
/// Answers through one link, changes of mind included.
const TRIES_MOST: usize = 60;

/// Why not: an answer for a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("A {} may not ask for consent.", .0.title())]
    Role(Role),
    #[error("{what} is empty. Choose at least one.")]
    Nothing { field: &'static str, what: &'static str },
    #[error("{what} “{id}” is not one of those to choose from.")]
    Unknown { field: &'static str, what: &'static str, id: String },
    #[error("There is no such link.")]
    NoLink,
    #[error("This link has ended.")]
    Ended { at: Timestamp },
    #[error("This was decided already. A link is used once.")]
    Used { at: Option<Timestamp> },
    #[error("The text has changed since it was put before you. Ask the clinic for the new one.")]
    TextChanged { document: String },
    #[error("“{document}” is not one of the documents to read here.")]
    NoDocument { document: String },
    #[error(
        "Question {question}: answer {answer} is not one of those to choose from; accepted is 1 to {most}."
    )]
    NoAnswer { question: String, answer: u32, most: usize },
    #[error("This question is not answered yet. Choose one of the answers.")]
    NotAnswered { question: String },
    #[error("“{title}” waits for your answer. Read it first.")]
    NotRead { title: String },
    #[error("{what} is empty. {next}")]
    Empty { field: &'static str, what: &'static str, next: &'static str },
    #[error("{what} has {length} characters; at most {WORDS_LONGEST} are accepted.")]
    TooLong { field: &'static str, what: &'static str, length: usize },
    #[error("{what} holds the character U+{code:04X}, which is no text. Type it without.")]
    Character { field: &'static str, what: &'static str, code: u32 },
    #[error(
        "This is not the name in the clinic's record. Type your first and your family name, or give the tablet or the link back to the clinic if it is not yours."
    )]
    OtherName,
    #[error("Nothing is drawn. Draw your signature in the field, or type your name instead.")]
    NotDrawn,
    #[error(
        "The drawing has more than {most} {what}. Clear it and draw it again, or type your name instead."
    )]
    DrawnTooMuch { what: &'static str, most: usize },
    #[error(
        "The drawing holds “{text}”, which is no point of the field; accepted are whole numbers, 0 to {WIDTH} across and 0 to {HEIGHT} down. Clear it and draw it again, or type your name instead."
    )]
    NoPoint { text: String },
    #[error(
        "This is not the day of birth in the clinic's record. Enter yours, or give the tablet or the link back to the clinic if it is not yours."
    )]
    OtherBirth,
    #[error("Too many answers came through this link. Ask the clinic for a new one.")]
    TooMany,
    #[error("No agreement to “{title}” stands, so none can be taken back.")]
    NothingToWithdraw { title: String },
}

impl Refusal {
    /// The form field that the words belong to; empty for the whole form.
    pub fn field(&self) -> String {
        match self {
            Self::Nothing { field, .. }
            | Self::Unknown { field, .. }
            | Self::Empty { field, .. }
            | Self::TooLong { field, .. }
            | Self::Character { field, .. } => (*field).to_owned(),
            Self::NoAnswer { question, .. } | Self::NotAnswered { question } => question.clone(),
            Self::OtherName => "name".to_owned(),
            Self::NotDrawn | Self::DrawnTooMuch { .. } | Self::NoPoint { .. } => "stroke".to_owned(),
            Self::OtherBirth => "born".to_owned(),
            Self::NothingToWithdraw { .. } => "documents".to_owned(),
            _ => String::new(),
        }
    }
}

/// Who may put documents before a patient and note what they take back.
pub const fn may_ask(role: Role) -> bool {
    matches!(role, Role::FrontDesk | Role::Nurse | Role::Prescriber | Role::Therapist)
}

/// Puts documents before a patient.
///
/// # Errors
/// What is wrong with the choice.
pub fn ask(
    actor: &Actor,
    consent: ConsentId,
    documents: &BTreeSet<String>,
    (cover, how, expires): (Cover, How, Timestamp),
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    if !may_ask(actor.role) {
        return Err(Refusal::Role(actor.role));
    }
    if documents.is_empty() {
        return Err(Refusal::Nothing { field: "documents", what: "The list of documents" });
    }
    if let Some(id) = documents.iter().find(|id| knowledge.document(id).is_none()) {
        return Err(Refusal::Unknown { field: "documents", what: "The document", id: id.clone() });
    }
    let covers = knowledge.covers();
    let (bands, routes) = covers.map(|covers| (&*covers.bands, &*covers.routes)).unwrap_or_default();
    if !bands.iter().any(|band| band.id == cover.band) {
        return Err(Refusal::Unknown { field: "band", what: "The dose", id: cover.band });
    }
    if !routes.iter().any(|route| route.id == cover.route) {
        return Err(Refusal::Unknown { field: "route", what: "The route", id: cover.route });
    }
    let chosen = knowledge.documents().into_iter().filter(|(item, _)| documents.contains(&item.header.id));
    let edition =
        |header: &crate::knowledge::Header| Edition { document: header.id.clone(), version: header.version };
    let documents = chosen.map(|(item, _)| edition(&item.header)).collect();
    Ok(Event::ConsentAsked { consent, documents, cover, how, expires })
}

/// What a link still leads to.
///
/// # Errors
/// That it was used, has ended or is of a text that has changed.
pub fn open<'a>(
    all: &'a Consents,
    consent: &ConsentId,
    now: Timestamp,
    knowledge: &Knowledge,
) -> Result<&'a Asking, Refusal> {
    let asking = all.askings.get(consent).ok_or(Refusal::NoLink)?;
    if asking.is_over() {
        return Err(Refusal::Used { at: asking.signed });
    }
    if now >= asking.expires {
        return Err(Refusal::Ended { at: asking.expires });
    }
    let stands = |one: &&Edition| {
        knowledge.document(&one.document).is_some_and(|(item, _)| item.header.version == one.version)
    };
    match asking.documents.iter().find(|one| !stands(one)) {
        Some(changed) => Err(Refusal::TextChanged { document: changed.document.clone() }),
        None if asking.tries >= TRIES_MOST => Err(Refusal::TooMany),
        None => Ok(asking),
    }
}

fn title(document: &str, knowledge: &Knowledge) -> String {
    knowledge.document(document).map_or_else(|| document.to_owned(), |(item, _)| item.header.title.clone())
}

fn read<'a>(
    all: &'a Consents,
    (consent, document): (&ConsentId, &str),
    now: Timestamp,
    knowledge: &Knowledge,
) -> Result<&'a Asking, Refusal> {
    let asking = open(all, consent, now, knowledge)?;
    if asking.documents.iter().any(|one| one.document == document) {
        Ok(asking)
    } else {
        Err(Refusal::NoDocument { document: document.to_owned() })
    }
}

/// The patient agrees to a document and answers what it asks. What was not understood is explained again; the answers
/// are kept either way.
///
/// # Errors
/// That the link takes no answers, or which question has none.
pub fn agree(
    all: &Consents,
    (consent, document): (&ConsentId, &str),
    answers: BTreeMap<String, u32>,
    now: Timestamp,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    read(all, (consent, document), now, knowledge)?;
    let Some((_, text)) = knowledge.document(document) else {
        return Err(Refusal::NoDocument { document: document.to_owned() });
    };
    for question in &text.questions {
        let (question, most) = (question.id.clone(), question.answers.len());
        match answers.get(&question) {
            None => return Err(Refusal::NotAnswered { question }),
            Some(answer) if *answer == 0 || *answer as usize > most => {
                return Err(Refusal::NoAnswer { question, answer: *answer, most });
            }
            Some(_) => {}
        }
    }
    let again = text.again(&answers).map(|question| question.id.clone()).collect();
    let (consent, document) = (consent.clone(), document.to_owned());
    Ok(Event::UnderstandingShown { consent, document, answers, again })
}

/// The patient does not agree to a document. No reason is asked; what is said is kept.
///
/// # Errors
/// That the link takes no answers.
pub fn disagree(
    all: &Consents,
    (consent, document): (&ConsentId, &str),
    words: &str,
    now: Timestamp,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    read(all, (consent, document), now, knowledge)?;
    fits(("words", "What you say"), words)?;
    let (consent, document) = (consent.clone(), document.to_owned());
    Ok(Event::ConsentRefused { consent, document, words: words.trim().to_owned() })
}

/// What a patient signs with.
#[derive(Debug, Clone, Copy)]
pub enum Hand<'a> {
    /// The name, typed.
    Typed(&'a str),
    /// A drawing, which nobody can compare with the record; so it comes with the day of birth.
    Drawn(&'a Drawing, Date),
}

/// The patient signs what they agreed to, by typing their name or by drawing.
///
/// # Errors
/// That something was not read yet, or that the name or the day of birth is not the patient's.
pub fn sign(
    all: &Consents,
    consent: &ConsentId,
    (patient, hand): (&Patient, Hand),
    digest: impl Fn(&str) -> String,
    now: Timestamp,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    let asking = open(all, consent, now, knowledge)?;
    if let Some(waits) = asking.next().and_then(|at| asking.documents.get(at)) {
        return Err(Refusal::NotRead { title: title(&waits.document, knowledge) });
    }
    let signed = |edition: &Edition| {
        let words = knowledge.consent_text(&edition.document)?;
        let (title, sha256) = (title(&edition.document, knowledge), digest(&words));
        Some(SignedText { edition: edition.clone(), title, words, sha256 })
    };
    let texts = asking.agreed().filter_map(signed).collect();
    let (consent, cover) = (consent.clone(), asking.cover.clone());
    match hand {
        Hand::Typed(typed) => {
            let name = own_name(patient, typed)?;
            Ok(Event::ConsentSigned { consent, cover, name, texts })
        }
        Hand::Drawn(_, born) if born != patient.born => Err(Refusal::OtherBirth),
        Hand::Drawn(drawing, _) => {
            Ok(Event::ConsentDrawn { consent, cover, drawing: drawing.clone(), texts })
        }
    }
}

/// What was typed, where it is the patient's name.
fn own_name(patient: &Patient, typed: &str) -> Result<String, Refusal> {
    let name = typed.trim();
    if name.is_empty() {
        let next = "Type your first and your family name.";
        return Err(Refusal::Empty { field: "name", what: "Your name", next });
    }
    fits(("name", "Your name"), name)?;
    if let Some(unfit) = unfit_in_line(name) {
        return Err(Refusal::Character { field: "name", what: "Your name", code: unfit.into() });
    }
    if patient.is_called(name) { Ok(name.to_owned()) } else { Err(Refusal::OtherName) }
}

/// The patient takes agreement back; staff note it.
///
/// # Errors
/// Who may not, that nothing stands, or that nothing was said.
pub fn withdraw(
    all: &Consents,
    actor: &Actor,
    documents: &[String],
    words: &str,
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    if !may_ask(actor.role) {
        return Err(Refusal::Role(actor.role));
    }
    if documents.is_empty() {
        return Err(Refusal::Nothing { field: "documents", what: "The list of documents" });
    }
    for document in documents {
        if all.last(document).is_none() || all.withdrawn.contains_key(document) {
            return Err(Refusal::NothingToWithdraw { title: title(document, knowledge) });
        }
    }
    if !is_reason(words) {
        let next = "Enter what the patient said.";
        return Err(Refusal::Empty { field: "words", what: "What the patient said", next });
    }
    fits(("words", "What the patient said"), words)?;
    Ok(Event::ConsentWithdrawn { documents: documents.to_vec(), words: words.trim().to_owned() })
}

fn fits((field, what): (&'static str, &'static str), text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > WORDS_LONGEST {
        return Err(Refusal::TooLong { field, what, length });
    }
    unfit(text).map_or(Ok(()), |unfit| Err(Refusal::Character { field, what, code: unfit.into() }))
}

impl Decision {
    /// As staff read it.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Agreed => "agrees, understood",
            Self::Again(_) => "reads it again: not all was understood",
            Self::Refused => "does not agree",
        }
    }
}
