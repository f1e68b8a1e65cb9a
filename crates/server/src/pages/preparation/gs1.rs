//! What stands in the code on a vial: GS1 element strings as a scanner types them, or a bare National Drug Code.

use jiff::civil::Date;

/// What was found in a scanned text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Digits of the National Drug Code without its hyphens, or with them when typed so.
    pub ndc: String,
    /// Lot, empty when the code has none.
    pub lot: String,
    /// Last day of use.
    pub expires: Option<Date>,
    /// Serial number, empty when the code has none.
    pub serial: String,
}

/// Why a scanned text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A part is cut off or is not what it must be.
    #[error("the code is cut or damaged at “{0}”; scan it again")]
    Cut(String),
    /// The last digit of the trade number does not fit the others.
    #[error("the check digit of {0} is wrong; scan it again")]
    CheckDigit(String),
    /// The trade number holds no National Drug Code.
    #[error("{0} holds no National Drug Code; enter it by hand")]
    NotNdc(String),
    /// The expiry is no day.
    #[error("{0} is no day")]
    Expiry(String),
    /// Neither form.
    #[error("it is neither a GS1 code nor an NDC such as 42023-113-10")]
    Neither,
}

/// Between variable parts, as scanners send it.
const SEPARATOR: char = '\u{1d}';
const GTIN_DIGITS: usize = 14;
const DATE_DIGITS: usize = 6;

/// Reads a scanned or typed code.
///
/// # Errors
/// [`Unreadable`].
pub fn read(text: &str) -> Result<Scan, Unreadable> {
    let text = text.trim();
    // The first three characters name the symbology when the scanner is set so.
    let text = text.strip_prefix("]d2").or_else(|| text.strip_prefix("]C1")).unwrap_or(text);
    if text.starts_with("(01)") {
        return elements(bracketed(text)?);
    }
    if let Some(rest) = text.strip_prefix("01").filter(|rest| rest.len() >= GTIN_DIGITS) {
        return elements(plain(&format!("01{rest}"))?);
    }
    bare(text)
}

fn bare(text: &str) -> Result<Scan, Unreadable> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let shaped = text.chars().all(|c| c.is_ascii_digit() || c == '-') && (8..=11).contains(&digits);
    if shaped { Ok(Scan { ndc: text.to_owned(), ..Scan::default() }) } else { Err(Unreadable::Neither) }
}

type Elements = Vec<(String, String)>;

fn bracketed(text: &str) -> Result<Elements, Unreadable> {
    let parts = text.split('(').skip(1).map(|part| {
        let (id, value) = part.split_once(')').ok_or_else(|| Unreadable::Cut(part.to_owned()))?;
        Ok((id.to_owned(), value.trim_matches(SEPARATOR).to_owned()))
    });
    parts.collect()
}

fn plain(text: &str) -> Result<Elements, Unreadable> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = || Unreadable::Cut(rest.to_owned());
        let (id, after) = rest.split_at_checked(2).ok_or_else(cut)?;
        let (value, left) = match id {
            "01" => after.split_at_checked(GTIN_DIGITS).ok_or_else(cut)?,
            "11" | "17" => after.split_at_checked(DATE_DIGITS).ok_or_else(cut)?,
            "10" | "21" => after.split_once(SEPARATOR).unwrap_or((after, "")),
            _ => return Err(cut()),
        };
        elements.push((id.to_owned(), value.to_owned()));
        rest = left.trim_start_matches(SEPARATOR);
    }
    Ok(elements)
}

fn elements(elements: Elements) -> Result<Scan, Unreadable> {
    let mut scan = Scan::default();
    for (id, value) in elements {
        match id.as_str() {
            "01" => scan.ndc = ndc_of(&value)?,
            "10" => scan.lot = value,
            "17" => scan.expires = Some(expiry(&value)?),
            "21" => scan.serial = value,
            _ => {}
        }
    }
    if scan.ndc.is_empty() { Err(Unreadable::Neither) } else { Ok(scan) }
}

/// A trade number of a drug sold in the United States: any packing digit, 03, ten digits of the NDC, check digit.
fn ndc_of(gtin: &str) -> Result<String, Unreadable> {
    let digits: Option<Vec<u32>> = gtin.chars().map(|c| c.to_digit(10)).collect();
    let digits = digits
        .filter(|digits| digits.len() == GTIN_DIGITS)
        .ok_or_else(|| Unreadable::Cut(gtin.to_owned()))?;
    let sum: u32 =
        digits.iter().enumerate().map(|(n, digit)| if n % 2 == 0 { digit * 3 } else { *digit }).sum();
    if !sum.is_multiple_of(10) {
        return Err(Unreadable::CheckDigit(gtin.to_owned()));
    }
    match (gtin.get(1..3), gtin.get(3..13)) {
        (Some("03"), Some(ndc)) => Ok(ndc.to_owned()),
        _ => Err(Unreadable::NotNdc(gtin.to_owned())),
    }
}

/// `YYMMDD`; day 00 is the last of the month.
fn expiry(text: &str) -> Result<Date, Unreadable> {
    let wrong = || Unreadable::Expiry(text.to_owned());
    let part = |range: std::ops::Range<usize>| {
        text.get(range).and_then(|two| two.parse::<i8>().ok()).ok_or_else(wrong)
    };
    if text.len() != DATE_DIGITS {
        return Err(wrong());
    }
    let (year, month, day) = (part(0..2)?, part(2..4)?, part(4..6)?);
    let first = Date::new(2000 + i16::from(year), month, 1).map_err(|_| wrong())?;
    if day == 0 {
        Ok(first.last_of_month())
    } else {
        Date::new(first.year(), month, day).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let shown = match read(text) {
            Ok(scan) => format!(
                "{} {:?} {:?} {:?}",
                scan.ndc,
                scan.lot,
                scan.expires.map(|day| day.to_string()),
                scan.serial
            ),
            Err(why) => format!("refused: {why}"),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn codes_on_vials_are_read_and_damaged_ones_are_refused() {
        check("(01)00342023113108(17)270131(10)A1", expect![[r#"4202311310 "A1" Some("2027-01-31") """#]]);
        check(
            "]d201003420231131081727020010A1\u{1d}2177",
            expect![[r#"4202311310 "A1" Some("2027-02-28") "77""#]],
        );
        check("42023-113-10", expect![[r#"42023-113-10 "" None """#]]);
        check(
            "(01)00342023113107(17)270131",
            expect!["refused: the check digit of 00342023113107 is wrong; scan it again"],
        );
        check(
            "0100342023113108172701",
            expect!["refused: the code is cut or damaged at “172701”; scan it again"],
        );
        check(
            "(01)04006381333931(10)A1",
            expect!["refused: 04006381333931 holds no National Drug Code; enter it by hand"],
        );
        check("(01)00342023113108(17)271331", expect!["refused: 271331 is no day"]);
        check("ketamine", expect!["refused: it is neither a GS1 code nor an NDC such as 42023-113-10"]);
        check("", expect!["refused: it is neither a GS1 code nor an NDC such as 42023-113-10"]);
    }
}
