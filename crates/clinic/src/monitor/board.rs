//! The life of alarms: raised, worse, milder, latched, answered, gone; escalated by the clock, quiet for a while.

use super::input::{Acknowledgement, Alarm, Output, Refused};
use super::seconds;
use crate::id::{AlarmId, DeviceId, RuleId, SessionId, StaffId};
use crate::knowledge::limits::{Action, Condition, Priority, Reach, Rung, Sign, Watch};
use crate::knowledge::observations::Observed;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};

/// Ended medium alarms that stay as a status message.
const RECENT_MAX: usize = 8;

/// What an alarm is about. At most one alarm a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Sign(Sign),
    Symptom(String),
    Technical(Condition, String),
    Overdue(Observed),
    Device(DeviceId, String),
}

impl Key {
    /// What an alarm from the log is about, read back from its code.
    pub fn of(alarm: &Alarm) -> Option<Self> {
        let (kind, detail) = alarm.code.split_once('/').unwrap_or((&alarm.code, ""));
        match kind {
            "symptom" => Some(Self::Symptom(detail.to_owned())),
            "overdue" => named(detail).map(Self::Overdue),
            "device" => {
                let (device, refid) = detail.split_once('/')?;
                Some(Self::Device(DeviceId::new(device), refid.to_owned()))
            }
            kind => {
                let technical = |condition| Self::Technical(condition, detail.to_owned());
                alarm.sign.map(Self::Sign).or_else(|| named(kind).map(technical))
            }
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Sign(sign) => name(sign),
            Self::Symptom(id) => format!("symptom/{id}"),
            Self::Technical(condition, detail) if detail.is_empty() => name(condition),
            Self::Technical(condition, detail) => format!("{}/{detail}", name(condition)),
            Self::Overdue(observed) => format!("overdue/{}", name(observed)),
            Self::Device(device, refid) => format!("device/{device}/{refid}"),
        }
    }
}

/// A closed enum's name as it stands in the log.
pub(super) fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The same, read back.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// A condition that holds now and asks for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub rule: RuleId,
    pub version: u32,
    pub priority: Priority,
    pub action: Action,
    pub message: String,
    pub sign: Option<Sign>,
    pub value: Option<String>,
    pub limit: Option<String>,
    pub playbook: Option<String>,
    pub since: Timestamp,
    pub limits_passed: usize,
}

impl Ask {
    /// What makes one condition graver than another.
    pub const fn gravity(&self) -> (Priority, Action, usize) {
        (self.priority, self.action, self.limits_passed)
    }
}

/// All alarms of a chair.
#[derive(Debug, Clone)]
pub(super) struct Board {
    session: SessionId,
    raised: u64,
    alarms: BTreeMap<Key, Alarm>,
    recent: VecDeque<(Key, Alarm)>,
}

