//! Other lower levels that lead to solutions of this one: f with a small part of F, which prefers the solution that the
//! upper level likes, and f with its kinks rounded off, which can be solved by steps along gradients.

use blo_engine::calculus::rounded as without_kinks;
use blo_engine::elementwise;
use blo_engine::graph::{Formal, Function, Graph, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};

use super::newton::Newton;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Direction, Part, ProblemGraph};
use crate::lower::solve::LowerSolver;

/// Shares of F's slope in f's, one after the other. The last solve of f alone takes back what they move off the solutions;
/// along solutions that fill a plane it leaves them where F is least.
const TILTS: [f64; 3] = [1e-2, 1e-4, 1e-6];

/// Radii of rounded kinks, one after the other, each starting from the end of the one before.
const RADII: [f64; 3] = [1e-2, 1e-4, 1e-6];

/// A problem with another lower objective.
pub(super) struct Variant {
    problem: Problem,
    solver: Option<LowerSolver>,
    newton: Option<Newton>,
}

impl Variant {
    fn new(problem: &Problem, objective: Function) -> Variant {
        let mut problem = problem.clone();
        problem.levels[LevelId::LOWER.index()].objective = objective;
        Variant { problem, solver: None, newton: None }
    }

    /// The solver of its lower level; `None` where the memory cannot be had.
    pub(super) fn solver(&mut self, data: &Bindings, threads: u64) -> Option<&mut LowerSolver> {
        if self.solver.is_none() {
            self.solver = LowerSolver::new(&self.problem, data, threads).ok();
        }
        self.solver.as_mut()
    }

    /// The solver of its lower level with kinks; `None` where it does not apply or the memory cannot be had.
    pub(super) fn newton(&mut self, data: &Bindings, threads: u64) -> Option<&mut Newton> {
        if self.newton.is_none() {
            self.newton = Newton::new(&self.problem, data, threads).ok().flatten();
        }
        self.newton.as_mut()
    }
}

/// f without its kinks; nothing where it has none that can be rounded.
pub(super) fn rounded(problem: &Problem) -> Vec<Variant> {
    let Some(f) = without_kinks(&problem.lower().objective) else { return Vec::new() };
    RADII.iter().map(|radius| Variant::new(problem, of_radius(problem, &f, *radius))).collect()
}

/// A function of the formals from one that has a radius as its last input.
fn of_radius(problem: &Problem, f: &Function, radius: f64) -> Function {
    let formals = &problem.formals[..f.inputs.len() - 1];
    let mut g = Graph::new();
    let input = |(i, formal): (usize, &Formal)| g.input(i, formal.shape.clone(), formal.elem);
    let mut args: Vec<NodeId> = formals.iter().enumerate().map(input).collect();
    args.push(g.constant(radius));
    let value = f.instantiate(&mut g, &args)[0];
    Function::new(f.name.clone(), &g, formals.to_vec(), &[value])
}

/// `f + eps F` for each of [`TILTS`], with eps such that the slope of F is that share of f's at a point; nothing where F does
/// not depend on y.
pub(super) fn tilted(problem: &Problem, data: &Bindings, x: &[Vec<f64>], y: &[Vec<f64>]) -> Vec<Variant> {
    let (f, upper) = (&problem.lower().objective, &problem.upper().objective);
    if !problem.lower_inputs().iter().any(|i| upper.depends_on(*i)) {
        return Vec::new();
    }
    let Some([of_f, of_upper]) = slopes(problem, data, x, y) else { return Vec::new() };
    let share = if of_f > 0.0 && of_upper > 0.0 { of_f / of_upper } else { 1.0 };
    let variant = |tilt: &f64| {
        let mut g = Graph::new();
        let input = |(i, formal): (usize, &Formal)| g.input(i, formal.shape.clone(), formal.elem);
        let args: Vec<NodeId> = problem.formals.iter().enumerate().map(input).collect();
        let [f, upper] = [f, upper].map(|part| part.instantiate(&mut g, &args[..part.inputs.len()])[0]);
        let eps = g.constant(tilt * share.clamp(1e-12, 1e12));
        let small = g.mul(eps, upper);
        let sum = g.add(f, small);
        Variant::new(problem, Function::new("f + eps F", &g, problem.formals.clone(), &[sum]))
    };
    TILTS.iter().map(variant).collect()
}

/// Sizes of `f_y` and `F_y`, the larger of two: at the point and at a point near it, since solutions have no slope, and at
/// an x with several of them no y has.
fn slopes(problem: &Problem, data: &Bindings, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<[f64; 2]> {
    let mut p = ProblemGraph::new(problem);
    let (at_x, at_y) = (p.x(), p.y());
    let size = |p: &mut ProblemGraph<'_>, part: Part| {
        let slope: Direction = p.gradient(part, LevelId::LOWER, &at_x, &at_y);
        let squares = slope.iter().flatten().fold(None, |sum: Option<NodeId>, d| {
            let square = p.graph.mul(*d, *d);
            let total = p.graph.sum_all(square);
            Some(sum.map_or(total, |s| p.graph.add(s, total)))
        });
        let squares = squares.unwrap_or_else(|| p.graph.constant(0.0));
        p.graph.elementwise(elementwise::SQRT, &[squares])
    };
    let outputs = [size(&mut p, Part::Smooth), size(&mut p, Part::Upper)];
    let function = p.function("slopes", &outputs);
    let mut machine = BoundProgram::<f64>::new(&function, problem, data, 1).ok()?;
    let inputs: Vec<usize> = problem.upper_inputs().into_iter().chain(problem.lower_inputs()).collect();
    let mut found = [0.0f64; 2];
    for moved in [0.0, 1.0] {
        for (input, values) in inputs.iter().zip(x.iter().chain(y)) {
            let values: Vec<f64> = values.iter().map(|v| v + moved * (0.1 * v.abs()).max(1e-3)).collect();
            machine.set(*input, &values);
        }
        machine.run();
        for (to, i) in found.iter_mut().zip(0..) {
            let size = machine.scalar(i);
            *to = if size.is_finite() { to.max(size) } else { *to };
        }
    }
    Some(found)
}
