//! An order beside the signed plan.

use super::KNOWLEDGE;
use crate::course::exposure::by_weight;
use crate::course::{InForce, Plan};
use crate::dose::{DoseRequest, OrderedDose};
use crate::id::RuleId;
use crate::knowledge::measure::MgPerKg;
use crate::quantity::{Concentration, Micrograms, Weight};
use rust_decimal::Decimal;

fn plan(dose: OrderedDose) -> Plan {
    let item = KNOWLEDGE.regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    Plan { start_dose: dose, ..usual }
}

fn per_kg(hundredths: i64) -> OrderedDose {
    OrderedDose::MgPerKg(Decimal::new(hundredths, 2).normalize())
}

fn order(dose: Option<OrderedDose>) -> DoseRequest {
    let (weight, strength) = (Weight(82_300), Concentration(2000));
    DoseRequest { dose, ..DoseRequest::new(RuleId::new("mdd_trd_std"), weight, strength) }
}

/// Hazard 166: an empty dose is the regimen's own, and no later infusion falls back to it in silence.
#[test]
fn each_infusion_goes_on_with_the_dose_before_until_a_plan_says_another() {
    let low = plan(per_kg(25));
    // As it was rounded to a hundredth of a mg.
    let before = by_weight(Micrograms(20_580), Weight(82_300)).expect("a number");
    for (in_force, goes_on, whose) in [
        (InForce::new(low.clone(), 2, None), 25, "by the plan"),
        (InForce::new(low.clone(), 2, Some(before)), 25, "by the plan"),
        (InForce::new(low.clone(), 2, Some(MgPerKg(Decimal::new(30, 2)))), 30, "as at the infusion before"),
    ] {
        assert_eq!(in_force.dose, per_kg(goes_on));
        assert_eq!(in_force.against(&order(Some(per_kg(goes_on))), &KNOWLEDGE), Vec::<String>::new());
        let usual = in_force.against(&order(None), &KNOWLEDGE);
        let said = format!("0.{goes_on} mg/kg {whose}").replace("0.30", "0.3");
        let [told] = usual.as_slice() else { panic!("{usual:?}") };
        assert!(told.starts_with("dose: ordered 41.15 mg, expected ") && told.ends_with(&said), "{told}");
    }
}

#[test]
fn another_length_or_regimen_is_another_order_and_a_rate_goes_on_by_the_plan() {
    let in_force = InForce::new(plan(per_kg(50)), 1, None);
    let longer = DoseRequest { minutes: Some(60.into()), ..order(None) };
    let told = in_force.against(&longer, &KNOWLEDGE);
    assert_eq!(told, ["length: ordered 60 min, planned 40 min"]);
    let other = DoseRequest { regimen: RuleId::new("ptsd"), ..order(None) };
    let told = in_force.against(&other, &KNOWLEDGE);
    assert!(
        matches!(told.as_slice(), [one] if one.starts_with("regimen: ordered Post-traumatic")),
        "{told:?}"
    );
    let rate = OrderedDose::MgPerKgPerHour(Decimal::new(2, 1));
    assert_eq!(InForce::new(plan(rate.clone()), 1, Some(MgPerKg(Decimal::ONE))).dose, rate);
}
