//! `chairside fit`: one person's parameters from measured levels.

use super::given::{Given, Site};
use super::{Exit, note, print_with, refuse, with_shipped};
use crate::lab::plot::{Curve, Plot, PlotFile};
use crate::lab::sheet::{Format, Sheet};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::{
    Chosen, Doses, Drawn, Fitted, LOOKS_OF_MANY, LOOKS_OF_ONE, LevelsQuestion, Span, Wrong, asked, looks,
    observed, site_name,
};
use pkpd::{Body, Errors, Fit, Minutes, NgPerMl, Observation, Posterior, Ratio, Refused};
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
    /// CSV with time_min,analyte,value,unit and perhaps site; a value such as <2 lies below the limit of quantification
    #[arg(long, value_name = "FILE")]
    observations: PathBuf,
    /// Where the blood was drawn; another site than the model's is refused
    #[arg(long, value_enum)]
    site: Option<Site>,
    /// One wild value does not carry the fit away (Student's t with 4 degrees of freedom)
    #[arg(long)]
    robust: bool,
    /// When each occasion begins, in min: "0,10080"; the person then varies between them as the model says
    #[arg(long, value_name = "TIMES", allow_hyphen_values = true)]
    occasions: Option<String>,
    /// Draw so often from all that is known, and tell percentiles of parameters and levels (in JSON)
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    posterior: Option<usize>,
    /// Seed of these draws
    #[arg(long, value_parser = super::whole, default_value_t = 1, allow_hyphen_values = true)]
    seed: u64,
    /// When levels are asked for, in min; from the first moment to a quarter after the last when not said
    #[arg(long, value_name = "TIMES", requires = "posterior", allow_hyphen_values = true)]
    at: Option<String>,
    /// Draw it, too: the typical and the fitted person with a 90 % band, to a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// Prints the fit. Exit 2 names the argument that cannot be read, 3 refuses blood from another site than the model's.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| match fitted(args, knowledge) {
        Ok((sheet, plot)) => print_with(plot, &sheet, args.format),
        Err(wrong) => refuse(&wrong),
    })
}

fn fitted(args: &Args, knowledge: &Knowledge) -> Result<(Sheet, Option<(PlotFile, Plot)>), Wrong> {
    let file = args.plot.as_deref().map(PlotFile::read).transpose()?;
    let chosen = Chosen::find(knowledge, &args.model, args.given.substance.into())?;
    let body = Body {
        weight: asked::weight("--weight", &args.weight)?,
        age: args.age.as_deref().map(|text| asked::age("--age", text)).transpose()?,
    };
    let doses = args.given.read()?;
    let measured = observed::read(&args.observations, &chosen)?;
    let name = args.observations.display().to_string();
    let sites = measured.iter().map(|one| (one.line, one.site));
    let site = observed::one_site("--observations", &name, args.site.map(Into::into), sites)?;
    let (lines, observations): (Vec<_>, Vec<_>) =
        measured.into_iter().map(|one| (one.line, one.level)).unzip();
    let occasions = args.occasions.as_deref().map(|text| asked::times("--occasions", text)).transpose()?;
    let times = match &args.at {
        Some(text) => asked::times("--at", text)?,
        None => grid(&chosen, &doses, body, (&observations, LOOKS_OF_MANY))?,
    };
    let question = LevelsQuestion {
        body,
        doses: &doses,
        observations: &observations,
        observed_in: &name,
        lines: &lines,
        site,
        errors: if args.robust { Errors::Robust } else { Errors::Normal },
        occasions: occasions.as_deref().unwrap_or_default(),
        drawn: args.posterior.map(|count| Drawn { count, seed: args.seed, times: &times }),
    };
    let fitted = chosen.fitted(&question)?;
    if args.format != Format::Json {
        fitted.warnings.iter().for_each(note);
    }
    let title = args.given.words();
    let drawn = |file| {
        let times = grid(&chosen, &doses, body, (&observations, LOOKS_OF_ONE))?;
        let curves = curves(&chosen, &question, &fitted, &times).map_err(|cause| chosen.refused(&cause))?;
        Ok::<_, Unreadable>((file, Plot { title, unit: NgPerMl::UNIT.to_owned(), curves }))
    };
    let plot = file.map(drawn).transpose()?;
    Ok((sheet(&fitted, &chosen, &question), plot))
}

/// From the first moment to a quarter after the last, with those at which something was measured.
fn grid(
    chosen: &Chosen,
    doses: &Doses,
    body: Body,
    (observations, most): (&[Observation], usize),
) -> Result<Vec<Minutes>, Unreadable> {
    let measured: Vec<Minutes> = observations.iter().map(|observation| observation.at).collect();
    let moments = measured.iter().copied().chain(doses.schedule(body.weight)?.end());
    let last = moments.fold(1.0, |last: f64, moment| last.max(moment.0));
    let first = measured.iter().fold(0.0, |first: f64, moment| first.min(moment.0));
    let span = Span { body, from: Minutes(first), until: Minutes(1.25 * last), also: &measured, most };
    let looks = looks(&[(chosen, doses)], span);
    looks.note.iter().for_each(note);
    Ok(looks.times)
}

