//! A frame from a device: live at once, into the log, then answered.

use super::Floor;
use super::act::Denied;
use super::heard::Stranger;
use clinic::device::{DeviceMessage, PumpReading, PumpStatus};
use clinic::id::{ChairId, CommandId, DeviceId, SessionId};
use clinic::monitor::Input;
use clinic::quantity::{Microlitres, Rate};
use clinic::session::delivery::elapsed_ms;
use clinic::session::{self, Command, PumpRead, ReadBy};
use clinic::staff::Actor;
use interop::ack::{self, AckPlan};
use interop::device::{Decoded, decode};
use interop::hl7::Cause;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::mpsc::{Receiver, sync_channel};
use store::{AppendError, Fault, Frame, Kept};

/// Devices that nobody placed are remembered up to this many.
const STRANGERS_MAX: usize = 500;

/// Verdict on a frame that was taken, and was of now where it belongs to a visit.
pub(super) const TAKEN: &str = "taken";
/// Verdict on one that was taken and not of now.
pub(super) const TAKEN_LATE: &str = "taken, not of now";

/// The verdict without what the log added to it.
pub(super) fn verdict_of(frame: &Frame) -> &str {
    frame.verdict.strip_suffix(store::NUMBER_USED).unwrap_or(&frame.verdict)
}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// What to answer; nothing for an acknowledgement or where the sender wants no answer.
    pub answer: Option<Vec<u8>>,
    /// Why it was refused, for a person.
    pub refused: Option<String>,
}

/// A frame that is shown and on its way into the log.
struct Begun {
    now: Timestamp,
    kept: Receiver<Result<Kept, AppendError>>,
    means: Means,
}

/// What the frame says.
enum Means {
    /// A message, and where it belongs or why it is refused.
    Message { decoded: Box<Decoded>, placed: Result<Option<Placed>, Stranger>, digest: String },
    /// Nothing that can be read.
    Nothing { ack: Option<Box<AckPlan>>, why: String },
}

/// Where a message belongs.
pub(super) struct Placed {
    device: DeviceId,
    chair: ChairId,
    session: SessionId,
    /// What it measured before is of somebody else.
    since: Option<Timestamp>,
    /// What it says is of now.
    of_now: bool,
    /// When the newest of it happened; `None` while the device's clock is being compared.
    newest: Option<Timestamp>,
}

impl Floor {
    /// Takes one frame, without its envelope. Blocks until the log has it.
    pub fn take_frame(&self, bytes: &[u8]) -> Intake {
        self.finish(self.begin(bytes))
    }

