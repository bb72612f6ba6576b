//! `blo test`: every `expect` item and every `known` point of problem files, in the manner of `cargo test`.

mod problem_file;

use clap::Args;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::args::{Format, ModelArguments, definition, limit, seconds};
use crate::command::help::Help;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use blo::output::SCHEMA;
use blo::output::number::time;
use blo::output::render::{self, MessageFormat};
use blo::output::text::page::paragraph;
use blo::output::text::visible::on_one_line;
use blo::stack::STACK_BYTES;
use problem_file::{File, Kind, Outcome, Test, Verdict};

const HELP: Help = Help {
    examples: &[
        ("blo test P.blo", "its `expect` and `known`"),
        ("blo test specs --filter bda -j 2", "a folder, by name, two at a time"),
    ],
    exits: &[Exit::TestFailed, Exit::Interrupted],
};

/// Tests problem files: their expectations and what they say is known
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// Files, or folders with all the problem files below; by default the folder `specs`, else the current one
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests with this text in their names; may be repeated
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Sets a scalar param of the files that have it: `-D n=1000`
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE", value_parser = definition)]
    define: Vec<(String, f64)>,
    /// A folder to search for data after the problem's own; may be repeated
    #[arg(long, value_name = "DIR")]
    data_dir: Vec<PathBuf>,
    /// Read no data outside of this folder
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
    /// Raises a limit on what a file may ask for: `--limit entries=1e10`
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit)]
    limit: Vec<(String, u64)>,
    /// Stop every run after this time: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    max_time: Option<Duration>,
    /// Files that are tested at the same time; they share the cores
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = jobs)]
    jobs: usize,
    /// How the results are written: for people, or an object per line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=256).contains(n)).ok_or_else(|| "write a number from 1 to 256".into())
}

/// Tests files.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut used = Vec::new();
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    let common = ModelArguments {
        file: PathBuf::new(),
        define: Vec::new(),
        data_dir: arguments.data_dir.clone(),
        within: arguments.within.clone(),
        limit: arguments.limit.clone(),
    };
    for path in paths(&arguments.paths)? {
        match File::read(&path, &arguments.define, &common, &mut used) {
            Ok(file) => files.push(file),
            Err(failure) => unread.push((path.display().to_string(), failure)),
        }
    }
    for (_, failure) in &unread {
        console.fail(failure);
    }
    if files.is_empty() {
        return Ok(Exit::Error);
    }
    if let Some((name, _)) = arguments.define.iter().find(|(name, _)| !used.contains(name)) {
        let message = format!("no file has a scalar param `{name}`");
        return Err(Failure::Usage { message, help: Some("`-D` sets params of the files that have them".into()) });
    }
    for file in &mut files {
        let name = file.document.name.clone();
        let passes = |t: &Test| {
            let full = format!("{name} {}", t.name);
            arguments.filter.is_empty() || arguments.filter.iter().any(|f| full.contains(f))
        };
        file.tests.iter_mut().for_each(|t| t.filtered = !passes(t));
    }
    let mut report = Report { format: arguments.format, ..Report::default() };
    for file in files.iter().filter(|f| !f.errors.is_empty()) {
        console.diagnostics(&file.document, &file.errors);
    }
    report.begin(&files, &unread, console)?;
    let written = each_outcome(&files, arguments, &mut |file, test, outcome| {
        report.add(&files[file], &files[file].tests[test], outcome, console)
    });
    written?;
    report.end(begun.elapsed().as_secs_f64(), console)?;
    Ok(report.exit())
}

