//! Percentiles of many people, as they travel.

use crate::arguments::Numbers;
use lab::{Part, Unmerged};
use numpy::{IntoPyArray, PyArray1, PyArray2, ndarray::Array2};
use pkpd::{Histogram, Ratio};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyType};

/// Levels of some people of one population, counted.
///
/// Summaries of other people of the same population merge exactly: whoever counted them, in whatever order, the whole
/// has the same bytes. It can be pickled, so that Dask, Ray and multiprocessing carry it as it is.
#[pyclass(frozen, eq, module = "chairside_pkpd")]
#[derive(PartialEq)]
pub(crate) struct Summary(pub(crate) Part);

pub(crate) fn unmerged(why: Unmerged) -> PyErr {
    PyValueError::new_err(why.to_string())
}

#[pymethods]
impl Summary {
    /// A summary with the people of both.
    ///
    /// ValueError when they are of two populations, or when somebody is in both.
    fn merge(&self, other: &Self) -> PyResult<Self> {
        let mut both = self.0.clone();
        both.merge(&other.0).map_err(unmerged)?;
        Ok(Self(both))
    }

    /// The summary as bytes; equal summaries have equal bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    /// Reads to_bytes back. ValueError for other bytes.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Part::from_bytes(bytes).map(Self).map_err(unmerged)
    }

    /// Levels below which these shares of the people lie, in ng/mL, to a thousandth of their value.
    ///
    /// A dict: "time_min" (times), "share" (shares), "cp_ng_ml" and, where an effect site is known, "ce_ng_ml"
    /// (times x shares), and one for each metabolite where they were asked for. NaN where nobody has a number. ValueError for a
    /// share that is not from 0 to 1.
    #[pyo3(signature = (shares = None))]
    fn percentiles<'py>(
        &self,
        py: Python<'py>,
        shares: Option<Numbers<'py>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let usual = || vec![0.05, 0.25, 0.5, 0.75, 0.95];
        let shares = shares.map_or_else(usual, |shares| shares.as_array().to_vec());
        if let Some(wrong) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            let why = format!("shares: {wrong} is not a share from 0 to 1; 5 % is 0.05");
            return Err(PyValueError::new_err(why));
        }
        let answer = PyDict::new(py);
        answer.set_item("time_min", self.time_min(py))?;
        for (name, levels) in [("cp_ng_ml", &self.0.summary().plasma), ("ce_ng_ml", &self.0.summary().effect)]
        {
            if !levels.is_empty() {
                answer.set_item(name, quantiles(py, levels, &shares))?;
            }
        }
        for (name, levels) in self.0.metabolites().iter().zip(&self.0.summary().metabolites) {
            answer.set_item(format!("{name}_ng_ml"), quantiles(py, levels, &shares))?;
        }
        answer.set_item("share", shares.into_pyarray(py))?;
        Ok(answer)
    }

    /// When levels were asked for, in min.
    #[getter]
    fn time_min<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.times().into_iter().map(|time| time.0).collect::<Vec<_>>().into_pyarray(py)
    }

    /// How many people are in it.
    #[getter]
    fn people(&self) -> u64 {
        self.0.summary().patients
    }

    /// Bodies that lay outside what the model was made for, and were drawn again.
    #[getter]
    fn drawn_again(&self) -> u64 {
        self.0.summary().redrawn
    }

    /// People who have no number, and are not in the percentiles.
    #[getter]
    fn without_a_number(&self) -> u64 {
        self.0.summary().refused
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class: Bound<'py, PyType> = slf.get_type();
        Ok((class.getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }

    fn __repr__(&self) -> String {
        format!("<Summary of {} people at {} times>", self.people(), self.0.times().len())
    }
}

fn quantiles<'py>(py: Python<'py>, levels: &[Histogram], shares: &[f64]) -> Bound<'py, PyArray2<f64>> {
    let level = |(time, share): (usize, usize)| {
        let found =
            levels.get(time).zip(shares.get(share)).and_then(|(at, share)| at.quantile(Ratio(*share)));
        found.map_or(f64::NAN, |level| level.0)
    };
    Array2::from_shape_fn((levels.len(), shares.len()), level).into_pyarray(py)
}
