//! Arrays from sizes and from other arrays.

use blo_grammar::ast::Expr;

use super::Entry;
use super::call::Call;
use crate::graph::NodeId;
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::{Dim, Shape};

pub(super) const ONES: Entry = Entry {
    name: "ones",
    signature: "ones(n) or ones(m, n)",
    doc: "an array of ones",
    arguments: 1..=4,
    keys: &[],
    labels: None,
    build: |c, call| {
        let one = c.graph.constant(1.0);
        filled(c, one, &call.positional())
    },
};

pub(super) const ZEROS: Entry = Entry {
    name: "zeros",
    signature: "zeros(n) or zeros(m, n)",
    doc: "an array of zeros",
    arguments: 1..=4,
    keys: &[],
    labels: None,
    build: |c, call| {
        let zero = c.graph.constant(0.0);
        filled(c, zero, &call.positional())
    },
};

pub(super) const FILL: Entry = Entry {
    name: "fill",
    signature: "fill(value, n) or fill(value, m, n)",
    doc: "an array with every entry equal to a number",
    arguments: 2..=5,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let value = c.scalar(arguments[0], "the value")?;
        filled(c, value.node, &arguments[1..])
    },
};

pub(super) const EYE: Entry = Entry {
    name: "eye",
    signature: "eye(n)",
    doc: "the identity matrix",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let n = c.size(call.positional()[0])?;
        let node = super::linear::identity(c, &n);
        Ok(Meaning::Array(LoopArray::real(node, Vec::new(), Shape(vec![n.clone(), n]))))
    },
};

pub(super) const RESHAPE: Entry = Entry {
    name: "reshape",
    signature: "reshape(a, m, n)",
    doc: "the same entries in row-major order with another shape",
    arguments: 2..=5,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let a = c.array(arguments[0])?;
        let dims: Vec<Dim> = arguments[1..].iter().map(|e| c.size(e)).collect::<Checked<_>>()?;
        let shape = Shape(dims);
        if a.shape.count().is_none() || a.shape.count() != shape.count() {
            let (from, to) = (c.shape_text(&a.shape), c.shape_text(&shape));
            return c.fail(message::reshape_count(call.span, &from, &to));
        }
        // Of a loop variable each step's array is reshaped.
        let mut full: Vec<Dim> = a.loops.iter().map(|l| c.loops[*l].length.clone()).collect();
        full.extend(shape.0.iter().cloned());
        c.require_axes(full.len(), call.span)?;
        let node = c.graph.reshape(a.node, &Shape(full));
        Ok(Meaning::Array(LoopArray::real(node, a.loops, shape)))
    },
};

pub(super) const VCAT: Entry = Entry {
    name: "vcat",
    signature: "vcat(a, b, ...)",
    doc: "arrays one below the other; numbers become entries of a column",
    arguments: 1..=64,
    keys: &[],
    labels: None,
    build: |c, call| concatenated(c, call, 0),
};

pub(super) const HCAT: Entry = Entry {
    name: "hcat",
    signature: "hcat(a, b, ...)",
    doc: "arrays side by side; columns become columns of a matrix",
    arguments: 1..=64,
    keys: &[],
    labels: None,
    build: |c, call| concatenated(c, call, 1),
};

fn filled(c: &mut Checker<'_>, value: NodeId, sizes: &[&Expr]) -> Checked<Meaning> {
    let dims: Vec<Dim> = sizes.iter().map(|e| c.size(e)).collect::<Checked<_>>()?;
    let shape = Shape(dims);
    let node = c.graph.promote(value, &shape);
    Ok(Meaning::Array(LoopArray::real(node, Vec::new(), shape)))
}

fn concatenated(c: &mut Checker<'_>, call: &Call<'_>, axis: usize) -> Checked<Meaning> {
    let expressions = call.positional();
    let values: Vec<LoopArray> = expressions.iter().map(|e| c.array(e)).collect::<Checked<_>>()?;
    let loops = values.iter().fold(Vec::new(), |l, v| union(&l, &v.loops));
    if !loops.is_empty() {
        return c.fail(message::inside_loop(call.span, call.function.text.as_str()));
    }
    let rank = values.iter().map(|v| v.shape.rank()).max().unwrap_or(1).max(axis + 1);
    let mut parts: Vec<(NodeId, Shape)> = Vec::new();
    for v in &values {
        // A number is an entry, a column one column of a matrix.
        let mut dims = v.shape.0.clone();
        while dims.len() < rank {
            dims.push(Dim::constant(1));
        }
        let shape = Shape(dims);
        parts.push((c.graph.reshape(v.node, &shape), shape));
    }
    for ((_, shape), e) in parts.iter().zip(&expressions).skip(1) {
        for k in (0..rank).filter(|k| *k != axis) {
            let (first, this) = (parts[0].1.0[k].clone(), shape.0[k].clone());
            if !c.same_dim(&first, &this)? {
                let (a, b) = (c.shape_text(&parts[0].1), c.shape_text(shape));
                return c.fail(message::concat_mismatch(call.span, e.span, &a, &b));
            }
        }
    }
    let total = parts.iter().try_fold(Dim::constant(0), |t, (_, s)| t.add(&s.0[axis]));
    let Some(total) = total else { return c.fail(message::size_overflow(call.span)) };
    let nodes: Vec<NodeId> = parts.iter().map(|(n, _)| *n).collect();
    let node = c.graph.concat(&nodes, axis);
    let mut shape = parts[0].1.clone();
    shape.0[axis] = total;
    Ok(Meaning::Array(LoopArray::real(node, Vec::new(), shape)))
}
