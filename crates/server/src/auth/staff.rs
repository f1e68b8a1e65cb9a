//! One person who works here: the events of their account, and what they add up to.
//!
//! The id is the user name, chosen once and never given to another person: the log names people by it for ever,
//! and the stream `staff/<id>` makes it unique without a directory.

use super::privilege::{Privilege, ROLES};
use clinic::id::StaffId;
use clinic::staff::{Actor, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest user name.
const USER_NAME_CHARS_MAX: usize = 32;
/// Longest name of a person.
const NAME_CHARS_MAX: usize = 80;

/// What can happen to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StaffEvent {
    /// A person joined, as they are called on screen.
    StaffAdded {
        /// For example "Kim Osei, RN".
        name: String,
    },
    /// A role was granted.
    RoleGranted {
        /// Which.
        role: Role,
    },
    /// A role was withdrawn.
    RoleWithdrawn {
        /// Which.
        role: Role,
    },
    /// A password was set; the argon2id hash in PHC form.
    PasswordSet {
        /// `$argon2id$v=19$…`
        argon2id: String,
    },
    /// A PIN for signatures was set; the argon2id hash in PHC form.
    PinSet {
        /// `$argon2id$v=19$…`
        argon2id: String,
    },
    /// May not sign in or sign any more; the name stays on what was done.
    StaffDisabled,
    /// May sign in again.
    StaffEnabled,
}

impl StaffEvent {
    /// The event's name in the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::StaffAdded { .. } => "staff_added",
            Self::RoleGranted { .. } => "role_granted",
            Self::RoleWithdrawn { .. } => "role_withdrawn",
            Self::PasswordSet { .. } => "password_set",
            Self::PinSet { .. } => "pin_set",
            Self::StaffDisabled => "staff_disabled",
            Self::StaffEnabled => "staff_enabled",
        }
    }
}

/// An account as its events add up. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user name.
    pub id: StaffId,
    /// As shown on screen.
    pub name: String,
    /// What the person may be here.
    pub roles: BTreeSet<Role>,
    /// Version of the stream these events end at.
    pub version: i64,
    /// Hash of the password, if one was set.
    pub password: Option<String>,
    /// When the password was last set: a login from before then has ended. µs since the epoch.
    pub password_set_us: i64,
    /// Hash of the PIN, if one was set.
    pub pin: Option<String>,
    /// No longer works here.
    pub disabled: bool,
}

impl Account {
    /// Nobody yet: the state before the first event.
    pub fn nobody(id: StaffId) -> Self {
        Self {
            id,
            name: String::new(),
            roles: BTreeSet::new(),
            version: 0,
            password: None,
            password_set_us: 0,
            pin: None,
            disabled: false,
        }
    }

    /// Takes in the next event of the stream, which has `version` there and was recorded at `at_us`.
    #[must_use]
    pub fn evolve(mut self, event: StaffEvent, version: i64, at_us: i64) -> Self {
        self.version = version;
        match event {
            StaffEvent::StaffAdded { name } => self.name = name,
            StaffEvent::RoleGranted { role } => {
                self.roles.insert(role);
            }
            StaffEvent::RoleWithdrawn { role } => {
                self.roles.remove(&role);
            }
            StaffEvent::PasswordSet { argon2id } => {
                self.password = Some(argon2id);
                self.password_set_us = at_us;
            }
            StaffEvent::PinSet { argon2id } => self.pin = Some(argon2id),
            StaffEvent::StaffDisabled => self.disabled = true,
            StaffEvent::StaffEnabled => self.disabled = false,
        }
        self
    }

    /// The first of the person's roles that has the privilege; none when disabled.
    pub fn role_for(&self, privilege: Privilege) -> Option<Role> {
        let mut held = ROLES.into_iter().filter(|role| !self.disabled && self.roles.contains(role));
        held.find(|role| privilege.held_by(*role))
    }

    /// The person as the domain's actor under a privilege; none without it.
    pub fn acting(&self, privilege: Privilege) -> Option<Actor> {
        Some(Actor { id: self.id.clone(), role: self.role_for(privilege)? })
    }

    /// Roles as a person reads them: "prescriber, owner".
    pub fn roles_text(&self) -> String {
        let held: Vec<_> =
            ROLES.into_iter().filter(|role| self.roles.contains(role)).map(Role::title).collect();
        if held.is_empty() { "no role".to_owned() } else { held.join(", ") }
    }
}

/// Reads a role as it is written in forms, files and on the command line: `front_desk`, `nurse`, …
pub fn role_from(text: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role_key(*role) == text)
}

