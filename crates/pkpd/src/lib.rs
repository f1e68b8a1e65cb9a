//! Compartment models: exact simulation of one person or of many. Numbers in, numbers out.
//!
//! No IO, no clock, no hidden randomness: times, models and seeds are arguments. Every public number carries its unit
//! in its type. Whatever finite input is given, the answer is a number or a [`Refused`] with the numbers, never a
//! panic and never NaN.
//!
//! | To | Use |
//! |---|---|
//! | describe a published model | [`Spec`], [`Model::new`] |
//! | say what is given | [`Dose`], [`Schedule`] |
//! | follow one person | [`Model::typical`], [`Model::individual`], [`Individual::course`] |
//! | show a chair where the level goes | [`forecast`] |
//! | reach or keep a level | [`steer`], [`two_rates`], [`highest_rate`], [`kept_rate`] |
//! | learn from blood samples | [`fit()`], [`fit_many`], [`posterior`] |
//! | follow many people, each with their own numbers | [`Cohort`], [`People`], [`Levels`] |
//! | turn levels into effects | [`Effect`], [`Sigmoid`], [`Sensitivity`] |
//! | simulate many | [`Population`], [`Summary`], [`Histogram`], [`quantiles()`] |
//! | judge a model | [`Agreement`], [`visual_check`] |
//! | solve what has no closed form | [`ode::solve`]; for many people [`Cohort::respond`], [`solve_many`] |
//!
//! ```
//! use pkpd::*;
//!
//! // 35 mg over 40 min into one compartment of 150 L, cleared at 1.4 L/min.
//! let body = Mammillary::new(Litres(150.0), PerMin(1.4 / 150.0), &[])?;
//! assert_eq!(body.modes().count(), 1);
//!
//! let schedule = Schedule::new([Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0))])?;
//! assert_eq!(schedule.amount(), Mg(35.0));
//!
//! // A rate that is no rate is refused with its numbers.
//! let backwards = Dose::Infusion { start: Minutes(40.0), end: Minutes(0.0), rate: MgPerMin(1.0) };
//! let told = Schedule::new([backwards]).unwrap_err().to_string();
//! assert_eq!(told, "the infusion from 40 min ends at 0 min; the end must come after the start");
//! # Ok::<(), Refused>(())
//! ```
//!
//! # What it takes and gives
//!
//! Amounts are in mg, times in minutes, levels in ng/mL, rates in mg/min, constants in 1/min, each with its type
//! ([`Mg`], [`Minutes`], [`NgPerMl`] …). Answers about several times have one entry for each time in the order asked;
//! answers about several people too have one row for each person. Every function that can refuse returns [`Refused`],
//! whose words name the input, its value and what is accepted. Where a method is published, the item names it.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod agreement;
mod bytes;
mod chance;
mod cohort;
mod draws;
mod effect;
mod fit;
mod forecast;
mod giving;
mod histogram;
mod lanes;
mod linear;
mod lu;
mod mammillary;
mod model;
mod newton;
pub mod ode;
mod person;
mod phi;
mod population;
mod quantiles;
mod refused;
mod response;
mod schedule;
mod spread;
mod target;
#[cfg(test)]
mod theorems;
#[cfg(test)]
mod theorems_of_events;
mod units;
mod vpc;

pub use agreement::Agreement;
pub use cohort::{
    Cascade, Cohort, Control, Equations, Levels, PEOPLE_MAX, People, Real, Varying, solve_many,
};
pub use effect::{Driver, Effect, Sensitivity, Sigmoid, even_shares};
pub use fit::*;
pub use forecast::*;
pub use histogram::Histogram;
pub use mammillary::{Mammillary, PERIPHERALS_MAX, Peripheral};
pub use model::*;
pub use person::{Body, Course, Individual, TIMES_MAX, changing_course};
pub use population::{Bodies, Layers, Population, Regimen, Summary};
pub use quantiles::{SHARES_MAX, quantiles};
pub use refused::Refused;
pub use schedule::{Administration, DOSES_MAX, Dose, Given, Schedule};
pub use target::{Aim, Goal, Highest, Pump, Steering, highest_rate, kept_rate, steer, two_rates};
pub use units::*;
pub use vpc::{Bin, Check, Seen, visual_check};
