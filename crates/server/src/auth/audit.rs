//! Who came, who looked, who went against a rule: entries in the log's stream `audit`.
//!
//! While the log cannot be written, entries wait in memory, in a bounded row, with the times they happened, and go
//! in first when it can: a full disk must not keep a nurse from the live room.

use crate::clock::{Clock, Ids};
use clinic::id::StaffId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use store::{Append, NewEvent, Store, StreamWrite};

/// The stream of all entries.
pub const STREAM: &str = "audit";
/// Most entries that wait while the log cannot be written; older ones are counted and let go.
const WAITING_MAX: usize = 1_000;
/// Most entries that one call writes, so that no page waits for a long row.
const FLUSHED_AT_ONCE_MAX: usize = 32;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person signed in.
    SignedIn,
    /// Somebody tried and failed.
    SignInFailed,
    /// A person signed out.
    SignedOut,
    /// The controls were unlocked by PIN.
    Unlocked,
    /// A wrong PIN at a lock.
    UnlockFailed,
    /// A signature was given.
    Signed,
    /// A signature was refused.
    SignatureRefused,
    /// A record was opened.
    RecordViewed,
    /// A limit was overridden with a reason.
    Overridden,
    /// A person asked for what their role may not do.
    AccessRefused,
    /// Somebody listened to the alarm sound of a display.
    SoundTested,
    /// The machine's clock was set.
    ClockSet,
    /// Entries that could not be kept while the log could not be written.
    EntriesLost,
}

impl Kind {
    /// The entry's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::Unlocked => "unlocked",
            Self::UnlockFailed => "unlock_failed",
            Self::Signed => "signed",
            Self::SignatureRefused => "signature_refused",
            Self::RecordViewed => "record_viewed",
            Self::Overridden => "overridden",
            Self::AccessRefused => "access_refused",
            Self::SoundTested => "sound_tested",
            Self::ClockSet => "clock_set",
            Self::EntriesLost => "entries_lost",
        }
    }
}

/// One entry's content, as JSON in the log. Ids only: no name, no free text of a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account; none when no known account was named.
    pub who: Option<StaffId>,
    /// The path, the signature's meaning, the reason.
    pub what: String,
    /// Network address.
    pub from: String,
}

#[derive(Default)]
struct Waiting {
    /// Each with its own command id, so that one whose fate is not known is not recorded twice.
    entries: VecDeque<Append>,
    lost: u64,
}

/// Writes entries.
pub struct Audit {
    store: Store,
    site: String,
    clock: Clock,
    ids: Ids,
    waiting: Mutex<Waiting>,
}

impl Audit {
    /// Writes into the log of `site`.
    pub fn new(store: Store, site: &str, clock: Clock, ids: Ids) -> Self {
        Self { store, site: site.to_owned(), clock, ids, waiting: Mutex::default() }
    }

    /// Records an entry, and before it what still waits. Blocks until durable or known to fail.
    pub fn record(&self, kind: Kind, who: Option<&StaffId>, what: impl Into<String>, from: &str) {
        let entry = self.entry(kind, who, what.into(), from);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entries.push_back(entry);
        for _ in 0..FLUSHED_AT_ONCE_MAX {
            let Some(next) = waiting.entries.pop_front() else { break };
            if let Err(cause) = self.store.append(next.clone()) {
                tracing::error!(%cause, waiting = waiting.entries.len() + 1, "an audit entry waits");
                waiting.entries.push_front(next);
                break;
            }
        }
        while waiting.entries.len() > WAITING_MAX {
            waiting.entries.pop_front();
            waiting.lost = waiting.lost.saturating_add(1);
        }
        if waiting.lost > 0 && waiting.entries.is_empty() {
            let what = format!("{} entries were lost while the log could not be written", waiting.lost);
            let notice = self.entry(Kind::EntriesLost, None, what, "server");
            waiting.lost = 0;
            waiting.entries.push_back(notice);
        }
    }

    fn entry(&self, kind: Kind, who: Option<&StaffId>, what: String, from: &str) -> Append {
        let entry = Entry { who: who.cloned(), what, from: from.to_owned() };
        let body = serde_json::json!(entry).to_string();
        Append {
            site: self.site.clone(),
            command_id: self.ids.next(),
            author: who.map_or_else(|| "nobody".to_owned(), ToString::to_string),
            at_us: self.clock.now().as_microsecond(),
            writes: vec![StreamWrite {
                stream: STREAM.to_owned(),
                expected: None,
                events: vec![NewEvent { kind: kind.name().to_owned(), body }],
            }],
            reply: String::new(),
            closing: false,
        }
    }
}
