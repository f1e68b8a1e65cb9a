//! What a person may ask of a course, and why not. Imperative; the event that follows is past tense.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::advice::Advice;
use super::event::{Booked, Judged};
use super::plan::{Change, Plan};
use crate::gate::Finding;
use crate::id::{PatientId, RuleId, SessionId};
use crate::quantity::Micrograms;
use crate::staff::{Role, Signature, Somebody};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Sign the first plan.
    Open { patient: PatientId, plan: Plan, reason: Option<String>, signature: Signature },
    /// Sign the next version of the plan; `read` is the version that was on the screen.
    ChangePlan { read: u32, plan: Plan, reason: String, signature: Signature },
    /// Put all visits still to come into the calendar, in place of those there. `checks` is what the rules of long-term
    /// safety say for the first of them, see [`super::exposure::checks`].
    Book { visits: Vec<Booked>, checks: Vec<Finding> },
    /// Give the infusion that is booked for later on that day: its place in the calendar is free then.
    BringForward { start: Timestamp, to: Date },
    /// Count an infusion that was given.
    CountInfusion { session: SessionId, on: Date, delivered: Micrograms },
    /// End the induction and go on with boosters; `responder` by the definition of the condition.
    BeginMaintenance { every_d: Option<u32>, responder: Option<bool>, reason: String, signature: Signature },
    /// Change the interval of the boosters.
    SetInterval { every_d: Option<u32>, reason: String, signature: Signature },
    /// Take advice.
    TakeAdvice { advice: Advice, reason: Option<String>, signature: Signature },
    /// Decline advice.
    DeclineAdvice { advice: Advice, reason: String, signature: Signature },
    /// Record a check.
    MakeCheck {
        check: RuleId,
        on: Date,
        result: String,
        #[serde(default)]
        judged: Judged,
    },
    /// Let a result that is milder than the one that holds count; `on` and `result` are those that were read.
    AcceptResult { check: RuleId, on: Date, result: String, reason: String, signature: Signature },
    /// Let the next booking pass in spite of a check.
    OverrideCheck { finding: Finding, reason: String, signature: Signature },
    /// End the course.
    Close { reason: String, signature: Signature },
}

impl Command {
    /// What is being done, for a sentence such as "to change the plan needs a prescriber".
    pub const fn doing(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open a course",
            Self::ChangePlan { .. } => "change the plan",
            Self::Book { .. } => "book the visits",
            Self::BringForward { .. } => "bring a visit forward",
            Self::CountInfusion { .. } => "count an infusion",
            Self::BeginMaintenance { .. } => "begin maintenance",
            Self::SetInterval { .. } => "set the interval",
            Self::TakeAdvice { .. } => "take advice",
            Self::DeclineAdvice { .. } => "decline advice",
            Self::MakeCheck { .. } => "record a check",
            Self::AcceptResult { .. } => "accept a result",
            Self::OverrideCheck { .. } => "override a check",
            Self::Close { .. } => "close the course",
        }
    }

    /// Who may.
    pub const fn roles(&self) -> &'static [Role] {
        match self {
            Self::Book { .. } | Self::BringForward { .. } => {
                &[Role::FrontDesk, Role::Nurse, Role::Prescriber]
            }
            Self::CountInfusion { .. } => &[Role::Machine, Role::Nurse, Role::Prescriber],
            Self::MakeCheck { .. } => &[Role::Nurse, Role::Prescriber],
            _ => &[Role::Prescriber],
        }
    }

    /// The signature that it carries, where it needs one.
    pub const fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Open { signature, .. }
            | Self::ChangePlan { signature, .. }
            | Self::BeginMaintenance { signature, .. }
            | Self::SetInterval { signature, .. }
            | Self::TakeAdvice { signature, .. }
            | Self::DeclineAdvice { signature, .. }
            | Self::AcceptResult { signature, .. }
            | Self::OverrideCheck { signature, .. }
            | Self::Close { signature, .. } => Some(signature),
            Self::Book { .. }
            | Self::BringForward { .. }
            | Self::CountInfusion { .. }
            | Self::MakeCheck { .. } => None,
        }
    }
}

