//! The map of all terms on a variable together.
//!
//! Beside the entries of the table there are two ways to make maps of maps. A sum over the slices of the leading axis is
//! the entry's map of each slice. And squares with one weight go with every g, convex or not:
//! `t g(u) + t2 normsq(u) + normsq(u - v)/2` is `(1 + 2 t2)` times `t/(1 + 2 t2) g(u) + normsq(u - v/(1 + 2 t2))/2`, but for
//! a constant (Parikh and Boyd, Proximal Algorithms, 2014, section 2.2). Groups may also be disjoint parts of a sequence, one
//! term for each.

use std::sync::Arc;

use super::norms::group_l2;
use super::separable::l1;
use super::{Arguments, Atom, Boxes, Entry, Place, find};
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::shape::Shape;

/// The map of some atoms on one variable.
#[derive(Clone, Debug)]
pub struct Joint {
    /// The entry.
    pub entry: &'static Entry,
    /// The entry's map of every slice of the leading axis.
    pub each: bool,
    /// Squares are added; their weight is the last one.
    pub squared: bool,
    /// Disjoint parts of a sequence that are groups, in place of groups of all of it. The weights begin with one per part.
    pub places: Vec<Place>,
}

const SQUARES: &str = "squared_l2";

const GROUPS: &str = "group_l2";

impl Joint {
    /// The map of an entry alone.
    pub fn of(entry: &'static Entry) -> Joint {
        Joint { entry, each: false, squared: false, places: Vec::new() }
    }

    /// The map of an atom alone.
    pub fn of_atom(atom: &Atom) -> Joint {
        Joint { each: atom.each, places: atom.place.clone().into_iter().collect(), ..Joint::of(atom.entry) }
    }

    /// The map of these atoms, one per term of a variable, with a box of this kind (`Unknown`: none). `scalars` says for
    /// each atom whether its weight is a number. `None` where no map is known.
    pub fn find(atoms: &[&Atom], scalars: &[bool], with_box: Option<Boxes>) -> Option<Joint> {
        let places: Vec<Place> = atoms.iter().filter_map(|a| a.place.clone()).collect();
        let mut names: Vec<&str> = atoms.iter().filter(|a| a.place.is_none()).map(|a| a.entry.name).collect();
        if !places.is_empty() {
            let apart = |i: usize| places[i + 1..].iter().all(|other| places[i].is_disjoint(other));
            if names.contains(&GROUPS) || !(0..places.len()).all(apart) {
                return None;
            }
            names.push(GROUPS);
        }
        let fits = |joint: Joint, atoms: &[&Atom], scalars: &[bool]| {
            let shaped = joint.entry.parts.iter().zip(joint.entry.weights).all(|(part, shape)| {
                let at = atoms.iter().position(|a| a.entry.name == *part);
                at.is_some_and(|at| scalars[at] || joint.each || !shape.is_number())
            });
            let boxed = with_box.is_none_or(|kind| kind != Boxes::Unknown && kind <= joint.entry.boxes);
            (shaped && boxed).then_some(joint)
        };
        if let Some(entry) = find(&names) {
            let each = atoms.iter().any(|a| a.each);
            // A separable term with one weight for all is the same in every slice.
            let alike = |(a, one): (&&Atom, &bool)| a.each == each || (*one && a.entry.boxes == Boxes::Any);
            let same = atoms.iter().zip(scalars).all(alike);
            if same && let Some(joint) = fits(Joint { each, places, ..Joint::of(entry) }, atoms, scalars) {
                return Some(joint);
            }
        }
        let squares = atoms.iter().position(|a| a.entry.name == SQUARES).filter(|at| scalars[*at])?;
        let (mut rest, mut numbers) = (atoms.to_vec(), scalars.to_vec());
        rest.remove(squares);
        numbers.remove(squares);
        let joint = Joint::find(&rest, &numbers, with_box)?;
        (!joint.squared).then_some(Joint { squared: true, ..joint })
    }

