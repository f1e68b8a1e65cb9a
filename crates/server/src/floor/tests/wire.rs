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
    let told = String::from_utf8_lossy(intake.answer.as_deref().unwrap_or_default()).into_owned();
    assert!(told.contains("ERR||PID^1^3|204^Unknown key identifier^HL70357|E|"), "{told}");
    assert_eq!(clinic.spo2().as_deref(), Some("98"), "the gate's own, not one value of somebody else");
    let (conflict, _) = clinic.alarm(&format!("patient_conflict/{}", device(&monitor()))).expect("an alarm");
    assert_eq!(conflict.alarm.priority, Priority::High);
    let kept = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 9).expect("log");
    assert!(kept[0].verdict.contains("names patient 999999"), "{}", kept[0].verdict);
}

/// Hazard 175: a device that counts its messages anew loses nothing; its sender and people are told, and the very same
/// message stays one.
#[test]
fn a_number_used_again_for_another_message_is_taken_with_a_mark_and_told() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let first = clinic.envelope(monitor(), Some("004217"));
    let frame = Clinic::vitals_within(&first, first.sent_at, 97);
    assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
    clinic.seconds_pass(1);
    let again = Envelope { sent_at: clinic.now(), ..first.clone() };
    let other = Clinic::vitals_within(&again, again.sent_at, 84);
    let intake = clinic.floor.take_frame(&other);
    assert!(answered(&intake, "CA") && intake.refused.is_none(), "{intake:?}");
    let told = String::from_utf8_lossy(intake.answer.as_deref().unwrap_or_default()).into_owned();
    assert!(told.contains("ERR||MSH^1^10|205^Duplicate key identifier^HL70357|W|"), "{told}");
    assert_eq!(clinic.spo2().as_deref(), Some("84"));
    let trouble = clinic.floor.trouble_of(&device(&monitor())).expect("told");
    assert!(trouble.contains(&format!("number {}", first.control_id)), "{trouble}");
    assert!(answered(&clinic.floor.take_frame(&other), "CA"));
    let kept = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 9).expect("log");
    let verdicts: Vec<&str> = kept.iter().map(|frame| frame.verdict.as_str()).collect();
    assert_eq!(verdicts, ["taken", "taken; its number was used before"]);
    clinic.restart_after(1);
    assert_eq!(clinic.spo2().as_deref(), Some("84"), "a marked one is read back too");
}

/// Hazard 34: what went in is what the pump counted, whatever was planned.
#[test]
fn what_was_delivered_is_what_the_pump_counted() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    // The pump runs at 30 mL/h where 30.8 were ordered, and its counter says so.
    clinic.a_minute_passes(97, 30_000, 500);
    clinic.a_minute_passes(97, 30_000, 1_000);
    clinic.act("stop", Command::Stop { reason: "asked to".to_owned() }).expect("stopped");
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
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
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

/// Hazard 34: the pump of a running infusion is taken away. Nobody may read a dose as known from then on.
#[test]
fn an_infusion_whose_pump_is_taken_away_is_uncertain_in_the_same_entry() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    assert!(clinic.floor.samples_now().contains(r#""certain":true"#));
    let done = clinic.take_away(&pump()).expect("taken away");
    assert_eq!(clinic.kinds().last().map(String::as_str), Some("delivery_became_uncertain"));
    assert!(clinic.floor.samples_now().contains(r#""certain":false"#));
    let command = format!("take-{}", device(&pump()));
    let (rows, _) = clinic.floor.store().command(SITE, &command).expect("log").expect("the entry");
    let streams: Vec<&str> = rows.iter().map(|row| row.stream.as_str()).collect();
    assert_eq!(streams, ["floor", "session/v1", "command/v1"]);
    let code = format!("link_lost/{}", device(&pump()));
    assert!(clinic.alarm(&code).is_some(), "its lost connection alarms at once");
    assert_eq!(clinic.floor.missed(&chair()), [(device(&pump()), DeviceKind::Pump)]);
    let before = clinic.history();
    let again = clinic.take_away(&pump()).expect("the first outcome");
    assert_eq!((again.before, again.position), (true, done.position));
    assert_eq!(clinic.history(), before);
    // What the page shows is what the log gives back, and every command in it can be decided again.
    assert_eq!(clinic::session::replay(&before), clinic.session());
    let rerun = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit).expect("log");
    let causes = rerun.expect("a visit").causes;
    assert!(causes.iter().any(|(cause, caused)| cause.command == Command::LosePump && caused.len() == 1));
    clinic.place(&pump_two(), DeviceKind::Pump);
    assert!(
        clinic.alarm(&code).is_none_or(|(view, _)| view.latched) && clinic.floor.missed(&chair()).is_empty()
    );
}

fn pump_two() -> Instance {
    Instance { label: "PUMP9".to_owned(), eui64: "02C4A1FFFE000109".to_owned() }
}

/// Hazard 15: the monitor goes on watching what nobody may switch off, and says at once that nothing comes.
#[test]
fn a_monitor_taken_away_during_the_infusion_alarms_until_one_stands_there_or_the_infusion_is_over() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let code = format!("link_lost/{}", device(&monitor()));
    assert!(clinic.alarm(&code).is_none());
    clinic.take_away(&monitor()).expect("taken away");
    assert!(clinic.alarm(&code).is_some());
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_none(), "the pump is still there");
    clinic.seconds_pass(10);
    (0..4).for_each(|_| clinic.round());
    let (lost, _) = clinic.alarm(&code).expect("it stands");
    assert!(lost.alarm.message.contains("SpO₂, RR, nothing comes"), "saturation stays watched: {lost:?}");
    clinic.act("stop", Command::Stop { reason: "the end".to_owned() }).expect("stopped");
    (0..4).for_each(|_| clinic.round());
    assert!(clinic.alarm(&code).is_none(), "nobody misses it after the infusion");
    for silence in ["channel_missing", "patient_unseen"] {
        assert!(clinic.alarm(silence).is_none_or(|(view, _)| view.latched));
    }
}

