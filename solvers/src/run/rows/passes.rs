//! Rows of the upper level around a method that knows none: passes of the method on the augmented Lagrangian
//! ([`blo_engine::model::augmented`]), each from where the last one has ended, with multipliers updated in between
//! (Rockafellar 1974; when rho grows as in Birgin, Martinez, Practical Augmented Lagrangian Methods, 2014). The last end is
//! then judged as that of a run of the problem itself.

use blo_engine::model::problem::{ConstraintKind, LevelId, Problem};
use blo_engine::model::{Augmented, Bindings};
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::start_point::start_point;
use crate::iteration::counts::Counts;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Follow, Look, Observer};
use crate::solution::trace::{PassStart, Row};
use crate::solution::{Solution, Status};

/// The most passes.
const PASSES: usize = 15;

/// The passes end once violation and complementarity are below this, against the size of the rows at the start or 1.
const MET: f64 = 1e-8;

/// rho grows by this factor where neither has fallen by the other in a pass, and where a pass has run away.
const GROWTH: f64 = 10.0;
const FALLS: f64 = 0.5;

/// rho at first, within these: so large that squares of violations at the start weigh as much as F.
const FIRST: [f64; 2] = [1.0, 1e3];

/// No multiplier and no rho is larger.
const MOST: f64 = 1e8;

/// The end of all passes.
pub(crate) struct Passed {
    /// The variables, by formal.
    pub(crate) start: Vec<(usize, Vec<f64>)>,
    /// A list per constraint of the upper level.
    pub(crate) multipliers: Vec<Vec<f64>>,
    /// Iterations and rejected steps.
    pub(crate) iterations: u64,
    pub(crate) rejected: u64,
    pub(crate) counts: Counts,
    pub(crate) rows: Vec<Row>,
    /// Why the passes were cut short, where they were.
    pub(crate) stopped: Option<Status>,
    /// The last pass has taken as many iterations as a pass may.
    pub(crate) at_limit: bool,
}

/// What the passes remember at a checkpoint within one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PassesMemory {
    /// The start that the caller has bound.
    pub(crate) began: Vec<(usize, Vec<f64>)>,
    /// Iterations of the passes before.
    pub(crate) iterations: u64,
    rejected: u64,
    counts: Counts,
    rows: Vec<Row>,
    /// The number of the pass, its start, its multipliers and rho.
    number: usize,
    start: Vec<(usize, Vec<f64>)>,
    multipliers: Vec<Vec<f64>>,
    rho: f64,
    /// After the last pass: what is returned if no other one updates it, and the residual.
    settled: Vec<Vec<f64>>,
    residual: f64,
}

impl PassesMemory {
    fn of(
        end: &Passed,
        began: &[(usize, Vec<f64>)],
        (number, multipliers): (usize, &[Vec<f64>]),
        [rho, residual]: [f64; 2],
    ) -> PassesMemory {
        PassesMemory {
            began: began.to_vec(),
            iterations: end.iterations,
            rejected: end.rejected,
            counts: end.counts,
            rows: end.rows.clone(),
            number,
            start: end.start.clone(),
            multipliers: multipliers.to_vec(),
            rho,
            settled: end.multipliers.clone(),
            residual,
        }
    }

    /// The end of the passes before the one at hand.
    fn before(&self) -> Passed {
        Passed {
            start: self.start.clone(),
            multipliers: self.settled.clone(),
            iterations: self.iterations,
            rejected: self.rejected,
            counts: self.counts,
            rows: self.rows.clone(),
            stopped: None,
            at_limit: false,
        }
    }
}

/// F and the rows of the upper level.
struct UpperRows {
    program: BoundProgram<f64>,
    inputs: Vec<usize>,
    equalities: Vec<bool>,
}

