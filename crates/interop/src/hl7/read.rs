//! Reading: bytes to text by MSH-18, text to segments, segments to values.

use super::header::start;
use super::{Cause, Header, Problem, Separators};
use std::borrow::Cow;
use std::collections::HashMap;

/// The message as text, by the character set that MSH-18 declares (ASCII when it declares none).
///
/// # Errors
/// No header, unusable separators, a set other than ASCII, UNICODE UTF-8 and 8859/1, or a byte that is not in
/// the declared set.
pub fn text(message: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let declared = Header::of(message)?.raw(18).trim_ascii();
    let message = start(message);
    let utf8 = |charset| match std::str::from_utf8(message) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => Err(Cause::NotInCharset { offset: error.valid_up_to(), charset }.into()),
    };
    match declared {
        b"" | b"ASCII" => match message.iter().position(|byte| !byte.is_ascii()) {
            Some(offset) => Err(Cause::NotInCharset { offset, charset: "ASCII" }.into()),
            None => utf8("ASCII"),
        },
        b"UNICODE UTF-8" | b"UTF-8" => utf8("UNICODE UTF-8"),
        b"8859/1" => Ok(Cow::Owned(message.iter().map(|byte| char::from(*byte)).collect())),
        other => Err(Cause::Charset(String::from_utf8_lossy(other).into_owned()).at("MSH", 1, 18)),
    }
}

/// A message cut into segments.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// In order; the first is MSH.
    pub segments: Vec<Segment<'a>>,
}

/// Cuts a message into segments. They end with CR, LF or both. A line that is no segment is refused after a CR;
/// after a lone LF it belongs to the field before it, as text with line feeds inside.
///
/// # Errors
/// No header, a line that is no segment, a second MSH.
pub fn read(text: &str) -> Result<Message<'_>, Problem> {
    let separators = Header::of(text.as_bytes())?.separators;
    let mut segments: Vec<Segment<'_>> = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut after_return = true;
    let mut line_start = 0;
    for (index, line) in text.split(['\r', '\n']).enumerate() {
        let line_end = line_start + line.len();
        if !line.trim().is_empty() {
            let joined = segments.last().map(|last| last.start);
            match (named(line, separators), joined) {
                (Some("MSH"), Some(_)) => return Err(Cause::SecondHeader { line: index + 1 }.into()),
                (Some(name), _) => {
                    let number = counts.entry(name).and_modify(|count| *count += 1).or_insert(1);
                    segments.push(Segment { name, number: *number, line, start: line_start, separators });
                }
                (None, Some(begin)) if !after_return && segments.len() > 1 => {
                    if let (Some(last), Some(whole)) = (segments.last_mut(), text.get(begin..line_end)) {
                        last.line = whole;
                    }
                }
                (None, _) => {
                    let text = line.to_owned();
                    return Err(Cause::NotASegment { line: index + 1, text }.into());
                }
            }
            after_return = false;
        }
        after_return |= text.as_bytes().get(line_end) == Some(&b'\r');
        line_start = line_end + 1;
    }
    Ok(Message { segments })
}

fn named(line: &str, separators: Separators) -> Option<&str> {
    let name = line.get(..3)?;
    let letters = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let ends = line.get(3..)?.chars().next().is_none_or(|next| next == separators.field);
    (letters && ends).then_some(name)
}

/// One segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Three letters, `OBX`.
    pub name: &'a str,
    /// Which of the segments of this name, from 1.
    pub number: usize,
    line: &'a str,
    start: usize,
    separators: Separators,
}

impl<'a> Segment<'a> {
    /// Field `n` as in the standard, from 1; empty when absent.
    pub fn field(&self, n: usize) -> Value<'a> {
        let raw = match (self.name, n) {
            ("MSH", 1) => self.line.get(3..4),
            ("MSH", _) => self.line.split(self.separators.field).nth(n.saturating_sub(1)),
            _ => self.line.split(self.separators.field).nth(n),
        };
        Value { raw: raw.unwrap_or_default(), separators: self.separators }
    }

    /// How many fields were sent, with the empty ones.
    pub fn len(&self) -> usize {
        self.line.matches(self.separators.field).count() + usize::from(self.name == "MSH")
    }

    /// Whether only the name was sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A problem at a field of this segment.
    pub fn problem(&self, field: usize, cause: Cause) -> Problem {
        cause.at(self.name, self.number, field)
    }
}

/// A field, or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    raw: &'a str,
    separators: Separators,
}

impl<'a> Value<'a> {
    /// As sent.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Nothing, blanks, or the HL7 null `""`.
    pub fn is_empty(&self) -> bool {
        matches!(self.raw.trim(), "" | "\"\"")
    }

    /// All repetitions; one empty one for an empty field.
    pub fn repetitions(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.split(self.separators.repetition)
    }

    /// All components of one repetition.
    pub fn components(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.split(self.separators.component)
    }

    /// All sub-components of one component.
    pub fn subcomponents(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        self.split(self.separators.subcomponent)
    }

    /// Component `n` of the first repetition, from 1; empty when absent.
    pub fn component(&self, n: usize) -> Value<'a> {
        let first = self.raw.split(self.separators.repetition).next().unwrap_or_default();
        let raw = first.split(self.separators.component).nth(n.saturating_sub(1)).unwrap_or_default();
        Value { raw, separators: self.separators }
    }

    /// Without escapes. A sequence that means nothing stays as it was sent.
    pub fn text(&self) -> Cow<'a, str> {
        unescape(self.raw, self.separators)
    }

    /// Without escapes and blanks around it; `None` for nothing and for the HL7 null.
    pub fn word(&self) -> Option<String> {
        let text = self.text();
        let word = text.trim();
        (!self.is_empty() && !word.is_empty()).then(|| word.to_owned())
    }

    fn split(&self, mark: char) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let separators = self.separators;
        self.raw.split(mark).map(move |raw| Value { raw, separators })
    }
}

