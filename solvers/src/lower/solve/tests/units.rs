//! The units of the lower variables, of the columns of data and of f do not matter: judged by optimality conditions, per
//! entry, in units of its own.

use super::{Level, found, solve_from};

/// Exponents of units, from -6 to 6.
const UNITS: [[i32; 8]; 4] =
    [[0; 8], [-6, 6, 0, 3, -3, 5, -5, 1], [6, -6, 6, -6, 6, -6, 6, -6], [0, 0, 0, 6, 0, 0, 0, -6]];

/// `A` with columns in other units: `A .* 10^units`, columns of 40 correlated numbers, with its right side.
struct Columns {
    a: Vec<f64>,
    b: Vec<f64>,
    n: usize,
}

impl Columns {
    fn new(level: &Level, units: &[i32]) -> Columns {
        let n = units.len();
        let a = level.numbers("N").chunks(n).flat_map(scaled(units)).collect();
        Columns { a, b: level.numbers("b"), n }
    }

    /// `A'(A y - b)` per column, against `|A_j| |b|`, for f = 1/2 |A y - b|^2.
    fn slopes(&self, y: &[f64]) -> Vec<f64> {
        let rows: Vec<&[f64]> = self.a.chunks(self.n).collect();
        let rest = rows.iter().zip(&self.b).map(|(a, b)| a.iter().zip(y).map(|(a, y)| a * y).sum::<f64>() - b);
        let rest: Vec<f64> = rest.collect();
        let size = self.b.iter().map(|b| b * b).sum::<f64>().sqrt();
        let column = |j: usize| {
            let (slope, square) =
                rows.iter().zip(&rest).fold((0.0, 0.0), |(s, q), (a, r)| (s + a[j] * r, q + a[j] * a[j]));
            slope / (square.sqrt() * size)
        };
        (0..self.n).map(column).collect()
    }

    /// `|A_j| |b|`.
    fn size(&self, j: usize) -> f64 {
        let square: f64 = self.a.chunks(self.n).map(|a| a[j] * a[j]).sum();
        (square * self.b.iter().map(|b| b * b).sum::<f64>()).sqrt()
    }
}

fn scaled(units: &[i32]) -> impl Fn(&[f64]) -> Vec<f64> + '_ {
    move |row| row.iter().zip(units).map(|(a, e)| (a + 0.5) * f64::powi(10.0, *e)).collect()
}

/// Least squares over these columns, with a factor on f and more beside it.
fn squares(units: &[i32], factor: &str, set: &str, rest: &str) -> String {
    let units: Vec<String> = units.iter().map(|e| format!("1e{e}")).collect();
    let n = units.len();
    format!(
        "data N[40, {n}] = normal(seed = 3)   data b[40] = normal(seed = 4)   let d = [{}]
         upper {{ var x  minimize x^2 }}
         lower {{ var y[{n}] {set}  minimize {factor}*1/2*normsq((N + 0.5)*(d .* y) - b) {rest} }}",
        units.join(", ")
    )
}

#[test]
fn columns_in_any_unit_cost_the_same_and_have_the_same_solution() {
    let mut first: Option<(Vec<f64>, u64)> = None;
    for units in UNITS {
        let level = Level::new(&squares(&units, "1", "", ""));
        let s = solve_from(&mut level.solver(), &[vec![0.0], vec![0.0; 8]]);
        let columns = Columns::new(&level, &units);
        assert!(s.solved && columns.slopes(&s.values[0]).iter().all(|s| s.abs() < 1e-9), "{units:?} {}", s.scaled);
        let own: Vec<f64> = s.values[0].iter().zip(&units).map(|(y, e)| y * f64::powi(10.0, *e)).collect();
        let (y, cost) = first.get_or_insert((own.clone(), s.evaluations));
        assert!(own.iter().zip(y.iter()).all(|(a, b)| (a - b).abs() < 1e-7 * b.abs().max(1e-2)), "{own:?} {y:?}");
        assert!(
            2 * s.evaluations <= 3 * *cost && 2 * *cost <= 3 * s.evaluations,
            "{units:?}: {} {cost}",
            s.evaluations
        );
    }
}

