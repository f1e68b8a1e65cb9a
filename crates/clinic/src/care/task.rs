//! Something that one person must see to before a clock runs out. It is opened with an owner from the roster, taken
//! by name, passed on by the clock, and done with an outcome. It never goes away by itself.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::inquiry::Crisis;
use super::roster::Duty;
use super::{Refusal, said};
use crate::id::{InquiryId, PatientId, RuleId, StaffId};
use crate::knowledge::care::Clock;
use crate::outcome::Turn;
use crate::staff::{Actor, Role, Somebody};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How soon somebody must see to it; the clocks are knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Somebody may end their life.
    SuicideRisk,
    /// An answer before a visit that may not wait for it.
    RedAnswer,
    /// A question of the front desk to a clinician, or a score that turned for the worse.
    ClinicalReview,
}

/// Why a task was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum TaskOpened {
    /// A person who asked from outside thinks of suicide or is in danger.
    CrisisAnswer { inquiry: InquiryId, answer: Crisis },
    /// The front desk asks a clinician about an inquiry.
    ReviewAsked { inquiry: InquiryId },
    /// An item of a scale that asks for a person at once: item 9 of the PHQ-9, any yes of the C-SSRS.
    ScaleItem { patient: PatientId, scale: String, item: String, answer: String },
    /// A score that turned for the worse after a series.
    ScoreTurned { patient: PatientId, scale: String, turn: Turn, said: String },
    /// A red answer of the questions before a visit.
    PreVisitAnswer { patient: PatientId, question: String, answer: String },
}

impl TaskOpened {
    /// How soon.
    pub const fn urgency(&self) -> Urgency {
        match self {
            Self::CrisisAnswer { .. } | Self::ScaleItem { .. } => Urgency::SuicideRisk,
            Self::PreVisitAnswer { .. } => Urgency::RedAnswer,
            Self::ReviewAsked { .. } | Self::ScoreTurned { .. } => Urgency::ClinicalReview,
        }
    }

    /// The inquiry it is about.
    pub const fn inquiry(&self) -> Option<&InquiryId> {
        match self {
            Self::CrisisAnswer { inquiry, .. } | Self::ReviewAsked { inquiry } => Some(inquiry),
            Self::ScaleItem { .. } | Self::ScoreTurned { .. } | Self::PreVisitAnswer { .. } => None,
        }
    }

    /// The patient it is about.
    pub const fn patient(&self) -> Option<&PatientId> {
        match self {
            Self::ScaleItem { patient, .. }
            | Self::ScoreTurned { patient, .. }
            | Self::PreVisitAnswer { patient, .. } => Some(patient),
            Self::CrisisAnswer { .. } | Self::ReviewAsked { .. } => None,
        }
    }

    /// As a clinician reads it.
    pub fn title(&self) -> String {
        match self {
            Self::CrisisAnswer { answer, .. } => format!("Crisis answer: {}", answer.text()),
            Self::ReviewAsked { .. } => "Clinical review of an inquiry".to_owned(),
            Self::ScaleItem { scale, item, answer, .. } => format!("{scale}, {item}: {answer}"),
            Self::ScoreTurned { scale, turn, said, .. } => format!("{scale}: {}, {said}", turn.title()),
            Self::PreVisitAnswer { question, answer, .. } => {
                format!("Before the visit, {question}: {answer}")
            }
        }
    }
}

/// Who must see to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// This person.
    Person(StaffId),
    /// Nobody is left on the roster: every prescriber, and the owner of the clinic, who can put somebody on call.
    Everyone,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A clinician spoke with the person, or decided.
    SeenTo,
    /// Emergency services have it.
    EmergencyHasIt,
    /// Nobody could be reached.
    NotReached,
}

impl Outcome {
    /// Each, as a form offers them.
    pub const ALL: [Self; 3] = [Self::SeenTo, Self::EmergencyHasIt, Self::NotReached];

    /// As a form sends it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SeenTo => "seen_to",
            Self::EmergencyHasIt => "emergency_has_it",
            Self::NotReached => "not_reached",
        }
    }

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SeenTo => "Spoken with, or decided",
            Self::EmergencyHasIt => "Handed to emergency services",
            Self::NotReached => "Nobody could be reached",
        }
    }
}

/// What can happen to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Opened, with an owner who must take it by `answer_by`, after the clocks of that rule.
    TaskOpened { why: TaskOpened, owner: Owner, answer_by: Timestamp, rule: RuleId, version: u32 },
    /// Taken by name, to be done by `done_by`.
    TaskTaken { by: StaffId, done_by: Timestamp },
    /// The clock ran out and it passed on.
    TaskPassedOn { from: Owner, to: Owner, answer_by: Timestamp },
    /// Done.
    TaskDone { by: StaffId, outcome: Outcome, words: String },
}

impl Event {
    /// This is what that command asked for: the same form, sent again, says nothing new.
    pub fn answers(&self, asked: &Command) -> bool {
        match (self, asked) {
            (Self::TaskTaken { .. }, Command::Take) => true,
            (Self::TaskDone { outcome, words, .. }, Command::Finish { outcome: end, words: said }) => {
                outcome == end && words == said.trim()
            }
            _ => false,
        }
    }
}

/// What a person does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Takes it by name.
    Take,
    /// Ends it.
    Finish { outcome: Outcome, words: String },
}

