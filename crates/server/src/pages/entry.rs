//! Staff enter a scale for a patient: all its questions on one page, or the total of a form on paper. A correction is
//! the same page with a reason, and leaves what it corrects in the record.

use super::answer::choices;
use super::error::status_of;
use super::scores::Known;
use super::tasks::answered_time;
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::{Done, PatientAct};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::{CommandId, PatientId, QuestionnaireId};
use clinic::knowledge::Item;
use clinic::knowledge::scales::{Scale, ScaleItem};
use clinic::quantity::plain;
use clinic::scale::questionnaire::{Answered, Corrects, Entry, Refusal};
use clinic::scale::{Given, accepted_answers, read_number};
use clinic::staff::Actor;
use rust_decimal::Decimal;
use serde::Deserialize;

/// Which scale, what it corrects, and whether only its total is entered.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    scale: String,
    #[serde(default)]
    corrects: String,
    #[serde(default)]
    total: String,
}

impl Asked {
    fn of(posted: &Posted) -> Self {
        let text = |field| posted.text(field).to_owned();
        Self { scale: text("scale"), corrects: text("corrects"), total: text("total_alone") }
    }

    /// The total alone is asked where there are no questions, or where that was chosen.
    fn is_total(&self, item: &Item<Scale>) -> bool {
        item.body.items.is_empty() || (!self.total.is_empty() && item.body.total.is_some())
    }
}

#[derive(Template)]
#[template(path = "pages/entry.html")]
struct EntryPage {
    page: Page,
    name: String,
    back: String,
    stem: String,
    notice: String,
    /// What is corrected, in words.
    corrects: String,
    /// To the other way of entering; empty where there is none.
    other: String,
    is_total: bool,
    enter: Form,
    void: Option<Form>,
    sheet: bool,
}

/// A score in one line: `16, moderately severe`, or why there is none.
pub(super) fn entered_line(answered: &Answered) -> String {
    let result = &answered.result;
    let total = match (result.total, result.complete) {
        (Some(total), _) => plain(total.round_dp(2)),
        (None, false) => "no result, too much is missing".to_owned(),
        (None, true) => String::new(),
    };
    let parts = [total, result.band.clone().unwrap_or_default()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "answered".to_owned() } else { parts.join(", ") }
}

/// `GET /patients/{id}/scores/enter`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), asked, Sent::nothing()).await
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    id: PatientId,
    asked: Asked,
    sent: Sent,
) -> Result<Response, Error> {
    let item = app.knowledge.scales.get(&asked.scale).ok_or(Error::NotFound)?;
    let whose = id.clone();
    let known = app.blocking(move |app| Known::read(app, &whose)).await??.ok_or(Error::NotFound)?;
    let corrected = known.all.all.get(&QuestionnaireId::new(&asked.corrects));
    let corrected = corrected.and_then(|one| one.answered.as_ref()).map(|(answered, _, _)| answered);
    if !asked.corrects.is_empty() && corrected.is_none() {
        return Err(Error::NotFound);
    }
    let is_total = match corrected.map(|answered| &answered.given) {
        Some(Given::Total(_)) => true,
        Some(Given::Answers(_)) => false,
        None => asked.is_total(item),
    };
    let enter = enter_form(app, &id, item, &asked, is_total, corrected).filled(&sent);
    let void = corrected.map(|_| void_form(&id, &asked).filled(&sent));
    let errors = sent.summary(std::iter::once(&enter).chain(&void));
    let both = !item.body.items.is_empty() && item.body.total.is_some() && corrected.is_none();
    let other = match (both, is_total) {
        (false, _) => String::new(),
        (true, true) => format!("?scale={}", asked.scale),
        (true, false) => format!("?scale={}&total=1", asked.scale),
    };
    let page = EntryPage {
        page: Page::new(app, visit, item.header.title.clone()).with_errors(errors),
        name: known.patient.banner_name(),
        back: format!("/patients/{id}/scores"),
        stem: if is_total { String::new() } else { item.body.stem.clone() },
        notice: item.body.licence.notice.clone(),
        corrects: corrected.map_or_else(String::new, |answered| {
            format!("{} of {}", entered_line(answered), answered_time(app, answered.at))
        }),
        other: if other.is_empty() { other } else { format!("/patients/{id}/scores/enter{other}") },
        is_total,
        enter,
        void,
        sheet: false,
    };
    html(sent.status, &page)
}

fn enter_form(
    app: &AppState,
    id: &PatientId,
    item: &Item<Scale>,
    asked: &Asked,
    is_total: bool,
    corrected: Option<&Answered>,
) -> Form {
    let mut form = Form::new("enter", format!("/patients/{id}/scores/enter"), "", "Save")
        .hidden("scale", &item.header.id)
        .hidden("corrects", &asked.corrects)
        .hidden("total_alone", if is_total { "1" } else { "" });
    if is_total {
        let [low, high] = item.body.total.unwrap_or_default().map(plain);
        let total = Field::number("total", "Total", "").hint(format!("{low} to {high}"));
        let paper = Field::new(Kind::Line, "form", "The form it is from")
            .hint("Such as: form on paper, edition, day.");
        let (value, from) = match corrected.map(|answered| (&answered.given, &answered.form)) {
            Some((Given::Total(total), from)) => (plain(*total), from.clone()),
            _ => Default::default(),
        };
        form = form.with(total.known(value)).with(paper.known(from));
    } else {
        let before = match corrected.map(|answered| &answered.given) {
            Some(Given::Answers(answers)) => answers.clone(),
            _ => Vec::new(),
        };
        for (at, question) in item.body.items.iter().enumerate() {
            let known = before.get(at).copied().flatten().map_or_else(String::new, plain);
            form = form.with(question_field(&item.body, question).known(known));
        }
    }
    let moment =
        |at: jiff::Timestamp| at.to_zoned(app.config.time_zone()).strftime("%Y-%m-%dT%H:%M").to_string();
    let at = corrected.map_or_else(String::new, |answered| moment(answered.at));
    form = form.with(
        Field::new(Kind::Moment, "at", "When it was answered")
            .hint("Empty: now. Clock of the clinic.")
            .known(at),
    );
    if corrected.is_some() {
        form = form.with(Field::new(Kind::Line, "reason", "Why it is corrected"));
    }
    form
}

