//! One visit with one infusion, from check-in to discharge.
//!
//! [`decide`] answers a [`Command`] with [`Event`]s or with a [`Refusal`]; [`evolve`] folds them into a
//! [`Session`]. Nothing here knows a clock, a socket or a database. The phases are
//! planned → checked in → ready → infusing ⇄ paused → recovering → discharged or transferred.
//!
//! What was delivered is integrated in [`delivery`] from pump readings and recorded rate changes, never taken
//! from the order; where the drug went is counted in [`balance`].

pub mod balance;
mod check;
mod closing;
mod command;
pub mod delivery;
mod event;
mod experience;
pub mod gates;
mod infusing;
mod preparing;
mod reading;
mod refusal;
mod state;
mod typed;
mod words;

pub use check::{Identified, SecondReading, StandsIn, UNDILUTED, VialReading};
pub use closing::drug_open;
pub use command::{Command, PumpEntry};
pub use event::{
    AdverseEvent, Checked, Difference, DrugGiven, Event, Finding, GateAnswer, Observation, Order,
    PumpProgram, PumpRead, ReadBy, Recorded, ScannedVial, StopReason, Transfer, Unexplained, VialFate,
    VialLeft,
};
pub use experience::Felt;
pub use reading::{start_may_be_corrected, unexplained};
pub use refusal::{Question, READ_IT_AGAIN, Refusal};
pub use state::{Answered, Phase, Session, Wasted};
pub use typed::vital_signs;

use crate::knowledge::Knowledge;
use crate::staff::{Actor, Role};
use jiff::Timestamp;

/// What `actor` asks of `session` at `at`: the events that follow, or why not.
///
/// # Errors
/// A [`Refusal`] names the field, the value and the limit. Nothing is clamped, and a refusal writes nothing.
pub fn decide(
    session: &Session,
    command: Command,
    actor: &Actor,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    permit(&command, actor)?;
    words::fit(&command)?;
    session.refuse_if_closed(&command)?;
    session.refuse_if_wasted(&command)?;
    match command {
        Command::Plan { .. }
        | Command::CheckIn { .. }
        | Command::Weigh { .. }
        | Command::AnswerGate { .. }
        | Command::OverrideGate { .. }
        | Command::SignOrder { .. }
        | Command::ScanVial { .. }
        | Command::Draw { .. }
        | Command::DiscardDrawn { .. }
        | Command::SecondCheck { .. }
        | Command::ProgramPump { .. }
        | Command::TimeOut { .. } => preparing::decide(session, command, actor, at, knowledge),
        Command::Start { .. }
        | Command::ChangeRate { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::Stop { .. }
        | Command::ReadPump { .. }
        | Command::CorrectStartCounter { .. }
        | Command::TellPumpEvent { .. }
        | Command::LosePump
        | Command::Chart(..)
        | Command::NoteAdverseEvent { .. }
        | Command::ResolveAdverseEvent { .. }
        | Command::GiveDrug { .. }
        | Command::Note { .. }
        | Command::Amend { .. } => infusing::decide(session, command, at, knowledge),
        Command::Waste { .. }
        | Command::ReturnVials { .. }
        | Command::ScoreDischarge { .. }
        | Command::Discharge { .. }
        | Command::Cancel { .. }
        | Command::TransferOut { .. } => closing::decide(session, command, actor, at, knowledge),
    }
}

/// Folds what happened into the state.
#[must_use]
pub fn evolve(mut session: Session, recorded: &Recorded) -> Session {
    session.apply(recorded);
    session
}

/// The state after a whole history.
#[must_use]
pub fn replay<'a>(history: impl IntoIterator<Item = &'a Recorded>) -> Session {
    history.into_iter().fold(Session::default(), evolve)
}

/// Whether the role may do this at all; the pages check the same before they show a button.
fn permit(command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let allowed: &[Role] = match command {
        Command::Plan { .. } | Command::CheckIn { .. } => &[Role::FrontDesk, Role::Nurse, Role::Prescriber],
        Command::SignOrder { .. } | Command::OverrideGate { .. } => &[Role::Prescriber],
        Command::LosePump | Command::TellPumpEvent { .. } => &[Role::Machine],
        Command::ReadPump { .. } => &[Role::Machine, Role::Nurse, Role::Prescriber],
        // Stopping is never harder than going on.
        Command::Pause { .. } | Command::Stop { .. } => &[Role::Nurse, Role::Prescriber, Role::Therapist],
        Command::Note { .. } => &[Role::Nurse, Role::Prescriber, Role::Therapist],
        _ => &[Role::Nurse, Role::Prescriber],
    };
    if allowed.contains(&actor.role) {
        return Ok(());
    }
    let needs = allowed.iter().map(|role| role.title()).collect::<Vec<_>>().join(" or ");
    Err(Refusal::NotAllowed { doing: command.doing(), role: actor.role.title(), needs })
}

#[cfg(test)]
mod tests;
