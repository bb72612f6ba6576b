//! Problems in one x and one y: convex and nonconvex lower levels, kinks, penalties whose place moves with x, free and
//! boxed variables, and rarely a level without a minimum.

use crate::draw::Draw;
use crate::scalar::Expression::{Number, X, Y};
use crate::scalar::{Expression, FREE, Interval, Resolution, Scalar, Truth, between};

/// Where it is decided whether a problem is worth asking.
const COARSE: Resolution = Resolution { x: 101, y: 201 };
/// A problem is asked where F varies over x by so many times the tolerance of an answer.
const SPREAD: f64 = 20.0;
/// One problem in so many may have a level without a minimum.
const UNBOUNDED: u64 = 25;

/// The problem of a seed.
///
/// # Panics
/// When a hundred drawn problems have a flat upper level, which no seed does.
pub fn problem(seed: u64) -> Scalar {
    let mut draw = Draw::new(seed);
    for _ in 0..100 {
        let unbounded = seed.is_multiple_of(UNBOUNDED);
        let drawn = if unbounded { without_minimum(&mut draw) } else { with_minimum(&mut draw) };
        let truth = Truth::new(drawn, COARSE);
        let (least, most) = truth.range();
        let meaningful = most - least >= SPREAD * crate::scalar::UPPER * least.abs().max(1.0);
        if unbounded || (truth.best.is_some() && meaningful) {
            return truth.problem;
        }
    }
    unreachable!("seed {seed}: one of a hundred problems has an upper level that is not flat")
}

/// A problem in which each level has a minimum, but for what a penalty or a product makes of it.
fn with_minimum(draw: &mut Draw) -> Scalar {
    let x = if draw.below(10) < 7 { interval(draw) } else { FREE };
    let y = match draw.below(10) {
        0..6 => interval(draw),
        6 => between(draw.decimal(-1.0, 1.0), f64::INFINITY),
        _ => FREE,
    };
    let boxed = y.low.is_finite() && y.high.is_finite();
    let (lower, regularizer) = lower_level(draw, boxed);
    let upper = upper_level(draw, x.low.is_finite());
    Scalar { regularizer, ..Scalar::new(upper, lower, x, y) }
}

/// A problem in which one level falls without end for some x or for all.
fn without_minimum(draw: &mut Draw) -> Scalar {
    let copy = (Y - inner(draw)).power(2);
    match draw.below(4) {
        0 => Scalar::new(draw.away(0.3, 2.0) * X + draw.decimal(-1.0, 1.0) * Y, copy, FREE, FREE),
        1 => Scalar::new((X - 1.0).power(2) + Y, X * Y.power(2) + Y, between(-2.0, 2.0), FREE),
        2 => Scalar::new((Y - 1.0).power(2) + X.power(2), draw.away(0.3, 2.0) * Y + 0.0 * X, interval(draw), FREE),
        _ => Scalar::new(X.power(2) - Y.power(2), (Y - draw.away(1.5, 3.0) * X).power(2), FREE, FREE),
    }
}

fn interval(draw: &mut Draw) -> Interval {
    let low = draw.decimal(-3.0, 0.5);
    between(low, rounded(low + draw.decimal(1.0, 4.0)))
}

/// A number with three decimals.
fn rounded(v: f64) -> f64 {
    (1000.0 * v).round() / 1000.0
}

/// The sum of some terms.
fn total(terms: Vec<Expression>) -> Expression {
    terms.into_iter().reduce(|a, b| a + b).unwrap_or(Number(0.0))
}

/// A smooth or kinked function of x alone: where a follower wants to be.
fn inner(draw: &mut Draw) -> Expression {
    let (a, b) = (draw.away(0.3, 1.5), draw.decimal(-1.0, 1.0));
    match draw.below(7) {
        0 | 1 => a * X + b,
        2 => a * (draw.decimal(0.5, 3.0) * X + b).sin(),
        3 => rounded(0.5 * a) * X.power(2) + b,
        4 => a * (-1.0 * (X - b).power(2)).exp(),
        5 => a * X.abs() + b,
        _ => rounded(0.3 * a) * X.power(3) + b * X,
    }
}

