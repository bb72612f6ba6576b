//! Derivatives of the optimal upper objective in the params of a problem. The params are upper variables of a copy of the
//! problem (`model::vary`), so the adjoint system that gives hypergradients gives these:
//! `phi_p = F_p + T_p' w` with `(I - T_y') w = F_y`. At an optimal x it is the derivative of the optimal value where the
//! upper sets do not depend on p (the envelope theorem). Where they do, x moves with them: for `x = Proj(x - G; p)` with
//! the hypergradient G, the multipliers of the sets' bounds add `G' Proj_p(x - G; p)`.

use std::collections::HashSet;

use blo_engine::diff::{gradient, vjp};
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::{Level, LevelId, Problem};
use blo_engine::model::{Bindings, Varied};
use blo_engine::oracle::{self, Tensor, Value};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::adjoint::Adjoint;
use crate::solution::{NoDerivative, Sensitivity, Solution, Status};
use crate::tolerances::LOWER_SOLVED;

/// A hypergradient of this share of its two parts, of F in x and of F along y, is one that vanishes: runs of penalty
/// methods end with errors of 1e-3.
const STATIONARY: f64 = 1e-2;

/// Where it does not vanish.
const NOT_STATIONARY: &str =
    "the hypergradient at the end point is not zero: the run has not come to its end, or x is at a kink of F(x, y(x))";

/// The derivative of the upper objective at the end of a run, in the user's sign, in every scalar param of the problem. A
/// param without a derivative has the reason in its place.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn sensitivity(
    problem: &Problem,
    data: &Bindings,
    varied: &Varied,
    solution: &Solution,
    threads: u64,
) -> Result<Vec<Sensitivity>, Box<Diagnostic>> {
    let mut found = Vec::new();
    if let Some(of_params) = &varied.problem {
        let names = of_params.varied.iter().map(|p| p.name.clone());
        let none = |why: &str| {
            let none = |name| Sensitivity { name, derivative: Err(NoDerivative { why: why.to_owned(), span: None }) };
            names.clone().map(none).collect::<Vec<_>>()
        };
        match (varied.bindings(problem, data), unfit(problem, solution)) {
            (_, Some(why)) => found.extend(none(why)),
            (None, _) => found.extend(none("data are read differently where it varies")),
            (Some(data), None) => found.extend(Derivatives::new(of_params, &data, solution, threads)?.all()),
        }
    }
    for (name, d) in &varied.refused {
        let why = format!("it has to be constant: {}", d.message);
        found.push(Sensitivity {
            name: name.clone(),
            derivative: Err(NoDerivative { why, span: Some(d.primary.span) }),
        });
    }
    Ok(found)
}

/// Why the end of a run has no derivatives.
fn unfit(problem: &Problem, solution: &Solution) -> Option<&'static str> {
    if problem.has_rows() {
        return Some("derivatives through the rows of `subject to` in a param are not computed");
    }
    let all = solution.upper.variables.iter().chain(&solution.lower.variables);
    let finite = all.into_iter().all(|(_, a)| a.values.iter().all(|v| v.is_finite()));
    let solved = solution.residuals.lower <= LOWER_SOLVED * solution.lower_reference;
    match solution.status {
        Status::Diverged | Status::NotFinite => Some("the run has no end point"),
        _ if !finite || !solution.evaluated => Some("the run has no end point"),
        _ if !solved => Some("the lower level is not solved at the end point"),
        _ => None,
    }
}

/// What is known of the params at the end point.
struct Derivatives<'a> {
    problem: &'a Problem,
    data: &'a Bindings,
    /// Per param: the derivative where no other param moves with it.
    alone: Vec<Result<f64, &'static str>>,
    /// Params that something depends on.
    used: HashSet<usize>,
}