fn question_field(scale: &Scale, question: &ScaleItem) -> Field {
    let words = if question.ask.is_empty() { &question.title } else { &question.ask };
    let label = format!("{}. {words}", question.id);
    let name = format!("item-{}", question.id);
    let choices = choices(scale, question);
    let mut field = if choices.is_empty() {
        Field::number(name, label, "").hint(accepted_answers(scale, question))
    } else {
        Field::one(name, label, choices)
    };
    let ends = if question.ends.is_empty() { &scale.ends } else { &question.ends };
    if let [from, to] = ends.as_slice() {
        let [low, high] = scale.values_of(question).map(plain);
        field = field.hint(format!("{low}: {from}. {high}: {to}."));
    }
    field
}

fn void_form(id: &PatientId, asked: &Asked) -> Form {
    Form::new("void", format!("/patients/{id}/scores/void"), "It does not count at all", "Do not count it")
        .hint("Such as: answered by somebody else. It stays in the record and leaves the scores.")
        .hidden("scale", &asked.scale)
        .hidden("corrects", &asked.corrects)
        .with(Field::new(Kind::Line, "reason", "Why it does not count"))
        .quiet()
}

fn typed_given(typed: &mut Typed, item: &Item<Scale>, asked: &Asked) -> Option<Given> {
    if asked.is_total(item) {
        let text = typed.text("total");
        let Some(total) = read_number(&text) else {
            return typed.wrong("total", format!("The total “{text}” is no number. Enter it in digits."));
        };
        return match Given::total(item, total) {
            Ok(given) => Some(given),
            Err(why) => typed.wrong("total", why),
        };
    }
    let mut answers = Vec::new();
    for question in &item.body.items {
        answers.push(typed_answer(typed, item, question));
    }
    Some(Given::Answers(answers))
}

/// A number that the question has, or nothing where nothing was chosen.
fn typed_answer(typed: &mut Typed, item: &Item<Scale>, question: &ScaleItem) -> Option<Decimal> {
    let name = format!("item-{}", question.id);
    let text = typed.text(&name);
    if text.is_empty() {
        return None;
    }
    match Given::answer(item, question, &text) {
        Ok(value) => value,
        Err(why) => typed.wrong(&name, why),
    }
}

/// `POST /patients/{id}/scores/enter`
pub async fn save(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, "enter", posted, |app, patient, actor, item, typed| {
        let asked = Asked::of(typed.posted());
        let given = typed_given(typed, item, &asked);
        let at = typed.moment("at", "The time", app.clock.now());
        let corrects = Some(QuestionnaireId::new(&asked.corrects)).filter(|which| !which.as_str().is_empty());
        let corrects = corrects.map(|which| Corrects { which, reason: typed.text("reason") });
        let entry = Entry { given: given?, at: at?, form: typed.text("form"), corrects };
        if !typed.errors.is_empty() {
            return None;
        }
        let command = CommandId::new(typed.posted().command_id());
        let act = PatientAct { command_id: &command, actor, patient };
        Some(app.floor.enter_scale(&act, item, &entry))
    })
    .await
}

/// `POST /patients/{id}/scores/void`
pub async fn void(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, "void", posted, |app, patient, actor, _, typed| {
        let which = QuestionnaireId::new(typed.text("corrects"));
        let command = CommandId::new(typed.posted().command_id());
        let act = PatientAct { command_id: &command, actor, patient };
        Some(app.floor.void_scale(&act, &which, &typed.text("reason")))
    })
    .await
}

type Denied = crate::floor::Denied;

/// Reads a form and carries it out; what is wrong comes back beside its field.
async fn act(
    app: &AppState,
    visit: &Visit,
    id: String,
    form: &str,
    posted: Posted,
    decide: impl FnOnce(&AppState, &PatientId, &Actor, &Item<Scale>, &mut Typed) -> Option<Result<Done, Denied>>
    + Send
    + 'static,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::EnterScale) else { return Err(Error::SignIn) };
    let (patient, asked) = (PatientId::new(id), Asked::of(&posted));
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let item = app.knowledge.scales.get(&asked.scale).ok_or(Error::NotFound)?.clone();
    let (sent, whose) = (posted.clone(), patient.clone());
    let done = app.blocking(move |app| {
        let mut typed = Typed::new(sent, app.config.time_zone());
        match decide(app, &whose, &actor, &item, &mut typed) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(Ok(_)) => Ok(()),
            Some(Err(denied)) => {
                let status = match denied {
                    Denied::Scale(Refusal::CorrectedBefore { .. }) => StatusCode::CONFLICT,
                    _ => status_of(&denied),
                };
                Err((vec![FieldError::denied(&denied.place(), &denied)], status))
            }
        }
    });
    match done.await? {
        Ok(()) => {
            let to = format!("/patients/{patient}/scores?entered={}", posted.command_id());
            Ok(Redirect::to(&to).into_response())
        }
        Err((errors, status)) => {
            draw(app, visit, patient, asked, Sent { form: form.to_owned(), posted, errors, status }).await
        }
    }
}
