//! The problem in numbers, and its convex subproblems. With x in [lo, hi] the lower level is
//! `min l(y) + sum_e base_e A_e(y) + sum_i x'_i P_i(y)`, base the weights at lo and `0 <= x'_i <= w_i = hi_i - lo_i`. Its
//! constrained form at levels r is `v(r) = min l(y) + sum_e base_e A_e(y) + sum_i w_i s_i` with `P_i(y) <= r_i + s_i` and
//! `s >= 0`: without s where w is infinite, and the multipliers never leave [0, w].

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::penalty::Atom;
use super::quadratic::Quadratic;
use crate::conic::{Affine, ConicProgram};
use crate::lower::vectors::{dot, norm};

/// The least unit of an entry of y that a level bounds, as a share of the unit of others: the multipliers of levels near 0
/// would be lost in the tolerance of the solver in units as small as the levels.
const NARROW: f64 = 1e-3;

/// The problem in numbers.
pub(super) struct Model {
    pub(super) upper: Quadratic,
    pub(super) lower: Quadratic,
    pub(super) atoms: Vec<Atom>,
    /// The bounds of each entry of x and of y.
    pub(super) bounds_x: Vec<[f64; 2]>,
    pub(super) bounds_y: Vec<[f64; 2]>,
}

/// The constrained lower level, solved at levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LowerAt {
    pub(super) y: Vec<f64>,
    /// `v(r)`
    pub(super) value: f64,
    /// Those of `P_i(y) <= r_i`.
    pub(super) multipliers: Vec<f64>,
}

/// What a subproblem is built at.
pub(super) struct At<'a> {
    pub(super) y: &'a [f64],
    pub(super) r: &'a [f64],
    pub(super) lower: &'a LowerAt,
    /// The least level: at 0 no y is inside of `P(y) <= r`, and multipliers may be anything.
    pub(super) least: f64,
}

/// Weights of the terms of a subproblem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub(super) rho: f64,
    pub(super) alpha: f64,
}

/// The solution of a subproblem.
pub(super) struct Next {
    pub(super) y: Vec<f64>,
    pub(super) r: Vec<f64>,
    /// `max(0, V, P - r)`
    pub(super) violation: f64,
}

/// A program with y and the bounds of the atoms in it.
struct Begun {
    program: ConicProgram,
    y: Range<usize>,
    atoms: Vec<Affine>,
}

impl Model {
    /// `P(y)`
    pub(super) fn parts(&self, y: &[f64]) -> Vec<f64> {
        let mut parts = vec![0.0; self.bounds_x.len()];
        for atom in &self.atoms {
            let value = atom.value(y);
            atom.by.iter().for_each(|(i, c)| parts[*i] += c * value);
        }
        parts
    }

    /// The least value of each entry of x.
    pub(super) fn low(&self) -> Vec<f64> {
        self.bounds_x.iter().map(|[low, _]| *low).collect()
    }

    fn width(&self, i: usize) -> f64 {
        self.bounds_x[i][1] - self.bounds_x[i][0]
    }

    /// True where the reformulation holds: all weights of the atoms are nonnegative and grow with x.
    pub(super) fn is_monotone(&self) -> bool {
        let low = self.low();
        let grows = |a: &Atom| a.by.iter().all(|(_, c)| *c > 0.0) && a.weight(&low) >= 0.0;
        low.iter().all(|v| v.is_finite()) && self.atoms.iter().all(grows)
    }

    /// The solution of the lower level at a point x of the box.
    pub(super) fn penalized(&self, x: &[f64], near: &[f64]) -> Option<Vec<f64>> {
        let Begun { mut program, y, atoms } = self.begun(near, &self.units());
        self.quadratic_cost(&mut program, &y, &self.lower);
        for (atom, bound) in self.atoms.iter().zip(&atoms) {
            program.cost(&Affine::default().plus(atom.weight(x), bound));
        }
        Some(program.solve()?.point[y].to_vec())
    }