fn curves(
    chosen: &Chosen,
    question: &LevelsQuestion,
    fitted: &Fitted,
    times: &[Minutes],
) -> Result<Vec<Curve>, Refused> {
    let (model, body, schedule) = (&chosen.model, question.body, &fitted.schedule);
    let line = |levels: &[NgPerMl]| times.iter().zip(levels).map(|(time, level)| (time.0, level.0)).collect();
    let typical = model.typical(body)?.parent_course(schedule, None, times)?.plasma;
    let banded = fitted.fit.band(model, body, schedule, times)?;
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
    let measured = observed::points(question.observations, chosen.parent());
    let fitted = Curve {
        name: format!(
            "{id}, this person in {site} plasma with a 90 % band of its uncertainty, and what was measured"
        ),
        line: line(&banded.line),
        bands: vec![band],
        points: measured.levels,
        below: measured.below,
        ..Curve::default()
    };
    Ok(vec![fitted, typical])
}

fn sheet(fitted: &Fitted, chosen: &Chosen, question: &LevelsQuestion) -> Sheet {
    let Fitted { eta, parameters, covariance, fit, warnings, .. } = fitted;
    let place = |name: &str| eta.iter().position(|(its, _)| its == name);
    let printed = || parameters.iter().map(|(name, ..)| name.as_str());
    let mut sheet = Sheet::default();
    sheet.words("parameter", printed());
    sheet.numbers("value", parameters.iter().map(|(_, value, _)| *value));
    sheet.words("unit", parameters.iter().map(|(.., unit)| unit.as_str()));
    sheet.optional("eta", printed().map(|name| Some(eta.get(place(name)?)?.1.0)));
    let sd = |place: usize| Some(covariance.get(place)?.get(place)?.0.sqrt());
    sheet.optional("eta_sd", printed().map(|name| place(name).and_then(sd)));
    let rows: Vec<Vec<f64>> = covariance.iter().map(|row| row.iter().map(|cell| cell.0).collect()).collect();
    let map =
        |pairs: Vec<(&String, Value)>| pairs.into_iter().map(|(k, v)| (k.clone(), v)).collect::<Map<_, _>>();
    let mut whole = json!({
        "model": chosen.model.id(),
        "levels_of": chosen.levels_of(),
        "sampling_site": site_name(chosen.model.site()),
        "observations": question.observations.len(),
        "eta": map(eta.iter().map(|(name, eta)| (name, json!(eta.0))).collect()),
        "parameters": map(parameters.iter().map(|(name, value, _)| (name, json!(value))).collect()),
        "units": map(parameters.iter().map(|(name, _, unit)| (name, json!(unit))).collect()),
        "objective": fit.objective.0,
        "explained": explained(fit, question),
        "covariance": rows,
        "covariance_of": eta.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "warnings": warnings,
    });
    if let Some(whole) = whole.as_object_mut() {
        if !fitted.occasions.is_empty() {
            whole.insert("occasions".to_owned(), fitted.occasions.iter().map(|etas| of_etas(etas)).collect());
        }
        if let (Some(known), Some(drawn)) = (&fitted.posterior, &question.drawn) {
            whole.insert("posterior".to_owned(), posterior(known, drawn));
        }
    }
    sheet.whole = Some(whole);
    sheet
}

/// Each level beside the fit, in the order of the file.
fn explained(fit: &Fit, question: &LevelsQuestion) -> Vec<Value> {
    let each = question.observations.iter().zip(&fit.explained);
    let row = each.map(|(measured, found)| {
        json!({
            "time_min": measured.at.0,
            "analyte": measured.analyte,
            "fitted_ng_ml": found.level.0,
            "deviation": found.deviation.0,
        })
    });
    row.collect()
}

fn of_etas(etas: &[(String, Ratio)]) -> Value {
    Value::Object(etas.iter().map(|(name, eta)| (name.clone(), json!(eta.0))).collect())
}

/// Percentiles of what was drawn; the levels are those of the person, without the error of a measurement.
fn posterior(known: &Posterior, drawn: &Drawn) -> Value {
    let etas = known.etas.iter().map(|(name, eta)| {
        let [p5, p50, p95] = eta.percentiles.map(|eta| eta.0);
        let told = json!({ "mean": eta.mean.0, "sd": eta.sd.0, "p5": p5, "p50": p50, "p95": p95 });
        (name.clone(), told)
    });
    let levels = drawn.times.iter().zip(&known.plasma).map(|(time, levels)| {
        let [p5, p50, p95] = levels.map(|level| level.0);
        json!({ "time_min": time.0, "p5": p5, "p50": p50, "p95": p95 })
    });
    json!({
        "draws": known.draws,
        "effective": known.effective,
        "seed": drawn.seed,
        "eta": Value::Object(etas.collect()),
        "cp_ng_ml": levels.collect::<Vec<_>>(),
    })
}
