//! Rating scales from outside: every published scoring case through the command line, and the refusals.

use serde_json::{Value, json};
use std::process::{Command, Output};

/// Runs the program.
fn chairside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chairside")).args(arguments).output().expect("it starts")
}

fn answer(arguments: &[&str]) -> Value {
    let output = chairside(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn scored(scale: &str, answers: &str) -> Value {
    answer(&["score", scale, "--answers", answers])
}

fn compared(scale: &str, baseline: &str, current: &str, more: &[&str]) -> Value {
    answer(&[&["outcome", scale, "--baseline", baseline, "--current", current], more].concat())
}

/// Standard error of a run that cannot read its input and prints nothing.
fn unreadable(arguments: &[&str]) -> String {
    let output = chairside(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed something");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the answer has each of the wanted fields with that value.
fn has(came: &Value, wanted: &Value) {
    for (key, value) in wanted.as_object().expect("fields") {
        assert_eq!(&came[key], value, "{key} of {came:#}");
    }
}

#[test]
fn depression_and_anxiety() {
    let phq = scored("phq9", "2,2,3,3,1,2,2,0,1");
    has(&phq, &json!({ "scale": "phq9", "total": 16, "band": "moderately severe", "complete": true }));
    has(&phq, &json!({ "prorated": false, "flags": ["cssrs_required"], "subscales": {} }));
    let prorated = scored("phq9", "2,2,2,2,2,2,2,-,-");
    has(&prorated, &json!({ "total": 18, "band": "moderately severe", "prorated": true, "complete": true }));
    assert_eq!(prorated["flags"], json!(["cssrs_required", "prorated"]), "item 9 is not known to be 0");
    let gaps = scored("phq9", "2,2,2,2,2,2,-,-,-");
    has(&gaps, &json!({ "total": null, "band": null, "complete": false, "missing": ["7", "8", "9"] }));
    has(&scored("gad7", "3,3,3,2,1,2,1"), &json!({ "total": 15, "band": "severe", "flags": [] }));
    has(&scored("qids_sr16", "2,1,0,0,2,0,3,0,1,2,1,1,2,2,0,1"), &json!({ "total": 16, "band": "severe" }));
    has(&answer(&["score", "hamd17", "--total", "14"]), &json!({ "total": 14, "band": "moderate" }));
    has(&answer(&["score", "hamd17", "--total", "23"]), &json!({ "band": "very severe" }));
    has(&scored("hamd17", "2,1,0,1,1,1,2,1,1,1,1,1,1,0,0,0,0"), &json!({ "total": 14, "flags": [] }));
    has(&scored("madrs", "34"), &json!({ "total": 34, "band": "moderate" }));
    has(&scored("madrs", "35"), &json!({ "band": "severe" }));
    let criteria = &scored("madrs", "10")["criteria"];
    has(criteria, &json!({ "remission": true, "remission_below_10": false }));
}

#[test]
fn trauma_pain_substances_and_discharge() {
    let pcl = scored("pcl5", "2,0,0,0,0,3,0,2,2,0,0,0,0,0,2,2,0,0,0,0");
    has(&pcl, &json!({ "total": 13, "band": null, "subscales": { "B": 2, "C": 3, "D": 4, "E": 4 } }));
    has(&pcl["criteria"], &json!({ "dsm5_provisional": true, "cut_31": false }));
    for no_exposure in ["n", "n,y,y,y,y,y", "0,-,-,-,-,-", "no,no,no,no,no,no"] {
        has(&scored("pc_ptsd5", no_exposure), &json!({ "total": 0, "complete": true }));
    }
    has(&scored("pc_ptsd5", "y,y,1,Yes,n,0"), &json!({ "total": 3 }));
    let fiqr = |function: &str| scored("fiqr", &format!("{function},6,6,6,6,6,6,7,7,7,7,7,7"));
    has(&fiqr("6,6,6,6,6,6,6,6,6"), &json!({ "total": 63, "prorated": false }));
    has(&fiqr("6,6,6,6,6,6,6,6,-"), &json!({ "total": 63, "prorated": true, "flags": ["prorated"] }));
    has(&scored("peg", "7,6,8"), &json!({ "total": 7 }));
    has(&scored("peg", "4 5 4"), &json!({ "total": 4.33 }));
    has(&scored("dast10", "n,n,n,n,n,n,n,n,n,n"), &json!({ "total": 1 }));
    has(&scored("dast10", "1,1,1,1,1,1,1,1,1,1"), &json!({ "total": 9, "flags": ["refer", "hold"] }));
    let audit = |more: &[&str]| answer(&[&["score", "audit_c", "--answers", "1,1,1"], more].concat());
    has(&audit(&["--sex", "f"]), &json!({ "total": 3, "band": "positive" }));
    has(&audit(&["--sex", "male"]), &json!({ "band": "negative" }));
    has(&audit(&[]), &json!({ "band": null, "band_of": { "female": "positive", "male": "negative" } }));
    has(&scored("padss", "2,2,1,2,2"), &json!({ "total": 9, "band": "pass" }));
    let slums = answer(&["score", "slums", "--total", "26", "--group", "high_school"]);
    has(&slums, &json!({ "band": "mild neurocognitive disorder" }));
}

#[test]
fn suicide_risk() {
    let risk =
        |answers: &str, band: &str| has(&scored("cssrs", answers), &json!({ "band": band, "total": null }));
    risk("y,y,y,n,n,n", "MODERATE");
    risk("n,n,-,-,-,y,y", "HIGH");
    risk("0,1,0,1,0,0", "HIGH");
    risk("n,n,-,-,-,n", "NONE");
    risk("n,n,-,-,-,y,n", "MODERATE");
    has(&scored("cssrs", "y,y,y,n,n,n"), &json!({ "flags": ["task_on_call"], "complete": true }));
    has(&scored("C-SSRS", "y,y,-,n,n,n"), &json!({ "band": null, "complete": false }));
    // What was said counts, though the form would not have asked it.
    risk("n,n,n,y,n,n", "HIGH");
}

#[test]
fn outcomes() {
    let before = compared("phq9", "18", "8", &[]);
    has(&before, &json!({ "change": -10, "percent": -55.6, "response": true, "remission": false }));
    has(&before, &json!({ "reliable": true, "worse": false }));
    has(&compared("phq9", "18", "4", &[]), &json!({ "response": true, "remission": true }));
    let peg = compared("peg", "7.0", "4.33", &["--condition", "pain"]);
    has(&peg, &json!({ "percent": -38.1, "response": true, "reliable": true, "condition": "pain" }));
    has(&compared("phq9", "10", "16", &[]), &json!({ "change": 6, "worse": true, "reliable": true }));
    has(&compared("phq9", "0", "0", &[]), &json!({ "percent": null, "response": null, "remission": true }));
    let madrs = compared("madrs", "34", "10", &["--condition", "mdd"]);
    has(&madrs, &json!({ "response": true, "remission": true }));
    assert_eq!(madrs["remission_by"][1]["met"], json!(false));
    has(
        &compared("pcl5", "50", "41", &["--condition", "ptsd"]),
        &json!({ "response": false, "reliable": true }),
    );
    has(&compared("ybocs", "26", "17", &["--condition", "ocd"]), &json!({ "response": false }));
}

#[test]
fn what_cannot_be_read_is_named() {
    let told = unreadable(&["score", "phq9", "--answers", "2,2,4,3,1,2,2,0,1"]);
    for word in ["PHQ-9", "item 3", "`4`", "0 to 3"] {
        assert!(told.contains(word), "{told}");
    }
    assert!(unreadable(&["score", "phq9", "--answers", "2,2"]).contains("2 came"));
    assert!(unreadable(&["score", "phq", "--answers", "1"]).contains("there is no scale `phq`"));
    assert!(
        unreadable(&["score", "gad7", "--total", "22"]).contains("accepted is a whole number from 0 to 21")
    );
    assert!(unreadable(&["score", "cssrs", "--total", "3"]).contains("has no total"));
    assert!(unreadable(&["score", "audit_c", "--answers", "1,1,1", "--sex", "x"]).contains("f or m"));
    assert!(unreadable(&["score", "padss", "--answers", "2,2,1,2,3"]).contains("not 0 to 2"));
    for (arguments, words) in [
        (
            ["score", "phq9", "--total", "27.0", "", ""],
            "PHQ-9: a total of `27.0` is not possible; accepted is a whole",
        ),
        (["score", "gad7", "--answers", "1,1,1,1,1,1,2.0", "", ""], "`2.0` is no answer"),
        (["outcome", "phq9", "--baseline", "20.5", "--current", "3"], "--baseline: PHQ-9: a total of `20.5`"),
        (
            ["outcome", "madrs", "--baseline", "30", "--current", "12.0"],
            "--current: MADRS: a total of `12.0`",
        ),
    ] {
        let typed: Vec<&str> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        let told = unreadable(&typed);
        assert!(told.contains(words), "{told}");
    }
    has(&compared("peg", "6.33", "4.0", &[]), &json!({ "baseline": 6.33, "current": 4 }));
    assert!(unreadable(&["outcome", "phq9", "--baseline", "28", "--current", "3"]).contains("0 to 27"));
    assert!(unreadable(&["outcome", "phq9", "--baseline", "-8", "--current", "3"]).contains("--baseline"));
    let told = unreadable(&["outcome", "phq9", "--baseline", "8", "--current", "3", "--condition", "flu"]);
    assert!(told.contains("`flu`") && told.contains("ptsd"), "{told}");
    assert!(unreadable(&["scales", "show", "phq"]).contains("scales list"));
}

#[test]
fn scales_are_listed_and_shown() {
    let list = String::from_utf8(chairside(&["scales", "list"]).stdout).expect("text");
    for id in ["phq9", "gad7", "pcl5", "pc_ptsd5", "audit_c", "hamd17", "peg", "cssrs", "madrs"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{id} "))), "{id} in {list}");
    }
    let shown = String::from_utf8(chairside(&["scales", "show", "PHQ-9"]).stdout).expect("text");
    assert!(shown.contains("Little interest or pleasure in doing things"), "{shown}");
    let licensed = String::from_utf8(chairside(&["scales", "show", "madrs"]).stdout).expect("text");
    assert!(licensed.contains("class = \"copyright\"") && !licensed.contains("ask ="), "{licensed}");
}
