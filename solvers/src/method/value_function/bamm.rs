//! BAMM, the averaged method of multipliers: Risheng Liu, Yaohua Liu, Wei Yao, Shangzhi Zeng, Jin Zhang, ICML 2023.
//! One loop: with `psi = mu F + (1 - mu) f` and the same (x, y, v) in every formula, y descends on psi, v solves
//! `psi_yy v = F_y` by gradient steps, and x follows the hypergradient `F_x - psi_yx' v`. mu makes psi strongly convex
//! where f is not, and falls. The rule `strong` is for strongly convex f: psi = f, and steps without powers of mu.
//!
//! Without stated steps the same directions run under the control of `method/continuation`. They are divided by 1 - mu
//! there: with `c = (1 - mu)/mu` they are those of `F/c + f`, and the multiplier is `mu v`.

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Problem};

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock};
use crate::method::batches::BatchUse;
use crate::method::by_role::by_role;
use crate::method::continuation::graph::{Companion, Number, Settling};
use crate::method::continuation::{Names, Rule, WeightName};
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::{Formula, Schedule};
use crate::options::settings::{Origin, Settings};
use crate::options::value::Value;

/// The entry.
pub(in crate::method) static BAMM: MethodEntry = MethodEntry {
    name: "bamm",
    doc: "averaged method of multipliers: one step of y, of the multiplier and of x per iteration",
    citation: "Liu, Liu, Yao, Zeng, Zhang, ICML 2023, Alg. 1",
    formula: &[
        "psi = mu_k F + (1 - mu_k) f,  mu_k = mu0 k^(-1/p)",
        "y+ = y - beta psi_y(x, y);  v+ = v - eta (psi_yy v - F_y(x, y))",
        "x+ = Proj_X( x - alpha (F_x(x, y) - psi_yx' v) )",
        "(eta, alpha)/beta = s1: (k^(-tau/2) mu_k^2, k^(-3 tau/2) mu_k^7);  s2: (mu_k, mu_k^5);  s3: (1, mu_k^3)",
        "strong: psi = f,  (eta, alpha)/beta = (k^(-tau/2), k^(-3 tau/2))",
    ],
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        option("mu0", "mu_0", Kind::Number(Range::Unit), None, "first weight of the upper objective; 0.9 with a rule"),
        option("p", "p", Kind::Number(Range::Positive), None, "mu_k = mu0 k^(-1/p); 10 with a rule"),
        option("tau", "tau", Kind::Number(Range::NonNegative), None, "decay of the steps in a rule; 1/40"),
        option("beta", "beta_k", Kind::Schedule(Range::Positive), None, "step of y; 0.1 with a rule")
            .steps(StepOf::Lower),
        option("rule", "", Kind::Word(&["s1", "s2", "s3", "strong"]), None, "how eta and alpha follow mu and beta"),
        option("eta", "eta_k", Kind::Schedule(Range::Positive), None, "step of the multiplier, instead of the rule's"),
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of x, instead of the rule's")
            .steps(StepOf::Upper),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: Some("beta"),
    step_companion: None,
    gamma: None,
    penalty: WeightName::OfUpper("mu0"),
    texts: &[
        ("alpha", "by the signs of d_x"),
        ("eta", "beta"),
        ("rule", "none"),
        ("p", "mu falls in stages"),
        ("tau", "none"),
    ],
};

/// Options any of which makes the published method run.
const STATED: [&str; 7] = ["mu0", "p", "tau", "beta", "rule", "eta", "alpha"];

/// The method.
pub(in crate::method) struct Bamm;

fn is_automatic(settings: &Settings) -> bool {
    STATED.iter().all(|name| settings.get(name).origin == Origin::Automatic)
}

impl Method for Bamm {
    fn complete(&self, settings: &mut Settings) {
        if is_automatic(settings) {
            return;
        }
        let values = [
            ("mu0", Value::Number(0.9)),
            ("p", Value::Number(10.0)),
            ("tau", Value::Number(1.0 / 40.0)),
            ("beta", Value::Schedule(Schedule::Constant(0.1))),
            ("rule", Value::Word("s1")),
        ];
        for (name, value) in values {
            settings.choose(name, Some(value));
        }
        let rule = StepRule::of(settings);
        settings.choose("eta", Some(Value::Schedule(rule.eta())));
        settings.choose("alpha", Some(Value::Schedule(rule.alpha())));
    }

    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        (!problem.lower_is_smooth()).then_some(Unfit {
            what: "a lower level with a proximal part or a set",
            because: "its multiplier solves a linear system that holds where the lower gradient vanishes",
        })
    }

    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Stated(&["beta"])
    }

    fn is_as_printed(&self, settings: &Settings, _: &[&str]) -> bool {
        !is_automatic(settings)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        if is_automatic(settings) { automatic(p, settings) } else { stated(p, settings) }
    }
}

/// The published steps as formulas in k.
struct StepRule {
    mu: Formula,
    beta: Formula,
    /// Powers of mu, and of k over -tau/2, in eta and alpha.
    eta: (f64, f64),
    alpha: (f64, f64),
    tau: f64,
    strong: bool,
}

