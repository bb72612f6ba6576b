//! Findings and errors as Python has them: plain dicts, of which `blo/_found.py` makes diagnostics and an exception.

use blo::{Error, Finding, Report, Severity};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// The exception `blo.BloError`, with the text that the command prints and the findings.
pub(crate) fn refused(py: Python<'_>, error: &Error) -> PyErr {
    let made = || {
        let found = findings(py, &error.findings())?;
        py.import("blo._found")?.getattr("refusal")?.call1((error.to_string(), found))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

/// A report: its text, its findings.
pub(crate) fn report<'py>(py: Python<'py>, report: &Report) -> PyResult<(String, Bound<'py, PyList>)> {
    Ok((report.to_string(), findings(py, report.findings())?))
}

/// A dict for each finding.
pub(crate) fn findings<'py>(py: Python<'py>, found: &[Finding]) -> PyResult<Bound<'py, PyList>> {
    let one = |f: &Finding| {
        let dict = PyDict::new(py);
        dict.set_item("code", f.code)?;
        let severity = match f.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        dict.set_item("severity", severity)?;
        dict.set_item("line", f.line)?;
        dict.set_item("column", f.column)?;
        dict.set_item("message", &f.message)?;
        dict.set_item("label", &f.label)?;
        dict.set_item("help", &f.help)?;
        Ok(dict)
    };
    PyList::new(py, found.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}
