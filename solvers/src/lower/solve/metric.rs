//! The diagonal metric of a solve, from the absolute diagonal of `f_yy`: with it neither the units of the lower variables
//! nor those of f matter. It differs by entry only where the prox and the set are separable.
//!
//! Which diagonal: where it is short, the one at the problem's own start, found once per solver and used for every x; a
//! solve that it does not serve asks for the one where it is ([`Metric::measure`]). Where the Hessian is constant all are
//! the same. A long diagonal is estimated, and only for a solve that the plain metric does not serve. So nothing depends
//! on what was solved before, and a run that is resumed has the bits of one that was not interrupted.

use std::ops::Range;

use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::step_size::is_separable;
use crate::iteration::Rows;
use crate::lower::curvature::{DiagonalFunction, EXACT, HessianDiagonals, fill};
use crate::lower::vectors::ranked;

/// A curvature that promises to lower f by this many times its scale says nothing.
const BEYOND: f64 = 1e6;

/// A curvature whose step is this many times as long as its interval says nothing.
const OUTSIDE: f64 = 1e3;

/// The metric, and what it is computed with.
pub(super) struct Metric {
    function: DiagonalFunction,
    problem: Problem,
    data: Bindings,
    threads: u64,
    /// Positions for index inputs that were selected since.
    rows: Vec<(usize, Vec<usize>)>,
    program: Option<HessianDiagonals>,
    /// There is no memory for the program.
    absent: bool,
    /// The diagonal at the problem's start, once it was asked for; empty where it is not finite.
    base: Option<Vec<f64>>,
    /// Products that it took.
    setup: u64,
    /// The diagonal in use.
    diagonal: Vec<f64>,
    /// Entries per lower variable, and whether they may differ.
    parts: Vec<(Range<usize>, bool)>,
    /// Lengths of the intervals that entries lie in.
    widths: Vec<f64>,
    /// Its root, per entry.
    pub(super) root: Vec<f64>,
}

impl Metric {
    /// Compiles nothing yet. Data are shared with the caller's.
    pub(super) fn new(problem: &Problem, data: &Bindings, threads: u64, lengths: &[usize]) -> Metric {
        let mut at = 0;
        let parts = problem.lower().variables.iter().zip(lengths).map(|(variable, length)| {
            at += length;
            (at - length..at, is_separable(variable))
        });
        let parts: Vec<_> = parts.collect();
        Metric {
            function: DiagonalFunction::new(problem, false),
            problem: problem.clone(),
            data: data.clone(),
            threads,
            rows: Vec::new(),
            program: None,
            absent: false,
            base: None,
            setup: 0,
            diagonal: vec![0.0; at],
            widths: widths(problem, data, threads, &parts),
            parts,
            root: vec![1.0; at],
        }
    }

    /// Other tasks: positions for index inputs. The diagonal is another one.
    pub(super) fn select(&mut self, rows: &Rows) {
        for (input, positions) in rows {
            match self.rows.iter_mut().find(|(known, _)| known == input) {
                Some((_, known)) => known.clone_from(positions),
                None => self.rows.push((*input, positions.clone())),
            }
        }
        self.base = None;
        if self.program.as_mut().is_some_and(|program| program.select(rows).is_err()) {
            (self.program, self.absent, self.setup) = (None, true, 0);
        }
    }

    /// True where the diagonal is exact and cheap.
    pub(super) fn is_short(&self) -> bool {
        self.root.len() <= EXACT
    }

    /// True where the diagonal is the same everywhere.
    pub(super) fn is_constant(&self) -> bool {
        self.function.is_constant()
    }

    /// Hessian-vector products of solves so far. Those of the diagonal at the problem's start are setup, like compilation:
    /// a run that is resumed has them again.
    pub(super) fn products(&self) -> u64 {
        self.program.as_ref().map_or(0, |program| program.products) - self.setup
    }

    /// Hessian-vector products of setup so far.
    #[cfg(test)]
    pub(super) fn setup(&self) -> u64 {
        self.setup
    }

    /// Takes the diagonal at the problem's start; false where there is none.
    pub(super) fn take_base(&mut self) -> bool {
        if self.base.is_none() {
            let start = self.start();
            let (x, y) = start.split_at(start.len().min(self.problem.upper().variables.len()));
            let before = self.products();
            let found = !start.is_empty() && self.measure(x, &y.concat());
            self.setup += self.products() - before;
            if self.is_stopped() {
                return false;
            }
            self.base = Some(if found { self.diagonal.clone() } else { Vec::new() });
        }
        let base = self.base.as_deref().unwrap_or_default();
        if base.is_empty() {
            return false;
        }
        self.diagonal.copy_from_slice(base);
        true
    }

