//! What the calculus can say of convexity assumptions: proved, refuted or unknown. Strong convexity is proved for a
//! convex sum that contains, for every variable, a positive multiple of the squares of all its entries or a positive
//! quadratic form of them; the modulus may depend on the fixed inputs. The entries may come in parts, `y[1]^2 + y[2]^2`,
//! where sizes are numbers. Other proofs (a data matrix of full rank) need data and are not attempted.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::calculus::Convexity;
use crate::calculus::{Analysis, depends};
use crate::elementwise;
use crate::graph::{Function, Graph, NodeId, Op, Reduction};
use crate::sign::Sign;

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
    let mut squared = Squared::default();
    terms(f.graph(), analysis, root, &mut squared);
    let all = variables.iter().all(|v| squared.has_all_of(*v));
    if all && analysis.convexity(root).is_convex() { Verdict::Proved } else { Verdict::Unknown }
}

/// Entries of a variable up to which parts of it are put together, and entries of all parts.
const MOST_ENTRIES: usize = 1_000_000;

/// The entries of inputs that are squared somewhere in a sum.
#[derive(Debug, Default)]
struct Squared {
    /// Nodes that have been looked at.
    seen: HashSet<NodeId>,
    /// Inputs with all their entries.
    whole: HashSet<usize>,
    /// Entries of inputs, row by row, of which only parts were met.
    parts: HashMap<usize, Vec<bool>>,
    /// Entries of all parts so far.
    met: usize,
}

impl Squared {
    fn has_all_of(&self, input: usize) -> bool {
        self.whole.contains(&input) || self.parts.get(&input).is_some_and(|entries| entries.iter().all(|met| *met))
    }

    /// Adds the entries that a slice has of an input.
    fn part(&mut self, g: &Graph, slice: NodeId) {
        let Some((input, total, places)) = places(g, slice, MOST_ENTRIES - self.met) else { return };
        self.met += places.len();
        let entries = self.parts.entry(input).or_insert_with(|| vec![false; total]);
        for place in places {
            if let Some(entry) = entries.get_mut(place) {
                *entry = true;
            }
        }
    }
}

/// The input that a chain of slices and reshapes begins with, the number of its entries, and those among them that the
/// chain has, row by row from 0; `None` where a size is no number, or larger than `most`.
fn places(g: &Graph, slice: NodeId, most: usize) -> Option<(usize, usize, Vec<usize>)> {
    let sizes = |id: NodeId| -> Option<Vec<usize>> {
        g.shape(id).0.iter().map(|dim| usize::try_from(dim.as_integer()?).ok()).collect()
    };
    let count = |sizes: &[usize]| sizes.iter().try_fold(1, |n: usize, size| n.checked_mul(*size));
    let own = count(&sizes(slice)?).filter(|n| *n <= most)?;
    let mut places: Vec<usize> = (0..own).collect();
    let mut id = slice;
    loop {
        match g.op(id) {
            Op::Input(i) => {
                let total = count(&sizes(id)?).filter(|n| *n <= MOST_ENTRIES)?;
                return Some((*i as usize, total, places));
            }
            Op::Reshape => {}
            Op::Slice { axis, start, step } => {
                let (part, whole) = (sizes(id)?, sizes(g.args(id)[0])?);
                let axis = *axis as usize;
                let (start, step) = (usize::try_from(start.as_integer()?).ok()?, *step as usize);
                let row = count(&part[axis + 1..])?;
                for place in &mut places {
                    let (along, within) = (*place / row, *place % row);
                    let (before, at) = (along / part[axis], along % part[axis]);
                    *place = (before * whole[axis] + start + at * step) * row + within;
                }
            }
            _ => return None,
        }
        id = g.args(id)[0];
    }
}

