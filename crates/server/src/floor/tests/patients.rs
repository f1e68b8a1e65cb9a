//! Who is registered, and under which number.

use super::*;
use std::sync::Barrier;
use store::{Append, NewEvent, StreamWrite};

fn person(mrn: &str) -> Patient {
    Patient {
        mrn: mrn.to_owned(),
        family: "Okafor".to_owned(),
        given: "Ife".to_owned(),
        born: jiff::civil::date(1990, 1, 2),
        sex: "f".to_owned(),
        allergies: Allergies::NoneKnown,
    }
}

fn register(floor: &Floor, id: &str, mrn: &str) -> Result<Done, Denied> {
    floor.register(&CommandId::new(id), &nurse("kim"), &PatientId::new(id), (person(mrn), true))
}

fn refused(outcome: &Result<Done, Denied>) -> bool {
    matches!(outcome, Err(denied @ Denied::NumberTaken { .. })
        if denied.field() == "mrn" && denied.to_string().contains("777 belongs to OKAFOR, Ife"))
}

/// Hazard 05: a number on a wristband means one person, however many desks register at once.
#[test]
fn one_number_is_given_once_however_many_ask_at_the_same_time() {
    let clinic = Clinic::new();
    // Two programs on one log: the turns of one do not hold the other.
    let other = open_on(clinic.floor.store(), &clinic.clock, 9);
    let ready = Barrier::new(6);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let desks = [0, 1, 2, 3, 4, 5].map(|n| {
            let (floor, ready) = (if n % 2 == 0 { &clinic.floor } else { &other }, &ready);
            scope.spawn(move || {
                ready.wait();
                register(floor, &format!("new-{n}"), "777")
            })
        });
        desks.into_iter().map(|desk| desk.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| refused(outcome)).count(), 5, "{outcomes:?}");
    let first = outcomes.iter().position(Result::is_ok).expect("one is registered");
    let again = register(&other, &format!("new-{first}"), "777").expect("the same form once more");
    assert!(again.before);
    let listed = clinic.floor.store().view_list(SITE, "patients", "777", 99).expect("log");
    assert_eq!(listed.len(), 1);
}

/// A log from before numbers were given holds patients alone.
#[test]
fn a_number_of_an_older_log_is_not_given_again() {
    let clinic = Clinic::new();
    let registered = clinic::patient::Event::PatientRegistered(person("777"));
    let event = NewEvent {
        kind: "patient_registered".to_owned(),
        body: serde_json::to_string(&registered).expect("json"),
    };
    let append = Append {
        site: SITE.to_owned(),
        command_id: "old".to_owned(),
        author: "kim".to_owned(),
        at_us: clinic.now().as_microsecond(),
        writes: vec![StreamWrite {
            stream: "patient/old".to_owned(),
            expected: Some(0),
            events: vec![event],
        }],
        reply: String::new(),
        closing: false,
    };
    clinic.floor.store().append(append).expect("written");
    let outcome = register(&clinic.floor, "new", "777");
    assert!(refused(&outcome), "{outcome:?}");
    assert!(register(&clinic.floor, "another", "77").is_ok(), "a part of a number is another number");
    assert_eq!(clinic.floor.patient(&PatientId::new("new")).expect("log"), None);
}

/// Hazard 28: memory is not the truth; what it lacks stands in the log.
#[test]
fn a_patient_whom_memory_lacks_is_read_before_a_frame_is_taken() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    for (mrn, taken) in [("999999", "CE"), ("004217", "CA")] {
        clinic.floor.room().patients.clear();
        let bytes = clinic.vitals(Some(mrn), 84);
        let intake = clinic.floor.take_frame(&bytes);
        assert!(answered(&intake, taken), "{mrn}: {intake:?}");
    }
}

/// Whoever cannot be told is not the one who is named.
#[test]
fn a_frame_for_a_patient_whom_nobody_registered_is_refused_and_alarms() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let visit = clinic.visit.clone();
    if let Some(session) = clinic.floor.room().sessions.get_mut(&visit) {
        session.patient = Some(PatientId::new("nobody"));
    }
    let bytes = clinic.vitals(Some("004217"), 84);
    let intake = clinic.floor.take_frame(&bytes);
    assert!(answered(&intake, "CE"), "{intake:?}");
    assert!(clinic.alarm(&format!("patient_conflict/{}", device(&monitor()))).is_some());
    assert_eq!(clinic.spo2().as_deref(), Some("98"), "the gate's own");
}
