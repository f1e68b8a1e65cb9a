//! Accounts in the log: who works here, read from their streams and changed by appending to them.

use super::secret::{self, Weak};
use super::staff::{Account, BadName, StaffEvent, person_name, user_name};
use crate::Fault;
use crate::clock::{Clock, Ids};
use crate::founding::{self, Purpose};
use clinic::id::StaffId;
use clinic::staff::Role;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Append, AppendError, NewEvent, Store, StreamWrite};

/// The stream that lists who was ever added, so that all accounts can be found.
const LIST: &str = "staff";

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// User name as typed.
    pub user: String,
    /// Name as typed.
    pub name: String,
    /// At least one.
    pub roles: Vec<Role>,
    /// First password; the person changes it.
    pub password: String,
    /// First PIN; the person changes it. Without one the person cannot sign.
    pub pin: Option<String>,
}

/// Why an account was not changed: an answer for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name that does not fit.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A secret that is too weak.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The user name belongs to somebody, now or once.
    #[error("The user name \"{0}\" is taken. Names are never given to another person: choose another.")]
    Taken(StaffId),
    /// Nobody has this user name.
    #[error("Nobody has the user name \"{0}\".")]
    Nobody(StaffId),
    /// No role was chosen.
    #[error("Choose at least one role.")]
    NoRole,
    /// The clinic has its first owner already.
    #[error("This clinic already has its first owner. Sign in as the owner to add people.")]
    AlreadyFounded,
    /// Two people changed the account at the same moment.
    #[error("The account of \"{0}\" was changed by somebody else a moment ago. Look again, then repeat.")]
    Changed(StaffId),
}

/// A refusal or a fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// For a person.
    #[error(transparent)]
    Refused(Refusal),
    /// A broken machine.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl<R: Into<Refusal>> From<R> for Error {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    id: StaffId,
}

/// Who works here.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    site: String,
    clock: Clock,
    ids: Ids,
    /// The last state read, used only while the log cannot be read: a broken disk must not sign a nurse out.
    last_read: Arc<Mutex<HashMap<StaffId, Account>>>,
}

impl Accounts {
    /// Reads and writes the accounts of `site`.
    pub fn new(store: Store, site: &str, clock: Clock, ids: Ids) -> Self {
        Self { store, site: site.to_owned(), clock, ids, last_read: Arc::default() }
    }

    /// The account, as the log has it now.
    ///
    /// # Errors
    /// [`Fault`] when the log cannot be read and the account was never read before.
    pub fn find(&self, id: &StaffId) -> Result<Option<Account>, Fault> {
        let mut last_read = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        match self.read(id) {
            Ok(Some(account)) => {
                last_read.insert(id.clone(), account.clone());
                Ok(Some(account))
            }
            Ok(None) => Ok(None),
            Err(fault) => last_read.get(id).cloned().map(Some).ok_or(fault),
        }
    }

    fn read(&self, id: &StaffId) -> Result<Option<Account>, Fault> {
        let recorded = self.store.stream(&self.site, &stream_of(id))?;
        let mut account = Account::nobody(id.clone());
        for event in recorded {
            account = account.evolve(crate::read_event(&event)?, event.version, event.at_us);
        }
        Ok((account.version > 0).then_some(account))
    }

