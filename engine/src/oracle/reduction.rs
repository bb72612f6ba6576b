//! Reductions of the oracle, with the derivatives that they have at ties and at zero.

use num_traits::Float;

use super::OracleNumber;
use super::tensor::{Tensor, kept, offset, positions};
use crate::graph::Reduction;

pub(super) fn reduce<D: OracleNumber>(how: Reduction, axes: u8, a: &Tensor<D>, shape: Vec<usize>) -> Tensor<D> {
    let mut groups: Vec<Vec<D>> = vec![Vec::new(); shape.iter().product()];
    for (p, v) in positions(&a.shape).zip(&a.values) {
        groups[offset(&shape, &kept(&p, !axes))].push(*v);
    }
    let combine = match how {
        Reduction::Sum => sum,
        Reduction::Max => max,
        Reduction::LogSumExp => log_sum_exp,
        Reduction::Norm2 => norm2,
    };
    Tensor { shape, values: groups.iter().map(|x| combine(x)).collect() }
}

fn sum<D: OracleNumber>(x: &[D]) -> D {
    x.iter().copied().reduce(|s, v| s + v).unwrap_or_else(D::zero)
}

/// The largest value; the elements that attain it share the derivative equally.
fn max<D: OracleNumber>(x: &[D]) -> D {
    let larger = |m, v| {
        if v <= m {
            m
        } else if v > m {
            v
        } else {
            m + v
        }
    };
    let largest = x.iter().map(|v| v.re()).reduce(larger);
    let Some(largest) = largest else { return D::number(f64::NEG_INFINITY) };
    if !largest.is_finite() {
        return D::from(largest);
    }
    let tied: Vec<D> = x.iter().copied().filter(|v| v.re() == largest).collect();
    match tied.as_slice() {
        [single] => *single,
        _ => {
            let offsets: Vec<D> = tied.iter().map(|v| *v - largest).collect();
            sum(&offsets) / D::number(tied.len() as f64) + D::from(largest)
        }
    }
}

fn log_sum_exp<D: OracleNumber>(x: &[D]) -> D {
    let shift = max(x).re();
    if !shift.is_finite() {
        return D::from(shift);
    }
    let terms: Vec<D> = x.iter().map(|v| (*v - shift).exp()).collect();
    sum(&terms).ln() + D::from(shift)
}

/// The Euclidean norm, with derivative 0 at 0.
fn norm2<D: OracleNumber>(x: &[D]) -> D {
    let squares: Vec<D> = x.iter().map(|v| *v * *v).collect();
    let total = sum(&squares);
    if total == D::zero() { D::zero() } else { total.sqrt() }
}

#[cfg(test)]
mod tests {
    use num_dual::Dual64;

    use super::*;

    #[test]
    fn reductions_of_numbers() {
        assert_eq!(sum::<f64>(&[]), 0.0);
        assert_eq!(sum(&[-0.0f64]).to_bits(), (-0.0f64).to_bits());
        assert_eq!(max(&[1.0, 3.0, 2.0]), 3.0);
        assert!(max(&[1.0, f64::NAN, 2.0]).is_nan());
        assert!(max(&[f64::NAN, 2.0]).is_nan());
        assert_eq!(max::<f64>(&[]), f64::NEG_INFINITY);
        assert!((log_sum_exp(&[1000.0, 1000.0]) - 1000.0 - 2f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert_eq!(norm2(&[3.0, 4.0]), 5.0);
    }

    #[test]
    fn kinks_follow_the_conventions() {
        let at = |re, eps| Dual64::new(re, eps);
        assert_eq!(max(&[at(1.0, 1.0), at(1.0, 0.0), at(0.0, 9.0)]).eps, 0.5);
        assert_eq!(norm2(&[at(0.0, 1.0), at(0.0, 1.0)]).eps, 0.0);
    }
}
