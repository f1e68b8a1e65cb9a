//! What a device measured then and sends now, and whom it names.

use super::*;
use clinic::device::PumpEvent;
use clinic::monitor::Priority;
use clinic::session::Event;
use clinic::session::delivery::Certainty;
use jiff::SignedDuration;

const MRN: Option<&str> = Some("004217");

fn ago(clinic: &Clinic, seconds: i64) -> Timestamp {
    clinic.now() - SignedDuration::from_secs(seconds)
}

/// The monitor was away for five minutes of the infusion, and the watch has said so.
fn away() -> Clinic {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.seconds_pass(300);
    (0..4).for_each(|_| clinic.round());
    assert!(clinic.alarm("patient_unseen").is_some());
    clinic
}

fn spo2_now(clinic: &Clinic) -> (Option<String>, Option<i64>) {
    let view = clinic.floor.monitor_view(&chair()).expect("a chair");
    let spo2 = view.values.into_iter().find(|value| value.parameter == Parameter::Spo2).expect("seen");
    (spo2.value, spo2.age_s)
}

/// Hazard 10: frames kept as they were, and values of then in a frame of now.
#[test]
fn what_waited_in_a_monitor_is_kept_at_its_own_time_and_never_taken_for_now() {
    for made_anew in [false, true] {
        let mut clinic = away();
        for second in 0..200 {
            let measured = ago(&clinic, 299 - second);
            let mut envelope = clinic.envelope(monitor(), MRN);
            envelope.sent_at = if made_anew { clinic.now() } else { measured };
            let frame = Clinic::vitals_within(&envelope, measured, 84);
            assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
        }
        (0..4).for_each(|_| clinic.round());
        assert!(clinic.alarm("patient_unseen").is_some_and(|(view, _)| !view.latched), "nothing of now came");
        assert_eq!(spo2_now(&clinic), (Some("97".to_owned()), Some(300)));
        assert!(clinic.alarm("spo2").is_none(), "nobody is at 84 now");
        let (told, _) = clinic.alarm(&format!("not_of_now/{}", device(&monitor()))).expect("told");
        assert!(told.alarm.priority <= Priority::Medium && told.alarm.message.contains("late"), "{told:?}");
        assert!(clinic.floor.trouble_of(&device(&monitor())).expect("told").contains("Not taken for now"));
        let frames = clinic.floor.store().frames(SITE, device(&monitor()).as_str(), 0, i64::MAX, 999);
        let verdicts: Vec<String> = frames.expect("log").into_iter().map(|frame| frame.verdict).collect();
        assert_eq!(verdicts.iter().filter(|verdict| *verdict == "taken, not of now").count(), 200);
        let trend = clinic.floor.trend(&chair()).expect("a chair");
        let late: Vec<_> = trend.rows.iter().filter(|row| row.late).map(|row| row.second).collect();
        assert_eq!((late.len(), late[0]), (200, ago(&clinic, 299).as_second()), "drawn at its own time");
        assert!(trend.rows.iter().map(|row| row.second).is_sorted());
        let frame = clinic.vitals(MRN, 96);
        clinic.floor.take_frame(&frame);
        (0..4).for_each(|_| clinic.round());
        assert_eq!(spo2_now(&clinic), (Some("96".to_owned()), Some(0)));
        assert!(
            clinic.alarm("patient_unseen").is_some_and(|(view, _)| view.latched),
            "it waits for an answer"
        );
        assert!(clinic.alarm(&format!("not_of_now/{}", device(&monitor()))).is_none());
        clinic.seconds_pass(60);
        clinic.floor.keep();
        let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
        let history = history.expect("log").expect("a visit");
        let late = history.late.iter().filter(|(_, parameter, _)| *parameter == Parameter::Spo2).count();
        assert_eq!((late, history.doubtful.len()), (200, 0), "the log vouches for all of it");
    }
}

/// Hazard 10: a frame that says nowhere when is refused and never shown as of now.
#[test]
fn what_carries_no_time_at_all_is_never_taken_for_now() {
    let mut clinic = away();
    let frame = String::from_utf8(clinic.vitals(MRN, 84)).expect("text");
    let timeless: Vec<String> = frame.split('\r').map(without_times).collect();
    let intake = clinic.floor.take_frame(timeless.join("\r").as_bytes());
    assert!(!answered(&intake, "CA"), "{intake:?}");
    assert!(intake.refused.as_ref().is_some_and(|why| why.contains("MSH 1, field 7")), "{intake:?}");
    (0..4).for_each(|_| clinic.round());
    assert_eq!(spo2_now(&clinic).0.as_deref(), Some("97"));
    let lost = clinic.alarm(&format!("link_lost/{}", device(&monitor())));
    assert!(lost.is_some_and(|(view, _)| !view.latched), "nothing that can be read came");
}

