//! The operators on blocks. The table's block functions serve every other elementwise function; these five are here
//! because they are most of what runs, and a scalar operand should cost neither a register block nor a load. `pulp`
//! picks vectors of the CPU at run time; products and sums are not contracted, so the bits do not depend on
//! the width.

use super::SHORT;
use super::precision::Precision;

/// An operator with a loop of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    /// Of the first operand.
    Neg,
    /// The first operand.
    Copy,
}

/// A block or one number for all its elements.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a, T> {
    Many(&'a [T]),
    One(T),
}

/// `out[i] = op(a[i], b[i])`.
pub(crate) fn arith<T: Precision>(op: Arith, out: &mut [T], a: Operand<T>, b: Operand<T>) {
    match op {
        Arith::Add => binary(out, a, b, |a, b| a + b),
        Arith::Sub => binary(out, a, b, |a, b| a - b),
        Arith::Mul => binary(out, a, b, |a, b| a * b),
        Arith::Div => binary(out, a, b, |a, b| a / b),
        Arith::Neg => binary(out, a, Operand::One(T::default()), |a, _| -a),
        Arith::Copy => match a {
            Operand::Many(a) => out.copy_from_slice(a),
            Operand::One(a) => out.fill(a),
        },
    }
}

#[inline(always)]
fn binary<T: Precision>(out: &mut [T], a: Operand<T>, b: Operand<T>, f: impl Fn(T, T) -> T) {
    if out.len() < SHORT {
        return each(out, a, b, f);
    }
    super::streaming(
        #[inline(always)]
        || each(out, a, b, f),
    );
}

#[inline(always)]
fn each<T: Precision>(out: &mut [T], a: Operand<T>, b: Operand<T>, f: impl Fn(T, T) -> T) {
    match (a, b) {
        (Operand::Many(a), Operand::Many(b)) => {
            for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
                *o = f(*a, *b);
            }
        }
        (Operand::Many(a), Operand::One(b)) => {
            for (o, a) in out.iter_mut().zip(a) {
                *o = f(*a, b);
            }
        }
        (Operand::One(a), Operand::Many(b)) => {
            for (o, b) in out.iter_mut().zip(b) {
                *o = f(a, *b);
            }
        }
        (Operand::One(a), Operand::One(b)) => out.fill(f(a, b)),
    }
}
