//! Callbacks of a run: the clock, the interrupt key, the table or the stream of rows, the progress line, the checkpoint
//! file.

use blo_solvers::Observer;
use blo_solvers::run::checkpoint::Checkpoint;
use blo_solvers::solution::trace::Row;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::exit::Exit;
use crate::output::console::Console;
use crate::output::file::replace;
use crate::output::iterations::Iterations;
use crate::output::object;

/// How rows are shown during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Not at all.
    Hidden,
    /// As lines of the table.
    Table,
    /// As JSON objects, one per line.
    Objects,
}

/// Where checkpoints go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoints<'a> {
    pub(crate) path: &'a Path,
    /// Iterations between them.
    pub(crate) every: u64,
}

/// The clock, the screen and the interrupt key of a run.
pub(crate) struct Screen<'a> {
    console: &'a mut Console,
    rows: Rows,
    metrics: &'a [String],
    table: Iterations,
    checkpoints: Option<Checkpoints<'a>>,
    begun: Instant,
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
    titled: bool,
    /// The first checkpoint that could not be written has been reported.
    complained: bool,
}

impl<'a> Screen<'a> {
    /// For a run of at most `limit` iterations. From here on the interrupt key stops the run in order.
    pub(crate) fn new(
        console: &'a mut Console,
        rows: Rows,
        metrics: &'a [String],
        checkpoints: Option<Checkpoints<'a>>,
        limit: u64,
    ) -> Screen<'a> {
        let bar = if console.is_quiet() || !io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            let bar = ProgressBar::with_draw_target(Some(limit), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{pos} of at most {len} iterations, {elapsed}");
            bar.with_style(style.expect("the template is a constant"))
        };
        let table = Iterations::new(metrics, console.page());
        Screen {
            console,
            rows,
            table,
            metrics,
            checkpoints,
            begun: Instant::now(),
            stop: stop_flag(),
            bar,
            titled: false,
            complained: false,
        }
    }

    fn write(&mut self, text: &str) {
        let console = &mut *self.console;
        let written = self.bar.suspend(|| console.result(text));
        if written.is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            // nobody reads the rows any more, so the run stops
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Screen<'_> {
    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn progress(&mut self, iteration: u64) {
        self.bar.set_position(iteration);
    }

    fn checkpoint_every(&self) -> u64 {
        self.checkpoints.map_or(0, |c| c.every)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let Some(Checkpoints { path, .. }) = self.checkpoints else { return };
        if let Err(failure) = replace(path, &checkpoint.to_bytes()) {
            // the run is worth more than its checkpoint: it continues, and reports the failure once
            if !std::mem::replace(&mut self.complained, true) {
                let console = &mut *self.console;
                self.bar.suspend(|| console.fail(&failure));
            }
        }
    }

    fn row(&mut self, row: &Row) {
        match self.rows {
            Rows::Hidden => {}
            Rows::Table => {
                let title = if self.titled { String::new() } else { self.table.title() + "\n" };
                self.titled = true;
                self.write(&(title + &self.table.row(row) + "\n"));
            }
            Rows::Objects => self.write(&format!("{}\n", object::row(row, self.metrics))),
        }
    }
}

/// Set by the first interrupt key, after which runs end in order; the second one ends the process at once. The key
/// belongs to the process, and so does its flag.
fn stop_flag() -> Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let made = FLAG.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // without a handler the key ends the process, as it does everywhere else
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        stop
    });
    made.clone()
}
