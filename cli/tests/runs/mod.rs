//! Runs: what they read, how much they take, how they are stopped.
#![cfg(unix)]

mod inputs;
mod pictures;
mod resources;
mod several;
mod stopped;
mod warm;

use std::path::Path;
use std::process::Command;

/// Kilobytes of address space.
const MEMORY: u32 = 3_000_000;

/// What the command says on both streams with little memory, and its exit code; `None` after too long a time.
fn said(folder: &Path, arguments: &str) -> (String, Option<i32>) {
    let script = format!("ulimit -v {MEMORY}; exec timeout -s KILL 60 \"$BLO\" {arguments}");
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", &script]).env("BLO", env!("CARGO_BIN_EXE_blo")).env("NO_COLOR", "1");
    let run = shell.current_dir(folder).output().expect("a shell");
    let text = [run.stdout, run.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
    (text, run.status.code())
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}
