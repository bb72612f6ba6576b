//! Support vector machines on a few rows, judged by the logistic loss; the cost of violations is x:
//! `1/2*|w|^2 + exp(x)*mean(relu(1 - s*(u'w + c))) + rho*c^2`. Right values by the dual, ascended in one and two coordinates at a time until the
//! gap to the primal closes, on a grid of x.

use super::{Instance, drawn, list, scan};
use crate::draw::Draw;

/// What the logarithm of the cost may be.
const X: (f64, f64) = (-5.0, 5.0);
/// The gap between the dual and the primal at which a solution counts, relatively.
const GAP: f64 = 1e-10;

/// Rows of features with their signs, to learn from and to judge by.
struct Machine {
    u: Vec<Vec<f64>>,
    s: Vec<f64>,
    judged: Vec<(Vec<f64>, f64)>,
    rho: f64,
}

pub(super) fn instance(seed: u64) -> Instance {
    drawn(7, seed, |draw| {
        let p = Machine::draw(draw);
        let mut dual = vec![0.0; p.s.len()];
        let (_, best, range) = scan(X.0, X.1, 201, &mut |x| p.upper(&p.lower(x, &mut dual).0));
        let (name, text) = (format!("hinge {seed}"), p.text());
        let excess = Box::new(move |x: &[f64], y: &[f64]| {
            let least = p.lower(x[0], &mut vec![0.0; p.s.len()]).1;
            (p.primal(x[0], y) - least) / f64::max(1.0, least)
        });
        Some(Instance { name, text, files: Vec::new(), best, unit: 0.0, range, excess })
    })
}

impl Machine {
    fn draw(draw: &mut Draw) -> Machine {
        let (rows, d) = (6 + draw.below(7), 1 + draw.below(2));
        let shift = draw.decimal(0.3, 1.2);
        let mut row = |i: usize| {
            let s = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
            let u: Vec<f64> = (0..d).map(|_| (10.0 * (s * shift + 1.2 * draw.normal())).round() / 10.0).collect();
            (u, s)
        };
        let (u, s): (Vec<_>, Vec<_>) = (0..rows).map(&mut row).unzip();
        let others: Vec<(Vec<f64>, f64)> = (0..rows).map(&mut row).collect();
        let same = draw.one_in(2);
        let judged = if same { u.iter().cloned().zip(s.iter().copied()).collect() } else { others };
        Machine { u, s, judged, rho: draw.one_of(&[1e-3, 1e-2, 0.1]) }
    }

    /// `s*(u'w + c)` of a row; y holds w, then c.
    fn margin(u: &[f64], s: f64, y: &[f64]) -> f64 {
        let c = y[u.len()];
        s * (super::dot(u, y) + c)
    }

    fn upper(&self, y: &[f64]) -> f64 {
        let losses = self.judged.iter().map(|(u, s)| (-Machine::margin(u, *s, y)).exp().ln_1p());
        losses.sum::<f64>() / self.judged.len() as f64
    }

    fn primal(&self, x: f64, y: &[f64]) -> f64 {
        let (d, n) = (self.u[0].len(), self.s.len() as f64);
        let hinge: f64 = self.u.iter().zip(&self.s).map(|(u, s)| (1.0 - Machine::margin(u, *s, y)).max(0.0)).sum();
        0.5 * super::dot(&y[..d], &y[..d]) + x.exp() * hinge / n + self.rho * y[d] * y[d]
    }

