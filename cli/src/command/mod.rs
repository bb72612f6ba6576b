//! The command line: one variant per subcommand. A subcommand is one file with its arguments and `run`, and its lines
//! in the enum and the match below.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod data;
mod derivative;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fmt;
pub(crate) mod functions;
pub(crate) mod grad;
pub(crate) mod graph;
mod help;
pub(crate) mod latex;
pub(crate) mod lsp;
pub(crate) mod man;
pub(crate) mod methods;
mod pictures;
pub(crate) mod plan;
pub(crate) mod play;
pub(crate) mod plot;
pub(crate) mod prox;
mod registry;
pub(crate) mod reproduce;
pub(crate) mod sets;
mod several;
pub(crate) mod solve;
pub(crate) mod sweep;
pub(crate) mod test;

use clap::{CommandFactory, Error, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::sync::LazyLock;

use crate::args::twice;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::console::MessageFormat;

/// What `blo --version` prints behind the name. `blo -V` prints the first line alone.
static VERSIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\nlanguage edition {}\nJSON schema {}\ncheckpoint format {}",
        env!("CARGO_PKG_VERSION"),
        blo_grammar::EDITION,
        blo::output::SCHEMA,
        blo_solvers::Checkpoint::FORMAT
    )
});

/// A language and engine for bilevel optimization
#[derive(Debug, Parser)]
#[command(name = "blo", version, long_version = VERSIONS.as_str(), max_term_width = 80)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How errors and warnings are shown
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Solve(Box<solve::Arguments>),
    Compare(Box<compare::Arguments>),
    Sweep(Box<sweep::Arguments>),
    Plot(plot::Arguments),
    Bench(Box<bench::Arguments>),
    Test(test::Arguments),
    Reproduce(reproduce::Arguments),
    Check(check::Arguments),
    Fmt(fmt::Arguments),
    Explain(explain::Arguments),
    Graph(graph::Arguments),
    Plan(plan::Arguments),
    Export(Box<export::Arguments>),
    Latex(latex::Arguments),
    Grad(grad::Arguments),
    Data(data::Arguments),
    Functions(functions::Arguments),
    Prox(prox::Arguments),
    Sets(sets::Arguments),
    Methods(methods::Arguments),
    Lsp(lsp::Arguments),
    Play(play::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Reads a command line.
///
/// # Errors
/// What is wrong with it, or the help that it asks for.
pub(crate) fn parse<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Arguments, Error> {
    let mut command = Arguments::command();
    let matches = command.try_get_matches_from_mut(line)?;
    match twice(&mut command, &matches) {
        Some(error) => Err(error),
        None => Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command)),
    }
}

/// Runs a command.
///
/// # Errors
/// Any failure of the command; the caller shows it.
pub(crate) fn run(command: Command, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        Command::Solve(arguments) => solve::run(&arguments, console),
        Command::Compare(arguments) => compare::run(&arguments, console),
        Command::Sweep(arguments) => sweep::run(&arguments, console),
        Command::Plot(arguments) => plot::run(&arguments, console),
        Command::Bench(arguments) => bench::run(&arguments, console),
        Command::Test(arguments) => test::run(&arguments, console),
        Command::Reproduce(arguments) => reproduce::run(&arguments, console),
        Command::Check(arguments) => check::run(&arguments, console),
        Command::Fmt(arguments) => fmt::run(&arguments, console),
        Command::Explain(arguments) => explain::run(&arguments, console),
        Command::Graph(arguments) => graph::run(&arguments, console),
        Command::Plan(arguments) => plan::run(&arguments, console),
        Command::Export(arguments) => export::run(&arguments, console),
        Command::Latex(arguments) => latex::run(&arguments, console),
        Command::Grad(arguments) => grad::run(&arguments, console),
        Command::Data(arguments) => data::run(&arguments, console),
        Command::Functions(arguments) => functions::run(&arguments, console),
        Command::Prox(arguments) => prox::run(&arguments, console),
        Command::Sets(arguments) => sets::run(&arguments, console),
        Command::Methods(arguments) => methods::run(&arguments, console),
        Command::Lsp(arguments) => lsp::run(&arguments),
        Command::Play(arguments) => play::run(&arguments, console),
        Command::Completions(arguments) => completions::run(&arguments, console),
        Command::Man(arguments) => man::run(&arguments, console),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
