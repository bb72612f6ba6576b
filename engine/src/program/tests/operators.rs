//! Operators in one loop: pairs of them, and steps along what they give.

use super::{Argument, check, function, numbers, real, run_with, same, shape};
use crate::graph::{Graph, NodeId};
use crate::program::Role;
use Argument::Real;

/// What an operator of a chain does with the result so far and another operand.
type Link = (&'static str, fn(&mut Graph, NodeId, NodeId) -> NodeId);

const LINKS: [Link; 7] = [
    ("r + c", |g, r, c| g.add(r, c)),
    ("r - c", |g, r, c| g.sub(r, c)),
    ("c - r", |g, r, c| g.sub(c, r)),
    ("r * c", |g, r, c| g.mul(r, c)),
    ("r / c", |g, r, c| g.div(r, c)),
    ("c / r", |g, r, c| g.div(c, r)),
    ("-r", |g, r, _| g.neg(r)),
];

/// Every pair of operators on blocks and on numbers, alone and as the direction of a step: as many loops as there are.
#[test]
fn pairs_and_steps_compute_their_formulas() {
    let n = 150;
    for (_, first) in LINKS {
        for (_, second) in LINKS {
            let f = function(vec![real("a", &[n]), real("b", &[n]), real("s", &[]), real("t", &[])], |g, x| {
                let all = shape(&[n]);
                let [s, t] = [x[2], x[3]].map(|x| g.promote(x, &all));
                let mut outputs = Vec::new();
                for (b, c) in [(x[1], x[1]), (s, x[1]), (x[1], t), (s, t)] {
                    let r = first(g, x[0], b);
                    let r = second(g, r, c);
                    let moved = g.mul(s, r);
                    outputs.push(g.sub(x[1], moved));
                    let doubled = g.mul(moved, t);
                    let r = first(g, doubled, b);
                    outputs.push(second(g, r, c));
                }
                outputs
            });
            check(&f, &[numbers(n), numbers(n), Real(vec![1.7]), Real(vec![-0.3])]);
        }
    }
}

/// The step of a method with several variables: outputs, registers, numbers and sums of one loop on several threads.
#[test]
fn a_long_loop_has_the_same_bits_on_all_threads() {
    let n = 40_001;
    let f = function(vec![real("a", &[n]), real("b", &[n]), real("s", &[])], |g, x| {
        let s = g.promote(x[2], &shape(&[n]));
        let (mut a, mut b) = (x[0], x[1]);
        let mut outputs = Vec::new();
        for _ in 0..4 {
            let apart = g.sub(a, b);
            let pull = g.div(apart, s);
            let d = g.add(pull, b);
            let moved = g.mul(s, d);
            a = g.sub(a, moved);
            b = g.elementwise(crate::elementwise::TANH, &[a]);
            outputs.extend([a, b]);
        }
        let product = g.mul(a, b);
        outputs.push(g.sum_all(product));
        outputs
    });
    let args = [numbers(n), numbers(n), Real(vec![0.7])];
    let one = run_with::<f64>(&f, &[Role::Varying; 3], 1, &args);
    for threads in [2, 3, 5] {
        for (a, b) in one.iter().zip(&run_with::<f64>(&f, &[Role::Varying; 3], threads, &args)) {
            assert!(same(a, b), "{threads} threads");
        }
    }
}

/// A number whose reciprocal loses bits divides as it is written.
#[test]
fn a_division_by_any_number_is_one() {
    let n = 40;
    let f = function(vec![real("a", &[n]), real("s", &[])], |g, x| {
        let s = g.promote(x[1], &shape(&[n]));
        let quotient = g.div(x[0], s);
        vec![g.add(quotient, x[0])]
    });
    for s in [0.0, -0.0, f64::INFINITY, 1e-310, -f64::MAX, 1e-3, 3.0, 8.0] {
        let Real(a) = numbers(n) else { unreachable!("numbers are real") };
        let got = run_with::<f64>(&f, &[Role::Varying; 2], 1, &[Real(a.clone()), Real(vec![s])]);
        for (x, got) in a.iter().zip(&got[0]) {
            let want = x / s + x;
            let near = (got - want).abs() <= 4.0 * f64::EPSILON * (x / s).abs().max(x.abs());
            assert!(near || *got == want || got.is_nan() && want.is_nan(), "{x} / {s}: {got}, not {want}");
        }
    }
}
