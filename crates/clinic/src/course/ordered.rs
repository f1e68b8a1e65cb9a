//! An order at the chair beside the signed plan of its course.

use super::plan::{Plan, shown_dose};
use crate::dose::{self, DoseRequest};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::quantity::plain;

impl Plan {
    /// Where an order is another one than this plan, each with both sides in words: the regimen, the length in minutes, and
    /// at the `first` infusion of the course the dose, because later ones are titrated. Nothing for an order that the dose
    /// rules refuse anyway.
    pub fn against_order(&self, order: &DoseRequest, first: bool, knowledge: &Knowledge) -> Vec<String> {
        if order.regimen != self.regimen {
            let title = |id: &RuleId| {
                let header = knowledge.header(id.as_str());
                header.map_or_else(|| id.to_string(), |header| header.title.clone())
            };
            return vec![format!(
                "regimen: ordered {}, planned {}",
                title(&order.regimen),
                title(&self.regimen)
            )];
        }
        let Ok(card) = dose::card(order, knowledge) else { return Vec::new() };
        let mut differs = Vec::new();
        if card.plan.minutes != self.minutes {
            let (ordered, planned) = (plain(card.plan.minutes), plain(self.minutes));
            differs.push(format!("length: ordered {ordered} min, planned {planned} min"));
        }
        let as_planned = DoseRequest {
            dose: Some(self.start_dose.clone()),
            minutes: Some(self.minutes),
            dose_weight: self.dose_weight,
            ..order.clone()
        };
        let planned = dose::card(&as_planned, knowledge).ok().map(|card| card.dose);
        if first && planned != Some(card.dose) {
            let planned = planned.map_or_else(|| shown_dose(&self.start_dose), |dose| dose.to_string());
            differs.push(format!("dose: ordered {}, planned {planned}", card.dose));
        }
        differs
    }
}
