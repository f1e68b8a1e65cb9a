//! The plan in versions, bookings, maintenance, and who may.

use super::KNOWLEDGE;
use crate::course::advice::{Series, futility};
use crate::course::{
    Booked, Command, Course, Event, Judged, Plan, Recorded, Refusal, Stage, decide, evolve, made_on, replay,
};
use crate::dose::OrderedDose;
use crate::gate::{Finding, Verdict};
use crate::id::{PatientId, RuleId, SessionId, StaffId};
use crate::quantity::Micrograms;
use crate::staff::{Actor, Role, Signature};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn at() -> Timestamp {
    "2026-12-01T09:00:00Z".parse().expect("a time")
}
fn actor(id: &str, role: Role) -> Actor {
    Actor { id: StaffId::new(id), role }
}
fn osei() -> Actor {
    actor("osei", Role::Prescriber)
}
fn signed(by: &str) -> Signature {
    Signature {
        by: StaffId::new(by),
        role: Role::Prescriber,
        meaning: "I sign this plan".to_owned(),
        at: at(),
    }
}
fn plan() -> Plan {
    let item = KNOWLEDGE.regimens.get("mdd_trd_std").expect("shipped");
    let usual = Plan::usual(item, vec!["F33.2".to_owned()]).expect("for a clinic");
    Plan { stop_rules: vec!["Less than 20 % better after infusion 4".to_owned()], ..usual }
}
fn open(plan: Plan) -> Command {
    Command::Open { patient: PatientId::new("p1"), plan, reason: None, signature: signed("osei") }
}
fn change(read: u32, plan: Plan) -> Command {
    Command::ChangePlan { read, plan, reason: "partial response".to_owned(), signature: signed("osei") }
}
fn count(n: usize) -> Command {
    let session = SessionId::new(format!("s{n}"));
    Command::CountInfusion { session, on: date(2026, 12, 1), delivered: Micrograms(35_000) }
}
fn maintain(responder: Option<bool>) -> Command {
    let reason = "responded".to_owned();
    Command::BeginMaintenance { every_d: Some(7), responder, reason, signature: signed("osei") }
}
fn visits(count: usize) -> Vec<Booked> {
    let day = |n: usize| at() + SignedDuration::from_hours(72 * i64::try_from(n).expect("few"));
    let visit = |n| Booked::between(day(n), day(n) + SignedDuration::from_hours(2));
    (0..count).map(visit).collect()
}
fn overdue() -> Finding {
    let header = &KNOWLEDGE.long_term.get("check_liver").expect("shipped").header;
    Finding::new(header, Verdict::Hold, "Liver enzymes: overdue.")
}

/// Carries out, or says why not.
fn then(course: Course, command: Command, actor: &Actor) -> Result<Course, Refusal> {
    let event = decide(&course, command, actor, &KNOWLEDGE)?;
    let version = course.version + 1;
    Ok(evolve(course, &Recorded { version, at: at(), by: actor.id.clone(), event }))
}
fn opened() -> Course {
    then(Course::default(), open(plan()), &osei()).expect("a sound plan")
}

#[test]
fn a_plan_is_changed_by_a_new_version_that_says_what_differs() {
    let course = opened();
    let more =
        Plan { infusions: 4, start_dose: OrderedDose::MgPerKg("0.6".parse().expect("a dose")), ..plan() };
    let event = decide(&course, change(1, more.clone()), &osei(), &KNOWLEDGE).expect("a change");
    let Event::PlanChanged { plan_version, changes, .. } = &event else { panic!("{event:?}") };
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        (*plan_version, told.join(", ").as_str()),
        (2, "infusions: 6 → 4, start dose: 0.5 mg/kg → 0.6 mg/kg")
    );
    let course = then(course, change(1, more.clone()), &osei()).expect("a change");
    assert_eq!((course.plan_version(), course.plan()), (2, Some(&more)));
    assert_eq!(course.plans[0].plan, plan(), "the first version stays readable");
    assert_eq!(then(course, change(2, more), &osei()), Err(Refusal::Unchanged { version: 2 }));
}

