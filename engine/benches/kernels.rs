//! Kernels, each as the smallest program that runs it: `cargo bench -p blo-engine`.

use std::hint::black_box;

use blo_engine::elementwise::{EXP, TANH};
use blo_engine::graph::{ConvPart, Elem, Formal, Function, Graph, NodeId};
use blo_engine::program::{Program, Role, Workspace, compile};
use blo_engine::prox::{Arguments, find};
use blo_engine::shape::{Dim, Shape, Sizes};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn shape(sizes: &[usize]) -> Shape {
    Shape(sizes.iter().map(|n| Dim::constant(*n as i64)).collect())
}

/// A program of some arrays in f64, with its workspace; entries are between -1 and 1.
fn program(inputs: &[&[usize]], build: impl FnOnce(&mut Graph, &[NodeId]) -> NodeId) -> (Program<f64>, Workspace<f64>) {
    let real = |sizes: &&[usize]| Formal { name: "x".into(), shape: shape(sizes), elem: Elem::Real };
    let formals: Vec<Formal> = inputs.iter().map(real).collect();
    let mut g = Graph::new();
    let nodes: Vec<NodeId> = formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let output = build(&mut g, &nodes);
    let f = Function::new("kernel", &g, formals, &[output]);
    let program = compile(&f, &Sizes::new(), &vec![Role::Varying; inputs.len()]).expect("known sizes");
    let mut ws = program.workspace().expect("little memory");
    for position in 0..inputs.len() {
        let values = program.input_mut(&mut ws, position).iter_mut().enumerate();
        values.for_each(|(i, v)| *v = ((i * 37 + position * 11) % 101) as f64 / 50.0 - 1.0);
    }
    (program, ws)
}

/// Times runs; `work` is what one run does, in elements or in multiplications.
fn time(c: &mut Criterion, name: &str, work: usize, (program, mut ws): (Program<f64>, Workspace<f64>)) {
    let mut group = c.benchmark_group("kernels");
    group.throughput(Throughput::Elements(work as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            program.run(&mut ws);
            black_box(program.output(&ws, 0)[0])
        });
    });
    group.finish();
}

/// Forward products of an MLP on images (a batch of 500, 300 hidden units) and of a softmax model on all rows, with the
/// transposed products of their gradients.
fn products(c: &mut Criterion) {
    for (name, [m, k, n], transposed) in [
        ("mlp first layer", [500, 784, 300], false),
        ("mlp first layer, gradient", [784, 500, 300], true),
        ("mlp second layer", [500, 300, 10], false),
        ("softmax", [5000, 784, 10], false),
        ("softmax, gradient", [784, 5000, 10], true),
        ("matrix times vector", [2000, 1000, 1], false),
    ] {
        let left = if transposed { [k, m] } else { [m, k] };
        let p = program(&[&left, &[k, n]], |g, x| {
            let a = if transposed { g.transpose(x[0]) } else { x[0] };
            g.matmul(a, x[1])
        });
        time(c, name, m * k * n, p);
    }
}

fn loops(c: &mut Criterion) {
    let n = 100_000;
    let p = program(&[&[n], &[n], &[]], |g, x| {
        let step = g.promote(x[2], &shape(&[n]));
        let moved = g.mul(step, x[1]);
        let next = g.sub(x[0], moved);
        let bounded = g.elementwise(TANH, &[next]);
        g.add(bounded, x[1])
    });
    time(c, "fused loop of 1e5", n, p);
    time(c, "exp of 1e5", n, program(&[&[n]], |g, x| g.elementwise(EXP, &[x[0]])));
    time(c, "sum of 1e5", n, program(&[&[n]], |g, x| g.sum_all(x[0])));
    time(c, "sum over rows of 1000 x 100", n, program(&[&[1000, 100]], |g, x| g.sum(x[0], 0b01)));
}

/// Proximal maps of long arrays, beside a copy of one.
fn proxes(c: &mut Criterion) {
    let n = 1_000_000;
    let source: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let mut target = vec![0.0; n];
    let mut group = c.benchmark_group("kernels");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("copy of 1e6", |b| {
        b.iter(|| {
            target.copy_from_slice(black_box(&source));
            black_box(target[0])
        });
    });
    group.finish();
    let map = |parts: &[&str], shapes: &[&[usize]]| {
        let entry = find(parts).expect("the table has it");
        program(shapes, |g, x| (entry.apply)(g, &Arguments { v: x[0], step: x[1], weights: &x[2..], bounds: None }))
    };
    time(c, "prox of l1 at 1e6", n, map(&["l1"], &[&[n], &[], &[]]));
    time(c, "prox of l1 with weights at 1e6", n, map(&["l1"], &[&[n], &[], &[n]]));
    for width in [10, 100] {
        let name = format!("prox of groups of {width} at 1e6");
        time(c, &name, n, map(&["group_l2"], &[&[n], &[], &[n / width]]));
    }
    time(c, "prox of scad at 1e6", n, map(&["scad"], &[&[n], &[], &[], &[], &[]]));
    for n in [10_000, 100_000, 1_000_000] {
        time(c, &format!("prox of tv1d at {n:e}"), n, map(&["tv1d"], &[&[n], &[], &[]]));
    }
    time(c, "prox of nuclear at 100 x 100", 10_000, map(&["nuclear"], &[&[100, 100], &[], &[]]));
}

fn convolutions(c: &mut Criterion) {
    let (images, kernels) = ([25, 32, 14, 14], [32, 32, 3, 3]);
    let multiplications = 25 * 14 * 14 * 32 * 32 * 9;
    for (name, part, operands, out) in [
        ("convolution", ConvPart::Output, [&images, &kernels], images),
        ("convolution, gradient of kernels", ConvPart::Kernel, [&images, &images], kernels),
        ("convolution, gradient of images", ConvPart::Image, [&kernels, &images], images),
    ] {
        let p = program(&operands.map(|o| &o[..]), |g, x| g.conv(part, 1, 1, [x[0], x[1]], &shape(&out)));
        time(c, name, multiplications, p);
    }
}

criterion_group!(kernels, products, loops, proxes, convolutions);
criterion_main!(kernels);
