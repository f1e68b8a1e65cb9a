//! Sign in with user name and password.

use super::{Error, FieldError, Page, html, landing, local_path};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::{self, Refusal};
use crate::security::set_login;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// What may stand in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where to go on to.
    #[serde(default)]
    next: String,
    /// Why this page is shown: `out`, `ended`, `changed`.
    #[serde(default)]
    notice: String,
}

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct SignIn {
    page: Page,
    /// User name as typed before.
    user: String,
    next: String,
}

/// `GET /sign-in`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let mut page = Page::new(&app, &visit, "Sign in");
    page.notices.extend(notice(&asked.notice).map(str::to_owned));
    let next = local_path(&asked.next).to_owned();
    html(StatusCode::OK, &SignIn { page, user: String::new(), next })
}

/// `POST /sign-in`
pub async fn sign_in(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let (user, password) = (posted.text("user").to_owned(), posted.text("password").to_owned());
    let errors = missing(&user, &password);
    if !errors.is_empty() {
        return again(&app, &visit, &posted, errors);
    }
    let (from, before) = (visit.from.clone(), visit.person.clone());
    let signed_in = app.blocking(move |app| {
        let token = app.auth.sign_in(&user, &password, &from)?;
        if let Some(person) = before {
            app.auth.sign_out(&person, &from);
        }
        let person = app.auth.admit(&token, true)?;
        Ok::<_, auth::Error>((token, person))
    });
    match signed_in.await? {
        Ok((token, person)) => {
            let next = match local_path(posted.text("next")) {
                "/" => person.as_ref().map_or("/", |person| landing(&person.account)),
                path => path,
            };
            let cookie = set_login(&app.config, &token);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
        }
        Err(auth::Error::Refused(refusal)) => again(&app, &visit, &posted, vec![at_field(&refusal)]),
        Err(auth::Error::Fault(fault)) => Err(fault.into()),
    }
}

fn again(app: &AppState, visit: &Visit, posted: &Posted, errors: Vec<FieldError>) -> Result<Response, Error> {
    let page = Page::new(app, visit, "Sign in").with_errors(errors);
    let next = local_path(posted.text("next")).to_owned();
    html(StatusCode::UNPROCESSABLE_ENTITY, &SignIn { page, user: posted.text("user").to_owned(), next })
}

fn missing(user: &str, password: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if user.trim().is_empty() {
        errors.push(FieldError::at("user", "Enter your user name."));
    }
    if password.is_empty() {
        errors.push(FieldError::at("password", "Enter your password."));
    }
    errors
}

fn at_field(refusal: &Refusal) -> FieldError {
    FieldError::at("user", refusal)
}

fn notice(key: &str) -> Option<&'static str> {
    match key {
        "out" => Some("You are signed out."),
        "ended" => Some("Your sign-in has ended. Sign in again; nothing that you sent last was recorded."),
        "changed" => Some("Your password is changed. Sign in with the new one."),
        _ => None,
    }
}
