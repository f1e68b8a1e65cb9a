//! The signed plan of the course beside an order: what it says of this infusion, and where the order says otherwise.

use super::Tier;
use crate::pages::visit::head::{Opened, unbroken};
use crate::{AppState, Fault};
use clinic::course::{Plan, Stage, shown_dose};
use clinic::dose::{self, DoseCard, DoseRequest};
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::weight::Descriptor;
use clinic::quantity::plain;

/// A plan in force, and the infusion that is ordered.
pub(super) struct Planned {
    version: usize,
    plan: Plan,
    /// Regimen of this visit.
    regimen: Option<RuleId>,
    /// The dose of the plan is that of the first infusion; later ones are titrated.
    first: bool,
}

impl Planned {
    /// `None` where no course is open: then there is nothing to differ from.
    pub fn of(app: &AppState, opened: &Opened) -> Result<Option<Self>, Fault> {
        let Some(patient) = &opened.session.patient else { return Ok(None) };
        let course = app.floor.course(patient)?.course;
        let open = !matches!(course.stage, Stage::New | Stage::Closed);
        let plan = course.plan().filter(|_| open).cloned();
        Ok(plan.map(|plan| Self {
            version: course.plans.len(),
            plan,
            regimen: opened.session.regimen.clone(),
            first: course.given.is_empty(),
        }))
    }

    fn is_of_this_regimen(&self) -> bool {
        self.regimen.as_ref() == Some(&self.plan.regimen)
    }

    /// What stands in a field before anybody types; empty where the plan says nothing of it.
    pub fn known(&self, field: &str) -> String {
        match field {
            "dose" if self.first && self.is_of_this_regimen() => shown_dose(&self.plan.start_dose),
            "minutes" if self.is_of_this_regimen() => plain(self.plan.minutes),
            "dose_weight" if self.is_of_this_regimen() => match self.plan.dose_weight {
                Some(Descriptor::Abw) => "abw".to_owned(),
                Some(Descriptor::Ibw) => "ibw".to_owned(),
                Some(Descriptor::Adjbw) => "adjbw".to_owned(),
                None => String::new(),
            },
            _ => String::new(),
        }
    }

    /// In one line, for whoever orders.
    pub fn says(&self) -> String {
        let dose = shown_dose(&self.plan.start_dose);
        format!(
            "Signed plan, version {}: {}, {dose} at the first infusion, over {} min. Titration: {}",
            self.version,
            self.plan.regimen,
            plain(self.plan.minutes),
            self.plan.titration
        )
    }

    /// Where the order is another one than the plan says.
    pub fn against(&self, request: &DoseRequest, card: &DoseCard, knowledge: &Knowledge) -> Vec<Tier> {
        let mut reasons = Vec::new();
        if !self.is_of_this_regimen() {
            let regimen = self.regimen.as_ref().map_or("none", RuleId::as_str);
            reasons.push(format!("regimen: ordered {regimen}, planned {}", self.plan.regimen));
        } else if card.plan.minutes != self.plan.minutes {
            let (ordered, planned) = (plain(card.plan.minutes), plain(self.plan.minutes));
            reasons.push(format!("length: ordered {ordered} min, planned {planned} min"));
        }
        if self.first && self.is_of_this_regimen() {
            let by_plan = DoseRequest {
                dose: Some(self.plan.start_dose.clone()),
                minutes: Some(self.plan.minutes),
                dose_weight: self.plan.dose_weight,
                ..request.clone()
            };
            let planned = dose::card(&by_plan, knowledge).ok().map(|card| card.dose);
            if planned != Some(card.dose) {
                let planned =
                    planned.map_or_else(|| shown_dose(&self.plan.start_dose), |dose| dose.to_string());
                reasons.push(format!("dose: ordered {}, planned {planned}", card.dose));
            }
        }
        let tier = |reason: String| Tier {
            state: "amber",
            says: "Needs a reason",
            reason: unbroken(&reason),
            rule: format!("Signed plan, version {}", self.version),
        };
        reasons.into_iter().map(tier).collect()
    }
}
