//! Reminders on their way out: the mail server of the settings, what a reminder says, and the thread that sends.
//!
//! A mail says a first name and a time, and no word of what for: whoever reads over a shoulder learns nothing else.

use crate::AppState;
use crate::config::BadConfig;
use askama::Template;
use clinic::course::calendar::weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

/// Longest wait for one answer of the mail server.
const ANSWER_S: u64 = 20;
/// Pause between two looks at what is due.
const PAUSE_S: u64 = 30;
/// Least and most hours before a visit at which its reminder goes.
const BEFORE_H: std::ops::RangeInclusive<u32> = 1..=336;

/// How a connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Begins in the clear and turns to TLS before anything is said; refused where the server cannot. Port 587.
    #[default]
    Starttls,
    /// TLS from the first byte. Port 465.
    Tls,
    /// In the clear: to a server on this machine alone. Port 25.
    None,
}

/// The table `[mail]` of the settings. Without it no reminder is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name or address of the mail server.
    pub server: String,
    /// Its port; the usual one of the security where none is set.
    pub port: Option<u16>,
    /// How the connection is kept private.
    #[serde(default)]
    pub security: Security,
    /// User name at the mail server.
    pub user: Option<String>,
    /// File with the password, read at the start; never the password itself.
    pub password_file: Option<PathBuf>,
    /// Who sends, such as `River Clinic <desk@example.org>`.
    pub from: String,
    /// Hours before a visit at which its reminder goes.
    #[serde(default = "two_days")]
    pub remind_before_h: u32,
}

const fn two_days() -> u32 {
    48
}

impl Settings {
    /// How long before a visit its reminder goes.
    pub fn before(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.remind_before_h))
    }

    /// Refuses what cannot be used, or would send a password in the clear.
    ///
    /// # Errors
    /// Names the setting, its value and what is accepted.
    pub fn check(&self) -> Result<(), BadConfig> {
        let wrong = |why: String| Err(BadConfig::Mail(why));
        if self.from.parse::<Mailbox>().is_err() {
            return wrong(format!(
                "from = {:?} is no address; accepted is \"Clinic <desk@example.org>\"",
                self.from
            ));
        }
        if !BEFORE_H.contains(&self.remind_before_h) {
            return wrong(format!("remind_before_h = {} is outside 1 to 336 hours", self.remind_before_h));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return wrong("user and password_file belong together: set both or none".to_owned());
        }
        let here = self.server.parse::<IpAddr>().map_or(self.server == "localhost", |ip| ip.is_loopback());
        if self.security == Security::None && !here {
            let server = &self.server;
            return wrong(format!(
                "security = \"none\" with server = {server:?} would send in the clear; accepted is \"starttls\" or \"tls\", or a server on this machine"
            ));
        }
        Ok(())
    }
}

/// One reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Where it goes.
    pub email: String,
    /// First name of the patient.
    pub given: String,
    /// The visit begins.
    pub visit: Timestamp,
    /// The same however often it is tried, so that a mail server can tell a second one.
    pub id: String,
}

/// Why a reminder did not go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The server did not take it, for certain.
    #[error("{0}")]
    Refused(String),
    /// The line broke when the server may have had it.
    #[error("it is not known whether the mail server took it: {0}")]
    NotKnown(String),
}

/// What a reminder says.
#[derive(Template)]
#[template(path = "mail/reminder.txt", escape = "none")]
struct Words<'a> {
    given: &'a str,
    weekday: &'static str,
    day: String,
    time: String,
    clinic: String,
}

/// The way to the mail server.
#[derive(Clone)]
pub struct Post {
    settings: Settings,
    from: Mailbox,
    password: Option<String>,
    zone: TimeZone,
}

