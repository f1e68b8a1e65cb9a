//! Who is signed in where. The browser holds a token of 256 bits, the server only its SHA-256.
//!
//! After a while without a hand on the page the *controls* lock and a PIN opens them; the live room stays in view.
//! Logins outlive a restart, so that a watchdog's restart in an infusion does not sign anybody out.

use super::audit::{self, Entry, Kind};
use crate::clock::{Clock, secret_token};
use clinic::id::StaffId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::{Recorded, Secret, Store};

/// Kind of row in the store's table of secrets.
const ROWS: &str = "login";
/// A login ends after this long, used or not.
pub const LIFE: SignedDuration = SignedDuration::from_hours(12);
/// Most logins at one time; the one idle longest gives way.
const LOGINS_MAX: usize = 1_000;
/// Most notices that wait for the next page of a login.
const NOTICES_MAX: usize = 20;
/// The stored time of the last use may lag by this much: after a restart controls lock earlier, never later.
const SEEN_LAG_MAX: SignedDuration = SignedDuration::from_secs(60);

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Who.
    pub staff: StaffId,
    /// Goes into each form of this login and must come back with it.
    pub csrf: String,
    /// When.
    pub started: Timestamp,
    /// Last act of a person; a page that refreshes itself does not count.
    pub seen: Timestamp,
}

/// All logins of a site.
pub struct Logins {
    store: Store,
    site: String,
    clock: Clock,
    idle: SignedDuration,
    open: Mutex<HashMap<String, Open>>,
}

struct Open {
    login: Login,
    stored_seen: Timestamp,
    notices: Vec<String>,
}

/// The stored name of a token.
pub fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// What the audit says of a sign-in, so that its row can be compared with the log: the begin of its digest, from which
/// nobody gets the token back.
pub fn in_the_log(token: &str) -> String {
    named(&digest(token))
}

fn named(key: &str) -> String {
    format!("login {}", key.chars().take(16).collect::<String>())
}

/// What must stand in the log for a row of secrets; `None` for what is no sign-in.
pub fn claim(row: &Secret) -> Option<String> {
    let of = |login: Login| format!("{} {}", login.staff, named(&row.name));
    (row.kind == ROWS).then(|| serde_json::from_str(&row.value).map_or_else(|_| row.name.clone(), of))
}

/// What an event of the log says of a sign-in.
pub fn told(event: &Recorded) -> Option<String> {
    let of_this = event.stream == audit::STREAM && event.kind == Kind::SignedIn.name();
    let entry: Entry = of_this.then(|| serde_json::from_str(&event.body).ok())??;
    Some(format!("{} {}", entry.who?, entry.what))
}

impl Logins {
    /// Controls lock after `idle` without an act.
    pub fn new(store: Store, site: &str, clock: Clock, idle: Duration) -> Self {
        let idle = SignedDuration::try_from(idle).unwrap_or(LIFE);
        Self { store, site: site.to_owned(), clock, idle, open: Mutex::default() }
    }

    /// Signs `staff` in; returns the token for the cookie. It tells first what the log is to say of it: a fall between the
    /// two leaves an entry without a sign-in, never a sign-in that the log does not know.
    pub fn open(&self, staff: &StaffId, tell: impl FnOnce(String)) -> String {
        let token = secret_token();
        tell(in_the_log(&token));
        let now = self.clock.now();
        let login = Login { staff: staff.clone(), csrf: secret_token(), started: now, seen: now };
        let mut open = self.lock();
        if open.len() >= LOGINS_MAX {
            let idlest = open.iter().min_by_key(|(_, open)| open.login.seen).map(|(key, _)| key.clone());
            if let Some(key) = idlest {
                open.remove(&key);
                self.forget(&key);
            }
        }
        self.keep(&digest(&token), &login);
        open.insert(digest(&token), Open { login, stored_seen: now, notices: Vec::new() });
        token
    }

