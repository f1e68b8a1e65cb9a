//! The log: one ordered, hash-chained record on SQLite or PostgreSQL. The only crate that knows SQL.
//!
//! What is not here: no clinical word, no clock, no async. Bodies are text to this crate, times are arguments. All
//! calls block, so call them from a thread that may wait (with PostgreSQL never from an async task).
//!
//! What holds: an append is answered only when it is on the disk; it is recorded whole or not at all; the same
//! command is recorded once; positions of a site have no gap; views change in the transaction of their events; no
//! query returns rows of another site; everyone who waits is told.

mod built;
mod chain;
mod fault;
#[cfg(feature = "faults")]
mod history;
mod journal;
mod minutes;
mod model;
mod place;
mod projector;
mod read;
mod reserve;
mod schema;
mod secrets;
mod signed;
mod sql;
mod turn;
mod views;
mod writer;

pub use fault::{AppendError, Fault};
#[cfg(feature = "faults")]
pub use history::{History, Outcomes};
pub use journal::{Report, SiteReport, export, verify};
pub use minutes::{Differing, Minutes, Vouched, verify_minutes};
#[cfg(feature = "faults")]
pub use model::Control;
pub use model::{
    Append, Appended, BODY_BYTES_MAX, Config, EVENTS_PER_APPEND_MAX, Frame, Head, Kept, NAME_BYTES_MAX,
    NUMBER_USED, NewEvent, ROWS_MAX, Recorded, Sample, Secret, Space, StreamWrite, WriterState,
};
pub use projector::{Projector, ViewItem, ViewPut, ViewRow, ViewsSoFar};
pub use secrets::{Secrets, verify_secrets};
pub use signed::SignedHead;
pub use views::{Astray, Stray, ViewsReport, verify_views};

use sha2::{Digest, Sha256};
use sql::{Db, Use};
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use turn::{Outcome, Work};
use writer::{Answer, Done, Job, Message, Writer};

/// Most pieces of work that wait; more are refused, not held back.
const QUEUE_MAX: usize = 8192;
/// Connections kept for reading; more are made when needed and closed again.
const READERS_KEPT: usize = 8;

