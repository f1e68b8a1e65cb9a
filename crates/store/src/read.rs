//! Every query. The site comes first in each, and leads every key.

use crate::chain;
use crate::fault::Fault;
use crate::model::{Frame, Head, ROWS_MAX, Recorded, Sample, Secret};
use crate::projector::ViewItem;
use crate::sql::{Bind, Db, Row};

/// Refuses a limit that is not between 1 and [`ROWS_MAX`].
fn bounded(limit: i64) -> Result<Bind<'static>, Fault> {
    if (1..=ROWS_MAX).contains(&limit) {
        return Ok(Bind::Int(limit));
    }
    Err(Fault::Input { field: "limit", why: format!("{limit} is not between 1 and {ROWS_MAX}") })
}

fn recorded(site: &str, row: &mut Row) -> Result<Recorded, Fault> {
    Ok(Recorded {
        site: site.to_owned(),
        position: row.int()?,
        stream: row.text()?,
        version: row.int()?,
        kind: row.text()?,
        body: row.text()?,
        author: row.text()?,
        command_id: row.text()?,
        at_us: row.int()?,
        chain: row.digest()?,
    })
}

fn all_recorded(site: &str, rows: Vec<Row>) -> Result<Vec<Recorded>, Fault> {
    rows.into_iter().map(|mut row| recorded(site, &mut row)).collect()
}

pub(crate) fn sites(db: &mut Db) -> Result<Vec<String>, Fault> {
    let rows = db.rows("SELECT site FROM head", &[])?;
    let mut sites = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
    sites.sort();
    Ok(sites)
}

/// What a site's head row says.
pub(crate) struct Tip {
    pub(crate) position: i64,
    pub(crate) chain: [u8; 32],
    pub(crate) commands: i64,
    pub(crate) frames: i64,
}

impl Tip {
    pub(crate) fn of(row: &mut Row) -> Result<Self, Fault> {
        Ok(Self { position: row.int()?, chain: row.digest()?, commands: row.int()?, frames: row.int()? })
    }
}

pub(crate) fn tip(db: &mut Db, site: &str) -> Result<Tip, Fault> {
    match db.row("SELECT position, chain, commands, frames FROM head WHERE site = $1", &[Bind::Text(site)])? {
        Some(mut row) => Tip::of(&mut row),
        None => Ok(Tip { position: 0, chain: [0; 32], commands: 0, frames: 0 }),
    }
}

pub(crate) fn head(db: &mut Db, site: &str) -> Result<Head, Fault> {
    tip(db, site).map(|tip| Head { position: tip.position, chain: tip.chain })
}

/// Chain at a position, zeros at 0, none after the end.
pub(crate) fn chain_at(db: &mut Db, site: &str, position: i64) -> Result<Option<[u8; 32]>, Fault> {
    if position == 0 {
        return Ok(Some([0; 32]));
    }
    db.enter(site)?;
    let sql = "SELECT chain FROM events WHERE site = $1 AND position = $2";
    db.row(sql, &[Bind::Text(site), Bind::Int(position)])?.map(|mut row| row.digest()).transpose()
}

pub(crate) fn since(db: &mut Db, site: &str, position: i64, limit: i64) -> Result<Vec<Recorded>, Fault> {
    db.enter(site)?;
    let sql = "SELECT position, stream, version, kind, body, author, command_id, at_us, chain FROM events \
               WHERE site = $1 AND position > $2 ORDER BY position LIMIT $3";
    all_recorded(site, db.rows(sql, &[Bind::Text(site), Bind::Int(position), bounded(limit)?])?)
}

