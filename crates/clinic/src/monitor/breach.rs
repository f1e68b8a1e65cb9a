//! How long and how often a sign has passed each of its limits.

use crate::knowledge::limits::LimitRule;
use jiff::Timestamp;
use rust_decimal::Decimal;
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
}

impl Breaches {
    /// Counts a good reading.
    pub fn take(&mut self, at: Timestamp, value: Decimal, rules: &[LimitRule], baseline: Option<Decimal>) {
        for rule in rules {
            if rule.is_passed_by(value, baseline) {
                let run = self.0.entry(rule.id.clone()).or_insert(Run { readings: 0, since: at });
                run.readings = run.readings.saturating_add(1);
            } else {
                self.0.remove(&rule.id);
            }
        }
    }

    /// Looks at the last reading again after the rules or the baseline changed.
    pub fn reconsider(
        &mut self,
        at: Timestamp,
        value: Decimal,
        rules: &[LimitRule],
        baseline: Option<Decimal>,
    ) {
        for rule in rules {
            if rule.is_passed_by(value, baseline) {
                self.0.entry(rule.id.clone()).or_insert(Run { readings: 1, since: at });
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

    /// The gravest rule that is passed but still waits for more readings or more time.
    pub fn waiting<'r>(&self, at: Timestamp, rules: &'r [LimitRule]) -> Option<(&'r LimitRule, Run)> {
        let waiting = rules.iter().filter(|rule| !self.asks(at, rule));
        let passed = waiting.filter_map(|rule| Some((rule, self.run(&rule.id)?)));
        passed.max_by_key(|(rule, _)| rule.action)
    }

    /// The run beyond a rule.
    pub fn run(&self, rule: &str) -> Option<Run> {
        self.0.get(rule).copied()
    }

    fn asks(&self, at: Timestamp, rule: &LimitRule) -> bool {
        self.run(&rule.id).is_some_and(|run| {
            run.readings >= rule.readings && at.duration_since(run.since).as_secs() >= rule.lasting_s
        })
    }
}
