//! The clinic floor as it runs: open sessions, chairs, devices and their monitors, in memory, fed by people and
//! by device messages.
//!
//! A command goes decide → append → evolve: the pure core decides, the log takes it, only then does the state
//! change and a person reads it back. Readings and alarms alone run ahead of the log, and say so.

mod act;
mod alarms;
mod between;
mod booking;
mod care;
mod care_plan;
mod consent;
mod consultation;
mod course;
mod details;
mod devices;
mod forecast;
mod happen;
mod heard;
mod intake;
mod joined;
mod limits;
pub mod live;
mod medicines;
mod names;
mod of_patient;
mod patient_page;
mod patients;
mod price;
mod recall;
mod reminders;
mod restore;
mod samples;
mod scales;
mod seated;
mod waiting;
mod watch;
pub mod worklist;

pub use act::{Denied, Done};
pub use booking::Booking;
pub use care::OnCall;
pub use course::Opened;
pub use forecast::{Planned, Prediction, WhatIf};
pub use intake::Intake;
pub use live::{Hub, Message};
pub use of_patient::PatientAct;
pub(crate) use samples::vouched_minutes;
pub use samples::{Cuff, Event as ReadingsEvent, KeptMinute, Row, Trend, vouched};
pub use waiting::Offer;
pub use watch::{evaluate, keep_records};

use crate::auth::accounts::Accounts;
use crate::auth::audit::Audit;
use crate::clock::{Clock, Ids};
use alarms::Backlog;
use clinic::device::{DeviceKind, PumpReading};
use clinic::floor::Floor as Seating;
use clinic::id::{AlarmId, ChairId, DeviceId, PatientId, SessionId, StaffId};
use clinic::knowledge::Knowledge;
use clinic::knowledge::pk_models::ChairModels;
use clinic::monitor::{Input, Monitor, MonitorPolicy, MonitorView, Output, Phase};
use clinic::patient::Patient;
use clinic::session::Session;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use samples::Minutes;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use store::Store;

/// Everything that is going on in the room.
pub struct Floor {
    /// For what is told later, from the log's own thread.
    me: Weak<Self>,
    site: String,
    store: Store,
    knowledge: Arc<Knowledge>,
    models: ChairModels,
    clock: Clock,
    /// The clinic's, for times of devices without an offset.
    zone: TimeZone,
    ids: Ids,
    hub: Hub,
    room: Mutex<Room>,
    /// Tasks that are not done, and who is on call.
    watched: Mutex<care::Watched>,
    /// Who works here.
    accounts: Accounts,
    /// One command at a time for a session, and one for the seating; keyed by stream name.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    /// Alarm lines that wait to be recorded.
    backlog: Mutex<Backlog>,
    /// Minutes of readings that wait to be kept.
    minutes: Mutex<Minutes>,
    /// Infusions whose delivery nobody knows, while the log does not say so yet.
    unknown: Mutex<BTreeSet<SessionId>>,
    /// One list of alarms is made and sent at a time, so that an older one never comes after a newer.
    telling: Mutex<()>,
    /// Names of the people who answered alarms, for the strip that shows who has seen one.
    names: Mutex<HashMap<StaffId, String>>,
    /// The log took the last thing it was given.
    recording: AtomicBool,
    /// Last time in ms at which a display said that it painted.
    painted_ms: AtomicI64,
    /// Entries that belong to no visit.
    audit: Audit,
    /// The last round found the machine's clock off.
    clock_was_off: AtomicBool,
    /// By how many seconds the audit has it off.
    clock_noted_s: AtomicI64,
    /// How much waits across patients, as it was counted last.
    waits: Mutex<worklist::Waits>,
    /// Completed rounds of the evaluator.
    rounds: AtomicU64,
    /// When the last of them began, in µs since the epoch.
    watched_us: AtomicI64,
    /// The evaluator's round in which the keeper last came to its end.
    kept_at_round: AtomicU64,
    /// The keeper gets round.
    keeping: AtomicBool,
}

/// What stands in memory.
#[derive(Default)]
struct Room {
    seating: Seating,
    sessions: HashMap<SessionId, Session>,
    patients: HashMap<PatientId, Patient>,
    /// Closed records, each with the one that it was joined to.
    joined: HashMap<PatientId, PatientId>,
    /// Open records, each with those taken in.
    taken_in: HashMap<PatientId, BTreeSet<PatientId>>,
    /// Who asked a patient's allergies last, and when.
    allergies_asked: HashMap<PatientId, (StaffId, Timestamp)>,
    chairs: BTreeMap<ChairId, Place>,
    /// Devices that spoke and are not placed, with the last time, so that a person can place them.
    strangers: BTreeMap<DeviceId, (DeviceKind, Timestamp)>,
    /// What is known of the devices that are placed.
    heard: HashMap<DeviceId, heard::Heard>,
}

