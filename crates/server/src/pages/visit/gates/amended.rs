//! An answer that makes the patient wait and was entered by mistake: what is right stands for it, the old one stays readable.

use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::visit::act::carry_out;
use crate::pages::visit::form::{Field, Form, Kind};
use crate::pages::visit::head::Opened;
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::id::RuleId;
use clinic::session::{Answered, Command, Phase, gates};
use jiff::tz::TimeZone;

/// One form for each answer of a gate that makes the patient wait. A visit that was cancelled still holds the next one.
pub(super) fn forms(app: &AppState, opened: &Opened, gate: &RuleId, zone: &TimeZone) -> Vec<Form> {
    let phase = opened.session.phase;
    let may = phase.preparing() || phase == Phase::Cancelled;
    let waits = gates::makes_wait(&opened.session, app.floor.knowledge());
    let waits = waits.filter(|one| may && one.answer.gate == *gate);
    waits.map(|one| form(opened, gate, one, zone)).collect()
}

fn form(opened: &Opened, gate: &RuleId, answered: &Answered, zone: &TimeZone) -> Form {
    let cuffs: Vec<String> = answered.answer.inputs.pressures.iter().map(ToString::to_string).collect();
    let (cuffs, clock) = (cuffs.join(", "), answered.at.to_zoned(zone.clone()).strftime("%H:%M"));
    opened
        .form(
            &key(gate.as_str(), &answered.position.to_string()),
            &format!("gate/{gate}/amend"),
            &format!("NIBP {cuffs} at {clock} was entered by mistake"),
            &format!("Strike the answer of {clock}"),
        )
        .hint("Only what nobody measured on this patient. It stays readable, struck through, and nobody waits for it.")
        .hidden("position", answered.position.to_string())
        .quiet()
        .with(Field::new(Kind::Line, "text", "What is right"))
        .with(Field::new(Kind::Line, "reason", "What went wrong"))
}

fn key(gate: &str, position: &str) -> String {
    format!("amend-{gate}-{position}")
}

/// `POST /visit/{session}/gate/{gate}/amend`
pub async fn amend(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, gate)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let key = key(&gate, posted.text("position"));
    let place = format!("#card-{gate}");
    let outcome = carry_out(&app, &visit, &id, &posted, (&key, Privilege::Assess), move |desk, typed| {
        let position = typed.whole("position", "The entry", "the place of an entry of this visit")?;
        let (text, reason) =
            (typed.needed("text", "What is right"), typed.needed("reason", "What went wrong"));
        Some(desk.by_me(Command::Amend { position, reason: reason?, text: text? }))
    });
    crate::pages::visit::after(&app, &visit, &id, outcome.await?, &place, "Struck.")
}
