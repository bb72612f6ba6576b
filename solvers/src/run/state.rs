//! One run: the compiled functions of an iteration with their state. It starts, takes steps and reports; when to look
//! and when to stop is the driver's.

use std::borrow::Cow;

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::{Machine, Rows};
use crate::iteration::control::{Control, Iterate, Next, NextState, Verdict};
use crate::iteration::{Iteration, Report, Start, State};
use crate::lower::solve::LowerSolver;
use crate::options::settings::Settings;
use crate::run::best_point::Candidate;
use crate::run::finish::Ending;
use crate::run::reported_metrics::{Evaluated, Metrics};

/// Everything that runs.
pub(crate) struct Run<'a, T: Scalar> {
    pub(crate) problem: &'a Problem,
    /// The data with the present tasks.
    pub(crate) data: Cow<'a, Bindings>,
    /// The data as they were given.
    pub(crate) given: &'a Bindings,
    pub(crate) settings: &'a Settings,
    pub(crate) iteration: &'a Iteration,
    pub(crate) threads: u64,
    pub(crate) step: Machine<T>,
    pub(crate) control: Box<dyn Control>,
    /// Iterations done.
    pub(crate) k: u64,
    /// Steps taken back.
    pub(crate) rejected: u64,
    /// The scalars of iteration `max(k, 1)`.
    pub(crate) scalars: Vec<f64>,
    pub(crate) report: Machine<T>,
    /// The report in f64, once it was asked for, on the present tasks.
    pub(crate) exact: Option<Machine<f64>>,
    /// The solver of the lower level, once it was asked for, on the present tasks.
    lower_solver: Option<LowerSolver>,
    pub(crate) metrics: Metrics,
    /// Which draw of the tasks is in place.
    pub(crate) draw: u64,
    /// The scalars that are tried.
    trial: Vec<f64>,
    signals: Vec<f64>,
    /// The state at the start point.
    pub(crate) start: Vec<Vec<T>>,
    /// The best end point of the passes so far.
    pub(crate) best: Option<Candidate<T>>,
}

/// The iterate as its control sees it.
struct Inputs<'r, T: Scalar> {
    step: &'r mut Machine<T>,
    report: &'r mut Machine<T>,
}

/// A step's outputs as its control sees them.
struct Outputs<'r, T: Scalar> {
    step: &'r Machine<T>,
}

impl<T: Scalar> NextState for Outputs<'_, T> {
    fn read(&self, part: usize, to: &mut [f64]) {
        to.iter_mut().zip(self.step.output(part)).for_each(|(to, v)| *to = v.to_f64());
    }
}

impl<T: Scalar> Iterate for Inputs<'_, T> {
    fn read(&self, input: usize, to: &mut [f64]) {
        to.iter_mut().zip(self.step.input(input)).for_each(|(to, v)| *to = v.to_f64());
    }

    fn write(&mut self, input: usize, values: &[f64]) {
        for machine in [&mut *self.step, &mut *self.report] {
            machine.input_mut(input).iter_mut().zip(values).for_each(|(slot, v)| *slot = T::from_f64(*v));
        }
    }

    fn len(&self, input: usize) -> usize {
        self.step.input(input).len()
    }
}

