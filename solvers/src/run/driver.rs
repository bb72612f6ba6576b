//! The outer loop, the only one: runs a method's iteration, looks at residuals now and then, and stops. It knows no
//! method and reads no clock of its own. Checks are rare enough not to be noticed in the time of a run; when one finds
//! a value that is not finite, the run goes back to the last finite iterate (`snapshot`).

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::program::{Plan, Role, Scalar, compile};
use blo_engine::shape::Sizes;
use blo_grammar::diagnostic::Diagnostic;

use crate::audit::assumption;
use crate::formula::bound_program::{roles, step_roles};
use crate::iteration::control::{Control, Next};
use crate::iteration::{Iteration, Report};
use crate::message;
use crate::method::resolve::resolve;
use crate::method::{HypergradientCheck, implementation, ready};
use crate::options;
use crate::options::request::Request;
use crate::options::settings::Settings;
use crate::run::checkpoint::Checkpoint;
use crate::run::finish::{Ending, sign};
use crate::run::progress::Progress;
use crate::run::state::Run;
use crate::run::stop::{Reference, Watch};
use crate::solution::trace::{Observer, Residuals, Row, is_row, next_check};
use crate::solution::{Failure, Solution, Status};

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
    run_from(problem, data, request, None, observer)
}

/// Goes on with a run from a checkpoint, as if it had not stopped: `max_time` alone counts anew.
///
/// # Errors
/// As [`solve`], and when the checkpoint is of another run.
pub fn resume(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    checkpoint: &Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    run_from(problem, data, request, Some(checkpoint), observer)
}

fn run_from(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    let (mut settings, iteration) = prepare(problem, request)?;
    let threads = settings.integer("threads");
    settings.warnings.extend(assumption::warnings(problem, data, settings.method, settings.span, threads)?);
    match settings.word("precision") {
        "f32" => run::<f32>(problem, data, &settings, &iteration, checkpoint, observer),
        _ => run::<f64>(problem, data, &settings, &iteration, checkpoint, observer),
    }
}

/// What a method runs on a problem, as instructions in order: programs beside the iteration, if it has any, and the
/// iteration.
///
/// # Errors
/// See [`solve`].
pub fn plan(problem: &Problem, sizes: &Sizes, request: &Request) -> Result<Vec<Plan>, Vec<Diagnostic>> {
    let (settings, iteration) = prepare(problem, request)?;
    let compiled = |function: &Function, roles: &[Role]| {
        let plan = match settings.word("precision") {
            "f32" => compile::<f32>(function, sizes, roles).map(|p| p.plan().clone()),
            _ => compile::<f64>(function, sizes, roles).map(|p| p.plan().clone()),
        };
        plan.map_err(|why| vec![message::cannot_compile(&why.to_string())])
    };
    let beside = implementation(settings.method).map_or_else(Vec::new, |m| m.programs(problem, &settings));
    let mut plans: Vec<Plan> = beside.iter().map(|f| compiled(f, &roles(f, problem))).collect::<Result<_, _>>()?;
    plans.push(compiled(&iteration.step, &step_roles(&iteration, problem))?);
    Ok(plans)
}

/// A method's hypergradient at the start, moved by noise of size `spread`, against forward mode and central differences;
/// `None` for a method that has none.
///
/// # Errors
/// See [`solve`].
pub fn check_hypergradient(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    spread: f64,
    seed: u64,
) -> Result<Option<Vec<HypergradientCheck>>, Vec<Diagnostic>> {
    let (settings, _) = prepare(problem, request)?;
    let method = implementation(settings.method).expect("`prepare` refuses methods that are not built");
    method.check_hypergradient(problem, data, &settings, (spread, seed)).map_err(|d| vec![*d])
}

/// The settings of a request and the iteration they give.
///
/// # Errors
/// Mistakes in the request; methods that are not built.
pub fn prepare(problem: &Problem, request: &Request) -> Result<(Settings, Iteration), Vec<Diagnostic>> {
    let settings = resolve(problem, request)?;
    let Some(method) = implementation(settings.method) else {
        return Err(vec![options::message::not_built(request.span, settings.method, &ready())]);
    };
    let unfit = method.suits(problem, &settings);
    if !unfit.is_empty() {
        return Err(unfit);
    }
    let iteration = method.iteration(problem, &settings);
    Ok((settings, iteration))
}