    /// The lower solution with its value; `dual` is the start and the end of the ascent on
    /// `sum(a) - |sum a_i s_i z_i|^2/2`, `0 <= a_i <= exp(x)/n`, where `z = (u, 1/sqrt(2 rho))`.
    fn lower(&self, x: f64, dual: &mut [f64]) -> (Vec<f64>, f64) {
        let (d, n) = (self.u[0].len(), self.s.len());
        let top = x.exp() / n as f64;
        let kernel = |i: usize, j: usize| self.s[i] * self.s[j] * (super::dot(&self.u[i], &self.u[j]) + 0.5 / self.rho);
        let q: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| kernel(i, j)).collect()).collect();
        dual.iter_mut().for_each(|a| *a = a.clamp(0.0, top));
        // slopes of the dual, 1 - Q a
        let mut slope: Vec<f64> = (0..n).map(|i| 1.0 - super::dot(&q[i], dual)).collect();
        let solution = |dual: &[f64]| {
            let weight = |k: usize| (0..n).map(|i| dual[i] * self.s[i] * self.u[i][k]).sum::<f64>();
            let c = (0..n).map(|i| dual[i] * self.s[i]).sum::<f64>() / (2.0 * self.rho);
            (0..d).map(weight).chain([c]).collect::<Vec<f64>>()
        };
        let mut y = solution(dual);
        for _ in 0..5000 {
            let primal = self.primal(x, &y);
            let value = dual.iter().zip(&slope).map(|(a, g)| 0.5 * a * (1.0 + g)).sum::<f64>();
            if primal - value <= GAP * primal {
                break;
            }
            for i in 0..n {
                let step = (slope[i] / q[i][i]).clamp(-dual[i], (top - dual[i]).max(-dual[i]));
                dual[i] += step;
                (0..n).for_each(|k| slope[k] -= step * q[k][i]);
                for j in 0..i {
                    // along a_i += t, a_j -= s_i s_j t the sum that makes c stays
                    let sign = -self.s[i] * self.s[j];
                    let curvature = q[i][i] + q[j][j] + 2.0 * sign * q[i][j];
                    if curvature <= 1e-12 {
                        continue;
                    }
                    let (low, high) = if sign > 0.0 { (-dual[j], top - dual[j]) } else { (dual[j] - top, dual[j]) };
                    let step = (slope[i] + sign * slope[j]) / curvature;
                    let step = step.max(low.max(-dual[i])).min(high.min(top - dual[i]));
                    dual[i] += step;
                    dual[j] += sign * step;
                    (0..n).for_each(|k| slope[k] -= step * (q[k][i] + sign * q[k][j]));
                }
            }
            y = solution(dual);
        }
        let value = self.primal(x, &y);
        (y, value)
    }

    fn text(&self) -> String {
        let d = self.u[0].len();
        let columns = |name: &str, rows: &[(Vec<f64>, f64)]| {
            let features = (0..d).map(|k| {
                let column: Vec<f64> = rows.iter().map(|r| r.0[k]).collect();
                format!("let {name}u{} = {}\n", k + 1, list(&column))
            });
            let signs: Vec<f64> = rows.iter().map(|r| r.1).collect();
            features.collect::<String>() + &format!("let {name}s = {}\n", list(&signs))
        };
        let margin = |name: &str| {
            let w = |k: usize| if d == 1 { "w".to_owned() } else { format!("w[{}]", k + 1) };
            let terms: Vec<String> = (0..d).map(|k| format!("{}*{name}u{}", w(k), k + 1)).collect();
            format!("{name}s .* ({} + c)", terms.join(" + "))
        };
        let learnt: Vec<(Vec<f64>, f64)> = self.u.iter().cloned().zip(self.s.iter().copied()).collect();
        let norm = if d == 1 { "w^2" } else { "normsq(w)" };
        format!(
            "{}{}upper {{\n  var x in [{}, {}]\n  minimize mean(log1p(exp(-({}))))\n}}\nlower {{\n  var {}\n  var c\n  \
             minimize 1/2*{norm} + exp(x)*mean(relu(1 - {})) + {}*c^2\n}}\n",
            columns("t", &learnt),
            columns("v", &self.judged),
            X.0,
            X.1,
            margin("v"),
            super::declared("w", d),
            margin("t"),
            self.rho
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dual_meets_the_primal() {
        for seed in 0..8 {
            let p = Machine::draw(&mut Draw::new(seed));
            for x in [-5.0, 0.0, 3.0, 5.0] {
                let mut dual = vec![0.0; p.s.len()];
                let (y, value) = p.lower(x, &mut dual);
                let w = &y[..p.u[0].len()];
                let bound = dual.iter().sum::<f64>() - 0.5 * super::super::dot(w, w) - p.rho * y[w.len()].powi(2);
                assert!(value - bound <= 1e-8 * value, "{seed} {x}: {value} {bound}");
            }
        }
    }
}
