//! Care around the infusion: a person from the first inquiry on, what somebody must see to, and who is on call.
//!
//! An inquiry is one stream, `inquiry/<id>`, that goes on when the person is registered as a patient. A task is one
//! stream, `task/<id>`, with an owner and a clock, and ends with an outcome in words and in no other way. What stands
//! beside the infusions of a patient, goals, therapy, medicines and other carers, is one stream, `care_plan/<patient>`.
//! The page that a patient opens by a link is one stream, `patient_page/<patient>`. What the clinic asks is the stream
//! `prices`, and what a patient was told that a plan comes to `estimate/<patient>`.

pub mod inquiry;
pub mod patient_page;
pub mod plan;
pub mod price;
mod refusal;
pub mod roster;
pub mod task;
pub mod told;

pub use refusal::Refusal;

use crate::text::{is_reason, unfit, unfit_in_line};

pub use crate::text::WORDS_LONGEST;

/// A reason or an outcome: letters that say something, and no more than a record takes.
fn said(field: &'static str, text: &str) -> Result<String, Refusal> {
    if !is_reason(text) {
        return Err(Refusal::Empty { field, what: "What you decided or did, in words," });
    }
    check_words(field, text, WORDS_LONGEST)?;
    Ok(text.trim().to_owned())
}

/// Several lines.
fn check_words(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    check_length(field, text, most)?;
    unfit(text).map_or(Ok(()), |unfit| Err(Refusal::Character { field, code: unfit.into() }))
}

/// One line.
fn check_line(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    check_length(field, text, most)?;
    unfit_in_line(text).map_or(Ok(()), |unfit| Err(Refusal::Character { field, code: unfit.into() }))
}

fn check_length(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > most { Err(Refusal::TooLong { field, length, most }) } else { Ok(()) }
}
