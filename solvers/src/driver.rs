//! The outer loop, the only one: compiles a method's iteration, runs it, looks at residuals now and then, and stops.
//! It knows no method and reads no clock of its own. Checks are rare enough not to be noticed in the time of a run;
//! when one finds a value that is not finite, the iterations since the last check are run again, one by one, to find
//! where it came from and to keep the last finite iterate.

use blo_engine::data::Array;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{Level, Problem};
use blo_engine::model::shape::Sizes;
use blo_engine::program::{Plan, Scalar, compile};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::iteration::{Iteration, Report, State};
use crate::machine::{Machine, step_roles};
use crate::message;
use crate::residual;
use crate::settings::{Request, Settings, resolve};
use crate::solution::{Failure, KnownError, LevelResult, Solution, Status, UsedOption};
use crate::stop::{Reference, Watch};
use crate::trace::{Observer, Residuals, Row, is_row, next_check};

/// Iterates have diverged when they stop being finite after growing by this factor; else they are just not finite.
const GROWTH: f64 = 1e6;

/// Iterates this much larger than the start have diverged although they are still finite: slow divergence could fill
/// any iteration limit before it overflows.
const FAR: f64 = 1e20;

/// Solves a problem with a method.
///
/// # Errors
/// Mistakes in the request, all of them; nothing is an error once iteration 0 has started.
pub fn solve(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    let (settings, iteration) = prepare(problem, request)?;
    match settings.word("precision") {
        "f32" => run::<f32>(problem, data, &settings, &iteration, observer),
        _ => run::<f64>(problem, data, &settings, &iteration, observer),
    }
}

/// The iteration of a method on a problem, as instructions in order.
///
/// # Errors
/// See [`solve`].
pub fn plan(problem: &Problem, sizes: &Sizes, request: &Request) -> Result<Plan, Vec<Diagnostic>> {
    let (settings, iteration) = prepare(problem, request)?;
    let roles = step_roles(&iteration, problem);
    let plan = match settings.word("precision") {
        "f32" => compile::<f32>(&iteration.step, sizes, &roles).map(|p| p.plan().clone()),
        _ => compile::<f64>(&iteration.step, sizes, &roles).map(|p| p.plan().clone()),
    };
    plan.map_err(|why| vec![message::cannot_compile(&why.to_string())])
}

/// The settings of a request and the iteration they give.
///
/// # Errors
/// Mistakes in the request; methods that are not built; options without a value.
pub fn prepare(problem: &Problem, request: &Request) -> Result<(Settings, Iteration), Vec<Diagnostic>> {
    let settings = resolve(problem, request)?;
    let Some(method) = settings.method.method else {
        return Err(vec![message::not_built(request.span, settings.method)]);
    };
    let missing = settings.missing();
    if !missing.is_empty() {
        let span = if settings.span == Span::default() { request.span } else { settings.span };
        return Err(vec![message::missing_options(span, settings.method, &missing)]);
    }
    let iteration = method.iteration(problem, &settings);
    Ok((settings, iteration))
}

fn run<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    iteration: &Iteration,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    let begun = observer.seconds();
    let mut run = Run::<T>::new(problem, data, settings, iteration).map_err(|d| vec![*d])?;
    let compiled = observer.seconds();
    let ending = run.iterate(observer);
    let solved = observer.seconds();
    let mut solution = run.solution(ending).map_err(|d| vec![*d])?;
    solution.compile_seconds = compiled - begun;
    solution.solve_seconds = solved - compiled;
    Ok(solution)
}

/// Everything that runs.
struct Run<'a, T: Scalar> {
    problem: &'a Problem,
    data: &'a Bindings,
    settings: &'a Settings,
    iteration: &'a Iteration,
    threads: u64,
    step: Machine<T>,
    report: Machine<T>,
    metrics: Option<Machine<T>>,
}

/// How a run ended.
struct Ending {
    status: Status,
    iterations: u64,
    report: Report,
    ignored: bool,
    rows: Vec<Row>,
    failure: Option<Failure>,
}

/// The values of the state, in its order.
type Snapshot<T> = Vec<Vec<T>>;

