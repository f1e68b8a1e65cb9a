//! What levels do, as columns.

use crate::arguments::{Given, Numbers, body, chosen, count, knowledge, refused, times};
use crate::columns::noted;
use lab::{Answer, EffectQuestion, Many, Stage, Wanted};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::thread::available_parallelism;

/// One, or several.
#[derive(FromPyObject)]
pub(crate) enum Names {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names,
        }
    }
}

/// What the levels of the typical person of a body do: Columns with a row for each effect and time.
///
/// "output", "unit", "role" (acute, exploratory or sandbox), "time_min", and of each effect "typical" (its mean in people
/// who have these levels), "studies_low" and "studies_high" (what published studies say), "p5" to "p95" (of people);
/// NaN where that is not known, and "outside_validity" (1) where a model was not made for this. `effect` is an id of
/// `chairside models list` or several; without it, all acute ones. With `n` there are so many people who differ in their
/// levels, too. `stages` are what follows the blocked receptors of the sandbox, with half-lives of your own: "bdnf 6 h".
#[pyfunction]
#[pyo3(signature = (model, *, weight_kg, doses, at_min, effect=None, age_years=None, stages=None, n=None, seed=1,
                    ke0_per_min=None, substance="ketamine", threads=None))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of a Python function")]
pub(crate) fn effects<'py>(
    py: Python<'py>,
    model: &str,
    weight_kg: f64,
    doses: Given<'py>,
    at_min: Numbers<'py>,
    effect: Option<Names>,
    age_years: Option<f64>,
    stages: Option<Names>,
    n: Option<i128>,
    seed: i128,
    ke0_per_min: Option<f64>,
    substance: &str,
    threads: Option<i128>,
) -> PyResult<Bound<'py, PyDict>> {
    let chosen = chosen(model, substance, ke0_per_min)?;
    let (body, doses, times) = (body(weight_kg, age_years)?, doses.read()?, times(&at_min)?);
    let stages = Stage::read(&stages.map_or_else(Vec::new, Names::all)).map_err(refused)?;
    let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, |all| all.get() as i128));
    let (threads, seed) = (count("threads", threads, 1)? as usize, count("seed", seed, 0)?);
    let many = n
        .map(|n| Ok::<_, PyErr>(Many { people: count("n", n, 1)?, spread: None, seed, threads }))
        .transpose()?;
    let ids = effect.map_or_else(Vec::new, Names::all);
    let (shipped, wanted) = (knowledge()?, Wanted { levels: false, effects: Some(&ids) });
    let asked = EffectQuestion { body, doses: &doses, times: &times, stages: &stages, many };
    let found = py.detach(|| chosen.answers(shipped, wanted, &asked)).map_err(refused)?;
    let answer = noted(py, &[found.notes, doses.notes()].concat())?;
    let rows = || found.each.iter().flat_map(|one| (0..times.len()).map(move |time| (one, time)));
    let words = |of: fn(&Answer) -> &str| rows().map(|(one, _)| of(one)).collect::<Vec<_>>();
    answer.set_item("output", words(|one| &one.name))?;
    answer.set_item("unit", words(|one| &one.unit))?;
    answer.set_item("role", words(|one| one.role))?;
    let moments: Vec<f64> = found.each.iter().flat_map(|_| times.iter().map(|time| time.0)).collect();
    answer.set_item("time_min", moments.into_pyarray(py))?;
    for (place, name) in Answer::COLUMNS.iter().enumerate() {
        let column: Vec<f64> =
            rows().map(|(one, time)| one.numbers(time)[place].unwrap_or(f64::NAN)).collect();
        answer.set_item(name, column.into_pyarray(py))?;
    }
    if found.each.iter().any(|one| one.outside) {
        let marks: Vec<f64> = rows().map(|(one, _)| f64::from(one.outside)).collect();
        answer.set_item("outside_validity", marks.into_pyarray(py))?;
    }
    Ok(answer)
}
