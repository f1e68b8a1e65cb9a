//! The public page: what somebody asks before they are a patient. Crisis lines come first, always, and whatever
//! becomes of the form.

use super::error::status_of;
use super::tasks::{clock_time, minutes};
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Kept, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::floor::Denied;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::WORDS_LONGEST;
use clinic::care::inquiry::{Crisis, Exclusions, Inquiry, Stage};
use clinic::care::task::{Owner, Task};
use clinic::id::{CommandId, InquiryId, TaskId};
use clinic::knowledge::care::Choice as Known;

/// The numbers of a region, as links that a phone dials.
pub struct CrisisCard {
    /// This person asked for help now.
    pub(super) urgent: bool,
    pub(super) emergency: String,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) title: String,
    pub(super) hours: String,
    pub(super) call: String,
    /// Digits alone, for the link.
    pub(super) dial: String,
    pub(super) text: String,
}

impl CrisisCard {
    /// The card of the clinic's own region.
    pub fn new(app: &AppState, urgent: bool) -> Self {
        let known = app.knowledge.crisis_lines(&app.config.region);
        let lines = known.map_or(&[][..], |known| &known.lines).iter().map(|line| Line {
            title: line.title.clone(),
            hours: line.hours.clone(),
            call: line.call.clone(),
            dial: line.call.replace(' ', ""),
            text: line.text.clone().unwrap_or_default(),
        });
        let emergency = known.map(|known| known.emergency.clone()).unwrap_or_default();
        Self { urgent, emergency, lines: lines.collect() }
    }
}

#[derive(Template)]
#[template(path = "pages/inquiry.html")]
struct Asking {
    page: Page,
    crisis: CrisisCard,
    /// A call for help that is recorded while the rest of its form is refused.
    called: Option<Called>,
    ask: Form,
    sheet: bool,
}

/// Where it stands, and who sees it and when.
struct Called {
    address: String,
    says: Vec<String>,
}

/// `GET /inquiry`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, &Sent::nothing(), None)
}

fn draw(app: &AppState, visit: &Visit, sent: &Sent, called: Option<Called>) -> Result<Response, Error> {
    let ask = form(app).filled(sent);
    let errors = sent.summary([&ask]);
    let urgent = crisis_of(&sent.posted).is_some_and(Crisis::calls);
    let crisis = CrisisCard::new(app, urgent);
    let page = Page::new(app, visit, "Ask about treatment").with_errors(errors);
    html(sent.status, &Asking { page, crisis, called, ask, sheet: false })
}

/// A form that the gate did not take: the numbers to call stand there all the same.
pub fn not_taken(app: &AppState, visit: &Visit, status: StatusCode, why: &str) -> Response {
    let errors = vec![FieldError::at("", why)];
    let sent = Sent { form: "ask".to_owned(), posted: Posted::default(), errors, status };
    draw(app, visit, &sent, None).unwrap_or_else(IntoResponse::into_response)
}

fn form(app: &AppState) -> Form {
    let intake = app.knowledge.intake();
    let choices =
        |known: &[Known]| known.iter().map(|one| Choice::of(&one.id, &one.title)).collect::<Vec<_>>();
    let mut exclusions = choices(&intake.exclusions);
    exclusions.push(Choice::of(NONE_OF_THESE, "None of these"));
    let crisis = vec![
        Choice::of("no", "No"),
        Choice::of("thoughts", "Yes, I have such thoughts"),
        Choice::of("danger", "Yes, and I may act on them or I am in danger now"),
    ];
    let words = |name: &str, label: &str| Field::new(Kind::Words, name, label).at_most(WORDS_LONGEST);
    Form::new("ask", "/inquiry", "", "Send")
        .with(Field::one("crisis", "Are you thinking about ending your life or hurting yourself?", crisis))
        .with(Field::new(Kind::Line, "name", "Your name").filled_in_by("name"))
        .with(Field::new(Kind::Line, "phone", "Phone number").filled_in_by("tel"))
        .with(
            Field::new(Kind::Line, "email", "E-mail address")
                .hint("One of the two is enough. Give the one where you are reached soonest.")
                .filled_in_by("email"),
        )
        .with(Field::ticks("conditions", "What do you want help with?", choices(&intake.conditions)))
        .with(words("goals", "What do you hope will change?"))
        .with(words("treatments", "What have you tried before?"))
        .with(
            Field::ticks("exclusions", "Is any of this true for you?", exclusions)
                .hint("A yes does not turn you away. It means that a nurse or doctor reads this first."),
        )
}

