//! What must hold for every sequence of inputs, not only for those that somebody thought of.

use super::tests::{policy, reading, time};
use super::*;
use crate::device::{DeviceAlert, DevicePriority, PumpEvent, PumpStatus, Quality};
use crate::gate::Pressure;
use crate::id::{AlarmId, StaffId};
use crate::quantity::Tenths;
use proptest::prelude::*;

fn any_reading() -> impl Strategy<Value = Reading> {
    let quality =
        prop_oneof![6 => Just(Quality::Good), 1 => Just(Quality::NoValue), 1 => Just(Quality::Suspect)];
    let observed = prop::option::of(0_i64..5);
    (
        prop::sample::select(Parameter::ALL.to_vec()),
        prop::option::weighted(0.9, -50_i32..400),
        quality,
        observed,
    )
        .prop_map(|(parameter, value, quality, observed)| Reading {
            parameter,
            value: value.map(Tenths::whole),
            quality,
            observed_at: observed.map(time),
        })
}

fn any_input() -> impl Strategy<Value = Input> {
    let phase = prop::sample::select(vec![
        Phase::Preparing,
        Phase::Infusing,
        Phase::Infusing,
        Phase::Paused,
        Phase::Recovering,
    ]);
    let source = prop_oneof![
        Just(Source::Device(DeviceId::new("m1"))),
        Just(Source::Charted(StaffId::new("nurse.kim")))
    ];
    let sign = prop::sample::select(vec![Sign::Moaas, Sign::Rass, Sign::Distress]);
    let channels = prop::collection::btree_set(prop::sample::select(Parameter::ALL.to_vec()), 0..6);
    let status =
        prop::sample::select(vec![PumpStatus::Infusing, PumpStatus::NotInfusing, PumpStatus::KeepVeinOpen]);
    let alarm = (1_u64..9).prop_map(|n| AlarmId::new(format!("s1/a{n}")));
    let quiet = alarm.clone().prop_map(|alarm| Input::PauseSound { alarm, by: StaffId::new("nurse.kim") });
    prop_oneof![
        3 => Just(Input::Tick),
        2 => Just(Input::Painted),
        6 => (source, prop::collection::vec(any_reading(), 1..4))
            .prop_map(|(source, readings)| Input::Readings { source, readings, behind: None }),
        2 => (sign, -6_i32..12).prop_map(|(sign, score)| Input::Scored { sign, score, observed_at: None }),
        1 => (60_i32..220).prop_map(|systolic| Input::Baseline(Pressure::new(systolic, systolic - 40))),
        2 => phase.prop_map(Input::Phase),
        1 => (channels, any::<bool>())
            .prop_map(|(channels, pump)| Input::Expect(Expected { channels, pump, nibp_fast: false })),
        1 => status.prop_map(|status| Input::PumpEvent(match status {
            PumpStatus::Infusing => PumpEvent::DeliveryStarted,
            PumpStatus::NotInfusing => PumpEvent::DeliveryStopped,
            _ => PumpEvent::DeliveryCompleted,
        })),
        1 => (0_u8..40, any::<bool>()).prop_map(|(n, active)| Input::DeviceAlert {
            device: DeviceId::new("p1"),
            alert: DeviceAlert { refid: format!("X{n}"), text: String::new(), active, priority: DevicePriority::Low },
        }),
        2 => alarm.prop_map(|alarm| Input::Acknowledge { alarm, by: StaffId::new("nurse.kim"), reason: String::new() }),
        1 => quiet,
    ]
}

fn any_story() -> impl Strategy<Value = Vec<(i64, Input)>> {
    prop::collection::vec((0_i64..40, any_input()), 1..60)
}

