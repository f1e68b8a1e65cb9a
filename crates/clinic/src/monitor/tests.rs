//! Golden vectors G9 to G14 of the clinical reference and how limits count, by ticks.

mod alarms;
mod by_hand;
mod pump;
mod restart;
mod silence;
mod strike;
mod watch;

use super::*;
use crate::device::{DeviceAlert, DevicePriority, PumpEvent, PumpStatus, Quality};
use crate::gate::Pressure;
use crate::id::{AlarmId, RuleId, SessionId, StaffId};
use crate::knowledge::Knowledge;
use crate::quantity::{Concentration, Microlitres, Rate, Tenths, Weight};
use jiff::SignedDuration;
use std::sync::LazyLock;

/// A chair under the shipped rules, whose clock counts seconds from 0.
pub(super) struct Chair {
    pub monitor: Monitor,
    pub now_s: i64,
}

pub(super) fn time(second: i64) -> Timestamp {
    "2026-03-02T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(second)
}

/// Read once: every law runs many stories.
static POLICY: LazyLock<MonitorPolicy> = LazyLock::new(|| {
    let knowledge = Knowledge::shipped().expect("the shipped knowledge is sound");
    MonitorPolicy::new(&knowledge, SessionId::new("s1"), None).expect("a whole policy")
});

pub(super) fn policy() -> MonitorPolicy {
    POLICY.clone()
}

fn nurse() -> StaffId {
    StaffId::new("nurse.kim")
}

fn monitor_device() -> Source {
    Source::Device(DeviceId::new("m1"))
}

pub(super) fn reading(parameter: Parameter, value: i32, second: i64) -> Reading {
    let observed_at = Some(time(second));
    Reading { parameter, value: Some(Tenths::whole(value)), quality: Quality::Good, observed_at }
}

impl Chair {
    /// Infusing since second 0, baseline 120/76, a screen that paints.
    fn infusing() -> Self {
        let mut chair = Self { monitor: Monitor::new(policy(), time(0)), now_s: 0 };
        chair.feed(Input::Baseline(Pressure::new(120, 76)));
        chair.feed(Input::Phase(Phase::Infusing));
        chair
    }
    /// The same, with what a start needs to know measured now.
    fn measured() -> Self {
        let mut chair = Self::infusing();
        chair.measure();
        chair
    }
    fn measure(&mut self) {
        self.bp(120, 76);
        self.vital(Parameter::Spo2, 98);
    }
    fn feed(&mut self, input: Input) -> Vec<Output> {
        self.monitor.feed(time(self.now_s), input)
    }
    fn wait(&mut self, seconds: i64) -> Vec<Output> {
        let mut out = Vec::new();
        for _ in 0..seconds {
            self.now_s += 1;
            out.extend(self.feed(Input::Painted));
        }
        out
    }
    fn bp(&mut self, systolic: i32, diastolic: i32) -> Vec<Output> {
        let second = self.now_s;
        let readings = vec![
            reading(Parameter::Systolic, systolic, second),
            reading(Parameter::Diastolic, diastolic, second),
        ];
        self.feed(Input::Readings { source: monitor_device(), readings, behind: None })
    }
    fn vital(&mut self, parameter: Parameter, value: i32) -> Vec<Output> {
        let readings = vec![reading(parameter, value, self.now_s)];
        self.feed(Input::Readings { source: monitor_device(), readings, behind: None })
    }
    /// One value a second.
    fn stream(&mut self, parameter: Parameter, value: i32, seconds: i64) -> Vec<Output> {
        let mut out = self.vital(parameter, value);
        for _ in 0..seconds {
            out.extend(self.wait(1));
            out.extend(self.vital(parameter, value));
        }
        out
    }
    fn expect(&mut self, channels: &[Parameter], pump: bool) -> Vec<Output> {
        let channels = channels.iter().copied().collect();
        self.feed(Input::Expect(Expected { channels, pump, nibp_fast: false }))
    }
    fn alarm(&self, code: &str) -> Option<&Alarm> {
        self.monitor.alarms().find(|alarm| alarm.code == code)
    }
    fn action(&self, code: &str) -> Option<Action> {
        self.alarm(code).map(|alarm| alarm.action)
    }
    fn priority(&self, code: &str) -> Option<Priority> {
        self.alarm(code).map(|alarm| alarm.priority)
    }
    fn acknowledge(&mut self, code: &str) -> Vec<Output> {
        let alarm = self.alarm(code).expect("an alarm to answer").id.clone();
        self.feed(Input::Acknowledge { alarm, by: nurse(), reason: String::new() })
    }
}

