//! The caps and the pump library around a laid-out plan.

use super::findings::Rule;
use super::order::per_kg_per_h;
use super::plan::Plan;
use super::slip::tenfold_of;
use crate::gate::{Finding, Verdict};
use crate::id::RuleId;
use crate::knowledge::cap::{Cap, Expected, Quantity};
use crate::knowledge::measure::Place;
use crate::knowledge::pump_library::PumpEntry;
use crate::knowledge::regimen::{Amount, Regimen, Step};
use crate::knowledge::{Item, Knowledge};
use crate::quantity::{Rate, plain, round_half_up};
use rust_decimal::Decimal;

/// What the caps look at.
pub(super) struct Ordered<'a> {
    pub(super) item: &'a Item<Regimen>,
    pub(super) steps: &'a [Step],
    pub(super) plan: &'a Plan,
    pub(super) weight_kg: Decimal,
    pub(super) last_dose_mg: Option<Decimal>,
}

/// Every cap of the care area, and the guideline's total.
pub(super) fn judge(ordered: &Ordered<'_>, knowledge: &Knowledge) -> Vec<Finding> {
    let area = ordered.item.body.care_area;
    let caps = knowledge.caps.iter().filter(|cap| cap.body.care_areas.contains(&area));
    let mut findings: Vec<Finding> = caps.filter_map(|cap| judge_cap(cap, ordered)).collect();
    findings.extend(regimen_notes(ordered));
    findings
}

fn judge_cap(cap: &Item<Cap>, ordered: &Ordered<'_>) -> Option<Finding> {
    let (rule, body, plan) = (Rule::of(&cap.header), &cap.body, ordered.plan);
    let per_kg = plan.exact_dose_mg.checked_div(ordered.weight_kg);
    if let (Some(from), Some(per_kg)) = (body.from_dose, per_kg)
        && per_kg < from.0
    {
        return None;
    }
    let value = match body.quantity {
        Quantity::DosePerKg => per_kg,
        Quantity::DoseTotal => Some(plan.exact_dose_mg),
        Quantity::RatePerKg => plan.fastest_mg_per_h.checked_div(ordered.weight_kg),
        Quantity::RateTotal => Some(plan.fastest_mg_per_h),
        Quantity::Length => Some(plan.minutes),
        Quantity::TimesRegimen => return judge_times_regimen(&rule, body, ordered),
        Quantity::TimesLength => {
            let own = ordered
                .item
                .body
                .plan
                .iter()
                .try_fold(Decimal::ZERO, |sum, step| sum.checked_add(step.over.0));
            let times = own.and_then(|own| plan.minutes.checked_div(own));
            let own = own.map_or_else(|| "length".to_owned(), |own| format!("{} min", plain(own)));
            return judge_times(
                &rule,
                body,
                times,
                &(format!("{} min", plain(plan.minutes)), format!("the regimen's {own}")),
            );
        }
        // Judged when a running infusion is set to another rate.
        Quantity::TimesOrderedRate => return None,
        Quantity::TimesLastDose => {
            let last = ordered.last_dose_mg?;
            let times = plan.exact_dose_mg.checked_div(last);
            let words =
                (format!("{} mg", plain(plan.dose_mg)), format!("the last dose of {} mg", plain(last)));
            return judge_times(&rule, body, times, &words);
        }
    };
    // A number that cannot be counted is not inside any limit.
    let Some(value) = value else {
        return Some(rule.refuse(format!("The {} cannot be counted.", body.quantity.words()), &[]));
    };
    rule.judge(&body.limit, (value, body.quantity.words(), body.quantity.unit()), "")
}

fn judge_times_regimen(rule: &Rule<'_>, body: &Cap, ordered: &Ordered<'_>) -> Option<Finding> {
    let own = ordered.item.body.plan.as_slice();
    let by_rate = own.iter().any(|step| matches!(step.amount, Amount::Rate(_)));
    let unit = if by_rate { "mg/kg/h" } else { "mg/kg" };
    let amount = |steps: &[Step]| if by_rate { fastest(steps) } else { whole(steps) };
    let (asked, published) = (amount(ordered.steps), amount(own));
    let times = asked.zip(published).and_then(|(asked, published)| asked.checked_div(published));
    let shown = |value: Option<Decimal>| plain(round_half_up(value.unwrap_or_default(), 4));
    let words = (format!("{} {unit}", shown(asked)), format!("the regimen's {} {unit}", shown(published)));
    judge_times(rule, body, times, &words)
}

/// What is said of a rate that a running infusion is set to, against the slowest that its order has; `None` inside the
/// recommended range.
pub fn slow_rate(to: Rate, ordered: Rate, regimen: &RuleId, knowledge: &Knowledge) -> Option<Finding> {
    let area = knowledge.regimens.get(regimen.as_str())?.body.care_area;
    let mut caps = knowledge
        .caps
        .iter()
        .filter(|cap| cap.body.quantity == Quantity::TimesOrderedRate && cap.body.care_areas.contains(&area));
    let times = to.decimal().checked_div(ordered.decimal());
    let words = (to.to_string(), format!("the ordered {ordered}"));
    caps.find_map(|cap| judge_times(&Rule::of(&cap.header), &cap.body, times, &words))
}

