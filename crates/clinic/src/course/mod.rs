//! The course: its visits in the clinic's calendar, its plan in versions, advice to the prescriber, and what many
//! infusions ask to be watched.
//!
//! [`decide`] answers a [`Command`] with an [`Event`] or with a [`Refusal`]; [`evolve`] folds events into a [`Course`].
//! Advice orders nothing: it is shown, taken or declined, and stands in the course as such.

pub mod advice;
pub mod ahead;
pub mod between;
pub mod booster;
pub mod calendar;
pub mod checked;
mod command;
pub mod diary;
mod event;
pub mod exposure;
mod ordered;
mod plan;
mod propose;
mod refit;
pub mod reminder;
mod state;
mod talks;
mod treated;
pub mod waitlist;
pub mod went;

pub use command::{Command, Refusal, Stopped};
pub use event::{Booked, Event, Judged, Recorded, What};
pub use ordered::{BesidePlan, InForce};
pub use plan::{Change, Plan, shown_dose};
pub use propose::{Asked, LastStart, Proposal, Visit, judge, propose};
pub use refit::{Refit, refit};
pub use state::{Course, Stage, UnderWay, Version, decide, evolve, made_on, replay};
pub use talks::{judge_talk, propose_talks, talk};
pub use treated::Treated;

#[cfg(test)]
mod tests;
