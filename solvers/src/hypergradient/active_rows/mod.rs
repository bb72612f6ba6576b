//! Implicit hypergradient of a lower level with rows, through the conditions of Karush, Kuhn and Tucker of the rows that
//! are active at its solution (Fiacco, Introduction to Sensitivity and Stability Analysis in Nonlinear Programming, 1983):
//! with `L = f + lam'c` and A the gradients of active rows and bounds,
//! `[[L_yy, A'], [A, 0]] [v; w] = [F_y; 0]`, `G = F_x - L_xy v - c_x' w`.
//!
//! The lower level is solved to the end (`lower::constrained`), in the place of lower steps. v lies in the null space of A:
//! a QR factorization of A' gives it from the reduced Hessian, by Cholesky where that is small, else by conjugate gradients
//! or a Neumann series on the projected `L_yy`. w solves `A'w = F_y - L_yy v` by least squares.
//!
//! It is a derivative where active rows are independent and strictly complementary; where they are not, it is one of
//! several, and a warning says so.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::conjugate::Stop;
use super::{Ends, Hypergradient, Setup};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::constrained::{ConstrainedLower, Solved};
use crate::lower::trajectory::Trajectory;
use crate::lower::vectors::dot;
use crate::message;
use crate::nlp::Nlp;
use crate::nlp::dense::{Qr, cholesky, cholesky_solve};
use lagrangian::LagrangianProducts;

pub(crate) mod at_point;
mod lagrangian;
#[cfg(test)]
mod tests;

/// The lower level solved at a point, and what follows from its active rows.
pub(crate) struct Solution {
    /// The upper objective, to be minimized.
    pub(crate) value: f64,
    /// One array per lower variable.
    pub(crate) y: Vec<Vec<f64>>,
    /// The hypergradient, an array per upper variable.
    pub(crate) gradient: Vec<Vec<f64>>,
}

/// An inequality row or bound is active where its multiplier times its gradient is above this share of `f_y`.
const ACTIVE: f64 = 1e-5;

/// Strict complementarity below this is none.
const STRICT: f64 = 1e-6;

/// Lower levels of so many entries have a dense reduced Hessian.
const DENSE: usize = 400;

/// Curvatures this small against the largest one are zero up to rounding.
const NO_CURVATURE: f64 = 1e-12;

/// Other starts of a lower level that is not convex, where the last solution leads nowhere.
const STARTS: usize = 6;

/// Iterations of a system that is solved as far as rounding allows.
const MOST_PRODUCTS: u64 = 10_000;

/// How large systems are solved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Solver {
    /// Conjugate gradients.
    Conjugate(Stop),
    /// So many terms of a Neumann series.
    Neumann(u64),
}

/// The estimator.
pub(crate) struct ActiveRows<T: Scalar> {
    ends: Ends<T>,
    solver: Solver,
    /// See [`DENSE`].
    dense: usize,
    lower: ConstrainedLower,
    products: LagrangianProducts,
    /// The x of the last solve, and what it has found.
    x: Vec<f64>,
    solution: Option<Solved>,
    /// The last solution, for the next solve to start from.
    multipliers: Vec<f64>,
    seen: Seen,
    /// Lower variables with their entries, for messages.
    names: Vec<(String, usize)>,
}

/// What was met on the way, for warnings.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// `min(lam - c)` over the inequality rows and bounds at the last solution.
    strict: Option<f64>,
    /// Active rows were dependent there.
    dependent: bool,
    /// Curvature of the reduced Hessian that is not positive, and the entry where its direction is largest.
    witness: Option<(f64, usize)>,
    /// A lower level could not be solved.
    unsolved: bool,
}

/// The gradients of what is active.
struct Active {
    /// Rows, by their place among all rows, with their gradients.
    rows: Vec<(usize, Vec<f64>)>,
    /// Entries at a bound.
    entries: Vec<usize>,
}

impl<T: Scalar> ActiveRows<T> {
    pub(super) fn new(setup: &Setup<'_>, solver: Solver) -> Result<ActiveRows<T>, Box<Diagnostic>> {
        let Setup { problem, data, threads, .. } = *setup;
        let lower = ConstrainedLower::new(problem, data, threads, 0)?;
        let products = LagrangianProducts::new(problem, data, threads)?;
        let lengths = products.lower_lengths();
        let names = problem.lower().variables.iter().map(|v| v.name.clone()).zip(lengths).collect();
        Ok(ActiveRows {
            ends: Ends::new(setup)?,
            solver,
            dense: DENSE,
            multipliers: vec![0.0; lower.equalities.len()],
            lower,
            products,
            x: Vec::new(),
            solution: None,
            seen: Seen::default(),
            names,
        })
    }

