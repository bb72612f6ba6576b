//! `blo lsp`: the language server, which an editor starts.

use std::path::PathBuf;

use clap::Args;

use super::help::Help;
use crate::exit::{Exit, Failure};
use crate::server;

const HELP: Help = Help {
    examples: &[
        ("blo lsp", "what an editor runs; `docs/book/src/editors.md` says how to set it up"),
        ("blo lsp --data-dir data", "looks for data files in `data` too"),
    ],
    exits: &[],
};

/// Serves editors: mistakes, completion, hover, rename, layout while a problem is written
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// A folder to search for data after the problem's own; may be repeated
    #[arg(long, value_name = "DIR")]
    data_dir: Vec<PathBuf>,
    /// Speak over standard input and output; there is no other way, and editors say it
    #[arg(long)]
    stdio: bool,
}

/// Speaks the protocol until the editor ends it.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let _ = arguments.stdio;
    server::serve(arguments.data_dir.clone()).map_err(|why| Failure::File {
        message: format!("the language server ends: {why}"),
        help: Some("an editor starts `blo lsp` and speaks the language server protocol with it".into()),
    })
}
