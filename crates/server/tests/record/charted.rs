//! What people measured by hand, what they struck, and when nobody measured.

use super::visits::Clinic;
use super::{kim, says, told};
use clinic::device::{Parameter, PumpStatus};
use clinic::id::RuleId;
use clinic::monitor::Observed;
use clinic::quantity::{Microlitres, Rate, Tenths};
use clinic::session::{Command, Event, Finding, Observation, PumpRead, ReadBy};

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
    let why = "02:20:30: NIBP not charted by anybody; 02:31:00: NIBP is overdue, every 5 min";
    assert_eq!(before, [format!("02:20:30 | 02:40:00 | 19 min 30 s | {why}")]);
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

/// The rows about what somebody should have looked at.
fn gaps(clinic: &Clinic) -> Vec<String> {
    let all = told(&clinic.sheet(), "Observations");
    let rows = all.lines().filter(|row| row.contains(" overdue") || row.contains("not charted"));
    rows.map(str::to_owned).collect()
}

fn minutes_pass(clinic: &Clinic, minutes: u64) {
    for _ in 0..minutes * 4 {
        clinic.clock.advance(std::time::Duration::from_secs(15));
        clinic.app.floor.round();
        clinic.app.floor.keep();
    }
}

/// The record of an open visit goes to its last entry.
fn note(clinic: &Clinic) {
    clinic.act("note", &kim(), Command::Note { text: "the window is open".to_owned() }).expect("noted");
}

fn chart(clinic: &Clinic, name: &str, finding: Finding) {
    let seen = Observation::by_eye(clinic.clock.now(), finding);
    clinic.act(name, &kim(), Command::Chart(seen)).expect("charted");
}

/// Hazard 103: whatever the schedule asks for is a gap where nobody saw it, and none where somebody did.
#[test]
fn each_observation_of_the_schedule_that_nobody_made_is_a_gap() {
    let clinic = Clinic::infusing("first_infusion");
    minutes_pass(&clinic, 16);
    chart(&clinic, "distress", Finding::Distress { score: 2 });
    minutes_pass(&clinic, 16);
    note(&clinic);
    let gaps = gaps(&clinic);
    let schedule = clinic.app.knowledge.schedule_of(Some(&RuleId::new("mdd_trd_std"))).expect("one");
    let asked = schedule.body.rows.iter().filter(|row| {
        row.infusion_min.is_some_and(|every| every < 20)
            && !row.only_if_expected
            && row.what != Observed::Pump
    });
    let asked: Vec<&str> = asked.map(|row| row.title.as_str()).collect();
    assert!(asked.len() > 5 && asked.contains(&"MOAA/S"), "{asked:?}");
    for title in asked.into_iter().filter(|title| *title != "Distress") {
        let of =
            |row: &&String| row.contains(title) && row.contains("not charted") && row.starts_with("02:10:00");
        assert!(gaps.iter().any(|row| of(&row)), "{title}: {gaps:#?}");
    }
    let distress = gaps.iter().filter(|row| row.contains("Distress"));
    assert!(distress.clone().all(|row| row.contains("16 min")), "{gaps:#?}");
    assert_eq!(distress.count(), 2, "it was seen in between: {gaps:#?}");
}

