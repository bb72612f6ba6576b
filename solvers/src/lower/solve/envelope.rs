//! The prox-gradient map `T(y) = prox_{s P g~}(y - s P f_y(x, y))` of the lower level in a diagonal metric P, and the
//! forward-backward envelope that measures its points: `E(y) = f(y) - <f_y(y), r> + |r|^2/(2 s) + g(T(y))` with
//! `r = y - T(y)`, all norms those of the inverse metric. Points are in the problem's own units; differences of points and
//! slopes are in those of the metric, `y = P^(1/2) z`, where norms are plain.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Direction, Part, ProblemGraph};
use crate::formula::report;
use crate::formula::step_size::StepSize;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::vectors::dot;

/// Part of a step's quadratic bound that must be enough: the rest is the decrease that a prox-gradient step promises.
pub(super) const BOUND: f64 = 0.95;

/// A lower point with what the map says of it.
#[derive(Clone)]
pub(super) struct EnvelopePoint {
    pub(super) y: Vec<f64>,
    /// `T(y)`.
    pub(super) t: Vec<f64>,
    /// `y - T(y)`, in units of the metric.
    pub(super) r: Vec<f64>,
    /// `f(y)`.
    pub(super) smooth: f64,
    /// `f + g` at `T(y)`.
    pub(super) total: f64,
    /// The envelope.
    pub(super) value: f64,
    /// `|r|^2`.
    pub(super) size: f64,
    /// How far `f(T(y))` lies above its quadratic bound with the factor [`BOUND`].
    pub(super) excess: f64,
    /// Sums of this size carry rounding errors.
    scale: f64,
    /// `|y - prox_g(y - f_y)|`, with unit step.
    pub(super) residual: f64,
    /// `|r|/s`: the slope at the point, in units of the metric. It does not shrink with the step.
    pub(super) slope: f64,
}

impl EnvelopePoint {
    /// A point of so many entries that is not evaluated yet.
    pub(super) fn new(length: usize) -> EnvelopePoint {
        let zeros = vec![0.0; length];
        EnvelopePoint {
            y: zeros.clone(),
            t: zeros.clone(),
            r: zeros,
            smooth: 0.0,
            total: 0.0,
            value: 0.0,
            size: 0.0,
            excess: 0.0,
            scale: 0.0,
            residual: f64::INFINITY,
            slope: f64::INFINITY,
        }
    }

    /// Forgets what a solve has found.
    pub(super) fn clear(&mut self) {
        [&mut self.y, &mut self.t, &mut self.r].into_iter().for_each(|v| v.fill(0.0));
        (self.smooth, self.total, self.value) = (0.0, 0.0, 0.0);
        (self.size, self.excess, self.scale) = (0.0, 0.0, 0.0);
        (self.residual, self.slope) = (f64::INFINITY, f64::INFINITY);
    }

    /// Copies without allocating.
    pub(super) fn copy(&mut self, from: &EnvelopePoint) {
        let arrays = [(&mut self.y, &from.y), (&mut self.t, &from.t), (&mut self.r, &from.r)];
        arrays.into_iter().for_each(|(to, from)| to.copy_from_slice(from));
        (self.smooth, self.total, self.value) = (from.smooth, from.total, from.value);
        (self.size, self.excess, self.scale) = (from.size, from.excess, from.scale);
        (self.residual, self.slope) = (from.residual, from.slope);
    }

    /// Differences of the envelope below this are rounding.
    pub(super) fn rounding(&self) -> f64 {
        1e-13 * self.scale
    }
}

/// The map as a program in which x changes seldom.
pub(super) struct ProxGradient {
    program: BoundProgram<f64>,
    /// Evaluations in one run.
    pub(super) counts: Counts,
    /// Inputs of the upper variables.
    upper: Vec<usize>,
    /// Inputs and lengths of the lower variables.
    lower: Vec<(usize, usize)>,
    step: usize,
    /// Inputs of the metric, one per lower variable.
    metric: Vec<usize>,
    /// The root of the metric, per entry.
    pub(super) root: Vec<f64>,
}

