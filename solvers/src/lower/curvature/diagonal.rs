//! The diagonals of both Hessians: exact where they are short, else by Hutchinson's estimator.

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::products::{image, multipliers};
use super::{Curvature, LowerArrays};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::iteration::Rows;

/// Rademacher probes per point of [`Curvature::diagonals`].
const PROBES: usize = 16;

/// Diagonals of up to so many entries are computed, longer ones estimated.
pub(crate) const EXACT: usize = 64;

/// Probes per pass of [`HessianDiagonals::rescaled`]. The noise of an entry is that of its whole row: where columns differ
/// in scale by 1e6, the first pass overestimates the smallest entries by 1e6, and every pass takes the root of that.
const PASSES: [usize; 4] = [4, 4, 4, 8];

/// The function that diagonals are computed with, and where its inputs stand.
pub(crate) struct DiagonalFunction {
    function: Function,
    variables: Vec<usize>,
    vector: Vec<usize>,
}

/// A compiled [`DiagonalFunction`], and the absolute diagonals that were found last.
pub(crate) struct HessianDiagonals {
    program: BoundProgram<f64>,
    vector: Vec<usize>,
    /// The last random signs.
    signs: LowerArrays,
    /// The absolute diagonals of `f_yy` and `F_yy` at the point.
    pub(crate) found: [LowerArrays; 2],
    squares: [LowerArrays; 2],
    /// Hessian-vector products so far.
    pub(crate) products: u64,
}

impl Curvature {
    /// The absolute diagonals of `f_yy` and `F_yy`, averaged over the point and so many near it; a block of one number
    /// gets the mean. Short ones are exact.
    pub(crate) fn diagonals(&mut self, near: usize, lower: &mut LowerArrays, upper: &mut LowerArrays) {
        self.sums.iter_mut().flatten().for_each(|sum| sum.fill(0.0));
        let mut points = 0.0;
        for point in 0..=near {
            if point > 0 {
                self.wander();
            }
            let (power, before) = (&mut self.power, self.diagonal.products);
            self.diagonal.measure(&mut |random| power.draw_into(random));
            power.memory.products += self.diagonal.products - before;
            let found = &self.diagonal.found;
            if found.iter().flatten().flatten().all(|v| v.is_finite()) {
                let pairs = self.sums.iter_mut().flatten().flatten().zip(found.iter().flatten().flatten());
                pairs.for_each(|(sum, t)| *sum += t);
                points += 1.0;
            }
            if point > 0 {
                self.come_back();
            }
        }
        for (sums, out) in self.sums.iter().zip([lower, upper]) {
            for (sum, out) in sums.iter().zip(out) {
                let each = sum.iter().map(|v| v / f64::max(points, 1.0));
                if out.len() == sum.len() {
                    out.iter_mut().zip(each).for_each(|(out, v)| *out = v);
                } else {
                    out[0] = each.sum::<f64>() / sum.len().max(1) as f64;
                }
            }
        }
    }
}

