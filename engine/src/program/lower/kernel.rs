//! Which kernel computes what the graph asks for.

use crate::elementwise::{self, Elementwise};
use crate::graph::{ConvPart, Reduction};
use crate::kernel::conv::Factor;
use crate::kernel::loops::block::Arith;
use crate::kernel::precision::RowsFn;
use crate::kernel::reduce;
use crate::program::scalar::Scalar;

/// The operator's own loop, if an elementwise function has one.
pub(super) fn arith(f: Elementwise) -> Option<Arith> {
    match f {
        elementwise::ADD => Some(Arith::Add),
        elementwise::SUB => Some(Arith::Sub),
        elementwise::MUL => Some(Arith::Mul),
        elementwise::DIV => Some(Arith::Div),
        elementwise::NEG => Some(Arith::Neg),
        _ => None,
    }
}

/// The kernel that reduces rows of some length.
pub(super) fn reduction<T: Scalar>(how: Reduction) -> RowsFn<T> {
    match how {
        Reduction::Sum => |out, x, length| reduce::rows(out, x, length, reduce::sum),
        Reduction::Max => |out, x, length| reduce::rows(out, x, length, reduce::maximum),
        Reduction::LogSumExp => reduce::log_sum_exp_rows,
        Reduction::Norm2 => reduce::norm2_rows,
    }
}

/// The kernel's name for a part of a convolution.
pub(super) fn factor(part: ConvPart) -> Factor {
    match part {
        ConvPart::Image => Factor::Image,
        ConvPart::Kernel => Factor::Kernel,
        ConvPart::Output => Factor::Output,
    }
}
