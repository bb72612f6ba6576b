//! The universal test of proximal maps: every entry, with every shape of weights, alone, of slices, with squares, and with
//! the boxes that go with it. Nothing here knows an entry by name, so a new line in the table is tested already.

use super::{Arguments, Boxes, Joint, Modulus, Parameter, TABLE, find, recognize};
use crate::diff::forward;
use crate::elementwise;
use crate::graph::{Function, NodeId};
use crate::shape::{Dim, Shape};

pub(crate) use super::map_check::{Draws, check_derivatives, check_finite, count, distance, dot, function, run, shape};

/// Which box a case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BoxCase {
    None,
    NonNegative,
    NonPositive,
    /// Two numbers.
    Interval,
    /// Two arrays, some ends infinite.
    Arrays,
}

/// A map with shapes: inputs of `map` are v, step, weights, parameters and the ends of the box; those of `value` y, weights
/// and parameters.
struct Case {
    name: String,
    joint: Joint,
    weights: Vec<Shape>,
    map: Function,
    value: Function,
    bounds: BoxCase,
}

impl Case {
    fn new(joint: Joint, variable: &Shape, weights: Vec<Shape>, bounds: BoxCase) -> Case {
        let count = weights.len();
        let mut shapes = [&[variable.clone(), Shape::scalar()], weights.as_slice()].concat();
        match bounds {
            BoxCase::Interval => shapes.extend([Shape::scalar(), Shape::scalar()]),
            BoxCase::Arrays => shapes.extend([variable.clone(), variable.clone()]),
            _ => {}
        }
        let map = function(&shapes, |g, ids| {
            let bounds = match bounds {
                BoxCase::None => None,
                BoxCase::NonNegative => Some((g.constant(0.0), g.constant(f64::INFINITY))),
                BoxCase::NonPositive => Some((g.constant(f64::NEG_INFINITY), g.constant(0.0))),
                BoxCase::Interval | BoxCase::Arrays => Some((ids[2 + count], ids[3 + count])),
            };
            joint.apply(g, &Arguments { v: ids[0], step: ids[1], weights: &ids[2..2 + count], bounds })
        });
        let shapes = [std::slice::from_ref(variable), weights.as_slice()].concat();
        let value = function(&shapes, |g, ids| {
            let own = count - usize::from(joint.squared);
            let value = Joint { squared: false, ..joint.clone() }.value(g, ids[0], &ids[1..=own]);
            if !joint.squared {
                return value;
            }
            let squares = g.elementwise(elementwise::SQUARE, &ids[..1]);
            let squares = g.sum_all(squares);
            let squares = g.mul(ids[1 + own], squares);
            g.add(value, squares)
        });
        let Joint { entry, each, squared, .. } = joint;
        let name = format!("{} on {variable} with {weights:?}, {bounds:?}, each {each}, squares {squared}", entry.name);
        Case { name, joint, weights, map, value, bounds }
    }

    /// Every entry on variables of these shapes and in slices of them.
    fn on(shapes: &[Shape]) -> Vec<Case> {
        let mut cases = Vec::new();
        for entry in TABLE {
            let fits = |s: &&Shape| entry.rank.is_none_or(|rank| rank == s.rank());
            for slice in shapes.iter().filter(fits) {
                // squares are the same map, in slices or not
                for (each, squared) in [(false, false), (false, true), (true, false)] {
                    if each && (!entry.in_slices || slice.is_scalar()) || squared && entry.parts.contains(&"squared_l2")
                    {
                        continue;
                    }
                    let lead = if each { vec![Dim::constant(2)] } else { Vec::new() };
                    let variable = Shape([lead.clone(), slice.0.clone()].concat());
                    let mut choices: Vec<Vec<Shape>> = vec![Vec::new()];
                    for weight in entry.weights {
                        let mut options = vec![Shape::scalar()];
                        if each {
                            options.push(Shape(lead.clone()));
                        } else if !variable.is_scalar() {
                            options.extend(weight.array(&variable, &groups(&variable)));
                        }
                        choices = choices
                            .iter()
                            .flat_map(|c| options.iter().map(|o| [c.as_slice(), std::slice::from_ref(o)].concat()))
                            .collect();
                    }
                    for mut weights in choices {
                        let array = |p: &Parameter| if p.is_array { slice.clone() } else { Shape::scalar() };
                        weights.extend(entry.parameters.iter().map(array));
                        weights.extend(squared.then(Shape::scalar));
                        let joint = Joint { each, squared, ..Joint::of(entry) };
                        cases.extend(
                            boxes(entry.boxes).iter().map(|b| Case::new(joint.clone(), &variable, weights.clone(), *b)),
                        );
                    }
                }
            }
        }
        cases
    }

