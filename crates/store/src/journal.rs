//! The whole log for people who do not trust it: verified, and written out as lines of JSON.

use crate::built;
use crate::chain::Walk;
use crate::fault::Fault;
use crate::model::{Control, Recorded};
use crate::read::{self, Tip};
use crate::schema;
use crate::signed::SignedHead;
use crate::sql::{Db, Use};
use serde::Serialize;
use std::io::Write;

const CHUNK: i64 = 1000;
/// So many findings say enough.
const FINDINGS_MAX: usize = 100;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One a site, by name.
    pub sites: Vec<SiteReport>,
    /// What is wrong with the database file, with how it is built, or with heads of sites that it does not hold; empty when
    /// it is sound.
    pub findings: Vec<String>,
}

impl Report {
    /// Nothing was found.
    pub fn sound(&self) -> bool {
        self.findings.is_empty() && self.sites.iter().all(|site| site.findings.is_empty())
    }
}

/// What a verification found in one site's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteReport {
    /// Whose log.
    pub site: String,
    /// Events whose chain holds.
    pub events: i64,
    /// Commands, numbered without a gap.
    pub commands: i64,
    /// Device frames, numbered without a gap.
    pub frames: i64,
    /// Highest signed head that was compared; `None` means that a cut end cannot be seen.
    pub signed: Option<i64>,
    /// What is wrong; empty when it is sound.
    pub findings: Vec<String>,
}

/// Reads every event, command and frame, compares digests, numbers and signed heads, and whether guards, indexes and
/// tables are those that this program makes. Changes nothing.
pub fn verify(url: &str, heads: &[SignedHead]) -> Result<Report, Fault> {
    let mut db = Db::open(url, Use::Read, Control::None)?;
    schema::check(&mut db)?;
    db.snapshot()?;
    verify_with(&mut db, heads)
}

fn verify_with(db: &mut Db, heads: &[SignedHead]) -> Result<Report, Fault> {
    let mut report = Report { sites: Vec::new(), findings: db.integrity()? };
    report.findings.extend(built::findings(db)?);
    let sites = read::sites(db)?;
    for head in heads.iter().filter(|head| !sites.contains(&head.site)) {
        report.findings.push(format!("a head of {} is signed, but there is no such log", head.site));
    }
    for site in sites {
        let mine: Vec<_> = heads.iter().filter(|head| head.site == site).collect();
        report.sites.push(verify_site(db, &site, &mine)?);
    }
    Ok(report)
}

fn verify_site(db: &mut Db, site: &str, heads: &[&SignedHead]) -> Result<SiteReport, Fault> {
    let mut report = SiteReport {
        site: site.to_owned(),
        events: 0,
        commands: 0,
        frames: 0,
        signed: None,
        findings: Vec::new(),
    };
    let mut findings = Vec::new();
    let head = read::tip(db, site)?;
    let walked = walk(db, site, Walk { position: 0, chain: [0; 32] }, &mut |_| Ok(()));
    match walked {
        Ok(end) => {
            report.events = end.position;
            findings.extend(compare_end(site, &head, &end));
        }
        Err(Fault::Broken(why)) => findings.push(why),
        Err(other) => return Err(other),
    }
    findings.extend(unsound_commands(db, site)?);
    findings.extend(unsound_ordinals(db, site)?);
    findings.extend(unsound_versions(db, site)?);
    for signed in heads {
        match check_signed(db, signed) {
            Ok(()) => report.signed = report.signed.max(Some(signed.position)),
            Err(Fault::Broken(why)) => findings.push(why),
            Err(other) => return Err(other),
        }
    }
    report.commands =
        verify_seals("command", site, &mut findings, &mut |last| read::command_seals(db, site, last, CHUNK))?;
    report.frames =
        verify_seals("frame", site, &mut findings, &mut |last| read::frame_seals(db, site, last, CHUNK))?;
    if (report.commands, report.frames) != (head.commands, head.frames) {
        findings.push(format!(
            "{site} has {} commands and {} frames, its head says {} and {}",
            report.commands, report.frames, head.commands, head.frames
        ));
    }
    report.findings = findings;
    Ok(report)
}