impl<'a, T: Scalar> Run<'a, T> {
    /// Compiles; [`Run::begin`] puts the start point in place.
    pub(crate) fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        settings: &'a Settings,
        iteration: &'a Iteration,
        control: Box<dyn Control>,
    ) -> Result<Run<'a, T>, Box<Diagnostic>> {
        let threads = settings.integer("threads");
        let machine = |function: &Function| Machine::<T>::new(function, problem, data, threads);
        let step = Machine::<T>::step(iteration, problem, data, threads)?;
        let report = machine(&iteration.report)?;
        let metrics = Metrics::of_rows(problem, data, settings)?;
        let mut start = machine(&problem.start)?;
        start.run();
        let values = |state: &State| match state.start {
            Start::Variable(variable) => start.output(variable).to_vec(),
            Start::Zero => vec![T::default(); step.input(state.input).len()],
        };
        let start = iteration.state.iter().map(values).collect();
        let scalars = vec![0.0; iteration.scalars.len()];
        let signals = vec![0.0; iteration.signals()];
        let trial = scalars.clone();
        let (k, rejected) = (0, 0);
        Ok(Run {
            problem,
            data: Cow::Borrowed(data),
            given: data,
            settings,
            iteration,
            threads,
            step,
            control,
            k,
            rejected,
            scalars,
            report,
            exact: None,
            lower_solver: None,
            metrics,
            trial,
            signals,
            start,
            best: None,
            draw: 0,
        })
    }

    /// Steps that have run: those of iterations and those that were taken back.
    pub(crate) fn steps(&self) -> u64 {
        self.k + self.rejected
    }

    /// Tries one step. A rejected one leaves everything but the count of rejections and the control as it was.
    pub(crate) fn attempt(&mut self) -> Next {
        let k = self.k + 1;
        if self.resamples() {
            self.resample(self.draw_of(k), true);
        }
        self.control.scalars(k, &mut self.trial);
        for (scalar, value) in self.iteration.scalars.iter().zip(&self.trial) {
            self.step.set_scalar(scalar.input, *value);
        }
        self.step.run();
        let first = self.iteration.state.len();
        for (i, signal) in self.signals.iter_mut().enumerate() {
            *signal = self.step.scalar(first + i);
        }
        if self.control.judge(k, &self.signals, &Outputs { step: &self.step }) == Verdict::Reject {
            self.rejected += 1;
            return Next::Continue;
        }
        self.step.accept();
        std::mem::swap(&mut self.scalars, &mut self.trial);
        self.k = k;
        if self.resamples() {
            self.resample(self.draw_after(k), true);
        }
        self.control.accepted(k, &mut Inputs { step: &mut self.step, report: &mut self.report })
    }

    /// Puts the state at the start point and lets the control begin a pass.
    pub(crate) fn begin(&mut self) {
        for (state, values) in self.iteration.state.iter().zip(&self.start) {
            self.step.set(state.input, values);
        }
        self.control.begin(&mut Inputs { step: &mut self.step, report: &mut self.report });
        self.control.scalars(self.k + 1, &mut self.scalars);
    }

    /// Gives the control back what it had learnt.
    pub(crate) fn load_control(&mut self, saved: &[f64]) {
        self.control.load(saved, &mut Inputs { step: &mut self.step, report: &mut self.report });
    }

    /// Objectives and residuals of the current state, with the scalars of the iteration that made it.
    pub(crate) fn report(&mut self) -> Report {
        for (scalar, value) in self.iteration.scalars.iter().zip(&self.scalars) {
            self.report.set_scalar(scalar.input, *value);
        }
        for state in &self.iteration.state {
            self.report.set(state.input, self.step.input(state.input));
        }
        self.report.run();
        Report::from_outputs(std::array::from_fn(|i| self.report.scalar(i)))
    }

    /// The lower residual of the start point's lower variables at the current x.
    pub(crate) fn start_residual(&mut self) -> f64 {
        for (state, start) in self.iteration.state.iter().zip(&self.start) {
            let lower = matches!(state.start, Start::Variable(v) if v >= self.problem.upper().variables.len());
            let values = if lower { start.as_slice() } else { self.step.input(state.input) };
            self.report.set(state.input, values);
        }
        self.report.run();
        Report::from_outputs(std::array::from_fn(|i| self.report.scalar(i))).lower_residual
    }

    /// The state in f64.
    pub(crate) fn point(&self) -> Vec<Vec<f64>> {
        let state = self.iteration.state.iter();
        state.map(|s| self.step.input(s.input).iter().map(|v| v.to_f64()).collect()).collect()
    }

    /// Puts values of the lower variables into a point: further parts of the state that start from one follow it.
    pub(crate) fn put_lower(&self, point: &mut [Vec<f64>], lower: &[Vec<f64>]) {
        let upper = self.problem.upper().variables.len();
        for (values, state) in point.iter_mut().zip(&self.iteration.state) {
            if let Start::Variable(variable) = state.start
                && variable >= upper
            {
                values.copy_from_slice(&lower[variable - upper]);
            }
        }
    }

    /// Objectives and residuals of a point, computed in f64.
    pub(crate) fn report_at(&mut self, point: &[Vec<f64>]) -> Result<Report, Box<Diagnostic>> {
        let report = match &mut self.exact {
            Some(report) => report,
            none => none.insert(Machine::new(&self.iteration.report, self.problem, &self.data, self.threads)?),
        };
        for parameter in &self.iteration.parameters {
            let values: Vec<f64> = self.step.input(parameter.input).iter().map(|v| v.to_f64()).collect();
            report.set(parameter.input, &values);
        }
        for (scalar, value) in self.iteration.scalars.iter().zip(&self.scalars) {
            report.set_scalar(scalar.input, *value);
        }
        for (state, values) in self.iteration.state.iter().zip(point) {
            report.set(state.input, values);
        }
        report.run();
        Ok(Report::from_outputs(std::array::from_fn(|i| report.scalar(i))))
    }

    /// The solver of the lower level, compiled when it is first asked for.
    pub(crate) fn lower_solver(&mut self) -> Result<&mut LowerSolver, Box<Diagnostic>> {
        Ok(match &mut self.lower_solver {
            Some(solver) => solver,
            none => none.insert(LowerSolver::new(self.problem, &self.data, self.threads)?),
        })
    }

    /// Lets the solver of the lower level select other tasks.
    pub(crate) fn select_lower(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.lower_solver.as_mut().map_or(Ok(()), |solver| solver.select(rows))
    }

    /// The metrics that the rows have, of the current state.
    pub(crate) fn metrics(&mut self) -> Vec<f64> {
        let count = self.problem.variables().count();
        let point: Vec<Vec<f64>> = if self.metrics.is_empty() { Vec::new() } else { self.point() };
        self.metrics.row(self.problem, &self.data, self.settings, &point[..count.min(point.len())])
    }

    /// All metrics of the end point, and what there is to say of them.
    pub(crate) fn evaluate(
        &mut self,
        ending: &Ending,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Evaluated, Box<Diagnostic>> {
        let variables = &ending.point[..self.problem.variables().count()];
        self.metrics.end(self.problem, &self.data, self.settings, variables, stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, data, problem};
    use crate::iteration::control::Schedules;
    use crate::options::request::Request;
    use crate::run::driver::prepare;

    /// Tries a step of twice the size first in every iteration and takes it back.
    struct Bold {
        schedules: Schedules,
        tried: bool,
        judged: Vec<u64>,
    }

    impl Control for Bold {
        fn scalars(&mut self, k: u64, values: &mut [f64]) {
            self.schedules.scalars(k, values);
            if !self.tried {
                values[0] *= 2.0;
            }
        }

        fn judge(&mut self, k: u64, signals: &[f64], _: &dyn NextState) -> Verdict {
            assert!(signals.is_empty(), "MEHA with stated steps has no signals");
            self.judged.push(k);
            self.tried = !self.tried;
            if self.tried { Verdict::Reject } else { Verdict::Accept }
        }

        fn save(&self) -> Vec<f64> {
            vec![f64::from(u8::from(self.tried))]
        }

        fn load(&mut self, saved: &[f64], _: &mut dyn Iterate) {
            self.tried = saved == [1.0];
        }
    }

    #[test]
    fn a_rejected_step_costs_work_and_changes_nothing_else() {
        let problem = problem(LASSO);
        let data = data(&problem);
        let (settings, iteration) = prepare(&problem, &Request::new("meha:better")).unwrap();
        let plain = Box::new(Schedules::of(&iteration));
        let bold = Box::new(Bold { schedules: Schedules::of(&iteration), tried: false, judged: Vec::new() });
        let mut plain = Run::<f64>::new(&problem, &data, &settings, &iteration, plain).unwrap();
        let mut bold = Run::<f64>::new(&problem, &data, &settings, &iteration, bold).unwrap();
        plain.begin();
        bold.begin();
        for _ in 0..20 {
            plain.attempt();
            bold.attempt();
            bold.attempt();
        }
        let half_way = bold.snapshot();
        bold.attempt();
        bold.attempt();
        bold.restore(&half_way);
        assert_eq!((bold.k, bold.rejected, bold.steps()), (20, 20, 40));
        assert_eq!(bold.snapshot().state, plain.snapshot().state);
        assert_eq!(bold.report(), plain.report());
        bold.attempt();
        assert_eq!((bold.k, bold.rejected), (20, 21));
    }
}
