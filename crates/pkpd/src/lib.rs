//! Compartment models: exact simulation of one person or of many. Numbers in, numbers out.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod mammillary;
mod phi;
mod refused;
mod units;

pub use mammillary::{Mammillary, PERIPHERALS_MAX, Peripheral};
pub use refused::Refused;
pub use units::*;
