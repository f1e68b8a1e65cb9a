//! The visits of a course in the calendar: dates proposed by the plan, chair and people chosen, all booked or none. A
//! visit is moved in the same form, and all of them are judged again.

use super::error::status_of;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::auth::staff::Account;
use crate::floor::Booking;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::calendar::{clock, weekday};
use clinic::course::{Booked, Stage};
use clinic::gate::Verdict;
use clinic::id::{ChairId, CommandId, PatientId, StaffId};
use clinic::staff::Role;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

/// Most visits that one form carries.
const VISITS_MAX: usize = 60;

/// From when visits are wished.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    start: String,
    #[serde(default)]
    at: String,
}

#[derive(Template)]
#[template(path = "pages/booking.html")]
struct BookingPage {
    page: Page,
    name: String,
    path: String,
    patient: String,
    /// Why nothing can be booked.
    closed: &'static str,
    booked: Vec<String>,
    start: String,
    at: String,
    wrong: String,
    told: Vec<String>,
    book: Option<Form>,
    cancel: Option<Form>,
    sheet: bool,
}

/// `GET /patients/{id}/booking`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let patient = PatientId::new(id);
    let shown = app.blocking(move |app| gathered(app, &patient, &asked, &Sent::nothing())).await?;
    let gathered = shown?.ok_or(Error::NotFound)?;
    draw(&app, &visit, gathered, &Sent::nothing())
}

fn draw(app: &AppState, visit: &Visit, mut drawn: BookingPage, sent: &Sent) -> Result<Response, Error> {
    let errors = sent.summary(drawn.book.iter().chain(&drawn.cancel));
    drawn.page = Page::new(app, visit, "Book visits").with_errors(errors);
    let status = if drawn.wrong.is_empty() { sent.status } else { StatusCode::UNPROCESSABLE_ENTITY };
    html(status, &drawn)
}

fn gathered(
    app: &AppState,
    id: &PatientId,
    asked: &Asked,
    sent: &Sent,
) -> Result<Option<BookingPage>, Fault> {
    let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
    let course = app.floor.course(id)?.course;
    let now = app.clock.now();
    let coming: Vec<Booked> = course.booked.iter().filter(|visit| visit.start >= now).cloned().collect();
    let mut starts: Vec<Timestamp> = coming.iter().map(|visit| visit.start).collect();
    let (mut told, mut wrong) = (Vec::new(), String::new());
    match wished(asked) {
        Ok(None) => {}
        Err(why) => wrong = why,
        Ok(Some(wished)) => {
            let calendar = app.config.calendar(app.floor.knowledge());
            if let Some(proposal) = app.floor.propose_visits(id, wished, &calendar)? {
                let worth = proposal.everything().filter(|found| found.verdict >= Verdict::Warn);
                told = worth.map(|found| found.reason.clone()).collect();
                starts = proposal.visits.iter().map(|visit| visit.start).collect();
            }
        }
    }
    // What was sent and refused stands as it was typed.
    let typed: usize = sent.posted.text("visits").parse().unwrap_or(0);
    if sent.form == "book" && (1..=VISITS_MAX).contains(&typed) {
        starts = vec![now; typed];
    }
    let path = format!("/patients/{id}/booking");
    let closed = match course.stage {
        Stage::New | Stage::Closed => "No plan is signed. A prescriber signs one first.",
        Stage::Induction | Stage::Maintenance { .. } => "",
    };
    let book = (closed.is_empty() && !starts.is_empty())
        .then(|| book_form(app, &path, &starts, coming.first(), sent))
        .transpose()?;
    let cancel = (!coming.is_empty()).then(|| {
        Form::new("cancel", format!("{path}/cancel"), "Cancel all visits still to come", "Cancel the visits")
            .grave()
    });
    Ok(Some(BookingPage {
        page: Page::bare("Book visits"),
        name: patient.banner_name(),
        patient: format!("/patients/{id}"),
        closed,
        booked: coming.iter().map(|visit| line(app, visit)).collect(),
        start: asked.start.clone(),
        at: asked.at.clone(),
        wrong,
        told,
        book,
        cancel,
        path,
        sheet: false,
    }))
}

