//! The golden vectors V1 to V12, the bag and waste vectors, and the traps of dosing, as published with the clinical
//! reference that the knowledge cites.

use super::*;
use crate::gate::Verdict;
use crate::quantity::Rate;
use std::sync::LazyLock;

/// Read once: every test asks the same knowledge.
pub(super) static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

pub(super) fn request(regimen: &str, weight_kg: &str, mg_per_ml: &str) -> DoseRequest {
    DoseRequest::new(
        RuleId::new(regimen),
        Weight::from_decimal(dec(weight_kg)).expect("a weight"),
        Concentration::from_decimal(dec(mg_per_ml)).expect("a strength"),
    )
}

fn made(request: &DoseRequest) -> DoseCard {
    card(request, &KNOWLEDGE).unwrap_or_else(|refused| panic!("{refused}"))
}

fn refused(request: &DoseRequest) -> String {
    match card(request, &KNOWLEDGE) {
        Ok(card) => panic!("it was not refused: {}", card.chain),
        Err(refused) => refused.to_string(),
    }
}

fn finding<'a>(card: &'a DoseCard, rule: &str) -> &'a Finding {
    let rules = || card.findings.iter().map(|found| found.rule.as_str()).collect::<Vec<_>>();
    card.findings.iter().find(|found| found.rule.as_str() == rule).unwrap_or_else(|| panic!("{:?}", rules()))
}

/// weight, dose, strength, minutes → dose, volume, rate, mcg/kg/min, delivered, off by %, ends after
struct Row(&'static str, &'static str, [&'static str; 2], [&'static str; 7]);

#[test]
fn v1_to_v8_come_out() {
    // Regimen, weight, [dose by weight, minutes], and at the strength: dose, volume, rate, and so on.
    let rows = [
        ("1", Row("mdd_trd_std", "70", ["0.5", "40"], ["35", "35", "52.5", "12.5", "35", "0", "40"])),
        (
            "2",
            Row("mdd_trd_std", "82", ["0.5", "40"], ["41", "20.5", "30.8", "12.5", "41.07", "0.16", "39.94"]),
        ),
        (
            "1",
            Row(
                "mdd_trd_std",
                "73.9",
                ["0.5", "40"],
                ["36.95", "36.95", "55.4", "12.5", "36.93", "-0.05", "40.02"],
            ),
        ),
        ("1", Row("mdd_trd_std", "118", ["0.5", "40"], ["59", "59", "88.5", "12.5", "59", "0", "40"])),
        (
            "1",
            Row(
                "mdd_trd_std",
                "52.3",
                ["0.5", "40"],
                ["26.15", "26.15", "39.2", "12.5", "26.13", "-0.06", "40.03"],
            ),
        ),
        ("2", Row("mdd_trd_titr", "60", ["0.75", "60"], ["45", "22.5", "22.5", "12.5", "45", "0", "60"])),
        ("2", Row("mdd_trd_titr", "80", ["1", "60"], ["80", "40", "40", "16.67", "80", "0", "60"])),
        ("1", Row("mdd_trd_slow", "70", ["0.5", "100"], ["35", "35", "21", "5", "35", "0", "100"])),
    ];
    for (nth, (strength, Row(regimen, weight, [dose, minutes], expected))) in rows.into_iter().enumerate() {
        let mut asked = request(regimen, weight, strength);
        asked.dose = Some(OrderedDose::MgPerKg(dec(dose)));
        asked.minutes = Some(dec(minutes));
        let card = made(&asked);
        let plan = &card.plan;
        let found = [
            card.dose.decimal(),
            card.volume.decimal(),
            card.rate.decimal(),
            plan.ug_per_kg_min,
            plan.delivers_mg,
            plan.delivers_off_percent,
            plan.ends_after_min,
        ];
        assert_eq!(found, expected.map(dec), "V{}", nth + 1);
        assert_eq!(card.vtbi, card.volume, "V{}", nth + 1);
    }
}

