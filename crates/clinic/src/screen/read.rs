//! Reads a consultation from JSON and refuses what cannot be: the path, the value, what is accepted.

use super::consultation::{Consultation, Dated, Known, Reading};
use super::facts::path_of;
use crate::knowledge::Knowledge;
use crate::knowledge::asked::{Asked, AskedBy, Questions};
use crate::knowledge::measure::in_words;
use crate::quantity::plain;
use crate::scale::{Given, Unscorable};
use crate::text::unfit;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;
use serde_path_to_error::Segment;
use thiserror::Error;

/// Most entries of a list, so that a file cannot keep the program busy.
const ENTRIES_MAX: usize = 500;
/// Most characters of a text.
const CHARACTERS_MAX: usize = 1_000;
/// Longest value that a refusal repeats.
const SHOWN_MAX: usize = 80;

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{at}: {wrong}. Accepted is {accepted}.")]
pub struct Unreadable {
    /// Path in the document, such as `labs.alt`.
    pub at: String,
    /// The value and what is wrong with it.
    pub wrong: String,
    /// What is accepted.
    pub accepted: String,
}

fn refuse<T>(
    at: impl Into<String>,
    wrong: impl Into<String>,
    accepted: impl Into<String>,
) -> Result<T, Unreadable> {
    Err(Unreadable { at: at.into(), wrong: wrong.into(), accepted: accepted.into() })
}

/// Reads and checks one document. `today` is the day where it names none.
///
/// # Errors
/// The first thing that cannot be.
pub fn read(json: &str, today: Date, knowledge: &Knowledge) -> Result<Consultation, Unreadable> {
    objects_only(json)?;
    let mut from = serde_json::Deserializer::from_str(json.trim_start_matches('\u{feff}'));
    let mut consultation: Consultation = serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let at = error.path().to_string();
        let at = if at == "." { "the document".to_owned() } else { at };
        let value = value_at(json, error.path()).map(|value| format!("{value}: ")).unwrap_or_default();
        let accepted = "what `chairside screen --schema` says".to_owned();
        Unreadable { at, wrong: format!("{value}{}", error.inner()), accepted }
    })?;
    if let Err(more) = from.end() {
        return refuse("the document", more.to_string(), "one JSON object");
    }
    check(&mut consultation, today, knowledge)?;
    Ok(consultation)
}

/// A list is no object: its entries would be taken for fields by their place.
fn objects_only(json: &str) -> Result<(), Unreadable> {
    // What is no JSON is refused where it is read.
    let Ok(document) = serde_json::from_str::<Value>(json) else { return Ok(()) };
    let at = |place: &str| document.pointer(place).map(|value| (place.to_owned(), value));
    let entries = |place: &str| {
        let list = document.pointer(place).and_then(Value::as_array).into_iter().flatten();
        list.enumerate().map(|(nth, value)| (format!("{place}/{nth}"), value)).collect::<Vec<_>>()
    };
    let places = ["", "/person", "/vitals"].into_iter().filter_map(at);
    let mut places = places.chain(entries("/trials")).chain(entries("/vitals/pressures"));
    match places.find(|(_, value)| value.is_array()) {
        Some((place, _)) if place.is_empty() => refuse("the document", "a list", "one JSON object"),
        Some((place, _)) => refuse(place.trim_start_matches('/').replace('/', "."), "a list", "an object"),
        None => Ok(()),
    }
}

/// The scalar at a path of a document, as it stands there; `None` where it is no scalar, or too long to be shown.
fn value_at(json: &str, path: &serde_path_to_error::Path) -> Option<String> {
    let document: Value = serde_json::from_str(json).ok()?;
    let found = path.iter().try_fold(&document, |value, segment| match segment {
        Segment::Map { key } => value.get(key),
        Segment::Seq { index } => value.get(index),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    })?;
    let shown = (!found.is_object() && !found.is_array()).then(|| found.to_string())?;
    (shown.len() <= SHOWN_MAX).then_some(shown)
}

