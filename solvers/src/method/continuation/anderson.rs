//! Anderson acceleration of a map whose fixed point is sought (Anderson 1965; type II of Walker and Ni 2011), with the
//! safeguard that a point whose residual is larger than before is given up for the image it stands for.
//!
//! With residuals `r_i = M(s_i) - s_i` the next point is `M(s_k) - sum_i a_i (M(s_{i+1}) - M(s_i))`, where a makes
//! `|r_k - sum_i a_i (r_{i+1} - r_i)|` least in a weighted norm. On a linear map this is GMRES on the last residuals.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

/// Residuals that are remembered. With 5, quadratic programs with rows took twice as many iterations; with 25 and more,
/// badly conditioned levels went astray more often.
const MEMORY: usize = 15;
/// What is added to the diagonal of the normal equations, in units of their columns.
const REGULARIZATION: f64 = 1e-10;
/// A residual may grow by this factor at an accelerated point.
const GROWTH: f64 = 2.0;
/// An accelerated point is at most so many times as far from the image as the image is from where it all began: residuals
/// say little of points far away, and a multiplier sent to 1e6 comes back slowly. With 10, one in four runs on badly
/// conditioned levels ended elsewhere.
const FAR: f64 = 1.0;

/// A point with its residual and image.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Evaluated {
    residual: Vec<f64>,
    image: Vec<f64>,
}

/// What is remembered of the map.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Anderson {
    /// Roots of the weights of entries in the norm of residuals.
    weights: Vec<f64>,
    /// Differences of weighted residuals and of images, oldest first.
    differences: Vec<(Vec<f64>, Vec<f64>)>,
    /// Products of the former.
    gram: Vec<Vec<f64>>,
    last: Option<Evaluated>,
    /// The first point.
    first: Vec<f64>,
    /// Norms of the residual at the first point and at the last.
    norms: [f64; 2],
    /// After an accelerated point: the norm of the residual before it, and the image that it took the place of.
    fallback: Option<(f64, Vec<f64>)>,
}

impl Anderson {
    /// Forgets the map; residuals count with these weights from now on.
    pub(super) fn begin(&mut self, weights: Vec<f64>) {
        *self = Anderson { weights: weights.into_iter().map(f64::sqrt).collect(), ..Anderson::default() };
    }

    /// True where the last point was not the image of the one before.
    pub(super) fn is_ahead(&self) -> bool {
        self.fallback.is_some()
    }

    /// The norm of the last residual, relative to that of the first.
    pub(super) fn remaining(&self) -> f64 {
        if self.norms[0] > 0.0 { self.norms[1] / self.norms[0] } else { 0.0 }
    }

    /// The point to go on from, after the map has taken `point` to `image`; `None` for the image itself.
    pub(super) fn next(&mut self, point: &[f64], image: &[f64]) -> Option<Vec<f64>> {
        let first = self.first.is_empty();
        if first {
            self.first = point.to_vec();
        }
        let pairs = image.iter().zip(point).zip(&self.weights);
        let residual: Vec<f64> = pairs.map(|((i, p), w)| (i - p) * w).collect();
        let norm = dot(&residual, &residual).sqrt();
        self.norms = [if first { norm } else { self.norms[0] }, norm];
        if let Some((before, plain)) = self.fallback.take()
            && (norm > GROWTH * before || !norm.is_finite())
        {
            if norm.is_finite() {
                self.learn(&Evaluated { residual, image: image.to_vec() });
            }
            self.last = None;
            return Some(plain);
        }
        if !norm.is_finite() {
            self.last = None;
            return None;
        }
        let now = Evaluated { residual, image: image.to_vec() };
        self.learn(&now);
        let ahead = self.ahead(&now);
        self.last = Some(now);
        let ahead = ahead.filter(|a| a.iter().all(|v| v.is_finite()));
        if ahead.is_some() {
            self.fallback = Some((norm, image.to_vec()));
        }
        ahead
    }

    /// Remembers how residual and image have changed since the last point.
    fn learn(&mut self, now: &Evaluated) {
        let Some(last) = &self.last else { return };
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let change = (apart(&now.residual, &last.residual), apart(&now.image, &last.image));
        if !change.0.iter().any(|v| *v != 0.0) {
            return;
        }
        if self.differences.len() == MEMORY {
            self.differences.remove(0);
            self.gram.remove(0);
            self.gram.iter_mut().for_each(|row| {
                row.remove(0);
            });
        }
        self.differences.push(change);
        let newest = self.differences.len() - 1;
        let products: Vec<f64> = self.differences.iter().map(|(r, _)| dot(r, &self.differences[newest].0)).collect();
        for (row, product) in self.gram.iter_mut().zip(&products) {
            row.push(*product);
        }
        self.gram.push(products);
    }

