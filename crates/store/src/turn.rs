//! One transaction of the writer: many commands, one commit. Every function here runs inside it.

use crate::chain;
use crate::fault::{AppendError, Fault};
use crate::model::{
    Append, Appended, BODY_BYTES_MAX, Control, EVENTS_PER_APPEND_MAX, Frame, Kept, NAME_BYTES_MAX,
    NUMBER_USED, ROWS_MAX, Recorded, Sample, Secret,
};
use crate::projector::{Projector, ViewPut, ViewsSoFar};
use crate::read::{self, Command, Tip};
use crate::sql::{Bind, Db};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

/// Most view rows that one event may write.
const ROWS_PER_EVENT_MAX: usize = 1000;

/// What the writer can be asked for.
#[derive(Debug)]
pub(crate) enum Work {
    Append(Append),
    Frame(Frame),
    Sample(Sample),
    Secret(Secret),
    ForgetSecret { site: String, kind: String, name: String },
    ExpireSecrets { site: String, now_us: i64 },
    Cursor { site: String, name: String, position: i64 },
    Rebuild { site: String },
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Appended(Appended),
    Kept(Kept),
    Rows(u64),
}

impl Work {
    pub(crate) fn site(&self) -> &str {
        match self {
            Self::Append(append) => &append.site,
            Self::Frame(frame) => &frame.site,
            Self::Sample(sample) => &sample.site,
            Self::Secret(secret) => &secret.site,
            Self::ForgetSecret { site, .. }
            | Self::ExpireSecrets { site, .. }
            | Self::Cursor { site, .. }
            | Self::Rebuild { site } => site,
        }
    }

    /// The caller's time, where the work has one.
    pub(crate) fn at_us(&self) -> Option<i64> {
        match self {
            Self::Append(append) => Some(append.at_us),
            Self::Frame(frame) => Some(frame.received_at_us),
            Self::ExpireSecrets { now_us, .. } => Some(*now_us),
            _ => None,
        }
    }

    pub(crate) fn closing(&self) -> bool {
        matches!(self, Self::Append(append) if append.closing)
    }

    /// Refuses what an engine could not hold, before it can spoil the commit of others.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        name("site", self.site())?;
        match self {
            Self::Append(append) => check_append(append),
            Self::Frame(frame) => {
                text("sender", &frame.sender, NAME_BYTES_MAX)?;
                text("control id", &frame.control_id, NAME_BYTES_MAX)?;
                text("device", &frame.device, NAME_BYTES_MAX)?;
                text("verdict", &frame.verdict, BODY_BYTES_MAX)?;
                bytes("frame", &frame.bytes)
            }
            Self::Sample(sample) => {
                name("session", &sample.session)?;
                name("series", &sample.series)?;
                bytes("sample", &sample.bytes)
            }
            Self::Secret(secret) => {
                name("kind", &secret.kind)?;
                name("name", &secret.name)?;
                text("value", &secret.value, BODY_BYTES_MAX)
            }
            Self::ForgetSecret { kind, name: key, .. } => name("kind", kind).and_then(|()| name("name", key)),
            Self::Cursor { name: key, .. } => name("name", key),
            Self::ExpireSecrets { .. } | Self::Rebuild { .. } => Ok(()),
        }
    }
}

fn check_append(append: &Append) -> Result<(), Fault> {
    name("command id", &append.command_id)?;
    name("author", &append.author)?;
    text("reply", &append.reply, BODY_BYTES_MAX)?;
    let mut count = 0;
    for write in &append.writes {
        name("stream", &write.stream)?;
        count += write.events.len();
        for event in &write.events {
            name("kind", &event.kind)?;
            text("body", &event.body, BODY_BYTES_MAX)?;
        }
    }
    if count > EVENTS_PER_APPEND_MAX {
        let why = format!("{count} events, at most {EVENTS_PER_APPEND_MAX}");
        return Err(Fault::Input { field: "command", why });
    }
    Ok(())
}

fn name(field: &'static str, value: &str) -> Result<(), Fault> {
    if value.is_empty() {
        return Err(Fault::Input { field, why: "it is empty".into() });
    }
    text(field, value, NAME_BYTES_MAX)
}

fn text(field: &'static str, value: &str, max: usize) -> Result<(), Fault> {
    // PostgreSQL has no way to hold the character NUL.
    if value.contains('\0') {
        return Err(Fault::Input { field, why: "it holds the character NUL".into() });
    }
    length(field, value.len(), max)
}

fn bytes(field: &'static str, value: &[u8]) -> Result<(), Fault> {
    length(field, value.len(), BODY_BYTES_MAX)
}