/// Walks a site's log from a known place to its end.
pub(crate) fn walk(
    db: &mut Db,
    site: &str,
    from: Walk,
    each: &mut dyn FnMut(&Recorded) -> Result<(), Fault>,
) -> Result<Walk, Fault> {
    let mut walk = from;
    loop {
        let events = read::since(db, site, walk.position, CHUNK)?;
        if events.is_empty() {
            return Ok(walk);
        }
        for event in &events {
            walk.step(event)?;
            each(event)?;
        }
    }
}

fn compare_end(site: &str, head: &Tip, end: &Walk) -> Option<String> {
    if head.position != end.position {
        return Some(format!("{site} ends at {}, its head says {}", end.position, head.position));
    }
    (head.chain != end.chain).then(|| format!("the head of {site} has another chain than its last event"))
}

/// Whether the log still holds what was signed.
pub(crate) fn check_signed(db: &mut Db, signed: &SignedHead) -> Result<(), Fault> {
    let head = signed.head()?;
    match read::chain_at(db, &signed.site, head.position)? {
        None => {
            Err(Fault::Broken(format!("{} was cut off: position {} was signed", signed.site, head.position)))
        }
        Some(chain) if chain != head.chain => Err(Fault::Broken(format!(
            "{} was rewritten: position {} was signed",
            signed.site, head.position
        ))),
        Some(_) => Ok(()),
    }
}

/// At the start: the last `tail` events of every site (all of them for `None`), its head, and the signed heads.
pub(crate) fn check_start(db: &mut Db, tail: Option<i64>, heads: &[SignedHead]) -> Result<(), Fault> {
    db.snapshot()?;
    let outcome =
        check_tails(db, tail).and_then(|()| heads.iter().try_for_each(|head| check_signed(db, head)));
    db.rollback()?;
    outcome
}

fn check_tails(db: &mut Db, tail: Option<i64>) -> Result<(), Fault> {
    for site in read::sites(db)? {
        let head = read::tip(db, &site)?;
        let position = tail.map_or(0, |tail| (head.position - tail).max(0));
        let chain = read::chain_at(db, &site, position)?
            .ok_or_else(|| Fault::Broken(format!("{site} has no position {position}")))?;
        let end = walk(db, &site, Walk { position, chain }, &mut |_| Ok(()))?;
        if let Some(why) = compare_end(&site, &head, &end) {
            return Err(Fault::Broken(why));
        }
    }
    Ok(())
}

/// Commands whose events are not the ones that they name.
fn unsound_commands(db: &mut Db, site: &str) -> Result<Vec<String>, Fault> {
    db.enter(site)?;
    let sql = "SELECT c.command_id FROM commands c WHERE c.site = $1 AND c.event_count <> \
               (SELECT COUNT(*) FROM events e WHERE e.site = $1 AND e.command_id = c.command_id \
               AND e.position >= c.first_position AND e.position < c.first_position + c.event_count) LIMIT 10";
    let mut findings = Vec::new();
    for mut row in db.rows(sql, &[crate::sql::Bind::Text(site)])? {
        findings.push(format!("{site}: command {} does not have the events that it recorded", row.text()?));
    }
    let orphans = "SELECT e.command_id FROM events e WHERE e.site = $1 AND NOT EXISTS \
                   (SELECT 1 FROM commands c WHERE c.site = $1 AND c.command_id = e.command_id) LIMIT 10";
    for mut row in db.rows(orphans, &[crate::sql::Bind::Text(site)])? {
        findings.push(format!("{site}: command {} has events, but was not recorded", row.text()?));
    }
    Ok(findings)
}

