//! The operators on blocks, one or two at a time: `second(first(a, b), c)`, and with them the step of a descent that they
//! are the direction of, `d - s second(first(a, b), c)`. That saves most loads and stores of a long chain, which is what
//! such a chain takes its time for. The table's block functions serve every other elementwise function.
//!
//! A loop is picked when a program is made, by operators, by which operands are single numbers, and by the vectors of
//! the CPU; calling it is then one jump. Each step is an IEEE operation of its own and nothing is contracted, so the bits
//! depend neither on the vectors nor on what was paired.
#![allow(unsafe_code)]

use super::vectors::{Kind, Vectors};
use crate::kernel::precision::Precision;

/// An operator with a loop of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    /// Of the first operand.
    Neg,
}

/// The first operator of a loop; operands are blocks but where `One` stands in the place of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Add,
    AddOne,
    Sub,
    OneSub,
    Mul,
    MulOne,
    Div,
    DivOne,
    OneDiv,
}

/// The second operator of a loop, on the result `r` of the first and an operand `c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    /// There is none.
    Keep,
    Add,
    AddOne,
    /// `r - c`
    Sub,
    /// `c - r`
    SubFrom,
    SubFromOne,
    Mul,
    MulOne,
    /// `r / c`
    DivOne,
}

/// A loop for the vectors of this CPU.
#[derive(Clone, Copy)]
pub(crate) struct Loop<T>(Compiled<T>);

/// The result, the operands `a`, `b`, `c`, `d`, and `s`.
type Compiled<T> = unsafe fn(&mut [T], &[T], &[T], &[T], &[T], &[T]);

impl<T: Precision> Loop<T> {
    /// The loop of a pair of operators, `steps` for a step along their result. Where both divide there is none, and none
    /// that steps along a quotient of blocks.
    pub(crate) fn of(vectors: Vectors, first: First, second: Second, steps: bool) -> Loop<T> {
        let vectors = (vectors, steps);
        match first {
            First::Add => with_first::<T, Add, 0>(vectors, second),
            First::AddOne => with_first::<T, Add, B>(vectors, second),
            First::Sub => with_first::<T, Sub, 0>(vectors, second),
            First::OneSub => with_first::<T, Sub, A>(vectors, second),
            First::Mul => with_first::<T, Mul, 0>(vectors, second),
            First::MulOne => with_first::<T, Mul, B>(vectors, second),
            First::DivOne if second != Second::DivOne => with_first::<T, Div, B>(vectors, second),
            First::Div if second == Second::Keep && !steps => compiled::<T, Div, Keep, C>(vectors.0),
            First::OneDiv if second == Second::Keep && !steps => compiled::<T, Div, Keep, { A | C }>(vectors.0),
            _ => unreachable!("divisions of blocks stand alone"),
        }
    }

    /// Fills `out` from `a`, `b`, `c`, `d` and `s`; a number is the first element of its operand, other operands have at
    /// least as many as `out`.
    #[inline(always)]
    pub(crate) fn run(self, out: &mut [T], [a, b, c, d, s]: [&[T]; 5]) {
        // SAFETY: `Vectors` names instructions that the CPU has, and nothing else makes a loop.
        unsafe { (self.0)(out, a, b, c, d, s) }
    }
}

/// Which operands are numbers.
const A: u8 = 1;
const B: u8 = 2;
const C: u8 = 4;
/// The loop steps.
const STEP: u8 = 8;

fn with_first<T: Precision, F: Operator, const AB: u8>(vectors: (Vectors, bool), second: Second) -> Loop<T> {
    match second {
        Second::Keep => with_kinds::<T, F, Keep, AB, true>(vectors),
        Second::Add => with_kinds::<T, F, Add, AB, false>(vectors),
        Second::AddOne => with_kinds::<T, F, Add, AB, true>(vectors),
        Second::Sub => with_kinds::<T, F, Sub, AB, false>(vectors),
        Second::SubFrom => with_kinds::<T, F, SubFrom, AB, false>(vectors),
        Second::SubFromOne => with_kinds::<T, F, SubFrom, AB, true>(vectors),
        Second::Mul => with_kinds::<T, F, Mul, AB, false>(vectors),
        Second::MulOne => with_kinds::<T, F, Mul, AB, true>(vectors),
        Second::DivOne => with_kinds::<T, F, Div, AB, true>(vectors),
    }
}

