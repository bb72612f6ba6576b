//! The universal test of proximal maps: every entry, with every shape of weights, with and without a box. Nothing here
//! knows an entry by name, so a new line in the table is tested already.

use super::{Arguments, Entry, TABLE, find, recognize};
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
/// central differences agree, and the Jacobian in input 0 is symmetric.
pub(crate) fn check_derivatives(name: &str, f: &Function, x: &[Vec<f64>], draws: &mut Draws) {
    let all: Vec<usize> = (0..x.len()).collect();
    let tangent: Vec<Vec<f64>> = x.iter().map(|x| draws.array(x.len(), (-1.0, 1.0))).collect();
    let forward = run(&forward::jvp(f, &all), &[x, tangent.as_slice()].concat()).swap_remove(0);

    let direction: Vec<Option<Vec<f64>>> = tangent.iter().cloned().map(Some).collect();
    let dual = directional(f, &Sizes::new(), &inputs(f, x), &direction).1.swap_remove(0).values;
    assert!(distance(&forward, &dual) < 1e-12, "{name}: forward {forward:?}, dual numbers {dual:?}");

    let at = |h: f64| {
        let moved = |(x, t): (&Vec<f64>, &Vec<f64>)| x.iter().zip(t).map(|(x, t)| x + h * t).collect();
        run(f, &x.iter().zip(&tangent).map(moved).collect::<Vec<Vec<f64>>>()).swap_remove(0)
    };
    let h = 1e-6;
    let central: Vec<f64> = at(h).iter().zip(at(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect();
    assert!(distance(&forward, &central) < 1e-7, "{name}: forward {forward:?}, differences {central:?}");

    let adjoint = draws.array(forward.len(), (-1.0, 1.0));
    let reverse = run(&reverse::vjp(f, &all), &[x, std::slice::from_ref(&adjoint)].concat());
    let paired: f64 = reverse.iter().zip(&tangent).map(|(a, t)| dot(a, t)).sum();
    assert!((paired - dot(&forward, &adjoint)).abs() < 1e-12, "{name}: forward and reverse mode disagree");

    let along = |t: &Vec<f64>| run(&forward::jvp(f, &[0]), &[x, std::slice::from_ref(t)].concat()).swap_remove(0);
    let skew = dot(&adjoint, &along(&tangent[0])) - dot(&tangent[0], &along(&adjoint));
    assert!(skew.abs() < 1e-12, "{name}: the Jacobian in the point is not symmetric, by {skew}");
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

/// An entry with shapes: inputs of `map` are v, step, weights and the ends of the box; those of `value` y and weights.
struct Case {
    name: String,
    entry: &'static Entry,
    weights: Vec<Shape>,
    map: Function,
    value: Function,
    with_box: bool,
}

impl Case {
    fn new(entry: &'static Entry, variable: &Shape, weights: Vec<Shape>, with_box: bool) -> Case {
        let parts = weights.len();
        let mut shapes = [&[variable.clone(), Shape::scalar()], weights.as_slice()].concat();
        if with_box {
            shapes.extend([variable.clone(), variable.clone()]);
        }
        let map = function(&shapes, |g, ids| {
            let bounds = with_box.then(|| (ids[2 + parts], ids[3 + parts]));
            (entry.apply)(g, &Arguments { v: ids[0], step: ids[1], weights: &ids[2..2 + parts], bounds })
        });
        let shapes = [std::slice::from_ref(variable), weights.as_slice()].concat();
        let value = function(&shapes, |g, ids| (entry.value)(g, ids[0], &ids[1..]));
        let name = format!("{} on {variable} with weights {weights:?}, box {with_box}", entry.name);
        Case { name, entry, weights, map, value, with_box }
    }

    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for entry in TABLE {
            for variable in [shape(&[12]), shape(&[4, 3]), shape(&[4, 1]), shape(&[])] {
                let mut choices: Vec<Vec<Shape>> = vec![Vec::new()];
                for weight in entry.weights {
                    let mut options = vec![Shape::scalar()];
                    if !variable.is_scalar() {
                        options.extend(weight.array(&variable, &Dim::constant(4)));
                    }
                    choices = choices
                        .iter()
                        .flat_map(|c| options.iter().map(|o| [c.as_slice(), std::slice::from_ref(o)].concat()))
                        .collect();
                }
                for weights in choices {
                    cases.extend(entry.merges_box.then(|| Case::new(entry, &variable, weights.clone(), true)));
                    cases.push(Case::new(entry, &variable, weights, false));
                }
            }
        }
        cases
    }

    fn draw(&self, draws: &mut Draws) -> Vec<Vec<f64>> {
        let n = count(&self.map.inputs[0].shape);
        let mut x = vec![draws.array(n, (-2.0, 2.0)), draws.array(1, (0.3, 1.0))];
        x.extend(self.weights.iter().map(|w| draws.array(count(w), (0.05, 0.9))));
        if self.with_box {
            x.push(draws.array(n, (-1.0, -0.1)));
            x.push(draws.array(n, (0.1, 1.0)));
            let ends = x.len() - 2;
            x[ends][0] = f64::NEG_INFINITY;
            x[ends + 1][n - 1] = f64::INFINITY;
        }
        x
    }

    fn map(&self, x: &[Vec<f64>]) -> Vec<f64> {
        run(&self.map, x).swap_remove(0)
    }

    /// `g(u)` with the weights of a draw.
    fn g(&self, u: &[f64], x: &[Vec<f64>]) -> f64 {
        run(&self.value, &[&[u.to_vec()], &x[2..2 + self.weights.len()]].concat())[0][0]
    }

    fn inside(&self, u: &mut [f64], x: &[Vec<f64>]) {
        if self.with_box {
            let (lo, hi) = (&x[x.len() - 2], &x[x.len() - 1]);
            u.iter_mut().enumerate().for_each(|(i, u)| *u = u.max(lo[i]).min(hi[i]));
        }
    }
}

/// `<v - p, u - p> <= step*(g(u) - g(p))` for all u says that p minimizes `step*g(u) + normsq(u - v)/2`. Tried far
/// away, near by, and with zeros put in, where g has its kinks.
#[test]
fn proxes_are_optimal() {
    let mut draws = Draws(1);
    for case in Case::all() {
        for _ in 0..8 {
            let x = case.draw(&mut draws);
            let (v, step, p) = (&x[0], x[1][0], case.map(&x));
            let at_p = case.g(&p, &x);
            for trial in 0..60 {
                let scale = [2.0, 0.1, 1e-3][trial % 3];
                let mut u: Vec<f64> = p.iter().map(|p| p + draws.between(-scale, scale)).collect();
                if trial % 2 == 0 {
                    u.iter_mut().for_each(|u| *u *= f64::from(draws.between(-1.0, 1.0) > 0.0));
                }
                case.inside(&mut u, &x);
                let inner: f64 = (0..p.len()).map(|i| (v[i] - p[i]) * (u[i] - p[i])).sum();
                let gain = step * (case.g(&u, &x) - at_p);
                assert!(inner <= gain + 1e-13, "{}: v {v:?}, p {p:?}, u {u:?}: {inner} > {gain}", case.name);
            }
        }
    }
}

#[test]
fn proxes_with_a_box_stay_in_it_and_none_expands() {
    let mut draws = Draws(2);
    for case in Case::all() {
        for _ in 0..20 {
            let x = case.draw(&mut draws);
            let p = case.map(&x);
            let mut inside = p.clone();
            case.inside(&mut inside, &x);
            assert_eq!(p, inside, "{}", case.name);
            let mut other = x.clone();
            other[0] = draws.array(p.len(), (-2.0, 2.0));
            let q = case.map(&other);
            assert!(distance(&p, &q) <= distance(&x[0], &other[0]) + 1e-14, "{}", case.name);
        }
    }
}

#[test]
fn derivatives_of_proxes_in_point_step_weights_and_box() {
    let mut draws = Draws(3);
    for case in Case::all() {
        for _ in 0..5 {
            let x = case.draw(&mut draws);
            check_derivatives(&case.name, &case.map, &x, &mut draws);
        }
    }
}

#[test]
fn derivatives_of_proxes_are_finite_on_kinks() {
    let mut draws = Draws(4);
    for case in Case::all() {
        let mut x = case.draw(&mut draws);
        x[0].fill(0.0);
        check_finite(&case.name, &case.map, &x);
        for k in 0..case.weights.len() {
            x[2 + k].fill(0.0);
        }
        check_finite(&case.name, &case.map, &x);
        assert!(case.map(&x).iter().all(|p| *p == 0.0), "{}", case.name);
    }
}

/// With weights zero a prox is the identity, and its Jacobian too, on kinks as well.
#[test]
fn a_weight_of_zero_is_no_term() {
    let mut draws = Draws(5);
    for case in Case::all().into_iter().filter(|c| !c.with_box) {
        let mut x = case.draw(&mut draws);
        for k in 0..case.weights.len() {
            x[2 + k].fill(0.0);
        }
        let tangent = vec![draws.array(x[0].len(), (-1.0, 1.0))];
        for _ in 0..2 {
            assert_eq!(case.map(&x), x[0], "{}", case.name);
            let along = run(&forward::jvp(&case.map, &[0]), &[x.as_slice(), tangent.as_slice()].concat());
            assert_eq!(along, tangent, "{} at {:?}", case.name, x[0]);
            x[0].fill(0.0);
        }
    }
}

/// What an entry values is what recognition finds: the parts, with the very weights.
#[test]
fn values_are_recognized_as_their_parts() {
    for case in Case::all() {
        let f = &case.value;
        let mut g = f.graph().clone();
        let atoms = recognize(&mut g, f.outputs()[0], &|_, id| (id == f.input(0)).then_some(7)).unwrap();
        if case.map.inputs[0].shape.is_scalar() {
            // Norms of a number are all one term, which has the value of each.
            let mut total = g.constant(0.0);
            for atom in &atoms {
                let value = (atom.entry.value)(&mut g, f.input(0), &[atom.weight]);
                total = g.add(total, value);
            }
            let found = Function::new("found", &g, f.inputs.clone(), &[total]);
            let x = case.draw(&mut Draws(6));
            let x = [&x[..1], &x[2..2 + case.weights.len()]].concat();
            let (found, value) = (run(&found, &x)[0][0], run(f, &x)[0][0]);
            assert!((found - value).abs() < 1e-14, "{}: {value} became {found}", case.name);
            continue;
        }
        let mut found: Vec<_> = atoms.iter().map(|a| (a.entry.name, a.weight, a.variable)).collect();
        found.sort_unstable();
        let mut parts: Vec<_> = case.entry.parts.iter().enumerate().map(|(i, p)| (*p, f.input(1 + i), 7)).collect();
        parts.sort_unstable();
        assert_eq!(found, parts, "{}", case.name);
    }
}

#[test]
fn the_table_is_sorted_documented_and_consistent() {
    assert!(TABLE.is_sorted_by(|a, b| a.name < b.name), "names are sorted and unique");
    for e in TABLE {
        assert!([e.doc, e.formula, e.source].iter().all(|text| !text.is_empty()), "{}", e.name);
        assert_eq!(e.parts.len(), e.weights.len(), "{}", e.name);
        assert!(e.parts.iter().all(|p| TABLE.iter().any(|e| e.parts == [*p] && e.name == *p)), "{}", e.name);
        for given in [e.recognize.is_some(), !e.call.is_empty(), !e.elsewhere.is_empty()] {
            assert_eq!(given, e.parts.len() == 1, "{}", e.name);
        }
        let reversed: Vec<&str> = e.parts.iter().rev().copied().collect();
        assert_eq!(find(&reversed, false).map(|e| e.name), Some(e.name));
        assert_eq!(find(&reversed, true).is_some(), e.merges_box);
    }
    assert!(find(&["l1", "l1"], false).is_none());
    assert!(find(&[], false).is_none());
}
