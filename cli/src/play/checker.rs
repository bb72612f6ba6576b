//! Checks of the text that is being written, in a process of their own. Of a shared program nobody knows what it holds, and
//! a check may take as much time and memory as a run: the process ends when it takes too much, or when there is a newer text.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Limits;
use super::child::{Memory, size};
use super::edit::Editing;

/// Between two looks at the process.
const PAUSE: Duration = Duration::from_millis(50);
/// A check takes at most this time, since somebody waits for it at every pause of their typing.
const TIME: f64 = 20.0;

/// Checks texts.
pub(super) struct Checker {
    limits: Limits,
    /// Counts the texts that have come to be checked.
    newest: AtomicU64,
    /// The process that has checked the last text, and knows more of it.
    process: Mutex<Option<Process>>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A newer text has come meanwhile.
    Stale,
    /// In words.
    Failed(String),
}

impl Checker {
    pub(super) fn new(limits: Limits) -> Checker {
        let limits = Limits { seconds: limits.seconds.min(TIME), ..limits };
        Checker { limits, newest: AtomicU64::default(), process: Mutex::default() }
    }

    /// Mistakes with their fixes, and what the page wants to know of the problem.
    ///
    /// # Errors
    /// When it has been stopped.
    pub(super) fn check(&self, asked: &Value) -> Result<Value, Missing> {
        let number = self.newest.fetch_add(1, Ordering::SeqCst) + 1;
        let is_stale = || self.newest.load(Ordering::SeqCst) != number;
        // the one before sees that it is stale, and lets go
        let mut kept = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if is_stale() {
            return Err(Missing::Stale);
        }
        self.ask(&mut kept, asked, is_stale)
    }

    /// What is known of the word at a place; less while a check goes on.
    pub(super) fn hover(&self, asked: &Value) -> Value {
        let known = self
            .process
            .try_lock()
            .ok()
            .and_then(|mut kept| kept.is_some().then(|| self.ask(&mut kept, asked, || false).ok()).flatten());
        known.unwrap_or_else(|| Editing::default().answer(asked))
    }

    /// Asks the process. One that does not answer ends.
    fn ask(&self, kept: &mut Option<Process>, asked: &Value, is_stale: impl Fn() -> bool) -> Result<Value, Missing> {
        let failed = |why: String| Missing::Failed(why);
        let begun = Instant::now();
        let mut process = match kept.take() {
            Some(process) => process,
            None => Process::start().map_err(|why| failed(format!("there is no process for the check: {why}")))?,
        };
        // one that does not read has ended
        let _ = writeln!(process.stdin, "{asked}").and_then(|()| process.stdin.flush());
        loop {
            match process.said.recv_timeout(PAUSE) {
                Ok(answer) => {
                    *kept = Some(process);
                    return Ok(answer);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed("the check has ended without a word: a bug of blo".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if is_stale() => return Err(Missing::Stale),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let Limits { seconds, bytes } = self.limits;
            if begun.elapsed().as_secs_f64() > seconds {
                return Err(failed(format!("the check of this program was stopped after {seconds} s")));
            }
            if process.memory.of(process.child.id()) > bytes {
                return Err(failed(format!(
                    "the check of this program was stopped: it took more than {}",
                    size(bytes)
                )));
            }
        }
    }
}

/// A process that checks one text after the other.
struct Process {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<Value>,
    memory: Memory,
}

impl Process {
    fn start() -> io::Result<Process> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["play", "--checks"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are pipes")
        };
        let (say, said) = channel();
        let lines = move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(answer) = serde_json::from_str(&line) else { break };
                if say.send(answer).is_err() {
                    break;
                }
            }
        };
        let process = Process { child, stdin, said, memory: Memory::default() };
        std::thread::Builder::new().name("blo play check".to_owned()).spawn(lines)?;
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process is asked.
pub(super) fn question(what: &str, root: &std::path::Path, name: &str, text: &str, at: u64) -> Value {
    json!({"what": what, "root": root.to_string_lossy(), "name": name, "text": text, "at": at})
}

impl Editing {
    /// Answers a question.
    pub(crate) fn answer(&mut self, asked: &Value) -> Value {
        let text = |key: &str| asked[key].as_str().unwrap_or_default();
        match text("what") {
            "check" => self.check(text("root").as_ref(), text("name"), text("text")),
            _ => self.hover(text("text"), asked["at"].as_u64().unwrap_or_default()),
        }
    }
}