fn with_kinds<T: Precision, F: Operator, G: Operator, const AB: u8, const ONE: bool>(
    (vectors, steps): (Vectors, bool),
) -> Loop<T> {
    match (AB, ONE) {
        (0, false) => with_step::<T, F, G, 0, STEP>(vectors, steps),
        (0, true) => with_step::<T, F, G, C, { C | STEP }>(vectors, steps),
        (A, false) => with_step::<T, F, G, A, { A | STEP }>(vectors, steps),
        (A, true) => with_step::<T, F, G, { A | C }, { A | C | STEP }>(vectors, steps),
        (B, false) => with_step::<T, F, G, B, { B | STEP }>(vectors, steps),
        (B, true) => with_step::<T, F, G, { B | C }, { B | C | STEP }>(vectors, steps),
        _ => unreachable!("one operand of the first operator is a block"),
    }
}

fn with_step<T: Precision, F: Operator, G: Operator, const PLAIN: u8, const STEPS: u8>(
    vectors: Vectors,
    steps: bool,
) -> Loop<T> {
    if steps { compiled::<T, F, G, STEPS>(vectors) } else { compiled::<T, F, G, PLAIN>(vectors) }
}

fn compiled<T: Precision, F: Operator, G: Operator, const ONES: u8>(vectors: Vectors) -> Loop<T> {
    Loop(match vectors.kind() {
        Kind::Base => each::<T, F, G, ONES>,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => avx2::<T, F, G, ONES>,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => avx512::<T, F, G, ONES>,
    })
}

/// [`each`], compiled for vectors.
macro_rules! on_vectors {
    ($name:ident: $features:literal) => {
#[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        #[rustfmt::skip]
        fn $name<T: Precision, F: Operator, G: Operator, const ONES: u8>(
            out: &mut [T], a: &[T], b: &[T], c: &[T], d: &[T], s: &[T],
        ) {
            each::<T, F, G, ONES>(out, a, b, c, d, s);
        }
    };
}

on_vectors!(avx2: "avx2");
on_vectors!(avx512: "avx512f,avx512vl,avx512dq");

/// The loop itself. Slices are parameters up to here, so that the compiler knows that `out` is none of the others.
#[inline(always)]
fn each<T: Precision, F: Operator, G: Operator, const ONES: u8>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    c: &[T],
    d: &[T],
    s: &[T],
) {
    let n = out.len();
    if n == 0 {
        return;
    }
    let one = |x: &[T], of: u8| if ONES & of == 0 { T::default() } else { x[0] };
    let ones = [one(a, A), one(b, B), one(c, C)];
    let (a, b, c) = (&a[..if ONES & A == 0 { n } else { 1 }], &b[..if ONES & B == 0 { n } else { 1 }], c);
    let c = &c[..if ONES & C == 0 { n } else { 1 }];
    let (d, step) = if ONES & STEP == 0 { (d, T::default()) } else { (&d[..n], s[0]) };
    for i in 0..n {
        let x = if ONES & A == 0 { a[i] } else { ones[0] };
        let y = if ONES & B == 0 { b[i] } else { ones[1] };
        let z = if ONES & C == 0 { c[i] } else { ones[2] };
        let r = G::of(F::of(x, y), z);
        out[i] = if ONES & STEP == 0 { r } else { d[i] - step * r };
    }
}

trait Operator {
    fn of<T: Precision>(x: T, y: T) -> T;
}

macro_rules! operators {
    ($($name:ident: $x:ident, $y:ident => $value:expr;)*) => {
        $(
            struct $name;
            impl Operator for $name {
                #[inline(always)]
                fn of<T: Precision>($x: T, $y: T) -> T {
                    $value
                }
            }
        )*
    };
}

operators! {
    Add: x, y => x + y;
    Sub: x, y => x - y;
    SubFrom: x, y => y - x;
    Mul: x, y => x * y;
    Div: x, y => x / y;
    Keep: x, _y => x;
}

