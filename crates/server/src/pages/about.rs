//! What this program is, and what it is not.

use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::Visit;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "pages/about.html")]
struct About {
    page: Page,
    version: &'static str,
}

/// `GET /about`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let page = Page::new(&app, &visit, "About Chairside");
    html(StatusCode::OK, &About { page, version: env!("CARGO_PKG_VERSION") })
}
