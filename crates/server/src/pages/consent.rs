//! The consents of one patient: what stands, what is to be signed again and why, links and the tablet, what was signed
//! word for word.

use super::error::as_told;
use super::scores::here;
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::auth::privilege::Privilege;
use crate::floor::PatientAct;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use clinic::consent::{
    Asking, Consents, Cover, How, Mark, Needs, Signed, Standing, before_infusion, standing,
};
use clinic::id::{CommandId, ConsentId, PatientId};
use clinic::patient::Patient;
use clinic::session::Session;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Where the consents of a patient are.
pub fn path(patient: &PatientId) -> String {
    format!("/patients/{patient}/consent")
}

#[derive(Template)]
#[template(path = "pages/consent.html")]
struct Consenting {
    page: Page,
    patient: String,
    rows: Vec<Row>,
    links: Vec<LinkRow>,
    said: Vec<String>,
    ask: Form,
    withdraw: Option<Form>,
    sheet: bool,
}

struct Row {
    title: String,
    needed: &'static str,
    sign: &'static str,
    says: String,
    /// What was signed, to read and print.
    print: String,
}

struct LinkRow {
    id: String,
    label: String,
    address: String,
}

/// `GET /patients/{id}/consent`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), &headers, Sent::nothing()).await
}

/// What is known of a patient, read at once.
struct Known {
    patient: Patient,
    all: Consents,
    needs: Needs,
    links: Vec<LinkRow>,
}

fn known(app: &AppState, id: &PatientId, here: &str) -> Result<Option<Known>, Fault> {
    let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
    let all = app.floor.consents(id)?;
    let needs = app.floor.needs_now(id)?;
    let key = LinkKey::of(&app.store, &app.config.site, For::Consent, app.clock.now())?;
    let links = links(app, id, &all, &key, here);
    Ok(Some(Known { patient, all, needs, links }))
}

fn links(app: &AppState, patient: &PatientId, all: &Consents, key: &LinkKey, here: &str) -> Vec<LinkRow> {
    let open = all.askings.iter().filter(|(_, one)| !one.is_over() && app.clock.now() < one.expires);
    let rows = open.map(|(id, one)| LinkRow {
        id: id.to_string(),
        label: format!("{} documents, until {}", one.documents.len(), clock_time(app, one.expires)),
        address: format!("{here}{}", address(key, patient, id, one)),
    });
    rows.collect()
}

fn address(key: &LinkKey, patient: &PatientId, id: &ConsentId, asking: &Asking) -> String {
    let link = Link { patient: patient.clone(), form: id.to_string(), ends_s: asking.expires.as_second() };
    format!("/consent/{}", key.sign(&link))
}

/// What waits for the patient's signature on the phone: what it is, and where.
pub(super) fn open_links(app: &AppState, patient: &PatientId) -> Result<Vec<(String, String)>, Fault> {
    let all = app.floor.consents(patient)?;
    let key = LinkKey::of(&app.store, &app.config.site, For::Consent, app.clock.now())?;
    let open = links(app, patient, &all, &key, "").into_iter();
    Ok(open.map(|one| (format!("To read and sign: {}", one.label), one.address)).collect())
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    id: PatientId,
    headers: &HeaderMap,
    sent: Sent,
) -> Result<Response, Error> {
    let (here, whose) = (here(app, headers), id.clone());
    let known = app.blocking(move |app| known(app, &whose, &here)).await??.ok_or(Error::NotFound)?;
    let ask = ask_form(app, &id, (&known.all, &known.needs)).filled(&sent);
    let withdraw = withdraw_form(app, &id, &known).map(|form| form.filled(&sent));
    let errors = sent.summary(std::iter::once(&ask).chain(&withdraw));
    let page = Consenting {
        page: Page::new(app, visit, format!("Consent of {}", known.patient.banner_name()))
            .with_errors(errors),
        patient: format!("/patients/{id}"),
        rows: rows(app, &id, &known),
        said: said(app, &known.all),
        links: known.links,
        ask,
        withdraw,
        sheet: false,
    };
    html(sent.status, &page)
}

