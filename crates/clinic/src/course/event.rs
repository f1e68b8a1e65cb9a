//! Everything that can happen to a course.
//! A variant is never removed or reshaped: a new field has a default, or it is a new variant.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::advice::Advice;
use super::command::Command;
use super::plan::{Change, Plan};
use crate::gate::Finding;
use crate::id::{ChairId, PatientId, RuleId, SessionId, StaffId};
use crate::quantity::Micrograms;
use crate::staff::Signature;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An event with its place in the course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Place in this course, counts from 1.
    pub version: i64,
    /// When the log took it.
    pub at: Timestamp,
    /// Who caused it.
    pub by: StaffId,
    /// What happened.
    pub event: Event,
}

/// What a visit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An infusion and the recovery after it.
    #[default]
    Infusion,
    /// A talk with the therapist before the first infusion.
    Preparation,
    /// A talk with the therapist about what came up in an infusion.
    Integration,
}

impl What {
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Infusion => "Infusion",
            Self::Preparation => "Preparation",
            Self::Integration => "Integration",
        }
    }

    /// The form field of the n-th of its kind, from 1.
    pub fn field(self, n: usize) -> String {
        match self {
            Self::Infusion => format!("visit-{n}"),
            Self::Preparation => "preparation".to_owned(),
            Self::Integration => format!("integration-{n}"),
        }
    }
}

/// One visit of a course that is in the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// What for.
    #[serde(default)]
    pub what: What,
    /// The infusion or the talk begins.
    pub start: Timestamp,
    /// The patient may go home at the earliest; the talk ends.
    pub end: Timestamp,
    /// Where.
    #[serde(default)]
    pub chair: Option<ChairId>,
    /// Who is at the chair.
    #[serde(default)]
    pub nurse: Option<StaffId>,
    /// Who can be asked.
    #[serde(default)]
    pub prescriber: Option<StaffId>,
    /// Who sits with the patient.
    #[serde(default)]
    pub therapist: Option<StaffId>,
    /// Why it cannot stay here, in words: a newer plan asks for what this place has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_move: Option<String>,
}

impl Booked {
    /// An infusion at these times, with no chair and nobody yet.
    pub const fn between(start: Timestamp, end: Timestamp) -> Self {
        Self {
            what: What::Infusion,
            start,
            end,
            chair: None,
            nurse: None,
            prescriber: None,
            therapist: None,
            must_move: None,
        }
    }
    /// Whether both are under way at one moment.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
    /// Under way at that moment.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// What the result of a check means, as whoever made it judged it, mild to grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Entered when nobody was asked: only the words of the result tell.
    #[default]
    NotJudged,
    /// Nothing to do.
    WithinLimits,
    /// A prescriber looks at it before the next booking.
    LookAt,
    /// No infusion, unless a prescriber gives a reason.
    Stop,
}

impl Judged {
    /// What may be said of a result.
    pub const SAID: [Self; 3] = [Self::WithinLimits, Self::LookAt, Self::Stop];

    /// As forms know it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NotJudged => "not_judged",
            Self::WithinLimits => "within_limits",
            Self::LookAt => "look_at",
            Self::Stop => "stop",
        }
    }

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NotJudged => "not judged",
            Self::WithinLimits => "within limits",
            Self::LookAt => "to be looked at",
            Self::Stop => "stop",
        }
    }

    /// A prescriber decides before anything more is booked.
    pub const fn holds(self) -> bool {
        matches!(self, Self::LookAt | Self::Stop)
    }
}

