//! How infusions went, as charted, and what advice may take from it.

use super::KNOWLEDGE;
use crate::course::went::{SideEffect, Went, answers, at_the_last_dose, went};
use crate::id::StaffId;
use crate::quantity::Micrograms;
use crate::scenario::Scenario;
use crate::session::{self, AdverseEvent, Felt, Finding, Recorded, Session};
use crate::staff::Actor;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// A visit as a scenario tells it, up to its end.
fn played(text: &str) -> (Session, Timestamp) {
    let scenario = Scenario::read(text).expect("a scenario");
    let (mut session, mut now) = (Session::default(), scenario.start);
    for step in &scenario.steps {
        let (minutes, seconds) = step.at.split_once(':').expect("a time");
        let passed = 60 * minutes.parse::<i64>().expect("minutes") + seconds.parse::<i64>().expect("seconds");
        now = scenario.start + SignedDuration::from_secs(passed);
        let by = StaffId::new(&step.by);
        let actor = Actor { id: by.clone(), role: scenario.people[&step.by] };
        let Some(command) = step.command.clone() else { continue };
        for event in session::decide(&session, command, &actor, now, &KNOWLEDGE).unwrap_or_default() {
            let version = session.version + 1;
            session = session::evolve(
                session,
                &Recorded { position: version, version, at: now, by: by.clone(), event },
            );
        }
    }
    (session, now)
}

fn bad() -> Went {
    let text = include_str!("../../../tests/scenarios/hypertension_stopped_early.toml");
    let (session, now) = played(text);
    went(&session, now).expect("it began")
}

fn mild() -> Went {
    let (session, now) = played(include_str!("../../../tests/scenarios/first_infusion.toml"));
    went(&session, now).expect("it began")
}

#[test]
fn an_infusion_that_went_badly_says_so() {
    let bad = bad();
    let peak = bad.highest.expect("charted");
    assert_eq!((peak.systolic, peak.diastolic), (Decimal::from(184), Decimal::from(112)));
    assert!(bad.was_interrupted() && bad.pauses == 1, "{bad:?}");
    assert_eq!(bad.stopped.as_deref(), Some("blood pressure; not resumed today"));
    assert_eq!(bad.side_effects.get("hypertension"), Some(&SideEffect { grade: 2, minutes: Some(24) }));
    assert!(bad.delivered < Micrograms(41_000) && bad.delivered > Micrograms::ZERO, "{:?}", bad.delivered);
    let mild = mild();
    assert_eq!(mild.highest.map(|peak| peak.systolic), Some(Decimal::from(126)));
    let queasy = mild.side_effects.get("nausea_vomiting").expect("noted");
    assert_eq!(
        (mild.lowest_moaas, queasy.grade, queasy.minutes),
        (Some(5), 1, None),
        "nobody said that it is over"
    );
}

#[test]
fn what_was_charted_before_the_start_is_no_peak() {
    let (session, now) = played(include_str!("../../../tests/scenarios/first_infusion.toml"));
    let started = session.delivery.started().expect("it began");
    let mut before = session.clone();
    before.observations.retain(|(seen, _, _)| seen.observed_at < started);
    assert!(!before.observations.is_empty());
    let went = went(&before, now).expect("it began");
    assert_eq!((went.highest, went.lowest_moaas, went.distress), (None, None, None));
    assert!(super::super::went::went(&Session::default(), now).is_none(), "nothing began");
}

#[test]
fn advice_takes_the_worst_of_all_and_nothing_that_one_of_them_lacks() {
    let (mild, bad) = (mild(), bad());
    let smooth = Went { pauses: 0, stopped: None, ..mild };
    let both = answers(&[smooth.clone(), bad.clone()]);
    assert_eq!((both["paused_or_stopped"].as_str(), both["highest_systolic"].as_str()), ("yes", "184"));
    assert_eq!(answers(std::slice::from_ref(&smooth))["paused_or_stopped"], "no");
    let unseen = Went { highest: None, ..smooth };
    let told = answers(&[unseen, bad]);
    assert!(!told.contains_key("highest_systolic") && !told.contains_key("highest_diastolic"), "{told:?}");
    assert!(answers(&[]).is_empty());
}

#[test]
fn a_side_effect_that_came_twice_lasts_from_its_first_begin_to_its_last_end() {
    let (mut session, now) = played(include_str!("../../../tests/scenarios/hypertension_stopped_early.toml"));
    let (first, end) = session.adverse_events[0].clone();
    let (ended, _) = end.expect("it is over");
    let later = |end| (AdverseEvent { number: 2, grade: 1, began_at: ended, ..first.clone() }, end);
    let told = |session: &Session| went(session, now).expect("it began").side_effects["hypertension"];
    session.adverse_events.push(later(None));
    assert_eq!(told(&session), SideEffect { grade: 2, minutes: None }, "one is open");
    let again = ended + SignedDuration::from_mins(10);
    session.adverse_events[1] = later(Some((again, "140/84".to_owned())));
    assert_eq!(told(&session), SideEffect { grade: 2, minutes: Some(34) });
}

#[test]
fn what_the_patient_said_last_of_an_infusion_is_what_the_next_order_sees() {
    let (mut session, now) = played(include_str!("../../../tests/scenarios/first_infusion.toml"));
    assert_eq!(
        went(&session, now).map(|went| (went.tolerated, went.felt)),
        Some((None, None)),
        "never asked"
    );
    let (seen, by, position) = session.observations.last().cloned().expect("charted");
    let mut chart = |finding| {
        let seen = crate::session::Observation { finding, ..seen.clone() };
        session.observations.push((seen, by.clone(), position));
    };
    chart(Finding::Tolerated { score: 8 });
    chart(Finding::Experience { felt: Felt::Pleasant, words: "a happy place".to_owned() });
    chart(Finding::Tolerated { score: 2 });
    chart(Finding::Mood { score: 3 });
    chart(Finding::Mood { score: 7 });
    chart(Finding::Experience { felt: Felt::Frightening, words: "like drowning".to_owned() });
    let went = went(&session, now).expect("it began");
    assert_eq!((went.mood, went.pain), (Some((3, 7)), None));
    assert_eq!((went.tolerated, went.felt), (Some(2), Some((Felt::Frightening, "like drowning".to_owned()))));
}

#[test]
fn infusions_are_of_one_dose_by_what_was_ordered_and_a_part_of_it_is_told() {
    let (mild, bad) = (Went { stopped: None, ..mild() }, bad());
    assert_eq!(
        (mild.ordered_mg_per_kg, bad.ordered_mg_per_kg),
        (Some("0.5".parse().expect("a number")), mild.ordered_mg_per_kg)
    );
    assert_ne!(mild.mg_per_kg, bad.mg_per_kg);
    let higher = Went { ordered_mg_per_kg: Some(Decimal::ONE), ..mild.clone() };
    let all = [mild.clone(), higher, mild.clone(), bad.clone()];
    assert_eq!(at_the_last_dose(&all), &all[2..], "a part is no dose of its own");
    let unordered = Went { ordered_mg_per_kg: None, ..mild.clone() };
    assert_eq!(at_the_last_dose(&[unordered.clone(), unordered]), &[]);
    assert_eq!(mild.in_part(), None);
    let part = bad.in_part().expect("it was stopped early").to_string();
    assert!(part.contains("of 41 mg ordered: blood pressure; not resumed today"), "{part}");
}
