//! The days of the calendar: what each booking holds, in the order in which people booked.

use super::pen::{Entry, Slots, Write, said};
use super::{History, Stuck};
use clinic::course::Booked;
use clinic::course::diary::Day;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Every day on which somebody has a visit.
#[derive(Default)]
pub(super) struct Days(BTreeMap<Date, Day>);

impl Days {
    /// Adds to an entry what each day holds by its booking, as one entry holds both in the program.
    pub fn hold(&mut self, entry: &mut Entry, history: &History) -> Result<(), Stuck> {
        let Some(Slots { course, patient, was, visits }) = entry.slots.take() else { return Ok(()) };
        let rules = history.knowledge.booking.iter().next().map(|item| &item.body);
        let per_nurse = rules.map_or(0, |rules| rules.patients_per_nurse_most);
        let date = |visit: &Booked| visit.start.to_zoned(history.zone.clone()).date();
        let mut days: BTreeMap<Date, Vec<Booked>> =
            was.iter().map(|visit| (date(visit), Vec::new())).collect();
        for visit in visits {
            days.entry(date(&visit)).or_default().push(visit);
        }
        for (date, visits) in days {
            let day = self.0.entry(date).or_default();
            let event =
                day.hold(&course, &patient, visits, per_nurse, |at| at.to_string()).map_err(|why| Stuck {
                    patient: 0,
                    at: entry.at,
                    doing: format!("hold a visit of {patient}"),
                    why: why.to_string(),
                })?;
            *day = std::mem::take(day).evolve(&event);
            entry.writes.push(Write { stream: format!("calendar/{date}"), events: vec![said(&event)] });
        }
        Ok(())
    }
}
