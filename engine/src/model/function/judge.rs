//! Functions of metrics: what is reported of predictions and never differentiated. A quotient of counts is 0 where there
//! is nothing to count (0/0), as the usual tools report it.

use blo_grammar::ast::Expr;

use super::Entry;
use super::call::Call;
use super::learn::{below, mean};
use crate::elementwise;
use crate::graph::{NodeId, Reduction};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::Shape;

pub(super) const ARGMAX: Entry = Entry {
    name: "argmax",
    signature: "argmax(scores)",
    doc: "in metrics: per row of a matrix the label, from 0, of the largest entry; of equal ones the first",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        in_metric(c, call)?;
        let e = call.positional()[0];
        let scores = c.array(e)?;
        largest(c, e, &scores, "argmax").map(Meaning::Array)
    },
};

pub(super) const ACCURACY: Entry = Entry {
    name: "accuracy",
    signature: "accuracy(scores or predicted labels, labels)",
    doc: "in metrics: share of rows whose predicted label, or whose largest score, is the label",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        in_metric(c, call)?;
        let e = call.positional();
        let (mut predicted, actual) = (c.array(e[0])?, c.array(e[1])?);
        if actual.kind == Kind::Real {
            let found = Meaning::Array(actual).describe();
            return c.fail(message::labels_expected(e[1].span, "accuracy", &found));
        }
        if predicted.kind == Kind::Real {
            let columns = predicted.shape.0.last().and_then(|d| d.size(&c.sizes).ok());
            if let (Kind::Label(Some(labels)), Some(columns)) = (actual.kind, columns)
                && predicted.shape.rank() == actual.shape.rank() + 1
                && labels > columns
            {
                return c.fail(message::classes_exceed(e[1].span, labels, e[0].span, columns));
            }
            predicted = largest(c, e[0], &predicted, "accuracy")?;
        }
        if !c.same_shape(&predicted.shape, &actual.shape)? {
            let (found, wanted) = (c.shape_text(&actual.shape), c.shape_text(&predicted.shape));
            let d = message::label_rows(e[1].span, &found, e[0].span, &wanted);
            return c.fail(d.help("for a single score per row, compare: `accuracy(s > 0, v)`"));
        }
        let right = c.combine(elementwise::EQUAL, &predicted, &actual, (e[0].span, e[1].span))?;
        mean(c, &right, call).map(Meaning::Array)
    },
};

pub(super) const F1: Entry = Entry {
    name: "f1",
    signature: "f1(predicted = a, actual = b)",
    doc: "in metrics: 2 |a and b|/(|a| + |b|), the harmonic mean of precision and recall; 0 for 0/0",
    arguments: 0..=0,
    keys: &["predicted", "actual"],
    labels: None,
    build: |c, call| {
        let counts = Counts::of(c, call, F1.signature)?;
        let both = c.graph.scale(2.0, counts.both);
        let all = c.graph.add(counts.predicted, counts.actual);
        Ok(counts.share(c, both, all, ("f1", "nothing is predicted and nothing is actual"), call))
    },
};

pub(super) const PRECISION: Entry = Entry {
    name: "precision",
    signature: "precision(predicted = a, actual = b)",
    doc: "in metrics: |a and b|/|a|, the share of right ones among those predicted; 0 for 0/0",
    arguments: 0..=0,
    keys: &["predicted", "actual"],
    labels: None,
    build: |c, call| {
        let counts = Counts::of(c, call, PRECISION.signature)?;
        Ok(counts.share(c, counts.both, counts.predicted, ("precision", "nothing is predicted"), call))
    },
};

pub(super) const RECALL: Entry = Entry {
    name: "recall",
    signature: "recall(predicted = a, actual = b)",
    doc: "in metrics: |a and b|/|b|, the share of those found among the actual ones; 0 for 0/0",
    arguments: 0..=0,
    keys: &["predicted", "actual"],
    labels: None,
    build: |c, call| {
        let counts = Counts::of(c, call, RECALL.signature)?;
        Ok(counts.share(c, counts.both, counts.actual, ("recall", "nothing is actual"), call))
    },
};

