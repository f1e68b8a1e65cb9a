//! The way home: nothing is left undone unseen, and no drug stands in no account.

use super::*;
use crate::device::Parameter;
use crate::knowledge::gates::{Answer, Answers};
use crate::monitor::{Leftovers, Unfinished};
use crate::quantity::Tenths;
use crate::session::gates::{baseline, vitals_since_the_end};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The last command of the scenario, with what the watch left undone and the words on it.
fn home(unfinished: &Leftovers, words: &[(Unfinished, &str)]) -> Command {
    let told = [
        "tolerates_fluids",
        "no_new_suicidal_thoughts",
        "escort_present",
        "instructions_given",
        "clinician_signs",
    ];
    let yes = crate::knowledge::gates::Answer::Yes(true);
    Command::Discharge {
        escort: "Sam Rivera".to_owned(),
        escort_phone: "+1 555 0100".to_owned(),
        answers: told.map(|fact| (fact.to_owned(), yes)).into_iter().collect(),
        instructions: "home-v1".to_owned(),
        unfinished: unfinished.clone(),
        words: words.iter().map(|(what, word)| (*what, (*word).to_owned())).collect(),
        signature: signed("kim", Role::Nurse),
    }
}

fn left(kinds: &[Unfinished]) -> Leftovers {
    kinds.iter().map(|kind| (*kind, vec![format!("one of the {}", kind.title())])).collect()
}

/// Just before home, with every side effect over.
fn at_the_door() -> Session {
    let mut session = before("left_unfinished");
    session.adverse_events.clear();
    session
}

/// When the scenario sends its patient home.
fn leaves() -> Timestamp {
    history().iter().find(|one| one.event.kind() == "discharged").expect("it ends at home").at
}

fn go(session: &Session, command: Command) -> Result<Vec<Event>, Refusal> {
    decide(session, command, &nurse("kim"), leaves(), knowledge())
}

/// Hazard 42: a check that was missed, an alarm that nobody answered, a side effect that is open.
#[test]
fn nobody_goes_home_past_what_is_unfinished_without_a_word_on_each_kind() {
    use Unfinished::{MissedChecks, OpenSideEffects, UnansweredAlarms};
    let mut session = at_the_door();
    assert!(matches!(go(&session, home(&Leftovers::new(), &[])).as_deref(), Ok([Event::Discharged { .. }])));
    session.adverse_events.push((
        AdverseEvent {
            number: 99,
            playbook: RuleId::new("headache"),
            version: 1,
            grade: 1,
            serious: false,
            began_at: start(),
            text: String::new(),
        },
        None,
    ));
    let watched = left(&[MissedChecks, UnansweredAlarms]);
    let words = [
        (MissedChecks, "cuff moved to the left arm"),
        (UnansweredAlarms, "seen at the chair"),
        (OpenSideEffects, "mild, going"),
    ];
    for missing in Unfinished::ALL {
        let others: Vec<_> = words.iter().copied().filter(|(kind, _)| *kind != missing).collect();
        for none in [None, Some("."), Some(" ")] {
            let words: Vec<_> = others.iter().copied().chain(none.map(|dot| (missing, dot))).collect();
            let refusal = go(&session, home(&watched, &words)).expect_err("no word");
            assert_eq!(refusal.field(), missing.field(), "{refusal}");
        }
    }
    let events = go(&session, home(&watched, &words)).expect("each has its word");
    let told: BTreeMap<Unfinished, (Vec<String>, String)> = events
        .iter()
        .filter_map(|event| match event {
            Event::LeftUnfinished { what, items, word } => Some((*what, (items.clone(), word.clone()))),
            _ => None,
        })
        .collect();
    assert_eq!(told[&MissedChecks], (vec!["one of the missed checks".to_owned()], words[0].1.to_owned()));
    assert_eq!(told[&OpenSideEffects].0, ["Headache, grade 1"]);
    assert!(told.len() == 3 && matches!(events.last(), Some(Event::Discharged { .. })), "{events:?}");
}

