//! `blo functions`: everything that a program may call.

use blo_engine::elementwise::{self, Smoothness, Visibility};
use blo_engine::function;
use clap::Args;
use serde_json::json;

use super::help::Help;
use super::registry::{Entry, Listing, ListingArguments, write};
use crate::exit::{Exit, Failure};
use crate::output::console::Console;

const HELP: Help =
    Help { examples: &[("blo functions", "all functions"), ("blo functions softmax", "one of them")], exits: &[] };

/// Lists the functions of the language
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    listing: ListingArguments,
}

struct Line {
    name: &'static str,
    signature: &'static str,
    kind: &'static str,
    doc: &'static str,
    note: Option<&'static str>,
}

/// Lists both tables, by name.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut found: Vec<Line> = elementwise::TABLE
        .iter()
        .filter(|e| matches!(e.visibility, Visibility::Function | Visibility::ConstantOnly))
        // `max` and `min` are in both tables; the other one says both uses
        .filter(|e| function::by_name(e.name).is_none())
        .map(|e| {
            let note = match e.smoothness {
                _ if e.visibility == Visibility::ConstantOnly => Some("of constants only"),
                Smoothness::Kinked(convention, _) => Some(convention).filter(|c| !e.doc.contains(c)),
                Smoothness::Smooth | Smoothness::Step | Smoothness::Stopped => None,
            };
            // the doc line starts with the call: `huber(x, d) = ...`
            let (signature, doc) = e.doc.split_once(" = ").unwrap_or((e.name, e.doc));
            Line { name: e.name, signature, kind: "elementwise", doc, note }
        })
        .collect();
    found.extend(function::TABLE.iter().map(|e| Line {
        name: e.name,
        signature: e.signature,
        kind: "array",
        doc: e.doc,
        note: None,
    }));
    found.sort_by(|a, b| a.name.cmp(b.name));
    let entry = |l: &Line| {
        let doc = l.note.map_or_else(|| l.doc.to_owned(), |n| format!("{} ({n})", l.doc));
        Entry {
            name: l.name,
            cells: vec![l.signature.to_owned(), l.kind.to_owned(), doc],
            object: json!({
                "name": l.name, "signature": l.signature, "kind": l.kind, "doc": l.doc, "note": l.note,
            }),
        }
    };
    let listing = Listing {
        entry: "function",
        list: "functions",
        titles: &["function", "kind", "meaning"],
        rows: found.iter().map(entry).collect(),
    };
    write(&listing, &arguments.listing, console)
}
