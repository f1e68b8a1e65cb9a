//! After a start: what the log knows, and what nobody knows since.

use super::act::{SEATING, stream_of};
use super::watch::WATCHED;
use super::{Denied, Floor, Message, live};
use crate::record::session_event;
use crate::{read_event, read_time};
use clinic::floor as seating;
use clinic::id::{ChairId, SessionId};
use clinic::monitor::{Input, unanswered};
use clinic::session::{self, Recorded, Session};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Floor {
    /// Reads everything that is still going on back from the log.
    pub(super) fn restore(&self, chairs: &[ChairId]) -> anyhow::Result<()> {
        let at = self.clock.now();
        for chair in chairs {
            let place = self.idle_place(chair, at)?;
            self.room().chairs.insert(chair.clone(), place);
        }
        for row in self.store.stream(&self.site, SEATING)? {
            let event: seating::Event = read_event(&row)?;
            match &event {
                seating::Event::DevicePlaced { device, .. } => self.is_placed(device, read_time(&row)?),
                seating::Event::DeviceTakenAway { device } => self.forget_heard(device),
                seating::Event::ChairTaken { .. } | seating::Event::ChairFreed { .. } => {}
            }
            let mut room = self.room();
            room.seating = std::mem::take(&mut room.seating).evolve(&event);
        }
        // Who sits is known from the log; the list adds who is expected, and whose waste is still open.
        let seated = self.seating().chairs.into_values().map(|taken| taken.session);
        let listed = self.store.view_list(&self.site, "open_sessions", "", store::ROWS_MAX)?;
        let listed = listed.into_iter().map(|item| SessionId::new(item.key));
        for id in seated.chain(listed).collect::<BTreeSet<_>>() {
            self.resume(&id, at)?;
        }
        self.restore_care()?;
        Ok(())
    }

    /// Brings one open session back. A running infusion is uncertain until someone reads the pump, and the gap in
    /// the watch is an alarm of its own.
    fn resume(&self, id: &SessionId, at: Timestamp) -> anyhow::Result<()> {
        let history = self.history(id)?;
        let session = session::replay(&history);
        let chair = session.chair.clone();
        let active = session.phase.active();
        if let Some(patient) = &session.patient
            && self.patient(patient)?.is_none()
        {
            tracing::error!(%id, %patient, "nobody registered the patient of this session");
        }
        self.room().sessions.insert(id.clone(), session);
        // A patient who was handed over left the chair to the next one, even where the waste is still open.
        let sits = |chair: &ChairId| self.room().seating.session_at(chair) == Some(id);
        let Some(chair) = chair.filter(sits) else { return Ok(()) };
        let came = self.room().sessions.get(id).and_then(|session| session.checked_in_at);
        self.seat(id, &chair, came.unwrap_or(at))?;
        self.recall(id, &chair, &history, at)?;
        self.recall_limits(id, &chair)?;
        self.recall_unanswered(id, &chair, at)?;
        if active {
            // Before anything else is judged: a silence of the program is none of a sensor.
            let since = self.last_watched(id, &chair, &history, at)?;
            self.feed(&chair, at, Input::Restarted { since });
            self.lose_pump(id, "restart");
        }
        Ok(())
    }

    /// What alarmed and nobody answered waits on, under its own name.
    fn recall_unanswered(&self, id: &SessionId, chair: &ChairId, at: Timestamp) -> anyhow::Result<()> {
        let lines = self.alarm_history(id)?;
        self.recalling(chair, true);
        for alarm in unanswered(lines.iter().map(|(at, _, line)| (*at, line))) {
            self.feed(chair, at, Input::Unanswered(Box::new(alarm)));
        }
        self.recalling(chair, false);
        Ok(())
    }

    /// The last moment at which this chair was watched for certain: its last line in the log, its last minute of readings,
    /// the last message of a device there, or the last round that was kept of a chair without one.
    fn last_watched(
        &self,
        id: &SessionId,
        chair: &ChairId,
        history: &[Recorded],
        at: Timestamp,
    ) -> anyhow::Result<Timestamp> {
        let line = history.last().map(|last| last.at);
        let last_of = |stream: &str| -> anyhow::Result<Option<Timestamp>> {
            let rows = self.store.stream(&self.site, &format!("{stream}/{id}"))?;
            Ok(rows.last().map(read_time).transpose()?)
        };
        let heard = self.room().chairs.get(chair).and_then(|place| place.heard.values().max().copied());
        let watched = Timestamp::from_microsecond(self.store.cursor(&self.site, WATCHED)?)?;
        let watched = Some(watched).filter(|watched| *watched <= at);
        let last =
            [line, last_of("readings")?, last_of("alarms")?, heard, watched].into_iter().max().flatten();
        Ok(last.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    pub(super) fn recalling(&self, chair: &ChairId, is: bool) {
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.recalling = is;
        }
    }

    /// Lines of chairs after a position in the log, for a page that was away; `None` when more than `most` rows were
    /// written since.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn lines_since(&self, position: i64, most: i64) -> anyhow::Result<Option<Vec<Message>>> {
        let rows = self.store.since(&self.site, position.max(0), most + 1)?;
        if i64::try_from(rows.len())? > most {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for row in rows {
            let Some(id) = row.stream.strip_prefix("session/") else { continue };
            let id = SessionId::new(id);
            let chair = self.session(&id)?.and_then(|session| session.chair);
            let ours = |chair: &ChairId| self.room().seating.session_at(chair).is_none_or(|at| *at == id);
            if let Some(chair) = chair.filter(ours) {
                let one = session_event(&row)?;
                lines.push(live::line(&chair, &one, &self.called(&one.by), &self.knowledge));
            }
        }
        Ok(Some(lines))
    }

    /// A session's history from the log.
    ///
    /// # Errors
    /// When the log cannot be read or holds an event that this program does not know.
    pub fn history(&self, id: &SessionId) -> anyhow::Result<Vec<Recorded>> {
        let rows = self.store.stream(&self.site, &stream_of(id))?;
        let read: Result<Vec<Recorded>, _> = rows.iter().map(session_event).collect();
        Ok(read?)
    }

    /// Reads a session again because somebody else wrote to it.
    pub(super) fn reload(&self, id: &SessionId) -> Result<(), Denied> {
        let history = self.history(id).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let session: Session = session::replay(&history);
        if let Some(patient) = &session.patient {
            self.patient(patient).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        }
        self.room().sessions.insert(id.clone(), session);
        Ok(())
    }

    /// Lets memory go; the next look reads the log.
    pub(super) fn forget(&self, id: &SessionId) {
        if let Err(denied) = self.reload(id) {
            tracing::error!(%denied, "a session could not be read again");
            self.room().sessions.remove(id);
        }
    }
}
