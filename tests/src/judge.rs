//! Runs a method on a case and judges the point it returns: the lower level solved, the upper objective against the
//! optimum, distances where the case asks for them. A point that misses the bar is not yet a wrong answer: a run may
//! end in a named local solution, or say itself that it failed.

use std::fmt::Write as _;

use blo_engine::data::Source;
use blo_engine::model::problem::Problem;
use blo_engine::model::{self, Bindings};
use blo_solvers::Observer;
use blo_solvers::solution::{Solution, Status};
use blo_solvers::{Request, solve};

use crate::case::{Case, LowerCheck, Minimum, Optimum, evaluate, value};

/// A warning about an option; all others of the solvers are about how the run ended.
const ABOUT_OPTIONS: [&str; 2] = ["W0601", "W0609"];

/// What came of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The bar is met; a remark where the point is another optimum within it.
    Solved(String),
    /// A local solution with this name, its lower level solved.
    Local(String),
    /// The bar is not met, and the run says so: a failure or a warning.
    Flagged(String),
    /// The bar is not met when the iterations run out.
    Unfinished(String),
    /// The run claims to have converged to a point that misses the bar.
    Wrong(String),
    /// The run did not start.
    Refused(String),
    /// The data is not there.
    Absent(String),
}

/// A judged run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The result, of a run that started.
    pub solution: Option<Solution>,
    /// What was measured of it.
    pub measures: Measures,
}

/// What is measured of a point. NaN where there is nothing to compare with.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// The upper objective of the last iterate.
    pub before: f64,
    /// The upper objective of the polished point.
    pub upper: f64,
    /// The upper objective of the optimum.
    pub optimum: f64,
    /// `(F - F*)/|F*|`; its numerator where `F* = 0`.
    pub gap: f64,
    /// The largest distance of an upper variable to the optimum.
    pub away: f64,
    /// The largest `err` of an upper variable.
    pub err_x: f64,
    /// The largest `err` of a lower variable.
    pub err_y: f64,
    /// The lower residual against its start.
    pub residual: f64,
    /// How far the lower objective is above its least value, relatively; zero where the residual says it all.
    pub excess: f64,
}

const NOTHING: Measures = Measures {
    before: f64::NAN,
    upper: f64::NAN,
    optimum: f64::NAN,
    gap: f64::NAN,
    away: f64::NAN,
    err_x: f64::NAN,
    err_y: f64::NAN,
    residual: f64::NAN,
    excess: f64::NAN,
};

/// Runs a request on a case.
pub fn run(case: &Case, request: &Request, observer: &mut dyn Observer) -> Outcome {
    run_on(case, &case.files, request, observer)
}

/// The same with files from elsewhere.
pub fn run_on(case: &Case, files: &dyn Source, request: &Request, observer: &mut dyn Observer) -> Outcome {
    let stopped = |verdict| Outcome { verdict, solution: None, measures: NOTHING };
    if let Some(why) = &case.absent {
        return stopped(Verdict::Absent(why.clone()));
    }
    let refused = |found: Vec<blo_grammar::diagnostic::Diagnostic>| {
        let errors: Vec<String> =
            found.iter().filter(|d| d.is_error()).map(|d| format!("{} {}", d.code, d.message)).collect();
        stopped(Verdict::Refused(errors.join("; ")))
    };
    let (problem, diagnostics) = case.program.check(&case.params);
    let Some(problem) = problem else { return refused(diagnostics) };
    let bindings = match model::bind(&problem, files, 0) {
        Ok(bindings) => bindings,
        Err(diagnostics) => return refused(diagnostics),
    };
    match solve(&problem, &bindings, request, observer) {
        Err(diagnostics) => refused(diagnostics),
        Ok(solution) => {
            let measures = measure(case, &problem, &bindings, &solution);
            let verdict = judge(case, &problem, &bindings, &solution, &measures);
            Outcome { verdict, solution: Some(solution), measures }
        }
    }
}

/// The upper objective of the last iterate, where the result holds a polished point.
fn before_polish(solution: &Solution) -> f64 {
    solution.polish.map_or(solution.upper.objective, |p| p.upper)
}

fn measure(case: &Case, problem: &Problem, bindings: &Bindings, solution: &Solution) -> Measures {
    let mut m = Measures { before: before_polish(solution), upper: solution.upper.objective, ..NOTHING };
    let mut distances: Vec<(String, f64, f64)> =
        solution.errors.iter().map(|e| (e.name.clone(), e.dist, e.err)).collect();
    m.optimum = problem.known.upper.as_ref().map_or(f64::NAN, |f| value(f, problem, bindings));
    if let Optimum::Computed(compute) = &case.optimum {
        let point = compute(problem, bindings);
        m.optimum = point.upper;
        for (name, values) in &point.variables {
            let found = solution.variable(name).expect("a variable of the problem");
            let squares: f64 = found.values.iter().zip(values).map(|(a, b)| (a - b) * (a - b)).sum();
            let size = values.iter().map(|v| v * v).sum::<f64>().sqrt();
            distances.push((name.to_string(), squares.sqrt(), squares.sqrt() / size.max(1.0)));
        }
    }
    m.gap = m.upper - m.optimum;
    if m.optimum != 0.0 {
        m.gap /= m.optimum.abs();
    }
    let of = |variables: &[model::problem::Variable], which: fn(&(String, f64, f64)) -> f64| {
        let found = distances.iter().filter(|d| variables.iter().any(|v| v.name == d.0)).map(which);
        found.fold(f64::NAN, f64::max)
    };
    m.away = of(&problem.upper().variables, |d| d.1);
    m.err_x = of(&problem.upper().variables, |d| d.2);
    m.err_y = of(&problem.lower().variables, |d| d.2);
    m.residual = solution.residuals.lower / solution.lower_reference;
    m.excess = excess(case.bar.lower, problem, bindings, solution);
    m
}

