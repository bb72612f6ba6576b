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
    /// What they cost in gradients, of which a Hessian-vector product takes two.
    #[must_use]
    pub fn gradients(self) -> u64 {
        self.grad_lower + self.grad_upper + 2 * self.hvp
    }

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
    pub fn minus(self, part: Counts) -> Counts {
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl TrajectoryWork {
    /// The work of a run that was continued: of the process until then, which `since` is, only what it did after it counts.
    #[must_use]
    pub(crate) fn after(self, before: TrajectoryWork, since: TrajectoryWork) -> TrajectoryWork {
        TrajectoryWork {
            steps: before.steps + self.steps - since.steps,
            again: before.again + self.again - since.again,
            states: before.states.max(self.states),
            bytes: before.bytes.max(self.bytes),
        }
    }
}
