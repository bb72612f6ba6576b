//! Linear programs over a simplex as followers: `min (c + A x)'y`, with a bilinear upper objective. The best y is a corner;
//! corner k is optimal on a polyhedron of x, where F is a convex quadratic of x that is minimized exactly.

use super::polytope::{Row, minimize, walls};
use super::{Instance, declared, dot, drawn, entry, list, sum};
use crate::draw::Draw;

/// The box of x.
const X: (f64, f64) = (-2.0, 2.0);

struct Simplex {
    /// A row of `A` and an entry of `c` for every corner.
    costs: Vec<Row>,
    /// The same of F.
    gains: Vec<Row>,
    q: f64,
    a: Vec<f64>,
}

pub(super) fn instance(seed: u64) -> Instance {
    drawn(2, seed, |draw| {
        let (n, m) = (1 + seed as usize % 3, 2 + seed as usize / 3 % 3);
        let rows = |draw: &mut Draw, size: f64| {
            let mut row = || ((0..n).map(|_| draw.decimal(-size, size)).collect(), draw.decimal(-size, size));
            (0..m).map(|_| row()).collect::<Vec<Row>>()
        };
        let (costs, gains) = (rows(draw, 1.5), rows(draw, 2.0));
        let q = if draw.one_in(4) { 0.0 } else { draw.decimal(0.1, 1.0) };
        let p = Simplex { costs, gains, q, a: (0..n).map(|_| draw.decimal(-1.5, 1.5)).collect() };
        let best = (0..m).filter_map(|k| p.least_at(k)).min_by(f64::total_cmp)?;
        let points = (0..400).map(|_| (0..n).map(|_| draw.within(X.0, X.1)).collect::<Vec<f64>>());
        let most = points.map(|x| p.phi(&x)).fold(best, f64::max);
        let (name, text) = (format!("simplex_follower {seed} n={n} m={m}"), p.text());
        let excess = Box::new(move |x: &[f64], y: &[f64]| p.excess(x, y));
        Some(Instance { name, text, files: Vec::new(), best, unit: 1.0, range: (best, most), excess })
    })
}

fn value(row: &Row, x: &[f64]) -> f64 {
    dot(&row.0, x) + row.1
}

impl Simplex {
    fn phi(&self, x: &[f64]) -> f64 {
        let corner =
            (0..self.costs.len()).min_by(|a, b| value(&self.costs[*a], x).total_cmp(&value(&self.costs[*b], x)));
        let near: f64 = x.iter().zip(&self.a).map(|(x, a)| self.q * (x - a).powi(2)).sum();
        near + corner.map_or(f64::NAN, |k| value(&self.gains[k], x))
    }

    fn excess(&self, x: &[f64], y: &[f64]) -> f64 {
        let inside = y.iter().all(|y| *y >= -1e-9) && (y.iter().sum::<f64>() - 1.0).abs() <= 1e-9;
        let found: f64 = self.costs.iter().zip(y).map(|(row, y)| value(row, x) * y).sum();
        let least = self.costs.iter().map(|row| value(row, x)).fold(f64::INFINITY, f64::min);
        if inside { (found - least) / f64::max(1.0, least.abs()) } else { f64::INFINITY }
    }

    /// The best where corner k is a lower solution.
    fn least_at(&self, k: usize) -> Option<f64> {
        let (a, c) = &self.costs[k];
        let others = self.costs.iter().enumerate().filter(|(j, _)| *j != k);
        let beaten = others.map(|(_, (b, d))| (a.iter().zip(b).map(|(a, b)| a - b).collect(), d - c));
        let rows: Vec<Row> = walls(self.a.len(), X.0, X.1).into_iter().chain(beaten).collect();
        let (gain, constant) = &self.gains[k];
        let g: Vec<f64> = gain.iter().zip(&self.a).map(|(g, a)| g - 2.0 * self.q * a).collect();
        Some(minimize(self.q, &g, &rows)?.0 + constant + self.q * dot(&self.a, &self.a))
    }

    fn text(&self) -> String {
        let (n, m) = (self.a.len(), self.costs.len());
        let product = |rows: &[Row]| {
            let constants: Vec<f64> = rows.iter().map(|r| r.1).collect();
            let columns = (0..n).map(|j| {
                let column: Vec<f64> = rows.iter().map(|r| r.0[j]).collect();
                format!("{}*{}", entry("x", n, j), list(&column))
            });
            let terms: Vec<String> = std::iter::once(list(&constants)).chain(columns).collect();
            format!("({})'*y", sum(&terms))
        };
        let mut upper = vec![product(&self.gains)];
        if self.q > 0.0 {
            upper.extend((0..n).map(|i| format!("{}*({} - ({}))^2", self.q, entry("x", n, i), self.a[i])));
        }
        format!(
            "upper {{\n  var {} in [{}, {}]\n  minimize {}\n}}\nlower {{\n  var y[{m}] in simplex(1)\n  minimize {}\n}}\n",
            declared("x", n),
            X.0,
            X.1,
            sum(&upper),
            product(&self.costs)
        )
    }
}
