//! Proximal terms. `TABLE` holds what a regularizer may be made of, with the prox built from graph primitives. Since a
//! prox is graph, its derivative in v, in the step *and in the weights* is the graph's.
//!
//! An *atom* is one additive term with a weight (`x' * abs(y)`); an *entry* is a map that is known for one atom or for
//! several together (`sparse_group`). A new entry is one file and its line in `TABLE`.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::shape::{Dim, Shape};

mod differences;
mod joint;
#[cfg(test)]
mod map_check;
mod nonconvex;
mod norms;
mod recognize;
mod separable;
#[cfg(test)]
mod spellings;
mod term;
#[cfg(test)]
pub(crate) mod universal;

pub use joint::Joint;
pub use recognize::{Atom, Rejection, recognize};
pub use term::{Found, Own, Place, Recognizer, Term};

/// A proximal map.
pub struct Entry {
    /// Name in listings.
    pub name: &'static str,
    /// The formula of g, as programs write it.
    pub doc: &'static str,
    /// The formula of the prox of `step*g`, plain text; t stands for step times weight.
    pub formula: &'static str,
    /// Where the formula is from.
    pub source: &'static str,
    /// Names of the atoms it covers, in the order of its weights.
    pub parts: &'static [&'static str],
    /// Shapes of the weights, one per part.
    pub weights: &'static [WeightShape],
    /// What g is given beside its weights, such as the `a` of `scad(y, a)`; only for entries of one part.
    pub parameters: &'static [Parameter],
    /// Rank of the variable, where only one will do.
    pub rank: Option<usize>,
    /// A sum over the slices of the variable's leading axis is recognized too.
    pub in_slices: bool,
    /// The boxes with which the prox of g plus the indicator of the box is known too.
    pub boxes: Boxes,
    /// How far g is from convex.
    pub modulus: Modulus,
    /// The function by which programs write a part, as in `norm1(y)`; empty for entries of several parts.
    pub call: &'static str,
    /// What to write in `minimize` where the argument of `call` is not a variable; empty for entries of several parts.
    pub elsewhere: &'static str,
    /// Finds the atom in a regularizer; only for entries of one part.
    pub recognize: Option<Recognizer>,
    /// `g(y)` in primitives; one weight per part, then the parameters.
    pub value: fn(&mut Graph, y: NodeId, weights: &[NodeId]) -> NodeId,
    /// A point that minimizes `step*g(u) + normsq(u - v)/2`, over the box if there is one.
    pub apply: fn(&mut Graph, &Arguments) -> NodeId,
}

/// A parameter of a term, a number or an array.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in `doc`.
    pub name: &'static str,
    /// The parameter is above this number; where it is negative infinity, at least 0.
    pub above: f64,
    /// It has the variable's shape; else it is a number.
    pub is_array: bool,
    /// Range that tests draw it from.
    pub sample: (f64, f64),
}

/// The boxes that go with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boxes {
    /// None.
    Unknown,
    /// The nonnegative and the nonpositive arrays.
    Signs,
    /// One interval for all entries.
    Interval,
    /// Every box: the term is a sum over entries, each with its own step too.
    Any,
}

impl Boxes {
    /// For listings.
    pub fn doc(self) -> &'static str {
        match self {
            Boxes::Unknown => "none",
            Boxes::Signs => "y >= 0",
            Boxes::Interval => "interval",
            Boxes::Any => "any",
        }
    }
}

/// The modulus of weak convexity of g: the least rho for which `g + rho/2 normsq` is convex.
#[derive(Clone, Copy)]
pub enum Modulus {
    /// 0: g is convex.
    Convex,
    /// Finite: its formula, and the same from the weights and parameters.
    Weak(&'static str, fn(&mut Graph, &[NodeId]) -> NodeId),
    /// There is none.
    Infinite,
}

impl Modulus {
    /// For listings.
    pub fn doc(self) -> &'static str {
        match self {
            Modulus::Convex => "0",
            Modulus::Weak(formula, _) => formula,
            Modulus::Infinite => "inf",
        }
    }

