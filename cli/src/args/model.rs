//! The problem on a command line: its file, its params, and the folders of its data.

use blo::input::checked::limits_of_machine;
use blo_engine::limits::Limits;
use clap::Args;
use std::path::PathBuf;

use super::value::{definition, limit};

/// A problem with its params and data.
#[derive(Clone, Debug, Args)]
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
    /// Read no data outside of this folder, also not through `..`, links and absolute paths: for programs of others
    #[arg(long, value_name = "DIR")]
    pub(crate) within: Option<PathBuf>,
    /// Raises a limit on what a file may ask for: `--limit entries=1e10`; `docs/book/src/language.md` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit)]
    pub(crate) limit: Vec<(String, u64)>,
}

impl ModelArguments {
    /// The limits as given; memory is what the machine has unless it is given.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = limits_of_machine();
        for (name, value) in &self.limit {
            limits.set(name, *value).unwrap_or_else(|why| unreachable!("the parser of the flag has asked: {why}"));
        }
        limits
    }
}
