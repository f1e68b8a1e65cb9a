//! The owner's list of people: add, roles, first passwords, leaving.

use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::accounts::{self, NewStaff, Refusal};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::ROLES;
use crate::auth::staff::{Account, StaffEvent, role_from, role_key, user_name};
use crate::auth::{Person, secret};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::StaffId;
use clinic::staff::Role;

#[derive(Template)]
#[template(path = "pages/staff.html")]
struct StaffPage {
    page: Page,
    people: Vec<Row>,
    /// Key and title of each role that can be given.
    roles: Vec<(&'static str, &'static str)>,
    /// As typed before.
    user: String,
    name: String,
    password_chars_min: usize,
    pin_digits_min: usize,
}

struct Row {
    user: String,
    name: String,
    roles: String,
    /// `signs with PIN`, `cannot sign: no PIN`, `left`.
    state: &'static str,
    disabled: bool,
    /// The owner at the page, who cannot shut themselves out.
    own: bool,
}

/// `GET /staff`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, StatusCode::OK, &Posted::default(), Vec::new()).await
}

/// `POST /staff`: adds a person.
pub async fn add(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let owner = visit.person()?.clone();
    let form = posted.clone();
    let added = app.blocking(move |app| {
        let person = NewStaff {
            user: form.text("user").to_owned(),
            name: form.text("name").to_owned(),
            roles: form.all("role").filter_map(role_from).collect(),
            password: form.text("password").to_owned(),
            pin: Some(form.text("pin")).filter(|pin| !pin.is_empty()).map(str::to_owned),
        };
        app.auth.accounts().add(person, owner.id(), form.command_id())
    });
    match added.await? {
        Ok(id) => Ok(done(&app, &visit, format!("{id} is added and can sign in."))),
        Err(accounts::Error::Refused(refusal)) => {
            let errors = vec![FieldError::at(field_of(&refusal), &refusal)];
            draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &posted, errors).await
        }
        Err(accounts::Error::Fault(fault)) => Err(fault.into()),
    }
}

/// `POST /staff/{id}`: field `act` is `disable`, `enable`, `password`, `grant` or `withdraw`.
pub async fn change(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let owner = visit.person()?.clone();
    let Ok(id) = user_name(&id) else { return Err(Error::NotFound) };
    if let Some(text) = shuts_out(&owner, &id, &posted) {
        let errors = vec![FieldError::at("", text)];
        return draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &Posted::default(), errors).await;
    }
    let form = posted.clone();
    let changed = app.blocking(move |app| act(app, &owner, &id, &form).map(|()| id));
    match changed.await? {
        Ok(id) => Ok(done(&app, &visit, format!("The account of {id} is changed."))),
        Err(Some(accounts::Error::Refused(refusal))) => {
            let errors = vec![FieldError::at("", &refusal)];
            draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &Posted::default(), errors).await
        }
        Err(Some(accounts::Error::Fault(fault))) => Err(fault.into()),
        Err(None) => {
            let errors = vec![FieldError::at("", "Choose what to change, and the role.")];
            draw(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &Posted::default(), errors).await
        }
    }
}

/// Does the act; `Err(None)` when the form names none.
fn act(app: &AppState, owner: &Person, id: &StaffId, form: &Posted) -> Result<(), Option<accounts::Error>> {
    let accounts = app.auth.accounts();
    let role = || role_from(form.text("role")).ok_or(None);
    let event = match form.text("act") {
        "disable" => StaffEvent::StaffDisabled,
        "enable" => StaffEvent::StaffEnabled,
        "grant" => StaffEvent::RoleGranted { role: role()? },
        "withdraw" => StaffEvent::RoleWithdrawn { role: role()? },
        "password" => {
            let set = accounts.set_password(id, form.text("password"), owner.id(), form.command_id());
            return set.map_err(Some);
        }
        _ => return Err(None),
    };
    accounts.change(id, event, owner.id(), form.command_id()).map_err(Some)
}

/// An owner who disables themselves, or gives the owner's role away, could leave a clinic that nobody runs.
fn shuts_out(owner: &Person, id: &StaffId, form: &Posted) -> Option<&'static str> {
    let gives_up = form.text("act") == "withdraw" && role_from(form.text("role")) == Some(Role::Owner);
    (owner.id() == id && (form.text("act") == "disable" || gives_up))
        .then_some("You cannot shut yourself out. Ask another owner to do it.")
}

const fn field_of(refusal: &Refusal) -> &'static str {
    use crate::auth::secret::Weak;
    use crate::auth::staff::BadName;
    match refusal {
        Refusal::Name(BadName::UserName(_)) | Refusal::Taken(_) => "user",
        Refusal::Name(BadName::Name) => "name",
        Refusal::Weak(Weak::PinShape | Weak::PinGuessable) => "pin",
        Refusal::Weak(_) => "password",
        Refusal::NoRole => "role",
        Refusal::Nobody(_) | Refusal::AlreadyFounded | Refusal::Changed(_) => "",
    }
}

fn done(app: &AppState, visit: &Visit, notice: String) -> Response {
    if let Some(person) = &visit.person {
        app.auth.logins().notify(&person.login, notice);
    }
    Redirect::to("/staff").into_response()
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    status: StatusCode,
    typed: &Posted,
    errors: Vec<FieldError>,
) -> Result<Response, Error> {
    let all = app.blocking(|app| app.auth.accounts().all()).await??;
    let own = visit.person()?.id().clone();
    let staff = StaffPage {
        page: Page::new(app, visit, "Staff").with_errors(errors),
        people: all.iter().map(|account| row(account, &own)).collect(),
        roles: ROLES.into_iter().map(|role| (role_key(role), role.title())).collect(),
        user: typed.text("user").to_owned(),
        name: typed.text("name").to_owned(),
        password_chars_min: secret::PASSWORD_CHARS_MIN,
        pin_digits_min: secret::PIN_DIGITS_MIN,
    };
    html(status, &staff)
}

fn row(account: &Account, own: &StaffId) -> Row {
    Row {
        user: account.id.to_string(),
        name: account.name.clone(),
        roles: account.roles_text(),
        state: match (account.disabled, account.pin.is_some()) {
            (true, _) => "left",
            (false, true) => "signs with PIN",
            (false, false) => "cannot sign: no PIN",
        },
        disabled: account.disabled,
        own: &account.id == own,
    }
}
