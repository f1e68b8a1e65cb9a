//! What is simulated: numbers of the workloads, which describe nobody.

use crate::{Asked, Seconds, files, now, since};
use pkpd::*;

/// People whose values are written to be compared.
const SHOWN: usize = 100;
const PERCENTILES: [f64; 3] = [0.05, 0.5, 0.95];
/// The files are in mg/L.
const PER_MG_L: f64 = 1000.0;

pub(crate) fn run(asked: &Asked) -> Result<Seconds, String> {
    match asked.workload.as_str() {
        "W1" => w1(asked),
        "W2" => w2(asked),
        "W4" => w4(asked),
        other => Err(format!("no workload {other}; {}", crate::USAGE)),
    }
}

fn told(refused: Refused) -> String {
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
fn parent() -> Spec {
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
        variability: Vec::new(),
        residuals: Vec::new(),
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
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

const KE0: f64 = 0.2;
const BODY: Body = Body { weight: Kg(70.0), age: None };

/// 35 mg over 40 min at each of these times.
fn infusions(starts: &[f64]) -> Result<Schedule, String> {
    Schedule::new(starts.iter().map(|&at| Dose::over(Mg(35.0), Minutes(40.0), Minutes(at)))).map_err(told)
}

fn every_four_minutes() -> Vec<Minutes> {
    (0..=60).map(|k| Minutes(4.0 * f64::from(k))).collect()
}

/// Outputs of many people: output by output, time by time, one number a person.
type Values = Vec<Vec<Vec<f64>>>;

fn w1(asked: &Asked) -> Result<Seconds, String> {
    let model = Model::new(parent()).map_err(told)?;
    let etas = files::rows(&asked.inputs, "w1_eta.bin", 2)?;
    let (times, schedule) = (every_four_minutes(), infusions(&[0.0])?);
    let start = now();
    let mut values: Values = vec![vec![Vec::with_capacity(etas.len() / 2); times.len()]];
    for eta in etas.as_chunks::<2>().0 {
        let person = model.individual(BODY, &eta.map(Ratio)).map_err(told)?;
        let course = person.parent_course(&schedule, None, &times).map_err(told)?;
        keep(&mut values, [&course.plasma]);
    }
    summed(asked, since(start), &["CP"], &times, &mut values)
}

fn w2(asked: &Asked) -> Result<Seconds, String> {
    let model = Model::new(with_metabolite()).map_err(told)?;
    let etas = files::rows(&asked.inputs, "w2_eta.bin", 4)?;
    let times: Vec<_> = files::rows(&asked.inputs, "w2_times.bin", 1)?.into_iter().map(Minutes).collect();
    let schedule = infusions(&[0.0, 5040.0, 10080.0, 15120.0, 20160.0, 25200.0])?;
    let start = now();
    let mut values: Values = vec![vec![Vec::new(); times.len()]; 3];
    for &[cl, v1, clm, ke0] in etas.as_chunks::<4>().0 {
        let eta = [cl, v1, 0.0, 0.0, 0.0, 0.0, clm].map(Ratio);
        let person = model.individual(BODY, &eta).map_err(told)?;
        let ke0 = Some(PerMin(KE0 * ke0.exp()));
        let course = person.course(&schedule, ke0, &times).map_err(told)?;
        let effect = course.effect.ok_or("no effect site")?;
        let metabolite = course.metabolites.first().ok_or("no metabolite")?;
        keep(&mut values, [&course.plasma, &metabolite.1, &effect]);
    }
    summed(asked, since(start), &["CP", "CM", "CE"], &times, &mut values)
}

fn keep<const N: usize>(values: &mut Values, levels: [&Vec<NgPerMl>; N]) {
    for (output, levels) in values.iter_mut().zip(levels) {
        output.iter_mut().zip(levels).for_each(|(at, level)| at.push(level.0 / PER_MG_L));
    }
}

/// The percentiles, and the files.
fn summed(
    asked: &Asked,
    sim: f64,
    names: &[&str],
    times: &[Minutes],
    values: &mut Values,
) -> Result<Seconds, String> {
    let workload = asked.workload.to_lowercase();
    for (name, output) in names.iter().zip(values.iter()) {
        let first = (0..SHOWN).flat_map(|person| output.iter().filter_map(move |at| at.get(person)).copied());
        let file = format!("first100_{workload}_{name}.bin");
        files::write_doubles(&asked.out, &file, &first.collect::<Vec<_>>())?;
    }
    let start = now();
    let mut lines: Vec<Vec<f64>> = times.iter().map(|t| vec![t.0]).collect();
    for output in values {
        for (line, at) in lines.iter_mut().zip(output) {
            line.extend(PERCENTILES.map(|share| quantile(at, share)));
        }
    }
    let sum = since(start);
    files::write_table(&asked.out, &format!("summary_{workload}.csv"), lines.iter().map(Vec::as_slice))?;
    Ok(Seconds { sim, sum })
}

/// Linear between order statistics, as type 7 of R.
fn quantile(of: &mut [f64], share: f64) -> f64 {
    let rank = share * of.len().saturating_sub(1) as f64;
    let (_, &mut low, above) = of.select_nth_unstable_by(rank as usize, f64::total_cmp);
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    if high.is_finite() { low + rank.fract() * (high - low) } else { low }
}

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
    let start = now();
    let mut lines = Vec::with_capacity(measured.len() / 4);
    for levels in measured.as_chunks::<4>().0 {
        let observed = [20.0, 45.0, 90.0, 180.0].into_iter().zip(levels).map(|(at, level)| Observation {
            at: Minutes(at),
            analyte: "parent".to_owned(),
            level: Reported::Level(NgPerMl(level * PER_MG_L)),
        });
        let observations: Vec<_> = observed.collect();
        let question = FitQuestion {
            model: &model,
            body: BODY,
            schedule: &schedule,
            observations: &observations,
            site: Site::Arterial,
            errors: Errors::Normal,
        };
        let found = fit(&question).map_err(told)?;
        let eta = |index: usize| found.eta.get(index).map_or(0.0, |e| e.0);
        lines.push([eta(0), eta(1), eta(3), eta(2), found.objective.0 - unit]);
    }
    let sim = since(start);
    files::write_table(&asked.out, "w4_eta.csv", lines.iter().map(|line| line.as_slice()))?;
    Ok(Seconds { sim, sum: 0.0 })
}
