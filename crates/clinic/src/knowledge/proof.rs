//! Worked cases of gates, limits, interactions, advice and discharge: each file says what must come out, and the
//! real judgement is asked.

use super::advice::Advice;
use super::discharge::Discharge;
use super::gates::{Answers, Gate};
use super::interactions::{Interaction, Medicine};
use super::limits::{Action, Condition, Limits, Priority, SignLimits, readings_of};
use super::{Item, Knowledge};
use crate::course::advice::{AtThisDose, FirstDose, Suggestion, first_dose, next_dose};
use crate::device::{DevicePriority, Parameter};
use crate::gate::{self, FutilityAdvice, NextInterval, Pressure, Verdict};
use crate::monitor::breach::{Breaches, Weighed};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

fn read<T: DeserializeOwned>(example: &toml::Table) -> Result<T, String> {
    T::deserialize(example.clone()).map_err(|e| e.to_string())
}

fn same<T: PartialEq + Debug>(came: &T, wanted: &T) -> Result<(), String> {
    if came == wanted { Ok(()) } else { Err(format!("expected {wanted:?}, came {came:?}")) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignCase {
    given: Vec<Decimal>,
    baseline: Option<Decimal>,
    every_s: i64,
    #[serde(default)]
    charted: bool,
    action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymptomCase {
    symptom: String,
    action: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlausibleCase {
    given: BTreeMap<Parameter, Decimal>,
    #[serde(default)]
    suspect: BTreeSet<Parameter>,
    /// The last values of the same patient.
    #[serde(default)]
    before: BTreeMap<Parameter, Decimal>,
    /// What a person who types these is asked about.
    asked: Option<BTreeSet<Parameter>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchCase {
    condition: Condition,
    after_s: i64,
    priority: Option<Priority>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertCase {
    refid: String,
    priority: Priority,
}

pub(super) fn limit(limits: &Limits, example: &toml::Table) -> Result<(), String> {
    match limits {
        Limits::Sign(sign) => {
            let case: SignCase = read(example)?;
            same(&worst_of(sign, &case), &case.action)
        }
        Limits::Symptoms(symptoms) => {
            let case: SymptomCase = read(example)?;
            let symptom = symptoms.symptoms.iter().find(|s| s.id == case.symptom).ok_or("no such symptom")?;
            same(&symptom.action, &case.action)
        }
        Limits::Plausibility(plausibility) => {
            let case: PlausibleCase = read(example)?;
            let doubted = |(parameter, value): &(&Parameter, &Decimal)| {
                plausibility.doubt(**parameter, **value, case.before.get(parameter).copied()).is_some()
            };
            if let Some(asked) = &case.asked {
                let doubted = case.given.iter().filter(doubted).map(|(parameter, _)| *parameter);
                same(&doubted.collect(), asked)?;
            }
            same(&plausibility.suspect(&readings_of(&case.given)), &case.suspect)
        }
        Limits::Watch(watch) => {
            let case: WatchCase = read(example)?;
            let technical = watch.technical(case.condition).ok_or("no such condition")?;
            same(&technical.step(case.after_s).map(|step| step.priority), &case.priority)
        }
        Limits::DeviceAlerts(alerts) => {
            let case: AlertCase = read(example)?;
            same(&alerts.priority(&case.refid, DevicePriority::Unknown), &case.priority)
        }
    }
}

fn worst_of(limits: &SignLimits, case: &SignCase) -> Option<Action> {
    let mut breaches = Breaches::default();
    let mut at = Timestamp::UNIX_EPOCH;
    let mut worst = None;
    for value in &case.given {
        let seen = Weighed { value: *value, at_once: limits.asks_at_once(case.charted) };
        breaches.take(at, seen, &limits.rules, case.baseline);
        worst = worst.max(breaches.worst(at, &limits.rules).map(|rule| rule.action));
        at = at.checked_add(SignedDuration::from_secs(case.every_s)).unwrap_or(at);
    }
    worst
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersCase {
    given: Answers,
    verdict: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandCase {
    given: Vec<[i32; 2]>,
    band: String,
    verdict: Verdict,
}

pub(super) fn gate(item: &Item<Gate>, example: &toml::Table) -> Result<(), String> {
    match &item.body {
        Gate::Questions(questions) => {
            let case: AnswersCase = read(example)?;
            same(&gate::questions(&item.header, questions, &case.given).verdict(), &case.verdict)
        }
        Gate::BpBands(bands) => {
            let case: BandCase = read(example)?;
            let readings: Vec<Pressure> = case.given.iter().map(|[s, d]| Pressure::new(*s, *d)).collect();
            let came = gate::judge_pressure(&item.header, bands, &readings, Some(&BTreeSet::new()));
            same(&came.assessment.verdict(), &case.verdict)?;
            same(&came.band, &Some(case.band))
        }
        Gate::VitalsBands(bands) => {
            let case: AnswersCase = read(example)?;
            same(&gate::judge_vitals(&item.header, bands, &case.given).verdict(), &case.verdict)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MedicineCase {
    medicine: Medicine,
    verdict: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EquivalentCase {
    table: String,
    ingredient: String,
    daily_mg: Decimal,
    diazepam_mg: Decimal,
}

pub(super) fn interaction(
    item: &Item<Interaction>,
    example: &toml::Table,
    all: &Knowledge,
) -> Result<(), String> {
    match &item.body {
        Interaction::Rule(_) => {
            let case: MedicineCase = read(example)?;
            let came = gate::medicines(&[case.medicine], all).assessment;
            let own = came.findings.iter().find(|finding| finding.rule.as_str() == item.header.id);
            same(&own.map(|finding| finding.verdict), &Some(case.verdict))
        }
        Interaction::Equivalents(_) => {
            let case: EquivalentCase = read(example)?;
            let taken = Medicine {
                ingredient: case.ingredient,
                daily_mg: Some(case.daily_mg),
                ..Medicine::default()
            };
            same(&gate::diazepam_equivalent(&[taken], &case.table, all)?, &case.diazepam_mg)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FutilityCase {
    baseline: Decimal,
    now: Decimal,
    infusion: u32,
    advice: FutilityAdvice,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceCase {
    last: Decimal,
    now: Decimal,
    rung_d: u32,
    stable_visits_before: u32,
    responder: bool,
    cssrs_level: u32,
    next_d: u32,
}

/// The first dose is asked for where the case tells an age, else the next one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TitrationCase {
    first: Option<FirstDose>,
    went: Option<AtThisDose>,
    suggest: Suggestion,
}

pub(super) fn advice(item: &Item<Advice>, example: &toml::Table, all: &Knowledge) -> Result<(), String> {
    match &item.body {
        Advice::Futility(_) => {
            let case: FutilityCase = read(example)?;
            let came = gate::futility(Some(case.baseline), Some(case.now), Some(case.infusion), all);
            same(&came.advice, &Some(case.advice))
        }
        Advice::Titration(_) => {
            let case: TitrationCase = read(example)?;
            let first = case.first.map(|patient| first_dose(&patient, all));
            let next = case.went.and_then(|went| next_dose(&went, all));
            same(&first.or(next).map(|advice| advice.suggestion), &Some(case.suggest))
        }
        Advice::Maintenance(_) => {
            let case: MaintenanceCase = read(example)?;
            let visit = gate::MaintenanceVisit {
                last: Some(case.last),
                now: Some(case.now),
                rung_d: Some(case.rung_d),
                stable_visits_before: Some(case.stable_visits_before),
                responder: Some(case.responder),
                cssrs_level: Some(case.cssrs_level),
            };
            same(&gate::maintenance(&visit, all).next, &Some(NextInterval::Days(case.next_d)))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreCase {
    given: BTreeMap<String, u32>,
    total: u32,
    pass: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EarliestCase {
    start: Timestamp,
    end: Timestamp,
    infusion: u32,
    complicated: bool,
    rescue_drug_at: Option<Timestamp>,
    earliest: Timestamp,
}

pub(super) fn discharge(item: &Item<Discharge>, example: &toml::Table) -> Result<(), String> {
    match &item.body {
        Discharge::Score(score) => {
            let case: ScoreCase = read(example)?;
            let came = gate::padss(score, &case.given)?;
            same(&(came.total, came.pass), &(case.total, case.pass))
        }
        Discharge::Criteria(criteria) => {
            let case: EarliestCase = read(example)?;
            let given = case.rescue_drug_at;
            let came = gate::earliest_discharge(
                criteria,
                case.start,
                case.end,
                case.infusion,
                case.complicated,
                given,
            );
            same(&came, &Some(case.earliest))
        }
    }
}

#[cfg(test)]
mod tests;
