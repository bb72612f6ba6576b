//! Ridge and lasso on columns in their own units, from 1e-3 to 1e6, with the penalty learnt on held-out rows. The lower level
//! is solved in scaled columns (equilibrated normal equations, coordinate descent) on a dense grid of penalties.

use std::fmt::Write as _;

use super::{Instance, drawn, list, scan};
use crate::draw::Draw;

/// Rows to learn from, and rows to judge by.
const ROWS: (usize, usize) = (20, 30);

/// The regression: `mean((A w - b)^2)` on the first rows plus a penalty, judged on the others.
#[derive(Clone)]
struct Regression {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    lasso: bool,
}

/// What the penalty may be: exp of these.
const X: (f64, f64) = (-12.0, 12.0);

pub(super) fn instance(seed: u64) -> Instance {
    drawn(6, seed, |draw| {
        let r = Regression::draw(seed.is_multiple_of(2), draw);
        let k = r.a[0].len();
        let mut warm = vec![0.0; k];
        // from the largest penalty down, so that each solution starts the next one
        let (_, best, range) = scan(-X.1, -X.0, 481, &mut |x| {
            warm = r.lower(-x, &warm);
            r.upper(&warm)
        });
        let kind = if r.lasso { "lasso" } else { "ridge" };
        let name = format!("raw_units {seed} {kind}");
        let (text, files) = r.text(draw.one_in(2));
        let excess = Box::new(move |x: &[f64], w: &[f64]| {
            let least = r.objective(x[0], &r.lower(x[0], &vec![0.0; k]));
            (r.objective(x[0], w) - least) / least
        });
        Some(Instance { name, text, files, best, unit: 0.0, range, excess })
    })
}

impl Regression {
    /// Columns with a size and an offset, a part of which matter, and noise.
    fn draw(lasso: bool, draw: &mut Draw) -> Regression {
        let k = 3 + draw.below(3);
        let sizes: Vec<f64> = (0..k).map(|_| 10.0_f64.powf(draw.within(-3.0, 6.0))).collect();
        let offsets: Vec<f64> = (0..k).map(|_| if draw.one_in(2) { 0.0 } else { draw.within(0.5, 3.0) }).collect();
        let weights: Vec<f64> = (0..k).map(|_| if draw.one_in(3) { 0.0 } else { draw.away(0.5, 2.0) }).collect();
        let noise = draw.within(0.5, 2.0);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..ROWS.0 + ROWS.1 {
            let z: Vec<f64> = (0..k).map(|j| offsets[j] + draw.normal()).collect();
            let target = super::dot(&z, &weights) + noise * draw.normal();
            // four digits: what the file holds is what the search solves
            a.push(z.iter().zip(&sizes).map(|(z, s)| digits(z * s)).collect());
            b.push(digits(target));
        }
        Regression { a, b, lasso }
    }

    fn residuals<'a>(&'a self, rows: std::ops::Range<usize>, w: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        rows.map(|i| super::dot(&self.a[i], w) - self.b[i])
    }

    fn upper(&self, w: &[f64]) -> f64 {
        self.residuals(ROWS.0..self.b.len(), w).map(|r| r * r).sum::<f64>() / ROWS.1 as f64
    }

    fn objective(&self, x: f64, w: &[f64]) -> f64 {
        let loss = self.residuals(0..ROWS.0, w).map(|r| r * r).sum::<f64>() / ROWS.0 as f64;
        let penalty: f64 = w.iter().map(|w| if self.lasso { w.abs() } else { w * w }).sum();
        loss + x.exp() * penalty
    }

    /// The lower solution in columns of norm one, `u = s w`.
    fn lower(&self, x: f64, start: &[f64]) -> Vec<f64> {
        let (n, k, penalty) = (ROWS.0 as f64, start.len(), x.exp());
        let column = |j: usize| self.a[..ROWS.0].iter().map(move |row| row[j]);
        let s: Vec<f64> = (0..k).map(|j| (column(j).map(|v| v * v).sum::<f64>() / n).sqrt()).collect();
        let gram = |i: usize, j: usize| column(i).zip(column(j)).map(|(a, b)| a * b).sum::<f64>() / (n * s[i] * s[j]);
        let gram: Vec<Vec<f64>> = (0..k).map(|i| (0..k).map(|j| gram(i, j)).collect()).collect();
        let right: Vec<f64> =
            (0..k).map(|j| column(j).zip(&self.b).map(|(a, b)| a * b).sum::<f64>() / (n * s[j])).collect();
        let u = if self.lasso {
            let start: Vec<f64> = start.iter().zip(&s).map(|(w, s)| w * s).collect();
            descend(&gram, &right, &s.iter().map(|s| 0.5 * penalty / s).collect::<Vec<_>>(), start)
        } else {
            cholesky(gram, &right, &s.iter().map(|s| penalty / (s * s)).collect::<Vec<_>>())
        };
        u.iter().zip(&s).map(|(u, s)| u / s).collect()
    }

    fn text(&self, literal: bool) -> (String, Vec<(&'static str, String)>) {
        let k = self.a[0].len();
        let (data, files) = if literal {
            let column = |j: usize| list(&self.a.iter().map(|row| row[j]).collect::<Vec<_>>());
            let columns = (1..=k).fold(String::new(), |mut text, j| {
                let _ = writeln!(text, "let a{j} = {}", column(j - 1));
                text
            });
            let names: Vec<String> = (1..=k).map(|j| format!("a{j}")).collect();
            (format!("{columns}let A = hcat({})\nlet b = {}\n", names.join(", "), list(&self.b)), Vec::new())
        } else {
            let rows = self.a.iter().zip(&self.b).map(|(row, b)| {
                let cells: Vec<String> = row.iter().chain([b]).map(f64::to_string).collect();
                cells.join(",") + "\n"
            });
            let data = format!(
                "data A[_, {k}] = csv(\"rows.csv\", columns = 1..{k})\ndata b[rows(A)] = csv(\"rows.csv\", column = {})\n",
                k + 1
            );
            (data, vec![("rows.csv", rows.collect())])
        };
        let penalty = if self.lasso {
            "minimize mean((A[tr, _]*w - b[tr]).^2)\n  regularize exp(x)*norm1(w)"
        } else {
            "minimize mean((A[tr, _]*w - b[tr]).^2) + exp(x)*normsq(w)"
        };
        let text = format!(
            "{data}let tr = 1..{}\nlet va = {}..{}\nupper {{\n  var x in [{}, {}]\n  \
             minimize mean((A[va, _]*w - b[va]).^2)\n}}\nlower {{\n  var w[{k}]\n  {penalty}\n}}\n",
            ROWS.0,
            ROWS.0 + 1,
            self.b.len(),
            X.0,
            X.1
        );
        (text, files)
    }
}

