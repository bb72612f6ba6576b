//! What a run is asked for.

use std::time::Duration;

use blo_engine::data::OptionValue;
use blo_solvers::{Override, PresetChoice, Request};

use crate::data::Data;
use crate::stop::Stop;

/// The numbers of an iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 64 bits.
    #[default]
    F64,
    /// 32 bits; metrics, residuals and the end of a run are computed in 64 bits all the same.
    F32,
}

/// Options of a run: the method, its preset and values on top of it. Where an option is given twice, the later one holds.
/// What is wrong with an option is reported by the call that uses it.
///
/// ```
/// use std::time::Duration;
/// use blo::{Options, Problem};
///
/// let problem = Problem::from_str("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
/// let options = Options::new()
///     .method("rhg")
///     .set("K", 20)
///     .max_iter(500)
///     .tol(1e-8)
///     .max_time(Duration::from_secs(60))
///     .threads(1)
///     .start("x", 3.0);
/// let solution = problem.solve(&options)?;
/// assert!((solution.upper("x").unwrap().number().unwrap() - 0.5).abs() < 1e-5);
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    request: Request,
    pub(crate) start: Vec<(String, Data)>,
    pub(crate) stop: Option<Stop>,
    pub(crate) row_every: u64,
    pub(crate) variables: bool,
    pub(crate) sensitivity: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

impl Options {
    /// The default method, `auto`, with the options of the file or their defaults.
    pub fn new() -> Options {
        Options {
            request: Request::new(blo_solvers::DEFAULT_METHOD),
            start: Vec::new(),
            stop: None,
            row_every: 0,
            variables: false,
            sensitivity: false,
        }
    }

    /// The method by name; [`methods`](crate::methods) lists them. As on the command line, the name of a preset of the
    /// file may follow, `meha:paper`, and options in parentheses, `unroll(gradient = cg, K = 50)`. `meha:auto` is the method
    /// without the file's options for it. Options given before stay.
    #[must_use]
    pub fn method(mut self, name: &str) -> Options {
        let Request { method, preset, span, overrides } = Request::new(name);
        self.request.overrides.extend(overrides);
        self.request = Request { method, preset, span, overrides: self.request.overrides };
        self
    }

    /// A preset of the file for the method; `auto` for none.
    #[must_use]
    pub fn preset(mut self, name: &str) -> Options {
        self.request.preset = match name {
            "auto" => PresetChoice::Automatic,
            name => PresetChoice::Named(name.to_owned()),
        };
        self
    }

    /// Any option by name, with its value as a program would write it: `20`, `0.1`, `1/k`, `warm`. As `--set name=value`.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl ToString) -> Options {
        self.request = self.request.set(name, value.to_string());
        self
    }

    /// Most iterations.
    #[must_use]
    pub fn max_iter(self, iterations: u64) -> Options {
        self.set("max_iter", iterations)
    }

    /// What all residuals of the method have to fall below, against their values at the start, for it to end: at least 0.
    #[must_use]
    pub fn tol(self, tol: f64) -> Options {
        self.set("tol", tol)
    }

    /// Seed of the run, part of every generator's stream; 0 if it is not given. Equal seeds give equal bits.
    #[must_use]
    pub fn seed(self, seed: u64) -> Options {
        self.set("seed", seed)
    }

    /// Threads of the kernels, from 1; one per core if it is not given. They change no bit of the result.
    #[must_use]
    pub fn threads(self, threads: u64) -> Options {
        self.set("threads", threads)
    }

    /// The numbers of the iteration.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Options {
        self.set("precision", if precision == Precision::F32 { "f32" } else { "f64" })
    }

    /// Most time, from the call of `solve` on, reading the data included. A run that it ends returns the best point so far.
    #[must_use]
    pub fn max_time(self, time: Duration) -> Options {
        self.set("max_time", time.as_secs_f64())
    }

    /// Most steps to solve the lower level with at the final x; 0 leaves the last iterate as it is.
    #[must_use]
    pub fn polish(self, steps: u64) -> Options {
        self.set("polish", steps)
    }

    /// Lets a variable of either level start from these values instead of the start that the program states. They are
    /// moved into the variable's set.
    #[must_use]
    pub fn start(mut self, variable: &str, values: impl Into<Data>) -> Options {
        self.start.retain(|(name, _)| name != variable);
        self.start.push((variable.to_owned(), values.into()));
        self
    }

    /// A token that stops the run from another thread; see [`Stop`].
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Options {
        self.stop = Some(stop.clone());
        self
    }

    /// A step for the observer, and a row of [`Solution::history`](crate::Solution::history), every so many iterations beside those
    /// at 0 and 1, 2, 5 times a power of ten; 0 for no others. Looking changes no bit of the run.
    #[must_use]
    pub fn row_every(mut self, iterations: u64) -> Options {
        self.row_every = iterations;
        self
    }

    /// Whether steps and rows hold the variables.
    #[must_use]
    pub fn row_variables(mut self, wanted: bool) -> Options {
        self.variables = wanted;
        self
    }

    /// Whether to compute the derivative of the optimal upper objective in every param at the end.
    ///
    /// ```
    /// use blo::{Options, Problem};
    ///
    /// let problem = Problem::from_str(
    ///     "param p = 3  upper { var x  minimize (x - p)^2 + y^2 }  lower { var y  minimize (y - x)^2 }",
    /// )?;
    /// let solution = problem.solve(&Options::new().sensitivity(true))?;
    /// // F* = p^2 / 2
    /// assert!((solution.sensitivity("p").unwrap().unwrap() - 3.0).abs() < 1e-3);
    /// # Ok::<(), blo::Error>(())
    /// ```
    #[must_use]
    pub fn sensitivity(mut self, wanted: bool) -> Options {
        self.sensitivity = wanted;
        self
    }

    /// The same with another method and its options.
    pub(crate) fn requesting(self, request: Request) -> Options {
        Options { request, ..self }
    }

    pub(crate) fn request(&self) -> Request {
        self.request.clone()
    }

    /// The seed as it is given, 0 without one: `check` reads data before it knows a method.
    pub(crate) fn stated_seed(&self) -> u64 {
        let stated = self.request.overrides.iter().rev().find_map(|o| match o {
            Override::Flag { name, text } if name == "seed" => Some(text.parse::<f64>().ok()),
            _ => None,
        });
        stated.flatten().and_then(OptionValue::whole).unwrap_or(0)
    }
}
