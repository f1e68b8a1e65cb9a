//! What a fall of the program must not lose, and must not invent.

use super::*;
use clinic::monitor::{Input, Output};
use clinic::session::{Finding, Observation};
use jiff::SignedDuration;
use proptest::prelude::*;

const MRN: Option<&str> = Some("004217");

/// A second passes, and the monitor says this at its end.
fn second(clinic: &mut Clinic, spo2: i32) {
    clinic.seconds_pass(1);
    for frame in [clinic.vitals(MRN, spo2), clinic.pump_says(30_800, 513)] {
        assert_eq!(clinic.floor.take_frame(&frame).refused, None);
    }
    clinic.round();
    clinic.floor.keep();
}

/// Saturations as the record has them: those of their time, and those that came late.
fn recorded(clinic: &Clinic) -> [Vec<(Timestamp, i32)>; 2] {
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    assert_eq!(history.doubtful, []);
    [history.readings, history.late].map(|all| {
        let spo2 = all.into_iter().filter(|(_, parameter, _)| *parameter == Parameter::Spo2);
        spo2.map(|(at, _, value)| (at, value.0 / 10)).collect()
    })
}

/// The lines of the watch, once the log has those that it was given.
#[expect(clippy::disallowed_methods, reason = "the log tells nobody when it has written what it was given")]
fn told_lines(clinic: &Clinic) -> Vec<Output> {
    let read = || clinic.floor.alarm_history(&clinic.visit).expect("log");
    let mut before = read().len();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(40));
        let now = read();
        if now.len() == before {
            return now.into_iter().map(|(_, _, line)| line).collect();
        }
        before = now.len();
    }
}

/// Codes of the alarms raised from a line of the log on.
fn raised(clinic: &Clinic, from: usize) -> Vec<(String, String)> {
    let lines = told_lines(clinic).into_iter().skip(from);
    let raised = lines.filter_map(|line| match line {
        Output::AlarmRaised(alarm) => Some((alarm.code, alarm.message)),
        _ => None,
    });
    raised.collect()
}

fn lines(clinic: &Clinic) -> usize {
    told_lines(clinic).len()
}

/// Hazards 19 and 20: wherever in a minute the program falls, and however often, each reading that it acknowledged
/// stands in the record once, late ones as late, and the chart shows what it showed.
#[test]
fn no_fall_loses_or_doubles_a_reading() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let (mut sent, mut late) = (Vec::new(), Vec::new());
    for (round, seconds) in [41, 12, 7, 70, 1, 0, 33].into_iter().enumerate() {
        if round > 0 {
            clinic.seconds_pass(30);
            let measured = clinic.now() - SignedDuration::from_secs(20);
            let envelope = Envelope { sent_at: measured, ..clinic.envelope(monitor(), MRN) };
            clinic.floor.take_frame(&Clinic::vitals_within(&envelope, measured, 91));
            late.push((measured, 91));
        }
        for n in 0..seconds {
            // A fall of the saturation for some seconds, as long as nothing but frames tells of it.
            let spo2 = if (20..32).contains(&n) { 83 } else { 97 };
            second(&mut clinic, spo2);
            sent.push((clinic.now(), spo2));
        }
        let drawn = clinic.floor.trend(&chair()).expect("a chair");
        assert!(drawn.rows.len() >= sent.len());
        clinic.restart_after(1 + round as u64 % 3);
        let again = clinic.floor.trend(&chair()).expect("a chair");
        assert_eq!((again.rows, again.cuffs), (drawn.rows, drawn.cuffs), "round {round}");
        assert_eq!(clinic.spo2().as_deref(), Some("97"), "round {round}");
    }
    clinic.seconds_pass(60);
    (0..2).for_each(|_| clinic.floor.keep());
    assert!(sent.iter().any(|(_, spo2)| *spo2 == 83) && !late.is_empty());
    assert_eq!(recorded(&clinic), [sent.clone(), late.clone()]);
    let verified = clinic.floor.kept_readings(&clinic.visit).expect("log");
    let spo2 = verified.iter().filter(|(_, parameter, _)| *parameter == Parameter::Spo2).count();
    assert_eq!(spo2, sent.len() + late.len());
}

