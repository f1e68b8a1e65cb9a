//! Which device stands at which chair, and what follows for an infusion that runs there.

use super::act::{CAUSES, SEATING, as_new, denied, json_event, read_session, stream_of, write};
use super::{Denied, Done, Floor};
use clinic::device::DeviceKind;
use clinic::floor as seating;
use clinic::id::{ChairId, CommandId, DeviceId, SessionId};
use clinic::monitor::Input;
use clinic::scenario::Cause;
use clinic::session::{self, Command, Event, Session};
use clinic::staff::Actor;
use jiff::Timestamp;
use std::sync::PoisonError;
use store::{Append, AppendError, Appended, StreamWrite};

/// The infusion whose pump is taken away: its session as it stands, and what follows for it.
struct Unlinked {
    id: SessionId,
    session: Session,
    cause: Cause,
    events: Vec<Event>,
}

impl Floor {
    /// Places a device at a chair, by an act of a signed-in person. Without a kind it is what it called itself.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn place_device(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        device: &DeviceId,
        kind: Option<DeviceKind>,
        chair: &ChairId,
    ) -> Result<Done, Denied> {
        let turn = self.turn(SEATING);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |event: &seating::Event| matches!(event, seating::Event::DevicePlaced { device: its, chair: at, .. } if its == device && at == chair);
        if let Some(answer) = self.moved_before(command_id, actor, said) {
            return answer;
        }
        let nowhere = || seating::Refusal::DeviceNowhere { device: device.clone() };
        let kind = kind.or_else(|| self.kind_of(device)).ok_or_else(nowhere)?;
        let (event, seen) = {
            let room = self.room();
            (room.seating.place(device, kind, chair)?, room.seating.version)
        };
        let Some(event) = event else { return Ok(Done { position: None, before: false }) };
        let at = self.clock.now();
        let done = self.append(
            command_id,
            actor,
            at,
            vec![write(SEATING.to_owned(), Some(seen), [as_new(&event)])?],
        )?;
        self.seat_moved(&event);
        Ok(done)
    }

    /// Takes a device away from a chair, by an act of a signed-in person. Nobody knows from then on what the pump of a
    /// running infusion delivers: the same entry says so.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn take_device_away(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        device: &DeviceId,
        chair: &ChairId,
    ) -> Result<Done, Denied> {
        // A session comes before the seating, as in every act that moves a chair.
        let whose = self.pump_of(device);
        let session_turn = whose.as_ref().map(|id| self.turn(&stream_of(id)));
        let _session = session_turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let turn = self.turn(SEATING);
        let _seats = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |event: &seating::Event| matches!(event, seating::Event::DeviceTakenAway { device: its } if its == device);
        if let Some(answer) = self.moved_before(command_id, actor, said) {
            return answer;
        }
        if self.pump_of(device) != whose {
            return Err(Denied::Conflict);
        }
        let (event, seen) = {
            let room = self.room();
            if let Some((_, there)) = room.seating.devices.get(device).filter(|(_, there)| there != chair) {
                let (device, chair) = (device.clone(), there.clone());
                return Err(seating::Refusal::DeviceElsewhere { device, chair }.into());
            }
            (room.seating.take_away(device)?, room.seating.version)
        };
        let at = self.clock.now();
        let unlinked = whose.map(|id| self.unlinked(id, at)).transpose()?.flatten();
        let seat = write(SEATING.to_owned(), Some(seen), [as_new(&event)])?;
        self.append_move(command_id, actor, at, seat, unlinked.as_ref()).inspect(|_| self.seat_moved(&event))
    }

    /// The move and what follows from it for an infusion, both or none.
    fn append_move(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        at: Timestamp,
        seat: StreamWrite,
        unlinked: Option<&Unlinked>,
    ) -> Result<Done, Denied> {
        let Some(Unlinked { id, session, cause, events }) = unlinked else {
            return self.append(command_id, actor, at, vec![seat]);
        };
        let appended = self.store.append(Append {
            site: self.site.clone(),
            command_id: command_id.0.clone(),
            author: actor.id.0.clone(),
            at_us: at.as_microsecond(),
            writes: vec![
                seat,
                write(stream_of(id), Some(session.version), events.iter().map(as_new))?,
                write(format!("{CAUSES}{id}"), None, [json_event(cause.command.doing(), cause)])?,
            ],
            reply: String::new(),
            closing: true,
        });
        match appended {
            Ok(Appended::Now(rows)) => {
                let recorded = read_session(&rows, id).map_err(|fault| self.not_read_back(id, &fault))?;
                self.happened(id, &recorded);
                Ok(Done { position: rows.last().map(|last| last.position), before: false })
            }
            Ok(Appended::Before(..)) | Err(AppendError::Conflict { .. }) => {
                self.reload(id)?;
                Err(Denied::Conflict)
            }
            Err(error @ AppendError::Uncertain(_)) => Err(self.not_recorded(id, &error)),
            Err(error) => Err(denied(&error)),
        }
    }

    /// The session whose pump this device is.
    fn pump_of(&self, device: &DeviceId) -> Option<SessionId> {
        let room = self.room();
        let (_, chair) = room.seating.devices.get(device).filter(|(kind, _)| *kind == DeviceKind::Pump)?;
        room.seating.session_at(chair).cloned()
    }

    /// What a session loses with its pump; nothing while nothing runs.
    fn unlinked(&self, id: SessionId, at: Timestamp) -> Result<Option<Unlinked>, Denied> {
        let session = self.session(&id).map_err(|fault| Denied::NotRecorded(fault.to_string()))?;
        let session = session.unwrap_or_default();
        let cause = Cause { actor: Actor::machine("taken-away"), at, command: Command::LosePump };
        if !session.phase.active() {
            return Ok(None);
        }
        let events = session::decide(&session, cause.command.clone(), &cause.actor, at, &self.knowledge)?;
        Ok((!events.is_empty()).then_some(Unlinked { id, session, cause, events }))
    }

    /// The answer to a move that the log has already: its first outcome when it says the same as then.
    fn moved_before(
        &self,
        command_id: &CommandId,
        actor: &Actor,
        said: impl Fn(&seating::Event) -> bool,
    ) -> Option<Result<Done, Denied>> {
        self.sent_before(command_id, actor, |rows| {
            let mut seats = rows.iter().filter(|row| row.stream == SEATING);
            seats.any(|row| serde_json::from_str(&row.body).is_ok_and(|event| said(&event)))
        })
    }

    /// What a device that spoke or stands somewhere is.
    fn kind_of(&self, device: &DeviceId) -> Option<DeviceKind> {
        let room = self.room();
        let stranger = room.strangers.get(device).map(|(kind, _)| *kind);
        stranger.or_else(|| room.seating.devices.get(device).map(|(kind, _)| *kind))
    }

    /// Takes a recorded event of the seating into memory, and tells the monitors of the chairs.
    pub(super) fn seat_moved(&self, event: &seating::Event) {
        let stood = {
            let mut room = self.room();
            let stood = match event {
                seating::Event::DeviceTakenAway { device } => room.seating.devices.get(device).cloned(),
                _ => None,
            };
            room.seating = std::mem::take(&mut room.seating).evolve(event);
            stood
        };
        match event {
            seating::Event::DevicePlaced { device, chair, .. } => {
                self.room().strangers.remove(device);
                self.is_placed(device, self.clock.now());
                let _watched = self.expect_devices(chair);
                self.miss_no_more(self.clock.now());
            }
            seating::Event::DeviceTakenAway { device } => {
                if let Some((kind, chair)) = stood {
                    self.is_away(device, kind, &chair);
                }
            }
            seating::Event::ChairFreed { chair, .. } => self.leave_chair(chair),
            seating::Event::ChairTaken { .. } => {}
        }
    }

    /// A device stands at the chair no more. Where the monitor refuses to stop watching what it measured, its lost
    /// connection is an alarm at once.
    fn is_away(&self, device: &DeviceId, kind: DeviceKind, chair: &ChairId) {
        let now = self.clock.now();
        self.forget_heard(device);
        // Whomever it named and whatever its clock said, it says it at this chair no more.
        self.feed(chair, now, Input::PatientConflict { device: device.clone(), present: false });
        self.feed(chair, now, Input::NotOfNow { device: device.clone(), why: None });
        if self.expect_devices(chair).is_none() {
            return self.feed(chair, now, Input::LinkBack(device.clone()));
        }
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.missed.insert(device.clone(), kind);
        }
        self.feed(chair, now, Input::LinkLost(device.clone(), kind));
    }

    /// A device that was taken away is missed until another of its kind stands there or the infusion is over.
    pub(super) fn miss_no_more(&self, now: Timestamp) {
        let found: Vec<(ChairId, DeviceId)> = {
            let mut room = self.room();
            let super::Room { chairs, seating, sessions, .. } = &mut *room;
            let mut found = Vec::new();
            for (chair, place) in chairs {
                let session = seating.session_at(chair).and_then(|id| sessions.get(id));
                let runs = session.is_some_and(|session| session.phase.active());
                place.missed.retain(|device, kind| {
                    let still = runs && seating.device_at(chair, *kind).is_none();
                    if !still {
                        found.push((chair.clone(), device.clone()));
                    }
                    still
                });
            }
            found
        };
        for (chair, device) in found {
            let _watched = self.expect_devices(&chair);
            self.feed(&chair, now, Input::LinkBack(device));
        }
    }

    /// Devices that were taken away from a chair during the infusion, and for which none of their kind stands there.
    pub fn missed(&self, chair: &ChairId) -> Vec<(DeviceId, DeviceKind)> {
        let room = self.room();
        let place = room.chairs.get(chair).into_iter();
        place.flat_map(|place| place.missed.iter().map(|(device, kind)| (device.clone(), *kind))).collect()
    }
}
