//! The metrics of a run, computed in f64 whatever its precision. One that asks for followers of other tasks needs the lower
//! level solved for those: at the end always, at the rows of the table only where `metric_every` asks for it, since a row
//! must not cost more than the iterations before it. Every solve begins at the lower start, so that the value at an x does
//! not depend on the rows before it.

use blo_engine::data::Array;
use blo_engine::finite::first_not_finite;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{Metric, OtherTasks, Problem, Quotient};
use blo_engine::model::{Bindings, Bound};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Rows;
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::message;
use crate::options::run_options::RunOptions;
use crate::options::settings::Settings;
use crate::tolerances::LOWER_SOLVED;

/// Most evaluations to solve the lower level of other tasks, unless `polish` states another number.
const MOST: u64 = 2000;

/// Values of formals, by position.
pub(crate) type Inputs = Vec<(usize, Vec<f64>)>;

/// What is reported of an end point beside its objectives.
#[derive(Debug, Default)]
pub(crate) struct Evaluated {
    /// One per metric.
    pub(crate) metrics: Vec<f64>,
    /// See `Solution::followers`; multipliers that metrics and assertions read are among them.
    pub(crate) followers: Vec<(usize, Vec<f64>)>,
    /// Notes and warnings.
    pub(crate) findings: Vec<Diagnostic>,
}

/// The compiled metrics of the rows.
pub(crate) struct Metrics {
    /// Their positions in the problem.
    shown: Vec<usize>,
    machine: Option<BoundProgram<f64>>,
    /// Solvers for other tasks, by their place in the problem, once they were asked for.
    others: Vec<Option<OtherLevel>>,
}

/// The lower level of other tasks.
struct OtherLevel {
    solver: LowerSolver,
    /// Where its variables start.
    start: Vec<Vec<f64>>,
}

/// The names of the metrics that the rows of a run have, in the order of [`crate::solution::trace::Row::metrics`]: all of them but
/// those that need the lower level solved for other tasks, which `metric_every` asks for.
pub fn row_metrics(problem: &Problem, settings: &Settings) -> Vec<String> {
    shown(problem, &RunOptions::of(settings)).into_iter().map(|i| problem.metrics[i].name.clone()).collect()
}

fn shown(problem: &Problem, options: &RunOptions) -> Vec<usize> {
    let all = options.metric_every > 0;
    (0..problem.metrics.len()).filter(|i| all || !needs_others(problem, &problem.metrics[*i])).collect()
}

fn needs_others(problem: &Problem, metric: &Metric) -> bool {
    problem.other_tasks.iter().any(|o| needs(o, metric))
}

fn needs(other: &OtherTasks, metric: &Metric) -> bool {
    other.lower.variables.iter().any(|v| metric.value.depends_on(v.formal))
}

/// True where a metric reads no multipliers that nobody knows.
fn is_known(metric: &Metric, multipliers: &Inputs) -> bool {
    let unknown = |values: &[f64]| values.iter().any(|v| v.is_nan());
    !multipliers.iter().any(|(formal, values)| unknown(values) && metric.value.depends_on(*formal))
}

impl Metrics {
    /// Those of the rows.
    pub(crate) fn of_rows(
        problem: &Problem,
        data: &Bindings,
        options: &RunOptions,
    ) -> Result<Metrics, Box<Diagnostic>> {
        let shown = shown(problem, options);
        let machine = machine(problem, data, options, &shown)?;
        let others = problem.other_tasks.iter().map(|_| None).collect();
        Ok(Metrics { shown, machine, others })
    }