impl StepRule {
    fn of(settings: &Settings) -> StepRule {
        let (eta, alpha) = match settings.word("rule") {
            "s1" => ((2.0, 1.0), (7.0, 3.0)),
            "s2" => ((1.0, 0.0), (5.0, 0.0)),
            "s3" => ((0.0, 0.0), (3.0, 0.0)),
            _ => ((0.0, 1.0), (0.0, 3.0)),
        };
        let falls = power(Formula::K, -1.0 / settings.number("p"));
        let mu = product(vec![Formula::Number(settings.number("mu0")), falls]);
        let beta = match settings.schedule("beta") {
            Schedule::Constant(value) => Formula::Number(*value),
            Schedule::Expression(formula) => formula.clone(),
        };
        let strong = settings.word("rule") == "strong";
        StepRule { mu, beta, eta, alpha, tau: settings.number("tau"), strong }
    }

    fn step(&self, (of_mu, of_k): (f64, f64)) -> Schedule {
        let mut factors = vec![self.beta.clone()];
        if of_k > 0.0 {
            factors.push(power(Formula::K, -of_k * self.tau / 2.0));
        }
        if of_mu > 0.0 {
            factors.push(power(self.mu.clone(), of_mu));
        }
        Schedule::Expression(product(factors))
    }

    fn eta(&self) -> Schedule {
        self.step(self.eta)
    }

    fn alpha(&self) -> Schedule {
        self.step(self.alpha)
    }

    fn mu(&self) -> Schedule {
        if self.strong { Schedule::Constant(0.0) } else { Schedule::Expression(self.mu.clone()) }
    }
}

fn power(base: Formula, exponent: f64) -> Formula {
    Formula::Power(Box::new(base), Box::new(Formula::Number(exponent)))
}

fn product(factors: Vec<Formula>) -> Formula {
    Formula::Product(factors.into_iter().map(|f| (false, f)).collect())
}

/// The weights of F and f in psi.
#[derive(Clone, Copy)]
struct Average {
    upper: NodeId,
    lower: Option<NodeId>,
}

impl Average {
    /// `mu F + (1 - mu) f`
    fn by_mu(p: &mut ProblemGraph<'_>, mu: NodeId) -> Average {
        let one = p.graph.constant(1.0);
        Average { upper: mu, lower: Some(p.graph.sub(one, mu)) }
    }

    /// `F/c + f`
    fn by_penalty(p: &mut ProblemGraph<'_>, c: NodeId) -> Average {
        let one = p.graph.constant(1.0);
        Average { upper: p.graph.div(one, c), lower: None }
    }

    fn sum(self, p: &mut ProblemGraph<'_>, of_upper: &Direction, of_lower: &Direction) -> Direction {
        let upper = p.times(of_upper, self.upper);
        let lower = self.lower.map_or_else(|| of_lower.clone(), |weight| p.times(of_lower, weight));
        p.plus(&upper, &lower)
    }

    /// `psi_y`
    fn slope(self, p: &mut ProblemGraph<'_>, x: &Block, y: &Block) -> Direction {
        let [upper, lower] = [Part::Upper, Part::Smooth].map(|part| p.gradient(part, LevelId::LOWER, x, y));
        self.sum(p, &upper, &lower)
    }

    /// `psi_yy v`
    fn hessian(self, p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block) -> Direction {
        let [upper, lower] = [Part::Upper, Part::Smooth].map(|part| p.hessian_times(part, x, y, v));
        self.sum(p, &upper, &lower)
    }

    /// `psi_yx' v`
    fn mixed(self, p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block) -> Direction {
        let [upper, lower] = [Part::Upper, Part::Smooth].map(|part| p.mixed_times(part, x, y, v));
        self.sum(p, &upper, &lower)
    }
}

/// The method as it is printed: every formula at the old (x, y, v).
fn stated(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let (x, y) = (p.x(), p.y());
    let v = p.state("v", LevelId::LOWER, StartsAt::Zero);
    let mut number = |name: &str, schedule: Schedule| p.number(name, Some(schedule), Clock::Iteration);
    let beta = number("beta", settings.schedule("beta").clone());
    let eta = number("eta", settings.schedule("eta").clone());
    let alpha = number("alpha", settings.schedule("alpha").clone());
    let mu = number("mu", StepRule::of(settings).mu());
    let psi = Average::by_mu(&mut p, mu);

    let d_y = psi.slope(&mut p, &x, &y);
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&y, &beta.into(), &d_y) };
    let image = psi.hessian(&mut p, &x, &y, &v);
    let upper = p.gradient(Part::Upper, LevelId::LOWER, &x, &y);
    let d_v = p.minus(&image, &upper);
    let v_new = Block { name: "v+".to_string(), nodes: p.descend(&v, &eta.into(), &d_v) };
    let d = hypergradient(&mut p, &x, &y, &v, psi, None);
    let moved = p.descend(&x, &alpha.into(), &d);
    let x_new = p.project_upper(&moved, "x+");
    let stage = p.stage("bamm", &[(&x, &x_new), (&y, &y_new), (&v, &v_new)], &[]);
    let report = report(&mut p, &x, &y, &v, psi, None);
    let iteration = p.iteration(vec![stage], report);
    let control = by_role(&iteration, Vec::new(), None);
    Built { iteration, control, most: None }
}

