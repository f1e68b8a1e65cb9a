//! Feeding monitors, and what they say: shown at once, recorded as soon as the log takes it.

use super::act::{Unwritable, why, write};
use super::{Floor, Place};
use clinic::id::{AlarmId, ChairId, SessionId, StaffId};
use clinic::monitor::{Input, Leftovers, Output, Refused};
use jiff::Timestamp;
use serde::ser::Error as _;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError, Weak};
use store::{Append, AppendError, Fault, NewEvent};

/// Alarm lines that wait while the log does not record. The oldest go first when there are more.
const WAITING_MAX: usize = 20_000;

/// A line with its chair and its alarm.
type Waiting = (ChairId, Option<AlarmId>, Append);

/// Alarm lines that the log does not have yet.
#[derive(Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Waiting>,
    /// Lines that were given up because too many waited; told once the log records again.
    lost: u64,
}

impl Backlog {
    /// The oldest first, whichever answer of the log came first.
    fn put_by(&mut self, line: Waiting) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.lost += 1;
        }
        let place = self.waiting.partition_point(|(_, _, before)| before.at_us <= line.2.at_us);
        self.waiting.insert(place, line);
    }
}

/// Lines of one visit's watch kept in memory; the oldest go first.
const SAID_MAX: usize = 20_000;

impl Place {
    /// Keeps what the monitor said: for the pages, for the log, and for the way home.
    fn note(&mut self, said: &[Output]) {
        self.changed = true;
        self.alarms_changed = true;
        self.unrecorded.extend(said.iter().filter_map(alarm_of));
        self.said.extend(said.iter().cloned());
        let over = self.said.len().saturating_sub(SAID_MAX);
        self.said.drain(..over);
    }
}

impl Floor {
    /// What the watch over a visit left undone so far: missed checks and alarms that nobody answered.
    pub fn unfinished(&self, session: &SessionId) -> Leftovers {
        let room = self.room();
        let place = room.chairs.values().find(|place| place.monitor.session() == session);
        place.map_or_else(Leftovers::new, |place| clinic::monitor::unfinished(&place.said))
    }

    /// Feeds the monitor of a chair and passes on what it says.
    pub(super) fn feed(&self, chair: &ChairId, at: Timestamp, input: Input) {
        drop(self.tell(chair, at, input));
    }

    /// The same, for those who ask what it said.
    pub(super) fn tell(&self, chair: &ChairId, at: Timestamp, input: Input) -> Vec<Output> {
        let (session, said) = {
            let mut room = self.room();
            let Some(place) = room.chairs.get_mut(chair) else { return Vec::new() };
            if place.recalling {
                place.monitor.recall(at, input);
                return Vec::new();
            }
            let said = place.monitor.feed(at, input);
            if said.is_empty() {
                return said;
            }
            place.note(&said);
            (place.monitor.session().clone(), said)
        };
        // Shown first: a slow or dead log delays no alarm.
        self.publish_alarms(at);
        for output in &said {
            self.record_output(chair, &session, at, output);
        }
        said
    }