#[test]
fn v2_is_the_regimen_itself_and_shows_its_chain() {
    let mut asked = request("mdd_trd_std", "82", "2");
    asked.height = Some(Height(1780));
    asked.sex = Some(Sex::M);
    let card = made(&asked);
    assert_eq!(card.chain, "0.5 mg/kg × 82 kg = 41 mg = 20.5 mL at 2 mg/mL → 30.8 mL/h for 40 min");
    assert_eq!(card.order_line(), "ketamine – 2 mg/mL – IV infusion – DOSE 41 mg – over 40 min – 30.8 mL/h");
    assert_eq!(card.weights.ibw_kg, Some(dec("73.2")));
    assert_eq!(card.weights.bmi, Some(dec("25.9")));
    assert!(card.findings.is_empty(), "{:?}", card.findings);
    assert!(!card.needs_reason());
}

#[test]
fn v4_shows_three_doses_and_counts_the_one_that_is_picked() {
    let mut asked = request("mdd_trd_std", "118", "1");
    asked.height = Some(Height(1600));
    asked.sex = Some(Sex::F);
    let adjusted = made(&asked);
    assert_eq!(adjusted.descriptor, Descriptor::Adjbw);
    assert_eq!(adjusted.dose, Micrograms(39_300));
    assert!(!adjusted.needs_reason());
    let doses: Vec<_> = adjusted.by_weight.iter().map(|one| (one.descriptor, one.dose_mg)).collect();
    let all =
        [(Descriptor::Abw, dec("59")), (Descriptor::Ibw, dec("26.2")), (Descriptor::Adjbw, dec("39.3"))];
    assert_eq!(doses, all);
    assert!(adjusted.chain.contains("78.6 kg (adjusted body weight)"), "{}", adjusted.chain);

    asked.dose_weight = Some(Descriptor::Abw);
    let actual = made(&asked);
    assert_eq!(actual.dose, Micrograms(59_000));
    assert!(actual.needs_reason(), "another weight than the rule's asks for a reason");
    asked.sex = None;
    asked.dose_weight = None;
    assert!(refused(&asked).contains("missing: sex"));
}

#[test]
fn v7_is_not_the_guidelines_total_for_pain() {
    let mut asked = request("pain_gen", "80", "2");
    asked.dose = Some(OrderedDose::MgPerKg(dec("1")));
    asked.minutes = Some(dec("60"));
    let card = made(&asked);
    assert_eq!((card.dose, card.rate), (Micrograms(80_000), Rate(40_000)));
    let note = finding(&card, "pain_gen");
    assert_eq!(note.verdict, Verdict::Info);
    assert!(note.reason.contains("80 mg or more in more than 120 min"), "{}", note.reason);
    let long = made(&request("pain_gen", "80", "2"));
    assert!(long.findings.iter().all(|found| found.rule.as_str() != "pain_gen"), "{:?}", long.findings);
}

#[test]
fn v9_is_four_hours_of_pain_infusion() {
    let card = made(&request("pain_gen", "70", "2"));
    assert_eq!((card.dose, card.volume, card.rate), (Micrograms(140_000), Microlitres(70_000), Rate(17_500)));
    assert_eq!(card.plan.ug_per_kg_min, dec("8.33"));
}

#[test]
fn v10_and_v11_the_ceiling_of_the_regimen_is_shown_and_never_silent() {
    let capped = made(&request("crps_out", "90", "1"));
    assert_eq!(
        (capped.dose, capped.volume, capped.rate),
        (Micrograms(100_000), Microlitres(100_000), Rate(25_000))
    );
    let told = finding(&capped, "crps_out");
    assert_eq!(told.verdict, Verdict::Warn);
    assert_eq!(told.inputs["uncapped"], "31.5 mg/h");
    assert_eq!(told.inputs["ceiling"], "25 mg/h");
    assert!(capped.chain.contains("31.5 mg/h") && capped.chain.contains("25 mg/h"), "{}", capped.chain);

    let under = made(&request("crps_out", "64", "1"));
    assert_eq!(
        (under.dose, under.volume, under.rate),
        (Micrograms(89_600), Microlitres(89_600), Rate(22_400))
    );
    assert!(under.findings.iter().all(|found| found.rule.as_str() != "crps_out"));
}

