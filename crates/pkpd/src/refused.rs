//! What is refused, with the numbers.

use thiserror::Error;

/// An input outside what the mathematics accepts. The message names the input, its value and what is accepted.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refused {
    /// Not a number in the accepted range; NaN is in no range.
    #[error("{what} is {value} {unit}; accepted is {low} to {high} {unit}")]
    OutOfRange {
        /// Which input.
        what: &'static str,
        /// What was given.
        value: f64,
        /// Least accepted.
        low: f64,
        /// Greatest accepted.
        high: f64,
        /// Unit of all three.
        unit: &'static str,
    },
    /// An infusion that stops before it starts, or at once.
    #[error("the infusion from {start} min ends at {end} min; the end must come after the start")]
    EndsBeforeStart {
        /// Start, min.
        start: f64,
        /// End, min.
        end: f64,
    },
    /// More of something than is accepted.
    #[error("{count} {what}; at most {most} are accepted")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many are accepted.
        most: usize,
    },
    /// Times that do not rise.
    #[error("the times must rise: {after} min comes after {before} min")]
    TimesFall {
        /// Earlier entry, min.
        before: f64,
        /// Later entry, min.
        after: f64,
    },
    /// Something the model needs was not given.
    #[error("missing: {0}")]
    Missing(&'static str),
    /// Something that cannot be, said for a person.
    #[error("{0}")]
    Impossible(String),
    /// A level was measured where the model has none, and its error is a share of the level alone.
    #[error("{analyte} {level} ng/mL at {at} min: the model has no drug here")]
    NoDrug {
        /// Which of the observations.
        place: usize,
        /// Of what.
        analyte: String,
        /// What was measured, ng/mL.
        level: f64,
        /// When, min.
        at: f64,
    },
    /// A level of 0 where there is drug: no assay tells 0 from what lies below its limit.
    #[error(
        "{analyte} 0 ng/mL at {at} min: an assay cannot tell 0 from a level below its limit of quantification; say that \
         limit instead"
    )]
    BareZero {
        /// Which of the observations.
        place: usize,
        /// Of what.
        analyte: String,
        /// When, min.
        at: f64,
    },
    /// A model whose parts do not fit together.
    #[error("model {model}: {why}")]
    Model {
        /// Model id.
        model: String,
        /// What does not fit.
        why: String,
    },
}

impl Refused {
    pub(crate) fn never_steady() -> Self {
        Self::Impossible("there is no steady state where something is never eliminated".to_owned())
    }
}

/// An accepted range of a plain number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) what: &'static str,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) unit: &'static str,
}

impl Accepted {
    pub(crate) fn check(self, value: f64) -> Result<f64, Refused> {
        let Self { what, low, high, unit } = self;
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(Refused::OutOfRange { what, value, low, high, unit })
        }
    }
}

// Wide numeric walls, not clinical limits: inside them nothing overflows to infinity, so nothing becomes NaN.
pub(crate) const TIME: Accepted = Accepted { what: "time", low: -1e9, high: 1e9, unit: "min" };
pub(crate) const AMOUNT: Accepted = Accepted { what: "dose", low: 0.0, high: 1e9, unit: "mg" };
pub(crate) const RATE: Accepted = Accepted { what: "infusion rate", low: 0.0, high: 1e9, unit: "mg/min" };
pub(crate) const WEIGHT: Accepted = Accepted { what: "weight", low: 1e-3, high: 1e4, unit: "kg" };
pub(crate) const VOLUME: Accepted = Accepted { what: "volume", low: 1e-9, high: 1e9, unit: "L" };
pub(crate) const CONSTANT: Accepted = Accepted { what: "rate constant", low: 0.0, high: 1e6, unit: "/min" };
