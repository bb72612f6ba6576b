//! Stopping a run: by its limit on time, and from another thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use blo_engine::stop::{StopReason, StopToken};

/// What a stopped run may take to report its end.
pub const GRACE: Duration = Duration::from_millis(500);

/// Stops runs from another thread. Clones are one token; it stays stopped, so that a run that begins later ends at once.
///
/// A run that is stopped returns the best point so far, with the status `interrupted`, as the interrupt key of the command
/// does it. What takes longer than half a second to report is left out, with a warning.
///
/// ```
/// use std::{thread, time::Duration};
/// use blo::{Options, Problem, Status, Stop};
///
/// let problem = Problem::from_str("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
/// // no residual falls below 0, so this would go on
/// let stop = Stop::new();
/// let options = Options::new().method("meha").tol(0.0).max_iter(1_000_000_000_000).stop(&stop);
/// let from_outside = thread::spawn(move || {
///     thread::sleep(Duration::from_millis(50));
///     stop.stop();
/// });
/// let solution = problem.solve(&options)?;
/// assert!(matches!(solution.status(), Status::Interrupted | Status::Converged | Status::Stalled));
/// # from_outside.join().unwrap();
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// Numbers of the runs that are watched and over.
    over: Vec<u64>,
    numbered: u64,
}

impl Stop {
    /// A token that has not stopped anything.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Stops the runs that have it, and those that will.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.0.changed.notify_all();
    }

    /// True once it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a run is over, and stops it when its time has come or somebody says so.
    fn watch(&self, number: u64, token: &StopToken, until: Option<Instant>) {
        let mut stop_at = until;
        let mut abandon_at: Option<Instant> = None;
        let mut heard = false;
        let mut state = self.state();
        loop {
            if let Some(place) = state.over.iter().position(|over| *over == number) {
                state.over.swap_remove(place);
                return;
            }
            let now = Instant::now();
            let mut reason = None;
            if state.stopped && !heard {
                heard = true;
                reason = Some(StopReason::Interrupted);
            } else if stop_at.is_some_and(|time| time <= now) {
                reason = Some(StopReason::TimeLimit);
            }
            if let Some(reason) = reason {
                token.stop(reason);
                stop_at = None;
                abandon_at.get_or_insert(now + GRACE);
            }
            if abandon_at.is_some_and(|time| time <= now) {
                token.abandon();
                // once is enough; the run is waited for
                abandon_at = None;
                (stop_at, heard) = (None, true);
            }
            let next = [stop_at, abandon_at].into_iter().flatten().min();
            state = match next {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(next) => {
                    let time = next.saturating_duration_since(now);
                    self.0.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Tells the watching thread that a run is over, also where it has panicked.
struct Over<'a>(&'a Stop, u64);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.state().over.push(self.1);
        self.0.0.changed.notify_all();
    }
}

/// Does the work of a run, whose token is set when `until` has come or `stop` says so.
pub(crate) fn watched<R>(stop: &Stop, token: &StopToken, until: Option<Instant>, work: impl FnOnce() -> R) -> R {
    let number = {
        let mut state = stop.state();
        state.numbered += 1;
        state.numbered
    };
    thread::scope(|scope| {
        let watching = thread::Builder::new().name("blo clock".to_owned());
        let spawned = watching.spawn_scoped(scope, || stop.watch(number, token, until));
        // without a thread there is no limit on time but between iterations
        let _over = spawned.is_ok().then(|| Over(stop, number));
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_and_a_stop_set_the_token_and_its_report_has_a_grace() {
        let token = StopToken::default();
        watched(&Stop::new(), &token, Some(Instant::now()), || {
            while token.reason().is_none() {
                thread::yield_now();
            }
            token.finish();
            // the report goes on, until it has taken too long
            while !token.is_set() {
                thread::yield_now();
            }
        });
        assert_eq!(token.reason(), Some(StopReason::TimeLimit));
        let (stop, token) = (Stop::new(), StopToken::default());
        stop.stop();
        watched(&stop, &token, None, || {
            while token.reason().is_none() {
                thread::yield_now();
            }
        });
        assert_eq!(token.reason(), Some(StopReason::Interrupted));
        assert!(stop.is_stopped() && stop.state().over.is_empty());
    }

    #[test]
    fn a_panic_of_a_run_does_not_wait_for_ever() {
        let stop = Stop::new();
        let run = std::panic::AssertUnwindSafe(|| watched(&stop, &StopToken::default(), None, || panic!("a bug")));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
