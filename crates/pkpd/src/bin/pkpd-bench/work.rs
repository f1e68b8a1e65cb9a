//! What is simulated: numbers of the workloads, which describe nobody.

use crate::{Asked, Seconds, files, now, since};
use pkpd::*;

/// People whose values are written to be compared.
const SHOWN: usize = 100;
const PERCENTILES: [f64; 3] = [0.05, 0.5, 0.95];
/// The files are in mg/L.
pub(crate) const PER_MG_L: f64 = 1000.0;

pub(crate) fn run(asked: &Asked) -> Result<Seconds, String> {
    match asked.workload.as_str() {
        "W1" => w1(asked),
        "W2" => w2(asked),
        "W3" => crate::w3::structured(asked),
        "W3ode" => crate::w3::general(asked),
        "W4" => w4(asked),
        other => Err(format!("no workload {other}; {}", crate::USAGE)),
    }
}

pub(crate) fn told(refused: Refused) -> String {
    refused.to_string()
}

fn parameter(name: &str, typical: Value) -> Parameter {
    Parameter { name: name.to_owned(), typical, weight: None, age: None }
}

fn place(name: &str, volume: &str, analyte: Option<(&str, f64)>) -> Compartment {
    let analyte = analyte.map(|(a, ratio)| Analyte { name: a.to_owned(), mass_ratio: Ratio(ratio) });
    Compartment { name: name.to_owned(), volume: Some(volume.to_owned()), analyte }
}

fn flow(from: &str, to: Option<&str>, by: &str) -> Flow {
    let (from, to, by) = (from.to_owned(), to.map(str::to_owned), by.to_owned());
    Flow { from, to, by, share: Ratio(1.0), delay: None }
}

/// Three compartments, as all workloads have them.
pub(crate) fn parent() -> Spec {
    let clearance = |name, x| parameter(name, Value::Clearance(LPerMin(x)));
    let volume = |name, x| parameter(name, Value::Volume(Litres(x)));
    Spec {
        id: "workload".to_owned(),
        form: Form::Racemate,
        site: Site::Arterial,
        parameters: vec![
            clearance("CL", 1.2),
            volume("V1", 15.0),
            clearance("Q2", 2.0),
            volume("V2", 45.0),
            clearance("Q3", 1.0),
            volume("V3", 130.0),
        ],
        compartments: vec![
            place("centre", "V1", Some(("parent", 1.0))),
            place("shallow", "V2", None),
            place("deep", "V3", None),
        ],
        flows: vec![
            flow("centre", None, "CL"),
            flow("centre", Some("shallow"), "Q2"),
            flow("shallow", Some("centre"), "Q2"),
            flow("centre", Some("deep"), "Q3"),
            flow("deep", Some("centre"), "Q3"),
        ],
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: Vec::new(),
        residuals: Vec::new(),
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    }
}

/// The parent with a metabolite of one compartment, of which 80 % of what is cleared arrives.
fn with_metabolite() -> Spec {
    let mut spec = parent();
    spec.parameters.push(parameter("CLM", Value::Clearance(LPerMin(0.9))));
    spec.parameters.push(parameter("VM", Value::Volume(Litres(60.0))));
    spec.compartments.push(place("metabolite", "VM", Some(("metabolite", 0.941))));
    let formed = Flow { to: Some("metabolite".to_owned()), share: Ratio(0.8), ..flow("centre", None, "CL") };
    spec.flows.splice(..1, [formed, flow("metabolite", None, "CLM")]);
    spec
}

pub(crate) const KE0: f64 = 0.2;
pub(crate) const BODY: Body = Body { weight: Kg(70.0), age: None };

/// 35 mg over 40 min at each of these times.
pub(crate) fn infusions(starts: &[f64]) -> Result<Schedule, String> {
    Schedule::new(starts.iter().map(|&at| Dose::over(Mg(35.0), Minutes(40.0), Minutes(at)))).map_err(told)
}

pub(crate) fn every_four_minutes() -> Vec<Minutes> {
    (0..=60).map(|k| Minutes(4.0 * f64::from(k))).collect()
}

