//! The signed plan of the course beside an order: what stands in the fields before anybody types, and where the order is
//! another one.

use super::Tier;
use crate::pages::visit::head::unbroken;
use clinic::course::{InForce, Plan, shown_dose};
use clinic::dose::DoseRequest;
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::weight::Descriptor;
use clinic::quantity::plain;

/// What stands in a field of an order by that regimen; empty where the plan says nothing of it.
pub(super) fn known(in_force: &InForce, regimen: Option<&RuleId>, field: &str) -> String {
    let plan = &in_force.plan;
    if regimen != Some(&plan.regimen) {
        return String::new();
    }
    match field {
        "dose" => shown_dose(&in_force.dose),
        "minutes" => plain(plan.minutes),
        "dose_weight" => plan.dose_weight.map_or("", Descriptor::id).to_owned(),
        _ => String::new(),
    }
}

/// In one line, for whoever orders.
pub(super) fn says(in_force: &InForce, knowledge: &Knowledge) -> String {
    let InForce { plan, version, .. } = in_force;
    unbroken(&format!(
        "Signed plan, version {version}: {}, {} at the first infusion, over {} min. Titration: {}. To go on with: {}",
        knowledge.title(plan.regimen.as_str()),
        shown_dose(&plan.start_dose),
        plain(plan.minutes),
        plan.titration.trim_end_matches('.'),
        shown_dose(&in_force.dose)
    ))
}

/// What stands there where no plan was signed: the regimen's own first dose.
pub(super) fn usual(regimen: Option<&RuleId>, knowledge: &Knowledge) -> String {
    let item = regimen.and_then(|id| knowledge.regimens.get(id.as_str()));
    let usual = item.and_then(|item| Plan::usual(item, Vec::new()));
    let usual = usual.map(|plan| {
        let title = knowledge.title(plan.regimen.as_str());
        format!(" Usual at the first infusion of {title}: {}.", plan.first_dose())
    });
    unbroken(&format!("No plan is signed.{}", usual.unwrap_or_default()))
}

/// Where the order is another one than the plan, as the card shows it.
pub(super) fn against(in_force: &InForce, order: &DoseRequest, knowledge: &Knowledge) -> Vec<Tier> {
    let differs = in_force.against(order, knowledge);
    let tier = |reason: String| Tier {
        state: "amber",
        says: "Needs a reason",
        reason: unbroken(&reason),
        rule: format!("Signed plan, version {}", in_force.version),
    };
    differs.into_iter().map(tier).collect()
}
