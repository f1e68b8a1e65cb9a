//! What holds the start, and who may let it go: gates by name, overrides, the second check, the weight.

use super::*;
use crate::gate::{DayOfInputs, MeasuredBefore, Pressure};
use crate::knowledge::gates::Answer;
use crate::session::gates::{self as rules, makes_wait, measured_then};
use std::collections::BTreeSet;

fn begin() -> Command {
    Command::Start { counter: Microlitres(0), contradicts: Vec::new() }
}

/// The gate is answered anew, with some of its answers changed; what holds the start then.
fn answered_anew(gate: &str, changes: &[(&str, Answer)]) -> Result<Session, String> {
    let ready = before("infusion_started");
    let mut inputs = ready.gates[&RuleId::new(gate)].answer.inputs.clone();
    inputs.answers.extend(changes.iter().map(|(fact, answer)| ((*fact).to_owned(), *answer)));
    let answer =
        Command::AnswerGate { gate: RuleId::new(gate), inputs: Box::new(inputs), note: String::new() };
    let events = decide(&ready, answer, &nurse("kim"), at(590), knowledge()).expect("it is judged");
    let session = events.into_iter().fold(ready, |session, event| take(session, event, 590));
    match decide(&session, begin(), &nurse("kim"), at(600), knowledge()) {
        Ok(_) => Ok(session),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Hazard 36: the answer is read before any drug flows, by somebody who signs for it; there is no way round.
#[test]
fn a_positive_suicide_screen_holds_the_start_until_its_review_is_signed_and_nobody_overrides_it() {
    let positive = ("suicide_screen_positive", Answer::Yes(true));
    let held = answered_anew("c08", &[positive]).expect_err("nobody has read it");
    assert!(held.contains("C08"), "{held}");
    assert!(answered_anew("c08", &[positive, ("suicide_review_signed", Answer::Yes(false))]).is_err());
    assert!(answered_anew("c08", &[positive, ("suicide_review_signed", Answer::Yes(true))]).is_ok());
    let refusal = overridden_after("c08", &[positive], Role::Prescriber).expect_err("by nobody");
    assert!(matches!(refusal, Refusal::Held { .. }), "{refusal}");
}

/// Hazard 43.
#[test]
fn too_few_nurses_or_nobody_trained_in_resuscitation_hold_the_start() {
    assert!(answered_anew("c14", &[]).is_ok());
    let held = answered_anew("c14", &[("acls_clinician_on_site", Answer::Yes(false))]).expect_err("held");
    assert!(held.contains("C14"), "{held}");
    let many = ("patients_per_nurse", Answer::Number(9.into()));
    let held = answered_anew("c14", &[many]).expect_err("too many for one nurse");
    assert!(held.contains("C14"), "{held}");
}

/// Hazard 44: each piece by itself.
#[test]
fn each_missing_piece_of_emergency_equipment_holds_the_start() {
    let ready = before("infusion_started");
    let pieces: BTreeSet<String> =
        ready.gates[&RuleId::new("c13")].answer.inputs.answers.keys().cloned().collect();
    assert!(
        pieces.contains("oxygen_ready")
            && pieces.contains("suction_ready")
            && pieces.contains("crash_drugs_in_date")
    );
    for piece in pieces {
        let held = answered_anew("c13", &[(&piece, Answer::Yes(false))]).expect_err(&piece);
        assert!(held.contains("C13"), "{piece}: {held}");
    }
}

/// What comes of an override of a gate that was answered anew.
fn overridden_after(gate: &str, changes: &[(&str, Answer)], role: Role) -> Result<Session, Refusal> {
    let ready = before("infusion_started");
    let mut inputs = ready.gates[&RuleId::new(gate)].answer.inputs.clone();
    inputs.answers.extend(changes.iter().map(|(fact, answer)| ((*fact).to_owned(), *answer)));
    let gate = RuleId::new(gate);
    let answer = Command::AnswerGate { gate: gate.clone(), inputs: Box::new(inputs), note: String::new() };
    let events = decide(&ready, answer, &nurse("kim"), at(590), knowledge())?;
    let session = events.into_iter().fold(ready, |session, event| take(session, event, 590));
    let reason = "seen by me, goes well".to_owned();
    let let_pass = Command::OverrideGate { gate, reason, signature: signed("osei", role) };
    let doctor = Actor { id: StaffId::new("osei"), role: Role::Prescriber };
    let events = decide(&session, let_pass, &doctor, at(595), knowledge())?;
    Ok(events.into_iter().fold(session, |session, event| take(session, event, 595)))
}

const SNACK: (&str, Answer) = ("hours_since_solids", Answer::Number(rust_decimal::Decimal::ONE));

/// An override is a prescriber's, and only of what the knowledge leaves to a prescriber.
#[test]
fn a_gate_is_overridden_by_a_prescriber_alone_and_only_where_its_rule_allows() {
    assert!(answered_anew("c05", &[SNACK]).is_err(), "not fasted");
    let passed = overridden_after("c05", &[SNACK], Role::Prescriber).expect("left to the prescriber");
    assert!(decide(&passed, begin(), &nurse("kim"), at(600), knowledge()).is_ok());
    for role in [Role::Nurse, Role::Therapist, Role::FrontDesk, Role::Owner, Role::Machine] {
        let refusal = overridden_after("c05", &[SNACK], role).expect_err("not a prescriber's signature");
        assert!(matches!(refusal, Refusal::NotAllowed { .. }), "{role:?}: {refusal}");
    }
    let refusal = overridden_after("c13", &[("oxygen_ready", Answer::Yes(false))], Role::Prescriber);
    assert!(matches!(refusal, Err(Refusal::Held { .. })), "{refusal:?}");
}

#[test]
fn an_override_falls_when_its_gate_is_answered_again() {
    let passed = overridden_after("c05", &[SNACK], Role::Prescriber).expect("left to the prescriber");
    let inputs = Box::new(passed.gates[&RuleId::new("c05")].answer.inputs.clone());
    let again = Command::AnswerGate { gate: RuleId::new("c05"), inputs, note: String::new() };
    let events = decide(&passed, again, &nurse("kim"), at(596), knowledge()).expect("it is judged");
    let session = events.into_iter().fold(passed, |session, event| take(session, event, 596));
    let refusal = decide(&session, begin(), &nurse("kim"), at(600), knowledge()).expect_err("held again");
    assert!(refusal.to_string().contains("C05"), "{refusal}");
}

/// Hazard 09: what was checked is what was in the syringe then.
#[test]
fn a_draw_after_the_second_check_voids_the_check() {
    let ready = before("infusion_started");
    let Draw { vial, .. } = ready.draws[0].clone();
    let drawn = Event::Drawn {
        vial,
        stock: Microlitres(10),
        mass: Micrograms(500),
        diluted_to: Microlitres(250),
        diluent: None,
    };
    let session = take(ready, drawn, 590);
    assert!(session.second_check.is_none() && session.time_out.is_none());
    let time_out = Command::TimeOut { confirmed: Vec::new() };
    let refusal = decide(&session, time_out, &nurse("kim"), at(600), knowledge()).expect_err("not checked");
    assert!(refusal.to_string().contains("second person"), "{refusal}");
}

fn weigh(grams: i64, height: Option<Height>, last: Option<Weight>, reason: Option<&str>) -> Command {
    let reason = reason.map(str::to_owned);
    Command::Weigh { weight: Weight(grams), height, sex: None, last, reason }
}

/// Hazard 01: within one visit, with nobody's earlier weight to compare with.
#[test]
fn a_second_weight_that_jumps_asks_and_one_that_looks_like_pounds_says_so() {
    let session = before("order_signed");
    assert_eq!(session.weight.map(|(weight, _)| weight), Some(Weight(82_000)));
    let ask = |grams, reason| {
        decide(&session, weigh(grams, None, None, reason), &nurse("kim"), at(500), knowledge())
    };
    assert!(ask(83_000, None).is_ok());
    for (grams, words) in [(100_000, "22 %"), (37_200, "pounds"), (180_800, "pounds")] {
        let refusal = ask(grams, None).expect_err("it jumped");
        assert!(matches!(refusal, Refusal::NeedsReason { field: "reason", .. }), "{refusal}");
        assert!(refusal.to_string().contains(words), "{grams}: {refusal}");
        assert!(ask(grams, Some("the first was read in pounds")).is_ok(), "a mistake is corrected");
    }
    let yesterday = Some(Weight(82_000));
    let refusal =
        decide(&session, weigh(180_800, None, yesterday, Some("sure")), &nurse("kim"), at(500), knowledge());
    assert!(matches!(refusal, Err(Refusal::DoseRefused { .. })), "{refusal:?}");
}

/// Hazard 01: many small steps make a large one.
#[test]
fn a_weight_that_walks_away_in_small_steps_is_held_against_the_first_of_the_visit() {
    let ask = |session: &Session, grams, reason| {
        decide(session, weigh(grams, None, None, reason), &nurse("kim"), at(500), knowledge())
    };
    let walk = |session: Session, grams, reason| {
        let events = ask(&session, grams, reason).expect("it is taken");
        events.into_iter().fold(session, |session, event| take(session, event, 500))
    };
    let once = walk(before("order_signed"), 92_000, None);
    let refusal = ask(&once, 103_000, None).expect_err("12 % more than before, 26 % more than at first");
    assert!(refusal.to_string().contains("25.6 % away from the first weight of this visit"), "{refusal}");
    let said = walk(once, 103_000, Some("the first was read with the scale untared"));
    assert!(ask(&said, 104_000, None).is_ok(), "whoever gave a reason is asked no more");
}

/// Hazard 01: a first visit has no weight to compare with; the height tells pounds from kilograms.
#[test]
fn a_first_weight_is_held_against_the_height_and_without_one_asks() {
    let arrived = before("weighed");
    let ask = |grams, height: Option<i64>, reason| {
        let height = height.map(Height);
        decide(&arrived, weigh(grams, height, None, reason), &nurse("kim"), at(150), knowledge())
    };
    assert!(ask(82_000, Some(1780), None).is_ok());
    // 150 lb at 1.70 m, typed as kilograms: inside the limits of a weight.
    let refusal = ask(150_000, Some(1700), None).expect_err("a body mass index of 52");
    assert!(refusal.to_string().contains("lb"), "{refusal}");
    let refusal = ask(82_000, None, None).expect_err("nothing tells the unit");
    assert!(matches!(refusal, Refusal::NeedsReason { field: "reason", .. }), "{refusal}");
    assert!(refusal.to_string().contains("Measure the height"), "{refusal}");
    assert!(ask(82_000, None, Some("read twice, the scale shows kg")).is_ok());
}

/// Hazard 09: what was computed from the old weight is void, and the log says so.
#[test]
fn a_corrected_weight_says_which_order_it_voids() {
    let ready = before("infusion_started");
    let order = ready.order.as_ref().map(|(order, _)| order.id.clone()).expect("an order");
    let events = decide(&ready, weigh(84_000, None, None, None), &nurse("kim"), at(590), knowledge());
    let voided = Event::OrderVoided { order, weight_before: Weight(82_000), weight_now: Weight(84_000) };
    assert_eq!(events.expect("it is taken").last(), Some(&voided));
    let unordered = before("order_signed");
    let events = decide(&unordered, weigh(84_000, None, None, None), &nurse("kim"), at(500), knowledge());
    assert_eq!(events.expect("it is taken").len(), 1);
}

/// An answer of the vital-signs gate with the same pressure twice.
fn cuff(pressure: (i32, i32), elsewhere: &[MeasuredBefore]) -> Command {
    let gate = RuleId::new("c11");
    let sound = before("infusion_started").gates[&gate].answer.inputs.clone();
    let pressures = [pressure; 2].map(|(high, low)| Pressure::new(high, low)).to_vec();
    let inputs = DayOfInputs { pressures, measured_before: elsewhere.to_vec(), ..sound };
    Command::AnswerGate { gate, inputs: Box::new(inputs), note: String::new() }
}

fn told(session: Session, command: Command, second: i64) -> Session {
    let events = decide(&session, command, &nurse("kim"), at(second), knowledge()).expect("it is taken");
    events.into_iter().fold(session, |session, event| take(session, event, second))
}

fn holds(session: &Session) -> Vec<String> {
    let gates = rules::standing(session, knowledge());
    gates.into_iter().find(|gate| gate.gate.as_str() == "c11").expect("the gate").open
}

/// Hazard 39: whoever cancels the visit and plans it anew measures no sooner for it.
#[test]
fn the_wait_after_a_red_or_crisis_pressure_follows_the_patient_into_another_visit() {
    for pressure in [(170, 100), (190, 100)] {
        let first = told(before("weighed"), cuff(pressure, &[]), 300);
        let first = told(first, Command::Cancel { reason: "too high".to_owned() }, 330);
        let waits: Vec<MeasuredBefore> = makes_wait(&first, knowledge()).map(measured_then).collect();
        assert_eq!(waits.len(), 1);
        let second = |second: i64| told(before("weighed"), cuff((118, 74), &waits), second);
        let held = holds(&second(600));
        assert!(
            matches!(&held[..], [why] if why.contains("in another visit") && why.contains("25 min after this one")),
            "{pressure:?}: {held:?}"
        );
        assert_eq!(
            holds(&second(300 + 30 * 60)),
            Vec::<String>::new(),
            "{pressure:?}: half an hour after it"
        );
        // What is red again waits for itself, and says no more than that.
        assert_eq!(holds(&told(before("weighed"), cuff((170, 100), &waits), 600)).len(), 1);
    }
}

/// Hazard 39: a pressure that nobody measured makes nobody wait, and answers nothing either.
#[test]
fn a_red_pressure_that_was_entered_by_mistake_holds_no_more_once_it_is_amended() {
    let red = told(before("weighed"), cuff((170, 100), &[]), 300);
    let amend = |session: &Session| {
        let entry = session.answered_before.iter().chain(session.gates.values());
        let entry = entry.filter(|one| one.answer.inputs.pressures.contains(&Pressure::new(170, 100)));
        let position = entry.map(|one| one.position).next().expect("an answer");
        let (reason, text) = ("typed into the wrong visit".to_owned(), "118/74".to_owned());
        Command::Amend { position, reason, text }
    };
    let measured = told(red.clone(), cuff((118, 74), &[]), 420);
    assert_eq!(holds(&measured).len(), 1, "28 min to wait");
    let order = amend(&measured);
    assert_eq!(holds(&told(measured, order, 480)), Vec::<String>::new());
    // Struck while it is the last answer, it leaves the gate open and the next visit free.
    let struck = told(red.clone(), amend(&red), 360);
    assert_eq!(holds(&struck), ["Not answered."]);
    assert_eq!(makes_wait(&struck, knowledge()).count(), 0);
    assert_eq!(holds(&told(struck, cuff((118, 74), &[]), 420)), Vec::<String>::new());
    // Also out of a visit that is over by now.
    let gone = told(red, Command::Cancel { reason: "too high".to_owned() }, 330);
    let order = amend(&gone);
    assert_eq!(makes_wait(&told(gone, order, 360), knowledge()).count(), 0);
    // After the start it stays what the drug was given on.
    let running = before("infusion_ended");
    let position = running.gates[&RuleId::new("c11")].position;
    let late = Command::Amend { position, reason: "digits turned".to_owned(), text: "124/78".to_owned() };
    assert!(told(running, late, 900).gates.contains_key(&RuleId::new("c11")));
}

/// One baseline: what the band of the day was judged by is what the limits and the discharge measure changes from.
#[test]
fn the_baseline_is_the_mean_of_the_readings_that_the_gate_was_judged_by() {
    let four = [(150, 96), (146, 94), (130, 80), (124, 78)].map(|(high, low)| Pressure::new(high, low));
    let judged = crate::gate::bp_band(&four, Some(&BTreeSet::new()), knowledge()).mean;
    assert_eq!(judged, Some(Pressure::new(127, 79)));
    let (mean, of) = crate::gate::baseline(&four, knowledge()).expect("enough readings");
    assert_eq!((Some(mean), of), (judged, &four[2..]));
    assert_eq!(crate::gate::baseline(&four[..1], knowledge()), None, "one reading is no baseline");
    let mut command = cuff((120, 76), &[]);
    if let Command::AnswerGate { inputs, .. } = &mut command {
        inputs.pressures = four.to_vec();
    }
    let session = told(before("weighed"), command, 300);
    assert_eq!(rules::baseline(&session, knowledge()).pressure, judged);
}
