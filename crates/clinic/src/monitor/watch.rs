//! What is watched besides the numbers: silence, links, screens, devices and the pump.

use super::Monitor;
use super::board::{Ask, Key, name};
use super::seconds;
use crate::device::{DeviceAlert, DeviceKind, Parameter, PumpStatus, Quality};
use crate::id::DeviceId;
use crate::knowledge::limits::{Action, Condition, Priority};
use crate::knowledge::observations::{Observed, Phase};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Devices, alerts and symptoms are bounded: what comes beyond joins the last place.
pub(super) const PLACES_MAX: usize = 16;

/// An alert that a device holds active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldAlert {
    pub since: Timestamp,
    pub text: String,
    pub priority: Priority,
}

impl Monitor {
    /// Every technical condition that holds now.
    pub(super) fn ask_technical(&self, at: Timestamp, wanted: &mut BTreeMap<Key, Ask>) {
        if matches!(self.phase, Phase::Infusing | Phase::Paused | Phase::Recovering) {
            self.ask_silence(at, wanted);
            if let Some(since) = self.signs.cuff_suspect_since {
                self.ask(at, Condition::CuffSuspect, "", since, None, wanted);
            }
            for (group, (since, said)) in &self.struck {
                let words = Some(said.clone());
                self.ask(at, Condition::StruckUnmeasured, &group.name(), *since, words, wanted);
            }
            for (device, (since, why)) in &self.not_of_now {
                let words = Some(format!("{device}, {why}"));
                self.ask(at, Condition::NotOfNow, device.as_str(), *since, words, wanted);
            }
        }
        if self.phase == Phase::Infusing {
            if self.signs.baseline.is_none() {
                self.ask(at, Condition::BaselineMissing, "", self.phase_since, None, wanted);
            }
            let painted = self.painted_at.max(Some(self.phase_since)).max(self.restarted_at);
            self.ask(at, Condition::NoDisplay, "", painted.unwrap_or(at), None, wanted);
            if let Some(since) = self.due.unseen_since(Observed::Nibp) {
                self.ask(at, Condition::CuffMissing, "", since, None, wanted);
            }
        }
        let clocks = [(Condition::ClockBehind, self.clock_behind), (Condition::ClockAhead, self.clock_ahead)];
        for (condition, off) in clocks {
            if let Some((since, off_s)) = off.filter(|_| self.phase != Phase::Closed) {
                let words =
                    if off_s < 60 { format!("by {off_s} s") } else { format!("by {} min", off_s / 60) };
                self.ask(at, condition, "", since, Some(words), wanted);
            }
        }
        for (device, since) in &self.conflicts {
            self.ask(
                at,
                Condition::PatientConflict,
                device.as_str(),
                *since,
                Some(device.to_string()),
                wanted,
            );
        }
        self.ask_pump(at, wanted);
        self.ask_alerts(wanted);
    }

