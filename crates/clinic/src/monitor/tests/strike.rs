//! Hazard 100: what was charted by mistake is struck, and nothing goes on following from it.

use super::*;
use crate::device::Quality;
use proptest::prelude::*;

fn by_hand(values: &[(Parameter, i32)], second: i64) -> Input {
    let readings = values.iter().map(|(parameter, value)| reading(*parameter, *value, second)).collect();
    Input::Readings { source: Source::Charted(nurse()), readings, behind: None }
}

fn entered(entry: i64, what: Input) -> Input {
    Input::Entered { entry, what: Box::new(what) }
}

impl Chair {
    fn charted(&mut self, entry: i64, values: &[(Parameter, i32)]) -> Vec<Output> {
        let what = by_hand(values, self.now_s);
        self.feed(entered(entry, what))
    }
    fn strike(&mut self, entry: i64) -> Vec<Output> {
        self.feed(Input::Struck { entry })
    }
    fn unanswered(&self) -> Vec<String> {
        let open = self.monitor.alarms().filter(|alarm| alarm.acknowledged.is_none());
        open.map(|alarm| alarm.code.clone()).collect()
    }
    fn shown(&self, parameter: Parameter) -> Option<String> {
        let view = self.monitor.view(time(self.now_s));
        view.values.into_iter().find(|one| one.parameter == parameter)?.value
    }
}

const CUFF: [(Parameter, i32); 2] = [(Parameter::Systolic, 124), (Parameter::Diastolic, 78)];

#[test]
fn a_struck_saturation_takes_its_alarm_along_and_the_one_before_stands_again() {
    let mut chair = Chair::infusing();
    chair.charted(1, &[(Parameter::Spo2, 98)]);
    chair.wait(60);
    chair.charted(2, &[(Parameter::Spo2, 79)]);
    assert_eq!(chair.priority("spo2"), Some(Priority::High));
    chair.wait(20);
    let out = chair.strike(2);
    assert!(out.iter().any(|one| matches!(one, Output::AlarmWithdrawn(_))), "{out:?}");
    assert_eq!(chair.alarm("spo2"), None, "nobody needs to answer what never was");
    assert_eq!(chair.shown(Parameter::Spo2).as_deref(), Some("98"));
    assert!(chair.strike(2).is_empty() && chair.strike(77).is_empty(), "once, and nothing that is not there");
}

#[test]
fn an_alarm_that_holds_without_the_struck_value_stays_as_grave_as_it_is_then() {
    let mut chair = Chair::infusing();
    chair.charted(1, &[(Parameter::Spo2, 89)]);
    chair.wait(30);
    let before = chair.alarm("spo2").map(|alarm| (alarm.action, alarm.message.clone()));
    assert!(before.is_some());
    chair.charted(2, &[(Parameter::Spo2, 79)]);
    assert_ne!(chair.alarm("spo2").map(|alarm| (alarm.action, alarm.message.clone())), before);
    chair.strike(2);
    assert_eq!(chair.alarm("spo2").map(|alarm| (alarm.action, alarm.message.clone())), before);
    // A latched alarm of the struck value goes too; one that another value raised waits for its answer.
    chair.charted(3, &[(Parameter::Spo2, 79)]);
    chair.wait(5);
    chair.charted(4, &[(Parameter::Spo2, 97)]);
    assert!(chair.alarm("spo2").is_some_and(Alarm::is_latched));
    chair.strike(4);
    assert!(chair.alarm("spo2").is_some_and(|alarm| !alarm.is_latched()), "79 stands again");
}

#[test]
fn a_latched_alarm_that_the_struck_value_raised_waits_for_nobody() {
    let mut chair = Chair::infusing();
    chair.feed(entered(1, Input::Scored { sign: Sign::Moaas, score: 0, observed_at: None }));
    chair.wait(5);
    chair.feed(entered(2, Input::Scored { sign: Sign::Moaas, score: 5, observed_at: None }));
    assert!(chair.alarm("moaas").is_some_and(Alarm::is_latched));
    chair.strike(1);
    assert_eq!(chair.alarm("moaas"), None);
}

