//! From an order to what the pump is told: exact decimal arithmetic and the limits around it.
//!
//! [`card`] answers a [`DoseRequest`] with a [`DoseCard`] or with [`Refused`]. Outside a recommended range the card
//! is made and asks for a reason; outside an absolute range there is no card. Nothing is ever clamped, and an input
//! that is missing is never a pass.

pub mod bag;
mod card;
mod findings;
mod limits;
mod order;
pub mod parse;
pub mod plan;
mod slip;
mod stock;
pub mod weight;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;

pub use card::{BagCard, DoseCard, Drops, WeightDose, card};
pub use findings::{asks_for_reason, refuses};
pub use limits::slow_rate;
pub use slip::ratio_hint;
pub use stock::{StockDraw, to_draw};

use crate::gate::Finding;
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::knowledge::weight::{Descriptor, Sex};
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Weight};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a prescriber asks for. What is `None` was not said: some of it has a default in the regimen, the rest is
/// reported as missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoseRequest {
    /// Which regimen.
    pub regimen: RuleId,
    /// Today's weight on the scale.
    pub weight: Option<Weight>,
    /// Height; without it the body mass index is unknown.
    pub height: Option<Height>,
    /// For the ideal body weight.
    pub sex: Option<Sex>,
    /// Instead of the regimen's dose.
    pub dose: Option<OrderedDose>,
    /// Instead of the regimen's length.
    pub minutes: Option<Decimal>,
    /// Instead of the weight that the rule picks.
    pub dose_weight: Option<Descriptor>,
    /// Strength in the syringe or bag.
    pub concentration: Option<Concentration>,
    /// Strength in the vial.
    pub stock: Option<Concentration>,
    /// Volume of one vial.
    pub vial: Option<Microlitres>,
    /// Volume of a bag that takes the whole dose.
    pub bag: Option<Microlitres>,
    /// What the syringe or bag on the pump holds.
    pub container: Option<Microlitres>,
    /// The weight at the visit before.
    pub last_weight: Option<Weight>,
    /// The dose at the visit before.
    pub last_dose: Option<Micrograms>,
}

impl DoseRequest {
    /// The regimen's own dose and length at a weight and a strength; nothing else said.
    pub const fn new(regimen: RuleId, weight: Weight, concentration: Concentration) -> Self {
        Self {
            regimen,
            weight: Some(weight),
            height: None,
            sex: None,
            dose: None,
            minutes: None,
            dose_weight: None,
            concentration: Some(concentration),
            stock: None,
            vial: None,
            bag: None,
            container: None,
            last_weight: None,
            last_dose: None,
        }
    }
}

/// A dose as a prescriber writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderedDose {
    /// mg/kg for the whole infusion.
    MgPerKg(Decimal),
    /// mg/kg/h for the whole infusion.
    MgPerKgPerHour(Decimal),
    /// One rate after the other.
    Steps(Vec<OrderedStep>),
}

/// One stretch at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedStep {
    /// Rate by dose weight.
    pub mg_per_kg_per_h: Decimal,
    /// Length.
    pub minutes: Decimal,
}

/// No card: at least one rule refuses. The answer is for a person and names the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.reasons().join(" "))]
pub struct Refused {
    /// Everything that was found, the refusing ones among them.
    pub findings: Vec<Finding>,
}

impl Refused {
    /// Why, for a person: the likely slip first, then every rule that refuses.
    pub fn reasons(&self) -> Vec<String> {
        let slips = self.findings.iter().filter(|f| f.rule.as_str().starts_with(SLIP) && !refuses(f));
        slips.chain(self.findings.iter().filter(|f| refuses(f))).map(|f| f.reason.clone()).collect()
    }
}

/// Rules that name a likely slip carry it at the head of their id.
const SLIP: &str = "slip_";

/// The weight that a request gives.
pub const fn weight_of(request: &DoseRequest) -> Option<Weight> {
    request.weight
}

/// The worst that a weight says about itself: out of range, jumped since last time, pounds for kilograms. `None` when
/// it looks right. Look at [`refuses`]: some of it no reason helps.
pub fn weight_slip(
    weight: Weight,
    before: WeighedBefore,
    height: Option<Height>,
    knowledge: &Knowledge,
) -> Option<Finding> {
    let Some(rule) = knowledge.weight.get(order::WEIGHT_RULE) else {
        return Some(findings::no_rule(order::WEIGHT_RULE));
    };
    weight::worst_slip(rule, weight.decimal(), before, height.map(Height::decimal))
}

/// The weights that a new one is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WeighedBefore {
    /// The last one of an earlier visit.
    pub earlier_visit: Option<Weight>,
    /// The one weighed before in this visit.
    pub this_visit: Option<Weight>,
    /// The first of this visit, or the last that somebody gave a reason for: many small steps make a large one.
    pub vouched_for: Option<Weight>,
}
