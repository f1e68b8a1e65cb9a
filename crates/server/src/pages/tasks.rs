//! What somebody must see to before a clock runs out: for staff, the one that runs out first on top.

use super::error::status_of;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::Person;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::views::tasks::Row;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::task::{Command, Outcome, Task, TaskOpened};
use clinic::id::{CommandId, StaffId, TaskId};
use clinic::scale::questionnaire::is_day_alone;
use jiff::Timestamp;

/// Most finished tasks on the page.
const DONE_SHOWN_MAX: i64 = 10;

#[derive(Template)]
#[template(path = "pages/tasks.html")]
struct Tasks {
    page: Page,
    on_call: Vec<String>,
    plans: bool,
    open: Vec<Card>,
    done: Vec<String>,
    sheet: bool,
}

struct Card {
    id: String,
    title: String,
    /// Whose it is, since when, how often it passed on.
    facts: Vec<String>,
    clock: String,
    late: bool,
    about: String,
    take: Option<Form>,
    finish: Option<Form>,
}

/// How many tasks are open, for the header.
#[derive(Debug, Default, Template)]
#[template(path = "parts/task_count.html")]
pub struct Count {
    /// The person may see tasks.
    pub seen: bool,
    /// `2 tasks, 1 late`; empty when there are none.
    pub text: String,
    /// One is late.
    pub late: bool,
}

impl Count {
    /// As this person sees it.
    pub fn of(app: &AppState, person: Option<&Person>) -> Self {
        if !person.is_some_and(|person| person.may(Privilege::SeeTasks)) {
            return Self::default();
        }
        let (open, now) = (app.floor.open_tasks(), app.clock.now());
        let late = open.iter().filter(|(_, task)| task.due <= now).count();
        let text = match (open.len(), late) {
            (0, _) => String::new(),
            (1, 0) => "1 task".to_owned(),
            (1, _) => "1 task, late".to_owned(),
            (all, 0) => format!("{all} tasks"),
            (all, late) => format!("{all} tasks, {late} late"),
        };
        Self { seen: true, text, late: late > 0 }
    }
}

/// `GET /tasks/count`
pub async fn count(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    html(StatusCode::OK, &Count::of(&app, visit.person.as_ref()))
}

/// `22-Nov 10:02`, on the clinic's clock.
pub fn clock_time(app: &AppState, at: Timestamp) -> String {
    at.to_zoned(app.config.time_zone()).strftime("%d-%b %H:%M").to_string()
}

/// When a scale was answered: the day alone where no more is known.
pub fn answered_time(app: &AppState, at: Timestamp) -> String {
    let zone = app.config.time_zone();
    let form = if is_day_alone(at, &zone) { "%d-%b-%Y" } else { "%d-%b-%Y %H:%M" };
    at.to_zoned(zone).strftime(form).to_string()
}

