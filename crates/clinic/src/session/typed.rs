//! Vital signs that a person typed: refused where they cannot be true, asked about where they hardly can be or where a
//! point or a digit may have slipped. The same sent once more is taken.

use super::event::{Finding, Observation};
use super::gates::{MEASURED, last, number};
use super::refusal::{Question, Refusal};
use super::state::Session;
use crate::device::{Parameter, ReadAgain};
use crate::gate::{DayOfInputs, Pressure};
use crate::id::RuleId;
use crate::knowledge::Knowledge;
use crate::knowledge::limits::{Doubt, Plausibility, PlausibleRange, Slip};
use crate::quantity::{plain, round_half_up};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What a person charts.
pub(super) fn charted(
    session: &Session,
    seen: Observation,
    knowledge: &Knowledge,
) -> Result<Observation, Refusal> {
    let Finding::Vitals { values } = &seen.finding else {
        return Ok(Observation { read_again: ReadAgain::new(), ..seen });
    };
    let values: Vec<(Parameter, Decimal)> =
        values.iter().map(|(parameter, value)| (*parameter, value.decimal())).collect();
    let rule = rule(knowledge)?;
    possible(&values, rule)?;
    let read_again = asked_about(session, &values, &seen.read_again, rule)?;
    Ok(Observation { read_again, ..seen })
}

/// What a gate measured, each cuff reading by itself.
pub(super) fn measured(
    session: &Session,
    inputs: DayOfInputs,
    knowledge: &Knowledge,
) -> Result<DayOfInputs, Refusal> {
    let rule = rule(knowledge)?;
    inputs.pressures.iter().try_for_each(|reading| possible(&cuff(reading), rule))?;
    possible(&signs(&inputs), rule)?;
    let read_again = asked_about(session, &vital_signs(&inputs), &inputs.read_again, rule)?;
    Ok(DayOfInputs { read_again, ..inputs })
}

/// Every vital sign that was typed for a gate, one cuff reading after the other.
pub fn vital_signs(inputs: &DayOfInputs) -> Vec<(Parameter, Decimal)> {
    inputs.pressures.iter().flat_map(cuff).chain(signs(inputs)).collect()
}

const fn cuff(reading: &Pressure) -> [(Parameter, Decimal); 2] {
    [(Parameter::Systolic, reading.systolic), (Parameter::Diastolic, reading.diastolic)]
}

fn signs(inputs: &DayOfInputs) -> Vec<(Parameter, Decimal)> {
    MEASURED.into_iter().filter_map(|parameter| Some((parameter, number(inputs, parameter)?))).collect()
}

fn rule(knowledge: &Knowledge) -> Result<&Plausibility, Refusal> {
    let unknown = || Refusal::Unknown { field: "vitals", what: "Rule", id: "plausibility".to_owned() };
    knowledge.plausibility().ok_or_else(unknown)
}

/// Asks about every value that is in doubt and was not sent before just so; else the values that were.
fn asked_about(
    session: &Session,
    values: &[(Parameter, Decimal)],
    read_again: &ReadAgain,
    rule: &Plausibility,
) -> Result<ReadAgain, Refusal> {
    let question = |(parameter, value): &(Parameter, Decimal)| {
        let before = before(session, *parameter);
        let doubt = rule.doubt(*parameter, *value, before)?;
        let doubt = in_words(doubt, before);
        Some(Question { parameter: *parameter, value: value.normalize(), doubt })
    };
    let questions: Vec<Question> = values.iter().filter_map(question).collect();
    let asked: ReadAgain = questions.iter().map(|one| (one.parameter, one.value)).collect();
    match questions.first() {
        Some(first) if !asked.is_subset(read_again) => {
            Err(Refusal::Unlikely { field: first.parameter.name(), questions })
        }
        _ => Ok(asked),
    }
}

