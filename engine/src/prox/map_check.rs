//! What the universal tests of proximal maps and of projections share: random numbers, functions of arrays, and the check
//! of derivatives.

use crate::diff::{forward, reverse};
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::oracle::{Tensor, Value, directional, evaluate};
use crate::shape::{Dim, Shape, Sizes};

/// Uniform numbers from a seed (splitmix64).
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn between(&mut self, lo: f64, hi: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        lo + (hi - lo) * ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn array(&mut self, count: usize, (lo, hi): (f64, f64)) -> Vec<f64> {
        (0..count).map(|_| self.between(lo, hi)).collect()
    }
}

pub(crate) fn shape(sizes: &[i64]) -> Shape {
    Shape(sizes.iter().map(|s| Dim::constant(*s)).collect())
}

pub(crate) fn count(shape: &Shape) -> usize {
    shape.sizes(&Sizes::new()).unwrap().iter().product()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// A function of real inputs of these shapes.
pub(crate) fn function(shapes: &[Shape], build: impl FnOnce(&mut Graph, &[NodeId]) -> NodeId) -> Function {
    let mut g = Graph::new();
    let ids: Vec<NodeId> = shapes.iter().enumerate().map(|(i, s)| g.input(i, s.clone(), Elem::Real)).collect();
    let out = build(&mut g, &ids);
    let formal = |(i, s): (usize, &Shape)| Formal { name: format!("input {i}"), shape: s.clone(), elem: Elem::Real };
    Function::new("map", &g, shapes.iter().enumerate().map(formal).collect(), &[out])
}

fn inputs(f: &Function, x: &[Vec<f64>]) -> Vec<Value<f64>> {
    let tensor = |(formal, x): (&Formal, &Vec<f64>)| {
        Value::Real(Tensor::new(formal.shape.sizes(&Sizes::new()).unwrap(), x.clone()))
    };
    f.inputs.iter().zip(x).map(tensor).collect()
}

pub(crate) fn run(f: &Function, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    evaluate(f, &Sizes::new(), &inputs(f, x)).into_iter().map(|t| t.values).collect()
}

/// Products with the derivative of output 0 in all inputs together: forward mode, reverse mode, dual numbers and
/// central differences agree, and the Jacobian in input 0 is symmetric. False where a kink lies within the differences,
/// which then say nothing.
pub(crate) fn check_derivatives(name: &str, f: &Function, x: &[Vec<f64>], draws: &mut Draws) -> bool {
    let all: Vec<usize> = (0..x.len()).collect();
    let tangent: Vec<Vec<f64>> = x.iter().map(|x| draws.array(x.len(), (-1.0, 1.0))).collect();
    let forward = run(&forward::jvp(f, &all), &[x, tangent.as_slice()].concat()).swap_remove(0);

    let size = 1.0 + dot(&forward, &forward).sqrt();
    let direction: Vec<Option<Vec<f64>>> = tangent.iter().cloned().map(Some).collect();
    let dual = directional(f, &Sizes::new(), &inputs(f, x), &direction).1.swap_remove(0).values;
    assert!(distance(&forward, &dual) < 1e-12 * size, "{name}: forward {forward:?}, dual numbers {dual:?}");

    let moved = |h: f64| -> Vec<Vec<f64>> {
        let array = |(x, t): (&Vec<f64>, &Vec<f64>)| x.iter().zip(t).map(|(x, t)| x + h * t).collect();
        x.iter().zip(&tangent).map(array).collect()
    };
    let at = |h: f64| run(f, &moved(h)).swap_remove(0);
    let h = 1e-6;
    let jvp = forward::jvp(f, &all);
    let slope = |h: f64| run(&jvp, &[moved(h).as_slice(), tangent.as_slice()].concat()).swap_remove(0);
    let smooth = distance(&slope(h), &slope(-h)) < 1e-2 * size;
    let central: Vec<f64> = at(h).iter().zip(at(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect();
    assert!(
        !smooth || distance(&forward, &central) < 1e-7 * size,
        "{name}: forward {forward:?}, differences {central:?}"
    );

    let adjoint = draws.array(forward.len(), (-1.0, 1.0));
    let reverse = run(&reverse::vjp(f, &all), &[x, std::slice::from_ref(&adjoint)].concat());
    let paired: f64 = reverse.iter().zip(&tangent).map(|(a, t)| dot(a, t)).sum();
    assert!((paired - dot(&forward, &adjoint)).abs() < 1e-12 * size, "{name}: forward and reverse mode disagree");

    let along = |t: &Vec<f64>| run(&forward::jvp(f, &[0]), &[x, std::slice::from_ref(t)].concat()).swap_remove(0);
    let skew = dot(&adjoint, &along(&tangent[0])) - dot(&tangent[0], &along(&adjoint));
    assert!(skew.abs() < 1e-12 * size, "{name}: the Jacobian in the point is not symmetric, by {skew}");
    smooth
}

/// Every derivative at a point, also on a kink, is a number.
pub(crate) fn check_finite(name: &str, f: &Function, x: &[Vec<f64>]) {
    let all: Vec<usize> = (0..x.len()).collect();
    let ones: Vec<Vec<f64>> = x.iter().map(|x| vec![1.0; x.len()]).collect();
    let adjoint = vec![vec![1.0; x[0].len()]];
    let forward = run(&forward::jvp(f, &all), &[x, ones.as_slice()].concat());
    let reverse = run(&reverse::vjp(f, &all), &[x, adjoint.as_slice()].concat());
    for value in forward.iter().chain(&reverse).flatten() {
        assert!(value.is_finite(), "{name} at {x:?}: forward {forward:?}, reverse {reverse:?}");
    }
}