fn run<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    iteration: &Iteration,
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Solution, Vec<Diagnostic>> {
    let begun = observer.seconds();
    let control = control(problem, data, settings, iteration).map_err(|d| vec![*d])?;
    let mut run = Run::<T>::new(problem, data, settings, iteration, control).map_err(|d| vec![*d])?;
    let compiled = observer.seconds();
    run.begin();
    let mut progress = match checkpoint {
        None => run.beginning(),
        Some(checkpoint) => run.resumed(checkpoint).map_err(|d| vec![*d])?,
    };
    let before = checkpoint.map_or(0.0, |c| c.seconds);
    let mut watch = Watch::new(observer, settings.number("max_time"), before);
    let mut ending = run.iterate(&mut progress, &mut watch, observer);
    run.polish(&mut ending, &mut watch, observer).map_err(|d| vec![*d])?;
    // A limit on time is for the iterations; what is reported of their end is bounded by itself.
    let evaluated = run.evaluate(&ending, &mut || observer.interrupted()).map_err(|d| vec![*d])?;
    let solved = observer.seconds();
    let mut solution = run.solution(ending, evaluated).map_err(|d| vec![*d])?;
    solution.compile_seconds = compiled - begun;
    solution.solve_seconds = before + solved - compiled;
    Ok(solution)
}

fn control(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    iteration: &Iteration,
) -> Result<Box<dyn Control>, Box<Diagnostic>> {
    let method = implementation(settings.method).expect("`prepare` refuses methods that are not built");
    method.control(problem, data, settings, iteration)
}

