//! VF-iDCA: Lucy Gao, Jane Ye, Haian Yin, Shangzhi Zeng, Jin Zhang, "Value function based difference-of-convex algorithm
//! for bilevel hyperparameter selection problems", ICML 2022, Algorithm 1. The penalties of a lower level
//! `min_y l(y) + sum_i x_i P_i(y)` become levels, `min_y l(y) with P_i(y) <= r_i`, whose value function is convex: its
//! linearization makes the constraint "y solves the lower level" convex, and the multipliers are the penalties.
//!
//! Subproblems are conic programs. So F and l are convex quadratics of y, and the P_i are norms and squares.

mod logarithm;
mod model;
mod penalty;
mod quadratic;
#[cfg(test)]
mod tests;

use blo_engine::calculus::{Analysis, Assumption, Verdict, convex};
use blo_engine::diff::reverse;
use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem, Variable};
use blo_engine::shape::Shape;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use serde::{Deserialize, Serialize};

use self::logarithm::{entry, logarithms, of_penalties, penalty as penalty_of};
use self::model::{At, LowerAt, Model, Weights};
use self::penalty::PenaltyPrograms;
use self::quadratic::QuadraticPrograms;
use crate::formula::problem_graph::{Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::set_bounds::set_bounds;
use crate::formula::start_point::start_point;
use crate::iteration::control::{Control, Iterate, Next};
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::{Built, Context, Repeat, Rows, Stage, Work, memory};
use crate::lower::vectors::dot;
use crate::message;
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MethodEntry, Range, option};
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The least level as a share of the largest at the start.
const LEAST: f64 = 1e-6;

/// The entry.
pub(in crate::method) static VFIDCA: MethodEntry = MethodEntry {
    name: "vfidca",
    doc: "inexact difference-of-convex algorithm on the value function",
    citation: "Gao, Ye, Yin, Zeng, Zhang, ICML 2022, Alg. 1",
    formula: &[
        "v(r) = min { l(y) : P_i(y) <= r_i },  m_k its multipliers at r_k,  x_k = m_k,  y = argmin at r_k",
        "V(y, r) = l(y) - v(r_k) + m_k'(r - r_k)",
        "(y,r)+ = argmin over r >= 0 of F(y) + rho/2 |(y,r) - (y,r)_k|^2 + alpha t,  t = max(0, V, max_i(P_i(y) - r_i))",
        "e = |(y,r)+ - (y,r)_k|/(1 + |(y,r)_k|^2)^(1/2);  alpha grows by delta where alpha e <= c min(1, alpha t)",
    ],
    requires: &[Assumption::Convex],
    options: &[
        option("rho", "rho", Kind::Number(Range::Positive), Some("1"), "proximal weight of a subproblem"),
        option("delta", "delta", Kind::Number(Range::Positive), Some("5"), "increase of the penalty"),
        option("c", "c", Kind::Number(Range::Positive), Some("1"), "when the penalty increases"),
        option("a0", "alpha_0", Kind::Number(Range::Positive), Some("1"), "first penalty"),
        option(
            "r0",
            "r_0",
            Kind::Number(Range::Positive),
            None,
            "first constraint levels; automatic is P(y) with the lower level solved at the start x",
        ),
        option(
            "tol",
            "tol",
            Kind::Number(Range::NonNegative),
            Some("0.1"),
            "stop when steps and violation are this small",
        ),
        option("max_iter", "", Kind::Integer(0), Some("10"), "subproblems at most"),
    ],
};

/// The method.
pub(in crate::method) struct Vfidca;

