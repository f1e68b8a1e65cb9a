//! One scale answered once: on the patient's phone, question by question, or entered by staff. All of a patient's are
//! one stream, `scales/<patient>`; what was answered is never changed, a correction names what it corrects.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::answers::{Given, Unscorable, accepted_answers, is_answer};
use super::score::{Flag, filled, score};
use crate::id::{QuestionnaireId, StaffId, TaskId};
use crate::knowledge::Item;
use crate::knowledge::scales::{Rater, Scale, ScaleItem};
use crate::quantity::plain;
use crate::text::{is_reason, unfit};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Longest reason, and longest name of the form that a total is read from.
pub const WORDS_LONGEST: usize = 500;
/// Answers saved through one link, changes of mind included.
const SAVED_MOST: usize = 200;

/// What a questionnaire came to, kept as it was worked out then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    pub total: Option<Decimal>,
    pub band: Option<String>,
    pub complete: bool,
    /// What a person had to do or to know, in words.
    pub flags: Vec<String>,
}

/// What is corrected, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrects {
    pub which: QuestionnaireId,
    pub reason: String,
}

/// A scale as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub scale: String,
    pub version: u32,
    /// When the patient answered, which can be before it was entered.
    pub at: Timestamp,
    pub given: Given,
    /// The form that a total was read from; empty where the answers are here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub form: String,
    pub result: Scored,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Corrects>,
}

/// What can happen to the questionnaires of a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A link for the patient's phone was made.
    ScaleLinkMade { questionnaire: QuestionnaireId, scale: String, expires: Timestamp },
    /// The patient answered one question, or chose to leave it open. What may not wait opened that task.
    QuestionAnswered {
        questionnaire: QuestionnaireId,
        item: String,
        answer: Option<Decimal>,
        task: Option<TaskId>,
    },
    /// A scale was answered.
    ScaleAnswered { questionnaire: QuestionnaireId, answered: Answered, task: Option<TaskId> },
    /// What was answered does not count: another patient's, another form's.
    ScaleVoided { questionnaire: QuestionnaireId, reason: String },
}

/// Why not: an answer for a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error(transparent)]
    Unscorable(#[from] Unscorable),
    #[error("{scale} cannot be answered on a phone: {why}.")]
    NotByPhone { scale: String, why: &'static str },
    #[error("There is no such link.")]
    NoLink,
    #[error("This link has ended.")]
    Ended { at: Timestamp },
    #[error("The answers were sent already. A link sends them once.")]
    Sent { at: Timestamp },
    #[error("The question {item} is not one of this form.")]
    NoQuestion { item: String },
    #[error("Too many answers came through this link. Ask the clinic for a new one.")]
    TooMany,
    #[error("{what} is empty. Enter it.")]
    Empty { field: &'static str, what: &'static str },
    #[error("{field} has {length} characters; at most {WORDS_LONGEST} are accepted.")]
    TooLong { field: &'static str, length: usize },
    #[error("{field} holds the character U+{code:04X}, which is no text. Type it without.")]
    Character { field: &'static str, code: u32 },
    #[error("It was answered at {at}; accepted is a time that is not in the future.")]
    Future { at: Timestamp },
    #[error(
        "It was answered on {on}; accepted is {from} or later: in the life of the patient, and not years before the \
         clinic first heard of them."
    )]
    TooEarly { on: Date, from: Date },
    #[error("Nothing of this scale was answered. Enter at least one answer.")]
    Nothing,
    #[error("There are no such answers to correct.")]
    NothingToCorrect,
    #[error(
        "Somebody corrected this while you worked: {stands}. What you typed stands below and is NOT recorded."
    )]
    CorrectedBefore { stands: String },
}

impl Refusal {
    /// The form field that the words belong to; empty for the whole form.
    pub fn field(&self) -> String {
        match self {
            Self::Unscorable(Unscorable::Value { item, .. }) => format!("item-{item}"),
            Self::Unscorable(Unscorable::Total { .. }) => "total".to_owned(),
            Self::Empty { field, .. } | Self::TooLong { field, .. } | Self::Character { field, .. } => {
                (*field).to_owned()
            }
            Self::Future { .. } | Self::TooEarly { .. } => "at".to_owned(),
            Self::NotByPhone { .. } => "scale".to_owned(),
            _ => String::new(),
        }
    }
}

