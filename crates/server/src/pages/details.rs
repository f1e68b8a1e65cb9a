//! Who a patient is, as it is registered: a slip is corrected here, and what stood there before is shown under it.

use super::error::as_told;
use super::patients::{another_field, asks_another, detail_fields, says_another, typed_details};
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::PatientAct;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::{CommandId, PatientId};
use clinic::patient::{Details, Event, Patient};

/// Where a record is joined to another.
pub const JOIN: &str = "/patients/{id}/join";

#[derive(Template)]
#[template(path = "pages/details.html")]
struct DetailsPage {
    page: Page,
    patient: String,
    form: Form,
    /// For who treats, where the record is open.
    join: Option<Form>,
    corrected: Vec<Corrected>,
    sheet: bool,
}

/// One correction.
struct Corrected {
    when: String,
    by: String,
    why: String,
    changes: Vec<Change>,
}

/// What stood there, and what stands there since.
struct Change {
    label: &'static str,
    was: String,
    now: String,
}

/// `GET /patients/{id}/details`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, id: PatientId, sent: Sent) -> Result<Response, Error> {
    let whose = id.clone();
    let history = app.blocking(move |app| app.floor.patient_history(&whose)).await??;
    let mut known: Option<Patient> = None;
    let mut corrected = Vec::new();
    for (at, by, event) in history {
        let before = known.clone();
        let why =
            if let Event::DetailsCorrected { reason, .. } = &event { reason.clone() } else { String::new() };
        known = event.evolve(known);
        if let (false, Some(before), Some(after)) = (why.is_empty(), before, &known) {
            let when = at.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M").to_string();
            corrected.push(Corrected {
                when,
                by: app.floor.called(&by),
                why,
                changes: changes(&before, after),
            });
        }
    }
    corrected.reverse();
    let known = known.ok_or(Error::NotFound)?;
    let title = format!("Details of {}", known.banner_name());
    let form = form(&id, known, &sent).filled(&sent);
    let joins = visit.person()?.may(Privilege::Assess) && app.floor.joined_to(&id)?.is_none();
    let join = joins.then(|| join_form(&id).filled(&sent));
    let page = DetailsPage {
        page: Page::new(app, visit, title).with_errors(sent.summary(std::iter::once(&form).chain(&join))),
        patient: format!("/patients/{id}"),
        form,
        join,
        corrected,
        sheet: false,
    };
    html(sent.status, &page)
}

fn changes(before: &Patient, after: &Patient) -> Vec<Change> {
    let told = |one: &Patient| {
        [
            ("Family name", one.family.clone()),
            ("Given name", one.given.clone()),
            ("Day of birth", day(one.born)),
            ("Record number", one.mrn.clone()),
            ("Sex", if one.sex == "f" { "female" } else { "male" }.to_owned()),
        ]
    };
    let both = told(before).into_iter().zip(told(after));
    let differing = both.filter(|((_, was), (_, now))| was != now);
    differing.map(|((label, was), (_, now))| Change { label, was, now }).collect()
}

fn form(id: &PatientId, known: Patient, sent: &Sent) -> Form {
    let values = [known.family, known.given, known.born.to_string(), known.mrn, known.sex];
    let fields = detail_fields().into_iter().zip(values).map(|(field, value)| field.known(value));
    let form = Form::new("details", format!("/patients/{id}/details"), "Correct details", "Correct")
        .hint("For a slip at registration. What stood there before stays below, with your name and your reason.")
        .with_all(fields)
        .with(
            Field::new(Kind::Words, "reason", "Why it is corrected")
                .hint("For example what passport or wristband say."),
        );
    if asks_another(sent) { form.with(another_field()) } else { form }
}

fn join_form(id: &PatientId) -> Form {
    Form::new("join", format!("/patients/{id}/join"), "Registered twice?", "Close this record")
        .hint("This record closes and is read on. Its infusions, checks and answers count with the record that stays; consents are asked again, and its links to sign or to read open nothing more. It cannot be taken back.")
        .grave()
        .quiet()
        .with(Field::new(Kind::Line, "stays", "Number of the record that stays"))
        .with(Field::new(Kind::Words, "reason", "How you know that it is one person"))
}

/// `POST /patients/{id}/join`: this record closes, the one with the number that was typed stays.
pub async fn join(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::Assess) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (sent, whose) = (posted.clone(), patient.clone());
    let joined = app.blocking(move |app| {
        let mut typed = Typed::new(sent, app.config.time_zone());
        let said = typed.needed("stays", "The record number").zip(typed.needed("reason", "The reason"));
        let command_id = CommandId::new(typed.posted().command_id());
        let act = PatientAct { command_id: &command_id, actor: &actor, patient: &whose };
        match said.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some((stays, reason)) => app.floor.join_records(&act, &stays, &reason).map_err(as_told),
        }
    });
    match joined.await? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}")).into_response()),
        Err((errors, status)) => {
            draw(&app, &visit, patient, Sent { form: "join".to_owned(), posted, errors, status }).await
        }
    }
}

/// `POST /patients/{id}/details`
pub async fn correct(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::CheckIn) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (sent, whose) = (posted.clone(), patient.clone());
    let corrected = app.blocking(move |app| {
        let mut typed = Typed::new(sent, app.config.time_zone());
        let said = typed_correction(&mut typed);
        let (command_id, another) =
            (CommandId::new(typed.posted().command_id()), says_another(typed.posted()));
        match said.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(said) => {
                let act = PatientAct { command_id: &command_id, actor: &actor, patient: &whose };
                app.floor.correct_details(&act, said, another).map_err(as_told)
            }
        }
    });
    match corrected.await? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}/details")).into_response()),
        Err((errors, status)) => {
            draw(&app, &visit, patient, Sent { form: "details".to_owned(), posted, errors, status }).await
        }
    }
}

fn typed_correction(typed: &mut Typed) -> Option<(Details, String)> {
    let details = typed_details(typed);
    let reason = typed.needed("reason", "The reason");
    Some((details?, reason?))
}