/// Events that do not stand at their place among those of their command.
fn unsound_ordinals(db: &mut Db, site: &str) -> Result<Vec<String>, Fault> {
    db.enter(site)?;
    let sql = "SELECT e.position, e.command_id, e.ordinal, e.position - c.first_position FROM events e \
               JOIN commands c ON c.site = $1 AND c.command_id = e.command_id \
               WHERE e.site = $1 AND e.ordinal <> e.position - c.first_position ORDER BY e.position LIMIT 10";
    let rows = db.rows(sql, &[crate::sql::Bind::Text(site)])?;
    let told = |mut row: crate::sql::Row| {
        let (position, command, ordinal, place) = (row.int()?, row.text()?, row.int()?, row.int()?);
        Ok(format!(
            "{site}: the event at {position} is number {ordinal} of command {command}, which has it at {place}"
        ))
    };
    rows.into_iter().map(told).collect()
}

/// Streams whose versions have a gap.
fn unsound_versions(db: &mut Db, site: &str) -> Result<Vec<String>, Fault> {
    db.enter(site)?;
    let sql = "SELECT stream FROM events WHERE site = $1 GROUP BY stream \
               HAVING COUNT(*) <> MAX(version) OR MIN(version) <> 1 LIMIT 10";
    let rows = db.rows(sql, &[crate::sql::Bind::Text(site)])?;
    rows.into_iter().map(|mut row| Ok(format!("{site}: {} has a gap in its versions", row.text()?))).collect()
}

/// Reads rows with a seal, numbered 1, 2, 3 …; tells how many there are.
fn verify_seals(
    what: &str,
    site: &str,
    findings: &mut Vec<String>,
    read: &mut dyn FnMut(i64) -> Result<Vec<(i64, bool)>, Fault>,
) -> Result<i64, Fault> {
    let mut last = 0;
    loop {
        let rows = read(last)?;
        if rows.is_empty() {
            return Ok(last);
        }
        for (number, holds) in rows {
            if number != last + 1 && findings.len() < FINDINGS_MAX {
                findings.push(format!("{site}: {what} {} is not there", last + 1));
            }
            if !holds && findings.len() < FINDINGS_MAX {
                findings.push(format!("{site}: {what} {number} was altered"));
            }
            last = number;
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    site: &'a str,
    position: i64,
    stream: &'a str,
    version: i64,
    kind: &'a str,
    body: &'a str,
    author: &'a str,
    command_id: &'a str,
    at_us: i64,
    chain: String,
}

/// Writes every event of one site, or of all, as a line of JSON, oldest first. `body` stays a text, because the
/// chain is over its bytes. Refuses to go on at the first event that does not follow.
pub fn export(url: &str, site: Option<&str>, out: &mut dyn Write) -> Result<i64, Fault> {
    let mut db = Db::open(url, Use::Read, Control::None)?;
    schema::check(&mut db)?;
    db.snapshot()?;
    let sites = match site {
        Some(site) => vec![site.to_owned()],
        None => read::sites(&mut db)?,
    };
    let mut count = 0;
    for site in sites {
        let end =
            walk(&mut db, &site, Walk { position: 0, chain: [0; 32] }, &mut |event| write_line(out, event))?;
        count += end.position;
    }
    Ok(count)
}

fn write_line(out: &mut dyn Write, event: &Recorded) -> Result<(), Fault> {
    let line = Line {
        site: &event.site,
        position: event.position,
        stream: &event.stream,
        version: event.version,
        kind: &event.kind,
        body: &event.body,
        author: &event.author,
        command_id: &event.command_id,
        at_us: event.at_us,
        chain: hex::encode(event.chain),
    };
    let text = serde_json::to_string(&line).map_err(|e| Fault::Machine(format!("export: {e}")))?;
    writeln!(out, "{text}").map_err(|e| Fault::File { path: "export".into(), why: e.to_string() })
}