impl Post {
    /// Reads the password, so that a start says what is wrong and not the first reminder.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn open(settings: &Settings, zone: TimeZone) -> Result<Self, BadConfig> {
        settings.check()?;
        let from = settings.from.parse().map_err(|_| BadConfig::Mail("from is no address".to_owned()))?;
        let read = |path: &PathBuf| {
            let unreadable =
                |cause| BadConfig::Mail(format!("password_file {} cannot be read: {cause}", path.display()));
            Ok(std::fs::read_to_string(path).map_err(unreadable)?.trim_end().to_owned())
        };
        let password = settings.password_file.as_ref().map(read).transpose()?;
        Ok(Self { settings: settings.clone(), from, password, zone })
    }

    fn message(&self, reminder: &Reminder, now: Timestamp) -> Result<Message, Unsent> {
        let refused = |why: String| Unsent::Refused(why);
        let at = reminder.visit.to_zoned(self.zone.clone());
        let words = Words {
            given: &reminder.given,
            weekday: weekday(at.date()),
            day: at.strftime("%d-%b-%Y").to_string(),
            time: at.strftime("%H:%M").to_string(),
            clinic: self.from.name.clone().unwrap_or_else(|| self.from.email.to_string()),
        };
        let to = reminder
            .email
            .parse()
            .map_err(|cause| refused(format!("the address cannot be used: {cause}")))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject("Reminder of your visit")
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{}>", reminder.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(words.render().map_err(|cause| refused(cause.to_string()))?)
            .map_err(|cause| refused(cause.to_string()))
    }

    /// Sends one reminder and waits for the answer.
    ///
    /// # Errors
    /// Whether the server surely did not take it, or may have.
    pub fn send(&self, reminder: &Reminder, now: Timestamp) -> Result<(), Unsent> {
        let message = self.message(reminder, now)?;
        let mut line = self.connect().map_err(|cause| Unsent::Refused(cause.to_string()))?;
        let sent = line.send(message.envelope(), &message.formatted());
        let _left = line.quit();
        match sent {
            Ok(_) => Ok(()),
            Err(cause) if cause.is_permanent() || cause.is_transient() || cause.is_client() => {
                Err(Unsent::Refused(cause.to_string()))
            }
            Err(cause) => Err(Unsent::NotKnown(cause.to_string())),
        }
    }

    fn connect(&self) -> Result<SmtpConnection, lettre::transport::smtp::Error> {
        let Settings { server, port, security, user, .. } = &self.settings;
        let (usual, tls) = match security {
            Security::Starttls => (587, true),
            Security::Tls => (465, true),
            Security::None => (25, false),
        };
        let tls = tls.then(|| TlsParameters::new(server.clone())).transpose()?;
        let (hello, address) = (ClientId::default(), (server.as_str(), port.unwrap_or(usual)));
        let wait = Some(Duration::from_secs(ANSWER_S));
        let at_once = tls.as_ref().filter(|_| *security == Security::Tls);
        let mut line = SmtpConnection::connect(address, wait, &hello, at_once, None)?;
        if let Some(tls) = tls.as_ref().filter(|_| *security == Security::Starttls) {
            line.starttls(tls, &hello)?;
        }
        if let Some((user, password)) = user.as_ref().zip(self.password.as_ref()) {
            let who = Credentials::new(user.clone(), password.clone());
            line.auth(&[Mechanism::Plain, Mechanism::Login], &who)?;
        }
        Ok(line)
    }
}

/// Sends what is due, again and again, on a thread of its own: a mail server that hangs holds up nothing else.
pub fn send_reminders(state: &AppState, post: Post) -> std::thread::JoinHandle<()> {
    let state = state.clone();
    std::thread::spawn(move || {
        let (wait, waited) = mpsc::channel::<()>();
        while !*state.stopping.borrow() {
            round(&state, &post);
            // Nothing is ever sent: this is a wait with a deadline, in steps so that a stop does not wait for it.
            for _ in 0..PAUSE_S {
                if *state.stopping.borrow() {
                    break;
                }
                let _ = waited.recv_timeout(Duration::from_secs(1));
            }
        }
        drop(wait);
    })
}

/// Sends what is due now.
pub fn round(state: &AppState, post: &Post) {
    let calendar = state.config.calendar(&state.knowledge);
    let send = |reminder: &Reminder| post.send(reminder, state.clock.now());
    let goes_on = || !*state.stopping.borrow();
    if let Err(fault) = state.floor.remind(post.settings.before(), &calendar, &send, &goes_on) {
        tracing::error!(%fault, "reminders cannot be looked up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        toml::from_str("server = \"smtp.example.org\"\nfrom = \"River Clinic <desk@example.org>\"")
            .expect("settings")
    }

    #[test]
    fn settings_that_would_send_in_the_clear_or_not_at_all_are_refused_by_name() {
        assert!(settings().check().is_ok());
        let refused = |settings: Settings| settings.check().expect_err("refused").to_string();
        let clear = Settings { security: Security::None, ..settings() };
        assert!(
            refused(clear.clone()).contains("smtp.example.org")
                && refused(clear.clone()).contains("starttls")
        );
        for here in ["127.0.0.1", "localhost", "::1"] {
            assert!(Settings { server: here.to_owned(), ..clear.clone() }.check().is_ok(), "{here}");
        }
        assert!(refused(Settings { from: "desk".to_owned(), ..settings() }).contains("from = \"desk\""));
        assert!(refused(Settings { remind_before_h: 0, ..settings() }).contains("1 to 336"));
        assert!(refused(Settings { user: Some("u".to_owned()), ..settings() }).contains("password_file"));
        let gone = Settings {
            user: Some("u".to_owned()),
            password_file: Some("/no/such/file".into()),
            ..settings()
        };
        let why = Post::open(&gone, TimeZone::UTC).err().expect("refused").to_string();
        assert!(why.contains("/no/such/file"), "{why}");
        assert!(toml::from_str::<Settings>("server = \"x\"\nfrom = \"a@b.c\"\npassword = \"x\"").is_err());
    }

    /// Hazard 74: what a mail says is a first name and a time.
    #[test]
    fn a_reminder_says_a_first_name_and_a_time_and_no_word_of_what_for() {
        let post = Post::open(&settings(), TimeZone::UTC).expect("settings");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let reminder = Reminder {
            email: "ana@example.org".to_owned(),
            given: "Ana".to_owned(),
            visit: at("2026-12-01T09:30:00Z"),
            id: "r1".to_owned(),
        };
        let mail = post.message(&reminder, at("2026-11-29T09:00:00Z")).expect("a mail").formatted();
        let mail = String::from_utf8(mail).expect("text");
        for word in ["Ana", "Tuesday, 01-Dec-2026", "09:30", "River Clinic", "Message-ID: <r1@example.org>"] {
            assert!(mail.contains(word), "{word}: {mail}");
        }
        for word in ["ketamine", "infusion", "therap", "treat", "Rivera", "chair", "integration"] {
            assert!(!mail.to_lowercase().contains(&word.to_lowercase()), "{word}: {mail}");
        }
    }
}