    /// The login behind a token's digest, and whether its controls are locked. `by_hand`: a person's act, which
    /// keeps the controls open if they still are.
    pub fn find(&self, key: &str, by_hand: bool) -> Option<(Login, bool)> {
        let now = self.clock.now();
        let mut open = self.lock();
        if !open.contains_key(key) {
            let login = self.recall(key)?;
            open.insert(key.to_owned(), Open { stored_seen: login.seen, login, notices: Vec::new() });
        }
        let found = open.get_mut(key)?;
        if now.duration_since(found.login.started) >= LIFE {
            open.remove(key);
            self.forget(key);
            return None;
        }
        let locked = now.duration_since(found.login.seen) >= self.idle;
        if by_hand && !locked {
            self.touch(key, found, now);
        }
        Some((found.login.clone(), locked))
    }

    /// Opens the controls again, after the PIN was right.
    pub fn unlock(&self, key: &str) {
        let now = self.clock.now();
        if let Some(found) = self.lock().get_mut(key) {
            self.touch(key, found, now);
        }
    }

    /// Locks the controls at once: the device is handed to somebody else.
    pub fn lock_now(&self, key: &str) {
        let long_ago = self.clock.now().checked_sub(self.idle).unwrap_or(Timestamp::MIN);
        if let Some(found) = self.lock().get_mut(key) {
            found.login.seen = long_ago;
            found.stored_seen = long_ago;
            self.keep(key, &found.login);
        }
    }

    /// Ends one login.
    pub fn close(&self, key: &str) {
        self.lock().remove(key);
        self.forget(key);
    }

    /// Leaves a notice for the next page of this login. Of many only the last ones are kept.
    pub fn notify(&self, key: &str, notice: String) {
        if let Some(open) = self.lock().get_mut(key) {
            if open.notices.len() == NOTICES_MAX {
                open.notices.remove(0);
            }
            open.notices.push(notice);
        }
    }

    /// Takes the notices that wait.
    pub fn take_notices(&self, key: &str) -> Vec<String> {
        self.lock().get_mut(key).map(|open| std::mem::take(&mut open.notices)).unwrap_or_default()
    }

    fn touch(&self, key: &str, open: &mut Open, now: Timestamp) {
        open.login.seen = now;
        if now.duration_since(open.stored_seen) >= SEEN_LAG_MAX {
            open.stored_seen = now;
            self.keep(key, &open.login);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stored rows. A store that cannot write costs only that a restart signs people out, so it stops nobody.
impl Logins {
    fn keep(&self, key: &str, login: &Login) {
        let Ok(value) = serde_json::to_string(login) else { return };
        let ends = login.started.checked_add(LIFE).unwrap_or(Timestamp::MAX);
        let row = Secret {
            site: self.site.clone(),
            kind: ROWS.to_owned(),
            name: key.to_owned(),
            value,
            expires_us: ends.as_microsecond(),
        };
        if let Err(cause) = self.store.put_secret(row) {
            tracing::warn!(%cause, "a sign-in will not outlive a restart");
        }
    }

    fn recall(&self, key: &str) -> Option<Login> {
        let now_us = self.clock.now().as_microsecond();
        let stored = self.store.secret(&self.site, ROWS, key, now_us);
        let value = stored.inspect_err(|cause| tracing::warn!(%cause, "sign-ins cannot be read")).ok()??;
        serde_json::from_str(&value).ok()
    }

    fn forget(&self, key: &str) {
        if let Err(cause) = self.store.forget_secret(&self.site, ROWS, key) {
            tracing::warn!(%cause, "an ended sign-in could not be taken away");
        }
    }

    /// Takes expired rows away; for the start of the program.
    pub fn expire(&self) {
        let now_us = self.clock.now().as_microsecond();
        if let Err(cause) = self.store.expire_secrets(&self.site, now_us) {
            tracing::warn!(%cause, "expired sign-ins could not be taken away");
        }
    }
}
