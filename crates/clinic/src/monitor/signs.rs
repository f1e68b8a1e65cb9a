//! Vital signs and charted scales: the last values, and which of them pass their limits.

use super::board::{Ask, Key, name};
use super::breach::{Breaches, Next, Weighed};
use super::input::Source;
use super::policy::MonitorPolicy;
use super::seconds;
use crate::device::{Parameter, Quality, Reading};
use crate::gate::Pressure;
use crate::knowledge::limits::{Action, LimitRule, Origin, Sign};
use crate::quantity::{Tenths, plain, round_half_up};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Parameters that one inflation of a cuff gives.
const CUFF: [Parameter; 3] = [Parameter::Systolic, Parameter::Diastolic, Parameter::MeanPressure];

/// Signs of blood pressure.
const PRESSURE: [Sign; 3] = [Sign::Systolic, Sign::Diastolic, Sign::MeanPressure];

/// What is told, judged and struck together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// One measurement; all that the cuff gives stands as systolic.
    Measured(Parameter),
    Scored(Sign),
    Symptom(String),
}

impl Group {
    pub const PRESSURE: Self = Self::Measured(Parameter::Systolic);

    pub fn measured(parameter: Parameter) -> Self {
        if CUFF.contains(&parameter) { Self::PRESSURE } else { Self::Measured(parameter) }
    }

    /// Stable, for the code of an alarm.
    pub fn name(&self) -> String {
        match self {
            Self::Measured(parameter) => parameter.name().to_owned(),
            Self::Scored(sign) => name(sign),
            Self::Symptom(id) => id.clone(),
        }
    }

    pub fn of_sign(sign: Sign) -> Self {
        sign.parameter().map_or(Self::Scored(sign), Self::measured)
    }

    /// `None` for what is no sign of the patient.
    pub fn of_alarm(key: &Key) -> Option<Self> {
        match key {
            Key::Sign(sign) => Some(Self::of_sign(*sign)),
            Key::Symptom(id) => Some(Self::Symptom(id.clone())),
            Key::Technical(..) | Key::Overdue(_) | Key::Device(..) => None,
        }
    }
}

/// The last of one parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Channel {
    /// Last value that may be used, and when it was measured.
    pub good: Option<(Timestamp, Tenths)>,
    /// The one before it.
    pub previous: Option<Tenths>,
    /// When the device says that it measured the last good one.
    pub observed_at: Option<Timestamp>,
    /// Why the newest message gave no usable value; `None` when it gave one.
    pub trouble: Option<Quality>,
    /// What came with it.
    pub raw: Option<Tenths>,
    /// Whether a person charted the last good one.
    pub charted: bool,
    /// When a device measured the last one that may be used. What a person charts meanwhile ends no silence.
    pub sent: Option<Timestamp>,
}

/// All signs of a chair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub channels: BTreeMap<Parameter, Channel>,
    pub scores: BTreeMap<Sign, (Timestamp, i32)>,
    /// Symptoms that are there, since when.
    symptoms: BTreeMap<String, Timestamp>,
    pub baseline: Option<Pressure>,
    /// The last cuff reading could not be true, since then.
    pub cuff_suspect_since: Option<Timestamp>,
    breaches: BTreeMap<Sign, (Breaches, Weighed)>,
}

impl Signs {
    /// Takes readings of one message, doubted before. Returns the parameters that got a new usable value, and when
    /// it was measured.
    pub fn take(
        &mut self,
        at: Timestamp,
        source: &Source,
        readings: &[Reading],
        behind: Option<SignedDuration>,
        policy: &MonitorPolicy,
    ) -> BTreeMap<Parameter, Timestamp> {
        let measured = |reading: &Reading| reading.measured_at(behind, at).unwrap_or(at);
        let mut fresh = BTreeMap::new();
        let same_cuff = self.is_same_cuff(at, source, readings, policy.watch.1.same_cuff_reading_s);
        for reading in readings {
            let is_cuff = CUFF.contains(&reading.parameter);
            let channel = self.channels.entry(reading.parameter).or_default();
            let usable = reading.quality == Quality::Good;
            let Some(value) = reading.value.filter(|_| usable) else {
                let no_value = reading.quality == Quality::NoValue || reading.value.is_none();
                channel.trouble = Some(if no_value { Quality::NoValue } else { Quality::Suspect });
                channel.raw = reading.value;
                continue;
            };
            if (is_cuff && same_cuff) || (!is_cuff && channel.repeats(reading, value, source)) {
                continue;
            }
            // What overtook it on the way is newer.
            if channel.good.is_some_and(|(last, _)| measured(reading) < last) {
                continue;
            }
            channel.previous = channel.good.map(|(_, value)| value);
            channel.good = Some((measured(reading), value));
            channel.observed_at = reading.observed_at;
            (channel.trouble, channel.raw) = (None, None);
            channel.charted = matches!(source, Source::Charted(_));
            channel.sent = if channel.charted { channel.sent } else { Some(measured(reading)) };
            fresh.insert(reading.parameter, measured(reading));
        }
        self.judge_cuff(at, readings, &fresh);
        self.count(at, &fresh, policy);
        fresh
    }