impl UpperRows {
    fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<UpperRows, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let mut outputs = vec![p.value(Part::Upper, &x, &y)];
        outputs.extend(p.row_values(LevelId::UPPER, &x, &y));
        let function = p.function("rows of the upper level", &outputs);
        let kinds = problem.upper().constraints.iter().map(|c| c.kind == ConstraintKind::Equality);
        Ok(UpperRows {
            program: BoundProgram::in_any_case(&function, problem, data, threads)?,
            inputs: problem.variables().map(|v| v.formal).collect(),
            equalities: kinds.collect(),
        })
    }

    /// F, and a list per constraint.
    fn at(&mut self, point: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        self.inputs.iter().zip(point).for_each(|(input, values)| self.program.set(*input, values));
        self.program.run();
        let rows = (1..=self.equalities.len()).map(|i| self.program.output(i).to_vec()).collect();
        (self.program.scalar(0), rows)
    }

    /// `max |H|` and `max |min(lam, -G)|`: zero where rows are met and multipliers belong to them.
    fn residual(&self, rows: &[Vec<f64>], multipliers: &[Vec<f64>]) -> f64 {
        let mut worst: f64 = 0.0;
        for ((rows, multipliers), equality) in rows.iter().zip(multipliers).zip(&self.equalities) {
            for (row, lam) in rows.iter().zip(multipliers) {
                let off = if *equality { row.abs() } else { lam.min(-row).abs() };
                worst = if off.is_nan() { f64::INFINITY } else { worst.max(off) };
            }
        }
        worst
    }

    /// `lam + rho G`, not negative for inequalities.
    fn update(&self, rows: &[Vec<f64>], multipliers: &mut [Vec<f64>], rho: f64) {
        for ((rows, multipliers), equality) in rows.iter().zip(multipliers).zip(&self.equalities) {
            for (row, lam) in rows.iter().zip(multipliers) {
                let moved = (*lam + rho * row).clamp(-MOST, MOST);
                *lam = if *equality { moved } else { moved.max(0.0) };
            }
        }
    }
}

/// One pass: a run on data with multipliers, on from a checkpoint in the pass where that is given, of at most so many
/// iterations. Its observer sees iterations of all passes.
pub(crate) type Pass<'p> =
    dyn FnMut(&Bindings, Option<&Checkpoint>, Option<u64>, &mut dyn Observer) -> Result<Solution, Box<Diagnostic>> + 'p;

/// How long passes go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassLimits {
    /// Iterations of all passes, where they are stated; else every pass has the method's own limit.
    pub(crate) most: Option<u64>,
    pub(crate) max_time: f64,
}

/// Runs the passes.
///
/// # Errors
/// When the memory cannot be allocated.
pub(crate) fn passes(
    (problem, relaxed): (&Problem, &Augmented),
    (data, threads, limits): (&Bindings, u64, PassLimits),
    checkpoint: Option<&Checkpoint>,
    observer: &mut dyn Observer,
    pass: &mut Pass<'_>,
) -> Result<Passed, Box<Diagnostic>> {
    let mut rows = UpperRows::new(problem, data, threads)?;
    let begun = observer.seconds();
    let start = start_point::<f64>(problem, data, threads)?;
    let (value, here) = rows.at(&start);
    let mut multipliers: Vec<Vec<f64>> = here.iter().map(|r| vec![0.0; r.len()]).collect();
    let squares: f64 = here.iter().flatten().map(|r| r * r).filter(|r| r.is_finite()).sum();
    let size = here.iter().flatten().filter(|r| r.is_finite()).fold(1.0, |m: f64, r| m.max(r.abs()));
    let mut rho = (2.0 * value.abs().max(1.0) / squares.max(1.0)).clamp(FIRST[0], FIRST[1]);
    let mut end = Passed {
        start: data.start.clone(),
        multipliers: multipliers.clone(),
        iterations: 0,
        rejected: 0,
        counts: Counts::default(),
        rows: Vec::new(),
        stopped: None,
        at_limit: false,
    };
    let mut residual = f64::INFINITY;
    let mut number = 0;
    let mut resumed = checkpoint.filter(|c| c.passes.is_some());
    if let Some(memory) = resumed.and_then(|c| c.passes.as_deref()) {
        (multipliers, rho, residual, number) = (memory.multipliers.clone(), memory.rho, memory.residual, memory.number);
        end = memory.before();
    }
    for number in number..PASSES {
        let bound = Bindings { start: end.start.clone(), ..relaxed.bound(data, Some(&multipliers), rho) };
        let memory = PassesMemory::of(&end, &data.start, (number, &multipliers), [rho, residual]);
        let from = if end.start == data.start { PassStart::Start } else { PassStart::End };
        let mut shown = InPass::new(observer, end.iterations, (number as u64, from), Some(memory));
        let left = limits.most.map(|most| most.saturating_sub(end.iterations));
        let mut solution = pass(&bound, resumed.take(), left, &mut shown)?;
        end.iterations += solution.iterations;
        end.rejected += solution.rejected;
        end.counts = end.counts.plus(solution.counts);
        let before = end.iterations - solution.iterations;
        solution.rows.iter_mut().for_each(|row| shift(row, before, number as u64, from));
        end.rows.append(&mut solution.rows);
        end.at_limit = solution.status == Status::IterationLimit;
        let cut = matches!(solution.status, Status::Interrupted | Status::TimeLimit | Status::Stopped);
        let point = variables(&solution);
        let (value, here) = rows.at(&point);
        let sound = value.is_finite() && here.iter().flatten().all(|v| v.is_finite());
        if sound {
            end.start = problem.variables().map(|v| v.formal).zip(point).collect();
        }
        if cut || observer.seconds() - begun > limits.max_time {
            end.stopped = Some(if cut { solution.status } else { Status::TimeLimit });
            break;
        }
        if limits.most.is_some_and(|most| end.iterations >= most) {
            end.stopped = Some(Status::IterationLimit);
            break;
        }
        let ran_away = matches!(solution.status, Status::Diverged | Status::NotFinite | Status::Unbounded);
        if !sound || ran_away && rho < MOST {
            end.start.clone_from(&data.start);
            rho = (GROWTH * rho).min(MOST);
            continue;
        }
        let last = residual;
        rows.update(&here, &mut multipliers, rho);
        residual = rows.residual(&here, &multipliers);
        end.multipliers.clone_from(&multipliers);
        if residual <= MET * size {
            break;
        }
        if residual > FALLS * last {
            rho = (GROWTH * rho).min(MOST);
        }
    }
    Ok(end)
}