    /// True for a convex g.
    pub fn is_convex(self) -> bool {
        matches!(self, Modulus::Convex)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prox {}", self.name)
    }
}

/// The shape that a weight may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightShape {
    /// A number.
    Scalar,
    /// A number, or an array of the variable's shape.
    ScalarOrVariable,
    /// `[J]`, one per group: J equal blocks of consecutive entries; a number is the weight of one group of all entries.
    ScalarOrGroups,
}

impl WeightShape {
    /// The shape of an array of weights for a variable, in so many groups; none where only a number will do.
    pub fn array(self, variable: &Shape, groups: &Dim) -> Option<Shape> {
        match self {
            WeightShape::Scalar => None,
            WeightShape::ScalarOrVariable => Some(variable.clone()),
            WeightShape::ScalarOrGroups => Some(Shape(vec![groups.clone()])),
        }
    }

    /// True where only a number will do.
    fn is_number(self) -> bool {
        self == WeightShape::Scalar
    }

    /// True for a number, and for an array of the right shape; for a sum over slices, one number per slice.
    fn admits(self, weight: &Shape, variable: &Shape, found: &Found) -> bool {
        let array = match found.each {
            true => Some(Shape(variable.0[..1].to_vec())),
            false => self.array(variable, found.groups.as_ref().unwrap_or(&Dim::constant(1))),
        };
        weight.is_scalar() || array.as_ref() == Some(weight)
    }
}

/// What a prox is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    /// The point.
    pub v: NodeId,
    /// The step, a number above zero.
    pub step: NodeId,
    /// One weight per part, at least zero; then the parameters.
    pub weights: &'a [NodeId],
    /// The ends `lo, hi` of a box, numbers or of v's shape, may be infinite; only boxes that go with the entry.
    pub bounds: Option<(NodeId, NodeId)>,
}

impl Arguments<'_> {
    /// Step times the weight of a part.
    pub(crate) fn threshold(&self, g: &mut Graph, part: usize) -> NodeId {
        g.mul(self.step, self.weights[part])
    }

    /// The nearest point of the box. For g separable and convex this, after the prox, gives the prox with the box: in one
    /// dimension the minimum over an interval is the free minimum, clipped. For a norm of sizes and the nonnegative arrays
    /// it is right before the prox: with `p` the nearest point, the result `u` keeps the zeros of `p`, so what is normal to
    /// the arrays at `p` is so at `u` (Yu, On decomposing the proximal map, NIPS 2013).
    pub(crate) fn clipped(&self, g: &mut Graph, y: NodeId) -> NodeId {
        match self.bounds {
            Some((lo, hi)) => g.clip(y, lo, hi),
            None => y,
        }
    }
}

/// Every proximal map, by name.
pub static TABLE: &[&Entry] = &[
    &separable::elastic_net::ENTRY,
    &differences::fused_lasso::ENTRY,
    &norms::group_l2::ENTRY,
    &separable::huber::ENTRY,
    &separable::l1::ENTRY,
    &nonconvex::mcp::ENTRY,
    &nonconvex::norm0::ENTRY,
    &norms::norminf::ENTRY,
    &nonconvex::normq::HALF,
    &nonconvex::normq::TWO_THIRDS,
    &norms::nuclear::ENTRY,
    &nonconvex::scad::ENTRY,
    &norms::slope::ENTRY,
    &norms::sparse_group::ENTRY,
    &separable::squared_l2::ENTRY,
    &differences::tv1d::ENTRY,
];

/// The entry for just these atoms together, in any order.
pub fn find(parts: &[&str]) -> Option<&'static Entry> {
    let sorted = |parts: &[&'_ str]| {
        let mut parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
        parts.sort_unstable();
        parts
    };
    let wanted = sorted(parts);
    TABLE.iter().copied().find(|e| sorted(e.parts) == wanted)
}

/// Where the user finds the terms with a known prox.
pub const LISTED: &str = "`blo prox` lists the terms that are known";