    /// The atoms in the order of the map's weights.
    pub fn order<'a>(&self, atoms: &[&'a Atom]) -> Vec<&'a Atom> {
        let parts = self.entry.parts.iter().copied().chain(self.squared.then_some(SQUARES));
        let of = |part: &'static str| atoms.iter().copied().filter(move |a| a.entry.name == part);
        let ordered: Vec<&Atom> = parts.flat_map(of).collect();
        debug_assert_eq!(ordered.len(), atoms.len(), "the map is of these atoms");
        ordered
    }

    /// The name of the map in listings.
    pub fn name(&self) -> String {
        if self.squared { format!("{} + squares", self.entry.name) } else { self.entry.name.into() }
    }

    /// A point that minimizes `step*g(u) + normsq(u - v)/2`, over the box if there is one. The weights are one per part of
    /// the entry, its parameters, and the weight of the squares.
    pub fn apply(&self, g: &mut Graph, a: &Arguments) -> NodeId {
        if self.squared {
            let (squares, weights) = a.weights.split_last().expect("the weight of the squares");
            let t = g.mul(a.step, *squares);
            let twice = g.scale(2.0, t);
            let one = g.constant(1.0);
            let divisor = g.add(one, twice);
            let (v, step) = (g.div(a.v, divisor), g.div(a.step, divisor));
            let rest = Joint { squared: false, ..self.clone() };
            return rest.apply(g, &Arguments { v, step, weights, bounds: a.bounds });
        }
        if !self.places.is_empty() {
            return self.apply_to_parts(g, a);
        }
        if !self.each {
            return (self.entry.apply)(g, a);
        }
        let parts = self.entry.parts.len();
        let varies = |g: &Graph, node: NodeId| (node, !g.shape(node).is_scalar());
        let mut args = vec![(a.v, true), (a.step, false)];
        args.extend(a.weights[..parts].iter().map(|w| varies(g, *w)));
        args.extend(a.weights[parts..].iter().map(|p| (*p, false)));
        args.extend(a.bounds.into_iter().flat_map(|(lo, hi)| [varies(g, lo), varies(g, hi)]));
        let end = 2 + a.weights.len();
        self.slices(g, &args, |g, x| {
            let bounds = (x.len() > end).then(|| (x[end], x[end + 1]));
            (self.entry.apply)(g, &Arguments { v: x[0], step: x[1], weights: &x[2..end], bounds })
        })
    }

    /// Groups that are parts of a sequence, with `norm1` where the entry has it. Other entries are only thresholded; as for
    /// groups of all entries, shrinking keeps signs and zeros.
    fn apply_to_parts(&self, g: &mut Graph, a: &Arguments) -> NodeId {
        let (groups, others) = a.weights.split_at(self.places.len());
        let v = match others {
            [l1] => {
                let t = g.mul(a.step, *l1);
                l1::soft(g, a.v, t)
            }
            _ => a.v,
        };
        let v = a.clipped(g, v);
        let parts: Vec<(&Place, NodeId)> =
            self.places.iter().zip(groups).map(|(place, w)| (place, g.mul(a.step, *w))).collect();
        group_l2::shrink_parts(g, v, &parts)
    }

    /// `g(y)`, of one entry without squares.
    pub fn value(&self, g: &mut Graph, y: NodeId, weights: &[NodeId]) -> NodeId {
        if let [place] = self.places.as_slice() {
            let part = g.slice(y, 0, &place.start, place.step, &place.length);
            return (self.entry.value)(g, part, weights);
        }
        if !self.each {
            return (self.entry.value)(g, y, weights);
        }
        let (own, parameters) = weights.split_at(self.entry.parts.len());
        let mut args = vec![(y, true)];
        args.extend(own.iter().map(|w| (*w, !g.shape(*w).is_scalar())));
        args.extend(parameters.iter().map(|p| (*p, false)));
        let values = self.slices(g, &args, |g, x| (self.entry.value)(g, x[0], &x[1..]));
        g.sum_all(values)
    }

    /// A formula of the slices of the leading axis; what is not marked is the same for all.
    fn slices(
        &self,
        g: &mut Graph,
        args: &[(NodeId, bool)],
        formula: impl Fn(&mut Graph, &[NodeId]) -> NodeId,
    ) -> NodeId {
        let (nodes, mapped): (Vec<NodeId>, Vec<bool>) = args.iter().copied().unzip();
        let mut body = Graph::new();
        let mut formals = Vec::new();
        for (node, mapped) in args {
            let shape = Shape(g.shape(*node).0[usize::from(*mapped)..].to_vec());
            formals.push(Formal { name: "operand".into(), shape, elem: Elem::Real });
        }
        let inputs: Vec<NodeId> =
            formals.iter().enumerate().map(|(i, f)| body.input(i, f.shape.clone(), Elem::Real)).collect();
        let out = formula(&mut body, &inputs);
        let body = Arc::new(Function::new(self.entry.name, &body, formals, &[out]));
        g.map(&body, &mapped, 0, &nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prox::find;
    use crate::prox::universal::{Draws, check_derivatives, dot, function, run, shape};
    use crate::shape::Dim;

    fn place(start: i64, step: u32, length: i64) -> Place {
        Place { start: Dim::constant(start), step, length: Dim::constant(length) }
    }

    #[test]
    fn places_apart() {
        let n = Dim::symbol("n");
        let rest = Place { start: n.clone(), step: 1, length: n.clone() };
        let first = Place { start: Dim::constant(0), step: 1, length: n };
        assert!(first.is_disjoint(&rest) && rest.is_disjoint(&first));
        assert!(place(0, 2, 5).is_disjoint(&place(1, 2, 5)));
        assert!(place(0, 1, 3).is_disjoint(&place(3, 2, 4)));
        assert!(!place(0, 1, 4).is_disjoint(&place(3, 2, 4)));
        assert!(!place(0, 2, 5).is_disjoint(&place(2, 2, 5)));
        assert!(!first.is_disjoint(&place(5, 1, 2)));
    }

    /// `<v - p, u - p> <= g(u) - g(p)` for all u, as for entries of the table.
    #[test]
    fn groups_of_parts_are_optimal() {
        let mut draws = Draws(3);
        let places = vec![place(0, 1, 2), place(2, 2, 3), place(3, 2, 2)];
        for (name, squared) in [(GROUPS, false), ("sparse_group", false), ("sparse_group", true)] {
            let parts: &[&str] = if name == GROUPS { &[GROUPS] } else { &[GROUPS, "l1"] };
            let entry = find(parts).expect("the table has it");
            let joint = Joint { squared, places: places.clone(), ..Joint::of(entry) };
            let count = 3 + (parts.len() - 1) + usize::from(squared);
            let shapes = [vec![shape(&[8]), shape(&[])], vec![shape(&[]); count]].concat();
            let map = function(&shapes, |g, x| {
                joint.apply(g, &Arguments { v: x[0], step: x[1], weights: &x[2..], bounds: None })
            });
            let norm = |u: &[f64]| u.iter().map(|u| u * u).sum::<f64>().sqrt();
            let g = |u: &[f64], w: &[Vec<f64>]| {
                let groups = [[u[0], u[1], 0.0], [u[2], u[4], u[6]], [u[3], u[5], 0.0]];
                let mut sum: f64 = groups.iter().zip(w).map(|(u, w)| w[0] * norm(u)).sum();
                if parts.len() == 2 {
                    sum += w[3][0] * u.iter().map(|u| u.abs()).sum::<f64>();
                }
                if squared { sum + w[4][0] * dot(u, u) } else { sum }
            };
            for _ in 0..20 {
                let mut x = vec![draws.array(8, (-2.0, 2.0)), draws.array(1, (0.3, 1.0))];
                x.extend((0..count).map(|_| draws.array(1, (0.1, 1.5))));
                let p = run(&map, &x).swap_remove(0);
                for trial in 0..40 {
                    let scale = [2.0, 0.1, 1e-3][trial % 3];
                    let u: Vec<f64> = p.iter().map(|p| p + draws.between(-scale, scale)).collect();
                    let inner: f64 = (0..8).map(|i| (x[0][i] - p[i]) * (u[i] - p[i])).sum();
                    let gain = x[1][0] * (g(&u, &x[2..]) - g(&p, &x[2..]));
                    assert!(inner <= gain + 1e-13, "{name}: {inner} > {gain}");
                }
                check_derivatives(name, &map, &x, &mut draws);
            }
        }
    }
}
