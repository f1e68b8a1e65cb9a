//! Alerts (PCD-04) and events of pumps (PCD-10).

use super::row::{Flag, Row};
use super::terms::{EVENTS, Means};
use crate::hl7::{Cause, Problem, Value};
use clinic::device::{DeviceAlert, DevicePriority, PumpEvent};

/// The alerts of a message. Phase, state, priority and text belong to the alarm before them in the same report.
pub(crate) fn alerts(rows: &[Row<'_>]) -> Result<Vec<DeviceAlert>, Problem> {
    let mut alerts: Vec<DeviceAlert> = Vec::new();
    let mut open_group = None;
    for row in rows.iter().filter(|row| row.flag != Flag::Test) {
        let Some(means) = row.means() else { continue };
        if matches!(means, Means::AlarmCondition | Means::StandingCondition) {
            alerts.push(condition(row)?);
            open_group = (means == Means::AlarmCondition).then_some(row.group);
            continue;
        }
        if let (Some(alert), true) = (alerts.last_mut(), open_group == Some(row.group)) {
            describe(alert, means, &row.word().unwrap_or_default());
        }
    }
    Ok(alerts)
}

fn condition(row: &Row<'_>) -> Result<DeviceAlert, Problem> {
    let value = row.segment.field(5);
    let (refid, _) = event(row)?;
    let priorities = row.segment.field(8);
    let priority = priorities.repetitions().map(|flag| priority(flag.raw().trim()));
    Ok(DeviceAlert {
        refid,
        text: value.component(9).word().unwrap_or_default(),
        active: true,
        priority: priority
            .into_iter()
            .find(|p| *p != DevicePriority::Unknown)
            .unwrap_or(DevicePriority::Unknown),
    })
}

fn describe(alert: &mut DeviceAlert, means: Means, word: &str) {
    match means {
        // A latched alarm still asks for a person; only the device's own end ends it.
        Means::AlarmPhase if word.eq_ignore_ascii_case("end") => alert.active = false,
        Means::AlarmState if word.eq_ignore_ascii_case("inactive") => alert.active = false,
        Means::AlarmPriority => alert.priority = priority(word),
        Means::AlarmText if alert.text.is_empty() => alert.text = word.to_owned(),
        _ => {}
    }
}

fn priority(text: &str) -> DevicePriority {
    match text {
        "PH" => DevicePriority::High,
        "PM" => DevicePriority::Medium,
        "PL" => DevicePriority::Low,
        _ => DevicePriority::Unknown,
    }
}

/// The events of a pump; a condition that is not in the table stays a fact.
pub(crate) fn pump_events(rows: &[Row<'_>]) -> Result<Vec<PumpEvent>, Problem> {
    let mut events = Vec::new();
    for row in rows.iter().filter(|row| row.flag != Flag::Test && row.means() == Some(Means::EventCondition))
    {
        events.extend(event(row)?.1);
    }
    Ok(events)
}

/// Name and meaning of the event that a condition has as its value.
fn event(row: &Row<'_>) -> Result<(String, Option<PumpEvent>), Problem> {
    let value: Value<'_> = row.segment.field(5);
    let [code, name] = [1, 2].map(|n| value.component(n).word().unwrap_or_default());
    let by_code = code.parse().ok().filter(|code| *code != 0);
    let by_code = by_code.and_then(|code: u32| EVENTS.iter().find(|event| event.0 == code));
    let by_name = EVENTS.iter().find(|event| event.1 == name || event.1 == code);
    match (by_code, by_name) {
        (Some(a), Some(b)) if a.1 != b.1 => Err(row.segment.problem(5, Cause::TermsDisagree(a.1, b.1))),
        (Some(event), _) | (None, Some(event)) => Ok((event.1.to_owned(), event.2)),
        (None, None) if name.is_empty() && code.is_empty() => {
            Err(row.segment.problem(5, Cause::Missing("the condition")))
        }
        (None, None) => Ok((if name.is_empty() { code } else { name }, None)),
    }
}
