//! LOINC codes, whose last digit checks the others.

use serde::{Deserialize, Deserializer, Serialize, de};

/// A LOINC code such as `44261-6`. Its check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Loinc(String);

impl Loinc {
    /// As it stands.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Loinc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if is_loinc(&text) {
            Ok(Self(text))
        } else {
            Err(de::Error::custom(format!("`{text}` is not a LOINC code: its check digit is wrong")))
        }
    }
}

/// Whether the digit after the hyphen is the one that the digits before it ask for (mod 10, as on a payment card).
pub fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = split(code) else { return false };
    let sum: u32 = number
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    check.parse() == Ok((10 - sum % 10) % 10)
}

fn split(code: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    code.split_once('-').filter(|(number, check)| is_number(number) && is_number(check) && check.len() == 1)
}

/// LOINC's code of an answer such as `LA6568-5`. Only its shape is checked: the rule of its digit is not the one of other codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AnswerCode(String);

impl<'de> Deserialize<'de> for AnswerCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.strip_prefix("LA").and_then(split) {
            Some(_) => Ok(Self(text)),
            None => Err(de::Error::custom(format!("`{text}` is not the LOINC code of an answer"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_loinc;

    #[test]
    fn a_wrong_digit_is_no_loinc_code() {
        for right in ["44249-1", "44261-6", "70274-6", "72514-3", "75626-2"] {
            assert!(is_loinc(right), "{right}");
        }
        // A published guide carries the last five for PROMIS-29.
        for wrong in ["44261-7", "44262-6", "44261", "44261-66", "-1", "71953-7", "71958-6", "71959-4"] {
            assert!(!is_loinc(wrong), "{wrong}");
        }
    }

    #[test]
    fn no_single_digit_can_be_mistyped_unseen() {
        for (place, digit) in "44261-6".char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            for other in ('0'..='9').filter(|other| *other != digit) {
                let mut typed = "44261-6".to_owned();
                typed.replace_range(place..=place, &other.to_string());
                assert!(!is_loinc(&typed), "{typed}");
            }
        }
    }
}
