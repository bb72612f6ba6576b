//! A level of a problem: its variables with their sets, its objective, its proximal part and its constraints.

use std::fmt;
use std::sync::Arc;

use blo_grammar::span::Span;

use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::shape::{Dim, Shape};
use crate::{prox, set};

/// A level of a problem, by its place in [`Problem::levels`](super::Problem::levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelId(u8);

impl LevelId {
    /// The level of x.
    pub const UPPER: LevelId = LevelId(0);
    /// The level of y.
    pub const LOWER: LevelId = LevelId(1);

    /// Its place among the levels.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One level.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its variables, in the order of the file.
    pub variables: Vec<Variable>,
    /// The smooth part, to be minimized; a `maximize` is negated here.
    pub objective: Function,
    /// True for `maximize`: values shown to the user are negated back.
    pub maximize: bool,
    /// The value of the proximal part.
    pub regularizer: Option<Function>,
    /// The proximal part term by term; the values of the terms add up to `regularizer`.
    pub terms: Vec<ProximalTerm>,
    /// The rows of `subject to`, and bounds that move; not the rows that are part of a variable's set.
    pub constraints: Vec<Constraint>,
}

/// A term of the proximal part: an atom of the prox table times its weight. A method may take the terms apart, as
/// value-function methods do that bound each `P(y) <= r` by itself; [`ProxUse`] is the prox of all terms of a variable.
#[derive(Clone)]
pub struct ProximalTerm {
    /// The table entry of the atom, one of a single part.
    pub atom: &'static prox::Entry,
    /// The variable that it is a function of, by its position among the formals.
    pub variable: usize,
    /// Over the formals: the weighted value, a number.
    pub value: Function,
    /// Over the formals: the weight, of a shape that the entry allows.
    pub weight: Function,
    /// Over the formals: the parameters of the entry.
    pub parameters: Function,
    /// Over the formals: the value `P` with ones in place of the weight. The weighted value is weight times this where
    /// the weight is a number.
    pub unweighted: Function,
    /// Where it is written.
    pub span: Span,
}

/// A row of `subject to`: `c(x, y) <= 0` or `h(x, y) = 0`.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its name, for reports and for its multiplier; the text of a row without a name. The two sides of a chain share it.
    pub name: String,
    /// True where the file gives it the name.
    pub named: bool,
    /// Over the formals: one output, c or h. Every entry of an array is a constraint.
    pub value: Function,
    /// Which relation the entries of `value` have to zero.
    pub kind: ConstraintKind,
    /// The factor with which its multiplier enters the reported one of its name: -1 for the lower side of a chain, whose
    /// multiplier pulls the other way, and for an equality, whose reported multiplier is d(least value)/d(right side).
    pub sign: f64,
    /// What the calculus knows of `value` as a function of the level's own variables.
    pub class: ConstraintClass,
    /// True where `value` depends on variables of the other level: the feasible set of a lower level moves with x, and an
    /// upper row couples x with y.
    pub moving: bool,
    /// The shape of `value` and of the multiplier.
    pub shape: Shape,
    /// Where it is written.
    pub span: Span,
}

impl Constraint {
    /// True where what meets it is proved convex in the variables of its level.
    pub fn is_convex(&self) -> bool {
        match self.class {
            ConstraintClass::Affine => true,
            ConstraintClass::Convex => self.kind == ConstraintKind::Inequality,
            ConstraintClass::Unknown => false,
        }
    }
}

/// The relation of a constraint to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConstraintKind {
    /// `c <= 0`; the multiplier is nonnegative.
    Inequality,
    /// `h = 0`; the multiplier has any sign.
    Equality,
}

/// What is known of a constraint in the variables of its level, for every value of the outer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConstraintClass {
    /// Linear plus constant.
    Affine,
    /// Convex.
    Convex,
    /// Neither is proved.
    Unknown,
}

/// A variable of a level.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its position among the formals.
    pub formal: usize,
    /// Its shape.
    pub shape: Shape,
    /// Its constraint set.
    pub set: Option<SetUse>,
    /// The prox of the terms of `regularize` that concern it, merged with its set where that is known.
    pub prox: Option<ProxUse>,
    /// Its declaration.
    pub span: Span,
}

