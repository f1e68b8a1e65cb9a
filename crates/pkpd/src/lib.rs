//! Compartment models: exact simulation of one person or of many. Numbers in, numbers out.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod agreement;
mod chance;
mod fit;
mod forecast;
mod histogram;
mod linear;
mod lu;
mod mammillary;
mod model;
mod newton;
pub mod ode;
mod person;
mod phi;
mod population;
mod refused;
mod response;
mod schedule;
mod spread;
mod target;
#[cfg(test)]
mod theorems;
mod units;

pub use agreement::Agreement;
pub use fit::{Errors, Fit, FitQuestion, Observation, Reported, Warning, fit};
pub use forecast::*;
pub use histogram::Histogram;
pub use mammillary::{Mammillary, PERIPHERALS_MAX, Peripheral};
pub use model::*;
pub use person::{Body, Course, Individual, TIMES_MAX};
pub use population::{Bodies, Layers, Population, Regimen, Summary};
pub use refused::Refused;
pub use schedule::{DOSES_MAX, Dose, Schedule};
pub use target::{Aim, Goal, Highest, Pump, Steering, highest_rate, steer};
pub use units::*;
