//! A patient's course: the plan in versions and who signed it, advice for the next infusion, exposure and what it asks
//! to be checked.

mod plan;

use super::error::status_of;
use super::visit::act::sign;
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::Opened;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::advice::{Advice, AtThisDose, FirstDose, first_dose, next_dose};
use clinic::course::exposure::{ledger, review, tolerance};
use clinic::course::{Command, Event, Recorded, Stage};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, PatientId, RuleId};
use clinic::knowledge::long_term::LongTerm;
use clinic::patient::Patient;
use clinic::quantity::plain;
use clinic::staff::{Actor, Signature};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What may stand in the address: a regimen to begin with, and answers that advice asks for.
type Asked = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "pages/course.html")]
struct CoursePage {
    page: Page,
    name: String,
    path: String,
    stage: &'static str,
    versions: Vec<Version>,
    /// Regimens to begin with, before the first plan.
    begin: Vec<Choice>,
    plan: Option<Form>,
    advice: Option<Shown>,
    answer: Option<Form>,
    exposure: Vec<(&'static str, String)>,
    watched: Vec<Line>,
    checks: Vec<Line>,
    forms: Vec<Form>,
    said: Vec<String>,
    sheet: bool,
}

/// One signed version of the plan.
struct Version {
    title: String,
    signed: String,
    lines: Vec<String>,
}

/// One finding.
struct Line {
    state: &'static str,
    says: &'static str,
    text: String,
    rule: String,
}

/// Advice and what it rests on.
struct Shown {
    title: String,
    rule: String,
    inputs: Vec<(String, String)>,
    working: Vec<String>,
    ask: Vec<Field>,
}

/// All that the page is made of, read from the log.
struct Read {
    patient: Patient,
    opened: Opened,
    advice: Option<Advice>,
    exposure: Vec<(&'static str, String)>,
    watched: Vec<Finding>,
    checks: Vec<Finding>,
}

/// `GET /patients/{id}/course`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    draw(&app, &visit, &PatientId::new(id), asked, Sent::nothing()).await
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    id: &PatientId,
    asked: Asked,
    sent: Sent,
) -> Result<Response, Error> {
    let (whose, answers) = (id.clone(), asked.clone());
    let read = app.blocking(move |app| read(app, &whose, &answers)).await??.ok_or(Error::NotFound)?;
    let Read { patient, opened, advice, exposure, watched, checks } = read;
    let path = format!("/patients/{id}/course");
    let open = !matches!(opened.course.stage, Stage::New | Stage::Closed);
    let plan = plan::form(app, &path, &opened.course, &asked).map(|form| form.filled(&sent));
    let answer =
        advice.as_ref().filter(|_| open).map(|advice| answer_form(&path, advice, &asked).filled(&sent));
    let mut forms = Vec::new();
    if open {
        forms.push(check_form(app, &path).filled(&sent));
        forms.extend(override_form(app, &path, &checks).map(|form| form.filled(&sent)));
        forms.push(close_form(&path).filled(&sent));
    }
    let errors = sent.summary(plan.iter().chain(&answer).chain(&forms));
    let begin = if opened.course.stage == Stage::New { plan::regimens(app, &asked) } else { Vec::new() };
    let page = CoursePage {
        page: Page::new(app, visit, "Course").with_errors(errors),
        name: patient.banner_name(),
        stage: opened.course.stage.title(),
        versions: opened.history.iter().filter_map(|recorded| version(app, recorded)).collect(),
        begin,
        plan,
        advice: advice.map(|advice| shown(app, &advice, &opened, &asked)),
        answer,
        exposure,
        watched: watched.iter().map(|finding| line(app, finding)).collect(),
        checks: checks.iter().map(|finding| line(app, finding)).collect(),
        forms,
        said: opened.history.iter().filter_map(|recorded| said(app, recorded)).collect(),
        path,
        sheet: false,
    };
    html(sent.status, &page)
}

fn read(app: &AppState, id: &PatientId, asked: &Asked) -> Result<Option<Read>, Fault> {
    let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
    let opened = app.floor.course(id)?;
    let given = app.floor.exposures(id)?;
    let (today, knowledge) = (today(app), app.floor.knowledge());
    let had = ledger(&given, today);
    let sum = |sum: &clinic::course::exposure::Sum| {
        format!("{} infusions, {} mg, {} mg/kg", sum.infusions, plain(sum.mg), plain(sum.mg_per_kg))
    };
    let exposure = vec![
        ("Ever, here", sum(&had.lifetime)),
        ("In 12 months", sum(&had.twelve_months)),
        (
            "Highest dose",
            had.highest_mg_per_kg.map_or("none".to_owned(), |dose| format!("{} mg/kg", plain(dose))),
        ),
    ];
    let mut watched = Vec::new();
    if !given.is_empty() {
        watched = review(&given, today, knowledge).findings;
        watched.extend(tolerance(&given, knowledge).findings);
    }
    let advice = advise(app, &patient, &opened, &given, asked);
    let checks = app.floor.checks_due(id, today)?;
    Ok(Some(Read { patient, opened, advice, exposure, watched, checks }))
}

fn today(app: &AppState) -> Date {
    app.clock.now().to_zoned(app.config.time_zone()).date()
}

/// Advice for the next infusion, as far as it is known or answered.
fn advise(
    app: &AppState,
    patient: &Patient,
    opened: &Opened,
    given: &[clinic::course::exposure::Exposure],
    asked: &Asked,
) -> Option<Advice> {
    let knowledge = app.floor.knowledge();
    let plan = opened.course.plan()?;
    let area = knowledge.regimens.get(plan.regimen.as_str())?.body.care_area;
    let yes_no = |name: &str| match asked.get(name).map(String::as_str) {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    let number = |name: &str| asked.get(name).and_then(|text| clinic::dose::parse::number(text.trim()).ok());
    let Some(last) = opened.course.given.last().and(given.last()) else {
        if area != clinic::knowledge::regimen::CareArea::Psych {
            return None;
        }
        let years = patient.born.until((jiff::Unit::Year, today(app))).ok()?.get_years();
        let (frail, pressure_amber, anxious) = (yes_no("frail"), yes_no("pressure_amber"), yes_no("anxious"));
        let first = FirstDose { age: u32::try_from(years).ok(), frail, pressure_amber, anxious };
        return Some(first_dose(&first, knowledge));
    };
    let at_it = given.iter().rev().take_while(|one| one.mg_per_kg == last.mg_per_kg).count();
    let went = AtThisDose {
        care_area: area,
        mg_per_kg: last.mg_per_kg?.0,
        infusions: u32::try_from(at_it).unwrap_or(u32::MAX),
        improvement_percent: number("improvement_percent"),
        response: yes_no("response"),
        paused_or_stopped: yes_no("paused_or_stopped"),
        lowest_moaas: number("lowest_moaas"),
        highest_systolic: number("highest_systolic"),
        highest_diastolic: number("highest_diastolic"),
        poorly_tolerated: yes_no("poorly_tolerated"),
        patient_agrees: yes_no("patient_agrees"),
    };
    next_dose(&went, knowledge)
}

/// What advice asks a person: before the first infusion, and between two.
fn questions(first: bool, asked: &Asked) -> Vec<Field> {
    let yes_no = |name: &str, label: &str| {
        let choices = [("", "Not asked"), ("yes", "Yes"), ("no", "No")];
        let choices = choices.into_iter().map(|(value, label)| Choice::of(value, label)).collect();
        Field::listed(name, label, choices)
    };
    let fields = if first {
        vec![
            yes_no("frail", "Frail"),
            yes_no("pressure_amber", "Blood pressure in the amber band"),
            yes_no("anxious", "Afraid of the first exposure"),
        ]
    } else {
        vec![
            Field::number("improvement_percent", "Fall of the main scale since the baseline", "%"),
            yes_no("response", "Response by the definition of the condition"),
            yes_no("paused_or_stopped", "An infusion at this dose was paused or stopped"),
            Field::number("lowest_moaas", "Lowest sedation score at this dose", "MOAA/S"),
            Field::number("highest_systolic", "Highest systolic pressure at this dose", "mm[Hg]"),
            Field::number("highest_diastolic", "Highest diastolic pressure at this dose", "mm[Hg]"),
            yes_no("poorly_tolerated", "The last infusion was poorly tolerated"),
            yes_no("patient_agrees", "The patient agrees to more"),
        ]
    };
    let known = |field: Field| {
        let value = asked.get(&field.name).cloned().unwrap_or_default();
        let unread = field.kind == Kind::Number
            && !value.is_empty()
            && clinic::dose::parse::number(value.trim()).is_err();
        let mut field = field.known(value);
        if unread {
            field.error = format!("“{}” is not a number in {}. It was left out.", field.value, field.unit);
        }
        field
    };
    fields.into_iter().map(known).collect()
}

fn shown(app: &AppState, advice: &Advice, opened: &Opened, asked: &Asked) -> Shown {
    Shown {
        title: advice.suggestion.to_string(),
        rule: rule_title(app, &advice.rule, advice.version),
        inputs: advice.inputs.clone().into_iter().collect(),
        working: advice.working.clone(),
        ask: questions(opened.course.given.is_empty(), asked),
    }
}

fn rule_title(app: &AppState, rule: &RuleId, version: u32) -> String {
    let header = app.floor.knowledge().header(rule.as_str());
    let unsigned = header.is_some_and(clinic::knowledge::Header::is_unsigned_default);
    let unsigned = if unsigned { ", clinic default, not signed" } else { "" };
    format!("{}, version {version}{unsigned}", header.map_or(rule.as_str(), |header| &header.title))
}

fn line(app: &AppState, finding: &Finding) -> Line {
    let (state, says) = match finding.verdict {
        Verdict::Hold | Verdict::Stop => ("red", "Holds the next booking"),
        Verdict::Warn => ("amber", "Look at it"),
        Verdict::Pass | Verdict::Info => ("info", "Good to know"),
    };
    Line { state, says, text: finding.reason.clone(), rule: rule_title(app, &finding.rule, finding.version) }
}

fn version(app: &AppState, recorded: &Recorded) -> Option<Version> {
    let signed = |signature: &Signature, reason: Option<&str>| {
        let at = super::tasks::clock_time(app, signature.at);
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("signed by {} at {at}{reason}", app.floor.called(&signature.by))
    };
    match &recorded.event {
        Event::CourseOpened { plan, signature, reason, .. } => Some(Version {
            title: "Version 1".to_owned(),
            signed: signed(signature, reason.as_deref()),
            lines: plan.shown().into_iter().map(|(field, value)| format!("{field}: {value}")).collect(),
        }),
        Event::PlanChanged { plan_version, changes, signature, reason, .. } => Some(Version {
            title: format!("Version {plan_version}: what changed"),
            signed: signed(signature, Some(reason)),
            lines: changes.iter().map(ToString::to_string).collect(),
        }),
        _ => None,
    }
}

/// What was done with advice and checks, as one reads it later.
fn said(app: &AppState, recorded: &Recorded) -> Option<String> {
    let (who, at) = (app.floor.called(&recorded.by), super::tasks::clock_time(app, recorded.at));
    let what = match &recorded.event {
        Event::AdviceTaken { advice, .. } => format!("Advice taken: {}", advice.suggestion),
        Event::AdviceDeclined { advice, reason, .. } => {
            format!("Advice declined: {}. {reason}", advice.suggestion)
        }
        Event::CheckMade { check, on, result } => format!("{check} made {on}: {result}"),
        Event::CheckOverridden { finding, reason, .. } => format!("{} overridden: {reason}", finding.rule),
        Event::VisitsBooked { visits } if visits.is_empty() => "Visits cancelled".to_owned(),
        Event::VisitsBooked { visits } => format!("{} visits booked", visits.len()),
        Event::InfusionGiven { on, delivered, .. } => format!("Infusion given {}: {delivered}", day(*on)),
        _ => return None,
    };
    Some(format!("{what} ({who}, {at})"))
}

fn answer_form(path: &str, advice: &Advice, asked: &Asked) -> Form {
    let choices = vec![Choice::of("take", "Take it"), Choice::of("decline", "Decline it")];
    let form = Form::new("advice", format!("{path}/advice"), "Take or decline this advice", "Sign")
        .hint("Advice orders nothing: the plan or the order of the day does.")
        .hidden("seen", advice.suggestion.to_string());
    let form = questions(true, asked)
        .into_iter()
        .chain(questions(false, asked))
        .fold(form, |form, field| form.hidden(&field.name, field.value));
    form.with(Field::one("do", "What do you do with it?", choices))
        .with(Field::new(Kind::Line, "reason", "Reason").hint("Needed to decline."))
        .with_all(signature("Prescriber"))
}

fn all_checks(app: &AppState) -> Vec<Choice> {
    let items = app.floor.knowledge().long_term.iter();
    let checks = items.filter(|item| matches!(item.body, LongTerm::Check(_)));
    checks.map(|item| Choice::of(&item.header.id, &item.header.title)).collect()
}

fn check_form(app: &AppState, path: &str) -> Form {
    Form::new("check", format!("{path}/check"), "Record a check", "Record the check")
        .with(Field::listed("check", "Which check", all_checks(app)))
        .with(Field::new(Kind::Day, "on", "Made on").known(today(app).to_string()))
        .with(Field::new(Kind::Words, "result", "Result"))
}

fn override_form(app: &AppState, path: &str, due: &[Finding]) -> Option<Form> {
    let holds = |choice: &Choice| {
        due.iter().any(|found| found.verdict >= Verdict::Hold && found.rule.as_str() == choice.value)
    };
    let held: Vec<Choice> = all_checks(app).into_iter().filter(holds).collect();
    (!held.is_empty()).then(|| {
        Form::new("override", format!("{path}/override"), "Book in spite of a check", "Sign the override")
            .hint("Lets the next booking pass, and only that one.")
            .grave()
            .with(Field::listed("check", "Which check", held))
            .with(Field::new(Kind::Line, "reason", "Reason"))
            .with_all(signature("Prescriber"))
    })
}

fn close_form(path: &str) -> Form {
    Form::new("close", format!("{path}/close"), "End the course", "End the course")
        .hint("Cancel visits that are booked first.")
        .grave()
        .with(Field::new(Kind::Line, "reason", "Reason"))
        .with_all(signature("Prescriber"))
}

/// A form being carried out: it reads what was typed and makes a command of it.
struct Desk<'a> {
    app: &'a AppState,
    patient: PatientId,
    actor: Actor,
    from: String,
}

impl Desk<'_> {
    /// Who signs acts.
    fn signed(
        &self,
        typed: &mut Typed,
        meaning: &str,
        command: impl FnOnce(Signature) -> Command,
    ) -> Result<Option<(Actor, Command)>, Fault> {
        let signature = sign(self.app, &self.from, typed, meaning, Privilege::SignPlan)?;
        Ok(signature.map(|signature| {
            let actor = Actor { id: signature.by.clone(), role: signature.role };
            (actor, command(signature))
        }))
    }
}

