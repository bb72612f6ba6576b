//! Elementary functions on blocks: branch-free formulas that the compiler turns into vector instructions, on the widest
//! vectors of the CPU at run time. Every step is an IEEE operation of its own, so an element has the same bits
//! in any lane of any block. f32 is computed in f64 and rounded once.
//!
//! Arguments are reduced as in Cody, Waite, Software Manual for the Elementary Functions, 1980; the polynomials
//! interpolate at Chebyshev nodes, with the relative error of the function given beside each. On a CPU without fused
//! multiply-add, `mul_add` is a call: correct, slow.

use super::loops::vectors::Vectors;
use super::precision::Precision;

/// `e^x`.
pub(crate) fn exp<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], exp_of);
}

/// `log x`.
pub(crate) fn log<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], log_of);
}

/// `log(1 + x)`.
pub(crate) fn log1p<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], log1p_of);
}

/// `sin x`.
pub(crate) fn sin<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], sin_of);
    far(out, args[0], f64::sin);
}

/// `cos x`.
pub(crate) fn cos<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], cos_of);
    far(out, args[0], f64::cos);
}

/// `tanh x`.
pub(crate) fn tanh<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], tanh_of);
}

/// `1/(1 + e^-x)`.
pub(crate) fn sigmoid<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], sigmoid_of);
}

/// `x/(1 + e^-x)`.
pub(crate) fn silu<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], |x| x * sigmoid_of(x));
}

/// `log(1 + e^x)`.
pub(crate) fn softplus<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], |x| {
        let positive = if x < 0.0 { 0.0 } else { x };
        positive + log1p_of(exp_of(-x.abs()))
    });
}

/// `sqrt x`.
pub(crate) fn sqrt<T: Precision>(out: &mut [T], args: &[&[T]]) {
    each(out, args[0], f64::sqrt);
}

/// One element by a kernel: the same bits as in a block.
pub(crate) fn one<T: Precision>(kernel: fn(&mut [T], &[&[T]]), x: &[T]) -> T {
    let mut out = [T::default()];
    kernel(&mut out, &[x]);
    out[0]
}

#[inline(always)]
fn each<T: Precision>(out: &mut [T], x: &[T], f: impl Fn(f64) -> f64) {
    Vectors::best().run(
        #[inline(always)]
        || {
            for (o, x) in out.iter_mut().zip(x) {
                *o = T::from_f64(f(x.to_f64()));
            }
        },
    );
}

/// 1.5 * 2^52: added to a small number it rounds to a whole one, which is then in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `log 2` in two parts; the first has 32 zeros at its end, so that a whole number of times it is exact.
const LN2: [f64; 2] = [0.693_146_705_627_441_4, 4.749_325_039_031_672_6e-7];

/// `pi/2` in three parts.
const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

/// `c[0] + c[1] x + ...`, even and odd powers side by side: half the latency of Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let (mut even, mut odd) = (0.0, 0.0);
    for k in (0..N).rev() {
        match k % 2 {
            0 => even = if k + 2 < N { f64::mul_add(even, square, c[k]) } else { c[k] },
            _ => odd = if k + 2 < N { f64::mul_add(odd, square, c[k]) } else { c[k] },
        }
    }
    f64::mul_add(odd, x, even)
}

/// `(e^r - 1 - r)/r^2` for `|r| <= log(2)/2`, to 9e-19 of `e^r - 1`.
const EXP: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_7,
    0.041_666_666_666_666_67,
    0.008_333_333_333_326_136,
    0.001_388_888_888_888_374_8,
    0.000_198_412_698_748_206_27,
    2.480_158_732_554_774_3e-5,
    2.755_725_540_020_642_2e-6,
    2.755_727_364_311_03e-7,
    2.510_521_700_472_074_5e-8,
    2.091_468_696_808_687_6e-9,
];

