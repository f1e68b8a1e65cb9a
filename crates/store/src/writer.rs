//! The one thread that writes. It takes whatever waits, up to 512 pieces of work, and makes them durable with one
//! commit: while a commit is on its way to the disk the next group gathers, so a lone command does not wait for
//! company and a crowd shares one fsync.
//!
//! After any fault of the machine the connection is dropped, opened anew and verified before anything is accepted
//! again, and everyone who waits is told.

use crate::fault::{AppendError, Fault};
use crate::journal;
use crate::model::{Append, Appended, Config, Control, Frame, WriterState};
use crate::place::{self, Place};
use crate::read;
use crate::reserve::{Reserve, space};
use crate::schema;
use crate::signed::{HeadFile, SignedHead, sync_folder};
use crate::sql::{Bind, Db, Use};
use crate::turn::{Outcome, Turn, Work, rebuild, views_version};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most pieces of work in one commit.
const GROUP_MAX: usize = 512;
/// Events verified at a start and after a fault, a site.
const TAIL: i64 = 1000;
/// Heads are signed after so many events, or as soon as nothing waits for [`QUIET`].
const SIGN_EVERY: usize = 1000;
const QUIET: Duration = Duration::from_millis(200);
/// How often a writer that cannot record tries again when nobody asks.
const TRY_AGAIN: Duration = Duration::from_millis(250);
const NOTHING_TO_DO: Duration = Duration::from_secs(60);
/// A disk with less room counts as full when recording is to start again.
const ROOM_BYTES_MIN: u64 = 256 << 10;

pub(crate) type Answer = Result<Outcome, AppendError>;

/// Tells the caller exactly once, even when the writer dies with the work in its hands.
pub(crate) struct Done(Option<Box<dyn FnOnce(Answer) + Send>>);

impl Done {
    pub(crate) fn new(tell: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    pub(crate) fn tell(mut self, answer: Answer) {
        if let Some(tell) = self.0.take() {
            // A caller's mistake must not end the recording for everybody else.
            let _panicked = std::panic::catch_unwind(AssertUnwindSafe(|| tell(answer)));
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Err(AppendError::Uncertain(Fault::Stopped)));
        }
    }
}

pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) done: Done,
}

pub(crate) enum Message {
    Job(Job),
    Sign { site: String, tell: SyncSender<Result<SignedHead, Fault>> },
}

enum Failed {
    /// Nothing was written.
    Before(Fault),
    /// The commit itself: what was about to be answered may be true.
    AtCommit(Fault, Vec<Answer>),
}

pub(crate) struct Writer {
    config: Config,
    inbox: Receiver<Message>,
    state: Arc<Mutex<WriterState>>,
    db: Option<Db>,
    place: Place,
    gone: Option<Fault>,
    reserve: Option<Reserve>,
    reserve_spent: bool,
    heads: Option<HeadFile>,
    unsigned_sites: BTreeSet<String>,
    unsigned_events: usize,
    latest_us: i64,
}

impl Writer {
    pub(crate) fn open(
        config: Config,
        inbox: Receiver<Message>,
        state: Arc<Mutex<WriterState>>,
    ) -> Result<Self, Fault> {
        let reserve = Reserve::beside(config.file(), config.reserve_bytes);
        let mut reserve_spent = false;
        let opened = match (open_first(&config), &reserve) {
            // Even to open a log takes a little room.
            (Err(Fault::DiskFull(_)), Some(reserve)) => {
                reserve.free()?;
                reserve_spent = true;
                open_first(&config)
            }
            (opened, _) => opened,
        };
        let (db, heads) = opened?;
        let place = Place::of(config.file())?;
        let mut writer = Self {
            config,
            inbox,
            state,
            db: Some(db),
            place,
            gone: None,
            reserve,
            reserve_spent,
            heads,
            unsigned_sites: BTreeSet::new(),
            unsigned_events: 0,
            latest_us: 0,
        };
        match writer.reserve.as_ref().map_or(Ok(()), Reserve::take) {
            Ok(()) => writer.reserve_spent = false,
            Err(Fault::DiskFull(_)) => writer.reserve_spent = true,
            Err(other) => return Err(other),
        }
        writer.accept_again("there is no room for the reserve");
        Ok(writer)
    }

