//! Powers 1/2 and 2/3 of sizes of entries.
//!
//! Below a threshold 0 is the solution. Above, `r + t q r^(q - 1) = v` has its larger root there, which is a polynomial's
//! in a root of r and has a closed form. In units of v the polynomial has one coefficient k, which lies between 0 and .4,
//! where the form loses nothing. `r = v - t q r^(q - 1)` then takes the rounding of the roots away.

use super::{Side, choose};
use crate::elementwise::{ABS, ATAN, COS, EQUAL, LESS, POW, SELECT, SQRT};
use crate::graph::{Graph, NodeId, Op};
use crate::prox::separable::l1::weigh;
use crate::prox::term::{Found, Own, Term, constant};
use crate::prox::{Boxes, Entry, Modulus, Rejection, WeightShape};

/// q = 1/2: `s^3 - s v + t/2 = 0` with `s = sqrt(r)`.
pub(in crate::prox) static HALF: Entry = Entry {
    name: "normq_1_2",
    doc: "sum(w .* abs(y).^(1/2))",
    formula: "0 for |v| <= 3/2 t^(2/3), else s^2 for the largest root s of s^3 - |v| s + t/2, with v's sign",
    source: "Xu, Chang, Xu and Zhang, L1/2 regularization, IEEE Transactions on Neural Networks 23, 2012, theorem 1",
    parts: &["normq_1_2"],
    recognize: Some(|g, own, term| recognize(g, own, term, 0.5, &HALF)),
    value: |g, y, weights| value(g, y, weights[0], 0.5),
    apply: |g, a| {
        let side = Side::new(g, a);
        apply(g, &side, 0.5, &|g, v, t| {
            let v_root = g.elementwise(SQRT, &[v]);
            let cube = g.mul(v, v_root);
            let k = g.div(t, cube);
            // s = 2 sqrt(v/3) cos(acos(z)/3), and acos(z) = 2 atan(sqrt((1 - z)/(1 + z)))
            let one = g.constant(1.0);
            let z = g.scale(-0.75 * 3.0_f64.sqrt(), k);
            let (less, more) = (g.sub(one, z), g.add(one, z));
            let quotient = g.div(less, more);
            let tangent = g.elementwise(SQRT, &[quotient]);
            let half_angle = g.elementwise(ATAN, &[tangent]);
            let third = g.scale(2.0 / 3.0, half_angle);
            let cosine = g.elementwise(COS, &[third]);
            let s = g.scale(2.0 / 3.0_f64.sqrt(), cosine);
            // r^(q - 1)
            g.mul(v_root, s)
        })
    },
    ..SHARED
};

/// q = 2/3: `s^4 - s v + 2 t/3 = 0` with `s = r^(1/3)`.
pub(in crate::prox) static TWO_THIRDS: Entry = Entry {
    name: "normq_2_3",
    doc: "sum(w .* abs(y).^(2/3))",
    formula: "0 for |v| <= 2 (2 t/3)^(3/4), else s^3 for the largest root s of s^4 - |v| s + 2 t/3, with v's sign",
    source: "Cao, Sun and Xu, Fast image deconvolution using closed-form thresholding formulas of Lq (q = 1/2, 2/3) \
             regularization, Journal of Visual Communication and Image Representation 24, 2013",
    parts: &["normq_2_3"],
    recognize: Some(|g, own, term| recognize(g, own, term, 2.0 / 3.0, &TWO_THIRDS)),
    value: |g, y, weights| value(g, y, weights[0], 2.0 / 3.0),
    apply: |g, a| {
        let side = Side::new(g, a);
        apply(g, &side, 2.0 / 3.0, &|g, v, t| {
            let third = g.constant(1.0 / 3.0);
            let v_root = g.elementwise(POW, &[v, third]);
            let power = g.mul(v, v_root);
            let k = g.div(t, power);
            // With m^3 - 4 k m - 1 = 0 (Cardano) the quartic s^4 - s + k, k = 2/3 t v^(-4/3), is a product of two
            // quadratics, and its largest root is (sqrt(m) + sqrt(2/sqrt(m) - m))/2.
            let e = g.scale(8.0 / 9.0, k);
            let square = g.mul(e, e);
            let cube = g.mul(square, e);
            let quarter = g.constant(0.25);
            let inner = g.sub(quarter, cube);
            let root = g.elementwise(SQRT, &[inner]);
            let half = g.constant(0.5);
            let sum = g.add(half, root);
            let first = g.elementwise(POW, &[sum, third]);
            // the product of the two cube roots is e
            let second = g.div(e, first);
            let m = g.add(first, second);
            let m_root = g.elementwise(SQRT, &[m]);
            let two = g.constant(2.0);
            let ratio = g.div(two, m_root);
            let under = g.sub(ratio, m);
            let other = g.elementwise(SQRT, &[under]);
            let both = g.add(m_root, other);
            let s = g.scale(0.5, both);
            g.mul(v_root, s)
        })
    },
    ..SHARED
};

