//! A scale that an answer on another one asks for: due at once, until it is answered.

use super::questionnaire::{CONSULTATION, Questionnaire, Questionnaires};
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

/// When something was answered, and when that was written down: of two in one minute the later one counts as later.
type Moment = (Timestamp, Timestamp);

/// The newest answer that asks for this scale and came after it was answered last; `None` where none does. `elsewhere`
/// is the day on which it was answered at a consultation, from and until: it answers what was asked there on that day,
/// and else only what was asked before that day.
pub fn asked_for(
    item: &Item<Scale>,
    all: &Questionnaires,
    elsewhere: Option<(Timestamp, Timestamp)>,
    knowledge: &Knowledge,
) -> Option<AskedFor> {
    let standing = || all.all.values().filter(|one| one.voided.is_none());
    let own = standing().filter(|one| one.scale == item.header.id).filter_map(|one| {
        let (answered, _, written) = one.answered.as_ref()?;
        answered.result.complete.then_some((answered.at, *written))
    });
    let own = own.max();
    let is_open = |one: &Questionnaire, asked: Moment| {
        let there = one.answered.as_ref().is_some_and(|(answered, ..)| answered.form == CONSULTATION);
        let consulted = elsewhere.map(|(from, until)| if there { until } else { from });
        own.max(consulted.map(|at| (at, at))).is_none_or(|answered| answered < asked)
    };
    let asking = standing().filter_map(|one| {
        let by = knowledge.scale(&one.scale)?;
        let asked = asks(by, one, &item.header.id).filter(|asked| is_open(one, *asked))?;
        Some(AskedFor { since: asked.0, by: by.header.title.clone() })
    });
    asking.max_by_key(|one| one.since)
}

/// When an answer of a questionnaire asked for that scale. What is saved asks before the form is sent.
fn asks(by: &Item<Scale>, one: &Questionnaire, wanted: &str) -> Option<Moment> {
    let mut rules = by.body.flags.iter().filter(|rule| rule.asks.as_deref() == Some(wanted));
    if let Some((answered, _, written)) = &one.answered {
        let flags = score(by, &answered.given, None).ok()?.flags;
        return rules
            .any(|rule| flags.iter().any(|flag| flag.id == rule.id))
            .then_some((answered.at, *written));
    }
    // One that was taken back has called somebody all the same.
    let called = !one.tasks.is_empty();
    let said = |id: &String| one.saved.get(id).copied().flatten();
    rules
        .any(|rule| {
            called || rule.items.iter().any(|id| said(id).is_some_and(|value| value >= rule.item_from))
        })
        .then_some(one.saved_at)?
        .map(|at| (at, at))
}
