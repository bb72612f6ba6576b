//! Terms of a regularizer while they are taken apart: `scale * sum(multiplier .* node)`. A linear operation on the node
//! becomes its transpose on the multiplier; what is left in the end is a weight of the variable's own shape.

use super::{Entry, Rejection};
use crate::elementwise;
use crate::graph::all_axes;
use crate::graph::{Graph, NodeId, Op};
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

/// Finds an entry's atom in a term that no linear operation can be taken from; `None` if the term is of another form.
pub type Recognizer = fn(&mut Graph, &mut Own, &Term) -> Option<Result<Found, Rejection>>;

/// A factor's way through a function, such as |c| for c within a norm.
type Factor = fn(&mut Graph, NodeId) -> NodeId;

/// Which nodes depend on the variables of the regularizer's own level.
pub struct Own<'a> {
    variable: &'a dyn Fn(&Graph, NodeId) -> Option<usize>,
    depends: Vec<bool>,
}

/// One additive term: `scale * sum(multiplier .* node)`, with 1 for an absent multiplier.
#[derive(Clone, Debug)]
pub struct Term {
    /// What depends on the variable.
    pub node: NodeId,
    /// A number.
    pub scale: NodeId,
    /// An array of the node's shape, of rank 1 at least.
    pub multiplier: Option<NodeId>,
}

/// What a recognizer found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The variable, as its caller numbers it.
    pub variable: usize,
    /// The variable's node.
    pub node: NodeId,
    /// The weight.
    pub weight: NodeId,
    /// The number of groups, for terms of groups.
    pub groups: Option<Dim>,
    /// Parameters of the term.
    pub parameters: Vec<NodeId>,
    /// The term is a sum over the slices of the variable's leading axis.
    pub each: bool,
    /// The part of a sequence that the term is of, if not all.
    pub place: Option<Place>,
}

/// Some positions of a sequence: `start`, `start + step`, and so on, so many.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The first, counted from 0.
    pub start: Dim,
    /// The distance of neighbors.
    pub step: u32,
    /// How many.
    pub length: Dim,
}

impl Place {
    /// True where no position is in both, for every size.
    pub fn is_disjoint(&self, other: &Place) -> bool {
        let after = |a: &Place, b: &Place| {
            let last = a.length.sub(&Dim::constant(1))?.mul(&Dim::constant(i64::from(a.step)))?.add(&a.start)?;
            Some(b.start.sub(&last)?.sign() == Sign::Positive)
        };
        let between = || {
            let (step, shift) = (i64::from(self.step), other.start.sub(&self.start)?.as_integer()?);
            Some(self.step == other.step && shift.rem_euclid(step) != 0)
        };
        [after(self, other), after(other, self), between()].contains(&Some(true))
    }
}

impl Found {
    /// A term of a variable and a weight.
    pub fn new(variable: usize, node: NodeId, weight: NodeId) -> Found {
        Found { variable, node, weight, groups: None, parameters: Vec::new(), each: false, place: None }
    }
}

impl<'a> Own<'a> {
    pub(super) fn new(variable: &'a dyn Fn(&Graph, NodeId) -> Option<usize>) -> Own<'a> {
        Own { variable, depends: Vec::new() }
    }

    /// The number of the variable that a node is.
    pub fn variable(&self, g: &Graph, id: NodeId) -> Option<usize> {
        (self.variable)(g, id)
    }

    /// True when a node depends on a variable.
    pub fn depends(&mut self, g: &Graph, id: NodeId) -> bool {
        for next in (self.depends.len()..g.len()).map(|i| NodeId(i as u32)) {
            let through = g.args(next).iter().any(|a| self.depends[a.0 as usize]);
            self.depends.push(through || self.variable(g, next).is_some());
        }
        self.depends[id.0 as usize]
    }
}

impl Term {
    /// The same weights on another node of the same shape.
    #[must_use]
    pub fn with(&self, node: NodeId) -> Term {
        Term { node, ..self.clone() }
    }

    /// The term with the opposite sign.
    #[must_use]
    pub fn negated(&self, g: &mut Graph) -> Term {
        Term { scale: g.neg(self.scale), ..self.clone() }
    }

    /// The atom `sum(weight .* f(variable))` when the node, an argument of `f`, is a scaled or rearranged variable.
    /// `factor` is what a factor c of the argument becomes outside.
    ///
    /// # Errors
    /// When the argument is anything else, such as a linear map.
    pub fn elements(mut self, g: &mut Graph, own: &mut Own, entry: &Entry, factor: Factor) -> Result<Found, Rejection> {
        loop {
            if let Some(variable) = own.variable(g, self.node) {
                let weight = self.weight(g);
                return Ok(Found::new(variable, self.node, weight));
            }
            let (rest, factors) = self.factors(g, own, factor);
            self = match (factors.as_slice(), self.rearranged(g)) {
                ([one], _) if *one != self.node => rest.with(*one),
                (_, Some(source)) => source,
                _ => return Err(Rejection::of_argument(g, self.node, entry)),
            };
        }
    }

