//! A patient answers a scale on a phone, by a link: one question a page, each answer saved at once, nothing personal
//! shown. An answer that may not wait is told at once who sees it and when, with the numbers to call.

use super::error::status_of;
use super::inquiry::{CrisisCard, task_says};
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Sent};
use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::floor::{Denied, PatientAct};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::{CommandId, QuestionnaireId};
use clinic::knowledge::Item;
use clinic::knowledge::scales::{Scale, ScaleItem};
use clinic::quantity::plain;
use clinic::scale::questionnaire::{Questionnaire, Refusal, answer_in_words, is_asked};
use clinic::scale::{accepted_answers, read_number};
use clinic::staff::Actor;
use rust_decimal::Decimal;

/// More answers than this are typed, not tapped.
const TAPS_MOST: i64 = 12;
/// Left open by choice, as a button sends it.
const OPEN: &str = "-";

#[derive(Template)]
#[template(path = "pages/answer.html")]
struct Question {
    page: Page,
    /// `3 of 9`.
    progress: String,
    done: usize,
    of: usize,
    stem: String,
    notice: String,
    ask: Form,
    back: String,
    check: String,
    told: Told,
    sheet: bool,
}

#[derive(Template)]
#[template(path = "pages/answer_check.html")]
struct Check {
    page: Page,
    rows: Vec<CheckRow>,
    send: Form,
    told: Told,
    sheet: bool,
}

struct CheckRow {
    ask: String,
    answer: String,
    path: String,
}

#[derive(Template)]
#[template(path = "pages/answer_end.html")]
struct End {
    page: Page,
    says: Vec<String>,
    told: Told,
}

/// What a person in danger is told: numbers, and who sees the answer when.
struct Told {
    crisis: CrisisCard,
    says: Vec<String>,
    urgent: bool,
}

/// A link that this clinic signed, with what it leads to.
struct Opened {
    link: Link,
    token: String,
    item: Item<Scale>,
    one: Questionnaire,
}

/// Where a link leads.
enum Found {
    Open(Box<Opened>),
    /// It takes no answers: heading, words, and what is told of a task.
    Over(&'static str, Vec<String>, Told, StatusCode),
}

fn told(app: &AppState, one: Option<&Questionnaire>) -> Result<Told, crate::Fault> {
    let task = match one.and_then(|one| one.tasks.last()) {
        Some(id) => app.floor.task(id)?,
        None => None,
    };
    let says = task.map_or_else(Vec::new, |task| task_says(app, &task, "answer"));
    let urgent = !says.is_empty();
    Ok(Told { crisis: CrisisCard::new(app, urgent), says, urgent })
}

fn find(app: &AppState, token: &str) -> Result<Option<Found>, crate::Fault> {
    let now = app.clock.now();
    let key = LinkKey::of(&app.store, &app.config.site, For::Answers, now)?;
    let Some(link) = key.read(token) else { return Ok(None) };
    let all = app.floor.questionnaires(&link.patient)?;
    let Some(one) = all.all.get(&QuestionnaireId::new(&link.form)) else { return Ok(None) };
    let told = told(app, Some(one))?;
    if let Some((_, _, at)) = &one.answered {
        let says = vec![
            format!("Your answers were sent at {}. They are in your record.", clock_time(app, *at)),
            "This link sends answers once and cannot be used again.".to_owned(),
        ];
        return Ok(Some(Found::Over("Thank you. We have your answers", says, told, StatusCode::OK)));
    }
    let item = app.knowledge.scale(&one.scale);
    match item.filter(|_| now.as_second() < link.ends_s) {
        Some(item) => {
            let (item, one, token) = (item.clone(), one.clone(), token.to_owned());
            Ok(Some(Found::Open(Box::new(Opened { link, token, item, one }))))
        }
        None => {
            let saved = if one.saved.is_empty() {
                "Nothing was answered through it."
            } else {
                "What you answered until then is saved, and was not sent as finished."
            };
            let says = vec![
                "This link took answers for a limited time, and that time is over.".to_owned(),
                saved.to_owned(),
                "Ask the clinic for a new link.".to_owned(),
            ];
            Ok(Some(Found::Over("This link has ended", says, told, StatusCode::GONE)))
        }
    }
}

impl Opened {
    fn path(&self, rest: impl std::fmt::Display) -> String {
        format!("/answer/{}/{rest}", self.token)
    }