/// A minute that the log has in two parts is read back as one, and kept no third time.
#[test]
fn what_the_log_has_of_a_minute_is_not_kept_again() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let over = clinic.now() + SignedDuration::from_mins(1);
    let mut sent = Vec::new();
    for spo2 in [97, 93] {
        let frame = clinic.vitals(MRN, spo2);
        assert_eq!(clinic.floor.take_frame(&frame).refused, None);
        sent.push((clinic.now(), spo2));
        clinic.floor.keep_minutes(over);
        clinic.seconds_pass(1);
    }
    clinic.restart_after(1);
    clinic.seconds_pass(120);
    clinic.floor.keep();
    assert_eq!(recorded(&clinic), [sent, vec![]]);
}

/// A device whose clock is wrong is known at once again, and what waited in it stays late.
#[test]
fn a_clock_that_was_known_before_a_fall_is_known_after_it() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let wrong = SignedDuration::from_secs(420);
    let send = |clinic: &mut Clinic, measured: Timestamp, spo2: i32| {
        let envelope = Envelope { sent_at: measured - wrong, ..clinic.envelope(monitor(), MRN) };
        let frame = Clinic::vitals_within(&envelope, measured - wrong, spo2);
        assert_eq!(clinic.floor.take_frame(&frame).refused, None);
    };
    for _ in 0..90 {
        clinic.seconds_pass(1);
        let now = clinic.now();
        send(&mut clinic, now, 97);
        clinic.round();
        clinic.floor.keep();
    }
    clinic.seconds_pass(60);
    let then = clinic.now() - SignedDuration::from_secs(20);
    send(&mut clinic, then, 84);
    clinic.restart_after(1);
    assert_eq!(clinic.spo2().as_deref(), Some("97"), "84 was of then");
    let now = clinic.now();
    send(&mut clinic, now, 96);
    clinic.round();
    assert_eq!(clinic.spo2().as_deref(), Some("96"), "of now, by the clock that is known");
    clinic.seconds_pass(60);
    clinic.floor.keep();
    let [kept, late] = recorded(&clinic);
    // Seconds in which the clock was being compared are in the frames alone.
    assert!(kept.len() > 80 && kept.iter().filter(|(_, spo2)| *spo2 == 96).count() == 1);
    assert_eq!(late, [(then, 84)]);
}

/// Hazard 19: a restart within the patience of a channel raises that it happened, with its length, and nothing else.
#[test]
fn a_short_restart_tells_of_no_silence_that_was_not() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    (0..30).for_each(|_| second(&mut clinic, 97));
    let before = lines(&clinic);
    clinic.restart_after(3);
    clinic.round();
    let told: Vec<_> = raised(&clinic, before);
    let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["interrupted"], "{told:?}");
    assert!(told[0].1.ends_with("for 3 s"), "from the last frame on: {told:?}");
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
    (0..40).for_each(|_| second(&mut clinic, 97));
    assert_eq!(raised(&clinic, before).len(), 1, "{:?}", raised(&clinic, before));
}

/// Hazard 19: what was silent before stands again at once, what is silent since is told when its time is over.
#[test]
fn a_silence_from_before_stands_again_and_one_since_is_told_in_its_time() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.seconds_pass(40);
    (0..4).for_each(|_| clinic.round());
    assert!(clinic.alarm(&format!("link_lost/{}", device(&monitor()))).is_some());
    clinic.restart_after(1);
    (0..4).for_each(|_| clinic.round());
    let high = clinic.alarm(&format!("link_lost/{}", device(&monitor()))).expect("again").0.alarm;
    assert_eq!(high.priority, clinic::monitor::Priority::High, "nobody sees the patient: {high:?}");
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let before = lines(&clinic);
    clinic.restart_after(100);
    (0..4).for_each(|_| clinic.round());
    let told = raised(&clinic, before);
    assert!(told.iter().all(|(code, _)| code != "patient_unseen" && code != "no_display"), "{told:?}");
    assert!(told.iter().any(|(code, words)| code == "interrupted" && words.ends_with("for 100 s")));
    for _ in 0..31 {
        clinic.seconds_pass(1);
        (0..4).for_each(|_| clinic.round());
    }
    let unseen = clinic.alarm(&format!("link_lost/{}", device(&monitor()))).expect("nothing came").0.alarm;
    assert_eq!(unseen.priority, clinic::monitor::Priority::High);
}

