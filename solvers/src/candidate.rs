//! End points of a run's passes, and which of them is the solution: the one whose upper objective is least once the
//! lower level is solved there. Iterates themselves cannot be compared, since what they lack in the lower level they
//! gain in the upper one.

use blo_engine::program::Scalar;

use crate::run::Run;

/// A relative difference of upper objectives that does not count.
const SAME: f64 = 1e-9;

/// An end point.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<T> {
    /// The values of the state.
    state: Vec<Vec<T>>,
    scalars: Vec<f64>,
    /// The upper objective with the lower level solved.
    upper: f64,
    /// By the control's own test, it is a solution.
    pub(crate) converged: bool,
}

impl<T: Scalar> Run<'_, T> {
    /// Keeps the current iterate if it is the best end point so far.
    pub(crate) fn consider(&mut self, converged: bool) {
        let upper = self.report().upper;
        let better = |best: &Candidate<T>| upper < best.upper - SAME * best.upper.abs();
        if !upper.is_finite() || !self.best.as_ref().is_none_or(better) {
            return;
        }
        let state = self.iteration.state.iter().map(|s| self.step.input(s.input).to_vec()).collect();
        self.best = Some(Candidate { state, scalars: self.scalars.clone(), upper, converged });
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