#[test]
fn g9_a_usual_rise_is_no_alarm() {
    let mut chair = Chair::infusing();
    chair.bp(136, 87);
    chair.wait(240);
    chair.bp(136, 87);
    assert_eq!(chair.monitor.alarms().count(), 0);
    assert_eq!(chair.monitor.view(time(chair.now_s)).values[0].high.as_deref(), Some("150"));
}

#[test]
fn g10_thirty_above_baseline_twice_warns() {
    let mut chair = Chair::infusing();
    chair.bp(152, 90);
    assert_eq!(chair.monitor.alarms().count(), 0);
    let view = chair.monitor.view(time(chair.now_s));
    assert_eq!(view.passed[&Sign::Systolic], "sys past 150, 1 of 2");
    let nibp = |chair: &Chair| {
        let due = chair.monitor.view(time(chair.now_s)).due;
        due.into_iter().find(|due| due.what == Observed::Nibp).expect("it is due").title
    };
    assert_eq!(nibp(&chair), "NIBP again: limit passed, 1 of 2");
    chair.wait(240);
    chair.bp(152, 90);
    assert_eq!(nibp(&chair), "NIBP", "the alarm says it now");
    assert_eq!(chair.action("systolic"), Some(Action::Warn));
    assert_eq!(chair.priority("systolic"), Some(Priority::Medium));
    let message = &chair.alarm("systolic").expect("an alarm").message;
    assert_eq!(message, "NIBP systolic 152, limit 150 (30 from 120 before), 2 of 2 readings");
}

/// What counts on the page is the rule that asks next; the one whose alarm stands is named before it.
#[test]
fn the_count_of_a_passed_limit_runs_to_what_it_asks_next() {
    let mut chair = Chair::infusing();
    let shown = |chair: &Chair| {
        let view = chair.monitor.view(time(chair.now_s));
        let nibp = view.due.into_iter().find(|due| due.what == Observed::Nibp).expect("it is due").title;
        (view.passed[&Sign::Systolic].clone(), nibp)
    };
    let again =
        |past: &str, count: &str| (format!("{past}, {count}"), format!("NIBP again: limit passed, {count}"));
    chair.bp(182, 84);
    assert_eq!(shown(&chair), again("sys past 180", "1 of 2"), "the second one asks for a pause");
    chair.wait(300);
    chair.bp(184, 84);
    assert_eq!(chair.action("systolic"), Some(Action::Pause));
    assert_eq!(shown(&chair), again("sys past 180", "2 of 3"), "then for a stop");
    chair.wait(300);
    chair.bp(183, 84);
    assert_eq!(shown(&chair), again("sys past 180", "10 of 15 min"), "which waits for time alone");
    chair.wait(300);
    let only = |past: &str| (past.to_owned(), "NIBP".to_owned());
    assert_eq!((chair.action("systolic"), shown(&chair)), (Some(Action::Stop), only("sys past 180")));
    // What asks for a stop at once leaves nothing to count to.
    let mut chair = Chair::infusing();
    chair.bp(204, 84);
    assert_eq!((chair.action("systolic"), shown(&chair)), (Some(Action::Stop), only("sys past 200")));
    // The sign that is nearest speaks for the cuff, and none of them for less than is asked already.
    let mut chair = Chair::infusing();
    for _ in 0..2 {
        chair.bp(162, 84);
        chair.wait(300);
    }
    assert_eq!((chair.action("systolic"), shown(&chair)), (Some(Action::Warn), only("sys past 150")));
    chair.bp(162, 112);
    let (passed, next) = again("dia past 110", "1 of 2");
    assert_eq!(shown(&chair), (format!("sys past 150; {passed}"), next));
    chair.bp(186, 84);
    let (passed, next) = again("sys past 180", "1 of 2");
    assert_eq!(shown(&chair), (format!("sys past 150; {passed}"), next), "150 alarms, not 180");
    chair.wait(300);
    chair.bp(120, 76);
    assert!(chair.monitor.view(time(chair.now_s)).passed.is_empty(), "inside every limit");
}

