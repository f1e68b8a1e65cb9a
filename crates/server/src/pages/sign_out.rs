//! Sign out.

use super::Error;
use crate::AppState;
use crate::auth::gate::Visit;
use crate::security::set_login;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

/// `POST /sign-out`
pub async fn sign_out(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let (person, from) = (visit.person()?.clone(), visit.from.clone());
    app.blocking(move |app| app.auth.sign_out(&person, &from)).await?;
    let cookie = set_login(&app.config, "");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in?notice=out")).into_response())
}
