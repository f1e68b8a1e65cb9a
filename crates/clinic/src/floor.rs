//! Who sits where: open sessions, chairs and the devices at them. One stream for the whole clinic, so that two
//! people cannot open two sessions for one patient, or put two patients into one chair, at the same moment.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use crate::device::DeviceKind;
use crate::id::{ChairId, DeviceId, PatientId, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// What can happen on the floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A patient took a chair.
    ChairTaken { session: SessionId, patient: PatientId, chair: ChairId },
    /// The visit is over and the chair is free.
    ChairFreed { session: SessionId, chair: ChairId },
    /// A signed-in person said that this device stands at this chair.
    DevicePlaced { device: DeviceId, device_kind: DeviceKind, chair: ChairId },
    /// It does not stand there any more.
    DeviceTakenAway { device: DeviceId },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Never two sessions for one patient.
    #[error("This patient has an open session at chair {chair}. Close it first.")]
    PatientIsHere { chair: ChairId },
    /// Never two patients in one chair.
    #[error("Chair {chair} is taken. Choose another chair.")]
    ChairIsTaken { chair: ChairId },
    /// Never a patient in a chair that is another's before they leave it.
    #[error(
        "Chair {chair} is booked for somebody else from {from} to {until}, before this visit would be over. Choose another chair, or move that booking first."
    )]
    ChairIsBooked { chair: ChairId, from: String, until: String },
    /// The session does not sit anywhere.
    #[error("Session {session} has no chair.")]
    NotHere { session: SessionId },
    /// A device serves one chair.
    #[error("Device {device} is placed at chair {chair}. Take it away there first.")]
    DeviceElsewhere { device: DeviceId, chair: ChairId },
    /// One active source a parameter.
    #[error("Chair {chair} has a {kind} already: {device}. Take it away first.")]
    ChairHasOne { chair: ChairId, kind: &'static str, device: DeviceId },
    /// Not placed.
    #[error("Device {device} is not placed at a chair.")]
    DeviceNowhere { device: DeviceId },
}

/// A taken chair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// By which session.
    pub session: SessionId,
    /// For whom.
    pub patient: PatientId,
}

/// The floor as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Floor {
    /// Number of events taken in.
    pub version: i64,
    /// Taken chairs.
    pub chairs: BTreeMap<ChairId, Taken>,
    /// Placed devices.
    pub devices: BTreeMap<DeviceId, (DeviceKind, ChairId)>,
}

