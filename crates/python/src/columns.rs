//! Answers in columns. A class of Python's own, so that whatever takes a dict takes it, and so that it can be pickled.

use crate::arguments::{told_in_python, warn};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use std::ffi::CString;

/// `chairside_pkpd.Columns`.
pub(crate) fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = CLASS.get_or_try_init(py, || {
        let file =
            PyModule::from_code(py, &CString::new(include_str!("columns.py"))?, c"columns.py", c"columns")?;
        Ok::<_, PyErr>(file.getattr("Columns")?.cast_into::<PyType>()?.unbind())
    });
    Ok(made?.bind(py))
}

/// No columns yet; what a reader has to know is told at once.
pub(crate) fn noted<'py>(py: Python<'py>, notes: &[String]) -> PyResult<Bound<'py, PyDict>> {
    warn(py, notes)?;
    let columns = class(py)?.call0()?;
    columns.setattr("notes", notes.iter().map(|note| told_in_python(note)).collect::<Vec<_>>())?;
    Ok(columns.cast_into::<PyDict>()?)
}
