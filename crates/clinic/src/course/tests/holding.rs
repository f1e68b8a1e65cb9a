//! A day of the calendar: whatever is asked of it, nobody and nothing is in two places.

use crate::course::diary::{Day, Seated, Standing};
use crate::course::{Booked, Refusal, What};
use crate::id::{ChairId, CourseId, PatientId, StaffId};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const PER_NURSE: u32 = 2;

/// A quarter of an hour of a day.
fn quarter(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(15 * n)
}

fn visit(from: i64, length: i64, chair: u8, nurse: u8) -> Booked {
    Booked {
        chair: Some(ChairId::new(chair.to_string())),
        nurse: Some(StaffId::new(format!("nurse{nurse}"))),
        ..Booked::between(quarter(from), quarter(from + length))
    }
}

/// Holds, or leaves the day as it was.
fn hold(day: Day, course: &str, patient: &str, visits: Vec<Booked>) -> Result<Day, Refusal> {
    let event =
        day.hold(&CourseId::new(course), &PatientId::new(patient), visits, PER_NURSE, |at| at.to_string())?;
    Ok(day.evolve(&event))
}

#[test]
fn a_chair_is_taken_until_the_patient_may_go_home() {
    let day = hold(Day::default(), "a", "ana", vec![visit(0, 8, 1, 1)]).expect("a free day");
    let refused = hold(day.clone(), "b", "ben", vec![visit(7, 8, 1, 2)]).expect_err("the chair is taken");
    assert_eq!((refused.field(), refused.to_string().starts_with("Chair 1 is taken from")), ("chair", true));
    hold(day.clone(), "b", "ben", vec![visit(8, 8, 1, 2)]).expect("free when the one before may go");
    hold(day.clone(), "a", "ana", vec![visit(1, 8, 1, 1)]).expect("a visit does not stand in its own way");
    let freed = hold(day, "a", "ana", Vec::new()).expect("cancelled");
    hold(freed, "b", "ben", vec![visit(7, 8, 1, 2)]).expect("free again");
}

#[test]
fn a_nurse_has_no_more_patients_at_once_than_the_rule_says() {
    let one = hold(Day::default(), "a", "ana", vec![visit(0, 4, 1, 1)]).expect("the first");
    let two = hold(one, "b", "ben", vec![visit(2, 4, 2, 1)]).expect("the second");
    let refused = hold(two.clone(), "c", "cy", vec![visit(3, 4, 3, 1)]).expect_err("a third");
    assert_eq!(refused.field(), "nurse", "{refused}");
    hold(two.clone(), "c", "cy", vec![visit(3, 4, 3, 2)]).expect("another nurse");
    hold(two, "c", "cy", vec![visit(4, 4, 3, 1)]).expect("when the first has gone");
}

#[test]
fn a_visit_needs_a_chair_and_a_nurse_and_a_patient_who_is_not_elsewhere() {
    let bare = Booked::between(quarter(0), quarter(4));
    assert_eq!(hold(Day::default(), "a", "ana", vec![bare.clone()]).expect_err("no chair").field(), "chair");
    let seated = Booked { chair: Some(ChairId::new("1")), ..bare };
    assert_eq!(hold(Day::default(), "a", "ana", vec![seated]).expect_err("no nurse").field(), "nurse");
    let day = hold(Day::default(), "a", "ana", vec![visit(0, 4, 1, 1)]).expect("held");
    let refused = hold(day, "b", "ana", vec![visit(2, 4, 2, 2)]).expect_err("she sits in chair 1");
    assert!(refused.to_string().starts_with("The patient is taken"), "{refused}");
}

fn talk_with(therapist: &str, from: i64) -> Booked {
    let therapist = Some(StaffId::new(therapist));
    Booked { what: What::Integration, therapist, ..Booked::between(quarter(from), quarter(from + 3)) }
}

#[test]
fn a_therapist_is_with_one_patient_at_a_time_and_needs_no_chair() {
    let day = hold(Day::default(), "a", "ana", vec![talk_with("ines", 0)]).expect("held");
    let refused = hold(day.clone(), "b", "ben", vec![talk_with("ines", 2)]).expect_err("she talks with Ana");
    assert_eq!(refused.field(), "therapist", "{refused}");
    let sits = Booked { therapist: Some(StaffId::new("ines")), ..visit(2, 4, 1, 1) };
    assert!(hold(day.clone(), "b", "ben", vec![sits]).is_err(), "nor does she sit at a chair");
    hold(day.clone(), "b", "ben", vec![talk_with("ines", 3)]).expect("afterwards");
    hold(day.clone(), "b", "ben", vec![talk_with("omar", 0)]).expect("another therapist");
    let alone = Booked { therapist: None, ..talk_with("ines", 8) };
    assert_eq!(hold(day, "b", "ben", vec![alone]).expect_err("with nobody").field(), "therapist");
}

