//! The programs of `tests/suite/hock_schittkowski`, each the lower level of a file, from the start of the book to the value
//! of the book.

use std::path::Path;

use blo_engine::model::problem::LevelId;
use blo_engine::model::{Bindings, Problem};

use crate::fixture::{data, problem};
use crate::formula::bound_program::BoundProgram;
use crate::formula::rows::rows;
use crate::formula::set_bounds::set_bounds;
use crate::formula::start_point::start_point;
use crate::lower::augmented::tests::solver;
use crate::nlp::functions::FunctionNlp;
use crate::nlp::residual::violation;
use crate::nlp::{Limits, Nlp, Outcome, Status, solve};

/// A solve that ends elsewhere than at the book's value: the name, the value there, its tolerance, the status, the reason.
pub(super) type Other = (&'static str, f64, f64, Status, &'static str);

/// Those from the book's starts.
const OTHERS: [Other; 6] = [
    ("hs002", 4.941_229_318, 1e-6, Status::Solved, "the local minimum at (-1.22, 1.5), which the book names"),
    ("hs013", 1.0, 1e-3, Status::Solved, "a cusp: multipliers grow without end as iterates come near, and so does s_d"),
    ("hs016", 23.144_660_94, 1e-6, Status::Solved, "the local minimum at (-0.5, 0.25)"),
    ("hs020", 40.198_729_811, 1e-6, Status::Solved, "the local minimum at (-0.5, 0.87)"),
    ("hs033", -4.0, 1e-6, Status::Solved, "the local minimum at (0, 0, 2)"),
    ("hs055", 20.0 / 3.0, 1e-6, Status::Solved, "feasible points are a segment, and f is concave on it: its other end"),
];

/// A file's lower level.
pub(super) struct Example {
    pub(super) name: String,
    pub(super) problem: Problem,
    pub(super) program: FunctionNlp,
    pub(super) start: Vec<f64>,
    /// The book's value, and its point if it prints one.
    pub(super) value: f64,
    pub(super) point: Option<Vec<f64>>,
}

/// All files, in order.
pub(super) fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/suite/hock_schittkowski");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "blo")).collect();
    files.sort();
    files.iter().map(|path| example(path)).collect()
}

#[allow(clippy::disallowed_methods, reason = "tests read the suite")]
fn example(path: &Path) -> Example {
    let problem = problem(&std::fs::read_to_string(path).unwrap());
    let data = data(&problem);
    let lower = problem.lower();
    let rows = rows(&problem, LevelId::LOWER);
    let functions: Vec<_> = rows.iter().map(|r| r.value.clone()).collect();
    let mut program =
        FunctionNlp::new(&problem, &data, 1, &lower.objective, &functions, &problem.lower_inputs()).unwrap();
    let ends = |equality: bool| [if equality { 0.0 } else { f64::NEG_INFINITY }, 0.0];
    let lengths = program.row_lengths().to_vec();
    let row_bounds: Vec<[f64; 2]> = rows.iter().zip(lengths).flat_map(|(r, n)| vec![ends(r.equality); n]).collect();
    program.set_row_bounds(&row_bounds);
    let bounds = |v| set_bounds(v, program.length(v.formal), &problem, &data).unwrap();
    let bounds: Vec<[f64; 2]> = lower.variables.iter().flat_map(bounds).collect();
    program.set_bounds(&bounds);
    let lower_part = |arrays: Vec<Vec<f64>>| arrays[problem.range(LevelId::LOWER)].concat();
    let known = &problem.known;
    let point = lower.variables.iter().map(|v| known.nearest[v.formal].as_ref());
    let point: Option<Vec<_>> = point.collect();
    Example {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        start: lower_part(outputs(&problem.start, &problem, &data)),
        value: outputs(known.lower.as_ref().unwrap(), &problem, &data)[0][0],
        point: point.map(|functions| functions.iter().flat_map(|f| outputs(f, &problem, &data).concat()).collect()),
        program,
        problem,
    }
}

