//! Every derivative against the oracle: first order against dual numbers and central differences, second order
//! against hyper-dual numbers, third order against differences of those.

use std::f64::consts::PI;
use std::sync::Arc;

use super::{gradient, hvp, jvp, vjp};
use crate::elementwise;
use crate::graph::{ConvPart, Elem, Formal, Function, Graph, NodeId, Reduction, Windows};
use crate::oracle::{self, Tensor, Value};
use crate::shape::{Dim, Shape, Sizes};

type Direction = Vec<Option<Vec<f64>>>;

/// Numbers in (0, 1) that fill it evenly: multiples of an irrational.
pub(crate) fn spread(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|i| ((i + 1) as f64 * 0.618_033_988_75 + seed as f64 * 0.414_213_562_37).fract()).collect()
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    let scale = 1.0 + a.abs() + b.abs();
    assert!((a - b).abs() <= tolerance * scale, "{what}: {a} and {b}");
}

fn all_close(a: &[Tensor<f64>], b: &[Tensor<f64>], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}: outputs");
    for (x, y) in a.iter().zip(b) {
        assert_eq!(x.shape, y.shape, "{what}: shapes");
        x.values.iter().zip(&y.values).for_each(|(x, y)| close(*x, *y, tolerance, what));
    }
}

/// A function at a point with the inputs to differentiate.
struct Case<'a> {
    f: &'a Function,
    sizes: &'a Sizes,
    inputs: &'a [Value<f64>],
    wrt: &'a [usize],
}

impl Case<'_> {
    fn real(&self, input: usize) -> &Tensor<f64> {
        match &self.inputs[input] {
            Value::Real(t) => t,
            Value::Index(_) => panic!("{} holds positions", self.f.inputs[input].name),
        }
    }

    fn direction(&self, seed: usize) -> Direction {
        let of = |i| {
            self.wrt
                .contains(&i)
                .then(|| spread(self.real(i).values.len(), seed + i).iter().map(|v| 2.0 * v - 1.0).collect())
        };
        (0..self.inputs.len()).map(of).collect()
    }

    fn units(&self) -> Vec<(usize, usize, Direction)> {
        let mut all = Vec::new();
        for (position, input) in self.wrt.iter().enumerate() {
            let count = self.real(*input).values.len();
            for i in 0..count {
                let mut unit = vec![None; self.inputs.len()];
                unit[*input] = Some((0..count).map(|j| f64::from(i == j)).collect());
                all.push((position, i, unit));
            }
        }
        all
    }

    fn with(&self, direction: &Direction) -> Vec<Value<f64>> {
        let tangent = |i: &usize| Value::Real(Tensor::new(self.real(*i).shape.clone(), direction[*i].clone().unwrap()));
        self.inputs.iter().cloned().chain(self.wrt.iter().map(tangent)).collect()
    }

    fn moved(&self, direction: &Direction, step: f64) -> Vec<Value<f64>> {
        let mut inputs = self.inputs.to_vec();
        for (input, d) in inputs.iter_mut().zip(direction) {
            if let (Value::Real(t), Some(d)) = (input, d) {
                t.values.iter_mut().zip(d).for_each(|(v, d)| *v += step * d);
            }
        }
        inputs
    }

    fn first_order(&self, differences: bool) {
        let what = |text: &str| format!("{text} of {}", self.f.name);
        let forward = jvp(self.f, self.wrt);
        for seed in 1..3 {
            let d = self.direction(seed);
            let by_graph = oracle::evaluate(&forward, self.sizes, &self.with(&d));
            let (_, by_dual) = oracle::directional(self.f, self.sizes, self.inputs, &d);
            all_close(&by_graph, &by_dual, 1e-11, &what("jvp"));
            if differences {
                let h = 1e-5;
                let above = oracle::evaluate(self.f, self.sizes, &self.moved(&d, h));
                let below = oracle::evaluate(self.f, self.sizes, &self.moved(&d, -h));
                let slope = |(a, b): (&Tensor<f64>, &Tensor<f64>)| {
                    Tensor::new(
                        a.shape.clone(),
                        a.values.iter().zip(&b.values).map(|(a, b)| (a - b) / (2.0 * h)).collect(),
                    )
                };
                let by_difference: Vec<_> = above.iter().zip(&below).map(slope).collect();
                all_close(&by_graph, &by_difference, 1e-7, &what("central difference"));
            }
        }
        let values = oracle::evaluate(self.f, self.sizes, self.inputs);
        let adjoint = |(k, v): (usize, &Tensor<f64>)| Tensor::new(v.shape.clone(), spread(v.values.len(), k + 5));
        let adjoints: Vec<_> = values.iter().enumerate().map(adjoint).collect();
        let inputs: Vec<_> = self.inputs.iter().cloned().chain(adjoints.iter().cloned().map(Value::Real)).collect();
        let pulled = oracle::evaluate(&vjp(self.f, self.wrt), self.sizes, &inputs);
        for (position, i, unit) in self.units() {
            let (_, column) = oracle::directional(self.f, self.sizes, self.inputs, &unit);
            let product = |(a, c): (&Tensor<f64>, &Tensor<f64>)| -> f64 {
                a.values.iter().zip(&c.values).map(|(a, c)| a * c).sum()
            };
            let expected: f64 = adjoints.iter().zip(&column).map(product).sum();
            close(pulled[position].values[i], expected, 1e-11, &what("vjp"));
        }
    }

    /// For one scalar output.
    fn higher_order(&self, differences: bool) {
        let what = |text: &str| format!("{text} of {}", self.f.name);
        let slope = oracle::evaluate(&gradient(self.f, self.wrt), self.sizes, self.inputs);
        let curvature = hvp(self.f, self.wrt);
        let d = self.direction(3);
        let product = oracle::evaluate(&curvature, self.sizes, &self.with(&d));
        let third = jvp(&curvature, self.wrt);
        let e = self.direction(4);
        let tangents = self.with(&e).split_off(self.inputs.len());
        let bent = oracle::evaluate(&third, self.sizes, &[self.with(&d), tangents].concat());
        for (position, i, unit) in self.units() {
            let (_, expected) = oracle::directional(self.f, self.sizes, self.inputs, &unit);
            close(slope[position].values[i], expected[0].values[0], 1e-11, &what("gradient"));
            let second = |inputs: &[Value<f64>]| oracle::second(self.f, self.sizes, inputs, &d, &unit)[0].values[0];
            close(product[position].values[i], second(self.inputs), 1e-10, &what("hvp"));
            if differences {
                let h = 1e-5;
                let change = (second(&self.moved(&e, h)) - second(&self.moved(&e, -h))) / (2.0 * h);
                close(bent[position].values[i], change, 2e-6, &what("third derivative"));
            }
        }
    }
}

