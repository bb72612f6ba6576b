//! End points of a run's passes, and which of them is the solution: the one whose upper objective is least once the
//! lower level is solved there. Iterates themselves cannot be compared, since what they lack in the lower level they
//! gain in the upper one.

use blo_engine::program::Scalar;

use crate::iteration::Report;
use crate::polish::Task;
use crate::run::Run;
use crate::stop::Reference;

/// A relative difference of upper objectives that does not count.
const SAME: f64 = 1e-9;

/// A lower residual this small against the start counts as solved.
const SOLVED: f64 = 1e-4;

/// An end point.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<T> {
    /// The values of the state.
    pub(crate) state: Vec<Vec<T>>,
    pub(crate) scalars: Vec<f64>,
    /// The upper objective with the lower level solved.
    pub(crate) upper: f64,
    /// The lower level could be solved there.
    pub(crate) solved: bool,
    /// By the control's own test, it is a solution.
    pub(crate) converged: bool,
}

impl<T: Scalar> Run<'_, T> {
    /// Keeps the current iterate if it is the best end point so far. `only`: no other will be compared with it.
    pub(crate) fn consider(&mut self, converged: bool, only: bool, reference: &Reference) {
        let alone = only && self.best.is_none();
        let report = if alone { self.report() } else { self.with_lower_solved(reference) };
        let solved = report.lower_residual <= SOLVED * reference.lower().max(1.0);
        let better = |best: &Candidate<T>| match (solved, best.solved) {
            (true, false) => true,
            (false, true) => false,
            _ => report.upper < best.upper - SAME * best.upper.abs(),
        };
        if !report.upper.is_finite() || !self.best.as_ref().is_none_or(better) {
            return;
        }
        let state = self.iteration.state.iter().map(|s| self.step.input(s.input).to_vec()).collect();
        self.best = Some(Candidate { state, scalars: self.scalars.clone(), upper: report.upper, solved, converged });
    }

    /// The report of the current iterate once its lower level is solved, at a cost of at most the iterations so far.
    fn with_lower_solved(&mut self, reference: &Reference) -> Report {
        let plain = self.report();
        let mut point = self.point();
        let task = Task {
            problem: self.problem,
            data: self.data,
            threads: self.threads,
            point: &point[..self.problem.variables().count()],
            reference: reference.lower(),
            limit: self.k,
        };
        let Ok(polish) = task.run(&mut || false) else { return plain };
        self.put_lower(&mut point, &polish.values);
        match self.report_at(&point) {
            Ok(report) if report.first_bad().is_none() && report.lower_residual < plain.lower_residual => report,
            _ => plain,
        }
    }

    /// Goes to the best end point, if there is one; tells whether it is a solution by the control's test.
    pub(crate) fn go_to_best(&mut self) -> bool {
        let Some(best) = self.best.take() else { return false };
        for (state, values) in self.iteration.state.iter().zip(&best.state) {
            self.step.set(state.input, values);
        }
        self.scalars.copy_from_slice(&best.scalars);
        best.converged
    }
}

impl<T: Scalar> Candidate<T> {
    /// All of it as numbers; [`Candidate::from_numbers`] needs the lengths of the state and of the scalars again.
    pub(crate) fn to_numbers(&self) -> Vec<f64> {
        let flag = |b: bool| f64::from(u8::from(b));
        let head = [self.upper, flag(self.solved), flag(self.converged)];
        let state = self.state.iter().flatten().map(|v| v.to_f64());
        head.into_iter().chain(self.scalars.iter().copied()).chain(state).collect()
    }

    /// Back from numbers; `None` if they are not as many as they should be.
    pub(crate) fn from_numbers(numbers: &[f64], scalars: usize, lengths: &[usize]) -> Option<Candidate<T>> {
        let [upper, solved, converged, rest @ ..] = numbers else { return None };
        if rest.len() != scalars + lengths.iter().sum::<usize>() {
            return None;
        }
        let (scalars, mut rest) = rest.split_at(scalars);
        let state = lengths.iter().map(|length| {
            let (part, after) = rest.split_at(*length);
            rest = after;
            part.iter().map(|v| T::from_f64(*v)).collect()
        });
        Some(Candidate {
            state: state.collect(),
            scalars: scalars.to_vec(),
            upper: *upper,
            solved: *solved != 0.0,
            converged: *converged != 0.0,
        })
    }
}
