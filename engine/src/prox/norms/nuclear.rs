//! The nuclear norm, the sum of the singular values of a matrix.

use crate::graph::{Graph, NodeId, Op};
use crate::opaque;
use crate::prox::term::{Found, Term};
use crate::prox::{Boxes, Entry, Modulus, Recognizer, Rejection, WeightShape};
use crate::shape::Shape;

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "nuclear",
    doc: "w*nuclear(Y)",
    formula: "U*max(S - t, 0)*V' for V = U*S*V'",
    source: "Cai, Candes and Shen, A singular value thresholding algorithm, SIAM Journal on Optimization 20, 2010, theorem \
             2.1",
    parts: &["nuclear"],
    weights: &[WeightShape::Scalar],
    parameters: &[],
    rank: Some(2),
    in_slices: true,
    boxes: Boxes::Unknown,
    modulus: Modulus::Convex,
    call: "nuclear",
    elsewhere: "write the matrix as a product `U*V'` with few columns and penalize `normsq(U) + normsq(V)`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let total = opaque::nuclear_of(g, y);
        g.mul(weights[0], total)
    },
    apply: |g, a| {
        let t = a.threshold(g, 0);
        opaque::shrunk_of(g, a.v, t)
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let of_part = |g: &Graph, node| Rejection::of_argument(g, node, &ENTRY);
    let (inner, each) = match g.op(term.node) {
        Op::Prox(opaque::NUCLEAR) => (g.args(term.node)[0], false),
        // One per step of a loop: the body is the norm of its only operand.
        Op::Map { body, output, .. } => {
            let (f, out) = (body.graph(), body.outputs()[*output as usize]);
            if *f.op(out) != Op::Prox(opaque::NUCLEAR) || *f.op(f.args(out)[0]) != Op::Input(0) {
                return None;
            }
            (g.args(term.node)[0], true)
        }
        _ => return None,
    };
    if !each {
        let found = term.norm(g, own, inner, &ENTRY, of_part);
        return Some(found.and_then(|f| whole(g, f, term, inner)));
    }
    let Some(variable) = own.variable(g, inner) else { return Some(Err(of_part(g, inner))) };
    let weight = Term { node: term.node, ..term.clone() }.weight(g);
    Some(Ok(Found { each, ..Found::new(variable, inner, weight) }))
};

/// The norm of a matrix that is a reshaped variable is not that of the variable.
fn whole(g: &mut Graph, mut found: Found, term: &Term, inner: NodeId) -> Result<Found, Rejection> {
    if g.shape(found.node) != g.shape(inner) {
        return Err(Rejection::of_argument(g, term.node, &ENTRY));
    }
    found.weight = g.reshape(found.weight, &Shape::scalar());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::diff::reverse;
    use crate::opaque;
    use crate::prox::universal::{Draws, check_derivatives, function, shape};

    /// The gradient is a function like any other, so its products with directions are checked as those of maps are.
    #[test]
    fn the_norm_has_two_derivatives() {
        let mut draws = Draws(12);
        for sizes in [[3, 2], [2, 3], [3, 3], [1, 4]] {
            let norm = function(&[shape(&sizes)], |g, x| opaque::nuclear_of(g, x[0]));
            let y = vec![draws.array((sizes[0] * sizes[1]) as usize, (-2.0, 2.0))];
            let gradient = reverse::gradient(&norm, &[0]);
            assert!(check_derivatives(&format!("gradient on {sizes:?}"), &gradient, &y, &mut draws));
        }
    }
}
