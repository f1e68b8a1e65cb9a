//! Answering alarms: a named person, one alarm at a time.

use super::Error;
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::{AlarmId, StaffId};
use clinic::monitor::{Input, Priority};

/// One alarm as a page without scripts shows it.
pub struct AlarmRow {
    /// Its id.
    pub id: String,
    /// Its chair.
    pub chair: String,
    /// `high`, `medium` or `low`.
    pub prio: &'static str,
    /// Sign of the priority.
    pub sign: &'static str,
    /// Priority in words.
    pub prio_name: &'static str,
    /// What, value, limit, n of n.
    pub text: String,
    /// `since 09:31`, and where nothing but the answer is missing `OVER, came at 09:31`.
    pub since: String,
    /// `seen by Kim Nguyen, RN`, empty while nobody has.
    pub acked: String,
}

/// Every alarm of the room: highest priority first, what stands before what is over, then newest.
pub fn rows(app: &AppState) -> Vec<AlarmRow> {
    let zone = app.config.time_zone();
    let list = app.floor.alarm_list(app.clock.now());
    list.into_iter()
        .map(|(chair, view, _)| {
            let (prio, sign, prio_name) = match view.alarm.priority {
                Priority::High => ("high", "▲ !!!", "High"),
                Priority::Medium => ("medium", "▲ !!", "Medium"),
                Priority::Low => ("low", "▲ !", "Low"),
            };
            let when = if view.latched { "OVER, came at %H:%M" } else { "since %H:%M" };
            AlarmRow {
                id: view.alarm.id.0.clone(),
                chair: chair.0,
                prio,
                sign,
                prio_name,
                text: crate::words::alarm(&view.alarm),
                since: view.alarm.since.to_zoned(zone.clone()).strftime(when).to_string(),
                acked: view
                    .alarm
                    .acknowledged
                    .map_or_else(String::new, |answer| format!("seen by {}", app.floor.name_of(&answer.by))),
            }
        })
        .collect()
}

/// `POST /alarms/acknowledge`
pub async fn acknowledge(
    State(app): State<AppState>,
    visit: Visit,
    posted: Posted,
) -> Result<Response, Error> {
    let reason = posted.text("reason").to_owned();
    answer(&app, &visit, &posted, move |alarm, by| Input::Acknowledge { alarm, by, reason }).await
}

/// `POST /alarms/pause-sound`
pub async fn pause_sound(
    State(app): State<AppState>,
    visit: Visit,
    posted: Posted,
) -> Result<Response, Error> {
    answer(&app, &visit, &posted, |alarm, by| Input::PauseSound { alarm, by }).await
}

async fn answer(
    app: &AppState,
    visit: &Visit,
    posted: &Posted,
    input: impl FnOnce(AlarmId, StaffId) -> Input + Send + 'static,
) -> Result<Response, Error> {
    let person = visit.person()?;
    let Some(actor) = person.acting(Privilege::AnswerAlarm) else { return Err(Error::NotFound) };
    app.floor.met(&actor.id, &person.account.name);
    let alarm = AlarmId::new(posted.text("alarm"));
    let answered = app
        .blocking(move |app| match app.floor.chair_of_alarm(&alarm) {
            Some(chair) => app.floor.answer_alarm(&chair, input(alarm, actor.id)),
            None => Err("This alarm is over.".to_owned()),
        })
        .await?;
    match answered {
        Ok(()) if visit.htmx => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(()) => Ok(Redirect::to("/board").into_response()),
        Err(why) => super::error::unprocessable(app, visit, &why),
    }
}
