//! The command line as typed: exit codes, JSON keys, messages.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// Runs a line on 2026-11-22; words are separated by `|` so that hours keep their space.
fn typed(line: &str) -> Answer {
    let words = std::iter::once("plan").chain(line.split('|').filter(|word| !word.is_empty()));
    let line = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    answer(&line.args, "2026-11-22T12:00:00Z".parse().expect("a time"), &knowledge)
}

const USUAL: &str = "--regimen|mdd_trd_std|--start|2026-11-30|--last|never|--opening|mon-fri 08:00-17:00\
                     |--zone|America/New_York";

fn json_of(line: &str) -> Value {
    serde_json::from_str(&typed(&format!("{line}|--format|json")).out).expect("JSON")
}

#[test]
fn a_course_is_printed_with_what_each_rule_says() {
    let course = json_of(USUAL);
    assert_eq!(course["regimen"], "mdd_trd_std");
    let visits = course["visits"].as_array().expect("visits");
    assert_eq!(visits.len(), 6);
    assert_eq!(visits[0]["date"], "2026-11-30");
    assert_eq!(visits[0]["start"], "2026-11-30T08:00:00-05:00");
    assert_eq!(visits[5]["end"], "2026-12-17T09:40:00-05:00");
    for finding in visits[1]["findings"].as_array().expect("findings") {
        let has = |key: &str| !finding[key].is_null();
        assert!(["rule", "verdict", "reason", "source"].into_iter().all(has), "{finding}");
    }
    assert_eq!(visits[1]["findings"][0]["rule"], "spacing_psychiatric");
    assert_eq!(visits[1]["findings"][0]["verdict"], "pass");
    assert_eq!(course["findings"][0]["rule"], "mdd_trd_std");
    assert!(!typed(USUAL).out.contains("warn"), "{}", typed(USUAL).out);
}

#[test]
fn the_shipped_zones_know_when_the_clock_changes() {
    let line = "--regimen|mdd_si|--start|2027-03-13|--count|2|--per-week|7|--last|never|--opening|mon-sun 08:00-17:00";
    let start = |zone: &str| json_of(&format!("{line}|--zone|{zone}"))["visits"][1]["start"].clone();
    assert_eq!(start("America/New_York"), "2027-03-14T09:00:00-04:00");
    assert_eq!(start("America/Phoenix"), "2027-03-14T08:00:00-07:00");
}

#[test]
fn a_holiday_moves_a_visit_and_a_person_may_move_another() {
    let told = typed(&format!("{USUAL}|--holiday|2026-12-03"));
    assert_eq!(told.exit, Exit::Done);
    assert!(told.out.contains("Thursday 2026-12-03 is a holiday"), "{}", told.out);
    let near = typed(&format!("{USUAL}|--move|2=2026-12-01T07:00"));
    assert_eq!(near.exit, Exit::Refused);
    for words in ["not open from 07:00", "23 h since the last infusion"] {
        assert!(near.wrong.contains(words), "{}", near.wrong);
    }
    let fine = typed(&format!("{USUAL}|--move|2=2026-12-02T10:00"));
    assert_eq!((fine.exit, fine.wrong.as_str()), (Exit::Done, ""));
    assert!(fine.out.contains("Wed 2026-12-02 10:00"), "{}", fine.out);
}

#[test]
fn what_cannot_be_read_is_named_with_what_is_accepted() {
    let base = "--regimen|mdd_trd_std|--start|2026-11-30";
    for (line, words) in [
        ("--regimen|nothing|--start|2026-11-30", "--regimen: `nothing` cannot be read"),
        ("--regimen|ocd|--start|2026-11-21", "it is in the past, today is 2026-11-22"),
        ("--regimen|ocd|--start|2026-02-30", "--start: `2026-02-30` cannot be read: there is no such day"),
        ("--regimen|ocd|--start|2026-12-1", "--start"),
        ("--regimen|ocd|--start|1 Dec 2026", "--start"),
        (&format!("{base}|--opening|daily"), "--opening"),
        (&format!("{base}|--opening|mon 17:00-08:00"), "it ends before it begins"),
        (&format!("{base}|--holiday|Christmas"), "--holiday"),
        (&format!("{base}|--zone|America/Nowhere"), "--zone"),
        (&format!("{base}|--at|9"), "--at"),
        (&format!("{base}|--minutes|40 mg"), "--minutes"),
        (&format!("{base}|--last|yesterday"), "--last"),
        (&format!("{base}|--move|3"), "--move"),
        (&format!("{base}|--move|7=2026-12-09T10:00"), "there is no visit 7"),
        (&format!("{base}|--move|0=2026-12-09T10:00"), "there is no visit 0"),
        (
            &format!("{base}|--move|1=2026-11-22T11:59"),
            "--move: `1=2026-11-22T11:59` cannot be read: it is in the past, now is 2026-11-22T12:00",
        ),
    ] {
        let told = typed(line);
        assert_eq!((told.exit, told.out.as_str()), (Exit::Unreadable, ""), "{line}");
        assert!(told.wrong.contains(words), "{line}: {}", told.wrong);
    }
}

