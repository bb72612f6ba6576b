//! A direct evaluation of every node of a function, entry by entry: slow, obvious, and without anything in common with
//! what programs do.

use super::Argument;
use crate::graph::{Elem, Formal, Function, Graph, Op, Reduction};
use crate::oracle::{self, Tensor, Value};
use crate::shape::Sizes;

/// Every place of a shape in row-major order.
pub(super) fn places(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |all, n| {
        all.iter().flat_map(|p| (0..*n).map(move |i| p.iter().copied().chain([i]).collect())).collect()
    })
}

pub(super) fn flat(place: &[usize], sizes: &[usize]) -> usize {
    place.iter().zip(sizes).fold(0, |at, (i, n)| at * n + i)
}

/// Node by node, element by element.
pub(super) fn evaluate(f: &Function, args: &[Argument]) -> Vec<Vec<f64>> {
    let g = f.graph();
    let none = Sizes::new();
    let mut values: Vec<Vec<f64>> = Vec::new();
    for id in g.ids() {
        let node = g.node(id);
        let sizes = node.shape.sizes(&none).unwrap();
        let x = |k: usize| &values[node.args[k].0 as usize];
        let from = |k: usize| g.shape(node.args[k]).sizes(&none).unwrap();
        let positions = |k: usize| -> Vec<usize> { x(k).iter().map(|v| *v as usize).collect() };
        let each = |value: &dyn Fn(&[usize]) -> f64| places(&sizes).iter().map(|p| value(p)).collect::<Vec<f64>>();
        values.push(match &node.op {
            Op::Input(i) => match &args[*i as usize] {
                Argument::Real(x) => x.clone(),
                Argument::Index(x) => x.iter().map(|v| *v as f64).collect(),
            },
            Op::Const(bits) => vec![f64::from_bits(*bits)],
            Op::Size(dim) => vec![dim.size(&none).unwrap() as f64],
            Op::Iota => (0..sizes[0]).map(|i| i as f64).collect(),
            Op::Elementwise(e) => {
                let at = |i: usize| (0..node.args.len()).map(|k| x(k)[i]).collect::<Vec<f64>>();
                (0..places(&sizes).len()).map(|i| (e.entry().f64)(&at(i))).collect()
            }
            Op::MatMul => {
                let inner = from(0)[1];
                each(&|p| (0..inner).map(|l| x(0)[p[0] * inner + l] * x(1)[l * sizes[1] + p[1]]).sum())
            }
            Op::Transpose(perm) => each(&|p| {
                let mut q = vec![0; p.len()];
                for (i, axis) in perm.iter().enumerate() {
                    q[*axis as usize] = p[i];
                }
                x(0)[flat(&q, &from(0))]
            }),
            Op::Reduce(how, mask) => each(&|p| {
                let of = from(0);
                let kept =
                    |q: &[usize]| -> Vec<usize> { (0..q.len()).filter(|i| mask >> i & 1 == 0).map(|i| q[i]).collect() };
                let all: Vec<f64> = places(&of).iter().filter(|q| kept(q) == *p).map(|q| x(0)[flat(q, &of)]).collect();
                match how {
                    Reduction::Sum => all.iter().sum(),
                    Reduction::Max => all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    Reduction::LogSumExp => all.iter().map(|v| v.exp()).sum::<f64>().ln(),
                    Reduction::Norm2 => all.iter().map(|v| v * v).sum::<f64>().sqrt(),
                }
            }),
            Op::Broadcast(mask) => each(&|p| {
                let q: Vec<usize> = (0..p.len()).filter(|i| mask >> i & 1 == 1).map(|i| p[i]).collect();
                x(0)[flat(&q, &from(0))]
            }),
            Op::Reshape => x(0).clone(),
            Op::Slice { axis, start, step } => each(&|p| {
                let mut q = p.to_vec();
                q[*axis as usize] = start.size(&none).unwrap() + q[*axis as usize] * *step as usize;
                x(0)[flat(&q, &from(0))]
            }),
            Op::Pad { axis, start, step } => {
                let mut out = vec![0.0; places(&sizes).len()];
                for (i, p) in places(&from(0)).iter().enumerate() {
                    let mut q = p.clone();
                    q[*axis as usize] = start.size(&none).unwrap() + q[*axis as usize] * *step as usize;
                    out[flat(&q, &sizes)] = x(0)[i];
                }
                out
            }
            Op::Concat(axis) => each(&|p| {
                let (mut q, mut part) = (p.to_vec(), 0);
                while q[*axis as usize] >= from(part)[*axis as usize] {
                    q[*axis as usize] -= from(part)[*axis as usize];
                    part += 1;
                }
                x(part)[flat(&q, &from(part))]
            }),
            Op::Gather(axis) => each(&|p| {
                let mut q = p.to_vec();
                q[*axis as usize] = positions(1)[q[*axis as usize]];
                x(0)[flat(&q, &from(0))]
            }),
            Op::Scatter(axis) => {
                let mut out = vec![0.0; places(&sizes).len()];
                for (i, p) in places(&from(0)).iter().enumerate() {
                    let mut q = p.clone();
                    q[*axis as usize] = positions(1)[q[*axis as usize]];
                    out[flat(&q, &sizes)] += x(0)[i];
                }
                out
            }
            Op::Prox(_) => x(0).clone(),
            // The oracle multiplies and adds one number after the other.
            Op::Conv { .. } | Op::Pick(_) | Op::Put(_) => {
                let alone =
                    |k: usize| Formal { name: "x".into(), shape: g.shape(node.args[k]).clone(), elem: Elem::Real };
                let mut h = Graph::new();
                let inputs = [0, 1].map(|k| h.input(k, g.shape(node.args[k]).clone(), Elem::Real));
                let out = h.push(node.op.clone(), inputs.to_vec(), node.shape.clone());
                let f = Function::new("alone", &h, vec![alone(0), alone(1)], &[out]);
                let values = [0, 1].map(|k| Value::Real(Tensor::new(from(k), x(k).clone())));
                oracle::evaluate(&f, &none, &values).swap_remove(0).values
            }
            Op::Map { body, mapped, output } => {
                let mut out = Vec::new();
                for i in 0..sizes[0] {
                    let args: Vec<Argument> = (0..mapped.len())
                        .map(|k| {
                            let len = x(k).len() / if mapped[k] { sizes[0] } else { 1 };
                            let at = if mapped[k] { i * len } else { 0 };
                            let slice = x(k)[at..at + len].to_vec();
                            match body.inputs[k].elem {
                                Elem::Real => Argument::Real(slice),
                                Elem::Index => Argument::Index(slice.iter().map(|v| *v as usize).collect()),
                            }
                        })
                        .collect();
                    out.extend(evaluate(body, &args)[*output as usize].clone());
                }
                out
            }
        });
    }
    f.outputs().iter().map(|o| values[o.0 as usize].clone()).collect()
}
