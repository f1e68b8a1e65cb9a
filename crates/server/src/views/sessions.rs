//! `sessions`: every visit, newest first; `visits/<patient>`: those of one patient; `came_on/<day>`: those whose
//! patient came on a day; `open_sessions`: those that are not over; `treated`: the infusions of each patient.

use super::{as_text, read};
use clinic::outcome::Infusion;
use clinic::patient::Patient;
use clinic::session::Event;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
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

/// One infusion of a patient: when it began in ms since the epoch, its number in the series, of how many, its regimen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Given(i64, u32, u32, String);

/// Infusions of one patient in order of time, each with its regimen, from a row.
///
/// # Errors
/// A row that is none.
pub fn given(body: &str) -> Result<Vec<(Infusion, String)>, Fault> {
    let rows: Vec<Given> = read(body)?;
    let at = |ms| Timestamp::from_millisecond(ms).ok();
    let infusion = |Given(ms, number, of, regimen)| Some((Infusion { at: at(ms)?, number, of }, regimen));
    let mut given: Vec<_> = rows.into_iter().filter_map(infusion).collect();
    given.sort_by_key(|(infusion, _)| infusion.at);
    Ok(given)
}

/// The view of the infusions of each patient.
pub const TREATED: &str = "treated";

/// The view of the visits of one patient.
pub fn visits_of(patient: &str) -> String {
    format!("visits/{patient}")
}

/// The view of the visits whose patient came on one day, which is that of UTC.
pub fn came_on(day: Date) -> String {
    format!("came_on/{day}")
}

/// The infusions of a patient with the one of this visit.
fn treated(row: &Row, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<ViewPut, Fault> {
    let before = views.body(TREATED, &row.patient)?;
    let mut given: Vec<Given> = before.map_or_else(|| Ok(Vec::new()), |body| read(&body))?;
    given.push(Given(event.at_us / 1000, row.infusion, row.of, row.regimen.clone()));
    let listed = ViewRow { sort: event.at_us, search: String::new(), body: as_text(&given)? };
    Ok(ViewPut { view: TREATED.to_owned(), key: row.patient.clone(), row: Some(listed) })
}

/// The row after an event.
pub(super) fn project(id: &str, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
    let happened: Event = read(&event.body)?;
    let mut row: Row = match views.body("sessions", id)? {
        Some(before) => read(&before)?,
        None => Row { session: id.to_owned(), ..Row::default() },
    };
    let at_ms = event.at_us / 1000;
    let begins = matches!(happened, Event::InfusionStarted { .. });
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
        event if row.phase == "ready" && voids_time_out(&event) => "gated",
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
    let began = begins.then(|| treated(&row, event, views));
    let still_open = !over || (phase == "transferred" && row.started_at.is_some());
    let open = still_open.then(|| listed.clone());
    let came = (phase == "checked_in").then(|| Timestamp::from_microsecond(event.at_us).ok()).flatten();
    let came = came.map(|at| at.to_zoned(TimeZone::UTC).date());
    // Which visit it is, is all that is asked of this list.
    let arrival = ViewRow { sort: event.at_us, search: String::new(), body: "{}".to_owned() };
    let put = |view: String, row| ViewPut { view, key: id.to_owned(), row };
    let mut puts = vec![
        put(visits_of(&row.patient), Some(listed.clone())),
        put("sessions".to_owned(), Some(listed)),
        put("open_sessions".to_owned(), open),
    ];
    puts.extend(began.transpose()?);
    puts.extend(came.map(|day| put(came_on(day), Some(arrival))));
    Ok(puts)
}

/// Another syringe or program asks for another time-out, and so does a check that differs.
const fn voids_time_out(event: &Event) -> bool {
    matches!(
        event,
        Event::Drawn { .. }
            | Event::DrawnDiscarded { .. }
            | Event::PumpProgrammed(_)
            | Event::SecondCheckDisagreed { .. }
    )
}
