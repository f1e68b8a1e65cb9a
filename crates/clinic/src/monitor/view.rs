//! What a screen shows of a monitor at one moment: finished values, nothing to compute.

use super::input::{Alarm, LimitChange};
use super::{Monitor, Now, Observed, Phase, Priority, Sign, seconds};
use crate::device::{Parameter, PumpStatus, Quality};
use crate::id::RuleId;
use crate::knowledge::limits::{Action, LimitRule, Origin};
use crate::quantity::{Tenths, plain, round_half_up};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One chair at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonitorView {
    /// The moment.
    pub at: Timestamp,
    /// Phase of the watch.
    pub phase: Phase,
    /// Name of the limit set and whether the clinic signed it.
    pub limit_set: String,
    /// Blood pressure before the infusion; `None` means that changes from it are not watched.
    pub baseline: Option<String>,
    /// Every parameter that was ever seen or is expected.
    pub values: Vec<ValueView>,
    /// Charted scales.
    pub scores: Vec<ScoreView>,
    /// Signs whose last value passes a limit, in words; what one inflation of the cuff gives stands together as systolic.
    pub passed: BTreeMap<Sign, String>,
    /// The pump, once read.
    pub pump: Option<PumpView>,
    /// Highest priority first, what holds before what is over, then newest.
    pub alarms: Vec<AlarmView>,
    /// Medium alarms and answered high ones that ended, newest first; at most eight.
    pub ended: Vec<Alarm>,
    /// Most urgent first.
    pub due: Vec<DueView>,
}

/// One vital sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueView {
    /// Which.
    pub parameter: Parameter,
    /// Short name.
    pub label: &'static str,
    /// UCUM unit.
    pub unit: &'static str,
    /// Last usable value. Its age says whether it may stand there as current.
    pub value: Option<String>,
    /// The one before it.
    pub previous: Option<String>,
    /// Seconds since it came.
    pub age_s: Option<i64>,
    /// Whether the newest message gave a usable value, and if not why.
    pub quality: Quality,
    /// What the device sent in place of it.
    pub raw: Option<String>,
    /// A person charted it.
    pub charted: bool,
    /// A device should send it.
    pub expected: bool,
    /// Warns below or at it.
    pub low: Option<String>,
    /// Warns at or above it.
    pub high: Option<String>,
    /// Priority of its alarm.
    pub alarm: Option<Priority>,
}

/// One charted scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreView {
    /// Which.
    pub sign: Sign,
    /// Short name.
    pub label: &'static str,
    /// Last score.
    pub score: i32,
    /// Seconds since it was charted.
    pub age_s: i64,
    /// Priority of its alarm.
    pub alarm: Option<Priority>,
}

/// The pump as last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PumpView {
    /// Whether it says that it infuses.
    pub status: PumpStatus,
    /// Flow.
    pub rate: Option<String>,
    /// Volume delivered by its counter.
    pub delivered: Option<String>,
    /// Volume left.
    pub left: Option<String>,
    /// Seconds since it was read.
    pub age_s: i64,
    /// `false` while its silence is an alarm: nobody knows what it does.
    pub certain: bool,
    /// What of the order the pump has said itself: `rate`, `strength`, `weight`, `drug`.
    pub confirmed: Vec<&'static str>,
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmView {
    /// The alarm.
    #[serde(flatten)]
    pub alarm: Alarm,
    /// Its condition is over, only the answer is missing.
    pub latched: bool,
    /// It sounds now.
    pub sounds: bool,
    /// Seconds since its condition began.
    pub age_s: i64,
}

/// One observation that is due or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueView {
    /// What.
    pub what: Observed,
    /// For a person.
    pub title: String,
    /// Seconds until it is due, negative when it should have been.
    pub in_s: i64,
}

/// One limit that a person may move for this patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitView {
    /// The rule.
    pub rule: RuleId,
    /// What it watches.
    pub sign: Sign,
    /// UCUM unit of the numbers; `%` for a part of the baseline.
    pub unit: String,
    /// When it alarms, up to the number: `warns at or above`.
    pub when: String,
    /// Where it stands.
    pub threshold: Decimal,
    /// Lowest and highest that the knowledge allows.
    pub within: [Decimal; 2],
    /// Where the knowledge has it, who moved it and when; `None` while nobody has.
    pub moved: Option<(Decimal, LimitChange, Timestamp)>,
}

