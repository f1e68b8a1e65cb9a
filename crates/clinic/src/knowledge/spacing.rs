//! `knowledge/spacing/`: how much time must pass between two infusions.

use super::{Body, Item, Knowledge};
use crate::gate::Verdict;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Floors for some regimens, hours from start to start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spacing {
    /// Regimens that it holds for.
    pub regimens: Vec<String>,
    /// Nobody infuses earlier.
    pub hard_h: Decimal,
    /// Earlier only with a reason.
    pub soft_h: Decimal,
    /// Soft floors of single regimens.
    #[serde(default)]
    pub soft_h_by: BTreeMap<String, Decimal>,
}

impl Spacing {
    /// Soft floor of a regimen.
    pub fn soft(&self, regimen: &str) -> Decimal {
        self.soft_h_by.get(regimen).copied().unwrap_or(self.soft_h)
    }
}

/// Hours since the last infusion and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpacingCase {
    regimen: String,
    hours: Decimal,
    verdict: Verdict,
}

impl Body for Spacing {
    const FOLDER: &'static str = "spacing";
    type Example = SpacingCase;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let spacing = &item.body;
        for regimen in &spacing.regimens {
            if spacing.soft(regimen) < spacing.hard_h {
                return Err(format!("the soft floor of {regimen} is below the hard one"));
            }
            let others = all.spacing.iter().filter(|other| other.header.id != item.header.id);
            if let Some(other) = others.into_iter().find(|other| other.body.regimens.contains(regimen)) {
                return Err(format!("{regimen} stands in {} too", other.header.id));
            }
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, case: &SpacingCase, _all: &Knowledge) -> Result<(), String> {
        let verdict = crate::gate::spacing_verdict(&item.body, &case.regimen, case.hours);
        if verdict == case.verdict { Ok(()) } else { Err(format!("comes out as {verdict:?}")) }
    }
}