/// Marks the inputs whose squares are in the sum of `weight * element` over the elements of a node. A convex sum is
/// known to be convex only because all its terms are, so what is left beside the squares is convex.
fn terms(g: &Graph, analysis: &Analysis, root: NodeId, squared: &mut Squared) {
    // a sum may be deep, and its terms may be shared
    let mut open = vec![(root, Sign::Positive)];
    let mut seen = HashSet::new();
    while let Some((id, weight)) = open.pop() {
        if !analysis.depends(id) || !seen.insert((id, weight)) {
            continue;
        }
        let args = g.args(id);
        if let Some((c, u)) = analysis.square(g, id) {
            if weight.mul(c) == Sign::Positive {
                entries(g, analysis, u, squared);
            }
        } else if let Some((c, u)) = analysis.scaled(g, id) {
            open.push((u, weight.mul(c)));
        } else if let Some((_, u)) = analysis.quadratic_form(g, id).filter(|(c, _)| weight.mul(*c) == Sign::Positive) {
            entries(g, analysis, u, squared);
        } else {
            match g.op(id) {
                Op::Elementwise(f) if *f == elementwise::ADD || *f == elementwise::SUB => {
                    open.push((args[0], weight));
                    open.push((args[1], if *f == elementwise::SUB { weight.neg() } else { weight }));
                }
                Op::Reduce(Reduction::Sum, _) | Op::Reshape | Op::Transpose(_) | Op::Concat(_) => {
                    open.extend(args.iter().map(|a| (*a, weight)));
                }
                _ => {}
            }
        }
    }
}