impl MonitorView {
    /// Of a chair that nothing watches.
    pub fn empty(at: Timestamp) -> Self {
        Self {
            at,
            phase: Phase::Closed,
            limit_set: String::new(),
            baseline: None,
            values: Vec::new(),
            scores: Vec::new(),
            passed: BTreeMap::new(),
            pump: None,
            alarms: Vec::new(),
            ended: Vec::new(),
            due: Vec::new(),
        }
    }
}

impl Monitor {
    /// What to show at `at`. Feed a tick first, so that silence has been judged.
    pub fn view(&self, at: Timestamp) -> MonitorView {
        let mut alarms: Vec<AlarmView> = self
            .board
            .alarms()
            .map(|alarm| AlarmView {
                latched: alarm.is_latched(),
                sounds: alarm.sounds(at),
                age_s: seconds(alarm.since, at),
                alarm: alarm.clone(),
            })
            .collect();
        // What holds stands before what is over, the gravest first, then the newest.
        alarms.sort_by(|a, b| {
            let rank = |one: &AlarmView| (one.alarm.priority, !one.latched, one.alarm.raised_at);
            rank(b).cmp(&rank(a)).then_with(|| b.alarm.id.cmp(&a.alarm.id))
        });
        MonitorView {
            at,
            phase: self.phase,
            limit_set: self.policy.limit_set.clone(),
            baseline: self.signs.baseline.map(|pressure| pressure.to_string()),
            values: Parameter::ALL
                .into_iter()
                .filter_map(|parameter| self.value_view(parameter, at))
                .collect(),
            scores: self.score_views(at),
            passed: self.signs.passed(at, &self.policy),
            pump: self.pump_view(at),
            alarms,
            ended: self.board.recent().cloned().collect(),
            due: self.due_views(at),
        }
    }

    /// Every limit that a person may move, as it stands now.
    pub fn limits(&self) -> Vec<LimitView> {
        let mut seen = BTreeSet::new();
        let rules = self.policy.signs.iter().flat_map(|(sign, (_, limits))| {
            limits.rules.iter().map(move |rule| (*sign, limits.unit.as_str(), rule))
        });
        // One file may watch two signs with the same rules: the first names them.
        rules
            .filter(|(_, _, rule)| seen.insert(rule.id.as_str()))
            .filter_map(|of| self.limit_view(of))
            .collect()
    }

    fn limit_view(&self, (sign, unit, rule): (Sign, &str, &LimitRule)) -> Option<LimitView> {
        let (within, (threshold, upper)) = rule.adjustable.zip(rule.threshold())?;
        let asks = match rule.action {
            Action::Look | Action::Warn => "warns",
            Action::Pause => "asks for a pause",
            Action::Stop => "asks for a stop",
        };
        let at_it = rule.at_least.is_some() || rule.at_most.is_some();
        let side = match (rule.from, upper, at_it) {
            (Origin::Zero, true, true) => "at or above",
            (Origin::Zero, true, false) => "above",
            (Origin::Zero, false, true) => "at or below",
            (Origin::Zero, false, false) => "below",
            (_, true, _) => "at a rise from before the infusion of",
            (_, false, _) => "at a fall from before the infusion of",
        };
        let rule_id = RuleId::new(&rule.id);
        Some(LimitView {
            sign,
            unit: if rule.from == Origin::BaselinePercent { "%".to_owned() } else { unit.to_owned() },
            when: format!("{asks} {side}"),
            threshold,
            within,
            moved: self.policy.moved.get(&rule_id).cloned(),
            rule: rule_id,
        })
    }

