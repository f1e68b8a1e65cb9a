//! The Python package `chairside_pkpd`: the pharmacology lab on NumPy arrays, for notebooks and clusters.
//!
//! Arguments carry their unit in their name. What is refused raises `ValueError` with the words of the command line, in
//! which its options are the arguments here; what a reader has to know is a `UserWarning`. Nothing here reckons: it
//! takes arguments apart, lets go of the interpreter, asks [`lab`] and puts the answer into arrays.

mod arguments;
mod columns;
mod effects;
mod questions;
mod summary;

use pyo3::prelude::*;

/// Published models of ketamine: one person or millions, plans and fits, on NumPy arrays.
///
/// Arguments carry their unit in their name. A dose is text, as on the command line: "0.5 mg/kg over 40 min",
/// "10 mg bolus at 5 min", "0.5 mg/kg/h for 60 min", "1 mg/min for 20 min at 10 min"; or a row (start_min,
/// duration_min, amount_mg) in absolute mg, where a duration of 0 is a bolus. What is refused raises ValueError; what
/// a reader of the answer has to know is a UserWarning, and stands in the `notes` of an answer in columns. Those are dicts
/// of arrays, so that pandas.DataFrame and pyarrow.table take them as they are.
#[pymodule]
mod chairside_pkpd {
    #[pymodule_export]
    use super::effects::effects;
    #[pymodule_export]
    use super::questions::{fit, models, plan, population, population_chunk, simulate};
    #[pymodule_export]
    use super::summary::Summary;

    #[pymodule_init]
    fn with_columns(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        use pyo3::types::PyModuleMethods;
        module.add("Columns", super::columns::class(module.py())?)
    }
}
