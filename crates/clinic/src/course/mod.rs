//! The course: its visits in the clinic's calendar, its plan in versions, advice to the prescriber, and what many
//! infusions ask to be watched.

pub mod calendar;
mod propose;

pub use propose::{Asked, LastStart, Proposal, Visit, judge, propose};

#[cfg(test)]
mod tests;
