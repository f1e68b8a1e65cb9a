//! What people measured by hand, what they struck, and when nobody measured.

use super::visits::Clinic;
use super::{kim, says, told};
use clinic::session::{Command, Event};

/// Hazard 103.
#[test]
fn a_silence_between_charted_values_is_told_once_with_its_ends() {
    let clinic = Clinic::after("hypertension_stopped_early");
    let gaps = |clinic: &Clinic| {
        let all = told(&clinic.sheet(), "Observations");
        let rows = all.lines().filter(|row| row.contains("NIBP not charted"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = gaps(&clinic);
    assert_eq!(before, ["02:20:30 | 02:40:00 | 19 min 30 s | NIBP not charted by anybody"]);
    // A struck value measured nothing: the silence goes on to the last entry.
    let history = clinic.history().events;
    let seen = |one: &&clinic::session::Recorded| matches!(one.event, Event::ObservationCharted(_));
    let position = history.iter().rev().find(seen).expect("an observation").position;
    let strike = Command::Amend { position, reason: "wrong arm".to_owned(), text: String::new() };
    clinic.act("strike", &kim(), strike).expect("struck");
    let after = gaps(&clinic);
    assert!(matches!(&after[..], [one] if one.starts_with("02:20:30 | ") && *one != before[0]), "{after:?}");
    let sheet = clinic.sheet();
    says(&told(&sheet, "Observations"), &["~148/88~", "by Kim Nguyen, RN (kim): wrong arm"]);
    says(
        &told(&sheet, "Amendments and notes"),
        &["~BP 148/88", "~ struck | wrong arm | Kim Nguyen, RN (kim)"],
    );
}

/// The gate judges the mean of its readings: all of them stand in the list, not the last alone.
#[test]
fn every_reading_of_the_vital_signs_gate_stands_among_what_people_charted() {
    let clinic = Clinic::after("hypertension_stopped_early");
    let answered = clinic.history().events.into_iter().find_map(|one| match one.event {
        Event::GateAnswered(answer) if answer.gate.as_str() == "c11" => Some(answer.inputs.pressures),
        _ => None,
    });
    let pressures = answered.expect("the gate");
    let observations = told(&clinic.sheet(), "Observations");
    let charted = observations.lines().find(|row| row.contains("vital-signs gate")).expect("its row");
    assert!(pressures.len() > 1, "{pressures:?}");
    for cuff in pressures {
        assert!(charted.contains(&cuff.to_string()), "{cuff} is not in {charted}");
    }
}