impl Board {
    pub fn new(session: SessionId, raised: u64) -> Self {
        Self { session, raised, alarms: BTreeMap::new(), recent: VecDeque::new() }
    }

    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }

    pub fn on_sign(&self, sign: Sign) -> Option<&Alarm> {
        self.alarms.get(&Key::Sign(sign))
    }

    pub fn recent(&self) -> impl Iterator<Item = &Alarm> {
        self.recent.iter().map(|(_, alarm)| alarm)
    }

    /// Makes the board say what holds now: what is not in `wanted` is over.
    pub fn reconcile(&mut self, at: Timestamp, mut wanted: BTreeMap<Key, Ask>, out: &mut Vec<Output>) {
        let over: Vec<Key> = self.alarms.keys().filter(|key| !wanted.contains_key(key)).cloned().collect();
        for key in over {
            self.end(&key, at, out);
        }
        while let Some((key, ask)) = wanted.pop_first() {
            match self.alarms.get_mut(&key) {
                Some(alarm) => renew(alarm, ask, at, out),
                None => self.raise(key, ask, at, out),
            }
        }
    }

    /// An alarm from before a restart stands as it stood, and sounds.
    pub fn stand_again(&mut self, alarm: &Alarm) {
        let Some(key) = Key::of(alarm) else { return };
        self.alarms.insert(key, Alarm { quiet_until: None, ..alarm.clone() });
    }

    /// These alarms alone.
    pub fn only(&self, is_one: impl Fn(&Key) -> bool) -> Self {
        let mut alone = self.clone();
        alone.alarms.retain(|key, _| is_one(key));
        alone.recent.clear();
        alone
    }

    /// Takes back what a struck entry made of these alarms: each stands as it would, had the entry never been.
    /// `entered_at`: when the watch heard of it.
    pub fn withdraw(
        &mut self,
        at: Timestamp,
        is_one: impl Fn(&Key) -> bool,
        (entered_at, mut without): (Timestamp, Self),
        out: &mut Vec<Output>,
    ) {
        let keys: Vec<Key> = self.alarms.keys().filter(|key| is_one(key)).cloned().collect();
        for key in keys {
            let one = without.alarms.get(&key);
            let stands = one.is_some();
            // What was answered was the slip, not what stands without it.
            let kept = one.filter(|one| {
                one.acknowledged.is_some()
                    || self.alarms.get(&key).is_some_and(|alarm| alarm.acknowledged.is_none())
            });
            match kept.cloned() {
                Some(one) => {
                    without.alarms.remove(&key);
                    self.stand_as(&key, one, at, out);
                }
                None => {
                    let gone = if stands { Output::AlarmCleared } else { Output::AlarmWithdrawn };
                    out.extend(self.alarms.remove(&key).map(|alarm| gone(alarm.id)));
                }
            }
        }
        for (key, one) in without.alarms {
            let is_over = one.ended_at.is_some();
            self.raise(key.clone(), asked(one), at, out);
            if is_over {
                self.end(&key, at, out);
            }
        }
        self.recent.retain(|(key, alarm)| alarm.raised_at != entered_at || !is_one(key));
    }

    /// Makes an alarm what it would be. What would hold still goes on with all that holds.
    fn stand_as(&mut self, key: &Key, one: Alarm, at: Timestamp, out: &mut Vec<Output>) {
        let Some(alarm) = self.alarms.get_mut(key) else { return };
        let graver = one.gravity() > alarm.gravity();
        let (ended, same_run) = (one.ended_at.is_some(), alarm.since == one.since);
        alarm.raised_at = if same_run { alarm.raised_at } else { one.raised_at };
        alarm.acknowledged.clone_from(&one.acknowledged);
        if graver {
            (alarm.quiet_until, alarm.reach) = (None, Reach::Chair);
        }
        let says = |alarm: &Alarm| (alarm.gravity(), alarm.message.clone());
        let before = says(alarm);
        adopt(alarm, asked(one));
        if says(alarm) != before {
            let alarm = alarm.clone();
            out.push(if graver { Output::AlarmWorsened(alarm) } else { Output::AlarmEased(alarm) });
        }
        if ended && alarm.ended_at.is_none() {
            alarm.ended_at = Some(at);
            out.push(Output::AlarmLatched(alarm.id.clone()));
        }
    }

    /// Raises a condition that is over at once and only waits for an answer.
    pub fn latch(&mut self, key: Key, ask: Ask, at: Timestamp, out: &mut Vec<Output>) {
        match self.alarms.get_mut(&key) {
            Some(alarm) => renew(alarm, ask, at, out),
            None => self.raise(key.clone(), ask, at, out),
        }
        self.end(&key, at, out);
    }

    fn raise(&mut self, key: Key, ask: Ask, at: Timestamp, out: &mut Vec<Output>) {
        self.raised += 1;
        let alarm = Alarm {
            id: AlarmId::new(format!("{}/a{}", self.session, self.raised)),
            code: key.code(),
            rule: ask.rule,
            version: ask.version,
            priority: ask.priority,
            action: ask.action,
            message: ask.message,
            sign: ask.sign,
            value: ask.value,
            limit: ask.limit,
            playbook: ask.playbook,
            since: ask.since,
            limits_passed: ask.limits_passed,
            raised_at: at,
            ended_at: None,
            acknowledged: None,
            reach: Reach::Chair,
            quiet_until: None,
        };
        out.push(Output::AlarmRaised(alarm.clone()));
        self.alarms.insert(key, alarm);
    }

    fn end(&mut self, key: &Key, at: Timestamp, out: &mut Vec<Output>) {
        let Some(alarm) = self.alarms.get_mut(key) else { return };
        if alarm.priority == Priority::High && alarm.acknowledged.is_none() {
            if alarm.ended_at.is_none() {
                alarm.ended_at = Some(at);
                out.push(Output::AlarmLatched(alarm.id.clone()));
            }
            return;
        }
        alarm.ended_at = Some(at);
        self.remove(key, out);
    }

    fn remove(&mut self, key: &Key, out: &mut Vec<Output>) {
        let Some(alarm) = self.alarms.remove(key) else { return };
        out.push(Output::AlarmCleared(alarm.id.clone()));
        if alarm.priority >= Priority::Medium {
            self.recent.push_front((key.clone(), alarm));
            self.recent.truncate(RECENT_MAX);
        }
    }

    /// A named person answers one alarm. There is no way to answer all at once. Returns what was answered, and how.
    pub fn acknowledge(
        &mut self,
        id: &AlarmId,
        by: StaffId,
        reason: String,
        at: Timestamp,
        out: &mut Vec<Output>,
    ) -> Option<(Key, Acknowledgement)> {
        let Some((key, alarm)) = self.find(id) else {
            out.push(Output::Refused(Refused::NoSuchAlarm(id.clone())));
            return None;
        };
        if let Some(answer) = &alarm.acknowledged {
            out.push(Output::Refused(Refused::AlreadyAcknowledged { by: answer.by.clone() }));
            return None;
        }
        let answer = Acknowledgement { by: by.clone(), at, reason: reason.clone() };
        out.push(Output::AlarmAcknowledged { alarm: id.clone(), by, reason });
        self.answer(&key, answer.clone(), out);
        Some((key, answer))
    }

    /// Takes an answer to what stands and was not answered yet.
    pub fn answer(&mut self, key: &Key, answer: Acknowledgement, out: &mut Vec<Output>) {
        let Some(alarm) = self.alarms.get_mut(key) else { return };
        alarm.quiet_until = None;
        alarm.acknowledged.get_or_insert(answer);
        if alarm.is_latched() {
            self.remove(key, out);
        }
    }

    /// A named person quiets one alarm; others go on sounding.
    pub fn pause_sound(
        &mut self,
        id: &AlarmId,
        by: StaffId,
        for_s: i64,
        at: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Some((_, alarm)) = self.find(id) else {
            return out.push(Output::Refused(Refused::NoSuchAlarm(id.clone())));
        };
        let until = at.checked_add(SignedDuration::from_secs(for_s)).unwrap_or(at);
        alarm.quiet_until = Some(until);
        out.push(Output::SoundPaused { alarm: id.clone(), by, until });
    }

    /// What the clock alone brings: sound comes back, unanswered high alarms and missed observations reach further.
    pub fn pass_time(&mut self, at: Timestamp, watch: &Watch, out: &mut Vec<Output>) {
        for (key, alarm) in &mut self.alarms {
            if alarm.quiet_until.is_some_and(|until| until <= at) {
                alarm.quiet_until = None;
                out.push(Output::SoundResumed(alarm.id.clone()));
            }
            if alarm.acknowledged.is_some() {
                continue;
            }
            let unanswered = seconds(alarm.raised_at, at);
            let climbs = |rung: &&Rung| alarm.priority == Priority::High && unanswered >= rung.after_s;
            let climbed = watch.escalations.iter().filter(climbs).map(|rung| rung.to).max();
            let missed = matches!(key, Key::Overdue(_)) && alarm.priority >= Priority::Medium;
            let to = climbed.max(missed.then_some(watch.overdue_medium_to));
            if let Some(to) = to.filter(|to| *to > alarm.reach) {
                alarm.reach = to;
                out.push(Output::AlarmEscalated { alarm: alarm.id.clone(), to });
            }
        }
    }

    fn find(&mut self, id: &AlarmId) -> Option<(Key, &mut Alarm)> {
        self.alarms.iter_mut().find(|(_, alarm)| alarm.id == *id).map(|(key, alarm)| (key.clone(), alarm))
    }
}

