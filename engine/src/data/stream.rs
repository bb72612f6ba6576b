//! Random streams keyed by seeds and a name, and the uniform and normal values made of their bits.
//!
//! The cipher is a published standard and all arithmetic on its output is our own, rounded as IEEE prescribes (the
//! logarithm too), so a stream gives the same numbers on every machine and in every version.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random stream of an item: ChaCha with 12 rounds under the key (`run_seed`, `item_seed`, two hashes of `name`).
///
/// Distinct seeds give distinct keys, and distinct names do unless 128 bits collide; the cipher makes streams of
/// distinct keys independent, so the words need no mixing. The hashes are FNV-1a over the UTF-8 bytes, 64 bits, forwards
/// and backwards; the standard library's hasher may change between releases.
pub fn stream(run_seed: u64, item_seed: u64, name: &str) -> impl Rng + use<> {
    let words = [run_seed, item_seed, fnv1a(name.bytes()), fnv1a(name.bytes().rev())];
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha12Rng::from_seed(key)
}

/// Numbers uniform on [-1, 1) from the stream of an item.
pub fn symmetric(run_seed: u64, item_seed: u64, name: &str) -> impl FnMut() -> f64 + use<> {
    let mut rng = stream(run_seed, item_seed, name);
    move || 2.0 * unit(&mut rng) - 1.0
}

/// FNV-1a with 64 bits: h <- (h xor byte) * prime.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Uniform on [0, 1), a multiple of 2^-53.
pub(super) fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Two independent standard normal values by the polar method (Marsaglia and Bray, SIAM Review 1964).
pub(super) fn normal_pair(rng: &mut impl Rng) -> (f64, f64) {
    loop {
        let (u, v) = (2.0 * unit(rng) - 1.0, 2.0 * unit(rng) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let factor = (-2.0 * ln(s) / s).sqrt();
            return (u * factor, v * factor);
        }
    }
}

/// The natural logarithm of a normal number in (0, 1), within 4 units in the last place.
///
/// Written out because the platform's logarithm differs in its last bit between machines. With s = m 2^e, m in
/// [1/sqrt 2, sqrt 2) and f = (m - 1)/(m + 1): ln s = e ln 2 + 2 (f + f^3/3 + f^5/5 + ...); |f| <= 0.172, so the terms
/// after f^21 are below 2^-56 of the sum.
fn ln(s: f64) -> f64 {
    let bits = s.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if m >= std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let f = (m - 1.0) / (m + 1.0);
    let square = f * f;
    let series = (0..=10).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * f * series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked against an independent ChaCha; must never change.
    #[test]
    fn the_stream_is_pinned() {
        assert_eq!(stream(1, 2, "A").next_u64(), 14_411_287_908_454_320_089);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_stream_depends_on_both_seeds_and_the_name() {
        let word = |run, item, name| stream(run, item, name).next_u64();
        let words = [
            word(0, 0, "A"),
            word(1, 0, "A"),
            word(0, 1, "A"),
            word(0, 0, "B"),
            word(0, 0, ""),
            word(0, 0, "AB"),
            word(0, 0, "BA"),
        ];
        for (i, a) in words.iter().enumerate() {
            assert!(words[..i].iter().all(|b| a != b));
        }
        assert_eq!(word(5, 6, "theta"), word(5, 6, "theta"));
    }

    #[test]
    fn the_logarithm_agrees_with_the_platform() {
        let mut rng = stream(0, 0, "ln");
        for s in (0..10_000).map(|_| unit(&mut rng)).chain([f64::EPSILON, 0.5, 0.707, 0.708, 1.0 - f64::EPSILON, 1e-32])
        {
            let expected = s.ln();
            assert!((ln(s) - expected).abs() <= 4.0 * f64::EPSILON * expected.abs(), "{s}");
        }
    }

    /// Kolmogorov's statistic against the normal distribution, whose function is summed from its density here.
    #[test]
    fn normal_values_follow_the_whole_distribution() {
        let mut rng = stream(0, 4, "A");
        let mut values: Vec<f64> = (0..10_000).map(|_| normal_pair(&mut rng)).flat_map(|(a, b)| [a, b]).collect();
        values.sort_by(f64::total_cmp);
        let (mut x, mut below, step, mut worst) = (-8.0f64, 0.0, 1e-4, 0.0f64);
        for (i, value) in values.iter().enumerate() {
            while x < *value {
                below += step * (-(x + step / 2.) * (x + step / 2.) / 2.).exp() / (2. * std::f64::consts::PI).sqrt();
                x += step;
            }
            worst = worst.max((below - i as f64 / values.len() as f64).abs());
        }
        // The 0.1 % quantile of the statistic is 1.95/sqrt(n).
        assert!(worst < 1.95 / (values.len() as f64).sqrt(), "{worst}");
    }
}
