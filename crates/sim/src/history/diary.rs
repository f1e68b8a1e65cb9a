//! When a chair of the made-up clinic is free.

use clinic::id::ChairId;
use jiff::civil::{Date, DateTime, Time, Weekday};
use std::collections::BTreeMap;

/// Chairs of the made-up clinic.
pub(super) const CHAIRS: u32 = 4;
/// When patients arrive: a visit with its recovery is over before the next.
const ARRIVALS: [Time; 3] =
    [jiff::civil::time(8, 15, 0, 0), jiff::civil::time(11, 15, 0, 0), jiff::civil::time(14, 0, 0, 0)];

/// Visits at one chair, by day. Every patient keeps to one chair, so that years at two chairs depend on nothing of
/// each other.
#[derive(Debug, Clone)]
pub struct Diary {
    /// Which.
    pub(super) chair: ChairId,
    booked: BTreeMap<Date, usize>,
    /// The day on which the demonstration begins, whose patients are others.
    full: Date,
}

impl Diary {
    /// Nobody has come yet to the chair of a patient with this number.
    pub fn of(patient: u32, full: Date) -> Self {
        Self { chair: ChairId::new((patient % CHAIRS + 1).to_string()), booked: BTreeMap::new(), full }
    }

    /// Books the first free time on or after a day: when the patient arrives.
    pub fn book(&mut self, wanted: Date) -> DateTime {
        let mut day = wanted;
        loop {
            let booked = self.booked.entry(day).or_default();
            let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            if let Some(arrival) = ARRIVALS.get(*booked).filter(|_| !weekend && day != self.full) {
                *booked += 1;
                return day.to_datetime(*arrival);
            }
            day = day.saturating_add(jiff::Span::new().days(1));
        }
    }
}
