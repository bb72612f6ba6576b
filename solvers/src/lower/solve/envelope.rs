//! The prox-gradient map `T(y) = prox_{s g~}(y - s f_y(x, y))` of the lower level, and the forward-backward envelope that
//! measures its points: `E(y) = f(y) - <f_y(y), r> + |r|^2/(2 s) + g(T(y))` with `r = y - T(y)`.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Direction, Part, ProblemGraph};
use crate::formula::report;
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
    /// `y - T(y)`.
    pub(super) r: Vec<f64>,
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
}

impl EnvelopePoint {
    /// A point of so many entries that is not evaluated yet.
    pub(super) fn new(length: usize) -> EnvelopePoint {
        let zeros = vec![0.0; length];
        EnvelopePoint {
            y: zeros.clone(),
            t: zeros.clone(),
            r: zeros,
            value: 0.0,
            size: 0.0,
            excess: 0.0,
            scale: 0.0,
            residual: f64::INFINITY,
        }
    }

    /// Forgets what a solve has found.
    pub(super) fn clear(&mut self) {
        [&mut self.y, &mut self.t, &mut self.r].into_iter().for_each(|v| v.fill(0.0));
        (self.value, self.size, self.excess, self.scale) = (0.0, 0.0, 0.0, 0.0);
        self.residual = f64::INFINITY;
    }

    /// Copies without allocating.
    pub(super) fn copy(&mut self, from: &EnvelopePoint) {
        let arrays = [(&mut self.y, &from.y), (&mut self.t, &from.t), (&mut self.r, &from.r)];
        arrays.into_iter().for_each(|(to, from)| to.copy_from_slice(from));
        (self.value, self.size, self.excess) = (from.value, from.size, from.excess);
        (self.scale, self.residual) = (from.scale, from.residual);
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
}

impl ProxGradient {
    /// Compiles.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<ProxGradient, Box<Diagnostic>> {
        let (function, counts) = prox_gradient(problem);
        let upper: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
        let program = BoundProgram::<f64>::repeated(&function, problem, data, threads, &[], &upper)?;
        let lower = problem.lower().variables.iter().map(|v| (v.formal, program.input(v.formal).len())).collect();
        Ok(ProxGradient { program, counts, upper, lower, step: function.inputs.len() - 1 })
    }

    /// Floating-point operations of an evaluation.
    pub(super) fn flops(&self) -> u128 {
        self.program.flops()
    }

    /// Entries of the lower variables.
    pub(super) fn len(&self) -> usize {
        self.lower.iter().map(|(_, length)| length).sum()
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

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what the program selects from.
    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.program.select(rows)
    }

    /// Fills in what the map with a step size says of the point's y, and the gradient `f_y` there.
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
            (point.value, point.residual) = (f64::NAN, f64::INFINITY);
            return;
        }
        let count = self.lower.len();
        at = 0;
        for (i, (_, length)) in self.lower.iter().enumerate() {
            point.t[at..at + length].copy_from_slice(self.program.output(i));
            gradient[at..at + length].copy_from_slice(self.program.output(count + i));
            at += length;
        }
        for ((r, y), t) in point.r.iter_mut().zip(&point.y).zip(&point.t) {
            *r = y - t;
        }
        let [f, f_t, g_t, residual] = std::array::from_fn(|i| self.program.scalar(2 * count + i));
        point.size = dot(&point.r, &point.r);
        let slope = dot(gradient, &point.r);
        let square = point.size / (2.0 * step);
        point.value = f - slope + square + g_t;
        point.excess = f_t - (f - slope + BOUND * square);
        point.scale = f.abs() + f_t.abs() + g_t.abs() + slope.abs();
        point.residual = residual;
    }
}

/// `T(y)` and `f_y(y)` per lower variable, then `f(y)`, `f(T(y))`, `g(T(y))` and the residual with unit step. The last
/// input is the step size.
fn prox_gradient(problem: &Problem) -> (Function, Counts) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let s = p.scalar("s");
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let f_y: Direction = f_y.iter().zip(&y.nodes).map(|(d, y)| Some(p.or_zero(*d, *y))).collect();
    let v = p.descend(&y, &s.into(), &f_y);
    let t = p.prox(&v, &s.into(), &x, "T");
    let values = [(Part::Smooth, &y), (Part::Smooth, &t), (Part::Proximal, &t)];
    let values = values.map(|(part, at)| p.value(part, &x, at));
    let residual = report::lower_residual(&mut p, &x, &y);
    let outputs: Vec<NodeId> =
        t.nodes.iter().copied().chain(f_y.into_iter().flatten()).chain(values).chain([residual]).collect();
    let counts = p.counts;
    (p.function("prox-gradient map", &outputs), counts)
}
