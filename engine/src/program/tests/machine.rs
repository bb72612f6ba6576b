//! What the machine has changes no bit of a program: all vectors of the CPU, the base always, and any number of threads.
//! Matrix products and the kernels of convolutions are the exception that is stated where they are tested: faer chooses
//! the instructions of a product itself, and the sums of a convolution's kernel are as many as there are threads.

use super::{Argument, function, real, run_with, shape};
use crate::elementwise;
use crate::graph::{ConvPart, Function, Graph, NodeId, Op, Reduction};
use crate::kernel::loops::vectors::Vectors;
use crate::opaque::{SIMPLEX, group_shrunk_of, isotonic_of};
use crate::program::{Role, Scalar};
use crate::shape::Dim;
use Argument::Real;

/// Numbers whose sums and products are not exact.
fn uneven(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 37 + 11 * seed) as f64 * 0.7).sin() * 3.0 + 0.1).collect()
}

fn same<T: Scalar>(a: &[T], b: &[T]) -> bool {
    let bits = |x: &T| x.to_f64().to_bits();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bits(a) == bits(b) || a.not_a_number() && b.not_a_number())
}

fn check_vectors_in<T: Scalar>(name: &str, f: &Function, args: &[Argument]) {
    let all = Vectors::on_each(|| run_with::<T>(f, &vec![Role::Varying; args.len()], 1, args));
    for (vectors, outputs) in &all[1..] {
        for (k, (base, output)) in all[0].1.iter().zip(outputs).enumerate() {
            assert!(same(base, output), "output {k} of {name} in {} on {vectors:?}", T::NAME);
        }
    }
}

/// All vectors of the CPU give the same bits, in both precisions.
fn check_vectors(name: &str, f: &Function, args: &[Argument]) {
    check_vectors_in::<f64>(name, f, args);
    check_vectors_in::<f32>(name, f, args);
}

#[test]
fn vectors_do_not_change_reductions() {
    for sizes in [vec![3, 40, 5], vec![2, 1, 700], vec![700, 3, 1], vec![2, 600, 2], vec![3, 70, 130], vec![90, 16, 1]]
    {
        let n = sizes.iter().product();
        for mask in 1..8u8 {
            let f = function(vec![real("a", &sizes), real("b", &sizes)], |g, x| {
                let product = g.mul(x[0], x[1]);
                [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm2]
                    .into_iter()
                    .flat_map(|how| [g.reduce(how, x[0], mask), g.reduce(how, product, mask)])
                    .collect()
            });
            check_vectors(&format!("reductions of {sizes:?}"), &f, &[Real(uneven(n, 1)), Real(uneven(n, 2))]);
        }
    }
}

#[test]
fn vectors_do_not_change_products_with_vectors_and_shrunk_groups() {
    for [m, n] in [[3, 5], [40, 700], [1500, 37], [130, 64], [1, 900]] {
        let f = function(vec![real("a", &[m, n]), real("v", &[n]), real("w", &[m]), real("t", &[m])], |g, x| {
            let transposed = g.transpose(x[0]);
            let (v, w) = (g.reshape(x[1], &shape(&[n, 1])), g.reshape(x[2], &shape(&[m, 1])));
            let row = g.reshape(x[2], &shape(&[1, m]));
            let total = g.sum_all(x[2]);
            let total = g.elementwise(elementwise::ABS, &[total]);
            let simplex = g.push(Op::Prox(SIMPLEX), vec![x[1], total], shape(&[n]));
            let (whole, groups) = (g.reshape(x[0], &shape(&[m * n])), group_shrunk_of(g, x[0], x[3]));
            vec![
                g.matmul(x[0], v),
                g.matmul(transposed, w),
                g.matmul(row, x[0]),
                groups,
                isotonic_of(g, whole),
                simplex,
            ]
        });
        let args = [uneven(m * n, 1), uneven(n, 2), uneven(m, 3), uneven(m, 4)].map(Real);
        check_vectors(&format!("products of {m} x {n}"), &f, &args);
    }
}

fn check_threads_in<T: Scalar>(f: &Function, args: &[Argument]) {
    let roles = vec![Role::Varying; args.len()];
    let one = run_with::<T>(f, &roles, 1, args);
    for threads in [2, 3] {
        for (k, (a, b)) in one.iter().zip(&run_with::<T>(f, &roles, threads, args)).enumerate() {
            assert!(same(a, b), "output {k} of {threads} threads in {}", T::NAME);
        }
    }
}

fn check_threads(f: &Function, args: &[Argument]) {
    check_threads_in::<f64>(f, args);
    check_threads_in::<f32>(f, args);
}

/// Loops with sums of rows and of everything, products with vectors from the left and the right, and products of matrices
/// in one block and in several.
#[test]
fn threads_do_not_change_bits() {
    let (m, n) = (400, 900);
    let f = function(vec![real("a", &[m, n]), real("v", &[n]), real("w", &[m])], |g, x| {
        let s = shape(&[m, n]);
        let v = g.broadcast(x[1], 0b10, &s);
        let p = g.mul(x[0], v);
        let rows = g.sum(p, 0b10);
        let all = g.sum_all(p);
        let q = g.add(p, p);
        let v = g.reshape(x[1], &shape(&[n, 1]));
        let w = g.reshape(x[2], &shape(&[m, 1]));
        let t = g.transpose(x[0]);
        let narrow = g.slice(t, 1, &Dim::constant(0), 1, &Dim::constant(10));
        vec![rows, all, q, g.matmul(x[0], v), g.matmul(t, w), g.matmul(x[0], t), g.matmul(x[0], narrow)]
    });
    check_threads(&f, &[uneven(m * n, 1), uneven(n, 2), uneven(m, 3)].map(Real));
    let f = function(vec![real("a", &[100_000, 7])], |g, x| {
        let p = g.mul(x[0], x[0]);
        vec![g.sum(p, 0b10)]
    });
    check_threads(&f, &[Real(uneven(700_000, 1))]);
}

/// A convolution of many images: its outputs and images have the same bits; an entry of its kernel is a sum over all
/// images, which the threads split.
#[test]
fn threads_change_nothing_of_a_convolution_but_the_order_of_a_sum() {
    let (images, channels, side, outputs) = (300, 3, 9, 8);
    let shapes = [[images, channels, side, side], [outputs, channels, 3, 3], [images, outputs, side, side]];
    let windows = (images * side * side) as f64;
    let conv = |g: &mut Graph, x: &[NodeId], part: ConvPart| {
        let operands = part.others().map(|p| x[p as usize]);
        g.conv(part, 1, 1, operands, &shape(&shapes[part as usize]))
    };
    let inputs = || shapes.iter().map(|s| real("x", s)).collect::<Vec<_>>();
    let args: Vec<Argument> = shapes.iter().map(|s| Real(uneven(s.iter().product(), 1))).collect();
    let f = function(inputs(), |g, x| [ConvPart::Image, ConvPart::Output].map(|p| conv(g, x, p)).to_vec());
    check_threads(&f, &args);
    let f = function(inputs(), |g, x| vec![conv(g, x, ConvPart::Kernel)]);
    let [one, two] = [1, 2].map(|threads| run_with::<f64>(&f, &[Role::Varying; 3], threads, &args).swap_remove(0));
    // Two orders of a sum of so many products, each at most 3.1^2, differ by a rounding per term of the sum's size.
    let most = windows * f64::EPSILON * windows * 3.1 * 3.1;
    for (a, b) in one.iter().zip(&two) {
        assert!((a - b).abs() <= most, "{a} {b}");
    }
}