/// Hazard 19: a chair without a device says nothing for minutes, and the watch was there all the same. What is told is for
/// how long it was not.
#[test]
fn the_gap_of_a_chair_that_is_charted_by_hand_is_as_long_as_the_program_was_away() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    for device in [monitor(), pump()] {
        clinic.take_away(&device).expect("taken away");
    }
    for _ in 0..240 {
        clinic.seconds_pass(1);
        clinic.round();
        clinic.floor.keep();
    }
    let before = lines(&clinic);
    clinic.restart_after(7);
    clinic.round();
    let told = raised(&clinic, before);
    let interrupted = told.iter().find(|(code, _)| code == "interrupted").expect("told");
    assert!(interrupted.1.ends_with("for 7 s"), "{told:?}");
}

/// Hazard 103: each time that the program was away is a gap of its own on paper, also while nobody has answered the first.
#[test]
fn each_time_that_the_program_was_away_is_told_in_the_record() {
    use crate::record::sheet::Part;
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    for device in [monitor(), pump()] {
        clinic.take_away(&device).expect("taken away");
    }
    for away_s in [6, 45] {
        for _ in 0..20 {
            clinic.seconds_pass(1);
            clinic.round();
            clinic.floor.keep();
        }
        clinic.restart_after(away_s);
        clinic.round();
    }
    lines(&clinic);
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    let sheet = crate::record::collect(&history, clinic.floor.knowledge(), &jiff::tz::TimeZone::UTC);
    let parts = sheet.sections.iter().flat_map(|section| &section.parts);
    let rows = parts.filter_map(|part| if let Part::Table(table) = part { Some(&table.rows) } else { None });
    let rows =
        rows.flatten().map(|row| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" | "));
    let rows: Vec<String> = rows.filter(|row| row.contains("interrupted")).collect();
    let (alarms, gaps): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.contains("High"));
    assert!(gaps.len() == 2 && gaps[0].contains("0 min 6 s") && gaps[1].contains("0 min 45 s"), "{rows:#?}");
    assert!(
        alarms.len() == 1 && alarms[0].contains("for 6 s") && alarms[0].contains("for 45 s"),
        "{rows:#?}"
    );
}

/// Hazard 100: what was struck before a fall stays struck after it, for the watch and the chart.
#[test]
fn what_was_struck_stays_struck_after_a_restart() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let chart = |clinic: &Clinic, id: &str, systolic: i32, spo2: i32| {
        let values = [(Parameter::Systolic, systolic), (Parameter::Diastolic, 71), (Parameter::Spo2, spo2)];
        let values = values.map(|(parameter, value)| (parameter, Tenths::whole(value))).into();
        let seen = Observation::by_eye(clinic.now(), Finding::Vitals { values });
        clinic.act(id, Command::Chart(seen)).expect("charted");
        clinic.history().last().expect("charted").position
    };
    chart(&clinic, "right", 121, 97);
    clinic.seconds_pass(9);
    let slip = chart(&clinic, "slip", 213, 71);
    assert_eq!(clinic.spo2().as_deref(), Some("71"));
    clinic.seconds_pass(9);
    let strike = Command::Amend { position: slip, reason: "wrong chair".to_owned(), text: String::new() };
    clinic.act("strike", strike).expect("struck");
    let stands = |clinic: &Clinic| {
        let view = clinic.floor.monitor_view(&chair()).expect("a chair");
        let drawn = clinic.floor.trend(&chair()).expect("a chair");
        let values: Vec<_> = view.values.into_iter().map(|one| (one.parameter, one.value)).collect();
        let codes = view.alarms.iter().map(|one| one.alarm.code.clone());
        let of_values = codes.filter(|code| ["systolic", "spo2"].contains(&code.as_str()));
        (values, view.baseline, of_values.count(), drawn.rows, drawn.cuffs)
    };
    let before = stands(&clinic);
    assert_eq!((clinic.spo2().as_deref(), before.2), (Some("97"), 0));
    assert!(before.4.iter().all(|cuff| cuff.systolic != Tenths::whole(213)));
    clinic.restart_after(2);
    assert_eq!(stands(&clinic), before);
}