    /// The constrained lower level at levels.
    pub(super) fn lower_at(&self, r: &[f64], near: &[f64]) -> Option<LowerAt> {
        let Begun { mut program, y, atoms } = self.begun(near, &self.units_at(r));
        self.quadratic_cost(&mut program, &y, &self.lower);
        program.cost(&self.base(&atoms));
        let slack = self.slacks(&mut program);
        program.cost(&slack.cost);
        let mut rows = Vec::new();
        for (i, part) in self.bounds(&atoms).iter().enumerate() {
            let row = Affine::constant(r[i]).plus(1.0, &slack.of[i]).plus(-1.0, part);
            rows.push(program.nonnegative(row));
        }
        let found = program.solve()?;
        let multiplier = |(i, row): (usize, usize)| found.multipliers[row].clamp(0.0, self.width(i));
        Some(LowerAt {
            y: found.point[y].to_vec(),
            value: found.value,
            multipliers: rows.into_iter().enumerate().map(multiplier).collect(),
        })
    }

    /// The convex subproblem: the upper objective, the proximal term, and the penalty on the linearized value function.
    pub(super) fn subproblem(&self, at: &At<'_>, weights: Weights) -> Option<Next> {
        let Begun { mut program, y, atoms } = self.begun(at.y, &self.units());
        self.quadratic_cost(&mut program, &y, &self.upper);
        let r = self.level_variables(&mut program);
        let violation = program.variables(1, self.worth(at.y) / weights.alpha).start;
        for (variable, center) in y.clone().chain(r.clone()).zip(at.y.iter().chain(at.r)) {
            program.square_cost(weights.rho, variable, *center);
        }
        let t = Affine::variable(violation);
        program.cost(&Affine::default().plus(weights.alpha, &t));
        program.nonnegative(t.clone());
        let slack = self.slacks(&mut program);
        for (i, part) in self.bounds(&atoms).iter().enumerate() {
            let level = Affine::variable(r.start + i);
            program.nonnegative(t.clone().plus(1.0, &level).plus(1.0, &slack.of[i]).plus(-1.0, part));
            program.nonnegative(Affine::constant(-at.least).plus(1.0, &level));
        }
        // |R y - q|^2/2 <= t + v_k - (what is left of V)
        let mut rest = self.base(&atoms).plus(1.0, &slack.cost);
        rest.constant += self.lower.constant - at.lower.value;
        for (slope, variable) in self.lower.slope.iter().zip(y.clone()).filter(|(s, _)| **s != 0.0) {
            rest = rest.plus(*slope, &Affine::variable(variable));
        }
        for ((m, level), before) in at.lower.multipliers.iter().zip(r.clone()).zip(at.r) {
            rest = rest.plus(*m, &Affine::constant(-before).plus(1.0, &Affine::variable(level)));
        }
        let room = t.plus(-1.0, &rest);
        if self.lower.rows.is_empty() {
            program.nonnegative(room);
        } else {
            let residuals = self.lower.residuals(at.y);
            let scale = dot(&residuals, &residuals).max(1e-6 * dot(&self.lower.center, &self.lower.center));
            let scale = if scale > 0.0 { scale } else { 1.0 };
            let entries = residual_variables(&mut program, &y, &self.lower);
            let bound = Affine::default().plus(2.0, &room);
            program.squares_at_most(entries.map(Affine::variable), &bound, scale.sqrt());
        }
        let found = program.solve()?.point;
        let levels = found[r].iter().map(|v| v.max(at.least)).collect();
        Some(Next { y: found[y].to_vec(), r: levels, violation: found[violation].max(0.0) })
    }

    /// A large difference of F, seen from y.
    pub(super) fn worth(&self, y: &[f64]) -> f64 {
        let worth = self.upper.size(y, &self.units());
        if worth > 0.0 && worth.is_finite() { worth } else { 1.0 }
    }

    /// About how large each entry of y is: as large as the first step of steepest descent makes them.
    pub(super) fn units(&self) -> Vec<f64> {
        let of = [&self.lower, &self.upper].into_iter().find_map(Quadratic::unit);
        vec![of.unwrap_or(1.0); self.bounds_y.len()]
    }

