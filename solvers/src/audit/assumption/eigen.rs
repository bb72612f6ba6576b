//! Eigenvectors of small symmetric matrices by Jacobi's rotations.
//!
//! faer's solver finds the same eigenvalues, but another vector where an eigenvalue repeats, which is the rule for a flat
//! lower level: every such witness would change its direction. It also panics on a matrix without rows (0.24.4).

/// Sweeps after which rotations have long converged.
const SWEEPS: usize = 60;

/// All eigenvalues of a symmetric matrix, each with its unit eigenvector. Cost O(n^3) per sweep.
pub(super) fn eigen(mut a: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
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
    use crate::lower::vectors::{dot, norm};

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
}
