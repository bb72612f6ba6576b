//! Quadratic programs whose rows may be violated at a price, one after the other on the same pattern: the subproblems of
//! sequential quadratic programming. Every such program has a solution, and with it multipliers between the price and its
//! negative. The solver keeps its symbolic factorization; only numbers change from one program to the next.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT};

/// Residuals and gap of a solution, and what is accepted where rounding allows no more.
const TOLERANCE: f64 = 1e-11;
const ACCEPTED: f64 = 1e-6;

/// `min d'Bd/2 + g'd + penalty sum_i dist(a_i'd, [low_i, high_i])` between bounds.
#[derive(Clone, Copy)]
pub(crate) struct ElasticProgram<'a> {
    /// B `[n, n]`, symmetric and positive semidefinite.
    pub(crate) hessian: &'a [f64],
    pub(crate) gradient: &'a [f64],
    /// The a_i as rows `[m, n]`.
    pub(crate) rows: &'a [f64],
    /// Ends may be infinite, not both of a row.
    pub(crate) row_bounds: &'a [[f64; 2]],
    /// All finite.
    pub(crate) bounds: &'a [[f64; 2]],
    pub(crate) penalty: f64,
}

/// A solution with multipliers: positive where a high end is active, negative where a low end is.
#[derive(Debug)]
pub(crate) struct ElasticSolution {
    pub(crate) d: Vec<f64>,
    pub(crate) rows: Vec<f64>,
    pub(crate) bounds: Vec<f64>,
}

/// Which inequality a row of the cone program is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Low,
    High,
}

/// The solver of one pattern: the number of variables, and which ends of which rows are finite.
#[derive(Default)]
pub(crate) struct ElasticSolver {
    /// Rows of the cone program that come from rows: equalities first.
    sides: Vec<(usize, Side)>,
    equalities: usize,
    /// The row that each slack belongs to.
    slacks: Vec<usize>,
    /// Entries of the rows and of B that were not zero in any program so far: only these are in the cone program.
    row_entries: Vec<bool>,
    hessian_entries: Vec<bool>,
    solver: Option<DefaultSolver<f64>>,
}

