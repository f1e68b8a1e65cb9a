//! `chairside fit`: one person's parameters from measured levels.

use super::given::Given;
use super::{Exit, note, print_with, say};
use crate::lab::asked::{self, Argument};
use crate::lab::case::{Chosen, site_name};
use crate::lab::observed;
use crate::lab::plot::{Curve, Plot, PlotFile};
use crate::lab::sheet::{Format, Sheet};
use clap::ValueEnum;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use pkpd::{
    Body, Errors, Fit, FitQuestion, Minutes, NgPerMl, Observation, Ratio, Refused, Schedule, Warning,
};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Who got what, and what was measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model, see `chairside models list`
    #[arg(long, value_name = "ID")]
    model: String,
    /// Body weight: "70 kg"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: String,
    /// Age: "40 a"
    #[arg(long, value_name = "AGE", allow_hyphen_values = true)]
    age: Option<String>,
    #[command(flatten)]
    given: Given,
    /// CSV with time_min,analyte,value,unit; a value such as <2 lies below the limit of quantification
    #[arg(long, value_name = "FILE")]
    observations: PathBuf,
    /// Where the blood was drawn; another site than the model's is refused
    #[arg(long, value_enum)]
    site: Option<Site>,
    /// One wild value does not carry the fit away (Student's t with 4 degrees of freedom)
    #[arg(long)]
    robust: bool,
    /// Draw it, too: the typical and the fitted person with a 90 % band, to a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// Where blood was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Site {
    /// Artery
    Arterial,
    /// Vein
    Venous,
}

impl From<Site> for pkpd::Site {
    fn from(site: Site) -> Self {
        match site {
            Site::Arterial => Self::Arterial,
            Site::Venous => Self::Venous,
        }
    }
}

/// Why there is no fit.
enum Wrong {
    /// An argument cannot be read.
    Unreadable(Unreadable),
    /// Blood of one site cannot speak for a model of the other.
    OtherSite(String),
}

impl From<Unreadable> for Wrong {
    fn from(wrong: Unreadable) -> Self {
        Self::Unreadable(wrong)
    }
}

/// Prints the fit. Exit 2 names the argument that cannot be read, 3 refuses blood from another site than the model's.
pub fn run(args: &Args) -> Exit {
    let knowledge = match Knowledge::shipped() {
        Ok(knowledge) => knowledge,
        Err(error) => return say(Exit::Failed, error),
    };
    match fitted(args, &knowledge) {
        Ok((sheet, plot)) => print_with(plot, &sheet, args.format),
        Err(Wrong::Unreadable(wrong)) => say(Exit::Unreadable, wrong),
        Err(Wrong::OtherSite(why)) => say(Exit::Refused, format!("refused: {why}")),
    }
}

fn fitted(args: &Args, knowledge: &Knowledge) -> Result<(Sheet, Option<(PlotFile, Plot)>), Wrong> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let chosen = Chosen::find(knowledge, &args.model, args.given.substance.into())?;
    let model = &chosen.model;
    let id = model.id();
    let body = Body {
        weight: asked::weight("--weight", &args.weight)?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
    };
    let doses = args.given.read()?;
    doses.check(&chosen, body)?;
    let given = doses.schedule(body.weight)?;
    let observations = observed::read(&args.observations, &chosen)?;
    let site = args.site.map_or(model.site(), Into::into);
    if site != model.site() {
        let (blood, its) = (site_name(site), site_name(model.site()));
        return Err(Wrong::OtherSite(format!(
            "--site {blood}: {id} describes {its} blood, and the two differ twofold"
        )));
    }
    if model.spec().variability.is_empty() {
        let accepted = "a model with between-person spread";
        let argument = Argument { field: "--model", text: &args.model, accepted };
        return Err(argument.unreadable("it has no spread, so nothing can be fitted").into());
    }
    let refused = |cause| chosen.refused(&cause);
    let schedule = given.scaled(chosen.basis.of_dose()).map_err(refused)?;
    let errors = if args.robust { Errors::Robust } else { Errors::Normal };
    let question =
        FitQuestion { model, body, schedule: &schedule, observations: &observations, site, errors };
    let fit = pkpd::fit(&question).map_err(|cause| observed::refused(&args.observations, &chosen, &cause))?;
    let mut warnings = doubts(&fit, &chosen, body, &given);
    if args.site.is_none() {
        warnings
            .push(format!("the blood is taken to be {}, as the model's; --site says it", site_name(site)));
    }
    if args.format != Format::Json {
        warnings.iter().for_each(note);
    }
    let curves = || curves(&fit, &question, chosen.parent()).map_err(refused);
    let title = args.given.words();
    let plot = file.map(|file| Ok::<_, Unreadable>((file, Plot { title, curves: curves()? }))).transpose()?;
    Ok((sheet(&fit, &chosen, &observations, &warnings), plot))
}

/// From the first moment to a quarter after the last.
const POINTS: u32 = 240;

