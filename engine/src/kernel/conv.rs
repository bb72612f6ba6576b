//! The three parts of a convolution's form, as matrix products on blocks of columns: the columns of some windows are
//! written into scratch that stays in the cache, multiplied, and forgotten. All columns of a batch would take `rows *
//! columns` of the kernel times the memory of the images.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::columns::{Block, Geometry};
use super::precision::Precision;
use crate::stop::StopToken;

/// Multiplications from which a convolution is worth a second thread.
const PARALLEL: usize = 1 << 20;

/// One of the three arrays of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    Image,
    Kernel,
    Output,
}

/// `out` becomes one factor from the other two, in their order. `scratch` is for `threads` threads; a token that is
/// set leaves it unfinished.
pub(crate) fn conv<T: Precision>(
    factor: Factor,
    g: &Geometry,
    out: &mut [T],
    operands: [&[T]; 2],
    scratch: &mut [T],
    (threads, stop): (usize, Option<&StopToken>),
) {
    if g.products() == 0 {
        return out.fill(T::default());
    }
    let threads = if g.products() < PARALLEL { 1 } else { threads };
    let (work, sums) = scratch.split_at_mut(threads * g.work());
    split(factor, g, out, operands, (work, sums), (threads, stop));
}

/// Halves the images until each thread has its share. Kernels are added up in the end, so they depend on the number of
/// threads in the last places, as large matrix products do.
fn split<T: Precision>(
    factor: Factor,
    g: &Geometry,
    out: &mut [T],
    [a, b]: [&[T]; 2],
    (work, sums): (&mut [T], &mut [T]),
    (threads, stop): (usize, Option<&StopToken>),
) {
    let (whole, _) = g.block();
    let below = threads / 2;
    let first = (g.images * below / threads).next_multiple_of(whole);
    if first == 0 || first >= g.images {
        return sequential(factor, g, out, [a, b], work, stop);
    }
    let (low, high) = (Geometry { images: first, ..*g }, Geometry { images: g.images - first, ..*g });
    let (image, output) = g.per_image();
    let (image, output) = (first * image, first * output);
    let (s, t) = work.split_at_mut(below * g.work());
    let kernels = g.outputs * g.depth();
    let (x, y) = sums.split_at_mut((below - 1) * kernels);
    let above = threads - below;
    match factor {
        Factor::Output => {
            let (o, p) = out.split_at_mut(output);
            let (a0, a1) = a.split_at(image);
            rayon::join(
                || split(factor, &low, o, [a0, b], (s, x), (below, stop)),
                || split(factor, &high, p, [a1, b], (t, y), (above, stop)),
            );
        }
        Factor::Image => {
            let (o, p) = out.split_at_mut(image);
            let (b0, b1) = b.split_at(output);
            rayon::join(
                || split(factor, &low, o, [a, b0], (s, x), (below, stop)),
                || split(factor, &high, p, [a, b1], (t, y), (above, stop)),
            );
        }
        Factor::Kernel => {
            let ((a0, a1), (b0, b1)) = (a.split_at(image), b.split_at(output));
            let (sum, y) = y.split_at_mut(kernels);
            rayon::join(
                || split(factor, &low, out, [a0, b0], (s, x), (below, stop)),
                || split(factor, &high, sum, [a1, b1], (t, y), (above, stop)),
            );
            for (o, p) in out.iter_mut().zip(sum) {
                *o += *p;
            }
        }
    }
}

fn sequential<T: Precision>(
    factor: Factor,
    g: &Geometry,
    out: &mut [T],
    [a, b]: [&[T]; 2],
    work: &mut [T],
    stop: Option<&StopToken>,
) {
    let depth = g.depth();
    let one = T::from_f64(1.0);
    let (columns, results) = work.split_at_mut(depth * g.windows());
    if factor != Factor::Output {
        out.fill(T::default());
    }
    for block in g.blocks() {
        if stop.is_some_and(StopToken::is_set) {
            return;
        }
        let windows = block.images.len() * block.rows.len() * g.across;
        let single = block.images.len() == 1;
        let columns = &mut columns[..depth * windows];
        let results = &mut results[..g.outputs * windows];
        match factor {
            Factor::Output => {
                g.gather(columns, a, &block);
                let kernels = MatRef::from_row_major_slice(b, g.outputs, depth);
                let columns = MatRef::from_row_major_slice(columns, depth, windows);
                if single {
                    // As the transpose of a matrix by columns: the same by rows mixes up its strides in faer 0.24.4.
                    let place = &mut out[g.place(&block)];
                    let place = MatMut::from_column_major_slice_with_stride_mut(place, windows, g.outputs, g.pixels());
                    matmul(place.transpose_mut(), Accum::Replace, kernels, columns, one, Par::Seq);
                } else {
                    let made = MatMut::from_row_major_slice_mut(results, g.outputs, windows);
                    matmul(made, Accum::Replace, kernels, columns, one, Par::Seq);
                    g.each_output(&block, |at, place, n| out[place..place + n].copy_from_slice(&results[at..at + n]));
                }
            }
            Factor::Image => {
                let kernels = MatRef::from_row_major_slice(a, g.outputs, depth).transpose();
                let given = g.given(b, results, &block, windows);
                let made = MatMut::from_row_major_slice_mut(columns, depth, windows);
                matmul(made, Accum::Replace, kernels, given, one, Par::Seq);
                g.scatter(out, columns, &block);
            }
            Factor::Kernel => {
                g.gather(columns, a, &block);
                let columns = MatRef::from_row_major_slice(columns, depth, windows).transpose();
                let given = g.given(b, results, &block, windows);
                let out = MatMut::from_row_major_slice_mut(out, g.outputs, depth);
                matmul(out, Accum::Add, given, columns, one, Par::Seq);
            }
        }
    }
}

