//! Arguments that several subcommands share. A subcommand's own arguments stand in its file.

mod axis;
mod model;
mod run;
mod twice;
mod value;

use clap::ValueEnum;

pub(crate) use axis::{Axis, axis, defined_axis};
pub(crate) use model::ModelArguments;
pub(crate) use run::{OptionArguments, RunArguments};
pub(crate) use twice::twice;
pub(crate) use value::{Plot, bytes, count, curves, definition, limit, plot, seconds, svg, whole};

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// One JSON object
    Json,
}