/// Hazard 100: what was true and unanswered waits on, however a slip came back to it, worsened it or began it.
#[test]
fn a_true_alarm_that_nobody_answered_outlives_the_slip_that_touched_it() {
    for (true_first, slip) in [(true, 78), (true, 70), (false, 78)] {
        let mut chair = Chair::infusing();
        let said = |value| [(Parameter::Spo2, value)];
        let first = if true_first { [(1, 80), (2, 97), (3, slip)] } else { [(3, slip), (1, 80), (2, 97)] };
        for (entry, value) in first {
            chair.charted(entry, &said(value));
            chair.wait(20);
        }
        let id = chair.alarm("spo2").expect("raised").id.clone();
        let out = chair.strike(3);
        assert!(
            !out.iter().any(|one| matches!(one, Output::AlarmWithdrawn(_))),
            "{true_first} {slip}: {out:?}"
        );
        let alarm = chair.alarm("spo2").expect("nobody answered it");
        assert!(alarm.id == id && alarm.is_latched(), "{alarm:?}");
        assert_eq!(alarm.value.as_deref(), Some("80"), "in its own words");
        let by = nurse();
        chair.feed(Input::Acknowledge { alarm: id, by, reason: String::new() });
        assert_eq!(chair.alarm("spo2"), None);
    }
}

/// The same of an alarm that a device raised before anybody charted such a sign, also where two slips touched it.
#[test]
fn an_alarm_of_a_device_that_nobody_answered_outlives_the_slips_that_touched_it() {
    for order in [[1, 2], [2, 1]] {
        let mut chair = Chair::infusing();
        chair.stream(Parameter::Spo2, 80, 5);
        let raised = chair.alarm("spo2").expect("raised").clone();
        chair.stream(Parameter::Spo2, 97, 20);
        assert!(chair.alarm("spo2").is_some_and(Alarm::is_latched));
        chair.charted(1, &[(Parameter::Spo2, 88)]);
        chair.wait(5);
        chair.charted(2, &[(Parameter::Spo2, 70)]);
        chair.wait(5);
        for entry in order {
            chair.strike(entry);
        }
        let alarm = chair.alarm("spo2").expect("nobody answered it");
        assert!(alarm.is_latched() && alarm.id == raised.id, "{alarm:?}");
        assert_eq!((alarm.value.as_ref(), alarm.raised_at), (raised.value.as_ref(), raised.raised_at));
    }
}

/// What was answered before the slip asks nobody again.
#[test]
fn a_true_alarm_that_was_answered_does_not_come_back_with_the_slip_struck() {
    let mut chair = Chair::infusing();
    chair.charted(1, &[(Parameter::Spo2, 80)]);
    chair.wait(5);
    let alarm = chair.alarm("spo2").expect("raised").id.clone();
    chair.feed(Input::Acknowledge { alarm, by: nurse(), reason: String::new() });
    chair.charted(2, &[(Parameter::Spo2, 97)]);
    assert_eq!(chair.alarm("spo2"), None);
    chair.wait(60);
    chair.charted(3, &[(Parameter::Spo2, 78)]);
    chair.wait(5);
    chair.strike(3);
    assert_eq!(chair.alarm("spo2"), None);
}

/// Who answered the slip has not answered what a device says without it: that asks anew, and nobody goes home with it.
#[test]
fn an_answer_to_the_slip_is_none_to_what_stands_without_it() {
    let mut chair = Chair::infusing();
    let mut all = chair.charted(1, &[(Parameter::Spo2, 70)]);
    all.extend(chair.acknowledge("spo2"));
    chair.wait(5);
    all.extend(chair.vital(Parameter::Spo2, 80));
    assert!(unfinished(&all).is_empty(), "answered, and no graver since");
    all.extend(chair.strike(1));
    assert!(chair.alarm("spo2").is_some_and(|alarm| alarm.acknowledged.is_none()));
    assert!(unfinished(&all).contains_key(&Unfinished::UnansweredAlarms), "{all:?}");
}