impl Method for Vfidca {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        unfit(problem)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        let mut p = p;
        let (x, y) = (p.x(), p.y());
        let number = |_: &Variable| Shape::default();
        let progress = p.state_of("progress", LevelId::LOWER, StartsAt::Zero, &number);
        let rule = Rule {
            rho: settings.number("rho"),
            delta: settings.number("delta"),
            c: settings.number("c"),
            alpha: settings.number("a0"),
            level: settings.get("r0").value.as_ref().map(|_| settings.number("r0")),
            tol: settings.number("tol"),
        };
        let written: Vec<usize> = p.positions(&progress);
        let make = move |context: &Context<'_>| {
            Ok(Box::new(Subproblems::new(context, rule, written.clone())?) as Box<dyn External>)
        };
        let stage = Stage {
            name: "a convex subproblem, then the constrained lower level at its levels".to_string(),
            work: Work::External(Box::new(make)),
            repeat: Repeat::Once,
            writes: x.nodes.iter().chain(&y.nodes).chain(&progress.nodes).map(|n| p.part_of(*n)).collect(),
            begins: Vec::new(),
            counts: Counts::default(),
        };
        let report = report::standard(&mut p, &x, &y, Stationarity::default());
        let progress = p.positions(&progress);
        let iteration = p.iteration(vec![stage], report);
        let control = move |_: &Context<'_>| {
            let ends = Ends { progress: progress.clone(), levels_of_start: rule.level.is_none(), failed: false };
            Ok(Box::new(ends) as Box<dyn Control>)
        };
        let control = Box::new(control);
        Built { iteration, control, most: None }
    }
}

/// What the subproblems cannot hold.
fn unfit(problem: &Problem) -> Option<Unfit> {
    let refused = |what, because| Some(Unfit { what, because });
    let (upper, lower) = (problem.upper(), problem.lower());
    let (of_x, of_y) = (problem.upper_inputs(), problem.lower_inputs());
    let on_x = |f: &Function| of_x.iter().any(|x| f.depends_on(*x));
    if !lower.terms.iter().any(|t| on_x(&t.weight)) {
        return refused("a lower level without penalties in x", "its upper variables are the multipliers of penalties");
    }
    if on_x(&upper.objective) || upper.regularizer.is_some() {
        return refused("an upper objective in x", "its subproblems know x only as multipliers");
    }
    if on_x(&lower.objective) {
        return refused("a lower objective in x", "x may only weigh the terms of `regularize`");
    }
    if lower.terms.iter().any(|t| !penalty::is_known(t)) {
        return refused("this proximal part", "its subproblems know absolute values, norms and squares only");
    }
    if lower.terms.iter().any(|t| !is_affine(&of_penalties(&t.weight, problem), problem, &of_x)) {
        return refused("this weight", "its multipliers stand for weights that are linear in x or in exp(x)");
    }
    let is_box = |v: &Variable| v.set.as_ref().is_none_or(|s| s.set.is_box && !on_x(&s.parameters));
    if !upper.variables.iter().chain(&lower.variables).all(is_box) {
        return refused("sets that are no boxes", "its multipliers and subproblems know bounds only");
    }
    let quadratic = |f: &Function| {
        let signs = problem.signs(f);
        let analysis = Analysis::new(f, &signs, &of_y);
        let used: Vec<usize> = of_y.iter().copied().filter(|y| f.depends_on(*y)).collect();
        let proved = convex(&analysis, f.outputs()[0]) == Verdict::Proved;
        proved && (used.is_empty() || is_affine(&reverse::gradient(f, &used), problem, &of_y))
    };
    if !quadratic(&upper.objective) {
        return refused("this upper objective", "its subproblems are conic only where F is a convex quadratic of y");
    }
    if !quadratic(&lower.objective) {
        return refused("this lower objective", "its subproblems are conic only where f is a convex quadratic of y");
    }
    None
}

/// True where all outputs are affine in these inputs.
fn is_affine(f: &Function, problem: &Problem, inputs: &[usize]) -> bool {
    let analysis = Analysis::new(f, &problem.signs(f), inputs);
    f.outputs().iter().all(|output| !analysis.depends(*output) || analysis.convexity(*output).is_affine())
}

/// The method's options.
#[derive(Clone, Copy, Debug)]
struct Rule {
    rho: f64,
    delta: f64,
    c: f64,
    alpha: f64,
    level: Option<f64>,
    tol: f64,
}

/// How an iteration ended, as the control sees it in the state.
const GOES_ON: f64 = 0.0;
const CONVERGED: f64 = 1.0;
const FAILED: f64 = 2.0;