#[test]
fn two_people_who_edit_one_plan_see_both_edits() {
    let course = then(opened(), change(1, Plan { infusions: 5, ..plan() }), &osei()).expect("the first");
    let late =
        then(course.clone(), change(1, Plan { a_week: 3, ..plan() }), &osei()).expect_err("the second");
    let told = late.to_string();
    assert!(told.contains("Theirs: infusions: 6 → 5. Yours: a week: 2 → 3."), "{told}");
    assert!(
        then(course.clone(), change(3, plan()), &osei()).is_err(),
        "nobody can have read a version to come"
    );
    let first = then(course, open(Plan { a_week: 3, ..plan() }), &osei()).expect_err("it is opened");
    let told = first.to_string();
    assert!(told.contains("Meanwhile osei signed version 2"), "{told}");
    assert!(told.contains("infusions: 5 → 6, a week: 2 → 3"), "{told}");
}

#[test]
fn a_plan_that_the_rules_refuse_is_not_signed() {
    let refused = |plan| then(Course::default(), open(plan), &osei()).expect_err("unsound").to_string();
    let dose = |text: &str| OrderedDose::MgPerKg(text.parse().expect("a dose"));
    for (plan, words) in [
        (Plan { regimen: RuleId::new("mig"), ..plan() }, "is not for a clinic"),
        (Plan { regimen: RuleId::new("aud"), ..plan() }, "is not for a clinic"),
        (Plan { regimen: RuleId::new("nothing"), ..plan() }, "not in the knowledge"),
        (Plan { start_dose: dose("5"), ..plan() }, "The dose by weight is 5 mg/kg; the limit is"),
        (Plan { start_dose: dose("1.2"), minutes: Decimal::from(60), ..plan() }, "Give a reason to go on"),
        (Plan { minutes: Decimal::from(10), ..plan() }, "An infusion of 10 min; the limit"),
        (Plan { conditions: vec!["F41.1".to_owned()], ..plan() }, "None of F41.1 is what the regimen is for"),
        (Plan { conditions: Vec::new(), ..plan() }, "What is treated is missing"),
        (Plan { stop_rules: Vec::new(), ..plan() }, "When the course ends early is missing"),
        (Plan { infusions: 0, ..plan() }, "The number of infusions is 0"),
        (Plan { infusions: 7, ..plan() }, "published are 1 to 6. Give a reason"),
        (Plan { a_week: 8, ..plan() }, "The number a week is 8"),
    ] {
        let told = refused(plan);
        assert!(told.contains(words), "{told}");
    }
    let reason = Some("two conditions at once".to_owned());
    let both = Plan { conditions: vec!["F41.1".to_owned(), "F33.2".to_owned()], infusions: 7, ..plan() };
    let command =
        Command::Open { patient: PatientId::new("p1"), plan: both, reason, signature: signed("osei") };
    assert!(then(Course::default(), command, &osei()).is_ok(), "a reason stands in the record");
}

#[test]
fn the_number_changes_midway_but_not_below_what_was_given() {
    let course = (1..=3)
        .try_fold(opened(), |course, n| then(course, count(n), &Actor::machine("log")))
        .expect("given");
    assert!(then(course.clone(), count(3), &Actor::machine("log")).is_err(), "one session counts once");
    let fewer = |n| Plan { infusions: n, ..plan() };
    let told = then(course.clone(), change(1, fewer(2)), &osei()).expect_err("too few").to_string();
    assert!(told.contains("The number of infusions is 2; accepted is 3 or more"), "{told}");
    assert!(then(course, change(1, fewer(3)), &osei()).is_ok());
}

#[test]
fn only_who_may_signs_and_signs_in_person() {
    let command = open(plan());
    for who in [
        actor("kim", Role::Nurse),
        actor("desk", Role::FrontDesk),
        actor("own", Role::Owner),
        Actor::machine("log"),
    ] {
        let told = then(Course::default(), command.clone(), &who).expect_err("not allowed");
        assert!(matches!(told, Refusal::NotAllowed { .. }), "{told}");
    }
    let other =
        then(Course::default(), command, &actor("berg", Role::Prescriber)).expect_err("another's signature");
    assert!(matches!(other, Refusal::NotTheSigner { .. }), "{other}");
    let desk = actor("desk", Role::FrontDesk);
    assert!(then(opened(), Command::Book { visits: visits(6), checks: Vec::new() }, &desk).is_ok());
}

