//! A command from a person or a machine: decide, append, evolve.

use super::Floor;
use super::joined::turn_of;
use crate::record::session_event;
use crate::{Fault, read_event};
use clinic::floor as seating;
use clinic::id::{CommandId, PatientId, SessionId, TaskId};
use clinic::patient;
use clinic::scenario::Cause;
use clinic::screen::consulting;
use clinic::session::{self, Command, Event, Recorded, Session};
use clinic::staff::{Actor, Somebody};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::ser::Error as _;
use std::error::Error as _;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use store::{Append, AppendError, Appended, NewEvent, StreamWrite};
use thiserror::Error;

/// Something that cannot be written into the log as it is.
#[derive(Debug, Error)]
#[error("an entry cannot be written down: {0}")]
pub(super) struct Unwritable(#[from] serde_json::Error);

impl From<Unwritable> for Denied {
    fn from(fault: Unwritable) -> Self {
        Self::NotRecorded(fault.to_string())
    }
}

/// How often a command is decided again when another process was faster.
const TRIES: usize = 3;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Position of the last event in the log; `None` when nothing had to be recorded.
    pub position: Option<i64>,
    /// The same command came before and this is its first outcome.
    pub before: bool,
}

/// Why it was not carried out. Nothing was written.
#[derive(Debug, Error)]
pub enum Denied {
    /// An answer for the person.
    #[error(transparent)]
    Refused(#[from] session::Refusal),
    /// An answer for the person: chair or device.
    #[error(transparent)]
    Seating(#[from] seating::Refusal),
    /// An answer for the person: master data.
    #[error(transparent)]
    Patient(#[from] patient::Refusal),
    /// An answer for the person: inquiry, task or roster. Everything that is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))]
    Care(Vec<clinic::care::Refusal>),
    /// An answer for the person: what was learnt between infusions.
    #[error(transparent)]
    Between(#[from] clinic::course::between::Refusal),
    /// An answer for the person: consent.
    #[error(transparent)]
    Consent(#[from] clinic::consent::Refusal),
    /// An answer for the person: consultation.
    #[error(transparent)]
    Consultation(#[from] consulting::Refusal),
    /// An answer for the person: a rating scale.
    #[error(transparent)]
    Scale(#[from] clinic::scale::questionnaire::Refusal),
    /// An answer for the person: course or calendar.
    #[error(transparent)]
    Course(#[from] clinic::course::Refusal),
    /// An answer for the person: reminders.
    #[error(transparent)]
    Reminder(#[from] clinic::course::reminder::Refusal),
    /// An answer for the person: who waits for a place.
    #[error(transparent)]
    Waitlist(#[from] clinic::course::waitlist::Refusal),
    /// The task does not exist.
    #[error("There is no task {0}.")]
    NoTask(TaskId),
    /// Somebody else has the record number.
    #[error("Record number {mrn} belongs to {holder}. Search for the patient instead.")]
    NumberTaken {
        /// As entered.
        mrn: String,
        /// Who has it, as on the banner.
        holder: String,
    },
    /// Somebody of that name is registered.
    #[error(
        "{holder}, born {born}, is registered under record number {mrn}. Open that record and, where it has a slip, correct it there. Only if this is another person, say so."
    )]
    Namesake {
        /// As on the banner.
        holder: String,
        /// As registered.
        born: Date,
        /// Under which number.
        mrn: String,
    },
    /// An answer for the person: an alarm limit.
    #[error(transparent)]
    Limit(#[from] clinic::monitor::LimitRefused),
    /// No chair watches the visit.
    #[error("The visit {0} sits at no chair, so it has no alarm limits. Check the patient in first.")]
    NotSeated(SessionId),
    /// Somebody else was faster, again and again.
    #[error("This session changed while you worked. Look at it again and repeat what is still needed.")]
    Conflict,
    /// The session does not exist.
    #[error("There is no session {0}.")]
    NoSession(SessionId),
    /// The form was sent before, and said something else then.
    #[error(
        "This form was sent before, and what it said then is recorded. What it says now is different and is NOT recorded: look at the record, then open the form again."
    )]
    SaidOtherwise,
    /// The log broke at the moment of writing.
    #[error("NOT KNOWN whether this was recorded: {0}. Look at the record before you enter it again.")]
    NotKnown(String),
    /// The log does not record.
    #[error(
        "NOT RECORDED: {0}. Nothing was changed. Write it down on paper and enter it when recording is back."
    )]
    NotRecorded(String),
}

impl Denied {
    /// The form field that the words belong to.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.field(),
            Self::Seating(
                seating::Refusal::ChairIsTaken { .. }
                | seating::Refusal::ChairIsBooked { .. }
                | seating::Refusal::PatientIsHere { .. },
            ) => "chair",
            Self::Seating(_) => "device",
            Self::Patient(refusal) => refusal.field(),
            Self::Care(refusals) => refusals.first().map_or("", clinic::care::Refusal::field),
            Self::Consultation(refusal) => refusal.field(),
            Self::Course(refusal) => refusal.field(),
            Self::Waitlist(refusal) => refusal.field(),
            Self::Reminder(_) => "email",
            Self::NumberTaken { .. } => "mrn",
            Self::Namesake { .. } => "another",
            Self::Limit(clinic::monitor::LimitRefused::NoReason) => "reason",
            Self::Limit(_)
            | Self::Scale(_)
            | Self::Between(_)
            | Self::Consent(_)
            | Self::NotSeated(_)
            | Self::Conflict
            | Self::NoSession(_)
            | Self::NoTask(_)
            | Self::SaidOtherwise
            | Self::NotKnown(_)
            | Self::NotRecorded(_) => "",
        }
    }
}

impl Denied {
    /// Everybody it tells of.
    pub(super) fn people(&mut self) -> Vec<&mut Somebody> {
        match self {
            Self::Refused(refusal) => refusal.people(),
            Self::Course(refusal) => refusal.people(),
            Self::Care(refusals) => refusals.iter_mut().flat_map(clinic::care::Refusal::people).collect(),
            _ => Vec::new(),
        }
    }

    /// The same where the field is one of many alike, such as a question of a scale.
    pub fn place(&self) -> String {
        match self {
            Self::Scale(refusal) => refusal.field(),
            Self::Between(refusal) => refusal.field().to_owned(),
            Self::Consent(refusal) => refusal.field(),
            other => other.field().to_owned(),
        }
    }
}

impl From<clinic::care::Refusal> for Denied {
    fn from(refusal: clinic::care::Refusal) -> Self {
        Self::Care(vec![refusal])
    }
}

impl Floor {
    /// Carries out one command on a session. The same `command_id` never acts twice.
    ///
    /// # Errors
    /// A refusal for the person, or that nothing is being recorded.
    pub fn act(
        &self,
        id: &SessionId,
        command_id: &CommandId,
        actor: &Actor,
        command: Command,
    ) -> Result<Done, Denied> {
        let turn = self.turn(&stream_of(id));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let command = self.told_of_plan(id, self.told_of_consent(id, command)?)?;
        let command = self.told_of_answers(id, self.told_of_pressure(id, command)?)?;
        if let Some((done, cause)) = self.done_before(command_id)? {
            let at = self.clock.now();
            let same = cause.is_some_and(|cause| cause.is_asked_again(actor, &command, at));
            return if same { Ok(done) } else { Err(Denied::SaidOtherwise) };
        }
        self.permitted(id, actor, &command)?;
        for _ in 0..TRIES {
            let session =
                self.session(id).map_err(|fault| Denied::NotRecorded(fault.to_string()))?.unwrap_or_default();
            let at = self.clock.now();
            let events = session::decide(&session, command.clone(), actor, at, &self.knowledge)
                .map_err(|refusal| self.named(refusal))?;
            if events.is_empty() {
                return Ok(Done { position: None, before: false });
            }
            let cause = Cause { actor: actor.clone(), at, command: command.clone() };
            match self.record(id, &session, command_id, &cause, events) {
                Err(AppendError::Conflict { .. }) => self.reload(id)?,
                Err(error) => return Err(self.not_recorded(id, &error)),
                Ok(done) => return done,
            }
        }
        Err(Denied::Conflict)
    }

    /// The log did not answer as it should: what stands in memory is read again before the next command.
    pub(super) fn not_recorded(&self, id: &SessionId, error: &AppendError) -> Denied {
        if matches!(error, AppendError::Uncertain(_)) {
            self.forget(id);
        }
        self.recording.store(false, Ordering::Relaxed);
        denied(error)
    }

    /// Appends the events with their cause, and the seating that follows from them, all or none.
    fn record(
        &self,
        id: &SessionId,
        session: &Session,
        command_id: &CommandId,
        cause: &Cause,
        events: Vec<Event>,
    ) -> Result<Result<Done, Denied>, AppendError> {
        let floor_turn = self.turn(SEATING);
        let moves = events.iter().any(moves_a_chair);
        let _seats = moves.then(|| floor_turn.lock().unwrap_or_else(PoisonError::into_inner));
        let booked = match &cause.command {
            Command::CheckIn { chair } => self.chair_is_not_booked(session, chair),
            _ => Ok(()),
        };
        let seat = match booked.and_then(|()| Ok(self.seat_after(id, session, cause, &events)?)) {
            Ok(seat) => seat,
            Err(denied) => return Ok(Err(denied)),
        };
        let planned = match &cause.command {
            Command::Plan { patient, .. } => Some(patient),
            _ => None,
        };
        let record_turn = planned.map(|patient| self.turn(&turn_of(patient)));
        let _record = record_turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let free = |patient| match self.has_open_visit(patient, id) {
            true => Err(session::Refusal::Held {
                reasons: vec!["This patient has an open visit. Finish or cancel it first.".to_owned()],
            }
            .into()),
            false => self.not_closed(patient),
        };
        let open = match planned.map(free).transpose() {
            Ok(open) => open,
            Err(denied) => return Ok(Err(denied)),
        };
        let mut writes = match writes_of(id, session, cause, &events, seat.as_ref()) {
            Ok(writes) => writes,
            Err(fault) => return Ok(Err(fault.into())),
        };
        writes.extend(open);
        let appended = self.store.append(Append {
            site: self.site.clone(),
            command_id: command_id.0.clone(),
            author: cause.actor.id.0.clone(),
            at_us: cause.at.as_microsecond(),
            writes,
            reply: String::new(),
            closing: closing(&cause.command),
        })?;
        let recorded = match read_session(appended.events(), id) {
            Ok(recorded) => recorded,
            Err(fault) => return Ok(Err(self.not_read_back(id, &fault))),
        };
        if let Appended::Now(_) = appended {
            if let Some((event, _)) = &seat {
                self.seat_moved(event);
            }
            self.happened(id, &recorded);
        }
        let position = appended.events().last().map(|last| last.position);
        Ok(Ok(Done { position, before: matches!(appended, Appended::Before(..)) }))
    }

    /// The log has an entry, and this program cannot read it: what stands in memory is read again before the next
    /// command.
    pub(super) fn not_read_back(&self, id: &SessionId, fault: &Fault) -> Denied {
        self.forget(id);
        Denied::NotKnown(format!("{fault}: {}", fault.source().map(ToString::to_string).unwrap_or_default()))
    }

    /// The seating event that belongs to these session events, with the version it was decided on.
    fn seat_after(
        &self,
        id: &SessionId,
        session: &Session,
        cause: &Cause,
        events: &[Event],
    ) -> Result<Option<(seating::Event, i64)>, seating::Refusal> {
        let room = self.room();
        let seen = room.seating.version;
        if let Some(chair) = events.iter().find_map(|event| match event {
            Event::CheckedIn { chair } => Some(chair),
            _ => None,
        }) {
            let patient = session.patient.clone().unwrap_or_else(|| PatientId::new(""));
            return room.seating.take_chair(id, &patient, chair).map(|event| Some((event, seen)));
        }
        let after = events.iter().enumerate().fold(session.clone(), |session, (n, event)| {
            let version = session.version + 1;
            let position = i64::try_from(n).unwrap_or_default();
            session::evolve(
                session,
                &Recorded {
                    position,
                    version,
                    at: cause.at,
                    by: cause.actor.id.clone(),
                    event: event.clone(),
                },
            )
        });
        if after.phase.closed() && !session.phase.closed() && session.chair.is_some() {
            return room.seating.free_chair(id).map(|event| Some((event, seen)));
        }
        Ok(None)
    }

    /// A command that the log has already: its first outcome, and what was asked then.
    fn done_before(&self, command_id: &CommandId) -> Result<Option<(Done, Option<Cause>)>, Denied> {
        let before = self
            .store
            .command(&self.site, command_id.as_str())
            .map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let Some((events, _)) = before else { return Ok(None) };
        let cause = events.iter().find(|row| row.stream.starts_with(CAUSES));
        let cause = cause.map(read_event).transpose();
        let cause = cause.map_err(|fault| Denied::NotKnown(format!("what was asked then: {fault}")))?;
        Ok(Some((Done { position: events.last().map(|last| last.position), before: true }, cause)))
    }

    /// The answer to a form that the log has already: its first outcome when the same person says the same again.
    pub(super) fn sent_before(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        same: impl Fn(&[store::Recorded]) -> bool,
    ) -> Option<Result<Done, Denied>> {
        let (rows, _) = match self.store.command(&self.site, command_id.as_str()) {
            Ok(before) => before?,
            Err(fault) => return Some(Err(Denied::NotRecorded(fault.to_string()))),
        };
        let mine = rows.iter().all(|row| row.author == actor.id.0);
        let done = Done { position: rows.last().map(|last| last.position), before: true };
        Some(if mine && same(&rows) { Ok(done) } else { Err(Denied::SaidOtherwise) })
    }

    /// The log has this command already.
    pub fn did(&self, command_id: &CommandId) -> bool {
        self.done_before(command_id).is_ok_and(|done| done.is_some())
    }

    /// Appends all or none. A form that was sent before gets its first outcome when it says the same as then.
    pub(super) fn append(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        at: Timestamp,
        writes: Vec<StreamWrite>,
    ) -> Result<Done, Denied> {
        let says = writes.clone();
        if let Some(answer) = self.sent_before(command_id, actor, |rows| says_the_same(rows, actor, &says)) {
            return answer;
        }
        let append = Append {
            site: self.site.clone(),
            command_id: command_id.0.clone(),
            author: actor.id.0.clone(),
            at_us: at.as_microsecond(),
            writes,
            reply: String::new(),
            closing: false,
        };
        match self.store.append(append) {
            Ok(Appended::Before(rows, _)) if !says_the_same(&rows, actor, &says) => {
                Err(Denied::SaidOtherwise)
            }
            Ok(appended) => Ok(Done {
                position: appended.events().last().map(|last| last.position),
                before: matches!(appended, Appended::Before(..)),
            }),
            Err(AppendError::Conflict { .. }) => Err(Denied::Conflict),
            Err(error) => Err(denied(&error)),
        }
    }
}

/// The same person, and every event word for word.
fn says_the_same(rows: &[store::Recorded], actor: &Actor, says: &[StreamWrite]) -> bool {
    let said = says.iter().flat_map(|one| one.events.iter().map(|event| (&one.stream, &event.body)));
    rows.iter().all(|row| row.author == actor.id.0)
        && rows.iter().map(|row| (&row.stream, &row.body)).eq(said)
}

/// What became of an entry that the log did not take.
pub(super) fn denied(error: &AppendError) -> Denied {
    match error {
        AppendError::Uncertain(fault) => Denied::NotKnown(fault.to_string()),
        _ => Denied::NotRecorded(why(error)),
    }
}

/// The error with what is behind it, in one sentence.
pub(super) fn why(error: &AppendError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Stream of the seating.
pub(super) const SEATING: &str = "floor";

/// Streams of what was asked, by session.
pub(super) const CAUSES: &str = "command/";

/// Stream of a session.
pub(super) fn stream_of(id: &SessionId) -> String {
    format!("session/{id}")
}

/// The entry of a command: its events, itself, and the seat where a chair changes hands.
fn writes_of(
    id: &SessionId,
    session: &Session,
    cause: &Cause,
    events: &[Event],
    seat: Option<&(seating::Event, i64)>,
) -> Result<Vec<StreamWrite>, Unwritable> {
    let mut writes = vec![
        write(stream_of(id), Some(session.version), events.iter().map(as_new))?,
        write(format!("{CAUSES}{id}"), None, [json_event(cause.command.doing(), cause)])?,
    ];
    if let Some((event, seen)) = seat {
        writes.push(write(SEATING.to_owned(), Some(*seen), [as_new(event)])?);
    }
    Ok(writes)
}

/// Events for one stream; one that cannot be written down spoils the entry.
pub(super) fn write(
    stream: String,
    expected: Option<i64>,
    events: impl IntoIterator<Item = Result<NewEvent, Unwritable>>,
) -> Result<StreamWrite, Unwritable> {
    Ok(StreamWrite { stream, expected, events: events.into_iter().collect::<Result<_, _>>()? })
}

/// An event of a tagged enum: its `kind` names the row, the whole is the body.
pub(super) fn as_new(event: &impl serde::Serialize) -> Result<NewEvent, Unwritable> {
    let value = serde_json::to_value(event)?;
    let kind = value.get("kind").and_then(|kind| kind.as_str());
    let kind = kind.ok_or_else(|| serde_json::Error::custom("an event without a kind"))?.to_owned();
    Ok(NewEvent { kind, body: value.to_string() })
}

pub(super) fn json_event(kind: &str, body: &impl serde::Serialize) -> Result<NewEvent, Unwritable> {
    Ok(NewEvent { kind: kind.to_owned(), body: serde_json::to_string(body)? })
}

fn moves_a_chair(event: &Event) -> bool {
    matches!(
        event,
        Event::CheckedIn { .. }
            | Event::Discharged { .. }
            | Event::SessionCancelled { .. }
            | Event::Transferred { .. }
    )
}

/// Ends or makes safe what is under way, so it may use the last of the disk.
fn closing(command: &Command) -> bool {
    matches!(
        command,
        Command::Pause { .. }
            | Command::Stop { .. }
            | Command::ReadPump { .. }
            | Command::LosePump
            | Command::Waste { .. }
            | Command::ReturnVials { .. }
            | Command::ScoreDischarge { .. }
            | Command::Discharge { .. }
            | Command::TransferOut { .. }
            | Command::NoteAdverseEvent { .. }
            | Command::GiveDrug { .. }
            | Command::Chart(..)
    )
}

/// The session's own events among what was recorded.
///
/// # Errors
/// When one of them is no event of this program: none is left out.
pub(super) fn read_session(rows: &[store::Recorded], id: &SessionId) -> Result<Vec<Recorded>, Fault> {
    let stream = stream_of(id);
    rows.iter().filter(|row| row.stream == stream).map(session_event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::error::status_of;

    /// Hazard 21: that nobody knows the dose may be written with the last room.
    #[test]
    fn a_lost_pump_may_use_the_reserve_and_a_note_may_not() {
        assert!(closing(&Command::LosePump));
        assert!(!closing(&Command::Note { text: "later".to_owned() }));
    }

    fn row(stream: &str, body: &str) -> store::Recorded {
        store::Recorded {
            site: "main".to_owned(),
            position: 1,
            stream: stream.to_owned(),
            version: 1,
            kind: "noted".to_owned(),
            body: body.to_owned(),
            command_id: "c".to_owned(),
            author: "kim".to_owned(),
            at_us: 0,
            chain: [0; 32],
        }
    }

    /// Hazard 20: what the log has and nobody can read is never as if it were not there.
    #[test]
    fn a_row_that_cannot_be_read_is_an_error_and_not_one_row_fewer() {
        let note = as_new(&Event::NoteWritten { text: "calm".to_owned() }).expect("written").body;
        let rows =
            [row("session/v1", &note), row("command/v1", "{}"), row("session/v1", "{\"kind\":\"unheard\"}")];
        assert_eq!(read_session(&rows[..2], &SessionId::new("v1")).expect("readable").len(), 1);
        let fault = read_session(&rows, &SessionId::new("v1")).expect_err("unreadable");
        assert!(fault.to_string().contains("noted"), "{fault}");
        let far = store::Recorded { at_us: i64::MAX, ..row("session/v1", &note) };
        assert!(read_session(&[far], &SessionId::new("v1")).is_err(), "a time that is none");
    }

    #[test]
    fn an_entry_that_cannot_be_written_whole_is_not_written() {
        let keys = std::collections::BTreeMap::from([((1, 2), "no key of JSON")]);
        let writes = write(
            "s".to_owned(),
            None,
            [as_new(&Event::NoteWritten { text: String::new() }), json_event("k", &keys)],
        );
        let denied = Denied::from(writes.expect_err("a key that is no text"));
        assert!(matches!(denied, Denied::NotRecorded(_)), "{denied}");
        assert!(as_new(&"without a kind").is_err());
    }

    /// Hazard 20: only what is for certain not in the log may be called so.
    #[test]
    fn what_is_not_known_is_never_called_not_recorded() {
        let lost = denied(&AppendError::Uncertain(store::Fault::Stopped));
        assert!(matches!(lost, Denied::NotKnown(_)) && lost.to_string().starts_with("NOT KNOWN"), "{lost}");
        assert_eq!(status_of(&lost), 500);
        let refused = denied(&AppendError::Refused(store::Fault::Stopped));
        assert!(matches!(refused, Denied::NotRecorded(_)), "{refused}");
        assert_eq!(status_of(&refused), 503);
    }
}
