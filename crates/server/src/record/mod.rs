//! The record of a visit, in the form of an anaesthesia record, made from the log alone: no clock, no memory of
//! the room. The same log gives the same bytes, on a page, as a file and as PDF.

mod care;
mod chart;
mod closing;
pub mod drawing;
mod gaps;
mod history;
mod infusion;
mod layout;
mod observations;
mod pdf;
mod preparation;
pub mod sheet;
mod signing;
pub(crate) mod typeface;
mod used;
mod visit;

pub use history::History;
pub(crate) use history::session_event;
pub use pdf::{PdfFault, pdf};
pub use sheet::Sheet;

use askama::Template;
use clinic::id::StaffId;
use clinic::knowledge::Knowledge;
use clinic::quantity::Micrograms;
use clinic::session::balance::Balance;
use clinic::session::{self, Event, Phase, Session};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sheet::{Cell, Section};
use std::collections::BTreeMap;

/// Tells the whole visit. Times are shown in `zone`, the clinic's own.
pub fn collect(history: &History, knowledge: &Knowledge, zone: &TimeZone) -> Sheet {
    let session = session::replay(&history.events);
    let teller = Teller::new(history, &session, knowledge, zone);
    let name = history
        .patient
        .as_ref()
        .map_or_else(|| "Patient not in the log".to_owned(), clinic::patient::Patient::banner_name);
    let mut sections = vec![visit::told(&teller)];
    sections.extend(infusion::course(&teller));
    sections.push(preparation::order(&teller));
    sections.push(preparation::gates(&teller));
    sections.push(preparation::drug(&teller));
    sections.push(infusion::delivery(&teller));
    sections.push(observations::told(&teller));
    sections.push(care::events_and_drugs(&teller));
    sections.push(care::alarms(&teller));
    sections.push(closing::balance(&teller));
    sections.push(closing::end(&teller));
    sections.push(closing::signed(&teller));
    sections.push(closing::amendments(&teller));
    sections.push(used::told(&teller));
    sections.push(closing::log(&teller));
    let day = teller.end.to_zoned(zone.clone()).date();
    Sheet {
        title: format!("Infusion record: {name}"),
        running_head: teller.running_head(&name),
        running_foot: format!(
            "Visit {} · log position {} · chain {}",
            history.session,
            history.last_position,
            short(&hex::encode(history.chain))
        ),
        identity: hex::encode(history.chain),
        day: (day.year(), day.month(), day.day()),
        notices: teller.notices(),
        sections,
    }
}

/// A whole file without scripts, its style inside, for reading and keeping outside the program.
///
/// # Errors
/// When the template cannot be filled, which would be a fault of the program.
pub fn html(sheet: &Sheet) -> Result<String, askama::Error> {
    SheetFile { sheet, style: include_str!("../../../../ui/styles/record.css") }.render()
}

#[derive(Template)]
#[template(path = "parts/sheet_file.html")]
struct SheetFile<'a> {
    sheet: &'a Sheet,
    style: &'static str,
}

/// What every section is told from.
struct Teller<'a> {
    history: &'a History,
    session: &'a Session,
    knowledge: &'a Knowledge,
    zone: &'a TimeZone,
    /// The last entry of the visit: up to here is told.
    end: Timestamp,
    day: Option<Date>,
    /// What was written over an entry, by its position; the last one counts.
    amended: BTreeMap<i64, String>,
}

impl<'a> Teller<'a> {
    fn new(history: &'a History, session: &'a Session, knowledge: &'a Knowledge, zone: &'a TimeZone) -> Self {
        let first = session.checked_in_at.or_else(|| history.events.first().map(|one| one.at));
        let day = first.map(|at| at.to_zoned(zone.clone()).date());
        let mut teller =
            Self { history, session, knowledge, zone, end: history.end(), day, amended: BTreeMap::new() };
        let amended = history.events.iter().filter_map(|one| match &one.event {
            Event::EntryAmended { position, text, reason } if text.is_empty() => {
                let (clock, who) = (teller.clock(one.at), teller.who(&one.by));
                Some((*position, format!("struck at {clock} by {who}: {reason}")))
            }
            Event::EntryAmended { position, text, .. } => Some((*position, text.clone())),
            Event::StartCounterCorrected { .. } => {
                let start = history.start_of_infusion()?;
                Some((start.position, crate::words::line(&one.event, knowledge)))
            }
            _ => None,
        });
        teller.amended = amended.collect();
        teller
    }

    /// A time of day in the clinic's zone, with its date where that is not the day of the visit.
    fn clock(&self, at: Timestamp) -> String {
        self.told_time(at, "%H:%M", "%Y-%m-%d %H:%M")
    }

