//! Dead starts: the follower is at a bound, at a corner, under a soft threshold, or a product vanishes, so that the
//! hypergradient at the start is zero and the optimum is elsewhere.

use super::{Instance, drawn, list, scan};
use crate::draw::Draw;
use crate::scalar::Expression::{X, Y};
use crate::scalar::{Scalar, between};

pub(super) fn instance(seed: u64) -> Instance {
    drawn(4, seed, |draw| match seed % 5 {
        0 => Instance::of_scalar(format!("dead_start {seed} bound"), bound(draw)),
        1 => Some(threshold(seed, draw)),
        2 => Some(corner(seed, draw)),
        3 => Instance::of_scalar(format!("dead_start {seed} square"), square(draw)),
        _ => Instance::of_scalar(format!("dead_start {seed} product"), product(draw)),
    })
}

/// `y = clip(x - c/2, 0, 1)` with a start at the left or right of where it moves.
fn bound(draw: &mut Draw) -> Scalar {
    let c = draw.decimal(0.4, 1.6);
    let right = draw.one_in(2);
    let (target, start) = if right { (draw.decimal(0.0, 0.4), 2.5) } else { (draw.decimal(0.6, 1.2), -0.5) };
    let pull = if draw.one_in(2) { 0.0 } else { draw.decimal(0.01, 0.05) };
    let middle = 0.5 * c + target;
    let upper = (Y - target).power(2) + pull * (X - middle).power(2);
    let lower = (Y - X).power(2) + c * Y;
    Scalar { start: Some((start, 0.0)), ..Scalar::new(upper, lower, between(-1.0, 3.0), between(0.0, 1.0)) }
}

/// `y = x^2` or `x^3` at x = 0.
fn square(draw: &mut Draw) -> Scalar {
    let (power, low) = draw.one_of(&[(2, 0.5), (3, 0.5), (3, -1.5)]);
    let target = low + draw.decimal(0.0, 1.0);
    let upper = (Y - target).power(2);
    let lower = (Y - draw.decimal(0.5, 1.5) * X.power(power)).power(2);
    let start = Some((0.0, 0.0)).filter(|_| draw.one_in(2));
    Scalar { start, ..Scalar::new(upper, lower, between(-2.0, 2.0), between(-9.0, 9.0)) }
}

/// A linear follower at a bound: the leader's income is a product that vanishes on the far side.
fn product(draw: &mut Draw) -> Scalar {
    let (limit, cost) = (draw.decimal(1.0, 3.0), draw.decimal(0.05, 0.4));
    let upper = cost * X - Y * X;
    let lower = Y * (X - limit);
    let start = draw.one_of(&[0.0, limit + 1.0]);
    Scalar { start: Some((start, 0.0)), ..Scalar::new(upper, lower, between(0.0, 5.0), between(0.0, 1.0)) }
}

/// `y = soft(s x, l)` entry by entry, from x = 0.
fn threshold(seed: u64, draw: &mut Draw) -> Instance {
    let n = 1 + draw.below(2);
    let weight = draw.decimal(0.5, 1.5);
    let (s, t): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (draw.decimal(0.7, 1.5), draw.away(0.5, 1.5))).unzip();
    let soft = move |v: f64| v.signum() * (v.abs() - weight).max(0.0);
    let (mut best, mut most) = (0.0, 0.0);
    for (s, t) in s.iter().zip(&t) {
        let (_, least, range) = scan(-4.0, 4.0, 4001, &mut |x| (soft(s * x) - t).powi(2));
        best += least;
        most += range.1;
    }
    let text = format!(
        "upper {{\n  var x[{n}] in [-4, 4]\n  minimize normsq(y - {})\n}}\nlower {{\n  var y[{n}]\n  \
         minimize 1/2*normsq(y - x .* {})\n  regularize {weight}*norm1(y)\n}}\nstart {{ x = 0;  y = 0 }}\n",
        list(&t),
        list(&s)
    );
    let excess = Box::new(move |x: &[f64], y: &[f64]| {
        let f = |y: f64, v: f64| 0.5 * (y - v).powi(2) + weight * y.abs();
        let (mut found, mut least) = (0.0, 0.0);
        for ((x, y), s) in x.iter().zip(y).zip(&s) {
            found += f(*y, s * x);
            least += f(soft(s * x), s * x);
        }
        (found - least) / f64::max(1.0, least)
    });
    let name = format!("dead_start {seed} threshold");
    Instance { name, text, files: Vec::new(), best, unit: 1.0, range: (best, most), excess }
}

/// The projection of `p + x*q` onto a simplex, from an x where it is a corner.
fn corner(seed: u64, draw: &mut Draw) -> Instance {
    let p = [1.0, draw.decimal(-0.5, 0.0), draw.decimal(-0.5, 0.0)];
    let q = [-draw.decimal(0.3, 0.8), draw.decimal(0.2, 0.8), draw.decimal(-0.2, 0.6)];
    let target = draw.one_of(&[[0.3, 0.5, 0.2], [0.0, 0.8, 0.2], [0.5, 0.5, 0.0], [0.1, 0.4, 0.5]]);
    let pull = if draw.one_in(2) { 0.0 } else { draw.decimal(0.01, 0.05) };
    let lower = move |x: f64| project([0, 1, 2].map(|i| p[i] + x * q[i]));
    let distance = |a: [f64; 3], b: [f64; 3]| (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>();
    let (_, best, range) = scan(-2.0, 3.0, 4001, &mut |x| 4.0 * distance(lower(x), target) + pull * (x - 1.0).powi(2));
    let text = format!(
        "upper {{\n  var x in [-2, 3]\n  minimize 4*normsq(y - {}) + {pull}*(x - 1)^2\n}}\nlower {{\n  \
         var y[3] in simplex(1)\n  minimize normsq(y - {} - x*{})\n}}\nstart {{ x = -1.5;  y = [1, 0, 0] }}\n",
        list(&target),
        list(&p),
        list(&q)
    );
    let excess = Box::new(move |x: &[f64], y: &[f64]| {
        let (x, y) = (x[0], [y[0], y[1], y[2]]);
        let inside = y.iter().all(|y| *y >= -1e-9) && (y.iter().sum::<f64>() - 1.0).abs() <= 1e-9;
        let wanted = [0, 1, 2].map(|i| p[i] + x * q[i]);
        let (found, least) = (distance(y, wanted), distance(lower(x), wanted));
        if inside { (found - least) / f64::max(1.0, least) } else { f64::INFINITY }
    });
    let name = format!("dead_start {seed} corner");
    Instance { name, text, files: Vec::new(), best, unit: 1.0, range, excess }
}

/// The nearest point of the unit simplex: `max(v - tau, 0)` with entries that add up to one.
fn project(v: [f64; 3]) -> [f64; 3] {
    let mut sorted = v;
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut total, mut tau) = (0.0, 0.0);
    for (i, v) in sorted.iter().enumerate() {
        total += v;
        let candidate = (total - 1.0) / (i + 1) as f64;
        if *v > candidate {
            tau = candidate;
        }
    }
    v.map(|v| (v - tau).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_onto_a_simplex_are_right() {
        assert_eq!(project([2.0, 0.0, 0.0]), [1.0, 0.0, 0.0]);
        let p = project([0.5, 0.5, 0.5]);
        assert!(p.iter().all(|v| (v - 1.0 / 3.0).abs() < 1e-12));
        let p = project([0.9, 0.5, -2.0]);
        assert!((p[0] - 0.7).abs() < 1e-12 && (p[1] - 0.3).abs() < 1e-12 && p[2] == 0.0);
    }
}
