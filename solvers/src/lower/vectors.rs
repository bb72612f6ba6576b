//! Arithmetic of plain vectors: the inner product, lengths, the part orthogonal to others.

/// The inner product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
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
    fn what_is_in_the_span_has_no_orthogonal_part() {
        let basis = vec![vec![1.0, 0.0, 0.0]];
        assert_eq!(orthogonal(&[3.0, 0.0, 0.0], &basis), None);
        assert_eq!(orthogonal(&[3.0, 0.0, -2.0], &basis), Some(vec![0.0, 0.0, -1.0]));
    }
}