fn outputs(f: &blo_engine::graph::Function, problem: &Problem, data: &Bindings) -> Vec<Vec<f64>> {
    let mut program = BoundProgram::<f64>::new(f, problem, data, 1).unwrap();
    program.run();
    (0..f.outputs().len()).map(|o| program.output(o).to_vec()).collect()
}

/// What is wrong with an end, if anything.
pub(super) fn complaint(
    example: &Example,
    end: &Outcome,
    [relative, violation]: [f64; 2],
    others: &[Other],
) -> Option<String> {
    let name = &example.name;
    let other = others.iter().find(|(n, ..)| n == name);
    let (value, tolerance, status) = other
        .map_or((example.value, relative, Status::Solved), |(_, value, tolerance, status, _)| {
            (*value, *tolerance, *status)
        });
    let near = (end.value - value).abs() <= tolerance * value.abs().max(1.0);
    let ended_well = matches!(status, Status::Solved | Status::Acceptable);
    let fine = end.status == status && near && (end.violation <= violation || !ended_well);
    let numbers = (end.value, end.violation, end.stationarity);
    (!fine).then(|| format!("{name}: {:?} {numbers:?} for {value} in {} iterations", end.status, end.iterations))
}

#[test]
fn the_points_of_the_book_have_its_values_and_meet_the_rows() {
    for mut example in examples() {
        let Some(point) = &example.point else { continue };
        let mut rows = vec![0.0; example.program.row_bounds().len()];
        let value = example.program.values(point, &mut rows);
        assert!((value - example.value).abs() <= 1e-4 * value.abs().max(1.0), "{}: {value}", example.name);
        let away = violation(&rows, example.program.row_bounds()).1.max(violation(point, example.program.bounds()).1);
        let size = point.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        assert!(away <= 1e-5 * size.powi(2), "{}: {away}", example.name);
    }
}

#[test]
fn every_program_is_solved_from_the_start_of_the_book() {
    let mut complaints = Vec::new();
    let mut iterations = 0;
    for mut example in examples() {
        let end = solve(&mut example.program, &example.start, None, &Limits::default());
        iterations += end.iterations;
        complaints.extend(complaint(&example, &end, [1e-6, 1e-8], &OTHERS));
    }
    assert!(complaints.is_empty(), "{iterations}\n{}", complaints.join("\n"));
}

/// Second opinions that end elsewhere.
const OTHER_OPINIONS: [Other; 7] = [
    ("hs002", 4.941_229_318, 1e-5, Status::Solved, "the local minimum at (-1.22, 1.5)"),
    ("hs013", 1.0, 2e-2, Status::Solved, "a cusp without multipliers: a violation of 5e-7 changes f by 2e-2"),
    ("hs020", 40.198_729_811, 1e-5, Status::Solved, "the local minimum at (-0.5, 0.87)"),
    ("hs033", -4.0, 1e-5, Status::Solved, "the local minimum at (0, 0, 2)"),
    ("hs055", 20.0 / 3.0, 1e-5, Status::Solved, "the other end of a segment on which f is concave"),
    ("hs075", 5174.4129, 1e-4, Status::Stalled, "rows of slope 1e3 next to f of slope 3: inner solves end at rounding"),
    ("hs093", 0.0, 1e-5, Status::Infeasible, "the first penalty is low, and at 0, where it leads, no row has a slope"),
];

#[test]
fn the_augmented_lagrangian_is_a_second_opinion() {
    let mut complaints = Vec::new();
    for example in examples() {
        let problem = &example.problem;
        let data = data(problem);
        let point = start_point::<f64>(problem, &data, 1).unwrap();
        let limits = Limits { tolerance: 1e-6, iterations: 60, ..Limits::default() };
        let (x, y) = point.split_at(problem.range(LevelId::UPPER).end);
        let end = solver(problem, &data, x, y).solve(&y.concat(), &limits).unwrap();
        complaints.extend(complaint(&example, &end, [1e-5, 1e-5], &OTHER_OPINIONS));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
