//! Two who book at once, on the log itself.

use super::*;
use crate::floor::Booking;
use clinic::course::calendar::{Calendar, Opening};
use clinic::course::{Booked, Plan};
use clinic::gate::Verdict;
use clinic::staff::Signature;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::sync::Barrier;

fn calendar() -> Calendar {
    let opening = vec![Opening::read("open", "mon-fri 08:00-17:00").expect("hours")];
    Calendar { opening, holidays: BTreeSet::new(), zone: TimeZone::UTC }
}

fn osei() -> Actor {
    Actor { id: StaffId::new("osei"), role: Role::Prescriber }
}

fn signature(floor: &Floor) -> Signature {
    let (by, at) = (osei().id, floor.clock().now());
    Signature { by, role: Role::Prescriber, meaning: "I sign this plan".to_owned(), at }
}

/// A signed plan of two infusions, and every check that holds a booking made.
fn planned(floor: &Floor, patient: &str) {
    let who = PatientId::new(patient);
    let item = floor.knowledge().regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    let plan = Plan { infusions: 2, stop_rules: vec!["no response".to_owned()], ..usual };
    let (reason, signature) = (Some("a short course".to_owned()), signature(floor));
    let open = clinic::course::Command::Open { patient: who.clone(), plan, reason, signature };
    let id = CommandId::new(format!("open-{patient}"));
    floor.decide_course(&who, &id, &osei(), &open).expect("signed");
    let on = floor.clock().now().to_zoned(TimeZone::UTC).date();
    for due in floor.checks_due(&who, on).expect("log").into_iter().filter(|due| due.verdict >= Verdict::Hold)
    {
        let (id, result) = (CommandId::new(format!("{}-{patient}", due.rule)), "normal".to_owned());
        let made = clinic::course::Command::MakeCheck { check: due.rule, on, result };
        floor.decide_course(&who, &id, &nurse("kim"), &made).expect("recorded");
    }
}

fn booking(floor: &Floor, patient: &str, chair: &str) -> Booking {
    let today = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let first = today.saturating_add(jiff::Span::new().days(14));
    let proposed = floor.propose_visits(&PatientId::new(patient), (first, None), &calendar()).expect("log");
    let starts = proposed.expect("a plan is open").visits.iter().map(|visit| visit.start).collect();
    let times = Booked::between(Timestamp::MIN, Timestamp::MIN);
    let (chair, nurse) = (Some(ChairId::new(chair)), Some(StaffId::new("kim")));
    Booking { starts, place: Booked { chair, nurse, ..times } }
}

fn book(floor: &Floor, patient: &str, id: &str, booking: &Booking) -> Result<Done, Denied> {
    let id = CommandId::new(id);
    floor.book(&PatientId::new(patient), &id, &nurse("kim"), booking, &calendar())
}

fn booked(floor: &Floor, patient: &str) -> Vec<Booked> {
    floor.course(&PatientId::new(patient)).expect("log").course.booked
}

/// Who is in the calendar on the days of these visits: how many, and in how many chairs.
fn held(floor: &Floor, booking: &Booking) -> Vec<usize> {
    let dates = booking.starts.iter().map(|at| at.to_zoned(TimeZone::UTC).date());
    dates.map(|date| floor.day(date).expect("log").visits().len()).collect()
}

/// Hazard 70: two programs on one log book the same chair at the same time, again and again. One of them has it, the
/// other is told so, and nothing of the other stands anywhere.
#[test]
fn two_who_book_one_chair_at_once_never_both_have_it() {
    let clinic = Clinic::new();
    let other = open_on(clinic.floor.store(), &clinic.clock, 2);
    planned(&clinic.floor, "p1");
    planned(&clinic.floor, "p2");
    for round in 0..8 {
        let together = Barrier::new(2);
        let both = [(&clinic.floor, "p1"), (&other, "p2")];
        let asked = both.map(|(floor, patient)| booking(floor, patient, "1"));
        let done: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = both
                .iter()
                .zip(&asked)
                .map(|((floor, patient), booking)| {
                    let together = &together;
                    scope.spawn(move || {
                        together.wait();
                        let answer = book(floor, patient, &format!("{patient}-{round}"), booking);
                        assert!(
                            matches!(
                                answer,
                                Ok(_) | Err(Denied::Course(clinic::course::Refusal::Taken { .. }))
                            ),
                            "{answer:?}"
                        );
                        answer.is_ok()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("answered")).collect()
        });
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "one of them, in round {round}");
        assert_eq!(held(&clinic.floor, &asked[0]), [1, 1], "whole, or nothing of it");
        for ((floor, patient), done) in both.iter().zip(done) {
            assert_eq!(booked(floor, patient).len(), if done { 2 } else { 0 });
            let none = Booking { starts: Vec::new(), place: asked[0].place.clone() };
            book(floor, patient, &format!("{patient}-{round}-cancel"), &none).expect("cancelled");
        }
        assert_eq!(held(&clinic.floor, &asked[0]), [0, 0], "cancelled, so free again");
    }
}

