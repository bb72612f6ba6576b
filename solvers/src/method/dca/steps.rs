//! The run of the method: constants that nobody states, steps from subproblem to subproblem, and the best point of them.
//!
//! The published constants are numbers for data of size 1: `a0 = 1` ignores a lower level whose objective is small beside F.
//! Where `a0` is not stated, F and the penalty are measured in units of the problem. F is measured against its fall from
//! the start to its least value; the first penalty is the weight at which the whole lower objective of the start is worth
//! as much. A step that leads to a larger F, with the lower level solved at its levels, is taken again with a larger
//! penalty, which shortens it. The weight of the lower level is `alpha/(1 + sum(m))` for multipliers m, since a unit of the
//! violation t is one of `V` or one of every `P_i`.

use blo_engine::model::problem::LevelId;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;
use serde::{Deserialize, Serialize};

use super::logarithm::{entry, logarithms, penalty as penalty_of};
use super::model::{At, LowerAt, Model, Weights};
use super::penalty::PenaltyPrograms;
use super::quadratic::QuadraticPrograms;
use super::{CONVERGED, FAILED, GOES_ON, VFIDCA};
use crate::formula::problem_graph::Part;
use crate::formula::set_bounds::set_bounds;
use crate::formula::start_point::start_point;
use crate::iteration::control::Iterate;
use crate::iteration::external::External;
use crate::iteration::{Context, Rows, memory};
use crate::lower::vectors::dot;
use crate::method::{Unfit, refusal};
use crate::options::settings::Settings;

/// The least level as a share of the largest at the start.
const LEAST: f64 = 1e-6;

/// `delta` against `a0`, as published.
const DELTA: f64 = 5.0;

/// The proximal term of a step as large as the point, as a share of F.
const PROXIMAL: f64 = 1e-3;

/// By how much the penalty grows where a step fails, how often, and by how much it falls after one that did not: steps of
/// a penalty alpha are about as long as 1/alpha.
const GROWTH: f64 = 4.0;
const TRIALS: usize = 12;
const FALL: f64 = 0.5;

/// Steps without a failure before the penalty falls.
const CALM: u64 = 2;

/// So many steps in a row that gain little end a run.
const IN_A_ROW: u64 = 3;

/// A rise of F that is within the accuracy of lower solves.
const ROUNDING: f64 = 1e-7;

/// Without penalties, a lower level of fewer rows than variables has many solutions. Less than this share of the
/// residuals at y = 0 counts as none.
const NO_PENALTY: f64 = 1e-7;

/// The method's options, where they are stated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    rho: Option<f64>,
    delta: Option<f64>,
    c: f64,
    alpha: Option<f64>,
    pub(super) level: Option<f64>,
    tol: f64,
}

impl Rule {
    pub(super) fn of(settings: &Settings) -> Rule {
        let stated = |name: &str| settings.get(name).value.is_some().then(|| settings.number(name));
        Rule {
            rho: stated("rho"),
            delta: stated("delta"),
            c: settings.number("c"),
            alpha: stated("a0"),
            level: stated("r0"),
            tol: settings.number("tol"),
        }
    }
}

/// The constants of a run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Constants {
    /// The first penalty.
    pub(super) alpha: f64,
    pub(super) delta: f64,
    pub(super) rho: f64,
}

/// Inputs where the subproblems tell the control what it cannot see.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) progress: Vec<usize>,
    pub(super) constants: [Vec<usize>; 3],
}

impl Places {
    fn write(&self, progress: f64, constants: Constants, iterate: &mut dyn Iterate) {
        let Constants { alpha, delta, rho } = constants;
        for (inputs, value) in self.constants.iter().zip([alpha, delta, rho]).chain([(&self.progress, progress)]) {
            inputs.iter().for_each(|input| iterate.write(*input, &[value]));
        }
    }

    pub(super) fn read(&self, iterate: &dyn Iterate) -> (f64, Constants) {
        let first = |inputs: &[usize]| {
            let mut value = [0.0];
            inputs.first().inspect(|input| iterate.read(**input, &mut value));
            value[0]
        };
        let [alpha, delta, rho] = self.constants.each_ref().map(|inputs| first(inputs));
        (first(&self.progress), Constants { alpha, delta, rho })
    }
}

/// What a run has reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reached {
    y: Vec<f64>,
    r: Vec<f64>,
    lower: LowerAt,
    /// F with the lower level solved at the levels.
    upper: f64,
    /// The weight of the penalty.
    alpha: f64,
    /// Steps in a row that did not fail, and steps in a row that gained little.
    calm: u64,
    small: u64,
    constants: Constants,
    /// What F is worth: a difference of this size is a large one.
    worth: f64,
    /// The least level.
    least: f64,
    /// The lower level at the levels where F was least, and F.
    best: LowerAt,
    best_upper: f64,
}

/// A subproblem with the lower level solved at its levels.
struct Trial {
    y: Vec<f64>,
    r: Vec<f64>,
    lower: LowerAt,
    upper: f64,
    violation: f64,
    /// Its length against the point it starts from.
    step: f64,
}

