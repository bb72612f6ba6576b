//! Arrays between numpy and the facade. Those that come in are lent: the memory of numpy is read where it is.

use std::ptr::NonNull;
use std::sync::Arc;

use blo::{Data, Values};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Memory of a numpy array, and the reference that keeps it. While numpy counts a second reference, `ndarray.resize`
/// refuses to move the memory.
struct Held<T> {
    start: NonNull<T>,
    length: usize,
    _array: Py<PyAny>,
}

// SAFETY: it only reads the memory, which the reference keeps where it is. Who writes to the array during a run changes the
// numbers of the run, as with every function of numpy that releases the interpreter; the documentation says so.
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for Held<T> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<T: Sync> Sync for Held<T> {}

impl<T> AsRef<[T]> for Held<T> {
    #[allow(unsafe_code)]
    fn as_ref(&self) -> &[T] {
        // SAFETY: `lend` has seen that so many aligned numbers lie there in a row, and the reference keeps them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

/// Lends an array. `blo/_arrays.py` has made it one of f64 or f32 that is row-major and aligned.
pub(crate) fn lend(array: &Bound<'_, PyAny>) -> PyResult<Data> {
    if let Ok(doubles) = array.cast::<PyArrayDyn<f64>>() {
        return Ok(Data::lend(doubles.shape(), Arc::new(held(doubles)?)));
    }
    if let Ok(singles) = array.cast::<PyArrayDyn<f32>>() {
        return Ok(Data::lend_f32(singles.shape(), Arc::new(held(singles)?)));
    }
    Err(PyTypeError::new_err("an array of float64 or float32 is needed"))
}

fn held<T: Element>(array: &Bound<'_, PyArrayDyn<T>>) -> PyResult<Held<T>> {
    let start = NonNull::new(array.data()).filter(|start| start.is_aligned() && array.is_c_contiguous());
    let start = start.ok_or_else(|| PyTypeError::new_err("an aligned row-major array is needed"))?;
    Ok(Held { start, length: array.len(), _array: array.as_any().clone().unbind() })
}

/// Numbers of a result as an array of their shape.
pub(crate) fn array<'py>(py: Python<'py>, values: Values<'_>) -> PyResult<Bound<'py, PyAny>> {
    shaped(PyArray1::from_slice(py, values.values()).as_any(), values.shape())
}

/// The same numbers in another shape.
pub(crate) fn shaped<'py>(array: &Bound<'py, PyAny>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    array.call_method1("reshape", (PyTuple::new(array.py(), shape)?,))
}
