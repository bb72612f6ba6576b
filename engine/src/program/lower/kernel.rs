//! Which kernel computes what the graph asks for.

use crate::elementwise::{self, Elementwise};
use crate::graph::{ConvPart, Reduction};
use crate::kernel::block::Arith;
use crate::kernel::conv::Factor;
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

/// The kernel of a reduction.
pub(super) fn reduction<T: Scalar>(how: Reduction) -> fn(&[T]) -> T {
    match how {
        Reduction::Sum => reduce::sum,
        Reduction::Max => reduce::maximum,
        Reduction::LogSumExp => reduce::log_sum_exp,
        Reduction::Norm2 => reduce::norm2,
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
