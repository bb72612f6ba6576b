//! Moving elements: strided reads and writes, gather and scatter.

use super::precision::Precision;

/// Most axes of a view.
const AXES: usize = 8;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Elements<'a, T> {
    /// An array.
    Stored(&'a [T]),
    /// One number in all places.
    Const(T),
    /// The place itself, counted from the first.
    Places { first: usize },
}

/// `out` becomes the elements `start ..` of a strided read, in row-major order: lengths and strides of the axes,
/// outermost first.
#[inline(always)]
pub(crate) fn load<T: Precision>(out: &mut [T], from: Elements<T>, axes: &[(usize, usize)], start: usize) {
    match from {
        Elements::Const(value) => out.fill(value),
        Elements::Stored(data) if matches!(axes, [(_, 1..), (1..REPEATED, 0)]) => repeat(out, data, axes, start),
        Elements::Stored(data) => runs(out, axes, start, |out, at, stride| match stride {
            0 => out.fill(data[at]),
            1 => out.copy_from_slice(&data[at..at + out.len()]),
            _ => {
                for (o, v) in out.iter_mut().zip(data[at..].iter().step_by(stride)) {
                    *o = *v;
                }
            }
        }),
        Elements::Places { first } => runs(out, axes, start, |out, at, stride| {
            for (i, o) in out.iter_mut().enumerate() {
                *o = T::from_f64((first + at + i * stride) as f64);
            }
        }),
    }
}

/// Elements of a vector, and the length from which filling a run costs less than beginning it.
const VECTOR: usize = 8;
const REPEATED: usize = 64;

/// One number per row, repeated along it: a factor per group. Whole vectors are written, past the end of a row, which the
/// next row then overwrites; a call to fill ten numbers takes as long as writing fifty.
fn repeat<T: Precision>(out: &mut [T], data: &[T], axes: &[(usize, usize)], start: usize) {
    let (stride, length) = (axes[0].1, axes[1].0);
    let (mut at, mut row) = (0, start / length);
    let mut end = length - start % length;
    while at < out.len() {
        let value = data[row * stride];
        let stop = end.min(out.len());
        while at < stop {
            match out[at..].first_chunk_mut::<VECTOR>() {
                Some(vector) => *vector = [value; VECTOR],
                None => out[at..stop].fill(value),
            }
            at += VECTOR;
        }
        (at, row, end) = (stop, row + 1, stop + length);
    }
}

/// Calls `each` with every run along the innermost axis: where it goes, its first place and its stride.
#[inline]
fn runs<T>(mut out: &mut [T], axes: &[(usize, usize)], start: usize, each: impl Fn(&mut [T], usize, usize)) {
    let Some(((length, stride), outer)) = axes.split_last() else {
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

/// Copies strided elements into part of an array that begins at `to`: length, stride read and stride written per axis,
/// outermost first.
pub(crate) fn place<T: Precision>(out: &mut [T], to: usize, from: Elements<T>, axes: &[(usize, usize, usize)]) {
    if axes.iter().all(|a| a.0 > 0) {
        place_axis(out, to, from, axes, 0);
    }
}

fn place_axis<T: Precision>(out: &mut [T], to: usize, from: Elements<T>, axes: &[(usize, usize, usize)], at: usize) {
    let (length, read, write) = match axes {
        [] => (1, 1, 1),
        [last] => *last,
        [(length, read, write), inner @ ..] => {
            for i in 0..*length {
                place_axis(out, to + i * write, from, inner, at + i * read);
            }
            return;
        }
    };
    let out = &mut out[to..to + (length - 1) * write + 1];
    match from {
        Elements::Stored(data) if read == 1 && write == 1 => out.copy_from_slice(&data[at..at + length]),
        Elements::Stored(data) => {
            for i in 0..length {
                out[i * write] = data[at + i * read];
            }
        }
        Elements::Const(value) => out.iter_mut().step_by(write).for_each(|o| *o = value),
        Elements::Places { first } => {
            for i in 0..length {
                out[i * write] = T::from_f64((first + at + i * read) as f64);
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
pub(crate) fn scatter<T: Precision>(out: &mut [T], x: &[T], index: &[u32], axis: usize, inner: usize) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_per_row_is_repeated_from_any_place_on() {
        let data: Vec<f64> = (0..400).map(f64::from).collect();
        for length in [1, 2, 7, 8, 9, 10, 16, 63, 64, 100] {
            for start in [0, 1, length - 1, length, 3 * length + 2] {
                for n in [0, 1, 5, 8, 64, 129] {
                    let n = n.min(20 * length - start);
                    let mut out = vec![-1.0; n];
                    load(&mut out, Elements::Stored(&data), &[(20, 3), (length, 0)], start);
                    let want = (start..start + n).map(|i| (i / length * 3) as f64);
                    assert!(out.iter().copied().eq(want), "{length} {start} {n}: {out:?}");
                }
            }
        }
    }
}
