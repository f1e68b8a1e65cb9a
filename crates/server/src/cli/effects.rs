//! `chairside effects`: what the levels of one typical person, or of many, do.

use super::given::Given;
use super::{Exit, note, print_sheet, say, with_shipped};
use crate::lab::plot::{Plot, PlotFile, side_by_side};
use crate::lab::series::{Series, pictures, table};
use crate::lab::sheet::{Format, Sheet};
use crate::record::drawing::Drawing;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::{Chosen, EffectQuestion, Many, Stage, Wanted, asked, site_name};
use pkpd::Body;
use serde_json::json;
use std::path::PathBuf;

/// Whose levels, by which models, do what.
///
/// The column `typical` is the mean effect of people who have the levels of the typical person; the person in the middle
/// is `p50`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model of levels, see `chairside models list`; repeat it to compare
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
    /// Effect, see `chairside models list`; repeat it; all acute ones when none is named
    #[arg(long, value_name = "ID")]
    effect: Vec<String>,
    /// What follows the blocked receptors of the sandbox, with a half-life of your own: "bdnf 6 h"; repeat it
    #[arg(long, value_name = "STAGE", allow_hyphen_values = true)]
    stage: Vec<String>,
    /// Rate constant of the effect site instead of the model's: "0.0835117 /min"
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    ke0: Option<String>,
    /// When, in min: "0:240:1" (from:to:step), "0,10,40", or @FILE with one time a line
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    at: String,
    /// So many people of this body, who differ in their levels too
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=PEOPLE_MAX), allow_hyphen_values = true)]
    n: Option<u64>,
    /// Seed: the same people for the same seed
    #[arg(long, value_parser = super::whole, default_value_t = 1, allow_hyphen_values = true)]
    seed: u64,
    /// Draw them, too: a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const PEOPLE_MAX: u64 = 100_000_000;

/// Prints the effects. Exit 2 names the argument that cannot be read.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match effects(args, knowledge) {
        Ok(answer) => {
            answer.notes.iter().for_each(note);
            match answer.picture.map_or(Ok(()), |(file, drawing)| file.write_drawing(&drawing)) {
                Ok(()) => print_sheet(&answer.sheet, args.format),
                Err(cause) => say(Exit::Failed, format!("--plot: cannot write the picture: {cause:#}")),
            }
        }
        Err(wrong) => say(Exit::Unreadable, wrong),
    })
}

/// What is printed, told and drawn.
struct Answer {
    sheet: Sheet,
    notes: Vec<String>,
    picture: Option<(PlotFile, Drawing)>,
}

fn effects(args: &Args, knowledge: &Knowledge) -> Result<Answer, Unreadable> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let body = Body {
        weight: asked::weight("--weight", &args.weight)?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
    };
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let (times, stages) = (asked::times("--at", &args.at)?, Stage::read(&args.stage)?);
    let doses = args.given.read()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let many = args.n.map(|people| Many { people, spread: None, seed: args.seed, threads });
    let wanted = Wanted { levels: false, effects: Some(&args.effect) };
    let (mut series, mut notes) = (Vec::new(), Vec::new());
    for id in &args.model {
        let chosen =
            Chosen::find(knowledge, id, args.given.substance.into())?.with_effect_site(knowledge, ke0)?;
        let asked = EffectQuestion { body, doses: &doses, times: &times, stages: &stages, many };
        let found = chosen.answers(knowledge, wanted, &asked)?;
        notes.extend(found.notes);
        let each = found.each.into_iter();
        let (site, levels_of) = (site_name(chosen.model.site()), chosen.levels_of());
        let regimen = String::new;
        series.extend(each.map(|what| Series {
            regimen: regimen(),
            model: id.clone(),
            site,
            levels_of,
            what,
        }));
    }
    let mut sheet = table(&times, &series);
    sheet.about.insert("weight".to_owned(), json!(args.weight));
    sheet.about.insert("given".to_owned(), args.given.about());
    sheet.about.insert("people".to_owned(), json!(args.n));
    notes.push(
        "`typical` is the mean effect at the levels of the typical person; the person in the middle is `p50`"
            .to_owned(),
    );
    sheet.about.insert("notes".to_owned(), json!(notes));
    let picture = file.map(|file| {
        let curves: Vec<_> = series.iter().map(|one| (one.model.clone(), one)).collect();
        let drawings: Vec<Drawing> = pictures(&times, &curves).iter().map(Plot::small).collect();
        (file, side_by_side(&args.given.words(), &drawings))
    });
    Ok(Answer { sheet, notes, picture })
}
