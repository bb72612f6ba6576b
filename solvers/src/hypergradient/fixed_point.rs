//! Products with the derivatives of the lower level's solution map, for implicit hypergradients. A solution is a fixed point of the prox-gradient
//! step `T(x, y) = prox_{s g~}(y - s f_y(x, y))`, so
//! `dy/dx = (I - T_y)^-1 T_x` and `G = F_x + T_x' w` with `(I - T_y') w = F_y`.
//! With `P` the Jacobian of the prox, which is symmetric, `T_y' = (I - s f_yy) P`: entries that the prox holds at zero or
//! at a bound drop out, so the support of the solution and its free variables need no list of their own. Without a
//! proximal part and sets, P is the identity and the system is `s f_yy w = F_y`.

use blo_engine::diff::vjp;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::outline::{Outline, SystemOutline, SystemSolver};
use super::{Ends, Setup};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::dynamics::{LowerStep, lower_step};
use crate::lower::trajectory::Trajectory;

/// Products with the derivatives of T at a point.
pub(super) struct FixedPoint<T: Scalar> {
    /// `T_y' w`.
    lower: BoundProgram<T>,
    /// `T_x' w`.
    upper: BoundProgram<T>,
    /// `P w`; `None` where P is the identity.
    prox: Option<BoundProgram<T>>,
    places: FixedPointInputs,
    /// Lengths of the lower variables.
    lengths: Vec<usize>,
    products: u64,
}

/// Positions among the inputs, the same for all three.
#[derive(Clone, Debug)]
struct FixedPointInputs {
    /// The variables of both levels.
    variables: Vec<usize>,
    upper: usize,
    step: usize,
    adjoint: Vec<usize>,
}

impl<T: Scalar> FixedPoint<T> {
    pub(super) fn new(setup: &Setup<'_>) -> Result<FixedPoint<T>, Box<Diagnostic>> {
        let Setup { problem, data, threads, .. } = *setup;
        let (map, places) = map(problem);
        let kept: Vec<usize> = places.variables.iter().copied().chain([places.step]).collect();
        let machine = |f: &Function| BoundProgram::<T>::repeated(f, problem, data, threads, &[], &kept);
        let (upper, lower) = places.variables.split_at(places.upper);
        let lower_machine = machine(&vjp(&map, lower))?;
        Ok(FixedPoint {
            lengths: lower.iter().map(|i| lower_machine.input(*i).len()).collect(),
            lower: lower_machine,
            upper: machine(&vjp(&map, upper))?,
            prox: prox(problem).map(|f| machine(&f)).transpose()?,
            places,
            products: 0,
        })
    }

    /// Goes to the end of a trajectory, with the size of its last step; at a solution the hypergradient does not depend
    /// on it.
    pub(super) fn go_to(&mut self, t: &Trajectory<T>) {
        let upper = self.places.upper;
        let values = |variable: usize| if variable < upper { t.x(variable) } else { t.y(variable - upper) };
        self.go_to_point(&values, t.lower_step_size());
    }

    /// Goes to a point, with the size of a lower step; `values` has the variables of both levels.
    pub(super) fn go_to_point<'v>(&mut self, values: &dyn Fn(usize) -> &'v [T], step: f64)
    where
        T: 'v,
    {
        for machine in [Some(&mut self.lower), Some(&mut self.upper), self.prox.as_mut()].into_iter().flatten() {
            for (variable, input) in self.places.variables.iter().enumerate() {
                machine.set(*input, values(variable));
            }
            machine.set_scalar(self.places.step, step);
            machine.refresh();
        }
    }

    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        let machines = [Some(&mut self.lower), Some(&mut self.upper), self.prox.as_mut()];
        machines.into_iter().flatten().try_for_each(|machine| machine.select(rows))
    }

    /// True where the work is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.lower.is_stopped()
    }

    /// Number of lower entries.
    pub(super) fn len(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// The variable and its entry of a lower entry.
    pub(super) fn variable_of(&self, entry: usize) -> (usize, usize) {
        let mut entry = entry;
        for (variable, length) in self.lengths.iter().enumerate() {
            if entry < *length {
                return (variable, entry);
            }
            entry -= length;
        }
        unreachable!("an entry of the lower level")
    }

    /// `F_y`, one variable after the other.
    pub(super) fn lower_gradient(&self, ends: &Ends<T>, to: &mut [f64]) {
        let values = (0..self.lengths.len()).flat_map(|variable| ends.lower(variable));
        to.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
    }

    /// `T_y' w`
    pub(super) fn lower_product(&mut self, w: &[f64], to: &mut [f64]) {
        product(&mut self.lower, &self.places.adjoint, w, to);
        self.products += 1;
    }

    /// `P w`
    pub(super) fn prox_product(&mut self, w: &[f64], to: &mut [f64]) {
        match &mut self.prox {
            None => to.copy_from_slice(w),
            Some(machine) => product(machine, &self.places.adjoint, w, to),
        }
    }

    /// `F_x + T_x' w`
    pub(super) fn hypergradient(&mut self, ends: &Ends<T>, w: &[f64], x: &mut [Vec<T>]) {
        put(&mut self.upper, &self.places.adjoint, w);
        self.upper.run();
        self.products += 1;
        for (variable, to) in x.iter_mut().enumerate() {
            let pairs = ends.upper(variable).iter().zip(self.upper.output(variable));
            to.iter_mut().zip(pairs).for_each(|(to, (a, b))| *to = *a + *b);
        }
    }

    /// A product with a derivative of T costs one Hessian-vector product and one gradient.
    pub(super) fn counts(&self) -> Counts {
        Counts { hvp: self.products, ..Counts::default() }
    }
}

