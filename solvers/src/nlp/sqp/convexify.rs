//! A positive definite matrix in the place of the Hessian of the Lagrangian, which leaves Newton's step as it is near a
//! solution with the second-order condition: with Z orthonormal on the null space of the active normals and Y on their
//! span, only `Y'HY` is raised, and the step within the active rows, which is what `Z'HZ` and `Z'HY` decide, does not
//! change. Where `Z'HZ` itself has negative eigenvalues, their magnitudes take their place.

use crate::nlp::dense::{Qr, cholesky, eigen, size};

/// Eigenvalues below this share of the largest entry are raised to it, or to `slight` where that is less; below the
/// second share everything is rounding.
const FLAT: f64 = 1e-9;
const ROUNDED: f64 = 1e-14;

/// Raises of `Y'HY`, and the factor from one to the next.
const RAISES: usize = 40;
const RAISE: f64 = 4.0;

/// The convex matrix `[n, n]`.
pub(super) struct Convex {
    pub(super) hessian: Vec<f64>,
    /// A unit direction within the active rows along which H has negative curvature.
    pub(super) concave: Option<Vec<f64>>,
}

/// Of H `[n, n]` with the normals of active rows and bounds. A curvature of `slight` shortens no step.
pub(super) fn convexify(hessian: Vec<f64>, n: usize, slight: f64, normals: impl Iterator<Item = Vec<f64>>) -> Convex {
    let most = size(&hessian);
    let least = if most > 0.0 { slight.clamp(ROUNDED * most, FLAT * most) } else { slight };
    let mut factor = hessian.clone();
    if cholesky(&mut factor, n, least) {
        return Convex { hessian, concave: None };
    }
    let qr = Qr::new(n, normals);
    let mut m = hessian;
    qr.rotate(&mut m, true);
    let concave = raise_within(&mut m, n, qr.rank(), least).map(|mut v| {
        qr.apply(&mut v);
        v
    });
    let mut raise = [0.1 * most.max(least), 0.0];
    for attempt in 0..RAISES {
        let mut factor = m.clone();
        for i in 0..n {
            factor[i * n + i] += raise[usize::from(i >= qr.rank())];
        }
        if cholesky(&mut factor, n, 0.5 * least) {
            break;
        }
        raise[0] *= RAISE;
        // what couples the spaces may outweigh any shift of one of them
        if attempt >= 10 {
            raise[1] = (raise[1] * RAISE).max(least);
        }
    }
    for i in 0..n {
        m[i * n + i] += raise[usize::from(i >= qr.rank())];
    }
    qr.rotate(&mut m, false);
    Convex { hessian: m, concave }
}

/// Makes the block of M beyond `first` positive definite. With the eigenvector of its least eigenvalue if that is negative.
fn raise_within(m: &mut [f64], n: usize, first: usize, least: f64) -> Option<Vec<f64>> {
    let k = n - first;
    let block: Vec<f64> = (first..n).flat_map(|i| m[i * n + first..(i + 1) * n].to_vec()).collect();
    if k == 0 || cholesky(&mut block.clone(), k, least) {
        return None;
    }
    let (values, vectors) = eigen(&block, k)?;
    for i in 0..k {
        for j in 0..k {
            let entry: f64 = (0..k).map(|e| vectors[i * k + e] * vectors[j * k + e] * values[e].abs().max(least)).sum();
            m[(first + i) * n + first + j] = entry;
        }
    }
    let lowest = (0..k).min_by(|a, b| values[*a].total_cmp(&values[*b])).filter(|e| values[*e] < -least)?;
    let mut vector = vec![0.0; n];
    (0..k).for_each(|i| vector[first + i] = vectors[i * k + lowest]);
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlp::dense::times;

    #[test]
    fn the_step_within_active_rows_stays_and_everything_else_is_convex() {
        // H is negative along (1, 0, 0), which is the normal of the active row
        let h = vec![-2.0, 0.7, 0.0, 0.7, 3.0, 0.2, 0.0, 0.2, 1.0];
        let convex = convexify(h.clone(), 3, 1e-9, [vec![2.0, 0.0, 0.0]].into_iter());
        assert!(convex.concave.is_none());
        assert!(cholesky(&mut convex.hessian.clone(), 3, 0.0));
        for v in [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
            let (a, b) = (times(&h, &v), times(&convex.hessian, &v));
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14), "{a:?} {b:?}");
        }
        let convex = convexify(h, 3, 1e-9, std::iter::empty());
        assert!(cholesky(&mut convex.hessian.clone(), 3, 0.0));
        assert!(convex.concave.unwrap()[0].abs() > 0.9);
    }
}
