//! Work without the interpreter, under its eyes: the thread that has called waits, hands rows to the caller's function, and
//! hears the interrupt key.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use blo::{Observer, Residuals, Step, Stop};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

/// Time between two looks at the interrupt key: short for a person, long for the interpreter.
const LOOK: Duration = Duration::from_millis(50);

/// What came of work: its result, and whether the interrupt key was pressed.
pub(crate) struct Attended<R> {
    pub(crate) result: R,
    pub(crate) interrupted: bool,
}

/// A row of a run, owned.
pub(crate) struct Row {
    pub(crate) iteration: u64,
    pub(crate) pass: u64,
    pub(crate) seconds: f64,
    pub(crate) upper: f64,
    pub(crate) lower: f64,
    pub(crate) residuals: Residuals,
    /// Name and value of each metric.
    pub(crate) metrics: Vec<(String, Option<f64>)>,
    /// Name, shape and numbers of each variable.
    pub(crate) variables: Vec<(String, Vec<usize>, Vec<f64>)>,
}

/// Is told of each row, and says whether the run goes on.
pub(crate) type Each<'a> = dyn Fn(Python<'_>, Row) -> PyResult<ControlFlow<()>> + Sync + 'a;

/// Sends rows to the thread that has called, and waits for its answer.
struct Relay {
    rows: Sender<Row>,
    answers: Receiver<ControlFlow<()>>,
    wanted: bool,
}

impl Observer for Relay {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        if !self.wanted {
            return ControlFlow::Continue(());
        }
        let variable =
            |((name, shape), values): (&(String, Vec<usize>), &Vec<f64>)| (name.clone(), shape.clone(), values.clone());
        let row = Row {
            iteration: step.iteration,
            pass: step.pass,
            seconds: step.seconds,
            upper: step.upper,
            lower: step.lower,
            residuals: step.residuals,
            metrics: step.metric_names.iter().cloned().zip(step.metrics.iter().copied()).collect(),
            variables: step.variable_shapes.iter().zip(step.variables).map(variable).collect(),
        };
        // nobody listens any more only after a panic there
        let answer = self.rows.send(row).ok().and_then(|()| self.answers.recv().ok());
        answer.unwrap_or(ControlFlow::Break(()))
    }
}

/// Does work on a thread of its own, with the interpreter released. The interrupt key stops it by `stop`; so does `each`
/// by `Break`, and by an exception, which is raised once the work is over.
///
/// # Errors
/// An exception of `each` or of a signal handler.
pub(crate) fn attended<R: Send>(
    py: Python<'_>,
    stop: &Stop,
    each: Option<&Each<'_>>,
    work: impl FnOnce(&mut dyn Observer) -> R + Send,
) -> PyResult<Attended<R>> {
    let mut attendant = Attendant { stop, interrupted: false, raised: None };
    let result = py.detach(|| {
        thread::scope(|scope| {
            let (rows, inbox) = channel();
            let (answer, answers) = channel();
            let mut relay = Relay { rows, answers, wanted: each.is_some() };
            let worker =
                thread::Builder::new().name("blo run".to_owned()).spawn_scoped(scope, move || work(&mut relay));
            let worker = worker.map_err(|e| PyRuntimeError::new_err(format!("cannot start a thread: {e}")))?;
            loop {
                match inbox.recv_timeout(LOOK) {
                    Ok(row) => {
                        let flow = Python::attach(|py| attendant.row(py, row, each));
                        // the run waits for it
                        let _ = answer.send(flow);
                    }
                    Err(RecvTimeoutError::Timeout) => Python::attach(|py| attendant.look(py)),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            Ok::<R, PyErr>(worker.join().unwrap_or_else(|bug| resume_unwind(bug)))
        })
    })?;
    match attendant.raised {
        Some(error) => Err(error),
        None => Ok(Attended { result, interrupted: attendant.interrupted }),
    }
}

/// The side of the interpreter.
struct Attendant<'a> {
    stop: &'a Stop,
    interrupted: bool,
    /// What is to be raised once the work is over.
    raised: Option<PyErr>,
}

impl Attendant<'_> {
    fn row(&mut self, py: Python<'_>, row: Row, each: Option<&Each<'_>>) -> ControlFlow<()> {
        let flow = match each {
            // nobody is called after the key, or after an exception
            Some(each) if !self.interrupted && self.raised.is_none() => each(py, row),
            _ => Ok(ControlFlow::Continue(())),
        };
        let flow = flow.unwrap_or_else(|error| {
            self.stopped_by(py, error);
            ControlFlow::Continue(())
        });
        // a function that is written in C hears no key
        self.look(py);
        flow
    }

    fn look(&mut self, py: Python<'_>) {
        if let Err(error) = py.check_signals() {
            self.stopped_by(py, error);
        }
    }

    fn stopped_by(&mut self, py: Python<'_>, error: PyErr) {
        self.stop.stop();
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            self.interrupted = true;
        } else {
            self.raised.get_or_insert(error);
        }
    }
}
