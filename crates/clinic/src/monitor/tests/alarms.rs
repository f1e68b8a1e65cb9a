//! The life of an alarm: latched, answered, returned, escalated, quiet for a while.

use super::*;

#[test]
fn high_latches_until_a_named_person_answers() {
    let mut chair = Chair::infusing();
    chair.vital(Parameter::Spo2, 84);
    let out = chair.vital(Parameter::Spo2, 97);
    assert!(matches!(out[..], [Output::AlarmLatched(_)]), "{out:?}");
    assert!(chair.alarm("spo2").is_some_and(Alarm::is_latched));
    // It comes back before anybody answered, and ends again.
    let out = chair.vital(Parameter::Spo2, 84);
    assert!(matches!(out[..], [Output::AlarmReturned(_)]), "{out:?}");
    chair.vital(Parameter::Spo2, 97);
    let out = chair.acknowledge("spo2");
    assert!(
        matches!(&out[..], [Output::AlarmAcknowledged { by, .. }, Output::AlarmCleared(_)] if *by == nurse())
    );
    assert_eq!(chair.alarm("spo2"), None);
    // A medium alarm goes with its condition and leaves a message.
    chair.feed(Input::Scored { sign: Sign::Distress, score: 5, observed_at: None });
    chair.feed(Input::Scored { sign: Sign::Distress, score: 2, observed_at: None });
    assert_eq!(chair.alarm("distress"), None);
    assert_eq!(chair.monitor.view(time(chair.now_s)).ended[0].code, "distress");
}

#[test]
fn an_answered_alarm_returns_when_it_worsens_or_recurs() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 3, observed_at: None });
    chair.acknowledge("moaas");
    assert!(!chair.alarm("moaas").expect("it holds").sounds(time(chair.now_s)));
    let out = chair.feed(Input::Scored { sign: Sign::Moaas, score: 2, observed_at: None });
    assert!(matches!(out[..], [Output::AlarmWorsened(_)]), "{out:?}");
    assert!(chair.alarm("moaas").expect("it holds").sounds(time(chair.now_s)));
    chair.acknowledge("moaas");
    let out = chair.feed(Input::Scored { sign: Sign::Moaas, score: 3, observed_at: None });
    assert!(matches!(out[..], [Output::AlarmEased(_)]), "{out:?}");
    let first = chair.alarm("moaas").expect("it holds").id.clone();
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 5, observed_at: None });
    let out = chair.feed(Input::Scored { sign: Sign::Moaas, score: 3, observed_at: None });
    assert!(matches!(&out[..], [Output::AlarmRaised(alarm)] if alarm.id != first), "{out:?}");
    // An unanswered high alarm does not shrink unseen.
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 1, observed_at: None });
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 3, observed_at: None });
    assert_eq!(chair.action("moaas"), Some(Action::Stop));
}

#[test]
fn nobody_answers_twice_or_for_an_unknown_alarm() {
    let mut chair = Chair::infusing();
    chair.vital(Parameter::Spo2, 84);
    chair.acknowledge("spo2");
    let out = chair.acknowledge("spo2");
    assert!(matches!(out[..], [Output::Refused(Refused::AlreadyAcknowledged { .. })]));
    let out = chair.feed(Input::Acknowledge { alarm: AlarmId::new("x"), by: nurse(), reason: String::new() });
    assert!(matches!(out[..], [Output::Refused(Refused::NoSuchAlarm(_))]));
}

#[test]
fn an_unanswered_high_alarm_reaches_further_by_the_clock() {
    let mut chair = Chair::infusing();
    chair.vital(Parameter::Spo2, 84);
    let reached = |chair: &Chair| chair.alarm("spo2").expect("an alarm").reach;
    chair.wait(14);
    assert_eq!(reached(&chair), Reach::Chair);
    chair.wait(1);
    assert_eq!(reached(&chair), Reach::AllScreens);
    let out = chair.wait(15);
    assert_eq!(reached(&chair), Reach::ChargeNurse);
    assert_eq!(out.iter().filter(|o| matches!(o, Output::AlarmEscalated { .. })).count(), 1);
    chair.acknowledge("spo2");
    chair.wait(120);
    assert_eq!(reached(&chair), Reach::ChargeNurse, "an answered alarm stays where it is");
}

