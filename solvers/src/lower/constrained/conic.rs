//! A lower level that is a strongly convex quadratic program with affine rows, solved by its dual: with
//! `f = y'Hy/2 + g(x)'y` and rows `A y + c(x) <= 0` it is `min lam'(A H^-1 A')lam/2 + (A H^-1 g - c)'lam` over `lam >= 0`,
//! free where a row is an equality. H is factored once; a solve at another x costs a program with a variable per row,
//! which `clarabel` solves, and is then made exact on the rows that it finds active.
//!
//! Where H or A change with x they are read off again. Solves that do not end to high accuracy are left to `nlp`.

use blo_engine::diff::{gradient, jvp};
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::Solved;
use crate::conic::nonnegative_quadratic;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::rows::Rows;
use crate::lower::vectors::{dot, largest};
use crate::nlp::Nlp;
use crate::nlp::dense::{cholesky, cholesky_solve, times};
use crate::nlp::functions::FunctionNlp;

/// Smaller lower levels are solved by sequential quadratic programming as fast.
const LEAST: usize = 30;

/// The most rows, bounds included, against entries, and at all.
const PER_ENTRY: usize = 2;
const MOST: usize = 2000;

/// Curvature below this share of the largest is none.
const FLAT: f64 = 1e-10;

/// Violations and negative multipliers of an exact solution, against the size of what they are made of.
const EXACT: f64 = 1e-9;

/// Changes of the active rows after the first guess.
const CHANGES: usize = 30;

/// The program and what is known of it.
pub(super) struct QuadraticLower {
    /// `f_y` per variable, then the rows; at y = 0.
    slopes: BoundProgram<f64>,
    variables: usize,
    /// Neither H nor A depends on x.
    constant: bool,
    model: Option<Model>,
    equalities: Vec<bool>,
    /// Ends of boxes as rows: the entry, and the sign of y there.
    ends: Vec<(usize, f64, f64)>,
}

struct Model {
    n: usize,
    /// L with `L L' = H`.
    factor: Vec<f64>,
    /// Rows of A, those of boxes last.
    rows: Vec<Vec<f64>>,
    /// `H^-1 a` of each row.
    images: Vec<Vec<f64>>,
    /// `A H^-1 A'`.
    gram: Vec<f64>,
}

impl QuadraticLower {
    /// `None` where the lower level is not proved to be such a program, or is small or has too many rows.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        (rows, equalities): (&[Rows], &[bool]),
        bounds: &[[f64; 2]],
    ) -> Result<Option<QuadraticLower>, Box<Diagnostic>> {
        let n = bounds.len();
        let mut ends = Vec::new();
        for (j, [low, high]) in bounds.iter().enumerate() {
            ends.extend(high.is_finite().then_some((j, 1.0, *high)));
            ends.extend(low.is_finite().then_some((j, -1.0, *low)));
        }
        let count = equalities.len() + ends.len();
        let fixed = bounds.iter().any(|[low, high]| low == high);
        if n < LEAST || count > MOST.min(PER_ENTRY * n) || fixed || problem.lower().regularizer.is_some() {
            return Ok(None);
        }
        let Some(constant) = quadratic(problem, rows) else { return Ok(None) };
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let slope = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
        let mut outputs: Vec<_> = (0..slope.len()).map(|i| p.or_zero(slope[i], y.nodes[i])).collect();
        outputs.extend(rows.iter().map(|r| p.at(&r.value, &x, &y)[0]));
        let function = p.function("slope and rows", &outputs);
        let slopes = BoundProgram::new(&function, problem, data, threads)?;
        let (variables, equalities) = (y.nodes.len(), equalities.to_vec());
        Ok(Some(QuadraticLower { slopes, variables, constant, model: None, equalities, ends }))
    }

    /// Sets an upper variable.
    pub(super) fn set(&mut self, input: usize, values: &[f64]) {
        self.slopes.set(input, values);
        if !self.constant {
            self.model = None;
        }
    }

    /// True where H is positive definite by its factor and neither H nor A depends on x.
    pub(super) fn is_convex_everywhere(&self) -> bool {
        self.constant && self.model.is_some()
    }

    /// The solution at the x that is in place; `None` where it is not exact.
    pub(super) fn solve(&mut self, program: &mut FunctionNlp) -> Option<Solved> {
        self.slopes.run();
        let g: Vec<f64> = (0..self.variables).flat_map(|i| self.slopes.output(i)).copied().collect();
        let arrays = self.variables..self.variables + program.row_lengths().len();
        let mut c: Vec<f64> = arrays.flat_map(|i| self.slopes.output(i)).copied().collect();
        c.extend(self.ends.iter().map(|(_, sign, end)| -sign * end));
        if self.slopes.is_stopped() || g.iter().chain(&c).any(|v| !v.is_finite()) {
            return None;
        }
        if self.model.is_none() {
            self.model = Model::new(program, &self.ends, g.len(), self.equalities.len());
        }
        let model = self.model.as_ref()?;
        let free: Vec<bool> = (0..c.len()).map(|i| self.equalities.get(i).copied().unwrap_or(false)).collect();
        let (y, lam) = model.solve(&g, &c, &free)?;
        let (of_rows, of_ends) = lam.split_at(self.equalities.len());
        let mut bound_multipliers = vec![0.0; g.len()];
        self.ends.iter().zip(of_ends).for_each(|((j, sign, _), z)| bound_multipliers[*j] += sign * z);
        let value = program.values(&y, &mut vec![0.0; self.equalities.len()]);
        let multipliers = of_rows.to_vec();
        value.is_finite().then_some(Solved { y, value, multipliers, bound_multipliers })
    }
}

