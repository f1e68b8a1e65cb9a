//! The vectors of screening, that each rule fires on its own example alone, and what is refused.

use super::*;
use crate::knowledge::File;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(super) static SHIPPED: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));
pub(super) const TODAY: Date = jiff::civil::date(2026, 11, 22);
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screening");

pub(super) fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{EXAMPLES}/{name}.json"))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn documents() -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(EXAMPLES).expect("the folder can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    names
        .filter_map(|name| {
            Some((name.strip_suffix(".json")?.to_owned(), example(name.strip_suffix(".json")?)))
        })
        .map(|(name, text)| (name, serde_json::from_str(&text).expect("JSON")))
        .collect()
}

pub(super) fn screened(json: &str) -> Screening {
    let consultation = read(json, TODAY, &SHIPPED).unwrap_or_else(|error| panic!("{error}"));
    screen(&consultation, "default", TODAY, &SHIPPED).expect("the default profile")
}

fn of(document: &Value) -> Screening {
    screened(&document.to_string())
}

pub(super) fn rule(screening: &Screening, id: &str) -> Option<Verdict> {
    screening.findings.iter().find(|finding| printed(&finding.rule) == id).map(|finding| finding.verdict)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verdict: Verdict,
    findings: BTreeMap<String, Verdict>,
    #[serde(default)]
    missing: BTreeSet<String>,
    trd: Option<BTreeMap<String, u32>>,
}

fn expected() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(format!("{EXAMPLES}/expected.toml")).expect("the list can be read");
    toml::from_str(&text).expect("the list is whole")
}

