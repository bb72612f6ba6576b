//! The least value of `q*|x|^2 + g'x` with `q >= 0` on a bounded polyhedron of a few dimensions, by trying every set of rows
//! that may be active. Exact up to rounding, and too slow for anything larger.

use super::dot;

/// A row `a'x <= b`.
pub(super) type Row = (Vec<f64>, f64);

/// Rows hold within this.
const FEASIBLE: f64 = 1e-9;

/// The rows of a box.
pub(super) fn walls(n: usize, low: f64, high: f64) -> Vec<Row> {
    let unit = |i: usize, sign: f64| (0..n).map(|j| if i == j { sign } else { 0.0 }).collect();
    (0..n).flat_map(|i| [(unit(i, 1.0), high), (unit(i, -1.0), -low)]).collect()
}

/// The least value and its place; `None` where no point satisfies the rows.
pub(super) fn minimize(q: f64, g: &[f64], rows: &[Row]) -> Option<(f64, Vec<f64>)> {
    let n = g.len();
    let mut best: Option<(f64, Vec<f64>)> = None;
    let least = if q > 0.0 { 0 } else { n };
    for mask in 0_u64..1 << rows.len() {
        let count = mask.count_ones() as usize;
        if count < least || count > n {
            continue;
        }
        let active: Vec<&Row> = rows.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, r)| r).collect();
        let Some(x) = stationary(q, g, &active) else { continue };
        if rows.iter().any(|(a, b)| dot(a, &x) > b + FEASIBLE) {
            continue;
        }
        let value = q * dot(&x, &x) + dot(g, &x);
        if best.as_ref().is_none_or(|(v, _)| value < *v) {
            best = Some((value, x));
        }
    }
    best
}

/// The stationary point where the active rows hold with equality: `x = -(g + A'u)/(2q)` with `A A' u = -(2 q b + A g)`;
/// with as many rows as dimensions the point is theirs.
fn stationary(q: f64, g: &[f64], active: &[&Row]) -> Option<Vec<f64>> {
    if active.len() == g.len() {
        return eliminate(active.iter().map(|(a, b)| (a.clone(), *b)).collect());
    }
    let system = active.iter().map(|(a, b)| {
        let left = active.iter().map(|(c, _)| dot(a, c)).collect();
        (left, -(2.0 * q * b + dot(a, g)))
    });
    let u = eliminate(system.collect())?;
    let pulled = |i: usize| active.iter().zip(&u).map(|((a, _), u)| a[i] * u).sum::<f64>();
    Some((0..g.len()).map(|i| -(g[i] + pulled(i)) / (2.0 * q)).collect())
}

/// A square system by elimination with pivots; `None` where it is singular.
fn eliminate(mut system: Vec<Row>) -> Option<Vec<f64>> {
    let n = system.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|a, b| system[*a].0[i].abs().total_cmp(&system[*b].0[i].abs()))?;
        system.swap(i, pivot);
        if system[i].0[i].abs() < 1e-10 {
            return None;
        }
        let (row, right) = system[i].clone();
        for (j, (other, b)) in system.iter_mut().enumerate() {
            if j != i {
                let factor = other[i] / row[i];
                other.iter_mut().zip(&row).for_each(|(o, r)| *o -= factor * r);
                *b -= factor * right;
            }
        }
    }
    Some(system.iter().enumerate().map(|(i, (row, b))| b / row[i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_projected_on_faces_edges_and_corners() {
        // |x - (2, 0.5)|^2 on the unit square, then with a row that cuts a corner off
        let mut rows = walls(2, 0.0, 1.0);
        let (value, x) = minimize(1.0, &[-4.0, -1.0], &rows).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 0.5).abs() < 1e-12 && (value + 3.25).abs() < 1e-12);
        rows.push((vec![1.0, 1.0], 1.0));
        let (_, x) = minimize(1.0, &[-4.0, -1.0], &rows).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && x[1].abs() < 1e-12, "{x:?}");
        let (value, _) = minimize(0.0, &[-1.0, -3.0], &rows).unwrap();
        assert!((value + 3.0).abs() < 1e-12);
        rows.push((vec![-1.0, -1.0], -3.0));
        assert!(minimize(1.0, &[0.0, 0.0], &rows).is_none());
    }
}