/// Hazards 10 and 25: a monitor that leaves the offset out tells the time of the clinic's wall, and what waited in it is
/// as late as with an offset.
#[test]
fn what_carries_no_offset_is_of_the_time_on_the_clinics_wall() {
    let mut clinic = away();
    let bare = |frame: Vec<u8>| String::from_utf8(frame).expect("text").replace("+0000", "");
    let (measured, envelope) = (ago(&clinic, 200), clinic.envelope(monitor(), MRN));
    let envelope = Envelope { sent_at: measured, ..envelope };
    let late = bare(Clinic::vitals_within(&envelope, measured, 84));
    assert!(answered(&clinic.floor.take_frame(late.as_bytes()), "CA"));
    assert_eq!(spo2_now(&clinic), (Some("97".to_owned()), Some(300)), "it is of then");
    let now = bare(clinic.vitals(MRN, 96));
    assert!(answered(&clinic.floor.take_frame(now.as_bytes()), "CA"));
    assert_eq!(spo2_now(&clinic), (Some("96".to_owned()), Some(0)));
    // A day alone is no time of a value.
    let stamp = clinic.now().strftime("%Y%m%d").to_string();
    let vague = bare(clinic.vitals(MRN, 84));
    let vague: Vec<String> = vague.split('\r').map(|segment| of_a_day(segment, &stamp)).collect();
    let intake = clinic.floor.take_frame(vague.join("\r").as_bytes());
    assert!(intake.refused.as_ref().is_some_and(|why| why.contains("MSH 1, field 7")), "{intake:?}");
    assert_eq!(spo2_now(&clinic).0.as_deref(), Some("96"));
}

/// A segment whose times are cut to the day.
fn of_a_day(segment: &str, day: &str) -> String {
    let fields = segment.split('|').map(|field| if field.starts_with(day) { day } else { field });
    fields.collect::<Vec<_>>().join("|")
}

/// Hazard 10: what a pump did then stands in the record at its own time, and moves and alarms nothing now.
#[test]
fn an_event_that_waited_in_a_pump_is_kept_at_its_own_time() {
    let mut clinic = away();
    let told = |clinic: &Clinic| -> Vec<(Timestamp, bool)> {
        let all = clinic.history();
        let told = all.iter().filter_map(|one| match &one.event {
            Event::PumpTold { happened_at, late, .. } => Some((*happened_at, *late)),
            _ => None,
        });
        told.collect()
    };
    let send = |clinic: &mut Clinic, at: Timestamp| {
        let envelope = Envelope { sent_at: at, ..clinic.envelope(pump(), None) };
        let (reading, stopped) = (Clinic::pump_reading(at, 0, 600), PumpEvent::DeliveryStopped);
        clinic.floor.take_frame(&encode::pump_event(&envelope, PumpType::LargeVolume, stopped, &reading))
    };
    // That its values are late is told at the chair: of the event itself, nothing.
    let alarms = |clinic: &Clinic| -> std::collections::BTreeSet<String> {
        let all = clinic.floor.alarm_list(clinic.now()).into_iter().map(|(_, view, _)| view.alarm.code);
        all.filter(|code| !code.starts_with("not_of_now/")).collect()
    };
    let then = ago(&clinic, 200);
    let before = alarms(&clinic);
    assert!(answered(&send(&mut clinic, then), "CA"));
    (0..60).for_each(|_| clinic.round());
    assert_eq!(told(&clinic), [(then, true)]);
    assert!(alarms(&clinic).is_subset(&before), "{:?} where there was {before:?}", alarms(&clinic));
    let now = clinic.now();
    assert!(answered(&send(&mut clinic, now), "CA"));
    assert_eq!(told(&clinic), [(then, true), (now, false)]);
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    let sheet = crate::record::collect(&history, clinic.floor.knowledge(), &TimeZone::UTC);
    let printed = crate::record::html(&sheet).expect("printed");
    assert!(printed.contains("Pump reports late: delivery stopped"), "{printed}");
}

