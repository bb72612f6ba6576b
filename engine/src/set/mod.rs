//! The table of constraint sets. One file per set: its projection as graph (so that its derivative in the point and in
//! the parameters comes from the graph), and what the checker and the reports ask about it. Which set a program text
//! means (`>= a`, `[lo, hi]`, `ball2(r)`) is the checker's business.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::shape::Shape;
use crate::sign::Sign;

mod ball2;
mod boxed;
mod halfspace;
mod simplex;
#[cfg(test)]
mod universal;

/// A constraint set.
pub struct Entry {
    /// Name in programs and listings.
    pub name: &'static str,
    /// One line with the formula of the set.
    pub doc: &'static str,
    /// The formula of the projection, plain text.
    pub formula: &'static str,
    /// Where the formula is from.
    pub source: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// True when it is a product of intervals, with parameters `lo, hi`: separable prox terms merge with it.
    pub is_box: bool,
    /// The nearest point of the set to `v` (any shape); one node per parameter.
    pub project: fn(&mut Graph, v: NodeId, parameters: &[NodeId]) -> NodeId,
    /// How far outside a point is, in the units of its entries; 0 inside, NaN for a point with NaN. A scalar parameter
    /// is a slice of length one.
    pub violation: fn(&[f64], &[&[f64]]) -> f64,
    /// The sign of members, from the signs of the parameters.
    pub sign: fn(&[Sign]) -> Sign,
    /// Whether the parameters describe a nonempty set; see [`Fault`].
    pub check: fn(&[&[f64]]) -> Result<(), Fault>,
}

impl ParameterShape {
    /// The shape of an array of this kind for a variable; none where only a number will do.
    pub fn array(self, variable: &Shape) -> Option<Shape> {
        match self {
            ParameterShape::Scalar => None,
            ParameterShape::ScalarOrVariable | ParameterShape::Variable => Some(variable.clone()),
        }
    }

    /// True when a number will do, whatever the variable's shape.
    pub fn admits_number(self) -> bool {
        self != ParameterShape::Variable
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {}", self.name)
    }
}

/// Parameters that describe no set: the first bad entry (zero-based, row-major), if one is to blame, and what is wrong.
pub type Fault = (Option<usize>, String);

/// A parameter of a set.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its range.
    pub doc: &'static str,
    /// Its shape.
    pub shape: ParameterShape,
    /// Range that tests draw it from.
    pub sample: (f64, f64),
}

/// The shape that a parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterShape {
    /// A number.
    Scalar,
    /// A number, or an array of the variable's shape.
    ScalarOrVariable,
    /// An array of the variable's shape.
    Variable,
}

/// Every set, by name.
pub static TABLE: &[&Entry] = &[&ball2::ENTRY, &boxed::ENTRY, &halfspace::ENTRY, &simplex::ENTRY];

/// Sets that papers have and this table has not yet, each with what to write instead.
pub static PLANNED: &[(&str, &str)] = &[
    ("affine", "write a penalty into the objective: `+ 10*normsq(A*y - b)`"),
    ("ball1", "`regularize w*norm1(y)` has the same solutions for some `w`"),
    ("ballinf", "it is the interval `[-r, r]`"),
    ("psd", "write the matrix as a product `U*U'`"),
];

/// The set of a name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    TABLE.iter().copied().find(|e| e.name == name)
}

/// The larger of two, and NaN if either is.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// A radius or total: a number that is not NaN and not negative.
fn check_scale(name: &str, value: f64) -> Result<(), Fault> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err((None, format!("{name} is {value}; it must be a finite number of at least 0")))
}

/// The sign of a radius or total decides only whether members are zero.
fn zero_or(scale: Sign, otherwise: Sign) -> Sign {
    if scale == Sign::Zero { Sign::Zero } else { otherwise }
}
