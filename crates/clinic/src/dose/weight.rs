//! The three dose weights, and weights that look like a slip.

use super::WeighedBefore;
use super::findings::Rule;
use crate::gate::{Finding, Override, Verdict};
use crate::knowledge::Item;
use crate::knowledge::measure::{Limit, Place};
use crate::knowledge::weight::{Descriptor, DoseWeight, Sex};
use crate::quantity::{Weight, plain, round_half_up};
use rust_decimal::Decimal;
use serde::Serialize;

/// Centimetres in an inch, exact by definition.
const CM_PER_INCH: Decimal = Decimal::from_parts(254, 0, 0, false, 2);
/// Kilograms in a pound avoirdupois, exact by definition.
const KG_PER_POUND: Decimal = Decimal::from_parts(45_359_237, 0, 0, false, 8);
/// Kilograms on a clinic scale have one decimal, and so do the weights that follow from them.
const PLACES: u32 = 1;

/// Pounds to kilograms, exact.
pub fn pounds_to_kg(pounds: Decimal) -> Option<Decimal> {
    pounds.checked_mul(KG_PER_POUND).map(|kg| kg.normalize())
}

/// Kilograms to pounds.
pub fn kg_to_pounds(kg: Decimal) -> Option<Decimal> {
    kg.checked_div(KG_PER_POUND).map(|pounds| pounds.normalize())
}

/// Inches to centimetres, exact.
pub fn inches_to_cm(inches: Decimal) -> Option<Decimal> {
    inches.checked_mul(CM_PER_INCH).map(|cm| cm.normalize())
}

/// A person's weights, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// Actual body weight.
    pub abw_kg: Decimal,
    /// Ideal body weight to 0.1 kg; needs height and sex.
    pub ibw_kg: Option<Decimal>,
    /// Adjusted body weight to 0.1 kg; needs height and sex.
    pub adjbw_kg: Option<Decimal>,
    /// Body mass index to 0.1; needs height.
    pub bmi: Option<Decimal>,
    /// Which weight counts by the rule; needs height.
    pub usual: Option<Descriptor>,
}

impl Weights {
    /// Counts them. `None` when a number cannot be: a height of zero, an ideal weight below zero.
    pub fn of(
        rule: &DoseWeight,
        abw_kg: Decimal,
        height_cm: Option<Decimal>,
        sex: Option<Sex>,
    ) -> Option<Self> {
        let mut weights = Self { abw_kg, ibw_kg: None, adjbw_kg: None, bmi: None, usual: None };
        let Some(height_cm) = height_cm else { return Some(weights) };
        let metres = height_cm.checked_div(Decimal::ONE_HUNDRED)?;
        let bmi = abw_kg.checked_div(metres.checked_mul(metres)?)?;
        weights.bmi = Some(round_half_up(bmi, PLACES).normalize());
        weights.usual = Some(if bmi < rule.large_from.0 { rule.usual } else { rule.large });
        if let Some(sex) = sex {
            let ibw = ideal(rule, abw_kg, height_cm, sex)?;
            let above = abw_kg.checked_sub(ibw)?.max(Decimal::ZERO);
            let part = rule.adjusted_part.0.checked_div(Decimal::ONE_HUNDRED)?;
            let adjbw = if above.is_zero() { abw_kg } else { ibw.checked_add(above.checked_mul(part)?)? };
            weights.ibw_kg = Some(round_half_up(ibw, PLACES).normalize());
            weights.adjbw_kg = Some(round_half_up(adjbw, PLACES).normalize());
        }
        Some(weights)
    }

    /// The weight of that kind, if it is known.
    pub fn get(&self, descriptor: Descriptor) -> Option<Decimal> {
        match descriptor {
            Descriptor::Abw => Some(self.abw_kg),
            Descriptor::Ibw => self.ibw_kg,
            Descriptor::Adjbw => self.adjbw_kg,
        }
    }
}

fn ideal(rule: &DoseWeight, abw_kg: Decimal, height_cm: Decimal, sex: Sex) -> Option<Decimal> {
    let formula = match sex {
        Sex::M => rule.ideal_m,
        Sex::F => rule.ideal_f,
    };
    let inches_above = height_cm.checked_div(CM_PER_INCH)?.checked_sub(Decimal::from(rule.base_inches))?;
    let ibw = formula.base.0.checked_add(formula.per_inch.0.checked_mul(inches_above)?)?;
    // Below the base height the formula was never fitted, so it may not exceed what the person weighs.
    let ibw = if inches_above.is_sign_negative() { ibw.min(abw_kg) } else { ibw };
    (ibw > Decimal::ZERO).then_some(ibw)
}

/// What to look at where weight and height do not fit.
const NOT_POUNDS: &str = "Check that the weight is in kg, not lb, and the height in cm, not in.";

/// What the rule says about today's weight: its range, its change since last time, and pounds for kilograms.
pub fn judge(
    item: &Item<DoseWeight>,
    weights: &Weights,
    height_cm: Option<Decimal>,
    last_kg: Option<Decimal>,
) -> Vec<Finding> {
    let (rule, body) = (Rule::of(&item.header), &item.body);
    let mut findings = Vec::new();
    let weight = (weights.abw_kg, "weight", "kg");
    let again = format!("{}Weigh again, in kg.", tenfold_slip(&body.weight, weights.abw_kg));
    findings.extend(rule.judge(&body.weight, weight, &again));
    if let (Some(height), Some(bmi)) = (height_cm, weights.bmi) {
        findings.extend(rule.judge(&body.height, (height, "height", "cm"), "Measure again, in cm."));
        findings.extend(rule.judge(&body.bmi, (bmi, "body mass index", "kg/m2"), NOT_POUNDS));
    }
    if let Some(last_kg) = last_kg {
        findings.extend(judge_change(&rule, body, weights.abw_kg, ("the last weight", last_kg)));
    }
    findings
}

