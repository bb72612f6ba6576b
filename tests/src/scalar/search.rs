//! Search on an interval: the golden section between grid points.

/// The least point of a function that has one minimum on an interval, to 1e-9 of its length; of others some local one.
pub fn golden(mut low: f64, mut high: f64, f: &mut dyn FnMut(f64) -> f64) -> (f64, f64) {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (high - RATIO * (high - low), low + RATIO * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    for _ in 0..44 {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - RATIO * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + RATIO * (high - low);
            at_b = f(b);
        }
    }
    if at_a <= at_b { (a, at_a) } else { (b, at_b) }
}

/// Equally spaced points with both ends.
pub(super) fn grid(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = |i: usize| i as f64 / (count - 1) as f64;
    (0..count).map(|i| low * (1.0 - step(i)) + high * step(i)).collect()
}

/// The part of an interval that is at most `reach` away from the point of it that is nearest to zero.
pub(super) fn window(low: f64, high: f64, reach: f64) -> (f64, f64) {
    let middle = 0.0_f64.clamp(low, high);
    let end = |bound: f64, way: f64| if bound.is_finite() { bound } else { middle + way * reach };
    (end(low, -1.0), end(high, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_section_finds_a_kink_and_an_end() {
        let (x, _) = golden(-1.0, 2.0, &mut |x| (x - 0.3).abs());
        assert!((x - 0.3).abs() < 1e-8);
        let (x, _) = golden(-1.0, 2.0, &mut |x| -x);
        assert!((x - 2.0).abs() < 1e-8);
    }

    #[test]
    fn windows_keep_finite_ends() {
        assert_eq!(window(f64::NEG_INFINITY, f64::INFINITY, 8.0), (-8.0, 8.0));
        assert_eq!(window(3.0, f64::INFINITY, 8.0), (3.0, 11.0));
        assert_eq!(window(-2.0, 1.0, 8.0), (-2.0, 1.0));
    }
}
