//! What the automatic rule remembers beside arrays, and what its next iteration is for.

use serde::{Deserialize, Serialize};

/// Iterations of the shortest window.
pub(super) const SHORTEST: u64 = 4;

/// What the next iteration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// d_x settles while x stays.
    Settling,
    /// The last step blew up: the window has to be taken back.
    Blown,
    /// x moves.
    Moving,
    /// x has moved.
    Moved,
    /// d_x has settled at the end of the continuation, and the last move of x was small enough.
    Done,
}

/// Everything else that changes. Counts are numbers of iterations unless they say otherwise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Values {
    pub(super) pass: u64,
    /// Iterations of earlier passes.
    pub(super) begun: u64,
    pub(super) lipschitz: f64,
    pub(super) lipschitz_y: f64,
    pub(super) weak: f64,
    pub(super) scale: f64,
    pub(super) c: f64,
    pub(super) gamma: f64,
    /// Of a method with rows: the parameter of the multipliers, and their step.
    pub(super) gamma2: f64,
    pub(super) step_z: f64,
    /// The largest eigenvalue of `c_y'c_y`.
    pub(super) rows: f64,
    /// What rows add to the curvature that y sees.
    pub(super) of_rows: f64,
    /// Nesterov's t.
    pub(super) t_theta: f64,
    pub(super) t_y: f64,
    pub(super) phase: Phase,
    pub(super) window: u64,
    pub(super) ran: u64,
    /// d_x is looked at here, half way through the window; 0 in one that has doubled.
    pub(super) half: u64,
    pub(super) first: bool,
    pub(super) change_before: f64,
    pub(super) first_step_y: f64,
    pub(super) returns: u64,
    pub(super) moves_in_stage: u64,
    pub(super) step_x: f64,
    /// See [`super::Barrier`].
    pub(super) rest: f64,
    pub(super) shape: f64,
    pub(super) settled: bool,
    /// The last estimates of curvature agreed with those before.
    pub(super) rests: bool,
}

impl Values {
    /// At the start of a pass.
    pub(super) fn new(pass: u64, begun: u64) -> Values {
        Values {
            pass,
            begun,
            lipschitz: 1.0,
            lipschitz_y: 1.0,
            weak: 0.0,
            scale: 1.0,
            c: 1.0,
            gamma: 1.0,
            gamma2: 1.0,
            step_z: 1.0,
            rows: 0.0,
            of_rows: 0.0,
            t_theta: 1.0,
            t_y: 1.0,
            phase: Phase::Settling,
            window: SHORTEST,
            ran: 0,
            half: SHORTEST / 2,
            first: true,
            change_before: 0.0,
            first_step_y: 0.0,
            returns: 0,
            moves_in_stage: 0,
            step_x: 0.0,
            rest: 0.0,
            shape: 0.0,
            settled: false,
            rests: false,
        }
    }
}