    /// Whether the message only repeats the last inflation: monitors send its numbers until the next one.
    fn is_same_cuff(&self, at: Timestamp, source: &Source, readings: &[Reading], within_s: i64) -> bool {
        readings.iter().filter(|reading| CUFF.contains(&reading.parameter)).all(|reading| {
            let Some(channel) = self.channels.get(&reading.parameter) else { return false };
            let Some(value) = reading.value else { return false };
            let soon = channel.good.is_some_and(|(good_at, _)| seconds(good_at, at) < within_s);
            channel.repeats(reading, value, source) || (soon && channel.is_unchanged(value, source))
        })
    }

    fn judge_cuff(&mut self, at: Timestamp, readings: &[Reading], fresh: &BTreeMap<Parameter, Timestamp>) {
        let pressure = [Parameter::Systolic, Parameter::Diastolic];
        if pressure.iter().all(|parameter| fresh.contains_key(parameter)) {
            self.cuff_suspect_since = None;
        } else if readings.iter().any(|r| pressure.contains(&r.parameter))
            && pressure.iter().any(|p| self.channels.get(p).is_some_and(|channel| channel.trouble.is_some()))
        {
            self.cuff_suspect_since.get_or_insert(at);
        }
    }

    fn count(&mut self, at: Timestamp, fresh: &BTreeMap<Parameter, Timestamp>, policy: &MonitorPolicy) {
        let pair = fresh.contains_key(&Parameter::Systolic) && fresh.contains_key(&Parameter::Diastolic);
        for parameter in fresh.keys() {
            // The mean is computed from the pair wherever there is one; a device's own mean is only shown.
            if *parameter == Parameter::MeanPressure && pair {
                continue;
            }
            let channel = self.channels.get(parameter);
            let seen = channel.and_then(|channel| Some((channel.good?.1.decimal(), channel.charted)));
            if let (Some(sign), Some((value, charted))) = (Sign::of(*parameter), seen) {
                self.weigh(at, sign, value, charted, policy);
            }
        }
        if let Some(pressure) = self.pressure().filter(|_| pair) {
            let charted = self.channels.get(&Parameter::Systolic).is_some_and(|channel| channel.charted);
            self.weigh(at, Sign::MeanPressure, pressure.mean(), charted, policy);
        }
    }

    /// Takes a charted score, unless a newer one is known. The range was checked before.
    pub fn score(
        &mut self,
        at: Timestamp,
        (sign, score): (Sign, i32),
        observed_at: Timestamp,
        policy: &MonitorPolicy,
    ) {
        if self.scores.get(&sign).is_some_and(|(last, _)| observed_at < *last) {
            return;
        }
        self.scores.insert(sign, (observed_at, score));
        self.weigh(at, sign, score.into(), true, policy);
    }

    fn weigh(&mut self, at: Timestamp, sign: Sign, value: Decimal, charted: bool, policy: &MonitorPolicy) {
        let Some((_, limits)) = policy.signs.get(&sign) else { return };
        let seen = Weighed { value, at_once: limits.asks_at_once(charted) };
        let baseline = self.baseline_of(sign);
        let (breaches, last) = self.breaches.entry(sign).or_default();
        breaches.take(at, seen, &limits.rules, baseline);
        *last = seen;
    }

