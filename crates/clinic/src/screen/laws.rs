//! Laws of screening: what goes missing never improves a verdict, what is added to exclude never improves it, order
//! and repetition change nothing; and the schema agrees with the reader.

use super::tests::{SHIPPED, TODAY, documents, example};
use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One thing that speaks against an infusion: an entry of a list, or a field.
#[derive(Debug, Clone)]
enum Against {
    Entry(&'static str, Value),
    Field(&'static str, &'static str, Value),
}

fn against() -> Vec<Against> {
    let on = "2026-11-20";
    let codes = [
        "I71.4", "I21.4", "F20.0", "F31.2", "F05", "F11.20", "O26.9", "K72.00", "G93.2", "H40.9", "E80.21",
        "I10", "F60.3",
    ];
    let drugs = [
        "theophylline",
        "clonazepam",
        "phenelzine",
        "esketamine",
        "semaglutide",
        "methylphenidate",
        "lamotrigine",
    ];
    let yes = ["psychosis_now", "mania_now", "home_oxygen", "psychosis_in_family", "breastfeeding"];
    let diagnoses = codes.map(|code| Against::Entry("diagnoses", json!({ "code": code })));
    let medicines = drugs.map(|name| Against::Entry("medicines", json!({ "name": name })));
    let answers = yes.map(|name| Against::Field("answers", name, json!("yes")));
    let others = [
        Against::Entry("allergies", json!({ "substance": "ketamine" })),
        Against::Field("answers", "escort", json!("no")),
        Against::Field("labs", "alt", json!({ "value": "3.2", "on": on })),
        Against::Field("labs", "ast", json!({ "value": "1.6", "on": on })),
        Against::Field("labs", "hcg", json!({ "value": "positive", "on": on })),
        Against::Field("labs", "egfr", json!({ "value": 20, "on": on })),
        Against::Field("labs", "tsh", json!({ "value": 1, "on": "2025-01-01" })),
        Against::Field("scales", "ymrs", json!({ "value": 14, "on": on })),
        Against::Field("scales", "audit_c", json!({ "value": 8, "on": on })),
        Against::Field("scales", "phq9", json!({ "value": 4, "on": on })),
        Against::Field("person", "born", json!("2010-01-01")),
        Against::Field("person", "weight_kg", json!(140)),
        Against::Field(
            "vitals",
            "pressures",
            json!([{ "at": "2026-11-22T09:00", "systolic": 150, "diastolic": 80 }]),
        ),
    ];
    diagnoses.into_iter().chain(medicines).chain(answers).chain(others).collect()
}

impl Against {
    fn put(&self, document: &mut Value) {
        match self {
            Self::Entry(list, entry) => {
                document[*list].as_array_mut().expect("the clean patient has the list").push(entry.clone());
            }
            Self::Field(object, field, value) => document[*object][*field] = value.clone(),
        }
    }
}

fn clean() -> Value {
    serde_json::from_str(&example("clean")).expect("it is JSON")
}

fn with(chosen: &[Against]) -> Value {
    let mut document = clean();
    chosen.iter().for_each(|one| one.put(&mut document));
    document
}

fn came(document: &Value) -> Screening {
    super::tests::screened(&document.to_string())
}

/// Paths of everything that can go missing. What names a thing is not an input of its own: without it, there is no
/// thing. `on` of the document is today where it is missing.
fn paths(at: &str, value: &Value, found: &mut Vec<String>) {
    const NAMES: [&str; 7] = ["code", "name", "substance", "drug", "systolic", "diastolic", "value"];
    const TOLD: [&str; 5] = ["text", "reaction", "source", "max_daily_mg", "rxcui"];
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields.iter().filter(|(name, _)| !NAMES.contains(&name.as_str())) {
                let path = format!("{at}/{name}");
                if path != "/on" && name != "uln" && !TOLD.contains(&name.as_str()) {
                    found.push(path.clone());
                }
                paths(&path, inner, found);
            }
        }
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(nth, inner)| paths(&format!("{at}/{nth}"), inner, found));
        }
        _ => {}
    }
}

fn without(document: &Value, path: &str) -> Value {
    let mut less = document.clone();
    let (parent, name) = path.rsplit_once('/').expect("a path");
    if let Some(Value::Object(fields)) = less.pointer_mut(parent) {
        fields.remove(name);
    }
    less
}