/// A segment without MSH-7, OBR-7, OBR-8 and OBX-14.
fn without_times(segment: &str) -> String {
    let mut fields: Vec<&str> = segment.split('|').collect();
    let times: &[usize] = match fields[0] {
        "MSH" => &[6],
        "OBR" => &[7, 8],
        "OBX" => &[14],
        _ => &[],
    };
    times.iter().for_each(|n| fields.get_mut(*n).into_iter().for_each(|field| *field = ""));
    fields.join("|")
}

/// Hazard 10: what lets a paused infusion go on is of now.
#[test]
fn late_vital_signs_let_no_paused_infusion_go_on() {
    let mut clinic = away();
    clinic.act("pause", Command::Pause { reason: "SpO2".to_owned() }).expect("paused");
    let (before, missing) = (clinic.floor.keeps_paused(&chair()), "missing: SpO₂ since the pause began");
    assert!(before.iter().any(|why| why == missing), "{before:?}");
    clinic.seconds_pass(60);
    // Measured after the pause began, and half a minute ago.
    let (measured, envelope) = (ago(&clinic, 30), clinic.envelope(monitor(), MRN));
    clinic.floor.take_frame(&Clinic::vitals_within(&envelope, measured, 98));
    assert!(clinic.floor.keeps_paused(&chair()).iter().any(|why| why == missing));
    let frame = clinic.vitals(MRN, 98);
    clinic.floor.take_frame(&frame);
    assert!(!clinic.floor.keeps_paused(&chair()).iter().any(|why| why == missing));
}

/// Hazard 34: a pump that said then what it delivered has not said what it delivers.
#[test]
fn what_waited_in_a_pump_makes_no_delivery_known() {
    let mut clinic = away();
    clinic.floor.keep();
    assert!(clinic.session().delivery.uncertain_since(clinic.now()).is_some());
    for second in [290, 200, 60] {
        let frame = clinic.pump_said(ago(&clinic, second), 30_800, 513 + (360 - second) * 8);
        assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
    }
    assert!(
        clinic.session().delivery.uncertain_since(clinic.now()).is_some(),
        "nobody knows what it does now"
    );
    let frame = clinic.pump_says(30_800, 3_080);
    clinic.floor.take_frame(&frame);
    assert_eq!(clinic.session().delivery.certainty(clinic.now()), Certainty::Read);
}

/// A wrong clock is learnt; one that is set ahead is told, and one that is set back is told until a person places the
/// device again.
#[test]
fn a_clock_of_a_device_that_is_set_is_told_at_the_chair() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let code = format!("not_of_now/{}", device(&monitor()));
    let send = |clinic: &mut Clinic, off_s: i64, seconds: i64| {
        for _ in 0..seconds {
            clinic.seconds_pass(1);
            let sent_at = clinic.now() + SignedDuration::from_secs(off_s);
            let envelope = Envelope { sent_at, ..clinic.envelope(monitor(), MRN) };
            clinic.floor.take_frame(&Clinic::vitals_within(&envelope, sent_at, 97));
        }
        clinic.round();
        clinic.alarm(&code).map(|(view, _)| view.alarm.message)
    };
    assert_eq!(send(&mut clinic, -420, 10), None, "seven minutes behind, and known by now");
    assert_eq!(spo2_now(&clinic).1, Some(0));
    assert!(send(&mut clinic, 180, 1).is_some_and(|words| words.contains("set ahead by 10 min")));
    assert_eq!(send(&mut clinic, 180, 10), None);
    let back = send(&mut clinic, 0, 20).expect("told");
    assert!(back.contains("3 min 0 s late, or its clock was set back"), "{back}");
    assert!(clinic.alarm("channel_missing").is_some_and(|(view, _)| !view.latched));
    clinic.take_away(&monitor()).expect("taken away");
    let (id, command) = (device(&monitor()), CommandId::new("again"));
    clinic
        .floor
        .place_device(&command, &nurse("kim"), &id, Some(DeviceKind::Monitor), &chair())
        .expect("placed");
    assert_eq!(send(&mut clinic, 0, 2), None);
    assert_eq!(spo2_now(&clinic).1, Some(0));
}

