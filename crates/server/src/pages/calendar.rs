//! The calendar: a day or a week, who comes when and to which chair.

mod grid;

use self::grid::{Down, Grid};
use super::visit::form::Choice;
use super::visit::head::day as day_title;
use super::{Error, Page, html};
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use clinic::course::calendar::{Calendar, weekday};
use clinic::course::diary::{Entry, Standing as Seen};
use clinic::course::reminder::Standing;
use clinic::course::{Booked, What};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

/// Days of the longer view.
const WEEK_D: i32 = 7;

/// Which day, and how many.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    day: String,
    #[serde(default)]
    view: String,
}

/// What is shown at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Day,
    Week,
    Grid(Down),
}

impl View {
    const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Grid(Down::Chairs), Self::Grid(Down::People)];

    const fn key(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Grid(Down::Chairs) => "chairs",
            Self::Grid(Down::People) => "people",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Day => "One day",
            Self::Week => "Seven days",
            Self::Grid(Down::Chairs) => "A week by chair",
            Self::Grid(Down::People) => "A week by person",
        }
    }
}

#[derive(Template)]
#[template(path = "pages/calendar.html")]
struct CalendarPage {
    page: Page,
    day: String,
    view: &'static str,
    views: Vec<Choice>,
    grid: Option<Grid>,
    before: String,
    after: String,
    wrong: String,
    days: Vec<Day>,
    /// There is a column for reminders.
    reminders: bool,
    /// The feed of one's own visits; empty for who has none.
    feed: String,
    waiting: bool,
}

struct Day {
    date: Date,
    id: String,
    title: String,
    /// Why nobody is booked; empty on an open day.
    closed: String,
    visits: Vec<Row>,
}

struct Row {
    from: String,
    to: String,
    what: String,
    name: String,
    /// Where to read on; empty for who may not.
    path: String,
    chair: String,
    with: Vec<String>,
    /// What became of the reminder; empty where none are sent, or for who does not see to it.
    reminder: String,
    /// Somebody must call.
    call: bool,
}

/// `GET /calendar`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let today = app.clock.now().to_zoned(app.config.time_zone()).date();
    let typed = asked.day.trim();
    let (day, wrong) = match typed.parse::<Date>() {
        Ok(day) => (day, String::new()),
        Err(_) if typed.is_empty() => (today, String::new()),
        Err(_) => (today, format!("“{typed}” is not a day. Accepted is YYYY-MM-DD, such as 2026-12-01.")),
    };
    let view = View::ALL.into_iter().find(|view| view.key() == asked.view).unwrap_or(View::Day);
    let length = if view == View::Day { 1 } else { WEEK_D };
    let first = match view {
        View::Grid(_) => monday(day),
        View::Day | View::Week => day,
    };
    let links = visit.person()?.may(Privilege::BookVisits);
    let reminders = links && app.config.mail.is_some();
    let (whose, here) = (visit.person()?.id().clone(), host(&headers));
    let gathered = app.blocking(move |app| {
        let calendar = app.config.calendar(app.floor.knowledge());
        let dates = (0..length).filter_map(|n| first.checked_add(n.days()).ok());
        let days = dates.map(|date| one_day(app, &calendar, date, (links, reminders)));
        let days = days.collect::<Result<Vec<_>, Fault>>()?;
        let grid = match view {
            View::Grid(down) => Some(grid::of(app, &calendar, down, &days)),
            View::Day | View::Week => None,
        };
        let feed = super::feed::path_of(app, &whose)?.map(|path| format!("webcal://{here}{path}"));
        Ok::<_, Fault>((days, grid, feed.unwrap_or_default()))
    });
    let (days, grid, feed) = gathered.await??;
    let moved = |by: i32| day.checked_add(by.days()).unwrap_or(day).to_string();
    let page = CalendarPage {
        page: Page::new(&app, &visit, "Calendar"),
        day: day.to_string(),
        view: view.key(),
        views: View::ALL
            .into_iter()
            .map(|one| Choice { chosen: one == view, ..Choice::of(one.key(), one.title()) })
            .collect(),
        grid,
        before: moved(-length),
        after: moved(length),
        days,
        wrong,
        reminders,
        feed,
        waiting: links,
    };
    let status = if page.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    html(status, &page)
}

