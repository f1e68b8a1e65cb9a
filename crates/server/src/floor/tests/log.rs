//! A log that is behind, full, or read again after a fall.

#[path = "../../../../store/tests/support/small_disk.rs"]
#[expect(clippy::unwrap_used, reason = "a test stops where it cannot make a folder")]
mod small_disk;

use super::*;
use clinic::monitor::{Output, Priority};
use small_disk::SmallDisk;

/// The live channel never waits for the disk: an alarm is out, marked, before the log has it.
#[test]
fn an_alarm_shows_before_the_log_has_it_and_is_marked_until_then() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let mut pages = clinic.floor.hub().subscribe();
    let bytes = clinic.vitals(Some("999999"), 84);
    clinic.floor.take_frame(&bytes);
    let mut lists = std::iter::from_fn(|| pages.try_recv().ok()).filter(|message| message.name == "a");
    let first: serde_json::Value = serde_json::from_str(&lists.next().expect("a list").data).expect("JSON");
    let about = |list: &serde_json::Value| {
        let all = list["alarms"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["text"].as_str().is_some_and(|text| text.contains("patient")))
    };
    assert_eq!(about(&first).expect("the alarm")["recorded"], false, "{first}");
    // Whatever the log takes after the alarm's line is answered after it.
    clinic.act("note", Command::Note { text: "two wristbands".to_owned() }).expect("noted");
    let (conflict, recorded) =
        clinic.alarm(&format!("patient_conflict/{}", device(&monitor()))).expect("an alarm");
    assert!(recorded);
    let lines = clinic.floor.alarm_history(&clinic.visit).expect("log");
    assert!(
        lines
            .iter()
            .any(|(_, _, line)| matches!(line, Output::AlarmRaised(one) if one.id == conflict.alarm.id))
    );
}

/// Hazard 19.
#[test]
fn after_a_restart_the_delivery_is_uncertain_and_the_gap_is_an_alarm() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let other = clinic.vitals(Some("999999"), 84);
    clinic.floor.take_frame(&other);
    let (seating, before) = (clinic.floor.seating(), clinic.history());
    clinic.restart_after(40);
    assert_eq!(clinic.floor.seating(), seating);
    assert_eq!(clinic.history()[..before.len()], before);
    assert_eq!(clinic.session().phase, clinic::session::Phase::Infusing);
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
    assert_eq!(clinic.kinds().last().map(String::as_str), Some("delivery_became_uncertain"));
    assert_eq!(
        clinic.floor.patient(&PatientId::new("p1")).expect("log").map(|one| one.mrn).as_deref(),
        Some("004217")
    );
    let (gap, _) = clinic.alarm("interrupted").expect("an alarm");
    // Since the last message that came before the fall.
    let gap_s = gap.alarm.message.rsplit(' ').nth(1).and_then(|seconds| seconds.parse::<i64>().ok());
    assert!(gap_s.is_some_and(|seconds| (40..=41).contains(&seconds)), "{}", gap.alarm.message);
    let lines = clinic.floor.alarm_history(&clinic.visit).expect("log");
    let raised = |line: &Output| match line {
        Output::AlarmRaised(alarm) => Some(alarm.id.clone()),
        _ => None,
    };
    let ids: Vec<_> = lines.iter().filter_map(|(_, _, line)| raised(line)).collect();
    assert!(ids.len() > 1);
    assert!(ids.iter().all(|id| ids.iter().filter(|other| *other == id).count() == 1), "{ids:?}");
    let bytes = clinic.pump_says(30_800, 1_000);
    clinic.floor.take_frame(&bytes);
    assert_eq!(clinic.session().delivery.uncertain_since(clinic.now()), None, "someone has read the pump");
}

/// Times that are not those of the day are told at every chair where somebody sits.
#[test]
fn a_clock_behind_the_log_alarms_at_every_watched_chair() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let late = Clock::system();
    late.not_before(late.now().checked_add(jiff::SignedDuration::from_mins(90)).expect("near"));
    let behind = open_on(clinic.floor.store(), &late, 9);
    let told = |floor: &Floor, now: Timestamp| -> Vec<(String, Priority)> {
        (0..4).for_each(|_| floor.round());
        let all = floor.alarm_list(now).into_iter();
        let clock = all.filter(|(_, view, _)| view.alarm.code == "clock_behind");
        clock.map(|(chair, view, _)| (chair.0, view.alarm.priority)).collect()
    };
    assert_eq!(told(&behind, late.now()), [("3".to_owned(), Priority::Medium)]);
    assert_eq!(told(&clinic.floor, clinic.now()), [], "a clock that is right");
}

