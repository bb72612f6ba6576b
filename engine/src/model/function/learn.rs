//! Functions of learning: layers and losses, from the operations that all else is made of, so that their derivatives
//! need no rule. A matrix has an example per row; losses give one number per row, for `mean` or weights to collect.

use super::Entry;
use super::call::Call;
use super::reduce::not_empty;
use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::{NodeId, Reduction};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::{Dim, Shape};

pub(super) const DENSE: Entry = Entry {
    name: "dense",
    signature: "dense(u, W, b)",
    doc: "u*W with the row b' added to every row: a layer [n, d] to [n, k] with W [d, k] and b [k]",
    arguments: 3..=3,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional();
        let (u, weights, bias) = (c.array(e[0])?, c.array(e[1])?, c.array(e[2])?);
        if u.shape.rank() == 0 || u.shape.rank() > 2 {
            let d = message::expected_matrix(e[0].span, "dense", &u.shape);
            return c.fail(d.help("images become rows with `flatten = true`"));
        }
        if weights.shape.rank() != 2 {
            return c.fail(message::expected_matrix(e[1].span, "dense", &weights.shape));
        }
        // A column stands for one row.
        let single = u.shape.rank() == 1;
        let rows = if single { reshaped(c, &u, &Shape(vec![Dim::constant(1), u.shape.0[0].clone()])) } else { u };
        let product = c.times(&rows, &weights, call.span, (e[0].span, e[1].span))?;
        let width = Shape(vec![product.shape.0[1].clone()]);
        if !c.same_shape(&bias.shape, &width)? {
            let (found, wanted) = (c.shape_text(&bias.shape), c.shape_text(&width));
            return c.fail(message::bias_shape(e[2].span, &found, &wanted, e[1].span));
        }
        let loops = union(&product.loops, &bias.loops);
        let left = c.align(&product, &loops, &product.shape.clone(), call.span)?;
        let bias = c.align(&bias, &loops, &width, call.span)?;
        let every = loops.len();
        let full = c.graph.shape(left).clone();
        let spread = c.graph.broadcast(bias, below(every) | 1 << (every + 1), &full);
        let node = c.graph.add(left, spread);
        let layer = LoopArray::real(node, loops, product.shape);
        Ok(Meaning::Array(if single { reshaped(c, &layer, &width) } else { layer }))
    },
};

pub(super) const XENT: Entry = Entry {
    name: "xent",
    signature: "xent(logits, labels)",
    doc: "cross-entropy, one number per row: log(sum(exp(logits[i, _]))) - logits[i, 1 + label i], without overflow",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let scores = Scores::of(c, call)?;
        let last = scores.loops.len() + scores.rows.rank();
        let lse = c.graph.reduce(Reduction::LogSumExp, scores.node, 1 << last);
        let hot = scores.one_hot(c, call.span)?;
        let zero = c.graph.constant(0.0);
        let chosen = c.graph.elementwise(elementwise::SELECT, &[hot, scores.node, zero]);
        let chosen = c.graph.sum(chosen, 1 << last);
        let node = c.graph.sub(lse, chosen);
        Ok(Meaning::Array(LoopArray::real(node, scores.loops, scores.rows)))
    },
};

pub(super) const SOFTMAX: Entry = Entry {
    name: "softmax",
    signature: "softmax(a)",
    doc: "exp(a) divided by its sum, per row of a matrix or over a column; without overflow",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let a = c.array(e)?;
        if a.is_scalar() {
            return c.fail(message::expected_matrix(e.span, "softmax", &a.shape));
        }
        let last = a.loops.len() + a.shape.rank() - 1;
        let lse = c.graph.reduce(Reduction::LogSumExp, a.node, 1 << last);
        let full = c.graph.shape(a.node).clone();
        let spread = c.graph.broadcast(lse, below(last), &full);
        let below_zero = c.graph.sub(a.node, spread);
        let node = c.graph.elementwise(elementwise::EXP, &[below_zero]);
        Ok(Meaning::Array(LoopArray::real(node, a.loops, a.shape)))
    },
};

pub(super) const LOGISTIC: Entry = Entry {
    name: "logistic",
    signature: "logistic(scores, labels)",
    doc: "logistic loss, one number per score: log(1 + e^s) - v s with v in {0, 1}; labels, truth values or numbers from 0 to 1",
    arguments: 2..=2,
    keys: &[],
    labels: Some([0.0, 1.0]),
    build: |c, call| {
        let e = call.positional();
        let (scores, labels) = (c.array(e[0])?, c.array(e[1])?);
        if let Kind::Label(Some(classes)) = labels.kind
            && classes != 2
        {
            return c.fail(message::two_classes_expected(e[1].span, classes));
        }
        c.doubt_labels(LOGISTIC.name, &labels, e[1].span);
        let product = c.combine(elementwise::MUL, &labels, &scores, (e[1].span, e[0].span))?;
        let node = c.graph.elementwise(elementwise::SOFTPLUS, &[scores.node]);
        let growth = LoopArray::real(node, scores.loops.clone(), scores.shape.clone());
        c.combine(elementwise::SUB, &growth, &product, (e[0].span, e[1].span)).map(Meaning::Array)
    },
};

