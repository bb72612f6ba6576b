//! The tests of a problem file: every `expect` item, and what `known` says. A file is read and checked first, so that its
//! tests can be listed; running them binds its data once per seed and shares runs between items that ask for the same.

use blo_engine::model::{self, Bindings, Problem};
use blo_grammar::ast::ItemKind;
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::span::Span;
use blo_solvers::DEFAULT_METHOD;
use blo_solvers::audit::expectation::{JudgedAssertion, PlannedRun};
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::solution::Solution;
use blo_solvers::{Request, resolve};
use blo_solvers::{judge, planned_runs};
use std::path::Path;

use crate::args::ModelArguments;
use crate::clock;
use crate::exit::Failure;
use crate::input::model::{check, folders};
use blo::document::Document;
use blo::input::checked::Checked;
use blo::input::file::{self, Reading};

/// A file whose tests are known.
pub(crate) struct File {
    pub(crate) document: Document,
    arguments: ModelArguments,
    /// The problem, unless the file has errors.
    problem: Option<Problem>,
    /// The errors.
    pub(crate) errors: Vec<Diagnostic>,
    /// In source order.
    pub(crate) tests: Vec<Test>,
}

/// A test of a file.
pub(crate) struct Test {
    /// `expect with meha:tuned (max_iter = 54) (line 31)`.
    pub(crate) name: String,
    /// The line where it is written, from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    /// Left out on request.
    pub(crate) filtered: bool,
}

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The point and the values of `known`.
    Known,
    /// An `expect` item, by its position in the problem.
    Expect(usize),
}

/// What came of a test.
pub(crate) enum Verdict {
    Passed,
    /// The findings, first those that make it fail.
    Failed(Vec<Diagnostic>),
    Skipped(String),
    /// The data or the options have errors.
    Error(Vec<Diagnostic>),
}

/// A test that has run.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// What could not be checked.
    pub(crate) notes: Vec<String>,
    pub(crate) judgements: Vec<JudgedAssertion>,
    /// The run: method, status, iterations, seconds.
    pub(crate) run: Option<Summary>,
}

/// A run in short.
#[derive(Clone)]
pub(crate) struct Summary {
    pub(crate) method: String,
    pub(crate) status: &'static str,
    pub(crate) iterations: u64,
    pub(crate) seconds: f64,
}

impl Outcome {
    fn plain(verdict: Verdict) -> Outcome {
        Outcome { verdict, notes: Vec::new(), judgements: Vec::new(), run: None }
    }
}

impl File {
    /// Reads and checks a file; of `common` it takes the folders of data and the limits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(
        path: &Path,
        define: &[(String, f64)],
        common: &ModelArguments,
        used: &mut Vec<String>,
    ) -> Result<File, Failure> {
        let mut arguments = ModelArguments { file: path.to_owned(), define: Vec::new(), ..common.clone() };
        let document = match file::read(path)? {
            Reading::Text(document) => document,
            Reading::Refused(document, diagnostic) => {
                let (problem, errors, tests) = (None, vec![diagnostic], Vec::new());
                return Ok(File { document, arguments, problem, errors, tests });
            }
        };
        // a folder's files have different params: each takes its own
        let ast = blo_grammar::parse(&document.text).ast;
        let params =
            ast.items.iter().filter_map(|i| if let ItemKind::Param { name, .. } = &i.kind { Some(name) } else { None });
        let params: Vec<&str> = params.map(|n| n.text.as_str()).collect();
        arguments.define = define.iter().filter(|(name, _)| params.contains(&name.as_str())).cloned().collect();
        used.extend(arguments.define.iter().map(|(name, _)| name.clone()));
        let Checked { problem, diagnostics, .. } = check(&document, &arguments);
        let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
        let problem = problem.filter(|_| errors.is_empty());
        let tests = problem.as_ref().map_or_else(Vec::new, |p| tests(p, &document.text));
        Ok(File { document, arguments, problem, errors, tests })
    }

    /// Runs the tests and tells of each as soon as it is done. `flags` are options of every run.
    pub(crate) fn run(
        &self,
        flags: &[(String, String)],
        seconds: &dyn Fn() -> f64,
        tell: &mut dyn FnMut(usize, Outcome),
    ) {
        let Some(problem) = &self.problem else { return };
        if self.tests.iter().all(|t| t.filtered) {
            return;
        }
        let mut tell = |kind: &[Kind], make: &mut dyn FnMut(Kind) -> Outcome| {
            for (i, test) in self.tests.iter().enumerate().filter(|(_, t)| !t.filtered && kind.contains(&t.kind)) {
                tell(i, make(test.kind));
            }
        };
        let all: Vec<Kind> = self.tests.iter().map(|t| t.kind).collect();
        let source = folders(&self.document, &self.arguments);
        let missing: Vec<Diagnostic> =
            model::headers(problem, &source).into_iter().filter(|d| d.code == model::FILE_NOT_THERE).collect();
        if let Some(first) = missing.first() {
            return tell(&all, &mut |_| Outcome::plain(Verdict::Skipped(first.message.clone())));
        }
        let runs = match planned_runs(problem, flags) {
            Ok(runs) => runs,
            Err(found) => return tell(&all, &mut |_| Outcome::plain(Verdict::Error(found.clone()))),
        };
        let mut bound: Option<(u64, Result<Bindings, Vec<Diagnostic>>)> = None;
        if self.tests.iter().any(|t| !t.filtered && t.kind == Kind::Known) {
            let plain = flags
                .iter()
                .fold(Request::new(&format!("{}:auto", DEFAULT_METHOD)), |r, (name, text)| r.set(name, text));
            let (seed, limit) =
                resolve(problem, &plain).map_or((0, f64::INFINITY), |s| (s.integer("seed"), s.number("max_time")));
            let data = &bound.insert((seed, model::bind(problem, &source, seed))).1;
            tell(&[Kind::Known], &mut |_| match data {
                Ok(data) => known(problem, data, limit),
                Err(found) => Outcome::plain(Verdict::Error(found.clone())),
            });
        }
        for run in runs {
            let kinds: Vec<Kind> = run.expectations.iter().map(|i| Kind::Expect(*i)).collect();
            if !self.tests.iter().any(|t| !t.filtered && kinds.contains(&t.kind)) {
                continue;
            }
            if bound.as_ref().is_none_or(|(seed, _)| *seed != run.seed) {
                // one copy of the data at a time
                drop(bound.take());
                bound = Some((run.seed, model::bind(problem, &source, run.seed)));
            }
            let Some((_, data)) = &bound else { continue };
            let solved = match data {
                Ok(data) => solve(problem, data, &run, seconds).map(|solution| (data, solution)),
                Err(found) => Err(found.clone()),
            };
            tell(&kinds, &mut |kind| match (&solved, kind) {
                (Ok((data, solution)), Kind::Expect(i)) => expectation(problem, data, i, solution),
                (Err(found), _) => Outcome::plain(Verdict::Error(found.clone())),
                (Ok(_), Kind::Known) => unreachable!("a run belongs to `expect` items"),
            });
        }
    }
}

