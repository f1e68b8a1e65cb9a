//! Who acts: always a signed-in person. Sign-in, the lock on idle controls, and signatures by PIN.
//!
//! A second check, a witness or an order is signed by a person who proves who they are at that moment; a typed
//! name signs nothing.

pub mod accounts;
pub mod audit;
pub mod gate;
pub mod link;
pub mod logins;
pub mod privilege;
pub mod secret;
pub mod staff;
pub mod throttle;

use crate::Fault;
use crate::clock::{Clock, Ids};
use accounts::Accounts;
use audit::{Audit, Kind};
use clinic::id::StaffId;
use clinic::staff::{Actor, Signature};
use jiff::Timestamp;
use logins::{Login, Logins};
use privilege::Privilege;
use staff::Account;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::Store;
use throttle::{Key, Throttle};

/// Why nobody was let in or nothing was signed: an answer for a person. It never tells which part was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Wrong name or password, or a disabled account.
    #[error("The user name or the password is not right.")]
    NotKnown,
    /// Wrong name or PIN, a disabled account, or no PIN set.
    #[error(
        "The user name or the PIN is not right. Without a PIN of your own, set one on your account page first."
    )]
    NotSigned,
    /// Tried too often.
    #[error("Too many tries. Wait {wait_s} s, then try again.")]
    Wait {
        /// Whole seconds, rounded up.
        wait_s: u64,
    },
    /// The PIN was right, the role is not.
    #[error("{name} may not {}.", needs.text())]
    Role {
        /// Name of the person.
        name: String,
        /// What the signature was for.
        needs: Privilege,
    },
}

/// A refusal or a fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// For a person.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A broken machine.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A signed-in person, as one request sees them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account, as the log has it now.
    pub account: Account,
    /// The token that forms of this login carry.
    pub csrf: String,
    /// Digest of the login's token.
    pub login: String,
    /// The controls are locked; only what stays in view may be shown.
    pub locked: bool,
}

impl Person {
    /// The person's id.
    pub fn id(&self) -> &StaffId {
        &self.account.id
    }

    /// Whether any of the person's roles has the privilege.
    pub fn may(&self, privilege: Privilege) -> bool {
        self.account.role_for(privilege).is_some()
    }

    /// The person as the domain's actor under a privilege; none without it.
    pub fn acting(&self, privilege: Privilege) -> Option<Actor> {
        self.account.acting(privilege)
    }
}

/// A signature that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// User name as typed.
    pub user: &'a str,
    /// PIN as typed.
    pub pin: &'a str,
    /// What the signature says, for example "I checked drug, strength, dose and rate".
    pub meaning: &'a str,
    /// What the signer must be allowed to do.
    pub needs: Privilege,
    /// Network address.
    pub from: &'a str,
}

/// Sign-in, locks and signatures of a site. All calls block; from a handler use [`crate::AppState::blocking`].
pub struct Auth {
    accounts: Accounts,
    logins: Logins,
    audit: Audit,
    throttle: Mutex<Throttle>,
    /// One secret of somebody at the door is tried at a time: each costs memory and a core on purpose, and whoever is
    /// signed in waits for none of them.
    door: Mutex<()>,
    clock: Clock,
}

impl Auth {
    /// Works on the log of `site`; controls lock after `idle`.
    pub fn new(store: &Store, site: &str, clock: &Clock, ids: &Ids, idle: Duration) -> Self {
        Self {
            accounts: Accounts::new(store.clone(), site, clock.clone(), ids.clone()),
            logins: Logins::new(store.clone(), site, clock.clone(), idle),
            audit: Audit::new(store.clone(), site, clock.clone(), ids.clone()),
            throttle: Mutex::default(),
            door: Mutex::default(),
            clock: clock.clone(),
        }
    }

    /// Who works here.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The audit.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Who is signed in where.
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Signs a person in; returns the token for the cookie.
    ///
    /// # Errors
    /// [`Refusal::NotKnown`], [`Refusal::Wait`], or a fault.
    pub fn sign_in(&self, user: &str, password: &str, from: &str) -> Result<String, Error> {
        let account = self.named(user)?;
        let key = Key::Password(staff_key(user));
        let stored = |account: &Account| account.password.clone();
        match self.prove(account.as_ref(), password, stored, &key, Some(from))? {
            Proof::Right(account) => {
                let tell = |login: String| self.audit.record(Kind::SignedIn, Some(&account.id), login, from);
                Ok(self.logins.open(&account.id, tell))
            }
            Proof::Wrong(what) => {
                self.audit.record(Kind::SignInFailed, account.as_ref().map(|a| &a.id), what, from);
                Err(Refusal::NotKnown.into())
            }
        }
    }

    /// Ends a login.
    pub fn sign_out(&self, person: &Person, from: &str) {
        self.logins.close(&person.login);
        self.audit.record(Kind::SignedOut, Some(person.id()), "", from);
    }