fn length(field: &'static str, length: usize, max: usize) -> Result<(), Fault> {
    if length > max {
        return Err(Fault::Input { field, why: format!("{length} bytes, at most {max}") });
    }
    Ok(())
}

/// The tips of the sites that this transaction has locked.
pub(crate) struct Turn<'a> {
    projector: Option<&'a dyn Projector>,
    control: Control,
    tips: BTreeMap<String, Tip>,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(projector: Option<&'a dyn Projector>, control: Control) -> Self {
        Self { projector, control, tips: BTreeMap::new() }
    }

    /// Does one piece of work. After an `Err(Refused)` the whole transaction must be given up.
    pub(crate) fn work(&mut self, db: &mut Db, work: &Work) -> Result<Outcome, AppendError> {
        let site = work.site();
        db.enter(site).map_err(AppendError::Refused)?;
        match work {
            Work::Append(append) => self.append(db, append).map(Outcome::Appended),
            Work::Frame(frame) => self.frame(db, frame).map(Outcome::Kept).map_err(AppendError::Refused),
            Work::Rebuild { .. } => {
                self.lock(db, site).map_err(AppendError::Refused)?;
                rebuild(db, site, self.projector).map(Outcome::Rows).map_err(AppendError::Refused)
            }
            _ => plain_row(db, work).map(Outcome::Rows).map_err(AppendError::Refused),
        }
    }

    /// Writes the tips; the last thing before the commit.
    pub(crate) fn finish(&mut self, db: &mut Db) -> Result<(), Fault> {
        for (site, tip) in &self.tips {
            let sql = "UPDATE head SET position = $2, chain = $3, commands = $4, frames = $5 WHERE site = $1";
            let binds = [
                Bind::Text(site),
                Bind::Int(tip.position),
                Bind::Bytes(&tip.chain),
                Bind::Int(tip.commands),
                Bind::Int(tip.frames),
            ];
            db.run(sql, &binds)?;
        }
        Ok(())
    }

    /// Locks a site for the rest of the transaction: its writers come one after the other, on any engine.
    pub(crate) fn lock(&mut self, db: &mut Db, site: &str) -> Result<&mut Tip, Fault> {
        if !self.tips.contains_key(site) {
            let sql = "INSERT INTO head (site, position, chain, commands, frames) VALUES ($1, 0, $2, 0, 0) \
                       ON CONFLICT (site) DO UPDATE SET position = head.position RETURNING position, chain, commands, frames";
            let row = db.row(sql, &[Bind::Text(site), Bind::Bytes(&[0; 32])])?;
            let mut row = row.ok_or_else(|| Fault::Broken(format!("{site} has no head")))?;
            let tip = Tip::of(&mut row)?;
            self.tips.insert(site.to_owned(), tip);
        }
        self.tips.get_mut(site).ok_or_else(|| Fault::Broken(format!("{site} has no head")))
    }

    fn append(&mut self, db: &mut Db, append: &Append) -> Result<Appended, AppendError> {
        let refused = AppendError::Refused;
        self.lock(db, &append.site).map_err(refused)?;
        if self.control != Control::NoIdempotency
            && let Some(first) = read::command(db, &append.site, &append.command_id).map_err(refused)?
        {
            if first.author != append.author {
                return Err(AppendError::CommandTaken { command_id: append.command_id.clone() });
            }
            let events = read::command_events(db, &append.site, &first).map_err(refused)?;
            return Ok(Appended::Before(events, first.reply));
        }
        // Nothing is written before every version was compared, so a conflict does not spoil the transaction.
        let mut versions = BTreeMap::new();
        for write in &append.writes {
            let actual = match versions.get(write.stream.as_str()) {
                Some(version) => *version,
                None => read::version(db, &append.site, &write.stream).map_err(refused)?,
            };
            if let Some(expected) = write.expected
                && expected != actual
            {
                return Err(AppendError::Conflict { stream: write.stream.clone(), expected, actual });
            }
            versions.insert(write.stream.as_str(), actual + write.events.len() as i64);
        }
        self.record(db, append).map(Appended::Now).map_err(refused)
    }

    fn record(&mut self, db: &mut Db, append: &Append) -> Result<Vec<Recorded>, Fault> {
        let tip = self.lock(db, &append.site)?;
        let before = tip.position;
        let mut walk = chain::Walk { position: tip.position, chain: tip.chain };
        let mut recorded = Vec::new();
        for write in &append.writes {
            let seen = read::version(db, &append.site, &write.stream)?;
            for (version, event) in (seen + 1..).zip(&write.events) {
                let mut event = Recorded {
                    site: append.site.clone(),
                    position: walk.position + 1,
                    stream: write.stream.clone(),
                    version,
                    kind: event.kind.clone(),
                    body: event.body.clone(),
                    author: append.author.clone(),
                    command_id: append.command_id.clone(),
                    at_us: append.at_us,
                    chain: [0; 32],
                };
                event.chain = chain::link(&walk.chain, &event);
                walk = chain::Walk { position: event.position, chain: event.chain };
                insert_event(db, &event, recorded.len() as i64)?;
                project(db, self.projector, &event)?;
                recorded.push(event);
            }
        }
        let control = self.control;
        let tip = self.lock(db, &append.site)?;
        tip.commands += 1;
        let command = Command {
            author: append.author.clone(),
            first_position: before + 1,
            event_count: recorded.len() as i64,
            reply: append.reply.clone(),
        };
        insert_command(db, append, &command, tip.commands, control)?;
        (tip.position, tip.chain) = (walk.position, walk.chain);
        Ok(recorded)
    }

    fn frame(&mut self, db: &mut Db, frame: &Frame) -> Result<Kept, Fault> {
        let digest = chain::digest(&frame.bytes);
        let tip = self.lock(db, &frame.site)?;
        if let Some(verdict) = read::frame_verdict(db, frame, &digest)? {
            return Ok(Kept::Before(verdict));
        }
        tip.frames += 1;
        let number = tip.frames;
        let used = read::is_number_used(db, frame)?;
        let verdict = frame.verdict.clone() + if used { NUMBER_USED } else { "" };
        let sql = "INSERT INTO frames (site, number, sender, control_id, digest, device, received_at_us, bytes, verdict, seal) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let seal = read::frame_seal(frame, &verdict, number);
        let binds = [
            Bind::Text(&frame.site),
            Bind::Int(number),
            Bind::Text(&frame.sender),
            Bind::Text(&frame.control_id),
            Bind::Bytes(&digest),
            Bind::Text(&frame.device),
            Bind::Int(frame.received_at_us),
            Bind::Bytes(&frame.bytes),
            Bind::Text(&verdict),
            Bind::Bytes(&seal),
        ];
        db.run(sql, &binds)?;
        Ok(if used { Kept::NumberUsed } else { Kept::Now })
    }
}