/// One questionnaire as its events add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questionnaire {
    /// Id of the scale.
    pub scale: String,
    /// Until when the link takes answers; none for what staff entered.
    pub expires: Option<Timestamp>,
    /// When it began: the link was made, or staff entered it.
    pub made: Timestamp,
    /// Answers saved so far, by question; `None` was left open by choice.
    pub saved: BTreeMap<String, Option<Decimal>>,
    /// When the last of them was saved.
    pub saved_at: Option<Timestamp>,
    saves: usize,
    /// As it was sent or entered, by whom and when.
    pub answered: Option<(Answered, StaffId, Timestamp)>,
    /// It does not count any more: the reason, and what stands instead.
    pub voided: Option<(String, Option<QuestionnaireId>)>,
    /// Tasks that it opened, the latest last.
    pub tasks: Vec<TaskId>,
}

/// All questionnaires of a patient. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questionnaires {
    /// Number of events taken in.
    pub version: i64,
    /// By id.
    pub all: BTreeMap<QuestionnaireId, Questionnaire>,
}

impl Questionnaires {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, by: &StaffId, now: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::ScaleLinkMade { questionnaire, scale, expires } => {
                let one = self.one(questionnaire, scale, now);
                one.expires = Some(*expires);
            }
            Event::QuestionAnswered { questionnaire, item, answer, task } => {
                if let Some(one) = self.all.get_mut(questionnaire) {
                    one.saved.insert(item.clone(), *answer);
                    one.saved_at = Some(now);
                    one.saves += 1;
                    one.tasks.extend(task.clone());
                }
            }
            Event::ScaleAnswered { questionnaire, answered, task } => {
                if let Some(corrects) = &answered.corrects {
                    self.void(&corrects.which, &corrects.reason, Some(questionnaire.clone()));
                }
                let one = self.one(questionnaire, &answered.scale, now);
                one.answered = Some((answered.clone(), by.clone(), now));
                one.tasks.extend(task.clone());
            }
            Event::ScaleVoided { questionnaire, reason } => self.void(questionnaire, reason, None),
        }
        self
    }

    fn one(&mut self, id: &QuestionnaireId, scale: &str, now: Timestamp) -> &mut Questionnaire {
        let new = || Questionnaire { scale: scale.to_owned(), made: now, ..Questionnaire::default() };
        self.all.entry(id.clone()).or_insert_with(new)
    }

    fn void(&mut self, id: &QuestionnaireId, reason: &str, instead: Option<QuestionnaireId>) {
        if let Some(one) = self.all.get_mut(id) {
            one.voided = Some((reason.to_owned(), instead));
        }
    }

    /// What counts of a scale, in the order in which the patient answered.
    pub fn counting<'a>(&'a self, scale: &'a str) -> Vec<(&'a QuestionnaireId, &'a Answered)> {
        let mut all: Vec<_> = self
            .all
            .iter()
            .filter(|(_, one)| one.scale == scale && one.voided.is_none())
            .filter_map(|(id, one)| Some((id, &one.answered.as_ref()?.0)))
            .collect();
        all.sort_by_key(|(_, answered)| answered.at);
        all
    }

    /// Totals that count, in order of time.
    pub fn totals(&self, scale: &str) -> Vec<(Timestamp, Decimal)> {
        let counting = self.counting(scale).into_iter();
        counting.filter_map(|(_, answered)| Some((answered.at, answered.result.total?))).collect()
    }

    /// A questionnaire that a link still leads to.
    fn open(&self, id: &QuestionnaireId, now: Timestamp) -> Result<&Questionnaire, Refusal> {
        let one = self.all.get(id).ok_or(Refusal::NoLink)?;
        if let Some((_, _, at)) = &one.answered {
            return Err(Refusal::Sent { at: *at });
        }
        match one.expires {
            None => Err(Refusal::NoLink),
            Some(at) if now >= at => Err(Refusal::Ended { at }),
            Some(_) => Ok(one),
        }
    }

    /// What counts that is corrected, or why it cannot be.
    fn correctable(&self, id: &QuestionnaireId) -> Result<&Answered, Refusal> {
        let one = self.all.get(id).ok_or(Refusal::NothingToCorrect)?;
        if let Some((reason, instead)) = &one.voided {
            let instead = instead.as_ref().and_then(|id| self.all.get(id)?.answered.as_ref());
            let stands = instead.map_or_else(
                || format!("it does not count, “{reason}”"),
                |(other, _, _)| format!("{} instead, “{reason}”", in_words(other)),
            );
            return Err(Refusal::CorrectedBefore { stands });
        }
        one.answered.as_ref().map(|(answered, _, _)| answered).ok_or(Refusal::NothingToCorrect)
    }
}

