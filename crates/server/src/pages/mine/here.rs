//! What a patient in a chair sees of being watched: what is measured of them, how long ago, and who looks after them.

use crate::{AppState, Fault};
use clinic::device::Parameter;
use clinic::id::PatientId;
use clinic::monitor::MonitorView;
use clinic::staff::Role;
use std::collections::BTreeMap;

/// Nothing for who sits in no chair.
pub(super) fn here_now(app: &AppState, patient: &PatientId) -> Result<Vec<String>, Fault> {
    let seating = app.floor.seating();
    let Some((chair, taken)) = seating.chairs.iter().find(|(_, taken)| taken.patient == *patient) else {
        return Ok(Vec::new());
    };
    let clock = |at: jiff::Timestamp| at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
    let history = app.floor.history(&taken.session).map_err(Fault::Floor)?;
    let came = app.floor.session(&taken.session).map_err(Fault::Floor)?.and_then(|one| one.checked_in_at);
    let came = came.map_or_else(String::new, |at| format!(" since {}", clock(at)));
    let mut says = vec![format!("You are in chair {chair}{came}.")];
    if let Some(view) = app.floor.monitor_view(chair) {
        says.push(measured(&view));
    }
    for one in history.iter().rev() {
        let Some(person) = app.auth.accounts().find(&one.by)? else { continue };
        if person.roles.iter().any(|role| matches!(role, Role::Nurse | Role::Prescriber)) {
            says.push(format!("{} looked after you last, at {}.", person.name, clock(one.at)));
            break;
        }
    }
    says.push("Say so at once when something feels wrong: somebody is there for you.".to_owned());
    Ok(says)
}

/// `Measured last: your heart rate, the oxygen in your blood: less than a minute ago; your blood pressure: 4 min ago.`
fn measured(view: &MonitorView) -> String {
    let mut by_age: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for value in &view.values {
        if let Some((words, age_s)) = plainly(value.parameter).zip(value.age_s) {
            by_age.entry(age_s / 60).or_default().push(words);
        }
    }
    let told = by_age.into_iter().map(|(minutes, what)| {
        let ago =
            if minutes == 0 { "less than a minute ago".to_owned() } else { format!("{minutes} min ago") };
        format!("{}: {ago}", what.join(", "))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return "Nothing of you was measured here yet.".to_owned();
    }
    format!("Measured last: {}.", told.join("; "))
}

/// In words of every day; what belongs to another value has none of its own.
const fn plainly(parameter: Parameter) -> Option<&'static str> {
    match parameter {
        Parameter::HeartRate => Some("your heart rate"),
        Parameter::Spo2 => Some("the oxygen in your blood"),
        Parameter::Systolic => Some("your blood pressure"),
        Parameter::RespiratoryRate => Some("your breathing"),
        Parameter::Etco2 => Some("the air that you breathe out"),
        Parameter::Temperature => Some("your temperature"),
        Parameter::PulseRate | Parameter::Diastolic | Parameter::MeanPressure | Parameter::Perfusion => None,
    }
}
