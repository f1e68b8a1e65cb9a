//! Who is treated here: search, register, the visits of a person, and a new visit for today.

use super::consent::NotAgreed;
use super::error::as_told;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::head::{Opened, Screening, allergies, asked, day};
use super::visit::typed::Typed;
use super::{Error, Kept, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::views::inquiries::JOINED;
use crate::views::sessions::Row;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::course::{Booked, What};
use clinic::id::{CommandId, PatientId, RuleId, SessionId};
use clinic::knowledge::regimen::Setting;
use clinic::patient::{Allergies, Details, Patient};
use clinic::session::{Command, Phase};
use jiff::Timestamp;
use serde::Deserialize;

/// Most people on one page; a search narrows the rest down.
const SHOWN_MAX: i64 = 50;

/// What may stand in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "pages/patients.html")]
struct Patients {
    page: Page,
    search: String,
    expected: Vec<PersonRow>,
    people: Vec<PersonRow>,
    /// For who may register.
    register: Option<Form>,
    sheet: bool,
}

struct PersonRow {
    path: String,
    name: String,
    born: String,
    mrn: String,
    /// The number of the record that stays; empty where this one does.
    joined: String,
}

/// Everybody who is expected and sits nowhere yet.
fn expected(app: &AppState) -> Vec<PersonRow> {
    let waiting = app.floor.open_sessions().into_iter().filter(|(_, session, _)| session.chair.is_none());
    let rows = waiting.filter_map(|(_, session, patient)| {
        Some(PersonRow {
            path: format!("/patients/{}", session.patient?),
            name: patient.banner_name(),
            born: day(patient.born),
            mrn: patient.mrn,
            joined: String::new(),
        })
    });
    rows.collect()
}

/// `GET /patients`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    draw(&app, &visit, asked.q, Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, search: String, sent: Sent) -> Result<Response, Error> {
    let wanted = search.trim().to_owned();
    let rows = app.blocking(move |app| {
        let listed = app.store.view_list(&app.config.site, "patients", &wanted, SHOWN_MAX)?;
        let rows = listed.iter().filter_map(|item| person_row(app, item).transpose());
        rows.collect::<Result<Vec<PersonRow>, Fault>>()
    });
    let people = rows.await??;
    let register = visit.person()?.may(Privilege::CheckIn).then(|| register_form(&sent).filled(&sent));
    let errors = sent.summary(&register);
    let page = Patients {
        page: Page::new(app, visit, "Patients").with_errors(errors),
        search,
        expected: expected(app),
        people,
        register,
        sheet: false,
    };
    html(sent.status, &page)
}

fn person_row(app: &AppState, item: &store::ViewItem) -> Result<Option<PersonRow>, Fault> {
    let Ok(patient) = serde_json::from_str::<Patient>(&item.body) else { return Ok(None) };
    let stays = app.floor.joined_to(&PatientId::new(&item.key))?;
    let stays = stays.map(|stays| app.floor.patient(&stays)).transpose()?.flatten();
    Ok(Some(PersonRow {
        path: format!("/patients/{}", item.key),
        name: patient.banner_name(),
        born: day(patient.born),
        mrn: patient.mrn,
        joined: stays.map(|stays| stays.mrn).unwrap_or_default(),
    }))
}

pub(super) fn register_form(sent: &Sent) -> Form {
    let form = Form::new("register", "/patients", "Register a patient", "Register")
        .with_all(detail_fields())
        .with_all(allergy_fields(&[("not_asked", "Not asked yet")]));
    if asks_another(sent) { form.with(another_field()) } else { form }
}

/// Who somebody is.
pub(super) fn detail_fields() -> [Field; 5] {
    [
        Field::new(Kind::Line, "family", "Family name"),
        Field::new(Kind::Line, "given", "Given name"),
        Field::new(Kind::Day, "born", "Day of birth"),
        Field::new(Kind::Line, "mrn", "Medical record number")
            .hint("As on the wristband and in device messages."),
        Field::one(
            "sex",
            "Sex, as the dose weight needs it",
            vec![Choice::of("f", "Female"), Choice::of("m", "Male")],
        ),
    ]
}

/// Asked where somebody has the name, and nowhere else.
pub(super) fn asks_another(sent: &Sent) -> bool {
    sent.errors.iter().any(|error| error.field == ANOTHER) || says_another(&sent.posted)
}

