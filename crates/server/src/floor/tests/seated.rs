//! The calendar knows who sits on the floor.

use super::booking::{book, booking, calendar, planned};
use super::*;
use crate::floor::Booking;
use clinic::course::calendar::{Calendar, Opening};
use clinic::course::diary::Standing;
use clinic::course::{Booked, Refusal};
use clinic::id::RuleId;
use jiff::{SignedDuration, ToSpan};

/// Open at all hours, so that a booking may be for today.
fn always() -> Calendar {
    let opening = vec![Opening::read("open", "mon-sun 00:00-23:59").expect("hours")];
    Calendar { opening, ..calendar() }
}

fn book_any_time(floor: &Floor, patient: &str, id: &str, booking: &Booking) -> Result<Done, Denied> {
    floor.book(&PatientId::new(patient), &CommandId::new(id), &nurse("kim"), booking, &always())
}

fn today(floor: &Floor) -> jiff::civil::Date {
    floor.clock().now().to_zoned(TimeZone::UTC).date()
}

/// A visit for today, and the patient in a chair.
fn sits_down(floor: &Floor, patient: &str, chair: &str) -> Result<Done, Denied> {
    let visit = SessionId::new(format!("walk-in-{patient}"));
    let act = |id: &str, command| {
        floor.act(&visit, &CommandId::new(format!("{id}-{patient}-{chair}")), &nurse("kim"), command)
    };
    let plan = Command::Plan {
        patient: PatientId::new(patient),
        regimen: RuleId::new("mdd_trd_std"),
        infusion: 1,
        of: 2,
        day: today(floor),
    };
    if floor.session(&visit).expect("log").is_none() {
        act("plan", plan).expect("planned");
    }
    act("check-in", Command::CheckIn { chair: ChairId::new(chair) })
}

fn after(floor: &Floor, minutes: i64) -> Timestamp {
    floor.clock().now() + SignedDuration::from_mins(minutes)
}

/// The first visit after so many minutes, the second four days later.
fn soon(floor: &Floor, patient: &str, chair: &str, minutes: i64) -> Booking {
    let starts = vec![after(floor, minutes), after(floor, minutes + 4 * 24 * 60)];
    Booking { starts, ..booking(floor, patient, chair) }
}

/// What stands in today's calendar.
fn stands(floor: &Floor) -> Vec<(String, Option<Standing>, bool)> {
    let day = floor.day_as_it_is(today(floor)).expect("log");
    let line =
        |one: clinic::course::diary::Entry<'_>| (one.patient.to_string(), one.standing, one.course.is_some());
    day.entries().into_iter().map(line).collect()
}

/// Hazard 158: who came without a booking holds the chair until they may go; who is booked holds it against who comes.
#[test]
fn nothing_is_booked_over_a_visit_that_nobody_booked_and_nobody_sits_down_in_a_booked_chair() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p2");
    sits_down(floor, "p1", "3").expect("checked in");
    assert_eq!(stands(floor), [("p1".to_owned(), Some(Standing::CheckedIn), false)]);
    let denied = book_any_time(floor, "p2", "over", &soon(floor, "p2", "3", 30)).expect_err("p1 sits there");
    assert!(matches!(denied, Denied::Course(Refusal::Taken { field: "chair", .. })), "{denied}");
    assert_eq!(
        floor.course(&PatientId::new("p2")).expect("log").course.booked.len(),
        0,
        "nothing half-written"
    );
    book_any_time(floor, "p2", "beside", &soon(floor, "p2", "1", 30)).expect("another chair");

    clinic.register("p4", "004220");
    let denied = sits_down(floor, "p4", "1").expect_err("booked in half an hour");
    assert!(matches!(denied, Denied::Seating(clinic::floor::Refusal::ChairIsBooked { .. })), "{denied}");
    assert_eq!(denied.field(), "chair");
    sits_down(floor, "p4", "2").expect("a chair that nobody booked");
    clinic.seconds_pass(40 * 60);
    sits_down(floor, "p2", "1").expect("her own place");
    let here = Some(Standing::CheckedIn);
    let all =
        [("p1", false), ("p4", false), ("p2", true)].map(|(who, booked)| (who.to_owned(), here, booked));
    assert_eq!(stands(floor), all);
    let visit = SessionId::new("walk-in-p4");
    let cancel = Command::Cancel { reason: "went home".to_owned() };
    floor.act(&visit, &CommandId::new("cancel"), &nurse("kim"), cancel).expect("cancelled");
    assert_eq!(stands(floor)[1], ("p4".to_owned(), Some(Standing::Left), false));
}

