//! The map of all terms on a variable together.
//!
//! Beside the entries of the table there are two ways to make maps of maps. A sum over the slices of the leading axis is
//! the entry's map of each slice. And squares with one weight go with every g, convex or not:
//! `t g(u) + t2 normsq(u) + normsq(u - v)/2` is `(1 + 2 t2)` times `t/(1 + 2 t2) g(u) + normsq(u - v/(1 + 2 t2))/2`, but for
//! a constant (Parikh and Boyd, Proximal Algorithms, 2014, section 2.2).

use std::sync::Arc;

use super::{Arguments, Atom, Boxes, Entry, find};
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::shape::Shape;

/// The map of some atoms on one variable.
#[derive(Clone, Copy, Debug)]
pub struct Joint {
    /// The entry.
    pub entry: &'static Entry,
    /// The entry's map of every slice of the leading axis.
    pub each: bool,
    /// Squares are added; their weight is the last one.
    pub squared: bool,
}

const SQUARES: &str = "squared_l2";

impl Joint {
    /// The map of these atoms, one per term of a variable, with a box of this kind (`Unknown`: none). `scalars` says for
    /// each atom whether its weight is a number. `None` where no map is known.
    pub fn find(atoms: &[&Atom], scalars: &[bool], with_box: Option<Boxes>) -> Option<Joint> {
        let names: Vec<&str> = atoms.iter().map(|a| a.entry.name).collect();
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
            if same && let Some(joint) = fits(Joint { entry, each, squared: false }, atoms, scalars) {
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
        let atom = |part: &str| *atoms.iter().find(|a| a.entry.name == part).expect("the map is of these atoms");
        parts.map(atom).collect()
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
            let rest = Joint { squared: false, ..*self };
            return rest.apply(g, &Arguments { v, step, weights, bounds: a.bounds });
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

    /// `g(y)`, of one entry without squares.
    pub fn value(&self, g: &mut Graph, y: NodeId, weights: &[NodeId]) -> NodeId {
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
