//! Where a precision meets the tables: which of an entry's kernels a program in that precision runs.

use crate::elementwise::Entry;
use crate::kernel::precision::{BlockFn, Precision};
use crate::opaque::Kernel;

/// A working precision, f64 or f32, with its kernels.
pub trait Scalar: Precision {
    #[doc(hidden)]
    fn block_of(entry: &'static Entry) -> BlockFn<Self>;
    #[doc(hidden)]
    fn prox_of(kernel: Kernel) -> BlockFn<Self>;
}

macro_rules! scalar {
    ($t:ident, $block:ident, $apply:ident) => {
        impl Scalar for $t {
            fn block_of(entry: &'static Entry) -> BlockFn<$t> {
                entry.$block
            }
            fn prox_of(kernel: Kernel) -> BlockFn<$t> {
                kernel.entry().$apply
            }
        }
    };
}

scalar!(f64, block_f64, apply_f64);
scalar!(f32, block_f32, apply_f32);