/// Hazard 159: the infusion for which the patient sits here is one of the course when the rest is booked.
#[test]
fn an_infusion_under_way_counts_in_number_and_spacing_of_the_rest() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    let who = PatientId::new("p1");
    planned(floor, "p1");
    let both = booking(floor, "p1", "1");
    assert_eq!(both.starts.len(), 2);
    sits_down(floor, "p1", "3").expect("checked in");
    let denied = book(floor, "p1", "both", &both).expect_err("one of the two is under way");
    assert!(
        denied
            .to_string()
            .contains("1: all that are left of the plan after the one for which the patient is checked in"),
        "{denied}"
    );
    assert_eq!(booking(floor, "p1", "1").starts.len(), 1, "what the plan proposes");
    let next = |hours: i64| Booking { starts: vec![after(floor, hours * 60)], ..both.clone() };
    let denied = book_any_time(floor, "p1", "near", &next(12)).expect_err("twelve hours after this one");
    assert!(matches!(denied, Denied::Course(Refusal::Visits(_))), "{denied}");
    assert!(
        denied.to_string().contains("12 h after the infusion begins for which the patient is checked in"),
        "{denied}"
    );
    let first = floor.propose_visits(&who, (today(floor), None), &always()).expect("log").expect("a plan");
    let apart = first.visits[0].start.duration_since(floor.clock().now());
    assert!(apart >= SignedDuration::from_hours(24), "{apart:?} after the one under way");
    book_any_time(floor, "p1", "rest", &next(96)).expect("the rest");
}

/// The place of whoever came early stays theirs, whatever is booked after it.
#[test]
fn a_booked_visit_that_is_under_way_keeps_its_place_when_the_rest_is_moved() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p1");
    book_any_time(floor, "p1", "both", &soon(floor, "p1", "3", 20)).expect("booked");
    sits_down(floor, "p1", "3").expect("checked in early");
    let course = floor.course(&PatientId::new("p1")).expect("log").course;
    assert_eq!((course.booked.len(), course.to_come(floor.clock().now()).count()), (2, 1));
    let rest = Booking { starts: vec![after(floor, 5 * 24 * 60)], ..booking(floor, "p1", "3") };
    book_any_time(floor, "p1", "moved", &rest).expect("the rest moved");
    assert_eq!(stands(floor), [("p1".to_owned(), Some(Standing::CheckedIn), true)]);
    book_any_time(floor, "p1", "none", &Booking::nothing()).expect("the rest cancelled");
    assert_eq!(stands(floor), [("p1".to_owned(), Some(Standing::CheckedIn), true)]);
    let later = floor.day(today(floor).saturating_add(5.days())).expect("log");
    assert!(later.visits().is_empty());
    let alone = Booked { nurse: Some(StaffId::new("lee")), ..rest.place.clone() };
    planned(floor, "p2");
    let over = Booking { place: alone, ..soon(floor, "p2", "3", 60) };
    book_any_time(floor, "p2", "over", &over).expect_err("p1 sits there");
}