impl Floor {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        self.version += 1;
        match event.clone() {
            Event::ChairTaken { session, patient, chair } => {
                self.chairs.insert(chair, Taken { session, patient });
            }
            Event::ChairFreed { chair, .. } => {
                self.chairs.remove(&chair);
            }
            Event::DevicePlaced { device, device_kind, chair } => {
                self.devices.insert(device, (device_kind, chair));
            }
            Event::DeviceTakenAway { device } => {
                self.devices.remove(&device);
            }
        }
        self
    }

    /// Gives a chair to a patient.
    ///
    /// # Errors
    /// When the patient sits somewhere or the chair is taken.
    pub fn take_chair(
        &self,
        session: &SessionId,
        patient: &PatientId,
        chair: &ChairId,
    ) -> Result<Event, Refusal> {
        if let Some((at, _)) = self.chairs.iter().find(|(_, taken)| taken.patient == *patient) {
            return Err(Refusal::PatientIsHere { chair: at.clone() });
        }
        if self.chairs.contains_key(chair) {
            return Err(Refusal::ChairIsTaken { chair: chair.clone() });
        }
        Ok(Event::ChairTaken { session: session.clone(), patient: patient.clone(), chair: chair.clone() })
    }

    /// Frees the chair of a session.
    ///
    /// # Errors
    /// When the session has none.
    pub fn free_chair(&self, session: &SessionId) -> Result<Event, Refusal> {
        match self.chairs.iter().find(|(_, taken)| taken.session == *session) {
            Some((chair, _)) => Ok(Event::ChairFreed { session: session.clone(), chair: chair.clone() }),
            None => Err(Refusal::NotHere { session: session.clone() }),
        }
    }

    /// Places a device. Placing it again where it stands changes nothing.
    ///
    /// # Errors
    /// When it stands elsewhere, or the chair has another device of the kind.
    pub fn place(
        &self,
        device: &DeviceId,
        kind: DeviceKind,
        chair: &ChairId,
    ) -> Result<Option<Event>, Refusal> {
        if let Some((_, at)) = self.devices.get(device) {
            if at == chair {
                return Ok(None);
            }
            return Err(Refusal::DeviceElsewhere { device: device.clone(), chair: at.clone() });
        }
        if let Some(other) = self.device_at(chair, kind) {
            let kind = match kind {
                DeviceKind::Monitor => "monitor",
                DeviceKind::Pump => "pump",
                DeviceKind::Other => "device",
            };
            return Err(Refusal::ChairHasOne { chair: chair.clone(), kind, device: other.clone() });
        }
        Ok(Some(Event::DevicePlaced { device: device.clone(), device_kind: kind, chair: chair.clone() }))
    }

    /// Takes a device away.
    ///
    /// # Errors
    /// When it is not placed.
    pub fn take_away(&self, device: &DeviceId) -> Result<Event, Refusal> {
        if self.devices.contains_key(device) {
            Ok(Event::DeviceTakenAway { device: device.clone() })
        } else {
            Err(Refusal::DeviceNowhere { device: device.clone() })
        }
    }

    /// The device of a kind at a chair.
    pub fn device_at(&self, chair: &ChairId, kind: DeviceKind) -> Option<&DeviceId> {
        self.devices.iter().find(|(_, (its, at))| *its == kind && at == chair).map(|(device, _)| device)
    }

    /// Where a session sits.
    pub fn chair_of(&self, session: &SessionId) -> Option<&ChairId> {
        self.chairs.iter().find(|(_, taken)| taken.session == *session).map(|(chair, _)| chair)
    }

    /// The session at a chair.
    pub fn session_at(&self, chair: &ChairId) -> Option<&SessionId> {
        self.chairs.get(chair).map(|taken| &taken.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chair(n: u8) -> ChairId {
        ChairId::new(n.to_string())
    }
    fn session(n: u8) -> SessionId {
        SessionId::new(format!("s{n}"))
    }
    fn patient(n: u8) -> PatientId {
        PatientId::new(format!("p{n}"))
    }
    fn device(n: u8) -> DeviceId {
        DeviceId::new(format!("d{n}"))
    }

    #[test]
    fn a_patient_sits_once_and_a_chair_seats_one() {
        let floor = Floor::default();
        let taken = floor.take_chair(&session(1), &patient(1), &chair(1)).expect("free");
        let floor = floor.evolve(&taken);
        assert_eq!(
            floor.take_chair(&session(2), &patient(1), &chair(2)),
            Err(Refusal::PatientIsHere { chair: chair(1) })
        );
        assert_eq!(
            floor.take_chair(&session(2), &patient(2), &chair(1)),
            Err(Refusal::ChairIsTaken { chair: chair(1) })
        );
        let freed = floor.free_chair(&session(1)).expect("it sits");
        assert!(floor.evolve(&freed).take_chair(&session(2), &patient(1), &chair(1)).is_ok());
    }

    /// Hazards 28 and 29: a device is moved by taking it away first, and a chair has one source of each kind.
    #[test]
    fn a_device_serves_one_chair_and_a_chair_has_one_of_a_kind() {
        let placed = Floor::default().place(&device(1), DeviceKind::Monitor, &chair(1)).expect("free");
        let floor = Floor::default().evolve(&placed.expect("a change"));
        assert_eq!(floor.place(&device(1), DeviceKind::Monitor, &chair(1)), Ok(None), "it stands there");
        assert_eq!(
            floor.place(&device(1), DeviceKind::Monitor, &chair(2)),
            Err(Refusal::DeviceElsewhere { device: device(1), chair: chair(1) })
        );
        assert_eq!(
            floor.place(&device(2), DeviceKind::Monitor, &chair(1)),
            Err(Refusal::ChairHasOne { chair: chair(1), kind: "monitor", device: device(1) })
        );
        assert!(floor.place(&device(2), DeviceKind::Pump, &chair(1)).is_ok());
        let away = floor.take_away(&device(1)).expect("it stands there");
        assert!(floor.evolve(&away).place(&device(1), DeviceKind::Monitor, &chair(2)).is_ok());
    }

    proptest! {
        /// Hazard 28: no reachable floor has one device at two chairs, or two pumps at one.
        #[test]
        fn no_device_ever_serves_two_chairs(acts in prop::collection::vec((0_u8..3, 0_u8..4, 0_u8..4), 1..60)) {
            let mut floor = Floor::default();
            for (act, d, c) in acts {
                let event = match act {
                    0 => floor.place(&device(d), DeviceKind::Pump, &chair(c)).ok().flatten(),
                    1 => floor.take_away(&device(d)).ok(),
                    _ => floor.take_chair(&session(d), &patient(d), &chair(c)).ok(),
                };
                if let Some(event) = event {
                    floor = floor.evolve(&event);
                }
                for n in 0..4 {
                    let pumps = floor.devices.values().filter(|(_, at)| *at == chair(n)).count();
                    prop_assert!(pumps <= 1);
                    let seats = floor.chairs.values().filter(|taken| taken.patient == patient(n)).count();
                    prop_assert!(seats <= 1);
                }
            }
        }
    }
}
