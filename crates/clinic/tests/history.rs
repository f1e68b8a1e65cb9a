//! Every shape of an event that was ever written still reads, and keeps what it says when it is written again.
//! `session.jsonl` is read beside the visit itself.

use clinic::knowledge::Knowledge;
use clinic::scenario::{self, Cause, Now, Rerun};
use clinic::session::{self, Recorded};
use clinic::{care, consent, course, patient, scale};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Whether all that the old line says stands in the new one; a field that came later is added with its default.
fn keeps(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, value)| new.get(name).is_some_and(|now| keeps(value, now)))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| keeps(old, new))
        }
        (old, new) => old == new,
    }
}

/// Reads the lines of one stream as its events; how many kinds there are.
fn kinds<E: Serialize + DeserializeOwned>(lines: &str) -> usize {
    let mut kinds = BTreeSet::new();
    for line in lines.lines() {
        let event: E = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let old: Value = serde_json::from_str(line).expect("JSON");
        let new = serde_json::to_value(&event).expect("it writes");
        assert!(keeps(&old, &new), "{old} became {new}");
        kinds.insert(old["kind"].to_string());
    }
    kinds.len()
}

#[test]
fn every_event_ever_written_still_reads_and_says_the_same() {
    let counted = [
        ("consent", 6, kinds::<consent::Event>(include_str!("history/consent.jsonl"))),
        ("course", 14, kinds::<course::Event>(include_str!("history/course.jsonl"))),
        ("patient", 6, kinds::<patient::Event>(include_str!("history/patient.jsonl"))),
        ("scales", 4, kinds::<scale::questionnaire::Event>(include_str!("history/scales.jsonl"))),
        ("inquiry", 4, kinds::<care::inquiry::Event>(include_str!("history/inquiry.jsonl"))),
        ("prices", 1, kinds::<care::price::Event>(include_str!("history/prices.jsonl"))),
        ("estimate", 1, kinds::<care::price::Given>(include_str!("history/estimate.jsonl"))),
    ];
    for (stream, all, is) in counted {
        assert_eq!(is, all, "every kind of event needs a line in tests/history/{stream}.jsonl");
    }
}

/// A command with the events that an older program recorded for it.
#[derive(Deserialize)]
struct Told {
    cause: Cause,
    events: Vec<session::Event>,
}

/// Hazard 174: `visit_ordered_twice.jsonl` was written when the same order could be signed twice in a row.
#[test]
fn a_visit_that_a_rule_of_now_would_refuse_is_told_as_it_stands() {
    let lines = include_str!("history/visit_ordered_twice.jsonl").lines();
    let told: Vec<Told> = lines.map(|line| serde_json::from_str(line).expect("a command")).collect();
    let mut version = 0;
    let causes: Vec<(Cause, Vec<Recorded>)> = told
        .into_iter()
        .map(|Told { cause, events }| {
            let recorded = events.into_iter().map(|event| {
                version += 1;
                Recorded { position: version, version, at: cause.at, by: cause.actor.id.clone(), event }
            });
            let recorded = recorded.collect();
            (cause, recorded)
        })
        .collect();
    let knowledge = Knowledge::shipped().expect("the shipped knowledge is sound");
    let causes = causes.iter().map(|(cause, events)| (cause, events.as_slice()));
    let Rerun { session, transcript, otherwise } = scenario::rerun(causes, &knowledge);
    // Rules of another version may word an event otherwise; what they refuse is the second order alone.
    let refused: Vec<_> = otherwise.iter().filter(|one| matches!(one.now, Now::Refused(_))).collect();
    let [twice] = refused.as_slice() else { panic!("{otherwise:?}") };
    assert_eq!((twice.number, twice.doing.as_str()), (5, "sign the order"));
    assert!(
        transcript.contains("\n  a rule added since would refuse this command: osei signed"),
        "{transcript}"
    );
    let (order, _) = session.order.as_ref().expect("what was written stands");
    assert_eq!((order.id.0.as_str(), session.version), ("o2", version), "{transcript}");
}