impl HessianDiagonals {
    /// Compiles.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        given: &DiagonalFunction,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<HessianDiagonals, Box<Diagnostic>> {
        let program = BoundProgram::<f64>::new(&given.function, problem, data, threads)?;
        let zeros: LowerArrays = given.vector.iter().map(|input| vec![0.0; program.input(*input).len()]).collect();
        Ok(HessianDiagonals {
            program,
            vector: given.vector.clone(),
            signs: zeros.clone(),
            found: [zeros.clone(), zeros.clone()],
            squares: [zeros.clone(), zeros],
            products: 0,
        })
    }

    /// Sets an input of the problem.
    pub(crate) fn set(&mut self, input: usize, values: &[f64]) {
        self.program.set(input, values);
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what the program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.program.select(rows)
    }

    /// True where the work is to stop: what was found last means nothing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.program.is_stopped()
    }

    /// Entries of the lower variables.
    pub(crate) fn len(&self) -> usize {
        self.signs.iter().map(Vec::len).sum()
    }

    /// Finds the absolute diagonals at the point: exactly where they are short. `draw` fills arrays with random numbers.
    ///
    /// The mean of `z .* Hz` over random signs z is the diagonal (Hutchinson 1990), but where columns are correlated its
    /// noise is larger than what it estimates. The mean of `(Hz).^2` is the sum of squares of each row, without
    /// cancellation, and a positive semidefinite H has `H_ii >= sum_j(H_ij^2)/trace(H)`; the larger of the two counts.
    pub(crate) fn measure(&mut self, draw: &mut dyn FnMut(&mut LowerArrays)) {
        if self.len() <= EXACT { self.exact() } else { self.estimated(PROBES, None, draw) }
    }

    /// The same with estimates that survive variables of very different scales: a pass takes its probes in the metric
    /// that the pass before has found. Costs twenty products where the diagonals are long.
    pub(crate) fn rescaled(&mut self, draw: &mut dyn FnMut(&mut LowerArrays)) {
        if self.len() <= EXACT {
            return self.exact();
        }
        let mut scale: LowerArrays = self.signs.iter().map(|s| vec![1.0; s.len()]).collect();
        for probes in PASSES {
            self.estimated(probes, Some(&scale), draw);
            let entries = scale.iter_mut().flatten().zip(self.found[0].iter().flatten());
            entries.for_each(|(q, d)| *q = if *d > 0.0 { 1.0 / d.sqrt() } else { 0.0 });
        }
    }

    /// Finds the diagonals exactly, a product per entry.
    fn exact(&mut self) {
        for input in &self.vector {
            self.program.input_mut(*input).fill(0.0);
        }
        let blocks = self.vector.len();
        for i in 0..blocks {
            let input = self.vector[i];
            for j in 0..self.signs[i].len() {
                self.program.input_mut(input)[j] = 1.0;
                self.program.run();
                self.products += 1;
                self.program.input_mut(input)[j] = 0.0;
                for (part, found) in self.found.iter_mut().enumerate() {
                    found[i][j] = self.program.output(2 * part * blocks + i)[j].abs();
                }
            }
        }
    }

    /// Estimates them by so many probes: random signs, times a scale per entry. An entry of scale 0 has none.
    fn estimated(&mut self, probes: usize, scale: Option<&LowerArrays>, draw: &mut dyn FnMut(&mut LowerArrays)) {
        let blocks = self.vector.len();
        self.found.iter_mut().flatten().for_each(|f| f.fill(0.0));
        self.squares.iter_mut().flatten().for_each(|s| s.fill(0.0));
        for _ in 0..probes {
            draw(&mut self.signs);
            for (i, (input, random)) in self.vector.iter().zip(&self.signs).enumerate() {
                let entries = self.program.input_mut(*input).iter_mut().zip(random).enumerate();
                entries.for_each(|(j, (z, r))| *z = r.signum() * scale.map_or(1.0, |q| q[i][j]));
            }
            self.program.run();
            self.products += 1;
            for part in 0..2 {
                for i in 0..blocks {
                    let add = |to: &mut [f64], values: &[f64]| {
                        to.iter_mut().zip(values).for_each(|(to, v)| *to += v / probes as f64);
                    };
                    add(&mut self.found[part][i], self.program.output(2 * part * blocks + i));
                    add(&mut self.squares[part][i], self.program.output((2 * part + 1) * blocks + i));
                }
            }
        }
        for (found, squares) in self.found.iter_mut().zip(&self.squares) {
            let trace = found.iter().flatten().sum::<f64>().abs();
            for (i, (found, squares)) in found.iter_mut().zip(squares).enumerate() {
                for (j, (t, square)) in found.iter_mut().zip(squares).enumerate() {
                    // in the scaled coordinates, and back
                    let q = scale.map_or(1.0, |q| q[i][j] * q[i][j]);
                    *t = if trace > 0.0 { t.abs().max(square * q / trace) } else { t.abs() };
                    *t = if q > 0.0 { *t / q } else { 0.0 };
                }
            }
        }
    }
}

impl DiagonalFunction {
    /// `z .* (f_yy z)`, `(f_yy z).^2` and the same of F, per variable.
    pub(crate) fn new(problem: &Problem, both: bool) -> DiagonalFunction {
        let mut p = ProblemGraph::new(problem);
        let of_rows = multipliers(&mut p);
        let (x, y) = (p.x(), p.y());
        let z = p.point("z", LevelId::LOWER);
        let mut outputs = Vec::new();
        for part in [Part::Smooth, Part::Upper] {
            let image = image(&mut p, part, &x, &y, &z, both);
            for (image, z) in image.iter().zip(&z.nodes) {
                let product = image.map(|n| p.graph.mul(*z, n));
                outputs.push(p.or_zero(product, *z));
            }
            for (image, z) in image.iter().zip(&z.nodes) {
                let square = image.map(|n| p.graph.mul(n, n));
                outputs.push(p.or_zero(square, *z));
            }
        }
        DiagonalFunction {
            function: p.function("diagonal", &outputs),
            variables: [p.positions(&x), p.positions(&y), p.positions(&of_rows)].concat(),
            vector: p.positions(&z),
        }
    }

    /// True where the Hessians are the same at every point.
    pub(crate) fn is_constant(&self) -> bool {
        !self.variables.iter().any(|input| self.function.depends_on(*input))
    }
}