/// Hazard 10: a message whose answer was lost comes again. It is one measurement: the chart, the record and the watch have
/// it once, at its time, also while the clock of the device is being compared.
#[test]
fn a_message_that_is_sent_again_is_drawn_and_kept_once() {
    for behind_s in [0, 420] {
        let mut clinic = Clinic::new();
        clinic.play_to_infusing();
        let drawn = clinic.floor.trend(&chair()).expect("a chair").rows.len();
        for second in 0..30 {
            clinic.seconds_pass(1);
            let sent_at = clinic.now() - SignedDuration::from_secs(behind_s);
            let envelope = Envelope { sent_at, ..clinic.envelope(monitor(), MRN) };
            let frame = Clinic::vitals_within(&envelope, sent_at, 70 + second);
            let first = clinic.floor.take_frame(&frame);
            clinic.seconds_pass(3);
            assert!(answered(&first, "CA") && answered(&clinic.floor.take_frame(&frame), "CA"));
        }
        let trend = clinic.floor.trend(&chair()).expect("a chair");
        let rows: Vec<_> = trend.rows.iter().skip(drawn).filter_map(|row| row.spo2).collect();
        let mut once = rows.clone();
        once.dedup();
        assert!(rows.len() >= 20, "{behind_s} s behind: {rows:?}");
        assert_eq!(rows, once, "{behind_s} s behind");
        let saturation = spo2_now(&clinic);
        assert_eq!(saturation, (Some("99".to_owned()), Some(3)), "sent again is not measured again");
        clinic.seconds_pass(60);
        clinic.floor.keep();
        let [kept, late] = recorded_spo2(&clinic);
        assert!(kept.is_sorted() && kept.windows(2).all(|two| two[0] != two[1]), "{kept:?}");
        assert_eq!(late, [0; 0]);
    }
}

/// Saturations in the record: those of their time, and those that came late.
fn recorded_spo2(clinic: &Clinic) -> [Vec<i32>; 2] {
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    [history.readings, history.late].map(|all| {
        let spo2 = all.into_iter().filter(|(_, parameter, _)| *parameter == Parameter::Spo2);
        spo2.map(|(_, _, value)| value.0 / 10).collect()
    })
}

/// Hazards 05 and 28: the number is not all that a frame says of its patient.
#[test]
fn a_frame_with_another_name_or_day_of_birth_is_refused_with_its_field() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let born = |day| Some(jiff::civil::date(1984, 3, day));
    let conflict = format!("patient_conflict/{}", device(&monitor()));
    for (mrn, name, born, field) in [
        ("004217", ["Zzcanary", "Zzcanaria"], born(21), Some(7)),
        ("004217", ["OKAFOR", "Jane"], born(12), Some(5)),
        ("004217", ["OKAFOR", "Zzcanaria"], None, None),
        ("", ["OKAFOR", "Jane"], None, Some(5)),
        ("", ["", ""], born(21), Some(7)),
        ("", ["ZZCANARY", "Z"], born(12), None),
        ("", ["", ""], None, None),
    ] {
        let [family, given] = name.map(str::to_owned);
        let patient = Some(encode::Patient { mrn: mrn.to_owned(), family, given, born });
        let envelope = Envelope { patient, ..clinic.envelope(monitor(), None) };
        let intake = clinic.floor.take_frame(&Clinic::vitals_within(&envelope, envelope.sent_at, 84));
        let answer = String::from_utf8_lossy(intake.answer.as_deref().unwrap_or_default()).into_owned();
        let told = clinic.floor.trouble_of(&device(&monitor()));
        match field {
            Some(field) => {
                assert!(answered(&intake, "CE") && answer.contains(&format!("PID^1^{field}")), "{answer}");
                assert!(clinic.alarm(&conflict).is_some_and(|(view, _)| !view.latched), "{mrn} {name:?}");
                assert!(told.is_some_and(|why| why.starts_with("Refused: the message names ")));
            }
            None => {
                assert!(answered(&intake, "CA") && told.is_none(), "{mrn} {name:?}: {answer} {told:?}");
                assert!(clinic.alarm(&conflict).is_none_or(|(view, _)| view.latched));
            }
        }
    }
}

/// Hazard 10: what a monitor measured at the patient before, or at another chair, is never drawn for who sits here now.
#[test]
fn what_was_measured_before_the_patient_came_or_the_device_stood_here_is_nobodys_here() {
    let mut clinic = away();
    let late = |clinic: &mut Clinic, measured: Timestamp| {
        let envelope = clinic.envelope(monitor(), None);
        clinic.floor.take_frame(&Clinic::vitals_within(&envelope, measured, 84));
        clinic.floor.trend(&chair()).expect("a chair").rows.iter().filter(|row| row.late).count()
    };
    let came =
        clinic.history().iter().find(|one| matches!(one.event, Event::CheckedIn { .. })).expect("came").at;
    assert_eq!(late(&mut clinic, came - SignedDuration::from_secs(60)), 0, "measured before the check-in");
    let then = ago(&clinic, 200);
    assert_eq!(late(&mut clinic, then), 1, "measured at this patient");
    clinic.floor.is_placed(&device(&monitor()), clinic.now());
    let then = ago(&clinic, 100);
    assert_eq!(late(&mut clinic, then), 1, "measured before it was put at this chair");
}