    /// The atom `sum(weight .* f(variable, parameters))` for an even f that a factor of its first operand does not leave:
    /// the argument is the variable, rearranged. The parameters are numbers.
    ///
    /// # Errors
    /// When an argument is anything else.
    pub fn entries(
        self,
        g: &mut Graph,
        own: &mut Own,
        entry: &Entry,
        arguments: &[NodeId],
    ) -> Result<Found, Rejection> {
        let mut term = self.with(arguments[0]);
        loop {
            if let Some(variable) = own.variable(g, term.node) {
                break {
                    let weight = term.weight(g);
                    let mut found = Found::new(variable, term.node, weight);
                    for (parameter, node) in entry.parameters.iter().zip(&arguments[1..]) {
                        let Some(one) = number(g, *node) else {
                            return Err(Rejection::of_parameter(g, *node, entry, parameter));
                        };
                        found.parameters.push(one);
                    }
                    Ok(found)
                };
            }
            term = match (g.op(term.node).clone(), term.rearranged(g)) {
                (Op::Elementwise(elementwise::NEG), _) => term.with(g.args(term.node)[0]),
                (_, Some(source)) => source,
                _ => return Err(Rejection::of_argument(g, term.node, entry)),
            };
        }
    }

    /// The same of a part of a sequence, where there is one within.
    ///
    /// # Errors
    /// As [`Term::norm`].
    pub fn norm_of_part(
        &self,
        g: &mut Graph,
        own: &mut Own,
        inner: NodeId,
        entry: &Entry,
        of_part: fn(&Graph, NodeId) -> Rejection,
    ) -> Result<Found, Rejection> {
        let absolute: Factor = |g, c| g.elementwise(elementwise::ABS, &[c]);
        let part = Term { node: inner, scale: self.scale, multiplier: None };
        let (rest, factors) = part.factors(g, own, absolute);
        if let ([slice], None) = (factors.as_slice(), rest.multiplier)
            && let Op::Slice { axis: 0, start, step } = g.op(*slice).clone()
            && let sequence = g.args(*slice)[0]
            && let (Some(variable), 1) = (own.variable(g, sequence), g.shape(sequence).rank())
        {
            let weight = Term { multiplier: self.multiplier, ..rest }.weight(g);
            let place = Some(Place { start, step, length: g.shape(*slice).0[0].clone() });
            return Ok(Found { place, ..Found::new(variable, sequence, weight) });
        }
        self.norm(g, own, inner, entry, of_part)
    }

    /// The atom of a term that is a norm of `inner`, a variable times a number, or norms of groups of its entries. The
    /// weight is as the term has it. `of_part` says what is wrong where only a part of the variable, or the variable in
    /// another order, stands within.
    ///
    /// # Errors
    /// When `inner` is anything else.
    pub fn norm(
        &self,
        g: &mut Graph,
        own: &mut Own,
        inner: NodeId,
        entry: &Entry,
        of_part: fn(&Graph, NodeId) -> Rejection,
    ) -> Result<Found, Rejection> {
        let absolute: Factor = |g, c| g.elementwise(elementwise::ABS, &[c]);
        let mut term = Term { node: inner, scale: self.scale, multiplier: None };
        loop {
            if let Some(variable) = own.variable(g, term.node) {
                let weight = Term { multiplier: self.multiplier, ..term }.weight(g);
                return Ok(Found::new(variable, term.node, weight));
            }
            let (rest, factors) = term.factors(g, own, absolute);
            term = match (factors.as_slice(), g.op(term.node)) {
                ([one], _) if *one != term.node && rest.multiplier.is_none() => rest.with(*one),
                (_, Op::Reshape) => term.with(g.args(term.node)[0]),
                (_, Op::Transpose(_) | Op::Slice { .. } | Op::Gather(_)) => return Err(of_part(g, inner)),
                _ => return Err(Rejection::of_argument(g, term.node, entry)),
            };
        }
    }

    /// Takes products and quotients apart: the term with every factor free of the variables in its weight, and the
    /// factors that depend on them (the node itself, if it is not a product).
    pub fn factors(&self, g: &mut Graph, own: &mut Own, factor: Factor) -> (Term, Vec<NodeId>) {
        use elementwise::{DIV, MUL, NEG};
        let mut term = self.clone();
        let (mut dependent, mut divisors) = (Vec::new(), Vec::new());
        let mut todo = vec![self.node];
        while let Some(id) = todo.pop() {
            if !own.depends(g, id) {
                let c = factor(g, id);
                term.multiply(g, c);
                continue;
            }
            let args = g.args(id).to_vec();
            match *g.op(id) {
                Op::Elementwise(MUL) => todo.extend([args[1], args[0]]),
                Op::Elementwise(NEG) => {
                    let minus = g.constant(-1.0);
                    let c = factor(g, minus);
                    term.multiply(g, c);
                    todo.push(args[0]);
                }
                Op::Elementwise(DIV) if !own.depends(g, args[1]) => {
                    divisors.push(args[1]);
                    todo.push(args[0]);
                }
                _ => dependent.push(id),
            }
        }
        // Last, so that x*norm1(y)/3 weighs x/3 and not x*(1/3), which rounds twice.
        for divisor in divisors {
            let c = factor(g, divisor);
            term.divide(g, c);
        }
        (term, dependent)
    }

