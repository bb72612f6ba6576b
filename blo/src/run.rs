//! From a problem and options to a result.

use std::time::{Duration, Instant};

use blo_engine::model::problem::Variable;
use blo_engine::model::{self, Bindings};
use blo_engine::stop::StopReason;
use blo_solvers::Settings;

use crate::ended;
use crate::error::Error;
use crate::observer::{Following, Observer, Silent};
use crate::options::Options;
use crate::problem::{Problem, Sound};
use crate::solution::Solution;
use crate::stack::deep;
use crate::stop::{Stop, watched};

/// Solves a problem: checks it, reads its data, runs the method, and judges the end of the run.
///
/// The observer sees steps as they come, and may end the run; [`Options::stop`] ends it from another thread. It is what
/// `blo solve` does, to the last bit.
///
/// ```
/// use std::ops::ControlFlow;
/// use blo::{Options, Problem, Step};
///
/// let problem = Problem::from_str("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
/// let mut seen = Vec::new();
/// let solution = blo::solve(&problem, &Options::new().method("rhg"), &mut |step: &Step<'_>| {
///     seen.push((step.iteration, step.upper));
///     if step.iteration < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })?;
/// assert!(seen.len() > 1 && solution.iterations() <= 6);
/// # Ok::<(), blo::Error>(())
/// ```
///
/// # Errors
/// [`Error::Program`] for mistakes in the program, its data and the options; [`Error::Call`] for arrays that fit nothing;
/// [`Error::Stopped`] for a run that was stopped before it had an iterate. Numerical trouble is no error but a
/// [`Status`](crate::Status).
pub fn solve(problem: &Problem, options: &Options, observer: &mut dyn Observer) -> Result<Solution, Error> {
    let begun = Instant::now();
    let begin = Begin::new(problem, options)?;
    let stop = options.stop.clone().unwrap_or_default();
    deep(|| begin.run(problem, options, (begun, &stop), observer))?
}

impl Problem {
    /// Solves the problem without an observer; see [`solve`].
    ///
    /// # Errors
    /// As [`solve`].
    pub fn solve(&self, options: &Options) -> Result<Solution, Error> {
        solve(self, options, &mut Silent)
    }
}

/// A run that is about to begin.
pub(crate) struct Begin {
    pub(crate) sound: Sound,
    pub(crate) settings: Settings,
    pub(crate) data: Bindings,
}

impl Begin {
    /// Checks the problem, resolves the options and reads the data.
    pub(crate) fn new(problem: &Problem, options: &Options) -> Result<Begin, Error> {
        let sound = problem.sound()?;
        let settings = blo_solvers::resolve(sound.problem(), &options.request())
            .map_err(|found| Error::program(problem.document(), found))?;
        let mut data = problem.bind(sound.problem(), settings.integer("seed"))?;
        for (name, values) in &options.start {
            start(sound.problem(), &mut data, name, values)?;
        }
        Ok(Begin { sound, settings, data })
    }

    fn run(
        &self,
        problem: &Problem,
        options: &Options,
        (begun, stop): (Instant, &Stop),
        observer: &mut dyn Observer,
    ) -> Result<Solution, Error> {
        let (checked, document) = (self.sound.problem(), problem.document());
        let limit = Duration::try_from_secs_f64(self.settings.number("max_time")).ok();
        let until = limit.and_then(|limit| begun.checked_add(limit));
        let token = self.data.stop.clone();
        let row_metrics = blo_solvers::row_metrics(checked, &self.settings);
        let shape = |v: &Variable| (v.name.clone(), v.shape.sizes(&self.data.sizes).unwrap_or_default());
        let shapes: Vec<_> = checked.variables().map(shape).collect();
        let mut following = Following {
            metric_names: &row_metrics,
            variable_shapes: &shapes,
            observer,
            begun: Instant::now(),
            token: token.clone(),
            row_every: options.row_every,
            variables: options.variables,
        };
        let request = options.request();
        let run = || blo_solvers::solve(checked, &self.data, &request, &mut following);
        let mut solution = watched(stop, &token, until, run).map_err(|found| match token.reason() {
            Some(StopReason::Interrupted) => Error::Stopped,
            _ => Error::program(document, found),
        })?;
        if options.sensitivity {
            let program = (document, &self.sound.checked.ast, checked);
            let found = ended::sensitivity(program, &problem.settings()?, &self.data, &solution);
            solution.sensitivity = Some(found.map_err(|d| Error::program(document, vec![*d]))?);
        }
        solution.warnings.extend(ended::known(checked, &self.data, &solution, false));
        Ok(Solution { inner: solution, before: self.sound.warnings.clone(), document: document.clone(), row_metrics })
    }
}

/// Lets a variable start from values of the caller.
fn start(problem: &model::Problem, data: &mut Bindings, name: &str, values: &crate::Data) -> Result<(), Error> {
    data.start_from(problem, name, values.array(name)?).map_err(|why| {
        let help = match &why {
            model::StartError::NoVariable { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            _ => None,
        };
        Error::call(format!("the start of {why}"), help)
    })
}