impl<'a, T: Scalar> Run<'a, T> {
    /// Compiles, and puts the start point in place.
    fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        settings: &'a Settings,
        iteration: &'a Iteration,
    ) -> Result<Run<'a, T>, Box<Diagnostic>> {
        let threads = settings.integer("threads");
        let machine = |function: &Function| Machine::<T>::new(function, problem, data, threads);
        let mut step = Machine::step(iteration, problem, data, threads)?;
        let report = machine(&iteration.report)?;
        let metrics = residual::metrics(problem).map(|function| machine(&function)).transpose()?;
        let mut start = machine(&problem.start)?;
        start.run();
        for state in &iteration.state {
            step.set(state.input, start.output(state.start));
        }
        for scalar in &iteration.scalars {
            step.set_scalar(scalar.input, scalar.value.at(1));
        }
        Ok(Run { problem, data, settings, iteration, threads, step, report, metrics })
    }

    /// Runs to the end.
    fn iterate(&mut self, observer: &mut dyn Observer) -> Ending {
        let last = self.settings.integer("max_iter");
        let tolerance = self.settings.number("tol");
        let every = self.settings.integer("metric_every");
        let mut watch = Watch::new(observer, self.settings.number("max_time"));
        let mut reference = Reference::default();
        let mut good = self.snapshot();
        let mut good_at = 0;
        let start_size = self.largest();
        let mut rows: Vec<Row> = Vec::new();
        let mut stopped = None;
        let mut k = 0;
        let (status, report, failure) = loop {
            let mut report = self.report(k);
            if let Some(quantity) = self.not_finite(&report) {
                let failure = self.trace_back(&good, good_at, k, quantity);
                k = failure.iteration.saturating_sub(1);
                report = self.report(k);
                let grown = failure.largest > GROWTH * start_size.max(1.0);
                break (if grown { Status::Diverged } else { Status::NotFinite }, report, Some(failure));
            }
            let size = self.largest();
            if size > FAR * start_size.max(1.0) {
                let failure = Failure { quantity: self.largest_state(), iteration: k, largest: size };
                break (Status::Diverged, report, Some(failure));
            }
            reference.see(k, &report);
            if is_row(k) || (every > 0 && k.is_multiple_of(every)) {
                self.push_row(&mut rows, k, &report, &watch, observer);
            }
            if k > 0 && reference.is_met(&report, tolerance) {
                break (Status::Converged, report, None);
            }
            if k >= last {
                break (Status::IterationLimit, report, None);
            }
            if let Some(status) = stopped {
                break (status, report, None);
            }
            self.save(&mut good);
            good_at = k;
            let mut next = next_check(k).min(last);
            if every > 0 {
                next = next.min((k + 1).next_multiple_of(every));
            }
            while k < next && stopped.is_none() {
                k += 1;
                self.advance(k);
                stopped = watch.poll(observer);
            }
        };
        if rows.last().is_none_or(|r| r.iteration != k) {
            self.push_row(&mut rows, k, &report, &watch, observer);
        }
        let ignored = failure.is_none() && k > 0 && reference.lower_level_ignored(&report);
        Ending { status, iterations: k, report, ignored, rows, failure }
    }

    /// One iteration, the k-th, counted from 1. Constant scalars are in place.
    fn advance(&mut self, k: u64) {
        for scalar in self.iteration.scalars.iter().filter(|s| s.value.as_constant().is_none()) {
            self.step.set_scalar(scalar.input, scalar.value.at(k));
        }
        self.step.run();
        self.step.accept();
    }

    /// Objectives and residuals of the current state, with the scalars of the iteration that made it.
    fn report(&mut self, k: u64) -> Report {
        for scalar in &self.iteration.scalars {
            self.report.set_scalar(scalar.input, scalar.value.at(k.max(1)));
        }
        for state in &self.iteration.state {
            self.report.set(state.input, self.step.input(state.input));
        }
        self.report.run();
        Report::from_outputs(std::array::from_fn(|i| self.report.scalar(i)))
    }

    fn push_row(&mut self, rows: &mut Vec<Row>, k: u64, report: &Report, watch: &Watch, observer: &mut dyn Observer) {
        let row = Row {
            iteration: k,
            seconds: observer.seconds() - watch.begun,
            upper: sign(&self.problem.upper) * report.upper,
            lower: sign(&self.problem.lower) * (report.smooth + report.regularizer),
            residuals: Residuals::from(report),
            metrics: self.metrics(),
        };
        observer.row(&row);
        rows.push(row);
    }

    fn metrics(&mut self) -> Vec<f64> {
        let Some(metrics) = &mut self.metrics else { return Vec::new() };
        for v in self.problem.variables() {
            metrics.set(v.formal, self.step.input(v.formal));
        }
        metrics.run();
        (0..self.problem.metrics.len()).map(|i| metrics.scalar(i)).collect()
    }

    fn snapshot(&self) -> Snapshot<T> {
        self.iteration.state.iter().map(|s| self.step.input(s.input).to_vec()).collect()
    }

    fn save(&self, to: &mut Snapshot<T>) {
        for (state, values) in self.iteration.state.iter().zip(to) {
            values.copy_from_slice(self.step.input(state.input));
        }
    }

    fn restore(&mut self, from: &Snapshot<T>) {
        for (state, values) in self.iteration.state.iter().zip(from) {
            self.step.set(state.input, values);
        }
    }

    /// The first part of the state or of the report that is not finite.
    fn not_finite(&self, report: &Report) -> Option<String> {
        self.bad_state().or_else(|| report.first_bad().map(str::to_string))
    }

    fn bad_state(&self) -> Option<String> {
        let finite = |values: &[T]| values.iter().all(|v| v.to_f64().is_finite());
        self.iteration.state.iter().find(|s| !finite(self.step.input(s.input))).map(|s| s.name.clone())
    }

    /// The largest finite absolute entry of the state.
    fn largest(&self) -> f64 {
        self.iteration.state.iter().map(|s| largest(self.step.input(s.input))).fold(0.0, f64::max)
    }

    /// The part of the state that holds it.
    fn largest_state(&self) -> String {
        let size = self.largest();
        let holds = |s: &&State| largest(self.step.input(s.input)) == size;
        self.iteration.state.iter().find(holds).map_or_else(String::new, |s| s.name.clone())
    }

    /// Finds the iteration between `from` and `to` that made something not finite, and goes back to the state before.
    fn trace_back(&mut self, good: &Snapshot<T>, from: u64, to: u64, quantity: String) -> Failure {
        if to == 0 {
            return Failure { quantity, iteration: 0, largest: self.largest() };
        }
        self.restore(good);
        let mut before = good.clone();
        for k in from + 1..=to {
            self.advance(k);
            let report = self.report(k);
            if let Some(quantity) = self.not_finite(&report) {
                let size = self.largest();
                self.restore(&before);
                return Failure { quantity, iteration: k, largest: size.max(self.largest()) };
            }
            self.save(&mut before);
        }
        unreachable!("the same iterations give the same bits")
    }

    /// Gathers the result.
    fn solution(mut self, ending: Ending) -> Result<Solution, Box<Diagnostic>> {
        let errors = self.errors(&ending.report)?;
        let values = self.metrics();
        let mut warnings = self.settings.warnings.clone();
        if ending.ignored {
            warnings.push(message::lower_level_ignored());
        }
        let report = &ending.report;
        let (upper_sign, lower_sign) = (sign(&self.problem.upper), sign(&self.problem.lower));
        let used = |s: &crate::settings::Setting| {
            let value = s.value.clone().expect("a run has no option without a value");
            UsedOption { name: s.entry.name, value, origin: s.origin }
        };
        let counts = self.iteration.counts.times(ending.iterations);
        Ok(Solution {
            problem: self.problem.name.clone(),
            method: self.settings.method.name,
            preset: self.settings.preset.clone(),
            status: ending.status,
            iterations: ending.iterations,
            compile_seconds: 0.0,
            solve_seconds: 0.0,
            options: self.settings.options.iter().map(used).collect(),
            upper: LevelResult {
                objective: upper_sign * report.upper,
                smooth: upper_sign * report.upper,
                regularizer: 0.0,
                variables: self.variables(&self.problem.upper),
            },
            lower: LevelResult {
                objective: lower_sign * (report.smooth + report.regularizer),
                smooth: lower_sign * report.smooth,
                regularizer: lower_sign * report.regularizer,
                variables: self.variables(&self.problem.lower),
            },
            residuals: Residuals::from(report),
            metrics: self.problem.metrics.iter().map(|m| m.name.clone()).zip(values).collect(),
            errors,
            failure: ending.failure,
            rows: ending.rows,
            counts,
            warnings,
        })
    }

    fn variables(&self, level: &Level) -> Vec<(String, Array)> {
        let array = |formal: usize| {
            let values = self.step.input(formal).iter().map(|v| v.to_f64()).collect();
            Array::new(self.step.input_shape(formal).to_vec(), values)
        };
        level.variables.iter().map(|v| (v.name.clone(), array(v.formal))).collect()
    }

    /// Distances to what the literature knows, computed in f64.
    fn errors(&self, report: &Report) -> Result<Vec<KnownError>, Box<Diagnostic>> {
        let (function, names) = residual::known(self.problem);
        let mut machine = Machine::<f64>::new(&function, self.problem, self.data, self.threads)?;
        for v in self.problem.variables() {
            let values: Vec<f64> = self.step.input(v.formal).iter().map(|v| v.to_f64()).collect();
            machine.set(v.formal, &values);
        }
        machine.run();
        let mut errors = Vec::new();
        for (i, name) in names.into_iter().enumerate() {
            let (first, second) = (machine.scalar(2 * i), machine.scalar(2 * i + 1));
            let (dist, size) = match name.as_str() {
                // An objective: its known value, twice.
                "upper" => ((sign(&self.problem.upper) * report.upper - first).abs(), first.abs()),
                "lower" => {
                    let value = sign(&self.problem.lower) * (report.smooth + report.regularizer);
                    ((value - first).abs(), first.abs())
                }
                _ => (first, second),
            };
            errors.push(KnownError { name, dist, err: dist / size.max(1.0) });
        }
        Ok(errors)
    }
}