fn w1(asked: &Asked) -> Result<Seconds, String> {
    let model = Model::new(parent()).map_err(told)?;
    let times = every_four_minutes();
    let cohort = Cohort::new(&model, &infusions(&[0.0])?, None, &times).map_err(told)?;
    let etas = files::rows(&asked.inputs, "w1_eta.bin", 2)?;
    let varying = [Varying::Parameter("CL"), Varying::Parameter("V1")];
    simulated(asked, &cohort, &varying, &etas, &["CP"], &times)
}

fn w2(asked: &Asked) -> Result<Seconds, String> {
    let model = Model::new(with_metabolite()).map_err(told)?;
    let times: Vec<_> = files::rows(&asked.inputs, "w2_times.bin", 1)?.into_iter().map(Minutes).collect();
    let schedule = infusions(&[0.0, 5040.0, 10080.0, 15120.0, 20160.0, 25200.0])?;
    let cohort = Cohort::new(&model, &schedule, Some(PerMin(KE0)), &times).map_err(told)?;
    let etas = files::rows(&asked.inputs, "w2_eta.bin", 4)?;
    let [cl, v1, clm] = ["CL", "V1", "CLM"].map(Varying::Parameter);
    simulated(asked, &cohort, &[cl, v1, clm, Varying::Ke0], &etas, &["CP", "CM", "CE"], &times)
}

/// All levels of everybody in memory, then their percentiles; the median of the repeats.
fn simulated(
    asked: &Asked,
    cohort: &Cohort,
    varying: &[Varying],
    etas: &[f64],
    names: &[&str],
    times: &[Minutes],
) -> Result<Seconds, String> {
    let width = varying.len();
    let follow = |row: &[f64], levels: &mut [Levels]| {
        let people = People { bodies: &[BODY], varying, deviations: row, doses: &[] };
        levels.iter_mut().try_for_each(|levels| cohort.levels(&people, levels))
    };
    let outputs: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(output, name)| Output { name, run: 0, output, scale: 1.0 / PER_MG_L })
        .collect();
    measured(asked, etas, width, &follow, &outputs, times)
}

/// Where the levels of a file are: in the levels of which run, and as which of its outputs.
pub(crate) struct Output<'a> {
    pub(crate) name: &'a str,
    pub(crate) run: usize,
    pub(crate) output: usize,
    /// From the library's unit to that of the file.
    pub(crate) scale: f64,
}

/// Rows of random effects to levels.
type Follow<'a> = dyn Fn(&[f64], &mut [Levels]) -> Result<(), Refused> + Sync + 'a;

/// Runs `follow` for each part of the rows of `width` numbers, sums up, and writes the files.
pub(crate) fn measured(
    asked: &Asked,
    etas: &[f64],
    width: usize,
    follow: &Follow,
    outputs: &[Output],
    times: &[Minutes],
) -> Result<Seconds, String> {
    let rows: Vec<&[f64]> = etas.chunks(PEOPLE_MAX * width).collect();
    let each = outputs.iter().map(|of| of.run).max().unwrap_or(0) + 1;
    let mut levels = vec![vec![Levels::default(); each]; rows.len()];
    let mut lines: Vec<Vec<f64>> = Vec::new();
    let mut runs = Vec::with_capacity(asked.repeat);
    for _ in 0..asked.repeat {
        let start = now();
        let work = |(row, levels): (&&[f64], &mut Vec<Levels>)| follow(row, levels);
        shared(asked.threads, rows.iter().zip(&mut levels).collect(), work).map_err(told)?;
        let sim = since(start);
        let start = now();
        lines = times.iter().map(|t| vec![t.0]).collect();
        let percentiles = |(time, line): (usize, &mut Vec<f64>)| {
            for of in outputs {
                let runs = levels.iter().filter_map(|chunk| chunk.get(of.run));
                let rows: Vec<&[f64]> = runs.map(|levels| levels.at(of.output, time)).collect();
                let found = quantiles(&rows, &PERCENTILES.map(Ratio)).unwrap_or_default();
                line.extend(found.iter().map(|level| level * of.scale));
            }
            Ok(())
        };
        shared(asked.threads, lines.iter_mut().enumerate().collect(), percentiles).map_err(told)?;
        runs.push(Seconds { sim, sum: since(start) });
    }
    let workload = asked.workload.to_lowercase();
    for of in outputs {
        let chunk = levels.first().and_then(|chunk| chunk.get(of.run));
        let level = |person: usize, time| chunk.and_then(|chunk| chunk.at(of.output, time).get(person));
        let first =
            (0..SHOWN).flat_map(|person| (0..times.len()).filter_map(move |time| level(person, time)));
        let first: Vec<f64> = first.map(|level| level * of.scale).collect();
        let file = format!("first100_{}_{}.bin", workload.get(..2).unwrap_or_default(), of.name);
        files::write_doubles(&asked.out, &file, &first)?;
    }
    files::write_table(&asked.out, &format!("summary_{workload}.csv"), lines.iter().map(Vec::as_slice))?;
    Ok(median(runs))
}

