//! Reads numbers and quantities as people type them, strictly: one way to write each number.
//!
//! `.5`, `5.0` and `1,5` are refused with the reason, because each has been read tenfold wrong at a bedside
//! (ISMP, error-prone dose designations).

use super::weight::{inches_to_cm, pounds_to_kg};
use super::{OrderedDose, OrderedStep};
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Weight, plain};
use rust_decimal::Decimal;
use thiserror::Error;

/// Why a text is not a number here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotANumber {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// `.5`
    #[error("it needs a leading zero: write 0{0}")]
    NoLeadingZero(String),
    /// `5.0` or `0.50`
    #[error("a trailing zero can be read tenfold: write {0}")]
    TrailingZero(String),
    /// `5.`
    #[error("nothing follows the decimal point: write {0}")]
    NothingAfterPoint(String),
    /// `1,5` or `1,000`
    #[error("a comma is not accepted: write the decimal point as a point and thousands without a separator")]
    Comma,
    /// `05`
    #[error("it has a needless leading zero: write {0}")]
    NeedlessZero(String),
    /// `-5` or `+5`
    #[error("a sign is not accepted")]
    Sign,
    /// `abc`, `1e3`, `NaN`, `１２`
    #[error("it is not a plain decimal number such as 82 or 0.5")]
    NotDecimal,
    /// More digits than can be kept exactly.
    #[error("it has more digits than can be kept exactly")]
    TooLong,
}

/// Reads one non-negative decimal number in the one accepted form.
///
/// # Errors
/// The reason, with the accepted spelling where there is one.
pub fn number(text: &str) -> Result<Decimal, NotANumber> {
    if text.is_empty() {
        return Err(NotANumber::Empty);
    }
    if text.contains(',') {
        return Err(NotANumber::Comma);
    }
    if text.starts_with(['-', '+', '\u{2212}']) {
        return Err(NotANumber::Sign);
    }
    if !text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(NotANumber::NotDecimal);
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    match fraction {
        Some(rest) if rest.contains('.') => return Err(NotANumber::NotDecimal),
        Some("") if whole.is_empty() => return Err(NotANumber::NotDecimal),
        Some("") => return Err(NotANumber::NothingAfterPoint(whole.to_owned())),
        Some(_) if whole.is_empty() => return Err(NotANumber::NoLeadingZero(text.to_owned())),
        Some(rest) if rest.ends_with('0') => {
            let plain = text.trim_end_matches('0').trim_end_matches('.');
            return Err(NotANumber::TrailingZero(plain.to_owned()));
        }
        _ => {}
    }
    if whole.len() > 1 && whole.starts_with('0') {
        let plain = text.trim_start_matches('0');
        let zero = if plain.is_empty() || plain.starts_with('.') { "0" } else { "" };
        return Err(NotANumber::NeedlessZero(format!("{zero}{plain}")));
    }
    Decimal::from_str_exact(text).map_err(|_| NotANumber::TooLong)
}

/// A number as a display shows it, where `10.0` is 10: no person wrote the zero.
///
/// # Errors
/// As [`number`], but for trailing zeros.
pub fn shown(text: &str) -> Result<Decimal, NotANumber> {
    match number(text) {
        Err(NotANumber::TrailingZero(plain)) => number(&plain),
        read => read,
    }
}

/// A text that cannot be read: the field, what stood there, why, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: `{value}` cannot be read: {why}. Accepted is {accepted}.")]
pub struct Unreadable {
    /// Field of the form or of the command line.
    pub field: &'static str,
    /// As typed.
    pub value: String,
    /// For a person.
    pub why: String,
    /// With an example.
    pub accepted: &'static str,
}

/// A value with the way it is shown: in both units where it was converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed<T> {
    /// In our unit.
    pub value: T,
    /// `180 lb = 81.6466266 kg`, or just `82 kg`.
    pub shown: String,
}

/// One field being read.
#[derive(Clone, Copy)]
struct Entry<'a> {
    field: &'static str,
    text: &'a str,
    accepted: &'static str,
}

