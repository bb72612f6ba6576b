//! The process of one run: it runs a method, measures it, and says its outcome as a JSON object. What is measured along the
//! way costs the run nothing: its clock stands still while it is looked at, and the method sees nothing of it.

use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, RESIDUALS};
use blo_engine::stop::{StopReason, StopToken};
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::solution::trace::Row;
use blo_solvers::{Condition, Counts, Follow, Look, Observer, Request, Solution, Status, known_errors, row_metrics};
use serde_json::Value;

use super::process::peak_memory;
use crate::clock::{self, Watched};
use crate::exit::{Exit, Failure};
use crate::input::model::Model;
use crate::input::warm::Warm;
use crate::output::console::Console;
use crate::output::measured::{CurvePoint, Kind, Number, Outcome};
use blo::output::object;
use blo::output::report::ending;

/// When a run has had enough beside its own limits.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::command) struct Budget {
    /// Seconds of iterations.
    pub(in crate::command) seconds: Option<f64>,
    /// Evaluations in gradients, of which a Hessian-vector product takes two.
    pub(in crate::command) gradients: Option<u64>,
}

/// What is measured of a run.
#[derive(Clone, Debug, Default)]
pub(in crate::command) struct Measurement {
    /// The last expectation of the problem is a condition that ends the run where it first holds.
    pub(in crate::command) until: bool,
    pub(in crate::command) budget: Budget,
    /// The quantity of a curve, if there is one.
    pub(in crate::command) curve: Option<String>,
    /// The whole result is wanted.
    pub(in crate::command) result: bool,
}

/// Seconds that an iteration may go on beyond a budget before it is cut short: what is cut short is lost, and the run goes
/// back to an iterate that it has kept.
const SLACK: f64 = 0.02;

/// The largest error of the variables that are known.
pub(in crate::command) const LARGEST_ERROR: &str = "err";

/// What a run begins with.
pub(in crate::command) struct Begin<'a> {
    pub(in crate::command) model: &'a Model,
    /// The problem of the model, with the condition as its last expectation where there is one.
    pub(in crate::command) problem: &'a Problem,
    pub(in crate::command) data: Bindings,
    pub(in crate::command) request: Request,
    pub(in crate::command) seed: u64,
    /// It begins where another run has ended.
    pub(in crate::command) warm: bool,
}

/// Runs, and says the outcome on standard output; nothing where the user stopped it before there was one.
///
/// # Errors
/// When nobody can be told.
pub(in crate::command) fn run(
    begin: Begin<'_>,
    measurement: &Measurement,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let (model, seed) = (begin.model, begin.seed);
    let key = clock::watch(clock::elapsed(), f64::INFINITY, true);
    let outcome = match measured(begin, measurement) {
        Ok(outcome) => outcome,
        // the user stopped it before it had begun to iterate, which says nothing of the method
        Err(_) if key.token().reason() == Some(StopReason::Interrupted) => return Ok(Exit::Interrupted),
        Err(found) => {
            let first = found.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str()).to_owned();
            console.diagnostics(&model.document, &found);
            Outcome::refused(seed, first)
        }
    };
    console.result(&format!("{}\n", outcome.object()))?;
    Ok(Exit::Done)
}

/// Lets a run begin where an earlier one has ended, or, where the sizes have changed, from its own start. Tells which.
pub(in crate::command) fn begin_warm(
    warm: Option<&Warm>,
    problem: &Problem,
    data: &mut Bindings,
    console: &mut Console,
) -> bool {
    let begun = warm.is_some_and(|warm| warm.start(problem, data, console).is_ok());
    if !begun {
        data.start.clear();
    }
    begun
}

