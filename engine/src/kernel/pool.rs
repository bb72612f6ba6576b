//! The largest entries of windows: what another array has at their places, and the transpose.

use super::precision::Precision;

/// The sizes of windows on planes `[height, width]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    height: usize,
    width: usize,
    /// Windows down and across.
    down: usize,
    across: usize,
    size: usize,
    stride: usize,
}

impl Pool {
    /// From the shapes `[m, h, w]` of the planes and of the windows, the side of a window and the step between two.
    pub(crate) fn new(planes: &[usize], windows: &[usize], size: usize, stride: usize) -> Pool {
        Pool { height: planes[1], width: planes[2], down: windows[1], across: windows[2], size, stride }
    }

    /// Calls `each` with every window of a plane: its position, and the place of its largest entry.
    #[inline(always)]
    fn windows<T: Precision>(&self, key: &[T], mut each: impl FnMut(usize, usize)) {
        // Branches on what is larger would be wrong half of the time.
        if self.size == 2 {
            return self.each_corner(|w, at| {
                let (first, second) = (at, at + self.width);
                let top = larger(key, first, first + 1);
                each(w, larger(key, larger(key, top, second), second + 1));
            });
        }
        self.each_corner(|w, corner| {
            let mut best = corner;
            for a in 0..self.size {
                let row = corner + a * self.width;
                best = (row..row + self.size).fold(best, |best, at| larger(key, best, at));
            }
            each(w, best);
        });
    }

    /// Calls `each` with every window's position and the place of its corner.
    #[inline(always)]
    fn each_corner(&self, mut each: impl FnMut(usize, usize)) {
        for p in 0..self.down {
            for q in 0..self.across {
                each(p * self.across + q, p * self.stride * self.width + q * self.stride);
            }
        }
    }

    /// `out[m, window] = values[m, place of the largest key]`.
    pub(crate) fn pick<T: Precision>(&self, out: &mut [T], key: &[T], values: &[T]) {
        let (plane, windows) = (self.height * self.width, self.down * self.across);
        if out.is_empty() {
            return;
        }
        for ((out, key), values) in
            out.chunks_exact_mut(windows).zip(key.chunks_exact(plane)).zip(values.chunks_exact(plane))
        {
            self.windows(key, |w, at| out[w] = values[at]);
        }
    }

    /// `out[m, place of the largest key] += values[m, window]` into zeros.
    pub(crate) fn put<T: Precision>(&self, out: &mut [T], key: &[T], values: &[T]) {
        let (plane, windows) = (self.height * self.width, self.down * self.across);
        out.fill(T::default());
        if values.is_empty() {
            return;
        }
        for ((out, key), values) in
            out.chunks_exact_mut(plane).zip(key.chunks_exact(plane)).zip(values.chunks_exact(windows))
        {
            self.windows(key, |w, at| out[at] += values[w]);
        }
    }
}

/// The place of the larger entry, the first of equal ones; a NaN before all, so that it is seen.
#[inline(always)]
fn larger<T: Precision>(key: &[T], best: usize, next: usize) -> usize {
    let (b, n) = (key[best], key[next]);
    if (n > b) | (n.not_a_number() & !b.not_a_number()) { next } else { best }
}
