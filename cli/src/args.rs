//! The command line: one variant per subcommand, and the groups of arguments that several share. A subcommand's own
//! arguments stand in its file.

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
    Check(command::check::Arguments),
    Fmt(command::fmt::Arguments),
    Explain(command::explain::Arguments),
    Graph(command::graph::Arguments),
    Functions(command::functions::Arguments),
    Prox(command::prox::Arguments),
    Sets(command::sets::Arguments),
    Methods(command::methods::Arguments),
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

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object
    Json,
}

/// `n=1000`.
fn definition(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("a definition has the form NAME=VALUE, as in `-D n=1000`")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("the name before `=` is missing".into());
    }
    match value.trim().parse::<f64>() {
        Ok(number) if number.is_nan() => Err(format!("`{name}` cannot be NaN")),
        Ok(number) => Ok((name.to_owned(), number)),
        Err(_) => Err(format!("`{}` is not a number; write it like 1000, 0.5 or 1e-3", value.trim())),
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
