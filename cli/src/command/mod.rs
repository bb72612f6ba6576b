//! The subcommands, one file each: its arguments and `run`.

pub(crate) mod check;
pub(crate) mod fmt;

use crate::args::Command;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Runs a command.
///
/// # Errors
/// Whatever stops it; the caller shows it.
pub(crate) fn run(command: Command, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        Command::Check(arguments) => check::run(&arguments, console),
        Command::Fmt(arguments) => fmt::run(&arguments, console),
    }
}