impl<'a> Entry<'a> {
    fn unreadable(&self, why: impl ToString) -> Unreadable {
        Unreadable {
            field: self.field,
            value: self.text.to_owned(),
            why: why.to_string(),
            accepted: self.accepted,
        }
    }
    fn number(&self, text: &str) -> Result<Decimal, Unreadable> {
        number(text).map_err(|why| self.unreadable(why))
    }
    /// Number and unit of one part of the text.
    fn split<'t>(&self, text: &'t str) -> Result<(Decimal, &'t str), Unreadable> {
        let Some((amount, unit)) = text.trim().split_once(' ') else {
            return match number(text.trim()) {
                Ok(_) => Err(self.unreadable("it has no unit")),
                Err(why @ (NotANumber::NotDecimal | NotANumber::Empty)) => {
                    Err(self.unreadable(format!("{why}, one space and a unit")))
                }
                Err(why) => Err(self.unreadable(why)),
            };
        };
        Ok((self.number(amount)?, unit))
    }
    fn whole(&self) -> Result<(Decimal, &'a str), Unreadable> {
        self.split(self.text)
    }
    fn wrong_unit(&self, unit: &str) -> Unreadable {
        self.unreadable(format!("`{unit}` is not a unit of it"))
    }
    /// Keeps a value only if it is held exactly: nothing is rounded on the way in.
    fn exactly<T>(
        &self,
        value: Decimal,
        held: Option<T>,
        back: impl Fn(&T) -> Decimal,
    ) -> Result<T, Unreadable> {
        match held {
            Some(held) if back(&held) == value => Ok(held),
            Some(_) => Err(self.unreadable("it has more decimals than can be kept")),
            None => Err(self.unreadable("it is too large")),
        }
    }
}