/// A role as forms, files and the command line write it.
pub const fn role_key(role: Role) -> &'static str {
    match role {
        Role::FrontDesk => "front_desk",
        Role::Nurse => "nurse",
        Role::Prescriber => "prescriber",
        Role::Therapist => "therapist",
        Role::Owner => "owner",
        Role::Machine => "machine",
    }
}

/// Why a user name or a person's name is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// The user name's shape.
    #[error(
        "A user name has 2 to {USER_NAME_CHARS_MAX} small letters, digits, dots or hyphens, and begins with a letter. \"{0}\" does not."
    )]
    UserName(String),
    /// The person's name.
    #[error("Enter the person's name as it should stand on records, at most {NAME_CHARS_MAX} characters.")]
    Name,
}

/// Reads a user name as typed: without surrounding spaces, in small letters.
///
/// # Errors
/// [`BadName::UserName`] when it has another shape.
pub fn user_name(text: &str) -> Result<StaffId, BadName> {
    let name = text.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let fits = (2..=USER_NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    if fits { Ok(StaffId(name)) } else { Err(BadName::UserName(text.trim().to_owned())) }
}

/// Reads a person's name as typed.
///
/// # Errors
/// [`BadName::Name`] when it is empty, too long or holds control characters.
pub fn person_name(text: &str) -> Result<String, BadName> {
    let name = text.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(BadName::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(events: impl IntoIterator<Item = StaffEvent>) -> Account {
        events.into_iter().zip(1..).fold(Account::nobody(StaffId::new("kim")), |account, (event, version)| {
            account.evolve(event, version, 0)
        })
    }

    #[test]
    fn roles_come_and_go_and_a_disabled_person_has_none() {
        let granted = |role| StaffEvent::RoleGranted { role };
        let kim = folded([
            StaffEvent::StaffAdded { name: "Kim".into() },
            granted(Role::Nurse),
            granted(Role::Owner),
        ]);
        assert_eq!(kim.role_for(Privilege::Chart), Some(Role::Nurse));
        assert_eq!(kim.role_for(Privilege::ManageStaff), Some(Role::Owner));
        assert_eq!(kim.role_for(Privilege::SignOrder), None);
        assert_eq!(kim.roles_text(), "nurse, owner");
        let kim = kim.evolve(StaffEvent::RoleWithdrawn { role: Role::Owner }, 4, 0);
        assert_eq!(kim.role_for(Privilege::ManageStaff), None);
        let kim = kim.evolve(StaffEvent::StaffDisabled, 5, 0);
        assert_eq!(kim.role_for(Privilege::Chart), None);
        let kim = kim.evolve(StaffEvent::StaffEnabled, 6, 0);
        assert_eq!((kim.role_for(Privilege::Chart), kim.version), (Some(Role::Nurse), 6));
    }

    /// Shapes that stand in logs: a failing line here means that old logs can no longer be read.
    #[test]
    fn every_event_shape_ever_written_is_still_read() {
        let written = [
            (r#"{"kind":"staff_added","name":"Kim Osei, RN"}"#, "staff_added"),
            (r#"{"kind":"role_granted","role":"front_desk"}"#, "role_granted"),
            (r#"{"kind":"role_withdrawn","role":"nurse"}"#, "role_withdrawn"),
            (r#"{"kind":"password_set","argon2id":"$argon2id$v=19$x"}"#, "password_set"),
            (r#"{"kind":"pin_set","argon2id":"$argon2id$v=19$x"}"#, "pin_set"),
            (r#"{"kind":"staff_disabled"}"#, "staff_disabled"),
            (r#"{"kind":"staff_enabled"}"#, "staff_enabled"),
        ];
        for (text, kind) in written {
            let event: StaffEvent = serde_json::from_str(text).expect(text);
            assert_eq!(event.kind(), kind);
            assert_eq!(serde_json::to_string(&event).expect("json"), text);
        }
    }

    #[test]
    fn user_names_have_one_spelling() {
        assert_eq!(user_name("  Nurse.Kim ").expect("name").as_str(), "nurse.kim");
        for bad in ["", "k", "1kim", "kim osei", "kim/osei", "kím", &"k".repeat(33)] {
            assert!(user_name(bad).is_err(), "{bad}");
        }
        assert!(person_name("\n").is_err());
        assert_eq!(person_name(" Kim Osei, RN ").expect("name"), "Kim Osei, RN");
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in ROLES {
            assert_eq!(role_from(role_key(role)), Some(role));
            assert_eq!(serde_json::to_string(&role).expect("json"), format!("\"{}\"", role_key(role)));
        }
        assert_eq!(role_from("machine"), None);
    }
}
