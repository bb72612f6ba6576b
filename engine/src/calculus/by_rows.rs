//! Functions that add up what the rows of a dataset contribute, and the same functions on a batch of the rows. A walk over
//! the graph proves for each node that it is free of the rows, that its slices along one axis belong to one row each, or
//! that it is linear in sums over the rows. Where that holds of the output, every sum over the rows may run over some of
//! them with weights: an estimate without bias, if the weights are right. What couples rows is refused with its place.

use std::collections::HashMap;
use std::sync::Arc;

use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::{ConvPart, Elem, Formal, Function, Graph, Node, NodeId, Op, Reduction};
use crate::shape::{Dim, Shape};

/// The inputs that say which rows a batch has, by their positions among the formals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchInputs {
    /// Zero-based positions of its rows; an index input of the length of a batch.
    pub rows: usize,
    /// Which entry of `weights` each of them has; an index input of the same length.
    pub places: usize,
    /// The weights: numbers that sums over the rows multiply each row by.
    pub weights: usize,
}

/// What keeps a function from being a sum over rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coupled {
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub why: &'static str,
}

/// How a node depends on the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not at all.
    Free,
    /// Slices along this axis belong to one row each.
    Rows(usize),
    /// It is linear in sums over all rows.
    Total,
}

type Placed = Result<(NodeId, Place), &'static str>;

const NOT_LINEAR: &str = "a sum over all rows is an operand of something that is not linear in it";
const NOT_A_SUM: &str = "this takes all rows together, and is not a sum";
const BACK: &str = "a sum over all rows goes back to the single rows";
const PAIRS: &str = "this has an entry for each pair of rows";
const SOME: &str = "this takes single rows by their positions";
const COUPLES: &str = "this couples rows";
const NONE: &str = "this does not depend on the rows";

/// The dimensions, counted by `rows`, that arrays of `f` have among those that are given: whose rows it depends on.
pub fn row_dims(f: &Function, rows: &[Dim]) -> Vec<usize> {
    let g = f.graph();
    let used = g.reachable(f.outputs());
    let is_used = |dim: &Dim| g.ids().any(|id| used[id.0 as usize] && g.shape(id).0.contains(dim));
    (0..rows.len()).filter(|i| is_used(&rows[*i])).collect()
}

/// The function on `size` of its `rows`: arrays that have an axis of that length are read at the positions of the batch.
/// `formals` are those of `f` and more, among them those of the batch. A sum over all rows becomes a weighted sum over
/// the rows of the batch; what has no rows stays as it is.
///
/// # Errors
/// What couples rows, so that the function is not a sum over them.
pub fn on_batch(
    f: &Function,
    rows: &Dim,
    size: usize,
    batch: BatchInputs,
    formals: &[Formal],
) -> Result<Function, Coupled> {
    let mut g = Graph::new();
    let [positions, places, weights] =
        [batch.rows, batch.places, batch.weights].map(|i| g.input(i, formals[i].shape.clone(), formals[i].elem));
    let weights = g.gather(weights, places, 0);
    let mut walk = Walk { source: f.graph(), g, rows, size: Dim::constant(size as i64), positions, weights };
    let used = f.graph().reachable(f.outputs());
    let mut moved: HashMap<NodeId, (NodeId, Place)> = HashMap::new();
    for id in f.graph().ids().filter(|id| used[id.0 as usize]) {
        let span = f.graph().span_of(id);
        walk.g.span = span;
        let args: Vec<(NodeId, Place)> = f.graph().args(id).iter().map(|a| moved[a]).collect();
        let placed = walk.place(f.graph().node(id), &args).map_err(|why| Coupled { span, why })?;
        if let Some(label) = f.graph().label_of(id) {
            walk.g.label(placed.0, label);
        }
        moved.insert(id, placed);
    }
    let mut outputs = Vec::new();
    for id in f.outputs() {
        let (node, place) = moved[id];
        if place != Place::Total {
            return Err(Coupled { span: f.graph().span_of(*id), why: NONE });
        }
        outputs.push(node);
    }
    Ok(Function::new(f.name.clone(), &walk.g, formals.to_vec(), &outputs))
}

struct Walk<'a> {
    source: &'a Graph,
    g: Graph,
    rows: &'a Dim,
    size: Dim,
    /// The positions of the rows of the batch, and their weights.
    positions: NodeId,
    weights: NodeId,
}

