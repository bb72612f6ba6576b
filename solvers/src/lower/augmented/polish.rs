//! The end of an augmented Lagrangian made exact: Newton's method on the conditions of Karush, Kuhn and Tucker, with the
//! rows and bounds held that are active (Nocedal, Wright, Numerical Optimization, 2006, chapter 18): with A the gradients of
//! held rows on the free entries, `[[L_yy, A'], [A, 0]] [d; mu] = -[L_y; c]`.
//!
//! A QR factorization of A' gives the part of d that meets the rows; the part within their null space is by conjugate
//! gradients on the projected `L_yy`, so that no Hessian is in memory. Multipliers change by `mu` from those that are known:
//! rows that depend on others keep theirs. After a step, rows and bounds with a multiplier of the wrong sign are let go, and
//! all that is violated is held.

use super::{Augmented, error, gathered, put};
use crate::nlp::dense::Qr;
use crate::nlp::{Limits, Outcome, Status};
use crate::vectors::{dot, norm};

/// Steps, and those in a row that do not halve the error.
const STEPS: usize = 30;
const IDLE: usize = 6;

/// Products of a system, and the share of its right side that is left.
const PRODUCTS: usize = 500;
const LEFT: f64 = 1e-8;

/// Curvatures this small against the largest one are none.
const NO_CURVATURE: f64 = 1e-12;

/// A row that is violated by more is held.
const VIOLATED: f64 = 1e-12;

/// What is held, and a point.
struct Guess {
    y: Vec<f64>,
    lam: Vec<f64>,
    rows: Vec<bool>,
    /// Entries at a bound.
    entries: Vec<bool>,
}

/// The factor of A' on the free entries, with the places of rows and entries that it is of.
struct Factor {
    held: Vec<usize>,
    free: Vec<usize>,
    qr: Qr,
}

impl Augmented {
    /// The best point of the iteration from an end; it counts evaluations of its own.
    pub(super) fn polished(&mut self, from: &Outcome, unit: f64, limits: &Limits) -> Outcome {
        let is_equality = |[low, high]: &[f64; 2]| low == high;
        let rows = from.multipliers.iter().zip(&self.row_bounds).map(|(lam, ends)| *lam != 0.0 || is_equality(ends));
        let held = |(i, z): (usize, &f64)| is_equality(&self.bounds[i]) || *z != 0.0;
        let mut guess = Guess {
            rows: rows.collect(),
            entries: from.bound_multipliers.iter().enumerate().map(held).collect(),
            y: from.z.clone(),
            lam: from.multipliers.clone(),
        };
        let mut best = Outcome { evaluations: 0, ..from.clone() };
        let (mut factor, mut idle, mut evaluations) = (None, 0, 0);
        for _ in 0..STEPS {
            self.go_to_ends(&mut guess);
            let y = self.split(&guess.y);
            let end = self.outcome(&y, &guess.lam, Status::Acceptable);
            evaluations += 2;
            idle = if error(&end, unit) < 0.5 * error(&best, unit) { 0 } else { idle + 1 };
            if error(&end, unit) < error(&best, unit) {
                best = end.clone();
            }
            if error(&best, unit) <= limits.tolerance || idle >= IDLE || limits.stop.is_set() {
                break;
            }
            let Some(products) = self.newton(&mut guess, &end.rows, &mut factor) else { break };
            evaluations += products;
            self.change(&mut guess);
        }
        Outcome { evaluations, ..best }
    }

    /// Puts held entries to their ends, and all others between them.
    fn go_to_ends(&self, guess: &mut Guess) {
        for ((y, held), [low, high]) in guess.y.iter_mut().zip(&guess.entries).zip(&self.bounds) {
            *y = if *held && (*y - low).abs() <= (high - *y).abs() { *low } else { *y };
            *y = if *held && (*y - low).abs() > (high - *y).abs() { *high } else { *y }.clamp(*low, *high);
        }
    }