#[test]
fn what_a_rule_refuses_ends_with_three_and_no_visit() {
    for (line, words) in [
        ("--regimen|mig|--start|2026-11-30", "hospital wards"),
        ("--regimen|crps_inpt|--start|2026-11-30", "kept for comparison"),
        ("--regimen|mdd_trd_std|--start|2026-11-30|--minutes|10 min", "10 min; the limit is 15 or more"),
        ("--regimen|mdd_trd_std|--start|2026-11-30|--count|61", "accepted are 1 to 60"),
        ("--regimen|mdd_trd_std|--start|2026-11-30|--opening|sun 08:00-09:00", "no opening that holds"),
    ] {
        let told = typed(line);
        assert_eq!(told.exit, Exit::Refused, "{line}");
        assert!(told.wrong.contains(words), "{line}: {}", told.wrong);
        assert_eq!(json_of(line)["visits"], json!([]), "{line}");
    }
}

#[test]
fn a_length_far_from_the_regimens_is_said_with_its_limit() {
    let line = "--regimen|mdd_trd_std|--start|2026-11-30|--minutes";
    let findings = |minutes: &str| json_of(&format!("{line}|{minutes}"))["findings"].to_string();
    let told = findings("400 min");
    assert!(
        told.contains("An infusion of 400 min is 10 times the regimen's 40 min; the limit is 0 to 8 times."),
        "{told}"
    );
    assert!(!findings("60 min").contains("times the regimen's"));
}

/// Runs `advise` on a file that is gone afterwards.
fn advised(name: &str, text: &str) -> Answer {
    let file = std::env::temp_dir().join(format!("chairside-advise-{}-{name}.json", std::process::id()));
    std::fs::write(&file, text).expect("it can be written");
    let line = AdviseLine::try_parse_from(["advise", file.to_str().expect("a plain path")]).expect("a file");
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    let told = advise::answer(&line.args, &knowledge);
    let _ = std::fs::remove_file(file);
    told
}

#[derive(Debug, Parser)]
struct AdviseLine {
    #[command(flatten)]
    args: advise::Args,
}

#[test]
fn advice_shows_its_rule_its_inputs_and_its_working() {
    let told = advised(
        "whole",
        r#"{ "on": "2026-12-01",
             "series": { "baseline": 20, "now": 18, "infusion": 6 },
             "given": [
               { "on": "2026-11-20", "mg": "40 mg", "mg_per_kg": "0.5 mg/kg" },
               { "on": "2026-11-24", "elsewhere": true }
             ],
             "checks": { "check_liver": { "last_done": "2026-11-10" } },
             "signals": { "intoxicated": true },
             "systolic": { "2026-09-14": 118, "2026-11-24": "131.5" } }"#,
    );
    assert_eq!(told.exit, Exit::Done, "{}", told.wrong);
    let told: Value = serde_json::from_str(&told.out).expect("JSON");
    let advice = &told["advice"][0];
    assert_eq!(advice["suggestion"]["suggest"], "discuss_stopping");
    assert_eq!((&advice["rule"], &advice["version"]), (&json!("futility"), &json!(1)));
    assert_eq!(advice["inputs"]["now"], "18");
    assert_eq!(advice["working"][0], "improvement 10 % after infusion 6, limit 20 %");
    assert_eq!(told["ledger"]["lifetime"]["infusions"], 2);
    assert_eq!(told["ledger"]["lifetime"]["unknown_doses"], 1);
    let held: Vec<&str> = told["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter_map(|found| found["rule"].as_str())
        .collect();
    assert_eq!(held, ["check_bladder", "check_misuse", "check_pdmp"]);
    assert!(told["pressure"][0]["reason"].as_str().expect("a reason").contains("13.5 mmHg more"), "{told}");
    assert_eq!(told["misuse"].as_array().expect("misuse").len(), 11, "one sign, ten not asked");
}

#[test]
fn a_file_that_cannot_be_read_says_where() {
    for (name, text, words) in [
        ("empty", "", "EOF while parsing"),
        ("key", r#"{ "on": "2026-12-01", "gvien": [] }"#, "unknown field `gvien`"),
        ("unit", r#"{ "on": "2026-12-01", "given": [{ "on": "2026-11-01", "mg": "40" }] }"#, "has no unit"),
        ("check", r#"{ "on": "2026-12-01", "checks": { "liver": {} } }"#, "known are check_bladder, "),
        ("sign", r#"{ "on": "2026-12-01", "signals": { "late": true } }"#, "`signals` names `late`"),
        (
            "score",
            r#"{ "on": "2026-12-01", "maintenance": { "visit": { "now": 28 } } }"#,
            "now is 28; a PHQ-9 is 0 to 27",
        ),
        (
            "day",
            r#"{ "on": "2026-12-01", "given": [{ "on": "2026-12-02" }] }"#,
            "2026-12-02 is after the day",
        ),
    ] {
        let told = advised(name, text);
        assert_eq!((told.exit, told.out.as_str()), (Exit::Unreadable, ""), "{name}");
        assert!(told.wrong.contains(words), "{name}: {}", told.wrong);
    }
}