/// A device that was silent before the infusion and is gone does not alarm in it.
#[test]
fn a_silent_device_that_was_taken_away_before_the_infusion_is_not_missed() {
    let mut clinic = Clinic::new();
    clinic.play_until("checked_in");
    clinic.play_until("infusion_started");
    clinic.place(&monitor(), DeviceKind::Monitor);
    (0..4).for_each(|_| clinic.round());
    clinic.take_away(&monitor()).expect("taken away");
    clinic.play_until("pump_was_read");
    (0..4).for_each(|_| clinic.round());
    assert!(clinic.alarm(&format!("link_lost/{}", device(&monitor()))).is_none());
}

/// A pump that was given to another patient is an alarm under its own name, which its next message ends and a person
/// answers.
#[test]
fn a_pump_that_changed_its_patient_alarms_until_somebody_answers() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let changed = clinic::device::PumpEvent::PatientChanged;
    clinic.floor.watch_pump_event(&chair(), clinic.now(), &device(&pump()), changed);
    let code = format!("patient_conflict/{}", device(&pump()));
    let (alarm, _) = clinic.alarm(&code).expect("an alarm");
    assert_eq!((alarm.alarm.priority, alarm.latched), (Priority::High, false));
    let bytes = clinic.pump_says(30_800, 520);
    clinic.floor.take_frame(&bytes);
    assert!(clinic.alarm(&code).expect("it waits for an answer").0.latched);
    let (alarm, by, reason) = (alarm.alarm.id, StaffId::new("kim"), String::new());
    clinic
        .floor
        .answer_alarm(&chair(), clinic::monitor::Input::Acknowledge { alarm, by, reason })
        .expect("seen");
    assert!(clinic.alarm(&code).is_none());
}

/// The last list of alarms that is sent is how they stand, however many threads change them.
#[test]
fn the_last_list_of_alarms_is_the_newest() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let mut pages = clinic.floor.hub().subscribe();
    for round in 0..400 {
        let at = clinic.now();
        let ready = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (floor, ready) = (&clinic.floor, &ready);
                scope.spawn(move || {
                    ready.wait();
                    let device = DeviceId::new(format!("d{n}"));
                    let input = clinic::monitor::Input::DeviceAlert {
                        device,
                        alert: clinic::device::DeviceAlert {
                            refid: "MDC_EVT_LO_BATT".to_owned(),
                            text: "battery".to_owned(),
                            priority: clinic::device::DevicePriority::Low,
                            active: round % 2 == 0,
                        },
                    };
                    floor.feed(&chair(), at, input);
                });
            }
        });
        let sent = std::iter::from_fn(|| pages.try_recv().ok()).filter(|message| message.name == "a");
        let last: serde_json::Value = serde_json::from_str(&sent.last().expect("a list").data).expect("JSON");
        let now: serde_json::Value = serde_json::from_str(&clinic.floor.alarms_now()).expect("JSON");
        let ids = |list: &serde_json::Value| -> std::collections::BTreeSet<String> {
            let alarms = list["alarms"].as_array().cloned().unwrap_or_default();
            alarms.iter().map(|one| one["id"].to_string()).collect()
        };
        assert_eq!(ids(&last), ids(&now), "round {round}");
    }
}