    /// Works until every sender is gone and the queue is empty.
    pub(crate) fn run(mut self) {
        loop {
            match self.inbox.recv_timeout(self.patience()) {
                Ok(message) => self.gather(message),
                Err(RecvTimeoutError::Timeout) => {
                    let _still_broken = self.ready();
                    self.sign_moved();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.sign_moved();
        // Leaves the whole log in one file; the next start does it otherwise.
        let _not_now = self.db.as_mut().map(Db::settle);
    }

    fn patience(&self) -> Duration {
        if self.db.is_none() || self.reserve_spent || self.gone.is_some() {
            TRY_AGAIN
        } else if self.heads.is_some() && !self.unsigned_sites.is_empty() {
            QUIET
        } else {
            NOTHING_TO_DO
        }
    }

    fn gather(&mut self, first: Message) {
        let mut jobs = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::Sign { site, tell } => {
                    self.turn(std::mem::take(&mut jobs));
                    // The caller may have stopped waiting.
                    let _gone = tell.send(self.sign(&site));
                }
            }
            next = if jobs.len() < GROUP_MAX { self.inbox.try_recv().ok() } else { None };
        }
        self.turn(jobs);
        if self.unsigned_events >= SIGN_EVERY {
            self.sign_moved();
        }
    }

    fn turn(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        self.latest_us = jobs.iter().filter_map(|job| job.work.at_us()).fold(self.latest_us, i64::max);
        // Sites always in the same order, so that two programs on one PostgreSQL cannot wait for each other.
        jobs.sort_by(|a, b| a.work.site().cmp(b.work.site()));
        if let Err(fault) = self.ready() {
            let why = Fault::NotRecording(fault.to_string());
            return refuse(jobs, &why);
        }
        let jobs = if self.reserve_spent { self.only_closing(jobs) } else { jobs };
        self.record(jobs);
    }

    fn only_closing(&self, jobs: Vec<Job>) -> Vec<Job> {
        let (closing, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.closing());
        refuse(others, &Fault::DiskFull("only closing events are recorded".into()));
        closing
    }

    fn record(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        match self.commit(&jobs) {
            Ok(answers) => self.tell(jobs, answers),
            Err(Failed::Before(fault)) if fault.is_machine() => {
                let freed = self.fail(&fault);
                if freed && self.reopen().is_ok() {
                    let closing = self.only_closing(jobs);
                    return self.record(closing);
                }
                refuse(jobs, &fault);
            }
            Err(Failed::Before(_)) if jobs.len() > 1 => {
                // One row spoils the group: each on its own, so that only its owner is refused.
                for job in jobs {
                    self.record(vec![job]);
                }
            }
            Err(Failed::Before(fault)) => refuse(jobs, &fault),
            Err(Failed::AtCommit(fault, answers)) => {
                let freed = self.fail(&fault);
                if self.reopen().is_err() {
                    return jobs
                        .drain(..)
                        .for_each(|job| job.done.tell(Err(AppendError::Uncertain(fault.clone()))));
                }
                let missing = self.resolve(jobs, answers, &fault);
                if freed {
                    let closing = self.only_closing(missing);
                    return self.record(closing);
                }
                refuse(missing, &fault);
            }
        }
    }

    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Answer>, Failed> {
        let Some(db) = self.db.as_mut() else { return Err(Failed::Before(Fault::Stopped)) };
        db.begin().map_err(Failed::Before)?;
        let mut turn = Turn::new(self.config.projector.as_deref(), self.config.control);
        let mut answers = Vec::with_capacity(jobs.len());
        let mut outcome = Ok(());
        for job in jobs {
            match turn.work(db, &job.work) {
                Err(AppendError::Refused(fault)) => {
                    outcome = Err(fault);
                    break;
                }
                answer => answers.push(answer),
            }
        }
        if let Err(fault) = outcome.and_then(|()| turn.finish(db)) {
            let rolled_back = db.rollback();
            return Err(Failed::Before(rolled_back.err().unwrap_or(fault)));
        }
        match db.commit() {
            Ok(()) => Ok(answers),
            Err(fault) => Err(Failed::AtCommit(fault, answers)),
        }
    }

    fn tell(&mut self, jobs: Vec<Job>, answers: Vec<Answer>) {
        for (job, answer) in jobs.into_iter().zip(answers) {
            if let Ok(Outcome::Appended(Appended::Now(events))) = &answer {
                self.unsigned_events += events.len();
                self.unsigned_sites.insert(job.work.site().to_owned());
            }
            job.done.tell(answer);
        }
    }

    /// After a commit that failed: looks what the log has. What it has is answered, what it has not is given back.
    fn resolve(&mut self, jobs: Vec<Job>, answers: Vec<Answer>, fault: &Fault) -> Vec<Job> {
        let mut missing = Vec::new();
        let (mut found_jobs, mut found_answers) = (Vec::new(), Vec::new());
        for (job, answer) in jobs.into_iter().zip(answers) {
            match (self.has(&job.work), answer) {
                (Ok(Some(true)), answer) => {
                    found_jobs.push(job);
                    found_answers.push(answer);
                }
                (Ok(Some(false)), _) => missing.push(job),
                (Ok(None) | Err(_), _) => job.done.tell(Err(AppendError::Uncertain(fault.clone()))),
            }
        }
        self.tell(found_jobs, found_answers);
        missing
    }

    /// Whether the log has this work; `None` for rows that may be written twice without harm.
    fn has(&mut self, work: &Work) -> Result<Option<bool>, Fault> {
        let Some(db) = self.db.as_mut() else { return Err(Fault::Stopped) };
        // A server that lost our connection may still be committing: the lock waits for that.
        db.begin()?;
        let mut turn = Turn::new(None, self.config.control);
        let found = db.enter(work.site()).and_then(|()| turn.lock(db, work.site()).map(drop)).and_then(
            |()| match work {
                Work::Append(Append { site, command_id, .. }) => {
                    read::command(db, site, command_id).map(|command| Some(command.is_some()))
                }
                Work::Frame(frame) => known_frame(db, frame).map(Some),
                _ => Ok(None),
            },
        );
        db.rollback()?;
        found
    }

    /// Distrusts the connection. True when the reserve was freed just now.
    fn fail(&mut self, fault: &Fault) -> bool {
        self.db = None;
        let since_us = self.since_us();
        self.set_state(WriterState::NotRecording { since_us, why: fault.to_string() });
        if self.reserve_spent || !matches!(fault, Fault::DiskFull(_)) {
            return false;
        }
        self.reserve_spent = self.reserve.as_ref().is_some_and(|reserve| reserve.free().is_ok());
        self.reserve_spent
    }

    /// Makes sure that there is a trusted connection, and takes the reserve again when there is room.
    fn ready(&mut self) -> Result<(), Fault> {
        self.in_place()?;
        if self.db.is_none()
            && let Err(fault) = self.reopen()
        {
            let since_us = self.since_us();
            self.set_state(WriterState::NotRecording { since_us, why: fault.to_string() });
            return Err(fault);
        }
        if self.reserve_spent && self.reserve.as_ref().is_none_or(Reserve::take_again) {
            self.reserve_spent = false;
            self.accept_again("");
        }
        Ok(())
    }

    /// Makes sure that the files of the log are still those that were opened. Where not, what the connection holds is
    /// copied once, and the connection is kept: it may hold the only copy.
    fn in_place(&mut self) -> Result<(), Fault> {
        let Some(file) = self.place.gone() else {
            if self.gone.take().is_some() {
                self.accept_again("the log's file was away");
            }
            return Ok(());
        };
        let file = file.to_owned();
        if self.gone.is_none() {
            let log = self.config.file().map(Path::to_owned).unwrap_or_default();
            let copy = self.db.as_mut().map(|db| place::rescue(db, &log));
            let rescued = match copy {
                Some(Ok(copy)) => place::way_back(&log, &copy),
                Some(Err(why)) => format!("No copy of it could be made here: {why}."),
                None => String::new(),
            };
            self.gone = Some(Fault::Gone { file: file.display().to_string(), rescued });
        }
        let fault = self.gone.clone().unwrap_or(Fault::Stopped);
        let since_us = self.since_us();
        self.set_state(WriterState::NotRecording { since_us, why: fault.to_string() });
        Err(fault)
    }

    fn reopen(&mut self) -> Result<(), Fault> {
        if let Some(file) = self.config.file()
            && space(file)?.free_bytes < ROOM_BYTES_MIN
        {
            return Err(Fault::DiskFull(format!("less than {ROOM_BYTES_MIN} bytes are free")));
        }
        let mut db = Db::open(&self.config.url, Use::Write, self.config.control)?;
        schema::check(&mut db)?;
        make_sure(&mut db, &self.config)?;
        let heads = self.heads.as_ref().map(HeadFile::heads).unwrap_or_default();
        journal::check_start(&mut db, Some(TAIL), &heads)?;
        self.place = Place::of(self.config.file())?;
        self.db = Some(db);
        self.accept_again("the disk was full");
        Ok(())
    }

    fn accept_again(&self, why_not_all: &str) {
        let state = if self.reserve_spent {
            WriterState::ClosingOnly { since_us: self.since_us(), why: why_not_all.to_owned() }
        } else {
            WriterState::Recording
        };
        self.set_state(state);
    }

    fn since_us(&self) -> i64 {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            WriterState::Recording => self.latest_us,
            WriterState::ClosingOnly { since_us, .. } | WriterState::NotRecording { since_us, .. } => {
                since_us
            }
        }
    }