/// A task as its events add up. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Number of events taken in.
    pub version: i64,
    /// Why.
    pub why: TaskOpened,
    /// Since when.
    pub opened_at: Timestamp,
    /// Who must see to it.
    pub owner: Owner,
    /// When its clock runs out: to be taken, or once taken to be done.
    pub due: Timestamp,
    /// Who took it, and when; none while it waits.
    pub taken: Option<(StaffId, Timestamp)>,
    /// How it ended, with the words, who and when.
    pub done: Option<(Outcome, String, StaffId, Timestamp)>,
    /// How often the clock passed it on.
    pub passed_on: u32,
    /// Who was told, and when last.
    told: BTreeMap<StaffId, Timestamp>,
}

impl Task {
    /// The state after a first event; `None` when that opens nothing.
    pub fn opened(event: &Event, at: Timestamp) -> Option<Self> {
        let Event::TaskOpened { why, owner, answer_by, .. } = event else { return None };
        let mut task = Self {
            version: 1,
            why: why.clone(),
            opened_at: at,
            owner: owner.clone(),
            due: *answer_by,
            taken: None,
            done: None,
            passed_on: 0,
            told: BTreeMap::new(),
        };
        task.tell(at);
        Some(task)
    }

    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, at: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::TaskOpened { .. } => {}
            Event::TaskTaken { by, done_by } => {
                self.owner = Owner::Person(by.clone());
                self.taken = Some((by.clone(), at));
                self.due = *done_by;
                self.tell(at);
            }
            Event::TaskPassedOn { to, answer_by, .. } => {
                self.owner = to.clone();
                self.taken = None;
                self.due = *answer_by;
                self.passed_on += 1;
                self.tell(at);
            }
            Event::TaskDone { by, outcome, words } => {
                self.done = Some((*outcome, words.clone(), by.clone(), at));
            }
        }
        self
    }

    fn tell(&mut self, at: Timestamp) {
        if let Owner::Person(staff) = &self.owner {
            self.told.insert(staff.clone(), at);
        }
    }

    /// Who on the roster was not told in this duty of theirs.
    fn next<'a>(&self, on_call: &[&'a Duty]) -> Option<&'a Duty> {
        let untold = |duty: &&&Duty| self.told.get(&duty.staff).is_none_or(|told| *told < duty.from);
        on_call.iter().find(untold).copied()
    }
}

/// Opens a task for whoever is on call; for everyone when nobody is.
pub fn open(why: TaskOpened, on_call: &[&Duty], clock: &Clock, now: Timestamp) -> Event {
    let owner = on_call.first().map_or(Owner::Everyone, |duty| Owner::Person(duty.staff.clone()));
    let answer_by = later(now, clock.answer_within_s);
    Event::TaskOpened { why, owner, answer_by, rule: clock.rule.clone(), version: clock.version }
}

/// What the clock does: a task that nobody took in time, or that was taken and not done, goes to the next on the
/// roster, and past the last to everyone. One that is with everyone goes to whoever comes on call.
pub fn on_clock(task: &Task, on_call: &[&Duty], clock: &Clock, now: Timestamp) -> Option<Event> {
    if task.done.is_some() {
        return None;
    }
    let with_everyone = task.owner == Owner::Everyone;
    let to = match task.next(on_call) {
        Some(duty) if now >= task.due || with_everyone => Owner::Person(duty.staff.clone()),
        None if now >= task.due && !with_everyone => Owner::Everyone,
        _ => return None,
    };
    Some(Event::TaskPassedOn { from: task.owner.clone(), to, answer_by: later(now, clock.answer_within_s) })
}

/// Decides what a person does with a task.
///
/// # Errors
/// Who may instead, or what is missing.
pub fn decide(
    task: &Task,
    command: Command,
    actor: &Actor,
    clock: &Clock,
    now: Timestamp,
) -> Result<Event, Refusal> {
    if !may_answer(actor.role) {
        let (doing, needs) = ("see to a task", "nurse, prescriber or therapist");
        return Err(Refusal::NotAllowed { doing, role: actor.role.title(), needs });
    }
    if task.done.is_some() {
        return Err(Refusal::TaskIsDone);
    }
    let mine = task.taken.as_ref().is_some_and(|(by, _)| *by == actor.id);
    match command {
        Command::Take if mine => Err(Refusal::TaskIsYours),
        Command::Take => {
            Ok(Event::TaskTaken { by: actor.id.clone(), done_by: later(now, clock.done_within_s) })
        }
        Command::Finish { .. } if !mine => {
            let with = task.taken.as_ref().map(|(by, _)| Somebody::new(by, None));
            Err(Refusal::TaskNotYours { with })
        }
        Command::Finish { outcome: Outcome::NotReached, .. }
            if task.why.urgency() == Urgency::SuicideRisk && actor.role != Role::Prescriber =>
        {
            Err(Refusal::NotReached)
        }
        Command::Finish { outcome, words } => {
            Ok(Event::TaskDone { by: actor.id.clone(), outcome, words: said("words", &words)? })
        }
    }
}

/// Who may see to a task, and be on call for one.
pub const fn may_answer(role: Role) -> bool {
    matches!(role, Role::Nurse | Role::Prescriber | Role::Therapist)
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
