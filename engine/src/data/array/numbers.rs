//! The numbers of a data item, shared by everything that reads them. Each precision has one copy, made when the first
//! program of that precision asks for it; in f64 the copy is the array that was read, unless that was bytes.

use std::sync::{Arc, OnceLock};

use super::{Array, Bytes, Stored};
use crate::kernel::precision::{PerPrecision, Precision};

/// Read-only numbers; a clone shares them.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Extents, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    copies: Arc<Copies>,
}

/// The numbers in each precision, where a program has asked for them, and the bytes that they were read from.
#[derive(Debug, Default)]
struct Copies {
    bytes: Option<Bytes>,
    double: OnceLock<Arc<Vec<f64>>>,
    single: OnceLock<Arc<Vec<f32>>>,
}

impl PerPrecision for Copies {
    type Of<T: Precision> = OnceLock<Arc<Vec<T>>>;

    fn double(&self) -> &OnceLock<Arc<Vec<f64>>> {
        &self.double
    }

    fn single(&self) -> &OnceLock<Arc<Vec<f32>>> {
        &self.single
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.stored().map_or_else(|bytes| bytes.bytes.len(), <[f64]>::len)
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, row-major. Makes no copy.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        let stored = self.stored();
        (0..self.len()).map(move |i| match stored {
            Ok(values) => values[i],
            Err(bytes) => bytes.value(i),
        })
    }

    /// The numbers in a working precision, for any number of programs; the first call makes the copy.
    pub fn lend<T: Precision>(&self) -> Arc<Vec<T>> {
        T::of(&*self.copies).get_or_init(|| Arc::new(self.values().map(T::from_f64).collect())).clone()
    }

    /// An array of its own.
    pub fn to_array(&self) -> Array {
        Array::new(self.shape.clone(), self.values().collect())
    }

    /// The same numbers in another shape.
    #[must_use]
    pub(crate) fn with_rank(mut self, rank: usize) -> Numbers {
        self.shape.truncate(rank);
        self
    }

    fn stored(&self) -> Result<&[f64], &Bytes> {
        match (&self.copies.bytes, self.copies.double.get()) {
            (Some(bytes), _) => Err(bytes),
            (None, Some(values)) => Ok(values),
            (None, None) => unreachable!("what is not bytes was an array"),
        }
    }
}

impl From<Array> for Numbers {
    fn from(array: Array) -> Numbers {
        let copies = Copies { double: OnceLock::from(Arc::new(array.values)), ..Copies::default() };
        Numbers { shape: array.shape, copies: Arc::new(copies) }
    }
}

impl From<Bytes> for Numbers {
    fn from(bytes: Bytes) -> Numbers {
        let shape = bytes.shape.clone();
        Numbers { shape, copies: Arc::new(Copies { bytes: Some(bytes), ..Copies::default() }) }
    }
}

impl From<Stored> for Numbers {
    fn from(stored: Stored) -> Numbers {
        match stored {
            Stored::Real(array) => array.into(),
            Stored::Bytes(bytes) => bytes.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_precision_has_one_copy() {
        let numbers = Numbers::from(Array::from(vec![1.5, 0.1]));
        let read = numbers.copies.double.get().unwrap().clone();
        assert!(Arc::ptr_eq(&read, &numbers.lend::<f64>()));
        // A clone shares also the copies that are made later.
        let clone = numbers.clone();
        assert!(Arc::ptr_eq(&numbers.lend::<f32>(), &clone.lend::<f32>()));
        assert_eq!(*clone.lend::<f32>(), [1.5, 0.1f32]);
    }

    #[test]
    fn bytes_become_numbers_when_a_program_asks() {
        let numbers = Numbers::from(Bytes { shape: vec![3, 1], bytes: vec![0, 2, 255], scale: 0.5 });
        assert_eq!(numbers.values().collect::<Vec<_>>(), [0.0, 1.0, 127.5]);
        assert_eq!((numbers.len(), numbers.copies.double.get()), (3, None));
        assert_eq!(*numbers.lend::<f64>(), [0.0, 1.0, 127.5]);
        assert_eq!(numbers.to_array().shape, [3, 1]);
    }
}