#[test]
fn g11_twice_above_180_pauses() {
    let mut chair = Chair::infusing();
    chair.bp(182, 104);
    assert_eq!(chair.action("systolic"), None);
    chair.wait(240);
    chair.bp(184, 108);
    assert_eq!(chair.action("systolic"), Some(Action::Pause));
    assert_eq!(chair.priority("systolic"), Some(Priority::High));
    assert_eq!(chair.alarm("systolic").and_then(|a| a.playbook.as_deref()), Some("hypertension"));
}

#[test]
fn g12_once_above_200_stops() {
    let mut chair = Chair::infusing();
    chair.bp(204, 118);
    assert_eq!(chair.action("systolic"), Some(Action::Stop));
}

#[test]
fn above_180_for_15_min_stops() {
    let mut chair = Chair::infusing();
    for systolic in [182, 184, 183] {
        chair.bp(systolic, 100);
        chair.wait(300);
    }
    // Three readings over 15 min, the last tick at 900 s.
    assert_eq!(chair.action("systolic"), Some(Action::Stop));
}

#[test]
fn g13_low_saturation_pauses_and_lower_stops() {
    let mut chair = Chair::infusing();
    chair.stream(Parameter::Spo2, 91, 29);
    assert_eq!(chair.action("spo2"), Some(Action::Warn));
    chair.stream(Parameter::Spo2, 91, 11);
    assert_eq!(chair.action("spo2"), Some(Action::Pause));
    assert_eq!(chair.alarm("spo2").and_then(|a| a.playbook.as_deref()), Some("desaturation"));
    let mut chair = Chair::infusing();
    chair.stream(Parameter::Spo2, 89, 40);
    assert_eq!(chair.action("spo2"), Some(Action::Stop));
    let mut chair = Chair::infusing();
    chair.vital(Parameter::Spo2, 84);
    assert_eq!(chair.action("spo2"), Some(Action::Stop));
}

#[test]
fn g14_sedation_pauses_and_deeper_stops() {
    let mut chair = Chair::infusing();
    chair.feed(Input::Scored { sign: Sign::Moaas, score: 2, observed_at: None });
    assert_eq!(chair.action("moaas"), Some(Action::Pause));
    let out = chair.feed(Input::Scored { sign: Sign::Moaas, score: 1, observed_at: None });
    assert_eq!(chair.action("moaas"), Some(Action::Stop));
    assert!(matches!(out[..], [Output::AlarmWorsened(_)]), "{out:?}");
    let out = chair.feed(Input::Scored { sign: Sign::Moaas, score: 6, observed_at: None });
    assert!(matches!(out[..], [Output::Refused(Refused::ScoreOutOfRange { score: 6, .. })]));
}

#[test]
fn one_wrong_second_of_a_continuous_channel_is_no_alarm() {
    let mut chair = Chair::infusing();
    chair.stream(Parameter::HeartRate, 80, 5);
    chair.stream(Parameter::HeartRate, 125, 10);
    chair.stream(Parameter::HeartRate, 80, 5);
    chair.stream(Parameter::HeartRate, 125, 10);
    assert_eq!(chair.action("heart_rate"), None);
    chair.stream(Parameter::HeartRate, 125, 5);
    assert_eq!(chair.action("heart_rate"), Some(Action::Warn));
}

