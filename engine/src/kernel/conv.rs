//! The three parts of a convolution's form, as matrix products on blocks of columns. A column holds what one window sees;
//! the columns of some windows are written into scratch that stays in the cache, multiplied, and forgotten: all columns
//! of a batch would take `rows * columns` of the kernel times the memory of the images. A block is some whole images or
//! some rows of one, so that results go to their place without a copy where images are large.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::graph::ConvPart;
use crate::program::Scalar;

/// Scratch elements that the columns of a block may take.
const COLUMNS: usize = 1 << 17;

/// Most windows of a block.
const WINDOWS: usize = 1024;

/// Multiplications from which a convolution is worth a second thread.
const PARALLEL: usize = 1 << 20;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) images: usize,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) outputs: usize,
    /// Rows and columns of the kernel.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Windows down and across.
    pub(crate) down: usize,
    pub(crate) across: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

/// Windows whose columns are multiplied together: rows of one image, or all of several.
#[derive(Clone)]
struct Block {
    images: Range<usize>,
    rows: Range<usize>,
}

impl Geometry {
    /// From the shapes of images, kernels and outputs.
    pub(crate) fn new(u: &[usize], w: &[usize], v: &[usize], stride: usize, padding: usize) -> Geometry {
        Geometry {
            images: u[0],
            channels: u[1],
            height: u[2],
            width: u[3],
            outputs: w[0],
            rows: w[2],
            columns: w[3],
            down: v[2],
            across: v[3],
            stride,
            padding,
        }
    }