/// Hazard 103: so is a pump that nobody read, and a cuff that was not asked as often as the pressure called for.
#[test]
fn a_pump_that_nobody_read_and_a_cuff_too_slow_for_the_pressure_are_gaps() {
    let clinic = Clinic::infusing("first_infusion");
    let pressure = |name, systolic| {
        let both = [(Parameter::Systolic, systolic), (Parameter::Diastolic, 84)];
        let values = both.map(|(sign, value)| (sign, Tenths::whole(value))).into();
        chart(&clinic, name, Finding::Vitals { values });
    };
    pressure("usual", 124);
    minutes_pass(&clinic, 9);
    let cuff = |clinic: &Clinic| -> Vec<String> {
        gaps(clinic).into_iter().filter(|row| row.contains("NIBP")).collect()
    };
    assert_eq!(cuff(&clinic), Vec::<String>::new(), "each 10 min is enough");
    pressure("high", 152);
    minutes_pass(&clinic, 9);
    pressure("after", 150);
    let slow = cuff(&clinic);
    assert!(
        matches!(&slow[..], [one] if one.contains("9 min 0 s") && one.contains("every 5 min")),
        "{slow:#?}"
    );
    let pump = |clinic: &Clinic| -> Vec<String> {
        gaps(clinic).into_iter().filter(|row| row.contains("Pump") && row.contains("overdue")).collect()
    };
    minutes_pass(&clinic, 8);
    let unread = pump(&clinic);
    assert!(matches!(&unread[..], [one] if one.contains("open")), "{unread:#?}");
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

/// Hazard 142: nothing is told to have flowed by the rate once the pump was read to keep the vein open, or to say nothing.
#[test]
fn what_flowed_is_cut_where_the_pump_was_read_to_do_something_else() {
    for (status, words) in [
        (PumpStatus::KeepVeinOpen, "read as keeping the vein open"),
        (PumpStatus::Unknown, "read as not known"),
    ] {
        let clinic = Clinic::infusing("first_infusion");
        clinic.clock.advance(std::time::Duration::from_secs(300));
        let (read_at, counter) = (clinic.clock.now(), Microlitres(2_567));
        let read = PumpRead {
            by: ReadBy::Person,
            status,
            rate: Rate(1_000),
            counter,
            read_at,
            reason: Some("as the display says".to_owned()),
            jumped: false,
            all_in: false,
        };
        clinic.act("read", &kim(), Command::ReadPump { read }).expect("taken");
        clinic.clock.advance(std::time::Duration::from_secs(600));
        note(&clinic);
        let delivery = told(&clinic.sheet(), "Delivery");
        let rows: Vec<&str> = delivery.lines().filter(|row| row.matches(" | ").count() == 5).collect();
        assert!(rows.iter().any(|row| row.contains(words) && row.contains("10 min 0 s")), "{rows:#?}");
        let by_rate = rows.iter().filter(|row| row.contains("30.8 mL/h"));
        assert!(by_rate.clone().all(|row| row.contains("5 min 0 s")) && by_rate.count() == 1, "{rows:#?}");
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

/// Hazard 103: an alarm that nobody answered and that came back is told as grave as it ever was, with each value; of a
/// silence each time has its own row.
#[test]
fn what_came_back_unanswered_is_told_each_time_and_as_grave_as_it_was() {
    let clinic = Clinic::infusing("first_infusion");
    for (name, value) in [("93", 93), ("84", 84), ("97", 97), ("55", 55), ("98", 98)] {
        let values = [(Parameter::Spo2, Tenths::whole(value))].into();
        chart(&clinic, name, Finding::Vitals { values });
        clinic.clock.advance(std::time::Duration::from_secs(5));
        clinic.app.floor.round();
        clinic.app.floor.keep();
    }
    let all = told(&clinic.sheet(), "Alarms");
    let row = all.lines().find(|row| row.contains("SpO₂ 93")).expect("a row").to_owned();
    assert!(row.contains("| High |"), "{row}");
    assert!(row.contains("High: SpO₂ 84") && row.contains("SpO₂ 55"), "{row}");
    for name in ["first", "second"] {
        let both = [(Parameter::Systolic, 124), (Parameter::Diastolic, 84)];
        let values = both.map(|(sign, value)| (sign, Tenths::whole(value))).into();
        chart(&clinic, name, Finding::Vitals { values });
        minutes_pass(&clinic, 25);
    }
    note(&clinic);
    let gaps = gaps(&clinic);
    let overdue: Vec<&String> = gaps.iter().filter(|row| row.contains("NIBP is overdue")).collect();
    assert_eq!(overdue.len(), 2, "{gaps:#?}");
    assert!(overdue[0].starts_with("02:10:25 | 02:35:25") && overdue[1].starts_with("02:35:25"), "{gaps:#?}");
}
