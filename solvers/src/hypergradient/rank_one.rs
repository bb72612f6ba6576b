//! Implicit hypergradient with a rank-one Gauss-Newton Hessian, `f_yy ~ f_y f_y'` (Liu, Liu, Zeng, Zhang, Zhang, IEEE
//! TPAMI 2023): `G = F_x - <F_y, f_y>/(<f_y, f_y> + 1e-10) f_x`. No second derivatives. It is built from the lower
//! gradient, which does not vanish at a solution with a proximal part or an active bound, so it takes neither; and where
//! it does vanish the estimate is blind to y, which a warning says.

use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::{Derivatives, Ends, Estimator, Hypergradient};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::trajectory::Trajectory;
use crate::message;

/// Keeps the quotient finite where the lower gradient vanishes; the published code's number.
const DAMPING: f64 = 1e-10;

pub(super) fn entry<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "rank1",
        explicit: false,
        of_start: false,
        nonsmooth: false,
        only_steps: None,
        exact: false,
        second_derivatives: Derivatives::First,
        read: |_| {
            Box::new(|setup| {
                let (function, counts) = estimate(setup.problem);
                let machine = BoundProgram::new(&function, setup.problem, setup.data, setup.threads)?;
                Ok(Box::new(RankOne { ends: Ends::new(setup)?, machine, each: counts, runs: 0, is_blind: false }))
            })
        },
        programs: |problem, _| vec![estimate(problem).0],
        outline: |_, _, _| None,
    }
}

struct RankOne<T: Scalar> {
    ends: Ends<T>,
    machine: BoundProgram<T>,
    each: Counts,
    runs: u64,
    /// The lower gradient vanished at the last point.
    is_blind: bool,
}

impl<T: Scalar> Hypergradient<T> for RankOne<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], start: &mut [Vec<T>]) {
        for variable in 0..x.len() {
            self.machine.set(self.ends.upper[variable], t.x(variable));
        }
        for variable in 0..start.len() {
            self.machine.set(self.ends.lower[variable], t.y(variable));
        }
        self.machine.run();
        self.runs += 1;
        for (variable, to) in x.iter_mut().enumerate() {
            to.copy_from_slice(self.machine.output(variable));
        }
        self.is_blind = !self.machine.is_stopped() && self.machine.scalar(x.len()) <= DAMPING;
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        if self.is_blind { vec![message::no_lower_gradient()] } else { Vec::new() }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.machine.select(rows)
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(self.each.times(self.runs))
    }
}

/// The estimate, an output per upper variable, then `<f_y, f_y>`.
fn estimate(problem: &Problem) -> (Function, Counts) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let [big_f_x, big_f_y] = [LevelId::UPPER, LevelId::LOWER].map(|wrt| p.gradient(Part::Upper, wrt, &x, &y));
    let [f_x, f_y] = [LevelId::UPPER, LevelId::LOWER].map(|wrt| p.gradient(Part::Smooth, wrt, &x, &y));
    let (product, square) = (p.dot(&big_f_y, &f_y), p.norm_squared(&f_y));
    let damping = p.graph.constant(DAMPING);
    let damped = p.graph.add(square, damping);
    let weight = p.graph.div(product, damped);
    let correction = f_x.into_iter().map(|d| d.map(|d| p.graph.mul(weight, d))).collect();
    let estimate = p.minus(&big_f_x, &correction);
    let mut outputs = super::dense(&mut p, &estimate, &x.nodes);
    outputs.push(square);
    (p.function("rank-one hypergradient", &outputs), p.counts)
}
