//! Optimality conditions of random quadratic programs as rows, as the homotopy of the method `kkt` solves them: rows
//! `lam (b - A y) <= eps` without an interior, from eps = 1 to 1e-8.

use crate::nlp::{Limits, Nlp, Outcome, Status, solve};
use crate::vectors::dot;

/// `min |x - a|^2/2 + |y - d|^2/2 + q'x` over x in [-1, 1], with y a solution of `min y'Qy/2 + (c + Bx)'y` under
/// `A y <= b + D x` and `y >= 0`. Variables (x, y, lam, mu).
struct Conditions {
    n: usize,
    m: usize,
    k: usize,
    q: Vec<f64>,
    b_x: Vec<f64>,
    a: Vec<f64>,
    d_x: Vec<f64>,
    c: Vec<f64>,
    b: Vec<f64>,
    target: Vec<f64>,
    bounds: Vec<[f64; 2]>,
    row_bounds: Vec<[f64; 2]>,
}

/// Numbers in [-1, 1].
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    }

    fn some(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

impl Conditions {
    fn new(seed: u64, [n, m, k]: [usize; 3], definite: bool) -> Conditions {
        let mut draw = Draw(seed * 7919 + 1);
        let root = draw.some(m * m);
        let entry = |i: usize, j: usize| {
            let part = dot(&root[i * m..(i + 1) * m], &root[j * m..(j + 1) * m]);
            if definite { part + 0.1 * f64::from(i == j) } else { 0.0 }
        };
        let q = (0..m * m).map(|e| entry(e / m, e % m)).collect();
        let a: Vec<f64> = draw.some(k * m).iter().map(|v| v.abs()).collect();
        let mut bounds = vec![[-1.0, 1.0]; n];
        bounds.extend(vec![[0.0, 10.0]; m]);
        bounds.extend(vec![[0.0, 1e6]; k + m]);
        let (b_x, d_x, c) = (draw.some(m * n), draw.some(k * n), draw.some(m));
        let b = draw.some(k).iter().map(|v| 1.0 + v.abs()).collect();
        Conditions { n, m, k, q, b_x, a, d_x, c, b, target: draw.some(n + m), bounds, row_bounds: Vec::new() }
    }

    fn relax(&mut self, eps: f64) {
        self.row_bounds = vec![[0.0, 0.0]; self.m];
        self.row_bounds.extend(vec![[0.0, f64::INFINITY]; self.k]);
        self.row_bounds.extend(vec![[f64::NEG_INFINITY, eps]; self.k + self.m]);
    }

    fn parts<'a>(&self, z: &'a [f64]) -> [&'a [f64]; 4] {
        let (x, rest) = z.split_at(self.n);
        let (y, rest) = rest.split_at(self.m);
        let (lam, mu) = rest.split_at(self.k);
        [x, y, lam, mu]
    }

    fn room(&self, i: usize, x: &[f64], y: &[f64]) -> f64 {
        self.b[i] + dot(&self.d_x[i * self.n..(i + 1) * self.n], x) - dot(&self.a[i * self.m..(i + 1) * self.m], y)
    }
}

impl Nlp for Conditions {
    fn bounds(&self) -> &[[f64; 2]] {
        &self.bounds
    }

    fn row_bounds(&self) -> &[[f64; 2]] {
        &self.row_bounds
    }

    fn values(&mut self, z: &[f64], rows: &mut [f64]) -> f64 {
        let (n, m, k) = (self.n, self.m, self.k);
        let [x, y, lam, mu] = self.parts(z);
        for j in 0..m {
            let of_rows: f64 = (0..k).map(|i| self.a[i * m + j] * lam[i]).sum();
            let slope = dot(&self.q[j * m..(j + 1) * m], y) + self.c[j] + dot(&self.b_x[j * n..(j + 1) * n], x);
            rows[j] = slope + of_rows - mu[j];
        }
        for i in 0..k {
            rows[m + i] = self.room(i, x, y);
            rows[m + k + i] = lam[i] * rows[m + i];
        }
        (0..m).for_each(|j| rows[m + 2 * k + j] = mu[j] * y[j]);
        z.iter().zip(&self.target).map(|(z, t)| 0.5 * (z - t).powi(2)).sum()
    }