/// One visit that meets another keeps all of them out; one that moves is judged with the rest.
#[test]
fn a_series_is_booked_whole_or_not_at_all_and_moved_with_the_rest_judged_again() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p1");
    planned(floor, "p2");
    let first = booking(floor, "p1", "1");
    book(floor, "p1", "one", &first).expect("booked");
    assert!(book(floor, "p1", "one", &first).expect("the first outcome").before, "the same form again");

    let mut meets = booking(floor, "p2", "1");
    meets.starts[0] = meets.starts[0].checked_add(jiff::SignedDuration::from_hours(4)).expect("near");
    let denied = book(floor, "p2", "two", &meets).expect_err("the second visit meets");
    assert_eq!((denied.field(), booked(floor, "p2").len()), ("chair", 0), "{denied}");
    assert_eq!(held(floor, &meets), [1, 1], "nothing half-written");

    let mut near = first.clone();
    near.starts[1] = near.starts[0].checked_add(jiff::SignedDuration::from_hours(3)).expect("near");
    let denied = book(floor, "p1", "near", &near).expect_err("three hours after the one before");
    assert!(matches!(denied, Denied::Course(clinic::course::Refusal::Refused { .. })), "{denied}");
    let mut moved = first.clone();
    moved.starts[1] = moved.starts[1].checked_add(jiff::SignedDuration::from_hours(2)).expect("near");
    book(floor, "p1", "moved", &moved).expect("moved");
    let starts: Vec<_> = booked(floor, "p1").iter().map(|visit| visit.start).collect();
    assert_eq!(starts, moved.starts);
    assert_eq!(held(floor, &moved), [1, 1], "in place of the first");
}

/// Hazard 71: what is overdue holds the booking until it is made, or a prescriber says why not.
#[test]
fn an_overdue_check_holds_the_booking_until_it_is_made_or_overridden_once() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    let who = PatientId::new("p1");
    let item = floor.knowledge().regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    let plan = Plan { stop_rules: vec!["no response".to_owned()], ..usual };
    let decide = |id: &str, by: &Actor, command| floor.decide_course(&who, &CommandId::new(id), by, &command);
    let open = clinic::course::Command::Open {
        patient: who.clone(),
        plan,
        reason: None,
        signature: signature(floor),
    };
    decide("open", &osei(), open).expect("signed");
    let asked = booking(floor, "p1", "1");
    let on = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let held: Vec<_> = floor
        .checks_due(&who, on)
        .expect("log")
        .into_iter()
        .filter(|due| due.verdict >= Verdict::Hold)
        .collect();
    assert!(!held.is_empty(), "a baseline is due before the first infusion");
    for (n, finding) in held.into_iter().enumerate() {
        let denied = book(floor, "p1", &format!("held-{n}"), &asked).expect_err("held");
        assert!(matches!(denied, Denied::Course(clinic::course::Refusal::Held { .. })), "{denied}");
        let (reason, signature) = ("done by the referring doctor".to_owned(), signature(floor));
        let pass = clinic::course::Command::OverrideCheck { finding, reason, signature };
        decide(&format!("pass-{n}"), &osei(), pass).expect("overridden");
    }
    book(floor, "p1", "booked", &asked).expect("booked");
    let denied = book(floor, "p1", "again", &asked).expect_err("the override was for one booking");
    assert!(matches!(denied, Denied::Course(clinic::course::Refusal::Held { .. })), "{denied}");
}
