//! `affine(A, b)`: the solutions of a linear system. The pseudo-inverse of A is made of data alone, so that a program
//! computes it once and an iteration costs products with A and with its inverse.

use super::{Entry, Fault, Parameter, ParameterShape, Relation, UNBOUNDED, VariableShape, norm, worse};
use crate::graph::{Graph, NodeId};
use crate::kernel::pseudo_inverse;
use crate::opaque;
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

/// A row holds where it is off by no more than this share of its terms: data files round to some nine digits.
const CONSISTENT: f64 = 1e-9;

pub(super) static ENTRY: Entry = Entry {
    name: "affine",
    doc: "{ y : A*y = b }, for a column y",
    formula: "v - pinv(A)*(A*v - b)",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.2.1; Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973",
    variable: VariableShape::Column,
    parameters: &[
        Parameter {
            name: "A",
            doc: "a matrix with a column per entry of y, of any rank",
            shape: ParameterShape::Matrix,
            sample: (-1.0, 1.0),
        },
        Parameter {
            name: "b",
            doc: "the right side, a number per row of A, such that there is a solution",
            shape: ParameterShape::PerRow,
            sample: (-1.0, 1.0),
        },
    ],
    is_box: false,
    as_box: None,
    prepare: |g, parameters| {
        let inverse = opaque::pseudo_inverse_of(g, parameters[0]);
        let column = Shape(vec![g.shape(parameters[1]).0[0].clone(), Dim::constant(1)]);
        let right = g.reshape(parameters[1], &column);
        vec![parameters[0], right, g.transpose(inverse)]
    },
    project: |g, v, prepared| {
        let shape = g.shape(v).clone();
        let column = g.reshape(v, &Shape(vec![shape.0[0].clone(), Dim::constant(1)]));
        // The second step removes what rounding has left of the first, about the condition number times the precision.
        let near = step(g, column, prepared);
        let near = step(g, near, prepared);
        g.reshape(near, &shape)
    },
    violation: |v, p| {
        let rows = p[0].chunks_exact(v.len().max(1)).zip(p[1]);
        rows.fold(0.0, |w, (a, b)| {
            let off = a.iter().zip(v).map(|(a, v)| a * v).sum::<f64>() - b;
            let length = norm(a);
            worse(w, if length > 0.0 { off.abs() / length } else { off.abs() + 0.0 * norm(v) })
        })
    },
    sign: |_| Sign::Unknown,
    hull: |_| UNBOUNDED,
    rows: Some(|g, v, parameters| {
        let shape = g.shape(v).clone();
        let column = g.reshape(v, &Shape(vec![shape.0[0].clone(), Dim::constant(1)]));
        let image = g.matmul(parameters[0], column);
        let right = g.shape(parameters[1]).clone();
        let image = g.reshape(image, &right);
        vec![(g.sub(image, parameters[1]), Relation::Equality)]
    }),
    check,
};

/// `v - A^+ (A v - b)`, for columns.
fn step(g: &mut Graph, v: NodeId, prepared: &[NodeId]) -> NodeId {
    let image = g.matmul(prepared[0], v);
    let off = g.sub(image, prepared[1]);
    let back = g.matmul(prepared[2], off);
    g.sub(v, back)
}

