//! `blo man`: the manual pages, one per subcommand, made from the same texts as `--help`.

use clap::{Args, CommandFactory};
use clap_mangen::Man;
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
    let mut blo = super::Arguments::command();
    blo.build();
    if let Some(folder) = &arguments.to {
        let pages = blo.get_subcommands().map(|c| (format!("blo-{}.1", c.get_name()), c.clone()));
        let pages: Vec<(String, clap::Command)> = pages.chain([("blo.1".to_owned(), blo.clone())]).collect();
        for (name, command) in pages {
            replace(&folder.join(name), &page(command)?)?;
        }
        return Ok(Exit::Done);
    }
    let command = match &arguments.command {
        None => blo.clone(),
        Some(name) => {
            let commands: Vec<clap::Command> = blo.get_subcommands().cloned().collect();
            super::registry::find("subcommand", name, &commands, |c| c.get_name())?.clone()
        }
    };
    console.result(&String::from_utf8_lossy(&page(command)?))?;
    Ok(Exit::Done)
}

/// A page in roff.
fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    Ok(text)
}
