//! Comparisons and logic. Results are 0 or 1; any operand but 0 is true.

use super::*;

pub(super) static LESS: Entry = entry! {
    less(2),
    name: "<",
    doc: "a < b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn less<D: Number>([a, b]: [D; 2]) -> D {
    truth(a < b)
}

pub(super) static LESS_EQUAL: Entry = entry! {
    less_equal(2),
    name: "<=",
    doc: "a <= b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn less_equal<D: Number>([a, b]: [D; 2]) -> D {
    truth(a <= b)
}

pub(super) static EQUAL: Entry = entry! {
    equal(2),
    name: "==",
    doc: "a == b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn equal<D: Number>([a, b]: [D; 2]) -> D {
    truth(a == b)
}

pub(super) static NOT_EQUAL: Entry = entry! {
    not_equal(2),
    name: "!=",
    doc: "a != b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn not_equal<D: Number>([a, b]: [D; 2]) -> D {
    truth(a != b)
}

pub(super) static AND: Entry = entry! {
    and(2),
    name: "and",
    doc: "a and b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn and<D: Number>([a, b]: [D; 2]) -> D {
    truth(a != D::zero() && b != D::zero())
}

pub(super) static OR: Entry = entry! {
    or(2),
    name: "or",
    doc: "a or b: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None, None],
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn or<D: Number>([a, b]: [D; 2]) -> D {
    truth(a != D::zero() || b != D::zero())
}

pub(super) static NOT: Entry = entry! {
    not(1),
    name: "not",
    doc: "not a: 1 where true, 0 elsewhere",
    visibility: Visibility::Operator,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::non_negative,
    partials: |_, _, _| vec![None],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn not<D: Number>([a]: [D; 1]) -> D {
    truth(a == D::zero())
}

#[inline(always)]
fn truth<D: Number>(holds: bool) -> D {
    if holds { D::one() } else { D::zero() }
}
