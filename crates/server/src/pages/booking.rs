//! The visits of a course in the calendar: dates proposed by the plan, chair and people chosen, all booked or none. A
//! visit is moved in the same form, and all of them are judged again.

mod form;

use super::consent::NotAgreed;
use super::error::status_of;
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::{Booking, Denied, Done};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::calendar::{clock, weekday};
use clinic::course::{Booked, Course, Refusal, Stage, What, propose_talks};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, PatientId};
use clinic::staff::Actor;
use form::Filled;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
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
    /// `yes`: with preparation and integration.
    #[serde(default)]
    talks: String,
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
    consent: NotAgreed,
    booked: Vec<String>,
    /// Booked, and not in the plan any more.
    beyond: Vec<String>,
    /// Booked where a newer plan does not leave them.
    moves: Vec<String>,
    /// How many visits of the plan are neither given nor booked; empty where none is.
    unbooked: String,
    booking: String,
    start: String,
    at: String,
    talks: bool,
    /// The first day that may be asked for.
    today: Date,
    /// What is wrong with the first day, and with the time of day.
    wrong: Wrong,
    told: Vec<String>,
    forms: Vec<Form>,
    sheet: bool,
}

/// What is wrong with the day and with the time from which visits are wished; empty where nothing is.
#[derive(Default)]
struct Wrong {
    start: String,
    at: String,
}

impl Wrong {
    const fn is_empty(&self) -> bool {
        self.start.is_empty() && self.at.is_empty()
    }
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
    let errors = sent.summary(&drawn.forms);
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
    let coming: Vec<Booked> = course.to_come(now).cloned().collect();
    let checked_in = course.under_way.as_ref().is_some_and(|here| !here.begun);
    let mut filled = Filled { checked_in, ..Filled::booked(&coming) };
    let today = now.to_zoned(app.config.time_zone()).date();
    let (mut told, mut wrong) = (Vec::new(), Wrong::default());
    match wished(asked, today) {
        Ok(None) => {}
        Err(why) => wrong = why,
        Ok(Some(wished)) => (filled, told) = proposed(app, id, wished, asked.talks == "yes", filled)?,
    }
    let filled = filled.typed(sent);
    let path = format!("/patients/{id}/booking");
    let closed = match course.stage {
        Stage::New | Stage::Closed => "No plan is signed. A prescriber signs one first.",
        Stage::Induction | Stage::Maintenance { .. } => "",
    };
    let mut forms = Vec::new();
    if closed.is_empty() && !filled.starts.is_empty() {
        forms.push(form::form(app, &path, &filled, sent)?);
    }
    if !coming.is_empty() {
        let (title, submit) = ("Cancel all visits still to come", "Cancel the visits");
        forms.push(Form::new("cancel", format!("{path}/cancel"), title, submit).grave());
    }
    forms.push(super::waiting::form(app, id)?.filled(sent));
    forms.push(reminder_form(app, id)?.filled(sent));
    Ok(Some(BookingPage {
        page: Page::bare("Book visits"),
        name: patient.banner_name(),
        patient: format!("/patients/{id}"),
        consent: if closed.is_empty() { NotAgreed::read(app, id)? } else { NotAgreed::default() },
        closed,
        booked: coming.iter().map(|visit| line(app, visit)).collect(),
        beyond: beyond_plan(app, &course),
        moves: must_move(app, &course),
        unbooked: unbooked(app, &course),
        booking: path.clone(),
        start: asked.start.clone(),
        at: asked.at.clone(),
        talks: asked.talks == "yes",
        today,
        wrong,
        told,
        forms,
        path,
        sheet: false,
    }))
}

/// What the plan proposes from a day on, and what the rules say of it.
fn proposed(
    app: &AppState,
    id: &PatientId,
    wished: (Date, Option<Time>),
    with_talks: bool,
    booked: Filled,
) -> Result<(Filled, Vec<String>), Fault> {
    let calendar = app.config.calendar(app.floor.knowledge());
    let Some(proposal) = app.floor.propose_visits(id, wished, &calendar)? else {
        return Ok((booked, Vec::new()));
    };
    let infusions: Vec<Booked> =
        proposal.visits.iter().map(|visit| Booked::between(visit.start, visit.end)).collect();
    let starts = infusions.iter().map(|visit| visit.start).collect();
    let mut filled = Filled { starts, talks: booked.talk_to_come(), ..booked };
    let mut findings: Vec<Finding> = proposal.everything().cloned().collect();
    if with_talks {
        let (talks, missing) = propose_talks(&infusions, app.clock.now(), &calendar, app.floor.knowledge());
        filled = filled.with_talks(&talks);
        findings.extend(missing);
    }
    let told = findings.into_iter().filter(|found| found.verdict >= Verdict::Warn);
    Ok((filled, told.map(|found| found.reason).collect()))
}