#[test]
fn each_rule_fires_on_its_own_example_and_on_nothing_else_of_the_clean_patient() {
    let mut wrong = Vec::new();
    for (name, wanted) in expected() {
        let came = screened(&example(&name));
        let findings: BTreeMap<String, Verdict> =
            came.findings.iter().map(|finding| (printed(&finding.rule), finding.verdict)).collect();
        let trd = wanted
            .trd
            .is_none_or(|trd| trd["count"] == came.trd.count && trd["intolerant"] == came.trd.intolerant);
        if (came.verdict, &findings, &came.missing) != (wanted.verdict, &wanted.findings, &wanted.missing)
            || !trd
        {
            wrong.push(format!("{name}: {:?} {findings:?} {:?} {:?}", came.verdict, came.missing, came.trd));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_of_the_default_profile_has_an_example_that_fires_it() {
    let fired: BTreeSet<String> =
        expected().into_values().flat_map(|wanted| wanted.findings.into_keys()).collect();
    let default = |header: &&Header| header.profile == "default-v1";
    let rules = SHIPPED.eligibility.iter().map(|item| &item.header);
    let work_up = SHIPPED.workup.iter().map(|item| &item.header);
    let drugs = SHIPPED.interactions.iter().map(|item| &item.header);
    let all =
        rules.chain(work_up).chain(drugs.filter(|header| header.id.starts_with('d') && header.id.len() == 3));
    let silent: Vec<&str> = all
        .filter(default)
        .map(|header| header.id.as_str())
        .filter(|id| !fired.contains(&id.to_uppercase()))
        .collect();
    assert!(silent.is_empty(), "no example fires {silent:?}");
    let written = std::fs::read_dir(EXAMPLES).expect("the folder can be read").count();
    assert_eq!(written, expected().len() + 1, "a document that nobody looks at");
}

#[test]
fn g5_to_g7_medicines_alone() {
    let verdict = |medicines: Value, id| rule(&of(&json!({ "medicines": medicines })), id);
    assert_eq!(verdict(json!(["theophylline"]), "D03"), Some(Verdict::Stop));
    assert_eq!(verdict(json!([{ "atc": "R03DA04" }]), "D03"), Some(Verdict::Stop));
    assert_eq!(verdict(json!([{ "name": "clonazepam", "daily_mg": 1 }]), "D01"), Some(Verdict::Hold));
    assert_eq!(verdict(json!([{ "name": "lorazepam", "daily_mg": 0.5 }]), "D01"), Some(Verdict::Warn));
    assert_eq!(verdict(json!(["phenelzine"]), "D06"), Some(Verdict::Warn));
    assert_eq!(of(&json!({ "medicines": ["theophylline"] })).verdict, Verdict::Stop);
}

#[test]
fn g17_and_g18_by_numbers_alone() {
    let alt = |regimen: Value| rule(&of(&json!({ "regimen": regimen, "labs": { "alt": 3.2 } })), "E11");
    assert_eq!(alt(json!(null)), Some(Verdict::Hold));
    assert_eq!(alt(json!("MDD_TRD_STD")), Some(Verdict::Hold));
    assert_eq!(alt(json!("PAIN_GEN")), Some(Verdict::Stop));
    assert_eq!(rule(&of(&json!({ "scales": { "ymrs": 14 } })), "E07"), Some(Verdict::Stop));
    assert_eq!(
        rule(&of(&json!({ "scales": { "ymrs": 12 } })), "E07"),
        Some(Verdict::Hold),
        "the rest is missing"
    );
}

#[test]
fn a_hold_is_a_prescribers_and_an_absolute_stop_is_nobodys() {
    let by = |name: &str, id: &str| {
        let came = screened(&example(name));
        came.findings
            .iter()
            .find(|finding| printed(&finding.rule) == id)
            .map(|finding| finding.overridable_by)
    };
    assert_eq!(by("e06", "E06"), Some(Override::Never));
    assert_eq!(by("e09", "E09"), Some(Override::Never));
    assert_eq!(by("e09_screen", "E09"), Some(Override::Prescriber));
    assert_eq!(by("e10", "E10"), Some(Override::Prescriber));
    assert_eq!(by("e20", "E20"), Some(Override::Prescriber));
    assert_eq!(by("e21", "E21"), Some(Override::None));
}

#[test]
fn a_code_that_nobody_knows_is_not_a_medicine_without_rules() {
    let came = of(&json!({ "medicines": [{ "rxcui": "999999999" }] }));
    assert!(came.missing.contains("medicines[0].name"), "{:?}", came.missing);
    let known = of(&json!({ "medicines": [{ "rxcui": 36437 }] }));
    assert_eq!(rule(&known, "D16"), Some(Verdict::Info));
    let both = of(&json!({ "medicines": [{ "name": "theophylline", "rxcui": 36437 }] }));
    assert_eq!((rule(&both, "D16"), rule(&both, "D03")), (Some(Verdict::Info), Some(Verdict::Stop)));
}

#[test]
fn a_slip_of_the_hand_does_not_hide_a_medicine() {
    for (slip, meant) in [
        ("theophyline", "theophylline"),
        ("Theophlyline 200 mg", "theophylline"),
        ("phenelzin", "phenelzine"),
    ] {
        let asked = format!("medicines[0].name: is {slip} {meant}?");
        let came = of(&json!({ "medicines": [slip] }));
        assert!(came.missing.contains(&asked), "{slip}: {:?}", came.missing);
    }
    for other in ["lithium", "atorvastatin", "metformin", "hydralazine", "buspirone", "theophylline"] {
        let came = of(&json!({ "medicines": [other] }));
        assert!(
            !came.missing.iter().any(|path| path.starts_with("medicines")),
            "{other}: {:?}",
            came.missing
        );
    }
}

#[test]
fn nothing_known_holds_and_names_what_is_missing() {
    let came = of(&json!({}));
    assert_eq!(came.verdict, Verdict::Hold);
    for path in
        ["diagnoses", "medicines", "allergies", "regimen", "person.born", "labs.alt", "answers.psychosis_now"]
    {
        assert!(came.missing.contains(path), "{path} is not in {:?}", came.missing);
    }
}

#[test]
fn profiles_differ_from_the_default() {
    let clean = read(&example("clean"), TODAY, &SHIPPED).expect("it reads");
    let under = |profile| screen(&clean, profile, TODAY, &SHIPPED).expect("the profile");
    assert_eq!(rule(&under("VA_2019"), "VA01"), Some(Verdict::Hold), "two trials are not four");
    assert_eq!(under("default-v1").verdict, Verdict::Pass);
    let toronto = under("Toronto");
    assert_eq!(toronto.missing, BTreeSet::from(["answers.brain_injury_symptoms".to_owned()]));
    let none = screen(&clean, "mine", TODAY, &SHIPPED).map(|_| ()).expect_err("there is none").to_string();
    assert!(none.contains("`mine`") && none.contains("va_2019"), "{none}");
}

#[test]
fn each_result_counts_to_the_last_day_of_its_window_and_holds_on_the_next() {
    let clean: Value = serde_json::from_str(&example("clean")).expect("it is JSON");
    let dated = |fact: &str, day: Date| {
        let mut document = clean.clone();
        let (list, name) = fact.split_once('.').expect("a path");
        match list {
            "workup" => document[list][name] = json!(day),
            _ => document[list][name]["on"] = json!(day),
        }
        of(&document)
    };
    let mut windows = 0;
    for item in SHIPPED.workup.iter() {
        for fact in item.body.facts.iter().chain(&item.body.one_of) {
            let (list, name) = fact.split_once('.').expect("a path");
            if !["labs", "scales", "workup"].contains(&list) || clean[list].get(name).is_none() {
                continue;
            }
            let days = |count: i32| TODAY.checked_sub(jiff::Span::new().days(count)).expect("a day");
            let valid = item.body.valid_d;
            assert_eq!(dated(fact, days(valid)).verdict, Verdict::Pass, "{fact} of {valid} days ago");
            assert_eq!(dated(fact, days(valid + 1)).verdict, Verdict::Hold, "{fact} of a day more");
            windows += 1;
        }
    }
    assert!(windows > 20, "{windows}");
}

const MINE: &str = r#"
id = "mine"
title = "Ours"
version = 1
evidence = "proposed"
status = "signed"
sources = ["chairside-default"]
without = ["e25"]
[[change]]
row = "e17"
fact = "person.bmi"
from = 35
[[change]]
row = "w08"
valid_d = 30
[[example]]
row = "e17"
verdict = "hold"
given = { diagnoses = [], person = { weight_kg = 120, height_cm = 180 }, scales = { stop_bang = 1 }, answers = { difficult_airway = "no", home_oxygen = "no" } }
"#;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_clinics_own_profile_leaves_rows_out_and_changes_limits() {
    let knowledge = Knowledge::shipped_with(file("profiles/mine.toml", MINE)).expect("it holds");
    let heavier = example("clean").replace(r#""weight_kg": 72"#, r#""weight_kg": 104"#);
    let consultation = read(&heavier, TODAY, &knowledge).expect("it reads");
    let under = |profile| screen(&consultation, profile, TODAY, &knowledge).expect("the profile");
    assert_eq!(rule(&under("mine"), "E17"), Some(Verdict::Hold), "36 is above 35");
    assert_eq!(under("default").verdict, Verdict::Pass);
    for (from, to, words) in [
        ("\"e25\"", "\"e99\"", "leaves out `e99`"),
        ("row = \"w08\"", "row = \"w99\"", "no rule `w99`"),
        ("valid_d = 30", "valid_d = 90", "changes nothing"),
        ("from = 35", "from = 50", "does not hold"),
        ("fact = \"person.bmi\"\n", "", "needs the `fact`"),
    ] {
        assert!(MINE.contains(from), "{from}");
        let error = Knowledge::shipped_with(file("profiles/mine.toml", &MINE.replace(from, to)));
        let error = error.map(|_| ()).expect_err(to).to_string();
        assert!(error.contains(words), "{to}: {error}");
    }
}

#[test]
fn a_stored_verdict_is_decided_again_and_says_what_changed() {
    let stored = screened(&example("e07"));
    let text = serde_json::to_string(&stored).expect("it is written");
    let back: Screening = serde_json::from_str(&text).expect("it is read");
    assert_eq!(back, stored);
    assert_eq!(replay(&back, &SHIPPED), Vec::<String>::new());
    let older = SHIPPED.show("e07").expect("the rule").replace("version = 1", "version = 2");
    let milder = older.replace("above = 12", "above = 13").replace("ymrs = 12", "ymrs = 13");
    let later = Knowledge::shipped_with(file("eligibility/e07.toml", &milder)).expect("it holds");
    let differs = replay(&back, &later);
    assert!(differs.iter().any(|line| line == "E07: version 1, now version 2"), "{differs:?}");
    assert!(differs.iter().any(|line| line.contains("above 12") && line.contains("above 13")), "{differs:?}");
}

#[test]
fn what_cannot_be_is_refused_with_path_value_and_what_is_accepted() {
    for (document, words) in [
        (r#"{"medicnes": []}"#, vec!["medicnes", "medicines"]),
        (r#"{"diagnoses": [{"cod": "F33.2"}]}"#, vec!["diagnoses[0]", "cod", "code"]),
        (r#"{"answers": {"psychosis": "no"}}"#, vec!["answers.psychosis", "psychosis_now"]),
        (r#"{"answers": {"escort": "maybe"}}"#, vec!["answers.escort", "maybe", "unknown"]),
        (r#"{"answers": {"escort": "yes", "escort": "no"}}"#, vec!["escort", "twice"]),
        (r#"{"labs": {"alt": 900}}"#, vec!["labs.alt", "900", "0 to 200"]),
        (r#"{"labs": {"alt": {"value": 90, "uln": 0}}}"#, vec!["labs.alt.uln", "above 0"]),
        (r#"{"labs": {"hcg": 3}}"#, vec!["labs.hcg", "3", "negative"]),
        (r#"{"scales": {"phq9": 28}}"#, vec!["scales.phq9", "28", "0 to 27"]),
        (r#"{"scales": {"phq9": 13.5}}"#, vec!["scales.phq9", "13.5", "a whole number from 0 to 27"]),
        (r#"{"scales": {"phq9": {"total": 8, "on": "2026-11-23"}}}"#, vec!["scales.phq9.on", "2026-11-23"]),
        (
            r#"{"person": {"born": "1984-03-12"}, "labs": {"alt": {"value": 1, "on": "1984-03-11"}}}"#,
            vec!["labs.alt.on", "1984-03-11", "from 1984-03-12, the day of birth"],
        ),
        (r#"{"vitals": {"temperature": 50}}"#, vec!["vitals.temperature", "30 to 43 °C"]),
        (r#"{"scales": {"cssrs": "severe"}}"#, vec!["scales.cssrs", "severe", "moderate"]),
        (r#"{"person": {"born": "1984-13-12"}}"#, vec!["person.born", "1984-13-12"]),
        (r#"{"person": {"weight_kg": -3}}"#, vec!["person.weight_kg", "-3", "20 to 400"]),
        (r#"{"diagnoses": ["depression"]}"#, vec!["diagnoses[0].code", "depression", "F33.2"]),
        (r#"{"diagnoses": [7]}"#, vec!["diagnoses[0]", "7", "ICD-10-CM"]),
        (r#"{"regimen": "mdd"}"#, vec!["regimen", "mdd", "mdd_trd_std"]),
        (r#"{"medicines": [{}]}"#, vec!["medicines[0]", "names no medicine"]),
        (r#"{"medicines": [{"name": "lithium", "daily_mg": -1}]}"#, vec!["medicines[0].daily_mg", "-1"]),
        (
            r#"{"vitals": {"pressures": [{"systolic": 80, "diastolic": 120}]}}"#,
            vec!["vitals.pressures", "80/120"],
        ),
        (
            r#"{"vitals": {"pressures": [{"at": "9", "systolic": 120, "diastolic": 80}]}}"#,
            vec!["pressures[0].at", "9"],
        ),
        (r#"{"on": "2026-11-23"}"#, vec!["on", "future"]),
        (r#"{} {}"#, vec!["the document", "trailing"]),
        ("[]", vec!["the document", "a list"]),
        (r#"{"person": ["1984-03-12", "f"]}"#, vec!["person", "a list", "an object"]),
        ("", vec!["the document", "EOF"]),
    ] {
        let refused = read(document, TODAY, &SHIPPED).map(|_| ()).expect_err(document).to_string();
        for word in words {
            assert!(refused.contains(word), "{document}: `{word}` is not in: {refused}");
        }
    }
}

#[test]
fn what_cannot_be_mistaken_may_be_short() {
    let short = r#"{"diagnoses": ["f332"], "medicines": ["Sertraline"], "allergies": ["latex"], "labs": {"alt": "0.8"},
        "answers": {"escort": true}, "scales": {"phq9": {"total": 18, "on": "2026-11-20"}}}"#;
    let long = r#"{"diagnoses": [{"code": "F33.2"}], "medicines": [{"name": "Sertraline"}], "allergies":
        [{"substance": "latex"}], "labs": {"alt": {"value": 32, "uln": 40}}, "answers": {"escort": "yes"},
        "scales": {"phq9": {"value": "18", "on": "2026-11-20"}}}"#;
    let (short, long) = (screened(short), screened(long));
    let told = |screening: &Screening| -> Vec<_> {
        screening.findings.iter().map(|finding| (finding.rule.clone(), finding.verdict)).collect()
    };
    assert_eq!(told(&short), told(&long));
    assert_eq!(short.missing, long.missing);
}

/// Hazard 161: what the screening has seen is not asked again, and what had become too old is.
#[test]
fn findings_that_the_screening_counted_are_the_first_of_each_check() {
    let clean: Value = serde_json::from_str(&example("clean")).expect("JSON");
    let made = |change: &dyn Fn(&mut Value)| {
        let mut document = clean.clone();
        change(&mut document);
        baselines(&of(&document), &SHIPPED)
    };
    let all = made(&|_| {});
    let day = jiff::civil::date(2026, 11, 20);
    let of_all = ["check_bladder", "check_liver", "check_misuse", "check_pdmp"];
    assert_eq!(all.keys().map(String::as_str).collect::<Vec<_>>(), of_all);
    assert!(all.values().all(|on| *on == day));
    let older = made(&|one| one["labs"]["ast"]["on"] = json!("2026-09-01"));
    assert_eq!(older["check_liver"], jiff::civil::date(2026, 9, 1), "as old as its oldest finding");
    let lacks = |change: &dyn Fn(&mut Value), check: &str| {
        let left = made(change);
        assert!(!left.contains_key(check) && left.len() == 3, "{check}: {left:?}");
    };
    lacks(&|one| one["labs"]["alt"]["on"] = json!("2026-08-01"), "check_liver");
    lacks(&|one| one["workup"]["pdmp"] = json!("2026-08-01"), "check_pdmp");
    lacks(&|one| one["labs"]["uds"] = Value::Null, "check_misuse");
    lacks(&|one| one["scales"]["icsi"] = Value::Null, "check_bladder");
}

/// A name that no rule knows may be another name of a medicine that stops.
#[test]
fn a_medicine_that_no_rule_knows_holds_until_it_is_looked_up() {
    let taking = |name: &str| {
        let mut document: Value = serde_json::from_str(&example("clean")).expect("JSON");
        document["medicines"] = serde_json::json!([{ "name": name }]);
        screened(&document.to_string())
    };
    assert_eq!(taking("Trazodone").verdict, Verdict::Warn, "an ingredient that no rule speaks of");
    let unknown = taking("Theo-24");
    assert_eq!((unknown.verdict, taking("theophylline").verdict), (Verdict::Hold, Verdict::Stop));
    let found = unknown.findings.iter().find(|one| one.reason.contains("no rule knows “Theo-24”"));
    assert_eq!(found.map(|one| one.overridable_by), Some(Override::Prescriber), "{unknown:?}");
}

#[test]
fn a_trial_of_which_it_was_not_said_is_undecided_and_neither_counts_nor_is_left_out() {
    let rule = &SHIPPED.resistance.iter().next().expect("shipped").body;
    let tried = |text: &str| {
        let known = r#""drug": "a", "current_episode": "yes", "adequate_dose": "yes", "adherence_percent": 90, "response_percent": 20"#;
        let trial = serde_json::from_str(&format!("{{ {known}, {text} }}")).expect("a trial");
        let trd = resistance(rule, &[trial]);
        (trd.count, trd.undecided)
    };
    let told = |text: &str| tried(&format!(r#""kind": "medicine", {text}"#));
    let missing = |field: &str| (0, vec![format!("trials[0].{field}")]);
    assert_eq!(told(r#""weeks": 5"#), missing("augmentation"));
    assert_eq!(told(r#""weeks": 5, "augmentation": true"#), (1, Vec::new()));
    assert_eq!(told(r#""weeks": 5, "augmentation": false"#), (0, Vec::new()));
    assert_eq!(
        (told(r#""weeks": 6"#).0, told(r#""weeks": 3"#)),
        (1, (0, Vec::new())),
        "it does not hang on it"
    );
    for nobody_said in [r#""weeks": 8"#, r#""weeks": 8, "kind": "unknown""#] {
        assert_eq!(tried(nobody_said), missing("kind"));
    }
}
