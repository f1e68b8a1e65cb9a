//! What is stuck on the syringe or bag.

use crate::auth::gate::Visit;
use crate::pages::visit::head::{Opened, day};
use crate::pages::{Error, Page, error, html};
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::session::Event;
use std::collections::BTreeSet;

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
    if session.waste.is_some() {
        let why = "What was left was wasted before a witness: there is nothing to stick a label on.";
        return Ok(error::page(&app, &visit, StatusCode::CONFLICT, "No label any more", why));
    }
    let lots: BTreeSet<&str> = session.drawn_from().into_iter().map(|(vial, _)| vial.lot.as_str()).collect();
    let lots: Vec<&str> = lots.into_iter().collect();
    let history = app.floor.history(&opened.id).map_err(Fault::Floor)?;
    let drawn = history.iter().rev().find(|one| matches!(one.event, Event::Drawn { .. }));
    let drawn_at = drawn.map_or(opened.at, |one| one.at);
    let label = Label {
        strength: order.concentration.to_string(),
        dose: session.drawn_mass().to_string(),
        volume: session.drawn_volume().to_string(),
        who: opened.patient.banner_name(),
        born: day(opened.patient.born),
        mrn: opened.patient.mrn.clone(),
        lots: lots.join(", "),
        made: drawn_at.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M").to_string(),
        by: app.floor.called(&draw.by),
        check: session.second_check.as_ref().map_or_else(String::new, |one| app.floor.called(&one.by)),
        back: opened.path("preparation"),
        page: Page::new(&app, &visit, "Label"),
    };
    html(StatusCode::OK, &label)
}
