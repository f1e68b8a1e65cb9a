//! What the screening has seen of the checks of the long-term safety: asked once, and counted from then on.

use super::Screening;
use super::clue::days_between;
use super::facts::Facts;
use crate::knowledge::Knowledge;
use crate::knowledge::long_term::LongTerm;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Checks of which every finding was there at the screening and not too old then, each with the day of the oldest.
pub fn baselines(screened: &Screening, knowledge: &Knowledge) -> BTreeMap<String, Date> {
    let Some(on) = screened.consultation.on else { return BTreeMap::new() };
    let facts = Facts::new(&screened.consultation, knowledge, on);
    let checks = knowledge.long_term.iter().filter_map(|item| match &item.body {
        LongTerm::Check(check) => Some((&item.header.id, &check.baseline_by)),
        _ => None,
    });
    let made = checks.filter_map(|(id, by)| {
        let days: Option<Vec<Date>> = by.iter().map(|fact| counted(fact, &facts, knowledge)).collect();
        Some((id.clone(), days?.into_iter().min()?))
    });
    made.collect()
}

/// The day of a finding that every work-up which asks for it still counted.
fn counted(fact: &str, facts: &Facts<'_>, knowledge: &Knowledge) -> Option<Date> {
    let day = facts.day(fact)?;
    let asking = knowledge.workup.iter().filter(|item| item.body.asks_for(fact));
    let valid_d = asking.map(|item| item.body.valid_d).min()?;
    (0..=valid_d).contains(&days_between(day, facts.on)).then_some(day)
}