/// Checks names, values, codes and days, and spells the regimen as the knowledge does.
pub(super) fn check(c: &mut Consultation, today: Date, knowledge: &Knowledge) -> Result<(), Unreadable> {
    let on = c.on.unwrap_or(today);
    if on > today {
        return refuse("on", format!("{on} is in the future"), format!("a day up to {today}"));
    }
    if let Some(asked) = &c.regimen {
        let id = asked.trim().to_lowercase();
        if knowledge.regimens.get(&id).is_none() {
            let ids: Vec<&str> = knowledge.regimens.iter().map(|item| item.header.id.as_str()).collect();
            return refuse("regimen", format!("there is no regimen `{asked}`"), ids.join(", "));
        }
        c.regimen = Some(id);
    }
    check_lists(c)?;
    check_texts(c)?;
    check_days(c, on)?;
    let Some(questions) = knowledge.questions() else {
        return refuse("the document", "the knowledge asks for nothing", "knowledge with questions");
    };
    check_names(c, questions)?;
    check_numbers(c, questions)?;
    check_totals(c, knowledge)
}

fn check_lists(c: &Consultation) -> Result<(), Unreadable> {
    let lengths = [
        ("diagnoses", c.diagnoses.as_ref().map_or(0, Vec::len)),
        ("trials", c.trials.as_ref().map_or(0, Vec::len)),
        ("medicines", c.medicines.as_ref().map_or(0, Vec::len)),
        ("allergies", c.allergies.as_ref().map_or(0, Vec::len)),
        ("vitals.pressures", c.vitals.pressures.as_ref().map_or(0, Vec::len)),
    ];
    if let Some((at, length)) = lengths.iter().find(|(_, length)| *length > ENTRIES_MAX) {
        return refuse(*at, format!("{length} entries"), format!("at most {ENTRIES_MAX}"));
    }
    for (nth, one) in c.diagnoses.iter().flatten().enumerate() {
        if !is_icd10(&one.dotless()) {
            let wrong = format!("`{}` is not an ICD-10-CM code", one.code);
            return refuse(
                format!("diagnoses[{nth}].code"),
                wrong,
                "a letter, a digit and up to five more, such as F33.2",
            );
        }
    }
    for (nth, one) in c.medicines.iter().flatten().enumerate() {
        let names = [&one.name, &one.rxcui, &one.atc];
        if names.iter().all(|name| name.as_deref().is_none_or(|name| name.trim().is_empty())) {
            return refuse(
                format!("medicines[{nth}]"),
                "it names no medicine",
                "a `name`, an `rxcui` or an `atc`",
            );
        }
    }
    for (nth, one) in c.allergies.iter().flatten().enumerate() {
        let names = [&one.substance, &one.rxcui];
        if names.iter().all(|name| name.as_deref().is_none_or(|name| name.trim().is_empty())) {
            return refuse(
                format!("allergies[{nth}]"),
                "it names no substance",
                "a `substance` or an `rxcui`",
            );
        }
    }
    Ok(())
}

/// A letter, a digit, a letter or digit, and up to four more.
fn is_icd10(dotless: &str) -> bool {
    let mut letters = dotless.chars();
    (3..=7).contains(&dotless.len())
        && letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.next().is_some_and(|c| c.is_ascii_digit())
}

