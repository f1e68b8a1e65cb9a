//! What was seen and measured.

use super::sheet::{Cell, Part, Section, Table, fact};
use super::{History, Teller, gaps};
use clinic::device::Parameter;
use clinic::id::StaffId;
use clinic::quantity::Tenths;
use clinic::session::gates::measured as measured_by;
use clinic::session::{Event, Finding, Recorded};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

type Vital = (Timestamp, Parameter, Tenths);

const MINUTE_MS: i64 = 60_000;
/// One value of each sign this often is enough for a line on paper.
const LINE_EVERY_MS: i64 = 20_000;
/// A cuff reading that a monitor repeats is the same reading; after such a silence it is a new one.
const CUFF_SILENCE_MS: i64 = 2 * MINUTE_MS;
const CUFF: [Parameter; 3] = [Parameter::Systolic, Parameter::Diastolic, Parameter::MeanPressure];

/// Vital signs for the chart: what people charted, and of the devices' values as many as a line needs.
pub(super) fn vitals(teller: &Teller) -> Vec<Vital> {
    let mut all = thinned(&believed(teller, &teller.history.readings).0);
    for one in &teller.history.events {
        // What was amended is told in words; its old numbers are not drawn.
        if let Some((at, finding)) = seen(one)
            && let Finding::Vitals { values } = &*finding
            && !teller.amended.contains_key(&one.position)
        {
            all.extend(values.iter().map(|(parameter, value)| (at, *parameter, *value)));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// What a person saw by this entry, and when: charted, or measured for the vital-signs gate before the start.
pub(super) fn seen(one: &Recorded) -> Option<(Timestamp, Cow<'_, Finding>)> {
    match &one.event {
        Event::ObservationCharted(seen) => Some((seen.observed_at, Cow::Borrowed(&seen.finding))),
        Event::GateAnswered(answer) => {
            let values = measured_by(answer);
            (!values.is_empty()).then_some((one.at, Cow::Owned(Finding::Vitals { values })))
        }
        _ => None,
    }
}

/// What devices measured and sent later, for the chart.
pub(super) fn late(teller: &Teller) -> Vec<Vital> {
    thinned(&believed(teller, &teller.history.late).0)
}

/// Values of devices that can be true, and those that cannot: what was measured together is judged together.
fn believed(teller: &Teller, readings: &[Vital]) -> (Vec<Vital>, Vec<Vital>) {
    let mut together: BTreeMap<Timestamp, BTreeMap<Parameter, Tenths>> = BTreeMap::new();
    for (at, parameter, value) in readings {
        together.entry(*at).or_default().insert(*parameter, *value);
    }
    let impossible: BTreeMap<Timestamp, BTreeSet<Parameter>> = together
        .into_iter()
        .map(|(at, values)| {
            let value = |parameter: Parameter| values.get(&parameter).map(|value| value.decimal());
            (at, teller.knowledge.plausibility().map(|rule| rule.impossible(value)).unwrap_or_default())
        })
        .collect();
    let can_be = |(at, parameter, _): &&Vital| !impossible.get(at).is_some_and(|all| all.contains(parameter));
    let (true_ones, others): (Vec<&Vital>, Vec<&Vital>) = readings.iter().partition(can_be);
    (true_ones.into_iter().copied().collect(), others.into_iter().copied().collect())
}

/// What a device sent that cannot be true: told, and in no range.
fn impossible_line(teller: &Teller, others: &[Vital]) -> Option<Part> {
    const SHOWN: usize = 3;
    if others.is_empty() {
        return None;
    }
    let shown = others.iter().take(SHOWN);
    let mut told: Vec<String> = shown
        .map(|(at, parameter, value)| format!("{} {} {value}", teller.clock_s(*at), parameter.label()))
        .collect();
    if others.len() > SHOWN {
        told.push(format!("{} more", others.len() - SHOWN));
    }
    Some(Part::Facts(vec![fact("Sent by devices, invalid or not plausible, left out", told.join("; "))]))
}

/// Of the devices' values as many as a line needs.
fn thinned(readings: &[Vital]) -> Vec<Vital> {
    let mut all = cuffs(readings);
    let mut last: BTreeMap<Parameter, Timestamp> = BTreeMap::new();
    for (at, parameter, value) in readings {
        let before = last.get(parameter).map_or(i64::MIN, |at| at.as_millisecond());
        if !CUFF.contains(parameter) && at.as_millisecond().saturating_sub(before) >= LINE_EVERY_MS {
            last.insert(*parameter, *at);
            all.push((*at, *parameter, *value));
        }
    }
    all
}

/// Each cuff reading once, at its first mention.
fn cuffs(readings: &[Vital]) -> Vec<Vital> {
    let mut groups: BTreeMap<Timestamp, Vec<Vital>> = BTreeMap::new();
    for one in readings.iter().filter(|(_, parameter, _)| CUFF.contains(parameter)) {
        groups.entry(one.0).or_default().push(*one);
    }
    let mut kept = Vec::new();
    let mut last: Option<(Timestamp, Vec<(Parameter, Tenths)>)> = None;
    for (at, group) in groups {
        let values: Vec<(Parameter, Tenths)> =
            group.iter().map(|(_, parameter, value)| (*parameter, *value)).collect();
        let repeated = last.as_ref().is_some_and(|(before, same)| {
            *same == values && at.as_millisecond() - before.as_millisecond() < CUFF_SILENCE_MS
        });
        if !repeated {
            kept.extend(group);
        }
        last = Some((at, values));
    }
    kept
}

pub(super) fn told(teller: &Teller) -> Section {
    let History { readings, late, invalid, .. } = teller.history;
    let title = "Measured by devices, each five minutes (lowest–highest)";
    let (readings, mut not_plausible) = believed(teller, readings);
    let (late, late_not_plausible) = believed(teller, late);
    not_plausible.extend(late_not_plausible.into_iter().chain(invalid.iter().copied()));
    not_plausible.sort_unstable();
    let mut parts = vec![Part::Table(charted(teller)), Part::Table(measured(teller, title, &readings))];
    if let Some(baseline) = crate::words::baseline(teller.session, teller.knowledge, teller.zone) {
        parts.insert(0, Part::Facts(vec![fact("Before the infusion", baseline)]));
    }
    if !late.is_empty() {
        let title = "Measured by devices and received later, so that nobody saw it then (lowest–highest)";
        parts.push(Part::Table(measured(teller, title, &late)));
    }
    parts.extend(impossible_line(teller, &not_plausible));
    parts.push(Part::Table(gaps::table(teller)));
    Section::new("Observations", parts)
}

/// What belongs in one row: seen at the same time by the same person.
struct Look<'a> {
    at: Timestamp,
    by: &'a StaffId,
    recorded: Vec<(&'a Recorded, Cow<'a, Finding>)>,
}

fn looks<'a>(teller: &Teller<'a>) -> Vec<Look<'a>> {
    let mut looks: Vec<Look> = Vec::new();
    for one in &teller.history.events {
        let Some((at, finding)) = seen(one) else { continue };
        match looks.iter_mut().find(|look| look.at == at && *look.by == one.by) {
            Some(look) => look.recorded.push((one, finding)),
            None => looks.push(Look { at, by: &one.by, recorded: vec![(one, finding)] }),
        }
    }
    looks.sort_by_key(|look| look.at);
    looks
}

