//! The token that stops work: one flag, which every loop that can last looks at, and which costs a load where nothing has
//! happened. Whoever holds a clock and the interrupt key sets it; the engine reads neither.
//!
//! A stop comes in two stages. [`StopToken::stop`] ends what a run iterates. What reports the end of the run begins with
//! [`StopToken::finish`] and goes on, until [`StopToken::abandon`] ends that, too. Work that is cut short leaves numbers
//! that mean nothing: whoever finds the token set throws them away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why work is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The time is over.
    TimeLimit,
    /// The user asked for it.
    Interrupted,
    /// The caller has seen enough: a budget is spent.
    Enough,
}

/// Tells work to stop. Clones are one token; a new one never stops anything until somebody sets it.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// What loops look at.
    set: AtomicBool,
    stages: Mutex<Stages>,
}

#[derive(Debug, Default)]
struct Stages {
    reason: Option<StopReason>,
    begun: bool,
    finishing: bool,
    abandoned: bool,
}

impl StopToken {
    /// True where the present work is to end and its numbers are void.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Relaxed)
    }

    /// Ends the iterations. The first reason stays.
    pub fn stop(&self, reason: StopReason) {
        let mut stages = self.stages();
        stages.reason.get_or_insert(reason);
        if !stages.finishing {
            self.0.set.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the report of the run's end as well.
    pub fn abandon(&self) {
        self.stages().abandoned = true;
        self.0.set.store(true, Ordering::Relaxed);
    }

    /// The iterations are over: from here on only [`StopToken::abandon`] counts.
    pub fn finish(&self) {
        let mut stages = self.stages();
        stages.finishing = true;
        self.0.set.store(stages.abandoned, Ordering::Relaxed);
    }

    /// After [`StopToken::finish`], iterations begin again.
    pub fn go_on(&self) {
        let mut stages = self.stages();
        stages.finishing = false;
        self.0.set.store(stages.abandoned || stages.reason.is_some(), Ordering::Relaxed);
    }

    /// There is an iterate from here on: a stop leaves a result.
    pub fn begin(&self) {
        self.stages().begun = true;
    }

    /// True where the work is to stop before there is an iterate: whatever it prepares need not be prepared.
    pub fn is_too_early(&self) -> bool {
        self.is_set() && !self.stages().begun
    }

    /// Why the work was to stop, if it was.
    pub fn reason(&self) -> Option<StopReason> {
        self.stages().reason
    }

    fn stages(&self) -> MutexGuard<'_, Stages> {
        self.0.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_iterations_and_abandoning_ends_the_report() {
        let token = StopToken::default();
        let other = token.clone();
        assert!(!token.is_set() && !token.is_too_early());
        other.stop(StopReason::TimeLimit);
        assert!(token.is_too_early());
        token.begin();
        assert!(!token.is_too_early());
        other.stop(StopReason::Interrupted);
        assert_eq!((token.is_set(), token.reason()), (true, Some(StopReason::TimeLimit)));
        token.finish();
        assert!(!other.is_set());
        other.stop(StopReason::Interrupted);
        assert!(!token.is_set());
        other.abandon();
        assert!(token.is_set());
        token.finish();
        assert!(token.is_set());
    }

    #[test]
    fn a_report_that_began_before_the_stop_goes_on() {
        let token = StopToken::default();
        token.finish();
        token.stop(StopReason::Interrupted);
        assert_eq!((token.is_set(), token.reason()), (false, Some(StopReason::Interrupted)));
    }
}
