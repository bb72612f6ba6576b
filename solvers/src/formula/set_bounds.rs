//! The bounds that a variable's set puts on each of its entries.

use blo_engine::model::Bindings;
use blo_engine::model::problem::{Problem, Variable};
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
    let Some(set) = variable.set.as_ref().filter(|s| s.set.is_box) else {
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
