//! A week as a grid: days across, chairs or people down.

use super::{Day, Row};
use crate::AppState;
use clinic::course::calendar::Calendar;
use jiff::ToSpan;
use jiff::civil::Date;

/// Visits without a chair: talks.
const NO_CHAIR: &str = "No chair";

/// What stands down the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// Each chair of the clinic.
    Chairs,
    /// Each person who is held.
    People,
}

/// A week.
pub struct Grid {
    /// Heading of the first column.
    pub down: &'static str,
    /// A day each.
    pub days: Vec<Head>,
    /// A chair or a person each.
    pub lines: Vec<Line>,
}

/// The head of a day.
pub struct Head {
    pub path: String,
    pub title: String,
    /// When it is open, or why it is not, and whether its clock changes.
    pub notes: Vec<String>,
}

/// One chair or person, a cell a day.
pub struct Line {
    pub title: String,
    pub cells: Vec<Vec<Cell>>,
}

/// One visit.
pub struct Cell {
    pub time: String,
    pub name: String,
    pub path: String,
    /// What for, and with whom or where.
    pub what: String,
    pub call: String,
}

/// Seven days as one reads them on paper.
pub fn of(app: &AppState, calendar: &Calendar, down: Down, days: &[Day]) -> Grid {
    let known: Vec<String> = match down {
        Down::Chairs => app.floor.chairs().iter().map(|chair| format!("Chair {chair}")).collect(),
        Down::People => Vec::new(),
    };
    let places = |row: &Row| -> Vec<String> {
        match down {
            Down::Chairs if row.chair.is_empty() => vec![NO_CHAIR.to_owned()],
            Down::Chairs => vec![format!("Chair {}", row.chair)],
            Down::People => row.with.clone(),
        }
    };
    let mut others: Vec<String> = days.iter().flat_map(|day| &day.visits).flat_map(places).collect();
    others.sort();
    others.dedup();
    others.retain(|title| !known.contains(title));
    let line = |title: String| Line {
        cells: days
            .iter()
            .map(|day| {
                let here = day.visits.iter().filter(|row| places(row).contains(&title));
                here.map(|row| cell(row, down)).collect()
            })
            .collect(),
        title,
    };
    Grid {
        down: if down == Down::Chairs { "Chair" } else { "Person" },
        days: days.iter().map(|day| head(calendar, day)).collect(),
        lines: known.into_iter().chain(others).map(line).collect(),
    }
}

fn cell(row: &Row, down: Down) -> Cell {
    let with = match down {
        Down::Chairs => row.with.join(", "),
        Down::People if row.chair.is_empty() => String::new(),
        Down::People => format!("chair {}", row.chair),
    };
    Cell {
        time: format!("{}–{}", row.from, row.to),
        name: row.name.clone(),
        path: row.path.clone(),
        what: if with.is_empty() { row.what.clone() } else { format!("{}, {with}", row.what) },
        call: if row.call { row.reminder.clone() } else { String::new() },
    }
}

fn head(calendar: &Calendar, day: &Day) -> Head {
    let clock = |at| calendar.local(at).strftime("%H:%M").to_string();
    let open =
        calendar.hours(day.date).into_iter().map(|(from, to)| format!("{}–{}", clock(from), clock(to)));
    let mut notes = match &day.closed {
        closed if closed.is_empty() => vec![format!("Open {}", open.collect::<Vec<_>>().join(", "))],
        closed => vec![format!("Closed: {closed}")],
    };
    notes.extend(clock_change(calendar, day.date));
    Head { path: format!("/calendar?day={}", day.date), title: day.title.clone(), notes }
}

/// A day that is not 24 hours long says so.
fn clock_change(calendar: &Calendar, date: Date) -> Option<String> {
    let start = date.to_zoned(calendar.zone.clone()).ok()?;
    let end = date.checked_add(1.days()).ok()?.to_zoned(calendar.zone.clone()).ok()?;
    let minutes = start.timestamp().duration_until(end.timestamp()).as_mins();
    let change = match minutes {
        ..1440 => "forward",
        1440 => return None,
        _ => "back",
    };
    Some(format!("The clocks go {change}: {} h", minutes / 60))
}
