//! A run that begins where an earlier one has ended. Residuals are measured against their start; that of such a run may be
//! a solution already, so its residuals say nothing of the problem's scale. They are measured against the start that the
//! file states instead. And where the first point is a solution, a method must not leave it to come back: some have to
//! (MEHA raises its penalty in stages), so the test is the problem's own and not the method's.

use blo_engine::data::symmetric;
use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::report;
use crate::formula::start_point::start_point;
use crate::hypergradient::adjoint::{Adjoint, Total};
use crate::iteration::Built;
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::run::progress::{AtOnce, Progress};
use crate::run::state::Run;
use crate::solution::Status;
use crate::tolerances::POLISHED;

/// Most evaluations of a lower solve.
const MOST: u64 = 20_000;

/// Directions in which a stationary point is told from a maximizer or a saddle, and how far, against the size of x.
const DIRECTIONS: u64 = 3;
const NEAR: f64 = 1e-3;

/// A relative difference of upper objectives that does not count.
const SAME: f64 = 1e-9;

/// Bound start values that fit the variables: those of a checkpoint may be of another problem, which is refused later.
pub(crate) fn that_fit(start: &[(usize, Vec<f64>)], problem: &Problem, data: &Bindings) -> Vec<(usize, Vec<f64>)> {
    let length = |formal: usize| {
        let variable = problem.variables().nth(formal)?;
        Some(variable.shape.sizes(&data.sizes).ok()?.iter().product::<usize>())
    };
    start.iter().filter(|(formal, values)| length(*formal) == Some(values.len())).cloned().collect()
}

/// After the begin of a run from bound values.
///
/// # Errors
/// When the memory cannot be allocated.
pub(crate) fn begin<T: Scalar>(
    run: &mut Run<'_, T>,
    progress: &mut Progress,
    built: &Built,
) -> Result<(), Box<Diagnostic>> {
    let (problem, given) = (run.problem, run.given);
    let stated = Bindings { start: Vec::new(), ..given.clone() };
    let mut other = Run::<T>::new(problem, &stated, run.settings, built)?;
    other.begin();
    let there = other.report();
    let start_residual = other.start_residual();
    // a file may state a start outside of the domain, and another start mends it
    let is_sound = there.first_bad().is_none() && !other.is_stopped();
    if is_sound {
        progress.reference.see(0, &there);
        progress.reference.see_start(start_residual);
        run.control.measure_against(there.upper_residual.unwrap_or(0.0));
    }
    drop(other);
    // with rows, points are judged at the end
    if !is_sound || run.is_stopped() || problem.upper().variables.is_empty() || problem.has_rows() {
        return Ok(());
    }
    let threads = run.options.threads;
    let mut test = SolutionTest::new(problem, given, threads)?;
    let [point, stated] = [given, &stated].map(|data| start_point(problem, data, threads));
    if let Some(residual) = test.solution(&point?, &stated?, run.options.tol) {
        // a control may have taken steps from the start before the first iteration
        for (part, values) in run.start.iter().enumerate() {
            run.stages.part_mut(part).copy_from_slice(values);
        }
        progress.at_once = Some(AtOnce { status: Status::Converged, upper_residual: residual });
    }
    Ok(())
}

/// Is a point a solution?
struct SolutionTest {
    adjoint: Adjoint,
    lower: LowerSolver,
    /// The lower residual.
    residual: BoundProgram<f64>,
    /// `x - Proj_X(x - d)`, from x in the place of the variables and d in that of their gradients.
    projection: BoundProgram<f64>,
    /// Inputs of d.
    inputs: Vec<usize>,
    /// Upper variables.
    upper: usize,
}

