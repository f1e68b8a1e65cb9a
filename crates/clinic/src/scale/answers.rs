//! Answers as people type or tap them, checked against the questions.

use super::score::filled;
use crate::knowledge::Item;
use crate::knowledge::scales::{Scale, ScaleItem, Take};
use crate::quantity::plain;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Digits that a score may have at most.
const DIGITS_MAX: usize = 12;

/// What a score is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// One answer a question, in the order of the form; `None` is not answered.
    Answers(Vec<Option<Decimal>>),
    /// The total, as a form that is not kept here says it.
    Total(Decimal),
}

/// Why there is no score. For a person: scale, item, value, what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unscorable {
    /// Too few or too many.
    #[error("{scale} takes {wanted}, {came} came; write a dash for each that was not answered")]
    Count {
        /// Title.
        scale: String,
        /// In words.
        wanted: String,
        /// How many.
        came: usize,
    },
    /// An answer that the question does not have.
    #[error(
        "{scale}, item {item}: `{value}` is no answer; accepted is {accepted}, or a dash where none was given"
    )]
    Value {
        /// Title.
        scale: String,
        /// Id of the question.
        item: String,
        /// As it was typed.
        value: String,
        /// In words.
        accepted: String,
    },
    /// A total that no form can have.
    #[error("{scale}: a total of `{value}` is not possible; accepted is {accepted}")]
    Total {
        /// Title.
        scale: String,
        /// As it was given.
        value: String,
        /// In words.
        accepted: String,
    },
    /// Its questions are not shipped.
    #[error("{scale}: its questions are not shipped ({notice}); enter its total, {accepted}")]
    TotalOnly {
        /// Title.
        scale: String,
        /// Whose it is.
        notice: String,
        /// In words.
        accepted: String,
    },
    /// It has levels or subscales instead.
    #[error("{scale} has no total; it is scored from its answers")]
    NoTotal {
        /// Title.
        scale: String,
    },
    /// Bands that nobody belongs to.
    #[error("{scale} has no bands for `{value}`; accepted is {accepted}")]
    Group {
        /// Title.
        scale: String,
        /// As it was given.
        value: String,
        /// In words.
        accepted: String,
    },
}

impl Given {
    /// Reads `2,2,3,-,1`: commas, semicolons or spaces between, a dash for an answer that is missing, `y` and `n`
    /// for 1 and 0. Questions at the end that need no answer may be left out. A single number is the total of a scale
    /// whose questions are not shipped.
    ///
    /// # Errors
    /// A wrong count, or the first answer that the question does not have.
    pub fn answers(item: &Item<Scale>, text: &str) -> Result<Self, Unscorable> {
        let (scale, title) = (&item.body, &item.header.title);
        let typed = split(text);
        let may_be_total = !scale.has_text() && scale.items.len() != 1;
        if let ([one], true) = (typed.as_slice(), may_be_total)
            && let Some(total) = read_number(one)
        {
            return Self::total(item, total);
        }
        if scale.items.is_empty() {
            let (scale, notice) = (title.clone(), scale.licence.notice.clone());
            return Err(Unscorable::TotalOnly { scale, notice, accepted: accepted_total(item) });
        }
        let always = scale.items.iter().filter(|item| !item.optional && item.asked_if.is_none()).count();
        if !(always..=scale.items.len()).contains(&typed.len()) {
            return Err(wrong_count(item, typed.len()));
        }
        let mut answers = Vec::new();
        for (question, one) in scale.items.iter().zip(&typed) {
            answers.push(read(item, question, one)?);
        }
        let came = answers.len();
        answers.resize(scale.items.len(), None);
        let needed =
            |(question, value): &(&ScaleItem, Option<Decimal>)| value.is_none() && !question.optional;
        if filled(scale, &answers).iter().skip(came).any(needed) {
            return Err(wrong_count(item, came));
        }
        Ok(Self::Answers(answers))
    }

    /// Reads one answer, as [`Given::answers`] reads each of them.
    ///
    /// # Errors
    /// An answer that the question does not have.
    pub fn answer(
        item: &Item<Scale>,
        question: &ScaleItem,
        typed: &str,
    ) -> Result<Option<Decimal>, Unscorable> {
        read(item, question, typed)
    }

    /// A total that was worked out elsewhere.
    ///
    /// # Errors
    /// One that the scale cannot have, such as a fraction where whole answers are added, or a scale without a total.
    pub fn total(item: &Item<Scale>, total: Decimal) -> Result<Self, Unscorable> {
        in_range(item, total)?;
        let [low, _] = item.body.total.unwrap_or_default();
        match total_step(&item.body) {
            Some(step) if !is_written_so(total, step) || !((total - low) % step).is_zero() => {
                Err(no_total(item, total))
            }
            _ => Ok(Self::Total(total)),
        }
    }
}

