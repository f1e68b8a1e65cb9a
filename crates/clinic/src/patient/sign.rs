//! The second sign beside the name: a record number or a day of birth, as a person reads it from a wristband or hears
//! it. What cannot be read is nobody's sign, and never somebody else's.

use super::{MRN_LONGEST, Patient};
use jiff::civil::Date;
use thiserror::Error;

/// Why something typed is no sign of anybody.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoSign {
    /// Day and month can be read both ways round.
    #[error(
        "“{typed}” can be {} or {}. Write the month in letters or the year first.",
        .either.strftime("%d-%b-%Y"), .or.strftime("%d-%b-%Y")
    )]
    TwoDays {
        /// As entered.
        typed: String,
        /// One way.
        either: Date,
        /// The other.
        or: Date,
    },
    /// It looks like a date, and nobody was born on it.
    #[error(
        "“{typed}” is no day on which somebody was born; accepted is 1900-01-01 to {today}, with four digits for the \
         year, such as 1960-01-31 or 31-Jan-1960."
    )]
    NotADay {
        /// As entered.
        typed: String,
        /// Today.
        today: Date,
    },
    /// Neither.
    #[error(
        "“{typed}” is neither a record number nor a day of birth. A number has digits, and letters at most; a day is \
         written as 1960-01-31 or 31-Jan-1960."
    )]
    Neither {
        /// As entered.
        typed: String,
    },
}

impl Patient {
    /// Whether a sign that can be read is this patient's: the record number however it is spaced, or the day of birth in
    /// any notation that means one day.
    ///
    /// # Errors
    /// [`NoSign`] for what is neither, or could be two days.
    pub fn goes_by(&self, typed: &str, today: Date) -> Result<bool, NoSign> {
        let typed = typed.trim();
        if bare(typed) == bare(&self.mrn) {
            return Ok(true);
        }
        let born = |day: &Date| day.year() >= 1900 && *day <= today;
        let not_a_day = || NoSign::NotADay { typed: typed.to_owned(), today };
        let Some(days) = days(typed) else {
            return match () {
                () if self.is_born_in_short(typed) => Err(not_a_day()),
                () if may_be_a_number(typed) => Ok(false),
                () => Err(NoSign::Neither { typed: typed.to_owned() }),
            };
        };
        let mut days = days.into_iter().flatten().filter(born);
        match (days.next(), days.next()) {
            (None, _) => Err(not_a_day()),
            (Some(either), Some(or)) if either != or => {
                Err(NoSign::TwoDays { typed: typed.to_owned(), either, or })
            }
            (Some(day), _) => Ok(day == self.born),
        }
    }

    /// Six digits that are the day of birth with a year of two are no number of somebody else.
    fn is_born_in_short(&self, typed: &str) -> bool {
        ["%y%m%d", "%d%m%y", "%m%d%y"].iter().any(|way| self.born.strftime(way).to_string() == bare(typed))
    }
}

/// Digits, and letters at most, as record numbers have them.
fn may_be_a_number(typed: &str) -> bool {
    let number = bare(typed);
    number.chars().any(|c| c.is_ascii_digit())
        && number
            .chars()
            .all(|c| c.is_alphanumeric() || (c == '/' && number.chars().any(char::is_alphabetic)))
        && number.chars().count() <= MRN_LONGEST
}

/// A record number without what only spaces it.
fn bare(number: &str) -> String {
    let number = number.chars().filter(|c| !c.is_whitespace() && *c != '-');
    number.flat_map(char::to_lowercase).collect()
}

/// The days that something written as a date can mean; `None` where it is not written as a date.
fn days(typed: &str) -> Option<[Option<Date>; 2]> {
    let parts: Vec<&str> = typed
        .split(|c: char| c.is_whitespace() || "-/.,".contains(c))
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [digits] if is_number(digits, 8) => {
            let read = |way: &str| Date::strptime(way, digits).ok().filter(|day| day.year() >= 1900);
            let (year_first, day_first, month_first) = (read("%Y%m%d"), read("%d%m%Y"), read("%m%d%Y"));
            let days = [year_first.or(day_first), month_first];
            days.iter().any(Option::is_some).then_some(days)
        }
        [a, b, c] => match (month(a), month(b)) {
            (None, Some(month)) if is_number(c, 4) => Some([day_of(c, month, number(a)), None]),
            (None, Some(month)) => Some([day_of(a, month, number(c)), None]),
            (Some(month), _) => Some([day_of(c, month, number(b)), None]),
            (None, None) if [a, b, c].iter().any(|part| part.parse::<u16>().is_err()) => None,
            (None, None) if is_number(a, 4) && b.len() <= 2 && c.len() <= 2 => {
                Some([day_of(a, number(b), number(c)), None])
            }
            (None, None) if a.len() <= 2 && b.len() <= 2 && matches!(c.len(), 2 | 4) => {
                Some([day_of(c, number(b), number(a)), day_of(c, number(a), number(b))])
            }
            (None, None) => None,
        },
        parts => parts.iter().any(|part| month(part).is_some()).then_some([None, None]),
    }
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|c| c.is_ascii_digit())
}

