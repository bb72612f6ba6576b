//! Ways to read a buffer. A view is an offset and a stride per axis; Broadcast is stride 0, Transpose permutes axes,
//! Slice moves the offset, and Reshape works where the strides allow it. Elements are read in row-major order of the
//! axes, so a fused loop over `n` elements can read any view with `n` elements, whatever its shape.

/// A value of the program, by its position in the schedule.
pub(in crate::program) type ValueId = usize;

/// Where elements come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::program) enum Root {
    /// A stored array.
    Value(ValueId),
    /// One number, by its bits.
    Const(u64),
    /// The element's position itself.
    Iota,
}

/// A way to read a source: element `(i0, i1, ...)` is at `offset + i0 * stride0 + i1 * stride1 + ...`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::program) struct View {
    pub(in crate::program) source: Root,
    pub(in crate::program) offset: usize,
    /// Length and stride per axis.
    pub(in crate::program) axes: Vec<(usize, usize)>,
}

/// Number of elements of a shape.
pub(in crate::program) fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl View {
    /// All of a stored array in row-major order.
    pub(in crate::program) fn dense(source: Root, shape: &[usize]) -> View {
        View { source, offset: 0, axes: row_major(shape) }
    }

    /// One number.
    pub(in crate::program) fn constant(value: f64) -> View {
        View { source: Root::Const(value.to_bits()), offset: 0, axes: Vec::new() }
    }

    pub(in crate::program) fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|a| a.0).collect()
    }

    pub(in crate::program) fn count(&self) -> usize {
        self.axes.iter().map(|a| a.0).product()
    }

    /// True when the elements lie one after the other.
    pub(in crate::program) fn is_contiguous(&self) -> bool {
        matches!(self.source, Root::Value(_)) && (self.count() == 0 || matches!(self.collapse()[..], [] | [(_, 1)]))
    }

    /// True when every element is the same place.
    pub(in crate::program) fn is_uniform(&self) -> bool {
        self.source != Root::Iota && self.collapse().iter().all(|a| a.1 == 0)
    }

    /// Repeats along the axes of `shape` that are not in the mask.
    pub(in crate::program) fn broadcast(&self, mask: u8, shape: &[usize]) -> View {
        let mut own = self.axes.iter();
        let axis = |(i, d): (usize, &usize)| match mask >> i & 1 {
            1 => *own.next().expect("one axis per axis of the operand"),
            _ => (*d, 0),
        };
        View { axes: shape.iter().enumerate().map(axis).collect(), ..*self }
    }

    pub(in crate::program) fn permute(&self, perm: &[u8]) -> View {
        View { axes: perm.iter().map(|p| self.axes[*p as usize]).collect(), ..*self }
    }

    pub(in crate::program) fn slice(&self, axis: usize, start: usize, step: usize, length: usize) -> View {
        let mut view = self.clone();
        let stride = self.axes[axis].1;
        // An empty slice may start past the end.
        view.offset += if length == 0 { 0 } else { start * stride };
        view.axes[axis] = (length, stride * step);
        view
    }

    /// The same elements in the same order with another shape, if strides can say it.
    pub(in crate::program) fn reshape(&self, shape: &[usize]) -> Option<View> {
        if self.count() == 0 {
            return Some(View { axes: row_major(shape), ..*self });
        }
        let mut runs = self.collapse();
        let mut axes = Vec::with_capacity(shape.len());
        for d in shape.iter().rev() {
            if *d == 1 {
                axes.push((1, 0));
                continue;
            }
            while runs.last().is_some_and(|r| r.0 == 1) {
                runs.pop();
            }
            let run = runs.last_mut()?;
            if run.0 % d != 0 {
                return None;
            }
            axes.push((*d, run.1));
            *run = (run.0 / d, run.1 * d);
        }
        axes.reverse();
        Some(View { axes, ..*self })
    }

    /// The axes without those of length one, neighbours joined where one stride serves both.
    pub(in crate::program) fn collapse(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::with_capacity(self.axes.len());
        for (length, stride) in self.axes.iter().copied().filter(|a| a.0 != 1) {
            match runs.last_mut() {
                Some(outer) if outer.1 == length * stride => *outer = (outer.0 * length, stride),
                _ => runs.push((length, stride)),
            }
        }
        runs
    }
}

/// The strides of a row-major array.
pub(in crate::program) fn row_major(shape: &[usize]) -> Vec<(usize, usize)> {
    let mut stride = 1;
    let mut axes: Vec<(usize, usize)> = Vec::with_capacity(shape.len());
    for d in shape.iter().rev() {
        axes.push((*d, stride));
        stride *= d;
    }
    axes.reverse();
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(v: &View) -> Vec<usize> {
        v.axes.iter().fold(vec![v.offset], |starts, (length, stride)| {
            starts.iter().flat_map(|s| (0..*length).map(move |i| s + i * stride)).collect()
        })
    }

    #[test]
    fn views_compose() {
        let a = View::dense(Root::Value(0), &[3, 4]);
        assert!(a.is_contiguous());
        let t = a.permute(&[1, 0]);
        assert_eq!(elements(&t)[..4], [0, 4, 8, 1]);
        assert!(!t.is_contiguous());
        assert_eq!(t.reshape(&[12]), None);
        assert_eq!(elements(&t.reshape(&[2, 2, 3]).unwrap()), elements(&t));
        assert!(a.slice(0, 1, 1, 2).is_contiguous());
        assert_eq!(elements(&a.slice(1, 1, 2, 2)), [1, 3, 5, 7, 9, 11]);
        let row = View::dense(Root::Value(0), &[2]).broadcast(0b10, &[3, 2]);
        assert_eq!(elements(&row), [0, 1, 0, 1, 0, 1]);
        assert_eq!(row.reshape(&[6]), None);
        assert_eq!(elements(&row.reshape(&[3, 1, 2]).unwrap()), elements(&row));
        let same = View::constant(2.0).broadcast(0, &[3, 2]);
        assert!(same.is_uniform() && same.reshape(&[6]).is_some());
    }

    #[test]
    fn empty_views_reshape() {
        let a = View::dense(Root::Value(0), &[0, 4]);
        assert_eq!(a.reshape(&[2, 0]).unwrap().count(), 0);
        assert!(a.is_contiguous());
    }
}
