//! The hypergradient of one lower-level step, its mixed derivative by a finite difference: Liu, Simonyan, Yang, ICLR 2019
//! (DARTS), eqs. (7), (8). With `y_1 = y_0 - s f_y(x, y_0)` and `w = F_y(x, y_1)`,
//! `G = F_x(x, y_1) - s (f_x(x, y_0 + e w) - f_x(x, y_0 - e w))/(2 e)`, `e = epsilon/|w|`.
//!
//! With a proximal part or a set, the adjoint first goes through the prox: `P w` takes the place of w, and the part of G
//! that comes through the prox's weights is exact. The paper has neither.

use blo_engine::elementwise;
use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::fixed_point::through_prox;
use super::{Derivatives, Ends, Estimator, Hypergradient};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::trajectory::Trajectory;

pub(super) fn entry<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "one_stage",
        explicit: true,
        of_start: false,
        nonsmooth: true,
        only_steps: Some(1),
        exact: false,
        second_derivatives: Derivatives::First,
        read: |settings| {
            let epsilon = settings.number("epsilon");
            Box::new(move |setup| {
                let (function, places) = estimate(setup.problem);
                let machine = BoundProgram::new(&function, setup.problem, setup.data, setup.threads)?;
                let lower = setup.problem.lower().variables.iter();
                let start = lower.map(|v| machine.input(v.formal).to_vec()).collect();
                Ok(Box::new(OneStage { ends: Ends::new(setup)?, machine, places, start, epsilon, runs: 0 }))
            })
        },
        programs: |problem, _| vec![super::ends(problem).0, estimate(problem).0],
        outline: |_, _, _| None,
    }
}

struct OneStage<T: Scalar> {
    ends: Ends<T>,
    machine: BoundProgram<T>,
    places: OneStageInputs,
    /// `y_0`.
    start: Vec<Vec<T>>,
    epsilon: f64,
    runs: u64,
}

/// Positions among the inputs.
struct OneStageInputs {
    adjoint: Vec<usize>,
    step: usize,
    epsilon: usize,
}

impl<T: Scalar> Hypergradient<T> for OneStage<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn objective(&mut self, t: &mut Trajectory<T>, start: &[Vec<T>]) -> f64 {
        self.start.iter_mut().zip(start).for_each(|(to, from)| to.copy_from_slice(from));
        t.go(start, &mut |_, _| {});
        self.ends.at_end(t)
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], _: &mut [Vec<T>]) {
        let OneStage { ends, machine, places, start, .. } = self;
        for variable in 0..x.len() {
            machine.set(ends.upper[variable], t.x(variable));
        }
        for (variable, values) in start.iter().enumerate() {
            machine.set(ends.lower[variable], values);
            machine.set(places.adjoint[variable], ends.lower(variable));
        }
        machine.set_scalar(places.step, t.lower_step_size());
        machine.set_scalar(places.epsilon, self.epsilon);
        machine.run();
        self.runs += 1;
        for (variable, to) in x.iter_mut().enumerate() {
            let pairs = ends.upper(variable).iter().zip(machine.output(variable));
            to.iter_mut().zip(pairs).for_each(|(to, (a, b))| *to = *a + *b);
        }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.machine.select(rows)
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(Counts { grad_lower: 3, ..Counts::default() }.times(self.runs))
    }
}

/// What is added to `F_x`, an output per upper variable.
fn estimate(problem: &Problem) -> (Function, OneStageInputs) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let w = p.point("w", LevelId::LOWER);
    let (step, epsilon) = (p.scalar("s"), p.scalar("epsilon"));
    let (through, weights) = through_prox(&mut p, &x, &y, &w, step).unwrap_or((w.clone(), vec![None; x.nodes.len()]));

    let squares = p.norm_squared(&through.nodes.iter().map(|n| Some(*n)).collect());
    let norm = p.graph.elementwise(elementwise::SQRT, &[squares]);
    // Where w vanishes the difference does too, whatever e is.
    let one = p.graph.constant(1.0);
    let length = p.select(norm, norm, one);
    let e = p.graph.div(epsilon, length);
    let minus_e = p.graph.neg(e);
    let direction: Direction = through.nodes.iter().map(|n| Some(*n)).collect();
    let ahead = Block { name: "y0 + e w".into(), nodes: p.descend(&y, &StepSize::from(minus_e), &direction) };
    let behind = Block { name: "y0 - e w".into(), nodes: p.descend(&y, &StepSize::from(e), &direction) };
    let (ahead, behind) =
        (p.gradient(Part::Smooth, LevelId::UPPER, &x, &ahead), p.gradient(Part::Smooth, LevelId::UPPER, &x, &behind));
    let change = p.minus(&behind, &ahead);
    let twice = p.graph.scale(2.0, e);
    let factor = p.graph.div(step, twice);
    let change: Direction = change.into_iter().map(|d| d.map(|d| p.graph.mul(factor, d))).collect();
    let total = p.plus(&weights, &change);
    let outputs = super::dense(&mut p, &total, &x.nodes);
    let places = OneStageInputs {
        adjoint: w.nodes.iter().map(|n| p.position(*n)).collect(),
        step: p.position(step),
        epsilon: p.position(epsilon),
    };
    (p.function("one-stage hypergradient", &outputs), places)
}
