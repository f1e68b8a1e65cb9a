//! When a clinic is open: hours by day of the week, holidays, and the rules of its time zone.
//!
//! The zone comes from outside. Local times become moments here, so that everything else counts in hours that
//! really pass, across a change of the clock too.

use crate::dose::parse::Unreadable;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;

const DAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Monday, "mon", "Monday"),
    (Weekday::Tuesday, "tue", "Tuesday"),
    (Weekday::Wednesday, "wed", "Wednesday"),
    (Weekday::Thursday, "thu", "Thursday"),
    (Weekday::Friday, "fri", "Friday"),
    (Weekday::Saturday, "sat", "Saturday"),
    (Weekday::Sunday, "sun", "Sunday"),
];

const ACCEPTED: &str = "days and hours, such as \"mon-fri 08:00-17:00\" or \"mon,wed 09:00-12:30\"";

/// Hours in which the clinic is open on some days of the week: `mon-fri 08:00-17:00`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Opening {
    /// On these days,
    pub days: Vec<Weekday>,
    /// from
    pub from: Time,
    /// until, on the same day.
    pub until: Time,
}

impl Opening {
    /// Reads `mon-fri 08:00-17:00`; a span of days may run over the weekend, hours do not run over midnight.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(field: &'static str, text: &str) -> Result<Self, Unreadable> {
        let unreadable =
            |why: &str| Unreadable { field, value: text.to_owned(), why: why.to_owned(), accepted: ACCEPTED };
        let (days, hours) =
            text.trim().split_once(' ').ok_or_else(|| unreadable("it has no hours after the days"))?;
        let mut named = Vec::new();
        for span in days.split(',') {
            named.extend(
                weekdays(span).ok_or_else(|| unreadable(&format!("`{span}` is no day of the week")))?,
            );
        }
        let hour = |text: &str| clock(text).ok_or_else(|| unreadable(&format!("`{text}` is no time of day")));
        let (from, until) =
            hours.trim().split_once('-').ok_or_else(|| unreadable("the hours need an end"))?;
        let (from, until) = (hour(from)?, hour(until)?);
        if from >= until {
            return Err(unreadable("it ends before it begins"));
        }
        Ok(Self { days: named, from, until })
    }
}

impl TryFrom<String> for Opening {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Self, Unreadable> {
        Self::read("open", &text)
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<_> = DAYS.iter().enumerate().filter(|(_, (day, ..))| self.days.contains(day)).collect();
        let name = |at: Option<&(usize, &(Weekday, &'static str, &'static str))>| {
            at.map_or("", |(_, (_, short, _))| short)
        };
        let days = match (days.first(), days.last()) {
            (Some((first, _)), Some((last, _))) if days.len() > 2 && last - first + 1 == days.len() => {
                format!("{}-{}", name(days.first()), name(days.last()))
            }
            _ => days.iter().map(|day| name(Some(day))).collect::<Vec<_>>().join(","),
        };
        let hour = |time: Time| time.strftime("%H:%M").to_string();
        write!(f, "{days} {}-{}", hour(self.from), hour(self.until))
    }
}

/// `mon`, or `mon-fri`.
fn weekdays(span: &str) -> Option<Vec<Weekday>> {
    let at = |name: &str| DAYS.iter().position(|(_, short, _)| name.eq_ignore_ascii_case(short));
    let (first, last) = span.split_once('-').unwrap_or((span, span));
    let (first, last) = (at(first)?, at(last)?);
    let length = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some(DAYS.iter().cycle().skip(first).take(length).map(|(day, ..)| *day).collect())
}

/// `08:00`, and nothing else.
pub fn clock(text: &str) -> Option<Time> {
    let is_whole = text.len() == 5 && text.is_char_boundary(2) && text.get(2..3) == Some(":");
    is_whole.then(|| Time::strptime("%H:%M", text).ok()).flatten()
}

/// The day of the week, for a person.
pub fn weekday(date: Date) -> &'static str {
    DAYS.iter().find(|(day, ..)| *day == date.weekday()).map_or("", |(.., name)| name)
}

