//! Programs against a direct evaluation of every node, and against themselves with other roles and threads.

use std::sync::Arc;

use super::{Program, Role, Scalar, Workspace, compile};
use crate::data::Shared;
use crate::elementwise;
use crate::graph::{ConvPart, Elem, Formal, Function, Graph, NodeId, Reduction, Windows};
use crate::shape::{Dim, Shape, SizeError, Sizes};

mod direct;
mod machine;
mod operators;
pub(super) mod random;

use direct::evaluate;

pub(super) fn shape(sizes: &[usize]) -> Shape {
    Shape(sizes.iter().map(|n| Dim::constant(*n as i64)).collect())
}

pub(super) fn real(name: &str, sizes: &[usize]) -> Formal {
    Formal { name: name.into(), shape: shape(sizes), elem: Elem::Real }
}

fn index(name: &str, n: usize) -> Formal {
    Formal { name: name.into(), shape: shape(&[n]), elem: Elem::Index }
}

pub(super) fn function(inputs: Vec<Formal>, build: impl FnOnce(&mut Graph, &[NodeId]) -> Vec<NodeId>) -> Function {
    let mut g = Graph::new();
    let nodes: Vec<NodeId> = inputs.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let outputs = build(&mut g, &nodes);
    Function::new("f", &g, inputs, &outputs)
}

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    Real(Vec<f64>),
    Index(Vec<usize>),
}

use Argument::Real;

fn run_with<T: Scalar>(f: &Function, roles: &[Role], threads: usize, args: &[Argument]) -> Vec<Vec<T>> {
    let program = compile::<T>(f, &Sizes::new(), roles).unwrap().with_threads(threads);
    let mut ws = program.workspace().unwrap();
    set(&program, &mut ws, args);
    program.prologue(&mut ws);
    program.run(&mut ws);
    let first: Vec<Vec<T>> = (0..program.outputs()).map(|k| program.output(&ws, k).to_vec()).collect();
    // A second run must not depend on what the first left behind.
    program.run(&mut ws);
    for (k, first) in first.iter().enumerate() {
        assert!(same(first, program.output(&ws, k)), "output {k} of a second run");
    }
    first
}

pub(super) fn same<T: Scalar>(a: &[T], b: &[T]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits())
}

pub(super) fn set<T: Scalar>(program: &Program<T>, ws: &mut Workspace<T>, args: &[Argument]) {
    for (i, a) in args.iter().enumerate() {
        match a {
            Argument::Real(x) => {
                let x: Vec<T> = x.iter().map(|v| T::from_f64(*v)).collect();
                match program.inputs[i].buffer < program.buffers.len() {
                    true => program.set_input(ws, i, &x),
                    false => program.lend(ws, i, &Shared::from(x)),
                }
            }
            Argument::Index(x) => program.set_index(ws, i, x).unwrap(),
        }
    }
}

fn run(f: &Function, args: &[Argument]) -> Vec<Vec<f64>> {
    run_with(f, &vec![Role::Varying; args.len()], 1, args)
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let both = a.is_nan() && b.is_nan() || a == b || (a - b).abs() <= tolerance * (1.0 + a.abs() + b.abs());
        assert!(both, "{a} is not {b}");
    }
}

/// The program agrees with the evaluation, in both precisions, and has the same bits for all roles and threads.
fn check(f: &Function, args: &[Argument]) {
    crate::graph::verify::verify(f).unwrap();
    let want = evaluate(f, args);
    let got = run(f, args);
    for (g, w) in got.iter().zip(&want) {
        assert_close(g, w, 1e-12);
    }
    let n = args.len();
    for subset in 1..1u32 << n.min(4) {
        for seldom in [Role::Invariant, Role::Lent] {
            let role = |i: usize| if subset >> i & 1 == 1 { seldom } else { Role::Varying };
            let roles: Vec<Role> = (0..n).map(role).collect();
            for (hoisted, plain) in run_with::<f64>(f, &roles, 1, args).iter().zip(&got) {
                assert!(same(hoisted, plain), "hoisting {roles:?} changed bits: {hoisted:?} {plain:?}");
            }
        }
    }
    let single = run_with::<f32>(f, &vec![Role::Varying; n], 1, args);
    for (g, w) in single.iter().zip(&want) {
        let w: Vec<f64> = w.iter().map(|v| f64::from(*v as f32)).collect();
        let g: Vec<f64> = g.iter().map(|v| f64::from(*v)).collect();
        assert_close(&g, &w, 2e-4);
    }
}

