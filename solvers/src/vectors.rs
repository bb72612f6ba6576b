//! Arithmetic of plain vectors: the inner product, lengths, the part orthogonal to others.

/// Entries from which an inner product has several sums at once; the bits of a shorter one are those of its order.
const LONG: usize = 1024;

/// The inner product. Eight sums at once take an eighth of the time of one, whose every addition waits for the last.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let in_order = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    if a.len() < LONG {
        return in_order(a, b);
    }
    let ((a, last_a), (b, last_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.into_iter().sum::<f64>() + in_order(last_a, last_b)
}

/// The value at a rank from the least, 0 first; `None` beyond the last. Reorders.
pub(crate) fn ranked(values: &mut [f64], rank: usize) -> Option<f64> {
    (rank < values.len()).then(|| *values.select_nth_unstable_by(rank, f64::total_cmp).1)
}

/// The Euclidean length.
pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// The largest magnitude of entries; 0 without any.
pub(crate) fn largest<'a>(entries: impl IntoIterator<Item = &'a f64>) -> f64 {
    entries.into_iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

/// The largest difference of two points' entries.
pub(crate) fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}

/// The part of a vector orthogonal to an orthonormal basis, of length 1; `None` where nothing is left.
pub(crate) fn orthogonal(v: &[f64], basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    let size = norm(v);
    let mut rest = v.to_vec();
    // twice is enough (Kahan, in Parlett 1980)
    for _ in 0..2 {
        for q in basis {
            let share = dot(q, &rest);
            rest.iter_mut().zip(q).for_each(|(r, q)| *r -= share * q);
        }
    }
    let left = norm(&rest);
    (left > 1e-7 * size && left.is_finite()).then(|| rest.iter().map(|r| r / left).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_length_are_whole() {
        for n in [0_u32, 1, 7, 100, 1023, 1024, 1031] {
            let a: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(dot(&a, &a), f64::from(n * (n + 1) * (2 * n + 1) / 6));
        }
    }

    #[test]
    fn ranks_are_those_of_the_order() {
        let mut values = [3.0, -1.0, f64::INFINITY, 0.0];
        assert_eq!([0, 1, 2, 3].map(|r| ranked(&mut values, r)), [-1.0, 0.0, 3.0, f64::INFINITY].map(Some));
        assert_eq!(ranked(&mut values, 4), None);
    }

    #[test]
    fn what_is_in_the_span_has_no_orthogonal_part() {
        let basis = vec![vec![1.0, 0.0, 0.0]];
        assert_eq!(orthogonal(&[3.0, 0.0, 0.0], &basis), None);
        assert_eq!(orthogonal(&[3.0, 0.0, -2.0], &basis), Some(vec![0.0, 0.0, -1.0]));
    }
}
