//! `patients`: who is treated here, by name and record number.

use super::{as_text, read};
use clinic::patient::{Event, Patient};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// The row is the patient.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let happened: Event = read(&event.body)?;
    if matches!(happened, Event::VisitWeightKept { .. }) {
        return Ok(Vec::new());
    }
    let before: Option<Patient> = views.body("patients", id)?.map(|body| read(&body)).transpose()?;
    let Some(patient) = happened.evolve(before) else { return Ok(Vec::new()) };
    let row = ViewRow {
        sort: event.at_us,
        search: format!("{} {} {}", patient.family, patient.given, patient.mrn),
        body: as_text(&patient)?,
    };
    Ok(vec![ViewPut { view: "patients".to_owned(), key: id.to_owned(), row: Some(row) }])
}
