//! A scale that an answer on another one asks for: due at once, until it is answered.

use super::questionnaire::{Questionnaire, Questionnaires};
use super::score;
use crate::knowledge::scales::Scale;
use crate::knowledge::{Item, Knowledge};
use jiff::Timestamp;

/// Why a scale is due beside its calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFor {
    /// When that was answered.
    pub since: Timestamp,
    /// On which scale.
    pub by: String,
}

/// The newest answer that asks for this scale and came after it was answered last; `None` where none does. `elsewhere`
/// is when it was answered at a consultation.
pub fn asked_for(
    item: &Item<Scale>,
    all: &Questionnaires,
    elsewhere: Option<Timestamp>,
    knowledge: &Knowledge,
) -> Option<AskedFor> {
    let counting = all.counting(&item.header.id).into_iter();
    let own = counting.filter(|(_, one)| one.result.complete).map(|(_, one)| one.at).max();
    let answered = own.max(elsewhere);
    let standing = all.all.values().filter(|one| one.voided.is_none());
    let asking = standing.filter_map(|one| {
        let by = knowledge.scale(&one.scale)?;
        Some(AskedFor { since: asks(by, one, &item.header.id)?, by: by.header.title.clone() })
    });
    asking.filter(|one| answered.is_none_or(|at| at < one.since)).max_by_key(|one| one.since)
}

/// When an answer of a questionnaire asked for that scale. What is saved asks before the form is sent.
fn asks(by: &Item<Scale>, one: &Questionnaire, wanted: &str) -> Option<Timestamp> {
    let mut rules = by.body.flags.iter().filter(|rule| rule.asks.as_deref() == Some(wanted));
    if let Some((answered, ..)) = &one.answered {
        let flags = score(by, &answered.given, None).ok()?.flags;
        return rules.any(|rule| flags.iter().any(|flag| flag.id == rule.id)).then_some(answered.at);
    }
    // One that was taken back has called somebody all the same.
    let called = !one.tasks.is_empty();
    let said = |id: &String| one.saved.get(id).copied().flatten();
    rules
        .any(|rule| {
            called || rule.items.iter().any(|id| said(id).is_some_and(|value| value >= rule.item_from))
        })
        .then_some(one.saved_at)?
}