fn fastest(steps: &[Step]) -> Option<Decimal> {
    steps.iter().map(per_kg_per_h).collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn whole(steps: &[Step]) -> Option<Decimal> {
    steps.iter().try_fold(Decimal::ZERO, |sum, step| {
        let amount = match step.amount {
            Amount::Dose(dose) => dose.0,
            Amount::Rate(rate) => rate.0.checked_mul(step.over.0)?.checked_div(Decimal::from(60))?,
        };
        sum.checked_add(amount)
    })
}

fn judge_times(
    rule: &Rule<'_>,
    body: &Cap,
    times: Option<Decimal>,
    (asked, against): &(String, String),
) -> Option<Finding> {
    let Some(times) = times else {
        return Some(rule.refuse(format!("{asked} cannot be compared with {against}."), &[]));
    };
    let place = body.limit.place(times);
    let inputs = [("asked", asked.clone()), ("against", against.clone())];
    let shown = plain(round_half_up(times, 2));
    let why = format!(
        "{asked} is {shown} times {against}: this looks like a tenfold slip. Check the decimal point."
    );
    match place {
        Place::Recommended => None,
        Place::OutsideRecommended => Some(rule.ask(why, &inputs)),
        Place::OutsideAbsolute => Some(rule.refuse(why, &inputs)),
    }
}

fn regimen_notes(ordered: &Ordered<'_>) -> Vec<Finding> {
    let (rule, regimen, plan) = (Rule::of(&ordered.item.header), &ordered.item.body, ordered.plan);
    let mut notes = Vec::new();
    if let Some(ceiling) = plan.ceiling {
        let (at_most, uncapped) = (plain(ceiling.at_most.0), plain(round_half_up(ceiling.uncapped.0, 2)));
        let inputs = [("uncapped", format!("{uncapped} mg/h")), ("ceiling", format!("{at_most} mg/h"))];
        let why = format!(
            "The regimen itself says at most {at_most} mg/h; the dose by weight would be {uncapped} mg/h. The card \
             counts with {at_most} mg/h."
        );
        notes.push(rule.find(Verdict::Warn, why, &inputs));
    }
    if let Some(total) = regimen.guideline_total
        && (plan.exact_dose_mg < total.at_least.0 || plan.minutes <= total.longer_than.0)
    {
        let why = format!(
            "{} mg over {} min is not the total that the guideline speaks of: {} or more in more than {}.",
            plain(plan.dose_mg),
            plain(plan.minutes),
            total.at_least,
            total.longer_than
        );
        notes.push(rule.find(Verdict::Info, why, &[]));
    }
    notes
}

/// The strength in the syringe or bag against the pump library and the vials.
pub(super) fn judge_concentration(
    entry: &Item<PumpEntry>,
    mg_per_ml: Decimal,
    knowledge: &Knowledge,
) -> Vec<Finding> {
    let (rule, shown) = (Rule::of(&entry.header), format!("{} mg/mL", plain(mg_per_ml)));
    let inputs = [("concentration", shown.clone())];
    let library: Vec<String> = entry.body.concentrations.iter().map(|one| one.to_string()).collect();
    if mg_per_ml <= Decimal::ZERO {
        let why = format!(
            "The concentration is {shown}; accepted is more than 0 mg/mL, and the pump library has {}.",
            library.join(", ")
        );
        return vec![rule.refuse(why, &inputs)];
    }
    let mut findings = Vec::new();
    for drug in
        knowledge.drugs.iter().filter(|drug| drug.body.must_be_diluted && drug.body.strength.0 == mg_per_ml)
    {
        let why = format!(
            "{} must be diluted before it is infused; undiluted it is never given.",
            drug.header.title
        );
        findings.push(Rule::of(&drug.header).refuse(why, &inputs));
    }
    let verdict = entry.body.judge(mg_per_ml);
    if verdict == Expected::Recommended {
        return findings;
    }
    let slip = likely_slip(entry, mg_per_ml, knowledge);
    let why = format!("{shown} is not in the pump library ({}).{slip}", library.join(", "));
    findings.push(match verdict {
        Expected::Refused => rule.refuse(why, &inputs),
        _ => rule.ask(why, &inputs),
    });
    findings
}

fn likely_slip(entry: &Item<PumpEntry>, mg_per_ml: Decimal, knowledge: &Knowledge) -> String {
    if let Some(drug) = knowledge.drugs.iter().find(|drug| drug.body.strength.0 == mg_per_ml) {
        return format!(
            " It is the strength in the vial ({}): stock and syringe may be swapped, or the dilution left out.",
            drug.header.title
        );
    }
    let others = knowledge.pump_library.iter().filter(|other| other.header.id != entry.header.id);
    let listed_elsewhere =
        others.into_iter().find(|other| other.body.concentrations.iter().any(|one| one.0 == mg_per_ml));
    if let Some(other) = listed_elsewhere {
        return format!(" It stands under \"{}\": the strength may be swapped.", other.header.title);
    }
    match tenfold_of(mg_per_ml, entry.body.concentrations.iter().map(|one| one.0)) {
        Some((one, times)) => format!(" It is {times} {} mg/mL: check the decimal point.", plain(one)),
        None => String::new(),
    }
}