    /// The term on the operand of an operation that only moves, repeats or leaves out entries; the multiplier goes
    /// through its transpose.
    pub fn rearranged(&self, g: &mut Graph) -> Option<Term> {
        let source = *g.args(self.node).first()?;
        let shape = g.shape(source).clone();
        let mut term = self.with(source);
        match g.op(self.node).clone() {
            Op::Reshape => term.set(g, |g, m| g.reshape(m, &shape)),
            Op::Transpose(perm) => {
                let inverse: Vec<u8> = (0..perm.len())
                    .map(|axis| perm.iter().position(|p| *p as usize == axis).expect("a permutation") as u8)
                    .collect();
                term.set(g, |g, m| g.permute(m, &inverse));
            }
            Op::Broadcast(axes) => {
                let to = g.shape(self.node).clone();
                let repeated = all_axes(&to) & !axes;
                if self.multiplier.is_some() {
                    term.set(g, |g, m| g.sum(m, repeated));
                } else {
                    for (_, dim) in to.0.iter().enumerate().filter(|(i, _)| repeated >> i & 1 == 1) {
                        let times = g.size(dim);
                        term.multiply(g, times);
                    }
                }
            }
            Op::Slice { axis, start, step } => {
                self.explicit(g, &mut term);
                term.set(g, |g, m| g.pad(m, axis as usize, &start, step, &shape.0[axis as usize]));
            }
            Op::Pad { axis, start, step } => {
                term.set(g, |g, m| g.slice(m, axis as usize, &start, step, &shape.0[axis as usize]));
            }
            Op::Gather(axis) => {
                let index = g.args(self.node)[1];
                self.explicit(g, &mut term);
                term.set(g, |g, m| g.scatter(m, index, axis as usize, &shape.0[axis as usize]));
            }
            _ => return None,
        }
        Some(term)
    }

    /// Scale times multiplier.
    pub fn weight(&self, g: &mut Graph) -> NodeId {
        match self.multiplier {
            Some(m) => g.mul(self.scale, m),
            None => self.scale,
        }
    }

    /// The multiplier, or ones of a shape.
    pub(super) fn multiplier_of(&self, g: &mut Graph, shape: &Shape) -> NodeId {
        self.multiplier.unwrap_or_else(|| g.filled(1.0, shape))
    }

    /// A factor of the node's shape, or a number.
    fn multiply(&mut self, g: &mut Graph, c: NodeId) {
        match (number(g, c), self.multiplier) {
            (Some(c), _) => self.scale = g.mul(self.scale, c),
            (None, Some(m)) => self.multiplier = Some(g.mul(m, c)),
            (None, None) => self.multiplier = Some(c),
        }
    }

    fn divide(&mut self, g: &mut Graph, c: NodeId) {
        match number(g, c) {
            Some(c) => self.scale = g.div(self.scale, c),
            None => {
                let shape = g.shape(c).clone();
                let m = self.multiplier_of(g, &shape);
                self.multiplier = Some(g.div(m, c));
            }
        }
    }

    /// Replaces the multiplier, if there is one; one that becomes a number goes into the scale.
    pub(super) fn set(&mut self, g: &mut Graph, change: impl FnOnce(&mut Graph, NodeId) -> NodeId) {
        if let Some(m) = self.multiplier.take() {
            let m = change(g, m);
            self.multiply(g, m);
        }
    }

    /// Gives `term` the multiplier of self, ones if it has none: entries that are left out get zero.
    fn explicit(&self, g: &mut Graph, term: &mut Term) {
        let shape = g.shape(self.node).clone();
        term.multiplier = Some(self.multiplier_of(g, &shape));
    }
}

/// The number that is repeated, or that the node is.
pub(super) fn number(g: &Graph, id: NodeId) -> Option<NodeId> {
    match g.op(id) {
        _ if g.shape(id).is_scalar() => Some(id),
        Op::Broadcast(0) => Some(g.args(id)[0]),
        _ => None,
    }
}

/// The number that a constant, maybe repeated, is.
pub(super) fn constant(g: &Graph, id: NodeId) -> Option<f64> {
    number(g, id).and_then(|id| g.as_const(id))
}
