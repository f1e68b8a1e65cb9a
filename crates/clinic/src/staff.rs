//! Who acts: a signed-in person with a role, or a device, or the clinic's own clock.

use crate::id::StaffId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person may be here. Devices and the clock act too, and sign nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Arrivals, forms, escorts; never decides clinically.
    FrontDesk,
    /// At the chair.
    Nurse,
    /// Orders, overrides, decides.
    Prescriber,
    /// Preparation and integration.
    Therapist,
    /// Runs the clinic; no clinical act by default.
    Owner,
    /// A pump, a monitor, or the clock that watches them.
    Machine,
}

impl Role {
    /// May give care at the chair: a nurse or a prescriber.
    pub const fn treats(self) -> bool {
        matches!(self, Self::Nurse | Self::Prescriber)
    }
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FrontDesk => "front desk",
            Self::Nurse => "nurse",
            Self::Prescriber => "prescriber",
            Self::Therapist => "therapist",
            Self::Owner => "owner",
            Self::Machine => "machine",
        }
    }
}

/// The one who sends a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub id: StaffId,
    /// As what.
    pub role: Role,
}

impl Actor {
    /// The clinic's own clock and wires: link watch, device messages, restart.
    pub fn machine(name: &str) -> Self {
        Self { id: StaffId::new(name), role: Role::Machine }
    }
}

/// Somebody whom a refusal tells of: the id that the log has, until whoever shows it to people puts the name in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Somebody(Box<Told>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    id: StaffId,
    at: Option<Timestamp>,
    called: Option<(String, String)>,
}

impl Somebody {
    /// By the id of the log, with the time where that is told too.
    pub fn new(id: &StaffId, at: impl Into<Option<Timestamp>>) -> Self {
        Self(Box::new(Told { id: id.clone(), at: at.into(), called: None }))
    }

    /// Who.
    pub const fn id(&self) -> &StaffId {
        &self.0.id
    }

    /// When.
    pub const fn at(&self) -> Option<Timestamp> {
        self.0.at
    }

    /// The name, and the time as the clocks of the clinic show it.
    pub fn call(&mut self, name: String, when: String) {
        self.0.called = Some((name, when));
    }

    /// The time in words.
    pub fn when(&self) -> String {
        let raw = || self.0.at.map_or_else(String::new, |at| at.to_string());
        self.0.called.as_ref().map_or_else(raw, |(_, when)| when.clone())
    }
}

impl fmt::Display for Somebody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.called.as_ref().map_or(self.0.id.as_str(), |(name, _)| name))
    }
}

/// A person who proved again who they are, and said what the signature means. Never a typed name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who signed.
    pub by: StaffId,
    /// As what.
    pub role: Role,
    /// What the signature says, for example "I checked drug, strength, dose and rate".
    pub meaning: String,
    /// When.
    pub at: Timestamp,
}
