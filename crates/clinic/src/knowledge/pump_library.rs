//! The pump library's entry for ketamine, by care area. Rate, dose and length limits are the caps it names.

use super::cap::{Expected, Quantity};
use super::measure::{Limit, MgPerKg, MgPerMl};
use super::regimen::CareArea;
use super::{Body, Item, Knowledge};
use crate::id::RuleId;
use crate::quantity::Concentration;
use rust_decimal::Decimal;
use serde::Deserialize;

/// In what the pump is programmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum DoseMode {
    /// Rate by weight.
    #[serde(rename = "mg/kg/h")]
    MgPerKgPerHour,
    /// Rate.
    #[serde(rename = "mg/h")]
    MgPerHour,
}

/// Whether the pump may give a bolus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bolus {
    /// Switched off in the library.
    Disabled,
    /// Up to this dose; more is refused.
    AtMost(MgPerKg),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PumpEntry {
    /// Where it holds.
    pub care_area: CareArea,
    /// In what the pump is programmed.
    pub mode: DoseMode,
    /// The cap whose four numbers are the pump's soft and hard rate limits.
    pub rate_cap: RuleId,
    /// Strengths that stand in the library.
    pub concentrations: Vec<MgPerMl>,
    /// Strengths that can be ordered at all; one that is not in the list above asks for a reason.
    pub concentration: Limit,
    /// Bolus.
    pub bolus: Bolus,
}

/// A strength and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// In the syringe or bag.
    pub concentration: MgPerMl,
    /// `recommended`, `reason` or `refused`.
    pub expect: Expected,
}

impl PumpEntry {
    /// Its name on the display of the pump, for a strength.
    pub fn shown(&self, strength: Concentration) -> String {
        format!("Ketamine {} {strength}", self.care_area.id().to_uppercase())
    }
    /// What becomes of a strength.
    pub fn judge(&self, concentration: Decimal) -> Expected {
        match Expected::from(self.concentration.place(concentration)) {
            Expected::Recommended if !self.concentrations.contains(&MgPerMl(concentration)) => {
                Expected::Reason
            }
            other => other,
        }
    }
}

impl Body for PumpEntry {
    const FOLDER: &'static str = "pump_library";
    type Example = Example;

    fn check(item: &Item<Self>, all: &Knowledge) -> Result<(), String> {
        let entry = &item.body;
        if item.header.id != format!("library_{}", entry.care_area.id()) {
            return Err(format!(
                "an entry is called `library_<care area>`, here `library_{}`",
                entry.care_area.id()
            ));
        }
        if entry.concentration.unit != MgPerMl::UNIT {
            return Err(format!(
                "`concentration` is in {}, it has to be in {}",
                entry.concentration.unit,
                MgPerMl::UNIT
            ));
        }
        if entry.concentrations.is_empty()
            || entry.concentrations.iter().any(|one| !entry.concentration.recommended.holds(one.0))
        {
            return Err(
                "every listed strength lies in the recommended range, and there is at least one".to_owned()
            );
        }
        let cap =
            all.caps.get(entry.rate_cap.as_str()).ok_or(format!("there is no cap `{}`", entry.rate_cap))?;
        let wanted = match entry.mode {
            DoseMode::MgPerKgPerHour => Quantity::RatePerKg,
            DoseMode::MgPerHour => Quantity::RateTotal,
        };
        if cap.body.quantity != wanted || !cap.body.care_areas.contains(&entry.care_area) {
            return Err(format!(
                "`{}` is not a cap on the {} of this care area",
                entry.rate_cap,
                wanted.words()
            ));
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, example: &Example, _all: &Knowledge) -> Result<(), String> {
        let found = item.body.judge(example.concentration.0);
        if found == example.expect {
            Ok(())
        } else {
            Err(format!("{} is {found:?}, expected {:?}", example.concentration, example.expect))
        }
    }
}

impl Knowledge {
    /// What the pump shows when it is programmed from its library for this regimen and strength.
    pub fn library_entry(&self, regimen: &RuleId, strength: Concentration) -> Option<String> {
        let area = self.regimens.get(regimen.as_str())?.body.care_area;
        self.pump_library.get(&format!("library_{}", area.id())).map(|entry| entry.body.shown(strength))
    }

    /// Every name that the library has on the display of the pump.
    pub fn library_entries(&self) -> impl Iterator<Item = String> {
        self.pump_library.iter().flat_map(|entry| {
            let strengths = entry.body.concentrations.iter();
            strengths.filter_map(|one| Some(entry.body.shown(Concentration::from_decimal(one.0)?)))
        })
    }
}
