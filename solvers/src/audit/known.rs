//! What the literature knows of the optimum, checked where it can be computed: is the point feasible, does it solve the
//! lower level, do the stated objectives agree with it? A wrong digit in `known` would otherwise judge every method.

use blo_engine::calculus::{Analysis, Verdict, strongly_convex};
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{ConstraintKind, LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::known_distance::{errors, known_distances};
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::report;
use crate::lower::constrained::ConstrainedLower;
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::message;
use crate::small::search::is_out_of_reach;
use crate::solution::KnownError;
use crate::solution::trace::Row;
use crate::tolerances::POLISHED;

/// Distance to a set against the size of the point, above which it is outside.
const OUTSIDE: f64 = 1e-6;

/// Residual of the lower level against that at the start, above which it is not solved: points are printed with a few
/// digits.
const UNSOLVED: f64 = 1e-3;

/// Relative difference of objectives above which they do not agree.
const DIFFERENT: f64 = 1e-3;

/// Most evaluations to solve the lower level at a known x without a known y.
const MOST: u64 = 20_000;

/// Points are printed with a few digits, so that they violate rows.
const DIGITS: f64 = 1e-2;

/// Most flops to solve a lower level with rows, and its starts where it is not convex.
const BUDGET: f64 = 1e9;
const STARTS: usize = 20;

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Evaluations at the known point only.
    Evaluate,
    /// With rows, the lower level is solved at the known x, to be compared with the known y; without a known y, where its
    /// solution is unique enough.
    Solve,
}

/// Checks what is known; `near` chooses among several known points and holds one array per variable, by default the
/// start. Warnings are contradictions, notes say what could not be checked. Nothing known gives nothing, and neither does a
/// check that is stopped.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn check_known(
    problem: &Problem,
    data: &Bindings,
    near: Option<&[Vec<f64>]>,
    effort: Effort,
) -> Result<Vec<Diagnostic>, Box<Diagnostic>> {
    let known = &problem.known;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let start = outputs(&problem.start, problem, data, &[])?;
    let mut point = near.unwrap_or(&start).to_vec();
    for (i, nearest) in known.nearest.iter().enumerate() {
        if let Some(nearest) = nearest {
            point[i] = outputs(nearest, problem, data, &point)?.swap_remove(0);
        }
    }
    let mut check = Check { problem, data, point, start, found: Vec::new() };
    check.feasible()?;
    check.optimal(effort)?;
    if data.stop.is_set() {
        // What was cut short contradicts nothing.
        check.found.clear();
    }
    Ok(check.found)
}

/// How far the rows of a run are from what is known: an entry per row with its errors, none for a row that does not hold
/// its variables.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn known_errors(problem: &Problem, data: &Bindings, rows: &[Row]) -> Result<Vec<Vec<KnownError>>, Box<Diagnostic>> {
    let (function, names) = known_distances(problem);
    if names.is_empty() {
        return Ok(vec![Vec::new(); rows.len()]);
    }
    let mut machine = BoundProgram::<f64>::new(&function, problem, data, 1)?;
    let mut of_row = |row: &Row| {
        if row.variables.is_empty() {
            return Vec::new();
        }
        for (v, values) in problem.variables().zip(&row.variables) {
            machine.set(v.formal, values);
        }
        machine.run();
        errors(names.clone(), |i| machine.scalar(i), [row.upper, row.lower])
    };
    Ok(rows.iter().map(&mut of_row).collect())
}

/// The known point nearest to another one, an array per variable; `None` unless every variable is known.
///
/// # Errors
/// When the memory cannot be allocated.
pub(crate) fn nearest_known(
    problem: &Problem,
    data: &Bindings,
    point: &[Vec<f64>],
) -> Result<Option<Vec<Vec<f64>>>, Box<Diagnostic>> {
    let nearest: Option<Vec<&Function>> = problem.known.nearest.iter().map(Option::as_ref).collect();
    let arrays = |f: &&Function| Ok(outputs(f, problem, data, point)?.swap_remove(0));
    nearest.map(|nearest| nearest.iter().map(arrays).collect()).transpose()
}

