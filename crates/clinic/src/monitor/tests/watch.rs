//! Silence, pump, devices, missed observations, screens, and what a screen gets.

use super::pump::{ordered, pump};
use super::*;

#[test]
fn the_pump_is_watched_for_silence_state_and_end() {
    let mut chair = Chair::infusing();
    chair.expect(&[], true);
    chair.wait(10);
    assert_eq!(chair.priority("pump_silent"), Some(Priority::Low));
    chair.feed(Input::Pump(pump(PumpStatus::Infusing, 30_800)));
    assert_eq!(chair.priority("pump_silent"), None);
    assert!(chair.monitor.view(time(chair.now_s)).pump.expect("a pump").certain);
    chair.feed(Input::Pump(pump(PumpStatus::NotInfusing, 0)));
    chair.wait(10);
    assert_eq!(chair.priority("pump_not_running"), Some(Priority::Medium));
    chair.feed(Input::PumpEvent(PumpEvent::DeliveryStarted));
    assert_eq!(chair.priority("pump_not_running"), None);
    chair.feed(Input::PumpEvent(PumpEvent::DeliveryCompleted));
    assert_eq!(chair.priority("infusion_end"), Some(Priority::Medium));
    chair.feed(Input::Pump(pump(PumpStatus::Infusing, 30_800)));
    chair.feed(Input::Phase(Phase::Paused));
    chair.wait(9);
    assert_eq!(chair.priority("pump_running"), None);
    chair.wait(1);
    assert_eq!(chair.action("pump_running"), Some(Action::Stop));
    chair.wait(30);
    assert!(!chair.monitor.view(time(chair.now_s)).pump.expect("a pump").certain);
}

/// Hazard 126: while the session infuses, a pump that says anything else is an alarm, unless it is at its end and says so.
#[test]
fn a_pump_that_does_not_say_that_it_infuses_is_an_alarm_in_a_running_infusion() {
    for (status, left, code, words) in [
        (PumpStatus::Unknown, 10_000, "pump_not_running", "does not say whether it infuses"),
        (PumpStatus::KeepVeinOpen, 10_000, "pump_not_running", "keeps the vein open, and gives drug"),
        (PumpStatus::NotInfusing, 10_000, "pump_not_running", "says that it does not infuse"),
        (PumpStatus::KeepVeinOpen, 0, "infusion_end", ""),
        (PumpStatus::NotInfusing, 0, "infusion_end", ""),
        (PumpStatus::NotInfusing, 50, "infusion_end", ""),
        (PumpStatus::NotInfusing, 150, "pump_not_running", "says that it does not infuse"),
        (PumpStatus::Unknown, 0, "pump_not_running", "does not say whether it infuses"),
    ] {
        let mut chair = Chair::infusing();
        let vtbi_remaining = Some(Microlitres(left));
        chair.feed(Input::Pump(PumpReading { vtbi_remaining, ..pump(status, 0) }));
        chair.wait(10);
        let alarm = chair.alarm(code).unwrap_or_else(|| panic!("{status:?} with {left} left"));
        assert!(alarm.message.contains(words), "{}", alarm.message);
        assert_eq!(chair.alarm("pump_not_running").is_some(), code == "pump_not_running", "{status:?}");
        chair.feed(Input::Phase(Phase::Paused));
        assert!(chair.alarm("pump_not_running").is_none(), "{status:?}");
    }
}

/// Hazard 124: a volume that the rate cannot explain is a high alarm with both numbers, in each phase, until a person has
/// read the pump.
#[test]
fn a_volume_that_the_rate_cannot_explain_asks_to_read_the_pump_with_both_numbers() {
    for phase in [Phase::Infusing, Phase::Paused, Phase::Recovering] {
        let mut chair = Chair::infusing();
        chair.feed(Input::Phase(phase));
        let told = crate::session::Unexplained {
            device: DeviceId::new("p1"),
            since: time(0),
            told_at: time(chair.now_s),
            counter: Microlitres(31_000),
            expected: (Microlitres(4_000), Microlitres(4_013)),
        };
        chair.feed(Input::Unexplained(Some(told)));
        let alarm = chair.alarm("pump_count").expect("at once");
        assert!(alarm.priority == Priority::High, "{alarm:?}");
        assert_eq!(alarm.message, "Read the pump: the pump counts 31 mL, its rate explains about 4 mL");
        chair.feed(Input::Unexplained(None));
        assert!(chair.alarm("pump_count").is_none_or(Alarm::is_latched), "a person has read it");
    }
}

