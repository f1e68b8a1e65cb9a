//! The consultation of a patient: asked section by section, screened, decided on, and printed from here.

mod fields;

use super::error::as_told;
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::auth::{self, ToSign};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::gate::{Finding, Override, Verdict};
use clinic::id::{CommandId, PatientId, StaffId};
use clinic::knowledge::profiles::DEFAULT;
use clinic::patient::Patient;
use clinic::screen::consulting::{self, Command, Consulting, Event, Section};
use clinic::screen::names::in_words;
use clinic::screen::{self, Screening};
use clinic::staff::{Actor, Signature};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Where a consultation stands.
pub fn path(patient: &PatientId) -> String {
    format!("/patients/{patient}/consultation")
}

/// The consultation of a patient, read from the log.
struct Opened {
    id: PatientId,
    patient: Patient,
    now: Consulting,
    history: Vec<(Timestamp, StaffId, Event)>,
    today: Date,
}

impl Opened {
    fn find(app: &AppState, id: &PatientId) -> Result<Self, Error> {
        let patient = app.floor.patient(id)?.ok_or(Error::NotFound)?;
        let history = app.floor.consultation_history(id)?;
        let now = history.iter().fold(Consulting::default(), |now, (_, _, event)| now.evolve(event));
        let today = app.clock.now().to_zoned(app.config.time_zone()).date();
        Ok(Self { id: id.clone(), patient, now, history, today })
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let born = format!("{} ({} y)", day(self.patient.born), self.patient.age_on(self.today));
        let allergies = super::visit::head::allergies(&self.patient.allergies);
        vec![("Born", born), ("MRN", self.patient.mrn.clone()), ("Allergies", allergies)]
    }

    /// What nobody has asked yet, by path.
    fn missing(&self, app: &AppState) -> BTreeSet<String> {
        let asked = self.now.asked(&self.patient);
        let screened = screen::screen(&asked, DEFAULT, self.today, app.floor.knowledge());
        screened.map(|screening| screening.missing).unwrap_or_default()
    }

    /// Who recorded what stands at a version, and when.
    fn recorded(&self, app: &AppState, version: i64) -> String {
        let nth = usize::try_from(version - 1).ok();
        nth.and_then(|nth| self.history.get(nth)).map_or_else(String::new, |(at, by, _)| {
            format!("{}, {}", app.floor.called(by), clock_time(app, *at))
        })
    }
}

#[derive(Template)]
#[template(path = "pages/consultation.html")]
struct Shown {
    page: Page,
    name: String,
    facts: Vec<(&'static str, String)>,
    patient: String,
    sections: Vec<SectionRow>,
    /// Missing, and asked on the page of the patient.
    elsewhere: Vec<String>,
    verdict: Option<VerdictCard>,
    /// Why no course may open; empty when one may.
    closed: Vec<String>,
    screen: Option<Form>,
    decide: Option<Form>,
    sheet: bool,
}

struct SectionRow {
    path: String,
    title: &'static str,
    recorded: String,
    missing: Vec<String>,
    said: Vec<(String, String)>,
}

struct VerdictCard {
    title: &'static str,
    class: &'static str,
    /// When, by whom, under which profile.
    facts: Vec<String>,
    changed: bool,
    findings: Vec<FindingRow>,
    decided: Vec<String>,
    /// In what it differs when it is decided again; empty when in nothing.
    differs: Vec<String>,
    rules: Vec<String>,
}

impl VerdictCard {
    /// A verdict on a list of medicines that is known to be old passes nobody.
    fn held(mut self, behind: Option<String>) -> Self {
        if let Some(told) = behind {
            (self.title, self.class) =
                ("On hold until the consultation is up to date", "notice notice-fault");
            self.facts.insert(0, told);
        }
        self
    }
}

struct FindingRow {
    rule: String,
    verdict: &'static str,
    reason: String,
    sources: String,
    by: &'static str,
    unsigned: String,
}

const fn verdict_in_words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass | Verdict::Info => ("Nothing speaks against it", "notice"),
        Verdict::Warn => ("Warnings to be seen", "notice"),
        Verdict::Hold => ("On hold until a prescriber decides", "notice notice-fault"),
        Verdict::Stop => ("Stop: no infusion", "notice notice-fault"),
    }
}

