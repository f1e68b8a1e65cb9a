//! The page of a patient: given, taken back, opened with the day of birth. Decide, append; nothing of it stays in memory.

use super::of_patient::not_read;
use super::{Denied, Done, Floor, PatientAct};
use crate::Fault;
use clinic::care::patient_page::{self, Event, PatientPage, Standing};
use clinic::id::{CommandId, PatientId};
use clinic::patient::Patient;
use clinic::staff::Actor;
use jiff::civil::Date;

/// Who acts where a patient opens the page.
const PHONE: &str = "patient-phone";

impl Floor {
    /// Which link a patient has to the page, and what became of it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn patient_page(&self, patient: &PatientId) -> Result<PatientPage, Fault> {
        let history = self.history_of::<Event>(&stream_of(patient))?;
        Ok(history.iter().fold(PatientPage::default(), |page, (at, _, event)| page.evolve(event, *at)))
    }

    /// Gives a patient a link; the one before ends. The id of the act is the link.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn give_page(&self, act: &PatientAct) -> Result<Done, Denied> {
        let same = |event: &Event| matches!(event, Event::PageGiven { .. });
        self.on_stream(&stream_of(act.patient), (act.command_id, act.actor), same, |at| {
            let page = self.patient_page(act.patient).map_err(not_read)?;
            Ok((page.version, patient_page::give(act.command_id.as_str(), at, act.actor)?))
        })
    }

    /// Takes the link back.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn take_page_back(&self, act: &PatientAct) -> Result<Done, Denied> {
        let same = |event: &Event| *event == Event::PageTakenBack;
        self.on_stream(&stream_of(act.patient), (act.command_id, act.actor), same, |_| {
            let page = self.patient_page(act.patient).map_err(not_read)?;
            Ok((page.version, patient_page::take_back(&page, act.actor)?))
        })
    }

    /// Somebody with an open link says when the patient was born. Right or wrong is recorded before it is told, so
    /// that nobody guesses more often than the log counts; `None` where the link does not ask any more.
    ///
    /// # Errors
    /// That nothing is being recorded.
    pub fn open_page(
        &self,
        id: &PatientId,
        patient: &Patient,
        link: &str,
        said: Date,
    ) -> Result<Option<Event>, Denied> {
        let answered = patient_page::answer(said, patient.born);
        let (command, phone) = (CommandId::new(self.ids.next()), Actor::machine(PHONE));
        let told = self.on_stream(
            &stream_of(id),
            (&command, &phone),
            |_: &Event| false,
            |at| {
                let page = self.patient_page(id).map_err(not_read)?;
                match page.standing(link, at) {
                    Standing::Open => Ok((page.version, answered.clone())),
                    Standing::Replaced | Standing::Ended | Standing::Closed => {
                        Err(clinic::care::Refusal::NoPage.into())
                    }
                }
            },
        );
        match told {
            Ok(_) => Ok(Some(answered)),
            Err(Denied::Care(_)) => Ok(None),
            Err(denied) => Err(denied),
        }
    }
}

/// Stream of the page of a patient.
fn stream_of(patient: &PatientId) -> String {
    format!("patient_page/{patient}")
}
