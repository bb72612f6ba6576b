//! One run: the compiled functions of an iteration with their state. It starts, takes steps and reports; when to look
//! and when to stop is the driver's.

use std::borrow::Cow;
use std::sync::Arc;

use blo_engine::graph::Function;
use blo_engine::model::problem::{Batches, LevelId, Problem};
use blo_engine::model::{Bindings, RowStream};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::formula::bound_program::BoundProgram;
use crate::formula::start_point::start_point;
use crate::iteration::control::{Control, Iterate, Next, Verdict};
use crate::iteration::report::Report;
use crate::iteration::{Built, Context, Iteration, Rows, Start, State};
use crate::lower::solve::LowerSolver;
use crate::options::run_options::RunOptions;
use crate::options::settings::Settings;
use crate::run::best_point::{Candidate, Incumbent};
use crate::run::finish::Ending;
use crate::run::reported_metrics::{Evaluated, Metrics};
use crate::run::stages::{self, Stages};

/// Everything that runs.
pub(crate) struct Run<'a, T: Scalar> {
    pub(crate) problem: &'a Problem,
    /// The data with the present tasks.
    pub(crate) data: Cow<'a, Bindings>,
    /// The data as they were given.
    pub(crate) given: &'a Bindings,
    pub(crate) settings: &'a Settings,
    pub(crate) options: RunOptions,
    pub(crate) iteration: &'a Iteration,
    pub(crate) stages: Stages<T>,
    pub(crate) control: Box<dyn Control>,
    /// Iterations done.
    pub(crate) k: u64,
    /// Steps taken back.
    pub(crate) rejected: u64,
    /// The scalars of iteration `max(k, 1)`.
    pub(crate) scalars: Vec<f64>,
    pub(crate) report: BoundProgram<T>,
    /// The report in f64, once it was asked for, on the present tasks.
    pub(crate) exact: Option<BoundProgram<f64>>,
    /// The solver of the lower level, once it was asked for, on the present tasks.
    lower_solver: Option<LowerSolver>,
    pub(crate) metrics: Metrics,
    /// Which draw of the tasks is in place.
    pub(crate) draw: u64,
    /// The rows of batches, where steps look at some of them, and the iteration whose rows are in place.
    pub(crate) batches: Option<RowStream>,
    pub(crate) batch: u64,
    /// The scalars that are tried.
    trial: Vec<f64>,
    /// The state at the start point.
    pub(crate) start: Vec<Vec<T>>,
    /// Starts that took the place of the problem's, the last one in use, each with the iteration after which it did.
    pub(crate) moved: Vec<Arc<MovedStart>>,
    /// The best end point of the passes so far.
    pub(crate) best: Option<Arc<Candidate>>,
    /// The best point of all looks at which the lower level was solved.
    pub(crate) incumbent: Option<Arc<Incumbent>>,
    /// The pass that the iterate is of, from 1; 0 before the first.
    pub(crate) pass: u64,
    /// Passes that have begun: the run may have gone back to the end of an earlier one.
    begun: u64,
    /// Iterations that were asked for. What the method sets itself, such as the points of a grid, may be fewer.
    pub(crate) asked: u64,
}

/// The gradients that a look at the iterate costs, about.
const LOOK: u64 = 4;

/// Looks of so many flops take time: a tenth of a millisecond.
const NOTICEABLE: u128 = 1_000_000;

/// A start that took the place of the problem's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MovedStart {
    /// One array per part of the state.
    pub(crate) point: Vec<Vec<f64>>,
    /// Why the run went there.
    pub(crate) why: String,
    /// Iterations that were done by then.
    pub(crate) iteration: u64,
}

/// The iterate as its control sees it.
struct Inputs<'r, T: Scalar> {
    stages: &'r mut Stages<T>,
    report: &'r mut BoundProgram<T>,
}

impl<T: Scalar> Iterate for Inputs<'_, T> {
    fn read(&self, input: usize, to: &mut [f64]) {
        stages::read(self.stages, input, to);
    }

    fn write(&mut self, input: usize, values: &[f64]) {
        stages::write(self.stages, input, values);
        if self.report.has_input(input) {
            self.report.input_mut(input).iter_mut().zip(values).for_each(|(slot, v)| *slot = T::from_f64(*v));
        }
    }

    fn len(&self, input: usize) -> usize {
        stages::length(self.stages, input)
    }
}

