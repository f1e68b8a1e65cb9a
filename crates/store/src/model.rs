//! What goes into the log and what comes out. The store reads no body: it is JSON text of the caller's own.

use crate::projector::Projector;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most events that one command may record.
pub const EVENTS_PER_APPEND_MAX: usize = 256;
/// Longest body, reply, view body or frame, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest name (site, stream, kind, author, id), in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most rows that one read returns; a larger limit is refused.
pub const ROWS_MAX: i64 = 10_000;

/// Where the log lives and how it is opened.
#[derive(Clone)]
pub struct Config {
    /// Path of an SQLite file, or a `postgres://` address.
    pub url: String,
    /// Writes the views in the transaction of the events. Without one there are no views.
    pub projector: Option<Arc<dyn Projector>>,
    /// Folder of `head.key` (made when missing) and `head.sig`, the signed heads outside the database.
    pub head_folder: Option<PathBuf>,
    /// Size of the file that is freed when the disk is full, so that closing events still fit. SQLite only; 0 = none.
    pub reserve_bytes: u64,
    /// Verify every event at the start instead of the last 1,000 of each site.
    pub verify_whole: bool,
    pub(crate) control: Control,
}

impl Config {
    /// Product settings for a database at `url`: no views, no signed heads, 64 MiB reserve.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            projector: None,
            head_folder: None,
            reserve_bytes: 64 << 20,
            verify_whole: false,
            control: Control::None,
        }
    }

    /// `chairside.db` in a data folder, with its signed heads in the same folder.
    pub fn in_folder(folder: &Path) -> Self {
        let mut config = Self::at(folder.join("chairside.db").to_string_lossy());
        config.head_folder = Some(folder.to_path_buf());
        config
    }

    /// Weakens the store on purpose, to show that the fault runs notice. The database is spoilt by it.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn weakened(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// The file behind an SQLite address; `None` for PostgreSQL.
    pub(crate) fn file(&self) -> Option<&Path> {
        (!crate::sql::is_postgres(&self.url)).then(|| Path::new(&self.url))
    }
}

/// A store that is weaker than the product, as a control for the fault runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The product.
    None,
    /// SQLite with `synchronous=NORMAL`: commits are not on the disk when they are acknowledged.
    SynchronousNormal,
    /// A command that comes twice is recorded twice.
    NoIdempotency,
}

/// One event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Name of the event variant.
    pub kind: String,
    /// The event as JSON text.
    pub body: String,
}

/// Events for one stream, on top of the version that the decision was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWrite {
    /// For example `session/0197…`.
    pub stream: String,
    /// Version that the decider saw, 0 for a new stream; `None` when the order does not matter.
    pub expected: Option<i64>,
    /// In order.
    pub events: Vec<NewEvent>,
}

/// One command's outcome: recorded whole, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Place that owns the log.
    pub site: String,
    /// Comes with the form or the device message; recorded at most once a site.
    pub command_id: String,
    /// Signed-in person or device.
    pub author: String,
    /// When, in µs since the epoch, UTC.
    pub at_us: i64,
    /// One or more streams, all or none.
    pub writes: Vec<StreamWrite>,
    /// What the caller will answer; given back when the same command comes again.
    pub reply: String,
    /// Ends or makes safe what is under way (stop, waste, discharge): may use the reserve when the disk is full.
    pub closing: bool,
}

/// One event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Place that owns the log.
    pub site: String,
    /// 1, 2, 3 … without a gap within the site.
    pub position: i64,
    /// Stream it belongs to.
    pub stream: String,
    /// 1, 2, 3 … without a gap within the stream.
    pub version: i64,
    /// Name of the event variant.
    pub kind: String,
    /// JSON text, byte for byte as it was given.
    pub body: String,
    /// Who did it.
    pub author: String,
    /// Which command it came from.
    pub command_id: String,
    /// When, in µs since the epoch, UTC.
    pub at_us: i64,
    /// SHA-256 over this event and the chain of the one before.
    pub chain: [u8; 32],
}

/// Answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Recorded now, durably.
    Now(Vec<Recorded>),
    /// The same command was recorded earlier: its events and its reply.
    Before(Vec<Recorded>, String),
}

impl Appended {
    /// The events, whenever they were recorded.
    pub fn events(&self) -> &[Recorded] {
        match self {
            Self::Now(events) | Self::Before(events, _) => events,
        }
    }
}

/// The last position of a site's log, 0 when it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Position of the last event.
    pub position: i64,
    /// Its chain, zeros when there is none.
    pub chain: [u8; 32],
}

/// A raw device message, kept before it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Place that received it.
    pub site: String,
    /// Who sent it, as the message says.
    pub sender: String,
    /// The sender's own number of the message.
    pub control_id: String,
    /// Device, as decoded; empty when the frame could not be read.
    pub device: String,
    /// When, in µs since the epoch, UTC.
    pub received_at_us: i64,
    /// As received, without the transport's envelope.
    pub bytes: Vec<u8>,
    /// What was answered, for example `AA` or `AE unknown unit`.
    pub verdict: String,
}

/// What the verdict on a frame ends with whose number the same device used before for other bytes.
pub const NUMBER_USED: &str = "; its number was used before";

/// Answer to a frame: in each case it may be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Stored now, durably.
    Now,
    /// Stored now too; the same device sent other bytes under this number before, which the verdict says.
    NumberUsed,
    /// The same bytes came earlier under the same number; the verdict of then.
    Before(String),
}

/// One minute of device numerics of a session, packed by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Place that owns it.
    pub site: String,
    /// Session it belongs to.
    pub session: String,
    /// Which parameters, for example `vitals`.
    pub series: String,
    /// Start of the minute, in µs since the epoch, UTC.
    pub minute_us: i64,
    /// Packed values.
    pub bytes: Vec<u8>,
}

/// A small row that is neither clinical nor kept: a sign-in session, a lockout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Place that owns it.
    pub site: String,
    /// For example `login`.
    pub kind: String,
    /// For example the digest of a token.
    pub name: String,
    /// Text of the caller's own.
    pub value: String,
    /// From then on it is not found any more; µs since the epoch, UTC.
    pub expires_us: i64,
}

/// Whether new events are being recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterState {
    /// All is well.
    Recording,
    /// The disk is full: only closing events are recorded, from the reserve.
    ClosingOnly {
        /// Time of the first command refused, µs since the epoch, UTC.
        since_us: i64,
        /// For a person.
        why: String,
    },
    /// Nothing is recorded; the writer keeps trying by itself.
    NotRecording {
        /// Time of the first command refused, µs since the epoch, UTC.
        since_us: i64,
        /// For a person.
        why: String,
    },
}

/// Room on the disk that holds the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this program may still write, not counting the reserve.
    pub free_bytes: u64,
    /// Size of the file system.
    pub total_bytes: u64,
}
