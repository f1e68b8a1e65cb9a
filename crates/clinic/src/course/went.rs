//! How an infusion went, as it was charted: peaks, pauses, side effects. It stands beside the next order and answers what
//! advice asks. What nobody charted is unknown, never good.

use super::exposure::by_weight;
use crate::device::Parameter;
use crate::gate::Pressure;
use crate::id::RuleId;
use crate::knowledge::measure::Mg;
use crate::quantity::{Micrograms, plain};
use crate::session::{Felt, Finding, Session, StopReason};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What one playbook had to be opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideEffect {
    /// The highest grade.
    pub grade: u8,
    /// From the begin of the first to the end of the last, whole minutes; `None` while one is open.
    pub minutes: Option<i64>,
}

/// An infusion that ended before the dose that was ordered was in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoppedEarly {
    /// What went in,
    pub delivered: Mg,
    /// of so much.
    pub ordered: Mg,
    /// Why it was stopped.
    pub why: String,
}

impl std::fmt::Display for StoppedEarly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { delivered, ordered, why } = self;
        write!(f, "stopped early, delivered {delivered} of {ordered} ordered: {why}")
    }
}

/// One infusion as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Went {
    /// On that day.
    pub day: Option<Date>,
    /// Which of the course.
    pub number: u32,
    /// What went in.
    pub delivered: Micrograms,
    /// The same by dose weight, mg/kg.
    pub mg_per_kg: Option<Decimal>,
    /// What was ordered.
    pub ordered: Option<Micrograms>,
    /// The same by dose weight, mg/kg.
    pub ordered_mg_per_kg: Option<Decimal>,
    /// Ordered length.
    pub minutes: Option<Decimal>,
    /// Highest systolic and highest diastolic pressure charted from the start on, each by itself.
    pub highest: Option<Pressure>,
    /// Lowest saturation charted, %.
    pub lowest_spo2: Option<Decimal>,
    /// Lowest MOAA/S charted.
    pub lowest_moaas: Option<u8>,
    /// Highest distress, 0 to 10.
    pub distress: Option<u8>,
    /// Highest disconnection, 0 to 10.
    pub disconnected: Option<u8>,
    /// Worst nausea, 0 to 3.
    pub nausea: Option<u8>,
    /// How often it was paused.
    pub pauses: usize,
    /// Why it ended before its time.
    pub stopped: Option<String>,
    /// Side effects by playbook.
    pub side_effects: BTreeMap<String, SideEffect>,
    /// How well the patient bore it, 0 to 10, as said last.
    pub tolerated: Option<u8>,
    /// Mood as the patient said first once drug had flowed, and last, 0 to 10.
    pub mood: Option<(u8, u8)>,
    /// Pain, the same.
    pub pain: Option<(u8, u8)>,
    /// How it felt, in a word and in the patient's own, as said last.
    pub felt: Option<(Felt, String)>,
}

impl Went {
    /// Paused or stopped before its time.
    pub const fn was_interrupted(&self) -> bool {
        self.pauses > 0 || self.stopped.is_some()
    }

    /// What was given of it where it was stopped early.
    pub fn in_part(&self) -> Option<StoppedEarly> {
        let (why, ordered) = self.stopped.as_ref().zip(self.ordered)?;
        let [delivered, ordered] = [self.delivered, ordered].map(|mass| Mg(mass.decimal()));
        Some(StoppedEarly { delivered, ordered, why: why.clone() })
    }
}

/// How an infusion went up to now; `None` where none began.
pub fn went(session: &Session, now: Timestamp) -> Option<Went> {
    let started = session.delivery.started()?;
    let since = session.observations.iter().filter(|(seen, _, _)| seen.observed_at >= started);
    let found: Vec<&Finding> = since.map(|(seen, _, _)| &seen.finding).collect();
    let measured = |parameter: Parameter| {
        let values = found.iter().filter_map(move |finding| match finding {
            Finding::Vitals { values } => values.get(&parameter).map(|value| value.decimal()),
            _ => None,
        });
        values.collect::<Vec<_>>()
    };
    let scored = |pick: fn(&Finding) -> Option<u8>| found.iter().filter_map(move |finding| pick(finding));
    let first_and_last = |pick: fn(&Finding) -> Option<u8>| scored(pick).next().zip(scored(pick).next_back());
    let systolic = measured(Parameter::Systolic).into_iter().max();
    let diastolic = measured(Parameter::Diastolic).into_iter().max();
    let order = session.order.as_ref().map(|(order, _)| order);
    let delivered = session.delivered_mass(now);
    let early = session.ended.as_ref().filter(|(why, _, _)| *why == StopReason::StoppedEarly);
    Some(Went {
        day: session.day,
        number: session.infusion.0,
        delivered,
        mg_per_kg: order.and_then(|order| Some(by_weight(delivered, order.dose_weight)?.0)),
        ordered: order.map(|order| order.dose),
        ordered_mg_per_kg: order.and_then(|order| Some(by_weight(order.dose, order.dose_weight)?.0)),
        minutes: order.map(|order| order.minutes),
        highest: systolic.zip(diastolic).map(|(systolic, diastolic)| Pressure { systolic, diastolic }),
        lowest_spo2: measured(Parameter::Spo2).into_iter().min(),
        lowest_moaas: scored(moaas).min(),
        distress: scored(distress).max(),
        disconnected: scored(disconnected).max(),
        nausea: scored(nausea).max(),
        pauses: session.pauses.len(),
        stopped: early.map(|(_, reason, _)| reason.clone()),
        side_effects: side_effects(session),
        tolerated: scored(tolerated).next_back(),
        mood: first_and_last(mood),
        pain: first_and_last(pain),
        felt: found.iter().rev().find_map(|finding| match finding {
            Finding::Experience { felt, words } => Some((*felt, words.clone())),
            _ => None,
        }),
    })
}

