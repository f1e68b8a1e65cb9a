//! Which observations are due, and which were missed.

use super::board::{Ask, Key};
use super::input::Output;
use super::policy::MonitorPolicy;
use super::seconds;
use crate::device::Parameter;
use crate::knowledge::limits::{Action, Priority};
use crate::knowledge::observations::{Observed, Phase, Row};
use crate::session::Finding;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// When each observation was last made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// By the entry of the log that says so; by none, what devices measured.
    done: BTreeMap<Observed, BTreeMap<Option<i64>, Timestamp>>,
    /// Start of the infusion or of the recovery: nothing is due before it.
    anchor: Option<Timestamp>,
    announced: BTreeSet<Observed>,
}

/// What decides how often something is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    pub at: Timestamp,
    pub phase: Phase,
    pub fast: bool,
    pub channels: &'a BTreeSet<Parameter>,
}

impl Observed {
    /// Which observation of the schedule a value of this sign is.
    pub const fn by(sign: Parameter) -> Option<Self> {
        match sign {
            Parameter::Systolic => Some(Self::Nibp),
            Parameter::Spo2 => Some(Self::Spo2),
            Parameter::HeartRate | Parameter::PulseRate => Some(Self::HeartRate),
            Parameter::RespiratoryRate => Some(Self::RespiratoryRate),
            Parameter::Etco2 => Some(Self::Etco2),
            _ => None,
        }
    }

    /// Which one a person has made who charts this; vital signs are several.
    pub const fn of(finding: &Finding) -> Option<Self> {
        match finding {
            Finding::MoaaS { .. } | Finding::Rass { .. } => Some(Self::Sedation),
            Finding::Distress { .. } => Some(Self::Distress),
            Finding::Disconnected { .. } | Finding::AsBefore { .. } => Some(Self::Dissociation),
            Finding::Nausea { .. } => Some(Self::Nausea),
            Finding::Pain { .. } => Some(Self::Pain),
            Finding::IvSite { .. } => Some(Self::IvSite),
            Finding::Vitals { .. }
            | Finding::Oriented { .. }
            | Finding::Symptom { .. }
            | Finding::AskedToStop
            | Finding::SuicidalThoughts { .. }
            | Finding::Mood { .. }
            | Finding::Tolerated { .. }
            | Finding::Experience { .. } => None,
        }
    }
}

impl Due {
    pub fn made(&mut self, at: Timestamp, observed: Observed, entry: Option<i64>) {
        let newest = self.last_made(observed).is_none_or(|last| at >= last);
        let made = self.done.entry(observed).or_default().entry(entry).or_insert(at);
        *made = at.max(*made);
        if newest {
            self.announced.remove(&observed);
        }
    }

    /// An entry that was struck made nothing.
    pub fn strike(&mut self, entry: Option<i64>) {
        for made in self.done.values_mut() {
            made.remove(&entry);
        }
    }

    fn last_made(&self, observed: Observed) -> Option<Timestamp> {
        self.done.get(&observed)?.values().max().copied()
    }

    /// What readings of these parameters count as, each when it was measured.
    pub fn made_by(&mut self, fresh: &BTreeMap<Parameter, Timestamp>, entry: Option<i64>) {
        let whole = |sign| sign != Parameter::Systolic || fresh.contains_key(&Parameter::Diastolic);
        for (sign, at) in fresh.iter().filter(|(sign, _)| whole(**sign)) {
            if let Some(observed) = Observed::by(*sign) {
                self.made(*at, observed, entry);
            }
        }
    }

    /// A new round begins with the infusion and with the recovery; a pause is part of the infusion.
    pub fn begin(&mut self, at: Timestamp, from: Phase, to: Phase) {
        let infusion = |phase| matches!(phase, Phase::Infusing | Phase::Paused);
        if infusion(from) != infusion(to) || to == Phase::Recovering {
            self.anchor = Some(at);
            self.announced.clear();
        }
    }

    /// Since when nobody looked: the last time, or the start of the round.
    pub fn unseen_since(&self, observed: Observed) -> Option<Timestamp> {
        self.anchor.max(self.last_made(observed))
    }

    /// When it is due; `None` when it is not.
    pub fn due_at(&self, row: &Row, now: Now<'_>) -> Option<Timestamp> {
        let needs_channel = row.only_if_expected && !now.channels.contains(&Parameter::Etco2);
        if needs_channel {
            return None;
        }
        if row.at_end {
            let open = now.phase == Phase::Recovering && self.last_made(row.what) < self.anchor;
            return self.anchor.filter(|_| open);
        }
        let every = row.every_s(now.phase, now.fast)?;
        self.unseen_since(row.what)?.checked_add(SignedDuration::from_secs(every)).ok()
    }

    /// Says once what has become due.
    pub fn announce(&mut self, rows: &[Row], now: Now<'_>, out: &mut Vec<Output>) {
        for row in rows {
            let is_due = self.due_at(row, now).is_some_and(|due| due <= now.at);
            if is_due && self.announced.insert(row.what) {
                out.push(Output::ObservationDue(row.what));
            }
        }
    }

    /// What was missed for too long.
    pub fn asks(&self, policy: &MonitorPolicy, now: Now<'_>, wanted: &mut BTreeMap<Key, Ask>) {
        let (set, rows) = &policy.schedule;
        for row in rows {
            let (Some(_), Some(every)) = (self.due_at(row, now), row.every_s(now.phase, now.fast)) else {
                continue;
            };
            let Some(since) = self.unseen_since(row.what) else { continue };
            let unseen = Decimal::from(seconds(since, now.at));
            let beyond = |factor: Decimal| unseen >= factor.saturating_mul(every.into());
            let priority = if beyond(policy.watch.1.overdue_medium_factor) {
                Priority::Medium
            } else if beyond(policy.watch.1.overdue_low_factor) {
                Priority::Low
            } else {
                continue;
            };
            let minutes = every / 60;
            let ask = Ask {
                rule: set.id.clone(),
                version: set.version,
                priority,
                action: Action::Look,
                message: format!("{} is overdue, every {minutes} min", row.title),
                sign: None,
                value: None,
                limit: Some(format!("{minutes} min")),
                playbook: None,
                since,
                limits_passed: 0,
            };
            wanted.insert(Key::Overdue(row.what), ask);
        }
    }
}
