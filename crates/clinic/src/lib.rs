//! The clinic's domain, pure: knowledge, doses, gates, the session, the monitor. No IO, no clock, no randomness.
//!
//! Time, ids and seeds are arguments. A [`session::decide`] answers a command with events or with a refusal;
//! [`session::evolve`] folds events into state. What clinicians know is data under `knowledge/`, read by
//! [`knowledge`].
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod care;
pub mod consent;
pub mod course;
pub mod device;
pub mod dose;
pub mod floor;
pub mod gate;
pub mod id;
pub mod knowledge;
pub mod monitor;
pub mod outcome;
pub mod patient;
pub mod quantity;
pub mod scale;
pub mod scenario;
pub mod screen;
pub mod session;
pub mod staff;
pub mod text;