/// Everything that can happen to a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A prescriber signed the first version of the plan.
    CourseOpened {
        patient: PatientId,
        plan: Plan,
        findings: Vec<Finding>,
        reason: Option<String>,
        signature: Signature,
    },
    /// A prescriber signed the next version: what differs, and why.
    PlanChanged {
        plan_version: u32,
        plan: Plan,
        changes: Vec<Change>,
        findings: Vec<Finding>,
        reason: String,
        signature: Signature,
    },
    /// All visits that are still to come, in place of those booked before.
    VisitsBooked { visits: Vec<Booked> },
    /// A newer plan needs the places that are booked for another time: each has it now, or says why it must be moved.
    VisitsRefitted { visits: Vec<Booked> },
    /// An infusion is given before the day that it was booked for: its place is free.
    VisitBroughtForward { visit: Booked, to: Date },
    /// An infusion of this course was given; the dose is what was delivered.
    InfusionGiven { session: SessionId, on: Date, delivered: Micrograms },
    /// The induction is over and boosters follow.
    MaintenanceBegan { every_d: Option<u32>, reason: String, signature: Signature },
    /// Boosters follow at another interval; `None` is when needed.
    IntervalSet { every_d: Option<u32>, reason: String, signature: Signature },
    /// Advice was shown and taken. It orders nothing; the plan or the order does.
    AdviceTaken { advice: Advice, reason: Option<String>, signature: Signature },
    /// Advice was shown and declined.
    AdviceDeclined { advice: Advice, reason: String, signature: Signature },
    /// A check of the long-term safety was made.
    CheckMade {
        check: RuleId,
        on: Date,
        result: String,
        #[serde(default)]
        judged: Judged,
    },
    /// A prescriber took a result that is milder than one that holds: it counts from now on.
    ResultAccepted { check: RuleId, on: Date, result: String, reason: String, signature: Signature },
    /// A check that is overdue or speaks against it does not hold the next booking, for a reason.
    CheckOverridden { finding: Finding, reason: String, signature: Signature },
    /// The course is over.
    CourseClosed { reason: String, signature: Signature },
}

impl Event {
    /// Whether this is what follows from the command: times of signatures and what the rules added may differ.
    pub fn answers(&self, command: &Command) -> bool {
        let by = |a: &Signature, b: &Signature| a.by == b.by && a.meaning == b.meaning;
        match (self, command) {
            (
                Self::CourseOpened { patient, plan, signature, .. },
                Command::Open { patient: of, plan: asked, signature: signed, .. },
            ) => patient == of && plan == asked && by(signature, signed),
            (
                Self::PlanChanged { plan, reason, signature, .. },
                Command::ChangePlan { plan: asked, reason: said, signature: signed, .. },
            ) => plan == asked && reason == said && by(signature, signed),
            (Self::VisitsBooked { visits }, Command::Book { visits: asked, .. }) => visits == asked,
            (Self::VisitBroughtForward { visit, to }, Command::BringForward { start, to: day }) => {
                visit.start == *start && to == day
            }
            (
                Self::AdviceTaken { advice, signature, .. },
                Command::TakeAdvice { advice: asked, signature: signed, .. },
            ) => advice == asked && by(signature, signed),
            (
                Self::AdviceDeclined { advice, reason, signature },
                Command::DeclineAdvice { advice: asked, reason: said, signature: signed },
            ) => advice == asked && reason == said && by(signature, signed),
            (
                Self::CheckMade { check, on, result, judged },
                Command::MakeCheck { check: asked, on: day, result: said, judged: meant },
            ) => check == asked && on == day && result == said && judged == meant,
            (
                Self::ResultAccepted { check, on, result, reason, signature },
                Command::AcceptResult {
                    check: asked,
                    on: day,
                    result: read,
                    reason: said,
                    signature: signed,
                },
            ) => (check, on, result, reason) == (asked, day, read, said) && by(signature, signed),
            (
                Self::CheckOverridden { finding, reason, signature },
                Command::OverrideCheck { finding: asked, reason: said, signature: signed },
            ) => finding.rule == asked.rule && reason == said && by(signature, signed),
            (
                Self::CourseClosed { reason, signature },
                Command::Close { reason: said, signature: signed },
            ) => reason == said && by(signature, signed),
            _ => false,
        }
    }
}
