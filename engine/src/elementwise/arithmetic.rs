//! The arithmetic operators, the conditional, and the division of derivative rules.

use super::*;

pub(super) static ADD: Entry = entry! {
    add(2),
    name: "+",
    doc: "a + b",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Affine,
    monotone: &[Monotone::Nondecreasing, Monotone::Nondecreasing],
    sign: signs::sum,
    partials: |g, _, _| {
        let one = g.constant(1.0);
        vec![Some(one), Some(one)]
    },
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn add<D: Number>([a, b]: [D; 2]) -> D {
    a + b
}

pub(super) static SUB: Entry = entry! {
    sub(2),
    name: "-",
    doc: "a - b",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Affine,
    monotone: &[Monotone::Nondecreasing, Monotone::Nonincreasing],
    sign: signs::difference,
    partials: |g, _, _| vec![Some(g.constant(1.0)), Some(g.constant(-1.0))],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn sub<D: Number>([a, b]: [D; 2]) -> D {
    a - b
}

pub(super) static MUL: Entry = entry! {
    mul(2),
    name: ".*",
    doc: "a .* b, elementwise",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::product,
    partials: |_, x, _| vec![Some(x[1]), Some(x[0])],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn mul<D: Number>([a, b]: [D; 2]) -> D {
    a * b
}

pub(super) static DIV: Entry = entry! {
    div(2),
    name: "./",
    doc: "a ./ b, elementwise",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::product,
    partials: |g, x, out| {
        let inverse = reciprocal(g, x[1]);
        let ratio = g.div(out, x[1]);
        vec![Some(inverse), Some(g.neg(ratio))]
    },
    sample: &[(-2.0, 2.0), (0.3, 3.0)],
};

#[inline(always)]
fn div<D: Number>([a, b]: [D; 2]) -> D {
    a / b
}

pub(super) static NEG: Entry = entry! {
    neg(1),
    name: "neg",
    doc: "-a",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Affine,
    monotone: &[Monotone::Nonincreasing],
    sign: signs::negative,
    partials: |g, _, _| vec![Some(g.constant(-1.0))],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn neg<D: Number>([a]: [D; 1]) -> D {
    -a
}

pub(super) static SELECT: Entry = entry! {
    select(3),
    name: "if",
    doc: "if c then a else b; everything but 0 is true",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked("the derivative of the branch taken", None),
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Nondecreasing, Monotone::Nondecreasing],
    sign: signs::either,
    partials: |g, x, _| {
        let (one, zero) = (g.constant(1.0), g.constant(0.0));
        let first = g.elementwise(super::SELECT, &[x[0], one, zero]);
        let second = g.elementwise(super::SELECT, &[x[0], zero, one]);
        vec![None, Some(first), Some(second)]
    },
    sample: &[(-2.0, 2.0), (-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn select<D: Number>([c, a, b]: [D; 3]) -> D {
    if c == D::zero() { b } else { a }
}

pub(super) static SAFE_DIV: Entry = entry! {
    safe_div(2),
    name: "safe_div",
    doc: "a ./ b, and 0 where b = 0: the derivative of a norm at 0",
    visibility: Visibility::Internal,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::quotient_or_zero,
    partials: |g, x, out| {
        let one = g.constant(1.0);
        let inverse = g.elementwise(super::SAFE_DIV, &[one, x[1]]);
        let ratio = g.elementwise(super::SAFE_DIV, &[out, x[1]]);
        vec![Some(inverse), Some(g.neg(ratio))]
    },
    sample: &[(-2.0, 2.0), (0.3, 3.0)],
};

#[inline(always)]
fn safe_div<D: Number>([a, b]: [D; 2]) -> D {
    if b == D::zero() { D::zero() } else { a / b }
}
