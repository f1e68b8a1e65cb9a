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

/// Rescue drugs of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rescue {
    /// None was given.
    NotGiven,
    /// The last one was given then.
    LastAt(Timestamp),
}

/// How dissociation was judged to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dissociation {
    /// Total of the CADSS.
    Cadss(Decimal),
    /// Total of the CADSS-6.
    Cadss6(Decimal),
    /// A clinician says whether the patient is as before.
    AsBefore(bool),
}

/// Everything that discharge looks at. `None` is missing, which holds.
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
    /// Rescue drugs.
    pub rescue: Option<Rescue>,
    /// Mean before the infusion.
    pub baseline: Vitals,
    /// Now.
    pub now: Vitals,
    /// MOAA/S now.
    pub moaas: Option<Decimal>,
    /// Dissociation now.
    pub dissociation: Option<Dissociation>,
    /// Nausea 0 to 3.
    pub nausea: Option<Decimal>,
    /// Items of the discharge score, 0 to 2.
    pub score: BTreeMap<String, u32>,
    /// Modified Aldrete score, where the clinic uses it.
    pub aldrete: Option<u32>,
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
    check_vitals(header, criteria, inputs, &mut findings);
    check_mind(header, criteria, inputs, &mut findings);
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
    let counted = check_score(score_header, score, criteria, inputs, &mut findings);
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

fn check_vitals(header: &Header, criteria: &Criteria, inputs: &DischargeInputs, findings: &mut Vec<Finding>) {
    let mut hold = |reason: String| findings.push(Finding::new(header, Verdict::Hold, reason));
    match (inputs.now.pressure, inputs.baseline.pressure) {
        (Some(now), Some(before)) => {
            let far = |now: Decimal, before: Decimal| {
                percent_apart(now, before).is_none_or(|p| p > criteria.pressure_within_percent)
            };
            if far(now.systolic, before.systolic) || far(now.diastolic, before.diastolic) {
                hold(format!(
                    "blood pressure {now}, before {before}: not within {} %",
                    plain(criteria.pressure_within_percent)
                ));
            }
            if now.systolic >= criteria.systolic_below || now.diastolic >= criteria.diastolic_below {
                hold(format!(
                    "blood pressure {now}, must be below {}/{}",
                    plain(criteria.systolic_below),
                    plain(criteria.diastolic_below)
                ));
            }
        }
        _ => hold("missing: blood pressure now or before".to_owned()),
    }
    let [low, high] = criteria.heart_rate;
    match inputs.now.heart_rate {
        None => hold("missing: heart rate".to_owned()),
        Some(rate) if rate < low || rate > high => {
            hold(format!("heart rate {}, must be {} to {}", plain(rate), plain(low), plain(high)));
        }
        Some(_) => {}
    }
    // Who came with a low saturation goes home with it; a higher baseline asks for no more than the limit.
    let needed = inputs.baseline.spo2.map_or(criteria.spo2_from, |before| before.min(criteria.spo2_from));
    match inputs.now.spo2 {
        None => hold("missing: oxygen saturation".to_owned()),
        Some(spo2) if spo2 < needed => {
            hold(format!("oxygen saturation {}, must be {}", plain(spo2), plain(needed)))
        }
        Some(_) => {}
    }
}

fn check_mind(header: &Header, criteria: &Criteria, inputs: &DischargeInputs, findings: &mut Vec<Finding>) {
    let mut hold = |reason: String| findings.push(Finding::new(header, Verdict::Hold, reason));
    match inputs.moaas {
        None => hold("missing: MOAA/S".to_owned()),
        Some(score) if score < criteria.moaas => {
            hold(format!("MOAA/S {}, must be {}", plain(score), plain(criteria.moaas)))
        }
        Some(_) => {}
    }
    match inputs.dissociation {
        None => hold("missing: dissociation".to_owned()),
        Some(Dissociation::Cadss(total)) if total > criteria.cadss_to => {
            hold(format!("CADSS {}, limit {}", plain(total), plain(criteria.cadss_to)));
        }
        Some(Dissociation::Cadss6(total)) if total > criteria.cadss6_to => {
            hold(format!("CADSS-6 {}, limit {}", plain(total), plain(criteria.cadss6_to)));
        }
        Some(Dissociation::AsBefore(false)) => hold("not as before, says the clinician".to_owned()),
        Some(_) => {}
    }
    match inputs.nausea {
        None => hold("missing: nausea".to_owned()),
        Some(grade) if grade > criteria.nausea_to => {
            hold(format!("nausea {}, limit {}", plain(grade), plain(criteria.nausea_to)))
        }
        Some(_) => {}
    }
}

fn check_score(
    header: &Header,
    score: &Score,
    criteria: &Criteria,
    inputs: &DischargeInputs,
    findings: &mut Vec<Finding>,
) -> Option<ScoreResult> {
    let mut items = inputs.score.clone();
    if let Some(computed) = padss_vital_signs(score, &inputs.baseline, &inputs.now) {
        items
            .entry("vital_signs".to_owned())
            .and_modify(|tapped| *tapped = computed.min(*tapped))
            .or_insert(computed);
    }
    match (padss(score, &items), inputs.aldrete) {
        (counted, Some(aldrete)) if aldrete >= criteria.aldrete_from => counted.ok(),
        (Ok(counted), _) => {
            if !counted.pass {
                let reason = format!("discharge score {} of {}", counted.total, counted.of);
                findings.push(Finding::new(header, Verdict::Hold, reason));
            }
            Some(counted)
        }
        (Err(missing), _) => {
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