/// Whether a total lies in the range of the scale.
pub(super) fn in_range(item: &Item<Scale>, total: Decimal) -> Result<(), Unscorable> {
    let scale = item.header.title.clone();
    match item.body.total {
        None => Err(Unscorable::NoTotal { scale }),
        Some([low, high]) if low <= total && total <= high => Ok(()),
        Some(_) => Err(no_total(item, total)),
    }
}

fn no_total(item: &Item<Scale>, total: Decimal) -> Unscorable {
    let (scale, value) = (item.header.title.clone(), total.to_string());
    Unscorable::Total { scale, value, accepted: accepted_total(item) }
}

fn accepted_total(item: &Item<Scale>) -> String {
    let Some([low, high]) = item.body.total else { return String::new() };
    match total_step(&item.body) {
        Some(step) => accepted(low, high, step),
        None => format!("{} to {}", plain(low), plain(high)),
    }
}

/// Distance between two totals that a form without gaps can have. `None` where a fraction can be one: a mean, a part
/// that is divided, or questions that are not known here, of a scale that does not say.
fn total_step(scale: &Scale) -> Option<Decimal> {
    let mut parts = scale.subscales.iter().filter(|part| part.counts);
    if scale.take == Take::Mean || parts.any(|part| part.take == Take::Mean || part.divide != Decimal::ONE) {
        return None;
    }
    let steps = scale.items.iter().filter(|item| item.scored).map(|item| item.step);
    steps.reduce(common_step).or(scale.total_step)
}

/// Whether a number is written as its scale writes it: whole where it counts in whole steps. A trailing zero can be read
/// tenfold.
fn is_written_so(value: Decimal, step: Decimal) -> bool {
    value.scale() == 0 || !step.is_integer()
}

/// The greatest step that both are whole steps of.
fn common_step(one: Decimal, other: Decimal) -> Decimal {
    if other.is_zero() { one } else { common_step(other, one % other) }
}

/// A number that is not below zero, in plain digits: `7`, `7.0`, `4.33`.
pub fn read_number(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let short = text.len() <= DIGITS_MAX;
    if short && digits(whole) && digits(fraction) { text.parse().ok() } else { None }
}

fn split(text: &str) -> Vec<&str> {
    if text.contains([',', ';']) {
        text.split([',', ';']).map(str::trim).collect()
    } else {
        text.split_whitespace().collect()
    }
}

fn read(item: &Item<Scale>, question: &ScaleItem, typed: &str) -> Result<Option<Decimal>, Unscorable> {
    if typed == "-" {
        return Ok(None);
    }
    let [low, high] = item.body.values_of(question);
    let value = read_number(typed)
        .or_else(|| (low.is_zero() && high == Decimal::ONE).then(|| yes_or_no(typed)).flatten());
    match value.filter(|value| is_answer(&item.body, question, *value)) {
        Some(value) => Ok(Some(value)),
        None => Err(Unscorable::Value {
            scale: item.header.title.clone(),
            item: question.id.clone(),
            value: typed.chars().take(40).collect(),
            accepted: accepted_answers(&item.body, question),
        }),
    }
}

/// Whether a question has this answer.
pub(super) fn is_answer(scale: &Scale, question: &ScaleItem, value: Decimal) -> bool {
    let [low, high] = scale.values_of(question);
    low <= value
        && value <= high
        && ((value - low) % question.step).is_zero()
        && is_written_so(value, question.step)
}

/// What a question accepts, in words.
pub fn accepted_answers(scale: &Scale, question: &ScaleItem) -> String {
    let [low, high] = scale.values_of(question);
    accepted(low, high, question.step)
}

fn yes_or_no(typed: &str) -> Option<Decimal> {
    match typed.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(Decimal::ONE),
        "n" | "no" => Some(Decimal::ZERO),
        _ => None,
    }
}

fn accepted(low: Decimal, high: Decimal, step: Decimal) -> String {
    let (low_shown, high_shown) = (plain(low), plain(high));
    if low.is_zero() && high == Decimal::ONE {
        "y or n (1 or 0)".to_owned()
    } else if low + step == high {
        format!("{low_shown} or {high_shown}")
    } else if step == Decimal::ONE {
        format!("a whole number from {low_shown} to {high_shown}")
    } else {
        format!("{low_shown} to {high_shown} in steps of {}", plain(step))
    }
}

fn wrong_count(item: &Item<Scale>, came: usize) -> Unscorable {
    let items = &item.body.items;
    let id = |item: Option<&ScaleItem>| item.map_or(String::new(), |item| item.id.clone());
    let needed = items.iter().filter(|item| !item.optional).count();
    let wanted = match items.len() {
        1 => "1 answer".to_owned(),
        all if needed < all => format!("{needed} answers, or {all} with item {}", id(items.last())),
        all => format!("{all} answers, items {} to {}", id(items.first()), id(items.last())),
    };
    let branches = items.iter().any(|item| item.asked_if.is_some());
    let but = if branches { "; those at the end that need not be asked may be left out" } else { "" };
    Unscorable::Count { scale: item.header.title.clone(), wanted: format!("{wanted}{but}"), came }
}
