//! The shape of a consultation as JSON Schema, with the questions that the knowledge asks.

use crate::knowledge::Knowledge;
use crate::knowledge::asked::{Asked, AskedBy};
use serde_json::{Map, Value, json};

/// JSON Schema, draft 2020-12.
pub fn schema(knowledge: &Knowledge) -> Value {
    let empty = crate::knowledge::asked::Questions::default();
    let questions = knowledge.questions().unwrap_or(&empty);
    let fixed = |fact: &str| number(questions.fixed.get(fact));
    let regimens: Vec<&str> = knowledge.regimens.iter().map(|item| item.header.id.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Consultation",
        "description": "What was asked before a course of ketamine infusions. What nobody asked is left out, null or \
            \"unknown\": it holds, and is never a pass. Lists are empty when asked and none.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "on": or_null(day("Day of the screening; today when left out")),
            "person": object("Who it is", &[
                ("born", or_null(day("Day of birth"))),
                ("sex", or_null(json!({ "enum": ["f", "m"], "description": "As recorded at birth" }))),
                ("weight_kg", or_null(fixed("person.weight"))),
                ("height_cm", or_null(fixed("person.height"))),
            ], &[]),
            "regimen": or_null(json!({ "enum": regimens, "description": "What is planned" })),
            "diagnoses": list("Problem list", "diagnosis"),
            "trials": list("What was tried before", "trial"),
            "medicines": list("Everything that is taken", "medicine"),
            "allergies": list("Allergies", "allergy"),
            "vitals": object("Vital signs", &[
                ("on", or_null(day("Day; that of the last cuff reading when left out"))),
                ("pressures", list("Cuff readings, two at least 5 min apart", "reading")),
                ("heart_rate", or_null(fixed("vitals.heart_rate"))),
                ("spo2", or_null(fixed("vitals.spo2"))),
                ("respiratory_rate", or_null(fixed("vitals.respiratory_rate"))),
                ("temperature", or_null(fixed("vitals.temperature"))),
            ], &[]),
            "labs": named("Laboratory; ALT, AST, ALP, GGT and bilirubin as multiples of the upper limit of normal, or \
                with that limit as `uln`", &questions.labs, dated),
            "scales": named("Totals or levels of rating scales", &questions.scales, dated),
            "answers": named("Questions", &questions.answers, |asked| said(&asked.ask)),
            "workup": named("What was done, on which day", &questions.workup, |asked| day(&asked.ask)),
        },
        "$defs": definitions(fixed("vitals.systolic"), fixed("vitals.diastolic")),
        "examples": [{
            "person": { "born": "1984-03-12", "sex": "f" },
            "regimen": "mdd_trd_std",
            "diagnoses": [{ "code": "F33.2", "made_by": "a psychiatrist" }],
            "medicines": ["theophylline", { "name": "clonazepam", "daily_mg": 1 }],
            "allergies": [],
            "labs": { "alt": { "value": 32, "uln": 40, "on": "2026-11-02" } },
            "answers": { "psychosis_now": "no", "escort": "yes" }
        }],
    })
}