/// Hazard 54: home comes after the last microgram.
#[test]
fn nobody_goes_home_while_drug_stands_in_no_account() {
    let balanced = at_the_door();
    let mut short = balanced.clone();
    let waste = short.waste.as_mut().expect("the rest was wasted");
    waste.wasted = Microlitres(waste.wasted.0 - 1_000);
    let refusal = go(&short, home(&Leftovers::new(), &[])).expect_err("a millilitre is missing");
    assert!(matches!(refusal, Refusal::BalanceOpen { difference: Micrograms(2_000), .. }), "{refusal}");
    let mut unopened = balanced.clone();
    let vial = unopened.vials.first().expect("a vial").clone();
    unopened.vials.push(ScannedVial { vial: crate::id::VialId::new("v2"), ..vial });
    let refusal = go(&unopened, home(&Leftovers::new(), &[])).expect_err("a vial is in nobody's hands");
    assert!(matches!(refusal, Refusal::Missing { field: "vial", .. }), "{refusal}");
    let mut not_wasted = balanced;
    not_wasted.waste = None;
    let refusal = go(&not_wasted, home(&Leftovers::new(), &[])).expect_err("nobody saw the rest");
    assert!(matches!(refusal, Refusal::Missing { field: "waste", .. }), "{refusal}");
}

/// Hazard 54: a pump that counts on after the waste, as when its line is flushed, is measured anew before a witness.
#[test]
fn what_is_counted_after_the_waste_is_measured_anew_and_not_for_ever_open() {
    let closed = at_the_door();
    let waste = closed.waste.clone().expect("the rest was wasted");
    let again = |wasted: Microlitres| Command::Waste {
        wasted,
        residual_in_line: waste.residual_in_line,
        left_in_vials: measured(),
        vial_fate: VialFate::Wasted,
        explanation: None,
        witness: signed("lee", Role::Nurse),
    };
    let twice = go(&closed, again(waste.wasted)).expect_err("it adds up");
    assert!(twice.to_string().contains("witnessed already"), "{twice}");
    let second = leaves().duration_since(start()).as_secs();
    let counted = closed.delivery.last_counter().0 + 500;
    let on = take(closed, Event::PumpWasRead(read(counted, 0, second)), second);
    let refusal = go(&on, home(&Leftovers::new(), &[])).expect_err("half a millilitre more");
    assert!(matches!(refusal, Refusal::BalanceOpen { .. }), "{refusal}");
    let anew = go(&on, again(Microlitres(waste.wasted.0 - 500))).expect("measured anew");
    assert!(matches!(&anew[..], [Event::DrugWasted { .. }]), "{anew:?}");
    let settled = anew.into_iter().fold(on, |session, event| take(session, event, second));
    assert!(go(&settled, home(&Leftovers::new(), &[])).is_ok());
}

/// So many minutes before the scenario sends its patient home.
fn before_leaving(minutes: i64) -> Timestamp {
    leaves() - SignedDuration::from_mins(minutes)
}

/// Entered at the door, however long ago it was seen.
fn charted(session: Session, observed_at: Timestamp, finding: Finding) -> Session {
    let second = leaves().duration_since(start()).as_secs();
    take(session, Event::ObservationCharted(Observation::by_eye(observed_at, finding)), second)
}

fn signs(values: &[(Parameter, i32)]) -> Finding {
    Finding::Vitals { values: values.iter().map(|(sign, value)| (*sign, Tenths::whole(*value))).collect() }
}

fn held(session: &Session) -> String {
    go(session, home(&Leftovers::new(), &[])).map_or_else(|refusal| refusal.to_string(), |_| String::new())
}

/// Hazard 40: an older set that is typed later does not make the newer one vanish.
#[test]
fn home_is_judged_by_what_was_seen_last_not_by_what_was_typed_last() {
    use Parameter::{Diastolic, HeartRate, Spo2, Systolic};
    let bad = signs(&[(Systolic, 176), (Diastolic, 104), (HeartRate, 124), (Spo2, 88)]);
    let good = signs(&[(Systolic, 126), (Diastolic, 78), (HeartRate, 74), (Spo2, 98)]);
    let findings = [
        (bad, good, "176/104"),
        (Finding::MoaaS { score: 2 }, Finding::MoaaS { score: 5 }, "MOAA/S 2"),
        (
            Finding::AsBefore { as_before: false },
            Finding::AsBefore { as_before: true },
            "dissociation not over",
        ),
        (Finding::Nausea { score: 3 }, Finding::Nausea { score: 0 }, "nausea 3"),
    ];
    for (bad, good, reason) in findings {
        let newly_bad = charted(at_the_door(), before_leaving(2), bad.clone());
        let then_older = charted(newly_bad, before_leaving(8), good.clone());
        assert!(held(&then_older).contains(reason), "{}", held(&then_older));
        assert_eq!(held(&charted(then_older.clone(), before_leaving(1), good.clone())), "");
        // Of two at the same time the one that was entered later.
        assert_eq!(held(&charted(then_older, before_leaving(2), good)), "");
        assert_eq!(held(&charted(at_the_door(), before_leaving(13), bad)), "", "it was better after that");
    }
}

