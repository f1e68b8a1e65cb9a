//! The forms that open over a chair's page: observations, notes, adverse events with their cards, rescue drugs, rate,
//! resume, and the pump read by eye. Each is a page of its own too.

mod limits;
mod observe;
mod pump;
mod rescue;
mod strike;

pub use limits::{limits, moved, set_limits};
pub(super) use observe::recovery_forms;
pub use observe::{chart, observe};
pub use pump::{correct_start, pump, read_pump};
pub(super) use pump::{pump_form, start_form};
pub use rescue::{drugs, give};
pub use strike::{strike, strike_out};

use super::care_plan;
use super::discharge::renamed;
use super::visit::act::{Outcome, carry_out, done};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::{Head, Opened};
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::id::RuleId;
use clinic::knowledge::adverse_events::InfusionDoes;
use clinic::session::Command;
use rescue::drug_forms;

#[derive(Template)]
#[template(path = "pages/sheet.html", blocks = ["body"])]
struct Sheet {
    page: Page,
    head: Head,
    title: String,
    lead: Vec<String>,
    steps: Vec<String>,
    never: Vec<String>,
    rule: String,
    unsigned: String,
    links: Vec<(String, String)>,
    forms: Vec<Form>,
    sheet: bool,
}

/// What stands on a sheet.
#[derive(Default)]
struct Content {
    title: String,
    lead: Vec<String>,
    steps: Vec<String>,
    never: Vec<String>,
    rule: String,
    unsigned: String,
    links: Vec<(String, String)>,
    forms: Vec<Form>,
}

fn draw(
    app: &AppState,
    visit: &Visit,
    opened: &Opened,
    content: Content,
    sent: &Sent,
) -> Result<Response, Error> {
    let forms: Vec<Form> = content.forms.into_iter().map(|form| form.filled(sent)).collect();
    let errors = sent.summary(&forms);
    let sheet = Sheet {
        page: Page::new(app, visit, content.title.clone()).with_errors(errors),
        head: opened.head(app, visit, "sheet"),
        title: content.title,
        lead: content.lead,
        steps: content.steps,
        never: content.never,
        rule: content.rule,
        unsigned: content.unsigned,
        links: content.links,
        forms,
        sheet: visit.htmx,
    };
    if visit.htmx { html(sent.status, &sheet.as_body()) } else { html(sent.status, &sheet) }
}

fn after(
    app: &AppState,
    visit: &Visit,
    id: &str,
    outcome: Outcome,
    content: impl Fn(&AppState, &Opened) -> Content,
) -> Result<Response, Error> {
    match outcome {
        Outcome::Done => {
            let opened = Opened::find(app, id)?;
            Ok(done(app, visit, &home_of(&opened), "Recorded."))
        }
        Outcome::Sent(sent) => {
            let opened = Opened::find(app, id)?;
            let content = content(app, &opened);
            draw(app, visit, &opened, content, &sent)
        }
        Outcome::Answered(answer) => Ok(*answer),
    }
}

/// The page a sheet was opened from.
fn home_of(opened: &Opened) -> String {
    let at_chair = !opened.sits.is_empty() && !opened.session.phase.preparing();
    if at_chair { format!("/chair/{}", opened.sits) } else { opened.path("") }
}

/// `GET /visit/{session}/note`
pub async fn note(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = note_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn note_content(_: &AppState, opened: &Opened) -> Content {
    let form = opened.form("note", "note", "", "Save note").with(Field::new(Kind::Words, "text", "Note"));
    let links = vec![
        ("Adverse event".to_owned(), opened.path("event")),
        ("Observation".to_owned(), opened.path("observe")),
    ];
    Content { title: "Note".to_owned(), forms: vec![form], links, ..Content::default() }
}

/// `POST /visit/{session}/note`
pub async fn write_note(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("note", Privilege::Chart), |desk, typed| {
        let text = typed.text("text");
        Some(desk.by_me(Command::Note { text }))
    });
    after(&app, &visit, &id, outcome.await?, note_content)
}

