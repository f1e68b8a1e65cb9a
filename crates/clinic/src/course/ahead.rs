//! Which checks of the long-term safety a patient needs now and in the next days, for whoever calls patients in.

use super::exposure::{Exposure, Known, checks};
use crate::gate::{Finding, Verdict};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How a check stands, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// It holds a booking of today.
    Overdue,
    /// It holds one of the day of the next visit.
    OverdueBy(Date),
    /// It may be made.
    Due,
    /// It may be made from that day on.
    From(Date),
}

/// Each check that is asked for until a day, the most urgent first; `visit` is when the patient comes next.
pub fn ahead(
    given: &[Exposure],
    known: &BTreeMap<String, Known>,
    (today, visit, until): (Date, Option<Date>, Date),
    knowledge: &Knowledge,
) -> Vec<(Asked, Finding)> {
    let on = |day: Date| checks(given, day, known, knowledge).findings;
    let holds = |finding: &Finding| finding.verdict >= Verdict::Hold;
    let mut asked: BTreeMap<RuleId, (Asked, Finding)> = BTreeMap::new();
    let mut take = |how, findings: Vec<Finding>| {
        for finding in findings {
            asked.entry(finding.rule.clone()).or_insert((how, finding));
        }
    };
    let (overdue, due): (Vec<_>, Vec<_>) = on(today).into_iter().partition(holds);
    take(Asked::Overdue, overdue);
    if let Some(visit) = visit {
        take(Asked::OverdueBy(visit), on(visit).into_iter().filter(holds).collect());
    }
    take(Asked::Due, due);
    if !on(until).is_empty() {
        let days = std::iter::successors(today.tomorrow().ok(), |day| day.tomorrow().ok());
        for day in days.take_while(|day| *day <= until) {
            take(Asked::From(day), on(day));
        }
    }
    let mut asked: Vec<_> = asked.into_values().collect();
    asked.sort_by_key(|(how, _)| *how);
    asked
}