/// Hazard 40: what the page scores by is what home is judged by, also where a pulse oximeter counted the beats.
#[test]
fn a_pulse_rate_that_is_newer_than_the_heart_rate_counts() {
    let fast = signs(&[(Parameter::PulseRate, 124)]);
    let session = charted(at_the_door(), before_leaving(2), fast);
    let rate = vitals_since_the_end(&session).heart_rate.expect("a rate");
    assert_eq!((rate.value, rate.at), (Decimal::from(124), before_leaving(2)));
    assert!(held(&session).contains("heart rate 124"), "{}", held(&session));
}

/// A pressure is as old as the older of its two numbers.
#[test]
fn half_a_pressure_does_not_make_the_other_half_new() {
    let session = charted(at_the_door(), before_leaving(0), signs(&[(Parameter::Systolic, 126)]));
    let pressure = vitals_since_the_end(&session).pressure.expect("both numbers");
    assert_eq!(pressure.at, before_leaving(12));
}

/// Hazard 40: a finding of the wrong patient that was struck does not carry anybody home.
#[test]
fn what_was_amended_is_no_finding_any_more() {
    let drowsy = charted(at_the_door(), before_leaving(5), Finding::MoaaS { score: 3 });
    let mistaken = charted(drowsy, before_leaving(2), Finding::MoaaS { score: 5 });
    assert_eq!(held(&mistaken), "");
    let order = Event::EntryAmended {
        position: *mistaken.positions.last().expect("it is in the log"),
        reason: "typed into the wrong visit".to_owned(),
        text: "not this patient".to_owned(),
    };
    let struck = take(mistaken, order, leaves().duration_since(start()).as_secs());
    assert!(held(&struck).contains("MOAA/S 3"), "{}", held(&struck));
}

/// Hazard 40: by mouth, too.
#[test]
fn a_rescue_drug_by_any_route_makes_the_stay_longer() {
    let given = |route: &str, given_at| {
        let given = DrugGiven {
            drug: "clonidine".to_owned(),
            dose: Decimal::new(1, 1),
            unit: "mg".to_owned(),
            route: route.to_owned(),
            standing_order: RuleId::new("hypertension"),
            version: 1,
            adverse_event: None,
            given_at,
        };
        held(&take(at_the_door(), Event::DrugWasGiven(given), 3_600))
    };
    for route in ["IV", "IM", "PO", "SL", "nasal"] {
        assert!(given(route, before_leaving(20)).contains("40 min too early"), "{route}");
        assert_eq!(given(route, before_leaving(60)), "", "{route}");
    }
}

/// Hazard 41: named, reachable, and there in person.
#[test]
fn nobody_goes_home_before_the_escort_is_there() {
    let session = at_the_door();
    let told = |change: fn(&mut String, &mut String, &mut Answers)| {
        let mut command = home(&Leftovers::new(), &[]);
        if let Command::Discharge { escort, escort_phone, answers, .. } = &mut command {
            change(escort, escort_phone, answers);
        }
        go(&session, command).map_or_else(|refusal| refusal.to_string(), |_| String::new())
    };
    assert_eq!(told(|_, _, _| {}), "");
    let waiting = told(|_, _, answers| {
        answers.insert("escort_present".to_owned(), Answer::Yes(false));
    });
    assert!(waiting.contains("Escort is here in person: no"), "{waiting}");
    let unasked = told(|_, _, answers| {
        answers.remove("escort_present");
    });
    assert!(unasked.contains("missing: Escort is here in person"), "{unasked}");
    for nobody in [told(|name, _, _| " ".clone_into(name)), told(|_, phone, _| phone.clear())] {
        assert!(nobody.contains("Nobody goes home alone"), "{nobody}");
    }
}

