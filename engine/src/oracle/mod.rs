//! An interpreter of a [`Function`] over any number type: the independent path against which programs and derivatives
//! are tested. It knows no derivative rule of `diff`; dual numbers run through the same arithmetic. Written to be
//! plainly right, not fast: an array per node, no fusion.

mod cost;
mod reduction;
mod tensor;
mod windows;

pub use cost::{bytes, operations};
use num_dual::{Dual64, HyperDual64};
use reduction::reduce;
use tensor::{MultiIndex, kept, moved, offset, positions};
pub use tensor::{Tensor, Value};
use windows::{convolution, pick, put};

use crate::elementwise::{Entry, Number};
use crate::graph::{Function, Graph, NodeId, Op};
use crate::opaque::KernelEntry;
use crate::shape::{Shape, Sizes};

/// A number type that every operation of a graph comes in.
pub trait OracleNumber: Number {
    /// The result of an opaque operation.
    fn opaque(entry: &KernelEntry, out: &mut [Self], operands: &[&[Self]]);
}

impl OracleNumber for f64 {
    fn opaque(entry: &KernelEntry, out: &mut [f64], operands: &[&[f64]]) {
        (entry.apply_f64)(out, operands);
    }
}

impl OracleNumber for Dual64 {
    fn opaque(entry: &KernelEntry, out: &mut [Dual64], operands: &[&[Dual64]]) {
        (entry.dual)(out, operands);
    }
}

impl OracleNumber for HyperDual64 {
    fn opaque(entry: &KernelEntry, out: &mut [HyperDual64], operands: &[&[HyperDual64]]) {
        (entry.hyper)(out, operands);
    }
}

/// The outputs of a function.
///
/// # Panics
/// When an input does not fit its formal, or a size has no usable value: the checker has reported both.
pub fn evaluate<D: OracleNumber>(f: &Function, sizes: &Sizes, inputs: &[Value<D>]) -> Vec<Tensor<D>> {
    assert_eq!(inputs.len(), f.inputs.len(), "one input per formal of {}", f.name);
    let g = f.graph();
    let used = g.reachable(f.outputs());
    let mut values: Vec<Option<Value<D>>> = vec![None; g.len()];
    // Inputs are read in place: the data of a problem may be most of its memory.
    fn find<'v, D>(f: &Function, values: &'v [Option<Value<D>>], inputs: &'v [Value<D>], id: NodeId) -> &'v Value<D> {
        match f.input_position(id) {
            Some(i) => &inputs[i],
            None => values[id.0 as usize].as_ref().expect("operands come first"),
        }
    }
    for id in g.ids().filter(|id| used[id.0 as usize]) {
        if let Some(i) = f.input_position(id) {
            if let Value::Real(t) = &inputs[i] {
                let formal = &f.inputs[i];
                assert_eq!(t.shape, numeric(&formal.shape, sizes), "shape of {} of {}", formal.name, f.name);
            }
            continue;
        }
        let args: Vec<&Value<D>> = g.args(id).iter().map(|a| find(f, &values, inputs, *a)).collect();
        values[id.0 as usize] = Some(Value::Real(compute(g, id, sizes, &args)));
    }
    f.outputs().iter().map(|id| find(f, &values, inputs, *id).real().clone()).collect()
}

/// The outputs and their derivatives along a direction: one array, or none for zero, per input.
pub fn directional(
    f: &Function,
    sizes: &Sizes,
    inputs: &[Value<f64>],
    direction: &[Option<Vec<f64>>],
) -> (Vec<Tensor<f64>>, Vec<Tensor<f64>>) {
    let lift = |k: usize, i: usize, v: f64| Dual64::new(v, at(direction, k, i));
    let outputs = evaluate(f, sizes, &lifted(f, inputs, lift));
    (outputs.iter().map(|o| o.map(|d| d.re)).collect(), outputs.iter().map(|o| o.map(|d| d.eps)).collect())
}

