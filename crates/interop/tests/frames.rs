//! Messages of monitors and pumps as they come, synthetic, after the shapes seen in public traffic, each with
//! what it says beside it: `frames/` is taken in, `refused/` is not. `UPDATE_EXPECT=1` writes what is said now;
//! read it before you keep it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not there")]

use expect_test::expect_file;
use interop::ack::render;
use interop::device::{decode, decode_json};
use interop::mllp;
use serde_json::json;
use std::path::PathBuf;

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "hl7"));
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

fn with_line_ends(message: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = message.split(|byte| *byte == b'\n').collect();
    lines.join(end)
}

/// A line feed inside a text is a line end only in a message that ends its lines with one.
fn has_a_line_inside_a_text(path: &std::path::Path) -> bool {
    path.ends_with("monitor_labels.hl7")
}

#[test]
fn each_frame_says_what_stands_beside_it() {
    for (path, message) in files("frames") {
        let decoded =
            decode(&message, None).unwrap_or_else(|refused| panic!("{}: {refused}", path.display()));
        let said = json!({
            "transaction": decoded.transaction.number(),
            "sender": decoded.sender,
            "also_known_as": decoded.also_known_as,
            "message": decoded.message,
            "printed": decode_json(&message).unwrap(),
        });
        expect_file![path.with_extension("json")]
            .assert_eq(&(serde_json::to_string_pretty(&said).unwrap() + "\n"));
    }
}

#[test]
fn line_ends_and_framing_change_nothing() {
    for (path, message) in files("frames") {
        let said = decode_json(&message).unwrap();
        assert_eq!(decode_json(&mllp::wrap(&message)).unwrap(), said, "{}", path.display());
        for end in [b"\r".as_slice(), b"\r\n"] {
            if !has_a_line_inside_a_text(&path) {
                assert_eq!(decode_json(&with_line_ends(&message, end)).unwrap(), said, "{}", path.display());
            }
        }
    }
}

#[test]
fn each_refusal_tells_why_and_answers_so() {
    for (path, message) in files("refused") {
        let refused = decode(&message, None).err().unwrap_or_else(|| panic!("{} was taken", path.display()));
        let reason = refused.to_string();
        let answer = refused.ack.map(|plan| {
            let now = "2026-02-03T15:30:01Z".parse().unwrap();
            let answer = render(&plan, now, "C1", Err(&reason));
            String::from_utf8_lossy(&answer).split_terminator('\r').map(str::to_owned).collect::<Vec<_>>()
        });
        let said = json!({ "reason": reason, "answer": answer });
        expect_file![path.with_extension("json")]
            .assert_eq(&(serde_json::to_string_pretty(&said).unwrap() + "\n"));
        assert_eq!(decode_json(&message), Err(reason), "{}", path.display());
    }
}

#[test]
fn a_file_with_a_broken_frame_is_an_error() {
    let whole = mllp::wrap(b"MSH|^~\\&|A");
    let two = [whole.as_slice(), &whole].concat();
    assert_eq!(decode_json(&two).unwrap_err(), "the file holds 2 frames; give one at a time");
    assert_eq!(decode_json(&whole[..6]).unwrap_err(), "the frame was cut after 5 bytes");
    assert_eq!(decode_json(b"").unwrap_err(), "the message does not start with MSH");
}