    /// The problem's start, one array per variable; none where it belongs to other variables.
    fn start(&self) -> Vec<Vec<f64>> {
        let Ok(mut start) = BoundProgram::<f64>::new(&self.problem.start, &self.problem, &self.data, self.threads)
        else {
            return Vec::new();
        };
        if !self.rows.is_empty() && start.select(&self.rows).is_err() {
            return Vec::new();
        }
        start.run();
        let count = self.problem.start.outputs().len();
        let values: Vec<Vec<f64>> = (0..count).map(|i| start.output(i).to_vec()).collect();
        let upper = self.problem.upper().variables.len();
        let lower = values.iter().skip(upper).map(Vec::len);
        if lower.eq(self.parts.iter().map(|(range, _)| range.len())) { values } else { Vec::new() }
    }

    /// Finds the diagonal at a point; false where it is not finite, where there is no memory for it, or where the work is
    /// to stop. One that is the same everywhere is found once, and is setup.
    pub(super) fn measure(&mut self, x: &[Vec<f64>], y: &[f64]) -> bool {
        let constant = self.is_constant();
        if let Some(base) = self.base.as_ref().filter(|_| constant) {
            self.diagonal.clone_from(base);
            return !base.is_empty();
        }
        let before = self.products();
        let found = self.find(x, y);
        if constant && !self.is_stopped() {
            self.setup += self.products() - before;
            self.base = Some(if found { self.diagonal.clone() } else { Vec::new() });
        }
        found
    }

    fn find(&mut self, x: &[Vec<f64>], y: &[f64]) -> bool {
        self.compile();
        let Some(program) = &mut self.program else { return false };
        for (variable, values) in self.problem.upper().variables.iter().zip(x) {
            program.set(variable.formal, values);
        }
        for (variable, (range, _)) in self.problem.lower().variables.iter().zip(&self.parts) {
            program.set(variable.formal, &y[range.clone()]);
        }
        let mut stream = 0;
        program.rescaled(&mut |random| {
            stream += 1;
            fill(0, stream, random);
        });
        let found = program.found[0].iter().flatten();
        let fine = !program.is_stopped() && found.clone().all(|d| d.is_finite());
        if fine {
            self.diagonal.iter_mut().zip(found).for_each(|(to, d)| *to = *d);
        }
        fine
    }

    /// How far the entries of the diagonal that was found last are from being the same in the metric of a root: their
    /// largest ratio, where entries may differ.
    pub(super) fn misfit(&self, root: &[f64]) -> f64 {
        let (mut least, mut largest) = (f64::INFINITY, 0.0_f64);
        let mut see = |curvature: f64| {
            if curvature > 0.0 {
                (least, largest) = (least.min(curvature), largest.max(curvature));
            }
        };
        for (range, separable) in &self.parts {
            let each = range.clone().map(|i| self.diagonal[i] * root[i] * root[i]);
            if *separable { each.for_each(&mut see) } else { see(each.sum::<f64>() / range.len().max(1) as f64) }
        }
        if least.is_finite() { largest / least } else { 1.0 }
    }

    fn is_stopped(&self) -> bool {
        self.data.stop.is_set()
    }

    fn compile(&mut self) {
        if self.program.is_some() || self.absent {
            return;
        }
        let compiled = HessianDiagonals::new(&self.function, &self.problem, &self.data, self.threads);
        self.program = compiled.ok().filter(|_| !self.is_stopped());
        let rows = std::mem::take(&mut self.rows);
        if self.program.as_mut().is_some_and(|p| !rows.is_empty() && p.select(&rows).is_err()) {
            self.program = None;
        }
        self.rows = rows;
        self.absent = self.program.is_none();
    }