    /// Replaces the tasks that the rows are computed of.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.others.iter_mut().for_each(|other| *other = None);
        self.machine.as_mut().map_or(Ok(()), |machine| machine.select(rows))
    }

    /// True when rows have none.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The values for a row; `point` holds the variables. NaN where the lower level of other tasks fails, `None` where a
    /// metric reads multipliers that nobody knows.
    pub(crate) fn row(
        &mut self,
        problem: &Problem,
        data: &Bindings,
        options: &RunOptions,
        (point, multipliers): (&[Vec<f64>], Inputs),
    ) -> Vec<Option<f64>> {
        let Some(machine) = &mut self.machine else { return Vec::new() };
        for (other, level) in problem.other_tasks.iter().zip(&mut self.others) {
            if !self.shown.iter().any(|i| needs(other, &problem.metrics[*i])) {
                continue;
            }
            match solve(problem, other, level, data, options, point, &mut || false) {
                Ok(solved) => solved.values.iter().for_each(|(formal, values)| machine.set(*formal, values)),
                // There is no memory for it, and the end of the run says so.
                Err(_) => return vec![Some(f64::NAN); self.shown.len()],
            }
        }
        multipliers.iter().for_each(|(formal, values)| machine.set(*formal, values));
        run(machine, problem, point);
        let values = self.shown.iter().enumerate();
        values.map(|(i, m)| Some(machine.scalar(i)).filter(|_| is_known(&problem.metrics[*m], &multipliers))).collect()
    }

    /// All metrics of the end point, and of what they are 0/0 or not a number.
    pub(crate) fn end(
        &mut self,
        problem: &Problem,
        data: &Bindings,
        options: &RunOptions,
        (point, multipliers): (&[Vec<f64>], Inputs),
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Evaluated, Box<Diagnostic>> {
        let mut evaluated = Evaluated { followers: multipliers, ..Evaluated::default() };
        for (other, level) in problem.other_tasks.iter().zip(&mut self.others) {
            let solved = solve(problem, other, level, data, options, point, stop)?;
            if !solved.done {
                let name = &problem.tables.episodes[other.episodes].name;
                evaluated.findings.push(message::other_tasks_not_solved(
                    other.span,
                    name,
                    solved.residual,
                    solved.evaluations,
                ));
            }
            evaluated.followers.extend(solved.values);
        }
        if problem.metrics.is_empty() {
            return Ok(evaluated);
        }
        if self.shown.len() < problem.metrics.len() {
            // One copy of the data is enough.
            self.machine = None;
            self.shown = (0..problem.metrics.len()).collect();
            self.machine = machine(problem, data, options, &self.shown)?;
        }
        let Some(machine) = &mut self.machine else { return Ok(evaluated) };
        for (formal, values) in &evaluated.followers {
            machine.set(*formal, values);
        }
        run(machine, problem, point);
        if data.stop.is_set() {
            evaluated.metrics = vec![f64::NAN; problem.metrics.len()];
            evaluated.findings.push(message::metrics_not_computed());
            return Ok(evaluated);
        }
        evaluated.metrics = (0..problem.metrics.len()).map(|i| machine.scalar(i)).collect();
        let quotients = problem.metrics.iter().flat_map(|m| m.quotients.iter().map(move |q| (m, q)));
        for (i, (metric, quotient)) in quotients.enumerate() {
            let denominators = machine.output(problem.metrics.len() + i);
            let empty = denominators.iter().filter(|d| **d == 0.0).count();
            if empty > 0 {
                evaluated.findings.push(message::empty_quotient(&metric.name, quotient, empty, denominators.len()));
            }
        }
        if evaluated.metrics.iter().any(|v| !v.is_finite()) {
            let data = with_followers(problem, data, &evaluated.followers);
            for (metric, value) in problem.metrics.iter().zip(&evaluated.metrics).filter(|(_, v)| !v.is_finite()) {
                if !is_known(metric, &evaluated.followers) {
                    evaluated.findings.push(message::metric_of_unknown_multipliers(metric));
                    continue;
                }
                let piece = first_not_finite(&metric.value, &data, point);
                evaluated.findings.push(message::metric_not_finite(metric, *value, piece.as_ref()));
            }
        }
        Ok(evaluated)
    }
}

/// The data with followers of other tasks in their places.
pub(crate) fn with_followers(problem: &Problem, data: &Bindings, followers: &[(usize, Vec<f64>)]) -> Bindings {
    let first = problem.variables().count();
    let mut data = data.clone();
    for (formal, values) in followers {
        if let Bound::Real(numbers) = &mut data.values[formal - first] {
            *numbers = Array::new(numbers.shape.clone(), values.clone()).into();
        }
    }
    data
}

/// Outputs: the metrics, then the denominators of their quotients. `None` without metrics.
fn machine(
    problem: &Problem,
    data: &Bindings,
    options: &RunOptions,
    shown: &[usize],
) -> Result<Option<BoundProgram<f64>>, Box<Diagnostic>> {
    if shown.is_empty() {
        return Ok(None);
    }
    let mut p = ProblemGraph::new(problem);
    let metrics: Vec<&Metric> = shown.iter().map(|i| &problem.metrics[*i]).collect();
    let values = metrics.iter().map(|m| &m.value);
    let denominators = metrics.iter().flat_map(|m| &m.quotients).map(|q: &Quotient| &q.denominator);
    let outputs: Vec<NodeId> = values.chain(denominators).map(|f| p.of_formals(f)[0]).collect();
    let function = p.function("metrics", &outputs);
    BoundProgram::new(&function, problem, data, options.threads).map(Some)
}

fn run(machine: &mut BoundProgram<f64>, problem: &Problem, point: &[Vec<f64>]) {
    for v in problem.variables() {
        machine.set(v.formal, &point[v.formal]);
    }
    machine.run();
}

/// The lower level of other tasks, solved at an x.
pub(crate) struct Solved {
    pub(crate) values: Vec<(usize, Vec<f64>)>,
    pub(crate) residual: f64,
    pub(crate) evaluations: u64,
    pub(crate) done: bool,
}