/// One chair with what is measured there.
struct Place {
    monitor: Monitor,
    /// What the watch over this visit said, oldest first; see [`Place::note`].
    said: VecDeque<Output>,
    trend: Trend,
    /// Last message of each device here.
    heard: HashMap<DeviceId, Timestamp>,
    /// Last pump state that the log has.
    pump_kept: Option<(PumpReading, Timestamp)>,
    /// Devices taken away while what they measure stays watched.
    missed: BTreeMap<DeviceId, DeviceKind>,
    /// Alarms of this chair that the log does not have yet.
    unrecorded: HashSet<AlarmId>,
    /// Something to show changed since the last frame.
    changed: bool,
    /// The round in which it was last sent.
    sent: u64,
    alarms_changed: bool,
    ce: Option<[f64; 3]>,
    /// The past is being told to the monitor: nothing of it alarms again.
    recalling: bool,
}

impl Floor {
    /// Opens the floor on a store: reads who sits where and every open session back from the log. Infusions that
    /// were running come up as uncertain, and their monitors say since when nobody watched.
    ///
    /// # Errors
    /// When the log cannot be read, holds an event that this program does not know, or the knowledge lacks a rule
    /// without which nobody may be watched.
    pub fn open(
        site: &str,
        store: Store,
        knowledge: Arc<Knowledge>,
        clock: Clock,
        ids: Ids,
        chairs: &[ChairId],
        zone: TimeZone,
    ) -> anyhow::Result<Arc<Self>> {
        let models = knowledge.chair_models().map_err(anyhow::Error::msg)?;
        let floor = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            site: site.to_owned(),
            accounts: Accounts::new(store.clone(), site, clock.clone(), ids.clone()),
            audit: Audit::new(store.clone(), site, clock.clone(), ids.clone()),
            store,
            knowledge,
            models,
            clock,
            zone,
            ids,
            hub: Hub::default(),
            room: Mutex::default(),
            watched: Mutex::default(),
            turns: Mutex::default(),
            backlog: Mutex::default(),
            minutes: Mutex::default(),
            unknown: Mutex::default(),
            telling: Mutex::default(),
            names: Mutex::default(),
            recording: AtomicBool::new(true),
            painted_ms: AtomicI64::new(i64::MIN),
            clock_was_off: AtomicBool::new(false),
            clock_noted_s: AtomicI64::new(0),
            waits: Mutex::default(),
            rounds: AtomicU64::new(0),
            watched_us: AtomicI64::new(0),
            kept_at_round: AtomicU64::new(0),
            keeping: AtomicBool::new(true),
        });
        floor.restore(chairs)?;
        Ok(floor)
    }

    /// Where live messages come from.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What clinicians know, as this floor uses it.
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// The floor's clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The log.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The site whose floor this is.
    pub fn site(&self) -> &str {
        &self.site
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // A panic while the room was held leaves plain data behind; the next command checks it against the log.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, stream: &str) -> Arc<Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > TURNS_MAX {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(stream.to_owned()).or_default())
    }

    /// A session as it stands, from memory when open, else from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn session(&self, id: &SessionId) -> anyhow::Result<Option<Session>> {
        if let Some(session) = self.room().sessions.get(id) {
            return Ok(Some(session.clone()));
        }
        let history = self.history(id)?;
        Ok((!history.is_empty()).then(|| clinic::session::replay(&history)))
    }

    /// The open session at a chair, with its patient.
    pub fn at_chair(&self, chair: &ChairId) -> Option<(SessionId, Session, Patient)> {
        let room = self.room();
        let taken = room.seating.chairs.get(chair)?;
        let session = room.sessions.get(&taken.session)?.clone();
        let patient = room.patients.get(&taken.patient)?.clone();
        Some((taken.session.clone(), session, patient))
    }

    /// Whether a patient has a visit, besides this one, that is neither over nor cancelled.
    fn has_open_visit(&self, patient: &PatientId, own: &SessionId) -> bool {
        let open = self.open_sessions().into_iter();
        open.filter(|(id, session, _)| id != own && !session.phase.closed())
            .any(|(_, session, _)| session.patient.as_ref() == Some(patient))
    }

    /// Sessions that are open, planned ones included, with their patients.
    pub fn open_sessions(&self) -> Vec<(SessionId, Session, Patient)> {
        let room = self.room();
        let mut open: Vec<_> = room
            .sessions
            .iter()
            .filter_map(|(id, session)| {
                let patient = room.patients.get(session.patient.as_ref()?)?;
                Some((id.clone(), session.clone(), patient.clone()))
            })
            .collect();
        open.sort_by(|a, b| a.0.cmp(&b.0));
        open
    }

    /// Chairs of the clinic as people count: 9 before 10.
    pub fn chairs(&self) -> Vec<ChairId> {
        let mut chairs: Vec<ChairId> = self.room().chairs.keys().cloned().collect();
        chairs.sort_by(|a, b| (a.as_str().len(), a).cmp(&(b.as_str().len(), b)));
        chairs
    }

    /// Who sits where and which device stands where.
    pub fn seating(&self) -> Seating {
        self.room().seating.clone()
    }

    /// Devices that speak and stand at no chair, with the time of their last message.
    pub fn strangers(&self) -> Vec<(DeviceId, DeviceKind, Timestamp)> {
        self.room().strangers.iter().map(|(id, (kind, at))| (id.clone(), *kind, *at)).collect()
    }

    /// What the monitor of a chair shows now.
    pub fn monitor_view(&self, chair: &ChairId) -> Option<MonitorView> {
        let now = self.clock.now();
        self.room().chairs.get(chair).map(|place| place.monitor.view(now))
    }

    /// What keeps a paused infusion at this chair from going on.
    pub fn keeps_paused(&self, chair: &ChairId) -> Vec<String> {
        self.room().chairs.get(chair).map_or_else(Vec::new, |place| place.monitor.keeps_paused())
    }

    /// What keeps an infusion at this chair from starting, besides its gates.
    pub fn holds_start(&self, chair: &ChairId) -> Vec<String> {
        let at = self.clock.now();
        self.room().chairs.get(chair).map_or_else(Vec::new, |place| place.monitor.holds_start(at, false))
    }

    /// What speaks against a start that is recorded with this counter, the connected pump included.
    pub fn contradicts_start(&self, chair: &ChairId, counter: clinic::quantity::Microlitres) -> Vec<String> {
        let (at, tolerance) = (self.clock.now(), self.knowledge.session_rules().vtbi_match);
        let room = self.room();
        let Some(place) = room.chairs.get(chair) else { return Vec::new() };
        let of_pump = place.monitor.pump_contradicts_start(at, counter, tolerance);
        [place.monitor.holds_start(at, true), of_pump].concat()
    }

    /// What was measured at a chair, as far as memory reaches.
    pub fn trend(&self, chair: &ChairId) -> Option<Trend> {
        self.room().chairs.get(chair).map(|place| place.trend.clone())
    }

    /// The log takes what it is given, and the keeper gives it.
    pub fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
            && self.keeping.load(Ordering::Relaxed)
            && self.store.state() == store::WriterState::Recording
    }

    /// The watch over a chair where nobody sits.
    fn idle_place(&self, chair: &ChairId, at: Timestamp) -> anyhow::Result<Place> {
        let mut place = self.new_place(SessionId::new(format!("chair-{chair}")), at)?;
        place.monitor.recall(at, Input::Phase(Phase::Closed));
        Ok(place)
    }

    fn new_place(&self, session: SessionId, at: Timestamp) -> anyhow::Result<Place> {
        let before = self.alarm_history(&session)?;
        let said: VecDeque<Output> = before.into_iter().map(|(_, _, output)| output).collect();
        let raised = said.iter().filter(|output| matches!(output, Output::AlarmRaised(_))).count() as u64;
        let regimen = self.room().sessions.get(&session).and_then(|session| session.regimen.clone());
        let policy = MonitorPolicy::new(&self.knowledge, session, regimen.as_ref())?.counting_from(raised);
        Ok(Place {
            said,
            monitor: Monitor::new(policy, at),
            trend: Trend::default(),
            heard: HashMap::new(),
            pump_kept: None,
            missed: BTreeMap::new(),
            unrecorded: HashSet::new(),
            changed: true,
            sent: 0,
            alarms_changed: true,
            ce: None,
            recalling: false,
        })
    }
}

/// Locks of streams kept before idle ones are let go.
const TURNS_MAX: usize = 4096;

#[cfg(test)]
mod tests;
