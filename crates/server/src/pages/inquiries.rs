//! Who asked: search, look at one, send it on, register the person, close it. The front desk sorts; what the answers
//! make a clinical question it neither reads nor decides.

use super::error::as_told;
use super::patients::{person, register_form, says_another};
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::auth::Person;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::{Denied, Done};
use crate::views::inquiries::{Row, view_of};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::inquiry::{Care, Command, Event, Inquiry, Stage, Way};
use clinic::id::{CommandId, InquiryId, PatientId};
use clinic::staff::Actor;
use jiff::Timestamp;
use serde::Deserialize;

/// Most inquiries on one page; a search or a stage narrows the rest down.
const SHOWN_MAX: i64 = 50;

/// What may stand in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    stage: String,
}

#[derive(Template)]
#[template(path = "pages/inquiries.html")]
struct Inquiries {
    page: Page,
    search: String,
    stages: Vec<Choice>,
    rows: Vec<Listed>,
    /// There are more than are shown.
    more: bool,
}

struct Listed {
    path: String,
    name: String,
    contact: String,
    received: String,
    stage: &'static str,
    held: bool,
}

/// `GET /inquiries`
pub async fn list(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let stage = stage_of(&asked.stage);
    let view = stage.map_or_else(|| "inquiries".to_owned(), |stage| view_of(stage.key()));
    let wanted = asked.q.trim().to_owned();
    let items = app.blocking(move |app| app.store.view_list(&app.config.site, &view, &wanted, SHOWN_MAX + 1));
    let items = items.await?.map_err(Fault::from)?;
    let shown = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    let more = items.len() > shown;
    let rows = items.into_iter().take(shown).filter_map(|item| listed(&app, &item.key, &item.body)).collect();
    let chosen = stage.map_or("", Stage::key);
    let all = Choice { chosen: stage.is_none(), ..Choice::of("", "all") };
    let stages = Stage::ALL
        .into_iter()
        .map(|stage| Choice { chosen: stage.key() == chosen, ..Choice::of(stage.key(), stage.title()) });
    let page = Page::new(&app, &visit, "Inquiries");
    let stages = std::iter::once(all).chain(stages).collect();
    html(StatusCode::OK, &Inquiries { page, search: asked.q, stages, rows, more })
}

fn stage_of(key: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.key() == key)
}

fn listed(app: &AppState, id: &str, body: &str) -> Option<Listed> {
    let row: Row = serde_json::from_str(body).ok()?;
    Some(Listed {
        path: format!("/inquiries/{id}"),
        name: named(&row.name),
        contact: row.contact,
        received: clock_time(app, Timestamp::from_millisecond(row.received_ms).ok()?),
        stage: stage_of(&row.stage).unwrap_or_default().title(),
        held: row.held,
    })
}

fn named(name: &str) -> String {
    if name.is_empty() { "(no name given)".to_owned() } else { name.to_owned() }
}

