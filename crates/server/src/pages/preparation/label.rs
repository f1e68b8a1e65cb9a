//! What is stuck on the syringe or bag.

use crate::AppState;
use crate::auth::gate::Visit;
use crate::pages::visit::head::{Opened, day};
use crate::pages::{Error, Page, error, html};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "pages/label.html")]
struct Label {
    page: Page,
    /// Empty where nothing was drawn yet.
    strength: String,
    dose: String,
    volume: String,
    who: String,
    born: String,
    mrn: String,
    lots: String,
    made: String,
    by: String,
    check: String,
    back: String,
}

/// `GET /visit/{session}/label`: what is stuck on the syringe or bag.
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let session = &opened.session;
    let (Some((order, _)), Some(draw)) = (&session.order, session.draws.last()) else {
        let why = "There is no label before the order is signed and the dose is drawn.";
        return Ok(error::page(&app, &visit, StatusCode::CONFLICT, "No label yet", why));
    };
    let lots: Vec<&str> = session.vials.iter().map(|vial| vial.lot.as_str()).collect();
    let label = Label {
        strength: order.concentration.to_string(),
        dose: order.dose.to_string(),
        volume: draw.diluted_to.to_string(),
        who: opened.patient.banner_name(),
        born: day(opened.patient.born),
        mrn: opened.patient.mrn.clone(),
        lots: lots.join(", "),
        made: opened.at.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M").to_string(),
        by: draw.by.to_string(),
        check: session.second_check.as_ref().map_or_else(String::new, |signature| signature.by.to_string()),
        back: opened.path("preparation"),
        page: Page::new(&app, &visit, "Label"),
    };
    html(StatusCode::OK, &label)
}