    /// Entries of a column.
    fn depth(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Windows of an image.
    fn pixels(&self) -> usize {
        self.down * self.across
    }

    /// Elements of an image and of its outputs.
    fn per_image(&self) -> (usize, usize) {
        (self.channels * self.height * self.width, self.outputs * self.pixels())
    }

    /// Multiplications, those by padding included.
    pub(crate) fn products(&self) -> usize {
        self.images * self.pixels() * self.outputs * self.depth()
    }

    /// Images per block, or 1 and rows per block.
    fn block(&self) -> (usize, usize) {
        let windows = (COLUMNS / self.depth().max(1)).clamp(64, WINDOWS);
        let pixels = self.pixels().max(1);
        if pixels * 2 <= windows {
            return ((windows / pixels).min(self.images.max(1)), self.down);
        }
        let pieces = pixels.div_ceil(windows).min(self.down.max(1));
        (1, self.down.div_ceil(pieces))
    }

    fn windows(&self) -> usize {
        let (images, rows) = self.block();
        images * rows * self.across
    }

    /// Elements that a thread works on: the columns and the outputs of a block.
    fn work(&self) -> usize {
        (self.depth() + self.outputs) * self.windows()
    }

    /// Elements of scratch per thread: what it works on, and a sum of kernels.
    pub(crate) fn scratch(&self) -> usize {
        self.work() + self.outputs * self.depth()
    }

    fn blocks(self) -> impl Iterator<Item = Block> {
        let (images, rows) = self.block();
        (0..self.images).step_by(images).flat_map(move |first| {
            (0..self.down).step_by(rows).map(move |row| Block {
                images: first..(first + images).min(self.images),
                rows: row..(row + rows).min(self.down),
            })
        })
    }

    /// The windows of a row whose tap `b` lies within the image.
    fn inside(&self, b: usize) -> Range<usize> {
        let first = self.padding.saturating_sub(b).div_ceil(self.stride).min(self.across);
        let reach = (self.width + self.padding).saturating_sub(b).div_ceil(self.stride);
        first..reach.clamp(first, self.across)
    }

    /// The row of the image that tap `a` of window row `p` reads.
    fn row(&self, p: usize, a: usize) -> Option<usize> {
        (p * self.stride + a).checked_sub(self.padding).filter(|y| *y < self.height)
    }

    /// Calls `each` with every row of windows of every tap of an image's block: place among the columns, place of the
    /// first window's pixel in the image, the windows that lie within the image.
    #[inline(always)]
    fn taps(&self, block: &Block, image: usize, mut each: impl FnMut(usize, Option<usize>, Range<usize>)) {
        let windows = block.rows.len() * self.across;
        let all = windows * block.images.len();
        let mut k = 0;
        for c in 0..self.channels {
            for a in 0..self.rows {
                for b in 0..self.columns {
                    let inside = self.inside(b);
                    let base = k * all + image * windows;
                    for (at, p) in block.rows.clone().enumerate() {
                        let first = self.row(p, a).map(|y| {
                            (c * self.height + y) * self.width
                                + (inside.start * self.stride + b).saturating_sub(self.padding)
                        });
                        each(base + at * self.across, first, inside.clone());
                    }
                    k += 1;
                }
            }
        }
    }

    /// Writes the columns of a block, `[depth, windows]`.
    fn gather<T: Scalar>(&self, columns: &mut [T], u: &[T], block: &Block) {
        let size = self.per_image().0;
        for (image, u) in u[block.images.start * size..].chunks_exact(size).take(block.images.len()).enumerate() {
            self.taps(block, image, |at, first, inside| {
                let row = &mut columns[at..at + self.across];
                let Some(first) = first.filter(|_| !inside.is_empty()) else { return row.fill(T::default()) };
                row[..inside.start].fill(T::default());
                row[inside.end..].fill(T::default());
                let row = &mut row[inside.clone()];
                if self.stride == 1 {
                    row.copy_from_slice(&u[first..first + row.len()]);
                } else {
                    for (o, x) in row.iter_mut().zip(u[first..].iter().step_by(self.stride)) {
                        *o = *x;
                    }
                }
            });
        }
    }

    /// Adds the columns of a block to the pixels that they were read from.
    fn scatter<T: Scalar>(&self, u: &mut [T], columns: &[T], block: &Block) {
        let size = self.per_image().0;
        let images = u[block.images.start * size..].chunks_exact_mut(size).take(block.images.len());
        for (image, u) in images.enumerate() {
            self.taps(block, image, |at, first, inside| {
                let Some(first) = first.filter(|_| !inside.is_empty()) else { return };
                let row = &columns[at + inside.start..at + inside.end];
                if self.stride == 1 {
                    for (o, x) in u[first..first + row.len()].iter_mut().zip(row) {
                        *o += *x;
                    }
                } else {
                    for (o, x) in u[first..].iter_mut().step_by(self.stride).zip(row) {
                        *o += *x;
                    }
                }
            });
        }
    }

    /// Copies a block of outputs between its place and `[outputs, windows]`.
    #[inline(always)]
    fn each_output(&self, block: &Block, mut copy: impl FnMut(usize, usize, usize)) {
        let windows = block.rows.len() * self.across;
        for o in 0..self.outputs {
            for (at, image) in block.images.clone().enumerate() {
                let place = (image * self.outputs + o) * self.pixels() + block.rows.start * self.across;
                copy((o * block.images.len() + at) * windows, place, windows);
            }
        }
    }

    /// Where the outputs of a block of one image are, a row per output.
    fn place(&self, block: &Block) -> Range<usize> {
        let start = block.images.start * self.outputs * self.pixels() + block.rows.start * self.across;
        start..start + (self.outputs - 1) * self.pixels() + block.rows.len() * self.across
    }
}

/// `out` becomes one part from the other two, in their order. `scratch` is for `threads` threads.
pub(crate) fn conv<T: Scalar>(
    part: ConvPart,
    g: &Geometry,
    out: &mut [T],
    operands: [&[T]; 2],
    scratch: &mut [T],
    threads: usize,
) {
    if g.products() == 0 {
        return out.fill(T::default());
    }
    let threads = if g.products() < PARALLEL { 1 } else { threads };
    let (work, sums) = scratch.split_at_mut(threads * g.work());
    split(part, g, out, operands, (work, sums), threads);
}

/// Halves the images until each thread has its share. Kernels are added up in the end, so they depend on the number of
/// threads in the last places, as large matrix products do.
fn split<T: Scalar>(
    part: ConvPart,
    g: &Geometry,
    out: &mut [T],
    [a, b]: [&[T]; 2],
    (work, sums): (&mut [T], &mut [T]),
    threads: usize,
) {
    let (whole, _) = g.block();
    let below = threads / 2;
    let first = (g.images * below / threads).next_multiple_of(whole);
    if first == 0 || first >= g.images {
        return sequential(part, g, out, [a, b], work);
    }
    let (low, high) = (Geometry { images: first, ..*g }, Geometry { images: g.images - first, ..*g });
    let (image, output) = g.per_image();
    let (image, output) = (first * image, first * output);
    let (s, t) = work.split_at_mut(below * g.work());
    let kernels = g.outputs * g.depth();
    let (x, y) = sums.split_at_mut((below - 1) * kernels);
    let above = threads - below;
    match part {
        ConvPart::Output => {
            let (o, p) = out.split_at_mut(output);
            let (a0, a1) = a.split_at(image);
            rayon::join(
                || split(part, &low, o, [a0, b], (s, x), below),
                || split(part, &high, p, [a1, b], (t, y), above),
            );
        }
        ConvPart::Image => {
            let (o, p) = out.split_at_mut(image);
            let (b0, b1) = b.split_at(output);
            rayon::join(
                || split(part, &low, o, [a, b0], (s, x), below),
                || split(part, &high, p, [a, b1], (t, y), above),
            );
        }
        ConvPart::Kernel => {
            let ((a0, a1), (b0, b1)) = (a.split_at(image), b.split_at(output));
            let (sum, y) = y.split_at_mut(kernels);
            rayon::join(
                || split(part, &low, out, [a0, b0], (s, x), below),
                || split(part, &high, sum, [a1, b1], (t, y), above),
            );
            for (o, p) in out.iter_mut().zip(sum) {
                *o += *p;
            }
        }
    }
}

fn sequential<T: Scalar>(part: ConvPart, g: &Geometry, out: &mut [T], [a, b]: [&[T]; 2], work: &mut [T]) {
    let depth = g.depth();
    let one = T::from_f64(1.0);
    let (columns, results) = work.split_at_mut(depth * g.windows());
    if part != ConvPart::Output {
        out.fill(T::default());
    }
    for block in g.blocks() {
        let windows = block.images.len() * block.rows.len() * g.across;
        let single = block.images.len() == 1;
        let columns = &mut columns[..depth * windows];
        let results = &mut results[..g.outputs * windows];
        match part {
            ConvPart::Output => {
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
            ConvPart::Image => {
                let kernels = MatRef::from_row_major_slice(a, g.outputs, depth).transpose();
                let given = g.given(b, results, &block, windows);
                let made = MatMut::from_row_major_slice_mut(columns, depth, windows);
                matmul(made, Accum::Replace, kernels, given, one, Par::Seq);
                g.scatter(out, columns, &block);
            }
            ConvPart::Kernel => {
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
    fn given<'a, T: Scalar>(&self, v: &'a [T], results: &'a mut [T], block: &Block, windows: usize) -> MatRef<'a, T> {
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

    /// Every product of the form, added where it belongs.
    fn plain(part: ConvPart, g: &Geometry, operands: [&[f64]; 2]) -> Vec<f64> {
        let sizes =
            [g.images * g.channels * g.height * g.width, g.outputs * g.depth(), g.images * g.outputs * g.pixels()];
        let mut out = vec![0.0; sizes[part as usize]];
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
            let [l, r] = part.others().map(|k| places[k as usize]);
            out[places[part as usize]] += operands[0][l] * operands[1][r];
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
            (7, 40, 9, [20, 20, 3, 3, 1, 1]),
        ] {
            let g = geometry(images, channels, outputs, sizes);
            let of = |part: ConvPart| match part {
                ConvPart::Image => values(images * g.per_image().0, 1),
                ConvPart::Kernel => values(outputs * g.depth(), 2),
                ConvPart::Output => values(images * g.per_image().1, 3),
            };
            for part in [ConvPart::Image, ConvPart::Kernel, ConvPart::Output] {
                let [a, b] = part.others().map(of);
                let want = plain(part, &g, [&a, &b]);
                for threads in 1..4 {
                    let mut out = vec![f64::NAN; want.len()];
                    let mut scratch = vec![f64::NAN; threads * g.scratch()];
                    conv(part, &g, &mut out, [&a, &b], &mut scratch, threads);
                    for (got, want) in out.iter().zip(&want) {
                        assert!((got - want).abs() <= 1e-10 * (1.0 + want.abs()), "{part:?} {g:?}: {got} {want}");
                    }
                }
            }
        }
    }
}