    fn slopes(&mut self, z: &[f64], gradient: &mut [f64], jacobian: &mut [f64]) {
        let (n, m, k) = (self.n, self.m, self.k);
        let all = z.len();
        gradient.fill(0.0);
        jacobian.fill(0.0);
        gradient.iter_mut().zip(z.iter().zip(&self.target)).for_each(|(g, (z, t))| *g = z - t);
        let [x, y, lam, mu] = self.parts(z);
        for j in 0..m {
            let row = &mut jacobian[j * all..(j + 1) * all];
            row[..n].copy_from_slice(&self.b_x[j * n..(j + 1) * n]);
            row[n..n + m].copy_from_slice(&self.q[j * m..(j + 1) * m]);
            (0..k).for_each(|i| row[n + m + i] = self.a[i * m + j]);
            row[n + m + k + j] = -1.0;
        }
        for i in 0..k {
            let room = self.room(i, x, y);
            for (at, factor) in [(m + i, 1.0), (m + k + i, lam[i])] {
                let row = &mut jacobian[at * all..(at + 1) * all];
                row[..n].iter_mut().zip(&self.d_x[i * n..]).for_each(|(r, d)| *r = factor * d);
                row[n..n + m].iter_mut().zip(&self.a[i * m..]).for_each(|(r, a)| *r = -factor * a);
            }
            jacobian[(m + k + i) * all + n + m + i] = room;
        }
        for j in 0..m {
            jacobian[(m + 2 * k + j) * all + n + j] = mu[j];
            jacobian[(m + 2 * k + j) * all + n + m + k + j] = y[j];
        }
    }

    fn hessian(&mut self, z: &[f64], factor: f64, multipliers: &[f64], hessian: &mut [f64]) {
        let (n, m, k, all) = (self.n, self.m, self.k, z.len());
        hessian.fill(0.0);
        (0..n + m).for_each(|i| hessian[i * all + i] = factor);
        let mut both = |i: usize, j: usize, v: f64| {
            hessian[i * all + j] += v;
            hessian[j * all + i] += v;
        };
        for i in 0..k {
            let y = multipliers[m + k + i];
            (0..n).for_each(|j| both(n + m + i, j, y * self.d_x[i * n + j]));
            (0..m).for_each(|j| both(n + m + i, n + j, -y * self.a[i * m + j]));
        }
        (0..m).for_each(|j| both(n + j, n + m + k + j, multipliers[m + 2 * k + j]));
    }
}

/// The ends over relaxations, each from the one before.
fn follow(problem: &mut Conditions) -> Vec<Outcome> {
    let mut z = vec![0.0; problem.bounds.len()];
    let mut ends = Vec::new();
    for eps in [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8] {
        problem.relax(eps);
        let end = solve(problem, &z, None, &Limits::default());
        z.clone_from(&end.z);
        ends.push(end);
    }
    ends
}

#[test]
fn every_relaxation_is_solved() {
    for (sizes, seeds) in [([1, 2, 2], 20), ([2, 4, 3], 20), ([5, 10, 8], 4)] {
        for seed in 0..seeds {
            let ends = follow(&mut Conditions::new(seed, sizes, seed % 3 != 0));
            let statuses: Vec<Status> = ends.iter().map(|end| end.status).collect();
            let iterations: usize = ends.iter().map(|end| end.iterations).sum();
            assert!(statuses.iter().all(|s| *s == Status::Solved), "{sizes:?} {seed}: {statuses:?}");
            let last = &ends[ends.len() - 1];
            assert!(last.violation <= 1e-9 && last.stationarity <= 1e-6 && iterations <= 120, "{last:?} {iterations}");
        }
    }
}
