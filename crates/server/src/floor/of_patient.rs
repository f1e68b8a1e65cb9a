//! Acts on the streams of one patient: taken in turn, decided on what the log has, appended. Consent, scales,
//! consultation and care plan are such streams; nothing of them stays in memory.

use super::act::{as_new, write};
use super::care::task_stream;
use super::scales::calls_of;
use super::{Denied, Done, Floor};
use crate::views::sessions::{Row, visits_of};
use crate::{Fault, read_event};
use clinic::care::task::TaskOpened;
use clinic::gate::{MeasuredBefore, longest_wait};
use clinic::id::{CommandId, PatientId, SessionId, TaskId};
use clinic::knowledge::gates::Answer;
use clinic::session::{Command, gates};
use clinic::staff::Actor;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::PoisonError;
use store::StreamWrite;

/// Whose, and in which act of whom.
pub struct PatientAct<'a> {
    /// The same one never acts twice.
    pub command_id: &'a CommandId,
    /// Who.
    pub actor: &'a Actor,
    /// Whose.
    pub patient: &'a PatientId,
}

impl Floor {
    /// One event on one stream. `decide` reads the stream and says which version it saw. A form that was sent before
    /// gets its first outcome when `same` finds it in what was recorded then.
    pub(super) fn on_stream<E: Serialize + DeserializeOwned>(
        &self,
        stream: &str,
        (command_id, actor): (&CommandId, &Actor),
        same: impl Fn(&E) -> bool,
        decide: impl FnOnce(Timestamp) -> Result<(i64, E), Denied>,
    ) -> Result<Done, Denied> {
        self.on_stream_calling(stream, (command_id, actor), same, |at| {
            decide(at).map(|(version, event)| (version, event, Vec::new(), Vec::new()))
        })
    }

    /// The same, where what was said may open tasks, and write elsewhere, in the same append. While somebody is seeing to
    /// the same answer, it opens no second one.
    pub(super) fn on_stream_calling<E: Serialize + DeserializeOwned>(
        &self,
        stream: &str,
        (command_id, actor): (&CommandId, &Actor),
        same: impl Fn(&E) -> bool,
        decide: impl FnOnce(Timestamp) -> Result<(i64, E, Vec<TaskOpened>, Vec<StreamWrite>), Denied>,
    ) -> Result<Done, Denied> {
        let turn = self.turn(stream);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |rows: &[store::Recorded]| {
            let mut mine = rows.iter().filter(|row| row.stream == stream);
            mine.any(|row| read_event(row).is_ok_and(|event| same(&event)))
        };
        if let Some(answer) = self.sent_before(command_id, actor, said) {
            return answer;
        }
        let at = self.clock.now();
        let (version, event, calls, beside) = decide(at)?;
        let mut writes = vec![write(stream.to_owned(), Some(version), [as_new(&event)])?];
        writes.extend(beside);
        let new = calls.into_iter().filter(|call| self.open_for(call).is_empty());
        let mut opened = Vec::new();
        for (nth, call) in new.enumerate() {
            let id = if nth == 0 { command_id.to_string() } else { format!("{command_id}-{}", nth + 1) };
            let (task, opens) = (TaskId::new(id), self.task_for(call, at));
            writes.push(write(task_stream(&task), Some(0), [as_new(&opens)])?);
            opened.push((task, opens));
        }
        if opened.is_empty() {
            return self.append(command_id, actor, at, writes);
        }
        let done = self.append_care(command_id, actor, at, writes)?;
        for one in opened {
            self.task_opened(Some(one), at);
        }
        Ok(done)
    }

    /// All visits of a person, on whichever record, newest first.
    ///
    /// # Errors
    /// When the list or a row of it cannot be read: no visit is left out in silence.
    pub fn visits_of(&self, patient: &PatientId) -> Result<Vec<Row>, Fault> {
        let mut all = Vec::new();
        for record in self.records_of(patient)? {
            all.extend(self.visits_on(&record)?);
        }
        all.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(all.into_iter().map(|(_, row)| row).collect())
    }

