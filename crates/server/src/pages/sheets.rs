//! The forms that open over a chair's page: observations, notes, adverse events with their cards, rescue drugs, rate,
//! resume, and the pump read by eye. Each is a page of its own too.

use super::discharge::{self, renamed};
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
use clinic::device::{Parameter, PumpStatus};
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::adverse_events::{AdverseEvent, InfusionDoes, RescueDrug};
use clinic::knowledge::limits::Limits;
use clinic::quantity::{Tenths, plain};
use clinic::session::{Command, DrugGiven, Finding, Observation, PumpRead, ReadBy};
use std::collections::BTreeMap;

/// What can be charted as numbers: field, label, unit, what it is.
const VITALS: [(&str, &str, &str, Parameter); 6] = [
    ("sbp", "Systolic", "mmHg", Parameter::Systolic),
    ("dbp", "Diastolic", "mmHg", Parameter::Diastolic),
    ("hr", "Heart rate", "/min", Parameter::HeartRate),
    ("spo2", "SpO₂", "%", Parameter::Spo2),
    ("rr", "Respiratory rate", "/min", Parameter::RespiratoryRate),
    ("temp", "Temperature", "°C", Parameter::Temperature),
];

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
    unsigned: bool,
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
    unsigned: bool,
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
        head: opened.head(app, visit, ""),
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

// Observations.

