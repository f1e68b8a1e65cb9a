//! What a request means: which weight counts, which steps run, whether the regimen's own ceiling holds.

use super::findings::Rule;
use super::weight::Weights;
use super::{DoseRequest, OrderedDose};
use crate::gate::{Finding, Override, Verdict};
use crate::knowledge::Item;
use crate::knowledge::measure::{MgPerHour, MgPerKg, MgPerKgPerHour, Minutes};
use crate::knowledge::regimen::{Amount, Regimen, Setting, Step, Substance};
use crate::knowledge::weight::{Descriptor, DoseWeight};
use crate::quantity::plain;
use rust_decimal::Decimal;

/// Id of the rule that picks the weight.
pub(super) const WEIGHT_RULE: &str = "dose_weight";

/// Whether the regimen may be ordered here at all, and what it asks of the patient.
pub(super) fn judge_regimen(item: &Item<Regimen>, bmi: Option<Decimal>) -> Vec<Finding> {
    let (rule, regimen) = (Rule::of(&item.header), &item.body);
    let mut findings = Vec::new();
    let title = &item.header.title;
    match regimen.setting {
        Setting::Clinic => {}
        Setting::Inpatient => {
            findings
                .push(rule.refuse(format!("{title} is for hospital wards; a clinic cannot order it."), &[]));
        }
        Setting::Research => {
            findings.push(
                rule.refuse(format!("{title} is published from trials only; a clinic cannot order it."), &[]),
            );
        }
        Setting::Reference => {
            findings.push(rule.refuse(format!("{title} is kept for comparison and cannot be ordered."), &[]));
        }
    }
    if regimen.substance != Substance::KetamineRacemic {
        findings.push(rule.refuse(format!("{title} is not racemic ketamine: potencies differ."), &[]));
    }
    match (regimen.bmi_at_least, bmi) {
        (Some(_), None) => {
            let mut held = rule.missing("height", "this regimen has a lowest body mass index");
            held.overridable_by = Override::Prescriber;
            findings.push(held);
        }
        (Some(least), Some(bmi)) if bmi < least.0 => {
            let inputs = [("body mass index", format!("{} kg/m2", plain(bmi)))];
            let why = format!(
                "The body mass index is {} kg/m2; this regimen asks for {least} or more.",
                plain(bmi)
            );
            findings.push(rule.ask(why, &inputs));
        }
        _ => {}
    }
    if !regimen.requires.is_empty() {
        let why = format!("This regimen also asks for: {}.", regimen.requires.join("; "));
        findings.push(rule.find(Verdict::Info, why, &[]));
    }
    findings
}

/// Which weight counts, with the reason in words.
pub(super) struct Picked {
    pub(super) descriptor: Descriptor,
    pub(super) kg: Decimal,
    pub(super) why: String,
}

/// Picks the weight, or says what is missing to pick it.
pub(super) fn pick_weight(
    item: &Item<DoseWeight>,
    weights: &Weights,
    asked: Option<Descriptor>,
    findings: &mut Vec<Finding>,
) -> Option<Picked> {
    let rule = Rule::of(&item.header);
    let from = plain(item.body.large_from.0);
    let by_rule = match (weights.usual, weights.bmi) {
        (Some(usual), Some(bmi)) => {
            let side =
                if usual == item.body.large { format!("{from} or more") } else { format!("below {from}") };
            Some((usual, format!("body mass index {} kg/m2, {side}", plain(bmi))))
        }
        _ => {
            let why = format!("without it nobody knows whether the body mass index is {from} or more");
            let mut held = rule.missing("height", &why);
            held.reason.push_str("; the actual weight is counted");
            held.overridable_by = Override::Prescriber;
            findings.push(held);
            None
        }
    };
    let (descriptor, why) = match (asked, by_rule) {
        (Some(asked), Some((usual, why))) if asked != usual => {
            let reason =
                format!("The {} was picked; by the rule it is the {} ({why}).", asked.words(), usual.words());
            findings.push(rule.ask(reason, &[("dose weight", asked.words().to_owned())]));
            (asked, "picked by the prescriber".to_owned())
        }
        (_, Some((usual, why))) => {
            if usual != item.body.usual {
                let reason = format!("The dose is counted by {}: {why}.", usual.words());
                findings.push(rule.find(Verdict::Info, reason, &[]));
            }
            (usual, why)
        }
        (Some(asked), None) => (asked, "picked by the prescriber".to_owned()),
        (None, None) => (Descriptor::Abw, "height unknown".to_owned()),
    };
    let Some(kg) = weights.get(descriptor) else {
        let field = if weights.bmi.is_none() { "height" } else { "sex" };
        findings.push(rule.missing(field, &format!("needed for the {}", descriptor.words())));
        return None;
    };
    Some(Picked { descriptor, kg, why })
}

