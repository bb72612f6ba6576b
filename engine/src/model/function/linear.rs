//! Linear algebra beyond the product: sizes, index lists, diagonals, standardization.

use super::Entry;
use crate::elementwise;
use crate::graph::{NodeId, Reduction};
use crate::model::checker::Checker;
use crate::model::meaning::{IndexBlocks, LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{About, Claim, Need};
use crate::shape::{Dim, Shape, SizeError};

pub(super) const ROWS: Entry = Entry {
    name: "rows",
    signature: "rows(a)",
    doc: "length of the first axis, a size",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let dim = match c.expression(e)? {
            Meaning::Range(r) => r.length,
            Meaning::Indices(i) => i.length,
            Meaning::Blocks(b) => b.count,
            Meaning::Episodes(e) => c.rows.tables.episodes[e].tasks(),
            Meaning::Dataset(view) => c.rows_of(view),
            value => {
                let a = c.as_array(value, e.span)?;
                a.shape.0.first().cloned().unwrap_or_else(|| Dim::constant(1))
            }
        };
        Ok(Meaning::Array(c.dim_array(dim)))
    },
};

pub(super) const COLS: Entry = Entry {
    name: "cols",
    signature: "cols(A)",
    doc: "length of the second axis, a size",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let a = c.array(e)?;
        let dim = a.shape.0.get(1).cloned().unwrap_or_else(|| Dim::constant(1));
        Ok(Meaning::Array(c.dim_array(dim)))
    },
};

pub(super) const BLOCKS: Entry = Entry {
    name: "blocks",
    signature: "blocks(r, J)",
    doc: "the list of J consecutive index arrays of equal length that make up the range r",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let Meaning::Range(r) = c.expression(arguments[0])? else {
            return c.fail(message::blocks_of_range(arguments[0].span));
        };
        if r.stride != 1 {
            return c.fail(message::blocks_of_range(arguments[0].span));
        }
        let count = c.size(arguments[1])?;
        c.require(Claim::Some { length: count.clone(), needs: Need::Blocks }, arguments[1].span)?;
        let Some(width) = r.length.div(&count) else { return c.fail(message::size_overflow(call.span)) };
        if let Err(why) = width.size(&c.sizes)
            && !matches!(why, SizeError::Unknown(_))
        {
            return c.fail(message::uneven_blocks(call.span, &r.length, &count, &why));
        }
        c.require(Claim::Size(width.clone()), call.span)?;
        Ok(Meaning::Blocks(IndexBlocks { start: r.start, count, width }))
    },
};

pub(super) const DIAG: Entry = Entry {
    name: "diag",
    signature: "diag(v) or diag(M)",
    doc: "the matrix with v on its diagonal; the diagonal of a square matrix M",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let a = c.array(e)?;
        if !a.loops.is_empty() {
            return c.fail(message::inside_loop(call.span, "diag"));
        }
        match a.shape.0.as_slice() {
            [n] => {
                let square = Shape(vec![n.clone(), n.clone()]);
                let eye = identity(c, n);
                let spread = c.graph.broadcast(a.node, 0b01, &square);
                let zero = c.graph.constant(0.0);
                let node = c.graph.elementwise(elementwise::SELECT, &[eye, spread, zero]);
                Ok(Meaning::Array(LoopArray::real(node, Vec::new(), square)))
            }
            [m, n] => {
                if !c.same_dim(m, n)? {
                    return c.fail(message::not_square(e.span, &a.shape));
                }
                let node = diagonal(c, a.node, n);
                Ok(Meaning::Array(LoopArray::real(node, Vec::new(), Shape(vec![n.clone()]))))
            }
            _ => c.fail(message::not_square(e.span, &a.shape)),
        }
    },
};

pub(super) const TRACE: Entry = Entry {
    name: "trace",
    signature: "trace(M)",
    doc: "sum of the diagonal of a square matrix",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let a = c.array(e)?;
        let [m, n] = a.shape.0.as_slice() else { return c.fail(message::not_square(e.span, &a.shape)) };
        if !a.loops.is_empty() {
            return c.fail(message::inside_loop(call.span, "trace"));
        }
        if !c.same_dim(m, n)? {
            return c.fail(message::not_square(e.span, &a.shape));
        }
        let entries = diagonal(c, a.node, n);
        let node = c.graph.sum_all(entries);
        Ok(Meaning::Array(LoopArray::real(node, Vec::new(), Shape::scalar())))
    },
};

