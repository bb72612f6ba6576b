//! The universal test: what every entry of the table must fulfil.

use super::*;
use crate::diff::tests::{agree, function, spread};
use crate::kernel::loops::vectors::Vectors;
use crate::kernel::precision::Precision;
use crate::oracle::{Tensor, Value};
use crate::shape::{Dim, Shape, Sizes};

const POINTS: usize = 24;

/// Per operand, points within the entry's range.
fn samples(entry: &Entry) -> Vec<Vec<f64>> {
    let range = |(k, (low, high)): (usize, &(f64, f64))| {
        spread(POINTS, 3 * k + 1).iter().map(|t| low + t * (high - low)).collect()
    };
    entry.sample.iter().enumerate().map(range).collect()
}

fn row(columns: &[Vec<f64>], i: usize) -> Vec<f64> {
    columns.iter().map(|c| c[i]).collect()
}

fn every() -> impl Iterator<Item = (Elementwise, &'static Entry)> {
    (0..TABLE.len() as u16).map(|i| (Elementwise(i), Elementwise(i).entry()))
}

fn check_derivatives(id: Elementwise, columns: &[Vec<f64>], differences: bool) {
    let entry = id.entry();
    let shapes = vec![Shape(vec![Dim::constant(columns[0].len() as i64)]); entry.arity];
    let f = function(entry.name, &shapes, |g, x| vec![g.elementwise(id, x)]);
    let inputs: Vec<_> = columns.iter().map(|c| Value::Real(Tensor::new(vec![c.len()], c.clone()))).collect();
    agree(&f, &Sizes::new(), &inputs, &(0..entry.arity).collect::<Vec<_>>(), differences);
}

#[test]
fn the_table_is_sorted_unique_and_documented() {
    let mut names: Vec<&str> = TABLE.iter().map(|e| e.name).collect();
    let public: Vec<&str> = TABLE.iter().filter(|e| e.visibility.is_named()).map(|e| e.name).collect();
    assert!(public.is_sorted(), "{public:?}");
    assert_eq!(names[..public.len()], public, "functions come first");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    for (_, e) in every() {
        assert_eq!((e.monotone.len(), e.sample.len()), (e.arity, e.arity), "{}", e.name);
        assert!(!e.doc.is_empty() && !e.doc.contains('\n'), "{}", e.name);
        assert!(!e.visibility.is_named() || e.doc.starts_with(&format!("{}(", e.name)), "{}", e.doc);
    }
    assert_eq!(Elementwise::by_name("softplus"), Some(SOFTPLUS));
    assert_eq!(Elementwise::by_name("safe_div"), None);
    assert_eq!(Elementwise::by_name("if"), None);
}