impl SolutionTest {
    fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<SolutionTest, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let d = p.point("d", LevelId::UPPER);
        let inputs = d.nodes.iter().map(|node| p.position(*node)).collect();
        let moved: Vec<NodeId> = p.x().nodes.iter().zip(&d.nodes).map(|(x, d)| p.graph.sub(*x, *d)).collect();
        let moved = p.project_upper(&moved, "x - d");
        let function = p.function("x moved into its sets", &moved.nodes);
        let mut r = ProblemGraph::new(problem);
        let (x, y) = (r.x(), r.y());
        let residual = report::lower_residual(&mut r, &x, &y);
        let residual = r.function("lower residual", &[residual]);
        Ok(SolutionTest {
            adjoint: Adjoint::new(problem, data, threads)?,
            lower: LowerSolver::new(problem, data, threads)?,
            residual: BoundProgram::new(&residual, problem, data, threads)?,
            projection: BoundProgram::new(&function, problem, data, threads)?,
            inputs,
            upper: problem.upper().variables.len(),
        })
    }

    /// The upper residual of a solution: its lower level is solved, its hypergradient is small, both against the stated
    /// start, and x is no maximizer: no point near it is better.
    fn solution(&mut self, point: &[Vec<f64>], stated: &[Vec<f64>], tolerance: f64) -> Option<f64> {
        let small = |value: f64, reference: f64| value <= tolerance * if reference > 0.0 { reference } else { 1.0 };
        if !small(self.lower_residual(point), self.lower_residual(stated)) {
            return None;
        }
        let (x, y) = point.split_at(self.upper);
        let here = self.adjoint.at(x, y);
        let residual = self.upper_residual(x, &here)?;
        let there = self.solved(&mut stated.to_vec())?;
        let reference = self.upper_residual(&stated[..self.upper], &there).unwrap_or(0.0);
        (small(residual, reference) && !self.is_better_nearby(point, here.value)).then_some(residual)
    }

    fn lower_residual(&mut self, point: &[Vec<f64>]) -> f64 {
        for (input, values) in point.iter().enumerate() {
            self.residual.set(input, values);
        }
        self.residual.run();
        self.residual.scalar(0)
    }

    /// `|x - Proj_X(x - G)|`.
    fn upper_residual(&mut self, x: &[Vec<f64>], at: &Total) -> Option<f64> {
        let moved = self.moved(x, at.total.as_ref()?);
        let squares = moved.iter().flatten().zip(x.iter().flatten()).map(|(a, b)| (a - b).powi(2));
        Some(squares.sum::<f64>().sqrt()).filter(|r| r.is_finite())
    }

    /// `Proj_X(x - d)`.
    fn moved(&mut self, x: &[Vec<f64>], d: &[Vec<f64>]) -> Vec<Vec<f64>> {
        for (input, values) in x.iter().enumerate() {
            self.projection.set(input, values);
        }
        for (input, values) in self.inputs.iter().zip(d) {
            self.projection.set(*input, values);
        }
        self.projection.run();
        (0..self.upper).map(|i| self.projection.output(i).to_vec()).collect()
    }

    /// Derivatives at a point once its lower level is solved; `None` where it cannot be.
    fn solved(&mut self, point: &mut [Vec<f64>]) -> Option<Total> {
        let start = LowerStart { point, reference: None, tolerance: POLISHED, limit: MOST };
        let lower = self.lower.solve(&start, &mut || false);
        if !lower.solved {
            return None;
        }
        let (x, y) = point.split_at_mut(self.upper);
        y.clone_from_slice(&lower.values);
        Some(self.adjoint.at(x, y))
    }

    fn is_better_nearby(&mut self, point: &[Vec<f64>], value: f64) -> bool {
        let (x, _) = point.split_at(self.upper);
        let far = NEAR * x.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        for direction in 0..DIRECTIONS {
            let mut random = symmetric(0, direction, "near a solution");
            let step: Vec<Vec<f64>> = x.iter().map(|v| v.iter().map(|_| far * random()).collect()).collect();
            for sign in [1.0, -1.0] {
                let d: Vec<Vec<f64>> = step.iter().map(|v| v.iter().map(|s| sign * s).collect()).collect();
                let mut other = self.moved(x, &d);
                other.extend(point[self.upper..].iter().cloned());
                if let Some(there) = self.solved(&mut other)
                    && there.value < value - SAME * value.abs().max(1.0)
                {
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use blo_engine::data::Array;
    use blo_engine::model::Bindings;

    use crate::fixture::{Keeper, LASSO, data, problem};
    use crate::method::METHODS;
    use crate::options::request::Request;
    use crate::run::checkpoint::Checkpoint;
    use crate::run::observer::Silent;
    use crate::solution::{Solution, Status};
    use crate::{resume, solve};

    const RIDGE: &str = "upper { var x in [0, 5]  minimize normsq(y - 1) + 0.3*x^2 }
        lower { var y[2]  minimize 1/2*normsq(y - 2) + x*normsq(y) }  start { x = 3 }";

    /// The start values of a result, in the place of the file's.
    fn warm(text: &str, from: &[(&str, &[f64])]) -> (blo_engine::model::Problem, Bindings) {
        let problem = problem(text);
        let mut data = data(&problem);
        for (name, values) in from {
            let shape = if problem.variables().any(|v| v.name == *name && v.shape.is_scalar()) {
                Vec::new()
            } else {
                vec![values.len()]
            };
            data.start_from(&problem, name, Array::new(shape, values.to_vec())).unwrap();
        }
        (problem, data)
    }

    fn run(text: &str, from: &[(&str, &[f64])], request: &Request) -> Solution {
        let (problem, data) = warm(text, from);
        solve(&problem, &data, request, &mut Silent).unwrap()
    }

    fn values<'s>(solution: &'s Solution, name: &str) -> &'s [f64] {
        &solution.variable(name).unwrap().values
    }

    #[test]
    fn from_a_solution_every_method_has_converged_at_once() {
        let first = run(RIDGE, &[], &Request::new("cg"));
        let (x, y) = (values(&first, "x"), values(&first, "y"));
        for method in METHODS {
            let name = method.entry.name;
            let (problem, data) = warm(RIDGE, &[("x", x), ("y", y)]);
            // some do not take the problem
            let Ok(second) = solve(&problem, &data, &Request::new(name), &mut Silent) else { continue };
            assert_eq!((second.status, second.iterations), (Status::Converged, 0), "{name}");
            assert!((values(&second, "x")[0] - x[0]).abs() < 1e-9, "{name}");
            assert!(second.residuals.upper < 1e-6 && second.warnings.is_empty(), "{name}: {:?}", second.warnings);
        }
    }

    #[test]
    fn a_solution_at_bounds_and_kinks_is_one() {
        let solution: &[(&str, &[f64])] = &[("x", &[0.75, 0.0]), ("y", &[0.0, -0.5])];
        for method in ["meha", "cg"] {
            let s = run(LASSO, solution, &Request::new(method));
            assert_eq!((s.status, s.iterations), (Status::Converged, 0), "{method}");
            assert!((s.upper.objective + 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_near_a_solution_is_left_for_it() {
        let first = run(RIDGE, &[], &Request::new("cg"));
        let x = [values(&first, "x")[0] + 1e-3];
        let second = run(RIDGE, &[("x", &x)], &Request::new("cg"));
        assert!(second.status == Status::Converged && second.iterations > 0);
        assert!(second.iterations < first.iterations, "{} and {}", second.iterations, first.iterations);
        assert!((values(&second, "x")[0] - values(&first, "x")[0]).abs() < 1e-5);
    }

    #[test]
    fn a_maximizer_is_no_solution() {
        let text = "upper { var x in [-2, 2]  minimize -(y - 1)^2 }  lower { var y  minimize (y - x)^2 }
            start { x = -1 }";
        let s = run(text, &[("x", &[1.0]), ("y", &[1.0])], &Request::new("cg"));
        assert!(s.iterations > 0);
    }

    #[test]
    fn values_outside_of_their_sets_are_moved_into_them() {
        let s = run(RIDGE, &[("x", &[70.0])], &Request::new("cg").set("max_iter", "0").set("polish", "0"));
        assert_eq!(values(&s, "x"), [5.0]);
    }

    #[test]
    fn the_random_search_tries_the_bound_point_first() {
        let s = run(RIDGE, &[("x", &[0.4])], &Request::new("random").set("max_iter", "1"));
        assert!((values(&s, "x")[0] - 0.4).abs() < 1e-12, "{:?}", values(&s, "x"));
    }

    #[test]
    fn a_run_from_bound_values_goes_on_without_them() {
        // K steps from y0 in every iteration, so that the start matters to the end
        let request = Request::new("rhg").set("K", "3").set("polish", "0").set("max_iter", "8");
        let (problem, from) = warm(RIDGE, &[("x", &[2.0]), ("y", &[0.7, 0.9])]);
        let mut keeper = Keeper { at: 3, kept: None };
        let whole = solve(&problem, &from, &request, &mut keeper).unwrap();
        let kept = Checkpoint::from_bytes(&keeper.kept.expect("an iteration 3").to_bytes()).unwrap();
        let resumed = resume(&problem, &data(&problem), &request, &kept, &mut Silent).unwrap();
        let bits = |s: &Solution| values(s, "y").iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!((bits(&resumed), resumed.iterations), (bits(&whole), whole.iterations));
        let cold = solve(&problem, &data(&problem), &request, &mut Silent).unwrap();
        assert_ne!(bits(&cold), bits(&whole));
    }
}
