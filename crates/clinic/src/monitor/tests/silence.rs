//! A sensor that fell off, a monitor of which nothing comes, and what a person charts meanwhile.

use super::*;

/// The sensor on the finger is watched, the others go on.
fn two_sensors() -> Chair {
    let mut chair = Chair::infusing();
    chair.expect(&[Parameter::Spo2, Parameter::RespiratoryRate], false);
    chair
}

impl Chair {
    /// Seconds in which all is well but for saturation.
    fn breathe(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.wait(1);
            self.vital(Parameter::RespiratoryRate, 16);
        }
    }
}

#[test]
fn a_silent_channel_alarms_after_10_and_30_s() {
    let mut chair = two_sensors();
    chair.vital(Parameter::Spo2, 97);
    chair.breathe(9);
    assert_eq!(chair.priority("channel_missing/spo2"), None);
    chair.breathe(1);
    assert_eq!(chair.priority("channel_missing/spo2"), Some(Priority::Low));
    chair.acknowledge("channel_missing/spo2");
    chair.breathe(20);
    assert_eq!(chair.priority("channel_missing/spo2"), Some(Priority::Medium));
    assert!(
        chair.alarm("channel_missing/spo2").is_some_and(|a| a.acknowledged.is_none()),
        "worse asks again"
    );
    chair.vital(Parameter::Spo2, 97);
    assert_eq!(chair.priority("channel_missing/spo2"), None);
}

#[test]
fn a_probe_off_and_a_frozen_feed_are_missing_too() {
    let off =
        Reading { parameter: Parameter::Spo2, value: None, quality: Quality::NoValue, observed_at: None };
    let wild = Reading { value: Some(Tenths::whole(120)), quality: Quality::Good, ..off.clone() };
    let frozen = reading(Parameter::Spo2, 97, 0);
    for (sent, words) in [(off, "probe off"), (wild, "not plausible"), (frozen, "nothing comes")] {
        let mut chair = two_sensors();
        chair.vital(Parameter::Spo2, 97);
        for _ in 0..10 {
            chair.breathe(1);
            chair.feed(Input::Readings {
                source: monitor_device(),
                readings: vec![sent.clone()],
                behind: None,
            });
        }
        let alarm = chair.alarm("channel_missing/spo2").expect("an alarm");
        assert!(alarm.message.contains(words), "{}", alarm.message);
    }
}

const STREAMED: [Parameter; 3] = [Parameter::HeartRate, Parameter::Spo2, Parameter::RespiratoryRate];

fn by_hand(chair: &mut Chair) {
    let values = STREAMED.map(|parameter| match parameter {
        Parameter::Spo2 => (parameter, 98),
        Parameter::RespiratoryRate => (parameter, 16),
        _ => (parameter, 72),
    });
    let readings = values.map(|(parameter, value)| reading(parameter, value, chair.now_s)).to_vec();
    chair.feed(Input::Readings { source: Source::Charted(nurse()), readings, behind: None });
}

fn is_silence(alarm: &Alarm) -> bool {
    ["channel_missing", "link_lost", "patient_unseen"].iter().any(|kind| alarm.code.starts_with(kind))
}

/// Hazard 16: a monitor that stays silent asks once and again when it matters more, however often somebody charts by
/// hand what it does not send.
#[test]
fn a_silent_monitor_is_one_alarm_that_says_what_it_lacks() {
    let mut chair = Chair::infusing();
    chair.expect(&STREAMED, false);
    let mut raised = Vec::new();
    for _ in 0..13 {
        for _ in 0..180 {
            let said = chair.wait(1);
            raised.extend(said.into_iter().filter_map(|output| match output {
                Output::AlarmRaised(alarm) if is_silence(&alarm) => Some(alarm),
                _ => None,
            }));
            let standing = chair.monitor.alarms().filter(|alarm| is_silence(alarm)).count();
            assert_eq!(standing, usize::from(chair.now_s >= 10), "second {}", chair.now_s);
        }
        if let Some(alarm) = chair.alarm("patient_unseen").filter(|alarm| alarm.acknowledged.is_none()) {
            assert!(alarm.reach > Reach::Chair && !alarm.is_latched());
            chair.acknowledge("patient_unseen");
        }
        by_hand(&mut chair);
    }
    let codes: Vec<&str> = raised.iter().map(|alarm| alarm.code.as_str()).collect();
    assert_eq!(codes, ["channel_missing", "patient_unseen"]);
    for lacks in ["HR", "SpO₂", "RR", "nothing comes"] {
        assert!(raised[1].message.contains(lacks), "{}", raised[1].message);
    }
}

