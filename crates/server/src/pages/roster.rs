//! Who is on call: the owner's page.

use super::error::{as_told, status_of};
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::roster::{Call, Duty};
use clinic::id::{CommandId, DutyId, StaffId};

#[derive(Template)]
#[template(path = "pages/roster.html")]
struct Roster {
    page: Page,
    /// Nobody is on call now.
    nobody: bool,
    duties: Vec<Row>,
    plan: Form,
    sheet: bool,
}

struct Row {
    id: String,
    who: String,
    call: &'static str,
    from: String,
    to: String,
    /// `on call now`, `cannot sign in any more`, or nothing.
    state: &'static str,
}

/// `GET /roster`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, sent: Sent) -> Result<Response, Error> {
    let gathered = app.blocking(|app| {
        let accounts = app.auth.accounts().all()?;
        let may = accounts.iter().filter(|account| account.role_for(Privilege::SeeToTask).is_some());
        let staff: Vec<Choice> = may
            .map(|account| Choice::of(&account.id, format!("{} ({})", account.name, account.roles_text())))
            .collect();
        let now = app.clock.now();
        let duties: Vec<Row> =
            app.floor.duties().iter().map(|duty| row(app, duty, duty.from <= now)).collect();
        Ok::<_, Fault>((staff, duties, app.floor.on_call(now).is_empty()))
    });
    let (staff, duties, nobody) = gathered.await??;
    let plan = plan_form(staff).filled(&sent);
    let errors = sent.summary([&plan]);
    let page = Page::new(app, visit, "On call").with_errors(errors);
    html(sent.status, &Roster { page, nobody, duties, plan, sheet: false })
}

fn row(app: &AppState, duty: &Duty, began: bool) -> Row {
    let state = match (app.floor.can_answer(&duty.staff).is_some(), began) {
        (false, _) => "CANNOT SIGN IN: put somebody else on call",
        (true, true) => "on call now",
        (true, false) => "",
    };
    Row {
        id: duty.id.to_string(),
        who: app.floor.called(&duty.staff),
        call: duty.call.word(),
        from: clock_time(app, duty.from),
        to: clock_time(app, duty.to),
        state,
    }
}

fn plan_form(staff: Vec<Choice>) -> Form {
    let calls = Call::ALL.into_iter().map(|call| Choice::of(call.word(), call.word())).collect();
    Form::new("duty", "/roster", "Put somebody on call", "Put on call")
        .with(Field::listed("staff", "Who", staff))
        .with(
            Field::one("call", "Which call", calls)
                .hint("The first is told at once, the second when the first does not answer in time."),
        )
        .with(Field::new(Kind::Moment, "from", "From"))
        .with(Field::new(Kind::Moment, "to", "Until"))
}

/// `POST /roster`
pub async fn plan(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::PlanDuty) else { return Err(Error::SignIn) };
    let form = posted.clone();
    let planned = app.blocking(move |app| {
        let mut typed = Typed::new(form, app.config.time_zone());
        let duty = typed_duty(&mut typed);
        match duty.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(duty) => {
                let command = CommandId::new(typed.posted().command_id());
                let done = app.floor.plan_duty(&command, &actor, duty);
                done.map_err(as_told)
            }
        }
    });
    match planned.await? {
        Ok(_) => Ok(Redirect::to("/roster").into_response()),
        Err((errors, status)) => {
            draw(&app, &visit, Sent { form: "duty".to_owned(), posted, errors, status }).await
        }
    }
}

/// The same form sent twice is one duty: the id of the act is the id of the duty.
fn typed_duty(typed: &mut Typed) -> Option<Duty> {
    let id = DutyId::new(typed.posted().command_id());
    let staff = typed.chosen("staff", "Choose who is on call.").map(StaffId::new);
    let call = typed.chosen("call", "Choose which call.");
    let call = call.and_then(|word| Call::from_word(&word));
    let from = typed.needed_moment("from", "The beginning");
    let to = typed.needed_moment("to", "The end");
    Some(Duty { id, staff: staff?, call: call?, from: from?, to: to? })
}

/// `POST /roster/{id}/withdraw`
pub async fn withdraw(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::PlanDuty) else { return Err(Error::SignIn) };
    let command = CommandId::new(posted.command_id());
    let done = app.blocking(move |app| app.floor.withdraw_duty(&command, &actor, &DutyId::new(id)));
    match done.await? {
        Ok(_) => Ok(Redirect::to("/roster").into_response()),
        Err(denied) => {
            let errors = vec![FieldError::denied("", &denied)];
            draw(&app, &visit, Sent { form: String::new(), posted, errors, status: status_of(&denied) }).await
        }
    }
}
