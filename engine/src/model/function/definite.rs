//! Functions of a symmetric positive definite matrix. A matrix that is not symmetric is read as `(S + S')/2`; one that is not
//! positive definite gives NaN.

use std::sync::Arc;

use blo_grammar::ast::Expr;

use super::Entry;
use super::call::Call;
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::opaque;
use crate::shape::{Dim, Shape};

pub(super) const INV: Entry = Entry {
    name: "inv",
    signature: "inv(S)",
    doc: "the inverse of a symmetric positive definite matrix; `solve(S, b)` is cheaper than `inv(S)*b`",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let s = square(c, call.positional()[0])?;
        let shape = s.shape.clone();
        computed(c, call, &[s], &shape, |g, x| opaque::inverse_of(g, x[0]))
    },
};

pub(super) const LOGDET: Entry = Entry {
    name: "logdet",
    signature: "logdet(S)",
    doc: "logarithm of the determinant of a symmetric positive definite matrix",
    arguments: 1..=1,
    keys: &[],
    labels: None,
    build: |c, call| {
        let s = square(c, call.positional()[0])?;
        computed(c, call, &[s], &Shape::scalar(), |g, x| opaque::logdet_of(g, x[0]))
    },
};

pub(super) const SOLVE: Entry = Entry {
    name: "solve",
    signature: "solve(S, b)",
    doc: "the solution u of `S*u = b` for a symmetric positive definite matrix; b is a column or a matrix of columns",
    arguments: 2..=2,
    keys: &[],
    labels: None,
    build: |c, call| {
        let arguments = call.positional();
        let s = square(c, arguments[0])?;
        let b = c.array(arguments[1])?;
        let fits = match b.shape.0.as_slice() {
            [n] | [n, _] => c.same_dim(&s.shape.0[0], n)?,
            _ => false,
        };
        if !fits {
            let (matrix, right) = (c.shape_text(&s.shape), c.shape_text(&b.shape));
            return c.fail(message::right_side(arguments[1].span, &right, arguments[0].span, &matrix));
        }
        let shape = b.shape.clone();
        let columns = shape.0.get(1).cloned().unwrap_or_else(|| Dim::constant(1));
        let matrix = Shape(vec![shape.0[0].clone(), columns]);
        let own = shape.clone();
        computed(c, call, &[s, b], &shape, move |g, x| {
            let right = g.reshape(x[1], &matrix);
            let solution = opaque::solution_of(g, x[0], right);
            g.reshape(solution, &own)
        })
    },
};

fn square(c: &mut Checker<'_>, e: &Expr) -> Checked<LoopArray> {
    let a = c.array(e)?;
    let is_square = match a.shape.0.as_slice() {
        [m, n] => c.same_dim(m, n)?,
        _ => false,
    };
    if is_square { Ok(a) } else { c.fail(message::square_needed(e.span, &a.shape)) }
}

/// A formula of arrays; where these vary with loops, one per step.
pub(super) fn computed(
    c: &mut Checker<'_>,
    call: &Call<'_>,
    operands: &[LoopArray],
    shape: &Shape,
    formula: impl Fn(&mut Graph, &[NodeId]) -> NodeId,
) -> Checked<Meaning> {
    let loops = operands.iter().fold(Vec::new(), |l, v| union(&l, &v.loops));
    if loops.is_empty() {
        let nodes: Vec<NodeId> = operands.iter().map(|v| v.node).collect();
        let node = formula(&mut c.graph, &nodes);
        return Ok(Meaning::Array(LoopArray::real(node, loops, shape.clone())));
    }
    let lengths: Vec<Dim> = loops.iter().map(|l| c.loops[*l].length.clone()).collect();
    let steps = lengths.iter().try_fold(Dim::constant(1), |count, l| count.mul(l));
    let Some(steps) = steps else { return c.fail(message::size_overflow(call.span)) };
    let (mut g, mut formals, mut args) = (Graph::new(), Vec::new(), Vec::new());
    for v in operands {
        formals.push(Formal { name: "operand".into(), shape: v.shape.clone(), elem: Elem::Real });
        if v.loops.is_empty() {
            args.push(v.node);
            continue;
        }
        let mut stacked = vec![steps.clone()];
        stacked.extend(v.shape.0.iter().cloned());
        let all = c.align(v, &loops, &v.shape, call.span)?;
        args.push(c.graph.reshape(all, &Shape(stacked)));
    }
    let inputs: Vec<NodeId> =
        formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), Elem::Real)).collect();
    let out = formula(&mut g, &inputs);
    let body = Arc::new(Function::new(call.function.text.as_str(), &g, formals, &[out]));
    let mapped: Vec<bool> = operands.iter().map(|v| !v.loops.is_empty()).collect();
    let node = c.graph.map(&body, &mapped, 0, &args);
    let mut full = lengths;
    full.extend(shape.0.iter().cloned());
    let node = c.graph.reshape(node, &Shape(full));
    Ok(Meaning::Array(LoopArray::real(node, loops, shape.clone())))
}