pub(super) fn another_field() -> Field {
    Field::ticks(ANOTHER, "Registered already?", vec![Choice::of("yes", "I asked: this is another person")])
}

/// The field that says that a namesake is another person.
const ANOTHER: &str = "another";

pub(super) fn says_another(posted: &Posted) -> bool {
    posted.text(ANOTHER) == "yes"
}

fn allergy_fields(more: &[(&str, &str)]) -> [Field; 2] {
    let asked = [("none", "None known"), ("known", "Known, named below")];
    let choices = more.iter().chain(&asked).map(|(value, label)| Choice::of(value, label)).collect();
    [
        Field::one("allergies", "Allergies", choices),
        Field::new(Kind::Line, "which", "Which allergies").hint("With commas between them."),
    ]
}

/// Asked again, at any visit or between two: what was said before stands in the log.
fn allergy_form(id: &PatientId, patient: &Patient, sent: &Sent) -> Form {
    let (state, named) = match &patient.allergies {
        Allergies::NotRecorded => ("", String::new()),
        Allergies::NoneKnown => ("none", String::new()),
        Allergies::Known(which) => ("known", which.join(", ")),
    };
    let [asked, which] = allergy_fields(&[]);
    let dropped = sent.errors.iter().any(|error| error.field == DROPPED);
    let none = vec![Choice::of("yes", "I asked: these are no allergies of this patient")];
    Form::new("allergies", format!("/patients/{id}/allergies"), "Ask the allergies again", "Record allergies")
        .with(asked.known(state))
        .with(which.known(named))
        .with_all(dropped.then(|| Field::ticks(DROPPED, "Named on the joined record", none)))
}

/// The field that says that what a joined record names is no allergy.
const DROPPED: &str = "dropped";

/// `POST /patients/{id}/allergies`
pub async fn record_allergies(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::Assess) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (form, whose) = (posted.clone(), patient.clone());
    let recorded = app.blocking(move |app| {
        let mut typed = Typed::new(form, app.config.time_zone());
        let allergies = typed_allergies(&mut typed);
        match allergies.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(allergies) => {
                let command = CommandId::new(typed.posted().command_id());
                let dropped = typed.posted().text(DROPPED) == "yes";
                let done = app.floor.record_allergies(&command, &actor, &whose, (allergies, dropped));
                done.map_err(as_told)
            }
        }
    });
    match recorded.await? {
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}")).into_response()),
        Err((errors, status)) => {
            draw_one(&app, &visit, &patient, &Sent { form: "allergies".to_owned(), posted, errors, status })
        }
    }
}

/// `POST /patients`
pub async fn register(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::CheckIn) else { return Err(Error::SignIn) };
    let form = posted.clone();
    // The same form sent twice names the same person: the id of the act is the id of the patient.
    let id = PatientId::new(posted.command_id());
    let registered = app.blocking(move |app| {
        let mut typed = Typed::new(form, app.config.time_zone());
        let (person, another) = (person(&mut typed), says_another(typed.posted()));
        let command = CommandId::new(typed.posted().command_id());
        match person.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(person) => match app.floor.register(&command, &actor, &id, (person, another)) {
                Ok(_) => Ok(id),
                Err(denied) => Err(as_told(denied)),
            },
        }
    });
    match registered.await? {
        Ok(id) => Ok(Redirect::to(&format!("/patients/{id}")).into_response()),
        Err((errors, status)) => {
            let sent = Sent { form: "register".to_owned(), posted, errors, status };
            draw(&app, &visit, String::new(), sent).await
        }
    }
}

fn typed_allergies(typed: &mut Typed) -> Option<Allergies> {
    let which: Vec<String> = typed
        .text("which")
        .split(',')
        .map(|one| one.trim().to_owned())
        .filter(|one| !one.is_empty())
        .collect();
    match (typed.text("allergies").as_str(), which.is_empty()) {
        ("known", false) => Some(Allergies::Known(which)),
        ("known", true) => typed.wrong("which", "The allergies are known but not named. Name them."),
        ("none", true) => Some(Allergies::NoneKnown),
        ("not_asked", true) => Some(Allergies::NotRecorded),
        ("", _) => typed.wrong("allergies", "Say whether allergies were asked."),
        _ => typed.wrong("which", "Allergies are named, so choose “Known, named below”."),
    }
}