fn check_texts(c: &Consultation) -> Result<(), Unreadable> {
    let mut texts: Vec<(String, Option<&String>)> = Vec::new();
    for (nth, one) in c.diagnoses.iter().flatten().enumerate() {
        texts.push((format!("diagnoses[{nth}].code"), Some(&one.code)));
        texts.push((format!("diagnoses[{nth}].text"), one.text.as_ref()));
        texts.push((format!("diagnoses[{nth}].made_by"), one.made_by.as_ref()));
    }
    for (nth, one) in c.medicines.iter().flatten().enumerate() {
        texts.push((format!("medicines[{nth}].name"), one.name.as_ref()));
        texts.push((format!("medicines[{nth}].atc"), one.atc.as_ref()));
    }
    for (nth, one) in c.allergies.iter().flatten().enumerate() {
        texts.push((format!("allergies[{nth}].substance"), one.substance.as_ref()));
        texts.push((format!("allergies[{nth}].reaction"), one.reaction.as_ref()));
    }
    for (nth, one) in c.trials.iter().flatten().enumerate() {
        texts.push((format!("trials[{nth}].drug"), Some(&one.drug)));
        texts.push((format!("trials[{nth}].source"), one.source.as_ref()));
    }
    for (at, text) in texts.into_iter().filter_map(|(at, text)| Some((at, text?))) {
        let length = text.chars().count();
        if length > CHARACTERS_MAX || text.trim().is_empty() {
            return refuse(at, format!("a text of {length} characters"), format!("1 to {CHARACTERS_MAX}"));
        }
        if let Some(odd) = unfit(text) {
            return refuse(at, format!("it holds the character U+{:04X}", u32::from(odd)), "text");
        }
    }
    Ok(())
}

fn check_days(c: &Consultation, on: Date) -> Result<(), Unreadable> {
    let mut days: Vec<(String, Option<Date>)> =
        vec![("person.born".to_owned(), c.person.born), ("vitals.on".to_owned(), c.vitals.on)];
    for (nth, one) in c.diagnoses.iter().flatten().enumerate() {
        days.push((format!("diagnoses[{nth}].on"), one.on));
    }
    for (nth, one) in c.vitals.pressures.iter().flatten().enumerate() {
        days.push((format!("vitals.pressures[{nth}].at"), one.at.map(|at| at.date())));
    }
    for (list, results) in [("labs", &c.labs), ("scales", &c.scales)] {
        days.extend(results.0.iter().map(|(name, result)| (format!("{list}.{name}.on"), result.on)));
    }
    days.extend(c.workup.0.iter().map(|(name, day)| (format!("workup.{name}"), Some(*day))));
    let first = jiff::civil::date(1900, 1, 1);
    let (earliest, of) = match c.person.born.filter(|born| *born >= first) {
        Some(born) => (born, ", the day of birth,"),
        None => (first, ""),
    };
    match days.into_iter().find(|(_, day)| day.is_some_and(|day| day > on || day < earliest)) {
        Some((at, Some(day))) => refuse(
            at,
            format!("{day} cannot be"),
            format!("a day from {earliest}{of} to {on}, the day of the screening"),
        ),
        _ => Ok(()),
    }
}

fn check_names(c: &Consultation, questions: &Questions) -> Result<(), Unreadable> {
    let answers: Vec<&String> = c.answers.0.keys().collect();
    let given = [
        ("answers", answers, &questions.answers),
        ("labs", c.labs.0.keys().collect(), &questions.labs),
        ("scales", c.scales.0.keys().collect(), &questions.scales),
        ("workup", c.workup.0.keys().collect(), &questions.workup),
    ];
    for (list, names, known) in given {
        if let Some(name) = names.into_iter().find(|name| !known.contains_key(*name)) {
            return refuse(format!("{list}.{name}"), format!("`{name}` is not asked"), listed(known));
        }
    }
    Ok(())
}

