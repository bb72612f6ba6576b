//! Convolution and pooling of the oracle, as sums over windows written out.

use num_traits::Float;

use super::OracleNumber;
use super::tensor::{MultiIndex, Tensor, offset, positions};
use crate::graph::{ConvPart, Windows};

/// What `values` has at the largest entry of each window of `key`.
pub(super) fn pick<D: OracleNumber>(
    windows: Windows,
    key: &Tensor<D>,
    values: &Tensor<D>,
    shape: Vec<usize>,
) -> Tensor<D> {
    let picked = positions(&shape).map(|p| values.values[largest(key, &p, windows)]).collect();
    Tensor { shape, values: picked }
}

/// Adds the value of each window into zeros at the largest entry of that window of `key`.
pub(super) fn put<D: OracleNumber>(
    windows: Windows,
    key: &Tensor<D>,
    values: &Tensor<D>,
    shape: Vec<usize>,
) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    for (p, v) in positions(&values.shape).zip(&values.values) {
        out.values[largest(key, &p, windows)] += *v;
    }
    out
}

/// All products of the form that `part` is the derivative of, added where they belong.
pub(super) fn convolution<D: OracleNumber>(
    part: ConvPart,
    (stride, padding): (usize, usize),
    operands: [&Tensor<D>; 2],
    shape: Vec<usize>,
) -> Tensor<D> {
    let mut out = Tensor::filled(shape, D::zero());
    let mut shapes = [const { Vec::new() }; 3];
    shapes[part as usize] = out.shape.clone();
    for (other, t) in part.others().iter().zip(operands) {
        shapes[*other as usize] = t.shape.clone();
    }
    let [image, kernel, output] = &shapes;
    let taps: Vec<MultiIndex> = positions(&[kernel[2], kernel[3]]).collect();
    for v in positions(output) {
        for tap in &taps {
            let (y, x) = (v[2] * stride + tap[0], v[3] * stride + tap[1]);
            if y < padding || x < padding || y - padding >= image[2] || x - padding >= image[3] {
                continue;
            }
            for channel in 0..kernel[1] {
                let at = [
                    offset(image, &[v[0], channel, y - padding, x - padding]),
                    offset(kernel, &[v[1], channel, tap[0], tap[1]]),
                    offset(output, &v),
                ];
                let [a, b] = part.others().map(|p| at[p as usize]);
                out.values[at[part as usize]] += operands[0].values[a] * operands[1].values[b];
            }
        }
    }
    out
}

/// Where the largest entry of a window is: the first of equal ones, and a NaN before all.
fn largest<D: OracleNumber>(key: &Tensor<D>, window: &[usize], windows: Windows) -> usize {
    let (size, stride) = (windows.size as usize, windows.stride as usize);
    let places = positions(&[size, size]).map(|p| [window[0], window[1] * stride + p[0], window[2] * stride + p[1]]);
    let places = places.map(|p| offset(&key.shape, &p));
    let first = |best: usize, next: usize| {
        let (b, n) = (key.values[best].re(), key.values[next].re());
        if n > b || n.is_nan() && !b.is_nan() { next } else { best }
    };
    places.reduce(first).expect("windows have entries")
}
