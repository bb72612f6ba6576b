//! A conic program under construction: expressions that are affine in its variables, required to be zero, to be
//! nonnegative, or to bound a norm or a sum of squares. Sparse, so that thousands of variables are cheap.

use std::ops::Range;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SecondOrderConeT, SolverStatus, SupportedConeT,
    ZeroConeT,
};

/// Residuals and gap of a solution, and what is accepted where rounding allows no more.
const TOLERANCE: f64 = 1e-9;
const ACCEPTED: f64 = 1e-5;

/// `constant + sum(coefficient * variable)`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Affine {
    pub(crate) terms: Vec<(usize, f64)>,
    pub(crate) constant: f64,
}

impl Affine {
    pub(crate) fn constant(constant: f64) -> Affine {
        Affine { terms: Vec::new(), constant }
    }

    pub(crate) fn variable(variable: usize) -> Affine {
        Affine { terms: vec![(variable, 1.0)], constant: 0.0 }
    }

    /// With a multiple of another one added.
    #[must_use]
    pub(crate) fn plus(mut self, factor: f64, other: &Affine) -> Affine {
        if factor != 0.0 {
            self.terms.extend(other.terms.iter().map(|(v, c)| (*v, factor * c)));
            self.constant += factor * other.constant;
        }
        self
    }
}

/// `min sum(curvature z^2/2 + slope z)` under requirements.
#[derive(Debug, Default)]
pub(crate) struct ConicProgram {
    curvature: Vec<f64>,
    slope: Vec<f64>,
    constant: f64,
    /// About how large each variable is. The solver sees variables in these units, and costs in a unit of their own: its
    /// tolerances are absolute for numbers below 1, and sums of squares next to levels near 0 are beyond them as they are.
    units: Vec<f64>,
    /// What is required to lie in the cones, one after the other.
    rows: Vec<Affine>,
    cones: Vec<SupportedConeT<f64>>,
}

/// A solution.
#[derive(Debug)]
pub(crate) struct ConicSolution {
    /// The least value, with the constants of the costs.
    pub(crate) value: f64,
    pub(crate) point: Vec<f64>,
    /// The multipliers of the requirements, row by row: by how much the value falls per unit by which one is relaxed.
    pub(crate) multipliers: Vec<f64>,
}

impl ConicProgram {
    /// Further variables, without cost, about as large as the unit.
    pub(crate) fn variables(&mut self, count: usize, unit: f64) -> Range<usize> {
        let first = self.slope.len();
        self.slope.resize(first + count, 0.0);
        self.curvature.resize(first + count, 0.0);
        self.units.resize(first + count, if unit > 0.0 && unit.is_finite() { unit } else { 1.0 });
        first..first + count
    }

    /// About how large a variable is.
    pub(crate) fn unit(&self, variable: usize) -> f64 {
        self.units[variable]
    }

    /// A cost.
    pub(crate) fn cost(&mut self, cost: &Affine) {
        cost.terms.iter().for_each(|(v, c)| self.slope[*v] += c);
        self.constant += cost.constant;
    }

    /// The cost `weight/2 (variable - center)^2`.
    pub(crate) fn square_cost(&mut self, weight: f64, variable: usize, center: f64) {
        self.curvature[variable] += weight;
        self.slope[variable] -= weight * center;
        self.constant += weight / 2.0 * center * center;
    }

    /// The expression is zero.
    pub(crate) fn zero(&mut self, e: Affine) {
        match self.cones.last_mut() {
            Some(ZeroConeT(n)) => *n += 1,
            _ => self.cones.push(ZeroConeT(1)),
        }
        self.rows.push(e);
    }

    /// The expression is not negative. Returns the place of its multiplier.
    pub(crate) fn nonnegative(&mut self, e: Affine) -> usize {
        match self.cones.last_mut() {
            Some(NonnegativeConeT(n)) => *n += 1,
            _ => self.cones.push(NonnegativeConeT(1)),
        }
        self.rows.push(e);
        self.rows.len() - 1
    }

    /// The Euclidean norm of entries is at most the bound.
    pub(crate) fn norm_at_most(&mut self, entries: impl Iterator<Item = Affine>, bound: Affine) {
        let before = self.rows.len();
        self.rows.push(bound);
        self.rows.extend(entries);
        self.cones.push(SecondOrderConeT(self.rows.len() - before));
    }

    /// The squares of entries add up to at most the bound, which is about `unit^2`: that the numbers of the cone are
    /// about as large is all that the unit is for.
    pub(crate) fn squares_at_most(&mut self, entries: impl Iterator<Item = Affine>, bound: &Affine, unit: f64) {
        // 4|e|^2 <= 4 b is |(2e, b/u - u)| <= b/u + u
        let half = |sign: f64| Affine::constant(sign * unit / 2.0).plus(0.5 / unit, bound);
        let entries: Vec<Affine> = entries.chain([half(-1.0)]).collect();
        self.norm_at_most(entries.into_iter(), half(1.0));
    }