struct Check<'a> {
    problem: &'a Problem,
    data: &'a Bindings,
    /// One array per variable; what is not known is a place holder.
    point: Vec<Vec<f64>>,
    start: Vec<Vec<f64>>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// Variables of known value are in their sets.
    fn feasible(&mut self) -> Result<(), Box<Diagnostic>> {
        let (problem, known) = (self.problem, &self.problem.known);
        let judged: Vec<_> =
            problem.variables().filter(|v| known.nearest[v.formal].is_some() && v.set.is_some()).collect();
        let mut p = ProblemGraph::new(problem);
        let nodes: Vec<NodeId> = judged.iter().map(|v| p.project_variable(v, NodeId(v.formal as u32))).collect();
        let projected = outputs(&p.function("projected", &nodes), problem, self.data, &self.point)?;
        for (v, projected) in judged.iter().zip(projected) {
            let size = norm(self.point[v.formal].iter().copied());
            let away = norm(self.point[v.formal].iter().zip(&projected).map(|(a, b)| a - b));
            if away.is_nan() || away > OUTSIDE * size.max(1.0) {
                let set = v.set.as_ref().map_or(v.span, |s| s.span);
                self.found.push(message::known_not_feasible(known.spans[v.formal], &v.name, away, set));
            }
        }
        self.rows_hold()
    }

    /// Rows hold at the point, where all that they hold is known.
    fn rows_hold(&mut self) -> Result<(), Box<Diagnostic>> {
        let (problem, known) = (self.problem, &self.problem.known);
        let unknown = |f: &Function| {
            problem.variables().any(|v| known.nearest[v.formal].is_none() && f.depends_on(v.formal))
                || problem.multiplier_inputs().any(|(item, ..)| f.depends_on(item.formal))
        };
        for row in problem.levels.iter().flat_map(|level| &level.constraints).filter(|row| !unknown(&row.value)) {
            let values = outputs(&row.value, problem, self.data, &self.point)?.swap_remove(0);
            let away = match row.kind {
                ConstraintKind::Inequality => {
                    values.iter().fold(0.0, |a: f64, c| if c.is_nan() { *c } else { a.max(*c) })
                }
                ConstraintKind::Equality => norm(values.iter().copied()),
            };
            let held = problem.variables().filter(|v| row.value.depends_on(v.formal));
            let size = norm(held.flat_map(|v| self.point[v.formal].iter().copied()));
            if away.is_nan() || away > OUTSIDE * size.max(1.0) {
                self.found.push(message::known_violates_row(known.span, &row.name, away, row.span));
            }
        }
        Ok(())
    }

    /// The lower level and the objectives.
    fn optimal(&mut self, effort: Effort) -> Result<(), Box<Diagnostic>> {
        let (problem, known) = (self.problem, &self.problem.known);
        let upper = problem.upper().variables.len();
        let missing = |from: usize, to: usize| {
            let open =
                problem.variables().filter(|v| (from..to).contains(&v.formal) && known.nearest[v.formal].is_none());
            open.map(|v| format!("`{}`", v.name)).collect::<Vec<_>>()
        };
        let (x, y) = (missing(0, upper), missing(upper, known.nearest.len()));
        if !x.is_empty() {
            let why = format!("nothing is known of {}", x.join(", "));
            self.skip("the lower level and the objectives", &why);
            return Ok(());
        }
        if !problem.rows(LevelId::LOWER).is_empty() {
            let why = match () {
                () if !y.is_empty() => format!("nothing is known of {}", y.join(", ")),
                () if effort == Effort::Evaluate => {
                    "it has rows of `subject to`, and would have to be solved".to_owned()
                }
                () if is_out_of_reach(problem) => "it has rows beside a proximal part, kinks or a cone".to_owned(),
                () => String::new(),
            };
            match why.is_empty() {
                true => self.solves_lower_rows()?,
                false => self.skip("that the point solves the lower level", &why),
            }
            if !y.is_empty() {
                return Ok(());
            }
        } else if y.is_empty() {
            let here = self.residual(&self.point)?;
            let begin: Vec<Vec<f64>> = self.point[..upper].iter().chain(&self.start[upper..]).cloned().collect();
            let reference = self.residual(&begin)?;
            let size = norm(self.point[upper..].iter().flatten().copied());
            if here.is_nan() || here > (UNSOLVED * reference).max(OUTSIDE * (1.0 + size)) {
                self.found.push(message::known_not_lower_optimal(known.span, here, reference));
            }
        } else {
            self.skip("that the point solves the lower level", &format!("nothing is known of {}", y.join(", ")));
            let stated = known.upper.is_some() || known.lower.is_some();
            if effort == Effort::Evaluate || !stated || !problem.lower_is_convex() || !self.solve_lower()? {
                return Ok(());
            }
        }
        // Solutions of a convex lower level share the lower objective; the upper one may differ among them.
        self.objectives(y.is_empty() || self.is_unique())
    }

    /// The lower objective at the point against that of the lower level solved with its rows, from there and from
    /// elsewhere. A point that violates rows is told of them alone: its objective says nothing.
    fn solves_lower_rows(&mut self) -> Result<(), Box<Diagnostic>> {
        let below = self.problem.range(LevelId::LOWER);
        let (x, y) = (self.point[..below.start].concat(), self.point[below].concat());
        let mut lower = ConstrainedLower::new(self.problem, self.data, 1, 0)?;
        lower.budget = BUDGET;
        let starts = if lower.facts.convex { 1 } else { STARTS };
        let solutions = lower.solutions(&x, &[&y], starts);
        let least = solutions.first().map(|s| s.value);
        let here = lower.measure(&x, &y).filter(|m| m.violation() <= DIGITS).map(|m| m.lower);
        match (here, least) {
            (Some(here), Some(least)) if here - least > DIFFERENT * (1.0 + least.abs().max(here.abs())) => {
                let sign = self.problem.lower().sign();
                let span = self.problem.known.span;
                self.found.push(message::known_above_lower_optimum(span, sign * here, sign * least));
            }
            (Some(_), None) => self.skip("that the point solves the lower level", "no lower solution was found there"),
            _ => {}
        }
        Ok(())
    }

    /// The objectives that are stated; the upper one only where the point determines it.
    fn objectives(&mut self, compare_upper: bool) -> Result<(), Box<Diagnostic>> {
        let (problem, known) = (self.problem, &self.problem.known);
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let parts = [Part::Upper, Part::Smooth, Part::Proximal].map(|part| p.value(part, &x, &y));
        let values = outputs(&p.function("objectives", &parts), problem, self.data, &self.point)?;
        let found = [problem.upper().sign() * values[0][0], problem.lower().sign() * (values[1][0] + values[2][0])];
        let stated = [("upper", &known.upper, compare_upper), ("lower", &known.lower, true)];
        for (((name, stated, compare), found), span) in stated.into_iter().zip(found).zip(known.objective_spans) {
            let Some(stated) = stated else { continue };
            if name == "upper" && problem.upper_reads_multipliers() {
                self.skip("the known `upper`", "it holds multipliers, which only a run has");
                continue;
            }
            if !compare {
                self.skip(&format!("the known `{name}`"), "the lower level may have several solutions");
                continue;
            }
            let stated = outputs(stated, problem, self.data, &self.point)?[0][0];
            let away = (stated - found).abs();
            if away.is_nan() || away > DIFFERENT * stated.abs().max(found.abs()).max(DIFFERENT) {
                self.found.push(message::known_objective_differs(span, name, stated, found));
            }
        }
        Ok(())
    }

    fn skip(&mut self, what: &str, why: &str) {
        self.found.push(message::known_not_checked(self.problem.known.span, what, why));
    }

    fn residual(&self, point: &[Vec<f64>]) -> Result<f64, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(self.problem);
        let (x, y) = (p.x(), p.y());
        let residual = report::lower_residual(&mut p, &x, &y);
        Ok(outputs(&p.function("residual", &[residual]), self.problem, self.data, point)?[0][0])
    }

    /// Puts the lower level's solution at the known x into the point; false where it is not reached.
    fn solve_lower(&mut self) -> Result<bool, Box<Diagnostic>> {
        let start = LowerStart { point: &self.point, reference: None, tolerance: POLISHED, limit: MOST };
        let found = LowerSolver::new(self.problem, self.data, 1)?.solve(&start, &mut || false);
        let upper = self.problem.upper().variables.len();
        let solved = found.solved || found.residual <= OUTSIDE * (1.0 + norm(found.values.iter().flatten().copied()));
        self.point.splice(upper.., found.values);
        Ok(solved)
    }

    /// True where the lower level is proved to have one solution.
    fn is_unique(&self) -> bool {
        let f = &self.problem.lower().objective;
        let lower = self.problem.lower_inputs();
        let analysis = Analysis::new(f, &self.problem.signs(f), &lower);
        strongly_convex(f, &analysis, f.outputs()[0], &lower) == Verdict::Proved
    }
}