fn insert_event(db: &mut Db, event: &Recorded, ordinal: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO events (site, position, stream, version, kind, body, author, command_id, ordinal, at_us, chain) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let binds = [
        Bind::Text(&event.site),
        Bind::Int(event.position),
        Bind::Text(&event.stream),
        Bind::Int(event.version),
        Bind::Text(&event.kind),
        Bind::Text(&event.body),
        Bind::Text(&event.author),
        Bind::Text(&event.command_id),
        Bind::Int(ordinal),
        Bind::Int(event.at_us),
        Bind::Bytes(&event.chain),
    ];
    db.run(sql, &binds).map(drop)
}

fn insert_command(
    db: &mut Db,
    append: &Append,
    command: &Command,
    number: i64,
    control: Control,
) -> Result<(), Fault> {
    let sql = "INSERT INTO commands \
               (site, number, command_id, author, at_us, first_position, event_count, reply, seal) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let weak = format!("{sql} ON CONFLICT DO NOTHING");
    let seal = command.seal(&append.site, number, &append.command_id, append.at_us);
    let binds = [
        Bind::Text(&append.site),
        Bind::Int(number),
        Bind::Text(&append.command_id),
        Bind::Text(&command.author),
        Bind::Int(append.at_us),
        Bind::Int(command.first_position),
        Bind::Int(command.event_count),
        Bind::Text(&command.reply),
        Bind::Bytes(&seal),
    ];
    db.run(if control == Control::NoIdempotency { &weak } else { sql }, &binds).map(drop)
}

fn plain_row(db: &mut Db, work: &Work) -> Result<u64, Fault> {
    match work {
        Work::Sample(sample) => db.run(
            "INSERT INTO samples (site, session, series, minute_us, bytes) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site, session, series, minute_us) DO UPDATE SET bytes = excluded.bytes",
            &[
                Bind::Text(&sample.site),
                Bind::Text(&sample.session),
                Bind::Text(&sample.series),
                Bind::Int(sample.minute_us),
                Bind::Bytes(&sample.bytes),
            ],
        ),
        Work::Secret(secret) => db.run(
            "INSERT INTO secrets (site, kind, name, value, expires_us) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site, kind, name) DO UPDATE SET value = excluded.value, expires_us = excluded.expires_us",
            &[
                Bind::Text(&secret.site),
                Bind::Text(&secret.kind),
                Bind::Text(&secret.name),
                Bind::Text(&secret.value),
                Bind::Int(secret.expires_us),
            ],
        ),
        Work::ForgetSecret { site, kind, name } => db.run(
            "DELETE FROM secrets WHERE site = $1 AND kind = $2 AND name = $3",
            &[Bind::Text(site), Bind::Text(kind), Bind::Text(name)],
        ),
        Work::ExpireSecrets { site, now_us } => db.run(
            "DELETE FROM secrets WHERE site = $1 AND expires_us <= $2",
            &[Bind::Text(site), Bind::Int(*now_us)],
        ),
        Work::Cursor { site, name, position } => db.run(
            "INSERT INTO cursors (site, name, position) VALUES ($1, $2, $3) \
             ON CONFLICT (site, name) DO UPDATE SET position = excluded.position",
            &[Bind::Text(site), Bind::Text(name), Bind::Int(*position)],
        ),
        Work::Append(_) | Work::Frame(_) | Work::Rebuild { .. } => Ok(0),
    }
}

