//! Step sizes of lower steps that nobody states, from the curvature of both objectives in y. A method says which it wants
//! and follows them from point to point: a few power iterations from the eigenvectors of the last point.

use std::borrow::Cow;

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::curvature::{CurvatureMemory, Extreme, LowerArrays, PowerIteration};

/// Power iterations at the first point, at the first one with other tasks, and at each later one. The old eigenvector
/// belongs to the old worst task; six iterations do not find the new one.
const AT_FIRST: usize = 100;
const WITH_OTHER_TASKS: usize = 30;
const NEARBY: usize = 6;

/// Share of a random direction that a later point mixes into the old eigenvector, which may have no part in curvature
/// that has appeared since.
const NOISE: f64 = 0.05;

/// Power iteration approaches the largest eigenvalue from below.
const MARGIN: f64 = 1.02;

/// Sizes stay while the curvature is between this share of the one they are made for and all of it: sizes that change
/// with every point would make the objective noisy.
const LOOSE: f64 = 0.5;

/// Factor by which we raise the curvature estimate after divergence.
const AFTER_DIVERGENCE: f64 = 32.0;

/// Least curvatures below this share of the largest are the error of an estimate that comes from above.
const NOT_STRONGLY_CONVEX: f64 = 1e-6;

/// Most refits of the step sizes to the end of the steps; after each one the steps run again.
pub(crate) const MOST_REFITS: usize = 8;

/// Which step sizes a method wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// On the lower objective.
    pub(crate) lower: bool,
    /// On the upper objective in y, and how much such a step contracts.
    pub(crate) upper: bool,
}

/// Step sizes for a problem at a point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EstimatedSteps {
    /// On the lower objective: one over the largest curvature of f in y.
    pub(crate) lower: f64,
    /// On the upper objective in y: `2/(L_F + sigma_F)`, of the extreme curvatures of F in y; `1/L_F` where F is not
    /// strongly convex.
    pub(crate) upper: f64,
    /// The factor by which a step of that size shrinks distances, `(L_F - sigma_F)/(L_F + sigma_F)`; 1 where F is not
    /// strongly convex.
    pub(crate) contraction: f64,
}

impl Default for EstimatedSteps {
    fn default() -> EstimatedSteps {
        EstimatedSteps { lower: 1.0, upper: 1.0, contraction: 1.0 }
    }
}

impl EstimatedSteps {
    /// The largest curvature of F that the sizes are made for.
    fn curvature_of_upper(&self) -> f64 {
        if self.contraction < 1.0 { (1.0 + self.contraction) / self.upper } else { 1.0 / self.upper }
    }
}

/// What the point has to do with the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointKind {
    /// It is the first one.
    First,
    /// It has other tasks.
    OtherTasks,
    /// It is near the last one.
    Nearby,
    /// It takes the sizes of the last one, whatever its curvature.
    SameSizes,
}

/// The largest curvatures where steps have led, zero where they are not wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct EndCurvature {
    lower: f64,
    upper: f64,
}

/// All that later sizes depend on, for a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StepSizesMemory<'a> {
    sizes: EstimatedSteps,
    end: EndCurvature,
    curvature: Option<Cow<'a, CurvatureMemory>>,
}

/// The step sizes of a run.
pub(crate) struct LowerStepSizes {
    /// `None` where nothing is wanted.
    curvature: Option<PowerIteration>,
    metric: LowerArrays,
    wanted: Wanted,
    sizes: EstimatedSteps,
    end: EndCurvature,
}

