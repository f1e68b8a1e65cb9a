//! Reads what was typed into a form: strictly, each complaint beside its field, all of them at once.

use crate::auth::gate::Posted;
use crate::pages::FieldError;
use clinic::dose::parse::{self, NotANumber};
use clinic::quantity::{Concentration, Micrograms, Microlitres, Rate, Weight};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// How a number is read.
type Number = fn(&str) -> Result<Decimal, NotANumber>;

/// A form being read.
pub struct Typed {
    posted: Posted,
    zone: TimeZone,
    /// What is wrong so far.
    pub errors: Vec<FieldError>,
}

impl Typed {
    /// Begins to read.
    pub fn new(posted: Posted, zone: TimeZone) -> Self {
        let errors = posted.unfit().to_vec();
        Self { posted, zone, errors }
    }
    /// As it came.
    pub const fn posted(&self) -> &Posted {
        &self.posted
    }
    /// Notes what is wrong with a field; always `None`, so that it can be returned.
    pub fn wrong<T>(&mut self, field: &str, text: impl ToString) -> Option<T> {
        self.errors.push(FieldError::at(field, text));
        None
    }
    /// Whether something is wrong with a field already.
    pub fn is_wrong(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }
    /// Words of the domain with each moment in them by the clinic's clock, and its day where that is another one.
    pub fn by_the_clinics_clock(&self, text: &str, now: Timestamp) -> String {
        let today = now.to_zoned(self.zone.clone()).date();
        let shown = |word: &str| {
            let (moment, rest) = word.split_at(word.trim_end_matches([',', ';', '.']).len());
            let moment = moment.parse::<Timestamp>().ok()?.to_zoned(self.zone.clone());
            let format = if moment.date() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
            Some(format!("{}{rest}", moment.strftime(format)))
        };
        let words: Vec<String> =
            text.split(' ').map(|word| shown(word).unwrap_or_else(|| word.to_owned())).collect();
        words.join(" ")
    }
    /// Trimmed text, empty when nothing was typed.
    pub fn text(&self, field: &str) -> String {
        self.posted.text(field).trim().to_owned()
    }
    /// Text that must be there.
    pub fn needed(&mut self, field: &str, what: &str) -> Option<String> {
        let text = self.text(field);
        if text.is_empty() { self.wrong(field, format!("{what} is empty. Enter it.")) } else { Some(text) }
    }
    /// One of several that must be chosen; `ask` says of what.
    pub fn chosen(&mut self, field: &str, ask: &str) -> Option<String> {
        let text = self.text(field);
        if text.is_empty() { self.wrong(field, ask) } else { Some(text) }
    }
    /// Text or nothing.
    pub fn maybe(&self, field: &str) -> Option<String> {
        Some(self.text(field)).filter(|text| !text.is_empty())
    }
    /// One of the choices of a field, or nothing where none was made.
    pub fn one_of(&mut self, field: &str, what: &str, accepted: &[&str]) -> Option<String> {
        let text = self.maybe(field)?;
        if accepted.contains(&text.as_str()) {
            return Some(text);
        }
        let accepted = accepted.join(" or ");
        self.wrong(field, format!("{what} “{text}” is no choice here; accepted is {accepted}."))
    }
    /// Yes, no, or not answered.
    pub fn yes_no(&mut self, field: &str, ask: &str) -> Option<bool> {
        self.one_of(field, ask, &["yes", "no"]).map(|answer| answer == "yes")
    }
    /// A decimal number, or nothing where nothing was typed.
    pub fn maybe_number(&mut self, field: &str, what: &str, unit: &str) -> Option<Decimal> {
        self.read(field, what, unit, parse::number)
    }
    fn read(&mut self, field: &str, what: &str, unit: &str, number: Number) -> Option<Decimal> {
        let text = self.text(field);
        if text.is_empty() {
            return None;
        }
        match number(&text) {
            Ok(number) => Some(number),
            Err(why) => self.wrong(
                field,
                format!(
                    "{what} “{text}” cannot be read: {why}. Accepted is a number in {unit}, without the unit."
                ),
            ),
        }
    }
    /// A decimal number that must be there.
    pub fn number(&mut self, field: &str, what: &str, unit: &str) -> Option<Decimal> {
        self.needed_number(field, what, unit, parse::number)
    }
    fn needed_number(&mut self, field: &str, what: &str, unit: &str, number: Number) -> Option<Decimal> {
        if self.text(field).is_empty() {
            return self.wrong(field, format!("{what} is empty. Enter a number in {unit}."));
        }
        self.read(field, what, unit, number)
    }
    fn exact<T: Copy>(
        &mut self,
        field: &str,
        what: &str,
        (unit, number): (&str, Number),
        held: impl Fn(Decimal) -> Option<T>,
        back: impl Fn(T) -> Decimal,
    ) -> Option<T> {
        let value = self.needed_number(field, what, unit, number)?;
        match held(value).filter(|held| back(*held) == value.normalize()) {
            Some(held) => Some(held),
            None => {
                self.wrong(field, format!("{what} {value} {unit} has more digits than can be kept exactly."))
            }
        }
    }
    /// A rate in mL/h, as a pump shows it.
    pub fn rate(&mut self, field: &str, what: &str) -> Option<Rate> {
        self.exact(field, what, (Rate::UNIT, parse::shown), Rate::from_decimal, Rate::decimal)
    }
    /// A volume in mL, as a pump shows it.
    pub fn shown_volume(&mut self, field: &str, what: &str) -> Option<Microlitres> {
        let read = (Microlitres::UNIT, parse::shown as Number);
        self.exact(field, what, read, Microlitres::from_decimal, Microlitres::decimal)
    }
    /// A strength in mg/mL, as a pump shows it.
    pub fn shown_strength(&mut self, field: &str, what: &str) -> Option<Concentration> {
        let read = (Concentration::UNIT, parse::shown as Number);
        self.exact(field, what, read, Concentration::from_decimal, Concentration::decimal)
    }
    /// A volume in mL.
    pub fn volume(&mut self, field: &str, what: &str) -> Option<Microlitres> {
        self.exact(
            field,
            what,
            (Microlitres::UNIT, parse::number),
            Microlitres::from_decimal,
            Microlitres::decimal,
        )
    }
    /// A mass in mg.
    pub fn mass(&mut self, field: &str, what: &str) -> Option<Micrograms> {
        self.exact(
            field,
            what,
            (Micrograms::UNIT, parse::number),
            Micrograms::from_decimal,
            Micrograms::decimal,
        )
    }
    /// A weight in kg.
    pub fn weight(&mut self, field: &str, what: &str) -> Option<Weight> {
        self.exact(field, what, (Weight::UNIT, parse::number), Weight::from_decimal, Weight::decimal)
    }
    /// A strength in mg/mL.
    pub fn strength(&mut self, field: &str, what: &str) -> Option<Concentration> {
        self.exact(
            field,
            what,
            (Concentration::UNIT, parse::number),
            Concentration::from_decimal,
            Concentration::decimal,
        )
    }
    /// A whole number; `accepted` says which, for a person.
    pub fn whole<T: std::str::FromStr>(&mut self, field: &str, what: &str, accepted: &str) -> Option<T> {
        let text = self.needed(field, what)?;
        match text.parse() {
            Ok(number) => Some(number),
            Err(_) => {
                self.wrong(field, format!("{what} “{text}” is no such number; accepted is {accepted}."))
            }
        }
    }
    /// A day, as a browser sends it.
    pub fn day(&mut self, field: &str, what: &str) -> Option<Date> {
        let text = self.needed(field, what)?;
        match text.parse() {
            Ok(day) => Some(day),
            Err(_) => self.wrong(
                field,
                format!("{what} “{text}” is not a day. Accepted is YYYY-MM-DD, such as 1984-03-12."),
            ),
        }
    }
    /// A moment on the clinic's clock that must be there.
    pub fn needed_moment(&mut self, field: &str, what: &str) -> Option<Timestamp> {
        self.needed(field, what)?;
        self.moment(field, what, Timestamp::UNIX_EPOCH)
    }
    /// A moment on the clinic's clock; `now` where nothing was typed.
    pub fn moment(&mut self, field: &str, what: &str, now: Timestamp) -> Option<Timestamp> {
        let Some(text) = self.maybe(field) else { return Some(now) };
        let read = text.parse::<DateTime>().ok().and_then(|moment| moment.to_zoned(self.zone.clone()).ok());
        match read {
            Some(moment) => Some(moment.timestamp()),
            None => {
                self.wrong(field, format!("{what} “{text}” is not a time. Accepted is YYYY-MM-DDThh:mm."))
            }
        }
    }
}
