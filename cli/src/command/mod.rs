//! The subcommands, one file each: its arguments and `run`.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod data;
mod derivative;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod functions;
pub(crate) mod grad;
pub(crate) mod graph;
pub(crate) mod methods;
pub(crate) mod plan;
pub(crate) mod prox;
mod registry;
pub(crate) mod sets;
pub(crate) mod solve;
pub(crate) mod test;

use crate::args::Command;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Runs a command.
///
/// # Errors
/// Whatever stops it; the caller shows it.
pub(crate) fn run(command: Command, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        Command::Solve(arguments) => solve::run(&arguments, console),
        Command::Compare(arguments) => compare::run(&arguments, console),
        Command::Test(arguments) => test::run(&arguments, console),
        Command::Check(arguments) => check::run(&arguments, console),
        Command::Fmt(arguments) => fmt::run(&arguments, console),
        Command::Explain(arguments) => explain::run(&arguments, console),
        Command::Graph(arguments) => graph::run(&arguments, console),
        Command::Plan(arguments) => plan::run(&arguments, console),
        Command::Grad(arguments) => grad::run(&arguments, console),
        Command::Data(arguments) => data::run(&arguments, console),
        Command::Functions(arguments) => functions::run(&arguments, console),
        Command::Prox(arguments) => prox::run(&arguments, console),
        Command::Sets(arguments) => sets::run(&arguments, console),
        Command::Methods(arguments) => methods::run(&arguments, console),
        Command::Completions(arguments) => completions::run(&arguments, console),
    }
}
