//! The functions that curvature is read from: one power iteration, and norms of slopes.

use blo_engine::elementwise;
use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem};

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::step_size::StepSize;

/// Outputs of the function [`slopes`] before the projected point.
pub(super) const SLOPES: usize = 3;

/// Positions among the inputs, the same for all functions here.
pub(super) struct CurvatureInputs {
    pub(super) variables: Vec<usize>,
    pub(super) lower: Vec<usize>,
    pub(super) vector: Vec<usize>,
    pub(super) metric: Vec<usize>,
    /// Weights of `f_yy` and `F_yy`.
    pub(super) weights: [usize; 2],
    pub(super) shift: usize,
}

/// One power iteration. With `u = v/|v|` (norms of vectors are those of the inverse metric): the next vector
/// `P H u - shift u`, the Rayleigh quotient `u'Hu`, and the next vector's length.
pub(super) fn power(problem: &Problem, both: bool) -> (Function, CurvatureInputs) {
    let mut p = ProblemGraph::new(problem);
    let multipliers = multipliers(&mut p);
    let (x, y) = (p.x(), p.y());
    let v = p.point("v", LevelId::LOWER);
    let metric = p.metric("P");
    let weights = [p.scalar("w_f"), p.scalar("w_F")];
    let shift = p.scalar("shift");
    let direction: Direction = v.nodes.iter().map(|n| Some(*n)).collect();
    let squares = p.inner(&direction, &direction, &metric);
    let length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let nodes = v.nodes.iter().map(|n| p.graph.div(*n, length)).collect();
    let u = Block { name: "u".to_string(), nodes };
    let [lower, upper] = [(Part::Smooth, weights[0]), (Part::Upper, weights[1])].map(|(part, weight)| {
        let image = image(&mut p, part, &x, &y, &u, both);
        image.into_iter().map(|n| n.map(|n| p.graph.mul(weight, n))).collect::<Direction>()
    });
    let image = p.plus(&lower, &upper);
    let direction: Direction = u.nodes.iter().map(|n| Some(*n)).collect();
    let rayleigh = p.dot(&direction, &image);
    let scaled = p.scaled(&image, &metric);
    let shifted = direction.iter().map(|n| n.map(|n| p.graph.mul(shift, n))).collect();
    let next = p.minus(&scaled, &shifted);
    let squares = p.inner(&next, &next, &metric);
    let next_length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let mut outputs: Vec<_> = (0..next.len()).map(|i| p.or_zero(next[i], y.nodes[i])).collect();
    outputs.extend([rayleigh, next_length]);
    let position = |b: &Block| b.nodes.iter().map(|n| p.position(*n)).collect::<Vec<_>>();
    let inputs = CurvatureInputs {
        variables: [position(&x), position(&y), position(&multipliers)].concat(),
        lower: position(&y),
        vector: position(&v),
        metric: position(&metric),
        weights: weights.map(|w| p.position(w)),
        shift: p.position(shift),
    };
    (p.function("curvature", &outputs), inputs)
}

/// The multipliers of the lower level's rows, which come before all other inputs.
pub(super) fn multipliers(p: &mut ProblemGraph<'_>) -> Block {
    match p.problem().lower().constraints.is_empty() {
        true => Block { name: "multipliers".to_string(), nodes: Vec::new() },
        false => p.multipliers(),
    }
}

/// A Hessian of `part` in y times a vector; that of F counts as zero unless `both`. Rows of the lower level belong to f.
pub(super) fn image(p: &mut ProblemGraph<'_>, part: Part, x: &Block, y: &Block, v: &Block, both: bool) -> Direction {
    match part {
        Part::Upper if !both => vec![None; v.nodes.len()],
        Part::Smooth if !p.problem().lower().constraints.is_empty() => {
            let of_f = p.hessian_times(part, x, y, v);
            let multipliers = p.multipliers();
            let of_rows = p.rows_hessian_times((x, y), &multipliers.nodes, v);
            p.plus(&of_f, &of_rows)
        }
        _ => p.hessian_times(part, x, y, v),
    }
}

/// The norms of [`Slopes`](super::Slopes), and the projection of y onto Y. Inputs stand where those of [`power`] do; `shift` is the
/// step.
pub(super) fn slopes(problem: &Problem, both: bool) -> Function {
    let mut p = ProblemGraph::new(problem);
    multipliers(&mut p);
    let (x, y) = (p.x(), p.y());
    p.point("v", LevelId::LOWER);
    let metric = p.metric("P");
    p.scalar("w_f");
    p.scalar("w_F");
    let step = StepSize { number: p.scalar("step"), metric: Some(metric.clone()) };
    let norm = |p: &mut ProblemGraph<'_>, d: &Direction| {
        let squares = p.inner(d, d, &metric);
        p.graph.elementwise(elementwise::SQRT, &[squares])
    };
    let upper = match both {
        true => p.gradient(Part::Upper, LevelId::LOWER, &x, &y),
        false => vec![None; y.nodes.len()],
    };
    let upper = p.scaled(&upper, &metric);
    let upper = norm(&mut p, &upper);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let v = p.descend(&y, &step, &f_y);
    let moved = p.prox(&v, &step, &x, "y - f_y");
    let lower = p.difference(&y, &moved);
    let lower = norm(&mut p, &lower);
    let point: Direction = y.nodes.iter().map(|n| Some(*n)).collect();
    let point = norm(&mut p, &point);
    let mut outputs = vec![upper, lower, point];
    outputs.extend(p.project_lower(&y.nodes, "in Y").nodes);
    p.function("slopes", &outputs)
}
