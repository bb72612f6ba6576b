//! Maximizers and saddles of the upper level: the start is a stationary point of phi that is no minimum.

use super::{Instance, drawn};
use crate::draw::Draw;
use crate::scalar::Expression::{X, Y};
use crate::scalar::{FREE, Scalar, between};

pub(super) fn instance(seed: u64) -> Instance {
    drawn(5, seed, |draw| match seed % 4 {
        0 => Instance::of_scalar(format!("summit {seed} cosine"), cosine(draw)),
        1 => Some(saddle(seed, draw)),
        2 => Instance::of_scalar(format!("summit {seed} quartic"), quartic(draw)),
        _ => Instance::of_scalar(format!("summit {seed} wave"), wave(draw)),
    })
}

/// `cos` about its maximum, at the default start or at a stated one.
fn cosine(draw: &mut Draw) -> Scalar {
    let (top, rate) = (if draw.one_in(2) { 0.0 } else { draw.decimal(-1.0, 1.0) }, draw.decimal(0.7, 1.5));
    let v = draw.one_of(&[X, Y]);
    let upper = draw.decimal(0.5, 2.0) * (rate * (v - top)).cos();
    let start = (top != 0.0).then_some((top, top));
    Scalar { start, ..Scalar::new(upper, (Y - X).power(2), between(-4.0, 4.0), FREE) }
}

/// A double well of F with a local maximizer between its minima: at the start.
fn quartic(draw: &mut Draw) -> Scalar {
    let (depth, top) = (draw.decimal(0.8, 2.5), if draw.one_in(2) { 0.0 } else { draw.decimal(-0.8, 0.8) });
    let v = Y - top;
    let upper = v.clone().power(4) - depth * v.power(2) + 1.0;
    let scale = draw.decimal(0.6, 1.4);
    let lower = (Y - scale * (X - top) - top).power(2);
    let start = (top != 0.0).then_some((top, top));
    Scalar { start, ..Scalar::new(upper, lower, between(-3.0, 3.0), FREE) }
}

/// A follower whose answer `size*cos(rate*x)` turns at the default start, where phi is stationary and highest.
fn wave(draw: &mut Draw) -> Scalar {
    let (rate, size) = (draw.decimal(0.6, 1.6), draw.decimal(0.7, 1.5));
    let upper = (Y + size).power(2);
    let lower = (Y - size * (rate * X).cos()).power(2);
    Scalar::new(upper, lower, between(-3.0, 3.0), FREE)
}

/// An indefinite quadratic of two variables on a box, from its saddle. The least value lies on an edge.
fn saddle(seed: u64, draw: &mut Draw) -> Instance {
    let (up, down, mixed) = (draw.decimal(0.3, 2.0), draw.decimal(0.3, 2.0), draw.decimal(-0.5, 0.5));
    let swapped = draw.one_in(2);
    let (a, b) = if swapped { (-down, up) } else { (up, -down) };
    let phi = |x: f64, y: f64| a * x * x + b * y * y + 2.0 * mixed * x * y;
    let (mut best, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..=4000 {
        let t = -1.0 + f64::from(i) / 2000.0;
        for value in [phi(t, 1.0), phi(t, -1.0), phi(1.0, t), phi(-1.0, t), 0.0] {
            (best, most) = (best.min(value), most.max(value));
        }
    }
    let [first, second] = if draw.one_in(2) { ["x[1]", "y[2]"] } else { ["y[1]", "x[2]"] };
    let text = format!(
        "upper {{\n  var x[2] in [-1, 1]\n  minimize ({a})*{first}^2 + ({b})*{second}^2 + 2*({mixed})*x[1]*y[2]\n}}\nlower {{\n  \
         var y[2]\n  minimize normsq(y - x)\n}}\n"
    );
    let excess = Box::new(|x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>());
    let name = format!("summit {seed} saddle");
    Instance { name, text, files: Vec::new(), best, unit: 1.0, range: (best, most), excess }
}
