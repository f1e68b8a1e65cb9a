//! `sessions`: every visit, newest first; `open_sessions`: those that are not over.

use super::{as_text, read};
use clinic::patient::Patient;
use clinic::session::Event;
use serde::{Deserialize, Serialize};
use store::{Fault, Recorded, ViewPut, ViewRow, ViewsSoFar};

/// One visit in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Session id.
    pub session: String,
    /// Patient id.
    pub patient: String,
    /// `RIVERA, Ana`.
    pub name: String,
    /// Medical record number.
    pub mrn: String,
    /// Chair, empty before check-in.
    pub chair: String,
    /// Phase as scripts know it.
    pub phase: String,
    /// Planned day.
    pub day: String,
    /// Regimen.
    pub regimen: String,
    /// Infusion n
    pub infusion: u32,
    /// of N.
    pub of: u32,
    /// Start of the infusion, ms since the epoch.
    pub started_at: Option<i64>,
    /// End of the visit, ms since the epoch.
    pub closed_at: Option<i64>,
}

/// The row after an event.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let happened: Event = read(&event.body)?;
    let mut row: Row = match views.body("sessions", id)? {
        Some(before) => read(&before)?,
        None => Row { session: id.to_owned(), ..Row::default() },
    };
    let at_ms = event.at_us / 1000;
    let phase = match happened {
        Event::SessionPlanned { patient, regimen, infusion, of, day } => {
            if let Some(body) = views.body("patients", patient.as_str())? {
                let known: Patient = read(&body)?;
                row.name = known.banner_name();
                row.mrn = known.mrn;
            }
            (row.patient, row.regimen) = (patient.0, regimen.0);
            (row.infusion, row.of, row.day) = (infusion, of, day.to_string());
            "planned"
        }
        Event::CheckedIn { chair } => {
            row.chair = chair.0;
            "checked_in"
        }
        Event::OrderSigned { .. } => "gated",
        // A new draw or program asks for another time-out.
        Event::Drawn { .. } | Event::PumpProgrammed(_) if row.phase == "ready" => "gated",
        Event::TimeOutTaken { .. } => "ready",
        Event::InfusionStarted { .. } => {
            row.started_at = Some(at_ms);
            "infusing"
        }
        Event::InfusionPaused { .. } => "paused",
        Event::InfusionResumed { .. } => "infusing",
        Event::InfusionEnded { .. } => "recovering",
        Event::DischargeScored { .. } => "discharge_check",
        Event::Discharged { .. } => "discharged",
        Event::SessionCancelled { .. } => "cancelled",
        Event::Transferred { .. } => "transferred",
        // After a transfer the witnessed waste is what is left to do.
        Event::DrugWasted { .. } if row.phase == "transferred" => "closed_after_transfer",
        _ => return Ok(Vec::new()),
    };
    phase.clone_into(&mut row.phase);
    let over = matches!(phase, "discharged" | "cancelled" | "transferred" | "closed_after_transfer");
    if over {
        row.closed_at = row.closed_at.or(Some(at_ms));
    }
    let listed = ViewRow {
        sort: event.at_us,
        search: format!("{} {} {}", row.name, row.mrn, row.day),
        body: as_text(&row)?,
    };
    let still_open = !over || (phase == "transferred" && row.started_at.is_some());
    let open = still_open.then(|| listed.clone());
    Ok(vec![
        ViewPut { view: "sessions".to_owned(), key: id.to_owned(), row: Some(listed) },
        ViewPut { view: "open_sessions".to_owned(), key: id.to_owned(), row: open },
    ])
}
