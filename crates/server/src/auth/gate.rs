//! What every request passes: who asks, whether they may, and whether the form is ours.
//!
//! A form of another origin, without its login's token or without a command id never reaches a handler.

use super::audit::Kind;
use super::privilege::Privilege;
use super::{Error, Person, Refusal};
use crate::AppState;
use crate::pages::{self, Access, FieldError, Route, Theme, Verb};
use crate::reception::Caller;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::id::PatientId;
use std::convert::Infallible;
use tokio_stream::StreamExt;

/// Longest form, in bytes.
pub const FORM_BYTES_MAX: usize = 256 * 1024;
/// What comes of a longer form is let go up to here, so that a browser that still sends gets to read the answer.
const FORM_BYTES_HEARD_MAX: usize = 16 * FORM_BYTES_MAX;
/// Most fields of a form.
const FIELDS_MAX: usize = 512;
/// Most characters of one text.
pub const TEXT_CHARS_MAX: usize = clinic::text::WORDS_LONGEST;
/// Longest command id.
const COMMAND_ID_CHARS_MAX: usize = 64;

/// Who asks, from where, and for what.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// The signed-in person; always there behind a privilege.
    pub person: Option<Person>,
    /// Network address.
    pub from: String,
    /// Path and query asked for.
    pub path: String,
    /// Theme of this device.
    pub theme: Theme,
    /// Asked by htmx: a block of the page is enough.
    pub htmx: bool,
}

