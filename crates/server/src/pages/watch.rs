//! The long watch of a patient: what they have had here and elsewhere, what falls due by it, signs of misuse.

use super::error::as_told;
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::between::{Between, Elsewhere, Event, signs};
use clinic::course::exposure::{Exposure, Sum, ledger, review, tolerance};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, PatientId};
use clinic::patient::Patient;
use clinic::quantity::plain;
use jiff::civil::Date;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "pages/watch.html")]
struct Watch {
    page: Page,
    patient: String,
    sums: Vec<[String; 6]>,
    found: Vec<Line>,
    checks: Vec<Line>,
    given: Vec<Row>,
    forms: Vec<Form>,
    /// Signs of misuse that nobody has asked about yet.
    unasked: usize,
    signs: Vec<String>,
    sheet: bool,
}

struct Line {
    state: &'static str,
    text: String,
    rule: String,
}

struct Row {
    on: String,
    dose: String,
    place: String,
    words: String,
}

/// All that the page is made of, read at once.
struct Read {
    patient: Patient,
    given: Vec<Exposure>,
    between: Between,
    checks: Vec<Finding>,
}

fn path(id: &PatientId) -> String {
    format!("/patients/{id}/watch")
}

fn today(app: &AppState) -> Date {
    app.clock.now().to_zoned(app.config.time_zone()).date()
}

/// `GET /patients/{id}/watch`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, &PatientId::new(id), Sent::nothing()).await
}

fn read(app: &AppState, id: &PatientId) -> Result<Option<Read>, Fault> {
    let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
    let (given, between) = (app.floor.exposures(id)?, app.floor.between(id)?);
    let checks = app.floor.checks_due(id, today(app))?;
    Ok(Some(Read { patient, given, between, checks }))
}

async fn draw(app: &AppState, visit: &Visit, id: &PatientId, sent: Sent) -> Result<Response, Error> {
    let whose = id.clone();
    let Read { patient, given, between, checks } =
        app.blocking(move |app| read(app, &whose)).await??.ok_or(Error::NotFound)?;
    let (today, knowledge) = (today(app), app.floor.knowledge());
    let had = ledger(&given, today);
    let mut found = if given.is_empty() { Vec::new() } else { review(&given, today, knowledge).findings };
    if !given.is_empty() {
        found.extend(tolerance(&given, knowledge).findings);
    }
    let (told, unasked): (Vec<_>, Vec<_>) =
        between.misuse(knowledge).findings.into_iter().partition(|one| one.inputs.contains_key("score"));
    found.extend(told);
    let forms: Vec<Form> =
        forms(app, id, &between, today).into_iter().map(|form| form.filled(&sent)).collect();
    let errors = sent.summary(&forms);
    let title = format!("Long watch of {}", patient.banner_name());
    let page = Watch {
        page: Page::new(app, visit, title).with_errors(errors),
        patient: format!("/patients/{id}"),
        sums: vec![sum("Ever", &had.lifetime), sum("In 12 months", &had.twelve_months)],
        found: found.iter().map(|finding| line(app, finding)).collect(),
        checks: checks.iter().map(|finding| line(app, finding)).collect(),
        given: rows(&given, &between),
        unasked: unasked.len(),
        signs: asked(app, &between),
        forms,
        sheet: false,
    };
    html(sent.status, &page)
}

fn sum(what: &str, sum: &Sum) -> [String; 6] {
    [
        what.to_owned(),
        sum.infusions.to_string(),
        sum.elsewhere.to_string(),
        sum.mass(),
        sum.by_weight(),
        sum.unknown_doses.to_string(),
    ]
}

fn line(app: &AppState, finding: &Finding) -> Line {
    let state = match finding.verdict {
        Verdict::Hold | Verdict::Stop => "red",
        Verdict::Warn => "amber",
        Verdict::Pass | Verdict::Info => "info",
    };
    let header = app.floor.knowledge().header(finding.rule.as_str());
    let unsigned = header.map_or_else(String::new, |header| header.unsigned_after(", "));
    let title = header.map_or(finding.rule.as_str(), |header| &header.title);
    Line {
        state,
        text: finding.reason.clone(),
        rule: format!("{title}, version {}{unsigned}", finding.version),
    }
}