fn number(text: &str) -> i8 {
    text.parse().unwrap_or(0)
}

/// A day with its year in four digits.
fn day_of(year: &str, month: i8, day: i8) -> Option<Date> {
    let year = Some(year).filter(|year| is_number(year, 4))?;
    Date::new(year.parse().ok()?, month, day).ok()
}

/// A month by its English name or the beginning of it.
fn month(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_lowercase();
    let nth = MONTHS.iter().position(|name| text.len() >= 3 && name.starts_with(&text))?;
    i8::try_from(nth + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::Allergies;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn born(born: Date) -> Patient {
        Patient {
            mrn: "00-4217 A".to_owned(),
            family: "Rivera".to_owned(),
            given: "Ana".to_owned(),
            born,
            sex: "f".to_owned(),
            allergies: Allergies::default(),
        }
    }

    const TODAY: Date = date(2026, 11, 22);

    #[test]
    fn a_readable_sign_is_the_patients_or_somebody_elses() {
        let ana = born(date(1960, 1, 31));
        for own in [
            "004217a",
            "00 42 17 A",
            "1960-01-31",
            "1960/1/31",
            "31.01.1960",
            "31. 1. 1960",
            "01/31/1960",
            "31-Jan-1960",
            "31 january 1960",
            "Jan 31, 1960",
            "1960 Jan 31",
            "19600131",
            "31011960",
            " 31-JAN-1960 ",
        ] {
            assert_eq!(ana.goes_by(own, TODAY), Ok(true), "{own}");
        }
        for other in
            ["004218", "4217", "1960-01-30", "30.01.1960", "31-Dec-1960", "05/05/1960", "12-345-678", "X/19"]
        {
            assert_eq!(ana.goes_by(other, TODAY), Ok(false), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_sign() {
        let ana = born(date(1960, 3, 4));
        for two in ["03/04/1960", "4.3.1960", "04-03-1960", "04031960"] {
            assert!(matches!(ana.goes_by(two, TODAY), Err(NoSign::TwoDays { .. })), "{two}");
        }
        let words = ana.goes_by("03/04/1960", TODAY).expect_err("two days").to_string();
        assert!(words.contains("03-Apr-1960 or 04-Mar-1960"), "{words}");
        for no_day in [
            "31.02.1960",
            "March 1960",
            "1960-13-01",
            "31-Jan-60",
            "31.01.60",
            "13/13/1960",
            "1899-12-31",
            "2026-11-23",
            "4 Mar",
            "4th March 1960",
            "040360",
            "030460",
            "600304",
        ] {
            assert!(ana.goes_by(no_day, TODAY).is_err(), "{no_day}");
        }
        for neither in ["Rivera", "yes", "04/03", "4.3.", "?", "#4217", "-", &"4".repeat(61)] {
            assert!(matches!(ana.goes_by(neither, TODAY), Err(NoSign::Neither { .. })), "{neither}");
        }
    }

    proptest! {
        /// However a day is written, it is this patient's, cannot be told from another day, or is told to be another's.
        #[test]
        fn no_notation_of_the_right_day_is_ever_somebody_else(days in 0_i32..46_000, way in 0_usize..8) {
            let day = date(1900, 1, 1).saturating_add(jiff::Span::new().days(days));
            let ways = ["%Y-%m-%d", "%d-%b-%Y", "%d.%m.%Y", "%m/%d/%Y", "%B %d, %Y", "%Y%m%d", "%d%m%Y", "%d.%m.%y"];
            let typed = day.strftime(ways[way]).to_string();
            let told = born(day).goes_by(&typed, TODAY);
            prop_assert_ne!(&told, &Ok(false), "{}", typed);
            if day.day() > 12 && way < 7 {
                prop_assert_eq!(told, Ok(true), "{}", typed);
            }
        }
    }
}
