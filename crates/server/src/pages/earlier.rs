//! How a patient's earlier infusions went, newest first, to stand beside the next order.

use super::visit::head::{day, unbroken};
use crate::words::{felt_as, lasted};
use crate::{AppState, Fault};
use clinic::course::went::Went;
use clinic::id::PatientId;
use clinic::quantity::plain;

/// Rows shown; the record has them all.
const SHOWN_MOST: usize = 12;

/// One infusion.
pub(super) struct Earlier {
    pub which: String,
    pub dose: String,
    /// Pressure, saturation, MOAA/S, distress, nausea, and how it was borne.
    pub peaks: [String; 6],
    pub happened: String,
}

/// The infusions of a patient that are over or under way.
pub(super) fn earlier(app: &AppState, id: &PatientId) -> Result<Vec<Earlier>, Fault> {
    let all = app.floor.infusions(id)?;
    Ok(all.iter().rev().take(SHOWN_MOST).map(|(_, went)| row(app, went)).collect())
}

fn row(app: &AppState, went: &Went) -> Earlier {
    let charted = |value: Option<String>| value.unwrap_or_else(|| "not charted".to_owned());
    let score = |value: Option<u8>| charted(value.map(|score| score.to_string()));
    let by_weight = went.mg_per_kg.map(|dose| format!(", {} mg/kg", plain(dose))).unwrap_or_default();
    let over = went.minutes.map(|minutes| format!(" over {} min", plain(minutes))).unwrap_or_default();
    let pressure = went.highest.map(|peak| format!("{}/{}", plain(peak.systolic), plain(peak.diastolic)));
    let spo2 = went.lowest_spo2.map(|value| format!("{} %", plain(value)));
    Earlier {
        which: format!("{}: {}", went.number, went.day.map(day).unwrap_or_default()),
        dose: unbroken(&format!("{}{by_weight}{over}", went.delivered)),
        peaks: [
            charted(pressure),
            charted(spo2),
            score(went.lowest_moaas),
            score(went.distress),
            score(went.nausea),
            went.tolerated.map_or_else(|| "not asked".to_owned(), |score| format!("{score} of 10")),
        ],
        happened: happened(app, went),
    }
}

fn happened(app: &AppState, went: &Went) -> String {
    let title = |playbook: &str| {
        let header = app.floor.knowledge().header(playbook);
        header.map_or_else(|| playbook.to_owned(), |header| header.title.clone())
    };
    let effects = went.side_effects.iter().map(|(playbook, effect)| {
        let over = effect
            .minutes
            .map_or_else(|| "still open".to_owned(), |min| format!("over after {}", lasted(min)));
        format!("{}, grade {}, {over}", title(playbook), effect.grade)
    });
    let felt = went.felt.as_ref().map(|(felt, words)| felt_as(*felt, words));
    let paused = (went.pauses > 0).then(|| format!("paused {} times", went.pauses));
    let stopped = went.in_part().map(|part| part.to_string());
    let said = |what: &str, said: Option<(u8, u8)>| {
        said.map(|(first, last)| format!("{what} {first}, last {last} of 10"))
    };
    let after = said("mood", went.mood).into_iter().chain(said("pain", went.pain));
    let all: Vec<String> =
        stopped.into_iter().chain(paused).chain(effects).chain(felt).chain(after).collect();
    if all.is_empty() { "nothing noted".to_owned() } else { all.join("; ") }
}
