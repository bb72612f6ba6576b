//! The process of a run, within its limits. It says what it reaches as lines; the server reads them beside its own watch over
//! time and memory. Whatever happens, the last line that comes out of here says how the run has ended.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::job::{CANCEL, Job};

/// Between two looks at the process.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two signs of life for the page.
const TICK: Duration = Duration::from_millis(500);
/// A process that was told to end, or whose time is over, may take this long to say what it has reached.
const GRACE: Duration = Duration::from_secs(3);
/// Bytes of one line, and of messages: a picture has less.
const LINE: u64 = 32 << 20;
const MESSAGES: usize = 64 << 10;
/// Pieces of what a process says that wait to be sent.
const PIECES: usize = 16;

/// How a run is told to end from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// By the page.
    Cancelled,
}

/// A piece of what the process says.
enum Said {
    Event(String),
    Message(String),
    /// One of its streams has ended.
    Over,
}

/// A run that goes on.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    begun: Instant,
    /// When it is killed.
    deadline: Instant,
    /// Why, if it is not out of time.
    why: Option<Value>,
}

/// Runs a job. Every event goes to `send`, but the last one, which comes back once nothing of the run goes on. The run ends
/// early where sending fails: nobody looks at it any more.
///
/// # Errors
/// When there can be no process, and those of `send`.
pub(super) fn run(job: &Job, told: &Receiver<Told>, mut send: impl FnMut(&str) -> io::Result<()>) -> io::Result<Value> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["play", "--job"])
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // a page that reads slowly slows the run down: nothing piles up here
    let (say, said) = sync_channel(PIECES);
    if let Some(out) = child.stdout.take() {
        lines(out, say.clone());
    }
    if let Some(err) = child.stderr.take() {
        messages(err, say);
    }
    let mut stdin = child.stdin.take();
    // a process that does not read it has ended, and says so
    let _ = stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(job.line().as_bytes()).and_then(|()| stdin.flush()));
    let begun = Instant::now();
    let deadline = begun + Duration::try_from_secs_f64(job.seconds).unwrap_or(Duration::MAX / 4) + GRACE;
    let mut running = Running { child, stdin, begun, deadline, why: None };
    let followed = running.follow(job, told, &said, &mut send);
    // nothing that was started here goes on
    let _ = running.child.kill();
    let _ = running.child.wait();
    followed
}

impl Running {
    /// Passes on what the process says, until it ends or is ended; gives the last event.
    fn follow(
        &mut self,
        job: &Job,
        told: &Receiver<Told>,
        said: &Receiver<Said>,
        send: &mut impl FnMut(&str) -> io::Result<()>,
    ) -> io::Result<Value> {
        let (mut memory, mut open, mut end) = (Memory::default(), 2, None);
        let (mut ticked, mut looked) = (Instant::now(), Instant::now());
        while open > 0 {
            match said.recv_timeout(PAUSE) {
                // the last one waits for messages that may come beside it
                Ok(Said::Event(line)) if is_end(&line) => end = Some(line),
                Ok(Said::Event(line)) => send(&line)?,
                Ok(Said::Message(text)) => send(&event_of(&text).to_string())?,
                Ok(Said::Over) => open -= 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            if told.try_recv().is_ok() {
                self.cancel(now);
            }
            if now - looked >= PAUSE {
                looked = now;
                self.watch_memory(job, &mut memory);
            }
            if now >= self.deadline {
                return Ok(self.why.take().unwrap_or_else(|| out_of_time(job)));
            }
            if now - ticked >= TICK {
                ticked = now;
                send(&json!({"kind": "tick", "seconds": self.begun.elapsed().as_secs_f64()}).to_string())?;
            }
        }
        let end = end.and_then(|line| serde_json::from_str(&line).ok());
        Ok(self.why.take().filter(|_| end.is_none()).or(end).unwrap_or_else(|| {
            let message = "the run has ended without a word: a bug of blo; the messages may say more";
            json!({"kind": "end", "how": "failed", "message": message})
        }))
    }

    /// Tells the process to end with what it has reached.
    fn cancel(&mut self, now: Instant) {
        let written = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{CANCEL}").and_then(|()| stdin.flush()));
        self.deadline =
            self.deadline.min(now + if written.is_some_and(|w| w.is_ok()) { GRACE } else { Duration::ZERO });
        let message = "cancelled before there was a result";
        self.why.get_or_insert_with(|| json!({"kind": "end", "how": "cancelled", "message": message}));
    }

    fn watch_memory(&mut self, job: &Job, memory: &mut Memory) {
        if memory.of(self.child.id()) > job.bytes {
            self.deadline = Instant::now();
            let message = format!(
                "stopped: the run took more than {}, the limit of this page; `blo play --max-memory` allows more",
                size(job.bytes)
            );
            self.why = Some(json!({"kind": "end", "how": "limit", "message": message}));
        }
    }
}

/// The memory of processes.
#[derive(Default)]
pub(super) struct Memory(System);

impl Memory {
    /// Bytes of a process; none where the system does not tell.
    pub(super) fn of(&mut self, process: u32) -> u64 {
        let pid = Pid::from_u32(process);
        let what = ProcessRefreshKind::nothing().with_memory();
        self.0.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        self.0.process(pid).map_or(0, sysinfo::Process::memory)
    }
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1, "bytes"));
    format!("{} {name}", blo::output::number::few(bytes as f64 / unit as f64, 4))
}

fn out_of_time(job: &Job) -> Value {
    let message = format!(
        "stopped after {} s, the limit of this page, without a result; `blo play --max-time` allows more",
        job.seconds
    );
    json!({"kind": "end", "how": "limit", "message": message})
}

fn event_of(messages: &str) -> Value {
    json!({"kind": "text", "part": "findings", "text": messages})
}

fn is_end(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|event| event["kind"] == "end")
}

/// Reads events beside the caller.
fn lines(stream: impl Read + Send + 'static, say: SyncSender<Said>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            match stream.by_ref().take(LINE).read_line(&mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) if say.send(Said::Event(line.trim_end().to_owned())).is_err() => break,
                Ok(_) => {}
            }
        }
        let _ = say.send(Said::Over);
    });
}

/// Reads messages beside the caller, all of them, and gives them as one.
fn messages(stream: impl Read + Send + 'static, say: SyncSender<Said>) {
    std::thread::spawn(move || {
        let (mut stream, mut kept, mut piece) = (stream, Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            let room = MESSAGES.saturating_sub(kept.len());
            kept.extend_from_slice(&piece[..count.min(room)]);
        }
        let text = String::from_utf8_lossy(&kept).into_owned();
        if !text.trim().is_empty() {
            let _ = say.send(Said::Message(text));
        }
        let _ = say.send(Said::Over);
    });
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!((size(2 << 30), size(512 << 20), size(100)), ("2 GiB".into(), "512 MiB".into(), "100 bytes".into()));
    }
}