fn chosen() -> impl Strategy<Value = Vec<Against>> {
    proptest::sample::subsequence(against(), 0..=4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_missing_never_improves_the_verdict(chosen in chosen(), which in any::<proptest::sample::Index>()) {
        let document = with(&chosen);
        let mut all = Vec::new();
        paths("", &document, &mut all);
        let path = which.get(&all);
        let (before, after) = (came(&document), came(&without(&document, path)));
        // A stop whose own reason is taken away is known no longer: it holds, and never passes.
        prop_assert!(after.verdict >= before.verdict.min(Verdict::Hold), "{path}: {:?}, then {:?}", before.verdict, after.verdict);
        // A stop that looked elsewhere stays. What is planned and who it is open and close rules of other sections.
        let section = path.split('/').nth(1).unwrap_or_default();
        let elsewhere = |finding: &&Finding| {
            let drug = printed(&finding.rule).starts_with('D');
            let looked = |input: &String| input.starts_with(section) || (drug && section == "medicines");
            finding.verdict == Verdict::Stop && !finding.inputs.keys().any(looked)
        };
        if !["regimen", "person"].contains(&section) {
            for finding in before.findings.iter().filter(elsewhere) {
                let id = printed(&finding.rule);
                prop_assert_eq!(super::tests::rule(&after, &id), Some(Verdict::Stop), "{}: {}", path, id);
            }
        }
    }

    #[test]
    fn what_is_added_to_exclude_never_improves_the_verdict(chosen in chosen(), which in any::<proptest::sample::Index>()) {
        let more = which.get(&against()).clone();
        let same_field = |one: &Against| matches!((one, &more), (Against::Field(a, b, _), Against::Field(c, d, _)) if (a, b) == (c, d));
        prop_assume!(!chosen.iter().any(same_field));
        let (before, after) = (with(&chosen), with(&[chosen.clone(), vec![more.clone()]].concat()));
        prop_assert!(came(&after).verdict >= came(&before).verdict, "{more:?}");
    }

    #[test]
    fn the_order_of_entries_and_a_second_run_change_nothing(chosen in chosen()) {
        let document = with(&chosen);
        let mut turned = document.clone();
        for list in ["diagnoses", "medicines", "trials"] {
            turned[list].as_array_mut().expect("a list").reverse();
        }
        let (one, other) = (came(&document), came(&turned));
        prop_assert_eq!(&one, &came(&document));
        let told = |screening: &Screening| -> Vec<_> { screening.findings.iter().map(|f| (f.rule.clone(), f.verdict)).collect() };
        prop_assert_eq!(told(&one), told(&other));
        prop_assert_eq!(replay(&one, &SHIPPED), Vec::<String>::new());
    }
}

#[test]
fn each_input_of_the_clean_patient_holds_when_it_is_missing() {
    let mut all = Vec::new();
    paths("", &clean(), &mut all);
    // Nobody asks when a depression began, why a trial that failed was stopped, or of which day STOP-BANG is. Who has a
    // pregnancy test and an answer about breastfeeding is not asked what only opens these questions.
    let asks_nothing = [
        "/diagnoses/0/on",
        "/trials/0/stopped",
        "/trials/1/stopped",
        "/scales/stop_bang/on",
        "/person/sex",
        "/answers/pregnancy_possible",
    ];
    let passed: Vec<&String> = all
        .iter()
        .filter(|path| !asks_nothing.contains(&path.as_str()))
        .filter(|path| came(&without(&clean(), path)).verdict < Verdict::Hold)
        .collect();
    assert!(all.len() > 70, "{}", all.len());
    assert!(passed.is_empty(), "missing and passed: {passed:?}");
}

/// Whether a value fits the schema, for the words of JSON Schema that [`schema`] uses.
fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema == &Value::Bool(true) };
    schema.iter().all(|(word, says)| match word.as_str() {
        "$ref" => fits(value, root.pointer(&says.as_str().expect("a link")[1..]).expect("its place"), root),
        "anyOf" => says.as_array().expect("several").iter().any(|one| fits(value, one, root)),
        "enum" => says.as_array().expect("several").contains(value),
        "type" => match says {
            Value::Array(types) => types.iter().any(|one| is(value, one)),
            one => is(value, one),
        },
        "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().expect("a number")),
        "maximum" => value.as_f64().is_none_or(|number| number <= says.as_f64().expect("a number")),
        "items" => value.as_array().is_none_or(|entries| entries.iter().all(|entry| fits(entry, says, root))),
        "required" => value.as_object().is_none_or(|fields| {
            says.as_array()
                .expect("names")
                .iter()
                .all(|name| fields.contains_key(name.as_str().expect("a name")))
        }),
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, inner)| says.get(name).is_none_or(|one| fits(inner, one, root)))
        }),
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            value.as_object().is_none_or(|fields| {
                fields.keys().all(|name| known.is_some_and(|known| known.contains_key(name)))
            })
        }
        "pattern" => value.as_str().is_none_or(|text| text.starts_with(|c: char| c.is_ascii_digit())),
        "$schema" | "$defs" | "title" | "description" | "examples" | "format" => true,
        unknown => panic!("the check does not know `{unknown}`"),
    })
}

fn is(value: &Value, of: &Value) -> bool {
    match of.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type `{other}`"),
    }
}

fn reads(document: &Value) -> bool {
    read(&document.to_string(), TODAY, &SHIPPED).is_ok()
}

#[test]
fn every_document_fits_the_schema_and_its_own_example_reads() {
    let schema = schema(&SHIPPED);
    for (name, document) in documents() {
        assert!(fits(&document, &schema, &schema) && reads(&document), "{name}");
    }
    for shown in schema["examples"].as_array().expect("examples") {
        assert!(fits(shown, &schema, &schema) && reads(shown), "{shown}");
    }
}