fn finding_row(app: &AppState, finding: &Finding) -> FindingRow {
    let knowledge = app.floor.knowledge();
    let named = |id| knowledge.sources.get(id).map_or_else(String::new, |source| source.title.clone());
    let sources = finding.sources.iter().map(named).filter(|title| !title.is_empty()).collect::<Vec<_>>();
    let header = knowledge.header(finding.rule.as_str());
    FindingRow {
        rule: screen::printed(&finding.rule),
        verdict: match finding.verdict {
            Verdict::Pass => "pass",
            Verdict::Info => "note",
            Verdict::Warn => "warning",
            Verdict::Hold => "hold",
            Verdict::Stop => "stop",
        },
        reason: in_words(&finding.reason, knowledge),
        sources: sources.join("; "),
        by: match finding.overridable_by {
            Override::None => "",
            Override::Prescriber => "A prescriber may decide against it.",
            Override::Director => "Only the medical director may decide against it.",
            Override::Never => "Nobody may decide against it.",
        },
        unsigned: header.map_or_else(String::new, clinic::knowledge::Header::unsigned),
    }
}

fn verdict_card(app: &AppState, opened: &Opened, version: i64, screening: &Screening) -> VerdictCard {
    let (title, class) = verdict_in_words(screening.verdict);
    let on = screening.consultation.on.map(day).unwrap_or_default();
    let trials = format!("{} trials failed, {} not tolerated", screening.trd.count, screening.trd.intolerant);
    let decided = opened.now.decided.iter().map(|decided| {
        let rules: Vec<String> = decided.rules.iter().map(screen::printed).collect();
        let (by, at) = (app.floor.called(&decided.signature.by), clock_time(app, decided.signature.at));
        format!("{}: decided against by {by} at {at}. {}", rules.join(", "), decided.reason)
    });
    VerdictCard {
        title,
        class,
        facts: vec![
            format!("Screened for {on} by {}", opened.recorded(app, version)),
            format!("Profile {}", screening.profile),
            trials,
        ],
        changed: opened.now.changed_since(&opened.patient, screening),
        findings: screening.findings.iter().map(|finding| finding_row(app, finding)).collect(),
        decided: decided.collect(),
        differs: screen::replay(screening, app.floor.knowledge())
            .iter()
            .map(|line| in_words(line, app.floor.knowledge()))
            .collect(),
        rules: screening
            .rules
            .iter()
            .map(|(rule, version)| format!("{} version {version}", screen::printed(rule)))
            .collect(),
    }
}

fn section_row(app: &AppState, opened: &Opened, section: Section, missing: &BTreeSet<String>) -> SectionRow {
    let form = fields::form(section, &opened.now.said, 0, app.floor.knowledge());
    SectionRow {
        path: format!("{}/{}", path(&opened.id), section.key()),
        title: section.title(),
        recorded: opened.recorded(app, opened.now.read(section)),
        missing: missing
            .iter()
            .filter(|path| Section::asking(path) == Some(section))
            .map(|path| in_words(path, app.floor.knowledge()))
            .collect(),
        said: fields::lines(&form),
    }
}

/// `GET /patients/{id}/consultation`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, id: PatientId, sent: Sent) -> Result<Response, Error> {
    let acts = visit.person()?.may(Privilege::Assess);
    let status = sent.status;
    let gathered = app.blocking(move |app| {
        let opened = Opened::find(app, &id)?;
        let missing = opened.missing(app);
        let screened = opened.now.screened.as_ref();
        let holds = screened.is_some_and(|(_, screening)| consulting::blocking(screening).next().is_some());
        let screen = acts.then(|| screen_form(app, &id).filled(&sent));
        let decide = (acts && holds && opened.now.decided.is_none())
            .then(|| decide_form(&id, screened.map_or(0, |(version, _)| *version)).filled(&sent));
        let errors = sent.summary(screen.iter().chain(&decide));
        let closed = app.floor.why_no_course(&id, opened.today)?;
        let behind = app.floor.consultation_behind(&id)?;
        let shown = |page| Shown {
            page,
            name: opened.patient.banner_name(),
            facts: opened.facts(),
            patient: format!("/patients/{id}"),
            sections: Section::ALL.map(|section| section_row(app, &opened, section, &missing)).into(),
            elsewhere: missing
                .iter()
                .filter(|path| Section::asking(path).is_none())
                .map(|path| in_words(path, app.floor.knowledge()))
                .collect(),
            verdict: screened
                .map(|(version, screening)| verdict_card(app, &opened, *version, screening).held(behind)),
            closed,
            screen,
            decide,
            sheet: false,
        };
        Ok::<_, Error>((shown(Page::bare("")), errors))
    });
    let (mut shown, errors) = gathered.await??;
    shown.page = Page::new(app, visit, "Consultation").with_errors(errors);
    html(status, &shown)
}