impl<'a> Derivatives<'a> {
    fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        solution: &Solution,
        threads: u64,
    ) -> Result<Derivatives<'a>, Box<Diagnostic>> {
        let values = |level: &crate::solution::LevelResult| -> Vec<Vec<f64>> {
            level.variables.iter().map(|(_, array)| array.values.clone()).collect()
        };
        let first = solution.upper.variables.len();
        let mut x = values(&solution.upper);
        x.extend(problem.varied.iter().map(|param| vec![param.value]));
        let at = Adjoint::new(problem, data, threads)?.at(&x, &values(&solution.lower));
        let (mut of_sets, mut stationary) = (vec![0.0; problem.varied.len()], true);
        if let Some(total) = at.total.as_ref().filter(|_| first > 0) {
            let sets = UpperSets::new(problem, data, &x, &total[..first], threads);
            let along_y = total[..first].iter().flatten().zip(at.partial[..first].iter().flatten());
            let along_y: Vec<f64> = along_y.map(|(total, partial)| total - partial).collect();
            let size = norm(along_y.iter()) + norm(at.partial[..first].iter().flatten());
            stationary = sets.residual()? <= STATIONARY * size;
            of_sets = sets.slopes()?;
        }
        let sign = problem.upper().sign();
        let mut alone = Vec::new();
        let mut used = HashSet::new();
        for (param, of_sets) in of_sets.into_iter().enumerate() {
            let input = first + param;
            let [above, below, in_sets] = [
                problem.upper().objective.depends_on(input),
                level_depends_on(problem.lower(), input),
                sets_depend_on(problem.upper(), input),
            ];
            if above || below || in_sets {
                used.insert(param);
            }
            alone.push(match &at.total {
                _ if !stationary => Err(NOT_STATIONARY),
                Some(total) => finite(sign * (total[input][0] + of_sets)),
                // with y and x fixed, where neither depends on it
                None if !below && !in_sets => finite(sign * at.partial[input][0]),
                None => {
                    Err("the lower solution does not move smoothly: its linear system is singular at the end point")
                }
            });
        }
        Ok(Derivatives { problem, data, alone, used })
    }

    /// Every param with what moves where it does: the params that are defined by it, too.
    fn all(self) -> Vec<Sensitivity> {
        let count = self.problem.varied.len();
        let moved: Vec<Vec<f64>> = (0..count).map(|param| self.definition(param)).collect();
        // definitions have no cycles, so that so many rounds reach the ends of all chains
        let mut total = self.alone.clone();
        let mut used = self.used.clone();
        for _ in 0..count {
            let before = (total.clone(), used.clone());
            for param in 0..count {
                total[param] = self.alone[param];
                for other in (0..count).filter(|other| moved[*other][param] != 0.0 && before.1.contains(other)) {
                    used.insert(param);
                    total[param] = match (total[param], before.0[other]) {
                        (Ok(own), Ok(others)) => finite(own + moved[other][param] * others),
                        (Err(why), _) | (_, Err(why)) => Err(why),
                    };
                }
            }
            if before == (total.clone(), used.clone()) {
                break;
            }
        }
        let entry = |param: usize| {
            let derivative = if used.contains(&param) { total[param] } else { Err("it does not enter the objectives") };
            let derivative = derivative.map_err(|why| NoDerivative { why: why.to_owned(), span: None::<Span> });
            Sensitivity { name: self.problem.varied[param].name.clone(), derivative }
        };
        (0..count).map(entry).collect()
    }

    /// The derivatives of a param's definition in every param.
    fn definition(&self, param: usize) -> Vec<f64> {
        let varied = &self.problem.varied;
        let function = &varied[param].definition;
        let first = self.problem.upper().variables.len() - varied.len();
        let wrt: Vec<usize> = (first..first + varied.len()).collect();
        if !function.output_depends_on(0, &wrt) {
            return vec![0.0; varied.len()];
        }
        let value = |input: usize| {
            let value = if wrt.contains(&input) { varied[input - first].value } else { 0.0 };
            Value::Real(Tensor::new(Vec::new(), vec![value]))
        };
        let values: Vec<Value<f64>> = (0..function.inputs.len()).map(value).collect();
        let slopes = oracle::evaluate(&gradient(function, &wrt), &self.data.sizes, &values);
        slopes.into_iter().map(|slope| slope.values[0]).collect()
    }
}

