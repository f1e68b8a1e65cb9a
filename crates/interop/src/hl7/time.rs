//! HL7 times: `YYYYMMDDHHMM[SS[.SSSS]][+/-ZZZZ]`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A time as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In universal time; `None` when nobody tells the zone, or for nothing finer than a day or an hour.
    pub at: Option<Timestamp>,
    /// The sender's distance from universal time, when given.
    pub offset: Option<Offset>,
}

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMoment {
    /// It is not a time.
    NotATime,
    /// In the night in which the clocks are set, its hour comes twice or never.
    TwiceOrNever,
}

/// Reads a time. `usual` is the zone for times without an offset: the sender's own (from MSH-7), else the clinic's.
/// A time whose zone nobody tells is no point in time and is not guessed.
///
/// # Errors
/// When the text is not a time, or is none or two of them in that zone.
pub fn moment(text: &str, usual: Option<&TimeZone>) -> Result<Moment, NoMoment> {
    let (clock, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at_checked(at).ok_or(NoMoment::NotATime)?,
        None => (text, ""),
    };
    let offset = if zone.is_empty() { None } else { Some(zone_offset(zone).ok_or(NoMoment::NotATime)?) };
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, part)| (whole, Some(part)));
    let (civil, fine) = civil(whole, fraction).ok_or(NoMoment::NotATime)?;
    let zone = offset.map(TimeZone::fixed).or_else(|| usual.cloned()).filter(|_| fine);
    let at = zone.map(|zone| zone.to_ambiguous_timestamp(civil).unambiguous()).transpose();
    Ok(Moment { at: at.map_err(|_| NoMoment::TwiceOrNever)?, offset })
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
            let usual = usual.map(|h| TimeZone::fixed(Offset::from_hours(h).expect("offset")));
            let moment = moment(text, usual.as_ref()).ok()?;
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

    /// Hazard 25: what the clock on the wall says is read in the clinic's zone, on both sides of the night in which
    /// it is set; in the hour that comes twice or never, nothing is guessed.
    #[test]
    fn a_time_without_an_offset_is_one_moment_of_the_clinics_zone_or_none() {
        let denver = TimeZone::get("America/Denver").expect("a zone");
        let read = |text: &str| moment(text, Some(&denver)).map(|moment| moment.at.map(|at| at.to_string()));
        for (wall, utc) in [
            ("20260308015959", "2026-03-08T08:59:59Z"),
            ("20260308030000", "2026-03-08T09:00:00Z"),
            ("20261101005959", "2026-11-01T06:59:59Z"),
            ("20261101020000", "2026-11-01T09:00:00Z"),
            ("20261101013000-0600", "2026-11-01T07:30:00Z"),
            ("20261101013000-0700", "2026-11-01T08:30:00Z"),
        ] {
            assert_eq!(read(wall), Ok(Some(utc.to_owned())), "{wall}");
        }
        for wall in ["20260308023000", "20261101010000", "20261101015959.999"] {
            assert_eq!(read(wall), Err(NoMoment::TwiceOrNever), "{wall}");
        }
    }

    proptest! {
        /// Hazard 25: in any zone, whatever is read from a wall clock is what that clock then shows.
        #[test]
        fn what_is_read_from_a_wall_clock_stands_on_it_then(
            night in prop::sample::select(vec!["2026-03-08T09:00Z", "2026-11-01T08:00Z", "2026-03-29T01:00Z", "2026-10-24T15:00Z"]),
            seconds in -9_000_i64..9_000,
            zone in prop::sample::select(vec!["UTC", "America/Denver", "Europe/Berlin", "Australia/Lord_Howe"]),
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let night: Timestamp = night.parse().expect("a time");
            let at = night.checked_add(jiff::SignedDuration::from_secs(seconds)).expect("near");
            let shown = at.to_zoned(zone.clone()).strftime("%Y%m%d%H%M%S").to_string();
            match moment(&shown, Some(&zone)) {
                Ok(moment) => prop_assert_eq!(moment.at, Some(at)),
                Err(why) => {
                    prop_assert_eq!(why, NoMoment::TwiceOrNever);
                    prop_assert!(zone.to_ambiguous_timestamp(at.to_zoned(zone.clone()).datetime()).is_ambiguous());
                }
            }
        }

        #[test]
        fn written_times_read_back(ms in 0_i64..4_000_000_000_000, minutes in -720_i32..=840) {
            let at = Timestamp::from_millisecond(ms).expect("time");
            let offset = Offset::from_seconds(minutes * 60).expect("offset");
            prop_assert_eq!(moment(&written(at, offset), None).ok().and_then(|m| m.at), Some(at));
        }
    }
}