fn screen_form(app: &AppState, id: &PatientId) -> Form {
    let profiles = app.floor.knowledge().profiles.iter();
    let profiles = profiles.map(|item| Choice::of(&item.header.id, &item.header.title)).collect();
    Form::new("screen", format!("/patients/{id}/screening"), "Screen", "Screen now")
        .hint("Every rule of who may be treated, asked of what is recorded. The verdict is kept.")
        .with(Field::listed("profile", "Profile", profiles).known(DEFAULT))
}

fn decide_form(id: &PatientId, screened: i64) -> Form {
    Form::new("decide", format!("/patients/{id}/screening/decision"), "Decide against what holds", "Sign")
        .hint("A prescriber decides, with a reason. It counts for this verdict and no other.")
        .grave()
        .hidden("screened", screened.to_string())
        .with(Field::new(Kind::Words, "reason", "Why this person is treated all the same"))
        .with_all(signature("Prescriber"))
}

#[derive(Template)]
#[template(path = "pages/consultation_section.html")]
struct SectionPage {
    page: Page,
    name: String,
    facts: Vec<(&'static str, String)>,
    back: String,
    title: &'static str,
    missing: Vec<String>,
    /// What somebody else recorded while this was typed.
    meanwhile: Vec<(String, String)>,
    form: Option<Form>,
    next: Option<(String, &'static str)>,
    sheet: bool,
}

fn section_named(key: &str) -> Result<Section, Error> {
    Section::ALL.into_iter().find(|section| section.key() == key).ok_or(Error::NotFound)
}

/// `GET /patients/{id}/consultation/{section}`
pub async fn section(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, section)): Path<(String, String)>,
) -> Result<Response, Error> {
    draw_section(&app, &visit, &PatientId::new(id), section_named(&section)?, &Sent::nothing())
}

fn draw_section(
    app: &AppState,
    visit: &Visit,
    id: &PatientId,
    section: Section,
    sent: &Sent,
) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let missing = opened.missing(app);
    let row = section_row(app, &opened, section, &missing);
    let rows = sent.posted.text("rows").parse().unwrap_or_default();
    let form = fields::form(section, &opened.now.said, rows, app.floor.knowledge());
    let meanwhile = sent.status == StatusCode::CONFLICT;
    // Only whoever is shown what somebody else recorded has read it.
    let kept = Some(sent.posted.text("read").to_owned()).filter(|read| !read.is_empty() && !meanwhile);
    let read = kept.unwrap_or_else(|| opened.now.read(section).to_string());
    let slips = fields::slips(&form, &sent.posted, app.floor.knowledge());
    let shown = slips.iter().all(|slip| sent.errors.iter().any(|told| told.text == slip.text));
    let sure = if shown { fields::asked_about(&slips) } else { String::new() };
    let form =
        Form { action: row.path.clone(), ..form }.hidden("read", read).hidden("sure", sure).filled(sent);
    let errors = sent.summary([&form]);
    let later = Section::ALL.into_iter().skip_while(|one| *one != section).nth(1);
    let shown = SectionPage {
        page: Page::new(app, visit, row.title).with_errors(errors),
        name: opened.patient.banner_name(),
        facts: opened.facts(),
        back: path(id),
        title: row.title,
        missing: row.missing,
        meanwhile: if meanwhile { row.said } else { Vec::new() },
        form: visit.person()?.may(Privilege::Assess).then_some(form),
        next: later.map(|one| (format!("{}/{}", path(id), one.key()), one.title())),
        sheet: false,
    };
    html(sent.status, &shown)
}

/// `POST /patients/{id}/consultation/{section}`
pub async fn record(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, section)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let section = section_named(&section)?;
    let Some(actor) = visit.person()?.acting(Privilege::Assess) else { return Err(Error::SignIn) };
    let (patient, sent) = (PatientId::new(id), posted.clone());
    let whose = patient.clone();
    let recorded = app.blocking(move |app| {
        let opened = Opened::find(app, &whose)?;
        let rows = sent.text("rows").parse().unwrap_or_default();
        let knowledge = app.floor.knowledge();
        let form = fields::form(section, &opened.now.said, rows, knowledge);
        let (born, today) = (opened.patient.born, opened.today);
        let days = fields::Days { born, scores_from: app.floor.scores_from(&whose)?, today };
        let said = match fields::read(section, &form, &sent, &days, knowledge) {
            Ok(said) => Box::new(said),
            Err(errors) => return Ok(Err((errors, StatusCode::UNPROCESSABLE_ENTITY))),
        };
        let slips = fields::slips(&form, &sent, knowledge);
        if !slips.is_empty() && sent.text("sure") != fields::asked_about(&slips) {
            return Ok(Err((slips, StatusCode::UNPROCESSABLE_ENTITY)));
        }
        // A form without the version that it was drawn on has read nothing.
        let read = sent.text("read").parse().unwrap_or(-1);
        Ok(carry_out(app, &whose, &sent, &actor, Command::Record { section, said, read }))
    });
    match recorded.await? {
        Ok(Ok(())) => Ok(Redirect::to(&path(&patient)).into_response()),
        Ok(Err((errors, status))) => {
            let sent = Sent { form: "section".to_owned(), posted, errors, status };
            draw_section(&app, &visit, &patient, section, &sent)
        }
        Err(error) => Err(error),
    }
}

