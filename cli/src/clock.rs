//! The clock of the process, its limit on time, and its interrupt key. While runs are registered, the limit and the key
//! stop them by their tokens, and what they have reached is written. At all other times there is nothing to keep: the
//! process ends at once, wherever it is, and removes the file that it was writing.

use blo::stop::GRACE;
use blo_engine::stop::{StopReason, StopToken};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::exit::Exit;

/// A signal this soon after the first one is the same: `timeout` sends it to the process and to its group.
const ECHO: Duration = Duration::from_millis(300);

/// A command that has no run yet, and is out of time.
const TOO_EARLY: &str = "error: the time limit is over before the first iteration: checking the\n  problem and reading \
                         its data took all of it\n  = help: allow more time with `--max-time`";

/// The one clock.
struct Clock {
    begun: Instant,
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    runs: Vec<Registered>,
    numbered: u64,
    /// The command's own limit, while it has no run.
    limit: Option<Instant>,
    /// The file that is being written.
    temporary: Option<PathBuf>,
    pressed: Option<Instant>,
}

struct Registered {
    number: u64,
    token: StopToken,
    stop_at: Option<Instant>,
    /// When its caller has seen enough.
    enough_at: Option<Instant>,
    abandon_at: Option<Instant>,
    /// The interrupt key stops the run and not the process.
    takes_key: bool,
}

/// A run that the limit and the key stop, while this lives.
pub(crate) struct Watched {
    number: u64,
    token: StopToken,
}

