//! Why not: an answer for a person, with the field, the value and the limit. Never a broken machine.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use crate::device::Parameter;
use crate::quantity::{Micrograms, Rate, plain};
use crate::staff::Somebody;
use rust_decimal::Decimal;
use thiserror::Error;

/// What to do about a question.
pub const READ_IT_AGAIN: &str = "Read it again; if it is right, save the same once more.";

/// One value that a person is asked to read again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is {}; {doubt}", .parameter.label(), plain(*.value))]
pub struct Question {
    /// Of what.
    pub parameter: Parameter,
    /// As it was typed.
    pub value: Decimal,
    /// Why it is asked about.
    pub doubt: String,
}

/// Why a command was not carried out. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The role may not.
    #[error("To {doing} needs a {needs}; you are signed in as {role}.")]
    NotAllowed { doing: &'static str, role: &'static str, needs: String },
    /// Not now.
    #[error("You cannot {doing} while the session is {phase}. {needs}")]
    WrongPhase { doing: &'static str, phase: &'static str, needs: &'static str },
    /// Something must come first.
    #[error("{what} is missing. {next}")]
    Missing { field: &'static str, what: String, next: String },
    /// A value outside what is possible.
    #[error("{what} is {value}; accepted is {accepted}.")]
    OutOfRange { field: &'static str, what: &'static str, value: String, accepted: String },
    /// Two people are needed.
    #[error("{staff} cannot both {first} and {second}. A second signed-in person must do it.")]
    SamePerson { field: &'static str, staff: Somebody, first: &'static str, second: &'static str },
    /// What was read differs from what was ordered.
    #[error("{what} does not match: entered {entered}, the order says {ordered}. {hint}")]
    Mismatch { field: &'static str, what: &'static str, entered: String, ordered: String, hint: String },
    /// Above a limit that nobody may pass.
    #[error("{asked} is above the absolute limit of {limit} ({rule}).")]
    RateAboveAbsoluteLimit { asked: Rate, limit: Rate, rule: String },
    /// Gates hold.
    #[error("The session is held: {}", .reasons.join("; "))]
    Held { reasons: Vec<String> },
    /// A rule of the dose refuses.
    #[error("{}", .reasons.join(" "))]
    DoseRefused { reasons: Vec<String> },
    /// The flow is not the one that the form showed.
    #[error(
        "{by} {did} at {}, after this form was opened. Look at the pump; send it again if it still holds.",
        .by.when()
    )]
    FlowSet { by: Somebody, did: String },
    /// It is so already.
    #[error("{by} {did} at {}: that stands, and nothing was recorded a second time. {needs}", .by.when())]
    Already { field: &'static str, by: Somebody, did: String, needs: &'static str },
    /// Everything that speaks against it, each with its field.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))]
    Several(Vec<Self>),
    /// A recommended limit was passed without a reason.
    #[error("{finding} Give a reason to go on.")]
    NeedsReason { field: &'static str, finding: String },
    /// Values that hardly can be, or look like a slip; the same sent once more is taken.
    #[error("{} {READ_IT_AGAIN}", .questions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))]
    Unlikely { field: &'static str, questions: Vec<Question> },
    /// The drug does not add up.
    #[error(
        "The drug does not add up: {difference} of {drawn} drawn is not accounted for \
         (delivered {delivered}, left in line {residual}, wasted {wasted}). Measure again, or explain the difference."
    )]
    BalanceOpen {
        difference: Micrograms,
        drawn: Micrograms,
        delivered: Micrograms,
        residual: Micrograms,
        wasted: Micrograms,
    },
    /// Delivery is uncertain.
    #[error("What was delivered is uncertain until somebody reads the pump. Read the pump first.")]
    DeliveryUncertain,
    /// The pump gives drug after the stop.
    #[error("The pump was read as infusing after the stop: stop it and read it again.")]
    PumpRunsOn,
    /// The thing named is not there.
    #[error("{what} {id} is not known in this session.")]
    Unknown { field: &'static str, what: &'static str, id: String },
}

impl Refusal {
    /// All of these at once, or none.
    pub(super) fn of(mut refusals: Vec<Self>) -> Result<(), Self> {
        match refusals.len() {
            0 => Ok(()),
            1 => Err(refusals.remove(0)),
            _ => Err(Self::Several(refusals)),
        }
    }
    /// Everybody it tells of.
    pub fn people(&mut self) -> Vec<&mut Somebody> {
        match self {
            Self::SamePerson { staff: one, .. }
            | Self::FlowSet { by: one, .. }
            | Self::Already { by: one, .. } => vec![one],
            Self::Several(all) => all.iter_mut().flat_map(Self::people).collect(),
            Self::NotAllowed { .. }
            | Self::WrongPhase { .. }
            | Self::Missing { .. }
            | Self::OutOfRange { .. }
            | Self::Mismatch { .. }
            | Self::RateAboveAbsoluteLimit { .. }
            | Self::Held { .. }
            | Self::DoseRefused { .. }
            | Self::NeedsReason { .. }
            | Self::Unlikely { .. }
            | Self::BalanceOpen { .. }
            | Self::DeliveryUncertain
            | Self::PumpRunsOn
            | Self::Unknown { .. } => Vec::new(),
        }
    }

    /// The form field that the words belong to; empty for the whole form.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Missing { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::SamePerson { field, .. }
            | Self::Mismatch { field, .. }
            | Self::NeedsReason { field, .. }
            | Self::Already { field, .. }
            | Self::Unlikely { field, .. }
            | Self::Unknown { field, .. } => field,
            Self::RateAboveAbsoluteLimit { .. } | Self::FlowSet { .. } => "rate",
            Self::DoseRefused { .. } => "dose",
            Self::BalanceOpen { .. } => "wasted",
            Self::NotAllowed { .. }
            | Self::WrongPhase { .. }
            | Self::Held { .. }
            | Self::Several(_)
            | Self::DeliveryUncertain
            | Self::PumpRunsOn => "",
        }
    }
}
