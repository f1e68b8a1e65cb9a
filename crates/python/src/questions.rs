//! The questions, each a function of the package. Where a question may take long, the interpreter is let go.

use crate::arguments::{
    Given, Numbers, age, aim, body, chosen, count, knowledge, refused, site, times, warn, weight,
};
use crate::columns::noted;
use crate::summary::{Summary, unmerged};
use lab::asked;
use lab::{
    Chosen, CrowdQuestion, Drawn, Fitted, LevelsQuestion, People, PlanQuestion, Planned, Varied, Way, listed,
    observed, site_name,
};
use numpy::{IntoPyArray, ndarray::Array2};
use pkpd::{Dose, Errors, Explained, MgPerMin, Minutes, NgPerMl, Posterior, Pump, Ratio};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::thread::available_parallelism;

/// People between two looks for Ctrl-C.
const PIECE: usize = 100_000;

/// The published models: a list of dicts with id, substance, sampling_site, role, evidence and title.
#[pyfunction]
pub(crate) fn models(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for line in listed(knowledge()?).map_err(PyRuntimeError::new_err)? {
        let dict = PyDict::new(py);
        line.iter().try_for_each(|(column, cell)| dict.set_item(column, cell))?;
        list.append(dict)?;
    }
    Ok(list)
}

/// Levels of the typical person of a body, in ng/mL: Columns as those of `chairside simulate`.
///
/// "time_min", "cp_ng_ml" (plasma at the model's sampling site), "ce_ng_ml" (effect site; NaN where none is known for
/// that site), one column a metabolite, and "outside_validity" (1) where the model was not made for this.
#[pyfunction]
#[pyo3(signature = (model, *, weight_kg, doses, at_min, age_years=None, ke0_per_min=None, substance="ketamine"))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    model: &str,
    weight_kg: f64,
    doses: Given<'py>,
    at_min: Numbers<'py>,
    age_years: Option<f64>,
    ke0_per_min: Option<f64>,
    substance: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let chosen = chosen(model, substance, ke0_per_min)?;
    let (body, doses, times) = (body(weight_kg, age_years)?, doses.read()?, times(&at_min)?);
    let simulated = py.detach(|| chosen.simulated(&body.into(), &doses, &times)).map_err(refused)?;
    let answer = noted(py, &[simulated.notes(), doses.notes()].concat())?;
    let levels = |levels: &[NgPerMl]| levels.iter().map(|level| level.0).collect::<Vec<_>>();
    let course = &simulated.course;
    let unknown = || vec![f64::NAN; times.len()];
    answer.set_item("time_min", times.iter().map(|time| time.0).collect::<Vec<_>>().into_pyarray(py))?;
    answer.set_item("cp_ng_ml", levels(&course.plasma).into_pyarray(py))?;
    answer.set_item("ce_ng_ml", course.effect.as_deref().map_or_else(unknown, levels).into_pyarray(py))?;
    for (name, metabolite) in &course.metabolites {
        answer.set_item(format!("{name}_ng_ml"), levels(metabolite).into_pyarray(py))?;
    }
    if !simulated.outside.is_empty() {
        let marks: Vec<f64> = simulated.marks.iter().copied().map(f64::from).collect();
        answer.set_item("outside_validity", marks.into_pyarray(py))?;
    }
    Ok(answer)
}