/// The outputs of a function of the formals at a point; without one, of data alone.
fn outputs(
    f: &Function,
    problem: &Problem,
    data: &Bindings,
    point: &[Vec<f64>],
) -> Result<Vec<Vec<f64>>, Box<Diagnostic>> {
    if f.outputs().is_empty() {
        return Ok(Vec::new());
    }
    let mut machine = BoundProgram::<f64>::new(f, problem, data, 1)?;
    for (v, values) in problem.variables().zip(point) {
        machine.set(v.formal, values);
    }
    machine.run();
    Ok((0..f.outputs().len()).map(|i| machine.output(i).to_vec()).collect())
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{LASSO, MERELY_CONVEX, data, problem};

    fn codes(text: &str) -> Vec<&'static str> {
        let problem = problem(text);
        let found = check_known(&problem, &data(&problem), None, Effort::Solve).unwrap();
        found.iter().map(|d| d.code).collect()
    }

    #[test]
    fn what_is_right_is_not_reported() {
        assert_eq!(codes(MERELY_CONVEX), [""; 0]);
        assert_eq!(codes(LASSO), [""; 0]);
        assert_eq!(codes("upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2 }"), [""; 0]);
    }

    /// Ridge: f = (y - 2)^2 + x y^2 at x = 1 has y = 1 and value 2.
    fn ridge(known: &str) -> Vec<&'static str> {
        codes(&format!(
            "upper {{ var x in [0, 1]  maximize -(y - 1)^2 - x + 1 }}
             lower {{ var y in [-5, 5]  minimize (y - 2)^2 + x*y^2 }}  known {{ {known} }}"
        ))
    }

    #[test]
    fn every_contradiction_is_told() {
        assert_eq!(ridge("x = 1;  y = 1;  upper = 0;  lower = 2"), [""; 0]);
        assert_eq!(ridge("x = 1.5;  y = 0.8"), ["W0622"]);
        assert_eq!(ridge("x = 1;  y = 6"), ["W0622", "W0623"]);
        assert_eq!(ridge("x = 1;  y = 0.9;  upper = -1/100"), ["W0623"]);
        assert_eq!(ridge("x = 1;  y = 1;  upper = 1;  lower = -2"), ["W0624", "W0624"]);
    }

    #[test]
    fn rows_and_the_lower_level_that_has_them_are_judged_at_the_point() {
        let rows = |known: &str| {
            codes(&format!(
                "upper {{ var x  minimize (x - 1)^2 + y  subject to {{ x + y >= 1 }} }}
                 lower {{ var y in [0, 2*x]  minimize (y - x)^2  subject to {{ link: y^2 <= x;  both: x*y == 1 }} }}
                 known {{ {known} }}"
            ))
        };
        assert_eq!(rows("x = 1;  y = 1;  upper = 1"), [""; 0]);
        assert_eq!(rows("x = 1;  y = 1.0000001"), [""; 0]);
        assert_eq!(rows("x = 1/2;  y = 2;  upper = 1"), ["W0622", "W0622", "W0624"]);
        assert_eq!(rows("x = 0"), ["N0603"]);
        assert_eq!(rows("x = 1/4;  y = 1/2"), ["W0622", "W0622"]);
        // the lower solution is at the row, whose multiplier is not zero: a residual without it would not vanish
        let active = |known: &str| {
            codes(&format!(
                "upper {{ var x  minimize (x - 1)^2 + y }}
                 lower {{ var y  minimize (y - x)^2 + sin(3*y)/9  subject to {{ cap: y <= x - 1;  y >= -9 }} }}
                 known {{ {known} }}"
            ))
        };
        assert_eq!(active("x = 1;  y = 0"), [""; 0]);
        assert_eq!(active("x = 1;  y = 1/1000"), ["W0622"]);
        assert_eq!(active("x = 1;  y = -1"), ["W0623"]);
        let without_y = "upper { var x  minimize x^2 }  lower { var y  minimize (y - x)^2  subject to { y <= x } }
            known { x = 0;  lower = 0 }";
        assert_eq!(codes(without_y), ["N0603"]);
    }

    #[test]
    fn without_y_the_lower_level_is_solved_where_that_decides() {
        assert_eq!(ridge("x = 1"), ["N0603"]);
        assert_eq!(ridge("y = 1"), ["N0603"]);
        // The calculus proves f convex, not strongly: the value is unique, the solution need not be.
        let merely = |known: &str| {
            codes(&format!(
                "upper {{ var x  minimize (x - y)^2 }}  lower {{ var y  var z  minimize (y + z - x)^2 + 1 }}
                 known {{ x = 2;  {known} }}"
            ))
        };
        assert_eq!(merely("lower = 1"), ["N0603"]);
        assert_eq!(merely("lower = 3"), ["N0603", "W0624"]);
        assert_eq!(merely("upper = 3"), ["N0603", "N0603"]);
        let strong = |upper: &str| {
            codes(&format!(
                "upper {{ var x  minimize (x - y)^2 }}  lower {{ var y  minimize (y - x/2)^2 }}
                 known {{ x = 2;  upper = {upper} }}"
            ))
        };
        assert_eq!(strong("1"), ["N0603"]);
        assert_eq!(strong("1.1"), ["N0603", "W0624"]);
    }
}