#[test]
fn the_end_comes_by_the_clock_where_no_pump_says_so() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Ordered(Ordered { ends: Some(time(2400)), ..ordered() }));
    chair.wait(2399);
    assert_eq!(chair.priority("infusion_end"), None);
    chair.wait(1);
    assert_eq!(chair.priority("infusion_end"), Some(Priority::Medium));
}

#[test]
fn device_alerts_keep_their_place_until_the_device_ends_them() {
    let mut chair = Chair::infusing();
    let alert = |refid: &str, active, priority| Input::DeviceAlert {
        device: DeviceId::new("p1"),
        alert: DeviceAlert { refid: refid.to_owned(), text: "occluded".to_owned(), active, priority },
    };
    chair.feed(alert("MDC_EVT_FLUID_LINE_OCCL", true, DevicePriority::Low));
    let code = "device/p1/MDC_EVT_FLUID_LINE_OCCL";
    assert_eq!(chair.priority(code), Some(Priority::High), "ours, not the device's");
    assert!(chair.alarm(code).is_some_and(|a| a.message.contains("device says: occluded")));
    chair.feed(alert("MDC_EVT_FLUID_LINE_OCCL", false, DevicePriority::Low));
    assert!(chair.alarm(code).is_some_and(Alarm::is_latched));
    for nth in 0..100 {
        chair.feed(alert(&format!("X{nth}"), true, DevicePriority::Low));
    }
    assert!(chair.monitor.alarms().count() <= PLACES_MAX + 3, "bounded");
    assert!(chair.alarm("device/other/more alerts").is_some(), "and what comes beyond is still seen");
}

#[test]
fn missed_observations_are_low_then_medium() {
    let mut chair = Chair::infusing();
    let out = chair.wait(600);
    assert!(out.contains(&Output::ObservationDue(Observed::Nibp)));
    chair.wait(299);
    assert_eq!(chair.priority("overdue/nibp"), None);
    chair.wait(1);
    assert_eq!(chair.priority("overdue/nibp"), Some(Priority::Low));
    chair.wait(300);
    assert_eq!(chair.priority("overdue/nibp"), Some(Priority::Medium));
    assert_eq!(chair.action("cuff_missing"), Some(Action::Pause));
    assert_eq!(chair.priority("cuff_missing"), Some(Priority::Medium));
    assert_eq!(chair.priority("overdue/sedation"), Some(Priority::Medium));
    chair.bp(120, 76);
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 5, observed_at: None });
    assert_eq!(chair.priority("overdue/nibp"), None);
    assert_eq!(chair.priority("cuff_missing"), None);
    assert_eq!(chair.priority("overdue/sedation"), None);
}

/// Hazard 40: at twice its interval a missed check goes to a second clinician, until somebody answers.
#[test]
fn a_missed_check_reaches_a_second_clinician_once_it_is_medium() {
    let mut chair = Chair::infusing();
    let reach = |chair: &Chair| chair.alarm("overdue/sedation").map(|alarm| alarm.reach);
    chair.wait(1199);
    assert_eq!(
        (chair.priority("overdue/sedation"), reach(&chair)),
        (Some(Priority::Low), Some(Reach::Chair))
    );
    let out = chair.wait(1);
    let id = chair.alarm("overdue/sedation").expect("it stands").id.clone();
    assert!(out.contains(&Output::AlarmEscalated { alarm: id, to: Reach::ChargeNurse }), "{out:?}");
    assert_eq!(reach(&chair), Some(Reach::ChargeNurse));
    chair.acknowledge("overdue/sedation");
    assert!(!chair.wait(60).iter().any(|said| matches!(said, Output::AlarmEscalated { .. })), "once");
}