impl Geometry {
    /// The outputs of a block as a matrix, copied if it spans images.
    fn given<'a, T: Precision>(
        &self,
        v: &'a [T],
        results: &'a mut [T],
        block: &Block,
        windows: usize,
    ) -> MatRef<'a, T> {
        if block.images.len() == 1 {
            return MatRef::from_row_major_slice_with_stride(
                &v[self.place(block)],
                self.outputs,
                windows,
                self.pixels(),
            );
        }
        self.each_output(block, |at, place, n| results[at..at + n].copy_from_slice(&v[place..place + n]));
        MatRef::from_row_major_slice(results, self.outputs, windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two that a factor is made of, in the order of the operands.
    fn others(factor: Factor) -> [Factor; 2] {
        match factor {
            Factor::Image => [Factor::Kernel, Factor::Output],
            Factor::Kernel => [Factor::Image, Factor::Output],
            Factor::Output => [Factor::Image, Factor::Kernel],
        }
    }

    /// Every product of the form, added where it belongs.
    fn plain(factor: Factor, g: &Geometry, operands: [&[f64]; 2]) -> Vec<f64> {
        let sizes =
            [g.images * g.channels * g.height * g.width, g.outputs * g.depth(), g.images * g.outputs * g.pixels()];
        let mut out = vec![0.0; sizes[factor as usize]];
        let ranges = [g.images, g.outputs, g.down, g.across, g.channels, g.rows, g.columns];
        let count: usize = ranges.iter().product();
        for mut rest in 0..count {
            let mut at = [0; 7];
            for (i, n) in ranges.iter().enumerate().rev() {
                at[i] = rest % n;
                rest /= n;
            }
            let [i, o, p, q, c, a, b] = at;
            let (y, x) = (p * g.stride + a, q * g.stride + b);
            if y < g.padding || x < g.padding || y - g.padding >= g.height || x - g.padding >= g.width {
                continue;
            }
            let places = [
                ((i * g.channels + c) * g.height + y - g.padding) * g.width + x - g.padding,
                ((o * g.channels + c) * g.rows + a) * g.columns + b,
                ((i * g.outputs + o) * g.down + p) * g.across + q,
            ];
            let [l, r] = others(factor).map(|k| places[k as usize]);
            out[places[factor as usize]] += operands[0][l] * operands[1][r];
        }
        out
    }

    fn geometry(images: usize, channels: usize, outputs: usize, [h, w, kh, kw, s, p]: [usize; 6]) -> Geometry {
        let (down, across) = ((h + 2 * p - kh) / s + 1, (w + 2 * p - kw) / s + 1);
        Geometry::new(&[images, channels, h, w], &[outputs, channels, kh, kw], &[images, outputs, down, across], s, p)
    }

    fn values(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 37 + seed * 11) % 64) as f64 / 16.0 - 1.9).collect()
    }

    #[test]
    fn all_parts_for_all_geometries() {
        for (images, channels, outputs, sizes) in [
            (1, 1, 1, [1, 1, 1, 1, 1, 0]),
            (3, 2, 4, [5, 4, 3, 3, 1, 1]),
            (2, 1, 3, [6, 7, 3, 2, 2, 0]),
            (2, 3, 2, [4, 4, 1, 1, 3, 2]),
            (2, 2, 2, [3, 3, 5, 5, 1, 2]),
            (1, 2, 3, [40, 41, 3, 3, 1, 1]),
            (70, 3, 5, [7, 7, 3, 3, 1, 1]),
            (2, 1, 2, [3, 1, 3, 5, 1, 2]),
            (1, 160, 2, [5, 70, 3, 3, 1, 1]),
            (7, 40, 9, [20, 20, 3, 3, 1, 1]),
        ] {
            let g = geometry(images, channels, outputs, sizes);
            let of = |factor: Factor| match factor {
                Factor::Image => values(images * g.per_image().0, 1),
                Factor::Kernel => values(outputs * g.depth(), 2),
                Factor::Output => values(images * g.per_image().1, 3),
            };
            for factor in [Factor::Image, Factor::Kernel, Factor::Output] {
                let [a, b] = others(factor).map(of);
                let want = plain(factor, &g, [&a, &b]);
                for threads in 1..4 {
                    let mut out = vec![f64::NAN; want.len()];
                    let mut scratch = vec![f64::NAN; threads * g.scratch()];
                    conv(factor, &g, &mut out, [&a, &b], &mut scratch, (threads, None));
                    for (got, want) in out.iter().zip(&want) {
                        assert!((got - want).abs() <= 1e-10 * (1.0 + want.abs()), "{factor:?} {g:?}: {got} {want}");
                    }
                }
            }
        }
    }
}
