//! What people measured by hand, what they struck, and when nobody measured.

use super::visits::Clinic;
use super::{kim, says, told};
use clinic::device::PumpStatus;
use clinic::quantity::{Microlitres, Rate};
use clinic::session::{Command, Event, PumpRead, ReadBy};

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

/// Hazard 142: the paper tells what the counter stood at, when the pump was read to stand, and what was put right.
#[test]
fn what_flowed_is_cut_where_the_pump_was_read_to_stand_and_can_be_worked_out_from_paper() {
    let clinic = Clinic::infusing("first_infusion");
    let read = |n: i64, wait_s: u64, status, rate: i64, counter: i64, reason: Option<&str>| {
        clinic.clock.advance(std::time::Duration::from_secs(wait_s));
        let (reason, read_at) = (reason.map(str::to_owned), clinic.clock.now());
        let (rate, counter) = (Rate(rate), Microlitres(counter));
        let read = PumpRead {
            by: ReadBy::Person,
            status,
            rate,
            counter,
            read_at,
            reason,
            jumped: false,
            all_in: false,
        };
        clinic.act(&format!("read-{n}"), &kim(), Command::ReadPump { read }).expect("taken");
    };
    read(1, 300, PumpStatus::NotInfusing, 0, 2_567, Some("occluded"));
    read(2, 600, PumpStatus::Infusing, 30_800, 2_567, Some("line changed"));
    read(3, 300, PumpStatus::Infusing, 30_800, 5_134, None);
    let counter = Microlitres(30);
    let correct = Command::CorrectStartCounter { counter, reason: "the display showed 0.03".to_owned() };
    clinic.act("correct", &kim(), correct).expect("corrected");
    let sheet = clinic.sheet();
    let delivery = told(&sheet, "Delivery");
    let set: Vec<&str> = delivery.lines().filter(|row| row.matches(" | ").count() == 5).collect();
    assert!(set.iter().any(|row| row.contains("read as not running | 0 mL | 0 mg | 10 min 0 s")), "{set:#?}");
    assert_eq!(set.iter().filter(|row| row.contains("30.8 mL/h")).count(), 2, "{set:#?}");
    let course = told(&sheet, "Course");
    says(&course, &["counter at 0 mL", "not infusing", "Counter at the start corrected to 0.03 mL"]);
    let amended = told(&sheet, "Amendments and notes");
    says(&amended, &["the pump's counter at 0 mL~", "corrected to 0.03 mL", "the display showed 0.03"]);
}
