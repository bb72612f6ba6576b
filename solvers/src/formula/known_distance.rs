//! Distances to what the literature knows of the optimum, as a function of the problem's formals.

use blo_engine::elementwise;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::Problem;

use crate::formula::problem_graph::ProblemGraph;
use crate::solution::KnownError;

/// Two outputs per name: for a variable the distance to the nearest known point and the norm of that point; for an
/// objective its known value, twice.
pub(crate) fn known_distances(problem: &Problem) -> (Function, Vec<String>) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let (mut names, mut outputs) = (Vec::new(), Vec::new());
    let norm = |p: &mut ProblemGraph<'_>, v: NodeId| {
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

/// The errors of a point where the function of [`known_distances`] has these outputs. `objectives` are the upper and the
/// lower one at the point, in the user's sign.
pub(crate) fn errors(names: Vec<String>, output: impl Fn(usize) -> f64, objectives: [f64; 2]) -> Vec<KnownError> {
    let error = |(i, name): (usize, String)| {
        let (first, second) = (output(2 * i), output(2 * i + 1));
        let (dist, size) = match name.as_str() {
            // An objective: its known value, twice.
            "upper" => ((objectives[0] - first).abs(), first.abs()),
            "lower" => ((objectives[1] - first).abs(), first.abs()),
            _ => (first, second),
        };
        KnownError { name, dist, err: dist / size.max(1.0) }
    };
    names.into_iter().enumerate().map(error).collect()
}
