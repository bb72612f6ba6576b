//! `blo completions`: a script that completes commands, options and file names in a shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::help::Help;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

const HELP: Help = Help {
    examples: &[("blo completions bash > ~/.local/share/bash-completion/completions/blo", "installs them for bash")],
    exits: &[],
};

/// Prints a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
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