/// Hazard 136: a high alarm that nobody answered waits for its answer through any number of falls, under one name, whether
/// the value that raised it is over or not. What was answered stays answered.
#[test]
fn an_alarm_that_nobody_answered_waits_through_a_restart() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let saturation =
        |clinic: &Clinic| clinic.alarm("spo2").map(|(view, _)| (view.alarm.id.clone(), view.latched));
    (0..40).for_each(|_| second(&mut clinic, 79));
    let (id, latched) = saturation(&clinic).expect("79 alarms");
    assert!(!latched);
    let before = lines(&clinic);
    clinic.restart_after(3);
    clinic.round();
    assert_eq!(saturation(&clinic), Some((id.clone(), false)), "it stands as it stood");
    (0..20).for_each(|_| second(&mut clinic, 97));
    assert_eq!(saturation(&clinic), Some((id.clone(), true)));
    clinic.restart_after(3);
    clinic.restart_after(2);
    clinic.round();
    assert_eq!(saturation(&clinic), Some((id.clone(), true)), "over, and nobody has seen it");
    assert!(raised(&clinic, before).iter().all(|(code, _)| code != "spo2"), "raised once");
    let by = clinic::id::StaffId::new("nurse.kim");
    clinic
        .floor
        .answer_alarm(&chair(), Input::Acknowledge { alarm: id, by, reason: String::new() })
        .expect("answered");
    assert_eq!(saturation(&clinic), None);
    clinic.restart_after(3);
    clinic.round();
    assert_eq!(saturation(&clinic), None);
}

/// What comes from the monitor and the pump after some seconds.
#[derive(Debug, Clone)]
enum Came {
    /// Measured now.
    Now(i32),
    /// Measured so many seconds before, and sent now.
    Late(u64, i32),
    /// From the pump.
    Pump(i64),
    /// Nothing.
    Silence,
}

fn came() -> impl Strategy<Value = Came> {
    prop_oneof![
        6 => (80..100_i32).prop_map(Came::Now),
        1 => (20..50_u64, 80..100_i32).prop_map(|(ago, spo2)| Came::Late(ago, spo2)),
        2 => (500..600_i64).prop_map(Came::Pump),
        1 => Just(Came::Silence),
    ]
}

/// The clinic after all of it, and what it acknowledged; where `falls`, the program ends and starts again as told, else
/// the same seconds pass.
fn lived(steps: &[(u64, Came, Option<u64>)], falls: bool) -> (Clinic, Vec<bool>) {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let mut taken = Vec::new();
    for (seconds, came, fall) in steps {
        clinic.seconds_pass(*seconds);
        let frame = match came {
            Came::Now(spo2) => Some(clinic.vitals(MRN, *spo2)),
            Came::Late(ago, spo2) => {
                let measured = clinic.now() - SignedDuration::from_secs(i64::try_from(*ago).expect("near"));
                let envelope = Envelope { sent_at: measured, ..clinic.envelope(monitor(), MRN) };
                Some(Clinic::vitals_within(&envelope, measured, *spo2))
            }
            Came::Pump(counted) => Some(clinic.pump_says(30_800, *counted)),
            Came::Silence => None,
        };
        if let Some(frame) = frame {
            taken.push(clinic.floor.take_frame(&frame).refused.is_none());
        }
        clinic.round();
        clinic.floor.keep();
        match fall {
            Some(gap) if falls => clinic.restart_after(*gap),
            Some(gap) => clinic.seconds_pass(*gap),
            None => {}
        }
    }
    (clinic, taken)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Hazards 19 and 20: whatever devices send, and wherever and however often the program falls, what is acknowledged,
    /// drawn and recorded is what it would have been without a fall.
    #[test]
    fn no_sequence_of_messages_and_falls_changes_what_was_read(
        steps in prop::collection::vec((1..12_u64, came(), prop::option::weighted(0.2, 0..4_u64)), 1..50),
    ) {
        let (fallen, taken) = lived(&steps, true);
        let (stood, taken_standing) = lived(&steps, false);
        prop_assert_eq!(taken, taken_standing);
        let drawn = |clinic: &Clinic| clinic.floor.trend(&chair()).map(|trend| (trend.rows, trend.cuffs));
        prop_assert_eq!(drawn(&fallen), drawn(&stood));
        for clinic in [&fallen, &stood] {
            clinic.seconds_pass(60);
            (0..2).for_each(|_| clinic.floor.keep());
        }
        prop_assert_eq!(recorded(&fallen), recorded(&stood));
        let sent = |which: fn(&Came) -> bool| steps.iter().filter(|(_, came, _)| which(came)).count();
        let kept: usize = recorded(&stood).iter().map(Vec::len).sum();
        // A clock whose first message was late is compared anew before its values count.
        let measured = if sent(|came| matches!(came, Came::Late(..))) > 0 { 0 } else { sent(|came| matches!(came, Came::Now(_))) };
        prop_assert!(measured == 0 || kept > 0, "nothing of {measured}");
        prop_assert!(kept <= sent(|came| !matches!(came, Came::Silence | Came::Pump(_))), "{kept} are too many");
    }
}