#[test]
fn silence_neither_resets_a_limit_nor_ends_an_alarm() {
    let mut chair = Chair::infusing();
    chair.vital(Parameter::Spo2, 91);
    chair.wait(30);
    assert_eq!(chair.action("spo2"), Some(Action::Pause));
    chair.feed(Input::Readings {
        source: monitor_device(),
        behind: None,
        readings: vec![Reading {
            parameter: Parameter::Spo2,
            value: None,
            quality: Quality::NoValue,
            observed_at: None,
        }],
    });
    assert_eq!(chair.action("spo2"), Some(Action::Pause), "no value is not normal");
}

/// Hazard 33: a value that the device doubts is neither an alarm nor a relief.
#[test]
fn a_doubted_value_neither_alarms_nor_relieves() {
    let doubted = |value| Input::Readings {
        source: monitor_device(),
        behind: None,
        readings: vec![Reading { quality: Quality::Suspect, ..reading(Parameter::Spo2, value, 0) }],
    };
    let mut chair = Chair::infusing();
    chair.feed(doubted(84));
    assert_eq!(chair.action("spo2"), None);
    chair.vital(Parameter::Spo2, 91);
    chair.wait(20);
    chair.feed(doubted(99));
    chair.wait(10);
    assert_eq!(chair.action("spo2"), Some(Action::Pause));
}

#[test]
fn apnoea_stops_after_20_s_and_distress_pauses_after_5_min() {
    let mut chair = Chair::infusing();
    chair.stream(Parameter::RespiratoryRate, 0, 19);
    assert_eq!(chair.action("respiratory_rate"), Some(Action::Pause));
    chair.stream(Parameter::RespiratoryRate, 0, 1);
    assert_eq!(chair.action("respiratory_rate"), Some(Action::Stop));
    chair.feed(Input::Scored { sign: Sign::Distress, score: 7, observed_at: None });
    assert_eq!(chair.action("distress"), Some(Action::Warn));
    chair.wait(300);
    assert_eq!(chair.action("distress"), Some(Action::Pause));
}

#[test]
fn a_repeated_cuff_value_is_one_reading() {
    let mut chair = Chair::infusing();
    chair.bp(185, 100);
    let again = |second: i64, observed: i64| Input::Readings {
        source: monitor_device(),
        behind: None,
        readings: vec![
            reading(Parameter::Systolic, 185, observed),
            reading(Parameter::Diastolic, 100, observed + second - second),
        ],
    };
    chair.wait(5);
    chair.feed(again(5, 5));
    assert_eq!(chair.action("systolic"), None, "unchanged within a minute");
    chair.wait(200);
    chair.feed(again(205, 0));
    assert_eq!(chair.action("systolic"), None, "the device says that it measured then");
    // Only the systolic changed: that is a new inflation, for the diastolic too.
    chair.bp(186, 100);
    assert_eq!(chair.action("systolic"), Some(Action::Pause));
    assert_eq!(chair.action("diastolic"), Some(Action::Warn));
}

#[test]
fn what_cannot_be_true_is_no_value_and_asks_for_the_cuff_again() {
    let mut chair = Chair::infusing();
    chair.bp(120, 80);
    chair.wait(300);
    chair.bp(80, 120);
    assert_eq!(chair.action("systolic"), None);
    assert_eq!(chair.priority("cuff_suspect"), Some(Priority::Low));
    let view = chair.monitor.view(time(chair.now_s));
    assert_eq!((view.values[0].value.as_deref(), view.values[0].quality), (Some("120"), Quality::Suspect));
    assert_eq!(view.values[0].raw.as_deref(), Some("80"));
    chair.bp(122, 80);
    assert_eq!(chair.priority("cuff_suspect"), None);
}

