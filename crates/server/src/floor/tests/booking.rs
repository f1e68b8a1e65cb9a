//! Two who book at once, on the log itself.

use super::*;
use crate::floor::Booking;
use clinic::course::calendar::{Calendar, Opening};
use clinic::course::{Booked, Plan, What};
use clinic::gate::Verdict;
use clinic::staff::Signature;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::sync::Barrier;

pub(super) fn calendar() -> Calendar {
    let opening = vec![Opening::read("open", "mon-fri 08:00-17:00").expect("hours")];
    Calendar { opening, holidays: BTreeSet::new(), zone: TimeZone::UTC }
}

pub(super) fn osei() -> Actor {
    Actor { id: StaffId::new("osei"), role: Role::Prescriber }
}

pub(super) fn signature(floor: &Floor) -> Signature {
    let (by, at) = (osei().id, floor.clock().now());
    Signature { by, role: Role::Prescriber, meaning: "I sign this plan".to_owned(), at }
}

/// Everything asked and screened, as a person against whom nothing speaks answers it.
fn may_open(floor: &Floor, patient: &str) {
    use clinic::screen::consulting::{Command, Section};
    // The answers of the example are of this day; a work-up becomes too old.
    let asked: Timestamp = "2026-11-22T09:00:00Z".parse().expect("a time");
    let until = asked.duration_since(floor.clock().now());
    if until.is_positive() {
        floor.clock().advance(Duration::from_secs(until.as_secs().unsigned_abs()));
    }
    let who = PatientId::new(patient);
    let today = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let clean = include_str!("../../../../clinic/tests/screening/clean.json");
    let said = clinic::screen::read(clean, today, floor.knowledge()).expect("it reads");
    for section in Section::ALL {
        let command = Command::Record { section, said: Box::new(said.clone()), read: 0 };
        let id = CommandId::new(format!("{}-{patient}", section.key()));
        floor.consult(&who, (&id, &TimeZone::UTC), &nurse("kim"), command).expect("recorded");
    }
    let person = Box::new(floor.patient(&who).expect("log").expect("registered"));
    let screen = Command::Screen { patient: person, profile: "default".to_owned(), today };
    floor
        .consult(&who, (&CommandId::new(format!("screen-{patient}")), &TimeZone::UTC), &nurse("kim"), screen)
        .expect("screened");
}

/// A signed plan of two infusions, and every check that holds a booking made.
pub(super) fn planned(floor: &Floor, patient: &str) {
    may_open(floor, patient);
    let who = PatientId::new(patient);
    let item = floor.knowledge().regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    let plan = Plan { infusions: 2, stop_rules: vec!["no response".to_owned()], ..usual };
    let (reason, signature) = (Some("a short course".to_owned()), signature(floor));
    let open = clinic::course::Command::Open { patient: who.clone(), plan, reason, signature };
    let id = CommandId::new(format!("open-{patient}"));
    let on = floor.clock().now().to_zoned(TimeZone::UTC).date();
    floor.decide_course(&who, &id, &osei(), &open, (on, &calendar())).expect("signed");
    for due in floor.checks_due(&who, on).expect("log").into_iter().filter(|due| due.verdict >= Verdict::Hold)
    {
        let (id, result) = (CommandId::new(format!("{}-{patient}", due.rule)), "normal".to_owned());
        let made = clinic::course::Command::MakeCheck {
            check: due.rule,
            on,
            result,
            judged: clinic::course::Judged::WithinLimits,
        };
        floor.decide_course(&who, &id, &nurse("kim"), &made, (on, &calendar())).expect("recorded");
    }
}

