//! Why a call has no result.

use blo_grammar::diagnostic::Diagnostic;

use crate::document::Document;
use crate::input::file::Unreadable;
use crate::output::render::{self, MessageFormat};
use crate::output::text::page::PAGE;
use crate::report::{Finding, Report, finding, plain};

/// Why a call has no result. Shown with `{}`, it is the text that the command prints, without colors.
///
/// ```
/// use blo::{Error, Problem};
///
/// let error = Problem::from_str("upper { var x  minimise x^2 }").unwrap_err();
/// let Error::Program(report) = &error else { unreachable!("it is a mistake in the text") };
/// assert_eq!((report.findings()[0].line, report.findings()[0].column), (1, 16));
/// assert!(error.to_string().contains("did you mean `minimize`?"));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program, its data or the options of a run are wrong. The report says where.
    #[error("{0}")]
    Program(Box<Report>),
    /// A file cannot be read.
    #[error("{}", failure(message, help.as_deref()))]
    File {
        /// What is wrong, with the path.
        message: String,
        /// The next step.
        help: Option<String>,
    },
    /// The caller has given what no program could take: an array whose shape does not fit its numbers, a data item that the
    /// problem does not have.
    #[error("{}", failure(message, help.as_deref()))]
    Call {
        /// What is wrong.
        message: String,
        /// The next step.
        help: Option<String>,
    },
    /// The run was stopped before it had an iterate.
    #[error("the run was stopped before its first iterate")]
    Stopped,
}

impl Error {
    /// The findings about the program, where it is the reason.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Error::Program(report) => Some(report),
            _ => None,
        }
    }

    /// What is wrong as findings, whatever the reason: those of the report, else one that has no place in the text.
    ///
    /// ```
    /// let error = blo::Problem::from_path("nowhere.blo").unwrap_err();
    /// assert_eq!(error.findings()[0].line, 0);
    /// assert!(error.findings()[0].message.contains("nowhere.blo"));
    /// ```
    pub fn findings(&self) -> Vec<Finding> {
        if let Error::Program(report) = self {
            return report.findings().to_vec();
        }
        let nowhere = Document { name: String::new(), path: None, text: String::new() };
        self.without_a_place().iter().map(|d| finding(d, &nowhere)).collect()
    }

    /// What a caller has given has no place in the text.
    pub(crate) fn without_a_place(&self) -> Option<Diagnostic> {
        let (message, help) = match self {
            Error::Program(_) => return None,
            Error::File { message, help } | Error::Call { message, help } => (message.clone(), help.clone()),
            Error::Stopped => (self.to_string(), None),
        };
        let found = Diagnostic::error("B0508", message, Default::default(), "");
        Some(help.into_iter().fold(found, Diagnostic::help))
    }

    pub(crate) fn call(message: impl Into<String>, help: Option<String>) -> Error {
        Error::Call { message: message.into(), help }
    }

    pub(crate) fn program(document: &Document, found: Vec<Diagnostic>) -> Error {
        Error::Program(Box::new(Report::new(document, found)))
    }
}

impl From<Unreadable> for Error {
    fn from(why: Unreadable) -> Error {
        Error::File { message: why.message, help: why.help }
    }
}

fn failure(message: &str, help: Option<&str>) -> String {
    plain(&render::failure(message, help, MessageFormat::Human, PAGE)).trim_end().to_owned()
}