impl<T: Scalar> Run<'_, T> {
    /// Runs to the end.
    fn iterate(&mut self, progress: &mut Progress, watch: &mut Watch, observer: &mut dyn Observer) -> Ending {
        let last = self.settings.integer("max_iter");
        let every = observer.checkpoint_every();
        let mut good = self.snapshot();
        let mut stopped = None;
        let (status, report, failure) = loop {
            if self.k == progress.next_check || self.steps() >= last || stopped.is_some() {
                let mut report = self.report();
                let bad = self.not_finite(&report);
                if (bad.is_some() || self.far(progress.start_size).is_some()) && self.best.is_some() {
                    // A later pass that runs away says nothing against the end of an earlier one.
                    break self.best_end(Status::IterationLimit);
                }
                if let Some(quantity) = bad {
                    let failure = self.trace_back(&good, quantity);
                    report = self.report();
                    let grown = failure.largest > GROWTH * progress.start_size.max(1.0);
                    break (if grown { Status::Diverged } else { Status::NotFinite }, report, Some(failure));
                }
                if let Some(failure) = self.far(progress.start_size) {
                    break (Status::Diverged, report, Some(failure));
                }
                progress.reference.see(self.k, &report);
                if self.k <= 1 {
                    progress.reference.see_start(self.start_residual());
                }
                progress.see_size(self.k, self.largest());
                if let Some(status) = self.finished(&progress.reference, &report, stopped) {
                    if self.control.decides_convergence() {
                        self.consider(false, true, &progress.reference);
                        break self.best_end(status);
                    }
                    break (status, report, None);
                }
                self.note(progress, &report, watch, observer);
                self.save(&mut good);
            }
            let before = self.k;
            if let Next::EndOfPass { converged, last } = self.attempt() {
                if converged && self.is_blind(progress) && self.best.is_none() {
                    break (Status::Diverged, self.report(), Some(self.runaway()));
                }
                self.consider(converged, last, &progress.reference);
                if last {
                    break self.best_end(Status::IterationLimit);
                }
                self.begin();
            }
            stopped = watch.poll(self.k, observer);
            let due = every > 0 && self.k > before && self.k.is_multiple_of(every);
            if due || every > 0 && (stopped.is_some() || self.steps() >= last) {
                self.offer_checkpoint(progress, watch, observer);
            }
        };
        if progress.rows.last().is_none_or(|r| r.iteration != self.k) {
            self.push_row(&mut progress.rows, &report, watch, observer);
        }
        let reference = progress.reference;
        let ignored = failure.is_none() && self.k > 0 && reference.lower_level_ignored(&report);
        Ending {
            status,
            report,
            before: report,
            reference,
            start_upper: progress.rows.first().map_or(0.0, |row| row.upper),
            ignored,
            rows: std::mem::take(&mut progress.rows),
            failure: failure.map(|failure| Failure { since: progress.since, ..failure }),
            point: self.point(),
            polish: None,
        }
    }

    /// The end of a run whose control decides: at the best end point of its passes.
    fn best_end(&mut self, status: Status) -> (Status, Report, Option<Failure>) {
        let converged = self.go_to_best();
        let status = if status == Status::IterationLimit && converged { Status::Converged } else { status };
        (status, self.report(), None)
    }

    /// Why the run ends here, if it does.
    fn finished(&self, reference: &Reference, report: &Report, stopped: Option<Status>) -> Option<Status> {
        if self.k > 0 && !self.control.decides_convergence() && reference.is_met(report, self.settings.number("tol")) {
            return Some(Status::Converged);
        }
        if self.steps() >= self.settings.integer("max_iter") {
            return Some(Status::IterationLimit);
        }
        stopped
    }

    /// The iterate that is too far from the start to come back.
    fn far(&self, start_size: f64) -> Option<Failure> {
        (self.largest() > FAR * start_size.max(1.0)).then(|| self.runaway())
    }

    /// True where the iterate has grown so large that its rounding is above the residuals that are asked for: that they
    /// are small says nothing then.
    fn is_blind(&self, progress: &Progress) -> bool {
        let largest = self.largest();
        let wanted = self.settings.number("tol") * progress.reference.method();
        largest > GROWTH * progress.start_size.max(1.0) && f64::EPSILON * largest > wanted
    }

    fn runaway(&self) -> Failure {
        self.failure(self.largest_state(), self.k, self.largest())
    }

    /// After a check that goes on: the row where the table has one, and the next check.
    fn note(&mut self, progress: &mut Progress, report: &Report, watch: &Watch, observer: &mut dyn Observer) {
        let (k, every) = (self.k, self.settings.integer("metric_every"));
        if is_row(k) || (every > 0 && k.is_multiple_of(every)) {
            self.push_row(&mut progress.rows, report, watch, observer);
        }
        progress.next_check = next_check(k);
        if every > 0 {
            progress.next_check = progress.next_check.min((k + 1).next_multiple_of(every));
        }
    }

    fn push_row(&mut self, rows: &mut Vec<Row>, report: &Report, watch: &Watch, observer: &mut dyn Observer) {
        let row = Row {
            iteration: self.k,
            seconds: watch.seconds(observer),
            upper: sign(&self.problem.upper()) * report.upper,
            lower: sign(&self.problem.lower()) * (report.smooth + report.regularizer),
            residuals: Residuals::from(report),
            metrics: self.metrics(),
        };
        observer.row(&row);
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, MERELY_CONVEX, data, problem, solved};
    use crate::solution::trace::Silent;

    fn largest_error(s: &Solution) -> f64 {
        ["x", "y1", "y2"].iter().map(|v| s.error(v).unwrap().err).fold(0.0, f64::max)
    }

    fn codes(s: &Solution) -> Vec<&'static str> {
        s.warnings.iter().map(|w| w.code).collect()
    }

    #[test]
    fn a_run_to_the_end_converges_and_says_so() {
        let s = solved(MERELY_CONVEX, &Request::new("meha:tuned"));
        assert_eq!(s.status, Status::Converged, "{:?}", s.residuals);
        assert!(largest_error(&s) < 1e-5);
        assert!(s.error("upper").unwrap().dist < 1e-8 && s.error("lower").unwrap().err < 1e-5);
        assert_eq!(codes(&s), ["W0609"]);
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
        let warning = &s.warnings[0];
        assert!(warning.code == "W0606" && warning.message.contains("in iteration 27"), "{warning:?}");
        assert!(warning.help[0].contains("alpha = 5.540e-1"), "{warning:?}");
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
        let d = &s.warnings[0];
        assert_eq!((d.code, d.message.as_str()), ("W0605", "the lower objective is not finite at the start"));
        assert_eq!(&text[d.primary.span.range()], "log(x)");
        assert_eq!(d.primary.text, "`log(-1)` is not a number");
        assert_eq!(d.help, ["a start that is finite: `start { x = 1 }`"]);
    }

    #[test]
    fn a_start_without_a_derivative_names_the_piece_and_stays_in_the_sets() {
        let text = "upper { var x in [2, 4]  minimize x }  lower { var y[3] in [0, 9]  minimize x*sum(1./y) }
            start { x = 3;  y = [if i == 2 then 0 else i for i in 1..3] }
            method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1 }";
        let s = solved(text, &Request::new("meha"));
        let d = &s.warnings[0];
        assert_eq!((d.code, &text[d.primary.span.range()]), ("W0605", "1./y"));
        assert_eq!(d.primary.text, "`1 / 0` is infinite in entry 2");
        assert_eq!(d.help, ["a start that is finite: `start { y = 1 }`"]);
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
        assert_eq!(codes(&s), ["W0603", "W0609"], "{s:#?}");
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
        assert_eq!(fails(&Request::new("bome"))[0].code, "B0609");
        assert_eq!(fails(&Request::new("maha"))[0].help, ["did you mean `meha`?"]);
        assert_eq!(fails(&Request::new("meha:tunde"))[0].code, "B0602");
    }
}