#[test]
fn sound_pauses_one_alarm_for_two_minutes_at_most() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Scored { sign: Sign::Distress, score: 5, observed_at: None });
    let alarm = chair.alarm("distress").expect("an alarm").id.clone();
    let sounds = |chair: &Chair, code: &str| chair.alarm(code).expect("an alarm").sounds(time(chair.now_s));
    chair.feed(Input::PauseSound { alarm, by: nurse() });
    assert!(!sounds(&chair, "distress"));
    chair.vital(Parameter::Spo2, 84);
    assert!(sounds(&chair, "spo2"), "another alarm sounds at once");
    chair.wait(119);
    assert!(!sounds(&chair, "distress"));
    let out = chair.wait(1);
    assert!(out.iter().any(|o| matches!(o, Output::SoundResumed(_))));
    assert!(sounds(&chair, "distress"));
}

/// Hazard 17: an answer is for the state that was seen. 84 % after 89 % passes the next limit, though both ask to stop.
#[test]
fn an_answered_alarm_sounds_again_when_the_next_limit_is_passed() {
    let sounds = |chair: &Chair| chair.alarm("spo2").expect("it holds").sounds(time(chair.now_s));
    let mut chair = Chair::infusing();
    chair.stream(Parameter::Spo2, 89, 60);
    chair.acknowledge("spo2");
    chair.stream(Parameter::Spo2, 89, 60);
    chair.stream(Parameter::Spo2, 88, 60);
    assert!(!sounds(&chair), "what was answered stays so");
    let out = chair.stream(Parameter::Spo2, 84, 1);
    assert!(out.iter().any(|one| matches!(one, Output::AlarmWorsened(_))), "{out:?}");
    assert!(sounds(&chair));
    chair.acknowledge("spo2");
    chair.stream(Parameter::Spo2, 84, 60);
    assert!(!sounds(&chair), "once for each limit");
}

/// Hazard 10: what a person measured earlier and enters now keeps its age. It hides nothing newer, ends no alarm, and
/// begins no count and no timer anew.
#[test]
fn what_was_charted_late_is_never_taken_for_now() {
    let mut chair = Chair::infusing();
    let pressure = |systolic, diastolic, measured_s| Input::Readings {
        source: Source::Charted(nurse()),
        behind: None,
        readings: vec![
            reading(Parameter::Systolic, systolic, measured_s),
            reading(Parameter::Diastolic, diastolic, measured_s),
        ],
    };
    chair.wait(600);
    let first = chair.now_s;
    chair.feed(pressure(188, 108, first));
    chair.wait(30);
    chair.feed(pressure(131, 73, first - 540));
    let shown = |chair: &Chair| {
        let view = chair.monitor.view(time(chair.now_s));
        let systolic =
            view.values.into_iter().find(|one| one.parameter == Parameter::Systolic).expect("shown");
        (systolic.value, systolic.age_s)
    };
    assert_eq!(shown(&chair), (Some("188".to_owned()), Some(30)), "what was measured last");
    chair.wait(30);
    let second = chair.now_s;
    chair.feed(pressure(190, 109, second));
    assert_eq!(chair.action("systolic"), Some(Action::Pause), "the second in a row");
    chair.feed(pressure(131, 73, second - 300));
    assert_eq!(chair.action("systolic"), Some(Action::Pause), "what was measured before ends nothing");
    let scored =
        |score, measured_s| Input::Scored { sign: Sign::Moaas, score, observed_at: Some(time(measured_s)) };
    chair.feed(scored(2, second));
    let due = |chair: &Chair| {
        let view = chair.monitor.view(time(chair.now_s));
        view.due.into_iter().find(|due| due.what == Observed::Sedation).map(|due| due.in_s)
    };
    let (before, asked) = (due(&chair), chair.action("moaas"));
    assert!(before.is_some() && asked.is_some());
    chair.feed(scored(5, second - 300));
    assert_eq!((due(&chair), chair.action("moaas")), (before, asked), "nobody woke since");
    // Known with its age where nothing newer is.
    let mut other = Chair::infusing();
    other.wait(600);
    let then = other.now_s - 480;
    other.feed(pressure(150, 80, then));
    assert_eq!(shown(&other), (Some("150".to_owned()), Some(480)));
}

/// The tile of a chair shows the first of its alarms: one that holds, not a newer one that is over.
#[test]
fn of_two_high_alarms_the_one_that_holds_stands_first() {
    let mut chair = Chair::infusing();
    let conflict = |device: &str, present| Input::PatientConflict { device: DeviceId::new(device), present };
    chair.feed(conflict("m1", true));
    chair.wait(5);
    chair.feed(conflict("p1", true));
    chair.wait(60);
    chair.feed(conflict("p1", false));
    let view = chair.monitor.view(time(chair.now_s));
    let of = |code: &str| view.alarms.iter().position(|one| one.alarm.code == code).expect(code);
    assert!(of("patient_conflict/m1") < of("patient_conflict/p1"), "{:?}", view.alarms);
}