/// The Monday on or before a day.
fn monday(day: Date) -> Date {
    let past = day.weekday().to_monday_zero_offset();
    day.checked_sub(i32::from(past).days()).unwrap_or(day)
}

/// Where a calendar finds this server, as the browser that asks found it.
fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned()
}

fn one_day(
    app: &AppState,
    calendar: &Calendar,
    date: Date,
    (links, reminders): (bool, bool),
) -> Result<Day, Fault> {
    let mut visits = Vec::new();
    for Entry { course, patient, place: visit, standing, planned } in app.floor.day_as_it_is(date)?.entries()
    {
        let clock = |at| calendar.local(at).strftime("%H:%M").to_string();
        let known = app.floor.patient(patient)?;
        let people = [&visit.nurse, &visit.prescriber, &visit.therapist].into_iter().flatten();
        let (reminder, call) = if reminders && standing.is_none() {
            told(app, &app.floor.reminders(patient)?.standing(visit.start, app.clock.now()))
        } else {
            Default::default()
        };
        visits.push(Row {
            reminder,
            call,
            from: clock(visit.start),
            to: clock(visit.end),
            what: what(&visit, course.is_some(), (standing, planned), app.clock.now()),
            name: known.map_or_else(|| patient.to_string(), |known| known.banner_name()),
            path: if links { format!("/patients/{patient}/booking") } else { String::new() },
            chair: visit.chair.as_ref().map(ToString::to_string).unwrap_or_default(),
            with: people.map(|who| app.floor.called(who)).collect(),
        });
    }
    let title = format!("{} {}", weekday(date), day_title(date));
    Ok(Day {
        date,
        id: format!("day-{date}"),
        title,
        closed: calendar.closed(date).unwrap_or_default(),
        visits,
    })
}

/// `Infusion, under way`; where nobody booked it, it came on another day than planned, or a newer plan does not leave it
/// there, or nobody came, that.
fn what(
    visit: &Booked,
    is_booked: bool,
    (standing, planned): (Option<Seen>, Option<Date>),
    now: Timestamp,
) -> String {
    let (title, booked) = (visit.what.title(), if is_booked { "" } else { ", not booked" });
    let standing = match (standing, planned) {
        (Some(standing), None) => format!(", {}", standing.title()),
        (Some(standing), Some(day)) => format!(", {}, planned for {}", standing.title(), day_title(day)),
        (None, _) if visit.what == What::Infusion && visit.end <= now => ", no check-in".to_owned(),
        (None, _) if visit.must_move.is_some() => ", must be moved".to_owned(),
        (None, _) => String::new(),
    };
    format!("{title}{booked}{standing}")
}

/// What became of a reminder, and whether somebody must call instead.
fn told(app: &AppState, standing: &Standing) -> (String, bool) {
    let at = |at| super::tasks::clock_time(app, at);
    match standing {
        Standing::Due => ("to be sent".to_owned(), false),
        Standing::Sending => ("being sent".to_owned(), false),
        Standing::Sent(when) => (format!("sent {}", at(*when)), false),
        Standing::Later { why } => (format!("failed, tried again: {why}"), false),
        Standing::GaveUp { why } => (format!("NOT SENT, call the patient: {why}"), true),
        Standing::NotKnown(when) => {
            (format!("not known whether it was sent {}, call the patient", at(*when)), true)
        }
        Standing::NoAddress { asked: true } => ("the patient wants none".to_owned(), false),
        Standing::NoAddress { asked: false } => ("nobody asked the patient".to_owned(), false),
    }
}