/// Hazard 10: after a start nobody knows the clock of a pump yet. What it tells first is acknowledged, so it stands in
/// the record, without a time, and alarms nobody.
#[test]
fn what_a_pump_tells_before_its_clock_is_known_stands_in_the_record_without_a_time() {
    let mut clinic = away();
    clinic.floor.forget_heard(&device(&pump()));
    let then = ago(&clinic, 200);
    let envelope = Envelope { sent_at: then, ..clinic.envelope(pump(), None) };
    let (reading, stopped) = (Clinic::pump_reading(then, 0, 600), PumpEvent::DeliveryStopped);
    let frame = encode::pump_event(&envelope, PumpType::LargeVolume, stopped, &reading);
    assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
    let undated = |clinic: &Clinic| {
        clinic.history().iter().filter(|one| matches!(one.event, Event::PumpToldUndated { .. })).count()
    };
    assert_eq!(undated(&clinic), 1, "{:?}", clinic.history().last());
    assert!(answered(&clinic.floor.take_frame(&frame), "CA"), "sent again");
    assert_eq!(undated(&clinic), 1, "told once");
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    let sheet = crate::record::collect(&history, clinic.floor.knowledge(), &TimeZone::UTC);
    let printed = crate::record::html(&sheet).expect("printed");
    assert!(printed.contains("when it happened is not known: delivery stopped"), "{printed}");
}

/// Hazard 10: the program fell after the log had the frame and before the record had what it says. The pump was not
/// answered and sends the frame again.
#[test]
fn what_a_pump_tells_again_after_a_fall_is_recorded_once() {
    let mut clinic = away();
    let now = clinic.now();
    let envelope = Envelope { sent_at: now, ..clinic.envelope(pump(), None) };
    let (reading, stopped) = (Clinic::pump_reading(now, 0, 600), PumpEvent::DeliveryStopped);
    let frame = encode::pump_event(&envelope, PumpType::LargeVolume, stopped, &reading);
    let decoded = interop::device::decode(&frame, None).expect("a frame");
    let kept = store::Frame {
        site: SITE.to_owned(),
        sender: decoded.sender.clone(),
        control_id: decoded.control_id.clone(),
        device: decoded.message.device.to_string(),
        received_at_us: now.as_microsecond(),
        bytes: frame.clone(),
        verdict: "taken".to_owned(),
    };
    assert_eq!(clinic.floor.store().keep_frame(kept).expect("kept"), store::Kept::Now);
    let told = |clinic: &Clinic| {
        clinic.history().iter().filter(|one| matches!(one.event, Event::PumpTold { .. })).count()
    };
    assert_eq!(told(&clinic), 0);
    (0..2).for_each(|_| {
        assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
        assert_eq!(told(&clinic), 1);
        clinic.seconds_pass(1);
    });
}

/// Hazard 10: a frame is accepted when the record has what it says, and not before.
#[test]
fn a_pump_event_that_the_record_could_not_take_is_not_accepted_and_recorded_when_sent_again() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    clinic.a_minute_passes(97, 30_800, 513);
    let now = clinic.now();
    let envelope = Envelope { sent_at: now, ..clinic.envelope(pump(), None) };
    let (reading, stopped) = (Clinic::pump_reading(now, 0, 600), PumpEvent::DeliveryStopped);
    let frame = encode::pump_event(&envelope, PumpType::LargeVolume, stopped, &reading);
    let told = |clinic: &Clinic| {
        clinic.history().iter().filter(|one| matches!(one.event, Event::PumpTold { .. })).count()
    };
    let hand = rusqlite::Connection::open(clinic.folder.0.join("chairside.db")).expect("the log");
    hand.execute_batch(
        "CREATE TRIGGER no_room BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .expect("a trigger");
    let intake = clinic.floor.take_frame(&frame);
    assert!(answered(&intake, "CE"), "{intake:?}");
    assert!(intake.refused.is_some_and(|why| why.contains("NOT RECORDED")));
    hand.execute_batch("DROP TRIGGER no_room").expect("room again");
    assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
    assert_eq!(told(&clinic), 1);
}

