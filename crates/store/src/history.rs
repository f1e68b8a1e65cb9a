//! The checker of the fault runs: what callers were told, compared with what the log holds.

use crate::model::Recorded;
use std::collections::{BTreeMap, BTreeSet};

/// What was told to those who sent commands, by command id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Number of events of each command that was sent.
    pub sent: BTreeMap<String, usize>,
    /// Answered as recorded.
    pub acknowledged: BTreeSet<String>,
    /// Answered as not recorded, and never sent again.
    pub refused: BTreeSet<String>,
}

/// What does not fit together. All lists are empty in a good history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Acknowledged, but not in the log: lost.
    pub missing: Vec<String>,
    /// In the log more than once.
    pub doubled: Vec<String>,
    /// In the log with fewer events than were sent.
    pub partial: Vec<String>,
    /// Refused, but in the log all the same.
    pub resurrected: Vec<String>,
    /// In the log, but never sent.
    pub invented: Vec<String>,
}

impl History {
    /// Compares a whole log with what was told. `events` are one site's, in order.
    pub fn check(outcomes: &Outcomes, events: &[Recorded]) -> Self {
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for event in events {
            *found.entry(&event.command_id).or_default() += 1;
        }
        let mut history = Self::default();
        for (command, count) in &found {
            match outcomes.sent.get(*command) {
                None => history.invented.push((*command).to_owned()),
                Some(sent) if count > sent => history.doubled.push((*command).to_owned()),
                Some(sent) if count < sent => history.partial.push((*command).to_owned()),
                Some(_) => {}
            }
        }
        let lost = outcomes.acknowledged.iter().filter(|id| !found.contains_key(id.as_str()));
        history.missing = lost.cloned().collect();
        let back = outcomes.refused.iter().filter(|id| found.contains_key(id.as_str()));
        history.resurrected = back.cloned().collect();
        history
    }

    /// Nothing is wrong.
    pub fn good(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(command_id: &str) -> Recorded {
        Recorded {
            site: "main".into(),
            position: 1,
            stream: "s".into(),
            version: 1,
            kind: "k".into(),
            body: "{}".into(),
            author: "a".into(),
            command_id: command_id.into(),
            at_us: 0,
            chain: [0; 32],
        }
    }

    fn ids(list: &[&str]) -> Vec<String> {
        list.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn each_kind_of_wrong_history_is_named() {
        let outcomes = Outcomes {
            sent: [("lost", 1), ("twice", 1), ("half", 2), ("back", 1), ("fine", 2)]
                .map(|(id, count)| (id.to_owned(), count))
                .into(),
            acknowledged: ids(&["lost", "fine"]).into_iter().collect(),
            refused: ids(&["back"]).into_iter().collect(),
        };
        let log = ["twice", "twice", "half", "back", "fine", "fine", "ghost"].map(event);
        let expected = History {
            missing: ids(&["lost"]),
            doubled: ids(&["twice"]),
            partial: ids(&["half"]),
            resurrected: ids(&["back"]),
            invented: ids(&["ghost"]),
        };
        assert_eq!(History::check(&outcomes, &log), expected);
    }
}