impl Walk<'_> {
    /// The shape with the rows of the batch in the place of all, and the axis where they are. A dimension may be several
    /// times the rows: then a row has that many entries of it, one after the other.
    fn shape(&self, shape: &Shape) -> Result<(Shape, Option<usize>), &'static str> {
        let (mut new, mut found) = (shape.clone(), None);
        for (axis, dim) in shape.0.iter().enumerate().filter(|(_, dim)| self.has_rows(dim)) {
            let each = dim.div(self.rows).filter(|each| !self.has_rows(each)).ok_or(COUPLES)?;
            new.0[axis] = each.mul(&self.size).ok_or(COUPLES)?;
            if found.replace(axis).is_some() {
                return Err(PAIRS);
            }
        }
        Ok((new, found))
    }

    fn has_rows(&self, dim: &Dim) -> bool {
        self.rows.symbols().any(|rows| dim.symbols().any(|s| s == rows))
    }

    /// The node on the batch.
    fn place(&mut self, node: &Node, args: &[(NodeId, Place)]) -> Placed {
        let (shape, axis) = self.shape(&node.shape)?;
        let nodes: Vec<NodeId> = args.iter().map(|a| a.0).collect();
        let free = args.iter().all(|a| a.1 == Place::Free);
        match &node.op {
            Op::Input(position) => return self.input(*position as usize, node, axis),
            Op::Iota if axis.is_some() => {
                let all = self.g.push(Op::Iota, Vec::new(), node.shape.clone());
                return self.at_positions(all, 0);
            }
            _ if free && axis.is_none() => {
                return Ok((self.g.push(node.op.clone(), nodes, node.shape.clone()), Place::Free));
            }
            _ => {}
        }
        let place = match &node.op {
            Op::Elementwise(f) => elementwise_place(*f, args, axis)?,
            Op::Reduce(how, axes) => return self.reduce(*how, *axes, args[0], shape, axis),
            Op::MatMul => return self.product(args, shape, axis),
            Op::Conv { part: ConvPart::Kernel, .. }
                if args == [(nodes[0], Place::Rows(0)), (nodes[1], Place::Rows(0))] =>
            {
                let weighed = self.weigh(nodes[0], 0);
                return Ok((self.g.push(node.op.clone(), vec![weighed, nodes[1]], shape), Place::Total));
            }
            Op::Conv { part, .. } => {
                let images = usize::from(*part == ConvPart::Image);
                let fits = args[images].1 == Place::Rows(0) && args[1 - images].1 == Place::Free;
                if fits && axis == Some(0) { Place::Rows(0) } else { return Err(COUPLES) }
            }
            Op::Pick(_) | Op::Put(_) => slices(args, axis, Some(0))?,
            Op::Map { body, mapped, .. } => self.map(body, mapped, args, axis)?,
            Op::Transpose(_) => moved_place(args[0].1, axis)?,
            Op::Broadcast(_) => match (args[0].1, axis) {
                (Place::Total, Some(_)) => return Err(BACK),
                (Place::Total, None) => Place::Total,
                (_, Some(axis)) => Place::Rows(axis),
                (_, None) => return Err(COUPLES),
            },
            Op::Reshape => self.reshape(self.source.shape(node.args[0]), &node.shape, args[0].1, axis)?,
            Op::Slice { axis: along, .. } | Op::Pad { axis: along, .. } | Op::Concat(along) => {
                along_axis(args, usize::from(*along), axis)?
            }
            Op::Gather(along) | Op::Scatter(along) => {
                if args[1].1 != Place::Free {
                    return Err(SOME);
                }
                along_axis(&args[..1], usize::from(*along), axis)?
            }
            Op::Prox(_) | Op::Input(_) | Op::Const(_) | Op::Size(_) | Op::Iota => return Err(COUPLES),
        };
        Ok((self.g.push(node.op.clone(), nodes, shape), place))
    }

    /// An array: read at the positions of the batch, if it has an axis of rows.
    fn input(&mut self, position: usize, node: &Node, axis: Option<usize>) -> Placed {
        let all = self.g.input(position, node.shape.clone(), node.elem);
        let Some(axis) = axis else { return Ok((all, Place::Free)) };
        if node.elem == Elem::Index {
            return Err(SOME);
        }
        self.at_positions(all, axis)
    }

    fn at_positions(&mut self, all: NodeId, axis: usize) -> Placed {
        if self.g.shape(all).0[axis] != *self.rows {
            return Err(COUPLES);
        }
        Ok((self.g.gather(all, self.positions, axis), Place::Rows(axis)))
    }

    /// A node whose slices along an axis are multiplied by the weights of their rows.
    fn weigh(&mut self, node: NodeId, axis: usize) -> NodeId {
        let shape = self.g.shape(node).clone();
        let mut weights = self.weights;
        if let Some(each) = shape.0[axis].div(&self.size).filter(|each| !each.is_one()) {
            let both = Shape(vec![self.size.clone(), each]);
            weights = self.g.broadcast(weights, 1, &both);
            weights = self.g.reshape(weights, &Shape(vec![shape.0[axis].clone()]));
        }
        let weights = self.g.broadcast(weights, 1 << axis, &shape);
        self.g.mul(node, weights)
    }

    fn reduce(
        &mut self,
        how: Reduction,
        axes: u8,
        (node, place): (NodeId, Place),
        shape: Shape,
        axis: Option<usize>,
    ) -> Placed {
        let sums = how == Reduction::Sum;
        let (node, place) = match (place, axis) {
            (Place::Rows(_), Some(axis)) => (node, Place::Rows(axis)),
            (Place::Rows(along), None) if sums => (self.weigh(node, along), Place::Total),
            (Place::Rows(_), None) => return Err(NOT_A_SUM),
            (_, None) if sums => (node, Place::Total),
            _ => return Err(NOT_LINEAR),
        };
        Ok((self.g.push(Op::Reduce(how, axes), vec![node], shape), place))
    }

    fn product(&mut self, args: &[(NodeId, Place)], shape: Shape, axis: Option<usize>) -> Placed {
        let (mut left, right) = (args[0].0, args[1].0);
        let place = match (args[0].1, args[1].1, axis) {
            (Place::Rows(0), Place::Free, Some(0)) => Place::Rows(0),
            (Place::Free, Place::Rows(1), Some(1)) => Place::Rows(1),
            (Place::Rows(1), Place::Rows(0), None) => {
                left = self.weigh(left, 1);
                Place::Total
            }
            (Place::Total, Place::Free, None) | (Place::Free, Place::Total, None) => Place::Total,
            (Place::Total, Place::Total, _) => return Err(NOT_LINEAR),
            (Place::Total, ..) | (_, Place::Total, _) => return Err(BACK),
            _ => return Err(COUPLES),
        };
        Ok((self.g.push(Op::MatMul, vec![left, right], shape), place))
    }

    /// Entries of a row stay together where as many entries lie before the rows as did before.
    fn reshape(&self, from: &Shape, to: &Shape, place: Place, axis: Option<usize>) -> Result<Place, &'static str> {
        let before = |shape: &Shape, axis: usize| Shape(shape.0[..axis].to_vec()).count();
        match (place, axis) {
            (Place::Rows(old), Some(new)) if before(from, old) == before(to, new) => Ok(Place::Rows(new)),
            (Place::Total, None) => Ok(Place::Total),
            _ => Err(COUPLES),
        }
    }

    fn map(
        &self,
        body: &Arc<Function>,
        mapped: &[bool],
        args: &[(NodeId, Place)],
        axis: Option<usize>,
    ) -> Result<Place, &'static str> {
        let fits = args.iter().zip(mapped).all(|(a, m)| a.1 == if *m { Place::Rows(0) } else { Place::Free });
        let g = body.graph();
        let inside = g.ids().any(|id| g.shape(id).0.iter().any(|dim| self.has_rows(dim)));
        if fits && !inside && axis == Some(0) { Ok(Place::Rows(0)) } else { Err(COUPLES) }
    }
}

