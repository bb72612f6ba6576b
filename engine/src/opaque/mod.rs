//! Opaque operations: those with no closed form in graph primitives (today the projection onto the simplex). Each brings
//! a kernel for every number type and its own product rules. The room knows no prox and no set: both may use an entry.

use num_dual::{Dual64, HyperDual64};

use crate::graph::{Graph, NodeId};

mod simplex;

/// An opaque operation with a kernel of its own, by its position in [`KERNELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(pub(crate) u16);

impl Kernel {
    /// The table entry.
    pub fn entry(self) -> &'static KernelEntry {
        KERNELS[self.0 as usize]
    }
}

/// An opaque operation.
pub struct KernelEntry {
    /// Name in listings.
    pub name: &'static str,
    /// What it computes, and its cost.
    pub doc: &'static str,
    /// Its operands; the first has the result's shape, the others are as `doc` says.
    pub operands: &'static [&'static str],
    /// The result in f64. Does not allocate.
    pub apply_f64: fn(&mut [f64], &[&[f64]]),
    /// The result in f32. Does not allocate.
    pub apply_f32: fn(&mut [f32], &[&[f32]]),
    /// The result with one derivative, for the oracle.
    pub dual: fn(&mut [Dual64], &[&[Dual64]]),
    /// The result with mixed second derivatives, for the oracle.
    pub hyper: fn(&mut [HyperDual64], &[&[HyperDual64]]),
    /// The tangent of `out` from those of the operands; `None` stands for zero.
    pub jvp: Jvp,
    /// The cotangent of every operand from that of `out`.
    pub vjp: Vjp,
}

/// Forward rule of a kernel.
pub type Jvp = fn(&mut Graph, args: &[NodeId], out: NodeId, tangents: &[Option<NodeId>]) -> Option<NodeId>;

/// Reverse rule of a kernel.
pub type Vjp = fn(&mut Graph, args: &[NodeId], out: NodeId, cotangent: NodeId) -> Vec<Option<NodeId>>;

/// The projection onto the simplex: operands v and the total s.
pub const SIMPLEX: Kernel = Kernel(0);

/// Every opaque operation; the position is the number in its constant above.
pub static KERNELS: &[&KernelEntry] = &[&simplex::KERNEL];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_documented_and_names_are_unique() {
        for (i, k) in KERNELS.iter().enumerate() {
            assert!(!k.doc.is_empty() && !k.operands.is_empty(), "{}", k.name);
            assert!(KERNELS[..i].iter().all(|other| other.name != k.name), "{}", k.name);
        }
        assert_eq!(SIMPLEX.entry().name, "simplex");
    }
}