/// A weight that nobody has may be one that somebody has with its decimal point lost or added.
fn tenfold_slip(limit: &Limit, kg: Decimal) -> String {
    if limit.place(kg) != Place::OutsideAbsolute {
        return String::new();
    }
    let usual = |kg: &Decimal| limit.place(*kg) == Place::Recommended;
    let (tenth, tenfold) =
        (kg.checked_div(Decimal::TEN).filter(usual), kg.checked_mul(Decimal::TEN).filter(usual));
    match (tenth, tenfold) {
        (Some(tenth), _) => format!("It is ten times {} kg: was the decimal point left out? ", plain(tenth)),
        (None, Some(tenfold)) => {
            format!(
                "It is a tenth of {} kg: was a zero left out, or a point typed too many? ",
                plain(tenfold)
            )
        }
        (None, None) => String::new(),
    }
}

fn judge_change(
    rule: &Rule<'_>,
    body: &DoseWeight,
    now_kg: Decimal,
    (which, last_kg): (&str, Decimal),
) -> Option<Finding> {
    let inputs =
        [("weight", format!("{} kg", plain(now_kg))), ("last_weight", format!("{} kg", plain(last_kg)))];
    let (now, last) = (plain(now_kg), plain(last_kg));
    let Some(ratio) = now_kg.checked_div(last_kg) else {
        return Some(rule.refuse(format!("{now} kg cannot be compared with {which}, {last} kg."), &inputs));
    };
    if body.pounds_ratios.iter().any(|[low, high]| (low.0..=high.0).contains(&ratio)) {
        let times = plain(round_half_up(ratio, 2));
        let why = format!(
            "{now} kg is {times} times {which} of {last} kg: one of the two looks like pounds taken for \
             kilograms. Weigh again, and correct the weight that is wrong."
        );
        return Some(rule.refuse(why, &inputs));
    }
    let percent = (ratio - Decimal::ONE).abs().checked_mul(Decimal::ONE_HUNDRED)?;
    let shown = plain(round_half_up(percent, 1));
    if percent >= body.change_asks_from.0 {
        let limit = plain(body.change_asks_from.0);
        let slip = tenfold_slip(&body.weight, last_kg).replacen("It is", &format!("{last} kg is"), 1);
        let why = format!(
            "{now} kg is {shown} % away from {which} of {last} kg ({limit} % or more asks). {slip}Weigh again, \
             or say why it is right."
        );
        Some(rule.ask(why, &inputs))
    } else if percent > body.change_tells_above.0 {
        let why = format!("{now} kg is {shown} % away from {which} of {last} kg: the dose is counted anew.");
        Some(rule.find(Verdict::Info, why, &inputs))
    } else {
        None
    }
}

/// The worst thing that today's weight says, for a person; `None` when it looks right.
pub fn worst_slip(
    item: &Item<DoseWeight>,
    weight_kg: Decimal,
    before: WeighedBefore,
    height_cm: Option<Decimal>,
) -> Option<Finding> {
    let rule = Rule::of(&item.header);
    let Some(weights) = Weights::of(&item.body, weight_kg, height_cm, None) else {
        return Some(rule.refuse("The height cannot be.".to_owned(), &[]));
    };
    let earlier_kg = before.earlier_visit.map(Weight::decimal);
    let mut findings = judge(item, &weights, height_cm, earlier_kg);
    let of_this_visit = [
        ("the weight taken before in this visit", before.this_visit),
        (
            "the first weight of this visit",
            before.vouched_for.filter(|_| before.this_visit != before.vouched_for),
        ),
    ];
    for (which, kg) in
        of_this_visit.into_iter().filter_map(|(which, weight)| Some((which, weight?.decimal())))
    {
        findings.extend(judge_correction(&rule, &item.body, weight_kg, (which, kg)));
    }
    if before.this_visit.is_none() && earlier_kg.is_none() {
        findings.extend(judge_first(&rule, &item.body, &weights));
    }
    findings
        .into_iter()
        .filter(|finding| finding.verdict >= Verdict::Hold)
        .max_by_key(|finding| finding.verdict)
}

/// Within one visit one of two weights is wrong, and it is the first where a person corrects it: what would be refused
/// against an earlier visit asks here.
fn judge_correction(
    rule: &Rule<'_>,
    body: &DoseWeight,
    now_kg: Decimal,
    before: (&str, Decimal),
) -> Option<Finding> {
    let mut finding = judge_change(rule, body, now_kg, before)?;
    if finding.verdict >= Verdict::Hold {
        (finding.verdict, finding.overridable_by) = (Verdict::Hold, Override::Prescriber);
    }
    Some(finding)
}

/// With no other weight to compare with, only the height tells kilograms from pounds.
fn judge_first(rule: &Rule<'_>, body: &DoseWeight, weights: &Weights) -> Option<Finding> {
    if let Some(bmi) = weights.bmi {
        return rule.judge(&body.first_bmi, (bmi, "body mass index", "kg/m2"), NOT_POUNDS);
    }
    let kg = format!("{} kg", plain(weights.abw_kg));
    let why = format!(
        "Nothing shows that {kg} are not pounds: there is no earlier weight and no height. Measure the height, or say \
         how the unit was checked."
    );
    Some(rule.ask(why, &[("weight", kg)]))
}