/// A number with four digits, as its text has it.
fn digits(v: f64) -> f64 {
    format!("{v:.3e}").parse().unwrap_or(v)
}

/// `min u'G u/2 - r'u + p'|u|` by coordinate descent until nothing moves.
fn descend(gram: &[Vec<f64>], right: &[f64], penalty: &[f64], mut u: Vec<f64>) -> Vec<f64> {
    for _ in 0..20_000 {
        let mut moved = 0.0_f64;
        for j in 0..u.len() {
            let rest = right[j] - super::dot(&gram[j], &u) + gram[j][j] * u[j];
            let next = rest.signum() * (rest.abs() - penalty[j]).max(0.0) / gram[j][j];
            moved = moved.max((next - u[j]).abs());
            u[j] = next;
        }
        if moved <= 1e-13 {
            break;
        }
    }
    u
}

/// `(G + diag(d)) u = r` by a Cholesky factor.
fn cholesky(mut g: Vec<Vec<f64>>, right: &[f64], diagonal: &[f64]) -> Vec<f64> {
    let k = right.len();
    // rows and columns of length one again: a large penalty on one column says nothing of the others
    let t: Vec<f64> = (0..k).map(|j| 1.0 / (g[j][j] + diagonal[j]).sqrt()).collect();
    let mut u: Vec<f64> = right.iter().zip(&t).map(|(r, t)| r * t).collect();
    for i in 0..k {
        g[i][i] += diagonal[i];
        for j in 0..=i {
            let known: f64 = (0..j).map(|l| g[i][l] * g[j][l]).sum();
            let left = if i == j { 1.0 } else { g[i][j] * t[i] * t[j] } - known;
            g[i][j] = if i == j { left.sqrt() } else { left / g[j][j] };
        }
        let known: f64 = (0..i).map(|l| g[i][l] * u[l]).sum();
        u[i] = (u[i] - known) / g[i][i];
    }
    for i in (0..k).rev() {
        let known: f64 = (i + 1..k).map(|l| g[l][i] * u[l]).sum();
        u[i] = (u[i] - known) / g[i][i];
    }
    u.iter().zip(&t).map(|(u, t)| u * t).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes of f in scaled columns; those of a lasso that stay at zero may be anything up to the penalty.
    fn violation(r: &Regression, x: f64, w: &[f64]) -> f64 {
        let n = ROWS.0 as f64;
        let slope = |j: usize| {
            let s = (r.a[..ROWS.0].iter().map(|row| row[j] * row[j]).sum::<f64>() / n).sqrt();
            let smooth: f64 = r.residuals(0..ROWS.0, w).zip(&r.a).map(|(e, row)| 2.0 * e * row[j]).sum::<f64>() / n;
            let p = x.exp();
            let all = match (r.lasso, w[j] == 0.0) {
                (false, _) => smooth + 2.0 * p * w[j],
                (true, false) => smooth + p * w[j].signum(),
                (true, true) => (smooth.abs() - p).max(0.0),
            };
            all.abs() / (s + p)
        };
        (0..w.len()).map(slope).fold(0.0, f64::max)
    }

    #[test]
    fn lower_solutions_are_stationary() {
        for (seed, lasso) in [(1, false), (2, false), (3, true), (4, true)] {
            let r = Regression::draw(lasso, &mut Draw::new(seed));
            for x in [-12.0, -3.0, 0.0, 4.0, 12.0] {
                let w = r.lower(x, &vec![0.0; r.a[0].len()]);
                assert!(violation(&r, x, &w) < 1e-8, "{seed} {x}: {}", violation(&r, x, &w));
            }
        }
    }
}