async fn act<F>(
    app: &AppState,
    visit: &Visit,
    id: String,
    (form, asked): (&str, Asked),
    posted: Posted,
    make: F,
) -> Result<Response, Error>
where
    F: FnOnce(&Desk<'_>, &mut Typed) -> Result<Option<(Actor, Command)>, Fault> + Send + 'static,
{
    let Some(actor) = visit.person()?.acting(Privilege::OpenCourse) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (whose, typed_in, from) = (patient.clone(), posted.clone(), visit.from.clone());
    let acted = app.blocking(move |app| {
        let mut typed = Typed::new(typed_in, app.config.time_zone());
        let desk = Desk { app, patient: whose, actor, from };
        let made = make(&desk, &mut typed)?;
        let Some((actor, command)) = made.filter(|_| typed.errors.is_empty()) else {
            return Ok(Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)));
        };
        let act = CommandId::new(typed.posted().command_id());
        let done = app.floor.decide_course(&desk.patient, &act, &actor, &command);
        Ok::<_, Fault>(
            done.map_err(|denied| (vec![FieldError::denied(denied.field(), &denied)], status_of(&denied))),
        )
    });
    match acted.await?? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}/course")).into_response()),
        Err((errors, status)) => {
            draw(app, visit, &patient, asked, Sent { form: form.to_owned(), posted, errors, status }).await
        }
    }
}

