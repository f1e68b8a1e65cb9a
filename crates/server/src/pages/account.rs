//! One's own password and PIN.

use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::accounts;
use crate::auth::gate::{Posted, Visit};
use crate::auth::{self, secret};
use crate::security::set_login;
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

#[derive(Template)]
#[template(path = "pages/account.html")]
struct OwnAccount {
    page: Page,
    user: String,
    has_pin: bool,
    password_chars_min: usize,
    pin_digits_min: usize,
}

/// `GET /account`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, StatusCode::OK, Vec::new())
}

/// `POST /account`: field `act` is `password` or `pin`; both ask for the present password.
pub async fn change(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let act = match posted.text("act") {
        "password" => Act::Password,
        "pin" => Act::Pin,
        other => {
            let error = FieldError::at("", format!("\"{other}\" is nothing that can be changed here."));
            return draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, vec![error]);
        }
    };
    let field = act.field();
    if posted.text(field) != posted.text(act.repeat_field()) {
        let error = FieldError::at(act.repeat_field(), "The two entries differ. Type the same twice.");
        return draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, vec![error]);
    }
    let person = visit.person()?.clone();
    let from = visit.from.clone();
    let changed = app.blocking(move |app| {
        // Proven first: a screen left open must not be enough to take an account over.
        let proven = app.auth.prove_password(&person, posted.text(act.now_field()), &from);
        proven.map_err(|error| (act.now_field(), error.into()))?;
        let (id, command_id) = (person.id(), posted.command_id());
        let accounts = app.auth.accounts();
        match act {
            Act::Password => accounts.set_password(id, posted.text(field), id, command_id),
            Act::Pin => accounts.set_pin(id, posted.text(field), id, command_id),
        }
        .map_err(|error| (field, error.into()))?;
        Ok(person)
    });
    match (changed.await?, act) {
        (Ok(_), Act::Password) => {
            let cookie = set_login(&app.config, "");
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in?notice=changed")).into_response())
        }
        (Ok(person), Act::Pin) => {
            app.auth.logins().notify(&person.login, "Your PIN is changed.".to_owned());
            Ok(Redirect::to("/account").into_response())
        }
        (Err((field, Why::Refused(text))), _) => {
            draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, vec![FieldError::at(field, text)])
        }
        (Err((_, Why::Fault(fault))), _) => Err(fault.into()),
    }
}

#[derive(Clone, Copy)]
enum Act {
    Password,
    Pin,
}

impl Act {
    const fn field(self) -> &'static str {
        match self {
            Self::Password => "new_password",
            Self::Pin => "new_pin",
        }
    }
    const fn repeat_field(self) -> &'static str {
        match self {
            Self::Password => "repeat_password",
            Self::Pin => "repeat_pin",
        }
    }
    const fn now_field(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Pin => "pin_password",
        }
    }
}

/// A refusal's text, or a fault, from either of the two steps.
enum Why {
    Refused(String),
    Fault(crate::Fault),
}

impl From<auth::Error> for Why {
    fn from(error: auth::Error) -> Self {
        match error {
            auth::Error::Refused(refusal) => Self::Refused(refusal.to_string()),
            auth::Error::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<accounts::Error> for Why {
    fn from(error: accounts::Error) -> Self {
        match error {
            accounts::Error::Refused(refusal) => Self::Refused(refusal.to_string()),
            accounts::Error::Fault(fault) => Self::Fault(fault),
        }
    }
}

fn draw(
    app: &AppState,
    visit: &Visit,
    status: StatusCode,
    errors: Vec<FieldError>,
) -> Result<Response, Error> {
    let person = visit.person()?;
    let account = OwnAccount {
        page: Page::new(app, visit, "My account").with_errors(errors),
        user: person.id().to_string(),
        has_pin: person.account.pin.is_some(),
        password_chars_min: secret::PASSWORD_CHARS_MIN,
        pin_digits_min: secret::PIN_DIGITS_MIN,
    };
    html(status, &account)
}
