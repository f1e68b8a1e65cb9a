//! One person with two records, on the log itself.

use super::*;
use crate::floor::PatientAct;
use clinic::course::waitlist;
use clinic::id::RuleId;
use std::sync::Barrier;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 3, 2);

/// Joins `p1` to `p2`.
fn join(floor: &Floor, command_id: &str) -> Result<Done, Denied> {
    let (command_id, patient) = (&CommandId::new(command_id), &PatientId::new("p1"));
    floor.join_records(&PatientAct { command_id, actor: &nurse("kim"), patient }, "004218", "one passport")
}

/// Hazard 148: every list of what was given counts the infusions of both records.
#[test]
fn what_was_given_on_the_record_that_closed_counts_on_the_one_that_stays() {
    let mut clinic = Clinic::new();
    clinic.play_until("nothing more");
    let (floor, stays) = (&clinic.floor, PatientId::new("p2"));
    assert!(floor.given_to(&stays).expect("log").is_empty(), "two people as far as anybody knows");
    join(floor, "join").expect("joined");
    let given = floor.given_to(&stays).expect("log");
    assert!(matches!(given.as_slice(), [(session, ..)] if *session == clinic.visit), "{}", given.len());
    let visits = floor.visits_of(&stays).expect("log");
    assert!(matches!(visits.as_slice(), [row] if row.started_at.is_some()), "{visits:?}");
    assert_eq!(floor.exposures(&stays).expect("log").len(), 1, "once");
    assert_eq!(floor.infusions(&stays).expect("log").len(), 1, "once");
}

/// Plans a visit on `p1`.
fn plan(floor: &Floor, visit: &str) -> Result<Done, Denied> {
    let (patient, regimen) = (PatientId::new("p1"), RuleId::new("mdd_trd_std"));
    let plan = Command::Plan { patient, regimen, infusion: 1, of: 6, day: TODAY };
    floor.act(&SessionId::new(visit), &CommandId::new(visit), &nurse("kim"), plan)
}

/// Hazard 148: nothing is opened on a record in the moment in which it closes, and the other way round.
#[test]
fn a_visit_and_a_join_at_the_same_moment_never_leave_a_visit_open_on_a_closed_record() {
    let (mut joined, mut planned) = (0, 0);
    for _ in 0..40 {
        let clinic = Clinic::new();
        let (floor, together) = (&clinic.floor, &Barrier::new(2));
        let (join, plan) = std::thread::scope(|scope| {
            let one = scope.spawn(move || {
                together.wait();
                join(floor, "join").is_ok()
            });
            let other = scope.spawn(move || {
                together.wait();
                plan(floor, "v1").is_ok()
            });
            (one.join().expect("no panic"), other.join().expect("no panic"))
        });
        assert!(join != plan, "one of the two: joined {join}, planned {plan}");
        joined += u32::from(join);
        planned += u32::from(plan);
    }
    assert_eq!(joined + planned, 40);
}

/// Hazard 148: a program whose memory is behind asks the log itself.
#[test]
fn what_another_program_on_the_log_joined_or_planned_is_known_before_anything_opens() {
    let clinic = Clinic::new();
    let other = open_on(clinic.floor.store(), &clinic.clock, 2);
    let closes = PatientId::new("p1");
    assert_eq!(other.joined_to(&closes).expect("log"), None);
    plan(&clinic.floor, "v1").expect("planned");
    let refused = join(&other, "too early").expect_err("planned elsewhere");
    assert!(refused.to_string().contains("A visit of 004217 is open"), "{refused}");
    let cancel = Command::Cancel { reason: "planned on the wrong record".to_owned() };
    clinic.act("cancel", cancel).expect("cancelled");
    join(&clinic.floor, "join").expect("joined");
    let wait = waitlist::Event::WaitBegan { patient: closes.clone(), wish: String::new() };
    let waits = other.change_waitlist(&CommandId::new("wait"), &nurse("kim"), &wait);
    let end = clinic::course::Command::Book { visits: Vec::new(), checks: Vec::new() };
    let course = other.decide_course(
        &closes,
        &CommandId::new("book"),
        &nurse("kim"),
        &end,
        (TODAY, &super::booking::calendar()),
    );
    for outcome in [plan(&other, "v2"), waits, course, join(&other, "again")] {
        let refused = outcome.expect_err("closed").to_string();
        assert!(refused.contains("004217 was joined to another already"), "{refused}");
    }
}
