//! Mean and spread of a few numbers.

/// Of the numbers that there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) n: usize,
    /// NaN without numbers.
    pub(crate) mean: f64,
    /// The sample standard deviation; NaN for less than two numbers.
    pub(crate) spread: f64,
}

impl Summary {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Summary {
        let values: Vec<f64> = values.collect();
        let n = values.len();
        // one number is its own mean, to the last bit, and so is a number that comes several times
        let first = values.first().copied().unwrap_or(f64::NAN);
        let mean = first + values.iter().map(|v| v - first).sum::<f64>() / n as f64;
        let mean = if values.iter().all(|v| *v == first) { first } else { mean };
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let spread = if n < 2 { f64::NAN } else { (squares / (n - 1) as f64).sqrt() };
        let spread = if n > 1 && values.iter().all(|v| *v == first) { 0.0 } else { spread };
        Summary { n, mean, spread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let of = |values: &[f64]| Summary::of(values.iter().copied());
        let found = of(&[1.0, 2.0, 4.0]);
        assert_eq!(found.n, 3);
        assert!((found.mean - 7.0 / 3.0).abs() < 1e-15 && (found.spread - (7.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(of(&[0.1, 0.1, 0.1]), Summary { n: 3, mean: 0.1, spread: 0.0 });
        assert_eq!(of(&[f64::INFINITY; 2]).mean, f64::INFINITY);
        let (one, none) = (of(&[0.3]), of(&[]));
        assert!(one.mean == 0.3 && one.spread.is_nan() && none.n == 0 && none.mean.is_nan());
        // numbers far from zero keep their spread
        assert!((of(&[1e9, 1e9 + 1.0]).spread - 0.5f64.sqrt()).abs() < 1e-9);
    }
}
