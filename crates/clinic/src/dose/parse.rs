//! Reads numbers and quantities as people type them, strictly: one way to write each number.
//!
//! `.5`, `5.0` and `1,5` are refused with the reason, because each has been read tenfold wrong at a bedside
//! (ISMP, error-prone dose designations).

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
