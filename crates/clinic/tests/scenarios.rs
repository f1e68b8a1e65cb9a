//! Every scenario file runs as told, and gives the same transcript twice.
#![cfg(test)]

use clinic::knowledge::Knowledge;
use clinic::scenario::Scenario;
use std::fs;
use std::path::Path;

#[test]
fn every_scenario_runs_as_told() {
    let knowledge = Knowledge::shipped().expect("the shipped knowledge is sound");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut told = 0;
    for entry in fs::read_dir(folder).expect("the scenarios") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("readable");
        let scenario = Scenario::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let first = scenario.run(&knowledge).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(Ok(first), scenario.run(&knowledge));
        told += 1;
    }
    assert!(told > 0, "no scenario was found");
}

#[test]
fn a_scenario_that_expects_something_else_fails() {
    let knowledge = Knowledge::shipped().expect("the shipped knowledge is sound");
    let text = r#"
        title = "wrong on purpose"
        start = "2026-03-02T09:00:00Z"
        [people]
        kim = "nurse"
        [[step]]
        at = "00:00"
        by = "kim"
        do = { do = "plan", patient = "p1", regimen = "mdd_trd_std", infusion = 1, of = 6, day = "2026-03-02" }
        then = ["checked_in"]
    "#;
    let error = Scenario::read(text).expect("readable").run(&knowledge).expect_err("it must not hold");
    assert_eq!(error.to_string(), "step 1 (plan a session by kim): expected checked_in, got session_planned");
}
