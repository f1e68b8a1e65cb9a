//! What a made-up clinic has behind it: people who asked, were examined, were infused, answered scales, got well, fell
//! ill again and came back. Every step is decided by the domain, as if somebody had done it on that day.
//!
//! Shares and rates are those of published studies where one is named. They make a history that looks alive; they
//! predict nobody.

mod calendar;
mod consent;
mod course;
mod desk;
mod diary;
mod goal;
mod pen;
mod start;
mod visit;

pub use diary::Diary;
pub use pen::{Entry, Write};

use clinic::floor::Floor;
use clinic::knowledge::Knowledge;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pen::{Pen, Seat, said};

/// The domain refused what made-up people did: the history and the rules do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("patient {patient}, {at}, {doing}: {why}")]
pub struct Stuck {
    /// Which patient.
    pub patient: u32,
    /// When, in the history.
    pub at: jiff::Timestamp,
    /// What was to be done.
    pub doing: String,
    /// The refusal.
    pub why: String,
}

/// Where and when it happened.
#[derive(Debug, Clone)]
pub struct History<'a> {
    /// What clinicians know.
    pub knowledge: &'a Knowledge,
    /// The same seed makes the same people.
    pub seed: u64,
    /// All of it is over before this day.
    pub until: Date,
    /// Zone of the clinic's clock.
    pub zone: TimeZone,
}

impl History<'_> {
    /// The first day of the year that is told.
    pub fn from(&self) -> Date {
        self.until.saturating_sub(jiff::Span::new().days(YEAR_D))
    }

    /// The year of so many patients, in order of time, with who sat where.
    ///
    /// # Errors
    /// When the domain refused something.
    pub fn year(&self, patients: u32) -> Result<Vec<Entry>, Stuck> {
        let chairs = std::thread::scope(|scope| {
            let begin = |first| scope.spawn(move || self.at_one_chair(first, patients));
            let chairs: Vec<_> = (0..diary::CHAIRS).map(begin).collect();
            chairs.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut entries = Vec::new();
        for chair in chairs {
            entries.extend(chair.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))?);
        }
        // Stable: what one person did in one moment stays in its order.
        entries.sort_by_key(|entry| entry.at);
        let mut floor = Floor::default();
        let mut calendar = calendar::Days::default();
        for entry in &mut entries {
            floor = seat(floor, entry);
            calendar.hold(entry, self)?;
        }
        Ok(entries)
    }

    /// The years of those who come to one chair.
    fn at_one_chair(&self, first: u32, patients: u32) -> Result<Vec<Entry>, Stuck> {
        let mut diary = Diary::of(first, self.until);
        let mut entries = Vec::new();
        for number in (first..patients).step_by(diary::CHAIRS as usize) {
            entries.extend(self.life(number, &mut diary)?);
        }
        Ok(entries)
    }

    /// The year of one patient, in order of time.
    ///
    /// # Errors
    /// When the domain refused something.
    pub fn life(&self, number: u32, diary: &mut Diary) -> Result<Vec<Entry>, Stuck> {
        let mut pen = Pen::new(self, number);
        let patient = start::registered(&mut pen)?;
        if let Some(patient) = patient {
            course::lived(&mut pen, &patient, diary)?;
        }
        Ok(pen.entries)
    }
}

/// Days of the year that is told.
const YEAR_D: i64 = 365;

/// Adds to an entry which chair it takes or frees.
fn seat(floor: Floor, entry: &mut Entry) -> Floor {
    let event = match &entry.seat {
        Some(Seat::Taken { session, patient, chair }) => floor.take_chair(session, patient, chair),
        Some(Seat::Freed { session }) => floor.free_chair(session),
        None => return floor,
    };
    // The diary gives no chair twice at one time, so there is an event.
    let Ok(event) = event else { return floor };
    entry.writes.push(Write { stream: "floor".to_owned(), events: vec![said(&event)] });
    floor.evolve(&event)
}

#[cfg(test)]
mod tests;