fn put<T: Scalar>(machine: &mut BoundProgram<T>, inputs: &[usize], w: &[f64]) {
    let mut w = w.iter();
    for input in inputs {
        machine.input_mut(*input).iter_mut().zip(&mut w).for_each(|(to, v)| *to = T::from_f64(*v));
    }
}

fn product<T: Scalar>(machine: &mut BoundProgram<T>, inputs: &[usize], w: &[f64], to: &mut [f64]) {
    put(machine, inputs, w);
    machine.run();
    let values = (0..inputs.len()).flat_map(|output| machine.output(output));
    to.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
}

/// T as a function: the formals of the problem and the step; an output per lower variable. The adjoints of its
/// vector-Jacobian products are the inputs after that.
fn map(problem: &Problem) -> (Function, FixedPointInputs) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let step = p.scalar("s");
    let moved = lower_step(&mut p, &x, &y, &step.into(), "T");
    let function = p.function("prox-gradient step", &moved.nodes);
    let first = function.inputs.len();
    let places = FixedPointInputs {
        variables: problem.variables().map(|v| v.formal).collect(),
        upper: problem.upper().variables.len(),
        step: p.position(step),
        adjoint: (first..first + moved.nodes.len()).collect(),
    };
    (function, places)
}

/// The product of the prox's Jacobian at `v = y - s f_y` with a vector, with the inputs of the products of [`map`];
/// `None` where the prox is the identity.
fn prox(problem: &Problem) -> Option<Function> {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let step = p.scalar("s");
    let w = p.point("w", LevelId::LOWER);
    let (product, _) = through_prox(&mut p, &x, &y, &w, step)?;
    Some(p.function("product with the prox's Jacobian", &product.nodes))
}

/// An adjoint of the step from y taken back through its prox, and the part of it that reaches the upper variables through
/// the weights of the prox; `None` where the prox is the identity.
pub(super) fn through_prox(
    p: &mut ProblemGraph<'_>,
    x: &Block,
    y: &Block,
    w: &Block,
    step: NodeId,
) -> Option<(Block, Direction)> {
    let problem = p.problem();
    let mut of_v = ProblemGraph::new(problem);
    let (x_formal, v) = (of_v.x(), of_v.point("v", LevelId::LOWER));
    let s = of_v.scalar("s");
    let moved = of_v.prox(&v.nodes, &s.into(), &x_formal, "prox");
    if moved.nodes == v.nodes {
        return None;
    }
    let upper = problem.upper().variables.iter().map(|v| v.formal);
    let wrt: Vec<usize> = v.nodes.iter().map(|n| of_v.position(*n)).chain(upper).collect();
    let product = vjp(&of_v.function("prox", &moved.nodes), &wrt);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let at = p.descend(y, &StepSize::from(step), &f_y);
    let formals = (0..problem.formals.len()).map(|i| NodeId(i as u32));
    let arguments: Vec<NodeId> = formals.chain(at).chain([step]).chain(w.nodes.iter().copied()).collect();
    let mut found = product.instantiate(&mut p.graph, &arguments);
    let weights = found.split_off(v.nodes.len()).into_iter();
    let weights = weights.map(|n| Some(n).filter(|n| p.graph.as_const(*n) != Some(0.0))).collect();
    Some((Block { name: "P w".to_string(), nodes: found }, weights))
}

/// The system and its programs, for what writes them down.
pub(super) fn outline(problem: &Problem, solver: SystemSolver) -> Outline {
    let (map, places) = map(problem);
    let (upper, lower) = places.variables.split_at(places.upper);
    Outline::System(Box::new(SystemOutline {
        ends: super::ends(problem).0,
        lower: vjp(&map, lower).named("T_y' w"),
        upper: vjp(&map, upper).named("T_x' w"),
        prox: prox(problem),
        step: places.step,
        adjoint: places.adjoint,
        solver,
    }))
}

/// What all implicit estimators compute, for `plan`.
pub(super) fn programs(problem: &Problem, _: &LowerStep) -> Vec<Function> {
    let (map, places) = map(problem);
    let (upper, lower) = places.variables.split_at(places.upper);
    let mut programs = vec![super::ends(problem).0, vjp(&map, lower), vjp(&map, upper)];
    programs.extend(prox(problem));
    programs
}
