//! The course: its visits in the clinic's calendar, its plan in versions, advice to the prescriber, and what many
//! infusions ask to be watched.
//!
//! [`decide`] answers a [`Command`] with an [`Event`] or with a [`Refusal`]; [`evolve`] folds events into a [`Course`].
//! Advice orders nothing: it is shown, taken or declined, and stands in the course as such.

pub mod advice;
pub mod calendar;
mod command;
pub mod diary;
mod event;
pub mod exposure;
mod plan;
mod propose;
mod state;

pub use command::{Command, Refusal};
pub use event::{Booked, Event, Recorded};
pub use plan::{Change, Plan, shown_dose};
pub use propose::{Asked, LastStart, Proposal, Visit, judge, propose};
pub use state::{Course, Stage, Version, decide, evolve, replay};

#[cfg(test)]
mod tests;
