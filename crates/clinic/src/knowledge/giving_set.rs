//! Giving sets: drops a millilitre, for gravity when the pump is down.

use super::measure::{DropsPerMinute, DropsPerMl, Minutes, Ml};
use super::{Body, Item, Knowledge};
use crate::quantity::round_half_up;
use serde::Deserialize;

/// One giving set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivingSet {
    /// Drops a millilitre.
    pub drops: DropsPerMl,
}

/// A volume in a time, in drops a minute to one decimal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Volume.
    pub volume: Ml,
    /// Length.
    pub over: Minutes,
    /// Drops a minute.
    pub rate: DropsPerMinute,
}

impl GivingSet {
    /// Drops a minute, half-up to 0.1; `None` for a length of zero.
    pub fn rate(&self, volume: Ml, over: Minutes) -> Option<DropsPerMinute> {
        let drops = volume.0.checked_mul(self.drops.0)?.checked_div(over.0)?;
        Some(DropsPerMinute(round_half_up(drops, 1)))
    }
}

impl Body for GivingSet {
    const FOLDER: &'static str = "giving_sets";
    type Example = Example;

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        match item.body.rate(example.volume, example.over) {
            Some(rate) if rate == example.rate => Ok(()),
            Some(rate) => Err(format!("the rate is {rate}")),
            None => Err("the length is zero".to_owned()),
        }
    }
}
