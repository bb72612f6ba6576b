//! Stub of the table of proximal operators.

use num_dual::{Dual64, HyperDual64};

use crate::graph::{Graph, NodeId};

/// A kernel, by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(pub(crate) u16);

/// A kernel of the table.
#[allow(missing_docs)]
pub struct KernelEntry {
    pub name: &'static str,
    pub doc: &'static str,
    pub operands: &'static [&'static str],
    pub apply_f64: fn(&mut [f64], &[&[f64]]),
    pub apply_f32: fn(&mut [f32], &[&[f32]]),
    pub dual: fn(&mut [Dual64], &[&[Dual64]]),
    pub hyper: fn(&mut [HyperDual64], &[&[HyperDual64]]),
    pub jvp: fn(&mut Graph, &[NodeId], NodeId) -> NodeId,
    pub vjp: fn(&mut Graph, &[NodeId], NodeId) -> NodeId,
}

static STUB: KernelEntry = KernelEntry {
    name: "stub",
    doc: "",
    operands: &["v"],
    apply_f64: |out, args| out.copy_from_slice(args[0]),
    apply_f32: |out, args| out.copy_from_slice(args[0]),
    dual: |_, _| (),
    hyper: |_, _| (),
    jvp: |_, _, id| id,
    vjp: |_, _, id| id,
};

impl Kernel {
    /// The entry.
    pub fn entry(self) -> &'static KernelEntry {
        &STUB
    }
}

/// Stub.
#[derive(Debug)]
pub struct Entry;
