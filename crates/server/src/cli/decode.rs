//! `chairside decode FILE`: the facts of one HL7 frame as JSON.

use super::{Exit, say};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A frame of the longest kind that the device port takes, with its envelope.
const FILE_BYTES_MAX: usize = interop::mllp::LIMIT + 3;

/// The frame.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with one HL7 v2 message, with or without its MLLP envelope
    file: PathBuf,
}

/// Prints the facts; exit 2 when the frame cannot be read.
pub fn run(args: &Args) -> Exit {
    let bytes = match read(&args.file) {
        Ok(bytes) => bytes,
        Err(cause) => return say(Exit::Unreadable, format!("cannot read {}: {cause}", args.file.display())),
    };
    if bytes.len() > FILE_BYTES_MAX {
        let why = format!("{} is longer than {FILE_BYTES_MAX} bytes; one frame is not", args.file.display());
        return say(Exit::Unreadable, why);
    }
    match interop::device::decode_json(&bytes) {
        Ok(facts) => {
            // A reader that has seen enough, such as `head`, is no failure.
            let _closed = writeln!(std::io::stdout().lock(), "{facts:#}");
            Exit::Done
        }
        Err(reason) => say(Exit::Unreadable, format!("{}: {reason}", args.file.display())),
    }
}

/// At most one byte more than is accepted.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