#[test]
fn a_place_that_was_given_up_is_free_until_somebody_has_it() {
    let held =
        hold(Day::default(), "a", "ana", vec![visit(0, 8, 1, 1), talk_with("ines", 20)]).expect("held");
    assert!(held.freed().is_empty());
    let moved = hold(held.clone(), "a", "ana", vec![visit(4, 8, 1, 1)]).expect("moved by an hour");
    assert!(moved.freed().is_empty(), "the old place runs into the new one");
    let away = hold(held, "a", "ana", vec![visit(10, 8, 1, 1)]).expect("moved away");
    assert_eq!(away.freed(), [&visit(0, 8, 1, 1)], "a talk frees no chair");
    let had_to = Booked { must_move: Some("it lasts longer now".to_owned()), ..visit(0, 8, 1, 1) };
    let had_to = hold(Day::default(), "a", "ana", vec![had_to]).expect("held");
    let moved = hold(had_to, "a", "ana", vec![visit(10, 8, 1, 1)]).expect("moved away");
    assert_eq!(moved.freed(), [&visit(0, 8, 1, 1)], "why Ana could not stay is nothing against the place");
    let beside = hold(away.clone(), "b", "ben", vec![visit(0, 8, 2, 1)]).expect("another chair");
    assert_eq!(beside.freed().len(), 1);
    let taken = hold(away, "b", "ben", vec![visit(6, 3, 1, 1)]).expect("a part of it");
    assert!(taken.freed().is_empty());
}

fn seated(patient: &str, standing: Standing, place: Booked) -> Seated {
    Seated { patient: PatientId::new(patient), standing, place, planned: None }
}

/// What stands in the calendar: patient, first and last quarter, chair, how it stands, and whether it was booked.
fn entries(day: &Day) -> Vec<(String, Timestamp, Timestamp, String, Option<Standing>, bool)> {
    let chair = |place: &Booked| place.chair.as_ref().map(ToString::to_string).unwrap_or_default();
    let entries = day.entries().into_iter();
    let line = entries.map(|one| {
        let (start, end) = (one.place.start, one.place.end);
        (one.patient.to_string(), start, end, chair(&one.place), one.standing, one.course.is_some())
    });
    line.collect()
}

/// Hazard 158: nobody is booked into a chair where somebody sits whom nobody booked.
#[test]
fn who_came_without_a_booking_holds_the_chair_and_the_nurse_until_the_expected_end() {
    let walk_in = seated("ana", Standing::UnderWay, visit(0, 8, 1, 1));
    let day = Day::default().with(vec![walk_in, seated("dan", Standing::UnderWay, visit(1, 8, 2, 1))]);
    assert_eq!(
        hold(day.clone(), "b", "ben", vec![visit(4, 8, 1, 2)]).expect_err("she sits there").field(),
        "chair"
    );
    assert_eq!(
        hold(day.clone(), "b", "ben", vec![visit(4, 8, 3, 1)]).expect_err("two already").field(),
        "nurse"
    );
    let herself = hold(day.clone(), "a", "ana", vec![visit(4, 8, 3, 2)]).expect_err("she is here");
    assert!(herself.to_string().starts_with("The patient is taken"), "{herself}");
    hold(day.clone(), "b", "ben", vec![visit(8, 8, 1, 2)]).expect("when she may go");
    let over = Day::default().with(vec![seated("ana", Standing::Done, visit(0, 3, 1, 1))]);
    hold(over, "b", "ben", vec![visit(4, 8, 1, 1)]).expect("she has gone");
    assert_eq!(
        entries(&day)[0],
        ("ana".to_owned(), quarter(0), quarter(8), "1".to_owned(), Some(Standing::UnderWay), false)
    );
}