proptest! {
    /// The order in which sets are typed decides nothing.
    #[test]
    fn the_last_vital_signs_are_the_same_in_any_order_of_entry(
        entered in Just((0_i32..9).collect::<Vec<_>>()).prop_shuffle(),
        old in 0_i32..9,
    ) {
        let before_start = history().iter().find(|one| one.event.kind() == "infusion_started").expect("it starts").at;
        let (mut home, mut began) = (at_the_door(), at_the_door());
        for minute in entered {
            let rate = |value| signs(&[(Parameter::HeartRate, value)]);
            home = charted(home, before_leaving(i64::from(minute)), rate(60 + minute));
            if minute >= old {
                began = charted(began, before_start - SignedDuration::from_mins(i64::from(minute) + 1), rate(60 + minute));
            }
        }
        prop_assert_eq!(vitals_since_the_end(&home).heart_rate.map(|rate| rate.value), Some(Decimal::from(60)));
        prop_assert_eq!(baseline(&began, knowledge()).heart_rate, Some(Decimal::from(60 + old)));
    }
}

/// What is of another year is of another visit, or a slip of the keyboard.
#[test]
fn an_event_that_began_before_the_patient_came_or_is_to_come_is_refused_with_both_ends() {
    let session = at_the_door();
    let now = leaves();
    let began = |began_at| Command::NoteAdverseEvent {
        playbook: RuleId::new("headache"),
        grade: 1,
        serious: false,
        began_at,
        text: "behind the eyes".to_owned(),
    };
    let arrived = session.checked_in_at.expect("here");
    let second = SignedDuration::from_secs(1);
    for out in [Timestamp::UNIX_EPOCH, arrived - second, now + second] {
        let refused = decide(&session, began(out), &nurse("kim"), now, knowledge()).expect_err("refused");
        assert!(
            refused.field() == "began_at" && refused.to_string().contains("between check-in at"),
            "{refused}"
        );
    }
    for within in [arrived, now] {
        decide(&session, began(within), &nurse("kim"), now, knowledge()).expect("noted");
    }
}

/// Hazard 134: how long a side effect lasted is counted from what was seen, and never backwards.
#[test]
fn a_side_effect_ends_after_it_began_and_not_in_the_future() {
    let running = before("infusion_ended");
    let noted = AdverseEvent {
        number: 98,
        playbook: RuleId::new("headache"),
        version: 1,
        grade: 1,
        serious: false,
        began_at: at(1_200),
        text: String::new(),
    };
    let session = take(running, Event::AdverseEventNoted(noted), 1_260);
    let over = |ended_at| {
        let command = Command::ResolveAdverseEvent { number: 98, outcome: "gone".to_owned(), ended_at };
        decide(&session, command, &nurse("kim"), at(1_800), knowledge())
    };
    for wrong in [at(1_199), at(1_801)] {
        let refused = over(Some(wrong)).expect_err("it cannot have ended then");
        assert_eq!(refused.field(), "ended_at");
        assert!(refused.to_string().contains(&at(1_200).to_string()), "{refused}");
    }
    for (ended_at, ends) in [(Some(at(1_500)), at(1_500)), (None, at(1_800))] {
        let events = over(ended_at).expect("over");
        let after = events.into_iter().fold(session.clone(), |session, event| take(session, event, 1_800));
        let (_, end) = after.adverse_events.last().expect("it is there");
        assert_eq!(end.as_ref().map(|(at, outcome)| (*at, outcome.as_str())), Some((ends, "gone")));
    }
}

/// Hazard 135: a bad experience is told in the patient's words before the next infusion is ordered.
#[test]
fn how_an_infusion_was_is_told_by_the_patient_once_it_has_begun() {
    let chart = |session: &Session, finding| {
        let seen = Observation::by_eye(at(1_790), finding);
        decide(session, Command::Chart(seen), &nurse("kim"), at(1_800), knowledge())
    };
    let words = |words: &str| Finding::Experience { felt: Felt::Frightening, words: words.to_owned() };
    let (ready, over) = (before("infusion_started"), before("discharge_scored"));
    for finding in [Finding::Tolerated { score: 3 }, words("like drowning")] {
        let early = chart(&ready, finding.clone()).expect_err("nothing was infused");
        assert!(early.to_string().contains("has begun"), "{early}");
        assert!(chart(&over, finding).is_ok());
    }
    let beyond = chart(&over, Finding::Tolerated { score: 11 }).expect_err("beyond its scale");
    assert!(beyond.field() == "tolerated" && beyond.to_string().contains("0 to 10"), "{beyond}");
    assert!(chart(&over, words("")).is_ok(), "somebody may have no words for it");
    assert_eq!(chart(&over, words("a\u{202e}b")).expect_err("unseen").field(), "words");
}
