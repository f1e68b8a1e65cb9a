//! What a watch leaves undone, told from its own lines: checks that were missed, alarms that nobody answered.

use super::input::{Alarm, Output};
use crate::id::AlarmId;
use crate::knowledge::limits::Priority;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a patient should not go home with unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfinished {
    /// Observations that were missed for so long that a second clinician was asked.
    MissedChecks,
    /// Medium and high alarms that nobody answered.
    UnansweredAlarms,
    /// Side effects without an outcome.
    OpenSideEffects,
}

impl Unfinished {
    /// Each, in the order in which a person reads them.
    pub const ALL: [Self; 3] = [Self::MissedChecks, Self::UnansweredAlarms, Self::OpenSideEffects];

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::MissedChecks => "missed checks",
            Self::UnansweredAlarms => "unanswered alarms",
            Self::OpenSideEffects => "open side effects",
        }
    }

    /// The form field of the word on it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::MissedChecks => "missed_checks",
            Self::UnansweredAlarms => "unanswered_alarms",
            Self::OpenSideEffects => "open_side_effects",
        }
    }
}

/// What is unfinished, by kind, in words. A kind without anything is absent.
pub type Leftovers = BTreeMap<Unfinished, Vec<String>>;

/// Reads it from the lines of a visit, oldest first.
pub fn unfinished<'a>(lines: impl IntoIterator<Item = &'a Output>) -> Leftovers {
    let mut lives: BTreeMap<&AlarmId, (&Alarm, bool)> = BTreeMap::new();
    let mut struck: BTreeSet<&AlarmId> = BTreeSet::new();
    for line in lines {
        match line {
            // What got worse needs a new answer; what only came back keeps the one it has.
            Output::AlarmRaised(alarm) | Output::AlarmWorsened(alarm) => {
                lives.insert(&alarm.id, (alarm, false));
            }
            Output::AlarmAcknowledged { alarm, .. } => {
                lives.entry(alarm).and_modify(|(_, answered)| *answered = true);
            }
            Output::AlarmWithdrawn(id) => {
                struck.insert(id);
            }
            _ => {}
        }
    }
    let mut counted: BTreeMap<(Unfinished, &str, bool), usize> = BTreeMap::new();
    for (alarm, answered) in lives.values().filter(|(alarm, _)| alarm.priority >= Priority::Medium) {
        let kind = match (alarm.code.starts_with("overdue/"), answered) {
            (true, _) => Unfinished::MissedChecks,
            (false, false) => Unfinished::UnansweredAlarms,
            (false, true) => continue,
        };
        *counted.entry((kind, &alarm.message, struck.contains(&alarm.id))).or_default() += 1;
    }
    let mut left = Leftovers::new();
    for ((kind, message, struck), times) in counted {
        let mut told = if times == 1 { message.to_owned() } else { format!("{message} ({times} times)") };
        if struck {
            told.push_str("; the entry that raised it was struck");
        }
        left.entry(kind).or_default().push(told);
    }
    left
}

/// High alarms that nobody has answered, as they stand after these lines of a visit, oldest first. They stand again after
/// a restart, whether what raised them is over or not.
pub fn unanswered<'a>(lines: impl IntoIterator<Item = (Timestamp, &'a Output)>) -> Vec<Alarm> {
    let mut standing: Vec<Alarm> = Vec::new();
    for (at, line) in lines {
        let known = |id: &AlarmId| standing.iter().position(|alarm| alarm.id == *id);
        match line {
            Output::AlarmRaised(alarm)
            | Output::AlarmWorsened(alarm)
            | Output::AlarmReturned(alarm)
            | Output::AlarmEased(alarm) => {
                standing.retain(|one| one.id != alarm.id);
                standing.push(alarm.clone());
            }
            Output::AlarmLatched(id) => {
                if let Some(alarm) = known(id).and_then(|which| standing.get_mut(which)) {
                    alarm.ended_at = Some(at);
                }
            }
            Output::AlarmEscalated { alarm: id, to } => {
                if let Some(alarm) = known(id).and_then(|which| standing.get_mut(which)) {
                    alarm.reach = *to;
                }
            }
            Output::AlarmAcknowledged { alarm: id, .. }
            | Output::AlarmCleared(id)
            | Output::AlarmWithdrawn(id)
            | Output::AlarmLeft(id) => {
                standing.retain(|alarm| alarm.id != *id);
            }
            Output::SoundPaused { .. }
            | Output::SoundResumed(_)
            | Output::ObservationDue(_)
            | Output::LimitChanged { .. }
            | Output::Refused(_) => {}
        }
    }
    standing.retain(|alarm| alarm.priority == Priority::High && alarm.acknowledged.is_none());
    standing
}