/// Whether the least-squares solution of least norm is a solution.
fn check(parameters: &[&[f64]]) -> Result<(), Fault> {
    let (a, b) = (parameters[0], parameters[1]);
    if let Some(i) = a.iter().position(|a| !a.is_finite()) {
        return Err((Some(i), format!("an entry of `A` is {}; it must be finite", a[i])));
    }
    if let Some(i) = b.iter().position(|b| !b.is_finite()) {
        return Err((Some(i), format!("an entry of `b` is {}; it must be finite", b[i])));
    }
    let columns = a.len().checked_div(b.len()).unwrap_or(0);
    let mut inverse = vec![0.0; a.len()];
    pseudo_inverse::transposed(&mut inverse, a, b.len());
    let mut y = vec![0.0; columns];
    let row = |i: usize| &a[i * columns..(i + 1) * columns];
    let off = |y: &[f64], i: usize| row(i).iter().zip(y).map(|(a, y)| a * y).sum::<f64>() - b[i];
    for _ in 0..2 {
        let residual: Vec<f64> = (0..b.len()).map(|i| off(&y, i)).collect();
        for (i, r) in residual.iter().enumerate() {
            y.iter_mut().zip(&inverse[i * columns..]).for_each(|(y, g)| *y -= r * g);
        }
    }
    let size = |i: usize| row(i).iter().zip(&y).fold(b[i].abs(), |m, (a, y)| m.max((a * y).abs()));
    let worst = (0..b.len()).filter(|i| off(&y, *i).abs() > CONSISTENT * size(*i));
    match worst.max_by(|i, j| off(&y, *i).abs().total_cmp(&off(&y, *j).abs())) {
        None => Ok(()),
        Some(i) if row(i).iter().all(|a| *a == 0.0) => {
            Err((None, format!("row {} of `A` is 0, so that nothing adds up to {}", i + 1, b[i])))
        }
        Some(i) => Err((None, format!("rows of `A*y = b` contradict each other, row {} among them", i + 1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::vjp;
    use crate::prox::universal::{Draws, check_derivatives, distance, function, run, shape};

    #[test]
    fn contradictions_are_found_and_repetitions_are_none() {
        let a = [1.0, 2.0, 0.5, 1.0];
        assert_eq!(check(&[&a, &[3.0, 1.5]]), Ok(()));
        assert_eq!(
            check(&[&a, &[3.0, 2.0]]).unwrap_err().1,
            "rows of `A*y = b` contradict each other, row 2 among them"
        );
        assert_eq!(check(&[&[0.0, 0.0, 1.0, 1.0], &[0.0, 2.0]]), Ok(()));
        let (_, why) = check(&[&[0.0, 0.0, 1.0, 1.0], &[1.0, 2.0]]).unwrap_err();
        assert_eq!(why, "row 1 of `A` is 0, so that nothing adds up to 1");
        assert_eq!(check(&[&[], &[]]), Ok(()));
        // more rows than columns, one solution
        assert_eq!(check(&[&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]]), Ok(()));
        assert!(check(&[&[1.0, 2.0, 3.0], &[2.0, 4.0, 7.0]]).is_err());
        // rounded to nine digits, at any scale
        for scale in [1e-8, 1.0, 1e8] {
            let (a, b) = ([0.1 * scale, 0.3 * scale, 0.2 * scale, 0.6 * scale], [scale / 3.0, 0.666_666_666_7 * scale]);
            assert_eq!(check(&[&a, &b]), Ok(()), "{scale}");
        }
        assert_eq!(check(&[&[1.0, f64::INFINITY], &[1.0]]).unwrap_err().0, Some(1));
        assert_eq!(check(&[&[1.0], &[f64::NAN]]).unwrap_err().0, Some(0));
    }

    /// Rows that repeat each other: the nearest point is that of the independent ones, and so are its derivatives in v.
    #[test]
    fn dependent_rows_are_the_independent_ones() {
        let project = |rows: i64| {
            function(&[shape(&[4]), shape(&[rows, 4]), shape(&[rows])], |g, x| ENTRY.nearest(g, x[0], &x[1..]))
        };
        let one = [1.0, -2.0, 0.5, 3.0];
        let two = [0.0, 1.0, 1.0, -1.0];
        let sum: Vec<f64> = one.iter().zip(&two).map(|(a, b)| 2.0 * a - b).collect();
        let v = vec![0.3, -1.2, 2.0, 0.7];
        let few = vec![v.clone(), [one, two].concat(), vec![1.0, -0.5]];
        let many = vec![v.clone(), [&one[..], &two, &sum, &one].concat(), vec![1.0, -0.5, 2.5, 1.0]];
        let (p, q) = (run(&project(2), &few).swap_remove(0), run(&project(4), &many).swap_remove(0));
        assert!(distance(&p, &q) < 1e-14, "{p:?} {q:?}");
        assert!((ENTRY.violation)(&q, &[&many[1], &many[2]]) < 1e-14);
        let pull = |f: &crate::graph::Function, x: &[Vec<f64>]| {
            run(&vjp(f, &[0]), &[x, &[vec![1.0, 2.0, -1.0, 0.5]]].concat()).swap_remove(0)
        };
        assert!(distance(&pull(&project(2), &few), &pull(&project(4), &many)) < 1e-14);
        check_derivatives("two rows", &project(2), &few, &mut Draws(5));
    }
}
