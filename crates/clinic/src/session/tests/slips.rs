//! Slips of people that the session refuses: impossible values, empty reasons, another library entry.

use super::*;

/// Hazard 54: no explanation makes drug out of nothing, and a dot explains nothing.
#[test]
fn more_than_was_left_is_never_wasted_and_a_dot_is_no_explanation() {
    let session = before("drug_wasted");
    let ask = |wasted, explanation: &str| {
        let waste = Command::Waste {
            wasted: Microlitres(wasted),
            residual_in_line: Microlitres(100),
            left_in_vials: measured(),
            vial_fate: VialFate::Wasted,
            explanation: Some(explanation.to_owned()),
            witness: signed("lee", Role::Nurse),
        };
        decide(&session, waste, &nurse("kim"), at(3_120), knowledge())
    };
    for too_much in [MOST_LEFT - 99, 500_000, i64::MAX] {
        let refusal = ask(too_much, "the bag was larger").expect_err("more than there was");
        assert!(matches!(refusal, Refusal::OutOfRange { field: "wasted", .. }), "{refusal}");
        assert!(!refusal.to_string().contains("6.125 mL"), "the bound would tell what is left: {refusal}");
    }
    assert!(ask(MOST_LEFT - 100, "measured with the larger syringe").is_ok());
    for none in ["", " "] {
        let told = ask(4_000, none).expect("it is told, and settles nothing");
        assert!(matches!(told[..], [Event::WasteDiffered { .. }]), "{none:?}: {told:?}");
    }
    for nothing_said in [".", "--", "x"] {
        let refusal = ask(4_000, nothing_said).expect_err("explains nothing");
        assert!(matches!(refusal, Refusal::OutOfRange { field: "explanation", .. }), "{refusal}");
    }
    assert!(ask(4_000, "spilled").is_ok());
}

fn vitals(parameter: crate::device::Parameter, tenths: i32) -> Command {
    let values = [(parameter, crate::quantity::Tenths(tenths))].into();
    Command::Chart(Observation::by_eye(at(3_000), Finding::Vitals { values }))
}

/// Hazard 32: what cannot be true is not charted, whoever typed it; a low saturation can.
#[test]
fn vital_signs_that_cannot_be_true_are_refused_with_value_and_limit() {
    use crate::device::Parameter::{HeartRate, RespiratoryRate, Spo2, Temperature};
    let session = before("drug_wasted");
    let chart = |parameter, tenths| {
        decide(&session, vitals(parameter, tenths), &nurse("kim"), at(3_120), knowledge())
    };
    for (parameter, tenths, words) in [
        (Spo2, 9_800, "SpO₂ is 980; accepted is 0 to 100 %"),
        (Spo2, 1_010, "SpO₂ is 101"),
        (Spo2, 98, "SpO₂ is 9.8; accepted is 10 to 100 %; 9.8 looks like 98 with a digit lost"),
        (Spo2, 90, "9 looks like 90"),
        (Spo2, -10, "SpO₂ is -1"),
        (HeartRate, 7_200, "HR is 720; accepted is 0 to 250"),
        (RespiratoryRate, -10, "RR is -1"),
        (
            RespiratoryRate,
            1_600,
            "RR is 160; accepted is 0 to 150 {breath}/min. A tenth of that, 16, would fit",
        ),
        (HeartRate, 7_200, "A tenth of that, 72, would fit: a point may be lost or a digit added"),
        (Temperature, 3_660, "Temp is 366; accepted is 25 to 45"),
        (Temperature, 986, "98.6 looks like degrees Fahrenheit, which is 37 °C"),
    ] {
        let refusal = chart(parameter, tenths).expect_err("it cannot be true");
        assert!(refusal.to_string().contains(words), "{refusal}");
        assert_eq!(refusal.field(), parameter.name());
    }
    for (parameter, tenths) in [(Spo2, 710), (Spo2, 1_000), (HeartRate, 380), (Temperature, 366)] {
        assert!(chart(parameter, tenths).is_ok(), "{parameter:?} {tenths}");
    }
}

fn set(
    values: &[(crate::device::Parameter, i32)],
    read_again: &[(crate::device::Parameter, i32)],
) -> Command {
    use crate::quantity::Tenths;
    let finding =
        Finding::Vitals { values: values.iter().map(|(of, tenths)| (*of, Tenths(*tenths))).collect() };
    let read_again = read_again.iter().map(|(of, tenths)| (*of, Tenths(*tenths).decimal())).collect();
    Command::Chart(Observation { read_again, ..Observation::by_eye(at(3_000), finding) })
}

