//! Convex quadratic functions of y as numbers: `|R y - q|^2/2 + slope'y + constant`, with as many rows of R as the
//! Hessian has rank. Least squares with fewer rows than entries of y stay as cheap as they are.

use blo_engine::model::problem::LevelId;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::iteration::{Context, Rows};
use crate::lower::vectors::{dot, largest};

/// What is left of a diagonal below this share of the largest entry, per entry of y, is rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// A share of the largest number beyond which a difference is no rounding.
const CLEAR: f64 = 1e-7;

/// The function.
#[derive(Clone, Debug)]
pub(super) struct Quadratic {
    /// R.
    pub(super) rows: Vec<Vec<f64>>,
    /// q.
    pub(super) center: Vec<f64>,
    pub(super) slope: Vec<f64>,
    pub(super) constant: f64,
}

impl Quadratic {
    /// `R y - q`
    pub(super) fn residuals(&self, y: &[f64]) -> Vec<f64> {
        self.rows.iter().zip(&self.center).map(|(row, q)| dot(row, y) - q).collect()
    }

    /// The value at y.
    pub(super) fn value(&self, y: &[f64]) -> f64 {
        let residuals = self.residuals(y);
        dot(&residuals, &residuals) / 2.0 + dot(&self.slope, y) + self.constant
    }

    /// By how much the function may fall from y, where entries move by a unit: its squares, and what is linear.
    pub(super) fn size(&self, y: &[f64], units: &[f64]) -> f64 {
        let residuals = self.residuals(y);
        let linear: f64 = self.slope.iter().zip(y).zip(units).map(|((s, y), u)| (s * y.abs().max(*u)).abs()).sum();
        let size = dot(&residuals, &residuals) / 2.0 + linear;
        if size > 0.0 { size } else { dot(&self.center, &self.center) / 2.0 }
    }

    /// The root of the mean square of the first step of steepest descent from y = 0; `None` where there is none.
    pub(super) fn unit(&self) -> Option<f64> {
        let mut slope = self.slope.iter().map(|s| -s).collect::<Vec<f64>>();
        for (row, q) in self.rows.iter().zip(&self.center) {
            slope.iter_mut().zip(row).for_each(|(s, r)| *s += q * r);
        }
        let along: f64 = self.rows.iter().map(|row| dot(row, &slope).powi(2)).sum();
        let squared = dot(&slope, &slope);
        let unit = squared * squared.sqrt() / along / (slope.len() as f64).sqrt();
        (unit > 0.0 && unit.is_finite()).then_some(unit)
    }
}

/// The programs of a function that is quadratic in y and does not depend on x.
pub(super) struct QuadraticPrograms {
    /// The value, then the gradient, at a point.
    first: BoundProgram<f64>,
    /// Products with the Hessian.
    product: BoundProgram<f64>,
    /// Inputs of y, and of the factor of a product.
    y: Vec<usize>,
    v: Vec<usize>,
}

impl QuadraticPrograms {
    pub(super) fn new(part: Part, context: &Context<'_>) -> Result<QuadraticPrograms, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let v = p.point("v", LevelId::LOWER);
        let value = p.value(part, &x, &y);
        let gradient = p.gradient(part, LevelId::LOWER, &x, &y);
        let mut first = vec![value];
        first.extend(filled(&mut p, &gradient, &y));
        let product = p.hessian_times(part, &x, &y, &v);
        let product = filled(&mut p, &product, &y);
        let compiled =
            |name: &str, outputs: &[_]| BoundProgram::new(&p.function(name, outputs), problem, data, options.threads);
        Ok(QuadraticPrograms {
            first: compiled("value and gradient", &first)?,
            product: compiled("product with the Hessian", &product)?,
            y: p.positions(&y),
            v: p.positions(&v),
        })
    }