fn wished(asked: &Asked) -> Result<Option<(Date, Option<jiff::civil::Time>)>, String> {
    let (start, at) = (asked.start.trim(), asked.at.trim());
    if start.is_empty() {
        return Ok(None);
    }
    let day = start.parse().map_err(|_| {
        format!("The first day “{start}” is not a day. Accepted is YYYY-MM-DD, such as 2026-12-01.")
    })?;
    let time = (!at.is_empty()).then(|| {
        clock(at)
            .ok_or_else(|| format!("The time “{at}” is not a time of day. Accepted is HH:MM, such as 09:30."))
    });
    Ok(Some((day, time.transpose()?)))
}

/// `Tuesday 2026-12-01 09:00 to 11:00, chair 3, kim`.
pub fn line(app: &AppState, visit: &Booked) -> String {
    let zone = app.config.time_zone();
    let (start, end) = (visit.start.to_zoned(zone.clone()), visit.end.to_zoned(zone));
    let chair = visit.chair.as_ref().map_or_else(String::new, |chair| format!(", chair {chair}"));
    let people = [&visit.nurse, &visit.prescriber, &visit.therapist].into_iter().flatten();
    let people: String = people.map(|who| format!(", {}", app.floor.called(who))).collect();
    format!(
        "{} {} {} to {}{chair}{people}",
        weekday(start.date()),
        start.date(),
        start.strftime("%H:%M"),
        end.strftime("%H:%M")
    )
}

/// One moment for each visit, which may be moved; then chair and people.
fn book_form(
    app: &AppState,
    path: &str,
    starts: &[Timestamp],
    before: Option<&Booked>,
    sent: &Sent,
) -> Result<Form, Fault> {
    let accounts = app.auth.accounts().all()?;
    let people = |role: Role, nobody: &str| {
        let mut choices = vec![Choice::of("", nobody)];
        let may = accounts.iter().filter(|one: &&Account| !one.disabled && one.roles.contains(&role));
        choices.extend(may.map(|one| Choice::of(&one.id, &one.name)));
        choices
    };
    let chairs = [Choice::of("", "Choose")].into_iter();
    let chairs = chairs.chain(app.floor.chairs().into_iter().map(|chair| Choice::of(&chair, &chair)));
    let was =
        |of: fn(&Booked) -> Option<&StaffId>| before.and_then(of).map_or("", StaffId::as_str).to_owned();
    let chair = before.and_then(|visit| visit.chair.as_ref()).map_or("", ChairId::as_str);
    let zone = app.config.time_zone();
    let mut form = Form::new("book", path, "Visits", "Book all of them")
        .hint("Each begins at this time on the clinic's clock and lasts until the patient may go home. All are booked, or none.");
    for (n, start) in (1..).zip(starts) {
        let local = start.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string();
        form = form.with(Field::new(Kind::Moment, format!("visit-{n}"), format!("Visit {n}")).known(local));
    }
    let form = form
        .hidden("visits", starts.len().to_string())
        .with(Field::listed("chair", "Chair", chairs.collect()).known(chair))
        .with(
            Field::listed("nurse", "Nurse", people(Role::Nurse, "Choose"))
                .known(was(|visit| visit.nurse.as_ref())),
        )
        .with(
            Field::listed("prescriber", "Prescriber", people(Role::Prescriber, "Nobody named"))
                .known(was(|visit| visit.prescriber.as_ref())),
        )
        .with(
            Field::listed("therapist", "Therapist", people(Role::Therapist, "Nobody named"))
                .known(was(|visit| visit.therapist.as_ref())),
        );
    Ok(form.filled(sent))
}