/// Runs, and measures it.
///
/// # Errors
/// Why there is no run.
pub(in crate::command) fn measured(begin: Begin<'_>, measurement: &Measurement) -> Result<Outcome, Vec<Diagnostic>> {
    let Begin { problem, mut data, request, seed, warm, .. } = begin;
    let settings = blo_solvers::resolve(problem, &request)?;
    let (begun, limit) = (clock::elapsed(), settings.number("max_time"));
    let watched = clock::watch(begun, limit, true);
    data.stop = watched.token();
    let assertion = problem.expectations.last().and_then(|e| e.body.first()).filter(|_| measurement.until);
    let threads = settings.integer("threads");
    let until = assertion.map(|assertion| Condition::new(problem, &data, assertion, threads));
    let until = until.transpose().map_err(|d| vec![*d])?;
    let curve = measurement.curve.as_deref();
    let mut following = Following {
        begun,
        stop: watched.token(),
        watched,
        until,
        held: None,
        limit,
        budget: measurement.budget,
        counts: None,
        variables: curve.is_some_and(|name| name.starts_with("err")),
    };
    let solution = blo_solvers::solve(problem, &data, &request, &mut following)?;
    let seconds = clock::elapsed() - begun - solution.look_seconds;
    // the run is over, and what is asked for beside it is not stopped
    let data = Bindings { stop: StopToken::default(), ..data };
    let curve = match curve {
        Some(name) => self::curve(name, problem, &data, &solution, &row_metrics(problem, &settings))?,
        None => Vec::new(),
    };
    let mut warnings: Vec<String> = solution.warnings.iter().map(|w| w.code.to_owned()).collect();
    warnings.dedup();
    let status = match (solution.status, &following.held) {
        (Status::Stopped, Some(_)) => "held",
        (Status::Stopped, None) => "budget",
        _ => ending(&solution),
    };
    let failed =
        [Status::Diverged, Status::NotFinite, Status::Unbounded, Status::Interrupted].contains(&solution.status);
    Ok(Outcome {
        seed,
        status: status.to_owned(),
        failed,
        warm,
        refused: None,
        warnings,
        numbers: numbers(problem, &solution, &following, measurement.until, seconds),
        curve,
        result: if measurement.result { object::solution(&solution, &[]) } else { Value::Null },
    })
}

/// When the condition has first held.
#[derive(Clone, Copy, Debug)]
struct Held {
    iteration: u64,
    gradients: u64,
    seconds: f64,
}

/// Follows a run: judges its iterates, counts what it evaluates, and ends it when that is enough.
struct Following {
    begun: f64,
    stop: StopToken,
    watched: Watched,
    until: Option<Condition>,
    held: Option<Held>,
    /// The run's own limit on time.
    limit: f64,
    budget: Budget,
    /// Evaluations at the last look.
    counts: Option<Counts>,
    /// Rows hold the variables.
    variables: bool,
}

impl Following {
    /// Evaluations of the iterations.
    fn work(&self, solution: &Solution) -> Counts {
        let polish = solution.polish.map_or_else(Counts::default, |p| p.counts);
        self.counts.unwrap_or_else(|| solution.counts.minus(polish))
    }
}

impl Observer for Following {
    fn seconds(&self) -> f64 {
        clock::elapsed() - self.begun
    }

    fn interrupted(&self) -> bool {
        self.stop.reason() == Some(StopReason::Interrupted)
    }

    fn wants_variables(&self) -> bool {
        self.variables
    }

    fn follows(&self) -> Follow {
        let Budget { seconds, gradients } = self.budget;
        match (&self.until, seconds.is_some() || gradients.is_some()) {
            (Some(_), _) => Follow::Iterates,
            (None, true) => Follow::Counts,
            (None, false) => Follow::Nothing,
        }
    }

    fn seen(&mut self, look: &Look<'_>) -> bool {
        self.counts = Some(look.counts);
        let (iteration, seconds, gradients) = (look.iteration, look.seconds, look.counts.gradients());
        if let (Some(until), Some(seen), None) = (&mut self.until, &look.iterate, self.held)
            && until.holds(seen)
        {
            self.held = Some(Held { iteration, gradients, seconds });
        }
        let left = self.budget.seconds.map_or(f64::INFINITY, |budget| budget - seconds);
        let spent = left <= 0.0 || self.budget.gradients.is_some_and(|budget| gradients >= budget);
        let enough = self.held.is_some() || spent;
        // a run that ends here is not stopped once more
        self.watched.stop_in(self.limit - seconds, if enough { f64::INFINITY } else { left + SLACK });
        enough
    }
}

