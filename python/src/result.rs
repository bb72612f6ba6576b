//! Results as plain dicts of numbers, texts and arrays; `blo/_solution.py` makes objects of them.

use blo::{Comparison, Gradient, Residuals, Solution, Values};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::attended::Row;
use crate::found::{findings, refused};
use crate::lent::{array, shaped};

/// Everything about a solution.
pub(crate) fn solution<'py>(py: Python<'py>, solution: &Solution) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("method", solution.method())?;
    dict.set_item("status", solution.status().text())?;
    dict.set_item("verdict", solution.verdict().text())?;
    dict.set_item("iterations", solution.iterations())?;
    dict.set_item("seconds", solution.seconds())?;
    dict.set_item("upper_objective", solution.objective_upper())?;
    dict.set_item("lower_objective", solution.objective_lower())?;
    dict.set_item("upper", arrays(py, solution.uppers())?)?;
    dict.set_item("lower", arrays(py, solution.lowers())?)?;
    dict.set_item("residuals", residuals(py, &solution.residuals(), "")?)?;
    dict.set_item("metrics", numbers(py, solution.metrics().iter().map(|(name, value)| (name, *value)))?)?;
    let known = solution.rows().filter_map(|(name, _)| Some((name, solution.multiplier(name)?)));
    dict.set_item("multipliers", arrays(py, known)?)?;
    dict.set_item("violations", numbers(py, solution.rows())?)?;
    dict.set_item("warnings", findings(py, &solution.warnings())?)?;
    dict.set_item("warning_text", solution.warning_report().to_string())?;
    dict.set_item("history", history(py, solution)?)?;
    dict.set_item("json", solution.to_json().to_string())?;
    dict.set_item("text", solution.to_string())?;
    Ok(dict)
}

/// Columns with the names that `blo solve --trace` writes. Variables have a leading axis of rows.
fn history<'py>(py: Python<'py>, solution: &Solution) -> PyResult<Bound<'py, PyDict>> {
    let history = solution.history();
    let dict = PyDict::new(py);
    dict.set_item("iteration", PyArray1::from_slice(py, &history.iteration))?;
    dict.set_item("pass", PyArray1::from_slice(py, &history.pass))?;
    dict.set_item("seconds", PyArray1::from_slice(py, &history.seconds))?;
    dict.set_item("upper", PyArray1::from_slice(py, &history.upper))?;
    dict.set_item("lower", PyArray1::from_slice(py, &history.lower))?;
    let column = |of: fn(&Residuals) -> f64| PyArray1::from_iter(py, history.residuals.iter().map(of));
    dict.set_item("residual_upper", column(|r| r.upper))?;
    dict.set_item("residual_lower", column(|r| r.lower))?;
    dict.set_item("residual_method", column(|r| r.method))?;
    dict.set_item("gap", column(|r| r.gap))?;
    for (name, values) in &history.metrics {
        dict.set_item(free(&dict, name)?, PyArray1::from_slice(py, values))?;
    }
    for (name, rows) in &history.variables {
        let of = solution.upper(name).or_else(|| solution.lower(name));
        let shape: Vec<usize> = std::iter::once(rows.len()).chain(of.iter().flat_map(|v| v.shape()).copied()).collect();
        dict.set_item(free(&dict, name)?, shaped(PyArray1::from_vec(py, rows.concat()).as_any(), &shape)?)?;
    }
    Ok(dict)
}

/// A metric or a variable whose name is a column's has an underscore behind it.
fn free(columns: &Bound<'_, PyDict>, name: &str) -> PyResult<String> {
    let mut name = name.to_owned();
    while columns.contains(&name)? {
        name.push('_');
    }
    Ok(name)
}

/// A row as a callback sees it: the keys of the history.
pub(crate) fn row<'py>(py: Python<'py>, row: Row) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("iteration", row.iteration)?;
    dict.set_item("pass", row.pass)?;
    dict.set_item("seconds", row.seconds)?;
    dict.set_item("upper", row.upper)?;
    dict.set_item("lower", row.lower)?;
    dict.update(residuals(py, &row.residuals, "residual_")?.as_mapping())?;
    for (name, value) in &row.metrics {
        dict.set_item(free(&dict, name)?, value)?;
    }
    for (name, shape, values) in row.variables {
        dict.set_item(free(&dict, &name)?, shaped(PyArray1::from_vec(py, values).as_any(), &shape)?)?;
    }
    Ok(dict)
}

/// The reduced objective and its gradient.
pub(crate) fn gradient<'py>(py: Python<'py>, gradient: &Gradient) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("value", gradient.value())?;
    dict.set_item("gradient", arrays(py, gradient.uppers())?)?;
    let at = gradient.uppers().filter_map(|(name, _)| Some((name, gradient.at(name)?)));
    dict.set_item("upper", arrays(py, at)?)?;
    dict.set_item("lower", arrays(py, gradient.lowers())?)?;
    dict.set_item("is_exact", gradient.is_exact())?;
    dict.set_item("warnings", findings(py, &gradient.warnings())?)?;
    Ok(dict)
}

/// The table, and for each method a solution or an error.
pub(crate) fn comparison<'py>(py: Python<'py>, comparison: &Comparison) -> PyResult<(String, Bound<'py, PyList>)> {
    let runs = PyList::empty(py);
    for run in &comparison.runs {
        match &run.result {
            Ok(found) => runs.append((&run.method, solution(py, found)?, py.None()))?,
            Err(error) => runs.append((&run.method, py.None(), refused(py, error).into_value(py)))?,
        }
    }
    Ok((comparison.to_string(), runs))
}

fn residuals<'py>(py: Python<'py>, r: &Residuals, before: &str) -> PyResult<Bound<'py, PyDict>> {
    let named = [("upper", r.upper), ("lower", r.lower), ("method", r.method)];
    let dict = numbers(py, named.map(|(name, value)| (format!("{before}{name}"), value)).into_iter())?;
    dict.set_item("gap", r.gap)?;
    Ok(dict)
}

fn numbers<'py>(py: Python<'py>, named: impl Iterator<Item = (impl AsRef<str>, f64)>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in named {
        dict.set_item(name.as_ref(), value)?;
    }
    Ok(dict)
}

fn arrays<'py, 'a>(
    py: Python<'py>,
    named: impl Iterator<Item = (&'a str, Values<'a>)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, values) in named {
        dict.set_item(name, array(py, values)?)?;
    }
    Ok(dict)
}
