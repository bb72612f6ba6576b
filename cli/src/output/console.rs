//! Standard output and standard error: results go to the first, everything said about them to the second. Colors are
//! dropped where the stream is not a terminal or `NO_COLOR` is set.

use anstream::AutoStream;
use blo_grammar::diagnostic::Diagnostic;
use clap::ValueEnum;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};

use crate::exit::{Exit, Failure};
use crate::output::terminal;
use blo::document::Document;
use blo::output::render;
use blo::output::text::page;
use blo::output::text::visible::visible;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// With the source text
    #[default]
    Human,
    /// One line each: `file:line:column: error[code]: message`
    Short,
    /// One JSON object per line
    Json,
}

impl From<MessageFormat> for render::MessageFormat {
    fn from(format: MessageFormat) -> render::MessageFormat {
        match format {
            MessageFormat::Human => render::MessageFormat::Human,
            MessageFormat::Short => render::MessageFormat::Short,
            MessageFormat::Json => render::MessageFormat::Json,
        }
    }
}

/// Shows what is wrong with a command line, in lines that fit the page.
pub(crate) fn usage(text: &str) {
    let lines = text.lines().map(|line| {
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        page::paragraph(line.trim_start_matches(' '), indent, terminal::of_messages())
    });
    let _ = anstream::stderr().write_all(lines.collect::<String>().as_bytes());
}

/// The two streams.
pub(crate) struct Console {
    out: AutoStream<Stdout>,
    err: AutoStream<Stderr>,
    format: MessageFormat,
    only_errors: bool,
}

impl Console {
    /// The streams of this process.
    pub(crate) fn new(format: MessageFormat) -> Console {
        Console { out: anstream::stdout(), err: anstream::stderr(), format, only_errors: false }
    }

    /// Writes a result.
    ///
    /// # Errors
    /// When the stream cannot take it, for instance because its reader has gone.
    pub(crate) fn result(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Writes a text as it is, control characters too, unless people look at it: a terminal would obey them.
    ///
    /// # Errors
    /// As [`Console::result`].
    pub(crate) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return self.result(&visible(text));
        }
        let mut stdout = stdout.lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Columns of the page that results are written on: those of the terminal, or 80.
    pub(crate) fn page(&self) -> usize {
        terminal::of_results()
    }

    /// Says a line on standard error; there is nothing to do when nobody listens.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.only_errors {
            self.warn(text);
        }
    }

    /// Says a line that people must see although the command continues.
    pub(crate) fn warn(&mut self, text: &str) {
        let text = page::paragraph(&visible(text), "", terminal::of_messages());
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Passes on what another process has said, as it stands.
    pub(crate) fn pass_on(&mut self, text: &str) {
        let _ = self.err.write_all(visible(text).as_bytes());
    }

    /// From now on warnings and remarks are left out.
    pub(crate) fn only_errors(&mut self) {
        self.only_errors = true;
    }

    /// True when warnings and remarks are left out.
    pub(crate) fn is_quiet(&self) -> bool {
        self.only_errors
    }

    /// Shows diagnostics beside a result.
    pub(crate) fn diagnostics(&mut self, document: &Document, diagnostics: &[Diagnostic]) {
        if self.only_errors && !diagnostics.iter().any(Diagnostic::is_error) {
            return;
        }
        let _ = self
            .err
            .write_all(render::all(diagnostics, document, self.format.into(), terminal::of_messages()).as_bytes());
    }

    /// Shows the diagnostics that stop a command.
    pub(crate) fn reject(&mut self, document: &Document, diagnostics: &[Diagnostic]) -> Failure {
        self.diagnostics(document, diagnostics);
        Failure::Reported
    }

    /// Shows diagnostics that are the result themselves.
    ///
    /// # Errors
    /// As [`Console::result`].
    pub(crate) fn findings(&mut self, document: &Document, diagnostics: &[Diagnostic]) -> io::Result<()> {
        let text = render::all(diagnostics, document, self.format.into(), terminal::of_results());
        self.result(&text)
    }

    /// True where people read the messages.
    pub(crate) fn is_human(&self) -> bool {
        self.format == MessageFormat::Human
    }

    /// Shows why a command has stopped, and gives its exit code.
    pub(crate) fn fail(&mut self, failure: &Failure) -> Exit {
        match failure {
            Failure::Usage { help, .. } | Failure::File { help, .. } => {
                let text =
                    render::failure(&failure.to_string(), help.as_deref(), self.format.into(), terminal::of_messages());
                let _ = self.err.write_all(text.as_bytes());
            }
            Failure::Reported | Failure::Misread => {}
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Failure::Output(_) => {
                let text = render::failure(&failure.to_string(), None, self.format.into(), terminal::of_messages());
                let _ = self.err.write_all(text.as_bytes());
            }
        }
        failure.exit()
    }
}
