//! What open pages are told: samples, alarms, lines of the log and a heartbeat.

use super::{Floor, Place, Room};
use clinic::device::{Parameter, Quality};
use clinic::id::ChairId;
use clinic::knowledge::Knowledge;
use clinic::monitor::{Alarm, AlarmView, MonitorView, Priority, Sign};
use clinic::session::{Recorded, Session};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use tokio::sync::broadcast;

/// Messages that a slow page may lag behind before it is told to load again.
const LAG_MAX: usize = 1024;
/// Rounds of the evaluator, a second of them, after which a chair is sent though nothing changed. Monitors that report
/// once a second stay within it, so that nothing is sent twice.
const ROUNDS_UNSENT_MAX: u64 = 4;

/// One message of the live channel.
#[derive(Debug, Clone)]
pub struct Message {
    /// `s`, `a`, `e` or `k`.
    pub name: &'static str,
    /// Position in the log, where the message is a line of it.
    pub position: Option<i64>,
    /// JSON.
    pub data: Arc<str>,
    /// The same for one chair only, by chair; empty where the message is for all.
    pub by_chair: Arc<[(ChairId, Arc<str>)]>,
}

/// Where live messages come from. Pages subscribe; nobody waits for a slow page.
#[derive(Debug)]
pub struct Hub {
    out: broadcast::Sender<Arc<Message>>,
    seq: AtomicU64,
}

impl Default for Hub {
    fn default() -> Self {
        Self { out: broadcast::Sender::new(LAG_MAX), seq: AtomicU64::new(0) }
    }
}

impl Hub {
    /// Everything from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Message>> {
        self.out.subscribe()
    }
    pub(super) fn publish(&self, message: Message) {
        // Nobody looking is no error.
        let _ = self.out.send(Arc::new(message));
    }
    pub(super) fn next(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::Relaxed) + 1
    }
    /// Number of the last frame.
    pub fn seq(&self) -> u64 {
        self.seq.load(Ordering::Relaxed)
    }
}

/// A line of the log for the event list of a chair.
pub(super) fn line(chair: &ChairId, recorded: &Recorded, who: &str, knowledge: &Knowledge) -> Message {
    let data = json!({
        "position": recorded.position,
        "chair": chair,
        "kind": recorded.event.kind(),
        "text": crate::words::line(&recorded.event, knowledge),
        "at": recorded.happened_at().as_millisecond(),
        "who": who,
    });
    Message {
        name: "e",
        position: Some(recorded.position),
        data: data.to_string().into(),
        by_chair: [(chair.clone(), Arc::from(data.to_string()))].into(),
    }
}

impl Floor {
    /// Sends the samples of every chair that changed, and of each that was not sent for a while.
    pub(super) fn publish_samples(&self, now: Timestamp) {
        let round = self.rounds();
        let chairs: Vec<(ChairId, Value)> = {
            let mut room = self.room();
            let recorded = self.is_recording();
            let Room { chairs, sessions, seating, .. } = &mut *room;
            chairs
                .iter_mut()
                .filter(|(_, place)| place.changed || round.saturating_sub(place.sent) > ROUNDS_UNSENT_MAX)
                .map(|(chair, place)| {
                    (place.changed, place.sent) = (false, round);
                    let session = seating.session_at(chair).and_then(|id| sessions.get(id));
                    (chair.clone(), sample(chair, place, session, now, recorded))
                })
                .collect()
        };
        if chairs.is_empty() {
            return;
        }
        let seq = self.hub.next();
        let frame = |chairs: &[&Value]| {
            json!({ "t": now.as_millisecond(), "seq": seq, "chairs": chairs }).to_string()
        };
        let whole = frame(&chairs.iter().map(|(_, value)| value).collect::<Vec<_>>());
        let each = chairs.iter().map(|(chair, value)| (chair.clone(), Arc::from(frame(&[value])))).collect();
        self.hub.publish(Message { name: "s", position: None, data: whole.into(), by_chair: each });
    }

    /// The samples of all chairs as a page needs them first.
    pub fn samples_now(&self) -> String {
        let now = self.clock.now();
        let recorded = self.is_recording();
        let room = self.room();
        let chairs: Vec<Value> = room
            .chairs
            .iter()
            .map(|(chair, place)| {
                let session = room.seating.session_at(chair).and_then(|id| room.sessions.get(id));
                sample(chair, place, session, now, recorded)
            })
            .collect();
        json!({ "t": now.as_millisecond(), "seq": self.hub.seq(), "chairs": chairs }).to_string()
    }

