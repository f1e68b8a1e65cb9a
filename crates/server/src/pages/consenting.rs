//! A patient reads documents and signs them, on a phone by a link or on a tablet that staff handed over: one document a
//! page, each claim with its evidence, questions that show whether it was understood, the name typed or drawn at the end.
//! Nothing personal is shown.

use super::error::status_of;
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::floor::{Denied, Done, PatientAct};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::consent::{Asking, Decision, Drawing, Hand, How, Refusal, open as still_open};
use clinic::id::{CommandId, ConsentId};
use clinic::knowledge::Knowledge;
use clinic::knowledge::claim::Section;
use clinic::knowledge::consent::{Document, Question};
use clinic::staff::Actor;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "pages/consent_read.html")]
struct Read {
    page: Page,
    progress: String,
    done: usize,
    of: usize,
    lead: String,
    sections: Vec<Told>,
    agree: String,
    /// Not all was understood: what was asked is explained once more.
    again: bool,
    ask: Form,
    back: String,
    sheet: bool,
}

/// A section with its claims, as a patient reads them.
pub(super) struct Told {
    pub title: String,
    pub claims: Vec<Said>,
}

/// A claim, and what it rests on.
pub(super) struct Said {
    pub says: String,
    pub evidence: String,
}

/// Sections as a patient reads them.
pub(super) fn told(sections: &[Section], knowledge: &Knowledge) -> Vec<Told> {
    let claims = |section: &Section| {
        let said = |claim: &clinic::knowledge::claim::Claim| Said {
            says: claim.says.clone(),
            evidence: claim.evidence(knowledge),
        };
        section.claims.iter().map(said).collect()
    };
    sections.iter().map(|section| Told { title: section.title.clone(), claims: claims(section) }).collect()
}

#[derive(Template)]
#[template(path = "pages/consent_sign.html")]
struct Sign {
    page: Page,
    rows: Vec<Row>,
    covers: String,
    sign: Form,
    draw: Form,
    /// What was drawn and not taken, to go on from, and what is wrong with it.
    drawn: String,
    wrong: String,
    sheet: bool,
}

struct Row {
    title: String,
    says: &'static str,
    agree: String,
    path: String,
}

#[derive(Template)]
#[template(path = "pages/consent_end.html")]
struct End {
    page: Page,
    says: Vec<String>,
}

/// A link that this clinic signed, with what it leads to.
struct Opened {
    link: Link,
    token: String,
    asking: Asking,
}

/// Where a link leads.
enum Found {
    Open(Box<Opened>),
    /// It takes no answers: heading, words, status.
    Over(&'static str, Vec<String>, StatusCode),
}

fn find(app: &AppState, token: &str) -> Result<Option<Found>, Fault> {
    let now = app.clock.now();
    let key = LinkKey::of(&app.store, &app.config.site, For::Consent, now)?;
    let Some(link) = key.read(token) else { return Ok(None) };
    if app.floor.joined_to(&link.patient)?.is_some() {
        let why = "Nothing was signed through it. Ask the clinic for a new link.".to_owned();
        return Ok(Some(Found::Over("This link cannot be used any more", vec![why], StatusCode::GONE)));
    }
    let all = app.floor.consents(&link.patient)?;
    Ok(match still_open(&all, &ConsentId::new(&link.form), now, &app.knowledge) {
        Ok(asking) => {
            Some(Found::Open(Box::new(Opened { link, token: token.to_owned(), asking: asking.clone() })))
        }
        Err(Refusal::NoLink) => None,
        Err(refusal) => Some(over(app, &refusal)),
    })
}

fn over(app: &AppState, refusal: &Refusal) -> Found {
    let ask = "Ask the clinic for a new link.".to_owned();
    match refusal {
        Refusal::Used { at: Some(at) } => Found::Over(
            "Thank you. We have your signature",
            vec![
                format!(
                    "You signed at {}. It is in your record, and you can ask for a copy.",
                    clock_time(app, *at)
                ),
                "You can take it back at any time: tell anybody of the clinic.".to_owned(),
                "This link signs once and cannot be used again.".to_owned(),
            ],
            StatusCode::OK,
        ),
        Refusal::Used { at: None } => Found::Over(
            "Thank you. We have your answer",
            vec![
                "You did not agree to anything, so nothing was signed. That is your right.".to_owned(),
                "This link cannot be used again. If you change your mind, ask the clinic for a new one."
                    .to_owned(),
            ],
            StatusCode::OK,
        ),
        Refusal::Ended { at } => Found::Over(
            "This link has ended",
            vec![
                format!("It could be used until {}. Nothing was signed through it.", clock_time(app, *at)),
                ask,
            ],
            StatusCode::GONE,
        ),
        other => Found::Over("This link cannot be used", vec![other.to_string(), ask], StatusCode::GONE),
    }
}

impl Opened {
    fn path(&self, rest: impl std::fmt::Display) -> String {
        format!("/consent/{}/{rest}", self.token)
    }