impl Visit {
    /// The signed-in person.
    ///
    /// # Errors
    /// A page that asks to sign in; only on a public route.
    pub fn person(&self) -> Result<&Person, pages::Error> {
        self.person.as_ref().ok_or(pages::Error::SignIn)
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The fields of a form that passed the gate, as typed.
#[derive(Debug, Clone, Default)]
pub struct Posted {
    fields: Vec<(String, String)>,
    /// Texts that cannot stand in a record; whoever draws the form again refuses it with them.
    unfit: Vec<FieldError>,
    /// The form is longer than may be, and this is its beginning.
    cut: bool,
}

impl Posted {
    fn read(body: &[u8], whole: bool) -> Self {
        let mut fields: Vec<_> = form_urlencoded::parse(body).into_owned().take(FIELDS_MAX + 1).collect();
        let cut = !whole || fields.len() > FIELDS_MAX;
        fields.truncate(FIELDS_MAX);
        Self { fields, unfit: Vec::new(), cut }
    }

    /// Whether this is the beginning of a form that is longer than may be.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// A field's text, empty when the form does not have it.
    pub fn text(&self, field: &str) -> &str {
        self.fields.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }

    /// All values of a field that may be chosen several times.
    pub fn all<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// The same with other values of one field.
    #[must_use]
    pub fn with(mut self, field: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.fields.retain(|(name, _)| name != field);
        self.fields.extend(values.into_iter().map(|value| (field.to_owned(), value)));
        self
    }

    /// Each field with its text, as they stood in the form.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.fields.iter().cloned()
    }

    /// The id of this act; the same one never acts twice.
    pub fn command_id(&self) -> &str {
        self.text("command_id")
    }

    /// What is wrong with texts that cannot stand in a record, for a form that is drawn again.
    pub fn unfit(&self) -> &[FieldError] {
        &self.unfit
    }

    /// Finds the texts that cannot stand in a record. What nobody can see is taken out of them, so that the form can be
    /// shown again.
    fn judge(&mut self) {
        for (name, value) in &mut self.fields {
            let length = value.chars().count();
            if length > TEXT_CHARS_MAX {
                let why = format!(
                    "The field {name} has {length} characters; at most {TEXT_CHARS_MAX} are accepted. Make two of it."
                );
                self.unfit.push(FieldError::at(name, why));
            }
            // A scanner separates the parts of a code by a control character.
            let unfit =
                |text: &str| clinic::text::unfit(text).filter(|unfit| name != "code" || *unfit != '\u{1d}');
            if let Some(code) = unfit(value).map(u32::from) {
                let why = format!(
                    "The field {name} holds the character U+{code:04X}, which is no text. Type it without."
                );
                self.unfit.push(FieldError::at(name, why));
                value.retain(|one| unfit(one.encode_utf8(&mut [0; 4])).is_none());
            }
        }
    }

    /// Fields to send again after an unlock; secrets are typed anew.
    pub fn to_send_again(&self) -> Vec<(String, String)> {
        let secret = |name: &str| name.contains("pin") || name.contains("password");
        self.fields.iter().filter(|(name, _)| name != "csrf" && !secret(name)).cloned().collect()
    }

    fn has_command_id(&self) -> bool {
        let id = self.command_id();
        (1..=COMMAND_ID_CHARS_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }
}

impl<S: Sync> FromRequestParts<S> for Posted {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The gate of one route.
#[derive(Clone)]
pub struct Gate {
    /// The program.
    pub app: AppState,
    /// Which route.
    pub route: &'static Route,
}

/// Lets a request through to its handler, or answers in its stead.
pub async fn gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (request, visit) = match gate.admit(request).await {
        Ok(admitted) => admitted,
        Err(answer) => return *answer,
    };
    let response = next.run(request).await;
    gate.after(&visit, response).await
}

type Admitted = (Request, Visit);
/// Boxed, because an answer is large and the way through is the common one.
type Answer = Box<Response>;

impl Gate {
    async fn admit(&self, request: Request) -> Result<Admitted, Answer> {
        let mut visit = self.visit(&request);
        let by_hand = !matches!(self.route.access, Access::Background(_));
        if let Some(token) = self.cookie(request.headers()) {
            let person = self.app.blocking(move |app| app.auth.admit(&token, by_hand)).await;
            visit.person = person.flatten().map_err(|fault| answer(fault.into()))?;
            let caller = request.extensions().get::<ConnectInfo<Caller>>();
            if let (Some(_), Some(caller)) = (&visit.person, caller) {
                caller.0.is_known();
            }
        }
        self.check_role(&visit).await?;
        self.check_record(&visit).await?;
        let mut request = if self.route.verb == Verb::Post {
            self.check_form(&mut visit, request).await?
        } else {
            self.check_lock_of_view(&visit)?;
            request
        };
        request.extensions_mut().insert(visit.clone());
        Ok((request, visit))
    }

    fn visit(&self, request: &Request) -> Visit {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Visit {
            person: None,
            from: self.address(request),
            path,
            theme: Theme::of(request.headers()),
            htmx: request.headers().contains_key("hx-request"),
        }
    }

    fn address(&self, request: &Request) -> String {
        if self.app.config.behind_tls_proxy {
            let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
            // The last one is the proxy's own word; those before it are the client's.
            if let Some(last) = forwarded.and_then(|all| all.rsplit(',').next()) {
                return last.trim().chars().take(COMMAND_ID_CHARS_MAX).collect();
            }
        }
        let caller = request.extensions().get::<ConnectInfo<Caller>>();
        caller.map_or_else(|| "here".to_owned(), |caller| caller.0.address.ip().to_string())
    }

    fn cookie(&self, headers: &HeaderMap) -> Option<String> {
        pages::cookie(headers, crate::security::login_cookie(&self.app.config)).map(str::to_owned)
    }

    async fn check_role(&self, visit: &Visit) -> Result<(), Answer> {
        let needs = match self.route.access {
            Access::Public => return Ok(()),
            Access::SignedIn => None,
            Access::Needs(privilege) | Access::Background(privilege) => Some(privilege),
        };
        let Some(person) = &visit.person else {
            return Err(self.ask_to_sign_in(visit));
        };
        match needs.filter(|privilege| !person.may(*privilege)) {
            None => Ok(()),
            Some(privilege) => Err(self.refuse_role(visit, person.clone(), privilege).await),
        }
    }

    /// Nothing more is written to a record that was joined to another: whoever has its page open is led to the one that
    /// stays.
    async fn check_record(&self, visit: &Visit) -> Result<(), Answer> {
        let of_patient =
            self.route.path.starts_with("/patients/{id}/") && self.route.path != pages::details::JOIN;
        if self.route.verb == Verb::Get || !of_patient {
            return Ok(());
        }
        let id = PatientId::new(visit.path.split(['/', '?']).nth(2).unwrap_or_default());
        let stays = self.app.blocking(move |app| {
            let into = app.floor.joined_to(&id)?;
            into.map_or(Ok(None), |into| app.floor.patient(&into))
        });
        match stays.await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(stays))) => {
                let why = format!(
                    "This record was joined to that of {}, record number {}. Nothing was recorded. Open that record and enter it there.",
                    stays.banner_name(),
                    stays.mrn
                );
                Err(self.refuse_form(visit, StatusCode::CONFLICT, &why))
            }
            Ok(Err(fault)) | Err(fault) => Err(answer(fault.into())),
        }
    }

    fn ask_to_sign_in(&self, visit: &Visit) -> Answer {
        if matches!(self.route.access, Access::Background(_)) {
            return Box::new(StatusCode::UNAUTHORIZED.into_response());
        }
        let to = match self.route.verb {
            Verb::Get => format!("/sign-in?next={}", pages::encoded(&visit.path)),
            Verb::Post => "/sign-in?notice=ended".to_owned(),
        };
        if visit.htmx {
            return Box::new((StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response());
        }
        Box::new(Redirect::to(&to).into_response())
    }

    async fn refuse_role(&self, visit: &Visit, person: Person, privilege: Privilege) -> Answer {
        let (from, what) = (visit.from.clone(), format!("{}: {}", self.route.path, privilege.text()));
        let id = person.id().clone();
        let recorded = self.app.blocking(move |app| {
            app.auth.audit().record(Kind::AccessRefused, Some(&id), what, &from);
        });
        if let Err(fault) = recorded.await {
            return answer(fault.into());
        }
        let why = format!(
            "Your role ({}) may not {}. Ask the owner of the clinic if it should.",
            person.account.roles_text(),
            privilege.text()
        );
        Box::new(pages::error::page(&self.app, visit, StatusCode::FORBIDDEN, "Not for your role", &why))
    }

    fn check_lock_of_view(&self, visit: &Visit) -> Result<(), Answer> {
        let Access::Needs(privilege) = self.route.access else { return Ok(()) };
        let locked = visit.person.as_ref().is_some_and(|person| person.locked);
        if locked && !privilege.shown_when_locked() {
            let to = format!("/unlock?next={}", pages::encoded(&visit.path));
            return Err(Box::new(Redirect::to(&to).into_response()));
        }
        Ok(())
    }

    async fn check_form(&self, visit: &mut Visit, request: Request) -> Result<Request, Answer> {
        if !same_origin(request.headers(), request.uri()) {
            let why =
                "The form did not come from a page of this server. Open the page here and send it again.";
            return Err(self.refuse_form(visit, StatusCode::FORBIDDEN, why));
        }
        let (mut parts, body) = request.into_parts();
        let Some((bytes, whole)) = beginning(body).await else {
            return Err(self.refuse_form(visit, StatusCode::BAD_REQUEST, "The form did not arrive whole."));
        };
        let mut posted =
            if is_form(&parts.headers) { Posted::read(&bytes, whole) } else { Posted::default() };
        if (posted.is_cut() || !whole) && !self.route.takes_a_part() {
            let why = format!(
                "The form has more than {FORM_BYTES_MAX} bytes or {FIELDS_MAX} fields. Nothing was recorded."
            );
            return Err(self.refuse_form(visit, StatusCode::PAYLOAD_TOO_LARGE, &why));
        }
        self.check_tokens(visit, &parts.headers, &posted)?;
        posted.judge();
        if let Some(unfit) = posted.unfit.first().filter(|_| !self.route.draws_again()) {
            let why = format!("{} Nothing was recorded.", unfit.text);
            return Err(self.refuse_form(visit, StatusCode::UNPROCESSABLE_ENTITY, &why));
        }
        self.check_lock_of_act(visit, &posted).await?;
        parts.extensions.insert(posted);
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }

    fn check_tokens(&self, visit: &Visit, headers: &HeaderMap, posted: &Posted) -> Result<(), Answer> {
        if let (Some(person), false) = (&visit.person, matches!(self.route.access, Access::Public)) {
            let in_header = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
            let token = in_header.unwrap_or_else(|| posted.text("csrf"));
            // Digests are compared, so that the time taken tells nothing about the token.
            if super::logins::digest(token) != super::logins::digest(&person.csrf) {
                let why = "The form belongs to an earlier sign-in. Open the page again and repeat the entry.";
                return Err(self.refuse_form(visit, StatusCode::FORBIDDEN, why));
            }
        }
        if !matches!(self.route.access, Access::Background(_)) && !posted.has_command_id() {
            let why = "The form has no usable command_id, so a second sending could act twice. Nothing was recorded. Open the page again.";
            return Err(self.refuse_form(visit, StatusCode::UNPROCESSABLE_ENTITY, why));
        }
        Ok(())
    }

    /// A locked hand is asked for the PIN, and the act goes on with it: nobody has to find the page again.
    async fn check_lock_of_act(&self, visit: &mut Visit, posted: &Posted) -> Result<(), Answer> {
        let Access::Needs(_) = self.route.access else { return Ok(()) };
        let Some(person) = visit.person.clone().filter(|person| person.locked) else { return Ok(()) };
        let pin = posted.text("unlock_pin").to_owned();
        if pin.is_empty() {
            return Err(self.ask_for_pin(visit, posted, None));
        }
        let from = visit.from.clone();
        let unlocked = self.app.blocking(move |app| app.auth.unlock(&person, &pin, &from)).await;
        match unlocked.map_err(Error::from).flatten() {
            Ok(()) => {
                if let Some(person) = &mut visit.person {
                    person.locked = false;
                }
                Ok(())
            }
            Err(Error::Refused(refusal)) => Err(self.ask_for_pin(visit, posted, Some(&refusal))),
            Err(Error::Fault(fault)) => Err(answer(fault.into())),
        }
    }

    fn ask_for_pin(&self, visit: &Visit, posted: &Posted, refusal: Option<&Refusal>) -> Answer {
        Box::new(pages::unlock::for_act(&self.app, visit, posted, refusal))
    }

    fn refuse_form(&self, visit: &Visit, status: StatusCode, why: &str) -> Answer {
        if self.route.path == pages::inquiry::PATH {
            return Box::new(pages::inquiry::not_taken(&self.app, visit, status, why));
        }
        Box::new(pages::error::page(&self.app, visit, status, "The form was not taken", why))
    }

    /// Notes the view of a record, and lets what a lock hides vanish from an idle screen by itself.
    async fn after(&self, visit: &Visit, mut response: Response) -> Response {
        let Access::Needs(privilege) = self.route.access else { return response };
        if self.route.verb != Verb::Get || response.status() != StatusCode::OK {
            return response;
        }
        if let Some(person) = visit.person.clone().filter(|_| privilege.audits_views()) {
            let (what, from) = (without_search(&visit.path).to_owned(), visit.from.clone());
            let recorded = self.app.blocking(move |app| {
                app.auth.audit().record(Kind::RecordViewed, Some(person.id()), what, &from);
            });
            if let Err(fault) = recorded.await {
                return *answer(fault.into());
            }
        }
        if !privilege.shown_when_locked() {
            let after_s = self.app.config.lock_after_min.saturating_mul(60).saturating_add(2);
            let refresh = format!("{after_s}; url=/unlock?next={}", pages::encoded(&visit.path));
            if let Ok(refresh) = HeaderValue::from_str(&refresh) {
                response.headers_mut().insert(header::REFRESH, refresh);
            }
        }
        response
    }
}

/// The path as the audit keeps it: what was searched for can be a name, and the audit holds none.
fn without_search(path: &str) -> &str {
    match path.split_once('?') {
        Some((page, query)) if query.split('&').any(|field| field.starts_with("q=")) => page,
        _ => path,
    }
}

fn answer(error: pages::Error) -> Answer {
    Box::new(error.into_response())
}

/// A body as far as a form may be long, and whether that is all of it. `None` where it broke off.
async fn beginning(body: Body) -> Option<(Vec<u8>, bool)> {
    let (mut kept, mut came) = (Vec::new(), 0_usize);
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.ok()?;
        came = came.saturating_add(chunk.len());
        let room = FORM_BYTES_MAX.saturating_sub(kept.len());
        kept.extend(chunk.iter().take(room));
        if came > FORM_BYTES_HEARD_MAX {
            break;
        }
    }
    Some((kept, came <= FORM_BYTES_MAX))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Whether the browser says that the form comes from a page of ours. A browser that says nothing is not one of
/// those we name; then the form is refused.
fn same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text("host").or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}
