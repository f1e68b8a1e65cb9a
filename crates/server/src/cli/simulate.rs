//! `chairside simulate`: levels of one typical person under any schedule, by one or more published models.

use super::given::{Given, Site};
use super::{Exit, note, print_with, say, with_shipped};
use crate::lab::plot::{Curve, Plot, PlotFile};
use crate::lab::sheet::{Cells, Format, Sheet};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::observed::Measured;
use lab::{Chosen, Doses, LOOKS_OF_ONE, Person, Simulated, Span, asked, looks, observed, site_name};
use pkpd::{Body, Course, Minutes, NgPerMl};
use serde_json::json;
use std::path::PathBuf;

/// Who gets what, by which model, and when levels are asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model, see `chairside models list`; repeat it to compare
    #[arg(long, value_name = "ID", required = true)]
    model: Vec<String>,
    /// Body weight: "70 kg"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: String,
    /// Another weight from a moment on: "65 kg at 10080 min"; repeat it for a later one. A dose by weight goes by the
    /// weight at its beginning
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight_from: Vec<String>,
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
    /// Draw it, too: a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Measured levels to draw: CSV with time_min,analyte,value,unit and perhaps site
    #[arg(long, value_name = "FILE", requires = "plot")]
    observations: Option<PathBuf>,
    /// Where their blood was drawn, also where rows do not say it; a row that says another site is refused, and levels of
    /// another site than a model's are marked
    #[arg(long, value_enum, requires = "observations")]
    site: Option<Site>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints the levels. Exit 2 names the argument that cannot be read.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match simulated(args, knowledge) {
        Ok(answer) => {
            answer.notes.iter().for_each(note);
            print_with(answer.plot, &answer.sheet, args.format)
        }
        Err(wrong) => say(Exit::Unreadable, wrong),
    })
}

/// What is printed, told and drawn.
struct Answer {
    sheet: Sheet,
    notes: Vec<String>,
    plot: Option<(PlotFile, Plot)>,
}

fn simulated(args: &Args, knowledge: &Knowledge) -> Result<Answer, Unreadable> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let body = Body {
        weight: asked::weight("--weight", &args.weight)?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
    };
    let weight_from = asked::weights_from("--weight-from", &args.weight_from)?;
    let person = Person { body, weight_from };
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let times = asked::times("--at", &args.at)?;
    let given = args.given.read()?;
    let mut answers = Vec::new();
    for id in &args.model {
        let chosen =
            Chosen::find(knowledge, id, args.given.substance.into())?.with_effect_site(knowledge, ke0)?;
        answers.push(chosen.simulated(&person, &given, &times)?);
    }
    let drawn = if file.is_some() { finer(&answers, &person, &given, &times)? } else { Vec::new() };
    let measured = args.measured(&answers)?;
    let doubts = answers.iter().flat_map(|answer| observed::doubts(&measured, &answer.chosen));
    let mut notes: Vec<String> = Vec::new();
    for note in answers.iter().flat_map(Simulated::notes).chain(doubts).chain(mixed(&answers)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let plot = file.map(|file| (file, plot(args, &answers, &drawn, &measured)));
    Ok(Answer { sheet: sheet(args, &times, &answers), notes, plot })
}

impl Args {
    /// What was measured, of analytes of the first model.
    fn measured(&self, answers: &[Simulated]) -> Result<Vec<Measured>, Unreadable> {
        let (Some(path), Some(first)) = (&self.observations, answers.first()) else { return Ok(Vec::new()) };
        observed::with_site(observed::read(path, &first.chosen)?, self.site.map(Into::into))
    }
}