/// Events of a stream after a version, in order.
pub(crate) fn stream(
    db: &mut Db,
    site: &str,
    stream: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, Fault> {
    db.enter(site)?;
    let sql = "SELECT position, stream, version, kind, body, author, command_id, at_us, chain FROM events \
               WHERE site = $1 AND stream = $2 AND version > $3 ORDER BY version LIMIT $4";
    let binds = [Bind::Text(site), Bind::Text(stream), Bind::Int(after), bounded(limit)?];
    all_recorded(site, db.rows(sql, &binds)?)
}

pub(crate) fn version(db: &mut Db, site: &str, stream: &str) -> Result<i64, Fault> {
    db.enter(site)?;
    let sql = "SELECT version FROM events WHERE site = $1 AND stream = $2 ORDER BY version DESC LIMIT 1";
    db.row(sql, &[Bind::Text(site), Bind::Text(stream)])?.map_or(Ok(0), |mut row| row.int())
}

/// A command as it was recorded.
pub(crate) struct Command {
    pub(crate) author: String,
    pub(crate) first_position: i64,
    pub(crate) event_count: i64,
    pub(crate) reply: String,
}

impl Command {
    pub(crate) fn seal(&self, site: &str, number: i64, command_id: &str, at_us: i64) -> [u8; 32] {
        chain::seal(&[
            site.as_bytes(),
            &number.to_be_bytes(),
            command_id.as_bytes(),
            self.author.as_bytes(),
            &at_us.to_be_bytes(),
            &self.first_position.to_be_bytes(),
            &self.event_count.to_be_bytes(),
            self.reply.as_bytes(),
        ])
    }
}

pub(crate) fn command(db: &mut Db, site: &str, command_id: &str) -> Result<Option<Command>, Fault> {
    db.enter(site)?;
    let sql =
        "SELECT author, first_position, event_count, reply FROM commands WHERE site = $1 AND command_id = $2";
    let Some(mut row) = db.row(sql, &[Bind::Text(site), Bind::Text(command_id)])? else { return Ok(None) };
    Ok(Some(answered(&mut row)?))
}

/// The command in the next columns: author, first_position, event_count, reply.
fn answered(row: &mut Row) -> Result<Command, Fault> {
    Ok(Command {
        author: row.text()?,
        first_position: row.int()?,
        event_count: row.int()?,
        reply: row.text()?,
    })
}

pub(crate) fn command_events(db: &mut Db, site: &str, command: &Command) -> Result<Vec<Recorded>, Fault> {
    if command.event_count == 0 {
        return Ok(Vec::new());
    }
    since(db, site, command.first_position - 1, command.event_count)
}

pub(crate) fn frame_verdict(db: &mut Db, frame: &Frame, digest: &[u8; 32]) -> Result<Option<String>, Fault> {
    db.enter(&frame.site)?;
    let sql =
        "SELECT verdict FROM frames WHERE site = $1 AND sender = $2 AND control_id = $3 AND digest = $4";
    let binds = [
        Bind::Text(&frame.site),
        Bind::Text(&frame.sender),
        Bind::Text(&frame.control_id),
        Bind::Bytes(digest),
    ];
    db.row(sql, &binds)?.map(|mut row| row.text()).transpose()
}

/// Whether the same device sent anything under this number before.
pub(crate) fn is_number_used(db: &mut Db, frame: &Frame) -> Result<bool, Fault> {
    let sql = "SELECT number FROM frames WHERE site = $1 AND sender = $2 AND control_id = $3 AND device = $4 LIMIT 1";
    let binds = [
        Bind::Text(&frame.site),
        Bind::Text(&frame.sender),
        Bind::Text(&frame.control_id),
        Bind::Text(&frame.device),
    ];
    // What cannot be read has no number.
    Ok(!frame.device.is_empty() && db.row(sql, &binds)?.is_some())
}

/// Frames of one device, `from_us` included, `to_us` not.
pub(crate) fn frames(
    db: &mut Db,
    site: &str,
    device: &str,
    from_us: i64,
    to_us: i64,
    limit: i64,
) -> Result<Vec<Frame>, Fault> {
    db.enter(site)?;
    let sql = "SELECT sender, control_id, device, received_at_us, bytes, verdict FROM frames WHERE site = $1 \
               AND device = $2 AND received_at_us >= $3 AND received_at_us < $4 ORDER BY received_at_us, number LIMIT $5";
    let binds = [Bind::Text(site), Bind::Text(device), Bind::Int(from_us), Bind::Int(to_us), bounded(limit)?];
    let rows = db.rows(sql, &binds)?;
    rows.into_iter().map(|mut row| frame(site, &mut row)).collect()
}

/// The frame in the next columns: sender, control_id, device, received_at_us, bytes, verdict.
fn frame(site: &str, row: &mut Row) -> Result<Frame, Fault> {
    Ok(Frame {
        site: site.to_owned(),
        sender: row.text()?,
        control_id: row.text()?,
        device: row.text()?,
        received_at_us: row.int()?,
        bytes: row.bytes()?,
        verdict: row.text()?,
    })
}

/// Numbers of the frames after a number whose seal is checked, and whether it holds.
pub(crate) fn frame_seals(
    db: &mut Db,
    site: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, bool)>, Fault> {
    db.enter(site)?;
    let sql = "SELECT number, seal, sender, control_id, device, received_at_us, bytes, verdict, digest FROM frames \
               WHERE site = $1 AND number > $2 ORDER BY number LIMIT $3";
    let rows = db.rows(sql, &[Bind::Text(site), Bind::Int(after), bounded(limit)?])?;
    let check = |mut row: Row| {
        let (number, seal) = (row.int()?, row.digest()?);
        let frame = frame(site, &mut row)?;
        let holds = seal == frame_seal(&frame, &frame.verdict, number)
            && row.digest()? == chain::digest(&frame.bytes);
        Ok((number, holds))
    };
    rows.into_iter().map(check).collect()
}

/// Seal of a frame's row.
pub(crate) fn frame_seal(frame: &Frame, verdict: &str, number: i64) -> [u8; 32] {
    chain::seal(&[
        frame.site.as_bytes(),
        &number.to_be_bytes(),
        frame.sender.as_bytes(),
        frame.control_id.as_bytes(),
        frame.device.as_bytes(),
        &frame.received_at_us.to_be_bytes(),
        &frame.bytes,
        verdict.as_bytes(),
    ])
}

/// Numbers of the commands after a number, and whether their seal holds.
pub(crate) fn command_seals(
    db: &mut Db,
    site: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, bool)>, Fault> {
    db.enter(site)?;
    let sql = "SELECT number, seal, at_us, command_id, author, first_position, event_count, reply FROM commands \
               WHERE site = $1 AND number > $2 ORDER BY number LIMIT $3";
    let rows = db.rows(sql, &[Bind::Text(site), Bind::Int(after), bounded(limit)?])?;
    let check = |mut row: Row| {
        let (number, seal, at_us) = (row.int()?, row.digest()?, row.int()?);
        let command_id = row.text()?;
        let command = answered(&mut row)?;
        Ok((number, seal == command.seal(site, number, &command_id, at_us)))
    };
    rows.into_iter().map(check).collect()
}

/// Minutes of one series, `from_us` included, `to_us` not.
pub(crate) fn samples(
    db: &mut Db,
    site: &str,
    session: &str,
    series: &str,
    from_us: i64,
    to_us: i64,
) -> Result<Vec<Sample>, Fault> {
    db.enter(site)?;
    let sql = "SELECT minute_us, bytes FROM samples WHERE site = $1 AND session = $2 AND series = $3 \
               AND minute_us >= $4 AND minute_us < $5 ORDER BY minute_us LIMIT $6";
    let binds = [
        Bind::Text(site),
        Bind::Text(session),
        Bind::Text(series),
        Bind::Int(from_us),
        Bind::Int(to_us),
        Bind::Int(ROWS_MAX),
    ];
    let mut samples = Vec::new();
    for mut row in db.rows(sql, &binds)? {
        samples.push(Sample {
            site: site.to_owned(),
            session: session.to_owned(),
            series: series.to_owned(),
            minute_us: row.int()?,
            bytes: row.bytes()?,
        });
    }
    Ok(samples)
}

pub(crate) fn secret(
    db: &mut Db,
    site: &str,
    kind: &str,
    name: &str,
    now_us: i64,
) -> Result<Option<String>, Fault> {
    db.enter(site)?;
    let sql = "SELECT value FROM secrets WHERE site = $1 AND kind = $2 AND name = $3 AND expires_us > $4";
    let binds = [Bind::Text(site), Bind::Text(kind), Bind::Text(name), Bind::Int(now_us)];
    db.row(sql, &binds)?.map(|mut row| row.text()).transpose()
}

/// Every row of secrets of a site, expired ones too.
pub(crate) fn secrets(db: &mut Db, site: &str) -> Result<Vec<Secret>, Fault> {
    db.enter(site)?;
    let sql = "SELECT kind, name, value, expires_us FROM secrets WHERE site = $1 ORDER BY kind, name";
    let secret = |mut row: Row| {
        let (kind, name, value) = (row.text()?, row.text()?, row.text()?);
        Ok(Secret { site: site.to_owned(), kind, name, value, expires_us: row.int()? })
    };
    db.rows(sql, &[Bind::Text(site)])?.into_iter().map(secret).collect()
}

pub(crate) fn cursor(db: &mut Db, site: &str, name: &str) -> Result<i64, Fault> {
    db.enter(site)?;
    let sql = "SELECT position FROM cursors WHERE site = $1 AND name = $2";
    db.row(sql, &[Bind::Text(site), Bind::Text(name)])?.map_or(Ok(0), |mut row| row.int())
}

pub(crate) fn view_body(db: &mut Db, site: &str, view: &str, key: &str) -> Result<Option<String>, Fault> {
    db.enter(site)?;
    let sql = "SELECT body FROM view_item WHERE site = $1 AND view_name = $2 AND item = $3";
    db.row(sql, &[Bind::Text(site), Bind::Text(view), Bind::Text(key)])?.map(|mut row| row.text()).transpose()
}

/// Rows of a view whose search text holds `search`, highest sort first, then the latest written.
pub(crate) fn view_list(
    db: &mut Db,
    site: &str,
    view: &str,
    search: &str,
    limit: i64,
) -> Result<Vec<ViewItem>, Fault> {
    db.enter(site)?;
    let sql = "SELECT item, sort, body FROM view_item WHERE site = $1 AND view_name = $2 \
               AND search LIKE $3 ESCAPE '!' ORDER BY sort DESC, turn DESC LIMIT $4";
    let pattern = format!("%{}%", escape_like(&search.to_lowercase()));
    let rows = db.rows(sql, &[Bind::Text(site), Bind::Text(view), Bind::Text(&pattern), bounded(limit)?])?;
    view_items(rows)
}

/// Rows of a view after a key, in order of their keys.
pub(crate) fn view_after(
    db: &mut Db,
    site: &str,
    view: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ViewItem>, Fault> {
    db.enter(site)?;
    let sql = "SELECT item, sort, body FROM view_item WHERE site = $1 AND view_name = $2 AND item > $3 \
               ORDER BY item LIMIT $4";
    let rows = db.rows(sql, &[Bind::Text(site), Bind::Text(view), Bind::Text(after), bounded(limit)?])?;
    view_items(rows)
}

fn view_items(rows: Vec<Row>) -> Result<Vec<ViewItem>, Fault> {
    let item = |mut row: Row| Ok(ViewItem { key: row.text()?, sort: row.int()?, body: row.text()? });
    rows.into_iter().map(item).collect()
}

fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(character);
    }
    escaped
}