    /// The same with seconds.
    fn clock_s(&self, at: Timestamp) -> String {
        self.told_time(at, "%H:%M:%S", "%Y-%m-%d %H:%M:%S")
    }

    fn told_time(&self, at: Timestamp, same_day: &str, other_day: &str) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let form = if Some(zoned.date()) == self.day { same_day } else { other_day };
        zoned.strftime(form).to_string()
    }

    /// A person by name and user name; a machine by what it is.
    fn who(&self, id: &StaffId) -> String {
        match self.history.people.get(id) {
            Some(name) if name != id.as_str() => format!("{name} ({id})"),
            _ => id.to_string(),
        }
    }

    /// What an entry says: struck through with the new words beside it, where it was amended.
    fn cell(&self, position: i64, text: impl Into<String>) -> Cell {
        match self.amended.get(&position) {
            Some(now) => Cell { struck: text.into(), text: now.clone() },
            None => Cell::from(text.into()),
        }
    }

    /// What else stands in the row of an entry: struck through where the entry was struck.
    fn beside(&self, position: i64, text: impl Into<String>) -> Cell {
        let strikes = |event: &Event| matches!(event, Event::EntryAmended { position: of, text, .. } if *of == position && text.is_empty());
        if self.history.events.iter().any(|one| strikes(&one.event)) {
            Cell { struck: text.into(), text: String::new() }
        } else {
            Cell::from(text.into())
        }
    }

    /// A rule with its title, as a person finds it.
    fn title_of(&self, id: &str) -> String {
        self.knowledge.title(id)
    }

    fn running_head(&self, name: &str) -> String {
        let mut words = Vec::new();
        if self.history.made_up {
            words.push("DEMO: made-up person".to_owned());
        }
        words.push(name.to_owned());
        if let Some(patient) = &self.history.patient {
            words.push(format!("born {}", patient.born));
            words.push(format!("MRN {}", patient.mrn));
        }
        words.extend(self.day.map(|day| day.to_string()));
        words.join(" · ")
    }

    /// What is still open, and what a reader could otherwise take for certain.
    fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.history.made_up {
            notices.push(
                "DEMONSTRATION: nobody was treated. Patient, staff and devices are made up.".to_owned(),
            );
        }
        if !self.session.phase.closed() {
            let phase = self.session.phase.title();
            notices.push(format!("NOT COMPLETE: the visit is not closed. Phase at the last entry: {phase}."));
        }
        if let Some(doubt) = crate::words::doubt(self.session, self.zone, self.end) {
            let known = crate::words::delivered(self.session, self.end);
            let since = self.session.delivery.uncertain_since(self.end);
            let since = since.map_or_else(String::new, |since| format!(" since {}", self.clock_s(since)));
            notices.push(format!("DELIVERY UNCERTAIN{since}: {known}, {doubt}."));
        }
        let balance = Balance::of(self.session, self.end);
        let in_no_account = balance.open().plus(balance.open_in_vials());
        if self.session.phase.closed() && in_no_account != Micrograms::ZERO {
            notices.push(format!("DRUG BALANCE OPEN: {in_no_account} stands in no account."));
        }
        let open = self.session.adverse_events.iter().filter(|(_, outcome)| outcome.is_none()).count();
        if open > 0 {
            let events = if open == 1 { "adverse event" } else { "adverse events" };
            notices.push(format!("{open} {events} without an outcome."));
        }
        if !self.amended.is_empty() {
            let count = self.amended.len();
            let entries = if count == 1 { "entry" } else { "entries" };
            notices.push(format!(
                "{count} {entries} amended: the old words are struck through, the new stand beside them."
            ));
        }
        if !self.history.doubtful.is_empty() {
            let minutes: Vec<String> = self.history.doubtful.iter().map(|at| self.clock(*at)).collect();
            notices.push(format!(
                "Device readings left out, because their bytes are not those that the log vouches for: {}.",
                minutes.join(", ")
            ));
        }
        if self.session.phase == Phase::Cancelled {
            notices.push("Cancelled before any drug flowed.".to_owned());
        }
        notices
    }
}

/// The first and last letters of a digest, enough to compare two prints by eye.
fn short(digest: &str) -> String {
    match (digest.get(..12), digest.get(digest.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) => format!("{head}…{tail}"),
        _ => digest.to_owned(),
    }
}

/// A section's paragraph where nothing happened.
fn nothing(title: &str, words: &str) -> Section {
    Section::new(title, vec![sheet::Part::Words(words.to_owned())])
}