    /// Where the patient goes on: the next document without an answer, or the signature.
    fn goes_on(&self) -> String {
        self.asking.next().map_or_else(|| self.path("sign"), |at| self.path(at + 1))
    }

    /// The id of the document on the page of that number.
    fn document(&self, n: usize) -> Result<String, Error> {
        let at = n.checked_sub(1).and_then(|at| self.asking.documents.get(at));
        at.map(|edition| edition.document.clone()).ok_or(Error::NotFound)
    }
}

/// `GET /consent/{link}`: goes on where the patient was.
pub async fn open(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) => Ok(Redirect::to(&opened.goes_on()).into_response()),
        over => end(&app, &visit, over),
    }
}

async fn look(app: &AppState, token: String) -> Result<Found, Error> {
    app.blocking(move |app| find(app, &token)).await??.ok_or(Error::NotFound)
}

fn end(app: &AppState, visit: &Visit, found: Found) -> Result<Response, Error> {
    let Found::Over(title, says, status) = found else { return Err(Error::NotFound) };
    html(status, &End { page: Page::new(app, visit, title).for_a_patient(), says })
}

/// `GET /consent/{link}/{n}`: one document.
pub async fn read(
    State(app): State<AppState>,
    visit: Visit,
    Path((token, n)): Path<(String, usize)>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) => draw(&app, &visit, &opened, n, &Sent::nothing()),
        over => end(&app, &visit, over),
    }
}

fn question_field(question: &Question, again: &[String]) -> Field {
    let answers = question.answers.iter().enumerate();
    let choices = answers.map(|(at, answer)| Choice::of(at + 1, answer)).collect();
    let mut field = Field::one(&question.id, &question.ask, choices);
    if again.contains(&question.id) {
        field.error = format!("Once more: {}", question.again);
    }
    field
}

fn ask_form(opened: &Opened, n: usize, document: &Document, again: &[String]) -> Form {
    let mut form = Form::new("ask", opened.path(n), "", "");
    form.fields = document.questions.iter().map(|question| question_field(question, again)).collect();
    form.fields.push(Field::new(
        Kind::Words,
        "words",
        "If you do not agree: what you want to say (may be left empty)",
    ));
    form.taps = vec![
        ("say".to_owned(), "agree".to_owned(), "I have read this and agree".to_owned()),
        ("say".to_owned(), "refuse".to_owned(), "I do not agree".to_owned()),
    ];
    form
}

fn draw(app: &AppState, visit: &Visit, opened: &Opened, n: usize, sent: &Sent) -> Result<Response, Error> {
    let id = opened.document(n)?;
    let (item, document) = app.knowledge.document(&id).ok_or(Error::NotFound)?;
    let again = match opened.asking.decided.get(&id) {
        Some(Decision::Again(again)) => again.as_slice(),
        _ => &[],
    };
    let ask = ask_form(opened, n, document, again).filled(sent);
    let errors = sent.summary([&ask]);
    let of = opened.asking.documents.len();
    let page = Read {
        page: Page::new(app, visit, item.header.title.clone()).for_a_patient().with_errors(errors),
        progress: format!("Document {n} of {of}"),
        done: n - 1,
        of,
        lead: document.lead.clone(),
        sections: told(&document.sections, &app.knowledge),
        agree: document.agree.clone(),
        again: !again.is_empty() && sent.form.is_empty(),
        ask,
        back: if n > 1 { opened.path(n - 1) } else { String::new() },
        sheet: false,
    };
    html(sent.status, &page)
}

