//! Arguments of Python as the lab reads them, and its refusals as Python says them.

use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use lab::asked::{self, Argument};
use lab::{Chosen, Doses, Wrong};
use numpy::{AllowTypeChange, PyArrayLike1, PyReadonlyArray2};
use pkpd::{Aim, Body, Form, Kg, Minutes, Site, Years};
use pyo3::exceptions::{PyRuntimeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use std::ffi::CString;
use std::sync::OnceLock;

/// Numbers: an array, a list, a range.
pub(crate) type Numbers<'py> = PyArrayLike1<'py, f64, AllowTypeChange>;

/// Options of the command line and what they are called here; longer ones first.
const NAMES: &[(&str, &str)] = &[
    ("--weight-spread", "weight_spread"),
    ("--observations", "level_ng_ml"),
    ("--dose-file", "doses"),
    ("--uncertainty", "uncertainty"),
    ("--resolution", "resolution_mg_min"),
    ("--occasions", "occasions_min"),
    ("--posterior", "draws"),
    ("--substance", "substance"),
    ("--interval", "interval_min"),
    ("--rate-max", "rate_max_mg_min"),
    ("--running", "running_mg_min"),
    ("--age-to", "age_to_years"),
    ("--effect", "effect"),
    ("--switch", "switch_min"),
    ("--robust", "robust"),
    ("--target", "target_ng_ml"),
    ("--weight", "weight_kg"),
    ("--model", "model"),
    ("--stage", "stages"),
    ("--until", "until_min"),
    ("--dose", "doses"),
    ("--site", "site"),
    ("--aim", "aim"),
    ("--age", "age_years"),
    ("--ke0", "ke0_per_min"),
    ("--now", "now_min"),
    ("--at", "at_min"),
];

pub(crate) fn told_in_python(told: &str) -> String {
    NAMES.iter().fold(told.to_owned(), |told, (option, argument)| told.replace(option, argument))
}

/// What the lab refused.
pub(crate) fn refused(wrong: impl Into<Wrong>) -> PyErr {
    PyValueError::new_err(told_in_python(&wrong.into().to_string()))
}

/// What a reader of the answer has to know.
pub(crate) fn warn(py: Python, notes: &[String]) -> PyResult<()> {
    for note in notes {
        let text = CString::new(told_in_python(note))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    Ok(())
}

/// The models, read once: they cannot change while the program runs, and reading them takes longer than a question.
pub(crate) fn knowledge() -> PyResult<&'static Knowledge> {
    static SHIPPED: OnceLock<Result<Knowledge, String>> = OnceLock::new();
    let shipped = SHIPPED.get_or_init(|| Knowledge::shipped().map_err(|error| error.to_string()));
    shipped.as_ref().map_err(|why| PyRuntimeError::new_err(why.clone()))
}

/// The model of this id for what is given, with its effect site.
pub(crate) fn chosen(model: &str, substance: &str, ke0_per_min: Option<f64>) -> PyResult<Chosen<'static>> {
    let accepted = "\"ketamine\" or \"esketamine\"";
    let given = one_of(
        "--substance",
        substance,
        accepted,
        &[("ketamine", Form::Racemate), ("esketamine", Form::SEnantiomer)],
    )?;
    let ke0 =
        ke0_per_min.map(|ke0| asked::ke0("--ke0", &format!("{ke0} /min"))).transpose().map_err(refused)?;
    let knowledge = knowledge()?;
    let chosen =
        Chosen::find(knowledge, model, given).and_then(|chosen| chosen.with_effect_site(knowledge, ke0));
    chosen.map_err(refused)
}

/// Where blood was drawn.
pub(crate) fn site(name: &str) -> PyResult<Site> {
    let sites = [("arterial", Site::Arterial), ("venous", Site::Venous)];
    one_of("--site", name, "\"arterial\" or \"venous\"", &sites)
}

/// Where a level is wanted.
pub(crate) fn aim(name: &str) -> PyResult<Aim> {
    let aims = [("plasma", Aim::Plasma), ("effect", Aim::Effect)];
    one_of("--aim", name, "\"plasma\" or \"effect\"", &aims)
}

fn one_of<T: Copy>(
    field: &'static str,
    text: &str,
    accepted: &'static str,
    known: &[(&str, T)],
) -> PyResult<T> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| refused(Argument { field, text, accepted }.unreadable("it is neither")))
}

/// A whole number, not below the least.
pub(crate) fn count(field: &'static str, number: i128, least: u64) -> PyResult<u64> {
    let found = u64::try_from(number).ok().filter(|number| *number >= least);
    found.ok_or_else(|| {
        PyValueError::new_err(format!("{field} is {number}; accepted is {least} to {}", u64::MAX))
    })
}

pub(crate) fn weight(kg: f64) -> PyResult<Kg> {
    asked::weight("--weight", &format!("{kg} kg")).map_err(refused)
}

pub(crate) fn age(field: &'static str, years: Option<f64>) -> PyResult<Option<Years>> {
    years.map(|years| asked::age(field, &format!("{years} a"))).transpose().map_err(refused)
}

pub(crate) fn body(weight_kg: f64, age_years: Option<f64>) -> PyResult<Body> {
    Ok(Body { weight: weight(weight_kg)?, age: age("--age", age_years)? })
}

pub(crate) fn times(at_min: &Numbers) -> PyResult<Vec<Minutes>> {
    asked::moments("--at", &at_min.as_array().to_vec()).map_err(refused)
}

/// What is given, as Python says it.
#[derive(FromPyObject)]
pub(crate) enum Given<'py> {
    /// One dose.
    One(String),
    /// Rows of start_min, duration_min, amount_mg.
    Rows(PyReadonlyArray2<'py, f64>),
    /// Doses and rows.
    Several(Vec<Entry>),
}

/// One of several.
#[derive(FromPyObject)]
pub(crate) enum Entry {
    /// With its units.
    Typed(String),
    /// start_min, duration_min, amount_mg.
    Row(f64, f64, f64),
}

impl Given<'_> {
    /// None at all is an answer.
    pub(crate) fn read_any(&self) -> Result<Doses, Unreadable> {
        let (mut typed, mut rows) = (Vec::new(), Vec::new());
        match self {
            Self::One(text) => typed.push(text.clone()),
            Self::Rows(array) => {
                for row in array.as_array().rows() {
                    let [start, length, amount] = *row.to_vec() else {
                        let text = format!("{} columns", row.len());
                        let accepted = "rows of three numbers: start_min, duration_min, amount_mg";
                        let argument = Argument { field: "--dose-file", text: &text, accepted };
                        return Err(argument.unreadable("it is no schedule"));
                    };
                    rows.push([start, length, amount]);
                }
            }
            Self::Several(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Typed(text) => typed.push(text.clone()),
                        Entry::Row(start, length, amount) => rows.push([*start, *length, *amount]),
                    }
                }
            }
        }
        Doses::read(&typed, asked::dose_rows("--dose-file", &rows)?)
    }

    /// Something has to be given.
    pub(crate) fn read(&self) -> PyResult<Doses> {
        let doses = self.read_any();
        let doses = doses.and_then(|doses| if doses.is_empty() { Err(Doses::nothing()) } else { Ok(doses) });
        doses.map_err(refused)
    }
}
