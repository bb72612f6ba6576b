//! Step sizes of lower-level dynamics from the curvature of both objectives in y, where none are stated. They are
//! followed from point to point: a few power iterations from the vectors of the last one.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::curvature::{Blocks, Curvature, Extreme};
use crate::lower::dynamics::Sizes;
use crate::options::settings::Settings;

/// Power iterations at the first point, at the first one with other tasks, and at each later one. The vector of other
/// tasks is large where the worst of them was, and six iterations do not find the worst one now.
const FIRST: usize = 100;
const RENEWED: usize = 30;
const LATER: usize = 6;

/// Random direction mixed in later on: the old vector may be blind to curvature that has appeared since.
const NOISE: f64 = 0.05;

/// Power iteration comes from below.
const MARGIN: f64 = 1.02;

/// Sizes stay as they are while the curvature is between this share of the one they are for and all of it: a size that
/// changes with every point would make the objective noisy.
const LOOSE: f64 = 0.5;

/// The curvature, times that for which the steps are right, that is assumed where they have run away.
const AWAY: f64 = 32.0;

/// How often sizes that are wrong at the end of the steps are mended, and the steps taken again.
pub(crate) const MOST_SIZES: usize = 8;

/// What is known where sizes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing yet.
    Nothing,
    /// The sizes with other tasks.
    OtherTasks,
    /// The sizes at a point nearby.
    Nearby,
    /// The sizes that are to be used, whatever the point.
    Sizes,
}

/// The estimates of a run.
pub(crate) struct Estimates {
    curvature: Option<Curvature>,
    metric: Blocks,
    lower: bool,
    upper: bool,
    sizes: Sizes,
    /// The largest curvatures of f and F in y at the end of the last steps, zero where they need not be known.
    ends: [f64; 2],
}

impl Estimates {
    /// Compiles what is not stated.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub(crate) fn new(problem: &Problem, data: &Bindings, settings: &Settings) -> Result<Estimates, Box<Diagnostic>> {
        let has = |name: &str| settings.method.option(name).is_some();
        let open = |name: &str| has(name) && settings.get(name).value.is_none();
        let (lower, upper) = match settings.word("dynamics") {
            "averaging" => (open("t"), open("s") || open("beta")),
            "aggregate" => (open("s_l"), open("s_u")),
            _ => (open("s_l"), false),
        };
        let wanted = (lower || upper) && !problem.lower().variables.is_empty();
        let (threads, seed) = (settings.integer("threads"), settings.integer("seed"));
        let make = if upper { Curvature::new } else { Curvature::of_lower };
        let curvature = wanted.then(|| make(problem, data, threads, seed)).transpose()?;
        let metric = curvature.as_ref().map(Curvature::unit_metric).unwrap_or_default();
        Ok(Estimates { curvature, metric, lower, upper, sizes: Sizes::default(), ends: [0.0; 2] })
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.curvature.as_mut().map_or(Ok(()), |curvature| curvature.select(rows))
    }

    /// The sizes for steps from the point whose variables `read` copies out.
    pub(crate) fn at(&mut self, known: Known, read: &mut dyn FnMut(usize, &mut [f64])) -> Sizes {
        let Some(curvature) = &mut self.curvature else { return self.sizes };
        let (steps, noise) = match known {
            Known::Sizes => return self.sizes,
            Known::Nothing => (FIRST, 1.0),
            Known::OtherTasks => (RENEWED, 1.0),
            Known::Nearby => (LATER, NOISE),
        };
        curvature.go_to(read);
        let anew = known != Known::Nearby;
        if known == Known::Nothing {
            self.ends = [0.0; 2];
        }
        if self.lower {
            let l = self.largest(Extreme::Lower, steps, noise).max(MARGIN * self.ends[0]);
            let fits = !anew && l * self.sizes.lower <= MARGIN && l * self.sizes.lower >= LOOSE;
            if !fits {
                self.fit_lower(l);
            }
        }
        if self.upper {
            let l = self.largest(Extreme::Upper, steps, noise).max(MARGIN * self.ends[1]);
            let used = self.sizes.curvature_of_upper();
            let fits = !anew && l <= MARGIN * used && l >= LOOSE * used;
            if !fits {
                self.fit_upper(l, steps, noise);
            }
        }
        self.sizes
    }

    /// Whether the sizes are right where the steps have led, too; if not, they become so, and the steps have to be taken
    /// again.
    pub(crate) fn fit_end(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) -> bool {
        let Some(curvature) = self.curvature.as_mut().filter(|c| c.varies_with_y()) else { return true };
        curvature.go_to(read);
        let mut fits = true;
        if self.lower {
            let l = self.largest(Extreme::Lower, LATER, NOISE);
            self.ends[0] = l / MARGIN;
            // Also where it is not a number: the steps have run away.
            if !l.is_finite() || l * self.sizes.lower > MARGIN * MARGIN {
                fits = false;
                self.fit_lower(if l.is_finite() { l } else { AWAY / self.sizes.lower });
            }
        }
        if self.upper {
            let l = self.largest(Extreme::Upper, LATER, NOISE);
            self.ends[1] = l / MARGIN;
            if l.is_finite() && l > MARGIN * MARGIN * self.sizes.curvature_of_upper() {
                fits = false;
                self.fit_upper(l, LATER, NOISE);
            }
        }
        fits
    }

    /// A bound on a largest curvature at the point.
    fn largest(&mut self, which: Extreme, steps: usize, noise: f64) -> f64 {
        let curvature = self.curvature.as_mut().expect("asked for where sizes are open");
        MARGIN * curvature.eigenvalue(which, 1.0, &self.metric, steps, noise, 0.0)
    }

    fn fit_lower(&mut self, l: f64) {
        // Where f is flat any step will do; where nothing is finite the driver says so.
        self.sizes.lower = if l > 0.0 && l.is_finite() { 1.0 / l } else { 1.0 };
    }

    fn fit_upper(&mut self, l: f64, steps: usize, noise: f64) {
        if !(l > 0.0 && l.is_finite()) {
            (self.sizes.upper, self.sizes.contraction) = (self.sizes.lower, 1.0);
            return;
        }
        let curvature = self.curvature.as_mut().expect("asked for where sizes are open");
        let least = MARGIN * curvature.eigenvalue(Extreme::LeastUpper, 1.0, &self.metric, steps, noise, l);
        let least = least.clamp(0.0, l);
        // An estimate from above: an eigenvalue this small is none.
        let least = if least > 1e-6 * l { least } else { 0.0 };
        self.sizes.upper = if least == 0.0 { 1.0 / l } else { 2.0 / (l + least) };
        self.sizes.contraction = (l - least) / (l + least);
    }

    /// The last ones.
    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { hvp: self.curvature.as_ref().map_or(0, Curvature::products), ..Counts::default() }
    }

    /// What decides how the estimates go on.
    pub(crate) fn save(&self, to: &mut Vec<f64>) {
        to.extend(self.sizes.to_numbers());
        to.extend(self.ends);
        if let Some(curvature) = &self.curvature {
            curvature.save(to);
        }
    }

    /// Goes back to what `save` wrote.
    pub(crate) fn load(&mut self, from: &mut dyn Iterator<Item = f64>) {
        self.sizes = Sizes::from_numbers(std::array::from_fn(|_| from.next().unwrap_or_default()));
        self.ends = std::array::from_fn(|_| from.next().unwrap_or_default());
        if let Some(curvature) = &mut self.curvature {
            curvature.load(from);
        }
    }
}
