//! The table of elementwise functions. One file per function (operators and comparisons share a file each): its value
//! over any number type, its derivative as graph, and what the calculus may assume of it. Parsing, kernels, oracle,
//! listing and the universal test come from the table.

use num_dual::{Dual64, HyperDual64};

use crate::graph::{Graph, NodeId};
use crate::model::sign::Sign;

/// A table function, by its position in [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elementwise(u16);

impl Elementwise {
    /// The table entry.
    pub fn entry(self) -> &'static Entry {
        TABLE[self.0 as usize]
    }

    /// The function that programs may call by this name.
    pub fn by_name(name: &str) -> Option<Elementwise> {
        let position = TABLE.iter().position(|e| e.name == name && e.visibility != Visibility::Internal)?;
        Some(Elementwise(position as u16))
    }
}

/// Who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Called by name.
    Function,
    /// Called by name, of constants only (`round`): its derivative is useless.
    ConstantOnly,
    /// Written as an operator.
    Operator,
    /// Made by rules only.
    Internal,
}

/// Differentiability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smoothness {
    /// Continuously differentiable where defined.
    Smooth,
    /// Continuous with kinks; the text names the derivative used there.
    Kinked(&'static str),
    /// Piecewise constant: derivative zero.
    Step,
}

/// Curvature as a function of its operands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curvature {
    /// Linear plus constant.
    Affine,
    /// Convex on its domain.
    Convex,
    /// Concave on its domain.
    Concave,
    /// Neither, or not known.
    Neither,
}

/// Monotonicity in one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monotone {
    /// Nondecreasing.
    Up,
    /// Nonincreasing.
    Down,
    /// Neither.
    No,
}

/// An elementwise function.
pub struct Entry {
    /// Name in programs and listings.
    pub name: &'static str,
    /// Number of operands.
    pub arity: usize,
    /// One line with the formula.
    pub doc: &'static str,
    /// Who may write it.
    pub visibility: Visibility,
    /// Differentiability.
    pub smoothness: Smoothness,
    /// Curvature.
    pub curvature: Curvature,
    /// Monotonicity per operand.
    pub monotone: &'static [Monotone],
    /// The result's sign from the operands'.
    pub sign: fn(&[Sign]) -> Sign,
    /// Per operand `i` the partial derivative, given the graph, the operands and the result's node; `None` where it is
    /// zero everywhere.
    pub partials: fn(&mut Graph, &[NodeId], NodeId) -> Vec<Option<NodeId>>,
    /// Value in f64.
    pub f64: fn(&[f64]) -> f64,
    /// Value in f32.
    pub f32: fn(&[f32]) -> f32,
    /// Value with one derivative, for the oracle.
    pub dual: fn(&[Dual64]) -> Dual64,
    /// Value with mixed second derivatives, for the oracle.
    pub hyper: fn(&[HyperDual64]) -> HyperDual64,
    /// Kernel over blocks in f64: `out[i] = f(args[0][i], ...)`; all slices have `out`'s length.
    pub block_f64: fn(&mut [f64], &[&[f64]]),
    /// Kernel over blocks in f32.
    pub block_f32: fn(&mut [f32], &[&[f32]]),
    /// Range of operands on which tests sample it, one pair per operand, away from kinks' exact places.
    pub sample: &'static [(f64, f64)],
}

/// Declares the modules, a constant per entry, and the table in the given order.
macro_rules! table {
    (modules $($module:ident)*; entries $($id:ident = $($path:ident)::+),* $(,)?) => {
        $(mod $module;)*
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Position { $($id),* }
        $(#[doc = concat!("`", stringify!($id), "` of the table.")]
        pub const $id: Elementwise = Elementwise(Position::$id as u16);)*
        /// Every elementwise function.
        pub static TABLE: &[&Entry] = &[$(&$($path)::+),*];
    };
}

table! {
    modules arithmetic;
    entries
    ADD = arithmetic::ADD,
    SUB = arithmetic::SUB,
    MUL = arithmetic::MUL,
    DIV = arithmetic::DIV,
    NEG = arithmetic::NEG,
    SELECT = arithmetic::SELECT,
}
