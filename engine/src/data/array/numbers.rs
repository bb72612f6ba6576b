//! The numbers of a data item, shared by everything that reads them. They are kept once: in f64, or as bytes where they
//! were read as bytes and nobody has asked for f64 yet, or in the memory of a caller who lends them. A copy in f32 lives as
//! long as programs read it.

use std::any::Any;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::file_array::taken;
use super::shared::WeakShared;
use super::{Array, Bytes, Shared, Stored, volume};
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
    double: Mutex<WeakShared<f64>>,
    single: Mutex<WeakShared<f32>>,
}

#[derive(Clone, Debug)]
enum Kept {
    Values(Shared<f64>),
    Bytes(Arc<Bytes>),
    /// Lent in f32; the second keeps the copy in f64 alive once somebody has asked for it.
    Singles(Shared<f32>, #[expect(dead_code, reason = "it is found through the weak reference")] Option<Shared<f64>>),
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Kept::Values(values) => values.len(),
            Kept::Bytes(bytes) => bytes.bytes.len(),
            Kept::Singles(values, _) => values.len(),
        }
    }

    fn value(&self, i: usize) -> f64 {
        match self {
            Kept::Values(values) => values[i],
            Kept::Bytes(bytes) => bytes.value(i),
            Kept::Singles(values, _) => f64::from(values[i]),
        }
    }
}

impl PerPrecision for Copies {
    type Of<T: Precision> = Mutex<WeakShared<T>>;

    fn double(&self) -> &Mutex<WeakShared<f64>> {
        &self.double
    }

