//! What is drawn from the vial, and what stays in it to be wasted.

use super::findings::Rule;
use super::slip::tenfold_of;
use crate::gate::Finding;
use crate::knowledge::pump_library::PumpEntry;
use crate::knowledge::{Item, Knowledge};
use crate::quantity::{Concentration, Micrograms, Microlitres, mass_in, plain, round_half_up};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;

/// The draw from the vial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockDraw {
    /// Strength in the vial.
    pub strength_mg_per_ml: Decimal,
    /// To draw, by [`to_draw`].
    pub volume_ml: Decimal,
    /// Vials to open, where the vial's volume is known.
    pub vials: Option<u32>,
    /// Left in the last vial, to 0.01 mL.
    pub residual_ml: Option<Decimal>,
    /// Left in the last vial, to 0.01 mg.
    pub residual_mg: Option<Decimal>,
}

/// The volume that holds a dose, in steps that a syringe shows, half-up; the step above where that would leave out more
/// of the dose than may be missing at the start. The one rule for the order that is signed and for the person who draws.
/// `None` when the strength is zero or a number is too large.
pub fn to_draw(dose: Micrograms, strength: Concentration, knowledge: &Knowledge) -> Option<Microlitres> {
    let rules = knowledge.session_rules();
    let step = rules.draw_step;
    let exact_ml = dose.decimal().checked_div(strength.decimal())?;
    let steps = round_half_up(exact_ml.checked_div(step.decimal())?, 0).to_i64()?;
    let volume = Microlitres(steps.checked_mul(step.0)?);
    let short = dose.minus(mass_in(volume, strength));
    let missing = i128::from(short.0) * 1000 > i128::from(dose.0) * i128::from(rules.complete_permille);
    Some(if missing { volume.plus(step) } else { volume })
}

/// Counts the draw. `None` when the strength is zero or a number is too large.
pub(super) fn draw(
    dose: Micrograms,
    stock: Concentration,
    vial_ml: Option<Decimal>,
    knowledge: &Knowledge,
) -> Option<StockDraw> {
    let strength = stock.decimal();
    let drawn_ml = to_draw(dose, stock, knowledge)?.decimal();
    let mut drawn = StockDraw {
        strength_mg_per_ml: strength.normalize(),
        volume_ml: drawn_ml.normalize(),
        vials: None,
        residual_ml: None,
        residual_mg: None,
    };
    if let Some(vial_ml) = vial_ml {
        let vials = drawn_ml.checked_div(vial_ml)?.ceil();
        let left_ml = vials.checked_mul(vial_ml)?.checked_sub(drawn_ml)?;
        drawn.vials = Some(vials.to_u32()?);
        drawn.residual_ml = Some(round_half_up(left_ml, 2).normalize());
        drawn.residual_mg = Some(round_half_up(left_ml.checked_mul(strength)?, 2).normalize());
    }
    Some(drawn)
}

/// The vial's strength against the products and against the syringe.
pub(super) fn judge(
    entry: &Item<PumpEntry>,
    strength: Decimal,
    in_syringe: Decimal,
    knowledge: &Knowledge,
) -> Option<Finding> {
    let rule = Rule::of(&entry.header);
    let (stock, syringe) = (format!("{} mg/mL", plain(strength)), format!("{} mg/mL", plain(in_syringe)));
    let inputs = [("stock", stock.clone()), ("concentration", syringe.clone())];
    if strength < in_syringe {
        let why =
            format!("A stock of {stock} cannot be diluted to {syringe}: the two strengths may be swapped.");
        return Some(rule.refuse(why, &inputs));
    }
    let known: Vec<String> = knowledge.drugs.iter().map(|drug| drug.body.strength.to_string()).collect();
    if knowledge.drugs.iter().any(|drug| drug.body.strength.0 == strength) {
        return None;
    }
    let listed = entry.body.concentrations.iter().any(|one| one.0 == strength);
    let strengths = knowledge.drugs.iter().map(|drug| drug.body.strength.0);
    let slip = match tenfold_of(strength, strengths) {
        _ if listed => " It is a strength for the syringe: the two fields may be swapped.".to_owned(),
        Some((vial, ratio)) => {
            format!(" It is {ratio} {} mg/mL: was a decimal point lost or added?", plain(vial))
        }
        None => String::new(),
    };
    let why = format!("No vial holds {stock}; vials hold {}.{slip}", known.join(", "));
    Some(rule.ask(why, &inputs))
}