/// Numbers that vector instructions might treat in their own way, each at several places of a vector.
const SPECIAL: [f64; 11] =
    [0.0, -0.0, 1.0, -1.0, 1e-310, 1e-40, 1e30, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

#[test]
fn blocks_have_the_same_bits_on_all_vectors() {
    fn check<T: Precision>(name: &str, block: fn(&mut [T], &[&[T]]), x: &[Vec<f64>]) {
        let x: Vec<Vec<T>> = x.iter().map(|x| x.iter().map(|v| T::from_f64(*v)).collect()).collect();
        let x: Vec<&[T]> = x.iter().map(Vec::as_slice).collect();
        let all = Vectors::on_each(|| {
            let mut out = vec![T::from_f64(0.25); x[0].len()];
            block(&mut out, &x);
            out
        });
        for (vectors, values) in &all[1..] {
            for (i, (a, b)) in all[0].1.iter().zip(values).enumerate() {
                let same = a.to_f64().to_bits() == b.to_f64().to_bits() || a.not_a_number() && b.not_a_number();
                assert!(same, "element {i} of {name} in {} on {vectors:?}: {a:?} {b:?}", T::NAME);
            }
        }
    }
    for (_, entry) in every() {
        let operand = |(k, (low, high)): (usize, &(f64, f64))| {
            let mut x: Vec<f64> = spread(613, 3 * k + 1).iter().map(|t| low + t * (high - low)).collect();
            let places = x.iter_mut().skip(3 * k).step_by(7);
            places.zip(SPECIAL.iter().cycle()).take(5 * SPECIAL.len()).for_each(|(x, v)| *x = *v);
            x
        };
        let x: Vec<Vec<f64>> = entry.sample.iter().enumerate().map(operand).collect();
        check(entry.name, entry.block_f64, &x);
        check(entry.name, entry.block_f32, &x);
    }
}

#[test]
fn single_precision_is_close() {
    for (_, e) in every() {
        let single: Vec<Vec<f32>> = samples(e).iter().map(|c| c.iter().map(|v| *v as f32).collect()).collect();
        for i in 0..POINTS {
            let x: Vec<f32> = single.iter().map(|c| c[i]).collect();
            let wide: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
            let (a, b) = (f64::from((e.f32)(&x)), (e.f64)(&wide));
            assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{} at {x:?}: {a} and {b}", e.name);
        }
    }
}

#[test]
fn kernels_equal_the_scalar_function() {
    for (_, e) in every() {
        let columns = samples(e);
        for length in [0, 1, 7, POINTS] {
            let wide: Vec<&[f64]> = columns.iter().map(|c| &c[..length]).collect();
            let mut out = vec![f64::NAN; length];
            (e.block_f64)(&mut out, &wide);
            let single: Vec<Vec<f32>> = wide.iter().map(|c| c.iter().map(|v| *v as f32).collect()).collect();
            let mut narrow = vec![f32::NAN; length];
            (e.block_f32)(&mut narrow, &single.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for i in 0..length {
                assert_eq!(out[i].to_bits(), (e.f64)(&row(&columns, i)).to_bits(), "{}", e.name);
                let x: Vec<f32> = single.iter().map(|c| c[i]).collect();
                assert_eq!(narrow[i].to_bits(), (e.f32)(&x).to_bits(), "{}", e.name);
            }
        }
    }
}

#[test]
fn derivatives_of_all_orders() {
    for (id, e) in every() {
        // The derivative of a function of constants, and of what is stopped, is zero by convention, not by differences.
        let by_convention = e.visibility == Visibility::ConstantOnly || matches!(e.smoothness, Smoothness::Stopped);
        check_derivatives(id, &samples(e), !by_convention);
    }
}

#[test]
fn derivatives_at_kinks_follow_the_convention() {
    for (id, e) in every() {
        if matches!(e.smoothness, Smoothness::Kinked(..) | Smoothness::Step) && e.visibility != Visibility::ConstantOnly
        {
            check_derivatives(id, &vec![vec![0.0, 0.7, -0.7]; e.arity], false);
        }
    }
    check_derivatives(HUBER, &[vec![0.5, -0.5, 0.0], vec![0.5; 3]], false);
}

#[test]
fn curvature_and_monotonicity_hold_on_samples() {
    for (_, e) in every() {
        let columns = samples(e);
        for i in 0..POINTS {
            for j in 0..POINTS {
                let (a, b) = (row(&columns, i), row(&columns, j));
                let middle: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 0.5 * (a + b)).collect();
                let gap = 0.5 * ((e.f64)(&a) + (e.f64)(&b)) - (e.f64)(&middle);
                let ok = match e.curvature {
                    Curvature::Affine => gap.abs() <= 1e-12,
                    Curvature::Convex => gap >= -1e-12,
                    Curvature::Concave => gap <= 1e-12,
                    Curvature::ConvexInFirst => {
                        let with = |x: f64| {
                            let mut point = a.clone();
                            point[0] = x;
                            (e.f64)(&point)
                        };
                        0.5 * (with(a[0]) + with(b[0])) - with(middle[0]) >= -1e-12
                    }
                    Curvature::Neither => true,
                };
                assert!(ok, "{} between {a:?} and {b:?}", e.name);
                for (k, m) in e.monotone.iter().enumerate() {
                    let mut step = a.clone();
                    step[k] = a[k].max(b[k]);
                    let change = (e.f64)(&step) - (e.f64)(&a);
                    let ok = match m {
                        Monotone::Nondecreasing => change >= -1e-12,
                        Monotone::Nonincreasing => change <= 1e-12,
                        Monotone::AwayFromZero if a[k] >= 0.0 => change >= -1e-12,
                        Monotone::AwayFromZero if step[k] <= 0.0 => change <= 1e-12,
                        Monotone::AwayFromZero | Monotone::Neither => true,
                    };
                    assert!(ok, "{} from {a:?} to {step:?}", e.name);
                }
            }
        }
    }
}

#[test]
fn extremes_do_not_overflow() {
    let at = |id: Elementwise, x: f64| (id.entry().f64)(&[x]);
    assert_eq!(at(SOFTPLUS, 1e3), 1e3);
    assert_eq!(at(SOFTPLUS, -1e3), 0.0);
    assert_eq!((at(SIGMOID, 1e3), at(SIGMOID, -1e3)), (1.0, 0.0));
    assert_eq!((at(TANH, 1e3), at(TANH, -1e3)), (1.0, -1.0));
    for id in [SOFTPLUS, SIGMOID, TANH, SILU, GELU] {
        for x in [-800.0, 800.0] {
            let d = (id.entry().dual)(&[Dual64::new(x, 1.0)]);
            assert!(d.re.is_finite() && d.eps.is_finite(), "{} at {x}: {d}", id.entry().name);
        }
    }
    for x in [1e-9, -1e-9, 0.3, -0.3, 2.0] {
        assert!((at(TANH, x) - x.tanh()).abs() <= 4e-16 * x.abs(), "tanh {x}");
    }
    // The tanh form of the GELU, as published.
    let x: f64 = 1.3;
    let published = 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
    assert!((at(GELU, x) - published).abs() < 1e-15);
}

#[test]
fn nan_is_not_hidden() {
    for (_, e) in every() {
        if matches!(e.smoothness, Smoothness::Smooth | Smoothness::Kinked(..)) && e.arity <= 2 {
            assert!((e.f64)(&vec![f64::NAN; e.arity]).is_nan(), "{}", e.name);
        }
    }
    for id in [MIN, MAX] {
        assert!((id.entry().f64)(&[f64::NAN, 1.0]).is_nan() && (id.entry().f64)(&[1.0, f64::NAN]).is_nan());
    }
}

#[test]
fn powers_of_any_base() {
    for p in [-2.0, -1.0, 1.0, 2.0, 3.0, 4.0] {
        let mut points = vec![-1.4, -0.3, 0.6, 2.0];
        if p > 0.0 {
            points.push(0.0);
        }
        let shape = Shape(vec![Dim::constant(points.len() as i64)]);
        let f = function("x^p", &[shape], |g, x| {
            let exponent = g.constant(p);
            vec![g.elementwise(POW, &[x[0], exponent])]
        });
        agree(&f, &Sizes::new(), &[Value::Real(Tensor::new(vec![points.len()], points.clone()))], &[0], true);
    }
    // A variable exponent over 0: finite, with derivative 0 in the exponent.
    check_derivatives(POW, &[vec![0.0, 0.0], vec![2.0, 3.0]], false);
}

#[test]
fn rounding_conventions() {
    let at = |id: Elementwise, x: &[f64]| (id.entry().f64)(x);
    assert_eq!((at(ROUND, &[2.5]), at(ROUND, &[-2.5])), (3.0, -3.0));
    assert_eq!((at(FLOOR, &[-0.5]), at(CEIL, &[0.5])), (-1.0, 1.0));
    assert_eq!((at(MOD, &[-1.0, 3.0]), at(MOD, &[1.0, -3.0])), (2.0, -2.0));
}

#[test]
fn the_grammar_knows_functions_that_people_write_without_parentheses() {
    let of_one =
        TABLE.iter().filter(|e| e.arity == 1 && e.visibility.is_named() && e.name.chars().all(char::is_alphanumeric));
    let missing: Vec<&str> = of_one.map(|e| e.name).filter(|name| !blo_grammar::CALLED.contains(name)).collect();
    assert!(missing.is_empty(), "add them to `CALLED`: {missing:?}");
}