/// A set with its parameters.
#[derive(Clone)]
pub struct SetUse {
    /// The table entry.
    pub set: &'static set::Entry,
    /// One output per parameter of the entry.
    pub parameters: Function,
    /// True when every slice of the leading axis, the array of a follower, lies in the set.
    pub each: bool,
    /// Where it is written.
    pub span: Span,
}

impl SetUse {
    /// The nearest point to `v`; one node per parameter. Of followers every slice is projected for itself, with what the
    /// projection needs of the parameters made once.
    pub fn project(&self, g: &mut Graph, v: NodeId, parameters: &[NodeId]) -> NodeId {
        let prepared = (self.set.prepare)(g, parameters);
        if !self.each || self.set.is_box {
            return (self.set.project)(g, v, &prepared);
        }
        let args: Vec<NodeId> = [v].iter().chain(&prepared).copied().collect();
        let mapped: Vec<bool> = (0..args.len()).map(|i| i == 0).collect();
        let formal = |(i, a): (usize, &NodeId)| {
            let shape = Shape(g.shape(*a).0.iter().skip(usize::from(i == 0)).cloned().collect());
            Formal { name: "operand".into(), shape, elem: Elem::Real }
        };
        let formals: Vec<Formal> = args.iter().enumerate().map(formal).collect();
        let mut body = Graph::new();
        let nodes: Vec<NodeId> =
            formals.iter().enumerate().map(|(i, f)| body.input(i, f.shape.clone(), Elem::Real)).collect();
        let out = (self.set.project)(&mut body, nodes[0], &nodes[1..]);
        let body = Arc::new(Function::new(self.set.name, &body, formals, &[out]));
        g.map(&body, &mapped, 0, &args)
    }
}

/// A prox with its weights.
#[derive(Clone)]
pub struct ProxUse {
    /// The map.
    pub map: prox::Joint,
    /// The weights and parameters, as the map takes them.
    pub weights: Function,
    /// Number of groups, where the entry has group weights.
    pub groups: Option<Dim>,
    /// True when the variable's box is part of the map: its bounds are passed to it.
    pub with_box: bool,
    /// Where the terms are written.
    pub span: Span,
}

impl fmt::Debug for SetUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetUse")
            .field("set", &self.set.name)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProxUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxUse").field("map", &self.map.name()).field("weights", &self.weights).finish_non_exhaustive()
    }
}

impl fmt::Debug for ProximalTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProximalTerm")
            .field("atom", &self.atom.name)
            .field("value", &self.value)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

impl Level {
    /// The factor between the objective and the user's: -1 for `maximize`.
    pub fn sign(&self) -> f64 {
        if self.maximize { -1.0 } else { 1.0 }
    }

    /// Every function of the level.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        let terms = self.terms.iter().flat_map(|t| [&t.value, &t.weight, &t.parameters]);
        let sets = self.variables.iter().filter_map(|v| v.set.as_ref()).map(|set| &set.parameters);
        let rows = self.constraints.iter().map(|c| &c.value);
        std::iter::once(&self.objective).chain(&self.regularizer).chain(terms).chain(sets).chain(rows)
    }

    /// The level with every function over another list of formals, of which the old one is the beginning.
    pub(in crate::model) fn widen(&mut self, formals: &[Formal]) {
        let widen = |f: &mut Function| *f = f.widened(formals);
        widen(&mut self.objective);
        self.regularizer.iter_mut().for_each(widen);
        for term in &mut self.terms {
            [&mut term.value, &mut term.weight, &mut term.parameters, &mut term.unweighted].into_iter().for_each(widen);
        }
        self.constraints.iter_mut().for_each(|c| widen(&mut c.value));
        for v in &mut self.variables {
            v.set.iter_mut().for_each(|set| widen(&mut set.parameters));
            v.prox.iter_mut().for_each(|prox| widen(&mut prox.weights));
        }
    }
}