    /// Answers, quiets or moves by a named person. Refused when the monitor refuses.
    ///
    /// # Errors
    /// The monitor's reason.
    pub fn answer_alarm(&self, chair: &ChairId, input: Input) -> Result<(), String> {
        let at = self.clock.now();
        let (session, said) = {
            let mut room = self.room();
            let Some(place) = room.chairs.get_mut(chair) else {
                return Err(format!("There is no chair {chair}."));
            };
            let said = place.monitor.feed(at, input);
            place.note(&said);
            (place.monitor.session().clone(), said)
        };
        self.publish_alarms(at);
        for output in &said {
            self.record_output(chair, &session, at, output);
        }
        match said.into_iter().find_map(|output| match output {
            Output::Refused(Refused::AlreadyAcknowledged { by }) => {
                Some(format!("{} has already answered this alarm", self.called(&by)))
            }
            Output::Refused(refused) => Some(refused.to_string()),
            _ => None,
        }) {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }

    /// The chair at which an alarm stands.
    pub fn chair_of_alarm(&self, alarm: &AlarmId) -> Option<ChairId> {
        let room = self.room();
        room.chairs
            .iter()
            .find(|(_, place)| place.monitor.alarms().any(|one| one.id == *alarm))
            .map(|(chair, _)| chair.clone())
    }

    /// A fresh watch at a chair. What the one before leaves standing ends in the log of its own visit.
    pub(super) fn watch_anew(&self, chair: &ChairId, mut place: Place, at: Timestamp) {
        let before = {
            let mut room = self.room();
            if let Some(before) = room.chairs.get(chair) {
                place.heard = before.heard.clone();
            }
            room.chairs.insert(chair.clone(), place)
        };
        let Some(mut before) = before else { return };
        self.keep_rest(&mut before);
        let session = before.monitor.session().clone();
        for output in before.monitor.leave() {
            self.record_output(chair, &session, at, &output);
        }
    }

    /// The patient left: nobody's vital signs and nobody's alarms stand at the chair from here on.
    pub(super) fn leave_chair(&self, chair: &ChairId) {
        let at = self.clock.now();
        match self.idle_place(chair, at) {
            Ok(place) => {
                self.watch_anew(chair, place, at);
                let _watched = self.expect_devices(chair);
                self.publish_alarms(at);
            }
            Err(fault) => tracing::error!(%fault, "a chair that is free is watched as before"),
        }
    }

    fn record_output(&self, chair: &ChairId, session: &SessionId, at: Timestamp, output: &Output) {
        // A moved limit stands in the log before it is fed.
        if matches!(output, Output::ObservationDue(_) | Output::Refused(_) | Output::LimitChanged { .. }) {
            return;
        }
        let write = match write(format!("alarms/{session}"), None, [as_event(output)]) {
            Ok(write) => write,
            Err(fault) => {
                self.recording.store(false, Ordering::Relaxed);
                return tracing::error!(%fault, %session, "an alarm line is lost");
            }
        };
        let author = author_of(output).map_or_else(|| StaffId::new("monitor"), StaffId::clone);
        let append = Append {
            site: self.site.clone(),
            command_id: self.ids.next(),
            author: author.0,
            at_us: at.as_microsecond(),
            writes: vec![write],
            reply: String::new(),
            closing: true,
        };
        self.submit_alarm(chair.clone(), alarm_of(output), append);
    }

    /// Hands the line to the log without waiting for it. Behind lines that wait it waits too, so that the log has
    /// them in order.
    fn submit_alarm(&self, chair: ChairId, alarm: Option<AlarmId>, append: Append) {
        {
            let mut backlog = self.backlog();
            if !backlog.waiting.is_empty() || !self.recording.load(Ordering::Relaxed) {
                return backlog.put_by((chair, alarm, append));
            }
        }
        let again = append.clone();
        let floor = Weak::clone(&self.me);
        self.store.submit(append, move |answer| {
            let Some(floor) = floor.upgrade() else { return };
            match answer {
                Ok(_) => floor.alarm_is_recorded(&chair, alarm.as_ref()),
                Err(error) if never_stored(&error) => floor.given_up(&error),
                Err(error) => {
                    tracing::error!(error = why(&error), "an alarm line is not recorded yet");
                    floor.recording.store(false, Ordering::Relaxed);
                    floor.backlog().put_by((chair, alarm, again));
                }
            }
        });
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given_up(&self, error: &AppendError) {
        tracing::error!(error = why(error), "an alarm line cannot be recorded and is given up");
    }

    fn alarm_is_recorded(&self, chair: &ChairId, alarm: Option<&AlarmId>) {
        let Some(alarm) = alarm else { return };
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.unrecorded.remove(alarm);
            place.alarms_changed = true;
        }
    }

    /// Gives the log what waits, in order, and says that it records again. Waits for the log, so the evaluator never
    /// calls it.
    pub(super) fn catch_up(&self) {
        loop {
            let next = self.backlog().waiting.front().cloned();
            let Some((chair, alarm, append)) = next else { break };
            let id = append.command_id.clone();
            match self.store.append(append) {
                Ok(_) => self.alarm_is_recorded(&chair, alarm.as_ref()),
                Err(error) if never_stored(&error) => self.given_up(&error),
                Err(_) => return,
            }
            self.backlog().waiting.retain(|(_, _, line)| line.command_id != id);
        }
        let mut backlog = self.backlog();
        if !backlog.waiting.is_empty() || self.store.state() != store::WriterState::Recording {
            return;
        }
        let lost = std::mem::take(&mut backlog.lost);
        if lost > 0 {
            tracing::error!(lost, "alarm lines were given up while nothing was recorded");
        }
        self.recording.store(true, Ordering::Relaxed);
    }

    /// Every alarm line of a session, oldest first, as the log has it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn alarm_history(&self, session: &SessionId) -> anyhow::Result<Vec<(Timestamp, StaffId, Output)>> {
        let rows = self.store.stream(&self.site, &format!("alarms/{session}"))?;
        rows.iter()
            .map(|row| {
                let at = Timestamp::from_microsecond(row.at_us)?;
                Ok((at, StaffId::new(row.author.clone()), serde_json::from_str(&row.body)?))
            })
            .collect()
    }
}

/// The line itself is refused, for example for its length: trying again helps nobody and would hold up all others.
pub(super) fn never_stored(error: &AppendError) -> bool {
    matches!(error, AppendError::Refused(Fault::Input { .. } | Fault::Row(_)))
}

/// An externally tagged output: its only key names the row, the whole is the body.
pub(super) fn as_event(output: &Output) -> Result<NewEvent, Unwritable> {
    let value = serde_json::to_value(output)?;
    let kind = value.as_object().and_then(|map| map.keys().next().cloned());
    let kind = kind.ok_or_else(|| serde_json::Error::custom("an alarm line without a kind"))?;
    Ok(NewEvent { kind, body: value.to_string() })
}

fn alarm_of(output: &Output) -> Option<AlarmId> {
    match output {
        Output::AlarmRaised(alarm)
        | Output::AlarmWorsened(alarm)
        | Output::AlarmReturned(alarm)
        | Output::AlarmEased(alarm) => Some(alarm.id.clone()),
        Output::AlarmLatched(id)
        | Output::AlarmCleared(id)
        | Output::AlarmWithdrawn(id)
        | Output::AlarmLeft(id)
        | Output::SoundResumed(id) => Some(id.clone()),
        Output::AlarmAcknowledged { alarm, .. }
        | Output::AlarmEscalated { alarm, .. }
        | Output::SoundPaused { alarm, .. } => Some(alarm.clone()),
        Output::ObservationDue(_) | Output::LimitChanged { .. } | Output::Refused(_) => None,
    }
}

fn author_of(output: &Output) -> Option<&StaffId> {
    match output {
        Output::AlarmAcknowledged { by, .. } | Output::SoundPaused { by, .. } => Some(by),
        Output::LimitChanged { change, .. } => Some(&change.by),
        _ => None,
    }
}