pub(super) const MSE: Entry = Entry {
    name: "mse",
    signature: "mse(a, b)",
    doc: "mean squared error: mean((a - b).^2) over all entries",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional();
        let (a, b) = (c.array(e[0])?, c.array(e[1])?);
        let difference = c.combine(elementwise::SUB, &a, &b, (e[0].span, e[1].span))?;
        let squares = c.graph.elementwise(elementwise::SQUARE, &[difference.node]);
        let squares = LoopArray::real(squares, difference.loops, difference.shape);
        mean(c, &squares, call).map(Meaning::Array)
    },
};

/// A row of scores per label.
pub(super) struct Scores {
    /// The scores, of shape `[loops..., rows..., classes]`.
    node: NodeId,
    labels: LoopArray,
    loops: Vec<usize>,
    /// The shape of the labels: `[n]`, or a scalar for one row.
    rows: Shape,
    classes: Dim,
}

impl Scores {
    /// The two arguments of a call, checked against each other.
    fn of(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<Scores> {
        let e = call.positional();
        let (scores, labels) = (c.array(e[0])?, c.array(e[1])?);
        let name = call.function.text.as_str();
        if scores.is_scalar() || scores.shape.rank() > 2 {
            return c.fail(message::expected_matrix(e[0].span, name, &scores.shape));
        }
        let Kind::Label(known) = labels.kind else {
            let found = Meaning::Array(labels).describe();
            return c.fail(message::labels_expected(e[1].span, name, &found));
        };
        let mut dims = scores.shape.0.clone();
        let Some(classes) = dims.pop() else { unreachable!("scores have an axis") };
        let rows = Shape(dims);
        if !c.same_shape(&labels.shape, &rows)? {
            let (found, wanted) = (c.shape_text(&labels.shape), c.shape_text(&rows));
            return c.fail(message::label_rows(e[1].span, &found, e[0].span, &wanted));
        }
        if let (Some(labels), Ok(columns)) = (known, classes.size(&c.sizes))
            && labels > columns
        {
            return c.fail(message::classes_exceed(e[1].span, labels, e[0].span, columns));
        }
        let loops = union(&scores.loops, &labels.loops);
        let node = c.align(&scores, &loops, &scores.shape, call.span)?;
        Ok(Scores { node, labels, loops, rows, classes })
    }

    /// True where a column is the label of its row.
    fn one_hot(&self, c: &mut Checker<'_>, span: Span) -> Checked<NodeId> {
        let full = c.graph.shape(self.node).clone();
        let last = full.rank() - 1;
        let labels = c.align(&self.labels, &self.loops, &self.rows, span)?;
        let labels = c.graph.broadcast(labels, below(last), &full);
        let positions = c.graph.iota(&self.classes);
        let positions = c.graph.broadcast(positions, 1 << last, &full);
        Ok(c.graph.elementwise(elementwise::EQUAL, &[labels, positions]))
    }
}

/// The mean over an array's own axes.
pub(super) fn mean(c: &mut Checker<'_>, a: &LoopArray, call: &Call<'_>) -> Checked<LoopArray> {
    not_empty(c, &a.shape, call)?;
    let Some(count) = a.shape.count() else { return c.fail(message::size_overflow(call.span)) };
    let lead = a.loops.len();
    let total = c.graph.sum(a.node, below(lead + a.shape.rank()) & !below(lead));
    let count = c.graph.size(&count);
    let node = c.graph.div(total, count);
    Ok(LoopArray::real(node, a.loops.clone(), Shape::scalar()))
}

/// The mask of the first axes.
pub(super) fn below(axes: usize) -> u8 {
    ((1u16 << axes) - 1) as u8
}

/// An array with another shape of its own.
fn reshaped(c: &mut Checker<'_>, a: &LoopArray, shape: &Shape) -> LoopArray {
    let lead = a.loops.len();
    let mut dims = c.graph.shape(a.node).0[..lead].to_vec();
    dims.extend(shape.0.iter().cloned());
    let node = c.graph.reshape(a.node, &Shape(dims));
    LoopArray { kind: a.kind, ..LoopArray::real(node, a.loops.clone(), shape.clone()) }
}
