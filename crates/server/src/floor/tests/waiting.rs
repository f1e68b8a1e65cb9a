//! A place that becomes free, and two programs that remind.

use super::booking::{book, booking, calendar, osei, planned, signature};
use super::*;
use crate::floor::{Booking, Offer};
use crate::mail::{Reminder, Unsent};
use clinic::course::waitlist::Event;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

fn waits(floor: &Floor, patient: &str) {
    let asked = Event::WaitBegan { patient: PatientId::new(patient), wish: String::new() };
    floor.change_waitlist(&CommandId::new(format!("wait-{patient}")), &nurse("kim"), &asked).expect("waits");
}

fn maintained(floor: &Floor, patient: &str) {
    let (reason, signature) = ("responded".to_owned(), signature(floor));
    let begin =
        clinic::course::Command::BeginMaintenance { every_d: None, responder: Some(true), reason, signature };
    let on = floor.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let id = CommandId::new(format!("maintain-{patient}"));
    floor.decide_course(&PatientId::new(patient), &id, &osei(), &begin, (on, &calendar())).expect("signed");
}

fn offers(floor: &Floor) -> Vec<Offer> {
    floor.offers(&nurse("kim"), &calendar()).expect("log")
}

/// The first who waits and may have it is named; nobody is booked, and the place goes when somebody takes it.
#[test]
fn a_place_that_becomes_free_is_offered_to_the_first_who_may_have_it_and_books_nobody() {
    let clinic = Clinic::new();
    let floor = &clinic.floor;
    planned(floor, "p1");
    planned(floor, "p2");
    waits(floor, "p1");
    waits(floor, "p2");
    let series = booking(floor, "p1", "1");
    book(floor, "p1", "one", &series).expect("booked");
    assert_eq!(offers(floor).len(), 0);
    book(floor, "p1", "none", &Booking::nothing()).expect("cancelled");
    let [first, second] = &offers(floor)[..] else { panic!("two places") };
    assert_eq!((first.place.start, second.place.start), (series.starts[0], series.starts[1]));
    assert_eq!(first.to, None, "neither has ended the induction");
    maintained(floor, "p2");
    let offer = offers(floor).swap_remove(0);
    assert_eq!(offer.to, Some(PatientId::new("p2")));
    assert_eq!(offer.passed[0].0, PatientId::new("p1"), "who waits longer is told why not");
    let day = floor.day(series.starts[0].to_zoned(jiff::tz::TimeZone::UTC).date()).expect("log");
    assert!(day.visits().is_empty(), "an offer books nobody");
    let booster = Booking { starts: vec![series.starts[0]], ..series.clone() };
    book(floor, "p2", "booster", &booster).expect("booked by a person");
    assert_eq!(offers(floor).len(), 1, "the place is taken");
    assert_eq!(offers(floor)[0].to, None, "and who has a visit needs no other");
}

/// Hazard 73: two programs on one log look at the same moment; each visit is reminded once.
#[test]
fn of_two_programs_that_remind_at_once_one_sends() {
    let clinic = Clinic::new();
    let other = open_on(clinic.floor.store(), &clinic.clock, 2);
    planned(&clinic.floor, "p1");
    book(&clinic.floor, "p1", "one", &booking(&clinic.floor, "p1", "1")).expect("booked");
    let agreed = CommandId::new("agree");
    clinic
        .floor
        .agree_reminders(&PatientId::new("p1"), &agreed, &nurse("kim"), Some("a@example.org"))
        .expect("agreed");
    let (sent, together) = (AtomicUsize::new(0), Barrier::new(2));
    std::thread::scope(|scope| {
        for floor in [&clinic.floor, &other] {
            let (sent, together) = (&sent, &together);
            scope.spawn(move || {
                let send = |_: &Reminder| -> Result<(), Unsent> {
                    sent.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                };
                together.wait();
                let ahead = jiff::SignedDuration::from_hours(24 * 40);
                floor.remind(ahead, &calendar(), &send, &|| true).expect("log");
            });
        }
    });
    assert_eq!(sent.load(Ordering::SeqCst), 2, "one for each of the two visits");
}