/// What was given, as a person compares it: a total, or the answers in their order.
fn in_words(answered: &Answered) -> String {
    match (&answered.given, answered.result.total) {
        (Given::Total(total), _) => format!("total {}", plain(*total)),
        (Given::Answers(_), Some(total)) => format!("total {}", plain(total)),
        (Given::Answers(all), None) => {
            let one = |answer: &Option<Decimal>| answer.map_or_else(|| "-".to_owned(), plain);
            format!("answers {}", all.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Something in the answers that a person on call must see to at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which question, or questions.
    pub item: String,
    /// What was answered, in words.
    pub answer: String,
}

/// What may not wait among the answers: by the flags of the scale that call somebody. While it is not finished a
/// question without an answer calls nobody.
pub fn calls(item: &Item<Scale>, answers: &[Option<Decimal>], finished: bool) -> Option<Call> {
    let scale = &item.body;
    let rows = filled(scale, answers);
    let mut called: Vec<(&ScaleItem, String)> = Vec::new();
    for rule in scale.flags.iter().filter(|rule| rule.calls) {
        for (question, value) in rows.iter().filter(|(question, _)| rule.items.contains(&question.id)) {
            let says = match value {
                Some(value) if *value >= rule.item_from => answer_in_words(scale, question, *value),
                None if finished && rule.or_missing => "not answered".to_owned(),
                _ => continue,
            };
            if !called.iter().any(|(other, _)| other.id == question.id) {
                called.push((question, says));
            }
        }
    }
    let mut says: Vec<&str> = called.iter().map(|(_, says)| says.as_str()).collect();
    says.dedup();
    let answer = says.join(", ");
    match called.as_slice() {
        [] => None,
        [(one, _)] => Some(Call { item: format!("item {} ({})", one.id, one.title), answer }),
        many => {
            let ids: Vec<&str> = many.iter().map(|(one, _)| one.id.as_str()).collect();
            Some(Call { item: format!("items {}", ids.join(", ")), answer })
        }
    }
}

/// An answer as the form says it; its number where the form has no words for it.
pub fn answer_in_words(scale: &Scale, question: &ScaleItem, value: Decimal) -> String {
    let words = if question.answers.is_empty() { &scale.answers } else { &question.answers };
    let [low, _] = scale.values_of(question);
    let place = (value - low).checked_div(question.step).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| words.get(place)).cloned().unwrap_or_else(|| plain(value))
}

/// Whether a patient may answer it alone, on a phone.
///
/// # Errors
/// Why not.
pub fn by_phone(item: &Item<Scale>) -> Result<(), Refusal> {
    let why =
        if !item.body.items.iter().all(|question| !question.ask.is_empty()) || item.body.items.is_empty() {
            "its wording may not be shown here"
        } else if item.body.rater != Rater::Patient {
            "a clinician asks its questions"
        } else {
            return Ok(());
        };
    Err(Refusal::NotByPhone { scale: item.header.title.clone(), why })
}

/// Whether a question is asked, after what was answered so far.
pub fn is_asked(scale: &Scale, question: &ScaleItem, one: &Questionnaire) -> bool {
    let Some(other) = question.asked_if.as_deref().and_then(|id| scale.item(id)) else { return true };
    one.saved.get(&other.id).copied().flatten().is_some_and(|value| value > scale.values_of(other)[0])
}

/// Answers in the order of the form.
pub fn in_order(scale: &Scale, one: &Questionnaire) -> Vec<Option<Decimal>> {
    scale.items.iter().map(|question| one.saved.get(&question.id).copied().flatten()).collect()
}

/// Saves one answer of the patient. `None` when it is saved already.
///
/// # Errors
/// That the link was used or has ended, or what the question accepts.
pub fn answer(
    all: &Questionnaires,
    item: &Item<Scale>,
    (id, question): (&QuestionnaireId, &str),
    value: Option<Decimal>,
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    let one = all.open(id, now)?;
    let asked = item.body.item(question);
    let asked = asked.ok_or_else(|| Refusal::NoQuestion { item: question.chars().take(20).collect() })?;
    if let Some(value) = value.filter(|value| !is_answer(&item.body, asked, *value)) {
        return Err(Refusal::Unscorable(Unscorable::Value {
            scale: item.header.title.clone(),
            item: asked.id.clone(),
            value: plain(value),
            accepted: accepted_answers(&item.body, asked),
        }));
    }
    if one.saved.get(question) == Some(&value) {
        return Ok(None);
    }
    if one.saves >= SAVED_MOST {
        return Err(Refusal::TooMany);
    }
    let (questionnaire, item) = (id.clone(), asked.id.clone());
    Ok(Some(Event::QuestionAnswered { questionnaire, item, answer: value, task: None }))
}

/// The patient sends what is saved; what is open stays open.
///
/// # Errors
/// That the link was used or has ended, or that nothing was answered.
pub fn send(
    all: &Questionnaires,
    item: &Item<Scale>,
    id: &QuestionnaireId,
    now: Timestamp,
) -> Result<Event, Refusal> {
    let one = all.open(id, now)?;
    let given = Given::Answers(in_order(&item.body, one));
    let answered = answered(item, given, now, String::new(), None)?;
    Ok(Event::ScaleAnswered { questionnaire: id.clone(), answered, task: None })
}

/// What staff enter for a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Answers or a total.
    pub given: Given,
    /// When the patient answered.
    pub at: Timestamp,
    /// The form that a total was read from.
    pub form: String,
    /// What it corrects.
    pub corrects: Option<Corrects>,
}

/// Enters a scale, or enters it again instead of what is corrected.
///
/// # Errors
/// What is wrong, or that somebody else corrected it first.
pub fn enter(
    all: &Questionnaires,
    item: &Item<Scale>,
    id: &QuestionnaireId,
    entry: Entry,
    now: Timestamp,
) -> Result<Event, Refusal> {
    if entry.at > now {
        return Err(Refusal::Future { at: entry.at });
    }
    if let Given::Total(_) = entry.given {
        words("form", "The form that the total is from", &entry.form)?;
    }
    if let Some(corrects) = &entry.corrects {
        all.correctable(&corrects.which)?;
        words("reason", "The reason of the correction", &corrects.reason)?;
    }
    let answered = answered(item, entry.given, entry.at, entry.form, entry.corrects)?;
    Ok(Event::ScaleAnswered { questionnaire: id.clone(), answered, task: None })
}

/// The form of a total that was entered in the consultation.
pub const CONSULTATION: &str = "the consultation";

/// When a total counts of which the day alone is known: at its last moment, so that a score that may be from after an
/// infusion is no baseline of it.
pub fn end_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    next.timestamp().checked_sub(SignedDuration::from_secs(1)).ok()
}

