//! Penalties that are not norms of entries: those that are not convex, in singular values, in order, in differences.

use blo_grammar::ast::Expr;

use super::Entry;
use super::call::Call;
use super::definite::computed;
use super::reduce::{number, own_axes, whole};
use crate::elementwise::{self, Elementwise};
use crate::graph::NodeId;
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::opaque;
use crate::shape::{Dim, Shape};

pub(super) const MCP: Entry = Entry {
    name: "mcp",
    signature: "mcp(a, b) or mcp(a, b, l)",
    doc: "sum of l*abs(a) - a.^2/(2*b) up to abs(a) = b*l, then b*l^2/2; l = 1 if left out",
    arguments: 2..=3,
    keys: &[],
    labels: None,
    build: |c, call| folded(c, call, elementwise::MCP, ["b", "l"]),
};

pub(super) const NORM0: Entry = Entry {
    name: "norm0",
    signature: "norm0(a)",
    doc: "number of entries that are not 0",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        whole(c, call, |c, a, axes, _| {
            let zero = c.graph.constant(0.0);
            let nonzero = c.graph.elementwise(elementwise::NOT_EQUAL, &[a.node, zero]);
            c.graph.sum(nonzero, axes)
        })
    },
};

pub(super) const NORMQ: Entry = Entry {
    name: "normq",
    signature: "normq(a, q) or normq(a, q, eps)",
    doc: "sum(abs(a).^q), with a prox for q = 1/2 and q = 2/3; with eps the smooth substitute sum((a.^2 + eps^2).^(q/2))",
    arguments: 2..=3,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let a = c.array(arguments[0])?;
        let q = c.scalar(arguments[1], "q")?;
        let powers = match arguments.get(2) {
            None => {
                let sizes = c.graph.elementwise(elementwise::ABS, &[a.node]);
                c.graph.elementwise(elementwise::POW, &[sizes, q.node])
            }
            Some(eps) => {
                let eps = c.scalar(eps, "eps")?;
                let g = &mut c.graph;
                let squares = g.elementwise(elementwise::SQUARE, &[a.node]);
                let small = g.elementwise(elementwise::SQUARE, &[eps.node]);
                let shifted = g.add(squares, small);
                let two = g.constant(2.0);
                let half = g.div(q.node, two);
                g.elementwise(elementwise::POW, &[shifted, half])
            }
        };
        let node = c.graph.sum(powers, own_axes(&a));
        Ok(number(node, &a))
    },
};

pub(super) const NUCLEAR: Entry = Entry {
    name: "nuclear",
    signature: "nuclear(Y)",
    doc: "sum of the singular values of a matrix",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let y = c.array(e)?;
        if y.shape.rank() != 2 {
            return c.fail(message::expected_matrix(e.span, "nuclear", &y.shape));
        }
        computed(c, call, &[y], &Shape::scalar(), |g, x| opaque::nuclear_of(g, x[0]))
    },
};

pub(super) const SLOPE: Entry = Entry {
    name: "slope",
    signature: "slope(a, c)",
    doc: "sorted norm: the largest abs(a) times the largest entry of c, and so on, added up",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let (a, order) = (sequence(c, arguments[0], "slope")?, sequence(c, arguments[1], "slope")?);
        if !c.same_shape(&a.shape, &order.shape)? {
            let spans = (arguments[0].span, arguments[1].span);
            let d = c.shape_mismatch(elementwise::MUL, &a, &order, spans);
            return c.fail(d);
        }
        computed(c, call, &[a, order], &Shape::scalar(), |g, x| {
            let sizes = g.elementwise(elementwise::ABS, &x[..1]);
            let (sizes, order) = (opaque::sorted_of(g, sizes), opaque::sorted_of(g, x[1]));
            let products = g.mul(order, sizes);
            g.sum_all(products)
        })
    },
};

pub(super) const TV1D: Entry = Entry {
    name: "tv1d",
    signature: "tv1d(a)",
    doc: "total variation of a sequence, sum(abs(a[i+1] - a[i]))",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let a = sequence(c, call.positional()[0], "tv1d")?;
        c.require_some(&a.shape, "tv1d", call.span)?;
        let (zero, one) = (Dim::constant(0), Dim::constant(1));
        let Some(steps) = a.shape.0[0].sub(&one) else { return c.fail(message::size_overflow(call.span)) };
        let axis = a.loops.len();
        let g = &mut c.graph;
        let (next, this) = (g.slice(a.node, axis, &one, 1, &steps), g.slice(a.node, axis, &zero, 1, &steps));
        let rises = g.sub(next, this);
        let sizes = g.elementwise(elementwise::ABS, &[rises]);
        let node = g.sum(sizes, own_axes(&a));
        Ok(number(node, &a))
    },
};

/// An argument that is a column.
fn sequence(c: &mut Checker<'_>, e: &Expr, function: &str) -> Checked<LoopArray> {
    let a = c.array(e)?;
    if a.shape.rank() == 1 { Ok(a) } else { c.fail(message::expected_column(e.span, function, &a.shape)) }
}

pub(super) const SCAD: Entry = Entry {
    name: "scad",
    signature: "scad(u, a) or scad(u, a, l)",
    doc: "sum of l*abs(u) up to abs(u) = l, its slope then falling to 0 at a*l, then l^2*(a + 1)/2; l = 1 if left out",
    arguments: 2..=3,
    keys: &[],
    labels: None,
    build: |c, call| folded(c, call, elementwise::SCAD, ["a", "l"]),
};

/// The sum over the entries of a penalty with two parameters, the second of which is 1 if left out.
fn folded(c: &mut Checker<'_>, call: &Call<'_>, penalty: Elementwise, names: [&str; 2]) -> Checked<Meaning> {
    let arguments = call.positional();
    let a = c.array(arguments[0])?;
    let first = c.scalar(arguments[1], names[0])?.node;
    let second: NodeId = match arguments.get(2) {
        Some(l) => c.scalar(l, names[1])?.node,
        None => c.graph.constant(1.0),
    };
    let each = c.graph.elementwise(penalty, &[a.node, first, second]);
    let node = c.graph.sum(each, own_axes(&a));
    Ok(number(node, &a))
}