    fn scale(&self) -> &Scale {
        &self.item.body
    }

    /// Questions that are asked, each with its place in the form, from 1.
    fn asked(&self) -> Vec<(usize, &ScaleItem)> {
        let numbered = self.scale().items.iter().enumerate().map(|(at, question)| (at + 1, question));
        numbered.filter(|(_, question)| is_asked(self.scale(), question, &self.one)).collect()
    }

    fn first_open(&self) -> Option<usize> {
        let asked = self.asked();
        asked.iter().find(|(_, question)| !self.one.saved.contains_key(&question.id)).map(|(at, _)| *at)
    }

    /// Where the patient goes on: the next question without an answer, or the last look.
    fn goes_on(&self) -> String {
        self.first_open().map_or_else(|| self.path("check"), |at| self.path(at))
    }
}

fn form(opened: &Opened, at: usize, question: &ScaleItem) -> Form {
    let scale = opened.scale();
    let [low, high] = scale.values_of(question).map(plain);
    let before = opened.one.saved.get(&question.id);
    let hint = match before {
        None => String::new(),
        Some(None) => "You left this open. You can still answer it.".to_owned(),
        Some(Some(value)) => format!("You answered: {}.", answer_in_words(scale, question, *value)),
    };
    let ends = if question.ends.is_empty() { &scale.ends } else { &question.ends };
    let ends = match ends.as_slice() {
        [from, to] => format!("{low}: {from}. {high}: {to}."),
        _ => String::new(),
    };
    let mut form = Form::new("ask", opened.path(at), "", "");
    let answers = choices(scale, question);
    if answers.is_empty() {
        let accepted = format!("{ends} {}", accepted_answers(scale, question));
        form = form.with(Field::number("typed", "Your answer", "").hint(accepted.trim()));
        "Next".clone_into(&mut form.submit);
    }
    form.taps = answers.into_iter().map(|one| ("answer".to_owned(), one.value, one.label)).collect();
    form.taps.push(("answer".to_owned(), OPEN.to_owned(), "I would rather not answer".to_owned()));
    let ends = if form.fields.is_empty() { ends } else { String::new() };
    form.hint(format!("{hint} {ends}").trim())
}

/// `GET /answer/{link}`: goes on where the patient was.
pub async fn open(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) => Ok(Redirect::to(&opened.goes_on()).into_response()),
        over => end(&app, &visit, over),
    }
}

async fn look(app: &AppState, token: String) -> Result<Found, Error> {
    app.blocking(move |app| find(app, &token)).await??.ok_or(Error::NotFound)
}

fn end(app: &AppState, visit: &Visit, found: Found) -> Result<Response, Error> {
    let Found::Over(title, says, told, status) = found else { return Err(Error::NotFound) };
    html(status, &End { page: Page::new(app, visit, title), says, told })
}

/// `GET /answer/{link}/{n}`: one question.
pub async fn question(
    State(app): State<AppState>,
    visit: Visit,
    Path((token, at)): Path<(String, usize)>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) => draw(&app, &visit, *opened, at, Sent::nothing()).await,
        over => end(&app, &visit, over),
    }
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    opened: Opened,
    at: usize,
    sent: Sent,
) -> Result<Response, Error> {
    let one = opened.one.clone();
    let told = app.blocking(move |app| told(app, Some(&one))).await??;
    let asked = opened.asked();
    let place = asked.iter().position(|(number, _)| *number == at).ok_or(Error::NotFound)?;
    let question = asked.get(place).ok_or(Error::NotFound)?.1;
    let ask = form(&opened, at, question).filled(&sent);
    let errors = sent.summary([&ask]);
    let progress = format!("Question {} of {}", place + 1, asked.len());
    let before = place.checked_sub(1).and_then(|place| asked.get(place));
    let page = Question {
        page: Page::new(app, visit, question.ask.clone()).with_errors(errors),
        progress,
        done: place,
        of: asked.len(),
        stem: opened.scale().stem.clone(),
        notice: opened.scale().licence.notice.clone(),
        back: before.map_or_else(String::new, |(number, _)| opened.path(number)),
        check: if opened.first_open().is_none() { opened.path("check") } else { String::new() },
        ask,
        told,
        sheet: false,
    };
    html(sent.status, &page)
}

