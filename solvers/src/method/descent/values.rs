//! What descent along a hypergradient has learnt, beside arrays, as the numbers that a checkpoint keeps.

/// Objectives that the next one may exceed all but the largest of.
const REMEMBERED: usize = 10;

/// Numbers before the last objectives.
const HEAD: usize = 11;

/// What the control has learnt, beside arrays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Values {
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
    /// What the last lower steps from a new start have changed the objective by, at the iterate and at the trial.
    pub(super) noise: f64,
    pub(super) trial_noise: f64,
    /// Steps in a row that were taken back.
    pub(super) rejected: u64,
    /// The next step is none: no length of it decreases the objective.
    pub(super) stalled: bool,
    /// The next step is none: it makes the update rule forget.
    pub(super) forgets: bool,
}

impl Values {
    pub(super) const LENGTH: usize = HEAD + REMEMBERED;

    pub(super) fn new() -> Values {
        Values {
            step: 1.0,
            first: 1.0,
            objective: f64::INFINITY,
            trial: f64::INFINITY,
            last: [f64::NEG_INFINITY; REMEMBERED],
            residual: 0.0,
            reference: 0.0,
            noise: 0.0,
            trial_noise: 0.0,
            rejected: 0,
            stalled: false,
            forgets: false,
        }
    }

    pub(super) fn to_numbers(self) -> [f64; Values::LENGTH] {
        let flag = |b: bool| f64::from(u8::from(b));
        let head = [
            self.step,
            self.first,
            self.objective,
            self.trial,
            self.residual,
            self.reference,
            self.noise,
            self.trial_noise,
            self.rejected as f64,
            flag(self.stalled),
            flag(self.forgets),
        ];
        let mut numbers = [0.0; Values::LENGTH];
        numbers[..HEAD].copy_from_slice(&head);
        numbers[HEAD..].copy_from_slice(&self.last);
        numbers
    }

    pub(super) fn from_numbers(numbers: [f64; Values::LENGTH]) -> Values {
        let [
            step,
            first,
            objective,
            trial,
            residual,
            reference,
            noise,
            trial_noise,
            rejected,
            stalled,
            forgets,
            last @ ..,
        ] = numbers;
        let (rejected, stalled, forgets) = (rejected as u64, stalled != 0.0, forgets != 0.0);
        Values {
            step,
            first,
            objective,
            trial,
            last,
            residual,
            reference,
            noise,
            trial_noise,
            rejected,
            stalled,
            forgets,
        }
    }
}
