//! Which failed trials count, and whether the depression is resistant.

use super::consultation::{Said, Stopped, Trial, TrialKind};
use crate::knowledge::resistance::Resistance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Failed trials by the definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trd {
    /// Different medicines that failed at an adequate dose for long enough.
    pub count: u32,
    /// Different medicines that were not tolerated.
    pub intolerant: u32,
    /// What is missing to count the others.
    #[serde(skip)]
    pub undecided: Vec<String>,
}

enum Counts {
    Failed,
    Intolerant,
    Not,
    /// Fields that nobody filled in.
    Undecided(Vec<&'static str>),
}

/// Counts each medicine once.
pub fn resistance(rule: &Resistance, trials: &[Trial]) -> Trd {
    let (mut failed, mut intolerant, mut undecided) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (nth, trial) in trials.iter().enumerate() {
        let drug = trial.drug.trim().to_lowercase();
        match counts(rule, trial) {
            Counts::Failed => drop(failed.insert(drug)),
            Counts::Intolerant => drop(intolerant.insert(drug)),
            Counts::Not => {}
            Counts::Undecided(fields) => {
                undecided.extend(fields.iter().map(|field| format!("trials[{nth}].{field}")));
            }
        }
    }
    let many = |set: BTreeSet<String>| u32::try_from(set.len()).unwrap_or(u32::MAX);
    Trd { count: many(failed), intolerant: many(intolerant), undecided }
}

fn counts(rule: &Resistance, trial: &Trial) -> Counts {
    if !matches!(trial.kind, TrialKind::Medicine | TrialKind::Unknown) || trial.current_episode == Said::No {
        return Counts::Not;
    }
    if trial.stopped == Stopped::Intolerance {
        match trial.weeks {
            Some(weeks) if weeks < rule.intolerant_before_weeks => return Counts::Intolerant,
            _ => {}
        }
    }
    let long_enough = |added: bool| {
        let needed = if added { rule.augmentation_weeks_at_least } else { rule.weeks_at_least };
        trial.weeks.map(|weeks| weeks >= needed)
    };
    // Whether it was added to another is asked where the weeks hang on it.
    let (weeks, added) = match trial.augmentation {
        Some(added) => (long_enough(added), Some(true)),
        None if long_enough(true) == long_enough(false) => (long_enough(false), Some(true)),
        None => (Some(true), None),
    };
    let asked = [
        ("kind", (trial.kind == TrialKind::Medicine).then_some(true)),
        ("current_episode", trial.current_episode.known()),
        ("adequate_dose", trial.adequate_dose.known()),
        ("weeks", weeks),
        ("augmentation", added),
        ("adherence_percent", trial.adherence_percent.map(|taken| taken >= rule.adherence_at_least_percent)),
        ("response_percent", trial.response_percent.map(|fall| fall < rule.response_below_percent)),
    ];
    if asked.iter().any(|(_, holds)| *holds == Some(false)) {
        return Counts::Not;
    }
    let unknown: Vec<_> =
        asked.iter().filter(|(_, holds)| holds.is_none()).map(|(field, _)| *field).collect();
    if unknown.is_empty() { Counts::Failed } else { Counts::Undecided(unknown) }
}
