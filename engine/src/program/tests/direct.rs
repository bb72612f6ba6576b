//! A direct evaluation of every node of a function, entry by entry: slow, obvious, and without anything in common with
//! what programs do.

use super::Argument;
use crate::graph::{Elem, Formal, Function, Graph, Node, Op, Reduction};
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
    let mut values: Vec<Vec<f64>> = Vec::new();
    for id in g.ids() {
        let node = Evaluated { g, node: g.node(id), values: &values };
        let value = match &node.node.op {
            Op::Input(i) => match &args[*i as usize] {
                Argument::Real(x) => x.clone(),
                Argument::Index(x) => x.iter().map(|v| *v as f64).collect(),
            },
            Op::Conv { .. } | Op::Pick(_) | Op::Put(_) => node.by_oracle(),
            Op::Map { body, mapped, output } => node.mapped(body, mapped, *output as usize),
            Op::Const(_) | Op::Size(_) | Op::Iota | Op::Elementwise(_) | Op::MatMul | Op::Reduce(..) => node.computed(),
            _ => node.moved(),
        };
        values.push(value);
    }
    f.outputs().iter().map(|o| values[o.0 as usize].clone()).collect()
}

/// A node whose operands have their values.
struct Evaluated<'a> {
    g: &'a Graph,
    node: &'a Node,
    values: &'a [Vec<f64>],
}

