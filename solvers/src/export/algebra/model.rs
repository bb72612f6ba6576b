//! What a modelling language is told: both objectives, rows, bounds, the stationarity of the lower level, as one function
//! whose outputs share their nodes, and the numbers that go with it.

use blo_engine::diff::reverse;
use blo_engine::graph::{Elem, Formal, Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem, ProximalTerm, Variable};
use blo_engine::shape::Shape;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::export::message;
use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::rows::{Rows, is_beyond_rows, rows};
use crate::formula::set_bounds::set_bounds;
use crate::formula::start_point::start_point;

/// What becomes of the lower level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lower {
    /// Its KKT conditions.
    Conditions,
    /// An objective with rows.
    Program,
}

/// A row of a level.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) level: LevelId,
    /// Its name, where the file gives it one.
    pub(super) name: Option<String>,
    /// The output that is at most zero, or zero.
    pub(super) output: usize,
    pub(super) equality: bool,
    /// The input that holds its multipliers.
    pub(super) multiplier: Option<usize>,
}

/// A kink `w |v|` of the lower level, entry by entry. The language has no terms above.
#[derive(Clone, Debug)]
pub(super) struct Kink {
    /// The variable.
    pub(super) variable: usize,
    /// The input that stands for its slope, between -1 and 1, or for its size, at least the variable's.
    pub(super) input: usize,
}

/// Everything.
pub(super) struct Model<'a> {
    pub(super) problem: &'a Problem,
    pub(super) data: &'a Bindings,
    /// All outputs over all inputs: formals, multipliers, slopes or sizes.
    pub(super) function: Function,
    /// The outputs that are the objectives, in the user's sign.
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) rows: Vec<Row>,
    /// Per lower variable the output with the derivative of the Lagrangian, where it depends on the variable.
    pub(super) stationarity: Vec<Option<usize>>,
    pub(super) kinks: Vec<Kink>,
    /// Per variable and entry the ends of its interval.
    pub(super) bounds: Vec<Vec<[f64; 2]>>,
    /// Per variable its start.
    pub(super) start: Vec<Vec<f64>>,
}

/// Terms of the proximal part that are smooth.
const SMOOTH: [&str; 2] = ["squared_l2", "huber"];

/// Collects outputs.
struct Builder<'a> {
    p: ProblemGraph<'a>,
    x: Block,
    y: Block,
    outputs: Vec<NodeId>,
}

impl Builder<'_> {
    fn output(&mut self, node: NodeId) -> usize {
        self.outputs.push(node);
        self.outputs.len() - 1
    }

    /// `w`, with an entry per entry of the variable.
    fn weight(&mut self, term: &ProximalTerm, shape: &Shape) -> NodeId {
        let weight = self.p.at(&term.weight, &self.x, &self.y)[0];
        if self.p.graph.shape(weight).is_scalar() { self.p.graph.promote(weight, shape) } else { weight }
    }

    /// `sum(w .* a .* b)` with b left out or not.
    fn weighted(&mut self, weight: NodeId, a: NodeId, b: Option<NodeId>) -> NodeId {
        let mut product = self.p.graph.mul(weight, a);
        if let Some(b) = b {
            product = self.p.graph.mul(product, b);
        }
        self.p.graph.sum_all(product)
    }
}

/// The model of a problem.
///
/// # Errors
/// What cannot be exported, with what to do instead.
pub(super) fn model<'a>(problem: &'a Problem, data: &'a Bindings, how: Lower) -> Result<Model<'a>, Vec<Diagnostic>> {
    refuse(problem, how)?;
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let below = rows(problem, LevelId::LOWER);
    let multipliers = if how == Lower::Conditions { multipliers(&mut p, &below) } else { Vec::new() };
    // inputs come before all other nodes
    let kinks = kinks(&mut p, how);
    let mut b = Builder { p, x, y, outputs: Vec::new() };
    let upper = b.p.value(Part::Upper, &b.x.clone(), &b.y.clone());
    let smooth = b.p.value(Part::Smooth, &b.x.clone(), &b.y.clone());
    let mut lagrangian = with_terms(&mut b, smooth, how, &kinks);
    let lower = match how {
        Lower::Program => lagrangian,
        Lower::Conditions if problem.lower().regularizer.is_some() => {
            let rest = b.p.value(Part::Proximal, &b.x.clone(), &b.y.clone());
            b.p.graph.add(smooth, rest)
        }
        Lower::Conditions => smooth,
    };
    let [upper, lower] = [(LevelId::UPPER, upper), (LevelId::LOWER, lower)].map(|(level, node)| {
        let node = if problem.level(level).maximize { b.p.graph.neg(node) } else { node };
        b.output(node)
    });
    let mut all = Vec::new();
    for (level, found) in [(LevelId::UPPER, rows(problem, LevelId::UPPER)), (LevelId::LOWER, below)] {
        let names = &problem.level(level).constraints;
        for (i, row) in found.iter().enumerate() {
            let value = b.p.at(&row.value, &b.x.clone(), &b.y.clone())[0];
            let name = names.get(i).filter(|c| c.named).map(|c| c.name.clone());
            let mut multiplier = None;
            if let Some(node) = multipliers.get(i).filter(|_| level == LevelId::LOWER) {
                let product = b.p.graph.mul(*node, value);
                let product = b.p.graph.sum_all(product);
                lagrangian = b.p.graph.add(lagrangian, product);
                multiplier = Some(b.p.position(*node));
            }
            let output = b.output(value);
            all.push(Row { level, name, output, equality: row.equality, multiplier });
        }
    }
    let stationarity = if how == Lower::Conditions { stationarity(&mut b, lagrangian) } else { Vec::new() };
    let function = b.p.function(&problem.name, &b.outputs);
    let start = start_point::<f64>(problem, data, 1).map_err(|d| vec![*d])?;
    let bounds = problem.variables().zip(&start).map(|(v, values)| match v.set.as_ref().filter(|s| s.set.is_box) {
        Some(_) => set_bounds(v, values.len(), problem, data).map_err(|d| vec![*d]),
        None => Ok(vec![[f64::NEG_INFINITY, f64::INFINITY]; values.len()]),
    });
    let bounds = bounds.collect::<Result<_, _>>()?;
    Ok(Model { problem, data, function, upper, lower, rows: all, stationarity, kinks, bounds, start })
}