/// Runs all tests, several files at a time, and hands on their outcomes in the order of files and tests.
fn each_outcome(
    files: &[File],
    arguments: &Arguments,
    take: &mut dyn FnMut(usize, usize, Outcome) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut flags = Vec::new();
    if let Some(limit) = arguments.max_time {
        flags.push(("max_time".to_owned(), limit.as_secs_f64().to_string()));
    }
    if arguments.jobs > 1 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        flags.push(("threads".to_owned(), (cores / arguments.jobs).max(1).to_string()));
    }
    let order = files.iter().enumerate().flat_map(|(f, file)| {
        let run = file.tests.iter().enumerate().filter(|(_, t)| !t.filtered);
        run.map(move |(t, _)| (f, t))
    });
    let clock = Instant::now();
    let elapsed = || clock.elapsed().as_secs_f64();
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel::<(usize, usize, Outcome)>();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.min(files.len()) {
            let (sender, next, flags) = (sender.clone(), &next, &flags);
            let work = move || {
                while let Some((f, file)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|f| Some((f, files.get(f)?)))
                {
                    file.run(flags, &elapsed, &mut |t, outcome| {
                        // nobody listens after a broken pipe
                        let _ = sender.send((f, t, outcome));
                    });
                }
            };
            let spawned = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            spawned.map_err(Failure::Output)?;
        }
        drop(sender);
        let mut waiting: Vec<(usize, usize, Outcome)> = Vec::new();
        for (f, t) in order {
            let outcome = loop {
                if let Some(at) = waiting.iter().position(|w| (w.0, w.1) == (f, t)) {
                    break waiting.swap_remove(at).2;
                }
                match receiver.recv() {
                    Ok(found) => waiting.push(found),
                    Err(_) => return Ok(()),
                }
            };
            if let Err(failure) = take(f, t, outcome) {
                // the other files need not be tested
                next.store(files.len(), Ordering::Relaxed);
                return Err(failure);
            }
        }
        Ok(())
    })
}

/// The problem files that paths name, folders with all that is below them.
fn paths(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let default = [if Path::new("specs").is_dir() { PathBuf::from("specs") } else { PathBuf::from(".") }];
    let mut found = Vec::new();
    for path in if given.is_empty() { &default } else { given } {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        below(path, &mut found);
        if found.len() == before {
            let message = format!("{}: no problem files in this folder or below it", path.display());
            return Err(Failure::File { message, help: Some("their names end in `.blo`".into()) });
        }
    }
    let mut unique: Vec<PathBuf> = Vec::new();
    for path in found {
        if !unique.contains(&path) {
            unique.push(path);
        }
    }
    Ok(unique)
}

/// Sorted by name; hidden folders and those behind symbolic links are left out.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        let path = if folder == Path::new(".") { PathBuf::from(&name) } else { entry.path() };
        if is_folder && !hidden {
            below(&path, found);
        } else if !is_folder && path.extension().is_some_and(|e| e == "blo") {
            found.push(path);
        }
    }
}

/// What is written, and the counts.
#[derive(Default)]
struct Report {
    format: Format,
    passed: usize,
    failed: usize,
    errors: usize,
    filtered: usize,
    /// Names and texts of failures.
    failures: Vec<(String, String)>,
    /// Names and reasons.
    skipped: Vec<(String, String)>,
    notes: Vec<(String, String)>,
}

impl Report {
    fn begin(&mut self, files: &[File], unread: &[(String, Failure)], console: &mut Console) -> Result<(), Failure> {
        let all = files.iter().flat_map(|f| &f.tests);
        let (filtered, run): (Vec<_>, Vec<_>) = all.partition(|t| t.filtered);
        self.filtered = filtered.len();
        self.errors = files.iter().filter(|f| !f.errors.is_empty()).count() + unread.len();
        let mut text = String::new();
        if self.format == Format::Human {
            text += &format!("running {} test{}\n", run.len(), if run.len() == 1 { "" } else { "s" });
        }
        for (name, failure) in unread {
            text += &match self.format {
                Format::Human => format!("test {} ... ERROR\n", on_one_line(name)),
                Format::Json => {
                    let reason = failure.to_string();
                    let object = json!({
                        "schema": SCHEMA, "type": "test", "file": name, "outcome": "error", "reason": reason, "findings": [],
                    });
                    format!("{object}\n")
                }
            };
        }
        for file in files.iter().filter(|f| !f.errors.is_empty()) {
            text += &match self.format {
                Format::Human => format!("test {} ... ERROR\n", on_one_line(&file.document.name)),
                Format::Json => {
                    let found = file.errors.iter().map(|d| json!({"code": d.code, "message": d.message}));
                    let (file, found) = (&file.document.name, found.collect::<Vec<_>>());
                    json!({"schema": SCHEMA, "type": "test", "file": file, "outcome": "error", "findings": found})
                        .to_string()
                        + "\n"
                }
            };
        }
        Ok(console.result(&text)?)
    }

