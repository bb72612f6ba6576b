//! The polish: the lower level solved at fixed x from where a run ended. Methods stop at a point that trades the lower
//! level against the upper one; the polish removes what is left, in f64 whatever the run's precision.
//!
//! Prox-gradient steps, accelerated by a quasi-Newton method on their residual `r(y) = y - T(y)`,
//! `T(y) = prox_{s g~}(y - s f_y(y))`, with the forward-backward envelope
//! `E(y) = f(y) - <f_y(y), r> + |r|^2/(2 s) + g(T(y))` as merit function (Stella, Themelis, Sopasakis, Patrinos, "A
//! simple and efficient algorithm for nonlinear model predictive control", CDC 2017, Algorithm 1: PANOC).
//! Least squares of condition 7e3, 7e5, 7e6 take 300, 2200, 6000 evaluations to a residual of 1e-9.

use blo_engine::calculus::Analysis;
use blo_engine::calculus::{Verdict, convex};
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::Machine;
use crate::formula::problem_graph::{Counts, Direction, FirstOrder, Part, Wrt};
use crate::formula::residual;
use crate::lower::lbfgs::{QuasiNewton, dot};

/// A run's end point is polished until the residual is below this times its reference.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// Part of a step's quadratic bound that must be enough: the rest is the decrease that a prox-gradient step promises.
const BOUND: f64 = 0.95;

/// Fractions of a quasi-Newton step that are tried before the prox-gradient step is taken instead.
const FRACTIONS: [f64; 4] = [1.0, 0.5, 0.25, 0.0625];

/// Evaluations without a smaller residual after which rounding is all that is left.
const STALLED: u64 = 1000;

/// What a polish has done.
pub(crate) struct Polish {
    /// One array per lower variable.
    pub(crate) values: Vec<Vec<f64>>,
    /// Prox-gradient maps that were evaluated.
    pub(crate) iterations: u64,
    /// Evaluations of them.
    pub(crate) counts: Counts,
    /// The residual of the values, infinite if none was finite.
    pub(crate) residual: f64,
    /// The residual is as small as it was to be.
    pub(crate) solved: bool,
}

/// Where a polish starts and how far it goes.
pub(crate) struct Task<'a> {
    pub(crate) problem: &'a Problem,
    pub(crate) data: &'a Bindings,
    pub(crate) threads: u64,
    /// One array per variable, upper then lower.
    pub(crate) point: &'a [Vec<f64>],
    /// What the residual is measured against; without one, its value at the point.
    pub(crate) reference: Option<f64>,
    /// The residual is brought below this times the reference.
    pub(crate) tolerance: f64,
    /// Most evaluations.
    pub(crate) limit: u64,
}

impl Task<'_> {
    /// Solves the lower level. `stop` is asked before every evaluation.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub(crate) fn run(&self, stop: &mut dyn FnMut() -> bool) -> Result<Polish, Box<Diagnostic>> {
        let mut solver = Solver::new(self)?;
        solver.solve(self.limit, stop);
        let mut values = solver.best.t.as_slice();
        let lower = &self.point[self.problem.upper().variables.len()..];
        let parts = lower.iter().map(|v| {
            let (part, rest) = values.split_at(v.len());
            values = rest;
            part.to_vec()
        });
        Ok(Polish {
            values: parts.collect(),
            iterations: solver.evaluations,
            counts: solver.counts.times(solver.evaluations),
            residual: solver.best.residual,
            solved: solver.best.residual <= solver.target(),
        })
    }
}

/// A point with what the map says of it.
#[derive(Clone)]
struct Place {
    y: Vec<f64>,
    /// The prox-gradient step from y.
    t: Vec<f64>,
    /// `y - t`.
    r: Vec<f64>,
    /// The envelope.
    value: f64,
    /// `|r|^2`.
    size: f64,
    /// How far `f(t)` is above its quadratic bound with the factor [`BOUND`].
    excess: f64,
    /// Sums of this size carry rounding errors.
    scale: f64,
    /// `|y - prox_g(y - f_y)|`, with unit step.
    residual: f64,
}