    /// The solution at x: that near y where the lower level is not convex.
    fn solve(&mut self, x: Vec<f64>, y: &[f64]) {
        if self.x == x && self.solution.is_some() {
            return;
        }
        self.lower.put(&x);
        let near = self.lower.descend(y);
        self.solution = near.or_else(|| self.lower.solutions(&x, &[], STARTS).into_iter().next());
        self.seen.unsolved |= self.solution.is_none();
        self.x = x;
    }

    /// The hypergradient at the last solution.
    fn write_gradient(&mut self, x: &mut [Vec<T>]) {
        let Some(solved) = self.solution.clone() else {
            x.iter_mut().flatten().for_each(|v| *v = T::from_f64(f64::NAN));
            return;
        };
        let at = self.x.clone();
        self.products.go_to(&at, &solved.y, &solved.multipliers);
        let active = self.active(&solved);
        let through = self.through(&active);
        let mut through = through.iter();
        for (variable, to) in x.iter_mut().enumerate() {
            for ((to, partial), through) in to.iter_mut().zip(self.ends.upper(variable)).zip(&mut through) {
                *to = T::from_f64(partial.to_f64() - through);
            }
        }
    }

    /// What is active at a solution, and strict complementarity.
    fn active(&mut self, solved: &Solved) -> Active {
        let mut values = vec![0.0; self.lower.equalities.len()];
        self.lower.program.values(&solved.y, &mut values);
        let mut slope = self.products.rows_times(&solved.multipliers);
        slope.iter_mut().zip(&solved.bound_multipliers).for_each(|(s, z)| *s += z);
        let size = slope.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let mut active = Active { rows: Vec::new(), entries: Vec::new() };
        let mut strict: Option<f64> = None;
        let mut see = |room: f64| strict = Some(strict.map_or(room, |s| s.min(room)));
        for (i, equality) in self.lower.equalities.iter().enumerate() {
            let multiplier = solved.multipliers[i];
            if !equality {
                see(multiplier - values[i]);
                if multiplier <= 0.0 {
                    continue;
                }
            }
            let gradient = self.products.row(i);
            let steepest = gradient.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            if *equality || multiplier * steepest > ACTIVE * size {
                active.rows.push((i, gradient));
            }
        }
        for (j, [low, high]) in self.lower.bounds.iter().enumerate() {
            let multiplier = solved.bound_multipliers[j];
            let room = (high - solved.y[j]).min(solved.y[j] - low);
            if low < high && room.is_finite() {
                see(multiplier.abs() + room.max(0.0));
            }
            if low == high || multiplier.abs() > ACTIVE * size && size > 0.0 {
                active.entries.push(j);
            }
        }
        self.seen.strict = strict;
        active
    }

    /// `L_xy v + c_x' w` where F was evaluated last.
    fn through(&mut self, active: &Active) -> Vec<f64> {
        let right: Vec<f64> =
            (0..self.names.len()).flat_map(|variable| self.ends.lower(variable)).map(|v| v.to_f64()).collect();
        let (v, w) = self.system(active, &right);
        self.products.cross(&v, &w)
    }

    /// v and w of the system, w with an entry per row of the lower level.
    fn system(&mut self, active: &Active, right: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let n = right.len();
        let unit = |j: &usize| (0..n).map(|i| f64::from(u8::from(i == *j))).collect::<Vec<f64>>();
        let columns = active.rows.iter().map(|(_, g)| g.clone()).chain(active.entries.iter().map(unit));
        let qr = Qr::new(n, columns);
        self.seen.dependent = qr.rank() < active.rows.len() + active.entries.len();
        let v = match qr.rank() == n {
            true => vec![0.0; n],
            false if n <= self.dense => self.reduced(&qr, right),
            false => match self.solver {
                Solver::Conjugate(stop) => self.conjugate(&qr, right, stop),
                Solver::Neumann(terms) => self.series(&qr, right, terms),
            },
        };
        let mut rest = self.products.hessian_times(&v);
        rest.iter_mut().zip(right).for_each(|(image, r)| *image = r - *image);
        qr.apply_transposed(&mut rest);
        rest.truncate(qr.rank());
        qr.solve(&mut rest);
        let mut w = vec![0.0; self.lower.equalities.len()];
        for (pivot, value) in qr.pivots().zip(&rest) {
            if let Some((row, _)) = active.rows.get(pivot) {
                w[*row] = *value;
            }
        }
        (v, w)
    }