    fn all() -> Vec<Case> {
        Case::on(&[shape(&[12]), shape(&[4, 3]), shape(&[4, 1]), shape(&[])])
    }

    fn draw(&self, draws: &mut Draws) -> Vec<Vec<f64>> {
        let n = count(&self.map.inputs[0].shape);
        let mut x = vec![draws.array(n, (-2.0, 2.0)), draws.array(1, (0.3, 1.0))];
        let (parts, parameters) = (self.joint.entry.parts.len(), self.joint.entry.parameters);
        let range = |i: usize| parameters.get(i.wrapping_sub(parts)).map_or((0.05, 0.9), |p| p.sample);
        x.extend(self.weights.iter().enumerate().map(|(i, w)| draws.array(count(w), range(i))));
        let ends = x.len();
        match self.bounds {
            BoxCase::Interval => x.extend([draws.array(1, (-1.0, -0.1)), draws.array(1, (0.1, 1.0))]),
            BoxCase::Arrays => {
                x.extend([draws.array(n, (-1.0, -0.1)), draws.array(n, (0.1, 1.0))]);
                x[ends][0] = f64::NEG_INFINITY;
                x[ends + 1][n - 1] = f64::INFINITY;
            }
            _ => {}
        }
        x
    }

    /// The same with a box that may leave 0 out.
    fn draw_away(&self, draws: &mut Draws) -> Vec<Vec<f64>> {
        let mut x = self.draw(draws);
        if matches!(self.bounds, BoxCase::Interval | BoxCase::Arrays) {
            let ends = x.len() - 2;
            let move_by = draws.between(-2.0, 2.0);
            x[ends..].iter_mut().flatten().for_each(|end| *end += move_by);
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

    /// `step*g(u) + normsq(u - v)/2`
    fn cost(&self, u: &[f64], x: &[Vec<f64>]) -> f64 {
        x[1][0] * self.g(u, x) + distance(u, &x[0]).powi(2) / 2.0
    }

    fn inside(&self, u: &mut [f64], x: &[Vec<f64>]) {
        let ends = |i: usize| match self.bounds {
            BoxCase::None => (f64::NEG_INFINITY, f64::INFINITY),
            BoxCase::NonNegative => (0.0, f64::INFINITY),
            BoxCase::NonPositive => (f64::NEG_INFINITY, 0.0),
            BoxCase::Interval => (x[x.len() - 2][0], x[x.len() - 1][0]),
            BoxCase::Arrays => (x[x.len() - 2][i], x[x.len() - 1][i]),
        };
        u.iter_mut().enumerate().for_each(|(i, u)| *u = u.max(ends(i).0).min(ends(i).1));
    }

    /// Sets the weights, not the parameters.
    fn weigh(&self, x: &mut [Vec<f64>], change: impl Fn(&mut f64)) {
        let parts = self.joint.entry.parts.len();
        let own = (2..2 + parts).chain(self.joint.squared.then(|| 1 + self.weights.len()));
        own.for_each(|k| x[k].iter_mut().for_each(&change));
    }

    /// The modulus of weak convexity at the weights of a draw; squares take some of it away, which is left out.
    fn modulus(&self, x: &[Vec<f64>]) -> Option<f64> {
        match self.joint.entry.modulus {
            Modulus::Convex => Some(0.0),
            Modulus::Infinite => None,
            Modulus::Weak(_, formula) => {
                let f = function(&self.weights, formula);
                Some(run(&f, &x[2..2 + self.weights.len()])[0][0])
            }
        }
    }

    fn is_convex(&self) -> bool {
        self.joint.entry.modulus.is_convex()
    }
}

/// Four groups of the larger variables of the tests, two of the small ones.
fn groups(variable: &Shape) -> Dim {
    let n = count(variable);
    Dim::constant(if n.is_multiple_of(4) {
        4
    } else if n.is_multiple_of(2) {
        2
    } else {
        n as i64
    })
}

fn boxes(kind: Boxes) -> &'static [BoxCase] {
    use BoxCase::{Arrays, Interval, NonNegative, NonPositive, None};
    match kind {
        Boxes::Unknown => &[None],
        Boxes::Signs => &[None, NonNegative, NonPositive],
        Boxes::Interval => &[None, NonNegative, Interval],
        Boxes::Any => &[None, NonNegative, NonPositive, Arrays],
    }
}

/// `<v - p, u - p> <= step*(g(u) - g(p))` for all u says that p minimizes `step*g(u) + normsq(u - v)/2`. Tried far
/// away, near by, and with zeros put in, where g has its kinks.
#[test]
fn proxes_of_convex_terms_are_optimal() {
    let mut draws = Draws(1);
    for case in Case::all().iter().filter(|c| c.is_convex()) {
        for round in 0..8 {
            let x = if round % 2 == 0 { case.draw(&mut draws) } else { case.draw_away(&mut draws) };
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

/// No point of a grid, refined around its best points, is better than the prox.
#[test]
fn no_point_of_a_grid_is_better() {
    let mut draws = Draws(7);
    for case in Case::on(&[shape(&[1]), shape(&[2]), shape(&[3]), shape(&[1, 2]), shape(&[2, 1])]) {
        let n = count(&case.map.inputs[0].shape);
        if n > 3 || n == 3 && case.joint.squared {
            continue;
        }
        for round in 0..[0, 6, 3, 3][n] {
            let mut x = if round % 2 == 0 { case.draw(&mut draws) } else { case.draw_away(&mut draws) };
            if round % 3 == 2 {
                // steps that are long for what is not convex
                x[1][0] *= 4.0;
            }
            let p = case.map(&x);
            let at_p = case.cost(&p, &x);
            let mut centers = vec![vec![0.0; n]];
            let mut radius = 3.0;
            for _ in 0..4 {
                let around: Vec<Vec<f64>> = centers.iter().flat_map(|c| lattice(c, radius, &x[0])).collect();
                let mut tried: Vec<(f64, Vec<f64>)> = around
                    .into_iter()
                    .map(|mut u| {
                        case.inside(&mut u, &x);
                        (case.cost(&u, &x), u)
                    })
                    .collect();
                tried.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (best, u) = &tried[0];
                assert!(at_p <= best + 1e-12, "{}: {x:?}: {p:?} costs {at_p}, {u:?} costs {best}", case.name);
                centers = tried.into_iter().take(2).map(|(_, u)| u).collect();
                radius *= 0.3;
            }
        }
    }
}

/// Points around a center, each entry also 0 and that of v.
fn lattice(center: &[f64], radius: f64, v: &[f64]) -> Vec<Vec<f64>> {
    let most = [0, 61, 9, 5][center.len()];
    let mut points = vec![Vec::new()];
    for (c, v) in center.iter().zip(v) {
        let step = 2.0 * radius / f64::from(most - 1);
        let values: Vec<f64> = (0..most).map(|k| c - radius + step * f64::from(k)).chain([0.0, *v]).collect();
        points = points.iter().flat_map(|p| values.iter().map(|u| [p.as_slice(), &[*u]].concat())).collect();
    }
    points
}

/// `prox` stays in the box, and expands by at most `1/(1 - step rho)` while that is above zero (Rockafellar and Wets,
/// Variational Analysis, 1998, proposition 12.19).
#[test]
fn proxes_stay_in_the_box_and_expand_no_more_than_they_may() {
    let mut draws = Draws(2);
    for case in Case::all() {
        for round in 0..20 {
            let x = if round % 2 == 0 { case.draw(&mut draws) } else { case.draw_away(&mut draws) };
            let p = case.map(&x);
            let mut inside = p.clone();
            case.inside(&mut inside, &x);
            assert_eq!(p, inside, "{}", case.name);
            let Some(rho) = case.modulus(&x).filter(|rho| x[1][0] * rho < 0.95) else { continue };
            let mut other = x.clone();
            other[0] = draws.array(p.len(), (-2.0, 2.0));
            let q = case.map(&other);
            let most = distance(&x[0], &other[0]) / (1.0 - x[1][0] * rho);
            assert!(distance(&p, &q) <= most + 1e-14, "{}", case.name);
        }
    }
}

/// `g + rho/2 normsq` is convex between any two points, and for nine tenths of rho it is not.
#[test]
fn moduli_are_the_least() {
    let mut draws = Draws(8);
    for case in Case::all().iter().filter(|c| c.bounds == BoxCase::None && !c.joint.squared) {
        let x = case.draw(&mut draws);
        let Some(rho) = case.modulus(&x) else { continue };
        let mut bent = false;
        for trial in 0..300 {
            let scale = [2.0, 0.2, 0.02][trial % 3];
            let u = draws.array(x[0].len(), (-1.5, 1.5));
            let w: Vec<f64> = u.iter().map(|u| u + draws.between(-scale, scale)).collect();
            let middle: Vec<f64> = u.iter().zip(&w).map(|(u, w)| (u + w) / 2.0).collect();
            let slack = (case.g(&u, &x) + case.g(&w, &x)) / 2.0 - case.g(&middle, &x);
            let room = distance(&u, &w).powi(2) / 8.0;
            assert!(slack + rho * room >= -1e-12, "{}", case.name);
        }
        // along the axis of the largest weight, in the bent piece
        let largest = (0..x[0].len()).max_by(|a, b| weight(&x[2], *a).total_cmp(&weight(&x[2], *b))).unwrap_or(0);
        for k in 1..400 {
            let at = |r: f64| {
                let mut u = vec![0.0; x[0].len()];
                u[largest] = r;
                case.g(&u, &x)
            };
            let (r, h) = (f64::from(k) * 0.005, 0.002);
            let slack = (at(r - h) + at(r + h)) / 2.0 - at(r);
            bent |= slack + 0.9 * rho * h * h / 2.0 < -1e-10;
        }
        assert_eq!(bent, rho > 0.0, "{}", case.name);
    }
}

fn weight(weights: &[f64], entry: usize) -> f64 {
    weights.get(entry).copied().unwrap_or(weights[0])
}

/// Terms are even, so their proxes are odd.
#[test]
fn proxes_are_odd() {
    let mut draws = Draws(9);
    for case in Case::all().iter().filter(|c| c.bounds == BoxCase::None) {
        let mut x = case.draw(&mut draws);
        let (p, g) = (case.map(&x), case.g(&x[0], &x));
        x[0].iter_mut().for_each(|v| *v = -*v);
        let negative: Vec<f64> = case.map(&x).iter().map(|p| -p).collect();
        assert!(distance(&p, &negative) < 1e-14, "{}: {p:?} and {negative:?}", case.name);
        assert!((case.g(&x[0], &x) - g).abs() < 1e-14, "{}", case.name);
    }
}

/// Only the product of step and weights counts.
#[test]
fn weights_scale_as_steps_do() {
    let mut draws = Draws(10);
    for case in Case::all() {
        let x = case.draw(&mut draws);
        let mut scaled = x.clone();
        scaled[1][0] /= 4.0;
        case.weigh(&mut scaled, |w| *w *= 4.0);
        assert!(distance(&case.map(&x), &case.map(&scaled)) < 1e-14, "{}", case.name);
    }
}

#[test]
fn derivatives_of_proxes_in_point_step_weights_and_box() {
    let mut draws = Draws(3);
    for case in Case::all() {
        let mut smooth = 0;
        for round in 0..4 {
            let x = if round < 3 { case.draw(&mut draws) } else { case.draw_away(&mut draws) };
            smooth += u32::from(check_derivatives(&case.name, &case.map, &x, &mut draws));
        }
        assert!(smooth >= 3, "{}: kinks at {} of 4 random points", case.name, 4 - smooth);
    }
}

#[test]
fn derivatives_of_proxes_are_finite_on_kinks() {
    let mut draws = Draws(4);
    for case in Case::all() {
        let mut x = case.draw(&mut draws);
        x[0].fill(0.0);
        check_finite(&case.name, &case.map, &x);
        case.weigh(&mut x, |w| *w = 0.0);
        check_finite(&case.name, &case.map, &x);
        assert!(case.map(&x).iter().all(|p| *p == 0.0), "{}", case.name);
    }
}

/// Finite numbers of any size have finite proxes, which grow no larger than the point.
#[test]
fn proxes_of_numbers_of_any_size_are_finite() {
    let mut draws = Draws(11);
    for case in Case::all().iter().filter(|c| c.bounds == BoxCase::None) {
        for exponent in [-300, -160, -100, 100, 150, 300] {
            for weight in [-300, 0, 300] {
                let mut x = case.draw(&mut draws);
                x[0].iter_mut().for_each(|v| *v *= 10.0_f64.powi(exponent));
                case.weigh(&mut x, |w| *w *= 10.0_f64.powi(weight));
                let largest = x[0].iter().fold(0.0, |m: f64, v| m.max(v.abs()));
                let p = case.map(&x);
                let fits = |p: &f64| p.is_finite() && p.abs() <= largest * (1.0 + 1e-12);
                assert!(p.iter().all(fits), "{}: 1e{exponent}, weight 1e{weight}: {x:?} to {p:?}", case.name);
            }
        }
    }
}

/// With weights zero a prox is the identity, and its Jacobian too, on kinks as well; with a box, the nearest point.
#[test]
fn a_weight_of_zero_is_no_term() {
    let mut draws = Draws(5);
    for case in Case::all() {
        let mut x = case.draw(&mut draws);
        case.weigh(&mut x, |w| *w = 0.0);
        if case.bounds != BoxCase::None {
            let mut nearest = x[0].clone();
            case.inside(&mut nearest, &x);
            assert_eq!(case.map(&x), nearest, "{}", case.name);
            continue;
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
    for case in Case::all().iter().filter(|c| c.bounds == BoxCase::None && !c.joint.squared && !c.joint.each) {
        let f = &case.value;
        let mut g = f.graph().clone();
        let atoms = recognize(&mut g, f.outputs()[0], &|_, id| (id == f.input(0)).then_some(7)).unwrap();
        if case.map.inputs[0].shape.is_scalar() {
            // Norms of a number are all one term, which has the value of each.
            let mut total = g.constant(0.0);
            for atom in &atoms {
                let weights = [&[atom.weight], atom.parameters.as_slice()].concat();
                let value = (atom.entry.value)(&mut g, f.input(0), &weights);
                total = g.add(total, value);
            }
            let found = Function::new("found", &g, f.inputs.clone(), &[total]);
            let x = case.draw(&mut Draws(6));
            let x = [&x[..1], &x[2..2 + case.weights.len()]].concat();
            let (found, value) = (run(&found, &x)[0][0], run(f, &x)[0][0]);
            assert!((found - value).abs() < 1e-14, "{}: {value} became {found}", case.name);
            continue;
        }
        let entry = case.joint.entry;
        let mut found: Vec<_> = atoms.iter().map(|a| (a.entry.name, a.weight, a.variable, a.each)).collect();
        found.sort_unstable();
        let part = |(i, p): (usize, &&'static str)| (*p, f.input(1 + i), 7, case.joint.each);
        let mut parts: Vec<_> = entry.parts.iter().enumerate().map(part).collect();
        parts.sort_unstable();
        assert_eq!(found, parts, "{}", case.name);
        if let [atom] = atoms.as_slice() {
            let own: Vec<NodeId> = (0..entry.parameters.len()).map(|i| f.input(2 + i)).collect();
            assert_eq!(atom.parameters, own, "{}", case.name);
        }
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
        assert!(e.parts.len() == 1 || e.parameters.is_empty(), "{}: parameters belong to a part", e.name);
        let reversed: Vec<&str> = e.parts.iter().rev().copied().collect();
        assert_eq!(find(&reversed).map(|e| e.name), Some(e.name));
    }
    assert!(find(&["l1", "l1"]).is_none());
    assert!(find(&[]).is_none());
}