#[test]
fn all_visits_are_booked_or_none() {
    let book = |course: Course, visits| then(course, Command::Book { visits, checks: Vec::new() }, &osei());
    assert!(book(opened(), visits(5)).expect_err("one is missing").to_string().contains("all that are left"));
    assert_eq!(book(opened(), visits(6)).expect("all").booked.len(), 6);
    let mut overlapping = visits(6);
    overlapping[1].start = overlapping[0].start;
    assert!(book(opened(), overlapping).is_err());
    let begun = then(opened(), count(1), &osei()).expect("given");
    assert!(book(begun.clone(), visits(6)).is_err());
    assert!(book(begun, visits(5)).is_ok(), "the five that are left");
}

#[test]
fn an_overdue_check_holds_the_next_booking_until_it_is_overridden_for_a_reason() {
    let book = Command::Book { visits: visits(6), checks: vec![overdue()] };
    let held = then(opened(), book.clone(), &osei()).expect_err("held");
    assert_eq!(held.to_string(), "The booking is held: Liver enzymes: overdue.");
    let waived = |reason: &str| Command::OverrideCheck {
        finding: overdue(),
        reason: reason.to_owned(),
        signature: signed("osei"),
    };
    assert!(then(opened(), waived("."), &osei()).is_err(), "a reason has words");
    let course = then(opened(), waived("blood was drawn this morning"), &osei()).expect("overridden");
    let course = then(course, book.clone(), &osei()).expect("booked");
    assert!(then(course, book, &osei()).is_err(), "for one booking only");
    let other = Finding { rule: RuleId::new("mdd_trd_std"), ..overdue() };
    let command =
        Command::OverrideCheck { finding: other, reason: "because".to_owned(), signature: signed("osei") };
    assert!(then(opened(), command, &osei()).is_err(), "only checks are overridden here");
}

#[test]
fn maintenance_follows_an_induction_with_a_response() {
    assert!(
        then(opened(), maintain(None), &osei()).expect_err("nobody asked").to_string().contains("is missing")
    );
    assert!(then(opened(), maintain(Some(false)), &osei()).is_err());
    let course = then(opened(), maintain(Some(true)), &osei()).expect("responded");
    assert_eq!(course.stage, Stage::Maintenance { every_d: Some(7) });
    let set = |every_d| Command::SetInterval {
        every_d,
        reason: "stable twice".to_owned(),
        signature: signed("osei"),
    };
    assert!(then(opened(), set(Some(14)), &osei()).is_err(), "an induction has no interval");
    assert!(then(course.clone(), set(Some(0)), &osei()).is_err());
    let course = then(course, set(Some(14)), &osei()).expect("set");
    let course = then(course, set(None), &osei()).expect("when needed");
    assert_eq!(course.stage, Stage::Maintenance { every_d: None });
    let close = Command::Close { reason: "moved away".to_owned(), signature: signed("osei") };
    let closed = then(course, close, &osei()).expect("closed");
    assert!(matches!(then(closed.clone(), change(1, plan()), &osei()), Err(Refusal::WrongStage { .. })));
    assert!(then(closed, count(9), &osei()).is_ok(), "what was given still counts");
}

#[test]
fn advice_is_taken_or_declined_with_a_reason_and_orders_nothing() {
    let series = Series {
        baseline: Some(Decimal::from(20)),
        now: Some(Decimal::from(18)),
        infusion: Some(6),
        stopped_early: 0,
    };
    let advice = futility(&series, &KNOWLEDGE);
    let decline = |reason: &str| Command::DeclineAdvice {
        advice: advice.clone(),
        reason: reason.to_owned(),
        signature: signed("osei"),
    };
    assert!(then(opened(), decline(""), &osei()).is_err());
    let declined = then(opened(), decline("pain is half of what it was"), &osei()).expect("declined");
    let taken = Command::TakeAdvice { advice: advice.clone(), reason: None, signature: signed("osei") };
    let taken = then(opened(), taken, &osei()).expect("taken");
    for course in [declined, taken] {
        assert_eq!(Course { version: 1, ..course }, opened(), "nothing but the record has changed");
    }
}