fn rows(app: &AppState, id: &PatientId, known: &Known) -> Vec<Row> {
    let knowledge = app.floor.knowledge();
    let print = |signed: &Signed| format!("{}/{}", path(id), signed.consent);
    let row = |(item, document)| {
        let (sign, says, signed) = match standing(&known.all, (item, document), &known.needs, knowledge) {
            Standing::Holds(signed) => ("✓", signed_line(app, signed), Some(signed)),
            Standing::Again(signed, why) => ("▲", format!("To be signed again: {why}"), Some(signed)),
            Standing::Withdrawn(at) => ("✕", format!("Taken back {}", clock_time(app, at)), None),
            Standing::Refused(at) => ("✕", format!("Refused {}", clock_time(app, at)), None),
            Standing::Open => ("○", "Not signed".to_owned(), None),
        };
        Row {
            title: format!("{}, version {}", item.header.title, item.header.version),
            needed: if document.needed { "Yes" } else { "The patient chooses" },
            sign,
            says,
            print: signed.map(print).unwrap_or_default(),
        }
    };
    knowledge.documents().into_iter().map(row).collect()
}

/// What was signed, when and for what, in a line.
pub fn signed_line(app: &AppState, signed: &Signed) -> String {
    let covers = app.knowledge.covers().map(|covers| covers.words(&signed.cover)).unwrap_or_default();
    let (version, when) = (signed.text.edition.version, clock_time(app, signed.at));
    let mark = match &signed.mark {
        Mark::Name(name) => format!("as “{name}”"),
        Mark::Drawing(_) => "by hand".to_owned(),
    };
    format!("Version {version} signed {when} {mark}, for {covers}")
}

/// What the patient's consent comes to for a visit, as the gate of the day is answered from it.
pub fn of_today(app: &AppState, session: &Session) -> String {
    let Some(patient) = &session.patient else { return String::new() };
    let read =
        app.floor.consents(patient).and_then(|all| Ok((all, app.floor.needs_of(patient, Some(session))?)));
    let Ok((all, needs)) = read else { return "The consents cannot be read.".to_owned() };
    let agreed = before_infusion(&all, &needs, app.floor.knowledge());
    let holds =
        agreed.holds.iter().map(|signed| format!("{}: {}.", signed.text.title, signed_line(app, signed)));
    let says = agreed.missing.iter().cloned().chain(holds).collect::<Vec<_>>().join(" ");
    format!("Known from what the patient signed. {says}")
}

/// What was put before the patient and what they said, newest first.
fn said(app: &AppState, all: &Consents) -> Vec<String> {
    let mut askings: Vec<_> = all.askings.values().collect();
    askings.sort_by_key(|asking| std::cmp::Reverse(asking.made));
    let titled = |document: &str| {
        let known = app.knowledge.document(document);
        known.map_or_else(|| document.to_owned(), |(item, _)| item.header.title.clone())
    };
    let mut lines: Vec<String> = Vec::new();
    for asking in askings {
        let how = match asking.how {
            How::Phone => "a link for the phone",
            How::Tablet => "the tablet",
        };
        lines.push(format!("{}: {how}, by {}", clock_time(app, asking.made), app.floor.called(&asking.by)));
        lines.extend(
            asking.decided.iter().map(|(document, said)| format!("{}: {}", titled(document), said.words())),
        );
    }
    for (kind, which) in [("refused", &all.refused), ("taken back", &all.withdrawn)] {
        let words = which.iter().filter(|(_, (_, words))| !words.is_empty());
        lines.extend(words.map(|(document, (at, words))| {
            format!("{}: {kind} {}, “{words}”", titled(document), clock_time(app, *at))
        }));
    }
    lines
}

/// What the patient has not agreed to before the next infusion, where it is asked, and for who plans it the form that
/// asks at once.
#[derive(Default)]
pub(super) struct NotAgreed {
    pub missing: Vec<String>,
    pub path: String,
    pub ask: Option<Form>,
}

impl NotAgreed {
    /// As it stands, with a way to the page that asks.
    pub(super) fn read(app: &AppState, id: &PatientId) -> Result<Self, Fault> {
        Ok(Self { missing: app.floor.not_agreed_yet(id)?, path: path(id), ask: None })
    }

