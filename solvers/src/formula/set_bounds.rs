//! The bounds that a variable's set puts on each of its entries.

use blo_engine::model::Bindings;
use blo_engine::model::problem::{Problem, SetUse, Variable};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;

/// The ends of the interval of each of so many entries; infinite where the set is no box.
///
/// # Errors
/// When a program cannot be allocated.
pub(crate) fn set_bounds(
    variable: &Variable,
    entries: usize,
    problem: &Problem,
    data: &Bindings,
) -> Result<Vec<[f64; 2]>, Box<Diagnostic>> {
    let Some(set) = variable.set.as_ref().filter(|s| is_box(s)) else {
        return Ok(vec![[f64::NEG_INFINITY, f64::INFINITY]; entries]);
    };
    let mut ends = BoundProgram::<f64>::new(&set.parameters, problem, data, 1)?;
    ends.run();
    let end = |side: usize, i: usize| {
        let values = ends.output(side);
        if values.len() == 1 { values[0] } else { values[i] }
    };
    Ok((0..entries).map(|i| [end(0, i), end(1, i)]).collect())
}

/// For each of so many entries an interval that holds it in every member of the set; infinite where there is none. Only
/// where the set is a box are its ends faces, which an entry may be held at.
///
/// # Errors
/// When a program cannot be allocated.
pub(crate) fn hull(
    variable: &Variable,
    entries: usize,
    problem: &Problem,
    data: &Bindings,
) -> Result<Vec<[f64; 2]>, Box<Diagnostic>> {
    let Some(set) = variable.set.as_ref().filter(|s| !is_box(s)) else {
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

/// True where a set leaves the entries of its variable independent of each other.
pub(crate) fn is_box(set: &SetUse) -> bool {
    set.set.is_box
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