proptest! {
    /// Any commands in any order: the history written as JSON reads back to the same course, versions of the plan only
    /// grow, and no refusal changes anything.
    #[test]
    fn a_history_reads_back_to_the_same_course(acts in prop::collection::vec((0_u8..9, 1_u32..8), 1..40)) {
        let mut course = Course::default();
        let mut history = Vec::new();
        for (act, n) in acts {
            let command = match act {
                0 => open(plan()),
                1 => change(course.plan_version(), Plan { infusions: n, ..plan() }),
                2 => change(n, Plan { a_week: n, ..plan() }),
                3 => count(n as usize),
                4 => Command::Book { visits: visits(n as usize), checks: vec![overdue()] },
                5 => maintain(Some(true)),
                6 => Command::OverrideCheck { finding: overdue(), reason: "drawn".to_owned(), signature: signed("osei") },
                7 => Command::MakeCheck { check: RuleId::new("check_liver"), on: date(2026, 12, 1), result: "fine".to_owned(), judged: Judged::WithinLimits },
                _ => Command::Close { reason: "done".to_owned(), signature: signed("osei") },
            };
            let before = course.clone();
            if let Ok(event) = decide(&course, command, &osei(), &KNOWLEDGE) {
                let recorded = Recorded { version: course.version + 1, at: at(), by: osei().id, event };
                course = evolve(course, &recorded);
                history.push(serde_json::to_string(&recorded).expect("JSON"));
            } else {
                prop_assert_eq!(&course, &before);
            }
            prop_assert!(course.plan_version() >= before.plan_version());
            prop_assert!(course.plan_version() <= before.plan_version() + 1);
        }
        let read: Vec<Recorded> = history.iter().map(|line| serde_json::from_str(line).expect("an event")).collect();
        prop_assert_eq!(replay(&read), course);
    }
}

#[test]
fn a_course_is_cancelled_whole_whatever_holds_a_booking() {
    let booked =
        then(opened(), Command::Book { visits: visits(6), checks: Vec::new() }, &osei()).expect("booked");
    let none = Command::Book { visits: Vec::new(), checks: vec![overdue()] };
    let cancelled = then(booked, none, &osei()).expect("nothing holds a visit in the calendar");
    assert!(cancelled.booked.is_empty());
    let some = Command::Book { visits: visits(5), checks: Vec::new() };
    assert!(matches!(then(cancelled, some, &osei()), Err(Refusal::OutOfRange { field: "visits", .. })));
}

/// Hazard 139: a visit that the plan does not have any more stays in sight.
#[test]
fn a_plan_made_shorter_names_the_visits_that_it_leaves_over() {
    let booked =
        then(opened(), Command::Book { visits: visits(6), checks: Vec::new() }, &osei()).expect("booked");
    let start = visits(6)[0].start;
    assert!(booked.beyond_plan(start).is_empty());
    let shorter = then(booked, change(1, Plan { infusions: 4, ..plan() }), &osei()).expect("shorter");
    let over: Vec<Timestamp> = shorter.beyond_plan(start).iter().map(|visit| visit.start).collect();
    assert_eq!(over, visits(6)[4..].iter().map(|visit| visit.start).collect::<Vec<_>>());
    assert!(shorter.beyond_plan(Timestamp::MAX).is_empty(), "what is past cannot be cancelled");
    let none = then(shorter, Command::Book { visits: Vec::new(), checks: Vec::new() }, &osei());
    assert!(none.expect("cancelled").beyond_plan(start).is_empty());
}

