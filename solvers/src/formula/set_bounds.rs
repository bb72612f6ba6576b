//! The bounds that a variable's set puts on each of its entries.

use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;

/// True where the set couples the entries of a variable with so many: where no entry has an interval of its own.
pub(crate) fn couples(variable: &Variable, entries: usize) -> bool {
    entries > 1 && variable.set.as_ref().is_some_and(|s| !s.set.is_box)
}

/// The ends of the interval of each of so many entries; infinite where the set couples them.
///
/// # Errors
/// When a program cannot be allocated.
pub(crate) fn set_bounds(
    variable: &Variable,
    entries: usize,
    problem: &Problem,
    data: &Bindings,
) -> Result<Vec<[f64; 2]>, Box<Diagnostic>> {
    let Some(set) = variable.set.as_ref().filter(|_| !couples(variable, entries)) else {
        return Ok(vec![[f64::NEG_INFINITY, f64::INFINITY]; entries]);
    };
    if !set.set.is_box {
        return (0..entries).map(|_| ends_of_one_entry(variable, problem, data)).collect();
    }
    let mut ends = BoundProgram::<f64>::new(&set.parameters, problem, data, 1)?;
    ends.run();
    let end = |side: usize, i: usize| {
        let values = ends.output(side);
        if values.len() == 1 { values[0] } else { values[i] }
    };
    Ok((0..entries).map(|i| [end(0, i), end(1, i)]).collect())
}

/// A convex set of numbers is an interval: its ends are what numbers beyond are projected to. They are looked for at
/// doubling distances, so that rounding is that of the end and not of a number far away.
fn ends_of_one_entry(variable: &Variable, problem: &Problem, data: &Bindings) -> Result<[f64; 2], Box<Diagnostic>> {
    let mut p = ProblemGraph::new(problem);
    let nearest = p.project_variable(variable, NodeId(variable.formal as u32));
    let function = p.function("nearest number of a set", &[nearest]);
    let mut projection = BoundProgram::<f64>::new(&function, problem, data, 1)?;
    let mut nearest = |v: f64| {
        projection.set(variable.formal, &[v]);
        projection.run();
        projection.scalar(0)
    };
    let member = nearest(0.0);
    let mut end = |sign: f64| {
        let mut steps = (-20..100).map(|k| member + sign * 2f64.powi(k)).map(|v| (v, nearest(v)));
        steps.find(|(v, p)| sign * (v - p) > 1e-12 * v.abs().max(1e-6)).map_or(sign * f64::INFINITY, |(_, p)| p)
    };
    Ok([end(-1.0), end(1.0)])
}

/// For each of so many entries an interval that holds it in every member of the set; infinite where there is none. Its
/// ends are bounds, which an entry may be held at, only where the set does not couple entries.
///
/// # Errors
/// When a program cannot be allocated.
pub(crate) fn hull(
    variable: &Variable,
    entries: usize,
    problem: &Problem,
    data: &Bindings,
) -> Result<Vec<[f64; 2]>, Box<Diagnostic>> {
    let Some(set) = variable.set.as_ref().filter(|_| couples(variable, entries)) else {
        return set_bounds(variable, entries, problem, data);
    };
    let count = set.set.parameters.len();
    if count == 0 {
        return Ok(vec![(set.set.hull)(&[]); entries]);
    }
    let mut parameters = BoundProgram::<f64>::new(&set.parameters, problem, data, 1)?;
    parameters.run();
    let values: Vec<&[f64]> = (0..count).map(|i| parameters.output(i)).collect();
    Ok(vec![(set.set.hull)(&values); entries])
}

/// Where an entry is looked for: between its bounds, and up to so far around the point nearest to zero where there are none.
pub(crate) fn within_reach([low, high]: [f64; 2], far: f64) -> [f64; 2] {
    let middle = 0f64.clamp(low, high);
    [if low.is_finite() { low } else { middle - far }, if high.is_finite() { high } else { middle + far }]
}

/// The largest magnitude of a finite bound; 0 without any.
pub(crate) fn largest_bound(bounds: &[[f64; 2]]) -> f64 {
    bounds.iter().flatten().filter(|v| v.is_finite()).fold(0.0, |m: f64, v| m.max(v.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};

    #[test]
    fn every_set_of_numbers_is_an_interval_and_others_have_a_hull() {
        const FREE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
        for (declared, bounds, around) in [
            ("y in ball2(3)", vec![[-3.0, 3.0]], vec![[-3.0, 3.0]]),
            ("y in ball1(1e-3)", vec![[-1e-3, 1e-3]], vec![[-1e-3, 1e-3]]),
            ("y in halfspace(-4, 1e6)", vec![[-2.5e5, f64::INFINITY]], vec![[-2.5e5, f64::INFINITY]]),
            ("y[1] in simplex(2)", vec![[2.0, 2.0]], vec![[2.0, 2.0]]),
            ("y[1] in soc", vec![[0.0, f64::INFINITY]], vec![[0.0, f64::INFINITY]]),
            ("y[1, 1] in psd", vec![[0.0, f64::INFINITY]], vec![[0.0, f64::INFINITY]]),
            ("y[1] in affine([[4]], [6])", vec![[1.5, 1.5]], vec![[1.5, 1.5]]),
            ("y[2] in simplex(2)", vec![FREE; 2], vec![[0.0, 2.0]; 2]),
            ("y[2] in ball1(2)", vec![FREE; 2], vec![[-2.0, 2.0]; 2]),
            ("y[2] in ballinf(2)", vec![[-2.0, 2.0]; 2], vec![[-2.0, 2.0]; 2]),
            ("y[2] in soc", vec![FREE; 2], vec![FREE; 2]),
            ("y[2]", vec![FREE; 2], vec![FREE; 2]),
        ] {
            let text = format!("upper {{ var x  minimize x^2 }}  lower {{ var {declared}  minimize normsq(y) }}");
            let problem = problem(&text);
            let (data, y) = (data(&problem), &problem.lower().variables[0]);
            let entries = bounds.len();
            let close = |found: Vec<[f64; 2]>, wanted: &[[f64; 2]]| {
                let pairs = found.iter().flatten().zip(wanted.iter().flatten());
                found.len() == wanted.len() && { pairs }
                    .all(|(a, b)| a == b || (a - b).abs() < 1e-12 * b.abs().max(1e-3))
            };
            assert!(close(set_bounds(y, entries, &problem, &data).unwrap(), &bounds), "{declared}");
            assert!(close(hull(y, entries, &problem, &data).unwrap(), &around), "{declared}");
        }
    }
}
