//! `chairside decode FILE`: the facts of one HL7 frame as JSON.

use super::{Exit, say};
use std::path::PathBuf;

/// The frame.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with one HL7 v2 message, with or without its MLLP envelope
    file: PathBuf,
}

/// Prints the facts; exit 2 when the frame cannot be read.
pub fn run(args: &Args) -> Exit {
    let bytes = match std::fs::read(&args.file) {
        Ok(bytes) => bytes,
        Err(cause) => return say(Exit::Unreadable, format!("cannot read {}: {cause}", args.file.display())),
    };
    match interop::device::decode_json(&bytes) {
        Ok(facts) => {
            println!("{facts:#}");
            Exit::Done
        }
        Err(reason) => say(Exit::Unreadable, format!("{}: {reason}", args.file.display())),
    }
}
