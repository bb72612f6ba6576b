//! `cargo xtask attack`: mutated programs through every command that reads one. Each runs in a process of its own, with
//! bounded memory and time, so that a panic, an abort and an endless loop are all seen. The mutator is that of the fuzz
//! targets; a case is made from its seed alone.

#[allow(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;

mod answers;
mod corpus;
mod literature;
mod meaning;
mod process;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use corpus::{Case, Corpus};
use process::{Ending, Process};

/// Seeds of the cases of an attack.
pub type Seeds = Range<u32>;

pub use answers::{families, random};
pub use literature::literature;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `check`, `fmt`, `explain`, `plan` and a short `solve` of a mutated program.
    Programs,
    /// `check --fix` of a mutated program, or of one with a slip: the fixed file means the same wherever the original has
    /// a meaning; a slip is mended to what was there before it, or not at all.
    Fixes,
}

/// What an attack found.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases tried.
    pub cases: u32,
    /// Commands run.
    pub commands: u32,
    /// Cases that the checker took.
    pub sound: u32,
    /// Files that `--fix` changed.
    pub fixed: u32,
    /// Fixed files that were compared with what was meant.
    pub compared: u32,
    /// One paragraph for every fault, with the folder of the case and the command.
    pub faults: Vec<String>,
}

/// Tries the cases of some seeds, made from the programs below `root`, with a `blo`; those at fault are kept in `folder`.
///
/// # Errors
/// A sentence, when the corpus cannot be read or a process cannot be started.
pub fn attack(root: &Path, blo: &Path, kind: Kind, seeds: Range<u32>, folder: &Path) -> Result<Report, String> {
    let corpus = Corpus::read(root)?;
    let next = AtomicU32::new(seeds.start);
    let report = Mutex::new(Report::default());
    let worker = || -> Result<(), String> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            let case = if kind == Kind::Programs { corpus.case(seed) } else { corpus.slip(seed) };
            let at = folder.join(format!("{kind:?}-{seed}").to_lowercase());
            let found = attempt(blo, kind, &case, &at)?;
            if found.faults.is_empty() {
                let _ = std::fs::remove_dir_all(&at);
            }
            let mut report = report.lock().map_err(|_| "a worker panicked".to_owned())?;
            report.cases += 1;
            report.commands += found.commands;
            report.sound += found.sound;
            report.fixed += found.fixed;
            report.compared += found.compared;
            report.faults.extend(found.faults);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|_| Err("a worker panicked".to_owned())))
    })?;
    report.into_inner().map_err(|_| "a worker panicked".to_owned())
}

/// One case in a folder of its own.
fn attempt(blo: &Path, kind: Kind, case: &Case, folder: &Path) -> Result<Report, String> {
    let file = folder.join("p.blo");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).map_err(|e| format!("{}: {e}", folder.join(name).display()))
    };
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    write("p.blo", &case.text)?;
    corpus::FILES.iter().try_for_each(|(name, text)| write(name, text))?;
    let mut report = Report::default();
    let mut run = |arguments: &[&str]| -> Result<Ending, String> {
        let process = Process { blo, arguments, file: &file, data: &case.data };
        let ending = process.run()?;
        report.commands += 1;
        report.faults.extend(ending.fault().map(|what| format!("{}: {what}", process.shown())));
        Ok(ending)
    };
    match kind {
        Kind::Programs => {
            run(&["fmt", "--check"])?;
            let sound = run(&["check"])?.code == Some(0);
            run(&["explain"])?;
            run(&["plan"])?;
            run(&["solve", "--max-iter", "20", "--max-time", "1s"])?;
            report.sound += u32::from(sound);
        }
        Kind::Fixes => {
            run(&["check", "--fix"])?;
            let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            if text != case.text {
                report.fixed += 1;
                let meant = case.meant.iter().map(|meant| meaning::preserve(meant, &text));
                for compared in meant.chain([meaning::compare(&case.text, &text)]) {
                    match compared {
                        Ok(compared) => report.compared += u32::from(compared),
                        Err(why) => report.faults.push(format!("{}: {why}", file.display())),
                    }
                }
                write("original.blo", &case.text)?;
            }
        }
    }
    Ok(report)
}

/// The release build of the repository.
pub fn release(root: &Path) -> PathBuf {
    root.join("target/release").join(format!("blo{}", std::env::consts::EXE_SUFFIX))
}