/// What the patient answered to the questions of a document; what is no number is no answer.
fn answers(document: &Document, posted: &Posted) -> BTreeMap<String, u32> {
    let answered = document.questions.iter().filter_map(|question| {
        let chosen = posted.text(&question.id).trim();
        (!chosen.is_empty()).then(|| (question.id.clone(), chosen.parse().unwrap_or(0)))
    });
    answered.collect()
}

/// `POST /consent/{link}/{n}`: the patient agrees, or does not.
pub async fn decide(
    State(app): State<AppState>,
    visit: Visit,
    Path((token, n)): Path<(String, usize)>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = match look(&app, token.clone()).await? {
        Found::Open(opened) => opened,
        over => return end(&app, &visit, gone(over)),
    };
    let id = opened.document(n)?;
    let (_, document) = app.knowledge.document(&id).ok_or(Error::NotFound)?;
    let said = posted.text("say");
    if !["agree", "refuse"].contains(&said) {
        let why = FieldError::at("", "Say whether you agree, or do not.");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return draw(
            &app,
            &visit,
            &opened,
            n,
            &Sent { form: "ask".to_owned(), posted, errors: vec![why], status },
        );
    }
    let (agrees, answers, form) = (said == "agree", answers(document, &posted), posted.clone());
    let (link, how) = (opened.link.clone(), opened.asking.how);
    let done = app.blocking(move |app| {
        with_act(&link, how, &form, |act, consent| {
            if agrees {
                app.floor.agree_to(act, (consent, &id), &answers)
            } else {
                app.floor.refuse_consent(act, (consent, &id), form.text("words"))
            }
        })
    });
    match done.await? {
        Ok(_) => Ok(Redirect::to(&after(&app, token, n).await?).into_response()),
        Err(denied) => {
            let (errors, status) = (refused(&denied), status_of(&denied));
            draw(&app, &visit, &opened, n, &Sent { form: "ask".to_owned(), posted, errors, status })
        }
    }
}

/// After a document: the same again where it was not understood, else on.
async fn after(app: &AppState, token: String, n: usize) -> Result<String, Error> {
    Ok(match look(app, token.clone()).await? {
        Found::Open(opened) => {
            let again = matches!(opened.asking.decided.get(&opened.document(n)?), Some(Decision::Again(_)));
            if again { opened.path(n) } else { opened.goes_on() }
        }
        Found::Over(..) => format!("/consent/{token}"),
    })
}

/// Runs an act of the patient, under the name of the device that it came by.
fn with_act(
    link: &Link,
    how: How,
    posted: &Posted,
    act: impl FnOnce(&PatientAct, &ConsentId) -> Result<Done, Denied>,
) -> Result<Done, Denied> {
    let actor = Actor::machine(device(how));
    let command = CommandId::new(posted.command_id());
    let consent = ConsentId::new(&link.form);
    act(&PatientAct { command_id: &command, actor: &actor, patient: &link.patient }, &consent)
}

/// Who acts where a patient signs.
const fn device(how: How) -> &'static str {
    match how {
        How::Phone => super::answer::PHONE,
        How::Tablet => "patient-tablet",
    }
}

/// A form that was sent through a link that is over: nothing of it was taken.
fn gone(found: Found) -> Found {
    match found {
        Found::Over(title, says, _) => Found::Over(title, says, StatusCode::GONE),
        open => open,
    }
}

fn refused(denied: &Denied) -> Vec<FieldError> {
    let why = match denied {
        Denied::NotRecorded(_) => {
            "This could not be saved, so nobody here has it. Try again in a moment, or call the clinic."
                .to_owned()
        }
        Denied::NotKnown(_) | Denied::Conflict => {
            "It is not known whether this was saved. Send it again.".to_owned()
        }
        other => other.to_string(),
    };
    vec![FieldError { text: why, ..FieldError::denied(&denied.place(), denied) }]
}

