//! A clinic in a temporary folder with a real log, a clock that stands still, and browsers that call it in process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use clinic::id::StaffId;
use clinic::staff::Role;
use server::auth::accounts::NewStaff;
use server::auth::staff::{role_from, role_key};
use server::clock::{Clock, Ids};
use server::config::Config;
use server::founding::Purpose;
use server::pages::Route;
use server::{AppState, Fault};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

/// Password of everybody.
pub const PASSWORD: &str = "quiet morning at the river";
/// PIN of everybody.
pub const PIN: &str = "270415";

pub struct Clinic {
    pub app: AppState,
    pub clock: Clock,
    pub router: Router,
    folder: PathBuf,
}

impl Drop for Clinic {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Clinic {
    /// A founded clinic: one person for each role, named as the role, `owner` first.
    pub fn open() -> Self {
        Self::with(server::pages::ALL)
    }

    pub fn with(routes: &'static [Route]) -> Self {
        Self::founded_for(Purpose::Care, routes)
    }

    pub fn founded_for(purpose: Purpose, routes: &'static [Route]) -> Self {
        let folder = std::env::temp_dir().join(format!("chairside-{}", server::clock::secret_token()));
        std::fs::create_dir_all(&folder).expect("folder");
        let clock = Clock::held("2026-11-22T09:00:00Z".parse().expect("time"));
        let app = open_as(purpose == Purpose::Demonstration, &folder, &clock).expect("open");
        let accounts = app.auth.accounts();
        accounts.found(somebody("owner", &["owner"]), purpose, "founding").expect("found");
        for role in ["front_desk", "nurse", "prescriber", "therapist"] {
            let user = role.replace('_', ".");
            accounts.add(somebody(&user, &[role]), &StaffId::new("owner"), role).expect("add");
        }
        let router = server::router_of(app.clone(), routes);
        Self { app, clock, router, folder }
    }

    /// The same clinic with other settings.
    pub fn set(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = (*self.app.config).clone();
        change(&mut config);
        self.app.config = std::sync::Arc::new(config);
        self.router = server::router_of(self.app.clone(), server::pages::ALL);
        self
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn minutes_pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    /// What was recorded since the clinic was made: kind and body.
    pub fn log(&self, stream: &str) -> Vec<(String, String)> {
        let events = self.app.store.stream("main", stream).expect("stream");
        events.into_iter().map(|event| (event.kind, event.body)).collect()
    }

    pub fn kinds(&self, stream: &str) -> Vec<String> {
        self.log(stream).into_iter().map(|(kind, _)| kind).collect()
    }

    /// Position of the last event.
    pub fn head(&self) -> i64 {
        self.app.store.head("main").expect("head").position
    }

    /// A browser where nobody is signed in.
    pub fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: String::new(), csrf: String::new() }
    }

    /// A browser where `user` is signed in, without the cost of a password.
    pub fn signed_in(&self, user: &str) -> Browser {
        let token = self.app.auth.logins().open(&StaffId::new(user), |_| ());
        let person = self.app.auth.admit(&token, true).expect("log").expect("login");
        Browser { router: self.router.clone(), cookie: format!("chairside={token}"), csrf: person.csrf }
    }
}

/// Opens the log in `folder`, as a start of the program does.
pub fn open_log(folder: &Path, clock: &Clock) -> AppState {
    open_as(false, folder, clock).expect("open")
}

/// The same with settings that ask for a demonstration, or do not.
pub fn open_as(demo: bool, folder: &Path, clock: &Clock) -> Result<AppState, Fault> {
    let config = Config { data: folder.to_path_buf(), reserve_mib: 0, demo, ..Config::default() };
    let (_, stopping) = watch::channel(false);
    AppState::open(config, clock.clone(), Ids::seeded(clock.clone(), 7), stopping)
}

pub fn somebody(user: &str, roles: &[&str]) -> NewStaff {
    let roles: Vec<Role> = roles.iter().filter_map(|role| role_from(role)).collect();
    let name = roles.first().map_or("Nobody", |role| role_key(*role)).to_owned();
    NewStaff { user: user.to_owned(), name, roles, password: PASSWORD.to_owned(), pin: Some(PIN.to_owned()) }
}

#[derive(Clone)]
pub struct Browser {
    pub router: Router,
    pub cookie: String,
    pub csrf: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub fn goes_to(&self) -> &str {
        self.header("location")
    }
}

impl Browser {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).expect("request")).await
    }

    /// Asks for a part of a page, as htmx does.
    pub async fn get_live(&self, path: &str) -> Answer {
        let request = self.request("GET", path).header("hx-request", "true");
        self.send(request.body(Body::empty()).expect("request")).await
    }

    /// Sends a form as a browser on our own page does.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        static SENT: AtomicU64 = AtomicU64::new(0);
        let fresh = format!("command-{}", SENT.fetch_add(1, Ordering::Relaxed));
        self.post_again(path, &fresh, fields).await
    }

    /// The same, with the command id of an act that may have been sent before.
    pub async fn post_again(&self, path: &str, command_id: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str()), ("command_id", command_id)];
        all.extend(fields);
        self.post_raw(path, &all, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn post_raw(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::HOST, "clinic.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form.finish())).expect("request")).await
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::COOKIE, &self.cookie)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.expect("body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
