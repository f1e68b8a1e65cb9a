//! What staff learn between infusions: decide, append.

use super::act::{as_new, write};
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::course::between::{self, Between, Event};
use clinic::id::{CommandId, PatientId};
use clinic::staff::Actor;
use jiff::civil::Date;
use std::sync::PoisonError;

impl Floor {
    /// All that was noted of a patient between infusions, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn between(&self, patient: &PatientId) -> Result<Between, Fault> {
        let history = self.history_of(&stream_of(patient))?;
        Ok(history.iter().fold(Between::default(), |all, (_, _, event)| all.evolve(event)))
    }

    /// Notes something about a patient.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn note_between(
        &self,
        patient: &PatientId,
        (command_id, actor): (&CommandId, &Actor),
        said: &Event,
        today: Date,
    ) -> Result<Done, Denied> {
        let stream = stream_of(patient);
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |rows: &[store::Recorded]| {
            let mut mine = rows.iter().filter(|row| row.stream == stream);
            mine.any(|row| crate::read_event::<Event>(row).is_ok_and(|event| event == *said))
        };
        if let Some(answer) = self.sent_before(command_id, actor, same) {
            return answer;
        }
        let all = self.between(patient).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let person = self.patient(patient).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let life = (person.map_or(Date::MIN, |person| person.born), today);
        let event = between::decide(&all, said.clone(), actor, life, &self.knowledge)?;
        let line = write(stream, Some(all.version), [as_new(&event)])?;
        self.append(command_id, actor, self.clock.now(), vec![line])
    }
}

/// Stream of what is learnt between infusions.
fn stream_of(patient: &PatientId) -> String {
    format!("between/{patient}")
}