/// Hazard 127: a slipped point or a lost digit is asked about by name, and the same once more is charted, so that an
/// arrest is a tap away; another number is asked about anew.
#[test]
fn a_vital_sign_that_hardly_can_be_is_asked_about_and_taken_when_it_is_sent_again() {
    use crate::device::Parameter::{Diastolic, HeartRate, RespiratoryRate, Spo2, Systolic};
    let session = before("drug_wasted");
    let chart = |session: &Session, values: &[_], again: &[_]| {
        decide(session, set(values, again), &nurse("kim"), at(3_120), knowledge())
    };
    for (values, words) in [
        (
            &[(HeartRate, 72)][..],
            "HR is 7.2; in an awake patient 25 to 220 is expected. Ten times that, 72, would fit",
        ),
        (
            &[(Systolic, 120), (Diastolic, 78)],
            "NIBP systolic is 12; in an awake patient 50 to 260 is expected. Ten times",
        ),
        (&[(Systolic, 1_200), (Diastolic, 78)], "NIBP diastolic is 7.8"),
        (&[(RespiratoryRate, 1_200)], "A tenth of that, 12, would fit"),
        (&[(Systolic, 380), (Diastolic, 200)], "save the same once more"),
        (
            &[(Spo2, 380), (HeartRate, 0)],
            "HR is 0; in an awake patient 25 to 220 is expected. SpO₂ is 38; in an awake patient 50 to 100 is expected. Read it again",
        ),
    ] {
        let refusal = chart(&session, values, &[]).expect_err("it is asked about");
        assert!(refusal.to_string().contains(words), "{refusal}");
        let Refusal::Unlikely { questions, .. } = refusal else { panic!("{refusal}") };
        let other: Vec<_> = values.iter().map(|(of, tenths)| (*of, tenths + 1)).collect();
        assert!(chart(&session, values, &other).is_err(), "another number was read again: {values:?}");
        let taken = chart(&session, values, values).expect("the same once more");
        let [Event::ObservationCharted(seen)] = &taken[..] else { panic!("{taken:?}") };
        let asked = questions.iter().map(|one| (one.parameter, one.value)).collect();
        assert_eq!(seen.read_again, asked, "what was asked about stands beside it");
        let Finding::Vitals { values: kept } = &seen.finding else { panic!("{seen:?}") };
        assert_eq!(kept.len(), values.len());
        assert!(values.iter().all(|(of, tenths)| kept[of].0 == *tenths), "nothing is clamped");
    }
    let [event] = &chart(&session, &[(RespiratoryRate, 60)], &[]).expect("low, and expected")[..] else {
        panic!()
    };
    let slow = take(session, event.clone(), 3_120);
    let refusal = chart(&slow, &[(RespiratoryRate, 600)], &[]).expect_err("ten times the last");
    assert!(
        refusal.to_string().contains("RR is 60; the last one was 6. A tenth of that, 6, would fit"),
        "{refusal}"
    );
    assert!(chart(&slow, &[(RespiratoryRate, 140)], &[]).is_ok());
}

/// Hazard 127: a slip in one cuff reading of the gate would draw a high mean down into the green band.
#[test]
fn a_slipped_cuff_reading_of_the_gate_is_asked_about() {
    use crate::device::Parameter::{Diastolic, Systolic};
    use crate::gate::{DayOfInputs, Pressure};
    let session = before("order_signed");
    let sound = session.gates[&RuleId::new("c11")].answer.inputs.clone();
    let pressures = vec![Pressure::new(180, 104), Pressure::new(18, 10)];
    let answer = |inputs| {
        let gate =
            Command::AnswerGate { gate: RuleId::new("c11"), inputs: Box::new(inputs), note: String::new() };
        decide(&session, gate, &nurse("kim"), at(540), knowledge())
    };
    let slipped = DayOfInputs { pressures, ..sound };
    let refusal = answer(slipped.clone()).expect_err("a digit is lost");
    assert!(refusal.to_string().contains("Ten times that, 180, would fit"), "{refusal}");
    let read_again = [(Systolic, 18.into()), (Diastolic, 10.into())].into();
    assert!(answer(DayOfInputs { read_again, ..slipped }).is_ok(), "said once more, it is judged");
}

