//! Callbacks of a run: the clock, the interrupt key, the table or the stream of rows, the progress line, the checkpoint
//! file.

use blo_engine::stop::{StopReason, StopToken};
use blo_solvers::Observer;
use blo_solvers::run::checkpoint::Checkpoint;
use blo_solvers::solution::trace::Row;
use std::io::{self, IsTerminal};
use std::path::Path;

use crate::clock;
use crate::exit::Failure;
use crate::output::console::Console;
use crate::output::file::write_whole;
use crate::output::iterations::Iterations;
use crate::output::progress::ProgressLine;
use blo::output::object;

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

/// Where a run ends if nothing ends it before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) iterations: u64,
    /// On the clock of the command; infinite without a limit.
    pub(crate) seconds: f64,
}

/// What rows there are beside those of the table, and what is in them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traced {
    /// Iterations between rows; 0 for no others.
    pub(crate) every: u64,
    pub(crate) variables: bool,
}

/// The clock, the screen and the interrupt key of a run.
pub(crate) struct Screen<'a> {
    console: &'a mut Console,
    rows: Rows,
    metrics: &'a [String],
    table: Iterations,
    checkpoints: Option<Checkpoints<'a>>,
    traced: Traced,
    begun: f64,
    stop: StopToken,
    line: ProgressLine,
    titled: bool,
    /// Why the last checkpoint could not be written.
    failed: Option<Failure>,
    /// A checkpoint that could not be written has been reported.
    complained: bool,
}

impl<'a> Screen<'a> {
    /// For a run within these limits, which the token stops.
    pub(crate) fn new(
        console: &'a mut Console,
        rows: Rows,
        metrics: &'a [String],
        checkpoints: Option<Checkpoints<'a>>,
        limits: Limits,
        stop: StopToken,
    ) -> Screen<'a> {
        let hidden = console.is_quiet() || !io::stderr().is_terminal();
        let line = ProgressLine::new(limits.iterations, limits.seconds, hidden);
        let table = Iterations::new(metrics, console.page());
        Screen {
            console,
            rows,
            table,
            metrics,
            checkpoints,
            traced: Traced::default(),
            begun: clock::elapsed(),
            stop,
            line,
            titled: false,
            failed: None,
            complained: false,
        }
    }

    /// With other rows.
    pub(crate) fn tracing(mut self, traced: Traced) -> Screen<'a> {
        self.traced = traced;
        self
    }

    /// Why the last checkpoint could not be written, if it could not.
    pub(crate) fn unsaved(&mut self) -> Option<Failure> {
        self.failed.take()
    }

    fn write(&mut self, text: &str) {
        let console = &mut *self.console;
        let written = self.line.aside(|| console.result(text));
        if written.is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            // nobody reads the rows any more, so the run stops
            self.stop.stop(StopReason::Interrupted);
        }
    }
}

impl Observer for Screen<'_> {
    fn seconds(&self) -> f64 {
        clock::elapsed() - self.begun
    }

    fn interrupted(&self) -> bool {
        self.stop.reason() == Some(StopReason::Interrupted)
    }

    fn progress(&mut self, iteration: u64) {
        self.line.set(iteration);
    }

    fn upper(&mut self, value: f64) {
        self.line.upper(value);
    }

    fn checkpoint_every(&self) -> u64 {
        self.checkpoints.map_or(0, |c| c.every)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let Some(Checkpoints { path, .. }) = self.checkpoints else { return };
        self.failed = write_whole(path, &checkpoint.to_bytes()).err();
        if let Some(failure) = &self.failed
            && !std::mem::replace(&mut self.complained, true)
        {
            // the run is worth more than its checkpoint: it continues, and says so once
            let console = &mut *self.console;
            let text = format!("warning: a checkpoint is not saved: {failure}; the run continues");
            self.line.aside(|| console.warn(&text));
        }
    }

    fn row_every(&self) -> u64 {
        self.traced.every
    }

    fn wants_variables(&self) -> bool {
        self.traced.variables
    }

    fn row(&mut self, row: &Row) {
        match self.rows {
            Rows::Hidden => {}
            Rows::Table => {
                let title = if self.titled { String::new() } else { self.table.title() + "\n" };
                self.titled = true;
                let text = title + &self.table.marked(row) + "\n";
                self.write(&text);
            }
            Rows::Objects => self.write(&format!("{}\n", object::row(row, self.metrics))),
        }
    }
}
