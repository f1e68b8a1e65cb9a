//! Hazard 100: a finding that was charted by mistake is struck, with a reason, and counts for nothing any more.

use super::*;
use crate::session::gates as rules;

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
