//! An array as its file holds it: numbers, or the bytes of an image set with their scale. A dataset of bytes takes an
//! eighth of its numbers' memory, and only the rows that a problem uses ever become numbers.

use super::array::Array;

/// What a reader returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Numbers.
    Real(Array),
    /// Bytes.
    Bytes(Bytes),
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

impl Stored {
    /// Extents, slowest first; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        match self {
            Stored::Real(array) => &array.shape,
            Stored::Bytes(bytes) => &bytes.shape,
        }
    }

    /// All of it as numbers.
    pub fn into_array(self) -> Array {
        match self {
            Stored::Real(array) => array,
            Stored::Bytes(Bytes { shape, bytes, scale }) => {
                let values = bytes.iter().map(|b| f64::from(*b) * scale).collect();
                Array { shape, values }
            }
        }
    }

    /// Some rows as numbers: zero-based positions on the first axis, in the order given.
    ///
    /// # Panics
    /// If the array is a scalar or a row lies outside: a bug of the caller.
    pub fn rows(&self, rows: impl ExactSizeIterator<Item = usize>) -> Array {
        let mut shape = self.shape().to_vec();
        let width: usize = shape[1..].iter().product();
        shape[0] = rows.len();
        let mut values = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let places = row * width..(row + 1) * width;
            match self {
                Stored::Real(array) => values.extend_from_slice(&array.values[places]),
                Stored::Bytes(b) => values.extend(b.bytes[places].iter().map(|v| f64::from(*v) * b.scale)),
            }
        }
        Array { shape, values }
    }
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
        assert_eq!(stored.rows([2, 0].into_iter()), wanted);
        assert_eq!(Stored::from(all).rows([2, 0].into_iter()), wanted);
        assert_eq!(stored.rows([].into_iter()).shape, [0, 2]);
    }
}