    fn add(&mut self, file: &File, test: &Test, outcome: Outcome, console: &mut Console) -> Result<(), Failure> {
        let name = format!("{} {}", file.document.name, test.name);
        let (word, findings, reason) = match &outcome.verdict {
            Verdict::Passed => ("ok", &[][..], None),
            Verdict::Failed(findings) => ("FAILED", findings.as_slice(), None),
            Verdict::Skipped(why) => ("skipped", &[][..], Some(why.clone())),
            Verdict::Error(findings) => ("ERROR", findings.as_slice(), None),
        };
        let text = match self.format {
            Format::Human => format!("test {} ... {word}\n", on_one_line(&name)),
            Format::Json => object(file, test, &outcome, word, reason.as_deref()).to_string() + "\n",
        };
        self.notes.extend(outcome.notes.iter().map(|note| (name.clone(), note.clone())));
        match outcome.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped(why) => self.skipped.push((name, why)),
            Verdict::Failed(_) | Verdict::Error(_) => {
                *(if word == "ERROR" { &mut self.errors } else { &mut self.failed }) += 1;
                self.failures.push((name, render::all(findings, &file.document, MessageFormat::Human, console.page())));
            }
        }
        Ok(console.result(&text)?)
    }

    fn end(&self, seconds: f64, console: &mut Console) -> Result<(), Failure> {
        let (passed, failed, skipped, filtered) = (self.passed, self.failed, self.skipped.len(), self.filtered);
        if self.format == Format::Json {
            let summary = json!({
                "schema": SCHEMA, "type": "summary", "passed": passed, "failed": failed, "skipped": skipped,
                "errors": self.errors, "filtered": filtered, "seconds": seconds,
            });
            return Ok(console.result(&format!("{summary}\n"))?);
        }
        let mut text = String::new();
        if !self.failures.is_empty() {
            text += "\nfailures:\n";
            for (name, findings) in &self.failures {
                text += &format!("\n---- {} ----\n{findings}", on_one_line(name));
            }
        }
        for (title, list) in [("notes", &self.notes), ("skipped", &self.skipped)] {
            if !list.is_empty() {
                text += &format!("\n{title}:\n");
                let lines = list.iter().map(|(name, why)| format!("{name}: {why}"));
                lines.for_each(|line| text += &paragraph(&on_one_line(&line), "    ", console.page()));
            }
        }
        let word = if failed + self.errors == 0 { "ok" } else { "FAILED" };
        let errors = if self.errors == 0 { String::new() } else { format!("{} with errors; ", self.errors) };
        let filtered = if filtered == 0 { String::new() } else { format!("; {filtered} filtered out") };
        let counts = format!("{passed} passed; {failed} failed; {errors}{skipped} skipped{filtered}");
        let result = format!("test result: {word}. {counts}; in {}", time(seconds));
        text += &format!("\n{}", paragraph(&result, "", console.page()));
        Ok(console.result(&text)?)
    }

    fn exit(&self) -> Exit {
        match (self.errors, self.failed) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::TestFailed,
            _ => Exit::Error,
        }
    }
}

/// A test as one object. Numbers that are not finite are null.
fn object(file: &File, test: &Test, outcome: &Outcome, word: &str, reason: Option<&str>) -> Value {
    let side = |(text, value): &(String, f64)| json!({"text": text, "value": value});
    let assertions = outcome.judgements.iter().map(|j| {
        let sides: Vec<Value> = j.sides.iter().flatten().map(side).collect();
        json!({"text": j.text, "holds": j.holds, "sides": sides})
    });
    let findings = match &outcome.verdict {
        Verdict::Failed(found) | Verdict::Error(found) => found.as_slice(),
        Verdict::Passed | Verdict::Skipped(_) => &[],
    };
    let run = outcome
        .run
        .as_ref()
        .map(|r| json!({"method": r.method, "status": r.status, "iterations": r.iterations, "seconds": r.seconds}));
    json!({
        "schema": SCHEMA,
        "type": "test",
        "file": file.document.name,
        "name": test.name,
        "line": test.line,
        "kind": if test.kind == Kind::Known { "known" } else { "expect" },
        "outcome": word.to_lowercase(),
        "reason": reason,
        "run": run,
        "assertions": assertions.collect::<Vec<_>>(),
        "notes": outcome.notes,
        "findings": findings.iter().map(|d| json!({"code": d.code, "message": d.message})).collect::<Vec<_>>(),
    })
}
