//! The care plan of a patient: decide, append. Nothing of it stays in memory.

use super::act::{as_new, write};
use super::care::answered;
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::care::plan::{self, CarePlan, Command, Event};
use clinic::id::{CommandId, PatientId};
use clinic::staff::Actor;
use jiff::tz::TimeZone;
use std::sync::PoisonError;

impl Floor {
    /// A care plan as it stands, from the log; an empty one where nobody has begun.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn care_plan(&self, patient: &PatientId) -> Result<CarePlan, Fault> {
        let history = self.history_of::<Event>(&stream_of(patient))?;
        Ok(history.iter().fold(CarePlan::default(), |plan, (at, by, event)| plan.evolve(event, by, *at)))
    }

    /// Carries out what a person does in a care plan.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn plan_care(
        &self,
        patient: &PatientId,
        command_id: &CommandId,
        actor: &Actor,
        zone: &TimeZone,
        command: Command,
    ) -> Result<Done, Denied> {
        let stream = stream_of(patient);
        let turn = self.turn(&stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |rows: &[store::Recorded]| answered(rows, &stream, &command, Event::answers);
        if let Some(answer) = self.sent_before(command_id, actor, same) {
            return answer;
        }
        let now = self.care_plan(patient).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let at = self.clock.now();
        let event = plan::decide(&now, command, actor, at.to_zoned(zone.clone()).date())?;
        let line = write(stream, Some(now.version), [as_new(&event)])?;
        self.append(command_id, actor, at, vec![line])
    }
}

/// Stream of a care plan.
fn stream_of(patient: &PatientId) -> String {
    format!("care_plan/{patient}")
}
