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
            "printed": decode_json(&message, None, None).unwrap(),
        });
        expect_file![path.with_extension("json")]
            .assert_eq(&(serde_json::to_string_pretty(&said).unwrap() + "\n"));
    }
}

#[test]
fn line_ends_and_framing_change_nothing() {
    for (path, message) in files("frames") {
        let said = decode_json(&message, None, None).unwrap();
        assert_eq!(decode_json(&mllp::wrap(&message), None, None).unwrap(), said, "{}", path.display());
        for end in [b"\r".as_slice(), b"\r\n"] {
            if !has_a_line_inside_a_text(&path) {
                assert_eq!(
                    decode_json(&with_line_ends(&message, end), None, None).unwrap(),
                    said,
                    "{}",
                    path.display()
                );
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
        assert_eq!(decode_json(&message, None, None), Err(reason), "{}", path.display());
    }
}

#[test]
fn a_file_with_a_broken_frame_is_an_error() {
    let whole = mllp::wrap(b"MSH|^~\\&|A");
    let two = [whole.as_slice(), &whole].concat();
    assert_eq!(decode_json(&two, None, None).unwrap_err(), "the file holds 2 frames; give one at a time");
    assert_eq!(decode_json(&whole[..6], None, None).unwrap_err(), "the frame was cut after 5 bytes");
    assert_eq!(decode_json(b"", None, None).unwrap_err(), "the message does not start with MSH");
}

/// A wall clock says when only together with where it hangs.
#[test]
fn a_time_without_an_offset_is_marked_and_read_where_a_zone_is_told() {
    let (_, frame) =
        files("frames").into_iter().find(|(path, _)| path.ends_with("monitor.hl7")).expect("a frame");
    let with_offset = decode_json(&frame, None, None).unwrap();
    assert!(with_offset.get("without_offset").is_none(), "{with_offset}");
    let bare = String::from_utf8(frame).unwrap().replace("-0600", "");
    let nowhere = decode_json(bare.as_bytes(), None, None).unwrap();
    let marked = nowhere["without_offset"].as_array().expect("marked");
    assert!(marked[0].as_str().is_some_and(|one| one.starts_with("MSH 1, field 7: 20")), "{nowhere}");
    assert!(nowhere["observed_at"].is_null(), "{nowhere}");
    let zone = jiff::tz::TimeZone::get("America/Denver").unwrap();
    let here = decode_json(bare.as_bytes(), Some(&zone), None).unwrap();
    assert!(here["observed_at"].is_string() && here["without_offset"] == nowhere["without_offset"], "{here}");
}

/// Hazard 175: what no patient can have is marked, and the digits stay as sent.
#[test]
fn a_value_that_no_patient_can_have_is_marked_invalid() {
    let knowledge = clinic::knowledge::Knowledge::shipped().expect("sound");
    let (_, frame) =
        files("frames").into_iter().find(|(path, _)| path.ends_with("monitor.hl7")).expect("a frame");
    let frame = String::from_utf8(frame).unwrap();
    let status = |frame: &str, name: &str| {
        let said = decode_json(frame.as_bytes(), None, knowledge.plausibility()).unwrap();
        let facts = said["facts"].as_array().unwrap().clone();
        let fact = facts.into_iter().find(|fact| fact["name"] == name).unwrap();
        (fact["value"].as_str().unwrap().to_owned(), fact["status"].as_str().unwrap().to_owned())
    };
    let told = |value: &str, status: &str| (value.to_owned(), status.to_owned());
    let (heart, spo2, systolic) = ("MDC_ECG_HEART_RATE", "MDC_PULS_OXIM_SAT_O2", "MDC_PRESS_BLD_NONINV_SYS");
    for (from, to, name, expected) in [
        ("1.2.1.1|88|", "1.2.1.1|88|", heart, told("88", "R")),
        ("1.2.1.1|88|", "1.2.1.1|900|", heart, told("900", "INV")),
        ("1.3.1.1|97|", "1.3.1.1|140|", spo2, told("140", "INV")),
        ("1.1.1.2|92|", "1.1.1.2|151|", systolic, told("141", "INV")),
    ] {
        assert_eq!(status(&frame.replace(from, to), name), expected, "{to}");
    }
}
