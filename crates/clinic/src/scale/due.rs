//! When a scale is due, counted from the infusions of each series. What was due once stays in the list, whatever
//! infusion comes after.

use crate::knowledge::scales::{Anchor, Condition, DueRule, Scale};
use crate::outcome::Infusion;
use jiff::{SignedDuration, Timestamp};

/// Windows of one rule at most; a scale that is due each day for years is cut here.
const WINDOWS_MAX: usize = 2_000;

/// One time at which the scale is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What for, in words.
    pub title: String,
    /// Which infusion of its series it is counted from; the first is 1.
    pub infusion: usize,
    /// May be answered from,
    pub opens: Timestamp,
    /// until.
    pub closes: Timestamp,
    /// How it stands.
    pub state: DueState,
}

/// How a due date stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueState {
    /// Not open yet.
    Coming,
    /// To be answered now.
    Open,
    /// Answered while it was open, at that time.
    Answered(Timestamp),
    /// Closed without an answer. It stays in the list: what is missing is shown as missing.
    Missed,
}

/// Every due date of a scale that opened by `now`, and the next of each rule, in order of time.
///
/// `infusions` are those of all series in order of time, planned ones included; `answered` is when this scale was
/// answered. `conditions` are what the patient is treated for.
pub fn due(
    scale: &Scale,
    infusions: &[Infusion],
    answered: &[Timestamp],
    conditions: &[Condition],
    now: Timestamp,
) -> Vec<Due> {
    let concerns = |rule: &&DueRule| {
        rule.conditions.is_empty() || rule.conditions.iter().any(|condition| conditions.contains(condition))
    };
    let mut all = Vec::new();
    for rule in scale.due.iter().filter(concerns) {
        for run in runs(rule, infusions) {
            windows(rule, &run, answered, now, &mut all);
        }
    }
    all.sort_by_key(|due| (due.opens, due.closes));
    all
}

/// Windows that are counted from one infusion.
struct Run {
    /// Its place in its series, from 1.
    infusion: usize,
    start: Timestamp,
    /// The infusion that takes its place: nothing of this run opens from then on.
    until: Option<Timestamp>,
}

fn runs(rule: &DueRule, infusions: &[Infusion]) -> Vec<Run> {
    let mut nth = 0;
    let placed: Vec<(usize, &Infusion)> = infusions
        .iter()
        .map(|infusion| {
            nth = if infusion.number == 1 { 1 } else { nth + 1 };
            (nth, infusion)
        })
        .collect();
    let next = |place: usize, takes_over: fn(usize) -> bool| {
        let mut later = placed.iter().skip(place + 1);
        later.find(|(nth, _)| takes_over(*nth)).map(|(_, infusion)| infusion.at)
    };
    let run = |(place, (nth, infusion)): (usize, &(usize, &Infusion))| {
        let (counts, until) = match rule.anchor {
            Anchor::First => (*nth == 1, next(place, |nth| nth == 1)),
            Anchor::Each => (*nth >= rule.from as usize && nth % rule.every.max(1) as usize == 0, None),
            Anchor::Last => (infusion.number >= infusion.of, next(place, |_| true)),
            Anchor::Newest => (true, next(place, |_| true)),
        };
        counts.then_some(Run { infusion: *nth, start: infusion.at, until })
    };
    placed.iter().enumerate().filter_map(run).collect()
}

fn windows(rule: &DueRule, run: &Run, answered: &[Timestamp], now: Timestamp, all: &mut Vec<Due>) {
    let times = match (rule.repeat_h, rule.times) {
        (None, _) => 1,
        (Some(_), times) => times.map_or(WINDOWS_MAX, |times| times as usize).min(WINDOWS_MAX),
    };
    for turn in 0..times {
        let shift = i64::try_from(turn).unwrap_or(i64::MAX).saturating_mul(rule.repeat_h.unwrap_or(0));
        let at =
            |hours: i64| run.start.checked_add(SignedDuration::from_hours(hours.saturating_add(shift))).ok();
        let Some((opens, closes)) = at(rule.opens_h).zip(at(rule.closes_h)) else { return };
        if run.until.is_some_and(|until| opens >= until) {
            return;
        }
        all.push(Due {
            title: rule.title.clone(),
            infusion: run.infusion,
            opens,
            closes,
            state: state(opens, closes, answered, now),
        });
        if opens > now {
            return;
        }
    }
}

fn state(opens: Timestamp, closes: Timestamp, answered: &[Timestamp], now: Timestamp) -> DueState {
    let in_time = |at: &&Timestamp| opens <= **at && **at <= closes && **at <= now;
    // The first one given counts, in whatever order they are listed.
    match answered.iter().filter(in_time).min() {
        Some(at) => DueState::Answered(*at),
        None if now < opens => DueState::Coming,
        None if now <= closes => DueState::Open,
        None => DueState::Missed,
    }
}
