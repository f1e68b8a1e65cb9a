//! `chairside simulate`: levels of one typical person under any schedule, by one or more published models.

use super::given::Given;
use super::{Exit, note, print, say};
use crate::lab::asked;
use crate::lab::case::{Chosen, site_name};
use crate::lab::sheet::{Cells, Format, Sheet};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use pkpd::{Body, Course, Minutes, NgPerMl, Reason};
use serde_json::json;

/// Who gets what, by which model, and when levels are asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model, see `chairside models list`; repeat it to compare
    #[arg(long, value_name = "ID", required = true)]
    model: Vec<String>,
    /// Body weight: "70 kg"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: String,
    /// Age: "40 a"; needed by a model that changes with it
    #[arg(long, value_name = "AGE", allow_hyphen_values = true)]
    age: Option<String>,
    #[command(flatten)]
    given: Given,
    /// Rate constant of the effect site instead of the model's: "0.0835117 /min"
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    ke0: Option<String>,
    /// When, in min: "0:240:1" (from:to:step), "0,10,40", or @FILE with one time a line
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    at: String,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints the levels. Exit 2 names the argument that cannot be read.
pub fn run(args: &Args) -> Exit {
    let knowledge = match Knowledge::shipped() {
        Ok(knowledge) => knowledge,
        Err(error) => return say(Exit::Failed, error),
    };
    match simulated(args, &knowledge) {
        Ok((sheet, notes)) => {
            notes.iter().for_each(note);
            print(&sheet.written(args.format))
        }
        Err(wrong) => say(Exit::Unreadable, wrong),
    }
}

/// One model's answer.
struct Simulated<'k> {
    chosen: Chosen<'k>,
    course: Course,
    outside: Vec<Reason>,
}

fn simulated(args: &Args, knowledge: &Knowledge) -> Result<(Sheet, Vec<String>), Unreadable> {
    let body = Body {
        weight: asked::weight("--weight", &args.weight)?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
    };
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let times = asked::times("--at", &args.at)?;
    let given = args.given.read()?;
    let schedule = given.schedule(body.weight)?;
    let mut answers = Vec::new();
    for id in &args.model {
        let chosen =
            Chosen::find(knowledge, id, args.given.substance.into())?.with_effect_site(knowledge, ke0)?;
        given.check(&chosen, body)?;
        let course = chosen.course(body, &schedule, &times).map_err(|cause| chosen.refused(&cause))?;
        let outside = chosen.outside(body, &schedule);
        answers.push(Simulated { chosen, course, outside });
    }
    let notes = answers.iter().flat_map(Simulated::notes).collect();
    Ok((sheet(args, &times, &answers), notes))
}

impl Simulated<'_> {
    fn notes(&self) -> Vec<String> {
        let id = self.chosen.model.id();
        let outside = self.outside.iter().map(|reason| format!("outside the validity of {id}: {reason}"));
        self.chosen.notes.iter().cloned().chain(outside).collect()
    }
}

fn sheet(args: &Args, times: &[Minutes], answers: &[Simulated]) -> Sheet {
    let mut sheet = Sheet::default();
    let each = |value: &dyn Fn(&Simulated) -> Vec<Option<f64>>| {
        Cells::Numbers(answers.iter().flat_map(value).collect())
    };
    let levels = |levels: Option<&Vec<NgPerMl>>| match levels {
        Some(levels) => levels.iter().map(|level| Some(level.0)).collect(),
        None => vec![None; times.len()],
    };
    let mut add = |name: String, cells| sheet.columns.push((name, cells));
    if answers.len() > 1 {
        let ids = answers.iter().map(|a| a.chosen.model.id().to_owned());
        add("model".to_owned(), Cells::Words(ids.flat_map(|id| vec![id; times.len()]).collect()));
    }
    add("time_min".to_owned(), each(&|_| times.iter().map(|t| Some(t.0)).collect()));
    add("cp_ng_ml".to_owned(), each(&|a| levels(Some(&a.course.plasma))));
    add("ce_ng_ml".to_owned(), each(&|a| levels(a.course.effect.as_ref())));
    let mut metabolites: Vec<&str> = Vec::new();
    for (name, _) in answers.iter().flat_map(|a| &a.course.metabolites) {
        if !metabolites.contains(&name.as_str()) {
            metabolites.push(name);
        }
    }
    for name in metabolites {
        let of =
            |a: &Simulated| a.course.metabolites.iter().find(|(its, _)| its == name).map(|(_, x)| x.clone());
        add(format!("{name}_ng_ml"), each(&|a| levels(of(a).as_ref())));
    }
    if answers.iter().any(|a| !a.outside.is_empty()) {
        let mark = |a: &Simulated| vec![Some(if a.outside.is_empty() { 0.0 } else { 1.0 }); times.len()];
        add("outside_validity".to_owned(), each(&mark));
    }
    let about = answers.iter().map(|a| {
        json!({
            "model": a.chosen.model.id(),
            "sampling_site": site_name(a.chosen.model.site()),
            "levels_of": a.chosen.levels_of(),
            "ke0_per_min": a.chosen.ke0.map(|k| k.0),
            "outside_validity": a.outside.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notes": a.chosen.notes,
        })
    });
    sheet.about.insert("weight".to_owned(), json!(args.weight));
    sheet.about.insert("given".to_owned(), args.given.about());
    sheet.about.insert("models".to_owned(), about.collect());
    sheet
}
