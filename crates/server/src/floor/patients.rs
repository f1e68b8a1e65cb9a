//! Who is treated here: registered once, under a number that nobody else has, read from the log when asked for.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::{Denied, Done, Floor};
use crate::{Fault, read_event, read_time};
use clinic::care::inquiry::{Command, Event};
use clinic::id::{CommandId, InquiryId, PatientId, StaffId};
use clinic::patient::{self, Allergies, NumberEvent, Patient};
use clinic::session;
use clinic::staff::Actor;
use jiff::Timestamp;
use std::sync::PoisonError;
use store::{ROWS_MAX, StreamWrite};

impl Floor {
    /// A patient's master data, from memory or else from the log; `None` when nobody registered the patient.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn patient(&self, id: &PatientId) -> Result<Option<Patient>, Fault> {
        if let Some(known) = self.room().patients.get(id) {
            return Ok(Some(known.clone()));
        }
        for row in self.store.stream(&self.site, &stream_of(id))? {
            let at = read_time(&row)?;
            self.patient_changed(id, read_event(&row)?, &StaffId::new(&row.author), at);
        }
        Ok(self.room().patients.get(id).cloned())
    }

    /// When the clinic first wrote a patient down; `None` for who is not registered.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn heard_of(&self, id: &PatientId) -> Result<Option<Timestamp>, Fault> {
        self.store.stream(&self.site, &stream_of(id))?.first().map(read_time).transpose()
    }

    /// Who asked the allergies of a patient who was looked at, and when; `None` while nobody has.
    pub fn allergies_asked(&self, id: &PatientId) -> Option<(StaffId, Timestamp)> {
        self.room().allergies_asked.get(id).cloned()
    }

    /// Registers a patient. The number is given in the same append, so that two people never have one. Who has the name
    /// of somebody registered is registered only where a person says that it is `another`.
    ///
    /// # Errors
    /// A refusal that names the field, or that nothing is being recorded.
    pub fn register(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        id: &PatientId,
        (person, another): (Patient, bool),
    ) -> Result<Done, Denied> {
        self.registered(command_id, actor, id, (person, another), None)
    }

    /// Registers the person who asked, and joins what was asked to the patient in the same append.
    ///
    /// # Errors
    /// As [`Floor::register`], or that the inquiry is not that far.
    pub fn register_who_asked(
        &self,
        inquiry: &InquiryId,
        command_id: &CommandId,
        actor: &Actor,
        id: &PatientId,
        (person, another): (Patient, bool),
    ) -> Result<Done, Denied> {
        let turn = self.turn(&format!("inquiry/{inquiry}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let patient = id.clone();
        // A form sent again is compared with what it said; the inquiry has moved on since.
        let joined = if self.did(command_id) {
            write(format!("inquiry/{inquiry}"), None, [as_new(&Event::InquiryRegistered { patient })])?
        } else {
            self.decided(inquiry, actor, Command::Register { patient })?.1
        };
        self.registered(command_id, actor, id, (person, another), Some(joined))
    }

    fn registered(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        id: &PatientId,
        (person, another): (Patient, bool),
        joined: Option<StreamWrite>,
    ) -> Result<Done, Denied> {
        let at = self.clock.now();
        let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let mrn = person.mrn.trim().to_owned();
        let event = patient::register(person, today)?;
        let turn = self.turn(&number(&mrn));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let given = self.number_given(&mrn, id)?;
        // Two desks that register one person at once are one after the other.
        let names = self.turn("patients");
        let _names = names.lock().unwrap_or_else(PoisonError::into_inner);
        let asks = !another && !self.did(command_id);
        if let (true, patient::Event::PatientRegistered(person)) = (asks, &event) {
            self.not_here_already(id, person)?;
        }
        let mut writes = vec![write(stream_of(id), Some(0), [as_new(&event)])?, given];
        writes.extend(joined);
        let done = self.append(command_id, actor, at, writes);
        if let Err(Denied::Conflict) = done {
            // Another program on this log was faster.
            self.not_taken(&mrn, id)?;
        }
        let done = done?;
        if !done.before {
            self.patient_changed(id, event, &actor.id, at);
        }
        Ok(done)
    }

    /// Refuses somebody who seems to be registered under another number, with a slip in the day of birth or without.
    pub(super) fn not_here_already(&self, id: &PatientId, person: &Patient) -> Result<(), Denied> {
        let mut alike = self.of_one_name(id, person).map_err(not_read)?;
        alike.sort_by_key(|known| !known.is_namesake_of(person));
        alike.into_iter().next().map_or(Ok(()), |known| {
            Err(Denied::Namesake { holder: known.banner_name(), born: known.born, mrn: known.mrn })
        })
    }

    /// Another patient with the name and the day of birth of this one.
    ///
    /// # Errors
    /// When the list or the log cannot be read.
    pub fn namesake(&self, own: &PatientId, person: &Patient) -> Result<Option<Patient>, Fault> {
        Ok(self.of_one_name(own, person)?.into_iter().find(|known| known.is_namesake_of(person)))
    }

    /// The other patients with the name of this one.
    fn of_one_name(&self, own: &PatientId, person: &Patient) -> Result<Vec<Patient>, Fault> {
        let listed = self.store.view_list(&self.site, "patients", person.family.trim(), ROWS_MAX)?;
        let others = listed.into_iter().map(|item| PatientId::new(item.key)).filter(|id| id != own);
        let mut alike = Vec::new();
        for id in others {
            alike.extend(self.patient(&id)?.filter(|known| known.has_name_of(person)));
        }
        Ok(alike)
    }

    /// The line that gives a number which nobody else has; one that was somebody's by a slip is free again.
    pub(super) fn number_given(&self, mrn: &str, own: &PatientId) -> Result<StreamWrite, Denied> {
        let before = self.store.stream(&self.site, &number(mrn)).map_err(not_read)?;
        self.not_taken(mrn, own)?;
        let given = NumberEvent::RecordNumberGiven { patient: own.clone() };
        let version = before.last().map_or(0, |last| last.version);
        Ok(write(number(mrn), Some(version), [as_new(&given)])?)
    }

    /// Refuses a number that somebody else has.
    pub(super) fn not_taken(&self, mrn: &str, own: &PatientId) -> Result<(), Denied> {
        let holder = self.holder(mrn, own).map_err(not_read)?;
        holder.map_or(Ok(()), |holder| Err(Denied::NumberTaken { mrn: mrn.to_owned(), holder }))
    }

    /// Who else has a number. Those who were registered before numbers were given have no stream of their number:
    /// the list says who may be meant, and the log who is.
    fn holder(&self, mrn: &str, own: &PatientId) -> Result<Option<String>, Fault> {
        let given = self.store.stream(&self.site, &number(mrn))?;
        let listed = self.store.view_list(&self.site, "patients", mrn, ROWS_MAX)?;
        if listed.len() as i64 == ROWS_MAX {
            return Ok(Some(format!("one of more than {ROWS_MAX} patients, perhaps")));
        }
        let mut may = listed.into_iter().map(|item| PatientId::new(item.key)).collect::<Vec<_>>();
        for row in &given {
            let NumberEvent::RecordNumberGiven { patient } = read_event(row)?;
            may.push(patient);
        }
        for id in may.iter().filter(|id| *id != own) {
            if let Some(person) = self.patient(id)?.filter(|person| person.has_number(mrn)) {
                return Ok(Some(person.banner_name()));
            }
        }
        Ok(None)
    }

    /// Records the allergies of a registered patient as they were asked now. What a joined record names and this does
    /// not is `dropped` by a person who asked, never in silence.
    ///
    /// # Errors
    /// A refusal that names the field, or that nothing is being recorded.
    pub fn record_allergies(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        id: &PatientId,
        (allergies, dropped): (Allergies, bool),
    ) -> Result<Done, Denied> {
        if !actor.role.treats() {
            let needs = "nurse or prescriber".to_owned();
            let (doing, role) = ("record allergies", actor.role.title());
            return Err(session::Refusal::NotAllowed { doing, role, needs }.into());
        }
        let turn = self.turn(&stream_of(id));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.clock.now();
        if !dropped {
            self.names_what_was_joined(id, &allergies)?;
        }
        let event = patient::record_allergies(allergies)?;
        let done = self.append(command_id, actor, at, vec![write(stream_of(id), None, [as_new(&event)])?])?;
        if !done.before {
            self.patient_changed(id, event, &actor.id, at);
        }
        Ok(done)
    }

    fn names_what_was_joined(&self, id: &PatientId, allergies: &Allergies) -> Result<(), Denied> {
        for record in self.taken_in(id).map_err(not_read)? {
            let Some(joined) = self.patient(&record).map_err(not_read)? else { continue };
            let which = patient::unknown_allergies(&joined.allergies, allergies).join(", ");
            if !which.is_empty() {
                return Err(patient::Refusal::AllergiesDropped { mrn: joined.mrn, which }.into());
            }
        }
        Ok(())
    }

    /// Takes a recorded event of a patient into memory.
    pub(super) fn patient_changed(&self, id: &PatientId, event: patient::Event, by: &StaffId, at: Timestamp) {
        let mut room = self.room();
        let asked = match &event {
            patient::Event::PatientRegistered(person) => person.allergies != Allergies::NotRecorded,
            patient::Event::AllergiesRecorded { .. } => room.patients.contains_key(id),
            _ => false,
        };
        if asked {
            room.allergies_asked.insert(id.clone(), (by.clone(), at));
        }
        match &event {
            patient::Event::RecordClosed { into, .. } => {
                room.joined.insert(id.clone(), into.clone());
            }
            patient::Event::RecordTakenIn { from, .. } => {
                room.taken_in.entry(id.clone()).or_default().insert(from.clone());
            }
            _ => {}
        }
        let before = room.patients.remove(id);
        if let Some(person) = event.evolve(before) {
            room.patients.insert(id.clone(), person);
        }
    }
}

/// Stream of a patient.
pub(super) fn stream_of(id: &PatientId) -> String {
    format!("patient/{id}")
}

/// Stream of a record number: each event says who has it from there on.
pub(super) fn number(mrn: &str) -> String {
    format!("mrn/{}", mrn.trim().to_lowercase())
}
