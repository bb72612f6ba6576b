//! A run allocates nothing after the first one. Alone in its file: the allocator counts for the whole process.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use blo_engine::graph::{Elem, Formal, Function, Graph, NodeId, Reduction};
use blo_engine::program::{Role, compile};
use blo_engine::shape::{Dim, Shape, Sizes};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn shape(sizes: &[usize]) -> Shape {
    Shape(sizes.iter().map(|n| Dim::constant(*n as i64)).collect())
}

fn formal(name: &str, sizes: &[usize], elem: Elem) -> Formal {
    Formal { name: name.into(), shape: shape(sizes), elem }
}

/// One of each instruction, on arrays that need several blocks.
fn everything(n: usize) -> Function {
    let inputs = vec![
        formal("a", &[n, 6], Elem::Real),
        formal("v", &[6], Elem::Real),
        formal("s", &[], Elem::Real),
        formal("i", &[4], Elem::Index),
    ];
    let mut g = Graph::new();
    let x: Vec<NodeId> = inputs.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let body = {
        let inputs = vec![formal("r", &[6], Elem::Real), formal("v", &[6], Elem::Real)];
        let mut g = Graph::new();
        let (r, v) = (g.input(0, shape(&[6]), Elem::Real), g.input(1, shape(&[6]), Elem::Real));
        let d = g.sub(r, v);
        let d = g.mul(d, d);
        let total = g.sum_all(d);
        Arc::new(Function::new("distance", &g, inputs, &[total]))
    };
    let row = g.broadcast(x[1], 0b10, &shape(&[n, 6]));
    let b = g.mul(x[0], row);
    let s = g.promote(x[2], &shape(&[n, 6]));
    let b = g.add(b, s);
    let rows = g.sum(b, 0b10);
    let columns = g.sum(b, 0b01);
    let all = g.sum_all(b);
    let norm = g.reduce(Reduction::Norm2, b, 0b11);
    let most = g.reduce(Reduction::LogSumExp, b, 0b10);
    let v = g.reshape(x[1], &shape(&[6, 1]));
    let product = g.matmul(b, v);
    let t = g.transpose(b);
    let small = g.gather(t, x[3], 1);
    let back = g.scatter(small, x[3], 1, &Dim::constant(5));
    let both = g.concat(&[small, back], 1);
    let pad = g.pad(both, 0, &Dim::constant(1), 2, &Dim::constant(20));
    let distances = g.map(&body, &[true, false], 0, &[b, columns]);
    let number = g.mul(all, norm);
    let outputs = [rows, number, most, product, pad, distances];
    Function::new("everything", &g, inputs, &outputs)
}

/// A step that carries a product, a sum and an exponential from one run to the next.
fn step(n: usize) -> Function {
    let inputs = vec![formal("y", &[n, 1], Elem::Real), formal("a", &[n, n], Elem::Real)];
    let mut g = Graph::new();
    let x: Vec<NodeId> = inputs.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let look = |g: &mut Graph, y: NodeId| {
        let product = g.matmul(x[1], y);
        let e = g.elementwise(blo_engine::elementwise::EXP, &[y]);
        let total = g.sum_all(e);
        let total = g.promote(total, &shape(&[n, 1]));
        let sum = g.add(product, e);
        g.add(sum, total)
    };
    let slope = look(&mut g, x[0]);
    let change = g.scale(-1e-6, slope);
    let next = g.add(x[0], change);
    let after = look(&mut g, next);
    Function::new("step", &g, inputs, &[next, after])
}

/// One test, since threads would count each other's allocations.
#[test]
fn runs_do_not_allocate() {
    a_second_run_does_not_allocate();
    accepted_and_rejected_steps_do_not_allocate();
}

fn accepted_and_rejected_steps_do_not_allocate() {
    for n in [5, 700] {
        let f = step(n);
        let program = compile::<f64>(&f, &Sizes::new(), &[Role::State(0), Role::Invariant]).expect("known sizes");
        assert!(program.plan().carried.len() > 1, "{}", program.plan());
        let mut ws = program.workspace().expect("a small workspace");
        program.input_mut(&mut ws, 1).fill(0.5);
        program.prologue(&mut ws);
        program.run(&mut ws);
        let before = COUNT.load(Ordering::Relaxed);
        program.accept(&mut ws);
        program.run(&mut ws);
        program.run(&mut ws);
        program.input_mut(&mut ws, 0).fill(0.25);
        program.run(&mut ws);
        let after = COUNT.load(Ordering::Relaxed);
        assert_eq!(after - before, 0, "allocations with {n} rows:\n{}", program.plan());
    }
}

fn a_second_run_does_not_allocate() {
    for n in [5, 700] {
        let f = everything(n);
        let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying; 4]).expect("known sizes");
        let mut ws = program.workspace().expect("a small workspace");
        program.set_index(&mut ws, 3, &[0, 2, 1, 2]).expect("positions on the axis");
        program.input_mut(&mut ws, 0).fill(0.5);
        program.prologue(&mut ws);
        program.run(&mut ws);
        let before = COUNT.load(Ordering::Relaxed);
        program.run(&mut ws);
        program.prologue(&mut ws);
        let after = COUNT.load(Ordering::Relaxed);
        assert_eq!(after - before, 0, "allocations with {n} rows:\n{}", program.plan());
    }
}