#[derive(Template)]
#[template(path = "pages/one_inquiry.html")]
struct OneInquiry {
    page: Page,
    name: String,
    facts: Vec<(&'static str, String)>,
    /// Why a clinician decides, for whoever may know it; for others that it is so.
    held: Vec<String>,
    history: Vec<String>,
    patient: String,
    forms: Vec<Form>,
    sheet: bool,
}

/// `GET /inquiries/{id}`
pub async fn one(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, &InquiryId::new(id), Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, id: &InquiryId, sent: Sent) -> Result<Response, Error> {
    let person = visit.person()?.clone();
    let clinical = person.may(Privilege::Assess) || person.may(Privilege::SeeToTask);
    let whose = id.clone();
    let gathered = app.blocking(move |app| {
        let Some(care) = app.floor.inquiry(&whose)? else { return Ok(None) };
        let past = app.floor.inquiry_history(&whose)?;
        let history = past.iter().map(|(at, by, event)| {
            let by = if matches!(event, Event::InquiryReceived { .. }) {
                "the person"
            } else {
                &app.floor.called(by)
            };
            format!("{}: {}, by {by}", clock_time(app, *at), happened(event, clinical))
        });
        Ok::<_, Fault>(Some((care, history.collect::<Vec<_>>())))
    });
    let (care, history) = gathered.await??.ok_or(Error::NotFound)?;
    let Some(said) = &care.inquiry else { return Err(Error::NotFound) };
    let forms: Vec<Form> =
        forms(&person, id, &care, &sent).into_iter().map(|form| form.filled(&sent)).collect();
    let errors = sent.summary(&forms);
    let held = match (care.held(), clinical) {
        (false, _) => Vec::new(),
        (true, true) if care.flags.is_empty() => vec!["The front desk asks for clinical review.".to_owned()],
        (true, true) => care.flags.clone(),
        (true, false) => vec!["A clinician is needed, and decides.".to_owned()],
    };
    let page = OneInquiry {
        page: Page::new(app, visit, "Inquiry").with_errors(errors),
        name: named(&said.name),
        facts: facts(app, said, care.stage, clinical),
        held,
        history,
        patient: care.patient.as_ref().map_or_else(String::new, |patient| format!("/patients/{patient}")),
        forms,
        sheet: false,
    };
    html(sent.status, &page)
}

fn facts(app: &AppState, said: &Inquiry, stage: Stage, clinical: bool) -> Vec<(&'static str, String)> {
    let intake = app.knowledge.intake();
    let or_none = |text: &str| if text.is_empty() { "not given".to_owned() } else { text.to_owned() };
    let conditions: Vec<&str> = said.conditions.iter().map(|id| intake.condition(id)).collect();
    let [phone, email] = said.contact_doubtful();
    let as_typed = |text: &str, doubtful| {
        if doubtful { format!("{text} (as typed, not checked)") } else { or_none(text) }
    };
    let mut facts = vec![
        ("Stands", stage.title().to_owned()),
        ("Phone", as_typed(&said.phone, phone)),
        ("E-mail", as_typed(&said.email, email)),
        ("Wants help with", or_none(&conditions.join(", "))),
        ("Hopes for", or_none(&said.goals)),
    ];
    if clinical {
        facts.push(("Tried before", or_none(&said.treatments)));
        facts.push(("Suicide question", said.crisis.text().to_owned()));
    }
    facts
}

/// What happened, with the reason for whoever may read it: a clinician's is for clinicians.
fn happened(event: &Event, clinical: bool) -> String {
    let why = |reason: &str| {
        let own = if clinical { Some(reason) } else { event.reason_of_the_desk() };
        own.unwrap_or("a clinician's reason; ask them what to tell the person").to_owned()
    };
    match event {
        Event::InquiryReceived { .. } => "asked".to_owned(),
        Event::InquiryTriaged { to, reason, .. } => format!("{}: {}", way_title(*to), why(reason)),
        Event::InquiryRegistered { .. } => "registered as a patient".to_owned(),
        Event::InquiryClosed { reason, .. } => format!("closed: {}", why(reason)),
    }
}

const fn way_title(way: Way) -> &'static str {
    match way {
        Way::Consultation => "Book a consultation",
        Way::ClinicalReview => "Clinical review",
        Way::Redirect => "Redirect to somebody who can help better",
    }
}

const WAYS: [(&str, Way); 3] = [
    ("consultation", Way::Consultation),
    ("clinical_review", Way::ClinicalReview),
    ("redirect", Way::Redirect),
];