fn side_effects(session: &Session) -> BTreeMap<String, SideEffect> {
    let playbooks: BTreeSet<&RuleId> =
        session.adverse_events.iter().map(|(event, _)| &event.playbook).collect();
    let of = |playbook: &RuleId| {
        let all = session.adverse_events.iter().filter(|(event, _)| event.playbook == *playbook);
        let ends: Option<Vec<Timestamp>> = all.clone().map(|(_, end)| Some(end.as_ref()?.0)).collect();
        let lasted = || {
            let (began, ended) =
                (all.clone().map(|(event, _)| event.began_at).min()?, ends?.into_iter().max()?);
            Some(ended.duration_since(began).as_mins())
        };
        let minutes = lasted();
        SideEffect { grade: all.map(|(event, _)| event.grade).max().unwrap_or_default(), minutes }
    };
    playbooks.into_iter().map(|playbook| (playbook.to_string(), of(playbook))).collect()
}

const fn tolerated(finding: &Finding) -> Option<u8> {
    if let Finding::Tolerated { score } = finding { Some(*score) } else { None }
}

const fn mood(finding: &Finding) -> Option<u8> {
    if let Finding::Mood { score } = finding { Some(*score) } else { None }
}

const fn pain(finding: &Finding) -> Option<u8> {
    if let Finding::Pain { score } = finding { Some(*score) } else { None }
}

const fn moaas(finding: &Finding) -> Option<u8> {
    if let Finding::MoaaS { score } = finding { Some(*score) } else { None }
}

const fn distress(finding: &Finding) -> Option<u8> {
    if let Finding::Distress { score } = finding { Some(*score) } else { None }
}

const fn disconnected(finding: &Finding) -> Option<u8> {
    if let Finding::Disconnected { score } = finding { Some(*score) } else { None }
}

const fn nausea(finding: &Finding) -> Option<u8> {
    if let Finding::Nausea { score } = finding { Some(*score) } else { None }
}

/// The infusions at the dose that was ordered last, early to late: what was delivered of it makes no dose of its own.
pub fn at_the_last_dose(infusions: &[Went]) -> &[Went] {
    let last = infusions.last().and_then(|last| last.ordered_mg_per_kg);
    let at_it = |went: &&Went| last.is_some() && went.ordered_mg_per_kg == last;
    let others = infusions.len() - infusions.iter().rev().take_while(at_it).count();
    infusions.get(others..).unwrap_or_default()
}

/// What the record itself answers of what advice asks about the infusions at one dose, by the name of the question.
/// Only what was charted at every one of them answers for all.
pub fn answers(at_the_dose: &[Went]) -> BTreeMap<&'static str, String> {
    let mut known = BTreeMap::new();
    if at_the_dose.is_empty() {
        return known;
    }
    let each =
        |pick: fn(&Went) -> Option<Decimal>| at_the_dose.iter().map(pick).collect::<Option<Vec<Decimal>>>();
    let interrupted = at_the_dose.iter().any(Went::was_interrupted);
    known.insert("paused_or_stopped", if interrupted { "yes" } else { "no" }.to_owned());
    let lowest = each(|went| went.lowest_moaas.map(Decimal::from)).and_then(|all| all.into_iter().min());
    let systolic = each(|went| went.highest.map(|highest| highest.systolic));
    let diastolic = each(|went| went.highest.map(|highest| highest.diastolic));
    let peaks = [
        ("lowest_moaas", lowest),
        ("highest_systolic", systolic.and_then(|all| all.into_iter().max())),
        ("highest_diastolic", diastolic.and_then(|all| all.into_iter().max())),
    ];
    known.extend(peaks.into_iter().filter_map(|(name, peak)| Some((name, plain(peak?)))));
    known
}