/// All operands have the shape of the result, so that they have their rows on the same axis.
fn elementwise_place(
    f: elementwise::Elementwise,
    args: &[(NodeId, Place)],
    axis: Option<usize>,
) -> Result<Place, &'static str> {
    if axis.is_some() {
        return slices(args, axis, axis);
    }
    let totals = args.iter().filter(|a| a.1 == Place::Total).count();
    let linear = match f {
        _ if f == elementwise::ADD || f == elementwise::SUB || f == elementwise::NEG => true,
        _ if f == elementwise::MUL => totals == 1,
        _ if f == elementwise::DIV => totals == 1 && args[1].1 == Place::Free,
        _ => false,
    };
    if linear { Ok(Place::Total) } else { Err(NOT_LINEAR) }
}

/// Operands that all have their rows on the axis where the result has them.
fn slices(args: &[(NodeId, Place)], axis: Option<usize>, wanted: Option<usize>) -> Result<Place, &'static str> {
    match axis {
        Some(axis) if Some(axis) == wanted && args.iter().all(|a| a.1 == Place::Rows(axis)) => Ok(Place::Rows(axis)),
        _ => Err(COUPLES),
    }
}

/// One operand whose entries move.
fn moved_place(place: Place, axis: Option<usize>) -> Result<Place, &'static str> {
    match (place, axis) {
        (Place::Rows(_), Some(axis)) => Ok(Place::Rows(axis)),
        (Place::Total, None) => Ok(Place::Total),
        _ => Err(COUPLES),
    }
}

