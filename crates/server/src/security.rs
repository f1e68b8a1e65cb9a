//! Headers that every answer carries, cookies, and the line in the program's own log.

use crate::AppState;
use crate::config::Config;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Nothing inline, nothing from elsewhere, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; worker-src 'self'; \
    manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// `same-origin` rather than `no-referrer`: under the latter a browser sends `Origin: null` with our own forms, and
/// the gate could not tell them from a stranger's.
static FIXED: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), screen-wake-lock=(self)",
    ),
];

/// Adds the headers. A handler's own `Cache-Control` stands; everything else is not stored.
pub async fn headers(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in &FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.config.behind_tls_proxy {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// One line a request: the route's pattern, never the path itself, and no query.
pub async fn log_request(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(no route)".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status();
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), "answered with a fault");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), "answered");
    }
    response
}

/// Name of the cookie that holds a login's token. With TLS the browser itself holds it to this host and path.
pub const fn login_cookie(config: &Config) -> &'static str {
    if config.behind_tls_proxy { "__Host-chairside" } else { "chairside" }
}

/// The cookie that carries a login's token, or with an empty token the one that takes it away.
pub fn set_login(config: &Config, token: &str) -> String {
    let secure = if config.behind_tls_proxy { "; Secure" } else { "" };
    let life_s = if token.is_empty() { 0 } else { crate::auth::logins::LIFE.as_secs() };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}", login_cookie(config))
}