/// Solves the lower level of other tasks at the x of a point, from its start.
fn solve(
    problem: &Problem,
    other: &OtherTasks,
    level: &mut Option<OtherLevel>,
    data: &Bindings,
    options: &RunOptions,
    point: &[Vec<f64>],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Solved, Box<Diagnostic>> {
    let level = match level {
        Some(level) => level,
        none => none.insert(OtherLevel::new(problem, other, data, options.threads)?),
    };
    let upper = problem.upper().variables.len();
    let point: Vec<Vec<f64>> = point[..upper].iter().chain(&level.start).cloned().collect();
    let limit = options.polish.filter(|n| *n > 0).unwrap_or(MOST);
    let start = LowerStart { point: &point, reference: None, tolerance: LOWER_SOLVED, limit };
    let found = level.solver.solve(&start, stop);
    let formals = other.lower.variables.iter().map(|v| v.formal);
    let values = if found.residual.is_finite() {
        found.values
    } else {
        found.values.into_iter().map(|v| vec![f64::NAN; v.len()]).collect()
    };
    Ok(Solved {
        values: formals.zip(values).collect(),
        residual: found.residual,
        evaluations: found.evaluations,
        done: found.solved,
    })
}

impl OtherLevel {
    fn new(
        problem: &Problem,
        other: &OtherTasks,
        data: &Bindings,
        threads: u64,
    ) -> Result<OtherLevel, Box<Diagnostic>> {
        let problem = problem.on_tasks(other);
        let mut start = BoundProgram::<f64>::new(&other.start, &problem, data, threads)?;
        start.run();
        let start = (0..other.lower.variables.len()).map(|i| start.output(i).to_vec()).collect();
        Ok(OtherLevel { solver: LowerSolver::new(&problem, data, threads)?, start })
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::solved;
    use crate::options::request::Request;
    use crate::solution::Solution;

    fn run(metrics: &str, request: &Request) -> Solution {
        let text =
            "upper { var x[3]  minimize normsq(x - y) + normsq(x - 1) }  lower { var y[3]  minimize normsq(y - x) }
            start { x = 1;  y = 1 }";
        solved(&format!("{text} {metrics}"), &request.clone().set("max_iter", "1"))
    }

    fn metric(s: &Solution, name: &str) -> f64 {
        s.metrics.iter().find(|m| m.0 == name).expect("a metric").1
    }

    #[test]
    fn metrics_of_a_single_precision_run_are_computed_in_double() {
        // In f32 the small number is lost beside the large one.
        let text = "metric small = (x[1]*1e9 + 1/64) - x[1]*1e9";
        for precision in ["f64", "f32"] {
            let s = run(text, &Request::new("meha").set("precision", precision));
            assert_eq!(metric(&s, "small"), 1.0 / 64.0);
            assert!(s.rows.iter().all(|r| r.metrics == [Some(1.0 / 64.0)]), "{:?}", s.rows);
        }
    }

    #[test]
    fn rows_of_the_table_have_multipliers_where_the_state_has_them() {
        let text = "upper { var x in [0, 4]  minimize (x - 1)^2 + y  subject to { u: x >= 1.5 } }
            lower { var y  minimize (y - x)^2  subject to { cap: y <= 1 } }
            metric of_lower = multiplier(cap)  metric of_upper = multiplier(u) + 1";
        for method in ["kkt", "auto"] {
            let s = solved(text, &Request::new(method));
            let last = &s.rows.last().expect("rows").metrics;
            assert!((last[0].expect("known") - 1.0).abs() < 1e-6, "{method}: {last:?}");
            assert!(s.rows.iter().all(|r| r.metrics[0].is_some() && r.metrics[1].is_none()), "{method}");
            assert!((metric(&s, "of_lower") - 1.0).abs() < 1e-6, "{method}: {:?}", s.metrics);
        }
    }

    #[test]
    fn shares_of_nothing_are_zero_and_said_to_be() {
        let text = "metric p = precision(predicted = x > 5, actual = x > 0)
            metric r = recall(predicted = x > 5, actual = x > 0)
            metric f = f1(predicted = x > 5, actual = x > 6)
            metric m = mean(x[i] for i in 1..3 if x[i] > 5)
            metric each = sum(mean(x[i] for i in 1..3 if x[i] > j - 1) for j in 1..4)";
        let s = run(text, &Request::new("meha"));
        for name in ["p", "r", "f", "m"] {
            assert_eq!(metric(&s, name), 0.0, "{name}");
        }
        let notes: Vec<&str> = s.warnings.iter().filter(|w| w.code == "N0602").map(|w| w.message.as_str()).collect();
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert_eq!(notes[0], "`precision` in metric `p` is 0/0 and counted as 0: nothing is predicted");
        assert!(notes[3].starts_with("`mean` in metric `each` is 0/0 in 3 of 4 cases"), "{notes:?}");
    }

    #[test]
    fn a_metric_that_is_not_a_number_is_located() {
        let s = run("metric ratio = (x[1] - x[1])/(x[2] - x[2])", &Request::new("meha"));
        let warning = s.warnings.iter().find(|w| w.code == "W0620").expect("a warning");
        assert!(metric(&s, "ratio").is_nan() && warning.primary.text.contains("0 / 0"), "{warning:?}");
    }
}