    /// Looks at the last values again after a limit or the baseline changed.
    pub fn reconsider(&mut self, at: Timestamp, policy: &MonitorPolicy) {
        let baselines: Vec<_> = self.breaches.keys().map(|sign| (*sign, self.baseline_of(*sign))).collect();
        for (sign, baseline) in baselines {
            let Some((_, limits)) = policy.signs.get(&sign) else { continue };
            if let Some((breaches, last)) = self.breaches.get_mut(&sign) {
                breaches.reconsider(at, *last, &limits.rules, baseline);
            }
        }
    }

    /// A symptom is there, or not any more.
    pub fn symptom(&mut self, at: Timestamp, id: &str, present: bool) {
        if present {
            self.symptoms.entry(id.to_owned()).or_insert(at);
        } else {
            self.symptoms.remove(id);
        }
    }

    /// One group alone.
    pub fn only(&self, group: &Group) -> Self {
        let mut alone = self.clone();
        alone.retain(|one| one == group);
        alone
    }

    /// Puts one group in the place of what it was before.
    pub fn put(&mut self, group: &Group, anew: Self) {
        self.retain(|one| one != group);
        self.channels.extend(anew.channels);
        self.scores.extend(anew.scores);
        self.symptoms.extend(anew.symptoms);
        self.breaches.extend(anew.breaches);
        self.baseline = self.baseline.or(anew.baseline);
        self.cuff_suspect_since = self.cuff_suspect_since.or(anew.cuff_suspect_since);
    }

    fn retain(&mut self, is_one: impl Fn(&Group) -> bool) {
        self.channels.retain(|parameter, _| is_one(&Group::measured(*parameter)));
        self.scores.retain(|sign, _| is_one(&Group::of_sign(*sign)));
        self.symptoms.retain(|id, _| is_one(&Group::Symptom(id.clone())));
        self.breaches.retain(|sign, _| is_one(&Group::of_sign(*sign)));
        let pressure = is_one(&Group::PRESSURE);
        self.baseline = self.baseline.filter(|_| pressure);
        self.cuff_suspect_since = self.cuff_suspect_since.filter(|_| pressure);
    }

    /// Last usable cuff reading.
    pub fn pressure(&self) -> Option<Pressure> {
        let value =
            |parameter| self.channels.get(&parameter).and_then(|c| c.good).map(|(_, value)| value.decimal());
        Some(Pressure { systolic: value(Parameter::Systolic)?, diastolic: value(Parameter::Diastolic)? })
    }

    pub fn baseline_of(&self, sign: Sign) -> Option<Decimal> {
        let baseline = self.baseline?;
        match sign {
            Sign::Systolic => Some(baseline.systolic),
            Sign::Diastolic => Some(baseline.diastolic),
            Sign::MeanPressure => Some(baseline.mean()),
            _ => None,
        }
    }

    /// Signs whose last value passes a limit: `past 110`. What one inflation of the cuff gives is one reading, stands as
    /// systolic and waits for people, so it counts: `sys past 150, 1 of 2`.
    pub fn passed(&self, at: Timestamp, policy: &MonitorPolicy) -> BTreeMap<Sign, String> {
        let passing = self.breaches.iter().filter(|(_, (breaches, _))| breaches.any()).map(|(sign, _)| *sign);
        let shown = passing.map(|sign| if PRESSURE.contains(&sign) { Sign::Systolic } else { sign });
        let words = |sign| Some((sign, self.past(at, sign, policy)?));
        shown.collect::<BTreeSet<_>>().into_iter().filter_map(words).collect()
    }

    /// The gravest limit that asks now, as its alarm names it; for the cuff also the one that asks next, with its count.
    fn past(&self, at: Timestamp, sign: Sign, policy: &MonitorPolicy) -> Option<String> {
        let words = |(sign, rule): (Sign, &LimitRule)| {
            let which = match sign {
                Sign::Systolic => "sys ",
                Sign::Diastolic => "dia ",
                Sign::MeanPressure => "mean ",
                _ => "",
            };
            let limit = plain(round_half_up(rule.value_at(self.baseline_of(sign))?, 1));
            Some(format!("{which}past {limit}"))
        };
        let now = self.worst(at, sign, policy).and_then(words);
        let next = self.next(at, sign, policy).and_then(|(sign, next)| {
            let count = PRESSURE.contains(&sign).then(|| format!(", {}", counted(at, next)));
            Some((words((sign, next.rule))?, count))
        });
        match (now, next) {
            (Some(now), Some((next, Some(count)))) if now != next => Some(format!("{now}; {next}{count}")),
            (Some(now), Some((_, count))) => Some(now + &count.unwrap_or_default()),
            (now, next) => now.or_else(|| next.map(|(next, count)| next + &count.unwrap_or_default())),
        }
    }