/// A row of a view with all its fields.
pub(crate) struct KeptRow {
    pub(crate) turn: i64,
    pub(crate) sort: i64,
    pub(crate) view: String,
    pub(crate) key: String,
    pub(crate) search: String,
    pub(crate) body: String,
}

/// A row of a view of which a column cannot be read, as far as it can.
pub(crate) struct BrokenRow {
    pub(crate) turn: i64,
    pub(crate) view: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) column: &'static str,
}

/// Every view row of a site, in the order in which the rows were written.
pub(crate) fn each_view_row(
    db: &mut Db,
    site: &str,
    each: &mut dyn FnMut(Result<KeptRow, BrokenRow>),
) -> Result<(), Fault> {
    db.enter(site)?;
    let sql = "SELECT turn, sort, view_name, item, search, body FROM view_item WHERE site = $1 AND turn > $2 \
               ORDER BY turn LIMIT $3";
    let mut last = i64::MIN;
    loop {
        let rows = db.rows(sql, &[Bind::Text(site), Bind::Int(last), Bind::Int(ROWS_MAX)])?;
        if rows.is_empty() {
            return Ok(());
        }
        for mut row in rows {
            last = row.int().map_err(|_| {
                Fault::Broken(format!(
                    "{site}: a row of a list after turn {last} has no number in its column turn"
                ))
            })?;
            each(kept(last, row));
        }
    }
}

fn kept(turn: i64, mut row: Row) -> Result<KeptRow, BrokenRow> {
    let sort = row.int().ok();
    let [view, key, search, body] = [row.text(), row.text(), row.text(), row.text()].map(Result::ok);
    let columns = ["sort", "view_name", "item", "search", "body"];
    let reads = [sort.is_some(), view.is_some(), key.is_some(), search.is_some(), body.is_some()];
    let broken = columns.into_iter().zip(reads).find(|(_, reads)| !reads).map_or("", |(column, _)| column);
    match (sort, view, key, search, body) {
        (Some(sort), Some(view), Some(key), Some(search), Some(body)) => {
            Ok(KeptRow { turn, sort, view, key, search, body })
        }
        (_, view, key, ..) => Err(BrokenRow { turn, view, key, column: broken }),
    }
}