    /// v by the dense reduced Hessian `Z' L_yy Z`.
    fn reduced(&mut self, qr: &Qr, right: &[f64]) -> Vec<f64> {
        let (n, rank) = (right.len(), qr.rank());
        let free = n - rank;
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut hessian = vec![0.0; free * free];
        for j in 0..free {
            let mut z = vec![0.0; n];
            z[rank + j] = 1.0;
            qr.apply(&mut z);
            basis.push(z);
        }
        for (j, z) in basis.iter().enumerate() {
            let image = self.products.hessian_times(z);
            basis.iter().enumerate().for_each(|(i, other)| hessian[i * free + j] = dot(other, &image));
        }
        let diagonal = |i: usize| hessian[i * free + i];
        let largest = (0..free).map(diagonal).fold(0.0, f64::max);
        let flattest = (0..free).min_by(|a, b| diagonal(*a).total_cmp(&diagonal(*b)));
        let least = flattest.map_or(0.0, diagonal);
        let mut u: Vec<f64> = basis.iter().map(|z| dot(z, right)).collect();
        if !cholesky(&mut hessian, free, NO_CURVATURE * largest) {
            let entry = flattest.map_or(0, |j| largest_entry(&basis[j]));
            self.seen.witness = Some((least.min(0.0), entry));
            return vec![0.0; n];
        }
        cholesky_solve(&hessian, free, &mut u);
        let mut v = vec![0.0; n];
        for (z, u) in basis.iter().zip(&u) {
            v.iter_mut().zip(z).for_each(|(v, z)| *v += u * z);
        }
        v
    }

    /// `P L_yy P p` with P the projection on the null space of A.
    fn projected(&mut self, qr: &Qr, p: &[f64]) -> Vec<f64> {
        let mut image = self.products.hessian_times(p);
        project(qr, &mut image);
        image
    }

    fn conjugate(&mut self, qr: &Qr, right: &[f64], stop: Stop) -> Vec<f64> {
        let mut r = right.to_vec();
        project(qr, &mut r);
        let (mut v, mut p) = (vec![0.0; r.len()], r.clone());
        let mut rr = dot(&r, &r);
        let enough = stop.atol.max(stop.rtol * rr.sqrt());
        let mut steepest: f64 = 0.0;
        for _ in 0..stop.most {
            if rr.sqrt() <= enough || !rr.is_finite() {
                break;
            }
            let image = self.projected(qr, &p);
            let (curved, length) = (dot(&p, &image), dot(&p, &p));
            let curvature = curved / length;
            steepest = steepest.max(curvature.abs());
            if curvature <= NO_CURVATURE * steepest {
                self.seen.witness = Some((curvature, largest_entry(&p)));
                break;
            }
            let step = rr / curved;
            for i in 0..v.len() {
                v[i] += step * p[i];
                r[i] -= step * image[i];
            }
            let next = dot(&r, &r);
            let beta = next / rr;
            rr = next;
            p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + beta * *p);
        }
        v
    }

    /// `s sum_i (I - s P L_yy P)^i P F_y` with a step s below 2 over the largest curvature.
    fn series(&mut self, qr: &Qr, right: &[f64], terms: u64) -> Vec<f64> {
        const POWER: usize = 30;
        const SMALL: f64 = 1e-12;
        let mut term = right.to_vec();
        project(qr, &mut term);
        let mut along = term.clone();
        let mut largest = 0.0;
        for _ in 0..POWER {
            let length = dot(&along, &along).sqrt();
            if length == 0.0 {
                return along;
            }
            along.iter_mut().for_each(|v| *v /= length);
            along = self.projected(qr, &along);
            largest = dot(&along, &along).sqrt();
        }
        if largest == 0.0 || !largest.is_finite() {
            self.seen.witness = Some((0.0, largest_entry(&term)));
            return vec![0.0; term.len()];
        }
        let step = 1.0 / (1.1 * largest);
        let mut sum = term.clone();
        for _ in 0..terms {
            let image = self.projected(qr, &term);
            term.iter_mut().zip(&image).for_each(|(t, i)| *t -= step * i);
            sum.iter_mut().zip(&term).for_each(|(s, t)| *s += t);
            if dot(&term, &term) <= SMALL * SMALL * dot(&sum, &sum) {
                break;
            }
        }
        sum.iter_mut().for_each(|s| *s *= step);
        sum
    }
}

