//! What the calculus can say of convexity assumptions: proved, refuted or unknown. Strong convexity is proved for a
//! convex sum that contains, for every variable, a positive multiple of the squares of all its entries; the modulus may
//! depend on the fixed inputs. Other proofs (a data matrix of full rank) need data and are not attempted.

use std::fmt;

use super::calculus::{Analysis, depends};
use super::convexity::Convexity;
use super::sign::Sign;
use crate::elementwise;
use crate::graph::{Function, Graph, NodeId, Op, Reduction};

/// What is known of an assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds on the declared sets.
    Proved,
    /// It fails.
    Refuted,
    /// No rule applies.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Proved => "proved",
            Verdict::Refuted => "refuted",
            Verdict::Unknown => "unknown",
        })
    }
}

/// Is the node convex in the variables of the analysis? Never refuted: that takes a point and a direction.
pub fn convex(analysis: &Analysis, root: NodeId) -> Verdict {
    if analysis.convexity(root).is_convex() { Verdict::Proved } else { Verdict::Unknown }
}

/// Is the scalar node strongly convex in the inputs `variables`, which are those of the analysis?
pub fn strongly_convex(f: &Function, analysis: &Analysis, root: NodeId, variables: &[usize]) -> Verdict {
    let flat = analysis.convexity(root).is_affine() || analysis.convexity(root) == Convexity::Concave;
    if flat || variables.iter().any(|v| !depends(f, root, &[*v])) {
        return Verdict::Refuted;
    }
    let mut covered = vec![false; f.inputs.len()];
    terms(f.graph(), analysis, root, Sign::Positive, &mut covered);
    let all = variables.iter().all(|v| covered[*v]);
    if all && analysis.convexity(root).is_convex() { Verdict::Proved } else { Verdict::Unknown }
}

/// Marks the inputs whose squares are in the sum of `weight * element` over the elements of a node. A convex sum is
/// known to be convex only because all its terms are, so what is left beside the squares is convex.
fn terms(g: &Graph, analysis: &Analysis, id: NodeId, weight: Sign, covered: &mut [bool]) {
    if !analysis.depends(id) {
        return;
    }
    if let Some((c, u)) = analysis.square(g, id) {
        if weight.mul(c) == Sign::Positive {
            entries(g, analysis, u, covered);
        }
        return;
    }
    if let Some((c, u)) = analysis.scaled(g, id) {
        return terms(g, analysis, u, weight.mul(c), covered);
    }
    let args = g.args(id);
    match g.op(id) {
        Op::Elementwise(f) if *f == elementwise::ADD || *f == elementwise::SUB => {
            terms(g, analysis, args[0], weight, covered);
            let second = if *f == elementwise::SUB { weight.neg() } else { weight };
            terms(g, analysis, args[1], second, covered);
        }
        Op::Reduce(Reduction::Sum, _) | Op::Reshape | Op::Transpose(_) | Op::Concat(_) => {
            args.iter().for_each(|a| terms(g, analysis, *a, weight, covered));
        }
        _ => {}
    }
}

/// Marks the inputs all of whose entries are among the node's elements, up to constant shifts and nonzero factors.
fn entries(g: &Graph, analysis: &Analysis, id: NodeId, covered: &mut [bool]) {
    let args = g.args(id);
    let fixed = |k: usize| !analysis.depends(args[k]);
    match g.op(id) {
        Op::Input(i) => covered[*i as usize] = true,
        Op::Elementwise(f) if *f == elementwise::ADD || *f == elementwise::SUB => {
            if fixed(0) {
                entries(g, analysis, args[1], covered);
            } else if fixed(1) {
                entries(g, analysis, args[0], covered);
            }
        }
        Op::Elementwise(_) => {
            if let Some((_, u)) = analysis.scaled(g, id).filter(|(c, _)| c.is_nonzero()) {
                entries(g, analysis, u, covered);
            }
        }
        // The squared norms of groups add up to the sum of squares.
        Op::Reduce(Reduction::Norm2, _) | Op::Reshape | Op::Transpose(_) | Op::Concat(_) | Op::Broadcast(_) => {
            args.iter().for_each(|a| entries(g, analysis, *a, covered));
        }
        _ => {}
    }
}