/// `POST /patients/{id}/course`: the first version of the plan, or the next.
pub async fn sign_plan(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let regimen = posted.text("regimen").to_owned();
    let asked = Asked::from([("regimen".to_owned(), regimen)]);
    act(&app, &visit, id, ("plan", asked), posted, |desk, typed| {
        let plan = plan::typed(typed);
        let (read, reason) = (typed.text("read").parse().unwrap_or(0), typed.maybe("reason"));
        let Some(plan) = plan else { return Ok(None) };
        let patient = desk.patient.clone();
        desk.signed(typed, "I sign this plan", |signature| match read {
            0 => Command::Open { patient, plan, reason, signature },
            read => Command::ChangePlan { read, plan, reason: reason.unwrap_or_default(), signature },
        })
    })
    .await
}

/// `POST /patients/{id}/course/advice`
pub async fn answer_advice(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let names = questions(true, &Asked::new()).into_iter().chain(questions(false, &Asked::new()));
    let asked: Asked = names.map(|field| (field.name.clone(), posted.text(&field.name).to_owned())).collect();
    let answers = asked.clone();
    act(&app, &visit, id, ("advice", asked), posted, move |desk, typed| {
        let what = typed.chosen("do", "Choose what you do with it.");
        let advice = read(desk.app, &desk.patient, &answers)?.and_then(|read| read.advice);
        let Some(advice) = advice.filter(|advice| advice.suggestion.to_string() == typed.text("seen")) else {
            return Ok(typed.wrong("", "The advice has changed since it was shown. Look at it again."));
        };
        let reason = typed.maybe("reason");
        desk.signed(typed, "I have seen this advice", |signature| match what.as_deref() {
            Some("take") => Command::TakeAdvice { advice, reason, signature },
            _ => Command::DeclineAdvice { advice, reason: reason.unwrap_or_default(), signature },
        })
    })
    .await
}