/// What alarmed before a restart and was not answered waits on, whatever is struck after it.
#[test]
fn an_alarm_from_before_a_restart_waits_for_its_answer() {
    let mut before = Chair::infusing();
    let mut all: Vec<Output> = before.stream(Parameter::Spo2, 80, 5);
    all.extend(before.stream(Parameter::Spo2, 97, 5));
    let alarm = before.alarm("spo2").expect("raised").clone();
    let waiting = |said: &[Output]| unanswered(said.iter().map(|line| (time(9), line)));
    let standing = waiting(&all);
    assert!(standing.iter().any(|one| one.id == alarm.id && one.is_latched()), "{standing:?}");
    let mut chair = Chair { monitor: Monitor::new(policy().counting_from(9), time(0)), now_s: 20 };
    let charted = entered(1, by_hand(&[(Parameter::Spo2, 97)], 12));
    for input in [Input::Phase(Phase::Infusing), charted] {
        chair.monitor.recall(time(12), input);
    }
    for alarm in standing {
        chair.monitor.recall(time(20), Input::Unanswered(Box::new(alarm)));
    }
    chair.feed(Input::Restarted { since: time(12) });
    assert_eq!(chair.alarm("spo2").map(|one| (&one.id, one.is_latched())), Some((&alarm.id, true)));
    chair.strike(1);
    assert_eq!(chair.alarm("spo2").map(|one| (&one.id, one.is_latched())), Some((&alarm.id, true)));
    all.extend(chair.acknowledge("spo2"));
    assert_eq!(chair.alarm("spo2"), None);
    assert!(waiting(&all).is_empty());
}

#[test]
fn a_struck_observation_is_due_again_when_it_was_due_before_it() {
    let due = |chair: &Chair| chair.monitor.view(time(chair.now_s)).due;
    let (mut chair, mut other) = (Chair::infusing(), Chair::infusing());
    for one in [&mut chair, &mut other] {
        one.charted(1, &CUFF);
        one.wait(200);
    }
    chair.charted(2, &CUFF);
    chair.feed(entered(3, Input::Looked { observed: Observed::Dissociation, observed_at: None }));
    assert_ne!(due(&chair), due(&other));
    chair.strike(2);
    chair.strike(3);
    assert_eq!(due(&chair), due(&other));
}

#[test]
fn a_struck_pressure_is_no_baseline_any_more() {
    let mut chair = Chair::infusing();
    chair.feed(entered(1, Input::Baseline(Pressure::new(180, 100))));
    chair.charted(1, &[(Parameter::Systolic, 180), (Parameter::Diastolic, 100)]);
    let baseline = |chair: &Chair| chair.monitor.view(time(chair.now_s)).baseline;
    assert_eq!(baseline(&chair).as_deref(), Some("180/100"));
    chair.strike(1);
    assert_eq!(baseline(&chair).as_deref(), Some("120/76"), "the one before");
    assert_eq!(chair.shown(Parameter::Systolic), None);
    chair.feed(Input::NoBaseline);
    assert_eq!(baseline(&chair), None);
}

/// Hazard 176: one person alone takes no crisis back. Only a new value shows that it was a slip.
#[test]
fn a_struck_value_to_stop_at_asks_until_it_is_measured_again() {
    const CODE: &str = "struck_unmeasured/systolic";
    let crisis = [(Parameter::Systolic, 195), (Parameter::Diastolic, 118)];
    let mut chair = Chair::infusing();
    chair.charted(1, &CUFF);
    chair.wait(60);
    chair.charted(2, &crisis);
    chair.wait(10);
    chair.strike(2);
    assert_eq!(chair.alarm("systolic"), None, "it counts for nothing");
    let asks = chair.alarm(CODE).expect("asks").clone();
    assert_eq!(asks.priority, Priority::Medium);
    assert!(asks.message.contains("195/118") && asks.message.starts_with("Measure again"), "{asks:?}");
    chair.wait(120);
    assert_eq!(chair.priority(CODE), Some(Priority::High), "in time, or louder");
    chair.charted(3, &CUFF);
    assert!(chair.alarm(CODE).is_none_or(Alarm::is_latched), "measured");
    chair.acknowledge(CODE);
    assert_eq!(chair.alarm(CODE), None);
    // A value that no limit pauses or stops at asks for nothing, and neither does one after which it was measured.
    chair.charted(4, &[(Parameter::Systolic, 126), (Parameter::Diastolic, 79)]);
    chair.strike(4);
    chair.charted(5, &crisis);
    chair.wait(5);
    chair.charted(6, &CUFF);
    chair.strike(5);
    assert_eq!(chair.alarm(CODE), None);
}

