//! `chairside vpc`: percentiles of a measured study beside those of many simulated copies of it.

use super::given::{Given, Site};
use super::{Exit, note, print_with, refuse, with_shipped};
use crate::lab::plot::{Curve, Plot, PlotFile};
use crate::lab::sheet::{Format, Sheet};
use clinic::knowledge::Knowledge;
use lab::{CheckQuestion, Chosen, Wrong, asked, site_name};
use pkpd::Bin;
use serde_json::json;
use std::path::PathBuf;

/// Which study, by which model.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model, see `chairside models list`
    #[arg(long, value_name = "ID")]
    model: String,
    /// CSV with id,time_min,value,unit, a row for each level; weight_kg and age_years may stand beside. Levels below the
    /// limit of quantification are not taken: leave them out
    #[arg(long, value_name = "FILE")]
    study: PathBuf,
    /// Where the blood was drawn, unless a column site of the study says it; another site than the model's is refused
    #[arg(long, value_enum)]
    site: Option<Site>,
    /// What was measured: cp, the parent drug, or a name of the model's; after the racemate an S-ketamine model takes names
    /// alone
    #[arg(long, value_name = "NAME", default_value = "cp")]
    analyte: String,
    /// Weight of everyone of whom the study does not tell it: "70 kg"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: Option<String>,
    /// Age of everyone of whom the study does not tell it: "40 a"
    #[arg(long, value_name = "AGE", allow_hyphen_values = true)]
    age: Option<String>,
    #[command(flatten)]
    given: Given,
    /// Where a new bin of time begins, in min: "30,60,120"
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    bins: String,
    /// Simulated copies of the study
    #[arg(long, value_name = "COUNT", default_value_t = 500, allow_hyphen_values = true)]
    copies: u32,
    /// Seed: the same copies for the same seed
    #[arg(long, value_parser = super::whole, default_value_t = 1, allow_hyphen_values = true)]
    seed: u64,
    /// Levels as they are, not corrected for what the model expects of each person and dose
    #[arg(long)]
    plain: bool,
    /// Draw it, too: a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints a row for each bin and percentile. Exit 2 names the argument that cannot be read, 3 refuses blood from another
/// site than the model's.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match checked(args, knowledge) {
        Ok((sheet, notes, plot)) => {
            notes.iter().for_each(note);
            print_with(plot, &sheet, args.format)
        }
        Err(wrong) => refuse(&wrong),
    })
}

/// What is printed, told and drawn.
type Answer = (Sheet, Vec<String>, Option<(PlotFile, Plot)>);

fn checked(args: &Args, knowledge: &Knowledge) -> Result<Answer, Wrong> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let chosen = Chosen::find(knowledge, &args.model, args.given.substance.into())?;
    let question = CheckQuestion {
        study: &args.study,
        site: args.site.map(Into::into),
        analyte: &args.analyte,
        weight: args.weight.as_deref().map(|text| asked::weight("--weight", text)).transpose()?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
        doses: &args.given.read()?,
        edges: &asked::times("--bins", &args.bins)?,
        copies: args.copies,
        seed: args.seed,
        corrected: !args.plain,
    };
    let lab::Checked { bins, notes } = chosen.checked(&question)?;
    let mut sheet = sheet(&bins);
    sheet.about.insert("model".to_owned(), json!(chosen.model.id()));
    sheet.about.insert("levels_of".to_owned(), json!(chosen.levels_of()));
    sheet.about.insert("sampling_site".to_owned(), json!(site_name(chosen.model.site())));
    sheet.about.insert("given".to_owned(), args.given.about());
    sheet.about.insert("analyte".to_owned(), json!(args.analyte));
    sheet.about.insert("copies".to_owned(), json!(args.copies));
    sheet.about.insert("seed".to_owned(), json!(args.seed));
    sheet.about.insert("corrected".to_owned(), json!(!args.plain));
    sheet.about.insert("notes".to_owned(), json!(notes));
    let title = args.given.words();
    let plot = file.map(|file| {
        (file, Plot { title, unit: pkpd::NgPerMl::UNIT.to_owned(), curves: curves(&chosen, &bins) })
    });
    Ok((sheet, notes, plot))
}

const SHARES: [&str; 3] = ["p5", "p50", "p95"];

fn sheet(bins: &[Bin]) -> Sheet {
    let rows = || bins.iter().flat_map(|bin| (0..SHARES.len()).map(move |share| (bin, share)));
    let mut sheet = Sheet::default();
    sheet.numbers("from_min", rows().map(|(bin, _)| bin.span.0.0));
    sheet.numbers("to_min", rows().map(|(bin, _)| bin.span.1.0));
    sheet.numbers("levels", rows().map(|(bin, _)| bin.count as f64));
    sheet.words("percentile", rows().map(|(_, share)| SHARES[share]));
    sheet.numbers("measured_ng_ml", rows().map(|(bin, share)| bin.measured[share].0));
    for (place, name) in ["simulated_low", "simulated_middle", "simulated_high"].iter().enumerate() {
        sheet.numbers(name, rows().map(|(bin, share)| bin.simulated[share][place].0));
    }
    sheet.numbers("inside", rows().map(|(bin, share)| f64::from(is_inside(bin, share))));
    sheet
}

fn is_inside(bin: &Bin, share: usize) -> bool {
    let [low, _, high] = bin.simulated[share];
    (low..=high).contains(&bin.measured[share])
}

/// For each percentile the band of the copies with its middle, and what was measured as points.
fn curves(chosen: &Chosen, bins: &[Bin]) -> Vec<Curve> {
    let (id, site) = (chosen.model.id(), site_name(chosen.model.site()));
    let middle = |bin: &Bin| (bin.span.0.0 + bin.span.1.0) / 2.0;
    let of = |(share, name): (usize, &&str)| Curve {
        name: format!("{id}, {site} plasma, {name}: nine tenths of the copies, and what was measured"),
        colour: share as u8,
        is_dashed: share != 1,
        line: bins.iter().map(|bin| (middle(bin), bin.simulated[share][1].0)).collect(),
        edges_only: false,
        bands: vec![
            bins.iter()
                .map(|bin| (middle(bin), bin.simulated[share][0].0, bin.simulated[share][2].0))
                .collect(),
        ],
        points: bins.iter().map(|bin| (middle(bin), bin.measured[share].0)).collect(),
        below: Vec::new(),
    };
    SHARES.iter().enumerate().map(of).collect()
}