fn lower_level(draw: &mut Draw, boxed: bool) -> (Expression, Option<Expression>) {
    let mut terms = Vec::new();
    // what keeps y from leaving; in a box nothing has to
    if !boxed || draw.below(3) > 0 {
        terms.push(match draw.below(6) {
            0 => draw.decimal(0.1, 0.5) * (Y - inner(draw)).power(4),
            1 => draw.decimal(0.2, 1.0) * (Y.power(2) - draw.decimal(0.3, 1.5)).power(2),
            2 => 0.5 * (draw.decimal(0.5, 1.0) * Y).exp() + (-1.0 * Y).exp(),
            _ => draw.decimal(0.3, 2.0) * (Y - inner(draw)).power(2),
        });
    }
    if terms.is_empty() || draw.below(10) < 6 {
        terms.push(match draw.below(9) {
            0 | 1 => draw.away(0.3, 1.5) * (draw.decimal(1.0, 5.0) * Y + draw.away(0.2, 2.0) * X).sin(),
            2 => inner(draw) * Y,
            3 => draw.away(0.2, 1.5) * X * Y,
            4 => draw.away(0.3, 1.0) * Y * (X * Y).cos(),
            5 => draw.decimal(1.0, 30.0) * (Y - inner(draw)).relu().power(2),
            6 => draw.decimal(0.2, 1.0) * (Y - inner(draw)).abs(),
            7 => (draw.away(0.3, 1.5) * Y + draw.away(0.2, 1.0) * X).max(draw.away(0.3, 1.5) * Y + inner(draw)),
            // with a slope: far from a well alone every y would be equally good up to rounding
            _ => {
                let well = (-draw.decimal(2.0, 8.0) * (Y - inner(draw)).power(2)).exp();
                draw.away(0.3, 2.0) * well + draw.away(0.05, 0.3) * Y
            }
        });
    }
    let regularizer = (draw.below(6) == 0).then(|| match draw.below(2) {
        0 => draw.decimal(0.1, 1.0) * Y.abs(),
        _ => draw.decimal(0.1, 0.6) * (0.5 * X).exp() * Y.abs(),
    });
    (total(terms), regularizer)
}

fn upper_level(draw: &mut Draw, boxed: bool) -> Expression {
    let mut terms = Vec::new();
    if !boxed || draw.below(3) > 0 {
        terms.push(draw.decimal(0.1, 1.5) * (X - draw.decimal(-1.5, 1.5)).power(2));
    }
    if draw.below(5) > 0 {
        terms.push(draw.decimal(0.3, 2.0) * (Y - draw.decimal(-1.5, 1.5)).power(2));
    }
    let wanted = if terms.is_empty() { 2 } else { draw.below(3) };
    for _ in 0..wanted {
        terms.push(match draw.below(7) {
            0 => draw.away(0.2, 1.0) * Y,
            1 if boxed => draw.away(0.2, 1.0) * X * Y,
            2 => draw.away(0.3, 1.5) * (draw.decimal(1.0, 4.0) * X + draw.decimal(-1.0, 1.0)).cos(),
            3 => draw.decimal(0.2, 1.0) * (X - draw.decimal(-1.0, 1.0)).abs(),
            4 => draw.decimal(0.2, 1.0) * (Y - draw.decimal(-1.0, 1.0)).abs(),
            5 => draw.decimal(0.2, 0.8) * (-1.0 * Y).exp(),
            _ => draw.away(0.3, 1.0) * (draw.decimal(1.0, 3.0) * Y).sin(),
        });
    }
    total(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_problem() {
        for seed in 0..4 {
            assert_eq!(problem(seed).text(), problem(seed).text());
        }
        assert_ne!(problem(1).text(), problem(2).text());
    }
}