/// A multiplier per row of the lower level: those of the problem's own rows are known to the upper level.
fn multipliers(p: &mut ProblemGraph<'_>, below: &[Rows]) -> Vec<NodeId> {
    let own = p.multipliers().nodes;
    let mut all = Vec::new();
    for (i, row) in below.iter().enumerate() {
        let shape = row.value.output_shape(0).clone();
        let further = Formal { name: format!("multiplier{}", i + 1), shape, elem: Elem::Real };
        all.push(own.get(i).copied().unwrap_or_else(|| p.input(further)));
    }
    all
}

/// The inputs of all kinks, in the order of the terms: slopes where conditions are asked for, else sizes.
fn kinks(p: &mut ProblemGraph<'_>, how: Lower) -> Vec<Kink> {
    let problem = p.problem();
    let mut all = Vec::new();
    for term in problem.lower().terms.iter().filter(|t| !is_smooth(t)) {
        let formal = &problem.formals[term.variable];
        let name = format!("{}_{}", if how == Lower::Conditions { "slope" } else { "size" }, formal.name);
        let node = p.input(Formal { name, shape: formal.shape.clone(), elem: Elem::Real });
        all.push(Kink { variable: term.variable, input: p.position(node) });
    }
    all
}

fn is_smooth(term: &ProximalTerm) -> bool {
    SMOOTH.contains(&term.atom.name)
}

/// The lower objective with its terms: smooth ones as they are, `w |v|` by the input that stands for a slope or a size.
fn with_terms(b: &mut Builder<'_>, mut sum: NodeId, how: Lower, kinks: &[Kink]) -> NodeId {
    let problem = b.p.problem();
    let mut kinks = kinks.iter();
    for term in &problem.lower().terms {
        let part = if is_smooth(term) {
            b.p.at(&term.value, &b.x.clone(), &b.y.clone())[0]
        } else {
            let Some(kink) = kinks.next() else { unreachable!("every kink has its input") };
            let weight = b.weight(term, &problem.formals[term.variable].shape);
            let variable = (how == Lower::Conditions).then_some(NodeId(term.variable as u32));
            b.weighted(weight, NodeId(kink.input as u32), variable)
        };
        sum = b.p.graph.add(sum, part);
    }
    sum
}

/// The derivative of the Lagrangian per lower variable.
fn stationarity(b: &mut Builder<'_>, lagrangian: NodeId) -> Vec<Option<usize>> {
    let f = b.p.function("Lagrangian of the lower level", &[lagrangian]);
    let variables = b.p.problem().lower_inputs();
    let used: Vec<usize> = variables.iter().copied().filter(|v| f.depends_on(*v)).collect();
    if used.is_empty() {
        return vec![None; variables.len()];
    }
    let arguments: Vec<NodeId> = (0..f.inputs.len()).map(|i| NodeId(i as u32)).collect();
    let nodes = reverse::gradient(&f, &used).instantiate(&mut b.p.graph, &arguments);
    let mut found = vec![None; variables.len()];
    for (variable, node) in used.iter().zip(nodes) {
        found[variable - variables[0]] = Some(b.output(node));
    }
    found
}

/// What no modelling language holds.
fn refuse(problem: &Problem, how: Lower) -> Result<(), Vec<Diagnostic>> {
    let mut found = Vec::new();
    let deep = |v: &&Variable| v.shape.rank() > 2;
    for v in problem.variables().filter(deep) {
        found.push(message::many_axes(v.span, &v.name));
    }
    for v in problem.variables().filter(|v| is_beyond_rows(v)) {
        let set = v.set.as_ref().map_or((Span::default(), ""), |s| (s.span, s.set.name));
        found.push(message::set_without_rows(set.0, set.1));
    }
    let beyond = problem.lower().terms.iter().filter(|t| t.atom.name != "l1" && !is_smooth(t));
    found.extend(beyond.map(|t| message::term_without_rows(t.span, t.atom.name)));
    if how == Lower::Program && problem.upper_reads_multipliers() {
        let span = problem.multiplier_inputs().next().map_or(Span::default(), |(item, ..)| item.span);
        found.push(message::multiplier_above(span));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}
