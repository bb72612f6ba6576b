//! `blo prox`: what `regularize` may be made of.

use blo_engine::prox::TABLE;
use clap::Args;
use serde_json::json;

use super::registry::{Listing, write};
use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

/// Lists the proximal terms that `regularize` knows
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Lists the table.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let listing = Listing {
        titles: &["term", "with a box", "g(y)", "prox(v), t = step*weight"],
        rows: TABLE
            .iter()
            .map(|e| {
                let merges = if e.merges_box { "yes" } else { "no" };
                vec![e.name.into(), merges.into(), e.doc.into(), e.formula.into()]
            })
            .collect(),
        objects: TABLE
            .iter()
            .map(|e| {
                json!({
                    "name": e.name, "value": e.doc, "prox": e.formula, "source": e.source,
                    "parts": e.parts, "merges_box": e.merges_box,
                })
            })
            .collect(),
    };
    write(&listing, arguments.format, console)
}