/// What a division by this number is a multiplication with, if it is one: the product is then within two units in the
/// last place of the quotient, and zeros, infinities and NaN are the same. A vector division takes as long as five to
/// eight multiplications.
pub(crate) fn reciprocal<T: Precision>(divisor: T) -> Option<T> {
    let inverse = T::from_f64(1.0) / divisor;
    // Their bits are all there: neither is subnormal, and neither overflows.
    (divisor.normal() && inverse.normal()).then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [First; 9] = [
        First::Add,
        First::AddOne,
        First::Sub,
        First::OneSub,
        First::Mul,
        First::MulOne,
        First::Div,
        First::DivOne,
        First::OneDiv,
    ];

    const SECOND: [Second; 9] = [
        Second::Keep,
        Second::Add,
        Second::AddOne,
        Second::Sub,
        Second::SubFrom,
        Second::SubFromOne,
        Second::Mul,
        Second::MulOne,
        Second::DivOne,
    ];

    fn exists(first: First, second: Second) -> bool {
        match first {
            First::Div | First::OneDiv => second == Second::Keep,
            First::DivOne => second != Second::DivOne,
            _ => true,
        }
    }

    /// The same, an element at a time.
    fn element<T: Precision>(first: First, second: Second, [a, b, c]: [&[T]; 3], i: usize) -> T {
        let r = match first {
            First::Add => a[i] + b[i],
            First::AddOne => a[i] + b[0],
            First::Sub => a[i] - b[i],
            First::OneSub => a[0] - b[i],
            First::Mul => a[i] * b[i],
            First::MulOne => a[i] * b[0],
            First::Div => a[i] / b[i],
            First::DivOne => a[i] / b[0],
            First::OneDiv => a[0] / b[i],
        };
        match second {
            Second::Keep => r,
            Second::Add => r + c[i],
            Second::AddOne => r + c[0],
            Second::Sub => r - c[i],
            Second::SubFrom => c[i] - r,
            Second::SubFromOne => c[0] - r,
            Second::Mul => r * c[i],
            Second::MulOne => r * c[0],
            Second::DivOne => r / c[0],
        }
    }

    fn numbers<T: Precision>(n: usize, seed: usize) -> Vec<T> {
        let special = [0.0, -0.0, 1e-310, -1e300, f64::INFINITY, f64::NAN, 1.0, f64::MIN_POSITIVE];
        let number = |i: usize| match (i * 7 + seed) % 29 {
            0 => special[(i + seed) % special.len()],
            _ => ((i * 37 + seed * 11) % 101) as f64 / 7.0 - 6.0,
        };
        (0..n).map(|i| T::from_f64(number(i))).collect()
    }

    fn every_loop_is_its_formula_on<T: Precision>(vectors: Vectors) {
        for n in [0, 1, 2, 7, 8, 15, 33, 100, 257] {
            let [a, b, c]: [Vec<T>; 3] = std::array::from_fn(|k| numbers(n + 1, k + n));
            for first in FIRST {
                for second in SECOND.into_iter().filter(|s| exists(first, *s)) {
                    // A place further, so that nothing is aligned.
                    for (from, steps) in [(0, false), (1, false), (0, true), (1, true)] {
                        if steps && matches!(first, First::Div | First::OneDiv) {
                            continue;
                        }
                        let args = [&a, &b, &c].map(|x| &x[from..]);
                        let mut out = vec![T::default(); n];
                        let all = [args[0], args[1], args[2], args[1], args[0]];
                        Loop::of(vectors, first, second, steps).run(&mut out, all);
                        for (i, o) in out.iter().enumerate() {
                            let r = element(first, second, args, i);
                            let want = if steps { all[3][i] - all[4][0] * r } else { r };
                            let same = o.to_f64().to_bits() == want.to_f64().to_bits();
                            assert!(
                                same || o.not_a_number() && want.not_a_number(),
                                "{vectors:?} {first:?} {second:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_loop_is_its_formula_to_the_bit_on_all_vectors_of_the_cpu() {
        for vectors in Vectors::available() {
            every_loop_is_its_formula_on::<f64>(vectors);
            every_loop_is_its_formula_on::<f32>(vectors);
        }
    }

    #[test]
    fn a_product_with_a_reciprocal_is_the_quotient_to_two_units_of_the_last_place() {
        let all: Vec<f64> = numbers(400, 3);
        for d in [3.0, -7.1, 1e300, 1e-300, 0.3, 4.0, f64::MIN_POSITIVE, 6.68] {
            let Some(inverse) = reciprocal::<f64>(d) else { panic!("{d} has a reciprocal") };
            for x in &all {
                let (product, quotient) = (x * inverse, x / d);
                let ulp = (quotient.abs().next_up() - quotient.abs()).max(f64::from_bits(1));
                let near = (product - quotient).abs() <= 2.0 * ulp;
                assert!(near || product == quotient || product.is_nan() && quotient.is_nan(), "{x} / {d}");
            }
        }
        for d in [0.0, -0.0, f64::INFINITY, f64::NAN, 1e-310, f64::MAX] {
            assert_eq!(reciprocal::<f64>(d), None);
        }
    }
}
