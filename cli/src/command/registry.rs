//! The tables of the language and the engine as listings: what `functions`, `prox`, `sets` and `methods` have in common.

use blo_grammar::diagnostic::did_you_mean;
use clap::Args;
use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use blo::output::SCHEMA;
use blo::output::table::{Align, lines};

/// What a listing is asked for.
#[derive(Debug, Args)]
pub(crate) struct ListingArguments {
    /// Show this entry only
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// A listing: what is in a row for people, and the same as data.
pub(crate) struct Listing {
    /// What an entry is, such as `function`.
    pub(crate) entry: &'static str,
    /// What the list is called in JSON, such as `functions`.
    pub(crate) list: &'static str,
    /// Column titles.
    pub(crate) titles: &'static [&'static str],
    /// The rows.
    pub(crate) rows: Vec<Entry>,
}

/// An entry of a listing.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// One cell per title.
    pub(crate) cells: Vec<String>,
    pub(crate) object: Value,
}

/// The entry of a name.
///
/// # Errors
/// Names the nearest one, or all.
pub(crate) fn find<'a, T>(
    what: &str,
    name: &str,
    entries: &'a [T],
    name_of: impl Fn(&T) -> &str,
) -> Result<&'a T, Failure> {
    if let Some(entry) = entries.iter().find(|e| name_of(e) == name) {
        return Ok(entry);
    }
    let names: Vec<&str> = entries.iter().map(name_of).collect();
    let help = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", names.join(", ")),
    };
    Err(Failure::Usage { message: format!("no {what} is called `{name}`"), help: Some(help) })
}

/// Writes a listing, or one entry of it.
pub(crate) fn write(listing: &Listing, arguments: &ListingArguments, console: &mut Console) -> Result<Exit, Failure> {
    let text = match (&arguments.name, arguments.format) {
        (None, Format::Human) => {
            let title = listing.titles.iter().map(|t| (*t).to_owned()).collect();
            let rows = std::iter::once(title).chain(listing.rows.iter().map(|e| e.cells.clone()));
            lines(&vec![Align::Left; listing.titles.len()], &rows.collect::<Vec<_>>(), console.page())
        }
        (None, Format::Json) => {
            let objects: Vec<Value> = listing.rows.iter().map(|e| e.object.clone()).collect();
            format!("{:#}\n", json!({"schema": SCHEMA, listing.list: objects}))
        }
        (Some(name), format) => {
            let entry = find(listing.entry, name, &listing.rows, |e| e.name)?;
            match format {
                Format::Human => {
                    let titles = listing.titles.iter().map(|t| (*t).to_owned());
                    let rows: Vec<Vec<String>> = titles.zip(&entry.cells).map(|(t, c)| vec![t, c.clone()]).collect();
                    lines(&[Align::Left; 2], &rows, console.page())
                }
                Format::Json => format!("{:#}\n", with_schema(entry.object.clone())),
            }
        }
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

/// An object whose form is part of the interface: `schema` counts its changes.
pub(crate) fn with_schema(mut object: Value) -> Value {
    object["schema"] = json!(SCHEMA);
    object
}