#[test]
fn an_objective_in_any_unit_costs_the_same_and_has_the_same_solution() {
    let mut first: Option<(Vec<f64>, u64)> = None;
    for factor in ["1", "1e-14", "1e14", "1e-6", "1e6"] {
        let level = Level::new(&squares(&UNITS[1], factor, "", ""));
        let s = solve_from(&mut level.solver(), &[vec![0.0], vec![0.0; 8]]);
        assert!(s.solved, "{factor}: {}", s.scaled);
        assert!(Columns::new(&level, &UNITS[1]).slopes(&s.values[0]).iter().all(|s| s.abs() < 1e-9), "{factor}");
        let (y, cost) = first.get_or_insert((s.values[0].clone(), s.evaluations));
        assert!(s.values[0].iter().zip(y.iter()).all(|(a, b)| (a - b).abs() <= 1e-7 * b.abs()), "{factor}");
        assert!(2 * s.evaluations <= 3 * *cost && 2 * *cost <= 3 * s.evaluations, "{factor}: {} {cost}", s.evaluations);
    }
}

#[test]
fn points_and_objectives_far_below_one_are_solved() {
    for (f, solution) in [("(y - 1e-8)^2", 1e-8), ("1e-14*(y - 1)^2", 1.0), ("1e-30*(y - 1e-20)^4 + 1e-90*y^2", 1e-20)]
    {
        let text = format!("upper {{ var x  minimize x^2 }}  lower {{ var y  minimize {f} }}");
        for start in [0.0, 3.0 * solution, -40.0 * solution] {
            let s = found(&text, &[vec![0.0], vec![start]]);
            let y = s.values[0][0];
            assert!(s.solved && (y - solution).abs() < 1e-2 * solution, "{f} from {start}: {y} {}", s.scaled);
        }
    }
}

/// Years, a yearly income, a share, an area and a constant column: condition 1e11 by units alone.
#[test]
fn raw_units_are_solved_in_few_evaluations() {
    let text = "data Z[60, 4] = normal(seed = 1)   data e[60] = normal(seed = 2)
        let A = hcat(hcat(ones(60), 30 + 12*Z[_, 1..1]), hcat(4e4 + 1e4*Z[_, 2..2], hcat(0.2 + 0.05*Z[_, 3..3], 90 + 20*Z[_, 4..4])))
        upper { var x in [-15, 15]  minimize x^2 }
        lower { var w[5]  minimize mean((A*w - A*[50, .4, 1e-3, 20, .8] - e).^2) + exp(x)*normsq(w) }";
    let level = Level::new(text);
    let (z, e) = (level.numbers("Z"), level.numbers("e"));
    let truth = [50.0, 0.4, 1e-3, 20.0, 0.8];
    let rows = z.chunks(4).map(|z| [1.0, 30.0 + 12.0 * z[0], 4e4 + 1e4 * z[1], 0.2 + 0.05 * z[2], 90.0 + 20.0 * z[3]]);
    let rows: Vec<[f64; 5]> = rows.collect();
    let mut solver = level.solver();
    for x in [-4.86, -15.0, 3.0, 15.0] {
        let s = solve_from(&mut solver, &[vec![x], vec![0.0; 5]]);
        assert!(s.solved && s.scaled < 1e-9 && s.evaluations < 200, "{x}: {} {}", s.scaled, s.evaluations);
        let w = &s.values[0];
        let mut slopes: [f64; 5] = std::array::from_fn(|j| 2.0 * f64::exp(x) * w[j]);
        let mut sizes = slopes.map(f64::abs);
        for (a, e) in rows.iter().zip(&e) {
            let rest: f64 = a.iter().zip(w).zip(truth).map(|((a, w), t)| a * (w - t)).sum::<f64>() - e;
            let right: f64 = a.iter().zip(truth).map(|(a, t)| a * t).sum::<f64>() + e;
            for j in 0..5 {
                slopes[j] += 2.0 * a[j] * rest / 60.0;
                sizes[j] += (2.0 * a[j] * right / 60.0).abs();
            }
        }
        assert!(slopes.iter().zip(sizes).all(|(s, size)| s.abs() < 1e-8 * size), "{x}: {slopes:?} {sizes:?}");
        // the ridge changes no diagonal that matters, or is worth one of its own
        assert!(s.counts.hvp <= 5, "{x}: {:?}", s.counts);
    }
    assert_eq!(solver.metric.setup(), 5);
}

