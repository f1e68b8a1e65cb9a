//! The simulation lab: regimens compared, on one typical person or on many. For study; nothing here is an order, and
//! nothing of it is written down.

use super::{Error, FieldError, Page, error, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::lab::comparison::{Comparison, MODELS_MAX, PEOPLE_MAX, Question, REGIMENS_MAX, Wrong, offered};
use crate::lab::plot::Plot;
use crate::lab::series::Series;
use crate::record::drawing::Drawing;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use clinic::knowledge::Knowledge;
use clinic::knowledge::pd_models::Role;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the simulation that somebody else runs.
const TURN: Duration = Duration::from_secs(10);

#[derive(Template)]
#[template(path = "pages/lab.html")]
struct LabPage {
    page: Page,
    asked: Question,
    models: Vec<Tick>,
    effects: Vec<Tick>,
    regimens: Vec<Regimen>,
    people_max: u64,
    models_max: usize,
    results: Vec<Part>,
    rows: Vec<Row>,
    /// Address of the same question without levels; empty without results.
    address: String,
}

struct Regimen {
    letter: char,
    name: String,
    doses: String,
}

/// One box to tick.
struct Tick {
    id: String,
    title: String,
    ticked: bool,
}

/// What one model says.
struct Part {
    id: String,
    title: String,
    notes: Vec<String>,
    pictures: Vec<Drawing>,
}

/// One line of the table.
struct Row {
    regimen: String,
    model: String,
    what: String,
    greatest: String,
    at: String,
    people: String,
    studies: String,
    end: String,
    outside: bool,
}

/// `GET /lab`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        return draw(&app, &visit, first(&app.knowledge), None);
    };
    answered(&app, &visit, read(&query)).await
}

/// `POST /lab`: the same. A question with a patient's levels is answered at once and stands in no address; one without
/// goes on to its address.
pub async fn ask(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let question = Question::read(posted.pairs());
    if question.measured.is_empty() {
        return Ok(Redirect::to(&format!("/lab?{}#results", question.query())).into_response());
    }
    answered(&app, &visit, question).await
}

async fn answered(app: &AppState, visit: &Visit, question: Question) -> Result<Response, Error> {
    match compared(app, question.clone()).await? {
        Some(answer) => draw(app, visit, question, Some(answer)),
        None => Ok(busy(app, visit)),
    }
}

/// `GET /lab/comparison.csv`
pub async fn csv(
    State(app): State<AppState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let question = read(&query.unwrap_or_default());
    match compared(&app, question.clone()).await? {
        Some(Ok(found)) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"comparison.csv\""),
            ];
            Ok((headers, found.sheet().csv()).into_response())
        }
        Some(refused) => draw(&app, &visit, question, Some(refused)),
        None => Ok(busy(&app, &visit)),
    }
}

fn read(query: &str) -> Question {
    Question::of_address(form_urlencoded::parse(query.as_bytes()).into_owned())
}

/// What is ticked before anybody asked anything.
fn first(knowledge: &Knowledge) -> Question {
    let models = offered(knowledge).first().map(|(id, _)| (*id).to_owned()).into_iter().collect();
    Question { models, ..Question::default() }
}

/// One simulation runs at a time, off the threads that serve pages; `None` when that takes too long. It ends by its
/// own bounds, also when nobody waits for it any more.
async fn compared(
    app: &AppState,
    question: Question,
) -> Result<Option<Result<Comparison, Vec<Wrong>>>, Error> {
    let turn = tokio::time::timeout(TURN, Arc::clone(&app.lab).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Ok(None) };
    let answer = app.blocking(move |app| {
        let answer = question.answer(&app.knowledge);
        drop(turn);
        answer
    });
    Ok(Some(answer.await?))
}

fn busy(app: &AppState, visit: &Visit) -> Response {
    let why = "Somebody else's simulation is running, and one runs at a time. Try again in a moment.";
    error::page(app, visit, StatusCode::SERVICE_UNAVAILABLE, "Busy", why)
}

