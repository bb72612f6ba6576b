//! The problem on a command line: its file, its params, and the folders of its data.

use clap::Args;
use std::path::PathBuf;

use super::value::definition;

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