/// Why a command was not carried out. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The role may not.
    #[error("To {doing} needs a {needs}; you are signed in as {role}.")]
    NotAllowed { doing: &'static str, role: &'static str, needs: String },
    /// Somebody else's signature.
    #[error("{signed} signed; {acting} is signed in. The one who acts must sign.")]
    NotTheSigner { signed: Somebody, acting: Somebody },
    /// Not now.
    #[error("You cannot {doing}: the course is {stage}.")]
    WrongStage { doing: &'static str, stage: &'static str },
    /// Something must be said.
    #[error("{what} is missing.")]
    Missing { field: &'static str, what: &'static str },
    /// A value outside what is possible.
    #[error("{what} is {value}; accepted is {accepted}.")]
    OutOfRange { field: &'static str, what: &'static str, value: String, accepted: String },
    /// Nothing differs.
    #[error("The plan is the same as version {version}: nothing was changed.")]
    Unchanged { version: u32 },
    /// Two people changed one plan.
    #[error(
        "You changed version {read}; meanwhile {by} signed version {now}. Theirs: {}. Yours: {}. Read theirs and change it.",
        shown(.theirs),
        shown(.yours)
    )]
    Conflict { read: u32, now: u32, by: Somebody, theirs: Vec<Change>, yours: Vec<Change> },
    /// Two people wrote the first plan of one course.
    #[error(
        "Meanwhile {by} signed version {now} of the plan of this course. Yours differs in: {}. Read theirs and change it.",
        shown(.differs)
    )]
    Opened { now: u32, by: Somebody, differs: Vec<Change> },
    /// A rule that nobody passes.
    #[error("{}", .reasons.join(" "))]
    Refused { reasons: Vec<String> },
    /// A rule that asks for a reason.
    #[error("{} Give a reason to go on.", .findings.join(" "))]
    NeedsReason { field: &'static str, findings: Vec<String> },
    /// Somebody else has the chair, the nurse is with as many as she may be, or the patient is elsewhere.
    #[error("{what} is taken from {from} to {until}. Choose another, or another time. No visit was booked.")]
    Taken { field: &'static str, what: String, from: String, until: String },
    /// A visit without a chair or a nurse holds nothing.
    #[error("Choose {what} for every visit.")]
    Unplaced { field: &'static str, what: &'static str },
    /// Visits that rules stop. No visit was booked.
    #[error("{}", .0.iter().map(|one| one.why.as_str()).collect::<Vec<_>>().join(" "))]
    Visits(Vec<Stopped>),
    /// Checks hold the booking.
    #[error("The booking is held: {}", .reasons.join(" "))]
    Held { reasons: Vec<String> },
}

/// A visit that a rule stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The visit as the form names it.
    pub field: String,
    /// What is wrong, and what is accepted.
    pub why: String,
}

impl Refusal {
    /// Everybody it tells of.
    pub fn people(&mut self) -> Vec<&mut Somebody> {
        match self {
            Self::NotTheSigner { signed, acting } => vec![signed, acting],
            Self::Conflict { by, .. } | Self::Opened { by, .. } => vec![by],
            Self::NotAllowed { .. }
            | Self::Missing { .. }
            | Self::OutOfRange { .. }
            | Self::NeedsReason { .. }
            | Self::Taken { .. }
            | Self::Unplaced { .. }
            | Self::WrongStage { .. }
            | Self::Unchanged { .. }
            | Self::Refused { .. }
            | Self::Visits(_)
            | Self::Held { .. } => Vec::new(),
        }
    }

    /// The form field that the words belong to; empty for the whole form.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Missing { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::NeedsReason { field, .. }
            | Self::Taken { field, .. }
            | Self::Unplaced { field, .. } => field,
            Self::NotAllowed { .. }
            | Self::NotTheSigner { .. }
            | Self::WrongStage { .. }
            | Self::Unchanged { .. }
            | Self::Conflict { .. }
            | Self::Opened { .. }
            | Self::Refused { .. }
            | Self::Visits(_)
            | Self::Held { .. } => "",
        }
    }
}

fn shown(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nothing".to_owned();
    }
    changes.iter().map(Change::to_string).collect::<Vec<_>>().join(", ")
}
