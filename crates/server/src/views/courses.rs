//! `courses`: what each patient's course and the checks of the long-term safety stand on, without what a later entry took
//! the place of, so that a list of all patients folds no course anew.

use super::{as_text, read};
use clinic::course::{Event, Recorded, between};
use clinic::id::StaffId;
use clinic::screen::{Consultation, Screening, consulting};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Fault, Recorded as Entry, ViewPut, ViewRow, ViewsSoFar};

/// One patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The open course; nothing where none is.
    pub course: Vec<Recorded>,
    /// Checks of the courses that are over.
    pub checks: Vec<Recorded>,
    /// What staff noted between infusions.
    pub between: Vec<between::Event>,
    /// The last screening, as far as it says which checks were made.
    pub screened: Option<Screening>,
    /// When an answer asked for a person last, in seconds since the epoch, by scale.
    pub flagged: BTreeMap<String, i64>,
}

/// The view.
pub const COURSES: &str = "courses";

/// A row from its body.
///
/// # Errors
/// A body that is none.
pub fn row(body: &str) -> Result<Row, Fault> {
    read(body)
}

/// The row after something happened to a course.
pub(super) fn project(
    course: &str,
    event: &Entry,
    views: &mut dyn ViewsSoFar,
) -> Result<Vec<ViewPut>, Fault> {
    let Some((patient, _)) = course.rsplit_once('-') else { return Ok(Vec::new()) };
    changed(patient, event, views, |row| {
        let at = Timestamp::from_microsecond(event.at_us).unwrap_or_default();
        let happened = read(&event.body)?;
        let by = StaffId::new(&event.author);
        row.take(Recorded { version: event.version, at, by, event: happened });
        Ok(())
    })
}

/// The row after something was noted between infusions.
pub(super) fn noted(patient: &str, event: &Entry, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    changed(patient, event, views, |row| {
        row.between.push(read(&event.body)?);
        Ok(())
    })
}

/// The row after a screening.
pub(super) fn screened(
    patient: &str,
    event: &Entry,
    views: &mut dyn ViewsSoFar,
) -> Result<Vec<ViewPut>, Fault> {
    let consulting::Event::Screened { screening } = read(&event.body)? else { return Ok(Vec::new()) };
    let Consultation { on, labs, scales, workup, .. } = screening.consultation;
    let consultation = Consultation { on, labs, scales, workup, ..Consultation::default() };
    let (findings, missing, rules) = Default::default();
    let kept = Screening { consultation, findings, missing, rules, ..*screening };
    changed(patient, event, views, |row| {
        row.screened = Some(kept);
        Ok(())
    })
}

/// The row after an answer on a scale that asks for a person.
pub(super) fn flagged(
    (patient, scale): (&str, &str),
    event: &Entry,
    views: &mut dyn ViewsSoFar,
) -> Result<Vec<ViewPut>, Fault> {
    changed(patient, event, views, |row| {
        row.flagged.insert(scale.to_owned(), event.at_us / 1_000_000);
        Ok(())
    })
}

fn changed(
    patient: &str,
    event: &Entry,
    views: &mut dyn ViewsSoFar,
    change: impl FnOnce(&mut Row) -> Result<(), Fault>,
) -> Result<Vec<ViewPut>, Fault> {
    let mut row: Row =
        views.body(COURSES, patient)?.map_or_else(|| Ok(Row::default()), |body| read(&body))?;
    change(&mut row)?;
    let listed = ViewRow { sort: event.at_us, search: String::new(), body: as_text(&row)? };
    Ok(vec![ViewPut { view: COURSES.to_owned(), key: patient.to_owned(), row: Some(listed) }])
}

impl Row {
    /// Takes one entry in. What it takes the place of goes, so that the rest still folds to the same course.
    fn take(&mut self, mut entry: Recorded) {
        let booked = |event: &Event| {
            matches!(
                event,
                Event::VisitsBooked { .. } | Event::VisitsRefitted { .. } | Event::VisitBroughtForward { .. }
            )
        };
        match &mut entry.event {
            Event::CourseClosed { .. } => {
                let over = std::mem::take(&mut self.course);
                self.checks.extend(over.into_iter().filter(|one| is_of_a_check(&one.event)));
                return;
            }
            Event::AdviceTaken { .. } | Event::AdviceDeclined { .. } => return,
            Event::CourseOpened { findings, .. } => findings.clear(),
            Event::PlanChanged { findings, changes, .. } => {
                findings.clear();
                changes.clear();
                self.course.retain(|one| !matches!(one.event, Event::PlanChanged { .. }));
            }
            // A booking uses up what a prescriber allowed, which one that only cancels or refits does not.
            Event::VisitsBooked { visits } if !visits.is_empty() => {
                self.course.retain(|one| !booked(&one.event));
            }
            Event::VisitsBooked { .. } | Event::VisitsRefitted { .. } => {
                self.course.retain_mut(|one| match &mut one.event {
                    Event::VisitsRefitted { .. } | Event::VisitBroughtForward { .. } => false,
                    Event::VisitsBooked { visits } => {
                        visits.truncate(1);
                        !visits.is_empty()
                    }
                    _ => true,
                });
            }
            Event::MaintenanceBegan { .. } | Event::IntervalSet { .. } => self.course.retain(|one| {
                !matches!(one.event, Event::MaintenanceBegan { .. } | Event::IntervalSet { .. })
            }),
            Event::VisitBroughtForward { .. }
            | Event::InfusionGiven { .. }
            | Event::CheckMade { .. }
            | Event::ResultAccepted { .. }
            | Event::CheckOverridden { .. } => {}
        }
        self.course.push(entry);
    }
}

const fn is_of_a_check(event: &Event) -> bool {
    matches!(event, Event::CheckMade { .. } | Event::ResultAccepted { .. } | Event::CheckOverridden { .. })
}
