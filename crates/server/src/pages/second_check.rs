//! The independent second check: another person reads label and syringe, and says what rate
//! the pump is to be given, before they see the order. The pump itself is programmed and read back afterwards.

use super::preparation::order_line;
use super::visit::act::{Outcome, as_a_page, carry_out, done};
use super::visit::form::{Field, Form, Sent, signature};
use super::visit::head::{Head, Opened};
use super::{Error, FieldError, Kept, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::session::Command;

#[derive(Template)]
#[template(path = "pages/second_check.html")]
struct SecondCheck {
    page: Page,
    head: Head,
    /// Who drew, and therefore may not check.
    drew: String,
    form: Option<Form>,
    /// The order and who checked it; empty until then.
    checked: Vec<String>,
    sheet: bool,
}

/// `GET /visit/{session}/second-check`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    if let Some(answer) = as_a_page(&visit) {
        return Ok(answer);
    }
    draw(&app, &visit, &id, &Sent::nothing())
}

fn draw(app: &AppState, visit: &Visit, id: &str, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let session = &opened.session;
    let waits = session.phase.preparing() && session.order.is_some() && !session.draws.is_empty();
    let form = (waits && session.second_check.is_none()).then(|| check_form(&opened).filled(sent));
    let checked = session.second_check.as_ref().map_or_else(Vec::new, |signature| {
        let clock = signature.at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
        let mut parts = order_line(&opened);
        parts.push(format!("Checked by {} at {clock}", signature.by));
        parts
    });
    let drew: Vec<&str> = session.draws.iter().map(|draw| draw.by.as_str()).collect();
    let errors = if form.is_some() { sent.summary(&form) } else { sent.errors.clone() };
    let page = SecondCheck {
        page: Page::new(app, visit, "Second check").with_errors(errors),
        head: opened.head(app, visit, "second-check"),
        drew: drew.join(", "),
        form,
        checked,
        sheet: false,
    };
    html(sent.status, &page)
}

fn check_form(opened: &Opened) -> Form {
    opened
        .form("check", "second-check", "What do you read?", "Compare with the order")
        .hint(
            "Read the label and the syringe yourself, and work out the rate from volume and minutes. The order is \
             shown after you have entered it. The pump is programmed next, and its display read back as a step of its \
             own.",
        )
        .with(Field::number("concentration", "Strength on the label", "mg/mL"))
        .with(Field::number("dose", "Dose in the syringe", "mg"))
        .with(Field::number("rate", "Pump rate to be programmed", "mL/h"))
        .with_all(signature("Second person"))
}

/// The form again, with each number that differs named and none of the order shown: the second person reads the
/// syringe again, not the screen.
fn differing(posted: &Posted, differs: &[String]) -> Sent {
    let error = |what: &String| {
        let field = if what == "strength" { "concentration" } else { what.as_str() };
        FieldError::at(field, format!("The {what} differs from the order. Read it again."))
            .kept(Kept::Recorded)
    };
    Sent {
        form: "check".to_owned(),
        posted: posted.clone(),
        errors: differs.iter().map(error).collect(),
        status: StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// `POST /visit/{session}/second-check`
pub async fn check(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("check", Privilege::SecondCheck), |desk, typed| {
        let concentration = typed.strength("concentration", "The strength");
        let dose = typed.mass("dose", "The dose");
        let rate = typed.rate("rate", "The rate");
        let meaning = "I checked drug, strength, dose and the rate to be programmed";
        let signature = desk.sign(typed, meaning, Privilege::SecondCheck)?;
        let command = Command::SecondCheck {
            signature: signature.clone(),
            concentration: concentration?,
            dose: dose?,
            rate: rate?,
        };
        Some(desk.by_signer(&signature, command))
    });
    match outcome.await? {
        Outcome::Done => {
            let differs = Opened::find(&app, &id)?.session.second_check_differs;
            if !differs.is_empty() {
                return draw(&app, &visit, &id, &differing(&posted, &differs));
            }
            Ok(done(&app, &visit, &format!("/visit/{id}/second-check"), "Both agree."))
        }
        Outcome::Sent(mut sent) => {
            // The same person is refused by the field that names the person.
            for error in sent.errors.iter_mut().filter(|error| error.field == "checker") {
                "user".clone_into(&mut error.field);
            }
            draw(&app, &visit, &id, &sent)
        }
        Outcome::Answered(answer) => Ok(*answer),
    }
}