/// Hazard 42: one sensor falls off; all of them, when the patient gets up and leaves.
#[test]
fn a_patient_who_leaves_during_the_infusion_is_a_high_alarm() {
    let streamed = [Parameter::HeartRate, Parameter::Spo2, Parameter::RespiratoryRate];
    let mut chair = Chair::infusing();
    chair.expect(&streamed, false);
    for parameter in streamed {
        chair.vital(parameter, if parameter == Parameter::Spo2 { 98 } else { 16 });
    }
    chair.wait(29);
    assert_eq!(chair.priority("patient_unseen"), None);
    chair.wait(1);
    assert_eq!(chair.priority("patient_unseen"), Some(Priority::High));
    chair.vital(Parameter::RespiratoryRate, 16);
    assert!(chair.alarm("patient_unseen").is_some_and(Alarm::is_latched), "seen again, and to be answered");
    chair.acknowledge("patient_unseen");
    for _ in 0..60 {
        chair.wait(1);
        chair.vital(Parameter::RespiratoryRate, 16);
    }
    assert_eq!(chair.priority("patient_unseen"), None, "one sensor has a value");
    chair.feed(Input::Phase(Phase::Recovering));
    chair.wait(60);
    assert_eq!(chair.priority("patient_unseen"), None, "sensors come off in recovery");
}

/// Hazard 42: what a visit leaves undone is told by kind, with how often.
#[test]
fn what_is_unfinished_is_told_until_it_is_answered() {
    let mut chair = Chair::infusing();
    let mut lines = chair.wait(1200);
    let told = |lines: &[Output]| unfinished(lines);
    let missed = &told(&lines)[&Unfinished::MissedChecks];
    assert!(missed.iter().any(|check| check.starts_with("MOAA/S is overdue")), "{missed:?}");
    lines.extend(chair.acknowledge("overdue/sedation"));
    assert_eq!(&told(&lines)[&Unfinished::MissedChecks], missed, "an answer is no check");
    let paused = "No blood pressure for too long: pause the infusion or measure now";
    assert!(told(&lines)[&Unfinished::UnansweredAlarms].contains(&paused.to_owned()));
    lines.extend(chair.acknowledge("cuff_missing"));
    let open = told(&lines);
    assert!(!open.get(&Unfinished::UnansweredAlarms).is_some_and(|open| open.contains(&paused.to_owned())));
    chair.bp(120, 76);
    lines.extend(chair.wait(1200));
    let again = &told(&lines)[&Unfinished::UnansweredAlarms];
    assert!(again.contains(&paused.to_owned()), "it came again: {again:?}");
}

#[test]
fn pressure_outside_green_or_a_medicine_asks_for_the_cuff_every_5_min() {
    let due = |chair: &Chair| {
        let view = chair.monitor.view(time(chair.now_s));
        view.due.into_iter().find(|due| due.what == Observed::Nibp).expect("cuff is due").in_s
    };
    let mut chair = Chair::infusing();
    chair.bp(138, 88);
    assert_eq!(due(&chair), 600);
    chair.wait(61);
    chair.bp(142, 88);
    assert_eq!(due(&chair), 300);
    let mut chair = Chair::infusing();
    chair.feed(Input::Expect(Expected { nibp_fast: true, ..Expected::default() }));
    assert_eq!(due(&chair), 300);
}

/// A pressure that passes a limit is measured as often after the drug as while it ran.
#[test]
fn a_limit_that_is_passed_asks_for_the_cuff_every_5_min_in_recovery_too() {
    let due = |chair: &Chair| {
        let view = chair.monitor.view(time(chair.now_s));
        view.due.into_iter().find(|due| due.what == Observed::Nibp).expect("cuff is due").in_s
    };
    let mut chair = Chair::infusing();
    chair.bp(182, 96);
    assert_eq!(due(&chair), 300);
    chair.feed(Input::Phase(Phase::Recovering));
    assert_eq!(due(&chair), 300, "one reading passed it");
    chair.wait(61);
    chair.bp(184, 97);
    assert_eq!(due(&chair), 300, "and a second one, which alarms");
    chair.wait(450);
    assert_eq!(chair.priority("overdue/nibp"), Some(Priority::Low), "late by the interval that holds");
    // Outside the green band of the day, inside every limit: what the drug may do is over.
    chair.bp(142, 88);
    assert_eq!(due(&chair), 900);
    // A rise that stays inside the green band is a limit that is passed.
    let mut chair = Chair { monitor: Monitor::new(policy(), time(0)), now_s: 0 };
    chair.feed(Input::Baseline(Pressure::new(110, 60)));
    chair.feed(Input::Phase(Phase::Infusing));
    (0..2).for_each(|_| {
        chair.wait(61);
        chair.bp(120, 84);
    });
    assert_eq!((chair.action("diastolic"), due(&chair)), (Some(Action::Warn), 300));
}