    /// The accelerated point.
    fn ahead(&self, now: &Evaluated) -> Option<Vec<f64>> {
        let size = self.differences.len();
        if size == 0 {
            return None;
        }
        let length: Vec<f64> = (0..size).map(|i| self.gram[i][i].sqrt()).collect();
        let matrix = Mat::from_fn(size, size, |i, j| {
            self.gram[i][j] / (length[i] * length[j]) + if i == j { REGULARIZATION } else { 0.0 }
        });
        let right = Mat::from_fn(size, 1, |i, _| dot(&self.differences[i].0, &now.residual) / length[i]);
        let weights = matrix.llt(Side::Lower).ok()?.solve(&right);
        let mut step = vec![0.0; now.image.len()];
        for (i, (_, change)) in self.differences.iter().enumerate() {
            let weight = weights[(i, 0)] / length[i];
            step.iter_mut().zip(change).for_each(|(p, c)| *p -= weight * c);
        }
        let came: Vec<f64> = now.image.iter().zip(&self.first).map(|(i, f)| i - f).collect();
        let (far, most) = (self.norm(&step), FAR * self.norm(&came));
        let share = if far > most { most / far } else { 1.0 };
        Some(now.image.iter().zip(&step).map(|(i, s)| i + share * s).collect())
    }

    fn norm(&self, of: &[f64]) -> f64 {
        of.iter().zip(&self.weights).map(|(v, w)| v * v * w * w).sum::<f64>().sqrt()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Iterations until a step of the map is shorter than 1e-9, from 0.
    fn iterations(map: &dyn Fn(&[f64]) -> Vec<f64>, size: usize, accelerated: bool) -> (usize, Vec<f64>) {
        let mut anderson = Anderson::default();
        anderson.begin(vec![1.0; size]);
        let mut point = vec![0.0; size];
        for k in 1..100_000 {
            let image = map(&point);
            let length: f64 = image.iter().zip(&point).map(|(i, p)| (i - p) * (i - p)).sum();
            if length < 1e-18 {
                return (k, point);
            }
            let next = if accelerated { anderson.next(&point, &image) } else { None };
            point = next.unwrap_or(image);
        }
        panic!("the map does not converge");
    }

    #[test]
    fn gradient_steps_on_a_quadratic_end_after_as_many_steps_as_it_has_curvatures() {
        let curvature = |i: usize| 10f64.powf(-(i as f64) / 2.0);
        let map = |s: &[f64]| s.iter().enumerate().map(|(i, v)| v - curvature(i) * (v - 1.0)).collect::<Vec<f64>>();
        let (plain, _) = iterations(&map, 8, false);
        let (accelerated, point) = iterations(&map, 8, true);
        assert!(plain > 10_000 && accelerated < 20, "{plain} {accelerated}");
        assert!(point.iter().all(|v| (v - 1.0).abs() < 1e-6), "{point:?}");
    }

    #[test]
    fn projected_steps_find_their_corner() {
        // the least |A s - b|^2 with s >= 0: entries are held at 0 on the way and at the end
        let rows = [[1.0, 0.9, 0.1], [0.2, 1.0, 0.95], [0.4, -0.3, 1.0]];
        let right = [1.0, -0.5, 0.3];
        let map = |s: &[f64]| {
            let left: Vec<f64> = rows.iter().zip(right).map(|(r, b)| dot(r, s) - b).collect();
            let slope = |j: usize| rows.iter().zip(&left).map(|(r, l)| r[j] * l).sum::<f64>();
            (0..3).map(|j| (s[j] - 0.3 * slope(j)).max(0.0)).collect::<Vec<f64>>()
        };
        let (plain, slow) = iterations(&map, 3, false);
        let (accelerated, fast) = iterations(&map, 3, true);
        assert!(accelerated < plain, "{accelerated} {plain}");
        assert!(slow.iter().zip(&fast).all(|(a, b)| (a - b).abs() < 1e-7), "{slow:?} {fast:?}");
    }

    #[test]
    fn a_worse_point_is_given_up_for_the_image() {
        let mut anderson = Anderson::default();
        anderson.begin(vec![1.0]);
        assert_eq!(anderson.next(&[0.0], &[1.0]), None);
        let ahead = anderson.next(&[1.0], &[1.5]).unwrap();
        assert!((ahead[0] - 2.0).abs() < 1e-6 && anderson.is_ahead());
        // the map is not linear: at 2 its step is longer than it was at 1
        assert_eq!(anderson.next(&ahead, &[9.0]), Some(vec![1.5]));
        assert!(!anderson.is_ahead());
        // a step that is not finite teaches nothing
        assert_eq!(anderson.next(&[1.5], &[f64::NAN]), None);
    }
}
