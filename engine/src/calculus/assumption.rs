//! What methods assume of the lower level, and what the calculus proves of it before any data is read. That an
//! assumption fails takes a point and a direction, which only numbers give: the solvers look for them.

use blo_grammar::span::Span;
use std::fmt;

use crate::calculus::Convexity;
use crate::calculus::{Analysis, Class};
use crate::calculus::{Verdict, strongly_convex};
use crate::elementwise;
use crate::graph::{Function, NodeId, Op};
use crate::sign::Sign;

/// An assumption on the lower level `min f(x, .) + g(x, .)`, for every x of the upper sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Assumption {
    /// f is strongly convex in y on the lower set, and g and the lower rows are convex.
    StronglyConvex,
    /// f, g and the lower rows are convex in y on the lower set.
    Convex,
    /// f is differentiable in y.
    Smooth,
    /// There is one solution.
    Singleton,
}

impl Assumption {
    /// All of them, the order of tables.
    pub const ALL: [Assumption; 4] =
        [Assumption::StronglyConvex, Assumption::Convex, Assumption::Smooth, Assumption::Singleton];

    /// As in "a ... lower level".
    pub fn name(self) -> &'static str {
        match self {
            Assumption::StronglyConvex => "strongly convex",
            Assumption::Convex => "convex",
            Assumption::Smooth => "smooth",
            Assumption::Singleton => "singleton",
        }
    }

    /// The assumption in a sentence.
    pub fn doc(self) -> &'static str {
        match self {
            Assumption::StronglyConvex => {
                "f is strongly convex in the lower variables on their sets, g and the lower rows are convex"
            }
            Assumption::Convex => "f, g and the lower rows are convex in the lower variables on their sets",
            Assumption::Smooth => "f has no kinks in the lower variables",
            Assumption::Singleton => "the lower level has one solution for each x",
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the calculus says of an assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The assumption.
    pub assumption: Assumption,
    /// Proved or unknown; refuted only where it fails at every point.
    pub verdict: Verdict,
    /// Why.
    pub reason: &'static str,
    /// The piece of the program at which no rule applies.
    pub blame: Option<Span>,
}

impl Proof {
    /// Why nothing is known of the number of solutions.
    pub const NOT_STRONGLY_CONVEX: &'static str = "it would follow from strong convexity";
}

/// What the calculus says of every assumption on the first output of f, in the order of [`Assumption::ALL`]: `signs` are
/// those of its inputs, `variables` the positions of the lower variables.
pub fn proofs(f: &Function, signs: &[Sign], variables: &[usize]) -> [Proof; 4] {
    let root = f.outputs()[0];
    let analysis = Analysis::new(f, signs, variables);
    let strong = strongly_convex(f, &analysis, root, variables);
    let curvature = analysis.convexity(root);
    let blame = unknown_piece(f, &analysis, root);
    let strongly_convex = Proof {
        assumption: Assumption::StronglyConvex,
        verdict: strong,
        reason: match strong {
            Verdict::Proved => "f is a convex sum with squares of every entry, or a positive definite quadratic form",
            Verdict::Refuted if curvature == Convexity::Concave => "f is concave",
            Verdict::Refuted if curvature.is_affine() => "f is affine",
            Verdict::Refuted => "a lower variable does not occur in f",
            Verdict::Unknown if curvature.is_convex() => {
                "f is convex, but squares of all entries, or a positive definite form, are not seen in it"
            }
            Verdict::Unknown => "no rule of curvature applies to this piece of f",
        },
        blame: blame.filter(|_| strong == Verdict::Unknown && !curvature.is_convex()),
    };
    let convex = Proof {
        assumption: Assumption::Convex,
        verdict: if curvature.is_convex() { Verdict::Proved } else { Verdict::Unknown },
        reason: match curvature {
            Convexity::Constant | Convexity::Affine => "f is affine",
            Convexity::Convex => "f is a sum of convex terms",
            Convexity::Concave => "f is concave",
            Convexity::Unknown => "no rule of curvature applies to this piece of f",
        },
        blame: blame.filter(|_| curvature == Convexity::Unknown),
    };
    let kink = analysis.kinks(f, root).first().map(|(id, _)| *id);
    let stopped = kink.is_some_and(|id| *f.graph().op(id) == Op::Elementwise(elementwise::STOP));
    let pole = analysis.pole(f, root);
    let no_kink = analysis.class(root) <= Class::Smooth;
    let is_smooth = no_kink && pole.is_none();
    let smooth = Proof {
        assumption: Assumption::Smooth,
        verdict: if is_smooth { Verdict::Proved } else { Verdict::Unknown },
        reason: match (is_smooth, stopped) {
            (true, _) => "no operation of f has a kink",
            _ if no_kink => "this piece of f may have no value, or an infinite one",
            (false, true) => "no derivative goes through this `stop`, so gradients are not those of f",
            (false, false) => "this piece of f has a kink",
        },
        blame: kink.or(pole).filter(|_| !is_smooth).map(|id| f.graph().span_of(id)),
    };
    let unique = strong == Verdict::Proved;
    let singleton = Proof {
        assumption: Assumption::Singleton,
        verdict: if unique { Verdict::Proved } else { Verdict::Unknown },
        reason: if unique { "f is strongly convex and g convex" } else { Proof::NOT_STRONGLY_CONVEX },
        blame: None,
    };
    [strongly_convex, convex, smooth, singleton]
}

/// The first piece, operands before results, that has no known curvature although its operands have one.
fn unknown_piece(f: &Function, analysis: &Analysis, root: NodeId) -> Option<Span> {
    let g = f.graph();
    let used = g.reachable(&[root]);
    let unknown = |id: NodeId| analysis.convexity(id) == Convexity::Unknown;
    let first = g.ids().find(|id| used[id.0 as usize] && unknown(*id) && !g.args(*id).iter().any(|a| unknown(*a)));
    first.map(|id| g.span_of(id))
}
