//! What is reported of an iterate: objectives and residuals of the true problem, the same for every method, and the
//! stationarity of the method's own problem. A method names what it has; what it lacks is absent, not zero.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::iteration::report::{Quantity, ReportFormula};

/// How far a method's own problem is from solved at an iterate; `None` for what the method does not measure.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stationarity {
    /// In the upper variables.
    pub(crate) upper: Option<NodeId>,
    /// In all that the method moves.
    pub(crate) method: Option<NodeId>,
    /// `phi(x, y)` minus what the method takes for its least value.
    pub(crate) gap: Option<NodeId>,
}

/// The standard report of a point (x, y).
pub(crate) fn standard(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, own: Stationarity) -> ReportFormula {
    p.look_at_all_rows();
    let mut named = vec![
        (Quantity::Upper, p.value(Part::Upper, x, y)),
        (Quantity::Smooth, p.value(Part::Smooth, x, y)),
        (Quantity::Regularizer, p.value(Part::Proximal, x, y)),
        (Quantity::LowerResidual, lower_residual(p, x, y)),
        (Quantity::UpperSlope, upper_slope(p, x, y)),
    ];
    let own = [(Quantity::UpperResidual, own.upper), (Quantity::MethodResidual, own.method), (Quantity::Gap, own.gap)];
    named.extend(own.into_iter().filter_map(|(quantity, node)| Some((quantity, node?))));
    let (quantities, outputs): (Vec<Quantity>, Vec<NodeId>) = named.into_iter().unzip();
    ReportFormula { function: p.function("report", &outputs), quantities }
}

/// Steps with which points of a proximal part that is not convex are tried.
const STEPS: [f64; 5] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4];

/// `|y - prox_{g~(x,.)}(y - f_y(x, y))|`: zero exactly at the stationary points of the lower level. Unit step, so that
/// it does not shrink with a method's own step.
///
/// Where g is not convex the prox with a long step jumps away from stationary points, even from the global minimizer: it is
/// a fixed point for steps below `1/L` only. What a point is a fixed point of is stationary for every step, so the least
/// `|y - prox_{s g~}(y - s f_y)|/s` of some steps s is taken.
///
/// With rows of `subject to` the Lagrangian takes the place of f, and `min(lam, -c)` and `h` of the rows count, too; the
/// multipliers are a part of the state.
pub(crate) fn lower_residual(p: &mut ProblemGraph<'_>, x: &Block, y: &Block) -> NodeId {
    let constrained = !p.problem().lower().constraints.is_empty();
    let multipliers = if constrained { p.multipliers().nodes } else { Vec::new() };
    let steps = if p.problem().regularizer_is_convex() { &STEPS[..1] } else { &STEPS };
    let mut f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    if constrained {
        let of_rows = p.rows_times(LevelId::LOWER, LevelId::LOWER, (x, y), &multipliers);
        f_y = p.plus(&f_y, &of_rows);
    }
    let mut least = None;
    for step in steps {
        let s = StepSize::from(p.graph.constant(*step));
        let v = p.descend(y, &s, &f_y);
        let moved = p.prox(&v, &s, x, "y - f_y");
        let size = distance(p, y, &moved);
        let size = p.graph.scale(1.0 / step, size);
        least = Some(least.map_or(size, |least| p.graph.elementwise(elementwise::MIN, &[least, size])));
    }
    let stationary = least.expect("there is a step");
    if !constrained {
        return stationary;
    }
    let rows = p.row_residuals(x, y, &multipliers);
    let of_rows = p.norm_squared(&rows);
    let square = p.graph.mul(stationary, stationary);
    let sum = p.graph.add(square, of_rows);
    p.graph.elementwise(elementwise::SQRT, &[sum])
}

/// `|y - Proj_Y(y - F_y(x, y))|`: zero where y minimizes the upper objective alone.
fn upper_slope(p: &mut ProblemGraph<'_>, x: &Block, y: &Block) -> NodeId {
    let one = StepSize::from(p.graph.constant(1.0));
    let slope = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let v = p.descend(y, &one, &slope);
    let moved = p.project_lower(&v, "y - F_y");
    distance(p, y, &moved)
}

/// `|a - b|`
fn distance(p: &mut ProblemGraph<'_>, a: &Block, b: &Block) -> NodeId {
    let d = p.difference(a, b);
    let squares = p.norm_squared(&d);
    p.graph.elementwise(elementwise::SQRT, &[squares])
}
