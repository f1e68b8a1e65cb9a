//! Two records of one person: joined in one append, and read together wherever it is about safety.

use super::act::{as_new, write};
use super::of_patient::not_read;
use super::patients::stream_of;
use super::{Denied, Done, Floor, PatientAct};
use crate::{Fault, read_event};
use clinic::course::Stage;
use clinic::id::PatientId;
use clinic::patient::{Event, Record, Refusal, join};
use std::sync::PoisonError;
use store::{ROWS_MAX, Recorded, StreamWrite};

impl Floor {
    /// The record that a closed one was joined to; `None` while it is open.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn joined_to(&self, id: &PatientId) -> Result<Option<PatientId>, Fault> {
        self.patient(id)?;
        Ok(self.room().joined.get(id).cloned())
    }

    /// The record that stands for a person, whichever of theirs is named.
    pub(super) fn standing(&self, mut record: PatientId) -> Result<PatientId, Fault> {
        while let Some(stays) = self.joined_to(&record)? {
            record = stays;
        }
        Ok(record)
    }

    /// The records that were taken into this one, and into those.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn taken_in(&self, id: &PatientId) -> Result<Vec<PatientId>, Fault> {
        let mut all = Vec::new();
        let mut next = vec![id.clone()];
        while let Some(one) = next.pop() {
            self.patient(&one)?;
            let from = self.room().taken_in.get(&one).cloned().unwrap_or_default();
            all.extend(from.iter().cloned());
            next.extend(from);
        }
        Ok(all)
    }

    /// Every record of a person, this one first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn records_of(&self, id: &PatientId) -> Result<Vec<PatientId>, Fault> {
        Ok(std::iter::once(id.clone()).chain(self.taken_in(id)?).collect())
    }

    /// Joins the record of the act to the one with the number `stays`: both say so in one append.
    ///
    /// # Errors
    /// A refusal that names the field or what to do first, or that nothing is being recorded.
    pub fn join_records(&self, act: &PatientAct, stays: &str, reason: &str) -> Result<Done, Denied> {
        // All who join are one after the other, so that no record is joined to one that closes meanwhile.
        let turn = self.turn("patients");
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let into = self.with_number(stays).map_err(not_read)?;
        let into = into.ok_or_else(|| Refusal::NoSuchNumber { mrn: stays.trim().to_owned() })?;
        // Nothing is opened on either meanwhile.
        let mut both = vec![act.patient, &into];
        both.dedup();
        let turns: Vec<_> = both.into_iter().map(|record| self.turn(&turn_of(record))).collect();
        let _turns: Vec<_> =
            turns.iter().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        let said = |rows: &[store::Recorded]| {
            rows.iter().filter(|row| row.stream == stream_of(act.patient)).any(|row| {
                matches!(read_event(row), Ok(Event::RecordClosed { into: then, reason: why })
                    if then == into && why == reason)
            })
        };
        if let Some(answer) = self.sent_before(act.command_id, act.actor, said) {
            return answer;
        }
        let (own, other) = (self.as_registered(act.patient)?, self.as_registered(&into)?);
        let (closed, taken_in) = join(&own.1, &other.1, reason.to_owned(), act.actor)?;
        let writes = vec![
            write(stream_of(act.patient), Some(own.0), [as_new(&closed)])?,
            write(stream_of(&into), Some(other.0), [as_new(&taken_in)])?,
        ];
        let at = self.clock.now();
        let done = self.append(act.command_id, act.actor, at, writes)?;
        if !done.before {
            self.patient_changed(act.patient, closed, &act.actor.id, at);
            self.patient_changed(&into, taken_in, &act.actor.id, at);
        }
        Ok(done)
    }

    /// A record that is not closed, by the log itself, as an entry that opens something on it names it: with the version
    /// that was read, so that no other program closes it meanwhile. Who asks has the turn of [`turn_of`].
    pub(super) fn not_closed(&self, id: &PatientId) -> Result<StreamWrite, Denied> {
        let rows = self.store.stream(&self.site, &stream_of(id)).map_err(not_read)?;
        if closed(&rows)? {
            let mrn = self.patient(id).map_err(not_read)?.map_or_else(|| id.to_string(), |person| person.mrn);
            return Err(Refusal::JoinedAlready { mrn }.into());
        }
        Ok(write(stream_of(id), Some(rows.last().map_or(0, |last| last.version)), [])?)
    }

    /// A record with the version at which it was read.
    fn as_registered(&self, id: &PatientId) -> Result<(i64, Record), Denied> {
        let rows = self.store.stream(&self.site, &stream_of(id)).map_err(not_read)?;
        let person = self.patient(id).map_err(not_read)?;
        let Some(person) = person else {
            return Err(Denied::NotRecorded("nobody is registered so".to_owned()));
        };
        let here = self.open_sessions();
        let here = here.iter().any(|(_, session, _)| session.patient.as_ref() == Some(id));
        // One that another program planned is in the log and not in this memory.
        let listed = self.visits_on(id).map_err(not_read)?;
        let stage = self.course(id).map_err(not_read)?.course.stage;
        let record = Record {
            id: id.clone(),
            person,
            joined: closed(&rows)?,
            visit_open: here || listed.iter().any(|(_, visit)| visit.closed_at.is_none()),
            course_open: !matches!(stage, Stage::New | Stage::Closed),
        };
        Ok((rows.last().map_or(0, |last| last.version), record))
    }

    /// Who has a record number: the list says who may be meant, and the log who is.
    fn with_number(&self, mrn: &str) -> Result<Option<PatientId>, Fault> {
        for item in self.store.view_list(&self.site, "patients", mrn.trim(), ROWS_MAX)? {
            let id = PatientId::new(item.key);
            if self.patient(&id)?.is_some_and(|person| person.has_number(mrn)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// The turn of whoever closes a record, and of whoever opens a visit, a course or a wait on it.
pub(super) fn turn_of(record: &PatientId) -> String {
    format!("record/{record}")
}

fn closed(rows: &[Recorded]) -> Result<bool, Denied> {
    for row in rows {
        if matches!(read_event(row).map_err(not_read)?, Event::RecordClosed { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}