    /// The same with the form.
    pub(super) fn asking(app: &AppState, id: &PatientId) -> Result<Self, Fault> {
        let stands = Self::read(app, id)?;
        if stands.missing.is_empty() {
            return Ok(stands);
        }
        let (all, needs) = (app.floor.consents(id)?, app.floor.needs_now(id)?);
        Ok(Self { ask: Some(ask_form(app, id, (&all, &needs))), ..stands })
    }
}

fn ask_form(app: &AppState, id: &PatientId, (all, needs): (&Consents, &Needs)) -> Form {
    let knowledge = app.floor.knowledge();
    let documents = knowledge.documents().into_iter().map(|(item, document)| {
        let stands = standing(all, (item, document), needs, knowledge);
        let chosen = !matches!(stands, Standing::Holds(_));
        Choice { chosen, ..Choice::of(&item.header.id, &item.header.title) }
    });
    let (bands, routes) =
        knowledge.covers().map(|covers| (&*covers.bands, &*covers.routes)).unwrap_or_default();
    let fits = |band: &&clinic::knowledge::consent::Band| {
        needs.dose.is_none_or(|dose| band.to.is_none_or(|to| dose <= to))
    };
    let band = bands.iter().find(fits).map(|band| band.id.clone()).unwrap_or_default();
    let bands = bands.iter().map(|band| Choice::of(&band.id, &band.title)).collect();
    let routes = routes.iter().map(|route| Choice::of(&route.id, &route.title)).collect();
    let mut form = Form::new("ask", path(id), "Ask the patient", "")
        .hint(format!(
            "A link opens without a sign-in, lasts {} hours and signs once. The tablet is locked for you until you enter your PIN.",
            app.config.answer_link_h
        ))
        .with(Field::ticks("documents", "Documents", documents.collect()))
        .with(Field::listed("band", "Dose that it covers", bands).known(band))
        .with(Field::listed("route", "Way in", routes));
    form.taps = vec![
        ("how".to_owned(), "tablet".to_owned(), "Hand the tablet over".to_owned()),
        ("how".to_owned(), "phone".to_owned(), "Make a link for the phone".to_owned()),
    ];
    form
}

fn withdraw_form(app: &AppState, id: &PatientId, known: &Known) -> Option<Form> {
    let stands =
        |document: &str| known.all.last(document).is_some() && !known.all.withdrawn.contains_key(document);
    let documents = app.knowledge.documents().into_iter().filter(|(item, _)| stands(&item.header.id));
    let documents: Vec<_> =
        documents.map(|(item, _)| Choice::of(&item.header.id, &item.header.title)).collect();
    (!documents.is_empty()).then(|| {
        Form::new("withdraw", format!("{}/withdraw", path(id)), "The patient takes it back", "Record it")
            .hint("An infusion that runs is stopped at the chair. No other starts.")
            .grave()
            .with(Field::ticks("documents", "What is taken back", documents))
            .with(Field::new(Kind::Words, "words", "What the patient said"))
    })
}