pub(super) fn person(typed: &mut Typed) -> Option<Patient> {
    let allergies = typed_allergies(typed);
    Some(typed_details(typed)?.of(allergies?))
}

pub(super) fn typed_details(typed: &mut Typed) -> Option<Details> {
    let born = typed.day("born", "The day of birth");
    let mrn = typed.text("mrn");
    let (family, given, sex) = (typed.text("family"), typed.text("given"), typed.text("sex"));
    Some(Details { mrn, family, given, born: born?, sex })
}

#[derive(Template)]
#[template(path = "pages/patient.html")]
struct PatientPage {
    page: Page,
    name: String,
    facts: Vec<(&'static str, String)>,
    joined: Joined,
    /// Visits that are booked and still to come.
    booked: Vec<String>,
    visits: Vec<VisitRow>,
    /// What else there is of this patient, for whoever may open it.
    links: Vec<(&'static str, String)>,
    /// Told where a visit is planned or begins.
    consent: NotAgreed,
    screening: Screening,
    plan: Option<Form>,
    check_in: Option<Form>,
    ask: Option<Form>,
    sheet: bool,
}

/// The other records of the person, each as one reads it, with its page.
struct Joined {
    /// The one that stays, where this one is closed.
    closed: Option<(String, String)>,
    taken_in: Vec<(String, String)>,
}

fn joined(app: &AppState, id: &PatientId) -> Result<Joined, Error> {
    let read = |id: PatientId| {
        let person = app.floor.patient(&id)?;
        let reads = person
            .map_or_else(|| id.to_string(), |person| format!("{}, {}", person.banner_name(), person.mrn));
        Ok::<_, Fault>((reads, format!("/patients/{id}")))
    };
    let closed = app.floor.joined_to(id)?.map(read).transpose()?;
    let taken_in = app.floor.taken_in(id)?.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Joined { closed, taken_in })
}

struct VisitRow {
    path: String,
    day: String,
    regimen: String,
    infusion: String,
    phase: String,
}

/// `GET /patients/{id}`
pub async fn one(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw_one(&app, &visit, &PatientId::new(id), &Sent::nothing())
}

/// The patient's page with what is wrong with a form of a visit.
pub(super) fn draw_for_visit(
    app: &AppState,
    visit: &Visit,
    session: &str,
    sent: &Sent,
) -> Result<Response, Error> {
    let opened = Opened::find(app, session)?;
    let patient = opened.session.patient.ok_or(Error::NotFound)?;
    draw_one(app, visit, &patient, sent)
}

fn draw_one(app: &AppState, visit: &Visit, id: &PatientId, sent: &Sent) -> Result<Response, Error> {
    let patient = app.floor.patient(id)?.ok_or(Error::NotFound)?;
    let rows = app.floor.visits_of(id)?;
    let clinical = visit.person()?.may(Privilege::Assess);
    let mut facts = vec![("Born", day(patient.born)), ("MRN", patient.mrn.clone())];
    if clinical {
        let asked = asked(app, id);
        let asked = if asked.is_empty() { asked } else { format!(" ({asked})") };
        facts.push(("Allergies", allergies(&patient.allergies) + &asked));
    }
    let arrives = visit.person()?.may(Privilege::CheckIn);
    let joined = joined(app, id)?;
    let arrives = arrives && joined.closed.is_none();
    let open = rows.iter().find(|row| row.closed_at.is_none());
    let check_in = open.and_then(|row| {
        let opened = Opened::find(app, &row.session).ok()?;
        (arrives && opened.session.phase == Phase::Planned)
            .then(|| super::visit::check_in_form(app, &opened).filled(sent))
    });
    let coming = coming(app, id)?;
    let plan = (arrives && open.is_none()).then(|| plan_form(app, id, (rows.first(), &coming)).filled(sent));
    let begins = plan.is_some() || check_in.is_some();
    let consent = if begins { NotAgreed::read(app, id)? } else { NotAgreed::default() };
    let screening = if begins { Screening::read(app, visit, id) } else { Screening::default() };
    let screening = Screening { none: false, ..screening };
    let ask = (clinical && joined.closed.is_none()).then(|| allergy_form(id, &patient, sent).filled(sent));
    let errors = sent.summary(plan.iter().chain(&check_in).chain(&ask));
    let page = PatientPage {
        page: Page::new(app, visit, patient.banner_name()).with_errors(errors),
        name: patient.banner_name(),
        facts,
        joined,
        booked: coming.iter().map(|visit| super::booking::line(app, visit)).collect(),
        visits: rows.iter().map(|row| visit_row(app, row, clinical)).collect(),
        links: links(app, visit, id)?,
        consent,
        screening,
        plan,
        check_in,
        ask,
        sheet: false,
    };
    html(sent.status, &page)
}

/// The pages of a patient, one line each.
fn links(app: &AppState, visit: &Visit, id: &PatientId) -> Result<Vec<(&'static str, String)>, Error> {
    let person = visit.person()?;
    let of_this = |rest: &str| format!("/patients/{id}{rest}");
    let pages = [
        (Privilege::CheckIn, "Correct details", of_this("/details")),
        (Privilege::OpenConsultation, "Consultation", of_this("/consultation")),
        (Privilege::AskConsent, "Consent", of_this("/consent")),
        (Privilege::OpenCourse, "Course, advice and checks", of_this("/course")),
        (Privilege::OpenCourse, "Long watch", of_this("/watch")),
        (Privilege::BookVisits, "Book visits", of_this("/booking")),
        (Privilege::BookVisits, "Estimate", of_this("/estimate")),
        (Privilege::OpenScores, "Scores", of_this("/scores")),
        (Privilege::EnterScale, "The patient's own page", of_this("/page")),
        (Privilege::OpenCarePlan, "Goals, medicines, therapy", of_this("/care")),
        (Privilege::OpenInquiry, "What was asked first", asked_first(app, id)?),
    ];
    let may = pages.into_iter().filter(|(privilege, _, path)| person.may(*privilege) && !path.is_empty());
    Ok(may.map(|(_, label, path)| (label, path)).collect())
}

/// Where what the patient asked first is read; empty for one who was registered without.
fn asked_first(app: &AppState, id: &PatientId) -> Result<String, Error> {
    let body = app.store.view(&app.config.site, JOINED, id.as_str()).map_err(Fault::from)?;
    let inquiry: Option<String> = body.and_then(|body| serde_json::from_str(&body).ok());
    Ok(inquiry.map_or_else(String::new, |inquiry| format!("/inquiries/{inquiry}")))
}

/// The regimen as a person calls it; the id where the knowledge does not have it any more.
fn regimen_title(app: &AppState, id: &str) -> String {
    let known = app.floor.knowledge().regimens.get(id);
    known.map_or_else(|| id.to_owned(), |item| item.header.title.clone())
}

fn visit_row(app: &AppState, row: &Row, clinical: bool) -> VisitRow {
    VisitRow {
        path: if clinical { format!("/visit/{}", row.session) } else { String::new() },
        day: row.day.parse().map_or_else(|_| row.day.clone(), day),
        regimen: if clinical { regimen_title(app, &row.regimen) } else { String::new() },
        infusion: format!("{} of {}", row.infusion, row.of),
        phase: row.phase.replace('_', " "),
    }
}

/// Visits that are booked and still to come, early to late.
fn coming(app: &AppState, id: &PatientId) -> Result<Vec<Booked>, Fault> {
    let course = app.floor.course(id)?.course;
    let mut coming: Vec<Booked> = course.to_come(app.clock.now()).cloned().collect();
    coming.sort_by_key(|visit| visit.start);
    Ok(coming)
}

/// Booked infusions of which one may be meant by a visit for today; none where one is booked for today.
fn booked_for_later(app: &AppState, coming: &[Booked]) -> Vec<Booked> {
    let day = |at: Timestamp| at.to_zoned(app.config.time_zone()).date();
    let today = day(app.clock.now());
    let infusions = coming.iter().filter(|visit| visit.what == What::Infusion);
    let later: Vec<Booked> = infusions.cloned().collect();
    if later.iter().any(|visit| day(visit.start) == today) { Vec::new() } else { later }
}

/// Asks which booked visit is given today instead.
fn instead_field(app: &AppState, later: &[Booked]) -> Field {
    let booked = later.iter().map(|visit| {
        Choice::of(visit.start.to_string(), format!("the one of {}", super::booking::line(app, visit)))
    });
    let more = Choice::of(ONE_MORE, "one more: every booked visit stays");
    Field::one(INSTEAD, "The visit of today is", booked.chain([more]).collect())
        .hint("The place of the one that is given today becomes free.")
}

/// The field that says which booked visit is given today.
const INSTEAD: &str = "instead";
const ONE_MORE: &str = "none";

/// The start of the booked visit that is given today instead; nothing where it is one more.
fn typed_instead(app: &AppState, typed: &mut Typed, patient: &PatientId) -> Option<Timestamp> {
    let said = typed.text(INSTEAD);
    if said.is_empty() {
        let asks = coming(app, patient).is_ok_and(|coming| !booked_for_later(app, &coming).is_empty());
        let why = "Visits are booked for other days. Choose the one that is given today, or say that it is one more.";
        return if asks { typed.wrong(INSTEAD, why) } else { None };
    }
    if said == ONE_MORE {
        return None;
    }
    said.parse().ok().or_else(|| typed.wrong(INSTEAD, format!("“{said}” is no visit that is booked.")))
}

fn plan_form(app: &AppState, id: &PatientId, (last, coming): (Option<&Row>, &[Booked])) -> Form {
    let clinic = app.floor.knowledge().regimens.iter().filter(|item| item.body.setting == Setting::Clinic);
    let regimens = clinic.map(|item| Choice::of(&item.header.id, &item.header.title)).collect();
    let (regimen, next, of) = last.map_or_else(Default::default, |row| {
        (row.regimen.clone(), (row.infusion + 1).to_string(), row.of.to_string())
    });
    let later = booked_for_later(app, coming);
    Form::new("plan", format!("/patients/{id}/visit"), "Plan a visit for today", "Plan the visit")
        .with(Field::listed("regimen", "Regimen", regimens).known(regimen))
        .with(Field::number("infusion", "Infusion number", "").known(next))
        .with(Field::number("of", "Of a course of", "").known(of))
        .with_all((!later.is_empty()).then(|| instead_field(app, &later)))
}

/// `POST /patients/{id}/visit`
pub async fn plan(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::CheckIn) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (form, whose) = (posted.clone(), patient.clone());
    // The same form sent twice plans one visit: the id of the act is the id of the session.
    let session = SessionId::new(posted.command_id());
    let made = session.clone();
    let planned = app.blocking(move |app| {
        let mut typed = Typed::new(form, app.config.time_zone());
        let command = planned(app, &mut typed, whose.clone());
        let instead = typed_instead(app, &mut typed, &whose);
        match command.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(command) => {
                let id = typed.posted().command_id();
                app.floor.act(&made, &CommandId::new(id), &actor, command).map_err(as_told)?;
                let Some(start) = instead else { return Ok(()) };
                let today = app.clock.now().to_zoned(app.config.time_zone()).date();
                let freed = CommandId::new(format!("{id}-{INSTEAD}"));
                let done = app.floor.bring_forward(&whose, &freed, &actor, (start, today));
                done.map(drop).map_err(|denied| {
                    let (errors, status) = as_told(denied);
                    (errors.into_iter().map(|error| error.kept(Kept::InPart)).collect(), status)
                })
            }
        }
    });
    match planned.await? {
        Ok(_) if visit.person()?.may(Privilege::Assess) => {
            Ok(Redirect::to(&format!("/visit/{session}")).into_response())
        }
        Ok(_) => Ok(Redirect::to(&format!("/patients/{patient}")).into_response()),
        Err((errors, status)) => {
            draw_one(&app, &visit, &patient, &Sent { form: "plan".to_owned(), posted, errors, status })
        }
    }
}

fn planned(app: &AppState, typed: &mut Typed, patient: PatientId) -> Option<Command> {
    let regimen = typed.needed("regimen", "The regimen").map(RuleId::new);
    let infusion = typed.whole("infusion", "The infusion number", "1 to the length of the course");
    let of = typed.whole("of", "The length of the course", "1 to 999");
    let day = app.clock.now().to_zoned(app.config.time_zone()).date();
    Some(Command::Plan { patient, regimen: regimen?, infusion: infusion?, of: of?, day })
}
