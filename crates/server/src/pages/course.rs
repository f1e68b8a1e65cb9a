//! A patient's course: the plan in versions and who signed it, advice for the next infusion, exposure and what it asks
//! to be checked.

mod advise;
pub(super) mod ended;
mod forms;
pub(super) mod plan;

use super::consent::NotAgreed;
use super::error::as_told;
use super::visit::act::sign;
use super::visit::form::{Choice, Field, Form, Sent};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::Opened;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::advice::{Advice, Suggestion};
use clinic::course::exposure::{Exposure, Newer, Sum, ledger, review, tolerance};
use clinic::course::{Command, Event, Judged, Recorded, Stage};
use clinic::gate::{Finding, Verdict};
use clinic::id::{CommandId, PatientId, RuleId};
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
    watch: String,
    stage: &'static str,
    /// The last course has ended, and no other one is open.
    is_over: bool,
    ended: Vec<ended::Ended>,
    /// Why no course may open yet.
    closed: Vec<String>,
    consultation: String,
    /// Booked, and not in the plan any more.
    beyond: Vec<String>,
    /// Booked where a newer plan does not leave them.
    moves: Vec<String>,
    /// How many visits of the plan are neither given nor booked; empty where none is.
    unbooked: String,
    booking: String,
    today: Date,
    versions: Vec<Version>,
    /// Before the first infusion of the plan; nothing while there is none.
    consent: NotAgreed,
    /// Regimens to begin with, before the first plan.
    begin: Vec<Choice>,
    /// Regimens that a clinic cannot order, and why.
    elsewhere: Vec<String>,
    plan: Option<Form>,
    /// Where somebody else signed meanwhile: theirs beside what was typed.
    beside: Option<plan::Beside>,
    advice: Vec<Shown>,
    /// What the advice asks a person.
    ask: Vec<Field>,
    exposure: Vec<(&'static str, String)>,
    watched: Vec<Line>,
    checks: Vec<Line>,
    forms: Vec<Form>,
    said: Vec<String>,
    sheet: bool,
}

/// One signed version of the plan.
pub(super) struct Version {
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
    /// The booking from that day on; empty where the advice is no booking.
    book: String,
    /// Takes or declines it.
    answer: Option<Form>,
}

