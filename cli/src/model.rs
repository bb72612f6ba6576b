//! A problem on the command line: from the file that is named to what the engine sees. Findings are shown on the way,
//! each once, so a command gets either a problem or the reason to stop.

use blo_engine::model::{self, Bindings, Problem, Settings};
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse;

use crate::args::ModelArguments;
use crate::console::Console;
use crate::exit::Failure;
use crate::file::{Document, Reading};
use crate::source::Folders;

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

/// What a check without data finds.
pub(crate) struct Checked {
    /// The syntax tree.
    pub(crate) ast: Ast,
    /// The problem, when nothing is wrong with it.
    pub(crate) problem: Option<Problem>,
    /// Everything found, in source order.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Parses and checks a text; no data is looked at. A text with syntax errors is not checked further: what is missing
/// from its tree would be complained about once more.
pub(crate) fn check(document: &Document, arguments: &ModelArguments) -> Checked {
    let parsed = parse(&document.text);
    if !parsed.is_sound() {
        return Checked { ast: parsed.ast, problem: None, diagnostics: parsed.diagnostics };
    }
    let settings = Settings { params: arguments.define.clone() };
    let outcome = model::check(&parsed.ast, &document.text, &document.stem(), &settings);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(outcome.diagnostics);
    diagnostics.sort_by_key(|d| d.primary.span);
    Checked { ast: parsed.ast, problem: outcome.problem, diagnostics }
}

/// Reads and checks a problem and shows what is found.
///
/// # Errors
/// When there is no problem to go on with; the reasons have been shown or are in the failure.
pub(crate) fn load(arguments: &ModelArguments, console: &mut Console) -> Result<Model, Failure> {
    let document = match Document::read(&arguments.file)? {
        Reading::Text(document) => document,
        Reading::Refused(document, diagnostic) => {
            console.diagnostics(&document, &[diagnostic]);
            return Err(Failure::Reported);
        }
    };
    let Checked { ast, problem, diagnostics } = check(&document, arguments);
    console.diagnostics(&document, &diagnostics);
    match problem {
        Some(problem) => Ok(Model { document, ast, problem, warnings: diagnostics }),
        None => Err(Failure::Reported),
    }
}

/// Where the data of a problem is looked for.
pub(crate) fn folders(document: &Document, arguments: &ModelArguments) -> Folders {
    Folders::new(document.folder(), &arguments.data_dir)
}

impl Model {
    /// Reads and generates the data.
    ///
    /// # Errors
    /// When data are missing or do not fit; the reasons have been shown.
    pub(crate) fn bind(
        &self,
        arguments: &ModelArguments,
        seed: u64,
        console: &mut Console,
    ) -> Result<Bindings, Failure> {
        model::bind(&self.problem, &folders(&self.document, arguments), seed)
            .map_err(|diagnostics| console.reject(&self.document, &diagnostics))
    }
}
