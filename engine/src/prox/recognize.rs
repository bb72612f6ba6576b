//! From the value of a regularizer to atoms. Works on graph structure, after the language's spellings have become
//! array operations: sums are split, factors free of the level's variables go into weights (scalars, data and
//! upper-level variables alike), and what is left is offered to the table's recognizers. That a weight is nonnegative
//! is the checker's question, not asked here.

use blo_grammar::span::Span;

use super::term::{Found, Own, Place, Term};
use super::{Entry, LISTED, Parameter, TABLE};
use crate::elementwise;
use crate::graph::all_axes;
use crate::graph::{Graph, NodeId, Op, Reduction};
use crate::shape::{Dim, Shape};

/// One recognized additive term of a regularizer.
#[derive(Clone, Debug)]
pub struct Atom {
    /// The table entry, of one part.
    pub entry: &'static Entry,
    /// The variable, as the caller of [`recognize`] numbers it.
    pub variable: usize,
    /// The weight, a node of the given graph; its shape is as the entry's `weights` say.
    pub weight: NodeId,
    /// The number of groups, for terms of groups.
    pub groups: Option<Dim>,
    /// Parameters of the term, as the entry names them.
    pub parameters: Vec<NodeId>,
    /// The term is a sum over the slices of the variable's leading axis.
    pub each: bool,
    /// The part of a sequence that the term is of, if not all.
    pub place: Option<Place>,
    /// Where the term is written; of terms that were added up, the first.
    pub span: Span,
}

/// Why a regularizer has no known prox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// A term of a form that is not in the table.
    NotProx {
        /// The term, or the part of it to blame.
        node: NodeId,
        /// What is wrong.
        why: String,
        /// What to do.
        help: String,
    },
    /// A product of several expressions in the level's own variables.
    OwnWeight {
        /// The product.
        node: NodeId,
    },
    /// A term without a variable of the level.
    NoVariable {
        /// The term.
        node: NodeId,
    },
}

impl Rejection {
    /// The node to blame; its span is the place to show.
    pub fn node(&self) -> NodeId {
        match self {
            Rejection::NotProx { node, .. } | Rejection::OwnWeight { node } | Rejection::NoVariable { node } => *node,
        }
    }

    /// What is wrong.
    pub fn why(&self) -> String {
        match self {
            Rejection::NotProx { why, .. } => why.clone(),
            Rejection::OwnWeight { .. } => "the weight depends on the level's own variable".into(),
            Rejection::NoVariable { .. } => "the term has no variable of this level".into(),
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Rejection::NotProx { help, .. } => help.clone(),
            Rejection::OwnWeight { .. } => {
                format!("a weight may hold numbers, data and variables of the other level; {LISTED}")
            }
            Rejection::NoVariable { .. } => "move it to the objective".into(),
        }
    }

    /// The argument of a norm is not a variable.
    pub(super) fn of_argument(g: &Graph, node: NodeId, entry: &Entry) -> Rejection {
        let what = match g.op(node) {
            Op::MatMul | Op::Conv { .. } | Op::Reduce(Reduction::Sum, _) | Op::Scatter(_) => "a linear map",
            Op::Elementwise(elementwise::ADD | elementwise::SUB) => "a sum or difference",
            _ => "this expression",
        };
        Rejection::NotProx {
            node,
            why: format!("no prox is known for {} of {what}", entry.call),
            help: format!("{LISTED}; {}", entry.elsewhere),
        }
    }

    /// A parameter that differs between entries.
    pub(super) fn of_parameter(g: &Graph, node: NodeId, entry: &Entry, parameter: &Parameter) -> Rejection {
        let wanted = if parameter.is_array { "an array of the variable's length" } else { "a number" };
        Rejection::NotProx {
            node,
            why: format!("`{}` is {} here", parameter.name, g.shape(node)),
            help: format!("`{}` of `{}` is {wanted}", parameter.name, entry.doc),
        }
    }

    /// Groups that are not consecutive blocks.
    pub(super) fn of_groups(node: NodeId) -> Rejection {
        Rejection::NotProx {
            node,
            why: "the groups are not equal blocks of consecutive entries of a whole variable".into(),
            help:
                "take the groups from `blocks(1..rows(y), J)`, or the rows `W[i, _]` of a matrix, or write a term for \
                   each range, `norm2(y[1..3]) + norm2(y[4..9])`"
                    .into(),
        }
    }