/// Per output the second derivative along two directions, `d1' H d2` elementwise.
pub fn second(
    f: &Function,
    sizes: &Sizes,
    inputs: &[Value<f64>],
    first: &[Option<Vec<f64>>],
    then: &[Option<Vec<f64>>],
) -> Vec<Tensor<f64>> {
    let lift = |k: usize, i: usize, v: f64| HyperDual64::new(v, at(first, k, i), at(then, k, i), 0.0);
    evaluate(f, sizes, &lifted(f, inputs, lift)).iter().map(|o| o.map(|d| d.eps1eps2)).collect()
}

fn at(direction: &[Option<Vec<f64>>], input: usize, element: usize) -> f64 {
    direction[input].as_ref().map_or(0.0, |d| d[element])
}

/// The inputs in another number type. Those that the function does not use stay empty: they may be a whole data set.
fn lifted<D: Copy>(f: &Function, inputs: &[Value<f64>], lift: impl Fn(usize, usize, f64) -> D) -> Vec<Value<D>> {
    let used = f.graph().reachable(f.outputs());
    let each = |(k, input): (usize, &Value<f64>)| match input {
        _ if !used[f.input(k).0 as usize] => Value::Index(Vec::new()),
        Value::Index(index) => Value::Index(index.clone()),
        Value::Real(t) => {
            let values = t.values.iter().enumerate().map(|(i, v)| lift(k, i, *v)).collect();
            Value::Real(Tensor::new(t.shape.clone(), values))
        }
    };
    inputs.iter().enumerate().map(each).collect()
}

fn compute<D: OracleNumber>(g: &Graph, id: NodeId, sizes: &Sizes, args: &[&Value<D>]) -> Tensor<D> {
    let node = g.node(id);
    let shape = numeric(&node.shape, sizes);
    match &node.op {
        Op::Input(_) => unreachable!("inputs are given"),
        Op::Const(bits) => Tensor::scalar(D::number(f64::from_bits(*bits))),
        Op::Size(dim) => {
            let value = dim.value(sizes).expect("sizes are known when a function runs");
            Tensor::scalar(D::number(*value.numer() as f64 / *value.denom() as f64))
        }
        Op::Iota => {
            let values = (0..shape[0]).map(|i| D::number(i as f64)).collect();
            Tensor { shape, values }
        }
        Op::Elementwise(f) => elementwise(f.entry(), args, shape),
        Op::MatMul => matmul(args[0].real(), args[1].real()),
        Op::Reduce(how, axes) => reduce(*how, *axes, args[0].real(), shape),
        Op::Conv { part, stride, padding } => {
            convolution(*part, (*stride as usize, *padding as usize), [args[0].real(), args[1].real()], shape)
        }
        Op::Pick(windows) => pick(*windows, args[0].real(), args[1].real(), shape),
        Op::Put(windows) => put(*windows, args[0].real(), args[1].real(), shape),
        Op::Prox(kernel) => {
            let operands: Vec<&[D]> = args.iter().map(|a| a.real().values.as_slice()).collect();
            let mut out = Tensor::filled(shape, D::zero());
            D::opaque(kernel.entry(), &mut out.values, &operands);
            out
        }
        Op::Map { body, mapped, output } => {
            let body = body.select(&[*output as usize]);
            let count = shape[0];
            let mut values = Vec::new();
            for i in 0..count {
                let each = args.iter().zip(mapped);
                let inputs: Vec<Value<D>> =
                    each.map(|(a, m)| if *m { a.slice(i, count) } else { (*a).clone() }).collect();
                values.append(&mut evaluate(&body, sizes, &inputs)[0].values);
            }
            Tensor::new(shape, values)
        }
        moves => arrange(moves, shape, sizes, args),
    }
}

