//! The consultation of a patient: decide, append. Nothing of it stays in memory. What it says against an infusion refuses
//! the acts of a visit that lead to one.

use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::care::task::TaskOpened;
use clinic::id::{CommandId, PatientId, SessionId, StaffId};
use clinic::screen::consulting::{self, Command, Consulting, Event};
use clinic::session;
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
        self.on_stream_calling(&stream_of(patient), (command_id, actor), same, |_| {
            let now = self.consulting(patient).map_err(not_read)?;
            let event = consulting::decide(&now, command.clone(), actor, &self.knowledge)?;
            let call = now.calls(&event, &self.knowledge).map(|(item, answer)| {
                let (patient, scale) = (patient.clone(), "Consultation".to_owned());
                TaskOpened::ScaleItem { patient, scale, item, answer }
            });
            Ok((now.version, event, call))
        })
    }

    /// What stands against an infusion of a patient; `None` where nobody screened.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn against_infusion(&self, patient: &PatientId) -> Result<Option<Vec<String>>, Fault> {
        let Some(person) = self.patient(patient)? else { return Ok(None) };
        Ok(self.consulting(patient)?.against_infusion(&person, &self.knowledge))
    }

    /// Refuses an act of a visit that the screening of its patient stands against, whoever sends it.
    pub(super) fn permitted(
        &self,
        id: &SessionId,
        actor: &Actor,
        command: &session::Command,
    ) -> Result<(), Denied> {
        if !command.leads_to_infusion() {
            return Ok(());
        }
        let whose = match command {
            session::Command::Plan { patient, .. } => Some(patient.clone()),
            _ => self.session(id).map_err(not_read)?.and_then(|session| session.patient),
        };
        let Some(whose) = whose else { return Ok(()) };
        let Some(person) = self.patient(&whose).map_err(not_read)? else { return Ok(()) };
        let consulting = self.consulting(&whose).map_err(not_read)?;
        Ok(consulting.permits(command, actor, &person, &self.knowledge)?)
    }
}

/// Stream of a consultation.
fn stream_of(patient: &PatientId) -> String {
    format!("consultation/{patient}")
}
