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
