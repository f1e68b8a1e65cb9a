//! From a form to an act: who asks, is it still the same patient, what was typed, who signs, and what the clinic
//! answers. Every form of a visit goes this way.

use super::again;
use super::form::Sent;
use super::typed::Typed;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::auth::{self, ToSign};
use crate::floor::Denied;
use crate::pages::error::status_of;
use crate::pages::{Error, FieldError, error};
use crate::{AppState, Fault};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::{CommandId, SessionId};
use clinic::patient::Patient;
use clinic::session::{Command, Refusal, Session};
use clinic::staff::{Actor, Signature};
use jiff::Timestamp;

/// The visit that an act is about, as it stands.
pub struct Desk<'a> {
    /// The program.
    pub app: &'a AppState,
    /// Which session.
    pub id: SessionId,
    /// How it stands.
    pub session: Session,
    /// Whose it is.
    pub patient: Patient,
    /// Who asks.
    pub actor: Actor,
    /// Now.
    pub at: Timestamp,
    from: String,
    fault: Option<Fault>,
}

/// A command and who gives it.
pub struct Deed {
    actor: Actor,
    command: Command,
}

impl Desk<'_> {
    /// By the signed-in person.
    pub fn by_me(&self, command: Command) -> Deed {
        Deed { actor: self.actor.clone(), command }
    }
    /// By whoever signed.
    pub fn by_signer(&self, signature: &Signature, command: Command) -> Deed {
        Deed { actor: Actor { id: signature.by.clone(), role: signature.role }, command }
    }
    /// Takes the signature in the fields `user` and `pin`. Asked last, so that a form with a slip costs no PIN.
    pub fn sign(&mut self, typed: &mut Typed, meaning: &str, needs: Privilege) -> Option<Signature> {
        match sign(self.app, &self.from, typed, meaning, needs) {
            Ok(signature) => signature,
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }
}

/// Takes the signature in the fields `user` and `pin` of a form without another slip; what is wrong stands in `typed`.
///
/// # Errors
/// A fault of the machine.
pub fn sign(
    app: &AppState,
    from: &str,
    typed: &mut Typed,
    meaning: &str,
    needs: Privilege,
) -> Result<Option<Signature>, Fault> {
    if !typed.errors.is_empty() {
        return Ok(typed.wrong("pin", "Enter the PIN again when the rest is right."));
    }
    let (user, pin) = (typed.needed("user", "The user name"), typed.needed("pin", "The PIN"));
    let Some((user, pin)) = user.zip(pin) else { return Ok(None) };
    match app.auth.sign(ToSign { user: &user, pin: &pin, meaning, needs, from }) {
        Ok(signature) => Ok(Some(signature)),
        Err(auth::Error::Refused(refusal)) => Ok(typed.wrong("pin", refusal)),
        Err(auth::Error::Fault(fault)) => Err(fault),
    }
}

/// What became of a form.
pub enum Outcome {
    /// Recorded, now or by the same form before.
    Done,
    /// Not taken: draw the form again.
    Sent(Box<Sent>),
    /// Answered without the form.
    Answered(Box<Response>),
}