/// `8 min`, rounded up, or `3 h`, `2 d`.
pub fn minutes(from: Timestamp, to: Timestamp) -> String {
    match from.duration_until(to).as_secs().max(0) {
        seconds @ ..7_200 => format!("{} min", (seconds + 59) / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// `GET /tasks`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, sent: Sent) -> Result<Response, Error> {
    let person = visit.person()?.clone();
    let answers = person.may(Privilege::SeeToTask);
    let gathered = app.blocking(move |app| {
        let rows =
            app.store.view_list(&app.config.site, "done_tasks", "", DONE_SHOWN_MAX).map_err(Fault::from)?;
        let on_call = app.floor.on_call(app.clock.now()).into_iter();
        let on_call = on_call.map(|one| {
            let until = clock_time(app, one.duty.to);
            format!("{} call: {} ({}), until {until}", one.duty.call.word(), one.name, one.role.title())
        });
        let open: Vec<Card> = app
            .floor
            .open_tasks()
            .into_iter()
            .map(|(id, task)| card(app, &person, &id, &task, &sent))
            .collect();
        let done = rows.iter().filter_map(|item| done_line(app, answers, &item.body)).collect();
        Ok::<_, Fault>((on_call.collect(), open, done, sent))
    });
    let (on_call, open, done, sent) = gathered.await??;
    let forms = open.iter().flat_map(|card: &Card| card.take.iter().chain(&card.finish));
    let errors = sent.summary(forms);
    let plans = visit.person()?.may(Privilege::PlanDuty);
    let page = Page::new(app, visit, "Tasks").with_errors(errors);
    html(sent.status, &Tasks { page, on_call, plans, open, done, sheet: false })
}

fn card(app: &AppState, person: &Person, id: &TaskId, task: &Task, sent: &Sent) -> Card {
    let (now, answers) = (app.clock.now(), person.may(Privilege::SeeToTask));
    let late = task.due <= now;
    let what = if task.taken.is_some() { "to be done" } else { "to be taken" };
    let clock = if late {
        format!("LATE by {}: {what} by {}", minutes(task.due, now), clock_time(app, task.due))
    } else {
        format!("{what} by {}, in {}", clock_time(app, task.due), minutes(now, task.due))
    };
    let mut facts = vec![format!("opened {}", clock_time(app, task.opened_at))];
    facts.push(match &task.taken {
        Some((by, at)) => format!("taken by {} at {}", app.floor.called(by), clock_time(app, *at)),
        None => format!("with {}, not taken", app.floor.owner_of(task)),
    });
    if task.passed_on > 0 {
        facts.push(format!("passed on by the clock {} times", task.passed_on));
    }
    let mine = task.taken.as_ref().is_some_and(|(by, _)| by == person.id());
    Card {
        id: id.to_string(),
        title: if answers { task.why.title() } else { "A clinician is needed".to_owned() },
        facts,
        clock,
        late,
        about: about(person, task),
        take: (answers && !mine).then(|| take_form(id).filled(sent)),
        finish: (answers && mine).then(|| finish_form(id).filled(sent)),
    }
}

/// Where to read on.
fn about(person: &Person, task: &Task) -> String {
    let inquiry = task.why.inquiry().filter(|_| person.may(Privilege::OpenInquiry));
    let scores = matches!(task.why, TaskOpened::ScaleItem { .. } | TaskOpened::ScoreTurned { .. })
        && person.may(Privilege::OpenScores);
    let patient = task.why.patient().filter(|_| scores || person.may(Privilege::CheckIn));
    let rest = if scores { "/scores" } else { "" };
    inquiry
        .map(|id| format!("/inquiries/{id}"))
        .or(patient.map(|id| format!("/patients/{id}{rest}")))
        .unwrap_or_default()
}

fn take_form(id: &TaskId) -> Form {
    Form::new(format!("take-{id}"), format!("/tasks/{id}/take"), "", "I take this task")
}

fn finish_form(id: &TaskId) -> Form {
    let outcomes =
        Outcome::ALL.into_iter().map(|outcome| Choice::of(outcome.key(), outcome.title())).collect();
    Form::new(format!("finish-{id}"), format!("/tasks/{id}/finish"), "", "End the task")
        .with(Field::one("outcome", "How it ended", outcomes))
        .with(Field::new(Kind::Words, "words", "What you did, and how the person is"))
}

fn done_line(app: &AppState, answers: bool, body: &str) -> Option<String> {
    let row: Row = serde_json::from_str(body).ok()?;
    let (outcome, by, at_ms) = row.done?;
    let at = clock_time(app, Timestamp::from_millisecond(at_ms).ok()?);
    let title = if answers { row.title } else { "A clinician was needed".to_owned() };
    let outcome = outcome.title().to_lowercase();
    Some(format!("{title}: {outcome}, by {} at {at}", app.floor.called(&StaffId::new(by))))
}

/// `POST /tasks/{id}/take`
pub async fn take(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, &TaskId::new(id), "take", posted, |_| Some(Command::Take)).await
}

/// `POST /tasks/{id}/finish`
pub async fn finish(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let command = |typed: &mut Typed| {
        let chosen = typed.chosen("outcome", "Choose how it ended.");
        let outcome = Outcome::ALL.into_iter().find(|outcome| Some(outcome.key()) == chosen.as_deref());
        Some(Command::Finish { outcome: outcome?, words: typed.text("words") })
    };
    act(&app, &visit, &TaskId::new(id), "finish", posted, command).await
}

async fn act(
    app: &AppState,
    visit: &Visit,
    id: &TaskId,
    form: &str,
    posted: Posted,
    command: impl FnOnce(&mut Typed) -> Option<Command>,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::SeeToTask) else { return Err(Error::SignIn) };
    let key = format!("{form}-{id}");
    let mut typed = Typed::new(posted.clone(), app.config.time_zone());
    let asked = command(&mut typed);
    let act = CommandId::new(posted.command_id());
    let again = |errors, status| draw(app, visit, Sent { form: key, posted, errors, status });
    let Some(command) = asked.filter(|_| typed.errors.is_empty()) else {
        return again(typed.errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let task = id.clone();
    match app.blocking(move |app| app.floor.see_to(&task, &act, &actor, command)).await? {
        Ok(_) => Ok(Redirect::to("/tasks").into_response()),
        Err(denied) => again(vec![FieldError::denied(denied.field(), &denied)], status_of(&denied)).await,
    }
}
