//! Followers with two wells whose depths change with x: the optimum is often where they are equally deep, and the one that
//! a run starts in is not always the deeper one. Right values by a dense search in y and x.

use super::{Instance, drawn};
use crate::draw::Draw;
use crate::scalar::Expression::{X, Y};
use crate::scalar::{Expression, FREE, Scalar, between};

pub(super) fn instance(seed: u64) -> Instance {
    drawn(3, seed, |draw| {
        let problem = if seed.is_multiple_of(2) { gaussians(draw) } else { quartic(draw) };
        Instance::of_scalar(format!("double_well {seed}"), problem)
    })
}

/// Two wells of some width in a box.
fn gaussians(draw: &mut Draw) -> Scalar {
    let width = draw.decimal(0.25, 0.6);
    let (left, right) = (draw.decimal(-0.8, 0.2), draw.decimal(2.0, 3.2));
    let (deep, other, tilt) = (draw.decimal(1.5, 4.0), draw.decimal(1.5, 4.0), draw.away(0.4, 1.5));
    let well = |depth: Expression, at: f64| -(depth * (-(0.5 / (width * width)) * (Y - at).power(2)).exp());
    let lower = well(deep.into(), left) + well(tilt * X + other, right) + draw.away(0.01, 0.05) * Y;
    Scalar::new(wanted(draw, left, right), lower, between(-1.0, 1.0), between(-1.5, 4.5))
}

/// A quartic with a slope that x moves; the start, zero, is between the wells.
fn quartic(draw: &mut Draw) -> Scalar {
    let (at, slope) = (draw.decimal(0.6, 1.4), draw.away(0.2, 0.8));
    let lower = (Y.power(2) - at).power(2) + slope * X * Y + draw.decimal(-0.3, 0.3) * Y;
    let y = if draw.one_in(2) { FREE } else { between(-2.0, 2.0) };
    let end = at.sqrt();
    Scalar::new(wanted(draw, -end, end), lower, between(-1.5, 1.5), y)
}

/// F wants one of the wells, or what is near it, and an x.
fn wanted(draw: &mut Draw, left: f64, right: f64) -> Expression {
    let well = if draw.one_in(2) { left } else { right };
    let target = (100.0 * well).round() / 100.0 + draw.decimal(-0.3, 0.3);
    draw.decimal(0.3, 1.5) * (Y - target).power(2) + draw.decimal(0.3, 1.5) * (X - draw.decimal(-1.0, 1.0)).power(2)
}
