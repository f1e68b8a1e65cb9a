//! What people charted in a visit, findings, drugs and side effects, the newest first, and the way to strike a slip.

use super::head::Opened;
use crate::AppState;
use crate::Fault;
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::words;
use clinic::session::Recorded;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One charted finding, drug or side effect.
pub struct Charted {
    /// Its place in the log.
    pub position: i64,
    /// `10:42`, when it was seen, given or began.
    pub seen: String,
    /// In words.
    pub text: String,
    /// Who, and when it was entered where that was later.
    pub by: String,
    /// Who struck it, when and why; empty while it stands.
    pub struck: String,
    /// Where it is struck; empty where it is, or where the reader may not.
    pub strike: String,
}

/// Everything that was charted in this visit.
///
/// # Errors
/// When the log cannot be read.
pub fn charted(app: &AppState, visit: &Visit, opened: &Opened) -> Result<Vec<Charted>, Fault> {
    let zone = app.config.time_zone();
    let history = app.floor.history(&opened.id).map_err(Fault::Floor)?;
    let struck = words::struck(&history, &zone, |id| app.floor.called(id));
    let may = visit.person.as_ref().is_some_and(|person| person.may(Privilege::Assess));
    let mut seen: Vec<(Timestamp, Charted)> = history
        .iter()
        .filter_map(|one| {
            let at = one.charted_at()?;
            let text = words::line(&one.event, &app.knowledge);
            let struck = struck.get(&one.position).cloned().unwrap_or_default();
            let open = may && struck.is_empty();
            let strike = if open { path(opened, one.position) } else { String::new() };
            Some((at, Charted { text, struck, strike, ..row(app, one, at, &zone) }))
        })
        .collect();
    seen.sort_by_key(|(at, row)| (*at, row.position));
    Ok(seen.into_iter().rev().map(|(_, row)| row).collect())
}

/// Where an entry of this visit is struck.
pub fn path(opened: &Opened, position: i64) -> String {
    opened.path(&format!("strike/{position}"))
}

fn row(app: &AppState, one: &Recorded, at: Timestamp, zone: &TimeZone) -> Charted {
    let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    let (at, entered) = (clock(at), clock(one.at));
    let late = if at == entered { String::new() } else { format!(", entered {entered}") };
    Charted {
        position: one.position,
        seen: at,
        by: format!("{}{late}", app.floor.called(&one.by)),
        text: String::new(),
        struck: String::new(),
        strike: String::new(),
    }
}