/// Simulates the people `first` to `first + n - 1` of a population: a Summary that merges with those of the others.
///
/// Person 7 is the same in every chunk, on every machine and number of threads. Everyone has `weight_kg` (else the
/// weight at which the model was printed) and `age_years`; with `weight_spread` (standard deviation of the logarithm
/// of weight) and `age_to_years` weights spread around the first and ages evenly from the second. `assay` adds the
/// error of the assay to plasma levels, `uncertainty` how unsure the typical values are, `occasions_min` (the beginning
/// of each) the spread of one person between occasions; none of them moves a draw of another. `metabolites` are counted
/// beside the parent. With `quasi_random` people are drawn evenly instead of at random.
#[pyfunction]
#[pyo3(signature = (model, first, n, *, doses, at_min, seed=1, weight_kg=None, weight_spread=None, age_years=None,
                    age_to_years=None, ke0_per_min=None, assay=false, uncertainty=false, occasions_min=None,
                    metabolites=false, quasi_random=false, substance="ketamine", threads=1))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn population_chunk<'py>(
    py: Python<'py>,
    model: &str,
    first: i128,
    n: i128,
    doses: Given<'py>,
    at_min: Numbers<'py>,
    seed: i128,
    weight_kg: Option<f64>,
    weight_spread: Option<f64>,
    age_years: Option<f64>,
    age_to_years: Option<f64>,
    ke0_per_min: Option<f64>,
    assay: bool,
    uncertainty: bool,
    occasions_min: Option<Numbers<'py>>,
    metabolites: bool,
    quasi_random: bool,
    substance: &str,
    threads: i128,
) -> PyResult<Summary> {
    let (first, n, seed) = (count("first", first, 0)?, count("n", n, 0)?, count("seed", seed, 0)?);
    let threads = count("threads", threads, 1)? as usize;
    let chosen = chosen(model, substance, ke0_per_min)?;
    let spread = match (weight_spread, age("--age-to", age_to_years)?) {
        (None, None) => None,
        (Some(weight), Some(oldest)) => Some((Ratio(weight), oldest)),
        _ => {
            return Err(PyValueError::new_err(
                "weight_spread and age_to_years are said together or not at all",
            ));
        }
    };
    let people = People { weight: weight_kg.map(weight).transpose()?, age: age("--age", age_years)?, spread };
    let (doses, times) = (doses.read()?, times(&at_min)?);
    let end = first.checked_add(n).ok_or_else(|| PyValueError::new_err("first + n is above 2**64 - 1"))?;
    let occasions = occasions_min.map(|begins| self::times(&begins)).transpose()?;
    let varied = Varied { assay, uncertainty, occasions: occasions.as_deref(), quasi_random };
    let question = CrowdQuestion { people, doses: &doses, varied, metabolites, times: &times, seed };
    let crowd = chosen.crowd(&question).map_err(refused)?;
    let mut whole = crowd.part(first..first, threads, |_| {});
    for start in (first..end).step_by(PIECE) {
        let piece = start..end.min(start.saturating_add(PIECE as u64));
        let part = py.detach(|| crowd.part(piece, threads, |_| {}));
        whole.merge(&part).map_err(unmerged)?;
        py.check_signals()?;
    }
    warn(py, &[crowd.notes(&whole), doses.notes()].concat())?;
    Ok(Summary(whole))
}

/// Simulates the first n people of a population on all processors, or on so many threads: a Summary.
///
/// The arguments are those of population_chunk; the bytes are those of its chunks merged.
#[pyfunction]
#[pyo3(signature = (model, n, *, doses, at_min, seed=1, weight_kg=None, weight_spread=None, age_years=None,
                    age_to_years=None, ke0_per_min=None, assay=false, uncertainty=false, occasions_min=None,
                    metabolites=false, quasi_random=false, substance="ketamine", threads=None))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn population<'py>(
    py: Python<'py>,
    model: &str,
    n: i128,
    doses: Given<'py>,
    at_min: Numbers<'py>,
    seed: i128,
    weight_kg: Option<f64>,
    weight_spread: Option<f64>,
    age_years: Option<f64>,
    age_to_years: Option<f64>,
    ke0_per_min: Option<f64>,
    assay: bool,
    uncertainty: bool,
    occasions_min: Option<Numbers<'py>>,
    metabolites: bool,
    quasi_random: bool,
    substance: &str,
    threads: Option<i128>,
) -> PyResult<Summary> {
    count("n", n, 1)?;
    let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, |all| all.get() as i128));
    population_chunk(
        py,
        model,
        0,
        n,
        doses,
        at_min,
        seed,
        weight_kg,
        weight_spread,
        age_years,
        age_to_years,
        ke0_per_min,
        assay,
        uncertainty,
        occasions_min,
        metabolites,
        quasi_random,
        substance,
        threads,
    )
}

