//! `blo man`: the manual pages, one per subcommand, made from the same texts as `--help`.

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;
use std::path::PathBuf;

use super::help::Help;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::file::replace;

const HELP: Help = Help {
    examples: &[
        ("blo man | man -l -", "reads the page of `blo`"),
        ("blo man solve | man -l -", "reads the page of `blo solve`"),
        ("blo man --to ~/.local/share/man/man1", "installs all pages"),
    ],
    exits: &[],
};

/// Prints manual pages, or writes them to a folder
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// The subcommand; without it `blo` itself
    #[arg(value_name = "COMMAND", conflicts_with = "to")]
    command: Option<String>,
    /// Write every page to this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// Writes the pages.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    // `blo help solve` is the page `blo-solve`
    let mut blo = super::Arguments::command().disable_help_subcommand(true);
    blo.build();
    if let Some(folder) = &arguments.to {
        for command in blo.get_subcommands().chain([&blo]) {
            replace(&folder.join(format!("{}.1", title(command))), page(command)?.as_bytes())?;
        }
        return Ok(Exit::Done);
    }
    let command = match &arguments.command {
        None => blo,
        Some(name) => {
            let commands: Vec<clap::Command> = blo.get_subcommands().cloned().collect();
            super::registry::find("subcommand", name, &commands, |c| c.get_name())?.clone()
        }
    };
    console.result(&page(&command)?)?;
    Ok(Exit::Done)
}

/// The name of a page: `blo-solve`.
fn title(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

/// A page in roff, in ASCII, so that every formatter reads it in every locale.
fn page(command: &clap::Command) -> io::Result<String> {
    let title = title(command);
    let man = Man::new(command.clone());
    // `Man` leaves out an empty date, and the version would stand in its place
    let head = format!(".TH {} 1 \"\" \"blo {}\" \"blo\"\n", title.to_uppercase(), env!("CARGO_PKG_VERSION"));
    let mut text = head.into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    // what `Help::long` has put together
    let below = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut rest = Roff::new();
    for part in below.split("\n\n").filter(|part| !part.trim().is_empty()) {
        let (head, lines) = part.split_once('\n').unwrap_or((part, ""));
        let section = match head {
            "Examples:" => "EXAMPLES",
            "Exit codes:" => "EXIT STATUS",
            _ => unreachable!("the help below options has examples and exit codes"),
        };
        rest.control("SH", [section]).control("nf", []).text([roman(lines)]).control("fi", []);
    }
    if title != "blo" {
        rest.control("SH", ["SEE ALSO"]).control("BR", ["blo", "(1)"]);
    }
    rest.to_writer(&mut text)?;
    Ok(String::from_utf8_lossy(&text).chars().map(escaped).collect())
}

/// A character as roff names it where it is not ASCII.
fn escaped(c: char) -> String {
    if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_page_that_names_only_pages_that_are_there() {
        let mut blo = crate::command::Arguments::command().disable_help_subcommand(true);
        blo.build();
        let names: Vec<String> = blo.get_subcommands().chain([&blo]).map(title).collect();
        assert!(names.len() > 20, "{names:?}");
        for command in blo.get_subcommands().chain([&blo]) {
            let page = page(command).unwrap();
            assert!(page.is_ascii() && page.contains(".SH NAME") && !page.contains(".SH EXTRA"), "{page}");
            assert!(page.contains(concat!("blo ", env!("CARGO_PKG_VERSION"))), "{page}");
            assert_eq!(page.contains(".SH \"SEE ALSO\""), title(command) != "blo", "{page}");
            for named in page.lines().filter_map(|l| l.strip_suffix("(1)")) {
                let named = named.trim_start_matches(".BR").trim().replace('\\', "");
                assert!(names.contains(&named), "{named} has no page");
            }
        }
    }

    #[test]
    fn symbols_have_names_of_roff() {
        assert_eq!("a\u{2264}b".chars().map(escaped).collect::<String>(), "a\\[u2264]b");
    }
}