/// What is wrong with a form, and the status that says so.
type Wrong = (Vec<FieldError>, StatusCode);

fn carry_out(
    app: &AppState,
    patient: &PatientId,
    posted: &Posted,
    actor: &Actor,
    command: Command,
) -> Result<(), Wrong> {
    let done = app.floor.consult(
        patient,
        (&CommandId::new(posted.command_id()), &app.config.time_zone()),
        actor,
        command,
    );
    let told = |mut error: FieldError| {
        error.text = in_words(&error.text, app.floor.knowledge());
        error
    };
    done.map(|_| ())
        .map_err(as_told)
        .map_err(|(errors, status)| (errors.into_iter().map(told).collect(), status))
}

/// `POST /patients/{id}/screening`
pub async fn screen(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::Assess) else { return Err(Error::SignIn) };
    let (id, sent) = (PatientId::new(id), posted.clone());
    let whose = id.clone();
    let screened = app.blocking(move |app| {
        let opened = Opened::find(app, &whose)?;
        let (patient, profile) = (Box::new(opened.patient), sent.text("profile").to_owned());
        let command = Command::Screen { patient, profile, today: opened.today };
        Ok::<_, Error>(carry_out(app, &whose, &sent, &actor, command))
    });
    after(&app, &visit, id, "screen", posted, screened.await??).await
}

/// `POST /patients/{id}/screening/decision`
pub async fn decide(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    if visit.person()?.acting(Privilege::Assess).is_none() {
        return Err(Error::SignIn);
    }
    let (id, sent, from) = (PatientId::new(id), posted.clone(), visit.from.clone());
    let whose = id.clone();
    let decided = app.blocking(move |app| {
        let opened = Opened::find(app, &whose)?;
        let mut typed = Typed::new(sent, app.config.time_zone());
        let reason = typed.needed("reason", "The reason");
        let Some(signature) = signed(app, &mut typed, &from)? else {
            return Ok(Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)));
        };
        let actor = Actor { id: signature.by.clone(), role: signature.role };
        let command = Command::Decide {
            patient: Box::new(opened.patient),
            screened: typed.posted().text("screened").parse().unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            signature,
        };
        Ok::<_, Error>(carry_out(app, &whose, typed.posted(), &actor, command))
    });
    after(&app, &visit, id, "decide", posted, decided.await??).await
}

/// The signature of whoever may override. Asked last, so that a form with a slip costs no PIN.
fn signed(app: &AppState, typed: &mut Typed, from: &str) -> Result<Option<Signature>, Fault> {
    if !typed.errors.is_empty() {
        return Ok(typed.wrong("pin", "Enter the PIN again when the rest is right."));
    }
    let (user, pin) = (typed.needed("user", "The user name"), typed.needed("pin", "The PIN"));
    let (Some(user), Some(pin)) = (user, pin) else { return Ok(None) };
    let meaning = format!("I decide against what holds: {}", typed.text("reason"));
    let ask = ToSign { user: &user, pin: &pin, meaning: &meaning, needs: Privilege::OverrideLimit, from };
    match app.auth.sign(ask) {
        Ok(signature) => Ok(Some(signature)),
        Err(auth::Error::Refused(refusal)) => Ok(typed.wrong("pin", refusal)),
        Err(auth::Error::Fault(fault)) => Err(fault),
    }
}

async fn after(
    app: &AppState,
    visit: &Visit,
    id: PatientId,
    form: &str,
    posted: Posted,
    outcome: Result<(), Wrong>,
) -> Result<Response, Error> {
    match outcome {
        Ok(()) => Ok(Redirect::to(&path(&id)).into_response()),
        Err((errors, status)) => {
            draw(app, visit, id, Sent { form: form.to_owned(), posted, errors, status }).await
        }
    }
}