/// Rates that bring a level to target_ng_ml and hold it, as the pump can run them: Columns.
///
/// "start_min", "duration_min", "amount_mg" and "rate_mg_min" of what is given, from now_min to until_min; what was
/// `delivered` before now_min counts. `aim` is "effect" (never passed there) or "plasma". `one_rate` asks for the
/// highest steady rate that never passes the level, then or later; `switch_min` for two rates, the second from then on,
/// of all pairs that never pass it the one with the greatest mean level from then to the end; `running_mg_min` for the rate that runs, or the nearest that
/// never passes it. Outside the model's validity it is refused. Its notes say how near the plan brings the level, and
/// warn where it passes, does not reach or does not hold it.
#[pyfunction]
#[pyo3(signature = (model, *, weight_kg, age_years, target_ng_ml, until_min, rate_max_mg_min, resolution_mg_min=None,
                    interval_min=1.0, now_min=None, delivered=None, aim="effect", one_rate=false, switch_min=None,
                    running_mg_min=None, ke0_per_min=None, substance="ketamine"))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn plan<'py>(
    py: Python<'py>,
    model: &str,
    weight_kg: f64,
    age_years: f64,
    target_ng_ml: f64,
    until_min: f64,
    rate_max_mg_min: f64,
    resolution_mg_min: Option<f64>,
    interval_min: f64,
    now_min: Option<f64>,
    delivered: Option<Given<'py>>,
    aim: &str,
    one_rate: bool,
    switch_min: Option<f64>,
    running_mg_min: Option<f64>,
    ke0_per_min: Option<f64>,
    substance: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let chosen = chosen(model, substance, ke0_per_min)?;
    let minutes = |field, min: f64| asked::minutes(field, &format!("{min} min")).map_err(refused);
    let moment = |now: f64| asked::moment("--now", &format!("{now} min")).map_err(refused);
    let rate = |field, rate: f64| asked::rate(field, &format!("{rate} mg/min"), None).map_err(refused);
    let resolution = resolution_mg_min.map(|step| rate("--resolution", step)).transpose()?;
    let pump = Pump {
        rate_max: rate("--rate-max", rate_max_mg_min)?,
        resolution: resolution.unwrap_or(MgPerMin(0.0)),
        interval: minutes("--interval", interval_min)?,
    };
    let way = match (one_rate, switch_min, running_mg_min) {
        (false, None, None) => Way::Steps,
        (true, None, None) => Way::OneRate,
        (false, Some(switch), None) => Way::TwoRates { switch: minutes("--switch", switch)? },
        (false, None, Some(running)) => Way::Keep { running: rate("--running", running)? },
        _ => return Err(PyValueError::new_err("one_rate, switch_min and running_mg_min exclude each other")),
    };
    let delivered = delivered.map(|given| given.read_any()).transpose().map_err(refused)?.unwrap_or_default();
    let question = PlanQuestion {
        body: body(weight_kg, Some(age_years))?,
        delivered: &delivered,
        aim: self::aim(aim)?,
        level: asked::level("--target", &format!("{target_ng_ml} ng/mL")).map_err(refused)?,
        pump,
        now: now_min.map(moment).transpose()?.unwrap_or(Minutes(0.0)),
        until: minutes("--until", until_min)?,
        way,
    };
    let Planned { rates, notes, .. } = py.detach(|| chosen.planned(&question)).map_err(refused)?;
    let answer = noted(py, &notes)?;
    let length = |dose: &Dose| dose.end().0 - dose.start().0;
    let column = |of: &dyn Fn(&Dose) -> f64| rates.iter().map(of).collect::<Vec<_>>().into_pyarray(py);
    answer.set_item("start_min", column(&|dose| dose.start().0))?;
    answer.set_item("duration_min", column(&length))?;
    answer.set_item("amount_mg", column(&|dose| dose.amount().0))?;
    answer.set_item("rate_mg_min", column(&|dose| dose.amount().0 / length(dose)))?;
    Ok(answer)
}

