//! A slip in a registration, put right: name, day of birth, sex, record number. What stood there before stays in the log.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::patients::{number, stream_of};
use super::{Denied, Done, Floor, PatientAct};
use crate::{Fault, read_event};
use clinic::id::{PatientId, StaffId};
use clinic::patient::{Details, Event, Patient, correct};
use clinic::session::Session;
use jiff::Timestamp;
use std::sync::PoisonError;

impl Floor {
    /// What happened to a registration: when, by whom, what.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn patient_history(&self, id: &PatientId) -> Result<Vec<(Timestamp, StaffId, Event)>, Fault> {
        self.history_of(&stream_of(id))
    }

    /// Corrects a registration. A number is unique and a namesake is asked about as at registration, and nothing
    /// changes while somebody is treated by what is registered.
    ///
    /// # Errors
    /// A refusal that names the field, or that nothing is being recorded.
    pub fn correct_details(
        &self,
        act: &PatientAct,
        (details, reason): (Details, String),
        another: bool,
    ) -> Result<Done, Denied> {
        let turns = [stream_of(act.patient), number(&details.mrn), "patients".to_owned()];
        let turns = turns.map(|stream| self.turn(&stream));
        let _turns = turns.each_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        // Nobody makes the second check of an open visit meanwhile.
        let mut visits = self.open_sessions();
        visits.retain(|(_, session, _)| session.patient.as_ref() == Some(act.patient));
        let held: Vec<_> = visits.iter().map(|(id, ..)| self.turn(&format!("session/{id}"))).collect();
        let _held: Vec<_> =
            held.iter().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        let said = |rows: &[store::Recorded]| {
            rows.iter().filter(|row| row.stream == stream_of(act.patient)).any(|row| {
                matches!(read_event(row), Ok(Event::DetailsCorrected { details: then, reason: why })
                    if then == details && why == reason)
            })
        };
        if let Some(answer) = self.sent_before(act.command_id, act.actor, said) {
            return answer;
        }
        let at = self.clock.now();
        let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let history = self.patient_history(act.patient).map_err(not_read)?;
        let version = i64::try_from(history.len()).map_err(not_read)?;
        let known = history.into_iter().fold(None, |known, (_, _, event)| event.evolve(known));
        let Some(known) = known else {
            return Err(Denied::NotRecorded("nobody is registered so".to_owned()));
        };
        let mut open: Vec<Session> = Vec::new();
        for (id, ..) in &visits {
            open.extend(self.session(id).map_err(not_read)?);
        }
        let event = correct(&known, (details, reason), act.actor, &open, today)?;
        let Some(person) = event.clone().evolve(Some(known.clone())) else { return Err(Denied::Conflict) };
        self.not_another(act.patient, (&known, &person), another)?;
        let mut writes = vec![write(stream_of(act.patient), Some(version), [as_new(&event)])?];
        if known.has_number(&person.mrn) {
            self.not_taken(&person.mrn, act.patient)?;
        } else {
            writes.push(self.number_given(&person.mrn, act.patient)?);
        }
        let done = self.append(act.command_id, act.actor, at, writes)?;
        if !done.before {
            self.patient_changed(act.patient, event, &act.actor.id, at);
        }
        Ok(done)
    }

    /// Asks about a namesake where name or day of birth become other ones.
    fn not_another(
        &self,
        own: &PatientId,
        (known, person): (&Patient, &Patient),
        another: bool,
    ) -> Result<(), Denied> {
        if another || known.is_namesake_of(person) { Ok(()) } else { self.not_here_already(own, person) }
    }
}
