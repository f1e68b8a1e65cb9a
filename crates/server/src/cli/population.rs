//! `chairside population`: percentiles of many made-up people under one schedule.

use super::given::Given;
use super::{Exit, note, print_with, say, with_shipped};
use crate::lab::plot::{Curve, Plot, PlotFile};
use crate::lab::sheet::{Cells, Format, Sheet};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::{Chosen, Crowd, CrowdQuestion, Part, People, Varied, asked, site_name};
use pkpd::{Histogram, Minutes, NgPerMl, Ratio, Summary};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Who they are, what they get, and when levels are asked for.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = PRECISION)]
pub struct Args {
    /// Model, see `chairside models list`
    #[arg(long, value_name = "ID")]
    model: String,
    /// How many people
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=PEOPLE_MAX), allow_hyphen_values = true)]
    n: u64,
    /// Seed: the same people for the same seed, on any number of threads
    #[arg(long, value_parser = super::whole, default_value_t = 1, allow_hyphen_values = true)]
    seed: u64,
    /// Weight of everyone, or the median where weights spread; else the weight at which the model was printed
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: Option<String>,
    /// Standard deviation of the logarithm of weight: people outside the model's domain are drawn again
    #[arg(long, value_name = "RATIO", requires = "age_to", allow_hyphen_values = true)]
    weight_spread: Option<f64>,
    /// Age of everyone, or the youngest where ages spread: "40 a"
    #[arg(long, value_name = "AGE", allow_hyphen_values = true)]
    age: Option<String>,
    /// The oldest, where ages spread evenly
    #[arg(long, value_name = "AGE", requires = "weight_spread", allow_hyphen_values = true)]
    age_to: Option<String>,
    #[command(flatten)]
    given: Given,
    /// Rate constant of the effect site instead of the model's: "0.0835117 /min"
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    ke0: Option<String>,
    /// When, in min: "0:240:1" (from:to:step), "0,10,40", or @FILE with one time a line
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    at: String,
    /// Add the error of the assay to plasma levels
    #[arg(long)]
    assay: bool,
    /// Let everyone have typical values of their own, as unsure as the source is of them
    #[arg(long)]
    uncertainty: bool,
    /// Let people vary between occasions, too; each begins at one of these times, in min: "0", or "0,10080"
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    occasions: Option<String>,
    /// Levels of metabolites, too
    #[arg(long)]
    metabolites: bool,
    /// Draw people evenly instead of at random: percentiles of few come closer to those of many
    #[arg(long)]
    quasi_random: bool,
    /// Threads; all there are when not said
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Draw it, too: median, half and nine tenths of the people, to a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const PEOPLE_MAX: u64 = 1_000_000_000;
const SHARES: [(&str, f64); 5] = [("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)];

/// How near the printed percentiles are to those of the people drawn; more people bring those nearer to the population's.
const PRECISION: &str = "A percentile is that of the people who were drawn to within 0.1 % of its value (bins of a \
                         histogram, 1/2048 to 1/1024 of the level wide). How far chance moves it is another matter: with N \
                         people the median of a log-normal level with a spread of 30 % is sure to about 38 %/√N.";

/// Prints the percentiles. Exit 2 names the argument that cannot be read.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match simulated(args, knowledge) {
        Ok((sheet, notes, plot)) => {
            notes.iter().for_each(note);
            print_with(plot, &sheet, args.format)
        }
        Err(wrong) => say(Exit::Unreadable, wrong),
    })
}

/// What is printed, told and drawn.
type Answer = (Sheet, Vec<String>, Option<(PlotFile, Plot)>);

fn simulated(args: &Args, knowledge: &Knowledge) -> Result<Answer, Unreadable> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let ke0 = args.ke0.as_deref().map(|text| asked::ke0("--ke0", text)).transpose()?;
    let times = asked::times("--at", &args.at)?;
    let chosen = Chosen::find(knowledge, &args.model, args.given.substance.into())?
        .with_effect_site(knowledge, ke0)?;
    let (people, doses) = (args.people()?, args.given.read()?);
    let occasions = args.occasions.as_deref().map(|text| asked::times("--occasions", text)).transpose()?;
    let varied = Varied {
        assay: args.assay,
        uncertainty: args.uncertainty,
        occasions: occasions.as_deref(),
        quasi_random: args.quasi_random,
    };
    let (metabolites, seed) = (args.metabolites, args.seed);
    let question = CrowdQuestion { people, doses: &doses, varied, metabolites, times: &times, seed };
    let crowd = chosen.crowd(&question)?;
    let whole = args.many(&crowd);
    let (summary, notes) = (whole.summary(), crowd.notes(&whole));
    if summary.patients > 0 && summary.refused == summary.patients {
        if let (Some(weight), true) = (&args.weight, summary.redrawn > 0) {
            let valid = &chosen.model.spec().validity;
            let (weights, ages) = (&valid.weight, &valid.age);
            let why = format!(
                "nobody who was drawn lies inside what {} was made for: {} to {}, {} to {} years",
                args.model,
                weights.start().0,
                weights.end(),
                ages.start().0,
                ages.end().0
            );
            let (field, accepted) = ("--weight", "a median weight, and ages, of which people can be drawn");
            return Err(asked::Argument { field, text: weight, accepted }.unreadable(why));
        }
        let why = "nobody of this population has a number at these times, so there is no percentile";
        let accepted = "a model, doses and times under which people have levels";
        return Err(asked::Argument { field: "--model", text: &args.model, accepted }.unreadable(why));
    }
    let mut sheet = percentiles(&times, &whole);
    if !crowd.outside.reasons.is_empty() {
        let rows = sheet.rows() / crowd.outside.shares.len().max(1);
        let marks = crowd.outside.shares.iter().flat_map(|share| vec![*share; rows]);
        sheet.numbers("outside_validity", marks);
    }
    sheet.about.insert("percentiles_within".to_owned(), json!(Histogram::PRECISION.0));
    sheet.about.insert("model".to_owned(), json!(chosen.model.id()));
    sheet.about.insert("given".to_owned(), args.given.about());
    sheet.about.insert("seed".to_owned(), json!(args.seed));
    sheet.about.insert("people".to_owned(), json!(summary.patients));
    sheet.about.insert("drawn_again".to_owned(), json!(summary.redrawn));
    sheet.about.insert("without_a_number".to_owned(), json!(summary.refused));
    sheet.about.insert("notes".to_owned(), json!(notes));
    let plot = file.map(|file| (file, plot(args, &chosen, &times, summary)));
    Ok((sheet, notes, plot))
}

