//! Stub of the operators.

use num_dual::{Dual64, HyperDual64};

use super::{Curvature, Entry, Monotone, Smoothness, Visibility};
use crate::model::sign::Sign;

macro_rules! entry {
    ($id:ident, $name:literal, $arity:literal, $f:expr, $dual:expr) => {
        /// Stub.
        pub(super) static $id: Entry = Entry {
            name: $name,
            arity: $arity,
            doc: "",
            visibility: Visibility::Operator,
            smoothness: Smoothness::Smooth,
            curvature: Curvature::Neither,
            monotone: &[Monotone::No; $arity],
            sign: |_| Sign::Unknown,
            partials: |_, _, _| Vec::new(),
            f64: $f,
            f32: $f,
            dual: |x: &[Dual64]| $dual(x),
            hyper: |x: &[HyperDual64]| $dual(x),
            block_f64: |out, args| {
                for i in 0..out.len() {
                    let mut x = [0.0; $arity];
                    for (k, a) in args.iter().enumerate() {
                        x[k] = a[i];
                    }
                    out[i] = { let y: [_; $arity] = x; let x: &[_] = &y; ($f)(x) };
                }
            },
            block_f32: |out, args| {
                for i in 0..out.len() {
                    let mut x = [0.0; $arity];
                    for (k, a) in args.iter().enumerate() {
                        x[k] = a[i];
                    }
                    out[i] = { let y: [_; $arity] = x; let x: &[_] = &y; ($f)(x) };
                }
            },
            sample: &[(-1.0, 1.0); $arity],
        };
    };
}

macro_rules! real { ($x:ident, $e:expr) => { |$x: &[_]| $e }; }

entry!(ADD, "+", 2, real!(x, x[0] + x[1]), |x: &[_]| x[0] + x[1]);
entry!(SUB, "-", 2, real!(x, x[0] - x[1]), |x: &[_]| x[0] - x[1]);
entry!(MUL, "*", 2, real!(x, x[0] * x[1]), |x: &[_]| x[0] * x[1]);
entry!(DIV, "/", 2, real!(x, x[0] / x[1]), |x: &[_]| x[0] / x[1]);
entry!(NEG, "negate", 1, real!(x, std::ops::Neg::neg(x[0])), |x: &[_]| std::ops::Neg::neg(x[0]));
entry!(SELECT, "select", 3, real!(x, if x[0] != 0.0 { x[1] } else { x[2] }), |x: &[_]| x[1]);
