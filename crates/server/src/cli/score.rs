//! `chairside score`: answers to a rating scale, scored, as JSON.

use super::{Exit, print, say, with_shipped};
use clinic::gate::padss;
use clinic::knowledge::Knowledge;
use clinic::knowledge::discharge::{self, Discharge};
use clinic::quantity::round_half_up;
use clinic::scale::{Given, Score, read_number, score};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What was answered.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Scale, see `chairside scales list`: phq9, gad7, pcl5, cssrs …
    scale: String,
    /// Answers in the order of the form, "2,2,3,-,1": a dash for one that is missing, y and n for yes and no
    #[arg(long, allow_hyphen_values = true, required_unless_present = "total", conflicts_with = "total")]
    answers: Option<String>,
    /// The total of a form that was scored elsewhere
    #[arg(long, value_name = "N")]
    total: Option<String>,
    /// Whose bands count where they differ: f or m (AUDIT-C)
    #[arg(long, conflicts_with = "group")]
    sex: Option<String>,
    /// The same by name, see `chairside scales show`: `high_school` (SLUMS)
    #[arg(long)]
    group: Option<String>,
}

/// Prints the score. Exit 2 for a scale that is not there, or answers that it does not have.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match answer(args, knowledge) {
        Ok(answer) => print(format!("{answer:#}\n").as_bytes()),
        Err(why) => say(Exit::Unreadable, why),
    })
}

fn answer(args: &Args, knowledge: &Knowledge) -> Result<Value, String> {
    let Some(item) = knowledge.scale(&args.scale) else {
        return match knowledge.discharge.get(&args.scale).map(|item| &item.body) {
            Some(Discharge::Score(form)) => discharge_score(form, args),
            _ => Err(no_such_scale(&args.scale)),
        };
    };
    let given = match (&args.answers, &args.total) {
        (Some(text), _) => Given::answers(item, text).map_err(|why| format!("--answers: {why}"))?,
        (None, total) => {
            let total = number("--total", total.as_deref().unwrap_or_default())?;
            Given::total(item, total).map_err(|why| format!("--total: {why}"))?
        }
    };
    let of = args.sex.as_deref().map(sex).transpose()?.or(args.group.as_deref());
    let came = score(item, &given, of).map_err(|why| format!("--group: {why}"))?;
    Ok(json_of(&came))
}

fn sex(text: &str) -> Result<&'static str, String> {
    match text.to_ascii_lowercase().as_str() {
        "f" | "female" => Ok("female"),
        "m" | "male" => Ok("male"),
        _ => Err(format!("--sex: `{text}` is not known; accepted is f or m")),
    }
}

fn json_of(came: &Score) -> Value {
    let number_of = |value: &Option<Decimal>| value.map_or(Value::Null, shown);
    let subscales: BTreeMap<&String, Value> =
        came.subscales.iter().map(|(id, value)| (id, number_of(value))).collect();
    let criteria: BTreeMap<&String, Option<bool>> =
        came.criteria.iter().map(|criterion| (&criterion.id, criterion.met)).collect();
    json!({
        "scale": came.scale,
        "version": came.version,
        "total": number_of(&came.total),
        "subscales": subscales,
        "band": came.band,
        "band_of": came.band_of,
        "complete": came.complete,
        "prorated": came.prorated,
        "missing": came.missing,
        "criteria": criteria,
        "flags": came.flags.iter().map(|flag| &flag.id).collect::<Vec<_>>(),
        "notes": came.flags.iter().map(|flag| &flag.says).collect::<Vec<_>>(),
    })
}

/// The discharge score is no rating scale, but people look for it here.
fn discharge_score(form: &discharge::Score, args: &Args) -> Result<Value, String> {
    let Some(text) = &args.answers else { return Err("--total: write its answers instead".to_owned()) };
    let typed: Vec<&str> = text.split(',').map(str::trim).collect();
    if typed.len() != form.items.len() {
        return Err(format!("--answers: {} answers are needed, {} came", form.items.len(), typed.len()));
    }
    let mut given = BTreeMap::new();
    for (item, typed) in form.items.iter().zip(typed).filter(|(_, typed)| *typed != "-") {
        let points =
            typed.parse().map_err(|_| format!("--answers: {}: `{typed}` is not 0 to 2", item.title))?;
        given.insert(item.id.clone(), points);
    }
    let came = padss(form, &given).map_err(|why| format!("--answers: {why}"))?;
    Ok(json!({
        "scale": args.scale,
        "total": came.total,
        "subscales": came.items,
        "band": if came.pass { "pass" } else { "not yet" },
        "complete": true,
        "prorated": false,
        "flags": [],
    }))
}

/// Reads a score.
pub(crate) fn number(field: &str, text: &str) -> Result<Decimal, String> {
    let why = "it is not a plain number that is not below zero, such as 16 or 4.33";
    read_number(text).ok_or_else(|| format!("{field}: `{text}`: {why}"))
}

/// A number for a reader: whole ones whole, else two decimals.
pub(crate) fn shown(value: Decimal) -> Value {
    let value = round_half_up(value, 2);
    match value.is_integer().then(|| value.to_i64()).flatten() {
        Some(whole) => json!(whole),
        None => json!(value.to_f64()),
    }
}

pub(crate) fn no_such_scale(name: &str) -> String {
    let name: String = name.chars().take(40).collect();
    format!("SCALE: there is no scale `{name}`; `chairside scales list` shows all")
}
