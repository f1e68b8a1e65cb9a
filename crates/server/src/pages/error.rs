//! What a person reads when a page cannot be shown, or an entry could not be recorded.

use super::FieldError;
use super::{Page, html, not_found};
use crate::auth::gate::Visit;
use crate::floor::Denied;
use crate::{AppState, Fault};
use askama::Template;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::consent::Refusal as Gone;
use clinic::course::Refusal as Unmade;
use store::AppendError;

/// After how many seconds one may ask again for what was busy.
const BUSY_S: u32 = 5;
const BUSY: &str = "Other records are being printed. Nothing is lost: wait a few seconds and load this page again. Live values and alarms go on.";

/// Why a handler could not answer.
#[derive(Debug)]
pub enum Error {
    /// The page's subject does not exist.
    NotFound,
    /// Nobody is signed in.
    SignIn,
    /// Too much of this is going on.
    Busy,
    /// A broken machine.
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for Error {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    page: Page,
    why: &'a str,
}

/// An error page in the frame of the visit.
pub fn page(app: &AppState, visit: &Visit, status: StatusCode, title: &str, why: &str) -> Response {
    drawn(Page::new(app, visit, title), status, why)
}

/// The subject of a form changed under it. Nothing was written.
///
/// # Errors
/// None; the type fits a handler.
pub fn conflict(app: &AppState, visit: &Visit, why: &str) -> Result<Response, Error> {
    Ok(page(app, visit, StatusCode::CONFLICT, "Changed meanwhile", why))
}

/// A form that cannot be carried out, where it has no page of its own. Nothing was written.
///
/// # Errors
/// None; the type fits a handler.
pub fn unprocessable(app: &AppState, visit: &Visit, why: &str) -> Result<Response, Error> {
    Ok(page(app, visit, StatusCode::UNPROCESSABLE_ENTITY, "Not done", why))
}

fn drawn(page: Page, status: StatusCode, why: &str) -> Response {
    html(status, &ErrorPage { page, why }).unwrap_or_else(|_| (status, why.to_owned()).into_response())
}

/// The status of an act that was denied: 503 when for certain nothing was recorded, 500 when that is not known.
pub const fn status_of(denied: &Denied) -> StatusCode {
    match denied {
        Denied::Conflict
        | Denied::SaidOtherwise
        | Denied::Course(Unmade::Conflict { .. } | Unmade::Opened { .. } | Unmade::Taken { .. }) => {
            StatusCode::CONFLICT
        }
        Denied::Consultation(refusal) if refusal.is_conflict() => StatusCode::CONFLICT,
        Denied::Consent(Gone::Used { .. } | Gone::Ended { .. } | Gone::TextChanged { .. }) => {
            StatusCode::GONE
        }
        Denied::NoSession(_) | Denied::NoTask(_) => StatusCode::NOT_FOUND,
        Denied::NotRecorded(_) => StatusCode::SERVICE_UNAVAILABLE,
        Denied::NotKnown(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Denied::Refused(_)
        | Denied::Seating(_)
        | Denied::Patient(_)
        | Denied::Care(_)
        | Denied::Between(_)
        | Denied::Consent(_)
        | Denied::Consultation(_)
        | Denied::Scale(_)
        | Denied::Course(_)
        | Denied::Reminder(_)
        | Denied::Waitlist(_)
        | Denied::NumberTaken { .. }
        | Denied::Namesake { .. }
        | Denied::Limit(_)
        | Denied::NotSeated(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// What a form that was not carried out says beside its fields, and as a whole.
pub fn as_told(denied: Denied) -> (Vec<FieldError>, StatusCode) {
    (vec![FieldError::denied(&denied.place(), &denied)], status_of(&denied))
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::SignIn => Redirect::to("/sign-in").into_response(),
            Self::Busy => {
                let page = Page::bare("Busy");
                let answer = drawn(page, StatusCode::SERVICE_UNAVAILABLE, BUSY);
                ([(RETRY_AFTER, BUSY_S.to_string())], answer).into_response()
            }
            Self::NotFound => drawn(Page::bare("Not found"), StatusCode::NOT_FOUND, not_found::WHY),
            Self::Fault(fault) => {
                tracing::error!(fault = chain(fault), "a request failed");
                let (status, title, why) = told(fault);
                drawn(Page::bare(title), status, &why)
            }
        }
    }
}

/// What a fault means for the entry that was sent.
fn told(fault: &Fault) -> (StatusCode, &'static str, String) {
    match fault {
        Fault::Append(AppendError::Uncertain(_)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Not known whether it was recorded",
            "The machine broke at the moment of writing. Send the same form again (reload this page): it is recorded once, whether or not it arrived the first time.".to_owned(),
        ),
        Fault::Append(AppendError::Conflict { .. }) => (
            StatusCode::CONFLICT,
            "Somebody else was faster",
            "The record changed while you were writing. Nothing of yours was recorded. Go back, look at what changed, and repeat the entry if it still holds.".to_owned(),
        ),
        Fault::Append(AppendError::CommandTaken { .. }) => (
            StatusCode::CONFLICT,
            "The form was used before",
            "This form was already sent by another person. Nothing was recorded now. Open the page again.".to_owned(),
        ),
        Fault::Append(AppendError::Refused(_)) | Fault::Store(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "NOT RECORDED",
            format!("{}. Nothing of this entry was recorded. Live values and alarms go on. Chart on paper, tell the owner, and send it again when recording is back.", chain(fault)),
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "A fault in the program",
            "This page could not be made. If you sent an entry, look at the record to see whether it is there before you send it again. Live values and alarms go on. If it stays, tell the owner the time and what you did.".to_owned(),
        ),
    }
}

/// The error and all its causes, once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
