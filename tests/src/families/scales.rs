//! Exponents of scale: small problems with x, y and F in other units, by factors from 1e-6 to 1e6. Neither the verdict nor
//! the answer may depend on them. Right values are those of the problem in its own units, times the factor of F.

use super::{Instance, drawn};
use crate::scalar::Expression::{X, Y};
use crate::scalar::{CI, FREE, Interval, Scalar, Truth, between};

/// Problems in their own units.
const BASES: u64 = 10;
/// Exponents of ten.
const EXPONENTS: [i32; 8] = [-6, -4, -3, -2, 2, 3, 4, 6];

pub(super) fn instance(seed: u64) -> Instance {
    drawn(8, seed, |draw| {
        let mut exponents = [(); 3].map(|()| draw.one_of(&EXPONENTS));
        // the first round is in the problem's own units, the next three change one unit each
        let kept = [&[][..], &[0], &[1], &[2], &[0, 1, 2]][(seed / BASES % 5) as usize];
        (0..3).filter(|i| !kept.contains(i)).for_each(|i| exponents[i] = 0);
        scaled(seed, exponents)
    })
}

fn scaled(seed: u64, exponents: [i32; 3]) -> Option<Instance> {
    let base = base(seed % BASES);
    let [sx, sy, sf] = exponents.map(|e| 10.0_f64.powi(e));
    // the inverse from its own exponent, so that its text is a power of ten
    let [ix, iy, _] = exponents.map(|e| 10.0_f64.powi(-e));
    let (x, y) = (if ix == 1.0 { X } else { ix * X }, if iy == 1.0 { Y } else { iy * Y });
    let interval = |set: Interval, unit: f64| between(set.low * unit, set.high * unit);
    let upper = base.upper.with(&x, &y);
    let problem = Scalar {
        upper: if sf == 1.0 { upper } else { sf * upper },
        lower: base.lower.with(&x, &y),
        // `weight(x)*abs(y)`: the unit of y is a factor
        regularizer: base.regularizer.as_ref().map(|g| iy * g.with(&x, &Y)),
        x: interval(base.x, sx),
        y: interval(base.y, sy),
        start: base.start.map(|(x, y)| (x * sx, y * sy)),
    };
    let text = problem.text();
    let truth = Truth::new(base, CI);
    let (best, range) = (truth.best?.phi, truth.range());
    let name =
        format!("scales {seed} base {} x{:+} y{:+} F{:+}", seed % BASES, exponents[0], exponents[1], exponents[2]);
    let excess = Box::new(move |x: &[f64], y: &[f64]| truth.excess(x[0] * ix, y[0] * iy));
    let unit = sf * f64::max(1.0, best.abs());
    Some(Instance { name, text, files: Vec::new(), best: best * sf, unit, range: (range.0 * sf, range.1 * sf), excess })
}

/// A copy, a bound, a duopoly, a soft threshold, wells of several kinds, a linear follower, a kink and a logarithm.
fn base(which: u64) -> Scalar {
    let copy = (Y - X).power(2);
    match which {
        0 => Scalar::new((X - 1.0).power(2) + (Y - 2.0).power(2), copy, between(-3.0, 3.0), FREE),
        1 => {
            let upper = 4.0 * (Y - 1.0).power(2) + (X - 0.2).power(2);
            Scalar::new(upper, copy + Y, between(0.0, 2.0), between(0.0, 1.0))
        }
        2 => {
            let lower = Y * (0.5 * X + Y - 1.0);
            Scalar::new(2.0 * X * (X + Y - 2.0), lower, between(0.0, 2.0), between(0.0, f64::INFINITY))
        }
        3 => Scalar {
            regularizer: Some(0.5 * Y.abs()),
            ..Scalar::new((Y - 1.0).power(2), 0.5 * copy, between(-3.0, 3.0), FREE)
        },
        4 => {
            let lower = (1.0 / 3.0) * Y.power(3) - X * Y;
            Scalar::new((X - 0.25).power(2) + Y.power(2), lower, between(-1.0, 1.0), between(-1.0, 1.0))
        }
        5 => {
            let upper = (Y + 1.0).power(2) + (X + 0.5).power(2);
            Scalar::new(upper, (Y.power(2) - 1.0).power(2) + 0.5 * X * Y, between(-1.0, 1.0), between(-2.0, 2.0))
        }
        6 => Scalar::new(X.cos() + 0.1 * Y, copy, between(-4.0, 4.0), FREE),
        7 => {
            let upper = 2.0 * X - Y * (4.0 * X - 3.0) + 1.0;
            Scalar::new(upper, Y * (4.0 * X - 1.0), between(0.0, 1.0), between(0.0, 1.0))
        }
        8 => {
            let lower = (Y - X).max(X - Y) + 0.1 * Y;
            Scalar::new((X - 0.5).power(2) + Y, lower, between(0.0, 1.0), between(0.0, 1.0))
        }
        _ => Scalar::new((Y - 1.0).power(2) + 0.1 * X, Y.exp() - X * Y, between(0.1, 5.0), FREE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_other_units_is_as_good() {
        let at = |exponents: [i32; 3], x: f64, y: f64| {
            let instance = scaled(0, exponents).unwrap();
            (instance.excess)(&[x], &[y])
        };
        assert!((at([0, 0, 0], 1.0, 1.1) - at([3, -6, 2], 1e3, 1.1e-6)).abs() < 1e-9);
        let best = |exponents| scaled(0, exponents).unwrap().best;
        assert!((best([0, 0, 0]) * 1e6 - best([-6, 2, 6])).abs() < 1.0);
    }
}