/// Hazard 10: what cannot be true is told in the record with its time, and in no range of what was measured.
#[test]
fn what_a_monitor_sends_and_cannot_be_true_is_printed_as_not_plausible() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    for (heart, spo2) in [(72, 97), (7_200, 97), (72, 140), (73, 97)] {
        clinic.seconds_pass(1);
        let (measured, envelope) = (clinic.now(), clinic.envelope(monitor(), MRN));
        let reading = |parameter, value| Reading {
            parameter,
            value: Some(Tenths::whole(value)),
            quality: Quality::Good,
            observed_at: None,
        };
        let readings = [reading(Parameter::HeartRate, heart), reading(Parameter::Spo2, spo2)];
        let frame = encode::monitor(&envelope, measured, &readings);
        assert!(answered(&clinic.floor.take_frame(&frame), "CA"));
        let live = clinic.floor.samples_now();
        assert_eq!(live.contains(r#""raw":{"hr":"7,200"}"#), heart == 7_200, "{live}");
        assert_eq!(live.contains(r#""raw":{"spo2":"140"}"#), spo2 == 140, "{live}");
    }
    clinic.a_minute_passes(97, 30_800, 513);
    clinic.floor.keep();
    let history = crate::record::History::read(clinic.floor.store(), SITE, &clinic.visit);
    let history = history.expect("log").expect("a visit");
    let sheet = crate::record::collect(&history, clinic.floor.knowledge(), &TimeZone::UTC);
    let printed = crate::record::html(&sheet).expect("printed");
    let told = printed.split("not plausible, left out").nth(1).expect("told");
    let told: String = told.chars().take(120).collect();
    assert!(told.contains("HR 7") && told.contains("SpO₂ 140"), "{told}");
    assert!(printed.contains("72–73") && !printed.contains("72–7200"), "{printed}");
}

/// Hazard 107: two people of one name and one birthday sit, and a message gives no number: it is nobody's until one of
/// them has left, or the number stands in it.
#[test]
fn a_message_without_a_record_number_is_refused_while_a_namesake_sits_elsewhere() {
    let mut clinic = Clinic::new();
    clinic.play_to_infusing();
    let conflict = format!("patient_conflict/{}", device(&monitor()));
    let says = |clinic: &mut Clinic, mrn: &str, spo2: i32| {
        clinic.seconds_pass(1);
        let mut envelope = clinic.envelope(monitor(), Some(mrn));
        if let Some(patient) = &mut envelope.patient {
            patient.born = Some(jiff::civil::date(1984, 3, 12));
        }
        let intake = clinic.floor.take_frame(&Clinic::vitals_within(&envelope, envelope.sent_at, spo2));
        clinic.round();
        intake
    };
    assert_eq!(says(&mut clinic, "", 97).refused, None, "nobody else of that name is here");
    let other = SessionId::new("v2");
    let act = |clinic: &Clinic, id: &str, command| {
        clinic.floor.act(&other, &CommandId::new(id), &nurse("kim"), command).expect("taken");
    };
    let (patient, regimen) = (PatientId::new("p2"), clinic::id::RuleId::new("mdd_trd_std"));
    let day = jiff::civil::date(2026, 3, 2);
    act(&clinic, "plan", Command::Plan { patient, regimen, infusion: 1, of: 6, day });
    act(&clinic, "come", Command::CheckIn { chair: ChairId::new("1") });
    let refused = says(&mut clinic, "", 84);
    assert!(answered(&refused, "CE"), "{refused:?}");
    let why = refused.refused.expect("why");
    assert!(why.contains("without a record number") && why.contains("chair 1"), "{why}");
    assert!(clinic.alarm(&conflict).is_some(), "somebody is told at the chair");
    assert_eq!(clinic.spo2().as_deref(), Some("97"), "84 is nobody's");
    clinic.restart_after(1);
    assert_eq!(clinic.spo2().as_deref(), Some("97"), "what was taken before the other one came stays taken");
    assert_eq!(says(&mut clinic, "004217", 96).refused, None, "the number tells who it is");
    assert!(says(&mut clinic, "", 84).refused.is_some());
    act(&clinic, "go", Command::Cancel { reason: "did not want to stay".to_owned() });
    assert_eq!(says(&mut clinic, "", 95).refused, None, "the other one has left");
}
