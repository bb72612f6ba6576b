//! Multipliers of a point of the lower level: the nonnegative least-squares solution of stationarity over the rows and
//! bounds that are active.

use super::ConstrainedLower;
use crate::conic::QuadraticProgram;
use crate::nlp::Nlp;
use crate::nlp::dense::{Qr, cholesky, cholesky_solve};

/// Rows and bounds this near to their end, against the size of what they hold, are active.
const ACTIVE: f64 = 1e-5;

/// No multiplier is larger.
const MOST: f64 = 1e6;

/// What keeps the multipliers of dependent rows small.
const DAMPING: f64 = 1e-10;

/// What is active at a point.
struct Active {
    /// Rows, and entries with the side of their bound.
    of_rows: Vec<usize>,
    of_bounds: Vec<(usize, usize)>,
    /// A column and the signs that its multiplier may have, per active row, then per bound.
    columns: Vec<(Vec<f64>, [f64; 2])>,
    /// The slope of f.
    gradient: Vec<f64>,
}

impl ConstrainedLower {
    /// True where active rows and bounds depend on each other and carry a part of the slope of f, at the x that is in
    /// place: multipliers are then not unique, as the lower level has lost its constraint qualification.
    pub(crate) fn has_many_multipliers(&mut self, y: &[f64]) -> bool {
        let Active { of_rows, columns, gradient, .. } = self.active(y);
        let size = gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
        let count = columns.len();
        let rank = Qr::new(y.len(), columns.iter().map(|(column, _)| column.clone())).rank();
        // bounds alone are independent, but for an entry that can take one value only
        let weights = if rank < count && !of_rows.is_empty() { least_squares(&columns, &gradient) } else { Vec::new() };
        weights.iter().any(|w| w.abs() > ACTIVE * size)
    }

    fn active(&mut self, y: &[f64]) -> Active {
        let (m, count) = (y.len(), self.equalities.len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; count], vec![0.0; m], vec![0.0; m * count]);
        self.program.values(y, &mut rows);
        self.program.slopes(y, &mut gradient, &mut jacobian);
        let mut columns: Vec<(Vec<f64>, [f64; 2])> = Vec::new();
        let mut of_rows = Vec::new();
        for (i, equality) in self.equalities.iter().enumerate() {
            if *equality || rows[i] >= -ACTIVE {
                of_rows.push(i);
                let row = jacobian[i * m..(i + 1) * m].to_vec();
                columns.push((row, if *equality { [-MOST, MOST] } else { [0.0, MOST] }));
            }
        }
        let mut of_bounds = Vec::new();
        for (j, [low, high]) in self.bounds.iter().enumerate() {
            let near = ACTIVE * y[j].abs().max(1.0);
            for (side, active) in [(0, y[j] - low <= near), (1, high - y[j] <= near)] {
                if active {
                    of_bounds.push((j, side));
                    let unit = |i: usize| if i == j { 2.0 * side as f64 - 1.0 } else { 0.0 };
                    columns.push(((0..m).map(unit).collect(), [0.0, MOST]));
                }
            }
        }
        Active { of_rows, of_bounds, columns, gradient }
    }
}

impl ConstrainedLower {
    /// A multiplier per row and a pair per entry, of its lower and of its upper bound: `f_y + c_y' lam - zl + zu` is as
    /// near to zero as it gets at the x that is in place.
    pub(crate) fn multipliers(&mut self, y: &[f64]) -> (Vec<f64>, Vec<[f64; 2]>) {
        let (m, count) = (y.len(), self.equalities.len());
        let Active { of_rows, of_bounds, columns, gradient } = self.active(y);
        let found = least_squares(&columns, &gradient);
        let (mut lam, mut z) = (vec![0.0; count], vec![[0.0; 2]; m]);
        of_rows.iter().zip(&found).for_each(|(i, v)| lam[*i] = *v);
        of_bounds.iter().zip(&found[of_rows.len()..]).for_each(|((j, side), v)| z[*j][*side] = *v);
        (lam, z)
    }
}

impl ConstrainedLower {
    /// True where multipliers of rows, those of constraints at least, make y stationary at the x that is in place: up to
    /// what the bounds that y is at may carry, with signs and complementarity, and within the bound on their size.
    pub(crate) fn fits(&mut self, y: &[f64], multipliers: &[f64]) -> bool {
        let (m, count) = (y.len(), self.equalities.len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; count], vec![0.0; m], vec![0.0; m * count]);
        self.program.values(y, &mut rows);
        self.program.slopes(y, &mut gradient, &mut jacobian);
        let size = gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
        if multipliers.len() < count {
            // those of sets are not known
            return multipliers.iter().all(|v| v.abs() < LOST);
        }
        let mut worst = 0.0f64;
        for (i, lam) in multipliers.iter().take(count).enumerate() {
            jacobian[i * m..(i + 1) * m].iter().zip(&mut gradient).for_each(|(c, g)| *g += lam * c);
            if !self.equalities[i] {
                worst = worst.max(-lam).max(lam * -rows[i]);
            }
            worst = if lam.abs() < LOST { worst } else { f64::INFINITY };
        }
        for (j, [low, high]) in self.bounds.iter().enumerate() {
            let near = ACTIVE * y[j].abs().max(1.0);
            let carried = (gradient[j] > 0.0 && y[j] - low <= near) || (gradient[j] < 0.0 && high - y[j] <= near);
            worst = if carried { worst } else { worst.max(gradient[j].abs()) };
        }
        worst <= FITS * size
    }
}

