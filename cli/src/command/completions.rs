//! `blo completions`: a script that completes commands, options and file names in a shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::exit::{Exit, Failure};
use crate::output::console::Console;

/// Prints a completion script: `blo completions bash > ~/.local/share/bash-completion/completions/blo`
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut super::Arguments::command(), "blo", &mut script);
    console.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