/// See [`Measures::excess`].
fn excess(check: LowerCheck, problem: &Problem, bindings: &Bindings, solution: &Solution) -> f64 {
    let least = match check {
        LowerCheck::Stationary => return 0.0,
        LowerCheck::Constant(_) => problem.known.lower.as_ref().map_or(f64::NAN, |f| value(f, problem, bindings)),
        LowerCheck::Value { least, .. } => least(solution),
        LowerCheck::Scan { from, to, .. } => {
            const STEPS: u32 = 4000;
            let mut at: Vec<Vec<f64>> = solution.upper.variables.iter().map(|v| v.1.values.clone()).collect();
            at.push(Vec::new());
            let mut least = f64::INFINITY;
            for i in 0..=STEPS {
                *at.last_mut().expect("the lower variable") =
                    vec![from + (to - from) * f64::from(i) / f64::from(STEPS)];
                least = least.min(evaluate(&problem.lower().objective, problem, bindings, &at)[0][0]);
            }
            least
        }
    };
    (solution.lower.objective - least) / least.abs().max(1.0)
}

fn judge(case: &Case, problem: &Problem, bindings: &Bindings, solution: &Solution, m: &Measures) -> Verdict {
    let bar = &case.bar;
    // NaN fails every comparison
    let within = |value: f64, limit: Option<f64>| limit.is_none_or(|l| value.abs() <= l);
    let limit = match bar.lower {
        LowerCheck::Stationary => None,
        LowerCheck::Constant(limit)
        | LowerCheck::Value { tolerance: limit, .. }
        | LowerCheck::Scan { tolerance: limit, .. } => Some(limit),
    };
    let solved_below = m.residual <= bar.residual && within(m.excess, limit);
    let inside = bar.near.is_none() || strictly_inside(problem, bindings, solution);
    let local = local_solution(case, solution).filter(|l| bar.upper.is_none_or(|tol| l.reached(m.upper, tol)));
    if solved_below && inside && within(m.gap, bar.upper) && within(m.err_x, bar.x) && within(m.err_y, bar.y) {
        if within(m.away, bar.near) {
            return Verdict::Solved(String::new());
        }
        if let Some(local) = &local {
            return Verdict::Solved(format!("local: {}", local.name));
        }
    }
    if let (true, Some(local)) = (solved_below, local) {
        return Verdict::Local(local.name);
    }
    let mut why = String::new();
    let mut miss = |holds: bool, text: String| {
        if !holds {
            let _ = write!(why, "{}{text}", if why.is_empty() { "" } else { ", " });
        }
    };
    miss(m.residual <= bar.residual, format!("lower residual {:.1e}", m.residual));
    miss(within(m.excess, limit), format!("f above its least {:.1e}", m.excess));
    miss(inside, "x at its bound".to_string());
    miss(within(m.gap, bar.upper), format!("F {:+.1e}", m.gap));
    miss(within(m.err_x, bar.x), format!("err(x) {:.1e}", m.err_x));
    miss(within(m.err_y, bar.y), format!("err(y) {:.1e}", m.err_y));
    miss(within(m.away, bar.near), format!("x away {:.2}", m.away));
    let flags: Vec<&str> =
        solution.warnings.iter().map(|w| w.code).filter(|c| c.starts_with('W') && !ABOUT_OPTIONS.contains(c)).collect();
    match solution.status {
        Status::Diverged | Status::NotFinite | Status::Unbounded | Status::Stalled => {
            Verdict::Flagged(solution.status.text().to_string())
        }
        _ if !flags.is_empty() => Verdict::Flagged(format!("{}: {why}", flags.join(" "))),
        Status::Converged => Verdict::Wrong(why),
        _ => Verdict::Unfinished(why),
    }
}

/// The local solution that the point may be.
fn local_solution(case: &Case, solution: &Solution) -> Option<Minimum> {
    match &case.optimum {
        Optimum::Known | Optimum::Computed(_) => None,
        Optimum::KnownNear(find) => find(solution),
        Optimum::KnownAmong(minima) => {
            let x = solution.upper.variables.first()?.1.values[0];
            let away = |m: &&Minimum| m.x.map_or(f64::INFINITY, |at| (at - x).abs());
            minima.iter().min_by(|a, b| away(a).total_cmp(&away(b))).filter(|m| away(m) <= 0.5).cloned()
        }
    }
}

impl Minimum {
    /// Whether an upper objective is this one's, relatively.
    fn reached(&self, upper: f64, tolerance: f64) -> bool {
        (upper - self.upper).abs() <= tolerance * if self.upper == 0.0 { 1.0 } else { self.upper.abs() }
    }
}

/// Whether every upper variable with an interval is inside of it by more than a millionth of its length.
fn strictly_inside(problem: &Problem, bindings: &Bindings, solution: &Solution) -> bool {
    problem.upper().variables.iter().all(|v| {
        let Some(set) = v.set.as_ref().filter(|s| s.set.name == "box") else { return true };
        let ends = evaluate(&set.parameters, problem, bindings, &[]);
        let end = |which: usize, i: usize| *ends[which].get(i).unwrap_or(&ends[which][0]);
        let found = solution.variable(&v.name).expect("a variable of the problem");
        found.values.iter().enumerate().all(|(i, x)| {
            let margin = 1e-6 * (end(1, i) - end(0, i)).min(1.0);
            end(0, i) + margin < *x && *x < end(1, i) - margin
        })
    })
}
