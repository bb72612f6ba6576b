//! Linear followers on a box: `min (c + A x)'y`. Each y sits at an end by the sign of its slope, and where the slope is zero
//! anywhere between: for every choice of signs the best x is that of a convex problem on a polyhedron, which is solved
//! exactly. The hypergradient of such a follower is zero wherever it exists.

use super::polytope::{Row, minimize, walls};
use super::{Instance, declared, dot, drawn, entry, sum};
use crate::draw::Draw;

/// The box of x.
const X: (f64, f64) = (-2.0, 2.0);

/// What of y the upper objective holds, beside `q*|x - a|^2`.
enum Wish {
    /// `sum(w*(y - b)^2)`: y may want to be between its ends.
    Target { w: Vec<f64>, b: Vec<f64> },
    /// `d'y + x'B y`: each y wants an end.
    Price { d: Vec<f64>, b: Vec<Vec<f64>> },
}

struct Linear {
    /// `c` and a row of `A` for every y.
    slopes: Vec<Row>,
    /// The box of y.
    ends: (f64, f64),
    q: f64,
    a: Vec<f64>,
    wish: Wish,
    /// Written as a maximization.
    maximize: bool,
}

/// Where a y is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Low,
    High,
    Between,
}

pub(super) fn instance(seed: u64) -> Instance {
    drawn(1, seed, |draw| {
        let (n, m) = (1 + seed as usize % 3, 1 + seed as usize / 3 % 3);
        let p = Linear::draw(n, m, draw);
        let best = p.least()?;
        let points = (0..400).map(|_| (0..n).map(|_| draw.within(X.0, X.1)).collect::<Vec<f64>>());
        let phis: Vec<f64> = points.map(|x| p.phi(&x)).collect();
        let most = phis.iter().copied().fold(best, f64::max);
        let sign = if p.maximize { -1.0 } else { 1.0 };
        let (range, text) = (if p.maximize { (-most, -best) } else { (best, most) }, p.text());
        let name = format!("linear_follower {seed} n={n} m={m}");
        let excess = Box::new(move |x: &[f64], y: &[f64]| p.excess(x, y));
        Some(Instance { name, text, files: Vec::new(), best: sign * best, unit: 1.0, range, excess })
    })
}

impl Linear {
    fn draw(n: usize, m: usize, draw: &mut Draw) -> Linear {
        let vector = |draw: &mut Draw, n: usize, size: f64| (0..n).map(|_| draw.decimal(-size, size)).collect();
        let slopes = (0..m).map(|_| ((0..n).map(|_| draw.away(0.3, 1.5)).collect(), draw.decimal(-1.5, 1.5))).collect();
        let low = draw.one_of(&[0.0, 0.0, -1.0, -2.0]);
        let ends = (low, (100.0 * (low + draw.decimal(1.0, 3.0))).round() / 100.0);
        let wish = if draw.one_in(2) {
            let b = (0..m).map(|_| draw.decimal(ends.0 - 0.5, ends.1 + 0.5)).collect();
            Wish::Target { w: (0..m).map(|_| draw.decimal(0.3, 2.0)).collect(), b }
        } else {
            Wish::Price { d: vector(draw, m, 2.0), b: (0..m).map(|_| vector(draw, n, 1.5)).collect() }
        };
        let flat = matches!(wish, Wish::Price { .. }) && draw.one_in(3);
        let q = if flat { 0.0 } else { draw.decimal(0.1, 1.0) };
        Linear { slopes, ends, q, a: vector(draw, n, 1.5), wish, maximize: draw.one_in(3) }
    }

    fn slope(&self, i: usize, x: &[f64]) -> f64 {
        dot(&self.slopes[i].0, x) + self.slopes[i].1
    }

    /// F at the best lower solution of an x that is not at a tie.
    fn phi(&self, x: &[f64]) -> f64 {
        let end = |i: usize| if self.slope(i, x) > 0.0 { self.ends.0 } else { self.ends.1 };
        let y: Vec<f64> = (0..self.slopes.len()).map(end).collect();
        self.upper(x, &y)
    }

    fn upper(&self, x: &[f64], y: &[f64]) -> f64 {
        let near: f64 = x.iter().zip(&self.a).map(|(x, a)| self.q * (x - a).powi(2)).sum();
        near + match &self.wish {
            Wish::Target { w, b } => y.iter().zip(w.iter().zip(b)).map(|(y, (w, b))| w * (y - b).powi(2)).sum::<f64>(),
            Wish::Price { d, b } => y.iter().zip(d.iter().zip(b)).map(|(y, (d, b))| y * (d + dot(b, x))).sum::<f64>(),
        }
    }