fn tell(story: &[(i64, Input)], mut after_each: impl FnMut(&Monitor, i64, &[Output])) -> Monitor {
    let mut monitor = Monitor::new(policy(), time(0));
    let mut now_s = 0;
    for (wait_s, input) in story {
        now_s += wait_s;
        let out = monitor.feed(time(now_s), input.clone());
        after_each(&monitor, now_s, &out);
    }
    monitor
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Hazard 15: whatever happened, a value beyond an immediate limit has an alarm as grave as the limit.
    #[test]
    fn an_immediate_limit_never_passes_unseen(story in any_story()) {
        let rules = policy();
        tell(&story, |monitor, now_s, _| {
            for (sign, (_, limits)) in &rules.signs {
                let last = match sign.parameter() {
                    Some(Parameter::MeanPressure) => continue,
                    Some(parameter) => monitor.signs.channels.get(&parameter).and_then(|c| c.good).map(|(_, v)| v.decimal()),
                    None => monitor.signs.scores.get(sign).map(|(_, score)| (*score).into()),
                };
                let Some(last) = last else { continue };
                for rule in limits.rules.iter().filter(|rule| rule.is_immediate() && rule.is_passed_by(last, None)) {
                    let alarm = monitor.board.on_sign(*sign);
                    assert!(
                        alarm.is_some_and(|alarm| alarm.action >= rule.action && !alarm.is_latched()),
                        "at {now_s} s {sign:?} {last} passes {} without an alarm", rule.id
                    );
                }
            }
        });
    }

    /// Hazard 10: an expected channel without a usable value for the first step of its rule always alarms.
    #[test]
    fn silence_always_alarms(story in any_story(), silence_s in 30_i64..200) {
        let mut monitor = tell(&story, |_, _, _| {});
        let mut now = monitor.last;
        let channels = [Parameter::Spo2, Parameter::RespiratoryRate].into_iter().collect();
        let mut wanted = monitor.expected.clone();
        wanted.channels.extend::<std::collections::BTreeSet<_>>(channels);
        monitor.feed(now, Input::Expect(wanted));
        monitor.feed(now, Input::Phase(Phase::Infusing));
        for _ in 0..silence_s {
            now += jiff::SignedDuration::from_secs(1);
            monitor.feed(now, Input::Painted);
        }
        for silent in [Parameter::Spo2, Parameter::RespiratoryRate] {
            let names = |alarm: &&Alarm| {
                let of_silence = ["channel_missing", "patient_unseen"].iter().any(|code| alarm.code.starts_with(code));
                of_silence && !alarm.is_latched() && alarm.message.contains(silent.label())
            };
            let alarm = monitor.alarms().find(names);
            prop_assert!(alarm.is_some_and(|alarm| alarm.priority >= Priority::Medium), "{silent:?} is silent");
        }
    }

    /// Hazard 10: readings that waited on the way neither end the silence of a channel nor stand there as its number.
    #[test]
    fn nothing_old_makes_a_channel_fresh(
        behind_s in -90_000_i64..90_000,
        came in prop::collection::vec((0_i64..20, 0_i64..900, 80_i32..100), 1..60),
    ) {
        let mut monitor = Monitor::new(policy(), time(0));
        let channels = [Parameter::Spo2].into_iter().collect();
        monitor.feed(time(0), Input::Expect(Expected { channels, pump: false, nibp_fast: false }));
        monitor.feed(time(0), Input::Phase(Phase::Infusing));
        let (mut now_s, mut newest_s) = (0, 0);
        for (wait_s, age_s, value) in came {
            now_s += wait_s;
            let measured_s = now_s - age_s;
            let sent = reading(Parameter::Spo2, value, measured_s - behind_s);
            let source = Source::Device(DeviceId::new("m1"));
            let behind = Some(jiff::SignedDuration::from_secs(behind_s));
            monitor.feed(time(now_s), Input::Readings { source, readings: vec![sent], behind });
            newest_s = if age_s <= 10 { newest_s.max(measured_s) } else { newest_s };
            let view = monitor.view(time(now_s));
            let shown = view.values.iter().find(|one| one.parameter == Parameter::Spo2);
            let age = shown.and_then(|one| one.age_s);
            prop_assert!(age.is_none_or(|age| age >= now_s - newest_s), "{age:?} at {now_s}, newest of {newest_s}");
            let alarms = monitor.alarms().any(|alarm| {
                let codes = ["channel_missing/spo2", "patient_unseen"];
                codes.contains(&alarm.code.as_str()) && !alarm.is_latched()
            });
            prop_assert_eq!(alarms, now_s - newest_s >= 10, "at {}, newest of {}", now_s, newest_s);
        }
    }

    #[test]
    fn the_same_story_gives_the_same_watch(story in any_story()) {
        let mut said = Vec::new();
        let first = tell(&story, |_, _, out| said.push(out.to_vec()));
        let mut said_again = Vec::new();
        let second = tell(&story, |_, _, out| said_again.push(out.to_vec()));
        prop_assert_eq!(said, said_again);
        prop_assert_eq!(first.view(first.last), second.view(second.last));
    }

    /// The log is enough: folding the outputs gives the alarms that stand.
    #[test]
    fn what_is_said_adds_up_to_what_stands(story in any_story()) {
        let mut standing = std::collections::BTreeSet::new();
        let mut quiet_since = std::collections::BTreeMap::new();
        tell(&story, |monitor, now_s, out| {
            for output in out {
                match output {
                    Output::AlarmRaised(alarm) => assert!(standing.insert(alarm.id.clone()), "raised twice"),
                    Output::AlarmCleared(alarm) => assert!(standing.remove(alarm), "cleared but never raised"),
                    Output::SoundPaused { alarm, .. } => { quiet_since.insert(alarm.clone(), now_s); }
                    _ => {}
                }
            }
            let stands: std::collections::BTreeSet<_> = monitor.alarms().map(|alarm| alarm.id.clone()).collect();
            assert_eq!(standing, stands);
            // Hazard 17: nothing is quiet for longer than two minutes after somebody pressed the button.
            for alarm in monitor.alarms().filter(|a| a.acknowledged.is_none() && !a.sounds(time(now_s))) {
                assert!(quiet_since.get(&alarm.id).is_some_and(|since| now_s - since < 120), "{} stays quiet", alarm.code);
            }
            assert!(stands.len() <= 80, "bounded");
        });
    }

    /// A high alarm leaves only after a named person answered it.
    #[test]
    fn no_high_alarm_goes_unanswered(story in any_story()) {
        let mut answered = std::collections::BTreeSet::new();
        let mut high = std::collections::BTreeSet::new();
        tell(&story, |_, _, out| {
            for output in out {
                match output {
                    Output::AlarmRaised(alarm) | Output::AlarmWorsened(alarm) if alarm.priority == Priority::High => {
                        high.insert(alarm.id.clone());
                        answered.remove(&alarm.id);
                    }
                    Output::AlarmAcknowledged { alarm, .. } => { answered.insert(alarm.clone()); }
                    Output::AlarmCleared(alarm) => {
                        assert!(!high.contains(alarm) || answered.contains(alarm), "{alarm} went unanswered");
                    }
                    _ => {}
                }
            }
        });
    }
}

#[test]
fn a_clock_set_back_does_not_stop_the_watch() {
    let mut monitor = Monitor::new(policy(), time(1000));
    monitor.feed(time(1000), Input::Phase(Phase::Infusing));
    monitor.feed(
        time(0),
        Input::Readings {
            source: Source::Device(DeviceId::new("m1")),
            behind: None,
            readings: vec![reading(Parameter::Spo2, 84, 0)],
        },
    );
    assert!(monitor.alarms().any(|alarm| alarm.code == "spo2" && alarm.raised_at == time(1000)));
}