#[test]
fn recovery_has_its_own_round_and_asks_once_for_dissociation() {
    let mut chair = Chair::infusing();
    chair.wait(60);
    let out = chair.feed(Input::Phase(Phase::Recovering));
    assert!(out.contains(&Output::ObservationDue(Observed::Dissociation)));
    chair.feed(Input::Looked { observed: Observed::Dissociation, observed_at: None });
    let view = chair.monitor.view(time(chair.now_s));
    assert!(view.due.iter().all(|due| due.what != Observed::Dissociation));
    assert!(view.due.iter().any(|due| due.what == Observed::Nibp && due.in_s == 900));
}

/// Hazards 11 to 13.
#[test]
fn an_infusion_that_no_screen_paints_alarms_after_5_s() {
    let mut chair = Chair::infusing();
    chair.now_s = 4;
    chair.feed(Input::Tick);
    assert_eq!(chair.priority("no_display"), None);
    chair.now_s = 5;
    chair.feed(Input::Tick);
    assert_eq!(chair.priority("no_display"), Some(Priority::High));
    chair.feed(Input::Painted);
    assert!(chair.alarm("no_display").is_some_and(Alarm::is_latched));
}

/// Hazard 15.
#[test]
fn nothing_vital_is_switched_off_during_the_infusion() {
    let mut chair = Chair::infusing();
    let all = [Parameter::Spo2, Parameter::RespiratoryRate, Parameter::HeartRate];
    chair.expect(&all, true);
    for fewer in [&all[1..], &all[..1], &[]] {
        let out = chair.expect(fewer, true);
        assert!(matches!(out[..], [Output::Refused(Refused::StaysWatched(_))]), "{out:?}");
    }
    assert!(matches!(chair.expect(&all, false)[..], [Output::Refused(Refused::StaysWatched(_))]));
    assert!(chair.expect(&all[..2], true).is_empty(), "heart rate by ECG may go");
    chair.wait(10);
    let missing = chair.alarm("channel_missing").expect("an alarm");
    assert!(missing.message.contains("SpO₂") && missing.message.contains("RR"), "{}", missing.message);
    chair.feed(Input::Phase(Phase::Recovering));
    assert!(!matches!(chair.expect(&[], false)[..], [Output::Refused(_), ..]));
}

#[test]
fn symptoms_links_and_other_patients_alarm() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Symptom { id: "chest_pain".to_owned(), present: true });
    assert_eq!(chair.action("symptom/chest_pain"), Some(Action::Stop));
    let out = chair.feed(Input::Symptom { id: "itch".to_owned(), present: true });
    assert!(matches!(out[..], [Output::Refused(Refused::NoSuchSymptom(_))]));
    chair.feed(Input::LinkLost(DeviceId::new("p1"), DeviceKind::Pump));
    let lost = chair.alarm("link_lost/p1").map(|alarm| alarm.message.clone());
    assert_eq!(lost.as_deref(), Some("Connection lost: pump p1"));
    chair.feed(Input::LinkLost(DeviceId::new("m1"), DeviceKind::Monitor));
    assert_eq!(chair.priority("link_lost/m1"), Some(Priority::Low));
    chair.wait(30);
    assert_eq!(chair.priority("link_lost/m1"), Some(Priority::Medium));
    chair.feed(Input::LinkBack(DeviceId::new("m1")));
    assert_eq!(chair.priority("link_lost/m1"), None);
    chair.feed(Input::PatientConflict { device: DeviceId::new("m1"), present: true });
    assert_eq!(chair.priority("patient_conflict/m1"), Some(Priority::High));
}