/// All that the page is made of, read from the log.
struct Read {
    patient: Patient,
    opened: Opened,
    ended: Vec<Vec<Recorded>>,
    closed: Vec<String>,
    /// What was answered, and where nobody did, what the record knows.
    asked: Asked,
    advice: Vec<Advice>,
    exposure: Vec<(&'static str, String)>,
    watched: Vec<Finding>,
    checks: Vec<Finding>,
    waiting: Vec<(RuleId, Newer)>,
    consent: NotAgreed,
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
    let Read { patient, opened, ended, closed, asked, advice, exposure, watched, checks, waiting, consent } =
        read;
    let path = format!("/patients/{id}/course");
    let open = !matches!(opened.course.stage, Stage::New | Stage::Closed);
    let begins = opened.course.stage == Stage::New && closed.is_empty();
    let plan = (open || begins).then(|| plan::form(app, &path, &opened.course, &asked)).flatten();
    let plan = plan.map(|form| form.filled(&sent));
    let shown = advice.iter().enumerate().map(|(n, advice)| {
        let answer = open.then(|| forms::answer_form(&path, n, advice, &asked).filled(&sent));
        shown(app, id, (advice, answer))
    });
    let shown: Vec<Shown> = shown.collect();
    let mut forms = Vec::new();
    if open {
        forms.push(forms::check_form(app, &path).filled(&sent));
        let accepts = waiting.iter().map(|(check, newer)| forms::accept_form(app, &path, check, newer));
        forms.extend(accepts.map(|form| form.filled(&sent)));
        forms.extend(forms::override_form(app, &path, &checks).map(|form| form.filled(&sent)));
        forms.push(forms::maintenance_form(&path, opened.course.stage).filled(&sent));
        forms.push(forms::close_form(&path).filled(&sent));
    }
    let errors =
        sent.summary(plan.iter().chain(shown.iter().filter_map(|one| one.answer.as_ref())).chain(&forms));
    let begin = if begins { plan::regimens(app, &asked) } else { Vec::new() };
    let page = CoursePage {
        page: Page::new(app, visit, "Course").with_errors(errors),
        name: patient.banner_name(),
        stage: opened.course.stage.title(),
        is_over: opened.course.stage == Stage::New && !ended.is_empty(),
        ended: ended::ended(app, &ended),
        elsewhere: if begins { plan::elsewhere(app) } else { Vec::new() },
        closed,
        consultation: super::consultation::path(id),
        beyond: super::booking::beyond_plan(app, &opened.course),
        moves: super::booking::must_move(app, &opened.course),
        unbooked: super::booking::unbooked(app, &opened.course),
        today: today(app),
        booking: format!("/patients/{id}/booking"),
        consent,
        versions: opened.history.iter().filter_map(|recorded| version(app, recorded)).collect(),
        begin,
        beside: plan::beside(app, &opened.course, &sent),
        plan,
        ask: if shown.is_empty() { Vec::new() } else { forms::questions(&opened.course, &asked) },
        advice: shown,
        exposure,
        watched: watched.iter().map(|finding| line(app, finding)).collect(),
        checks: checks.iter().map(|finding| line(app, finding)).collect(),
        forms,
        said: opened.history.iter().filter_map(|recorded| said(app, recorded)).collect(),
        watch: format!("/patients/{id}/watch"),
        path,
        sheet: false,
    };
    html(sent.status, &page)
}

fn read(app: &AppState, id: &PatientId, asked: &Asked) -> Result<Option<Read>, Fault> {
    let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
    let (opened, ended) = (app.floor.course(id)?, app.floor.ended_courses(id)?);
    let given = app.floor.exposures(id)?;
    let (today, knowledge) = (today(app), app.floor.knowledge());
    let exposure = exposure_lines(&app.floor.exposures_over(id)?, today);
    let mut watched = Vec::new();
    if !given.is_empty() {
        watched = review(&given, today, knowledge).findings;
        watched.extend(tolerance(&given, knowledge).findings);
    }
    let new = opened.course.stage == Stage::New;
    let closed = if new { app.floor.why_no_course(id, today)? } else { Vec::new() };
    let here = advise::of_this_course(app, id, &opened.course)?;
    let asked = advise::with_the_record(app, id, (&opened, &here), asked)?;
    let years = patient.born.until((jiff::Unit::Year, today)).ok().map(|span| span.get_years());
    let age = years.and_then(|years| u32::try_from(years).ok());
    let mut advice = advise::advise(knowledge, age, &opened.course, &here, &asked);
    advice.extend(advise::booking(app, id, &opened.course, (&advice, &asked))?);
    let checks = app.floor.checks_due(id, today)?;
    let waiting = app.floor.results_waiting(id)?;
    let planned = !matches!(opened.course.stage, Stage::New | Stage::Closed);
    let consent = if planned { NotAgreed::asking(app, id)? } else { NotAgreed::default() };
    Ok(Some(Read {
        patient,
        opened,
        ended,
        closed,
        asked,
        advice,
        exposure,
        watched,
        checks,
        waiting,
        consent,
    }))
}

/// What a patient has had until a day, as it reads.
pub(super) fn exposure_lines(given: &[Exposure], today: Date) -> Vec<(&'static str, String)> {
    let had = ledger(given, today);
    let sum = |sum: &Sum| {
        let infusions = if sum.infusions == 1 { "infusion" } else { "infusions" };
        format!("{} {infusions}, {}, {}", sum.infusions, sum.mass(), sum.by_weight())
    };
    let highest = match had.highest_mg_per_kg {
        Some(dose) => format!("{} mg/kg", plain(dose)),
        None if had.lifetime.infusions == 0 => "none".to_owned(),
        None => "not known".to_owned(),
    };
    vec![("Ever", sum(&had.lifetime)), ("In 12 months", sum(&had.twelve_months)), ("Highest dose", highest)]
}

/// Advice for a patient's next infusion from what the record knows, in a line; empty where no rule has any.
pub(super) fn advice_now(app: &AppState, id: &PatientId) -> Result<Vec<String>, Fault> {
    let advice = read(app, id, &Asked::new())?.map_or_else(Vec::new, |read| read.advice);
    let lines = advice.into_iter().flat_map(|advice| {
        let rule = rule_title(app, &advice.rule, advice.version);
        [vec![advice.suggestion.to_string(), rule], advice.working].concat()
    });
    Ok(lines.collect())
}

fn today(app: &AppState) -> Date {
    app.clock.now().to_zoned(app.config.time_zone()).date()
}

fn shown(app: &AppState, id: &PatientId, (advice, answer): (&Advice, Option<Form>)) -> Shown {
    Shown {
        title: advice.suggestion.to_string(),
        rule: rule_title(app, &advice.rule, advice.version),
        inputs: advice.inputs.clone().into_iter().collect(),
        working: advice.working.clone(),
        book: match advice.suggestion {
            Suggestion::BookBetween { from, .. } => format!("/patients/{id}/booking?start={from}"),
            _ => String::new(),
        },
        answer,
    }
}

fn rule_title(app: &AppState, rule: &RuleId, version: u32) -> String {
    let header = app.floor.knowledge().header(rule.as_str());
    let unsigned = header.map_or_else(String::new, |header| header.unsigned_after(", "));
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
            lines: plan::lines(app, plan),
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
        Event::CheckMade { check, on, result, judged } => {
            let (check, on) = (check_title(app, check), day(*on));
            format!("{check}, made {on}, {}: {result}", judged.title())
        }
        Event::ResultAccepted { check, on, result, reason, .. } => {
            format!("{}, made {}, accepted: {result}. {reason}", check_title(app, check), day(*on))
        }
        Event::CheckOverridden { finding, reason, .. } => {
            format!("{}, overridden: {reason}", check_title(app, &finding.rule))
        }
        Event::VisitsBooked { visits } if visits.is_empty() => "Visits cancelled".to_owned(),
        Event::VisitsBooked { visits } => format!("{} visits booked", visits.len()),
        Event::VisitsRefitted { visits } => {
            let stay = visits.iter().filter(|visit| visit.must_move.is_none()).count();
            let moves = visits.len() - stay;
            format!("Booked visits judged by the newer plan: {stay} stand, {moves} must be moved")
        }
        Event::VisitBroughtForward { visit, to } => {
            format!("{} brought forward to {}", super::booking::line(app, visit), day(*to))
        }
        Event::MaintenanceBegan { every_d, reason, .. } => {
            format!("Maintenance began, {}: {reason}", boosters(*every_d))
        }
        Event::IntervalSet { every_d, reason, .. } => {
            format!("Interval changed to {}: {reason}", boosters(*every_d))
        }
        Event::InfusionGiven { on, delivered, .. } => format!("Infusion given {}: {delivered}", day(*on)),
        _ => return None,
    };
    Some(format!("{what} ({who}, {at})"))
}