/// The sum of the sines of all outputs: a number whose second derivatives see the whole function.
fn energy(f: &Function) -> Function {
    let mut g = Graph::new();
    let args: Vec<NodeId> = f.inputs.iter().enumerate().map(|(i, a)| g.input(i, a.shape.clone(), a.elem)).collect();
    let outputs = f.instantiate(&mut g, &args);
    let mut total = g.constant(0.0);
    for o in outputs {
        let bent = g.elementwise(elementwise::SIN, &[o]);
        let sum = g.sum_all(bent);
        total = g.add(total, sum);
    }
    Function::new(format!("energy of {}", f.name), &g, f.inputs.clone(), &[total])
}

/// Checks all derivatives of a function at a point; `differences` where it is smooth around the point.
pub(crate) fn agree(f: &Function, sizes: &Sizes, inputs: &[Value<f64>], wrt: &[usize], differences: bool) {
    Case { f, sizes, inputs, wrt }.first_order(differences);
    Case { f: &energy(f), sizes, inputs, wrt }.higher_order(differences);
}

/// A function of real inputs of the given shapes.
pub(crate) fn function(
    name: &str,
    shapes: &[Shape],
    body: impl FnOnce(&mut Graph, &[NodeId]) -> Vec<NodeId>,
) -> Function {
    let real = shapes.iter().map(|s| (s.clone(), Elem::Real));
    typed(name, &real.collect::<Vec<_>>(), body)
}

fn typed(name: &str, inputs: &[(Shape, Elem)], body: impl FnOnce(&mut Graph, &[NodeId]) -> Vec<NodeId>) -> Function {
    let mut g = Graph::new();
    let formal = |(i, (shape, elem)): (usize, &(Shape, Elem))| Formal {
        name: format!("x{i}"),
        shape: shape.clone(),
        elem: *elem,
    };
    let formals: Vec<Formal> = inputs.iter().enumerate().map(formal).collect();
    let args: Vec<NodeId> = formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let outputs = body(&mut g, &args);
    Function::new(name, &g, formals, &outputs)
}

