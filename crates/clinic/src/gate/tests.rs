//! Golden vectors G1 to G8 and G15 to G20 of the clinical reference, and what a missing input does.

use super::*;
use crate::knowledge::Knowledge;
use crate::knowledge::gates::{Answer, Answers, Gate};
use crate::knowledge::interactions::Medicine;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Read once for all vectors.
static SHIPPED: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().expect("the shipped knowledge is sound"));

fn n(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn band(systolic: i32, diastolic: i32, symptoms: &[&str]) -> (String, Verdict, String) {
    let readings = [Pressure::new(systolic, diastolic); 2];
    let symptoms: BTreeSet<String> = symptoms.iter().map(|s| (*s).to_owned()).collect();
    let judged = bp_band(&readings, Some(&symptoms), &SHIPPED);
    let reason = judged.assessment.findings.last().expect("a finding").reason.clone();
    (judged.band.expect("a band"), judged.assessment.verdict(), reason)
}

#[test]
fn g1_to_g3_bands() {
    assert_eq!(band(138, 88, &[]).0, "green");
    assert_eq!(band(140, 90, &[]).1, Verdict::Pass);
    let (name, verdict, reason) = band(141, 84, &[]);
    assert_eq!((name.as_str(), verdict), ("amber", Verdict::Hold));
    assert!(reason.contains("repeat twice"), "{reason}");
    let (name, verdict, reason) = band(158, 101, &[]);
    assert_eq!((name.as_str(), verdict), ("red", Verdict::Hold));
    assert!(reason.contains("158/101"), "{reason}");
}

#[test]
fn g4_crisis_with_and_without_symptoms() {
    let (name, verdict, reason) = band(182, 96, &[]);
    assert_eq!((name.as_str(), verdict), ("crisis", Verdict::Stop));
    assert!(reason.contains("same day"), "{reason}");
    let (_, verdict, reason) = band(182, 96, &["chest_pain"]);
    assert_eq!(verdict, Verdict::Stop);
    assert!(reason.contains("Emergency"), "{reason}");
    // Symptoms alone are a crisis, whatever the numbers.
    assert_eq!(band(118, 70, &["severe_headache"]).1, Verdict::Stop);
}

#[test]
fn blood_pressure_that_is_missing_or_impossible_holds() {
    let none = BTreeSet::new();
    let judge = |readings: &[Pressure], symptoms| bp_band(readings, symptoms, &SHIPPED).assessment.verdict();
    let good = Pressure::new(120, 76);
    assert_eq!(judge(&[good, good], Some(&none)), Verdict::Pass);
    assert_eq!(judge(&[good], Some(&none)), Verdict::Hold);
    assert_eq!(judge(&[], Some(&none)), Verdict::Hold);
    assert_eq!(judge(&[good, good], None), Verdict::Hold);
    assert_eq!(judge(&[good, Pressure::new(80, 90)], Some(&none)), Verdict::Hold);
    assert_eq!(judge(&[Pressure::new(190, 100)], Some(&none)), Verdict::Stop);
    // 160.5 is not amber: nothing falls between two bands.
    let odd = [Pressure::new(160, 90), Pressure::new(161, 90)];
    assert_eq!(bp_band(&odd, Some(&none), &SHIPPED).band.as_deref(), Some("red"));
    assert_eq!(bp_band(&[], Some(&none), &Knowledge::default()).assessment.verdict(), Verdict::Hold);
}

fn taking(ingredient: &str, daily_mg: Option<&str>) -> Medicine {
    Medicine { ingredient: ingredient.to_owned(), daily_mg: daily_mg.map(n), ..Medicine::default() }
}

fn rule_of(assessment: &Assessment, rule: &str) -> Option<Verdict> {
    assessment.findings.iter().find(|f| f.rule.as_str() == rule).map(|f| f.verdict)
}

#[test]
fn g5_theophylline_stops() {
    let judged = medicines(&[taking("Theophylline 200 mg", None)], &SHIPPED);
    assert_eq!(rule_of(&judged.assessment, "d03"), Some(Verdict::Stop));
}

/// Hazard 38: a medicine that no rule knows is never passed over.
#[test]
fn a_name_that_nobody_knows_warns_and_one_slip_away_holds_with_the_likely_one() {
    let judged = |name| medicines(&[taking(name, None)], &SHIPPED).assessment;
    for name in ["Parnate", "MAOI", "zzzzz", "vitamin D"] {
        let told = judged(name);
        assert_eq!(told.verdict(), Verdict::Warn, "{name}");
        let words = format!("not judged: no rule knows “{name}”; name it by its ingredient");
        assert!(told.findings.iter().any(|finding| finding.reason == words), "{told:?}");
        assert_eq!(unjudged(&[taking(name, None)], &SHIPPED), [name]);
    }
    for (slip, meant) in [("clonidne", "clonidine"), ("Phenelzin 15 mg", "phenelzine")] {
        let told = judged(slip);
        assert_eq!(told.verdict(), Verdict::Hold, "{slip}");
        assert!(told.findings.iter().any(|finding| finding.reason.contains(meant)), "{told:?}");
        assert!(unjudged(&[taking(slip, None)], &SHIPPED).is_empty());
    }
}

#[test]
fn g6_benzodiazepines_by_table() {
    let knowledge = &*SHIPPED;
    let clonazepam = [taking("clonazepam", Some("1"))];
    assert_eq!(diazepam_equivalent(&clonazepam, "A", knowledge), Ok(n("20")));
    assert_eq!(diazepam_equivalent(&clonazepam, "B", knowledge), Ok(n("10")));
    let judged = medicines(&clonazepam, knowledge).assessment;
    assert_eq!(rule_of(&judged, "d01"), Some(Verdict::Hold));
    let reason = &judged.findings[0].reason;
    assert!(reason.contains("20 mg by table A") && reason.contains("10 mg by table B"), "{reason}");
    let lorazepam = medicines(&[taking("lorazepam", Some("0.5"))], knowledge).assessment;
    assert_eq!(rule_of(&lorazepam, "d01"), Some(Verdict::Warn));
    assert!(lorazepam.findings[0].reason.contains("5 mg by table A"));
    // Two half doses are one whole one, and an unknown dose is no small one.
    let both = medicines(&[taking("lorazepam", Some("0.5")), taking("clonazepam", Some("0.25"))], knowledge);
    assert_eq!(rule_of(&both.assessment, "d01"), Some(Verdict::Hold));
    assert_eq!(
        rule_of(&medicines(&[taking("diazepam", None)], knowledge).assessment, "d01"),
        Some(Verdict::Hold)
    );
}

#[test]
fn g7_mao_inhibitor_warns_and_measures_every_5_min() {
    let judged = medicines(&[taking("phenelzine", None)], &SHIPPED);
    assert_eq!(rule_of(&judged.assessment, "d06"), Some(Verdict::Warn));
    assert_eq!(judged.nibp_every_min, Some(5));
    assert!(!judged.watch_etco2);
    assert!(medicines(&[taking("oxycodone", None)], &SHIPPED).watch_etco2);
}

fn gate_of(inputs: &DayOfInputs, id: &str) -> Verdict {
    let results = day_of(inputs, &SHIPPED);
    let result = results.iter().find(|result| result.gate.as_str() == id).expect("the gate is there");
    result.assessment.verdict()
}

fn answering(answers: &[(&str, Answer)]) -> DayOfInputs {
    let answers = answers.iter().map(|(fact, answer)| ((*fact).to_owned(), *answer)).collect();
    DayOfInputs { answers, ..DayOfInputs::default() }
}

/// Every question answered so that it passes, every list given and empty.
fn all_well() -> DayOfInputs {
    let mut answers = Answers::new();
    for item in SHIPPED.gates.iter() {
        let Gate::Questions(gate) = &item.body else { continue };
        for check in &gate.checks {
            let answer = match check.is {
                Some(wanted) => Answer::Yes(wanted),
                None => Answer::Number(check.at_least.or(check.at_most).expect("a bound")),
            };
            answers.insert(check.fact.clone(), answer);
        }
    }
    let vitals = [("heart_rate", "72"), ("spo2", "97"), ("respiratory_rate", "14"), ("temperature", "36.6")];
    answers.extend(vitals.map(|(fact, value)| (fact.to_owned(), Answer::Number(n(value)))));
    answers.insert("diabetic".to_owned(), Answer::Yes(false));
    DayOfInputs {
        answers,
        pressures: vec![Pressure::new(120, 76); 2],
        symptoms: Some(BTreeSet::new()),
        medicines: Some(Vec::new()),
        regimen: Some("mdd_trd_std".to_owned()),
        last_infusion: Some(LastInfusion::Never),
        measured_before: Vec::new(),
        read_again: crate::device::ReadAgain::new(),
    }
}

#[test]
fn g8_no_escort_no_infusion() {
    let mut inputs = all_well();
    assert_eq!(gate_of(&inputs, "c04"), Verdict::Pass);
    inputs.answers.insert("escort_named".to_owned(), Answer::Yes(false));
    assert_eq!(gate_of(&inputs, "c04"), Verdict::Stop);
    let result = day_of(&inputs, &SHIPPED).into_iter().find(|r| r.gate.as_str() == "c04").expect("c04");
    assert_eq!(result.assessment.findings[0].overridable_by, Override::Never);
}

#[test]
fn all_seventeen_gates_pass_when_all_is_well_and_hold_when_nothing_is_known() {
    let well = day_of(&all_well(), &SHIPPED);
    assert_eq!(well.len(), 17);
    for result in &well {
        assert!(result.assessment.verdict() <= Verdict::Info, "{}: {:?}", result.gate, result.assessment);
        assert!(!result.assessment.findings.is_empty());
    }
    for result in day_of(&DayOfInputs::default(), &SHIPPED) {
        assert!(result.assessment.verdict() >= Verdict::Hold, "{} passes without any answer", result.gate);
    }
}

/// Hazard 38: no single answer may be left out, or answered with the wrong kind, and still pass.
#[test]
fn each_missing_answer_holds_its_gate() {
    let whole = all_well();
    let knowledge = &*SHIPPED;
    let worst = |inputs: &DayOfInputs| day_of(inputs, knowledge).iter().map(|r| r.assessment.verdict()).max();
    assert!(worst(&whole) <= Some(Verdict::Info));
    // Facts that are only asked after a yes are missing rightly after a no.
    let dependent: BTreeSet<String> = knowledge
        .gates
        .iter()
        .filter_map(|item| if let Gate::Questions(gate) = &item.body { Some(gate) } else { None })
        .flat_map(|gate| gate.checks.iter().filter(|c| c.when.is_some()).map(|c| c.fact.clone()))
        .filter(|fact| fact != "hours_since_solids")
        .collect();
    for fact in whole.answers.keys() {
        let mut without = whole.clone();
        without.answers.remove(fact);
        let wanted = if dependent.contains(fact) { Verdict::Info } else { Verdict::Hold };
        let came = worst(&without).expect("gates");
        assert!(
            if wanted == Verdict::Hold { came >= wanted } else { came <= wanted },
            "without {fact}: {came:?}"
        );
    }
    let mut opened = whole.clone();
    opened.answers.insert("suicide_screen_positive".to_owned(), Answer::Yes(true));
    opened.answers.remove("suicide_review_signed");
    assert!(worst(&opened) >= Some(Verdict::Hold), "a positive screen needs a signed review");
    for gone in 0..5 {
        let mut without = whole.clone();
        match gone {
            0 => without.pressures.clear(),
            1 => without.symptoms = None,
            2 => without.medicines = None,
            3 => without.regimen = None,
            _ => without.last_infusion = None,
        }
        assert!(worst(&without) >= Some(Verdict::Hold), "input {gone}");
    }
    let mistyped =
        answering(&[("name_matches", Answer::Number(n("1"))), ("birth_date_matches", Answer::Yes(true))]);
    assert_eq!(gate_of(&mistyped, "c01"), Verdict::Hold);
}

#[test]
fn g15_earliest_discharge() {
    let mut inputs = ready_to_go("12:00");
    let earliest = |inputs: &DischargeInputs, at: &str| discharge(inputs, clock(at), &SHIPPED);
    assert_eq!(earliest(&inputs, "12:00").earliest, Some(clock("12:00")));
    assert_eq!(earliest(&inputs, "12:00").assessment.verdict(), Verdict::Pass);
    let early = discharge(&ready_to_go("11:59"), clock("11:59"), &SHIPPED);
    assert_eq!(early.assessment.verdict(), Verdict::Hold);
    inputs.ended_at = Some(clock("11:40"));
    assert_eq!(earliest(&inputs, "12:40").earliest, Some(clock("12:40")));
    // Hazard 40: to the second.
    let mut inputs = ready_to_go("12:39");
    inputs.ended_at = Some(clock("11:40"));
    let second_before = clock("12:40") - jiff::SignedDuration::from_secs(1);
    assert_eq!(discharge(&inputs, second_before, &SHIPPED).assessment.verdict(), Verdict::Hold);
    assert_eq!(earliest(&inputs, "12:40").assessment.verdict(), Verdict::Pass);
}

fn clock(text: &str) -> jiff::Timestamp {
    format!("2026-03-02T{text}:00Z").parse().expect("a time")
}

/// Everything well, looked at then.
fn ready_to_go(looked_at: &str) -> DischargeInputs {
    let yes = [
        "tolerates_fluids",
        "no_new_suicidal_thoughts",
        "escort_present",
        "instructions_given",
        "clinician_signs",
    ];
    let at = clock(looked_at);
    let number = |text| Some(Found { value: n(text), at });
    let scored = ["activity", "nausea_pain", "bleeding", "intake_output"].map(|id| (id.to_owned(), 2));
    DischargeInputs {
        started_at: Some(clock("10:00")),
        ended_at: Some(clock("10:40")),
        infusion: Some(1),
        paused: Some(false),
        rescue: Some(Rescue::NotGiven),
        baseline: Vitals {
            pressure: Some(Pressure::new(120, 76)),
            heart_rate: Some(n("72")),
            spo2: Some(n("97")),
        },
        now: LastVitals {
            pressure: Some(Found { value: Pressure::new(126, 80), at }),
            heart_rate: number("72"),
            spo2: number("97"),
        },
        moaas: number("5"),
        as_before: Some(Found { value: true, at }),
        nausea: number("1"),
        score: Some(Found { value: scored.into(), at }),
        answers: yes.map(|fact| (fact.to_owned(), Answer::Yes(true))).into(),
    }
}

/// The same finding with another value.
fn found<T>(found: &mut Option<Found<T>>, value: T) {
    found.as_mut().expect("it was found").value = value;
}

#[test]
fn discharge_holds_on_each_missing_or_failed_criterion() {
    type Spoil = fn(&mut DischargeInputs);
    let spoils: [(&str, Spoil); 21] = [
        ("no start", |i| i.started_at = None),
        ("pauses unknown", |i| i.paused = None),
        ("rescue unknown", |i| i.rescue = None),
        ("no pressure", |i| i.now.pressure = None),
        ("no baseline", |i| i.baseline.pressure = None),
        ("pressure 21 % up", |i| found(&mut i.now.pressure, Pressure::new(146, 80))),
        ("no heart rate", |i| i.now.heart_rate = None),
        ("heart rate 111", |i| found(&mut i.now.heart_rate, n("111"))),
        ("heart rate 49", |i| found(&mut i.now.heart_rate, n("49"))),
        ("no saturation", |i| i.now.spo2 = None),
        ("saturation 93", |i| found(&mut i.now.spo2, n("93"))),
        ("no MOAA/S", |i| i.moaas = None),
        ("MOAA/S 4", |i| found(&mut i.moaas, n("4"))),
        ("dissociation unknown", |i| i.as_before = None),
        ("not as before", |i| found(&mut i.as_before, false)),
        ("no nausea", |i| i.nausea = None),
        ("nausea 2", |i| found(&mut i.nausea, n("2"))),
        ("no score", |i| i.score = None),
        ("score incomplete", |i| {
            i.score.as_mut().expect("a score").value.remove("bleeding");
        }),
        ("score too low", |i| {
            i.score.as_mut().expect("a score").value.insert("activity".to_owned(), 0);
        }),
        ("no escort", |i| i.answers.extend([("escort_present".to_owned(), Answer::Yes(false))])),
    ];
    let at = clock("13:00");
    let ready = ready_to_go("13:00");
    assert_eq!(discharge(&ready, at, &SHIPPED).assessment.verdict(), Verdict::Pass);
    for (what, spoil) in spoils {
        let mut inputs = ready.clone();
        spoil(&mut inputs);
        assert_eq!(discharge(&inputs, at, &SHIPPED).assessment.verdict(), Verdict::Hold, "{what}");
    }
    for fact in ready.answers.keys() {
        let mut inputs = ready.clone();
        inputs.answers.remove(fact);
        assert_eq!(discharge(&inputs, at, &SHIPPED).assessment.verdict(), Verdict::Hold, "without {fact}");
    }
}

/// Hazard 40: nobody goes home by what was found long ago.
#[test]
fn discharge_holds_on_each_finding_that_is_too_old() {
    type Age = fn(&mut DischargeInputs, jiff::Timestamp);
    let ages: [(&str, Age); 7] = [
        ("blood pressure", |i, at| i.now.pressure.as_mut().expect("found").at = at),
        ("heart rate", |i, at| i.now.heart_rate.as_mut().expect("found").at = at),
        ("oxygen saturation", |i, at| i.now.spo2.as_mut().expect("found").at = at),
        ("MOAA/S", |i, at| i.moaas.as_mut().expect("found").at = at),
        ("dissociation", |i, at| i.as_before.as_mut().expect("found").at = at),
        ("nausea", |i, at| i.nausea.as_mut().expect("found").at = at),
        ("discharge score", |i, at| i.score.as_mut().expect("found").at = at),
    ];
    let at = clock("13:00");
    let reasons = |inputs: &DischargeInputs| {
        let judged = discharge(inputs, at, &SHIPPED).assessment;
        judged.blocking().map(|finding| finding.reason.clone()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&ready_to_go("12:45")), Vec::<String>::new(), "15 min old may be");
    for (what, age) in ages {
        let mut inputs = ready_to_go("13:00");
        age(&mut inputs, clock("12:45") - jiff::SignedDuration::from_secs(1));
        assert_eq!(reasons(&inputs), [format!("{what} is 16 min old, at most 15 min; look again")]);
    }
}

#[test]
fn a_pause_or_a_rescue_drug_makes_the_wait_longer() {
    let mut inputs = ready_to_go("11:40");
    inputs.infusion = Some(6);
    let at = clock("11:40");
    assert_eq!(discharge(&inputs, at, &SHIPPED).assessment.verdict(), Verdict::Pass);
    inputs.paused = Some(true);
    assert_eq!(discharge(&inputs, at, &SHIPPED).earliest, Some(clock("12:00")));
    inputs.rescue = Some(Rescue::LastAt(clock("11:30")));
    let judged = discharge(&inputs, at, &SHIPPED);
    assert_eq!(judged.earliest, Some(clock("12:30")));
    assert_eq!(judged.assessment.verdict(), Verdict::Hold);
}

#[test]
fn padss_counts_vital_signs_itself() {
    let mut inputs = ready_to_go("13:00");
    found(&mut inputs.now.pressure, Pressure::new(126, 99));
    let at = clock("13:00");
    let score = discharge(&inputs, at, &SHIPPED).score.expect("a score");
    assert_eq!((score.items["vital_signs"], score.total, score.of), (1, 9, 10));
    inputs.score.as_mut().expect("a score").value.insert("bleeding".to_owned(), 3);
    assert_eq!(discharge(&inputs, at, &SHIPPED).score, None, "3 is no answer");
}

#[test]
fn g16_spacing() {
    let judge = |regimen: &str, hours: &str| {
        spacing(Some(regimen), Some(LastInfusion::Ago(n(hours))), &SHIPPED).verdict()
    };
    assert_eq!(judge("mdd_trd_std", "23"), Verdict::Stop);
    assert_eq!(judge("mdd_si", "23"), Verdict::Stop);
    assert_eq!(judge("mdd_si", "24.0833"), Verdict::Pass);
    assert_eq!(judge("mdd_trd_std", "24.0833"), Verdict::Warn);
    assert_eq!(judge("no_such_regimen", "500"), Verdict::Hold);
    let (from, to) = ("2026-03-01T10:00:00Z", "2026-03-02T10:05:00Z");
    let hours = hours_between(from.parse().expect("a time"), to.parse().expect("a time"));
    assert_eq!(hours.trunc_with_scale(4), n("24.0833"));
}

#[test]
fn g19_futility() {
    let advised = futility(Some(n("20")), Some(n("18")), Some(6), &SHIPPED);
    assert_eq!(advised.advice, Some(FutilityAdvice::RecommendStopDiscussion));
    assert_eq!(advised.improvement_percent, Some(n("10")));
    assert_eq!(futility(Some(n("0")), Some(n("0")), Some(6), &SHIPPED).advice, None, "no change of nothing");
}

#[test]
fn g20_maintenance() {
    let visit = |last: &str, now: &str, rung_d| MaintenanceVisit {
        last: Some(n(last)),
        now: Some(n(now)),
        rung_d: Some(rung_d),
        stable_visits_before: Some(1),
        responder: Some(true),
        cssrs_level: Some(0),
    };
    let next = |visit: &MaintenanceVisit| maintenance(visit, &SHIPPED).next;
    assert_eq!(next(&visit("6", "7", 14)), Some(NextInterval::Days(21)));
    assert_eq!(next(&visit("6", "11", 14)), Some(NextInterval::Days(7)));
    let first_stable = MaintenanceVisit { stable_visits_before: Some(0), ..visit("6", "7", 14) };
    assert_eq!(next(&first_stable), Some(NextInterval::Days(14)));
    assert_eq!(next(&visit("6", "6", 42)), Some(NextInterval::AsNeeded));
    assert_eq!(next(&visit("6", "12", 7)), Some(NextInterval::Days(7)));
    assert_eq!(next(&MaintenanceVisit { responder: None, ..visit("6", "7", 14) }), None);
}

#[test]
fn standing_orders_keep_dose_total_and_time() {
    let knowledge = &*SHIPPED;
    let card = &knowledge.adverse_events.get("hypertension").expect("the card").body;
    let labetalol = card.drug("labetalol").expect("the drug");
    let give = |dose: &str, already: &str, minutes| standing_order(labetalol, n(dose), n(already), minutes);
    assert_eq!(give("10", "0", None), Ok(()));
    assert!(matches!(give("100", "0", None), Err(NotAllowed::Dose { .. })));
    assert!(matches!(give("20", "70", Some(10)), Err(NotAllowed::Total { .. })));
    assert!(matches!(give("20", "20", Some(9)), Err(NotAllowed::TooSoon { since: 9, wait: 10, .. })));
    assert!(matches!(give("20", "20", None), Err(NotAllowed::WhenUnknown { .. })));
    assert!(give("100", "0", None).unwrap_err().to_string().ends_with("which allows 10 to 20 mg"));
    let nausea = &knowledge.adverse_events.get("nausea_vomiting").expect("the card").body;
    let ondansetron = nausea.drug("ondansetron").expect("the drug");
    let refused = standing_order(ondansetron, n("40"), n("0"), None).unwrap_err().to_string();
    assert_eq!(refused, "40 mg ondansetron is outside the standing order, which allows 4 mg");
}

#[test]
fn the_worst_finding_decides() {
    let assessment = |verdicts: &[Verdict]| {
        let finding = |verdict: &Verdict| Finding { verdict: *verdict, ..no_rule("x") };
        Assessment::from(verdicts.iter().map(finding).collect::<Vec<_>>())
    };
    assert_eq!(assessment(&[]).verdict(), Verdict::Pass);
    assert_eq!(assessment(&[Verdict::Warn, Verdict::Stop, Verdict::Info]).verdict(), Verdict::Stop);
    assert_eq!(assessment(&[Verdict::Warn, Verdict::Hold]).blocking().count(), 1);
}
