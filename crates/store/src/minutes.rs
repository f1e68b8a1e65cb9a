//! Minutes of samples against the digests that events of the log vouch for. What such an event looks like is the
//! caller's business: bodies are text here.

use crate::fault::Fault;
use crate::model::{Control, Recorded};
use crate::read;
use crate::schema;
use crate::sql::{Db, Use};
use sha2::{Digest, Sha256};

const CHUNK: i64 = 1000;
/// So many minutes that differ say enough.
const DIFFERING_MAX: usize = 100;

/// What an event says of one minute of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Session it belongs to.
    pub session: String,
    /// Which parameters.
    pub series: String,
    /// Start of the minute, in µs since the epoch, UTC.
    pub minute_us: i64,
    /// SHA-256 of its bytes, hexadecimal.
    pub digest: String,
}

/// A minute whose bytes are not those that the log vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Whose log.
    pub site: String,
    /// Stream of the event that vouches for it.
    pub stream: String,
    /// Start of the minute, in µs since the epoch, UTC.
    pub minute_us: i64,
    /// It is not there at all.
    pub gone: bool,
}

/// How the minutes of a log compare with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minutes {
    /// Minutes that were compared.
    pub compared: u64,
    /// Those that differ, at most a hundred.
    pub differing: Vec<Differing>,
}

/// Compares every minute that an event vouches for with the bytes that are kept. Changes nothing.
pub fn verify_minutes(url: &str, vouches: &dyn Fn(&Recorded) -> Option<Vouched>) -> Result<Minutes, Fault> {
    let mut db = Db::open(url, Use::Read, Control::None)?;
    schema::check(&mut db)?;
    db.snapshot()?;
    let mut minutes = Minutes::default();
    for site in read::sites(&mut db)? {
        let mut position = 0;
        loop {
            let events = read::since(&mut db, &site, position, CHUNK)?;
            let Some(last) = events.last() else { break };
            position = last.position;
            for event in &events {
                if let Some(vouched) = vouches(event) {
                    compare(&mut db, &site, event, &vouched, &mut minutes)?;
                }
            }
        }
    }
    Ok(minutes)
}

fn compare(
    db: &mut Db,
    site: &str,
    event: &Recorded,
    vouched: &Vouched,
    minutes: &mut Minutes,
) -> Result<(), Fault> {
    let Vouched { session, series, minute_us, digest } = vouched;
    let kept = read::samples(db, site, session, series, *minute_us, minute_us.saturating_add(1))?;
    let same = |bytes: &[u8]| hex::encode(Sha256::digest(bytes)) == *digest;
    minutes.compared += 1;
    let gone = match kept.first() {
        Some(sample) if same(&sample.bytes) => return Ok(()),
        kept => kept.is_none(),
    };
    if minutes.differing.len() < DIFFERING_MAX {
        minutes.differing.push(Differing {
            site: site.to_owned(),
            stream: event.stream.clone(),
            minute_us: *minute_us,
            gone,
        });
    }
    Ok(())
}