fn numbers(n: usize) -> Argument {
    Real((0..n).map(|i| ((i * 37 + 11) % 64) as f64 / 16.0 - 1.9).collect())
}

#[test]
fn elementwise_chains_fuse() {
    for n in [0, 1, 2, 10, 511, 512, 513, 1300] {
        let f = function(vec![real("a", &[n]), real("b", &[n]), real("s", &[])], |g, x| {
            let half = g.scale(0.5, x[1]);
            let s = g.promote(x[2], &shape(&[n]));
            let t = g.mul(s, half);
            let u = g.sub(x[0], t);
            let w = g.div(u, s);
            let w = g.neg(w);
            vec![w, u]
        });
        check(&f, &[numbers(n), numbers(n), Real(vec![1.5])]);
    }
}

#[test]
fn broadcasts_and_views_are_read_in_place() {
    let f = function(vec![real("m", &[3, 4]), real("r", &[4]), real("c", &[3]), real("t", &[4, 3])], |g, x| {
        let s = shape(&[3, 4]);
        let (r, c) = (g.broadcast(x[1], 0b10, &s), g.broadcast(x[2], 0b01, &s));
        let t = g.transpose(x[3]);
        let a = g.add(x[0], r);
        let a = g.mul(a, c);
        let a = g.sub(a, t);
        let b = g.slice(a, 1, &Dim::constant(1), 2, &Dim::constant(2));
        let b = g.neg(b);
        let c = g.reshape(t, &shape(&[12]));
        let i = g.iota(&Dim::constant(12));
        let c = g.add(c, i);
        vec![a, b, c, t]
    });
    check(&f, &[numbers(12), numbers(4), numbers(3), numbers(12)]);
}

#[test]
fn reductions_over_all_axes_masks() {
    for sizes in [vec![3, 4, 5], vec![2, 1, 700], vec![700, 3, 1], vec![1, 1, 1], vec![0, 3, 2], vec![2, 600, 2]] {
        let n = sizes.iter().product();
        for mask in 1..8u8 {
            let f = function(vec![real("a", &sizes), real("b", &sizes)], |g, x| {
                let p = g.mul(x[0], x[1]);
                [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm2]
                    .map(|how| g.reduce(how, p, mask))
                    .to_vec()
            });
            check(&f, &[numbers(n), numbers(n)]);
        }
    }
}

#[test]
fn matrix_products_of_all_layouts() {
    for (m, k, n) in
        [(1, 1, 1), (2, 3, 4), (1, 30, 40), (40, 30, 1), (1, 700, 1), (17, 13, 9), (0, 2, 3), (2, 0, 3), (1, 600, 600)]
    {
        let f =
            function(vec![real("a", &[m, k]), real("b", &[k, n]), real("at", &[k, m]), real("bt", &[n, k])], |g, x| {
                let (at, bt) = (g.transpose(x[2]), g.transpose(x[3]));
                [(x[0], x[1]), (at, x[1]), (x[0], bt), (at, bt)].map(|(a, b)| g.matmul(a, b)).to_vec()
            });
        let inputs: Vec<Argument> = [m * k, k * n, k * m, n * k].map(numbers).to_vec();
        crate::graph::verify::verify(&f).unwrap();
        for (got, want) in run(&f, &inputs).iter().zip(&evaluate(&f, &inputs)) {
            assert_close(got, want, 1e-11);
        }
    }
}

#[test]
fn matrix_products_read_slices() {
    let f = function(vec![real("a", &[9, 12]), real("v", &[12, 3])], |g, x| {
        let four = Dim::constant(4);
        let left = g.slice(x[0], 1, &Dim::constant(2), 1, &Dim::constant(8));
        let rows = g.slice(x[1], 0, &Dim::constant(1), 1, &Dim::constant(8));
        let even = g.slice(x[0], 1, &Dim::constant(0), 3, &four);
        let top = g.slice(x[1], 0, &four, 1, &four);
        let column = g.slice(x[1], 1, &Dim::constant(1), 1, &Dim::constant(1));
        vec![g.matmul(left, rows), g.matmul(even, top), g.matmul(x[0], column)]
    });
    check(&f, &[numbers(108), numbers(36)]);
}

