//! `chairside outcome`: a score against the one before the series, as JSON.

use super::score::{no_such_scale, number, shown};
use super::{Exit, print, say, with_shipped};
use clinic::knowledge::Knowledge;
use clinic::knowledge::scales::Condition;
use clinic::quantity::round_half_up;
use clinic::scale::{Given, outcome};
use serde_json::{Value, json};

/// Two scores.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Scale, see `chairside scales list`
    scale: String,
    /// Total before infusion 1 of the series
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    baseline: String,
    /// Total now
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    current: String,
    /// What the patient is treated for, where it has its own rule: mdd, bipolar, ptsd, ocd, pain …
    #[arg(long, value_name = "ID")]
    condition: Option<String>,
}

/// Prints what became of the score. Exit 2 for a scale, a total or a condition that is not there.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match answer(args, knowledge) {
        Ok(answer) => print(format!("{answer:#}\n").as_bytes()),
        Err(why) => say(Exit::Unreadable, why),
    })
}

fn answer(args: &Args, knowledge: &Knowledge) -> Result<Value, String> {
    let item = knowledge.scale(&args.scale).ok_or_else(|| no_such_scale(&args.scale))?;
    let condition = args.condition.as_deref().map(condition).transpose()?;
    let total = |field: &str, text: &str| {
        let total = number(field, text)?;
        Given::total(item, total).map_err(|why| format!("{field}: {why}"))?;
        Ok::<_, String>(total)
    };
    let (baseline, current) = (total("--baseline", &args.baseline)?, total("--current", &args.current)?);
    let came = outcome(item, baseline, current, condition).map_err(|why| why.to_string())?;
    let mut notes: Vec<&str> = [came.note.as_str()].into_iter().filter(|note| !note.is_empty()).collect();
    if came.percent.is_none() {
        notes.push("A change in percent of a baseline of 0 is not defined.");
    }
    if came.response.is_none() && came.percent.is_some() {
        notes.push("No rule of response is known for this scale.");
    }
    let by: Vec<Value> = (came.remission_by.iter())
        .map(|rule| json!({ "rule": rule.title, "met": rule.met, "source": rule.source }))
        .collect();
    Ok(json!({
        "scale": item.header.id,
        "version": item.header.version,
        "baseline": shown(baseline),
        "current": shown(current),
        "condition": condition.map(Condition::id),
        "change": shown(came.change),
        "percent": came.percent.map(|percent| shown(round_half_up(percent, 1))),
        "response": came.response,
        "remission": came.remission,
        "remission_by": by,
        "reliable": came.reliable,
        "worse": came.worse,
        "source": came.source,
        "notes": notes,
    }))
}

fn condition(text: &str) -> Result<Condition, String> {
    let known = || Condition::ALL.iter().map(|condition| condition.id()).collect::<Vec<_>>().join(", ");
    Condition::find(&text.to_ascii_lowercase())
        .ok_or_else(|| format!("--condition: `{text}` is not known; accepted is one of {}", known()))
}