/// The steps that the request means, in words too; pushes a refusal when it means none.
pub(super) fn steps(
    item: &Item<Regimen>,
    request: &DoseRequest,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Step>> {
    let rule = Rule::of(&item.header);
    let steps = match (&request.dose, item.body.plan.as_slice()) {
        (Some(OrderedDose::Steps(ordered)), _) => ordered
            .iter()
            .map(|step| Step {
                amount: Amount::Rate(MgPerKgPerHour(step.mg_per_kg_per_h)),
                over: Minutes(step.minutes),
            })
            .collect(),
        (dose, [own]) => {
            let amount = match dose {
                Some(OrderedDose::MgPerKg(value)) => Amount::Dose(MgPerKg(*value)),
                Some(OrderedDose::MgPerKgPerHour(value)) => Amount::Rate(MgPerKgPerHour(*value)),
                _ => own.amount,
            };
            vec![Step { amount, over: request.minutes.map_or(own.over, Minutes) }]
        }
        (None, plan) if request.minutes.is_none() => plan.to_vec(),
        _ => {
            let why = "This regimen runs in steps: order the steps, not one dose or one length.";
            findings.push(rule.refuse(why.to_owned(), &[]));
            return None;
        }
    };
    let total: Option<Decimal> =
        steps.iter().try_fold(Decimal::ZERO, |sum, step| sum.checked_add(step.over.0));
    if steps.is_empty() {
        findings.push(rule.refuse("The order has no step; accepted is one or more.".to_owned(), &[]));
        return None;
    }
    if let Some((what, value, unit)) = steps.iter().find_map(not_above_zero) {
        let value = format!("{} {unit}", plain(value));
        let why = format!("The {what} is {value}; accepted is more than 0 {unit}.");
        findings.push(rule.refuse(why, &[(what, value)]));
        return None;
    }
    if let (Some(said), Some(total)) = (request.minutes, total)
        && said != total
    {
        let why =
            format!("The steps take {} min together, the order says {} min.", plain(total), plain(said));
        findings.push(rule.refuse(why, &[]));
        return None;
    }
    Some(steps)
}

/// A rate follows that no pump has: what it was counted from, with the pump's smallest rate.
pub(super) fn not_for_a_pump(rule: &Rule<'_>, steps: &[Step], kg: Decimal, mg_per_ml: Decimal) -> Finding {
    let each: Vec<String> = steps.iter().map(|step| format!("{} over {}", step.amount, step.over)).collect();
    let why = format!(
        "Dose and length ({}) at {} kg and {} mg/mL give a rate that no pump runs; accepted is 0.1 mL/h or more, and what \
         can be counted exactly. Check the length in minutes and the strength.",
        each.join(", then "),
        plain(kg),
        plain(mg_per_ml)
    );
    rule.refuse(why, &[("dose and length", each.join(", then "))])
}

/// The field of a step that is nothing, with its value and unit.
fn not_above_zero(step: &Step) -> Option<(&'static str, Decimal, &'static str)> {
    let amount = match step.amount {
        Amount::Dose(dose) => ("dose", dose.0, "mg/kg"),
        Amount::Rate(rate) => ("dose", rate.0, "mg/kg/h"),
    };
    [amount, ("length (minutes)", step.over.0, "min")]
        .into_iter()
        .find(|(_, value, _)| *value <= Decimal::ZERO)
}

/// Amount by weight of one step and hour, exact where it can be.
pub(super) fn per_kg_per_h(step: &Step) -> Option<Decimal> {
    match step.amount {
        Amount::Rate(rate) => Some(rate.0),
        Amount::Dose(dose) => dose.0.checked_mul(Decimal::from(60))?.checked_div(step.over.0),
    }
}

/// The regimen's ceiling belongs to the regimen's own dose and to less. An order above that dose is not the
/// regimen any more: it meets the caps instead of being lowered.
pub(super) fn ceiling(regimen: &Regimen, steps: &[Step]) -> Option<MgPerHour> {
    let published = regimen.plan.iter().filter_map(per_kg_per_h).max()?;
    let ordered = steps.iter().filter_map(per_kg_per_h).max()?;
    regimen.max_rate.filter(|_| ordered <= published)
}