/// Minus one for `maximize`.
fn sign(level: &Level) -> f64 {
    if level.maximize { -1.0 } else { 1.0 }
}

/// The largest finite absolute entry.
fn largest<T: Scalar>(values: &[T]) -> f64 {
    values.iter().map(|v| v.to_f64().abs()).filter(|v| v.is_finite()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, MERELY_CONVEX, data, problem, solved};
    use crate::trace::Silent;

    fn largest_error(s: &Solution) -> f64 {
        ["x", "y1", "y2"].iter().map(|v| s.error(v).unwrap().err).fold(0.0, f64::max)
    }

    #[test]
    fn a_run_to_the_end_converges_and_says_so() {
        let s = solved(MERELY_CONVEX, &Request::new("meha:tuned"));
        assert_eq!(s.status, Status::Converged, "{:?}", s.residuals);
        assert!(largest_error(&s) < 1e-5);
        assert!(s.error("upper").unwrap().dist < 1e-8 && s.error("lower").unwrap().err < 1e-5);
        assert!(s.warnings.is_empty());
        assert_eq!(s.rows.last().unwrap().iteration, s.iterations);
        assert_eq!(s.counts.grad_upper, 2 * s.iterations);
    }

    #[test]
    fn slow_divergence_is_called_so() {
        let s = solved(MERELY_CONVEX, &Request::new("meha:paper"));
        assert_eq!(s.status, Status::Diverged);
        let failure = s.failure.clone().unwrap();
        assert_eq!(s.iterations, failure.iteration);
        assert!(failure.largest > FAR);
        assert!(s.variable("x").unwrap().values.iter().all(|v| v.is_finite()));
        assert!(s.rows.windows(2).all(|r| r[0].iteration < r[1].iteration));
    }

    #[test]
    fn overflow_is_traced_to_its_iteration_and_the_iterate_before_it_is_kept() {
        // Sane steps up to iteration 26, then one whose objective overflows; the checks are at 26 and 28.
        let request = Request::new("meha:tuned").set("beta", "0.1*(1 + 1e300*max(0, k - 26))");
        let s = solved(MERELY_CONVEX, &request);
        assert_eq!((s.status, s.iterations), (Status::Diverged, 26));
        let failure = s.failure.clone().unwrap();
        assert_eq!((failure.quantity.as_str(), failure.iteration), ("the upper objective", 27));
        assert!(s.variable("y1").unwrap().values.iter().all(|v| v.is_finite()));
        let before = solved(MERELY_CONVEX, &request.set("max_iter", "26"));
        assert_eq!(before.variable("y1"), s.variable("y1"));
    }

    #[test]
    fn a_start_outside_the_domain_is_not_finite() {
        let text = "upper { var x  minimize (x - 1)^2 }  lower { var y  minimize (y - log(x))^2 }  start { x = -1 }
            method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1 }";
        let s = solved(text, &Request::new("meha"));
        assert_eq!((s.status, s.iterations), (Status::NotFinite, 0));
        assert_eq!(s.failure.unwrap().quantity, "the lower objective");
    }

    #[test]
    fn the_same_request_gives_the_same_bits() {
        let request = Request::new("meha:better").set("max_iter", "500");
        let (a, b) = (solved(LASSO, &request), solved(LASSO, &request));
        assert_eq!(a.rows, b.rows);
        assert_eq!(a.variable("y"), b.variable("y"));
    }

    #[test]
    fn maximize_is_shown_in_the_users_sign() {
        let text = "upper { var x in [0, 3]  maximize 4*x - x^2 - (y - 1)^2 }  lower { var y  minimize (y - x)^2 }";
        let request = ["alpha=0.1", "beta=0.1", "eta=0.2", "gamma=1", "c=1"]
            .iter()
            .fold(Request::new("meha"), |r, o| r.set(o.split_once('=').unwrap().0, o.split_once('=').unwrap().1));
        let s = solved(text, &request.set("tol", "0"));
        assert_eq!(s.status, Status::IterationLimit);
        // With y = x: 4 x - x^2 - (x - 1)^2 is largest at 3/2, where it is 3.5.
        assert!((s.upper.objective - 3.5).abs() < 0.05, "{:?}", s.upper);
        assert!((s.variable("x").unwrap().values[0] - 1.5).abs() < 0.05);
    }

    #[test]
    fn a_lower_level_that_was_ignored_is_reported() {
        let text = "upper { var x  minimize x^2 + (y - 1)^2 }  lower { var y  minimize (y - x)^2 }
            method meha { alpha = 1e-10;  beta = 1e-10;  eta = 0.2;  gamma = 1;  c = 1e-9;  p = 0 }";
        let s = solved(text, &Request::new("meha").set("max_iter", "200"));
        assert_eq!(s.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["W0603"], "{s:#?}");
    }

    #[test]
    fn single_precision_runs_the_same_iteration() {
        let request = Request::new("meha:tuned").set("max_iter", "120").set("precision", "f32");
        assert!(largest_error(&solved(MERELY_CONVEX, &request)) <= 1e-3);
    }

    #[test]
    fn the_clock_and_the_key_stop_a_run() {
        struct Impatient(std::cell::Cell<f64>, bool);
        impl Observer for Impatient {
            fn seconds(&self) -> f64 {
                self.0.set(self.0.get() + 0.01);
                self.0.get()
            }
            fn interrupted(&self) -> bool {
                self.1
            }
        }
        let problem = problem(MERELY_CONVEX);
        let run = |pressed, limit: &str| {
            let request = Request::new("meha:tuned").set("tol", "0").set("max_time", limit);
            solve(&problem, &data(&problem), &request, &mut Impatient(Default::default(), pressed)).unwrap()
        };
        assert_eq!(run(false, "0.5").status, Status::TimeLimit);
        let s = run(true, "inf");
        assert_eq!((s.status, s.iterations), (Status::Interrupted, 1));
    }

    #[test]
    fn what_cannot_run_says_why() {
        let problem = problem(MERELY_CONVEX);
        let fails = |request: &Request| solve(&problem, &data(&problem), request, &mut Silent).unwrap_err();
        let d = fails(&Request::new("meha"));
        assert_eq!(d[0].code, "B0610");
        assert!(d[0].message.contains("`alpha`, `beta`, `eta`, `gamma`, `c`"), "{}", d[0].message);
        assert_eq!(fails(&Request::new("bda"))[0].code, "B0609");
        assert_eq!(fails(&Request::new("maha"))[0].help, ["did you mean `meha`?"]);
        assert_eq!(fails(&Request::new("meha:tunde"))[0].code, "B0602");
    }
}