/// `POST /answer/{link}/{n}`: saves one answer.
pub async fn save(
    State(app): State<AppState>,
    visit: Visit,
    Path((token, at)): Path<(String, usize)>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = match look(&app, token.clone()).await? {
        Found::Open(opened) => *opened,
        over => return late(&app, &visit, over, (token, at), posted).await,
    };
    let question = at.checked_sub(1).and_then(|at| opened.scale().items.get(at)).ok_or(Error::NotFound)?;
    let typed = typed(&posted);
    let value = if typed == OPEN { Some(None) } else { read_number(&typed).map(Some) };
    let again = |opened, errors, status| {
        draw(
            &app,
            &visit,
            opened,
            at,
            Sent { form: "ask".to_owned(), posted: posted.clone(), errors, status },
        )
    };
    let Some(value) = value else {
        let accepted = accepted_answers(opened.scale(), question);
        let why = if typed.is_empty() {
            format!("Choose an answer, or say that you would rather not. Accepted is {accepted}.")
        } else {
            format!("“{}” is no answer. Accepted is {accepted}.", typed.chars().take(40).collect::<String>())
        };
        return again(opened, vec![FieldError::at("typed", why)], StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let command = CommandId::new(posted.command_id());
    let (id, link, item) = (question.id.clone(), opened.link.clone(), opened.item.clone());
    let saved = app.blocking(move |app| {
        let actor = Actor::machine(PHONE);
        let act = PatientAct { command_id: &command, actor: &actor, patient: &link.patient };
        app.floor.save_answer(&act, &item, (&QuestionnaireId::new(link.form), &id), value)
    });
    match saved.await? {
        // Sent or ended while it was on its way: the page of the link says so.
        Ok(_) | Err(Denied::Scale(Refusal::Sent { .. } | Refusal::Ended { .. })) => {}
        Err(denied) => return again(opened, refused(&denied), status_of(&denied)).await,
    }
    let opened = match look(&app, token).await? {
        Found::Open(opened) => *opened,
        over => return end(&app, &visit, over),
    };
    // After the first time through, a change leads back to the last look.
    let to = if opened.first_open().is_none() { opened.path("check") } else { next_of(&opened, at) };
    Ok(Redirect::to(&to).into_response())
}

fn typed(posted: &Posted) -> String {
    let tapped = posted.text("answer").trim();
    if tapped.is_empty() { posted.text("typed").trim() } else { tapped }.to_owned()
}

/// An answer to a form that takes none any more, from a page that stood open: one that calls for help is heard.
async fn late(
    app: &AppState,
    visit: &Visit,
    over: Found,
    (token, at): (String, usize),
    posted: Posted,
) -> Result<Response, Error> {
    let (command, value) = (CommandId::new(posted.command_id()), read_number(&typed(&posted)));
    let heard = app.blocking(move |app| {
        let key = LinkKey::of(&app.store, &app.config.site, For::Answers, app.clock.now())?;
        let Some(link) = key.read(&token) else { return Ok(None) };
        let all = app.floor.questionnaires(&link.patient)?;
        let one = all.all.get(&QuestionnaireId::new(&link.form));
        let Some(item) = one.and_then(|one| app.knowledge.scale(&one.scale)) else { return Ok(None) };
        let question = at.checked_sub(1).and_then(|at| item.body.items.get(at));
        let Some((question, value)) = question.zip(value) else { return Ok(None) };
        let actor = Actor::machine(PHONE);
        let act = PatientAct { command_id: &command, actor: &actor, patient: &link.patient };
        Ok::<_, crate::Fault>(Some(app.floor.hear_late_answer(&act, item, &question.id, Some(value))))
    });
    let heard = heard.await??.unwrap_or(Ok(None));
    let Found::Over(title, mut says, mut told, status) = over else { return Err(Error::NotFound) };
    let status = match heard {
        Ok(None) => status,
        Ok(Some(id)) => {
            says.insert(
                0,
                "What you answered now was passed on at once; your form stays as it was.".to_owned(),
            );
            if let Some(task) = app.floor.task(&id)? {
                told.says = task_says(app, &task, "answer");
            }
            status
        }
        Err(denied) => {
            says.insert(0, format!("What you answered now could not be passed on: {denied} Please call."));
            status_of(&denied)
        }
    };
    told.urgent |= !told.says.is_empty();
    told.crisis = CrisisCard::new(app, told.urgent);
    html(status, &End { page: Page::new(app, visit, title), says, told })
}

/// The question after this one, where that is still asked; else the first without an answer.
fn next_of(opened: &Opened, at: usize) -> String {
    let asked = opened.asked();
    let after = asked.iter().map(|(number, _)| *number).find(|number| *number > at);
    after.map_or_else(|| opened.goes_on(), |number| opened.path(number))
}

fn refused(denied: &Denied) -> Vec<FieldError> {
    let why = match denied {
        Denied::NotRecorded(_) => {
            "This answer could not be saved, so nobody here has it. Try again in a moment, or call the clinic."
                .to_owned()
        }
        Denied::NotKnown(_) | Denied::Conflict => {
            "It is not known whether this answer was saved. Send it again.".to_owned()
        }
        other => other.to_string(),
    };
    vec![FieldError { text: why, ..FieldError::denied("answer", denied) }]
}

/// `GET /answer/{link}/check`: all answers once more, before they are sent.
pub async fn check(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) => draw_check(&app, &visit, &opened, Sent::nothing()).await,
        over => end(&app, &visit, over),
    }
}