    /// Opens the controls of a login again.
    ///
    /// # Errors
    /// [`Refusal::NotSigned`], [`Refusal::Wait`], or a fault.
    pub fn unlock(&self, person: &Person, pin: &str, from: &str) -> Result<(), Error> {
        let key = Key::Pin(person.id().to_string());
        match self.prove(Some(&person.account), pin, |account| account.pin.clone(), &key, None)? {
            Proof::Right(_) => {
                self.logins.unlock(&person.login);
                self.audit.record(Kind::Unlocked, Some(person.id()), "", from);
                Ok(())
            }
            Proof::Wrong(what) => {
                self.audit.record(Kind::UnlockFailed, Some(person.id()), what, from);
                Err(Refusal::NotSigned.into())
            }
        }
    }

    /// Makes sure that the person at the page is the one signed in, before their secrets are changed.
    ///
    /// # Errors
    /// [`Refusal::NotKnown`], [`Refusal::Wait`], or a fault.
    pub fn prove_password(&self, person: &Person, password: &str, from: &str) -> Result<(), Error> {
        let key = Key::Password(person.id().to_string());
        let stored = |account: &Account| account.password.clone();
        match self.prove(Some(&person.account), password, stored, &key, None)? {
            Proof::Right(_) => Ok(()),
            Proof::Wrong(what) => {
                self.audit.record(Kind::SignInFailed, Some(person.id()), what, from);
                Err(Refusal::NotKnown.into())
            }
        }
    }

    /// Takes a signature: the signer's own user name and PIN, at any page of anybody signed in. The caller writes
    /// it into the event that it signs, and checks that two signers are two people.
    ///
    /// # Errors
    /// [`Refusal`] with the reason, or a fault.
    pub fn sign(&self, ask: ToSign<'_>) -> Result<Signature, Error> {
        let account = self.named(ask.user)?;
        let key = Key::Pin(staff_key(ask.user));
        let refuse = |who: Option<&StaffId>, why: &str| {
            let what = format!("{}: {why}", ask.meaning);
            self.audit.record(Kind::SignatureRefused, who, what, ask.from);
        };
        match self.prove(account.as_ref(), ask.pin, |account| account.pin.clone(), &key, None)? {
            Proof::Right(account) => match account.role_for(ask.needs) {
                Some(role) => {
                    self.audit.record(Kind::Signed, Some(&account.id), ask.meaning, ask.from);
                    let at = self.clock.now();
                    Ok(Signature { by: account.id.clone(), role, meaning: ask.meaning.to_owned(), at })
                }
                None => {
                    refuse(Some(&account.id), "the role may not");
                    Err(Refusal::Role { name: account.name.clone(), needs: ask.needs }.into())
                }
            },
            Proof::Wrong(what) => {
                refuse(account.as_ref().map(|account| &account.id), &what);
                Err(Refusal::NotSigned.into())
            }
        }
    }

    /// The person behind a cookie's token, if the login stands. `by_hand` as in [`Logins::find`].
    ///
    /// # Errors
    /// A fault when neither the log nor memory knows the account.
    pub fn admit(&self, token: &str, by_hand: bool) -> Result<Option<Person>, Fault> {
        let key = logins::digest(token);
        let Some((login, locked)) = self.logins.find(&key, by_hand) else { return Ok(None) };
        let Login { staff, csrf, started, .. } = login;
        let account = self.accounts.find(&staff)?.filter(|account| !account.disabled);
        let Some(account) = account.filter(|account| account.password_set_us <= micros(started)) else {
            self.logins.close(&key);
            return Ok(None);
        };
        Ok(Some(Person { account, csrf, login: key, locked }))
    }

    /// The account of a typed user name. A name of an impossible shape is nobody's.
    fn named(&self, user: &str) -> Result<Option<Account>, Fault> {
        match staff::user_name(user) {
            Ok(id) => self.accounts.find(&id),
            Err(_) => Ok(None),
        }
    }

    /// `at_the_door` is the address of one who signs in. Whoever is signed in waits for what was tried against their own
    /// account and for nothing else.
    fn prove<'a>(
        &self,
        account: Option<&'a Account>,
        secret: &str,
        stored: impl FnOnce(&Account) -> Option<String>,
        key: &Key,
        at_the_door: Option<&str>,
    ) -> Result<Proof<'a>, Error> {
        let address = at_the_door.map(|from| Key::Address(from.to_owned()));
        let keys: Vec<Key> = std::iter::once(key.clone()).chain(address).collect();
        self.throttle().begin(&keys, self.clock.passed()).map_err(|wait| Refusal::Wait {
            wait_s: wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX),
        })?;
        let stored = account.filter(|account| !account.disabled).and_then(stored);
        let right = {
            let _one = at_the_door.map(|_| self.door.lock().unwrap_or_else(PoisonError::into_inner));
            secret::matches(secret, stored.as_deref()).map_err(Fault::from)?
        };
        let mut throttle = self.throttle();
        let turned_away = throttle.take_turned_away(key);
        match account.filter(|_| right) {
            Some(account) => {
                throttle.succeeded(&keys);
                Ok(Proof::Right(account))
            }
            None if turned_away > 0 => {
                Ok(Proof::Wrong(format!("and {turned_away} tries turned away before it")))
            }
            None => Ok(Proof::Wrong(String::new())),
        }
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Proof<'a> {
    Right(&'a Account),
    Wrong(String),
}

/// One spelling for the throttle, bounded, whatever was typed.
fn staff_key(user: &str) -> String {
    user.trim().to_lowercase().chars().take(32).collect()
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}
