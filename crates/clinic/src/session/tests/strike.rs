//! Hazard 100: a finding that was charted by mistake is struck, with a reason, and counts for nothing any more.

use super::*;
use crate::session::gates as rules;
use rust_decimal::Decimal;

fn strike(position: i64) -> Command {
    Command::Amend { position, reason: "wrong patient".to_owned(), text: String::new() }
}

/// Whatever was charted, and whenever it is struck: what the visit is judged by is what it would be without it.
#[test]
fn after_striking_a_finding_the_visit_stands_as_without_it() {
    let history = history();
    let charted: Vec<&Recorded> =
        history.iter().filter(|one| matches!(one.event, Event::ObservationCharted(_))).collect();
    assert!(charted.len() > 1, "nothing was charted in the whole visit");
    for one in charted {
        let end = history.last().map(|last| last.at).expect("a visit");
        let until: Vec<&Recorded> = history
            .iter()
            .filter(|other| !matches!(other.event, Event::Discharged { .. } | Event::EntryAmended { .. }))
            .collect();
        let session = replay(until.iter().copied());
        let events =
            decide(&session, strike(one.position), &nurse("nurse.lee"), end, knowledge()).expect("struck");
        let [event] = events.as_slice() else { panic!("{events:?}") };
        let mut with = take(session, event.clone(), 9_000);
        let mut without = replay(until.into_iter().filter(|other| other.position != one.position));
        assert_eq!(with.struck, [one.position].into());
        assert_eq!(
            rules::discharge_assessment(&with, Default::default(), end, knowledge()),
            rules::discharge_assessment(&without, Default::default(), end, knowledge())
        );
        assert_eq!(rules::baseline(&with, knowledge()), rules::baseline(&without, knowledge()));
        assert_eq!(rules::standing(&with, knowledge()), rules::standing(&without, knowledge()));
        for session in [&mut with, &mut without] {
            (session.version, session.positions, session.struck) = (0, Vec::new(), Default::default());
        }
        assert_eq!(with, without);
        // Nobody strikes it twice.
        let again = take(replay(history), event.clone(), 9_000);
        let refused = decide(&again, strike(one.position), &nurse("nurse.kim"), end, knowledge());
        assert!(matches!(refused, Err(Refusal::OutOfRange { field: "position", .. })), "{refused:?}");
    }
}

#[test]
fn a_strike_names_a_finding_and_a_reason_and_comes_from_who_may_chart() {
    let running = before("infusion_ended");
    let (seen, _, position) = running.observations.first().cloned().expect("a finding");
    let refused = |command| {
        decide(&running, command, &nurse("nurse.kim"), at(2_000), knowledge()).expect_err("refused")
    };
    for reason in ["", "  ", "ok", "123"] {
        let command = Command::Amend { position, reason: reason.to_owned(), text: String::new() };
        let why = refused(command);
        assert_eq!(why.field(), "reason", "{reason:?}");
        assert!(why.to_string().contains("at least 3 letters"), "{why}");
    }
    // What is no finding needs the words that stand for it; what is of another visit is not here.
    let other = running.positions.iter().copied().find(|one| *one != position).expect("another entry");
    assert_eq!(refused(strike(other)).field(), "text");
    assert_eq!(refused(strike(99_999)).field(), "position");
    for role in [crate::staff::Role::Therapist, crate::staff::Role::FrontDesk] {
        let actor = Actor { id: StaffId::new("sam"), role };
        let why = decide(&running, strike(position), &actor, at(2_000), knowledge());
        assert!(matches!(why, Err(Refusal::NotAllowed { .. })), "{why:?}");
    }
    assert!(running.observations.iter().any(|(one, ..)| *one == seen), "nothing was written");
}

fn labetalol(given_at: Timestamp) -> DrugGiven {
    DrugGiven {
        drug: "labetalol".to_owned(),
        dose: Decimal::from(20),
        unit: "mg".to_owned(),
        route: "IV".to_owned(),
        standing_order: RuleId::new("hypertension"),
        version: 1,
        adverse_event: None,
        given_at,
    }
}

/// The whole visit with each of its drugs and side effects, and one of each more, before anybody left.
fn with_more() -> Vec<Recorded> {
    let stays = |one: &&Recorded| !matches!(one.event, Event::Discharged { .. } | Event::EntryAmended { .. });
    let mut all: Vec<Recorded> = history().iter().filter(stays).cloned().collect();
    let last = all.last().cloned().expect("a visit");
    let number = replay(&all).event_numbers.values().max().map_or(1, |last| last + 1);
    let noted = AdverseEvent {
        number,
        playbook: RuleId::new("headache"),
        version: 1,
        grade: 2,
        serious: false,
        began_at: last.at,
        text: "pressing".to_owned(),
    };
    let more = [
        Event::DrugWasGiven(labetalol(last.at)),
        Event::AdverseEventNoted(noted),
        Event::AdverseEventResolved { number, outcome: "gone".to_owned(), ended_at: None },
    ];
    for (n, event) in (1..).zip(more) {
        let (position, version) = (last.position + n, last.version + n);
        all.push(Recorded { position, version, event, ..last.clone() });
    }
    all
}

