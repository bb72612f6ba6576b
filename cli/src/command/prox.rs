//! `blo prox`: what `regularize` may be made of.

use blo_engine::prox::TABLE;
use clap::Args;
use serde_json::json;

use super::help::Help;
use super::registry::{Entry, Listing, ListingArguments, write};
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

const HELP: Help = Help { examples: &[("blo prox", "all terms"), ("blo prox l1", "one of them")], exits: &[] };

/// Lists the proximal terms that `regularize` knows
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    listing: ListingArguments,
}

/// Lists the table.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let entry = |e: &&'static blo_engine::prox::Entry| Entry {
        name: e.name,
        cells: vec![e.name.into(), e.boxes.doc().into(), e.modulus.doc().into(), e.doc.into(), e.formula.into()],
        object: json!({
            "name": e.name, "value": e.doc, "prox": e.formula, "source": e.source,
            "parts": e.parts, "box": e.boxes.doc(), "weak_convexity": e.modulus.doc(),
        }),
    };
    let listing = Listing {
        entry: "term",
        list: "prox",
        titles: &["term", "boxes", "rho", "g(y)", "prox(v), t = step*weight"],
        rows: TABLE.iter().map(entry).collect(),
    };
    write(&listing, &arguments.listing, console)
}