/// The flowsheet: a row for each look.
fn charted(teller: &Teller) -> Table {
    let heads = [
        ("Seen", 9),
        ("NIBP", 10),
        ("HR", 7),
        ("SpO₂", 7),
        ("RR", 6),
        ("MOAA/S", 8),
        ("Distress", 8),
        ("Other", 26),
        ("By", 19),
    ];
    let mut table = Table::new("Charted by people", &heads, "Nothing was charted.");
    for look in looks(teller) {
        let mut by = teller.who(look.by);
        // A late entry keeps both times.
        if let Some((late, _)) = look.recorded.iter().find(|(one, _)| is_late(one.at, look.at)) {
            by = format!("{by}, entered {}", teller.clock(late.at));
        }
        let columns = row_of(teller, &look);
        let [nibp, heart, spo2, breaths, moaas, distress, other] = columns;
        table.row([
            teller.clock(look.at).into(),
            nibp,
            heart,
            spo2,
            breaths,
            moaas,
            distress,
            other,
            by.into(),
        ]);
    }
    table
}

fn is_late(entered: Timestamp, seen: Timestamp) -> bool {
    entered.as_millisecond() - seen.as_millisecond() > 5 * MINUTE_MS
}

fn row_of(teller: &Teller, look: &Look) -> [Cell; 7] {
    let mut columns: [Cell; 7] = Default::default();
    for (one, finding) in &look.recorded {
        let amended = teller.amended.get(&one.position);
        for (column, text) in places(finding) {
            let Some(cell) = columns.get_mut(column) else { continue };
            match amended {
                None => add(&mut cell.text, &text),
                Some(_) => add(&mut cell.struck, &text),
            }
        }
        let Some(other) = columns.last_mut() else { continue };
        if let Some(again) = one.event.read_again().and_then(crate::words::read_again) {
            add(if amended.is_some() { &mut other.struck } else { &mut other.text }, &again);
        }
        if let Event::GateAnswered(answer) = &one.event {
            add(&mut other.text, "vital-signs gate");
            let cuffs = answer.inputs.pressures.split_last().map(|(_, before)| before).unwrap_or_default();
            if !cuffs.is_empty() {
                let cuffs: Vec<String> = cuffs.iter().map(ToString::to_string).collect();
                let before = format!("NIBP before it {}", cuffs.join(", "));
                add(if amended.is_some() { &mut other.struck } else { &mut other.text }, &before);
            }
        }
        if let Some(now) = amended {
            add(&mut other.text, now);
        }
    }
    columns
}

fn add(to: &mut String, text: &str) {
    if !to.is_empty() {
        to.push_str("; ");
    }
    to.push_str(text);
}