/// Ends the run where the subproblems say so.
struct Ends {
    progress: Vec<usize>,
    /// The first levels are those of the start.
    levels_of_start: bool,
    failed: bool,
}

impl Control for Ends {
    fn scalars(&mut self, _: u64, _: &mut [f64]) {}

    fn accepted(&mut self, _: u64, iterate: &mut dyn Iterate) -> Next {
        let mut progress = [GOES_ON];
        self.progress.first().inspect(|input| iterate.read(**input, &mut progress));
        self.failed = progress == [FAILED];
        match progress {
            [GOES_ON] => Next::Continue,
            [how] => Next::EndOfPass { converged: how == CONVERGED, last: true },
        }
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        if self.failed { vec![message::no_subproblem()] } else { Vec::new() }
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        if self.levels_of_start { vec![("r0", Value::Word("P(y) at the start"))] } else { Vec::new() }
    }
}

/// What a run has reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reached {
    y: Vec<f64>,
    r: Vec<f64>,
    lower: LowerAt,
    /// The weight of the penalty.
    alpha: f64,
    /// The least level.
    least: f64,
}

struct Subproblems {
    rule: Rule,
    upper: QuadraticPrograms,
    lower: QuadraticPrograms,
    penalty: PenaltyPrograms,
    /// The start, an array per variable of both levels.
    start: Vec<Vec<f64>>,
    /// The entries of x that are logarithms of penalties, and the bounds of all.
    logarithms: Vec<bool>,
    bounds: Vec<[f64; 2]>,
    /// Number of upper variables.
    above: usize,
    progress: Vec<usize>,
    model: Model,
    reached: Option<Reached>,
}

impl Subproblems {
    fn new(context: &Context<'_>, rule: Rule, progress: Vec<usize>) -> Result<Subproblems, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let start: Vec<Vec<f64>> = start_point(problem, data, options.threads)?;
        let lengths: Vec<usize> = start.iter().map(Vec::len).collect();
        let bounds = |level: LevelId| {
            let variables = problem.level(level).variables.iter();
            let bounds: Result<Vec<_>, _> =
                variables.map(|v| set_bounds(v, lengths[v.formal], problem, data)).collect();
            bounds.map(|b| b.concat())
        };
        let mut upper = QuadraticPrograms::new(Part::Upper, context)?;
        let mut lower = QuadraticPrograms::new(Part::Smooth, context)?;
        let mut penalty = PenaltyPrograms::new(context, &lengths)?;
        let marks = logarithms(problem).into_iter().zip(&lengths);
        let logarithms: Vec<bool> = marks.flat_map(|(is, length)| vec![is; *length]).collect();
        let bounds_of_x = bounds(LevelId::UPPER)?;
        let both = bounds_of_x.iter().zip(&logarithms);
        let penalties = both.map(|(ends, is)| ends.map(|x| penalty_of(*is, x))).collect();
        let model = Model {
            upper: upper.read().ok_or_else(|| refused("this upper objective", "F is not a convex quadratic of y"))?,
            lower: lower.read().ok_or_else(|| refused("this lower objective", "f is not a convex quadratic of y"))?,
            atoms: penalty.read(),
            bounds_x: penalties,
            bounds_y: bounds(LevelId::LOWER)?,
        };
        if !model.is_monotone() {
            return Err(refused("these penalties", "a weight falls with x, and multipliers are not negative"));
        }
        let above = problem.upper().variables.len();
        Ok(Subproblems {
            rule,
            upper,
            lower,
            penalty,
            start,
            logarithms,
            bounds: bounds_of_x,
            above,
            progress,
            model,
            reached: None,
        })
    }