/// The same levels at the times asked for and between them: a line through few times would cut off what lies there.
fn finer(
    answers: &[Simulated],
    person: &Person,
    given: &Doses,
    times: &[Minutes],
) -> Result<Vec<Course>, Unreadable> {
    let (Some(from), Some(until)) = (times.first(), times.last()) else { return Ok(Vec::new()) };
    let of: Vec<_> = answers.iter().map(|answer| (&answer.chosen, given)).collect();
    let looks =
        looks(&of, Span { body: person.body, from: *from, until: *until, also: times, most: LOOKS_OF_ONE });
    looks.note.iter().for_each(note);
    answers.iter().map(|answer| answer.chosen.levels_at(person, given, &looks.times)).collect()
}

/// Plasma and effect site of each model, and the metabolites of a single one; measured levels beside those of the first,
/// apart by where their blood was drawn.
fn plot(args: &Args, answers: &[Simulated], drawn: &[Course], measured: &[Measured]) -> Plot {
    let mut curves: Vec<Curve> = Vec::new();
    for (place, (answer, course)) in answers.iter().zip(drawn).enumerate() {
        let chosen = &answer.chosen;
        let (id, site) = (chosen.model.id(), site_name(chosen.model.site()));
        let measured = if place == 0 { measured } else { &[] };
        // One model has a colour for each curve, several have one each.
        let mut add = |name: String, levels: &[NgPerMl], analyte: Option<&str>| {
            let lines = curves.iter().filter(|curve| !curve.line.is_empty()).count();
            let colour = if answers.len() == 1 { lines } else { place } as u8;
            let line = course.times.iter().zip(levels).map(|(time, level)| (time.0, level.0)).collect();
            curves.push(Curve { name, colour, is_dashed: analyte.is_none(), line, ..Curve::default() });
            let Some(analyte) = analyte else { return };
            for (blood, points) in observed::points_by_site(measured, Some(analyte)) {
                let name = format!("{analyte} {blood}");
                let (points, below) = (points.levels, points.below);
                curves.push(Curve { name, colour, points, below, ..Curve::default() });
            }
        };
        add(format!("{id}, {}, {site} plasma", chosen.levels_of()), &course.plasma, chosen.parent());
        if let Some(effect) = &course.effect {
            add(format!("{id}, effect site"), effect, None);
        }
        for (name, levels) in course.metabolites.iter().filter(|_| answers.len() == 1) {
            add(format!("{id}, {name}, {site} plasma"), levels, Some(name));
        }
    }
    Plot { title: args.given.words(), unit: NgPerMl::UNIT.to_owned(), curves }
}

/// What stands together without being comparable.
fn mixed(answers: &[Simulated]) -> Vec<String> {
    let differ = |of: fn(&Chosen) -> &'static str| {
        let mut words: Vec<&str> = answers.iter().map(|answer| of(&answer.chosen)).collect();
        words.sort_unstable();
        words.dedup();
        (words.len() > 1).then(|| words.join(" and "))
    };
    let of_sites = differ(|chosen| site_name(chosen.model.site())).map(|sites| {
        format!("levels of {sites} blood stand together here, see the column sampling_site: arterial and venous levels differ twofold")
    });
    let of_halves = differ(|chosen| chosen.levels_of())
        .map(|what| format!("levels of {what} stand together here, see the column levels_of"));
    of_sites.into_iter().chain(of_halves).collect()
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
        let mark = |a: &Simulated| a.marks.iter().map(|&is_outside| Some(f64::from(is_outside))).collect();
        add("outside_validity".to_owned(), each(&mark));
    }
    if answers.len() > 1 {
        let words = |of: fn(&Chosen) -> &'static str| {
            let each = answers.iter().map(|a| of(&a.chosen).to_owned());
            Cells::Words(each.flat_map(|word| vec![word; times.len()]).collect())
        };
        sheet.columns.push(("sampling_site".to_owned(), words(|chosen| site_name(chosen.model.site()))));
        sheet.columns.push(("levels_of".to_owned(), words(|chosen| chosen.levels_of())));
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
    sheet.about.insert("weight_from".to_owned(), json!(args.weight_from));
    sheet.about.insert("given".to_owned(), args.given.about());
    sheet.about.insert("models".to_owned(), about.collect());
    sheet
}
