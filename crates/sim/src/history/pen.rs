//! Writes a history down, entry by entry, as the program would have.

use super::{History, Stuck};
use crate::cast::Member;
use crate::chance::Chance;
use clinic::course::Booked;
use clinic::id::{ChairId, CommandId, CourseId, PatientId, SessionId, StaffId};
use clinic::staff::{Actor, Signature};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Serialize;

/// What one act recorded: all of it or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: StaffId,
    /// The act.
    pub command: CommandId,
    /// What was written.
    pub writes: Vec<Write>,
    pub(super) seat: Option<Seat>,
    pub(super) slots: Option<Slots>,
}

/// Visits that the calendar is to hold, in place of those of the same course that were to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots {
    pub course: CourseId,
    pub patient: PatientId,
    pub was: Vec<Booked>,
    pub visits: Vec<Booked>,
}

/// Events of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which.
    pub stream: String,
    /// Kind and body of each.
    pub events: Vec<(String, String)>,
}

/// A chair changes hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seat {
    Taken { session: SessionId, patient: PatientId, chair: ChairId },
    Freed { session: SessionId },
}

/// Kind and body of an event that names its kind.
pub(super) fn said(event: &impl Serialize) -> (String, String) {
    let value = serde_json::to_value(event).unwrap_or_default();
    let kind = value.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
    (kind, value.to_string())
}

/// Writes for one patient.
pub(super) struct Pen<'a> {
    pub history: &'a History<'a>,
    /// Number of the patient.
    pub number: u32,
    pub chance: Chance,
    pub entries: Vec<Entry>,
    ids: Chance,
}

impl<'a> Pen<'a> {
    pub fn new(history: &'a History<'a>, number: u32) -> Self {
        Self {
            history,
            number,
            chance: Chance::new(history.seed, &format!("history of patient {number}")),
            entries: Vec::new(),
            ids: Chance::new(history.seed, &format!("ids of patient {number}")),
        }
    }

    /// A moment by the clock of the clinic.
    pub fn at(&self, clock: DateTime) -> Timestamp {
        clock.to_zoned(self.history.zone.clone()).map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
    }

    /// An id as the program makes them: UUID version 7, so that ids sort by their time.
    pub fn id(&mut self, at: Timestamp) -> String {
        let ms = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let (a, b) = (self.ids.bits(), self.ids.bits());
        format!(
            "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
            ms >> 16,
            ms & 0xffff,
            a & 0xfff,
            0x8000 | (a >> 12 & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// Writes an entry down.
    pub fn write(&mut self, at: Timestamp, by: &Actor, writes: Vec<Write>) {
        let command = CommandId::new(self.id(at));
        self.entries.push(Entry { at, by: by.id.clone(), command, writes, seat: None, slots: None });
    }

    /// Writes one event of one stream.
    pub fn event(&mut self, at: Timestamp, by: &Actor, stream: String, event: &impl Serialize) {
        self.write(at, by, vec![Write { stream, events: vec![said(event)] }]);
    }

    /// Why the history cannot go on.
    pub fn stuck(&self, at: Timestamp, doing: &str, why: impl ToString) -> Stuck {
        Stuck { patient: self.number, at, doing: doing.to_owned(), why: why.to_string() }
    }

    /// Whether it is one of so many of a hundred.
    pub fn one_of_hundred(&mut self, of_hundred: f64) -> bool {
        self.chance.unit() * 100.0 < of_hundred
    }
}

/// Somebody signs.
pub(super) fn signed(who: Member, meaning: &str, at: Timestamp) -> Signature {
    Signature { by: StaffId::new(who.user), role: who.role, meaning: meaning.to_owned(), at }
}
