//! What is typed into a command has bounds, whatever the command: a new one without them fails here.

use super::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Made by the program and never typed.
const NOT_TYPED: [&str; 6] = ["signature", "witness", "prescriber", "contradicts", "alarms", "unfinished"];

/// Every kind of command there is, as the reader of commands lists them.
fn kinds() -> BTreeSet<String> {
    let unknown = serde_json::from_value::<Command>(json!({ "do": "?" })).expect_err("no such command");
    unknown.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// At least one command of each kind with every text that it can have.
fn samples() -> Vec<Value> {
    let told = [
        include_str!("../../../tests/scenarios/first_infusion.toml"),
        include_str!("../../../tests/scenarios/gate_overridden.toml"),
        include_str!("../../../tests/scenarios/hypertension_stopped_early.toml"),
        include_str!("../../../tests/scenarios/transfer_during_infusion.toml"),
        include_str!("../../../tests/scenarios/cancelled_before_start.toml"),
    ];
    let steps = told.into_iter().flat_map(|text| Scenario::read(text).expect("it reads").steps);
    let commands = steps.filter_map(|step| step.command);
    let mut samples: Vec<Value> =
        commands.map(|command| serde_json::to_value(command).expect("json")).collect();
    let now = start().to_string();
    samples.extend([
        json!({ "do": "weigh", "weight": 82_000, "height": null, "sex": "f", "last": null, "reason": "weighed again" }),
        json!({ "do": "answer_gate", "gate": "c06", "note": "looked up", "inputs": {
            "answers": { "fasting": true }, "pressures": [], "symptoms": ["headache"],
            "medicines": [{ "ingredient": "lithium", "atc": "N05AN01" }], "regimen": "mdd_trd_std", "last_infusion": null,
            "measured_before": [{ "at": now, "pressures": [], "symptoms": ["headache"] }] } }),
        json!({ "do": "scan_vial", "today": "2026-03-02", "vial": { "vial": "v", "ndc": "1", "lot": "A1",
            "expires": "2027-01-31", "strength": 50_000, "volume": 10_000, "read_as": "ketamine" } }),
        json!({ "do": "program_pump", "entry": { "device": "pump", "rate": 1, "vtbi": 1, "concentration": 2_000,
            "library_entry": "Ketamine" } }),
        json!({ "do": "read_pump", "read": { "by": { "link": "pump" }, "status": "infusing", "rate": 1, "counter": 1,
            "read_at": now, "reason": "read again" } }),
        json!({ "do": "tell_pump_event", "device": "pump", "event": "delivery_started", "happened_at": now, "late": false }),
        json!({ "do": "chart", "observed_at": now, "from_device": "monitor",
            "finding": { "what": "symptom", "symptom": "headache" } }),
        json!({ "do": "lose_pump" }),
        json!({ "do": "correct_start_counter", "counter": 1, "reason": "the point was lost" }),
        json!({ "do": "amend", "position": 7, "reason": "wrong arm", "text": "right arm" }),
    ]);
    let witness = serde_json::to_value(signed("lee", Role::Nurse)).expect("json");
    samples.push(json!({ "do": "return_vials", "witness": witness }));
    samples.push(json!({ "do": "discard_drawn", "reason": "cracked", "witness": witness }));
    samples.push(json!({ "do": "change_rate", "to": 1, "reason": "calmer so", "passes": "calmer so" }));
    for sample in &mut samples {
        for reason in ["reason", "explanation"] {
            if let Some(none) = sample.get_mut(reason).filter(|reason| reason.is_null()) {
                *none = "spilled".into();
            }
        }
    }
    samples
}

/// Hazard 121: from a syringe that is wasted in the record nothing is drawn, checked, programmed or started.
#[test]
fn nothing_is_given_of_what_was_wasted_before_a_witness() {
    let wasted = history().iter().find(|one| one.event.kind() == "drug_wasted").expect("wasted");
    for kind in ["second_check_agreed", "infusion_started"] {
        let ready = before(kind);
        let session = evolve(ready.clone(), wasted);
        let mut refused = BTreeSet::new();
        for sample in samples() {
            let doing = sample["do"].as_str().expect("a kind").to_owned();
            let command: Command = serde_json::from_value(sample).expect("a command");
            let role = if doing == "sign_order" { Role::Prescriber } else { Role::Nurse };
            let by = Actor { id: crate::id::StaffId::new("kim"), role };
            let said = decide(&session, command, &by, at(900), knowledge());
            if matches!(&said, Err(Refusal::WrongPhase { needs, .. }) if needs.contains("wasted before a witness"))
            {
                refused.insert(doing);
            }
        }
        let of_the_drug = [
            "change_rate",
            "discard_drawn",
            "draw",
            "program_pump",
            "resume",
            "scan_vial",
            "second_check",
            "sign_order",
            "start",
            "time_out",
        ];
        assert_eq!(refused, of_the_drug.map(str::to_owned).into(), "{kind}");
    }
}

/// The value with one of its texts, or of the names in its maps, replaced: for each place where one stands.
fn replaced(value: &Value, with: &str) -> Vec<(String, Value)> {
    match value {
        Value::String(_) => vec![(String::new(), with.into())],
        Value::Array(all) => {
            let at = |n: usize| {
                let put = move |(at, new)| {
                    let mut all = all.clone();
                    all[n] = new;
                    (format!("/{n}{at}"), Value::Array(all))
                };
                replaced(&all[n], with).into_iter().map(put)
            };
            (0..all.len()).flat_map(at).collect()
        }
        Value::Object(map) => {
            let typed = map.iter().filter(|(key, _)| !NOT_TYPED.contains(&key.as_str()));
            let texts = typed.flat_map(|(key, value)| {
                let name = |_: &Value| {
                    let mut map = map.clone();
                    let value = map.remove(key).expect("it is there");
                    map.insert(with.to_owned(), value);
                    (format!("/{key}?"), Value::Object(map))
                };
                let put = move |(at, new)| {
                    let mut map = map.clone();
                    map.insert(key.clone(), new);
                    (format!("/{key}{at}"), Value::Object(map))
                };
                replaced(value, with).into_iter().map(put).chain([name(value)])
            });
            texts.collect()
        }
        _ => Vec::new(),
    }
}

/// What becomes of each command with the text in each place that takes it.
fn told(with: &str) -> Vec<(String, Result<Vec<Event>, Refusal>)> {
    let mut told = Vec::new();
    for sample in samples() {
        let kind = sample["do"].as_str().expect("a kind").to_owned();
        for (at, changed) in replaced(&sample, with) {
            // A place for a number, a choice or a time takes no such text; what has another name is not read.
            let Ok(command) = serde_json::from_value::<Command>(changed) else { continue };
            let text = serde_json::to_string(with).expect("json");
            if !serde_json::to_string(&command).expect("json").contains(&text) {
                continue;
            }
            let by = [Role::Nurse, Role::Prescriber, Role::Machine];
            let answers = by.map(|role| {
                let actor = Actor { id: StaffId::new("kim"), role };
                decide(&Session::default(), command.clone(), &actor, start(), knowledge())
            });
            let answer =
                answers.into_iter().find(|answer| !matches!(answer, Err(Refusal::NotAllowed { .. })));
            told.push((format!("{kind}{at}"), answer.expect("somebody may")));
        }
    }
    told
}

/// Hazard 106: no text of any command is longer than its kind may be, or holds what nobody can see.
#[test]
fn no_command_takes_a_text_without_a_bound_or_one_that_cannot_be_seen() {
    let sampled: BTreeSet<String> =
        samples().iter().map(|sample| sample["do"].as_str().expect("a kind").to_owned()).collect();
    assert_eq!(kinds().difference(&sampled).collect::<Vec<_>>(), [] as [&String; 0], "no sample");
    let long = "a".repeat(200_000);
    for (text, has) in
        [(long.as_str(), "200000 characters long"), ("nul\0l", "a text with the character U+0000")]
    {
        let all = told(text);
        assert!(all.len() > 60, "{}", all.len());
        for (place, answer) in all {
            let Err(Refusal::OutOfRange { field, value, accepted, .. }) = &answer else {
                panic!("{place} took {has}: {answer:?}");
            };
            assert!(!field.is_empty() && value == has && !accepted.is_empty(), "{place}: {field} {accepted}");
        }
    }
}

/// A reason that says nothing is none; but stopping is never harder than going on.
#[test]
fn a_reason_says_something_wherever_one_is_given() {
    let mut asked = BTreeSet::new();
    for (place, answer) in told("x") {
        let reason =
            ["/reason", "/outcome", "/explanation", "/passes"].iter().any(|end| place.ends_with(end));
        let said_nothing =
            matches!(&answer, Err(Refusal::OutOfRange { value, .. }) if value.contains("of them letters"));
        let stops = place.starts_with("pause/") || place.starts_with("stop/");
        let word = place.starts_with("discharge/words/");
        assert_eq!(said_nothing, (reason || word) && !stops, "{place}: {answer:?}");
        if said_nothing {
            asked.insert(place);
        }
    }
    assert!(asked.len() > 8, "{asked:?}");
}