fn definitions(systolic: Value, diastolic: Value) -> Value {
    let text = |what: &str| or_null(json!({ "type": "string", "description": what }));
    let rxcui =
        || or_null(json!({ "type": ["string", "integer"], "description": "RxNorm code of the ingredient" }));
    let plain = || or_null(number(None));
    let by_name =
        |what: &str, long: Value| json!({ "anyOf": [{ "type": "string", "description": what }, long] });
    json!({
        "diagnosis": by_name("ICD-10-CM code", object("One diagnosis", &[
            ("code", json!({ "type": "string", "description": "ICD-10-CM, with or without its dot" })),
            ("text", text("In words")),
            ("made_by", text("Who made it")),
            ("on", or_null(day("Day of its onset, or of the event"))),
            ("current", json!({ "type": ["boolean", "null"], "description": "Whether present now; unknown is present" })),
        ], &["code"])),
        "medicine": by_name("Generic name", object("One medicine; it needs a name or a code", &[
            ("name", text("Generic name")),
            ("rxcui", rxcui()),
            ("atc", text("ATC code")),
            ("daily_mg", plain()),
            ("hours_since_last", plain()),
        ], &[])),
        "allergy": by_name("Substance", object("One allergy; it needs a substance or a code", &[
            ("substance", text("To what")),
            ("rxcui", rxcui()),
            ("reaction", text("What happened")),
        ], &[])),
        "trial": object("One treatment that was tried", &[
            ("drug", json!({ "type": "string", "description": "Generic name" })),
            ("rxcui", rxcui()),
            ("kind", json!({ "enum": ["medicine", "ect", "tms", "esketamine", "psychotherapy", "unknown"] })),
            ("current_episode", said("In the current episode?")),
            ("max_daily_mg", plain()),
            ("adequate_dose", said("At least the lowest effective dose of the label?")),
            ("weeks", plain()),
            ("augmentation", or_null(json!({ "type": "boolean", "description": "Added to another" }))),
            ("adherence_percent", plain()),
            ("response_percent", plain()),
            ("stopped", json!({ "enum": ["unknown", "no_response", "intolerance", "other", "not_stopped"] })),
            ("source", text("Who says so")),
        ], &["drug"]),
        "reading": object("One cuff reading, mm[Hg]", &[
            ("at", or_null(json!({ "type": "string", "description": "Day and time, such as 2026-11-22T09:00" }))),
            ("systolic", systolic),
            ("diastolic", diastolic),
        ], &["systolic", "diastolic"]),
    })
}

fn object(what: &str, properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({
        "type": "object",
        "description": what,
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn named(what: &str, asked: &AskedBy, one: impl Fn(&Asked) -> Value) -> Value {
    let properties: Vec<(&str, Value)> =
        asked.iter().map(|(name, asked)| (name.as_str(), or_null(one(asked)))).collect();
    object(what, &properties, &[])
}

fn list(what: &str, of: &str) -> Value {
    let items = json!({ "$ref": format!("#/$defs/{of}") });
    json!({ "type": ["array", "null"], "description": what, "items": items })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn day(what: &str) -> Value {
    json!({ "type": "string", "format": "date", "description": what })
}

fn said(what: &str) -> Value {
    json!({ "description": what, "anyOf": [{ "enum": ["yes", "no", "unknown"] }, { "type": "boolean" }] })
}

/// A number, or the same as text, which stays exact. The limits stand in the description too, because a schema
/// cannot limit a text.
fn number(asked: Option<&Asked>) -> Value {
    let mut number = json!({ "type": "number" });
    let mut what = String::new();
    if let (Some(asked), Some(limits)) = (asked, number.as_object_mut()) {
        what = format!("{}, {}", asked.ask, asked.unit.as_deref().unwrap_or_default());
        let whole = |limit: rust_decimal::Decimal| i64::try_from(limit).ok();
        limits.extend(asked.least.and_then(whole).map(|least| ("minimum".to_owned(), json!(least))));
        limits.extend(asked.most.and_then(whole).map(|most| ("maximum".to_owned(), json!(most))));
    }
    json!({ "description": what, "anyOf": [number, { "type": "string", "pattern": "^[0-9]+([.][0-9]+)?$" }] })
}

fn dated(asked: &Asked) -> Value {
    // In the unit of a laboratory a value may be far above the multiples that are the limits here.
    let multiple = asked.unit.as_deref() == Some("{x_ULN}");
    let value = match (&asked.unit, asked.levels.is_empty()) {
        (Some(_), _) => number(Some(asked)),
        (None, true) => json!({ "description": asked.ask, "enum": ["positive", "negative"] }),
        (None, false) => json!({ "description": asked.ask, "enum": asked.levels }),
    };
    let inside = if multiple { number(None) } else { value.clone() };
    let mut fields =
        vec![("value", inside), ("on", or_null(day("Day of the sample, or on which it was filled in")))];
    if multiple {
        fields.push(("uln", or_null(number(None))));
    }
    json!({ "anyOf": [value, object("With its day", &fields, &["value"])] })
}
