//! `chairside decode FILE`: the facts of one HL7 frame as JSON.

use super::{Exit, note, say, with_shipped};
use interop::device::decode_json;
use jiff::tz::TimeZone;
use serde_json::Value;
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
    /// The clinic's time zone, such as America/Denver, for times that come without an offset from UTC
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
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
    let zone = match args.zone.as_deref().map(zone).transpose() {
        Ok(zone) => zone,
        Err(wrong) => return say(Exit::Unreadable, wrong),
    };
    with_shipped(|knowledge| match decode_json(&bytes, zone.as_ref(), knowledge.plausibility()) {
        Ok(facts) => {
            if let Some(invalid) = invalid(&facts) {
                note(invalid);
            }
            if let Some(without) = facts.get("without_offset").and_then(|all| all.as_array()) {
                note(without_offset(without.len(), args.zone.as_deref()));
            }
            // A reader that has seen enough, such as `head`, is no failure.
            let _closed = writeln!(std::io::stdout().lock(), "{facts:#}");
            Exit::Done
        }
        Err(reason) => say(Exit::Unreadable, format!("{}: {reason}", args.file.display())),
    })
}

/// What the device sends as good and no patient can have.
fn invalid(facts: &Value) -> Option<String> {
    let facts = facts.get("facts")?.as_array()?;
    let told = facts.iter().filter(|fact| fact["status"] == "INV" && fact["value"].is_string());
    let told: Vec<String> = told
        .map(|fact| {
            format!("{} {}", fact["name"].as_str().unwrap_or("?"), fact["value"].as_str().unwrap_or("?"))
        })
        .collect();
    (!told.is_empty()).then(|| format!("no patient can have, and marked INV: {}", told.join(", ")))
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!(
            "--zone: `{name}` is no time zone. Accepted is a name of the IANA list, such as America/Denver."
        )
    })
}

fn without_offset(count: usize, zone: Option<&str>) -> String {
    match zone {
        Some(zone) => {
            format!("times without an offset from UTC: {count}, read in {zone}; see without_offset")
        }
        None => format!(
            "times without an offset from UTC: {count}, no points in time; see without_offset. --zone NAME reads them in \
             the clinic's time zone, as the device port does."
        ),
    }
}

/// At most one byte more than is accepted.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_is_none_is_refused_with_its_name() {
        assert!(zone("America/Denver").is_ok());
        let wrong = zone("Denver").expect_err("no such zone");
        assert!(
            wrong.contains("--zone") && wrong.contains("`Denver`") && wrong.contains("America/Denver"),
            "{wrong}"
        );
    }

    #[test]
    fn what_comes_without_an_offset_is_told_in_words() {
        assert!(
            without_offset(1, None).contains("1, no points in time")
                && without_offset(1, None).contains("--zone")
        );
        assert!(without_offset(3, Some("Europe/Berlin")).contains("read in Europe/Berlin"));
    }
}
