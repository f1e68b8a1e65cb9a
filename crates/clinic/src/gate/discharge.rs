//! Whether a patient may go home, and when at the earliest.

use super::{Assessment, Finding, Override, Pressure, Verdict, no_rule};
use crate::knowledge::discharge::{Criteria, Discharge, Score};
use crate::knowledge::gates::{Answer, Answers};
use crate::knowledge::{Header, Knowledge};
use crate::quantity::plain;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was found, and when it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found<T> {
    /// What.
    pub value: T,
    /// When it was seen, not when it was typed.
    pub at: Timestamp,
}

/// Vital signs at one moment; what was not measured is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// Cuff.
    pub pressure: Option<Pressure>,
    /// Beats a minute.
    pub heart_rate: Option<Decimal>,
    /// Room air, %.
    pub spo2: Option<Decimal>,
}

/// The last of each vital sign; each may be of another moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastVitals {
    /// Cuff; as old as the older of its two numbers.
    pub pressure: Option<Found<Pressure>>,
    /// Beats a minute.
    pub heart_rate: Option<Found<Decimal>>,
    /// Room air, %.
    pub spo2: Option<Found<Decimal>>,
}

impl LastVitals {
    /// The numbers, however old.
    pub fn values(&self) -> Vitals {
        Vitals {
            pressure: self.pressure.map(|found| found.value),
            heart_rate: self.heart_rate.map(|found| found.value),
            spo2: self.spo2.map(|found| found.value),
        }
    }
}

/// Rescue drugs of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rescue {
    /// None was given.
    NotGiven,
    /// The last one was given then.
    LastAt(Timestamp),
}

/// Everything that discharge looks at. `None` is missing, which holds; so does what was found too long ago.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DischargeInputs {
    /// Start of the infusion, by the log.
    pub started_at: Option<Timestamp>,
    /// End of the infusion, by the log.
    pub ended_at: Option<Timestamp>,
    /// Number of the infusion of this patient, from 1.
    pub infusion: Option<u32>,
    /// Whether it was paused.
    pub paused: Option<bool>,
    /// Rescue drugs, by any route.
    pub rescue: Option<Rescue>,
    /// Mean before the infusion.
    pub baseline: Vitals,
    /// Since the end.
    pub now: LastVitals,
    /// MOAA/S.
    pub moaas: Option<Found<Decimal>>,
    /// Whether the mind is as before, says a clinician.
    pub as_before: Option<Found<bool>>,
    /// Nausea 0 to 3.
    pub nausea: Option<Found<Decimal>>,
    /// Items of the discharge score, 0 to 2.
    pub score: Option<Found<BTreeMap<String, u32>>>,
    /// Statements of the criteria, by fact.
    pub answers: Answers,
}

/// What discharge says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DischargeAssessment {
    /// Not before then; `None` while start, end or what happened is missing.
    pub earliest: Option<Timestamp>,
    /// The discharge score as far as it can be counted.
    pub score: Option<ScoreResult>,
    /// `Pass` only when every criterion holds.
    pub assessment: Assessment,
}

/// A counted score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreResult {
    /// By item.
    pub items: BTreeMap<String, u32>,
    /// Sum.
    pub total: u32,
    /// Most that the answered items can give.
    pub of: u32,
    /// Whether it passes.
    pub pass: bool,
}

/// Judges all criteria at `at`.
pub fn discharge(inputs: &DischargeInputs, at: Timestamp, knowledge: &Knowledge) -> DischargeAssessment {
    let criteria = knowledge.discharge.iter().find_map(|item| match &item.body {
        Discharge::Criteria(criteria) => Some((&item.header, criteria.as_ref())),
        Discharge::Score(_) => None,
    });
    let score = knowledge.discharge.iter().find_map(|item| match &item.body {
        Discharge::Score(score) => Some((&item.header, score)),
        Discharge::Criteria(_) => None,
    });
    let (Some((header, criteria)), Some((score_header, score))) = (criteria, score) else {
        return DischargeAssessment {
            earliest: None,
            score: None,
            assessment: vec![no_rule("discharge")].into(),
        };
    };
    let mut findings = Vec::new();
    let earliest = earliest_of(header, criteria, inputs, at, &mut findings);
    check_vitals(header, criteria, inputs, at, &mut findings);
    check_mind(header, criteria, inputs, at, &mut findings);
    for statement in &criteria.yes {
        match inputs.answers.get(&statement.fact) {
            Some(Answer::Yes(true)) => {}
            Some(Answer::Yes(false)) => {
                findings.push(
                    Finding::new(header, Verdict::Hold, format!("{}: no", statement.ask))
                        .with(&statement.fact, "no"),
                );
            }
            _ => {
                let asked = format!("missing: {}", statement.ask);
                findings.push(Finding::new(header, Verdict::Hold, asked).with(&statement.fact, "missing"));
            }
        }
    }
    let mut hold = |reason| findings.push(Finding::new(header, Verdict::Hold, reason));
    fresh("discharge score", inputs.score.as_ref(), criteria, at, &mut hold);
    let counted = check_score(score_header, score, inputs, &mut findings);
    // Going home against the criteria is another act with another name, never an override of this one.
    let assessment = findings.into_iter().map(|f| f.only_by(Override::Never)).collect::<Vec<_>>().into();
    DischargeAssessment { earliest, score: counted, assessment }
}

