//! Lower levels with kinks against their solutions, by subgradients, vertices and by hand.

use super::*;
use crate::fixture::{data, problem};
use crate::lower::global::{Effort, GlobalLower};

/// The end of a solve from a start with its lower objective.
fn solved(text: &str, x: f64, start: &[f64]) -> (Vec<f64>, f64) {
    let problem = problem(text);
    let data = data(&problem);
    let mut newton = Newton::new(&problem, &data, 1).unwrap().unwrap();
    let y = newton.objective.split(start);
    let end = newton.solve(&[vec![x]], &y, Radius::Wide, f64::INFINITY).unwrap();
    assert!(end.settled, "{text}: {end:?}");
    let entries: Vec<f64> = end.y.into_iter().flatten().collect();
    newton.objective.set_radius(1.0);
    let value = newton.objective.at(entries.clone()).unwrap().exact;
    let runs = newton.objective.runs;
    assert!(runs <= 100 * (3 + entries.len() as u64), "{text}: {runs} evaluations");
    (entries, value)
}

/// Numbers in (-1, 1).
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut next = blo_engine::data::symmetric(seed, 0, "kinks");
    (0..count).map(|_| next()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn list(v: &[f64]) -> String {
    format!("[{}]", v.iter().map(|v| format!("{v:e}")).collect::<Vec<_>>().join(", "))
}

/// The least value of the dual `sum(a) - |sum a_i s_i u_i|^2/2`, `0 <= a <= top`, by ascent in one coordinate at a time.
fn dual_value(rows: &[Vec<f64>], top: f64) -> f64 {
    let mut a = vec![0.0; rows.len()];
    let mut w = vec![0.0; rows[0].len()];
    for _ in 0..100_000 {
        for (i, row) in rows.iter().enumerate() {
            let step = ((1.0 - dot(row, &w)) / dot(row, row)).clamp(-a[i], top - a[i]);
            a[i] += step;
            w.iter_mut().zip(row).for_each(|(w, u)| *w += step * u);
        }
    }
    a.iter().sum::<f64>() - 0.5 * dot(&w, &w)
}

#[test]
fn support_vector_machines_meet_their_duals() {
    for d in 2..=5 {
        for (seed, cost) in [(1, 0.1), (2, 10.0), (3, 1000.0)] {
            let n = 3 * d;
            let u = numbers(seed * 10 + d as u64, n * d);
            let rows: Vec<Vec<f64>> = u.chunks(d).map(<[f64]>::to_vec).collect();
            let matrix: Vec<String> = rows.iter().map(|r| list(r)).collect();
            let text = format!(
                "let u = [{}]
                upper {{ var x  minimize x^2 }}
                lower {{ var w[{d}]  minimize 1/2*normsq(w) + {cost}*sum(relu(1 - u*w)) }}",
                matrix.join(", ")
            );
            let (_, value) = solved(&text, 0.0, &vec![0.0; d]);
            let least = dual_value(&rows, cost);
            let drop = cost * n as f64 - least;
            assert!((value - least).abs() <= 1e-9 * drop, "{d} {cost}: {value} {least}");
        }
    }
}

/// The least of `sum |A y - b|` over the points where n rows vanish: a solution is among them.
fn least_at_vertices(a: &[Vec<f64>], b: &[f64]) -> f64 {
    let mut least = f64::INFINITY;
    for i in 0..a.len() {
        for j in 0..i {
            let det = a[i][0] * a[j][1] - a[i][1] * a[j][0];
            let y = [(b[i] * a[j][1] - b[j] * a[i][1]) / det, (a[i][0] * b[j] - a[j][0] * b[i]) / det];
            let value: f64 = a.iter().zip(b).map(|(a, b)| (dot(a, &y) - b).abs()).sum();
            least = least.min(value);
        }
    }
    least
}

#[test]
fn fits_in_the_l1_norm_end_at_a_vertex() {
    for seed in 0..6 {
        for unit in [1e-6, 1.0, 1e6] {
            let a: Vec<Vec<f64>> = numbers(seed, 14).chunks(2).map(<[f64]>::to_vec).collect();
            let b: Vec<f64> = numbers(100 + seed, 7).iter().map(|v| unit * v).collect();
            let matrix: Vec<String> = a.iter().map(|r| list(r)).collect();
            let text = format!(
                "let A = [{}]
                let b = {}
                upper {{ var x  minimize x^2 }}
                lower {{ var y[2]  minimize sum(abs(A*y - b)) }}",
                matrix.join(", "),
                list(&b)
            );
            for start in [0.0, 3.0 * unit, -40.0 * unit] {
                let (_, value) = solved(&text, 0.0, &[start, -start]);
                let least = least_at_vertices(&a, &b);
                let size: f64 = b.iter().map(|b| b.abs()).sum();
                assert!((value - least).abs() <= 1e-9 * size, "{seed} {unit} {start}: {value} {least}");
            }
        }
    }
}

#[test]
fn bounds_hold_entries_at_kinks_and_beside_them() {
    for unit in [1e-6, 1.0, 1e6] {
        // |y| is least at x, or at the bound nearest to it
        let text = format!(
            "upper {{ var x  minimize x^2 }}
            lower {{ var y in [0, {unit:e}]  minimize max(y - x, x - y) + 0.1*y }}"
        );
        for (x, right) in [(0.3, 0.3), (-2.0, 0.0), (4.0, 1.0), (0.0, 0.0), (1.0, 1.0)] {
            for start in [0.0, 0.5, 1.0] {
                let (y, _) = solved(&text, unit * x, &[unit * start]);
                assert!((y[0] - unit * right).abs() <= 1e-9 * unit, "{unit} {x} from {start}: {y:?}");
            }
        }
        // the subgradients at the solution: 2 (y1 - 3) + s = 0 is past the bound 1, s + 2 (y2 - 1/4) has 0 at y2 = 0
        let text = format!(
            "upper {{ var x  minimize x^2 }}
            lower {{ var y[3] in [-{unit:e}, {unit:e}]
                minimize {unit:e}*sum(max(y, -y)) + (y[1] - 3*{unit:e})^2 + (y[2] - {unit:e}/4)^2 + (y[3] + {unit:e})^2 }}"
        );
        for start in [[0.0; 3], [1.0, -1.0, 0.3]] {
            let (y, _) = solved(&text, 0.0, &start.map(|v| unit * v));
            for (y, right) in y.iter().zip([1.0, 0.0, -0.5]) {
                assert!((y - unit * right).abs() <= 1e-8 * unit, "{unit}: {y}");
            }
        }
    }
}

#[test]
fn wells_between_kinks_are_local_solutions() {
    // convex pieces that meet in a ridge at 0: the wells are at -1 and at 1
    let text = "upper { var x  minimize x^2 }
        lower { var y[2]  minimize abs(abs(y[1]) - 1) + abs(y[1] - y[2]) + 0.1*y[2]^2 }";
    for start in [[0.5, 0.5], [-3.0, 1.0]] {
        let (y, value) = solved(text, 0.0, &start);
        assert!((y[0].abs() - 1.0).abs() < 1e-8 && (y[1] - y[0]).abs() < 1e-8, "{y:?}: {value}");
    }
}

#[test]
fn other_levels_are_left_to_other_solvers() {
    let levels = [
        "var y[2]  minimize normsq(y)",
        "var y[2] in simplex(1)  minimize sum(abs(y - x))",
        "var y[2]  minimize sum(relu(y - x))  regularize norm1(y)",
        "var y[41]  minimize sum(abs(y - x))",
    ];
    for level in levels {
        let problem = problem(&format!("upper {{ var x  minimize x^2 }}  lower {{ {level} }}"));
        assert!(Newton::new(&problem, &data(&problem), 1).unwrap().is_none(), "{level}");
    }
}

#[test]
fn the_upper_level_chooses_among_solutions_at_kinks() {
    // f is flat on a half plane, on a line along a kink, and in an entry that it does not have
    let levels = [
        ("normsq(y)", "relu(1 - y[1] - y[2])", [0.5, 0.5]),
        ("(y[1] - 3)^2 + y[2]^2", "abs(y[1] + y[2] - 1)", [2.0, -1.0]),
        ("(y[1] - 3)^2 + (y[2] - 2)^2", "max(y[1] - x, x - y[1])", [0.25, 2.0]),
    ];
    for (upper, lower, right) in levels {
        let text = format!("upper {{ var x  minimize {upper} + x^2 }}  lower {{ var y[2]  minimize {lower} }}");
        let problem = problem(&text);
        let data = data(&problem);
        let mut lower = GlobalLower::new(&problem, &data, 1, 0).unwrap();
        let (x, start) = ([vec![0.25]], [vec![0.3, -0.2]]);
        let found = lower.minimizers(&x, &[&start], Effort { starts: 0, stream: 0 });
        let best = lower.optimistic(&x, &found, &[&start]).unwrap();
        assert!(best.y[0].iter().zip(right).all(|(y, r)| (y - r).abs() < 1e-3), "{text}: {best:?}");
        assert!(best.value - found[0].value <= 1e-8, "{text}: {best:?}");
    }
}