/// The same after a restart: what was struck before it is still to be measured.
#[test]
fn a_struck_value_to_stop_at_asks_after_a_restart_too() {
    let crisis = [(Parameter::Systolic, 195), (Parameter::Diastolic, 118)];
    let mut chair = Chair { monitor: Monitor::new(policy().counting_from(9), time(0)), now_s: 20 };
    let told = [(5, entered(1, by_hand(&CUFF, 5))), (8, entered(2, by_hand(&crisis, 8)))];
    chair.monitor.recall(time(2), Input::Phase(Phase::Infusing));
    for (second, input) in told.into_iter().chain([(12, Input::Struck { entry: 2 })]) {
        chair.monitor.recall(time(second), input);
    }
    chair.feed(Input::Restarted { since: time(12) });
    assert_eq!(chair.priority("struck_unmeasured/systolic"), Some(Priority::Medium));
}

#[test]
fn a_struck_symptom_is_not_there() {
    let mut chair = Chair::infusing();
    let chest_pain = || Input::Symptom { id: "chest_pain".to_owned(), present: true };
    chair.feed(entered(1, chest_pain()));
    chair.wait(3);
    chair.feed(entered(2, chest_pain()));
    chair.strike(1);
    assert!(chair.alarm("symptom/chest_pain").is_some(), "two saw it, and one was wrong");
    chair.strike(2);
    assert_eq!(chair.alarm("symptom/chest_pain"), None);
}

/// A monitor that streams beside a person who charts is kept as long as it can matter.
#[test]
fn a_value_charted_beside_a_stream_is_struck_out_of_it() {
    let mut chair = Chair::infusing();
    chair.stream(Parameter::Spo2, 97, 5);
    chair.charted(1, &[(Parameter::Spo2, 70)]);
    assert_eq!(chair.priority("spo2"), Some(Priority::High));
    chair.strike(1);
    assert_eq!(chair.alarm("spo2"), None);
    assert_eq!(chair.shown(Parameter::Spo2).as_deref(), Some("97"));
    chair.charted(2, &[(Parameter::Spo2, 70)]);
    for second in 0..2_000 {
        chair.now_s += 1;
        chair.vital(Parameter::Spo2, 96 + second % 2);
    }
    let before = chair.monitor.view(time(chair.now_s)).values;
    chair.strike(2);
    assert_eq!(chair.monitor.view(time(chair.now_s)).values, before, "long gone");
}

/// One thing that a person enters, or a device or the clock tells. Nothing that a device sends repeats the last.
fn any_step() -> impl Strategy<Value = (i64, bool, usize, i32)> {
    (0_i64..400, prop::bool::weighted(0.6), 0_usize..8, 0_i32..1_000)
}

