//! What every page carries: who is signed in, the rail, the token and id of its forms, what is wrong.

use super::{ALL, Theme, may_open, tasks, worklist};
use crate::AppState;
use crate::assets::Assets;
use crate::auth::Person;
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::clock::Ids;
use crate::floor::Denied;
/// One entry of the rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Where to.
    pub path: &'static str,
    /// As it reads.
    pub label: &'static str,
    /// How much waits there; empty where nothing does.
    pub waits: String,
    /// The page is open.
    pub current: bool,
}

/// What is wrong with a field, for the summary on top and the text at the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field, which is its id on the page; empty for the form as a whole.
    pub field: String,
    /// What is wrong, with the value and the limit, and what to do.
    pub text: String,
    /// What became of what was sent.
    pub kept: Kept,
}

/// Whether the log has what was sent with a form that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing was recorded.
    Nothing,
    /// It is recorded, and calls for another try.
    Recorded,
    /// All but this is recorded.
    InPart,
    /// Nobody knows yet.
    NotKnown,
}

impl FieldError {
    /// For one field.
    pub fn at(field: &str, text: impl ToString) -> Self {
        Self { field: field.to_owned(), text: text.to_string(), kept: Kept::Nothing }
    }

    /// What the floor denied; of a lost answer nobody knows whether it was recorded.
    pub fn denied(field: &str, denied: &Denied) -> Self {
        let not_known = matches!(denied, Denied::NotKnown(_));
        Self::at(field, denied).kept(if not_known { Kept::NotKnown } else { Kept::Nothing })
    }

    /// The same, of something that was not simply refused.
    #[must_use]
    pub fn kept(self, kept: Kept) -> Self {
        Self { kept, ..self }
    }
}

/// The frame around every page: finished strings, no decisions left for the template.
#[derive(Debug)]
pub struct Page {
    /// Title of the window and the heading.
    pub title: String,
    /// Theme of this device.
    pub theme: Theme,
    /// Name of the signed-in person, empty for nobody.
    pub who: String,
    /// The person's roles, as they read.
    pub roles: String,
    /// Goes into every form.
    pub csrf: String,
    /// Path and query of this page.
    pub here: String,
    /// Entries for the person's roles.
    pub nav: Vec<NavItem>,
    /// Done just now: "Password changed."
    pub notices: Vec<String>,
    /// What is wrong with the form that was sent.
    pub errors: Vec<FieldError>,
    /// Why nothing is being recorded; empty when all is well.
    pub not_recording: String,
    /// How far the machine's clock is off, and which way; empty when it is not.
    pub clock_off: String,
    /// The controls are locked.
    pub locked: bool,
    /// The live parts need this page's script; the alarm strip is fed to whoever may watch the room.
    pub watches_room: bool,
    /// For how long a sound may be paused, seconds.
    pub sound_pause_s: i64,
    /// A demonstration: the page says so.
    pub demo: bool,
    /// Tasks that are open.
    pub tasks: tasks::Count,
    ids: Option<Ids>,
}

impl Page {
    /// The frame for a visit.
    pub fn new(app: &AppState, visit: &Visit, title: impl Into<String>) -> Self {
        let person = visit.person.as_ref();
        let login = person.map(|person| person.login.as_str());
        Self {
            title: title.into(),
            theme: visit.theme,
            who: person.map(|person| person.account.name.clone()).unwrap_or_default(),
            roles: person.map(|person| person.account.roles_text()).unwrap_or_default(),
            csrf: person.map(|person| person.csrf.clone()).unwrap_or_default(),
            here: visit.path.clone(),
            nav: nav(app, person, &visit.path),
            notices: login.map(|login| app.auth.logins().take_notices(login)).unwrap_or_default(),
            errors: Vec::new(),
            not_recording: app.not_recording().unwrap_or_default(),
            clock_off: clock_off(app),
            locked: person.is_some_and(|person| person.locked),
            watches_room: person.is_some_and(|person| person.may(Privilege::WatchRoom)),
            sound_pause_s: app.knowledge.watch().map_or(0, |watch| watch.sound_pause_s),
            demo: app.config.demo,
            tasks: tasks::Count::of(app, person),
            ids: Some(app.ids.clone()),
        }
    }

    /// The same frame for a patient's eyes, also on a tablet where staff are signed in: nothing of the clinic's own.
    #[must_use]
    pub fn for_a_patient(mut self) -> Self {
        self.nav.clear();
        self.who.clear();
        self.notices.clear();
        self.watches_room = false;
        self.tasks = tasks::Count::default();
        self
    }

    /// A frame that needs nothing that could be broken.
    pub fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            theme: Theme::default(),
            who: String::new(),
            roles: String::new(),
            csrf: String::new(),
            here: "/".to_owned(),
            nav: Vec::new(),
            notices: Vec::new(),
            errors: Vec::new(),
            not_recording: String::new(),
            clock_off: String::new(),
            locked: false,
            watches_room: false,
            sound_pause_s: 0,
            demo: false,
            tasks: tasks::Count::default(),
            ids: None,
        }
    }

    /// The same frame with what is wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// For how long a sound may be paused: `2 min`.
    pub fn sound_pause(&self) -> String {
        super::chair_view::span(self.sound_pause_s)
    }

    /// What stands over the list of errors: nobody may read that nothing was recorded where that is not known.
    pub fn problem(&self) -> &'static str {
        let any = |kept| self.errors.iter().any(|error| error.kept == kept);
        match () {
            () if any(Kept::NotKnown) => "There is a problem.",
            () if any(Kept::InPart) => "There is a problem. Only a part of it is recorded.",
            () if any(Kept::Recorded) => "It does not agree. What you entered is recorded.",
            () => "There is a problem. Nothing was recorded.",
        }
    }

    /// A fresh id for one form: each form of a page is an act of its own.
    pub fn command_id(&self) -> String {
        self.ids.as_ref().map(Ids::next).unwrap_or_default()
    }

    /// What is wrong with a field, if anything.
    pub fn error_at(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.text.as_str())
    }

    /// Address of a built file; none when styles and scripts were not built.
    pub fn asset(&self, name: &str) -> Option<&'static str> {
        Assets::built().link(name)
    }

    /// Styles and scripts are part of this program.
    pub fn has_assets(&self) -> bool {
        Assets::built().link("chairside.css").is_some()
    }
}

/// By how much the machine's clock is off, and which way.
fn clock_off(app: &AppState) -> String {
    let off_s = app.clock.off().as_secs();
    let by = match off_s.abs() {
        0 => return String::new(),
        s @ ..120 => format!("{s} s"),
        s => format!("{} min", s / 60),
    };
    if off_s < 0 {
        format!(
            "{by} behind the times told here, which go on from the end of the log. Set the clock and start it again"
        )
    } else {
        format!(
            "{by} ahead of the times told here, because it was set. They follow it once nobody sits in a chair"
        )
    }
}

fn nav(app: &AppState, person: Option<&Person>, here: &str) -> Vec<NavItem> {
    let Some(person) = person else { return Vec::new() };
    let path = here.split('?').next().unwrap_or("/");
    let items = ALL.iter().filter(|route| may_open(&person.account, route)).filter_map(|route| {
        let waits = if route.path == worklist::PATH { worklist::count(app, person) } else { String::new() };
        Some(NavItem { path: route.path, label: route.nav?, waits, current: route.path == path })
    });
    items.collect()
}
