//! Formulas of the surrogate `F + lambda (phi(x, y) - phi(x, z))`, `phi = f + g`, with z in the place of the lower
//! solution. z is a constant in y, and by Danskin's theorem also in x: where it minimizes `phi(x, .)` the derivative of
//! the least value in x is `f_x + g_x` at z. So the x-part is a gradient in any case, and where the lower level has a
//! proximal part or a set, the part in y is a prox-gradient map: g and the set enter y by their prox, weighed by lambda.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::report::ReportFormula;

/// How F and the gap are weighed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weight {
    /// `F + lambda gap`, as the papers have it.
    OnGap(NodeId),
    /// `F/c + gap`: the same direction in units of the lower objective, so that its steps do not depend on the weight.
    OnUpper(NodeId),
}

impl Weight {
    /// The sum of a derivative of F and one of the gap.
    fn sum(self, p: &mut ProblemGraph<'_>, upper: &Direction, gap: &Direction) -> Direction {
        match self {
            Weight::OnGap(lambda) => {
                let weighed = p.times(gap, lambda);
                p.plus(upper, &weighed)
            }
            Weight::OnUpper(c) => {
                let weighed = p.over(upper, &c.into());
                p.plus(&weighed, gap)
            }
        }
    }
}

/// `z+ = prox_{s g~(x,.)}( z - s f_y(x, z) )`
pub(super) fn lower_step(p: &mut ProblemGraph<'_>, x: &Block, z: &Block, s: &StepSize, name: &str) -> Block {
    let slope = p.gradient(Part::Smooth, LevelId::LOWER, x, z);
    let v = p.descend(z, s, &slope);
    p.prox(&v, s, x, name)
}

/// `F_x(x,y) + lambda (f_x + g_x)(x,y) - lambda (f_x + g_x)(x,z)`
pub(super) fn d_x(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, z: &Block, weight: Weight) -> Direction {
    let upper = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let mut gap: Direction = vec![None; x.nodes.len()];
    for part in [Part::Smooth, Part::Proximal] {
        let here = p.gradient(part, LevelId::UPPER, x, y);
        let there = p.gradient(part, LevelId::UPPER, x, z);
        let slope = p.minus(&here, &there);
        gap = p.plus(&gap, &slope);
    }
    weight.sum(p, &upper, &gap)
}

/// `F_y(x,y) + lambda f_y(x,y)`: what is smooth in y.
pub(super) fn d_y(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, weight: Weight) -> Direction {
    let upper = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let gap = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    weight.sum(p, &upper, &gap)
}

/// `y+ = prox_{s w g~(x,.)}( y - s d_y )`, w the weight of the gap in `d_y`.
pub(super) fn y_step(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, s: &StepSize, weight: Weight) -> Block {
    let d = d_y(p, x, y, weight);
    let v = p.descend(y, s, &d);
    let of_prox = match weight {
        Weight::OnUpper(_) => s.clone(),
        Weight::OnGap(lambda) => {
            let number = p.graph.mul(s.number, lambda);
            p.graph.label(number, "step lambda");
            StepSize { number, metric: s.metric.clone() }
        }
    };
    p.prox(&v, &of_prox, x, "y+")
}

/// Stationarity of the surrogate at (x, y): the unit prox-gradient map of `F/lambda + gap`, times lambda, so that it is in
/// the units of F and does not shrink as lambda grows. The gap is taken at z, so it is at most the true one.
pub(super) fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, z: &Block, lambda: NodeId) -> ReportFormula {
    p.look_at_all_rows();
    let (one, weight) = (StepSize::from(p.graph.constant(1.0)), Weight::OnUpper(lambda));
    let d = d_x(p, x, y, z, weight);
    let v = p.descend(x, &one, &d);
    let moved = p.project_upper(&v, "x - d_x");
    let of_x = p.difference(x, &moved);
    let moved = y_step(p, x, y, &one, weight);
    let of_y = p.difference(y, &moved);
    let (of_x, of_y) = (p.norm_squared(&of_x), p.norm_squared(&of_y));
    let both = p.graph.add(of_x, of_y);
    let [upper, method] = [of_x, both].map(|squares| {
        let norm = p.graph.elementwise(elementwise::SQRT, &[squares]);
        Some(p.graph.mul(lambda, norm))
    });
    let mut value = |z: &Block| {
        let [f, g] = [Part::Smooth, Part::Proximal].map(|part| p.value(part, x, z));
        p.graph.add(f, g)
    };
    let (here, least) = (value(y), value(z));
    let gap = Some(p.graph.sub(here, least));
    report::standard(p, x, y, Stationarity { upper, method, gap })
}
