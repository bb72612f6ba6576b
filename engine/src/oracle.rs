//! An interpreter of a [`Function`] over any number type: the independent path against which programs and derivatives
//! are tested. It knows no derivative rule of `diff`; dual numbers run through the same arithmetic. Written to be
//! plainly right, not fast: an array per node, no fusion.

use num_dual::{Dual64, HyperDual64};
use num_traits::Float;

use crate::elementwise::Number;
use crate::graph::{ConvPart, Function, Graph, NodeId, Op, Reduction, Windows};
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

/// A row-major array.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<D> {
    /// Sizes of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Vec<D>,
}

/// An input.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<D> {
    /// Numbers.
    Real(Tensor<D>),
    /// Zero-based positions; those of a mapped operand one slice after the other.
    Index(Vec<usize>),
}

impl<D: Copy> Tensor<D> {
    /// An array from its elements.
    pub fn new(shape: Vec<usize>, values: Vec<D>) -> Tensor<D> {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "as many elements as the shape {shape:?} has");
        Tensor { shape, values }
    }

    /// A number.
    pub fn scalar(value: D) -> Tensor<D> {
        Tensor { shape: Vec::new(), values: vec![value] }
    }

    fn filled(shape: Vec<usize>, value: D) -> Tensor<D> {
        let count = shape.iter().product();
        Tensor { shape, values: vec![value; count] }
    }

    /// The array whose element at a multi-index is the element of `self` at another one.
    fn arranged(&self, shape: Vec<usize>, source: impl Fn(&[usize]) -> Position) -> Tensor<D> {
        let values = positions(&shape).map(|p| self.values[offset(&self.shape, &source(&p))]).collect();
        Tensor { shape, values }
    }

    fn map<E>(&self, f: impl Fn(D) -> E) -> Tensor<E> {
        Tensor { shape: self.shape.clone(), values: self.values.iter().map(|v| f(*v)).collect() }
    }
}

impl<D> Value<D> {
    fn real(&self) -> &Tensor<D> {
        match self {
            Value::Real(tensor) => tensor,
            Value::Index(_) => unreachable!("the verifier separates positions from numbers"),
        }
    }

    fn index(&self) -> &[usize] {
        match self {
            Value::Index(index) => index,
            Value::Real(_) => unreachable!("the verifier separates positions from numbers"),
        }
    }
}

impl<D: Copy> Value<D> {
    /// The slice `i` of `count` along the leading axis.
    fn slice(&self, i: usize, count: usize) -> Value<D> {
        match self {
            Value::Real(t) => {
                let width = t.values.len() / count;
                Value::Real(Tensor::new(t.shape[1..].to_vec(), t.values[i * width..(i + 1) * width].to_vec()))
            }
            Value::Index(index) => {
                let width = index.len() / count;
                Value::Index(index[i * width..(i + 1) * width].to_vec())
            }
        }
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
        Op::Elementwise(f) => {
            let operands: Vec<&Tensor<D>> = args.iter().map(|a| a.real()).collect();
            let mut x = Vec::with_capacity(operands.len());
            let element = |i| {
                x.clear();
                x.extend(operands.iter().map(|t: &&Tensor<D>| t.values[i]));
                D::elementwise(f.entry(), &x)
            };
            let values = (0..operands[0].values.len()).map(element).collect();
            Tensor { shape, values }
        }
        Op::MatMul => matmul(args[0].real(), args[1].real()),
        Op::Transpose(perm) => args[0].real().arranged(shape, |p| {
            let mut source = Position::of(p);
            perm.iter().zip(p).for_each(|(axis, i)| source.axes[*axis as usize] = *i);
            source
        }),
        Op::Reduce(how, axes) => reduce(*how, *axes, args[0].real(), shape),
        Op::Broadcast(axes) => args[0].real().arranged(shape, |p| kept(p, *axes)),
        Op::Reshape => Tensor::new(shape, args[0].real().values.clone()),
        Op::Slice { axis, start, step } => {
            let start = start.size(sizes).expect("a slice starts at a known place");
            args[0].real().arranged(shape, |p| moved(p, *axis, |i| start + i * *step as usize))
        }
        Op::Pad { axis, start, step } => {
            let start = start.size(sizes).expect("padding starts at a known place");
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
        Op::Conv { part, stride, padding } => {
            convolution(*part, (*stride as usize, *padding as usize), [args[0].real(), args[1].real()], shape)
        }
        Op::Pick(windows) => {
            let (key, values) = (args[0].real(), args[1].real());
            let picked = positions(&shape).map(|p| values.values[largest(key, &p, *windows)]).collect();
            Tensor { shape, values: picked }
        }
        Op::Put(windows) => {
            let (key, values) = (args[0].real(), args[1].real());
            let mut out = Tensor::filled(shape, D::zero());
            for (p, v) in positions(&values.shape).zip(&values.values) {
                out.values[largest(key, &p, *windows)] += *v;
            }
            out
        }
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
    }
}

fn matmul<D: OracleNumber>(a: &Tensor<D>, b: &Tensor<D>) -> Tensor<D> {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1]);
    let element =
        |p: usize| (0..k).map(|l| a.values[p / n * k + l] * b.values[l * n + p % n]).fold(D::zero(), |s, t| s + t);
    Tensor::new(vec![m, n], (0..m * n).map(element).collect())
}