/// Onto the null space of A.
fn project(qr: &Qr, v: &mut [f64]) {
    qr.apply_transposed(v);
    v[..qr.rank()].fill(0.0);
    qr.apply(v);
}

fn largest_entry(v: &[f64]) -> usize {
    (0..v.len()).max_by(|a, b| v[*a].abs().total_cmp(&v[*b].abs())).unwrap_or(0)
}

fn numbers<T: Scalar>(arrays: &[Vec<T>]) -> Vec<f64> {
    arrays.iter().flatten().map(|v| v.to_f64()).collect()
}

impl<T: Scalar> Hypergradient<T> for ActiveRows<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn objective(&mut self, t: &mut Trajectory<T>, start: &[Vec<T>]) -> f64 {
        let upper = self.products.upper_lengths().len();
        let x: Vec<f64> = (0..upper).flat_map(|i| t.x(i)).map(|v| v.to_f64()).collect();
        self.solve(x, &numbers(start));
        let Some(solved) = &self.solution else { return f64::NAN };
        let mut rest = solved.y.as_slice();
        for (variable, length) in self.products.lower_lengths().into_iter().enumerate() {
            let (part, after) = rest.split_at(length);
            t.set_y(variable).iter_mut().zip(part).for_each(|(to, v)| *to = T::from_f64(*v));
            rest = after;
        }
        self.multipliers.clone_from(&solved.multipliers);
        self.ends.at_end(t)
    }

    fn gradient(&mut self, _: &mut Trajectory<T>, x: &mut [Vec<T>], _: &mut [Vec<T>]) {
        self.write_gradient(x);
    }

    fn multipliers(&self) -> Option<&[f64]> {
        Some(&self.multipliers)
    }

    fn unsolved_at(&self) -> Option<&[f64]> {
        Some(self.x.as_slice()).filter(|_| self.solution.is_none())
    }

    fn select(&mut self, _: &Rows) -> Result<(), Box<Diagnostic>> {
        unreachable!("a method refuses rows beside tasks and batches")
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(Counts { hvp: self.products.runs(), ..Counts::default() })
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.seen.unsolved {
            found.push(message::lower_rows_not_solved());
        }
        if let Some((curvature, entry)) = self.seen.witness {
            let (mut entry, mut names) = (entry, self.names.iter());
            let place = names.find(|(_, length)| {
                let inside = entry < *length;
                if !inside {
                    entry -= length;
                }
                inside
            });
            found.extend(place.map(|(name, _)| message::not_positive_definite(curvature, name, entry)));
        }
        let strict = self.seen.strict.filter(|s| *s < STRICT);
        if self.seen.dependent || strict.is_some() {
            found.push(message::not_strictly_complementary(self.seen.dependent, strict));
        }
        found
    }
}

impl ActiveRows<f64> {
    /// The estimator that solves its systems as far as rounding allows.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn exact(setup: &Setup<'_>) -> Result<ActiveRows<f64>, Box<Diagnostic>> {
        ActiveRows::new(setup, Solver::Conjugate(Stop { rtol: 1e-10, atol: 0.0, most: MOST_PRODUCTS }))
    }

    /// The lower level solved at x from y, and the hypergradient there; `None` where no solution was found.
    pub(crate) fn at(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<Solution> {
        self.solve(x.concat(), &y.concat());
        let solved = self.solution.clone()?;
        let mut rest = solved.y.as_slice();
        let mut arrays = Vec::new();
        for length in self.products.lower_lengths() {
            let (part, after) = rest.split_at(length);
            arrays.push(part.to_vec());
            rest = after;
        }
        let value = self.ends.at_point(x, &arrays);
        let mut gradient = x.to_vec();
        self.write_gradient(&mut gradient);
        Some(Solution { value, y: arrays, gradient })
    }
}