/// Reads the form and carries the act out. Nothing is written unless it is [`Outcome::Done`].
///
/// # Errors
/// [`Error::NotFound`] when there is no such session; a fault of the machine.
pub async fn carry_out<F>(
    app: &AppState,
    visit: &Visit,
    id: &str,
    posted: &Posted,
    (form, needs): (&str, Privilege),
    make: F,
) -> Result<Outcome, Error>
where
    F: FnOnce(&mut Desk<'_>, &mut Typed) -> Option<Deed> + Send + 'static,
{
    let id = SessionId::new(id);
    if let Some(answer) = as_conflict(app, visit, &id, posted) {
        return Ok(Outcome::Answered(Box::new(answer)));
    }
    let Some(actor) = visit.person()?.acting(needs) else { return Err(Error::SignIn) };
    let (from, form, sent) = (visit.from.clone(), form.to_owned(), posted.clone());
    let acted = app.blocking(move |app| {
        let session = app.floor.session(&id).map_err(Fault::Floor)?;
        let patient = session.as_ref().and_then(|session| session.patient.as_ref());
        let patient = patient.map(|patient| app.floor.patient(patient)).transpose()?.flatten();
        let (Some(session), Some(patient)) = (session, patient) else { return Ok(None) };
        let mut typed = Typed::new(sent, app.config.time_zone());
        let mut desk = Desk { app, id, session, patient, actor, at: app.clock.now(), from, fault: None };
        let deed = make(&mut desk, &mut typed);
        if let Some(fault) = desk.fault {
            return Err(fault);
        }
        let command_id = CommandId::new(typed.posted().command_id());
        let denied = match deed {
            Some(deed) if typed.errors.is_empty() => {
                app.floor.act(&desk.id, &command_id, &deed.actor, deed.command).err()
            }
            _ => return Ok(Some(Err(refused(&form, typed, desk.at, None)))),
        };
        Ok(Some(match denied {
            None => Ok(()),
            Some(denied) => Err(refused(&form, typed, desk.at, Some(denied))),
        }))
    });
    match acted.await?? {
        None => Err(Error::NotFound),
        Some(Ok(())) => Ok(Outcome::Done),
        Some(Err(sent)) => Ok(Outcome::Sent(Box::new(sent))),
    }
}

/// The form with what is wrong with it.
fn refused(form: &str, typed: Typed, at: Timestamp, denied: Option<Denied>) -> Sent {
    let (mut posted, mut errors) = (typed.posted().clone(), typed.errors.clone());
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(denied) = denied {
        status = status_of(&denied);
        match denied {
            Denied::Refused(refusal) => posted = told(&refusal, posted, &mut errors),
            denied => errors.push(FieldError::denied(denied.field(), &denied)),
        }
    }
    if errors.is_empty() {
        errors.push(FieldError::at("", "Something on this form is missing. Nothing was recorded."));
    }
    for error in &mut errors {
        error.text = typed.by_the_clinics_clock(&error.text, at);
    }
    Sent { form: form.to_owned(), posted, errors, status }
}

/// Each reason is a line of its own: a person works them off one by one.
fn told(refusal: &Refusal, posted: Posted, errors: &mut Vec<FieldError>) -> Posted {
    match refusal {
        Refusal::Several(all) => all.iter().fold(posted, |posted, one| told(one, posted, errors)),
        Refusal::Held { reasons } | Refusal::DoseRefused { reasons } => {
            errors.extend(reasons.iter().map(|reason| FieldError::at(refusal.field(), reason)));
            posted
        }
        Refusal::Unlikely { questions, .. } => {
            errors.extend(again::questions(questions));
            again::asking(posted, questions)
        }
        refusal => {
            errors.push(FieldError::at(refusal.field(), refusal));
            posted
        }
    }
}

/// The answer to a form of an earlier patient.
pub fn as_conflict(app: &AppState, visit: &Visit, id: &SessionId, posted: &Posted) -> Option<Response> {
    let why = other_patient(app, id, posted)?;
    Some(error::page(app, visit, StatusCode::CONFLICT, "Another patient sits here now", &why))
}

/// A form of another session, or of a chair where somebody else sits by now: the tab is stale.
fn other_patient(app: &AppState, id: &SessionId, posted: &Posted) -> Option<String> {
    let named = posted.text("session");
    if !named.is_empty() && named != id.as_str() {
        return Some(
            "The form belongs to another visit. Nothing was recorded. Open the chair again.".to_owned(),
        );
    }
    let chair = clinic::id::ChairId::new(posted.text("chair_now"));
    let sits = app.floor.seating().session_at(&chair).cloned()?;
    (sits != *id).then(|| {
        let who = app.floor.at_chair(&chair).map_or_else(String::new, |(_, _, patient)| patient.banner_name());
        format!("This page is of an earlier patient; at chair {chair} is now {who}. Nothing was recorded. Open the chair again.")
    })
}

/// A page that does not fit into a sheet, asked for by htmx: the browser goes there as a whole.
pub fn as_a_page(visit: &Visit) -> Option<Response> {
    visit.htmx.then(|| (StatusCode::OK, [("hx-redirect", visit.path.clone())]).into_response())
}

/// The answer after an act: an htmx form learns that it is recorded, a plain one goes on.
pub fn done(app: &AppState, visit: &Visit, to: &str, notice: &str) -> Response {
    if visit.htmx {
        return StatusCode::NO_CONTENT.into_response();
    }
    if let Some(person) = visit.person.as_ref().filter(|_| !notice.is_empty()) {
        app.auth.logins().notify(&person.login, notice.to_owned());
    }
    Redirect::to(to).into_response()
}