    fn value_view(&self, parameter: Parameter, at: Timestamp) -> Option<ValueView> {
        let expected = self.expected.channels.contains(&parameter);
        let seen = self.signs.channels.get(&parameter);
        if seen.is_none() && !expected {
            return None;
        }
        let channel = seen.cloned().unwrap_or_default();
        let sign = Sign::of(parameter);
        let shown = |value: Tenths| value.to_string();
        let never = channel.good.is_none().then_some(Quality::NoValue);
        let bound =
            |upper: bool| sign.and_then(|sign| self.warn_at(sign, upper)).map(|v| plain(round_half_up(v, 1)));
        Some(ValueView {
            parameter,
            label: parameter.label(),
            unit: parameter.unit(),
            value: channel.good.map(|(_, value)| shown(value)),
            previous: channel.previous.map(shown),
            age_s: channel.good.map(|(good_at, _)| seconds(good_at, at)),
            quality: channel.trouble.or(never).unwrap_or(Quality::Good),
            raw: channel.raw.map(shown),
            charted: channel.charted,
            expected,
            low: bound(false),
            high: bound(true),
            alarm: sign.and_then(|sign| self.board.on_sign(sign)).map(|alarm| alarm.priority),
        })
    }

    /// The nearest value at which a limit of the sign is passed, for this patient.
    fn warn_at(&self, sign: Sign, upper: bool) -> Option<Decimal> {
        let (_, limits) = self.policy.signs.get(&sign)?;
        let baseline = self.signs.baseline_of(sign);
        let on_side = |rule: &&LimitRule| rule.threshold().is_some_and(|(_, above)| above == upper);
        let values = limits.rules.iter().filter(on_side).filter_map(|rule| match (rule.from, baseline) {
            (Origin::Baseline | Origin::BaselinePercent, None) => None,
            _ => rule.value_at(baseline),
        });
        if upper { values.min() } else { values.max() }
    }

    fn score_views(&self, at: Timestamp) -> Vec<ScoreView> {
        let view = |(sign, (charted_at, score)): (&Sign, &(Timestamp, i32))| ScoreView {
            sign: *sign,
            label: sign.label(),
            score: *score,
            age_s: seconds(*charted_at, at),
            alarm: self.board.on_sign(*sign).map(|alarm| alarm.priority),
        };
        self.signs.scores.iter().map(view).collect()
    }

    fn pump_view(&self, at: Timestamp) -> Option<PumpView> {
        let (read_at, pump) = self.pump.read.as_ref()?;
        let said = [
            ("rate", pump.rate.or(pump.programmed_rate).is_some()),
            ("strength", pump.concentration.is_some()),
            ("weight", pump.weight.is_some()),
            ("drug", pump.drug.as_ref().is_some_and(|drug| !drug.trim().is_empty())),
        ];
        let differs = self.pump.conflicts(self.phase, self.policy.watch.1.program_tolerance_percent);
        Some(PumpView {
            status: pump.status,
            rate: pump.rate.or(pump.programmed_rate).map(|rate| rate.to_string()),
            delivered: pump.delivered.map(|volume| volume.to_string()),
            left: pump.vtbi_remaining.map(|volume| volume.to_string()),
            age_s: seconds(*read_at, at),
            certain: !self.board.alarms().any(|alarm| alarm.code == "pump_silent" && !alarm.is_latched()),
            confirmed: said
                .into_iter()
                .filter(|(what, said)| *said && !differs.contains_key(what))
                .map(|(what, _)| what)
                .collect(),
        })
    }

    fn due_views(&self, at: Timestamp) -> Vec<DueView> {
        let now = Now { at, phase: self.phase, fast: self.is_fast(), channels: &self.expected.channels };
        let rows = self.policy.schedule.1.iter();
        let mut due: Vec<DueView> = rows
            .filter_map(|row| {
                let due_at = self.due.due_at(row, now)?;
                let waits = (row.what == Observed::Nibp)
                    .then(|| self.signs.waiting(at, Sign::Systolic, &self.policy));
                // Nobody needs to wait for the time: what was passed once is measured again now.
                let title = waits.flatten().map_or_else(
                    || row.title.clone(),
                    |count| format!("{} again: limit passed, {count}", row.title),
                );
                Some(DueView { what: row.what, title, in_s: seconds(at, due_at) })
            })
            .collect();
        due.sort_by_key(|view| (view.in_s, view.what));
        due
    }
}