fn curves(fit: &Fit, question: &FitQuestion, parent: Option<&str>) -> Result<Vec<Curve>, Refused> {
    let (model, body, schedule) = (question.model, question.body, question.schedule);
    let last = question
        .observations
        .iter()
        .map(|o| o.at.0)
        .chain(schedule.end().map(|end| end.0))
        .fold(1.0, f64::max);
    let times: Vec<Minutes> =
        (0..=POINTS).map(|i| Minutes(1.25 * last * f64::from(i) / f64::from(POINTS))).collect();
    let line = |levels: &[NgPerMl]| times.iter().zip(levels).map(|(time, level)| (time.0, level.0)).collect();
    let typical = model.typical(body)?.parent_course(schedule, None, &times)?.plasma;
    let banded = fit.band(model, body, schedule, &times)?;
    let ends = banded.low.iter().zip(&banded.high);
    let band = times.iter().zip(ends).map(|(time, (low, high))| (time.0, low.0, high.0)).collect();
    let (id, site) = (model.id(), site_name(model.site()));
    let typical = Curve {
        name: format!("{id}, typical person, {site} plasma"),
        colour: 1,
        is_dashed: true,
        line: line(&typical),
        ..Curve::default()
    };
    let fitted = Curve {
        name: format!("{id}, this person with a 90 % band of its uncertainty, and what was measured"),
        line: line(&banded.line),
        bands: vec![band],
        points: observed::points(question.observations, parent),
        ..Curve::default()
    };
    Ok(vec![fitted, typical])
}

fn doubts(fit: &Fit, chosen: &Chosen, body: Body, given: &Schedule) -> Vec<String> {
    let id = chosen.model.id();
    let of_fit = fit.warnings.iter().filter_map(|warning| match warning {
        Warning::NotConverged => Some("the search stopped before it was sure of the optimum".to_owned()),
        Warning::Flat => {
            Some("the optimum is no clear valley: the covariance is that of a damped one".to_owned())
        }
        Warning::Uninformed(name) => {
            Some(format!("the levels say nothing about {name}: it keeps the spread of the population"))
        }
        // The reasons below say which.
        Warning::OutsideValidity => None,
    });
    let reasons = chosen.model.objections(body, given);
    let outside = reasons.iter().map(|reason| format!("outside the validity of {id}: {reason}"));
    chosen.notes.iter().cloned().chain(outside).chain(of_fit).collect()
}

fn sheet(fit: &Fit, chosen: &Chosen, observations: &[Observation], warnings: &[String]) -> Sheet {
    // In the order of the alphabet, which is that of JSON's keys, so that rows of the covariance are found by them.
    let mut order: Vec<usize> = (0..fit.names.len()).collect();
    order.sort_by_key(|&place| &fit.names[place]);
    let names: Vec<&str> = order.iter().map(|&place| fit.names[place].as_str()).collect();
    let parameters = &chosen.model.spec().parameters;
    let eta =
        |name: &str| parameters.iter().zip(&fit.eta).find(|(p, _)| p.name == name).map(|(_, eta)| eta.0);
    let covariance: Vec<Vec<f64>> =
        order.iter().map(|&i| order.iter().map(|&j| fit.covariance[i][j].0).collect()).collect();
    let printed: Vec<(&str, f64, &str)> = fit
        .parameters
        .iter()
        .filter_map(|(name, value)| {
            chosen.item.body.printed(name, *value).map(|(x, unit)| (name.as_str(), x, unit))
        })
        .collect();
    let mut sheet = Sheet::default();
    sheet.words("parameter", printed.iter().map(|(name, ..)| *name));
    sheet.numbers("value", printed.iter().map(|(_, value, _)| *value));
    sheet.words("unit", printed.iter().map(|(.., unit)| *unit));
    sheet.optional("eta", printed.iter().map(|(name, ..)| eta(name).filter(|_| names.contains(name))));
    let sd = |name: &str| {
        let place = names.iter().position(|its| *its == name)?;
        Some(covariance.get(place)?.get(place)?.sqrt())
    };
    sheet.optional("eta_sd", printed.iter().map(|(name, ..)| sd(name)));
    let map =
        |pairs: Vec<(&str, Value)>| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>();
    let Ratio(objective) = fit.objective;
    sheet.whole = Some(json!({
        "model": chosen.model.id(),
        "levels_of": chosen.levels_of(),
        "sampling_site": site_name(chosen.model.site()),
        "observations": observations.len(),
        "eta": map(names.iter().filter_map(|name| Some((*name, json!(eta(name)?)))).collect()),
        "parameters": map(printed.iter().map(|(name, value, _)| (*name, json!(value))).collect()),
        "units": map(printed.iter().map(|(name, _, unit)| (*name, json!(unit))).collect()),
        "objective": objective,
        "covariance": covariance,
        "covariance_of": names,
        "warnings": warnings,
    }));
    sheet
}