    /// A step with all that is held; the number of evaluations. `None` where curvature is missing.
    fn newton(&mut self, guess: &mut Guess, rows: &[f64], factor: &mut Option<Factor>) -> Option<usize> {
        let mut evaluations = self.factor(guess, factor);
        let Factor { held, free, qr } = factor.as_ref()?;
        let y = self.split(&guess.y);
        let slope = self.slope(&y, &guess.lam);
        put(&mut self.curvature, &self.problem.lower_inputs(), &y);
        self.curvature.set_scalar(self.factor, 1.0);
        let mut rest = guess.lam.as_slice();
        for (input, n) in self.multiplier_inputs.iter().zip(&self.row_lengths) {
            let (part, after) = rest.split_at(*n);
            self.curvature.set(*input, part);
            rest = after;
        }
        self.curvature.refresh();
        // the part that meets the rows
        let mut d = vec![0.0; free.len()];
        let mut off: Vec<f64> = qr.pivots().map(|at| -rows[held[at]]).collect();
        qr.solve_transposed(&mut off);
        d[..qr.rank()].copy_from_slice(&off);
        qr.apply(&mut d);
        let mut image = self.curved(&d, free);
        let mut r: Vec<f64> = free.iter().zip(&image).map(|(j, h)| -slope[*j] - h).collect();
        let size = norm(&r);
        project(qr, &mut r);
        let (mut p, mut rr, mut steepest) = (r.clone(), dot(&r, &r), 0.0f64);
        for _ in 0..PRODUCTS.min(free.len() - qr.rank()) {
            if rr.sqrt() <= LEFT * size || !rr.is_finite() {
                break;
            }
            let along = self.curved(&p, free);
            evaluations += 1;
            let bend = dot(&p, &along);
            let curvature = bend / dot(&p, &p);
            steepest = steepest.max(curvature.abs());
            if curvature <= NO_CURVATURE * steepest {
                return None;
            }
            let step = rr / bend;
            for i in 0..d.len() {
                d[i] += step * p[i];
                image[i] += step * along[i];
                r[i] -= step * along[i];
            }
            project(qr, &mut r);
            let next = dot(&r, &r);
            let beta = next / rr;
            rr = next;
            p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + beta * *p);
        }
        // A' mu is what is left of stationarity
        let mut left: Vec<f64> = free.iter().zip(&image).map(|(j, h)| -slope[*j] - h).collect();
        qr.apply_transposed(&mut left);
        left.truncate(qr.rank());
        qr.solve(&mut left);
        qr.pivots().zip(&left).for_each(|(at, mu)| guess.lam[held[at]] += mu);
        free.iter().zip(&d).for_each(|(j, d)| guess.y[*j] += d);
        guess.y.iter().chain(&guess.lam).all(|v| v.is_finite()).then_some(evaluations)
    }

    /// `L_yy v` on the free entries.
    fn curved(&mut self, v: &[f64], free: &[usize]) -> Vec<f64> {
        let mut direction = vec![0.0; self.bounds.len()];
        free.iter().zip(v).for_each(|(j, v)| direction[*j] = *v);
        let arrays = self.split(&direction);
        let used = arrays.iter().zip(self.problem.lower_inputs()).filter(|(_, input)| self.used.contains(input));
        for (input, (array, _)) in self.directions.iter().zip(used) {
            self.curvature.set(*input, array);
        }
        self.curvature.run();
        let image = gathered(&self.problem, &self.curvature, &self.used, &self.lengths);
        free.iter().map(|j| image[*j]).collect()
    }

    /// The factor for what is held; the number of evaluations.
    fn factor(&mut self, guess: &Guess, factor: &mut Option<Factor>) -> usize {
        let places =
            |flags: &[bool], held: bool| (0..flags.len()).filter(|i| flags[*i] == held).collect::<Vec<usize>>();
        let (held, free) = (places(&guess.rows, true), places(&guess.entries, false));
        if self.affine && factor.as_ref().is_some_and(|f| f.held == held && f.free == free) {
            return 0;
        }
        let y = self.split(&guess.y);
        let mut weights = vec![0.0; guess.rows.len()];
        let mut columns = Vec::new();
        for i in &held {
            weights[*i] = 1.0;
            let gradient = self.weighted_slope(&y, 0.0, &weights);
            weights[*i] = 0.0;
            columns.push(free.iter().map(|j| gradient[*j]).collect::<Vec<f64>>());
        }
        let evaluations = columns.len();
        let qr = Qr::new(free.len(), columns.into_iter());
        *factor = Some(Factor { held, free, qr });
        evaluations
    }

    /// Lets go of what has a multiplier of the wrong sign, and holds what is violated.
    fn change(&mut self, guess: &mut Guess) {
        let y = self.split(&guess.y);
        let (_, rows) = self.values_at(&y);
        for (i, [low, high]) in self.row_bounds.iter().enumerate() {
            if low == high {
                continue;
            }
            if guess.rows[i] && guess.lam[i] < 0.0 {
                (guess.rows[i], guess.lam[i]) = (false, 0.0);
            } else if !guess.rows[i] && rows[i] > *high + VIOLATED {
                guess.rows[i] = true;
            }
        }
        let slope = self.slope(&y, &guess.lam);
        for (i, [low, high]) in self.bounds.iter().enumerate().filter(|(_, [low, high])| low < high) {
            let y = &mut guess.y[i];
            if guess.entries[i] {
                let pushed = if (*y - low).abs() <= (high - *y).abs() { slope[i] } else { -slope[i] };
                guess.entries[i] = pushed >= 0.0;
            } else if *y < *low || *y > *high {
                guess.entries[i] = true;
                *y = y.clamp(*low, *high);
            }
        }
    }
}

/// Onto the null space of A.
fn project(qr: &Qr, v: &mut [f64]) {
    qr.apply_transposed(v);
    v[..qr.rank()].fill(0.0);
    qr.apply(v);
}
