//! Opaque operations: those with no closed form in graph primitives (the projection onto the simplex, factors of matrices,
//! sequences, singular values). Each brings
//! a kernel for every number type and its own product rules. The room knows no prox and no set: both may use an entry.

use num_dual::{Dual64, HyperDual64};

use crate::graph::{Graph, NodeId};

mod definite;
mod groups;
mod pseudo_inverse;
mod runs;
mod simplex;
mod singular;
mod spectral;

pub use definite::{inverse_of, logdet_of, solution_of};
pub use groups::group_shrunk_of;
pub(crate) use groups::width as group_width;
pub use pseudo_inverse::pseudo_inverse_of;
pub use runs::{isotonic_of, sorted_of};
pub use singular::{nuclear_of, shrunk_of};
pub(crate) use spectral::nearest as nearest_semidefinite;
pub use spectral::positive_part_of;

/// An opaque operation with a kernel of its own, by its position in [`KERNELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(pub(crate) u16);

impl Kernel {
    /// The table entry.
    pub fn entry(self) -> &'static KernelEntry {
        KERNELS[self.0 as usize]
    }
}

/// An opaque operation.
pub struct KernelEntry {
    /// Name in listings.
    pub name: &'static str,
    /// What it computes, and its cost.
    pub doc: &'static str,
    /// Its operands, as `doc` says.
    pub operands: &'static [&'static str],
    /// The result's shape.
    pub result: ResultShape,
    /// True when it has derivatives of all orders wherever it is defined.
    pub smooth: bool,
    /// What it is called where it is NaN although its operands are finite.
    pub undefined: Option<&'static str>,
    /// True where a program keeps its last operands and result, and computes nothing where the operands are the same:
    /// for what takes far longer than to compare them, and is mostly made of data.
    pub remembers: bool,
    /// Its floating-point operations, about, from the numbers of entries of its operands.
    pub flops: fn(&[usize]) -> u128,
    /// The result in f64. Allocates nothing but the scratch of a factorization.
    pub apply_f64: fn(&mut [f64], &[&[f64]]),
    /// The result in f32; likewise.
    pub apply_f32: fn(&mut [f32], &[&[f32]]),
    /// The result with one derivative, for the oracle.
    pub dual: fn(&mut [Dual64], &[&[Dual64]]),
    /// The result with mixed second derivatives, for the oracle.
    pub hyper: fn(&mut [HyperDual64], &[&[HyperDual64]]),
    /// The tangent of `out` from those of the operands; `None` stands for zero.
    pub jvp: Jvp,
    /// The cotangent of every operand from that of `out`.
    pub vjp: Vjp,
}

/// The shape of an operation's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultShape {
    /// That of an operand, by position.
    Operand(usize),
    /// A number.
    Scalar,
}

/// Forward rule of a kernel.
pub type Jvp = fn(&mut Graph, args: &[NodeId], out: NodeId, tangents: &[Option<NodeId>]) -> Option<NodeId>;

/// Reverse rule of a kernel.
pub type Vjp = fn(&mut Graph, args: &[NodeId], out: NodeId, cotangent: NodeId) -> Vec<Option<NodeId>>;

/// The projection onto the simplex: operands v and the total s.
pub const SIMPLEX: Kernel = Kernel(0);

/// The Cholesky factor L of a matrix S.
pub const CHOLESKY: Kernel = Kernel(1);

/// `S^-1 B`: operands S, its factor L, and B.
pub const SOLVE: Kernel = Kernel(2);

/// `log(det(S))`: operands S and its factor L.
pub const LOGDET: Kernel = Kernel(3);

/// The eigenvectors Q of a symmetric matrix S.
pub const EIGENVECTORS: Kernel = Kernel(4);

/// The nearest positive semidefinite matrix: operands S and its eigenvectors Q.
pub const POSITIVE_PART: Kernel = Kernel(5);

/// Its derivative: operands S, Q and the direction H.
pub const POSITIVE_SLOPE: Kernel = Kernel(6);

