//! The consultation of a patient: decide, append. Nothing of it stays in memory. What it says against an infusion refuses
//! the acts of a visit that lead to one.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::{Denied, Done, Floor, patients, scales};
use crate::{Fault, read_event};
use clinic::care::task::TaskOpened;
use clinic::id::{CommandId, PatientId, QuestionnaireId, SessionId, StaffId};
use clinic::patient::{self, Patient};
use clinic::scale::questionnaire;
use clinic::screen::consulting::{self, Command, Consulting, Event};
use clinic::screen::names::in_words;
use clinic::session;
use clinic::staff::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::sync::PoisonError;
use store::StreamWrite;

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

    /// Carries out what a person does at a consultation. Totals of scales become scores in the same append; `zone` is that
    /// of the clinic's clock.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn consult(
        &self,
        patient: &PatientId,
        (command_id, zone): (&CommandId, &TimeZone),
        actor: &Actor,
        command: Command,
    ) -> Result<Done, Denied> {
        let turn = self.turn(&scales::stream_of(patient));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |event: &Event| event.answers(&command);
        self.on_stream_calling(&stream_of(patient), (command_id, actor), same, |at| {
            let now = self.consulting(patient).map_err(not_read)?;
            if !matches!(command, Command::Record { .. })
                && let Some(told) = self.consultation_behind(patient).map_err(not_read)?
            {
                return Err(consulting::Refusal::MedicinesDiffer { told }.into());
            }
            let event = consulting::decide(&now, command.clone(), actor, &self.knowledge)?;
            let call = now.calls(&event, &self.knowledge).map(|(item, answer)| {
                let (patient, scale) = (patient.clone(), "Consultation".to_owned());
                TaskOpened::ScaleItem { patient, scale, item, answer }
            });
            let scored = self.scored(patient, &now.new_totals(&event), (command_id, &actor.id), (zone, at));
            let (scores, turns) = scored.map_err(not_read)?;
            Ok((now.version, event, call.into_iter().chain(turns).collect(), scores))
        })
    }

    /// What the totals of a consultation write among the scores of the patient, and what they turn.
    fn scored(
        &self,
        patient: &PatientId,
        totals: &[(&String, Option<(Decimal, Date)>)],
        (command_id, by): (&CommandId, &StaffId),
        (zone, now): (&TimeZone, Timestamp),
    ) -> anyhow::Result<(Vec<StreamWrite>, Vec<TaskOpened>)> {
        let mut all = self.questionnaires(patient)?;
        let (version, mut events, mut turns) = (all.version, Vec::new(), Vec::new());
        for (name, total) in totals {
            let Some(item) = self.knowledge.scale(name) else { continue };
            let id = QuestionnaireId::new(format!("{command_id}-{}", item.header.id));
            let mut dated = None;
            if let Some((total, on)) = total {
                let today = now.to_zoned(zone.clone()).date() == *on;
                let at = if today { Some(now) } else { questionnaire::end_of(*on, zone) };
                dated = at.map(|at| (*total, at));
            }
            let Some(event) = questionnaire::consulted(&all, item, &id, dated, (zone, now)) else { continue };
            turns.extend(self.turned(patient, &all, (&event, by), now)?);
            events.push(as_new(&event));
            all = all.evolve(&event, by, now);
        }
        if events.is_empty() {
            return Ok((Vec::new(), turns));
        }
        Ok((vec![write(scales::stream_of(patient), Some(version), events)?], turns))
    }

    /// What stands against an infusion of a patient, by the screening of every record of the person; `None` where nobody
    /// screened.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn against_infusion(&self, patient: &PatientId) -> Result<Option<Vec<String>>, Fault> {
        let Some(person) = self.patient(patient)? else { return Ok(None) };
        let against = self.against(patient, &person)?;
        Ok(against.map(|all| all.iter().map(|reason| in_words(reason, &self.knowledge)).collect()))
    }

    fn against(&self, record: &PatientId, person: &Patient) -> Result<Option<Vec<String>>, Fault> {
        let own = self.consulting(record)?.against_infusion(person, &self.knowledge);
        let theirs = self.against_by_joined(record, person)?;
        Ok(own.into_iter().chain(theirs).reduce(|all, more| [all, more].concat()))
    }

    /// What the screening of the records says that were taken in since this one was screened last: who screened before did
    /// not know of it. It is judged of the person as registered on the record that stays.
    pub(super) fn against_by_joined(
        &self,
        record: &PatientId,
        person: &Patient,
    ) -> Result<Option<Vec<String>>, Fault> {
        let mut screened = 0;
        for row in self.store.stream(&self.site, &stream_of(record))? {
            if matches!(read_event(&row)?, Event::Screened { .. }) {
                screened = row.position;
            }
        }
        let mut all: Option<Vec<String>> = None;
        for row in self.store.stream(&self.site, &patients::stream_of(record))? {
            let patient::Event::RecordTakenIn { from, .. } = read_event(&row)? else { continue };
            let theirs = if screened < row.position { self.against(&from, person)? } else { None };
            let Some(theirs) = theirs else { continue };
            let mrn = self.patient(&from)?.map_or_else(|| from.to_string(), |closed| closed.mrn);
            let told = theirs.into_iter().map(|why| format!("Joined record {mrn}: {why}"));
            all.get_or_insert_default().extend(told);
        }
        Ok(all)
    }

    /// What stands against an infusion beside the screening: a check of the long-term safety that says stop, and where
    /// nobody screened what the record itself says, such as an allergy to the drug.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn against_by_record(&self, patient: &PatientId) -> Result<Vec<String>, Fault> {
        let mut why = self.stopped_by_checks(patient)?;
        let consulting = self.consulting(patient)?;
        if let Some(person) = self.patient(patient)?.filter(|_| consulting.screened.is_none()) {
            let today = self.clock.now().to_zoned(self.zone.clone()).date();
            why.extend(consulting.stops(&person, today, &self.knowledge));
        }
        Ok(why)
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
        consulting::permits(command, actor, self.against_infusion(&whose).map_err(not_read)?)?;
        let mut reasons = self.against_by_record(&whose).map_err(not_read)?;
        let day = match command {
            session::Command::Plan { day, .. } => Some(*day),
            session::Command::CheckIn { .. } => {
                self.session(id).map_err(not_read)?.and_then(|session| session.day)
            }
            _ => None,
        };
        if let Some(day) = day {
            reasons.extend(self.held_by_checks(&whose, day).map_err(not_read)?);
        }
        if reasons.is_empty() {
            return Ok(());
        }
        if !actor.role.treats() {
            reasons = vec![RECORD_AGAINST.to_owned()];
        }
        Err(session::Refusal::Held { reasons }.into())
    }
}

/// What who does not treat is told where the record says stop.
const RECORD_AGAINST: &str =
    "The record stands against an infusion: a prescriber decides, at the consultation or at the course.";

/// Stream of a consultation.
fn stream_of(patient: &PatientId) -> String {
    format!("consultation/{patient}")
}