struct Solver {
    machine: Machine<f64>,
    counts: Counts,
    /// Position and length of each lower variable among the inputs.
    variables: Vec<(usize, usize)>,
    step_input: usize,
    step: f64,
    reference: Option<f64>,
    tolerance: f64,
    /// True where every long step is checked on its way: f is not proved convex.
    watched: bool,
    evaluations: u64,
    here: Place,
    there: Place,
    best: Place,
    memory: QuasiNewton,
    direction: Vec<f64>,
    gradient: Vec<f64>,
}

impl Solver {
    fn new(task: &Task<'_>) -> Result<Solver, Box<Diagnostic>> {
        let problem = task.problem;
        let (function, counts) = prox_gradient(problem);
        let upper = problem.upper().variables.len();
        let fixed: Vec<(usize, &[f64])> = (0..upper).map(|i| (i, task.point[i].as_slice())).collect();
        let machine = Machine::<f64>::at(&function, problem, task.data, task.threads, &fixed)?;
        let variables = problem.lower().variables.iter().zip(&task.point[upper..]);
        let y = task.point[upper..].concat();
        let n = y.len();
        let place = Place {
            y,
            t: vec![0.0; n],
            r: vec![0.0; n],
            value: 0.0,
            size: 0.0,
            excess: 0.0,
            scale: 0.0,
            residual: f64::INFINITY,
        };
        let f = &problem.lower().objective;
        let analysis = Analysis::new(f, &[], &problem.lower_inputs());
        Ok(Solver {
            machine,
            counts,
            variables: variables.map(|(v, values)| (v.formal, values.len())).collect(),
            step_input: function.inputs.len() - 1,
            step: 1.0,
            reference: task.reference,
            tolerance: task.tolerance,
            watched: convex(&analysis, f.outputs()[0]) != Verdict::Proved,
            evaluations: 0,
            here: place.clone(),
            there: place.clone(),
            best: place,
            memory: QuasiNewton::new(n),
            direction: vec![0.0; n],
            gradient: vec![0.0; n],
        })
    }

    /// Fills in what the map says of `there.y`.
    fn evaluate(&mut self) {
        let place = &mut self.there;
        let mut at = 0;
        for (input, length) in &self.variables {
            self.machine.set(*input, &place.y[at..at + length]);
            at += length;
        }
        self.machine.set_scalar(self.step_input, self.step);
        self.machine.run();
        let count = self.variables.len();
        at = 0;
        for (i, (_, length)) in self.variables.iter().enumerate() {
            place.t[at..at + length].copy_from_slice(self.machine.output(i));
            self.gradient[at..at + length].copy_from_slice(self.machine.output(count + i));
            at += length;
        }
        for ((r, y), t) in place.r.iter_mut().zip(&place.y).zip(&place.t) {
            *r = y - t;
        }
        let [f, f_t, g_t, residual] = std::array::from_fn(|i| self.machine.scalar(2 * count + i));
        place.size = dot(&place.r, &place.r);
        let slope = dot(&self.gradient, &place.r);
        let square = place.size / (2.0 * self.step);
        place.value = f - slope + square + g_t;
        place.excess = f_t - (f - slope + BOUND * square);
        place.scale = f.abs() + f_t.abs() + g_t.abs() + slope.abs();
        place.residual = residual;
        self.evaluations += 1;
    }

    /// Steps until the residual is small, rounding stops it, or the limit.
    fn solve(&mut self, limit: u64, stop: &mut dyn FnMut() -> bool) {
        self.there.y.clone_from(&self.here.y);
        self.first_step();
        self.evaluate();
        self.keep();
        self.reference.get_or_insert(self.here.residual);
        let mut improved = 0;
        let mut least = f64::INFINITY;
        while self.evaluations < limit && self.here.value.is_finite() && !stop() {
            if self.here.residual < least {
                (least, improved) = (self.here.residual, self.evaluations);
            }
            if self.evaluations > improved + STALLED {
                break;
            }
            // The result is T(y), the point that the prox has put in place: it is measured itself.
            if self.here.residual <= self.target() {
                self.there.y.clone_from(&self.here.t);
                self.evaluate();
                let done = self.there.residual <= self.target();
                self.keep();
                if done {
                    break;
                }
            }
            // Not a number where the step leaves the domain of f.
            let excess = self.here.excess;
            if (excess.is_nan() || excess > rounding(&self.here)) && self.step > f64::MIN_POSITIVE {
                self.step /= 2.0;
                self.memory.forget();
                self.there.y.clone_from(&self.here.y);
                self.evaluate();
                self.keep();
                continue;
            }
            self.advance();
        }
    }

