//! One day of the clinic: which chair and which people each visit holds, recovery included.
//!
//! Each course has its visits of the day in one entry, in place of those before. Whoever books decides on the day as it
//! was read and writes under its version, so that two who book at once never hold one chair.

use super::command::Refusal;
use super::event::{Booked, What};
use crate::id::{CourseId, PatientId, StaffId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What can happen to a day. A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The visits of a course on this day, in place of those before; none frees what was held.
    VisitsHeld {
        /// Whose plan.
        course: CourseId,
        /// Who comes.
        patient: PatientId,
        /// On this day.
        visits: Vec<Booked>,
    },
}

/// A day, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// Number of events taken in.
    pub version: i64,
    held: BTreeMap<CourseId, (PatientId, Vec<Booked>)>,
    freed: Vec<Booked>,
}

impl Day {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        let Event::VisitsHeld { course, patient, visits } = event;
        self.version += 1;
        let before = self.held.insert(course.clone(), (patient.clone(), visits.clone()));
        let gone =
            before.into_iter().flat_map(|(_, before)| before).filter(|visit| visit.what == What::Infusion);
        self.freed.extend(gone);
        let held = &self.held;
        let taken = |place: &Booked| {
            let mut all = held.values().flat_map(|(_, visits)| visits);
            all.any(|visit| visit.chair == place.chair && visit.overlaps(place))
        };
        self.freed.retain(|place| !taken(place));
        self
    }

    /// Every visit, early to late.
    pub fn visits(&self) -> Vec<(&CourseId, &PatientId, &Booked)> {
        let each = self
            .held
            .iter()
            .flat_map(|(course, (patient, visits))| visits.iter().map(move |visit| (course, patient, visit)));
        let mut all: Vec<_> = each.collect();
        all.sort_by_key(|(_, _, visit)| visit.start);
        all
    }

    /// Places that were held and are free again, early to late.
    pub fn freed(&self) -> Vec<&Booked> {
        let mut free: Vec<&Booked> = self.freed.iter().collect();
        free.sort_by_key(|visit| visit.start);
        free
    }

    /// Holds a chair and people for the visits of a course, all or none. `shown` is the clinic's clock.
    ///
    /// # Errors
    /// [`Refusal::Taken`] names what is held, and when; [`Refusal::Unplaced`] an infusion without a chair or a nurse,
    /// a talk without a therapist.
    pub fn hold(
        &self,
        course: &CourseId,
        patient: &PatientId,
        visits: Vec<Booked>,
        per_nurse: u32,
        shown: impl Fn(Timestamp) -> String,
    ) -> Result<Event, Refusal> {
        let others: Vec<_> = self.visits().into_iter().filter(|(of, ..)| *of != course).collect();
        for visit in &visits {
            needs_a_place(visit)?;
            let taken = |field, what: String, by: &Booked| {
                Err(Refusal::Taken { field, what, from: shown(by.start), until: shown(by.end) })
            };
            let meets = others.iter().filter(|(_, _, other)| other.overlaps(visit));
            for (_, whose, other) in meets {
                if let Some(chair) = visit.chair.as_ref().filter(|chair| other.chair.as_ref() == Some(*chair))
                {
                    return taken("chair", format!("Chair {chair}"), other);
                }
                if *whose == patient {
                    return taken("", "The patient".to_owned(), other);
                }
                if let Some(therapist) =
                    visit.therapist.as_ref().filter(|one| other.therapist.as_ref() == Some(*one))
                {
                    return taken("therapist", therapist.to_string(), other);
                }
            }
            let Some(nurse) = &visit.nurse else { continue };
            let hers = || others.iter().map(|(_, _, other)| *other).filter(|other| has(other, nurse));
            if let Some(moment) = too_many(visit, hers, per_nurse) {
                return taken(
                    "nurse",
                    format!("{nurse}, who may have {per_nurse} patients at once,"),
                    moment,
                );
            }
        }
        Ok(Event::VisitsHeld { course: course.clone(), patient: patient.clone(), visits })
    }
}

/// Nobody sits without a chair and a nurse, nobody talks without a therapist.
fn needs_a_place(visit: &Booked) -> Result<(), Refusal> {
    let missing = |field, what| Err(Refusal::Unplaced { field, what });
    match visit.what {
        What::Infusion if visit.chair.is_none() => missing("chair", "a chair"),
        What::Infusion if visit.nurse.is_none() => missing("nurse", "a nurse"),
        What::Preparation | What::Integration if visit.therapist.is_none() => {
            missing("therapist", "a therapist")
        }
        What::Infusion | What::Preparation | What::Integration => Ok(()),
    }
}

fn has(visit: &Booked, nurse: &StaffId) -> bool {
    visit.nurse.as_ref() == Some(nurse)
}

/// A visit during which the nurse would have more patients than she may. The most are there when a visit begins.
fn too_many<'a, I>(visit: &Booked, hers: impl Fn() -> I, per_nurse: u32) -> Option<&'a Booked>
where
    I: Iterator<Item = &'a Booked>,
{
    let begins = hers().map(|other| other.start).filter(|start| visit.covers(*start));
    let moments = std::iter::once(visit.start).chain(begins);
    let full = |at: &Timestamp| hers().filter(|other| other.covers(*at)).count() >= per_nurse as usize;
    let mut full = moments.filter(full);
    let at = full.next()?;
    hers().find(|other| other.covers(at))
}