fn listed(known: &AskedBy) -> String {
    known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn check_numbers(c: &Consultation, questions: &Questions) -> Result<(), Unreadable> {
    for (list, results, known) in
        [("labs", &c.labs, &questions.labs), ("scales", &c.scales, &questions.scales)]
    {
        for (name, result) in &results.0 {
            if let Some(asked) = known.get(name) {
                check_result(&format!("{list}.{name}"), result, asked)?;
            }
        }
    }
    let (person, vitals) = (&c.person, &c.vitals);
    let one = |fact: &'static str, number| (path_of(fact).to_owned(), fact, number);
    let mut fixed = vec![
        one("person.weight", person.weight_kg),
        one("person.height", person.height_cm),
        one("vitals.heart_rate", vitals.heart_rate),
        one("vitals.spo2", vitals.spo2),
        one("vitals.respiratory_rate", vitals.respiratory_rate),
        one("vitals.temperature", vitals.temperature),
    ];
    for (nth, reading) in vitals.pressures.iter().flatten().enumerate() {
        let at = |key: &str| format!("vitals.pressures[{nth}].{key}");
        fixed.push((at("systolic"), "vitals.systolic", Some(reading.systolic)));
        fixed.push((at("diastolic"), "vitals.diastolic", Some(reading.diastolic)));
    }
    for (at, fact, number) in fixed {
        if let (Some(number), Some(asked)) = (number, questions.fixed.get(fact)) {
            in_range(&at, number, asked)?;
        }
    }
    let mut pressures = vitals.pressures.iter().flatten().enumerate();
    if let Some((nth, Reading { systolic, diastolic, .. })) =
        pressures.find(|(_, one)| one.systolic <= one.diastolic)
    {
        let wrong = format!("{}/{}", plain(*systolic), plain(*diastolic));
        return refuse(format!("vitals.pressures[{nth}].systolic"), wrong, "a systolic above the diastolic");
    }
    for (nth, one) in c.medicines.iter().flatten().enumerate() {
        not_negative(format!("medicines[{nth}].daily_mg"), one.daily_mg)?;
        not_negative(format!("medicines[{nth}].hours_since_last"), one.hours_since_last)?;
    }
    for (nth, one) in c.trials.iter().flatten().enumerate() {
        not_negative(format!("trials[{nth}].weeks"), one.weeks)?;
        not_negative(format!("trials[{nth}].max_daily_mg"), one.max_daily_mg)?;
        not_negative(format!("trials[{nth}].adherence_percent"), one.adherence_percent)?;
    }
    Ok(())
}

/// A total becomes a score of the patient: it is one that the scale can have.
fn check_totals(c: &Consultation, knowledge: &Knowledge) -> Result<(), Unreadable> {
    for (name, result) in &c.scales.0 {
        let (Some(item), Known::Number(total)) = (knowledge.scale(name), &result.value) else { continue };
        if let Err(Unscorable::Total { value, accepted, .. }) = Given::total(item, *total) {
            return refuse(format!("scales.{name}"), value, accepted);
        }
    }
    Ok(())
}

fn check_result(at: &str, result: &Dated, asked: &Asked) -> Result<(), Unreadable> {
    match (&result.value, &asked.unit) {
        (Known::Number(value), Some(_)) => match result.uln {
            Some(uln) if uln <= Decimal::ZERO => refuse(format!("{at}.uln"), plain(uln), "a number above 0"),
            Some(uln) => in_range(at, value.checked_div(uln).unwrap_or(*value), asked),
            None => in_range(at, *value, asked),
        },
        (other, Some(unit)) => refuse(at, format!("`{other}`"), format!("a number in {}", in_words(unit))),
        (Known::Level(level), None) if asked.levels.contains(level) => Ok(()),
        (Known::Yes(_), None) if asked.levels.is_empty() => Ok(()),
        (other, None) if asked.levels.is_empty() => refuse(at, format!("`{other}`"), "positive or negative"),
        (other, None) => refuse(at, format!("`{other}`"), asked.levels.join(", ")),
    }
}

fn in_range(at: &str, number: Decimal, asked: &Asked) -> Result<(), Unreadable> {
    let unit = in_words(asked.unit.as_deref().unwrap_or_default());
    match asked.refuses(number) {
        Some(accepted) => refuse(at, plain(number), format!("{accepted} {unit}").trim_end().to_owned()),
        None => Ok(()),
    }
}

fn not_negative(at: String, number: Option<Decimal>) -> Result<(), Unreadable> {
    match number {
        Some(number) if number < Decimal::ZERO => refuse(at, plain(number), "0 or more"),
        _ => Ok(()),
    }
}