/// What is known of a run, the same numbers for every run of a problem.
fn numbers(problem: &Problem, s: &Solution, following: &Following, until: bool, seconds: f64) -> Vec<Number> {
    let work = following.work(s);
    let mut numbers = Vec::new();
    let mut add = |key: &str, kind, value: f64| numbers.push(Number { key: key.to_owned(), kind, value });
    add("iterations", Kind::Count, s.iterations as f64);
    if until {
        let of = |pick: fn(&Held) -> f64| following.held.as_ref().map_or(f64::NAN, pick);
        add("until_iteration", Kind::HeldCount, of(|held| held.iteration as f64));
        add("until_gradients", Kind::HeldCount, of(|held| held.gradients as f64));
        add("until_seconds", Kind::HeldSeconds, of(|held| held.seconds));
    }
    add("upper", Kind::Objective, s.upper.objective);
    add("lower", Kind::Objective, s.lower.objective);
    for name in errors(problem) {
        add(&format!("err({name})"), Kind::Error, s.error(&name).map_or(f64::NAN, |e| e.err));
    }
    for metric in &problem.metrics {
        let found = s.metrics.iter().find(|(name, _)| *name == metric.name);
        add(&metric.name, Kind::Metric, found.map_or(f64::NAN, |(_, value)| *value));
    }
    let r = &s.residuals;
    add("gap", Kind::Residual, r.gap);
    add("residual_upper", Kind::Residual, r.upper);
    add("residual_lower", Kind::Residual, r.lower);
    add("residual_method", Kind::Residual, r.method);
    let counts =
        [("grad_lower", work.grad_lower), ("grad_upper", work.grad_upper), ("hvp", work.hvp), ("prox", work.prox)];
    counts.into_iter().for_each(|(key, count)| add(key, Kind::Count, count as f64));
    add("gradients", Kind::Count, work.gradients() as f64);
    add("solve_seconds", Kind::Seconds, s.solve_seconds);
    add("seconds", Kind::Seconds, seconds);
    add("memory", Kind::Bytes, peak_memory().map_or(f64::NAN, |bytes| bytes as f64));
    numbers
}

/// The names that have errors: variables that are known, and objectives.
fn errors(problem: &Problem) -> Vec<String> {
    let known = &problem.known;
    let variables = problem.variables().zip(&known.nearest).filter(|(_, nearest)| nearest.is_some());
    let objectives =
        [("upper", &known.upper), ("lower", &known.lower)].into_iter().filter(|(_, value)| value.is_some());
    variables.map(|(v, _)| v.name.clone()).chain(objectives.map(|(name, _)| name.to_owned())).collect()
}

/// What is known of a run, by its keys.
pub(in crate::command) fn keys(problem: &Problem) -> Vec<String> {
    let mut keys: Vec<String> = ["iterations", "upper", "lower"].map(str::to_owned).to_vec();
    keys.extend(errors(problem).iter().map(|name| format!("err({name})")));
    keys.extend(problem.metrics.iter().map(|m| m.name.clone()));
    keys.extend(["gap", "residual_upper", "residual_lower", "residual_method"].map(str::to_owned));
    keys.extend(["grad_lower", "grad_upper", "hvp", "prox", "gradients"].map(str::to_owned));
    keys.extend(["solve_seconds", "seconds", "memory"].map(str::to_owned));
    keys
}

/// What a curve may show.
pub(in crate::command) fn quantities(problem: &Problem) -> Vec<String> {
    let mut names = vec!["upper".to_owned(), "lower".to_owned()];
    names.extend(RESIDUALS.map(str::to_owned));
    if problem.known.nearest.iter().any(Option::is_some) {
        names.push(LARGEST_ERROR.to_owned());
    }
    names.extend(errors(problem).iter().map(|name| format!("err({name})")));
    names.extend(problem.metrics.iter().map(|m| m.name.clone()));
    names
}

/// A quantity at the rows of a run.
fn curve(
    name: &str,
    problem: &Problem,
    data: &Bindings,
    solution: &Solution,
    metrics: &[String],
) -> Result<Vec<CurvePoint>, Vec<Diagnostic>> {
    let errors = if name.starts_with("err") {
        known_errors(problem, data, &solution.rows).map_err(|d| vec![*d])?
    } else {
        Vec::new()
    };
    let value = |(i, row): (usize, &Row)| match name {
        "upper" => row.upper,
        "lower" => row.lower,
        "residual_upper" => row.residuals.upper,
        "residual_lower" => row.residuals.lower,
        "residual_method" => row.residuals.method,
        "gap" => row.residuals.gap,
        LARGEST_ERROR => {
            let of_variables = errors[i].iter().filter(|e| solution.variable(&e.name).is_some());
            of_variables.map(|e| e.err).fold(f64::NAN, f64::max)
        }
        _ => {
            let error = errors.get(i).and_then(|all| all.iter().find(|e| format!("err({})", e.name) == name));
            let metric = || metrics.iter().position(|m| m == name).and_then(|m| row.metrics.get(m).copied().flatten());
            error.map(|e| e.err).or_else(metric).unwrap_or(f64::NAN)
        }
    };
    let point = |(i, row): (usize, &Row)| CurvePoint {
        iteration: row.iteration as f64,
        seconds: row.seconds,
        pass: row.pass,
        value: value((i, row)),
    };
    let mut points: Vec<CurvePoint> = solution.rows.iter().enumerate().map(point).collect();
    if let (Some(failure), Some(last)) = (&solution.failure, points.last().copied()) {
        let iteration = last.iteration.max(failure.iteration as f64);
        points.push(CurvePoint { iteration, value: f64::NAN, ..last });
    }
    Ok(points)
}
