//! `/`: on to the first page of the person's role. `/healthz`: whether the program lives and records.

use super::Error;
use crate::AppState;
use crate::auth::gate::Visit;
use axum::extract::State;
use axum::response::Redirect;

/// `GET /`
pub async fn go(visit: Visit) -> Redirect {
    Redirect::to(visit.person.as_ref().map_or("/sign-in", |person| super::landing(&person.account)))
}

/// `GET /healthz`: 200 while the program lives, because a restart does not mend a full disk; the text says whether
/// it records.
pub async fn health(State(app): State<AppState>) -> Result<String, Error> {
    Ok(match app.not_recording() {
        None => "ok, recording\n".to_owned(),
        Some(why) => format!("ok, NOT RECORDING: {why}\n"),
    })
}