/// `F_x - psi_yx' v`; divided by c where there is one.
fn hypergradient(
    p: &mut ProblemGraph<'_>,
    x: &Block,
    y: &Block,
    v: &Block,
    psi: Average,
    c: Option<NodeId>,
) -> Direction {
    let upper = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let upper = c.map_or_else(|| upper.clone(), |c| p.over(&upper, &c.into()));
    let through = psi.mixed(p, x, y, v);
    p.minus(&upper, &through)
}

/// The same directions, divided by 1 - mu, under the control of a continuation in c.
fn automatic(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES);
    let now = Settling::declare(&mut p, Some(Companion { name: "v", origin: StartsAt::Zero }));
    let Settling { x, y, companion: v, .. } = &now;
    let c = now.number(Number::C);
    let psi = Average::by_penalty(&mut p, c);
    let step = now.by_y(Number::Beta);

    let ahead = now.companion_ahead(&mut p);
    let image = psi.hessian(&mut p, x, y, &ahead);
    let upper = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let upper = p.over(&upper, &c.into());
    let d_v = p.minus(&image, &upper);
    let v_new = Block { name: "v+".to_string(), nodes: p.descend(&ahead, &step, &d_v) };
    let turn = now.companion_turn(&mut p, &ahead, &v_new);
    let d = hypergradient(&mut p, x, y, v, psi, Some(c));
    let moves = now.moves(&mut p, &d, false);
    let ahead = now.y_ahead(&mut p);
    let d_y = psi.slope(&mut p, &moves.x, &ahead);
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&ahead, &step, &d_y) };
    let of_y = now.y_signals(&mut p, &ahead, &y_new);
    let mut pairs = [now.y_pairs(&y_new), now.companion_pairs(&v_new)].concat();
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let stage = p.stage("bamm", &pairs, &[&[turn], &of_y[..], &moves.signals].concat());
    let report = report(&mut p, x, y, v, psi, Some(c));
    let layout = now.layout(&mut p);
    Built { iteration: p.iteration(vec![stage], report), control: rule.control(layout), most: None }
}

/// The projected hypergradient, and with it `psi_y` and the residual of v's system; in the units of F.
fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block, psi: Average, c: Option<NodeId>) -> ReportFormula {
    p.look_at_all_rows();
    let d = hypergradient(p, x, y, v, psi, c);
    let d = c.map_or_else(|| d.clone(), |c| p.times(&d, c));
    let one = StepSize::from(p.graph.constant(1.0));
    let moved = p.descend(x, &one, &d);
    let moved = p.project_upper(&moved, "x - d_x");
    let of_x = p.difference(x, &moved);
    let of_x = p.norm_squared(&of_x);
    let of_y = psi.slope(p, x, y);
    let of_y = p.norm_squared(&of_y);
    let image = psi.hessian(p, x, y, v);
    let image = c.map_or_else(|| image.clone(), |c| p.times(&image, c));
    let upper = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let of_v = p.minus(&image, &upper);
    let of_v = p.norm_squared(&of_v);
    let lower = p.graph.add(of_y, of_v);
    let all = p.graph.add(of_x, lower);
    let [upper, method] = [of_x, all].map(|squares| Some(p.graph.elementwise(elementwise::SQRT, &[squares])));
    report::standard(p, x, y, Stationarity { upper, method, gap: None })
}

#[cfg(test)]
mod tests {
    use crate::fixture::{MERELY_CONVEX, polished};
    use crate::method::value_function::counter_example::{TEXT, after, first_near, largest_error};
    use crate::options::request::Request;

    #[test]
    fn the_counter_example_takes_3202_iterations_by_rule_s3() {
        let request = Request::new("bamm").set("rule", "s3");
        first_near(&request, "x = 10;  y = 10", 3202);
        first_near(&request, "x = 0.01;  y = 0.01", 2331);
    }

    /// The other rules are slower, as far as a run of the formulas in another language says.
    #[test]
    fn rule_s2_takes_25602_iterations() {
        first_near(&Request::new("bamm").set("rule", "s2"), "x = 0.01;  y = 0.01", 25602);
    }

    #[test]
    fn a_strongly_convex_lower_level_needs_no_average() {
        let text = "upper { var x  minimize 1/2*(x - 1)^2 + 1/2*y^2 }  lower { var y  minimize 1/2*y^2 - x*y }";
        let s = after(text, &Request::new("bamm").set("rule", "strong"), 2000);
        let x = s.variable("x").unwrap().values[0];
        assert!((x - 0.5).abs() < 1e-6, "{x}");
    }

    #[test]
    fn automatic_options_solve_the_same() {
        for text in [MERELY_CONVEX, TEXT] {
            let s = polished(text, &Request::new("bamm:auto"));
            assert!(s.error("x").unwrap().err < 1e-2 && s.verdict.found_by.is_none(), "{:?}", s.errors);
        }
        assert!(largest_error(&polished(TEXT, &Request::new("bamm:auto"))) < 1e-2);
    }
}
