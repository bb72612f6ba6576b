//! Solves an elastic quadratic program from a guess of its active rows and bounds, which near a solution of the nonlinear
//! program is right: one dense factorization then gives step and multipliers to rounding. A guess is mended by adding all
//! that is violated and leaving all with a multiplier of the wrong sign (Hintermüller, Ito, Kunisch, SIAM J. Optim. 13,
//! 2002), a few times, then by [`descend`](super::descent); an interior-point solve is what remains.

use super::descent::descend;
use crate::conic::{ElasticProgram, ElasticSolver};
use crate::nlp::dense::{Qr, cholesky, cholesky_solve, times};
use crate::nlp::residual::lagrangian;
use crate::vectors::{dot, largest};

/// Changes of a guess of all places at once, at most.
const CHANGES: usize = 8;

/// Changes of one place at a time, at most: what an interior-point solve costs for thirty variables, and a small part of it
/// for ten.
const DESCENT: usize = 40;

/// Violations and multipliers below these shares of what they are compared with are rounding.
pub(super) const ROUNDED: f64 = 1e-12;
pub(super) const NO_MULTIPLIER: f64 = 1e-11;

/// Where a row or a variable stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Free,
    Low,
    High,
    /// Violated at the full price, below the low end or above the high one.
    Under,
    Over,
}

/// A guess of what is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Working {
    pub(super) rows: Vec<Held>,
    pub(super) bounds: Vec<Held>,
}

/// The solution of a quadratic program.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) d: Vec<f64>,
    /// Multipliers of rows and of the step's bounds.
    pub(super) y: Vec<f64>,
    pub(super) w: Vec<f64>,
    pub(super) working: Working,
}

impl Working {
    /// Rows that are equalities, and nothing else.
    pub(super) fn of_equalities(row_bounds: &[[f64; 2]], variables: usize) -> Working {
        let row = |[low, high]: &[f64; 2]| if low == high { Held::High } else { Held::Free };
        Working { rows: row_bounds.iter().map(row).collect(), bounds: vec![Held::Free; variables] }
    }

    /// What multipliers and the room at a solution say.
    fn read(program: &ElasticProgram<'_>, (d, y, w): (&[f64], &[f64], &[f64])) -> Working {
        let unit = largest(y.iter().chain(w)).max(1.0);
        let read = |value: f64, multiplier: f64, [low, high]: [f64; 2], penalty: f64| {
            let (end, sign) = if multiplier > 0.0 { (high, 1.0) } else { (low, -1.0) };
            let room = sign * (end - value);
            let broken = multiplier.abs() >= (1.0 - 1e-5) * penalty && room < -1e-8;
            match (multiplier > 0.0, broken) {
                (true, true) => Held::Over,
                (false, true) => Held::Under,
                (true, _) if low == high || multiplier / unit > room => Held::High,
                (false, _) if low == high || -multiplier / unit > room => Held::Low,
                _ => Held::Free,
            }
        };
        let values = times(program.rows, d);
        let rows = values.iter().zip(y).zip(program.row_bounds);
        let bounds = d.iter().zip(w).zip(program.bounds);
        Working {
            rows: rows.map(|((v, y), b)| read(*v, *y, *b, program.penalty)).collect(),
            bounds: bounds.map(|((v, w), b)| read(*v, *w, *b, f64::INFINITY)).collect(),
        }
    }
}

/// The solution of a program; `None` where numbers are not finite or rounding hides it.
pub(super) fn solve(program: &ElasticProgram<'_>, guess: &Working, conic: &mut ElasticSolver) -> Option<Step> {
    let changes = (10 + 2 * (guess.rows.len() + guess.bounds.len())).min(DESCENT);
    if let Some(step) = mended(program, guess).or_else(|| descend(program, guess, None, changes)) {
        return Some(step);
    }
    let end = conic.solve(program)?;
    let working = Working::read(program, (&end.d, &end.rows, &end.bounds));
    let polished = mended(program, &working).or_else(|| descend(program, &working, Some(&end.d), changes));
    Some(polished.unwrap_or(Step { d: end.d, y: end.rows, w: end.bounds, working }))
}