/// True or false, one for each level. A number is neither: a limit of quantification that is taken for true would make
/// every level one below it.
fn truths(field: &str, said: &Bound<'_, PyAny>) -> PyResult<Vec<bool>> {
    let accepted = "accepted is a list or array of True and False; where it is True, level_ng_ml is the limit of \
                    quantification";
    let each =
        said.try_iter().map_err(|_| PyValueError::new_err(format!("{field} is {said}; {accepted}")))?;
    let read = |(place, one): (usize, PyResult<Bound<'_, PyAny>>)| {
        let one = one?;
        one.extract::<bool>()
            .map_err(|_| PyValueError::new_err(format!("{field}[{place}] is {one}; {accepted}")))
    };
    each.enumerate().map(read).collect()
}

/// What was measured: one analyte for all levels, or one for each.
#[derive(FromPyObject)]
pub(crate) enum Analytes {
    /// For all.
    All(String),
    /// For each.
    Each(Vec<String>),
}

/// One person's parameters from levels (maximum a posteriori): a dict as `chairside fit` prints it.
///
/// "eta", "parameters" and "units" by name, "objective", "covariance" (an array in the order of "covariance_of"),
/// "sampling_site", "levels_of", "warnings", and of each level in the order given "fitted_ng_ml" and "deviation" (by how
/// many standard deviations of the model's error it lies above the fit). The times of an analyte do not fall. `analyte` is "cp" or a name of the model's, for all levels or one for
/// each. Where `below` is true, the level is the limit of quantification that it lies under. `site` says where the
/// blood was drawn; another site than the model's is refused. With `robust` one wild value does not carry the fit away.
/// `occasions_min` (the beginning of each) lets the person vary between occasions as the model says: "occasions". With
/// `draws` there is "posterior": "effective" (what the draws are worth), "eta" by name (mean, sd, p5, p50, p95) and
/// "cp_ng_ml" (an array of p5, p50 and p95 for each of `at_min`).
#[pyfunction]
#[pyo3(signature = (model, *, weight_kg, doses, time_min, level_ng_ml, analyte=Analytes::All("cp".to_owned()), below=None,
                    age_years=None, site=None, robust=false, occasions_min=None, draws=None, seed=1, at_min=None,
                    substance="ketamine"),
       text_signature = "(model, *, weight_kg, doses, time_min, level_ng_ml, analyte='cp', below=None, age_years=None, \
                         site=None, robust=False, occasions_min=None, draws=None, seed=1, at_min=None, \
                         substance='ketamine')")]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn fit<'py>(
    py: Python<'py>,
    model: &str,
    weight_kg: f64,
    doses: Given<'py>,
    time_min: Numbers<'py>,
    level_ng_ml: Numbers<'py>,
    analyte: Analytes,
    below: Option<Bound<'py, PyAny>>,
    age_years: Option<f64>,
    site: Option<&str>,
    robust: bool,
    occasions_min: Option<Numbers<'py>>,
    draws: Option<i128>,
    seed: i128,
    at_min: Option<Numbers<'py>>,
    substance: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let chosen = chosen(model, substance, None)?;
    let (body, doses) = (body(weight_kg, age_years)?, doses.read()?);
    let (times, levels) = (time_min.as_array().to_vec(), level_ng_ml.as_array().to_vec());
    let below = below.map_or_else(|| Ok(vec![false; levels.len()]), |below| truths("below", &below))?;
    let analytes: Vec<&str> = match &analyte {
        Analytes::All(one) => vec![one; levels.len()],
        Analytes::Each(each) => each.iter().map(String::as_str).collect(),
    };
    for (name, length) in [("time_min", times.len()), ("analyte", analytes.len()), ("below", below.len())] {
        if length != levels.len() {
            let levels = levels.len();
            return Err(PyValueError::new_err(format!("{name} has {length} entries, level_ng_ml {levels}")));
        }
    }
    let rows = (0..levels.len()).map(|row| (times[row], analytes[row], levels[row], below[row]));
    let observations = observed::levels(&chosen, rows).map_err(refused)?;
    let occasions = occasions_min.map(|begins| self::times(&begins)).transpose()?;
    let at = at_min.map(|at| self::times(&at)).transpose()?.unwrap_or_default();
    let seed = count("seed", seed, 0)?;
    let draws = draws.map(|draws| count("draws", draws, 1)).transpose()?;
    let question = LevelsQuestion {
        body,
        doses: &doses,
        observations: &observations,
        observed_in: &format!("{} levels", observations.len()),
        lines: &[],
        site: site.map(self::site).transpose()?,
        errors: if robust { Errors::Robust } else { Errors::Normal },
        occasions: occasions.as_deref().unwrap_or_default(),
        drawn: draws.map(|count| Drawn { count: count as usize, seed, times: &at }),
    };
    let mut fitted = py.detach(|| chosen.fitted(&question)).map_err(refused)?;
    fitted.warnings.extend(doses.notes());
    warn(py, &fitted.warnings)?;
    told(py, &chosen, &fitted)
}