/// Whether that is a moment of which the day alone is known.
pub fn is_day_alone(at: Timestamp, zone: &TimeZone) -> bool {
    end_of(at.to_zoned(zone.clone()).date(), zone) == Some(at)
}

/// A total of the consultation becomes a score like any other, so that nobody is asked again for what was answered
/// there. Entered anew for the same day it corrects what it said before, taken out it does not count any more. `None`
/// where the score is known already, or is none that the scale can have. Days are those of the clinic's clock.
pub fn consulted(
    all: &Questionnaires,
    item: &Item<Scale>,
    id: &QuestionnaireId,
    total: Option<(Decimal, Timestamp)>,
    (zone, now): (&TimeZone, Timestamp),
) -> Option<Event> {
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let counting = all.counting(&item.header.id);
    let before = counting.iter().rfind(|(_, answered)| answered.form == CONSULTATION);
    let Some((total, at)) = total else {
        return void(all, before?.0, "Taken out of the consultation").ok();
    };
    let same = |(_, other): &(&QuestionnaireId, &Answered)| {
        day(other.at) == day(at) && other.result.total == Some(total)
    };
    if counting.iter().any(same) {
        return None;
    }
    let corrects = before.filter(|(_, answered)| day(answered.at) == day(at)).map(|(which, _)| Corrects {
        which: (*which).clone(),
        reason: "Entered anew in the consultation".to_owned(),
    });
    let entry = Entry { given: Given::Total(total), at, form: CONSULTATION.to_owned(), corrects };
    enter(all, item, id, entry, now).ok()
}

/// Says that answers do not count.
///
/// # Errors
/// Without a reason, or when somebody corrected them first.
pub fn void(all: &Questionnaires, id: &QuestionnaireId, reason: &str) -> Result<Event, Refusal> {
    all.correctable(id)?;
    words("reason", "The reason", reason)?;
    Ok(Event::ScaleVoided { questionnaire: id.clone(), reason: reason.trim().to_owned() })
}

fn answered(
    item: &Item<Scale>,
    given: Given,
    at: Timestamp,
    form: String,
    corrects: Option<Corrects>,
) -> Result<Answered, Refusal> {
    if matches!(&given, Given::Answers(answers) if answers.iter().all(Option::is_none)) {
        return Err(Refusal::Nothing);
    }
    let score = score(item, &given, None)?;
    let flags = score.flags.into_iter().map(|Flag { says, .. }| says).collect();
    let result = Scored { total: score.total, band: score.band, complete: score.complete, flags };
    let (scale, version) = (item.header.id.clone(), item.header.version);
    Ok(Answered { scale, version, at, given, form: form.trim().to_owned(), result, corrects })
}

fn words(field: &'static str, what: &'static str, text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if !is_reason(text) {
        Err(Refusal::Empty { field, what })
    } else if length > WORDS_LONGEST {
        Err(Refusal::TooLong { field, length })
    } else {
        unfit(text).map_or(Ok(()), |unfit| Err(Refusal::Character { field, code: unfit.into() }))
    }
}

#[cfg(test)]
mod tests;