impl ProxGradient {
    /// Compiles.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<ProxGradient, Box<Diagnostic>> {
        let MapFunction { function, counts, step, metric } = prox_gradient(problem);
        let upper: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
        let program = BoundProgram::<f64>::repeated(&function, problem, data, threads, &[], &upper)?;
        let lower: Vec<_> =
            problem.lower().variables.iter().map(|v| (v.formal, program.input(v.formal).len())).collect();
        let root = vec![1.0; lower.iter().map(|(_, length)| length).sum()];
        let mut map = ProxGradient { program, counts, upper, lower, step, metric, root };
        map.set_root(None);
        Ok(map)
    }

    /// Floating-point operations of an evaluation.
    pub(super) fn flops(&self) -> u128 {
        self.program.flops()
    }

    /// Entries of the lower variables.
    pub(super) fn len(&self) -> usize {
        self.lower.iter().map(|(_, length)| length).sum()
    }

    /// Entries per lower variable.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.lower.iter().map(|(_, length)| *length).collect()
    }

    /// The number of upper variables.
    pub(super) fn upper(&self) -> usize {
        self.upper.len()
    }

    /// Splits the entries of the lower level into an array per variable.
    pub(super) fn split(&self, mut entries: &[f64]) -> Vec<Vec<f64>> {
        let parts = self.lower.iter().map(|(_, length)| {
            let (part, rest) = entries.split_at(*length);
            entries = rest;
            part.to_vec()
        });
        parts.collect()
    }

    /// Goes to an x, an array per upper variable.
    pub(super) fn go_to(&mut self, x: &[Vec<f64>]) {
        for (input, values) in self.upper.iter().zip(x) {
            self.program.set(*input, values);
        }
        self.program.refresh();
    }

    /// Sets the metric by its root, per entry; ones where there is none. Entries that share a number share their root.
    pub(super) fn set_root(&mut self, root: Option<&[f64]>) {
        match root {
            Some(root) => self.root.copy_from_slice(root),
            None => self.root.fill(1.0),
        }
        let mut at = 0;
        for (input, (_, length)) in self.metric.iter().zip(&self.lower) {
            let slots = self.program.input_mut(*input).iter_mut().zip(&self.root[at..at + length]);
            slots.for_each(|(slot, q)| *slot = q * q);
            at += length;
        }
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what the program selects from.
    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.program.select(rows)
    }

    /// Fills in what the map with a step size says of the point's y, and the gradient `f_y` there, in units of the metric.
    pub(super) fn evaluate(&mut self, step: f64, point: &mut EnvelopePoint, gradient: &mut [f64]) {
        let mut at = 0;
        for (input, length) in &self.lower {
            self.program.set(*input, &point.y[at..at + length]);
            at += length;
        }
        self.program.set_scalar(self.step, step);
        self.program.run();
        if self.program.is_stopped() {
            // Not a point of the solve, and the end of it.
            (point.value, point.residual, point.slope) = (f64::NAN, f64::INFINITY, f64::INFINITY);
            return;
        }
        let count = self.lower.len();
        at = 0;
        for (i, (_, length)) in self.lower.iter().enumerate() {
            point.t[at..at + length].copy_from_slice(self.program.output(i));
            gradient[at..at + length].copy_from_slice(self.program.output(count + i));
            at += length;
        }
        for (i, (r, g)) in point.r.iter_mut().zip(gradient.iter_mut()).enumerate() {
            let q = self.root[i];
            *r = (point.y[i] - point.t[i]) / q;
            *g *= q;
        }
        let [f, f_t, g_t, residual] = std::array::from_fn(|i| self.program.scalar(2 * count + i));
        point.size = dot(&point.r, &point.r);
        let slope = dot(gradient, &point.r);
        let square = point.size / (2.0 * step);
        point.value = f - slope + square + g_t;
        point.excess = f_t - (f - slope + BOUND * square);
        point.scale = f.abs() + f_t.abs() + g_t.abs() + slope.abs();
        (point.smooth, point.total) = (f, f_t + g_t);
        point.residual = residual;
        point.slope = point.size.sqrt() / step;
    }
}

/// The map as a function.
struct MapFunction {
    function: Function,
    counts: Counts,
    /// Positions of the step size and of the metric among its inputs.
    step: usize,
    metric: Vec<usize>,
}

/// `T(y)` and `f_y(y)` per lower variable, then `f(y)`, `f(T(y))`, `g(T(y))` and the residual with unit step.
fn prox_gradient(problem: &Problem) -> MapFunction {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let s = StepSize { number: p.scalar("s"), metric: Some(p.metric("P")) };
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let f_y: Direction = f_y.iter().zip(&y.nodes).map(|(d, y)| Some(p.or_zero(*d, *y))).collect();
    let v = p.descend(&y, &s, &f_y);
    let t = p.prox(&v, &s, &x, "T");
    let values = [(Part::Smooth, &y), (Part::Smooth, &t), (Part::Proximal, &t)];
    let values = values.map(|(part, at)| p.value(part, &x, at));
    let residual = report::lower_residual(&mut p, &x, &y);
    let outputs: Vec<NodeId> =
        t.nodes.iter().copied().chain(f_y.into_iter().flatten()).chain(values).chain([residual]).collect();
    let metric = s.metric.iter().flat_map(|metric| p.positions(metric)).collect();
    let (counts, step) = (p.counts, p.position(s.number));
    MapFunction { function: p.function("prox-gradient map", &outputs), counts, step, metric }
}