fn finite(value: f64) -> Result<f64, &'static str> {
    if value.is_finite() { Ok(value) } else { Err("its derivative is not a finite number at the end point") }
}

/// True where the objective, the proximal part or a set of a level needs an input.
fn level_depends_on(level: &Level, input: usize) -> bool {
    let weights = level.variables.iter().filter_map(|v| v.prox.as_ref()).any(|prox| prox.weights.depends_on(input));
    let value = level.regularizer.as_ref().is_some_and(|g| g.depends_on(input));
    level.objective.depends_on(input) || value || weights || sets_depend_on(level, input)
}

fn sets_depend_on(level: &Level, input: usize) -> bool {
    let depends = |f: &Function| input < f.inputs.len() && f.depends_on(input);
    level.variables.iter().filter_map(|v| v.set.as_ref()).any(|set| depends(&set.parameters))
}

/// `Proj_X(x - G; p)`, for the upper variables that are no params.
struct UpperSets<'a> {
    problem: &'a Problem,
    data: &'a Bindings,
    threads: u64,
    x: &'a [Vec<f64>],
    g: &'a [Vec<f64>],
    /// Inputs of G.
    inputs: Vec<usize>,
    projection: Function,
}

impl<'a> UpperSets<'a> {
    fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        x: &'a [Vec<f64>],
        g: &'a [Vec<f64>],
        threads: u64,
    ) -> UpperSets<'a> {
        let mut p = ProblemGraph::new(problem);
        let d = p.point("G", LevelId::UPPER);
        let inputs: Vec<usize> = d.nodes.iter().map(|node| p.position(*node)).collect();
        let moved: Vec<NodeId> = p.x().nodes.iter().zip(&d.nodes).map(|(x, d)| p.graph.sub(*x, *d)).collect();
        let moved = p.project_upper(&moved, "x - G");
        let projection = p.function("x moved into its sets", &moved.nodes[..g.len()]);
        UpperSets { problem, data, threads, x, g, inputs, projection }
    }

    /// A function of x, p, G and more inputs, each of the length of G, that take the values of G, too.
    fn run(&self, function: &Function) -> Result<BoundProgram<f64>, Box<Diagnostic>> {
        let mut program = BoundProgram::<f64>::new(function, self.problem, self.data, self.threads)?;
        for (input, values) in self.x.iter().enumerate() {
            program.set(input, values);
        }
        let more = self.projection.inputs.len();
        for (i, values) in self.g.iter().enumerate() {
            program.set(self.inputs[i], values);
            if program.has_input(more + i) {
                program.set(more + i, values);
            }
        }
        for input in &self.inputs[self.g.len()..] {
            program.set(*input, &[0.0]);
        }
        program.run();
        Ok(program)
    }

    /// `|x - Proj_X(x - G)|`.
    fn residual(&self) -> Result<f64, Box<Diagnostic>> {
        let moved = self.run(&self.projection)?;
        let squares = |i: usize| {
            let pairs = moved.output(i).iter().zip(&self.x[i]);
            pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>()
        };
        Ok((0..self.g.len()).map(squares).sum::<f64>().sqrt())
    }

    /// `G' Proj_p(x - G; p)` per param.
    fn slopes(&self) -> Result<Vec<f64>, Box<Diagnostic>> {
        let params: Vec<usize> = (self.g.len()..self.x.len()).collect();
        if !params.iter().any(|input| sets_depend_on(self.problem.upper(), *input)) {
            return Ok(vec![0.0; params.len()]);
        }
        let program = self.run(&vjp(&self.projection, &params))?;
        Ok((0..params.len()).map(|output| program.scalar(output)).collect())
    }
}

fn norm<'v>(arrays: impl Iterator<Item = &'v f64>) -> f64 {
    arrays.map(|v| v * v).sum::<f64>().sqrt()
}
