//! A day of the calendar: whatever is asked of it, nobody and nothing is in two places.

use crate::course::diary::Day;
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
    let beside = hold(away.clone(), "b", "ben", vec![visit(0, 8, 2, 1)]).expect("another chair");
    assert_eq!(beside.freed().len(), 1);
    let taken = hold(away, "b", "ben", vec![visit(6, 3, 1, 1)]).expect("a part of it");
    assert!(taken.freed().is_empty());
}

proptest! {
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
