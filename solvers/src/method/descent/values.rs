//! What descent along a hypergradient has learnt, beside arrays.

use serde::{Deserialize, Serialize};

/// Objectives that a trial is compared with: it has to stay below the largest of them.
const REMEMBERED: usize = 10;

/// What the control has learnt, beside arrays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DescentValues {
    /// Step size.
    pub(super) step: f64,
    /// The step size of the first iteration.
    pub(super) first: f64,
    /// The objective at the iterate, and at the point that is tried.
    pub(super) objective: f64,
    pub(super) trial: f64,
    /// The last objectives, the newest first; infinite where there is none yet.
    pub(super) last: [f64; REMEMBERED],
    /// The residual of the iterate that the last step left, and what it is measured against.
    pub(super) residual: f64,
    pub(super) reference: f64,
    /// What the lower steps would still change the objective by, at the iterate and at the trial (error estimates).
    pub(super) noise: f64,
    pub(super) trial_noise: f64,
    /// With a geometric tolerance: the iteration, and how far y0 was from the first lower solution (an estimate).
    pub(super) iteration: u64,
    pub(super) distance: f64,
    /// Steps in a row that were taken back.
    pub(super) rejected: u64,
    /// No step follows: no step length decreases the objective.
    pub(super) stalled: bool,
    /// The next iteration only resets the update rule.
    pub(super) forgets: bool,
}

impl DescentValues {
    pub(super) fn new() -> DescentValues {
        DescentValues {
            step: 1.0,
            first: 1.0,
            objective: f64::INFINITY,
            trial: f64::INFINITY,
            last: [f64::NEG_INFINITY; REMEMBERED],
            residual: 0.0,
            reference: 0.0,
            noise: 0.0,
            trial_noise: 0.0,
            iteration: 0,
            distance: 0.0,
            rejected: 0,
            stalled: false,
            forgets: false,
        }
    }
}