    /// One step: the longest fraction of the quasi-Newton step that is good enough, or the prox-gradient step.
    fn advance(&mut self) {
        if !self.memory.is_empty() {
            self.memory.step(&self.here.r, &mut self.direction);
            for fraction in FRACTIONS {
                if self.try_fraction(fraction) {
                    self.learn_and_keep();
                    return;
                }
            }
            self.memory.forget();
        }
        self.there.y.clone_from(&self.here.t);
        self.evaluate();
        self.learn_and_keep();
    }

    /// Goes to `y - (1 - fraction) r + fraction d`; true where that is good enough.
    fn try_fraction(&mut self, fraction: f64) -> bool {
        if self.watched && !self.stays(fraction) {
            return false;
        }
        self.put(fraction, 1.0);
        self.evaluate();
        let (here, there) = (&self.here, &self.there);
        let promised = 0.5 * (1.0 - BOUND) * 0.5 * here.size / self.step;
        let within_rounding = (there.value - here.value).abs() <= rounding(here) && there.size < here.size;
        there.value <= here.value - promised || within_rounding
    }

    /// `there.y`: the part `way` of the step.
    fn put(&mut self, fraction: f64, way: f64) {
        let steps = self.here.r.iter().zip(&self.direction);
        for ((to, y), (r, d)) in self.there.y.iter_mut().zip(&self.here.y).zip(steps) {
            *to = y + way * (fraction * d - (1.0 - fraction) * r);
        }
    }

    /// True where the envelope falls all along the step, as far as three points on the way tell: a step that climbs in
    /// between may lead to another minimum, and the polish stays in the basin where the run ended. Steps no longer than
    /// two prox-gradient steps are short enough.
    fn stays(&mut self, fraction: f64) -> bool {
        self.put(fraction, 1.0);
        let length: f64 = self.there.y.iter().zip(&self.here.y).map(|(a, b)| (a - b) * (a - b)).sum();
        if length <= 4.0 * self.here.size {
            return true;
        }
        let mut before = self.here.value;
        for way in [0.25, 0.5, 0.75] {
            self.put(fraction, way);
            self.evaluate();
            let falls = self.there.value <= before + rounding(&self.here);
            if !falls {
                return false;
            }
            before = self.there.value;
        }
        true
    }

    fn learn_and_keep(&mut self) {
        self.memory.learn([&self.here.y, &self.there.y], [&self.here.r, &self.there.r]);
        self.keep();
    }

    fn keep(&mut self) {
        std::mem::swap(&mut self.here, &mut self.there);
        if self.here.value.is_finite() && self.here.residual < self.best.residual {
            self.best.copy(&self.here);
        }
    }

    /// The residual that is small enough: against the reference, and not below what rounding leaves of it.
    fn target(&self) -> f64 {
        let y = dot(&self.here.y, &self.here.y).sqrt();
        let floor = 4.0 * f64::EPSILON * (1.0 + 1.0 / self.step) * y;
        floor.max(self.tolerance * self.reference.unwrap_or(0.0))
    }

