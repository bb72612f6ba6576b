//! Reductions of a whole array to a number.

use super::Entry;
use super::call::Call;
use crate::elementwise;
use crate::graph::{NodeId, Reduction};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::shape::Shape;

pub(super) const SUM: Entry = Entry {
    name: "sum",
    signature: "sum(a) or sum(expr for i in S if cond)",
    doc: "sum of all entries",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| whole(c, call, |c, a, axes, _| c.graph.sum(a.node, axes)),
};

pub(super) const MEAN: Entry = Entry {
    name: "mean",
    signature: "mean(a) or mean(expr for i in S)",
    doc: "sum of all entries divided by their number",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let a = c.array(call.positional()[0])?;
        not_empty(c, &a.shape, call)?;
        let Some(count) = a.shape.count() else { return c.fail(message::size_overflow(call.span)) };
        let axes = own_axes(&a);
        let total = c.graph.sum(a.node, axes);
        let count = c.graph.size(&count);
        let node = c.graph.div(total, count);
        Ok(number(node, &a))
    },
};

pub(super) const NORMSQ: Entry = Entry {
    name: "normsq",
    signature: "normsq(a)",
    doc: "sum of squares of all entries",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        whole(c, call, |c, a, axes, _| {
            let squares = c.graph.elementwise(elementwise::SQUARE, &[a.node]);
            c.graph.sum(squares, axes)
        })
    },
};

pub(super) const NORM1: Entry = Entry {
    name: "norm1",
    signature: "norm1(a)",
    doc: "sum of absolute values of all entries",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        whole(c, call, |c, a, axes, _| {
            let sizes = c.graph.elementwise(elementwise::ABS, &[a.node]);
            c.graph.sum(sizes, axes)
        })
    },
};

pub(super) const NORM2: Entry = Entry {
    name: "norm2",
    signature: "norm2(a)",
    doc: "Euclidean norm of all entries; derivative 0 at 0",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| whole(c, call, |c, a, axes, _| c.graph.reduce(Reduction::Norm2, a.node, axes)),
};

pub(super) const NORMINF: Entry = Entry {
    name: "norminf",
    signature: "norminf(a)",
    doc: "largest absolute value of all entries; ties share the derivative",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        some(c, call, |c, a, axes, _| {
            let sizes = c.graph.elementwise(elementwise::ABS, &[a.node]);
            c.graph.reduce(Reduction::Max, sizes, axes)
        })
    },
};

pub(super) const LOGSUMEXP: Entry = Entry {
    name: "logsumexp",
    signature: "logsumexp(a)",
    doc: "log(sum(exp(a))), without overflow",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| some(c, call, |c, a, axes, _| c.graph.reduce(Reduction::LogSumExp, a.node, axes)),
};

pub(super) const MAX: Entry = Entry {
    name: "max",
    signature: "max(a), max(a, b) or max(expr for i in S)",
    doc: "largest entry; of two arguments the larger, elementwise; ties share the derivative",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| some(c, call, |c, a, axes, _| c.graph.reduce(Reduction::Max, a.node, axes)),
};

pub(super) const MIN: Entry = Entry {
    name: "min",
    signature: "min(a), min(a, b) or min(expr for i in S)",
    doc: "smallest entry; of two arguments the smaller, elementwise; ties share the derivative",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        some(c, call, |c, a, axes, _| {
            let negative = c.graph.neg(a.node);
            let largest = c.graph.reduce(Reduction::Max, negative, axes);
            c.graph.neg(largest)
        })
    },
};

pub(super) const DOT: Entry = Entry {
    name: "dot",
    signature: "dot(a, b)",
    doc: "sum of products of the entries of two arrays of one shape",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let (a, b) = (c.array(arguments[0])?, c.array(arguments[1])?);
        let spans = (arguments[0].span, arguments[1].span);
        if !c.same_shape(&a.shape, &b.shape)? {
            let d = c.shape_mismatch(elementwise::MUL, &a, &b, spans);
            return c.fail(d);
        }
        let product = c.combine(elementwise::MUL, &a, &b, spans)?;
        let axes = own_axes(&product);
        let node = c.graph.sum(product.node, axes);
        Ok(number(node, &product))
    },
};

/// The axes of an array's own shape, after those of its loops.
pub(super) fn own_axes(a: &LoopArray) -> u8 {
    (0..a.shape.rank()).fold(0, |mask, i| mask | 1 << (a.loops.len() + i))
}

pub(super) fn number(node: NodeId, of: &LoopArray) -> Meaning {
    Meaning::Array(LoopArray::real(node, of.loops.clone(), Shape::scalar()))
}

/// Reduces the single argument over all its own axes.
pub(super) fn whole(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    reduce: fn(&mut Checker<'_>, &LoopArray, u8, &Call<'_>) -> NodeId,
) -> Checked<Meaning> {
    let a = c.array(call.positional()[0])?;
    let node = reduce(c, &a, own_axes(&a), call);
    Ok(number(node, &a))
}

/// The same for a function without a value for no entries.
fn some(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    reduce: fn(&mut Checker<'_>, &LoopArray, u8, &Call<'_>) -> NodeId,
) -> Checked<Meaning> {
    let a = c.array(call.positional()[0])?;
    not_empty(c, &a.shape, call)?;
    let node = reduce(c, &a, own_axes(&a), call);
    Ok(number(node, &a))
}

/// States that the argument of a function without a value for no entries has some.
pub(super) fn not_empty(c: &mut Checker<'_>, shape: &Shape, call: &Call<'_>) -> Checked<()> {
    let name = super::by_name(&call.function.text).map_or("this function", |f| f.name);
    c.require_some(shape, name, call.span)
}
