//! The table of elementwise functions. One file per function (operators and comparisons share a file each): its value
//! over any number type, its derivative as graph, and what the calculus may assume of it. Parsing, kernels, oracle,
//! listing and the universal test come from the table.

use num_dual::{Dual64, HyperDual64};
use num_traits::Float;

use crate::graph::{Graph, NodeId};
use crate::kernel::loops::vectors::Vectors;
use crate::kernel::{SHORT, math};
use crate::sign::Sign;

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
        let position = TABLE.iter().position(|e| e.name == name && e.visibility.is_named())?;
        Some(Elementwise(position as u16))
    }
}

/// Where it may be used.
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

impl Visibility {
    /// True for what programs call by name.
    pub fn is_named(self) -> bool {
        matches!(self, Visibility::Function | Visibility::ConstantOnly)
    }
}

/// What an element costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A few instructions: computing it again is as cheap as reading it back.
    Arithmetic,
    /// Tens of instructions: worth keeping.
    Function,
}

/// Differentiability.
#[derive(Clone, Copy, Debug)]
pub enum Smoothness {
    /// Continuously differentiable where defined.
    Smooth,
    /// Continuous with kinks; the text names the derivative used there. A second formula may round them off.
    Kinked(&'static str, Option<Rounded>),
    /// Piecewise constant: derivative zero.
    Step,
    /// The derivative is taken as zero although the function varies.
    Stopped,
}

/// The function without its kinks: given the graph, the operands and a radius, a smooth function that differs from it by
/// at most the radius, and hardly at all at some radii from a kink.
pub type Rounded = fn(&mut Graph, &[NodeId], NodeId) -> NodeId;

/// Curvature as a function of its operands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curvature {
    /// Linear plus constant.
    Affine,
    /// Convex on its domain.
    Convex,
    /// Concave on its domain.
    Concave,
    /// Convex in the first operand where the others are fixed and nonnegative; nothing is known of all together.
    ConvexInFirst,
    /// Neither, or not known.
    Neither,
}

/// Monotonicity in one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monotone {
    /// A larger operand never gives a smaller result.
    Nondecreasing,
    /// A larger operand never gives a larger result.
    Nonincreasing,
    /// Nonincreasing below zero and nondecreasing above, like a convex even function.
    AwayFromZero,
    /// None of these, or not known.
    Neither,
}

