//! How much of a problem has been evaluated, and what lower-level steps have cost.

use serde::{Deserialize, Serialize};

/// How much of a problem one iteration evaluates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Partial gradients of the lower objective.
    pub grad_lower: u64,
    /// Partial gradients of the upper objective.
    pub grad_upper: u64,
    /// Hessian-vector products.
    pub hvp: u64,
    /// Prox maps and projections.
    pub prox: u64,
}

impl Counts {
    /// The evaluations of several iterations.
    #[must_use]
    pub fn times(self, iterations: u64) -> Counts {
        Counts {
            grad_lower: self.grad_lower * iterations,
            grad_upper: self.grad_upper * iterations,
            hvp: self.hvp * iterations,
            prox: self.prox * iterations,
        }
    }

    /// The evaluations beyond others that are part of them.
    #[must_use]
    pub(crate) fn minus(self, part: Counts) -> Counts {
        Counts {
            grad_lower: self.grad_lower - part.grad_lower,
            grad_upper: self.grad_upper - part.grad_upper,
            hvp: self.hvp - part.hvp,
            prox: self.prox - part.prox,
        }
    }

    /// The evaluations of both.
    #[must_use]
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            grad_lower: self.grad_lower + other.grad_lower,
            grad_upper: self.grad_upper + other.grad_upper,
            hvp: self.hvp + other.hvp,
            prox: self.prox + other.prox,
        }
    }
}

/// What trajectories of lower-level steps have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrajectoryWork {
    /// Steps that were run.
    pub steps: u64,
    /// Those among them that were run again, because their states were not kept.
    pub again: u64,
    /// States that were kept at most.
    pub states: u64,
    /// Memory of these states.
    pub bytes: u64,
}
