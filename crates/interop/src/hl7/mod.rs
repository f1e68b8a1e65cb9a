//! HL7 v2 as text: header, separators, segments, values, times; reading and writing. Knows nothing about devices.
//!
//! Reading borrows from the message and splits on demand, so a message of nothing but separators costs no more
//! than its own bytes.

mod header;
mod problem;
mod read;
mod time;
mod write;

pub use header::{Header, Separators};
pub use problem::{Cause, Place, Problem};
pub use read::{Message, Segment, Value, read, text};
pub use time::{Moment, NoMoment, moment, written};
pub use write::{Row, write};
