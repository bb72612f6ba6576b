//! The extension module `blo._blo`: the facade crate `blo` for Python. It computes nothing and decides nothing; the folder
//! `blo/` beside it has the classes and the documentation that people see.

mod attended;
mod found;
mod lent;
mod problem;
mod result;

use pyo3::prelude::*;
use pyo3::types::PyDict;

#[pymodule]
mod _blo {
    use super::*;

    #[pymodule_export]
    use super::problem::Problem;

    /// The version of the engine.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// A program in the canonical layout.
    #[pyfunction]
    fn format(py: Python<'_>, text: &str) -> PyResult<String> {
        py.detach(|| blo::format(text)).map_err(|e| found::refused(py, &e))
    }

    /// Each method with its options.
    #[pyfunction]
    fn methods(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
        let one = |m: blo::Method| {
            let dict = PyDict::new(py);
            dict.set_item("name", m.name)?;
            dict.set_item("doc", m.doc)?;
            dict.set_item("citation", m.citation)?;
            let options: Vec<_> = m.options().map(|o| (o.name, o.doc, o.takes, o.default)).collect();
            dict.set_item("options", options)?;
            Ok(dict)
        };
        blo::methods().map(one).collect()
    }
}
