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
use clinic::floor::Refusal;
use clinic::id::{ChairId, CommandId, DeviceId};

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct Devices {
    page: Page,
    chair: String,
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
    let here = here
        .map(|(device, (kind, _))| (format!("{} {device}", kind_words(*kind)), form("take", device, *kind)));
    let zone = app.config.time_zone();
    let strangers = app.floor.strangers().into_iter().map(|(device, kind, at)| {
        let clock = at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        (format!("{} {device}, last heard {clock}", kind_words(kind)), form("place", &device, kind))
    });
    let page = Devices {
        page: Page::new(app, visit, format!("Devices at chair {chair}")).with_errors(sent.errors.clone()),
        chair: chair.to_owned(),
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
        let known = app.floor.strangers().into_iter().find(|(stranger, _, _)| *stranger == device);
        app.floor.place_device(&command, &actor, |seating| match (form.text("act"), &known) {
            ("place", Some((_, kind, _))) => seating.place(&device, *kind, &at),
            // Placed meanwhile, or never heard: the seating says which.
            ("place", None) => match seating.devices.get(&device) {
                Some((kind, _)) => seating.place(&device, *kind, &at),
                None => Err(Refusal::DeviceNowhere { device: device.clone() }),
            },
            _ => match seating.devices.get(&device) {
                Some((_, there)) if *there != at => {
                    Err(Refusal::DeviceElsewhere { device: device.clone(), chair: there.clone() })
                }
                _ => seating.take_away(&device).map(Some),
            },
        })
    });
    match changed.await? {
        Ok(_) => Ok(Redirect::to(&format!("/chair/{chair}/devices")).into_response()),
        Err(denied) => {
            let status = super::error::status_of(&denied);
            let sent =
                Sent { form: String::new(), posted, errors: vec![FieldError::at("", &denied)], status };
            draw(&app, &visit, &chair, &sent)
        }
    }
}