/// Where it is asked.
pub const PATH: &str = "/inquiry";
/// Sent where nothing of what is asked applies.
const NONE_OF_THESE: &str = "none";

fn crisis_of(posted: &Posted) -> Option<Crisis> {
    match posted.text("crisis") {
        "no" => Some(Crisis::No),
        "thoughts" => Some(Crisis::Thoughts),
        "danger" => Some(Crisis::Danger),
        _ => None,
    }
}

fn typed_inquiry(typed: &mut Typed) -> Option<Inquiry> {
    let posted = typed.posted().clone();
    let all = |field| posted.all(field).map(str::to_owned).collect::<Vec<_>>();
    let exclusions = match all("exclusions") {
        which if which.is_empty() => Exclusions::NotAnswered,
        which if which == [NONE_OF_THESE] => Exclusions::None,
        which => {
            let named: Vec<String> = which.into_iter().filter(|one| one != NONE_OF_THESE).collect();
            if posted.all("exclusions").any(|one| one == NONE_OF_THESE) {
                typed.wrong::<()>(
                    "exclusions",
                    "“None of these” and something of it are both chosen. Keep one of the two.",
                );
            }
            Exclusions::These(named)
        }
    };
    let Some(crisis) = crisis_of(&posted) else {
        return typed.wrong("crisis", "Answer this first: yes or no.");
    };
    Some(Inquiry {
        name: typed.text("name"),
        phone: typed.text("phone"),
        email: typed.text("email"),
        conditions: all("conditions"),
        goals: typed.text("goals"),
        treatments: typed.text("treatments"),
        exclusions,
        crisis,
    })
}

/// What became of a form.
enum Came {
    Kept(InquiryId),
    Refused(Vec<FieldError>, StatusCode, Option<Called>),
}

/// `POST /inquiry`
pub async fn send(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let (form, from) = (posted.clone(), visit.from.clone());
    match app.blocking(move |app| taken(app, form, &from)).await? {
        Came::Kept(id) => Ok(Redirect::to(&format!("/inquiry/{id}")).into_response()),
        Came::Refused(errors, status, called) => {
            draw(&app, &visit, &Sent { form: "ask".to_owned(), posted, errors, status }, called)
        }
    }
}