fn wished(asked: &Asked, today: Date) -> Result<Option<(Date, Option<Time>)>, Wrong> {
    let (start, at) = (asked.start.trim(), asked.at.trim());
    if start.is_empty() {
        return Ok(None);
    }
    let of_start = |why: String| Wrong { start: why, ..Wrong::default() };
    let day: Date = start.parse().map_err(|_| {
        of_start(format!("The first day “{start}” is not a day. Accepted is YYYY-MM-DD, such as {today}."))
    })?;
    if day < today {
        return Err(of_start(format!("The first day {day} is past. Accepted is {today} or later.")));
    }
    let time = (!at.is_empty()).then(|| {
        let why = || format!("The time “{at}” is not a time of day. Accepted is HH:MM, such as 09:30.");
        clock(at).ok_or_else(|| Wrong { at: why(), ..Wrong::default() })
    });
    Ok(Some((day, time.transpose()?)))
}

/// `Tuesday 2026-12-01 09:00 to 11:00, chair 3, kim`; a talk says what it is.
pub fn line(app: &AppState, visit: &Booked) -> String {
    let zone = app.config.time_zone();
    let (start, end) = (visit.start.to_zoned(zone.clone()), visit.end.to_zoned(zone));
    let what = if visit.what == What::Infusion { String::new() } else { format!(", {}", visit.what.title()) };
    let chair = visit.chair.as_ref().map_or_else(String::new, |chair| format!(", chair {chair}"));
    let people = [&visit.nurse, &visit.prescriber, &visit.therapist].into_iter().flatten();
    let people: String = people.map(|who| format!(", {}", app.floor.called(who))).collect();
    let why = visit.must_move.as_ref().map_or_else(String::new, |why| format!(" — must be moved: {why}"));
    format!(
        "{} {} {} to {}{what}{chair}{people}{why}",
        weekday(start.date()),
        start.date(),
        start.strftime("%H:%M"),
        end.strftime("%H:%M")
    )
}

/// Visits to come that the plan does not have any more, in lines.
pub(super) fn beyond_plan(app: &AppState, course: &Course) -> Vec<String> {
    course.beyond_plan(app.clock.now()).into_iter().map(|visit| line(app, visit)).collect()
}

/// Visits to come that a newer plan does not leave where they are, in lines with the reason.
pub(super) fn must_move(app: &AppState, course: &Course) -> Vec<String> {
    course.must_move(app.clock.now()).map(|visit| line(app, visit)).collect()
}

/// `2 of the 6 infusions of the plan`
pub(super) fn not_booked(missing: usize, planned: u32) -> String {
    format!("{missing} of the {planned} infusions of the plan")
}

/// How many visits of the plan nobody has booked yet, in a sentence; empty where none is.
pub(super) fn unbooked(app: &AppState, course: &Course) -> String {
    let (missing, planned) =
        (course.unbooked(app.clock.now()), course.plan().map_or(0, |plan| plan.infusions));
    if missing == 0 {
        return String::new();
    }
    let are = if missing == 1 { "is" } else { "are" };
    format!("{} {are} neither given nor booked.", not_booked(missing, planned))
}

/// `POST /patients/{id}/booking`
pub async fn book(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    carried_out(&app, &visit, id, ("book", posted), |app, typed, act| {
        let booking = form::typed(app, typed).filter(|_| typed.errors.is_empty())?;
        takes_the_place(app, typed, act, &booking)?;
        Some(booked(app, act, &booking))
    })
    .await
}

/// Whoever moves one visit says so by its time; two or more that leave the calendar are asked about by name.
fn takes_the_place(app: &AppState, typed: &mut Typed, act: &Act, booking: &Booking) -> Option<()> {
    let now = app.clock.now();
    let course = app.floor.course(&act.patient).map(|opened| opened.course).unwrap_or_default();
    let stays = |start: Timestamp| {
        booking.starts.contains(&start) || booking.talks.iter().any(|(_, _, at)| *at == start)
    };
    let leave: Vec<String> =
        course.to_come(now).filter(|visit| !stays(visit.start)).map(|visit| line(app, visit)).collect();
    if leave.len() < 2 || typed.posted().text("replaces") == "yes" {
        return Some(());
    }
    let why = format!(
        "{} visits that are booked would leave the calendar: {}. Tick it where they shall.",
        leave.len(),
        leave.join("; ")
    );
    typed.wrong("replaces", why)
}