/// Brings an alarm up to date with a condition that still holds, or holds again.
fn renew(alarm: &mut Alarm, ask: Ask, at: Timestamp, out: &mut Vec<Output>) {
    let before = alarm.gravity();
    let now = ask.gravity();
    let returned = alarm.ended_at.take().is_some();
    if now < before && alarm.priority == Priority::High && alarm.acknowledged.is_none() {
        // Nobody has seen the graver state yet: it stays as it was.
        if returned {
            out.push(Output::AlarmReturned(alarm.clone()));
        }
        return;
    }
    let changed = now != before;
    adopt(alarm, ask);
    if now > before {
        alarm.acknowledged = None;
        alarm.quiet_until = None;
        alarm.reach = Reach::Chair;
        alarm.raised_at = at;
        out.push(Output::AlarmWorsened(alarm.clone()));
    } else if returned {
        out.push(Output::AlarmReturned(alarm.clone()));
    } else if changed {
        out.push(Output::AlarmEased(alarm.clone()));
    }
}

/// What an alarm tells.
fn asked(alarm: Alarm) -> Ask {
    let Alarm { rule, version, priority, action, message, sign, value, limit, playbook, since, .. } = alarm;
    let limits_passed = alarm.limits_passed;
    Ask { rule, version, priority, action, message, sign, value, limit, playbook, since, limits_passed }
}

fn adopt(alarm: &mut Alarm, ask: Ask) {
    alarm.rule = ask.rule;
    alarm.version = ask.version;
    alarm.priority = ask.priority;
    alarm.action = ask.action;
    alarm.message = ask.message;
    alarm.sign = ask.sign;
    alarm.value = ask.value;
    alarm.limit = ask.limit;
    alarm.playbook = ask.playbook;
    alarm.since = ask.since;
    alarm.limits_passed = ask.limits_passed;
}