/// Reads a body weight in kg or lb.
///
/// # Errors
/// [`Unreadable`].
pub fn weight(field: &'static str, text: &str) -> Result<Typed<Weight>, Unreadable> {
    let entry = Entry { field, text, accepted: "a weight in kg or lb, such as \"82 kg\" or \"180 lb\"" };
    match entry.whole()? {
        (value, "kg") => {
            let value = entry.exactly(value, Weight::from_decimal(value), |held| held.decimal())?;
            Ok(Typed { value, shown: value.to_string() })
        }
        (pounds, "lb") => {
            let kg = pounds_to_kg(pounds).ok_or_else(|| entry.unreadable("it is too large"))?;
            let value = Weight::from_decimal(kg).ok_or_else(|| entry.unreadable("it is too large"))?;
            Ok(Typed { value, shown: format!("{} lb = {} kg", plain(pounds), plain(kg)) })
        }
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Nobody is so short that a number below this is centimetres.
const METRES_BELOW: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// Reads a body height in cm or in.
///
/// # Errors
/// [`Unreadable`].
pub fn height(field: &'static str, text: &str) -> Result<Typed<Height>, Unreadable> {
    let entry = Entry { field, text, accepted: "a height in cm or in, such as \"178 cm\" or \"70 in\"" };
    match entry.whole()? {
        (value, "cm") if value > Decimal::ZERO && value < METRES_BELOW => {
            let cm = value.checked_mul(Decimal::ONE_HUNDRED).unwrap_or_default();
            Err(entry.unreadable(format!(
                "it looks like metres for centimetres: {} m is {} cm",
                plain(value),
                plain(cm)
            )))
        }
        (value, "cm") => {
            let value = entry.exactly(value, Height::from_decimal(value), |held| held.decimal())?;
            Ok(Typed { value, shown: value.to_string() })
        }
        (inches, "in") => {
            let cm = inches_to_cm(inches).ok_or_else(|| entry.unreadable("it is too large"))?;
            let value = Height::from_decimal(cm).ok_or_else(|| entry.unreadable("it is too large"))?;
            Ok(Typed { value, shown: format!("{} in = {} cm", plain(inches), plain(cm)) })
        }
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Reads a strength in mg/mL.
///
/// # Errors
/// [`Unreadable`].
pub fn concentration(field: &'static str, text: &str) -> Result<Concentration, Unreadable> {
    let entry = Entry { field, text, accepted: "a strength in mg/mL, such as \"2 mg/mL\"" };
    match entry.whole()? {
        (value, "mg/mL") => entry.exactly(value, Concentration::from_decimal(value), |held| held.decimal()),
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Reads a volume in mL.
///
/// # Errors
/// [`Unreadable`].
pub fn volume(field: &'static str, text: &str) -> Result<Microlitres, Unreadable> {
    let entry = Entry { field, text, accepted: "a volume in mL, such as \"20 mL\"" };
    match entry.whole()? {
        (value, "mL") => entry.exactly(value, Microlitres::from_decimal(value), |held| held.decimal()),
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Reads a mass of drug in mg.
///
/// # Errors
/// [`Unreadable`].
pub fn mass(field: &'static str, text: &str) -> Result<Micrograms, Unreadable> {
    let entry = Entry { field, text, accepted: "a dose in mg, such as \"41 mg\"" };
    match entry.whole()? {
        (value, "mg") => entry.exactly(value, Micrograms::from_decimal(value), |held| held.decimal()),
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Reads a length in minutes, with or without the unit.
///
/// # Errors
/// [`Unreadable`].
pub fn minutes(field: &'static str, text: &str) -> Result<Decimal, Unreadable> {
    let entry = Entry { field, text, accepted: "a length in minutes, such as \"40\" or \"40 min\"" };
    if !text.trim().contains(' ') {
        return entry.number(text.trim());
    }
    match entry.whole()? {
        (value, "min") => Ok(value),
        (_, unit) => Err(entry.wrong_unit(unit)),
    }
}

/// Reads a dose in mg/kg or mg/kg/h, or rates one after the other.
///
/// # Errors
/// [`Unreadable`].
pub fn dose(field: &'static str, text: &str) -> Result<OrderedDose, Unreadable> {
    let accepted = "a dose in mg/kg or a rate in mg/kg/h, such as \"0.5 mg/kg\", or rates in steps, such as \
                    \"0.5 mg/kg/h for 15 min, then 1 mg/kg/h for 30 min\"";
    let entry = Entry { field, text, accepted };
    if !text.contains(" for ") {
        return match entry.whole()? {
            (value, "mg/kg") => Ok(OrderedDose::MgPerKg(value)),
            (value, "mg/kg/h") => Ok(OrderedDose::MgPerKgPerHour(value)),
            (_, unit) => Err(entry.wrong_unit(unit)),
        };
    }
    let step = |part: &str| {
        let (rate, length) =
            part.split_once(" for ").ok_or_else(|| entry.unreadable("a step has no length"))?;
        match (entry.split(rate)?, entry.split(length)?) {
            ((mg_per_kg_per_h, "mg/kg/h"), (minutes, "min")) => Ok(OrderedStep { mg_per_kg_per_h, minutes }),
            ((_, "mg/kg/h"), (_, unit)) | ((_, unit), _) => Err(entry.wrong_unit(unit)),
        }
    };
    text.split(", then ").map(step).collect::<Result<Vec<_>, _>>().map(OrderedDose::Steps)
}

/// Reads a vial: its volume, or content and volume from which its strength follows.
///
/// # Errors
/// [`Unreadable`].
pub fn vial(field: &'static str, text: &str) -> Result<(Microlitres, Option<Concentration>), Unreadable> {
    let accepted = "the volume of a vial, or its content and volume, such as \"20 mL\" or \"500 mg/10 mL\"";
    let entry = Entry { field, text, accepted };
    let nothing = || entry.unreadable("a vial holds more than nothing");
    let Some((content, held)) = text.split_once('/') else {
        let held = volume(field, text).map_err(|why| Unreadable { accepted, ..why })?;
        return if held > Microlitres::ZERO { Ok((held, None)) } else { Err(nothing()) };
    };
    let (content, held) = match (entry.split(content)?, entry.split(held)?) {
        ((content, "mg"), (held, "mL")) => (content, held),
        ((_, "mg"), (_, unit)) | ((_, unit), _) => return Err(entry.wrong_unit(unit)),
    };
    let volume = entry.exactly(held, Microlitres::from_decimal(held), |kept| kept.decimal())?;
    let strength = content.checked_div(held).filter(|strength| !strength.is_zero()).ok_or_else(nothing)?;
    let strength = entry.exactly(strength, Concentration::from_decimal(strength), |kept| kept.decimal())?;
    Ok((volume, Some(strength)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a display shows is read as it stands there, and nothing else is read more kindly.
    #[test]
    fn a_display_may_show_trailing_zeros_and_nothing_else() {
        for (text, is) in
            [("10.0", "10"), ("10.00", "10"), ("0.0", "0"), ("100.0", "100"), ("3.50", "3.5"), ("7", "7")]
        {
            assert_eq!(shown(text).expect(text).to_string(), is, "{text}");
        }
        for text in ["", ".50", "5.", "05.0", "1,0", "-1.0", "1.0.0", "1.0 "] {
            assert!(shown(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_ambiguous_number_is_refused_with_its_reason() {
        for (text, words) in [
            (".5", "leading zero: write 0.5"),
            ("5.0", "trailing zero can be read tenfold: write 5"),
            ("0.50", "write 0.5"),
            ("0.0", "write 0"),
            ("1,5", "comma"),
            ("1,000", "comma"),
            ("5.", "nothing follows the decimal point: write 5"),
            ("05", "write 5"),
            ("00.5", "write 0.5"),
            ("-5", "sign"),
            ("+5", "sign"),
            ("1e3", "plain decimal"),
            ("NaN", "plain decimal"),
            ("inf", "plain decimal"),
            ("１２", "plain decimal"),
            ("1.2.3", "plain decimal"),
            (".", "plain decimal"),
            ("", "empty"),
            ("0.123456789012345678901234567890123", "more digits"),
        ] {
            let why = number(text).expect_err(text).to_string();
            assert!(why.contains(words), "{text}: {why}");
        }
        assert_eq!(number("0.5"), Ok(Decimal::new(5, 1)));
        assert_eq!(number("100"), Ok(Decimal::from(100)));
        assert_eq!(number("0"), Ok(Decimal::ZERO));
    }

    #[test]
    fn pounds_and_inches_are_converted_and_shown_both_ways() {
        let typed = weight("weight", "180 lb").expect("a weight");
        assert_eq!((typed.value, typed.shown.as_str()), (Weight(81_647), "180 lb = 81.6466266 kg"));
        let typed = height("height", "70 in").expect("a height");
        assert_eq!((typed.value, typed.shown.as_str()), (Height(1778), "70 in = 177.8 cm"));
        let metres = height("height", "1.65 cm").expect_err("metres").to_string();
        assert!(metres.contains("`1.65 cm`") && metres.contains("1.65 m is 165 cm"), "{metres}");
        assert_eq!(weight("weight", "82 kg").map(|typed| typed.shown), Ok("82 kg".to_owned()));
    }

    #[test]
    fn a_quantity_names_field_value_and_what_is_accepted() {
        for (text, words) in [
            ("82", "it has no unit"),
            (".5 kg", "leading zero"),
            ("82,5 kg", "comma"),
            ("82.0 kg", "trailing zero"),
            ("82 g", "`g` is not a unit of it"),
            ("82 KG", "`KG` is not a unit of it"),
            ("82  kg", "` kg` is not a unit of it"),
            ("82kg", "one space and a unit"),
            ("kg", "one space and a unit"),
            ("", "it is empty"),
            ("82.0001 kg", "more decimals than can be kept"),
            ("9999999999999999999 kg", "too large"),
            ("79228162514264337593543950335 lb", "too large"),
        ] {
            let why = weight("weight", text).expect_err(text);
            assert!(why.to_string().contains(words), "{text}: {why}");
            let all = [why.field, &why.value, why.accepted];
            assert_eq!(all, ["weight", text, "a weight in kg or lb, such as \"82 kg\" or \"180 lb\""]);
        }
    }

    #[test]
    fn each_field_reads_its_own_units_only() {
        assert_eq!(concentration("c", "2 mg/mL"), Ok(Concentration(2000)));
        assert!(concentration("c", "2 mg").is_err());
        assert_eq!(volume("v", "20 mL"), Ok(Microlitres(20_000)));
        assert!(volume("v", "20 ml").is_err());
        assert_eq!(mass("m", "41 mg"), Ok(Micrograms(41_000)));
        assert!(mass("m", "41 mcg").is_err());
        assert_eq!(minutes("t", "40"), minutes("t", "40 min"));
        assert!(minutes("t", "40 h").is_err());
        assert!(height("h", "178 kg").is_err());
        assert_eq!(vial("v", "500 mg/10 mL"), Ok((Microlitres(10_000), Some(Concentration(50_000)))));
        assert_eq!(vial("v", "20 mL"), Ok((Microlitres(20_000), None)));
        for nothing in ["0 mL", "500 mg/0 mL", "0 mg/10 mL"] {
            let why = vial("v", nothing).expect_err("nothing is in it");
            assert_eq!((why.value.as_str(), why.why.as_str()), (nothing, "a vial holds more than nothing"));
        }
    }

    #[test]
    fn a_dose_is_by_weight_by_rate_or_in_steps() {
        let half = Decimal::new(5, 1);
        assert_eq!(dose("dose", "0.5 mg/kg"), Ok(OrderedDose::MgPerKg(half)));
        assert_eq!(dose("dose", "0.5 mg/kg/h"), Ok(OrderedDose::MgPerKgPerHour(half)));
        let steps = dose("dose", "0.5 mg/kg/h for 15 min, then 1 mg/kg/h for 30 min");
        assert!(matches!(steps, Ok(OrderedDose::Steps(steps)) if steps.len() == 2));
        for wrong in
            ["0.5 mg", "50 mg", "0,5 mg/kg", "0.5 mg/kg for 15 min", "0.5 mg/kg/h for 15", "1 mg/kg/h for "]
        {
            assert!(dose("dose", wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_reads_back_what_is_shown(text in "\\PC{0,12}", value in 1_i64..1_000_000_000) {
            let _ = (weight("f", &text), height("f", &text), dose("f", &text), vial("f", &text), minutes("f", &text));
            let shown = Decimal::new(value, 3).normalize().to_string();
            prop_assert_eq!(number(&shown), Ok(Decimal::new(value, 3)));
        }
    }
}