/// `GET /visit/{session}/event`
pub async fn events(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = events_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn events_content(app: &AppState, opened: &Opened) -> Content {
    let cards = app.floor.knowledge().adverse_events.iter();
    let links =
        cards.map(|item| (item.header.title.clone(), opened.path(&format!("event/{}", item.header.id))));
    let open = opened.session.adverse_events.iter().filter(|(_, outcome)| outcome.is_none());
    let forms = open.map(|(event, _)| {
        let title = format!("{}, grade {}: {}", event.playbook, event.grade, event.text);
        opened
            .form(&format!("end-{}", event.number), "event-end", &title, "It is over")
            .hidden("number", event.number.to_string())
            .with(Field::new(Kind::Line, "outcome", "How it ended"))
            .with(Field::new(Kind::Moment, "ended_at", "Over since").hint("Empty: now."))
    });
    Content {
        title: "Adverse event".to_owned(),
        links: links.collect(),
        forms: forms.collect(),
        ..Content::default()
    }
}

/// `GET /visit/{session}/event/{playbook}`
pub async fn event(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, playbook)): Path<(String, String)>,
) -> Result<Response, Error> {
    if app.floor.knowledge().adverse_events.get(&playbook).is_none() {
        return Err(Error::NotFound);
    }
    let opened = Opened::find(&app, &id)?;
    let content = event_content(&app, &opened, &playbook);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn event_content(app: &AppState, opened: &Opened, playbook: &str) -> Content {
    let Some(item) = app.floor.knowledge().adverse_events.get(playbook) else { return Content::default() };
    let infusion = match item.body.infusion {
        InfusionDoes::Continue => "The infusion goes on.",
        InfusionDoes::Slow => "SLOW the infusion.",
        InfusionDoes::Pause => "PAUSE the infusion.",
        InfusionDoes::Stop => "STOP the infusion.",
    };
    let grades = ["mild", "moderate", "severe", "life-threatening", "fatal"];
    let grades =
        grades.iter().enumerate().map(|(n, words)| Choice::of(n + 1, format!("{} {words}", n + 1))).collect();
    let note = opened
        .form("event", &format!("event/{playbook}"), "Note the event", "Note it")
        .with(Field::one("grade", "Grade", grades))
        .with(Field::ticks("serious", "Serious by regulation", vec![Choice::of("yes", "Serious")]))
        .with(Field::new(Kind::Moment, "began_at", "Began at").hint("Empty: now."))
        .with(Field::new(Kind::Line, "text", "What is seen"));
    let mut forms = vec![note];
    forms.extend(drug_forms(opened, item));
    let mut lead = vec![infusion.to_owned()];
    if item.body.in_the_patients_words
        && let Some(patient) = &opened.session.patient
    {
        let unread = |_| vec!["What calms this patient could not be read.".to_owned()];
        lead.extend(care_plan::calms(app, patient).unwrap_or_else(unread));
    }
    Content {
        title: item.header.title.clone(),
        lead,
        steps: item.body.steps.clone(),
        never: item.body.never.clone(),
        rule: format!("Card {}, version {}", item.header.id, item.header.version),
        unsigned: item.header.unsigned(),
        links: Vec::new(),
        forms,
    }
}

/// `POST /visit/{session}/event/{playbook}`
pub async fn note_event(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, playbook)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let named = playbook.clone();
    let outcome =
        carry_out(&app, &visit, &id, &posted, ("event", Privilege::NoteAdverseEvent), move |desk, typed| {
            let grade = if typed.text("grade").is_empty() {
                typed.wrong("grade", "Choose the grade.")
            } else {
                typed.whole::<u8>("grade", "The grade", "1 mild to 5 fatal")
            };
            let began_at = typed.moment("began_at", "The begin", desk.at);
            let serious = typed.yes_no("serious", "Serious") == Some(true);
            let text = typed.text("text");
            let playbook = RuleId::new(named);
            Some(desk.by_me(Command::NoteAdverseEvent {
                playbook,
                grade: grade?,
                serious,
                began_at: began_at?,
                text,
            }))
        });
    after(&app, &visit, &id, outcome.await?, |app, opened| event_content(app, opened, &playbook))
}

/// `POST /visit/{session}/event-end`
pub async fn end_event(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let key = format!("end-{}", posted.text("number"));
    let outcome =
        carry_out(&app, &visit, &id, &posted, (&key, Privilege::NoteAdverseEvent), |desk, typed| {
            let number =
                typed.whole("number", "The number of the event", "the number of one of this visit")?;
            let outcome = typed.text("outcome");
            let ended_at = Some(typed.moment("ended_at", "The end", desk.at)?);
            Some(desk.by_me(Command::ResolveAdverseEvent { number, outcome, ended_at }))
        });
    after(&app, &visit, &id, outcome.await?, events_content)
}