    /// The first levels, and y, which the first step is measured from.
    fn begin(&self) -> Option<Reached> {
        let (x, y) = self.start.split_at(self.above);
        let (x, y) = (x.concat(), y.concat());
        let (y, r) = match self.rule.level {
            Some(level) => (y, vec![level; x.len()]),
            None => {
                let ends = x.iter().zip(&self.logarithms).zip(&self.model.bounds_x);
                let x: Vec<f64> = ends.map(|((x, is), [low, high])| penalty_of(*is, *x).clamp(*low, *high)).collect();
                let y = self.model.penalized(&x, &y)?;
                let r = self.model.parts(&y);
                (y, r)
            }
        };
        let most = r.iter().fold(0.0, |m: f64, r| m.max(*r));
        let least = LEAST * if most > LEAST { most } else { 1.0 };
        let r: Vec<f64> = r.into_iter().map(|r| r.max(least)).collect();
        let lower = self.model.lower_at(&r, &y)?;
        Some(Reached { y, r, lower, alpha: self.rule.alpha, least })
    }

    /// A step; true at the end of a run that has converged.
    fn step(&self, from: &Reached) -> Option<(Reached, bool)> {
        let Rule { rho, delta, c, tol, .. } = self.rule;
        let Reached { y, r, lower, alpha, least } = from;
        let at = At { y, r, lower, least: *least };
        let next = self.model.subproblem(&at, Weights { rho, alpha: *alpha })?;
        let squares = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let step = (squares(&next.y, y) + squares(&next.r, r)).sqrt();
        let step = step / (1.0 + dot(y, y) + dot(r, r)).sqrt();
        let grows = alpha * step <= c * (alpha * next.violation).min(1.0);
        let alpha = if grows { alpha + delta } else { *alpha };
        let lower = self.model.lower_at(&next.r, &next.y)?;
        let reached = Reached { y: next.y, r: next.r, lower, alpha, least: *least };
        Some((reached, step < tol && next.violation < tol))
    }

    /// The penalties and the solution of the lower level that belongs to them.
    fn write(&self, reached: &Reached, iterate: &mut dyn Iterate) {
        let multipliers = reached.lower.multipliers.iter().zip(self.model.low());
        let penalties = multipliers.map(|(m, low)| low + m);
        let places = penalties.zip(&self.logarithms).zip(&self.bounds);
        let x: Vec<f64> = places.map(|((p, is), ends)| entry(*is, p, *ends)).collect();
        let mut rest: &[f64] = &[x, reached.lower.y.clone()].concat();
        for (input, values) in self.start.iter().enumerate() {
            let (part, after) = rest.split_at(values.len());
            iterate.write(input, part);
            rest = after;
        }
    }
}

impl External for Subproblems {
    fn run(&mut self, _: u64, iterate: &mut dyn Iterate, stop: &mut dyn FnMut() -> bool) {
        let from = self.reached.clone().or_else(|| self.begin());
        if stop() {
            return;
        }
        let next = from.as_ref().and_then(|from| self.step(from));
        let how = match &next {
            Some((_, true)) => CONVERGED,
            Some((_, false)) => GOES_ON,
            None => FAILED,
        };
        if let Some(reached) = next.map(|(reached, _)| reached).or(from) {
            self.write(&reached, iterate);
            self.reached = Some(reached);
        }
        self.progress.iter().for_each(|input| iterate.write(*input, &[how]));
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.upper.select(rows)?;
        self.lower.select(rows)?;
        self.penalty.select(rows)?;
        self.model.upper = self.upper.read().ok_or_else(|| refused("this upper objective", "F is not convex in y"))?;
        self.model.lower = self.lower.read().ok_or_else(|| refused("this lower objective", "f is not convex in y"))?;
        self.model.atoms = self.penalty.read();
        if let Some(reached) = self.reached.take() {
            let lower = self.model.lower_at(&reached.r, &reached.y);
            self.reached = lower.map(|lower| Reached { lower, ..reached });
        }
        Ok(())
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.reached, to);
    }

    fn load(&mut self, saved: &[u8]) {
        self.reached = memory::unpack(saved);
    }
}

/// What only the numbers show.
fn refused(what: &str, because: &str) -> Box<Diagnostic> {
    let instead: Vec<&str> = super::names().into_iter().filter(|m| *m != VFIDCA.name).collect();
    Box::new(message::cannot_take(Span::default(), VFIDCA.name, what, because, &instead))
}
