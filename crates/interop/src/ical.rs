//! iCalendar (RFC 5545): a feed of appointments for the calendar that a person keeps elsewhere. Written, never read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most bytes of a line before it is folded (RFC 5545, 3.1).
const LINE_MOST: usize = 75;

/// One appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// The same for the same appointment in every feed.
    pub uid: String,
    /// It begins.
    pub start: Timestamp,
    /// It ends.
    pub end: Timestamp,
    /// What stands in the calendar.
    pub summary: String,
    /// Where.
    pub location: String,
}

/// A whole feed, with its name, as of a moment.
pub fn feed(name: &str, appointments: &[Appointment], now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| fold(&format!("{name}:{value}"), &mut text);
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//Chairside//Calendar//EN");
    line("CALSCALE", "GREGORIAN");
    line("METHOD", "PUBLISH");
    line("X-WR-CALNAME", &escaped(name));
    for one in appointments {
        line("BEGIN", "VEVENT");
        line("UID", &escaped(&one.uid));
        line("DTSTAMP", &utc(now));
        line("DTSTART", &utc(one.start));
        line("DTEND", &utc(one.end));
        line("SUMMARY", &escaped(&one.summary));
        if !one.location.is_empty() {
            line("LOCATION", &escaped(&one.location));
        }
        line("CLASS", "PRIVATE");
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    text
}

/// A moment in UTC, so that no table of zones has to be sent along (3.3.5, form 2).
fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as 3.3.11 has it. Control characters are no text and become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\\' | ';' | ',' => out.extend(['\\', one]),
            '\n' => out.push_str("\\n"),
            one if one.is_control() => out.push(' '),
            one => out.push(one),
        }
    }
    out
}

/// Ends a line, broken where it is too long and never within a character.
fn fold(line: &str, out: &mut String) {
    let mut bytes = 0;
    for one in line.chars() {
        if bytes + one.len_utf8() > LINE_MOST {
            out.push_str("\r\n ");
            bytes = 1;
        }
        out.push(one);
        bytes += one.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn appointment(summary: &str) -> Appointment {
        let at = |text: &str| text.parse().expect("a time");
        Appointment {
            uid: "0199@main".to_owned(),
            start: at("2026-12-01T14:30:00Z"),
            end: at("2026-12-01T16:30:00Z"),
            summary: summary.to_owned(),
            location: "Chair 3".to_owned(),
        }
    }

    fn written(summary: &str) -> String {
        feed("Kim", &[appointment(summary)], "2026-11-22T09:00:00Z".parse().expect("a time"))
    }

    #[test]
    fn a_feed_is_what_the_standard_asks_for() {
        let text = written("Infusion");
        assert!(
            text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
                && text.ends_with("END:VCALENDAR\r\n")
        );
        for line in [
            "UID:0199@main",
            "DTSTAMP:20261122T090000Z",
            "DTSTART:20261201T143000Z",
            "DTEND:20261201T163000Z",
            "SUMMARY:Infusion",
            "LOCATION:Chair 3",
        ] {
            assert!(text.split("\r\n").any(|one| one == line), "{line} is not in {text}");
        }
    }

    /// As a reader of the standard reads a line back: unfolded, then unescaped.
    fn read_back(text: &str) -> String {
        let whole = text.replace("\r\n ", "");
        let line = whole.split("\r\n").find_map(|line| line.strip_prefix("SUMMARY:")).expect("a summary");
        let (mut out, mut chars) = (String::new(), line.chars());
        while let Some(one) = chars.next() {
            out.push(match one {
                '\\' => {
                    chars.next().map(|next| if next == 'n' { '\n' } else { next }).expect("a whole escape")
                }
                one => one,
            });
        }
        out
    }

    proptest! {
        /// No text makes a line too long, adds a line of its own, or comes back as another.
        #[test]
        fn any_text_stays_within_its_line_and_reads_back(said in "(?s)[^\\p{Cc}]{0,200}|[a,;\\\\\nü日😀]{0,120}") {
            let text = written(&said);
            for line in text.split("\r\n") {
                prop_assert!(line.len() <= LINE_MOST && !line.contains(['\n', '\r']), "{line}");
            }
            prop_assert_eq!(text.matches("BEGIN:VEVENT\r\n").count(), 1);
            prop_assert_eq!(read_back(&text), said);
        }
    }
}