    /// Other tasks.
    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.first.select(rows)?;
        self.product.select(rows)
    }

    /// The function; `None` where it is not convex, or numbers are not finite.
    pub(super) fn read(&mut self) -> Option<Quadratic> {
        for input in &self.y {
            self.first.input_mut(*input).fill(0.0);
            self.product.input_mut(*input).fill(0.0);
        }
        self.first.run();
        let value = self.first.scalar(0);
        let gradient: Vec<f64> = (0..self.y.len()).flat_map(|i| self.first.output(1 + i).to_vec()).collect();
        let n = gradient.len();
        let (pivots, rows) = self.factor(n)?;
        // R'q = -gradient on the pivots, where R is triangular
        let mut center: Vec<f64> = Vec::new();
        for (k, j) in pivots.iter().enumerate() {
            let known: f64 = rows.iter().zip(&center).map(|(row, q)| row[*j] * q).sum();
            center.push((-gradient[*j] - known) / rows[k][*j]);
        }
        let mut slope = gradient.clone();
        for (row, q) in rows.iter().zip(&center) {
            slope.iter_mut().zip(row).for_each(|(s, r)| *s += q * r);
        }
        let rounding = 1e-9 * largest(&gradient);
        slope.iter_mut().filter(|s| s.abs() <= rounding).for_each(|s| *s = 0.0);
        let constant = value - dot(&center, &center) / 2.0;
        constant.is_finite().then_some(Quadratic { rows, center, slope, constant })
    }

    /// Pivots and rows of a Cholesky factor `H = R'R` that stops at the rank (Harbrecht, Peters, Schneider, "On the
    /// low-rank approximation by the pivoted Cholesky decomposition", 2012).
    fn factor(&mut self, n: usize) -> Option<(Vec<usize>, Vec<Vec<f64>>)> {
        let mut rest: Vec<f64> = (0..n).map(|j| self.column(n, j)[j]).collect();
        let most = largest(&rest);
        let (mut pivots, mut rows) = (Vec::<usize>::new(), Vec::<Vec<f64>>::new());
        while pivots.len() < n {
            let j = (0..n).max_by(|a, b| rest[*a].total_cmp(&rest[*b]))?;
            if rest[j].is_nan() || rest[j] <= ROUNDING * n as f64 * most {
                break;
            }
            let root = rest[j].sqrt();
            let mut row = self.column(n, j);
            for known in &rows {
                let share = known[j];
                row.iter_mut().zip(known).for_each(|(r, k)| *r -= share * k);
            }
            row.iter_mut().for_each(|r| *r /= root);
            pivots.iter().for_each(|p| row[*p] = 0.0);
            row[j] = root;
            rest.iter_mut().zip(&row).for_each(|(d, r)| *d -= r * r);
            rest[j] = 0.0;
            pivots.push(j);
            rows.push(row);
        }
        // an indefinite Hessian may hide behind a diagonal of zeros
        let probe: Vec<f64> = (0..n).map(|i| (1.0 + i as f64).cos()).collect();
        let product = self.times(&probe);
        let mut off = product.clone();
        for row in &rows {
            let share = dot(row, &probe);
            off.iter_mut().zip(row).for_each(|(o, r)| *o -= share * r);
        }
        let size = largest(&product).max(most);
        let convex = rest.iter().all(|d| *d >= -CLEAR * most) && largest(&off) <= CLEAR * size;
        (convex && size.is_finite()).then_some((pivots, rows))
    }

    fn column(&mut self, n: usize, j: usize) -> Vec<f64> {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        self.times(&unit)
    }

    fn times(&mut self, v: &[f64]) -> Vec<f64> {
        let mut rest = v;
        for input in &self.v {
            let slots = self.product.input_mut(*input);
            let (part, after) = rest.split_at(slots.len());
            slots.copy_from_slice(part);
            rest = after;
        }
        self.product.run();
        (0..self.v.len()).flat_map(|i| self.product.output(i).to_vec()).collect()
    }
}

/// A change with zeros where it has none.
fn filled(p: &mut ProblemGraph<'_>, direction: &Direction, like: &Block) -> Vec<blo_engine::graph::NodeId> {
    direction.iter().zip(&like.nodes).map(|(d, y)| p.or_zero(*d, *y)).collect()
}