#[test]
fn pads_concats_gathers_scatters() {
    let f = function(vec![real("a", &[3, 4]), real("b", &[3, 2]), index("i", 5), index("j", 3)], |g, x| {
        let a2 = g.add(x[0], x[0]);
        let c = g.concat(&[a2, x[1], x[0]], 1);
        let p = g.pad(x[0], 0, &Dim::constant(1), 2, &Dim::constant(7));
        let t = g.transpose(x[0]);
        let q = g.pad(t, 1, &Dim::constant(2), 1, &Dim::constant(6));
        let rows = g.gather(x[0], x[2], 0);
        let columns = g.gather(x[0], x[2], 1);
        let back = g.scatter(x[1], x[3], 0, &Dim::constant(6));
        let one = g.filled(1.5, &shape(&[3, 2]));
        let d = g.concat(&[x[1], one], 0);
        vec![c, p, q, rows, columns, back, d]
    });
    let args = [numbers(12), numbers(6), Argument::Index(vec![2, 0, 0, 1, 2]), Argument::Index(vec![5, 0, 5])];
    check(&f, &args);
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying; 4]).unwrap();
    let mut ws = program.workspace().unwrap();
    assert!(program.set_index(&mut ws, 2, &[3, 0, 0, 0, 0]).is_err());
    assert!(program.set_index(&mut ws, 3, &[3, 4, 5]).is_ok());
}

#[test]
fn maps_run_their_body_per_slice() {
    let body = function(vec![real("w", &[2]), real("x", &[3, 2]), real("s", &[]), index("i", 2)], |g, x| {
        let w = g.reshape(x[0], &shape(&[2, 1]));
        let p = g.matmul(x[1], w);
        let p = g.reshape(p, &shape(&[3]));
        let q = g.gather(p, x[3], 0);
        let s = g.mul(x[2], x[2]);
        let total = g.sum_all(p);
        let total = g.mul(s, total);
        vec![q, total]
    });
    let body = Arc::new(body);
    let mut inputs = vec![real("w", &[4, 2]), real("x", &[3, 2]), real("s", &[]), index("i", 2)];
    inputs[3].shape = shape(&[4, 2]);
    let f = function(inputs, |g, x| {
        let w = g.neg(x[0]);
        let mapped = [true, false, false, true];
        let args = [w, x[1], x[2], x[3]];
        vec![g.map(&body, &mapped, 1, &args), g.map(&body, &mapped, 0, &args)]
    });
    check(&f, &[numbers(8), numbers(6), Real(vec![1.25]), Argument::Index(vec![0, 1, 2, 2, 1, 1, 0, 2])]);
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying; 4]).unwrap();
    assert_eq!(program.steps.len(), 2, "one loop for -w, one call for both outputs:\n{}", program.plan());
}

#[test]
fn operations_wait_for_their_reader() {
    // x + y and its square could run before the product, but their only reader comes after it.
    let f = function(vec![real("x", &[8, 8]), real("y", &[8, 8]), real("z", &[8, 8])], |g, x| {
        let early = g.mul(x[2], x[2]);
        let sum = g.add(x[0], x[1]);
        let square = g.mul(sum, sum);
        let product = g.matmul(early, x[1]);
        vec![g.sub(product, square)]
    });
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying; 3]).unwrap();
    assert_eq!(program.plan().lines.len(), 3);
    assert_eq!(program.plan().lines[0].results[0].1, "z * z");
    assert_eq!(program.plan().lines[2].buffers.len(), 1, "{}", program.plan());
    check(&f, &[numbers(64), numbers(64), numbers(64)]);
}

#[test]
fn outputs_are_owned_and_may_be_swapped_away() {
    let f = function(vec![real("x", &[2]), real("c", &[2])], |g, x| {
        let y = g.add(x[0], x[1]);
        let r = g.mul(x[1], x[1]);
        vec![y, y, x[1], r]
    });
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying, Role::Invariant]).unwrap();
    let mut ws = program.workspace().unwrap();
    program.set_input(&mut ws, 0, &[1.0, 2.0]);
    program.set_input(&mut ws, 1, &[10.0, 20.0]);
    program.prologue(&mut ws);
    for k in 1..4 {
        program.run(&mut ws);
        let k = f64::from(k);
        assert_eq!(program.output(&ws, 0), [1.0 + 10.0 * k, 2.0 + 20.0 * k]);
        assert_eq!(program.output(&ws, 1), program.output(&ws, 0));
        assert_eq!(program.output(&ws, 2), [10.0, 20.0]);
        assert_eq!(program.output(&ws, 3), [100.0, 400.0]);
        program.advance(&mut ws, 0, 0);
        assert_eq!(program.input(&ws, 0), [1.0 + 10.0 * k, 2.0 + 20.0 * k]);
    }
}