    /// Differences that are not all those of neighbors in a sequence, with one weight.
    pub(super) fn of_differences(node: NodeId) -> Rejection {
        Rejection::NotProx {
            node,
            why: "not all differences of neighbors in one sequence have the same weight".into(),
            help: format!("`tv1d(y)` is of a whole variable, or of each of its rows; {LISTED}"),
        }
    }

    /// Sorted sizes with other weights than sorted ones.
    pub(super) fn of_order(node: NodeId) -> Rejection {
        let help = format!("write `slope(y, c)` with the weights `c`, times one number; {LISTED}");
        Rejection::NotProx { node, why: "the sorted entries have weights of their own".into(), help }
    }

    /// A weight of a shape that the entry does not take.
    fn of_weight(g: &Graph, node: NodeId, found: &Found, entry: &Entry) -> Rejection {
        let (weight, variable) = (g.shape(found.weight), g.shape(found.node));
        let array = match found.each {
            true => Some(Shape(variable.0[..1].to_vec())),
            false => entry.weights[0].array(variable, found.groups.as_ref().unwrap_or(&Dim::constant(1))),
        };
        let or_array = array.map_or_else(String::new, |shape| format!(" or an array {shape}"));
        Rejection::NotProx {
            node,
            why: format!("the weight of this term is {weight}"),
            help: format!("the weight of `{}` is a number{or_array}", entry.doc),
        }
    }

    fn of_term(node: NodeId) -> Rejection {
        let help = format!("{LISTED}; smooth terms belong in the objective");
        Rejection::NotProx { node, why: "no prox is known for this term".into(), help }
    }
}

/// Splits a regularizer, a scalar node, into atoms in the order of the text. `variable` says which variable of the
/// regularizer's own level a node is. Terms of one atom on one variable with the same groups become one, their weights
/// added. New nodes, for weights, are appended to the graph.
///
/// # Errors
/// The first term that has no prox in the table.
pub fn recognize(
    g: &mut Graph,
    term: NodeId,
    variable: &dyn Fn(&Graph, NodeId) -> Option<usize>,
) -> Result<Vec<Atom>, Rejection> {
    let span = g.span;
    let atoms = atoms(g, term, &mut Own::new(variable));
    g.span = span;
    atoms
}

fn atoms(g: &mut Graph, node: NodeId, own: &mut Own) -> Result<Vec<Atom>, Rejection> {
    let scale = g.constant(1.0);
    let mut atoms = Vec::new();
    // A stack, not recursion: a sum may be long.
    let mut todo = vec![Term { node, scale, multiplier: None }];
    while let Some(term) = todo.pop() {
        if !own.depends(g, term.node) {
            return Err(Rejection::NoVariable { node: term.node });
        }
        g.span = g.span_of(term.node);
        match split(g, own, &term)? {
            Some(parts) => todo.extend(parts.into_iter().rev()),
            None => {
                let atom = leaf(g, own, &term)?;
                collect(g, &mut atoms, atom);
            }
        }
    }
    Ok(atoms)
}

/// The terms that a linear operation, a product or a square of a norm consists of; `None` for a term to recognize.
fn split(g: &mut Graph, own: &mut Own, term: &Term) -> Result<Option<Vec<Term>>, Rejection> {
    use elementwise::{ABS, ADD, DIV, MUL, NEG, POW, SQUARE, SUB};
    let args = g.args(term.node).to_vec();
    let parts = match g.op(term.node).clone() {
        Op::Elementwise(ADD) => vec![term.with(args[0]), term.with(args[1])],
        Op::Elementwise(SUB) => vec![term.with(args[0]), term.with(args[1]).negated(g)],
        Op::Elementwise(MUL | NEG | DIV) => match term.factors(g, own, |_, c| c) {
            (rest, factors) if factors.len() == 1 && factors[0] != term.node => vec![rest.with(factors[0])],
            (rest, factors) if factors.len() == 2 && factors[0] == factors[1] => {
                vec![rest.with(g.elementwise(SQUARE, &factors[..1]))]
            }
            (_, factors) if factors.len() > 1 => return Err(Rejection::OwnWeight { node: term.node }),
            _ => return Ok(None),
        },
        Op::Elementwise(SQUARE) => match *g.op(args[0]) {
            Op::Elementwise(ABS) => {
                let inner = g.args(args[0])[0];
                vec![term.with(g.elementwise(SQUARE, &[inner]))]
            }
            Op::Reduce(Reduction::Norm2, axes) => {
                let inner = g.args(args[0])[0];
                let squares = g.elementwise(SQUARE, &[inner]);
                vec![spread(g, term, squares, axes)]
            }
            _ => return Ok(None),
        },
        Op::Elementwise(POW) if g.as_const(args[1]) == Some(2.0) => {
            vec![term.with(g.elementwise(SQUARE, &args[..1]))]
        }
        Op::Reduce(Reduction::Sum, axes) => vec![spread(g, term, args[0], axes)],
        Op::MatMul => vec![through_matmul(g, own, term, args[0], args[1])?],
        Op::Scatter(axis) => {
            let mut part = term.with(args[0]);
            part.set(g, |g, m| g.gather(m, args[1], axis as usize));
            vec![part]
        }
        Op::Concat(axis) => concatenated(g, term, &args, axis as usize),
        _ => return Ok(term.rearranged(g).map(|t| vec![t])),
    };
    Ok(Some(parts))
}

