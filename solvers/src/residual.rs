//! Residuals of the true problem, whatever surrogate a method works on.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;

use crate::first_order::{Block, FirstOrder, Part, Wrt};

/// `|y - prox_{g~(x,.)}(y - f_y(x, y))|`: zero exactly at the stationary points of the lower level. Unit step, so that
/// it does not shrink with a method's own step.
pub(crate) fn lower(p: &mut FirstOrder<'_>, x: &Block, y: &Block) -> NodeId {
    let one = p.graph.constant(1.0);
    let f_y = p.gradient(Part::Smooth, Wrt::Y, x, y);
    let v = p.descend(y, one, &f_y);
    let moved = p.prox(&v, one, x, "y - f_y");
    let d = p.difference(y, &moved);
    let squares = p.norm_squared(&d);
    p.graph.elementwise(elementwise::SQRT, &[squares])
}
