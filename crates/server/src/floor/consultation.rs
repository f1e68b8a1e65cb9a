//! The consultation of a patient: decide, append. Nothing of it stays in memory.

use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::screen::consulting::{self, Command, Consulting, Event};
use clinic::staff::Actor;
use jiff::Timestamp;

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
        let same = |event: &Event| event.answers(&command);
        self.on_stream(&stream_of(patient), (command_id, actor), same, |_| {
            let now = self.consulting(patient).map_err(not_read)?;
            Ok((now.version, consulting::decide(&now, command.clone(), actor, &self.knowledge)?))
        })
    }
}

/// Stream of a consultation.
fn stream_of(patient: &PatientId) -> String {
    format!("consultation/{patient}")
}
