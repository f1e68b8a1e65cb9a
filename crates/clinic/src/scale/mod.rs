//! Rating scales: answers to a score, two scores to an outcome, a calendar to what is due. Every number that decides
//! is in `knowledge/scales/`.

mod answers;
pub mod asked;
mod due;
mod outcome;
pub mod questionnaire;
mod score;
#[cfg(test)]
mod tests;

pub use answers::{Given, Unscorable, accepted_answers, read_number};
pub use due::{Due, DueState, due};
pub use outcome::{Outcome, Remission, outcome, responded};
pub use score::{Criterion, Flag, Score, lowest_and_highest, score};