/// Hazard 26: nobody starts on devices that say nothing while the page shows them at the chair.
#[test]
fn a_device_that_sends_nothing_is_named_before_the_start() {
    let mut chair = Chair::measured();
    let reasons = |chair: &Chair| chair.monitor.holds_start(time(chair.now_s), false);
    assert!(reasons(&chair).is_empty());
    chair.feed(Input::LinkLost(DeviceId::new("m1"), DeviceKind::Monitor));
    chair.wait(29);
    assert!(reasons(&chair).is_empty(), "it may come back by itself");
    chair.wait(1);
    let told = reasons(&chair);
    assert!(matches!(&told[..], [one] if one.starts_with("monitor m1 sends nothing")), "{told:?}");
    chair.feed(Input::LinkBack(DeviceId::new("m1")));
    assert!(reasons(&chair).is_empty());
}

/// Hazard 39: the gate of the day is minutes old; what the watch knows now speaks at the start.
#[test]
fn a_limit_that_is_passed_now_speaks_against_a_start() {
    let mut chair = Chair::measured();
    let reasons = |chair: &Chair| chair.monitor.holds_start(time(chair.now_s), false);
    assert!(reasons(&chair).is_empty());
    chair.feed(Input::Symptom { id: "chest_pain".to_owned(), present: true });
    assert_eq!(reasons(&chair).len(), 1, "{:?}", reasons(&chair));
    chair.feed(Input::Symptom { id: "chest_pain".to_owned(), present: false });
    assert!(reasons(&chair).is_empty(), "{:?}", reasons(&chair));
}

/// Hazard 169: what was measured long before is no baseline of a drug that starts now.
#[test]
fn vital_signs_that_are_too_old_speak_against_a_start() {
    let reasons = |chair: &Chair| chair.monitor.holds_start(time(chair.now_s), false);
    let mut chair = Chair::measured();
    chair.now_s = 900;
    assert!(reasons(&chair).is_empty());
    chair.now_s = 1320;
    chair.vital(Parameter::Spo2, 97);
    let next = "measure again, at most 15 min before the start";
    assert_eq!(
        reasons(&chair),
        [format!("NIBP systolic is 22 min old, NIBP diastolic is 22 min old: {next}")]
    );
    let recorded = |chair: &Chair| chair.monitor.holds_start(time(chair.now_s), true).len();
    assert_eq!(recorded(&chair), 1, "too long ago for a pump that runs already, too");
    chair.now_s = 1200;
    assert_eq!((reasons(&chair).len(), recorded(&chair)), (1, 0), "who went to the pump in time records it");
    chair.bp(124, 78);
    assert!(reasons(&chair).is_empty());
    let bare = Chair { monitor: Monitor::new(policy(), time(0)), now_s: 0 };
    assert_eq!(
        reasons(&bare),
        [format!(
            "NIBP systolic was not measured, NIBP diastolic was not measured, SpO₂ was not measured: {next}"
        )]
    );
}

/// Hazard 169: a probe that fell off speaks before the drug runs, and what a person measures instead lets it run.
#[test]
fn a_channel_that_is_silent_speaks_against_a_start() {
    let mut chair = Chair::measured();
    chair.expect(&[Parameter::Spo2], false);
    let reasons = |chair: &Chair| chair.monitor.holds_start(time(chair.now_s), false);
    assert_eq!(reasons(&chair), Vec::<String>::new());
    chair.wait(29);
    assert_eq!(reasons(&chair), Vec::<String>::new(), "it may come back by itself");
    chair.wait(1);
    assert_eq!(reasons(&chair), ["No reading: SpO₂, nothing comes"]);
    chair.feed(Input::Readings {
        source: Source::Charted(nurse()),
        behind: None,
        readings: vec![reading(Parameter::Spo2, 97, chair.now_s)],
    });
    assert_eq!(reasons(&chair), Vec::<String>::new());
}

#[test]
fn a_restart_is_an_alarm_that_waits_for_an_answer() {
    let mut chair = Chair::infusing();
    chair.wait(60);
    chair.feed(Input::Restarted { since: time(20) });
    chair.wait(5);
    let alarm = chair.alarm("interrupted").expect("an alarm");
    assert!(alarm.is_latched() && alarm.message.ends_with("for 40 s"), "{}", alarm.message);
    chair.acknowledge("interrupted");
    assert_eq!(chair.alarm("interrupted"), None);
}

