//! An order at the chair beside the signed plan of its course.

use super::plan::{Plan, shown_dose};
use crate::dose::{self, DoseRequest, OrderedDose};
use crate::knowledge::Knowledge;
use crate::knowledge::measure::MgPerKg;
use crate::quantity::plain;
use serde::{Deserialize, Serialize};

/// The plan of an open course, and the dose that the next infusion goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// As it was signed last.
    pub plan: Plan,
    /// Its number, from 1.
    pub version: u32,
    /// By the plan, or as at the infusion before.
    pub dose: OrderedDose,
}

/// What an order is beside the signed plan, as whoever signed it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesidePlan {
    /// Number of the plan's version; `None` where no plan was signed.
    pub version: Option<u32>,
    /// Where the order is another one, each with both sides in words; empty where it is as planned.
    pub differs: Vec<String>,
}

impl BesidePlan {
    /// The plan and where the order is another one, in words; `None` where it is as planned.
    pub fn differs_in(&self) -> Option<String> {
        let version = self.version.filter(|_| !self.differs.is_empty())?;
        Some(format!("signed plan, version {version}: {}", self.differs.join("; ")))
    }
}

impl InForce {
    /// `before`: what was ordered by weight for the infusion before in this course, where no version of the plan was signed
    /// since. A dose that is not in mg/kg of the whole infusion goes on by the plan.
    pub fn new(plan: Plan, version: u32, before: Option<MgPerKg>) -> Self {
        let titrated = before.filter(|_| matches!(plan.start_dose, OrderedDose::MgPerKg(_)));
        let again = titrated.map(|dose| OrderedDose::MgPerKg(dose.0));
        Self { dose: again.unwrap_or_else(|| plan.start_dose.clone()), plan, version }
    }

    /// The order beside this plan.
    pub fn beside(&self, order: &DoseRequest, knowledge: &Knowledge) -> BesidePlan {
        BesidePlan { version: Some(self.version), differs: self.against(order, knowledge) }
    }

    /// Where an order is another one, each with both sides in words: the regimen, else the length in minutes and the dose.
    /// Nothing for an order that the dose rules refuse anyway.
    pub fn against(&self, order: &DoseRequest, knowledge: &Knowledge) -> Vec<String> {
        let plan = &self.plan;
        if order.regimen != plan.regimen {
            let [ordered, planned] = [&order.regimen, &plan.regimen].map(|id| knowledge.title(id.as_str()));
            return vec![format!("regimen: ordered {ordered}, planned {planned}")];
        }
        let Ok(card) = dose::card(order, knowledge) else { return Vec::new() };
        let mut differs = Vec::new();
        if card.plan.minutes != plan.minutes {
            let (ordered, planned) = (plain(card.plan.minutes), plain(plan.minutes));
            differs.push(format!("length: ordered {ordered} min, planned {planned} min"));
        }
        let as_planned = DoseRequest {
            dose: Some(self.dose.clone()),
            minutes: Some(plan.minutes),
            dose_weight: plan.dose_weight,
            ..order.clone()
        };
        let planned = dose::card(&as_planned, knowledge).ok().map(|card| card.dose);
        if planned != Some(card.dose) {
            let planned = planned.map_or_else(String::new, |dose| format!("{dose}, "));
            let by = shown_dose(&self.dose);
            let whose =
                if self.dose == plan.start_dose { "by the plan" } else { "as at the infusion before" };
            differs.push(format!("dose: ordered {}, expected {planned}{by} {whose}", card.dose));
        }
        differs
    }
}