    fn set_state(&self, state: WriterState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Signs the heads that moved. One that cannot be signed now stays due.
    fn sign_moved(&mut self) {
        for site in std::mem::take(&mut self.unsigned_sites) {
            if self.heads.is_some() && self.sign(&site).is_err() {
                self.unsigned_sites.insert(site);
            }
        }
        self.unsigned_events = 0;
    }

    fn sign(&mut self, site: &str) -> Result<SignedHead, Fault> {
        let Some(db) = self.db.as_mut() else { return Err(Fault::NotRecording("no connection".into())) };
        let Some(heads) = self.heads.as_mut() else {
            return Err(Fault::Input {
                field: "head folder",
                why: "this store was opened without one".into(),
            });
        };
        let head = read::head(db, site)?;
        heads.sign(site, &head)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let since_us = self.since_us();
        self.set_state(WriterState::NotRecording { since_us, why: Fault::Stopped.to_string() });
    }
}

fn refuse(jobs: Vec<Job>, fault: &Fault) {
    for job in jobs {
        job.done.tell(Err(AppendError::Refused(fault.clone())));
    }
}

fn known_frame(db: &mut Db, frame: &Frame) -> Result<bool, Fault> {
    let digest = crate::chain::digest(&frame.bytes);
    read::frame_verdict(db, frame, &digest).map(|verdict| verdict.is_some())
}

/// Makes sure that what the database shows is on the disk and that more can be written, before anything is accepted
/// on top of it. A program that broke may have left pages that readers see and no later fsync will write.
fn make_sure(db: &mut Db, config: &Config) -> Result<(), Fault> {
    // A commit that succeeds overwrites what a failed one may have left in the write-ahead log: work that was refused
    // cannot come back at the next start.
    db.begin()?;
    let sql = "INSERT INTO settings (name, value) VALUES ('probe', 1) \
               ON CONFLICT (name) DO UPDATE SET value = settings.value + 1";
    let outcome = db.run(sql, &[]).and_then(|_| db.commit());
    if outcome.is_err() {
        db.rollback()?;
        return outcome;
    }
    db.settle()?;
    // SQLite does not tell when the name of its write-ahead log could not be made durable.
    config.file().map_or(Ok(()), sync_folder)
}

/// Opens, migrates, verifies and brings the views up to date, before anything is accepted.
fn open_first(config: &Config) -> Result<(Db, Option<HeadFile>), Fault> {
    if let Some(file) = config.file() {
        // The record is for its owner alone; the files that SQLite puts beside it take over the mode.
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
        made.map_err(|e| Fault::file(file, &e))?;
    }
    let mut db = Db::open(&config.url, Use::Write, config.control)?;
    schema::migrate(&mut db, schema::ALL)?;
    if config.control == Control::NoIdempotency {
        db.script("DROP INDEX IF EXISTS events_command")?;
    }
    make_sure(&mut db, config)?;
    let heads = config.head_folder.as_deref().map(HeadFile::open).transpose()?;
    let signed = heads.as_ref().map(HeadFile::heads).unwrap_or_default();
    journal::check_start(&mut db, (!config.verify_whole).then_some(TAIL), &signed)?;
    refresh_views(&mut db, config)?;
    Ok((db, heads))
}

/// Rebuilds the views when they were written by another version of the projector.
fn refresh_views(db: &mut Db, config: &Config) -> Result<(), Fault> {
    let Some(projector) = config.projector.as_deref() else { return Ok(()) };
    if views_version(db)? == Some(projector.version()) {
        return Ok(());
    }
    let sites = read::sites(db)?;
    db.begin()?;
    let rebuilt = sites.iter().try_for_each(|site| rebuild(db, site, Some(projector)).map(drop));
    let sql = "INSERT INTO settings (name, value) VALUES ('views', $1) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let outcome =
        rebuilt.and_then(|()| db.run(sql, &[Bind::Int(projector.version())])).and_then(|_| db.commit());
    if outcome.is_err() {
        db.rollback()?;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn work_that_is_dropped_is_told_as_uncertain() {
        let (tell, told) = sync_channel(1);
        drop(Done::new(move |answer| tell.send(answer.is_err_and(|e| e == UNCERTAIN)).unwrap_or(())));
        assert_eq!(told.recv(), Ok(true));
    }

    const UNCERTAIN: AppendError = AppendError::Uncertain(Fault::Stopped);
}
