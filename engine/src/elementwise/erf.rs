//! The error function, from `libm` (the FreeBSD implementation of Sun's, below one unit in the last place).

use std::f64::consts::FRAC_2_SQRT_PI;

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "erf",
    doc: "erf(x) = 2/sqrt(pi) times the integral of e^(-t^2) over t from 0 to x",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |g, x, _| {
        let squared = g.elementwise(SQUARE, x);
        let exponent = g.neg(squared);
        let bell = g.elementwise(EXP, &[exponent]);
        vec![Some(g.scale(FRAC_2_SQRT_PI, bell))]
    },
    sample: &[(-2.5, 2.5)],
};

const ERF: LibraryFunction = LibraryFunction {
    f64: libm::erf,
    f32: libm::erff,
    first: |x| FRAC_2_SQRT_PI * (-x * x).exp(),
    second: |x| -2.0 * x * FRAC_2_SQRT_PI * (-x * x).exp(),
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.library(&ERF)
}

#[cfg(test)]
mod tests {
    use super::ENTRY;

    /// Computed with 40 digits.
    const VALUES: [(f64, f64); 22] = [
        (5e-324, 5e-324),
        (1e-300, 1.128_379_167_095_512_6e-300),
        (1e-20, 1.128_379_167_095_512_5e-20),
        (1e-8, 1.128_379_167_095_512_6e-8),
        (0.001, 0.001_128_378_790_969_236_5),
        (0.1, 0.112_462_916_018_284_9),
        (0.3, 0.328_626_759_459_127_4),
        (0.5, 0.520_499_877_813_046_5),
        (0.84375, 0.767_225_661_232_341_6),
        (0.9, 0.796_908_212_422_832_2),
        (1.0, 0.842_700_792_949_714_9),
        (1.25, 0.922_900_128_256_458_3),
        (1.5, 0.966_105_146_475_310_8),
        (2.0, 0.995_322_265_018_952_7),
        (2.5, 0.999_593_047_982_555),
        (2.857_142_857_142_857, 0.999_946_687_688_611_7),
        (3.0, 0.999_977_909_503_001_4),
        (4.0, 0.999_999_984_582_742_1),
        (5.0, 0.999_999_999_998_462_6),
        (5.9, 0.999_999_999_999_999_9),
        (6.0, 1.0),
        (30.0, 1.0),
    ];

    #[test]
    fn values_are_within_two_units_in_the_last_place() {
        for (x, expected) in VALUES {
            for sign in [1.0, -1.0] {
                let found = (ENTRY.f64)(&[sign * x]);
                let units = ((sign * found).to_bits() as i64 - expected.to_bits() as i64).abs();
                assert!(units <= 2, "erf({x}) = {found}, expected {expected}");
                let (x, expected) = (x as f32, expected as f32);
                let found = (ENTRY.f32)(&[sign as f32 * x]);
                // Rounding x to single precision moves the value by up to one more unit.
                let units = ((sign as f32 * found).to_bits() as i64 - expected.to_bits() as i64).abs();
                assert!(units <= 3, "erf({x}) = {found}, expected {expected}");
            }
        }
    }
}
