//! Singular values of a matrix Y: their sum, and the matrix with its values above t lowered by t and the others gone. The
//! operand `columns` has an entry per column; its values do not matter.
//!
//! For `F(Y) = U f(S) V'` with `H~ = U'HV` the derivative along H is U times, for i and j,
//! `(f_i - f_j)/(s_i - s_j) (H~ + H~')/2 + (f_i + f_j)/(s_i + s_j) (H~ - H~')/2` times V', and of what U leaves out the
//! `f_j/s_j` part (Lewis and Sendov, Twice differentiable spectral functions, SIAM J. Matrix Analysis 23, 2001; Candes,
//! Sing-Long and Trzasko, IEEE Transactions on Signal Processing 61, 2013). It is symmetric in H.

use num_dual::DualNum;
use num_traits::ToPrimitive;

use super::{KernelEntry, LOW_RANK, LOW_RANK_ALONG, NUCLEAR, ROTATION, ROTATION_ALONG, ResultShape};
use crate::graph::{Graph, NodeId, Op};
use crate::kernel::singular::{self, Spectrum};
use crate::shape::Shape;

/// A singular value decomposition of a matrix with so many entries and columns (Golub and Van Loan, Matrix Computations,
/// 2013, section 8.6.3).
fn decomposition(entries: usize, columns: usize) -> u128 {
    let rows = entries / columns.max(1);
    14 * (entries * rows.min(columns)) as u128
}

/// The sum of the singular values.
pub(super) static SUM: KernelEntry = KernelEntry {
    name: "nuclear",
    doc: "sum of the singular values of Y; O(m n min(m, n))",
    operands: &["Y", "columns"],
    result: ResultShape::Scalar,
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| decomposition(entries[0], entries[1]),
    apply_f64: |out, args| out[0] = total(&singular::decompose(args[0], args[1].len())),
    apply_f32: |out, args| out[0] = total(&singular::decompose(args[0], args[1].len())),
    dual: |out, args| out[0] = total(&by_rotations(args[0], args[1].len())),
    hyper: |out, args| out[0] = total(&by_rotations(args[0], args[1].len())),
    jvp: |g, args, _, tangents| {
        let zero = g.constant(0.0);
        let rotation = of_values(g, ROTATION, args[0], zero, args[1]);
        let product = g.mul(rotation, tangents[0]?);
        Some(g.sum_all(product))
    },
    vjp: |g, args, _, cotangent| {
        let zero = g.constant(0.0);
        let rotation = of_values(g, ROTATION, args[0], zero, args[1]);
        vec![Some(g.mul(cotangent, rotation)), None]
    },
};

