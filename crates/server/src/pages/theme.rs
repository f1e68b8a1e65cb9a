//! The theme of this device: light, dark, or dim for the infusion room.

use super::local_path;
use crate::auth::gate::Posted;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};

/// The cookie that remembers it.
const COOKIE: &str = "theme";
/// A device keeps its theme for a year.
const KEPT_S: u32 = 31_536_000;

/// How a device shows pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What the device itself prefers.
    #[default]
    Auto,
    /// Lit rooms.
    Light,
    /// Dark rooms.
    Dark,
    /// The infusion room: black ground, dimmed text, alarms at full light.
    Dim,
}

impl Theme {
    /// All that can be chosen.
    pub const CHOICES: [Self; 3] = [Self::Light, Self::Dark, Self::Dim];

    /// The theme that a device's cookie names.
    pub fn of(headers: &HeaderMap) -> Self {
        super::cookie(headers, COOKIE).and_then(Self::named).unwrap_or_default()
    }

    /// Its name in the cookie, the form and the style sheet.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Dim => "dim",
        }
    }

    /// As it reads on its button.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
            Self::Dim => "Dim room",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark, Self::Dim].into_iter().find(|theme| theme.name() == name)
    }
}

/// `POST /theme`: remembers the choice and goes back.
pub async fn choose(posted: Posted) -> Response {
    let theme = Theme::named(posted.text("theme")).unwrap_or_default();
    let cookie = format!("{COOKIE}={}; Path=/; SameSite=Strict; Max-Age={KEPT_S}", theme.name());
    ([(header::SET_COOKIE, cookie)], Redirect::to(local_path(posted.text("back")))).into_response()
}
