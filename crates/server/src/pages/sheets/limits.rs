//! Alarm limits for this patient and this visit: each within what the knowledge allows, with a reason.

use super::{Content, draw, home_of};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::error::as_told;
use crate::pages::visit::act::{as_conflict, done};
use crate::pages::visit::form::{Field, Kind, Sent};
use crate::pages::visit::head::Opened;
use crate::pages::visit::typed::Typed;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::id::{CommandId, SessionId, StaffId};
use clinic::knowledge::measure::in_words;
use clinic::monitor::{LimitChange, LimitRefused, LimitView};
use clinic::quantity::plain;

/// `GET /visit/{session}/limits`
pub async fn limits(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    draw(&app, &visit, &opened, content(&app, &opened), &Sent::nothing())
}

fn content(app: &AppState, opened: &Opened) -> Content {
    let Some(limits) = app.floor.limits(&opened.id) else {
        let lead = vec!["Nobody watches this visit: it sits at no chair.".to_owned()];
        return Content { title: "Alarm limits".to_owned(), lead, ..Content::default() };
    };
    let mut form = opened
        .form("limits", "limits", "", "Set for this visit")
        .hint("For this patient and this visit alone. Change what should differ; what asks for a pause or a stop stays.");
    for limit in &limits {
        let [from, to] = limit.within.map(plain);
        let unit = in_words(&limit.unit);
        let label = format!("{} {}", limit.sign.label(), limit.when);
        let hint = match &limit.moved {
            Some((usual, _, _)) => format!("{from} to {to}; usually {}", plain(*usual)),
            None => format!("{from} to {to}"),
        };
        let field = Field::number(limit.rule.as_str(), label, unit).hint(hint);
        form = form.with(field.known(limit.threshold.normalize().to_string()));
    }
    let form = form.with(Field::new(Kind::Line, "reason", "Why for this patient"));
    let steps = moved(app, &limits);
    Content { title: "Alarm limits".to_owned(), steps, forms: vec![form], ..Content::default() }
}

/// What was moved, a line a limit: value, usual value, who, when, why.
pub fn moved(app: &AppState, limits: &[LimitView]) -> Vec<String> {
    let zone = app.config.time_zone();
    let moved = limits.iter().filter_map(|limit| Some((limit, limit.moved.as_ref()?)));
    moved
        .map(|(limit, (usual, change, at))| {
            format!(
                "{} {} {} {} (usually {}), {} {}: {}",
                limit.sign.label(),
                limit.when,
                plain(limit.threshold),
                in_words(&limit.unit),
                plain(*usual),
                app.floor.called(&change.by),
                at.to_zoned(zone.clone()).strftime("%H:%M"),
                change.reason
            )
        })
        .collect()
}

/// `POST /visit/{session}/limits`
pub async fn set_limits(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::SetLimits) else { return Err(Error::SignIn) };
    let opened = Opened::find(&app, &id)?;
    if let Some(answer) = as_conflict(&app, &visit, &opened.id, &posted) {
        return Ok(answer);
    }
    let (form, session, zone) = (posted.clone(), opened.id.clone(), app.config.time_zone());
    let set = app.blocking(move |app| {
        let mut typed = Typed::new(form, zone);
        let asked = asked(app, &session, &mut typed, &actor.id);
        if !typed.errors.is_empty() {
            return Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY));
        }
        let command = CommandId::new(typed.posted().command_id());
        let done = app.floor.set_limits(&session, &command, &actor, asked);
        done.map_err(as_told)
    });
    match set.await? {
        Ok(_) => Ok(done(&app, &visit, &home_of(&opened), "Alarm limits set for this visit.")),
        Err((errors, status)) => {
            let sent = Sent { form: "limits".to_owned(), posted, errors, status };
            draw(&app, &visit, &opened, content(&app, &opened), &sent)
        }
    }
}

/// Where each limit should stand. A form that was sent before changes nothing more and is known by its id.
fn asked(app: &AppState, session: &SessionId, typed: &mut Typed, by: &StaffId) -> Vec<LimitChange> {
    let limits = app.floor.limits(session).unwrap_or_default();
    let reason = typed.text("reason");
    let (mut asked, mut moves) = (Vec::new(), false);
    for limit in limits {
        let (field, label) = (limit.rule.0.clone(), limit.sign.label());
        let Some(to) = typed.maybe_number(&field, label, in_words(&limit.unit)) else { continue };
        let [from, most] = limit.within;
        moves |= to != limit.threshold;
        if to != limit.threshold && (to < from || to > most) {
            let (asked, from, most) = (plain(to), plain(from), plain(most));
            let unit = in_words(&limit.unit);
            typed.wrong::<()>(
                &field,
                format!("{label} {} {asked} {unit}; accepted is {from} to {most} {unit}.", limit.when),
            );
            continue;
        }
        asked.push(LimitChange { rule: limit.rule, to, by: by.clone(), reason: reason.clone() });
    }
    let sent_before = app.floor.did(&CommandId::new(typed.posted().command_id()));
    if !moves && typed.errors.is_empty() && !sent_before {
        typed.wrong::<()>("", "No limit differs from how it stands. Change one, or go back.");
    } else if !clinic::text::is_reason(&reason) && !sent_before {
        typed.wrong::<()>("reason", LimitRefused::NoReason);
    }
    asked
}
