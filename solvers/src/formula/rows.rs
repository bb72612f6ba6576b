//! What keeps the variables of a level feasible, as rows: those of `subject to`, and those of sets that are not boxes. The
//! ends of boxes are bounds ([`crate::formula::set_bounds`]).

use blo_engine::diff::{jvp, reverse};
use blo_engine::elementwise;
use blo_engine::graph::{Elem, Formal, Function, NodeId};
use blo_engine::model::problem::{Constraint, ConstraintKind, LevelId, Problem, Variable};
use blo_engine::set::Relation;

use crate::formula::problem_graph::{Block, Direction, ProblemGraph};

/// An array of rows over the formals: `c <= 0`, or `h = 0`, entry by entry.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// One output: c, or h.
    pub(crate) value: Function,
    /// h, whose multiplier has any sign.
    pub(crate) equality: bool,
}

/// True where the set of a variable is neither a box nor a list of rows: a cone, the ball of the l1 norm, a set of every
/// follower.
pub(crate) fn is_beyond_rows(variable: &Variable) -> bool {
    variable.set.as_ref().is_some_and(|s| !s.set.is_box && (s.each || s.set.rows.is_none()))
}

/// The rows of a level, those of its constraints first; sets that have none are left out ([`is_beyond_rows`]).
pub(crate) fn rows(problem: &Problem, level: LevelId) -> Vec<Rows> {
    let of = |c: &Constraint| Rows { value: c.value.clone(), equality: c.kind == ConstraintKind::Equality };
    let mut found: Vec<Rows> = problem.level(level).constraints.iter().map(of).collect();
    for variable in problem.level(level).variables.iter().filter(|v| !is_beyond_rows(v)) {
        let Some((set, make)) = variable.set.as_ref().and_then(|s| Some((s, s.set.rows?))) else { continue };
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let parameters = p.at(&set.parameters, &x, &y);
        let member = if level == LevelId::UPPER { &x } else { &y };
        let place = variable.formal - problem.range(level).start;
        let nodes = make(&mut p.graph, member.nodes[place], &parameters);
        found.extend(nodes.into_iter().map(|(node, relation)| Rows {
            value: p.function(&format!("{} in {}", variable.name, set.set.name), &[node]),
            equality: relation == Relation::Equality,
        }));
    }
    found
}

/// What a multiplier of a constraint is called.
pub(crate) fn multiplier_name(constraint: &Constraint) -> String {
    format!("multiplier of `{}`", constraint.name)
}

/// What holds the multipliers of a constraint whose size is at most r: `[0, r]`, of an equality `[-r, r]`.
pub(crate) fn multiplier_interval(constraint: &Constraint, r: f64) -> [f64; 2] {
    [if constraint.kind == ConstraintKind::Equality { -r } else { 0.0 }, r]
}

