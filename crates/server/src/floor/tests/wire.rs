//! Frames of devices.

use super::*;
use clinic::monitor::Priority;
use clinic::quantity::Micrograms;
use clinic::session::delivery::Certainty;

#[test]
fn a_frame_is_answered_when_the_log_has_it_and_stands_at_its_chair() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let bytes = clinic.vitals(Some("004217"), 97);
    let intake = clinic.floor.take_frame(&bytes);
    assert!(answered(&intake, "CA") && intake.refused.is_none(), "{intake:?}");
    let kept = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 9).expect("log");
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].bytes == bytes, kept[0].verdict.as_str()), (true, "taken"));
    assert_eq!(clinic.spo2().as_deref(), Some("97"));
}

/// Hazard 28: no device is guessed to a chair.
#[test]
fn a_device_that_nobody_placed_is_kept_and_shown_at_no_chair() {
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    let bytes = clinic.vitals(Some("004217"), 84);
    assert!(answered(&clinic.floor.take_frame(&bytes), "CA"));
    let strangers: Vec<_> = clinic.floor.strangers().into_iter().map(|(id, _, _)| id).collect();
    assert_eq!(strangers, [device(&monitor())]);
    let kept = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 9).expect("log");
    assert_eq!(kept.len(), 1);
    for at in clinic.floor.chairs() {
        let view = clinic.floor.monitor_view(&at).expect("a chair");
        assert!(view.values.iter().all(|value| value.value.is_none() || value.charted), "chair {at}");
    }
    clinic.place(&monitor(), DeviceKind::Monitor);
    assert!(clinic.floor.strangers().is_empty());
    clinic.floor.take_frame(&bytes);
    assert_eq!(clinic.spo2().as_deref(), Some("84"));
}

/// Hazards 05 and 28.
#[test]
fn a_frame_that_names_another_patient_is_refused_and_alarms() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let bytes = clinic.vitals(Some("999999"), 84);
    let intake = clinic.floor.take_frame(&bytes);
    assert!(answered(&intake, "CE"), "{intake:?}");
    assert_eq!(clinic.spo2().as_deref(), Some("98"), "the gate's own, not one value of somebody else");
    let (conflict, _) = clinic.alarm(&format!("patient_conflict/{}", device(&monitor()))).expect("an alarm");
    assert_eq!(conflict.alarm.priority, Priority::High);
    let kept = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 9).expect("log");
    assert!(kept[0].verdict.contains("names patient 999999"), "{}", kept[0].verdict);
}

/// Hazard 34: what went in is what the pump counted, whatever was planned.
#[test]
fn what_was_delivered_is_what_the_pump_counted() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    // The pump runs at 30 mL/h where 30.8 were ordered, and its counter says so.
    clinic.a_minute_passes(97, 30_000, 500);
    clinic.a_minute_passes(97, 30_000, 1_000);
    let stop = clinic.pump_says(0, 1_000);
    clinic.floor.take_frame(&stop);
    clinic.seconds_pass(5);
    let session = clinic.session();
    assert_eq!(session.delivery.volume_at(clinic.now()), Microlitres(1_000));
    assert_eq!(session.delivered_mass(clinic.now()), Micrograms(2_000));
    assert_eq!(session.delivery.certainty(clinic.now()), Certainty::Read);
    let readings = clinic.kinds().into_iter().filter(|kind| kind == "pump_was_read").count();
    assert!((2..=5).contains(&readings), "each change and once a minute, not each second: {readings}");
}

#[test]
fn a_silent_pump_leaves_the_delivery_uncertain_until_it_speaks() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.seconds_pass(60);
    clinic.round();
    clinic.floor.keep();
    assert!(clinic.session().delivery.uncertain_since().is_some());
    let bytes = clinic.pump_says(30_800, 1_026);
    clinic.floor.take_frame(&bytes);
    assert_eq!(clinic.session().delivery.certainty(clinic.now()), Certainty::Read);
    assert_eq!(clinic.session().delivery.volume_at(clinic.now()), Microlitres(1_026));
}

#[test]
fn chairs_stand_as_people_count() {
    let clinic = Clinic::new();
    let numbers: Vec<u32> =
        clinic.floor.chairs().iter().map(|chair| chair.0.parse().expect("a number")).collect();
    assert!(numbers.len() > 1 && numbers.is_sorted(), "{numbers:?}");
}

/// Each report is sent once; a chair where nothing comes is sent all the same, so that its times go on.
#[test]
fn a_chair_is_sent_with_each_report_and_is_never_left_out_for_long() {
    const SECONDS: usize = 10;
    let mut clinic = Clinic::new();
    clinic.play_until("infusion_started");
    clinic.place(&monitor(), DeviceKind::Monitor);
    let frame = clinic.vitals(Some("004217"), 97);
    clinic.floor.take_frame(&frame);
    clinic.round();
    let mut pages = clinic.floor.hub().subscribe();
    for _ in 0..SECONDS {
        for _ in 0..4 {
            clinic.round();
        }
        clinic.seconds_pass(1);
        let frame = clinic.vitals(Some("004217"), 97);
        clinic.floor.take_frame(&frame);
        clinic.floor.publish_changes();
    }
    let mut sent = std::collections::BTreeMap::<String, usize>::new();
    while let Ok(message) = pages.try_recv() {
        for (at, _) in message.by_chair.iter().filter(|_| message.name == "s") {
            *sent.entry(at.to_string()).or_default() += 1;
        }
    }
    assert_eq!(sent.get("3"), Some(&SECONDS), "each report once: {sent:?}");
    assert_eq!(sent.get("1"), Some(&(SECONDS * 4 / 5)), "every fifth round: {sent:?}");
}