/// Everything that a consultation can say, made from the types, so that a new field does not compile without it.
fn everything() -> Consultation {
    let day = TODAY;
    let dated = |value| Dated { value, uln: None, on: Some(day) };
    let number = |n: i64| Some(rust_decimal::Decimal::from(n));
    let text = || Some("text".to_owned());
    Consultation {
        on: Some(day),
        person: Person { born: Some(day), sex: Some(Sex::F), weight_kg: number(70), height_cm: number(170) },
        regimen: Some("ocd".to_owned()),
        diagnoses: Some(vec![Diagnosis {
            code: "F42.2".to_owned(),
            text: text(),
            made_by: text(),
            on: Some(day),
            current: Some(true),
        }]),
        trials: Some(vec![Trial {
            drug: "a".to_owned(),
            rxcui: Some("1".to_owned()),
            kind: TrialKind::Tms,
            current_episode: Said::Yes,
            max_daily_mg: number(1),
            adequate_dose: Said::Unknown,
            weeks: number(1),
            augmentation: Some(true),
            adherence_percent: number(1),
            response_percent: number(1),
            stopped: Stopped::NotStopped,
            source: text(),
        }]),
        medicines: Some(vec![Taken {
            name: text(),
            rxcui: Some("1".to_owned()),
            atc: text(),
            daily_mg: number(1),
            hours_since_last: number(1),
        }]),
        allergies: Some(vec![Allergy { substance: text(), rxcui: Some("1".to_owned()), reaction: text() }]),
        vitals: Vitals {
            on: Some(day),
            pressures: Some(vec![Reading {
                at: Some(day.at(9, 0, 0, 0)),
                systolic: 120.into(),
                diastolic: 80.into(),
            }]),
            heart_rate: number(70),
            spo2: number(98),
            respiratory_rate: number(14),
            temperature: number(37),
        },
        labs: Named(
            [("alt".to_owned(), Dated { uln: number(40), ..dated(Known::Number(32.into())) })].into(),
        ),
        scales: Named([("cssrs".to_owned(), dated(Known::Level("low".to_owned())))].into()),
        answers: Named([("escort".to_owned(), Said::No)].into()),
        workup: Named([("ecg".to_owned(), day)].into()),
    }
}

#[test]
fn the_schema_has_every_field_of_the_types_and_no_other() {
    let schema = schema(&SHIPPED);
    let document = serde_json::to_value(everything()).expect("it is written");
    assert!(fits(&document, &schema, &schema), "{document:#}");
    assert_eq!(serde_json::from_value::<Consultation>(document.clone()).expect("it is read"), everything());
    let fields = |value: &Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    let compare = |place: &str, written: &Value| {
        let properties = schema.pointer(place).unwrap_or_else(|| panic!("{place}"));
        assert_eq!(fields(properties), fields(written), "{place}");
    };
    compare("/properties", &document);
    compare("/properties/person/properties", &document["person"]);
    compare("/properties/vitals/properties", &document["vitals"]);
    compare("/$defs/diagnosis/anyOf/1/properties", &document["diagnoses"][0]);
    compare("/$defs/medicine/anyOf/1/properties", &document["medicines"][0]);
    compare("/$defs/allergy/anyOf/1/properties", &document["allergies"][0]);
    compare("/$defs/trial/properties", &document["trials"][0]);
    compare("/$defs/reading/properties", &document["vitals"]["pressures"][0]);
}

/// Every place of a document, each changed to something that is not there.
fn spoiled(document: &Value) -> Vec<Value> {
    fn places(at: &str, value: &Value, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, inner)| places(&format!("{at}/{name}"), inner, found))
            }
            Value::Array(entries) => entries
                .iter()
                .enumerate()
                .for_each(|(nth, inner)| places(&format!("{at}/{nth}"), inner, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    places("", document, &mut all);
    let wrong = [json!({ "nobody": 1 }), json!([[1]]), json!([]), json!({})];
    all.iter()
        .flat_map(|place| {
            wrong.iter().map(move |wrong| {
                let mut spoiled = document.clone();
                let there = spoiled.pointer_mut(place).expect("the place");
                match (there, wrong) {
                    (Value::Object(fields), Value::Object(more)) => fields.extend(more.clone()),
                    (there, wrong) => *there = wrong.clone(),
                }
                spoiled
            })
        })
        .collect()
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let schema = schema(&SHIPPED);
    let document = serde_json::to_value(everything()).expect("it is written");
    let mut refused = 0;
    for spoiled in spoiled(&document) {
        let (by_schema, by_reader) = (!fits(&spoiled, &schema, &schema), !reads(&spoiled));
        assert!(!by_schema || by_reader, "the reader takes what the schema refuses: {spoiled}");
        refused += usize::from(by_schema);
    }
    assert!(refused > 100, "{refused}");
    let _: &Map<String, Value> = schema.as_object().expect("a schema is an object");
}
