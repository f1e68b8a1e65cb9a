//! What is known of each check of the long-term safety: when it was made, what came out, and whether the patient has
//! answered anything since that asks for it again.

use super::command::Refusal;
use super::event::{Event, Judged, Recorded};
use super::exposure::{Known, Newer};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::knowledge::long_term::{Check, LongTerm};
use crate::scale::questionnaire::{Answered, Questionnaires};
use crate::scale::score;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A check as it was recorded: made on, and written down at.
type Made = (Date, Timestamp);

impl Known {
    /// Takes a result in. One that is milder than what holds waits: nobody but a prescriber lets it count.
    fn takes(&mut self, on: Date, judged: Judged, result: &str) {
        // Of two on one day the later entry stands: it puts the other right.
        if self.last_done.is_some_and(|done| done > on) {
            return;
        }
        self.last_done = Some(on);
        self.decided &= judged != Judged::Stop;
        if self.judged.holds() && judged < self.judged {
            self.newer = Some(Newer { on, judged, result: result.to_owned() });
        } else {
            (self.judged, self.result, self.newer) = (judged, result.to_owned(), None);
        }
    }

    /// A prescriber accepted that result.
    fn accepts(&mut self, on: Date, result: &str) {
        if let Some(newer) = self.newer.take_if(|newer| newer.on == on && newer.result == result) {
            (self.judged, self.result) = (newer.judged, newer.result);
        }
    }
}

/// That the result which a prescriber has read is the one that waits.
///
/// # Errors
/// Says so where another came meanwhile, or nothing waits.
pub fn may_accept(
    known: &BTreeMap<String, Known>,
    check: &RuleId,
    (on, result): (Date, &str),
) -> Result<(), Refusal> {
    let waits = known.get(check.as_str()).and_then(|known| known.newer.as_ref());
    if waits.is_some_and(|newer| newer.on == on && newer.result == result) {
        return Ok(());
    }
    let accepted = match waits {
        Some(newer) => format!("the newest one, of {}: {}", newer.on, newer.result),
        None => "one that waits for a prescriber".to_owned(),
    };
    let value = format!("of {on}: {result}");
    Err(Refusal::OutOfRange { field: "check", what: "The result", value, accepted })
}

/// By the id of the check; what is not there was never made, and nobody complains.
pub fn known<'a>(
    history: impl IntoIterator<Item = &'a Recorded>,
    answers: &Questionnaires,
    knowledge: &Knowledge,
) -> BTreeMap<String, Known> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    let mut made: BTreeMap<String, Vec<Made>> = BTreeMap::new();
    for recorded in history {
        match &recorded.event {
            Event::CheckMade { check, on, result, judged } => {
                made.entry(check.0.clone()).or_default().push((*on, recorded.at));
                all.entry(check.0.clone()).or_default().takes(*on, *judged, result);
            }
            Event::ResultAccepted { check, on, result, .. } => {
                if let Some(known) = all.get_mut(check.as_str()) {
                    known.accepts(*on, result);
                }
            }
            Event::CheckOverridden { finding, .. } => {
                all.entry(finding.rule.0.clone()).or_default().decided = true;
            }
            _ => {}
        }
    }
    for item in knowledge.long_term.iter() {
        let LongTerm::Check(check) = &item.body else { continue };
        let since = made.get(&item.header.id).map_or(&[][..], Vec::as_slice);
        if complains(check, answers, since, knowledge) {
            all.entry(item.header.id.clone()).or_default().complaint = true;
        }
    }
    all
}

/// The same where what the screening has seen counts as the first of a check that was never made: by the id of the check,
/// with its day.
#[must_use]
pub fn since_screening(
    mut known: BTreeMap<String, Known>,
    seen: BTreeMap<String, Date>,
) -> BTreeMap<String, Known> {
    for (check, day) in seen {
        let known = known.entry(check).or_default();
        known.last_done = known.last_done.or(Some(day));
    }
    known
}

/// Results that say stop and that no prescriber has decided against since: no infusion may follow on them. Each in words.
pub fn stops(known: &BTreeMap<String, Known>, knowledge: &Knowledge) -> Vec<String> {
    let standing = known.iter().filter(|(_, known)| known.judged == Judged::Stop && !known.decided);
    let told = standing.map(|(check, known)| {
        let title = knowledge.header(check).map_or(check.as_str(), |header| &header.title);
        let on = known.last_done.unwrap_or_default();
        format!("{title}, {on}: stop — {}. A prescriber decides at the course.", known.result)
    });
    told.collect()
}

fn complains(check: &Check, answers: &Questionnaires, made: &[Made], knowledge: &Knowledge) -> bool {
    check.complaint_by.iter().any(|by| {
        let Some(scale) = knowledge.scale(&by.scale) else { return false };
        let counting = answers.all.values().filter(|one| one.scale == by.scale && one.voided.is_none());
        let mut answered = counting.filter_map(|one| one.answered.as_ref());
        answered.any(|(said, _, entered)| {
            // An answer keeps the words of a flag; by which rule they were said, its score tells.
            let raised = score(scale, &said.given, None);
            let is = raised.is_ok_and(|score| score.flags.iter().any(|flag| flag.id == by.flag));
            is && !made.iter().any(|one| came_after(*one, said, *entered))
        })
    })
}

/// The check was written down when the answer was known, and was not made on a day before it. The days of a clinic and
/// of UTC may differ by one.
fn came_after((on, recorded): Made, said: &Answered, entered: Timestamp) -> bool {
    let answered = said.at.to_zoned(TimeZone::UTC).date();
    recorded >= entered && answered.yesterday().is_ok_and(|before| on >= before)
}