/// `sum(m .* reduce(z))` is `sum(repeat(m) .* z)`.
fn spread(g: &mut Graph, term: &Term, operand: NodeId, axes: u8) -> Term {
    let shape = g.shape(operand).clone();
    let mut part = term.with(operand);
    part.set(g, |g, m| g.broadcast(m, all_axes(&shape) & !axes, &shape));
    part
}

/// `sum(m .* (a*b))` is `sum((a'*m) .* b)` and `sum((m*b') .* a)`.
fn through_matmul(g: &mut Graph, own: &mut Own, term: &Term, a: NodeId, b: NodeId) -> Result<Term, Rejection> {
    let shape = g.shape(term.node).clone();
    let m = term.multiplier_of(g, &shape);
    let (node, multiplier) = match (own.depends(g, a), own.depends(g, b)) {
        (false, true) => {
            let t = g.transpose(a);
            (b, g.matmul(t, m))
        }
        (true, false) => {
            let t = g.transpose(b);
            (a, g.matmul(m, t))
        }
        _ => return Err(Rejection::OwnWeight { node: term.node }),
    };
    Ok(Term { node, scale: term.scale, multiplier: Some(multiplier) })
}

/// One term per part.
fn concatenated(g: &mut Graph, term: &Term, parts: &[NodeId], axis: usize) -> Vec<Term> {
    let mut start = Dim::constant(0);
    let mut terms = Vec::new();
    for p in parts {
        let length = g.shape(*p).0[axis].clone();
        let mut part = term.with(*p);
        part.set(g, |g, m| g.slice(m, axis, &start, 1, &length));
        start = start.add(&length).expect("the concatenation has this length");
        terms.push(part);
    }
    terms
}

fn leaf(g: &mut Graph, own: &mut Own, term: &Term) -> Result<Atom, Rejection> {
    // Several entries know the operation of a node; the first that takes all of the term has it.
    let mut refused = None;
    for entry in TABLE {
        match entry.recognize.and_then(|r| r(g, own, term)) {
            None => {}
            Some(Err(why)) => refused = refused.or(Some(why)),
            Some(Ok(found)) => {
                let (weight, variable) = (g.shape(found.weight), g.shape(found.node));
                if !entry.weights[0].admits(weight, variable, &found) {
                    return Err(Rejection::of_weight(g, term.node, &found, entry));
                }
                let span = g.span_of(term.node);
                let Found { variable, weight, groups, parameters, each, place, .. } = found;
                return Ok(Atom { entry, variable, weight, groups, parameters, each, place, span });
            }
        }
    }
    Err(refused.unwrap_or_else(|| Rejection::of_term(term.node)))
}

/// Adds the weight to that of an equal atom, if there is one.
fn collect(g: &mut Graph, atoms: &mut Vec<Atom>, atom: Atom) {
    let same = |a: &&mut Atom| {
        (a.entry.name, a.variable, &a.groups, a.each) == (atom.entry.name, atom.variable, &atom.groups, atom.each)
            && (&a.parameters, &a.place) == (&atom.parameters, &atom.place)
    };
    match atoms.iter_mut().find(same) {
        Some(first) => first.weight = g.add(first.weight, atom.weight),
        None => atoms.push(atom),
    }
}
