//! Magnitudes of the lower level: curvatures of its variables and columns of its data that differ by so much that methods
//! without a metric are slow or wrong. Only what is cheap: up to 64 entries, one Hessian product each, at the start.

use blo_engine::data::OptionValue;
use blo_engine::model::problem::{DataItem, DataOrigin, LevelId, Problem};
use blo_engine::model::{Bindings, Bound};

use crate::formula::bound_program::BoundProgram;
use crate::lower::curvature::{DiagonalFunction, EXACT, HessianDiagonals};
use crate::solution::verdict::entry_name;

/// Magnitudes that differ by more than this are worth a word: a first-order method in plain steps then takes this many
/// times as many of them.
const APART: f64 = 1e4;

/// Magnitudes that differ too much.
#[derive(Clone, Debug, PartialEq)]
pub enum ScaleFinding {
    /// Second derivatives of f, at the start.
    Curvatures {
        /// The entry with the least, such as `w[3]`, and its value.
        least: (String, f64),
        /// The entry with the largest.
        largest: (String, f64),
    },
    /// Root mean squares of the columns of a data item.
    Columns {
        /// The item.
        data: String,
        /// The column that is farthest from the others, counted from 1, with its name where the file was read by names.
        column: (usize, Option<String>),
        /// Its root mean square.
        size: f64,
        /// The median of all columns.
        middle: f64,
        /// A column that is constant, counted from 1: it has no deviation to divide by.
        constant: Option<usize>,
    },
}

/// What is out of scale in the lower level; empty where nothing is, or where looking is not cheap.
pub fn scales(problem: &Problem, data: &Bindings) -> Vec<ScaleFinding> {
    curvatures(problem, data).into_iter().chain(problem.data.iter().filter_map(|d| columns(problem, data, d))).collect()
}

/// The least and the largest curvature of an entry at the start.
fn curvatures(problem: &Problem, data: &Bindings) -> Option<ScaleFinding> {
    let lower = &problem.lower().variables;
    let lengths = lower.iter().map(|v| v.shape.sizes(&data.sizes).ok().map(|s| s.iter().product::<usize>()));
    let lengths: Vec<usize> = lengths.collect::<Option<_>>()?;
    if lengths.iter().sum::<usize>() > EXACT {
        return None;
    }
    let mut start = BoundProgram::<f64>::new(&problem.start, problem, data, 1).ok()?;
    start.run();
    let mut diagonals = HessianDiagonals::new(&DiagonalFunction::new(problem, false), problem, data, 1).ok()?;
    for (i, variable) in problem.variables().enumerate() {
        diagonals.set(variable.formal, start.output(i));
    }
    // a short diagonal is exact and asks for no random numbers
    diagonals.measure(&mut |_| {});
    if diagonals.is_stopped() {
        return None;
    }
    let mut entries = Vec::new();
    for (variable, found) in lower.iter().zip(&diagonals.found[LevelId::UPPER.index()]) {
        let shape = variable.shape.sizes(&data.sizes).ok()?;
        entries.extend(found.iter().enumerate().map(|(j, d)| (entry_name(&variable.name, &shape, j), *d)));
    }
    entries.retain(|(_, d)| *d > 0.0 && d.is_finite());
    entries.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (least, largest) = (entries.first()?.clone(), entries.last()?.clone());
    (largest.1 > APART * least.1).then_some(ScaleFinding::Curvatures { least, largest })
}

/// The column of a matrix that the lower objective reads which is out of scale.
fn columns(problem: &Problem, data: &Bindings, item: &DataItem) -> Option<ScaleFinding> {
    let first = problem.variables().count();
    let Bound::Real(numbers) = data.values.get(item.formal - first)? else { return None };
    let [rows, width] = numbers.shape[..] else { return None };
    if rows == 0 || width < 2 || !problem.lower().objective.depends_on(item.formal) {
        return None;
    }
    let mut squares = vec![0.0; width];
    let head: Vec<f64> = numbers.values().take(width).collect();
    let mut varies = vec![false; width];
    for (i, v) in numbers.values().enumerate() {
        squares[i % width] += v * v / rows as f64;
        varies[i % width] |= v != head[i % width];
    }
    let mut sizes: Vec<(usize, f64)> = squares.iter().map(|s| s.sqrt()).enumerate().collect();
    sizes.retain(|(_, size)| *size > 0.0 && size.is_finite());
    sizes.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (least, largest) = (*sizes.first()?, *sizes.last()?);
    // squares of columns are curvatures
    if largest.1 * largest.1 <= APART * least.1 * least.1 {
        return None;
    }
    let middle = sizes[sizes.len() / 2].1;
    let (column, size) = if largest.1 / middle >= middle / least.1 { largest } else { least };
    let name = names(item).and_then(|names| names.get(column).cloned());
    let constant = varies.iter().position(|varies| !varies).map(|j| j + 1);
    Some(ScaleFinding::Columns { data: item.name.clone(), column: (column + 1, name), size, middle, constant })
}

/// Names of columns, where the program gives them.
fn names(item: &DataItem) -> Option<&[String]> {
    let DataOrigin::File { options, .. } = &item.origin else { return None };
    options.iter().find_map(|(name, value)| match value {
        OptionValue::Texts(names) if name == "columns" => Some(names.as_slice()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};
    use blo_engine::data::Memory;
    use blo_engine::model::bind;

    fn found(text: &str) -> Vec<ScaleFinding> {
        let problem = problem(text);
        scales(&problem, &data(&problem))
    }

    #[test]
    fn variables_out_of_scale_are_named_with_their_curvatures() {
        let text = |d: &str| {
            format!(
                "let d = {d}  upper {{ var x  minimize x^2 }}
                 lower {{ var y[2, 2]  var z  minimize 1/2*sum(d .* y.^2) + 5*(z - x)^2 }}"
            )
        };
        assert_eq!(found(&text("[[1, 2], [3, 4]]")), []);
        let expected = ScaleFinding::Curvatures { least: ("y[1, 2]".into(), 1e-3), largest: ("y[2, 2]".into(), 1e4) };
        assert_eq!(found(&text("[[1, 1e-3], [3, 1e4]]")), [expected]);
    }

    #[test]
    fn the_column_out_of_scale_is_named() {
        let text = "data A[_, 3] = csv(\"homes.csv\", columns = [\"one\", \"income\", \"share\"])
            upper { var x  minimize x^2 }  lower { var y[3]  minimize normsq(A*y - x) }";
        let problem = problem(text);
        let homes = b"one,income,share\n1,40000,0.3\n1,70000,0.1\n1,20000,0.2\n".to_vec();
        let files = Memory::new().with("homes.csv", homes);
        let found = scales(&problem, &bind(&problem, &files, 0).unwrap());
        let [ScaleFinding::Curvatures { least, largest }, ScaleFinding::Columns { data, column, size, constant, .. }] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((least.0.as_str(), largest.0.as_str(), data.as_str()), ("y[3]", "y[2]", "A"));
        assert_eq!((column, constant), (&(2, Some("income".to_owned())), &Some(1)));
        assert!((*size - 47958.0).abs() < 1.0, "{size}");
    }
}