/// `POST /patients/{id}/course/check`
pub async fn make_check(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, ("check", Asked::new()), posted, |desk, typed| {
        let check = typed.needed("check", "The check").map(RuleId::new);
        let on = typed.day("on", "The day of the check");
        let result = typed.needed("result", "The result");
        let today = today(desk.app);
        if let Some(on) = on.filter(|on| *on > today) {
            return Ok(typed.wrong("on", format!("{on} is still to come; accepted is {today} or before.")));
        }
        let made = check.zip(on).zip(result);
        Ok(made.map(|((check, on), result)| (desk.actor.clone(), Command::MakeCheck { check, on, result })))
    })
    .await
}

/// `POST /patients/{id}/course/override`
pub async fn override_check(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, ("override", Asked::new()), posted, |desk, typed| {
        let check = typed.needed("check", "The check");
        let reason = typed.needed("reason", "The reason");
        let due = desk.app.floor.checks_due(&desk.patient, today(desk.app))?;
        let finding = due.into_iter().find(|found| Some(found.rule.as_str()) == check.as_deref());
        let Some((finding, reason)) = finding.zip(reason) else {
            return Ok(typed.wrong("check", "Choose a check that holds the booking, and say why."));
        };
        let command = |signature| Command::OverrideCheck { finding, reason, signature };
        desk.signed(typed, "I allow the next booking without this check", command)
    })
    .await
}

/// `POST /patients/{id}/course/close`
pub async fn close(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, ("close", Asked::new()), posted, |desk, typed| {
        let opened = desk.app.floor.course(&desk.patient)?;
        if opened.course.booked.iter().any(|visit| visit.start >= desk.app.clock.now()) {
            return Ok(typed.wrong("", "Visits are booked. Cancel them first, then end the course."));
        }
        let reason = typed.needed("reason", "The reason").unwrap_or_default();
        desk.signed(typed, "I end this course", |signature| Command::Close { reason, signature })
    })
    .await
}
