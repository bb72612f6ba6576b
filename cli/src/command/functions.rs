//! `blo functions`: everything that a program may call.

use blo_engine::elementwise::{self, Smoothness, Visibility};
use blo_engine::function;
use clap::Args;
use serde_json::json;

use super::registry::{Listing, write};
use crate::args::Format;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Lists the functions of the language
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

struct Line {
    name: String,
    signature: String,
    kind: &'static str,
    doc: &'static str,
    note: Option<String>,
}

/// Lists both tables, by name.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut found: Vec<Line> = elementwise::TABLE
        .iter()
        .filter(|e| matches!(e.visibility, Visibility::Function | Visibility::ConstantOnly))
        .map(|e| {
            let operands: Vec<&str> = ["x", "y", "z", "w"].into_iter().take(e.arity).collect();
            let note = match e.smoothness {
                _ if e.visibility == Visibility::ConstantOnly => Some("of constants only".to_owned()),
                Smoothness::Kinked(convention) => Some(convention.to_owned()),
                Smoothness::Smooth | Smoothness::Step => None,
            };
            let signature = format!("{}({})", e.name, operands.join(", "));
            Line { name: e.name.into(), signature, kind: "elementwise", doc: e.doc, note }
        })
        .collect();
    found.extend(function::TABLE.iter().map(|e| {
        Line { name: e.name.into(), signature: e.signature.into(), kind: "array", doc: e.doc, note: None }
    }));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let listing = Listing {
        titles: &["function", "kind", "meaning"],
        rows: found
            .iter()
            .map(|l| {
                let doc = l.note.as_ref().map_or_else(|| l.doc.to_owned(), |n| format!("{} ({n})", l.doc));
                vec![l.signature.clone(), l.kind.to_owned(), doc]
            })
            .collect(),
        objects: found
            .iter()
            .map(|l| json!({"name": l.name, "signature": l.signature, "kind": l.kind, "doc": l.doc, "note": l.note}))
            .collect(),
    };
    write(&listing, arguments.format, console)
}