    /// Sends the whole list of alarms when any of it changed.
    pub(super) fn publish_alarms(&self, now: Timestamp) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = {
            let mut room = self.room();
            let mut changed = false;
            for place in room.chairs.values_mut() {
                changed |= std::mem::take(&mut place.alarms_changed);
            }
            changed
        };
        if changed {
            let data = self.alarms_at(now).into();
            self.hub.publish(Message { name: "a", position: None, data, by_chair: Arc::from([]) });
        }
    }

    /// Every alarm of the room, highest priority first, then newest, as the live channel says it.
    pub fn alarms_now(&self) -> String {
        self.alarms_at(self.clock.now())
    }

    fn alarms_at(&self, now: Timestamp) -> String {
        let alarms: Vec<Value> = self
            .alarm_list(now)
            .iter()
            .map(|(chair, view, recorded)| {
                let seen_by = view.alarm.acknowledged.as_ref().map(|answer| self.name_of(&answer.by));
                alarm(chair, view, seen_by, *recorded, now)
            })
            .collect();
        json!({ "alarms": alarms }).to_string()
    }

    /// Every alarm of the room with its chair and whether the log has it, in the order of the strip: by priority, what
    /// is over after what holds, the newest first.
    pub fn alarm_list(&self, now: Timestamp) -> Vec<(ChairId, AlarmView, bool)> {
        let room = self.room();
        let mut all: Vec<(ChairId, AlarmView, bool)> = room
            .chairs
            .iter()
            .flat_map(|(chair, place)| {
                let alarms = place.monitor.view(now).alarms;
                alarms.into_iter().map(|view| {
                    let recorded = !place.unrecorded.contains(&view.alarm.id);
                    (chair.clone(), view, recorded)
                })
            })
            .collect();
        all.sort_by_key(|(_, view, _)| {
            let Alarm { priority, raised_at, .. } = view.alarm;
            (std::cmp::Reverse(priority), view.latched, std::cmp::Reverse(raised_at))
        });
        all
    }

    /// The heartbeat: the server lives, and whether it records.
    pub(super) fn publish_beat(&self, now: Timestamp) {
        let data = self.beat_at(now).into();
        self.hub.publish(Message { name: "k", position: None, data, by_chair: Arc::from([]) });
    }

    /// The heartbeat as a page needs it first.
    pub fn beat_now(&self) -> String {
        self.beat_at(self.clock.now())
    }

    fn beat_at(&self, now: Timestamp) -> String {
        let why = match self.store.state() {
            store::WriterState::Recording => String::new(),
            store::WriterState::ClosingOnly { why, .. } | store::WriterState::NotRecording { why, .. } => why,
        };
        let recording = self.is_recording();
        let why =
            if recording || !why.is_empty() { why } else { "the log did not take the last entry".to_owned() };
        json!({ "now": now.as_millisecond(), "seq": self.hub.seq(), "recording": recording, "why": why })
            .to_string()
    }
}

/// Short name of a parameter on the wire.
pub const fn short(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Systolic => "sbp",
        Parameter::Diastolic => "dbp",
        Parameter::MeanPressure => "map",
        Parameter::HeartRate | Parameter::PulseRate => "hr",
        Parameter::Spo2 => "spo2",
        Parameter::RespiratoryRate => "rr",
        Parameter::Etco2 => "etco2",
        Parameter::Temperature => "temp",
        Parameter::Perfusion => "pi",
    }
}

/// Short name on the wire of a scale that people score.
const fn tapped(sign: Sign) -> Option<&'static str> {
    match sign {
        Sign::Moaas => Some("moaas"),
        Sign::Rass => Some("rass"),
        Sign::Distress => Some("distress"),
        _ => None,
    }
}

/// Short name of the tile that shows a sign.
const fn tile(sign: Sign) -> Option<&'static str> {
    match sign {
        Sign::Systolic | Sign::Diastolic | Sign::MeanPressure => Some("bp"),
        Sign::HeartRate | Sign::PulseRate => Some("hr"),
        Sign::Spo2 => Some("spo2"),
        Sign::RespiratoryRate => Some("rr"),
        Sign::Etco2 => Some("etco2"),
        Sign::Moaas | Sign::Rass | Sign::Distress => tapped(sign),
    }
}

/// What stands on a tile whose value passes a limit.
pub fn passed(view: &MonitorView) -> BTreeMap<&'static str, &str> {
    view.passed.iter().filter_map(|(sign, words)| Some((tile(*sign)?, words.as_str()))).collect()
}