#[test]
fn convolutions_and_windows() {
    // images, channels, height, width; outputs, kernel rows and columns; stride, padding
    for [i, c, h, w, o, a, b, stride, padding] in
        [[2, 3, 5, 4, 2, 3, 3, 1, 1], [3, 1, 6, 7, 2, 3, 2, 2, 0], [1, 2, 3, 3, 1, 2, 2, 1, 2]]
    {
        let out = |n: usize, k: usize| (n + 2 * padding - k) / stride + 1;
        let shapes = [vec![i, c, h, w], vec![o, c, a, b], vec![i, o, out(h, a), out(w, b)]];
        let inputs = shapes.iter().map(|s| real("x", s)).collect();
        let f = function(inputs, |g, x| {
            let mut outs = Vec::new();
            for part in [ConvPart::Image, ConvPart::Kernel, ConvPart::Output] {
                let operands = part.others().map(|p| x[p as usize]);
                outs.push(g.conv(part, stride as u32, padding as u32, operands, &shape(&shapes[part as usize])));
            }
            // Operands that are ways to read an array.
            let turned = g.permute(x[0], &[0, 1, 3, 2]);
            let back = g.permute(turned, &[0, 1, 3, 2]);
            let doubled = g.add(back, x[0]);
            let operands = [doubled, x[1]];
            outs.push(g.conv(ConvPart::Output, stride as u32, padding as u32, operands, &shape(&shapes[2])));
            let windows = Windows { size: 2, stride: stride as u32 };
            let key = g.reshape(x[0], &shape(&[i * c, h, w]));
            let other = g.elementwise(elementwise::SIN, &[key]);
            let counts = [h, w].map(|n| Dim::constant(((n - 2) / stride + 1) as i64));
            let largest = g.pick(windows, key, key, counts.clone());
            let picked = g.pick(windows, key, other, counts);
            let product = g.mul(largest, picked);
            outs.extend([largest, picked, g.put(windows, key, product)]);
            outs
        });
        let args: Vec<Argument> = shapes.iter().map(|s| numbers(s.iter().product())).collect();
        check(&f, &args);
    }
}

#[test]
fn the_largest_entry_may_be_no_number() {
    let f = function(vec![real("u", &[1, 2, 4])], |g, x| {
        let windows = Windows { size: 2, stride: 2 };
        vec![g.pick(windows, x[0], x[0], [Dim::constant(1), Dim::constant(2)])]
    });
    let u = vec![1.0, f64::NAN, 3.0, 3.0, 7.0, 0.0, -1.0, 3.0];
    let out = &run(&f, &[Real(u)])[0];
    assert!(out[0].is_nan() && out[1] == 3.0, "{out:?}");
}

#[test]
fn buffers_are_reused() {
    let n = 1000;
    let f = function(vec![real("x", &[n])], |g, x| {
        let mut y = x[0];
        for _ in 0..100 {
            // A scan breaks fusion, so that each round needs memory.
            let back = g.slice(y, 0, &Dim::constant(0), 1, &Dim::constant(n as i64 - 1));
            let pad = g.pad(back, 0, &Dim::constant(1), 1, &Dim::constant(n as i64));
            let half = g.scale(0.5, pad);
            y = g.add(y, half);
        }
        vec![y]
    });
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying]).unwrap();
    assert!(program.buffers.len() <= 5, "{:?}", program.buffers);
    let args = [numbers(n)];
    assert_close(&run(&f, &args)[0], &evaluate(&f, &args)[0], 1e-12);
}

