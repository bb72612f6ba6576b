//! The table of constraint sets. One file per set: its projection as graph (so that its derivative in the point and in
//! the parameters comes from the graph), and what the checker and the reports ask about it. Which set a program text
//! means (`>= a`, `[lo, hi]`, `ball2(r)`) is the checker's business.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

mod affine;
mod ball1;
mod ball2;
mod ballinf;
mod boxed;
mod halfspace;
mod psd;
mod simplex;
mod soc;
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
    /// The shapes of its variables.
    pub variable: VariableShape,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// True when it is a product of intervals, with parameters `lo, hi`: separable prox terms merge with it.
    pub is_box: bool,
    /// For another name of a box: its ends. A program that writes the set gets the box.
    pub as_box: Option<BoxEnds>,
    /// What the projection needs of the parameters, one node each: a program computes it once, and followers share it.
    pub prepare: fn(&mut Graph, parameters: &[NodeId]) -> Vec<NodeId>,
    /// The nearest point of the set to `v`, from what `prepare` has made of the parameters.
    pub project: fn(&mut Graph, v: NodeId, prepared: &[NodeId]) -> NodeId,
    /// How far outside a point is, in the units of its entries; 0 inside, NaN for a point with NaN. A scalar parameter
    /// is a slice of length one.
    pub violation: fn(&[f64], &[&[f64]]) -> f64,
    /// The sign of members, from the signs of the parameters.
    pub sign: fn(&[Sign]) -> Sign,
    /// The least interval that holds all entries of all members, infinite where there is none. Its ends are no faces
    /// of the set unless that is a box.
    pub hull: fn(&[&[f64]]) -> [f64; 2],
    /// The set as smooth inequalities and equalities, for solvers of nonlinear programs; nothing where it is a box, whose
    /// ends are bounds, and where a cone has no such form.
    pub rows: Option<Rows>,
    /// Whether the parameters describe a nonempty set; see [`Fault`].
    pub check: fn(&[&[f64]]) -> Result<(), Fault>,
}

/// The ends of a box from the parameters of another name for it.
pub type BoxEnds = fn(&mut Graph, parameters: &[NodeId]) -> [NodeId; 2];

/// The rows of a set at `v`: each an array with the relation of its entries to zero.
pub type Rows = fn(&mut Graph, v: NodeId, parameters: &[NodeId]) -> Vec<(NodeId, Relation)>;

/// The relation of a row to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// At most zero.
    Inequality,
    /// Zero.
    Equality,
}

impl Entry {
    /// The nearest point of the set to `v`; one node per parameter.
    pub fn nearest(&self, g: &mut Graph, v: NodeId, parameters: &[NodeId]) -> NodeId {
        let prepared = (self.prepare)(g, parameters);
        (self.project)(g, v, &prepared)
    }
}

impl ParameterShape {
    /// The shape of an array of this kind for a variable, where `rows` is the number of rows of a matrix; none where only
    /// a number will do.
    pub fn array(self, variable: &Shape, rows: &Dim) -> Option<Shape> {
        match self {
            ParameterShape::Scalar => None,
            ParameterShape::ScalarOrVariable | ParameterShape::Variable => Some(variable.clone()),
            ParameterShape::Matrix => Some(Shape(vec![rows.clone(), variable.0.first()?.clone()])),
            ParameterShape::PerRow => Some(Shape(vec![rows.clone()])),
        }
    }

    /// True when a number will do, whatever the variable's shape.
    pub fn admits_number(self) -> bool {
        matches!(self, ParameterShape::Scalar | ParameterShape::ScalarOrVariable)
    }
}

/// The shapes of variables that may lie in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableShape {
    /// Every shape: the set does not see how entries are arranged.
    Any,
    /// Columns.
    Column,
    /// Matrices with as many rows as columns.
    Square,
}

impl VariableShape {
    /// In words, as in "a set of columns".
    pub fn words(self) -> &'static str {
        match self {
            VariableShape::Any => "arrays",
            VariableShape::Column => "columns",
            VariableShape::Square => "square matrices",
        }
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
    /// A matrix with a column per entry of the variable.
    Matrix,
    /// A column with an entry per row of the matrix before it.
    PerRow,
}

/// Every set, by name.
pub static TABLE: &[&Entry] = &[
    &affine::ENTRY,
    &ball1::ENTRY,
    &ball2::ENTRY,
    &ballinf::ENTRY,
    &boxed::ENTRY,
    &halfspace::ENTRY,
    &psd::ENTRY,
    &simplex::ENTRY,
    &soc::ENTRY,
];

/// The set of a name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    TABLE.iter().copied().find(|e| e.name == name)
}

/// The interval of a set that does not bound entries.
const UNBOUNDED: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

/// The interval of a ball around zero from its radius.
fn symmetric_hull(parameters: &[&[f64]]) -> [f64; 2] {
    [-parameters[0][0], parameters[0][0]]
}

/// For sets whose projection takes the parameters as they are.
fn as_given(_: &mut Graph, parameters: &[NodeId]) -> Vec<NodeId> {
    parameters.to_vec()
}

/// The Euclidean norm; squares of large and small numbers stay within range.
fn norm(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0, |m, v| worse(m, v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * v.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
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
