//! Who waits for a place, and to whom a place that became free may go. It suggests; a person asks the patient and books.

use super::booking::{self, carried_out};
use super::tasks::clock_time;
use super::visit::form::{Field, Form, Kind};
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::Offer;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::course::waitlist::{Event, Waiting, Waitlist};
use clinic::id::PatientId;

#[derive(Template)]
#[template(path = "pages/waiting.html")]
struct WaitingPage {
    page: Page,
    offers: Vec<OfferRow>,
    waiting: Vec<Row>,
}

/// A place that became free.
struct OfferRow {
    place: String,
    /// To whom it may go; empty where nobody who waits may have it.
    name: String,
    /// Where it is booked.
    path: String,
    passed: Vec<String>,
}

struct Row {
    since: String,
    name: String,
    path: String,
    wish: String,
    by: String,
}

/// `GET /waitlist`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::BookVisits) else { return Err(Error::SignIn) };
    let gathered = app.blocking(move |app| {
        let list = app.floor.waitlist()?;
        let calendar = app.config.calendar(app.floor.knowledge());
        let offers = app.floor.offers(&actor, &calendar)?;
        let offers = offers.iter().map(|offer| offered(app, offer)).collect::<Result<Vec<_>, Fault>>()?;
        let waiting = list.waiting.iter().map(|one| row(app, one)).collect::<Result<Vec<_>, Fault>>()?;
        Ok::<_, Fault>((offers, waiting))
    });
    let (offers, waiting) = gathered.await??;
    html(StatusCode::OK, &WaitingPage { page: Page::new(&app, &visit, "Waiting list"), offers, waiting })
}

fn name(app: &AppState, patient: &PatientId) -> Result<String, Fault> {
    let known = app.floor.patient(patient)?;
    Ok(known.map_or_else(|| patient.to_string(), |known| known.banner_name()))
}

fn offered(app: &AppState, offer: &Offer) -> Result<OfferRow, Fault> {
    let passed = offer
        .passed
        .iter()
        .map(|(patient, why)| Ok(format!("Not to {}: {}", name(app, patient)?, why.join(" "))));
    let start = offer.place.start.to_zoned(app.config.time_zone());
    let path = offer
        .to
        .as_ref()
        .map(|to| format!("/patients/{to}/booking?start={}&at={}", start.date(), start.strftime("%H:%M")));
    Ok(OfferRow {
        place: booking::line(app, &offer.place),
        name: offer.to.as_ref().map_or(Ok(String::new()), |to| name(app, to))?,
        path: path.unwrap_or_default(),
        passed: passed.collect::<Result<_, Fault>>()?,
    })
}

fn row(app: &AppState, one: &Waiting) -> Result<Row, Fault> {
    Ok(Row {
        since: clock_time(app, one.since),
        name: name(app, &one.patient)?,
        path: format!("/patients/{}/booking", one.patient),
        wish: one.wish.clone(),
        by: app.floor.called(&one.by),
    })
}

/// Puts the patient on the list, or takes the patient off.
pub(super) fn form(app: &AppState, id: &PatientId) -> Result<Form, Fault> {
    let list: Waitlist = app.floor.waitlist()?;
    let path = format!("/patients/{id}/wait");
    Ok(match list.since(id) {
        None => Form::new("wait", path, "Waiting list", "Put on the waiting list")
            .hint(
                "A place that becomes free is offered to who has waited longest. Nobody is booked by itself.",
            )
            .quiet()
            .with(Field::new(Kind::Line, "wish", "What suits the patient").at_most(300)),
        Some(since) => Form::new("wait", format!("{path}/end"), "Waiting list", "Take off the waiting list")
            .hint(format!("Waits since {}.", clock_time(app, since)))
            .quiet()
            .with(Field::new(Kind::Line, "reason", "Reason")),
    })
}

/// `POST /patients/{id}/wait`
pub async fn wait(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    carried_out(&app, &visit, id, ("wait", posted), |app, typed, act| {
        let asked = Event::WaitBegan { patient: act.patient.clone(), wish: typed.text("wish") };
        Some(app.floor.change_waitlist(&act.id, &act.actor, &asked))
    })
    .await
}

/// `POST /patients/{id}/wait/end`
pub async fn end(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    carried_out(&app, &visit, id, ("wait", posted), |app, typed, act| {
        let asked = Event::WaitEnded { patient: act.patient.clone(), reason: typed.text("reason") };
        Some(app.floor.change_waitlist(&act.id, &act.actor, &asked))
    })
    .await
}
