//! Proximal terms. `TABLE` holds what a regularizer may be made of, with the prox built from graph primitives. Since a
//! prox is graph, its derivative in v, in the step *and in the weights* is the graph's.
//!
//! An *atom* is one additive term with a weight (`x' * abs(y)`); an *entry* is a map that is known for one atom or for
//! several together (`sparse_group`). A new entry is one file and its line in `TABLE`.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::shape::{Dim, Shape};

mod elastic_net;
mod group_l2;
mod l1;
mod norminf;
mod recognize;
mod sparse_group;
#[cfg(test)]
mod spellings;
mod squared_l2;
mod term;
#[cfg(test)]
pub(crate) mod universal;

pub use recognize::{Atom, Rejection, recognize};
pub use term::{Found, Own, Recognizer, Term};

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
    /// True when the prox of g plus the indicator of a box is known too.
    pub merges_box: bool,
    /// The function by which programs write a part, as in `norm1(y)`; empty for entries of several parts.
    pub call: &'static str,
    /// What to write in `minimize` where the argument of `call` is not a variable; empty for entries of several parts.
    pub elsewhere: &'static str,
    /// Finds the atom in a regularizer; only for entries of one part.
    pub recognize: Option<Recognizer>,
    /// `g(y)` in primitives; one weight per part.
    pub value: fn(&mut Graph, y: NodeId, weights: &[NodeId]) -> NodeId,
    /// The point that minimizes `step*g(u) + normsq(u - v)/2`, over the box if there is one.
    pub apply: fn(&mut Graph, &Arguments) -> NodeId,
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

    /// True for a number, and for an array of the right shape.
    fn admits(self, weight: &Shape, variable: &Shape, groups: Option<&Dim>) -> bool {
        weight.is_scalar() || self.array(variable, groups.unwrap_or(&Dim::constant(1))).as_ref() == Some(weight)
    }
}

/// What a prox is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    /// The point.
    pub v: NodeId,
    /// The step, a number above zero.
    pub step: NodeId,
    /// One weight per part, at least zero.
    pub weights: &'a [NodeId],
    /// The ends `lo, hi` of a box, numbers or of v's shape, may be infinite; only for entries that merge it.
    pub bounds: Option<(NodeId, NodeId)>,
}

impl Arguments<'_> {
    /// Step times the weight of a part.
    pub(crate) fn threshold(&self, g: &mut Graph, part: usize) -> NodeId {
        g.mul(self.step, self.weights[part])
    }

    /// The nearest point of the box. For g separable and convex this turns the prox into the prox with the box: in one
    /// dimension the minimum over an interval is the free minimum, clipped.
    pub(crate) fn clipped(&self, g: &mut Graph, y: NodeId) -> NodeId {
        match self.bounds {
            Some((lo, hi)) => g.clip(y, lo, hi),
            None => y,
        }
    }
}

/// Every proximal map, by name.
pub static TABLE: &[&Entry] =
    &[&elastic_net::ENTRY, &group_l2::ENTRY, &l1::ENTRY, &norminf::ENTRY, &sparse_group::ENTRY, &squared_l2::ENTRY];

/// The map for just these atoms together, in any order; with a box when `with_box`.
pub fn find(parts: &[&str], with_box: bool) -> Option<&'static Entry> {
    let sorted = |parts: &[&'_ str]| {
        let mut parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
        parts.sort_unstable();
        parts
    };
    let wanted = sorted(parts);
    TABLE.iter().copied().find(|e| sorted(e.parts) == wanted && (e.merges_box || !with_box))
}

/// Where the user finds the terms with a known prox.
pub const LISTED: &str = "`blo prox` lists the terms that are known";