/// Whether f is quadratic and all rows are affine in y: their second derivatives do not hold y; `true` within where
/// neither those of f nor the slopes of rows hold x.
fn quadratic(problem: &Problem, rows: &[Rows]) -> Option<bool> {
    let (upper, lower) = (problem.upper_inputs(), problem.lower_inputs());
    let used = |f: &Function| lower.iter().copied().filter(|i| f.depends_on(*i)).collect::<Vec<usize>>();
    let holds = |f: &Function, inputs: &[usize]| inputs.iter().any(|i| f.depends_on(*i));
    let f = &problem.lower().objective;
    let of_f = used(f);
    // a variable without curvature is not bounded by f
    let slope = (of_f.len() == lower.len()).then(|| gradient(f, &of_f))?;
    let curvature = jvp(&slope, &of_f);
    let mut constant = !holds(&curvature, &upper);
    if holds(&curvature, &lower) {
        return None;
    }
    for row in rows {
        let of_row = used(&row.value);
        if of_row.is_empty() {
            continue;
        }
        let change = jvp(&row.value, &of_row);
        if holds(&change, &lower) {
            return None;
        }
        constant &= !holds(&change, &upper);
    }
    Some(constant)
}

impl Model {
    /// `None` where H is not positive definite.
    fn new(program: &mut FunctionNlp, ends: &[(usize, f64, f64)], n: usize, count: usize) -> Option<Model> {
        let zeros = vec![0.0; n];
        let mut factor = vec![0.0; n * n];
        program.hessian(&zeros, 1.0, &vec![0.0; count], &mut factor);
        let steepest = (0..n).map(|i| factor[i * n + i]).fold(0.0, f64::max);
        if factor.iter().any(|v| !v.is_finite()) || !cholesky(&mut factor, n, FLAT * steepest) {
            return None;
        }
        let (mut slope, mut jacobian) = (vec![0.0; n], vec![0.0; n * count]);
        program.slopes(&zeros, &mut slope, &mut jacobian);
        let mut rows: Vec<Vec<f64>> = jacobian.chunks_exact(n).map(<[f64]>::to_vec).collect();
        rows.extend(ends.iter().map(|(j, sign, _)| {
            let mut row = vec![0.0; n];
            row[*j] = *sign;
            row
        }));
        let images: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| {
                let mut image = row.clone();
                cholesky_solve(&factor, n, &mut image);
                image
            })
            .collect();
        let gram = rows.iter().flat_map(|a| images.iter().map(move |b| dot(a, b))).collect();
        Some(Model { n, factor, rows, images, gram })
    }

    /// y and the multipliers, exact up to rounding.
    fn solve(&self, g: &[f64], c: &[f64], free: &[bool]) -> Option<(Vec<f64>, Vec<f64>)> {
        let count = self.rows.len();
        let mut unconstrained = g.to_vec();
        cholesky_solve(&self.factor, self.n, &mut unconstrained);
        unconstrained.iter_mut().for_each(|v| *v = -*v);
        // rows at the unconstrained minimizer
        let room: Vec<f64> = self.rows.iter().zip(c).map(|(a, c)| dot(a, &unconstrained) + c).collect();
        if count == 0 {
            return Some((unconstrained, Vec::new()));
        }
        let slope: Vec<f64> = room.iter().map(|r| -r).collect();
        let guess = match free.iter().all(|f| *f) {
            true => vec![0.0; count],
            false => nonnegative_quadratic(&self.gram, &slope, free)?,
        };
        let values = self.row_values(&room, &guess);
        let active = (0..count).filter(|i| free[*i] || guess[*i] * self.gram[i * count + i] > -values[*i]).collect();
        let lam = self.exact(&room, free, active)?;
        let mut y = unconstrained;
        for (lam, image) in lam.iter().zip(&self.images).filter(|(lam, _)| **lam != 0.0) {
            y.iter_mut().zip(image).for_each(|(y, v)| *y -= lam * v);
        }
        Some((y, lam))
    }

    /// Rows at the minimizer of the Lagrangian for multipliers.
    fn row_values(&self, room: &[f64], lam: &[f64]) -> Vec<f64> {
        let images = times(&self.gram, lam);
        room.iter().zip(images).map(|(r, v)| r - v).collect()
    }

    /// Multipliers with which the active rows are met exactly; rows join and leave one at a time.
    fn exact(&self, room: &[f64], free: &[bool], mut active: Vec<usize>) -> Option<Vec<f64>> {
        let count = room.len();
        let size = largest(room).max(1.0);
        for _ in 0..CHANGES {
            let k = active.len();
            let mut gram: Vec<f64> =
                active.iter().flat_map(|i| active.iter().map(move |j| self.gram[i * count + j])).collect();
            let steepest = (0..k).map(|i| gram[i * k + i]).fold(0.0, f64::max);
            let mut found: Vec<f64> = active.iter().map(|i| room[*i]).collect();
            if !cholesky(&mut gram, k, FLAT * steepest) {
                return None;
            }
            cholesky_solve(&gram, k, &mut found);
            let mut lam = vec![0.0; count];
            active.iter().zip(&found).for_each(|(i, v)| lam[*i] = *v);
            let most = largest(&lam).max(1.0);
            let leaving = (0..count).filter(|i| !free[*i] && lam[*i] < 0.0).min_by(|a, b| lam[*a].total_cmp(&lam[*b]));
            if let Some(i) = leaving.filter(|i| lam[*i] < -EXACT * most) {
                active.retain(|j| *j != i);
                continue;
            }
            let values = self.row_values(room, &lam);
            let joining = (0..count).filter(|i| !active.contains(i)).max_by(|a, b| values[*a].total_cmp(&values[*b]));
            match joining.filter(|i| values[*i] > EXACT * size) {
                Some(i) => active.push(i),
                None => {
                    (0..count).filter(|i| !free[*i]).for_each(|i| lam[i] = lam[i].max(0.0));
                    return Some(lam);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use blo_engine::data::symmetric;

    use crate::fixture::{data, problem};
    use crate::lower::constrained::{ConstrainedLower, apart};

    const PROGRAM: &str = "param n = 40  param k = 15
        data Q[n, n] = normal(mean = 0, sd = 1, seed = 1)
        data A[k, n] = normal(mean = 0, sd = 1, seed = 2)
        data T[k, 2] = normal(mean = 0, sd = 1, seed = 3)
        data B[n, 2] = normal(mean = 0, sd = 1, seed = 5)
        upper { var x[2]  minimize normsq(y) }
        lower { var y[n] >= -0.3  minimize 1/2*CURVED*normsq(Q*y)/n + 1/20*normsq(y) - x'*(B'*y)
            subject to { rows: A*y <= 1/5 + SLOPE*(T*x);  total: sum(y) == x[1] } }";

    /// The dual and sequential quadratic programming find the same solutions and multipliers; also where curvature moves with x.
    #[test]
    fn it_agrees_with_sequential_quadratic_programming() {
        for curved in ["1", "(1 + x[2]^2)"] {
            let problem = problem(&PROGRAM.replace("CURVED", curved).replace("SLOPE", "1"));
            let data = data(&problem);
            let mut lower = ConstrainedLower::new(&problem, &data, 1, 0).unwrap();
            let mut active = 0;
            for draw in 0..6 {
                let mut random = symmetric(3, draw, "quadratic programs");
                let x = [random(), random()];
                lower.put(&x);
                let quadratic = lower.quadratic.as_mut().expect("it is a quadratic program");
                let dual = quadratic.solve(&mut lower.program).expect("it is solved");
                let held = lower.quadratic.take();
                let other = lower.descend(&vec![0.0; 40]).unwrap();
                lower.quadratic = held;
                assert!(apart(&dual.y, &other.y) < 1e-7, "{draw}");
                assert!(apart(&dual.multipliers, &other.multipliers) < 1e-5, "{draw}");
                assert!(apart(&dual.bound_multipliers, &other.bound_multipliers) < 1e-5, "{draw}");
                assert!((dual.value - other.value).abs() < 1e-9 * other.value.abs().max(1.0));
                assert!(lower.measure(&x, &dual.y).unwrap().lower_violation < 1e-12);
                active += dual.multipliers.iter().filter(|v| v.abs() > 1e-6).count();
            }
            assert!(active > 12, "{active}");
        }
    }

    #[test]
    fn what_is_not_proved_to_be_one_is_left_alone() {
        let text = |f: &str, rows: &str| {
            format!(
                "upper {{ var x  minimize normsq(y) }}
                lower {{ var y[40]  minimize {f}  subject to {{ rows: {rows} }} }}"
            )
        };
        for (f, rows, quadratic) in [
            ("normsq(y - x)", "sum(y) <= x", true),
            ("normsq(y - x)", "normsq(y) <= 1", false),
            ("normsq(y - x) + sum(exp(y))", "sum(y) <= x", false),
        ] {
            let problem = problem(&text(f, rows));
            let lower = ConstrainedLower::new(&problem, &data(&problem), 1, 0).unwrap();
            assert_eq!(lower.quadratic.is_some(), quadratic, "{f}, {rows}");
        }
    }
}
