//! `inquiries`: who asked, newest first; `inquiries/<stage>` for those that stand there; `patient_inquiry`: what a
//! patient asked first.

use super::{as_text, read};
use clinic::care::inquiry::{Care, Event, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// One inquiry in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Name as the person gave it; empty where none was given.
    pub name: String,
    /// Phone number or e-mail address.
    pub contact: String,
    /// When, ms since the epoch.
    pub received_ms: i64,
    /// Key of the stage.
    pub stage: String,
    /// A clinician decides.
    pub held: bool,
    /// The answers ask for a clinician.
    flagged: bool,
    reviewed: bool,
}

/// The rows after an event.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let happened: Event = read(&event.body)?;
    let mut row: Row = views.body("inquiries", id)?.map_or_else(|| Ok(Row::default()), |body| read(&body))?;
    if let Event::InquiryReceived { inquiry, .. } = &happened {
        row.name.clone_from(&inquiry.name);
        row.contact = if inquiry.phone.is_empty() { inquiry.email.clone() } else { inquiry.phone.clone() };
        if row.stage.is_empty() {
            row.received_ms = event.at_us / 1000;
        }
    }
    let before = row.stage.clone();
    let care = care_of(&row).evolve(&happened, Timestamp::UNIX_EPOCH);
    care.stage.key().clone_into(&mut row.stage);
    (row.held, row.reviewed, row.flagged) = (care.held(), care.reviewed, !care.flags.is_empty());
    let listed = ViewRow {
        sort: row.received_ms,
        search: format!("{} {}", row.name, row.contact),
        body: as_text(&row)?,
    };
    let put = |view: String, row| ViewPut { view, key: id.to_owned(), row };
    let mut puts = vec![put("inquiries".to_owned(), Some(listed.clone()))];
    if before != row.stage && !before.is_empty() {
        puts.push(put(view_of(&before), None));
    }
    puts.push(put(view_of(&row.stage), Some(listed)));
    if let Some(patient) = &care.patient {
        let joined = ViewRow { sort: event.at_us, search: String::new(), body: as_text(&id)? };
        puts.push(ViewPut { view: JOINED.to_owned(), key: patient.0.clone(), row: Some(joined) });
    }
    Ok(puts)
}

/// As much of an inquiry as the row keeps.
fn care_of(row: &Row) -> Care {
    let stage = Stage::ALL.into_iter().find(|stage| stage.key() == row.stage).unwrap_or_default();
    let flags = if row.flagged { vec![String::new()] } else { Vec::new() };
    Care { stage, flags, reviewed: row.reviewed, ..Care::default() }
}

/// The view of those that stand at a stage.
pub fn view_of(stage: &str) -> String {
    format!("inquiries/{stage}")
}

/// The view that leads from a patient to what was asked first.
pub const JOINED: &str = "patient_inquiry";
