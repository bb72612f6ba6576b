//! Convex subproblems, solved by the interior-point method of `clarabel` (Goulart, Chen, "Clarabel: an interior-point
//! solver for conic programs with quadratic objectives", 2024).

mod elastic;
mod program;

pub(crate) use elastic::{ElasticProgram, ElasticSolver};
pub(crate) use program::{Affine, ConicProgram};

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus};

/// Residuals and gap of a solution.
const TOLERANCE: f64 = 1e-12;

/// `min d'Hd/2 + g'd` under rows `a'd <= b` and between bounds, all of them finite.
pub(crate) struct QuadraticProgram<'a> {
    /// H, row by row: symmetric and positive semidefinite.
    pub(crate) hessian: &'a [Vec<f64>],
    pub(crate) gradient: &'a [f64],
    /// a and b of each row.
    pub(crate) rows: &'a [(Vec<f64>, f64)],
    /// The least and the largest value of each entry.
    pub(crate) bounds: &'a [[f64; 2]],
}

impl QuadraticProgram<'_> {
    /// The solution; `None` where no point meets the rows, or numbers are not finite.
    pub(crate) fn solve(&self) -> Option<Vec<f64>> {
        let n = self.gradient.len();
        let unit = |i: usize, value: f64| (0..n).map(|j| if i == j { value } else { 0.0 }).collect::<Vec<f64>>();
        let mut rows: Vec<Vec<f64>> = self.rows.iter().map(|(a, _)| a.clone()).collect();
        let mut right: Vec<f64> = self.rows.iter().map(|(_, b)| *b).collect();
        for (i, [low, high]) in self.bounds.iter().enumerate() {
            rows.extend([unit(i, -1.0), unit(i, 1.0)]);
            right.extend([-low, *high]);
        }
        let numbers = rows.iter().chain(self.hessian).flatten().chain(&right).chain(self.gradient);
        if n == 0 || numbers.into_iter().any(|v| !v.is_finite()) {
            return None;
        }
        let upper: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| if j >= i { self.hessian[i][j] } else { 0.0 }).collect()).collect();
        let settings = DefaultSettings {
            verbose: false,
            tol_gap_abs: TOLERANCE,
            tol_gap_rel: TOLERANCE,
            tol_feas: TOLERANCE,
            ..DefaultSettings::default()
        };
        let cones = [NonnegativeConeT(right.len())];
        let (hessian, matrix) = (CscMatrix::from(&upper), CscMatrix::from(&rows));
        let mut solver = DefaultSolver::new(&hessian, self.gradient, &matrix, &right, &cones, settings).ok()?;
        solver.solve();
        let good = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
        let clamped = solver.solution.x.iter().zip(self.bounds).map(|(d, [low, high])| d.clamp(*low, *high));
        good.then(|| clamped.collect())
    }
}

/// `min z'Hz/2 + g'z` over z of which the entries that are not `free` are not negative; H `[n, n]` is positive
/// semidefinite. `None` where it has no solution, or rounding hides it.
pub(crate) fn nonnegative_quadratic(hessian: &[f64], gradient: &[f64], free: &[bool]) -> Option<Vec<f64>> {
    let n = gradient.len();
    if n == 0 || hessian.iter().chain(gradient).any(|v| !v.is_finite()) {
        return None;
    }
    // the solver's tolerances are absolute for small numbers
    let price = 1.0 / gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
    let upper: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| if j >= i { price * hessian[i * n + j] } else { 0.0 }).collect()).collect();
    let slope: Vec<f64> = gradient.iter().map(|g| price * g).collect();
    let signed: Vec<usize> = (0..n).filter(|i| !free[*i]).collect();
    let count = signed.len();
    let matrix = CscMatrix::new_from_triplets(count, n, (0..count).collect(), signed, vec![-1.0; count]);
    let settings = DefaultSettings { verbose: false, max_threads: 1, ..DefaultSettings::default() };
    let cones = [NonnegativeConeT(count)];
    let right = vec![0.0; count];
    let mut solver = DefaultSolver::new(&CscMatrix::from(&upper), &slope, &matrix, &right, &cones, settings).ok()?;
    solver.solve();
    let good = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
    good.then(|| solver.solution.x.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_program_with_an_active_row_and_an_active_bound() {
        // min (a - 2)^2 + (b - 3)^2 + c under a + b <= 2, between -1 and 5: a = 0.5, b = 1.5, c = -1
        let hessian = [vec![2.0, 0.0, 0.0], vec![0.0, 2.0, 0.0], vec![0.0; 3]];
        let program = QuadraticProgram {
            hessian: &hessian,
            gradient: &[-4.0, -6.0, 1.0],
            rows: &[(vec![1.0, 1.0, 0.0], 2.0)],
            bounds: &[[-1.0, 5.0]; 3],
        };
        let found = program.solve().unwrap();
        for (d, right) in found.iter().zip([0.5, 1.5, -1.0]) {
            assert!((d - right).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn rows_that_contradict_each_other_have_no_solution() {
        let program = QuadraticProgram {
            hessian: &[vec![1.0]],
            gradient: &[0.0],
            rows: &[(vec![1.0], -1.0), (vec![-1.0], -1.0)],
            bounds: &[[-5.0, 5.0]],
        };
        assert_eq!(program.solve(), None);
    }
}