/// `GET /visit/{session}/observe`
pub async fn observe(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = observe_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn observe_content(app: &AppState, opened: &Opened) -> Content {
    let knowledge = app.floor.knowledge();
    let mut forms = vec![vitals_form(opened)];
    for scale in &knowledge.session_rules().scales {
        forms.push(scale_form(opened, &scale.id, &scale.title, scale.from, scale.to));
    }
    forms.push(taps(opened, "iv_site", "IV site", &[("sound", "Sound"), ("not", "NOT sound")]));
    forms.push(taps(
        opened,
        "oriented",
        "Oriented to person, place and time",
        &[("yes", "Yes"), ("no", "No")],
    ));
    forms.push(as_before_form(opened));
    forms.push(taps(opened, "suicidal", "Suicidal thoughts, asked briefly", &[("no", "No"), ("yes", "Yes")]));
    let symptoms = knowledge.limits.iter().filter_map(|item| match &item.body {
        Limits::Symptoms(symptoms) => Some(&symptoms.symptoms),
        _ => None,
    });
    let symptoms: Vec<(&str, &str)> =
        symptoms.flatten().map(|one| (one.id.as_str(), one.title.as_str())).collect();
    forms.push(taps(opened, "symptom", "Symptom", &symptoms));
    forms.push(taps(opened, "asked_to_stop", "The patient's wish", &[("yes", "Asks to stop")]));
    Content { title: "Observation".to_owned(), forms, ..Content::default() }
}

/// What is watched before the patient goes home.
pub(super) fn recovery_forms(opened: &Opened, knowledge: &Knowledge) -> Vec<Form> {
    let mut forms = vec![vitals_form(opened)];
    for scale in knowledge
        .session_rules()
        .scales
        .iter()
        .filter(|scale| ["moaas", "nausea"].contains(&scale.id.as_str()))
    {
        forms.push(scale_form(opened, &scale.id, &scale.title, scale.from, scale.to));
    }
    forms.push(as_before_form(opened));
    forms
}

fn vitals_form(opened: &Opened) -> Form {
    let fields = VITALS.map(|(name, label, unit, _)| Field::number(name, label, unit));
    opened
        .form("vitals", "observe", "Vital signs", "Save vital signs")
        .hidden("what", "vitals")
        .with_all(fields)
        .with(Field::new(Kind::Moment, "observed_at", "Measured at").hint("Empty: now."))
}

fn scale_form(opened: &Opened, id: &str, title: &str, from: i64, to: i64) -> Form {
    let scores: Vec<String> = (from..=to).map(|score| score.to_string()).collect();
    let scores: Vec<(&str, &str)> = scores.iter().map(|score| (score.as_str(), score.as_str())).collect();
    taps(opened, id, title, &scores)
}

fn as_before_form(opened: &Opened) -> Form {
    taps(opened, "as_before", "Mind as before the infusion", &[("yes", "As before"), ("no", "Not yet")])
}

fn taps(opened: &Opened, what: &str, title: &str, choices: &[(&str, &str)]) -> Form {
    let mut form = opened.form(what, "observe", title, "").hidden("what", what);
    form.taps = choices
        .iter()
        .map(|(value, label)| ("value".to_owned(), (*value).to_owned(), (*label).to_owned()))
        .collect();
    form
}

/// `POST /visit/{session}/observe`
pub async fn chart(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let what = posted.text("what").to_owned();
    let outcome = carry_out(&app, &visit, &id, &posted, (&what, Privilege::Chart), |desk, typed| {
        let observed_at = typed.moment("observed_at", "The time", desk.at)?;
        let finding = finding(typed)?;
        Some(desk.by_me(Command::Chart(Observation { observed_at, from_device: None, finding })))
    });
    let outcome = outcome.await?;
    if posted.text("back") == "discharge" && !visit.htmx {
        return match outcome {
            Outcome::Done => Ok(done(&app, &visit, &format!("/visit/{id}/discharge"), "Recorded.")),
            Outcome::Sent(sent) => discharge::draw(&app, &visit, &id, &sent),
            Outcome::Answered(answer) => Ok(*answer),
        };
    }
    after(&app, &visit, &id, outcome, observe_content)
}

fn finding(typed: &mut Typed) -> Option<Finding> {
    let what = typed.text("what");
    let yes = |typed: &mut Typed, word: &str| match typed.text("value") {
        value if value == word => Some(true),
        value if value.is_empty() => typed.wrong("value", "Tap one of the answers."),
        _ => Some(false),
    };
    let score = |typed: &mut Typed| typed.whole::<u8>("value", "The score");
    match what.as_str() {
        "vitals" => vitals(typed),
        "moaas" => score(typed).map(|score| Finding::MoaaS { score }),
        "rass" => typed.whole::<i8>("value", "The score").map(|score| Finding::Rass { score }),
        "distress" => score(typed).map(|score| Finding::Distress { score }),
        "disconnected" => score(typed).map(|score| Finding::Disconnected { score }),
        "nausea" => score(typed).map(|score| Finding::Nausea { score }),
        "pain" => score(typed).map(|score| Finding::Pain { score }),
        "iv_site" => yes(typed, "sound").map(|sound| Finding::IvSite { sound }),
        "oriented" => yes(typed, "yes").map(|oriented| Finding::Oriented { oriented }),
        "as_before" => yes(typed, "yes").map(|as_before| Finding::AsBefore { as_before }),
        "suicidal" => yes(typed, "yes").map(|present| Finding::SuicidalThoughts { present }),
        "symptom" => typed.needed("value", "The symptom").map(|symptom| Finding::Symptom { symptom }),
        "asked_to_stop" => Some(Finding::AskedToStop),
        other => typed.wrong("", format!("“{other}” is not something to chart.")),
    }
}

fn vitals(typed: &mut Typed) -> Option<Finding> {
    let mut values = BTreeMap::new();
    for (field, label, unit, parameter) in VITALS {
        let Some(number) = typed.maybe_number(field, label, unit) else { continue };
        match Tenths::from_decimal(number).filter(|tenths| tenths.decimal() == number.normalize()) {
            Some(tenths) => {
                values.insert(parameter, tenths);
            }
            None => {
                return typed.wrong(
                    field,
                    format!("{label} {number} {unit} is not a number with one decimal at most."),
                );
            }
        }
    }
    typed.errors.is_empty().then_some(Finding::Vitals { values })
}

// Notes.

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

// Adverse events.

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
    forms.extend(drug_forms(opened, playbook, &item.body));
    Content {
        title: item.header.title.clone(),
        lead: vec![infusion.to_owned()],
        steps: item.body.steps.clone(),
        never: item.body.never.clone(),
        rule: format!("Card {}, version {}", item.header.id, item.header.version),
        unsigned: item.header.is_unsigned_default(),
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
                typed.whole::<u8>("grade", "The grade")
            };
            let began_at = typed.moment("began_at", "The begin", desk.at);
            let serious = typed.text("serious") == "yes";
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
            let number = typed.whole("number", "The number of the event")?;
            let outcome = typed.text("outcome");
            Some(desk.by_me(Command::ResolveAdverseEvent { number, outcome }))
        });
    after(&app, &visit, &id, outcome.await?, events_content)
}