/// Starts the clock, and takes the interrupt key.
pub(crate) fn begin() {
    let clock = clock();
    // without a handler the key ends the process, as it does everywhere else
    let _ = ctrlc::set_handler(move || clock.key());
    // where a file would be larger than allowed (`ulimit -f`), the write fails and is reported; without a handler the
    // signal ends the process and leaves what it was writing
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Presses the interrupt key for whoever has started this process.
pub(crate) fn press() {
    clock().key();
}

/// Seconds since the start of the command.
pub(crate) fn elapsed() -> f64 {
    clock().begun.elapsed().as_secs_f64()
}

/// Ends the command this long after its start, unless it has a run by then.
pub(crate) fn limit(time: Option<Duration>) {
    let clock = clock();
    clock.now().limit = time.and_then(|time| clock.begun.checked_add(time));
    clock.changed.notify_all();
}

/// Registers a run with a limit, in seconds after `from` on [`elapsed`].
pub(crate) fn watch(from: f64, limit: f64, takes_key: bool) -> Watched {
    let clock = clock();
    let token = StopToken::default();
    let time = Duration::try_from_secs_f64(from + limit).ok();
    let stop_at = time.and_then(|time| clock.begun.checked_add(time));
    let mut now = clock.now();
    now.limit = None;
    now.numbered += 1;
    let number = now.numbered;
    let mut run = Registered { number, token: token.clone(), stop_at, enough_at: None, abandon_at: None, takes_key };
    // a time that is over stops the run at once, not when the thread wakes up; so does a key pressed between two runs
    run.see(Instant::now());
    if takes_key && now.pressed.is_some() {
        run.stop(StopReason::Interrupted, Instant::now());
    }
    now.runs.push(run);
    drop(now);
    clock.changed.notify_all();
    Watched { number, token }
}

/// Tells which file is being written: it is removed where the process ends at once.
pub(crate) fn writes(temporary: Option<&Path>) {
    clock().now().temporary = temporary.map(Path::to_owned);
}

impl Watched {
    /// What the run looks at.
    pub(crate) fn token(&self) -> StopToken {
        self.token.clone()
    }

    /// Moves the times at which the run is stopped: its limit, and when its caller has seen enough, in seconds from now. A run
    /// whose clock stands still while it is looked at ends later.
    pub(crate) fn stop_in(&self, limit: f64, enough: f64) {
        let clock = clock();
        let mut now = clock.now();
        let Some(run) = now.runs.iter_mut().find(|run| run.number == self.number) else { return };
        let at = |seconds: f64| {
            let time = Duration::try_from_secs_f64(seconds.max(0.0)).ok();
            time.and_then(|time| Instant::now().checked_add(time))
        };
        let before = [run.stop_at, run.enough_at].into_iter().flatten().min();
        (run.stop_at, run.enough_at) = (at(limit), at(enough));
        let after = [run.stop_at, run.enough_at].into_iter().flatten().min();
        let sooner = after.is_some_and(|after| before.is_none_or(|before| after < before));
        drop(now);
        if sooner {
            // the thread would sleep for too long
            clock.changed.notify_all();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        clock().now().runs.retain(|run| run.number != self.number);
    }
}

fn clock() -> &'static Arc<Clock> {
    static CLOCK: OnceLock<Arc<Clock>> = OnceLock::new();
    CLOCK.get_or_init(|| {
        let clock = Arc::new(Clock { begun: Instant::now(), now: Mutex::default(), changed: Condvar::new() });
        let watching = clock.clone();
        // without a thread there is no limit on time but between iterations
        let _ = std::thread::Builder::new().name("clock".to_owned()).spawn(move || watching.wait());
        clock
    })
}

impl Clock {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the times at which something is to stop.
    fn wait(&self) {
        let mut now = self.now();
        loop {
            let at = Instant::now();
            if now.limit.is_some_and(|limit| limit <= at) {
                end(now, Exit::Error, TOO_EARLY);
            }
            now.runs.iter_mut().for_each(|run| run.see(at));
            let next = now
                .runs
                .iter()
                .flat_map(|run| [run.stop_at, run.enough_at, run.abandon_at])
                .chain([now.limit])
                .flatten()
                .min();
            now = match next {
                None => self.changed.wait(now).unwrap_or_else(PoisonError::into_inner),
                Some(next) => {
                    let time = next.saturating_duration_since(at);
                    self.changed.wait_timeout(now, time).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The interrupt key, or a request to end from elsewhere. The second one ends the process at once.
    fn key(&self) {
        let mut now = self.now();
        let at = Instant::now();
        let first = *now.pressed.get_or_insert(at);
        if at > first && at - first < ECHO {
            return;
        }
        if at > first || !now.runs.iter().any(|run| run.takes_key) {
            end(now, Exit::Interrupted, "interrupted");
        }
        for run in now.runs.iter_mut().filter(|run| run.takes_key) {
            run.stop(StopReason::Interrupted, at);
        }
        drop(now);
        self.changed.notify_all();
    }
}

impl Registered {
    fn see(&mut self, at: Instant) {
        if self.stop_at.is_some_and(|time| time <= at) {
            self.stop(StopReason::TimeLimit, at);
        }
        if self.enough_at.is_some_and(|time| time <= at) {
            self.stop(StopReason::Enough, at);
        }
        if self.abandon_at.is_some_and(|time| time <= at) {
            self.token.abandon();
            self.abandon_at = None;
        }
    }

    fn stop(&mut self, reason: StopReason, at: Instant) {
        self.token.stop(reason);
        (self.stop_at, self.enough_at) = (None, None);
        if reason != StopReason::Enough {
            // what is left of a run that its caller has seen enough of is what it was run for
            self.abandon_at.get_or_insert(at + GRACE);
        }
    }
}

/// Ends the process.
fn end(now: MutexGuard<'_, Now>, exit: Exit, why: &str) -> ! {
    if let Some(temporary) = &now.temporary {
        let _ = std::fs::remove_file(temporary);
    }
    eprintln!("{why}");
    std::process::exit(exit as i32)
}

#[cfg(test)]
mod tests {
    use super::TOO_EARLY;

    #[test]
    fn what_the_clock_says_fits_the_page() {
        assert!(TOO_EARLY.lines().all(|line| line.chars().count() <= 80));
    }
}
