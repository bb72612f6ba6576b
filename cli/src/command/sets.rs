//! `blo sets`: what may stand after `in`.

use blo_engine::set::TABLE;
use clap::Args;
use serde_json::{Value, json};

use super::registry::{Listing, write};
use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

/// Lists the constraint sets
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Lists the table.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let parameters = |e: &blo_engine::set::Entry| -> Vec<Value> {
        e.parameters.iter().map(|p| json!({"name": p.name, "doc": p.doc})).collect()
    };
    let listing = Listing {
        titles: &["set", "members", "projection of v"],
        rows: TABLE.iter().map(|e| vec![e.name.into(), e.doc.into(), e.formula.into()]).collect(),
        objects: TABLE
            .iter()
            .map(|e| {
                json!({
                    "name": e.name, "members": e.doc, "projection": e.formula, "source": e.source,
                    "parameters": parameters(e), "box": e.is_box,
                })
            })
            .collect(),
    };
    write(&listing, arguments.format, console)
}