/// Marks the entries of inputs that are among the node's elements, up to constant shifts and nonzero factors.
fn entries(g: &Graph, analysis: &Analysis, root: NodeId, squared: &mut Squared) {
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if !squared.seen.insert(id) {
            continue;
        }
        let args = g.args(id);
        let fixed = |k: usize| !analysis.depends(args[k]);
        match g.op(id) {
            Op::Input(i) => {
                squared.whole.insert(*i as usize);
            }
            Op::Slice { .. } => squared.part(g, id),
            Op::Elementwise(f) if *f == elementwise::ADD || *f == elementwise::SUB => {
                if fixed(0) {
                    open.push(args[1]);
                } else if fixed(1) {
                    open.push(args[0]);
                }
            }
            Op::Elementwise(_) => {
                open.extend(analysis.scaled(g, id).filter(|(c, _)| c.is_nonzero()).map(|(_, u)| u));
            }
            // The squared norms of groups add up to the sum of squares.
            Op::Reduce(Reduction::Norm2, _) | Op::Reshape | Op::Transpose(_) | Op::Concat(_) | Op::Broadcast(_) => {
                open.extend(args);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementwise::{ABS, EXP, SQUARE};
    use crate::graph::{Elem, Formal};
    use crate::shape::{Dim, Shape};

    /// y and the matrix b vary; x (any sign) and a are fixed.
    fn verdict(build: impl FnOnce(&mut Graph, [NodeId; 4]) -> NodeId, variables: &[usize]) -> Verdict {
        let mut g = Graph::new();
        let vector = Shape(vec![Dim::symbol("n")]);
        let matrix = Shape(vec![Dim::symbol("m"), Dim::symbol("n")]);
        let formals: Vec<Formal> = ["y", "b", "x", "a"]
            .into_iter()
            .zip([vector.clone(), matrix, Shape::scalar(), vector])
            .map(|(name, shape)| Formal { name: name.into(), shape, elem: Elem::Real })
            .collect();
        let mut input = |i: usize| g.input(i, formals[i].shape.clone(), Elem::Real);
        let inputs = [input(0), input(1), input(2), input(3)];
        let root = build(&mut g, inputs);
        let f = Function::new("f", &g, formals, &[root]);
        strongly_convex(&f, &Analysis::new(&f, &[], variables), f.outputs()[0], variables)
    }

    fn norm_squared(g: &mut Graph, a: NodeId) -> NodeId {
        let square = g.elementwise(SQUARE, &[a]);
        g.sum_all(square)
    }

    fn norm1(g: &mut Graph, a: NodeId) -> NodeId {
        let abs = g.elementwise(ABS, &[a]);
        g.sum_all(abs)
    }

    #[test]
    fn squares_of_all_entries_prove() {
        let distance = |g: &mut Graph, [y, _, x, a]: [NodeId; 4]| {
            let apart = g.sub(a, y);
            let (square, norm) = (norm_squared(g, apart), norm1(g, y));
            let (exp, half) = (g.elementwise(EXP, &[x]), g.scale(0.5, square));
            let weighted = g.mul(exp, half);
            g.add(norm, weighted)
        };
        assert_eq!(verdict(distance, &[0]), Verdict::Proved);
        // b does not occur.
        assert_eq!(verdict(distance, &[0, 1]), Verdict::Refuted);
    }

    #[test]
    fn every_variable_needs_its_squares() {
        let both = |g: &mut Graph, [y, b, ..]: [NodeId; 4]| {
            let (first, norm) = (norm_squared(g, y), g.reduce(Reduction::Norm2, b, 0b10));
            let second = norm_squared(g, norm);
            g.add(first, second)
        };
        assert_eq!(verdict(both, &[0, 1]), Verdict::Proved);
        let one = |g: &mut Graph, [y, b, ..]: [NodeId; 4]| {
            let (first, second) = (norm_squared(g, y), norm1(g, b));
            g.add(first, second)
        };
        assert_eq!(verdict(one, &[0, 1]), Verdict::Unknown);
        assert_eq!(verdict(one, &[0]), Verdict::Proved);
    }

    #[test]
    fn weights_must_be_positive_and_the_rest_convex() {
        let unknown_weight = |g: &mut Graph, [y, _, x, _]: [NodeId; 4]| {
            let square = norm_squared(g, y);
            g.mul(x, square)
        };
        assert_eq!(verdict(unknown_weight, &[0]), Verdict::Unknown);
        let difference = |g: &mut Graph, [y, ..]: [NodeId; 4]| {
            let (square, norm) = (norm_squared(g, y), norm1(g, y));
            g.sub(square, norm)
        };
        assert_eq!(verdict(difference, &[0]), Verdict::Unknown);
        let concave = |g: &mut Graph, [y, ..]: [NodeId; 4]| {
            let square = norm_squared(g, y);
            g.neg(square)
        };
        assert_eq!(verdict(concave, &[0]), Verdict::Refuted);
    }

    /// What is known of a lower objective in `y` of these sizes.
    fn of_program(sizes: &str, objective: &str) -> Verdict {
        let text = format!(
            "param n = 2  upper {{ var x  minimize x^2 }}  lower {{ var y[{sizes}]  minimize {objective} + 0*x }}"
        );
        let parsed = blo_grammar::parse(&text);
        let outcome = crate::model::check(&parsed.ast, &text, "test", &crate::model::Settings::default());
        let problem = outcome.problem.unwrap_or_else(|| panic!("{objective}: {:#?}", outcome.diagnostics));
        let f = &problem.lower().objective;
        let analysis = Analysis::new(f, &problem.signs(f), &problem.lower_inputs());
        strongly_convex(f, &analysis, f.outputs()[0], &problem.lower_inputs())
    }

    #[test]
    fn squares_of_entries_add_up_to_those_of_a_variable() {
        let proved = [
            ("2", "-(8*y[1] - y[1]^2/2 + 4*y[2] - y[2]^2/2)"),
            ("2", "(y[1] - x)^2 + (3*y[2] + 1)^2 + exp(y[1])"),
            ("5", "normsq(y[1..2]) + sum(y[i]^2 for i in 3..5)"),
            ("5", "normsq(y[1..5 by 2]) + normsq(y[2..4 by 2])"),
            ("2, 3", "normsq(y[1, _]) + normsq(y[2, 1..2]) + y[2, 3]^2"),
            ("2, 3", "normsq(y[_, 1]) + normsq(y[_, 2..3])"),
        ];
        for (sizes, objective) in proved {
            assert_eq!(of_program(sizes, objective), Verdict::Proved, "{objective}");
        }
        let unknown = [
            ("3", "y[1]^2 + y[3]^2 + y[2]"),
            ("2", "(y[1] + y[2])^2 + y[2]^2"),
            ("2", "y[1]^2 + y[1]^2/2 + exp(y[2])"),
            ("2", "y[1]^2 + x*y[2]^2"),
            ("5", "normsq(y[1..2]) + normsq(y[4..5]) + y[3]"),
            ("2, 3", "normsq(y[1, _]) + normsq(y[2, 1..2]) + exp(y[2, 3])"),
            ("2, 3", "normsq(y[_, 1]) + normsq(y[_, 3]) + sum(y)"),
            // sizes that are params may be others
            ("n", "y[1]^2 + y[2]^2"),
        ];
        for (sizes, objective) in unknown {
            assert_eq!(of_program(sizes, objective), Verdict::Unknown, "{objective}");
        }
    }
}
