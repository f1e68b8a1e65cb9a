//! The care plan of a patient: decide, append. Nothing of it stays in memory.

use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::Fault;
use clinic::care::plan::{self, CarePlan, Command, Event};
use clinic::id::{CommandId, PatientId};
use clinic::staff::Actor;
use jiff::tz::TimeZone;

impl Floor {
    /// A care plan as it stands, from the log; an empty one where nobody has begun.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn care_plan(&self, patient: &PatientId) -> Result<CarePlan, Fault> {
        let history = self.history_of::<Event>(&stream_of(patient))?;
        Ok(history.iter().fold(CarePlan::default(), |plan, (at, by, event)| plan.evolve(event, by, *at)))
    }

    /// The care plan of every record of a person, that of this one first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn care_plans(&self, patient: &PatientId) -> Result<Vec<CarePlan>, Fault> {
        self.records_of(patient)?.iter().map(|record| self.care_plan(record)).collect()
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
        let same = |event: &Event| event.answers(&command);
        self.on_stream(&stream_of(patient), (command_id, actor), same, |at| {
            let plan = self.care_plan(patient).map_err(not_read)?;
            let today = at.to_zoned(zone.clone()).date();
            Ok((plan.version, plan::decide(&plan, command.clone(), actor, today)?))
        })
    }
}

/// Stream of a care plan.
fn stream_of(patient: &PatientId) -> String {
    format!("care_plan/{patient}")
}