fn shape(dims: &[&str]) -> Shape {
    Shape(dims.iter().map(|d| d.parse().map_or_else(|_| Dim::symbol(d), Dim::constant)).collect())
}

fn sizes() -> Sizes {
    let mut sizes = Sizes::new();
    for (symbol, value) in [("m", 2), ("n", 3), ("k", 4), ("l", 5)] {
        sizes.set(symbol, value);
    }
    sizes
}

fn point(shape: &Shape, seed: usize) -> Value<f64> {
    let dims = shape.sizes(&sizes()).unwrap();
    let values = spread(dims.iter().product(), seed).iter().map(|v| 3.0 * v - 1.3).collect();
    Value::Real(Tensor::new(dims, values))
}

/// Checks the derivatives with respect to every input.
fn check(name: &str, dims: &[&[&str]], body: impl FnOnce(&mut Graph, &[NodeId]) -> Vec<NodeId>) {
    let shapes: Vec<Shape> = dims.iter().map(|d| shape(d)).collect();
    let f = function(name, &shapes, body);
    let inputs: Vec<_> = shapes.iter().enumerate().map(|(i, s)| point(s, 7 * i + 1)).collect();
    agree(&f, &sizes(), &inputs, &(0..shapes.len()).collect::<Vec<_>>(), true);
}

#[test]
fn matrix_products() {
    check("a*b", &[&["m", "n"], &["n", "k"]], |g, x| vec![g.matmul(x[0], x[1])]);
    check("a'*a", &[&["m", "n"]], |g, x| {
        let t = g.transpose(x[0]);
        vec![g.matmul(t, x[0])]
    });
}

#[test]
fn layout() {
    check("permute", &[&["m", "n", "k"]], |g, x| vec![g.permute(x[0], &[2, 0, 1])]);
    check("reshape", &[&["m", "6"]], |g, x| vec![g.reshape(x[0], &shape(&["6", "m"]))]);
    check("broadcast", &[&["n"]], |g, x| vec![g.broadcast(x[0], 0b010, &shape(&["m", "n", "k"]))]);
    check("repeat a number", &[&[]], |g, x| vec![g.broadcast(x[0], 0, &shape(&["m", "n"]))]);
    check("slice", &[&["m", "l"]], |g, x| vec![g.slice(x[0], 1, &Dim::constant(1), 2, &Dim::constant(2))]);
    check("pad", &[&["m", "n"]], |g, x| vec![g.pad(x[0], 1, &Dim::constant(1), 2, &Dim::constant(7))]);
    check("concat", &[&["m", "n"], &["m", "k"]], |g, x| {
        let fixed = g.filled(2.0, &shape(&["m", "1"]));
        vec![g.concat(&[x[0], fixed, x[1], x[0]], 1)]
    });
}

#[test]
fn reductions() {
    for how in [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm2] {
        for axes in [0b001, 0b010, 0b101, 0b111] {
            check(&format!("{how:?} over {axes:b}"), &[&["m", "n", "k"]], |g, x| vec![g.reduce(how, x[0], axes)]);
        }
    }
}

#[test]
fn positions() {
    let s = [(shape(&["k", "m"]), Elem::Real), (shape(&["n"]), Elem::Index)];
    let f = typed("gather", &s, |g, x| vec![g.gather(x[0], x[1], 0)]);
    agree(&f, &sizes(), &[point(&s[0].0, 1), Value::Index(vec![2, 0, 2])], &[0], true);
    let s = [(shape(&["m", "n"]), Elem::Real), (shape(&["n"]), Elem::Index)];
    let f = typed("scatter", &s, |g, x| vec![g.scatter(x[0], x[1], 1, &Dim::symbol("k"))]);
    agree(&f, &sizes(), &[point(&s[0].0, 1), Value::Index(vec![3, 0, 3])], &[0], true);
}

/// `(w, c, i, x) -> (tanh(W x) + c, sum(x[i]^2))`.
fn body() -> Arc<Function> {
    let s = [
        (shape(&["m", "n"]), Elem::Real),
        (shape(&["m"]), Elem::Real),
        (shape(&["m"]), Elem::Index),
        (shape(&["n"]), Elem::Real),
    ];
    Arc::new(typed("cell", &s, |g, x| {
        let column = g.reshape(x[3], &shape(&["n", "1"]));
        let product = g.matmul(x[0], column);
        let flat = g.reshape(product, &shape(&["m"]));
        let bent = g.elementwise(elementwise::TANH, &[flat]);
        let picked = g.gather(x[3], x[2], 0);
        let squares = g.elementwise(elementwise::SQUARE, &[picked]);
        vec![g.add(bent, x[1]), g.sum_all(squares)]
    }))
}