/// Hazard 39: the vital-signs gate takes nothing that cannot be true, and a low pressure holds.
#[test]
fn the_gate_of_vital_signs_refuses_the_impossible_and_holds_on_a_low_pressure() {
    use crate::device::Parameter::{Diastolic, Systolic};
    use crate::gate::{Pressure, Verdict};
    use crate::knowledge::gates::Answer;
    let session = before("order_signed");
    let sound = session.gates[&RuleId::new("c11")].answer.inputs.clone();
    let answer = |inputs| {
        let gate =
            Command::AnswerGate { gate: RuleId::new("c11"), inputs: Box::new(inputs), note: String::new() };
        decide(&session, gate, &nurse("kim"), at(540), knowledge())
    };
    let cuff = |pressure| [pressure, pressure].map(|(high, low)| Pressure::new(high, low)).to_vec();
    for (fact, value) in [
        ("spo2", 980),
        ("spo2", 9),
        ("spo2", -1),
        ("heart_rate", 720),
        ("temperature", 366),
        ("respiratory_rate", 1_000_000_000),
    ] {
        let mut inputs = sound.clone();
        inputs.answers.insert(fact.to_owned(), Answer::Number(value.into()));
        let refusal = answer(inputs).expect_err("it cannot be true");
        assert!(matches!(&refusal, Refusal::OutOfRange { field, .. } if *field == fact), "{refusal}");
    }
    for impossible in [(310, 90), (120, 120), (80, 130)] {
        let refusal = answer(crate::gate::DayOfInputs { pressures: cuff(impossible), ..sound.clone() });
        assert!(matches!(refusal, Err(Refusal::OutOfRange { .. })), "{impossible:?}: {refusal:?}");
    }
    for (pressure, verdict) in [
        ((124, 78), Verdict::Pass),
        ((90, 60), Verdict::Pass),
        ((89, 52), Verdict::Hold),
        ((78, 40), Verdict::Hold),
        ((60, 30), Verdict::Hold),
        ((12, 7), Verdict::Hold),
    ] {
        let read_again = [(Systolic, pressure.0.into()), (Diastolic, pressure.1.into())].into();
        let inputs = crate::gate::DayOfInputs { pressures: cuff(pressure), read_again, ..sound.clone() };
        let events = answer(inputs).expect("it is judged");
        let [Event::GateAnswered(judged)] = events.as_slice() else { panic!("{events:?}") };
        let of = judged.findings.iter().map(|finding| finding.verdict).max();
        let of = of.unwrap_or(Verdict::Pass).max(Verdict::Pass);
        assert_eq!(of >= Verdict::Hold, verdict >= Verdict::Hold, "{pressure:?}: {judged:?}");
    }
}

/// Hazard 04: the pump is programmed from the entry of its library for the ordered strength, not from any text.
#[test]
fn the_pump_is_programmed_from_the_entry_of_the_ordered_strength() {
    let session = before("pump_programmed");
    let (order, _) = session.order.clone().expect("an order");
    let ask = |library_entry: &str| {
        let entry = PumpEntry {
            device: None,
            rate: order.rate,
            vtbi: order.vtbi,
            concentration: order.concentration,
            library_entry: library_entry.to_owned(),
        };
        decide(&session, Command::ProgramPump { entry }, &nurse("kim"), at(595), knowledge())
    };
    for other in [
        "Basic",
        "Ketamine",
        "Ketamine PSYCH 1 mg/mL",
        "Ketamine PAIN 2 mg/mL",
        "Ketamine ANAESTHESIA 20 mg/mL (expired)",
    ] {
        let refusal = ask(other).expect_err("another entry");
        assert_eq!(refusal.field(), "library_entry");
        assert!(refusal.to_string().contains("Ketamine PSYCH 2 mg/mL"), "{refusal}");
    }
    assert!(matches!(ask(" "), Err(Refusal::Missing { field: "library_entry", .. })));
    assert!(ask("Ketamine PSYCH 2 mg/mL").is_ok());
    assert!(ask("ketamine psych 2 mg/mL ").is_ok());
}

/// Hazard 09: a time-out names known points, stands once, and is void where syringe or pump change after it.
#[test]
fn a_time_out_is_taken_once_for_what_stands_and_again_after_a_change() {
    let waits = before("time_out_taken");
    let points: Vec<String> =
        knowledge().session_rules().time_out.iter().map(|point| point.id.clone()).collect();
    let ask = |session: &Session, confirmed: &[String]| {
        let command = Command::TimeOut { confirmed: confirmed.to_vec() };
        decide(session, command, &nurse("kim"), at(600), knowledge())
    };
    let unknown = ask(&waits, &[points.clone(), vec!["parking".to_owned()]].concat());
    assert!(matches!(unknown, Err(Refusal::Unknown { field: "confirmed", .. })), "{unknown:?}");
    let taken = ask(&waits, &points).expect("every point is said");
    let ready = taken.into_iter().fold(waits, |session, event| take(session, event, 600));
    assert!(matches!(ask(&ready, &points), Err(Refusal::WrongPhase { .. })));
    let (program, _) = ready.program.clone().expect("a program");
    let again = take(ready, Event::PumpProgrammed(program), 605);
    assert_eq!((again.phase, again.time_out), (Phase::Gated, None));
    assert!(ask(&again, &points).is_ok(), "the pump was programmed again");
}