    /// The solution; `None` where there is none, or rounding hides it.
    pub(crate) fn solve(&self) -> Option<ConicSolution> {
        let n = self.slope.len();
        let finite = |a: &Affine| a.constant.is_finite() && a.terms.iter().all(|(_, c)| c.is_finite());
        let mut costs = self.slope.iter().chain(&self.curvature);
        if n == 0 || !costs.all(|v| v.is_finite()) || !self.rows.iter().all(finite) {
            return None;
        }
        let scales = self.row_scales();
        let scaled = |(row, scale): (usize, &f64)| {
            let scale = *scale;
            self.rows[row].terms.iter().map(move |(column, c)| (row, *column, -c * self.units[*column] / scale))
        };
        let entries: Vec<(usize, usize, f64)> = scales.iter().enumerate().flat_map(scaled).collect();
        let (rows, rest): (Vec<usize>, Vec<(usize, f64)>) = entries.into_iter().map(|(r, c, v)| (r, (c, v))).unzip();
        let (columns, values) = rest.into_iter().unzip();
        let matrix = CscMatrix::new_from_triplets(self.rows.len(), n, rows, columns, values);
        let right: Vec<f64> = self.rows.iter().zip(&scales).map(|(e, scale)| e.constant / scale).collect();
        let mut slope: Vec<f64> = self.slope.iter().zip(&self.units).map(|(s, u)| s * u).collect();
        let curved: Vec<usize> = (0..n).filter(|i| self.curvature[*i] != 0.0).collect();
        let mut diagonal: Vec<f64> = curved.iter().map(|i| self.curvature[*i] * self.units[*i].powi(2)).collect();
        let most = largest(&slope).max(largest(&diagonal));
        let price = if most > 0.0 { most } else { 1.0 };
        slope.iter_mut().chain(&mut diagonal).for_each(|v| *v /= price);
        let hessian = CscMatrix::new_from_triplets(n, n, curved.clone(), curved, diagonal);
        let settings = DefaultSettings {
            verbose: false,
            tol_gap_abs: TOLERANCE,
            tol_gap_rel: TOLERANCE,
            tol_feas: TOLERANCE,
            reduced_tol_gap_abs: ACCEPTED,
            reduced_tol_gap_rel: ACCEPTED,
            reduced_tol_feas: ACCEPTED,
            max_threads: 1,
            ..DefaultSettings::default()
        };
        let mut solver = DefaultSolver::new(&hessian, &slope, &matrix, &right, &self.cones, settings).ok()?;
        solver.solve();
        let solution = &solver.solution;
        let good = matches!(solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
        good.then(|| ConicSolution {
            value: price * solution.obj_val + self.constant,
            point: solution.x.iter().zip(&self.units).map(|(z, unit)| z * unit).collect(),
            multipliers: solution.z.iter().zip(&scales).map(|(z, scale)| z * price / scale).collect(),
        })
    }

    /// The largest number of each row in the units of the variables; the rows of a cone of norms keep one scale.
    fn row_scales(&self) -> Vec<f64> {
        let size = |e: &Affine| e.terms.iter().fold(e.constant.abs(), |m, (v, c)| m.max((c * self.units[*v]).abs()));
        let mut scales: Vec<f64> = self.rows.iter().map(size).collect();
        let mut rest = scales.as_mut_slice();
        for cone in &self.cones {
            let (part, after) = rest.split_at_mut(size_of(cone));
            if matches!(cone, SecondOrderConeT(_)) {
                part.fill(largest(&*part));
            }
            rest = after;
        }
        scales.iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = 1.0);
        scales
    }
}

/// Number of rows of a cone.
fn size_of(cone: &SupportedConeT<f64>) -> usize {
    match cone {
        ZeroConeT(n) | NonnegativeConeT(n) | SecondOrderConeT(n) => *n,
        _ => unreachable!("a program has three kinds of cones"),
    }
}

/// The largest size of numbers.
fn largest<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    numbers.into_iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_of_a_disc_and_the_multiplier_of_a_half_plane() {
        // min |z - (3, 4)|^2/2 within the disc of radius 1: (3, 4)/5
        let mut disc = ConicProgram::default();
        let z = disc.variables(2, 1.0);
        z.clone().zip([3.0, 4.0]).for_each(|(v, c)| disc.square_cost(1.0, v, c));
        disc.norm_at_most(z.clone().map(Affine::variable), Affine::constant(1.0));
        let found = disc.solve().unwrap();
        assert!((found.point[0] - 0.6).abs() < 1e-8 && (found.point[1] - 0.8).abs() < 1e-8, "{found:?}");
        assert!((found.value - 8.0).abs() < 1e-7, "{found:?}");
        // min z^2/2 with z >= 2: the value falls by 2 per unit
        let mut half = ConicProgram::default();
        half.variables(1, 1.0);
        half.square_cost(1.0, 0, 0.0);
        let row = half.nonnegative(Affine::constant(-2.0).plus(1.0, &Affine::variable(0)));
        assert!((half.solve().unwrap().multipliers[row] - 2.0).abs() < 1e-7);
    }

    #[test]
    fn squares_in_any_unit_are_bounded_alike() {
        for unit in [0.1, 1.0, 30.0] {
            // max a + b with a^2 + b^2 <= 8
            let mut program = ConicProgram::default();
            let z = program.variables(2, 1.0);
            program.cost(&Affine::default().plus(-1.0, &Affine::variable(0)).plus(-1.0, &Affine::variable(1)));
            program.squares_at_most(z.map(Affine::variable), &Affine::constant(8.0), unit);
            let found = program.solve().unwrap();
            assert!(found.point.iter().all(|v| (v - 2.0).abs() < 1e-6), "{unit}: {found:?}");
        }
    }

    #[test]
    fn requirements_that_contradict_each_other_have_no_solution() {
        let mut program = ConicProgram::default();
        program.variables(1, 1.0);
        program.zero(Affine::constant(-1.0).plus(1.0, &Affine::variable(0)));
        program.norm_at_most([Affine::variable(0)].into_iter(), Affine::constant(0.5));
        assert!(program.solve().is_none());
    }
}
