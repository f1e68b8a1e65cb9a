//! What a log is for: the care of patients, or a demonstration with made-up people. It is said once, when the clinic
//! is founded, and never changes: whatever serves that log later says on every page and record what it is.

use crate::{Fault, read_event};
use serde::{Deserialize, Serialize};
use store::{NewEvent, Store, StreamWrite};

/// The stream that begins with the clinic's founding.
pub(crate) const STREAM: &str = "clinic";

/// What a log is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Patients are treated.
    #[default]
    Care,
    /// Everybody in it is made up.
    Demonstration,
}

/// The founding as it stands in the log. The first logs did not say what they are for: theirs is care.
#[derive(Serialize, Deserialize)]
struct Founded {
    #[serde(default)]
    purpose: Purpose,
}

impl Purpose {
    /// Of the log that settings ask for.
    pub(crate) const fn asked(demo: bool) -> Self {
        if demo { Self::Demonstration } else { Self::Care }
    }

    /// Of this log; `None` before the clinic is founded.
    ///
    /// # Errors
    /// [`Fault`] when the log cannot be read.
    pub fn of(store: &Store, site: &str) -> Result<Option<Self>, Fault> {
        let founding = store.stream(site, STREAM)?;
        founding.first().map(|row| Ok(read_event::<Founded>(row)?.purpose)).transpose()
    }

    /// The founding, to be the first entry of its stream.
    ///
    /// # Errors
    /// [`Fault::Event`] when it cannot be written, which would be a fault of the program.
    pub(crate) fn founding(self) -> Result<StreamWrite, Fault> {
        let kind = "clinic_founded".to_owned();
        let founded = match serde_json::to_string(&Founded { purpose: self }) {
            Ok(body) => NewEvent { kind, body },
            Err(cause) => return Err(Fault::Event { kind, cause }),
        };
        Ok(StreamWrite { stream: STREAM.to_owned(), expected: Some(0), events: vec![founded] })
    }
}

/// Whether this is a demonstration. The log has the last word; settings can only found a new one.
///
/// # Errors
/// [`Fault::RealPeople`] when a demonstration was asked for on a log of care, or the log cannot be read.
pub(crate) fn is_demo(store: &Store, site: &str, asked: bool) -> Result<bool, Fault> {
    match Purpose::of(store, site)? {
        None => Ok(asked),
        Some(Purpose::Demonstration) => Ok(true),
        Some(Purpose::Care) if asked => Err(Fault::RealPeople),
        Some(Purpose::Care) => Ok(false),
    }
}