pub(super) fn booking(floor: &Floor, patient: &str, chair: &str) -> Booking {
    let today = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let first = today.saturating_add(jiff::Span::new().days(14));
    let proposed = floor.propose_visits(&PatientId::new(patient), (first, None), &calendar()).expect("log");
    let starts = proposed.expect("a plan is open").visits.iter().map(|visit| visit.start).collect();
    let times = Booked::between(Timestamp::MIN, Timestamp::MIN);
    let (chair, nurse) = (Some(ChairId::new(chair)), Some(StaffId::new("kim")));
    Booking { starts, talks: Vec::new(), place: Booked { chair, nurse, ..times } }
}

pub(super) fn book(floor: &Floor, patient: &str, id: &str, booking: &Booking) -> Result<Done, Denied> {
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
            book(floor, patient, &format!("{patient}-{round}-cancel"), &Booking::nothing())
                .expect("cancelled");
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
    assert!(matches!(denied, Denied::Course(clinic::course::Refusal::Visits(_))), "{denied}");
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
    may_open(floor, "p1");
    let on = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let decide = |id: &str, by: &Actor, command| {
        floor.decide_course(&who, &CommandId::new(id), by, &command, (on, &calendar()))
    };
    let open = clinic::course::Command::Open {
        patient: who.clone(),
        plan,
        reason: None,
        signature: signature(floor),
    };
    decide("open", &osei(), open).expect("signed");
    for check in ["check_liver", "check_pdmp"].map(clinic::id::RuleId::new) {
        let (result, judged) = ("to be repeated".to_owned(), clinic::course::Judged::LookAt);
        let made = clinic::course::Command::MakeCheck { check: check.clone(), on, result, judged };
        decide(&format!("made-{check}"), &nurse("kim"), made).expect("recorded");
    }
    let asked = booking(floor, "p1", "1");
    let held: Vec<_> = floor
        .checks_due(&who, on)
        .expect("log")
        .into_iter()
        .filter(|due| due.verdict >= Verdict::Hold)
        .collect();
    assert_eq!(held.len(), 2, "the screening has seen the others");
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

/// Hazard 72: nobody begins a course whom nobody asked, or whom a rule holds.
#[test]
fn no_plan_is_signed_before_the_consultation_lets_a_course_open() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    let who = PatientId::new("p1");
    let item = floor.knowledge().regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    let plan = Plan { stop_rules: vec!["no response".to_owned()], ..usual };
    let (reason, signature) = (None, signature(floor));
    let open = clinic::course::Command::Open { patient: who.clone(), plan, reason, signature };
    let on = "2026-11-22".parse().expect("a day");
    let sign = |id: &str, on: jiff::civil::Date| {
        floor.decide_course(&who, &CommandId::new(id), &osei(), &open, (on, &calendar()))
    };
    let denied = sign("early", on).expect_err("nobody asked anything");
    assert!(matches!(denied, Denied::Course(clinic::course::Refusal::Refused { .. })), "{denied}");
    may_open(floor, "p1");
    let later = on.saturating_add(jiff::Span::new().years(1));
    assert!(sign("late", later).is_err(), "what was asked a year ago has become too old");
    assert!(floor.course(&who).expect("log").history.is_empty(), "nothing was written");
    sign("now", on).expect("signed");
}

