//! The clinic floor as it runs: open sessions, chairs, devices and their monitors, in memory, fed by people and
//! by device messages.
//!
//! A command goes decide → append → evolve: the pure core decides, the log takes it, only then does the state
//! change and a person reads it back. Readings and alarms alone run ahead of the log, and say so.

mod act;
mod intake;
mod live;
mod restore;
mod watch;

pub use act::{Denied, Done};
pub use intake::{Intake, Taken};
pub use live::{Hub, Message};

use crate::clock::{Clock, Ids};
use clinic::floor::Floor as Seating;
use clinic::id::{ChairId, DeviceId, PatientId, SessionId};
use clinic::knowledge::Knowledge;
use clinic::monitor::Monitor;
use clinic::patient::Patient;
use clinic::session::Session;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// Everything that is going on in the room.
pub struct Floor {
    pub(crate) site: String,
    pub(crate) store: Arc<Store>,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    hub: Hub,
    room: Mutex<Room>,
    /// One command at a time for a session, and one for the seating; keyed by stream name.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

/// What stands in memory.
#[derive(Default)]
pub(crate) struct Room {
    pub(crate) seating: Seating,
    pub(crate) sessions: HashMap<SessionId, Session>,
    pub(crate) patients: HashMap<PatientId, Patient>,
    pub(crate) chairs: BTreeMap<ChairId, Place>,
    /// Devices that spoke and are not placed, with the last time, so that a person can place them.
    pub(crate) strangers: BTreeMap<DeviceId, (clinic::device::DeviceKind, Timestamp)>,
}

/// One chair with what is measured there.
pub(crate) struct Place {
    pub(crate) monitor: Monitor,
    pub(crate) trend: live::Trend,
    /// Last message of each device here.
    pub(crate) heard: HashMap<DeviceId, Timestamp>,
    /// Last pump state that the log has.
    pub(crate) pump_kept: Option<(clinic::device::PumpReading, Timestamp)>,
    pub(crate) dirty: bool,
}

impl Floor {
    /// Opens the floor on a store: reads who sits where and every open session back from the log.
    ///
    /// # Errors
    /// When the log cannot be read, or holds an event that this program does not know.
    pub fn open(
        site: &str,
        store: Arc<Store>,
        knowledge: Arc<Knowledge>,
        clock: Clock,
        ids: Ids,
        chairs: &[ChairId],
    ) -> anyhow::Result<Arc<Self>> {
        let floor = Self {
            site: site.to_owned(),
            store,
            knowledge,
            clock,
            ids,
            hub: Hub::default(),
            room: Mutex::new(Room::default()),
            turns: Mutex::new(HashMap::new()),
        };
        floor.restore(chairs)?;
        Ok(Arc::new(floor))
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

    pub(crate) fn room(&self) -> MutexGuard<'_, Room> {
        // A panic while the room was held leaves plain data behind; the next command checks it against the log.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, stream: &str) -> Arc<Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Chairs of the clinic in order.
    pub fn chairs(&self) -> Vec<ChairId> {
        self.room().chairs.keys().cloned().collect()
    }
}
