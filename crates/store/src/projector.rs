//! Read models: rows written in the transaction of the events they show, droppable, rebuilt from the log.

use crate::fault::Fault;
use crate::model::Recorded;

/// Turns events into rows for screens. Decisions never read them.
pub trait Projector: Send + Sync {
    /// Raise it when `project` changes: at the next start the views are rebuilt.
    fn version(&self) -> i64;
    /// Rows to write for this event, from the event and the views as the events before have left them. It must
    /// use nothing else (no clock, no settings), or a rebuild gives other bytes.
    fn project(&self, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault>;
}

/// The views just before an event, within its site.
pub trait ViewsSoFar {
    /// Body of one row.
    fn body(&mut self, view: &str, key: &str) -> Result<Option<String>, Fault>;
}

/// One row of a view: written, replaced or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewPut {
    /// Which view, for example `sessions`.
    pub view: String,
    /// Which row.
    pub key: String,
    /// `None` takes the row away.
    pub row: Option<ViewRow>,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Lists come with the highest first, for example a time in µs.
    pub sort: i64,
    /// Text that a search looks through, in any case of letters.
    pub search: String,
    /// JSON text for the page.
    pub body: String,
}

/// A row as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewItem {
    /// Which row.
    pub key: String,
    /// Place in the list, highest first.
    pub sort: i64,
    /// JSON text for the page.
    pub body: String,
}