    /// The same where levels bound the atoms: an entry that a level near 0 holds there is as small as the level.
    fn units_at(&self, r: &[f64]) -> Vec<f64> {
        let mut units = self.units();
        for atom in self.atoms.iter().filter(|a| !a.by.is_empty()) {
            let level = atom.by.iter().fold(f64::INFINITY, |least, (i, c)| least.min(r[*i] / c));
            let radius = atom.radius(level);
            units[atom.entries()].iter_mut().for_each(|u| *u = u.min(radius.max(NARROW * *u)));
        }
        units
    }

    fn level_variables(&self, program: &mut ConicProgram) -> Range<usize> {
        let sizes = self.parts(&self.units());
        let places: Vec<Range<usize>> = sizes.iter().map(|size| program.variables(1, *size)).collect();
        places.first().map_or(0, |p| p.start)..places.last().map_or(0, |p| p.end)
    }

    fn begun(&self, near: &[f64], units: &[f64]) -> Begun {
        let mut program = ConicProgram::default();
        units.iter().for_each(|unit| {
            program.variables(1, *unit);
        });
        let y = 0..near.len();
        for (variable, [low, high]) in y.clone().zip(&self.bounds_y) {
            for (end, sign) in [(low, 1.0), (high, -1.0)].into_iter().filter(|(end, _)| end.is_finite()) {
                program.nonnegative(Affine::constant(-sign * end).plus(sign, &Affine::variable(variable)));
            }
        }
        let atoms = self.atoms.iter().map(|a| a.bound(&mut program, &y, a.value(near))).collect();
        Begun { program, y, atoms }
    }

    /// The bounds of the parts `P_i`.
    fn bounds(&self, atoms: &[Affine]) -> Vec<Affine> {
        let mut parts = vec![Affine::default(); self.bounds_x.len()];
        for (atom, bound) in self.atoms.iter().zip(atoms) {
            for (i, c) in &atom.by {
                parts[*i] = std::mem::take(&mut parts[*i]).plus(*c, bound);
            }
        }
        parts
    }

    /// `sum_e base_e A_e`
    fn base(&self, atoms: &[Affine]) -> Affine {
        let low = self.low();
        let weighted = self.atoms.iter().zip(atoms);
        weighted.fold(Affine::default(), |sum, (atom, bound)| sum.plus(atom.weight(&low), bound))
    }

    fn slacks(&self, program: &mut ConicProgram) -> Slacks {
        let mut slacks = Slacks { of: Vec::new(), cost: Affine::default() };
        for (i, size) in self.parts(&self.units()).into_iter().enumerate() {
            let width = self.width(i);
            if width.is_infinite() {
                slacks.of.push(Affine::default());
                continue;
            }
            let slack = Affine::variable(program.variables(1, size).start);
            program.nonnegative(slack.clone());
            slacks.cost = std::mem::take(&mut slacks.cost).plus(width, &slack);
            slacks.of.push(slack);
        }
        slacks
    }

    fn quadratic_cost(&self, program: &mut ConicProgram, y: &Range<usize>, quadratic: &Quadratic) {
        let linear = quadratic.slope.iter().zip(y.clone()).filter(|(s, _)| **s != 0.0);
        let terms = linear.map(|(s, variable)| (variable, *s)).collect();
        program.cost(&Affine { terms, constant: quadratic.constant });
        for residual in residual_variables(program, y, quadratic) {
            program.square_cost(1.0, residual, 0.0);
        }
    }
}

/// Room above levels whose multipliers are bounded, and what it costs.
struct Slacks {
    of: Vec<Affine>,
    cost: Affine,
}

/// Variables that are `R y - q`.
fn residual_variables(program: &mut ConicProgram, y: &Range<usize>, quadratic: &Quadratic) -> Range<usize> {
    let count = quadratic.rows.len();
    let residuals = program.variables(count, norm(&quadratic.center) / (count.max(1) as f64).sqrt());
    for ((row, q), residual) in quadratic.rows.iter().zip(&quadratic.center).zip(residuals.clone()) {
        let entries = y.clone().zip(row).filter(|(_, r)| **r != 0.0);
        let terms = entries.map(|(v, r)| (v, *r)).chain([(residual, -1.0)]).collect();
        program.zero(Affine { terms, constant: -q });
    }
    residuals
}
