//! An array as its file holds it: numbers, or the bytes of an image set with their scale. A dataset of bytes takes an
//! eighth of its numbers' memory, and only the rows that a problem uses ever become numbers.

use super::{Array, Numbers};

/// What a reader returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Numbers.
    Real(Array),
    /// Bytes.
    Bytes(Bytes),
    /// Numbers that a caller lends.
    Lent(Numbers),
}

/// Bytes that stand for numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bytes {
    /// Extents, slowest first; at most four.
    pub shape: Vec<usize>,
    /// As many bytes as the shape has places; the last index varies fastest.
    pub bytes: Vec<u8>,
    /// What a byte is multiplied by.
    pub scale: f64,
}

impl Bytes {
    /// The numbers, row-major.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        (0..self.bytes.len()).map(|i| self.value(i))
    }

    /// The number at a place.
    pub(super) fn value(&self, place: usize) -> f64 {
        f64::from(self.bytes[place]) * self.scale
    }
}

impl Stored {
    /// Extents, slowest first; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        match self {
            Stored::Real(array) => &array.shape,
            Stored::Bytes(bytes) => &bytes.shape,
            Stored::Lent(numbers) => &numbers.shape,
        }
    }

    /// All of it as numbers.
    pub fn into_array(self) -> Array {
        match self {
            Stored::Real(array) => array,
            Stored::Bytes(bytes) => {
                let values = bytes.values().collect();
                Array { shape: bytes.shape, values }
            }
            Stored::Lent(numbers) => numbers.to_array(),
        }
    }

    /// Some rows: zero-based positions on the first axis, in the order given.
    ///
    /// # Panics
    /// If the array is a scalar or a row lies outside: a bug of the caller.
    #[must_use]
    pub fn rows(&self, rows: impl ExactSizeIterator<Item = usize>) -> Stored {
        let mut shape = self.shape().to_vec();
        let width: usize = shape[1..].iter().product();
        shape[0] = rows.len();
        match self {
            Stored::Real(array) => Stored::Real(Array { shape, values: taken(&array.values, width, rows) }),
            Stored::Bytes(b) => Stored::Bytes(Bytes { shape, bytes: taken(&b.bytes, width, rows), scale: b.scale }),
            // in its own precision, in which a run may read it
            Stored::Lent(numbers) => Stored::Lent(numbers.selected(shape, width, rows)),
        }
    }
}

/// Some rows of an array, `width` elements each, in the order given.
pub(super) fn taken<E: Copy>(all: &[E], width: usize, rows: impl ExactSizeIterator<Item = usize>) -> Vec<E> {
    let mut taken = Vec::with_capacity(rows.len() * width);
    rows.for_each(|row| taken.extend_from_slice(&all[row * width..(row + 1) * width]));
    taken
}

impl From<Array> for Stored {
    fn from(array: Array) -> Stored {
        Stored::Real(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_bytes_are_scaled_rows() {
        let stored = Stored::Bytes(Bytes { shape: vec![3, 2], bytes: vec![0, 1, 2, 3, 4, 5], scale: 0.5 });
        let all = stored.clone().into_array();
        assert_eq!(all.values, [0., 0.5, 1., 1.5, 2., 2.5]);
        let wanted = Array::new(vec![2, 2], vec![2., 2.5, 0., 0.5]);
        let rows = stored.rows([2, 0].into_iter());
        assert!(matches!(&rows, Stored::Bytes(b) if b.bytes == [4, 5, 0, 1]));
        assert_eq!(rows.into_array(), wanted);
        assert_eq!(Stored::from(all.clone()).rows([2, 0].into_iter()).into_array(), wanted);
        assert_eq!(Stored::Lent(all.into()).rows([2, 0].into_iter()).into_array(), wanted);
        assert_eq!(stored.rows([].into_iter()).shape(), [0, 2]);
    }
}