#[test]
fn an_order_above_the_regimen_is_not_lowered_by_its_ceiling() {
    let mut asked = request("crps_out", "70", "1");
    asked.dose = Some(OrderedDose::MgPerKgPerHour(dec("0.4")));
    let card = made(&asked);
    assert_eq!(card.plan.fastest_mg_per_h, dec("28"));
    assert!(asks_for_reason(finding(&card, "cap_crps_rate")));
    asked.dose = Some(OrderedDose::MgPerKgPerHour(dec("0.6")));
    assert!(refused(&asked).contains("The rate is 42 mg/h; the absolute limit is 0 to 35 mg/h"));
}

#[test]
fn v12_runs_in_steps() {
    let mut asked = request("pain_gen", "70", "1");
    let step = |rate: &str, minutes: &str| OrderedStep { mg_per_kg_per_h: dec(rate), minutes: dec(minutes) };
    asked.dose = Some(OrderedDose::Steps(vec![step("0.5", "15"), step("0.75", "15"), step("1", "30")]));
    let card = made(&asked);
    let each: Vec<_> = card.plan.steps.iter().map(|step| (step.dose_mg, step.rate_ml_per_h)).collect();
    let expected = [(dec("8.75"), dec("35")), (dec("13.125"), dec("52.5")), (dec("35"), dec("70"))];
    assert_eq!(each, expected);
    assert_eq!(card.plan.exact_dose_mg, dec("56.875"));
    assert_eq!((card.dose, card.volume), (Micrograms(56_880), Microlitres(56_880)));
}

#[test]
fn the_bag_the_drops_and_the_waste_come_out() {
    let mut asked = request("mdd_trd_std", "70", "1");
    asked.stock = Some(Concentration(50_000));
    asked.bag = Some(Microlitres(100_000));
    asked.vial = Some(Microlitres(10_000));
    let card = made(&asked);
    let bag = card.bag.clone().expect("a bag");
    assert_eq!(bag.bag.without_withdrawal_mg_per_ml, dec("0.3476"));
    assert_eq!(bag.rate_without_withdrawal_ml_per_h, dec("151.1"));
    assert_eq!(bag.rate_with_withdrawal_ml_per_h, dec("150"));
    assert!(asks_for_reason(finding(&card, "library_psych")), "a bag weaker than the library asks");
    let stock = card.stock.clone().expect("a stock");
    assert_eq!(stock.volume_ml, dec("0.7"));
    assert_eq!((stock.residual_mg, stock.residual_ml), (Some(dec("465")), Some(dec("9.3"))));
    let per_ml: Vec<_> = card.drops.iter().map(|one| (one.per_ml, one.per_min)).collect();
    assert_eq!(per_ml, [(dec("15"), dec("13.1")), (dec("20"), dec("17.5")), (dec("60"), dec("52.5"))]);

    asked.stock = Some(Concentration(10_000));
    asked.vial = Some(Microlitres(20_000));
    asked.bag = Some(Microlitres(50_000));
    let card = made(&asked);
    let stock = card.stock.expect("a stock");
    assert_eq!((stock.residual_mg, stock.residual_ml), (Some(dec("165")), Some(dec("16.5"))));
    assert_eq!((stock.vials, stock.volume_ml), (Some(1), dec("3.5")));
}

#[test]
fn t9_the_rate_is_rounded_half_up_on_the_exact_decimal() {
    // 30.75 in binary is exact, 0.35 x 2.15 is not: each of these ends in exactly 5 one place further.
    for (weight, strength, rate) in [("82", "2", 30_800), ("50.6", "1", 38_000), ("41.8", "2", 15_700)] {
        assert_eq!(made(&request("mdd_trd_std", weight, strength)).rate, Rate(rate), "{weight} kg");
    }
}

