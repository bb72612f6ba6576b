//! What the windows of a convolution see, as columns of a matrix: which windows are multiplied together, and how their
//! pixels are collected and given back. A block is some whole images or some rows of one, so that results go to their
//! place without a copy where images are large.

use std::ops::Range;

use super::precision::Precision;

/// Scratch elements that the columns of a block may take.
const COLUMNS: usize = 1 << 17;

/// Most windows of a block.
const WINDOWS: usize = 1024;

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
pub(super) struct Block {
    pub(super) images: Range<usize>,
    pub(super) rows: Range<usize>,
}

/// The windows of a tap in the columns, and the pixels that they read: as many from `pixel` on, except for the windows at
/// the side, whose pixels would be those of the next row.
struct Shift {
    all: Range<usize>,
    /// Of all these, those whose rows lie within the image.
    rows: Range<usize>,
    pixel: isize,
    wrapped: Range<usize>,
}

impl Shift {
    /// Which of the windows have a pixel in the image, and which pixels.
    fn overlap(&self, pixels: usize) -> (Range<usize>, Range<usize>) {
        let len = self.rows.len() as isize;
        let first = (-self.pixel).clamp(0, len);
        let last = (pixels as isize - self.pixel).clamp(first, len);
        if first == last {
            return (0..0, 0..0);
        }
        (first as usize..last as usize, (self.pixel + first) as usize..(self.pixel + last) as usize)
    }

