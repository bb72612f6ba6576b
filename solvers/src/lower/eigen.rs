//! Eigenvectors of small symmetric matrices (Jacobi's rotations), and the vector arithmetic around them.

/// Sweeps after which rotations have long converged.
const SWEEPS: usize = 60;

/// The inner product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Euclidean length.
pub(crate) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
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

/// All eigenvalues of a symmetric matrix, each with its unit eigenvector. Cost O(n^3) per sweep.
pub(crate) fn eigen(mut a: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let n = a.len();
    // row i of `vectors` is the eigenvector of a[i][i] in the end
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        let diagonal: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if off <= f64::EPSILON.powi(2) * diagonal {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q] != 0.0 {
                    rotate(&mut a, &mut vectors, p, q);
                }
            }
        }
    }
    vectors.into_iter().enumerate().map(|(i, v)| (a[i][i], v)).collect()
}

/// The rotation that makes `a[p][q]` zero.
fn rotate(a: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let sign = if theta < 0.0 { -1.0 } else { 1.0 };
    let t = sign / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in a.iter_mut() {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    for rows in [a, vectors] {
        let (above, below) = rows.split_at_mut(q);
        for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_satisfy_their_equation() {
        let a = vec![
            vec![2.0, -1.0, 0.0, 0.5],
            vec![-1.0, 2.0, -1.0, 0.0],
            vec![0.0, -1.0, 2.0, 3.0],
            vec![0.5, 0.0, 3.0, -1.0],
        ];
        let pairs = eigen(a.clone());
        for (value, v) in &pairs {
            let image: Vec<f64> = a.iter().map(|row| dot(row, v)).collect();
            let error: Vec<f64> = image.iter().zip(v).map(|(w, v)| w - value * v).collect();
            assert!(norm(&error) < 1e-12 && (norm(v) - 1.0).abs() < 1e-12, "{value}: {error:?}");
        }
        let trace: f64 = pairs.iter().map(|p| p.0).sum();
        assert!((trace - 5.0).abs() < 1e-12);
        assert!(eigen(Vec::new()).is_empty());
    }

    #[test]
    fn what_is_in_the_span_has_no_orthogonal_part() {
        let basis = vec![vec![1.0, 0.0, 0.0]];
        assert_eq!(orthogonal(&[3.0, 0.0, 0.0], &basis), None);
        assert_eq!(orthogonal(&[3.0, 0.0, -2.0], &basis), Some(vec![0.0, 0.0, -1.0]));
    }
}