/// An open log. Cheap to clone; the last clone to go finishes what waits, signs the heads and closes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    queue: Option<SyncSender<Message>>,
    state: Arc<Mutex<WriterState>>,
    readers: Mutex<Vec<Db>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A writer that panicked has told everyone through `Done`.
            let _panicked = thread.join();
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address of a PostgreSQL server can hold a password.
        f.debug_struct("Store").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the log, migrates it, verifies its end against itself and the signed heads, and rebuilds views
    /// that an older projector wrote.
    pub fn open(config: Config) -> Result<Self, Fault> {
        let (queue, inbox) = sync_channel(QUEUE_MAX);
        let state = Arc::new(Mutex::new(WriterState::Recording));
        let writer = Writer::open(config.clone(), inbox, Arc::clone(&state))?;
        let thread = std::thread::Builder::new()
            .name("log writer".into())
            .spawn(move || writer.run())
            .map_err(|e| Fault::Machine(format!("no thread for the writer: {e}")))?;
        let readers = Mutex::new(Vec::new());
        let inner = Inner { config, queue: Some(queue), state, readers, thread: Some(thread) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether new events are being recorded.
    pub fn state(&self) -> WriterState {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Room on the disk of an SQLite log; `None` for PostgreSQL, whose disk is elsewhere.
    pub fn space(&self) -> Result<Option<Space>, Fault> {
        self.inner.config.file().map(reserve::space).transpose()
    }

    /// Records a command's events and waits until they are durable.
    pub fn append(&self, append: Append) -> Result<Appended, AppendError> {
        match self.wait(Work::Append(append))? {
            Outcome::Appended(appended) => Ok(appended),
            _ => Err(AppendError::Uncertain(Fault::Stopped)),
        }
    }

    /// As [`Store::append`], but tells `done`, on the writer's thread, instead of waiting. `done` must be quick and
    /// must not wait for the store.
    pub fn submit(&self, append: Append, done: impl FnOnce(Result<Appended, AppendError>) + Send + 'static) {
        self.send(
            Work::Append(append),
            Done::new(move |answer| {
                done(answer.and_then(|outcome| match outcome {
                    Outcome::Appended(appended) => Ok(appended),
                    _ => Err(AppendError::Uncertain(Fault::Stopped)),
                }));
            }),
        );
    }

    /// Keeps a raw device message and waits until it is durable. The same bytes under the same number are kept once.
    pub fn keep_frame(&self, frame: Frame) -> Result<Kept, AppendError> {
        match self.wait(Work::Frame(frame))? {
            Outcome::Kept(kept) => Ok(kept),
            _ => Err(AppendError::Uncertain(Fault::Stopped)),
        }
    }

    /// As [`Store::keep_frame`], but tells `done` on the writer's thread.
    pub fn submit_frame(&self, frame: Frame, done: impl FnOnce(Result<Kept, AppendError>) + Send + 'static) {
        self.send(
            Work::Frame(frame),
            Done::new(move |answer| {
                done(answer.and_then(|outcome| match outcome {
                    Outcome::Kept(kept) => Ok(kept),
                    _ => Err(AppendError::Uncertain(Fault::Stopped)),
                }));
            }),
        );
    }

    /// Writes a minute of numerics, or replaces it while the minute still grows.
    pub fn put_sample(&self, sample: Sample) -> Result<(), AppendError> {
        self.wait(Work::Sample(sample)).map(drop)
    }

    /// Writes or replaces a row that is neither clinical nor kept.
    pub fn put_secret(&self, secret: Secret) -> Result<(), AppendError> {
        self.wait(Work::Secret(secret)).map(drop)
    }

    /// Takes such a row away; true when there was one.
    pub fn forget_secret(&self, site: &str, kind: &str, name: &str) -> Result<bool, AppendError> {
        let (site, kind, name) = (site.to_owned(), kind.to_owned(), name.to_owned());
        self.rows_changed(Work::ForgetSecret { site, kind, name }).map(|rows| rows > 0)
    }

    /// Takes away all such rows of a site that have expired; tells how many.
    pub fn expire_secrets(&self, site: &str, now_us: i64) -> Result<u64, AppendError> {
        self.rows_changed(Work::ExpireSecrets { site: site.to_owned(), now_us })
    }

    /// Remembers how far a tailer (an outbox, a reminder) has read.
    pub fn set_cursor(&self, site: &str, name: &str, position: i64) -> Result<(), AppendError> {
        self.wait(Work::Cursor { site: site.to_owned(), name: name.to_owned(), position }).map(drop)
    }

    /// Empties a site's views and makes them again from the log; tells how many events were read.
    pub fn rebuild_views(&self, site: &str) -> Result<u64, AppendError> {
        self.rows_changed(Work::Rebuild { site: site.to_owned() })
    }

    /// Signs the head of a site now, for the day-close print. Needs [`Config::head_folder`].
    pub fn sign_head(&self, site: &str) -> Result<SignedHead, Fault> {
        let (tell, told) = sync_channel(1);
        let message = Message::Sign { site: site.to_owned(), tell };
        let queue = self.inner.queue.as_ref().ok_or(Fault::Stopped)?;
        queue.try_send(message).map_err(|_| Fault::QueueFull)?;
        told.recv().unwrap_or(Err(Fault::Stopped))
    }

    /// Sites that have a log.
    pub fn sites(&self) -> Result<Vec<String>, Fault> {
        self.read(read::sites)
    }

    /// Last position of a site and its chain.
    pub fn head(&self, site: &str) -> Result<Head, Fault> {
        self.read(|db| read::head(db, site))
    }

    /// Events after a position, in order, at most `limit` (1 to [`ROWS_MAX`]).
    pub fn since(&self, site: &str, position: i64, limit: i64) -> Result<Vec<Recorded>, Fault> {
        self.read(|db| read::since(db, site, position, limit))
    }

    /// All events of a stream, in order. Empty when there is no such stream.
    pub fn stream(&self, site: &str, stream: &str) -> Result<Vec<Recorded>, Fault> {
        self.read(|db| {
            let mut events: Vec<Recorded> = Vec::new();
            loop {
                let after = events.last().map_or(0, |event| event.version);
                let more = read::stream(db, site, stream, after, ROWS_MAX)?;
                let last = (more.len() as i64) < ROWS_MAX;
                events.extend(more);
                if last {
                    return Ok(events);
                }
            }
        })
    }

    /// Version of a stream, 0 when there is none.
    pub fn version(&self, site: &str, stream: &str) -> Result<i64, Fault> {
        self.read(|db| read::version(db, site, stream))
    }

    /// Reply and events of a command, if it was recorded.
    pub fn command(&self, site: &str, command_id: &str) -> Result<Option<(Vec<Recorded>, String)>, Fault> {
        self.read(|db| {
            let Some(command) = read::command(db, site, command_id)? else { return Ok(None) };
            Ok(Some((read::command_events(db, site, &command)?, command.reply)))
        })
    }

    /// Frames of one device received from `from_us` until before `to_us`, at most `limit`.
    pub fn frames(
        &self,
        site: &str,
        device: &str,
        from_us: i64,
        to_us: i64,
        limit: i64,
    ) -> Result<Vec<Frame>, Fault> {
        self.read(|db| read::frames(db, site, device, from_us, to_us, limit))
    }

    /// Minutes of a series from `from_us` until before `to_us`, at most [`ROWS_MAX`].
    pub fn samples(
        &self,
        site: &str,
        session: &str,
        series: &str,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Sample>, Fault> {
        self.read(|db| read::samples(db, site, session, series, from_us, to_us))
    }

    /// Value of a row that has not expired.
    pub fn secret(&self, site: &str, kind: &str, name: &str, now_us: i64) -> Result<Option<String>, Fault> {
        self.read(|db| read::secret(db, site, kind, name, now_us))
    }

    /// How far a tailer has read, 0 at first.
    pub fn cursor(&self, site: &str, name: &str) -> Result<i64, Fault> {
        self.read(|db| read::cursor(db, site, name))
    }

    /// Body of one row of a view.
    pub fn view(&self, site: &str, view: &str, key: &str) -> Result<Option<String>, Fault> {
        self.read(|db| read::view_body(db, site, view, key))
    }

    /// Rows of a view whose search text holds `search` (all of them for an empty one), highest sort first, then the
    /// latest written; at most `limit`.
    pub fn view_list(
        &self,
        site: &str,
        view: &str,
        search: &str,
        limit: i64,
    ) -> Result<Vec<ViewItem>, Fault> {
        self.read(|db| read::view_list(db, site, view, search, limit))
    }

    /// Every row of a view, in order of its key. They are read a part at a time: a row that is written meanwhile may
    /// come as it was or as it is.
    pub fn view_each(&self, site: &str, view: &str, mut each: impl FnMut(ViewItem)) -> Result<(), Fault> {
        self.read(|db| {
            let mut after = String::new();
            loop {
                let rows = read::view_after(db, site, view, &after, ROWS_MAX)?;
                let Some(last) = rows.last() else { return Ok(()) };
                after.clone_from(&last.key);
                rows.into_iter().for_each(&mut each);
            }
        })
    }

    /// Digest over all view rows of a site, to show that a rebuild gives the same bytes.
    pub fn views_digest(&self, site: &str) -> Result<[u8; 32], Fault> {
        let mut hash = Sha256::new();
        let mut broken = None;
        self.read(|db| {
            read::each_view_row(db, site, &mut |row| {
                let read::KeptRow { turn, sort, view, key, search, body } = match row {
                    Ok(row) => row,
                    Err(row) => return broken = Some(row),
                };
                for field in [&turn.to_be_bytes()[..], &sort.to_be_bytes()] {
                    hash.update(field);
                }
                for field in [view, key, search, body] {
                    hash.update((field.len() as u64).to_be_bytes());
                    hash.update(field);
                }
            })
        })?;
        match broken {
            Some(read::BrokenRow { turn, column, .. }) => {
                Err(Fault::Broken(format!("{site}: the column {column} of the list row of turn {turn}")))
            }
            None => Ok(hash.finalize().into()),
        }
    }

    /// Verifies the whole log and the signed heads of [`Config::head_folder`] while it is in use.
    pub fn verify(&self) -> Result<Report, Fault> {
        let heads = self.inner.config.head_folder.as_deref().map(signed::read_signed).transpose()?;
        journal::verify(&self.inner.config.url, &heads.unwrap_or_default())
    }

    /// Copies an SQLite log into a new file while it is in use. Verify the copy before you trust it.
    pub fn copy_to(&self, file: &Path) -> Result<(), Fault> {
        self.read(|db| db.copy_to(file))
    }

    fn read<T>(&self, query: impl FnOnce(&mut Db) -> Result<T, Fault>) -> Result<T, Fault> {
        let kept = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut db = match kept {
            Some(db) => db,
            None => Db::open(&self.inner.config.url, Use::Read, self.inner.config.control)?,
        };
        // A connection that saw an error is not used again.
        let answer = query(&mut db)?;
        let mut readers = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(db);
        }
        Ok(answer)
    }

    fn wait(&self, work: Work) -> Answer {
        let (tell, told) = sync_channel(1);
        // The receiver below waits, so the answer cannot be lost.
        self.send(work, Done::new(move |answer| drop(tell.send(answer))));
        told.recv().unwrap_or(Err(AppendError::Uncertain(Fault::Stopped)))
    }

    fn rows_changed(&self, work: Work) -> Result<u64, AppendError> {
        match self.wait(work)? {
            Outcome::Rows(rows) => Ok(rows),
            _ => Err(AppendError::Uncertain(Fault::Stopped)),
        }
    }

    fn send(&self, work: Work, done: Done) {
        if let Err(fault) = work.check() {
            return done.tell(Err(AppendError::Refused(fault)));
        }
        let Some(queue) = &self.inner.queue else {
            return done.tell(Err(AppendError::Refused(Fault::Stopped)));
        };
        let (message, fault) = match queue.try_send(Message::Job(Job { work, done })) {
            Ok(()) => return,
            Err(TrySendError::Full(message)) => (message, Fault::QueueFull),
            Err(TrySendError::Disconnected(message)) => (message, Fault::Stopped),
        };
        if let Message::Job(job) = message {
            job.done.tell(Err(AppendError::Refused(fault)));
        }
    }
}