/// `GET /consent/{link}/sign`: what is agreed to, once more, and the name.
pub async fn last(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    match look(&app, token).await? {
        Found::Open(opened) if opened.asking.next().is_some() => {
            Ok(Redirect::to(&opened.goes_on()).into_response())
        }
        Found::Open(opened) => draw_last(&app, &visit, &opened, &Sent::nothing()),
        over => end(&app, &visit, over),
    }
}

fn draw_last(app: &AppState, visit: &Visit, opened: &Opened, sent: &Sent) -> Result<Response, Error> {
    let asking = &opened.asking;
    let rows = asking.documents.iter().enumerate().filter_map(|(at, edition)| {
        let (item, document) = app.knowledge.document(&edition.document)?;
        let agrees = asking.decided.get(&edition.document) == Some(&Decision::Agreed);
        Some(Row {
            title: item.header.title.clone(),
            says: if agrees { "You agree." } else { "You do not agree. It is not signed." },
            agree: if agrees { document.agree.clone() } else { String::new() },
            path: opened.path(at + 1),
        })
    });
    let sign = Form::new("sign", opened.path("sign"), "Sign by typing", "Sign")
        .hint("Typing your name is your signature. It counts like one on paper.")
        .with(Field::new(Kind::Line, "name", "Your first and your family name"))
        .filled(sent);
    let draw = Form::new("draw", opened.path("sign"), "", "Sign with this drawing")
        .hidden("by", "hand")
        .with(Field::new(Kind::Day, "born", "Your day of birth").hint("So that we know it is you who signs."))
        .filled(sent);
    let drawing = Drawing::read(sent.posted.all("stroke")).ok();
    let draw =
        drawing.iter().flat_map(Drawing::strokes).fold(draw, |draw, stroke| draw.hidden("stroke", stroke));
    let errors = sent.summary([&sign, &draw]);
    let page = Sign {
        rows: rows.collect(),
        covers: app.knowledge.covers().map(|covers| covers.words(&asking.cover)).unwrap_or_default(),
        page: Page::new(app, visit, "Do you want to sign?").for_a_patient().with_errors(errors),
        sign,
        draw,
        drawn: drawing.as_ref().map(Drawing::path).unwrap_or_default(),
        wrong: sent
            .errors
            .iter()
            .find(|error| error.field == "stroke")
            .map(|error| error.text.clone())
            .unwrap_or_default(),
        sheet: false,
    };
    html(sent.status, &page)
}

/// `POST /consent/{link}/sign`: signs, once.
pub async fn sign(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = match look(&app, token.clone()).await? {
        Found::Open(opened) => opened,
        over => return end(&app, &visit, gone(over)),
    };
    let form = if posted.text("by") == "hand" { "draw" } else { "sign" };
    let refused = |posted, errors, status| {
        draw_last(&app, &visit, &opened, &Sent { form: form.to_owned(), posted, errors, status })
    };
    let mut typed = Typed::new(posted.clone(), app.config.time_zone());
    let drawn = match form {
        "draw" => typed.day("born", "Your day of birth").zip(drawing(&mut typed)),
        _ => None,
    };
    if !typed.errors.is_empty() {
        return refused(posted, typed.errors, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (link, how, sent) = (opened.link.clone(), opened.asking.how, posted.clone());
    let done = app.blocking(move |app| {
        let Some(patient) = app.floor.patient(&link.patient)? else { return Ok(None) };
        let hand = match &drawn {
            Some((born, drawing)) => Hand::Drawn(drawing, *born),
            None => Hand::Typed(sent.text("name")),
        };
        Ok::<_, Fault>(Some(with_act(&link, how, &sent, |act, consent| {
            app.floor.sign_consent(act, consent, (&patient, hand))
        })))
    });
    match done.await??.ok_or(Error::NotFound)? {
        Ok(_) => Ok(Redirect::to(&format!("/consent/{token}")).into_response()),
        Err(denied) => refused(posted, self::refused(&denied), status_of(&denied)),
    }
}

/// What was drawn, or why it is no signature.
fn drawing(typed: &mut Typed) -> Option<Drawing> {
    let read = Drawing::read(typed.posted().all("stroke"));
    match read {
        Ok(drawing) => Some(drawing),
        Err(refusal) => typed.wrong(&refusal.field(), refusal),
    }
}