/// `GET /visit/{session}/rate`
pub async fn rate(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = rate_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn rate_content(_: &AppState, opened: &Opened) -> Content {
    let now = opened.session.delivery.rate();
    let form = opened
        .form("rate", "rate", "", "Compare and record the rate")
        .hint("Change it on the pump first, then type what the pump shows.")
        .hidden(SHOWN, shown(opened))
        .with(Field::number("rate", "Rate on the display", "mL/h"))
        .with(Field::new(Kind::Line, "reason", "Reason"))
        .with(far_from_ordered());
    Content {
        title: "Change the rate".to_owned(),
        lead: vec![format!("Recorded now: {now}")],
        forms: vec![form],
        ..Content::default()
    }
}

/// The field with the place in the log of what last set the flow.
const SHOWN: &str = "after";

fn shown(opened: &Opened) -> String {
    opened.session.delivery.last_set().map_or(0, |set| set.position).to_string()
}

fn is_shown(typed: &mut Typed) -> Option<i64> {
    let read = typed.text(SHOWN).parse();
    read.map_or_else(
        |_| typed.wrong("rate", "The form does not say which flow it showed. Open it again."),
        Some,
    )
}

fn far_from_ordered() -> Field {
    Field::new(Kind::Line, "passes", "Why so far from the ordered rate").only_asked()
}

/// `POST /visit/{session}/rate`
pub async fn change_rate(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("rate", Privilege::RunInfusion), |desk, typed| {
        let (to, after) = (typed.rate("rate", "The rate")?, Some(is_shown(typed)?));
        let (reason, passes) = (typed.text("reason"), typed.maybe("passes"));
        Some(desk.by_me(Command::ChangeRate { to, reason, passes, after }))
    });
    after(&app, &visit, &id, outcome.await?, rate_content)
}

/// `GET /visit/{session}/resume`
pub async fn resume(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = resume_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn resume_content(app: &AppState, opened: &Opened) -> Content {
    let rules = app.floor.knowledge().session_rules();
    let session = &opened.session;
    let decides =
        session.paused_s(opened.at) > rules.pause_total_s_max || session.pauses.len() > rules.pauses_max;
    let mut form = opened
        .form("resume", "resume", "", "The pump runs: record the resume")
        .hidden(SHOWN, shown(opened))
        .with(Field::number("rate", "Rate on the display", "mL/h"))
        .with(Field::new(Kind::Line, "reason", "Why it is safe to go on"))
        .with(far_from_ordered());
    let mut lead = session.chair.as_ref().map(|chair| app.floor.keeps_paused(chair)).unwrap_or_default();
    lead.extend(still_open(app, opened));
    if decides {
        form = form.with_all(signature("Prescriber"));
        lead.push(format!(
            "After a second or long pause a prescriber decides, at {} % of the ordered rate at most.",
            rules.resume_percent
        ));
    }
    Content { title: "Resume".to_owned(), lead, forms: vec![form], ..Content::default() }
}

/// What holds nothing and is not over: alarms that nobody has answered, adverse events without an end.
fn still_open(app: &AppState, opened: &Opened) -> Vec<String> {
    let session = &opened.session;
    let view = session.chair.as_ref().and_then(|chair| app.floor.monitor_view(chair));
    let alarms = view.into_iter().flat_map(|view| view.alarms).filter(|view| view.latched);
    let unanswered = alarms.map(|view| format!("Not answered yet: {}", view.alarm.message));
    let events = session.adverse_events.iter().filter(|(_, ended)| ended.is_none());
    let zone = app.config.time_zone();
    let open = events.map(|(event, _)| {
        let title = app.knowledge.title(event.playbook.as_str());
        let since = event.began_at.to_zoned(zone.clone()).strftime("%H:%M");
        format!("Not ended yet: {title}, grade {}, since {since}", event.grade)
    });
    unanswered.chain(open).collect()
}

/// `POST /visit/{session}/resume`
pub async fn go_on(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("resume", Privilege::RunInfusion), |desk, typed| {
        let (rate, after) = (typed.rate("rate", "The rate")?, Some(is_shown(typed)?));
        let reason = typed.text("reason");
        let signs = !typed.text("user").is_empty() || !typed.text("pin").is_empty();
        let prescriber = if signs {
            Some(desk.sign(typed, "The infusion may go on", Privilege::SignOrder)?)
        } else {
            None
        };
        let alarms =
            desk.session.chair.as_ref().map(|chair| desk.app.floor.keeps_paused(chair)).unwrap_or_default();
        let passes = typed.maybe("passes");
        Some(desk.by_me(Command::Resume { rate, reason, prescriber, alarms, passes, after }))
    });
    after(&app, &visit, &id, renamed(outcome.await?, "prescriber", "user"), resume_content)
}
