//! `blo methods`: the methods with what they do; with a name, one method's options.

use blo_grammar::diagnostic::did_you_mean;
use blo_solvers::method::Listed;
use blo_solvers::{METHODS, OptionEntry, by_name};
use clap::Args;
use serde_json::{Value, json};

use super::registry::{Listing, write};
use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::table::{Align, lines};

/// Lists the methods, or the options of one
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Show this method's options
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How the list is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Lists the table, or one entry of it.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let Some(name) = &arguments.name else {
        let status = |m: &Listed| if m.runs() { "yes" } else { "not yet" };
        let listing = Listing {
            titles: &["method", "runs", "what it does"],
            rows: METHODS.iter().map(|m| vec![m.entry.name.into(), status(m).into(), m.entry.doc.into()]).collect(),
            objects: METHODS.iter().map(object).collect(),
        };
        return write(&listing, arguments.format, console);
    };
    let Some(method) = by_name(name) else {
        let names: Vec<&str> = METHODS.iter().map(|m| m.entry.name).collect();
        let help = match did_you_mean(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.join(", ")),
        };
        return Err(Failure::Usage { message: format!("no method is called `{name}`"), help: Some(help) });
    };
    let text = match arguments.format {
        Format::Human => page(&method),
        Format::Json => format!("{:#}\n", object(&method)),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

fn page(listed: &Listed) -> String {
    let method = listed.entry;
    let mut text = format!("{}: {}\n{}\n", method.name, method.doc, method.citation);
    if !listed.runs() {
        text += "This method cannot be run yet; files that use it check.\n";
    }
    if !method.formula.is_empty() {
        text += &format!("\n  {}\n", method.formula.join("\n  "));
    }
    if !method.requires.is_empty() {
        let assumptions: Vec<&str> = method.requires.iter().map(|a| a.doc()).collect();
        text += &format!("\nRequires that {}.\n", assumptions.join("; "));
    }
    let row = |o: &OptionEntry| {
        let default = o.default.unwrap_or("automatic");
        vec![o.name.into(), o.symbol.into(), default.into(), o.kind.text(), o.doc.into()]
    };
    let title = ["option", "symbol", "default", "value", "meaning"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(method.all_options().map(row)).collect();
    text + "\n" + &lines(&[Align::Left; 5], &rows)
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
        "runs": listed.runs(),
        "options": method.all_options().map(option).collect::<Vec<_>>(),
    })
}
