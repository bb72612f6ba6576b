//! What keeps the variables of a level feasible, as rows: those of `subject to`, and those of sets that are not boxes. The
//! ends of boxes are bounds ([`crate::formula::set_bounds`]).

use blo_engine::graph::Function;
use blo_engine::model::problem::{ConstraintKind, LevelId, Problem, Variable};
use blo_engine::set::Relation;

use crate::formula::problem_graph::ProblemGraph;

/// An array of rows over the formals: `c <= 0`, or `h = 0`, entry by entry.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// One output: c, or h.
    pub(crate) value: Function,
    /// h, whose multiplier has any sign.
    pub(crate) equality: bool,
    /// Its place among the constraints of its level; nothing for the rows of a set.
    pub(crate) constraint: Option<usize>,
}

/// True where the set of a variable is neither a box nor a list of rows: a cone, the ball of the l1 norm, a set of every
/// follower.
pub(crate) fn is_beyond_rows(variable: &Variable) -> bool {
    variable.set.as_ref().is_some_and(|s| !s.set.is_box && (s.each || s.set.rows.is_none()))
}

/// The rows of a level; sets that have none are left out ([`is_beyond_rows`]).
pub(crate) fn rows(problem: &Problem, level: LevelId) -> Vec<Rows> {
    let constraints = problem.level(level).constraints.iter().enumerate();
    let mut found: Vec<Rows> = constraints
        .map(|(i, c)| Rows {
            value: c.value.clone(),
            equality: c.kind == ConstraintKind::Equality,
            constraint: Some(i),
        })
        .collect();
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
            constraint: None,
        }));
    }
    found
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