#[test]
fn maps_with_shared_operands() {
    // W is shared, c and the positions and x are mapped.
    let s = [
        (shape(&["m", "n"]), Elem::Real),
        (shape(&["k", "m"]), Elem::Real),
        (shape(&["k", "m"]), Elem::Index),
        (shape(&["k", "n"]), Elem::Real),
    ];
    let marks = [false, true, true, true];
    let f = typed("map", &s, |g, x| (0..2).map(|o| g.map(&body(), &marks, o, x)).collect());
    let index = Value::Index(vec![0, 2, 1, 1, 2, 0, 0, 1]);
    let inputs = [point(&s[0].0, 1), point(&s[1].0, 2), index, point(&s[3].0, 3)];
    agree(&f, &sizes(), &inputs, &[0, 1, 3], true);
    agree(&f, &sizes(), &inputs, &[3], true);
    agree(&f, &sizes(), &inputs, &[0], true);
}

#[test]
fn maps_in_maps() {
    let inner = Arc::new(function("inner", &[shape(&[]), shape(&["n"])], |g, x| {
        let s = g.elementwise(elementwise::SIN, &[x[0]]);
        let scaled = g.mul(s, x[1]);
        vec![g.reduce(Reduction::Norm2, scaled, 1)]
    }));
    let outer =
        Arc::new(function("outer", &[shape(&["m"]), shape(&["n"])], |g, x| vec![g.map(&inner, &[true, false], 0, x)]));
    check("nested", &[&["k", "m"], &["n"]], |g, x| vec![g.map(&outer, &[true, false], 0, x)]);
}

#[test]
fn several_outputs_and_independent_inputs() {
    check("pair", &[&["n"], &[], &["m"]], |g, x| {
        let scaled = g.mul(x[0], x[1]);
        let e = g.elementwise(elementwise::EXP, &[scaled]);
        vec![e, g.sum_all(e), x[0]]
    });
    let f = function("constant", &[shape(&["n"])], |g, _| vec![g.constant(PI)]);
    let zero = Tensor::new(vec![3], vec![0.0; 3]);
    let at = [point(&shape(&["n"]), 1)];
    assert_eq!(oracle::evaluate(&gradient(&f, &[0]), &sizes(), &at), vec![zero]);
}

#[test]
fn ties_share_the_derivative_of_a_maximum() {
    let f = function("max", &[shape(&["n"])], |g, x| vec![g.reduce(Reduction::Max, x[0], 1)]);
    let at = [Value::Real(Tensor::new(vec![3], vec![2.0, 2.0, 1.0]))];
    agree(&f, &sizes(), &at, &[0], false);
    assert_eq!(oracle::evaluate(&gradient(&f, &[0]), &sizes(), &at)[0].values, [0.5, 0.5, 0.0]);
}

#[test]
fn a_norm_is_flat_at_zero() {
    let f = function("norm", &[shape(&["n"])], |g, x| vec![g.reduce(Reduction::Norm2, x[0], 1)]);
    let at = Value::Real(Tensor::new(vec![3], vec![0.0; 3]));
    let d = Value::Real(Tensor::new(vec![3], vec![1.0, -2.0, 3.0]));
    assert_eq!(oracle::evaluate(&gradient(&f, &[0]), &sizes(), std::slice::from_ref(&at))[0].values, [0.0; 3]);
    assert_eq!(oracle::evaluate(&hvp(&f, &[0]), &sizes(), &[at.clone(), d.clone()])[0].values, [0.0; 3]);
    assert_eq!(oracle::evaluate(&jvp(&f, &[0]), &sizes(), &[at, d])[0].values, [0.0]);
}

#[test]
fn the_branch_not_taken_makes_no_nan() {
    // x log x where x > 0, else 0: at 0 the slope of the logarithm is infinite.
    let f = function("entropy", &[shape(&[])], |g, x| {
        let zero = g.constant(0.0);
        let inside = g.elementwise(elementwise::LESS, &[zero, x[0]]);
        let log = g.elementwise(elementwise::LOG, &[x[0]]);
        let product = g.mul(x[0], log);
        vec![g.elementwise(elementwise::SELECT, &[inside, product, zero])]
    });
    let at = |v| Value::Real(Tensor::scalar(v));
    assert_eq!(oracle::evaluate(&jvp(&f, &[0]), &sizes(), &[at(0.0), at(1.0)])[0].values, [0.0]);
    agree(&f, &sizes(), &[at(0.7)], &[0], true);
}

