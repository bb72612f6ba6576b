//! Multipliers of a point of the lower level: the nonnegative least-squares solution of stationarity over the rows and
//! bounds that are active.

use super::ConstrainedLower;
use crate::conic::QuadraticProgram;
use crate::nlp::Nlp;

/// Rows and bounds this near to their end, against the size of what they hold, are active.
const ACTIVE: f64 = 1e-5;

/// No multiplier is larger.
const MOST: f64 = 1e6;

/// What keeps the multipliers of dependent rows small.
const DAMPING: f64 = 1e-10;

impl ConstrainedLower {
    /// A multiplier per row and a pair per entry, of its lower and of its upper bound: `f_y + c_y' lam - zl + zu` is as
    /// near to zero as it gets at the x that is in place.
    pub(crate) fn multipliers(&mut self, y: &[f64]) -> (Vec<f64>, Vec<[f64; 2]>) {
        let (m, count) = (y.len(), self.equalities.len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; count], vec![0.0; m], vec![0.0; m * count]);
        self.program.values(y, &mut rows);
        self.program.slopes(y, &mut gradient, &mut jacobian);
        // a column and the signs that its multiplier may have, per active row and bound
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
        let found = least_squares(&columns, &gradient);
        let (mut lam, mut z) = (vec![0.0; count], vec![[0.0; 2]; m]);
        of_rows.iter().zip(&found).for_each(|(i, v)| lam[*i] = *v);
        of_bounds.iter().zip(&found[of_rows.len()..]).for_each(|((j, side), v)| z[*j][*side as usize] = *v);
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

/// The weights of the columns, between bounds, whose sum with the gradient is least.
fn least_squares(columns: &[(Vec<f64>, [f64; 2])], gradient: &[f64]) -> Vec<f64> {
    if columns.is_empty() {
        return Vec::new();
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let product = |(i, (a, _)): (usize, &(Vec<f64>, [f64; 2]))| {
        let row = columns.iter().enumerate();
        row.map(|(j, (b, _))| dot(a, b) + if i == j { DAMPING } else { 0.0 }).collect::<Vec<f64>>()
    };
    let hessian: Vec<Vec<f64>> = columns.iter().enumerate().map(product).collect();
    let slope: Vec<f64> = columns.iter().map(|(a, _)| dot(a, gradient)).collect();
    let bounds: Vec<[f64; 2]> = columns.iter().map(|(_, bounds)| *bounds).collect();
    let exact = QuadraticProgram { hessian: &hessian, gradient: &slope, rows: &[], bounds: &bounds }.solve();
    exact.unwrap_or_else(|| by_coordinates(&hessian, &slope, &bounds))
}