#[test]
fn t11_pounds_for_kilograms_are_refused_and_named() {
    let mut asked = request("mdd_trd_std", "154", "1");
    asked.last_weight = Some(Weight(70_000));
    assert!(refused(&asked).contains("pounds taken for kilograms"));
    asked.weight = Some(Weight(70_000));
    asked.last_weight = Some(Weight(154_000));
    assert!(refused(&asked).contains("0.45 times the last weight"));
    asked.last_weight = Some(Weight(60_000));
    let jumped = made(&asked);
    let told = finding(&jumped, "dose_weight");
    assert!(asks_for_reason(told) && told.reason.contains("16.7 %"), "{}", told.reason);
}

#[test]
fn t12_undiluted_stock_is_a_hard_stop() {
    let told = refused(&request("mdd_trd_std", "70", "100"));
    assert!(told.contains("must be diluted before it is infused"), "{told}");
    assert!(told.contains("100 mg/mL is not in the pump library (1 mg/mL, 2 mg/mL)"), "{told}");
    for strength in ["10", "50"] {
        let told = refused(&request("mdd_trd_std", "70", strength));
        assert!(told.contains("It is the strength in the vial"), "{told}");
    }
}

#[test]
fn a_swapped_strength_is_named() {
    let five = refused(&request("mdd_trd_std", "70", "5"));
    assert!(five.contains("stands under \"Ketamine, chronic pain\""), "{five}");
    assert!(refused(&request("mdd_trd_std", "70", "0.2")).contains("a tenth of 2 mg/mL"));
    let mut asked = request("mdd_trd_std", "70", "1");
    asked.stock = Some(Concentration(2000));
    assert!(finding(&made(&asked), "library_psych").reason.contains("the two fields may be swapped"));
    asked.concentration = Some(Concentration(5000));
    assert!(refused(&asked).contains("cannot be diluted"));
}

#[test]
fn a_tenfold_slip_is_named() {
    let mut asked = request("mdd_trd_std", "70", "1");
    asked.dose = Some(OrderedDose::MgPerKg(dec("0.05")));
    let tenth = made(&asked);
    assert!(
        finding(&tenth, "slip_regimen").reason.contains("0.05 mg/kg is 0.1 times the regimen's 0.5 mg/kg")
    );
    asked.dose = Some(OrderedDose::MgPerKg(dec("5")));
    let told = card(&asked, &KNOWLEDGE).expect_err("ten times is refused");
    assert!(told.findings.iter().any(|found| found.reason.contains("tenfold slip")), "{:?}", told.findings);
    asked.dose = None;
    asked.last_dose = Some(Micrograms(3_500));
    assert!(finding(&made(&asked), "slip_last_dose").reason.contains("10 times the last dose of 3.5 mg"));
    asked.last_dose = Some(Micrograms(0));
    assert!(refused(&asked).contains("cannot be compared"));
}

#[test]
fn a_volume_above_the_container_is_refused() {
    let mut asked = request("mdd_trd_std", "70", "1");
    asked.container = Some(Microlitres(35_000));
    assert_eq!(made(&asked).vtbi, Microlitres(35_000));
    asked.container = Some(Microlitres(34_999));
    assert!(refused(&asked).contains("the container holds 34.999 mL"));
}

#[test]
fn only_clinic_regimens_make_a_card() {
    for (regimen, words) in [
        ("crps_inpt", "not racemic ketamine"),
        ("mig", "hospital wards"),
        ("aud", "trials only"),
        ("acute_pain", "for comparison"),
        ("nobody_knows", "There is no `nobody_knows`"),
    ] {
        let told = refused(&request(regimen, "70", "1"));
        assert!(told.contains(words), "{regimen}: {told}");
    }
}

#[test]
fn a_lowest_body_mass_index_holds() {
    let mut asked = request("ed", "43", "1");
    assert!(made(&asked).findings.iter().any(|found| found.rule.as_str() == "ed" && asks_for_reason(found)));
    asked.height = Some(Height(1700));
    assert!(finding(&made(&asked), "ed").reason.contains("14.9 kg/m2"));
    asked.height = Some(Height(1600));
    assert!(!made(&asked).needs_reason());
}
