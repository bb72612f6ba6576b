//! Rows that are part of a variable's set: a bound of the whole variable by what is fixed, or the only row of a variable
//! where the table of sets has it. Every method with a projection can take them there.

use blo_grammar::span::Span;

use crate::elementwise::{self, Elementwise};
use crate::graph::{Elem, Function, NodeId, Op, Reduction, all_axes};
use crate::model::checker::{Checked, Checker, Sided};
use crate::model::levels::variable_set::INTERVAL;
use crate::model::problem::{ConstraintKind, DataOrigin, SetUse, Variable};

impl Checker<'_> {
    /// Puts rows that bound a whole variable by what is fixed into its set, and returns the others.
    pub(super) fn folded(
        &mut self,
        rows: Vec<Sided>,
        variables: &mut [Variable],
        (each, proximal): (bool, bool),
    ) -> Checked<Vec<Sided>> {
        let mut rest = Vec::new();
        for row in rows {
            let bound = if row.named || row.kind == ConstraintKind::Equality { None } else { self.bound(&row) };
            let place = bound.and_then(|(formal, ..)| variables.iter().position(|v| v.formal == formal));
            match (bound, place) {
                (Some((_, end, is_above)), Some(place))
                    if variables[place].set.as_ref().is_none_or(|s| s.set.name == INTERVAL) =>
                {
                    let set = self.tightened(variables[place].set.as_ref(), end, is_above, row.span)?;
                    variables[place].set = Some(SetUse { each, ..set });
                }
                _ => rest.push(row),
            }
        }
        if each || proximal {
            // a set that is no interval has no joint prox with terms
            return Ok(rest);
        }
        self.registered(rest, variables)
    }

    /// Puts the only row of a variable into its set where the table of sets has it.
    fn registered(&mut self, rows: Vec<Sided>, variables: &mut [Variable]) -> Checked<Vec<Sided>> {
        let mut rest = Vec::new();
        for (k, row) in rows.iter().enumerate() {
            let found = if row.named { None } else { self.set_of(row, variables) };
            let Some((place, set)) = found else {
                rest.push(row.clone());
                continue;
            };
            let formal = variables[place].formal;
            let others: Vec<NodeId> =
                rows.iter().enumerate().filter(|(i, _)| *i != k).flat_map(|(_, r)| [r.less, r.more]).collect();
            let all = Function::new("rows", &self.graph, self.formals.clone(), &others);
            match all.depends_on(formal) {
                true => rest.push(row.clone()),
                false => variables[place].set = Some(self.set_use(set.0, &set.1, row.span)?),
            }
        }
        Ok(rest)
    }

    /// The variable, by its place, that lies in a set of the table where the row holds; its set so far is part of that.
    fn set_of(&mut self, row: &Sided, variables: &[Variable]) -> Option<(usize, (&'static str, Vec<NodeId>))> {
        let is_equal = row.kind == ConstraintKind::Equality;
        let sides =
            if is_equal { vec![(row.less, row.more), (row.more, row.less)] } else { vec![(row.less, row.more)] };
        for (own, fixed) in sides {
            if self.depends_on_variables(fixed) {
                continue;
            }
            let shape = |c: &Self, node: NodeId| c.graph.shape(node).clone();
            for (place, v) in variables.iter().enumerate() {
                let y = self.graph.input(v.formal, v.shape.clone(), Elem::Real);
                let all = all_axes(&v.shape);
                if all == 0 {
                    continue;
                }
                let size = self.graph.elementwise(elementwise::ABS, &[y]);
                let [total, norm1] = [y, size].map(|node| self.graph.sum(node, all));
                let norm2 = self.graph.reduce(Reduction::Norm2, y, all);
                let name = match own {
                    _ if is_equal && own == total && self.is_nonnegative(v) => "simplex",
                    _ if !is_equal && v.set.is_none() && own == norm1 => "ball1",
                    _ if !is_equal && v.set.is_none() && own == norm2 => "ball2",
                    _ if is_equal && v.set.is_none() && v.shape.rank() == 1 => {
                        let Some(matrix) = self.matrix_of(own, y) else { continue };
                        let fits = shape(self, matrix).rank() == 2 && shape(self, fixed).rank() == 1;
                        if fits && !self.depends_on_variables(matrix) {
                            return Some((place, ("affine", vec![matrix, fixed])));
                        }
                        continue;
                    }
                    _ => continue,
                };
                return Some((place, (name, vec![self.plain(fixed)])));
            }
        }
        None
    }

    /// True for the set `y >= 0`.
    fn is_nonnegative(&self, v: &Variable) -> bool {
        let Some(set) = v.set.as_ref().filter(|s| s.set.name == INTERVAL) else { return false };
        let ends = set.parameters.outputs().iter().map(|end| set.parameters.graph().as_const(*end));
        ends.eq([Some(0.0), Some(f64::INFINITY)])
    }

    /// The matrix A of a node `A*y`.
    fn matrix_of(&self, node: NodeId, y: NodeId) -> Option<NodeId> {
        let inner = |node: NodeId| match self.graph.op(node) {
            Op::Reshape => self.graph.args(node)[0],
            _ => node,
        };
        let product = inner(node);
        if !matches!(self.graph.op(product), Op::MatMul) {
            return None;
        }
        let args = self.graph.args(product);
        (inner(args[1]) == y).then_some(args[0])
    }

    /// A number that is repeated to a shape, or the node itself.
    fn plain(&self, node: NodeId) -> NodeId {
        match self.graph.op(node) {
            Op::Broadcast(_) if self.graph.shape(self.graph.args(node)[0]).is_scalar() => self.graph.args(node)[0],
            _ => node,
        }
    }

    /// The variable that a row bounds, by its formal, with the fixed end; true for the upper end.
    fn bound(&mut self, row: &Sided) -> Option<(usize, NodeId, bool)> {
        let input = |c: &Self, node: NodeId| match c.graph.op(node) {
            Op::Input(i) => Some(*i as usize),
            _ => None,
        };
        let sides = [(row.less, row.more, true), (row.more, row.less, false)];
        for (own, end, is_above) in sides {
            let free = |c: &mut Self| {
                !c.depends_on_variables(end) && input(c, end).is_none_or(|i| !c.is_follower_of_others(i))
            };
            if let Some(formal) = input(self, own)
                && free(self)
            {
                return Some((formal, end, is_above));
            }
        }
        None
    }

    /// True for a variable of followers of other tasks, which is a data formal.
    fn is_follower_of_others(&self, formal: usize) -> bool {
        let item = self.rows.data.iter().find(|d| d.formal == formal);
        item.is_some_and(|d| matches!(d.origin, DataOrigin::Followers { .. }))
    }

    /// An interval with one end moved inwards.
    fn tightened(&mut self, set: Option<&SetUse>, end: NodeId, is_above: bool, span: Span) -> Checked<SetUse> {
        let ends = match set {
            Some(set) => {
                let formals = self.formals.clone();
                let inputs = set.parameters.inputs.len();
                let nodes: Vec<NodeId> = formals[..inputs]
                    .iter()
                    .enumerate()
                    .map(|(i, f)| self.graph.input(i, f.shape.clone(), f.elem))
                    .collect();
                set.parameters.instantiate(&mut self.graph, &nodes)
            }
            None => [f64::NEG_INFINITY, f64::INFINITY].map(|end| self.graph.constant(end)).to_vec(),
        };
        let at = usize::from(is_above);
        let f = if is_above { elementwise::MIN } else { elementwise::MAX };
        let mut ends = ends;
        ends[at] = self.inner(f, ends[at], end);
        self.set_use(INTERVAL, &ends, set.map_or(span, |s| s.span))
    }

    /// The inner one of two ends, a number where both are.
    fn inner(&mut self, f: Elementwise, old: NodeId, new: NodeId) -> NodeId {
        let new = self.plain(new);
        if self.graph.as_const(old).is_some_and(f64::is_infinite) {
            return new;
        }
        let shape =
            if self.graph.shape(old).is_scalar() { self.graph.shape(new) } else { self.graph.shape(old) }.clone();
        let both = [old, new].map(|node| match self.graph.shape(node).is_scalar() {
            true => self.graph.broadcast(node, 0, &shape),
            false => node,
        });
        self.graph.elementwise(f, &both)
    }
}
