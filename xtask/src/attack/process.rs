//! One command in a process that may use 4 GB and 20 seconds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The most time of a command.
const TIME: Duration = Duration::from_secs(20);
/// The most memory, in KiB, where a shell can bound it.
const MEMORY: &str = "4000000";

/// A command with one problem file.
pub(super) struct Process<'a> {
    /// The `blo` that is attacked.
    pub(super) blo: &'a Path,
    /// The subcommand and its flags.
    pub(super) arguments: &'a [&'a str],
    /// The problem.
    pub(super) file: &'a Path,
    /// A folder with data.
    pub(super) data: &'a Path,
}

/// How it ended.
pub(super) struct Ending {
    /// The exit code; `None` after a signal.
    pub(super) code: Option<i32>,
    /// True when it was stopped for its time.
    late: bool,
    /// What it printed on standard error.
    said: String,
}

impl Process<'_> {
    /// Runs it.
    pub(super) fn run(&self) -> Result<Ending, String> {
        let said = self.file.with_extension("stderr");
        let error = |e: std::io::Error| format!("{}: {e}", self.shown());
        let errors = std::fs::File::create(&said).map_err(error)?;
        let mut child = self.command().stdout(Stdio::null()).stderr(errors).spawn().map_err(error)?;
        let begun = Instant::now();
        let (code, late) = loop {
            if let Some(status) = child.try_wait().map_err(error)? {
                break (status.code(), false);
            }
            if begun.elapsed() > TIME {
                child.kill().and_then(|()| child.wait().map(drop)).map_err(error)?;
                break (None, true);
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let said = std::fs::read(&said).map_err(error)?;
        Ok(Ending { code, late, said: String::from_utf8_lossy(&said).into_owned() })
    }

    fn command(&self) -> Command {
        let mut command = if cfg!(unix) {
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -v $0; exec \"$@\"", MEMORY]).arg(self.blo);
            shell
        } else {
            Command::new(self.blo)
        };
        command.args(self.arguments).arg(self.file).stdin(Stdio::null());
        if self.arguments[0] != "fmt" {
            command.arg("--data-dir").arg(self.data);
        }
        command
    }

    /// The command as one may type it again.
    pub(super) fn shown(&self) -> String {
        let folder =
            if self.arguments[0] == "fmt" { String::new() } else { format!(" --data-dir {}", self.data.display()) };
        format!("blo {} {}{folder}", self.arguments.join(" "), self.file.display())
    }
}

impl Ending {
    /// What is wrong with it: our own bug, an abort, a signal, or too long a time.
    pub(super) fn fault(&self) -> Option<String> {
        let first = self.said.lines().find(|l| l.contains("error")).unwrap_or_default();
        match self.code {
            _ if self.late => Some(format!("still runs after {} s", TIME.as_secs())),
            None => Some(format!("ended by a signal: {first}")),
            // 128 + signal is what a shell reports of an abort
            Some(code @ (70 | 101 | 134..)) => Some(format!("exit code {code}: {first}")),
            Some(_) => None,
        }
    }
}
