//! A dense array of numbers, row-major, of rank 0 to 4: what every reader and generator returns.
//!
//! It holds data, it does no mathematics: the kernels work on buffers of their own.

mod file_array;
mod numbers;
mod shared;

pub use file_array::{Bytes, Stored};
pub use numbers::Numbers;
pub use shared::{Owner, Shared};

/// The largest rank an [`Array`] may have.
pub const MAX_RANK: usize = 4;

/// A dense row-major array; `values.len()` is the product of `shape`, and 1 for a scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The numbers; the last index varies fastest.
    pub values: Vec<f64>,
}

impl Array {
    /// An array of the given shape.
    ///
    /// # Panics
    /// If the rank exceeds 4 or the number of values is not the product of `shape`: a bug of the caller.
    pub fn new(shape: Vec<usize>, values: Vec<f64>) -> Array {
        assert!(shape.len() <= MAX_RANK, "rank {} exceeds {MAX_RANK}", shape.len());
        assert_eq!(volume(&shape), Some(values.len()), "values do not fill shape {shape:?}");
        Array { shape, values }
    }

    /// The scalar `value`, of rank 0.
    pub fn scalar(value: f64) -> Array {
        Array { shape: Vec::new(), values: vec![value] }
    }

    /// The number of extents, 0 to 4.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The position in `values` of the zero-based `index`, or `None` where it lies outside or has another rank.
    pub fn offset(&self, index: &[usize]) -> Option<usize> {
        if index.len() != self.shape.len() {
            return None;
        }
        let mut offset = 0;
        for (&i, &extent) in index.iter().zip(&self.shape) {
            if i >= extent {
                return None;
            }
            offset = offset * extent + i;
        }
        Some(offset)
    }

    /// The value at the zero-based `index`.
    pub fn get(&self, index: &[usize]) -> Option<f64> {
        self.offset(index).map(|offset| self.values[offset])
    }
}

impl From<f64> for Array {
    fn from(value: f64) -> Array {
        Array::scalar(value)
    }
}

impl From<Vec<f64>> for Array {
    /// A column of rank 1.
    fn from(values: Vec<f64>) -> Array {
        Array { shape: vec![values.len()], values }
    }
}

/// The number of values of an array of this shape, or `None` where it exceeds the address space.
pub(in crate::data) fn volume(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent))
}

/// The zero-based index of the value at `offset`, the inverse of [`Array::offset`]; extents must not be zero.
pub(in crate::data) fn index_of(mut offset: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (axis, &extent) in shape.iter().enumerate().rev() {
        index[axis] = offset % extent;
        offset /= extent;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_index_varies_fastest() {
        let a = Array::new(vec![2, 3], vec![0., 1., 2., 10., 11., 12.]);
        assert_eq!((a.rank(), a.len()), (2, 6));
        assert_eq!(a.get(&[1, 2]), Some(12.));
        assert_eq!(a.get(&[0, 1]), Some(1.));
        assert_eq!(a.get(&[2, 0]), None);
        assert_eq!(a.get(&[1]), None);
    }

    #[test]
    fn a_scalar_has_one_value_and_no_index() {
        let a = Array::from(2.5);
        assert_eq!((a.rank(), a.len(), a.get(&[])), (0, 1, Some(2.5)));
        assert!(Array::new(vec![0, 3], vec![]).is_empty());
    }

    #[test]
    fn offset_and_index_are_inverse() {
        let a = Array::new(vec![2, 3, 4], vec![0.; 24]);
        for offset in 0..24 {
            assert_eq!(a.offset(&index_of(offset, &a.shape)), Some(offset));
        }
    }

    #[test]
    fn a_volume_beyond_the_address_space_is_none() {
        assert_eq!(volume(&[usize::MAX, 2]), None);
        assert_eq!(volume(&[]), Some(1));
    }
}