/// `x = k log 2 + r`: the bits that end in `k`, and `e^r - 1`.
#[inline(always)]
fn exp_parts(x: f64) -> (u64, f64) {
    let shifted = f64::mul_add(x, std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = f64::mul_add(-k, LN2[1], f64::mul_add(-k, LN2[0], x));
    (shifted.to_bits(), f64::mul_add(r * r, polynomial(&EXP, r), r))
}

/// The number with these exponent bits: `2^k` for `k + 1023`.
#[inline(always)]
fn power_of_two(bits: u64) -> f64 {
    f64::from_bits(bits << 52)
}

#[inline(always)]
fn exp_of(x: f64) -> f64 {
    // Beyond these the result is 0 or infinite. Comparisons, not `min` and `max`, so that NaN stays.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let (bits, e) = exp_parts(x);
    // In two factors, since 2^k itself may overflow or be subnormal: k + 4096 is positive.
    let k = (bits & 0xffff).wrapping_add(4096) & 0xffff;
    let half = k >> 1;
    let [a, b] = [half, k - half].map(|h| power_of_two(h.wrapping_sub(2048 - 1023)));
    (1.0 + e) * a * b
}

/// `e^x - 1` for `x <= 0`.
#[inline(always)]
fn exp_minus_one(x: f64) -> f64 {
    let x = if x < -50.0 { -50.0 } else { x };
    let (bits, e) = exp_parts(x);
    let scale = power_of_two(bits.wrapping_add(1023));
    f64::mul_add(scale, e, scale - 1.0)
}

#[inline(always)]
fn tanh_of(x: f64) -> f64 {
    let t = exp_minus_one(-2.0 * x.abs());
    (-t / (t + 2.0)).copysign(x)
}

#[inline(always)]
fn sigmoid_of(x: f64) -> f64 {
    let e = exp_of(-x.abs());
    (if x > 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// `(log((1 + s)/(1 - s)) - 2 s)/s^3` in `s^2`, for `|s| <= (sqrt 2 - 1)/(sqrt 2 + 1)`, to 5e-18 of the logarithm.
const LOG: [f64; 7] = [
    0.666_666_666_666_667,
    0.399_999_999_998_994_44,
    0.285_714_286_260_032_7,
    0.222_222_111_302_598_78,
    0.181_828_894_556_749_47,
    0.153_317_106_182_107_73,
    0.146_165_854_248_886_23,
];

/// `log u + low` for a normal `u` and a small correction `low`, and `shift log 2` more: `u = 2^k (1 + f)` with `1 + f`
/// between `sqrt(1/2)` and `sqrt 2`, and `log(1 + f) = f - f^2/2 + s (f^2/2 + ...)` with `s = f/(2 + f)`.
#[inline(always)]
fn log_sum(u: f64, low: f64, shift: f64) -> f64 {
    const START: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const TWO_52: u64 = 4_503_599_627_370_496f64.to_bits();
    let biased = u.to_bits().wrapping_sub(START).wrapping_add(1024 << 52) >> 52;
    let k = f64::from_bits(biased | TWO_52) - (4_503_599_627_370_496.0 + 1024.0) + shift;
    let f = f64::from_bits(u.to_bits().wrapping_sub(biased.wrapping_sub(1024) << 52)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let half = 0.5 * f * f;
    let low = f64::mul_add(k, LN2[1], low);
    let rest = f64::mul_add(s, f64::mul_add(z, polynomial(&LOG, z), half), low);
    k * LN2[0] - ((half - rest) - f)
}

/// What a logarithm is where its argument is not a positive number, else `value`.
#[inline(always)]
fn log_edges(argument: f64, value: f64) -> f64 {
    let value = if argument > 0.0 { value } else { f64::NAN };
    let value = if argument == 0.0 { f64::NEG_INFINITY } else { value };
    if argument == f64::INFINITY { argument } else { value }
}

#[inline(always)]
fn log_of(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let u = if subnormal { x * 18_014_398_509_481_984.0 } else { x };
    log_edges(x, log_sum(u, 0.0, if subnormal { -54.0 } else { 0.0 }))
}

/// The logarithm of the rounded sum, and what rounding it lost.
#[inline(always)]
fn log1p_of(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = x - (u - 1.0);
    let value = log_edges(u, log_sum(u, lost / u, 0.0));
    // Also the sign of zero.
    if x.abs() < 1e-17 { x } else { value }
}

/// `(sin(r)/r - 1)/r^2` in `r^2`, for `|r| <= pi/4`, to 2e-17 of the sine.
const SIN: [f64; 6] = [
    -0.166_666_666_666_666_66,
    0.008_333_333_333_330_946,
    -0.000_198_412_698_367_549_7,
    2.755_731_610_068_303e-6,
    -2.505_113_145_542_795e-8,
    1.591_810_123_027_412e-10,
];

/// `(cos(r) - 1 + r^2/2)/r^4` in `r^2`, for `|r| <= pi/4`, to 2e-18 of the cosine.
const COS: [f64; 6] = [
    0.041_666_666_666_666_664,
    -0.001_388_888_888_888_739_5,
    2.480_158_729_876_343_3e-5,
    -2.755_731_727_056_032_6e-7,
    2.087_614_602_468_974_8e-9,
    -1.138_261_486_855_632_5e-11,
];

/// Up to here `pi/2` in three parts reduces every argument: the first difference is exact, and no f64 is nearer to a
/// multiple of `pi/2` than what the third part still resolves.
const NEAR: f64 = 1e9;

/// Elements beyond [`NEAR`], infinite or NaN, by the library.
#[inline(always)]
fn far<T: Precision>(out: &mut [T], x: &[T], f: impl Fn(f64) -> f64) {
    let beyond = |x: &T| (x.to_f64().abs() > NEAR) | x.to_f64().is_nan();
    let any = Vectors::best().run(
        #[inline(always)]
        || x.iter().fold(false, |any, x| any | beyond(x)),
    );
    if any {
        for (o, x) in out.iter_mut().zip(x).filter(|(_, x)| beyond(x)) {
            *o = T::from_f64(f(x.to_f64()));
        }
    }
}

/// The sine of `x` plus `quarters` quarter turns.
#[inline(always)]
fn sine(x: f64, quarters: u64) -> f64 {
    let shifted = f64::mul_add(x, std::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let r = f64::mul_add(-n, HALF_PI[0], x);
    let r = f64::mul_add(-n, HALF_PI[2], f64::mul_add(-n, HALF_PI[1], r));
    let z = r * r;
    let s = f64::mul_add(r * z, polynomial(&SIN, z), r);
    let half = 0.5 * z;
    let w = 1.0 - half;
    let c = w + f64::mul_add(z * z, polynomial(&COS, z), (1.0 - w) - half);
    let quadrant = shifted.to_bits().wrapping_add(quarters);
    let value = if quadrant & 1 == 0 { s } else { c };
    f64::from_bits(value.to_bits() ^ ((quadrant & 2) << 62))
}

#[inline(always)]
fn sin_of(x: f64) -> f64 {
    // Also the sign of zero.
    if x.abs() < 1e-9 { x } else { sine(x, 0) }
}

#[inline(always)]
fn cos_of(x: f64) -> f64 {
    sine(x, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Kernel<T> = fn(&mut [T], &[&[T]]);

    /// Distance in units of the last place of the result.
    fn ulps(a: f64, b: f64) -> f64 {
        if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
            return 0.0;
        }
        let ordered = |x: f64| {
            let bits = x.to_bits() as i64;
            if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
        };
        // Signed zeros are neighbours here, and count as one apart.
        (ordered(a).abs_diff(ordered(b)) as f64).max(1.0)
    }

    fn run<T: Precision>(kernel: Kernel<T>, x: &[T]) -> Vec<T> {
        let mut out = vec![T::from_f64(0.25); x.len()];
        kernel(&mut out, &[x]);
        out
    }

    fn grid(low: f64, high: f64) -> Vec<f64> {
        (0..=40_000).map(|i| low + (high - low) * (f64::from(i) + 0.37 * f64::from(i % 7)) / 40_003.0).collect()
    }

    /// Every binary order of magnitude, of both signs.
    fn magnitudes() -> Vec<f64> {
        let steps =
            (0..2047u64).flat_map(|e| (0..5u64).map(move |m| f64::from_bits((e << 52) | (m * 0x3_3127_9c4d_71a3))));
        let positive: Vec<f64> = steps.collect();
        positive.iter().map(|x| -x).chain(positive.iter().copied()).collect()
    }

    fn edges() -> Vec<f64> {
        let tiny = f64::from_bits(1);
        let mut x = vec![0.0, 1.0, tiny, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::EPSILON, 709.782_712_893_384];
        x.extend([709.79, 745.13, 745.14, 708.4, 1e5, 1e9, 1.000_000_1e9, 1e22, std::f64::consts::PI, 0.5, 2.0, 1e-9]);
        let negative: Vec<f64> = x.iter().map(|x| -x).collect();
        [x, negative, vec![f64::NAN]].concat()
    }

    fn close(name: &str, kernel: Kernel<f64>, exact: impl Fn(f64) -> f64, most: f64, low: f64, high: f64) {
        for x in [grid(low, high), magnitudes(), edges()] {
            for (x, y) in x.iter().zip(run(kernel, &x)) {
                let distance = ulps(y, exact(*x));
                assert!(distance <= most, "{name}({x:e}) = {y:e}, not {:e}: {distance} ulps", exact(*x));
            }
        }
    }

    fn sigmoid_by_library(x: f64) -> f64 {
        if x > 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
    }

    #[test]
    fn kernels_are_within_a_few_units_of_the_library() {
        close("exp", exp, f64::exp, 1.0, -746.0, 710.0);
        close("exp", exp, f64::exp, 1.0, -1.0, 1.0);
        close("log", log, f64::ln, 1.0, 0.0, 4.0);
        close("log", log, f64::ln, 1.0, 0.99, 1.01);
        close("log1p", log1p, f64::ln_1p, 2.0, -1.0, 2.0);
        close("log1p", log1p, f64::ln_1p, 2.0, -0.01, 0.01);
        close("sin", sin, f64::sin, 2.0, -10.0, 10.0);
        close("sin", sin, f64::sin, 2.0, -1e9, 1e9);
        close("cos", cos, f64::cos, 2.0, -10.0, 10.0);
        close("cos", cos, f64::cos, 2.0, -1e6, 1e6);
        close("tanh", tanh, f64::tanh, 4.0, -20.0, 20.0);
        close("tanh", tanh, f64::tanh, 4.0, -0.5, 0.5);
        close("sigmoid", sigmoid, sigmoid_by_library, 4.0, -40.0, 40.0);
        // Where the logistic function is subnormal its own rounding is all that is left of the product.
        close("silu", silu, |x| x * run(sigmoid, &[x])[0], 0.0, -40.0, 40.0);
        let softplus_by_library = |x: f64| if x < 0.0 { x.exp().ln_1p() } else { x + (-x).exp().ln_1p() };
        close("softplus", softplus, softplus_by_library, 4.0, -40.0, 40.0);
        close("sqrt", sqrt, f64::sqrt, 0.0, 0.0, 1e3);
    }

    #[test]
    fn arguments_near_multiples_of_a_quarter_turn_are_reduced_well() {
        // Neighbours of n pi/2, where the reduced argument is smallest.
        let mut x = Vec::new();
        for n in (1..100_000u32).chain((1..60_000).map(|i| i * 10_607)) {
            let at = f64::from(n) * std::f64::consts::FRAC_PI_2;
            x.extend([at.next_down(), at, at.next_up()]);
        }
        x.retain(|x| *x <= NEAR);
        for (x, (s, c)) in x.iter().zip(run(sin, &x).iter().zip(run(cos, &x))) {
            assert!(ulps(*s, x.sin()) <= 2.0 && ulps(c, x.cos()) <= 2.0, "{x:e}");
        }
    }

    const ALL: [(&str, Kernel<f64>, Kernel<f32>); 10] = [
        ("exp", exp, exp),
        ("log", log, log),
        ("log1p", log1p, log1p),
        ("sin", sin, sin),
        ("cos", cos, cos),
        ("tanh", tanh, tanh),
        ("sigmoid", sigmoid, sigmoid),
        ("silu", silu, silu),
        ("softplus", softplus, softplus),
        ("sqrt", sqrt, sqrt),
    ];

    #[test]
    fn an_element_has_the_same_bits_at_every_place() {
        let x = [grid(-30.0, 30.0)[..301].to_vec(), edges(), magnitudes()[..97].to_vec()].concat();
        let single: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        for (name, wide, narrow) in ALL {
            let (all, all_single) = (run(wide, &x), run(narrow, &single));
            for length in [1, 2, 3, 5, 8, 13, 31] {
                for start in (0..x.len() - length).step_by(3) {
                    let part = run(wide, &x[start..start + length]);
                    let same = part.iter().zip(&all[start..]).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{name} of {length} from {start}");
                    let part = run(narrow, &single[start..start + length]);
                    assert!(part.iter().zip(&all_single[start..]).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
                }
            }
        }
    }

    /// Without fused multiply-add the base calls the library for it, which rounds once as well.
    #[test]
    fn all_vectors_of_the_cpu_give_the_same_bits() {
        let x = [grid(-30.0, 30.0)[..3001].to_vec(), edges(), magnitudes()[..997].to_vec()].concat();
        let single: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        for (name, wide, narrow) in ALL {
            let results = Vectors::on_each(|| (run(wide, &x), run(narrow, &single)));
            let (_, (base, base_single)) = &results[0];
            for (vectors, (all, all_single)) in &results[1..] {
                for ((x, a), b) in x.iter().zip(base).zip(all) {
                    assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{name}({x:e}) on {vectors:?}");
                }
                for ((x, a), b) in single.iter().zip(base_single).zip(all_single) {
                    assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{name}({x:e}) on {vectors:?}");
                }
            }
        }
    }

    #[test]
    fn single_precision_is_the_rounded_double() {
        let x: Vec<f32> = [grid(-90.0, 90.0), magnitudes(), edges()].concat().iter().map(|x| *x as f32).collect();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        for (name, kernel, narrow) in ALL {
            for ((x, a), b) in x.iter().zip(run(narrow, &x)).zip(run(kernel, &wide)) {
                assert!(a.to_bits() == (b as f32).to_bits() || (a.is_nan() && b.is_nan()), "{name}({x:e})");
            }
        }
    }
}
