//! What must hold for every order: no tenfold slip passes, nothing missing passes, nothing is clamped.

use super::golden::{KNOWLEDGE, dec, request};
use super::weight::{inches_to_cm, kg_to_pounds, pounds_to_kg};
use super::*;
use crate::gate::Verdict;
use crate::knowledge::regimen::{Amount, Setting};
use crate::quantity::mass_in;
use proptest::prelude::*;

/// Every regimen that a clinic can order, in its own words.
fn orders() -> Vec<(String, OrderedDose)> {
    let clinic = KNOWLEDGE.regimens.iter().filter(|item| item.body.setting == Setting::Clinic);
    clinic
        .map(|item| {
            let dose = match item.body.plan.first().expect("a clinic regimen has a plan").amount {
                Amount::Dose(dose) => OrderedDose::MgPerKg(dose.0),
                Amount::Rate(rate) => OrderedDose::MgPerKgPerHour(rate.0),
            };
            (item.header.id.clone(), dose)
        })
        .collect()
}

fn times(dose: &OrderedDose, factor: Decimal) -> OrderedDose {
    match dose {
        OrderedDose::MgPerKg(value) => OrderedDose::MgPerKg(*value * factor),
        OrderedDose::MgPerKgPerHour(value) => OrderedDose::MgPerKgPerHour(*value * factor),
        OrderedDose::Steps(_) => unreachable!("no shipped regimen of a clinic runs in steps"),
    }
}

fn tall(grams: i64) -> DoseRequest {
    let mut asked = request("mdd_trd_std", "70", "1");
    asked.weight = Some(Weight(grams));
    asked.height = Some(Height(1750));
    asked.sex = Some(Sex::F);
    asked
}

#[test]
fn there_is_something_to_walk() {
    assert!(orders().len() > 12);
}

#[test]
fn every_clinic_regimen_makes_a_card_for_a_usual_patient() {
    for (regimen, _) in orders() {
        let mut asked = tall(70_000);
        asked.regimen = RuleId::new(&regimen);
        let card = card(&asked, &KNOWLEDGE).unwrap_or_else(|refused| panic!("{regimen}: {refused}"));
        let asking: Vec<_> = card.findings.iter().filter(|found| asks_for_reason(found)).collect();
        // Shorter than the usual 40 min, and that says so.
        assert!(asking.is_empty() || regimen == "fm", "{regimen}: {asking:?}");
    }
}

#[test]
fn what_is_missing_is_never_a_pass() {
    let whole = {
        let mut asked = tall(70_000);
        asked.stock = Some(Concentration(50_000));
        asked.vial = Some(Microlitres(10_000));
        asked
    };
    assert!(!card(&whole, &KNOWLEDGE).expect("a card").needs_reason());
    let whole = DoseRequest { bag: Some(Microlitres(100_000)), ..whole };
    type Take = fn(&mut DoseRequest);
    let takes: [(&str, Take); 3] = [
        ("weight", |asked| asked.weight = None),
        ("concentration", |asked| asked.concentration = None),
        ("stock", |asked| asked.stock = None),
    ];
    for (name, take) in takes {
        let mut asked = whole.clone();
        take(&mut asked);
        let told = card(&asked, &KNOWLEDGE).expect_err("it is refused").to_string();
        assert!(told.contains(&format!("missing: {name}")), "{name}: {told}");
    }
    let mut asked = whole;
    asked.height = None;
    let held = card(&asked, &KNOWLEDGE).expect("a card");
    assert!(held.needs_reason());
    assert!(
        held.findings
            .iter()
            .any(|found| { found.verdict == Verdict::Hold && found.reason.starts_with("missing: height") })
    );
    asked.dose_weight = Some(Descriptor::Ibw);
    assert!(card(&asked, &KNOWLEDGE).expect_err("refused").to_string().contains("missing: height"));
}

