//! What staff learn about a patient between infusions: ketamine given elsewhere, and signs of misuse. One stream a
//! patient, `between/<patient>`. A wrong entry is struck with a reason and counts no more.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::exposure::{Exposure, misuse};
use crate::gate::{Assessment, Finding};
use crate::knowledge::Knowledge;
use crate::knowledge::long_term::LongTerm;
use crate::knowledge::measure::{Mg, MgPerKg};
use crate::quantity::plain;
use crate::staff::{Actor, Role};
use crate::text::{is_reason, unfit};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Longest text of an entry.
const WORDS_LONGEST: usize = 500;
/// Entries of one patient.
const ENTRIES_MOST: usize = 500;

/// One dose of ketamine or esketamine that somebody else gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// On that day.
    pub on: Date,
    /// mg; none when nobody knows.
    pub mg: Option<Decimal>,
    /// mg/kg; none when nobody knows.
    pub mg_per_kg: Option<Decimal>,
    /// Drug, route, who gave it and who says so.
    pub words: String,
}

/// What can be noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody else gave a dose.
    TreatedElsewhere(Elsewhere),
    /// It was not so: the entry with that number counts no more.
    ElsewhereStruck { entry: i64, reason: String },
    /// Signs of misuse were asked and looked for.
    SignsAsked { on: Date, seen: BTreeMap<String, bool> },
}

/// Why not: an answer for a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("A {} may not note this.", .0.title())]
    Role(Role),
    #[error("{on} is still to come; accepted is {today} or before.")]
    Future { on: Date, today: Date },
    #[error("{on} is before the patient was born; accepted is {born} or later.")]
    Unborn { on: Date, born: Date },
    #[error("The dose is {value} {unit}; accepted is a number above 0, or nothing where nobody knows.")]
    Dose { field: &'static str, value: String, unit: &'static str },
    #[error("{what} is empty. Enter it.")]
    Empty { field: &'static str, what: &'static str },
    #[error("{what} has {length} characters; at most {WORDS_LONGEST} are accepted.")]
    TooLong { field: &'static str, what: &'static str, length: usize },
    #[error("{what} holds the character U+{code:04X}, which is no text. Type it without.")]
    Character { field: &'static str, what: &'static str, code: u32 },
    #[error("There are {ENTRIES_MOST} entries already; no more are taken.")]
    TooMany,
    #[error("There is no entry {entry} that counts.")]
    NoEntry { entry: i64 },
    #[error("No sign was answered. Answer at least one.")]
    NoSign,
    #[error("“{id}” is no sign that is asked here.")]
    UnknownSign { id: String },
}

impl Refusal {
    /// The form field that the words belong to; empty for the whole form.
    pub fn field(&self) -> &str {
        match self {
            Self::Future { .. } | Self::Unborn { .. } => "on",
            Self::Dose { field, .. }
            | Self::Empty { field, .. }
            | Self::TooLong { field, .. }
            | Self::Character { field, .. } => field,
            Self::UnknownSign { id } => id,
            _ => "",
        }
    }
}

/// All that was noted. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Between {
    /// Number of events taken in.
    pub version: i64,
    /// Given elsewhere, by the number of the entry; with the reason where it was struck.
    pub elsewhere: BTreeMap<i64, (Elsewhere, Option<String>)>,
    /// Signs as last asked, each with the day.
    pub signs: BTreeMap<String, (bool, Date)>,
}