impl<'a, T: Scalar> Run<'a, T> {
    /// Compiles; [`Run::begin`] puts the start point in place.
    ///
    /// # Errors
    /// When a program cannot be allocated.
    pub(crate) fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        settings: &'a Settings,
        built: &'a Built,
    ) -> Result<Run<'a, T>, Box<Diagnostic>> {
        let options = RunOptions::of(settings);
        let control = (built.control)(&Context { problem, data, options: &options })?;
        let limits = [built.most, control.most()];
        let mut run = Run::under(control, problem, data, settings, &built.iteration)?;
        run.options.max_iter = limits.into_iter().flatten().fold(options.max_iter, u64::min);
        Ok(run)
    }

    /// A run whose numbers another control chooses.
    pub(crate) fn under(
        control: Box<dyn Control>,
        problem: &'a Problem,
        data: &'a Bindings,
        settings: &'a Settings,
        iteration: &'a Iteration,
    ) -> Result<Run<'a, T>, Box<Diagnostic>> {
        let options = RunOptions::of(settings);
        let context = Context { problem, data, options: &options };
        let program = |function: &Function| BoundProgram::<T>::new(function, problem, data, options.threads);
        let variables = start_point::<T>(problem, data, options.threads)?;
        let values = |state: &State| match state.start {
            Start::Variable(variable) => variables[variable].clone(),
            Start::Zero => vec![T::default(); length(state, data)],
        };
        let start: Vec<Vec<T>> = iteration.state.iter().map(values).collect();
        let lengths: Vec<usize> = start.iter().map(Vec::len).collect();
        let stages = Stages::new(iteration, &context, &lengths)?;
        let report = program(&iteration.report.function)?;
        let metrics = Metrics::of_rows(problem, data, &options)?;
        let scalars = vec![0.0; iteration.scalars.len()];
        let trial = scalars.clone();
        let (k, rejected) = (0, 0);
        let stream = |b: &Arc<Batches>| RowStream::new(b, &data.sizes, options.seed).expect("the data hold a batch");
        let batches = problem.batches.as_ref().map(stream);
        Ok(Run {
            problem,
            data: Cow::Borrowed(data),
            given: data,
            settings,
            options,
            iteration,
            stages,
            control,
            k,
            rejected,
            scalars,
            report,
            exact: None,
            lower_solver: None,
            metrics,
            trial,
            start,
            moved: Vec::new(),
            best: None,
            incumbent: None,
            pass: 0,
            begun: 0,
            asked: options.max_iter,
            draw: 0,
            batches,
            batch: 1,
        })
    }

    /// Asks for at most so many iterations.
    pub(crate) fn limit(&mut self, most: u64) {
        self.asked = self.asked.min(most);
        self.options.max_iter = self.options.max_iter.min(most);
    }

    /// Steps that have run: those of iterations and those that were taken back.
    pub(crate) fn steps(&self) -> u64 {
        self.k + self.rejected
    }

    /// True where the work is to stop. What was computed last is void then, and the driver goes back to what it has kept.
    pub(crate) fn is_stopped(&self) -> bool {
        self.given.stop.is_set()
    }

    /// Tries one step. A rejected one leaves everything but the count of rejections and the control as it was.
    pub(crate) fn attempt(&mut self, stop: &mut dyn FnMut() -> bool) -> Next {
        let k = self.k + 1;
        if self.resamples() {
            self.resample(self.draw_of(k), true);
        }
        self.take_batch(k);
        self.control.scalars(k, &mut self.trial);
        self.stages.prepare(k, self.iteration, &self.trial, stop);
        self.stages.try_last(k, self.iteration, &self.trial, stop);
        if self.is_stopped() {
            return Next::Continue;
        }
        if self.control.judge(k, self.stages.signals(), &self.stages) == Verdict::Reject {
            self.rejected += 1;
            return Next::Continue;
        }
        self.stages.accept();
        std::mem::swap(&mut self.scalars, &mut self.trial);
        self.k = k;
        if self.resamples() {
            self.resample(self.draw_after(k), true);
        }
        self.take_next_batch(k);
        self.control.accepted(k, &mut Inputs { stages: &mut self.stages, report: &mut self.report })
    }

    /// Puts the state at the start point and lets the control begin a pass.
    pub(crate) fn begin(&mut self) {
        self.begun += 1;
        self.pass = self.begun;
        for (part, values) in self.start.iter().enumerate() {
            self.stages.part_mut(part).copy_from_slice(values);
        }
        self.control.begin(&mut Inputs { stages: &mut self.stages, report: &mut self.report });
        self.control.scalars(self.k + 1, &mut self.scalars);
    }

    /// Begins a pass from another start.
    pub(crate) fn begin_at(&mut self, start: MovedStart) {
        self.put_start(&start);
        self.moved.push(Arc::new(start));
        self.best = None;
        self.begin();
    }

    /// Takes over the starts of a snapshot.
    pub(crate) fn recall_starts(&mut self, moved: &[Arc<MovedStart>]) {
        if let Some(last) = moved.last() {
            self.put_start(last);
        }
        self.moved = moved.to_vec();
    }

    /// Goes on within a pass, the last one that had begun.
    pub(crate) fn recall_pass(&mut self, pass: u64) {
        (self.pass, self.begun) = (pass, self.begun.max(pass));
    }

    fn put_start(&mut self, start: &MovedStart) {
        for (part, values) in self.start.iter_mut().zip(&start.point) {
            part.iter_mut().zip(values).for_each(|(slot, v)| *slot = T::from_f64(*v));
        }
    }

    /// Gives the control back what it had learnt.
    pub(crate) fn load_control(&mut self, saved: &[u8]) {
        self.control.load(saved, &mut Inputs { stages: &mut self.stages, report: &mut self.report });
    }

    /// Objectives and residuals of the current state, with the scalars of the iteration that made it.
    pub(crate) fn report(&mut self) -> Report {
        for (scalar, value) in self.iteration.scalars.iter().zip(&self.scalars) {
            self.report.set_scalar(scalar.input, *value);
        }
        for (part, state) in self.iteration.state.iter().enumerate() {
            self.report.set(state.input, self.stages.part(part));
        }
        self.report.run();
        self.iteration.report.read(|i| self.report.scalar(i))
    }

    /// How many iterations a look at the iterate is worth; 0 where nobody would notice it. A look takes some gradients, and
    /// a tenth of the run's work is its share.
    pub(crate) fn rare_looks(&self) -> u64 {
        if self.report.flops() < NOTICEABLE {
            return 0;
        }
        10 * LOOK * self.k / self.gradients().max(1)
    }

    /// The lower residual of the start point's lower variables at the current x.
    pub(crate) fn start_residual(&mut self) -> f64 {
        for (part, (state, start)) in self.iteration.state.iter().zip(&self.start).enumerate() {
            let values = if self.is_lower(state) { start.as_slice() } else { self.stages.part(part) };
            self.report.set(state.input, values);
        }
        self.report.run();
        self.iteration.report.read(|i| self.report.scalar(i)).lower_residual
    }

    /// The state at the start point in f64.
    pub(crate) fn start_point(&self) -> Vec<Vec<f64>> {
        self.start.iter().map(|part| part.iter().map(|v| v.to_f64()).collect()).collect()
    }

    /// The state in f64.
    pub(crate) fn point(&self) -> Vec<Vec<f64>> {
        let parts = 0..self.iteration.state.len();
        parts.map(|part| self.stages.part(part).iter().map(|v| v.to_f64()).collect()).collect()
    }

    /// Puts values of the lower variables into a point: further parts of the state that start from one follow it.
    pub(crate) fn put_lower(&self, point: &mut [Vec<f64>], lower: &[Vec<f64>]) {
        let first = self.problem.range(LevelId::LOWER).start;
        for (values, state) in point.iter_mut().zip(&self.iteration.state) {
            if let Start::Variable(variable) = state.start
                && self.is_lower(state)
            {
                values.copy_from_slice(&lower[variable - first]);
            }
        }
    }

    /// True for a part of the state that starts where a lower variable does.
    pub(crate) fn is_lower(&self, state: &State) -> bool {
        matches!(state.start, Start::Variable(v) if self.problem.range(LevelId::LOWER).contains(&v))
    }

    /// Objectives and residuals of a point, computed in f64.
    pub(crate) fn report_at(&mut self, point: &[Vec<f64>]) -> Result<Report, Box<Diagnostic>> {
        let report = match &mut self.exact {
            Some(report) => report,
            none => none.insert(BoundProgram::new(
                &self.iteration.report.function,
                self.problem,
                &self.data,
                self.options.threads,
            )?),
        };
        for parameter in &self.iteration.parameters {
            if report.has_input(parameter.input) {
                let values: Vec<f64> = self.stages.parameter(parameter.input).iter().map(|v| v.to_f64()).collect();
                report.set(parameter.input, &values);
            }
        }
        for (scalar, value) in self.iteration.scalars.iter().zip(&self.scalars) {
            report.set_scalar(scalar.input, *value);
        }
        for (state, values) in self.iteration.state.iter().zip(point) {
            report.set(state.input, values);
        }
        report.run();
        Ok(self.iteration.report.read(|i| report.scalar(i)))
    }

    /// The solver of the lower level, compiled when it is first asked for.
    pub(crate) fn lower_solver(&mut self) -> Result<&mut LowerSolver, Box<Diagnostic>> {
        Ok(match &mut self.lower_solver {
            Some(solver) => solver,
            none => none.insert(LowerSolver::new(self.problem, &self.data, self.options.threads)?),
        })
    }

    /// Gives back the memory of programs that are made when they are asked for.
    pub(crate) fn release_programs(&mut self) {
        (self.lower_solver, self.exact) = (None, None);
    }

    /// Lets the solver of the lower level select other tasks.
    pub(crate) fn select_lower(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.lower_solver.as_mut().map_or(Ok(()), |solver| solver.select(rows))
    }

    /// The metrics that the rows have, of the current state.
    pub(crate) fn metrics(&mut self) -> Vec<Option<f64>> {
        if self.metrics.is_empty() {
            return Vec::new();
        }
        let point = self.point();
        let multipliers = self.multipliers_of_state(&point);
        let variables = &point[..self.problem.variables().count()];
        self.metrics.row(self.problem, &self.data, &self.options, (variables, multipliers))
    }

    /// All metrics of the end point, and what there is to say of them.
    pub(crate) fn evaluate(
        &mut self,
        ending: &Ending,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Evaluated, Box<Diagnostic>> {
        let variables = &ending.point[..self.problem.variables().count()];
        let multipliers = self.reported_multipliers(ending);
        self.metrics.end(self.problem, &self.data, &self.options, (variables, multipliers), stop)
    }
}