#[test]
fn after_a_restart_no_alarm_takes_the_name_of_an_old_one() {
    let mut monitor = Monitor::new(policy().counting_from(7), time(0));
    monitor.feed(time(0), Input::Restarted { since: time(-9) });
    assert_eq!(monitor.alarms().next().map(|alarm| alarm.id.as_str()), Some("s1/a8"));
}

/// Hazards 10 and 19: what was charted before a restart keeps its age, and alarms anew only if it still holds.
#[test]
fn what_the_log_recalls_keeps_its_own_time() {
    let mut monitor = Monitor::new(policy(), time(900));
    monitor.recall(time(0), Input::Baseline(Pressure::new(120, 76)));
    monitor.recall(time(0), Input::Phase(Phase::Infusing));
    let pressure = |systolic, at_s| Input::Readings {
        source: Source::Charted(nurse()),
        behind: None,
        readings: vec![reading(Parameter::Systolic, systolic, at_s), reading(Parameter::Diastolic, 90, at_s)],
    };
    monitor.recall(time(10), pressure(204, 10));
    monitor.recall(time(20), pressure(130, 20));
    monitor.recall(time(20), Input::Scored { sign: Sign::Moaas, score: 2, observed_at: None });
    assert_eq!(monitor.alarms().count(), 0);
    monitor.feed(time(900), Input::Restarted { since: time(30) });
    let mut codes: Vec<&str> = monitor.alarms().map(|alarm| alarm.code.as_str()).collect();
    codes.retain(|code| !code.starts_with("overdue/"));
    assert_eq!(codes, ["moaas", "interrupted"]);
    let view = monitor.view(time(900));
    assert_eq!(view.values[0].age_s, Some(880));
    assert!(view.due.iter().any(|due| due.what == Observed::Nibp && due.in_s == -280));
    monitor.feed(time(905), Input::Tick);
    assert!(monitor.alarms().any(|alarm| alarm.code == "no_display"), "5 s for a screen to come back");
}

#[test]
fn an_infusion_without_a_baseline_says_so() {
    let mut monitor = Monitor::new(policy(), time(0));
    monitor.feed(time(0), Input::Phase(Phase::Infusing));
    assert!(monitor.alarms().any(|alarm| alarm.code == "baseline_missing"));
    monitor.feed(time(1), Input::Baseline(Pressure::new(120, 76)));
    assert!(!monitor.alarms().any(|alarm| alarm.code == "baseline_missing"));
}

#[test]
fn going_on_after_a_pause_needs_values_under_every_warning() {
    let mut chair = Chair::infusing();
    chair.bp(120, 76);
    chair.vital(Parameter::Spo2, 97);
    chair.wait(1);
    chair.feed(Input::Phase(Phase::Paused));
    let missing = chair.monitor.keeps_paused();
    assert_eq!(missing.len(), 3, "what was measured before says nothing of now: {missing:?}");
    chair.wait(30);
    chair.bp(118, 74);
    chair.vital(Parameter::Spo2, 97);
    assert_eq!(chair.monitor.keeps_paused(), Vec::<String>::new());
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 3, observed_at: None });
    assert_eq!(chair.monitor.keeps_paused().len(), 1);
}

#[test]
fn a_closed_chair_is_quiet_but_for_what_nobody_answered() {
    let mut chair = Chair::infusing();
    chair.expect(&[Parameter::Spo2], true);
    chair.vital(Parameter::Spo2, 84);
    chair.feed(Input::Scored { sign: Sign::Distress, score: 6, observed_at: None });
    chair.feed(Input::Phase(Phase::Closed));
    chair.wait(3600);
    let left: Vec<&str> = chair.monitor.alarms().map(|alarm| alarm.code.as_str()).collect();
    assert_eq!(left, ["spo2"]);
}