#[test]
fn a_booked_visit_stands_in_its_place_as_the_floor_has_it() {
    let booked = hold(Day::default(), "a", "ana", vec![visit(4, 8, 1, 1)]).expect("held");
    let with = |standing, place| entries(&booked.clone().with(vec![seated("ana", standing, place)]));
    let line = |from, until, chair: &str, standing, is_booked| {
        ("ana".to_owned(), quarter(from), quarter(until), chair.to_owned(), standing, is_booked)
    };
    let to_come = line(4, 12, "1", None, true);
    let here = Some(Standing::UnderWay);
    assert_eq!(with(Standing::UnderWay, visit(3, 7, 1, 2)), [line(3, 12, "1", here, true)], "came early");
    assert_eq!(with(Standing::UnderWay, visit(6, 9, 1, 2)), [line(4, 15, "1", here, true)], "came late");
    assert_eq!(with(Standing::UnderWay, visit(4, 8, 3, 2)), [line(4, 12, "3", here, true)], "another chair");
    assert_eq!(with(Standing::Done, visit(4, 6, 1, 2)), [line(4, 10, "1", Some(Standing::Done), true)]);
    let left = Some(Standing::Left);
    assert_eq!(with(Standing::Left, visit(4, 1, 1, 2)), [line(4, 5, "1", left, true)], "the rest is free");
    let before = with(Standing::Left, visit(1, 2, 1, 2));
    assert_eq!(before, [line(1, 3, "1", left, false), to_come], "over before it, so it is still to come");
    let again = booked.with(vec![
        seated("ana", Standing::Left, visit(4, 1, 1, 2)),
        seated("ana", Standing::UnderWay, visit(5, 8, 1, 2)),
    ]);
    assert_eq!(entries(&again), [line(4, 13, "1", here, true), line(4, 5, "1", left, false)], "a second try");
}

#[test]
fn nobody_sits_down_in_a_chair_that_is_somebody_elses_before_they_would_leave() {
    let day = hold(Day::default(), "a", "ana", vec![visit(8, 8, 1, 1)]).expect("held");
    let booked =
        |who: &str, from, chair| day.booked_for_another(&PatientId::new(who), &visit(from, 8, chair, 1));
    assert_eq!(booked("ben", 1, 1), Some(visit(8, 8, 1, 1)));
    assert_eq!((booked("ben", 0, 1), booked("ben", 1, 2)), (None, None), "gone by then, or elsewhere");
    assert_eq!(booked("ana", 1, 1), None, "it is hers");
    let two = hold(day.clone(), "b", "ben", vec![visit(1, 6, 1, 2)]).expect("held");
    let early = |from, lasts| two.booked_for_another(&PatientId::new("ana"), &visit(from, lasts, 1, 1));
    assert_eq!(early(0, 4), Some(visit(1, 6, 1, 2)), "hers is later in the day");
    assert_eq!(early(3, 8), Some(visit(1, 6, 1, 2)), "she comes early, and it is his until then");
    assert_eq!(early(7, 8), None, "his is over, and hers is next");
    let here = day.clone().with(vec![seated("ana", Standing::UnderWay, visit(8, 8, 2, 1))]);
    assert_eq!(here.booked_for_another(&PatientId::new("ben"), &visit(9, 8, 1, 1)), None, "she took another");
}

proptest! {
    #[test]
    fn no_order_of_bookings_meets_who_sits_on_the_floor(
        sits in prop::collection::vec((0_i64..20, 1_i64..9), 3),
        asked in prop::collection::vec((0_u8..9, 0_i64..20, 1_i64..9, 1_u8..4, 1_u8..3), 1..20),
    ) {
        let here = (1_u8..).zip(&sits).map(|(chair, (from, length))| {
            seated(&format!("walk-in {chair}"), Standing::UnderWay, visit(*from, *length, chair, 9))
        });
        let mut day = Day::default().with(here.collect());
        for (who, from, length, chair, nurse) in asked {
            let next = hold(day.clone(), &who.to_string(), &who.to_string(), vec![visit(from, length, chair, nurse)]);
            day = next.unwrap_or(day);
        }
        let all = day.entries();
        for (n, one) in all.iter().enumerate() {
            let meets = |other: &crate::course::diary::Entry<'_>| {
                other.place.chair == one.place.chair && other.place.overlaps(&one.place)
            };
            prop_assert!(!all.iter().skip(n + 1).any(meets));
        }
    }

    #[test]
    fn no_order_of_bookings_puts_two_into_one_chair_or_too_many_with_one_nurse(
        asked in prop::collection::vec((0_u8..9, 0_i64..20, 1_i64..9, 1_u8..4, 1_u8..3), 1..40),
    ) {
        let mut day = Day::default();
        for (who, from, length, chair, nurse) in asked {
            let next = hold(day.clone(), &who.to_string(), &who.to_string(), vec![visit(from, length, chair, nurse)]);
            day = next.unwrap_or(day);
        }
        let held = day.visits();
        for at in (0..30).map(quarter) {
            let now = held.iter().filter(|(_, _, visit)| visit.covers(at));
            for chair in 1_u8..4 {
                let chair = ChairId::new(chair.to_string());
                prop_assert!(now.clone().filter(|(_, _, visit)| visit.chair.as_ref() == Some(&chair)).count() <= 1);
            }
            for nurse in 1_u8..3 {
                let nurse = StaffId::new(format!("nurse{nurse}"));
                prop_assert!(now.clone().filter(|(_, _, visit)| visit.nurse.as_ref() == Some(&nurse)).count() <= 2);
            }
        }
    }
}