// Drugs under standing orders.

/// `GET /visit/{session}/drug`
pub async fn drugs(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = drugs_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn drugs_content(app: &AppState, opened: &Opened) -> Content {
    let cards = app.floor.knowledge().adverse_events.iter();
    let forms = cards.flat_map(|item| drug_forms(opened, &item.header.id, &item.body)).collect();
    let lead = vec![
        "Standing orders act only where the clinic has signed them. For anything else a prescriber orders."
            .to_owned(),
    ];
    Content { title: "Give a drug".to_owned(), lead, forms, ..Content::default() }
}

fn drug_forms(opened: &Opened, playbook: &str, card: &AdverseEvent) -> Vec<Form> {
    card.drugs.iter().map(|drug| drug_form(opened, playbook, drug)).collect()
}

fn drug_form(opened: &Opened, playbook: &str, drug: &RescueDrug) -> Form {
    let [low, high] = drug.dose.map(plain);
    let unit = &drug.unit;
    let over = drug.over_min.map_or_else(String::new, |minutes| format!(", over {minutes} min"));
    let repeat = drug.repeat_min.map_or_else(String::new, |minutes| format!(", again after {minutes} min"));
    let doses = if low == high { format!("{low} {unit}") } else { format!("{low} to {high} {unit}") };
    let hint = format!(
        "For {}: {doses}{over}{repeat}, at most {} {unit} in a visit. {}",
        playbook.replace('_', " "),
        plain(drug.total_max),
        drug.caution
    );
    let routes: Vec<&str> = drug.route.split('/').map(str::trim).collect();
    let mut form = opened
        .form(
            &format!("give-{playbook}-{}", drug.name.replace(' ', "-")),
            "drug",
            &format!("{} {}", drug.name, drug.route),
            &format!("Give the typed dose to {}", opened.patient.banner_name()),
        )
        .hint(hint)
        .hidden("drug", drug.name.as_str())
        .hidden("unit", unit.as_str())
        .hidden("playbook", playbook)
        .with(Field::number("dose", "Another dose", unit));
    form.taps = vec![(
        "standard".to_owned(),
        drug.dose[0].normalize().to_string(),
        format!("Give {low} {unit} {} {}", drug.name, routes.first().unwrap_or(&"")),
    )];
    if routes.len() > 1 {
        let first = (*routes.first().unwrap_or(&"")).to_owned();
        form.with(
            Field::one("route", "Route", routes.iter().map(|route| Choice::of(route, route)).collect())
                .known(first),
        )
    } else {
        form.hidden("route", drug.route.as_str())
    }
}

/// `POST /visit/{session}/drug`
pub async fn give(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let playbook = posted.text("playbook").to_owned();
    let key = format!("give-{playbook}-{}", posted.text("drug").replace(' ', "-"));
    let named = playbook.clone();
    let outcome = carry_out(
        &app,
        &visit,
        &id,
        &posted,
        (&key, Privilege::GiveRescueDrug),
        move |desk, typed| {
            let unit = typed.text("unit");
            let tapped = !typed.text("standard").is_empty();
            if tapped && !typed.text("dose").is_empty() {
                return typed.wrong("dose", "A dose is typed and the standard dose was tapped. Empty the field, or send the typed dose.");
            }
            let dose = typed.number(if tapped { "standard" } else { "dose" }, "The dose", &unit)?;
            let standing_order = RuleId::new(named);
            let knowledge = desk.app.floor.knowledge();
            let version = knowledge.playbook_version(&standing_order).unwrap_or_default();
            let events = desk.session.adverse_events.iter().rev();
            let event = events
                .filter(|(event, outcome)| outcome.is_none() && event.playbook == standing_order)
                .map(|(event, _)| event.number)
                .next();
            let (drug, route) = (typed.text("drug"), typed.text("route"));
            let given = DrugGiven {
                drug,
                dose,
                unit,
                route,
                standing_order,
                version,
                adverse_event: event,
                given_at: desk.at,
            };
            Some(desk.by_me(Command::GiveDrug { given }))
        },
    );
    after(&app, &visit, &id, outcome.await?, |app, opened| {
        match app.floor.knowledge().adverse_events.get(&playbook) {
            Some(_) => event_content(app, opened, &playbook),
            None => drugs_content(app, opened),
        }
    })
}

// Pump.

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
        .with(Field::number("rate", "Rate on the display", "mL/h"))
        .with(Field::new(Kind::Line, "reason", "Reason"));
    Content {
        title: "Change the rate".to_owned(),
        lead: vec![format!("Recorded now: {now}")],
        forms: vec![form],
        ..Content::default()
    }
}