/// A fit as Python has it.
fn told<'py>(py: Python<'py>, chosen: &Chosen, fitted: &Fitted) -> PyResult<Bound<'py, PyDict>> {
    let size = fitted.eta.len();
    let covariance = Array2::from_shape_fn((size, size), |(row, column)| fitted.covariance[row][column].0);
    let (eta, parameters, units) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
    fitted.eta.iter().try_for_each(|(name, value)| eta.set_item(name, value.0))?;
    for (name, value, unit) in &fitted.parameters {
        parameters.set_item(name, value)?;
        units.set_item(name, unit)?;
    }
    let answer = PyDict::new(py);
    answer.set_item("model", chosen.model.id())?;
    answer.set_item("levels_of", chosen.levels_of())?;
    answer.set_item("sampling_site", site_name(chosen.model.site()))?;
    answer.set_item("eta", eta)?;
    answer.set_item("parameters", parameters)?;
    answer.set_item("units", units)?;
    answer.set_item("objective", fitted.fit.objective.0)?;
    answer.set_item("covariance", covariance.into_pyarray(py))?;
    answer.set_item("covariance_of", fitted.eta.iter().map(|(name, _)| name).collect::<Vec<_>>())?;
    let explained = |of: &dyn Fn(&Explained) -> f64| {
        fitted.fit.explained.iter().map(of).collect::<Vec<_>>().into_pyarray(py)
    };
    answer.set_item("fitted_ng_ml", explained(&|one| one.level.0))?;
    answer.set_item("deviation", explained(&|one| one.deviation.0))?;
    answer.set_item("warnings", &fitted.warnings)?;
    if !fitted.occasions.is_empty() {
        let named = |etas: &Vec<(String, Ratio)>| {
            let dict = PyDict::new(py);
            etas.iter().try_for_each(|(name, eta)| dict.set_item(name, eta.0)).map(|()| dict)
        };
        answer.set_item("occasions", fitted.occasions.iter().map(named).collect::<PyResult<Vec<_>>>()?)?;
    }
    if let Some(known) = &fitted.posterior {
        answer.set_item("posterior", posterior(py, known)?)?;
    }
    Ok(answer)
}

/// All that is known of a person, as it was drawn.
fn posterior<'py>(py: Python<'py>, known: &Posterior) -> PyResult<Bound<'py, PyDict>> {
    let (answer, etas) = (PyDict::new(py), PyDict::new(py));
    for (name, eta) in &known.etas {
        let [p5, p50, p95] = eta.percentiles.map(|eta| eta.0);
        let dict = PyDict::new(py);
        let cells = [("mean", eta.mean.0), ("sd", eta.sd.0), ("p5", p5), ("p50", p50), ("p95", p95)];
        cells.iter().try_for_each(|(word, cell)| dict.set_item(word, cell))?;
        etas.set_item(name, dict)?;
    }
    let level = |(time, share): (usize, usize)| known.plasma[time][share].0;
    answer.set_item("draws", known.draws)?;
    answer.set_item("effective", known.effective)?;
    answer.set_item("eta", etas)?;
    answer.set_item("cp_ng_ml", Array2::from_shape_fn((known.plasma.len(), 3), level).into_pyarray(py))?;
    Ok(answer)
}
