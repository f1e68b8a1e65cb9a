//! A finding that was charted by mistake: struck with a reason, and charted anew at the time at which it was seen.

use super::observe::observe_content;
use super::{Content, draw};
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
use clinic::session::{Command, Event, Observation};
use clinic::text::LETTERS_MIN;

/// A charted finding, who charted it, and what became of it where it was struck.
struct Entry {
    position: i64,
    seen: Observation,
    by: String,
    struck: Option<String>,
}

fn find(app: &AppState, opened: &Opened, position: &str) -> Result<Entry, Error> {
    let history = app.floor.history(&opened.id).map_err(Fault::Floor)?;
    let found = history.iter().find_map(|one| match &one.event {
        Event::ObservationCharted(seen) if one.position.to_string() == position => {
            Some((one.position, seen.clone(), one.by.to_string()))
        }
        _ => None,
    });
    let (position, seen, by) = found.ok_or(Error::NotFound)?;
    let struck = words::struck(&history, &app.config.time_zone()).remove(&position);
    Ok(Entry { position, seen, by, struck })
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
    let clock = entry.seen.observed_at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
    let mut lead = vec![format!("{}, seen at {clock} by {}", words::finding(&entry.seen.finding), entry.by)];
    let form = opened
        .form("strike", &format!("strike/{}", entry.position), "", "Strike this entry")
        .hint(
            "It stays readable, struck through, with your name, and counts for nothing from now on: no alarm, no time of \
             the next check, no score stands on it. Then chart what is right, at the time at which it was seen.",
        )
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
    let struck = entry.position;
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
        Outcome::Done => {
            let at = entry.seen.observed_at.to_zoned(app.config.time_zone());
            let at = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            if visit.htmx {
                return draw(&app, &visit, &opened, observe_content(&app, &opened, &at), &Sent::nothing());
            }
            let anew = format!("{}?at={}", opened.path("observe"), encoded(&at));
            Ok(done(&app, &visit, &anew, "Struck."))
        }
        Outcome::Sent(sent) => draw(&app, &visit, &opened, content(&app, &opened, &position)?, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}