/// All products of the form that `part` is the derivative of, added where they belong.
fn convolution<D: OracleNumber>(
    part: ConvPart,
    (stride, padding): (usize, usize),
    operands: [&Tensor<D>; 2],
    shape: Vec<usize>,
) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    let mut shapes = [const { Vec::new() }; 3];
    shapes[part as usize] = out.shape.clone();
    for (other, t) in part.others().iter().zip(operands) {
        shapes[*other as usize] = t.shape.clone();
    }
    let [image, kernel, output] = &shapes;
    let taps: Vec<Position> = positions(&[kernel[2], kernel[3]]).collect();
    for v in positions(output) {
        for tap in &taps {
            let (y, x) = (v[2] * stride + tap[0], v[3] * stride + tap[1]);
            if y < padding || x < padding || y - padding >= image[2] || x - padding >= image[3] {
                continue;
            }
            for channel in 0..kernel[1] {
                let at = [
                    offset(image, &[v[0], channel, y - padding, x - padding]),
                    offset(kernel, &[v[1], channel, tap[0], tap[1]]),
                    offset(output, &v),
                ];
                let [a, b] = part.others().map(|p| at[p as usize]);
                out.values[at[part as usize]] += operands[0].values[a] * operands[1].values[b];
            }
        }
    }
    out
}

/// Where the largest entry of a window is: the first of equal ones, and a NaN before all.
fn largest<D: OracleNumber>(key: &Tensor<D>, window: &[usize], windows: Windows) -> usize {
    let (size, stride) = (windows.size as usize, windows.stride as usize);
    let places = positions(&[size, size]).map(|p| [window[0], window[1] * stride + p[0], window[2] * stride + p[1]]);
    let places = places.map(|p| offset(&key.shape, &p));
    let first = |best: usize, next: usize| {
        let (b, n) = (key.values[best].re(), key.values[next].re());
        if n > b || n.is_nan() && !b.is_nan() { next } else { best }
    };
    places.reduce(first).expect("windows have entries")
}

fn reduce<D: OracleNumber>(how: Reduction, axes: u8, a: &Tensor<D>, shape: Vec<usize>) -> Tensor<D> {
    let mut groups: Vec<Vec<D>> = vec![Vec::new(); shape.iter().product()];
    for (p, v) in positions(&a.shape).zip(&a.values) {
        groups[offset(&shape, &kept(&p, !axes))].push(*v);
    }
    let combine = match how {
        Reduction::Sum => sum,
        Reduction::Max => max,
        Reduction::LogSumExp => log_sum_exp,
        Reduction::Norm2 => norm2,
    };
    Tensor { shape, values: groups.iter().map(|x| combine(x)).collect() }
}

fn sum<D: OracleNumber>(x: &[D]) -> D {
    x.iter().copied().reduce(|s, v| s + v).unwrap_or_else(D::zero)
}

/// The largest value; the elements that attain it share the derivative equally.
fn max<D: OracleNumber>(x: &[D]) -> D {
    let larger = |m, v| {
        if v <= m {
            m
        } else if v > m {
            v
        } else {
            m + v
        }
    };
    let largest = x.iter().map(|v| v.re()).reduce(larger);
    let Some(largest) = largest else { return D::number(f64::NEG_INFINITY) };
    if !largest.is_finite() {
        return D::from(largest);
    }
    let tied: Vec<D> = x.iter().copied().filter(|v| v.re() == largest).collect();
    match tied.as_slice() {
        [single] => *single,
        _ => {
            let offsets: Vec<D> = tied.iter().map(|v| *v - largest).collect();
            sum(&offsets) / D::number(tied.len() as f64) + D::from(largest)
        }
    }
}