impl Evaluated<'_> {
    fn sizes(&self) -> Vec<usize> {
        self.node.shape.sizes(&Sizes::new()).unwrap()
    }

    /// The values of an operand.
    fn x(&self, k: usize) -> &Vec<f64> {
        &self.values[self.node.args[k].0 as usize]
    }

    /// The sizes of an operand.
    fn from(&self, k: usize) -> Vec<usize> {
        self.g.shape(self.node.args[k]).sizes(&Sizes::new()).unwrap()
    }

    fn each(&self, value: &dyn Fn(&[usize]) -> f64) -> Vec<f64> {
        places(&self.sizes()).iter().map(|p| value(p)).collect()
    }

    fn computed(&self) -> Vec<f64> {
        let sizes = self.sizes();
        match &self.node.op {
            Op::Const(bits) => vec![f64::from_bits(*bits)],
            Op::Size(dim) => vec![dim.size(&Sizes::new()).unwrap() as f64],
            Op::Iota => (0..sizes[0]).map(|i| i as f64).collect(),
            Op::Elementwise(e) => {
                let at = |i: usize| (0..self.node.args.len()).map(|k| self.x(k)[i]).collect::<Vec<f64>>();
                (0..places(&sizes).len()).map(|i| (e.entry().f64)(&at(i))).collect()
            }
            Op::MatMul => {
                let inner = self.from(0)[1];
                self.each(&|p| (0..inner).map(|l| self.x(0)[p[0] * inner + l] * self.x(1)[l * sizes[1] + p[1]]).sum())
            }
            Op::Reduce(how, mask) => self.each(&|p| {
                let of = self.from(0);
                let kept =
                    |q: &[usize]| -> Vec<usize> { (0..q.len()).filter(|i| mask >> i & 1 == 0).map(|i| q[i]).collect() };
                let all: Vec<f64> =
                    places(&of).iter().filter(|q| kept(q) == *p).map(|q| self.x(0)[flat(q, &of)]).collect();
                match how {
                    Reduction::Sum => all.iter().sum(),
                    Reduction::Max => all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                    Reduction::LogSumExp => all.iter().map(|v| v.exp()).sum::<f64>().ln(),
                    Reduction::Norm2 => all.iter().map(|v| v * v).sum::<f64>().sqrt(),
                }
            }),
            _ => unreachable!("moves elements"),
        }
    }

    fn moved(&self) -> Vec<f64> {
        let (none, sizes) = (Sizes::new(), self.sizes());
        let positions = |k: usize| -> Vec<usize> { self.x(k).iter().map(|v| *v as usize).collect() };
        match &self.node.op {
            Op::Broadcast(mask) => self.each(&|p| {
                let q: Vec<usize> = (0..p.len()).filter(|i| mask >> i & 1 == 1).map(|i| p[i]).collect();
                self.x(0)[flat(&q, &self.from(0))]
            }),
            Op::Slice { axis, start, step } => self.each(&|p| {
                let mut q = p.to_vec();
                q[*axis as usize] = start.size(&none).unwrap() + q[*axis as usize] * *step as usize;
                self.x(0)[flat(&q, &self.from(0))]
            }),
            Op::Pad { axis, start, step } => {
                let mut out = vec![0.0; places(&sizes).len()];
                for (i, p) in places(&self.from(0)).iter().enumerate() {
                    let mut q = p.clone();
                    q[*axis as usize] = start.size(&none).unwrap() + q[*axis as usize] * *step as usize;
                    out[flat(&q, &sizes)] = self.x(0)[i];
                }
                out
            }
            Op::Concat(axis) => self.each(&|p| {
                let (mut q, mut part) = (p.to_vec(), 0);
                while q[*axis as usize] >= self.from(part)[*axis as usize] {
                    q[*axis as usize] -= self.from(part)[*axis as usize];
                    part += 1;
                }
                self.x(part)[flat(&q, &self.from(part))]
            }),
            Op::Gather(axis) => self.each(&|p| {
                let mut q = p.to_vec();
                q[*axis as usize] = positions(1)[q[*axis as usize]];
                self.x(0)[flat(&q, &self.from(0))]
            }),
            Op::Scatter(axis) => {
                let mut out = vec![0.0; places(&sizes).len()];
                for (i, p) in places(&self.from(0)).iter().enumerate() {
                    let mut q = p.clone();
                    q[*axis as usize] = positions(1)[q[*axis as usize]];
                    out[flat(&q, &sizes)] += self.x(0)[i];
                }
                out
            }
            Op::Transpose(perm) => self.each(&|p| {
                let mut q = vec![0; p.len()];
                for (i, axis) in perm.iter().enumerate() {
                    q[*axis as usize] = p[i];
                }
                self.x(0)[flat(&q, &self.from(0))]
            }),
            Op::Reshape | Op::Prox(_) => self.x(0).clone(),
            _ => unreachable!("computes"),
        }
    }

    /// The oracle multiplies and adds one number after the other.
    fn by_oracle(&self) -> Vec<f64> {
        let (g, node) = (self.g, self.node);
        let alone = |k: usize| Formal { name: "x".into(), shape: g.shape(node.args[k]).clone(), elem: Elem::Real };
        let mut h = Graph::new();
        let inputs = [0, 1].map(|k| h.input(k, g.shape(node.args[k]).clone(), Elem::Real));
        let out = h.push(node.op.clone(), inputs.to_vec(), node.shape.clone());
        let f = Function::new("alone", &h, vec![alone(0), alone(1)], &[out]);
        let values = [0, 1].map(|k| Value::Real(Tensor::new(self.from(k), self.x(k).clone())));
        oracle::evaluate(&f, &Sizes::new(), &values).swap_remove(0).values
    }

    fn mapped(&self, body: &Function, mapped: &[bool], output: usize) -> Vec<f64> {
        let lead = self.sizes()[0];
        let slice = |i: usize, k: usize| {
            let x = self.x(k);
            let len = x.len() / if mapped[k] { lead } else { 1 };
            let at = if mapped[k] { i * len } else { 0 };
            let slice = x[at..at + len].to_vec();
            match body.inputs[k].elem {
                Elem::Real => Argument::Real(slice),
                Elem::Index => Argument::Index(slice.iter().map(|v| *v as usize).collect()),
            }
        };
        let each = |i: usize| {
            let args: Vec<Argument> = (0..mapped.len()).map(|k| slice(i, k)).collect();
            evaluate(body, &args).swap_remove(output)
        };
        (0..lead).flat_map(each).collect()
    }
}
