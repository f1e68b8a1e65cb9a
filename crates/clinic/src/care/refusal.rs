//! Why not: an answer for a person, with the field, the value and the limit.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use crate::staff::Somebody;
use jiff::Timestamp;
use jiff::civil::Date;
use thiserror::Error;

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Something must be said.
    #[error("{what} is empty. Enter it.")]
    Empty { field: &'static str, what: &'static str },
    /// Nobody could be reached.
    #[error("Enter a phone number or an e-mail address, so that we can answer you.")]
    NoContact,
    /// A contact that reaches nobody.
    #[error("{what} “{entered}” cannot be right. {accepted}")]
    Contact { field: &'static str, what: &'static str, entered: String, accepted: &'static str },
    /// Longer than a record takes.
    #[error("{field} has {length} characters; at most {most} are accepted.")]
    TooLong { field: &'static str, length: usize, most: usize },
    /// A character that nobody sees, or that turns the order of what is read.
    #[error("{field} holds the character U+{code:04X}, which is no text. Type it without.")]
    Character { field: &'static str, code: u32 },
    /// Not one of those to choose from.
    #[error("{what} “{entered}” is not one of those to choose from.")]
    Unknown { field: &'static str, what: &'static str, entered: String },
    /// The role may not.
    #[error("To {doing} needs a {needs}; you are signed in as {role}.")]
    NotAllowed { doing: &'static str, role: &'static str, needs: &'static str },
    /// Only a clinician may decide. What was answered is not repeated to whoever may not read it.
    #[error("A clinician decides about this inquiry. Send it to clinical review.")]
    ClinicianDecides,
    /// Not now.
    #[error("You cannot {doing}: the inquiry is {stage}. {needs}")]
    WrongStage { doing: &'static str, stage: &'static str, needs: &'static str },
    /// It is over.
    #[error("This task is done. Look at its outcome.")]
    TaskIsDone,
    /// It is this person's already.
    #[error("You have taken this task already.")]
    TaskIsYours,
    /// Who finishes a task has taken it by name.
    #[error("Take this task by name first; it is {}.", whose(.with.as_ref()))]
    TaskNotYours { with: Option<Somebody> },
    /// Somebody who thinks of suicide and was not reached is not put away by one person alone.
    #[error("Nobody was reached. A prescriber decides whether this task ends; it stays open.")]
    NotReached,
    /// A time that cannot be.
    #[error("{what} is {value}; accepted is {accepted}.")]
    Time { field: &'static str, what: &'static str, value: Timestamp, accepted: String },
    /// A value outside what is possible.
    #[error("{what} is {value}; accepted is {accepted}.")]
    OutOfRange { field: &'static str, what: &'static str, value: String, accepted: String },
    /// Plan or prices are others than those on the page.
    #[error("The estimate has changed since it was shown. Read the new one, and give that.")]
    EstimateChanged,
    /// Two people on the same call.
    #[error("{staff} is {call} call from {from} to {to}. Choose another call or another time.")]
    CallTaken { staff: Somebody, call: &'static str, from: Timestamp, to: Timestamp },
    /// Nobody who may answer.
    #[error("{staff} cannot be on call: it needs a nurse, prescriber or therapist who can sign in.")]
    CannotAnswer { staff: Somebody },
    /// More goals than anybody follows.
    #[error("There are {most} goals already. End one before another is named.")]
    TooManyGoals { most: usize },
    /// A note is amended by whoever wrote it.
    #[error("Only whoever wrote a note amends it. Write one of your own.")]
    NotTheAuthor,
    /// A day that cannot be.
    #[error("{what} is {day}; accepted is {accepted}.")]
    Day { field: &'static str, what: &'static str, day: Date, accepted: &'static str },
    /// No summary leaves the clinic without the patient's word.
    #[error("No summary goes to {with}: {why}. Ask the patient, and note the answer here.")]
    NotShared { with: String, why: &'static str },
    /// Nothing to take back.
    #[error("This patient has no link to a page.")]
    NoPage,
    /// Not on the roster.
    #[error("This duty is not on the roster any more.")]
    NoDuty,
}

impl Refusal {
    /// Everybody it tells of.
    pub fn people(&mut self) -> Vec<&mut Somebody> {
        match self {
            Self::TaskNotYours { with } => with.iter_mut().collect(),
            Self::CallTaken { staff, .. } | Self::CannotAnswer { staff } => vec![staff],
            _ => Vec::new(),
        }
    }

    /// The form field that the words belong to; empty for the whole form.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Empty { field, .. }
            | Self::Contact { field, .. }
            | Self::TooLong { field, .. }
            | Self::Character { field, .. }
            | Self::Unknown { field, .. }
            | Self::Time { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::Day { field, .. } => field,
            Self::NoContact => "phone",
            Self::ClinicianDecides => "to",
            Self::NotReached => "outcome",
            Self::CallTaken { .. } => "call",
            Self::CannotAnswer { .. } => "staff",
            Self::NotAllowed { .. }
            | Self::WrongStage { .. }
            | Self::TaskIsDone
            | Self::TaskIsYours
            | Self::TaskNotYours { .. }
            | Self::NotShared { .. }
            | Self::NotTheAuthor
            | Self::NoPage
            | Self::EstimateChanged
            | Self::NoDuty => "",
            Self::TooManyGoals { .. } => "words",
        }
    }
}

fn whose(with: Option<&Somebody>) -> String {
    with.map_or_else(|| "nobody's".to_owned(), |with| format!("with {with}"))
}
