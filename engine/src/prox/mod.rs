//! Kernels of prox operators without a closed elementwise form.

use num_dual::{Dual64, HyperDual64};

use crate::graph::{Graph, NodeId};

/// A kernel, by its position in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(pub(crate) u16);

/// Derivative of the result along tangents of the operands.
pub type Jvp = fn(&mut Graph, &[NodeId], NodeId, &[Option<NodeId>]) -> Option<NodeId>;

/// Cotangents of the operands.
pub type Vjp = fn(&mut Graph, &[NodeId], NodeId, NodeId) -> Vec<Option<NodeId>>;

/// A kernel's table entry.
pub struct KernelEntry {
    /// Name.
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Operands; the first has the result's shape.
    pub operands: &'static [&'static str],
    /// In f64.
    pub apply_f64: fn(&mut [f64], &[&[f64]]),
    /// In f32.
    pub apply_f32: fn(&mut [f32], &[&[f32]]),
    /// With one derivative.
    pub dual: fn(&mut [Dual64], &[&[Dual64]]),
    /// With mixed second derivatives.
    pub hyper: fn(&mut [HyperDual64], &[&[HyperDual64]]),
    /// Forward rule.
    pub jvp: Jvp,
    /// Reverse rule.
    pub vjp: Vjp,
}

impl Kernel {
    /// The table entry.
    pub fn entry(self) -> &'static KernelEntry {
        unreachable!("the table of kernels is empty")
    }
}
