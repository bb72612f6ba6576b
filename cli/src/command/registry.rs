//! The tables of the language and the engine as listings: what `functions`, `prox` and `sets` have in common.

use serde_json::Value;

use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::table::{Align, lines};

/// A listing: what is in a row for people, and the same as data.
pub(crate) struct Listing {
    /// Column titles.
    pub(crate) titles: &'static [&'static str],
    /// One row per entry.
    pub(crate) rows: Vec<Vec<String>>,
    /// One object per entry.
    pub(crate) objects: Vec<Value>,
}

/// Writes a listing.
pub(crate) fn write(listing: &Listing, format: Format, console: &mut Console) -> Result<Exit, Failure> {
    let text = match format {
        Format::Human => {
            let title = listing.titles.iter().map(|t| (*t).to_owned()).collect();
            let rows: Vec<Vec<String>> = std::iter::once(title).chain(listing.rows.iter().cloned()).collect();
            lines(&vec![Align::Left; listing.titles.len()], &rows)
        }
        Format::Json => format!("{:#}\n", Value::from(listing.objects.clone())),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}
