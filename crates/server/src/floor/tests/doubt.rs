//! A pump whose link tells what cannot be: a count that its rate does not explain, or that it does not infuse.

use super::*;
use clinic::monitor::Priority;
use clinic::session::delivery::Certainty;
use clinic::session::{PumpRead, ReadBy};

impl Clinic {
    fn reads(&self, id: &str, counter: i64, jumped: bool) {
        let reason = Some("another syringe, the counter was not cleared".to_owned());
        let read = PumpRead {
            by: ReadBy::Person,
            status: PumpStatus::Infusing,
            rate: Rate(30_800),
            counter: Microlitres(counter),
            read_at: self.now(),
            reason,
            jumped,
            all_in: false,
        };
        self.act(id, Command::ReadPump { read }).expect("read");
    }

    fn given(&self) -> i64 {
        self.session().delivery.volume_at(self.now()).0
    }
}

/// Hazard 124: what the rate cannot explain is no dose. It alarms with both numbers, the raw frame stays, and a person who
/// read the pump says whether it flowed; from then on it is counted once.
#[test]
fn a_volume_that_the_rate_cannot_explain_alarms_and_waits_for_a_person() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.seconds_pass(1);
    let frame = clinic.pump_says(30_800, 31_000);
    assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
    let (alarm, _) = clinic.alarm("pump_count").expect("at once");
    assert_eq!(alarm.alarm.priority, Priority::High);
    assert_eq!(alarm.alarm.message, "Read the pump: the pump counts 31 mL, its rate explains about 0.5 mL");
    // A steady pump is written down once a minute.
    let known = clinic.given();
    assert!(known <= 513, "{known}");
    let Certainty::Uncertain { low, high, .. } = clinic.session().delivery.certainty(clinic.now()) else {
        panic!("nobody knows")
    };
    assert_eq!((low, high), (Microlitres(known), Microlitres(20_500)), "at most what was drawn");
    let kept = clinic.floor.store().frames(SITE, device(&pump()).as_str(), 0, i64::MAX, 200).expect("log");
    assert!(kept.iter().any(|one| one.bytes == frame), "the raw frame stays");
    let entries = clinic.history().len();
    clinic.a_minute_passes(97, 30_800, 31_513);
    assert_eq!((clinic.given(), clinic.history().len()), (known, entries), "nothing more counts");
    assert!(!clinic.alarm("pump_count").expect("until a person reads it").0.latched);
    clinic.reads("read-1", 31_513, true);
    assert!(clinic.alarm("pump_count").is_none_or(|(view, _)| view.latched));
    let read = clinic.given();
    assert!((1_020..1_050).contains(&read), "by the recorded rate: {read}");
    clinic.a_minute_passes(97, 30_800, 32_026);
    assert!((clinic.given() - read - 513).abs() <= 2, "{} after {read}", clinic.given());
    assert_eq!(clinic.session().delivery.certainty(clinic.now()), Certainty::Read);
    assert_eq!(clinic::session::replay(&clinic.history()), clinic.session());
}

/// Hazard 124: a counter that was cleared makes nothing known once it has counted up again.
#[test]
fn a_cleared_counter_that_counts_up_again_makes_no_delivery_known() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.a_minute_passes(97, 30_800, 1_026);
    for _ in 0..3 {
        clinic.seconds_pass(1);
        let frame = clinic.pump_says(30_800, 0);
        clinic.floor.take_frame(&frame);
    }
    clinic.a_minute_passes(97, 30_800, 515);
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
    assert_eq!(clinic.kinds().iter().filter(|kind| *kind == "counter_doubted").count(), 1);
    clinic.restart_after(5);
    assert!(clinic.session().delivery.doubted().is_some());
    clinic.round();
    assert!(clinic.alarm("pump_count").is_some(), "also after a restart");
    let frame = clinic.pump_says(30_800, 600);
    clinic.floor.take_frame(&frame);
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
}

/// Hazard 126: a link that says that the pump stands while the record says that it runs is an alarm, and nobody knows
/// what is in, until both say the same.
#[test]
fn a_link_that_contradicts_the_record_is_uncertain_and_an_alarm_until_both_say_the_same() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let entries = clinic.history().len();
    clinic.a_minute_passes(97, 0, 513);
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
    assert!(clinic.alarm("pump_not_running").is_some());
    let told = clinic.history().len() - entries;
    assert!((1..=3).contains(&told), "each change and once a minute: {told}");
    clinic.act("pause", Command::Pause { reason: "nausea".to_owned() }).expect("paused");
    clinic.seconds_pass(1);
    let frame = clinic.pump_says(0, 513);
    clinic.floor.take_frame(&frame);
    assert_eq!(clinic.session().delivery.certainty(clinic.now()), Certainty::Read);
    clinic.round();
    assert!(clinic.alarm("pump_not_running").is_none_or(|(view, _)| view.latched));
    assert_eq!(clinic.given(), 513);
}