/// `0 in f_y + w .* d|y| + normal cone of [lo, hi]`, entry by entry in its unit.
#[test]
fn lasso_with_weights_and_bounds_is_solved_in_a_metric() {
    for units in UNITS {
        let of = |v: &[f64; 8], sign: i32| {
            let each = v.iter().zip(&units).map(|(v, e)| format!("{:e}", v * f64::powi(10.0, sign * e)));
            each.collect::<Vec<_>>().join(", ")
        };
        let weights = [0.1, 2.0, 1.0, 9.0, 0.5, 0.3, 3.0, 0.2];
        let (lo, hi) = ([-0.05; 8], [0.04; 8]);
        let set = format!("in [[{}], [{}]]", of(&lo, -1), of(&hi, -1));
        let text = squares(&units, "1", &set, "regularize sum(w[i]*abs(y[i]) for i in 1..8)");
        let level = Level::new(&format!("let w = [{}]  {text}", of(&weights, 1)));
        let s = solve_from(&mut level.solver(), &[vec![0.0], vec![0.0; 8]]);
        assert!(s.solved && s.evaluations < 300, "{units:?} {} {}", s.scaled, s.evaluations);
        let columns = Columns::new(&level, &units);
        let mut kinds = [0; 3];
        for (j, slope) in columns.slopes(&s.values[0]).into_iter().enumerate() {
            let unit = f64::powi(10.0, units[j]);
            let (y, w) = (s.values[0][j] * unit, weights[j] * unit / columns.size(j));
            let (at_lo, at_hi) = (y <= lo[j] * (1.0 - 1e-12), y >= hi[j] * (1.0 - 1e-12));
            // what is left of the slope beyond the kink and the bound
            let left = if y == 0.0 { (slope.abs() - w).max(0.0) } else { slope + w * y.signum() };
            let left = if at_lo {
                left.min(0.0)
            } else if at_hi {
                left.max(0.0)
            } else {
                left
            };
            assert!(left.abs() < 1e-9, "{units:?} {j}: {y} {slope} {w}");
            kinds[if y == 0.0 {
                0
            } else if at_lo || at_hi {
                1
            } else {
                2
            }] += 1;
        }
        assert!(kinds.iter().all(|k| *k > 0), "{kinds:?}");
    }
}

/// One number per variable where the set couples entries; it still follows the units of the variable and of f.
#[test]
fn sets_that_couple_entries_are_solved_in_any_unit() {
    for (unit, factor) in [(1.0, 1.0), (1e6, 1.0), (1e-6, 1e14), (1.0, 1e-14)] {
        let text = |set: &str| {
            format!(
                "data N[40, 4] = normal(seed = 3)   data b[40] = normal(seed = 4)
                 upper {{ var x  minimize x^2 }}
                 lower {{ var y[4] in {set}  var z  minimize {factor:e}*(1/2*normsq(N*y/{unit:e} - b) + (z - sum(y)/{unit:e})^2) }}"
            )
        };
        for set in ["simplex", "ball2"] {
            let level = Level::new(&text(&format!("{set}({:e})", 0.25 * unit)));
            let s = solve_from(&mut level.solver(), &[vec![0.0], vec![0.0625 * unit; 4], vec![0.0]]);
            let y: Vec<f64> = s.values[0].iter().map(|y| y / unit).collect();
            let (a, b) = (level.numbers("N"), level.numbers("b"));
            let rest: Vec<f64> =
                a.chunks(4).zip(&b).map(|(a, b)| a.iter().zip(&y).map(|(a, y)| a * y).sum::<f64>() - b).collect();
            // z follows sum(y), and its term is 0
            let g: Vec<f64> = (0..4).map(|j| a.chunks(4).zip(&rest).map(|(a, r)| a[j] * r).sum()).collect();
            assert!(s.solved && s.evaluations < 200, "{set} {unit}: {} {}", s.scaled, s.evaluations);
            if set == "simplex" {
                let least = g.iter().copied().fold(f64::INFINITY, f64::min);
                assert!(y.iter().zip(&g).all(|(y, g)| *y >= 0.0 && (*y == 0.0 || g - least < 1e-6)), "{y:?} {g:?}");
                assert!((y.iter().sum::<f64>() - 0.25).abs() < 1e-9);
            } else {
                let (size, length) =
                    (g.iter().map(|g| g * g).sum::<f64>().sqrt(), y.iter().map(|y| y * y).sum::<f64>().sqrt());
                assert!((length - 0.25).abs() < 1e-9 && size > 0.1, "{y:?}");
                assert!(y.iter().zip(&g).all(|(y, g)| (y / length + g / size).abs() < 1e-6), "{y:?} {g:?}");
            }
        }
    }
}

