//! How a run of `blo` ends: exit codes, the failures that lead to them, and the words for our own bugs.

use blo::input::file::Unreadable;
use std::io;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A result was written.
    Done = 0,
    /// An error in the model or its data.
    Error = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `--require` is not met.
    NotConverged = 3,
    /// The iterates diverged or are not finite.
    Diverged = 4,
    /// An expectation or a known point of a tested file does not hold.
    TestFailed = 5,
    /// No point meets the rows of `subject to`.
    Infeasible = 6,
    /// The result was computed and printed, but a file could not be written.
    NotWritten = 7,
    /// Our bug.
    Internal = 70,
    /// The user stopped the command; what a run had reached has been written.
    Interrupted = 130,
}

impl Exit {
    /// What the code says, in the help of the commands that end with it.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done; of a run: a result was written",
            Exit::Error => "an error in the model or its data, or a file that cannot be read",
            Exit::Usage => "the command line is wrong",
            Exit::NotConverged => "`--require converged` is not met; the result was written",
            Exit::Diverged => "a level is unbounded, or the iterates diverged or are not finite",
            Exit::TestFailed => "an `expect` or a `known` point does not hold",
            Exit::Infeasible => "no point meets the rows of `subject to`; the result violates them least",
            Exit::NotWritten => "the result was printed, but a file could not be written",
            Exit::Internal => "a bug of blo: please report it with the file and the command line",
            Exit::Interrupted => "interrupted; what was reached has been written",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command stops before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line asks for something that does not exist.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// The next step.
        help: Option<String>,
    },
    /// A file cannot be read or written.
    #[error("{message}")]
    File {
        /// What is wrong, with the path.
        message: String,
        /// The next step.
        help: Option<String>,
    },
    /// Diagnostics with errors have been shown.
    #[error("the program has errors")]
    Reported,
    /// What is wrong with the command line has been shown.
    #[error("the command line has errors")]
    Misread,
    /// A result cannot be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

impl From<Unreadable> for Failure {
    fn from(why: Unreadable) -> Failure {
        Failure::File { message: why.message, help: why.help }
    }
}

impl Failure {
    /// The exit code. A reader that has seen enough (`blo graph P.blo | head`) is not a failure.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Usage { .. } | Failure::Misread => Exit::Usage,
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Failure::File { .. } | Failure::Reported | Failure::Output(_) => Exit::Error,
        }
    }
}

/// The panic hook: a bug of ours in two lines instead of a backtrace.
pub(crate) fn report_bug(info: &PanicHookInfo<'_>) {
    use io::Write;
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let reason = text.unwrap_or("no reason given");
    let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "internal error: {reason}{place}");
    let _ = writeln!(
        err,
        "This is a bug in blo {}, not in your problem. Please report it with the problem file and the command line.",
        env!("CARGO_PKG_VERSION")
    );
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        let _ = writeln!(err, "{}", std::backtrace::Backtrace::force_capture());
    }
}