    /// What should come and does not. A sensor that is off is an alarm of its own. A monitor of which nothing comes is
    /// one alarm that says what it lacks: its lost connection where that is the reason, else that no sensor has a value
    /// once that asks for somebody, else its channels.
    fn ask_silence(&self, at: Timestamp, wanted: &mut BTreeMap<Key, Ask>) {
        let silent = self.silent(at);
        let since = |pick: fn(Timestamp, Timestamp) -> Timestamp| {
            silent.iter().map(|(_, since)| *since).reduce(pick).unwrap_or(at)
        };
        let nothing_comes = !silent.is_empty() && silent.len() == self.streamed().count();
        let lacks = self.lacks(&silent);
        let unseen = nothing_comes && matches!(self.phase, Phase::Infusing | Phase::Paused);
        let unseen = unseen.then(|| {
            let since = since(Timestamp::max);
            self.technical(Condition::PatientUnseen, since, Some(lacks.clone()), seconds(since, at))
        });
        let unseen = unseen.flatten();
        let mut told = false;
        for (device, (kind, lost)) in &self.links_lost {
            let words = format!("{} {device}", kind.title());
            if !nothing_comes || *kind != DeviceKind::Monitor {
                self.ask(at, Condition::LinkLost, device.as_str(), *lost, Some(words), wanted);
                continue;
            }
            let lost = since(Timestamp::min).min(*lost);
            let words = Some(format!("{words}; {lacks}"));
            let ask = self.technical(Condition::LinkLost, lost, words, seconds(lost, at));
            if let Some(mut ask) = ask {
                // Nobody sees the patient, whatever the reason: it asks for as much as that.
                if let Some(unseen) = &unseen {
                    ask.priority = ask.priority.max(unseen.priority);
                    ask.action = ask.action.max(unseen.action);
                }
                wanted.insert(Key::Technical(Condition::LinkLost, device.to_string()), ask);
                told = true;
            }
        }
        if let Some(ask) = unseen.filter(|_| !told) {
            wanted.insert(Key::Technical(Condition::PatientUnseen, String::new()), ask);
            told = true;
        }
        if nothing_comes && (told || silent.len() > 1) {
            if !told {
                self.ask(at, Condition::ChannelMissing, "", since(Timestamp::min), Some(lacks), wanted);
            }
            return;
        }
        for one in &silent {
            let (parameter, since) = one;
            let words = Some(self.lacks(std::slice::from_ref(one)));
            self.ask(at, Condition::ChannelMissing, &name(parameter), *since, words, wanted);
        }
    }

    /// Channels that are silent for so long that it asks for somebody, each with since when.
    pub(super) fn silent(&self, at: Timestamp) -> Vec<(Parameter, Timestamp)> {
        let all = self.streamed().map(|parameter| (*parameter, self.silent_since(at, parameter)));
        all.filter(|(_, since)| {
            self.technical(Condition::ChannelMissing, *since, None, seconds(*since, at)).is_some()
        })
        .collect()
    }

    /// `SpO₂, nothing comes`; channels that are silent for one reason stand together.
    pub(super) fn lacks(&self, silent: &[(Parameter, Timestamp)]) -> String {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (parameter, _) in silent {
            let why = match self.signs.channels.get(parameter).and_then(|channel| channel.trouble) {
                Some(Quality::NoValue) => "the device sends no value: probe off?",
                Some(_) => "the readings are not plausible",
                None => "nothing comes",
            };
            by_reason.entry(why).or_default().push(parameter.label());
        }
        let told = by_reason.into_iter().map(|(why, which)| format!("{}, {why}", which.join(", ")));
        told.collect::<Vec<_>>().join("; ")
    }

    /// What a device of the chair sends all the time.
    fn streamed(&self) -> impl Iterator<Item = &Parameter> {
        self.expected.channels.iter().filter(|parameter| is_continuous(**parameter))
    }

    /// The last moment at which a device sent a usable value of this channel or it was not watched yet.
    fn silent_since(&self, at: Timestamp, parameter: &Parameter) -> Timestamp {
        let sent = self.signs.channels.get(parameter).and_then(|channel| channel.sent);
        let expected = self.expected_since.get(parameter).copied();
        sent.max(expected).max(Some(self.watched_since)).unwrap_or(at)
    }

    /// The last moment at which the pump was read or it was not watched yet.
    pub(super) fn pump_silent_since(&self, at: Timestamp) -> Timestamp {
        let read_at = self.pump.read.as_ref().map(|(at, _)| *at);
        read_at.max(Some(self.watched_since)).max(self.pump_awaited_since).unwrap_or(at)
    }

