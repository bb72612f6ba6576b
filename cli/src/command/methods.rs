//! `blo methods`: the methods with what they do; with a name, one method's options.

use blo_solvers::method::Listed;
use blo_solvers::{Derivatives, Features, METHODS, OptionEntry};
use clap::Args;
use serde_json::{Value, json};

use super::help::Help;
use super::registry::{Entry, Listing, ListingArguments, find, with_schema, write};
use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use blo::output::table::{Align, lines};
use blo::output::text::page::paragraph;

const HELP: Help = Help {
    examples: &[("blo methods", "all methods"), ("blo methods bda", "its update, what it assumes, its options")],
    exits: &[],
};

/// Lists the methods, or the options of one
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    listing: ListingArguments,
}

/// Lists the table, or one entry of it.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let Some(name) = &arguments.listing.name else {
        let entry = |m: &'static Listed| Entry {
            name: m.entry.name,
            cells: vec![m.entry.name.into(), m.entry.doc.into()],
            object: object(m),
        };
        let listing = Listing {
            entry: "method",
            list: "methods",
            titles: &["method", "what it does"],
            rows: METHODS.iter().map(entry).collect(),
        };
        write(&listing, &arguments.listing, console)?;
        if arguments.listing.format == Format::Human {
            let table = features(console.page());
            console.result(&table)?;
        }
        return Ok(Exit::Done);
    };
    let method = find("method", name, METHODS, |m| m.entry.name)?;
    let text = match arguments.listing.format {
        Format::Human => page(method, console.page()),
        Format::Json => format!("{:#}\n", with_schema(object(method))),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

/// What each method that runs takes and needs, with what the columns mean.
fn features(page: usize) -> String {
    let titles = [&["method"][..], &Features::TITLES.map(|(title, _)| title)].concat();
    let row = |m: &Listed| {
        let features = m.features()?;
        Some([vec![m.entry.name], features.cells().to_vec()].concat().into_iter().map(str::to_owned).collect())
    };
    let title = titles.iter().map(|t| (*t).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(METHODS.iter().filter_map(row)).collect();
    let mut text = format!("\n{}\n", lines(&vec![Align::Left; titles.len()], &rows, page));
    let meaning = |(title, meaning): &(&str, &str)| vec![(*title).to_owned(), (*meaning).to_owned()];
    text += &lines(&[Align::Left; 2], &Features::TITLES.iter().map(meaning).collect::<Vec<_>>(), page);
    text
}

fn page(listed: &Listed, page: usize) -> String {
    let method = listed.entry;
    let mut text = paragraph(&format!("{}: {}", method.name, method.doc), "", page);
    text += &paragraph(method.citation, "", page);
    if !method.formula.is_empty() {
        text.push('\n');
        method.formula.iter().for_each(|line| text += &paragraph(line, "  ", page));
    }
    if !method.requires.is_empty() {
        let assumptions: Vec<&str> = method.requires.iter().map(|a| a.doc()).collect();
        text.push('\n');
        text += &paragraph(&format!("Requires that {}.", assumptions.join("; ")), "", page);
    }
    let row = |o: &OptionEntry| {
        let default = o.default.unwrap_or("automatic");
        vec![o.name.into(), o.symbol.into(), default.into(), format!("{} ({})", o.doc, o.kind.text())]
    };
    let title = ["option", "symbol", "default", "meaning, and what it takes"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(method.all_options().map(row)).collect();
    text + "\n" + &lines(&[Align::Left; 4], &rows, page)
}

fn object(listed: &Listed) -> Value {
    let method = listed.entry;
    let option = |o: &OptionEntry| json!({"name": o.name, "symbol": o.symbol, "default": o.default, "value": o.kind.text(), "doc": o.doc});
    json!({
        "name": method.name,
        "doc": method.doc,
        "citation": method.citation,
        "formula": method.formula,
        "requires": method.requires.iter().map(|a| a.name()).collect::<Vec<_>>(),
        "features": listed.features().map(|f| json!({
            "smooth": f.smooth,
            "proximal": f.proximal,
            "upper_set": f.upper_set,
            "lower_set": f.lower_set,
            "nonconvex": f.nonconvex,
            "many_solutions": f.many_solutions,
            "single_loop": f.single_loop,
            "batches": f.batches,
            "hessian_free": f.second_derivatives == Derivatives::First,
            "second_derivatives": f.second_derivatives.text(),
        })),
        "options": method.all_options().map(option).collect::<Vec<_>>(),
    })
}