    fn excess(&self, x: &[f64], y: &[f64]) -> f64 {
        let inside = y.iter().all(|y| *y >= self.ends.0 - 1e-9 && *y <= self.ends.1 + 1e-9);
        let (mut value, mut least) = (0.0, 0.0);
        for (i, y) in y.iter().enumerate() {
            let slope = self.slope(i, x);
            value += slope * y;
            least += (slope * self.ends.0).min(slope * self.ends.1);
        }
        if inside { (value - least) / f64::max(1.0, least.abs()) } else { f64::INFINITY }
    }

    /// The optimistic optimum: the best over all places of the y.
    fn least(&self) -> Option<f64> {
        let between = matches!(self.wish, Wish::Target { .. });
        let places = if between { &[At::Low, At::High, At::Between][..] } else { &[At::Low, At::High][..] };
        let m = self.slopes.len();
        let choices = (0..places.len().pow(m as u32)).map(|code| {
            let place = |i: usize| places[code / places.len().pow(i as u32) % places.len()];
            (0..m).map(place).collect::<Vec<At>>()
        });
        choices.filter_map(|at| self.least_at(&at)).min_by(f64::total_cmp)
    }

    /// The best with every y at its place.
    fn least_at(&self, at: &[At]) -> Option<f64> {
        let n = self.a.len();
        let mut rows = walls(n, X.0, X.1);
        // F = q*|x|^2 + g'x + constant
        let mut g: Vec<f64> = self.a.iter().map(|a| -2.0 * self.q * a).collect();
        let mut constant = self.q * dot(&self.a, &self.a);
        for (i, at) in at.iter().enumerate() {
            let (a, c) = &self.slopes[i];
            let negated = || a.iter().map(|a| -a).collect();
            if *at != At::High {
                rows.push((negated(), *c));
            }
            if *at != At::Low {
                rows.push((a.clone(), -c));
            }
            match (&self.wish, at) {
                (Wish::Target { w, b }, At::Between) => {
                    constant += w[i] * (b[i].clamp(self.ends.0, self.ends.1) - b[i]).powi(2);
                }
                (Wish::Target { w, b }, at) => constant += w[i] * (self.end(*at) - b[i]).powi(2),
                (Wish::Price { d, b }, at) => {
                    let y = self.end(*at);
                    constant += d[i] * y;
                    g.iter_mut().zip(&b[i]).for_each(|(g, b)| *g += b * y);
                }
            }
        }
        Some(minimize(self.q, &g, &rows)?.0 + constant)
    }

    fn end(&self, at: At) -> f64 {
        if at == At::Low { self.ends.0 } else { self.ends.1 }
    }

    fn text(&self) -> String {
        let (n, m) = (self.a.len(), self.slopes.len());
        let (x, y) = (|i: usize| entry("x", n, i), |i: usize| entry("y", m, i));
        let mut upper: Vec<String> = Vec::new();
        if self.q > 0.0 {
            upper.extend((0..n).map(|i| format!("{}*({} - ({}))^2", self.q, x(i), self.a[i])));
        }
        for i in 0..m {
            match &self.wish {
                Wish::Target { w, b } => upper.push(format!("{}*({} - ({}))^2", w[i], y(i), b[i])),
                Wish::Price { d, b } => {
                    let terms = (0..n).map(|j| format!("({})*{}", b[i][j], x(j)));
                    let price: Vec<String> = std::iter::once(format!("({})", d[i])).chain(terms).collect();
                    upper.push(format!("({})*{}", sum(&price), y(i)));
                }
            }
        }
        let slope = |i: usize| {
            let (a, c) = &self.slopes[i];
            let terms = (0..n).map(|j| format!("({})*{}", a[j], x(j)));
            let all: Vec<String> = std::iter::once(format!("({c})")).chain(terms).collect();
            format!("({})*{}", sum(&all), y(i))
        };
        let lower: Vec<String> = (0..m).map(slope).collect();
        let upper =
            if self.maximize { format!("maximize -({})", sum(&upper)) } else { format!("minimize {}", sum(&upper)) };
        format!(
            "upper {{\n  var {} in [{}, {}]\n  {upper}\n}}\nlower {{\n  var {} in [{}, {}]\n  minimize {}\n}}\n",
            declared("x", n),
            X.0,
            X.1,
            declared("y", m),
            self.ends.0,
            self.ends.1,
            sum(&lower)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_is_no_worse_than_a_dense_search() {
        for seed in (0..60).step_by(9) {
            let mut draw = Draw::new(seed);
            let p = Linear::draw(1, 1 + seed as usize % 3, &mut draw);
            let Some(best) = p.least() else { continue };
            let grid = (0..=4000).map(|i| p.phi(&[X.0 + (X.1 - X.0) * f64::from(i) / 4000.0]));
            let found = grid.fold(f64::INFINITY, f64::min);
            // at a tie the closed form may be better; elsewhere they agree
            assert!(best <= found + 1e-9, "{seed}: {best} {found}");
            if matches!(p.wish, Wish::Price { .. }) {
                assert!((best - found).abs() < 1e-2, "{seed}: {best} {found}");
            }
        }
    }
}