/// The clinic's own calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Open hours; a day may have several.
    pub opening: Vec<Opening>,
    /// Closed all day.
    pub holidays: BTreeSet<Date>,
    /// Of the clinic's clock.
    pub zone: TimeZone,
}

impl Calendar {
    /// The moment as the clinic's clock shows it.
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// The moment at which the clinic's clock shows this. A time that a change of the clock leaves out is read as the
    /// clock would show it after the change; one that comes twice is the first. `None` beyond the end of the calendar.
    pub fn moment(&self, date: Date, time: Time) -> Option<Timestamp> {
        date.to_datetime(time).to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }

    /// Why nobody is treated on that day.
    pub fn closed(&self, date: Date) -> Option<String> {
        if self.holidays.contains(&date) {
            return Some(format!("{} {date} is a holiday", weekday(date)));
        }
        let open = self.opening.iter().any(|opening| opening.days.contains(&date.weekday()));
        (!open).then(|| format!("the clinic is closed on {}s", weekday(date)))
    }

    /// The hours of a day as moments, early to late; none on a holiday.
    pub fn hours(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        if self.closed(date).is_some() {
            return Vec::new();
        }
        let open = self.opening.iter().filter(|opening| opening.days.contains(&date.weekday()));
        let mut hours: Vec<_> = open
            .filter_map(|opening| Some((self.moment(date, opening.from)?, self.moment(date, opening.until)?)))
            .collect();
        hours.sort_unstable();
        hours
    }

    /// Whether the clinic is open from the one moment to the other without a break.
    pub fn is_open(&self, from: Timestamp, until: Timestamp) -> bool {
        self.hours(self.local(from).date()).iter().any(|(open, close)| *open <= from && until <= *close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn read(text: &str) -> Result<Opening, Unreadable> {
        Opening::read("--opening", text)
    }

    #[test]
    fn days_and_hours_read_in_one_way() {
        let week = read("mon-fri 08:00-17:00").expect("read");
        assert_eq!((week.days.len(), week.from, week.until), (5, time(8, 0, 0, 0), time(17, 0, 0, 0)));
        assert_eq!(read("fri-mon 08:00-17:00").expect("read").days.len(), 4, "over the weekend");
        for text in ["mon-fri 08:00-17:00", "mon,wed 09:00-12:30", "sun 09:00-12:30"] {
            assert_eq!(read(&text.to_uppercase()).expect("read").to_string(), text);
        }
        for (text, why) in [
            ("", "no hours"),
            ("mon-fri", "no hours"),
            ("funday 08:00-17:00", "`funday` is no day"),
            ("mon- 08:00-17:00", "no day"),
            ("mon 8:00-17:00", "`8:00` is no time"),
            ("mon 08:00-25:00", "`25:00` is no time"),
            ("mon 08:00", "need an end"),
            ("mon 17:00-08:00", "ends before"),
            ("mon 08:00-08:00", "ends before"),
        ] {
            let refused = read(text).expect_err(text).to_string();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_day_is_open_in_its_hours_and_closed_on_a_holiday() {
        let calendar = Calendar {
            opening: vec![read("mon-fri 13:00-17:00").expect("read"), read("mon 08:00-12:00").expect("read")],
            holidays: BTreeSet::from([date(2026, 12, 25)]),
            zone: TimeZone::UTC,
        };
        let at = |day: Date, hour: i8| calendar.moment(day, time(hour, 0, 0, 0)).expect("a moment");
        let monday = date(2026, 12, 21);
        assert!(calendar.is_open(at(monday, 8), at(monday, 12)));
        assert!(!calendar.is_open(at(monday, 11), at(monday, 14)), "nobody is there over lunch");
        assert_eq!(calendar.closed(date(2026, 12, 25)).expect("closed"), "Friday 2026-12-25 is a holiday");
        assert_eq!(calendar.closed(date(2026, 12, 26)).expect("closed"), "the clinic is closed on Saturdays");
        assert_eq!(calendar.closed(monday), None);
    }
}