fn log_sum_exp<D: OracleNumber>(x: &[D]) -> D {
    let shift = max(x).re();
    if !shift.is_finite() {
        return D::from(shift);
    }
    let terms: Vec<D> = x.iter().map(|v| (*v - shift).exp()).collect();
    sum(&terms).ln() + D::from(shift)
}

/// The Euclidean norm, with derivative 0 at 0.
fn norm2<D: OracleNumber>(x: &[D]) -> D {
    let squares: Vec<D> = x.iter().map(|v| *v * *v).collect();
    let total = sum(&squares);
    if total == D::zero() { D::zero() } else { total.sqrt() }
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

/// Zeros but for the places of the elements, where `put` stores them.
fn spread<D: OracleNumber>(
    a: &Tensor<D>,
    shape: Vec<usize>,
    place: impl Fn(&[usize]) -> Position,
    put: impl Fn(&mut D, D),
) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    for (p, v) in positions(&a.shape).zip(&a.values) {
        let to = offset(&out.shape, &place(&p));
        put(&mut out.values[to], *v);
    }
    out
}

fn numeric(shape: &Shape, sizes: &Sizes) -> Vec<usize> {
    shape.sizes(sizes).expect("sizes are known when a function runs")
}

/// A multi-index, without memory of its own: there is one per element.
#[derive(Clone, Copy)]
struct Position {
    axes: [usize; AXES],
    rank: usize,
}

/// Most axes of a node.
const AXES: usize = 6;

impl Position {
    fn of(axes: &[usize]) -> Position {
        let mut position = Position { axes: [0; AXES], rank: axes.len() };
        position.axes[..axes.len()].copy_from_slice(axes);
        position
    }
}

impl std::ops::Deref for Position {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.axes[..self.rank]
    }
}

/// All multi-indices in row-major order.
fn positions(shape: &[usize]) -> impl Iterator<Item = Position> + use<> {
    let shape = Position::of(shape);
    let count: usize = shape.iter().product();
    let mut next = Position { axes: [0; AXES], rank: shape.rank };
    (0..count).map(move |_| {
        let position = next;
        for axis in (0..shape.rank).rev() {
            next.axes[axis] += 1;
            if next.axes[axis] < shape[axis] {
                break;
            }
            next.axes[axis] = 0;
        }
        position
    })
}

fn offset(shape: &[usize], position: &[usize]) -> usize {
    assert!(shape.iter().zip(position).all(|(n, i)| i < n), "{position:?} lies in an array of shape {shape:?}");
    shape.iter().zip(position).fold(0, |o, (n, i)| o * n + i)
}

/// The entries of the axes in the mask.
fn kept(position: &[usize], axes: u8) -> Position {
    let mut kept = Position { axes: [0; AXES], rank: 0 };
    for (_, i) in position.iter().enumerate().filter(|(axis, _)| axes >> axis & 1 == 1) {
        kept.axes[kept.rank] = *i;
        kept.rank += 1;
    }
    kept
}

/// The position with the entry of one axis replaced.
fn moved(position: &[usize], axis: u8, to: impl Fn(usize) -> usize) -> Position {
    let mut position = Position::of(position);
    position.axes[axis as usize] = to(position[axis as usize]);
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions_of_numbers() {
        assert_eq!(sum::<f64>(&[]), 0.0);
        assert_eq!(sum(&[-0.0f64]).to_bits(), (-0.0f64).to_bits());
        assert_eq!(max(&[1.0, 3.0, 2.0]), 3.0);
        assert!(max(&[1.0, f64::NAN, 2.0]).is_nan());
        assert!(max(&[f64::NAN, 2.0]).is_nan());
        assert_eq!(max::<f64>(&[]), f64::NEG_INFINITY);
        assert!((log_sum_exp(&[1000.0, 1000.0]) - 1000.0 - 2f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert_eq!(norm2(&[3.0, 4.0]), 5.0);
    }

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

    #[test]
    fn kinks_follow_the_conventions() {
        let at = |re, eps| Dual64::new(re, eps);
        assert_eq!(max(&[at(1.0, 1.0), at(1.0, 0.0), at(0.0, 9.0)]).eps, 0.5);
        assert_eq!(norm2(&[at(0.0, 1.0), at(0.0, 1.0)]).eps, 0.0);
    }
}