/// Which columns a finding fills.
fn places(finding: &Finding) -> Vec<(usize, String)> {
    const OTHER: usize = 6;
    match finding {
        Finding::Vitals { values } => vital_places(values),
        Finding::MoaaS { score } => vec![(4, score.to_string())],
        Finding::Distress { score } => vec![(5, score.to_string())],
        other => vec![(OTHER, crate::words::finding(other))],
    }
}

fn vital_places(values: &BTreeMap<Parameter, Tenths>) -> Vec<(usize, String)> {
    let of = |parameter: Parameter| values.get(&parameter).map(ToString::to_string);
    let mut places = Vec::new();
    if let (Some(high), Some(low)) = (of(Parameter::Systolic), of(Parameter::Diastolic)) {
        places.push((0, format!("{high}/{low}")));
    }
    let columns = [(1, Parameter::HeartRate), (2, Parameter::Spo2), (3, Parameter::RespiratoryRate)];
    places.extend(columns.into_iter().filter_map(|(column, parameter)| Some((column, of(parameter)?))));
    let paired = values.contains_key(&Parameter::Systolic) && values.contains_key(&Parameter::Diastolic);
    for (parameter, value) in values {
        let shown = match parameter {
            Parameter::Systolic | Parameter::Diastolic => paired,
            Parameter::HeartRate | Parameter::Spo2 | Parameter::RespiratoryRate => true,
            _ => false,
        };
        if !shown {
            places.push((6, format!("{} {value}", parameter.label())));
        }
    }
    places
}

/// Device values in steps of five minutes: the cuff readings, and lowest to highest of what is measured all the time.
fn measured(teller: &Teller, title: &str, readings: &[Vital]) -> Table {
    const STEP_MS: i64 = 5 * MINUTE_MS;
    let heads = [("From", 12), ("NIBP", 36), ("HR or pulse", 14), ("SpO₂", 13), ("RR", 12), ("EtCO₂", 13)];
    let mut table = Table::new(title, &heads, "No readings of a device belong to this visit.");
    let mut steps: BTreeMap<i64, Vec<&Vital>> = BTreeMap::new();
    let kept = cuffs(readings);
    let running = readings.iter().filter(|(_, parameter, _)| !CUFF.contains(parameter));
    for one in kept.iter().chain(running) {
        steps.entry(one.0.as_millisecond().div_euclid(STEP_MS)).or_default().push(one);
    }
    for (step, values) in steps {
        let from = Timestamp::from_millisecond(step * STEP_MS).unwrap_or_default();
        table.row([
            teller.clock(from).into(),
            cuff_words(teller, &values).into(),
            span(&values, &[Parameter::HeartRate, Parameter::PulseRate]).into(),
            span(&values, &[Parameter::Spo2]).into(),
            span(&values, &[Parameter::RespiratoryRate]).into(),
            span(&values, &[Parameter::Etco2]).into(),
        ]);
    }
    table
}

fn cuff_words(teller: &Teller, values: &[&Vital]) -> String {
    let systolic = values.iter().filter(|(_, parameter, _)| *parameter == Parameter::Systolic);
    let one = |(at, _, high): &&Vital| {
        let low = values.iter().find(|(its, parameter, _)| its == at && *parameter == Parameter::Diastolic);
        let low = low.map_or_else(|| "–".to_owned(), |(_, _, low)| low.to_string());
        format!("{high}/{low} at {}", teller.clock(*at))
    };
    systolic.map(one).collect::<Vec<_>>().join(", ")
}

fn span(values: &[&Vital], of: &[Parameter]) -> String {
    let of_these =
        || values.iter().filter(|(_, parameter, _)| of.contains(parameter)).map(|(_, _, value)| *value);
    match (of_these().min(), of_these().max()) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("{low}–{high}"),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuff(second: i64, systolic: i32) -> [Vital; 2] {
        let at = Timestamp::from_second(1_700_000_000 + second).expect("a time");
        [(at, Parameter::Systolic, Tenths::whole(systolic)), (at, Parameter::Diastolic, Tenths::whole(80))]
    }

    #[test]
    fn a_repeated_cuff_reading_counts_once() {
        let said: Vec<Vital> = [cuff(0, 120), cuff(1, 120), cuff(60, 120), cuff(61, 150), cuff(400, 150)]
            .into_iter()
            .flatten()
            .collect();
        let times: Vec<i64> =
            cuffs(&said).iter().step_by(2).map(|one| one.0.as_second() - 1_700_000_000).collect();
        assert_eq!(
            times,
            [0, 61, 400],
            "the same again within two minutes is a repetition; after a silence it is new"
        );
    }

    #[test]
    fn a_lone_systolic_is_not_lost() {
        let values = BTreeMap::from([
            (Parameter::Systolic, Tenths::whole(190)),
            (Parameter::Temperature, Tenths(366)),
        ]);
        let words: Vec<String> = vital_places(&values).into_iter().map(|(_, text)| text).collect();
        assert_eq!(words, ["NIBP systolic 190", "Temp 36.6"]);
    }
}