    /// Zeros for the windows at the side.
    #[inline(always)]
    fn clear<T: Precision>(&self, column: &mut [T], width: usize) {
        if !self.wrapped.is_empty() {
            column.chunks_exact_mut(width).for_each(|row| row[self.wrapped.clone()].fill(T::default()));
        }
    }
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
    pub(super) fn depth(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Windows of an image.
    pub(super) fn pixels(&self) -> usize {
        self.down * self.across
    }

    /// Elements of an image and of its outputs.
    pub(super) fn per_image(&self) -> (usize, usize) {
        (self.channels * self.height * self.width, self.outputs * self.pixels())
    }

    /// Multiplications, those by padding included.
    pub(crate) fn products(&self) -> usize {
        self.images * self.pixels() * self.outputs * self.depth()
    }

    /// Images per block, or 1 and rows per block.
    pub(super) fn block(&self) -> (usize, usize) {
        let windows = (COLUMNS / self.depth().max(1)).clamp(64, WINDOWS);
        let pixels = self.pixels().max(1);
        if pixels * 2 <= windows {
            return ((windows / pixels).min(self.images.max(1)), self.down);
        }
        let pieces = pixels.div_ceil(windows).min(self.down.max(1));
        (1, self.down.div_ceil(pieces))
    }

    pub(super) fn windows(&self) -> usize {
        let (images, rows) = self.block();
        images * rows * self.across
    }

    /// Elements that a thread works on: the columns and the outputs of a block.
    pub(super) fn work(&self) -> usize {
        (self.depth() + self.outputs) * self.windows()
    }

    /// Elements of scratch per thread: what it works on, and a sum of kernels.
    pub(crate) fn scratch(&self) -> usize {
        self.work() + self.outputs * self.depth()
    }

    pub(super) fn blocks(self) -> impl Iterator<Item = Block> {
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

    /// True where windows are as many as pixels across: a tap then reads the image moved by a constant.
    fn is_shift(&self) -> bool {
        self.stride == 1 && self.across == self.width && self.columns == 2 * self.padding + 1
    }

    /// Writes the columns of a block, `[depth, windows]`.
    pub(super) fn gather<T: Precision>(&self, columns: &mut [T], u: &[T], block: &Block) {
        let size = self.per_image().0;
        for (image, u) in u[block.images.start * size..].chunks_exact(size).take(block.images.len()).enumerate() {
            if self.is_shift() {
                self.shifts(block, image, |tap| {
                    let column = &mut columns[tap.all.clone()];
                    column[..tap.rows.start].fill(T::default());
                    column[tap.rows.end..].fill(T::default());
                    let column = &mut column[tap.rows.clone()];
                    let (to, from) = tap.overlap(u.len());
                    column[to].copy_from_slice(&u[from]);
                    tap.clear(column, self.width);
                });
                continue;
            }
            self.taps(block, image, |at, first, inside| {
                let row = &mut columns[at..at + self.across];
                let Some(first) = first.filter(|_| !inside.is_empty()) else { return row.fill(T::default()) };
                row[..inside.start].fill(T::default());
                row[inside.end..].fill(T::default());
                for (o, x) in row[inside].iter_mut().zip(u[first..].iter().step_by(self.stride)) {
                    *o = *x;
                }
            });
        }
    }

    /// Adds the columns of a block to the pixels that they were read from; the columns are spent.
    pub(super) fn scatter<T: Precision>(&self, u: &mut [T], columns: &mut [T], block: &Block) {
        let size = self.per_image().0;
        let images = u[block.images.start * size..].chunks_exact_mut(size).take(block.images.len());
        for (image, u) in images.enumerate() {
            if self.is_shift() {
                self.shifts(block, image, |tap| {
                    let column = &mut columns[tap.all.clone()][tap.rows.clone()];
                    tap.clear(column, self.width);
                    let (from, to) = tap.overlap(u.len());
                    for (o, x) in u[to].iter_mut().zip(&column[from]) {
                        *o += *x;
                    }
                });
                continue;
            }
            self.taps(block, image, |at, first, inside| {
                let Some(first) = first.filter(|_| !inside.is_empty()) else { return };
                let row = &columns[at + inside.start..at + inside.end];
                for (o, x) in u[first..].iter_mut().step_by(self.stride).zip(row) {
                    *o += *x;
                }
            });
        }
    }

    /// Calls `each` with every row of windows of every tap of an image's block: place among the columns, place of the
    /// first window's pixel in the image, the windows that lie within the image.
    #[inline(always)]
    fn taps(&self, block: &Block, image: usize, mut each: impl FnMut(usize, Option<usize>, Range<usize>)) {
        let windows = block.rows.len() * self.across;
        let all = windows * block.images.len();
        for (k, (c, a, b)) in self.each_tap().enumerate() {
            let inside = self.inside(b);
            let base = k * all + image * windows;
            for (at, p) in block.rows.clone().enumerate() {
                let column = (inside.start * self.stride + b).saturating_sub(self.padding);
                let first = self.row(p, a).map(|y| (c * self.height + y) * self.width + column);
                each(base + at * self.across, first, inside.clone());
            }
        }
    }

    /// As `taps`, all rows of a tap at once.
    #[inline(always)]
    fn shifts(&self, block: &Block, image: usize, mut each: impl FnMut(Shift)) {
        let (rows, w) = (&block.rows, self.width);
        let windows = rows.len() * w;
        let all = windows * block.images.len();
        for (k, (c, a, b)) in self.each_tap().enumerate() {
            let first = self.padding.saturating_sub(a).clamp(rows.start, rows.end);
            let last = (self.height + self.padding).saturating_sub(a).clamp(first, rows.end);
            // Rows above the image are none of these, so that the difference is not negative.
            let y = (first + a).saturating_sub(self.padding);
            let wrapped =
                if b < self.padding { 0..(self.padding - b).min(w) } else { w - (b - self.padding).min(w)..w };
            each(Shift {
                all: k * all + image * windows..k * all + (image + 1) * windows,
                rows: (first - rows.start) * w..(last - rows.start) * w,
                pixel: ((c * self.height + y) * w + b) as isize - self.padding as isize,
                wrapped,
            });
        }
    }

    /// Channel, row and column of each entry of a column.
    fn each_tap(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (rows, columns) = (self.rows, self.columns);
        (0..self.channels).flat_map(move |c| (0..rows).flat_map(move |a| (0..columns).map(move |b| (c, a, b))))
    }

    /// Copies a block of outputs between its place and `[outputs, windows]`.
    #[inline(always)]
    pub(super) fn each_output(&self, block: &Block, mut copy: impl FnMut(usize, usize, usize)) {
        let windows = block.rows.len() * self.across;
        for o in 0..self.outputs {
            for (at, image) in block.images.clone().enumerate() {
                let place = (image * self.outputs + o) * self.pixels() + block.rows.start * self.across;
                copy((o * block.images.len() + at) * windows, place, windows);
            }
        }
    }

    /// Where the outputs of a block of one image are, a row per output.
    pub(super) fn place(&self, block: &Block) -> Range<usize> {
        let start = block.images.start * self.outputs * self.pixels() + block.rows.start * self.across;
        start..start + (self.outputs - 1) * self.pixels() + block.rows.len() * self.across
    }
}
