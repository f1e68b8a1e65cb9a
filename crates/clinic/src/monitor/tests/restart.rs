//! What waits for an answer over a restart of the program.

use super::*;

/// Hazard 136: what was about devices waits on too: the wrong patient, what a device said itself.
#[test]
fn an_alarm_about_a_device_from_before_a_restart_waits_for_its_answer() {
    let mut before = Chair::infusing();
    let alert = |active| Input::DeviceAlert {
        device: DeviceId::new("p1"),
        alert: DeviceAlert {
            refid: "MDC_EVT_PUMP_AIR".to_owned(),
            text: String::new(),
            active,
            priority: DevicePriority::High,
        },
    };
    let conflict = |present| Input::PatientConflict { device: DeviceId::new("m1"), present };
    let mut all: Vec<Output> = Vec::new();
    for input in [alert(true), conflict(true)] {
        all.extend(before.feed(input));
    }
    all.extend(before.wait(60));
    for input in [alert(false), conflict(false)] {
        all.extend(before.feed(input));
    }
    let waiting = |said: &[Output]| unanswered(said.iter().map(|line| (time(90), line)));
    let standing = waiting(&all);
    let codes = ["device/p1/MDC_EVT_PUMP_AIR", "patient_conflict/m1"];
    assert!(codes.iter().all(|code| standing.iter().any(|alarm| alarm.code == *code)), "{standing:?}");
    let mut chair = Chair { monitor: Monitor::new(policy().counting_from(9), time(0)), now_s: 100 };
    chair.monitor.recall(time(60), Input::Phase(Phase::Infusing));
    for alarm in standing {
        chair.monitor.recall(time(100), Input::Unanswered(Box::new(alarm)));
    }
    chair.feed(Input::Restarted { since: time(60) });
    for code in codes {
        let alarm = chair.alarm(code).unwrap_or_else(|| panic!("{code} is forgotten"));
        assert!(alarm.is_latched() && alarm.sounds(time(100)), "{alarm:?}");
    }
    // Told again, it is the same alarm.
    let told = chair.feed(conflict(true));
    assert!(matches!(told.as_slice(), [Output::AlarmReturned(_)]), "{told:?}");
    chair.acknowledge(codes[0]);
    assert_eq!(chair.alarm(codes[0]), None);
}

/// Every alarm is found again by what stands in the log.
#[test]
fn what_an_alarm_is_about_is_read_back_from_its_code() {
    let device = DeviceId::new("m1");
    let mut about: Vec<Key> = policy().signs.into_keys().map(Key::Sign).collect();
    about.extend(policy().schedule.1.iter().map(|row| Key::Overdue(row.what)));
    for condition in Condition::ALL {
        about.push(Key::Technical(condition, String::new()));
        about.push(Key::Technical(condition, device.to_string()));
    }
    about.push(Key::Symptom("nausea".to_owned()));
    about.push(Key::Device(device, "MDC_EVT/1".to_owned()));
    let mut board = Board::new(SessionId::new("s1"), 0);
    for key in about {
        let sign = if let Key::Sign(sign) = &key { Some(*sign) } else { None };
        let ask = Ask {
            rule: RuleId::new("watch"),
            version: 1,
            priority: Priority::High,
            action: Action::Look,
            message: String::new(),
            sign,
            value: None,
            limit: None,
            playbook: None,
            since: time(0),
            limits_passed: 0,
        };
        board.reconcile(time(0), [(key.clone(), ask)].into(), &mut Vec::new());
        let alarm = board.alarms().find(|alarm| !alarm.is_latched()).expect("raised").clone();
        assert_eq!(Key::of(&alarm), Some(key), "{}", alarm.code);
    }
}