fn unescape(raw: &str, separators: Separators) -> Cow<'_, str> {
    if !raw.contains(separators.escape) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once(separators.escape) {
        out.push_str(before);
        let meaning = after
            .split_once(separators.escape)
            .and_then(|(sequence, tail)| Some((meaning(sequence, separators)?, tail)));
        match meaning {
            Some((text, tail)) => {
                out.push_str(&text);
                rest = tail;
            }
            None => {
                out.push(separators.escape);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn meaning(sequence: &str, separators: Separators) -> Option<String> {
    match sequence {
        "F" => Some(separators.field.into()),
        "S" => Some(separators.component.into()),
        "T" => Some(separators.subcomponent.into()),
        "R" => Some(separators.repetition.into()),
        "E" => Some(separators.escape.into()),
        // Highlighting has no place in a record.
        "H" | "N" => Some(String::new()),
        ".br" => Some("\n".to_owned()),
        _ => String::from_utf8(hex(sequence.strip_prefix('X')?)?).ok(),
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            pair.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(pair, 16).ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &str) -> Vec<(&str, usize)> {
        read(message).expect(message).segments.iter().map(|s| (s.name, s.len())).collect()
    }

    #[test]
    fn segments_end_with_any_line_end() {
        let expected = [("MSH", 3), ("OBR", 1), ("OBX", 2)];
        for end in ["\r", "\n", "\r\n", "\r\r\n", "\n\n"] {
            assert_eq!(texts(&["MSH|^~\\&|A", "OBR|1", "OBX|1|NM"].join(end)), expected, "{end:?}");
        }
        assert_eq!(texts("\r\nMSH|^~\\&|A\rOBR|1\nOBX|1|NM\r\n"), expected, "mixed");
    }

    #[test]
    fn a_line_feed_inside_a_text_does_not_cut_the_segment() {
        let message = read("MSH|^~\\&|A\rNTE|1||first\nsecond\rOBX|1").expect("message");
        assert_eq!(message.segments[1].field(3).text(), "first\nsecond");
        let problem = read("MSH|^~\\&|A\rNTE|1||first\rsecond\rOBX|1").expect_err("line");
        assert_eq!(problem.to_string(), "line 3 is not a segment: \"second\"");
    }

    #[test]
    fn two_messages_in_one_frame_are_refused() {
        let problem = read("MSH|^~\\&|A\rOBR|1\rMSH|^~\\&|A\r").expect_err("doubled");
        assert_eq!(problem.to_string(), "line 3 starts a second message inside the first");
    }

    #[test]
    fn values_come_apart_at_every_level() {
        let message = read("MSH|^~\\&|A\rOBX|1|CWE|a^b&c~d^e&f|\"\"| |\\X0D\\").expect("message");
        let field = message.segments[1].field(3);
        let repetitions: Vec<_> = field.repetitions().map(|r| r.component(2).raw().to_owned()).collect();
        assert_eq!(repetitions, ["b&c", "e&f"]);
        assert_eq!(field.component(2).subcomponents().nth(1).expect("second").text(), "c");
        assert_eq!(field.component(9).raw(), "");
        assert!(message.segments[1].field(4).is_empty(), "the HL7 null is nothing");
        assert!(message.segments[1].field(5).is_empty(), "blanks are nothing");
        assert_eq!(message.segments[1].field(5).word(), None);
        assert_eq!(message.segments[1].field(6).word(), None, "escaped line ends are nothing");
        assert_eq!(message.segments[0].field(1).raw(), "|");
        assert_eq!(message.segments[0].field(2).raw(), "^~\\&");
        assert_eq!(message.segments[0].field(3).raw(), "A");
    }

    #[test]
    fn escapes_are_read_and_nonsense_stays() {
        let read = |raw| unescape(raw, Separators::USUAL).into_owned();
        assert_eq!(read(r"a\F\b\S\c\T\d\R\e\E\f"), r"a|b^c&d~e\f");
        assert_eq!(read(r"\H\bold\N\ \.br\\X41C3A9\"), "bold \nAé");
        assert_eq!(read(r"C:\temp\new \Q\ \X4\ \XFF\ \X+1\ \"), r"C:\temp\new \Q\ \X4\ \XFF\ \X+1\ \");
        assert_eq!(read(r"\E\X41\E\"), r"\X41\");
    }

    #[test]
    fn the_character_set_is_the_declared_one_or_the_message_is_refused() {
        let message = |charset: &str, name: &[u8]| {
            [b"MSH|^~\\&|||||||||||||||", b"|".as_slice(), charset.as_bytes(), b"\rPID|", name].concat()
        };
        let read = |charset: &str, name: &[u8]| match text(&message(charset, name)) {
            Ok(text) => text.rsplit('|').next().unwrap_or_default().to_owned(),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(read("UNICODE UTF-8", "Gödel".as_bytes()), "Gödel");
        assert_eq!(read("8859/1", b"G\xF6del"), "Gödel");
        assert_eq!(read("", b"Godel"), "Godel");
        assert_eq!(read("ASCII", b"G\xF6del"), "byte 35 is not ASCII, which MSH-18 declares");
        assert_eq!(read("", "Gödel".as_bytes()), "byte 30 is not ASCII, which MSH-18 declares");
        assert_eq!(read("UNICODE UTF-8", b"G\xF6del"), "byte 43 is not UNICODE UTF-8, which MSH-18 declares");
        assert!(read("UNICODE UTF-16", b"G").contains("is not supported"));
        assert!(read("ASCII~8859/1", b"G").contains("is not supported"));
    }
}
