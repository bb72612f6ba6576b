//! The command line: one variant per subcommand, and the groups of arguments that several share. A subcommand's own
//! arguments stand in its file.

use blo_solvers::Request;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

use crate::command;
use crate::render::MessageFormat;

/// A language and engine for bilevel optimization
#[derive(Debug, Parser)]
#[command(name = "blo", version, max_term_width = 100, disable_help_subcommand = true)]
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
    Solve(Box<command::solve::Arguments>),
    Compare(Box<command::compare::Arguments>),
    Test(command::test::Arguments),
    Check(command::check::Arguments),
    Fmt(command::fmt::Arguments),
    Explain(command::explain::Arguments),
    Graph(command::graph::Arguments),
    Plan(command::plan::Arguments),
    Grad(command::grad::Arguments),
    Data(command::data::Arguments),
    Functions(command::functions::Arguments),
    Prox(command::prox::Arguments),
    Sets(command::sets::Arguments),
    Methods(command::methods::Arguments),
    Completions(command::completions::Arguments),
}

/// A problem with its params and data.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// The problem file; `-` reads standard input
    #[arg(value_name = "P.blo")]
    pub(crate) file: PathBuf,
    /// Sets a scalar param: `-D n=1000`, `-D delta=1e-3`
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE", value_parser = definition)]
    pub(crate) define: Vec<(String, f64)>,
    /// A folder to search for data after the problem's own; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Vec<PathBuf>,
}

/// A method with its options.
#[derive(Debug, Args)]
pub(crate) struct MethodArguments {
    /// The method; `meha:paper` is a preset of the file, `meha:auto` uses none
    #[arg(long, value_name = "NAME[:PRESET]", default_value = "meha")]
    method: String,
    /// Sets an option of the method: `--set alpha=0.1`, `--set alpha=1/k`
    #[arg(long, value_name = "OPTION=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

impl MethodArguments {
    /// What the solvers are asked for.
    pub(crate) fn request(&self) -> Request {
        let start = Request::new(&self.method);
        self.set.iter().fold(start, |request, (name, value)| request.set(name, value))
    }
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object
    Json,
}

/// `alpha=1/k`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    match (name.trim(), value.trim()) {
        ("", _) => Err("the name before `=` is missing".into()),
        (_, "") => Err("the value after `=` is missing".into()),
        (name, value) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// `n=1000`.
pub(crate) fn definition(text: &str) -> Result<(String, f64), String> {
    let (name, value) = assignment(text)?;
    match value.parse::<f64>() {
        Ok(number) if number.is_nan() => Err(format!("`{name}` cannot be NaN")),
        Ok(number) => Ok((name, number)),
        Err(_) => Err(format!("`{value}` is not a number; write it like 1000, 0.5 or 1e-3")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn definitions_take_scientific_numbers() {
        assert_eq!(definition("n=1e3"), Ok(("n".into(), 1000.0)));
        assert_eq!(definition(" delta = -2.5E-1 "), Ok(("delta".into(), -0.25)));
        assert!(definition("n").is_err() && definition("=1").is_err());
        assert!(definition("n=many").is_err() && definition("n=nan").is_err());
    }
}
