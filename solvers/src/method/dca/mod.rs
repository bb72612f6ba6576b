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
mod steps;
#[cfg(test)]
mod tests;

use blo_engine::calculus::{Analysis, Assumption, Verdict, convex};
use blo_engine::diff::reverse;
use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem, Variable};
use blo_engine::shape::Shape;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use self::logarithm::of_penalties;
use self::steps::{Constants, Places, Rule, Subproblems};
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::iteration::control::{Control, Iterate, Next};
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::{Built, Context, Repeat, Stage, Work, memory};
use crate::message;
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MethodEntry, Range, option};
use crate::options::settings::Settings;
use crate::options::value::Value;

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
        option(
            "rho",
            "rho",
            Kind::Number(Range::Positive),
            None,
            "proximal weight of a subproblem (1 in the authors' code); automatic is a share of F against |(y, r)|^2",
        ),
        option(
            "delta",
            "delta",
            Kind::Number(Range::Positive),
            None,
            "increase of the penalty (5 in the authors' code); automatic is 5 a0",
        ),
        option("c", "c", Kind::Number(Range::Positive), Some("1"), "when the penalty increases"),
        option(
            "a0",
            "alpha_0",
            Kind::Number(Range::Positive),
            None,
            "first penalty (1 in the authors' code); automatic weighs F against the lower level at the start, and grows \
             where a step would raise F",
        ),
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
            Some("1e-3"),
            "stop when steps and violation are this small (0.1 in the authors' code); with an automatic `a0` also when \
             steps gain less than this share of F",
        ),
        option(
            "max_iter",
            "",
            Kind::Integer(0),
            Some("50"),
            "subproblems at most (10 in the authors' code, 50 there for the sparse group lasso)",
        ),
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
        let mut told = |name: &str| p.state_of(name, LevelId::LOWER, StartsAt::Zero, &number);
        let told = [told("progress"), told("a0"), told("delta"), told("rho")];
        let rule = Rule::of(settings);
        let [progress, a0, delta, rho] = told.each_ref().map(|block| p.positions(block));
        let places = Places { progress, constants: [a0, delta, rho] };
        let written = places.clone();
        let make = move |context: &Context<'_>| {
            Ok(Box::new(Subproblems::new(context, rule, written.clone())?) as Box<dyn External>)
        };
        let nodes = x.nodes.iter().chain(&y.nodes).chain(told.iter().flat_map(|block| &block.nodes));
        let stage = Stage {
            name: "a convex subproblem, then the constrained lower level at its levels".to_string(),
            work: Work::External(Box::new(make)),
            repeat: Repeat::Once,
            writes: nodes.map(|n| p.part_of(*n)).collect(),
            begins: Vec::new(),
            counts: Counts::default(),
        };
        let report = report::standard(&mut p, &x, &y, Stationarity::default());
        let iteration = p.iteration(vec![stage], report);
        let control = move |_: &Context<'_>| {
            let ends = Ends { places: places.clone(), levels_of_start: rule.level.is_none(), seen: Seen::default() };
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

/// How an iteration ended, as the control sees it in the state.
const GOES_ON: f64 = 0.0;
const CONVERGED: f64 = 1.0;
const FAILED: f64 = 2.0;

/// Ends the run where the subproblems say so.
struct Ends {
    places: Places,
    /// The first levels are those of the start.
    levels_of_start: bool,
    seen: Seen,
}

/// What the last iteration has said.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Seen {
    failed: bool,
    constants: Constants,
}

impl Control for Ends {
    fn scalars(&mut self, _: u64, _: &mut [f64]) {}

    fn accepted(&mut self, _: u64, iterate: &mut dyn Iterate) -> Next {
        let (progress, constants) = self.places.read(iterate);
        self.seen = Seen { failed: progress == FAILED, constants };
        if progress == GOES_ON {
            return Next::Continue;
        }
        Next::EndOfPass { converged: progress == CONVERGED, last: true }
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        if self.seen.failed { vec![message::no_subproblem()] } else { Vec::new() }
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let Constants { alpha, delta, rho } = self.seen.constants;
        // nothing is chosen before the first step
        let number = |value: f64| if value > 0.0 { Value::Number(value) } else { Value::Text("from F at the start") };
        let mut chosen = vec![("a0", number(alpha)), ("delta", number(delta)), ("rho", number(rho))];
        if self.levels_of_start {
            chosen.push(("r0", Value::Word("P(y) at the start")));
        }
        chosen
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.seen, to);
    }

    fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
        self.seen = memory::unpack(saved);
    }
}
