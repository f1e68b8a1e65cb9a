//! A path that leads nowhere.

use crate::AppState;
use crate::auth::gate::Visit;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// What is said, here and where a page's subject does not exist.
pub const WHY: &str = "This address leads to no page. Check it, or go on from the menu.";

/// Any other path.
pub async fn show(State(app): State<AppState>, visit: Visit) -> Response {
    super::error::page(&app, &visit, StatusCode::NOT_FOUND, "Not found", WHY)
}