/// The operations that only move, repeat, leave out or add up elements.
fn arrange<D: OracleNumber>(op: &Op, shape: Vec<usize>, sizes: &Sizes, args: &[&Value<D>]) -> Tensor<D> {
    match op {
        Op::Transpose(perm) => args[0].real().arranged(shape, |p| {
            let mut source = MultiIndex::of(p);
            perm.iter().zip(p).for_each(|(axis, i)| source.axes[*axis as usize] = *i);
            source
        }),
        Op::Broadcast(axes) => args[0].real().arranged(shape, |p| kept(p, *axes)),
        Op::Reshape => Tensor::new(shape, args[0].real().values.clone()),
        Op::Slice { axis, start, step } => {
            let start = start.place(shape[*axis as usize], sizes).expect("a slice starts at a known place");
            args[0].real().arranged(shape, |p| moved(p, *axis, |i| start + i * *step as usize))
        }
        Op::Pad { axis, start, step } => {
            let few = args[0].real().shape[*axis as usize];
            let start = start.place(few, sizes).expect("padding starts at a known place");
            spread(args[0].real(), shape, |p| moved(p, *axis, |i| start + i * *step as usize), |o, v| *o = v)
        }
        Op::Concat(axis) => concat(*axis, args, shape),
        Op::Gather(axis) => {
            let index = args[1].index();
            args[0].real().arranged(shape, |p| moved(p, *axis, |i| index[i]))
        }
        Op::Scatter(axis) => {
            let index = args[1].index();
            spread(args[0].real(), shape, |p| moved(p, *axis, |i| index[i]), |o, v| *o += v)
        }
        _ => unreachable!("`compute` knows the operations that compute"),
    }
}

fn elementwise<D: OracleNumber>(entry: &Entry, args: &[&Value<D>], shape: Vec<usize>) -> Tensor<D> {
    let operands: Vec<&Tensor<D>> = args.iter().map(|a| a.real()).collect();
    let mut x = Vec::with_capacity(operands.len());
    let element = |i| {
        x.clear();
        x.extend(operands.iter().map(|t: &&Tensor<D>| t.values[i]));
        D::elementwise(entry, &x)
    };
    let values = (0..operands[0].values.len()).map(element).collect();
    Tensor { shape, values }
}

fn matmul<D: OracleNumber>(a: &Tensor<D>, b: &Tensor<D>) -> Tensor<D> {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1]);
    let element =
        |p: usize| (0..k).map(|l| a.values[p / n * k + l] * b.values[l * n + p % n]).fold(D::zero(), |s, t| s + t);
    Tensor::new(vec![m, n], (0..m * n).map(element).collect())
}

fn concat<D: OracleNumber>(axis: u8, parts: &[&Value<D>], shape: Vec<usize>) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    let mut start = 0;
    for part in parts.iter().map(|p| p.real()) {
        for (p, v) in positions(&part.shape).zip(&part.values) {
            let to = offset(&out.shape, &moved(&p, axis, |i| i + start));
            out.values[to] = *v;
        }
        start += part.shape[axis as usize];
    }
    out
}

fn numeric(shape: &Shape, sizes: &Sizes) -> Vec<usize> {
    shape.sizes(sizes).expect("sizes are known when a function runs")
}

/// Zeros except at the places of the elements, where `put` stores them.
fn spread<D: OracleNumber>(
    a: &Tensor<D>,
    shape: Vec<usize>,
    place: impl Fn(&[usize]) -> MultiIndex,
    put: impl Fn(&mut D, D),
) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    for (p, v) in positions(&a.shape).zip(&a.values) {
        let to = offset(&out.shape, &place(&p));
        put(&mut out.values[to], *v);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers() {
        let n = crate::shape::Dim::symbol("n");
        let mut sizes = Sizes::new();
        sizes.set("n", 3);
        let mut g = Graph::new();
        let (places, count) = (g.iota(&n), g.size(&n));
        let ratio = g.elementwise(crate::elementwise::DIV, &[places, count]);
        let f = Function::new("grid", &g, Vec::new(), &[ratio]);
        assert_eq!(evaluate::<f64>(&f, &sizes, &[])[0].values, [0.0, 1.0 / 3.0, 2.0 / 3.0]);
    }
}