/// `POST /patients/{id}/booking`
pub async fn book(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, &PatientId::new(id), ("book", posted), typed_booking).await
}

/// `POST /patients/{id}/booking/cancel`
pub async fn cancel(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let none = |_: &AppState, _: &mut Typed| {
        Some(Booking { starts: Vec::new(), place: Booked::between(Timestamp::MIN, Timestamp::MIN) })
    };
    act(&app, &visit, &PatientId::new(id), ("cancel", posted), none).await
}

fn typed_booking(app: &AppState, typed: &mut Typed) -> Option<Booking> {
    let count: usize = typed.whole("visits", "The number of visits")?;
    if !(1..=VISITS_MAX).contains(&count) {
        return typed.wrong("", format!("{count} visits; accepted are 1 to {VISITS_MAX}."));
    }
    let moments = (1..=count).map(|n| typed.needed_moment(&format!("visit-{n}"), &format!("Visit {n}")));
    let starts: Vec<Option<Timestamp>> = moments.collect();
    let chair = typed.chosen("chair", "Choose a chair.").map(ChairId::new);
    let nurse = typed.chosen("nurse", "Choose a nurse.").map(StaffId::new);
    if let Some(chair) = chair.as_ref().filter(|chair| !app.floor.chairs().contains(chair)) {
        return typed.wrong("chair", format!("There is no chair {chair}."));
    }
    let person = |typed: &mut Typed, field: &str, role: Role| {
        let who = StaffId::new(typed.maybe(field)?);
        let found = app.auth.accounts().find(&who).ok().flatten();
        if found.is_some_and(|one| !one.disabled && one.roles.contains(&role)) {
            return Some(who);
        }
        typed.wrong(field, format!("{who} is no {} who works here.", role.title()))
    };
    if nurse.is_some() {
        let _known = person(typed, "nurse", Role::Nurse);
    }
    let prescriber = person(typed, "prescriber", Role::Prescriber);
    let therapist = person(typed, "therapist", Role::Therapist);
    let times = Booked::between(Timestamp::MIN, Timestamp::MIN);
    let place = Booked { chair: Some(chair?), nurse: Some(nurse?), prescriber, therapist, ..times };
    Some(Booking { starts: starts.into_iter().collect::<Option<_>>()?, place })
}

async fn act<F>(
    app: &AppState,
    visit: &Visit,
    patient: &PatientId,
    (form, posted): (&str, Posted),
    make: F,
) -> Result<Response, Error>
where
    F: FnOnce(&AppState, &mut Typed) -> Option<Booking> + Send + 'static,
{
    let Some(actor) = visit.person()?.acting(Privilege::BookVisits) else { return Err(Error::SignIn) };
    if app.floor.patient(patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (whose, form) = (patient.clone(), form.to_owned());
    let acted = app.blocking(move |app| {
        let mut typed = Typed::new(posted.clone(), app.config.time_zone());
        let made = make(app, &mut typed).filter(|_| typed.errors.is_empty());
        let (errors, status) = match made {
            None => (typed.errors, StatusCode::UNPROCESSABLE_ENTITY),
            Some(booking) => {
                let calendar = app.config.calendar(app.floor.knowledge());
                let act = CommandId::new(posted.command_id());
                match app.floor.book(&whose, &act, &actor, &booking, &calendar) {
                    Ok(_) => return Ok(None),
                    Err(denied) => (vec![FieldError::denied(denied.field(), &denied)], status_of(&denied)),
                }
            }
        };
        let sent = Sent { form, posted, errors, status };
        Ok::<_, Fault>(gathered(app, &whose, &Asked::default(), &sent)?.map(|drawn| (drawn, sent)))
    });
    match acted.await?? {
        None => Ok(Redirect::to(&format!("/patients/{patient}/booking")).into_response()),
        Some((drawn, sent)) => draw(app, visit, drawn, &sent),
    }
}