    /// The limits of a group at which the infusion is paused or stopped and which its last value passes, once or more often.
    pub fn grave(&self, group: &Group, policy: &MonitorPolicy) -> BTreeSet<String> {
        let of_group = self.breaches.iter().filter(|(sign, _)| Group::of_sign(**sign) == *group);
        let passed = of_group.filter_map(|(sign, (breaches, _))| {
            let rules = &policy.signs.get(sign)?.1.rules;
            let grave = rules.iter().filter(|rule| rule.action >= Action::Pause);
            Some(grave.filter(|rule| breaches.run(&rule.id).is_some()).map(|rule| rule.id.clone()))
        });
        passed.flatten().collect()
    }

    /// The last value of a group, as people say it.
    pub fn in_words(&self, group: &Group) -> String {
        let last = |parameter: &Parameter| {
            let (_, value) = self.channels.get(parameter)?.good?;
            Some(format!("{} {value}", parameter.label()))
        };
        match group {
            Group::Measured(Parameter::Systolic) => {
                self.pressure().map_or_else(String::new, |pressure| format!("NIBP {pressure}"))
            }
            Group::Measured(parameter) => last(parameter).unwrap_or_default(),
            Group::Scored(sign) => self
                .scores
                .get(sign)
                .map_or_else(String::new, |(_, score)| format!("{} {score}", sign.label())),
            Group::Symptom(id) => id.clone(),
        }
    }

    /// How near the next limit of a sign is, for the cuff the nearest of what it measures: `1 of 2`.
    pub fn waiting(&self, at: Timestamp, sign: Sign, policy: &MonitorPolicy) -> Option<String> {
        self.next(at, sign, policy).map(|(_, next)| counted(at, next))
    }

    /// What asks for more than is asked now, and the soonest.
    fn next<'p>(&self, at: Timestamp, sign: Sign, policy: &'p MonitorPolicy) -> Option<(Sign, Next<'p>)> {
        let asked = self.worst(at, sign, policy).map(|(_, rule)| rule.action);
        let next =
            |(sign, breaches, rules): (_, &Breaches, _)| Some((sign, breaches.next(at, rules, asked)?));
        self.together(sign, policy).filter_map(next).min_by_key(|(_, next)| next.left(at))
    }

    /// The gravest that asks for a person now.
    fn worst<'p>(
        &self,
        at: Timestamp,
        sign: Sign,
        policy: &'p MonitorPolicy,
    ) -> Option<(Sign, &'p LimitRule)> {
        let worst = |(sign, breaches, rules): (_, &Breaches, _)| Some((sign, breaches.worst(at, rules)?));
        self.together(sign, policy).filter_map(worst).min_by_key(|(_, rule)| Reverse(rule.action))
    }

    /// The signs that one measurement gives, each with how it passes its rules.
    fn together<'s, 'p>(
        &'s self,
        sign: Sign,
        policy: &'p MonitorPolicy,
    ) -> impl Iterator<Item = (Sign, &'s Breaches, &'p [LimitRule])> {
        let pressure = PRESSURE.contains(&sign);
        let of_it = move |one: &Sign| *one == sign || (pressure && PRESSURE.contains(one));
        self.breaches.iter().filter(move |(one, _)| of_it(one)).filter_map(|(one, (breaches, _))| {
            Some((*one, breaches, policy.signs.get(one)?.1.rules.as_slice()))
        })
    }

    /// Whether the last blood pressure is outside the green band of the day.
    pub fn is_outside_green(&self, policy: &MonitorPolicy) -> bool {
        let green = &policy.green;
        let pressure = self.pressure();
        pressure.is_some_and(|p| !green.systolic.hold(p.systolic) || !green.diastolic.hold(p.diastolic))
    }

    /// Whether the last blood pressure passes a limit, once or more often.
    pub fn pressure_passes(&self) -> bool {
        PRESSURE.iter().filter_map(|sign| self.breaches.get(sign)).any(|(breaches, _)| breaches.any())
    }

    pub fn asks(&self, at: Timestamp, policy: &MonitorPolicy, wanted: &mut BTreeMap<Key, Ask>) {
        let symptom = |(id, since): (&String, &Timestamp)| {
            Some((Key::Symptom(id.clone()), policy.symptom(id, *since)?))
        };
        wanted.extend(self.symptoms.iter().filter_map(symptom));
        for (sign, (breaches, last)) in &self.breaches {
            let Some((set, limits)) = policy.signs.get(sign) else { continue };
            let Some(rule) = breaches.worst(at, &limits.rules) else { continue };
            let Some(run) = breaches.run(&rule.id) else { continue };
            let value = plain(round_half_up(last.value, 1));
            let limit = limit_text(rule, self.baseline_of(*sign));
            let counted = match (rule.lasting_s, rule.readings) {
                _ if last.at_once => "charted by a person".to_owned(),
                _ if run.at_once => "after a person charted one beyond it".to_owned(),
                (0, readings) => format!("{} of {readings} readings", run.readings.min(readings)),
                (lasting, _) => format!("for {lasting} s or longer"),
            };
            let ask = Ask {
                rule: set.id.clone(),
                version: set.version,
                priority: rule.action.priority(),
                action: rule.action,
                message: format!("{} {value}, limit {limit}, {counted}", sign.label()),
                sign: Some(*sign),
                value: Some(value),
                limit: Some(limit),
                playbook: rule.playbook.clone(),
                since: run.since,
                limits_passed: breaches.passed_with(rule, &limits.rules),
            };
            wanted.insert(Key::Sign(*sign), ask);
        }
    }
}

