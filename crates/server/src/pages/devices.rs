//! Which device stands at a chair, by an act of a signed-in person.

use super::visit::form::{Form, Sent};
use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use clinic::device::DeviceKind;
use clinic::id::{ChairId, CommandId, DeviceId};

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct Devices {
    page: Page,
    chair: String,
    /// What was taken away while it was needed.
    missed: Vec<String>,
    /// With the words and the form to take it away.
    here: Vec<(String, Form)>,
    /// With the words and the form to place it.
    strangers: Vec<(String, Form)>,
    sheet: bool,
}

/// As a person calls it.
pub const fn kind_words(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Monitor => "Monitor",
        DeviceKind::Pump => "Pump",
        DeviceKind::Other => "Device",
    }
}

/// What taking it away does to an infusion that runs.
const fn follows(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Pump => {
            "The infusion runs: without its pump the delivered dose is uncertain until somebody reads it."
        }
        DeviceKind::Monitor => "The infusion runs: its vital signs stay watched, and their absence alarms.",
        DeviceKind::Other => "",
    }
}

/// What is the matter while a device is away that the infusion needs.
fn missed((device, kind): (DeviceId, DeviceKind)) -> String {
    let (name, kind_in_words) = (format!("{} {device}", kind_words(kind)), kind_words(kind).to_lowercase());
    let what = match kind {
        DeviceKind::Pump => "The delivered dose is uncertain until somebody reads the pump",
        DeviceKind::Monitor | DeviceKind::Other => "What it measured stays watched",
    };
    format!(
        "{name} was taken away during the infusion. {what}, and an alarm stands until a {kind_in_words} is placed here or the infusion is over."
    )
}

/// `GET /chair/{n}/devices`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(chair): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, &chair, &Sent::nothing())
}

fn draw(app: &AppState, visit: &Visit, chair: &str, sent: &Sent) -> Result<Response, Error> {
    if !app.floor.chairs().contains(&ChairId::new(chair)) {
        return Err(Error::NotFound);
    }
    let to = format!("/chair/{chair}/devices");
    let form = |act: &str, device: &DeviceId, kind: DeviceKind| {
        let submit = if act == "place" { format!("Place at chair {chair}") } else { "Take away".to_owned() };
        let kind = format!("{kind:?}").to_lowercase();
        Form::new(format!("{act}-{device}"), to.clone(), "", submit)
            .hidden("act", act)
            .hidden("device", device.as_str())
            .hidden("kind", kind)
    };
    let seating = app.floor.seating();
    let here = seating.devices.iter().filter(|(_, (_, at))| at.as_str() == chair);
    let runs = app.floor.at_chair(&ChairId::new(chair)).is_some_and(|(_, session, _)| session.phase.active());
    let here = here.map(|(device, (kind, _))| {
        let form = form("take", device, *kind).hint(if runs { follows(*kind) } else { "" });
        let trouble = app.floor.trouble_of(device).map(|why| format!(". {why}")).unwrap_or_default();
        (format!("{} {device}{trouble}", kind_words(*kind)), form)
    });
    let zone = app.config.time_zone();
    let strangers = app.floor.strangers().into_iter().map(|(device, kind, at)| {
        let clock = at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        (format!("{} {device}, last heard {clock}", kind_words(kind)), form("place", &device, kind))
    });
    let page = Devices {
        page: Page::new(app, visit, format!("Devices at chair {chair}")).with_errors(sent.errors.clone()),
        chair: chair.to_owned(),
        missed: app.floor.missed(&ChairId::new(chair)).into_iter().map(missed).collect(),
        here: here.collect(),
        strangers: strangers.collect(),
        sheet: false,
    };
    html(sent.status, &page)
}

/// `POST /chair/{n}/devices`: field `act` is `place` or `take`.
pub async fn change(
    State(app): State<AppState>,
    visit: Visit,
    Path(chair): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::PlaceDevice) else { return Err(Error::SignIn) };
    let at = ChairId::new(chair.clone());
    if !app.floor.chairs().contains(&at) {
        return Err(Error::NotFound);
    }
    let form = posted.clone();
    let changed = app.blocking(move |app| {
        let device = DeviceId::new(form.text("device"));
        let command = CommandId::new(form.command_id());
        match form.text("act") {
            "place" => app.floor.place_device(&command, &actor, &device, None, &at),
            _ => app.floor.take_device_away(&command, &actor, &device, &at),
        }
    });
    match changed.await? {
        Ok(_) => Ok(Redirect::to(&format!("/chair/{chair}/devices")).into_response()),
        Err(denied) => {
            let status = super::error::status_of(&denied);
            let sent =
                Sent { form: String::new(), posted, errors: vec![FieldError::denied("", &denied)], status };
            draw(&app, &visit, &chair, &sent)
        }
    }
}
