//! End points of a run's passes, and which of them is the solution: the one whose upper objective is least once the
//! lower level is solved there. Iterates themselves cannot be compared, since what they lack in the lower level they
//! gain in the upper one. A point that is only a local minimizer of its lower level comes after all that may be global
//! ones: several starts look for a better one where the lower level is not known to be convex.

use std::sync::Arc;

use blo_engine::data::symmetric;
use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::iteration::report::Report;
use crate::lower::constrained::ConstrainedLower;
use crate::lower::solve::{LowerSolution, LowerStart};
use crate::run::state::Run;
use crate::run::stop::Reference;
use crate::tolerances::{LOWER_SOLVED, POLISHED};

/// A relative difference of upper objectives that does not count.
const SAME: f64 = 1e-9;

/// End points are compared by their upper objectives where their lower residuals are this small against the start.
const COMPARABLE: f64 = 1e-4;

/// Points of the lower level that are tried beside the start: the opposite one, and random ones farther and farther away.
const TRIED: u64 = 4;

/// How much lower, relatively, another lower objective has to be to count.
const LOWER: f64 = 1e-6;

/// An end point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    /// The values of the state.
    pub(crate) state: Vec<Vec<f64>>,
    pub(crate) scalars: Vec<f64>,
    /// The upper objective with the lower level solved.
    pub(crate) upper: f64,
    /// The lower level could be solved there.
    pub(crate) solved: bool,
    /// By the control's own test, it is a solution.
    pub(crate) converged: bool,
    /// The pass that ended there.
    pub(crate) pass: u64,
}

/// A point of the variables that a run has met with its lower level solved, the best of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Incumbent {
    /// One array per variable.
    pub(crate) point: Vec<Vec<f64>>,
    upper: f64,
}

impl<T: Scalar> Run<'_, T> {
    /// Keeps the current iterate if its lower level is solved, and no better one was met at an earlier look.
    pub(crate) fn meet(&mut self, report: &Report, reference: &Reference) {
        let solved = report.lower_residual <= LOWER_SOLVED * reference.lower();
        let better = self.incumbent.as_ref().is_none_or(|met| report.upper < met.upper - SAME * met.upper.abs());
        if solved && better && report.upper.is_finite() {
            let mut point = self.point();
            point.truncate(self.problem.variables().count());
            self.incumbent = Some(Arc::new(Incumbent { point, upper: report.upper }));
        }
    }

    /// Keeps the current iterate if it is the best end point so far. `only`: no other will be compared with it.
    pub(crate) fn consider(&mut self, converged: bool, only: bool, reference: &Reference) {
        let alone = only && self.best.is_none();
        let (report, solved) = if alone { (self.report(), true) } else { self.with_lower_solved(reference) };
        let better = |best: &Candidate| match (solved, best.solved) {
            (true, false) => true,
            (false, true) => false,
            _ => report.upper < best.upper - SAME * best.upper.abs(),
        };
        if self.is_stopped() || !report.upper.is_finite() || !self.best.as_deref().is_none_or(better) {
            return;
        }
        let state = self.point();
        let (scalars, upper, pass) = (self.scalars.clone(), report.upper, self.pass);
        self.best = Some(Arc::new(Candidate { state, scalars, upper, solved, converged, pass }));
    }

    /// The report of the current iterate once its lower level is solved, and whether it could be, to a minimum that
    /// other starts do not undercut. Costs at most a few times the iterations so far.
    fn with_lower_solved(&mut self, reference: &Reference) -> (Report, bool) {
        let plain = self.report();
        if !self.problem.lower().constraints.is_empty() {
            return self.with_rows_solved().unwrap_or((plain, false));
        }
        let mut point = self.point();
        let Ok(polish) = self.lower_from(&point, reference, self.k) else { return (plain, false) };
        self.put_lower(&mut point, &polish.values);
        match self.report_at(&point) {
            Ok(report) if report.first_bad().is_none() && report.lower_residual <= plain.lower_residual => {
                let small = report.lower_residual <= COMPARABLE * reference.lower().max(1.0);
                (report, small && self.undercut(&point, &report, reference).is_none())
            }
            _ => (plain, false),
        }
    }

    /// The same of a lower level with rows.
    fn with_rows_solved(&mut self) -> Option<(Report, bool)> {
        let (problem, threads, seed) = (self.problem, self.options.threads, self.options.seed);
        let mut lower = ConstrainedLower::new(problem, self.given, threads, seed).ok()?;
        let mut point = self.point();
        let [x, y] = [LevelId::UPPER, LevelId::LOWER].map(|level| point[problem.range(level)].concat());
        let solved = lower.solutions(&x, &[&y], 1).into_iter().next()?;
        let mut rest = solved.y.as_slice();
        let lower: Vec<Vec<f64>> = point[problem.range(LevelId::LOWER)]
            .iter()
            .map(|part| {
                let (values, after) = rest.split_at(part.len());
                rest = after;
                values.to_vec()
            })
            .collect();
        self.put_lower(&mut point, &lower);
        let report = self.report_at(&point).ok()?;
        Some((report, report.upper.is_finite()))
    }

    /// The lower level solved from a point, in at most so many evaluations.
    fn lower_from(
        &mut self,
        point: &[Vec<f64>],
        reference: &Reference,
        limit: u64,
    ) -> Result<LowerSolution, Box<Diagnostic>> {
        let start = LowerStart {
            point: &point[..self.problem.variables().count()],
            reference: Some(reference.lower()),
            tolerance: POLISHED,
            limit,
        };
        Ok(self.lower_solver()?.solve(&start, &mut || false))
    }

    /// A lower objective below that of a solved point at the same x: from the start point, from -y, and from random points
    /// up to some times as far from y as y is from zero. `None` where there is none in reach, or where the lower level is
    /// convex.
    fn undercut(&mut self, point: &[Vec<f64>], report: &Report, reference: &Reference) -> Option<f64> {
        if self.problem.lower_is_convex() {
            return None;
        }
        let (upper, all) = (self.problem.upper().variables.len(), self.problem.variables().count());
        let value = report.smooth + report.regularizer;
        let limit = (self.k / 20).clamp(50, 1000);
        let far = point[upper..all].iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        for trial in 0..=TRIED {
            let mut other = point.to_vec();
            let mut random = symmetric(self.options.seed, trial, "other lower points");
            for (i, values) in other[upper..all].iter_mut().enumerate() {
                for (j, v) in values.iter_mut().enumerate() {
                    *v = match trial {
                        0 => self.start[upper + i][j].to_f64(),
                        1 => -*v,
                        _ => *v + far * (trial - 1) as f64 * random(),
                    };
                }
            }
            let Ok(polish) = self.lower_from(&other, reference, limit) else { continue };
            if !polish.residual.is_finite() {
                continue;
            }
            self.put_lower(&mut other, &polish.values);
            let Ok(there) = self.report_at(&other) else { continue };
            if self.is_stopped() {
                return None;
            }
            let below = there.smooth + there.regularizer;
            if there.first_bad().is_none() && below < value - LOWER * value.abs().max(1.0) {
                return Some(below);
            }
        }
        None
    }

    /// Goes to the best end point, if there is one; tells whether it is a solution by the control's test.
    pub(crate) fn go_to_best(&mut self) -> bool {
        let Some(best) = self.best.take() else { return false };
        for (part, values) in best.state.iter().enumerate() {
            let slots = self.stages.part_mut(part).iter_mut().zip(values);
            slots.for_each(|(slot, v)| *slot = T::from_f64(*v));
        }
        self.scalars.copy_from_slice(&best.scalars);
        self.pass = best.pass;
        best.converged
    }
}
