//! The life of alarms: raised, worse, milder, latched, answered, gone; escalated by the clock, quiet for a while.

use super::input::{Acknowledgement, Alarm, Output, Refused};
use super::seconds;
use crate::id::{AlarmId, DeviceId, RuleId, SessionId, StaffId};
use crate::knowledge::limits::{Action, Condition, Priority, Reach, Rung, Sign, Watch};
use crate::knowledge::observations::Observed;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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

/// What asked for an answer at once while a history without a struck entry was gone through again.
#[derive(Debug, Default)]
pub(super) struct Grave {
    /// From when to when each asked, and how at last.
    asked: BTreeMap<Key, (Timestamp, Timestamp, Ask)>,
    asks: BTreeSet<Key>,
}

impl Grave {
    /// All that asks at this moment, of the signs that it is about.
    pub fn heard(&mut self, at: Timestamp, asked: BTreeMap<Key, Ask>) {
        let grave: BTreeMap<Key, Ask> =
            asked.into_iter().filter(|(_, ask)| ask.priority == Priority::High).collect();
        for (key, ask) in &grave {
            let went_on = self.asks.contains(key);
            let from = self.asked.get(key).filter(|_| went_on).map_or(at, |(from, ..)| *from);
            self.asked.insert(key.clone(), (from, at, ask.clone()));
        }
        self.asks = grave.into_keys().collect();
    }

    /// What asked after the last answer, and since when.
    fn since(&self, key: &Key, answered: Option<Timestamp>) -> Option<(&Timestamp, &Ask)> {
        let (from, to, ask) = self.asked.get(key)?;
        (Some(*to) >= answered).then_some((from, ask))
    }
}

/// All alarms of a chair.
#[derive(Debug, Clone)]
pub(super) struct Board {
    session: SessionId,
    raised: u64,
    alarms: BTreeMap<Key, Alarm>,
    /// When each alarm was first raised, or answered last.
    unanswered_since: BTreeMap<Key, Timestamp>,
    recent: VecDeque<Alarm>,
}

impl Board {
    pub fn new(session: SessionId, raised: u64) -> Self {
        Self {
            session,
            raised,
            alarms: BTreeMap::new(),
            unanswered_since: BTreeMap::new(),
            recent: VecDeque::new(),
        }
    }

    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }

    pub fn on_sign(&self, sign: Sign) -> Option<&Alarm> {
        self.alarms.get(&Key::Sign(sign))
    }

    pub fn recent(&self) -> impl Iterator<Item = &Alarm> {
        self.recent.iter()
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

    /// Takes back what a struck entry made of these alarms. `entered_at`: when the watch heard of it. What holds without
    /// it becomes as grave as it is; what held by it alone, and what it raised, is gone and waits for nobody. What asked
    /// by itself meanwhile and was not answered waits on, with its own words and time.
    pub fn withdraw(
        &mut self,
        at: Timestamp,
        about: &[Key],
        (entered_at, grave): (Timestamp, &Grave),
        wanted: &BTreeMap<Key, Ask>,
        out: &mut Vec<Output>,
    ) {
        for key in about {
            let Some(alarm) = self.alarms.get_mut(key) else { continue };
            let waits = grave.since(key, self.unanswered_since.get(key).copied());
            let holds = wanted.get(key);
            let graver = waits.filter(|(_, ask)| holds.is_none_or(|holds| ask.gravity() > holds.gravity()));
            match (holds, graver) {
                (Some(holds), None) if holds.gravity() >= alarm.gravity() => {}
                (Some(holds), None) => {
                    adopt(alarm, holds.clone());
                    out.push(Output::AlarmEased(alarm.clone()));
                }
                (None, _) if alarm.ended_at.is_some() && alarm.raised_at != entered_at => {}
                (_, Some((asked_at, ask))) => {
                    adopt(alarm, ask.clone());
                    alarm.raised_at = *asked_at;
                    out.push(Output::AlarmEased(alarm.clone()));
                    if holds.is_none() && alarm.ended_at.is_none() {
                        alarm.ended_at = Some(at);
                        out.push(Output::AlarmLatched(alarm.id.clone()));
                    }
                }
                (None, None) => {
                    out.push(Output::AlarmCleared(alarm.id.clone()));
                    self.forget(key);
                }
            }
        }
        let codes: Vec<String> = about.iter().map(Key::code).collect();
        self.recent.retain(|alarm| alarm.raised_at != entered_at || !codes.contains(&alarm.code));
    }

    fn forget(&mut self, key: &Key) -> Option<Alarm> {
        self.unanswered_since.remove(key);
        self.alarms.remove(key)
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
        self.unanswered_since.insert(key.clone(), at);
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
        let Some(alarm) = self.forget(key) else { return };
        out.push(Output::AlarmCleared(alarm.id.clone()));
        if alarm.priority >= Priority::Medium {
            self.recent.push_front(alarm);
            self.recent.truncate(RECENT_MAX);
        }
    }

    /// A named person answers one alarm. There is no way to answer all at once.
    pub fn acknowledge(
        &mut self,
        id: &AlarmId,
        by: StaffId,
        reason: String,
        at: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Some((key, alarm)) = self.find(id) else {
            return out.push(Output::Refused(Refused::NoSuchAlarm(id.clone())));
        };
        if let Some(answer) = &alarm.acknowledged {
            return out.push(Output::Refused(Refused::AlreadyAcknowledged { by: answer.by.clone() }));
        }
        alarm.acknowledged = Some(Acknowledgement { by: by.clone(), at, reason: reason.clone() });
        alarm.quiet_until = None;
        let is_over = alarm.is_latched();
        out.push(Output::AlarmAcknowledged { alarm: id.clone(), by, reason });
        self.unanswered_since.insert(key.clone(), at);
        if is_over {
            self.remove(&key, out);
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