/// Earliest discharge. `complicated`: it was paused, or a rescue drug was given, the last one at `rescue_drug_at`.
pub fn earliest_discharge(
    criteria: &Criteria,
    start: Timestamp,
    end: Timestamp,
    infusion: u32,
    complicated: bool,
    rescue_drug_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let plus = |from: Timestamp, minutes: i64| from.checked_add(SignedDuration::from_mins(minutes)).ok();
    let mut earliest = plus(end, criteria.end_plus_min)?;
    if complicated || infusion <= criteria.careful_infusions {
        earliest = earliest.max(plus(start, criteria.careful_start_plus_min)?);
    }
    if let Some(given) = rescue_drug_at {
        earliest = earliest.max(plus(given, criteria.after_rescue_drug_min)?);
    }
    Some(earliest)
}

fn earliest_of(
    header: &Header,
    criteria: &Criteria,
    inputs: &DischargeInputs,
    at: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<Timestamp> {
    let known =
        inputs.started_at.zip(inputs.ended_at).zip(inputs.infusion).zip(inputs.paused).zip(inputs.rescue);
    let Some(((((start, end), infusion), paused), rescue)) = known else {
        findings.push(Finding::missing(header, "start, end, number, pauses or rescue drugs of the infusion"));
        return None;
    };
    let given = match rescue {
        Rescue::NotGiven => None,
        Rescue::LastAt(at) => Some(at),
    };
    let earliest = earliest_discharge(criteria, start, end, infusion, paused || given.is_some(), given)?;
    if at < earliest {
        let left = (earliest.duration_since(at).as_secs() + 59) / 60;
        findings.push(
            Finding::new(header, Verdict::Hold, format!("{left} min too early")).with("earliest", earliest),
        );
    }
    Some(earliest)
}

/// What was found, if it may be judged by; what is missing or too old holds.
fn fresh<'f, T>(
    what: &str,
    found: Option<&'f Found<T>>,
    criteria: &Criteria,
    at: Timestamp,
    hold: &mut impl FnMut(String),
) -> Option<&'f T> {
    let Some(found) = found else {
        hold(format!("missing: {what}"));
        return None;
    };
    let (age_s, most_min) = (at.duration_since(found.at).as_secs(), criteria.found_within_min);
    if age_s > most_min.saturating_mul(60) {
        let age_min = age_s.saturating_add(59) / 60;
        hold(format!("{what} is {age_min} min old, at most {most_min} min; look again"));
        return None;
    }
    Some(&found.value)
}

fn check_vitals(
    header: &Header,
    criteria: &Criteria,
    inputs: &DischargeInputs,
    at: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let mut hold = |reason: String| findings.push(Finding::new(header, Verdict::Hold, reason));
    if let Some(now) = fresh("blood pressure", inputs.now.pressure.as_ref(), criteria, at, &mut hold) {
        check_pressure(*now, inputs.baseline.pressure, criteria, &mut hold);
    }
    let [low, high] = criteria.heart_rate;
    match fresh("heart rate", inputs.now.heart_rate.as_ref(), criteria, at, &mut hold) {
        Some(rate) if *rate < low || *rate > high => {
            hold(format!("heart rate {}, must be {} to {}", plain(*rate), plain(low), plain(high)));
        }
        _ => {}
    }
    // Who came with a low saturation goes home with it; a higher baseline asks for no more than the limit.
    let needed = inputs.baseline.spo2.map_or(criteria.spo2_from, |before| before.min(criteria.spo2_from));
    match fresh("oxygen saturation", inputs.now.spo2.as_ref(), criteria, at, &mut hold) {
        Some(spo2) if *spo2 < needed => {
            hold(format!("oxygen saturation {}, must be {}", plain(*spo2), plain(needed)));
        }
        _ => {}
    }
}