/// `POST /patients/{id}/booking/cancel`
pub async fn cancel(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let nothing = |app: &AppState, _: &mut Typed, act: &Act| Some(booked(app, act, &Booking::nothing()));
    carried_out(&app, &visit, id, ("cancel", posted), nothing).await
}

/// Whether, and where, the patient wants to be reminded.
fn reminder_form(app: &AppState, id: &PatientId) -> Result<Form, Fault> {
    let reminders = app.floor.reminders(id)?;
    let known = match (&reminders.email, reminders.asked) {
        (Some(_), _) => "yes",
        (None, true) => "no",
        (None, false) => "",
    };
    let mut wants = Field::yes_no("wants", "The patient agrees to be reminded by e-mail").known(known);
    wants.hint = "A reminder says the first name and the time, nothing else.".to_owned();
    let address = Field::new(Kind::Line, "email", "E-mail address").filled_in_by("email");
    let form = Form::new("reminders", format!("/patients/{id}/reminders"), "Reminders", "Record it").quiet();
    let form = form.with(wants).with(address.known(reminders.email.unwrap_or_default()));
    Ok(if app.config.mail.is_none() {
        form.hint("No mail server is set ([mail] in the settings): nothing is sent until one is.")
    } else {
        form
    })
}

/// `POST /patients/{id}/reminders`
pub async fn agree(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    carried_out(&app, &visit, id, ("reminders", posted), |app, typed, act| {
        let wants = typed.chosen("wants", "Say whether the patient wants reminders.")?;
        let email = typed.text("email");
        let email = (wants == "yes").then_some(email.as_str());
        Some(app.floor.agree_reminders(&act.patient, &act.id, &act.actor, email))
    })
    .await
}

fn booked(app: &AppState, act: &Act, booking: &Booking) -> Result<Done, Denied> {
    let calendar = app.config.calendar(app.floor.knowledge());
    app.floor.book(&act.patient, &act.id, &act.actor, booking, &calendar)
}

/// Who does what for whom.
pub(super) struct Act {
    /// Whose visits.
    pub patient: PatientId,
    /// The same one never acts twice.
    pub id: CommandId,
    /// Who.
    pub actor: Actor,
}

/// Carries out one form of the page; `None` where what was typed is wrong, which stands in `Typed`.
pub(super) async fn carried_out<F>(
    app: &AppState,
    visit: &Visit,
    id: String,
    (form, posted): (&str, Posted),
    work: F,
) -> Result<Response, Error>
where
    F: FnOnce(&AppState, &mut Typed, &Act) -> Option<Result<Done, Denied>> + Send + 'static,
{
    let Some(actor) = visit.person()?.acting(Privilege::BookVisits) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let back = format!("/patients/{patient}/booking");
    let form = form.to_owned();
    let acted = app.blocking(move |app| {
        let mut typed = Typed::new(posted.clone(), app.config.time_zone());
        let act = Act { patient, id: CommandId::new(posted.command_id()), actor };
        let (errors, status) = match work(app, &mut typed, &act) {
            Some(Ok(_)) => return Ok(None),
            Some(Err(denied)) => (errors_of(&denied), status_of(&denied)),
            None => (typed.errors, StatusCode::UNPROCESSABLE_ENTITY),
        };
        let sent = Sent { form, posted, errors, status };
        Ok::<_, Fault>(gathered(app, &act.patient, &Asked::default(), &sent)?.map(|drawn| (drawn, sent)))
    });
    match acted.await?? {
        None => Ok(Redirect::to(&back).into_response()),
        Some((drawn, sent)) => draw(app, visit, drawn, &sent),
    }
}

/// Each visit that a rule stops is told beside its own field.
fn errors_of(denied: &Denied) -> Vec<FieldError> {
    match denied {
        Denied::Course(Refusal::Visits(stopped)) => {
            stopped.iter().map(|one| FieldError::at(&one.field, &one.why)).collect()
        }
        denied => vec![FieldError::denied(denied.field(), denied)],
    }
}