#[test]
fn the_screen_gets_finished_values() {
    let mut chair = Chair::infusing();
    chair.expect(&[Parameter::Spo2, Parameter::RespiratoryRate], false);
    chair.bp(158, 94);
    chair.wait(3);
    chair.vital(Parameter::Spo2, 97);
    chair.feed(Input::Scored { sign: Sign::Distress, score: 5, observed_at: None });
    chair.vital(Parameter::RespiratoryRate, 0);
    chair.feed(Input::Symptom { id: "vomiting".to_owned(), present: true });
    chair.wait(2);
    let view = chair.monitor.view(time(chair.now_s));
    let spo2 = view.values.iter().find(|v| v.parameter == Parameter::Spo2).expect("there");
    assert_eq!((spo2.value.as_deref(), spo2.age_s, spo2.low.as_deref()), (Some("97"), Some(2), Some("94")));
    assert_eq!(view.values[0].high.as_deref(), Some("150"));
    let codes: Vec<&str> = view.alarms.iter().map(|a| a.alarm.code.as_str()).collect();
    assert_eq!(codes, ["symptom/vomiting", "distress"], "highest first");
    assert!(view.limit_set.contains("not signed"), "{}", view.limit_set);
    assert_eq!(view.due[0].what, Observed::Nibp);
    let json = serde_json::to_value(&view).expect("a screen can have it");
    assert_eq!(json["alarms"][0]["priority"], "high");
}

#[test]
fn no_monitor_runs_without_its_limits() {
    let fault = MonitorPolicy::new(&Knowledge::default(), SessionId::new("s"), None).expect_err("refused");
    assert!(fault.to_string().contains("cannot run"), "{fault}");
}

/// A monitor reports its cuff once a minute: that is a reading of now, made when it was measured. One of long ago is not.
#[test]
fn a_cuff_reading_counts_from_when_it_was_measured_and_a_late_one_not_at_all() {
    let mut chair = Chair::infusing();
    chair.wait(300);
    let measured = |second| Input::Readings {
        source: monitor_device(),
        behind: Some(jiff::SignedDuration::ZERO),
        readings: vec![reading(Parameter::Systolic, 185, second), reading(Parameter::Diastolic, 100, second)],
    };
    chair.feed(measured(100));
    assert_eq!(chair.monitor.view(time(300)).values.len(), 0, "200 s ago");
    chair.feed(measured(240));
    let view = chair.monitor.view(time(300));
    assert_eq!((view.values[0].value.as_deref(), view.values[0].age_s), (Some("185"), Some(60)));
    let due = view.due.iter().find(|due| due.what == Observed::Nibp).map(|due| due.in_s);
    assert_eq!(due, Some(240), "five minutes from when it was measured");
    chair.wait(5);
    chair.feed(measured(200));
    assert_eq!(chair.monitor.view(time(305)).values[0].age_s, Some(65), "what was overtaken is not newer");
}

#[test]
fn values_that_are_not_of_now_are_told_while_they_are() {
    let mut chair = Chair::infusing();
    let device = DeviceId::new("m1");
    let told = |why: Option<&str>| Input::NotOfNow { device: device.clone(), why: why.map(str::to_owned) };
    chair.feed(told(Some("its values come 9 min late")));
    assert_eq!(chair.priority("not_of_now/m1"), Some(Priority::Low));
    chair.wait(30);
    chair.feed(told(Some("its values come 8 min late")));
    assert_eq!(chair.priority("not_of_now/m1"), Some(Priority::Medium));
    assert!(chair.alarm("not_of_now/m1").expect("an alarm").message.contains("8 min late"));
    chair.feed(told(None));
    assert_eq!(chair.priority("not_of_now/m1"), None);
}

/// Hazard 24: neither way does a clock that was set stay unsaid.
#[test]
fn a_clock_of_the_server_that_was_set_is_told_either_way() {
    let mut chair = Chair::infusing();
    for (off, code, words) in [
        (Input::ClockAhead(2820), "clock_ahead", "by 47 min"),
        (Input::ClockBehind(12), "clock_behind", "by 12 s"),
    ] {
        chair.feed(off);
        assert_eq!(chair.priority(code), Some(Priority::Medium));
        assert!(chair.alarm(code).expect("an alarm").message.ends_with(words));
    }
    chair.feed(Input::ClockAhead(0));
    assert_eq!(chair.priority("clock_ahead"), None);
}
