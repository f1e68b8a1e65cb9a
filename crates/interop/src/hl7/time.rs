//! HL7 times: `YYYYMMDDHHMM[SS[.SSSS]][+/-ZZZZ]`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A time as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In universal time; `None` when the sender gave no offset, or nothing finer than a day or an hour.
    pub at: Option<Timestamp>,
    /// The sender's distance from universal time, when given.
    pub offset: Option<Offset>,
}

/// Reads a time. `usual` is the offset of the sender (from MSH-7) for times without one; a time whose offset
/// nobody tells is no point in time and is not guessed.
///
/// `None` when the text is not a time.
pub fn moment(text: &str, usual: Option<Offset>) -> Option<Moment> {
    let (clock, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    let offset = if zone.is_empty() { None } else { Some(zone_offset(zone)?) };
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, part)| (whole, Some(part)));
    let (civil, fine) = civil(whole, fraction)?;
    let at = match offset.or(usual) {
        Some(offset) if fine => Some(offset.to_timestamp(civil).ok()?),
        _ => None,
    };
    Some(Moment { at, offset })
}

fn civil(whole: &str, fraction: Option<&str>) -> Option<(DateTime, bool)> {
    if !matches!(whole.len(), 4 | 6 | 8 | 10 | 12 | 14) || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize, or: i8| match whole.get(from..to) {
        Some(digits) => digits.parse::<i8>().ok(),
        None => Some(or),
    };
    let nanoseconds = match fraction {
        None => 0,
        Some(_) if whole.len() != 14 => return None,
        Some(digits) => nanoseconds(digits)?,
    };
    let year: i16 = whole.get(..4)?.parse().ok()?;
    let (month, day) = (part(4, 6, 1)?, part(6, 8, 1)?);
    let (hour, minute, second) = (part(8, 10, 0)?, part(10, 12, 0)?, part(12, 14, 0)?);
    let civil = DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()?;
    Some((civil, whole.len() >= 12))
}

fn nanoseconds(digits: &str) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

fn zone_offset(zone: &str) -> Option<Offset> {
    let digits = zone.get(1..)?;
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..)?.parse().ok()?;
    if hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if zone.starts_with('-') { -seconds } else { seconds }).ok()
}

/// A time as HL7 writes it, to the millisecond where it is not a whole second.
pub fn written(at: Timestamp, offset: Offset) -> String {
    let civil = offset.to_datetime(at);
    let fraction = match civil.millisecond() {
        0 => String::new(),
        millisecond => format!(".{millisecond:03}"),
    };
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{}{fraction}{sign}{hours:02}{minutes:02}", civil.strftime("%Y%m%d%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_with_their_own_or_the_senders_offset() {
        let shown = |text: &str, usual: Option<i8>| {
            let moment = moment(text, usual.map(|h| Offset::from_hours(h).expect("offset")))?;
            Some(moment.at.map(|at| at.to_string()).unwrap_or_default())
        };
        assert_eq!(shown("20260203093000-0600", None).as_deref(), Some("2026-02-03T15:30:00Z"));
        assert_eq!(shown("202602030930", Some(0)).as_deref(), Some("2026-02-03T09:30:00Z"));
        assert_eq!(shown("20260203093000.25+0530", Some(0)).as_deref(), Some("2026-02-03T04:00:00.25Z"));
        assert_eq!(shown("20260203093000", None).as_deref(), Some(""), "nobody tells the offset");
        assert_eq!(shown("2026020309", Some(0)).as_deref(), Some(""), "an hour is no point in time");
        for wrong in [
            "",
            "2026-02-03",
            "20261303093000",
            "20260203246000",
            "2026020309300",
            "20260203093000-06",
            "20260203093000Z",
            "20260203093000.-0600",
            "202602030930.5",
            "٢٠٢٦",
            "20260203093000+9900",
        ] {
            assert_eq!(shown(wrong, Some(0)), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn written_times_read_back(ms in 0_i64..4_000_000_000_000, minutes in -720_i32..=840) {
            let at = Timestamp::from_millisecond(ms).expect("time");
            let offset = Offset::from_seconds(minutes * 60).expect("offset");
            prop_assert_eq!(moment(&written(at, offset), None).and_then(|m| m.at), Some(at));
        }
    }
}