pub(super) struct Subproblems {
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
    places: Places,
    model: Model,
    reached: Option<Reached>,
    /// What is said of numbers that are not those of convex quadratics: F, then f.
    refusals: [Diagnostic; 2],
}

impl Subproblems {
    pub(super) fn new(context: &Context<'_>, rule: Rule, places: Places) -> Result<Subproblems, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let start: Vec<Vec<f64>> = start_point(problem, data, options.threads)?;
        let lengths: Vec<usize> = start.iter().map(Vec::len).collect();
        let bounds = |level: LevelId| {
            let variables = problem.level(level).variables.iter();
            let bounds: Result<Vec<_>, _> =
                variables.map(|v| set_bounds(v, lengths[v.formal], problem, data)).collect();
            bounds.map(|b| b.concat())
        };
        let refused = |what, because| refusal(problem, VFIDCA.name, Span::default(), &Unfit { what, because });
        let refusals = [
            refused("this upper objective", "F is not a convex quadratic of y"),
            refused("this lower objective", "f is not a convex quadratic of y"),
        ];
        let mut upper = QuadraticPrograms::new(Part::Upper, context)?;
        let mut lower = QuadraticPrograms::new(Part::Smooth, context)?;
        let mut penalty = PenaltyPrograms::new(context, &lengths)?;
        let marks = logarithms(problem).into_iter().zip(&lengths);
        let logarithms: Vec<bool> = marks.flat_map(|(is, length)| vec![is; *length]).collect();
        let bounds_of_x = bounds(LevelId::UPPER)?;
        let both = bounds_of_x.iter().zip(&logarithms);
        let penalties = both.map(|(ends, is)| ends.map(|x| penalty_of(*is, x))).collect();
        let model = Model {
            upper: upper.read().ok_or_else(|| refusals[0].clone())?,
            lower: lower.read().ok_or_else(|| refusals[1].clone())?,
            atoms: penalty.read(),
            bounds_x: penalties,
            bounds_y: bounds(LevelId::LOWER)?,
        };
        if !model.is_monotone() {
            let because = "a weight falls with x, and multipliers are not negative";
            return Err(Box::new(refused("these penalties", because)));
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
            places,
            model,
            reached: None,
            refusals,
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
        let least = LEAST * if most > 0.0 { most } else { 1.0 };
        let r: Vec<f64> = r.into_iter().map(|r| r.max(least)).collect();
        let lower = self.model.lower_at(&r, &y)?;
        let upper = self.model.upper.value(&lower.y);
        let worth = self.model.worth(&lower.y);
        let constants = self.constants(&r, &lower, worth);
        let (best, best_upper) = (lower.clone(), upper);
        Some(Reached {
            y,
            r,
            lower,
            upper,
            alpha: constants.alpha,
            calm: 0,
            small: 0,
            constants,
            worth,
            least,
            best,
            best_upper,
        })
    }

    /// The constants of a run that begins at these levels.
    fn constants(&self, r: &[f64], lower: &LowerAt, worth: f64) -> Constants {
        let Rule { rho, delta, alpha, .. } = self.rule;
        let residuals = self.model.lower.residuals(&lower.y);
        let whole = dot(&residuals, &residuals) / 2.0 + dot(&lower.multipliers, r);
        let weight = if whole > 0.0 { worth / whole } else { 1.0 };
        let alpha = alpha.unwrap_or_else(|| weight * (1.0 + lower.multipliers.iter().sum::<f64>()));
        let units = self.model.units();
        let sizes = [&units, &lower.y, &self.model.parts(&units), &r.to_vec()].map(|v| dot(v, v));
        let share = PROXIMAL * worth / sizes.iter().fold(f64::MIN_POSITIVE, |m, size| m.max(*size));
        Constants { alpha, delta: delta.unwrap_or(DELTA * alpha), rho: rho.unwrap_or(share) }
    }

    /// A subproblem at a penalty.
    fn trial(&self, from: &Reached, alpha: f64) -> Option<Trial> {
        let Reached { y, r, lower, least, .. } = from;
        let at = At { y, r, lower, least: *least };
        let next = self.model.subproblem(&at, Weights { rho: from.constants.rho, alpha })?;
        let squares = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let step = (squares(&next.y, y) + squares(&next.r, r)).sqrt();
        let step = step / (1.0 + dot(y, y) + dot(r, r)).sqrt();
        let lower = self.model.lower_at(&next.r, &next.y)?;
        let upper = self.model.upper.value(&lower.y);
        Some(Trial { y: next.y, r: next.r, lower, upper, violation: next.violation, step })
    }

    /// A step; true at the end of a run that has converged.
    fn step(&self, from: &Reached, stop: &mut dyn FnMut() -> bool) -> Option<(Reached, bool)> {
        let Rule { c, tol, .. } = self.rule;
        let (mut alpha, mut trial) = (from.alpha, self.trial(from, from.alpha));
        let automatic = self.rule.alpha.is_none();
        let mut trials = 1;
        while automatic && !trial.as_ref().is_some_and(|t| self.descends(from, t)) {
            if trial.as_ref().is_some_and(|t| t.step < tol) || trials >= TRIALS || stop() {
                // no step that is long enough to matter decreases F
                let settled = trial.is_some_and(|t| t.step < tol);
                return settled.then(|| (Reached { alpha, ..from.clone() }, true));
            }
            alpha *= GROWTH;
            trial = self.trial(from, alpha);
            trials += 1;
        }
        let Trial { y, r, lower, upper, violation, step } = trial?;
        // the penalty in units of the first one, and what it costs in units of F; as published where `a0` is stated
        let (unit, worth) = if automatic { (from.constants.alpha, from.worth) } else { (1.0, 1.0) };
        let grows = alpha / unit * step <= c * (alpha * violation / worth).min(1.0);
        let small = if automatic { alpha * violation / worth } else { violation };
        let calm = if trials == 1 { from.calm + 1 } else { 0 };
        let gained = if automatic { (from.upper - upper) / worth } else { f64::INFINITY };
        let in_a_row = if gained < tol { from.small + 1 } else { 0 };
        let converged = step < tol && small < tol || in_a_row >= IN_A_ROW;
        let alpha = match () {
            () if grows => alpha + from.constants.delta,
            () if automatic && calm >= CALM => alpha * FALL,
            () => alpha,
        };
        let better = upper < from.best_upper && self.has_one_solution(&lower, &r);
        let (best, best_upper) = if better { (lower.clone(), upper) } else { (from.best.clone(), from.best_upper) };
        let Reached { constants, worth, least, .. } = *from;
        let reached =
            Reached { y, r, lower, upper, alpha, calm, small: in_a_row, constants, worth, least, best, best_upper };
        Some((reached, converged))
    }

    fn descends(&self, from: &Reached, to: &Trial) -> bool {
        let sound = self.has_one_solution(&to.lower, &to.r) || !self.has_one_solution(&from.lower, &from.r);
        sound && to.upper <= from.upper + ROUNDING * from.worth
    }

    /// False where no penalty chooses among many solutions of the lower level: y is any of them.
    fn has_one_solution(&self, lower: &LowerAt, r: &[f64]) -> bool {
        let quadratic = &self.model.lower;
        let weighs = dot(&lower.multipliers, r) > NO_PENALTY * dot(&quadratic.center, &quadratic.center);
        quadratic.rows.len() >= lower.y.len() || weighs
    }

    /// The penalties and the solution of the lower level that belongs to them, at the best levels.
    fn write(&self, reached: &Reached, iterate: &mut dyn Iterate) {
        let multipliers = reached.best.multipliers.iter().zip(self.model.low());
        let penalties = multipliers.map(|(m, low)| low + m);
        let places = penalties.zip(&self.logarithms).zip(&self.bounds);
        let x: Vec<f64> = places.map(|((p, is), ends)| entry(*is, p, *ends)).collect();
        let mut rest: &[f64] = &[x, reached.best.y.clone()].concat();
        for (input, values) in self.start.iter().enumerate() {
            let (part, after) = rest.split_at(values.len());
            iterate.write(input, part);
            rest = after;
        }
    }
}

impl External for Subproblems {
    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("solves", "the convex subproblem as a cone program, then the lower level at its levels".to_owned()),
            ("variables", format!("{} of x and y, and those of its epigraphs", self.bounds.len())),
        ]
    }

    fn run(&mut self, _: u64, iterate: &mut dyn Iterate, stop: &mut dyn FnMut() -> bool) {
        let from = self.reached.clone().or_else(|| self.begin());
        if stop() {
            return;
        }
        let next = from.as_ref().and_then(|from| self.step(from, stop));
        if next.is_none() && stop() {
            // a search that was cut short says nothing of the subproblems
            return;
        }
        let how = match &next {
            Some((_, true)) => CONVERGED,
            Some((_, false)) => GOES_ON,
            None => FAILED,
        };
        let reached = next.map(|(reached, _)| reached).or(from);
        let constants = reached.as_ref().map(|reached| reached.constants).unwrap_or_default();
        if let Some(reached) = reached {
            self.write(&reached, iterate);
            self.reached = Some(reached);
        }
        self.places.write(how, constants, iterate);
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.upper.select(rows)?;
        self.lower.select(rows)?;
        self.penalty.select(rows)?;
        self.model.upper = self.upper.read().ok_or_else(|| self.refusals[0].clone())?;
        self.model.lower = self.lower.read().ok_or_else(|| self.refusals[1].clone())?;
        self.model.atoms = self.penalty.read();
        if let Some(reached) = self.reached.take() {
            // what was best on other tasks says nothing of these
            let lower = self.model.lower_at(&reached.r, &reached.y);
            self.reached = lower.map(|lower| {
                let upper = self.model.upper.value(&lower.y);
                Reached { best: lower.clone(), best_upper: upper, lower, upper, ..reached }
            });
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
