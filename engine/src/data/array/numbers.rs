//! The numbers of a data item, shared by everything that reads them. They are kept once: in f64, or as bytes where they
//! were read as bytes and nobody has asked for f64 yet. A copy in f32 lives as long as programs read it.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use super::{Array, Bytes, Stored};
use crate::kernel::precision::{PerPrecision, Precision};

/// Read-only numbers; a clone shares them.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Extents, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    copies: Arc<Copies>,
}

/// The numbers, and what programs read them from in each precision.
#[derive(Debug)]
struct Copies {
    kept: RwLock<Kept>,
    double: Mutex<Weak<Vec<f64>>>,
    single: Mutex<Weak<Vec<f32>>>,
}

#[derive(Clone, Debug)]
enum Kept {
    Values(Arc<Vec<f64>>),
    Bytes(Arc<Bytes>),
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Kept::Values(values) => values.len(),
            Kept::Bytes(bytes) => bytes.bytes.len(),
        }
    }

    fn value(&self, i: usize) -> f64 {
        match self {
            Kept::Values(values) => values[i],
            Kept::Bytes(bytes) => bytes.value(i),
        }
    }
}

impl PerPrecision for Copies {
    type Of<T: Precision> = Mutex<Weak<Vec<T>>>;

    fn double(&self) -> &Mutex<Weak<Vec<f64>>> {
        &self.double
    }

    fn single(&self) -> &Mutex<Weak<Vec<f32>>> {
        &self.single
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept().len()
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers, row-major. Makes no copy.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + use<> {
        let kept = self.kept();
        (0..kept.len()).map(move |i| kept.value(i))
    }

    /// The numbers in a working precision, for any number of programs; makes the copy where nobody has one.
    pub fn lend<T: Precision>(&self) -> Arc<Vec<T>> {
        let mut lent = T::of(&*self.copies).lock().unwrap_or_else(PoisonError::into_inner);
        lent.upgrade().unwrap_or_else(|| {
            let copy: Arc<Vec<T>> = Arc::new(self.values().map(T::from_f64).collect());
            *lent = Arc::downgrade(&copy);
            if let Some(values) = (&copy as &dyn Any).downcast_ref::<Arc<Vec<f64>>>() {
                *self.copies.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept::Values(values.clone());
            }
            copy
        })
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

    fn kept(&self) -> Kept {
        self.copies.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn new(shape: Vec<usize>, kept: Kept, double: Weak<Vec<f64>>) -> Numbers {
        let copies = Copies { kept: RwLock::new(kept), double: Mutex::new(double), single: Mutex::default() };
        Numbers { shape, copies: Arc::new(copies) }
    }
}

impl From<Array> for Numbers {
    fn from(array: Array) -> Numbers {
        let values = Arc::new(array.values);
        let double = Arc::downgrade(&values);
        Numbers::new(array.shape, Kept::Values(values), double)
    }
}

impl From<Bytes> for Numbers {
    fn from(bytes: Bytes) -> Numbers {
        Numbers::new(bytes.shape.clone(), Kept::Bytes(Arc::new(bytes)), Weak::new())
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
        assert!(matches!(numbers.kept(), Kept::Values(kept) if Arc::ptr_eq(&kept, &numbers.lend::<f64>())));
        // A clone shares also the copies that are made later.
        let (clone, lent) = (numbers.clone(), numbers.lend::<f32>());
        assert!(Arc::ptr_eq(&lent, &clone.lend::<f32>()));
        assert_eq!(*lent, [1.5, 0.1f32]);
    }

    #[test]
    fn a_copy_in_f32_lives_while_somebody_reads_it() {
        let numbers = Numbers::from(Array::from(vec![1.5, 0.1]));
        let lent = Arc::downgrade(&numbers.lend::<f32>());
        assert!(lent.upgrade().is_none());
        assert_eq!(*numbers.lend::<f32>(), [1.5, 0.1f32]);
    }

    #[test]
    fn bytes_become_numbers_when_a_program_asks_for_f64() {
        let numbers = Numbers::from(Bytes { shape: vec![3, 1], bytes: vec![0, 2, 255], scale: 0.5 });
        assert_eq!(numbers.values().collect::<Vec<_>>(), [0.0, 1.0, 127.5]);
        assert_eq!((numbers.len(), &*numbers.lend::<f32>()), (3, &vec![0.0, 1.0, 127.5]));
        assert!(matches!(numbers.kept(), Kept::Bytes(_)));
        assert_eq!(*numbers.lend::<f64>(), [0.0, 1.0, 127.5]);
        assert!(matches!(numbers.kept(), Kept::Values(kept) if *kept == [0.0, 1.0, 127.5]));
        assert_eq!(numbers.to_array().shape, [3, 1]);
    }
}
