//! Algorithm 1 with stated steps: schedules, and a word where they leave the bounds of the convergence theorem. The run
//! is not changed: the paper's own constants are outside of them for most of its problems.

use blo_engine::kernel::precision::Precision;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::control::{Control, Iterate, Schedules};
use crate::iteration::counts::Counts;
use crate::lower::curvature::{Extreme, LowerArrays, PowerIteration};
use crate::lower::term_modulus::TermModulus;
use crate::options;
use crate::options::settings::{Setting, Settings};

/// A step beyond its bound by less than this factor may be within it: the bound is an estimate.
const DOUBT: f64 = 1.05;

/// Most power iterations per bound.
const STEPS: u64 = 30;

/// Iterations of the run per power iteration, which costs about half as much as one of them: the bounds take a tenth of
/// the run, however short.
const PER_STEP: u64 = 5;

/// Power iterations per bound of the shortest run.
const LEAST_STEPS: u64 = 3;

/// The options that the theorem bounds.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    gamma: (Setting, f64),
    eta: (Setting, f64),
}

impl Watched {
    pub(super) fn of(settings: &Settings) -> Watched {
        Watched {
            gamma: (settings.get("gamma").clone(), settings.number("gamma")),
            eta: (settings.get("eta").clone(), settings.schedule("eta").at(1)),
        }
    }
}

/// What is known of the bounds before the run.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) watched: Watched,
    /// The lower level is proved convex.
    pub(super) convex: bool,
    /// Iterations of the run, at most.
    pub(super) iterations: u64,
}

/// What rounding may leave of weak convexity where f has none, as a share of L, in f32.
const ROUNDING: f64 = 1e-5;

/// The control of a run, with estimates in its precision.
pub(super) struct Stated<T: Scalar> {
    schedules: Schedules,
    /// What the bounds are estimated with; it goes before the first iteration.
    estimators: Option<(PowerIteration<T>, TermModulus)>,
    products: u64,
    bounds: Bounds,
    warnings: Vec<Diagnostic>,
}

impl<T: Scalar> Stated<T> {
    pub(super) fn new(
        schedules: Schedules,
        bounds: Bounds,
        estimators: (PowerIteration<T>, TermModulus),
        warnings: Vec<Diagnostic>,
    ) -> Stated<T> {
        Stated { schedules, estimators: Some(estimators), products: 0, bounds, warnings }
    }
}

impl<T: Scalar> Control for Stated<T> {
    /// Theorem 3.4 wants `gamma < 1/(2 rho)` and `eta <= (1/gamma - rho)/(L + 1/gamma)^2`, with L and rho the Lipschitz
    /// constant and the weak convexity of f in y; here both are those at the start, with the weak convexity of g added to that of f.
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        let Some((mut curvature, mut modulus)) = self.estimators.take() else { return };
        let Bounds { watched, convex, iterations } = &self.bounds;
        let (gamma, eta) = (&watched.gamma.1, &watched.eta.1);
        curvature.go_to(&mut |input, values| iterate.read(input, values));
        let metric: LowerArrays = curvature.unit_metric();
        modulus.go_to(&mut |input, values| iterate.read(input, values));
        let bounds = if *convex { 1 } else { 2 };
        let steps = (iterations / PER_STEP / bounds).clamp(LEAST_STEPS, STEPS) as usize;
        let l = curvature.eigenvalue(Extreme::Lower, 1.0, &metric, steps, 1.0, 0.0);
        let least = match *convex {
            true => 0.0,
            false => curvature.eigenvalue(Extreme::Least, 1.0, &metric, steps, 1.0, 1.05 * l),
        };
        self.products = curvature.products();
        let rounding = if T::NAME == f32::NAME { ROUNDING * l } else { 0.0 };
        let least = if least.abs() <= rounding { 0.0 } else { least };
        let rho = (modulus.value() - least).max(0.0);
        if curvature.is_stopped() || !l.is_finite() || !rho.is_finite() {
            return;
        }
        let most_gamma = 1.0 / (2.0 * rho);
        let most_eta = (1.0 / *gamma - rho) / (l + 1.0 / *gamma).powi(2);
        if *gamma > DOUBT * most_gamma {
            let because = format!("rho = {rho:.3} is the weak convexity of f + g at the start");
            self.warnings.push(options::message::outside_the_theorem(
                &watched.gamma.0,
                *gamma,
                most_gamma,
                "1/(2 rho)",
                &because,
            ));
        } else if *eta > DOUBT * most_eta {
            let because = format!("L = {l:.3}, rho = {rho:.3} are the curvature of f + g at the start");
            let bound = "(1/gamma - rho)/(L + 1/gamma)^2";
            self.warnings.push(options::message::outside_the_theorem(&watched.eta.0, *eta, most_eta, bound, &because));
        }
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        self.schedules.scalars(k, values);
    }

    fn penalty(&self) -> Option<&'static str> {
        Some("c")
    }

    fn counts(&self) -> Counts {
        Counts { hvp: self.products, ..Counts::default() }
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        self.warnings.clone()
    }
}