const SHARED: Entry = Entry {
    name: "",
    doc: "",
    formula: "",
    source: "",
    parts: &[],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Infinite,
    call: "normq",
    elsewhere: "a smooth substitute for the objective is `normq(D*y, q, 0.01)`",
    recognize: None,
    value: |g, y, weights| value(g, y, weights[0], 1.0),
    apply: |_, a| a.v,
};

/// `root` gives `r^(1 - q)` from v and t where there is a local minimum beside 0.
fn apply(g: &mut Graph, side: &Side, q: f64, root: &dyn Fn(&mut Graph, NodeId, NodeId) -> NodeId) -> NodeId {
    let [zero, one] = [0.0, 1.0].map(|c| g.constant(c));
    // Above the first the local minimum is better than 0, above the second there is one. An interval may leave 0 out; where
    // the local minimum begins it is no candidate, so the margin loses nothing and the square roots keep a slope.
    let (inner, outer) = match side.ends {
        None => (2.0 * (1.0 - q), (2.0 - q) / (2.0 * (1.0 - q))),
        Some(_) => (q * (1.0 - q), (1.0 + 1e-6) * (2.0 - q) / (1.0 - q)),
    };
    let base = g.scale(inner, side.t);
    let exponent = g.constant(1.0 / (2.0 - q));
    let threshold = g.elementwise(POW, &[base, exponent]);
    let threshold = g.scale(outer, threshold);
    // Where there is none the form sees numbers that it has a value for, so that no derivative is NaN.
    let is_far = g.elementwise(LESS, &[threshold, side.v]);
    let v = g.elementwise(SELECT, &[is_far, side.v, one]);
    let t = g.elementwise(SELECT, &[is_far, side.t, zero]);
    let root = root(g, v, t);
    let scaled = g.scale(q, t);
    let slope = g.div(scaled, root);
    let r = g.sub(v, slope);
    // A t of 0 is the identity, at v = 0 too.
    let near = choose(g, EQUAL, [side.t, zero], side.v, zero);
    let r = g.elementwise(SELECT, &[is_far, r, near]);
    match side.ends {
        None => g.mul(side.sign, r),
        // On an interval the cost rises, falls up to r if there is one, and rises again: the least is at r or at the start.
        Some((least, _)) => side.best(g, &[r, least], &|g: &mut Graph, r| power(g, r, q)),
    }
}

fn power(g: &mut Graph, y: NodeId, q: f64) -> NodeId {
    let sizes = g.elementwise(ABS, &[y]);
    let exponent = g.constant(q);
    g.elementwise(POW, &[sizes, exponent])
}

fn value(g: &mut Graph, y: NodeId, weight: NodeId, q: f64) -> NodeId {
    let each = power(g, y, q);
    weigh(g, each, weight)
}

fn recognize(
    g: &mut Graph,
    own: &mut Own,
    term: &Term,
    q: f64,
    entry: &'static Entry,
) -> Option<Result<Found, Rejection>> {
    let sizes = match *g.op(term.node) {
        Op::Elementwise(SQRT) if q == 0.5 => g.args(term.node)[0],
        Op::Elementwise(POW) if constant(g, g.args(term.node)[1]) == Some(q) => g.args(term.node)[0],
        _ => return None,
    };
    let Op::Elementwise(ABS) = *g.op(sizes) else { return None };
    let inner = term.with(g.args(sizes)[0]);
    // |c y|^q = |c|^q |y|^q
    Some(match q == 0.5 {
        true => inner.elements(g, own, entry, |g, c| power(g, c, 0.5)),
        false => inner.elements(g, own, entry, |g, c| power(g, c, 2.0 / 3.0)),
    })
}