    /// The first step: one over the curvature along the gradient. It only ever shrinks, so that no step is longer than
    /// what the curvature on the way allows.
    fn first_step(&mut self) {
        self.evaluate();
        let first = self.gradient.clone();
        let size = dot(&first, &first).sqrt();
        let length = 1e-6 * (1.0 + dot(&self.there.y, &self.there.y).sqrt());
        for (i, y) in self.there.y.iter_mut().enumerate() {
            *y -= length * if size > 0.0 { first[i] / size } else { 1.0 / (first.len() as f64).sqrt() };
        }
        self.evaluate();
        let change: f64 = self.gradient.iter().zip(&first).map(|(a, b)| (a - b) * (a - b)).sum();
        let curvature = change.sqrt() / length;
        if curvature.is_finite() && curvature > 0.0 {
            self.step = 1.0 / curvature;
        }
        self.there.y.clone_from(&self.here.y);
    }
}

impl Place {
    /// Copies without allocating.
    fn copy(&mut self, from: &Place) {
        let arrays = [(&mut self.y, &from.y), (&mut self.t, &from.t), (&mut self.r, &from.r)];
        arrays.into_iter().for_each(|(to, from)| to.copy_from_slice(from));
        (self.value, self.size, self.excess) = (from.value, from.size, from.excess);
        (self.scale, self.residual) = (from.scale, from.residual);
    }
}

/// Differences of the envelope below this are rounding.
fn rounding(place: &Place) -> f64 {
    1e-13 * place.scale
}

/// `T(y)` and `f_y(y)` per lower variable, then `f(y)`, `f(T(y))`, `g(T(y))` and the residual with unit step.
fn prox_gradient(problem: &Problem) -> (Function, Counts) {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let s = p.scalar("s");
    let f_y = p.gradient(Part::Smooth, Wrt::Y, &x, &y);
    let f_y: Direction = f_y.iter().zip(&y.nodes).map(|(d, y)| Some(p.or_zero(*d, *y))).collect();
    let v = p.descend(&y, &s.into(), &f_y);
    let t = p.prox(&v, &s.into(), &x, "T");
    let values = [(Part::Smooth, &y), (Part::Smooth, &t), (Part::Proximal, &t)];
    let values = values.map(|(part, at)| p.value(part, &x, at));
    let residual = residual::lower(&mut p, &x, &y);
    let outputs: Vec<NodeId> =
        t.nodes.iter().copied().chain(f_y.into_iter().flatten()).chain(values).chain([residual]).collect();
    let counts = p.counts;
    (p.function("polish", &outputs), counts)
}

#[cfg(test)]
mod tests {
    use crate::fixture::{LASSO, MERELY_CONVEX, polished, solved};
    use crate::options::request::Request;
    use crate::solution::Solution;

    /// A few steps of MEHA, then the polish.
    fn short(text: &str, polish: u64) -> Solution {
        let options = [("alpha", "1e-6"), ("beta", "1e-6"), ("eta", "1e-6"), ("gamma", "1"), ("c", "1")];
        let request = options.iter().fold(Request::new("meha:auto"), |r, (name, value)| r.set(*name, *value));
        polished(text, &request.set("max_iter", "2").set("polish", polish.to_string()))
    }

    /// Least squares of condition `10^digits` in `n` unknowns, with a known minimum.
    fn ill_conditioned(digits: u32, g: &str) -> String {
        format!(
            "param n = 60   let d = [10^(-{digits}*(i - 1)/(2*(n - 1))) for i in 1..n]
             data Q[5*n, n] = normal(seed = 3)
             let r = Q*(d .* ones(n))
             upper {{ var x in [0, 1]  minimize (x - 1)^2 }}
             lower {{ var y[n]  minimize 1/2*normsq(Q*(d .* y) - r) {g} }}
             start {{ y = 3 }}"
        )
    }

    /// Residual after the polish as a part of the one before.
    fn left(s: &Solution) -> f64 {
        s.residuals.lower / s.polish.unwrap().residual
    }

