//! The point that a run starts from: what the file states, or what was bound in its place, moved into the sets.

use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{Problem, Variable};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;

/// An array per variable, upper then lower. It is computed also where the work is to stop: without it there is no result.
///
/// # Errors
/// When the memory cannot be allocated.
pub(crate) fn start_point<T: Scalar>(
    problem: &Problem,
    data: &Bindings,
    threads: u64,
) -> Result<Vec<Vec<T>>, Box<Diagnostic>> {
    let mut stated = BoundProgram::<T>::in_any_case(&problem.start, problem, data, threads)?;
    stated.run();
    let mut point: Vec<Vec<T>> = problem.variables().map(|v| stated.output(v.formal).to_vec()).collect();
    for (formal, values) in &data.start {
        point[*formal] = values.iter().map(|v| T::from_f64(*v)).collect();
    }
    let outside = |v: &&Variable| v.set.is_some() && data.start.iter().any(|(formal, _)| *formal == v.formal);
    let moved: Vec<&Variable> = problem.variables().filter(outside).collect();
    if moved.is_empty() {
        return Ok(point);
    }
    let mut p = ProblemGraph::new(problem);
    let nodes: Vec<NodeId> = moved.iter().map(|v| p.project_variable(v, NodeId(v.formal as u32))).collect();
    let projection = p.function("start moved into the sets", &nodes);
    let mut projection = BoundProgram::<T>::in_any_case(&projection, problem, data, threads)?;
    for (input, values) in point.iter().enumerate() {
        projection.set(input, values);
    }
    projection.run();
    for (output, variable) in moved.iter().enumerate() {
        point[variable.formal].copy_from_slice(projection.output(output));
    }
    Ok(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};
    use blo_engine::data::Array;

    #[test]
    fn bound_values_take_the_place_of_stated_ones_and_are_moved_into_their_sets() {
        let text = "upper { var x[2] in [0, 1]  var z  minimize normsq(x) + z^2 + y'*y }
            lower { var y[2] in simplex(1)  minimize normsq(y - x) }  start { x = 0.5;  z = 7;  y = 0.5 }";
        let problem = problem(text);
        let mut data = data(&problem);
        let point = |data: &Bindings| start_point::<f64>(&problem, data, 1).unwrap();
        assert_eq!(point(&data), [vec![0.5; 2], vec![7.0], vec![0.5; 2]]);
        data.start_from(&problem, "x", Array::new(vec![2], vec![-3.0, 0.25])).unwrap();
        data.start_from(&problem, "y", Array::new(vec![2], vec![2.0, 1.0])).unwrap();
        assert_eq!(point(&data), [vec![0.0, 0.25], vec![7.0], vec![1.0, 0.0]]);
    }
}
