//! From amount and weight to what the pump is told. The only rounding is the pump's: rate to 0.1 mL/h, volume to
//! 0.01 mL, dose to 0.01 mg, each half-up and each from exact numbers, so that no rounding feeds another. What is drawn from a
//! vial is in the steps of a syringe: [`super::to_draw`].

use crate::knowledge::measure::MgPerHour;
use crate::knowledge::regimen::{Amount, Step};
use crate::quantity::round_half_up;
use rust_decimal::Decimal;
use serde::Serialize;

/// Decimals of a rate on the pump, mL/h.
const RATE_PLACES: u32 = 1;
/// Decimals of a dose in mg, a volume in mL and a time in minutes.
const PLACES: u32 = 2;
const HOUR: Decimal = Decimal::from_parts(60, 0, 0, false, 0);
const THOUSAND: Decimal = Decimal::ONE_THOUSAND;

/// One stretch at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Dose of the step, exact.
    pub dose_mg: Decimal,
    /// Length.
    pub minutes: Decimal,
    /// Rate of the drug, exact.
    pub mg_per_h: Decimal,
    /// Rate of the fluid before rounding.
    pub exact_rate_ml_per_h: Decimal,
    /// Rate as the pump takes it.
    pub rate_ml_per_h: Decimal,
    /// Volume to be infused.
    pub vtbi_ml: Decimal,
    /// The regimen's ceiling, where it lowered this step.
    pub ceiling: Option<Ceiling>,
}

/// A ceiling of the regimen that lowered the rate, in the open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ceiling {
    /// What the regimen says at most.
    pub at_most: MgPerHour,
    /// What weight and amount alone would give.
    pub uncapped: MgPerHour,
}

/// The whole infusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// Total dose, exact.
    pub exact_dose_mg: Decimal,
    /// Total dose to 0.01 mg.
    pub dose_mg: Decimal,
    /// Volume that holds it, to 0.01 mL; this is the volume to be infused.
    pub volume_ml: Decimal,
    /// Length.
    pub minutes: Decimal,
    /// Fastest step, exact.
    pub fastest_mg_per_h: Decimal,
    /// Mean rate by dose weight, to 0.01.
    pub ug_per_kg_min: Decimal,
    /// What the rounded rates deliver in the length, to 0.01 mg.
    pub delivers_mg: Decimal,
    /// How far that is from the dose, to 0.01 %.
    pub delivers_off_percent: Decimal,
    /// When the rounded rates have moved the volume, to 0.01 min.
    pub ends_after_min: Decimal,
    /// The regimen's ceiling, where it was reached.
    pub ceiling: Option<Ceiling>,
}

/// Lays out `steps` for a dose weight in kg and a strength in mg/mL. `ceiling` is part of the regimen.
/// `None` when a number is zero where it cannot be, or too large to be exact.
pub fn lay_out(
    steps: &[Step],
    ceiling: Option<MgPerHour>,
    weight_kg: Decimal,
    mg_per_ml: Decimal,
) -> Option<Plan> {
    let mut planned = Vec::with_capacity(steps.len());
    for step in steps {
        let uncapped = mg_per_h(step, weight_kg)?;
        let reached = ceiling
            .filter(|at_most| uncapped > at_most.0)
            .map(|at_most| Ceiling { at_most, uncapped: MgPerHour(uncapped.normalize()) });
        let dose_mg = match reached {
            Some(ceiling) => ceiling.at_most.0.checked_mul(step.over.0)?.checked_div(HOUR)?,
            None => dose_mg(step, weight_kg)?,
        };
        planned.push(plan_step(dose_mg, step.over.0, mg_per_ml, reached)?);
    }
    total(planned, weight_kg, mg_per_ml)
}

fn dose_mg(step: &Step, weight_kg: Decimal) -> Option<Decimal> {
    let by_weight = step.amount.value().checked_mul(weight_kg)?;
    match step.amount {
        Amount::Dose(_) => Some(by_weight),
        Amount::Rate(_) => by_weight.checked_mul(step.over.0)?.checked_div(HOUR),
    }
}

fn mg_per_h(step: &Step, weight_kg: Decimal) -> Option<Decimal> {
    let by_weight = step.amount.value().checked_mul(weight_kg)?;
    match step.amount {
        Amount::Dose(_) => by_weight.checked_mul(HOUR)?.checked_div(step.over.0),
        Amount::Rate(_) => Some(by_weight),
    }
}

fn plan_step(
    dose_mg: Decimal,
    minutes: Decimal,
    mg_per_ml: Decimal,
    ceiling: Option<Ceiling>,
) -> Option<PlannedStep> {
    let hourly = dose_mg.checked_mul(HOUR)?;
    let exact_rate = hourly.checked_div(minutes.checked_mul(mg_per_ml)?)?;
    let rate = round_half_up(exact_rate, RATE_PLACES);
    (rate > Decimal::ZERO).then_some(PlannedStep {
        dose_mg: dose_mg.normalize(),
        minutes: minutes.normalize(),
        mg_per_h: hourly.checked_div(minutes)?.normalize(),
        exact_rate_ml_per_h: exact_rate.normalize(),
        rate_ml_per_h: rate.normalize(),
        vtbi_ml: round_half_up(dose_mg.checked_div(mg_per_ml)?, PLACES).normalize(),
        ceiling,
    })
}

fn total(steps: Vec<PlannedStep>, weight_kg: Decimal, mg_per_ml: Decimal) -> Option<Plan> {
    let sum = |of: &dyn Fn(&PlannedStep) -> Option<Decimal>| {
        steps.iter().try_fold(Decimal::ZERO, |sum, step| sum.checked_add(of(step)?))
    };
    let exact = sum(&|step| Some(step.dose_mg))?;
    let minutes = sum(&|step| Some(step.minutes))?;
    let delivers =
        sum(&|step| step.rate_ml_per_h.checked_mul(step.minutes)?.checked_mul(mg_per_ml)?.checked_div(HOUR))?;
    let ends = sum(&|step| step.vtbi_ml.checked_mul(HOUR)?.checked_div(step.rate_ml_per_h))?;
    let by_weight = exact.checked_mul(THOUSAND)?.checked_div(weight_kg.checked_mul(minutes)?)?;
    let off = delivers.checked_sub(exact)?.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(exact)?;
    Some(Plan {
        exact_dose_mg: exact.normalize(),
        dose_mg: round_half_up(exact, PLACES).normalize(),
        volume_ml: round_half_up(exact.checked_div(mg_per_ml)?, PLACES).normalize(),
        minutes: minutes.normalize(),
        fastest_mg_per_h: steps.iter().map(|step| step.mg_per_h).max()?.normalize(),
        ug_per_kg_min: round_half_up(by_weight, PLACES).normalize(),
        delivers_mg: round_half_up(delivers, PLACES).normalize(),
        delivers_off_percent: round_half_up(off, PLACES).normalize(),
        ends_after_min: round_half_up(ends, PLACES).normalize(),
        ceiling: steps.iter().filter_map(|step| step.ceiling).max_by_key(|ceiling| ceiling.uncapped),
        steps,
    })
}