    /// Computes the root from the diagonal. Entries whose curvature vanishes at a point take their scale from the gradient
    /// there and the length of their interval, or from the scale of f: a step then is as long as the interval, or promises
    /// to lower f by [`BEYOND`] times its scale, and is shortened where that is too much. All of it follows the units of f
    /// and y, except where f is not convex: entries of unknown scale are then taken to have the same one, since a step in
    /// one of them must not carry another across a hill.
    pub(super) fn raise(&mut self, smooth: f64, gradient: &[f64], y: &[f64], convex: bool) {
        let energy = self.energy(smooth, gradient, y, convex);
        let vanishes = |d: f64, g: f64| d <= 0.0 || g * g > BEYOND * energy * d && energy > 0.0;
        let vanishing = self.diagonal.iter().zip(gradient).filter(|(d, g)| vanishes(**d, **g));
        let steepest = vanishing.fold(0.0, |m: f64, (_, g)| m.max(g.abs()));
        for (i, curvature) in self.root.iter_mut().enumerate() {
            let (d, g, width) = (self.diagonal[i], gradient[i].abs(), self.widths[i]);
            let bounded = width > 0.0 && width.is_finite();
            let size = if bounded { width } else { y[i].abs() };
            let slope = if convex { g } else { steepest };
            *curvature = if !vanishes(d, g) {
                if bounded { d.max(g / (OUTSIDE * width)) } else { d }
            } else if bounded && g > 0.0 {
                d.max(g / width)
            } else if slope > 0.0 {
                // Nothing tells the scale of f: a step of one.
                d.max(if energy > 0.0 { slope * slope / (BEYOND * energy) } else { slope })
            } else if energy > 0.0 && size > 0.0 {
                energy / (size * size)
            } else {
                0.0
            };
        }
        self.finish();
    }

    /// The scale of f near a point, as far as values, slopes and curvatures tell. Where f is convex, the promise of a Newton
    /// step counts too, unless it is one of a vanishing curvature in every other entry.
    fn energy(&self, smooth: f64, gradient: &[f64], y: &[f64], convex: bool) -> f64 {
        let mut energy = smooth.abs();
        for ((d, g), y) in self.diagonal.iter().zip(gradient).zip(y) {
            energy = energy.max(d * y * y).max((g * y).abs());
        }
        // entries of one set have one unit, and its members move from one into another
        for (range, _) in self.parts.iter().filter(|(_, separable)| !separable) {
            let largest = |values: &[f64]| values[range.clone()].iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            energy = energy.max(largest(gradient) * largest(y));
        }
        if convex || energy == 0.0 {
            let entries = self.diagonal.iter().zip(gradient).filter(|(d, _)| **d > 0.0);
            let mut promises: Vec<f64> = entries.map(|(d, g)| g * g / d).collect();
            let rank = promises.len().saturating_sub(1) / 2;
            energy = energy.max(ranked(&mut promises, rank).unwrap_or(0.0));
        }
        if energy.is_finite() { energy } else { 0.0 }
    }

    /// From curvatures to the root: one number where entries may not differ, and the median where nothing is known.
    fn finish(&mut self) {
        for (range, separable) in &self.parts {
            if !separable && !range.is_empty() {
                let part = &mut self.root[range.clone()];
                let mean = part.iter().sum::<f64>() / part.len() as f64;
                part.fill(mean);
            }
        }
        let mut known: Vec<f64> = self.root.iter().copied().filter(|c| *c > 0.0).collect();
        let rank = known.len() / 2;
        let middle = ranked(&mut known, rank).unwrap_or(1.0);
        for root in &mut self.root {
            let curvature = if *root > 0.0 { *root } else { middle };
            // squares stay within the range of numbers
            *root = 1.0 / curvature.sqrt().clamp(1e-150, 1e150);
        }
    }
}

/// Lengths of intervals, per entry; infinite where a variable has none.
fn widths(problem: &Problem, data: &Bindings, threads: u64, parts: &[(Range<usize>, bool)]) -> Vec<f64> {
    let mut widths = vec![f64::INFINITY; parts.last().map_or(0, |(range, _)| range.end)];
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let mut ends = Vec::new();
    let mut boxes = Vec::new();
    for (i, variable) in problem.level(LevelId::LOWER).variables.iter().enumerate() {
        if let Some(set) = variable.set.as_ref().filter(|set| set.set.is_box) {
            ends.extend(p.at(&set.parameters, &x, &y));
            boxes.push(i);
        }
    }
    if boxes.is_empty() {
        return widths;
    }
    let Ok(mut program) = BoundProgram::<f64>::new(&p.function("intervals", &ends), problem, data, threads) else {
        return widths;
    };
    program.run();
    let entry = |values: &[f64], j: usize| if values.len() == 1 { values[0] } else { values[j] };
    for (k, i) in boxes.into_iter().enumerate() {
        let (from, to) = (program.output(2 * k), program.output(2 * k + 1));
        for (j, width) in widths[parts[i].0.clone()].iter_mut().enumerate() {
            *width = entry(to, j) - entry(from, j);
        }
    }
    widths
}
