//! The consultation of a patient: decide, append. Nothing of it stays in memory.

use super::act::{as_new, write};
use super::care::answered;
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::screen::consulting::{self, Command, Consulting, Event};
use clinic::staff::Actor;
use jiff::Timestamp;
use std::sync::PoisonError;

impl Floor {
    /// A consultation as it stands, from the log; an empty one where nobody has begun.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consulting(&self, patient: &PatientId) -> Result<Consulting, Fault> {
        let history = self.consultation_history(patient)?;
        Ok(history.iter().fold(Consulting::default(), |consulting, (_, _, event)| consulting.evolve(event)))
    }

    /// What happened at a consultation: when, by whom, what.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consultation_history(
        &self,
        patient: &PatientId,
    ) -> Result<Vec<(Timestamp, StaffId, Event)>, Fault> {
        self.history_of(&stream_of(patient))
    }

    /// Carries out what a person does at a consultation.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn consult(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        command: Command,
    ) -> Result<Done, Denied> {
        let stream = stream_of(patient);
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |rows: &[store::Recorded]| answered(rows, &stream, &command, Event::answers);
        if let Some(answer) = self.sent_before(command_id, actor, same) {
            return answer;
        }
        let now = self.consulting(patient).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let event = consulting::decide(&now, command, actor, &self.knowledge)?;
        let line = write(stream, Some(now.version), [as_new(&event)])?;
        self.append(command_id, actor, self.clock.now(), vec![line])
    }
}

/// Stream of a consultation.
fn stream_of(patient: &PatientId) -> String {
    format!("consultation/{patient}")
}
