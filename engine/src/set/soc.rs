//! `soc`: the second-order cone. The first entry of a column bounds the length of the others.

use super::{Entry, UNBOUNDED, VariableShape, as_given, norm, worse};
use crate::elementwise;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "soc",
    doc: "{ y : norm2(y[2..n]) <= y[1] }, for a column y",
    formula: "with v = (t, u): v if norm2(u) <= t, 0 if norm2(u) <= -t, else (t + norm2(u))/2*(1, u/norm2(u))",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.3.2",
    variable: VariableShape::Column,
    parameters: &[],
    is_box: false,
    as_box: None,
    prepare: as_given,
    project: |g, v, _| {
        let length = g.shape(v).0[0].clone();
        let places = g.iota(&length);
        let zero = g.constant(0.0);
        let first = g.elementwise(elementwise::EQUAL, &[places, zero]);
        let rest = g.elementwise(elementwise::NOT, &[first]);
        let head = g.mul(first, v);
        let (t, u) = (g.sum_all(head), g.mul(rest, v));
        let size = g.norm2(u);
        let outside = g.elementwise(elementwise::LESS, &[t, size]);
        // 0 in the polar cone
        let sum = g.add(t, size);
        let twice = g.elementwise(elementwise::RELU, &[sum]);
        let half = g.scale(0.5, twice);
        let ratio = g.elementwise(elementwise::SAFE_DIV, &[half, size]);
        let (axis, across) = (g.mul(first, half), g.mul(ratio, u));
        let onto = g.add(axis, across);
        g.elementwise(elementwise::SELECT, &[outside, onto, v])
    },
    violation: |v, _| v.split_first().map_or(0.0, |(t, u)| worse(0.0, norm(u) - t)),
    sign: |_| Sign::Unknown,
    hull: |_| UNBOUNDED,
    rows: None,
    check: |_| Ok(()),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prox::universal::{function, run, shape};

    #[test]
    fn known_projections() {
        let map = function(&[shape(&[3])], |g, x| ENTRY.nearest(g, x[0], &[]));
        let project = |v: [f64; 3]| run(&map, &[v.to_vec()]).swap_remove(0);
        assert_eq!(project([2.0, 1.0, -1.0]), [2.0, 1.0, -1.0]);
        assert_eq!(project([-6.0, 3.0, 4.0]), [0.0; 3]);
        assert_eq!(project([0.0, 3.0, 4.0]), [2.5, 1.5, 2.0]);
        assert_eq!(project([-1.0, 0.0, 0.0]), [0.0; 3]);
        assert_eq!((ENTRY.violation)(&[1.0, 3.0, 4.0], &[]), 4.0);
    }
}