#[test]
fn a_limit_moves_only_within_its_bounds_and_with_a_reason() {
    let change = |rule: &str, to: i64, reason: &str| LimitChange {
        rule: RuleId::new(rule),
        to: to.into(),
        by: nurse(),
        reason: reason.to_owned(),
    };
    let knowledge = Knowledge::shipped().expect("sound");
    let refused = |change: &LimitChange| permit_limit_change(change, &knowledge).expect_err("refused");
    assert!(matches!(refused(&change("spo2_stop_very_low", 80, "x")), LimitRefused::Fixed(_)));
    assert!(matches!(refused(&change("spo2_warn_low", 80, "x")), LimitRefused::TooFar { .. }));
    assert!(matches!(refused(&change("spo2_warn_low", 92, " ")), LimitRefused::NoReason));
    assert!(matches!(refused(&change("no_rule", 92, "x")), LimitRefused::NoSuchRule(_)));
    let mut chair = Chair::infusing();
    chair.stream(Parameter::Spo2, 93, 20);
    assert_eq!(chair.action("spo2"), Some(Action::Warn));
    let out = chair.feed(Input::ChangeLimit(change("spo2_warn_low", 92, "COPD, 93 is usual")));
    assert!(
        out.iter().any(|o| matches!(o, Output::LimitChanged { from, .. } if *from == 94.into())),
        "{out:?}"
    );
    assert_eq!(chair.action("spo2"), None);
    let limits = chair.monitor.limits();
    let moved = limits.iter().find(|one| one.rule.as_str() == "spo2_warn_low").expect("a limit");
    assert_eq!(moved.threshold, 92.into());
    assert_eq!(
        moved.moved.as_ref().map(|(usual, change, _)| (*usual, change.to)),
        Some((94.into(), 92.into()))
    );
    for one in &limits {
        let [from, to] = one.within;
        assert!(from <= one.threshold && one.threshold <= to, "{one:?}");
        let beyond = LimitChange { to: to + rust_decimal::Decimal::ONE, ..change(one.rule.as_str(), 0, "x") };
        assert!(matches!(chair.monitor.judge_limit(&beyond), Err(LimitRefused::TooFar { .. })), "{one:?}");
    }
    let out = chair.feed(Input::ChangeLimit(change("spo2_warn_low", 80, "x")));
    assert!(matches!(out[..], [Output::Refused(Refused::Limit(LimitRefused::TooFar { .. }))]));
}

/// A small clinic without a device: the nurse's numbers meet the same limits.
#[test]
fn charted_numbers_alarm_like_measured_ones() {
    let mut chair = Chair::infusing();
    let charted = |parameter, value| Input::Readings {
        source: Source::Charted(nurse()),
        behind: None,
        readings: vec![Reading { observed_at: None, ..reading(parameter, value, 0) }],
    };
    chair.feed(charted(Parameter::Spo2, 91));
    assert_eq!(chair.action("spo2"), Some(Action::Pause), "at once, hazard 168");
    assert!(chair.alarm("spo2").is_some_and(|alarm| alarm.message.ends_with("charted by a person")));
    chair.wait(30);
    assert_eq!(chair.action("spo2"), Some(Action::Pause), "nobody said that it is better");
    chair.vital(Parameter::Spo2, 90);
    let told = chair.alarm("spo2").map(|alarm| alarm.message.clone()).unwrap_or_default();
    assert!(
        told.starts_with("SpO₂ 90") && !told.ends_with("charted by a person"),
        "a device said 90: {told}"
    );
    chair.feed(charted(Parameter::RespiratoryRate, 25));
    assert_eq!(chair.action("respiratory_rate"), Some(Action::Warn));
    // A pressure is measured again before it is believed, by hand as by a monitor.
    chair.feed(Input::Readings {
        source: Source::Charted(nurse()),
        behind: None,
        readings: vec![reading(Parameter::Systolic, 165, 0), reading(Parameter::Diastolic, 80, 0)],
    });
    assert_eq!(chair.action("systolic"), None);
    // One that a device alone could not be believed is.
    chair.feed(charted(Parameter::Spo2, 38));
    assert_eq!(chair.action("spo2"), Some(Action::Stop));
}
