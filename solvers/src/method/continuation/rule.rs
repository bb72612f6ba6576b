//! What a method tells the control: its stated numbers, facts of the problem, and what its options are called.

use blo_engine::model::problem::{Problem, ProximalTerm, Variable};
use blo_grammar::diagnostic::Diagnostic;

use super::Continuation;
use super::graph::Layout;
use crate::formula::set_bounds::{couples, hull, set_bounds};
use crate::iteration::control::Control;
use crate::iteration::{Context, Make};
use crate::lower::curvature::{Curvature, LowerArrays};
use crate::lower::term_modulus::TermModulus;
use crate::options::message;
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;

/// Passes where no option says how many.
pub(in crate::method) const PASSES: u64 = 2;

/// The longest window: enough moves must fit into the run, and beyond 500 iterations a longer wait has not paid on any
/// problem.
fn longest_window(iterations: u64) -> u64 {
    (iterations / 50).clamp(4, LONGEST)
}

/// The longest window of any method.
pub(in crate::method) const LONGEST: u64 = 500;

/// What is stated of the method's options, and what the problem is.
#[derive(Clone, Debug)]
pub(in crate::method) struct Rule {
    /// Stated steps; `None` is chosen here.
    pub(in crate::method) alpha: Option<Schedule>,
    pub(in crate::method) beta: Option<Schedule>,
    pub(in crate::method) eta: Option<Schedule>,
    pub(in crate::method) gamma: Option<f64>,
    pub(in crate::method) c: Option<Schedule>,
    /// Continuations from the start.
    pub(in crate::method) passes: u64,
    /// The longest window.
    pub(in crate::method) window: u64,
    /// Extrapolate where f and g are convex.
    pub(in crate::method) momentum: bool,
    /// Diagonal metric.
    pub(in crate::method) diagonal: bool,
    /// f and g are proved convex in y.
    pub(in crate::method) convex: bool,
    /// The name of the method.
    pub(in crate::method) method: &'static str,
    /// The method descends on the square of the lower gradient: steps of y see the square of its curvature.
    pub(in crate::method) squared: bool,
    /// The weight of the lower level is a multiplier that a barrier raises at each move of x.
    pub(in crate::method) barrier: Option<Barrier>,
    /// Of a method that keeps to the rows of the lower level.
    pub(in crate::method) rows: Option<RowsRule>,
    /// Iterations in all.
    pub(in crate::method) iterations: u64,
    /// A pass ends once x moves by less than this.
    pub(in crate::method) tolerance: f64,
    /// What the method calls the numbers that are chosen.
    pub(in crate::method) names: Names,
    /// Width of the interval of each entry of x; infinite without one.
    pub(in crate::method) widths: LowerArrays,
}

/// A gap function in multipliers: y sees rows through `|max(0, z + gamma2 c)|^2/(2 gamma2)`.
#[derive(Clone, Debug)]
pub(in crate::method) struct RowsRule {
    /// Its parameter, where an option states it.
    pub(in crate::method) gamma2: Option<f64>,
    /// What holds the multipliers of each constraint.
    pub(in crate::method) intervals: Vec<[f64; 2]>,
}

/// A barrier that raises the multiplier: `c+ = max(c, rest + eta shape)`, by two signals of the last stage.
#[derive(Clone, Debug)]
pub(in crate::method) struct Barrier {
    /// Its strength, where an option states it.
    pub(in crate::method) eta: Option<Schedule>,
}

/// What a method calls the weight c of the lower level.
#[derive(Clone, Copy, Debug)]
pub(in crate::method) enum WeightName {
    /// c itself.
    OfLower(&'static str),
    /// `1/(1 + c)`, the share of F in an average.
    OfUpper(&'static str),
    /// It is no option.
    Hidden,
}

/// What a method calls the numbers that the control has chosen; `None` for those that it does not have.
#[derive(Clone, Copy, Debug)]
pub(in crate::method) struct Names {
    /// The step of y.
    pub(in crate::method) step_y: Option<&'static str>,
    /// The step of the companion.
    pub(in crate::method) step_companion: Option<&'static str>,
    /// The parameter of the envelope.
    pub(in crate::method) gamma: Option<&'static str>,
    /// The weight of the lower level against that of F.
    pub(in crate::method) penalty: WeightName,
    /// Options that are no single number, with the way they are chosen; the step of x is one.
    pub(in crate::method) texts: &'static [(&'static str, &'static str)],
}

impl Rule {
    /// The rule of a method that has no options for it: everything that is not stated is chosen.
    pub(in crate::method) fn automatic(settings: &Settings, problem: &Problem, names: Names) -> Rule {
        let iterations = settings.integer("max_iter");
        Rule {
            alpha: None,
            beta: None,
            eta: None,
            gamma: None,
            c: None,
            passes: PASSES,
            window: longest_window(iterations),
            momentum: true,
            diagonal: true,
            convex: problem.lower_is_convex(),
            method: settings.method.name,
            squared: false,
            barrier: None,
            rows: None,
            iterations,
            tolerance: settings.number("tol"),
            names,
            widths: Vec::new(),
        }
    }

    /// With the weight of the lower level as an option states it, which then is not raised in stages. A method without a
    /// penalty has an infinite one: curvature and metric of y are then those of the lower objective alone.
    pub(in crate::method) fn with_penalty(self, c: Option<Schedule>) -> Rule {
        let passes = if c.is_some() { 1 } else { self.passes };
        Rule { c, passes, ..self }
    }

    /// What makes the control of a run.
    pub(in crate::method) fn control(self, layout: Layout) -> Make<dyn Control> {
        Box::new(move |context: &Context<'_>| {
            let rule = Rule { widths: widths(context)?, ..self.clone() };
            let Context { problem, data, options } = context;
            let curvature = Curvature::new(problem, data, options.threads, options.seed)?;
            let modulus = TermModulus::new(problem, data, options.threads)?;
            let warnings = outside_of_theory(problem, self.method);
            Ok(Box::new(Continuation::new(rule, layout.clone(), (curvature, modulus), warnings)) as Box<dyn Control>)
        })
    }
}

/// Terms outside of the theory of envelopes and gaps, which is for weakly convex ones.
pub(in crate::method) fn outside_of_theory(problem: &Problem, method: &'static str) -> Vec<Diagnostic> {
    let warning = |t: &ProximalTerm| message::not_weakly_convex(t.span, t.atom.call, method);
    problem.terms_without_modulus().map(warning).collect()
}

/// Per upper variable the width of its interval, a number or an array; infinite without one.
fn widths(context: &Context<'_>) -> Result<Vec<Vec<f64>>, Box<Diagnostic>> {
    let Context { problem, data, .. } = context;
    let width = |v: &Variable| {
        let entries = v.shape.sizes(&data.sizes).map_or(1, |sizes| sizes.iter().product());
        let ends = match couples(v, entries) {
            // all entries take steps of one size
            true => hull(v, entries, problem, data)?.into_iter().take(1).collect(),
            false => set_bounds(v, entries, problem, data)?,
        };
        Ok(ends.iter().map(|[low, high]| high - low).collect())
    };
    context.problem.upper().variables.iter().map(width).collect()
}