/// Work in equal shares on so many threads; on one, in this thread.
fn shared<T: Send>(
    threads: usize,
    mut work: Vec<T>,
    each: impl Fn(T) -> Result<(), Refused> + Sync,
) -> Result<(), Refused> {
    if threads == 1 {
        return work.into_iter().try_for_each(each);
    }
    let size = work.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        while !work.is_empty() {
            let share = work.split_off(work.len().saturating_sub(size));
            let each = &each;
            running.push(scope.spawn(move || share.into_iter().try_for_each(each)));
        }
        let ended = |thread: std::thread::ScopedJoinHandle<'_, Result<(), Refused>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().try_for_each(ended)
    })
}

fn median(mut runs: Vec<Seconds>) -> Seconds {
    let middle = runs.len() / 2;
    runs.sort_by(|a, b| a.sim.total_cmp(&b.sim));
    let sim = runs.get(middle).map_or(0.0, |run| run.sim);
    runs.sort_by(|a, b| a.sum.total_cmp(&b.sum));
    Seconds { sim, sum: runs.get(middle).map_or(0.0, |run| run.sum) }
}

/// People who are fitted in one piece of work.
const FITS: usize = 102;

fn w4(asked: &Asked) -> Result<Seconds, String> {
    let mut spec = parent();
    let alone = |name: &str| Block { parameters: vec![name.to_owned()], covariance: vec![vec![Ratio(0.09)]] };
    let together = Block {
        parameters: vec!["CL".to_owned(), "V1".to_owned()],
        covariance: vec![vec![Ratio(0.09), Ratio(0.06)], vec![Ratio(0.06), Ratio(0.16)]],
    };
    spec.variability = vec![together, alone("V2"), alone("Q2")];
    let residual = Residual::Normal { proportional: Ratio(0.15), additive: NgPerMl(0.005 * PER_MG_L) };
    spec.residuals = vec![("parent".to_owned(), residual)];
    let model = Model::new(spec).map_err(told)?;
    let schedule = infusions(&[0.0])?;
    let measured = files::rows(&asked.inputs, "w4_obs.bin", 4)?;
    // The logarithms of four variances in (ng/mL)², as against (mg/L)².
    let unit = 8.0 * PER_MG_L.ln();
    let levels: Vec<NgPerMl> = measured.iter().map(|level| NgPerMl(level * PER_MG_L)).collect();
    let times = [20.0, 45.0, 90.0, 180.0].map(Minutes);
    let mut found: Vec<Vec<Estimate>> = vec![Vec::new(); levels.len().div_ceil(4 * FITS)];
    let mut runs = Vec::with_capacity(asked.repeat);
    for _ in 0..asked.repeat {
        let start = now();
        let fitted = |(levels, found): (&[NgPerMl], &mut Vec<Estimate>)| {
            let (model, schedule, site) = (&model, &schedule, Site::Arterial);
            *found = fit_many(&Samples { model, body: BODY, schedule, site, times: &times, levels })?;
            Ok(())
        };
        shared(asked.threads, levels.chunks(4 * FITS).zip(&mut found).collect(), fitted).map_err(told)?;
        runs.push(Seconds { sim: since(start), sum: 0.0 });
    }
    let line = |found: &Estimate| {
        let eta = |index: usize| found.eta.get(index).map_or(0.0, |e| e.0);
        [eta(0), eta(1), eta(3), eta(2), found.objective.0 - unit]
    };
    let lines: Vec<[f64; 5]> = found.iter().flatten().map(line).collect();
    files::write_table(&asked.out, "w4_eta.csv", lines.iter().map(|line| line.as_slice()))?;
    Ok(median(runs))
}
