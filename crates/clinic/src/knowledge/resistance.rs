//! `knowledge/resistance/`: when a failed trial was adequate, and how many of them make a depression resistant.

use super::{Body, Item, Knowledge};
use crate::screen::{self, Trial};
use rust_decimal::Decimal;
use serde::Deserialize;

/// The definition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resistance {
    /// Resistant from so many different medicines on.
    pub trials: u32,
    /// A trial lasts at least so long at an adequate dose,
    pub weeks_at_least: Decimal,
    /// and so long where it was added to another.
    pub augmentation_weeks_at_least: Decimal,
    /// Of the doses, so many were taken.
    pub adherence_at_least_percent: Decimal,
    /// The score fell by less than this.
    pub response_below_percent: Decimal,
    /// Stopped for side effects before this, it is no failure but an intolerance.
    pub intolerant_before_weeks: Decimal,
}

/// Trials, and how they count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What was tried.
    pub trials: Vec<Trial>,
    /// Different medicines that failed.
    pub count: u32,
    /// Those not tolerated.
    pub intolerant: u32,
}

impl Body for Resistance {
    const FOLDER: &'static str = "resistance";
    type Example = Example;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let rule = &item.body;
        if rule.trials > 0 && rule.intolerant_before_weeks <= rule.weeks_at_least {
            Ok(())
        } else {
            Err("needs a trial, and an intolerance shorter than a trial".to_owned())
        }
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let came = screen::resistance(&item.body, &example.trials);
        if (came.count, came.intolerant) == (example.count, example.intolerant) {
            Ok(())
        } else {
            Err(format!("expected {} and {}, came {came:?}", example.count, example.intolerant))
        }
    }
}
