//! A rule for every opaque operation, or a reason why there is none: StableHLO has no eigenvalues and no singular values,
//! which are calls of libraries in programs that JAX makes.

use super::Rule;
use super::elementwise::safe_div;
use crate::export::stablehlo::block::{Block, Type, Value};

/// The opaque operations, by the names of their table.
pub(super) const OPAQUE: &[(&str, Rule)] = &[
    ("cholesky", Rule::Own(cholesky)),
    ("eigenvectors", Rule::Refused(EIGENVALUES)),
    ("group_shrink", Rule::Own(group_shrink)),
    ("isotonic", Rule::Refused(SEQUENCE)),
    ("logdet", Rule::Own(logdet)),
    ("nuclear", Rule::Refused(SINGULAR)),
    ("permute", Rule::Own(|b, x| sorted_with(b, &x[0], &x[1]))),
    ("positive_bend", Rule::Refused(EIGENVALUES)),
    ("positive_part", Rule::Refused(EIGENVALUES)),
    ("positive_slope", Rule::Refused(EIGENVALUES)),
    ("pseudo_inverse", Rule::Refused(SINGULAR)),
    ("rotation", Rule::Refused(SINGULAR)),
    ("rotation_along", Rule::Refused(SINGULAR)),
    ("run_means", Rule::Refused(SEQUENCE)),
    ("shrink_values", Rule::Refused(SINGULAR)),
    ("shrink_values_along", Rule::Refused(SINGULAR)),
    ("simplex", Rule::Own(simplex)),
    ("solve", Rule::Own(solve)),
    ("tv1d", Rule::Refused(SEQUENCE)),
    ("unpermute", Rule::Own(unpermute)),
];

const SEQUENCE: &str =
    "its algorithm runs along the sequence and has no counterpart in StableHLO: run the file with `blo solve`";
const EIGENVALUES: &str =
    "StableHLO has no eigenvalues: `--format python` writes what JAX has for them, or run the file with `blo solve`";
const SINGULAR: &str = "StableHLO has no singular values: `--format python` writes what JAX has for them, or run the file with `blo solve`";

/// L of (S + S')/2.
fn cholesky(b: &mut Block, x: &[Value]) -> Value {
    let turned = b.transpose(&x[0], &[1, 0]);
    let both = b.binary("add", &x[0], &turned);
    let s = b.with_number("multiply", &both, 0.5);
    let l = b.add(format!("stablehlo.cholesky {}, lower = true : {}", s.name, s.ty), s.ty.clone());
    // what is above the diagonal is not defined
    let ty = b.whole_type(l.shape());
    let [row, column] = [0, 1].map(|axis| b.iota(axis, ty.clone()));
    let below = b.compare("GE", &row, &column);
    let zero = b.real(0.0, l.shape());
    b.select(&below, &l, &zero)
}

/// `2 sum(log(diagonal(L)))`.
fn logdet(b: &mut Block, x: &[Value]) -> Value {
    let l = &x[1];
    let ty = b.whole_type(l.shape());
    let [row, column] = [0, 1].map(|axis| b.iota(axis, ty.clone()));
    let diagonal = b.compare("EQ", &row, &column);
    let one = b.real(1.0, l.shape());
    let kept = b.select(&diagonal, l, &one);
    let log = b.unary("log", &kept);
    let sum = b.sum(&log, &[0, 1]);
    b.with_number("multiply", &sum, 2.0)
}

/// `S^-1 B` by its factor L.
fn solve(b: &mut Block, x: &[Value]) -> Value {
    let (l, right) = (&x[1], &x[2]);
    let columns = if right.rank() == 1 { b.reshape(right, &[right.shape()[0], 1]) } else { right.clone() };
    let mut value = columns;
    for transposed in ["NO_TRANSPOSE", "TRANSPOSE"] {
        let text = format!(
            "\"stablehlo.triangular_solve\"({}, {}) <{{left_side = true, lower = true, transpose_a = \
             #stablehlo<transpose {transposed}>, unit_diagonal = false}}> : ({}, {}) -> {}",
            l.name, value.name, l.ty, value.ty, value.ty
        );
        value = b.add(text, value.ty.clone());
    }
    b.reshape(&value, right.shape())
}

/// Groups of v, as many as t has entries, each with its norm lowered by t, at least to 0.
fn group_shrink(b: &mut Block, x: &[Value]) -> Value {
    let v = &x[0];
    let groups: usize = x[1].shape().iter().product();
    let entries: usize = v.shape().iter().product();
    let blocks = b.reshape(v, &[groups, entries.checked_div(groups).unwrap_or(0)]);
    let t = b.reshape(&x[1], &[groups]);
    let squared = b.binary("multiply", &blocks, &blocks);
    let sum = b.sum(&squared, &[1]);
    let norm = b.unary("sqrt", &sum);
    let longest = b.binary("maximum", &norm, &t);
    let share = safe_div(b, &t, &longest);
    let one = b.real(1.0, &[groups]);
    let factor = b.binary("subtract", &one, &share);
    let longer = b.compare("GT", &longest, &t);
    let zero = b.real(0.0, &[groups]);
    let factor = b.select(&longer, &factor, &zero);
    let factors = b.broadcast(&factor, &[0], blocks.shape());
    let shorter = b.binary("multiply", &blocks, &factors);
    b.reshape(&shorter, v.shape())
}