/// Its second derivative: operands S, Q and the directions H and K.
pub const POSITIVE_BEND: Kernel = Kernel(7);

/// The transposed Moore-Penrose inverse: operands A and an array with an entry per row of A.
pub const PSEUDO_INVERSE: Kernel = Kernel(8);

/// `b` in the order in which `key` falls: operands key and b.
pub const PERMUTE: Kernel = Kernel(9);

/// The array that is `c` in the order in which `key` falls: operands key and c.
pub const UNPERMUTE: Kernel = Kernel(10);

/// Means of `a` over runs of equal neighbors in `p`: operands p and a.
pub const RUN_MEANS: Kernel = Kernel(11);

/// The nearest sequence that does not rise: operand z.
pub const ISOTONIC: Kernel = Kernel(12);

/// The prox of the total variation: operands v and t.
pub const TV1D: Kernel = Kernel(13);

/// The sum of singular values: operands Y and columns.
pub const NUCLEAR: Kernel = Kernel(14);

/// Singular values lowered by t: operands Y, t and columns.
pub const LOW_RANK: Kernel = Kernel(15);

/// Singular values above t set to 1, the others to 0: operands Y, t and columns.
pub const ROTATION: Kernel = Kernel(16);

/// The derivative of [`LOW_RANK`] in Y: operands Y, t, columns and H.
pub const LOW_RANK_ALONG: Kernel = Kernel(17);

/// The derivative of [`ROTATION`] in Y: operands Y, t, columns and H.
pub const ROTATION_ALONG: Kernel = Kernel(18);

/// Groups with their norms lowered: operands v and t.
pub const GROUP_SHRINK: Kernel = Kernel(19);

/// Every opaque operation; the position is the number in its constant above.
pub static KERNELS: &[&KernelEntry] = &[
    &simplex::KERNEL,
    &definite::FACTOR,
    &definite::SOLUTION,
    &definite::LOG_DETERMINANT,
    &spectral::VECTORS,
    &spectral::PART,
    &spectral::SLOPE,
    &spectral::BEND,
    &pseudo_inverse::KERNEL,
    &runs::SORTED,
    &runs::PUT_BACK,
    &runs::MEANS,
    &runs::FALLING,
    &runs::TOTAL_VARIATION,
    &singular::SUM,
    &singular::SHRUNK,
    &singular::ROTATED,
    &singular::SHRUNK_ALONG,
    &singular::ROTATED_ALONG,
    &groups::KERNEL,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_documented_and_names_are_unique() {
        for (i, k) in KERNELS.iter().enumerate() {
            assert!(!k.doc.is_empty() && !k.operands.is_empty(), "{}", k.name);
            assert!(KERNELS[..i].iter().all(|other| other.name != k.name), "{}", k.name);
        }
        let matrices = [
            (SIMPLEX, "simplex"),
            (CHOLESKY, "cholesky"),
            (SOLVE, "solve"),
            (LOGDET, "logdet"),
            (EIGENVECTORS, "eigenvectors"),
            (POSITIVE_PART, "positive_part"),
            (POSITIVE_SLOPE, "positive_slope"),
            (POSITIVE_BEND, "positive_bend"),
            (PSEUDO_INVERSE, "pseudo_inverse"),
        ];
        let sequences = [
            (PERMUTE, "permute"),
            (UNPERMUTE, "unpermute"),
            (RUN_MEANS, "run_means"),
            (ISOTONIC, "isotonic"),
            (TV1D, "tv1d"),
            (GROUP_SHRINK, "group_shrink"),
        ];
        let values = [
            (NUCLEAR, "nuclear"),
            (LOW_RANK, "shrink_values"),
            (ROTATION, "rotation"),
            (LOW_RANK_ALONG, "shrink_values_along"),
            (ROTATION_ALONG, "rotation_along"),
        ];
        let named: Vec<_> = matrices.iter().chain(&sequences).chain(&values).collect();
        assert_eq!(named.len(), KERNELS.len());
        assert!(named.iter().all(|(kernel, name)| kernel.entry().name == *name));
    }
}
