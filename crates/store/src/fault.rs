//! What can be wrong with the machine. A refusal for a person is not a fault.

/// A broken or misused machine; never an answer to a clinical question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No room left for the log.
    #[error("the disk of the log is full ({0})")]
    DiskFull(String),
    /// The database cannot be read, written or reached.
    #[error("the database does not work ({0})")]
    Machine(String),
    /// The database refuses this one row; others may go on.
    #[error("the database refused the row ({0})")]
    Row(String),
    /// The file of the log was taken away, or another one stands at its place.
    #[error(
        "the log's file {file} was taken away or replaced while the program runs. Put back the same file, and it goes on by itself. {rescued}"
    )]
    Gone {
        /// Which file.
        file: String,
        /// What became of all that was recorded.
        rescued: String,
    },
    /// The record is not what was recorded.
    #[error("the record is broken: {0}")]
    Broken(String),
    /// Written by a newer program: opening it could damage it.
    #[error("the database has schema {found}, this program knows {known}: use the newer program")]
    NewerSchema {
        /// Schema of the database.
        found: i64,
        /// Newest schema that this program knows.
        known: i64,
    },
    /// A file beside the database cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// A caller's mistake: too long, empty, or with a character that a database cannot hold.
    #[error("{field} cannot be stored: {why}")]
    Input {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// More is waiting than the queue holds.
    #[error("too much is waiting to be recorded")]
    QueueFull,
    /// The writer has ended; the program must be restarted.
    #[error("the writer has stopped")]
    Stopped,
    /// Nothing is recorded at present.
    #[error("not recording: {0}")]
    NotRecording(String),
}

impl Fault {
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::DiskFull(path.display().to_string());
        }
        Self::File { path: path.display().to_string(), why: error.to_string() }
    }

    /// After such a fault the connection is not trusted any more.
    pub(crate) fn is_machine(&self) -> bool {
        !matches!(self, Self::Row(_) | Self::Input { .. })
    }
}

/// Why a write was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else wrote first: read again, decide again. Nothing was written.
    #[error("{stream} is at version {actual}, the decision was made on {expected}")]
    Conflict {
        /// Which stream.
        stream: String,
        /// Version that the decider saw.
        expected: i64,
        /// Version now.
        actual: i64,
    },
    /// The command id was used by another author. Nothing was written.
    #[error("command {command_id} was recorded for another author")]
    CommandTaken {
        /// The id in question.
        command_id: String,
    },
    /// Nothing was written.
    #[error("not recorded")]
    Refused(#[source] Fault),
    /// The machine broke at the moment of writing: recorded whole or not at all. Send the same command id again.
    #[error("not known whether it was recorded; send it again")]
    Uncertain(#[source] Fault),
}
