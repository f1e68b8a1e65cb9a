//! The worklist: what waits across patients, each role in its own words. The front desk reads whom to call about which visit
//! and no clinical reason; who treats reads the checks, who may open scores the rating scales.

use super::visit::head::day;
use super::{Error, Page, booking, html, tasks};
use crate::auth::Person;
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::floor::worklist::{AHEAD_D, CheckDue, ScoresDue, Unbooked};
use crate::views::inquiries::{self, JOINED};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clinic::course::Booked;
use clinic::course::ahead::Asked;
use clinic::id::PatientId;
use clinic::scale::{Due, DueState};
use jiff::Timestamp;

/// Where it stands.
pub const PATH: &str = "/worklist";
/// Most rows of one list.
const ROWS_MOST: usize = 1_000;

#[derive(Template)]
#[template(path = "pages/worklist.html")]
struct Worklist {
    page: Page,
    as_of: String,
    ahead_d: i32,
    /// What the person books, and whether why it must be moved is told.
    books: Option<Books>,
    /// Of who may open courses.
    checks: Option<List<CheckRow>>,
    /// Of who may open scores.
    scores: Option<List<ScoreRow>>,
}

struct Books {
    says_why: bool,
    moves: List<VisitRow>,
    unbooked: List<VisitRow>,
}

/// A list as far as it is shown, and how many there are.
struct List<T> {
    all: usize,
    rows: Vec<T>,
}

struct VisitRow {
    name: String,
    path: String,
    what: String,
    when: String,
    /// Empty for who does not read it.
    why: String,
    call: String,
}

#[derive(Default)]
struct CheckRow {
    name: String,
    path: String,
    visit: String,
    /// Urgent or not, how it stands, which it is and why.
    checks: Vec<(bool, String, String)>,
}

struct ScoreRow {
    name: String,
    path: String,
    due: Vec<(bool, String)>,
}

/// How much of it waits for this person; empty where nothing does.
pub fn count(app: &AppState, person: &Person) -> String {
    let waits = app.floor.waits();
    let mine = [(Privilege::BookVisits, waits.to_book), (Privilege::OpenCourse, waits.overdue)];
    let all: usize = mine.into_iter().filter(|(privilege, _)| person.may(*privilege)).map(|(_, n)| n).sum();
    if all == 0 { String::new() } else { all.to_string() }
}

/// `GET /worklist`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let person = visit.person()?.clone();
    let gathered = app.blocking(move |app| {
        let list = app.floor.worklist()?;
        let may = |privilege| person.may(privilege);
        let says_why = may(Privilege::OpenCourse);
        let books = may(Privilege::BookVisits).then(|| {
            let moves = listed(&list.moves, |one| move_row(app, one, says_why))?;
            let unbooked = listed(&list.unbooked, |one| unbooked_row(app, one))?;
            Ok::<_, Fault>(Books { says_why, moves, unbooked })
        });
        let checks = says_why.then(|| listed(&of_each(&list.checks), |own| checks_row(app, own)));
        let scores = may(Privilege::OpenScores).then(|| listed(&list.scores, |one| score_row(app, one)));
        Ok::<_, Fault>((books.transpose()?, checks.transpose()?, scores.transpose()?))
    });
    let (books, checks, scores) = gathered.await??;
    let as_of = tasks::clock_time(&app, app.clock.now());
    let page = Page::new(&app, &visit, "Worklist");
    html(StatusCode::OK, &Worklist { page, as_of, ahead_d: AHEAD_D, books, checks, scores })
}

fn listed<T, R>(all: &[T], row: impl Fn(&T) -> Result<R, Fault>) -> Result<List<R>, Fault> {
    let rows = all.iter().take(ROWS_MOST).map(row).collect::<Result<Vec<R>, Fault>>()?;
    Ok(List { all: all.len(), rows })
}

fn name(app: &AppState, patient: &PatientId) -> Result<String, Fault> {
    let known = app.floor.patient(patient)?;
    Ok(known
        .map_or_else(|| patient.to_string(), |known| format!("{}, MRN {}", known.banner_name(), known.mrn)))
}

