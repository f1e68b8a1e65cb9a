//! Whatever comes over the line, the listener goes on: each damaged message is refused or rightly read, and the
//! next whole one is taken.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not there")]

mod mutate;

use interop::device::{Decoded, decode};
use interop::mllp::{Framer, wrap};
use mutate::{Dice, damaged, holds};

fn frames() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames");
    let mut frames: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "hl7"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    frames.sort();
    frames
}

/// A part says nothing that the whole does not say. Where the cut takes a part of the device's name or all of
/// it, what is left is a device that sits at no chair.
fn is_part(part: &Decoded, whole: &Decoded) -> bool {
    let gateway = whole.sender.split(['|', '^']).next().unwrap();
    let device = part.message.device.as_str();
    let known = whole.also_known_as.contains(&part.message.device)
        || whole.message.device.as_str().starts_with(device)
        || device.starts_with(gateway);
    known && part.message.patient == whole.message.patient && whole.facts.starts_with(&part.facts)
}

#[test]
fn a_message_cut_at_any_byte_is_refused_or_says_less() {
    let mut taken = 0;
    for (name, message) in frames() {
        let whole = decode(&message, None).unwrap();
        for end in 0..message.trim_ascii_end().len() {
            if let Ok(part) = decode(&message[..end], None) {
                taken += 1;
                assert!(is_part(&part, &whole), "{name} cut at {end}: {:?} {:?}", part.message, part.facts);
            }
        }
    }
    assert!(taken > 100, "cuts between segments are whole messages, but only {taken} were taken");
}

/// The message with something wrong that must be seen.
fn defects(message: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let text: String = message.iter().map(|byte| char::from(*byte)).collect();
    let bytes = |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let header_end = text.find('\n').unwrap() + 1;
    let mark = text.chars().nth(3).unwrap();
    let field_of = |name: &str, n: usize, value: &str| {
        let mut found = false;
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| {
                if found || !line.starts_with(name) {
                    return line.to_owned();
                }
                found = true;
                let mut fields: Vec<&str> = line.split(mark).collect();
                fields.resize(fields.len().max(n + 1), "");
                fields[n] = value;
                fields.join(&mark.to_string())
            })
            .collect();
        bytes(lines.join("\n"))
    };
    let line_of_junk = format!("{}\rno segment at all\r{}", &text[..header_end - 1], &text[header_end..]);
    let numeric = |value: &str| bytes(numbers_replaced(&text, mark, value));
    vec![
        ("empty", Vec::new()),
        ("no MSH", message[header_end..].to_vec()),
        ("MSH in small letters", bytes(text.replacen("MSH", "msh", 1))),
        ("only the header", message[..header_end].to_vec()),
        ("doubled", [message, message].concat()),
        ("first byte lost", message[1..].to_vec()),
        ("UTF-16", message.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("equal separators", field_of("MSH", 1, "||||")),
        ("two separators", field_of("MSH", 1, "^~")),
        ("letters as separators", field_of("MSH", 1, "abcd")),
        ("unknown charset", field_of("MSH", 17, "KLINGON")),
        (
            "bytes outside of UTF-8",
            [&field_of("MSH", 17, "UNICODE UTF-8"), b"NTE|\xff\xfe".as_slice()].concat(),
        ),
        ("bytes outside of ASCII", [&field_of("MSH", 17, "ASCII"), b"NTE|\xe9".as_slice()].concat()),
        ("no type", field_of("MSH", 8, "")),
        ("another type", field_of("MSH", 8, "ADT")),
        ("no control id", field_of("MSH", 9, "")),
        ("long control id", field_of("MSH", 9, &"x".repeat(30_000))),
        ("debugging", field_of("MSH", 10, "D")),
        ("no version", field_of("MSH", 11, "")),
        ("wrong version", field_of("MSH", 11, "26")),
        ("wrong time", field_of("MSH", 6, "yesterday")),
        ("wrong report time", field_of("OBR", 7, "20260230120000")),
        (
            "no report",
            bytes(text.lines().filter(|line| !line.starts_with("OBR")).collect::<Vec<_>>().join("\n")),
        ),
        ("a line that is no segment", bytes(line_of_junk)),
        ("two patients", [message, format!("PID{mark}1\nPID{mark}2\n").as_bytes()].concat()),
        ("text for a number", numeric("ninety")),
        ("infinity for a number", numeric("Infinity")),
        ("a huge number", numeric(&"9".repeat(20_000))),
        ("a range for a number", numeric("90-100")),
        ("a comma for a point", numeric("36,6")),
    ]
}

/// Every number that is there becomes `value`; a message without numbers loses its header instead.
fn numbers_replaced(text: &str, mark: char, value: &str) -> String {
    let mut found = false;
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let mut fields: Vec<&str> = line.split(mark).collect();
            let flagged = fields.get(8).is_some_and(|flags| !flags.is_empty());
            if fields.get(2) == Some(&"NM") && !fields[5].is_empty() && !flagged {
                found = true;
                fields[5] = value;
            }
            fields.join(&mark.to_string())
        })
        .collect();
    if found { lines.join("\n") } else { String::new() }
}

#[test]
fn hundreds_of_malformed_messages_are_refused_and_the_next_one_is_served() {
    let mut framer = Framer::new();
    let mut count = 0;
    for (name, message) in frames() {
        for (defect, broken) in defects(&message) {
            let refused = decode(&broken, None).err().unwrap_or_else(|| panic!("{name}: {defect} was taken"));
            assert!(refused.ack.is_some(), "{name}: {defect} got no answer");
            holds(&broken);
            let stream = [wrap(&broken), wrap(&message)].concat();
            let next = framer.feed(&stream).pop().unwrap().unwrap();
            assert!(decode(&next, None).is_ok(), "{name}: nothing more after {defect}");
            count += 1;
        }
    }
    assert!(count >= 400, "only {count} malformed messages");
}

#[test]
fn a_message_of_nothing_but_marks_costs_no_more_than_itself() {
    let header = b"MSH|^~\\&|A|B|C|D|||ORU^R01|1|P|2.6\rOBR|1\r".as_slice();
    for filling in ["|", "^", "~", "\\", "&", "\r", "\n", "OBX\r", "OBX|\n", "1.0.", "\\X"] {
        for start in [
            "",
            "OBX|1|NM|",
            "OBX|1|NM|150021||",
            "OBX|1|NM|150021|1.1",
            "OBX|1|CWE|1|1|",
            "OBX|1|ST|67972||",
        ] {
            let mut message = [header, start.as_bytes()].concat();
            while message.len() < 120_000 {
                message.extend_from_slice(filling.as_bytes());
            }
            assert!(decode(&message, None).is_err(), "{start} and {filling:?}");
        }
    }
}

#[test]
fn random_damage_breaks_no_rule() {
    let frames = frames();
    let mut dice = Dice(20_260_203);
    let mut taken = 0;
    for round in 0..4_000 {
        let (name, message) = &frames[dice.below(frames.len())];
        let (_, other) = &frames[dice.below(frames.len())];
        let seed = dice.0;
        let broken = damaged(message, other, &mut dice);
        let result = std::panic::catch_unwind(|| holds(&broken));
        match result {
            Ok(was_taken) => taken += u32::from(was_taken),
            Err(_) => panic!("round {round}, {name}, seed {seed}: {}", String::from_utf8_lossy(&broken)),
        }
    }
    assert!((200..3_800).contains(&taken), "{taken} of 4000 were taken: the damage tests nothing");
}