/// Operands of which entries along one axis are taken or put together: not along that of the rows.
fn along_axis(args: &[(NodeId, Place)], along: usize, axis: Option<usize>) -> Result<Place, &'static str> {
    match axis {
        Some(axis) if axis == along => Err(SOME),
        Some(_) => slices(args, axis, axis),
        None if args.iter().any(|a| matches!(a.1, Place::Rows(_))) => Err(SOME),
        None => Ok(Place::Total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::verify::verify;
    use crate::oracle::{self, Tensor, Value};
    use crate::shape::Sizes;

    const ROWS: usize = 7;
    const WIDTH: usize = 3;

    /// Inputs: `u[rows, 3]`, `w[3]`, `x[rows]`, and those of a batch of `size` rows.
    fn formals(size: usize) -> Vec<Formal> {
        let (rows, size, width) = (Dim::symbol("train"), Dim::constant(size as i64), Dim::constant(WIDTH as i64));
        let formal = |name: &str, shape: Vec<Dim>, elem| Formal { name: name.into(), shape: Shape(shape), elem };
        vec![
            formal("u", vec![rows.clone(), width.clone()], Elem::Real),
            formal("w", vec![width], Elem::Real),
            formal("x", vec![rows], Elem::Real),
            formal("batch rows", vec![size.clone()], Elem::Index),
            formal("batch places", vec![size], Elem::Index),
            formal("batch weights", vec![Dim::constant(2)], Elem::Real),
        ]
    }

    const INPUTS: BatchInputs = BatchInputs { rows: 3, places: 4, weights: 5 };

    fn function(build: impl Fn(&mut Graph, [NodeId; 3]) -> NodeId) -> Function {
        let mut g = Graph::new();
        let formals = formals(1)[..3].to_vec();
        let nodes = [0, 1, 2].map(|i| g.input(i, formals[i].shape.clone(), Elem::Real));
        let output = build(&mut g, nodes);
        Function::new("f", &g, formals, &[output])
    }

    fn residuals(g: &mut Graph, [u, w, _]: [NodeId; 3]) -> NodeId {
        let column = g.reshape(w, &Shape(vec![Dim::constant(WIDTH as i64), Dim::constant(1)]));
        let product = g.matmul(u, column);
        g.reshape(product, &Shape(vec![Dim::symbol("train")]))
    }

    fn values() -> Vec<Value<f64>> {
        let numbers = |n: usize, scale: f64| (0..n).map(|i| (scale * (i as f64 + 1.0)).sin()).collect::<Vec<f64>>();
        vec![
            Value::Real(Tensor::new(vec![ROWS, WIDTH], numbers(ROWS * WIDTH, 1.3))),
            Value::Real(Tensor::new(vec![WIDTH], numbers(WIDTH, 0.7))),
            Value::Real(Tensor::new(vec![ROWS], numbers(ROWS, 2.1))),
        ]
    }

    /// The value, and the mean of the values on consecutive batches of rows in some order.
    fn both(f: &Function, size: usize) -> (f64, f64) {
        let mut sizes = Sizes::new();
        sizes.set("train", ROWS as i64);
        let whole = oracle::evaluate::<f64>(f, &sizes, &values())[0].values[0];
        let batch = on_batch(f, &Dim::symbol("train"), size, INPUTS, &formals(size)).unwrap();
        verify(&batch).unwrap();
        let order = [4, 0, 6, 2, 5, 1, 3];
        let batches = order.chunks(size).map(|piece| {
            let place = |i: usize| usize::from(i < piece.len());
            let mut inputs = values();
            inputs.push(Value::Index((0..size).map(|i| piece[i.min(piece.len() - 1)]).collect()));
            inputs.push(Value::Index((0..size).map(place).collect()));
            inputs.push(Value::Real(Tensor::new(vec![2], vec![0.0, ROWS.div_ceil(size) as f64])));
            oracle::evaluate::<f64>(&batch, &sizes, &inputs)[0].values[0]
        });
        (whole, batches.sum::<f64>() / ROWS.div_ceil(size) as f64)
    }

    #[test]
    fn the_mean_over_the_batches_of_an_epoch_is_the_value_on_all_rows() {
        let functions = [
            // mean(exp(u*w) .* x) + normsq(w)
            function(|g, [u, w, x]| {
                let r = residuals(g, [u, w, x]);
                let e = g.elementwise(elementwise::EXP, &[r]);
                let e = g.mul(e, x);
                let total = g.sum_all(e);
                let count = g.size(&Dim::symbol("train"));
                let mean = g.div(total, count);
                let square = g.mul(w, w);
                let ridge = g.sum_all(square);
                g.add(mean, ridge)
            }),
            // x'*(u*w), a sum over rows within a product, and rows with entries that lie one after the other
            function(|g, [u, w, x]| {
                let r = residuals(g, [u, w, x]);
                let (rows, one) = (Dim::symbol("train"), Dim::constant(1));
                let left = g.reshape(x, &Shape(vec![one.clone(), rows.clone()]));
                let right = g.reshape(r, &Shape(vec![rows.clone(), one]));
                let inner = g.matmul(left, right);
                let inner = g.reshape(inner, &Shape::scalar());
                let flat = rows.mul(&Dim::constant(WIDTH as i64)).unwrap();
                let flat = g.reshape(u, &Shape(vec![flat]));
                let squares = g.elementwise(elementwise::SQUARE, &[flat]);
                let squares = g.sum_all(squares);
                g.sub(squares, inner)
            }),
            // rows counted by their positions, and the largest entry of each
            function(|g, [u, _, x]| {
                let largest = g.reduce(Reduction::Max, u, 0b10);
                let i = g.iota(&Dim::symbol("train"));
                let weighed = g.mul(i, x);
                let both = g.mul(weighed, largest);
                g.sum_all(both)
            }),
        ];
        for f in &functions {
            for size in 1..=ROWS {
                let (whole, mean) = both(f, size);
                assert!((whole - mean).abs() < 1e-13 * (1.0 + whole.abs()), "{size}: {whole} {mean}");
            }
        }
    }

    #[test]
    fn what_couples_rows_is_refused_with_the_reason() {
        let why = |build: &dyn Fn(&mut Graph, [NodeId; 3]) -> NodeId| {
            on_batch(&function(build), &Dim::symbol("train"), 2, INPUTS, &formals(2)).unwrap_err().why
        };
        let total = |g: &mut Graph, nodes: [NodeId; 3]| {
            let r = residuals(g, nodes);
            g.sum_all(r)
        };
        assert_eq!(
            why(&|g, nodes| {
                let t = total(g, nodes);
                g.elementwise(elementwise::LOG, &[t])
            }),
            NOT_LINEAR
        );
        assert_eq!(
            why(&|g, nodes| {
                let t = total(g, nodes);
                g.mul(t, t)
            }),
            NOT_LINEAR
        );
        assert_eq!(why(&|g, [_, _, x]| g.norm2(x)), NOT_A_SUM);
        assert_eq!(why(&|g, [_, w, _]| g.sum_all(w)), NONE);
        let back = |g: &mut Graph, nodes: [NodeId; 3]| {
            let r = residuals(g, nodes);
            let t = g.sum_all(r);
            let centred = g.sub(r, t);
            let squares = g.mul(centred, centred);
            g.sum_all(squares)
        };
        assert_eq!(why(&back), BACK);
        let first = |g: &mut Graph, [_, _, x]: [NodeId; 3]| {
            let first = g.slice(x, 0, &Dim::constant(0), 1, &Dim::constant(2));
            g.sum_all(first)
        };
        assert_eq!(why(&first), SOME);
        let gram = |g: &mut Graph, [u, _, _]: [NodeId; 3]| {
            let t = g.transpose(u);
            let pairs = g.matmul(u, t);
            g.sum_all(pairs)
        };
        assert_eq!(why(&gram), PAIRS);
    }
}
