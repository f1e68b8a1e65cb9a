//! How long and how often a sign has passed each of its limits.

use crate::knowledge::limits::{Action, LimitRule};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Consecutive readings of one sign beyond its limits, by rule. Only a good reading inside a limit ends its run:
/// silence and doubtful values do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaches(BTreeMap<String, Run>);

/// Consecutive readings beyond one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// How many.
    pub readings: u32,
    /// The first of them.
    pub since: Timestamp,
    /// One of them is enough: it passed no probe that could be wrong for a second.
    pub at_once: bool,
}

impl Run {
    /// Whether it asks for a person now.
    fn asks(&self, at: Timestamp, rule: &LimitRule) -> bool {
        let lasted_s = at.duration_since(self.since).as_secs();
        self.at_once || (self.readings >= rule.readings && lasted_s >= rule.lasting_s)
    }
}

/// A value and how it is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weighed {
    /// In the unit of the limits.
    pub value: Decimal,
    /// It asks at once for what it passes.
    pub at_once: bool,
}

/// A rule that is passed and does not ask for a person yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next<'r> {
    /// The rule.
    pub rule: &'r LimitRule,
    /// How often and how long it is passed.
    pub run: Run,
}

impl Next<'_> {
    /// How many readings and then how many seconds are left.
    pub fn left(&self, at: Timestamp) -> (u32, i64) {
        if self.run.at_once {
            return (0, 0);
        }
        let lasted_s = at.duration_since(self.run.since).as_secs();
        let left_s = self.rule.lasting_s.saturating_sub(lasted_s).max(0);
        (self.rule.readings.saturating_sub(self.run.readings), left_s)
    }
}

impl Breaches {
    /// Counts a good reading.
    pub fn take(&mut self, at: Timestamp, seen: Weighed, rules: &[LimitRule], baseline: Option<Decimal>) {
        for rule in rules {
            if rule.is_passed_by(seen.value, baseline) {
                let first = Run { readings: 0, since: at, at_once: false };
                let run = self.0.entry(rule.id.clone()).or_insert(first);
                run.readings = run.readings.saturating_add(1);
                run.at_once |= seen.at_once;
            } else {
                self.0.remove(&rule.id);
            }
        }
    }

    /// Looks at the last reading again after the rules or the baseline changed.
    pub fn reconsider(
        &mut self,
        at: Timestamp,
        seen: Weighed,
        rules: &[LimitRule],
        baseline: Option<Decimal>,
    ) {
        for rule in rules {
            if rule.is_passed_by(seen.value, baseline) {
                let only = Run { readings: 1, since: at, at_once: seen.at_once };
                self.0.entry(rule.id.clone()).or_insert(only);
            } else {
                self.0.remove(&rule.id);
            }
        }
    }

    /// The gravest rule that asks for a person now.
    pub fn worst<'r>(&self, at: Timestamp, rules: &'r [LimitRule]) -> Option<&'r LimitRule> {
        rules.iter().filter(|rule| self.asks(at, rule)).max_by_key(|rule| rule.action)
    }

    /// How many rules that ask for the same as `worst` are passed: 84 % passes one limit more than 89 %.
    pub fn passed_with(&self, worst: &LimitRule, rules: &[LimitRule]) -> usize {
        rules.iter().filter(|rule| rule.action == worst.action && self.run(&rule.id).is_some()).count()
    }

    /// The rule that is passed and asks for more than `asked` as soon as another reading comes, else time goes by: the one
    /// that is nearest to it. Of two that come together the graver one.
    pub fn next<'r>(&self, at: Timestamp, rules: &'r [LimitRule], asked: Option<Action>) -> Option<Next<'r>> {
        let graver = rules.iter().filter(|rule| Some(rule.action) > asked);
        let passed = graver.filter_map(|rule| Some(Next { rule, run: self.run(&rule.id)? }));
        passed.min_by_key(|next| (next.left(at), Reverse(next.rule.action)))
    }

    /// Whether any limit is passed, though none may ask for a person yet.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// The run beyond a rule.
    pub fn run(&self, rule: &str) -> Option<Run> {
        self.0.get(rule).copied()
    }

    fn asks(&self, at: Timestamp, rule: &LimitRule) -> bool {
        self.run(&rule.id).is_some_and(|run| run.asks(at, rule))
    }
}