impl LowerStepSizes {
    /// Compiles what the wanted sizes need.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        wanted: Wanted,
        threads: u64,
        seed: u64,
    ) -> Result<LowerStepSizes, Box<Diagnostic>> {
        let any = (wanted.lower || wanted.upper) && !problem.lower().variables.is_empty();
        let curvature = any.then(|| PowerIteration::new(problem, data, threads, seed, wanted.upper)).transpose()?;
        let metric = curvature.as_ref().map(PowerIteration::unit_metric).unwrap_or_default();
        let (sizes, end) = (EstimatedSteps::default(), EndCurvature::default());
        Ok(LowerStepSizes { curvature, metric, wanted, sizes, end })
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.curvature.as_mut().map_or(Ok(()), |curvature| curvature.select(rows))
    }

    /// The sizes for steps from the point whose variables `read` copies out.
    pub(crate) fn at(&mut self, point: PointKind, read: &mut dyn FnMut(usize, &mut [f64])) -> EstimatedSteps {
        let Some(curvature) = &mut self.curvature else { return self.sizes };
        let (iterations, noise) = match point {
            PointKind::SameSizes => return self.sizes,
            PointKind::First => (AT_FIRST, 1.0),
            PointKind::OtherTasks => (WITH_OTHER_TASKS, 1.0),
            PointKind::Nearby => (NEARBY, NOISE),
        };
        curvature.go_to(read);
        let may_stay = point == PointKind::Nearby;
        if point == PointKind::First {
            self.end = EndCurvature::default();
        }
        if self.wanted.lower {
            let l = self.largest(Extreme::Lower, iterations, noise).max(MARGIN * self.end.lower);
            let fits = may_stay && l * self.sizes.lower <= MARGIN && l * self.sizes.lower >= LOOSE;
            if !fits {
                self.fit_lower(l);
            }
        }
        if self.wanted.upper {
            let l = self.largest(Extreme::Upper, iterations, noise).max(MARGIN * self.end.upper);
            let used = self.sizes.curvature_of_upper();
            let fits = may_stay && l <= MARGIN * used && l >= LOOSE * used;
            if !fits {
                self.fit_upper(l, iterations, noise);
            }
        }
        self.sizes
    }

    /// Whether the sizes also fit the point where the steps have led, which `read` copies out. If they do not, this fits
    /// them to it, and the steps have to run again.
    pub(crate) fn fit_end(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) -> bool {
        let Some(curvature) = self.curvature.as_mut().filter(|c| c.varies_with_y()) else { return true };
        curvature.go_to(read);
        let mut fits = true;
        if self.wanted.lower {
            let l = self.largest(Extreme::Lower, NEARBY, NOISE);
            self.end.lower = l / MARGIN;
            // NaN and infinity mean that the steps diverged.
            if !l.is_finite() || l * self.sizes.lower > MARGIN * MARGIN {
                fits = false;
                self.fit_lower(if l.is_finite() { l } else { AFTER_DIVERGENCE / self.sizes.lower });
            }
        }
        if self.wanted.upper {
            let l = self.largest(Extreme::Upper, NEARBY, NOISE);
            self.end.upper = l / MARGIN;
            if l.is_finite() && l > MARGIN * MARGIN * self.sizes.curvature_of_upper() {
                fits = false;
                self.fit_upper(l, NEARBY, NOISE);
            }
        }
        fits
    }

    /// A bound on a largest curvature at the point.
    fn largest(&mut self, which: Extreme, iterations: usize, noise: f64) -> f64 {
        let curvature = self.curvature.as_mut().expect("sizes are wanted");
        MARGIN * curvature.eigenvalue(which, 1.0, &self.metric, iterations, noise, 0.0)
    }

    fn fit_lower(&mut self, l: f64) {
        // Any step size suits a flat f; the driver reports a curvature that is not finite.
        self.sizes.lower = if l > 0.0 && l.is_finite() { 1.0 / l } else { 1.0 };
    }

    fn fit_upper(&mut self, l: f64, iterations: usize, noise: f64) {
        if !(l > 0.0 && l.is_finite()) {
            (self.sizes.upper, self.sizes.contraction) = (self.sizes.lower, 1.0);
            return;
        }
        let curvature = self.curvature.as_mut().expect("sizes are wanted");
        let least = MARGIN * curvature.eigenvalue(Extreme::LeastUpper, 1.0, &self.metric, iterations, noise, l);
        let least = least.clamp(0.0, l);
        let least = if least > NOT_STRONGLY_CONVEX * l { least } else { 0.0 };
        self.sizes.upper = if least == 0.0 { 1.0 / l } else { 2.0 / (l + least) };
        self.sizes.contraction = (l - least) / (l + least);
    }

    /// True where sizes may differ from point to point.
    pub(crate) fn varies(&self) -> bool {
        self.curvature.as_ref().is_some_and(|c| !c.is_constant())
    }

    /// The last sizes.
    pub(crate) fn sizes(&self) -> EstimatedSteps {
        self.sizes
    }

    /// Evaluations so far.
    pub(crate) fn counts(&self) -> Counts {
        Counts { hvp: self.curvature.as_ref().map_or(0, PowerIteration::products), ..Counts::default() }
    }

    /// All that later sizes depend on.
    pub(crate) fn memory(&self) -> StepSizesMemory<'_> {
        let curvature = self.curvature.as_ref().map(|c| Cow::Borrowed(c.memory()));
        StepSizesMemory { sizes: self.sizes, end: self.end, curvature }
    }

    /// Goes back to what was remembered.
    pub(crate) fn recall(&mut self, memory: StepSizesMemory<'_>) {
        (self.sizes, self.end) = (memory.sizes, memory.end);
        if let (Some(curvature), Some(memory)) = (&mut self.curvature, memory.curvature) {
            curvature.recall(memory.into_owned());
        }
    }
}