/// Soft thresholds of singular values.
pub(super) static SHRUNK: KernelEntry = KernelEntry {
    name: "shrink_values",
    doc: "Y with its singular values lowered by t, to 0 at least; O(m n min(m, n))",
    operands: &["Y", "t", "columns"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| decomposition(entries[0], entries[2]),
    apply_f64: |out, args| shrink(out, args, singular::decompose),
    apply_f32: |out, args| shrink(out, args, singular::decompose),
    dual: |out, args| shrink(out, args, by_rotations),
    hyper: |out, args| shrink(out, args, by_rotations),
    jvp: |g, args, _, tangents| {
        let along = tangents[0].map(|h| along(g, LOW_RANK_ALONG, args, h));
        let lower = tangents[1].map(|t| {
            let rotation = of_values(g, ROTATION, args[0], args[1], args[2]);
            let down = g.neg(t);
            g.mul(down, rotation)
        });
        match (along, lower) {
            (Some(a), Some(b)) => Some(g.add(a, b)),
            (a, b) => a.or(b),
        }
    },
    vjp: |g, args, _, cotangent| {
        let rotation = of_values(g, ROTATION, args[0], args[1], args[2]);
        let product = g.mul(rotation, cotangent);
        let total = g.sum_all(product);
        vec![Some(along(g, LOW_RANK_ALONG, args, cotangent)), Some(g.neg(total)), None]
    },
};

/// The rotation of the values above t.
pub(super) static ROTATED: KernelEntry = KernelEntry {
    name: "rotation",
    doc: "Y with its singular values above t set to 1 and the others to 0; O(m n min(m, n))",
    operands: &["Y", "t", "columns"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| decomposition(entries[0], entries[2]),
    apply_f64: |out, args| rotate(out, args, singular::decompose),
    apply_f32: |out, args| rotate(out, args, singular::decompose),
    dual: |out, args| rotate(out, args, by_rotations),
    hyper: |out, args| rotate(out, args, by_rotations),
    jvp: |g, args, _, tangents| tangents[0].map(|h| along(g, ROTATION_ALONG, args, h)),
    vjp: |g, args, _, cotangent| vec![Some(along(g, ROTATION_ALONG, args, cotangent)), None, None],
};

/// The derivative of [`SHRUNK`] in Y.
pub(super) static SHRUNK_ALONG: KernelEntry = KernelEntry {
    name: "shrink_values_along",
    doc: "derivative of shrink_values in Y along H; its own derivative in Y and t is not known and NaN; O(m n min(m, n))",
    operands: &["Y", "t", "columns", "H"],
    result: ResultShape::Operand(3),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| decomposition(entries[0], entries[2]),
    apply_f64: |out, args| derivative(out, args, singular::decompose, (lowered, 1.0)),
    apply_f32: |out, args| derivative(out, args, singular::decompose, (lowered, 1.0)),
    dual: |out, args| derivative(out, args, by_rotations, (lowered, 1.0)),
    hyper: |out, args| derivative(out, args, by_rotations, (lowered, 1.0)),
    jvp: |g, args, _, tangents| further(g, LOW_RANK_ALONG, args, tangents),
    vjp: |g, args, _, cotangent| back(g, LOW_RANK_ALONG, args, cotangent),
};

/// The derivative of [`ROTATED`] in Y.
pub(super) static ROTATED_ALONG: KernelEntry = KernelEntry {
    name: "rotation_along",
    doc: "derivative of rotation in Y along H; its own derivative in Y and t is not known and NaN; O(m n min(m, n))",
    operands: &["Y", "t", "columns", "H"],
    result: ResultShape::Operand(3),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| decomposition(entries[0], entries[2]),
    apply_f64: |out, args| derivative(out, args, singular::decompose, (kept, 0.0)),
    apply_f32: |out, args| derivative(out, args, singular::decompose, (kept, 0.0)),
    dual: |out, args| derivative(out, args, by_rotations, (kept, 0.0)),
    hyper: |out, args| derivative(out, args, by_rotations, (kept, 0.0)),
    jvp: |g, args, _, tangents| further(g, ROTATION_ALONG, args, tangents),
    vjp: |g, args, _, cotangent| back(g, ROTATION_ALONG, args, cotangent),
};

/// The node of the sum of the singular values of a matrix.
pub fn nuclear_of(g: &mut Graph, y: NodeId) -> NodeId {
    let columns = columns(g, y);
    g.push(Op::Prox(NUCLEAR), vec![y, columns], Shape::scalar())
}

/// The node of a matrix with its singular values lowered by t.
pub fn shrunk_of(g: &mut Graph, y: NodeId, t: NodeId) -> NodeId {
    let columns = columns(g, y);
    of_values(g, LOW_RANK, y, t, columns)
}

fn columns(g: &mut Graph, y: NodeId) -> NodeId {
    let row = Shape(vec![g.shape(y).0[1].clone()]);
    g.filled(0.0, &row)
}

fn of_values(g: &mut Graph, kernel: super::Kernel, y: NodeId, t: NodeId, columns: NodeId) -> NodeId {
    let shape = g.shape(y).clone();
    g.push(Op::Prox(kernel), vec![y, t, columns], shape)
}

fn along(g: &mut Graph, kernel: super::Kernel, args: &[NodeId], h: NodeId) -> NodeId {
    let shape = g.shape(h).clone();
    g.push(Op::Prox(kernel), vec![args[0], args[1], args[2], h], shape)
}

/// Linear in H; nothing else is known.
fn further(g: &mut Graph, kernel: super::Kernel, args: &[NodeId], tangents: &[Option<NodeId>]) -> Option<NodeId> {
    let linear = tangents[3].map(|h| along(g, kernel, args, h));
    if tangents[0].is_none() && tangents[1].is_none() {
        return linear;
    }
    let shape = g.shape(args[3]).clone();
    Some(g.filled(f64::NAN, &shape))
}

fn back(g: &mut Graph, kernel: super::Kernel, args: &[NodeId], cotangent: NodeId) -> Vec<Option<NodeId>> {
    let shape = g.shape(args[0]).clone();
    let unknown = g.filled(f64::NAN, &shape);
    let number = g.constant(f64::NAN);
    vec![Some(unknown), Some(number), None, Some(along(g, kernel, args, cotangent))]
}

fn real<D: DualNum + Copy>(a: D) -> f64 {
    a.re().to_f64().unwrap_or(f64::NAN)
}

fn total<D: DualNum + Copy>(y: &Spectrum<D>) -> D {
    y.values.iter().fold(D::zero(), |sum, s| sum + *s)
}

/// f of a singular value and t, and its slope above t.
type Change<D> = (fn(D, D) -> D, f64);

fn lowered<D: DualNum + Copy>(s: D, t: D) -> D {
    if real(s) > real(t) { s - t } else { D::zero() }
}

fn kept<D: DualNum + Copy>(s: D, t: D) -> D {
    if real(s) > real(t) { D::one() } else { D::zero() }
}

fn shrink<D: DualNum + Copy>(out: &mut [D], args: &[&[D]], decompose: fn(&[D], usize) -> Spectrum<D>) {
    let (y, t) = (args[0], args[1][0]);
    if real(t) <= 0.0 {
        // exactly
        out.copy_from_slice(y);
        return;
    }
    assemble(out, &decompose(y, args[2].len()), |s| lowered(s, t));
}

fn rotate<D: DualNum + Copy>(out: &mut [D], args: &[&[D]], decompose: fn(&[D], usize) -> Spectrum<D>) {
    assemble(out, &decompose(args[0], args[2].len()), |s| kept(s, args[1][0]));
}

/// `U f(S) V'`
fn assemble<D: DualNum + Copy>(out: &mut [D], y: &Spectrum<D>, f: impl Fn(D) -> D) {
    if y.values.iter().any(|s| real(*s).is_nan()) {
        out.fill(number(f64::NAN));
        return;
    }
    out.fill(D::zero());
    for k in 0..y.values.len() {
        let factor = f(y.values[k]);
        if real(factor) == 0.0 {
            continue;
        }
        for i in 0..y.rows {
            let left = factor * y.left[i * y.values.len() + k];
            for j in 0..y.columns {
                out[i * y.columns + j] += left * y.right[j * y.values.len() + k];
            }
        }
    }
}

fn derivative<D: DualNum + Copy>(
    out: &mut [D],
    args: &[&[D]],
    decompose: fn(&[D], usize) -> Spectrum<D>,
    (f, slope): Change<D>,
) {
    let (t, h) = (args[1][0], args[3]);
    let y = decompose(args[0], args[2].len());
    let (m, n, r) = (y.rows, y.columns, y.values.len());
    if r == 0 {
        return;
    }
    if y.values.iter().any(|s| real(*s).is_nan()) {
        out.fill(number(f64::NAN));
        return;
    }
    let zero = D::zero();
    let values: Vec<D> = y.values.iter().map(|s| f(*s, t)).collect();
    let ratio = |f: D, s: D| if real(s) > 0.0 { f / s } else { zero };
    let ratios: Vec<D> = values.iter().zip(&y.values).map(|(f, s)| ratio(*f, *s)).collect();
    if real(t) <= 0.0 && slope == 1.0 {
        // the identity, at values of 0 too
        out.copy_from_slice(h);
        return;
    }
    let dot = |n: usize, term: &dyn Fn(usize) -> D| (0..n).fold(zero, |sum, k| sum + term(k));
    let table = |rows: usize, entry: &dyn Fn(usize, usize) -> D| -> Vec<D> {
        (0..rows * r).map(|at| entry(at / r, at % r)).collect()
    };
    let hv = table(m, &|i, k| dot(n, &|j| h[i * n + j] * y.right[j * r + k]));
    let hu = table(n, &|j, k| dot(m, &|i| h[i * n + j] * y.left[i * r + k]));
    let inner = table(r, &|a, b| dot(m, &|i| y.left[i * r + a] * hv[i * r + b]));
    let slope: D = number(slope);
    let mut middle = vec![zero; r * r];
    for i in 0..r {
        for j in 0..r {
            let (a, b) = (inner[i * r + j], inner[j * r + i]);
            let half: D = number(0.5);
            let (even, odd) = ((a + b) * half, (a - b) * half);
            let (s, z) = ([y.values[i], y.values[j]], [values[i], values[j]]);
            let above = [real(s[0]) > real(t), real(s[1]) > real(t)];
            let difference = match above {
                [true, true] => slope,
                [false, false] => zero,
                _ => (z[0] - z[1]) / (s[0] - s[1]),
            };
            let sum = ratio(z[0] + z[1], s[0] + s[1]);
            // What lies outside of U and V is added below for all of H.
            middle[i * r + j] = even * difference + odd * sum - a * ratios[i] - a * ratios[j];
        }
    }
    let outer = table(m, &|i, k| dot(r, &|l| y.left[i * r + l] * middle[l * r + k]) + hv[i * r + k] * ratios[k]);
    for i in 0..m {
        for j in 0..n {
            let right = dot(r, &|k| outer[i * r + k] * y.right[j * r + k]);
            let left = dot(r, &|k| y.left[i * r + k] * ratios[k] * hu[j * r + k]);
            out[i * n + j] = right + left;
        }
    }
}

/// Most sweeps over pairs of columns. Each doubles the digits that are right, of derivatives one sweep later.
const SWEEPS: usize = 30;

/// Singular values by rotations of columns (one-sided Jacobi: Hestenes 1958), for number types with derivatives.
fn by_rotations<D: DualNum + Copy>(y: &[D], columns: usize) -> Spectrum<D> {
    let rows = y.len().checked_div(columns).unwrap_or(0);
    if rows < columns {
        let turned: Vec<D> = (0..y.len()).map(|at| y[at % rows.max(1) * columns + at / rows.max(1)]).collect();
        let Spectrum { values, left, right, .. } = by_rotations(&turned, rows);
        return Spectrum { rows, columns, values, left: right, right: left };
    }
    let n = columns;
    let mut w = y.to_vec();
    let mut v: Vec<D> = (0..n * n).map(|at| if at / n == at % n { D::one() } else { D::zero() }).collect();
    for _ in 0..SWEEPS {
        for p in 0..n {
            for q in p + 1..n {
                let dot = |a: usize, b: usize| (0..rows).fold(D::zero(), |s, i| s + w[i * n + a] * w[i * n + b]);
                let (a, b, c) = (dot(p, p), dot(q, q), dot(p, q));
                let Some((cos, sin)) = rotation(a, b, c) else { continue };
                for (array, count) in [(&mut w, rows), (&mut v, n)] {
                    for i in 0..count {
                        let (x, z) = (array[i * n + p], array[i * n + q]);
                        array[i * n + p] = cos * x - sin * z;
                        array[i * n + q] = sin * x + cos * z;
                    }
                }
            }
        }
    }
    let norm = |k: usize| (0..rows).fold(D::zero(), |s, i| s + w[i * n + k] * w[i * n + k]);
    let values: Vec<D> = (0..n).map(norm).map(|s| if real(s) > 0.0 { s.sqrt() } else { D::zero() }).collect();
    let unit = |at: usize| if real(values[at % n]) > 0.0 { w[at] / values[at % n] } else { D::zero() };
    let left = (0..rows * n).map(unit).collect();
    Spectrum { rows, columns, values, left, right: v }
}

/// The rotation that makes columns with these products orthogonal.
fn rotation<D: DualNum + Copy>(a: D, b: D, c: D) -> Option<(D, D)> {
    let (two, one): (D, D) = (number(2.0), D::one());
    let (gap, twice) = (b - a, two * c);
    let size = gap * gap + twice * twice;
    if real(size) <= 0.0 {
        return None;
    }
    let root = size.sqrt();
    let sum = if real(gap) >= 0.0 { gap + root } else { gap - root };
    let tangent = twice / sum;
    let cos = one / (one + tangent * tangent).sqrt();
    Some((cos, cos * tangent))
}

fn number<D: DualNum + Copy>(value: f64) -> D {
    D::from_f64(value).expect("every number type has it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> [f64; 6] {
        [1.5, -0.3, 0.8, 0.2, -1.1, 0.6]
    }

    #[test]
    fn kernels_agree_with_rotations() {
        for (rows, columns) in [(3, 2), (2, 3), (6, 1), (1, 6)] {
            let y = matrix();
            let mut expected = vec![0.0; 6];
            for t in [0.0, 0.4, 0.9, 9.0] {
                let zeros = vec![0.0; columns];
                let args: [&[f64]; 3] = [&y, &[t], &zeros];
                let mut found = [0.0; 6];
                shrink(&mut found, &args, singular::decompose);
                shrink(&mut expected, &args, by_rotations);
                let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
                assert!(close(&found, &expected), "{rows} x {columns}, {t}: {found:?} {expected:?}");
                rotate(&mut found, &args, singular::decompose);
                rotate(&mut expected, &args, by_rotations);
                assert!(close(&found, &expected), "{rows} x {columns}, {t}: {found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_nan() {
        let y = [1.0, f64::INFINITY, f64::NAN, 0.0];
        let mut out = [0.0; 4];
        shrink(&mut out, &[&y, &[1.0], &[0.0, 0.0]], singular::decompose);
        assert!(out.iter().all(|u| u.is_nan()));
    }
}
