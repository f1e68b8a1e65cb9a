//! What became of a score since before the series.

use super::answers::{Unscorable, in_range};
use crate::id::SourceId;
use crate::knowledge::Item;
use crate::knowledge::scales::{Condition, Criterion, OutcomeRule, Scale, Worse};
use rust_decimal::Decimal;

/// A score against the one before infusion 1 of the series. What no rule decides is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Now less before: below zero is a fall.
    pub change: Decimal,
    /// The same in % of the baseline, unrounded. None for a baseline of zero.
    pub percent: Option<Decimal>,
    /// Improved by as much as the rule of the condition asks.
    pub response: Option<bool>,
    /// Within the range of the well, by the first published rule.
    pub remission: Option<bool>,
    /// The same by each published rule.
    pub remission_by: Vec<Remission>,
    /// Changed, either way, by more than chance, or by as much as patients feel.
    pub reliable: Option<bool>,
    /// Moved towards the worse at all; with `reliable`, a worsening that counts.
    pub worse: bool,
    /// Where the rule of the response is from.
    pub source: Option<SourceId>,
    /// Caveat of the rule.
    pub note: String,
}

/// One published rule of remission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remission {
    /// Id of the criterion.
    pub id: String,
    /// In words.
    pub title: String,
    /// Whether the score now meets it.
    pub met: bool,
    /// Where it is from.
    pub source: SourceId,
}

/// Compares two totals by the rules of the condition, or by the general ones of the scale.
///
/// # Errors
/// A total that the scale cannot have.
pub fn outcome(
    item: &Item<Scale>,
    baseline: Decimal,
    current: Decimal,
    condition: Option<Condition>,
) -> Result<Outcome, Unscorable> {
    in_range(item, baseline)?;
    in_range(item, current)?;
    let scale = &item.body;
    let rule = rule_for(scale, condition);
    let change = current - baseline;
    let improvement = improvement(scale, baseline, current);
    let percent = (change * Decimal::ONE_HUNDRED).checked_div(baseline);
    let remission_by: Vec<Remission> = scale
        .criteria
        .iter()
        .filter(|criterion| criterion.remission)
        .map(|c| remission(c, current))
        .collect();
    Ok(Outcome {
        change,
        percent,
        response: rule.and_then(|rule| response(rule, improvement, baseline)),
        remission: remission_by.first().map(|remission| remission.met),
        remission_by,
        reliable: rule.and_then(|rule| reliable(rule, change.abs(), baseline)),
        worse: improvement < Decimal::ZERO,
        source: rule.map(|rule| rule.source.clone()),
        note: rule.map(|rule| rule.note.clone()).unwrap_or_default(),
    })
}

/// Only whether it is a response, by the same rules.
///
/// # Errors
/// As [`outcome`].
pub fn responded(
    item: &Item<Scale>,
    baseline: Decimal,
    current: Decimal,
    condition: Option<Condition>,
) -> Result<Option<bool>, Unscorable> {
    in_range(item, baseline)?;
    in_range(item, current)?;
    let improvement = improvement(&item.body, baseline, current);
    Ok(rule_for(&item.body, condition).and_then(|rule| response(rule, improvement, baseline)))
}

/// By how much it is better now; below zero it is worse.
fn improvement(scale: &Scale, baseline: Decimal, current: Decimal) -> Decimal {
    if scale.worse == Worse::Higher { baseline - current } else { current - baseline }
}

fn rule_for(scale: &Scale, condition: Option<Condition>) -> Option<&OutcomeRule> {
    let own = |rule: &&OutcomeRule| condition.is_some_and(|condition| rule.conditions.contains(&condition));
    let rules = &scale.outcomes;
    rules.iter().find(own).or_else(|| rules.iter().find(|rule| rule.conditions.is_empty()))
}

/// All that the rule asks. A share of nothing is not known.
fn response(rule: &OutcomeRule, improvement: Decimal, baseline: Decimal) -> Option<bool> {
    let by_points = rule.response_points.map(|points| Some(improvement >= points));
    let by_percent = rule.response_percent.map(|percent| reaches(improvement, percent, baseline));
    let asked: Vec<Option<bool>> = by_points.into_iter().chain(by_percent).collect();
    if asked.is_empty() || asked.contains(&None) { None } else { Some(!asked.contains(&Some(false))) }
}

fn reliable(rule: &OutcomeRule, moved: Decimal, baseline: Decimal) -> Option<bool> {
    match (rule.reliable_points, rule.reliable_percent) {
        (Some(points), _) => Some(moved >= points),
        (None, Some(percent)) => reaches(moved, percent, baseline),
        (None, None) => None,
    }
}

fn reaches(amount: Decimal, percent: Decimal, baseline: Decimal) -> Option<bool> {
    (!baseline.is_zero()).then(|| amount * Decimal::ONE_HUNDRED >= percent * baseline)
}

fn remission(rule: &Criterion, current: Decimal) -> Remission {
    let met = rule.from.is_none_or(|from| current >= from)
        && rule.to.is_none_or(|to| current <= to)
        && rule.below.is_none_or(|below| current < below);
    Remission { id: rule.id.clone(), title: rule.title.clone(), met, source: rule.source.clone() }
}