fn move_row(
    app: &AppState,
    (patient, visit): &(PatientId, Booked),
    says_why: bool,
) -> Result<VisitRow, Fault> {
    let stays = Booked { must_move: None, ..visit.clone() };
    let why = if says_why { visit.must_move.clone().unwrap_or_default() } else { String::new() };
    Ok(VisitRow {
        name: name(app, patient)?,
        path: format!("/patients/{patient}/booking#book"),
        what: visit.what.title().to_owned(),
        when: booking::line(app, &stays),
        why,
        call: contact(app, patient)?,
    })
}

fn unbooked_row(app: &AppState, one: &Unbooked) -> Result<VisitRow, Fault> {
    let last = one.last.map_or_else(|| "none yet".to_owned(), |at| tasks::clock_time(app, at));
    Ok(VisitRow {
        name: name(app, &one.patient)?,
        path: format!("/patients/{}/booking", one.patient),
        what: booking::not_booked(one.missing, one.planned),
        when: last,
        why: String::new(),
        call: contact(app, &one.patient)?,
    })
}

/// Phone number or address that the patient left: in the inquiry, else for reminders.
fn contact(app: &AppState, patient: &PatientId) -> Result<String, Fault> {
    let view = |view: &str, key: &str| app.store.view(&app.config.site, view, key);
    let inquiry = view(JOINED, patient.as_str())?.and_then(|body| serde_json::from_str::<String>(&body).ok());
    let row = inquiry.map(|id| view("inquiries", &id)).transpose()?.flatten();
    let left = row.and_then(|body| serde_json::from_str::<inquiries::Row>(&body).ok()).map(|row| row.contact);
    if let Some(contact) = left.filter(|contact| !contact.is_empty()) {
        return Ok(contact);
    }
    Ok(app.floor.reminders(patient)?.email.unwrap_or_default())
}

/// Those of one patient, which stand together.
fn of_each(checks: &[CheckDue]) -> Vec<&[CheckDue]> {
    checks.chunk_by(|one, next| one.patient == next.patient).collect()
}

fn checks_row(app: &AppState, own: &[CheckDue]) -> Result<CheckRow, Fault> {
    let Some(first) = own.first() else { return Ok(CheckRow::default()) };
    let says = |one: &CheckDue| {
        let stands = match one.asked {
            Asked::Overdue => "overdue".to_owned(),
            Asked::OverdueBy(visit) => format!("overdue by the visit of {}", day(visit)),
            Asked::Due => "due".to_owned(),
            Asked::From(from) => format!("due from {}", day(from)),
        };
        let check = app.floor.knowledge().title(one.finding.rule.as_str());
        (one.is_urgent(), stands, format!("{check}: {}", one.finding.reason))
    };
    Ok(CheckRow {
        name: name(app, &first.patient)?,
        path: format!("/patients/{}/course#checks-title", first.patient),
        visit: first.visit.map_or_else(|| "none booked".to_owned(), day),
        checks: own.iter().map(says).collect(),
    })
}

fn score_row(app: &AppState, one: &ScoresDue) -> Result<ScoreRow, Fault> {
    let title = |scale: &String| app.floor.knowledge().title(scale);
    let at = |at: Timestamp| tasks::clock_time(app, at);
    let asked = one.asked.iter().map(|(scale, asked)| {
        (true, format!("{}: asked for by {} of {}, now", title(scale), asked.by, at(asked.since)))
    });
    let says = |(scale, due): &(String, Due)| {
        let (urgent, when) = match due.state {
            DueState::Coming => (false, format!("opens {}", at(due.opens))),
            DueState::Missed => (false, format!("not answered, closed {}", at(due.closes))),
            DueState::Open | DueState::Answered(_) => (true, format!("open until {}", at(due.closes))),
        };
        (urgent, format!("{}, {}: {when}", title(scale), due.title))
    };
    let (name, path) = (name(app, &one.patient)?, format!("/patients/{}/scores", one.patient));
    Ok(ScoreRow { name, path, due: asked.chain(one.due.iter().map(says)).collect() })
}