/// The last value that was charted in this visit, else the one that the vital-signs gate measured.
fn before(session: &Session, parameter: Parameter) -> Option<Decimal> {
    let seen = session.observations.iter().map(|(seen, _, _)| seen);
    let charted = last(seen, |finding| match finding {
        Finding::Vitals { values } => values.get(&parameter).map(|value| value.decimal()),
        _ => None,
    });
    charted.map(|found| found.value).or_else(|| {
        let inputs = &session.gates.get(&RuleId::new("c11"))?.answer.inputs;
        match parameter {
            Parameter::Systolic => inputs.pressures.last().map(|cuff| cuff.systolic),
            Parameter::Diastolic => inputs.pressures.last().map(|cuff| cuff.diastolic),
            other => number(inputs, other),
        }
    })
}

fn in_words(doubt: Doubt, before: Option<Decimal>) -> String {
    let slip = doubt.slip.map(|slip| format!(" {}.", slip_in_words(slip))).unwrap_or_default();
    match (doubt.expected, before) {
        (None, Some(before)) => format!("the last one was {}.{slip}", plain(before)),
        (None, None) => slip.trim_start().to_owned(),
        (Some([low, high]), _) => {
            format!("in an awake patient {} to {} is expected.{slip}", plain(low), plain(high))
        }
    }
}

fn slip_in_words(slip: Slip) -> String {
    match slip {
        Slip::TenTimes(meant) => {
            format!("Ten times that, {}, would fit: a point may be added or a digit lost", plain(meant))
        }
        Slip::Tenth(meant) => {
            format!("A tenth of that, {}, would fit: a point may be lost or a digit added", plain(meant))
        }
    }
}

/// Refuses vital signs that cannot be true. A person has looked at the patient: a low saturation needs no perfusion
/// index to be believed.
fn possible(values: &[(Parameter, Decimal)], rule: &Plausibility) -> Result<(), Refusal> {
    let values: BTreeMap<Parameter, Decimal> = values.iter().copied().collect();
    let saturation = values.get(&Parameter::Spo2).copied();
    if let Some(value) = saturation.filter(|value| (Decimal::ZERO..rule.spo2_typed_from).contains(value)) {
        let tenfold = plain(value.saturating_mul(Decimal::TEN));
        let accepted = format!(
            "{} to 100 %; {} looks like {tenfold} with a digit lost",
            plain(rule.spo2_typed_from),
            plain(value)
        );
        return Err(out_of(Parameter::Spo2, value, accepted));
    }
    let impossible = rule.impossible(|parameter| values.get(&parameter).copied());
    let Some((parameter, value)) = values.iter().find(|(parameter, _)| impossible.contains(parameter)) else {
        return Ok(());
    };
    let slip = rule.doubt(*parameter, *value, None).and_then(|doubt| doubt.slip);
    let slip = slip.map(|slip| format!(". {}", slip_in_words(slip))).unwrap_or_default();
    let accepted = rule.ranges.iter().find(|range| range.parameter == *parameter).map_or_else(
        || "systolic above diastolic".to_owned(),
        |range| {
            let also = match parameter {
                Parameter::Systolic | Parameter::Diastolic => ", systolic above diastolic".to_owned(),
                Parameter::Temperature => as_celsius(*value, range),
                _ => String::new(),
            };
            format!("{} to {} {}{also}", plain(range.from), plain(range.to), range.unit)
        },
    );
    Err(out_of(*parameter, *value, accepted + &slip))
}

fn out_of(parameter: Parameter, value: Decimal, accepted: String) -> Refusal {
    Refusal::OutOfRange { field: parameter.name(), what: parameter.label(), value: plain(value), accepted }
}

/// What a temperature would be had it been read in degrees Fahrenheit, where that may be true.
fn as_celsius(value: Decimal, range: &PlausibleRange) -> String {
    let celsius = value
        .checked_sub(Decimal::from(32))
        .and_then(|above| above.checked_mul(Decimal::from(5)))
        .map(|fifths| round_half_up(fifths / Decimal::from(9), 1))
        .filter(|celsius| (range.from..=range.to).contains(celsius));
    celsius.map_or_else(String::new, |celsius| {
        format!("; {} looks like degrees Fahrenheit, which is {} °C", plain(value), plain(celsius))
    })
}