/// Sorts rows together, so that the first one falls; equal entries stay in order.
fn falling(b: &mut Block, rows: &[Value]) -> Vec<Value> {
    let list: Vec<&str> = rows.iter().map(|r| r.name.as_str()).collect();
    let types: Vec<Type> = rows.iter().map(|r| r.ty.clone()).collect();
    let text: Vec<String> = types.iter().map(Type::to_string).collect();
    let head = format!("\"stablehlo.sort\"({}) <{{dimension = 0 : i64, is_stable = true}}> ({{", list.join(", "));
    let results = b.add_all(head, types.clone());
    let mut arguments = Vec::new();
    for ty in &types {
        let scalar = Type { shape: Vec::new(), element: ty.element };
        for side in ["one", "other"] {
            arguments.push(b.argument(side, scalar.clone()));
        }
    }
    let listed: Vec<String> = arguments.iter().map(|a| format!("{}: {}", a.name, a.ty)).collect();
    b.line(format!("^bb0({}):", listed.join(", ")));
    b.depth += 1;
    let before = b.compare("GT", &arguments[0], &arguments[1]);
    b.line(format!("stablehlo.return {} : {}", before.name, before.ty));
    b.depth -= 1;
    let given = if let [one] = text.as_slice() { one.clone() } else { format!("({})", text.join(", ")) };
    b.line(format!("}}) : ({}) -> {given}", text.join(", ")));
    results
}

/// The array in the order in which key falls.
fn sorted_with(b: &mut Block, key: &Value, array: &Value) -> Value {
    falling(b, &[key.clone(), array.clone()]).remove(1)
}

/// The array that is `x[1]` in the order in which the key falls.
fn unpermute(b: &mut Block, x: &[Value]) -> Value {
    let ty = b.whole_type(x[0].shape());
    let place = b.iota(0, ty);
    let places = falling(b, &[x[0].clone(), place]).remove(1);
    b.scatter(&x[1], &places, 0, 0, x[1].shape()[0])
}

/// The nearest array with nonnegative entries of total s: `max(v - tau, 0)` with `tau = (u_1 + ... + u_r - s)/r`, u the
/// entries as they fall, and r the last place where `u_r` is above it.
fn simplex(b: &mut Block, x: &[Value]) -> Value {
    let (v, s) = (&x[0], &x[1]);
    let n: usize = v.shape().iter().product();
    let row = b.reshape(v, &[n]);
    let u = falling(b, &[row]).remove(0);
    let sums = sums_so_far(b, &u);
    let all = b.filled(s, &[n]);
    let more = b.binary("subtract", &sums, &all);
    let ty = b.real_type(&[n]);
    let place = b.iota(0, ty);
    let count = b.with_number("add", &place, 1.0);
    let tau = b.binary("divide", &more, &count);
    let above = b.compare("GT", &u, &tau);
    let one = b.real(1.0, &[n]);
    let kept = b.select(&above, &count, &one);
    let last = b.largest(&kept, &[0]);
    let place = b.with_number("subtract", &last, 1.0);
    let place = b.converted(&place, b.width.whole);
    let tau = b.at(&tau, &place);
    let tau = b.filled(&tau, v.shape());
    let moved = b.binary("subtract", v, &tau);
    b.with_number("maximum", &moved, 0.0)
}

/// The sum of the entries up to each one.
fn sums_so_far(b: &mut Block, u: &Value) -> Value {
    let n = u.shape()[0];
    let zero = b.real(0.0, &[]);
    let head = format!(
        "\"stablehlo.reduce_window\"({}, {}) <{{padding = dense<[[{}, 0]]> : tensor<1x2xi64>, window_dimensions = array<i64: \
         {n}>}}> ({{",
        u.name,
        zero.name,
        n.saturating_sub(1)
    );
    let result = b.add_all(head, vec![u.ty.clone()]).remove(0);
    let scalar = Type { shape: Vec::new(), element: u.ty.element };
    let [one, other] = ["one", "other"].map(|name| b.argument(name, scalar.clone()));
    b.line(format!("^bb0({}: {scalar}, {}: {scalar}):", one.name, other.name));
    b.depth += 1;
    let sum = b.binary("add", &one, &other);
    b.line(format!("stablehlo.return {} : {scalar}", sum.name));
    b.depth -= 1;
    b.line(format!("}}) : ({}, {scalar}) -> {}", u.ty, u.ty));
    result
}