/// What this person may do now. A form that would be refused is not shown.
fn forms(person: &Person, id: &InquiryId, care: &Care, sent: &Sent) -> Vec<Form> {
    if !person.may(Privilege::SortInquiry) {
        return Vec::new();
    }
    let decides = !care.held() || person.may(Privilege::Assess);
    let mut forms = Vec::new();
    let reason = || Field::new(Kind::Words, "reason", "Reason");
    if !matches!(care.stage, Stage::Registered | Stage::Closed) {
        let ways = WAYS.iter().filter(|(_, way)| decides || *way == Way::ClinicalReview);
        let ways = ways.map(|(key, way)| Choice::of(key, way_title(*way))).collect();
        let triage = Form::new("triage", format!("/inquiries/{id}/triage"), "Send on", "Send on");
        forms.push(triage.with(Field::one("to", "Where it goes", ways)).with(reason()));
    }
    if care.stage == Stage::Consultation && decides {
        forms.push(Form { action: format!("/inquiries/{id}/register"), ..register_form(sent) });
    }
    if care.stage != Stage::Closed && decides {
        forms.push(
            Form::new("close", format!("/inquiries/{id}/close"), "Close", "Close").with(reason()).quiet(),
        );
    }
    forms
}

/// `POST /inquiries/{id}/triage`
pub async fn triage(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let id = InquiryId::new(id);
    let decide = |app: &AppState, id: &InquiryId, actor: &Actor, typed: &mut Typed| {
        let chosen = typed.chosen("to", "Choose where it goes.")?;
        let Some((_, to)) = WAYS.iter().find(|(key, _)| *key == chosen) else {
            return typed.wrong("to", format!("“{chosen}” is not one of those to choose from."));
        };
        Some(decided(app, id, actor, typed, Command::Triage { to: *to, reason: typed.text("reason") }))
    };
    act(&app, &visit, id, "triage", posted, decide).await
}

/// `POST /inquiries/{id}/close`
pub async fn close(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let decide = |app: &AppState, id: &InquiryId, actor: &Actor, typed: &mut Typed| {
        Some(decided(app, id, actor, typed, Command::Close { reason: typed.text("reason") }))
    };
    act(&app, &visit, InquiryId::new(id), "close", posted, decide).await
}

fn decided(
    app: &AppState,
    id: &InquiryId,
    actor: &Actor,
    typed: &Typed,
    command: Command,
) -> Result<Done, Denied> {
    app.floor.decide_inquiry(id, &CommandId::new(typed.posted().command_id()), actor, command)
}

/// `POST /inquiries/{id}/register`
pub async fn register(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let decide = |app: &AppState, id: &InquiryId, actor: &Actor, typed: &mut Typed| {
        let person = person(typed).filter(|_| typed.errors.is_empty())?;
        let command = CommandId::new(typed.posted().command_id());
        // The same form sent twice names the same person: the id of the act is the id of the patient.
        let patient = PatientId::new(command.as_str());
        Some(app.floor.register_who_asked(
            id,
            &command,
            actor,
            &patient,
            (person, says_another(typed.posted())),
        ))
    };
    act(&app, &visit, InquiryId::new(id), "register", posted, decide).await
}

/// Reads a form and carries it out; what is wrong comes back beside its field.
async fn act(
    app: &AppState,
    visit: &Visit,
    id: InquiryId,
    form: &str,
    posted: Posted,
    decide: impl FnOnce(&AppState, &InquiryId, &Actor, &mut Typed) -> Option<Result<Done, Denied>>
    + Send
    + 'static,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::SortInquiry) else { return Err(Error::SignIn) };
    let (sent, whose) = (posted.clone(), id.clone());
    let done = app.blocking(move |app| {
        let mut typed = Typed::new(sent, app.config.time_zone());
        match decide(app, &whose, &actor, &mut typed) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(Ok(_)) => Ok(()),
            Some(Err(denied)) => Err(as_told(denied)),
        }
    });
    match done.await? {
        Ok(()) => Ok(Redirect::to(&format!("/inquiries/{id}")).into_response()),
        Err((errors, status)) => {
            draw(app, visit, &id, Sent { form: form.to_owned(), posted, errors, status }).await
        }
    }
}