/// Hazard 04: a stock that no vial has, and a last weight that nobody has, are named as the slip that makes them.
#[test]
fn a_stock_and_a_last_weight_off_by_ten_are_named() {
    let says = |asked: &DoseRequest, words: &str| {
        let card = card(asked, &KNOWLEDGE).expect("a card");
        card.findings.iter().any(|found| asks_for_reason(found) && found.reason.contains(words))
    };
    let strength = |mg_per_ml| Concentration::from_decimal(dec(mg_per_ml));
    let stock = |mg_per_ml| DoseRequest { stock: strength(mg_per_ml), ..tall(82_000) };
    assert!(says(&stock("500"), "It is ten times 50 mg/mL"));
    assert!(says(&stock("5"), "a tenth of 50 mg/mL"));
    assert!(!says(&stock("70"), "decimal point") && says(&stock("70"), "No vial holds 70 mg/mL"));
    let last = |grams| DoseRequest { last_weight: Some(Weight(grams)), ..tall(82_000) };
    assert!(says(&last(8_200), "8.2 kg is a tenth of 82 kg"));
    assert!(says(&last(820_000), "820 kg is ten times 82 kg"));
    assert!(!says(&last(60_000), "decimal point") && says(&last(60_000), "Weigh again"));
}

#[test]
fn an_empty_knowledge_makes_no_card() {
    assert!(card(&tall(70_000), &Knowledge::default()).is_err());
    assert!(weight_slip(Weight(70_000), WeighedBefore::default(), None, &Knowledge::default()).is_some());
}

proptest! {
    // Each case walks every regimen.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn ten_times_a_regimen_is_refused_at_any_weight(grams in 30_000_i64..=250_000) {
        for (regimen, dose) in orders() {
            let mut asked = tall(grams);
            asked.regimen = RuleId::new(&regimen);
            asked.dose = Some(times(&dose, Decimal::TEN));
            let told = card(&asked, &KNOWLEDGE).expect_err(&regimen);
            prop_assert!(told.findings.iter().any(|found| found.reason.contains("tenfold")), "{}: {}", regimen, told);
        }
    }

    #[test]
    fn a_tenth_of_a_regimen_asks_at_any_weight(grams in 30_000_i64..=250_000) {
        for (regimen, dose) in orders() {
            let mut asked = tall(grams);
            asked.regimen = RuleId::new(&regimen);
            asked.dose = Some(times(&dose, dec("0.1")));
            match card(&asked, &KNOWLEDGE) {
                Ok(card) => {
                    prop_assert!(card.findings.iter().any(|f| f.rule.as_str() == "slip_regimen" && asks_for_reason(f)));
                }
                Err(refused) => prop_assert!(!refused.findings.is_empty()),
            }
        }
    }

}

proptest! {
    /// What is to be drawn can be seen on a syringe, is the nearest such volume, and may be started with.
    #[test]
    fn what_is_to_be_drawn_can_be_seen_on_a_syringe_and_is_the_dose(
        dose in 1_000_i64..300_000,
        strength in prop::sample::select(vec![10_000_i64, 50_000, 100_000]),
    ) {
        let (dose, strength) = (Micrograms(dose), Concentration(strength));
        let drawn = to_draw(dose, strength, &KNOWLEDGE).expect("it can be drawn");
        prop_assert_eq!(drawn.0 % 10, 0);
        let mass = mass_in(drawn, strength);
        let step = strength.0 / 100;
        prop_assert!((dose.0 - mass.0) * 100 <= dose.0, "{} of {} is missing", dose.minus(mass), dose);
        prop_assert!((mass.0 - dose.0).abs() < step, "{} for {}", mass, dose);
        if (dose.0 - mass.0).abs() * 2 > step {
            prop_assert!((dose.0 - (mass.0 - step)) * 100 > dose.0, "half-up would have done for {}", dose);
        }
    }
}