pub(super) const STANDARDIZE: Entry = Entry {
    name: "standardize",
    signature: "standardize(A, rows = tr)",
    doc: "each column minus its mean, divided by its population standard deviation, both over the given rows; of data a column that is constant there, up to rounding, becomes 0 (W0516)",
    arguments: 1..=1,
    keys: &["rows"],
    labels: None,
    build: |c, call| {
        let e = call.positional()[0];
        let a = c.array(e)?;
        let [rows, columns] = a.shape.0.clone().try_into().unwrap_or_else(|_| [Dim::constant(0), Dim::constant(0)]);
        if a.shape.rank() != 2 || !a.loops.is_empty() {
            return c.fail(message::expected_matrix(e.span, "standardize", &a.shape));
        }
        let (chosen, count) = match call.named("rows") {
            None => (a.node, rows.clone()),
            Some(which) => match c.expression(which)? {
                Meaning::Indices(i) => {
                    c.require_within(&Dim::constant(1), &i.extent, &rows, which.span)?;
                    (c.graph.gather(a.node, i.index, 0), i.length)
                }
                Meaning::Range(r) => {
                    let mut node = a.node;
                    c.slice_range(&mut node, 0, &r, &rows, which.span)?;
                    (node, r.length)
                }
                other => return c.fail(message::bad_subscript(which.span, &other.describe())),
            },
        };
        c.require_some(&Shape(vec![count.clone()]), "standardize", call.span)?;
        let column = Shape(vec![columns.clone()]);
        let g = &mut c.graph;
        let n = g.size(&count);
        let total = g.sum(chosen, 0b01);
        let n_column = g.promote(n, &column);
        let mean = g.div(total, n_column);
        let mean_chosen = g.broadcast(mean, 0b10, &Shape(vec![count, columns.clone()]));
        let centered = g.sub(chosen, mean_chosen);
        let squares = g.elementwise(elementwise::SQUARE, &[centered]);
        let variance = g.sum(squares, 0b01);
        let variance = g.div(variance, n_column);
        let deviation = g.elementwise(elementwise::SQRT, &[variance]);
        let full = Shape(vec![rows, columns]);
        let mean_all = g.broadcast(mean, 0b10, &full);
        let deviation_all = g.broadcast(deviation, 0b10, &full);
        let shifted = g.sub(a.node, mean_all);
        let node = g.div(shifted, deviation_all);
        if c.depends_on_variables(node) {
            return Ok(Meaning::Array(LoopArray::real(node, Vec::new(), full)));
        }
        let constant = constant_columns(c, chosen);
        c.doubt(About::ConstantColumns, constant, e.span);
        let constant = c.graph.broadcast(constant, 0b10, &full);
        let zero = c.graph.constant(0.0);
        let node = c.graph.elementwise(elementwise::SELECT, &[constant, zero, node]);
        Ok(Meaning::Array(LoopArray::real(node, Vec::new(), full)))
    },
};

/// 1 for each column of `[n, m]` whose entries v differ by rounding only, by `n*eps*max|v|` at most: its deviation is that
/// of the sums, 0 or not. The largest difference says so, and not the deviation: it is exact in every precision.
fn constant_columns(c: &mut Checker<'_>, a: NodeId) -> NodeId {
    let g = &mut c.graph;
    let rows = g.shape(a).0[0].clone();
    let greatest = g.reduce(Reduction::Max, a, 0b01);
    let negative = g.neg(a);
    let least = g.reduce(Reduction::Max, negative, 0b01);
    let difference = g.add(greatest, least);
    let size = g.elementwise(elementwise::MAX, &[greatest, least]);
    let count = g.size(&rows);
    let rounding = g.scale(f64::EPSILON, count);
    let rounding = g.elementwise(elementwise::MUL, &[rounding, size]);
    // strict, so that a column that is not finite stays so
    let little = g.elementwise(elementwise::LESS, &[difference, rounding]);
    let zero = g.constant(0.0);
    let nothing = g.elementwise(elementwise::EQUAL, &[difference, zero]);
    g.elementwise(elementwise::OR, &[little, nothing])
}

/// 1 on the diagonal, 0 elsewhere.
pub(super) fn identity(c: &mut Checker<'_>, n: &Dim) -> NodeId {
    let square = Shape(vec![n.clone(), n.clone()]);
    let iota = c.graph.iota(n);
    let row = c.graph.broadcast(iota, 0b01, &square);
    let column = c.graph.broadcast(iota, 0b10, &square);
    c.graph.elementwise(elementwise::EQUAL, &[row, column])
}

/// The diagonal of `[n, n]`; off-diagonal entries are not looked at, so they may be anything.
fn diagonal(c: &mut Checker<'_>, m: NodeId, n: &Dim) -> NodeId {
    let eye = identity(c, n);
    let zero = c.graph.constant(0.0);
    let kept = c.graph.elementwise(elementwise::SELECT, &[eye, m, zero]);
    c.graph.sum(kept, 0b10)
}