    fn values<'a>(s: &'a Solution, name: &str) -> &'a [f64] {
        &s.variable(name).unwrap().values
    }

    #[test]
    fn ill_conditioned_lower_levels_are_solved() {
        let cases = [
            (3, "", 500),
            (5, "", 4000),
            (6, "", 10_000),
            (5, "regularize 1e-3*norm1(y)", 4000),
            (6, "regularize 1e-6*normsq(y)", 10_000),
        ];
        for (digits, g, most) in cases {
            let s = short(&ill_conditioned(digits, g), 20_000);
            assert!(left(&s) <= 2e-9 && s.polish.unwrap().iterations < most, "{digits} {g}: {:?}", s.polish);
            assert!(s.warnings.is_empty(), "{:?}", s.warnings);
        }
        let s = short(&ill_conditioned(6, ""), 50);
        assert_eq!(s.polish.unwrap().iterations, 50);
        assert!(left(&s) < 1.0 && s.warnings[0].code == "W0604", "{:?}", s.warnings);
    }

    #[test]
    fn the_polished_point_is_reported_and_the_iterate_before_kept_apart() {
        let (raw, s) = (short(LASSO, 0), short(LASSO, 20_000));
        let polish = s.polish.unwrap();
        assert_eq!((polish.upper, polish.lower), (raw.upper.objective, raw.lower.objective));
        assert_eq!((raw.polish, s.variable("x")), (None, raw.variable("x")));
        assert_eq!(s.rows, raw.rows);
        // y = soft(v, x) with v = (1/2, -1/2) and x next to 1/2: the prox leaves exact zeros.
        let (x, y) = (values(&s, "x"), values(&s, "y"));
        let soft = [(0.5 - x[0]).max(0.0), -(0.5 - x[1]).max(0.0)];
        assert!((y[0] - soft[0]).abs() < 1e-8 && (y[1] - soft[1]).abs() < 1e-8, "{x:?} {y:?}");
        assert!(s.lower.objective < raw.lower.objective && s.upper.objective == y[0] + y[1]);
        assert!(s.residuals.upper == raw.residuals.upper && s.counts.grad_lower > raw.counts.grad_lower);
        assert_eq!(raw.warnings[0].code, "W0604");
    }

    #[test]
    fn every_kind_of_lower_level_is_polished() {
        let simplex = "upper { var x in [0, 1]  minimize x }
            lower { var y[3] in simplex(1)  minimize 1/2*normsq(y - [3/4, 1/4, -2]) }  start { y = 1/3 }";
        let y = short(simplex, 100);
        let expected = [0.75, 0.25, 0.0];
        assert!(values(&y, "y").iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{:?}", y.variable("y"));
        let boxed = "upper { var x in [0, 1]  minimize x }
            lower { var y[2] in [0, 1]  var z >= -1  minimize (y[1] - 3)^2 + (y[2] + z)^2 + exp(z) }";
        let s = short(boxed, 1000);
        assert!(left(&s) < 1e-8 && values(&s, "y")[0] == 1.0 && values(&s, "z")[0] < 0.0, "{:?}", s.lower);
        // y2 has no influence on the lower level and keeps its value.
        let (raw, s) = (short(MERELY_CONVEX, 0), short(MERELY_CONVEX, 100));
        assert_eq!(raw.variable("y2"), s.variable("y2"));
        assert!(values(&s, "y1").iter().zip(values(&s, "x")).all(|(y, x)| (y - x).abs() < 1e-8));
    }

    #[test]
    fn it_stays_in_its_basin() {
        let lowest = -std::f64::consts::FRAC_PI_2;
        for start in ["-4.6", "-3", "-1.6", "0", "1", "1.5", "1.57"] {
            let text = format!(
                "upper {{ var x  minimize x^2 }}  lower {{ var y  var z  minimize sin(y) + 1e-2*sin(z) }}
                 start {{ y = {start}  z = {start} }}"
            );
            let s = short(&text, 20_000);
            for name in ["y", "z"] {
                assert!((values(&s, name)[0] - lowest).abs() < 1e-2, "{start} {name}: {:?}", s.variable(name));
            }
        }
    }

    #[test]
    fn single_precision_runs_are_polished_in_double() {
        let request = Request::new("meha:tuned").set("max_iter", "120").set("precision", "f32");
        let (raw, s) = (solved(MERELY_CONVEX, &request), polished(MERELY_CONVEX, &request));
        assert!(s.residuals.lower < 1e-12 && raw.residuals.lower > 1e-9, "{:?} {:?}", raw.residuals, s.residuals);
    }
}
