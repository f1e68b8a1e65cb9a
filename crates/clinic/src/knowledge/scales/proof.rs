//! Worked cases of a scale.

use super::{Condition, Scale};
use crate::knowledge::Item;
use crate::quantity::round_half_up;
use crate::scale::{Given, outcome, score};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// One case: answers, a total or two totals go in. What the case does not say is not compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    answers: Option<String>,
    entered: Option<Decimal>,
    of: Option<String>,
    #[serde(default)]
    no_total: bool,
    total: Option<Decimal>,
    band: Option<String>,
    prorated: Option<bool>,
    #[serde(default)]
    subscales: BTreeMap<String, Decimal>,
    #[serde(default)]
    meets: Vec<String>,
    #[serde(default)]
    fails: Vec<String>,
    flags: Option<Vec<String>>,
    baseline: Option<Decimal>,
    current: Option<Decimal>,
    condition: Option<Condition>,
    percent: Option<Decimal>,
    response: Option<bool>,
    remission: Option<bool>,
    reliable: Option<bool>,
}

pub(super) fn prove(item: &Item<Scale>, case: &Example) -> Result<(), String> {
    match (&case.answers, case.entered, case.baseline.zip(case.current)) {
        (Some(text), None, None) => {
            let given = Given::answers(item, text).map_err(|e| e.to_string())?;
            scored(item, case, &given)
        }
        (None, Some(total), None) => {
            scored(item, case, &Given::total(item, total).map_err(|e| e.to_string())?)
        }
        (None, None, Some((baseline, current))) => compared(item, case, baseline, current),
        _ => Err("a case has answers, an entered total, or a baseline with a current score".to_owned()),
    }
}

fn scored(item: &Item<Scale>, case: &Example, given: &Given) -> Result<(), String> {
    let came = score(item, given, case.of.as_deref()).map_err(|e| e.to_string())?;
    same("total", came.total.map(|total| round_half_up(total, 2)), case.total)?;
    same("band", came.band.clone(), case.band.clone())?;
    same("prorated", Some(came.prorated), case.prorated)?;
    same("flags", Some(came.flags.iter().map(|flag| flag.id.clone()).collect()), case.flags.clone())?;
    if case.no_total && (came.total.is_some() || came.band.is_some() || came.complete) {
        return Err(format!("expected no total, came {came:?}"));
    }
    for (id, wanted) in &case.subscales {
        same(
            id,
            came.subscales.get(id).copied().flatten().map(|value| round_half_up(value, 2)),
            Some(*wanted),
        )?;
    }
    for (wanted, ids) in [(true, &case.meets), (false, &case.fails)] {
        for id in ids {
            let met = came.criteria.iter().find(|met| &met.id == id).and_then(|met| met.met);
            same(id, met, Some(wanted))?;
        }
    }
    Ok(())
}

fn compared(item: &Item<Scale>, case: &Example, baseline: Decimal, current: Decimal) -> Result<(), String> {
    let came = outcome(item, baseline, current, case.condition).map_err(|e| e.to_string())?;
    same("percent", came.percent.map(|percent| round_half_up(percent, 1)), case.percent)?;
    same("response", came.response, case.response)?;
    same("remission", came.remission, case.remission)?;
    same("reliable", came.reliable, case.reliable)
}

fn same<T: PartialEq + Debug>(what: &str, came: Option<T>, wanted: Option<T>) -> Result<(), String> {
    if wanted.is_none() || came == wanted {
        Ok(())
    } else {
        Err(format!("{what}: expected {wanted:?}, came {came:?}"))
    }
}
