//! Sums over entries of a penalty that grows with the size of the entry and is not convex. Its prox is the best of a few
//! candidates: a stationary point per piece of the penalty.

use super::Arguments;
use crate::elementwise::{self, LESS, LESS_EQUAL, MAX, SELECT};
use crate::graph::{Graph, NodeId, Reduction, all_axes};

pub(super) mod mcp;
pub(super) mod norm0;
pub(super) mod normq;
pub(super) mod scad;

/// The problem of an entry on the side of zero where its solution lies: minimize `t p(r) + (r - v)^2/2` over sizes r from
/// `least` to `most`. A box that holds 0 leaves the solution on v's side, as p grows with the size: 0 is better than
/// everything beyond it. Other boxes lie on one side.
struct Side {
    /// 1 or -1.
    sign: NodeId,
    /// v times the sign.
    v: NodeId,
    /// Step times weight.
    t: NodeId,
    ends: Option<(NodeId, NodeId)>,
}

impl Side {
    fn new(g: &mut Graph, a: &Arguments) -> Side {
        let [zero, one, minus] = [0.0, 1.0, -1.0].map(|c| g.constant(c));
        let shape = g.shape(a.v).clone();
        let mut sign = choose(g, LESS_EQUAL, [zero, a.v], one, minus);
        if let Some((lo, hi)) = a.bounds {
            sign = choose(g, LESS, [zero, lo], one, sign);
            sign = choose(g, LESS, [hi, zero], minus, sign);
        }
        let sign = g.promote(sign, &shape);
        let ends = a.bounds.map(|(lo, hi)| {
            // Infinite ends have no sign to be multiplied with: 0 times infinity is not a number.
            let (below, above) = (g.neg(hi), g.neg(lo));
            let nearest = choose(g, LESS, [zero, sign], lo, below);
            let least = g.elementwise(MAX, &[nearest, zero]);
            (least, choose(g, LESS, [zero, sign], hi, above))
        });
        let t = a.threshold(g, 0);
        Side { sign, v: g.mul(sign, a.v), t, ends }
    }

    /// The size nearest to r.
    fn admitted(&self, g: &mut Graph, r: NodeId) -> NodeId {
        match self.ends {
            None => r,
            Some((least, most)) => g.clip(r, least, most),
        }
    }

    /// The best of candidates, the first of equal ones, on its side of zero. `penalty` is p.
    fn best(&self, g: &mut Graph, candidates: &[NodeId], penalty: &dyn Fn(&mut Graph, NodeId) -> NodeId) -> NodeId {
        let mut best: Option<(NodeId, NodeId)> = None;
        for r in candidates {
            let r = self.admitted(g, *r);
            let p = penalty(g, r);
            let p = g.mul(self.t, p);
            // (r - v)^2/2 less v^2/2, which all have: as products, so that differences of small sizes do not vanish.
            let half = g.scale(0.5, r);
            let reach = g.sub(half, self.v);
            let fit = g.mul(r, reach);
            let cost = g.add(p, fit);
            best = Some(match best {
                None => (r, cost),
                Some((first, least)) => {
                    (choose(g, LESS, [cost, least], r, first), choose(g, LESS, [cost, least], cost, least))
                }
            });
        }
        let (r, _) = best.expect("there are candidates");
        g.mul(self.sign, r)
    }
}

/// `if a < b then yes else no`, with another comparison where wanted.
fn choose(g: &mut Graph, by: elementwise::Elementwise, of: [NodeId; 2], yes: NodeId, no: NodeId) -> NodeId {
    let holds = g.elementwise(by, &of);
    g.elementwise(SELECT, &[holds, yes, no])
}

/// The largest entry.
fn largest(g: &mut Graph, weight: NodeId) -> NodeId {
    let axes = all_axes(g.shape(weight));
    if axes == 0 { weight } else { g.reduce(Reduction::Max, weight, axes) }
}