/// Preparation and integration are held with the infusions, in one entry; the therapist is in one place at a time.
#[test]
fn talks_are_held_with_the_infusions_and_take_the_therapist() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p1");
    planned(floor, "p2");
    let asked = booking(floor, "p1", "1");
    let after = |n: usize, hours: i64| {
        let start = asked.starts[n - 1] + jiff::SignedDuration::from_hours(hours);
        (What::Integration, n, start)
    };
    let before = (What::Preparation, 0, asked.starts[0] - jiff::SignedDuration::from_hours(72));
    let place = Booked { therapist: Some(StaffId::new("ines")), ..asked.place.clone() };
    let talks = vec![before, after(1, 24), after(2, 24)];
    let with = Booking { talks, place, ..asked.clone() };
    let late = Booking { talks: vec![before, after(1, 24), after(2, 96)], ..with.clone() };
    match book(floor, "p1", "late", &late).expect_err("beyond 72 h") {
        Denied::Course(clinic::course::Refusal::Visits(stopped)) => {
            assert_eq!(stopped.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["integration-2"]);
        }
        other => panic!("{other}"),
    }
    assert!(book(floor, "p1", "one", &with).is_ok());
    assert!(book(floor, "p1", "one", &with).expect("the first outcome").before, "the same form again");
    let held = booked(floor, "p1");
    assert_eq!(held.len(), 5);
    let talks: Vec<_> = held.iter().filter(|visit| visit.what != What::Infusion).collect();
    assert!(talks.iter().all(|talk| talk.chair.is_none() && talk.nurse.is_none()), "{talks:?}");
    let other =
        Booking { place: Booked { chair: Some(ChairId::new("2")), ..with.place.clone() }, ..with.clone() };
    let denied = book(floor, "p2", "two", &other).expect_err("the therapist sits with p1");
    assert_eq!(denied.field(), "therapist", "{denied}");
    book(floor, "p1", "none", &Booking::nothing()).expect("cancelled");
    assert!(held.iter().all(|visit| {
        let date = visit.start.to_zoned(TimeZone::UTC).date();
        floor.day(date).expect("log").visits().is_empty()
    }));
}

/// A visit that is over stays in the calendar of its day, whatever is booked after it.
#[test]
fn what_is_over_stays_in_the_calendar_when_the_rest_is_moved() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p1");
    let asked = booking(floor, "p1", "1");
    book(floor, "p1", "one", &asked).expect("booked");
    let first = asked.starts[0];
    let until = first.duration_since(floor.clock().now()) + jiff::SignedDuration::from_mins(1);
    clinic.clock.advance(Duration::from_secs(until.as_secs().unsigned_abs()));
    book(floor, "p1", "none", &Booking::nothing()).expect("cancelled");
    assert_eq!(held(floor, &asked), [1, 0]);
}

/// Hazard 170: a newer plan takes nobody's chair. What it needs is held where it is free, in one entry with the plan.
#[test]
fn a_longer_plan_holds_more_of_the_chair_where_nobody_else_has_it() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    let who = PatientId::new("p1");
    planned(floor, "p1");
    planned(floor, "p2");
    let asked = booking(floor, "p1", "1");
    book(floor, "p1", "one", &asked).expect("booked");
    let hours = jiff::SignedDuration::from_hours;
    let next =
        Booking { starts: vec![asked.starts[1] + hours(2), asked.starts[1] + hours(98)], ..asked.clone() };
    book(floor, "p2", "two", &next).expect("after p1 has gone");
    let course = floor.course(&who).expect("log").course;
    let plan = Plan { minutes: 90.into(), ..course.plan().expect("a plan").clone() };
    let (reason, signature) = ("was queasy".to_owned(), signature(floor));
    let longer = clinic::course::Command::ChangePlan { read: 1, plan, reason, signature };
    let on = floor.clock().now().to_zoned(TimeZone::UTC).date();
    let sign = || floor.decide_course(&who, &CommandId::new("longer"), &osei(), &longer, (on, &calendar()));
    assert!(!sign().expect("signed").before);
    assert!(sign().expect("the first outcome").before, "the same form again");
    let now = booked(floor, "p1");
    let lasts: Vec<i64> = now.iter().map(|one| one.end.duration_since(one.start).as_mins()).collect();
    assert_eq!(lasts, [150, 120]);
    assert_eq!(now[0].must_move, None);
    let why = now[1].must_move.clone().expect("p2 sits there");
    assert!(why.contains("now, and Chair 1 is taken from"), "{why}");
    for visit in &now {
        let day = floor.day(visit.start.to_zoned(TimeZone::UTC).date()).expect("log");
        assert!(day.visits().iter().any(|(_, patient, held)| **patient == who && *held == visit));
    }
    assert_eq!(booked(floor, "p2").iter().filter(|one| one.must_move.is_some()).count(), 0);
}