/// Hazard 162: a visit that nobody booked is held by what would hold its booking, until a prescriber gives a reason.
#[test]
fn a_visit_without_a_booking_is_held_by_what_holds_a_booking() {
    let clinic = Clinic::new();
    let (floor, who) = (&clinic.floor, PatientId::new("p1"));
    planned(floor, "p1");
    let decide = |id: &str, by: &Actor, command| {
        floor
            .decide_course(&who, &CommandId::new(id), by, &command, (today(floor), &calendar()))
            .expect("recorded");
    };
    let look_at = || clinic::course::Command::MakeCheck {
        check: RuleId::new("check_pdmp"),
        on: today(floor),
        result: "ketamine from another prescriber".to_owned(),
        judged: clinic::course::Judged::LookAt,
    };
    decide("look", &nurse("kim"), look_at());
    let denied = sits_down_or_why(floor, "p1", "3").expect_err("held");
    assert!(denied.contains("ketamine from another prescriber. Ketamine from another"), "{denied}");
    assert!(denied.contains("a prescriber gives a reason at the course"), "{denied}");
    let desk = Actor { id: StaffId::new("robin"), role: Role::FrontDesk };
    assert!(floor.session(&SessionId::new("walk-in-p1")).expect("log").is_none(), "nothing half-written");
    let held = || {
        let due = floor.checks_due(&who, today(floor)).expect("log");
        due.into_iter().find(|due| due.rule.as_str() == "check_pdmp").expect("due")
    };
    let pass = |finding| {
        let (reason, signature) = ("called the prescriber".to_owned(), super::booking::signature(floor));
        clinic::course::Command::OverrideCheck { finding, reason, signature }
    };
    decide("pass", &super::booking::osei(), pass(held()));
    assert_eq!(plan_by(floor, &desk).map(|done| done.before).ok(), Some(false), "planned");
    decide("look again", &nurse("kim"), look_at());
    let denied = sits_down_or_why(floor, "p1", "3").expect_err("found again since");
    assert!(denied.contains("ketamine from another prescriber"), "{denied}");
    decide("pass again", &super::booking::osei(), pass(held()));
    sits_down_or_why(floor, "p1", "3").expect("checked in");
}

fn plan_by(floor: &Floor, by: &Actor) -> Result<Done, Denied> {
    let (patient, regimen, day) = (PatientId::new("p1"), RuleId::new("mdd_trd_std"), today(floor));
    let plan = Command::Plan { patient, regimen, infusion: 1, of: 2, day };
    floor.act(&SessionId::new("walk-in-p1"), &CommandId::new("plan-by"), by, plan)
}

fn sits_down_or_why(floor: &Floor, patient: &str, chair: &str) -> Result<Done, String> {
    if floor.session(&SessionId::new(format!("walk-in-{patient}"))).expect("log").is_none() {
        plan_by(floor, &nurse("kim")).map_err(|denied| denied.to_string())?;
    }
    sits_down(floor, patient, chair).map_err(|denied| denied.to_string())
}

/// Hazard 158: the front desk may show somebody to a chair; the nurse of the visit is who weighs the patient.
#[test]
fn who_weighs_a_patient_looks_after_them_and_not_who_showed_the_chair() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    let visit = SessionId::new("walk-in");
    let desk = Actor { id: StaffId::new("robin"), role: Role::FrontDesk };
    let plan = Command::Plan {
        patient: PatientId::new("p1"),
        regimen: RuleId::new("mdd_trd_std"),
        infusion: 1,
        of: 2,
        day: today(floor),
    };
    floor.act(&visit, &CommandId::new("plan"), &desk, plan).expect("planned");
    floor
        .act(&visit, &CommandId::new("sit"), &desk, Command::CheckIn { chair: ChairId::new("2") })
        .expect("sits");
    let nurse_of = || {
        let day = floor.day_as_it_is(today(floor)).expect("log");
        day.entries().into_iter().map(|one| one.place.nurse).collect::<Vec<_>>()
    };
    assert_eq!(nurse_of(), [None]);
    let weigh = Command::Weigh {
        weight: clinic::quantity::Weight(82_000),
        height: None,
        sex: None,
        last: None,
        reason: Some("the scale shows kg".to_owned()),
    };
    floor.act(&visit, &CommandId::new("weigh"), &nurse("kim"), weigh).expect("weighed");
    assert_eq!(nurse_of(), [Some(StaffId::new("kim"))]);
}