/// `POST /visit/{session}/rate`
pub async fn change_rate(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("rate", Privilege::RunInfusion), |desk, typed| {
        let to = typed.rate("rate", "The rate")?;
        let reason = typed.text("reason");
        Some(desk.by_me(Command::ChangeRate { to, reason }))
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
        .with(Field::number("rate", "Rate on the display", "mL/h"))
        .with(Field::new(Kind::Line, "reason", "Why it is safe to go on"));
    let mut lead = session.chair.as_ref().map(|chair| app.floor.keeps_paused(chair)).unwrap_or_default();
    if decides {
        form = form.with_all(signature("Prescriber"));
        lead.push(format!(
            "After a second or long pause a prescriber decides, at {} % of the ordered rate at most.",
            rules.resume_percent
        ));
    }
    Content { title: "Resume".to_owned(), lead, forms: vec![form], ..Content::default() }
}

/// `POST /visit/{session}/resume`
pub async fn go_on(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("resume", Privilege::RunInfusion), |desk, typed| {
        let rate = typed.rate("rate", "The rate")?;
        let reason = typed.needed("reason", "The reason")?;
        let signs = !typed.text("user").is_empty() || !typed.text("pin").is_empty();
        let prescriber = if signs {
            Some(desk.sign(typed, "The infusion may go on", Privilege::SignOrder)?)
        } else {
            None
        };
        let alarms =
            desk.session.chair.as_ref().map(|chair| desk.app.floor.keeps_paused(chair)).unwrap_or_default();
        Some(desk.by_me(Command::Resume { rate, reason, prescriber, alarms }))
    });
    after(&app, &visit, &id, renamed(outcome.await?, "prescriber", "user"), resume_content)
}

/// `GET /visit/{session}/pump`
pub async fn pump(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = pump_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn pump_content(_: &AppState, opened: &Opened) -> Content {
    Content { title: "Read the pump".to_owned(), forms: vec![pump_form(opened)], ..Content::default() }
}

/// The pump as it is read by eye.
pub(super) fn pump_form(opened: &Opened) -> Form {
    let states = vec![Choice::of("infusing", "Infusing"), Choice::of("not_infusing", "Not infusing")];
    let runs = if opened.session.phase.active() { "" } else { "not_infusing" };
    opened
        .form("pump", "pump", "The pump, by eye", "Record the reading")
        .hint("Type what stands on the display.")
        .with(Field::one("status", "The pump is", states).known(runs))
        .with(Field::number("rate", "Rate", "mL/h").hint("0 when it does not infuse."))
        .with(Field::number("counter", "Volume infused", "mL"))
}

/// `POST /visit/{session}/pump`
pub async fn read_pump(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("pump", Privilege::RunInfusion), |desk, typed| {
        let status = match typed.text("status").as_str() {
            "infusing" => Some(PumpStatus::Infusing),
            "not_infusing" => Some(PumpStatus::NotInfusing),
            _ => typed.wrong("status", "Say whether the pump infuses."),
        };
        let rate = typed.rate("rate", "The rate");
        let counter = typed.volume("counter", "The volume infused");
        let read = PumpRead {
            by: ReadBy::Person,
            status: status?,
            rate: rate?,
            counter: counter?,
            read_at: desk.at,
        };
        Some(desk.by_me(Command::ReadPump { read }))
    });
    let outcome = outcome.await?;
    if posted.text("back") == "discharge" {
        return match outcome {
            Outcome::Done => Ok(done(&app, &visit, &format!("/visit/{id}/discharge"), "The pump is read.")),
            Outcome::Sent(sent) => discharge::draw(&app, &visit, &id, &sent),
            Outcome::Answered(answer) => Ok(*answer),
        };
    }
    after(&app, &visit, &id, outcome, pump_content)
}
