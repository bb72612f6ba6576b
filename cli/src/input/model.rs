//! A problem on the command line: from the file that is named to what the engine sees. Findings are shown on the way,
//! each once, so a command gets either a problem or the reason to stop.

use blo::input::checked::{self, Checked};
use blo::input::file::{self, Reading};
use blo_engine::model::problem::DataOrigin;
use blo_engine::model::{self, Bindings, Problem, Settings};
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::{Diagnostic, Severity};
use std::path::PathBuf;

use crate::args::ModelArguments;
use crate::exit::Failure;
use crate::output::console::Console;
use blo::document::Document;
use blo::input::source::Folders;

/// A problem with its text.
pub(crate) struct Model {
    /// The text.
    pub(crate) document: Document,
    /// The syntax tree.
    pub(crate) ast: Ast,
    /// The problem.
    pub(crate) problem: Problem,
    /// Warnings that have been shown.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Parses and checks a text; no data is looked at.
pub(crate) fn check(document: &Document, arguments: &ModelArguments) -> Checked {
    checked::check(document, &settings(arguments))
}

/// Params and limits of the command line.
pub(crate) fn settings(arguments: &ModelArguments) -> Settings {
    Settings { params: arguments.define.clone(), limits: arguments.limits(), ..Settings::default() }
}

/// Reads and checks a problem and shows what is found.
///
/// # Errors
/// When the text holds no sound problem; the reasons have been shown or are in the failure.
pub(crate) fn load(arguments: &ModelArguments, console: &mut Console) -> Result<Model, Failure> {
    match file::read(&arguments.file)? {
        Reading::Text(document) => judge(document, arguments, console),
        Reading::Refused(document, diagnostic) => {
            console.diagnostics(&document, &[diagnostic]);
            Err(Failure::Reported)
        }
    }
}

/// Checks a text and shows what is found.
///
/// # Errors
/// As [`load`].
pub(crate) fn judge(document: Document, arguments: &ModelArguments, console: &mut Console) -> Result<Model, Failure> {
    let Checked { ast, problem, mut diagnostics, .. } = check(&document, arguments);
    // notes are for `check`: they concern presets that this run may not use
    diagnostics.retain(|d| d.severity != Severity::Note);
    console.diagnostics(&document, &diagnostics);
    look_for_folders(&document, arguments, console);
    match problem {
        Some(problem) => Ok(Model { document, ast, problem, warnings: diagnostics }),
        None => Err(Failure::Reported),
    }
}

/// Says which folders of the command line are not there.
pub(crate) fn look_for_folders(document: &Document, arguments: &ModelArguments, console: &mut Console) {
    if let Some(remark) = folders(document, arguments).absent() {
        console.say(&format!("warning: {remark}"));
    }
}

/// Where the data of a problem is looked for.
pub(crate) fn folders(document: &Document, arguments: &ModelArguments) -> Folders {
    Folders::new(document.folder(), &arguments.data_dir)
        .within(arguments.limits())
        .described_by(&document.text)
        .confined_to(arguments.within.clone())
}

impl Model {
    /// The problem with one more assertion, its last expectation; `flag` gives its text.
    ///
    /// # Errors
    /// When something is wrong with it, which has been shown in the flag's text.
    pub(crate) fn asserting(
        &self,
        arguments: &ModelArguments,
        (flag, text): (&str, &str),
        console: &mut Console,
    ) -> Result<Problem, Failure> {
        let (stem, settings) = (self.document.stem(), settings(arguments));
        let found = model::assert(&self.ast, &self.document.text, &stem, &settings, text);
        if let Some(problem) = found.problem {
            return Ok(problem);
        }
        if !found.in_text.is_empty() {
            let document = Document { name: flag.to_owned(), path: None, text: text.to_owned() };
            console.diagnostics(&document, &found.in_text);
        }
        if !found.in_file.is_empty() {
            console.diagnostics(&self.document, &found.in_file);
        }
        Err(if found.is_syntax { Failure::Misread } else { Failure::Reported })
    }

    /// The data files that the problem names, where they are found.
    pub(crate) fn data_files(&self, arguments: &ModelArguments) -> Vec<PathBuf> {
        let folders = folders(&self.document, arguments);
        let items = self.problem.data.iter().map(|item| &item.origin);
        let columns = self.problem.tables.datasets.iter().flat_map(|d| &d.columns).map(|column| &column.origin);
        let path = |origin: &DataOrigin| match origin {
            DataOrigin::File { path, .. } => folders.find(path),
            _ => None,
        };
        items.chain(columns).filter_map(path).collect()
    }

    /// Reads and generates the data, and says what label noise did.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub(crate) fn bind(
        &self,
        arguments: &ModelArguments,
        seed: u64,
        console: &mut Console,
    ) -> Result<Bindings, Failure> {
        self.bind_as(&self.problem, arguments, seed, console)
    }

    /// The same for a problem that asks for more of its data than the file does.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub(crate) fn bind_as(
        &self,
        problem: &Problem,
        arguments: &ModelArguments,
        seed: u64,
        console: &mut Console,
    ) -> Result<Bindings, Failure> {
        let data = self.read_as(problem, arguments, seed, console)?;
        for gap in &data.gaps {
            console.say(&checked::gap(gap));
        }
        for c in &data.corrupted {
            console.say(&format!("{}: {}", c.name, checked::noise(c)));
        }
        Ok(data)
    }

    /// Reads and generates the data.
    ///
    /// # Errors
    /// When data are missing or do not fit; the reasons have been shown.
    pub(crate) fn read(
        &self,
        arguments: &ModelArguments,
        seed: u64,
        console: &mut Console,
    ) -> Result<Bindings, Failure> {
        self.read_as(&self.problem, arguments, seed, console)
    }

    fn read_as(
        &self,
        problem: &Problem,
        arguments: &ModelArguments,
        seed: u64,
        console: &mut Console,
    ) -> Result<Bindings, Failure> {
        let data = model::bind(problem, &folders(&self.document, arguments), seed)
            .map_err(|diagnostics| console.reject(&self.document, &diagnostics))?;
        console.diagnostics(&self.document, &data.warnings);
        Ok(data)
    }
}