#[test]
fn work_off_the_way_is_not_differentiated() {
    // The gradient of sum(a .* x) is a itself: nothing of the sum remains.
    let f = function("inner product", &[shape(&["n"]), shape(&["n"])], |g, x| {
        let product = g.mul(x[0], x[1]);
        vec![g.sum_all(product)]
    });
    let by_x = gradient(&f, &[1]);
    assert_eq!(by_x.operations(), 0);
    assert_eq!(by_x.outputs(), [by_x.input(0)]);
    assert_eq!(jvp(&f, &[1]).inputs[2].name, "tangent of x1");
    assert_eq!(vjp(&f, &[1]).inputs[2].name, "adjoint of inner product");
}

#[test]
fn derivatives_keep_the_span() {
    let mut g = Graph::new();
    let x = g.input(0, Shape::scalar(), Elem::Real);
    g.span.start = 5;
    g.span.end = 9;
    let s = g.elementwise(elementwise::SIN, &[x]);
    let formal = Formal { name: "x".into(), shape: Shape::scalar(), elem: Elem::Real };
    let f = Function::new("f", &g, vec![formal], &[s]);
    let slope = gradient(&f, &[0]);
    assert_eq!(slope.graph().span_of(slope.outputs()[0]), g.span);
}

#[test]
fn convolutions_are_trilinear() {
    // Rows and columns, kernels and strides all differ, so that no mistake of one for another is hidden.
    let parts = [shape(&["2", "2", "4", "3"]), shape(&["3", "2", "3", "2"]), shape(&["2", "3", "2", "2"])];
    let values = |s: &Shape| {
        let shape = s.sizes(&sizes()).unwrap();
        Value::Real(Tensor::new(shape.clone(), spread(shape.iter().product(), shape.len() + shape[1])))
    };
    for part in [ConvPart::Image, ConvPart::Kernel, ConvPart::Output] {
        let operands = part.others().map(|p| parts[p as usize].clone());
        let f =
            function("convolution", &operands, |g, x| vec![g.conv(part, 2, 1, [x[0], x[1]], &parts[part as usize])]);
        agree(&f, &sizes(), &operands.each_ref().map(values), &[0, 1], true);
        let square = function("convolution of itself", &operands, |g, x| {
            let bent = g.elementwise(elementwise::SIN, &[x[0]]);
            vec![g.conv(part, 2, 1, [bent, x[1]], &parts[part as usize])]
        });
        agree(&square, &sizes(), &operands.each_ref().map(values), &[0], true);
    }
}

#[test]
fn windows_choose_and_put_back() {
    let windows = Windows { size: 3, stride: 2 };
    let (planes, counts) = (shape(&["m", "7", "5"]), [Dim::constant(3), Dim::constant(2)]);
    let at = Value::Real(Tensor::new(vec![2, 7, 5], spread(70, 1)));
    let f = function("windows", std::slice::from_ref(&planes), |g, x| {
        let bent = g.elementwise(elementwise::SIN, &[x[0]]);
        let largest = g.pick(windows, bent, bent, counts.clone());
        let other = g.elementwise(elementwise::EXP, &[x[0]]);
        let picked = g.pick(windows, bent, other, counts.clone());
        let product = g.mul(largest, picked);
        vec![largest, g.put(windows, bent, product)]
    });
    agree(&f, &sizes(), &[at], &[0], true);
    // Of equal entries the first has the derivative.
    let f = function("ties", &[shape(&["1", "2", "2"])], |g, x| {
        let windows = Windows { size: 2, stride: 2 };
        let largest = g.pick(windows, x[0], x[0], [Dim::constant(1), Dim::constant(1)]);
        vec![g.sum_all(largest)]
    });
    let at = Value::Real(Tensor::new(vec![1, 2, 2], vec![0.0, 3.0, 3.0, 3.0]));
    let slope = oracle::evaluate(&gradient(&f, &[0]), &sizes(), &[at]);
    assert_eq!(slope[0].values, [0.0, 1.0, 0.0, 0.0]);
}