impl Between {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        self.version += 1;
        match event {
            Event::TreatedElsewhere(one) => {
                self.elsewhere.insert(self.version, (one.clone(), None));
            }
            Event::ElsewhereStruck { entry, reason } => {
                if let Some((_, struck)) = self.elsewhere.get_mut(entry) {
                    *struck = Some(reason.clone());
                }
            }
            Event::SignsAsked { on, seen } => {
                self.signs.extend(seen.iter().map(|(sign, is)| (sign.clone(), (*is, *on))));
            }
        }
        self
    }

    /// What was given elsewhere and counts.
    pub fn exposures(&self) -> Vec<Exposure> {
        let counting = self.elsewhere.values().filter(|(_, struck)| struck.is_none());
        let exposure = |(one, _): &(Elsewhere, Option<String>)| Exposure {
            mg: one.mg.map(Mg),
            mg_per_kg: one.mg_per_kg.map(MgPerKg),
            elsewhere: true,
            ..Exposure::on(one.on)
        };
        counting.map(exposure).collect()
    }

    /// What the signs of misuse come to; what nobody asked is missing.
    pub fn misuse(&self, knowledge: &Knowledge) -> Assessment {
        let seen = self.signs.iter().map(|(sign, (is, _))| (sign.clone(), *is)).collect();
        misuse(&seen, knowledge)
    }

    /// Enough signs for a review: what holds the next booking until a prescriber gives a reason.
    pub fn review(&self, knowledge: &Knowledge) -> Option<Finding> {
        let found = self.misuse(knowledge).findings;
        found.into_iter().find(|finding| {
            finding.verdict >= crate::gate::Verdict::Hold && finding.inputs.contains_key("score")
        })
    }
}

/// Who may note it.
const fn may_note(role: Role) -> bool {
    matches!(role, Role::Nurse | Role::Prescriber)
}

/// Notes something, or says why not.
///
/// # Errors
/// What is wrong with it.
pub fn decide(
    all: &Between,
    event: Event,
    actor: &Actor,
    (born, today): (Date, Date),
    knowledge: &Knowledge,
) -> Result<Event, Refusal> {
    if !may_note(actor.role) {
        return Err(Refusal::Role(actor.role));
    }
    match &event {
        Event::TreatedElsewhere(one) => {
            not_to_come(one.on, today)?;
            if one.on < born {
                return Err(Refusal::Unborn { on: one.on, born });
            }
            above_nothing(("mg", "mg"), one.mg)?;
            above_nothing(("mg_per_kg", "mg/kg"), one.mg_per_kg)?;
            words(("words", "What was given, and who says so"), &one.words)?;
            if all.elsewhere.len() >= ENTRIES_MOST {
                return Err(Refusal::TooMany);
            }
        }
        Event::ElsewhereStruck { entry, reason } => {
            if !all.elsewhere.get(entry).is_some_and(|(_, struck)| struck.is_none()) {
                return Err(Refusal::NoEntry { entry: *entry });
            }
            words(("reason", "The reason"), reason)?;
        }
        Event::SignsAsked { on, seen } => {
            not_to_come(*on, today)?;
            if seen.is_empty() {
                return Err(Refusal::NoSign);
            }
            if let Some(id) = seen.keys().find(|id| !signs(knowledge).any(|(known, _)| known == *id)) {
                return Err(Refusal::UnknownSign { id: id.clone() });
            }
        }
    }
    Ok(event)
}

/// The signs that are asked: id and question.
pub fn signs(knowledge: &Knowledge) -> impl Iterator<Item = (&String, &String)> {
    let rules = knowledge.long_term.iter().filter_map(|item| match &item.body {
        LongTerm::Signals(signals) => Some(&signals.signals),
        _ => None,
    });
    rules.flatten().map(|signal| (&signal.id, &signal.ask))
}

fn not_to_come(on: Date, today: Date) -> Result<(), Refusal> {
    if on > today { Err(Refusal::Future { on, today }) } else { Ok(()) }
}

fn above_nothing((field, unit): (&'static str, &'static str), dose: Option<Decimal>) -> Result<(), Refusal> {
    match dose.filter(|dose| *dose <= Decimal::ZERO) {
        Some(dose) => Err(Refusal::Dose { field, value: plain(dose), unit }),
        None => Ok(()),
    }
}

fn words((field, what): (&'static str, &'static str), text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if !is_reason(text) {
        Err(Refusal::Empty { field, what })
    } else if length > WORDS_LONGEST {
        Err(Refusal::TooLong { field, what, length })
    } else {
        unfit(text).map_or(Ok(()), |unfit| Err(Refusal::Character { field, what, code: unfit.into() }))
    }
}
