//! Real data in their original files, where they are beside the repository: the noise on their labels against an
//! independent computation, and what their readers make of them. Without the files the tests say so and pass.

use std::path::PathBuf;

use blo_engine::model::{self, Bindings, Bound, Settings};
use blo_solvers::{Request, Silent, solve};
use blo_tests::case::evaluate;
use blo_tests::{Folder, programs, say};
use faer::{Col, Mat};

/// The folder of a data set, if it is there.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = blo_tests::real_data::folder().join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!("skipped: no {}", folder.display()));
    None
}

/// The data of a program that is sound.
fn bound(text: &str, folder: PathBuf) -> (model::Problem, Bindings) {
    let parsed = blo_grammar::parse(text);
    let outcome = model::check(&parsed.ast, text, "real", &Settings::default());
    let problem = outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    let bindings = model::bind(&problem, &Folder(folder), 0).unwrap_or_else(|d| panic!("{d:#?}"));
    (problem, bindings)
}

fn column(problem: &model::Problem, bindings: &Bindings, name: &str) -> blo_engine::data::Array {
    let item = problem.data.iter().find(|d| d.name == name).expect("a column of the program");
    match &bindings.values[item.formal - problem.variables().count()] {
        Bound::Real(numbers) => numbers.to_array(),
        Bound::Index(_) => panic!("{name} holds positions"),
    }
}