fn draw(
    app: &AppState,
    visit: &Visit,
    asked: Question,
    answer: Option<Result<Comparison, Vec<Wrong>>>,
) -> Result<Response, Error> {
    let (found, wrong) = match answer {
        Some(Ok(found)) => (Some(found), Vec::new()),
        Some(Err(wrong)) => (None, wrong),
        None => (None, Vec::new()),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let errors = wrong.into_iter().map(|wrong| FieldError::at(&wrong.field, wrong.text)).collect();
    let address = if found.is_some() { asked.query() } else { String::new() };
    let lab = LabPage {
        page: Page::new(app, visit, "Simulation lab").with_errors(errors),
        models: models(&app.knowledge, &asked),
        effects: effects(&app.knowledge, &asked),
        regimens: regimens(&asked),
        people_max: PEOPLE_MAX,
        models_max: MODELS_MAX,
        rows: found.as_ref().map(rows).unwrap_or_default(),
        results: found.map(parts).unwrap_or_default(),
        address,
        asked,
    };
    html(status, &lab)
}

fn regimens(asked: &Question) -> Vec<Regimen> {
    let each = ('A'..).zip(1..=REGIMENS_MAX).zip(&asked.regimens);
    each.map(|((letter, place), doses)| Regimen { letter, name: format!("r{place}"), doses: doses.clone() })
        .collect()
}

fn models(knowledge: &Knowledge, asked: &Question) -> Vec<Tick> {
    let tick = |(id, title): (&str, &str)| Tick {
        id: id.to_owned(),
        title: title.to_owned(),
        ticked: asked.models.iter().any(|asked| asked == id),
    };
    offered(knowledge).into_iter().map(tick).collect()
}

/// Without the sandbox, which stays with the command line.
fn effects(knowledge: &Knowledge, asked: &Question) -> Vec<Tick> {
    let shown = knowledge.pd_models.iter().filter(|item| item.body.role != Role::Sandbox);
    let tick = shown.map(|item| {
        let id = item.header.id.clone();
        let belief = if item.body.role == Role::Exploratory { " (exploratory)" } else { "" };
        let ticked = asked.effects.contains(&id);
        Tick { id, title: format!("{}{belief}", item.header.title), ticked }
    });
    tick.collect()
}

fn parts(found: Comparison) -> Vec<Part> {
    let part = |model: crate::lab::comparison::ByModel| Part {
        pictures: model.pictures.iter().map(Plot::small).collect(),
        id: model.id,
        title: model.title,
        notes: model.notes,
    };
    found.models.into_iter().map(part).collect()
}

fn rows(found: &Comparison) -> Vec<Row> {
    let title = |id: &str| {
        let model = found.models.iter().find(|model| model.id == id);
        model.map(|model| model.title.clone()).unwrap_or_default()
    };
    let row = |one: &Series| {
        let what = &one.what;
        let farthest = what.typical.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let (place, greatest) = farthest?;
        let between = |low: f64, high: f64| format!("{} to {}", number(low), number(high));
        let people = what.people.as_ref().and_then(|rows| rows.get(place));
        let studies = what.studies.as_ref().and_then(|band| band.get(place));
        Some(Row {
            regimen: one.regimen.clone(),
            model: title(&one.model),
            what: what.title.clone(),
            greatest: format!("{} {}", number(*greatest), what.unit),
            at: found.times.get(place).map(|time| format!("{:.0} min", time.0)).unwrap_or_default(),
            people: people
                .and_then(|row| Some(between(*row.first()?, *row.last()?)))
                .unwrap_or_else(|| "–".to_owned()),
            studies: studies.map_or_else(|| "–".to_owned(), |(low, high)| between(*low, *high)),
            end: what.typical.last().map(|end| number(*end)).unwrap_or_default(),
            outside: what.outside,
        })
    };
    found.series.iter().filter_map(row).collect()
}

/// Three digits, or one behind the point.
fn number(value: f64) -> String {
    let text = if value.abs() < 99.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    if text == "-0.0" { "0.0".to_owned() } else { text }
}
