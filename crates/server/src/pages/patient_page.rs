//! The link that opens a patient's own page: given, shown to be passed on, taken back.

use super::error::as_told;
use super::scores::here;
use super::tasks::clock_time;
use super::visit::form::{Form, Sent};
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::auth::privilege::Privilege;
use crate::floor::{Denied, Done, Floor, PatientAct};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::patient_page::{Given, LASTS, MISSES_MOST, PatientPage, Standing};
use clinic::id::{CommandId, PatientId};

#[derive(Template)]
#[template(path = "pages/patient_page.html")]
struct Giving {
    page: Page,
    patient: String,
    /// What became of the link so far.
    says: String,
    /// As a phone opens it; empty where none opens the page.
    address: String,
    give: Form,
    take_back: Option<Form>,
    sheet: bool,
}

/// `GET /patients/{id}/page`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), &headers, Sent::nothing()).await
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    id: PatientId,
    headers: &HeaderMap,
    sent: Sent,
) -> Result<Response, Error> {
    let (here, whose) = (here(app, headers), id.clone());
    let known = app.blocking(move |app| {
        let Some(patient) = app.floor.patient(&whose)? else { return Ok(None) };
        let given = app.floor.patient_page(&whose)?;
        let key = LinkKey::of(&app.store, &app.config.site, For::Page, app.clock.now())?;
        let address = open(&given, app).map_or_else(String::new, |one| address(&key, &whose, one, &here));
        Ok::<_, Fault>(Some((patient, given, address)))
    });
    let (patient, given, address) = known.await??.ok_or(Error::NotFound)?;
    let path = format!("/patients/{id}/page");
    let give = Form::new("give", &path, "Give the patient a link", "Make a new link")
        .hint(format!(
            "It opens the page for {} days with the day of birth, on any phone, without a sign-in. A new link ends \
             the one before, and {MISSES_MOST} wrong days of birth end it too.",
            LASTS.as_hours() / 24
        ))
        .filled(&sent);
    let take_back = given.given.as_ref().map(|_| {
        let form = Form::new("back", format!("{path}/back"), "Take the link back", "Take it back");
        form.hint("The page opens no more. Nothing of the record changes.").quiet().filled(&sent)
    });
    let errors = sent.summary(std::iter::once(&give).chain(&take_back));
    let page = Giving {
        page: Page::new(app, visit, format!("The page of {}", patient.banner_name())).with_errors(errors),
        patient: format!("/patients/{id}"),
        says: says(app, &given),
        address,
        give,
        take_back,
        sheet: false,
    };
    html(sent.status, &page)
}

/// The link where it opens the page now.
fn open<'a>(page: &'a PatientPage, app: &AppState) -> Option<&'a Given> {
    let now = app.clock.now();
    page.given.as_ref().filter(|given| page.standing(&given.link, now) == Standing::Open)
}

fn address(key: &LinkKey, patient: &PatientId, given: &Given, here: &str) -> String {
    let link = Link { patient: patient.clone(), form: given.link.clone(), ends_s: given.ends.as_second() };
    format!("{here}/mine/{}", key.sign(&link))
}

fn says(app: &AppState, page: &PatientPage) -> String {
    let Some(given) = &page.given else { return "No link opens the page of this patient.".to_owned() };
    let opened = given.opened.map_or_else(
        || "It was not opened yet.".to_owned(),
        |at| format!("It was opened last at {}.", clock_time(app, at)),
    );
    match page.standing(&given.link, app.clock.now()) {
        Standing::Open => format!("A link opens the page until {}. {opened}", clock_time(app, given.ends)),
        Standing::Closed => format!(
            "The link ended after {MISSES_MOST} wrong days of birth. {opened} Ask the patient whether somebody else has it."
        ),
        Standing::Ended | Standing::Replaced => {
            format!("The time of the link was over at {}. {opened}", clock_time(app, given.ends))
        }
    }
}

/// `POST /patients/{id}/page`
pub async fn give(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Error> {
    acted(&app, &visit, id, &headers, ("give", posted), Floor::give_page).await
}

/// `POST /patients/{id}/page/back`
pub async fn take_back(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Error> {
    acted(&app, &visit, id, &headers, ("back", posted), Floor::take_page_back).await
}

async fn acted(
    app: &AppState,
    visit: &Visit,
    id: String,
    headers: &HeaderMap,
    (form, posted): (&str, Posted),
    act: fn(&Floor, &PatientAct) -> Result<Done, Denied>,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::EnterScale) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (whose, command_id) = (patient.clone(), CommandId::new(posted.command_id()));
    let done = app.blocking(move |app| {
        act(&app.floor, &PatientAct { command_id: &command_id, actor: &actor, patient: &whose })
    });
    match done.await? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}/page")).into_response()),
        Err(denied) => {
            let (errors, status) = as_told(denied);
            let sent = Sent { form: form.to_owned(), posted, errors, status };
            draw(app, visit, patient, headers, sent).await
        }
    }
}