/// The solution by changes of a guess; `None` where a guess is singular or comes back.
fn mended(program: &ElasticProgram<'_>, guess: &Working) -> Option<Step> {
    let mut seen = vec![guess.clone()];
    for _ in 0..CHANGES {
        let step = held_step(program, seen.last()?)?;
        let next = next_guess(program, &step);
        if next == step.working {
            return Some(step);
        }
        if seen.contains(&next) {
            return None;
        }
        seen.push(next);
    }
    None
}

/// The minimizer with the guess's rows and bounds at their ends; `None` where it is not one.
pub(super) fn held_step(program: &ElasticProgram<'_>, working: &Working) -> Option<Step> {
    let n = program.gradient.len();
    let mut d = vec![0.0; n];
    for ((d, held), [low, high]) in d.iter_mut().zip(&working.bounds).zip(program.bounds) {
        *d = match held {
            Held::Low => *low,
            Held::High => *high,
            _ => 0.0,
        };
    }
    let free: Vec<usize> = (0..n).filter(|i| working.bounds[*i] == Held::Free).collect();
    let mut y: Vec<f64> = working
        .rows
        .iter()
        .map(|held| match held {
            Held::Over => program.penalty,
            Held::Under => -program.penalty,
            _ => 0.0,
        })
        .collect();
    // the gradient where all free entries are 0
    let slope = |d: &[f64], y: &[f64]| {
        let mut slope = lagrangian(program.gradient, program.rows, y);
        slope.iter_mut().zip(times(program.hessian, d)).for_each(|(s, b)| *s += b);
        slope
    };
    let there = slope(&d, &y);
    let row = |i: usize| &program.rows[i * n..(i + 1) * n];
    let held: Vec<usize> =
        (0..working.rows.len()).filter(|i| matches!(working.rows[*i], Held::Low | Held::High)).collect();
    let k = free.len();
    let qr = Qr::new(k, held.iter().map(|i| free.iter().map(|j| row(*i)[*j]).collect()));
    let mut m: Vec<f64> = free.iter().flat_map(|i| free.iter().map(move |j| program.hessian[i * n + j])).collect();
    qr.rotate(&mut m, true);
    let mut g: Vec<f64> = free.iter().map(|i| there[*i]).collect();
    qr.apply_transposed(&mut g);
    let rank = qr.rank();
    let target = |i: usize| program.row_bounds[i][usize::from(working.rows[i] == Held::High)] - dot(row(i), &d);
    let mut u: Vec<f64> = qr.pivots().map(|at| target(held[at])).collect();
    qr.solve_transposed(&mut u);
    let mut block: Vec<f64> = (rank..k).flat_map(|i| m[i * k + rank..(i + 1) * k].to_vec()).collect();
    if !cholesky(&mut block, k - rank, 0.0) {
        return None;
    }
    let mut inner: Vec<f64> = (rank..k).map(|i| -g[i] - dot(&m[i * k..i * k + rank], &u)).collect();
    cholesky_solve(&block, k - rank, &mut inner);
    u.extend(inner);
    let mut multipliers: Vec<f64> = (0..rank).map(|i| -g[i] - dot(&m[i * k..(i + 1) * k], &u)).collect();
    qr.solve(&mut multipliers);
    qr.pivots().zip(&multipliers).for_each(|(at, value)| y[held[at]] = *value);
    qr.apply(&mut u);
    free.iter().zip(&u).for_each(|(i, u)| d[*i] = *u);
    let last = slope(&d, &y);
    let w: Vec<f64> =
        last.iter().zip(&working.bounds).map(|(s, held)| if *held == Held::Free { 0.0 } else { -s }).collect();
    let finite = d.iter().chain(&y).chain(&w).all(|v| v.is_finite());
    finite.then(|| Step { d, y, w, working: working.clone() })
}