proptest! {
    #[test]
    fn ten_times_or_a_tenth_of_the_last_dose_asks(grams in 45_000_i64..=120_000, more in any::<bool>()) {
        let mut asked = tall(grams);
        let given = card(&asked, &KNOWLEDGE).expect("a card").dose;
        asked.last_dose = Some(Micrograms(if more { given.0 / 10 } else { given.0 * 10 }));
        let again = card(&asked, &KNOWLEDGE).expect("a card");
        prop_assert!(again.findings.iter().any(|f| f.rule.as_str() == "slip_last_dose" && asks_for_reason(f)));
    }

    #[test]
    fn pounds_for_kilograms_never_pass(grams in 30_000_i64..=250_000, to_pounds in any::<bool>()) {
        let kg = Weight(grams).decimal();
        let wrong = if to_pounds { kg_to_pounds(kg) } else { pounds_to_kg(kg) };
        let wrong = Weight::from_decimal(wrong.expect("in range")).expect("in range");
        let known = WeighedBefore { earlier_visit: Some(Weight(grams)), ..WeighedBefore::default() };
        let slip = weight_slip(wrong, known, None, &KNOWLEDGE).expect("it is a slip");
        prop_assert!(refuses(&slip), "{}", slip.reason);
    }

    #[test]
    fn pounds_and_back_are_the_same(tenths in 1_i64..=10_000) {
        let pounds = Decimal::new(tenths, 1);
        let kg = pounds_to_kg(pounds).expect("in range");
        prop_assert_eq!(kg_to_pounds(kg), Some(pounds.normalize()));
        prop_assert_eq!(kg * Decimal::from(100_000_000), pounds * Decimal::from(45_359_237));
        prop_assert_eq!(inches_to_cm(pounds).map(|cm| cm / dec("2.54")), Some(pounds.normalize()));
    }

    #[test]
    fn a_heavier_patient_never_gets_less_and_no_dose_is_clamped(a in 45_000_i64..=90_000, b in 45_000_i64..=90_000) {
        let (light, heavy) = (a.min(b), a.max(b));
        let small = card(&tall(light), &KNOWLEDGE).expect("a card");
        let large = card(&tall(heavy), &KNOWLEDGE).expect("a card");
        prop_assert!(small.dose <= large.dose && small.rate <= large.rate && small.vtbi <= large.vtbi);
        prop_assert_eq!(small.plan.exact_dose_mg, (Weight(light).decimal() * dec("0.5")).normalize());
    }

    #[test]
    fn the_rounded_rate_delivers_what_it_says(grams in 45_000_i64..=90_000, minutes in 40_u32..=120) {
        let mut asked = tall(grams);
        asked.minutes = Some(Decimal::from(minutes));
        let card = card(&asked, &KNOWLEDGE).expect("a card");
        let off = (card.plan.delivers_mg - card.plan.exact_dose_mg).abs();
        // Half a step of the rate for the whole time, and half a step of the printed dose.
        let most = dec("0.05") * Decimal::from(minutes) / Decimal::from(60) + dec("0.005");
        prop_assert!(off <= most, "{} off", off);
    }

    #[test]
    fn no_request_panics(
        grams in any::<i64>(), height in any::<i32>(), strength in any::<i64>(), stock in any::<i64>(),
        vial in any::<i64>(), bag in any::<i64>(), dose in any::<i64>(), scale in 0_u32..20, minutes in any::<i64>(),
        last in any::<i64>(),
    ) {
        let mut asked = tall(grams);
        asked.height = Some(Height(i64::from(height)));
        asked.concentration = Some(Concentration(strength));
        asked.stock = Some(Concentration(stock));
        asked.vial = Some(Microlitres(vial));
        asked.bag = Some(Microlitres(bag));
        asked.dose = Some(OrderedDose::MgPerKg(Decimal::new(dose, scale)));
        asked.minutes = Some(Decimal::from(minutes));
        asked.last_weight = Some(Weight(last));
        asked.last_dose = Some(Micrograms(last));
        if let Ok(card) = card(&asked, &KNOWLEDGE) {
            prop_assert!(card.dose.0 > 0 && card.rate.0 > 0);
        }
    }
}
