//! Where instructions find their operands: numbers of arrays with offsets and strides. Kernels get slices of them.

use super::memory::Memory;
use crate::kernel::dense::Matrix;
use crate::kernel::layout::{self, Elements};
use crate::kernel::precision::Precision;

/// A contiguous range of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayRange {
    pub(crate) buffer: usize,
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl ArrayRange {
    #[inline(always)]
    pub(crate) fn of<T: Precision>(self, memory: &Memory<T>) -> &[T] {
        &memory.array(self.buffer)[self.offset..self.offset + self.len]
    }
}

/// A matrix in an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatrixRange {
    pub(crate) buffer: usize,
    pub(crate) offset: usize,
    /// Distance between rows, or between columns when `by_columns`.
    pub(crate) stride: usize,
    /// True when columns are contiguous rather than rows.
    pub(crate) by_columns: bool,
}

impl MatrixRange {
    #[inline(always)]
    pub(crate) fn of<T: Precision>(self, memory: &Memory<T>) -> Matrix<'_, T> {
        let MatrixRange { buffer, offset, stride, by_columns } = self;
        Matrix { values: &memory.array(buffer)[offset..], stride, by_columns }
    }
}

/// What a strided read reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadFrom<T> {
    /// An array from an offset.
    Stored { buffer: usize, offset: usize },
    /// One number.
    Const(T),
    /// The place itself, counted from the offset.
    Iota { offset: usize },
}

impl<T: Precision> ReadFrom<T> {
    #[inline(always)]
    fn of<'m>(&self, memory: &'m Memory<T>) -> Elements<'m, T> {
        match *self {
            ReadFrom::Stored { buffer, offset } => Elements::Stored(memory.from(buffer, offset)),
            ReadFrom::Const(value) => Elements::Const(value),
            ReadFrom::Iota { offset } => Elements::Places { first: offset },
        }
    }
}

/// A strided read: lengths and strides of the axes, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Strided<T> {
    pub(crate) from: ReadFrom<T>,
    pub(crate) axes: Vec<(usize, usize)>,
}

impl<T: Precision> Strided<T> {
    /// Elements `start ..` in row-major order of the axes.
    #[inline(always)]
    pub(crate) fn load(&self, out: &mut [T], memory: &Memory<T>, start: usize) {
        layout::load(out, self.from.of(memory), &self.axes, start);
    }
}

/// A strided copy into part of an array: length, stride read and stride written per axis, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Copied<T> {
    pub(crate) from: ReadFrom<T>,
    pub(crate) to: usize,
    pub(crate) axes: Vec<(usize, usize, usize)>,
}

impl<T: Precision> Copied<T> {
    /// Writes the part.
    pub(crate) fn write(&self, out: &mut [T], memory: &Memory<T>) {
        layout::place(out, self.to, self.from.of(memory), &self.axes);
    }
}
