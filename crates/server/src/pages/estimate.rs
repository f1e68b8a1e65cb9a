//! What a patient's plan comes to: on paper, with its day and how long it holds. It holds nobody's care.

use super::error::as_told;
use super::tasks::clock_time;
use super::visit::form::{Form, Sent};
use super::visit::head::day;
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::PatientAct;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::price::{Estimate, Line};
use clinic::id::{CommandId, PatientId};

#[derive(Template)]
#[template(path = "pages/estimate.html")]
struct EstimatePage {
    page: Page,
    patient: String,
    facts: Vec<(&'static str, String)>,
    /// What the plan comes to now; none without a plan or prices.
    now: Option<Now>,
    give: Option<Form>,
    given: Vec<GivenRow>,
    sheet: bool,
}

struct Now {
    currency: String,
    lines: Vec<Line>,
    total: String,
    /// What is asked beside the plan.
    beside: String,
}

struct GivenRow {
    says: String,
    /// It is not what the plan comes to any more, or its time is over.
    stale: &'static str,
}

/// `GET /patients/{id}/estimate`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, id: PatientId, sent: Sent) -> Result<Response, Error> {
    let (whose, today) = (id.clone(), app.clock.now().to_zoned(app.config.time_zone()).date());
    let read = app.blocking(move |app| {
        let prices = app.floor.prices()?.pop().map(|(_, _, prices)| prices);
        let (now, given) = (app.floor.estimate(&whose, today)?, app.floor.estimates_given(&whose)?);
        Ok::<_, Fault>((app.floor.patient(&whose)?, prices, now, given))
    });
    let (patient, prices, now, given) = read.await??;
    let patient = patient.ok_or(Error::NotFound)?;
    let mut facts =
        vec![("Patient", patient.banner_name()), ("Born", day(patient.born)), ("MRN", patient.mrn)];
    if let Some(now) = &now {
        let version = format!("version {}", now.plan_version);
        facts.extend([("Made", day(now.on)), ("Holds until", day(now.until)), ("By the plan", version)]);
    }
    let rows = given.iter().rev().map(|(at, by, given)| GivenRow {
        says: format!(
            "{}, {}: {} {} by version {} of the plan, holds until {}",
            clock_time(app, *at),
            app.floor.called(by),
            given.total.of(&given.currency),
            given.currency,
            given.plan_version,
            day(given.until)
        ),
        stale: match &now {
            _ if given.until < today => "Its time is over.",
            Some(now) if given.is_still(now) => "",
            _ => "Plan or prices have changed since: give the patient a new one.",
        },
    });
    let give = now.as_ref().map(|now| {
        Form::new("give", format!("/patients/{id}/estimate"), "", "The patient was given this")
            .hidden("read", now.as_read())
            .filled(&sent)
    });
    let errors = sent.summary(&give);
    let page = EstimatePage {
        page: Page::new(app, visit, "Estimate").with_errors(errors),
        patient: format!("/patients/{id}"),
        facts,
        given: rows.collect(),
        now: now.zip(prices).map(|(now, prices)| Now {
            beside: format!(
                "Not in the sum: a consultation, {} {currency}; a booster after the series, {} {currency} each.",
                prices.consultation.of(&prices.currency),
                prices.booster.of(&prices.currency),
                currency = prices.currency
            ),
            ..written(now)
        }),
        give,
        sheet: false,
    };
    html(sent.status, &page)
}

fn written(Estimate { currency, lines, total, .. }: Estimate) -> Now {
    Now { total: total.of(&currency), currency, lines, beside: String::new() }
}

/// `POST /patients/{id}/estimate`: the patient was given what stood on the page.
pub async fn give(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::BookVisits) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (form, whose) = (posted.clone(), patient.clone());
    let today = app.clock.now().to_zoned(app.config.time_zone()).date();
    let done = app.blocking(move |app| {
        let command_id = CommandId::new(form.command_id());
        let act = PatientAct { command_id: &command_id, actor: &actor, patient: &whose };
        app.floor.give_estimate(&act, form.text("read"), today)
    });
    match done.await? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}/estimate")).into_response()),
        Err(denied) => {
            let (errors, status) = as_told(denied);
            draw(&app, &visit, patient, Sent { form: "give".to_owned(), posted, errors, status }).await
        }
    }
}
