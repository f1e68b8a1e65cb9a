//! What was charted by mistake, a finding, a drug or a side effect: struck with a reason, and entered anew.

use super::observe::observe_content;
use super::rescue::drugs_content;
use super::{Content, draw, events_content};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::visit::act::{Outcome, carry_out, done};
use crate::pages::visit::form::{Field, Kind, Sent};
use crate::pages::visit::head::Opened;
use crate::pages::{Error, encoded};
use crate::{Fault, words};
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::session::{Command, Event, Recorded};
use clinic::text::LETTERS_MIN;
use jiff::Timestamp;

/// An entry that somebody charted, when it happened, and what became of it where it was struck.
struct Entry {
    charted: Recorded,
    at: Timestamp,
    struck: Option<String>,
}

impl Entry {
    /// How its time is told, and what follows from it no more once it is struck.
    const fn words(&self) -> (&'static str, &'static str) {
        match self.charted.event {
            Event::DrugWasGiven(_) => (
                "given",
                "no interval, no total, no longer stay stands on it. Then give or enter what is right; the standing order \
                 counts without this one.",
            ),
            Event::AdverseEventNoted(_) => (
                "began",
                "it is no side effect of this visit. Its number stays used. Then note what is right.",
            ),
            _ => (
                "seen",
                "no alarm, no time of the next check, no score stands on it. Then chart what is right, at the time at \
                 which it was seen.",
            ),
        }
    }
}

fn find(app: &AppState, opened: &Opened, position: &str) -> Result<Entry, Error> {
    let history = app.floor.history(&opened.id).map_err(Fault::Floor)?;
    let charted = history.iter().find(|one| one.position.to_string() == position).ok_or(Error::NotFound)?;
    let at = charted.charted_at().ok_or(Error::NotFound)?;
    let struck =
        words::struck(&history, &app.config.time_zone(), |id| app.floor.called(id)).remove(&charted.position);
    Ok(Entry { charted: charted.clone(), at, struck })
}

/// `GET /visit/{session}/strike/{position}`
pub async fn strike(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, position)): Path<(String, String)>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = content(&app, &opened, &position)?;
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

fn content(app: &AppState, opened: &Opened, position: &str) -> Result<Content, Error> {
    let entry = find(app, opened, position)?;
    let clock = entry.at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
    let (happened, follows) = entry.words();
    let text = words::line(&entry.charted.event, app.floor.knowledge());
    let by = app.floor.called(&entry.charted.by);
    let mut lead = vec![format!("{text}, {happened} at {clock} by {by}")];
    let form = opened
        .form("strike", &format!("strike/{}", entry.charted.position), "", "Strike this entry")
        .hint(format!(
            "It stays readable, struck through, with your name, and counts for nothing from now on: {follows}"
        ))
        .grave()
        .with(Field::new(Kind::Line, "reason", "What went wrong").hint(format!(
            "At least {LETTERS_MIN} letters, for example “wrong patient” or “digits turned”."
        )));
    let stands = entry.struck.is_none();
    lead.extend(entry.struck);
    let forms = if stands { vec![form] } else { Vec::new() };
    Ok(Content { title: "Strike a charted entry".to_owned(), lead, forms, ..Content::default() })
}

/// `POST /visit/{session}/strike/{position}`
pub async fn strike_out(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, position)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let entry = find(&app, &Opened::find(&app, &id)?, &position)?;
    let struck = entry.charted.position;
    let outcome = carry_out(&app, &visit, &id, &posted, ("strike", Privilege::Assess), move |desk, typed| {
        let (reason, text) = (typed.text("reason"), String::new());
        Some(desk.by_me(Command::Amend { position: struck, reason, text }))
    });
    let outcome = outcome.await?;
    let opened = Opened::find(&app, &id)?;
    match outcome {
        Outcome::Done if opened.session.phase.closed() => {
            Ok(done(&app, &visit, &format!("{}#charted", opened.path("")), "Struck."))
        }
        Outcome::Done => anew(&app, &visit, &opened, &entry),
        Outcome::Sent(sent) => draw(&app, &visit, &opened, content(&app, &opened, &position)?, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

/// The page on which the right one is entered.
fn anew(app: &AppState, visit: &Visit, opened: &Opened, struck: &Entry) -> Result<Response, Error> {
    let at = struck.at.to_zoned(app.config.time_zone()).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let (content, path) = match struck.charted.event {
        Event::DrugWasGiven(_) => (drugs_content(app, opened), opened.path("drug")),
        Event::AdverseEventNoted(_) => (events_content(app, opened), opened.path("event")),
        _ => {
            let path = format!("{}?at={}", opened.path("observe"), encoded(&at));
            (observe_content(app, opened, &at), path)
        }
    };
    if visit.htmx {
        return draw(app, visit, opened, content, &Sent::nothing());
    }
    Ok(done(app, visit, &path, "Struck."))
}
