//! `blo play`: a page in the browser for writing a problem, running methods and looking at what they do.

mod checks;
mod comparison;
mod events;
mod job;
mod solved;

use clap::Args;
use std::time::Duration;

use super::help::Help;
use crate::args::{bytes, seconds};
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::play;

const HELP: Help = Help {
    examples: &[
        ("blo play", "a page with the programs of this folder and examples"),
        ("blo play P.blo", "with this program open; its folder is the one that the page may read and write"),
        ("blo play 'http://127.0.0.1:4000/#blo1=...'", "with the program of a link that somebody has shared"),
        ("blo play --port 4000 --no-open --max-time 10s", "for a class"),
    ],
    exits: &[Exit::Interrupted],
};

/// Opens a page in the browser: an editor with runs, comparisons and pictures; nobody else can reach it
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// A problem file, a folder, or a link that the page has made
    #[arg(value_name = "P.blo", default_value = ".")]
    what: String,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Print the address without opening the browser
    #[arg(long)]
    no_open: bool,
    /// Stop every run after this time: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds)]
    max_time: Duration,
    /// Stop a run that takes more memory: 512MB, 4GiB
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = bytes)]
    max_memory: u64,
    /// What the command tells the processes that it starts
    #[arg(long, hide = true)]
    job: bool,
    /// The same, of the process that checks the text of the page
    #[arg(long, hide = true)]
    checks: bool,
}

/// Serves the page until the interrupt key.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    if arguments.job {
        return job::run(console);
    }
    if arguments.checks {
        return checks::run();
    }
    let limits = play::Limits { seconds: arguments.max_time.as_secs_f64(), bytes: arguments.max_memory };
    let served = play::Served::open(&arguments.what, limits)?;
    served.serve(arguments.port, !arguments.no_open, console)
}
