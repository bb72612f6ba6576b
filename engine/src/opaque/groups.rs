//! The shrinkage of groups: blocks of equal length, each shortened by a number of its own. It is a kernel since a row is
//! read once for its norm and is still in the cache when it is scaled; its derivatives are made of primitives.

use num_dual::DualNum;

use super::{GROUP_SHRINK, KernelEntry, ResultShape};
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op, Reduction};
use crate::kernel::precision::Precision;
use crate::kernel::reduce;
use crate::shape::{Dim, Shape};

/// The kernel: with n the norm of a group, `v (1 - t/max(n, t))`, which is v minus its projection onto the ball of radius
/// t (Moreau). So nothing is divided by zero at v = 0, and a short group is exactly 0.
pub(super) static KERNEL: KernelEntry = KernelEntry {
    name: "group_shrink",
    doc: "groups of v, as many as t has entries, each with its norm lowered by t, or 0 where it is shorter; O(n)",
    operands: &["v", "t"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| 3 * entries[0] as u128 + 5 * entries[1] as u128,
    apply_f64: by_rows,
    apply_f32: by_rows,
    dual: plain,
    hyper: plain,
    jvp: |g, args, _, tangents| {
        let at = Groups::of(g, args[0], args[1]);
        let along = tangents[0].map(|h| at.along(g, h));
        let shorter = tangents[1].map(|dt| {
            let less = at.per_length(g, dt);
            let less = at.scaled(g, less, at.v);
            let change = g.neg(less);
            g.reshape(change, &at.shape)
        });
        match (along, shorter) {
            (Some(a), Some(b)) => Some(g.add(a, b)),
            (a, b) => a.or(b),
        }
    },
    vjp: |g, args, _, cotangent| {
        let at = Groups::of(g, args[0], args[1]);
        let blocks = g.reshape(cotangent, &at.blocks);
        let inner = at.inner(g, blocks);
        let less = at.per_length(g, inner);
        vec![Some(at.along(g, cotangent)), Some(g.neg(less))]
    },
};

/// The node of v with its groups shortened by t: an entry per group, or a number for all of v as one group. Groups are
/// blocks of consecutive entries, row-major.
pub fn group_shrunk_of(g: &mut Graph, v: NodeId, t: NodeId) -> NodeId {
    let shape = g.shape(v).clone();
    g.push(Op::Prox(GROUP_SHRINK), vec![v, t], shape)
}

/// Rows whose factors are computed together, at most, and entries of such rows: a third of a small L1 cache.
const ROWS: usize = 64;
const ENTRIES: usize = 2048;

fn by_rows<T: Precision>(out: &mut [T], args: &[&[T]]) {
    let (v, t) = (args[0], args[1]);
    let width = v.len() / t.len().max(1);
    if width == 0 {
        return;
    }
    let mut factors = [T::default(); ROWS];
    let rows = (ENTRIES / width).clamp(1, ROWS);
    for (out, (v, t)) in out.chunks_mut(rows * width).zip(v.chunks(rows * width).zip(t.chunks(rows))) {
        let factors = &mut factors[..t.len()];
        reduce::norm2_rows(factors, v, width);
        factors.iter_mut().zip(t).for_each(|(f, t)| *f = factor(*f, *t));
        reduce::scale_rows(out, v, factors);
    }
}

fn plain<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    let (v, t) = (args[0], args[1]);
    let width = (v.len() / t.len().max(1)).max(1);
    for ((out, v), t) in out.chunks_exact_mut(width).zip(v.chunks_exact(width)).zip(t) {
        let squares = v.iter().fold(D::zero(), |s, v| s + *v * *v);
        // the root has no derivative at 0, where the result is 0 all around for every t > 0
        let scale = if squares <= *t * *t { D::zero() } else { D::one() - *t / squares.sqrt() };
        out.iter_mut().zip(v).for_each(|(o, v)| *o = *v * scale);
    }
}

fn factor<T: Precision>(norm: T, t: T) -> T {
    let longer = if norm <= t { t } else { norm };
    let one = T::from_f64(1.0);
    if longer == T::default() { one } else { one - t / longer }
}

/// The nodes that derivatives are made of.
struct Groups {
    /// The shape of v, and that of an array with a row per group.
    shape: Shape,
    blocks: Shape,
    /// v by rows.
    v: NodeId,
    t: NodeId,
    /// `max(n, t)`, and 1 where n > t.
    longer: NodeId,
    above: NodeId,
}