struct SoFar<'a> {
    db: &'a mut Db,
    site: &'a str,
}

impl ViewsSoFar for SoFar<'_> {
    fn body(&mut self, view: &str, key: &str) -> Result<Option<String>, Fault> {
        read::view_body(self.db, self.site, view, key)
    }
}

fn project(db: &mut Db, projector: Option<&dyn Projector>, event: &Recorded) -> Result<(), Fault> {
    let Some(projector) = projector else { return Ok(()) };
    let rows = rows_of(projector, event, &mut SoFar { db, site: &event.site })?;
    rows.iter().try_for_each(|(turn, put)| put_view(db, &event.site, put, *turn))
}

/// The rows of an event, each with its turn: rows of equal sort come in the order in which they were written, on
/// every engine and after a rebuild.
pub(crate) fn rows_of(
    projector: &dyn Projector,
    event: &Recorded,
    so_far: &mut dyn ViewsSoFar,
) -> Result<Vec<(i64, ViewPut)>, Fault> {
    // A mistake in one view must not end the recording of a whole clinic: it refuses this one command.
    let puts = std::panic::catch_unwind(AssertUnwindSafe(|| projector.project(event, so_far)))
        .unwrap_or_else(|_| Err(Fault::Row(format!("the views of a {} event cannot be made", event.kind))))?;
    if puts.len() > ROWS_PER_EVENT_MAX {
        let why = format!("{} rows for one event, at most {ROWS_PER_EVENT_MAX}", puts.len());
        return Err(Fault::Input { field: "view", why });
    }
    let first = event.position * ROWS_PER_EVENT_MAX as i64;
    Ok((first..).zip(puts).collect())
}

/// Version of the projector that made the views, where one has.
pub(crate) fn views_version(db: &mut Db) -> Result<Option<i64>, Fault> {
    let found = db.row("SELECT value FROM settings WHERE name = 'views'", &[])?;
    found.map(|mut row| row.int()).transpose()
}

fn put_view(db: &mut Db, site: &str, put: &ViewPut, turn: i64) -> Result<(), Fault> {
    name("view", &put.view)?;
    name("view key", &put.key)?;
    let Some(row) = &put.row else {
        let sql = "DELETE FROM view_item WHERE site = $1 AND view_name = $2 AND item = $3";
        return db.run(sql, &[Bind::Text(site), Bind::Text(&put.view), Bind::Text(&put.key)]).map(drop);
    };
    text("view search", &row.search, BODY_BYTES_MAX)?;
    text("view body", &row.body, BODY_BYTES_MAX)?;
    let sql = "INSERT INTO view_item (site, view_name, item, sort, turn, search, body) VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (site, view_name, item) DO UPDATE SET \
               sort = excluded.sort, turn = excluded.turn, search = excluded.search, body = excluded.body";
    let search = row.search.to_lowercase();
    let binds = [
        Bind::Text(site),
        Bind::Text(&put.view),
        Bind::Text(&put.key),
        Bind::Int(row.sort),
        Bind::Int(turn),
        Bind::Text(&search),
        Bind::Text(&row.body),
    ];
    db.run(sql, &binds).map(drop)
}

/// Empties the views of a site and makes them again from the log. Tells how many events were read.
pub(crate) fn rebuild(db: &mut Db, site: &str, projector: Option<&dyn Projector>) -> Result<u64, Fault> {
    db.enter(site)?;
    db.run("DELETE FROM view_item WHERE site = $1", &[Bind::Text(site)])?;
    let mut position = 0;
    loop {
        let events = read::since(db, site, position, ROWS_MAX)?;
        let Some(last) = events.last() else { break };
        position = last.position;
        for event in &events {
            project(db, projector, event)?;
        }
    }
    u64::try_from(position).map_err(|_| Fault::Broken(format!("{site} has position {position}")))
}