/// Everything that was given, newest first; what was struck stays in view.
fn rows(given: &[Exposure], between: &Between) -> Vec<Row> {
    let dose = |mg: Option<String>, by_weight: Option<String>| match (mg, by_weight) {
        (None, None) => "not known".to_owned(),
        (mg, by_weight) => [mg, by_weight].into_iter().flatten().collect::<Vec<_>>().join(", "),
    };
    let here = given.iter().filter(|one| !one.elsewhere).map(|one| {
        let dose = dose(one.mg.map(|mg| mg.to_string()), one.mg_per_kg.map(|dose| dose.to_string()));
        (one.on, Row { on: day(one.on), dose, place: "here".to_owned(), words: String::new() })
    });
    let elsewhere = between.elsewhere.iter().map(|(entry, (one, struck))| {
        let by_weight = one.mg_per_kg.map(|dose| format!("{} mg/kg", plain(dose)));
        let dose = dose(one.mg.map(|mg| format!("{} mg", plain(mg))), by_weight);
        let place = match struck {
            None => format!("elsewhere, entry {entry}"),
            Some(reason) => format!("elsewhere, entry {entry}; does not count: {reason}"),
        };
        (one.on, Row { on: day(one.on), dose, place, words: one.words.clone() })
    });
    let mut rows: Vec<(Date, Row)> = here.chain(elsewhere).collect();
    rows.sort_by_key(|(on, _)| std::cmp::Reverse(*on));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn asked(app: &AppState, between: &Between) -> Vec<String> {
    let said = signs(app.floor.knowledge()).map(|(id, ask)| match between.signs.get(id) {
        Some((is, on)) => format!("{ask}: {}, asked {}", if *is { "yes" } else { "no" }, day(*on)),
        None => format!("{ask}: not asked"),
    });
    said.collect()
}

fn forms(app: &AppState, id: &PatientId, between: &Between, today: Date) -> Vec<Form> {
    let path = path(id);
    let mut signs_form =
        Form::new("signs", format!("{path}/signs"), "Ask for signs of misuse", "Record the signs").hint(
            "A sign is a reason to look, not a verdict on a person. What is left open stays as it was.",
        );
    for (id, ask) in signs(app.floor.knowledge()) {
        signs_form = signs_form.with(Field::yes_no(id, ask));
    }
    let elsewhere = Form::new(
        "elsewhere",
        format!("{path}/elsewhere"),
        "Ketamine or esketamine given elsewhere",
        "Record it",
    )
    .hint(
        "One dose an entry. Leave the dose empty where nobody knows: it counts as unknown, never as nothing.",
    )
    .with(Field::new(Kind::Day, "on", "On").known(today.to_string()))
    .with(Field::number("mg", "Dose", "mg"))
    .with(Field::number("mg_per_kg", "Dose by weight", "mg/kg"))
    .with(Field::new(Kind::Words, "words", "Drug, route, who gave it, who says so"));
    let mut forms = vec![signs_form, elsewhere];
    if between.elsewhere.values().any(|(_, struck)| struck.is_none()) {
        forms.push(
            Form::new("strike", format!("{path}/strike"), "Strike an entry", "It does not count")
                .grave()
                .with(Field::number("entry", "Number of the entry", ""))
                .with(Field::new(Kind::Line, "reason", "Reason")),
        );
    }
    forms
}

async fn note(
    app: &AppState,
    visit: &Visit,
    id: String,
    form: &str,
    posted: Posted,
    make: impl FnOnce(&AppState, &mut Typed) -> Option<Event> + Send + 'static,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::OpenCourse) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (whose, sent) = (patient.clone(), posted.clone());
    let noted = app.blocking(move |app| {
        let mut typed = Typed::new(sent, app.config.time_zone());
        let said = make(app, &mut typed).filter(|_| typed.errors.is_empty());
        let Some(said) = said else { return Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)) };
        let command = CommandId::new(typed.posted().command_id());
        let done = app.floor.note_between(&whose, (&command, &actor), &said, today(app));
        done.map_err(as_told)
    });
    match noted.await? {
        Ok(_) => Ok(Redirect::to(&path(&patient)).into_response()),
        Err((errors, status)) => {
            draw(app, visit, &patient, Sent { form: form.to_owned(), posted, errors, status }).await
        }
    }
}

/// `POST /patients/{id}/watch/elsewhere`
pub async fn elsewhere(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    note(&app, &visit, id, "elsewhere", posted, |_, typed| {
        let on = typed.day("on", "The day");
        let mg = typed.maybe_number("mg", "The dose", "mg");
        let mg_per_kg = typed.maybe_number("mg_per_kg", "The dose by weight", "mg/kg");
        Some(Event::TreatedElsewhere(Elsewhere { on: on?, mg, mg_per_kg, words: typed.text("words") }))
    })
    .await
}

/// `POST /patients/{id}/watch/signs`
pub async fn ask(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    note(&app, &visit, id, "signs", posted, |app, typed| {
        let mut seen = BTreeMap::new();
        for (id, ask) in signs(app.floor.knowledge()) {
            if let Some(is) = typed.yes_no(id, ask) {
                seen.insert(id.clone(), is);
            }
        }
        Some(Event::SignsAsked { on: today(app), seen })
    })
    .await
}

/// `POST /patients/{id}/watch/strike`
pub async fn strike(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    note(&app, &visit, id, "strike", posted, |_, typed| {
        let entry = typed.whole("entry", "The number of the entry", "the number of one that stands here");
        Some(Event::ElsewhereStruck { entry: entry?, reason: typed.text("reason") })
    })
    .await
}
