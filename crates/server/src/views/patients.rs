//! `patients`: who is treated here, by name and record number.

use super::{as_text, read};
use clinic::patient::{Event, Patient};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// The row is the patient.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let patient: Patient = match read(&event.body)? {
        Event::PatientRegistered(patient) => patient,
        Event::AllergiesRecorded { allergies } => {
            let Some(before) = views.body("patients", id)? else { return Ok(Vec::new()) };
            Patient { allergies, ..read(&before)? }
        }
        Event::VisitWeightKept { .. } => return Ok(Vec::new()),
    };
    let row = ViewRow {
        sort: event.at_us,
        search: format!("{} {} {}", patient.family, patient.given, patient.mrn),
        body: as_text(&patient)?,
    };
    Ok(vec![ViewPut { view: "patients".to_owned(), key: id.to_owned(), row: Some(row) }])
}