#[test]
fn a_basin_is_kept_in_any_unit() {
    for unit in [1.0, 1e-6, 1e6] {
        let text = format!(
            "upper {{ var x  minimize x^2 }}  lower {{ var y  var z  minimize sin({unit:e}*y) + 1e-2*sin(z) }}"
        );
        for start in [-4.6, -3.0, -1.6, 0.5, 1.0, 1.5] {
            let s = found(&text, &[vec![0.0], vec![start / unit], vec![start]]);
            let y = s.values[0][0] * unit;
            assert!((y + std::f64::consts::FRAC_PI_2).abs() < 1e-2, "{unit} {start}: {y}");
        }
    }
}

/// The rule of reuse: one diagonal for all x, as long as it serves.
#[test]
fn solves_at_many_points_pay_one_diagonal() {
    let level = Level::new(&squares(&UNITS[1], "1", "", "+ 1e-3*exp(x)*normsq(d .* y)"));
    let mut solver = level.solver();
    let mut y = vec![0.0; 8];
    let mut products = 0;
    for k in 0..20 {
        let s = solve_from(&mut solver, &[vec![0.1 * f64::from(k)], y]);
        assert!(s.solved && s.evaluations < 60, "{k}: {} {}", s.scaled, s.evaluations);
        products += s.counts.hvp;
        y = s.values[0].clone();
    }
    assert_eq!((products, solver.metric.setup()), (0, 8));
}

#[test]
fn a_long_diagonal_is_estimated_once_and_only_where_the_plain_metric_does_not_serve() {
    let text = |d: &str| {
        format!(
            "param n = 100   data N[400, n] = normal(seed = 3)   data b[400] = normal(seed = 4)   let d = {d}
             upper {{ var x  minimize x^2 }}
             lower {{ var y[n]  minimize 1/2*normsq(N*(d .* y) - b) }}"
        )
    };
    let point = [vec![0.0], vec![0.0; 100]];
    let plain = found(&text("ones(n)"), &point);
    assert!(
        plain.solved && plain.counts.hvp == 0 && plain.evaluations < 60,
        "{:?} {}",
        plain.counts,
        plain.evaluations
    );
    let units = "[if mod(i, 3) == 0 then 1e-6 else if mod(i, 3) == 1 then 1 else 1e6 for i in 1..n]";
    let level = Level::new(&text(units));
    let mut solver = level.solver();
    let s = solve_from(&mut solver, &point);
    assert!(s.solved && s.evaluations < 120, "{} {}", s.evaluations, s.scaled);
    // the Hessian is constant: another solve does not estimate it again
    solve_from(&mut solver, &point);
    assert_eq!((s.counts.hvp, solver.metric.setup()), (0, 20));
    let d = |j: usize| [1e-6, 1.0, 1e6][(j + 1) % 3];
    let same = plain.values[0].iter().zip(&s.values[0]).enumerate().all(|(j, (a, b))| (a - b * d(j)).abs() < 1e-7);
    assert!(same, "{:?}", s.values);
}

/// A curvature that vanishes gives no step of 1e30: the entry takes its scale from the gradient and its interval.
#[test]
fn vanishing_curvature_makes_no_endless_step() {
    let level = Level::new(
        "upper { var x  minimize x^2 }
         lower { var y[3] in [0, 50]  minimize 1/2*(y[1] - 1)^2 - y[2] + 1e-35*y[2]^2 + x*(y[3] - 7)^2 }",
    );
    for x in [0.0, 1e-35, 1.0] {
        let s = solve_from(&mut level.solver(), &[vec![x], vec![0.0, 0.0, 7.0]]);
        assert!(s.solved && s.evaluations < 40, "{x}: {} {}", s.scaled, s.evaluations);
        assert!((s.values[0][0] - 1.0).abs() < 1e-8 && s.values[0][1..] == [50.0, 7.0], "{x}: {:?}", s.values);
    }
}