async fn draw_check(app: &AppState, visit: &Visit, opened: &Opened, sent: Sent) -> Result<Response, Error> {
    let one = opened.one.clone();
    let told = app.blocking(move |app| told(app, Some(&one))).await??;
    let rows = opened.asked().into_iter().map(|(number, question)| CheckRow {
        ask: question.ask.clone(),
        answer: match opened.one.saved.get(&question.id) {
            Some(Some(value)) => answer_in_words(opened.scale(), question, *value),
            Some(None) => "left open".to_owned(),
            None => "not answered yet".to_owned(),
        },
        path: opened.path(number),
    });
    let send = Form::new("send", opened.path("check"), "", "Send my answers").filled(&sent);
    let errors = sent.summary([&send]);
    let page = Page::new(app, visit, "Are these your answers?").with_errors(errors);
    html(sent.status, &Check { page, rows: rows.collect(), send, told, sheet: false })
}

/// `POST /answer/{link}/check`: sends, once.
pub async fn send(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = match look(&app, token.clone()).await? {
        Found::Open(opened) => opened,
        over => return end(&app, &visit, over),
    };
    let command = CommandId::new(posted.command_id());
    let (link, item) = (opened.link.clone(), opened.item.clone());
    let sent = app.blocking(move |app| {
        let actor = Actor::machine(PHONE);
        let act = PatientAct { command_id: &command, actor: &actor, patient: &link.patient };
        app.floor.send_scale(&act, &item, &QuestionnaireId::new(link.form))
    });
    match sent.await? {
        Ok(_) | Err(Denied::Scale(Refusal::Sent { .. } | Refusal::Ended { .. })) => {
            Ok(Redirect::to(&format!("/answer/{token}")).into_response())
        }
        Err(denied) => {
            let errors =
                refused(&denied).into_iter().map(|error| FieldError { field: String::new(), ..error });
            let (errors, status) = (errors.collect(), status_of(&denied));
            draw_check(&app, &visit, &opened, Sent { form: "send".to_owned(), posted, errors, status }).await
        }
    }
}

/// Who acts where a patient answers.
pub const PHONE: &str = "patient-phone";

/// What a question may be answered with, in words; empty where a number is typed.
pub(super) fn choices(scale: &Scale, question: &ScaleItem) -> Vec<Choice> {
    let [low, high] = scale.values_of(question);
    let steps = (high - low).checked_div(question.step).unwrap_or(Decimal::ZERO);
    if steps >= Decimal::from(TAPS_MOST) {
        return Vec::new();
    }
    let mut choices = Vec::new();
    let mut value = low;
    while value <= high {
        choices.push(Choice::of(plain(value), answer_in_words(scale, question, value)));
        value += question.step;
    }
    choices
}