fn step(nth: i32, at_s: i64, (by_person, which, number): (bool, usize, i32)) -> Input {
    let source = if by_person { Source::Charted(nurse()) } else { monitor_device() };
    let of = |parameter, low: i32, span: i32| reading(parameter, low + (number + 7 * nth) % span, at_s);
    let readings = |readings| Input::Readings { source: source.clone(), readings, behind: None };
    match which {
        0 | 1 => readings(vec![of(Parameter::Systolic, 90, 111), of(Parameter::Diastolic, 40, 79)]),
        2 => readings(vec![of(Parameter::Spo2, 78, 23)]),
        3 => readings(vec![of(Parameter::HeartRate, 38, 113), of(Parameter::RespiratoryRate, 4, 31)]),
        4 if !by_person => {
            let silent =
                Reading { quality: Quality::NoValue, value: None, ..reading(Parameter::Spo2, 0, at_s) };
            readings(vec![silent])
        }
        4 => Input::Scored {
            sign: Sign::Moaas,
            score: number % 6,
            observed_at: Some(time(at_s - i64::from(number % 90))),
        },
        5 => Input::Scored { sign: Sign::Distress, score: number % 11, observed_at: None },
        6 if by_person => Input::Symptom { id: "chest_pain".to_owned(), present: number % 3 > 0 },
        6 => Input::Baseline(Pressure::new(100 + number % 60, 60 + number % 30)),
        _ => Input::Looked { observed: Observed::Dissociation, observed_at: None },
    }
}

/// What asks for somebody, but for a new measurement in the place of what was struck.
fn wanted(chair: &Chair) -> BTreeMap<Key, Ask> {
    let mut wanted = chair.monitor.wanted(time(chair.now_s));
    wanted.retain(|key, _| !matches!(key, Key::Technical(Condition::StruckUnmeasured, _)));
    wanted
}

/// What alarms about the patient, and whether it is over and waits for an answer.
fn of_the_patient(chair: &Chair) -> Vec<(String, String, bool)> {
    let alarms = chair.monitor.alarms();
    let signs = alarms.filter(|alarm| alarm.sign.is_some() || alarm.code.starts_with("symptom/"));
    signs.map(|alarm| (alarm.code.clone(), alarm.message.clone(), alarm.is_latched())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever was told and answered before and after an entry: once it is struck, everything that is shown, due, alarms
    /// and waits for an answer is what it would be had nobody ever entered it.
    #[test]
    fn after_striking_an_entry_the_watch_stands_as_without_it(
        steps in prop::collection::vec(any_step(), 1..40),
        which in any::<prop::sample::Index>(),
        recovering in any::<bool>(),
    ) {
        let (mut with, mut without) = (Chair::infusing(), Chair::infusing());
        let struck = i64::try_from(which.index(steps.len())).expect("few");
        for (nth, (wait_s, by_person, which, number)) in steps.into_iter().enumerate() {
            let entry = i64::try_from(nth).expect("few");
            for chair in [&mut with, &mut without] {
                chair.now_s += wait_s;
                chair.feed(Input::Tick);
            }
            let what = step(i32::try_from(nth).expect("few"), with.now_s, (by_person, which, number));
            let said = if by_person { entered(entry, what) } else { what };
            if which == 7 && !by_person {
                // Who looks at the chair answers what stands there, and nothing else.
                for code in with.unanswered() {
                    with.acknowledge(&code);
                    if without.unanswered().contains(&code) {
                        without.acknowledge(&code);
                    }
                }
                continue;
            }
            with.feed(said.clone());
            let is_it = by_person && entry == struck;
            without.feed(if is_it { Input::Tick } else { said });
        }
        if recovering {
            for chair in [&mut with, &mut without] {
                chair.feed(Input::Phase(Phase::Recovering));
            }
        }
        with.strike(struck);
        without.feed(Input::Tick);
        let now = time(with.now_s);
        let (a, b) = (with.monitor.view(now), without.monitor.view(now));
        prop_assert_eq!(a.baseline, b.baseline);
        prop_assert_eq!(a.scores.iter().map(|one| (one.sign, one.score, one.age_s)).collect::<Vec<_>>(),
            b.scores.iter().map(|one| (one.sign, one.score, one.age_s)).collect::<Vec<_>>());
        let plain = |view: Vec<ValueView>| view.into_iter().map(|one| ValueView { alarm: None, ..one }).collect::<Vec<_>>();
        prop_assert_eq!(plain(a.values), plain(b.values));
        prop_assert_eq!(a.passed, b.passed);
        prop_assert_eq!(a.due, b.due);
        prop_assert_eq!(wanted(&with), wanted(&without));
        prop_assert_eq!(of_the_patient(&with), of_the_patient(&without));
    }
}