#[test]
fn a_form_sent_again_is_known_by_what_it_says() {
    let event = decide(&Course::default(), open(plan()), &osei(), &KNOWLEDGE).expect("a sound plan");
    assert!(event.answers(&open(plan())));
    assert!(!event.answers(&open(Plan { infusions: 4, ..plan() })), "another plan");
    let made = |result: &str| {
        let (check, result) = (RuleId::new("check_liver"), result.to_owned());
        Command::MakeCheck { check, on: date(2026, 12, 1), result, judged: Judged::WithinLimits }
    };
    let event = decide(&opened(), made("normal"), &osei(), &KNOWLEDGE).expect("recorded");
    assert!(event.answers(&made("normal")));
    assert!(!event.answers(&made("raised")) && !event.answers(&open(plan())));
}

/// Hazard 139: what was found is judged; what an override allowed before it, it does not allow any more.
#[test]
fn a_check_says_what_its_result_means_and_a_bad_one_takes_back_what_was_allowed_before() {
    let made = |judged| {
        let (check, result) = (overdue().rule, "ALT 8 x ULN".to_owned());
        Command::MakeCheck { check, on: date(2026, 11, 20), result, judged }
    };
    let unjudged = then(opened(), made(Judged::NotJudged), &osei());
    assert!(matches!(unjudged, Err(Refusal::Missing { field: "judged", .. })), "{unjudged:?}");
    let allowed = || {
        let (finding, reason) = (overdue(), "drawn today".to_owned());
        let allow = Command::OverrideCheck { finding, reason, signature: signed("osei") };
        then(opened(), allow, &osei()).expect("a reason")
    };
    for (judged, books) in [(Judged::WithinLimits, true), (Judged::LookAt, false), (Judged::Stop, false)] {
        let course = then(allowed(), made(judged), &osei()).expect("recorded");
        let book = Command::Book { visits: visits(6), checks: vec![overdue()] };
        assert_eq!(then(course, book, &osei()).is_ok(), books, "{judged:?}");
    }
    let old = r#"{"kind":"check_made","check":"check_liver","on":"2026-11-20","result":"normal"}"#;
    let old: Event = serde_json::from_str(old).expect("written before results were judged");
    assert!(matches!(old, Event::CheckMade { judged: Judged::NotJudged, .. }));
}

#[test]
fn a_check_is_dated_in_the_life_of_the_patient_and_not_to_come() {
    let (born, today) = (date(1984, 3, 12), date(2026, 11, 22));
    for (on, is) in [(today, true), (date(2026, 11, 23), false), (date(1984, 3, 11), false), (born, true)] {
        assert_eq!(made_on(on, born, today).is_ok(), is, "{on}");
    }
    let young = made_on(date(2020, 1, 1), date(2021, 5, 1), today).expect_err("before the birth");
    assert_eq!(young.field(), "on");
    assert!(young.to_string().contains("2021-05-01 to 2026-11-22"), "{young}");
}

/// Hazard 130: dose, rate over its minutes, and steps come to the same amount.
#[test]
fn what_a_plan_needs_agreed_to_is_the_dose_of_its_first_infusion() {
    use crate::dose::OrderedStep;
    let dose = |start_dose, minutes: u32| {
        let plan = Plan { start_dose, minutes: Decimal::from(minutes), ..plan() };
        plan.needs().dose.map(|dose| dose.0.normalize())
    };
    let mg_per_kg = |text: &str| Some(text.parse::<Decimal>().expect("a number"));
    let number = |text: &str| text.parse::<Decimal>().expect("a number");
    let step =
        |rate, minutes: u32| OrderedStep { mg_per_kg_per_h: number(rate), minutes: Decimal::from(minutes) };
    assert_eq!(dose(OrderedDose::MgPerKg(number("0.5")), 40), mg_per_kg("0.5"));
    assert_eq!(dose(OrderedDose::MgPerKgPerHour(number("0.75")), 40), mg_per_kg("0.5"));
    assert_eq!(dose(OrderedDose::MgPerKgPerHour(number("0.35")), 240), mg_per_kg("1.4"));
    assert_eq!(dose(OrderedDose::Steps(vec![step("0.5", 60), step("0.75", 60)]), 120), mg_per_kg("1.25"));
}
