//! A section as a form and back. A field is named by its path in the consultation, such as `diagnoses[0].code`, so that
//! what is recorded fills the form, what was typed makes the document, and a complaint finds its field.

use crate::auth::gate::Posted;
use crate::pages::FieldError;
use crate::pages::visit::form::{Choice, Field, Form, Kind};
use crate::pages::visit::head::day;
use clinic::dose::parse;
use clinic::knowledge::Knowledge;
use clinic::knowledge::asked::{Asked, AskedBy, Questions};
use clinic::knowledge::measure::in_words;
use clinic::quantity::plain;
use clinic::screen::consulting::Section;
use clinic::screen::{self, Consultation, names};
use jiff::civil::{Date, DateTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Rows that are empty below those that are filled in.
const ROWS_MORE: usize = 2;
/// Most rows of a form; a form has so many fields and no more.
const ROWS_MOST: usize = 40;
/// Unit of a result that counts as a multiple of the upper limit of normal.
const MULTIPLE: &str = "{x_ULN}";
/// Ticked where it was asked and there is none.
const NONE: &str = "none";

/// Days between which all lies that a consultation is told.
pub struct Days {
    /// Of birth.
    pub born: Date,
    /// The first that a score can be from.
    pub scores_from: Date,
    /// The last of all.
    pub today: Date,
}

/// The form of a section with what is recorded. `rows` is how many the last form had.
pub fn form(section: Section, said: &Consultation, rows: usize, knowledge: &Knowledge) -> Form {
    let document = json!(said);
    let empty = Questions::default();
    let questions = knowledge.questions().unwrap_or(&empty);
    let list = |list: &str, row: fn(&str) -> Vec<Field>| {
        let filled = document.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        let rows = rows.max(filled + ROWS_MORE).min(ROWS_MOST.max(filled));
        let fields = (0..rows).flat_map(move |nth| {
            let mut fields = row(&format!("{list}[{nth}]"));
            if let Some(first) = fields.first_mut() {
                first.group = format!("Entry {}", nth + 1);
            }
            fields
        });
        (rows, fields.collect::<Vec<_>>())
    };
    let (rows, fields) = match section {
        Section::Plan => (0, vec![regimen(knowledge)]),
        Section::Diagnoses => list("diagnoses", diagnosis),
        Section::Trials => list("trials", trial),
        Section::Medicines => list("medicines", medicine),
        Section::History => (0, questions.answers.iter().map(|(name, asked)| answer(name, asked)).collect()),
        Section::Vitals => (0, vitals(questions)),
        Section::WorkUp => (0, work_up(questions)),
        Section::Scales => (0, results("scales", &questions.scales)),
    };
    let form = Form::new("section", "", "", "Save").with_all(fields.into_iter().map(|field| {
        let value = document.pointer(&pointer(&field.name)).map(text_of).unwrap_or_default();
        field.known(value)
    }));
    if rows == 0 {
        return form;
    }
    let asked_none = document.get(section.key()).is_some_and(|list| *list == json!([]));
    let none = Field::ticks(NONE, "Asked", vec![Choice::of("yes", "Asked, and there is none")]);
    let none = none.begins("If there is none");
    form.with(none.known(if asked_none { "yes" } else { "" })).hidden("rows", rows.to_string())
}

/// What is recorded in a form, as a person reads it.
pub fn lines(form: &Form) -> Vec<(String, String)> {
    let filled = form.fields.iter().filter_map(|field| {
        if let Some(name) = field.name.strip_suffix(".value")
            && let Some(limit) = form.fields.iter().find(|one| one.name == format!("{name}.uln"))
        {
            return Some((field.label.clone(), multiple(&field.value, &limit.value)?));
        }
        if field.name.ends_with(".uln") {
            return None;
        }
        let chosen = field.choices.iter().find(|choice| choice.chosen && !choice.value.is_empty());
        let chosen = chosen.map(|choice| choice.label.clone());
        let typed = field.choices.is_empty().then(|| as_read(field));
        let value = chosen.or(typed).filter(|value| !value.is_empty())?;
        Some((field.label.clone(), format!("{value} {}", field.unit).trim_end().to_owned()))
    });
    filled.collect()
}

/// What was typed, a day and a time as people write them.
fn as_read(field: &Field) -> String {
    let read = match field.kind {
        Kind::Day => field.value.parse().ok().map(day),
        Kind::Moment => field.value.parse::<DateTime>().ok().map(moment),
        _ => None,
    };
    read.unwrap_or_else(|| field.value.clone())
}

fn moment(at: DateTime) -> String {
    format!("{}, {}", day(at.date()), at.strftime("%H:%M"))
}

/// A result that counts as a multiple of the upper limit of normal, as it was given and as it is judged.
fn multiple(value: &str, limit: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    let times = parse::number(value).ok().zip(parse::number(limit).ok());
    Some(match times.and_then(|(value, limit)| value.checked_div(limit)) {
        Some(times) => format!("{value} of {limit} = {} × upper limit", plain(times.round_dp(2))),
        None => format!("{value} × upper limit"),
    })
}

/// Results beside an upper limit that look like multiples of it already: each is asked about before it is taken.
pub fn slips(form: &Form, posted: &Posted, knowledge: &Knowledge) -> Vec<FieldError> {
    let look = |field: &Field| {
        let name = field.name.strip_suffix(".value")?;
        let typed = |key: &str| parse::number(posted.text(&format!("{name}.{key}")).trim()).ok();
        let (value, limit) = (typed("value")?, typed("uln")?);
        let asked = knowledge.questions()?.get(name)?;
        let told = multiple(&value.to_string(), &limit.to_string())?;
        let why = format!(
            "{}: {told}. Where {value} is times the upper limit already, empty the upper limit. Where {value} is the number of the laboratory, save the same once more.",
            asked.ask
        );
        asked.may_be_multiple(value, limit).then(|| FieldError::at(&field.name, why))
    };
    form.fields.iter().filter_map(look).collect()
}

/// Carried by the form once it was asked: the same sent again is the answer, and other numbers are another question.
pub fn asked_about(slips: &[FieldError]) -> String {
    slips.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Reads what was typed.
///
/// # Errors
/// Everything that cannot be read, or else the first thing that cannot be, beside its field.
pub fn read(
    section: Section,
    form: &Form,
    posted: &Posted,
    days: &Days,
    knowledge: &Knowledge,
) -> Result<Consultation, Vec<FieldError>> {
    // No finding is from before the birth, which the page of the patient asks.
    let mut document = json!({ "person": { "born": days.born } });
    // Rows that were filled in close up; which form row each was, a complaint must know.
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for field in form.fields.iter().filter(|field| field.name != NONE) {
        let typed = posted.text(&field.name).trim();
        if typed.is_empty() {
            continue;
        }
        let value = match value_of(field, typed) {
            Ok(value) => value,
            Err(why) => {
                wrong.push(FieldError::at(&field.name, why));
                continue;
            }
        };
        let path = match row_of(&field.name) {
            None => field.name.clone(),
            Some((list, row, key)) => {
                let filled = rows.entry(list).or_default();
                if filled.last() != Some(&row) {
                    filled.push(row);
                }
                format!("{list}[{}].{key}", filled.len() - 1)
            }
        };
        let path = pointer(&path);
        place(&mut document, &path.split('/').skip(1).collect::<Vec<_>>(), value);
    }
    if posted.text(NONE) == "yes"
        && matches!(section, Section::Diagnoses | Section::Trials | Section::Medicines)
    {
        if !rows.is_empty() {
            wrong.push(FieldError::at(NONE, "Rows are filled in, and “there is none” is ticked. Keep one."));
        }
        place(&mut document, &[section.key()], json!([]));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let read = screen::read(&document.to_string(), days.today, knowledge).map_err(|unreadable| {
        let field = field_at(form, &in_form(&unreadable.at, &rows)).unwrap_or_default();
        let asked = form.fields.iter().find(|one| one.name == field).map(|one| one.label.clone());
        let asked = asked.unwrap_or_else(|| names::in_words(&unreadable.at, knowledge));
        let why = if unreadable.accepted.contains("--schema") {
            "it is missing, and the row has something else. Fill it in, or empty the row.".to_owned()
        } else {
            format!("{}. Accepted is {}.", unreadable.wrong, unreadable.accepted)
        };
        vec![FieldError::at(&field, format!("{asked}: {why}"))]
    });
    let mut said = read?;
    said.person.born = None;
    let old = too_old(&said, days, knowledge);
    if old.is_empty() { Ok(said) } else { Err(old) }
}

/// Totals of scales from years before the patient was heard of.
fn too_old(said: &Consultation, days: &Days, knowledge: &Knowledge) -> Vec<FieldError> {
    let dated = said.scales.0.iter().filter_map(|(name, total)| Some((name, total.on?)));
    let told = |(name, on): (&String, Date)| {
        let field = format!("scales.{name}.on");
        let asked = names::in_words(&field, knowledge);
        let (from, today) = (days.scores_from, days.today);
        FieldError::at(&field, format!("{asked}: {on} cannot be. Accepted is a day from {from} to {today}."))
    };
    dated.filter(|(_, on)| *on < days.scores_from).map(told).collect()
}

/// `diagnoses[2].code` as list, row and key.
fn row_of(name: &str) -> Option<(&str, &str, &str)> {
    let (list, rest) = name.split_once('[')?;
    let (row, key) = rest.split_once("].")?;
    Some((list, row, key))
}

/// A path of the document as a path of the form.
fn in_form(at: &str, rows: &BTreeMap<&str, Vec<&str>>) -> String {
    let Some((list, rest)) = at.split_once('[') else { return at.to_owned() };
    let Some((nth, key)) = rest.split_once(']') else { return at.to_owned() };
    let row = nth.parse().ok().and_then(|nth: usize| rows.get(list)?.get(nth));
    row.map_or_else(|| at.to_owned(), |row| format!("{list}[{row}]{key}"))
}

/// The field of a path, or the first one within it, or the first of that name.
fn field_at(form: &Form, path: &str) -> Option<String> {
    let named = |fits: &dyn Fn(&str) -> bool| {
        form.fields.iter().find(|field| fits(&field.name)).map(|field| field.name.clone())
    };
    let last = path.rsplit('.').next().unwrap_or(path);
    named(&|name| name == path)
        .or_else(|| {
            named(&|name| name.starts_with(&format!("{path}.")) || name.starts_with(&format!("{path}[")))
        })
        .or_else(|| named(&|name| name.ends_with(&format!(".{last}"))))
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}

fn place(at: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *at = value;
        return;
    };
    let next = if let Ok(nth) = first.parse::<usize>() {
        if !at.is_array() {
            *at = json!([]);
        }
        let Value::Array(list) = at else { return };
        while list.len() <= nth {
            list.push(Value::Null);
        }
        list.get_mut(nth)
    } else {
        if !at.is_object() {
            *at = json!({});
        }
        at.as_object_mut().map(|fields| fields.entry(*first).or_insert(Value::Null))
    };
    if let Some(next) = next {
        place(next, rest, value);
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => match text.parse::<DateTime>() {
            Ok(at) if text.contains('T') => at.strftime("%Y-%m-%dT%H:%M").to_string(),
            _ => text.clone(),
        },
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn value_of(field: &Field, typed: &str) -> Result<Value, String> {
    let (what, unit) = (&field.label, &field.unit);
    let is_flag = field.name.ends_with("].current") || field.name.ends_with("].augmentation");
    match field.kind {
        Kind::Number => match parse::number(typed) {
            Ok(number) => Ok(json!(number.to_string())),
            Err(why) => {
                let unit = if unit.is_empty() { String::new() } else { format!(" in {unit}") };
                Err(format!("{what} “{typed}” cannot be read: {why}. Accepted is a number{unit}."))
            }
        },
        Kind::Day if typed.parse::<Date>().is_err() => {
            Err(format!("{what} “{typed}” is not a day. Accepted is YYYY-MM-DD, such as 2026-11-20."))
        }
        Kind::Moment if typed.parse::<DateTime>().is_err() => {
            Err(format!("{what} “{typed}” is not a time. Accepted is YYYY-MM-DDThh:mm."))
        }
        Kind::One | Kind::Listed if !field.choices.iter().any(|choice| choice.value == typed) => {
            Err(format!("{what} “{typed}” is not one of those to choose from."))
        }
        _ if is_flag => Ok(json!(typed == "yes")),
        _ => Ok(json!(typed)),
    }
}

fn choices(all: &[(&str, &str)]) -> Vec<Choice> {
    all.iter().map(|(value, label)| Choice::of(value, label)).collect()
}

fn said(name: String, label: &str) -> Field {
    Field::listed(
        name,
        label,
        choices(&[("", "Not asked"), ("yes", "Yes"), ("no", "No"), ("unknown", "Not known")]),
    )
}

fn regimen(knowledge: &Knowledge) -> Field {
    let mut all = vec![Choice::of("", "Not decided")];
    all.extend(knowledge.regimens.iter().map(|item| Choice::of(&item.header.id, &item.header.title)));
    Field::listed("regimen", "Regimen", all)
}

/// A row's label says which row it is.
fn label(row: &str, key: &str) -> String {
    let (list, rest) = row.split_once('[').unwrap_or((row, ""));
    let nth = rest.trim_end_matches(']').parse::<usize>().unwrap_or_default();
    format!("{}. {}", nth + 1, names::field(list, key).unwrap_or(key))
}

fn diagnosis(row: &str) -> Vec<Field> {
    let name = |key: &str| format!("{row}.{key}");
    vec![
        Field::new(Kind::Line, name("code"), label(row, "code")),
        Field::new(Kind::Line, name("text"), label(row, "text")),
        Field::new(Kind::Line, name("made_by"), label(row, "made_by")),
        Field::new(Kind::Day, name("on"), label(row, "on")),
        Field::listed(
            name("current"),
            label(row, "current"),
            choices(&[("", "Not asked"), ("yes", "Yes"), ("no", "No")]),
        ),
    ]
}

fn trial(row: &str) -> Vec<Field> {
    let name = |key: &str| format!("{row}.{key}");
    let kinds = [
        ("", "Not said"),
        ("medicine", "Medicine"),
        ("ect", "Electroconvulsive therapy"),
        ("tms", "Transcranial magnetic stimulation"),
        ("esketamine", "Esketamine nasal spray"),
        ("psychotherapy", "Psychotherapy"),
    ];
    let ends = [
        ("", "Not asked"),
        ("unknown", "Not known"),
        ("no_response", "It did not help enough"),
        ("intolerance", "It was not tolerated"),
        ("other", "Another reason"),
        ("not_stopped", "It goes on"),
    ];
    vec![
        Field::new(Kind::Line, name("drug"), label(row, "drug")),
        Field::listed(name("kind"), label(row, "kind"), choices(&kinds)),
        said(name("current_episode"), &label(row, "current_episode")),
        Field::number(name("max_daily_mg"), label(row, "max_daily_mg"), "mg"),
        said(name("adequate_dose"), &label(row, "adequate_dose")),
        Field::number(name("weeks"), label(row, "weeks"), "weeks"),
        Field::listed(
            name("augmentation"),
            label(row, "augmentation"),
            choices(&[("", "Not said"), ("yes", "Yes"), ("no", "No")]),
        ),
        Field::number(name("adherence_percent"), label(row, "adherence_percent"), "%"),
        Field::number(name("response_percent"), label(row, "response_percent"), "%"),
        Field::listed(name("stopped"), label(row, "stopped"), choices(&ends)),
        Field::new(Kind::Line, name("source"), label(row, "source")),
    ]
}

fn medicine(row: &str) -> Vec<Field> {
    let name = |key: &str| format!("{row}.{key}");
    vec![
        Field::new(Kind::Line, name("name"), label(row, "name")),
        Field::new(Kind::Line, name("rxcui"), label(row, "rxcui")),
        Field::new(Kind::Line, name("atc"), label(row, "atc")),
        Field::number(name("daily_mg"), label(row, "daily_mg"), "mg"),
        Field::number(name("hours_since_last"), label(row, "hours_since_last"), "h"),
    ]
}

fn answer(name: &str, asked: &Asked) -> Field {
    let answers = choices(&[("yes", "Yes"), ("no", "No"), ("unknown", "Not known")]);
    Field::one(format!("answers.{name}"), &asked.ask, answers)
}

fn vitals(questions: &Questions) -> Vec<Field> {
    let fixed = |path: String, fact: &str, before: &str| {
        let asked = questions.fixed.get(fact);
        let ask = asked.map_or("", |one| one.ask.as_str());
        let unit = asked.and_then(|one| one.unit.as_deref()).unwrap_or_default();
        Field::number(path, format!("{before}{ask}"), in_words(unit))
    };
    let mut fields = vec![
        fixed("person.weight_kg".to_owned(), "person.weight", ""),
        fixed("person.height_cm".to_owned(), "person.height", ""),
        Field::new(Kind::Day, "vitals.on", names::field("vitals", "on").unwrap_or_default()),
    ];
    for (nth, which) in ["First reading: ", "Second reading: "].into_iter().enumerate() {
        let path = |key: &str| format!("vitals.pressures[{nth}].{key}");
        fields.push(Field::new(Kind::Moment, path("at"), format!("{which}when")));
        fields.push(fixed(path("systolic"), "vitals.systolic", which));
        fields.push(fixed(path("diastolic"), "vitals.diastolic", which));
    }
    for name in ["heart_rate", "spo2", "respiratory_rate", "temperature"] {
        let path = format!("vitals.{name}");
        fields.push(fixed(path.clone(), &path, ""));
    }
    fields
}

fn work_up(questions: &Questions) -> Vec<Field> {
    let mut fields = results("labs", &questions.labs);
    fields.extend(
        questions.workup.iter().map(|(name, asked)| {
            Field::new(Kind::Day, format!("workup.{name}"), format!("{}: day", asked.ask))
        }),
    );
    fields
}

fn results(list: &str, asked: &AskedBy) -> Vec<Field> {
    let one = |(name, asked): (&String, &Asked)| {
        let path = |key: &str| format!("{list}.{name}.{key}");
        let mut fields = vec![match &asked.unit {
            Some(unit) if unit == MULTIPLE => {
                Field::number(path("value"), &asked.ask, "× upper limit, or the laboratory’s unit")
            }
            Some(unit) => Field::number(path("value"), &asked.ask, in_words(unit)),
            None if asked.levels.is_empty() => {
                let found = [("", "Not known"), ("yes", "Positive"), ("no", "Negative")];
                Field::listed(path("value"), &asked.ask, choices(&found))
            }
            None => {
                let mut levels = vec![Choice::of("", "Not known")];
                levels.extend(asked.levels.iter().map(|level| Choice::of(level, level)));
                Field::listed(path("value"), &asked.ask, levels)
            }
        }];
        if asked.unit.as_deref() == Some(MULTIPLE) {
            let hint = "Where the value is in the unit of the laboratory. Empty where it is times the upper limit already.";
            let limit = Field::number(path("uln"), format!("{}: upper limit of normal", asked.ask), "");
            fields.push(limit.hint(hint));
        }
        fields.push(Field::new(Kind::Day, path("on"), format!("{}: day", asked.ask)));
        fields
    };
    asked.iter().flat_map(one).collect()
}