/// Hazard 123: whatever drug or side effect is struck, the visit is judged as it would be without it.
#[test]
fn after_striking_a_drug_or_a_side_effect_the_visit_stands_as_without_it() {
    let all = with_more();
    let end = all.last().map(|last| last.at).expect("a visit");
    let mut struck_kinds = std::collections::BTreeSet::new();
    for one in
        all.iter().filter(|one| matches!(one.event.kind().as_str(), "drug_was_given" | "adverse_event_noted"))
    {
        struck_kinds.insert(one.event.kind());
        let session = replay(&all);
        let events =
            decide(&session, strike(one.position), &nurse("nurse.lee"), end, knowledge()).expect("struck");
        let [event] = events.as_slice() else { panic!("{events:?}") };
        let mut with = take(session, event.clone(), 9_000);
        let mut without = replay(all.iter().filter(|other| other.position != one.position));
        assert_eq!(
            rules::discharge_assessment(&with, Default::default(), end, knowledge()),
            rules::discharge_assessment(&without, Default::default(), end, knowledge())
        );
        assert_eq!(
            rules::open_side_effects(&with, knowledge()),
            rules::open_side_effects(&without, knowledge())
        );
        let again = decide(&with, strike(one.position), &nurse("nurse.kim"), end, knowledge());
        assert!(matches!(again, Err(Refusal::OutOfRange { field: "position", .. })), "{again:?}");
        assert!(with.event_numbers.len() >= without.event_numbers.len(), "a number that was used stays used");
        for session in [&mut with, &mut without] {
            (session.version, session.positions, session.struck) = (0, Vec::new(), Default::default());
            session.event_numbers.clear();
        }
        assert_eq!(with, without);
    }
    assert_eq!(struck_kinds.len(), 2, "{struck_kinds:?}");
}

/// Hazard 123: a mistaken tap does not keep the real dose away; what has other words was given all the same.
#[test]
fn a_struck_drug_uses_up_neither_interval_nor_total() {
    let running = before("infusion_ended");
    let give = |session: &Session| {
        let given = Command::GiveDrug { given: labetalol(at(1_900)), confirmed: true };
        decide(session, given, &nurse("kim"), at(1_900), knowledge())
    };
    let slip = take(running, Event::DrugWasGiven(labetalol(at(1_890))), 1_890);
    let position = slip.version;
    assert!(matches!(give(&slip), Err(Refusal::DoseRefused { .. })), "{:?}", give(&slip));
    let amended = |text: &str| {
        let order = Command::Amend { position, reason: "wrong patient".to_owned(), text: text.to_owned() };
        let events = decide(&slip, order, &nurse("kim"), at(1_895), knowledge()).expect("amended");
        events.into_iter().fold(slip.clone(), |session, event| take(session, event, 1_895))
    };
    assert!(give(&amended("given slowly")).is_err(), "it was given");
    let struck = amended("");
    assert!(give(&struck).is_ok(), "{:?}", give(&struck));
}

fn note(session: &Session, grade: u8, serious: bool, text: &str) -> Result<Vec<Event>, Refusal> {
    let (playbook, text) = (RuleId::new("headache"), text.to_owned());
    let noted = Command::NoteAdverseEvent { playbook, grade, serious, began_at: at(1_900), text };
    decide(session, noted, &nurse("kim"), at(1_900), knowledge())
}

/// Hazard 123: the number of a struck side effect is nobody else's, and it has no outcome.
#[test]
fn the_number_of_a_struck_side_effect_stays_used() {
    let mut session = before("infusion_ended");
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let events = note(&session, 1, false, "").expect("noted");
        let [Event::AdverseEventNoted(event)] = events.as_slice() else { panic!("{events:?}") };
        numbers.push(event.number);
        session = take(session, Event::AdverseEventNoted(event.clone()), 1_900);
        let order = strike(session.version);
        let events = decide(&session, order, &nurse("kim"), at(1_900), knowledge()).expect("struck");
        session = events.into_iter().fold(session, |session, event| take(session, event, 1_900));
        let (number, outcome) = (event.number, "gone".to_owned());
        let over = Command::ResolveAdverseEvent { number, outcome, ended_at: None };
        let why = decide(&session, over, &nurse("kim"), at(1_900), knowledge()).expect_err("struck");
        assert_eq!(why.field(), "number");
    }
    let [first, second, third] = numbers.as_slice() else { panic!("{numbers:?}") };
    assert_eq!((*second, *third), (first + 1, first + 2));
}

/// Hazard 123: what is grave is never noted without words.
#[test]
fn a_grave_side_effect_needs_words() {
    let running = before("infusion_ended");
    for (grade, serious) in [(1, true), (3, true), (4, false), (5, false), (5, true)] {
        for text in ["", "  ", "."] {
            let why = note(&running, grade, serious, text).expect_err("no words");
            assert_eq!(why.field(), "text", "{grade} {serious} {text:?}");
        }
        assert!(note(&running, grade, serious, "MI").is_ok(), "{grade} {serious}");
    }
    for grade in [1, 2, 3] {
        assert!(note(&running, grade, false, "").is_ok(), "{grade}");
    }
}