fn check_pressure(
    now: Pressure,
    before: Option<Pressure>,
    criteria: &Criteria,
    hold: &mut impl FnMut(String),
) {
    let within = criteria.pressure_within_percent;
    let far = |now: Decimal, before: Decimal| percent_apart(now, before).is_none_or(|p| p > within);
    match before {
        None => hold("missing: blood pressure before the infusion".to_owned()),
        Some(before) if far(now.systolic, before.systolic) || far(now.diastolic, before.diastolic) => {
            hold(format!("blood pressure {now}, before {before}: not within {} %", plain(within)));
        }
        Some(_) => {}
    }
    if now.systolic >= criteria.systolic_below || now.diastolic >= criteria.diastolic_below {
        let (systolic, diastolic) = (plain(criteria.systolic_below), plain(criteria.diastolic_below));
        hold(format!("blood pressure {now}, must be below {systolic}/{diastolic}"));
    }
}

fn check_mind(
    header: &Header,
    criteria: &Criteria,
    inputs: &DischargeInputs,
    at: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let mut hold = |reason: String| findings.push(Finding::new(header, Verdict::Hold, reason));
    match fresh("MOAA/S", inputs.moaas.as_ref(), criteria, at, &mut hold) {
        Some(score) if *score < criteria.moaas => {
            hold(format!("MOAA/S {}, must be {}", plain(*score), plain(criteria.moaas)));
        }
        _ => {}
    }
    if fresh("dissociation", inputs.as_before.as_ref(), criteria, at, &mut hold) == Some(&false) {
        hold("dissociation not over, says the clinician".to_owned());
    }
    match fresh("nausea", inputs.nausea.as_ref(), criteria, at, &mut hold) {
        Some(grade) if *grade > criteria.nausea_to => {
            hold(format!("nausea {}, limit {}", plain(*grade), plain(criteria.nausea_to)));
        }
        _ => {}
    }
}

fn check_score(
    header: &Header,
    score: &Score,
    inputs: &DischargeInputs,
    findings: &mut Vec<Finding>,
) -> Option<ScoreResult> {
    let mut items = inputs.score.as_ref()?.value.clone();
    if let Some(computed) = padss_vital_signs(score, &inputs.baseline, &inputs.now.values()) {
        items
            .entry("vital_signs".to_owned())
            .and_modify(|tapped| *tapped = computed.min(*tapped))
            .or_insert(computed);
    }
    match padss(score, &items) {
        Ok(counted) => {
            if !counted.pass {
                let reason = format!("discharge score {} of {}", counted.total, counted.of);
                findings.push(Finding::new(header, Verdict::Hold, reason));
            }
            Some(counted)
        }
        Err(missing) => {
            findings.push(Finding::missing(header, &missing));
            None
        }
    }
}

/// Counts the discharge score. The last item may be left out, every other one is needed.
///
/// # Errors
/// The item that is missing or out of range.
pub fn padss(score: &Score, given: &BTreeMap<String, u32>) -> Result<ScoreResult, String> {
    let mut result = ScoreResult { items: BTreeMap::new(), total: 0, of: 0, pass: false };
    for (nth, item) in score.items.iter().enumerate() {
        let is_last = nth + 1 == score.items.len();
        match given.get(&item.id) {
            Some(points) if (*points as usize) < item.answers.len() => {
                result.items.insert(item.id.clone(), *points);
                result.total += points;
                result.of += 2;
            }
            Some(points) => return Err(format!("{}: {points} is not 0 to 2", item.title)),
            None if is_last => {}
            None => return Err(item.title.clone()),
        }
    }
    let needed =
        if result.items.len() == score.items.len() { score.pass_at } else { score.pass_at_without_intake };
    result.pass = result.total >= needed;
    Ok(result)
}

/// The vital-sign item from the numbers: the worst of systolic, diastolic and heart rate counts. `None` when one
/// of them is missing.
pub fn padss_vital_signs(score: &Score, before: &Vitals, now: &Vitals) -> Option<u32> {
    let (pressure, was) = now.pressure.zip(before.pressure)?;
    let (rate, rate_was) = now.heart_rate.zip(before.heart_rate)?;
    let pairs = [(pressure.systolic, was.systolic), (pressure.diastolic, was.diastolic), (rate, rate_was)];
    let points = pairs.into_iter().map(|(now, before)| match percent_apart(now, before) {
        Some(apart) if apart <= score.vital_signs_two_within_percent => 2,
        Some(apart) if apart <= score.vital_signs_one_within_percent => 1,
        _ => 0,
    });
    points.min()
}

/// Distance from before, in percent of before; `None` when that is 0.
fn percent_apart(now: Decimal, before: Decimal) -> Option<Decimal> {
    let apart = now.saturating_sub(before).abs().checked_div(before.abs())?;
    Some(apart.saturating_mul(Decimal::ONE_HUNDRED))
}
