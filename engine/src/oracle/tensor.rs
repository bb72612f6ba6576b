//! Arrays of the oracle and the multi-indices that address them.

/// A row-major array.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<D> {
    /// Sizes of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Vec<D>,
}

/// An input.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<D> {
    /// Numbers.
    Real(Tensor<D>),
    /// Zero-based positions; those of a mapped operand one slice after the other.
    Index(Vec<usize>),
}

impl<D: Copy> Tensor<D> {
    /// An array from its elements.
    pub fn new(shape: Vec<usize>, values: Vec<D>) -> Tensor<D> {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "as many elements as the shape {shape:?} has");
        Tensor { shape, values }
    }

    /// A number.
    pub fn scalar(value: D) -> Tensor<D> {
        Tensor { shape: Vec::new(), values: vec![value] }
    }

    pub(super) fn filled(shape: Vec<usize>, value: D) -> Tensor<D> {
        let count = shape.iter().product();
        Tensor { shape, values: vec![value; count] }
    }

    /// The array whose element at a multi-index is the element of `self` at another one.
    pub(super) fn arranged(&self, shape: Vec<usize>, source: impl Fn(&[usize]) -> MultiIndex) -> Tensor<D> {
        let values = positions(&shape).map(|p| self.values[offset(&self.shape, &source(&p))]).collect();
        Tensor { shape, values }
    }

    pub(super) fn map<E>(&self, f: impl Fn(D) -> E) -> Tensor<E> {
        Tensor { shape: self.shape.clone(), values: self.values.iter().map(|v| f(*v)).collect() }
    }
}

impl<D> Value<D> {
    pub(super) fn real(&self) -> &Tensor<D> {
        match self {
            Value::Real(tensor) => tensor,
            Value::Index(_) => unreachable!("the verifier separates positions from numbers"),
        }
    }

    pub(super) fn index(&self) -> &[usize] {
        match self {
            Value::Index(index) => index,
            Value::Real(_) => unreachable!("the verifier separates positions from numbers"),
        }
    }
}

impl<D: Copy> Value<D> {
    /// The slice `i` of `count` along the leading axis.
    pub(super) fn slice(&self, i: usize, count: usize) -> Value<D> {
        match self {
            Value::Real(t) => {
                let width = t.values.len() / count;
                Value::Real(Tensor::new(t.shape[1..].to_vec(), t.values[i * width..(i + 1) * width].to_vec()))
            }
            Value::Index(index) => {
                let width = index.len() / count;
                Value::Index(index[i * width..(i + 1) * width].to_vec())
            }
        }
    }
}

/// A multi-index, without memory of its own: there is one per element.
#[derive(Clone, Copy)]
pub(super) struct MultiIndex {
    pub(super) axes: [usize; AXES],
    rank: usize,
}

/// Most axes of a node.
const AXES: usize = 6;

impl MultiIndex {
    pub(super) fn of(axes: &[usize]) -> MultiIndex {
        let mut position = MultiIndex { axes: [0; AXES], rank: axes.len() };
        position.axes[..axes.len()].copy_from_slice(axes);
        position
    }
}

impl std::ops::Deref for MultiIndex {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.axes[..self.rank]
    }
}

/// All multi-indices in row-major order.
pub(super) fn positions(shape: &[usize]) -> impl Iterator<Item = MultiIndex> + use<> {
    let shape = MultiIndex::of(shape);
    let count: usize = shape.iter().product();
    let mut next = MultiIndex { axes: [0; AXES], rank: shape.rank };
    (0..count).map(move |_| {
        let position = next;
        for axis in (0..shape.rank).rev() {
            next.axes[axis] += 1;
            if next.axes[axis] < shape[axis] {
                break;
            }
            next.axes[axis] = 0;
        }
        position
    })
}

pub(super) fn offset(shape: &[usize], position: &[usize]) -> usize {
    assert!(shape.iter().zip(position).all(|(n, i)| i < n), "{position:?} lies in an array of shape {shape:?}");
    shape.iter().zip(position).fold(0, |o, (n, i)| o * n + i)
}

/// The entries of the axes in the mask.
pub(super) fn kept(position: &[usize], axes: u8) -> MultiIndex {
    let mut kept = MultiIndex { axes: [0; AXES], rank: 0 };
    for (_, i) in position.iter().enumerate().filter(|(axis, _)| axes >> axis & 1 == 1) {
        kept.axes[kept.rank] = *i;
        kept.rank += 1;
    }
    kept
}

/// The position with the entry of one axis replaced.
pub(super) fn moved(position: &[usize], axis: u8, to: impl Fn(usize) -> usize) -> MultiIndex {
    let mut position = MultiIndex::of(position);
    position.axes[axis as usize] = to(position[axis as usize]);
    position
}