impl ProblemGraph<'_> {
    /// The rows of `subject to` of a level at (x, y): a node per constraint.
    pub(crate) fn row_values(&mut self, level: LevelId, x: &Block, y: &Block) -> Vec<NodeId> {
        let constraints = &self.problem().level(level).constraints;
        constraints.iter().map(|c| self.at(&c.value, x, y)[0]).collect()
    }

    /// `c_x(x, y)' multipliers`, or `c_y(x, y)' multipliers`: the sum over all constraints of a level.
    pub(crate) fn rows_times(
        &mut self,
        level: LevelId,
        wrt: LevelId,
        (x, y): (&Block, &Block),
        multipliers: &[NodeId],
    ) -> Direction {
        let problem = self.problem();
        let (constraints, variables) = (&problem.level(level).constraints, &problem.level(wrt).variables);
        let mut total: Direction = vec![None; variables.len()];
        for (constraint, multiplier) in constraints.iter().zip(multipliers) {
            let places = variables.iter().enumerate().filter(|(_, v)| constraint.value.depends_on(v.formal));
            let (places, formals): (Vec<usize>, Vec<usize>) = places.map(|(i, v)| (i, v.formal)).unzip();
            if formals.is_empty() {
                continue;
            }
            let pull = reverse::vjp(&constraint.value, &formals);
            let mut arguments = self.arguments(x, y);
            arguments.truncate(constraint.value.inputs.len());
            arguments.push(*multiplier);
            let mut part: Direction = vec![None; variables.len()];
            for (place, node) in places.into_iter().zip(pull.instantiate(&mut self.graph, &arguments)) {
                part[place] = Some(node).filter(|n| self.graph.as_const(*n) != Some(0.0));
            }
            total = self.plus(&total, &part);
        }
        total
    }

    /// A function of the formals at the formals themselves, multipliers among them: what is reported of a point.
    pub(crate) fn of_formals(&mut self, function: &Function) -> Vec<NodeId> {
        let formals: Vec<NodeId> = (0..function.inputs.len()).map(|i| NodeId(i as u32)).collect();
        function.instantiate(&mut self.graph, &formals)
    }

    /// The formals that hold multipliers of the lower level, as the state has them: by the sign rules of the language.
    pub(crate) fn reported_multipliers(&mut self) -> Vec<(usize, NodeId)> {
        let problem = self.problem();
        let nodes = self.multipliers().nodes;
        let mut found = Vec::new();
        for (item, _, name) in problem.multiplier_inputs().filter(|(_, level, _)| *level == LevelId::LOWER) {
            let mut sum: Option<NodeId> = None;
            for (c, node) in problem.lower().constraints.iter().zip(&nodes).filter(|(c, _)| c.name == name) {
                let part = self.graph.scale(c.sign, *node);
                sum = Some(sum.map_or(part, |sum| self.graph.add(sum, part)));
            }
            found.extend(sum.map(|node| (item.formal, node)));
        }
        found
    }

    /// `(multipliers' c)_yy v` of the lower level's constraints.
    pub(crate) fn rows_hessian_times(
        &mut self,
        (x, y): (&Block, &Block),
        multipliers: &[NodeId],
        v: &Block,
    ) -> Direction {
        let problem = self.problem();
        let (constraints, variables) = (&problem.lower().constraints, &problem.lower().variables);
        let mut total: Direction = vec![None; variables.len()];
        for (constraint, multiplier) in constraints.iter().zip(multipliers) {
            let places = variables.iter().enumerate().filter(|(_, v)| constraint.value.depends_on(v.formal));
            let (places, formals): (Vec<usize>, Vec<usize>) = places.map(|(i, v)| (i, v.formal)).unzip();
            if formals.is_empty() {
                continue;
            }
            let product = jvp(&reverse::vjp(&constraint.value, &formals), &formals);
            let mut arguments = self.arguments(x, y);
            arguments.truncate(constraint.value.inputs.len());
            arguments.push(*multiplier);
            arguments.extend(places.iter().map(|i| v.nodes[*i]));
            let mut part: Direction = vec![None; variables.len()];
            for (place, node) in places.into_iter().zip(product.instantiate(&mut self.graph, &arguments)) {
                part[place] = Some(node).filter(|n| self.graph.as_const(*n) != Some(0.0));
            }
            total = self.plus(&total, &part);
        }
        total
    }

    /// How far (x, y) and the multipliers of the lower level are from meeting its rows: `min(lam, -c)` of inequalities and
    /// `h` of equalities.
    pub(crate) fn row_residuals(&mut self, x: &Block, y: &Block, multipliers: &[NodeId]) -> Direction {
        let values = self.row_values(LevelId::LOWER, x, y);
        let constraints = &self.problem().lower().constraints;
        let mut residuals = Vec::new();
        for ((constraint, value), multiplier) in constraints.iter().zip(values).zip(multipliers) {
            residuals.push(Some(match constraint.kind {
                ConstraintKind::Equality => value,
                ConstraintKind::Inequality => {
                    let room = self.graph.neg(value);
                    self.graph.elementwise(elementwise::MIN, &[*multiplier, room])
                }
            }));
        }
        residuals
    }

    /// Multipliers of the lower level's constraints within [0, r], of equalities within [-r, r].
    pub(crate) fn multipliers_within(&mut self, multipliers: &[NodeId], r: f64) -> Vec<NodeId> {
        let problem = self.problem();
        let pairs = multipliers.iter().zip(&problem.lower().constraints);
        pairs
            .map(|(m, c)| {
                let [low, high] = multiplier_interval(c, r).map(|v| self.graph.constant(v));
                let m = self.graph.elementwise(elementwise::MAX, &[*m, low]);
                self.graph.elementwise(elementwise::MIN, &[m, high])
            })
            .collect()
    }

    /// Inputs of the shapes of a level's constraints.
    pub(crate) fn row_inputs(&mut self, level: LevelId, name: &dyn Fn(&Constraint) -> String) -> Block {
        let constraints = &self.problem().level(level).constraints;
        let formal = |c: &Constraint| Formal { name: name(c), shape: c.shape.clone(), elem: Elem::Real };
        let nodes = constraints.iter().map(|c| self.input(formal(c))).collect();
        Block { name: "multipliers".to_string(), nodes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::problem;

    #[test]
    fn sets_that_are_not_boxes_are_rows() {
        let text = "upper { var x[2] in ball2(1)  minimize normsq(x) + normsq(y) + z'*z }
            lower { var y[2] in simplex(1)  var z[2] in ball1(1)  minimize normsq(y - x) + normsq(z - x) }";
        let problem = problem(text);
        let upper = rows(&problem, LevelId::UPPER);
        assert_eq!(upper.iter().map(|r| r.equality).collect::<Vec<_>>(), [false]);
        let lower = rows(&problem, LevelId::LOWER);
        assert_eq!(lower.iter().map(|r| r.equality).collect::<Vec<_>>(), [false, true]);
        assert!(lower[1].value.depends_on(1) && !lower[1].value.depends_on(0));
        let beyond: Vec<bool> = problem.lower().variables.iter().map(is_beyond_rows).collect();
        assert_eq!(beyond, [false, true]);
    }
}