/// Number of entries of a part of the state.
fn length(state: &State, data: &Bindings) -> usize {
    let sizes = state.shape.sizes(&data.sizes);
    sizes.expect("the shapes of states are those of variables, whose sizes are known").iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, data, polished, problem, solved};
    use crate::iteration::control::NextState;
    use crate::iteration::control::Schedules;
    use crate::options::request::Request;
    use crate::pipeline::{Prepared, prepare};
    use crate::solution::trace::PassStart;

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

        fn save(&self, to: &mut Vec<u8>) {
            to.push(u8::from(self.tried));
        }

        fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
            self.tried = saved == [1];
        }
    }

    #[test]
    fn rows_know_their_pass_and_the_last_one_is_of_the_end_that_is_returned() {
        let one = solved(LASSO, &Request::new("meha:better").set("max_iter", "20"));
        assert!(one.rows.iter().all(|row| row.pass == 1));
        let two = solved(LASSO, &Request::new("meha:auto"));
        let passes: Vec<u64> = two.rows.iter().map(|row| row.pass).collect();
        let (last, others) = passes.split_last().unwrap();
        assert!(others.is_sorted() && others.contains(&1) && others.contains(&2), "{passes:?}");
        // the second one ends at a worse point
        let upper = two.rows.last().unwrap().upper;
        assert!(*last == 1 && (upper + 0.501).abs() < 1e-6, "{passes:?} {upper}");
    }

    #[test]
    fn a_pass_from_a_better_point_says_so_and_has_a_number_of_its_own() {
        let wells = "upper { var x in [-1, 1]  minimize (x - 1/4)^2 + (y - 1)^2 }
            lower { var y in [-2, 2]  minimize (y^2 - 1)^2 + x*y }  start { x = 1/2;  y = 1 }";
        let s = polished(wells, &Request::new("meha"));
        let better = s.rows.iter().position(|row| row.from == PassStart::Better).expect("the run goes on elsewhere");
        let (before, after) = s.rows.split_at(better);
        assert!(before.iter().all(|row| row.from == PassStart::Start) && before.len() > 1);
        assert!(after.iter().all(|row| row.from == PassStart::Better));
        let latest = before.iter().map(|row| row.pass).max().unwrap();
        assert_eq!((latest, after[0].pass), (2, 3), "the first start had two passes");
    }

    #[test]
    fn a_rejected_step_costs_work_and_changes_nothing_else() {
        let problem = problem(LASSO);
        let data = data(&problem);
        let Prepared { settings, built, .. } = prepare(&problem, &Request::new("meha:better")).unwrap();
        let iteration = &built.iteration;
        let plain = Box::new(Schedules::of(&iteration.scalars));
        let bold = Box::new(Bold { schedules: Schedules::of(&iteration.scalars), tried: false, judged: Vec::new() });
        let mut plain = Run::<f64>::under(plain, &problem, &data, &settings, iteration).unwrap();
        let mut bold = Run::<f64>::under(bold, &problem, &data, &settings, iteration).unwrap();
        plain.begin();
        bold.begin();
        for _ in 0..20 {
            plain.attempt(&mut || false);
            bold.attempt(&mut || false);
            bold.attempt(&mut || false);
        }
        let half_way = bold.snapshot();
        bold.attempt(&mut || false);
        bold.attempt(&mut || false);
        bold.restore(&half_way);
        assert_eq!((bold.k, bold.rejected, bold.steps()), (20, 20, 40));
        assert_eq!(bold.snapshot().state, plain.snapshot().state);
        assert_eq!(bold.report(), plain.report());
        bold.attempt(&mut || false);
        assert_eq!((bold.k, bold.rejected), (20, 21));
    }
}
