//! Arrays that a caller gives to a problem.

use std::fmt;
use std::sync::Arc;

use blo_engine::data::{Array, MAX_RANK, Numbers, Owner, Shared};
use blo_grammar::diagnostic::counted;

use crate::error::Error;

/// An array of numbers in the place of a data item: of rank 0 (a number) to 4, row-major, in f64 or f32.
///
/// Most are made by `into()`: from a number, a vector (rank 1), or a pair of a shape and a vector. [`Data::lend`] takes
/// memory of the caller without a copy. A shape that does not fit its numbers is reported by whoever uses the problem.
///
/// ```
/// use blo::Data;
///
/// let number: Data = 0.5.into();
/// let column: Data = vec![1.0, 2.0, 3.0].into();
/// let matrix: Data = ([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).into();
/// let single: Data = ([2, 1], vec![1.0f32, 2.0]).into();
/// assert!(number.shape().is_empty());
/// assert_eq!(column.shape(), [3]);
/// assert_eq!(matrix.shape(), [2, 3]);
/// assert_eq!(single.shape(), [2, 1]);
/// ```
#[derive(Clone)]
pub struct Data {
    shape: Vec<usize>,
    numbers: Result<Numbers, String>,
}

impl Data {
    /// Lends numbers in f64: nothing is copied, and the owner is kept alive while anything reads it. The slice holds the
    /// numbers row-major, as many as the product of `shape`. The owner must show the same numbers until the problem, and
    /// every run of it, is gone.
    ///
    /// A run in f64 reads this memory in place, also of parts of a dataset that are rows in a row. A run in f32, a part
    /// of shuffled rows and a column with label noise are copies.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use blo::{Data, Options, Problem};
    ///
    /// let numbers: Arc<Vec<f64>> = Arc::new(vec![1.0, 2.0, 3.0, 5.0]);
    /// let problem = Problem::from_str(
    ///     "data a[_] = csv(\"a.csv\")
    ///      upper { var x  minimize mean((a[i] - x)^2 for i in 1..4) + y^2 }
    ///      lower { var y  minimize (y - x)^2 }",
    /// )?
    /// .data("a", Data::lend(&[4], numbers.clone()));
    /// // phi(x) = mean (a - x)^2 + x^2 has its minimum at half of the mean
    /// let solution = problem.solve(&Options::new())?;
    /// assert!((solution.upper("x").unwrap().number().unwrap() - 2.75 / 2.0).abs() < 1e-4);
    /// # Ok::<(), blo::Error>(())
    /// ```
    pub fn lend(shape: &[usize], owner: Arc<dyn AsRef<[f64]> + Send + Sync>) -> Data {
        Data::of(shape, Shared::new(owner as Arc<Owner<f64>>), Numbers::of_doubles)
    }

    /// As [`Data::lend`], in f32: a run in f32 ([`Options::precision`](crate::Options::precision)) reads it in place, one in
    /// f64 takes a copy.
    pub fn lend_f32(shape: &[usize], owner: Arc<dyn AsRef<[f32]> + Send + Sync>) -> Data {
        Data::of(shape, Shared::new(owner as Arc<Owner<f32>>), Numbers::of_singles)
    }

    /// The extents, slowest first; empty for a number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn of<T>(
        shape: &[usize],
        values: Shared<T>,
        make: impl Fn(Vec<usize>, Shared<T>) -> Result<Numbers, Option<usize>>,
    ) -> Data {
        let count = values.len();
        let numbers = if shape.len() > MAX_RANK {
            Err(format!("an array has at most {MAX_RANK} extents, not {}", shape.len()))
        } else {
            make(shape.to_vec(), values).map_err(|places| match places {
                Some(places) => {
                    let places = counted(places, "place", "places");
                    format!("shape {shape:?} has {places}, and the array has {}", counted(count, "number", "numbers"))
                }
                None => format!("shape {shape:?} has more places than memory has"),
            })
        };
        Data { shape: shape.to_vec(), numbers }
    }

    /// The numbers, or what is wrong with their shape.
    pub(crate) fn numbers(&self, name: &str) -> Result<&Numbers, Error> {
        self.numbers.as_ref().map_err(|why| Error::call(format!("`{name}`: {why}"), None))
    }

    pub(crate) fn array(&self, name: &str) -> Result<Array, Error> {
        self.numbers(name).map(Numbers::to_array)
    }
}

/// A number that arrays are made of: f64 or f32.
pub trait Element: sealed::Sealed {}

impl Element for f64 {}
impl Element for f32 {}

mod sealed {
    use super::{Data, Numbers};

    pub trait Sealed: Sized {
        fn data(shape: &[usize], values: Vec<Self>) -> Data;
    }

    impl Sealed for f64 {
        fn data(shape: &[usize], values: Vec<f64>) -> Data {
            Data::of(shape, values.into(), Numbers::of_doubles)
        }
    }

    impl Sealed for f32 {
        fn data(shape: &[usize], values: Vec<f32>) -> Data {
            Data::of(shape, values.into(), Numbers::of_singles)
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data{:?}", self.shape)
    }
}

impl From<f64> for Data {
    fn from(value: f64) -> Data {
        Data::of(&[], vec![value].into(), Numbers::of_doubles)
    }
}

impl<T: Element> From<Vec<T>> for Data {
    fn from(values: Vec<T>) -> Data {
        T::data(&[values.len()], values)
    }
}

impl From<&[f64]> for Data {
    fn from(values: &[f64]) -> Data {
        values.to_vec().into()
    }
}

impl<const RANK: usize, T: Element> From<([usize; RANK], Vec<T>)> for Data {
    fn from((shape, values): ([usize; RANK], Vec<T>)) -> Data {
        T::data(&shape, values)
    }
}

impl<const ROWS: usize, const COLUMNS: usize> From<[[f64; COLUMNS]; ROWS]> for Data {
    fn from(rows: [[f64; COLUMNS]; ROWS]) -> Data {
        ([ROWS, COLUMNS], rows.concat()).into()
    }
}

impl<const LENGTH: usize> From<[f64; LENGTH]> for Data {
    fn from(values: [f64; LENGTH]) -> Data {
        values.to_vec().into()
    }
}
