//! Ways in other than a vein, as a model's file says them.

use super::{MINUTES_PER_HOUR, Measured};
use serde::Deserialize;

/// A way in and where the parts of a dose arrive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    name: String,
    /// Most in one dose.
    dose_max: Option<Measured>,
    entry: Vec<Entry>,
}

/// What becomes of one part of the dose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Factors whose product is the share of the dose that arrives, as the source has them.
    share: Vec<f64>,
    lag: Option<Measured>,
    /// Length of an even release.
    over: Option<Measured>,
    /// Rate constants of the stages on the way.
    stages: Vec<Measured>,
    /// The compartment that it reaches,
    into: Option<String>,
    /// or the mean of the delay at whose first stage it enters.
    into_delay: Option<String>,
}

impl Route {
    pub(super) fn model(&self) -> Result<pkpd::Route, String> {
        let told = |why| format!("the route {}: {why}", self.name);
        let entries = self.entry.iter().map(Entry::model).collect::<Result<Vec<_>, _>>().map_err(told)?;
        if entries.is_empty() || self.entry.iter().any(|entry| entry.share.is_empty()) {
            return Err(told("an entry and its share are missing".to_owned()));
        }
        let dose_max = self.dose_max.as_ref().map(|of| of.in_unit("mg")).transpose().map_err(told)?;
        Ok(pkpd::Route { name: self.name.clone(), entries, dose_max: dose_max.map(pkpd::Mg) })
    }
}

impl Entry {
    fn model(&self) -> Result<pkpd::Entry, String> {
        let length = |of: &Option<Measured>| of.as_ref().map_or(Ok(0.0), minutes).map(pkpd::Minutes);
        let into = match (&self.into, &self.into_delay) {
            (Some(name), None) => pkpd::Entrance::Compartment(name.clone()),
            (None, Some(mean)) => pkpd::Entrance::Delay(mean.clone()),
            _ => return Err("it leads `into` a compartment, or `into_delay`".to_owned()),
        };
        Ok(pkpd::Entry {
            share: pkpd::Ratio(self.share.iter().product()),
            lag: length(&self.lag)?,
            over: length(&self.over)?,
            stages: self.stages.iter().map(constant).collect::<Result<_, _>>()?,
            into,
        })
    }
}

fn minutes(of: &Measured) -> Result<f64, String> {
    of.in_unit("min").or_else(|_| Ok(of.in_unit("h")? * MINUTES_PER_HOUR))
}

fn constant(of: &Measured) -> Result<pkpd::PerMin, String> {
    match of.as_parameter()? {
        (pkpd::Value::Constant(rate), _) => Ok(rate),
        _ => Err("a stage is left at a rate constant, in /min or /h".to_owned()),
    }
}