    fn ask_pump(&self, at: Timestamp, wanted: &mut BTreeMap<Key, Ask>) {
        let pump = &self.pump;
        if self.expected.pump && matches!(self.phase, Phase::Infusing | Phase::Paused) {
            self.ask(at, Condition::PumpSilent, "", self.pump_silent_since(at), None, wanted);
        }
        if let Some(since) = pump.ended_since(at, self.phase) {
            self.ask(at, Condition::InfusionEnd, "", since.max(self.phase_since), None, wanted);
        }
        let steady_since = pump.status_since.max(Some(self.phase_since)).unwrap_or(at);
        if self.phase != Phase::Infusing && pump.status() == Some(PumpStatus::Infusing) {
            self.ask(at, Condition::PumpRunning, "", steady_since, None, wanted);
        }
        if let Some(says) = pump.says_otherwise().filter(|_| self.phase == Phase::Infusing) {
            self.ask(at, Condition::PumpNotRunning, "", steady_since, Some(says.to_owned()), wanted);
        }
        if let Some(told) = pump.unexplained.as_ref().filter(|_| self.phase != Phase::Closed) {
            self.ask(at, Condition::PumpCount, "", told.told_at, Some(told.in_words()), wanted);
        }
        // Each difference is an alarm of its own, so that a newer one takes no older one away that nobody has seen.
        for (what, words) in pump.conflicts(self.phase, self.policy.watch.1.program_tolerance_percent) {
            let since = self.differs_since.get(what).copied().unwrap_or(at);
            self.ask(at, Condition::PumpConflict, what, since, Some(words), wanted);
        }
    }

    fn ask_alerts(&self, wanted: &mut BTreeMap<Key, Ask>) {
        let (set, alerts) = &self.policy.alerts;
        for ((device, refid), held) in &self.alerts {
            let rule = alerts.alerts.iter().find(|alert| alert.refid == *refid);
            let said = if held.text.is_empty() { refid } else { &held.text };
            let message = match rule {
                Some(rule) => format!("{} (device says: {said})", rule.title),
                None => format!("Device says: {said}"),
            };
            let ask = Ask {
                rule: set.id.clone(),
                version: set.version,
                priority: held.priority,
                action: rule.map_or(Action::Look, |rule| rule.action),
                message,
                sign: None,
                value: None,
                limit: None,
                playbook: rule.and_then(|rule| rule.playbook.clone()),
                since: held.since,
                limits_passed: 0,
            };
            wanted.insert(Key::Device(device.clone(), refid.clone()), ask);
        }
    }

    /// Takes an alert that a device raises or ends.
    pub(super) fn hold_alert(&mut self, at: Timestamp, device: DeviceId, alert: DeviceAlert) {
        let known = self.alerts.contains_key(&(device.clone(), alert.refid.clone()));
        let full = !known && self.alerts.len() >= PLACES_MAX;
        if !alert.active {
            self.alerts.remove(&(device, alert.refid));
            return;
        }
        let priority = self.policy.alerts.1.priority(&alert.refid, alert.priority);
        // Beyond the bound an alert still sounds, in one common place.
        let place =
            if full { (DeviceId::new("other"), "more alerts".to_owned()) } else { (device, alert.refid) };
        let held = self.alerts.entry(place).or_insert(HeldAlert { since: at, text: String::new(), priority });
        held.text = alert.text;
        held.priority = held.priority.max(priority);
    }

    fn ask(
        &self,
        at: Timestamp,
        condition: Condition,
        detail: &str,
        since: Timestamp,
        words: Option<String>,
        wanted: &mut BTreeMap<Key, Ask>,
    ) {
        if let Some(ask) = self.technical(condition, since, words, seconds(since, at)) {
            wanted.insert(Key::Technical(condition, detail.to_owned()), ask);
        }
    }

    /// A condition that lasts so long, if that asks for anybody.
    pub(super) fn technical(
        &self,
        condition: Condition,
        since: Timestamp,
        words: Option<String>,
        lasting_s: i64,
    ) -> Option<Ask> {
        let (set, watch) = &self.policy.watch;
        let technical = watch.technical(condition)?;
        let step = technical.step(lasting_s)?;
        Some(Ask {
            rule: set.id.clone(),
            version: set.version,
            priority: step.priority,
            action: step.action,
            message: words.map_or(technical.title.clone(), |words| format!("{}: {words}", technical.title)),
            sign: None,
            value: None,
            limit: None,
            playbook: None,
            since,
            limits_passed: 0,
        })
    }
}

/// Whether silence of seconds means something. The cuff is watched by its interval.
const fn is_continuous(parameter: Parameter) -> bool {
    matches!(
        parameter,
        Parameter::HeartRate
            | Parameter::PulseRate
            | Parameter::Spo2
            | Parameter::RespiratoryRate
            | Parameter::Etco2
    )
}
