//! The pump read by eye, and the counter at the start where it was typed wrong.

use super::{Content, after, draw};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::discharge;
use crate::pages::visit::act::{Outcome, carry_out, done};
use crate::pages::visit::form::{Choice, Field, Form, Kind, Sent};
use crate::pages::visit::head::Opened;
use crate::pages::visit::typed::Typed;
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::device::PumpStatus;
use clinic::session::{Command, PumpRead, ReadBy, start_may_be_corrected};
use jiff::Timestamp;

/// `GET /visit/{session}/pump`
pub async fn pump(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = pump_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn pump_content(_: &AppState, opened: &Opened) -> Content {
    let delivery = &opened.session.delivery;
    let mut forms = vec![pump_form(opened)];
    if start_may_be_corrected(&opened.session, opened.at) {
        forms.push(start_form(opened));
    }
    let told = delivery.doubted().map(|told| format!("By its link {}.", told.in_words()));
    let lead = told.into_iter().collect();
    Content { title: "Read the pump".to_owned(), lead, forms, ..Content::default() }
}

/// The pump as it is read by eye. Nothing is ticked beforehand: what the pump does is for a person to say.
pub(in crate::pages) fn pump_form(opened: &Opened) -> Form {
    let states = vec![Choice::of("infusing", "Infusing"), Choice::of("not_infusing", "Not infusing")];
    opened
        .form("pump", "pump", "The pump, by eye", "Record the reading")
        .hint("Type what stands on the display.")
        .with(Field::one("status", "The pump is", states))
        .with(Field::number("rate", "Rate", "mL/h").hint("0 when it does not infuse."))
        .with(Field::number("counter", "Volume infused", "mL"))
        .with(Field::ticks(
            "correcting",
            "Only if the counter does not count on from what was read before",
            vec![
                Choice::of("yes", "The reading before was wrong"),
                Choice::of("jumped", "It was cleared or jumped, and nothing flowed by that"),
            ],
        ))
        .with(Field::new(Kind::Line, "reason", "Why the pump shows something else").only_asked())
}

pub(in crate::pages) fn start_form(opened: &Opened) -> Form {
    let was = opened.session.delivery.counter_at_start();
    opened
        .form("start-counter", "start-counter", "The counter at the start was typed wrong", "Correct it")
        .hint(format!(
            "Typed at the start: {was}. It stays in the record, and what was delivered is counted anew."
        ))
        .with(Field::number("counter", "The pump showed at the start", "mL"))
        .with(Field::new(Kind::Line, "reason", "Why"))
        .quiet()
}

fn seen(typed: &mut Typed, read_at: Timestamp) -> Option<PumpRead> {
    let status = match typed.text("status").as_str() {
        "infusing" => Some(PumpStatus::Infusing),
        "not_infusing" => Some(PumpStatus::NotInfusing),
        _ => typed.wrong("status", "Say whether the pump infuses."),
    };
    let rate = typed.rate("rate", "The rate");
    let counter = typed.shown_volume("counter", "The volume infused");
    let ticked = |what: &str| typed.posted().all("correcting").any(|one| one == what);
    Some(PumpRead {
        by: if ticked("yes") { ReadBy::Correcting } else { ReadBy::Person },
        jumped: ticked("jumped"),
        all_in: false,
        status: status?,
        rate: rate?,
        counter: counter?,
        read_at,
        reason: typed.maybe("reason"),
    })
}

/// `POST /visit/{session}/pump`
pub async fn read_pump(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("pump", Privilege::RunInfusion), |desk, typed| {
        let read = seen(typed, desk.at)?;
        Some(desk.by_me(Command::ReadPump { read }))
    });
    let outcome = outcome.await?;
    if posted.text("back") == "discharge" {
        return after_the_infusion(&app, &visit, &id, outcome, "The pump is read.");
    }
    after(&app, &visit, &id, outcome, pump_content)
}

/// `POST /visit/{session}/start-counter`
pub async fn correct_start(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let form = ("start-counter", Privilege::RunInfusion);
    let outcome = carry_out(&app, &visit, &id, &posted, form, |desk, typed| {
        let counter = typed.shown_volume("counter", "The counter at the start");
        let reason = typed.needed("reason", "The reason");
        Some(desk.by_me(Command::CorrectStartCounter { counter: counter?, reason: reason? }))
    });
    let outcome = outcome.await?;
    if posted.text("back") == "discharge" {
        return after_the_infusion(&app, &visit, &id, outcome, "The counter at the start is corrected.");
    }
    after(&app, &visit, &id, outcome, pump_content)
}

/// Back to the page after the infusion, where the form stands too.
fn after_the_infusion(
    app: &AppState,
    visit: &Visit,
    id: &str,
    outcome: Outcome,
    said: &str,
) -> Result<Response, Error> {
    match outcome {
        Outcome::Done => Ok(done(app, visit, &format!("/visit/{id}/discharge"), said)),
        Outcome::Sent(sent) => discharge::draw(app, visit, id, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}