#[test]
fn noise_on_fashion_labels_is_the_published_one() {
    let Some(folder) = folder("fashion-mnist") else { return };
    let text = r#"
dataset fashion {
  u = idx("train20k-images-idx3-ubyte.gz", scale = 1/255, flatten = true)
  v = idx("train20k-labels-idx1-ubyte.gz", classes = 10)
}
split fashion into train: 5000, val: 5000
corrupt train.v (fraction = 0.5, to = other, seed = 0, mask = bad)
upper {
  var x[train]
  minimize mean(xent(dense(val.u, W, b), val.v)) + mean(logistic(x, train.bad))
}
lower {
  var W[784, 10]
  var b[10]
  minimize mean(sigmoid(x) .* xent(dense(train.u, W, b), train.v))
}
"#;
    let (problem, bindings) = bound(text, folder);
    assert_eq!((bindings.corrupted[0].wrong, bindings.corrupted[0].rows), (2524, 5000));
    let (labels, bad) = (column(&problem, &bindings, "train.v"), column(&problem, &bindings, "train.bad"));
    let wrong = bad.values.iter().enumerate().filter(|(_, b)| **b != 0.0).map(|(i, _)| (i, labels.values[i]));
    let wrong: Vec<(usize, f64)> = wrong.collect();
    assert_eq!(wrong.len(), 2524);
    assert_eq!(wrong[..5], [(3, 9.0), (4, 2.0), (5, 6.0), (7, 3.0), (10, 2.0)]);
    // The parts are the first rows and those after them: the file's own first labels.
    assert_eq!(labels.values[..3], [9.0, 0.0, 0.0]);
    let (train, val) = (column(&problem, &bindings, "train.u"), column(&problem, &bindings, "val.u"));
    assert_eq!((train.shape.as_slice(), val.shape.as_slice()), (&[5000, 784][..], &[5000, 784][..]));
    assert!(train.values != val.values && train.values.iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn counts_of_a9a_are_those_of_its_provenance() {
    let Some(folder) = folder("a9a") else { return };
    let text = r#"
dataset a9a {
  u = libsvm("a9a.gz", features = 123)
  v = libsvm("a9a.gz", classes = [-1, 1])
}
upper {
  var x
  minimize x^2
}
lower {
  var w[123]
  minimize mean(logistic(a9a.u*w, a9a.v)) + x^2*normsq(w)
}
"#;
    let (problem, bindings) = bound(text, folder);
    let (rows, labels) = (column(&problem, &bindings, "a9a.u"), column(&problem, &bindings, "a9a.v"));
    assert_eq!(rows.shape, [32561, 123]);
    assert_eq!(rows.values.iter().filter(|v| **v != 0.0).count(), 451_592);
    assert_eq!(labels.values.iter().filter(|v| **v == 1.0).count(), 7841);
}

/// The optimum that the program states, from the rows of A, against a singular value decomposition of its own A.
#[test]
fn minnorm_colon_states_the_solution_of_least_norm() {
    let Some(folder) = folder("colon") else { return };
    let program = programs("specs").into_iter().find(|p| p.name == "minnorm_colon").expect("a program of `specs`");
    let (problem, bindings) = program.bound_with(&[], &Folder(folder));
    let (genes, tumour) = (column(&problem, &bindings, "genes"), column(&problem, &bindings, "tumour"));
    let [m, n] = [genes.shape[0], genes.shape[1]];
    let moments: Vec<(f64, f64)> = (0..n)
        .map(|j| {
            let mean = (0..m).map(|i| genes.values[i * n + j]).sum::<f64>() / m as f64;
            let square = (0..m).map(|i| (genes.values[i * n + j] - mean).powi(2)).sum::<f64>();
            (mean, (square / m as f64).sqrt())
        })
        .collect();
    let entry = |i: usize, j: usize| (genes.values[i * n + j] - moments[j].0) / moments[j].1 / (n as f64).sqrt();
    let a = Mat::from_fn(m, n, entry);
    let b = Col::from_fn(m, |i| 2.0 * tumour.values[i] - 1.0);

    let svd = a.thin_svd().expect("finite data");
    let (u, s, v) = (svd.U(), svd.S(), svd.V());
    let sizes: Vec<f64> = (0..m).map(|k| s[k]).filter(|s| *s > 1e-10 * svd.S()[0]).collect();
    assert_eq!(sizes.len(), 61, "centred rows add up to zero");
    let moved = u.transpose() * &b;
    let scaled = Col::from_fn(m, |k| if k < sizes.len() { moved[k] / sizes[k] } else { 0.0 });
    let least = v * scaled;
    let left = &b - &a * &least;

    let stated = problem.known.nearest[0].as_ref().expect("a known y");
    let stated = evaluate(stated, &problem, &bindings, &[]).remove(0);
    let stated = Col::from_fn(n, |j| stated[j]);
    let apart = (&stated - &least).norm_l2() / least.norm_l2();
    assert!(apart < 1e-7, "relative distance {apart:.1e}");
    let value = |f: &Option<blo_engine::graph::Function>| evaluate(f.as_ref().unwrap(), &problem, &bindings, &[])[0][0];
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b;
    assert!(near(value(&problem.known.upper), least.squared_norm_l2() / 2.0));
    assert!(near(value(&problem.known.lower), left.squared_norm_l2() / 2.0));
}

/// Least squares within a ball whose radius is learnt. The end point was found without the engine (numpy, scipy: a grid of x and
/// an exact solve below).
#[test]
fn a_ball_around_least_squares_on_sonar_is_found_by_cg() {
    let Some(folder) = folder("sonar") else { return };
    let text = r#"
data A[_, 60] = csv("sonar.csv", columns = 1..60)
data c[rows(A)] = csv("sonar.csv", column = 61, classes = ["R", "M"])
let b = 2*c - 1
let train = 1..rows(A) by 2
let valid = 2..rows(A) by 2
upper {
  var x in [-4, 6]
  minimize 1/2*mean((A[valid, _]*y - b[valid]).^2)
}
lower {
  var y[60]
  minimize 1/2*mean((A[train, _]*y - b[train]).^2)
  subject to { ball: normsq(y) <= exp(2*x) }
}
"#;
    let (problem, bindings) = bound(text, folder);
    for method in ["cg", "neumann"] {
        let s = solve(&problem, &bindings, &Request::new(method), &mut Silent).expect("a run that starts");
        let x = s.variable("x").expect("a variable").values[0];
        let norm = s.variable("y").expect("a variable").values.iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!((s.upper.objective - 0.326_534_913_361).abs() < 1e-9, "{method} {}", s.upper.objective);
        assert!((s.lower.objective - 0.237_140_491_813).abs() < 1e-7, "{method} {}", s.lower.objective);
        assert!((x - 1.233_692_9).abs() < 1e-5 && (norm - x.exp()).abs() < 1e-7, "{method} {x} {norm}");
    }
}