impl ElasticSolver {
    /// The solution; `None` where numbers are not finite or rounding hides it.
    pub(crate) fn solve(&mut self, program: &ElasticProgram<'_>) -> Option<ElasticSolution> {
        let n = program.gradient.len();
        let numbers = program.hessian.iter().chain(program.gradient).chain(program.rows);
        if n == 0 || numbers.chain([&program.penalty]).any(|v| !v.is_finite()) {
            return None;
        }
        self.learn_pattern(program);
        // the solver's tolerances are absolute for small numbers
        let price = 1.0 / program.gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
        let (hessian, linear) = (self.hessian(program, price), self.linear(program, price));
        let (matrix, right) = (self.matrix(program), self.right(program));
        let updated = match &mut self.solver {
            Some(solver) => solver.update_data(&hessian.nzval, &linear, &matrix.nzval, &right).is_ok(),
            None => false,
        };
        if !updated {
            let cones = [ZeroConeT(self.equalities), NonnegativeConeT(right.len() - self.equalities)];
            self.solver = DefaultSolver::new(&hessian, &linear, &matrix, &right, &cones, settings()).ok();
        }
        let solver = self.solver.as_mut()?;
        solver.solve();
        let solution = &solver.solution;
        if !matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
            return None;
        }
        let d: Vec<f64> = solution.x[..n].iter().zip(program.bounds).map(|(d, [l, h])| d.clamp(*l, *h)).collect();
        let mut rows = vec![0.0; program.row_bounds.len()];
        for ((row, side), z) in self.sides.iter().zip(&solution.z) {
            rows[*row] += if *side == Side::Low { -z } else { *z } / price;
        }
        let ends = solution.z[self.sides.len()..].chunks_exact(2).take(n);
        let bounds = ends.map(|z| (z[0] - z[1]) / price).collect();
        Some(ElasticSolution { d, rows, bounds })
    }

    /// Forgets the factorization where the pattern is another one.
    fn learn_pattern(&mut self, program: &ElasticProgram<'_>) {
        let mut equalities = Vec::new();
        let mut inequalities = Vec::new();
        let mut slacks = Vec::new();
        for (i, [low, high]) in program.row_bounds.iter().enumerate() {
            slacks.push(i);
            if low == high {
                equalities.push((i, Side::Both));
                slacks.push(i);
                continue;
            }
            inequalities.extend(high.is_finite().then_some((i, Side::High)));
            inequalities.extend(low.is_finite().then_some((i, Side::Low)));
        }
        let count = equalities.len();
        equalities.append(&mut inequalities);
        let lengths = (program.rows.len(), program.hessian.len());
        if self.sides != equalities
            || self.slacks != slacks
            || lengths != (self.row_entries.len(), self.hessian_entries.len())
        {
            let (row_entries, hessian_entries) = (vec![false; lengths.0], vec![false; lengths.1]);
            let sides = equalities;
            *self = ElasticSolver { sides, equalities: count, slacks, row_entries, hessian_entries, solver: None };
        }
        let rows = grow(&mut self.row_entries, program.rows);
        if grow(&mut self.hessian_entries, program.hessian) || rows {
            self.solver = None;
        }
    }

    /// The upper triangle of B, and nothing for slacks.
    fn hessian(&self, program: &ElasticProgram<'_>, price: f64) -> CscMatrix<f64> {
        let n = program.gradient.len();
        let all = n + self.slacks.len();
        let (mut starts, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
        for j in 0..n {
            for i in (0..=j).filter(|i| self.hessian_entries[i * n + j]) {
                places.push(i);
                values.push(price * program.hessian[i * n + j]);
            }
            starts.push(places.len());
        }
        starts.resize(all + 1, places.len());
        CscMatrix::new(all, all, starts, places, values)
    }

    fn linear(&self, program: &ElasticProgram<'_>, price: f64) -> Vec<f64> {
        let slopes = program.gradient.iter().map(|g| price * g);
        slopes.chain(self.slacks.iter().map(|_| price * program.penalty)).collect()
    }

    /// Rows, then the high and the low end of each variable, then slacks.
    fn matrix(&self, program: &ElasticProgram<'_>) -> CscMatrix<f64> {
        let (n, rows) = (program.gradient.len(), self.sides.len());
        let all = rows + 2 * n + self.slacks.len();
        let (mut starts, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
        for j in 0..n {
            for (at, (row, side)) in self.sides.iter().enumerate().filter(|(_, (row, _))| self.row_entries[row * n + j])
            {
                let entry = program.rows[row * n + j];
                places.push(at);
                values.push(if *side == Side::Low { -entry } else { entry });
            }
            places.extend([rows + 2 * j, rows + 2 * j + 1]);
            values.extend([1.0, -1.0]);
            starts.push(places.len());
        }
        for (k, row) in self.slacks.iter().enumerate() {
            // of the two slacks of an equality the second one raises its row
            let second = k > 0 && self.slacks[k - 1] == *row;
            for (at, _) in self.sides.iter().enumerate().filter(|(_, (r, _))| r == row) {
                places.push(at);
                values.push(if second { 1.0 } else { -1.0 });
            }
            places.push(rows + 2 * n + k);
            values.push(-1.0);
            starts.push(places.len());
        }
        CscMatrix::new(all, n + self.slacks.len(), starts, places, values)
    }

    fn right(&self, program: &ElasticProgram<'_>) -> Vec<f64> {
        let row = |(i, side): &(usize, Side)| match side {
            Side::Low => -program.row_bounds[*i][0],
            Side::Both | Side::High => program.row_bounds[*i][1],
        };
        let ends = program.bounds.iter().flat_map(|[low, high]| [*high, -low]);
        self.sides.iter().map(row).chain(ends).chain(self.slacks.iter().map(|_| 0.0)).collect()
    }
}

/// Adds the entries that are not zero, and tells whether there were new ones.
fn grow(entries: &mut [bool], values: &[f64]) -> bool {
    let mut new = false;
    for (known, value) in entries.iter_mut().zip(values) {
        new |= !*known && *value != 0.0;
        *known |= *value != 0.0;
    }
    new
}

/// Equilibration and presolve would not fit the numbers of the next program.
fn settings() -> DefaultSettings<f64> {
    DefaultSettings {
        verbose: false,
        max_threads: 1,
        tol_gap_abs: TOLERANCE,
        tol_gap_rel: TOLERANCE,
        tol_feas: TOLERANCE,
        reduced_tol_gap_abs: ACCEPTED,
        reduced_tol_gap_rel: ACCEPTED,
        reduced_tol_feas: ACCEPTED,
        equilibrate_enable: false,
        presolve_enable: false,
        ..DefaultSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// min (a - 2)^2 + (b - 3)^2 with a + b <= 2, a - b = 0 at a price, within [-5, 5].
    fn solved(solver: &mut ElasticSolver, penalty: f64, sum: f64) -> ElasticSolution {
        let program = ElasticProgram {
            hessian: &[2.0, 0.0, 0.0, 2.0],
            gradient: &[-4.0, -6.0],
            rows: &[1.0, 1.0, 1.0, -1.0],
            row_bounds: &[[f64::NEG_INFINITY, sum], [0.0, 0.0]],
            bounds: &[[-5.0, 5.0]; 2],
            penalty,
        };
        solver.solve(&program).unwrap()
    }

    #[test]
    fn programs_on_one_pattern_with_their_multipliers() {
        let mut solver = ElasticSolver::default();
        // a = b = 1: 2a - 4 + p + q = 0, 2b - 6 + p - q = 0, so p = 3, q = -1
        let end = solved(&mut solver, 10.0, 2.0);
        for (found, right) in end.d.iter().chain(&end.rows).zip([1.0, 1.0, 3.0, -1.0]) {
            assert!((found - right).abs() < 1e-8, "{end:?}");
        }
        // the price is below the multiplier of the sum: 2a - 4 + 2 + q = 0 with a = b = 1.5
        let end = solved(&mut solver, 2.0, 2.0);
        for (found, right) in end.d.iter().chain(&end.rows).zip([1.5, 1.5, 2.0, -1.0]) {
            assert!((found - right).abs() < 1e-8, "{end:?}");
        }
        // the sum can be reached only at the bounds
        let end = solved(&mut solver, 100.0, -12.0);
        assert!(end.d.iter().all(|d| (d + 5.0).abs() < 1e-8) && end.bounds.iter().all(|w| *w < 0.0), "{end:?}");
    }
}