fn check_title(app: &AppState, rule: &RuleId) -> String {
    let known = app.floor.knowledge().header(rule.as_str());
    known.map_or_else(|| rule.to_string(), |header| header.title.clone())
}

fn boosters(every_d: Option<u32>) -> String {
    every_d.map_or_else(|| "a booster when needed".to_owned(), |days| format!("a booster every {days} days"))
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
        let calendar = app.config.calendar(app.floor.knowledge());
        let on = (today(app), &calendar);
        let done = app.floor.decide_course(&desk.patient, &act, &actor, &command, on);
        Ok::<_, Fault>(done.map_err(as_told))
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
    let names = forms::QUESTIONS.iter().map(|question| question.name);
    let asked: Asked = names.map(|name| (name.to_owned(), posted.text(name).to_owned())).collect();
    let (answers, form) = (asked.clone(), forms::answer_key(posted.text("which").parse().unwrap_or(0)));
    act(&app, &visit, id, (&form, asked), posted, move |desk, typed| {
        let what = typed.chosen("do", "Choose what you do with it.");
        let advice = read(desk.app, &desk.patient, &answers)?.map_or_else(Vec::new, |read| read.advice);
        let mut advice = advice.into_iter();
        let Some(advice) = advice.find(|advice| advice.suggestion.to_string() == typed.text("seen")) else {
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
        let meant = typed.one_of("judged", "What the result means:", &Judged::SAID.map(Judged::key));
        let judged = Judged::SAID.into_iter().find(|one| meant.as_deref() == Some(one.key()));
        let judged = judged.unwrap_or_default();
        Ok(check.zip(on).zip(result).map(|((check, on), result)| {
            (desk.actor.clone(), Command::MakeCheck { check, on, result, judged })
        }))
    })
    .await
}

/// `POST /patients/{id}/course/accept`: a milder result counts from now on.
pub async fn accept_result(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let form = forms::accept_key(posted.text("check"));
    act(&app, &visit, id, (&form, Asked::new()), posted, |desk, typed| {
        let check = typed.needed("check", "The check").map(RuleId::new);
        let on = typed.day("on", "The day of the check");
        let result = typed.needed("result", "The result");
        let reason = typed.needed("reason", "The reason");
        let Some((((check, on), result), reason)) = check.zip(on).zip(result).zip(reason) else {
            return Ok(None);
        };
        let command = |signature| Command::AcceptResult { check, on, result, reason, signature };
        desk.signed(typed, "I accept this result, which is milder than the one that holds", command)
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
        desk.signed(typed, "I allow the next booking in spite of this check", command)
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
        if opened.course.to_come(desk.app.clock.now()).next().is_some() {
            return Ok(typed.wrong("", "Visits are booked. Cancel them first, then end the course."));
        }
        let reason = typed.needed("reason", "The reason").unwrap_or_default();
        desk.signed(typed, "I end this course", |signature| Command::Close { reason, signature })
    })
    .await
}

/// `POST /patients/{id}/course/maintenance`: boosters begin, or follow at another interval.
pub async fn maintain(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    act(&app, &visit, id, ("maintenance", Asked::new()), posted, |desk, typed| {
        let every_d = match typed.maybe("every_d") {
            Some(_) => typed.whole("every_d", "The number of days", "a whole number of days").map(Some),
            None => Some(None),
        };
        let responder = typed.yes_no("responder", "The response");
        let reason = typed.needed("reason", "The reason");
        let stage = desk.app.floor.course(&desk.patient)?.course.stage;
        let Some((every_d, reason)) = every_d.zip(reason) else { return Ok(None) };
        desk.signed(typed, "I sign this maintenance", |signature| match stage {
            Stage::Maintenance { .. } => Command::SetInterval { every_d, reason, signature },
            _ => Command::BeginMaintenance { every_d, responder, reason, signature },
        })
    })
    .await
}
