//! What it means that a leaf solves a program: the known optimum is reached, with the lower level solved; where none is
//! known, all that the program expects holds, of whichever method it expects it. A model that is trained has neither: its
//! accuracy on the rows that it is not trained on rises by ten points.

use blo_engine::data::{Memory, Source};
use blo_engine::model::{self, Problem};
use blo_solvers::{Request, Silent, Solution, judge};
use blo_tests::case::{Bar, Case, Optimum};
use blo_tests::judge::{Verdict, run_on};
use blo_tests::{Program, say};

use super::tree::Leaf;
use crate::programs::specs::Params;

/// On `|F - F*| / |F*|`, as for the problems of the literature.
const NEAR: f64 = 1e-3;

/// Points of accuracy that a trained model gains.
const GAIN: f64 = 0.1;

/// Sizes and iterations of what takes minutes as it stands.
const SMALLER: [(&str, Params, &str); 5] = [
    ("few_shot", &[("width", 16.0), ("ways", 3.0), ("tasks", 4.0), ("query", 3.0)], "200"),
    ("few_shot_conv", &[("width", 4.0), ("ways", 3.0), ("tasks", 4.0), ("query", 5.0), ("judged", 4.0)], "100"),
    ("hyper_cleaning", &[("examples", 200.0), ("hidden", 8.0)], "4"),
    ("meha_eq21", &[("m", 60.0), ("J", 6.0), ("rows_each", 20.0), ("ones_each", 5.0)], "10000"),
    ("nas_small", &[("examples", 80.0), ("width", 2.0)], "30"),
];

/// Why the method of a leaf does not solve a program; `Absent` where its data are not there.
pub(super) enum Missed {
    /// The file that is not there.
    Absent(String),
    /// What is wrong.
    Wrong(String),
}

/// Runs the method of a leaf on a program, with no option but those of a preset where the leaf asks for one.
pub(super) fn solve(program: &Program, leaf: &Leaf) -> Result<(), Missed> {
    let smaller = SMALLER.iter().find(|(name, ..)| *name == program.name);
    let params = smaller.map_or(&[][..], |(_, params, _)| params);
    let files = program.files(params).map_err(Missed::Absent)?;
    let problem = program.check(params).0.expect("a sound program");
    let is_known = problem.known.upper.is_some();
    let bar = Bar { upper: is_known.then_some(NEAR), ..Bar::LOOSE };
    let case = Case {
        name: program.name.clone(),
        program: program.clone(),
        params: params.to_vec(),
        files: Memory::new(),
        bar,
        optimum: Optimum::Known,
        absent: None,
    };
    let mut request = request(&problem, leaf);
    if let Some((_, _, iterations)) = smaller {
        request = request.set("max_iter", *iterations);
    }
    let outcome = run_on(&case, &files, &request, &mut Silent);
    let found = format!("{:?} {:?}", outcome.verdict, outcome.measures);
    let Some(solution) = &outcome.solution else { return Err(Missed::Wrong(found)) };
    if !leaf.preset && !matches!(outcome.verdict, Verdict::Solved(_)) {
        return Err(Missed::Wrong(found));
    }
    let (judged, broken) = expectations(&problem, &files, solution);
    let learns = leaf.preset && judged == 0;
    match broken {
        Some(broken) => Err(Missed::Wrong(broken)),
        None if learns => gained(solution).map_err(Missed::Wrong),
        None if is_known || judged > 0 => Ok(()),
        None => Err(Missed::Wrong("nothing says what solves it".to_owned())),
    }
}

/// The request of a leaf. With a preset it is what the program expects something of, else the first preset of the method.
fn request(problem: &Problem, leaf: &Leaf) -> Request {
    let is_its = |name: &str| name == leaf.method;
    if !leaf.preset {
        return Request::automatic(&leaf.method);
    }
    let expected = problem.expectations.iter().find(|e| e.method.as_ref().is_some_and(|m| is_its(&m.text)));
    if let Some(expected) = expected {
        return Request::of_expectation(expected);
    }
    let preset = problem.presets.iter().find(|p| is_its(&p.method.text));
    let preset = preset.unwrap_or_else(|| panic!("{} has a preset of {}", problem.name, leaf.method));
    match &preset.preset {
        Some(name) => Request::new(&format!("{}:{}", leaf.method, name.text)),
        None => Request::new(&leaf.method),
    }
}

/// How many expectations were judged, and the first that does not hold. Those of one method are about that method where
/// the optimum is known, and say what it is where nothing else does.
fn expectations(problem: &Problem, files: &dyn Source, solution: &Solution) -> (usize, Option<String>) {
    let is_known = problem.known.upper.is_some();
    let data = model::bind(problem, files, 0).expect("bound before");
    let judgements = problem.expectations.iter().filter(|e| !is_known || e.method.is_none());
    let judgements = judgements.flat_map(|e| judge(problem, &data, e, solution).expect("memory"));
    let judgements: Vec<_> = judgements.collect();
    let broken = judgements.iter().find(|j| !j.holds).map(|j| format!("{:?}", j.finding));
    (judgements.len(), broken)
}

/// Whether the first metric, an accuracy, is better at the end than at the start.
fn gained(solution: &Solution) -> Result<(), String> {
    let first = solution.rows.first().and_then(|row| row.metrics.first().copied().flatten());
    match (first, solution.metrics.first()) {
        (Some(before), Some((name, after))) if name.contains("acc") => {
            let change = format!("{}: {name} went from {before} to {after}", solution.problem);
            say(&change);
            if *after >= before + GAIN { Ok(()) } else { Err(change) }
        }
        _ => Err("no metric says how good the model is".to_owned()),
    }
}