fn in_metric(c: &mut Checker<'_>, call: &Call<'_>) -> Checked<()> {
    if c.reporting.in_metric { Ok(()) } else { c.fail(message::outside_metric(call.span, &call.function.text)) }
}

/// The position of the largest entry along the last axis, from 0.
fn largest(c: &mut Checker<'_>, e: &Expr, scores: &LoopArray, function: &str) -> Checked<LoopArray> {
    let mut dims = scores.shape.0.clone();
    let Some(classes) = dims.pop() else {
        return c.fail(message::expected_matrix(e.span, function, &scores.shape));
    };
    let full = c.graph.shape(scores.node).clone();
    let last = full.rank() - 1;
    let top = c.graph.reduce(Reduction::Max, scores.node, 1 << last);
    let top = c.graph.broadcast(top, below(last), &full);
    let equal = c.graph.elementwise(elementwise::EQUAL, &[scores.node, top]);
    // The first of equal ones: the smallest position, as the negative of the largest negative one.
    let positions = c.graph.iota(&classes);
    let positions = c.graph.neg(positions);
    let positions = c.graph.broadcast(positions, 1 << last, &full);
    let none = c.graph.constant(f64::NEG_INFINITY);
    let kept = c.graph.elementwise(elementwise::SELECT, &[equal, positions, none]);
    let first = c.graph.reduce(Reduction::Max, kept, 1 << last);
    let node = c.graph.neg(first);
    let kind = Kind::Label(classes.size(&c.sizes).ok());
    Ok(LoopArray { kind, ..LoopArray::real(node, scores.loops.clone(), Shape(dims)) })
}

/// How often something is predicted, is the case, and both.
struct Counts {
    predicted: NodeId,
    actual: NodeId,
    both: NodeId,
    loops: Vec<usize>,
}

impl Counts {
    fn of(c: &mut Checker<'_>, call: &Call<'_>, signature: &str) -> Checked<Counts> {
        in_metric(c, call)?;
        let (a, a_span) = truth(c, call, "predicted", signature)?;
        let (b, b_span) = truth(c, call, "actual", signature)?;
        if !c.same_shape(&a.shape, &b.shape)? {
            let d = c.shape_mismatch(elementwise::AND, &a, &b, (a_span, b_span));
            return c.fail(d);
        }
        let loops = union(&a.loops, &b.loops);
        let (x, y) = (c.align(&a, &loops, &a.shape, call.span)?, c.align(&b, &loops, &b.shape, call.span)?);
        let z = c.graph.elementwise(elementwise::AND, &[x, y]);
        let own = below(loops.len() + a.shape.rank()) & !below(loops.len());
        let [predicted, actual, both] = [x, y, z].map(|n| c.graph.sum(n, own));
        Ok(Counts { predicted, actual, both, loops })
    }

    /// `part/all`, 0 for 0/0, which the result then says.
    fn share(
        &self,
        c: &mut Checker<'_>,
        part: NodeId,
        all: NodeId,
        words: (&'static str, &'static str),
        call: &Call<'_>,
    ) -> Meaning {
        let node = c.guarded_quotient(part, all, words, call.span);
        Meaning::Array(LoopArray::real(node, self.loops.clone(), Shape::scalar()))
    }
}

/// An argument that says true or false of every row.
fn truth(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    name: &str,
    signature: &str,
) -> Checked<(LoopArray, blo_grammar::span::Span)> {
    let Some(e) = call.named(name) else {
        return c.fail(message::missing_argument(call.span, signature, name));
    };
    let a = c.array(e)?;
    if a.kind != Kind::Boolean {
        return c.fail(message::expected_boolean(e.span, &Meaning::Array(a).describe()));
    }
    Ok((a, e.span))
}