impl Groups {
    fn of(g: &mut Graph, v: NodeId, t: NodeId) -> Groups {
        let shape = g.shape(v).clone();
        let blocks = match g.shape(t).0.first() {
            None => shape.clone(),
            Some(groups) => {
                let width = width(&shape, groups).expect("groups are of equal length");
                Shape(vec![groups.clone(), width])
            }
        };
        let v = g.reshape(v, &blocks);
        let norms = g.reduce(Reduction::Norm2, v, every_axis_of_a_row(g, v, t));
        let longer = g.elementwise(elementwise::MAX, &[norms, t]);
        let above = g.elementwise(elementwise::LESS, &[t, norms]);
        Groups { shape, blocks, v, t, longer, above }
    }

    /// The derivative in v along h, which is symmetric: `h (1 - t/n) + v t (v'h)/n^3` where n > t, and 0 elsewhere.
    fn along(&self, g: &mut Graph, h: NodeId) -> NodeId {
        let h = g.reshape(h, &self.blocks);
        let ratio = g.elementwise(elementwise::SAFE_DIV, &[self.t, self.longer]);
        let one = g.constant(1.0);
        let kept = g.sub(one, ratio);
        let inner = self.inner(g, h);
        let turn = g.mul(ratio, inner);
        let turn = g.elementwise(elementwise::SAFE_DIV, &[turn, self.longer]);
        let turn = self.per_length(g, turn);
        let (kept, turned) = (self.scaled(g, kept, h), self.scaled(g, turn, self.v));
        let change = g.add(kept, turned);
        g.reshape(change, &self.shape)
    }

    /// `v'h` of every group.
    fn inner(&self, g: &mut Graph, h: NodeId) -> NodeId {
        let product = g.mul(self.v, h);
        let axes = every_axis_of_a_row(g, self.v, self.t);
        g.sum(product, axes)
    }

    /// `a/n` of the groups with n > t, and 0 of the others.
    fn per_length(&self, g: &mut Graph, a: NodeId) -> NodeId {
        let quotient = g.elementwise(elementwise::SAFE_DIV, &[a, self.longer]);
        g.mul(self.above, quotient)
    }

    /// A number per group times its row.
    fn scaled(&self, g: &mut Graph, factor: NodeId, rows: NodeId) -> NodeId {
        let factor = if g.shape(factor).is_scalar() { factor } else { g.broadcast(factor, 1, &self.blocks) };
        g.mul(factor, rows)
    }
}

fn every_axis_of_a_row(g: &Graph, v: NodeId, t: NodeId) -> u8 {
    match g.shape(t).is_scalar() {
        true => (1u16 << g.shape(v).rank()).wrapping_sub(1) as u8,
        false => 0b10,
    }
}

/// Entries per group of a shape: from leading axes that are the groups, else by division.
pub(crate) fn width(shape: &Shape, groups: &Dim) -> Option<Dim> {
    let product = |dims: &[Dim]| Shape(dims.to_vec()).count();
    let rows = (1..=shape.rank()).find(|k| product(&shape.0[..*k]).as_ref() == Some(groups));
    match rows {
        Some(k) => product(&shape.0[k..]),
        None => shape.count()?.div(groups),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(v: &[f64], t: &[f64]) -> Vec<f64> {
        let (mut out, mut other) = (vec![f64::NAN; v.len()], vec![f64::NAN; v.len()]);
        by_rows(&mut out, &[v, t]);
        plain(&mut other, &[v, t]);
        assert!(
            out.iter().zip(&other).all(|(a, b)| (a - b).abs() <= 1e-14 * a.abs() || b.is_nan()),
            "{out:?} {other:?}"
        );
        out
    }

    #[test]
    fn known_groups() {
        assert_eq!(shrunk(&[3.0, 4.0, 0.3, 0.4], &[2.5, 0.5]), [1.5, 2.0, 0.0, 0.0]);
        assert_eq!(shrunk(&[3.0, 4.0], &[0.0]), [3.0, 4.0]);
        assert_eq!(shrunk(&[0.0, 0.0], &[0.0]), [0.0, 0.0]);
        assert_eq!(shrunk(&[], &[1.0]), [0.0; 0]);
        assert!(shrunk(&[1.0, f64::NAN, 1.0, 0.0], &[0.5, 0.5])[..2].iter().all(|v| v.is_nan()));
        let long: Vec<f64> = (0..3000).map(|i| f64::from(i % 7) - 3.0).collect();
        for groups in [1, 10, 100, 300, 1000] {
            shrunk(&long, &vec![2.0; groups]);
        }
    }
}
