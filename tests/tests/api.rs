//! The Rust API: programs on arrays of the caller, without a file; runs that are watched and stopped.

// the bans keep the engine off files; a test writes what it compares
#![allow(clippy::disallowed_methods)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use blo::{Data, Error, Options, Precision, Problem, Severity, Status, Step, Stop};

/// A ridge regression on parts of a dataset, whose files are nowhere.
const RIDGE: &str = "
    dataset d { u[_] = csv(\"nowhere.csv\", columns = 1..3)  v = csv(\"nowhere.csv\", column = 4) }
    split d into train: 12, val: 8
    data C[_, 3] = csv(\"nowhere either.csv\")
    upper { var x in [-6, 6]  minimize mean((val.u*w - val.v).^2) + 0*sum(C) }
    lower { var w[3]  minimize mean((train.u*w - train.v).^2) + exp(x)*normsq(w) }";

/// Numbers that look random and are the same everywhere.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut next = blo_engine::data::symmetric(0, seed, "api test");
    (0..count).map(|_| next()).collect()
}

fn ridge(u: Data, v: Data) -> Problem {
    Problem::from_str(RIDGE).expect("the text is right").dataset("d", [("u", u), ("v", v)]).data("C", [[1.0, 2.0, 3.0]])
}

fn bits(solution: &blo::Solution) -> Vec<u64> {
    let arrays = solution.uppers().chain(solution.lowers());
    let all = arrays.flat_map(|(_, values)| values.values().to_vec());
    all.chain([solution.objective_upper(), solution.objective_lower()]).map(f64::to_bits).collect()
}

#[test]
fn a_program_runs_on_arrays_alone_and_as_it_does_on_files() {
    let (u, v) = (numbers(60, 1), numbers(20, 2));
    let problem = ridge(([20, 3], u.clone()).into(), v.clone().into());
    assert!(problem.check().findings().is_empty(), "{}", problem.check());
    let options = Options::new().threads(1);
    let given = problem.solve(&options).unwrap();
    assert_eq!(given.status(), Status::Converged, "{given}");
    // the same numbers in a file
    let folder = std::env::temp_dir().join(format!("blo-api-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let row = |i: usize| format!("{:?},{:?},{:?},{:?}\n", u[3 * i], u[3 * i + 1], u[3 * i + 2], v[i]);
    std::fs::write(folder.join("nowhere.csv"), (0..20).map(row).collect::<String>()).unwrap();
    let from_file = Problem::from_str(RIDGE).unwrap().folder(&folder).data("C", [[1.0, 2.0, 3.0]]).solve(&options);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(bits(&given), bits(&from_file.unwrap()));
}

#[test]
fn lent_memory_is_read_where_it_is() {
    /// Tells how many hold it.
    struct Held(Vec<f64>);
    impl AsRef<[f64]> for Held {
        fn as_ref(&self) -> &[f64] {
            &self.0
        }
    }
    let held = Arc::new(Held(numbers(60, 1)));
    let problem = ridge(Data::lend(&[20, 3], held.clone()), numbers(20, 2).into());
    let copied = ridge(([20, 3], numbers(60, 1)).into(), numbers(20, 2).into());
    let options = Options::new().threads(1);
    assert_eq!(bits(&problem.solve(&options).unwrap()), bits(&copied.solve(&options).unwrap()));
    assert!(Arc::strong_count(&held) > 1);
    drop(problem);
    assert_eq!(Arc::strong_count(&held), 1, "nothing holds it once the problem is gone");
    // in f32, which a run in f32 reads in place
    let single: Arc<Vec<f32>> = Arc::new(numbers(60, 1).into_iter().map(|v| v as f32).collect());
    let problem = ridge(Data::lend_f32(&[20, 3], single), numbers(20, 2).into());
    let solution = problem.solve(&options.precision(Precision::F32)).unwrap();
    let [a, b] = [&solution, &copied.solve(&Options::new()).unwrap()].map(blo::Solution::objective_upper);
    assert!((a - b).abs() < 1e-4 * b.abs(), "{a} {b}");
}

#[test]
fn what_is_wrong_with_an_array_is_told() {
    let said = |problem: Problem| {
        let error = problem.solve(&Options::new()).unwrap_err().to_string();
        let own = |line: &&str| !line.contains('|');
        assert!(error.lines().filter(own).all(|line| line.chars().count() <= 80), "{error}");
        // lines are broken where the page ends
        error.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let v = || Data::from(numbers(20, 2));
    let shape = said(ridge(([20, 2], numbers(40, 1)).into(), v()).data("C", [[1.0, 2.0]]));
    assert!(shape.contains("`C`") && shape.contains("[1, 2]") && shape.contains("B0510"), "{shape}");
    let mut holes = numbers(60, 1);
    holes[4] = f64::NAN;
    let hole = said(ridge(([20, 3], holes).into(), v()));
    assert!(hole.contains("`d.u[2, 2]`") && hole.contains("finite"), "{hole}");
    let rows = said(ridge(([20, 3], numbers(60, 1)).into(), numbers(21, 2).into()));
    assert!(rows.contains("B0524"), "{rows}");
    let places = said(ridge(([20, 3], numbers(59, 1)).into(), v()));
    assert!(places.contains("60 places") && places.contains("59 numbers"), "{places}");
    let name = said(ridge(([20, 3], numbers(60, 1)).into(), v()).data("D", 1.0));
    assert!(name.contains("no data item `D`"), "{name}");
    let classes =
        "dataset d { u[1] = csv(\"a\", columns = 1..1)  v = csv(\"a\", column = 2, classes = [\"p\", \"q\"]) }
        upper { var x  minimize x^2 + sum(w)^2 }
        lower { var w[1, 2]  minimize mean(xent(d.u*w, d.v)) + x^2*normsq(w) + normsq(w) }";
    let labels = |v: Vec<f64>| {
        let problem = Problem::from_str(classes).unwrap();
        problem.data("d.u", ([2, 1], vec![0.5, 1.0])).data("d.v", v)
    };
    assert!(said(labels(vec![0.0, 2.0])).contains("a class from 0 to 1"));
    assert!(labels(vec![0.0, 1.0]).solve(&Options::new()).is_ok());
}

#[test]
fn an_array_takes_the_place_of_a_generator() {
    let text = "data a[3] = normal(seed = 1)
        upper { var x  minimize (x - sum(a))^2 + y^2 }  lower { var y  minimize y^2 + x^2 }";
    let given = Problem::from_str(text).unwrap().data("a", [1.0, 2.0, 3.0]).solve(&Options::new()).unwrap();
    assert!((given.upper("x").unwrap().number().unwrap() - 6.0).abs() < 1e-4, "{given}");
}

/// A problem of which no run ends by itself.
fn endless() -> (Problem, Options) {
    let text = "param n = 40
        data A[n, n] = normal(mean = 0, sd = 1, seed = 1)
        upper { var x[n] in [-5, 5]  minimize normsq(A*y - 1) }
        lower { var y[n]  minimize normsq(y - sin(A*x)) }";
    let options = Options::new().method("meha").tol(0.0).max_iter(1_000_000_000_000).polish(0).threads(1);
    (Problem::from_str(text).expect("the text is right"), options)
}

#[test]
fn another_thread_stops_a_run_and_its_result_comes() {
    let (problem, options) = endless();
    let stop = Stop::new();
    let options = options.stop(&stop);
    let (tell, told) = channel();
    let run = thread::spawn(move || {
        blo::solve(&problem, &options, &mut |step: &Step<'_>| {
            // the one who stops it has seen a hundred iterations
            if step.iteration == 100 {
                let _ = tell.send(step.upper);
            }
            ControlFlow::Continue(())
        })
    });
    let upper = told.recv().expect("the run goes on");
    stop.stop();
    let solution = run.join().expect("no panic").expect("a result");
    assert_eq!(solution.status(), Status::Interrupted);
    assert!(solution.iterations() >= 100 && solution.objective_upper().is_finite() && upper.is_finite());
    assert_eq!(solution.to_json()["status"], "interrupted");
    // it stays stopped: another run of it has nothing to show
    let (problem, options) = endless();
    assert!(matches!(problem.solve(&options.stop(&stop)), Err(Error::Stopped) | Ok(_)));
}

#[test]
fn an_observer_ends_a_run_and_a_limit_does() {
    let (problem, options) = endless();
    let mut seen = Vec::new();
    let solution = blo::solve(&problem, &options.clone().row_every(7).row_variables(true), &mut |step: &Step<'_>| {
        seen.push((step.iteration, step.variables.len(), step.residuals.lower));
        if step.iteration >= 70 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let solution = solution.unwrap();
    assert_eq!(solution.status(), Status::Stopped, "{solution}");
    let iterations: Vec<u64> = seen.iter().map(|s| s.0).take_while(|k| *k <= 28).collect();
    assert_eq!(iterations, [0, 1, 2, 5, 7, 10, 14, 20, 21, 28]);
    assert!(seen.iter().all(|(_, variables, lower)| *variables == 2 && lower.is_finite()));
    assert!(solution.history().variables.len() == 2);
    let limited = problem.solve(&options.max_time(std::time::Duration::from_millis(300))).unwrap();
    assert_eq!(limited.status(), Status::TimeLimit);
}

#[test]
fn mistakes_have_places_and_the_text_of_the_command() {
    let error = Problem::from_str("upper { var x\n  minimise x^2 }").unwrap_err();
    let report = error.report().expect("it is in the text");
    let finding = &report.findings()[0];
    assert_eq!((finding.line, finding.column, finding.severity), (2, 3, Severity::Error));
    assert!(finding.fix.as_ref().is_some_and(|fix| fix.edits[0].1 == "minimize"));
    assert!(error.to_string().contains("--> <text>:2:3"), "{error}");
    let options = Options::new().method("rhg").set("Q", 1);
    let problem = Problem::from_str("upper { var x  minimize x^2 + y }  lower { var y  minimize (y - x)^2 }").unwrap();
    let error = problem.solve(&options).unwrap_err().to_string();
    assert!(error.contains("Q"), "{error}");
    let start = problem.solve(&Options::new().start("z", 1.0)).unwrap_err().to_string();
    assert!(start.contains("no variable `z`"), "{start}");
}
