//! A run as a process of its own: this command line with what is to run. Nothing of one run is warm in another, and its
//! memory can be told. The interrupt key stops the run, which then says what it has reached.

use blo_engine::stop::{StopReason, StopToken};
use serde_json::Value;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};

use crate::clock::{self, Watched};
use crate::exit::Failure;
use crate::input::model::Model;
use crate::output::measured::Outcome;

/// Between two looks whether a process has ended.
const PAUSE: Duration = Duration::from_millis(4);

/// What starts processes.
pub(in crate::command) struct Processes {
    /// What this process has read from its own input, for those that it starts.
    input: Option<String>,
    watched: Watched,
}

/// How a process has ended.
pub(in crate::command) struct Ended {
    /// What it has said on standard output, if that is an outcome.
    pub(in crate::command) outcome: Option<Outcome>,
    /// What it has said on standard error.
    pub(in crate::command) said: String,
}

impl Processes {
    /// From here on the interrupt key stops runs and not this process.
    pub(in crate::command) fn of(model: &Model) -> Processes {
        let input = model.document.path.is_none().then(|| model.document.text.clone());
        Processes { input, watched: clock::watch(0.0, f64::INFINITY, true) }
    }

    /// The user asked to stop.
    pub(in crate::command) fn interrupted(&self) -> bool {
        self.token().reason() == Some(StopReason::Interrupted)
    }

    fn token(&self) -> StopToken {
        self.watched.token()
    }

    /// One run; `what` are further arguments.
    ///
    /// # Errors
    /// When there can be no process.
    pub(in crate::command) fn run(&self, what: &[String]) -> Result<Ended, Failure> {
        let failed = |e: io::Error| Failure::File { message: format!("cannot run `blo` once more: {e}"), help: None };
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(std::env::args_os().skip(1))
            .args(what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take();
        if let (Some(mut input), Some(text)) = (input, &self.input) {
            // one that does not read it says why by its exit
            let _ = input.write_all(text.as_bytes());
        }
        let (out, err) = (all(child.stdout.take()), all(child.stderr.take()));
        self.wait(&mut child).map_err(failed)?;
        let [out, err] = [out, err].map(|thread| thread.join().unwrap_or_default());
        let mut value: Value = serde_json::from_slice(&out).unwrap_or_default();
        Ok(Ended { outcome: Outcome::read(&mut value), said: String::from_utf8_lossy(&err).into_owned() })
    }

    fn wait(&self, child: &mut Child) -> io::Result<()> {
        let mut told = false;
        while child.try_wait()?.is_none() {
            if self.interrupted() && !std::mem::replace(&mut told, true) {
                interrupt(child.id());
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

/// Everything that a stream brings, read beside the caller so that no pipe is ever full.
fn all(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
        bytes
    })
}

/// Presses the interrupt key of a process. A terminal has done so already, and it takes both for one.
fn interrupt(process: u32) {
    let (mut system, process) = (System::new(), Pid::from_u32(process));
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[process]), false, ProcessRefreshKind::nothing());
    let told = system.process(process).and_then(|process| process.kill_with(Signal::Interrupt));
    if told.is_none() {
        // where there is no such key
        system.process(process).map(sysinfo::Process::kill);
    }
}

/// Most bytes that this process has had; `None` where the system does not say.
pub(in crate::command) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}