fn taken(app: &AppState, form: Posted, from: &str) -> Came {
    let urgent = crisis_of(&form).is_some_and(Crisis::calls);
    let cut = form.is_cut();
    let mut typed = Typed::new(form, app.config.time_zone());
    if cut {
        typed
            .wrong::<()>("", "It is too long, and only its beginning arrived. Shorten it and send it again.");
    }
    let said = typed_inquiry(&mut typed);
    // Two answers that contradict each other do not keep a call for help waiting.
    let Some(said) = said.filter(|said| typed.errors.is_empty() || said.crisis.calls()) else {
        return Came::Refused(typed.errors, StatusCode::UNPROCESSABLE_ENTITY, None);
    };
    // The same form sent twice is one inquiry: the id of the act is the id of the inquiry.
    let id = InquiryId::new(typed.posted().command_id());
    let command = CommandId::new(id.as_str());
    let door = if urgent { &app.doors.crisis } else { &app.doors.plain };
    if !app.floor.did(&command) && !door.enter(from, app.clock.passed()) {
        let error = FieldError::at(
            "",
            "Too many inquiries came from here in the last hour. Nobody has received this one. Try again in an hour, or call the clinic.",
        );
        return Came::Refused(vec![error], StatusCode::TOO_MANY_REQUESTS, None);
    }
    let (errors, status) = if cut {
        (typed.errors, StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        match app.floor.receive(&command, &id, said.clone()) {
            Ok(id) => return Came::Kept(id),
            Err(denied @ Denied::Care(_)) => (refused(&denied), status_of(&denied)),
            Err(denied) => return Came::Refused(refused(&denied), status_of(&denied), None),
        }
    };
    // Whatever else is wrong with the form, the call for help is taken.
    match app.floor.receive_call(&command, &id, said) {
        Ok(None) => Came::Refused(errors, status, None),
        Ok(Some(id)) => {
            let errors = errors.into_iter().map(|error| error.kept(Kept::InPart)).collect();
            Came::Refused(errors, status, Some(called(app, &id)))
        }
        Err(denied) => Came::Refused(refused(&denied), status_of(&denied), None),
    }
}

fn called(app: &AppState, id: &InquiryId) -> Called {
    let task = app.floor.task(&TaskId::new(id.as_str())).ok().flatten();
    let says = task.map_or_else(Vec::new, |task| task_says(app, &task, "message"));
    Called { address: format!("{PATH}/{id}"), says }
}

fn refused(denied: &Denied) -> Vec<FieldError> {
    match denied {
        Denied::Care(all) => all.iter().map(|one| FieldError::at(one.field(), one)).collect(),
        Denied::NotRecorded(_) => {
            let why = "This could not be stored, so nobody here has received it. Try again later, or call the clinic.";
            vec![FieldError::at("", why)]
        }
        other => vec![FieldError::denied(other.field(), other)],
    }
}

#[derive(Template)]
#[template(path = "pages/inquiry_received.html")]
struct Received {
    page: Page,
    crisis: CrisisCard,
    urgent: bool,
    /// Who sees it and when, in true words.
    says: Vec<String>,
}

/// `GET /inquiry/{id}`: what becomes of it. The id is known to whoever sent it, and nothing personal is shown.
pub async fn received(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let told = app.blocking(move |app| {
        let Some(care) = app.floor.inquiry(&InquiryId::new(&id))? else { return Ok(None) };
        let urgent = care.inquiry.as_ref().is_some_and(|said| said.crisis.calls());
        let doubtful = care.inquiry.as_ref().is_some_and(|said| said.contact_doubtful().contains(&true));
        let reachable = care.inquiry.as_ref().is_some_and(Inquiry::can_be_reached);
        let task = app.floor.task(&TaskId::new(&id))?.filter(|_| urgent);
        let says = match task {
            Some(task) => {
                let mut says = task_says(app, &task, "message");
                if !reachable && task.done.is_none() {
                    says.push(
                        "You left no phone number and no e-mail address, so nobody from here can reach you."
                            .to_owned(),
                    );
                }
                if doubtful && task.done.is_none() {
                    says.push(
                        "The phone number or the e-mail address that you left is kept as you typed it, and may not reach you: a digit or a letter seems to be missing. Please send your message once more with the whole number."
                            .to_owned(),
                    );
                }
                says
            }
            None => vec![stage_says(care.stage, care.held()).to_owned()],
        };
        Ok::<_, crate::Fault>(Some((urgent, says)))
    });
    let (urgent, says) = told.await??.ok_or(Error::NotFound)?;
    let page = Page::new(&app, &visit, "We have your message");
    html(StatusCode::OK, &Received { page, crisis: CrisisCard::new(&app, urgent), urgent, says })
}

const fn stage_says(stage: Stage, held: bool) -> &'static str {
    match (stage, held) {
        (Stage::Received, false) => "The front desk reads it and answers you. Nobody has read it yet.",
        (Stage::Received | Stage::ClinicalReview, _) => {
            "A nurse or doctor looks at your answers before we answer you. Nobody has decided yet."
        }
        (Stage::Consultation | Stage::Registered, _) => {
            "It was read. The next step is a consultation with you."
        }
        (Stage::Redirected, _) => "It was read. We will tell you who can help you better.",
        (Stage::Closed, _) => "It was read and is closed.",
    }
}

/// Nothing is promised that the program does not know: on whose screen it is, until when, and whether it was read.
pub(super) fn task_says(app: &AppState, task: &Task, what: &str) -> Vec<String> {
    let at = |moment| clock_time(app, moment);
    let now = app.clock.now();
    let mut says = Vec::new();
    match (&task.done, &task.taken, &task.owner) {
        (Some((_, _, by, when)), _, _) => {
            says.push(format!("{} saw to your {what} at {}.", app.floor.called(by), at(*when)));
        }
        (None, Some((by, when)), _) => {
            says.push(format!(
                "{} took your {what} at {} and is seeing to it.",
                app.floor.called(by),
                at(*when)
            ));
        }
        (None, None, Owner::Person(who)) => {
            let name = app.floor.called(who);
            let role = app
                .floor
                .can_answer(who)
                .map_or_else(String::new, |(_, role)| format!(" ({})", role.title()));
            says.push(format!(
                "Nobody here has read your {what} yet. It waits on the screen of {name}{role}, who is on call; no phone rings."
            ));
            if now < task.due {
                let within = minutes(now, task.due);
                says.push(format!(
                    "{name} should take it by {}, in {within}. If not, it passes to the next person.",
                    at(task.due)
                ));
            } else {
                says.push(
                    "It should have been taken by now, and is being passed to the next person.".to_owned(),
                );
            }
        }
        (None, None, Owner::Everyone) => {
            says.push(format!("Nobody is on call here now. Your {what} waits for every prescriber and for the owner of the clinic, no phone rings, and nobody can say when one of them will see it. Do not wait for us."));
        }
    }
    says
}