    fn single(&self) -> &Mutex<WeakShared<f32>> {
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

    /// The numbers in a working precision, for any number of programs; makes the copy where nobody has one. Numbers that a
    /// caller lends in this precision are never copied.
    pub fn lend<T: Precision>(&self) -> Shared<T> {
        let mut lent = T::of(&*self.copies).lock().unwrap_or_else(PoisonError::into_inner);
        lent.upgrade().unwrap_or_else(|| {
            let copy: Shared<T> = self.values().map(T::from_f64).collect::<Vec<T>>().into();
            *lent = copy.downgrade();
            if let Some(values) = (&copy as &dyn Any).downcast_ref::<Shared<f64>>() {
                let mut kept = self.copies.kept.write().unwrap_or_else(PoisonError::into_inner);
                *kept = match &*kept {
                    Kept::Singles(singles, _) => Kept::Singles(singles.clone(), Some(values.clone())),
                    _ => Kept::Values(values.clone()),
                };
            }
            copy
        })
    }

    /// Numbers that a caller holds in f64, row-major; nothing is copied.
    ///
    /// # Errors
    /// The number of values that the shape has places for, if it is another.
    pub fn of_doubles(shape: Vec<usize>, values: Shared<f64>) -> Result<Numbers, Option<usize>> {
        fits(&shape, values.len())?;
        Ok(Numbers::of_values(shape, values))
    }

    /// Numbers that a caller holds in f32, row-major. A run in f32 reads them in place; one in f64 takes a copy.
    ///
    /// # Errors
    /// As [`Numbers::of_doubles`].
    pub fn of_singles(shape: Vec<usize>, values: Shared<f32>) -> Result<Numbers, Option<usize>> {
        fits(&shape, values.len())?;
        let numbers = Numbers::new(shape, Kept::Singles(values.clone(), None));
        *numbers.copies.single.lock().unwrap_or_else(PoisonError::into_inner) = values.downgrade();
        Ok(numbers)
    }

    /// Rows that follow each other, counted from 0 on the first axis, without a copy where the numbers are not bytes.
    #[must_use]
    pub(crate) fn consecutive(&self, rows: Range<usize>) -> Numbers {
        let mut shape = self.shape.clone();
        let width: usize = shape[1..].iter().product();
        shape[0] = rows.len();
        let part = rows.start * width..rows.end * width;
        match self.kept() {
            Kept::Values(values) => Numbers::of_values(shape, values.part(part)),
            Kept::Singles(values, _) => {
                Numbers::of_singles(shape, values.part(part)).expect("the part has as many numbers as the rows")
            }
            Kept::Bytes(bytes) => {
                let (bytes, scale) = (bytes.bytes[part].to_vec(), bytes.scale);
                Numbers::from(Bytes { shape, bytes, scale })
            }
        }
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

    /// Some rows of `width` numbers each, in the order given.
    pub(super) fn selected(
        &self,
        shape: Vec<usize>,
        width: usize,
        rows: impl ExactSizeIterator<Item = usize>,
    ) -> Numbers {
        match self.kept() {
            Kept::Values(values) => Numbers::of_values(shape, taken(&values, width, rows).into()),
            Kept::Singles(values, _) => {
                let values: Shared<f32> = taken(&values, width, rows).into();
                Numbers::of_singles(shape, values).expect("the shape is that of the rows")
            }
            Kept::Bytes(b) => Numbers::from(Bytes { shape, bytes: taken(&b.bytes, width, rows), scale: b.scale }),
        }
    }

    fn of_values(shape: Vec<usize>, values: Shared<f64>) -> Numbers {
        let numbers = Numbers::new(shape, Kept::Values(values.clone()));
        *numbers.copies.double.lock().unwrap_or_else(PoisonError::into_inner) = values.downgrade();
        numbers
    }

    fn new(shape: Vec<usize>, kept: Kept) -> Numbers {
        let copies = Copies { kept: RwLock::new(kept), double: Mutex::default(), single: Mutex::default() };
        Numbers { shape, copies: Arc::new(copies) }
    }
}

/// Compares a number of values with what a shape has places for.
fn fits(shape: &[usize], values: usize) -> Result<(), Option<usize>> {
    let places = volume(shape);
    if places == Some(values) { Ok(()) } else { Err(places) }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Numbers) -> bool {
        self.shape == other.shape && self.values().eq(other.values())
    }
}

impl From<Array> for Numbers {
    fn from(array: Array) -> Numbers {
        Numbers::of_values(array.shape, array.values.into())
    }
}

impl From<Bytes> for Numbers {
    fn from(bytes: Bytes) -> Numbers {
        Numbers::new(bytes.shape.clone(), Kept::Bytes(Arc::new(bytes)))
    }
}

impl From<Stored> for Numbers {
    fn from(stored: Stored) -> Numbers {
        match stored {
            Stored::Real(array) => array.into(),
            Stored::Bytes(bytes) => bytes.into(),
            Stored::Lent(numbers) => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same<T>(a: &[T], b: &[T]) -> bool {
        std::ptr::eq(a, b)
    }

    #[test]
    fn each_precision_has_one_copy() {
        let numbers = Numbers::from(Array::from(vec![1.5, 0.1]));
        assert!(matches!(numbers.kept(), Kept::Values(kept) if is_same(&kept, &numbers.lend::<f64>())));
        // A clone shares also the copies that are made later.
        let (clone, lent) = (numbers.clone(), numbers.lend::<f32>());
        assert!(is_same(&lent, &clone.lend::<f32>()));
        assert_eq!(*lent, [1.5, 0.1f32]);
    }

    #[test]
    fn a_copy_in_f32_lives_while_somebody_reads_it() {
        let numbers = Numbers::from(Array::from(vec![1.5, 0.1]));
        let lent = numbers.lend::<f32>().downgrade();
        assert!(lent.upgrade().is_none());
        assert_eq!(*numbers.lend::<f32>(), [1.5, 0.1f32]);
    }

    #[test]
    fn bytes_become_numbers_when_a_program_asks_for_f64() {
        let numbers = Numbers::from(Bytes { shape: vec![3, 1], bytes: vec![0, 2, 255], scale: 0.5 });
        assert_eq!(numbers.values().collect::<Vec<_>>(), [0.0, 1.0, 127.5]);
        assert_eq!((numbers.len(), &*numbers.lend::<f32>()), (3, &[0.0, 1.0, 127.5][..]));
        assert!(matches!(numbers.kept(), Kept::Bytes(_)));
        assert_eq!(*numbers.lend::<f64>(), [0.0, 1.0, 127.5]);
        assert!(matches!(numbers.kept(), Kept::Values(kept) if *kept == [0.0, 1.0, 127.5]));
        assert_eq!(numbers.to_array().shape, [3, 1]);
    }

    #[test]
    fn lent_numbers_are_read_in_place_in_their_own_precision() {
        let held: Arc<Vec<f32>> = Arc::new(vec![1.5, 0.1, 2.0, 3.0]);
        let numbers = Numbers::of_singles(vec![2, 2], Shared::new(held.clone())).unwrap();
        assert!(is_same(&numbers.lend::<f32>(), &held));
        assert_eq!(*numbers.lend::<f64>(), [1.5, f64::from(0.1f32), 2.0, 3.0]);
        // the copy is made once, and the loan stays
        assert!(is_same(&numbers.lend::<f64>(), &numbers.lend::<f64>()) && is_same(&numbers.lend::<f32>(), &held));
        let second = numbers.consecutive(1..2);
        assert_eq!(second.shape, [1, 2]);
        assert!(is_same(&second.lend::<f32>(), &held[2..]));
        let held: Arc<Vec<f64>> = Arc::new(vec![1.5, 0.1]);
        let numbers = Numbers::of_doubles(vec![2], Shared::new(held.clone())).unwrap();
        assert!(is_same(&numbers.lend::<f64>(), &held));
        assert_eq!(Numbers::of_doubles(vec![3], Shared::new(held)).err(), Some(Some(3)));
    }
}