/// The tests of a problem.
fn tests(problem: &Problem, text: &str) -> Vec<Test> {
    let line = |span: Span| text[..span.start as usize].matches('\n').count() + 1;
    let test = |name: String, span: Span, kind| {
        let line = line(span);
        Test { name: format!("{name} (line {line})"), line, kind, filtered: false }
    };
    let mut all = Vec::new();
    if problem.known.span != Span::default() {
        all.push(test("known".into(), problem.known.span, Kind::Known));
    }
    for (i, e) in problem.expectations.iter().enumerate() {
        // as it is written, up to its assertions
        let head = text[e.span.range()].split('{').next().unwrap_or_default();
        let name = head.split_whitespace().collect::<Vec<_>>().join(" ");
        all.push(test(name, e.span, Kind::Expect(i)));
    }
    all.sort_by_key(|t| t.line);
    all
}

fn known(problem: &Problem, data: &Bindings, limit: f64) -> Outcome {
    let watched = clock::watch(clock::elapsed(), limit, false);
    let data = Bindings { stop: watched.token(), ..data.clone() };
    let found = check_known(problem, &data, None, Effort::Solve);
    if data.stop.is_set() {
        return Outcome::plain(Verdict::Skipped("there was no time for it".into()));
    }
    let found = match found {
        Ok(found) => found,
        Err(d) => return Outcome::plain(Verdict::Error(vec![*d])),
    };
    let (notes, wrong): (Vec<_>, Vec<_>) = found.into_iter().partition(|d| d.severity == Severity::Note);
    let verdict = if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) };
    Outcome { notes: notes.into_iter().map(|d| d.message).collect(), ..Outcome::plain(verdict) }
}

/// The clock of a run; it shows nothing.
struct Clock<'a>(&'a dyn Fn() -> f64);

impl blo_solvers::Observer for Clock<'_> {
    fn seconds(&self) -> f64 {
        (self.0)()
    }
}

fn solve(
    problem: &Problem,
    data: &Bindings,
    run: &PlannedRun,
    seconds: &dyn Fn() -> f64,
) -> Result<Solution, Vec<Diagnostic>> {
    let limit = resolve(problem, &run.request).map_or(f64::INFINITY, |s| s.number("max_time"));
    // the interrupt key ends all tests at once
    let watched = clock::watch(clock::elapsed(), limit, false);
    let data = Bindings { stop: watched.token(), ..data.clone() };
    blo_solvers::solve(problem, &data, &run.request, &mut Clock(seconds))
}

fn expectation(problem: &Problem, data: &Bindings, i: usize, solution: &Solution) -> Outcome {
    let judgements = match judge(problem, data, &problem.expectations[i], solution) {
        Ok(judgements) => judgements,
        Err(d) => return Outcome::plain(Verdict::Error(vec![*d])),
    };
    let mut findings: Vec<Diagnostic> = judgements.iter().filter_map(|j| j.finding.clone()).collect();
    let verdict = if findings.is_empty() {
        Verdict::Passed
    } else {
        findings.extend(solution.warnings.iter().cloned());
        Verdict::Failed(findings)
    };
    let preset = solution.preset.as_ref().map_or_else(String::new, |p| format!(":{p}"));
    let run = Summary {
        method: format!("{}{preset}", solution.method),
        status: solution.status.text(),
        iterations: solution.iterations,
        seconds: solution.compile_seconds + solution.solve_seconds,
    };
    Outcome { verdict, notes: Vec::new(), judgements, run: Some(run) }
}