/// Hazard 16: a cable that was pulled is named, and asks for as much as a patient whom nobody sees.
#[test]
fn a_lost_connection_is_named_as_itself_and_is_as_grave() {
    let mut chair = Chair::infusing();
    chair.expect(&STREAMED, false);
    chair.feed(Input::LinkLost(DeviceId::new("m1"), DeviceKind::Monitor));
    for second in 1..=600 {
        chair.wait(1);
        let standing: Vec<&Alarm> = chair.monitor.alarms().filter(|alarm| is_silence(alarm)).collect();
        let [alarm] = standing.as_slice() else { panic!("second {second}: {standing:?}") };
        assert_eq!(alarm.code, "link_lost/m1");
        assert_eq!(alarm.priority == Priority::High, second >= 30, "second {second}: {alarm:?}");
    }
    let message = &chair.alarm("link_lost/m1").expect("it stands").message;
    assert_eq!(message, "Connection lost: monitor m1; HR, SpO₂, RR, nothing comes");
    // The line is back, and no sensor is on: now the patient is what is missing.
    chair.feed(Input::LinkBack(DeviceId::new("m1")));
    chair.wait(1);
    assert!(chair.alarm("link_lost/m1").is_some_and(Alarm::is_latched));
    assert_eq!(chair.priority("patient_unseen"), Some(Priority::High));
}

/// The same in recovery, where nobody need have got up: the lost connection, or where it stands, the channels.
#[test]
fn a_silent_monitor_in_recovery_is_one_alarm_too() {
    for lost in [true, false] {
        let mut chair = Chair::infusing();
        chair.expect(&STREAMED, false);
        chair.feed(Input::Phase(Phase::Recovering));
        if lost {
            chair.feed(Input::LinkLost(DeviceId::new("m1"), DeviceKind::Monitor));
        }
        chair.wait(30);
        let alarms: Vec<&Alarm> = chair.monitor.alarms().collect();
        let [alarm] = alarms.as_slice() else { panic!("{alarms:?}") };
        assert_eq!(alarm.code, if lost { "link_lost/m1" } else { "channel_missing" });
        assert!(
            alarm.priority == Priority::Medium && alarm.message.contains("HR, RR, SpO₂")
                || alarm.message.contains("HR, SpO₂, RR"),
            "{}",
            alarm.message
        );
    }
}

/// A monitor that broke during a pause is no reason to leave the patient paused: a person measures instead.
#[test]
fn what_is_charted_by_hand_during_a_pause_lets_the_infusion_go_on() {
    let mut chair = Chair::infusing();
    chair.expect(&STREAMED, false);
    chair.wait(5);
    chair.feed(Input::Phase(Phase::Paused));
    chair.bp(120, 76);
    chair.wait(40);
    let held = chair.monitor.keeps_paused();
    assert!(held.iter().any(|why| why.starts_with("No reading: ") && why.contains("SpO₂")), "{held:?}");
    by_hand(&mut chair);
    chair.wait(40);
    assert_eq!(chair.monitor.keeps_paused(), Vec::<String>::new());
    assert!(
        chair.alarm("patient_unseen").is_some_and(|alarm| !alarm.is_latched()),
        "the watch is still blind"
    );
}