    /// Takes frames that came together: all are shown at once and share one write to the disk.
    pub fn take_frames<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) -> Vec<Intake> {
        let begun: Vec<Begun> = frames.into_iter().map(|bytes| self.begin(bytes)).collect();
        begun.into_iter().map(|begun| self.finish(begun)).collect()
    }

    /// Shows a frame and hands it to the log.
    fn begin(&self, bytes: &[u8]) -> Begun {
        let now = self.clock.now();
        let (frame, means) = match decode(bytes, Some(&self.zone)) {
            Ok(decoded) => {
                let digest = hex::encode(Sha256::digest(bytes));
                let placed = self.show(&decoded, &digest, now);
                let verdict = match &placed {
                    Ok(Some(Placed { of_now: false, .. })) => TAKEN_LATE,
                    Ok(_) => TAKEN,
                    Err(stranger) => &stranger.why,
                };
                let device = decoded.message.device.as_str();
                let frame = self.frame(bytes, &decoded.sender, &decoded.control_id, device, now, verdict);
                (frame, Means::Message { decoded: Box::new(decoded), placed, digest })
            }
            Err(refused) => {
                let why = refused.reason.to_string();
                let frame = self.frame(bytes, "unreadable", "", "", now, &format!("refused: {why}"));
                (frame, Means::Nothing { ack: refused.ack.map(Box::new), why })
            }
        };
        let (tell, kept) = sync_channel(1);
        // The receiver is dropped only when the answer is not wanted any more.
        self.store.submit_frame(frame, move |answer| drop(tell.send(answer)));
        Begun { now, kept, means }
    }

    /// Waits for the log and says what to answer.
    fn finish(&self, begun: Begun) -> Intake {
        let Begun { now, kept, means } = begun;
        let kept = kept.recv().unwrap_or(Err(AppendError::Refused(Fault::Stopped)));
        match means {
            Means::Message { decoded, placed, digest } => {
                let recorded = match (&kept, &placed) {
                    (Ok(kept), Ok(Some(placed))) => {
                        let first_time = !matches!(kept, Kept::Before(_));
                        self.record_what_it_means(&decoded.message, placed, first_time, &digest, now)
                    }
                    _ => Ok(()),
                };
                let (plan, refused) = match (kept, placed, recorded) {
                    (Err(error), ..) => (decoded.ack, Some(format!("NOT RECORDED: {error}"))),
                    (Ok(_), Err(Stranger { why, problem }), _) => (decoded.ack.refusing(&problem), Some(why)),
                    (Ok(_), Ok(_), Err(denied)) => (decoded.ack, Some(denied.to_string())),
                    (Ok(Kept::NumberUsed), Ok(placed), Ok(())) => (self.number_used(*decoded, placed), None),
                    (Ok(_), Ok(_), Ok(())) => (decoded.ack, None),
                };
                let outcome = refused.as_deref().map_or(Ok(()), Err);
                Intake { answer: self.render(&plan, now, outcome), refused }
            }
            Means::Nothing { ack, why } => {
                if let Err(error) = &kept {
                    tracing::warn!(%error, "a refused frame is not kept");
                }
                let answer = ack.and_then(|plan| self.render(&plan, now, Err(&why)));
                Intake { answer, refused: Some(why) }
            }
        }
    }

    /// A device that counts its messages anew, or wrongly: what it says is taken, since refused it would be lost, and
    /// sender and people are told.
    fn number_used(&self, decoded: Decoded, placed: Option<Placed>) -> AckPlan {
        if let Some(placed) = placed {
            self.note_number_used(&placed.device, &decoded.control_id);
        }
        decoded.ack.noting(&Cause::NumberUsed(decoded.control_id).at("MSH", 1, 10))
    }

    /// The answer to bytes that are no frame at all.
    pub fn refuse_bytes(&self, why: &str) -> Option<Vec<u8>> {
        self.render(&AckPlan::unreadable(), self.clock.now(), Err(why))
    }

    /// Shows a message on its chair, before the log has it. Refused when it names another patient. What waited on the
    /// way, or comes from a clock that nobody knows, is never shown as of now.
    pub(super) fn show(
        &self,
        decoded: &Decoded,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<Placed>, Stranger> {
        let message = &decoded.message;
        let Some((device, chair)) = self.chair_of(message, &decoded.also_known_as, now) else {
            return Ok(None);
        };
        let session = self.room().seating.session_at(&chair).cloned();
        let Some(session) = session else { return Ok(None) };
        if let Err(stranger) = self.names_who_sits(message, &chair, &session) {
            self.note_refusal(&device, Some((now, stranger.why.clone())));
            self.feed(&chair, now, Input::PatientConflict { device, present: true });
            return Err(stranger);
        }
        self.speaks(&chair, &device, now);
        self.note_refusal(&device, None);
        self.feed(&chair, now, Input::PatientConflict { device: device.clone(), present: false });
        let times = self.compare_clocks(decoded, &device, &chair, now);
        let since = self.of_patient_since(&device, &session);
        let newest = times.newest;
        // While its clock is compared nothing of it is drawn: sent again later, it may be.
        if newest.is_some() && self.was_shown(&device, digest) {
            return Ok(Some(Placed { device, chair, session, since, of_now: times.of_now, newest }));
        }
        if !message.readings.is_empty() {
            self.take_readings(message, &device, &chair, times, since, now);
        }
        if let Some(pump) = message.pump.as_ref().filter(|_| times.of_now) {
            self.feed(&chair, now, Input::Pump(pump.clone()));
            self.doubt_count(message, &chair, &session, now);
        }
        for event in message.pump_events.iter().filter(|_| times.of_now) {
            self.watch_pump_event(&chair, now, &device, *event);
        }
        // An alert that waited is told all the same, and so is its end.
        for alert in &message.alerts {
            let input = Input::DeviceAlert { device: device.clone(), alert: alert.clone() };
            self.feed(&chair, now, input);
        }
        Ok(Some(Placed { device, chair, session, since, of_now: times.of_now, newest }))
    }

    /// The chair at which the device stands, by its strongest identity, and under which one. A device that stands
    /// nowhere is remembered, so that a person can place it; it is never guessed.
    pub(super) fn chair_of(
        &self,
        message: &DeviceMessage,
        also: &[DeviceId],
        now: Timestamp,
    ) -> Option<(DeviceId, ChairId)> {
        let mut room = self.room();
        let known = std::iter::once(&message.device)
            .chain(also)
            .find_map(|id| room.seating.devices.get_key_value(id));
        if let Some((id, (_, chair))) = known {
            return Some((id.clone(), chair.clone()));
        }
        if room.strangers.len() < STRANGERS_MAX || room.strangers.contains_key(&message.device) {
            room.strangers.insert(message.device.clone(), (message.kind, now));
        }
        None
    }

    /// A volume that the rate cannot explain alarms before the log has it. What came before a restart was judged then.
    fn doubt_count(&self, message: &DeviceMessage, chair: &ChairId, session: &SessionId, now: Timestamp) {
        let told = {
            let room = self.room();
            let recalling = room.chairs.get(chair).is_some_and(|place| place.recalling);
            let running = room.sessions.get(session).filter(|session| {
                session.delivery.started().is_some() && session.delivery.doubted().is_none() && !recalling
            });
            running
                .zip(read_of(message, now))
                .and_then(|(session, read)| session::unexplained(session, &read, &self.knowledge))
        };
        if told.is_some() {
            self.feed(chair, now, Input::Unexplained(told));
        }
    }

    fn speaks(&self, chair: &ChairId, device: &DeviceId, now: Timestamp) {
        if let Some(place) = self.room().chairs.get_mut(chair) {
            place.changed = true;
            place.heard.insert(device.clone(), now);
        }
    }

    /// Writes what a kept frame means into the session's record. A frame whose meaning could not be written is not
    /// accepted, so its sender sends it again; the log has it by then, and only its meaning is still to be written.
    fn record_what_it_means(
        &self,
        message: &DeviceMessage,
        placed: &Placed,
        first_time: bool,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Denied> {
        self.record_events(message, placed, digest)?;
        if first_time && placed.of_now {
            self.record_pump(message, &placed.chair, &placed.session, now)?;
        }
        Ok(())
    }

    /// Writes what the pump says happened to it into the session's record, at its own time where that is known, and
    /// once for each frame. What waited on the way was shown nowhere and alarms nobody.
    fn record_events(&self, message: &DeviceMessage, placed: &Placed, digest: &str) -> Result<(), Denied> {
        // While its clock is being compared, as after a restart, nobody knows when: that it happened is told all the same.
        let happened_at = placed.newest;
        if happened_at.is_some_and(|at| placed.since.is_some_and(|since| at < since)) {
            tracing::warn!(device = %message.device, "a pump event of an earlier patient is kept as its frame alone");
            return Ok(());
        }
        for (n, event) in message.pump_events.iter().enumerate() {
            let (device, late) = (message.device.clone(), !placed.of_now);
            let command = Command::TellPumpEvent { device, event: *event, happened_at, late };
            self.pump_says(&CommandId::new(format!("frame/{digest}/{n}")), &placed.session, command)?;
        }
        Ok(())
    }

    /// Writes what the pump says into the session's record: each change at once, a steady pump once a minute.
    fn record_pump(
        &self,
        message: &DeviceMessage,
        chair: &ChairId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<(), Denied> {
        let Some(pump) = &message.pump else { return Ok(()) };
        let Some(read) = read_of(message, now) else { return Ok(()) };
        let rules = self.knowledge.session_rules();
        let every_s = rules.pump_read_every_s;
        {
            let mut room = self.room();
            // Once its count is doubted, it tells nothing until a person has read it.
            let active = room.sessions.get(session).is_some_and(|session| {
                session.delivery.started().is_some() && session.delivery.doubted().is_none()
            });
            // What a pump says again that contradicts the record tells nothing new.
            let uncertain = room.sessions.get(session).is_some_and(|session| {
                let delivery = &session.delivery;
                let told = delivery.read_otherwise().is_some() && !delivery.is_in_the_dark();
                delivery.to_be_read_since(now).is_some() && !told
            });
            let Some(place) = room.chairs.get_mut(chair) else { return Ok(()) };
            let due = match &place.pump_kept {
                None => true,
                Some((last, at)) => {
                    uncertain
                        || changed(last, pump)
                        || jumped(last, pump, elapsed_ms(*at, now), rules.vtbi_match)
                        || elapsed_ms(*at, now) >= every_s * 1000
                }
            };
            if !active || !due {
                return Ok(());
            }
            place.pump_kept = Some((pump.clone(), now));
        }
        let said = self.pump_says(&CommandId::new(self.ids.next()), session, Command::ReadPump { read });
        if said.is_err()
            && let Some(place) = self.room().chairs.get_mut(chair)
        {
            // The next reading is due at once.
            place.pump_kept = None;
        }
        said
    }

    /// Carries out what the pump said. What does not fit the session, or was told before, is no fault of the sender's.
    fn pump_says(&self, id: &CommandId, session: &SessionId, command: Command) -> Result<(), Denied> {
        match self.act(session, id, &Actor::machine("pump-link"), command) {
            Err(denied @ (Denied::NotRecorded(_) | Denied::NotKnown(_) | Denied::Conflict)) => Err(denied),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn frame(
        &self,
        bytes: &[u8],
        sender: &str,
        control: &str,
        device: &str,
        now: Timestamp,
        verdict: &str,
    ) -> Frame {
        Frame {
            site: self.site.clone(),
            sender: short(sender, "unknown"),
            control_id: short(control, "none"),
            device: short(device, ""),
            received_at_us: now.as_microsecond(),
            bytes: bytes.to_vec(),
            verdict: short(verdict, ""),
        }
    }

    fn render(&self, plan: &AckPlan, now: Timestamp, accepted: Result<(), &str>) -> Option<Vec<u8>> {
        plan.answers(accepted.is_ok()).then(|| ack::render(plan, now, &self.ids.next(), accepted))
    }
}

/// The pump as its message reads it, where it tells rate and volume.
fn read_of(message: &DeviceMessage, now: Timestamp) -> Option<PumpRead> {
    let pump = message.pump.as_ref()?;
    let (rate, counter) = pump.rate.or(pump.programmed_rate).zip(pump.delivered)?;
    let by = ReadBy::Link(message.device.clone());
    let flowing = if pump.status == PumpStatus::Infusing { rate } else { Rate::ZERO };
    Some(PumpRead {
        by,
        status: pump.status,
        rate: flowing,
        counter,
        read_at: now,
        reason: None,
        jumped: false,
        all_in: false,
    })
}

fn changed(last: &PumpReading, now: &PumpReading) -> bool {
    let of = |pump: &PumpReading| (pump.status, pump.rate.or(pump.programmed_rate));
    of(last) != of(now) || last.delivered > now.delivered
}

/// Whether the pump has counted more than its rate explains since the last reading that was kept.
fn jumped(last: &PumpReading, now: &PumpReading, ms: i64, tolerance: Microlitres) -> bool {
    let Some((before, counted)) = last.delivered.zip(now.delivered) else { return false };
    let rate = [last, now].into_iter().filter_map(|pump| pump.rate.or(pump.programmed_rate)).max();
    let flowed = i128::from(rate.unwrap_or(Rate::ZERO).0) * i128::from(ms) / 3_600_000;
    i128::from(counted.0) - i128::from(before.0) > flowed + i128::from(tolerance.0)
}

/// What a device says of itself, cut to what a row may hold.
fn short(text: &str, empty: &str) -> String {
    let text = if text.trim().is_empty() { empty } else { text };
    text.chars().filter(|c| *c != '\0').take(60).collect()
}