/// The guess without wrong signs and with all that is violated: the same one where the step is the solution.
fn next_guess(program: &ElasticProgram<'_>, step: &Step) -> Working {
    let n = program.gradient.len();
    let unit = largest(step.y.iter().chain(&step.w)).max(1.0) * NO_MULTIPLIER;
    let mut next = step.working.clone();
    for (i, held) in next.rows.iter_mut().enumerate() {
        let (row, [low, high]) = (&program.rows[i * n..(i + 1) * n], program.row_bounds[i]);
        let value = dot(row, &step.d);
        let parts: f64 = row.iter().zip(&step.d).map(|(a, d)| (a * d).abs()).sum();
        let rounding = ROUNDED * parts.max(1.0).max(if held == &Held::Low { low.abs() } else { high.abs().min(1e3) });
        let (over, under) = (value > high + rounding, value < low - rounding);
        *held = match *held {
            Held::Free if over => Held::High,
            Held::Free if under => Held::Low,
            Held::Free => Held::Free,
            Held::Over if over || (low == high && value >= high) => Held::Over,
            Held::Under if under || (low == high && value <= low) => Held::Under,
            Held::Over => Held::High,
            Held::Under => Held::Low,
            side @ (Held::Low | Held::High) if (low == high || side == Held::High) && step.y[i] > program.penalty => {
                Held::Over
            }
            side @ (Held::Low | Held::High) if (low == high || side == Held::Low) && step.y[i] < -program.penalty => {
                Held::Under
            }
            // a row that depends on others is where they put it; its price pushes them apart
            Held::Low | Held::High if over => Held::Over,
            Held::Low | Held::High if under => Held::Under,
            same if low == high => same,
            Held::High if step.y[i] < -unit => Held::Free,
            Held::Low if step.y[i] > unit => Held::Free,
            same => same,
        };
    }
    for (i, held) in next.bounds.iter_mut().enumerate() {
        let ([low, high], d, w) = (program.bounds[i], step.d[i], step.w[i]);
        let rounding = ROUNDED * d.abs().max(1e-3);
        *held = match *held {
            Held::High if w < -unit => Held::Free,
            Held::Low if w > unit => Held::Free,
            Held::Free if d > high + rounding => Held::High,
            Held::Free if d < low - rounding => Held::Low,
            same => same,
        };
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random convex programs: changes of a guess, descent and the interior-point solve agree.
    #[test]
    fn all_ways_of_solving_agree() {
        let mut state = 7_u64;
        let mut draw = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
        };
        let (n, m) = (5, 4);
        let mut by_guess = 0;
        for _ in 0..60 {
            let factor: Vec<f64> = (0..n * n).map(|_| draw()).collect();
            let entry = |i: usize, j: usize| dot(&factor[i * n..(i + 1) * n], &factor[j * n..(j + 1) * n]);
            let hessian: Vec<f64> = (0..n * n).map(|e| entry(e / n, e % n) + f64::from(e / n == e % n) * 0.1).collect();
            let rows: Vec<f64> = (0..n * m).map(|_| draw()).collect();
            let gradient: Vec<f64> = (0..n).map(|_| 3.0 * draw()).collect();
            let row_bounds: Vec<[f64; 2]> = (0..m)
                .map(|i| {
                    let end = 0.5 * draw();
                    [[end, end], [f64::NEG_INFINITY, end], [end, f64::INFINITY], [end, end + 0.1]][i]
                })
                .collect();
            let program = ElasticProgram {
                hessian: &hessian,
                gradient: &gradient,
                rows: &rows,
                row_bounds: &row_bounds,
                bounds: &[[-0.6, 0.7]; 5],
                penalty: 2.0,
            };
            let end = ElasticSolver::default().solve(&program).unwrap();
            let guess = Working::of_equalities(&row_bounds, n);
            let mended = mended(&program, &guess);
            by_guess += usize::from(mended.is_some());
            let descended = descend(&program, &guess, None, 200);
            assert!(descended.is_some(), "{end:?}");
            for step in [mended, descended, solve(&program, &guess, &mut ElasticSolver::default())].iter().flatten() {
                let pairs = step.d.iter().zip(&end.d).chain(step.y.iter().zip(&end.rows));
                assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-6), "{step:?} {end:?}");
            }
        }
        assert!(by_guess > 10, "{by_guess}");
    }
}
