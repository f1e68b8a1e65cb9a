//! What holds the start, and who may let it go: gates by name, overrides, the second check, the weight.

use super::*;
use crate::knowledge::gates::Answer;
use std::collections::BTreeSet;

fn begin() -> Command {
    Command::Start { counter: Microlitres(0), contradicts: Vec::new() }
}

/// The gate is answered anew, with some of its answers changed; what holds the start then.
fn answered_anew(gate: &str, changes: &[(&str, Answer)]) -> Result<Session, String> {
    let ready = before("infusion_started");
    let mut inputs = ready.gates[&RuleId::new(gate)].0.inputs.clone();
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
        ready.gates[&RuleId::new("c13")].0.inputs.answers.keys().cloned().collect();
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
    let mut inputs = ready.gates[&RuleId::new(gate)].0.inputs.clone();
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
    let inputs = Box::new(passed.gates[&RuleId::new("c05")].0.inputs.clone());
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
        assert!(matches!(refusal, Refusal::NeedsReason { field: "weight", .. }), "{refusal}");
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
    assert!(matches!(refusal, Refusal::NeedsReason { field: "weight", .. }), "{refusal}");
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