/// `POST /patients/{id}/consent`: makes a link, or hands the tablet over.
pub async fn ask(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Error> {
    let person = visit.person()?;
    let Some(actor) = person.acting(Privilege::AskConsent) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let how = if posted.text("how") == "tablet" { How::Tablet } else { How::Phone };
    let (whose, form, login) = (patient.clone(), posted.clone(), person.login.clone());
    let asked = app.blocking(move |app| {
        let documents: BTreeSet<String> = form.all("documents").map(str::to_owned).collect();
        let cover = Cover { band: form.text("band").to_owned(), route: form.text("route").to_owned() };
        let command = CommandId::new(form.command_id());
        let act = PatientAct { command_id: &command, actor: &actor, patient: &whose };
        let lasts = SignedDuration::from_hours(i64::from(app.config.answer_link_h));
        if let Err(denied) = app.floor.ask_consent(&act, &documents, (&cover, how, lasts)) {
            return Ok(Err(denied));
        }
        if how == How::Phone {
            return Ok(Ok(format!("{}#links-title", path(&whose))));
        }
        let all = app.floor.consents(&whose)?;
        let id = ConsentId::new(form.command_id());
        let key = LinkKey::of(&app.store, &app.config.site, For::Consent, app.clock.now())?;
        app.auth.logins().lock_now(&login);
        let asking = all.askings.get(&id);
        Ok::<_, Fault>(Ok(asking.map_or_else(|| path(&whose), |asking| address(&key, &whose, &id, asking))))
    });
    match asked.await?? {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(denied) => {
            let (errors, status) = as_told(denied);
            let sent = Sent { form: "ask".to_owned(), posted, errors, status };
            draw(&app, &visit, patient, &headers, sent).await
        }
    }
}

/// `POST /patients/{id}/consent/withdraw`
pub async fn withdraw(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::AskConsent) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let (whose, form) = (patient.clone(), posted.clone());
    let done = app.blocking(move |app| {
        let documents: Vec<String> = form.all("documents").map(str::to_owned).collect();
        let command = CommandId::new(form.command_id());
        let act = PatientAct { command_id: &command, actor: &actor, patient: &whose };
        app.floor.withdraw_consent(&act, &documents, form.text("words"))
    });
    match done.await? {
        Ok(_) => Ok(Redirect::to(&path(&patient)).into_response()),
        Err(denied) => {
            let (errors, status) = as_told(denied);
            let sent = Sent { form: "withdraw".to_owned(), posted, errors, status };
            draw(&app, &visit, patient, &headers, sent).await
        }
    }
}

#[derive(Template)]
#[template(path = "pages/consent_signed.html")]
struct Paper {
    page: Page,
    back: String,
    facts: Vec<(&'static str, String)>,
    /// The signature as it was drawn; empty where it was typed.
    drawn: String,
    texts: Vec<SignedText>,
}

struct SignedText {
    title: String,
    words: String,
    digest: String,
    /// The words are those that were signed.
    fits: bool,
}

/// `GET /patients/{id}/consent/{consent}`: what was signed through one asking, word for word, to print.
pub async fn signed(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, consent)): Path<(String, String)>,
) -> Result<Response, Error> {
    let (patient, consent) = (PatientId::new(id), ConsentId::new(consent));
    let whose = patient.clone();
    let read =
        app.blocking(move |app| Ok::<_, Fault>((app.floor.patient(&whose)?, app.floor.consents(&whose)?)));
    let (person, all) = read.await??;
    let person = person.ok_or(Error::NotFound)?;
    let texts: Vec<&Signed> = all.signed.iter().filter(|signed| signed.consent == consent).collect();
    let (first, asking) = texts.first().zip(all.askings.get(&consent)).ok_or(Error::NotFound)?;
    let covers = app.knowledge.covers().map(|covers| covers.words(&first.cover)).unwrap_or_default();
    let how = match asking.how {
        How::Phone => "on a phone, by a link",
        How::Tablet => "on a tablet of the clinic",
    };
    let (mark, drawn) = match &first.mark {
        Mark::Name(name) => (name.clone(), String::new()),
        Mark::Drawing(drawing) => ("Drawn by hand, with the day of birth".to_owned(), drawing.path()),
    };
    let facts = vec![
        ("Patient", person.banner_name()),
        ("Born", super::visit::head::day(person.born)),
        ("MRN", person.mrn.clone()),
        ("Signed as", mark),
        ("Signed", format!("{}, {how}", clock_time(&app, first.at))),
        ("For", covers),
        (
            "Put before the patient by",
            format!("{}, {}", app.floor.called(&asking.by), clock_time(&app, asking.made)),
        ),
    ];
    let texts = texts.into_iter().map(|signed| SignedText {
        title: signed.text.title.clone(),
        fits: hex::encode(Sha256::digest(signed.text.words.as_bytes())) == signed.text.sha256,
        words: signed.text.words.clone(),
        digest: signed.text.sha256.clone(),
    });
    let paper = Paper {
        page: Page::new(&app, &visit, "Signed consent"),
        back: path(&patient),
        facts,
        drawn,
        texts: texts.collect(),
    };
    html(StatusCode::OK, &paper)
}
