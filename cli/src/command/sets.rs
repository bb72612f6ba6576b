//! `blo sets`: what may stand after `in`.

use blo_engine::set::TABLE;
use clap::Args;
use serde_json::{Value, json};

use super::help::Help;
use super::registry::{Entry, Listing, ListingArguments, write};
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

const HELP: Help = Help { examples: &[("blo sets", "all sets"), ("blo sets simplex", "one of them")], exits: &[] };

/// Lists the constraint sets
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    listing: ListingArguments,
}

/// Lists the table.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let parameters = |e: &blo_engine::set::Entry| -> Vec<Value> {
        e.parameters.iter().map(|p| json!({"name": p.name, "doc": p.doc})).collect()
    };
    let entry = |e: &&'static blo_engine::set::Entry| Entry {
        name: e.name,
        cells: vec![e.name.into(), e.doc.into(), e.formula.into()],
        object: json!({
            "name": e.name, "members": e.doc, "projection": e.formula, "source": e.source,
            "parameters": parameters(e), "box": e.is_box || e.as_box.is_some(),
        }),
    };
    let listing = Listing {
        entry: "set",
        list: "sets",
        titles: &["set", "members", "projection of v"],
        rows: TABLE.iter().map(entry).collect(),
    };
    write(&listing, &arguments.listing, console)
}
