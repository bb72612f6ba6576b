//! Projections onto sets, each as the smallest program that runs it: `cargo bench -p blo-engine --bench sets`. A projection
//! onto the simplex is to take no more than three times what a sort of the same length takes.

use std::hint::black_box;

use blo_engine::graph::{Elem, Formal, Function, Graph};
use blo_engine::program::{Role, compile};
use blo_engine::set::by_name;
use blo_engine::shape::{Dim, Shape, Sizes};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Numbers between -1 and 1 in no order (splitmix64).
fn numbers(count: usize) -> Vec<f64> {
    let draw = |i: u64| {
        let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (1..=count as u64).map(draw).collect()
}

/// The projection of numbers onto a set with one parameter or none, run by run.
fn project(c: &mut Criterion, name: &str, shape: &[usize], parameter: Option<f64>) {
    let set = by_name(name).expect("the table has it");
    let shape = Shape(shape.iter().map(|n| Dim::constant(*n as i64)).collect());
    let formals = vec![Formal { name: "v".into(), shape: shape.clone(), elem: Elem::Real }];
    let mut g = Graph::new();
    let v = g.input(0, shape, Elem::Real);
    let parameters: Vec<_> = parameter.map(|p| g.constant(p)).into_iter().collect();
    let out = set.nearest(&mut g, v, &parameters);
    let f = Function::new("projection", &g, formals, &[out]);
    let program = compile::<f64>(&f, &Sizes::new(), &[Role::Varying]).expect("known sizes");
    let mut ws = program.workspace().expect("little memory");
    let count = program.input_mut(&mut ws, 0).len();
    program.input_mut(&mut ws, 0).copy_from_slice(&numbers(count));
    let mut group = c.benchmark_group("sets");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(format!("{name} of {count}"), |b| {
        b.iter(|| {
            program.run(&mut ws);
            black_box(program.output(&ws, 0)[0])
        });
    });
    group.finish();
}

fn simplex(c: &mut Criterion) {
    for count in [10_000, 100_000, 1_000_000] {
        let values = numbers(count);
        let mut group = c.benchmark_group("sets");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("sort of {count}"), |b| {
            let sort = |mut v: Vec<f64>| {
                v.sort_unstable_by(f64::total_cmp);
                v
            };
            b.iter_batched(|| values.clone(), sort, BatchSize::LargeInput);
        });
        group.finish();
        project(c, "simplex", &[count], Some(1.0));
        project(c, "ball1", &[count], Some(1.0));
    }
}

fn others(c: &mut Criterion) {
    project(c, "ball2", &[100_000], Some(1.0));
    project(c, "soc", &[100_000], None);
    for side in [10, 50, 200] {
        project(c, "psd", &[side, side], None);
    }
}

criterion_group!(benches, simplex, others);
criterion_main!(benches);