#[test]
fn memory_is_known_before_it_is_taken() {
    let inputs = || vec![Formal { name: "x".into(), shape: Shape(vec![Dim::symbol("n")]), elem: Elem::Real }];
    let f = function(inputs(), |g, x| vec![g.add(x[0], x[0])]);
    let mut sizes = Sizes::new();
    sizes.set("n", 1_000_000_000_000);
    assert!(matches!(compile::<f64>(&f, &sizes, &[Role::Varying]), Err(SizeError::TooLarge(_))));
    sizes.set("n", 500_000_000_000);
    let program = compile::<f64>(&f, &sizes, &[Role::Varying]).unwrap();
    assert!(program.memory_bytes() >= 8_000_000_000_000);
    let f = function(inputs(), |_, x| vec![x[0]]);
    assert!(matches!(compile::<f64>(&f, &Sizes::new(), &[Role::Varying]), Err(SizeError::Unknown(_))));
}

/// Data that a function does not read, of which other functions of the problem do.
#[test]
fn inputs_that_nothing_reads_take_no_memory() {
    let f = function(vec![real("x", &[3]), real("A", &[1000, 1000])], |g, v| vec![g.neg(v[0])]);
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying, Role::Unread]).unwrap();
    assert!(program.memory_bytes() < 1000, "{} bytes", program.memory_bytes());
    let mut ws = program.workspace().unwrap();
    program.set_input(&mut ws, 0, &[1.0, 2.0, 3.0]);
    assert_eq!(program.input(&ws, 1), [0.0; 0]);
    program.run(&mut ws);
    assert_eq!(program.output(&ws, 0), [-1.0, -2.0, -3.0]);
}

/// The data of many programs are one array.
#[test]
fn lent_inputs_take_no_memory_and_are_read_in_place() {
    let body = Arc::new(function(vec![real("r", &[3]), real("c", &[3, 3])], |g, x| {
        let column = g.reshape(x[0], &shape(&[3, 1]));
        let product = g.matmul(x[1], column);
        vec![g.sum_all(product)]
    }));
    let f = function(vec![real("A", &[3, 3]), real("x", &[4, 3])], |g, v| {
        let t = g.transpose(v[0]);
        vec![g.matmul(v[1], t), g.map(&body, &[true, false], 0, &[v[1], v[0]])]
    });
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Lent, Role::Varying]).unwrap();
    let copying = compile::<f64>(&f, &Sizes::new(), &[Role::Invariant, Role::Varying]).unwrap();
    assert_eq!(program.plan().lent, 72, "{}", program.plan());
    assert!(program.memory_bytes() + 2 * 72 <= copying.memory_bytes(), "the body of the Map has it too");
    let data = Shared::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let mut results = Vec::new();
    for ws in &mut [program.workspace().unwrap(), program.workspace().unwrap()] {
        program.lend(ws, 0, &data);
        program.set_input(ws, 1, &x);
        program.run(ws);
        assert!(std::ptr::eq(program.input(ws, 0), &data[..]));
        results.push([0, 1].map(|k| program.output(ws, k).to_vec()));
    }
    let mut ws = copying.workspace().unwrap();
    set(&copying, &mut ws, &[Real(data.to_vec()), Real(x)]);
    copying.run(&mut ws);
    assert!(results.iter().all(|r| (0..2).all(|k| same(&r[k], copying.output(&ws, k)))), "{results:?}");
}

#[test]
fn plans_read_like_formulas() {
    let f = function(vec![real("x", &[5, 3]), real("y", &[5]), real("w", &[3]), real("alpha", &[])], |g, x| {
        let w = g.reshape(x[2], &shape(&[3, 1]));
        let h = g.matmul(x[0], w);
        let h = g.reshape(h, &shape(&[5]));
        let r = g.sub(h, x[1]);
        g.label(r, "r");
        let rr = g.mul(r, r);
        let loss = g.sum_all(rr);
        let loss = g.scale(0.5, loss);
        g.label(loss, "loss");
        let column = g.reshape(r, &shape(&[5, 1]));
        let t = g.transpose(x[0]);
        let grad = g.matmul(t, column);
        let grad = g.reshape(grad, &shape(&[3]));
        let a = g.promote(x[3], &shape(&[3]));
        let s = g.mul(a, grad);
        let next = g.sub(x[2], s);
        g.label(next, "w_next");
        let c = g.mul(x[1], x[1]);
        let c = g.sum_all(c);
        vec![next, loss, c]
    });
    let roles = [Role::Invariant, Role::Invariant, Role::Varying, Role::Varying];
    let program = compile::<f64>(&f, &Sizes::new(), &roles).unwrap();
    insta::assert_snapshot!(program.plan());
}