    /// The visits on one record alone, newest first, each with its time in the list.
    ///
    /// # Errors
    /// When the list or a row of it cannot be read.
    pub fn visits_on(&self, record: &PatientId) -> Result<Vec<(i64, Row)>, Fault> {
        let rows = self.store.view_list(&self.site, &visits_of(record.as_str()), "", store::ROWS_MAX)?;
        let row = |item: store::ViewItem| {
            let row = serde_json::from_str(&item.body);
            let row = row.map_err(|cause| Fault::Event { kind: "a listed visit".to_owned(), cause })?;
            Ok((item.sort, row))
        };
        rows.into_iter().map(row).collect()
    }

    /// The vital-signs gate is answered with the pressures of the patient's other visits that still make it wait, whoever
    /// sends it: the wait is the patient's, not the visit's.
    pub(super) fn told_of_pressure(&self, id: &SessionId, command: Command) -> Result<Command, Denied> {
        let Command::AnswerGate { gate, mut inputs, note } = command else { return Ok(command) };
        if gate.as_str() == "c11" {
            let session = self.session(id).map_err(not_read)?;
            let patient = session.and_then(|session| session.patient);
            let others = patient.map(|patient| self.measured_in_other_visits(&patient, id)).transpose();
            inputs.measured_before = others.map_err(not_read)?.unwrap_or_default();
        }
        Ok(Command::AnswerGate { gate, inputs, note })
    }

    /// The gate of the rating scales is answered with what the patient has answered since the infusion before, whoever
    /// sends it: nobody's tick takes an answer that calls a clinician away.
    pub(super) fn told_of_answers(&self, id: &SessionId, command: Command) -> Result<Command, Denied> {
        let Command::AnswerGate { gate, mut inputs, note } = command else { return Ok(command) };
        if gate.as_str() == SCALES_GATE && !self.calling_answers(id).map_err(not_read)?.is_empty() {
            inputs.answers.insert(SCREEN_POSITIVE.to_owned(), Answer::Yes(true));
        }
        Ok(Command::AnswerGate { gate, inputs, note })
    }

    /// Answers of the patient of a visit that call a clinician, since the infusion before, in words.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn calling_answers(&self, id: &SessionId) -> anyhow::Result<Vec<String>> {
        let Some(session) = self.session(id)? else { return Ok(Vec::new()) };
        let Some(patient) = &session.patient else { return Ok(Vec::new()) };
        let before =
            self.given_to(patient)?.into_iter().filter(|(of, ..)| of != id).map(|(_, at, _)| at).max();
        let mut said = Vec::new();
        for record in self.records_of(patient)? {
            for one in self.questionnaires(&record)?.all.values().filter(|one| one.voided.is_none()) {
                let Some((answered, ..)) = &one.answered else { continue };
                let item =
                    self.knowledge.scale(&one.scale).filter(|_| before.is_none_or(|at| answered.at > at));
                let call = item.and_then(|item| Some((item, calls_of(item, &answered.given, true)?)));
                if let Some((item, call)) = call {
                    said.push(format!("{}, {}: {}", item.header.title, call.item, call.answer));
                }
            }
        }
        Ok(said)
    }

    /// A visit that was over before the longest wait began makes nobody wait and is not opened.
    fn measured_in_other_visits(
        &self,
        patient: &PatientId,
        id: &SessionId,
    ) -> anyhow::Result<Vec<MeasuredBefore>> {
        let since = self.clock.now().checked_sub(longest_wait(&self.knowledge))?.as_millisecond();
        let mut all = Vec::new();
        for row in self.visits_of(patient)? {
            let over = row.closed_at.is_some_and(|closed| closed < since);
            if over || row.session == id.as_str() {
                continue;
            }
            if let Some(session) = self.session(&SessionId::new(row.session))? {
                all.extend(gates::makes_wait(&session, &self.knowledge).map(gates::measured_then));
            }
        }
        Ok(all)
    }
}

/// What cannot be read cannot be decided on.
pub(super) fn not_read(fault: impl std::fmt::Display) -> Denied {
    Denied::NotRecorded(fault.to_string())
}

/// The gate of the rating scales, and its question about thoughts of suicide.
const SCALES_GATE: &str = "c08";
const SCREEN_POSITIVE: &str = "suicide_screen_positive";