/// The end of a run, an array per variable.
fn variables(solution: &Solution) -> Vec<Vec<f64>> {
    let levels = [&solution.upper, &solution.lower];
    levels.into_iter().flat_map(|level| &level.variables).map(|(_, array)| array.values.clone()).collect()
}

/// A row of a pass after others: `from` is where the pass began.
fn shift(row: &mut Row, before: u64, number: u64, from: PassStart) {
    row.iteration += before;
    row.pass += number;
    if row.from == PassStart::Start {
        row.from = from;
    }
}

/// What the caller sees of a pass: iterations of all passes, and checkpoints with what the passes remember.
pub(crate) struct InPass<'o> {
    inner: &'o mut dyn Observer,
    before: u64,
    number: u64,
    from: PassStart,
    memory: Option<PassesMemory>,
}

impl<'o> InPass<'o> {
    /// A pass of this number after so many iterations; without a memory it offers no checkpoints.
    pub(crate) fn new(
        inner: &'o mut dyn Observer,
        before: u64,
        (number, from): (u64, PassStart),
        memory: Option<PassesMemory>,
    ) -> InPass<'o> {
        InPass { inner, before, number, from, memory }
    }
}

impl Observer for InPass<'_> {
    fn seconds(&self) -> f64 {
        self.inner.seconds()
    }

    fn interrupted(&self) -> bool {
        self.inner.interrupted()
    }

    fn progress(&mut self, iteration: u64) {
        self.inner.progress(self.before + iteration);
    }

    fn upper(&mut self, value: f64) {
        self.inner.upper(value);
    }

    fn row_every(&self) -> u64 {
        self.inner.row_every()
    }

    fn wants_variables(&self) -> bool {
        self.inner.wants_variables()
    }

    fn follows(&self) -> Follow {
        self.inner.follows()
    }

    fn seen(&mut self, look: &Look<'_>) -> bool {
        self.inner.seen(&Look { iteration: self.before + look.iteration, ..*look })
    }

    fn checkpoint_every(&self) -> u64 {
        if self.memory.is_some() { self.inner.checkpoint_every() } else { 0 }
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let passes = self.memory.clone().map(Box::new);
        self.inner.checkpoint(&Checkpoint { passes, ..checkpoint.clone() });
    }

    fn row(&mut self, row: &Row) {
        let mut row = row.clone();
        shift(&mut row, self.before, self.number, self.from);
        self.inner.row(&row);
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::polished;
    use crate::options::request::Request;
    use crate::solution::Status;

    /// x = y = 1 with the multiplier 2: of `2 x^2` on the line.
    const COUPLED: &str = "upper { var x  minimize x^2 + y^2  subject to { low: x + y >= 2 } }
        lower { var y  minimize (y - x)^2 }  start { x = 5;  y = 0 }";

    /// The objective alone falls forever; at the row, x = 2, its slope is 12 - 1.
    const UNBOUNDED: &str = "upper { var x in [0.8, 9]  minimize -x^3 + y  subject to { most: x <= 2 } }
        lower { var y  minimize (y - x)^2 }  start { x = 1;  y = 0 }";

    /// `x1 + x2 = 1` and `x1 = 2 x2`: two equalities leave nothing to choose.
    const EQUALITIES: &str =
        "upper { var x[2]  minimize normsq(y - 3)  subject to { one: sum(x) == 1;  two: x[1] == 2*x[2] } }
        lower { var y[2]  minimize normsq(y - x) }";

    #[test]
    fn every_kind_of_method_takes_rows_of_the_upper_level() {
        for method in ["meha", "rhg", "cg", "bome", "f2sa", "bamm", "soba"] {
            let s = polished(COUPLED, &Request::new(&format!("{method}:auto")));
            let x = s.variable("x").unwrap().values[0];
            let multiplier = s.constraints[0].multiplier.as_ref().unwrap().values[0];
            assert!((x - 1.0).abs() < 1e-4 && (multiplier - 2.0).abs() < 1e-2, "{method}: {x} {multiplier}");
            assert_eq!((s.status, s.method), (Status::Converged, method));
        }
    }

    #[test]
    fn an_objective_that_only_rows_bound_is_solved() {
        for method in ["cg", "meha"] {
            let s = polished(UNBOUNDED, &Request::new(method));
            let multiplier = s.constraints[0].multiplier.as_ref().unwrap().values[0];
            assert!(
                (s.upper.objective + 6.0).abs() < 1e-5 && (multiplier - 11.0).abs() < 1e-2,
                "{method} {multiplier}"
            );
        }
    }

    #[test]
    fn an_upper_objective_without_a_least_value_ends_with_a_ray() {
        let of_x =
            "upper { var x  minimize -x + y^2  subject to { u: x >= 1 } }  lower { var y  minimize (y - 1)^2 + 0*x }";
        let along =
            "upper { var x[2]  minimize x[1] - 2*x[2]  subject to { near: x[1] >= x[2] - 3;  u: x[1] <= 10 + x[2] } }
            lower { var y[2]  minimize normsq(y - x)  subject to { a: sum(y) >= 1 } }";
        for (text, ray) in [(of_x, "x = 1,"), (along, "x = [1, 1],")] {
            for method in ["auto", "kkt", "cg", "gaffa"] {
                let s = polished(text, &Request::new(method));
                assert_eq!(s.status, Status::Unbounded, "{method}: {:?}", s.upper);
                let d = s.warnings.iter().find(|d| d.code == "W0630").expect("the ray");
                assert!(d.message.contains(ray), "{method}: {}", d.message);
                assert!(s.constraints.iter().all(|c| c.violation < 1e-6 && c.multiplier.is_none()), "{method}");
            }
        }
        // bounded below, with a slope that vanishes far away
        let flat = "upper { var x  minimize 1/(1 + x^2) + y^2  subject to { u: x >= 1 } }  lower { var y  minimize y^2 + 0*x }";
        for method in ["auto", "cg"] {
            assert_ne!(polished(flat, &Request::new(method)).status, Status::Unbounded, "{method}");
        }
    }

    #[test]
    fn a_row_that_the_end_leaves_slack_has_no_multiplier() {
        // at the optimum the row is active, with the multiplier 2.4
        let text = "upper { var x in [0, 4]  minimize (x - 3)^2 + y  subject to { u: x <= 1.3 } }
            lower { var y  minimize (y - x)^2 }";
        for (method, wanted) in [("grid", 0.0), ("random", 0.0), ("cg", 2.4)] {
            let s = polished(text, &Request::new(method));
            let x = s.variable("x").unwrap().values[0];
            assert!((x < 1.29) == (wanted == 0.0) && x <= 1.3 + 1e-6, "{method}: {x}");
            let multiplier = s.constraints[0].multiplier.as_ref().expect("known").values[0];
            assert!((multiplier - wanted).abs() < 1e-3, "{method}: {multiplier} at {x}");
        }
        // nobody knows the multiplier of a row that is violated
        let cut = polished(text, &Request::new("random").set("max_iter", "1"));
        let u = &cut.constraints[0];
        assert!(u.violation == 0.0 || u.multiplier.is_none(), "{u:?}");
    }

    #[test]
    fn equalities_are_met() {
        let s = polished(EQUALITIES, &Request::new("cg"));
        let x = &s.variable("x").unwrap().values;
        assert!((x[0] - 2.0 / 3.0).abs() < 1e-6 && (x[1] - 1.0 / 3.0).abs() < 1e-6, "{x:?}");
        assert!(s.constraints.iter().all(|c| c.violation < 1e-6), "{:?}", s.constraints);
    }

    #[test]
    fn rows_of_both_levels_are_kept() {
        let text =
            "upper { var x[3] in [0, 10]  minimize normsq(x - 2) + normsq(y)  subject to { budget: sum(x) <= 3 } }
            lower { var y[3]  minimize normsq(y - x)  subject to { cap: y <= 1/2 } }";
        // all x are 1: 2 (x - 2) + lam = 0
        let s = polished(text, &Request::new("cg"));
        let worst = s.variable("x").unwrap().values.iter().fold(0.0, |m: f64, v| m.max((v - 1.0).abs()));
        assert!(worst < 1e-6, "{:?}", s.upper);
        let [budget, cap] = [0, 1].map(|i| s.constraints[i].multiplier.as_ref().unwrap().values[0]);
        assert!((budget - 2.0).abs() < 1e-4 && (cap - 1.0).abs() < 1e-4, "{budget} {cap}");
    }
}