/// A minute that was kept and gets more readings, as after a restart within it, keeps both parts, and the log vouches
/// for both.
#[test]
fn a_minute_in_two_parts_is_kept_whole() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let minute = jiff::SignedDuration::from_mins(1);
    let over = clinic.now().checked_add(minute).expect("near");
    for spo2 in [97, 93] {
        let bytes = clinic.vitals(Some("004217"), spo2);
        assert_eq!(clinic.floor.take_frame(&bytes).refused, None);
        clinic.floor.keep_minutes(over);
    }
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    assert_eq!(history.doubtful, []);
    let kept: Vec<i32> = history
        .readings
        .iter()
        .filter(|(_, parameter, _)| *parameter == Parameter::Spo2)
        .map(|(_, _, value)| value.0)
        .collect();
    assert_eq!(kept, [970, 930]);
    let seconds: Vec<_> = history.readings.iter().map(|(at, _, _)| at.as_second()).collect();
    assert!(seconds.iter().all(|second| *second == clinic.now().as_second()), "{seconds:?}");
}

/// Hazard 21: with a full disk values and alarms go on, everything says NOT RECORDED, and what waited is recorded
/// in order when there is room again.
#[test]
fn with_a_full_disk_values_and_alarms_go_on_and_are_recorded_later() {
    let Some(disk) = SmallDisk::mount("floor-full", 8 << 20) else { return };
    let mut clinic = Clinic::within(disk.0.join("data-of-the-clinic"));
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    assert!(clinic.floor.is_recording());
    let filler = disk.0.join("something-else");
    fill(&filler);
    let note = |n: usize| Command::Note { text: format!("{n} {}", "words ".repeat(330)) };
    let denied = (0..1000).find_map(|n| clinic.act(&format!("note-{n}"), note(n)).err());
    // Whether the entry that met the full disk arrived shows when there is room again.
    assert!(matches!(denied, Some(Denied::NotRecorded(_) | Denied::NotKnown(_))), "{denied:?}");
    let before = clinic.history();
    for spo2 in [84, 83] {
        clinic.seconds_pass(1);
        let bytes = clinic.vitals(Some("004217"), spo2);
        let intake = clinic.floor.take_frame(&bytes);
        assert!(answered(&intake, "CE"), "{intake:?}");
        clinic.round();
        assert_eq!(clinic.spo2(), Some(spo2.to_string()), "values go on");
    }
    let other = clinic.vitals(Some("999999"), 84);
    clinic.floor.take_frame(&other);
    // What was on its way when the disk filled has been answered when this is.
    assert!(matches!(clinic.act("later", note(0)), Err(Denied::NotRecorded(_))));
    let code = format!("patient_conflict/{}", device(&monitor()));
    let (conflict, recorded) = clinic.alarm(&code).expect("alarms go on");
    assert_eq!((conflict.alarm.priority, recorded, conflict.sounds), (Priority::High, false, true));
    assert!(!clinic.floor.is_recording());
    assert!(clinic.floor.beat_now().contains(r#""recording":false"#));
    clinic.floor.keep();
    assert_eq!((clinic.history(), clinic.floor.is_recording()), (before, false));
    std::fs::remove_file(&filler).expect("room again");
    clinic.act("again", note(0)).expect("noted");
    clinic.floor.keep();
    assert!(clinic.floor.is_recording());
    assert!(clinic.alarm(&code).expect("it stands").1, "and the log has it");
    let lines = clinic.floor.alarm_history(&clinic.visit).expect("log");
    assert!(lines.iter().any(|(_, _, line)| matches!(line, Output::AlarmRaised(one) if one.code == code)));
    assert!(lines.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in order");
}

/// Hazard 124: no log that is full keeps the alarm back.
#[test]
fn a_volume_that_the_rate_cannot_explain_alarms_though_nothing_is_recorded() {
    let Some(disk) = SmallDisk::mount("floor-full-doubt", 8 << 20) else { return };
    let mut clinic = Clinic::within(disk.0.join("data-of-the-clinic"));
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    fill(&disk.0.join("something-else"));
    let note = |n: usize| Command::Note { text: format!("{n} {}", "words ".repeat(330)) };
    assert!((0..1000).any(|n| clinic.act(&format!("note-{n}"), note(n)).is_err()));
    clinic.seconds_pass(1);
    let frame = clinic.pump_says(30_800, 31_000);
    clinic.floor.take_frame(&frame);
    assert!(clinic.alarm("pump_count").is_some());
}

/// Hazard 21: minutes of readings wait for the log like alarm lines, and a restart that the log could not take in is
/// told to it later.
#[test]
fn readings_and_a_lost_pump_wait_for_a_full_disk_and_are_recorded_once() {
    let Some(disk) = SmallDisk::mount("floor-full-at-rest", 8 << 20) else { return };
    let mut clinic = Clinic::within(disk.0.join("data-of-the-clinic"));
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.floor.keep();
    let filler = disk.0.join("something-else");
    fill(&filler);
    let note = |n: usize| Command::Note { text: format!("{n} {}", "words ".repeat(330)) };
    assert!((0..1000).any(|n| clinic.act(&format!("note-{n}"), note(n)).is_err()));
    for spo2 in [91, 92, 93] {
        let bytes = clinic.vitals(Some("004217"), spo2);
        clinic.floor.take_frame(&bytes);
        clinic.seconds_pass(60);
        clinic.floor.keep();
    }
    let again = open_on(clinic.floor.store(), &clinic.clock, 9);
    let uncertain = |floor: &Floor| {
        let session = floor.session(&clinic.visit).expect("log").expect("a session");
        session.delivery.uncertain_since(clinic.now()).is_some()
    };
    assert!(!uncertain(&again), "the log does not have it");
    std::fs::remove_file(&filler).expect("room again");
    clinic.act("again", note(0)).expect("noted");
    again.keep();
    assert!(uncertain(&again), "and has it when it records again");
    (0..2).for_each(|_| clinic.floor.keep());
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    assert_eq!(history.doubtful, []);
    for spo2 in [910, 920, 930] {
        let times = history.readings.iter().filter(|(_, _, value)| value.0 == spo2).count();
        assert_eq!(times, 1, "{spo2} once");
    }
}

/// Writes until nothing fits any more.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for piece in [1 << 20, 1 << 12, 1 << 8, 1] {
        while file.write_all(&vec![7; piece]).is_ok() {}
    }
    let _full = file.sync_all();
}

/// Hazard 63: a patient's name stands in no line of the program's own log.
#[test]
fn no_name_of_a_patient_is_in_the_programs_own_log() {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut clinic = Clinic::new();
        clinic.play_to_infusing();
        clinic.a_minute_passes(97, 30_800, 513);
        let other = clinic.vitals(Some("ZZCANARY"), 84);
        clinic.floor.take_frame(&other);
        clinic.floor.take_frame(b"MSH|^~\\&|ZZCANARY\rPID|||ZZCANARY");
        clinic.register("p9", "ZZCANARY");
        clinic.play_until("nothing more");
        clinic.restart_after(60);
        tracing::info!("the end");
    });
    let written = lines.0.lock().expect("lines").clone();
    let written = String::from_utf8(written).expect("text");
    assert!(written.contains("the end"));
    assert!(!written.to_uppercase().contains("CANAR"), "{written}");
}

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Hazard 24: nobody misses an observation and no dose is counted because somebody set the clock. What happens to each:
/// the infusion has one second less to go, one more second of its volume is in, the next cuff is due one second sooner,
/// and no alarm comes but the one that says so.
#[test]
fn a_clock_set_ahead_moves_no_timer_and_no_dose_and_is_told() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let stands = |clinic: &Clinic| {
        let (now, session) = (clinic.now(), clinic.session());
        let view = clinic.floor.monitor_view(&chair()).expect("a chair");
        let due: Vec<i64> = view.due.iter().map(|due| due.in_s).collect();
        let alarms: Vec<String> = view.alarms.iter().map(|one| one.alarm.code.clone()).collect();
        (session.delivery.volume_at(now).0, session.left_s(now).expect("it runs"), due, alarms)
    };
    let (volume, left_s, due, alarms) = stands(&clinic);
    clinic.clock.set_machine(jiff::SignedDuration::from_mins(47));
    clinic.seconds_pass(1);
    (0..4).for_each(|_| clinic.round());
    clinic.floor.keep();
    let after = stands(&clinic);
    assert!(
        (0..=9).contains(&(after.0 - volume)),
        "a second at 30.8 mL/h is 8.6 µL: {} to {}",
        volume,
        after.0
    );
    assert_eq!((after.1, after.2), (left_s - 1, due.iter().map(|in_s| in_s - 1).collect()));
    let new: Vec<_> = after.3.iter().filter(|code| !alarms.contains(code)).collect();
    assert_eq!(new, ["clock_ahead"]);
    let words = &clinic.alarm("clock_ahead").expect("an alarm").0.alarm.message;
    assert!(words.contains("by 47 min"), "{words}");
    let told = |clinic: &Clinic| clinic.floor.store().stream(SITE, "audit").expect("log").len();
    assert_eq!(told(&clinic), 1, "the audit says so once");
    clinic.seconds_pass(1);
    clinic.floor.keep();
    assert_eq!(told(&clinic), 1);
    clinic.clock.set_machine(jiff::SignedDuration::from_mins(-47));
    clinic.seconds_pass(1);
    (0..4).for_each(|_| clinic.round());
    assert!(clinic.alarm("clock_ahead").is_none_or(|(view, _)| view.latched));
}

#[test]
fn times_follow_a_clock_set_ahead_when_nobody_sits_in_a_chair() {
    let clinic = Clinic::new();
    let before = clinic.now();
    clinic.clock.set_machine(jiff::SignedDuration::from_mins(47));
    assert_eq!(clinic.now(), before);
    clinic.floor.keep();
    assert_eq!(clinic.now().duration_since(before).as_mins(), 47);
    let told = clinic.floor.store().stream(SITE, "audit").expect("log");
    assert!(told.last().expect("an entry").body.contains("2820 s"));
}