/// The readings of one message or one form, with those marked that cannot be true: what came together is judged together.
pub(super) fn doubted(source: &Source, mut readings: Vec<Reading>, policy: &MonitorPolicy) -> Vec<Reading> {
    let suspect = match source {
        Source::Device(_) => policy.plausibility.suspect(&readings),
        Source::Charted(_) => policy.plausibility.suspect_by_eye(&readings),
    };
    for reading in &mut readings {
        if reading.quality == Quality::Good && suspect.contains(&reading.parameter) {
            reading.quality = Quality::Suspect;
        }
    }
    readings
}

impl Channel {
    /// Whether this is the last reading sent once more, which proves nothing about now. A changed value never is.
    fn repeats(&self, reading: &Reading, value: Tenths, source: &Source) -> bool {
        let sent_again = reading.observed_at.is_some() && reading.observed_at == self.observed_at;
        sent_again && self.is_unchanged(value, source)
    }

    fn is_unchanged(&self, value: Tenths, source: &Source) -> bool {
        let same = self.good.is_some_and(|(_, last)| last == value);
        same && self.trouble.is_none() && matches!(source, Source::Device(_))
    }
}

/// `1 of 2` readings; where only time is missing, `10 of 15 min`.
fn counted(at: Timestamp, Next { rule, run }: Next<'_>) -> String {
    if run.readings < rule.readings {
        return format!("{} of {}", run.readings, rule.readings);
    }
    match (seconds(run.since, at), rule.lasting_s) {
        (lasted_s, all_s) if all_s % 60 == 0 => format!("{} of {} min", lasted_s / 60, all_s / 60),
        (lasted_s, all_s) => format!("{lasted_s} of {all_s} s"),
    }
}

/// A limit as a person reads it: `150 (30 above 120)`.
fn limit_text(rule: &LimitRule, baseline: Option<Decimal>) -> String {
    let Some(limit) = rule.value_at(baseline) else { return String::new() };
    let limit = plain(round_half_up(limit, 1));
    match (rule.from, rule.threshold(), baseline) {
        (Origin::Baseline, Some((threshold, _)), Some(baseline)) => {
            format!("{limit} ({} from {} before)", plain(threshold), plain(baseline))
        }
        (Origin::BaselinePercent, Some((threshold, _)), Some(baseline)) => {
            format!("{limit} ({} % from {} before)", plain(threshold), plain(round_half_up(baseline, 1)))
        }
        _ => limit,
    }
}
