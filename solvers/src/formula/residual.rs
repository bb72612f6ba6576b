//! What is measured of an iterate on the true problem, whatever surrogate a method works on: residuals, distances to
//! what the literature knows, metrics.

use blo_engine::elementwise;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::Problem;

use crate::formula::problem_graph::{Block, FirstOrder, Part, Wrt};
use crate::formula::step_size::StepSize;

/// `|y - prox_{g~(x,.)}(y - f_y(x, y))|`: zero exactly at the stationary points of the lower level. Unit step, so that
/// it does not shrink with a method's own step.
pub(crate) fn lower(p: &mut FirstOrder<'_>, x: &Block, y: &Block) -> NodeId {
    let one = StepSize::from(p.graph.constant(1.0));
    let f_y = p.gradient(Part::Smooth, Wrt::Y, x, y);
    let v = p.descend(y, &one, &f_y);
    let moved = p.prox(&v, &one, x, "y - f_y");
    let d = p.difference(y, &moved);
    let squares = p.norm_squared(&d);
    p.graph.elementwise(elementwise::SQRT, &[squares])
}

/// `|y - Proj_Y(y - F_y(x, y))|`: zero where y minimizes the upper objective alone.
pub(crate) fn upper_slope(p: &mut FirstOrder<'_>, x: &Block, y: &Block) -> NodeId {
    let one = StepSize::from(p.graph.constant(1.0));
    let slope = p.gradient(Part::Upper, Wrt::Y, x, y);
    let v = p.descend(y, &one, &slope);
    let moved = p.project_lower(&v, "y - F_y");
    let d = p.difference(y, &moved);
    let squares = p.norm_squared(&d);
    p.graph.elementwise(elementwise::SQRT, &[squares])
}

/// Two outputs per name: for a variable the distance to the nearest known point and the norm of that point; for an
/// objective its known value, twice.
pub(crate) fn known(problem: &Problem) -> (Function, Vec<String>) {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let (mut names, mut outputs) = (Vec::new(), Vec::new());
    let norm = |p: &mut FirstOrder<'_>, v: NodeId| {
        let squares = p.norm_squared(&vec![Some(v)]);
        p.graph.elementwise(elementwise::SQRT, &[squares])
    };
    for (variable, nearest) in problem.variables().zip(&problem.known.nearest) {
        let Some(nearest) = nearest else { continue };
        let point = p.at(nearest, &x, &y)[0];
        let away = p.graph.sub(NodeId(variable.formal as u32), point);
        outputs.push(norm(&mut p, away));
        outputs.push(norm(&mut p, point));
        names.push(variable.name.clone());
    }
    for (name, value) in [("upper", &problem.known.upper), ("lower", &problem.known.lower)] {
        let Some(value) = value else { continue };
        let value = p.at(value, &x, &y)[0];
        outputs.extend([value, value]);
        names.push(name.to_string());
    }
    (p.function("known", &outputs), names)
}