fn sample(
    chair: &ChairId,
    place: &Place,
    session: Option<&Session>,
    now: Timestamp,
    recorded: bool,
) -> Value {
    let view = place.monitor.view(now);
    let (values, ages, quality) = values(&view);
    let mut out = json!({
        "c": chair,
        "v": values,
        "age": ages,
        "q": quality,
        "passed": passed(&view),
        "phase": session.map_or("free", |session| crate::words::phase_key(session.phase)),
        "phase_title": session.map_or_else(|| "Free".to_owned(), |session| crate::words::phase_title(session.phase)),
        "recorded": recorded,
        "due": view.due.iter().take(3).map(|due| json!({ "what": due.title, "in_s": due.in_s })).collect::<Vec<_>>(),
    });
    if let Some(map) = out.as_object_mut() {
        let raw = invalid(&view);
        if !raw.is_empty() {
            map.insert("raw".to_owned(), raw.into());
        }
        if let Some(pump) = session.and_then(|session| pump(&view, session, now)) {
            map.insert("pump".to_owned(), pump);
        }
        if let Some(left_s) = session.and_then(|session| session.left_s(now)) {
            map.insert("left_s".to_owned(), left_s.into());
        }
        if let Some([ce, low, high]) = place.ce {
            map.insert("ce".to_owned(), ce.round().into());
            map.insert("ce_lo".to_owned(), low.round().into());
            map.insert("ce_hi".to_owned(), high.round().into());
        }
    }
    out
}

fn values(view: &MonitorView) -> (Map<String, Value>, Map<String, Value>, Map<String, Value>) {
    let (mut values, mut ages, mut quality) = (Map::new(), Map::new(), Map::new());
    for one in &view.values {
        let key = short(one.parameter);
        // The heart rate of the ECG stands before the pulse of the oximeter.
        if one.parameter == Parameter::PulseRate && values.contains_key(key) {
            continue;
        }
        let number = one.value.as_ref().and_then(|text| text.replace(',', "").parse::<f64>().ok());
        if let (Some(number), Some(age)) = (number, one.age_s) {
            values.insert(key.to_owned(), number.into());
            ages.insert(key.to_owned(), age.into());
        }
        let doubt = match one.quality {
            Quality::NoValue => Some("no_value"),
            Quality::Suspect => Some("suspect"),
            Quality::Good if one.charted => Some("charted"),
            Quality::Good => None,
        };
        if let Some(doubt) = doubt {
            quality.insert(key.to_owned(), doubt.into());
        }
    }
    for score in &view.scores {
        let Some(key) = tapped(score.sign) else { continue };
        values.insert(key.to_owned(), score.score.into());
        ages.insert(key.to_owned(), score.age_s.into());
        quality.insert(key.to_owned(), "charted".into());
    }
    (values, ages, quality)
}

/// What a device sent in place of a value that may be used.
fn invalid(view: &MonitorView) -> Map<String, Value> {
    let mut raw = Map::new();
    for one in view.values.iter().filter(|one| one.quality == Quality::Suspect) {
        if let Some(sent) = &one.raw {
            raw.entry(short(one.parameter)).or_insert_with(|| sent.as_str().into());
        }
    }
    raw
}

fn pump(view: &MonitorView, session: &Session, now: Timestamp) -> Option<Value> {
    session.delivery.started()?;
    let certain = crate::words::doubt(session, &TimeZone::UTC, now).is_none();
    let status = view.pump.as_ref().map_or(Value::Null, |pump| json!(pump.status));
    let (volume, rate) = (session.delivery.volume_at(now), session.delivery.rate());
    #[expect(clippy::cast_precision_loss, reason = "a bar on a screen needs no exact volume")]
    let ml = volume.0 as f64 / 1000.0;
    Some(json!({
        "status": status,
        "rate": if certain { rate.to_string() } else { format!("last known {rate}") },
        "ml": ml,
        "mg": crate::words::delivered(session, now),
        "certain": certain,
    }))
}

fn alarm(
    chair: &ChairId,
    view: &AlarmView,
    seen_by: Option<String>,
    recorded: bool,
    now: Timestamp,
) -> Value {
    let one = &view.alarm;
    let priority = match one.priority {
        Priority::High => "high",
        Priority::Medium => "medium",
        Priority::Low => "low",
    };
    json!({
        "id": one.id,
        "chair": chair,
        "prio": priority,
        "text": crate::words::alarm(one),
        "since": one.since.as_millisecond(),
        "latched": view.latched,
        "acked_by": seen_by,
        "sound": view.sounds || one.quiet_until.is_some_and(|until| until > now),
        "paused_until": one.quiet_until.filter(|until| *until > now).map(|until| until.as_millisecond()),
        "recorded": recorded,
        "tile": one.sign.and_then(tile),
    })
}