/// A multiplier of this size says that the lower level has lost its constraint qualification.
const LOST: f64 = 0.99 * MOST;

/// Stationarity within this share of the slope of f.
const FITS: f64 = 1e-4;

/// Passes over the weights where the quadratic program has no solution by its tolerances.
const PASSES: usize = 2000;

/// The same one weight after the other (coordinate descent), for columns that are nearly dependent.
fn by_coordinates(hessian: &[Vec<f64>], slope: &[f64], bounds: &[[f64; 2]]) -> Vec<f64> {
    let mut weights = vec![0.0; slope.len()];
    for _ in 0..PASSES {
        for i in 0..slope.len() {
            let along: f64 = hessian[i].iter().zip(&weights).map(|(h, w)| h * w).sum::<f64>() + slope[i];
            weights[i] = (weights[i] - along / hessian[i][i]).clamp(bounds[i][0], bounds[i][1]);
        }
    }
    weights
}

/// Dependent columns get proximal steps of this damping, against their size; so many of them.
const DEPENDENT: f64 = 1e-4;
const STEPS: usize = 8;

/// Smaller weights of dependent columns may leave this much more of the gradient, against its size or 1.
const LEAVES: f64 = 1e-9;

/// The weights of the columns, between bounds, whose sum with the gradient is least; of dependent columns small ones.
fn least_squares(columns: &[(Vec<f64>, [f64; 2])], gradient: &[f64]) -> Vec<f64> {
    let zeros = vec![0.0; columns.len()];
    let weights = damped(columns, gradient, DAMPING, &zeros);
    let rank = Qr::new(gradient.len(), columns.iter().map(|(column, _)| column.clone())).rank();
    let largest = columns.iter().flat_map(|(c, _)| c).fold(0.0, |m: f64, v| m.max(v.abs()));
    if rank == columns.len() || largest == 0.0 {
        return weights;
    }
    let damping = DEPENDENT * largest * largest;
    let small = smallest(columns, gradient, damping, &damped(columns, gradient, damping, &zeros));
    let left = |weights: &[f64]| {
        let mut rest = gradient.to_vec();
        for ((column, _), w) in columns.iter().zip(weights) {
            rest.iter_mut().zip(column).for_each(|(r, c)| *r += w * c);
        }
        rest.iter().fold(0.0, |m: f64, r| m.max(r.abs()))
    };
    let size = gradient.iter().fold(1.0, |m: f64, g| m.max(g.abs()));
    let enough = left(&weights) + LEAVES * size;
    small.filter(|small| left(small) <= enough).unwrap_or(weights)
}

/// The smallest of the weights of those columns that are in use, where they keep within bounds: the proximal-point
/// iteration from zero (Rockafellar 1976) stays in the span of the rows.
fn smallest(columns: &[(Vec<f64>, [f64; 2])], gradient: &[f64], damping: f64, weights: &[f64]) -> Option<Vec<f64>> {
    let size = weights.iter().fold(1.0, |m: f64, w| m.max(w.abs()));
    let used: Vec<usize> =
        (0..columns.len()).filter(|i| columns[*i].1[0] < 0.0 || weights[*i] > ACTIVE * size).collect();
    let n = used.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let column = |i: usize| &columns[used[i]].0;
    let mut hessian = vec![0.0; n * n];
    for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
        hessian[i * n + j] = dot(column(i), column(j)) + if i == j { damping } else { 0.0 };
    }
    if !cholesky(&mut hessian, n, 0.0) {
        return None;
    }
    let mut found = vec![0.0; n];
    for _ in 0..STEPS {
        let mut right: Vec<f64> = (0..n).map(|i| damping * found[i] - dot(column(i), gradient)).collect();
        cholesky_solve(&hessian, n, &mut right);
        found = right;
    }
    let mut all = vec![0.0; columns.len()];
    used.iter().zip(&found).for_each(|(i, w)| all[*i] = *w);
    let within = all.iter().zip(columns).all(|(w, (_, [low, high]))| low <= w && w <= high);
    within.then_some(all)
}

/// The weights w between bounds with the least `|sum w_i c_i + g|^2/2 + damping/2 |w - near|^2`.
fn damped(columns: &[(Vec<f64>, [f64; 2])], gradient: &[f64], damping: f64, near: &[f64]) -> Vec<f64> {
    if columns.is_empty() {
        return Vec::new();
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let product = |(i, (a, _)): (usize, &(Vec<f64>, [f64; 2]))| {
        let row = columns.iter().enumerate();
        row.map(|(j, (b, _))| dot(a, b) + if i == j { damping } else { 0.0 }).collect::<Vec<f64>>()
    };
    let hessian: Vec<Vec<f64>> = columns.iter().enumerate().map(product).collect();
    let slope: Vec<f64> = columns.iter().zip(near).map(|((a, _), w)| dot(a, gradient) - damping * w).collect();
    let bounds: Vec<[f64; 2]> = columns.iter().map(|(_, bounds)| *bounds).collect();
    let exact = QuadraticProgram { hessian: &hessian, gradient: &slope, rows: &[], bounds: &bounds }.solve();
    exact.unwrap_or_else(|| by_coordinates(&hessian, &slope, &bounds))
}