/// Hazard 04: a code that nobody knows is not ketamine because somebody said so about the strength.
#[test]
fn a_vial_of_another_drug_is_refused_and_one_of_an_unlisted_maker_is_read_aloud() {
    let session = before("vial_scanned");
    let scan = |ndc: &str, read_as: Option<&str>| {
        let vial = ScannedVial {
            vial: crate::id::VialId::new("v9"),
            ndc: ndc.to_owned(),
            lot: "DEPO".to_owned(),
            expires: jiff::civil::date(2030, 1, 1),
            strength: Concentration(50_000),
            volume: Microlitres(10_000),
            read_as: read_as.map(str::to_owned),
        };
        let command = Command::ScanVial { vial, today: jiff::civil::date(2026, 3, 2), another: false };
        decide(&session, command, &nurse("kim"), at(300), knowledge())
    };
    for known in ["42023-113-10", "42023-113", "4202311310"] {
        assert!(scan(known, None).is_ok(), "{known}");
    }
    for other in ["0009-3073-01", "42023-1130-10", ""] {
        let refusal = scan(other, None).expect_err("nobody knows it");
        assert_eq!(refusal.field(), "read_as", "{other:?}: {refusal}");
    }
    for label in ["Depo-Medrol", "esketamine", "S-ketamine", "ketamine and water"] {
        let refusal = scan("0009-3073-01", Some(label)).expect_err("another drug");
        assert!(refusal.to_string().contains(label), "{refusal}");
    }
    assert!(scan("99999-001-01", Some(" Ketamine  Hydrochloride")).is_ok());
}

/// Hazard 54: a pump counts up; a reading that was wrong is taken back in words, and what had flowed is spread again.
#[test]
fn a_counter_that_goes_back_is_refused_until_the_reading_before_is_called_wrong() {
    let ready = before("infusion_started");
    let start = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) };
    let session = take(ready, start, 600);
    let session = take(session, Event::PumpWasRead(read(1_000, 30_800, 720)), 720);
    let session = take(session, Event::PumpWasRead(read(6_400, 30_800, 900)), 900);
    let ask = |by: ReadBy, counter| {
        let read = PumpRead { by, ..read(counter, 30_800, 960) };
        decide(&session, Command::ReadPump { read }, &nurse("kim"), at(960), knowledge())
    };
    let refusal = ask(ReadBy::Person, 3_000).expect_err("it counts up");
    assert!(refusal.to_string().contains("6.4 mL, as read before"), "{refusal}");
    let told = ask(ReadBy::Link(crate::id::DeviceId::new("p1")), 3_000).expect("a message is never refused");
    assert!(matches!(told[..], [Event::CounterDoubted(_)]), "{told:?}");
    let refusal = ask(ReadBy::Correcting, 500).expect_err("the reading before that one stands");
    assert!(refusal.to_string().contains("1 mL, as read before the reading that was wrong"), "{refusal}");
    let told = ask(ReadBy::Correcting, 3_000).expect("it is said");
    let [event] = &told[..] else { panic!("{told:?}") };
    let session = take(session.clone(), event.clone(), 960);
    assert_eq!(session.delivery.volume_at(at(960)), Microlitres(3_000));
    let flowed: Vec<i64> =
        session.delivery.segments_to(at(960)).iter().map(|segment| segment.volume.0).collect();
    assert_eq!(flowed.iter().sum::<i64>(), 3_000);
    assert!(flowed.iter().all(|volume| *volume >= 0), "nothing flowed back: {flowed:?}");
    assert_eq!(flowed[0], 1_000, "what was read before stands");
}

/// Hazard 152: a screen would show it beside half of an older one.
#[test]
fn half_a_blood_pressure_is_refused_beside_the_missing_half() {
    use crate::device::Parameter::{Diastolic, HeartRate, Systolic};
    let session = before("drug_wasted");
    for (half, missing) in [(Systolic, "dbp"), (Diastolic, "sbp")] {
        let refusal = decide(&session, vitals(half, 1_200), &nurse("kim"), at(3_120), knowledge());
        assert_eq!(refusal.expect_err("half a pressure").field(), missing);
    }
    assert!(decide(&session, vitals(HeartRate, 720), &nurse("kim"), at(3_120), knowledge()).is_ok());
}