impl Args {
    fn people(&self) -> Result<People, Unreadable> {
        let age =
            |field, text: &Option<String>| text.as_deref().map(|text| asked::age(field, text)).transpose();
        let weight = self.weight.as_deref().map(|text| asked::weight("--weight", text)).transpose()?;
        let oldest = age("--age-to", &self.age_to)?;
        let spread = self.weight_spread.map(Ratio).zip(oldest);
        Ok(People { weight, age: age("--age", &self.age)?, spread })
    }

    /// Someone who waits at a terminal sees it go on.
    fn many(&self, crowd: &Crowd) -> Part {
        let threads = self
            .threads
            .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        let waits = std::io::stderr().is_terminal();
        crowd.part(0..self.n, threads, |done| {
            if waits {
                let end = if done == self.n { "\n" } else { "" };
                // Nobody is left to tell when standard error itself is closed.
                let _ = write!(std::io::stderr(), "\r{done} of {} people{end}", self.n);
            }
        })
    }
}

/// Median with two bands in plasma; at the effect site the median alone, whose bands would hide the others.
fn plot(args: &Args, chosen: &Chosen, times: &[Minutes], summary: &Summary) -> Plot {
    let (id, site) = (chosen.model.id(), site_name(chosen.model.site()));
    let at = |levels: &[Histogram], share| -> Vec<(f64, f64)> {
        let level = |levels: &Histogram| levels.quantile(Ratio(share)).map_or(0.0, |level| level.0);
        times.iter().map(|time| time.0).zip(levels.iter().map(level)).collect()
    };
    let band = |low, high| {
        let pairs = at(&summary.plasma, low).into_iter().zip(at(&summary.plasma, high));
        pairs.map(|((time, low), (_, high))| (time, low, high)).collect()
    };
    let plasma = Curve {
        name: format!(
            "{id}, {}, {site} plasma: median, 25 to 75 % and 5 to 95 % of {} people",
            chosen.levels_of(),
            summary.patients
        ),
        line: at(&summary.plasma, 0.5),
        bands: vec![band(0.05, 0.95), band(0.25, 0.75)],
        ..Curve::default()
    };
    let effect = (!summary.effect.is_empty()).then(|| Curve {
        name: format!("{id}, effect site: median"),
        colour: 1,
        is_dashed: true,
        line: at(&summary.effect, 0.5),
        ..Curve::default()
    });
    let curves = [plasma].into_iter().chain(effect).collect();
    Plot { title: args.given.words(), unit: NgPerMl::UNIT.to_owned(), curves }
}

fn percentiles(times: &[Minutes], whole: &Part) -> Sheet {
    let summary = whole.summary();
    let metabolites = whole.metabolites().iter().map(|name| format!("{name}_ng_ml"));
    let outputs: Vec<(String, &Vec<Histogram>)> =
        [("cp_ng_ml".to_owned(), &summary.plasma), ("ce_ng_ml".to_owned(), &summary.effect)]
            .into_iter()
            .chain(metabolites.zip(&summary.metabolites))
            .filter(|(_, levels)| !levels.is_empty())
            .collect();
    let rows = || (0..times.len()).flat_map(|time| outputs.iter().map(move |output| (time, output)));
    let mut sheet = Sheet::default();
    sheet.numbers("time_min", rows().filter_map(|(time, _)| times.get(time)).map(|time| time.0));
    sheet.words("output", rows().map(|(_, (name, _))| name.as_str()));
    for (name, share) in SHARES {
        let level = |(time, (_, levels)): (usize, &(String, &Vec<Histogram>))| {
            levels.get(time).and_then(|histogram| histogram.quantile(Ratio(share))).map(|level| level.0)
        };
        sheet.columns.push((name.to_owned(), Cells::Numbers(rows().map(level).collect())));
    }
    sheet
}
