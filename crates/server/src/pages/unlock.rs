//! Open locked controls with the PIN, from a page or in the middle of an act.

use super::{Error, FieldError, Page, html, local_path};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::{self, Refusal};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// What may stand in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where to go on to.
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "pages/unlock.html")]
struct Unlock {
    page: Page,
    /// Where the form goes: `/unlock`, or the act that waits for the PIN.
    action: String,
    /// Name of the PIN field: the gate reads it in the middle of an act.
    field: &'static str,
    /// Fields of the act that waits.
    waiting: Vec<(String, String)>,
    next: String,
}

/// `GET /unlock`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let next = local_path(&asked.next);
    if !visit.person()?.locked {
        return Ok(Redirect::to(next).into_response());
    }
    let page = Page::new(&app, &visit, "Unlock");
    html(StatusCode::OK, &at_page(page, next))
}

/// `POST /unlock`
pub async fn unlock(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let (person, pin, from) = (visit.person()?.clone(), posted.text("pin").to_owned(), visit.from.clone());
    let next = local_path(posted.text("next"));
    match app.blocking(move |app| app.auth.unlock(&person, &pin, &from)).await? {
        Ok(()) => Ok(Redirect::to(next).into_response()),
        Err(auth::Error::Refused(refusal)) => {
            let page = Page::new(&app, &visit, "Unlock").with_errors(vec![FieldError::at("pin", &refusal)]);
            html(StatusCode::UNPROCESSABLE_ENTITY, &at_page(page, next))
        }
        Err(auth::Error::Fault(fault)) => Err(fault.into()),
    }
}

/// The PIN form that carries a waiting act with it; sent with the right PIN, the act goes on.
pub fn for_act(app: &AppState, visit: &Visit, posted: &Posted, refusal: Option<&Refusal>) -> Response {
    let errors = refusal.map(|refusal| FieldError::at("unlock_pin", refusal)).into_iter().collect();
    let page = Page::new(app, visit, "Unlock to finish").with_errors(errors);
    let mut waiting = posted.to_send_again();
    waiting.retain(|(name, _)| name != "unlock_pin");
    let form = Unlock { page, action: visit.path.clone(), field: "unlock_pin", waiting, next: String::new() };
    let mut response =
        html(StatusCode::UNPROCESSABLE_ENTITY, &form).unwrap_or_else(IntoResponse::into_response);
    if visit.htmx {
        // The form that was sent may have a small target; the question for the PIN takes the whole page.
        response.headers_mut().insert("hx-retarget", HeaderValue::from_static("body"));
        response.headers_mut().insert("hx-reswap", HeaderValue::from_static("innerHTML"));
    }
    response
}

fn at_page(page: Page, next: &str) -> Unlock {
    Unlock { page, action: "/unlock".to_owned(), field: "pin", waiting: Vec::new(), next: next.to_owned() }
}
