//! A frame from a device: live at once, into the log, then answered.

use super::Floor;
use clinic::device::{DeviceMessage, NamedPatient, PumpReading, Quality, Reading};
use clinic::id::{ChairId, DeviceId, SessionId};
use clinic::monitor::{Input, Source};
use clinic::quantity::{Microlitres, Rate};
use clinic::session::delivery::elapsed_ms;
use clinic::session::{Command, PumpRead, ReadBy};
use interop::ack::{self, AckPlan};
use interop::device::{Decoded, decode};
use jiff::Timestamp;
use std::sync::mpsc::{Receiver, sync_channel};
use store::{AppendError, Fault, Frame, Kept};

/// A device clock further off than this is told about, in seconds.
const CLOCK_OFF_S: i64 = 60;
/// Devices that nobody placed are remembered up to this many.
const STRANGERS_MAX: usize = 500;

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
    Message { decoded: Box<Decoded>, placed: Result<Option<(ChairId, SessionId)>, String> },
    /// Nothing that can be read.
    Nothing { ack: Option<Box<AckPlan>>, why: String },
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
        let (frame, means) = match decode(bytes) {
            Ok(decoded) => {
                let placed = self.show(&decoded, now);
                let verdict = placed.as_ref().err().map_or("taken", String::as_str);
                let device = decoded.message.device.as_str();
                let frame = self.frame(bytes, &decoded.sender, &decoded.control_id, device, now, verdict);
                (frame, Means::Message { decoded: Box::new(decoded), placed })
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
            Means::Message { decoded, placed } => {
                let refused = match (&kept, &placed) {
                    (Err(error), _) => Some(format!("NOT RECORDED: {error}")),
                    (Ok(_), placed) => placed.as_ref().err().cloned(),
                };
                if let (Ok(Kept::Now), Ok(Some((chair, session)))) = (&kept, &placed) {
                    self.record_pump(&decoded.message, chair, session, now);
                }
                let outcome = refused.as_deref().map_or(Ok(()), Err);
                Intake { answer: self.render(&decoded.ack, now, outcome), refused }
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

    /// The answer to bytes that are no frame at all.
    pub fn refuse_bytes(&self, why: &str) -> Option<Vec<u8>> {
        self.render(&AckPlan::unreadable(), self.clock.now(), Err(why))
    }

    /// Shows a message on its chair, before the log has it. Refused when it names another patient.
    fn show(&self, decoded: &Decoded, now: Timestamp) -> Result<Option<(ChairId, SessionId)>, String> {
        let message = &decoded.message;
        let Some(chair) = self.chair_of(message, &decoded.also_known_as, now) else { return Ok(None) };
        let session = self.room().seating.session_at(&chair).cloned();
        let Some(session) = session else { return Ok(None) };
        if let Err(why) = self.names_who_sits(message, &chair, &session) {
            self.feed(&chair, now, Input::PatientConflict { device: message.device.clone(), present: true });
            return Err(why);
        }
        self.heard(&chair, message, now);
        self.feed(&chair, now, Input::PatientConflict { device: message.device.clone(), present: false });
        if !message.readings.is_empty() {
            let readings = received(&message.readings, now);
            let source = Source::Device(message.device.clone());
            if let Some(place) = self.room().chairs.get_mut(&chair) {
                place.trend.take(now, &readings);
            }
            self.feed(&chair, now, Input::Readings { source, readings });
        }
        if let Some(pump) = &message.pump {
            self.feed(&chair, now, Input::Pump(pump.clone()));
        }
        for event in &message.pump_events {
            self.watch_pump_event(&chair, now, &message.device, *event);
        }
        for alert in &message.alerts {
            let input = Input::DeviceAlert { device: message.device.clone(), alert: alert.clone() };
            self.feed(&chair, now, input);
        }
        Ok(Some((chair, session)))
    }

    /// The chair at which the device stands, by its strongest identity. A device that stands nowhere is remembered,
    /// so that a person can place it; it is never guessed.
    fn chair_of(&self, message: &DeviceMessage, also: &[DeviceId], now: Timestamp) -> Option<ChairId> {
        let mut room = self.room();
        let known = std::iter::once(&message.device).chain(also).find_map(|id| room.seating.devices.get(id));
        if let Some((_, chair)) = known {
            return Some(chair.clone());
        }
        if room.strangers.len() < STRANGERS_MAX || room.strangers.contains_key(&message.device) {
            room.strangers.insert(message.device.clone(), (message.kind, now));
        }
        None
    }

    /// A message that names a patient must name the one of the session; whoever cannot be told is somebody else.
    fn names_who_sits(
        &self,
        message: &DeviceMessage,
        chair: &ChairId,
        session: &SessionId,
    ) -> Result<(), String> {
        let NamedPatient::Record { mrn, .. } = &message.patient else { return Ok(()) };
        match self.number_of(session) {
            Ok(Some(known)) if known == *mrn => Ok(()),
            Ok(Some(_)) => Err(format!("the message names patient {mrn}, who does not sit at chair {chair}")),
            Ok(None) => Err(format!("the message names patient {mrn}, and nobody is known at chair {chair}")),
            Err(fault) => Err(format!(
                "the message names patient {mrn}, and who sits at chair {chair} cannot be read: {fault:#}"
            )),
        }
    }

    /// The record number of a session's patient. The log is read only for what memory lacks.
    fn number_of(&self, session: &SessionId) -> anyhow::Result<Option<String>> {
        let patient = self.room().sessions.get(session).map(|session| session.patient.clone());
        let patient = match patient {
            Some(patient) => patient,
            None => self.session(session)?.and_then(|session| session.patient),
        };
        let Some(patient) = patient else { return Ok(None) };
        Ok(self.patient(&patient)?.map(|patient| patient.mrn))
    }

    fn heard(&self, chair: &ChairId, message: &DeviceMessage, now: Timestamp) {
        let off_s =
            message.sent_at.map(|sent| elapsed_ms(sent, now).abs() / 1000).filter(|off| *off > CLOCK_OFF_S);
        let new = {
            let mut room = self.room();
            let Some(place) = room.chairs.get_mut(chair) else { return };
            place.changed = true;
            place.heard.insert(message.device.clone(), now).is_none()
        };
        if let (true, Some(off_s)) = (new, off_s) {
            tracing::warn!(device = %message.device, off_s, "the device's clock is wrong; times of receipt are used");
        }
    }

    /// Writes what the pump says into the session's record: each change at once, a steady pump once a minute.
    fn record_pump(&self, message: &DeviceMessage, chair: &ChairId, session: &SessionId, now: Timestamp) {
        let Some(pump) = &message.pump else { return };
        let (Some(rate), Some(counter)) = (pump.rate.or(pump.programmed_rate), pump.delivered) else {
            return;
        };
        let rules = self.knowledge.session_rules();
        let every_s = rules.pump_read_every_s;
        {
            let mut room = self.room();
            let active =
                room.sessions.get(session).is_some_and(|session| session.delivery.started().is_some());
            let uncertain = room
                .sessions
                .get(session)
                .is_some_and(|session| session.delivery.uncertain_since().is_some());
            let Some(place) = room.chairs.get_mut(chair) else { return };
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
                return;
            }
            place.pump_kept = Some((pump.clone(), now));
        }
        let by = ReadBy::Link(message.device.clone());
        let flowing = if pump.status == clinic::device::PumpStatus::Infusing { rate } else { Rate::ZERO };
        let read = PumpRead { by, status: pump.status, rate: flowing, counter, read_at: now };
        self.act_alone(session, "pump-link", Command::ReadPump { read });
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

/// Readings without a time of their own were measured when they came.
fn received(readings: &[Reading], now: Timestamp) -> Vec<Reading> {
    let with_time = |one: &Reading| match one.quality {
        Quality::Good if one.observed_at.is_none() => Reading { observed_at: Some(now), ..one.clone() },
        _ => one.clone(),
    };
    readings.iter().map(with_time).collect()
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