    /// Everybody who was ever added, by user name.
    ///
    /// # Errors
    /// [`Fault`] when the log cannot be read.
    pub fn all(&self) -> Result<Vec<Account>, Fault> {
        let mut all = Vec::new();
        for event in self.store.stream(&self.site, LIST)? {
            let listed: Listed = crate::read_event(&event)?;
            all.extend(self.find(&listed.id)?);
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// Founds a clinic for `purpose` with its first owner. Refused once there is one.
    ///
    /// # Errors
    /// [`Error`] with the refusal or the fault.
    pub fn found(&self, owner: NewStaff, purpose: Purpose, command_id: &str) -> Result<StaffId, Error> {
        let first = purpose.founding()?;
        let author = user_name(&owner.user)?;
        self.add_with(owner, author.as_str(), command_id, vec![first])
    }

    /// Adds a person. `author` is the signed-in owner; the same `command_id` never adds twice.
    ///
    /// # Errors
    /// [`Error`] with the refusal or the fault.
    pub fn add(&self, person: NewStaff, author: &StaffId, command_id: &str) -> Result<StaffId, Error> {
        self.add_with(person, author.as_str(), command_id, Vec::new())
    }

    fn add_with(
        &self,
        person: NewStaff,
        author: &str,
        command_id: &str,
        mut writes: Vec<StreamWrite>,
    ) -> Result<StaffId, Error> {
        let id = user_name(&person.user)?;
        let name = person_name(&person.name)?;
        if person.roles.is_empty() {
            return Err(Refusal::NoRole.into());
        }
        secret::check_password(&person.password, id.as_str())?;
        let mut events = vec![StaffEvent::StaffAdded { name }];
        events.extend(person.roles.into_iter().map(|role| StaffEvent::RoleGranted { role }));
        events.push(StaffEvent::PasswordSet { argon2id: self.hash(&person.password)? });
        if let Some(pin) = person.pin {
            secret::check_pin(&pin)?;
            events.push(StaffEvent::PinSet { argon2id: self.hash(&pin)? });
        }
        let listed = NewEvent { kind: "staff_listed".to_owned(), body: body(&Listed { id: id.clone() })? };
        writes.push(staff_write(&id, 0, &events)?);
        writes.push(StreamWrite { stream: LIST.to_owned(), expected: None, events: vec![listed] });
        match self.append(writes, author, command_id) {
            Ok(()) => Ok(id),
            Err(AppendError::Conflict { stream, .. }) if stream == founding::STREAM => {
                Err(Refusal::AlreadyFounded.into())
            }
            Err(AppendError::Conflict { .. }) => Err(Refusal::Taken(id).into()),
            Err(fault) => Err(Fault::from(fault).into()),
        }
    }

    /// Sets a person's password.
    ///
    /// # Errors
    /// [`Error`] with the refusal or the fault.
    pub fn set_password(
        &self,
        id: &StaffId,
        password: &str,
        author: &StaffId,
        command_id: &str,
    ) -> Result<(), Error> {
        secret::check_password(password, id.as_str())?;
        let argon2id = self.hash(password)?;
        self.change(id, StaffEvent::PasswordSet { argon2id }, author, command_id)
    }

    /// Sets a person's PIN.
    ///
    /// # Errors
    /// [`Error`] with the refusal or the fault.
    pub fn set_pin(&self, id: &StaffId, pin: &str, author: &StaffId, command_id: &str) -> Result<(), Error> {
        secret::check_pin(pin)?;
        let argon2id = self.hash(pin)?;
        self.change(id, StaffEvent::PinSet { argon2id }, author, command_id)
    }

    /// Grants or withdraws a role, disables or enables a person.
    ///
    /// # Errors
    /// [`Error`] with the refusal or the fault.
    pub fn change(
        &self,
        id: &StaffId,
        event: StaffEvent,
        author: &StaffId,
        command_id: &str,
    ) -> Result<(), Error> {
        let account = self.read(id)?.ok_or_else(|| Refusal::Nobody(id.clone()))?;
        let write = staff_write(id, account.version, &[event])?;
        match self.append(vec![write], author.as_str(), command_id) {
            Ok(()) => Ok(()),
            Err(AppendError::Conflict { .. }) => Err(Refusal::Changed(id.clone()).into()),
            Err(fault) => Err(Fault::from(fault).into()),
        }
    }

    fn append(&self, writes: Vec<StreamWrite>, author: &str, command_id: &str) -> Result<(), AppendError> {
        let append = Append {
            site: self.site.clone(),
            command_id: command_id.to_owned(),
            author: author.to_owned(),
            at_us: self.clock.now().as_microsecond(),
            writes,
            reply: String::new(),
            closing: false,
        };
        self.store.append(append).map(|_| ())
    }

    fn hash(&self, secret: &str) -> Result<String, Fault> {
        Ok(secret::hash(secret, &self.ids.bytes())?)
    }
}

fn stream_of(id: &StaffId) -> String {
    format!("{LIST}/{id}")
}

fn body<T: Serialize>(event: &T) -> Result<String, Fault> {
    serde_json::to_string(event).map_err(|cause| Fault::Event { kind: "staff".to_owned(), cause })
}

fn staff_write(id: &StaffId, version: i64, events: &[StaffEvent]) -> Result<StreamWrite, Fault> {
    let events = events
        .iter()
        .map(|event| Ok(NewEvent { kind: event.kind().to_owned(), body: body(event)? }))
        .collect::<Result<_, Fault>>()?;
    Ok(StreamWrite { stream: stream_of(id), expected: Some(version), events })
}
