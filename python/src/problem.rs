//! The class `_blo.Problem`: what `blo/_problem.py` asks of the facade.

use std::ops::ControlFlow;

use blo::{Error, Options, Stop};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::attended::{Attended, Row, attended};
use crate::found::{refused, report};
use crate::lent::lend;
use crate::result;

/// What a run is asked for, as the Python side gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Request<'py> {
    method: Option<String>,
    preset: Option<String>,
    /// Name and value of each option, as a program would write it.
    options: Vec<(String, String)>,
    /// Variable and array of each start.
    start: Vec<(String, Bound<'py, PyAny>)>,
    row_every: u64,
    row_variables: bool,
    sensitivity: bool,
}

impl Request<'_> {
    fn options(self) -> PyResult<Options> {
        let mut options = Options::new();
        if let Some(method) = &self.method {
            options = options.method(method);
        }
        if let Some(preset) = &self.preset {
            options = options.preset(preset);
        }
        options = self.options.iter().fold(options, |options, (name, value)| options.set(name, value));
        for (variable, values) in &self.start {
            options = options.start(variable, lend(values)?);
        }
        Ok(options.row_every(self.row_every).row_variables(self.row_variables).sensitivity(self.sensitivity))
    }
}

/// A program with its params and data.
#[pyclass(frozen, module = "blo._blo")]
pub(crate) struct Problem(blo::Problem);

#[pymethods]
impl Problem {
    /// Reads a program from a path or takes it as a text.
    #[new]
    fn new(py: Python<'_>, source: &str, is_path: bool) -> PyResult<Problem> {
        let read = || if is_path { blo::Problem::from_path(source) } else { blo::Problem::from_str(source) };
        py.detach(read).map(Problem).map_err(|e| refused(py, &e))
    }

    /// The same with arrays, params, folders and limits of the caller.
    fn given(
        &self,
        data: Vec<(String, Bound<'_, PyAny>)>,
        params: Vec<(String, f64)>,
        folders: Vec<String>,
        limits: Vec<(String, u64)>,
    ) -> PyResult<Problem> {
        let problem = params.iter().fold(self.0.clone(), |problem, (name, value)| problem.param(name, *value));
        let problem = folders.into_iter().fold(problem, blo::Problem::folder);
        let mut problem = limits.iter().fold(problem, |problem, (name, value)| problem.limit(name, *value));
        for (name, array) in &data {
            problem = problem.data(name, lend(array)?);
        }
        Ok(Problem(problem))
    }

    fn name(&self) -> String {
        self.0.name()
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn data_items(&self) -> Vec<(String, String)> {
        self.0.data_items()
    }

    fn upper_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.0.upper_names().map_err(|e| refused(py, &e))
    }

    fn check<'py>(&self, py: Python<'py>, request: Option<Request<'py>>) -> PyResult<(String, Bound<'py, PyList>)> {
        let options = request.map(Request::options).transpose()?;
        let found = py.detach(|| match &options {
            None => self.0.check(),
            Some(options) => self.0.check_run(options),
        });
        report(py, &found)
    }

    fn solve<'py>(
        &self,
        py: Python<'py>,
        request: Request<'py>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let stop = Stop::new();
        let options = request.options()?.stop(&stop);
        let each = |py: Python<'_>, row: Row| {
            let Some(callback) = &callback else { return Ok(ControlFlow::Continue(())) };
            let answer = callback.call1(py, (result::row(py, row)?,))?;
            // `False` alone, and numpy's: a function may return anything else, and one without a `return` returns `None`
            let stops = answer.extract::<bool>(py).is_ok_and(|goes_on| !goes_on);
            Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let wanted = callback.is_some();
        let Attended { result, interrupted } =
            attended(py, &stop, if wanted { Some(&each) } else { None }, |observer| {
                blo::solve(&self.0, &options, observer)
            })?;
        match result {
            Ok(solution) => result::solution(py, &solution),
            Err(Error::Stopped) if interrupted => Err(PyKeyboardInterrupt::new_err(Error::Stopped.to_string())),
            Err(error) => Err(refused(py, &error)),
        }
    }

    fn compare<'py>(
        &self,
        py: Python<'py>,
        methods: Vec<String>,
        request: Request<'py>,
    ) -> PyResult<(String, Bound<'py, PyList>)> {
        let stop = Stop::new();
        let options = request.options()?.stop(&stop);
        let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
        let found = attended(py, &stop, None, |_| blo::compare(&self.0, &methods, &options))?;
        result::comparison(py, &found.result.map_err(|e| refused(py, &e))?)
    }

    fn gradient<'py>(&self, py: Python<'py>, request: Request<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = request.options()?;
        let found = py.detach(|| blo::gradient(&self.0, &options, []));
        result::gradient(py, &found.map_err(|e| refused(py, &e))?)
    }

    /// The text, the JSON, operations of an iteration, bytes of buffers.
    fn plan(&self, py: Python<'_>, request: Request<'_>) -> PyResult<(String, String, u128, u128)> {
        let options = request.options()?;
        let plan = py.detach(|| blo::plan(&self.0, &options)).map_err(|e| refused(py, &e))?;
        Ok((plan.to_string(), plan.to_json().to_string(), plan.flops(), plan.memory()))
    }

    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| blo::explain(&self.0)).map_err(|e| refused(py, &e))
    }
}