/// An elementwise function.
pub struct Entry {
    /// Name in programs and listings.
    pub name: &'static str,
    /// Number of operands.
    pub arity: usize,
    /// One line with the formula.
    pub doc: &'static str,
    /// Where it may be used.
    pub visibility: Visibility,
    /// What an element costs.
    pub cost: Cost,
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

/// An [`Entry`] from a generic formula `fn f<D: Number>([a, b]: [D; 2]) -> D`: every number type and block kernel is
/// the same text. `kernel` names a function of one operand in `kernel::math` that programs run instead; the formula
/// stays what the oracle knows.
macro_rules! entry {
    ($value:ident(1), kernel: $kernel:ident, $($field:ident: $content:expr),* $(,)?) => {
        Entry {
            arity: 1,
            f64: |x| math::one(math::$kernel::<f64>, x),
            f32: |x| math::one(math::$kernel::<f32>, x),
            dual: |x| $value::<Dual64>(operands(x)),
            hyper: |x| $value::<HyperDual64>(operands(x)),
            block_f64: math::$kernel::<f64>,
            block_f32: math::$kernel::<f32>,
            $($field: $content),*
        }
    };
    ($value:ident($arity:literal), $($field:ident: $content:expr),* $(,)?) => {
        Entry {
            arity: $arity,
            f64: |x| $value::<f64>(operands(x)),
            f32: |x| $value::<f32>(operands(x)),
            dual: |x| $value::<Dual64>(operands(x)),
            hyper: |x| $value::<HyperDual64>(operands(x)),
            block_f64: |out, args| block(out, args, $value::<f64>),
            block_f32: |out, args| block(out, args, $value::<f32>),
            $($field: $content),*
        }
    };
}

#[inline(always)]
fn operands<D: Copy, const N: usize>(x: &[D]) -> [D; N] {
    std::array::from_fn(|k| x[k])
}

/// The loop of a block kernel; the arity is a constant and all lengths are equal, so that arithmetic becomes vector
/// instructions without bounds checks.
#[inline(always)]
fn block<D: Copy, const N: usize>(out: &mut [D], args: &[&[D]], f: impl Fn([D; N]) -> D) {
    if out.len() < SHORT {
        return each(out, args, f);
    }
    Vectors::best().run(
        #[inline(always)]
        || each(out, args, f),
    );
}

#[inline(always)]
fn each<D: Copy, const N: usize>(out: &mut [D], args: &[&[D]], f: impl Fn([D; N]) -> D) {
    let length = out.len();
    let args: [&[D]; N] = std::array::from_fn(|k| &args[k][..length]);
    for (i, o) in out.iter_mut().enumerate() {
        *o = f(std::array::from_fn(|k| args[k][i]));
    }
}

/// `sqrt(x^2 + r^2)`, which is `|x|` without its kink: it keeps signs, convexity and monotonicity.
fn rounded_magnitude(g: &mut Graph, x: NodeId, radius: NodeId) -> NodeId {
    let (square, room) = (g.mul(x, x), g.mul(radius, radius));
    let sum = g.add(square, room);
    g.elementwise(SQRT, &[sum])
}

/// The mean of two numbers and half of their rounded distance, with this sign: the larger or the smaller of them.
fn rounded_choice(g: &mut Graph, [a, b]: [NodeId; 2], sign: f64, radius: NodeId) -> NodeId {
    let (sum, difference) = (g.add(a, b), g.sub(a, b));
    let distance = rounded_magnitude(g, difference, radius);
    let (half, signed) = (g.constant(0.5), g.constant(0.5 * sign));
    let (mean, way) = (g.mul(half, sum), g.mul(signed, distance));
    g.add(mean, way)
}

/// `1/x`.
fn reciprocal(g: &mut Graph, x: NodeId) -> NodeId {
    let one = g.constant(1.0);
    g.div(one, x)
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

mod number;
mod signs;

#[cfg(test)]
mod universal;

pub use number::{LibraryFunction, Number};

table! {
    modules abs arithmetic atan ceil comparison cos cosh erf exp floor gelu huber log log1p max mcp min modulo pow
        relu round scad sigmoid sign silu sin sinh soft softplus sqrt square stop tan tanh;
    entries
    ABS = abs::ENTRY,
    ATAN = atan::ENTRY,
    CEIL = ceil::ENTRY,
    COS = cos::ENTRY,
    COSH = cosh::ENTRY,
    ERF = erf::ENTRY,
    EXP = exp::ENTRY,
    FLOOR = floor::ENTRY,
    GELU = gelu::ENTRY,
    HUBER = huber::ENTRY,
    LOG = log::ENTRY,
    LOG1P = log1p::ENTRY,
    MAX = max::ENTRY,
    MIN = min::ENTRY,
    MOD = modulo::ENTRY,
    POW = pow::ENTRY,
    RELU = relu::ENTRY,
    ROUND = round::ENTRY,
    SIGMOID = sigmoid::ENTRY,
    SIGN = sign::ENTRY,
    SILU = silu::ENTRY,
    SIN = sin::ENTRY,
    SINH = sinh::ENTRY,
    SOFTPLUS = softplus::ENTRY,
    SQRT = sqrt::ENTRY,
    SQUARE = square::ENTRY,
    STOP = stop::ENTRY,
    TAN = tan::ENTRY,
    TANH = tanh::ENTRY,
    ADD = arithmetic::ADD,
    SUB = arithmetic::SUB,
    MUL = arithmetic::MUL,
    DIV = arithmetic::DIV,
    NEG = arithmetic::NEG,
    SELECT = arithmetic::SELECT,
    SAFE_DIV = arithmetic::SAFE_DIV,
    MCP = mcp::ENTRY,
    SCAD = scad::ENTRY,
    SOFT = soft::ENTRY,
    LESS = comparison::LESS,
    LESS_EQUAL = comparison::LESS_EQUAL,
    EQUAL = comparison::EQUAL,
    NOT_EQUAL = comparison::NOT_EQUAL,
    AND = comparison::AND,
    OR = comparison::OR,
    NOT = comparison::NOT,
}
