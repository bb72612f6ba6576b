//! Moving elements: strided reads and writes, gather and scatter.

use crate::program::Scalar;

/// Most axes of a view.
const AXES: usize = 8;

/// What a strided read reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From<T> {
    /// A buffer from an offset.
    Stored { buffer: usize, offset: usize },
    /// One number.
    Const(T),
    /// The place itself, counted from the offset.
    Iota { offset: usize },
}

/// A strided read: lengths and strides of the axes, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Strided<T> {
    pub(crate) from: From<T>,
    pub(crate) axes: Vec<(usize, usize)>,
}

impl<T: Scalar> Strided<T> {
    /// Elements `start ..` in row-major order of the axes.
    pub(crate) fn load(&self, out: &mut [T], buffers: &[Vec<T>], start: usize) {
        match self.from {
            From::Const(value) => out.fill(value),
            From::Stored { buffer, offset } => {
                let data = &buffers[buffer];
                self.runs(out, start, |out, at, stride| match stride {
                    0 => out.fill(data[offset + at]),
                    1 => out.copy_from_slice(&data[offset + at..offset + at + out.len()]),
                    _ => {
                        for (o, v) in out.iter_mut().zip(data[offset + at..].iter().step_by(stride)) {
                            *o = *v;
                        }
                    }
                });
            }
            From::Iota { offset } => self.runs(out, start, |out, at, stride| {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = T::from_f64((offset + at + i * stride) as f64);
                }
            }),
        }
    }

    /// Calls `each` with every run along the innermost axis: where it goes, its first place and its stride.
    #[inline]
    fn runs(&self, mut out: &mut [T], start: usize, each: impl Fn(&mut [T], usize, usize)) {
        let Some(((length, stride), outer)) = self.axes.split_last() else {
            return each(out, 0, 0);
        };
        if out.is_empty() {
            return;
        }
        let mut index = [0; AXES];
        let mut rest = start / length;
        let mut base = 0;
        for (i, (length, stride)) in outer.iter().enumerate().rev() {
            index[i] = rest % length;
            rest /= length;
            base += index[i] * stride;
        }
        let mut first = start % length;
        loop {
            let here = (length - first).min(out.len());
            let (run, more) = std::mem::take(&mut out).split_at_mut(here);
            each(run, base + first * stride, *stride);
            if more.is_empty() {
                return;
            }
            out = more;
            first = 0;
            for (i, (length, stride)) in outer.iter().enumerate().rev() {
                index[i] += 1;
                base += stride;
                if index[i] < *length {
                    break;
                }
                base -= index[i] * stride;
                index[i] = 0;
            }
        }
    }
}

/// A strided copy into part of an array: length, stride read and stride written per axis, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Part<T> {
    pub(crate) from: From<T>,
    pub(crate) to: usize,
    pub(crate) axes: Vec<(usize, usize, usize)>,
}

impl<T: Scalar> Part<T> {
    /// Writes the part.
    pub(crate) fn write(&self, out: &mut [T], buffers: &[Vec<T>]) {
        if self.axes.iter().all(|a| a.0 > 0) {
            let at = match self.from {
                From::Stored { offset, .. } | From::Iota { offset } => offset,
                From::Const(_) => 0,
            };
            self.axis(&self.axes, out, buffers, at, self.to);
        }
    }

    fn axis(&self, axes: &[(usize, usize, usize)], out: &mut [T], buffers: &[Vec<T>], at: usize, to: usize) {
        let (length, read, write) = match axes {
            [] => (1, 1, 1),
            [last] => *last,
            [(length, read, write), inner @ ..] => {
                for i in 0..*length {
                    self.axis(inner, out, buffers, at + i * read, to + i * write);
                }
                return;
            }
        };
        let out = &mut out[to..to + (length - 1) * write + 1];
        match self.from {
            From::Stored { buffer, .. } if read == 1 && write == 1 => {
                out.copy_from_slice(&buffers[buffer][at..at + length]);
            }
            From::Stored { buffer, .. } => {
                for i in 0..length {
                    out[i * write] = buffers[buffer][at + i * read];
                }
            }
            From::Const(value) => out.iter_mut().step_by(write).for_each(|o| *o = value),
            From::Iota { .. } => {
                for i in 0..length {
                    out[i * write] = T::from_f64((at + i * read) as f64);
                }
            }
        }
    }
}

/// `out[o, i, :] = x[o, index[i], :]` for `x` of shape `[outer, axis, inner]`.
pub(crate) fn gather<T: Copy>(out: &mut [T], x: &[T], index: &[u32], axis: usize, inner: usize) {
    if inner == 0 || index.is_empty() || axis == 0 {
        return;
    }
    for (out, x) in out.chunks_exact_mut(index.len() * inner).zip(x.chunks_exact(axis * inner)) {
        if inner == 1 {
            for (o, i) in out.iter_mut().zip(index) {
                *o = x[*i as usize];
            }
            continue;
        }
        for (out, i) in out.chunks_exact_mut(inner).zip(index) {
            out.copy_from_slice(&x[*i as usize * inner..][..inner]);
        }
    }
}

/// `out[o, index[i], :] += x[o, i, :]` into zeros of shape `[outer, axis, inner]`, in the order of the index.
pub(crate) fn scatter<T: Scalar>(out: &mut [T], x: &[T], index: &[u32], axis: usize, inner: usize) {
    out.fill(T::default());
    if inner == 0 || index.is_empty() || axis == 0 {
        return;
    }
    for (out, x) in out.chunks_exact_mut(axis * inner).zip(x.chunks_exact(index.len() * inner)) {
        for (x, i) in x.chunks_exact(inner).zip(index) {
            for (o, v) in out[*i as usize * inner..][..inner].iter_mut().zip(x) {
                *o += *v;
            }
        }
    }
}
